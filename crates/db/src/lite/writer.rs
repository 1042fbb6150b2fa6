//! The thread that writes to SQLite: it takes the units of work that wait, carries them in one transaction, and answers
//! when the disk has it.
//!
//! Nothing waits for a batch to fill. While one commit is on its way to the disk the next units gather, so batches grow
//! with the load and a lone unit is never held back.

use std::{
    fs::File,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicI32, AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
    vec,
};

use base::{Clock, limits::GROUP_COMMIT_MAX};
use parking_lot::Mutex;
use rusqlite::ffi;
use tokio::sync::{mpsc, watch};

use super::session::{Conn, Session, control, error};
use crate::{Error, Tx, unit::Unit};

/// Units that may wait; a caller beyond them waits for room, which is the back pressure on the edge.
const QUEUE_MAX: usize = 4 * GROUP_COMMIT_MAX;

/// Pages in the WAL from which on the thread copies them into the file (16 MiB). It does so between batches, after the
/// answers: SQLite's own automatic checkpoint would run inside the commit and make its waiters wait. The thread that
/// writes is the one that can always finish: then the WAL starts again from its beginning and does not grow.
const CHECKPOINT_PAGES: i32 = 4096;

pub(super) struct Writer {
    units: Mutex<Option<mpsc::Sender<Box<dyn Unit>>>>,
    /// Its sender lives as long as the thread has the file open.
    alive: watch::Receiver<()>,
    commits: Arc<AtomicU64>,
}

impl Writer {
    /// Starts the thread. It holds `lock` until the connection is closed.
    pub(super) fn start(mut conn: Conn, lock: File, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let (sender, units) = mpsc::channel(QUEUE_MAX);
        let (living, alive) = watch::channel(());
        let commits = Arc::new(AtomicU64::new(0));
        let wal_pages = Arc::new(AtomicI32::new(0));
        let hook = Arc::clone(&wal_pages);
        conn.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
            hook.store(pages, Ordering::Relaxed);
            Ok(())
        }))
        .map_err(|failure| error(None, &failure))?;
        let thread = Thread { conn: Some(conn), clock, commits: Arc::clone(&commits), wal_pages };
        thread::Builder::new()
            .name("db-writer".to_owned())
            .spawn(move || {
                thread.run(units);
                drop(lock);
                drop(living);
            })
            .map_err(|why| Error::Unavailable(format!("the writer's thread could not be started: {why}")))?;
        Ok(Self { units: Mutex::new(Some(sender)), alive, commits })
    }

    pub(super) async fn submit(&self, unit: Box<dyn Unit>) -> Result<(), Error> {
        let units = self.units.lock().clone().ok_or_else(Error::closed)?;
        units.send(unit).await.map_err(|_| Error::closed())
    }

    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Takes no more units, finishes those that wait, closes the file.
    pub(super) async fn close(&self) {
        drop(self.units.lock().take());
        // An error is what is waited for: the sender is gone, and with it the thread's connection and lock.
        while self.alive.clone().changed().await.is_ok() {}
    }
}

struct Thread {
    /// Away only while a unit has it.
    conn: Option<Conn>,
    clock: Arc<dyn Clock>,
    commits: Arc<AtomicU64>,
    wal_pages: Arc<AtomicI32>,
}

impl Thread {
    fn run(mut self, mut units: mpsc::Receiver<Box<dyn Unit>>) {
        let mut batch = Vec::with_capacity(GROUP_COMMIT_MAX);
        while units.blocking_recv_many(&mut batch, GROUP_COMMIT_MAX) > 0 {
            metrics::gauge!("holdfast_db_queue_units", "engine" => "sqlite").set(units.len() as f64);
            let mut waiting = std::mem::replace(&mut batch, Vec::with_capacity(GROUP_COMMIT_MAX)).into_iter();
            while waiting.len() > 0 {
                self.carry(&mut waiting);
            }
            if self.wal_pages.load(Ordering::Relaxed) >= CHECKPOINT_PAGES {
                self.checkpoint();
            }
        }
        if let Err(failure) = self.conn().execute_batch("PRAGMA optimize") {
            tracing::warn!(%failure, "the database's statistics could not be brought up to date");
        }
    }

    /// Runs what waits in one transaction, and answers. Returns early, with some still waiting, if SQLite gave up the
    /// transaction on the way; those have not begun.
    fn carry(&mut self, waiting: &mut vec::IntoIter<Box<dyn Unit>>) {
        let started = self.clock.elapsed();
        let alone = waiting.len() == 1;
        if let Err(failure) = control(self.conn(), "BEGIN IMMEDIATE") {
            waiting.for_each(|unit| unit.settle(Err(failure.clone())));
            return;
        }
        let mut ran = Vec::with_capacity(waiting.len());
        let mut kept = 0_u32;
        let mut lost = None;
        for mut unit in waiting {
            if unit.is_abandoned() {
                continue;
            }
            let outcome = self.run_one(&mut *unit, alone);
            kept += u32::from(outcome.result == Ok(true));
            ran.push((unit, outcome.result.map(drop)));
            if outcome.lost.is_some() {
                lost = outcome.lost;
                break;
            }
        }
        let fate = match lost {
            Some(failure) => self.roll_back().and(Err(failure)),
            None if kept == 0 => self.roll_back(),
            None => self.commit(),
        };
        if fate.is_ok() && kept > 0 {
            self.commits.fetch_add(1, Ordering::Relaxed);
        }
        record(kept, self.clock.elapsed().saturating_sub(started));
        for (unit, own) in ran {
            unit.settle(fate.clone().and(own));
        }
    }

    /// Runs one unit, under a savepoint unless it has the transaction to itself.
    fn run_one(&mut self, unit: &mut dyn Unit, alone: bool) -> Outcome {
        if !alone && let Err(failure) = control(self.conn(), "SAVEPOINT unit") {
            return Outcome { result: Err(failure.clone()), lost: Some(failure) };
        }
        let conn = self.conn.take().expect("the connection is here between units");
        let tx = Tx::lite(Session::new(conn));
        // A unit that panicked is answered and forgotten; what it touched besides the database is not ours to mend.
        let polled = catch_unwind(AssertUnwindSafe(|| {
            unit.start(tx.clone()).as_mut().poll(&mut Context::from_waker(Waker::noop()))
        }));
        self.conn = tx.end();
        let result = match polled {
            Ok(Poll::Ready(false)) => Ok(false),
            Ok(Poll::Ready(true)) => tx.failure().map_or(Ok(true), Err),
            Ok(Poll::Pending) => {
                Err(Error::Internal("a unit of work waited for something other than its database".to_owned()))
            }
            Err(_) => Err(Error::Internal("a unit of work panicked".to_owned())),
        };
        let framed = match (alone, &result) {
            (true, _) => Ok(()),
            (false, Ok(true)) => control(self.conn(), "RELEASE unit"),
            (false, _) if self.conn().is_autocommit() => Ok(()),
            (false, _) => control(self.conn(), "ROLLBACK TO unit").and_then(|()| control(self.conn(), "RELEASE unit")),
        };
        // On a full disk, an I/O failure and a few more SQLite rolls back the whole transaction by itself
        // (https://sqlite.org/lang_transaction.html#response_to_errors_within_a_transaction).
        let lost = match framed {
            Err(failure) => Some(failure),
            Ok(()) if self.conn().is_autocommit() => {
                Some(tx.failure().unwrap_or_else(|| Error::Internal("a unit of work ended its transaction".to_owned())))
            }
            Ok(()) => None,
        };
        Outcome { result, lost }
    }

    fn commit(&self) -> Result<(), Error> {
        let conn = self.conn();
        let committed = conn.prepare_cached("COMMIT").and_then(|mut statement| statement.raw_execute());
        let Err(failure) = committed else { return Ok(()) };
        let mapped = error(Some(conn), &failure);
        // The pages may have reached the WAL before the disk failed to confirm them; a restart would find them there.
        let unknown = failure.sqlite_error().is_some_and(|code| code.extended_code & 0xff == ffi::SQLITE_IOERR);
        self.roll_back().and(Err(if unknown { Error::CommitUnknown(mapped.to_string()) } else { mapped }))
    }

    fn roll_back(&self) -> Result<(), Error> {
        if self.conn().is_autocommit() { Ok(()) } else { control(self.conn(), "ROLLBACK") }
    }

    /// Copies the WAL into the file. A reader with an old snapshot can keep it from finishing; the next batch tries
    /// again. A failure costs nothing but room: the WAL keeps everything.
    fn checkpoint(&self) {
        let started = self.clock.elapsed();
        match self.conn().query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
            Ok(()) => self.wal_pages.store(0, Ordering::Relaxed),
            Err(failure) => tracing::warn!(%failure, "the write-ahead log could not be copied into the database"),
        }
        metrics::histogram!("holdfast_db_checkpoint_seconds")
            .record(self.clock.elapsed().saturating_sub(started).as_secs_f64());
    }

    fn conn(&self) -> &Conn {
        self.conn.as_ref().expect("the connection is here between units")
    }
}

/// How a unit ended, and whether it took the transaction with it.
struct Outcome {
    /// Whether to keep what it did; the error to answer with instead of its own result.
    result: Result<bool, Error>,
    lost: Option<Error>,
}

fn record(units: u32, spent: Duration) {
    metrics::histogram!("holdfast_db_commit_units", "engine" => "sqlite").record(units);
    metrics::histogram!("holdfast_db_commit_seconds", "engine" => "sqlite").record(spent.as_secs_f64());
}
