//! The recurring and queued work of the store, for the worker role to run.

use std::time::Duration;

use async_trait::async_trait;
use bus::{Progress, WorkError, Worker};

pub use crate::{
    audit::Auditor,
    clean::Cleaner,
    rebalance::{Rebalancer, RepairHandler},
    scrub::Scrubber,
};

/// How often the tables are looked at when nobody says that there is something.
const LOOK: Duration = Duration::from_secs(1);

fn progress(busy: bool) -> Progress {
    if busy { Progress::Busy } else { Progress::Idle }
}

#[async_trait]
impl Worker for Cleaner {
    fn name(&self) -> &'static str {
        "clean-up"
    }

    async fn work(&self) -> Result<Progress, WorkError> {
        Ok(progress(self.round().await?))
    }

    async fn idle(&self) {
        // A notice says that something will be due soon, not that it is.
        let _ = tokio::time::timeout(LOOK, self.wait()).await;
    }
}

#[async_trait]
impl Worker for Rebalancer {
    fn name(&self) -> &'static str {
        "rebalance"
    }

    async fn work(&self) -> Result<Progress, WorkError> {
        Ok(progress(self.round().await?))
    }

    async fn idle(&self) {
        tokio::time::sleep(LOOK).await;
    }
}

#[async_trait]
impl Worker for Scrubber {
    fn name(&self) -> &'static str {
        "scrub"
    }

    async fn work(&self) -> Result<Progress, WorkError> {
        Ok(progress(self.round().await?))
    }

    async fn idle(&self) {
        tokio::time::sleep(LOOK).await;
    }
}

#[async_trait]
impl Worker for Auditor {
    fn name(&self) -> &'static str {
        "audit"
    }

    async fn work(&self) -> Result<Progress, WorkError> {
        Ok(progress(self.round().await?))
    }

    async fn idle(&self) {
        tokio::time::sleep(LOOK).await;
    }
}
