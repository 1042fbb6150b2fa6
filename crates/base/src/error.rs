//! The closed list of error kinds.

use std::fmt;

/// What went wrong, as far as a caller can act on it.
///
/// Every domain error maps to one of these with a total match; every protocol maps these to its own wire form with one
/// small table. Adding a kind therefore does not compile until each protocol has decided what its clients see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The thing does not exist, or the caller may not know that it does.
    NotFound,
    /// Something of that name or id exists already.
    Exists,
    /// The request can never succeed as it is.
    Invalid,
    /// No proof, or no valid proof, of who is asking.
    Unauthenticated,
    /// Known who is asking, and they may not.
    Denied,
    /// The state of the thing does not allow this now.
    Conflict,
    /// A condition that the caller stated does not hold.
    Precondition,
    /// More bytes, entries or depth than a limit allows.
    TooLarge,
    /// A byte range that the thing does not have.
    Range,
    /// The plan or the disk has no room left.
    Quota,
    /// Too many requests; later may work.
    Throttled,
    /// A part of the system cannot be reached now; later may work.
    Unavailable,
    /// A defect or a fault that the caller cannot act on.
    Internal,
}

impl ErrorKind {
    /// The kind's name in kebab case, as it stands in logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::Exists => "exists",
            Self::Invalid => "invalid",
            Self::Unauthenticated => "unauthenticated",
            Self::Denied => "denied",
            Self::Conflict => "conflict",
            Self::Precondition => "precondition",
            Self::TooLarge => "too-large",
            Self::Range => "range",
            Self::Quota => "quota",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
