//! What a node is told at its start.

use std::{fmt, io, path::PathBuf, sync::Arc};

use base::{NodeId, limits};

/// How a node is to work.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder, on the disk that is to keep the parts. It is made if its parent exists.
    pub dir: PathBuf,
    /// Who the node is. A fresh folder becomes this node's; a folder of another one is refused. `None` takes whatever
    /// node the folder holds, and refuses a fresh one.
    pub node: Option<NodeId>,
    /// Bytes that the node may fill, below what the file system has. `None`: all of it.
    pub capacity: Option<u64>,
    /// Bytes that stay free on the file system: a put that would go below is refused with `Full`, while deletes and
    /// compaction, which free space, may use them.
    pub reserve_bytes: u64,
    /// Parts that the node keeps at most, since each costs about 64 bytes of memory. A put beyond is refused with `Full`.
    pub parts_max: u64,
    /// Bytes at which a segment is sealed and the next one begun; at most 1 GiB.
    pub segment_bytes: u64,
    /// Bytes by which the active segment is allocated ahead.
    pub allocate_bytes: u64,
    /// Parts at most this long go to segments, longer ones to a file each; at most 1 MiB.
    pub small_part_bytes_max: usize,
    /// Blocking jobs (reads that miss the cache, writes of large parts) that run at once. More wait.
    pub io_jobs_max: usize,
    /// Failures to inject, for tests.
    pub faults: Faults,
}

impl Options {
    /// The usual values for a node in `dir`.
    pub fn new(dir: impl Into<PathBuf>, node: Option<NodeId>) -> Self {
        Self {
            dir: dir.into(),
            node,
            capacity: None,
            reserve_bytes: 256 << 20,
            parts_max: 32 << 20,
            segment_bytes: 256 << 20,
            allocate_bytes: 16 << 20,
            small_part_bytes_max: limits::SMALL_PART_BYTES_MAX,
            io_jobs_max: 32,
            faults: Faults::default(),
        }
    }

    /// What is wrong with the numbers, if anything is.
    pub(crate) fn complaint(&self) -> Option<&'static str> {
        if self.segment_bytes == 0 || self.segment_bytes > 1 << 30 {
            return Some("segment_bytes must be 1 to 1 GiB");
        }
        if self.small_part_bytes_max > 1 << 20 {
            return Some("small_part_bytes_max must be at most 1 MiB");
        }
        (self.io_jobs_max == 0).then_some("io_jobs_max must not be 0")
    }
}

/// A step in which a disk can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Writing records to the active segment.
    SegmentWrite,
    /// Syncing it.
    SegmentSync,
    /// Writing a part file.
    PartWrite,
    /// Syncing it.
    PartSync,
    /// Syncing a folder after a file in it came or went.
    FolderSync,
    /// Reading.
    Read,
}

/// Failures to inject: a function that is asked before each step of the disk, and whose error then stands for the
/// disk's. The default injects nothing.
#[derive(Clone, Default)]
pub struct Faults(Option<Arc<dyn Fn(Step) -> io::Result<()> + Send + Sync>>);

impl Faults {
    /// Asks `fault` before each step.
    pub fn new(fault: impl Fn(Step) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(fault)))
    }

    pub(crate) fn check(&self, step: Step) -> io::Result<()> {
        self.0.as_ref().map_or(Ok(()), |fault| fault(step))
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Faults(some)" } else { "Faults(none)" })
    }
}
