//! Why a node does not start, stop or compact.

use std::{io, path::PathBuf};

use base::{ErrorKind, NodeId, PartId};

/// What can go wrong with a node as a whole; what goes wrong with one part is a [`proto::Error`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process, or another node of this one, has the folder open.
    #[error("{} is in use by another node: stop it, or give this one a folder of its own", dir.display())]
    Locked {
        /// The folder.
        dir: PathBuf,
    },
    /// The folder holds no node, and none was to be made.
    #[error("{} does not hold a node: its disk may not be mounted", dir.display())]
    Missing {
        /// The folder.
        dir: PathBuf,
    },
    /// The folder holds other things, and no node.
    #[error("{} is not empty and does not hold a node: found `{found}`; a new node needs an empty folder", dir.display())]
    Occupied {
        /// The folder.
        dir: PathBuf,
        /// Something in it.
        found: String,
    },
    /// The folder belongs to another node: two folders were swapped.
    #[error("{} belongs to {found}, not to {expected}: the folders or disks of two nodes were swapped", dir.display())]
    OtherNode {
        /// The folder.
        dir: PathBuf,
        /// Whose it should be.
        expected: NodeId,
        /// Whose it is.
        found: NodeId,
    },
    /// A file of the folder is of a form that this version does not read, or not a node's at all.
    #[error("{} cannot be used: {why}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The options contradict each other.
    #[error("the node's options make no sense: {0}")]
    Options(&'static str),
    /// The operating system refused.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// What was being done, such as "reading".
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The refusal.
        source: io::Error,
    },
    /// Compaction found a record that it cannot copy. Its segment stays as it is.
    #[error("segment {segment} is kept, since it cannot be copied whole: {why}")]
    Kept {
        /// The segment.
        segment: u32,
        /// The part whose record is bad, where one is known.
        part: Option<PartId>,
        /// What is wrong.
        why: String,
    },
    /// Compaction could not write: the disk is full or suspect, or the node was closed.
    #[error(transparent)]
    Parts(#[from] proto::Error),
}

impl Error {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Missing { .. } => ErrorKind::NotFound,
            Self::Locked { .. } => ErrorKind::Unavailable,
            Self::Occupied { .. } | Self::OtherNode { .. } => ErrorKind::Conflict,
            Self::Options(_) => ErrorKind::Invalid,
            Self::Format { .. } | Self::Io { .. } | Self::Kept { .. } => ErrorKind::Internal,
            Self::Parts(error) => error.kind(),
        }
    }

    /// The error's stable name in logs and documentation.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "node-folder-locked",
            Self::Missing { .. } => "node-folder-missing",
            Self::Occupied { .. } => "node-folder-occupied",
            Self::OtherNode { .. } => "node-folder-of-another",
            Self::Format { .. } => "node-format-unknown",
            Self::Options(_) => "node-options-invalid",
            Self::Io { .. } => "node-disk-error",
            Self::Kept { .. } => "node-segment-kept",
            Self::Parts(_) => "node-not-writable",
        }
    }

    /// A closure that gives an error of the operating system its place.
    pub(crate) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.into(), source }
    }
}
