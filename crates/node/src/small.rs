//! Reads parts that are records of a segment.

use std::{ops::Range, sync::Arc};

use base::{PartId, limits::CHECKSUM_BLOCK_BYTES};
use bytes::Bytes;
use proto::{Error, Receipt};

use crate::{
    checksum,
    disk::{read_at, read_cached},
    index::{Entry, Segment},
    options::Step,
    record::{self, HEADER, Header, Kind, Place},
    scan::{self, Found},
    shared::Shared,
};

/// A read of some bytes of a record, planned: which bytes of the segment, and what to make of them.
#[derive(Clone)]
pub(crate) struct Read {
    segment: Arc<Segment>,
    part: PartId,
    length: u32,
    first_block: u64,
    /// Bytes of the part.
    range: Range<u64>,
}

impl Read {
    /// Bytes `range`, which is within the part and not empty.
    pub(crate) fn new(segment: Arc<Segment>, part: PartId, length: u32, range: Range<u64>) -> Self {
        let first_block = range.start / CHECKSUM_BLOCK_BYTES as u64;
        Self { segment, part, length, first_block, range }
    }

    /// First byte to read, counted from the first byte of the part.
    fn start(&self) -> u64 {
        self.first_block * CHECKSUM_BLOCK_BYTES as u64
    }

    /// From the first block that is needed to the end of the record, where the table of checksums stands: one read,
    /// of 256 KiB at most with the usual limits.
    fn bytes(&self) -> usize {
        (record::record_bytes(self.length) - HEADER as u64 - self.start()) as usize
    }

    /// The bytes if they are in the page cache.
    pub(crate) fn cached(&self, shared: &Shared, offset: u32) -> Option<Result<Bytes, Error>> {
        let at = u64::from(offset) + HEADER as u64 + self.start();
        let bytes = read_cached(&self.segment.file, at, self.bytes())?;
        Some(self.checked(shared, bytes))
    }

    /// The bytes, from the disk if need be.
    pub(crate) fn waited(&self, shared: &Shared, offset: u32) -> Result<Bytes, Error> {
        let at = u64::from(offset) + HEADER as u64 + self.start();
        let read = shared.options.faults.check(Step::Read);
        let read = read.and_then(|()| read_at(&self.segment.file, at, self.bytes()));
        self.checked(shared, read.map_err(|error| shared.read_failed(self.part, &error))?)
    }

    fn checked(&self, shared: &Shared, bytes: Vec<u8>) -> Result<Bytes, Error> {
        let data_bytes = (u64::from(self.length) - self.start()) as usize;
        let table = record::table(self.length, &bytes[data_bytes..]);
        let table = table.ok_or_else(|| shared.damaged(self.part, "the end mark is missing"))?;
        let needed = self.range.end.next_multiple_of(CHECKSUM_BLOCK_BYTES as u64) - self.start();
        let needed = &bytes[..data_bytes.min(needed as usize)];
        checksum::check(self.part, self.first_block, needed, &table[self.first_block as usize * checksum::ENTRY..])
            .map_err(|block| shared.damaged(self.part, format!("block {block} does not match")))?;
        let start = (self.range.start - self.start()) as usize;
        let end = (self.range.end - self.start()) as usize;
        Ok(Bytes::from(bytes).slice(start..end))
    }
}

/// Reads a record whole, from the disk and not from the page cache where the system lets, and checks everything.
pub(crate) fn verify(shared: &Shared, segment: &Segment, part: PartId, entry: Entry) -> Result<Receipt, Error> {
    let Entry::Segment { segment: number, offset, length, checksum } = entry else {
        return Err(Error::NotFound(part));
    };
    let damaged = |why: String| shared.damaged(part, why);
    shared.options.faults.check(Step::Read).map_err(|error| shared.read_failed(part, &error))?;
    let offset = u64::from(offset);
    drop_cached(&segment.file, offset, record::record_bytes(length));
    let read = read_at(&segment.file, offset, HEADER).map_err(|error| shared.read_failed(part, &error))?;
    let mut head = [0; HEADER];
    head.copy_from_slice(&read);
    let place = Place { disk: shared.folder.marker.disk, segment: number, offset };
    let header = Header::decode(&head, &place).map_err(|_| damaged("its header is damaged".to_owned()))?;
    let said = (header.part, header.kind, header.length, header.checksum);
    if said != (part, Kind::Put, length, checksum) {
        return Err(damaged("another record stands in its place".to_owned()));
    }
    scan::read_record(segment, &Found { offset, header }).map_err(damaged)?;
    Ok(entry.receipt())
}

/// Asks the system to forget what it has cached of these bytes and the pages they begin and end in.
pub(crate) fn drop_cached(file: &std::fs::File, offset: u64, length: u64) {
    const PAGE: u64 = 4096;
    let start = offset / PAGE * PAGE;
    let length = std::num::NonZeroU64::new((offset + length).next_multiple_of(PAGE) - start);
    // Advice only: a file system that does not take it is read through its cache.
    let _ = rustix::fs::fadvise(file, start, length, rustix::fs::Advice::DontNeed);
}
