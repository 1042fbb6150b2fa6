//! The `Parts` contract: what a storage server does, whoever and wherever it is.
//!
//! Two implementations serve it in production: `node::Node` in the same process, and `RemoteParts` over gRPC.
//! The suite in `testkit::parts_suite` runs on both.

use std::{fmt, ops::Range};

use async_trait::async_trait;
use base::{ErrorKind, NodeId, PartId};
use bytes::Bytes;
use futures::{StreamExt, stream::BoxStream};

/// A storage server. Parts are immutable: one id always means the same bytes, so a put is an upsert.
#[async_trait]
pub trait Parts: Send + Sync + 'static {
    /// Keeps a part. When this returns `Ok`, bytes and name survive power loss; until then no reader sees the part.
    /// A part of that id that is already there is replaced in one step, and stays if this fails.
    ///
    /// # Errors
    /// [`Error::Full`] and [`Error::Suspect`] from the disk, [`Error::Body`] if `body` ended with an error.
    async fn put(&self, part: PartId, body: Body) -> Result<Receipt, Error>;

    /// Bytes `range` of a part. Every byte was checked against the node's checksums before it is yielded.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Range`] if `range` reaches beyond the part; [`Error::Damaged`] as the result or,
    /// where a later block is bad, as the last item of the stream.
    async fn get(&self, part: PartId, range: Range<u64>) -> Result<Body, Error>;

    /// Removes parts. Parts that are not there count as removed. Durable when it returns `Ok`.
    async fn delete(&self, parts: &[PartId]) -> Result<(), Error>;

    /// Up to `limit` parts with ids above `after`, in ascending order. A part that is being put is not among them.
    async fn list(&self, after: Option<PartId>, limit: u32) -> Result<Vec<PartInfo>, Error>;

    /// Reads a whole part back from the disk and checks it.
    ///
    /// # Errors
    /// [`Error::NotFound`] or [`Error::Damaged`].
    async fn verify(&self, part: PartId) -> Result<Receipt, Error>;

    /// Who and how well the node is. Cheap enough to ask every second.
    async fn health(&self) -> Result<Health, Error>;
}

/// The bytes of a part, or of a range of one, on their way.
pub enum Body {
    /// All of them, in memory.
    Whole(Bytes),
    /// A stream of non-empty pieces; an error ends it. Dropping it early stops the sender.
    Stream(BoxStream<'static, Result<Bytes, Error>>),
}

impl Body {
    /// The pieces one after another, whichever way they travel.
    pub fn into_stream(self) -> BoxStream<'static, Result<Bytes, Error>> {
        match self {
            Self::Whole(bytes) => futures::stream::iter((!bytes.is_empty()).then_some(Ok(bytes))).boxed(),
            Self::Stream(stream) => stream,
        }
    }

    /// All bytes in one buffer, for bodies whose length the caller knows to be small.
    ///
    /// # Errors
    /// The error that ended the stream; [`Error::Body`] if there are more than `max` bytes.
    pub async fn collect(self, max: usize) -> Result<Bytes, Error> {
        let mut stream = match self {
            Self::Whole(bytes) if bytes.len() <= max => return Ok(bytes),
            Self::Whole(_) => return Err(Error::Body("longer than expected".into())),
            Self::Stream(stream) => stream,
        };
        let mut all = Vec::new();
        while let Some(piece) = stream.next().await {
            let piece = piece?;
            if all.len() + piece.len() > max {
                return Err(Error::Body("longer than expected".into()));
            }
            all.extend_from_slice(&piece);
        }
        Ok(all.into())
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(bytes) => write!(f, "Whole({} bytes)", bytes.len()),
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}

/// What a node holds of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Bytes of the part.
    pub length: u64,
    /// CRC-64/NVME of its bytes ([`checksum`]).
    pub checksum: u64,
}

/// A part as a listing shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartInfo {
    /// The part.
    pub part: PartId,
    /// Its bytes and checksum as they were put.
    pub receipt: Receipt,
}

/// The checksum of a whole part: CRC-64/NVME, as S3 and NVMe use it.
pub fn checksum(bytes: &[u8]) -> u64 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, bytes)
}

/// How a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Which node answers; the marker file of its disk says so.
    pub node: NodeId,
    /// Bytes that the disk can still take for parts.
    pub free_bytes: u64,
    /// Bytes of the file system that holds the parts.
    pub total_bytes: u64,
    /// Bytes of live parts.
    pub part_bytes: u64,
    /// Number of live parts.
    pub part_count: u64,
    /// Identifies the file system, so that the cluster knows which nodes fail together.
    pub disk: String,
    /// Takes puts: not full, not suspect.
    pub writable: bool,
    /// Why it is not writable, for people.
    pub trouble: Option<String>,
}

/// Why a storage server did not do it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The node does not hold the part.
    #[error("part {0} is not on this node")]
    NotFound(PartId),
    /// The part is there, and its bytes do not match their checksums.
    #[error("part {0} is damaged: {1}")]
    Damaged(PartId, String),
    /// The range reaches beyond the end of the part.
    #[error("the range is not within part {0}")]
    Range(PartId),
    /// The disk has no room.
    #[error("the node has no room left")]
    Full,
    /// The disk failed a write or a sync; it takes no more until someone has looked at it.
    #[error("the node's disk is suspect: {0}")]
    Suspect(String),
    /// The body that was to be kept ended early, or was not what it said.
    #[error("the part's bytes ended early: {0}")]
    Body(String),
    /// The node cannot be reached, or stopped answering.
    #[error("the node does not answer: {0}")]
    Unavailable(String),
    /// The two sides do not know the same cluster secret.
    #[error("the node and this process do not share a cluster secret")]
    Unauthenticated,
    /// The message made no sense to the other side.
    #[error("the node refused the message: {0}")]
    Invalid(String),
}

impl Error {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::Damaged(..) => ErrorKind::Internal,
            Self::Range(_) => ErrorKind::Range,
            Self::Full => ErrorKind::Quota,
            Self::Suspect(_) | Self::Unavailable(_) => ErrorKind::Unavailable,
            Self::Body(_) | Self::Invalid(_) => ErrorKind::Invalid,
            Self::Unauthenticated => ErrorKind::Unauthenticated,
        }
    }
}
