//! The worker that leases jobs and gives them to whoever can do them.

use std::{collections::BTreeMap, error::Error as StdError, sync::Arc, time::Duration};

use async_trait::async_trait;
use base::Clock;
use tokio::task::JoinSet;

use crate::{Error, Jobs, Leased, Progress, WorkError, Worker, runner::chain};

/// Times between two renewals of a lease that a worker looks whether the handler has told something new.
const LOOKS: u32 = 4;

/// Does the jobs of one kind.
///
/// A job may be handled more than once, and by two workers at a time if one of them lost its lease: what a handler does
/// must come out the same. It may be dropped at any await when its lease is lost or the process ends.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// The kind of its jobs.
    fn kind(&self) -> &'static str;

    /// Does one job.
    ///
    /// # Errors
    /// Says with [`HandlerError`] what is to become of the job.
    async fn handle(&self, job: &Leased) -> Result<(), HandlerError>;
}

/// Why a job is not done. Any error turns into [`HandlerError::Failed`] with `?`.
#[derive(Debug)]
pub enum HandlerError {
    /// It may work another time: the job is repeated with back-off.
    Failed(String),
    /// It will never work: the job is dead at once.
    Hopeless(String),
    /// It is too early, which is nobody's failure: the job waits so long, and the attempt does not count.
    NotYet(Duration),
}

impl<E: StdError> From<E> for HandlerError {
    fn from(error: E) -> Self {
        Self::Failed(chain(&error))
    }
}

/// The worker that leases jobs and gives them to their handlers, one at a time. For several at a time, run several.
pub struct JobWorker {
    jobs: Jobs,
    clock: Arc<dyn Clock>,
    handlers: BTreeMap<&'static str, Arc<dyn Handler>>,
    kinds: Vec<&'static str>,
}

impl JobWorker {
    /// A worker for the kinds of these handlers; of two for one kind the later one counts.
    pub fn new(jobs: Jobs, clock: Arc<dyn Clock>, handlers: Vec<Arc<dyn Handler>>) -> Self {
        let handlers: BTreeMap<_, _> = handlers.into_iter().map(|handler| (handler.kind(), handler)).collect();
        let kinds = handlers.keys().copied().collect();
        Self { jobs, clock, handlers, kinds }
    }

    /// Runs the handler to its end, or until the lease is lost.
    ///
    /// The handler runs in a task of its own, so that its panic is its failure, and dropping it is ending it.
    async fn attempt(&self, job: &Arc<Leased>) -> Result<Result<(), HandlerError>, Error> {
        let Some(handler) = self.handlers.get(job.kind.as_str()).map(Arc::clone) else {
            return Ok(Err(HandlerError::Failed("this process has no handler for the job".to_owned())));
        };
        let lease = self.jobs.options().lease;
        let (mut told, mut looks) = (None, 0);
        let mut task = JoinSet::new();
        let theirs = Arc::clone(job);
        task.spawn(async move { handler.handle(&theirs).await });
        loop {
            tokio::select! {
                ended = task.join_next() => {
                    return Ok(match ended {
                        Some(Ok(result)) => result,
                        Some(Err(panic)) => Err(HandlerError::Failed(format!("the handler panicked: {panic}"))),
                        None => Err(HandlerError::Failed("the handler was not run".to_owned())),
                    });
                }
                // Two renewals may fail before the lease is over. What the handler tells is written down a little sooner.
                () = tokio::time::sleep(lease / 3 / LOOKS) => {
                    looks += 1;
                    let tells = job.told();
                    if looks < LOOKS && tells == told {
                        continue;
                    }
                    match self.jobs.renew(job, lease).await {
                        Ok(()) => (told, looks) = (tells, 0),
                        Err(Error::LeaseLost) => return Err(Error::LeaseLost),
                        Err(error) => {
                            looks = 0;
                            tracing::warn!(job = %job.id, kind = job.kind, %error, "could not renew the lease of a job");
                        }
                    }
                }
            }
        }
    }

    async fn settle(&self, job: &Leased, result: Result<(), HandlerError>) -> Result<(), Error> {
        match result {
            Ok(()) => self.jobs.complete(job).await,
            Err(HandlerError::NotYet(wait)) => self.jobs.postpone(job, wait).await,
            Err(HandlerError::Failed(error)) => {
                tracing::warn!(job = %job.id, kind = job.kind, attempt = job.attempts, error, "a job failed");
                self.jobs.retry_later(job, &error).await
            }
            Err(HandlerError::Hopeless(error)) => {
                tracing::error!(job = %job.id, kind = job.kind, error, "gave up a job that can never be done");
                self.jobs.give_up(job, &error).await
            }
        }
    }
}

#[async_trait]
impl Worker for JobWorker {
    fn name(&self) -> &'static str {
        "jobs"
    }

    async fn work(&self) -> Result<Progress, WorkError> {
        let Some(job) = self.jobs.lease(&self.kinds, self.jobs.options().lease).await? else {
            return Ok(Progress::Idle);
        };
        let job = Arc::new(job);
        let began = self.clock.elapsed();
        let settled = match self.attempt(&job).await {
            Ok(result) => self.settle(&job, result).await,
            Err(error) => Err(error),
        };
        let took = self.clock.elapsed().saturating_sub(began);
        metrics::histogram!("holdfast_job_seconds", "kind" => job.kind.clone()).record(took.as_secs_f64());
        match settled {
            Ok(()) => Ok(Progress::Busy),
            // The job is in good hands; this worker goes on with the next.
            Err(Error::LeaseLost) => {
                tracing::warn!(job = %job.id, kind = job.kind, "lost the lease of a job while working on it");
                Ok(Progress::Busy)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn idle(&self) {
        tokio::select! {
            () = self.jobs.asked() => {}
            () = tokio::time::sleep(self.jobs.options().poll) => {}
        }
    }
}
