//! What can go wrong with a distributed file.

use base::ErrorKind;

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Too few nodes are up to place the parts of a new file.
    #[error("{live} storage servers can take parts now, {wanted} are needed")]
    TooFewNodes {
        /// Nodes that answer and are writable.
        live: usize,
        /// Nodes that a file needs.
        wanted: usize,
    },
    /// Nodes failed while the parts were written, and too few parts became durable.
    #[error("the storage servers did not take the file")]
    WriteFailed(#[source] proto::Error),
    /// Too few parts can be read now; they may be back later.
    #[error("too many of the file's parts cannot be reached now")]
    Unreachable(#[source] proto::Error),
    /// Too few intact parts are left. The bytes are never served in this state.
    #[error("too many of the file's parts are damaged or gone")]
    Lost(#[source] proto::Error),
    /// The process has too many bytes in flight and the wait was too long.
    #[error("too many transfers are under way")]
    Busy,
    /// The clean-up took the write for dead, because it was not renewed in time.
    #[error("the write took longer than its lease")]
    IntentGone,
    /// No such content.
    #[error("no such content")]
    NoContent,
    /// The range is not within the content.
    #[error("the range is not within the content")]
    Range,
    /// No such node.
    #[error("no such storage server")]
    NoNode,
    /// The node still holds parts that are needed.
    #[error("the storage server still holds {parts} parts that are needed")]
    NodeNotEmpty {
        /// How many.
        parts: u64,
    },
    /// The node lives, so its parts need not be given up.
    #[error("the storage server still gives signs of life")]
    NodeLive,
    /// A manifest that does not make sense: damage in the database.
    #[error("a manifest is malformed")]
    Manifest(#[from] stripe::Error),
    /// A job could not be queued.
    #[error(transparent)]
    Jobs(#[from] bus::Error),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] db::Error),
}

impl Error {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::TooFewNodes { .. } | Self::WriteFailed(_) | Self::Unreachable(_) | Self::Busy => {
                ErrorKind::Unavailable
            }
            Self::Lost(_) | Self::Manifest(_) => ErrorKind::Internal,
            Self::IntentGone | Self::NodeNotEmpty { .. } | Self::NodeLive => ErrorKind::Conflict,
            Self::NoContent | Self::NoNode => ErrorKind::NotFound,
            Self::Range => ErrorKind::Range,
            Self::Jobs(error) => error.kind(),
            Self::Db(error) => error.kind(),
        }
    }

    /// The stable code of the condition.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooFewNodes { .. } => "too-few-nodes",
            Self::WriteFailed(_) => "storage-write-failed",
            Self::Unreachable(_) => "storage-unreachable",
            Self::Lost(_) => "content-damaged",
            Self::Busy => "busy",
            Self::IntentGone => "write-expired",
            Self::NoContent => "not-found",
            Self::Range => "range-not-satisfiable",
            Self::NoNode => "not-found",
            Self::NodeNotEmpty { .. } => "node-not-empty",
            Self::NodeLive => "node-live",
            Self::Manifest(_) => "internal",
            Self::Jobs(error) => error.code(),
            Self::Db(error) => match error {
                db::Error::Full => "database-full",
                db::Error::Unavailable(_)
                | db::Error::CommitUnknown(_)
                | db::Error::Schema(_)
                | db::Error::Conflict(_) => "database-unavailable",
                _ => "internal",
            },
        }
    }
}
