//! Builds the index of a node from its folder.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::Path,
    sync::Arc,
};

use base::PartId;
use uuid::Uuid;

use crate::{
    Error,
    active::Active,
    disk::{self, read_at},
    folder::{Folder, sync_dir},
    hint::{self, Hinted},
    index::{Entry, Index, Segment, SegmentState},
    record::{self, Kind, Refused, SEGMENT_HEADER},
    scan::{self, Found, Item, Scanner},
    shared::Counters,
    trailer::{self, FOOTER, Footer},
};

/// What a folder holds.
pub(crate) struct Loaded {
    pub(crate) index: Index,
    /// The last segment, if records can be appended to it.
    pub(crate) active: Option<Active>,
    /// The number of the next segment.
    pub(crate) next_segment: u32,
    pub(crate) counters: Counters,
}

/// Reads hints, scans segments without one, and takes in the part files. Cuts a torn tail, and clears `tmp/`.
pub(crate) fn load(folder: &Folder) -> Result<Loaded, Error> {
    clear_tmp(folder)?;
    let mut loaded = Loaded { index: Index::default(), active: None, next_segment: 1, counters: Counters::default() };
    let numbers = segment_numbers(folder)?;
    for &number in &numbers {
        loaded.segment(folder, number, Some(&number) == numbers.last())?;
        loaded.next_segment = number + 1;
    }
    loaded.part_files(folder)?;
    Ok(loaded)
}

impl Loaded {
    fn segment(&mut self, folder: &Folder, number: u32, is_last: bool) -> Result<(), Error> {
        let path = folder.segment(number);
        let file = OpenOptions::new().read(true).write(is_last).open(&path).map_err(Error::io("opening", &path))?;
        let length = file.metadata().map_err(Error::io("looking at", &path))?.len();
        let disk = folder.marker.disk;
        let is_headed = check_header(&path, &file, disk, number)?;
        let segment = Arc::new(Segment { number, file, path: path.clone() });
        self.index.segments.insert(number, SegmentState::new(Arc::clone(&segment)));

        let hint_path = folder.hint(number);
        let hint = fs::read(&hint_path).ok().and_then(|bytes| hint::decode(&bytes, disk, number));
        if let Some((head, entries)) = hint {
            entries.iter().for_each(|entry| self.apply(number, entry));
            self.damaged(&path, head.damaged + head.end.saturating_sub(length));
            self.settle(number, head.end);
            return Ok(());
        }
        let scanned = if is_last { scan_last(&segment, disk, length)? } else { scan_sealed(&segment, disk, length)? };
        scanned.entries.iter().for_each(|entry| self.apply(number, entry));
        self.damaged(&path, scanned.damaged);
        if scanned.torn > 0 {
            *self.counters.torn_bytes.get_mut() += scanned.torn;
            tracing::warn!(path = %path.display(), bytes = scanned.torn,
                "the last write to the segment was not finished; what was never acknowledged is dropped");
        }
        if !is_last {
            // Without a hint the next start only takes longer, and a disk that cannot be written shows that elsewhere.
            let _ = hint::write(&hint_path, &scanned.head(disk, number), &scanned.entries);
            self.settle(number, scanned.end);
            return Ok(());
        }
        if length != scanned.end {
            segment.file.set_len(scanned.end).map_err(Error::io("cutting", &path))?;
            segment.file.sync_all().map_err(Error::io("syncing", &path))?;
        }
        if scanned.is_clean() && (is_headed || scanned.entries.is_empty()) {
            if !is_headed {
                let header = record::encode_segment(disk, number);
                let write = disk::write_at(&segment.file, &[&header], 0).and_then(|()| segment.file.sync_all());
                write.map_err(Error::io("writing", &path))?;
            }
            self.grow(number, scanned.end);
            self.active = Some(Active::resume(segment, scanned.end, scanned.batch + 1));
        } else {
            // Nothing is appended behind damage, so that a torn tail stays the only thing a scan may drop.
            let _ = hint::write(&hint_path, &scanned.head(disk, number), &scanned.entries);
            self.settle(number, scanned.end);
        }
        Ok(())
    }

    fn apply(&mut self, segment: u32, hinted: &Hinted) {
        let &Hinted { part, checksum, offset, length, kind } = hinted;
        match kind {
            Kind::Put => self.index.set(part, Entry::Segment { segment, offset, length, checksum }),
            Kind::Tombstone => {
                self.index.remove(part);
                if let Some(state) = self.index.segments.get_mut(&segment) {
                    state.tombstones += record::record_bytes(0);
                }
            }
        }
    }

    fn grow(&mut self, segment: u32, end: u64) {
        if let Some(state) = self.index.segments.get_mut(&segment) {
            state.end = end;
        }
    }

    fn settle(&mut self, segment: u32, end: u64) {
        self.grow(segment, end);
        if let Some(state) = self.index.segments.get_mut(&segment) {
            state.is_settled = true;
        }
    }

    fn damaged(&mut self, path: &Path, bytes: u64) {
        if bytes > 0 {
            *self.counters.damaged_bytes.get_mut() += bytes;
            tracing::error!(path = %path.display(), bytes, "the segment is damaged; parts in those bytes are lost here");
        }
    }

    fn part_files(&mut self, folder: &Folder) -> Result<(), Error> {
        for outer in entries(&folder.parts())? {
            for dir in entries(&outer)? {
                for path in entries(&dir)? {
                    let part = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".part"));
                    let part = part.and_then(|digits| Uuid::try_parse(digits).ok()).map(PartId);
                    match part.filter(|&part| folder.part(part) == path) {
                        Some(part) => self.part_file(&dir, &path, part)?,
                        None => tracing::warn!(path = %path.display(), "not a part's file; it is left alone"),
                    }
                }
            }
        }
        Ok(())
    }

    fn part_file(&mut self, dir: &Path, path: &Path, part: PartId) -> Result<(), Error> {
        if self.index.get(part).is_some() {
            // The part was being replaced by one of the other form when the process ended. The new one was not
            // acknowledged, or the old one was about to go; the record is durable in both cases.
            fs::remove_file(path).map_err(Error::io("removing", path))?;
            return sync_dir(dir).map_err(Error::io("syncing", dir));
        }
        let length = fs::metadata(path).map_err(Error::io("looking at", path))?.len();
        let footer = File::open(path).and_then(|file| read_footer(&file, length));
        let receipt = match footer {
            Ok(Ok(footer)) if footer.part == part => footer.receipt,
            Ok(Err(Refused::Version(version))) => return Err(scan::unknown_version(path, version)),
            Err(error) if disk::is_exhausted(&error) => return Err(Error::io("reading", path)(error)),
            // The part stays known, so that it is listed, found damaged and repaired.
            Ok(_) | Err(_) => {
                self.damaged(path, length);
                proto::Receipt { length: trailer::length_of(length).unwrap_or(length), checksum: 0 }
            }
        };
        self.index.set(part, Entry::File { length: receipt.length, checksum: receipt.checksum });
        Ok(())
    }
}

/// The fixed end of a part file of `length` bytes.
pub(crate) fn read_footer(file: &File, length: u64) -> io::Result<Result<Footer, Refused>> {
    let Some(at) = length.checked_sub(FOOTER as u64) else { return Ok(Err(Refused::Damaged)) };
    let mut bytes = [0; FOOTER];
    bytes.copy_from_slice(&read_at(file, at, FOOTER)?);
    Ok(Footer::decode(&bytes, length))
}

fn clear_tmp(folder: &Folder) -> Result<(), Error> {
    for path in entries(&folder.tmp())? {
        fs::remove_file(&path).map_err(Error::io("removing", path))?;
    }
    Ok(())
}

fn entries(dir: &Path) -> Result<Vec<std::path::PathBuf>, Error> {
    let read = || fs::read_dir(dir)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>();
    read().map_err(Error::io("reading", dir))
}

fn segment_numbers(folder: &Folder) -> Result<Vec<u32>, Error> {
    let (mut numbers, mut hints) = (Vec::new(), Vec::new());
    for path in entries(&folder.segments())? {
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse::<u32>().ok());
        match (number, path.extension().and_then(|extension| extension.to_str())) {
            (Some(number), Some("seg")) if folder.segment(number) == path => numbers.push(number),
            (Some(number), Some("idx")) if folder.hint(number) == path => hints.push(number),
            (_, Some("tmp")) => fs::remove_file(&path).map_err(Error::io("removing", path))?,
            _ => tracing::warn!(path = %path.display(), "not a segment; it is left alone"),
        }
    }
    numbers.sort_unstable();
    for orphan in hints.into_iter().filter(|number| numbers.binary_search(number).is_err()) {
        // Compaction removes the hint first, so this segment went otherwise.
        let path = folder.hint(orphan);
        tracing::error!(path = %path.display(), "the segment of this hint is missing; its parts are lost here");
    }
    Ok(numbers)
}

/// Whether the segment's own header is intact. If it is not, the records can still be read: each is bound to the disk
/// id of the marker file.
fn check_header(path: &Path, file: &File, disk: Uuid, number: u32) -> Result<bool, Error> {
    let Ok(read) = read_at(file, 0, SEGMENT_HEADER) else { return Ok(false) };
    let mut bytes = [0; SEGMENT_HEADER];
    bytes.copy_from_slice(&read);
    match record::decode_segment(&bytes) {
        Ok(found) if found == (disk, number) => Ok(true),
        Ok(_) => {
            let why = "it is a segment of another node, or was renamed".to_owned();
            Err(Error::Format { path: path.to_owned(), why })
        }
        Err(Refused::Damaged) => Ok(false),
        Err(Refused::Version(version)) => Err(scan::unknown_version(path, version)),
    }
}

/// What a scan found.
#[derive(Default)]
pub(crate) struct Scanned {
    pub(crate) entries: Vec<Hinted>,
    /// Where the last record ends.
    end: u64,
    /// Number of the last commit.
    batch: u64,
    damaged: u64,
    torn: u64,
    /// A record that counts stands behind bytes that do not.
    is_broken: bool,
}

impl Scanned {
    fn take(&mut self, found: &Found) {
        let Found { offset, header } = *found;
        // Offsets fit: a segment is 1 GiB and one commit at most.
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        let (part, checksum, length, kind) = (header.part, header.checksum, header.length, header.kind);
        self.entries.push(Hinted { part, checksum, offset, length, kind });
        self.end = found.end();
    }

    fn is_clean(&self) -> bool {
        self.damaged == 0 && !self.is_broken
    }

    pub(crate) fn head(&self, disk: Uuid, segment: u32) -> hint::Head {
        let (end, damaged, entries) = (self.end, self.damaged, self.entries.len() as u64);
        hint::Head { disk, segment, end, damaged, entries }
    }
}

/// A segment that nothing is appended to: everything in it was synced, so whatever is no record is damage.
pub(crate) fn scan_sealed(segment: &Arc<Segment>, disk: Uuid, length: u64) -> Result<Scanned, Error> {
    let mut scanner = Scanner::new(Arc::clone(segment), disk, length);
    let mut scanned = Scanned { end: SEGMENT_HEADER as u64, ..Scanned::default() };
    while let Some(item) = scanner.next()? {
        match item {
            Item::Record(found) => scanned.take(&found),
            Item::Bad { bytes } => {
                scanned.damaged += bytes;
                scanned.end += bytes;
            }
        }
    }
    Ok(scanned)
}

/// The last segment, whose last commit may be torn.
///
/// A commit is written only after the one before it was synced. So what is bad before a record of an earlier commit
/// than the last is damage, while what is bad in the last one was probably never acknowledged: it is dropped. Good
/// records of the last commit are kept wherever they stand.
fn scan_last(segment: &Arc<Segment>, disk: Uuid, length: u64) -> Result<Scanned, Error> {
    let mut last = 0;
    let mut scanner = Scanner::new(Arc::clone(segment), disk, length);
    while let Some(item) = scanner.next()? {
        if let Item::Record(found) = item {
            last = found.header.batch;
        }
    }
    let mut scanner = Scanner::new(Arc::clone(segment), disk, length);
    let mut scanned = Scanned { end: SEGMENT_HEADER as u64, batch: last, ..Scanned::default() };
    let mut bad = 0;
    while let Some(item) = scanner.next()? {
        match item {
            Item::Bad { bytes } => bad += bytes,
            Item::Record(found) if found.header.batch != last => {
                scanned.damaged += std::mem::take(&mut bad);
                scanned.take(&found);
            }
            Item::Record(found) if scan::read_record(segment, &found).is_ok() => {
                scanned.is_broken |= bad > 0;
                scanned.torn += std::mem::take(&mut bad);
                scanned.take(&found);
            }
            Item::Record(found) => bad += found.header.record_bytes(),
        }
    }
    scanned.torn += bad;
    Ok(scanned)
}
