//! What age ends: entries of the trash, versions that another one replaced long ago, roles that ended, what is known of the use
//! of links, and the oldest part of the journals.

use std::time::Duration;

use accounts::Action;
use async_trait::async_trait;
use base::{SpaceId, Time};
use bus::{Progress, WorkError, Worker};
use db::{
    Lane, grants, journal,
    plans::{self, Limits},
    retention::{self as rows, Age, RetentionRow},
    trash,
};
use parking_lot::Mutex;

use crate::{Actor, Drive, Error, drive::Rules, links, work::Work};

/// Rows that one unit of work takes at most.
const BITE: u32 = 100;

/// Changes that one unit of work forgets at most: they are small.
const CHANGES_BITE: u32 = 2000;

/// How often it is looked: against lifetimes of days.
const LOOK: Duration = Duration::from_secs(600);

/// How long a time must have been past by this process's own clock before anything goes by it.
const SECOND_LOOK: Duration = Duration::from_secs(3600);

/// How long a role that ended is still shown.
const ENDED_SHOWN: Duration = Duration::from_secs(30 * 24 * 3600);

/// The most that a space may say of days.
const DAYS_MAX: u32 = 36_500;

/// The most versions of a file that a space may keep.
const VERSIONS_MAX: u32 = 10_000;

/// How long a space keeps what it need not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keeping {
    /// What it says of its own; what is absent is as the server has it.
    pub own: RetentionRow,
    /// What holds: nothing of it is absent.
    pub now: RetentionRow,
    /// What its plan allows at most; of its days of versions a plan says nothing.
    pub plan: RetentionRow,
}

/// What a space is to say of its own. What is absent stays; `Some(None)` is as the server has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keep {
    /// Days that its trash keeps something; 0 for as long as nobody empties it.
    pub trash_days: Option<Option<u32>>,
    /// Versions of a file that are kept, the current one among them.
    pub versions_kept: Option<Option<u32>>,
    /// Days that a version is kept after another one took its place; 0 for no bound by age.
    pub version_days: Option<Option<u32>>,
}

impl Keeping {
    pub(crate) fn of(rules: Rules, own: RetentionRow, limits: &Limits) -> Self {
        let now = RetentionRow {
            trash_days: Some(days_in_force(own.trash_days, limits.trash_days, rules.trash_days)),
            versions_kept: Some(match limits.versions_kept {
                Some(most) => own.versions_kept.unwrap_or(most).min(most),
                None => own.versions_kept.unwrap_or(rules.versions_kept),
            }),
            version_days: own.version_days.or(Some(rules.version_days)),
        };
        let plan =
            RetentionRow { trash_days: limits.trash_days, versions_kept: limits.versions_kept, version_days: None };
        Self { own, now, plan }
    }
}

/// The days that a trash keeps something, 0 for ever: what the space says, as far as its plan allows it, and what holds where
/// neither says anything.
fn days_in_force(own: Option<u32>, most: Option<u32>, usual: u32) -> u32 {
    match (own, most) {
        (Some(own), Some(most)) if own > 0 => own.min(most),
        (_, Some(most)) => most,
        (own, None) => own.unwrap_or(usual),
    }
}

impl Drive {
    /// How long a space keeps what it need not.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn keeping(&self, actor: &Actor, space: SpaceId) -> Result<Keeping, Error> {
        self.own_space(actor, Action::Read, space).await?;
        let own = rows::of_space(&self.inner.db, space).await?.ok_or(Error::NotFound("space"))?;
        let plan = plans::find_in_force(&self.inner.db, space).await?.ok_or(Error::NotFound("space"))?;
        self.refresh_rules().await;
        Ok(Keeping::of(self.rules(), own, &plan.limits))
    }

    /// Changes what a space says of that. Versions beyond a lower number go when their file gets a new one.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Keep`], [`Error::BeyondPlan`] for more than its plan allows.
    pub async fn keep(&self, actor: &Actor, space: SpaceId, keep: Keep) -> Result<Keeping, Error> {
        let days = [keep.trash_days, keep.version_days].into_iter().flatten().flatten();
        let versions = keep.versions_kept.flatten().unwrap_or(1);
        if days.max().is_some_and(|days| days > DAYS_MAX) || !(1..=VERSIONS_MAX).contains(&versions) {
            return Err(Error::Keep);
        }
        self.own_space(actor, Action::Manage, space).await?;
        let (drive, actor) = (self.clone(), actor.clone());
        self.write(space, async move |tx| {
            let work = Work::hold(&drive, &tx, space, Some(&actor)).await?;
            work.permit(Action::Manage, work.space.root, "space").await?;
            let old = rows::within(&tx, space).await?.ok_or(Error::NotFound("space"))?;
            let own = RetentionRow {
                trash_days: keep.trash_days.unwrap_or(old.trash_days),
                versions_kept: keep.versions_kept.unwrap_or(old.versions_kept),
                version_days: keep.version_days.unwrap_or(old.version_days),
            };
            let limits = plans::in_force(&tx, space).await?.ok_or(Error::NotFound("space"))?.limits;
            within_plan(&keep, &limits)?;
            rows::set(&tx, space, &own).await?;
            Ok(Keeping::of(drive.rules(), own, &limits))
        })
        .await
    }
}

/// Whether a space may say so under its plan. What it said before the plan stands, and counts as far as the plan allows.
///
/// # Errors
/// [`Error::BeyondPlan`].
fn within_plan(keep: &Keep, limits: &Limits) -> Result<(), Error> {
    if let (Some(wanted), Some(most)) = (keep.trash_days.flatten(), limits.trash_days)
        && (wanted == 0 || wanted > most)
    {
        return Err(Error::BeyondPlan { most, what: "days in the trash" });
    }
    match (keep.versions_kept.flatten(), limits.versions_kept) {
        (Some(wanted), Some(most)) if wanted > most => Err(Error::BeyondPlan { most, what: "versions of a file" }),
        _ => Ok(()),
    }
}

/// Removes for good what is older than the options allow, or the space itself where it says otherwise.
///
/// To a wall clock that is days ahead everything looks old. So a time is taken for past only when it was past an hour ago
/// as well, by this process's monotonic clock, and the wall clock has not gone back behind it since. All that has to
/// survive a restart stands in the rows; one only begins the hour anew.
pub struct Retention {
    drive: Drive,
    /// The wall time of a look, and when that was.
    seen: Mutex<Option<(Time, Duration)>>,
    /// The space whose journal was looked at last.
    journals: Mutex<SpaceId>,
}

impl Retention {
    /// The worker for the spaces of this drive.
    pub fn new(drive: Drive) -> Self {
        Self { drive, seen: Mutex::default(), journals: Mutex::new(SpaceId::from_bytes([0; 16])) }
    }

    /// Removes a bite of what is too old; whether there may be more.
    ///
    /// # Errors
    /// [`Error::Db`], [`Error::Files`].
    pub async fn round(&self) -> Result<bool, Error> {
        let Some(now) = self.settled_now() else { return Ok(false) };
        self.drive.refresh_rules().await;
        let rules = self.drive.rules();
        let before = |days: u32| (days > 0).then(|| now.minus(Duration::from_secs(u64::from(days) * 86_400)));
        let mut busy = self.old_trash(Age { default: before(rules.trash_days), now }).await?;
        busy |= self.old_versions(Age { default: before(rules.version_days), now }).await?;
        busy |= links::forget(&self.drive, now).await?;
        busy |= self.old_grants(now.minus(ENDED_SHOWN)).await?;
        if let Some(lifetime) = self.drive.inner.options.history_lifetime {
            busy |= self.old_changes(now.minus(lifetime)).await?;
        }
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

    async fn old_trash(&self, age: Age) -> Result<bool, Error> {
        let found = rows::old_trash(&self.drive.inner.db, age, BITE).await?;
        let Some(space) = found.first().map(|row| row.space) else { return Ok(false) };
        let drive = self.drive.clone();
        let gone = self
            .drive
            .write(space, async move |tx| {
                let work = Work::hold(&drive, &tx, space, None).await?;
                let mut ripe = Vec::new();
                for row in found.into_iter().filter(|row| row.space == space) {
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

    /// Forgets the oldest changes of some spaces: a journal never gets a hole, and its newest change stays.
    async fn old_changes(&self, before: Time) -> Result<bool, Error> {
        let db = &self.drive.inner.db;
        let after = *self.journals.lock();
        let spaces = journal::spaces_with_old(db, after, before, BITE).await?;
        let mut forgotten = 0;
        for space in &spaces {
            let (space, bite) = (*space, CHANGES_BITE);
            forgotten +=
                db.write(Lane::Space(space), async move |tx| journal::forget(&tx, space, before, bite).await).await?;
        }
        *self.journals.lock() = spaces.last().copied().unwrap_or(SpaceId::from_bytes([0; 16]));
        metrics::counter!("holdfast_changes_forgotten_total").increment(forgotten);
        Ok(forgotten > 0)
    }

    async fn old_versions(&self, age: Age) -> Result<bool, Error> {
        let found = rows::old_versions(&self.drive.inner.db, age, BITE).await?;
        let Some((space, ..)) = found.first().copied() else { return Ok(false) };
        let drive = self.drive.clone();
        let gone = self
            .drive
            .write(space, async move |tx| {
                let work = Work::hold(&drive, &tx, space, None).await?;
                let mut removed = Vec::new();
                for (_, entry, version) in found.into_iter().filter(|(in_space, ..)| *in_space == space) {
                    removed.extend(rows::delete_version(&tx, space, entry, version, age).await?);
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
