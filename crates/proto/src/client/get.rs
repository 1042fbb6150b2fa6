//! Receives a long range of a part: pulled from the node only as fast as the caller takes it.

use std::{ops::Range, time::Duration};

use base::PartId;
use bytes::Bytes;
use futures::{StreamExt, stream};
use tonic::body;

use super::{RemoteParts, within};
use crate::{
    Body, Error,
    bulk::{self, Chunks, Reader},
    meter::Meter,
    pb::node as pb,
    trace::metadata,
    wire::part_bytes,
};

impl RemoteParts {
    pub(super) async fn get_stream(&self, part: PartId, range: Range<u64>) -> Result<Body, Error> {
        let message = pb::GetRequest { part: part_bytes(part), start: range.start, end: range.end };
        let asked = stream::iter([bulk::whole(&message)]);
        let call = bulk::call(self.bulk(), bulk::GET, metadata(self.options.trace.as_ref()), asked);
        let inbound = within(self.options.progress, call).await?;
        let incoming = Incoming {
            inbound,
            checked: Chunks::default(),
            left: range.end - range.start,
            progress: self.options.progress,
            meter: self.meters.get.clone(),
        };
        let pieces = stream::unfold(Some(incoming), |incoming| async move {
            let mut incoming = incoming?;
            match incoming.next().await {
                Ok(Some(piece)) => Some((Ok(piece), Some(incoming))),
                Ok(None) => None,
                Err(error) => {
                    incoming.meter.failed(&error);
                    Some((Err(error), None))
                }
            }
        });
        Ok(Body::Stream(pieces.boxed()))
    }
}

struct Incoming {
    inbound: Reader<body::Body>,
    /// What is left of a message.
    checked: Chunks,
    /// Bytes of the range that have not come yet.
    left: u64,
    progress: Duration,
    meter: Meter,
}

impl Incoming {
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if let Some(piece) = self.checked.pop() {
                return Ok(Some(piece));
            }
            // After the last byte too: the end of the stream says that all was well.
            let Some(message) = within(self.progress, self.inbound.next()).await? else {
                return if self.left == 0 { Ok(None) } else { Err(Error::Unavailable("the bytes ended early".into())) };
            };
            self.checked = bulk::payload(message)?;
            self.left = self
                .left
                .checked_sub(self.checked.len() as u64)
                .ok_or_else(|| Error::Invalid("more bytes than asked for".into()))?;
            self.meter.moved(self.checked.len());
        }
    }
}
