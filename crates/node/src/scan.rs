//! Reads the records of a segment file in order, and finds the next good one behind damage.

use std::{io, path::PathBuf, sync::Arc};

use uuid::Uuid;

use crate::{
    Error, checksum,
    disk::read_at,
    index::Segment,
    record::{self, ALIGN, HEADER, Header, Kind, MAGIC, Place, Refused, SEGMENT_HEADER},
};

/// Bytes read at once while scanning.
const WINDOW: usize = 256 << 10;
/// How far a scan jumps when the disk cannot read: a page.
const PAGE: u64 = 4096;

/// A record with a good header, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) offset: u64,
    pub(crate) header: Header,
}

impl Found {
    pub(crate) fn end(&self) -> u64 {
        self.offset + self.header.record_bytes()
    }
}

/// What comes next in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Item {
    Record(Found),
    /// Bytes that are no record.
    Bad {
        bytes: u64,
    },
}

/// A walk over the records of a segment. It reads headers only: a record's bytes are checked when they are read.
pub(crate) struct Scanner {
    segment: Arc<Segment>,
    disk: Uuid,
    offset: u64,
    end: u64,
    window: Vec<u8>,
    window_at: u64,
}

impl Scanner {
    /// From the first record of `segment` to `end`, which is not beyond the end of the file.
    pub(crate) fn new(segment: Arc<Segment>, disk: Uuid, end: u64) -> Self {
        Self { segment, disk, offset: SEGMENT_HEADER as u64, end, window: Vec::new(), window_at: 0 }
    }

    /// The next item; `None` at the end. Zeros up to the end of the file are space allocated ahead and not an item.
    ///
    /// # Errors
    /// [`Error::Format`] if there is an intact record of a later version.
    pub(crate) fn next(&mut self) -> Result<Option<Item>, Error> {
        if let Some(found) = self.record_at(self.offset)? {
            self.offset = found.end();
            return Ok(Some(Item::Record(found)));
        }
        let start = self.offset;
        let (mut at, mut zeros_from) = (start, start);
        while at < self.end {
            let Ok(bytes) = self.bytes(at, ALIGN as usize) else {
                at = (at + 1).next_multiple_of(PAGE);
                zeros_from = at;
                continue;
            };
            let is_zero = bytes.iter().all(|&byte| byte == 0);
            let may_begin = at > start && bytes.starts_with(MAGIC);
            if may_begin && self.record_at(at)?.is_some() {
                self.offset = at;
                return Ok(Some(Item::Bad { bytes: at - start }));
            }
            at += ALIGN;
            if !is_zero {
                zeros_from = at;
            }
        }
        self.offset = self.end;
        let bytes = zeros_from.min(self.end).saturating_sub(start);
        Ok((bytes > 0).then_some(Item::Bad { bytes }))
    }

    fn record_at(&mut self, offset: u64) -> Result<Option<Found>, Error> {
        let mut head = [0; HEADER];
        match self.bytes(offset, HEADER) {
            Ok(bytes) if bytes.len() == HEADER => head.copy_from_slice(bytes),
            _ => return Ok(None),
        }
        match Header::decode(&head, &Place { disk: self.disk, segment: self.segment.number, offset }) {
            Ok(header) => Ok(Some(Found { offset, header }).filter(|found| found.end() <= self.end)),
            Err(Refused::Damaged) => Ok(None),
            Err(Refused::Version(version)) => Err(unknown_version(&self.segment.path, version)),
        }
    }

    /// Up to `length` bytes at `offset`; fewer at the end of the segment.
    fn bytes(&mut self, offset: u64, length: usize) -> io::Result<&[u8]> {
        let length = (length as u64).min(self.end.saturating_sub(offset)) as usize;
        let within = |at: u64, window: &[u8]| offset >= at && offset + length as u64 <= at + window.len() as u64;
        if !within(self.window_at, &self.window) {
            let wanted = (WINDOW as u64).min(self.end.saturating_sub(offset)) as usize;
            // A bad sector must not hide its neighbours, so a window that cannot be read whole is read narrowly.
            self.window =
                read_at(&self.segment.file, offset, wanted).or_else(|_| read_at(&self.segment.file, offset, length))?;
            self.window_at = offset;
        }
        let start = (offset - self.window_at) as usize;
        Ok(&self.window[start..start + length])
    }
}

/// The bytes of a put after its header, or nothing in a tombstone, if they match their checksums.
///
/// # Errors
/// Why not, for people.
pub(crate) fn read_record(segment: &Segment, found: &Found) -> Result<Vec<u8>, String> {
    let rest = found.header.record_bytes() as usize - HEADER;
    let bytes = read_at(&segment.file, found.offset + HEADER as u64, rest).map_err(|error| error.to_string())?;
    let (data, tail) = bytes.split_at(found.header.length as usize);
    let table = record::table(found.header.length, tail).ok_or("the end mark is missing")?;
    checksum::check(found.header.part, 0, data, table).map_err(|block| format!("block {block} does not match"))?;
    if found.header.kind == Kind::Put && proto::checksum(data) != found.header.checksum {
        return Err("the whole does not match".to_owned());
    }
    Ok(bytes)
}

pub(crate) fn unknown_version(path: &std::path::Path, version: u32) -> Error {
    let why = format!("it was written by a later version (form {version})");
    Error::Format { path: PathBuf::from(path), why }
}
