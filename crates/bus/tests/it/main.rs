//! Jobs on both databases, and the runner.

mod jobs;
mod runner;
mod workers;

use std::time::Duration;

use base::{Ids, Time};
use bus::{Jobs, Leased, NewJob, Options};
use db::{Db, Lane};
use serde_json::{Value, json};
use testkit::{clock::TestClock, database::TestDb};

/// What a lease lasts in these tests.
const LEASE: Duration = Duration::from_secs(60);

/// A queue, with the clock that it looks at.
struct Fixture {
    test: TestDb,
    clock: TestClock,
    ids: Ids,
    jobs: Jobs,
}

impl Fixture {
    fn new(test: TestDb) -> Self {
        Self::with(test, Options::default())
    }

    fn with(test: TestDb, options: Options) -> Self {
        let clock = TestClock::new();
        let ids = Ids::new(clock.handle(), 11);
        let jobs = Jobs::new(test.db.clone(), clock.handle(), options);
        Self { test, clock, ids, jobs }
    }

    fn now(&self) -> Time {
        base::Clock::now(&self.clock)
    }

    fn job(&self, kind: &'static str, payload: Value) -> NewJob<Value> {
        NewJob { kind, version: 1, dedup: None, payload, priority: 0, due: self.now() }
    }

    async fn ask(&self, job: NewJob<Value>) {
        ask(&self.test.db, &self.ids, self.now(), job).await;
    }

    async fn lease(&self) -> Option<Leased> {
        self.jobs.lease(&["a", "b"], LEASE).await.expect("a look at the queue")
    }

    /// How many jobs wait, and how many are dead.
    async fn counts(&self) -> (u64, u64) {
        let queues = self.jobs.queues().await.expect("the queues");
        queues.iter().fold((0, 0), |(waiting, dead), queue| (waiting + queue.waiting, dead + queue.dead))
    }
}

async fn ask(db: &Db, ids: &Ids, now: Time, job: NewJob<Value>) {
    let ids = ids.clone();
    db.write(Lane::Free, async move |tx| bus::enqueue(&tx, &ids, now, job).await).await.expect("asked for");
}

fn number(job: &Leased) -> u64 {
    let payload: Value = job.payload().expect("JSON");
    payload["number"].as_u64().expect("a number")
}

fn numbered(number: u64) -> Value {
    json!({ "number": number })
}
