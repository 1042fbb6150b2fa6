//! Recurring tasks: what one says of itself, and what runs them all.

use std::{
    collections::BTreeSet,
    error::Error as StdError,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use base::Clock;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::Jobs;

/// The wait after a worker's first failure in a row; each further one doubles it.
const BACKOFF_FIRST: Duration = Duration::from_millis(500);

/// The longest wait after failures.
const BACKOFF_MAX: Duration = Duration::from_secs(60);

/// The longest rest between two units, however long the first one took.
const REST_MAX: Duration = Duration::from_secs(30);

/// How long a unit that runs when the process is told to stop may go on before it is dropped.
const GRACE: Duration = Duration::from_secs(5);

/// A recurring task, after the worker contract of Garage (`util/background/worker.rs`): one unit of work, and the wait
/// for the next. All else is the [`Runner`]'s business.
#[async_trait]
pub trait Worker: Send + Sync + 'static {
    /// What it is called in logs and metrics.
    fn name(&self) -> &'static str;

    /// Does one unit of work: small enough to be done within seconds, since rest and shutdown come between units. It may
    /// be dropped at any await, which must leave what a later unit can take up.
    ///
    /// # Errors
    /// Any error; it is logged, and the next unit waits for a back-off.
    async fn work(&self) -> Result<Progress, WorkError>;

    /// Waits until there may be something to do. Called after [`Progress::Idle`] only, and dropped at shutdown.
    async fn idle(&self);
}

/// What a unit of work found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It did something, and there may be more at once.
    Busy,
    /// There is nothing to do now.
    Idle,
}

/// Why a unit of work failed, for the log. Any error turns into it with `?`.
#[derive(Debug)]
pub struct WorkError(String);

impl<E: StdError> From<E> for WorkError {
    fn from(error: E) -> Self {
        Self(chain(&error))
    }
}

impl fmt::Display for WorkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An error with all that caused it, in one line.
pub(crate) fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let error_text = error.to_string();
        // Transparent errors repeat their cause's text.
        if !text.ends_with(&error_text) {
            text.push_str(": ");
            text.push_str(&error_text);
        }
        cause = error.source();
    }
    text
}

/// How hard a worker may work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How many times as long as a unit took the worker rests after it: 0 works without rest, 1 half of the time, 9 a
    /// tenth of it (Garage calls this tranquility). Work then yields to a machine that is slow because it is loaded.
    pub tranquility: u32,
}

impl Pace {
    /// Without rest.
    pub const FULL: Self = Self { tranquility: 0 };
}

/// Runs workers until it is told to stop.
pub struct Runner {
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Runner {
    /// A runner whose workers stop when `stop` is cancelled. Dropping it ends them at once.
    pub fn new(clock: Arc<dyn Clock>, stop: CancellationToken) -> Self {
        Self { clock, stop, tasks: JoinSet::new() }
    }

    /// Starts a worker.
    pub fn add(&mut self, worker: Arc<dyn Worker>, pace: Pace) {
        let lane = Lane { clock: Arc::clone(&self.clock), stop: self.stop.clone(), worker, pace };
        self.tasks.spawn(async move {
            let stop = lane.stop.clone();
            tokio::select! {
                () = lane.run() => {}
                // The loop leaves by itself between two units; this is for a unit that does not end.
                () = async { stop.cancelled().await; tokio::time::sleep(GRACE).await } => {
                    tracing::warn!(worker = lane.worker.name(), "dropped a unit of work that did not end in time");
                }
            }
        });
    }

    /// Waits until all workers have stopped, which they do within seconds after the token is cancelled.
    pub async fn finish(mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a worker ended by a panic outside its work");
            }
        }
    }
}

/// One worker with what it needs to run.
struct Lane {
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    worker: Arc<dyn Worker>,
    pace: Pace,
}

impl Lane {
    async fn run(&self) {
        let name = self.worker.name();
        let mut failures = 0;
        while !self.stop.is_cancelled() {
            let began = self.clock.elapsed();
            let result = self.unit().await;
            let took = self.clock.elapsed().saturating_sub(began);
            match result {
                Ok(Progress::Busy) => {
                    failures = 0;
                    metrics::counter!("holdfast_worker_units_total", "worker" => name).increment(1);
                    metrics::histogram!("holdfast_worker_seconds", "worker" => name).record(took.as_secs_f64());
                    match took.saturating_mul(self.pace.tranquility).min(REST_MAX) {
                        // A worker that never waits for anything must not keep its thread from the others.
                        Duration::ZERO => tokio::task::yield_now().await,
                        rest => self.wait(tokio::time::sleep(rest)).await,
                    }
                }
                Ok(Progress::Idle) => {
                    failures = 0;
                    self.wait(self.worker.idle()).await;
                }
                Err(error) => {
                    metrics::counter!("holdfast_worker_errors_total", "worker" => name).increment(1);
                    let wait = BACKOFF_FIRST.saturating_mul(1 << failures.min(16)).min(BACKOFF_MAX);
                    failures += 1;
                    tracing::warn!(worker = name, failures, %error, "a unit of background work failed");
                    self.wait(tokio::time::sleep(wait)).await;
                }
            }
        }
    }

    /// One unit in a task of its own: its panic is its failure and does not end the worker.
    async fn unit(&self) -> Result<Progress, WorkError> {
        let mut task = JoinSet::new();
        let worker = Arc::clone(&self.worker);
        task.spawn(async move { worker.work().await });
        match task.join_next().await {
            Some(Ok(result)) => result,
            Some(Err(panic)) => Err(WorkError(format!("it panicked: {panic}"))),
            None => Err(WorkError("it was not run".to_owned())),
        }
    }

    async fn wait(&self, event: impl Future<Output = ()>) {
        tokio::select! {
            () = event => {}
            () = self.stop.cancelled() => {}
        }
    }
}

/// Publishes how long the queues are: jobs by kind and state, and for how long the oldest has been due.
pub struct QueueGauges {
    jobs: Jobs,
    every: Duration,
    /// Kinds that were published once. A kind without jobs has no row, and its gauges must still fall to zero.
    known: Mutex<BTreeSet<String>>,
}

impl QueueGauges {
    /// Counts the jobs every so often.
    pub fn new(jobs: Jobs, every: Duration) -> Self {
        Self { jobs, every, known: Mutex::new(BTreeSet::new()) }
    }
}

#[async_trait]
impl Worker for QueueGauges {
    fn name(&self) -> &'static str {
        "queue-gauges"
    }

    async fn work(&self) -> Result<Progress, WorkError> {
        let queues = self.jobs.queues().await?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(queues.iter().map(|queue| queue.kind.clone()));
        for kind in known.iter() {
            let queue = queues.iter().find(|queue| queue.kind == *kind);
            let (waiting, dead, lag) =
                queue.map_or((0, 0, Duration::ZERO), |queue| (queue.waiting, queue.dead, queue.lag));
            metrics::gauge!("holdfast_jobs", "kind" => kind.clone(), "state" => "waiting").set(waiting as f64);
            metrics::gauge!("holdfast_jobs", "kind" => kind.clone(), "state" => "dead").set(dead as f64);
            metrics::gauge!("holdfast_jobs_lag_seconds", "kind" => kind.clone()).set(lag.as_secs_f64());
        }
        Ok(Progress::Idle)
    }

    async fn idle(&self) {
        tokio::time::sleep(self.every).await;
    }
}
