//! Spaces as their people see them.

use accounts::{Action, Permission, Role};
use base::{AccountId, EntryId, SpaceId, limits};
use db::{
    grants::{self, GrantRow, Subject},
    spaces::{self, NewSpace, SpaceRow, TEAM},
    tree,
};

use crate::{Actor, Drive, Error, Page, work::Work};

/// Team spaces that one account makes at most.
const MADE_MAX: u64 = 200;

/// Characters of a space's name.
const NAME_CHARS_MAX: usize = 100;

/// A tree with its counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Space {
    /// Which one.
    pub id: SpaceId,
    /// `personal` or `team`.
    pub kind: String,
    /// Whose it is; of a team's space, who made it.
    pub owner: AccountId,
    /// What people call it.
    pub name: String,
    /// The folder that everything in it hangs from.
    pub root: EntryId,
    /// What the caller may do with all of it.
    pub role: Role,
    /// Bytes of all versions in it.
    pub used_bytes: u64,
    /// Bytes that running uploads may still add.
    pub reserved_bytes: u64,
    /// What both may come to, if that is limited.
    pub quota_bytes: Option<u64>,
    /// Number of its newest change.
    pub sequence: u64,
    /// Changes when its journal cannot be continued.
    pub epoch: u64,
}

impl Space {
    fn seen(row: SpaceRow, role: Role) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            owner: row.owner,
            name: row.name,
            root: row.root,
            role,
            used_bytes: row.used_bytes,
            reserved_bytes: row.reserved_bytes,
            quota_bytes: row.quota_bytes,
            sequence: row.sequence,
            epoch: row.epoch,
        }
    }
}

impl Drive {
    /// Up to `limit` of the spaces after `after` that are the caller's own or of which they are a member, in order of their ids.
    ///
    /// # Errors
    /// [`Error::Accounts`] if the caller may not see files.
    pub async fn spaces(&self, actor: &Actor, after: Option<SpaceId>, limit: u32) -> Result<Page<Space>, Error> {
        actor.principal.needs(Permission::FilesRead)?;
        let limit = limit.clamp(1, limits::PAGE_ENTRIES_MAX);
        let account = actor.principal.account;
        let mut rows = spaces::spaces_of(&self.inner.db, account, after, self.now(), limit + 1).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            match self.own_space(actor, Action::Read, row.id).await {
                Ok((_, role)) => items.push(Space::seen(row, role)),
                // The role ended meanwhile.
                Err(Error::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Page { items, more })
    }

    /// A space.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn space(&self, actor: &Actor, id: SpaceId) -> Result<Space, Error> {
        let (_, role) = self.own_space(actor, Action::Read, id).await?;
        let row = spaces::space(&self.inner.db, id).await?.ok_or(Error::NotFound("space"))?;
        Ok(Space::seen(row, role))
    }

    /// Makes a team's space, whose first manager is the caller.
    ///
    /// # Errors
    /// [`Error::Accounts`] if the caller may not use files, [`Error::SpaceName`], [`Error::TooManySpaces`], [`Error::TeamSpacesOff`].
    pub async fn create_space(&self, actor: &Actor, name: &str) -> Result<Space, Error> {
        actor.principal.needs(Permission::Files)?;
        self.refresh_rules().await;
        if !self.rules().team_spaces && actor.principal.needs(Permission::AdminUsers).is_err() {
            return Err(Error::TeamSpacesOff);
        }
        let name = space_name(name)?;
        let (id, root, grant) = (self.inner.ids.space(), self.inner.ids.entry(), self.inner.ids.grant());
        let (account, now, quota) = (actor.principal.account, self.now(), self.inner.options.team_quota_bytes);
        self.write(id, async move |tx| {
            if spaces::count_made(&tx, account).await? >= MADE_MAX {
                return Err(Error::TooManySpaces(MADE_MAX));
            }
            let new = NewSpace {
                id,
                kind: TEAM,
                owner: account,
                name: &name,
                root,
                quota_bytes: quota,
                quota_own: false,
                created: now,
            };
            spaces::insert_space(&tx, &new).await?;
            let manager = GrantRow {
                id: grant,
                space: id,
                entry: root,
                subject: Subject::Account(account),
                role: Role::Manager.number(),
                expires: None,
                created: now,
                created_by: account,
            };
            grants::insert(&tx, &manager).await?;
            Ok(grants::raise_rights(&tx, id).await?)
        })
        .await?;
        self.space(actor, id).await
    }

    /// Gives a team's space another name.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Accounts`], [`Error::SpaceName`], [`Error::PersonalSpace`].
    pub async fn rename_space(&self, actor: &Actor, id: SpaceId, name: &str) -> Result<Space, Error> {
        let (state, _) = self.own_space(actor, Action::Manage, id).await?;
        if state.owner.is_some() {
            return Err(Error::PersonalSpace);
        }
        let name = space_name(name)?;
        let (drive, theirs) = (self.clone(), actor.clone());
        self.write(id, async move |tx| {
            let work = Work::hold(&drive, &tx, id, Some(&theirs)).await?;
            work.permit(Action::Manage, work.space.root, "space").await?;
            spaces::rename(&tx, id, &name).await?;
            Ok(grants::tell_all(&tx, work.space.root).await?)
        })
        .await?;
        self.space(actor, id).await
    }

    /// How much of a space the caller sees.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn access_to(&self, actor: &Actor, id: SpaceId) -> Result<crate::Access, Error> {
        let state = tree::space(&self.inner.db, id).await?.ok_or(Error::NotFound("space"))?;
        self.access(actor, &state).await
    }
}

/// # Errors
/// [`Error::SpaceName`].
pub(crate) fn space_name(text: &str) -> Result<String, Error> {
    let name = text.trim();
    let count = name.chars().count();
    if count == 0 || count > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(Error::SpaceName);
    }
    Ok(name.to_owned())
}
