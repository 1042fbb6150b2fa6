//! A unit of work in one space: the space's row is locked, and what is done is written down.

use std::collections::BTreeMap;

use accounts::Action;
use base::{AccountId, ContentId, EntryId, SpaceId, Time};
use db::{
    Tx,
    totals::{self, Total},
    tree::{self, Claim, EntryRow, Removed, SpaceState},
    usage,
};
use journal::{Change, Kind, Turn};
use parking_lot::Mutex;
use uuid::Uuid;

use crate::{
    Actor, Drive, Entry, Error, Shortage,
    drive::{Reach, is_folder},
    inverse::Inverse,
};

/// A unit of work that holds its space's row.
pub(crate) struct Work<'a> {
    pub(crate) drive: &'a Drive,
    pub(crate) tx: &'a Tx,
    /// The space as it was when its row was taken.
    pub(crate) space: SpaceState,
    pub(crate) actor: Option<AccountId>,
    /// Whose request this is, and whose role it takes; none for what the program does by itself.
    pub(crate) asked_by: Option<Actor>,
    pub(crate) operation: Option<Uuid>,
    pub(crate) now: Time,
    /// Of the change, if it was taken together with the row.
    number: Option<u64>,
    /// Whether the unit makes several changes: then what `space` says of trash does not hold for the later ones.
    pub(crate) several: bool,
    /// What such a unit adds below folders, until its end.
    below: Mutex<BTreeMap<EntryId, Total>>,
    /// What the next change takes back, if it is an undo or a redo; without a number where that was done in another space.
    pub(crate) takes_back: Option<(Turn, Option<u64>)>,
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
        let claim = Claim { sequence: 1, used: signed(used)?, reserved: 0 };
        if let Some(space) = tree::claim(tx, space, claim).await? {
            let number = Some(space.sequence);
            return Ok(Self::new(drive, tx, space, Some(actor), number));
        }
        let space = tree::space_within(tx, space).await?.ok_or(Error::NotFound("space"))?;
        Err(Self::new(drive, tx, space, Some(actor), None).no_room(used).await?)
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
        let space = tree::claim(tx, space, Claim::default()).await?.ok_or(Error::NotFound("space"))?;
        Ok(Self::new(drive, tx, space, actor, None))
    }

    fn new(drive: &'a Drive, tx: &'a Tx, space: SpaceState, actor: Option<&Actor>, number: Option<u64>) -> Self {
        Self {
            drive,
            tx,
            space,
            actor: actor.map(|actor| actor.principal.account),
            asked_by: actor.cloned(),
            operation: actor.and_then(|actor| actor.operation),
            now: drive.now(),
            number,
            several: false,
            below: Mutex::default(),
            takes_back: None,
        }
    }

    /// Says who asked for it, where that is not the one who does it.
    pub(crate) fn on_behalf_of(self, account: AccountId, operation: Option<Uuid>) -> Self {
        Self { actor: Some(account), operation, ..self }
    }

    /// Says that the unit makes several changes; it ends with [`Self::settle_totals`].
    pub(crate) fn of_several(self) -> Self {
        Self { several: true, ..self }
    }

    /// Moves the space's bytes in use and reserved.
    ///
    /// # Errors
    /// [`Error::Quota`] if that takes more than is left.
    pub(crate) async fn count(&self, used: i64, reserved: i64) -> Result<(), Error> {
        if used == 0 && reserved == 0 {
            return Ok(());
        }
        match tree::claim(self.tx, self.space.id, Claim { sequence: 0, used, reserved }).await? {
            Some(_) => Ok(()),
            None => Err(self.no_room((used + reserved).max(0).cast_unsigned()).await?),
        }
    }

    /// The refusal of so many bytes for want of room, with what fills the space if whose request this is may see that.
    async fn no_room(&self, needed: u64) -> Result<Error, Error> {
        metrics::counter!("holdfast_plan_refusals_total", "limit" => "storage").increment(1);
        if self.asked_by.is_none() || self.permit(Action::Read, self.space.root, "space").await.is_err() {
            return Ok(Error::Quota(None));
        }
        let meter = usage::meter(self.tx, self.space.id).await?.ok_or(Error::NotFound("space"))?;
        Ok(Error::Quota(Some(Box::new(Shortage::new(self.space.id, needed, &meter)))))
    }

    /// Whether a file of so many bytes may come to be in the space.
    ///
    /// # Errors
    /// [`Error::PlanFileSize`].
    pub(crate) fn fits(&self, bytes: u64) -> Result<(), Error> {
        fits(&self.space, bytes)
    }

    /// An entry of this space that is part of its tree, and that may be changed by whose request this is.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::InTrash`], [`Error::Accounts`].
    pub(crate) async fn entry(&self, id: EntryId, what: &'static str) -> Result<EntryRow, Error> {
        self.entry_for(Action::Change, id, what).await
    }

    /// An entry of this space that is part of its tree, and to which may be done `action`.
    ///
    /// # Errors
    /// Those of [`Self::entry`].
    pub(crate) async fn entry_for(&self, action: Action, id: EntryId, what: &'static str) -> Result<EntryRow, Error> {
        self.permit(action, id, what).await?;
        let row = tree::entry(self.tx, self.space.id, id).await?.ok_or(Error::NotFound(what))?;
        match self.reach(id).await? {
            Some(Reach::Tree) => Ok(row),
            Some(Reach::Trash { .. }) => Err(Error::InTrash(what)),
            None => Err(Error::NotFound(what)),
        }
    }

    /// A folder of this space that is part of its tree.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::InTrash`], [`Error::NotAFolder`].
    pub(crate) async fn folder(&self, id: EntryId) -> Result<EntryRow, Error> {
        let row = self.entry(id, "folder").await?;
        is_folder(&row)?;
        Ok(row)
    }

    /// Where an entry is; `None` for what was removed and is being taken apart. While there is neither trash nor such a
    /// tree, every entry is in the tree; otherwise it is if its folders lead up to the root.
    pub(crate) async fn reach(&self, id: EntryId) -> Result<Option<Reach>, Error> {
        let whole = self.space.purging == 0 && self.space.trashed == 0 && !self.several;
        if whole || id == self.space.root {
            return Ok(Some(Reach::Tree));
        }
        Ok(Reach::of(tree::top(self.tx, self.space.id, id).await?, self.space.root))
    }

    /// What an entry adds to the folder it is in.
    pub(crate) async fn weight(&self, row: &EntryRow) -> Result<Total, Error> {
        let below = match row.kind {
            tree::FOLDER => totals::below(self.tx, row.space, row.id).await?,
            _ => Total::default(),
        };
        Ok(Total::of(row, below))
    }

    /// Counts what a folder, and all above it, have more or less below them.
    ///
    /// A unit of several changes does that at its end, once for each folder. That is the same whatever moves meanwhile: what
    /// is not counted yet is counted nowhere above, and goes up from where the folder is then.
    pub(crate) async fn count_below(&self, folder: EntryId, change: Total) -> Result<(), Error> {
        if self.several {
            let mut below = self.below.lock();
            let sum = below.entry(folder).or_default();
            *sum = *sum + change;
            return Ok(());
        }
        Ok(totals::add(self.tx, self.space.id, folder, change).await?)
    }

    /// Counts what several changes put off.
    pub(crate) async fn settle_totals(&self) -> Result<(), Error> {
        let below = std::mem::take(&mut *self.below.lock());
        for (folder, change) in below {
            totals::add(self.tx, self.space.id, folder, change).await?;
        }
        Ok(())
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

    /// Writes down a change of an entry, which is part of the tree after it, and returns its number.
    pub(crate) async fn record(&self, kind: Kind, entry: &Entry, inverse: Option<Inverse>) -> Result<u64, Error> {
        self.append(kind, entry.revision, entry, inverse).await
    }

    /// Writes down that an entry is in the trash or gone, and the tree below it with it. `row` is as it was before.
    pub(crate) async fn record_removal(
        &self,
        kind: Kind,
        row: &EntryRow,
        inverse: Option<Inverse>,
    ) -> Result<u64, Error> {
        self.append(kind, row.revision + 1, &Entry::try_from(row)?, inverse).await
    }

    async fn append(&self, kind: Kind, revision: u64, entry: &Entry, inverse: Option<Inverse>) -> Result<u64, Error> {
        let change = Change {
            space: self.space.id,
            kind,
            entry: entry.id,
            revision,
            actor: self.actor,
            operation: self.operation,
            at: self.now,
            state: Some(entry),
            inverse: inverse.map(Inverse::into_json).transpose()?,
            takes_back: self.takes_back,
        };
        match self.number {
            Some(number) => {
                journal::record(self.tx, number, change).await?;
                Ok(number)
            }
            None => Ok(journal::append(self.tx, change).await?),
        }
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
        bus::enqueue(self.tx, &self.drive.inner.ids, self.now, job).await?;
        Ok(())
    }
}

/// Whether a file of so many bytes may come to be in a space.
///
/// # Errors
/// [`Error::PlanFileSize`].
pub(crate) fn fits(space: &SpaceState, bytes: u64) -> Result<(), Error> {
    match space.file_bytes_max {
        Some(most) if bytes > most => {
            metrics::counter!("holdfast_plan_refusals_total", "limit" => "file").increment(1);
            Err(Error::PlanFileSize(most))
        }
        _ => Ok(()),
    }
}

/// A number of bytes as what is added to a counter.
///
/// # Errors
/// [`Error::FileTooLarge`] beyond what a counter holds.
pub(crate) fn signed(bytes: u64) -> Result<i64, Error> {
    i64::try_from(bytes).map_err(|_| Error::FileTooLarge)
}
