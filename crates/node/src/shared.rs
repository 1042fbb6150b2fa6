//! What the node's handle, its writer and its jobs share.

use std::{
    fs::{self, File},
    io,
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use base::PartId;
use parking_lot::RwLock;
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

use crate::{Options, disk, folder::Folder, index::Index};

/// The state of an open node.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) folder: Folder,
    pub(crate) index: RwLock<Index>,
    pub(crate) counters: Counters,
    pub(crate) tasks: TaskTracker,
    suspect: OnceLock<String>,
    is_closed: AtomicBool,
}

/// What happened since the start.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) commits: AtomicU64,
    pub(crate) commit_requests: AtomicU64,
    pub(crate) torn_bytes: AtomicU64,
    pub(crate) damaged_bytes: AtomicU64,
    pub(crate) damaged_reads: AtomicU64,
    /// Bytes of part files that are being written.
    pub(crate) transit_bytes: AtomicU64,
    temps: AtomicU64,
}

impl Shared {
    pub(crate) fn new(options: Options, folder: Folder, index: Index, counters: Counters) -> Self {
        let (index, suspect, tasks) = (RwLock::new(index), OnceLock::new(), TaskTracker::new());
        Self { options, folder, index, counters, tasks, suspect, is_closed: AtomicBool::new(false) }
    }

    /// Refuses if the node was closed.
    pub(crate) fn admit_open(&self) -> Result<(), proto::Error> {
        let is_closed = self.is_closed.load(Relaxed);
        if is_closed { Err(proto::Error::Unavailable("the node is closed".to_owned())) } else { Ok(()) }
    }

    /// From now on [`Self::admit_open`] refuses.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Relaxed);
    }

    /// Why the disk takes no more writes, if it failed one.
    pub(crate) fn suspect(&self) -> Option<&str> {
        self.suspect.get().map(String::as_str)
    }

    /// Refuses if the disk is suspect.
    pub(crate) fn admit(&self) -> Result<(), proto::Error> {
        self.suspect().map_or(Ok(()), |why| Err(proto::Error::Suspect(why.to_owned())))
    }

    /// What a failed write, sync or rename means to the one who asked for it: no room, or a suspect disk from now on.
    pub(crate) fn write_failed(&self, doing: &str, error: &io::Error) -> proto::Error {
        if disk::is_full(error) {
            return proto::Error::Full;
        }
        if disk::is_exhausted(error) {
            return proto::Error::Unavailable(format!("{doing}: {error}"));
        }
        let why = self.suspect.get_or_init(|| {
            let why = format!("{doing}: {error}");
            tracing::error!(node = %self.folder.marker.node, dir = %self.folder.dir.display(), why,
                "the disk failed; the node takes no more parts until it is started again");
            why
        });
        proto::Error::Suspect(why.clone())
    }

    /// What a failed read means to the one who asked for it: damage, unless the process only ran short of something.
    pub(crate) fn read_failed(&self, part: PartId, error: &io::Error) -> proto::Error {
        if disk::is_exhausted(error) {
            return proto::Error::Unavailable(format!("reading a part: {error}"));
        }
        self.damaged(part, error)
    }

    /// What bad or unreadable bytes mean to the one who reads them.
    pub(crate) fn damaged(&self, part: PartId, why: impl ToString) -> proto::Error {
        self.counters.damaged_reads.fetch_add(1, Relaxed);
        metrics::counter!("holdfast_node_damaged_reads_total").increment(1);
        proto::Error::Damaged(part, why.to_string())
    }

    /// Bytes that puts may still take, and bytes of the file system, both within the node's capacity.
    pub(crate) fn space(&self) -> io::Result<(u64, u64)> {
        let system = rustix::fs::statvfs(&self.folder.dir)?;
        let free = (system.f_bavail * system.f_frsize).saturating_sub(self.options.reserve_bytes);
        let total = system.f_blocks * system.f_frsize;
        Ok(match self.options.capacity {
            None => (free, total),
            Some(capacity) => {
                let used = self.index.read().disk_bytes() + self.counters.transit_bytes.load(Relaxed);
                (free.min(capacity.saturating_sub(used)), total.min(capacity))
            }
        })
    }

    /// Bytes that puts may still take; none if the system does not say.
    pub(crate) fn room(&self) -> u64 {
        self.space().map_or(0, |(free, _)| free)
    }

    /// A name for a file in `tmp/` that no other file has.
    pub(crate) fn temp(self: &Arc<Self>, part: PartId) -> Temp {
        let number = self.counters.temps.fetch_add(1, Relaxed);
        let path = self.folder.tmp().join(format!("{}.{number}", part.0.as_simple()));
        Temp { shared: Arc::clone(self), path: Some(path), file: None, bytes: 0 }
    }
}

/// A file in `tmp/`: removed when this is dropped, unless it was moved to its place.
pub(crate) struct Temp {
    shared: Arc<Shared>,
    path: Option<PathBuf>,
    pub(crate) file: Option<Arc<File>>,
    bytes: u64,
}

impl Temp {
    pub(crate) fn path(&self) -> PathBuf {
        self.path.clone().unwrap_or_default()
    }

    /// Counts bytes that the file takes.
    pub(crate) fn grow(&mut self, bytes: u64) {
        self.bytes += bytes;
        self.shared.counters.transit_bytes.fetch_add(bytes, Relaxed);
    }

    /// The file has another name now and stays.
    pub(crate) fn keep(mut self) {
        self.path = None;
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        self.shared.counters.transit_bytes.fetch_sub(self.bytes, Relaxed);
        let Some(path) = self.path.take() else { return };
        let file = self.file.take();
        // What is not removed now is removed at the next start. Closing the last handle is what frees the blocks, and
        // takes its time for a large file, so it happens on a blocking thread too.
        let remove = move || {
            let _ = fs::remove_file(path);
            drop(file);
        };
        match Handle::try_current() {
            Ok(runtime) => drop(self.shared.tasks.spawn_blocking_on(remove, &runtime)),
            Err(_) => remove(),
        }
    }
}
