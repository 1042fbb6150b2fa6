//! Reads and writes parts that are files of their own.

use std::{
    fs::{File, OpenOptions},
    io,
    ops::Range,
    sync::Arc,
};

use base::{PartId, limits::CHECKSUM_BLOCK_BYTES};
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use proto::{Body, Error, Receipt};
use rustix::{fs::FallocateFlags, io::Errno};

use crate::{
    checksum::{self, crc32c},
    disk::{read_at, write_at},
    load::read_footer,
    options::Step,
    pool::{Job, Pool},
    record::Refused,
    shared::{Shared, Temp},
    small::drop_cached,
    trailer::{self, Footer},
    writer::Finished,
};

/// Bytes that a stream yields at once and that one blocking job writes, more or less.
pub(crate) const PIECE: usize = 1 << 20;

/// Bytes after which what was written is synced, while the next ones are being written. At most two such windows are
/// not synced, so the last byte of a file of any size is durable soon, and a slow disk slows its writer down at once.
const WINDOW: u64 = 8 << 20;

const BLOCK: u64 = CHECKSUM_BLOCK_BYTES as u64;

/// A part file that is being written. All methods block.
pub(crate) struct Write {
    shared: Arc<Shared>,
    part: PartId,
    file: Arc<File>,
    temp: Temp,
    running: checksum::Running,
    offset: u64,
    synced: u64,
}

impl Write {
    /// Begins a file in `tmp/`; sets space aside if the length is known.
    pub(crate) fn begin(shared: Arc<Shared>, part: PartId, length: Option<u64>) -> Result<Self, Error> {
        let mut temp = shared.temp(part);
        let create = || {
            let file = OpenOptions::new().create_new(true).write(true).open(temp.path())?;
            if let Some(length) = length {
                // Only for speed and to know early; not every file system can.
                let bytes = trailer::file_bytes(length);
                if let Err(error @ Errno::NOSPC) = rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, bytes) {
                    return Err(error.into());
                }
            }
            Ok(Arc::new(file))
        };
        let file = create().map_err(|error: io::Error| shared.write_failed("beginning a part file", &error))?;
        temp.file = Some(Arc::clone(&file));
        Ok(Self { shared, part, file, temp, running: checksum::Running::new(part), offset: 0, synced: 0 })
    }

    /// Appends the pieces.
    pub(crate) fn write(&mut self, pieces: &[Bytes]) -> Result<(), Error> {
        let bytes: u64 = pieces.iter().map(|piece| piece.len() as u64).sum();
        self.shared.admit()?;
        if self.shared.room() < bytes {
            return Err(Error::Full);
        }
        pieces.iter().for_each(|piece| self.running.update(piece));
        let slices: Vec<&[u8]> = pieces.iter().map(AsRef::as_ref).collect();
        self.put(&slices)?;
        self.offset += bytes;
        self.temp.grow(bytes);
        Ok(())
    }

    fn put(&self, slices: &[&[u8]]) -> Result<(), Error> {
        let faults = &self.shared.options.faults;
        let written = faults.check(Step::PartWrite).and_then(|()| write_at(&self.file, slices, self.offset));
        written.map_err(|error| self.shared.write_failed("writing a part file", &error))
    }

    /// A job that syncs what was written so far, when another window is full.
    pub(crate) fn window_full(&mut self) -> Option<impl FnOnce() -> Result<(), Error> + Send + 'static> {
        if self.offset - self.synced < WINDOW {
            return None;
        }
        self.synced = self.offset;
        let (shared, file) = (Arc::clone(&self.shared), Arc::clone(&self.file));
        Some(move || sync(&shared, &file))
    }

    /// Writes the trailer and syncs the file.
    pub(crate) fn finish(mut self) -> Result<Finished, Error> {
        let (receipt, table) = std::mem::replace(&mut self.running, checksum::Running::new(self.part)).finish();
        assert_eq!(receipt.length, self.offset, "every byte that was written was summed up");
        self.put(&[&trailer::encode(self.part, receipt, table)])?;
        sync(&self.shared, &self.file)?;
        let dir = self.shared.folder.make_part_dir(self.part);
        let dir = dir.map_err(|error| self.shared.write_failed("making a folder for a part", &error))?;
        Ok(Finished { part: self.part, receipt, temp: self.temp, dir })
    }
}

fn sync(shared: &Shared, file: &File) -> Result<(), Error> {
    let synced = shared.options.faults.check(Step::PartSync).and_then(|()| Ok(rustix::fs::fdatasync(file)?));
    synced.map_err(|error| shared.write_failed("syncing a part file", &error))
}

/// A part file that is being read.
pub(crate) struct Read {
    shared: Arc<Shared>,
    part: PartId,
    file: File,
    pub(crate) receipt: Receipt,
    table_sum: u32,
}

impl Read {
    /// Opens a part's file; `None` if it has none. Blocks.
    pub(crate) fn open(shared: Arc<Shared>, part: PartId) -> Result<Option<Self>, Error> {
        let file = match File::open(shared.folder.part(part)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(shared.read_failed(part, &error)),
        };
        let footer = file.metadata().and_then(|metadata| read_footer(&file, metadata.len()));
        let Footer { receipt, table_sum, .. } = match footer {
            Ok(Ok(footer)) if footer.part == part => footer,
            Ok(Ok(_)) => return Err(shared.damaged(part, "its file is that of another part")),
            Ok(Err(Refused::Damaged)) => return Err(shared.damaged(part, "its trailer is damaged")),
            Ok(Err(Refused::Version(version))) => {
                return Err(shared.damaged(part, format!("its file is of a later form ({version})")));
            }
            Err(error) => return Err(shared.read_failed(part, &error)),
        };
        Ok(Some(Self { shared, part, file, receipt, table_sum }))
    }

    /// Bytes `range`, which is within the part and not empty, checked. Blocks.
    pub(crate) fn read(&self, range: &Range<u64>) -> Result<Bytes, Error> {
        let first = range.start / BLOCK;
        let start = first * BLOCK;
        let end = range.end.next_multiple_of(BLOCK).min(self.receipt.length);
        let entries = checksum::blocks(end) - first;
        let read = || {
            self.shared.options.faults.check(Step::Read)?;
            let data = read_at(&self.file, start, (end - start) as usize)?;
            let table_at = self.receipt.length + first * checksum::ENTRY as u64;
            Ok((data, read_at(&self.file, table_at, entries as usize * checksum::ENTRY)?))
        };
        let (data, table) = read().map_err(|error: io::Error| self.shared.read_failed(self.part, &error))?;
        checksum::check(self.part, first, &data, &table)
            .map_err(|block| self.shared.damaged(self.part, format!("block {block} does not match")))?;
        Ok(Bytes::from(data).slice((range.start - start) as usize..(range.end - start) as usize))
    }

    /// Reads and checks everything, from the disk and not from the page cache where the system lets. Blocks.
    pub(crate) fn verify(&self) -> Result<Receipt, Error> {
        let Receipt { length, .. } = self.receipt;
        drop_cached(&self.file, 0, trailer::file_bytes(length));
        let mut running = checksum::Running::new(self.part);
        for start in (0..length).step_by(PIECE) {
            running.update(&self.read(&(start..length.min(start + PIECE as u64)))?);
        }
        let (receipt, table) = running.finish();
        let stored =
            read_at(&self.file, length, table.len()).map_err(|error| self.shared.read_failed(self.part, &error))?;
        if stored != table || crc32c(&[&stored]) != self.table_sum {
            return Err(self.shared.damaged(self.part, "its table of checksums is damaged"));
        }
        if receipt != self.receipt {
            return Err(self.shared.damaged(self.part, "the whole does not match"));
        }
        Ok(receipt)
    }

    /// The body of a get of `range`, of which the first piece was read already.
    pub(crate) fn body(self, pool: Pool, first: Bytes, range: Range<u64>) -> Body {
        let next = range.start + first.len() as u64;
        if next == range.end {
            return Body::Whole(first);
        }
        let read = Arc::new(self);
        let ahead = Ahead::begin(&pool, &read, next..range.end);
        let rest: BoxStream<'static, _> = stream::unfold(Some((read, pool, ahead)), |state| async {
            let (read, pool, ahead) = state?;
            let (piece, left) = match ahead.end(&pool).await {
                Ok(done) => done,
                Err(error) => return Some((Err(error), None)),
            };
            let ahead = (!left.is_empty()).then(|| Ahead::begin(&pool, &read, left));
            Some((Ok(piece), ahead.map(|ahead| (read, pool, ahead))))
        })
        .boxed();
        Body::Stream(stream::once(std::future::ready(Ok(first))).chain(rest).boxed())
    }
}

/// The end of the piece that begins at `range.start`: pieces end at multiples of their size.
pub(crate) fn piece_end(range: &Range<u64>) -> u64 {
    (range.start + 1).next_multiple_of(PIECE as u64).min(range.end)
}

type Piece = Result<Bytes, Error>;
type Task = Box<dyn FnOnce() -> Piece + Send>;

/// A piece that is read while the one before it is on its way.
struct Ahead {
    job: Result<Job<Piece>, Task>,
    left: Range<u64>,
}

impl Ahead {
    /// Starts reading the first piece of `range`; if all job slots are taken, that is left to [`Self::end`].
    fn begin(pool: &Pool, read: &Arc<Read>, range: Range<u64>) -> Self {
        let end = piece_end(&range);
        let (read, piece) = (Arc::clone(read), range.start..end);
        let task: Task = Box::new(move || read.read(&piece));
        Self { job: pool.try_start(task), left: end..range.end }
    }

    /// The piece, and what is left after it.
    async fn end(self, pool: &Pool) -> Result<(Bytes, Range<u64>), Error> {
        let piece = match self.job {
            Ok(job) => job.end().await?,
            Err(task) => pool.run(task).await?,
        };
        Ok((piece, self.left))
    }
}
