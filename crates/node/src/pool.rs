//! Blocking work, so many jobs at once and no more.

use std::sync::Arc;

use proto::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_util::task::TaskTracker;

/// Runs blocking jobs on the runtime's blocking threads, within a limit of its own.
#[derive(Clone)]
pub(crate) struct Pool {
    permits: Arc<Semaphore>,
    tasks: TaskTracker,
}

/// A job that was started. Dropping it does not stop the job.
pub(crate) struct Job<T>(oneshot::Receiver<T>);

impl Pool {
    /// At most `jobs_max` at once; `tasks` waits for them when the node closes.
    pub(crate) fn new(jobs_max: usize, tasks: TaskTracker) -> Self {
        Self { permits: Arc::new(Semaphore::new(jobs_max)), tasks }
    }

    /// Starts a job as soon as there is room.
    pub(crate) async fn start<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Job<T> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect("the semaphore is never closed");
        self.spawn(permit, job)
    }

    /// Starts a job if there is room now, or gives it back.
    pub(crate) fn try_start<T: Send + 'static, F: FnOnce() -> T + Send + 'static>(&self, job: F) -> Result<Job<T>, F> {
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else { return Err(job) };
        Ok(self.spawn(permit, job))
    }

    /// The result goes through a channel, not through the task's handle: a result that nobody waits for any more is
    /// dropped within the task, so that who waits for all tasks also waits for what that drop does (removing a file).
    fn spawn<T: Send + 'static>(
        &self,
        permit: OwnedSemaphorePermit,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Job<T> {
        let (done, result) = oneshot::channel();
        self.tasks.spawn_blocking(move || {
            let unwanted = done.send(job());
            drop(unwanted);
            drop(permit);
        });
        Job(result)
    }

    /// Runs a job and waits for its result.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.start(job).await.end().await
    }
}

impl<T> Job<T> {
    /// Waits until the job is over; `None` if it broke off.
    pub(crate) async fn finished(self) -> Option<T> {
        self.0.await.ok()
    }
}

impl<T> Job<Result<T, Error>> {
    /// Waits for the result. A job that panicked, or that the runtime dropped while it stopped, gives `Unavailable`.
    pub(crate) async fn end(self) -> Result<T, Error> {
        self.0.await.unwrap_or_else(|_| Err(Error::Unavailable("a job of the node broke off".to_owned())))
    }
}
