//! Removing for good: a file at once, a tree out of sight at once and out of the database in bites.

use accounts::Action;
use async_trait::async_trait;
use base::{EntryId, SpaceId};
use bus::{Handler, HandlerError, Leased, NewJob, Tally, Unit};
use db::{
    Tx, totals,
    tree::{self, EntryRow},
};
use journal::Kind as Changed;
use serde::{Deserialize, Serialize};

use crate::{
    Actor, Drive, Entry, Error, IfMatch,
    drive::Reach,
    repeat::Repeat,
    work::{Work, signed},
};

/// Kind of the jobs that take a removed tree apart.
const KIND: &str = "drive.purge";

/// Entries that one unit of work takes apart at most.
pub(crate) const BITE: u32 = 1000;

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Payload {
    space: SpaceId,
    entry: EntryId,
    /// Entries that were to be taken apart when it was asked for. Jobs of older versions do not say it.
    #[serde(default)]
    entries: Option<u64>,
}

impl Drive {
    /// Removes a file with all its versions, or a folder with its tree, for good: from the tree, or what is in the trash
    /// itself.
    ///
    /// Either is gone for every reader when this returns. Of a tree of more than a thousand entries the rest is taken
    /// apart by a job, and its bytes come back to the quota as that goes on.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::InTrash`] for what lies in a folder of the trash, [`Error::RootEntry`],
    /// [`Error::Precondition`].
    pub async fn remove(&self, actor: &Actor, id: EntryId, if_match: Option<IfMatch>) -> Result<(), Error> {
        let repeat = Repeat::of(id, &[Changed::Deleted]);
        let run = async {
            let repeat = repeat.clone();
            let space = self.find(actor, Action::Manage, id, "entry").await?.0.space.id;
            let (drive, actor) = (self.clone(), actor.clone());
            let unit = async move |tx: Tx| {
                let work = Work::change(&drive, &tx, space, &actor, 0).await?;
                work.refuse_repeat(&repeat).await?;
                let row = tree::entry(&tx, space, id).await?.ok_or(Error::NotFound("entry"))?;
                if id == work.space.root {
                    return Err(Error::RootEntry);
                }
                // What was given on this alone gives no say in whether it is; in the trash that holds nothing anyway.
                work.permit(Action::Manage, row.parent.unwrap_or(id), "entry").await?;
                IfMatch::check(if_match.as_ref(), &Entry::try_from(&row)?)?;
                match work.reach(id).await? {
                    Some(Reach::Tree) => {}
                    Some(Reach::Trash { top }) if top == id => work.leave_trash(id).await?,
                    Some(Reach::Trash { .. }) => return Err(Error::InTrash("entry")),
                    None => return Err(Error::NotFound("entry")),
                }
                work.destroy(row, &mut { BITE }).await
            };
            self.write(space, unit).await
        };
        self.once(actor, &repeat, run, drop).await
    }

    /// Takes a bite of a removed tree; how many entries, and whether nothing is left of it.
    async fn purge_bite(&self, payload: Payload) -> Result<(u32, bool), Error> {
        let Payload { space, entry, .. } = payload;
        let drive = self.clone();
        self.write(space, async move |tx| {
            let work = Work::hold(&drive, &tx, space, None).await?;
            // An attempt that was cut off after its last commit finds nothing, and is done.
            let Some(row) = tree::entry(&tx, space, entry).await? else { return Ok((0, true)) };
            if row.parent.is_some() || entry == work.space.root {
                return Err(Error::Shape("a tree that is to be taken apart was not removed"));
            }
            let mut left = BITE;
            let done = work.take_apart(entry, &mut left).await?;
            if done {
                tree::count_purging(&tx, space, -1).await?;
            }
            Ok((BITE - left, done))
        })
        .await
    }
}

impl Work<'_> {
    /// Removes an entry for good and writes that down: at once as far as `budget` goes, which is what is left of it, and
    /// the rest of a tree by a job.
    pub(crate) async fn destroy(&self, row: EntryRow, budget: &mut u32) -> Result<(), Error> {
        self.record_removal(Changed::Deleted, &row, None).await?;
        let weight = self.weight(&row).await?;
        if let Some(parent) = row.parent {
            self.count_below(parent, -weight).await?;
        }
        if row.kind == tree::FILE {
            let removed = tree::delete_versions(self.tx, row.space, row.id).await?;
            tree::delete_entry(self.tx, row.space, row.id).await?;
            *budget = budget.saturating_sub(1);
            return self.give_back(&removed).await;
        }
        let before = *budget;
        if self.take_apart(row.id, budget).await? {
            return Ok(());
        }
        let entries = u64::try_from(weight.files + weight.folders).unwrap_or_default();
        self.detach(row, entries.saturating_sub((before - *budget).into())).await
    }

    /// Takes what is left of a tree, so many entries, out of sight and asks for the rest to be done.
    async fn detach(&self, row: EntryRow, entries: u64) -> Result<(), Error> {
        let (space, entry) = (row.space, row.id);
        tree::update_entry(self.tx, &EntryRow { parent: None, revision: row.revision + 1, ..row }).await?;
        tree::count_purging(self.tx, space, 1).await?;
        let job = NewJob {
            kind: KIND,
            version: 1,
            dedup: Some(format!("{KIND} {entry}")),
            payload: Payload { space, entry, entries: Some(entries) },
            priority: 0,
            due: self.now,
        };
        bus::enqueue(self.tx, &self.drive.inner.ids, self.now, job).await?;
        Ok(())
    }

    /// Removes up to `left` entries of a tree, leaves before what holds them, so that what is left hangs together; true
    /// when `top` itself is gone too. `left` is lowered by what was removed.
    pub(crate) async fn take_apart(&self, top: EntryId, left: &mut u32) -> Result<bool, Error> {
        let (space, mut bytes) = (self.space.id, 0);
        let mut path = vec![top];
        while let Some(&folder) = path.last()
            && *left > 0
        {
            let (files, removed) = tree::delete_files_of(self.tx, space, folder, *left).await?;
            bytes += self.release(&removed).await?;
            *left -= (files as u32).min(*left);
            if *left == 0 {
                break;
            }
            if let Some(inner) = tree::some_subfolder(self.tx, space, folder).await? {
                path.push(inner);
            } else {
                let (gone, forgotten) =
                    futures::join!(tree::delete_entry(self.tx, space, folder), totals::delete(self.tx, space, folder));
                gone?;
                forgotten?;
                path.pop();
                *left -= 1;
            }
        }
        self.count(-signed(bytes)?, 0).await?;
        Ok(path.is_empty())
    }
}

/// Takes removed trees apart. It may begin again at any point: what is gone is gone, and the rest hangs together.
pub struct PurgeHandler {
    drive: Drive,
}

impl PurgeHandler {
    /// A handler for the removed trees of this drive.
    pub fn new(drive: Drive) -> Self {
        Self { drive }
    }
}

#[async_trait]
impl Handler for PurgeHandler {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn handle(&self, job: &Leased) -> Result<(), HandlerError> {
        let payload: Payload = job.payload()?;
        // What attempts before this one have taken is not known: there is no telling then of how much the rest is a part.
        let total = payload.entries.filter(|_| job.attempts == 1);
        let mut done = 0;
        loop {
            let (gone, is_gone) = self.drive.purge_bite(payload).await?;
            done += u64::from(gone);
            job.tell(Tally { done, total, unit: Unit::Entries });
            if is_gone {
                return Ok(());
            }
        }
    }
}
