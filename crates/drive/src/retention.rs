//! What age ends: entries of the trash, versions that another one replaced long ago, roles that ended, and what is known of the
//! use of links.

use std::time::Duration;

use async_trait::async_trait;
use base::Time;
use bus::{Progress, WorkError, Worker};
use db::{Lane, grants, trash, versions};
use parking_lot::Mutex;

use crate::{Drive, Error, links, work::Work};

/// Rows that one unit of work takes at most.
const BITE: u32 = 100;

/// How often it is looked: against lifetimes of days.
const LOOK: Duration = Duration::from_secs(600);

/// How long a time must have been past by this process's own clock before anything goes by it.
const SECOND_LOOK: Duration = Duration::from_secs(3600);

/// How long a role that ended is still shown.
const ENDED_SHOWN: Duration = Duration::from_secs(30 * 24 * 3600);

/// Removes for good what is older than the options allow.
///
/// To a wall clock that is days ahead everything looks old. So a time is taken for past only when it was past an hour ago
/// as well, by this process's monotonic clock, and the wall clock has not gone back behind it since. All that has to
/// survive a restart stands in the rows; one only begins the hour anew.
pub struct Retention {
    drive: Drive,
    /// The wall time of a look, and when that was.
    seen: Mutex<Option<(Time, Duration)>>,
}

impl Retention {
    /// The worker for the spaces of this drive.
    pub fn new(drive: Drive) -> Self {
        Self { drive, seen: Mutex::default() }
    }

    /// Removes a bite of what is too old; whether there may be more.
    ///
    /// # Errors
    /// [`Error::Db`], [`Error::Files`].
    pub async fn round(&self) -> Result<bool, Error> {
        let Some(now) = self.settled_now() else { return Ok(false) };
        let options = &self.drive.inner.options;
        let mut busy = false;
        if let Some(lifetime) = options.trash_lifetime {
            busy |= self.old_trash(now.minus(lifetime)).await?;
        }
        if let Some(lifetime) = options.version_lifetime {
            busy |= self.old_versions(now.minus(lifetime)).await?;
        }
        busy |= links::forget(&self.drive, now).await?;
        busy |= self.old_grants(now.minus(ENDED_SHOWN)).await?;
        Ok(busy)
    }

    /// A time that is certainly past; none until an hour after the first look.
    fn settled_now(&self) -> Option<Time> {
        let (now, elapsed) = (self.drive.now(), self.drive.inner.clock.elapsed());
        let mut seen = self.seen.lock();
        let (then, at) = *seen.get_or_insert((now, elapsed));
        if now < then {
            *seen = Some((now, elapsed));
            return None;
        }
        if elapsed.saturating_sub(at) < SECOND_LOOK {
            return None;
        }
        // The next hour begins with this look, unless the last one is still fresh enough to go by.
        if elapsed.saturating_sub(at) >= SECOND_LOOK * 2 {
            *seen = Some((now, elapsed));
        }
        Some(then)
    }

    async fn old_trash(&self, before: Time) -> Result<bool, Error> {
        let rows = trash::before(&self.drive.inner.db, before, BITE).await?;
        let Some(space) = rows.first().map(|row| row.space) else { return Ok(false) };
        let drive = self.drive.clone();
        let gone = self
            .drive
            .write(space, async move |tx| {
                let work = Work::hold(&drive, &tx, space, None).await?;
                let mut ripe = Vec::new();
                for row in rows.into_iter().filter(|row| row.space == space) {
                    // What came back meanwhile, and perhaps was put here once more, has another number.
                    if trash::place(&tx, row.entry).await?.is_some_and(|now| now.sequence == row.sequence) {
                        ripe.push(row);
                    }
                }
                work.destroy_trashed(ripe).await
            })
            .await?;
        metrics::counter!("holdfast_trash_expired_total").increment(gone as u64);
        Ok(true)
    }

    /// Forgets what was given on entries that are gone, and what ended.
    async fn old_grants(&self, before: Time) -> Result<bool, Error> {
        let swept =
            self.drive.inner.db.write(Lane::Free, async move |tx| grants::sweep(&tx, before, BITE).await).await?;
        Ok(swept > 0)
    }

    async fn old_versions(&self, before: Time) -> Result<bool, Error> {
        let rows = versions::replaced_before(&self.drive.inner.db, before, BITE).await?;
        let Some((space, ..)) = rows.first().copied() else { return Ok(false) };
        let drive = self.drive.clone();
        let gone = self
            .drive
            .write(space, async move |tx| {
                let work = Work::hold(&drive, &tx, space, None).await?;
                let mut removed = Vec::new();
                for (_, entry, version) in rows.into_iter().filter(|(in_space, ..)| *in_space == space) {
                    removed.extend(versions::delete_replaced(&tx, space, entry, version, before).await?);
                }
                work.give_back(&removed).await?;
                Ok::<_, Error>(removed.len())
            })
            .await?;
        metrics::counter!("holdfast_versions_expired_total").increment(gone as u64);
        Ok(true)
    }
}

#[async_trait]
impl Worker for Retention {
    fn name(&self) -> &'static str {
        "drive.retention"
    }

    async fn work(&self) -> Result<Progress, WorkError> {
        Ok(if self.round().await? { Progress::Busy } else { Progress::Idle })
    }

    async fn idle(&self) {
        tokio::time::sleep(LOOK).await;
    }
}
