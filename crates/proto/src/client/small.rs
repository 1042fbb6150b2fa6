//! Small puts and gets, many to a message, over one long stream per node.
//!
//! A call of its own costs both sides tens of microseconds of HTTP/2; here a call is an entry of a message. No call is
//! held back to wait for others: while a message is on its way calls gather, and the next message takes all of them.

use std::{
    collections::HashMap,
    ops::Range,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use base::{PartId, limits::SMALL_PART_BYTES_MAX};
use bytes::Bytes;
use futures::Stream;
use parking_lot::Mutex;
use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    task::JoinSet,
    time::{Instant, timeout},
};
use tonic::transport::Channel;

use super::{RemoteOptions, silent};
use crate::{
    Error, Receipt,
    meter::Meters,
    pb::node::{self as pb, parts_client::PartsClient, small_call::Action, small_reply::Result as Outcome},
    wire::{DATA_BYTES_MAX, SMALL_CALLS_MAX, from_status, part_bytes, required},
};

/// Calls in flight to one node at most; more wait their turn.
const CALLS_MAX: usize = 2048;

/// Payload bytes in flight to or from one node at most; more wait their turn.
const BYTES_MAX: usize = 32 << 20;

/// How long a stream that broke before its first reply is not opened again. (A node that cannot be reached at all is
/// held off by the connector.)
const REST: Duration = Duration::from_millis(100);

/// The small calls of one node's client.
pub(super) struct Small {
    client: PartsClient<Channel>,
    options: RemoteOptions,
    meters: Meters,
    slots: Semaphore,
    room: Semaphore,
    link: Mutex<Link>,
}

/// The stream that is open now, if any, and the tasks that read the streams; they end with the client.
#[derive(Default)]
struct Link {
    lane: Option<Arc<Lane>>,
    readers: JoinSet<()>,
}

/// One stream, from its opening until it breaks.
struct Lane {
    queue: mpsc::Sender<Queued>,
    next_id: AtomicU64,
    has_answered: AtomicBool,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    answers: HashMap<u64, oneshot::Sender<Outcome>>,
    broken: Option<(Error, Instant)>,
}

struct Queued {
    id: u64,
    action: Action,
    traceparent: Option<String>,
}

impl Small {
    pub(super) fn new(client: PartsClient<Channel>, options: RemoteOptions, meters: Meters) -> Self {
        Self {
            client,
            options,
            meters,
            slots: Semaphore::new(CALLS_MAX),
            room: Semaphore::new(BYTES_MAX),
            link: Mutex::default(),
        }
    }

    pub(super) async fn put(&self, part: PartId, bytes: Bytes) -> Result<Receipt, Error> {
        self.meters.small_put.moved(bytes.len());
        let call = async {
            let length = bytes.len();
            let sent = Receipt { length: length as u64, checksum: crate::checksum(&bytes) };
            let put = pb::SmallPut { part: part_bytes(part), data: Some(pb::Data::seal(bytes)) };
            match self.call(Action::Put(put), length).await? {
                Outcome::Receipt(receipt) if Receipt::from(receipt) == sent => Ok(sent),
                Outcome::Receipt(_) => Err(Error::Damaged(part, "its receipt is of other bytes".into())),
                other => Err(unexpected(other)),
            }
        };
        self.meters.small_put.observe(call).await
    }

    pub(super) async fn get(&self, part: PartId, range: Range<u64>) -> Result<Bytes, Error> {
        let call = async {
            let length = range.end.saturating_sub(range.start) as usize;
            let get = pb::GetRequest { part: part_bytes(part), start: range.start, end: range.end };
            match self.call(Action::Get(get), length).await? {
                Outcome::Data(data) => {
                    let bytes = data.open()?;
                    self.meters.small_get.moved(bytes.len());
                    if bytes.len() == length {
                        Ok(bytes)
                    } else {
                        Err(Error::Invalid("other bytes than asked for".into()))
                    }
                }
                other => Err(unexpected(other)),
            }
        };
        self.meters.small_get.observe(call).await
    }

    /// Dropping the future forgets the call: it is not sent if it still waits, and its answer is passed over.
    async fn call(&self, action: Action, bytes: usize) -> Result<Outcome, Error> {
        let limit = self.options.progress;
        let call = async {
            const OPEN: &str = "the semaphores are never closed";
            let _slot = self.slots.acquire().await.expect(OPEN);
            let bytes = u32::try_from(bytes).expect("a small part's length fits");
            let _room = self.room.acquire_many(bytes).await.expect(OPEN);
            let lane = self.lane()?;
            let (ticket, answer) = Ticket::draw(&lane)?;
            let traceparent = self.options.trace.as_ref().and_then(|parent| parent());
            let queued = Queued { id: ticket.id, action, traceparent };
            // The queue has room for every slot; it refuses only when the stream is gone.
            lane.queue.try_send(queued).map_err(|_| lane.error())?;
            answer.await.map_err(|_| lane.error())
        };
        match timeout(limit, call).await {
            Ok(Ok(Outcome::Failure(failure))) => Err(failure.into()),
            Ok(result) => result,
            Err(_) => Err(silent(limit)),
        }
    }

    /// The open stream; a new one if there is none or it broke.
    fn lane(&self) -> Result<Arc<Lane>, Error> {
        let mut link = self.link.lock();
        if let Some(lane) = &link.lane {
            let waiting = lane.waiting.lock();
            match &waiting.broken {
                None => return Ok(lane.clone()),
                Some((error, at)) if !lane.has_answered.load(Ordering::Relaxed) && at.elapsed() < REST => {
                    return Err(error.clone());
                }
                Some(_) => {}
            }
        }
        // Twice the slots: calls whose callers have gone may still lie in the queue.
        let (queue, queued) = mpsc::channel(2 * CALLS_MAX);
        let lane = Arc::new(Lane {
            queue,
            next_id: AtomicU64::new(0),
            has_answered: AtomicBool::new(false),
            waiting: Mutex::default(),
        });
        link.lane = Some(lane.clone());
        while link.readers.try_join_next().is_some() {}
        let client = self.client.clone();
        let reader = lane.clone();
        link.readers.spawn(async move {
            let error = match reader.read(client, queued).await {
                Ok(()) => Error::Unavailable("the node closed the stream of small calls".into()),
                Err(error) => error,
            };
            reader.end(error);
        });
        Ok(lane)
    }
}

fn unexpected(outcome: Outcome) -> Error {
    match outcome {
        Outcome::Failure(failure) => failure.into(),
        Outcome::Receipt(_) | Outcome::Data(_) => Error::Invalid("an answer to another question".into()),
    }
}

impl Lane {
    /// Opens the stream and hands its replies to those who wait, until it ends.
    async fn read(
        self: &Arc<Self>,
        mut client: PartsClient<Channel>,
        queue: mpsc::Receiver<Queued>,
    ) -> Result<(), Error> {
        let outgoing = Outgoing { queue, lane: self.clone() };
        let mut inbound = client.small(outgoing).await.map_err(|status| from_status(&status))?.into_inner();
        while let Some(batch) = inbound.message().await.map_err(|status| from_status(&status))? {
            self.has_answered.store(true, Ordering::Relaxed);
            let mut waiting = self.waiting.lock();
            for reply in batch.replies {
                let outcome = required(reply.result)?;
                if let Some(answer) = waiting.answers.remove(&reply.id) {
                    // A caller that has gone meanwhile needs no answer.
                    let _ = answer.send(outcome);
                }
            }
        }
        Ok(())
    }

    /// Everyone who waits gets the error, by the drop of the senders; so does everyone who comes later.
    fn end(&self, error: Error) {
        tracing::debug!(%error, "the stream of small calls ended");
        let mut waiting = self.waiting.lock();
        waiting.broken = Some((error, Instant::now()));
        waiting.answers.clear();
    }

    fn error(&self) -> Error {
        match &self.waiting.lock().broken {
            Some((error, _)) => error.clone(),
            None => Error::Unavailable("the stream of small calls is full".into()),
        }
    }
}

/// A caller's place among those who wait; given up on drop.
struct Ticket<'a> {
    lane: &'a Lane,
    id: u64,
}

impl<'a> Ticket<'a> {
    fn draw(lane: &'a Lane) -> Result<(Self, oneshot::Receiver<Outcome>), Error> {
        let id = lane.next_id.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        let mut waiting = lane.waiting.lock();
        if let Some((error, _)) = &waiting.broken {
            return Err(error.clone());
        }
        waiting.answers.insert(id, sender);
        drop(waiting);
        Ok((Self { lane, id }, answer))
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.lane.waiting.lock().answers.remove(&self.id);
    }
}

/// The messages to the node: each takes the calls that have gathered since the last.
struct Outgoing {
    queue: mpsc::Receiver<Queued>,
    lane: Arc<Lane>,
}

impl Stream for Outgoing {
    type Item = pb::SmallBatch;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<pb::SmallBatch>> {
        loop {
            let Some(first) = ready!(self.queue.poll_recv(cx)) else { return Poll::Ready(None) };
            let mut batch = pb::SmallBatch::default();
            let mut bytes = 0;
            let mut next = Some(first);
            // One lock for all: the callers that have gone by now are not to be sent.
            let lane = self.lane.clone();
            let waiting = lane.waiting.lock();
            while let Some(queued) = next {
                if waiting.answers.contains_key(&queued.id) {
                    if let Action::Put(put) = &queued.action {
                        bytes += put.data.as_ref().map_or(0, |data| data.bytes.len());
                    }
                    if batch.traceparent.is_empty() {
                        batch.traceparent = queued.traceparent.unwrap_or_default();
                    }
                    batch.calls.push(pb::SmallCall { id: queued.id, action: Some(queued.action) });
                }
                let has_room = batch.calls.len() < SMALL_CALLS_MAX && bytes + SMALL_PART_BYTES_MAX <= DATA_BYTES_MAX;
                next = if has_room { self.queue.try_recv().ok() } else { None };
            }
            if !batch.calls.is_empty() {
                return Poll::Ready(Some(batch));
            }
        }
    }
}
