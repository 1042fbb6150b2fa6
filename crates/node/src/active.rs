//! The segment that records are appended to.

use std::{fs::OpenOptions, io, path::Path, sync::Arc};

use rustix::{fs::FallocateFlags, io::Errno};

use crate::{
    Options,
    disk::write_at,
    folder::{Folder, sync_dir},
    index::Segment,
    options::Step,
    record::{self, SEGMENT_HEADER},
};

/// The active segment.
pub(crate) struct Active {
    pub(crate) segment: Arc<Segment>,
    /// Where the next record goes. Everything before is synced.
    pub(crate) end: u64,
    /// What the next commit's records are numbered with.
    pub(crate) batch: u64,
    /// How far the file system has set space aside.
    allocated: u64,
}

impl Active {
    /// A new segment, durable with its name.
    pub(crate) fn create(folder: &Folder, number: u32) -> io::Result<Self> {
        let path = folder.segment(number);
        // A file of that name can only be one that an earlier attempt could not finish.
        let file = OpenOptions::new().create(true).truncate(true).read(true).write(true).open(&path)?;
        write_at(&file, &[&record::encode_segment(folder.marker.disk, number)], 0)?;
        file.sync_all()?;
        sync_dir(&folder.segments())?;
        Ok(Self::resume(Arc::new(Segment { number, file, path }), SEGMENT_HEADER as u64, 1))
    }

    /// A segment that is open for writing, whose file ends at `end`.
    pub(crate) fn resume(segment: Arc<Segment>, end: u64, batch: u64) -> Self {
        Self { segment, end, batch, allocated: end }
    }

    /// Writes the pieces, `bytes` in all, and syncs them. On an error the segment is as it was, as far as the disk lets.
    ///
    /// # Errors
    /// The system's, and what was being done.
    pub(crate) fn append(
        &mut self,
        options: &Options,
        pieces: &[&[u8]],
        bytes: u64,
    ) -> Result<(), (&'static str, io::Error)> {
        self.allocate(self.end + bytes, options);
        let write = || {
            options.faults.check(Step::SegmentWrite)?;
            write_at(&self.segment.file, pieces, self.end)
        };
        let sync = || {
            options.faults.check(Step::SegmentSync)?;
            Ok(rustix::fs::fdatasync(&self.segment.file)?)
        };
        let failed = write().map_err(|error| ("writing a segment", error));
        let failed = failed.and_then(|()| sync().map_err(|error| ("syncing a segment", error)));
        if let Err(failed) = failed {
            // Records that were refused must not come to life at the next start.
            self.allocated = self.end;
            return Err(match self.segment.file.set_len(self.end) {
                Ok(()) => failed,
                Err(error) => ("cutting a segment", error),
            });
        }
        self.end += bytes;
        self.batch += 1;
        Ok(())
    }

    /// Has the file system set space aside ahead of the end, so that a sync seldom has to write a new file size. That is
    /// only for speed: where it fails, the write itself tells whether there is room.
    fn allocate(&mut self, end: u64, options: &Options) {
        if end <= self.allocated || options.allocate_bytes == 0 {
            return;
        }
        let length = (end - self.allocated).max(options.allocate_bytes);
        // Not beyond where the segment will be sealed, unless one commit takes it there.
        let length = length.min(options.segment_bytes.max(end) - self.allocated);
        match rustix::fs::fallocate(&self.segment.file, FallocateFlags::empty(), self.allocated, length) {
            Ok(()) => self.allocated += length,
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => self.allocated = u64::MAX,
            Err(_) => {}
        }
    }

    /// Gives back what was set aside. Synced, so that what is found behind the last record later is damage.
    pub(crate) fn trim(&self) -> io::Result<()> {
        self.segment.file.set_len(self.end)?;
        self.segment.file.sync_all()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.segment.path
    }
}
