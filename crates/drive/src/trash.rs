//! The trash: out of sight in one row, back in one row, and emptied in bites.

use std::time::Duration;

use accounts::Action;
use async_trait::async_trait;
use base::{AccountId, EntryId, JobId, Name, SpaceId, Time, limits};
use bus::{Handler, HandlerError, JobState, Leased, NewJob, Tally, Unit};
use db::{
    Tx,
    trash::{self, TrashRow, TrashedRow},
    tree::{self, EntryRow},
};
use journal::Kind as Changed;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Actor, Drive, Entry, Error, IfMatch, OnConflict, Page, drive::Reach, entry::NameOf, inverse::Inverse, place::Slot,
    purge::BITE, repeat::Repeat, work::Work,
};

/// Kind of the jobs that empty the trash of a space.
pub(crate) const KIND: &str = "drive.empty";

/// Entries of the trash that one unit of work removes at most, small trees with what is in them.
const TOPS: u32 = 100;

/// Something in the trash.
#[derive(Debug, Clone)]
pub struct Trashed {
    /// It, with the name that it had. It has no folder now.
    pub entry: Entry,
    /// The folder it was in.
    pub from: EntryId,
    /// Its path when it was put here.
    pub path: String,
    /// When that was.
    pub at: Time,
    /// Who did it.
    pub by: Option<AccountId>,
    /// When it will be removed for good, if age is a reason for that.
    pub until: Option<Time>,
    /// Its place in the trash: larger is newer.
    pub sequence: u64,
}

/// How something is to come back. What is absent is as it was.
#[derive(Debug, Clone)]
pub struct Restore {
    /// Another folder, in the same space.
    pub parent: Option<EntryId>,
    /// Another name.
    pub name: Option<Name>,
    /// What to do if the name is taken; nothing is ever replaced.
    pub on_conflict: OnConflict,
}

/// How far a space's trash is emptied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emptying {
    /// The job; none if nobody asked for it since it was done last.
    pub job: Option<JobId>,
    /// Whether the job was given up.
    pub failed: bool,
    /// Entries that were to be removed when it was asked for.
    pub total: u64,
    /// Those that are still there.
    pub left: u64,
    /// Removed trees of the space whose rest is still being taken apart.
    pub trees: u64,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Payload {
    space: SpaceId,
    /// The newest entry of the trash when it was asked for: what comes later stays.
    upto: u64,
    total: u64,
    actor: AccountId,
    operation: Option<Uuid>,
}

impl Drive {
    /// Moves a file or a folder with its tree to the trash of its space. However large it is, that is one row: its name is
    /// free at once, and nothing below it can be changed until it comes back.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for what is in the trash already, [`Error::RootEntry`], [`Error::Precondition`].
    pub async fn trash(&self, actor: &Actor, id: EntryId, if_match: Option<IfMatch>) -> Result<(), Error> {
        let repeat = Repeat::of(id, &[Changed::Trashed]);
        let run = async {
            let repeat = repeat.clone();
            let gone = |error: Error| if matches!(error, Error::InTrash(_)) { Error::NotFound("entry") } else { error };
            let space = self.locate(actor, Action::Change, id, "entry").await.map_err(gone)?.space.id;
            let (drive, actor) = (self.clone(), actor.clone());
            let unit = async move |tx: Tx| {
                let work = Work::change(&drive, &tx, space, &actor, 0).await?;
                work.refuse_repeat(&repeat).await?;
                let row = work.entry(id, "entry").await.map_err(gone)?;
                IfMatch::check(if_match.as_ref(), &Entry::try_from(&row)?)?;
                work.discard(row).await
            };
            self.write(space, unit).await
        };
        self.once(actor, &repeat, run, drop).await
    }

    /// Up to `limit` entries of a space's trash that are older than the place `before`, newest first.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn trashed(
        &self,
        actor: &Actor,
        space: SpaceId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Page<Trashed>, Error> {
        self.own_space(actor, Action::Read, space).await?;
        let limit = limit.clamp(1, limits::PAGE_ENTRIES_MAX);
        let before = before.unwrap_or(i64::MAX as u64);
        let mut rows = trash::newest(&self.inner.db, space, before, limit + 1).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let days = self.keeping(actor, space).await?.now.trash_days.filter(|days| *days > 0);
        let lifetime = days.map(|days| Duration::from_secs(u64::from(days) * 86_400));
        let seen = |TrashedRow { entry, trash }: TrashedRow| -> Result<Trashed, Error> {
            Ok(Trashed {
                entry: Entry { trashed: true, ..Entry::try_from(&entry)? },
                from: trash.parent,
                path: trash.path,
                at: trash.at,
                by: trash.by,
                until: lifetime.map(|lifetime| trash.at.plus(lifetime)),
                sequence: trash.sequence,
            })
        };
        Ok(Page { items: rows.into_iter().map(seen).collect::<Result<_, _>>()?, more })
    }

    /// Takes something out of the trash, with all that is in it, to the folder it was in or to another one. What lies in a
    /// folder of the trash comes out by itself, to where that folder was.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotInTrash`], [`Error::FolderGone`] if there is no folder to go back to and none is
    /// named; for a folder that is named [`Error::InTrash`], [`Error::NotAFolder`], [`Error::OtherSpace`];
    /// [`Error::NameTaken`], [`Error::TooDeep`].
    pub async fn restore(&self, actor: &Actor, id: EntryId, restore: Restore) -> Result<Entry, Error> {
        let repeat = Repeat::of(id, &[Changed::Restored]);
        let run = async {
            let repeat = repeat.clone();
            let (located, _) = self.find(actor, Action::Change, id, "entry").await?;
            let space = located.space.id;
            if let Some(parent) = restore.parent {
                let target = self.folder(actor, Action::Change, Some(parent)).await?;
                if target.space.id != space {
                    return Err(Error::OtherSpace);
                }
            }
            let (drive, actor) = (self.clone(), actor.clone());
            let unit = async move |tx: Tx| {
                let work = Work::change(&drive, &tx, space, &actor, 0).await?;
                work.refuse_repeat(&repeat).await?;
                work.bring_back(id, restore).await
            };
            self.write(space, unit).await
        };
        self.once(actor, &repeat, run, |done| done.entry).await
    }

    /// Asks for all that is in a space's trash now to be removed for good. A job does that in bites; asking again while it
    /// is at it adds what came since.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn empty_trash(&self, actor: &Actor, space: SpaceId) -> Result<Emptying, Error> {
        self.own_space(actor, Action::Manage, space).await?;
        let (drive, actor) = (self.clone(), actor.clone());
        self.write(space, async move |tx| {
            let work = Work::hold(&drive, &tx, space, Some(&actor)).await?;
            let total = work.space.trashed;
            let payload = Payload {
                space,
                upto: work.space.sequence,
                total,
                actor: actor.principal.account,
                operation: actor.operation,
            };
            let job = NewJob { kind: KIND, version: 1, dedup: Some(key(space)), payload, priority: 0, due: work.now };
            let job = bus::enqueue(&tx, &drive.inner.ids, work.now, job).await?;
            Ok(Emptying { job: Some(job), failed: false, total, left: total, trees: work.space.purging })
        })
        .await
    }

    /// How far the emptying of a space's trash is.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn emptying(&self, actor: &Actor, space: SpaceId) -> Result<Emptying, Error> {
        let trees = self.own_space(actor, Action::Read, space).await?.0.purging;
        let Some(job) = bus::find(&self.inner.db, &key(space), self.inner.clock.now()).await? else {
            return Ok(Emptying { job: None, failed: false, total: 0, left: 0, trees });
        };
        let payload: Payload = serde_json::from_str(&job.payload)
            .map_err(|_| Error::Shape("the payload of a job that empties a trash"))?;
        let left = trash::left(&self.inner.db, space, payload.upto).await?;
        let failed = job.state == JobState::Dead;
        Ok(Emptying { job: Some(job.id), failed, total: payload.total.max(left), left, trees })
    }

    /// Removes a bite of what is in a trash; how many entries, and whether nothing is left of it.
    async fn empty_bite(&self, payload: Payload) -> Result<(usize, bool), Error> {
        let drive = self.clone();
        self.write(payload.space, async move |tx| {
            let work = Work::hold(&drive, &tx, payload.space, None).await?;
            let work = work.on_behalf_of(payload.actor, payload.operation);
            let rows = trash::oldest(&tx, payload.space, payload.upto, TOPS).await?;
            let seen = rows.len();
            let gone = work.destroy_trashed(rows).await?;
            Ok((gone, gone == seen && seen < TOPS as usize))
        })
        .await
    }
}

fn key(space: SpaceId) -> String {
    format!("{KIND} {space}")
}

impl Work<'_> {
    /// Moves an entry of the tree to the trash and writes that down.
    ///
    /// # Errors
    /// [`Error::RootEntry`].
    pub(crate) async fn discard(&self, row: EntryRow) -> Result<(), Error> {
        let Some(parent) = row.parent else { return Err(Error::RootEntry) };
        // Whoever was given a role on this alone has no say in where it is.
        self.permit(Action::Change, parent, "entry").await?;
        let names = tree::path_names(self.tx, row.space, row.id).await?;
        let inverse = Inverse::Restore { parent_id: parent, name: row.name.clone() };
        self.count_below(parent, -self.weight(&row).await?).await?;
        let sequence = self.record_removal(Changed::Trashed, &row, Some(inverse)).await?;
        let place = TrashRow {
            space: row.space,
            sequence,
            entry: row.id,
            parent,
            path: format!("/{}", names.join("/")),
            at: self.now,
            by: self.actor,
        };
        trash::insert(self.tx, &place).await?;
        trash::count(self.tx, row.space, 1).await?;
        self.roles_moved().await?;
        Ok(tree::update_entry(self.tx, &EntryRow { parent: None, revision: row.revision + 1, ..row }).await?)
    }

    /// Takes an entry out of the trash and writes that down.
    ///
    /// # Errors
    /// Those of [`Drive::restore`].
    pub(crate) async fn bring_back(&self, id: EntryId, restore: Restore) -> Result<Entry, Error> {
        let row = tree::entry(self.tx, self.space.id, id).await?.ok_or(Error::NotFound("entry"))?;
        self.permit(Action::Change, id, "entry").await?;
        let top = match self.reach(id).await? {
            Some(Reach::Trash { top }) => top,
            Some(Reach::Tree) => return Err(Error::NotInTrash),
            None => return Err(Error::NotFound("entry")),
        };
        let place = trash::place(self.tx, top).await?.ok_or(Error::Shape("a trash without a place"))?;
        let parent = restore.parent.unwrap_or(place.parent);
        let name = restore.name.map_or_else(|| Name::new(&row.name), Ok)?;
        let kind = if row.kind == tree::FILE { NameOf::File } else { NameOf::Folder };
        let slot = match self.slot(parent, name, restore.on_conflict, kind).await {
            Err(Error::NotFound(_) | Error::InTrash(_)) if restore.parent.is_none() => return Err(Error::FolderGone),
            slot => slot?,
        };
        let Slot::Free(name) = slot else { return Err(Error::NameTaken) };
        if row.kind == tree::FOLDER {
            let height = tree::folder_height(self.tx, self.space.id, id).await?;
            if self.depth(parent).await? as u64 + 1 + height > limits::DEPTH_MAX as u64 {
                return Err(Error::TooDeep);
            }
        }
        match row.parent {
            None => self.leave_trash(id).await?,
            Some(inside) => self.count_below(inside, -self.weight(&row).await?).await?,
        }
        self.count_below(parent, self.weight(&row).await?).await?;
        let row = EntryRow { parent: Some(parent), name: name.into_string(), revision: row.revision + 1, ..row };
        tree::update_entry(self.tx, &row).await?;
        self.roles_moved().await?;
        let entry = Entry::try_from(&row)?;
        self.record(Changed::Restored, &entry, Some(Inverse::Trash)).await?;
        Ok(entry)
    }

    /// Gives up an entry's place in the trash; what becomes of the entry is the caller's to decide.
    pub(crate) async fn leave_trash(&self, id: EntryId) -> Result<(), Error> {
        trash::delete(self.tx, id).await?;
        Ok(trash::count(self.tx, self.space.id, -1).await?)
    }

    /// Removes entries of the trash for good, as many as a unit of work takes; how many.
    pub(crate) async fn destroy_trashed(&self, rows: Vec<TrashRow>) -> Result<usize, Error> {
        let (mut budget, mut gone) = (BITE, 0);
        for place in rows {
            if budget == 0 {
                break;
            }
            self.leave_trash(place.entry).await?;
            if let Some(row) = tree::entry(self.tx, place.space, place.entry).await? {
                self.destroy(row, &mut budget).await?;
            }
            gone += 1;
        }
        Ok(gone)
    }
}

/// Empties trashes. It may begin again at any point: what is gone is gone.
pub struct EmptyHandler {
    drive: Drive,
}

impl EmptyHandler {
    /// A handler for the spaces of this drive.
    pub fn new(drive: Drive) -> Self {
        Self { drive }
    }
}

#[async_trait]
impl Handler for EmptyHandler {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn handle(&self, job: &Leased) -> Result<(), HandlerError> {
        let payload: Payload = job.payload()?;
        // Attempts before this one have removed what is not there any more.
        let left = trash::left(&self.drive.inner.db, payload.space, payload.upto).await?;
        let total = payload.total.max(left);
        let mut done = total - left;
        loop {
            let (gone, is_empty) = self.drive.empty_bite(payload).await?;
            done = total.min(done + gone as u64);
            job.tell(Tally { done, total: Some(total), unit: Unit::Entries });
            if is_empty {
                return Ok(());
            }
        }
    }
}
