//! What can go wrong with the journal.

use base::ErrorKind;

/// Why the journal could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such space.
    #[error("there is no such space")]
    SpaceUnknown,
    /// The cursor is of another epoch, or of a part of the journal that is gone: begin anew.
    #[error("the cursor cannot be continued; begin again without one")]
    CursorGone,
    /// A row is not what it was when it was written: numbers with a hole, or text that is no JSON.
    #[error("the journal is damaged at {at}")]
    Damaged {
        /// Where.
        at: u64,
    },
    /// The state of an entry could not be written as JSON.
    #[error("the state of an entry is no JSON")]
    State(#[from] serde_json::Error),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] db::Error),
}

impl Error {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::SpaceUnknown => ErrorKind::NotFound,
            // The page that the client asks for is no more; the edge answers 410 by the code.
            Self::CursorGone => ErrorKind::Precondition,
            Self::Damaged { .. } | Self::State(_) => ErrorKind::Internal,
            Self::Database(error) => error.kind(),
        }
    }

    /// The stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::SpaceUnknown => "space-not-found",
            Self::CursorGone => "cursor-gone",
            Self::Damaged { .. } | Self::State(_) => "internal",
            Self::Database(error) => error.kind().as_str(),
        }
    }
}
