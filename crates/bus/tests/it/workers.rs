//! The worker that gives jobs to handlers, as the runner runs it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bus::{
    Error, Handler, HandlerError, JobState, JobWorker, Leased, NewJob, Options, Pace, QueueGauges, Runner, Tally, Unit,
};
use testkit::database::TestDb;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_util::sync::CancellationToken;

use super::{Fixture, LEASE, number, numbered};

testkit::both! {
    each_outcome_of_a_handler_has_its_consequence,
    a_handler_is_dropped_when_its_lease_is_lost,
    what_a_handler_tells_is_seen_while_it_works,
}

/// A handler whose jobs say by their number what becomes of them.
struct Scripted {
    seen: Sender<(u64, u32)>,
    dropped: Sender<u64>,
}

/// Tells when a handler's future is dropped before its end.
struct Guard(Sender<u64>, u64);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.try_send(self.1);
    }
}

#[async_trait]
impl Handler for Scripted {
    fn kind(&self) -> &'static str {
        "a"
    }

    async fn handle(&self, job: &Leased) -> Result<(), HandlerError> {
        let number = number(job);
        self.seen.send((number, job.attempts)).await?;
        match number {
            1 => Ok(()),
            2 => Err(Error::JobUnknown.into()),
            3 => Err(HandlerError::Hopeless("never".to_owned())),
            4 => Err(HandlerError::NotYet(Duration::from_secs(3600))),
            5 => panic!("a handler that panics"),
            7 => {
                job.tell(Tally { done: 4, total: Some(9), unit: Unit::Entries });
                std::future::pending().await
            }
            _ => {
                let _guard = Guard(self.dropped.clone(), number);
                std::future::pending().await
            }
        }
    }
}

struct Running {
    fixture: Fixture,
    stop: CancellationToken,
    runner: Runner,
    seen: Receiver<(u64, u32)>,
    dropped: Receiver<u64>,
}

fn start(test: TestDb, options: Options) -> Running {
    let fixture = Fixture::with(test, options);
    let stop = CancellationToken::new();
    let (seen_by, seen) = channel(100);
    let (dropped_by, dropped) = channel(100);
    let handler = Arc::new(Scripted { seen: seen_by, dropped: dropped_by });
    let mut runner = Runner::new(fixture.clock.handle(), stop.clone());
    let worker = JobWorker::new(fixture.jobs.clone(), fixture.clock.handle(), vec![handler]);
    runner.add(Arc::new(worker), Pace::FULL);
    runner.add(Arc::new(QueueGauges::new(fixture.jobs.clone(), Duration::from_secs(15))), Pace::FULL);
    Running { fixture, stop, runner, seen, dropped }
}

async fn each_outcome_of_a_handler_has_its_consequence(test: TestDb) {
    // The table is not looked at on its own for an hour: waking is what makes the worker go on.
    let options = Options { poll: Duration::from_secs(3600), ..Options::default() };
    let Running { fixture, stop, runner, mut seen, .. } = start(test, options);
    for number in 1..=5 {
        fixture.ask(fixture.job("a", numbered(number))).await;
    }
    // When the last one is handled, all before it are settled.
    fixture.ask(NewJob { priority: -1, ..fixture.job("a", numbered(1)) }).await;
    fixture.jobs.wake();
    let mut handled = Vec::new();
    for _ in 1..=6 {
        handled.push(seen.recv().await.expect("a job"));
    }
    assert_eq!(handled.pop(), Some((1, 1)));
    handled.sort_unstable();
    assert_eq!(handled, [(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)]);
    fixture.clock.advance(Duration::from_secs(2));
    fixture.jobs.wake();
    let mut again = [seen.recv().await.expect("a job"), seen.recv().await.expect("a job")];
    again.sort_unstable();
    assert_eq!(again, [(2, 2), (5, 2)]);
    stop.cancel();
    runner.finish().await;
    let waiting = fixture.jobs.list(JobState::Waiting, None, 10).await.expect("those that wait");
    let mut seen: Vec<_> = waiting.iter().map(|job| (job.payload.clone(), job.error.clone())).collect();
    seen.sort();
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[0], (numbered(2).to_string(), Some(Error::JobUnknown.to_string())));
    assert_eq!(seen[1], (numbered(4).to_string(), None));
    assert!(seen[2].1.as_ref().is_some_and(|error| error.contains("panicked")), "{seen:?}");
    let dead = fixture.jobs.list(JobState::Dead, None, 10).await.expect("the dead");
    assert_eq!(dead.iter().map(|job| job.error.as_deref()).collect::<Vec<_>>(), [Some("never")]);
}

async fn a_handler_is_dropped_when_its_lease_is_lost(test: TestDb) {
    let options = Options { lease: Duration::from_millis(60), ..Options::default() };
    let Running { fixture, stop, runner, mut seen, mut dropped } = start(test, options);
    fixture.ask(fixture.job("a", numbered(6))).await;
    fixture.jobs.wake();
    assert_eq!(seen.recv().await, Some((6, 1)));
    // The handler's worker renews in real time, and the lease ends in the test's time. Whoever is first, the lease is lost
    // in the end: the jump comes between two renewals sooner or later.
    let theft = loop {
        fixture.clock.advance(Duration::from_secs(3600));
        if let Some(job) = fixture.jobs.lease(&["a"], LEASE).await.expect("a look at the queue") {
            break job;
        }
    };
    assert_eq!(dropped.recv().await, Some(6), "the handler was ended");
    fixture.jobs.complete(&theft).await.expect("the thief's by now");
    stop.cancel();
    runner.finish().await;
    assert_eq!(fixture.counts().await, (0, 0));
}

async fn what_a_handler_tells_is_seen_while_it_works(test: TestDb) {
    let options = Options { lease: Duration::from_millis(60), ..Options::default() };
    let Running { fixture, stop, runner, mut seen, .. } = start(test, options);
    fixture.ask(fixture.job("a", numbered(7))).await;
    fixture.jobs.wake();
    assert_eq!(seen.recv().await, Some((7, 1)));
    // The worker writes it down in real time; the clock of the test stands still, so that the lease is never over.
    let told = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            let jobs = fixture.jobs.list(JobState::Running, None, 10).await.expect("a list");
            if let Some(tally) = jobs.first().and_then(|job| job.running.as_ref()).and_then(|running| running.tally) {
                return tally;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert_eq!(told.await.expect("in time"), Tally { done: 4, total: Some(9), unit: Unit::Entries });
    stop.cancel();
    runner.finish().await;
}
