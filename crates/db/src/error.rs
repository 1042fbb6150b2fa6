//! What can go wrong between Holdfast and its database.

use base::ErrorKind;

/// A failed call of the database, the same for both engines.
///
/// It is `Clone` because one failed commit is the answer to every unit of work that it carried. The texts are for
/// logs: they never contain the values of a statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A row with these values exists already.
    #[error("a row of `{constraint}` with the same {detail} exists already")]
    Unique {
        /// The table, the same word on both engines; for a partition its parent table.
        constraint: String,
        /// The columns, separated by `, `; for an index over expressions, the index's name.
        detail: String,
    },
    /// A row refers to one that does not exist, or one is removed that others refer to.
    #[error("a row refers to one that does not exist, or is still referred to")]
    ForeignKey,
    /// The database cannot be reached or cannot serve now. Nothing of the unit of work is there.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The connection or the disk failed while the commit was under way: the unit of work may be there or not. Whoever
    /// repeats it must be idempotent.
    #[error("the outcome of a commit is not known: {0}")]
    CommitUnknown(String),
    /// The disk under the database is full. Nothing of the unit of work is there.
    #[error("the disk under the database is full")]
    Full,
    /// The schema is not the one that this program needs.
    #[error("{0}")]
    Schema(String),
    /// A value or the number of rows is not what the caller asked for.
    #[error("unexpected shape of data: {0}")]
    Shape(String),
    /// PostgreSQL gave up the unit of work for another one (deadlock, lock time-out, serialisation). Repeating helps.
    #[error("the database gave up this unit of work for another one: {0}")]
    Conflict(String),
    /// A defect: a wrong statement, a panic, a broken rule of this crate.
    #[error("database: {0}")]
    Internal(String),
}

impl Error {
    /// The error as a caller sees it who does not know better.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Unique { .. } => ErrorKind::Exists,
            Self::ForeignKey => ErrorKind::Conflict,
            Self::Unavailable(_) | Self::CommitUnknown(_) | Self::Schema(_) | Self::Conflict(_) => {
                ErrorKind::Unavailable
            }
            Self::Full => ErrorKind::Quota,
            Self::Shape(_) | Self::Internal(_) => ErrorKind::Internal,
        }
    }

    /// Whether this is [`Error::Unique`] of this table.
    pub fn is_unique(&self, table: &str) -> bool {
        matches!(self, Self::Unique { constraint, .. } if constraint == table)
    }

    pub(crate) fn closed() -> Self {
        Self::Unavailable("it was closed".to_owned())
    }
}
