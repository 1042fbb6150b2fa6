//! Where every part is: the index in memory, a cache of what the disk says.

use std::{collections::BTreeMap, fs::File, ops::Bound, path::PathBuf, sync::Arc};

use base::PartId;
use proto::{PartInfo, Receipt};

use crate::{
    record::{self, SEGMENT_HEADER},
    trailer,
};

/// Where a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    /// In a record of a segment.
    Segment { segment: u32, offset: u32, length: u32, checksum: u64 },
    /// In a file of its own.
    File { length: u64, checksum: u64 },
}

impl Entry {
    pub(crate) fn receipt(&self) -> Receipt {
        match *self {
            Self::Segment { length, checksum, .. } => Receipt { length: length.into(), checksum },
            Self::File { length, checksum } => Receipt { length, checksum },
        }
    }
}

/// A segment file. Readers hold it while they read, so a compacted segment's bytes outlive its name.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) number: u32,
    pub(crate) file: File,
    pub(crate) path: PathBuf,
}

/// What the node knows of a segment.
#[derive(Debug)]
pub(crate) struct SegmentState {
    pub(crate) segment: Arc<Segment>,
    /// Where its last record ends.
    pub(crate) end: u64,
    /// Bytes of records that the index points to.
    pub(crate) live: u64,
    /// Bytes of tombstones.
    pub(crate) tombstones: u64,
    /// Nothing is appended any more, and its hint file was written or given up.
    pub(crate) is_settled: bool,
    /// What `live` was when compaction had to keep the segment; it is not tried again until that has changed.
    pub(crate) refused_at: Option<u64>,
}

impl SegmentState {
    pub(crate) fn new(segment: Arc<Segment>) -> Self {
        let end = SEGMENT_HEADER as u64;
        Self { segment, end, live: 0, tombstones: 0, is_settled: false, refused_at: None }
    }

    /// Bytes that compaction would free. `needs_tombstones`: an older segment may hold what they hide.
    pub(crate) fn dead(&self, needs_tombstones: bool) -> u64 {
        let kept = self.live + if needs_tombstones { self.tombstones } else { 0 };
        (self.end - SEGMENT_HEADER as u64).saturating_sub(kept)
    }
}

/// All parts and segments of a node.
#[derive(Debug, Default)]
pub(crate) struct Index {
    parts: BTreeMap<PartId, Entry>,
    pub(crate) segments: BTreeMap<u32, SegmentState>,
    part_bytes: u64,
    files: u64,
    file_bytes: u64,
}

impl Index {
    pub(crate) fn get(&self, part: PartId) -> Option<Entry> {
        self.parts.get(&part).copied()
    }

    /// The part's entry, and the segment it is in.
    pub(crate) fn find(&self, part: PartId) -> Option<(Entry, Option<Arc<Segment>>)> {
        let entry = self.get(part)?;
        let segment = match entry {
            Entry::Segment { segment, .. } => Some(Arc::clone(&self.segments.get(&segment)?.segment)),
            Entry::File { .. } => None,
        };
        Some((entry, segment))
    }

    /// Lets `part` be at `entry` and nowhere else.
    pub(crate) fn set(&mut self, part: PartId, entry: Entry) {
        self.count(entry, true);
        if let Some(old) = self.parts.insert(part, entry) {
            self.count(old, false);
        }
    }

    pub(crate) fn remove(&mut self, part: PartId) {
        if let Some(old) = self.parts.remove(&part) {
            self.count(old, false);
        }
    }

    fn count(&mut self, entry: Entry, comes: bool) {
        let add = |sum: &mut u64, bytes: u64| *sum = if comes { *sum + bytes } else { *sum - bytes };
        add(&mut self.part_bytes, entry.receipt().length);
        match entry {
            Entry::Segment { segment, length, .. } => {
                if let Some(state) = self.segments.get_mut(&segment) {
                    add(&mut state.live, record::record_bytes(length));
                }
            }
            Entry::File { length, .. } => {
                add(&mut self.files, 1);
                add(&mut self.file_bytes, trailer::file_bytes(length));
            }
        }
    }

    pub(crate) fn list(&self, after: Option<PartId>, limit: usize) -> Vec<PartInfo> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let parts = self.parts.range((from, Bound::Unbounded)).take(limit);
        parts.map(|(&part, entry)| PartInfo { part, receipt: entry.receipt() }).collect()
    }

    /// Whether a segment older than this one exists, whose records tombstones of this one may hide.
    pub(crate) fn has_older(&self, number: u32) -> bool {
        self.segments.first_key_value().is_some_and(|(&first, _)| first < number)
    }

    /// Number of parts.
    pub(crate) fn part_count(&self) -> u64 {
        self.parts.len() as u64
    }

    /// Bytes of parts.
    pub(crate) fn part_bytes(&self) -> u64 {
        self.part_bytes
    }

    /// Number of parts that are files.
    pub(crate) fn file_count(&self) -> u64 {
        self.files
    }

    /// Bytes that segments and part files take on disk, but for what is allocated ahead and rounded up.
    pub(crate) fn disk_bytes(&self) -> u64 {
        self.segment_bytes() + self.file_bytes
    }

    /// Bytes of all segments.
    pub(crate) fn segment_bytes(&self) -> u64 {
        self.segments.values().map(|state| state.end).sum()
    }

    /// Bytes that compaction could free.
    pub(crate) fn dead_bytes(&self) -> u64 {
        self.segments.iter().map(|(&number, state)| state.dead(self.has_older(number))).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sample_part;

    #[test]
    fn an_entry_is_small() {
        // The option `parts_max` and the decision record count on this.
        assert_eq!(size_of::<(PartId, Entry)>(), 40);
    }

    #[test]
    fn replaced_and_removed_parts_are_dead_bytes() {
        let mut index = Index::default();
        for number in [1, 2] {
            let file = tempfile::tempfile().expect("file");
            let segment = Arc::new(Segment { number, file, path: PathBuf::new() });
            index.segments.insert(number, SegmentState { end: 40 + 1000, ..SegmentState::new(segment) });
        }
        let small = |segment, length| Entry::Segment { segment, offset: 40, length, checksum: 0 };
        index.set(sample_part(1), small(1, 100));
        index.set(sample_part(2), small(1, 100));
        let record = record::record_bytes(100);
        assert_eq!(index.segments[&1].live, 2 * record);
        index.set(sample_part(1), small(2, 300));
        assert_eq!((index.segments[&1].live, index.part_bytes(), index.part_count()), (record, 400, 2));
        index.set(sample_part(2), Entry::File { length: 5000, checksum: 0 });
        assert_eq!((index.segments[&1].live, index.file_count(), index.part_bytes()), (0, 1, 5300));
        index.remove(sample_part(1));
        index.remove(sample_part(2));
        index.remove(sample_part(3));
        assert_eq!((index.part_bytes(), index.part_count(), index.file_count()), (0, 0, 0));
        index.segments.get_mut(&2).expect("segment").tombstones = 56;
        assert_eq!(index.dead_bytes(), 1000 + 1000 - 56);
        assert!(index.has_older(2) && !index.has_older(1));
    }
}
