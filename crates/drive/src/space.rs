//! Spaces as their people see them.

use accounts::{Action, Permission};
use base::{EntryId, SpaceId, limits};
use db::spaces::{self, SpaceRow};

use crate::{Actor, Drive, Error, Page, drive::permit};

/// A tree with its counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Space {
    /// Which one.
    pub id: SpaceId,
    /// `personal`.
    pub kind: String,
    /// What people call it.
    pub name: String,
    /// The folder that everything in it hangs from.
    pub root: EntryId,
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

impl From<SpaceRow> for Space {
    fn from(row: SpaceRow) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            name: row.name,
            root: row.root,
            used_bytes: row.used_bytes,
            reserved_bytes: row.reserved_bytes,
            quota_bytes: row.quota_bytes,
            sequence: row.sequence,
            epoch: row.epoch,
        }
    }
}

impl Drive {
    /// Up to `limit` of the caller's spaces after `after`, in order of their ids.
    ///
    /// # Errors
    /// [`Error::Accounts`] if the caller may not see files.
    pub async fn spaces(&self, actor: &Actor, after: Option<SpaceId>, limit: u32) -> Result<Page<Space>, Error> {
        actor.principal.needs(Permission::FilesRead)?;
        let limit = limit.clamp(1, limits::PAGE_ENTRIES_MAX);
        let mut rows = spaces::spaces_of(&self.inner.db, actor.principal.account, after, limit + 1).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        Ok(Page { items: rows.into_iter().map(Space::from).collect(), more })
    }

    /// A space.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn space(&self, actor: &Actor, id: SpaceId) -> Result<Space, Error> {
        let row = spaces::space(&self.inner.db, id).await?.ok_or(Error::NotFound("space"))?;
        permit(actor, Action::Read, row.owner, "space")?;
        Ok(row.into())
    }
}
