//! The queue: asking for jobs, leasing them, and what becomes of them.

use std::{sync::Arc, time::Duration};

use base::{Clock, Ids, JobId, Time};
use db::{
    Db, Lane, Tx,
    jobs::{Standing, Verdict},
};
use parking_lot::Mutex;
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::Notify;

use crate::Error;

/// Bytes of an error message that are kept with a job.
const ERROR_BYTES_MAX: usize = 1000;

/// A job to ask for.
#[derive(Debug, Clone)]
pub struct NewJob<P> {
    /// Which handler it is for: a lower-case word with dots or dashes.
    pub kind: &'static str,
    /// Of the payload's form; a handler knows all versions up to its own.
    pub version: u32,
    /// Requests with one key become one job. Begin it with the kind: keys are shared by all kinds.
    pub dedup: Option<String>,
    /// What the handler needs to know, as JSON.
    pub payload: P,
    /// Higher ones first.
    pub priority: i64,
    /// Not before; now, for as soon as possible.
    pub due: Time,
}

/// Asks for a job as a part of the caller's unit of work: it exists if and when that commits.
///
/// A job that has the same key takes the newer payload and the higher priority instead; see the crate's front page. Gives
/// the id of the one that there is then.
///
/// # Errors
/// [`Error::Payload`] if the payload is no JSON, [`Error::Database`].
pub async fn enqueue<P: Serialize>(tx: &Tx, ids: &Ids, now: Time, job: NewJob<P>) -> Result<JobId, Error> {
    let payload = serde_json::to_string(&job.payload)?;
    let row = db::jobs::NewJob {
        id: ids.job(),
        kind: job.kind,
        version: job.version,
        dedup: job.dedup.as_deref(),
        payload: &payload,
        priority: job.priority,
        due: job.due,
        created: now,
    };
    Ok(db::jobs::enqueue(tx, &row).await?)
}

/// The job that has a deduplication key, if it has not been finished, as it is `now`.
///
/// # Errors
/// [`Error::Database`].
pub async fn find(db: &Db, key: &str, now: Time) -> Result<Option<JobView>, Error> {
    Ok(db::jobs::keyed(db, key).await?.map(|row| view(row, now, now.plus(FAR))))
}

/// How jobs are leased, and failed attempts repeated.
#[derive(Debug, Clone)]
pub struct Options {
    /// For how long a [`JobWorker`](crate::JobWorker) leases; it renews while the handler runs. It is how long the jobs of
    /// a killed process wait.
    pub lease: Duration,
    /// How often it looks at the table when nobody says that there is something: how long a job waits that another
    /// process asked for.
    pub poll: Duration,
    /// The wait after the first failed attempt; each further one doubles it.
    pub retry_first: Duration,
    /// The longest wait between attempts.
    pub retry_max: Duration,
    /// How many attempts a job has before it is dead.
    pub attempts_max: u32,
    /// What administrators call this process, where they see what it works on.
    pub worker: Option<String>,
}

impl Default for Options {
    /// Twelve attempts over about an hour and a half: long enough for a restart of whatever is broken.
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(20),
            poll: Duration::from_secs(1),
            retry_first: Duration::from_secs(2),
            retry_max: Duration::from_secs(20 * 60),
            attempts_max: 12,
            worker: None,
        }
    }
}

/// A time further away than this was set by a clock that is or was wrong, or is seen by one: such a job is due. Without
/// this the jobs that a worker held while its clock was days ahead would wait for days.
const FAR: Duration = Duration::from_secs(2 * 3600);

/// A job that this worker has for a time.
#[derive(Debug, Clone)]
pub struct Leased {
    /// Which one.
    pub id: JobId,
    /// Which handler it is for.
    pub kind: String,
    /// Of the payload's form.
    pub version: u32,
    /// How often it was tried, this time included.
    pub attempts: u32,
    /// When it was first asked for.
    pub created: Time,
    payload: String,
    generation: u64,
    /// Clones share it: the handler sets it, and whoever renews the lease writes it down.
    tally: Arc<Mutex<Option<Tally>>>,
}

/// Of what a job is made of there is much or little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Entries of a tree or of a trash.
    Entries,
    /// Bytes.
    Bytes,
}

impl Unit {
    /// The stable word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Entries => "entries",
            Self::Bytes => "bytes",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Entries, Self::Bytes].into_iter().find(|unit| unit.as_str() == word)
    }
}

/// How far somebody is with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// What is done.
    pub done: u64,
    /// Of how much, where that is known.
    pub total: Option<u64>,
    /// Of what.
    pub unit: Unit,
}

impl Leased {
    /// Says how far this is, for administrators. It costs nothing, so that it can be said after each bite: the worker writes
    /// it down now and then.
    pub fn tell(&self, tally: Tally) {
        *self.tally.lock() = Some(tally);
    }

    /// What was said last.
    pub(crate) fn told(&self) -> Option<Tally> {
        *self.tally.lock()
    }

    /// The payload, read from its JSON.
    ///
    /// # Errors
    /// [`Error::Payload`] if it is not a `P`.
    pub fn payload<P: DeserializeOwned>(&self) -> Result<P, Error> {
        Ok(serde_json::from_str(&self.payload)?)
    }
}

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// It waits: for its time, for a worker, or for the end of the lease of one that is gone.
    Waiting,
    /// Somebody works on it, or did a moment ago.
    Running,
    /// It was given up.
    Dead,
}

impl From<JobState> for Standing {
    fn from(state: JobState) -> Self {
        match state {
            JobState::Waiting => Self::Waiting,
            JobState::Running => Self::Running,
            JobState::Dead => Self::Dead,
        }
    }
}

/// The work that is being done on a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// When this attempt began.
    pub since: Time,
    /// Which process does it, if it has a name.
    pub worker: Option<String>,
    /// How far it is, where that is told; some seconds old.
    pub tally: Option<Tally>,
}

/// A job as administrators see it.
#[derive(Debug, Clone)]
pub struct JobView {
    /// Which one.
    pub id: JobId,
    /// Which handler it is for.
    pub kind: String,
    /// How it stands.
    pub state: JobState,
    /// Who works on it; of [`JobState::Running`] alone.
    pub running: Option<Running>,
    /// The key that keeps it from being asked for twice.
    pub dedup: Option<String>,
    /// Its payload's JSON.
    pub payload: String,
    /// Higher ones first.
    pub priority: i64,
    /// How often it was tried.
    pub attempts: u32,
    /// Not before; while it is worked on, when the lease ends.
    pub due: Time,
    /// What the last attempt failed with.
    pub error: Option<String>,
    /// When it was first asked for.
    pub created: Time,
}

/// How many jobs of one kind there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// The kind.
    pub kind: String,
    /// Jobs that wait or are worked on.
    pub waiting: u64,
    /// Jobs that were given up.
    pub dead: u64,
    /// For how long the oldest of those that wait could have been worked on.
    pub lag: Duration,
}

/// The queue of all jobs. Cheap to clone.
#[derive(Clone)]
pub struct Jobs {
    db: Db,
    clock: Arc<dyn Clock>,
    options: Options,
    asked: Arc<Notify>,
}

impl Jobs {
    /// The queue in this database.
    pub fn new(db: Db, clock: Arc<dyn Clock>, options: Options) -> Self {
        Self { db, clock, options, asked: Arc::new(Notify::new()) }
    }

    /// Says that a unit of work which asked for jobs has committed, so that a worker of this process need not wait for
    /// its next look at the table. Leaving it out only costs time.
    pub fn wake(&self) {
        self.asked.notify_one();
    }

    /// Waits for [`Jobs::wake`].
    pub(crate) async fn asked(&self) {
        self.asked.notified().await;
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    /// Leases the most urgent due job of the given kinds, if there is one.
    ///
    /// A job that was leased too often without any word from its workers is given up on the way: it is probably what
    /// kills them.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn lease(&self, kinds: &[&'static str], lease_for: Duration) -> Result<Option<Leased>, Error> {
        let kinds = serde_json::to_string(kinds)?;
        // A look costs no commit, and most looks find nothing.
        let far = self.far(lease_for);
        while db::jobs::is_due(&self.db, &kinds, self.clock.now(), self.clock.now().plus(far)).await? {
            let (now, attempts_max, kinds) = (self.clock.now(), self.options.attempts_max, kinds.clone());
            let worker = self.options.worker.clone();
            let row = self
                .db
                .write(Lane::Free, async move |tx| {
                    let (far, until) = (now.plus(far), now.plus(lease_for));
                    let leased = db::jobs::lease(&tx, &kinds, now, far, until, worker.as_deref()).await?;
                    let Some(row) = leased else { return Ok::<_, Error>(None) };
                    if row.attempts > attempts_max {
                        let error = row.error.as_deref().unwrap_or("no worker lived to tell what went wrong");
                        db::jobs::give_back(&tx, row.id, row.lease, Verdict::Dead, Some(error), now).await?;
                    }
                    Ok(Some(row))
                })
                .await?;
            match row {
                None => return Ok(None),
                Some(row) if row.attempts > self.options.attempts_max => {
                    metrics::counter!("holdfast_jobs_dead_total", "kind" => row.kind.clone()).increment(1);
                    tracing::error!(job = %row.id, kind = row.kind, "gave up a job whose workers all vanished");
                }
                Some(row) => {
                    metrics::counter!("holdfast_job_attempts_total", "kind" => row.kind.clone()).increment(1);
                    return Ok(Some(Leased {
                        id: row.id,
                        kind: row.kind,
                        version: row.version,
                        attempts: row.attempts,
                        created: row.created,
                        payload: row.payload,
                        generation: row.lease,
                        tally: Arc::default(),
                    }));
                }
            }
        }
        Ok(None)
    }

    /// How far away a time is that no right clock has set.
    fn far(&self, lease_for: Duration) -> Duration {
        FAR.max(lease_for * 2).max(self.options.retry_max * 2)
    }

    fn view(&self, row: db::jobs::JobRow) -> JobView {
        let now = self.clock.now();
        view(row, now, now.plus(self.far(self.options.lease)))
    }

    /// Keeps the job for another `lease_for` from now, and writes down how far it is.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] if it came too late, [`Error::Database`].
    pub async fn renew(&self, job: &Leased, lease_for: Duration) -> Result<(), Error> {
        let (id, generation, until) = (job.id, job.generation, self.clock.now().plus(lease_for));
        let told = job.told().map(|tally| (tally.done, tally.total, tally.unit.as_str()));
        self.held(async move |tx| db::jobs::renew(&tx, id, generation, until, told).await).await
    }

    /// The job is done.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] if somebody else has it by now, [`Error::Database`].
    pub async fn complete(&self, job: &Leased) -> Result<(), Error> {
        let (id, generation, now) = (job.id, job.generation, self.clock.now());
        self.held(async move |tx| db::jobs::complete(&tx, id, generation, now).await).await
    }

    /// The attempt failed: the job waits for the next one, or is dead if this was the last.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] if somebody else has it by now, [`Error::Database`].
    pub async fn retry_later(&self, job: &Leased, error: &str) -> Result<(), Error> {
        if job.attempts >= self.options.attempts_max {
            return self.give_up(job, error).await;
        }
        let due = self.clock.now().plus(backoff(&self.options, job.id, job.attempts));
        self.give_back(job, Verdict::Later(due), Some(error)).await
    }

    /// The job cannot be done yet, which is nobody's failure: it waits, and the attempt does not count.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] if somebody else has it by now, [`Error::Database`].
    pub async fn postpone(&self, job: &Leased, wait: Duration) -> Result<(), Error> {
        self.give_back(job, Verdict::LaterUncounted(self.clock.now().plus(wait)), None).await
    }

    /// The job can never be done: it is dead, and waits for an administrator.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] if somebody else has it by now, [`Error::Database`].
    pub async fn give_up(&self, job: &Leased, error: &str) -> Result<(), Error> {
        self.give_back(job, Verdict::Dead, Some(error)).await?;
        metrics::counter!("holdfast_jobs_dead_total", "kind" => job.kind.clone()).increment(1);
        Ok(())
    }

    async fn give_back(&self, job: &Leased, verdict: Verdict, error: Option<&str>) -> Result<(), Error> {
        let (id, generation, now) = (job.id, job.generation, self.clock.now());
        let error = error.map(|error| error[..error.floor_char_boundary(ERROR_BYTES_MAX)].to_owned());
        self.held(async move |tx| db::jobs::give_back(&tx, id, generation, verdict, error.as_deref(), now).await).await
    }

    /// Runs a unit of work that answers whether the caller still held the lease.
    async fn held<F, Fut>(&self, unit: F) -> Result<(), Error>
    where
        F: FnOnce(Tx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<bool, db::Error>> + Send + 'static,
    {
        if self.db.write(Lane::Free, unit).await? { Ok(()) } else { Err(Error::LeaseLost) }
    }

    /// Brings a dead job back to life, with all its attempts before it.
    ///
    /// # Errors
    /// [`Error::JobUnknown`] if there is no dead job of this id, [`Error::Database`].
    pub async fn retry_dead(&self, id: JobId) -> Result<JobView, Error> {
        let now = self.clock.now();
        let revived = self.db.write(Lane::Free, async move |tx| db::jobs::revive(&tx, id, now).await).await?;
        self.wake();
        match db::jobs::job(&self.db, id).await? {
            Some(row) if revived => Ok(self.view(row)),
            _ => Err(Error::JobUnknown),
        }
    }

    /// Cancels a job of one of these kinds, which can be left undone. Somebody who is working on it loses it, and stops within
    /// seconds.
    ///
    /// # Errors
    /// [`Error::JobUnknown`], [`Error::NotCancellable`] for other kinds, [`Error::Database`].
    pub async fn cancel(&self, id: JobId, kinds: &[&str]) -> Result<JobView, Error> {
        let row = db::jobs::job(&self.db, id).await?.ok_or(Error::JobUnknown)?;
        if !kinds.contains(&row.kind.as_str()) {
            return Err(Error::NotCancellable(row.kind));
        }
        if !self.db.write(Lane::Free, async move |tx| db::jobs::delete(&tx, id).await).await? {
            return Err(Error::JobUnknown);
        }
        Ok(self.view(row))
    }

    /// Up to `limit` jobs of a state, the oldest first (to the millisecond), beginning after `after`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn list(&self, state: JobState, after: Option<JobId>, limit: u32) -> Result<Vec<JobView>, Error> {
        let now = self.clock.now();
        let times = (now, now.plus(self.far(self.options.lease)));
        let limit = limit.min(base::limits::PAGE_ENTRIES_MAX);
        let rows = db::jobs::list(&self.db, state.into(), times, after, limit).await?;
        Ok(rows.into_iter().map(|row| view(row, times.0, times.1)).collect())
    }

    /// How many jobs of each kind there are.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn queues(&self) -> Result<Vec<Queue>, Error> {
        let now = self.clock.now();
        let rows = db::jobs::queues(&self.db).await?;
        let queue = |row: db::jobs::QueueRow| Queue {
            kind: row.kind,
            waiting: row.waiting,
            dead: row.dead,
            lag: row.oldest_due.map_or(Duration::ZERO, |due| now.since(due)),
        };
        Ok(rows.into_iter().map(queue).collect())
    }
}

fn view(row: db::jobs::JobRow, now: Time, far: Time) -> JobView {
    let state = match row.standing(now, far) {
        Standing::Waiting => JobState::Waiting,
        Standing::Running => JobState::Running,
        Standing::Dead => JobState::Dead,
    };
    let tally = match (row.done, row.unit.as_deref().and_then(Unit::parse)) {
        (Some(done), Some(unit)) => Some(Tally { done, total: row.total, unit }),
        _ => None,
    };
    let began = row.began.filter(|_| state == JobState::Running);
    JobView {
        running: began.map(|since| Running { since, worker: row.worker, tally }),
        id: row.id,
        kind: row.kind,
        state,
        dedup: row.dedup,
        payload: row.payload,
        priority: row.priority,
        attempts: row.attempts,
        due: row.due,
        error: row.error,
        created: row.created,
    }
}

/// The wait after failed attempt number `attempts`: doubled each time up to a bound, of which between a half and the
/// whole is taken ("equal jitter", Brooker, "Exponential Backoff and Jitter", 2015), so that jobs which failed together
/// do not come back together.
///
/// The share depends on the job's id and the attempt alone: a simulation with the same ids waits the same times.
fn backoff(options: &Options, id: JobId, attempts: u32) -> Duration {
    let doubled = options.retry_first.saturating_mul(1 << attempts.saturating_sub(1).min(30));
    let half = doubled.min(options.retry_max) / 2;
    // The last eight bytes of a UUIDv7 are random but for two bits; a round of splitmix64 spreads them over all.
    let bytes = id.to_bytes();
    let seed =
        u64::from_be_bytes([bytes[8], bytes[9], bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]]);
    let mixed = (seed ^ u64::from(attempts)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let share = (mixed ^ (mixed >> 31)) >> 32;
    half + half.mul_f64(share as f64 / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn waits_grow_to_a_bound_and_differ_between_jobs(id in any::<[u8; 16]>(), attempts in 1u32..100) {
            let options = Options::default();
            let id = JobId::from_bytes(id);
            let wait = backoff(&options, id, attempts);
            let full = options.retry_first.saturating_mul(1 << (attempts - 1).min(30)).min(options.retry_max);
            prop_assert!(wait >= full / 2 && wait <= full, "{wait:?} of {full:?}");
            prop_assert_eq!(wait, backoff(&options, id, attempts));
        }
    }

    #[test]
    fn jobs_that_failed_together_come_back_apart() {
        let options = Options::default();
        let waits: std::collections::HashSet<_> = (0..100u8)
            .map(|last| backoff(&options, JobId::from_bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]), 5))
            .collect();
        assert!(waits.len() > 90, "{}", waits.len());
    }
}
