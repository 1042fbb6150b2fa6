//! The handle: opening, closing, and the `Parts` contract.

use std::{ops::Range, sync::Arc, thread};

use async_trait::async_trait;
use base::{Clock, NodeId, PartId, limits::GROUP_COMMIT_MAX};
use bytes::Bytes;
use futures::StreamExt;
use parking_lot::Mutex;
use proto::{Body, Error, Health, PartInfo, Parts, Receipt};
use tokio::sync::{mpsc, oneshot};

use crate::{
    Options, Stats, checksum, disk,
    folder::Folder,
    index::Entry,
    large, load,
    pool::Pool,
    record::{self, Kind},
    shared::{Shared, Temp},
    small,
    writer::{Finished, Record, Request, Work, Writer},
};

/// Requests that wait for the writer; who comes later waits to be let in.
const QUEUE: usize = 4 * GROUP_COMMIT_MAX;

/// Parts of one delete that go to the writer at once.
const DELETE_MAX: usize = 1024;

/// A storage server's disk. Cheap to clone; all clones are one node.
///
/// [`close`](Self::close) it to end cleanly. If the last clone is dropped instead, what was acknowledged is safe all
/// the same.
#[derive(Clone)]
pub struct Node(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    pool: Pool,
    /// Taken when the last handle goes, which ends the writer.
    requests: Option<mpsc::Sender<Request>>,
    writer: Mutex<Option<thread::JoinHandle<()>>>,
    compacting: Arc<tokio::sync::Mutex<()>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(writer) = self.writer.lock().take() {
            // At most one commit, so that the folder can be opened again as soon as the handle is gone.
            let _ = writer.join();
        }
    }
}

impl Node {
    /// Opens the node in `options.dir`, or makes one there. Reads the whole index, so it blocks: for milliseconds, or
    /// seconds where there are millions of parts.
    ///
    /// # Errors
    /// See [`crate::Error`]; above all a folder that is locked, of another node, or not a node's.
    pub fn open(options: Options, clock: Arc<dyn Clock>) -> Result<Self, crate::Error> {
        if let Some(complaint) = options.complaint() {
            return Err(crate::Error::Options(complaint));
        }
        let folder = Folder::open(&options.dir, options.node, &*clock)?;
        let started = clock.elapsed();
        let loaded = load::load(&folder)?;
        let shared = Arc::new(Shared::new(options, folder, loaded.index, loaded.counters));
        let (requests, queue) = mpsc::channel(QUEUE);
        let writer = Writer::new(Arc::clone(&shared), queue, loaded.active, loaded.next_segment);
        let thread = thread::Builder::new().name("node-writer".into()).spawn(|| writer.run());
        let thread = thread.map_err(crate::Error::io("starting the writer of", &shared.options.dir))?;
        let pool = Pool::new(shared.options.io_jobs_max, shared.tasks.clone());
        {
            let index = shared.index.read();
            tracing::info!(node = %shared.folder.marker.node, dir = %shared.folder.dir.display(),
                parts = index.part_count(), bytes = index.part_bytes(), segments = index.segments.len(),
                micros = clock.elapsed().saturating_sub(started).as_micros() as u64, "the node is open");
        }
        let (requests, writer) = (Some(requests), Mutex::new(Some(thread)));
        Ok(Self(Arc::new(Inner { shared, pool, requests, writer, compacting: Arc::default() })))
    }

    /// Who the node is.
    pub fn id(&self) -> NodeId {
        self.0.shared.folder.marker.node
    }

    /// Finishes what is being written, stops the threads and gives the folder free. Later calls answer `Unavailable`.
    pub async fn close(&self) {
        self.0.shared.close();
        // No answer comes: the writer ends. It may have ended before.
        let _ = self.submit(Work::Stop).await;
        // A compaction that runs ends with its next request to the writer.
        let _alone = self.0.compacting.lock().await;
        let writer = self.0.writer.lock().take();
        if let Some(writer) = writer {
            let _ = self.0.pool.start(move || writer.join()).await.finished().await;
        }
        self.0.shared.tasks.close();
        self.0.shared.tasks.wait().await;
        self.0.shared.folder.unlock();
    }

    /// Counts of what the node holds and did, for metrics and tests.
    pub fn stats(&self) -> Stats {
        Stats::of(&self.0.shared)
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0.shared
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.0.pool
    }

    pub(crate) fn compacting(&self) -> &Arc<tokio::sync::Mutex<()>> {
        &self.0.compacting
    }

    /// Hands a change to the writer and waits until it is durable.
    pub(crate) async fn submit(&self, work: Work) -> Result<Vec<Temp>, Error> {
        let closed = || Error::Unavailable("the node is closed".to_owned());
        let (reply, answer) = oneshot::channel();
        let requests = self.0.requests.as_ref().expect("taken only when no handle is left");
        requests.send(Request { work, reply }).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    async fn put_small(&self, part: PartId, data: Bytes) -> Result<Receipt, Error> {
        let mut running = checksum::Running::new(part);
        running.update(&data);
        let (receipt, table) = running.finish();
        // The length fits: the options hold small parts to 1 MiB.
        let tail = record::tail(data.len() as u32, table).into();
        self.submit(Work::Put(Record { kind: Kind::Put, part, checksum: receipt.checksum, data, tail })).await?;
        Ok(receipt)
    }

    /// Writes a part file from `pieces` and then from `rest`: one job writes while the next pieces arrive.
    async fn put_large(
        &self,
        part: PartId,
        mut pieces: Vec<Bytes>,
        mut rest: Rest,
        length: Option<u64>,
    ) -> Result<Receipt, Error> {
        let (pool, shared) = (&self.0.pool, Arc::clone(&self.0.shared));
        let mut write = pool.run(move || large::Write::begin(shared, part, length)).await?;
        let mut syncing = None;
        while !pieces.is_empty() {
            let job = pool.start(move || write.write(&pieces).map(|()| write)).await;
            let next = rest.next(large::PIECE).await;
            write = job.end().await?;
            pieces = next?;
            if let Some(sync) = write.window_full() {
                end_sync(&mut syncing).await?;
                syncing = Some(pool.start(sync).await);
            }
        }
        end_sync(&mut syncing).await?;
        let finished: Finished = pool.run(move || write.finish()).await?;
        let receipt = finished.receipt;
        self.submit(Work::Adopt(finished)).await?;
        Ok(receipt)
    }

    async fn get_small(&self, read: small::Read, offset: u32) -> Result<Body, Error> {
        // Most reads find their bytes in the page cache, where a hop to another thread would cost more than the read.
        let bytes = match read.cached(&self.0.shared, offset) {
            Some(bytes) => bytes?,
            None => {
                let shared = Arc::clone(&self.0.shared);
                self.0.pool.run(move || read.waited(&shared, offset)).await?
            }
        };
        Ok(Body::Whole(bytes))
    }

    /// Opens the part's file and does `job` with it. `None`: it has none any more, look again.
    async fn with_file<T: Send + 'static>(
        &self,
        part: PartId,
        job: impl FnOnce(large::Read) -> Result<T, Error> + Send + 'static,
    ) -> Result<Option<T>, Error> {
        let shared = Arc::clone(&self.0.shared);
        self.0.pool.run(move || large::Read::open(shared, part)?.map(job).transpose()).await
    }

    /// A part that the index has as a file, and that has no file: what to do about it.
    fn file_missing(&self, part: PartId) -> Result<(), Error> {
        match self.0.shared.index.read().get(part) {
            Some(Entry::File { .. }) => Err(self.0.shared.damaged(part, "its file is missing")),
            // It was deleted or replaced between the look into the index and the look for the file.
            Some(Entry::Segment { .. }) | None => Ok(()),
        }
    }
}

/// Free bytes at which a node says that it is full. It takes what comes until nothing is left; but whoever chooses nodes
/// is told before a part of some size fails.
fn full_below(total: u64) -> u64 {
    (total / 16).min(16 << 20)
}

async fn end_sync(syncing: &mut Option<crate::pool::Job<Result<(), Error>>>) -> Result<(), Error> {
    match syncing.take() {
        Some(job) => job.end().await,
        None => Ok(()),
    }
}

/// What is still to come of a body.
struct Rest(Option<futures::stream::BoxStream<'static, Result<Bytes, Error>>>);

impl Rest {
    /// Pieces until there are `bytes` of them or more; none at the end.
    async fn next(&mut self, bytes: usize) -> Result<Vec<Bytes>, Error> {
        let (mut pieces, mut sum) = (Vec::new(), 0);
        while sum < bytes
            && let Some(stream) = &mut self.0
        {
            match stream.next().await {
                Some(piece) => {
                    let piece = piece?;
                    sum += piece.len();
                    if !piece.is_empty() {
                        pieces.push(piece);
                    }
                }
                None => self.0 = None,
            }
        }
        Ok(pieces)
    }
}

#[async_trait]
impl Parts for Node {
    async fn put(&self, part: PartId, body: Body) -> Result<Receipt, Error> {
        self.0.shared.admit_open()?;
        // Before the body flows, not after.
        self.0.shared.admit()?;
        let small_max = self.0.shared.options.small_part_bytes_max;
        match body {
            Body::Whole(data) if data.len() <= small_max => self.put_small(part, data).await,
            Body::Whole(data) => {
                let length = data.len() as u64;
                self.put_large(part, vec![data], Rest(None), Some(length)).await
            }
            Body::Stream(stream) => {
                let mut rest = Rest(Some(stream));
                let pieces = rest.next(small_max + 1).await?;
                if pieces.iter().map(Bytes::len).sum::<usize>() <= small_max {
                    return self.put_small(part, disk::join(pieces)).await;
                }
                self.put_large(part, pieces, rest, None).await
            }
        }
    }

    async fn get(&self, part: PartId, range: Range<u64>) -> Result<Body, Error> {
        self.0.shared.admit_open()?;
        loop {
            let found = self.0.shared.index.read().find(part);
            let (entry, segment) = found.ok_or(Error::NotFound(part))?;
            if range.start > range.end || range.end > entry.receipt().length {
                return Err(Error::Range(part));
            }
            if range.is_empty() {
                return Ok(Body::Whole(Bytes::new()));
            }
            if let (Entry::Segment { offset, length, .. }, Some(segment)) = (entry, segment) {
                return self.get_small(small::Read::new(segment, part, length, range), offset).await;
            }
            let wanted = range.clone();
            let read = move |file: large::Read| {
                // The file may be a newer one than the index says, and is then what counts.
                if wanted.end > file.receipt.length {
                    return Err(Error::Range(part));
                }
                let first = file.read(&(wanted.start..large::piece_end(&wanted)))?;
                Ok((file, first))
            };
            match self.with_file(part, read).await? {
                Some((file, first)) => return Ok(file.body(self.0.pool.clone(), first, range)),
                None => self.file_missing(part)?,
            }
        }
    }

    async fn delete(&self, parts: &[PartId]) -> Result<(), Error> {
        self.0.shared.admit_open()?;
        let mut parts = parts.to_vec();
        parts.sort_unstable();
        parts.dedup();
        for parts in parts.chunks(DELETE_MAX) {
            // The files are out of sight, durably; removing them takes its time elsewhere.
            drop(self.submit(Work::Delete(parts.to_vec())).await?);
        }
        Ok(())
    }

    async fn list(&self, after: Option<PartId>, limit: u32) -> Result<Vec<PartInfo>, Error> {
        self.0.shared.admit_open()?;
        Ok(self.0.shared.index.read().list(after, limit as usize))
    }

    async fn verify(&self, part: PartId) -> Result<Receipt, Error> {
        self.0.shared.admit_open()?;
        loop {
            let found = self.0.shared.index.read().find(part);
            let (entry, segment) = found.ok_or(Error::NotFound(part))?;
            if let Some(segment) = segment {
                let shared = Arc::clone(&self.0.shared);
                return self.0.pool.run(move || small::verify(&shared, &segment, part, entry)).await;
            }
            match self.with_file(part, |file| file.verify()).await? {
                Some(receipt) => return Ok(receipt),
                None => self.file_missing(part)?,
            }
        }
    }

    async fn health(&self) -> Result<Health, Error> {
        let shared = &self.0.shared;
        shared.admit_open()?;
        let space = shared.space();
        let (free_bytes, total_bytes) = *space.as_ref().unwrap_or(&(0, 0));
        let (part_bytes, part_count) = {
            let index = shared.index.read();
            (index.part_bytes(), index.part_count())
        };
        let trouble = match (shared.suspect(), space) {
            (Some(why), _) => Some(format!("the disk is suspect: {why}")),
            (None, Err(error)) => Some(format!("the file system does not tell its free space: {error}")),
            (None, Ok((free, total))) if free <= full_below(total) => Some("the disk is full".to_owned()),
            (None, Ok(_)) if part_count >= shared.options.parts_max => {
                Some("the node holds as many parts as it may".into())
            }
            (None, Ok(_)) => None,
        };
        let (node, disk) = (self.id(), shared.folder.file_system.clone());
        let writable = trouble.is_none();
        Ok(Health { node, free_bytes, total_bytes, part_bytes, part_count, disk, writable, trouble })
    }
}
