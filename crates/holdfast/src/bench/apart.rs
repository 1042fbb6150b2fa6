//! A thread of its own for work that is measured.

use std::time::Duration;

use anyhow::{Context, anyhow};
use tokio::{runtime::Builder, task::spawn_blocking, time::timeout};

/// Does the work on one thread with nothing else on it, for at most so long.
///
/// The generator of a load shares the machine's cores with the servers. One thread without work stealing takes as
/// little of them as can be, and always the same.
pub(super) async fn apart<T: Send + 'static>(
    limit: Duration,
    work: impl Future<Output = anyhow::Result<T>> + Send + 'static,
) -> anyhow::Result<T> {
    let thread = spawn_blocking(move || {
        let runtime = Builder::new_current_thread().enable_all().build().context("a thread for the load")?;
        runtime.block_on(async move {
            timeout(limit, work).await.map_err(|_| anyhow!("it did not end within {} s", limit.as_secs()))?
        })
    });
    thread.await.context("the thread of the load")?
}
