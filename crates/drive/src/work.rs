//! A unit of work in one space: the space's row is locked, and what is done is written down.

use base::{AccountId, ContentId, EntryId, SpaceId, Time};
use db::{
    Tx,
    tree::{self, Claim, EntryRow, Removed, SpaceState},
};
use journal::{Change, Kind};
use serde_json::Value;
use uuid::Uuid;

use crate::{Actor, Drive, Entry, Error, drive::is_folder};

/// A unit of work that holds its space's row.
pub(crate) struct Work<'a> {
    pub(crate) drive: &'a Drive,
    pub(crate) tx: &'a Tx,
    /// The space as it was when its row was taken.
    pub(crate) space: SpaceState,
    pub(crate) actor: Option<AccountId>,
    pub(crate) operation: Option<Uuid>,
    pub(crate) now: Time,
    /// Of the change, if it was taken together with the row.
    number: Option<u64>,
}

impl<'a> Work<'a> {
    /// For a unit that writes exactly one change: takes the space's row, the change's number and `used` more bytes of
    /// the quota in one statement.
    ///
    /// # Errors
    /// [`Error::Quota`], [`Error::NotFound`] if there is no such space.
    pub(crate) async fn change(
        drive: &'a Drive,
        tx: &'a Tx,
        space: SpaceId,
        actor: &Actor,
        used: u64,
    ) -> Result<Self, Error> {
        let space = claim(tx, space, Claim { sequence: 1, used: signed(used)?, reserved: 0 }).await?;
        let number = Some(space.sequence);
        Ok(Self::new(drive, tx, space, Some(actor), number))
    }

    /// For a unit that may write a change or none: takes the space's row, no more.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such space.
    pub(crate) async fn hold(
        drive: &'a Drive,
        tx: &'a Tx,
        space: SpaceId,
        actor: Option<&Actor>,
    ) -> Result<Self, Error> {
        let space = claim(tx, space, Claim::default()).await?;
        Ok(Self::new(drive, tx, space, actor, None))
    }

    fn new(drive: &'a Drive, tx: &'a Tx, space: SpaceState, actor: Option<&Actor>, number: Option<u64>) -> Self {
        Self {
            drive,
            tx,
            space,
            actor: actor.map(|actor| actor.principal.account),
            operation: actor.and_then(|actor| actor.operation),
            now: drive.now(),
            number,
        }
    }

    /// Moves the space's bytes in use and reserved.
    ///
    /// # Errors
    /// [`Error::Quota`] if that takes more than is left.
    pub(crate) async fn count(&self, used: i64, reserved: i64) -> Result<(), Error> {
        if used != 0 || reserved != 0 {
            claim(self.tx, self.space.id, Claim { sequence: 0, used, reserved }).await?;
        }
        Ok(())
    }

    /// An entry of this space that is part of its tree.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub(crate) async fn entry(&self, id: EntryId, what: &'static str) -> Result<EntryRow, Error> {
        let row = tree::entry(self.tx, self.space.id, id).await?.ok_or(Error::NotFound(what))?;
        self.reachable(id, what).await?;
        Ok(row)
    }

    /// A folder of this space that is part of its tree.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotAFolder`].
    pub(crate) async fn folder(&self, id: EntryId) -> Result<EntryRow, Error> {
        let row = self.entry(id, "folder").await?;
        is_folder(&row)?;
        Ok(row)
    }

    /// While removed trees are being taken apart, an entry counts only if its folders lead up to the root.
    pub(crate) async fn reachable(&self, id: EntryId, what: &'static str) -> Result<(), Error> {
        if self.space.purging == 0 || id == self.space.root {
            return Ok(());
        }
        let ancestors = tree::ancestors(self.tx, self.space.id, id).await?;
        if ancestors.last() == Some(&self.space.root) { Ok(()) } else { Err(Error::NotFound(what)) }
    }

    /// Lets go of the contents of removed versions, without counting their bytes; returns how many bytes those were.
    pub(crate) async fn release(&self, removed: &[Removed]) -> Result<u64, Error> {
        for version in removed {
            self.drive.inner.store.release(self.tx, version.content, self.now).await?;
        }
        Ok(removed.iter().map(|version| version.size).sum())
    }

    /// Lets go of the contents of removed versions and gives their bytes back to the space.
    pub(crate) async fn give_back(&self, removed: &[Removed]) -> Result<(), Error> {
        let bytes = self.release(removed).await?;
        self.count(-signed(bytes)?, 0).await
    }

    /// Writes down a change of an entry that exists after it.
    pub(crate) async fn record(&self, kind: Kind, entry: &Entry, inverse: Option<Value>) -> Result<(), Error> {
        self.append(kind, entry.id, entry.revision, Some(entry), inverse).await
    }

    /// Writes down that an entry is gone, and the tree below it with it.
    pub(crate) async fn record_removal(&self, row: &EntryRow) -> Result<(), Error> {
        self.append(Kind::Deleted, row.id, row.revision + 1, None, None).await
    }

    async fn append(
        &self,
        kind: Kind,
        entry: EntryId,
        revision: u64,
        state: Option<&Entry>,
        inverse: Option<Value>,
    ) -> Result<(), Error> {
        let change = Change {
            space: self.space.id,
            kind,
            entry,
            revision,
            actor: self.actor,
            operation: self.operation,
            at: self.now,
            state: state.map(serde_json::to_value).transpose().map_err(|_| Error::Shape("no JSON"))?,
            inverse,
        };
        match self.number {
            Some(number) => journal::record(self.tx, number, change).await?,
            None => {
                journal::append(self.tx, change).await?;
            }
        }
        Ok(())
    }

    /// Asks for the hash of a version whose content has none yet.
    pub(crate) async fn ask_for_hash(&self, row: &EntryRow, content: ContentId) -> Result<(), Error> {
        let Some(version) = row.version else { return Ok(()) };
        let payload = crate::rehash::Payload { space: row.space, entry: row.id, version, content, size: row.size };
        let job = bus::NewJob {
            kind: crate::rehash::KIND,
            version: 1,
            dedup: Some(format!("{} {version}", crate::rehash::KIND)),
            payload,
            priority: 0,
            due: self.now,
        };
        Ok(bus::enqueue(self.tx, &self.drive.inner.ids, self.now, job).await?)
    }
}

/// Locks the space's row and moves its counters.
///
/// # Errors
/// [`Error::Quota`], [`Error::NotFound`].
async fn claim(tx: &Tx, space: SpaceId, claim: Claim) -> Result<SpaceState, Error> {
    match tree::claim(tx, space, claim).await? {
        Some(state) => Ok(state),
        None if tree::space_within(tx, space).await?.is_some() => Err(Error::Quota),
        None => Err(Error::NotFound("space")),
    }
}

/// A number of bytes as what is added to a counter.
///
/// # Errors
/// [`Error::FileTooLarge`] beyond what a counter holds.
pub(crate) fn signed(bytes: u64) -> Result<i64, Error> {
    i64::try_from(bytes).map_err(|_| Error::FileTooLarge)
}
