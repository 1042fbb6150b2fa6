//! Groups of accounts, and finding somebody to share with.

use base::{AccountId, GroupId, Time, limits};
use db::{Lane, groups as rows, people};

use crate::{
    Accounts, Error, Page, Permission, Principal,
    name::{display_name, fold, words},
};

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Which one.
    pub id: GroupId,
    /// What it is called.
    pub name: String,
    /// When it was made.
    pub created: Time,
    /// How many accounts are in it.
    pub members: u64,
}

/// An account in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Which account.
    pub account: AccountId,
    /// What its owner signs in with.
    pub name: String,
    /// What others see.
    pub display_name: String,
    /// When it came into the group.
    pub added: Time,
    /// The version of its picture, if it has one.
    pub picture: Option<String>,
}

/// Somebody who was found, or a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// An account.
    Account {
        /// Which one.
        id: AccountId,
        /// What its owner signs in with.
        name: String,
        /// What others see.
        display_name: String,
        /// The version of its picture, if it has one.
        picture: Option<String>,
    },
    /// A group.
    Group {
        /// Which one.
        id: GroupId,
        /// What it is called.
        name: String,
    },
}

impl From<rows::GroupRow> for Group {
    fn from(row: rows::GroupRow) -> Self {
        Self { id: row.id, name: row.name, created: row.created, members: row.members }
    }
}

impl From<rows::MemberRow> for Member {
    fn from(row: rows::MemberRow) -> Self {
        Self {
            account: row.account,
            name: row.name,
            display_name: row.display_name,
            added: row.added,
            picture: row.picture,
        }
    }
}

impl Accounts {
    /// Groups and people whose names, or a word of whose names, begin with `text`; at most `limit` and 50.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`], [`Error::Database`].
    pub async fn find_people(&self, principal: &Principal, text: &str, limit: u32) -> Result<Vec<Found>, Error> {
        principal.needs(Permission::FilesRead)?;
        let start: String = fold(text).chars().take(100).collect();
        if start.is_empty() {
            return Ok(Vec::new());
        }
        let rows = people::find(&self.0.db, &start, limit.clamp(1, 50)).await?;
        Ok(rows.into_iter().map(found).collect())
    }

    /// What an account is called: its name and its display name.
    ///
    /// # Errors
    /// [`Error::UserUnknown`], [`Error::Database`].
    pub async fn names(&self, id: AccountId) -> Result<(String, String), Error> {
        let row = people::names(&self.0.db, id).await?.ok_or(Error::UserUnknown)?;
        Ok((row.name, row.display_name))
    }

    /// A group.
    ///
    /// # Errors
    /// [`Error::GroupUnknown`], [`Error::Database`].
    pub async fn group(&self, id: GroupId) -> Result<Group, Error> {
        Ok(rows::find(&self.0.db, id).await?.ok_or(Error::GroupUnknown)?.into())
    }

    /// Up to `limit` groups after `after`: all of them for those who may administer users, else those that the caller is in.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn groups(
        &self,
        principal: &Principal,
        after: Option<GroupId>,
        limit: u32,
    ) -> Result<Page<Group>, Error> {
        let limit = limit.clamp(1, limits::PAGE_ENTRIES_MAX);
        let rows = if principal.permissions.has(Permission::AdminUsers) {
            rows::list(&self.0.db, after, limit + 1).await?
        } else {
            let mine = rows::of_account(&self.0.db, principal.account).await?;
            mine.into_iter()
                .filter(|group| after.is_none_or(|after| group.id > after))
                .take(limit as usize + 1)
                .collect()
        };
        Ok(Page::of(rows.into_iter().map(Group::from).collect(), limit))
    }

    /// Up to `limit` accounts of a group with ids above `after`, for those who are in it and those who may administer users.
    ///
    /// # Errors
    /// [`Error::GroupUnknown`], [`Error::Database`].
    pub async fn members(
        &self,
        principal: &Principal,
        id: GroupId,
        after: Option<AccountId>,
        limit: u32,
    ) -> Result<Page<Member>, Error> {
        self.group(id).await?;
        if !principal.permissions.has(Permission::AdminUsers) {
            let mine = rows::of_account(&self.0.db, principal.account).await?;
            if mine.iter().all(|group| group.id != id) {
                return Err(Error::GroupUnknown);
            }
        }
        let limit = limit.clamp(1, limits::PAGE_ENTRIES_MAX);
        let rows = rows::members(&self.0.db, id, after, limit + 1).await?;
        Ok(Page::of(rows.into_iter().map(Member::from).collect(), limit))
    }

    /// Makes an empty group.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`], [`Error::GroupName`], [`Error::GroupNameTaken`], [`Error::Database`].
    pub async fn create_group(&self, principal: &Principal, name: &str) -> Result<Group, Error> {
        principal.needs(Permission::AdminUsers)?;
        self.make_group(name).await
    }

    /// The group of this name, which is made if there is none: for those that the configuration names.
    pub(crate) async fn named_group(&self, name: &str) -> Result<GroupId, Error> {
        if let Some(group) = rows::by_name(&self.0.db, &fold(&group_name(name)?)).await? {
            return Ok(group.id);
        }
        match self.make_group(name).await {
            Ok(group) => Ok(group.id),
            // Another process was faster.
            Err(Error::GroupNameTaken) => {
                let group = rows::by_name(&self.0.db, &fold(name)).await?;
                Ok(group.ok_or(Error::GroupUnknown)?.id)
            }
            Err(error) => Err(error),
        }
    }

    async fn make_group(&self, name: &str) -> Result<Group, Error> {
        let name = group_name(name)?;
        let group = Group { id: self.0.ids.group(), name, created: self.0.clock.now(), members: 0 };
        let made = group.clone();
        self.0
            .db
            .write(Lane::Free, async move |tx| {
                let key = fold(&made.name);
                if !rows::insert(&tx, made.id, &made.name, &key, made.created).await? {
                    return Err(Error::GroupNameTaken);
                }
                Ok(people::set_words(&tx, people::GROUP, made.id.0, &words(&[&made.name])).await?)
            })
            .await?;
        Ok(group)
    }

    /// Gives a group another name.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`], [`Error::GroupUnknown`], [`Error::GroupName`], [`Error::GroupNameTaken`],
    /// [`Error::Database`].
    pub async fn rename_group(&self, principal: &Principal, id: GroupId, name: &str) -> Result<Group, Error> {
        principal.needs(Permission::AdminUsers)?;
        let name = group_name(name)?;
        self.group(id).await?;
        self.0
            .db
            .write(Lane::Free, async move |tx| {
                if !rows::rename(&tx, id, &name, &fold(&name)).await? {
                    return Err(Error::GroupNameTaken);
                }
                Ok(people::set_words(&tx, people::GROUP, id.0, &words(&[&name])).await?)
            })
            .await?;
        self.group(id).await
    }

    /// Removes a group: what it was given, nobody has by it any more.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`], [`Error::GroupUnknown`], [`Error::Database`].
    pub async fn delete_group(&self, principal: &Principal, id: GroupId) -> Result<(), Error> {
        principal.needs(Permission::AdminUsers)?;
        self.0
            .db
            .write(Lane::Free, async move |tx| {
                rows::raise_rights(&tx, id).await?;
                people::set_words(&tx, people::GROUP, id.0, &[]).await?;
                if rows::delete(&tx, id).await? { Ok(()) } else { Err(Error::GroupUnknown) }
            })
            .await
    }

    /// Puts an account into a group, or takes it out. What is so already stays so.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`], [`Error::GroupUnknown`], [`Error::UserUnknown`], [`Error::Database`].
    pub async fn set_member(
        &self,
        principal: &Principal,
        group: GroupId,
        account: AccountId,
        is_in: bool,
    ) -> Result<(), Error> {
        principal.needs(Permission::AdminUsers)?;
        self.group(group).await?;
        self.names(account).await?;
        self.put_member(group, account, is_in).await
    }

    /// Puts an account into a group, or takes it out, for whoever may decide that.
    pub(crate) async fn put_member(&self, group: GroupId, account: AccountId, is_in: bool) -> Result<(), Error> {
        let now = self.0.clock.now();
        self.0
            .db
            .write(Lane::Free, async move |tx| {
                rows::raise_rights(&tx, group).await?;
                if is_in {
                    rows::add(&tx, group, account, now).await?;
                } else {
                    rows::remove(&tx, group, account).await?;
                }
                Ok(())
            })
            .await
    }
}

fn found(row: people::FoundRow) -> Found {
    if row.kind == people::GROUP {
        Found::Group { id: GroupId(row.id), name: row.name }
    } else {
        Found::Account { id: AccountId(row.id), name: row.name, display_name: row.display_name, picture: row.picture }
    }
}

fn group_name(text: &str) -> Result<String, Error> {
    display_name(text).map_err(|_| Error::GroupName)
}
