//! Plans: made, changed, removed, and given to spaces.
//!
//! Nothing is removed at the moment when a plan is changed or given. A space that holds more than it may takes no more bytes;
//! versions and trash shrink by the usual rules of retention, under the new limits; links and members stay, and no more come.
//! What that will come to is told beforehand if it is asked for, and with the answer in any case.

use accounts::AdminDeed;
use base::{AccountId, PlanId, SpaceId, Time, limits};
use db::{
    Lane, links,
    plans::{self as rows, Defaults, InForce, Of, PlanRow},
    spaces, usage,
};
use serde_json::{Value, json};

use super::{Admin, By, Effect, Limits, may};
use crate::{Actor, Drive, Error, Meter, Page, work::Work};

/// Characters of a plan's name.
const NAME_CHARS_MAX: usize = 100;

/// The most days that a plan may say.
const DAYS_MAX: u32 = 36_500;

/// The most versions of a file that a plan may say.
const VERSIONS_MAX: u32 = 10_000;

/// Spaces that one call gives a plan.
const TOGETHER_MAX: usize = 1000;

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Which one.
    pub id: PlanId,
    /// What people call it.
    pub name: String,
    /// What it allows; where something is absent, it sets no limit.
    pub limits: Limits,
    /// Whether new personal spaces get it.
    pub for_personal: bool,
    /// Whether new team spaces get it.
    pub for_team: bool,
    /// When it was made.
    pub created: Time,
    /// How many spaces have it.
    pub spaces: u64,
    /// In whose order plans are listed: where a page goes on.
    pub position: String,
}

impl Plan {
    fn of(row: PlanRow, spaces: u64) -> Self {
        Self {
            id: row.id,
            name: row.name,
            limits: row.limits,
            for_personal: row.for_personal,
            for_team: row.for_team,
            created: row.created,
            spaces,
            position: row.key,
        }
    }
}

/// A plan to make.
#[derive(Debug, Clone, Default)]
pub struct NewPlan {
    /// What people will call it.
    pub name: String,
    /// What it allows.
    pub limits: Limits,
    /// Whether new personal spaces are to get it, in place of the plan that they get now.
    pub for_personal: bool,
    /// Whether new team spaces are to get it.
    pub for_team: bool,
}

/// What is to change about a plan. What is absent stays, and `Some(None)` is no limit.
#[derive(Debug, Clone, Default)]
pub struct PlanUpdate {
    /// What people call it.
    pub name: Option<String>,
    /// Bytes of all versions and reservations together.
    pub storage_bytes: Option<Option<u64>>,
    /// Bytes of one file.
    pub file_bytes: Option<Option<u64>>,
    /// Versions of a file that are kept at most.
    pub versions_kept: Option<Option<u32>>,
    /// Days that the trash keeps something at most.
    pub trash_days: Option<Option<u32>>,
    /// Links of a space.
    pub links: Option<Option<u64>>,
    /// Members of a team's space.
    pub members: Option<Option<u64>>,
    /// Whether new personal spaces get it.
    pub for_personal: Option<bool>,
    /// Whether new team spaces get it.
    pub for_team: Option<bool>,
}

/// A plan that was changed, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanChange {
    /// The plan as it is then.
    pub plan: Plan,
    /// What that does to the spaces that have it.
    pub effect: Effect,
}

/// Who is given a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// A space.
    Space(SpaceId),
    /// Somebody's personal space.
    Person(AccountId),
}

/// Plans to give.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// Which one; none for what the server is configured to give.
    pub plan: Option<PlanId>,
    /// To whom.
    pub to: Vec<Holder>,
    /// Whether it is only to be told what that would do.
    pub preview: bool,
}

/// A space that was given a plan, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    /// The space.
    pub space: SpaceId,
    /// What holds for it then.
    pub limits: Limits,
    /// What that does.
    pub effect: Effect,
}

/// The plan of a space, and how much of it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanUse {
    /// The plan, if the space has one.
    pub plan: Option<(PlanId, String)>,
    /// Whether the room was set for the space alone.
    pub quota_own: bool,
    /// What holds; the versions and days that are kept among it, wherever they come from.
    pub limits: Limits,
    /// Versions of a file that are kept.
    pub versions_kept: u32,
    /// Days that the trash keeps something; 0 for ever.
    pub trash_days: u32,
    /// What fills the space.
    pub meter: Meter,
    /// Links to entries of the space.
    pub links: u64,
    /// People who have a role on all of it.
    pub members: u64,
}

impl Drive {
    /// The plan of a space, and how much of it is used.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn plan_use(&self, actor: &Actor, space: SpaceId) -> Result<PlanUse, Error> {
        self.own_space(actor, accounts::Action::Read, space).await?;
        self.plan_use_of(space).await
    }

    /// The same of any space.
    pub(crate) async fn plan_use_of(&self, space: SpaceId) -> Result<PlanUse, Error> {
        self.refresh_rules().await;
        let now = self.now();
        let db = &self.inner.db;
        let keep = db::retention::of_space(db, space).await?.ok_or(Error::NotFound("space"))?;
        let read = db.read(async move |tx| {
            let Some(in_force) = rows::in_force(&tx, space).await? else { return Ok(None) };
            let Some(meter) = usage::meter(&tx, space).await? else { return Ok(None) };
            let plan = match in_force.plan {
                Some(id) => rows::name_of(&tx, id).await?.map(|name| (id, name)),
                None => None,
            };
            let (links, members) = (links::count_of_space(&tx, space).await?, rows::members(&tx, space, now).await?);
            Ok::<_, db::Error>(Some((in_force, meter, plan, links, members)))
        });
        let (in_force, meter, plan, links, members) = read.await?.ok_or(Error::NotFound("space"))?;
        let keeping = crate::Keeping::of(self.rules(), keep, &in_force.limits);
        Ok(PlanUse {
            plan,
            quota_own: in_force.quota_own,
            limits: in_force.limits,
            versions_kept: keeping.now.versions_kept.unwrap_or(1),
            trash_days: keeping.now.trash_days.unwrap_or(0),
            meter: Meter::from(&meter),
            links,
            members,
        })
    }
}

impl Admin {
    /// Up to `limit` plans after the position `after`, in order of their names.
    ///
    /// # Errors
    /// [`Error::Accounts`] without `admin.users`, as all of these.
    pub async fn plans(&self, actor: &Actor, after: &str, limit: u32) -> Result<Page<Plan>, Error> {
        may(actor)?;
        let limit = limit.clamp(1, limits::PAGE_ENTRIES_MAX);
        let mut found = rows::list(&self.drive.inner.db, after, limit + 1).await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        Ok(Page { items: found.into_iter().map(|(row, spaces)| Plan::of(row, spaces)).collect(), more })
    }

    /// A plan.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn plan(&self, actor: &Actor, id: PlanId) -> Result<Plan, Error> {
        may(actor)?;
        let db = &self.drive.inner.db;
        let row = rows::find(db, id).await?.ok_or(Error::NotFound("plan"))?;
        Ok(Plan::of(row, rows::count_spaces(db, id).await?))
    }

    /// Makes a plan.
    ///
    /// # Errors
    /// [`Error::PlanInvalid`], [`Error::PlanNameTaken`].
    pub async fn make_plan(&self, by: By<'_>, new: NewPlan) -> Result<Plan, Error> {
        by.may()?;
        let (name, key) = named(&new.name)?;
        checked(&new.limits)?;
        let row = PlanRow {
            id: self.drive.inner.ids.plan(),
            name,
            key,
            limits: new.limits,
            for_personal: new.for_personal,
            for_team: new.for_team,
            created: self.drive.now(),
        };
        let (made, accounts, principal) = (row.clone(), self.accounts.clone(), by.actor.principal);
        self.drive
            .inner
            .db
            .write(Lane::Free, async move |tx| {
                rows::clear_defaults(&tx, row.id, row.for_personal, row.for_team).await?;
                if !rows::insert(&tx, &row).await? {
                    return Err(Error::PlanNameTaken);
                }
                let who = (&principal, by.address);
                Ok(accounts.log_admin(&tx, AdminDeed::PlanMade, who, None, said(&row)).await?)
            })
            .await?;
        Ok(Plan::of(made, 0))
    }

    /// Changes a plan, and the limits of all spaces that have it at the same moment; or tells only what that would do.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::PlanInvalid`], [`Error::PlanNameTaken`].
    pub async fn change_plan(
        &self,
        by: By<'_>,
        id: PlanId,
        update: PlanUpdate,
        preview: bool,
    ) -> Result<PlanChange, Error> {
        by.may()?;
        let db = &self.drive.inner.db;
        let old = rows::find(db, id).await?.ok_or(Error::NotFound("plan"))?;
        let new = changed(&old, &update)?;
        let effect = rows::effect(db, Of::Plan(id), &new.limits, true, self.usual().await).await?;
        if preview {
            let spaces = effect.spaces;
            return Ok(PlanChange { plan: Plan::of(new, spaces), effect });
        }
        let (accounts, principal) = (self.accounts.clone(), by.actor.principal);
        let (new, spaces) = db
            .write(Lane::Free, async move |tx| {
                // As it is now: two who change different things at once both get what they want.
                let old = rows::find_alone(&tx, id).await?.ok_or(Error::NotFound("plan"))?;
                let new = changed(&old, &update)?;
                if rows::is_named(&tx, &new.key, id).await? {
                    return Err(Error::PlanNameTaken);
                }
                rows::clear_defaults(&tx, id, new.for_personal, new.for_team).await?;
                rows::update(&tx, &new).await?;
                let spaces = if new.limits == old.limits {
                    rows::count_spaces_within(&tx, id).await?
                } else {
                    rows::apply(&tx, &new).await?
                };
                let detail = json!({ "before": said(&old), "after": said(&new), "spaces": spaces });
                accounts.log_admin(&tx, AdminDeed::PlanChanged, (&principal, by.address), None, detail).await?;
                Ok((new, spaces))
            })
            .await?;
        Ok(PlanChange { plan: Plan::of(new, spaces), effect })
    }

    /// Removes a plan that no space has.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::PlanInUse`].
    pub async fn remove_plan(&self, by: By<'_>, id: PlanId) -> Result<(), Error> {
        by.may()?;
        let (accounts, principal) = (self.accounts.clone(), by.actor.principal);
        self.drive
            .inner
            .db
            .write(Lane::Free, async move |tx| {
                let row = rows::find_alone(&tx, id).await?.ok_or(Error::NotFound("plan"))?;
                match rows::count_spaces_within(&tx, id).await? {
                    0 => rows::delete(&tx, id).await?,
                    spaces => return Err(Error::PlanInUse(spaces)),
                }
                let who = (&principal, by.address);
                Ok(accounts.log_admin(&tx, AdminDeed::PlanRemoved, who, None, said(&row)).await?)
            })
            .await
    }

    /// Gives spaces a plan, each by itself: one that cannot be given it does not stop the others. All limits of a space are then
    /// the plan's, also the room that was set for it alone.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the plan; [`Error::PlanInvalid`] for too many spaces.
    pub async fn assign_plan(&self, by: By<'_>, wanted: Assignment) -> Result<Vec<Result<Assigned, Error>>, Error> {
        by.may()?;
        if wanted.to.is_empty() || wanted.to.len() > TOGETHER_MAX {
            return Err(Error::PlanInvalid("a plan is given to 1 to 1000 spaces and people at a time"));
        }
        if let Some(id) = wanted.plan {
            rows::find(&self.drive.inner.db, id).await?.ok_or(Error::NotFound("plan"))?;
        }
        let mut done = Vec::with_capacity(wanted.to.len());
        for holder in wanted.to {
            done.push(self.assign(&by, wanted.plan, holder, wanted.preview).await);
        }
        Ok(done)
    }

    async fn assign(
        &self,
        by: &By<'_>,
        plan: Option<PlanId>,
        holder: Holder,
        preview: bool,
    ) -> Result<Assigned, Error> {
        let db = &self.drive.inner.db;
        let space = match holder {
            Holder::Space(id) => id,
            Holder::Person(id) => {
                let found = db.read(async move |tx| db::dissolve::personal(&tx, id).await).await?;
                found.ok_or(Error::NotFound("user"))?
            }
        };
        let row = self.live_space(space).await?;
        let usual = self.usual_quota(&row.kind);
        let wanted = match plan {
            Some(id) => rows::find(db, id).await?.ok_or(Error::NotFound("plan"))?.limits,
            None => Limits { storage_bytes: usual, ..Limits::default() },
        };
        let effect = rows::effect(db, Of::Space(space), &wanted, false, self.usual().await).await?;
        if preview {
            return Ok(Assigned { space, limits: wanted, effect });
        }
        let (drive, accounts) = (self.drive.clone(), self.accounts.clone());
        let (principal, address) = (by.actor.principal, by.address);
        let whose = (row.kind == spaces::PERSONAL).then_some(row.owner);
        let limits = db
            .write(Lane::Free, async move |tx| {
                // The plan first, then the space, as whoever changes a plan takes them; so this cannot be in the space's lane,
                // where others may have taken the space before.
                let given = match plan {
                    Some(id) => Some(rows::find_shared(&tx, id).await?.ok_or(Error::NotFound("plan"))?),
                    None => None,
                };
                Work::hold(&drive, &tx, space, None).await?;
                let limits = match &given {
                    Some(plan) => plan.limits,
                    None => Limits { storage_bytes: usual, ..Limits::default() },
                };
                rows::set_in_force(&tx, space, &InForce { plan, quota_own: false, limits }).await?;
                let name = given.map(|plan| plan.name);
                let detail = json!({ "space": space, "plan": plan, "plan_name": name });
                accounts.log_admin(&tx, AdminDeed::PlanGiven, (&principal, address), whose, detail).await?;
                Ok::<_, Error>(limits)
            })
            .await?;
        Ok(Assigned { space, limits, effect })
    }

    /// Sets the room of a space for it alone, whatever its plan says: `Some(None)` is no bound, and `None` what the plan says.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::PlanInvalid`].
    pub async fn set_quota(&self, by: By<'_>, space: SpaceId, quota: Option<Option<u64>>) -> Result<(), Error> {
        by.may()?;
        if quota.flatten().is_some_and(|bytes| i64::try_from(bytes).is_err()) {
            return Err(Error::PlanInvalid("a space has at most 2^63 - 1 bytes"));
        }
        let row = self.live_space(space).await?;
        let usual = self.usual_quota(&row.kind);
        let (drive, accounts) = (self.drive.clone(), self.accounts.clone());
        let (principal, address) = (by.actor.principal, by.address);
        let whose = (row.kind == spaces::PERSONAL).then_some(row.owner);
        self.drive
            .inner
            .db
            .write(Lane::Free, async move |tx| {
                // As when a plan is given: the plan before the space.
                let old = rows::in_force(&tx, space).await?.ok_or(Error::NotFound("space"))?;
                let given = match old.plan {
                    Some(id) => rows::find_shared(&tx, id).await?,
                    None => None,
                };
                Work::hold(&drive, &tx, space, None).await?;
                let now = rows::in_force(&tx, space).await?.ok_or(Error::NotFound("space"))?;
                if now.plan != old.plan {
                    return Err(Error::Precondition);
                }
                let storage_bytes = match (quota, given) {
                    (Some(own), _) => own,
                    (None, Some(plan)) => plan.limits.storage_bytes,
                    (None, None) => usual,
                };
                let limits = Limits { storage_bytes, ..now.limits };
                let own = quota.is_some();
                rows::set_in_force(&tx, space, &InForce { plan: now.plan, quota_own: own, limits }).await?;
                let detail = json!({
                    "space": space, "before": now.limits.storage_bytes, "after": storage_bytes, "own": own,
                });
                accounts.log_admin(&tx, AdminDeed::QuotaSet, (&principal, address), whose, detail).await?;
                Ok(())
            })
            .await
    }

    /// What holds where neither a space nor its plan says anything.
    async fn usual(&self) -> Defaults {
        self.drive.refresh_rules().await;
        let rules = self.drive.rules();
        Defaults { versions_kept: rules.versions_kept, trash_days: rules.trash_days, now: self.drive.now() }
    }
}

/// The plan as an update makes it.
///
/// # Errors
/// [`Error::PlanInvalid`].
fn changed(old: &PlanRow, update: &PlanUpdate) -> Result<PlanRow, Error> {
    let (name, key) = match &update.name {
        Some(name) => named(name)?,
        None => (old.name.clone(), old.key.clone()),
    };
    let limits = Limits {
        storage_bytes: update.storage_bytes.unwrap_or(old.limits.storage_bytes),
        file_bytes: update.file_bytes.unwrap_or(old.limits.file_bytes),
        versions_kept: update.versions_kept.unwrap_or(old.limits.versions_kept),
        trash_days: update.trash_days.unwrap_or(old.limits.trash_days),
        links: update.links.unwrap_or(old.limits.links),
        members: update.members.unwrap_or(old.limits.members),
    };
    checked(&limits)?;
    Ok(PlanRow {
        name,
        key,
        limits,
        for_personal: update.for_personal.unwrap_or(old.for_personal),
        for_team: update.for_team.unwrap_or(old.for_team),
        ..old.clone()
    })
}

/// A plan's name as people see it, and by which it is unique.
///
/// # Errors
/// [`Error::PlanInvalid`].
fn named(text: &str) -> Result<(String, String), Error> {
    let name = text.trim();
    let count = name.chars().count();
    if count == 0 || count > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(Error::PlanInvalid("the name of a plan has 1 to 100 characters, none of them a control character"));
    }
    Ok((name.to_owned(), name.to_lowercase()))
}

/// # Errors
/// [`Error::PlanInvalid`].
fn checked(limits: &Limits) -> Result<(), Error> {
    let numbers = [limits.storage_bytes, limits.file_bytes, limits.links, limits.members];
    if numbers.into_iter().flatten().any(|number| i64::try_from(number).is_err()) {
        return Err(Error::PlanInvalid("a limit is at most 2^63 - 1"));
    }
    if limits.file_bytes == Some(0) || limits.members == Some(0) {
        return Err(Error::PlanInvalid("a plan allows files of at least one byte, and at least one member"));
    }
    if limits.versions_kept.is_some_and(|versions| !(1..=VERSIONS_MAX).contains(&versions)) {
        return Err(Error::PlanInvalid("a plan keeps 1 to 10000 versions of a file, the current one among them"));
    }
    if limits.trash_days.is_some_and(|days| !(1..=DAYS_MAX).contains(&days)) {
        return Err(Error::PlanInvalid("a plan keeps what is in the trash for 1 to 36500 days"));
    }
    Ok(())
}

/// A plan in the audit log.
fn said(row: &PlanRow) -> Value {
    let Limits { storage_bytes, file_bytes, versions_kept, trash_days, links, members } = row.limits;
    json!({
        "plan": row.id, "name": row.name, "storage_bytes": storage_bytes, "file_bytes": file_bytes,
        "versions_kept": versions_kept, "trash_days": trash_days, "links": links, "members": members,
        "for_personal": row.for_personal, "for_team": row.for_team,
    })
}
