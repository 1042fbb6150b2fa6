//! Compaction: gives back the space of deleted and replaced parts.
//!
//! The live records of the segment with most dead bytes are copied to the active one by the writer, which looks again
//! at that moment whether each still counts. When the index points into the old segment no more, its file is removed;
//! reads that are under way hold it open. A segment with anything in it that cannot be read and may still matter stays.

use std::{fs, sync::Arc};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    Error, Node,
    folder::sync_dir,
    index::{Entry, Segment},
    record::{Kind, SEGMENT_HEADER},
    scan::{Found, Item, Scanner, read_record},
    shared::Shared,
    writer::{Record, Work},
};

/// Bytes of live records in memory at once.
const COPY_BYTES: u64 = 1 << 20;

/// What one compaction did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compacted {
    /// Number of the segment that is gone.
    pub segment: u32,
    /// Records copied out of it.
    pub copied_records: u64,
    /// Bytes of these.
    pub copied_bytes: u64,
    /// Bytes of the segment.
    pub freed_bytes: u64,
}

/// What one step read of the segment.
struct Chunk {
    scanner: Scanner,
    live: Vec<(Found, Record)>,
    bad_bytes: u64,
    is_end: bool,
}

impl Node {
    /// Compacts the sealed segment with most to give, if more than half of one is dead. Call it again and again, with
    /// pauses that leave the disk to others. Only one compaction runs at a time; a second call answers `None`.
    ///
    /// # Errors
    /// [`Error::Kept`] if the segment holds a live record that cannot be read, or damage that may hide a tombstone:
    /// nothing is lost then, and the segment is left alone until its live records become fewer. [`Error::Parts`] if the
    /// disk is full or suspect.
    pub async fn compact_once(&self) -> Result<Option<Compacted>, Error> {
        self.shared().admit_open()?;
        self.shared().admit()?;
        let Ok(_alone) = Arc::clone(self.compacting()).try_lock_owned() else { return Ok(None) };
        let Some((segment, end)) = candidate(self.shared()) else { return Ok(None) };
        let result = self.compact(&segment, end).await;
        if matches!(result, Err(Error::Kept { .. }))
            && let Some(state) = self.shared().index.write().segments.get_mut(&segment.number)
        {
            state.refused_at = Some(state.live);
        }
        result.map(Some)
    }

    async fn compact(&self, segment: &Arc<Segment>, end: u64) -> Result<Compacted, Error> {
        let number = segment.number;
        let (mut copied_records, mut copied_bytes, mut bad_bytes) = (0, 0, 0);
        let mut scanner = Scanner::new(Arc::clone(segment), self.shared().folder.marker.disk, end);
        loop {
            let (shared, from) = (Arc::clone(self.shared()), Arc::clone(segment));
            let chunk = self.pool().run(move || Ok(read_chunk(&shared, &from, scanner))).await??;
            bad_bytes += chunk.bad_bytes;
            let moves = chunk.live.into_iter().map(|(found, record)| {
                let from = (record.kind == Kind::Put).then_some(Entry::Segment {
                    segment: number,
                    offset: found.offset as u32,
                    length: found.header.length,
                    checksum: found.header.checksum,
                });
                copied_records += 1;
                copied_bytes += found.header.record_bytes();
                self.submit(Work::Move { record, from })
            });
            let moves: Vec<_> = moves.collect();
            stream::iter(moves).buffer_unordered(64).try_for_each(|_| std::future::ready(Ok(()))).await?;
            scanner = chunk.scanner;
            if chunk.is_end {
                break;
            }
        }
        let shared = Arc::clone(self.shared());
        let name = Arc::clone(segment);
        self.pool().run(move || Ok(remove(&shared, &name, bad_bytes))).await??;
        Ok(Compacted { segment: number, copied_records, copied_bytes, freed_bytes: end })
    }
}

/// The sealed segment with most dead bytes among those that are more than half dead, and where it ends.
fn candidate(shared: &Shared) -> Option<(Arc<Segment>, u64)> {
    let index = shared.index.read();
    let dead = |number, state: &crate::index::SegmentState| state.dead(index.has_older(number));
    let settled = index.segments.iter().filter(|(_, state)| state.is_settled && state.refused_at != Some(state.live));
    let worth = settled.filter(|&(&number, state)| 2 * dead(number, state) > state.end - SEGMENT_HEADER as u64);
    let (_, state) = worth.max_by_key(|&(&number, state)| dead(number, state))?;
    Some((Arc::clone(&state.segment), state.end))
}

/// Reads on in the segment until about [`COPY_BYTES`] of records that still count are at hand. Blocks.
fn read_chunk(shared: &Shared, segment: &Segment, mut scanner: Scanner) -> Result<Chunk, Error> {
    let number = segment.number;
    let (mut live, mut bytes, mut bad_bytes) = (Vec::new(), 0, 0);
    while bytes < COPY_BYTES {
        let Some(item) = scanner.next()? else {
            return Ok(Chunk { scanner, live, bad_bytes, is_end: true });
        };
        let found = match item {
            Item::Record(found) => found,
            Item::Bad { bytes } => {
                bad_bytes += bytes;
                continue;
            }
        };
        if !counts(shared, number, &found) {
            continue;
        }
        let part = found.header.part;
        let read = read_record(segment, &found).map_err(|why| {
            let why = shared.damaged(part, why).to_string();
            Error::Kept { segment: number, part: Some(part), why }
        })?;
        bytes += found.header.record_bytes();
        let mut tail = Bytes::from(read);
        let data = tail.split_to(found.header.length as usize);
        live.push((found, Record { kind: found.header.kind, part, checksum: found.header.checksum, data, tail }));
    }
    Ok(Chunk { scanner, live, bad_bytes, is_end: false })
}

/// Whether a record still matters: a put that the index points to, or a tombstone that may hide a put in an older
/// segment and is not itself made needless by a later record of the part.
fn counts(shared: &Shared, segment: u32, found: &Found) -> bool {
    let index = shared.index.read();
    let now = index.get(found.header.part);
    match found.header.kind {
        Kind::Put => matches!(now, Some(Entry::Segment { segment: at, offset, .. })
            if at == segment && u64::from(offset) == found.offset),
        Kind::Tombstone => index.has_older(segment) && !matches!(now, Some(Entry::Segment { .. })),
    }
}

/// Removes the segment if nothing in it counts any more. Blocks.
fn remove(shared: &Shared, segment: &Segment, bad_bytes: u64) -> Result<(), Error> {
    let number = segment.number;
    let kept = |why: &str| Error::Kept { segment: number, part: None, why: why.to_owned() };
    {
        let index = shared.index.read();
        if index.segments.get(&number).is_none_or(|state| state.live > 0) {
            return Err(kept("live records stand where it cannot be read"));
        }
        if bad_bytes > 0 && index.has_older(number) {
            return Err(kept("it is damaged where a tombstone may have stood"));
        }
    }
    let remove = || {
        // The hint goes first: one without its segment means that the segment was lost. It may never have been there.
        match fs::remove_file(shared.folder.hint(number)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::remove_file(&segment.path)?;
        sync_dir(&shared.folder.segments())
    };
    remove().map_err(|error| shared.write_failed("removing a segment", &error))?;
    // Only now, since tombstones elsewhere are dropped as soon as no older segment is known.
    shared.index.write().segments.remove(&number);
    Ok(())
}
