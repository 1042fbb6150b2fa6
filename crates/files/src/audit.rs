//! The audit: what nodes hold against what manifests say, as a slow second line behind intents and garbage.
//!
//! A part that no extent explains is removed only at a second look much later; a part that a manifest names and its
//! node does not have is a repair. A node that comes back after a silence, or was started anew, is audited at once: its
//! folder may be an old one.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use base::{NodeId, PartId, Time};
use db::{Lane, content as rows};
use parking_lot::Mutex;
use stripe::{Manifest, PartState};

use crate::{Error, Store, heal, nodes::Peer};

/// Parts of one bite.
const BITE: u32 = 1000;

/// How long after a whole pass over a node the next one begins, at least.
const PASS_PAUSE_MIN: Duration = Duration::from_secs(1);

/// How long after a node did not answer it is asked again.
const RETRY_PAUSE: Duration = Duration::from_secs(10);

/// How a bite ended.
enum Bite {
    /// The last part of it; there are more.
    More(PartId),
    /// There are no more.
    End,
    /// The node did not say what it has.
    NoAnswer,
}

/// Compares nodes with manifests.
pub struct Auditor {
    store: Store,
    state: Mutex<HashMap<NodeId, Pass>>,
}

#[derive(Clone, Copy, Default)]
struct Pass {
    after: Option<PartId>,
    /// When the node's next pass is due, by this process's clock.
    due: Duration,
    was_live: bool,
    /// The process that was audited.
    started: Option<Time>,
}

impl Auditor {
    /// An auditor of this store.
    pub fn new(store: Store) -> Self {
        Self { store, state: Mutex::default() }
    }

    /// Looks at one bite of one node that is due; says whether there was one.
    ///
    /// # Errors
    /// [`Error::Db`], [`Error::Manifest`].
    pub async fn round(&self) -> Result<bool, Error> {
        let nodes = &self.store.inner.nodes;
        let now = self.store.inner.clock.elapsed();
        for peer in nodes.all() {
            let live = nodes.is_live(&peer);
            let pass = {
                let mut state = self.state.lock();
                let pass = state.entry(peer.id).or_default();
                let started = Some(peer.started());
                if live && (!pass.was_live || pass.started != started) {
                    *pass = Pass { after: None, due: now, was_live: true, started };
                }
                pass.was_live = live;
                *pass
            };
            if !live || now < pass.due {
                continue;
            }
            let bite = self.bite(&peer, pass.after).await?;
            if let Some(pass) = self.state.lock().get_mut(&peer.id) {
                match bite {
                    Bite::More(after) => pass.after = Some(after),
                    Bite::End => (pass.after, pass.due) = (None, now + self.pass_pause()),
                    Bite::NoAnswer => pass.due = now + RETRY_PAUSE,
                }
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// Audits every node once, from beginning to end; nodes that do not answer are left out.
    ///
    /// # Errors
    /// [`Error::Db`], [`Error::Manifest`].
    pub async fn pass(&self) -> Result<(), Error> {
        for peer in self.store.inner.nodes.all() {
            let mut after = None;
            while let Bite::More(last) = self.bite(&peer, after).await? {
                after = Some(last);
            }
        }
        Ok(())
    }

    /// Compares the node's parts above `after` with the extents.
    async fn bite(&self, peer: &Peer, after: Option<PartId>) -> Result<Bite, Error> {
        let inner = &self.store.inner;
        // Extents are asked for after parts: an extent that is written meanwhile explains its parts, and one that is
        // dropped meanwhile leaves them to the garbage.
        let listed = match peer.parts.list(after, BITE).await {
            Ok(listed) => listed,
            Err(error) => {
                inner.nodes.note_failure(peer, &error);
                return Ok(Bite::NoAnswer);
            }
        };
        let last = listed.last().map(|info| info.part).filter(|_| listed.len() == BITE as usize);
        let low = after.map_or(base::ExtentId::from_bytes([0; 16]), PartId::extent);
        let high = last.map_or(base::ExtentId::from_bytes([0xff; 16]), PartId::extent);
        let held: HashSet<PartId> = listed.iter().map(|info| info.part).collect();
        let mut explained: HashSet<PartId> = HashSet::new();
        for row in rows::extents_between(&inner.db, low, high).await? {
            let manifest = Manifest::decode(&row.manifest)?;
            for (index, place) in manifest.parts().iter().enumerate() {
                let part = row.id.part(index as u8);
                if place.node != peer.id {
                    continue;
                }
                explained.insert(part);
                let in_this_bite = after.is_none_or(|after| part > after) && last.is_none_or(|last| part <= last);
                let absent = row.ready && place.state == PartState::Ok && in_this_bite && !held.contains(&part);
                if absent {
                    self.report_missing(row.id, index, &manifest).await?;
                }
            }
        }
        for part in held.difference(&explained) {
            self.look_at(*part, peer.id).await?;
        }
        let noted = rows::orphans_on(&inner.db, peer.id, low.part(0), high.part(u8::MAX)).await?;
        let of_bite = |part: &PartId| after.is_none_or(|after| *part > after) && last.is_none_or(|last| *part <= last);
        let is_over = |part: &PartId| of_bite(part) && (explained.contains(part) || !held.contains(part));
        self.forget(noted.into_iter().filter(is_over).collect(), peer.id).await?;
        Ok(last.map_or(Bite::End, Bite::More))
    }

    /// What was noted and is explained or gone by now: the next time that nothing explains it is a first look again.
    async fn forget(&self, parts: Vec<PartId>, node: NodeId) -> Result<(), Error> {
        if parts.is_empty() {
            return Ok(());
        }
        let unit = async move |tx| {
            for part in parts {
                rows::forget_orphan(&tx, part, node).await?;
            }
            Ok::<_, db::Error>(())
        };
        Ok(self.store.inner.db.write(Lane::Free, unit).await?)
    }

    /// A part is not where its manifest says: looked at once more by itself, since it may just have been moved.
    async fn report_missing(&self, extent: base::ExtentId, index: usize, seen: &Manifest) -> Result<(), Error> {
        let inner = &self.store.inner;
        let Some(row) = rows::extent(&inner.db, extent).await? else { return Ok(()) };
        let manifest = Manifest::decode(&row.manifest)?;
        if manifest.parts()[index].node != seen.parts()[index].node {
            return Ok(());
        }
        let Some(peer) = inner.nodes.peer(manifest.parts()[index].node) else { return Ok(()) };
        let part = extent.part(index as u8);
        if let Err(error) = peer.parts.verify(part).await
            && heal::is_bad(&error)
        {
            metrics::counter!("holdfast_audit_missing_total").increment(1);
            heal::mark(&self.store, &row, &[(index, heal::state_of(&error))]).await?;
        }
        Ok(())
    }

    /// How long after a whole pass over a node the next one begins: two looks fall within the time for which a part must
    /// stay unexplained.
    fn pass_pause(&self) -> Duration {
        (self.store.inner.options.orphan_age / 2).max(PASS_PAUSE_MIN)
    }

    /// A part that nothing explains: noted at the first look, removed at a later one.
    async fn look_at(&self, part: PartId, node: NodeId) -> Result<(), Error> {
        let inner = &self.store.inner;
        let now = inner.clock.now();
        let garbage = self.store.garbage(part.extent(), vec![(part.index(), node)], 0, now);
        let orphan_age = inner.options.orphan_age;
        inner
            .db
            .write(Lane::Free, async move |tx| {
                if rows::garbage_of(&tx, part.extent()).await?.contains(&(part.index(), node)) {
                    return Ok(());
                }
                let first = rows::note_orphan(&tx, part, node, now).await?;
                if now.since(first) >= orphan_age {
                    metrics::counter!("holdfast_audit_orphans_total").increment(1);
                    rows::forget_orphan(&tx, part, node).await?;
                    rows::insert_garbage(&tx, &garbage).await?;
                }
                Ok::<_, db::Error>(())
            })
            .await?;
        Ok(())
    }
}
