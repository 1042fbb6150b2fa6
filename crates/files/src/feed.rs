//! A part on its way from a node, read ahead and handed out in exact lengths.

use std::{collections::VecDeque, ops::Range, sync::Arc};

use base::PartId;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use tokio::{sync::mpsc, task::JoinSet};
use tracing::Instrument;

use crate::nodes::{Nodes, Peer};

/// Pieces that wait in a feed. A node sends pieces of at most a unit, so this is the feed's read-ahead in units.
const PIECES_WAITING: usize = 1;

/// What a feed should check beyond what the node checks.
#[derive(Clone, Copy)]
pub(crate) enum Check {
    /// The whole part is read: its checksum must be the one of the manifest.
    Whole(u64),
    /// Only a piece of the part is read.
    Piece,
}

/// Why a feed ended.
pub(crate) struct Failed {
    pub(crate) error: proto::Error,
    /// What it yielded before may be wrong as well: only the end of the part showed it.
    pub(crate) taints: bool,
}

impl From<proto::Error> for Failed {
    fn from(error: proto::Error) -> Self {
        Self { error, taints: false }
    }
}

/// Reads a range of a part from start to end.
pub(crate) struct Feed {
    receiver: mpsc::Receiver<Result<Bytes, Failed>>,
    waiting: VecDeque<Bytes>,
    waiting_bytes: usize,
    /// Ends the pump when the feed is dropped.
    _pump: JoinSet<()>,
}

impl Feed {
    /// Begins to read `range` of `part`.
    pub(crate) fn open(nodes: &Nodes, peer: Arc<Peer>, part: PartId, range: Range<u64>, check: Check) -> Self {
        let (sender, receiver) = mpsc::channel(PIECES_WAITING);
        let nodes = nodes.clone();
        let mut pump = JoinSet::new();
        let pumping = async move {
            if let Err(failed) = run(&peer, part, range, check, &sender).await {
                nodes.note_failure(&peer, &failed.error);
                // Nobody listens any more if this fails.
                let _ = sender.send(Err(failed)).await;
            }
        };
        // The node's span is a child of the request's.
        pump.spawn(pumping.in_current_span());
        Self { receiver, waiting: VecDeque::new(), waiting_bytes: 0, _pump: pump }
    }

    /// The next bytes as they came, `most` of them at most and never none.
    ///
    /// # Errors
    /// What the node answered, or [`proto::Error::Body`] if it sent too little.
    pub(crate) async fn some(&mut self, most: usize) -> Result<Bytes, Failed> {
        self.arrive(1).await?;
        Ok(self.pop(most))
    }

    /// The next `length` bytes, in one piece.
    ///
    /// # Errors
    /// As [`Self::some`].
    pub(crate) async fn take(&mut self, length: usize) -> Result<Bytes, Failed> {
        self.arrive(length).await?;
        let first = self.pop(length);
        if first.len() == length {
            return Ok(first);
        }
        let mut joined = BytesMut::with_capacity(length);
        joined.extend_from_slice(&first);
        while joined.len() < length {
            joined.extend_from_slice(&self.pop(length - joined.len()));
        }
        Ok(joined.freeze())
    }

    /// Waits until so many bytes are here.
    async fn arrive(&mut self, bytes: usize) -> Result<(), Failed> {
        while self.waiting_bytes < bytes {
            match self.receiver.recv().await {
                Some(Ok(piece)) => {
                    self.waiting_bytes += piece.len();
                    self.waiting.push_back(piece);
                }
                Some(Err(failed)) => return Err(failed),
                None => return Err(proto::Error::Body("the part ended early".into()).into()),
            }
        }
        Ok(())
    }

    /// The first of the pieces that wait, or its first `most` bytes.
    fn pop(&mut self, most: usize) -> Bytes {
        let Some(first) = self.waiting.front_mut() else { return Bytes::new() };
        let piece = first.split_to(first.len().min(most));
        if first.is_empty() {
            self.waiting.pop_front();
        }
        self.waiting_bytes -= piece.len();
        piece
    }
}

/// Moves pieces from the node to the feed. The last piece of a whole part is held back until the checksum is known to
/// be right, so that no reader ever gets all bytes of a wrong part and takes them for right.
async fn run(
    peer: &Peer,
    part: PartId,
    range: Range<u64>,
    check: Check,
    sender: &mpsc::Sender<Result<Bytes, Failed>>,
) -> Result<(), Failed> {
    let whole = range.end - range.start;
    let mut left = range.end - range.start;
    let mut stream = peer.parts.get(part, range).await?.into_stream();
    let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Nvme);
    while left > 0 {
        let Some(piece) = stream.next().await else {
            return Err(proto::Error::Body("the part ended early".into()).into());
        };
        let piece = piece?;
        let Some(after) = left.checked_sub(piece.len() as u64) else {
            return Err(proto::Error::Body("the node sent more than was asked for".into()).into());
        };
        let taints = left < whole;
        left = after;
        if let Check::Whole(checksum) = check {
            digest.update(&piece);
            if left == 0 && digest.finalize() != checksum {
                let error = proto::Error::Damaged(part, "its checksum is not the one of the manifest".into());
                return Err(Failed { error, taints });
            }
        }
        if sender.send(Ok(piece)).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}
