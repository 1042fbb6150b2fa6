//! The one thread that changes what a node holds: group commit.
//!
//! Puts of small parts, deletes, finished part files and the copies of compaction all pass through here, so changes of
//! one part have an order without any lock. A commit takes what is waiting, never waits for more, and is one write and
//! one sync of the active segment. No part occurs twice in a commit.
//!
//! A part is in one form at a time, record or file. Where a put changes the form, the order of the steps makes any
//! crash leave both or one of them, never none: a new file gets its name before the tombstone of the old record is
//! written; an old file goes after the new record was synced. At the start of a node the record wins ([`crate::load`]).

use std::{collections::HashSet, fs, io, path::PathBuf, sync::Arc, sync::atomic::Ordering::Relaxed, thread};

use base::{
    PartId,
    limits::{GROUP_COMMIT_BYTES_MAX, GROUP_COMMIT_MAX},
};
use bytes::Bytes;
use proto::{Error, Receipt};
use tokio::sync::{mpsc, oneshot};

use crate::{
    active::Active,
    folder::sync_dir,
    hint,
    index::{Entry, SegmentState},
    load,
    options::Step,
    record::{self, Header, Kind, Place},
    shared::{Shared, Temp},
};

/// Data shorter than this is copied behind its header, which costs less than a slice of its own in the write.
const COPY_MAX: usize = 16 << 10;

/// What comes back: files that are no longer parts, to be removed where that may take its time.
pub(crate) type Answer = Result<Vec<Temp>, Error>;

/// A change, and who waits for it.
pub(crate) struct Request {
    pub(crate) work: Work,
    pub(crate) reply: oneshot::Sender<Answer>,
}

/// A change.
pub(crate) enum Work {
    /// Keep a small part.
    Put(Record),
    /// Remove parts; no part twice.
    Delete(Vec<PartId>),
    /// Keep a part whose file is written and synced.
    Adopt(Finished),
    /// Copy a record to the active segment, if it still counts: a put at `from`, or a tombstone.
    Move { record: Record, from: Option<Entry> },
    /// Finish.
    Stop,
}

/// A record on its way to the active segment.
pub(crate) struct Record {
    pub(crate) kind: Kind,
    pub(crate) part: PartId,
    pub(crate) checksum: u64,
    /// The part's bytes: at most 1 MiB.
    pub(crate) data: Bytes,
    /// What follows them ([`record::tail`]).
    pub(crate) tail: Bytes,
}

/// A part file that is whole and synced, under a name in `tmp/`.
pub(crate) struct Finished {
    pub(crate) part: PartId,
    pub(crate) receipt: Receipt,
    pub(crate) temp: Temp,
    /// The folder it will stand in, open.
    pub(crate) dir: fs::File,
}

impl Record {
    fn tombstone(part: PartId) -> Self {
        let (data, tail) = (Bytes::new(), record::tail(0, Vec::new()).into());
        Self { kind: Kind::Tombstone, part, checksum: 0, data, tail }
    }

    fn bytes(&self) -> u64 {
        (record::HEADER + self.data.len() + self.tail.len()) as u64
    }
}

impl Work {
    fn parts(&self) -> &[PartId] {
        match self {
            Self::Put(record) | Self::Move { record, .. } => std::slice::from_ref(&record.part),
            Self::Delete(parts) => parts,
            Self::Adopt(finished) => std::slice::from_ref(&finished.part),
            Self::Stop => &[],
        }
    }

    fn bytes(&self) -> u64 {
        match self {
            Self::Put(record) | Self::Move { record, .. } => record.bytes(),
            Self::Delete(parts) => parts.len() as u64 * record::record_bytes(0),
            Self::Adopt(_) | Self::Stop => 0,
        }
    }
}

/// Where a part will be once the commit is synced.
enum Change {
    /// In the record of this number in the commit.
    Record(usize),
    File(Receipt),
    Gone,
}

/// A request whose records are being written.
struct Pending {
    reply: oneshot::Sender<Answer>,
    /// Number of its records in the commit.
    records: usize,
    changes: Vec<(PartId, Change)>,
    /// Parts whose files are to go once the commit is synced.
    files_out: Vec<PartId>,
    /// A part whose file got its name already, and must lose it again if the commit fails.
    undo: Option<PartId>,
}

/// The writer.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    requests: mpsc::Receiver<Request>,
    /// Taken from the queue and left for the next commit.
    held: Option<Request>,
    active: Option<Active>,
    next_segment: u32,
    /// Writes the hint of the segment sealed last.
    hinting: Option<thread::JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        requests: mpsc::Receiver<Request>,
        active: Option<Active>,
        next_segment: u32,
    ) -> Self {
        Self { shared, requests, held: None, active, next_segment, hinting: None }
    }

    /// Commits until the handle is closed or gone.
    pub(crate) fn run(mut self) {
        while let Some(batch) = self.gather() {
            self.commit(batch);
        }
        if let Some(active) = self.active.take()
            && let Err(error) = active.trim()
        {
            tracing::warn!(path = %active.path().display(), %error, "the segment could not be cut to its length");
        }
        self.join_hinting();
    }

    /// What is waiting, within the limits of one commit; waits for the first. `None`: there will be no more.
    fn gather(&mut self) -> Option<Vec<Request>> {
        let mut next = match self.held.take() {
            Some(request) => request,
            None => self.requests.blocking_recv()?,
        };
        let (mut batch, mut touched, mut bytes) = (Vec::new(), HashSet::<PartId>::new(), 0);
        loop {
            let is_last = matches!(next.work, Work::Stop);
            if is_last && batch.is_empty() {
                return None;
            }
            if is_last || next.work.parts().iter().any(|part| touched.contains(part)) {
                self.held = Some(next);
                return Some(batch);
            }
            touched.extend(next.work.parts());
            bytes += next.work.bytes();
            batch.push(next);
            if batch.len() >= GROUP_COMMIT_MAX || bytes >= GROUP_COMMIT_BYTES_MAX as u64 {
                return Some(batch);
            }
            match self.requests.try_recv() {
                Ok(request) => next = request,
                Err(_) => return Some(batch),
            }
        }
    }

    fn commit(&mut self, batch: Vec<Request>) {
        self.shared.counters.commits.fetch_add(1, Relaxed);
        self.shared.counters.commit_requests.fetch_add(batch.len() as u64, Relaxed);
        metrics::counter!("holdfast_node_commits_total").increment(1);
        metrics::counter!("holdfast_node_commit_requests_total").increment(batch.len() as u64);

        let mut room = self.shared.room();
        let (mut records, mut all) = (Vec::new(), Vec::new());
        for Request { work, reply } in batch {
            let mut pending = Pending { reply, records: 0, changes: Vec::new(), files_out: Vec::new(), undo: None };
            let before = records.len();
            match self.prepare(work, &mut room, &mut records, &mut pending) {
                Ok(()) => all.push(Pending { records: records.len() - before, ..pending }),
                Err(error) => answer(pending.reply, Err(error)),
            }
        }
        match self.append(&records) {
            Ok(places) => self.apply(all, &records, &places),
            Err(error) => all.into_iter().for_each(|pending| self.give_up(pending, &error)),
        }
    }

    /// Decides what a change means now, and does what has to come before the records.
    fn prepare(
        &self,
        work: Work,
        room: &mut u64,
        records: &mut Vec<Record>,
        pending: &mut Pending,
    ) -> Result<(), Error> {
        self.shared.admit()?;
        let find = |part| self.shared.index.read().get(part);
        match work {
            Work::Put(record) => {
                let part = record.part;
                let old = find(part);
                *room = room.checked_sub(record.bytes()).ok_or(Error::Full)?;
                self.admit_part(old)?;
                if matches!(old, Some(Entry::File { .. })) {
                    pending.files_out.push(part);
                }
                pending.changes.push((part, Change::Record(records.len())));
                records.push(record);
            }
            Work::Delete(parts) => {
                for part in parts {
                    match find(part) {
                        Some(Entry::Segment { .. }) => records.push(Record::tombstone(part)),
                        Some(Entry::File { .. }) => pending.files_out.push(part),
                        None => continue,
                    }
                    pending.changes.push((part, Change::Gone));
                }
            }
            Work::Adopt(finished) => {
                let (part, receipt) = (finished.part, finished.receipt);
                let old = find(part);
                self.admit_part(old)?;
                self.adopt(finished)?;
                if matches!(old, Some(Entry::Segment { .. })) {
                    records.push(Record::tombstone(part));
                    pending.undo = Some(part);
                }
                pending.changes.push((part, Change::File(receipt)));
            }
            Work::Move { record, from } => {
                let now = find(record.part);
                match record.kind {
                    // Put again or deleted meanwhile: the record that is to be copied does not count any more.
                    Kind::Put if now != from => {}
                    Kind::Put => {
                        pending.changes.push((record.part, Change::Record(records.len())));
                        records.push(record);
                    }
                    // A later record of the part hides the older ones already, and must not be hidden itself.
                    Kind::Tombstone if matches!(now, Some(Entry::Segment { .. })) => {}
                    Kind::Tombstone => records.push(record),
                }
            }
            Work::Stop => {}
        }
        Ok(())
    }

    fn admit_part(&self, old: Option<Entry>) -> Result<(), Error> {
        let is_beyond = old.is_none() && self.shared.index.read().part_count() >= self.shared.options.parts_max;
        if is_beyond { Err(Error::Full) } else { Ok(()) }
    }

    /// Gives a part file its name, durably.
    fn adopt(&self, finished: Finished) -> Result<(), Error> {
        let failed = |error| self.shared.write_failed("naming a part file", &error);
        fs::rename(finished.temp.path(), self.shared.folder.part(finished.part)).map_err(failed)?;
        finished.temp.keep();
        self.shared.options.faults.check(Step::FolderSync).and_then(|()| finished.dir.sync_all()).map_err(failed)
    }

    /// Appends the records and syncs them. Gives the segment and the place of each.
    fn append(&mut self, records: &[Record]) -> Result<(u32, Vec<u64>), Error> {
        let bytes: u64 = records.iter().map(Record::bytes).sum();
        if bytes == 0 {
            return Ok((0, Vec::new()));
        }
        let shared = Arc::clone(&self.shared);
        let active = self.active_for(bytes)?;
        let number = active.segment.number;
        let mut frame = Frame::default();
        let mut places = Vec::with_capacity(records.len());
        let mut offset = active.end;
        for record in records {
            let header = Header {
                kind: record.kind,
                part: record.part,
                batch: active.batch,
                checksum: record.checksum,
                // Lengths fit: the options hold small parts to 1 MiB.
                length: record.data.len() as u32,
            };
            let place = Place { disk: shared.folder.marker.disk, segment: number, offset };
            frame.push(&header.encode(&place));
            frame.push_data(&record.data);
            frame.push(&record.tail);
            places.push(offset);
            offset += record.bytes();
        }
        active
            .append(&shared.options, &frame.slices(), bytes)
            .map_err(|(doing, error)| shared.write_failed(doing, &error))?;
        Ok((number, places))
    }

    /// The active segment, or a new one if there is none or it would grow beyond its size.
    fn active_for(&mut self, bytes: u64) -> Result<&mut Active, Error> {
        let limit = self.shared.options.segment_bytes;
        let is_fresh = |active: &Active| active.end == record::SEGMENT_HEADER as u64;
        if self.active.as_ref().is_some_and(|active| active.end + bytes > limit && !is_fresh(active)) {
            self.seal()?;
        }
        let active = match self.active.take() {
            Some(active) => active,
            None => {
                let active = Active::create(&self.shared.folder, self.next_segment)
                    .map_err(|error| self.shared.write_failed("beginning a segment", &error))?;
                let state = SegmentState::new(Arc::clone(&active.segment));
                self.shared.index.write().segments.insert(self.next_segment, state);
                self.next_segment += 1;
                active
            }
        };
        Ok(self.active.insert(active))
    }

    fn seal(&mut self) -> Result<(), Error> {
        let Some(active) = &self.active else { return Ok(()) };
        active.trim().map_err(|error| self.shared.write_failed("sealing a segment", &error))?;
        let (segment, end) = (Arc::clone(&active.segment), active.end);
        self.active = None;
        self.join_hinting();
        let shared = Arc::clone(&self.shared);
        // A hint is a scan of headers that are still in the page cache: some ten milliseconds, which no put waits for.
        let hint = move || {
            let (number, disk) = (segment.number, shared.folder.marker.disk);
            let written = load::scan_sealed(&segment, disk, end)
                .map(|scanned| hint::write(&shared.folder.hint(number), &scanned.head(disk, number), &scanned.entries));
            if !matches!(written, Ok(Ok(()))) {
                tracing::warn!(segment = number, "no hint was written; the next start will scan the segment");
            }
            if let Some(state) = shared.index.write().segments.get_mut(&number) {
                state.is_settled = true;
            }
        };
        match thread::Builder::new().name("node-hint".into()).spawn(hint) {
            Ok(thread) => self.hinting = Some(thread),
            Err(error) => tracing::warn!(%error, "no hint was written; the next start will scan the segment"),
        }
        Ok(())
    }

    fn join_hinting(&mut self) {
        if let Some(thread) = self.hinting.take() {
            // A panic in there was printed by the panic hook; the hint is only a short cut.
            let _ = thread.join();
        }
    }

    /// Shows the commit to readers, then takes old files away and answers.
    fn apply(&self, all: Vec<Pending>, records: &[Record], (segment, places): &(u32, Vec<u64>)) {
        let mut index = self.shared.index.write();
        if let (Some(state), Some((last, record))) =
            (index.segments.get_mut(segment), places.last().zip(records.last()))
        {
            state.end = last + record.bytes();
            let tombstones = records.iter().filter(|record| record.kind == Kind::Tombstone);
            state.tombstones += tombstones.map(Record::bytes).sum::<u64>();
        }
        for (part, change) in all.iter().flat_map(|pending| &pending.changes) {
            match *change {
                Change::Record(number) => {
                    let (record, offset) = (&records[number], places[number] as u32);
                    let (length, checksum) = (record.data.len() as u32, record.checksum);
                    index.set(*part, Entry::Segment { segment: *segment, offset, length, checksum });
                }
                Change::File(Receipt { length, checksum }) => index.set(*part, Entry::File { length, checksum }),
                Change::Gone => index.remove(*part),
            }
        }
        drop(index);
        for pending in all {
            let removed = self.take_files(&pending.files_out);
            answer(pending.reply, removed);
        }
    }

    /// Takes the files of these parts away from `parts/`, durably. Removing them for good is left to the caller.
    fn take_files(&self, parts: &[PartId]) -> Answer {
        let failed = |error: io::Error| self.shared.write_failed("removing a part file", &error);
        let mut removed = Vec::with_capacity(parts.len());
        let mut dirs: Vec<PathBuf> = Vec::new();
        for &part in parts {
            let path = self.shared.folder.part(part);
            let temp = self.shared.temp(part);
            match fs::rename(&path, temp.path()) {
                Ok(()) => removed.push(temp),
                // Somebody removed it by hand; it is gone, which is what was asked for.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(error)),
            }
            dirs.push(self.shared.folder.part_dir(part));
        }
        dirs.sort_unstable();
        dirs.dedup();
        for dir in dirs {
            let synced = self.shared.options.faults.check(Step::FolderSync).and_then(|()| sync_dir(&dir));
            match synced {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
        }
        Ok(removed)
    }

    /// Takes back what a failed commit had done already.
    fn give_up(&self, pending: Pending, error: &Error) {
        if pending.records == 0 {
            // Nothing of it was in the write that failed.
            return self.apply(vec![pending], &[], &(0, Vec::new()));
        }
        if let Some(part) = pending.undo {
            let temp = self.shared.temp(part);
            let path = self.shared.folder.part(part);
            // If this fails too, the next start removes the file, since the record of the part still counts.
            let _ = fs::rename(&path, temp.path());
        }
        answer(pending.reply, Err(error.clone()));
    }
}

/// Whoever asked may have stopped waiting; the change stands all the same.
fn answer(reply: oneshot::Sender<Answer>, answer: Answer) {
    drop(reply.send(answer));
}

/// The bytes of a commit: short pieces copied together, long ones by reference.
#[derive(Default)]
struct Frame {
    copied: Vec<u8>,
    /// Ends of runs in `copied`, each with the long piece that follows.
    long: Vec<(usize, Bytes)>,
}

impl Frame {
    fn push(&mut self, bytes: &[u8]) {
        self.copied.extend_from_slice(bytes);
    }

    fn push_data(&mut self, data: &Bytes) {
        if data.len() <= COPY_MAX {
            self.push(data);
        } else {
            self.long.push((self.copied.len(), data.clone()));
        }
    }

    fn slices(&self) -> Vec<&[u8]> {
        let mut slices = Vec::with_capacity(2 * self.long.len() + 1);
        let mut start = 0;
        for (end, data) in &self.long {
            slices.push(&self.copied[start..*end]);
            slices.push(data);
            start = *end;
        }
        slices.push(&self.copied[start..]);
        slices
    }
}
