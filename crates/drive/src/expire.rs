//! Removes uploads that nobody came back for.

use std::{collections::HashMap, time::Duration};

use async_trait::async_trait;
use base::{Time, UploadId};
use bus::{Progress, WorkError, Worker};
use db::uploads;
use parking_lot::Mutex;

use crate::{Drive, Error, work::Work};

/// Uploads that one look takes.
const BITE: u32 = 32;

/// How often expired uploads are looked for: late enough to cost nothing, soon against lifetimes of hours.
const LOOK: Duration = Duration::from_secs(60);

/// Removes expired uploads and gives back what they hold. An upload that lives has a later expiry in the row that is looked
/// at under the lock, and is left alone.
///
/// An upload is removed at a second look only, a while later by this process's own clock, and only if nothing moved
/// meanwhile: to a wall clock that is days ahead every upload looks expired.
pub struct Expirer {
    drive: Drive,
    suspects: Mutex<HashMap<UploadId, Suspect>>,
}

/// An upload that looked expired, and when that was first seen.
#[derive(Clone, Copy, PartialEq)]
struct Suspect {
    expires: Time,
    received: u64,
    generation: u64,
    first: Duration,
}

/// How long an upload must have looked expired and not moved.
pub(crate) fn second_look(lifetime: Duration) -> Duration {
    (lifetime / 8).min(Duration::from_secs(3600))
}

impl Expirer {
    /// The worker for the uploads of this drive.
    pub fn new(drive: Drive) -> Self {
        Self { drive, suspects: Mutex::default() }
    }

    /// Removes up to a bite of expired uploads; how many.
    ///
    /// # Errors
    /// [`Error::Db`], [`Error::Files`].
    pub async fn round(&self) -> Result<usize, Error> {
        let expired = uploads::expired_uploads(&self.drive.inner.db, self.drive.now(), BITE).await?;
        let elapsed = self.drive.inner.clock.elapsed();
        let wait = second_look(self.drive.inner.options.upload_lifetime);
        let ripe: Vec<_> = {
            let mut suspects = self.suspects.lock();
            let now: HashMap<_, _> = expired
                .iter()
                .map(|row| {
                    let fresh = Suspect {
                        expires: row.expires,
                        received: row.received,
                        generation: row.generation,
                        first: elapsed,
                    };
                    let known = suspects.get(&row.id).copied();
                    (row.id, known.filter(|known| Suspect { first: elapsed, ..*known } == fresh).unwrap_or(fresh))
                })
                .collect();
            *suspects = now;
            let first = |row: &uploads::UploadRow| suspects.get(&row.id).map_or(elapsed, |suspect| suspect.first);
            expired.into_iter().filter(|row| elapsed.saturating_sub(first(row)) >= wait).collect()
        };
        let mut removed = 0;
        for seen in ripe {
            let drive = self.drive.clone();
            let gone = self
                .drive
                .write(seen.space, async move |tx| {
                    let work = Work::hold(&drive, &tx, seen.space, None).await?;
                    match uploads::upload(&tx, seen.id).await? {
                        Some(row)
                            if row.expires <= work.now && row.expires == seen.expires && row.space == seen.space =>
                        {
                            work.drop_upload(row).await.map(|()| true)
                        }
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
        metrics::gauge!("holdfast_reserved_bytes").set(self.drive.reserved_bytes().await? as f64);
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
