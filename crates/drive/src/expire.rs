//! Removes uploads that nobody came back for.

use std::time::Duration;

use async_trait::async_trait;
use bus::{Progress, WorkError, Worker};
use db::uploads;

use crate::{Drive, Error, work::Work};

/// Uploads that one look takes.
const BITE: u32 = 32;

/// How often expired uploads are looked for: late enough to cost nothing, soon against lifetimes of hours.
const LOOK: Duration = Duration::from_secs(60);

/// Removes expired uploads and gives back what they hold. An upload that lives has a later expiry in the row that is looked
/// at under the lock, and is left alone.
pub struct Expirer {
    drive: Drive,
}

impl Expirer {
    /// The worker for the uploads of this drive.
    pub fn new(drive: Drive) -> Self {
        Self { drive }
    }

    /// Removes up to a bite of expired uploads; how many.
    ///
    /// # Errors
    /// [`Error::Db`], [`Error::Files`].
    pub async fn round(&self) -> Result<usize, Error> {
        let expired = uploads::expired_uploads(&self.drive.inner.db, self.drive.now(), BITE).await?;
        let mut removed = 0;
        for seen in expired {
            let drive = self.drive.clone();
            let gone = self
                .drive
                .write(seen.space, async move |tx| {
                    let work = Work::hold(&drive, &tx, seen.space, None).await?;
                    match uploads::upload(&tx, seen.id).await? {
                        Some(row) if row.expires <= work.now => work.drop_upload(row).await.map(|()| true),
                        _ => Ok(false),
                    }
                })
                .await?;
            if gone {
                self.drive.inner.running.cut(seen.id);
                removed += 1;
            }
        }
        metrics::counter!("holdfast_uploads_expired_total").increment(removed as u64);
        Ok(removed)
    }
}

#[async_trait]
impl Worker for Expirer {
    fn name(&self) -> &'static str {
        "drive.expire"
    }

    async fn work(&self) -> Result<Progress, WorkError> {
        Ok(if self.round().await? > 0 { Progress::Busy } else { Progress::Idle })
    }

    async fn idle(&self) {
        tokio::time::sleep(LOOK).await;
    }
}
