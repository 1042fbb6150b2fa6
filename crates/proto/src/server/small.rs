//! Answers the stream of small calls: runs them side by side, and packs what is finished into one message.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use base::limits::SMALL_PART_BYTES_MAX;
use futures::{FutureExt, Stream, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::{Status, Streaming};
use tracing::Instrument;

use super::service::asked;
use crate::{
    Body, Error, Parts, TraceLink,
    meter::Meters,
    pb::node::{self as pb, small_call::Action, small_reply::Result as Outcome},
    trace::batch_span,
    wire::{DATA_BYTES_MAX, SMALL_CALLS_MAX, part, required},
};

/// Calls of one stream under way at most; while there are as many, nothing more is read, and the client waits. One
/// message more may come on top.
const RUNNING_MAX: usize = 1024;

/// Payload bytes of these calls at most, with the same effect.
const RUNNING_BYTES_MAX: usize = 32 << 20;

/// The replies to a stream of small calls.
///
/// Everything runs in the one task that writes the replies, so that dropping the stream drops the calls, and replies
/// that nobody takes hold back new calls.
pub(crate) struct SmallCalls {
    inbound: Streaming<pb::SmallBatch>,
    /// Nothing more will come, or nothing more is to be taken because the node is closing.
    is_ended: bool,
    /// Each with the payload bytes that it holds.
    running: FuturesUnordered<BoxFuture<'static, (usize, pb::SmallReply)>>,
    running_bytes: usize,
    closing: Pin<Box<WaitForCancellationFutureOwned>>,
    runner: Runner,
}

#[derive(Clone)]
struct Runner {
    parts: Arc<dyn Parts>,
    meters: Arc<Meters>,
    trace: Option<TraceLink>,
}

impl SmallCalls {
    pub(super) fn new(
        inbound: Streaming<pb::SmallBatch>,
        parts: Arc<dyn Parts>,
        meters: Meters,
        trace: Option<TraceLink>,
        closing: CancellationToken,
    ) -> Self {
        Self {
            inbound,
            is_ended: false,
            running: FuturesUnordered::new(),
            running_bytes: 0,
            closing: Box::pin(closing.cancelled_owned()),
            runner: Runner { parts, meters: Arc::new(meters), trace },
        }
    }

    /// Takes calls until there are none, or enough.
    fn accept(&mut self, cx: &mut Context<'_>) -> Result<(), Status> {
        if !self.is_ended && self.closing.poll_unpin(cx).is_ready() {
            self.is_ended = true;
        }
        while !self.is_ended && self.running.len() < RUNNING_MAX && self.running_bytes < RUNNING_BYTES_MAX {
            match self.inbound.poll_next_unpin(cx) {
                Poll::Ready(Some(batch)) => self.start(batch?),
                Poll::Ready(None) => self.is_ended = true,
                Poll::Pending => break,
            }
        }
        Ok(())
    }

    fn start(&mut self, batch: pb::SmallBatch) {
        let span = (!batch.traceparent.is_empty())
            .then(|| batch_span(batch.calls.len(), &batch.traceparent, self.runner.trace.as_ref()));
        for call in batch.calls {
            let bytes = payload(&call);
            self.running_bytes += bytes;
            let reply = self.runner.clone().reply(call).map(move |reply| (bytes, reply));
            self.running.push(match &span {
                Some(span) => reply.instrument(span.clone()).boxed(),
                None => reply.boxed(),
            });
        }
    }

    /// What is finished, as far as it fits into a message.
    fn finished(&mut self, cx: &mut Context<'_>) -> Vec<pb::SmallReply> {
        let (mut replies, mut bytes) = (Vec::new(), 0);
        while replies.len() < SMALL_CALLS_MAX && bytes + SMALL_PART_BYTES_MAX <= DATA_BYTES_MAX {
            let Poll::Ready(Some((held, reply))) = self.running.poll_next_unpin(cx) else { break };
            self.running_bytes -= held;
            if let Some(Outcome::Data(data)) = &reply.result {
                bytes += data.bytes.len();
            }
            replies.push(reply);
        }
        replies
    }
}

/// Payload bytes that a call brings, or will take away. What asks for more than is small is refused before it holds any.
fn payload(call: &pb::SmallCall) -> usize {
    match &call.action {
        Some(Action::Put(put)) => put.data.as_ref().map_or(0, |data| data.bytes.len()),
        Some(Action::Get(get)) => get.end.saturating_sub(get.start).min(SMALL_PART_BYTES_MAX as u64) as usize,
        None => 0,
    }
}

impl Stream for SmallCalls {
    type Item = Result<pb::SmallReplies, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Err(status) = self.accept(cx) {
            // The client has gone; so may its calls.
            self.is_ended = true;
            self.running.clear();
            return Poll::Ready(Some(Err(status)));
        }
        let replies = self.finished(cx);
        if !replies.is_empty() {
            return Poll::Ready(Some(Ok(pb::SmallReplies { replies })));
        }
        if self.is_ended && self.running.is_empty() { Poll::Ready(None) } else { Poll::Pending }
    }
}

impl Runner {
    async fn reply(self, call: pb::SmallCall) -> pb::SmallReply {
        let result = match call.action {
            Some(Action::Put(put)) => self.meters.small_put.observe(self.put(put)).await.map(Outcome::Receipt),
            Some(Action::Get(get)) => self.meters.small_get.observe(self.get(get)).await.map(Outcome::Data),
            None => Err(Error::Invalid("a small call of a kind that this node does not know".into())),
        };
        let result = result.unwrap_or_else(|error| Outcome::Failure((&error).into()));
        pb::SmallReply { id: call.id, result: Some(result) }
    }

    async fn put(&self, put: pb::SmallPut) -> Result<pb::Receipt, Error> {
        let part = part(&put.part)?;
        let bytes = required(put.data)?.open()?;
        if bytes.len() > SMALL_PART_BYTES_MAX {
            return Err(Error::Invalid("the part is not small".into()));
        }
        self.meters.small_put.moved(bytes.len());
        self.parts.put(part, Body::Whole(bytes)).await.map(pb::Receipt::from)
    }

    async fn get(&self, get: pb::GetRequest) -> Result<pb::Data, Error> {
        let (part, range) = asked(&get)?;
        if range.end - range.start > SMALL_PART_BYTES_MAX as u64 {
            return Err(Error::Invalid("the range is not small".into()));
        }
        let bytes = self.parts.get(part, range).await?.collect(SMALL_PART_BYTES_MAX).await?;
        self.meters.small_get.moved(bytes.len());
        Ok(pb::Data::seal(bytes))
    }
}
