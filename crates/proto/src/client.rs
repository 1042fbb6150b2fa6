//! A storage server in another process, as [`Parts`].

use std::{
    fmt,
    ops::Range,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use base::{
    NodeId, PartId,
    limits::{MESSAGE_BYTES_MAX, SMALL_PART_BYTES_MAX},
};
use futures::TryFutureExt;
use tokio::time::timeout;
use tonic::{Response, Status, transport::Channel};

use self::{dial::Dial, small::Small};
use crate::{
    Body, ClusterSecret, Error, Health, PartInfo, Parts, Receipt, TraceParent,
    meter::{Meters, Side},
    pb::node::{self as pb, parts_client::PartsClient},
    trace::request,
    wire::{from_status, part_bytes, required},
};

mod dial;
mod get;
mod put;
mod small;

/// Connections for streams of bytes. One connection is one core's work on either side; two keep up with a fast network.
const BULK_CONNECTIONS: usize = 2;

/// Parts of one `Delete` and of one `List` page: a message that is worked off well within the progress deadline.
const DELETE_PARTS_MAX: usize = 4096;
const LIST_PARTS_MAX: u32 = 16_384;

/// How a client of storage servers behaves.
#[derive(Clone)]
pub struct RemoteOptions {
    /// How long a connection may take to be made and to introduce itself.
    pub connect: Duration,
    /// How long the node may take for the next step (accept bytes, give bytes, answer) before it counts as unavailable.
    pub progress: Duration,
    /// How often a connection is probed, and how long the answer may take; a connection that fails this is closed.
    pub keep_alive: Duration,
    /// Where traces come from; without it no trace crosses the wire.
    pub trace: Option<TraceParent>,
}

impl Default for RemoteOptions {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            progress: Duration::from_secs(10),
            keep_alive: Duration::from_secs(5),
            trace: None,
        }
    }
}

/// A storage server in another process.
///
/// It holds two connections for bodies, and one for everything short, so that small calls are never behind large
/// bodies. Connections are made at the first use and again when they broke; a node that was found down is not tried
/// again for a moment, so that its callers fail at once. Puts and gets up to [`SMALL_PART_BYTES_MAX`] share messages,
/// many to one.
///
/// Nothing is retried here: the caller knows whether another node will do. All errors of the way are
/// [`Error::Unavailable`].
pub struct RemoteParts {
    address: String,
    bulk: [Channel; BULK_CONNECTIONS],
    turn: AtomicUsize,
    control: PartsClient<Channel>,
    small: Small,
    options: RemoteOptions,
    meters: Meters,
}

impl RemoteParts {
    /// A client of the node at `address` (host and port). If `expected` is given, another node that answers there is an
    /// error ([`Error::Invalid`]). Makes no connection yet; must be called within a Tokio runtime.
    pub fn connect_lazy(
        address: &str,
        expected: Option<NodeId>,
        secret: &ClusterSecret,
        options: RemoteOptions,
    ) -> Self {
        let dial = Dial::new(address, expected, secret, &options);
        let bulk = std::array::from_fn(|_| dial.channel());
        let control = client(dial.channel());
        let meters = Meters::new(Side::Client);
        let small = Small::new(control.clone(), options.clone(), meters.clone());
        Self { address: address.to_owned(), bulk, turn: AtomicUsize::new(0), control, small, options, meters }
    }

    /// Where the node is expected, as it was given.
    pub fn address(&self) -> &str {
        &self.address
    }

    fn bulk(&self) -> Channel {
        self.bulk[self.turn.fetch_add(1, Ordering::Relaxed) % BULK_CONNECTIONS].clone()
    }

    fn request<T>(&self, message: T) -> tonic::Request<T> {
        request(message, self.options.trace.as_ref())
    }

    /// One step of the node, within the progress deadline.
    async fn step<T>(&self, call: impl Future<Output = Result<T, Status>>) -> Result<T, Error> {
        within(self.options.progress, call.map_err(|status| from_status(&status))).await
    }
}

fn client(channel: Channel) -> PartsClient<Channel> {
    PartsClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX).max_encoding_message_size(MESSAGE_BYTES_MAX)
}

async fn within<T>(limit: Duration, step: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    timeout(limit, step).await.unwrap_or_else(|_| Err(silent(limit)))
}

fn silent(limit: Duration) -> Error {
    Error::Unavailable(format!("no progress for {} ms", limit.as_millis()))
}

#[async_trait]
impl Parts for RemoteParts {
    async fn put(&self, part: PartId, body: Body) -> Result<Receipt, Error> {
        match body {
            Body::Whole(bytes) if bytes.len() <= SMALL_PART_BYTES_MAX => self.small.put(part, bytes).await,
            body => self.meters.put.observe(self.put_stream(part, body)).await,
        }
    }

    async fn get(&self, part: PartId, range: Range<u64>) -> Result<Body, Error> {
        if range.end.saturating_sub(range.start) <= SMALL_PART_BYTES_MAX as u64 {
            return self.small.get(part, range).await.map(Body::Whole);
        }
        self.meters.get.observe(self.get_stream(part, range)).await
    }

    async fn delete(&self, parts: &[PartId]) -> Result<(), Error> {
        let all = async {
            for chunk in parts.chunks(DELETE_PARTS_MAX) {
                let message = pb::DeleteRequest { parts: chunk.iter().copied().map(part_bytes).collect() };
                let mut client = self.control.clone();
                self.step(client.delete(self.request(message))).await?;
            }
            Ok(())
        };
        self.meters.delete.observe(all).await
    }

    async fn list(&self, after: Option<PartId>, limit: u32) -> Result<Vec<PartInfo>, Error> {
        let all = async {
            let mut found: Vec<PartInfo> = Vec::new();
            loop {
                let wanted = (limit - found.len() as u32).min(LIST_PARTS_MAX);
                let after = found.last().map(|info| info.part).or(after);
                let message = pb::ListRequest { after: after.map(part_bytes).unwrap_or_default(), limit: wanted };
                let page = self.step(client(self.bulk()).list(self.request(message))).await?.into_inner().parts;
                let count = page.len() as u32;
                if count > wanted {
                    return Err(Error::Invalid("a listing is longer than asked for".into()));
                }
                for info in page {
                    let info = PartInfo::try_from(info)?;
                    if after.is_some_and(|after| info.part <= after)
                        || found.last().is_some_and(|l| info.part <= l.part)
                    {
                        return Err(Error::Invalid("a listing is out of order".into()));
                    }
                    found.push(info);
                }
                if count < wanted || found.len() as u32 == limit {
                    return Ok(found);
                }
            }
        };
        self.meters.list.observe(all).await
    }

    async fn verify(&self, part: PartId) -> Result<Receipt, Error> {
        let call = async {
            let message = pb::VerifyRequest { part: part_bytes(part) };
            let mut client = self.control.clone();
            let mut beats = self.step(client.verify(self.request(message))).await.map(Response::into_inner)?;
            loop {
                if let Some(receipt) = required(self.step(beats.message()).await?)?.receipt {
                    return Ok(receipt.into());
                }
            }
        };
        self.meters.verify.observe(call).await
    }

    async fn health(&self) -> Result<Health, Error> {
        let call = async {
            let mut client = self.control.clone();
            self.step(client.health(self.request(pb::HealthRequest {}))).await?.into_inner().try_into()
        };
        self.meters.health.observe(call).await
    }
}

impl fmt::Debug for RemoteParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteParts").field("address", &self.address).finish_non_exhaustive()
    }
}
