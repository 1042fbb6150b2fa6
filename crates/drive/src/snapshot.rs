//! The whole tree of a space, for clients that begin: page by page, while others go on changing it.

use base::{EntryId, SpaceId, limits};
use db::{Tx, snapshot as rows, tree};
use journal::Cursor;

use crate::{Access, Actor, Drive, Entry, Error};

/// Where a reader of a snapshot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Where the journal was when the reading began.
    pub since: Cursor,
    /// The last entry that was read.
    pub after: EntryId,
}

/// A part of a snapshot.
#[derive(Debug, Clone)]
pub struct SnapshotPage {
    /// Entries, in no order that means anything: a folder may come after what is in it.
    pub items: Vec<Entry>,
    /// Where the journal was when the reading began: the changes after it make the snapshot right.
    pub since: Cursor,
    /// Where to go on; none at the end.
    pub next: Option<Reading>,
}

impl Drive {
    /// About `limit` of the entries of a space that are in its tree and that the actor sees, without the root, and what the journal
    /// says from when on.
    ///
    /// What is read is not of one moment. But each entry is at least as new as `since`, so who applies all changes after `since`,
    /// leaving out those of a lower revision than the entry has already, has the tree as it is.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Journal`] with `cursor-gone` if the reading began
    /// before the journal did, so that it must begin anew.
    pub async fn snapshot(
        &self,
        actor: &Actor,
        space: SpaceId,
        from: Option<Reading>,
        limit: u32,
    ) -> Result<SnapshotPage, Error> {
        let state = tree::space(&self.inner.db, space).await?.ok_or(Error::NotFound("space"))?;
        let access = self.access(actor, &state).await?;
        let limit = limit.clamp(1, limits::PAGE_ENTRIES_MAX);
        let (epoch, sequence) = db::journal::find_head(&self.inner.db, space).await?.ok_or(Error::NotFound("space"))?;
        let now = Cursor { epoch, sequence };
        let Reading { since, after } = from.unwrap_or(Reading { since: now, after: EntryId::from_bytes([0; 16]) });
        if since.epoch != now.epoch {
            return Err(journal::Error::CursorGone.into());
        }
        let (place, who) = ((space, state.root), (actor.principal.account, self.now()));
        let read = async |tx: Tx| match access {
            Access::Whole(_) => rows::page(&tx, place, after, limit + 1).await,
            Access::Part => rows::part(&tx, place, who, after, limit + 1).await,
        };
        let mut page = self.inner.db.read(read).await?;
        let more = page.len() > limit as usize;
        page.truncate(limit as usize);
        let next = page.last().filter(|_| more).map(|last| Reading { since, after: last.listed.entry.id });
        let mut items = Vec::with_capacity(page.len());
        for row in page.iter().filter(|row| row.in_tree) {
            let (entry, below) = (&row.listed.entry, row.listed.below);
            let total = (entry.kind == tree::FOLDER).then(|| below.unwrap_or_default().into());
            items.push(Entry { total, ..Entry::try_from(entry)? });
        }
        Ok(SnapshotPage { items, since, next })
    }
}
