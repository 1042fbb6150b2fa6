//! Spaces and uploads in the hands of administrators.

use accounts::AdminDeed;
use base::{AccountId, PlanId, SpaceId, Time, UploadId, limits};
use db::{
    overseen::{self as rows, Filter, InFlightRow, Order, OverseenRow},
    spaces::TEAM,
    uploads,
};
use serde_json::json;

use super::{Admin, By, may};
use crate::{
    Actor, Drive, Error, Page, PlanUse,
    upload::{CANCELLED, KIND_PUT},
    work::{Work, signed},
};

/// Characters of a search that are looked at.
const SEARCH_CHARS: usize = 100;

/// A space as administrators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overseen {
    /// Which one.
    pub id: SpaceId,
    /// `personal` or `team`.
    pub kind: String,
    /// What people call it.
    pub name: String,
    /// Whose it is; of a team's space, who made it.
    pub owner: AccountId,
    /// That account's name.
    pub owner_name: String,
    /// What others see of it.
    pub owner_display_name: String,
    /// Bytes of all versions in it.
    pub used: u64,
    /// Bytes that uploads in progress may still bring.
    pub reserved: u64,
    /// What both may come to.
    pub quota: Option<u64>,
    /// Whether that was set for it alone.
    pub quota_own: bool,
    /// Its plan.
    pub plan: Option<(PlanId, String)>,
    /// People who have a role on all of it.
    pub members: u64,
    /// Accounts that manage it for ever and can be used; of a personal space, none.
    pub managers: u64,
}

impl From<OverseenRow> for Overseen {
    fn from(row: OverseenRow) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            name: row.name,
            owner: row.owner,
            owner_name: row.owner_name,
            owner_display_name: row.owner_display_name,
            used: row.used,
            reserved: row.reserved,
            quota: row.quota,
            quota_own: row.quota_own,
            plan: row.plan.zip(row.plan_name),
            members: row.members,
            managers: row.managers,
        }
    }
}

/// Which spaces are wanted; what is absent does not matter.
#[derive(Debug, Clone, Default)]
pub struct SpacesWanted {
    /// `personal` or `team`.
    pub kind: Option<String>,
    /// Whose they are, or who made them.
    pub owner: Option<AccountId>,
    /// Which plan they have.
    pub plan: Option<PlanId>,
    /// Part of the name of the space or of its owner.
    pub search: String,
    /// Only teams' spaces that nobody manages.
    pub unmanaged: bool,
}

/// An upload under way, as administrators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InFlight {
    /// Which one.
    pub id: UploadId,
    /// Whose it is.
    pub account: AccountId,
    /// That account's name.
    pub account_name: String,
    /// Into which space it goes.
    pub space: SpaceId,
    /// What that is called.
    pub space_name: String,
    /// Whether it can be resumed; a body of one request cannot, and how much of it came is not known.
    pub resumable: bool,
    /// How long it will be, if that is known.
    pub length: Option<u64>,
    /// Bytes that are durable.
    pub received: u64,
    /// Bytes it holds of the space's reservation.
    pub reserved: u64,
    /// When it was begun.
    pub created: Time,
    /// When it is removed if nothing happens.
    pub expires: Time,
}

impl From<InFlightRow> for InFlight {
    fn from(row: InFlightRow) -> Self {
        Self {
            id: row.id,
            account: row.account,
            account_name: row.account_name,
            space: row.space,
            space_name: row.space_name,
            resumable: row.kind != KIND_PUT,
            length: row.length,
            received: row.received,
            reserved: row.reserved,
            created: row.created,
            expires: row.expires,
        }
    }
}

impl Admin {
    /// Up to `limit` spaces.
    ///
    /// # Errors
    /// [`Error::Accounts`] without `admin.users`, as all of these.
    pub async fn spaces(
        &self,
        actor: &Actor,
        wanted: &SpacesWanted,
        order: Order,
        limit: u32,
    ) -> Result<Page<Overseen>, Error> {
        may(actor)?;
        let limit = limit.clamp(1, limits::PAGE_ENTRIES_MAX);
        let search: String = wanted.search.trim().chars().take(SEARCH_CHARS).flat_map(char::to_lowercase).collect();
        let filter = Filter {
            kind: wanted.kind.as_deref(),
            owner: wanted.owner,
            plan: wanted.plan,
            search: &search,
            unmanaged: wanted.unmanaged,
        };
        let mut found = rows::spaces(&self.drive.inner.db, &filter, order, self.drive.now(), limit + 1).await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        Ok(Page { items: found.into_iter().map(Overseen::from).collect(), more })
    }

    /// A space, its plan, and what fills it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn space(&self, actor: &Actor, id: SpaceId) -> Result<(Overseen, PlanUse), Error> {
        may(actor)?;
        let space = self.overseen(id).await?;
        Ok((space, self.drive.plan_use_of(id).await?))
    }

    async fn overseen(&self, id: SpaceId) -> Result<Overseen, Error> {
        let row = rows::space(&self.drive.inner.db, id, self.drive.now()).await?;
        row.map(Overseen::from).ok_or(Error::NotFound("space"))
    }

    /// Makes an account the manager of a team's space that has none, or none that can be used: whoever is left there can go on.
    /// It is written into the log of the server too, since it lets somebody into what was not theirs.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::PersonalSpace`], [`Error::SubjectUnknown`], [`Error::HasManager`].
    pub async fn give_manager(&self, by: By<'_>, space: SpaceId, to: AccountId) -> Result<Overseen, Error> {
        by.may()?;
        let found = self.overseen(space).await?;
        if found.kind != TEAM {
            return Err(Error::PersonalSpace);
        }
        let taker = db::accounts::account(&self.drive.inner.db, to).await?;
        taker.filter(|row| row.disabled.is_none()).ok_or(Error::SubjectUnknown("user"))?;
        let (drive, accounts) = (self.drive.clone(), self.accounts.clone());
        let (principal, address) = (by.actor.principal, by.address);
        let (name, by) = (found.name, principal.account);
        self.drive
            .write(space, async move |tx| {
                let work = Work::hold(&drive, &tx, space, None).await?;
                if rows::managers(&tx, space).await? > 0 {
                    return Err(Error::HasManager);
                }
                work.put_manager(to, by).await?;
                let detail = json!({ "space": space, "name": name });
                accounts.log_admin(&tx, AdminDeed::ManagerGiven, (&principal, address), Some(to), detail).await?;
                Ok(())
            })
            .await?;
        tracing::warn!(%space, manager = %to, %by, "an administrator gave a team's space without a manager a new one");
        self.overseen(space).await
    }

    /// Ends a team's space with all that is in it, for good.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::PersonalSpace`]: that of an account ends with the account.
    pub async fn end_space(&self, by: By<'_>, space: SpaceId) -> Result<(), Error> {
        by.may()?;
        let found = self.overseen(space).await?;
        if found.kind != TEAM {
            return Err(Error::PersonalSpace);
        }
        let (drive, accounts) = (self.drive.clone(), self.accounts.clone());
        let (principal, address) = (by.actor.principal, by.address);
        self.drive
            .write(space, async move |tx| {
                let work = Work::hold(&drive, &tx, space, None).await?;
                work.end().await?;
                let detail = json!({ "space": space, "name": found.name, "bytes": work.space.used });
                Ok(accounts.log_admin(&tx, AdminDeed::SpaceEnded, (&principal, address), None, detail).await?)
            })
            .await?;
        tracing::warn!(%space, by = %by.actor.principal.account, "an administrator ended a team's space");
        Ok(())
    }

    /// Up to `limit` uploads under way after `after`, oldest first: those that can be resumed, and bodies of one request that
    /// are long enough to have reserved their room.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn uploads(
        &self,
        actor: &Actor,
        account: Option<AccountId>,
        space: Option<SpaceId>,
        after: Option<UploadId>,
        limit: u32,
    ) -> Result<Page<InFlight>, Error> {
        may(actor)?;
        let limit = limit.clamp(1, limits::PAGE_ENTRIES_MAX);
        let mut found = rows::uploads(&self.drive.inner.db, account, space, after, limit + 1).await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        Ok(Page { items: found.into_iter().map(InFlight::from).collect(), more })
    }

    /// Cancels an upload: what it holds is given back, and whoever sends its bytes is cut, at once in this process and with the
    /// next bytes in others. The file that a finished one became stays.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn cancel_upload(&self, by: By<'_>, id: UploadId) -> Result<(), Error> {
        by.may()?;
        let seen = uploads::find_upload(&self.drive.inner.db, id).await?.ok_or(Error::NotFound("upload"))?;
        let (drive, accounts) = (self.drive.clone(), self.accounts.clone());
        let (principal, address) = (by.actor.principal, by.address);
        self.drive
            .write(seen.space, async move |tx| {
                let work = Work::hold(&drive, &tx, seen.space, None).await?;
                let mut row = uploads::upload(&tx, id).await?.ok_or(Error::NotFound("upload"))?;
                if row.entry.is_some() || row.state == CANCELLED {
                    return Err(Error::NotFound("upload"));
                }
                let detail = json!({
                    "upload": id, "space": row.space, "bytes": row.received, "length": row.length, "reserved": row.reserved,
                });
                let whose = Some(row.account);
                if row.kind == KIND_PUT {
                    // Its bytes may be on their way through another process, which finds this at the end.
                    work.count(0, -signed(row.reserved)?).await?;
                    row.reserved = 0;
                    CANCELLED.clone_into(&mut row.state);
                    uploads::update_upload(&tx, &row).await?;
                } else {
                    work.drop_upload(row).await?;
                }
                accounts.log_admin(&tx, AdminDeed::UploadCancelled, (&principal, address), whose, detail).await?;
                Ok::<_, Error>(())
            })
            .await?;
        self.drive.inner.running.cut(id);
        Ok(())
    }
}

impl Drive {
    /// Bytes that all uploads under way hold of the reservations of their spaces.
    pub(crate) async fn reserved_bytes(&self) -> Result<u64, Error> {
        Ok(rows::reserved(&self.inner.db).await?)
    }
}
