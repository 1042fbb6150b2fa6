//! Sharing: roles that people, groups or everyone signed in are given on an entry and all below it.
//!
//! A grant is a row and a change of its entry's space, so it is in the history, can be taken back, and reaches live sessions. On
//! the root of a team's space it makes a member.

use accounts::{Action, Permission, Role};
use base::{AccountId, EntryId, GrantId, SpaceId, Time};
use db::{
    Tx,
    grants::{self, GrantRow, SharedRow},
    groups, people, plans, tree,
};
use journal::Kind as Changed;
use serde::{Deserialize, Serialize};

pub use db::grants::Subject;

use crate::{
    Actor, Drive, Entry, Error,
    drive::Reach,
    given::Given,
    inverse::{Inverse, Standing},
    work::Work,
};

/// Grants of one entry at most; more people are a group.
const GRANTS_MAX: u64 = 500;

/// A role to give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGrant {
    /// To whom.
    pub subject: Subject,
    /// Which one.
    pub role: Role,
    /// Until when.
    pub expires: Option<Time>,
}

/// A role that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Which one.
    pub id: GrantId,
    /// The entry.
    pub entry: EntryId,
    /// Its space.
    pub space: SpaceId,
    /// To whom.
    pub subject: Subject,
    /// The role.
    pub role: Role,
    /// Until when.
    pub expires: Option<Time>,
    /// When it was given.
    pub created: Time,
    /// By whom.
    pub created_by: AccountId,
    /// Whether it was given on a folder above the entry that was asked for.
    pub inherited: bool,
}

/// Something that is shared.
#[derive(Debug, Clone)]
pub struct Shared {
    /// By which grant.
    pub grant: Grant,
    /// What it is.
    pub entry: Entry,
}

/// What is shown of somebody, or of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// What an account's owner signs in with, or what a group is called.
    pub name: String,
    /// What others see of an account; of a group its name again.
    pub display_name: String,
    /// The version of an account's picture, if it has one.
    pub picture: Option<String>,
}

/// A page of what is shared. It may hold less than was asked for, where some of it is not to be seen.
#[derive(Debug, Clone)]
pub struct SharedPage {
    /// What is shared.
    pub items: Vec<Shared>,
    /// After which grant the list goes on, if it does.
    pub next: Option<GrantId>,
}

/// A subject in the JSON of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "lowercase")]
pub(crate) enum SubjectForm {
    User(AccountId),
    Group(base::GroupId),
    Everyone,
}

impl From<Subject> for SubjectForm {
    fn from(subject: Subject) -> Self {
        match subject {
            Subject::Account(id) => Self::User(id),
            Subject::Group(id) => Self::Group(id),
            Subject::Everyone => Self::Everyone,
        }
    }
}

impl From<SubjectForm> for Subject {
    fn from(form: SubjectForm) -> Self {
        match form {
            SubjectForm::User(id) => Self::Account(id),
            SubjectForm::Group(id) => Self::Group(id),
            SubjectForm::Everyone => Self::Everyone,
        }
    }
}

impl TryFrom<GrantRow> for Grant {
    type Error = Error;

    fn try_from(row: GrantRow) -> Result<Self, Error> {
        Ok(Self {
            id: row.id,
            entry: row.entry,
            space: row.space,
            subject: row.subject,
            role: Role::from_number(row.role).ok_or(Error::Shape("a grant of an unknown role"))?,
            expires: row.expires,
            created: row.created,
            created_by: row.created_by,
            inherited: false,
        })
    }
}

impl Drive {
    /// What was given on an entry, and after that what holds for it because it was given on a folder above, nearest first.
    /// Those whose role comes from above see nothing of what was given above that.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn grants(&self, actor: &Actor, id: EntryId) -> Result<Vec<Grant>, Error> {
        let (located, _) = self.find(actor, Action::Read, id, "entry").await?;
        let (space, db) = (located.space, &self.inner.db);
        let above = db.read(async |tx| tree::ancestors(&tx, space.id, id).await).await?;
        let mut found = Vec::new();
        for folder in above {
            if folder != id && self.role(actor.principal.account, &space, folder).await?.is_none() {
                break;
            }
            for row in grants::of_entry(db, folder).await? {
                found.push(Grant { inherited: folder != id, ..Grant::try_from(row)? });
            }
        }
        Ok(found)
    }

    /// Gives a role on an entry, or changes the one that the subject was given there; whether it is new.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::InTrash`], [`Error::Accounts`], [`Error::RootEntry`] for the root of a personal space,
    /// [`Error::GrantInvalid`], [`Error::SubjectUnknown`], [`Error::TooManyGrants`], [`Error::PlanMembers`], [`Error::LastManager`].
    pub async fn give(&self, actor: &Actor, id: EntryId, new: NewGrant) -> Result<(Grant, bool), Error> {
        let standing = Standing { role: new.role, expires: new.expires };
        let same = move |done: &Given| done.entry == id && done.subject == new.subject && done.made == Some(standing);
        if let Some(done) = self.given_before(actor, same).await? {
            let row = grants::find(&self.inner.db, done.grant).await?;
            return done.answer(row);
        }
        let located = self.locate(actor, Action::Manage, id, "entry").await?;
        actor.principal.needs(Permission::Share)?;
        if located.space.root == id && located.space.owner.is_some() {
            return Err(Error::RootEntry);
        }
        if new.expires.is_some_and(|expires| expires <= self.now()) {
            return Err(Error::GrantInvalid("a role must end in the future"));
        }
        match new.subject {
            Subject::Account(account) if located.space.owner == Some(account) => {
                return Err(Error::GrantInvalid("this is the owner, who has all rights already"));
            }
            Subject::Account(account) => {
                let known = db::accounts::account(&self.inner.db, account).await?;
                known.filter(|row| row.disabled.is_none()).ok_or(Error::SubjectUnknown("user"))?;
            }
            Subject::Group(group) => {
                groups::find(&self.inner.db, group).await?.ok_or(Error::SubjectUnknown("group"))?;
            }
            Subject::Everyone => {}
        }
        let space = located.space.id;
        let (drive, actor) = (self.clone(), actor.clone());
        self.write(space, async move |tx: Tx| {
            let work = Work::hold(&drive, &tx, space, Some(&actor)).await?;
            if let Some(done) = work.given_before(same).await? {
                let row = grants::grant(&tx, done.grant).await?;
                return done.answer(row);
            }
            let entry = Entry::try_from(&work.entry_for(Action::Manage, id, "entry").await?)?;
            let old = grants::of_subject(&tx, id, new.subject).await?;
            let row = work.set_grant(&entry, new.subject, old.as_ref(), Some(standing)).await?;
            let row = row.ok_or(Error::Shape("a grant that is gone"))?;
            Ok((Grant::try_from(row)?, old.is_none()))
        })
        .await
    }

    /// Changes role or end of a grant; what is absent stays.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Accounts`], [`Error::GrantInvalid`], [`Error::LastManager`].
    pub async fn change_grant(
        &self,
        actor: &Actor,
        id: GrantId,
        role: Option<Role>,
        expires: Option<Option<Time>>,
    ) -> Result<Grant, Error> {
        let same = move |done: &Given| {
            let fits = |made: Standing| {
                role.is_none_or(|role| role == made.role) && expires.is_none_or(|expires| expires == made.expires)
            };
            done.grant == id && done.made.is_some_and(fits)
        };
        if let Some(done) = self.given_before(actor, same).await? {
            let row = grants::find(&self.inner.db, id).await?;
            return Ok(done.answer(row)?.0);
        }
        let found = self.grant_for(actor, Action::Manage, id).await?;
        actor.principal.needs(Permission::Share)?;
        if expires.flatten().is_some_and(|expires| expires <= self.now()) {
            return Err(Error::GrantInvalid("a role must end in the future"));
        }
        let (drive, actor, space) = (self.clone(), actor.clone(), found.space);
        self.write(space, async move |tx: Tx| {
            let work = Work::hold(&drive, &tx, space, Some(&actor)).await?;
            if let Some(done) = work.given_before(same).await? {
                let row = grants::grant(&tx, id).await?;
                return Ok(done.answer(row)?.0);
            }
            let old = grants::grant(&tx, id).await?.ok_or(Error::NotFound("grant"))?;
            let entry = Entry::try_from(&work.entry_for(Action::Manage, old.entry, "grant").await?)?;
            let was = Standing::of(&old)?;
            let standing = Standing { role: role.unwrap_or(was.role), expires: expires.unwrap_or(was.expires) };
            let row = work.set_grant(&entry, old.subject, Some(&old), Some(standing)).await?;
            Grant::try_from(row.ok_or(Error::Shape("a grant that is gone"))?)
        })
        .await
    }

    /// Takes a grant back. Who has it may always give it up.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Accounts`], [`Error::LastManager`].
    pub async fn take(&self, actor: &Actor, id: GrantId) -> Result<(), Error> {
        let same = move |done: &Given| done.grant == id && done.made.is_none();
        if self.given_before(actor, same).await?.is_some() {
            return Ok(());
        }
        let found = self.grant_for(actor, Action::Read, id).await?;
        let mine = found.subject == Subject::Account(actor.principal.account);
        let (drive, actor, space) = (self.clone(), actor.clone(), found.space);
        self.write(space, async move |tx: Tx| {
            let work = Work::hold(&drive, &tx, space, Some(&actor)).await?;
            if work.given_before(same).await?.is_some() {
                return Ok(());
            }
            let old = grants::grant(&tx, id).await?.ok_or(Error::NotFound("grant"))?;
            let needs = if mine { Action::Read } else { Action::Manage };
            let entry = Entry::try_from(&work.entry_for(needs, old.entry, "grant").await?)?;
            work.set_grant(&entry, old.subject, Some(&old), None).await?;
            Ok(())
        })
        .await
    }

    async fn grant_for(&self, actor: &Actor, action: Action, id: GrantId) -> Result<GrantRow, Error> {
        let row = grants::find(&self.inner.db, id).await?.ok_or(Error::NotFound("grant"))?;
        self.locate(actor, action, row.entry, "grant").await?;
        Ok(row)
    }

    /// Up to `limit` of what others share with the caller, after `after`: an entry once for each grant. Spaces of which the
    /// caller is a member are not among it, nor what lies in the trash.
    ///
    /// # Errors
    /// [`Error::Accounts`] if the caller may not use files.
    pub async fn shared_with_me(&self, actor: &Actor, after: Option<GrantId>, limit: u32) -> Result<SharedPage, Error> {
        actor.principal.needs(Permission::FilesRead)?;
        let (account, now) = (actor.principal.account, self.now());
        let page = limited(limit);
        let rows = grants::shared_with(&self.inner.db, account, after, now, page + 1).await?;
        self.shared(actor, rows, page).await
    }

    /// Up to `limit` of what the caller gave others, after `after`: an entry once for each grant.
    ///
    /// # Errors
    /// [`Error::Accounts`] if the caller may not use files.
    pub async fn shared_by_me(&self, actor: &Actor, after: Option<GrantId>, limit: u32) -> Result<SharedPage, Error> {
        actor.principal.needs(Permission::FilesRead)?;
        let page = limited(limit);
        let rows = grants::shared_by(&self.inner.db, actor.principal.account, after, page + 1).await?;
        self.shared(actor, rows, page).await
    }

    async fn shared(&self, actor: &Actor, mut rows: Vec<SharedRow>, limit: u32) -> Result<SharedPage, Error> {
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(|row| row.grant.id);
        let mut items = Vec::with_capacity(rows.len());
        for SharedRow { grant, entry } in rows {
            match self.find(actor, Action::Read, entry.id, "entry").await {
                Ok((located, Reach::Tree)) => {
                    items.push(Shared { grant: grant.try_into()?, entry: Entry::try_from(&located.entry)? });
                }
                // In the trash, or not to be seen any more.
                Ok((_, Reach::Trash { .. })) | Err(Error::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(SharedPage { items, next })
    }

    /// What is shown of a subject; nothing for one that is gone, and for everyone.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn shown(&self, subject: Subject) -> Result<Option<Shown>, Error> {
        Ok(match subject {
            Subject::Account(id) => {
                let found = people::names(&self.inner.db, id).await?;
                found.map(|row| Shown { name: row.name, display_name: row.display_name, picture: row.picture })
            }
            Subject::Group(id) => {
                let found = groups::find(&self.inner.db, id).await?;
                found.map(|row| Shown { name: row.name.clone(), display_name: row.name, picture: None })
            }
            Subject::Everyone => None,
        })
    }
}

impl Work<'_> {
    /// Makes what a subject was given on an entry be `new`, and writes that down; the row, if there is one afterwards. `old` is
    /// the row as it stands.
    ///
    /// # Errors
    /// [`Error::TooManyGrants`], [`Error::LastManager`].
    pub(crate) async fn set_grant(
        &self,
        entry: &Entry,
        subject: Subject,
        old: Option<&GrantRow>,
        new: Option<Standing>,
    ) -> Result<Option<GrantRow>, Error> {
        let was = old.map(Standing::of).transpose()?;
        if was == new {
            return Ok(old.cloned());
        }
        if let (Some(new), Some(end)) = (new, self.manages_until(entry.id).await?)
            && new.expires.is_none_or(|expires| expires > end)
        {
            return Err(Error::GrantInvalid("a role that you give must end when your own does, or before"));
        }
        if let Some(old) = old
            && self.space.owner.is_none()
            && entry.id == self.space.root
            && was.is_some_and(Standing::manages)
            && !new.is_some_and(Standing::manages)
            && grants::managers_but(self.tx, entry.id, old.id).await? == 0
        {
            return Err(Error::LastManager);
        }
        let row = match (old, new) {
            (None, None) => None,
            (Some(old), None) => {
                grants::delete(self.tx, old).await?;
                None
            }
            (Some(old), Some(new)) => {
                grants::update(self.tx, old, new.role.number(), new.expires).await?;
                Some(GrantRow { role: new.role.number(), expires: new.expires, ..old.clone() })
            }
            (None, Some(new)) => {
                if grants::count_of_entry(self.tx, entry.id).await? >= GRANTS_MAX {
                    return Err(Error::TooManyGrants(GRANTS_MAX));
                }
                let row = GrantRow {
                    id: self.drive.inner.ids.grant(),
                    space: self.space.id,
                    entry: entry.id,
                    subject,
                    role: new.role.number(),
                    expires: new.expires,
                    created: self.now,
                    created_by: self.actor.ok_or(Error::Shape("a grant by nobody"))?,
                };
                grants::insert(self.tx, &row).await?;
                Some(row)
            }
        };
        if new.is_some() {
            self.room_for_members(entry.id, was.filter(|was| was.holds(self.now)).is_some(), subject).await?;
        }
        grants::raise_rights(self.tx, self.space.id).await?;
        let grant_id = row.as_ref().or(old).map(|row| row.id);
        let inverse = Inverse::Grant { subject: subject.into(), was, made: new, grant_id };
        self.record(Changed::Shared, entry, Some(inverse)).await?;
        Ok(row)
    }
}

impl Work<'_> {
    /// Whether the members that a team's space has now, with who was just made one, are no more than its plan allows. Who was
    /// a member before stays one, however many there are.
    ///
    /// # Errors
    /// [`Error::PlanMembers`].
    async fn room_for_members(&self, entry: EntryId, was_member: bool, subject: Subject) -> Result<(), Error> {
        if self.space.owner.is_some() || entry != self.space.root || was_member {
            return Ok(());
        }
        let limits = plans::in_force(self.tx, self.space.id).await?.ok_or(Error::NotFound("space"))?.limits;
        let Some(most) = limits.members else { return Ok(()) };
        // Everyone is more than any number.
        if subject == Subject::Everyone || plans::members(self.tx, self.space.id, self.now).await? > most {
            metrics::counter!("holdfast_plan_refusals_total", "limit" => "members").increment(1);
            return Err(Error::PlanMembers(most));
        }
        Ok(())
    }
}

impl Standing {
    /// What a row says.
    pub(crate) fn of(row: &GrantRow) -> Result<Self, Error> {
        let role = Role::from_number(row.role).ok_or(Error::Shape("a grant of an unknown role"))?;
        Ok(Self { role, expires: row.expires })
    }

    fn holds(self, now: Time) -> bool {
        self.expires.is_none_or(|end| end > now)
    }

    fn manages(self) -> bool {
        self.role == Role::Manager && self.expires.is_none()
    }
}

fn limited(limit: u32) -> u32 {
    limit.clamp(1, base::limits::PAGE_ENTRIES_MAX)
}
