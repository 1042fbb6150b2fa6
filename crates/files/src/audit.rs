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

/// How long after a whole pass over a node the next one begins.
const PASS_PAUSE: Duration = Duration::from_secs(24 * 3600);

/// How long after a node did not tell its parts it is asked again.
const RETRY: Duration = Duration::from_secs(10);

/// How a bite ended.
enum Bite {
    /// The pass goes on above this part.
    More(PartId),
    /// That was the last.
    End,
    /// The node did not tell.
    Silence,
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
                    Bite::More(last) => pass.after = Some(last),
                    Bite::End => (pass.after, pass.due) = (None, now + PASS_PAUSE),
                    Bite::Silence => pass.due = now + RETRY,
                }
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// Audits every node once, from beginning to end.
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
                return Ok(Bite::Silence);
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
        Ok(last.map_or(Bite::End, Bite::More))
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

    /// A part that nothing explains: noted at the first look, removed at a later one.
    async fn look_at(&self, part: PartId, node: NodeId) -> Result<(), Error> {
        let inner = &self.store.inner;
        if rows::garbage_of(&inner.db, part.extent()).await?.contains(&(part.index(), node)) {
            return Ok(());
        }
        let now = inner.clock.now();
        let garbage = self.store.garbage(part.extent(), vec![(part.index(), node)], 0, now);
        let orphan_age = inner.options.orphan_age;
        inner
            .db
            .write(Lane::Free, async move |tx| {
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
