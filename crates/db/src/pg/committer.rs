//! A task that carries batches: one transaction each, one savepoint for each unit, one commit, then the answers.

use std::{panic::AssertUnwindSafe, sync::Arc};

use base::Clock;
use futures::FutureExt;
use tokio_postgres::error::Severity;

use super::{
    Connections,
    lanes::{Batch, Lanes, Queued},
    session::{Conn, Session, error},
};
use crate::{Error, Tx, unit::Unit};

pub(super) struct Committer {
    pool: Connections,
    lanes: Arc<Lanes>,
    clock: Arc<dyn Clock>,
}

impl Committer {
    pub(super) fn new(pool: Connections, lanes: Arc<Lanes>, clock: Arc<dyn Clock>) -> Self {
        Self { pool, lanes, clock }
    }

    /// Runs until its task is stopped, which its owner does once nothing waits.
    pub(super) async fn run(self) {
        loop {
            let mut batch = self.lanes.next().await;
            self.carry(&mut batch).await;
            self.lanes.done(batch);
        }
    }

    /// Runs the batch's units, commits them, and answers.
    async fn carry(&self, batch: &mut Batch) {
        let started = self.clock.elapsed();
        let mut units: Vec<Queued> = batch.units.drain(..).filter(|queued| !queued.unit.is_abandoned()).collect();
        if units.is_empty() {
            return;
        }
        let (fates, kept) = self.transaction(&mut units).await;
        let spent = self.clock.elapsed().saturating_sub(started);
        metrics::histogram!("holdfast_db_commit_units", "engine" => "postgres").record(kept);
        metrics::histogram!("holdfast_db_commit_seconds", "engine" => "postgres").record(spent.as_secs_f64());
        if kept > 0 {
            self.lanes.count_commit();
        }
        for (queued, fate) in units.into_iter().zip(fates) {
            queued.settle(fate);
        }
    }

    /// The fate of each unit, and how many were committed.
    async fn transaction(&self, units: &mut [Queued]) -> (Vec<Result<(), Error>>, u32) {
        let alone = units.len() == 1;
        let begun = self.pool.begin(if alone { "BEGIN" } else { "BEGIN; SAVEPOINT unit" }).await;
        let conn = match begun {
            Ok(conn) => Arc::new(conn),
            Err(failure) => return (vec![Err(failure); units.len()], 0),
        };
        let mut own = Vec::with_capacity(units.len());
        let mut kept = 0;
        // Whether the last unit is to be undone. What ends one unit's savepoint begins the next one's in the same
        // message, since each message to the server is a round trip.
        let mut undo = false;
        for queued in &mut *units {
            if !own.is_empty() {
                let frame = if undo { "ROLLBACK TO unit" } else { "RELEASE unit; SAVEPOINT unit" };
                if let Err(failure) = conn.batch_execute(frame).await {
                    return lost(error(&failure), units.len());
                }
            }
            let (result, failure) = run_one(&mut *queued.unit, &conn).await;
            if let Some(failure @ Error::Unavailable(_)) = failure {
                return lost(failure, units.len());
            }
            if conn.is_closed() {
                return lost(Error::Unavailable("the connection broke".to_owned()), units.len());
            }
            undo = result != Ok(true);
            kept += u32::from(!undo);
            own.push(result.map(drop));
        }
        let end = match (kept, undo) {
            (0, _) => "ROLLBACK",
            (_, false) => "COMMIT",
            (_, true) => "ROLLBACK TO unit; COMMIT",
        };
        match conn.batch_execute(end).await {
            Ok(()) => {
                conn.set_clean();
                (own, kept)
            }
            // Nothing was to be kept, and the server drops what a connection leaves behind.
            Err(_) if kept == 0 => (own, 0),
            Err(failure) => lost(commit_error(&failure), units.len()),
        }
    }
}

/// One fate for all: not even a unit that failed by itself may tell what it saw, since what it saw is gone.
fn lost(failure: Error, units: usize) -> (Vec<Result<(), Error>>, u32) {
    (vec![Err(failure); units], 0)
}

/// Runs one unit: whether to keep what it did, and the failure of the server that it met.
async fn run_one(unit: &mut dyn Unit, conn: &Arc<Conn>) -> (Result<bool, Error>, Option<Error>) {
    let tx = Tx::pg(Session::new(Arc::clone(conn)));
    // A unit that panicked is answered and forgotten; what it touched besides the database is not ours to mend.
    let ran = AssertUnwindSafe(unit.start(tx.clone())).catch_unwind().await;
    tx.end();
    let failure = tx.failure();
    let result = match (ran, &failure) {
        (Ok(true), Some(failure)) => Err(failure.clone()),
        (Ok(keep), _) => Ok(keep),
        (Err(_), _) => Err(Error::Internal("a unit of work panicked".to_owned())),
    };
    (result, failure)
}

/// A server that answers a commit with an ordinary error has rolled back. One that breaks off, whatever its last words,
/// may have committed before.
fn commit_error(failure: &tokio_postgres::Error) -> Error {
    let refused = failure.as_db_error().is_some_and(|told| matches!(told.parsed_severity(), Some(Severity::Error)));
    let mapped = error(failure);
    if refused { mapped } else { Error::CommitUnknown(mapped.to_string()) }
}
