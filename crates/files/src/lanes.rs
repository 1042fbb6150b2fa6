//! Parts on their way to nodes: one lane each, all at once, with back pressure.

use std::sync::Arc;

use base::PartId;
use bytes::Bytes;
use futures::{StreamExt, stream};
use proto::{Body, Receipt};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::JoinSet,
};
use tracing::Instrument;

use crate::nodes::{InFlight, Nodes, Peer};

/// Units that wait in a lane, beside the one that is being sent.
const UNITS_WAITING: usize = 1;

/// What a lane carries. The end is said, never guessed: a lane whose sender vanished is a part that was cut off.
enum Item {
    Unit(Bytes, OwnedSemaphorePermit),
    End,
}

/// Writes several parts of one extent at once.
///
/// A lane that fails stays failed; the others go on, and [`Lanes::finish`] tells which parts became durable.
pub(crate) struct Lanes {
    senders: Vec<Option<mpsc::Sender<Item>>>,
    /// One permit for each unit that may be in memory, from the moment it is handed to its lane until its node has it.
    room: Arc<Semaphore>,
    tasks: JoinSet<(usize, Result<Receipt, proto::Error>)>,
    results: Vec<Option<Result<Receipt, proto::Error>>>,
}

impl Lanes {
    /// Opens a lane for each part. At most `stripes` units for each lane are in memory at once, in all lanes together.
    pub(crate) fn open(nodes: &Nodes, targets: Vec<(PartId, Arc<Peer>)>, stripes: usize) -> Self {
        let mut lanes = Self {
            senders: Vec::new(),
            room: Arc::new(Semaphore::new(stripes * targets.len())),
            tasks: JoinSet::new(),
            results: targets.iter().map(|_| None).collect(),
        };
        for (lane, (part, peer)) in targets.into_iter().enumerate() {
            let (sender, receiver) = mpsc::channel(UNITS_WAITING);
            lanes.senders.push(Some(sender));
            let nodes = nodes.clone();
            let put = async move {
                let result = peer.parts.put(part, Body::Stream(body(receiver, peer.clone()))).await;
                if let Err(error) = &result {
                    nodes.note_failure(&peer, error);
                }
                (lane, result)
            };
            // The node's span is a child of the request's.
            lanes.tasks.spawn(put.in_current_span());
        }
        lanes
    }

    /// Hands a unit to a lane; waits while the lane is full. A failed lane swallows it.
    pub(crate) async fn send(&mut self, lane: usize, unit: Bytes) {
        if unit.is_empty() {
            return;
        }
        let Some(sender) = &self.senders[lane] else { return };
        let room = self.room.clone().acquire_owned().await.expect("the lanes never close it");
        if sender.send(Item::Unit(unit, room)).await.is_err() {
            self.senders[lane] = None;
        }
    }

    /// How many lanes still run.
    pub(crate) fn running(&self) -> usize {
        self.senders.iter().flatten().count()
    }

    /// Ends every lane and waits until each part is durable or failed.
    pub(crate) async fn finish(mut self) -> Vec<Result<Receipt, proto::Error>> {
        for sender in self.senders.iter_mut() {
            if let Some(sender) = sender.take() {
                // An error means that the lane failed already; its task tells why.
                let _ = sender.send(Item::End).await;
            }
        }
        while let Some(joined) = self.tasks.join_next().await {
            match joined {
                Ok((lane, result)) => self.results[lane] = Some(result),
                Err(error) => tracing::error!(%error, "a lane of a write panicked"),
            }
        }
        self.results
            .into_iter()
            .map(|result| result.unwrap_or_else(|| Err(proto::Error::Unavailable("the write was cut off".into()))))
            .collect()
    }
}

/// The lane's receiving end as the body of a put. Counts what waits as load of the node.
fn body(receiver: mpsc::Receiver<Item>, peer: Arc<Peer>) -> stream::BoxStream<'static, Result<Bytes, proto::Error>> {
    stream::unfold(Some((receiver, peer)), |state| async move {
        let (mut receiver, peer) = state?;
        match receiver.recv().await {
            Some(Item::Unit(unit, room)) => {
                let in_flight = peer.send(unit.len());
                let unit = Bytes::from_owner(Owned { unit, _in_flight: in_flight, _room: room });
                Some((Ok(unit), Some((receiver, peer))))
            }
            Some(Item::End) => None,
            None => Some((Err(proto::Error::Body("the writer went away".into())), None)),
        }
    })
    .boxed()
}

struct Owned {
    unit: Bytes,
    _in_flight: InFlight,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        &self.unit
    }
}
