//! Receives a long range of a part: pulled from the node only as fast as the caller takes it.

use std::{ops::Range, time::Duration};

use base::PartId;
use bytes::Bytes;
use futures::{StreamExt, stream};
use tonic::Streaming;

use super::{RemoteParts, step};
use crate::{Body, Error, meter::Meter, pb::node as pb, wire::part_bytes};

impl RemoteParts {
    pub(super) async fn get_stream(&self, part: PartId, range: Range<u64>) -> Result<Body, Error> {
        let message = pb::GetRequest { part: part_bytes(part), start: range.start, end: range.end };
        let mut client = self.bulk();
        let inbound = self.step(client.get(self.request(message))).await?.into_inner();
        let incoming = Incoming {
            inbound,
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
    inbound: Streaming<pb::Data>,
    /// Bytes of the range that have not come yet.
    left: u64,
    progress: Duration,
    meter: Meter,
}

impl Incoming {
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        // After the last byte too: the end of the stream says that all was well.
        loop {
            let Some(data) = step(self.progress, self.inbound.message()).await? else {
                return if self.left == 0 { Ok(None) } else { Err(Error::Unavailable("the bytes ended early".into())) };
            };
            let bytes = data.open()?;
            if bytes.is_empty() {
                continue;
            }
            self.left = self
                .left
                .checked_sub(bytes.len() as u64)
                .ok_or_else(|| Error::Invalid("more bytes than asked for".into()))?;
            self.meter.moved(bytes.len());
            return Ok(Some(bytes));
        }
    }
}
