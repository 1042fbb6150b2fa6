//! What this crate refuses.

use base::ErrorKind;

/// A refusal of this crate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A layout that this version cannot cut or read.
    #[error("no such layout: {0}")]
    Layout(&'static str),
    /// A byte range that does not lie within the extent.
    #[error("the range does not lie within the extent's {total} bytes")]
    Range {
        /// Bytes of the extent.
        total: u64,
    },
    /// Units that do not fit each other or the codec: a defect of the caller, or a unit of the wrong length.
    #[error("units do not fit: {0}")]
    Shape(&'static str),
    /// Fewer units than data parts: the lost ones cannot be rebuilt.
    #[error("{present} units are present, {needed} are needed to rebuild the others")]
    TooFewUnits {
        /// Units that are there.
        present: usize,
        /// Units that it takes.
        needed: usize,
    },
    /// The bytes are not a manifest of a version that this program reads.
    #[error("the manifest is damaged: {0}")]
    Manifest(&'static str),
    /// The nodes cannot hold the parts so that the promised number of them may be lost.
    #[error("{present} nodes are there, {needed} are needed")]
    TooFewNodes {
        /// Nodes that may take parts.
        present: usize,
        /// Nodes that it takes.
        needed: usize,
    },
    /// The bytes are not a saved hash state of a version that this program reads.
    #[error("the saved hash state is damaged: {0}")]
    HashState(&'static str),
}

impl Error {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Layout(_) => ErrorKind::Invalid,
            Self::Range { .. } => ErrorKind::Range,
            Self::TooFewUnits { .. } | Self::TooFewNodes { .. } => ErrorKind::Unavailable,
            Self::Shape(_) | Self::Manifest(_) | Self::HashState(_) => ErrorKind::Internal,
        }
    }

    /// The refusal's stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Layout(_) => "layout-unknown",
            Self::Range { .. } => "range-outside-extent",
            Self::Shape(_) => "units-do-not-fit",
            Self::TooFewUnits { .. } => "too-few-parts",
            Self::Manifest(_) => "manifest-damaged",
            Self::TooFewNodes { .. } => "too-few-nodes",
            Self::HashState(_) => "hash-state-damaged",
        }
    }
}
