//! Virtual time over a real database.
//!
//! Tokio's paused clock jumps to the next timer whenever nothing can run. SQLite's writer is a thread that Tokio does
//! not know: a task that waits for a commit looks idle, and hours could pass before the commit is there. So time here
//! passes in ticks, and between two ticks everything that was handed to the writer is waited for, with the clock held by
//! a blocking task (Tokio never jumps while one runs). A commit thus takes a tick of virtual time at most, however slow
//! the machine is.

use std::{sync::Arc, time::Duration};

use base::Clock;
use db::{Db, Lane};
use parking_lot::Mutex;
use tokio::{runtime::Handle, task::spawn_blocking, time::sleep};

use crate::clock::TestClock;

/// The time of a simulation.
pub struct SimTime {
    clock: TestClock,
    db: Db,
    tick: Mutex<Duration>,
}

impl SimTime {
    /// Time over this database, in ticks of ten milliseconds. The runtime is one of a single thread whose clock is
    /// paused.
    pub fn new(db: Db) -> Self {
        Self { clock: TestClock::new(), db, tick: Mutex::new(Duration::from_millis(10)) }
    }

    /// The clock for components: it goes with Tokio's.
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.clock.handle()
    }

    /// Time since the beginning.
    pub fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// Changes the length of a tick: shorter ones follow the order of events more closely, longer ones are quicker.
    pub fn set_tick(&self, tick: Duration) {
        *self.tick.lock() = tick;
    }

    /// Runs `work` to its end while time passes. To be used once at a time.
    ///
    /// # Panics
    /// If it is not done after `limit` of virtual time.
    pub async fn run<T>(&self, limit: Duration, work: impl Future<Output = T>) -> T {
        let end = self.elapsed() + limit;
        tokio::select! {
            biased;
            result = work => result,
            () = self.pass(end) => panic!("still not done after {} virtual seconds", limit.as_secs()),
        }
    }

    async fn pass(&self, end: Duration) {
        while self.elapsed() < end {
            self.settle().await;
            let tick = *self.tick.lock();
            sleep(tick).await;
            self.clock.advance(tick);
        }
    }

    /// Waits until the writer has answered everything that it was given before; no virtual time passes.
    async fn settle(&self) {
        let (db, runtime) = (self.db.clone(), Handle::current());
        // The writer takes units in their order, so an empty one comes after all that wait.
        let empty = move || runtime.block_on(db.write(Lane::Free, async |_| Ok::<_, db::Error>(())));
        spawn_blocking(empty).await.expect("it does not panic").expect("the database answers");
    }
}
