//! The role that does what follows from changes: queued jobs and recurring passes.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use base::Clock;
use bus::{JobWorker, Pace, Progress, QueueGauges, Runner, WorkError, Worker};
use drive::jobs::{DissolveHandler, EmptyHandler, Expirer, HashHandler, PurgeHandler, Retention};
use files::workers::{Auditor, Cleaner, Rebalancer, RepairHandler, Scrubber};
use tokio_util::sync::CancellationToken;

use crate::{mail, roles::System};

/// Jobs done at once by one process.
const JOBS_AT_ONCE: usize = 4;

/// How often a node's segments are looked at for dead space.
const COMPACTION_LOOK: Duration = Duration::from_secs(30);

/// Starts all background work of the process.
///
/// # Errors
/// If letters are to be sent, and it is not said how.
pub(crate) fn start(system: &System, stop: CancellationToken) -> anyhow::Result<Runner> {
    let store = &system.store;
    let rest = Pace { tranquility: system.config.files.background_rest };
    let mut runner = Runner::new(system.clock.clone(), stop);
    let mut handlers: Vec<Arc<dyn bus::Handler>> = vec![
        Arc::new(RepairHandler::new(store.clone())),
        Arc::new(PurgeHandler::new(system.drive.clone())),
        Arc::new(EmptyHandler::new(system.drive.clone())),
        Arc::new(DissolveHandler::new(system.drive.clone())),
        Arc::new(HashHandler::new(system.drive.clone())),
    ];
    if let Some(post) = mail::post(&system.config.mail)? {
        handlers.push(Arc::new(accounts::MailHandler::new(system.accounts.clone(), Arc::new(post))));
    }
    for _ in 0..JOBS_AT_ONCE {
        let worker = JobWorker::new(system.jobs.clone(), system.clock.clone(), handlers.clone());
        runner.add(Arc::new(worker), rest);
    }
    runner.add(Arc::new(Cleaner::new(store.clone())), Pace::FULL);
    runner.add(Arc::new(Rebalancer::new(store.clone())), rest);
    runner.add(Arc::new(Scrubber::new(store.clone())), rest);
    runner.add(Arc::new(Auditor::new(store.clone())), rest);
    runner.add(Arc::new(Expirer::new(system.drive.clone())), rest);
    runner.add(Arc::new(Retention::new(system.drive.clone())), rest);
    runner.add(Arc::new(QueueGauges::new(system.jobs.clone(), Duration::from_secs(10))), Pace::FULL);
    runner.add(Arc::new(Pruning { accounts: system.accounts.clone() }), rest);
    for node in system.nodes() {
        runner.add(Arc::new(Compaction { node: node.clone() }), rest);
    }
    Ok(runner)
}

/// Starts only what a storage server of its own needs.
pub(crate) fn start_compactions(nodes: Vec<node::Node>, clock: Arc<dyn Clock>, stop: CancellationToken) -> Runner {
    let mut runner = Runner::new(clock, stop);
    for node in nodes {
        runner.add(Arc::new(Compaction { node }), Pace { tranquility: 2 });
    }
    runner
}

/// Gives the space of removed parts back.
struct Compaction {
    node: node::Node,
}

#[async_trait]
impl Worker for Compaction {
    fn name(&self) -> &'static str {
        "compaction"
    }

    async fn work(&self) -> Result<Progress, WorkError> {
        Ok(match self.node.compact_once().await? {
            Some(_) => Progress::Busy,
            None => Progress::Idle,
        })
    }

    async fn idle(&self) {
        tokio::time::sleep(COMPACTION_LOOK).await;
    }
}

/// Forgets sessions and tokens that are long over.
struct Pruning {
    accounts: accounts::Accounts,
}

/// Rows of one bite.
const PRUNE_ROWS: u32 = 1000;

#[async_trait]
impl Worker for Pruning {
    fn name(&self) -> &'static str {
        "pruning"
    }

    async fn work(&self) -> Result<Progress, WorkError> {
        self.accounts.prune(PRUNE_ROWS).await?;
        Ok(Progress::Idle)
    }

    async fn idle(&self) {
        tokio::time::sleep(Duration::from_secs(3600)).await;
    }
}
