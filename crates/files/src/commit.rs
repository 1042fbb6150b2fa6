//! What a unit of work does to contents: the moment in which bytes become visible, shared, or garbage.
//!
//! These run inside somebody else's transaction, so that bytes and names change in one step.

use base::{ContentId, Time};
use db::{Tx, content as rows};
use stripe::{Manifest, PartPlace};

use crate::{Error, Extent, NodeState, Store, write::SETTLE};

pub use db::content::NewContent;

/// What is known of those who were writing an extent whose intent is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writers {
    /// They put nothing any more: it was the caller who wrote.
    Ended,
    /// They may be at it still, in whatever process, and not know yet.
    MayGoOn,
}

impl Store {
    /// Turns a written extent into a ready one. Parts that did not become durable are queued for repair, and so are those
    /// whose node began to drain meanwhile: the walk that empties it may be past this extent.
    ///
    /// # Errors
    /// [`Error::IntentGone`] if the clean-up took the write for dead.
    pub async fn seal(&self, tx: &Tx, extent: &Extent) -> Result<(), Error> {
        if !rows::seal_extent(tx, extent.content, extent.id, extent.length(), &extent.manifest).await? {
            return Err(Error::IntentGone);
        }
        let manifest = Manifest::decode(&extent.manifest)?;
        let nodes = &self.inner.nodes;
        let stays = |place: &PartPlace| nodes.peer(place.node).is_none_or(|peer| peer.state() == NodeState::Active);
        if extent.missing > 0 || !manifest.parts().iter().all(stays) {
            let now = self.inner.clock.now();
            bus::enqueue(tx, &self.inner.ids, now, self.repair_job(extent.id, extent.missing)).await?;
        }
        Ok(())
    }

    /// Inserts a content with one reference. Its extents were sealed in this unit of work or before.
    pub async fn insert_content(&self, tx: &Tx, new: &NewContent) -> Result<(), Error> {
        Ok(rows::insert_content(tx, new).await?)
    }

    /// One more version has these bytes: a copy without copying.
    ///
    /// # Errors
    /// [`Error::NoContent`].
    pub async fn add_reference(&self, tx: &Tx, content: ContentId) -> Result<(), Error> {
        if rows::add_reference(tx, content).await? { Ok(()) } else { Err(Error::NoContent) }
    }

    /// One version less has these bytes. With the last one the extents go to the garbage, to be removed when no reader
    /// that began before can still be at them.
    pub async fn release(&self, tx: &Tx, content: ContentId, now: Time) -> Result<(), Error> {
        let left = rows::drop_reference(tx, content).await?;
        // More releases than references would be bytes lost later: never let the count go below zero unseen.
        assert!(left.is_none_or(|left| left >= 0), "content {content} was released more often than referred to");
        if left == Some(0) {
            rows::delete_content(tx, content).await?;
            self.discard(tx, content, now.plus(self.inner.options.garbage_grace)).await?;
        }
        Ok(())
    }

    /// Puts the extents of a content that never became one (an upload that was given up) on the garbage at once, and those
    /// that somebody may be writing as [`Store::discard_unsealed`] does.
    pub async fn discard_unfinished(&self, tx: &Tx, content: ContentId, now: Time) -> Result<(), Error> {
        self.discard_unsealed(tx, content, 0, now, Writers::MayGoOn).await?;
        self.discard(tx, content, now).await
    }

    /// Puts the unsealed extents of a content from a position on on the garbage. What is sealed stays.
    ///
    /// Their parts are removed when none can come any more. A writer that ended leaves at most what is on its way to the
    /// nodes. One that goes on learns that its intent is gone when it renews it, and cuts its puts: within its lease, by
    /// its own clock.
    pub async fn discard_unsealed(
        &self,
        tx: &Tx,
        content: ContentId,
        position: u32,
        now: Time,
        writers: Writers,
    ) -> Result<(), Error> {
        let due = self.removable(now, writers);
        self.discard_rows(tx, content, rows::intents_from(tx, content, position).await?, due).await
    }

    /// From when on the parts of an intent that is gone may be removed for good.
    pub(crate) fn removable(&self, now: Time, writers: Writers) -> Time {
        match writers {
            Writers::Ended => now.plus(SETTLE),
            Writers::MayGoOn => now.plus(SETTLE + self.inner.options.intent_lease),
        }
    }

    async fn discard(&self, tx: &Tx, content: ContentId, due: Time) -> Result<(), Error> {
        self.discard_rows(tx, content, rows::extents_of(tx, content).await?, due).await
    }

    async fn discard_rows(
        &self,
        tx: &Tx,
        content: ContentId,
        extents: Vec<rows::ExtentRow>,
        due: Time,
    ) -> Result<(), Error> {
        for row in extents {
            let manifest = Manifest::decode(&row.manifest)?;
            let parts = manifest.parts().iter().enumerate().map(|(index, part)| (index as u8, part.node)).collect();
            rows::delete_extent(tx, content, row.id).await?;
            rows::insert_garbage(tx, &self.garbage(row.id, parts, row.length, due)).await?;
        }
        Ok(())
    }

    /// Gives the extents of `from` to `to`, behind what `to` has already.
    pub async fn adopt(
        &self,
        tx: &Tx,
        from: ContentId,
        to: ContentId,
        position: u32,
        start: u64,
    ) -> Result<u64, Error> {
        Ok(rows::adopt_extents(tx, from, to, position, start).await?)
    }

    /// Fills in a content's hash that was not known when it was committed.
    pub async fn set_hash(&self, tx: &Tx, content: ContentId, blake3: &[u8; 32]) -> Result<(), Error> {
        Ok(rows::set_content_hash(tx, content, blake3).await?)
    }
}
