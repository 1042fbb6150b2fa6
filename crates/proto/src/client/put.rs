//! Sends a large part: pulled from the caller only as fast as the node takes it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use base::PartId;
use bytes::Bytes;
use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use parking_lot::Mutex;
use tokio::time::timeout;

use super::{RemoteParts, silent};
use crate::{
    Body, Error, Receipt,
    bulk::{self, Outgoing},
    meter::Meter,
    pb::node::{self as pb, put_request::Step},
    trace::metadata,
    wire::{DATA_BYTES_MAX, Sum, part_bytes, required},
};

impl RemoteParts {
    pub(super) async fn put_stream(&self, part: PartId, body: Body) -> Result<Receipt, Error> {
        let sending = Arc::new(Sending::default());
        let messages = messages(part, body, sending.clone(), self.meters.put.clone());
        let call = async {
            let mut answer =
                bulk::call(self.bulk(), bulk::PUT, metadata(self.options.trace.as_ref()), messages).await?;
            let receipt: pb::Receipt = bulk::decoded(required(answer.next().await?)?)?;
            // The status comes last.
            while answer.next().await?.is_some() {}
            Ok(receipt)
        };
        let answer = watch(self.options.progress, &sending, call).await;
        let sent = match std::mem::take(&mut *sending.end.lock()) {
            End::Failed(error) => return Err(error),
            End::Sent(receipt) => Some(receipt),
            End::Open => None,
        };
        let receipt: Receipt = match answer? {
            Ok(receipt) => receipt.into(),
            // Our body ended well, so what the node calls a bad body went bad on the way.
            Err(Error::Body(why)) => return Err(Error::Unavailable(format!("the node did not get the bytes: {why}"))),
            Err(error) => return Err(error),
        };
        // A node that answers before it has everything, or that counted otherwise, does not have the part.
        if sent == Some(receipt) {
            Ok(receipt)
        } else {
            Err(Error::Damaged(part, "its receipt is of other bytes".into()))
        }
    }
}

/// What the sending stream tells the call that waits for the answer.
#[derive(Default)]
struct Sending {
    moves: AtomicU64,
    /// The caller's body is being waited for, not the node.
    pulling: AtomicBool,
    end: Mutex<End>,
}

#[derive(Default)]
enum End {
    #[default]
    Open,
    Sent(Receipt),
    Failed(Error),
}

/// Waits for the answer as long as the node takes bytes, or the caller owes some.
async fn watch<T>(limit: Duration, sending: &Sending, answer: impl Future<Output = T>) -> Result<T, Error> {
    const LOOKS: u32 = 4;
    let mut answer = Box::pin(answer);
    let (mut seen, mut quiet) = (0, 0);
    loop {
        if let Ok(answer) = timeout(limit / LOOKS, answer.as_mut()).await {
            return Ok(answer);
        }
        let moves = sending.moves.load(Ordering::Relaxed);
        quiet = if sending.pulling.load(Ordering::Relaxed) || moves != seen { 0 } else { quiet + 1 };
        seen = moves;
        if quiet == LOOKS {
            return Err(silent(limit));
        }
    }
}

struct Messages {
    start: Option<PartId>,
    pieces: BoxStream<'static, Result<Bytes, Error>>,
    /// What is left of a piece that is longer than a message.
    rest: Bytes,
    sum: Sum,
    is_done: bool,
    sending: Arc<Sending>,
    meter: Meter,
}

fn messages(
    part: PartId,
    body: Body,
    sending: Arc<Sending>,
    meter: Meter,
) -> impl Stream<Item = Outgoing> + Send + 'static {
    let messages = Messages {
        start: Some(part),
        pieces: body.into_stream(),
        rest: Bytes::new(),
        sum: Sum::new(),
        is_done: false,
        sending,
        meter,
    };
    stream::unfold(messages, |mut messages| async move {
        messages.sending.moves.fetch_add(1, Ordering::Relaxed);
        let message = messages.next().await?;
        Some((message, messages))
    })
}

impl Messages {
    async fn next(&mut self) -> Option<Outgoing> {
        if let Some(part) = self.start.take() {
            return Some(step(Step::Start(pb::PutStart { part: part_bytes(part) })));
        }
        if self.is_done {
            return None;
        }
        while self.rest.is_empty() {
            self.sending.pulling.store(true, Ordering::Relaxed);
            let piece = self.pieces.next().await;
            self.sending.pulling.store(false, Ordering::Relaxed);
            match piece {
                Some(Ok(piece)) => self.rest = piece,
                Some(Err(error)) => {
                    // The stream ends without `End`, and the node drops what it has.
                    self.is_done = true;
                    let error = match error {
                        Error::Body(why) => Error::Body(why),
                        other => Error::Body(other.to_string()),
                    };
                    *self.sending.end.lock() = End::Failed(error);
                    return None;
                }
                None => {
                    self.is_done = true;
                    let receipt = self.sum.receipt();
                    *self.sending.end.lock() = End::Sent(receipt);
                    return Some(step(Step::End(receipt.into())));
                }
            }
        }
        let bytes = self.rest.split_to(self.rest.len().min(DATA_BYTES_MAX));
        self.sum.add(&bytes);
        self.meter.moved(bytes.len());
        Some(bulk::put_data(bytes))
    }
}

fn step(step: Step) -> Outgoing {
    bulk::whole(&pb::PutRequest { step: Some(step) })
}
