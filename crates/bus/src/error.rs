//! What can go wrong with jobs.

use base::ErrorKind;

/// Why an operation on jobs failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The lease ran out, and the job may be somebody else's by now: drop the work.
    #[error("the lease of the job was lost")]
    LeaseLost,
    /// There is no such job, or it is not in the state that the operation needs.
    #[error("there is no such job")]
    JobUnknown,
    /// What a job of this kind does must be done.
    #[error("jobs of the kind `{0}` must be done, and cannot be cancelled; retry it when its cause is gone")]
    NotCancellable(String),
    /// A payload could not be written as JSON, or not be read as what the handler expects.
    #[error("the payload of the job is not what it should be")]
    Payload(#[from] serde_json::Error),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] db::Error),
}

impl Error {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::LeaseLost | Self::NotCancellable(_) => ErrorKind::Conflict,
            Self::JobUnknown => ErrorKind::NotFound,
            Self::Payload(_) => ErrorKind::Internal,
            Self::Database(error) => error.kind(),
        }
    }

    /// The stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::LeaseLost => "lease-lost",
            Self::JobUnknown => "job-not-found",
            Self::NotCancellable(_) => "job-not-cancellable",
            Self::Payload(_) => "internal",
            Self::Database(error) => error.kind().as_str(),
        }
    }
}
