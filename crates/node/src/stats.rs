//! Counts of what a node holds and did.

use std::sync::atomic::Ordering::Relaxed;

use crate::shared::Shared;

/// A node in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Live parts.
    pub parts: u64,
    /// Their bytes.
    pub part_bytes: u64,
    /// Those of them that are files of their own.
    pub part_files: u64,
    /// Segment files.
    pub segments: u64,
    /// Their bytes, without what is allocated ahead.
    pub segment_bytes: u64,
    /// Bytes of segments that compaction could free.
    pub dead_bytes: u64,
    /// Commits since the start: each at most one write and one sync of a segment.
    pub commits: u64,
    /// Requests that these commits carried.
    pub commit_requests: u64,
    /// Bytes of unfinished writes that the start dropped.
    pub torn_bytes: u64,
    /// Bytes that the start found damaged, in segments and in trailers.
    pub damaged_bytes: u64,
    /// Reads since the start that found damage.
    pub damaged_reads: u64,
}

impl Stats {
    pub(crate) fn of(shared: &Shared) -> Self {
        let (index, counters) = (shared.index.read(), &shared.counters);
        Self {
            parts: index.part_count(),
            part_bytes: index.part_bytes(),
            part_files: index.file_count(),
            segments: index.segments.len() as u64,
            segment_bytes: index.segment_bytes(),
            dead_bytes: index.dead_bytes(),
            commits: counters.commits.load(Relaxed),
            commit_requests: counters.commit_requests.load(Relaxed),
            torn_bytes: counters.torn_bytes.load(Relaxed),
            damaged_bytes: counters.damaged_bytes.load(Relaxed),
            damaged_reads: counters.damaged_reads.load(Relaxed),
        }
    }
}
