//! The queue itself.

use std::{collections::HashSet, time::Duration};

use bus::{Error, JobState, NewJob, Options, Running, Tally, Unit};
use db::Lane;
use testkit::database::TestDb;
use tokio::task::JoinSet;

use super::{Fixture, LEASE, number, numbered};

testkit::both! {
    a_job_exists_if_its_unit_commits,
    urgent_ones_first_and_none_before_its_time,
    sixteen_workers_never_share_a_job,
    a_lost_lease_is_good_for_nothing,
    renewing_keeps_a_lease,
    failures_wait_longer_and_then_the_job_is_dead,
    what_kills_its_workers_is_given_up,
    postponing_is_no_attempt,
    one_job_per_key,
    a_request_during_the_work_is_not_lost,
    a_request_revives_a_dead_job,
    the_queue_is_counted,
    who_works_on_what_is_seen,
}

const SECOND: Duration = Duration::from_secs(1);

async fn a_job_exists_if_its_unit_commits(test: TestDb) {
    let fixture = Fixture::new(test);
    let (ids, now, job) = (fixture.ids.clone(), fixture.now(), fixture.job("a", numbered(1)));
    let undone: Result<(), Error> = fixture
        .test
        .db
        .write(Lane::Free, async move |tx| {
            bus::enqueue(&tx, &ids, now, job).await?;
            Err(Error::JobUnknown)
        })
        .await;
    assert!(undone.is_err());
    assert!(fixture.lease().await.is_none());
    fixture.ask(NewJob { version: 3, ..fixture.job("a", numbered(2)) }).await;
    let job = fixture.lease().await.expect("the job");
    assert_eq!((job.kind.as_str(), job.version, job.attempts, number(&job)), ("a", 3, 1, 2));
    assert!(matches!(job.payload::<Vec<u8>>(), Err(Error::Payload(_))));
    assert!(fixture.lease().await.is_none(), "it is leased");
    fixture.jobs.complete(&job).await.expect("done");
    assert_eq!(fixture.counts().await, (0, 0));
}

async fn urgent_ones_first_and_none_before_its_time(test: TestDb) {
    let fixture = Fixture::new(test);
    let ask = async |number, priority, due| {
        let job = fixture.job("a", numbered(number));
        fixture.ask(NewJob { priority, due: fixture.now().plus(due), ..job }).await;
    };
    ask(1, 0, Duration::ZERO).await;
    ask(2, 5, 10 * SECOND).await;
    ask(3, 5, Duration::ZERO).await;
    ask(4, -1, Duration::ZERO).await;
    ask(5, 0, Duration::from_micros(1)).await;
    fixture.ask(fixture.job("other", numbered(6))).await;
    let mut order = Vec::new();
    fixture.clock.advance(SECOND);
    while let Some(job) = fixture.lease().await {
        order.push(number(&job));
    }
    assert_eq!(order, [3, 1, 5, 4]);
    fixture.clock.advance(9 * SECOND);
    assert_eq!(fixture.lease().await.map(|job| number(&job)), Some(2));
}

async fn sixteen_workers_never_share_a_job(test: TestDb) {
    let fixture = Fixture::new(test);
    for number in 0..100 {
        fixture.ask(fixture.job("a", numbered(number))).await;
    }
    let mut workers = JoinSet::new();
    for _ in 0..16 {
        let jobs = fixture.jobs.clone();
        workers.spawn(async move {
            let mut mine = Vec::new();
            while let Some(job) = jobs.lease(&["a"], LEASE).await.expect("a look at the queue") {
                mine.push(number(&job));
                jobs.complete(&job).await.expect("done");
            }
            mine
        });
    }
    let done: Vec<_> = workers.join_all().await.into_iter().flatten().collect();
    // On PostgreSQL a worker may find none although one is due, when another is just taking it. None is left behind.
    assert_eq!(done.len(), 100);
    assert_eq!(done.iter().collect::<HashSet<_>>().len(), 100);
    assert_eq!(fixture.counts().await, (0, 0));
}

async fn a_lost_lease_is_good_for_nothing(test: TestDb) {
    let fixture = Fixture::new(test);
    fixture.ask(fixture.job("a", numbered(1))).await;
    let slow = fixture.lease().await.expect("the job");
    fixture.clock.advance(LEASE + SECOND);
    let quick = fixture.lease().await.expect("the job, from the one that was thought dead");
    assert_eq!((quick.id, quick.attempts), (slow.id, 2));
    let lost = |result| matches!(result, Err(Error::LeaseLost));
    assert!(lost(fixture.jobs.complete(&slow).await));
    assert!(lost(fixture.jobs.renew(&slow, LEASE).await));
    assert!(lost(fixture.jobs.retry_later(&slow, "late").await));
    assert!(lost(fixture.jobs.postpone(&slow, SECOND).await));
    assert!(lost(fixture.jobs.give_up(&slow, "late").await));
    assert_eq!(fixture.counts().await, (1, 0));
    fixture.jobs.complete(&quick).await.expect("done");
    assert!(lost(fixture.jobs.complete(&quick).await), "once is enough");
    // A job that is given back is nobody's, even while no other worker has taken it.
    fixture.ask(fixture.job("a", numbered(2))).await;
    let job = fixture.lease().await.expect("the job");
    fixture.jobs.retry_later(&job, "no luck").await.expect("given back");
    assert!(lost(fixture.jobs.complete(&job).await));
}

async fn renewing_keeps_a_lease(test: TestDb) {
    let fixture = Fixture::new(test);
    fixture.ask(fixture.job("a", numbered(1))).await;
    let job = fixture.lease().await.expect("the job");
    for _ in 0..5 {
        fixture.clock.advance(LEASE - SECOND);
        assert!(fixture.lease().await.is_none());
        fixture.jobs.renew(&job, LEASE).await.expect("renewed");
    }
    // A lease that ended, but whose job nobody took, is still its worker's.
    fixture.clock.advance(LEASE + SECOND);
    fixture.jobs.complete(&job).await.expect("done");
}

async fn failures_wait_longer_and_then_the_job_is_dead(test: TestDb) {
    let options = Options { attempts_max: 4, ..Options::default() };
    let fixture = Fixture::with(test, options.clone());
    fixture.ask(fixture.job("a", numbered(1))).await;
    for attempt in 1..=3 {
        let job = fixture.lease().await.expect("the job");
        assert_eq!(job.attempts, attempt);
        fixture.jobs.retry_later(&job, &format!("attempt {attempt}")).await.expect("given back");
        let full = options.retry_first * (1 << (attempt - 1));
        fixture.clock.advance(full / 2 - Duration::from_millis(1));
        assert!(fixture.lease().await.is_none(), "too early after attempt {attempt}");
        fixture.clock.advance(full / 2 + Duration::from_millis(1));
    }
    let job = fixture.lease().await.expect("the job");
    fixture.jobs.retry_later(&job, &"é".repeat(5000)).await.expect("given back");
    fixture.clock.advance(Duration::from_secs(1_000_000));
    assert!(fixture.lease().await.is_none());
    let dead = fixture.jobs.list(JobState::Dead, None, 10).await.expect("the dead");
    assert_eq!((dead.len(), dead[0].id, dead[0].attempts, dead[0].state), (1, job.id, 4, JobState::Dead));
    assert_eq!(dead[0].error.as_ref().map(String::len), Some(1000), "a bounded message");
    assert!(fixture.jobs.list(JobState::Dead, Some(job.id), 10).await.expect("no more").is_empty());
    // Back to life, with all attempts before it.
    fixture.jobs.retry_dead(job.id).await.expect("revived");
    assert!(matches!(fixture.jobs.retry_dead(job.id).await, Err(Error::JobUnknown)), "it is not dead any more");
    assert!(matches!(fixture.jobs.retry_dead(fixture.ids.job()).await, Err(Error::JobUnknown)));
    let job = fixture.lease().await.expect("the job");
    assert_eq!(job.attempts, 1);
    fixture.jobs.give_up(&job, "hopeless").await.expect("given up");
    assert_eq!(fixture.counts().await, (0, 1));
}

async fn what_kills_its_workers_is_given_up(test: TestDb) {
    let fixture = Fixture::with(test, Options { attempts_max: 3, ..Options::default() });
    fixture.ask(fixture.job("a", numbered(1))).await;
    fixture.ask(NewJob { priority: -1, ..fixture.job("a", numbered(2)) }).await;
    for _ in 0..3 {
        assert_eq!(fixture.lease().await.map(|job| number(&job)), Some(1));
        fixture.clock.advance(LEASE + SECOND);
    }
    assert_eq!(fixture.lease().await.map(|job| number(&job)), Some(2), "the next one has its turn");
    let dead = fixture.jobs.list(JobState::Dead, None, 10).await.expect("the dead");
    assert_eq!(dead[0].payload, numbered(1).to_string());
    assert!(dead[0].error.is_some());
}

async fn postponing_is_no_attempt(test: TestDb) {
    let fixture = Fixture::with(test, Options { attempts_max: 2, ..Options::default() });
    fixture.ask(fixture.job("a", numbered(1))).await;
    for _ in 0..10 {
        let job = fixture.lease().await.expect("the job");
        assert_eq!(job.attempts, 1);
        fixture.jobs.postpone(&job, 30 * SECOND).await.expect("postponed");
        assert!(fixture.lease().await.is_none());
        fixture.clock.advance(30 * SECOND);
    }
}

async fn one_job_per_key(test: TestDb) {
    let fixture = Fixture::new(test);
    let ask = async |key: &str, number, priority, due| {
        let (dedup, due) = (Some(key.to_owned()), fixture.now().plus(due));
        fixture.ask(NewJob { dedup, priority, due, ..fixture.job("a", numbered(number)) }).await;
    };
    ask("x", 1, 1, 60 * SECOND).await;
    ask("x", 2, 7, 30 * SECOND).await;
    ask("x", 3, 3, 90 * SECOND).await;
    ask("y", 4, 0, 30 * SECOND).await;
    let mut waiting = fixture.jobs.list(JobState::Waiting, None, 10).await.expect("those that wait");
    // Ids of one millisecond have no order.
    waiting.sort_by(|one, other| one.dedup.cmp(&other.dedup));
    let seen: Vec<_> = waiting.iter().map(|job| (job.dedup.as_deref(), job.payload.clone(), job.priority)).collect();
    assert_eq!(seen, [(Some("x"), numbered(3).to_string(), 7), (Some("y"), numbered(4).to_string(), 0)]);
    assert_eq!(waiting[0].due, fixture.now().plus(30 * SECOND));
    // Many at once are one, too.
    let mut tasks = JoinSet::new();
    for number in 0..30 {
        let (db, ids, now) = (fixture.test.db.clone(), fixture.ids.clone(), fixture.now());
        let job = NewJob { dedup: Some("z".to_owned()), ..fixture.job("b", numbered(number)) };
        tasks.spawn(async move { super::ask(&db, &ids, now, job).await });
    }
    tasks.join_all().await;
    assert_eq!(fixture.counts().await, (3, 0));
    // A failed job in back-off is not hurried by being asked for again.
    let job = fixture.lease().await.expect("z");
    fixture.jobs.retry_later(&job, "no luck").await.expect("given back");
    fixture.ask(NewJob { dedup: Some("z".to_owned()), ..fixture.job("b", numbered(99)) }).await;
    assert!(fixture.lease().await.is_none());
}

async fn a_request_during_the_work_is_not_lost(test: TestDb) {
    let fixture = Fixture::new(test);
    let ask = async |number| {
        fixture.ask(NewJob { dedup: Some("x".to_owned()), ..fixture.job("a", numbered(number)) }).await;
    };
    ask(1).await;
    let first = fixture.lease().await.expect("the job");
    ask(2).await;
    ask(3).await;
    assert!(fixture.lease().await.is_none(), "two of one key never run side by side");
    fixture.jobs.complete(&first).await.expect("done");
    let second = fixture.lease().await.expect("once more, for both requests");
    assert_eq!((number(&second), second.attempts), (3, 1));
    // A request that comes while the work fails for good has its own chance.
    ask(4).await;
    fixture.jobs.give_up(&second, "hopeless").await.expect("given up");
    let third = fixture.lease().await.expect("once more");
    assert_eq!((number(&third), third.attempts), (4, 1));
    fixture.jobs.complete(&third).await.expect("done");
    assert_eq!(fixture.counts().await, (0, 0));
}

async fn a_request_revives_a_dead_job(test: TestDb) {
    let fixture = Fixture::new(test);
    let job = |number| NewJob { dedup: Some("x".to_owned()), ..fixture.job("a", numbered(number)) };
    fixture.ask(job(1)).await;
    let leased = fixture.lease().await.expect("the job");
    fixture.jobs.give_up(&leased, "hopeless").await.expect("given up");
    assert_eq!(fixture.counts().await, (0, 1));
    fixture.ask(job(2)).await;
    assert_eq!(fixture.counts().await, (1, 0));
    let leased = fixture.lease().await.expect("the job");
    assert_eq!((number(&leased), leased.attempts), (2, 1));
}

async fn who_works_on_what_is_seen(test: TestDb) {
    let fixture = Fixture::with(test, Options { worker: Some("here:1".to_owned()), ..Options::default() });
    for number in 1..=2 {
        fixture.ask(NewJob { priority: -(number as i64), ..fixture.job("a", numbered(number)) }).await;
    }
    let seen = async |state| {
        let jobs = fixture.jobs.list(state, None, 10).await.expect("a list");
        assert!(jobs.iter().all(|job| job.state == state && job.running.is_some() == (state == JobState::Running)));
        jobs
    };
    let counted = async || [seen(JobState::Waiting).await.len(), seen(JobState::Running).await.len()];
    assert_eq!(counted().await, [2, 0]);
    fixture.clock.advance(SECOND);
    let began = fixture.now();
    let job = fixture.lease().await.expect("the job");
    assert_eq!(counted().await, [1, 1]);
    let running = seen(JobState::Running).await.remove(0);
    assert_eq!(running.id, job.id);
    let expected = Running { since: began, worker: Some("here:1".to_owned()), tally: None };
    assert_eq!(running.running, Some(expected.clone()));

    // What is told is there when the lease is renewed.
    let tally = Tally { done: 3, total: Some(10), unit: Unit::Entries };
    job.tell(Tally { done: 2, ..tally });
    job.tell(tally);
    fixture.clock.advance(SECOND);
    fixture.jobs.renew(&job, LEASE).await.expect("renewed");
    let running = seen(JobState::Running).await.remove(0);
    assert_eq!(running.running, Some(Running { tally: Some(tally), ..expected }));
    job.tell(Tally { done: u64::from(u32::MAX), total: None, unit: Unit::Bytes });
    fixture.jobs.renew(&job, LEASE).await.expect("renewed");
    let told = seen(JobState::Running).await.remove(0).running.and_then(|running| running.tally);
    assert_eq!(told, Some(Tally { done: u64::from(u32::MAX), total: None, unit: Unit::Bytes }));

    // Nobody works on it when the lease is over, or when it was given back; the next attempt begins at nothing.
    fixture.clock.advance(LEASE);
    assert_eq!(counted().await, [2, 0]);
    let job = fixture.lease().await.expect("the job");
    assert_eq!(seen(JobState::Running).await[0].running.as_ref().and_then(|running| running.tally), None);
    fixture.jobs.postpone(&job, 10 * SECOND).await.expect("postponed");
    assert_eq!(counted().await, [2, 0]);
    // One that is asked for again while it runs waits again when it is done.
    fixture.clock.advance(20 * SECOND);
    let key = || NewJob { dedup: Some("x".to_owned()), priority: 5, ..fixture.job("a", numbered(3)) };
    fixture.ask(key()).await;
    let job = fixture.lease().await.expect("the urgent one");
    fixture.ask(key()).await;
    let found = bus::find(&fixture.test.db, "x", fixture.now()).await.expect("a look").expect("the job");
    assert_eq!((found.id, found.state), (job.id, JobState::Running));
    fixture.jobs.complete(&job).await.expect("done");
    assert_eq!(counted().await, [3, 0]);
    let job = fixture.lease().await.expect("once more");
    fixture.jobs.give_up(&job, "hopeless").await.expect("given up");
    assert_eq!(seen(JobState::Dead).await.len(), 1);
    assert_eq!(counted().await, [2, 0]);
}

async fn the_queue_is_counted(test: TestDb) {
    let fixture = Fixture::new(test);
    assert!(fixture.jobs.queues().await.expect("no queue").is_empty());
    for number in 0..3 {
        fixture.ask(fixture.job("a", numbered(number))).await;
    }
    fixture.ask(fixture.job("b", numbered(3))).await;
    fixture.clock.advance(10 * SECOND);
    let job = fixture.jobs.lease(&["b"], LEASE).await.expect("a look").expect("the job");
    fixture.jobs.give_up(&job, "hopeless").await.expect("given up");
    let queues = fixture.jobs.queues().await.expect("the queues");
    let seen: Vec<_> = queues.iter().map(|queue| (queue.kind.as_str(), queue.waiting, queue.dead, queue.lag)).collect();
    assert_eq!(seen, [("a", 3, 0, 10 * SECOND), ("b", 0, 1, Duration::ZERO)]);
}
