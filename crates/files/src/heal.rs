//! Making an extent right: moving parts to where they belong and rebuilding those that are lost.
//!
//! Repair, drain, rebalance and the return of a node are all this one procedure: find what is wrong with an extent,
//! put the right bytes in the right place, read them back, and only then swap the manifest.

use std::{collections::HashMap, sync::Arc};

use base::{ExtentId, NodeId};
use bytes::Bytes;
use db::{
    Lane,
    content::{ExtentRow, GarbageRow},
};
use stripe::{Manifest, PartState};

use crate::{
    Error, Store,
    feed::{Check, Feed},
    lanes::Lanes,
    nodes::{NodeState, Peer},
};

/// What [`heal`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Healed {
    /// Every part is where it belongs and none is known to be bad.
    Nothing,
    /// So many bytes were written to nodes.
    Moved(u64),
    /// The extent went away or changed meanwhile.
    Gone,
    /// It cannot be done now: nodes are down, or too few are there.
    Later,
}

/// Makes the extent right as far as it can be done now.
///
/// # Errors
/// [`Error::Lost`] if too few intact parts are left; other errors may pass.
pub(crate) async fn heal(store: &Store, id: ExtentId) -> Result<Healed, Error> {
    let Some(row) = db::content::extent(&store.inner.db, id).await? else {
        return Ok(Healed::Gone);
    };
    let manifest = Manifest::decode(&row.manifest)?;
    let Some(work) = Work::plan(store, &row, &manifest)? else {
        return Ok(Healed::Nothing);
    };
    if work.targets.is_empty() {
        return Ok(Healed::Later);
    }
    // Parts of this extent that wait for their removal may lie just where parts would be put now. Putting first and
    // removing later would lose them, so the garbage goes first. Garbage elsewhere, perhaps on a node that never comes
    // back, is in nobody's way.
    let garbage = db::content::garbage_of(&store.inner.db, id).await?;
    if work.targets.iter().any(|(index, peer)| garbage.contains(&(*index as u8, peer.id))) {
        return Ok(Healed::Later);
    }
    work.run(store, row, manifest).await
}

/// Whether the extent has parts that are bad or in the wrong place, as far as can be told from the manifest.
pub(crate) fn wants_healing(store: &Store, row: &ExtentRow) -> Result<bool, Error> {
    let manifest = Manifest::decode(&row.manifest)?;
    Ok(Work::plan(store, row, &manifest)?.is_some_and(|work| !work.targets.is_empty()))
}

/// Parts to put, each with the node that shall have it.
struct Work {
    /// Intact parts to copy from where they are.
    copies: Vec<(usize, Arc<Peer>)>,
    /// Parts to rebuild from the others.
    rebuilds: Vec<(usize, Arc<Peer>)>,
    /// Both.
    targets: Vec<(usize, Arc<Peer>)>,
}

impl Work {
    /// `None` if nothing is wrong. No targets if something is wrong and nothing can be done about it now.
    fn plan(store: &Store, row: &ExtentRow, manifest: &Manifest) -> Result<Option<Self>, Error> {
        let nodes = &store.inner.nodes;
        let current: Vec<NodeId> = manifest.parts().iter().map(|part| part.node).collect();
        let wanted = match nodes.placement(manifest.layout().parity()) {
            Ok(placement) => stripe::reassign(&current, placement.nodes(row.group)),
            // With too few nodes for a placement, bad parts are still mended where they are.
            Err(_) => current,
        };
        let lost_after = store.inner.options.node_lost_after;
        let mut work = Self { copies: Vec::new(), rebuilds: Vec::new(), targets: Vec::new() };
        let mut wrong = false;
        let mut used: HashMap<NodeId, usize> = HashMap::new();
        for node in &wanted {
            *used.entry(*node).or_default() += 1;
        }
        for (index, part) in manifest.parts().iter().enumerate() {
            let holder = nodes.peer(part.node);
            let reachable = holder.as_ref().is_some_and(|peer| nodes.is_live(peer));
            let lost = match &holder {
                None => true,
                Some(peer) => peer.state() == NodeState::Removed || nodes.silent_for(peer) > lost_after,
            };
            let intact = part.state == PartState::Ok && !lost;
            if intact && wanted[index] == part.node {
                continue;
            }
            wrong = true;
            if intact && !reachable {
                continue; // Its node may be back soon; until then it is neither copied nor given up.
            }
            let target = nodes.peer(wanted[index]).filter(|peer| nodes.takes_parts(peer)).or_else(|| {
                // The place it belongs to cannot take it now. An intact part stays where it is; a lost one goes to
                // any node that has room under the cap, and moves home later.
                if intact {
                    return None;
                }
                let cap = manifest.layout().parity().max(1);
                let spare = store.substitute(&used, cap);
                if let Some(peer) = &spare {
                    *used.entry(peer.id).or_default() += 1;
                }
                spare
            });
            if let Some(peer) = target {
                let list = if intact { &mut work.copies } else { &mut work.rebuilds };
                list.push((index, peer.clone()));
                work.targets.push((index, peer));
            }
        }
        Ok(wrong.then_some(work))
    }

    async fn run(mut self, store: &Store, row: ExtentRow, manifest: Manifest) -> Result<Healed, Error> {
        // No byte goes to a node before a row says that it may: if this process dies before the swap, the row is what
        // the parts are removed by.
        let placed: Vec<(u8, NodeId)> = (self.targets.iter())
            .filter(|(index, peer)| manifest.parts()[*index].node != peer.id)
            .map(|(index, peer)| (*index as u8, peer.id))
            .collect();
        let (db, now) = (&store.inner.db, store.inner.clock.now());
        let intent = store.garbage(row.id, placed, 0, now.plus(store.inner.options.intent_lease));
        if !intent.parts.is_empty() {
            let intent = intent.clone();
            db.write(Lane::Free, async move |tx| db::content::insert_garbage(&tx, &intent).await).await?;
        }
        match self.put(store, &row, &manifest).await {
            Ok(done) => swap(store, row, manifest, done, intent).await,
            Err(error) => {
                let (id, now) = (intent.id, store.inner.clock.now());
                // Best effort: otherwise the row is due when its time has come.
                let hastened =
                    db.write(Lane::Free, async move |tx| db::content::hasten_garbage(&tx, id, now).await).await;
                if let Err(hastened) = hastened {
                    tracing::debug!(%hastened, "a failed heal is cleaned later");
                }
                Err(error)
            }
        }
    }

    /// Puts every part on its target and reads it back there; answers which parts are where now.
    async fn put(
        &mut self,
        store: &Store,
        row: &ExtentRow,
        manifest: &Manifest,
    ) -> Result<Vec<(usize, Arc<Peer>)>, Error> {
        let mut done = Vec::new();
        for (index, target) in std::mem::take(&mut self.copies) {
            match copy(store, row.id, manifest, index, target.clone()).await {
                Ok(()) => done.push((index, target)),
                Err(error) if is_bad(&error) && manifest.layout().parity() > 0 => self.rebuilds.push((index, target)),
                Err(error) if is_bad(&error) => {
                    mark(store, row, &[(index, state_of(&error))]).await?;
                    return Err(Error::Lost(error));
                }
                Err(error) => return Err(Error::Unreachable(error)),
            }
        }
        if !self.rebuilds.is_empty() {
            rebuild(store, row.id, manifest, &self.rebuilds).await?;
        }
        done.append(&mut self.rebuilds);
        Ok(done)
    }
}

/// Names the new places in the manifest, in one commit with what becomes of the old ones.
async fn swap(
    store: &Store,
    row: ExtentRow,
    mut manifest: Manifest,
    done: Vec<(usize, Arc<Peer>)>,
    intent: GarbageRow,
) -> Result<Healed, Error> {
    let (length, layout) = (manifest.length(), manifest.layout());
    let moved: Vec<(u8, NodeId)> = done.iter().map(|(index, peer)| (*index as u8, peer.id)).collect();
    let mut left_behind = Vec::new();
    let mut bytes = 0;
    for (index, target) in done {
        let part = &mut manifest.parts_mut()[index];
        if part.node != target.id {
            left_behind.push((index as u8, part.node));
        }
        part.node = target.id;
        part.state = PartState::Ok;
        bytes += layout.part_length(length, index);
    }
    let new = manifest.encode();
    let due = store.inner.clock.now().plus(store.inner.options.garbage_grace);
    let garbage = store.garbage(row.id, left_behind, bytes, due);
    let unwanted = store.garbage(row.id, moved, bytes, due);
    let (swapped, disturbed) = store
        .inner
        .db
        .write(Lane::Free, async move |tx| {
            // The cleaner took our row, for the heal took longer than its time; or other garbage came up meanwhile. Either
            // may be about to remove just what was put. Then all of this is unwanted, and tried again later.
            let held = intent.parts.is_empty() || db::content::end_garbage(&tx, intent.id).await?;
            let others = db::content::garbage_of_in(&tx, row.id).await?;
            let disturbed = !held || unwanted.parts.iter().any(|part| others.contains(part));
            let swapped = !disturbed && db::content::swap_manifest(&tx, &row, &row.manifest, &new).await?;
            // If the extent changed meanwhile, what was just written is what nobody refers to. Parts that the newer
            // manifest does refer to are kept by the cleaner, which looks before it removes.
            let leave = if swapped { garbage } else { unwanted };
            if !leave.parts.is_empty() {
                db::content::insert_garbage(&tx, &leave).await?;
            }
            Ok::<_, db::Error>((swapped, disturbed))
        })
        .await?;
    Ok(match (swapped, disturbed) {
        (true, _) => Healed::Moved(bytes),
        (false, true) => Healed::Later,
        (false, false) => Healed::Gone,
    })
}

/// Copies an intact part from the node that has it to `target` and reads it back there.
async fn copy(
    store: &Store,
    extent: ExtentId,
    manifest: &Manifest,
    index: usize,
    target: Arc<Peer>,
) -> Result<(), proto::Error> {
    let part = extent.part(index as u8);
    let place = &manifest.parts()[index];
    let source =
        store.inner.nodes.peer(place.node).ok_or_else(|| proto::Error::Unavailable("the node is not known".into()))?;
    let length = manifest.part_length(index);
    let body = source.parts.get(part, 0..length).await?;
    let receipt = target.parts.put(part, body).await?;
    check(store, part, &target, receipt, length, place.checksum).await
}

/// Rebuilds parts from the intact ones and reads them back from their nodes. Uses any six that can be read.
///
/// # Errors
/// [`Error::Lost`] if too few parts are intact, [`Error::Unreachable`] if too few answer, [`Error::WriteFailed`] if a
/// target does not take its part.
pub(crate) async fn rebuild(
    store: &Store,
    extent: ExtentId,
    manifest: &Manifest,
    targets: &[(usize, Arc<Peer>)],
) -> Result<(), Error> {
    let mut bad: Vec<usize> = targets.iter().map(|(index, _)| *index).collect();
    let mut last: Option<proto::Error> = None;
    // Each round rules out at least one more part, so this ends.
    for _ in 0..=manifest.layout().parity() {
        let sources = sources(store, manifest, &bad);
        if sources.len() < manifest.layout().data() {
            let error = last.unwrap_or_else(|| proto::Error::Unavailable("too few nodes answer".into()));
            return Err(if is_bad(&error) { Error::Lost(error) } else { Error::Unreachable(error) });
        }
        match rebuild_from(store, extent, manifest, &sources, targets).await? {
            Ok(receipts) => {
                for ((index, peer), receipt) in targets.iter().zip(receipts) {
                    let part = extent.part(*index as u8);
                    let length = manifest.part_length(*index);
                    let checksum = manifest.parts()[*index].checksum;
                    let receipt = receipt.map_err(Error::WriteFailed)?;
                    check(store, part, peer, receipt, length, checksum).await.map_err(Error::WriteFailed)?;
                }
                return Ok(());
            }
            Err((source, error)) => {
                bad.push(source);
                last = Some(error);
            }
        }
    }
    Err(Error::Unreachable(last.unwrap_or_else(|| proto::Error::Unavailable("too few nodes answer".into()))))
}

/// Parts to rebuild from: intact, on nodes that answer, not ruled out; data parts first.
fn sources(store: &Store, manifest: &Manifest, bad: &[usize]) -> Vec<(usize, Arc<Peer>)> {
    manifest
        .parts()
        .iter()
        .enumerate()
        .filter(|(index, part)| part.state == PartState::Ok && !bad.contains(index))
        .filter_map(|(index, part)| {
            let peer = store.inner.nodes.peer(part.node)?;
            store.inner.nodes.is_live(&peer).then_some((index, peer))
        })
        .take(manifest.layout().data())
        .collect()
}

type Receipts = Vec<Result<proto::Receipt, proto::Error>>;

/// One pass over all stripes. The inner error names the source that failed.
async fn rebuild_from(
    store: &Store,
    extent: ExtentId,
    manifest: &Manifest,
    sources: &[(usize, Arc<Peer>)],
    targets: &[(usize, Arc<Peer>)],
) -> Result<Result<Receipts, (usize, proto::Error)>, Error> {
    let layout = manifest.layout();
    let codec = store.codec(layout)?;
    let nodes = &store.inner.nodes;
    let mut feeds: Vec<_> = sources
        .iter()
        .map(|(index, peer)| {
            let length = layout.part_length(manifest.length(), *index);
            let check = Check::Whole(manifest.parts()[*index].checksum);
            (*index, Feed::open(nodes, peer.clone(), extent.part(*index as u8), 0..length, check))
        })
        .collect();
    let mut lanes =
        Lanes::open(nodes, targets.iter().map(|(index, peer)| (extent.part(*index as u8), peer.clone())).collect());
    for stripe in 0..layout.stripes(manifest.length()) {
        let lengths = layout.unit_lengths(layout.stripe_length(manifest.length(), stripe));
        let length_of = |index: usize| lengths.get(index).copied().unwrap_or(lengths[0]);
        let mut units: Vec<Option<Bytes>> = vec![None; layout.parts()];
        for (index, feed) in &mut feeds {
            match feed.take(length_of(*index)).await {
                Ok(unit) => units[*index] = Some(unit),
                Err(error) => return Ok(Err((*index, error))),
            }
        }
        let present: Vec<Option<&[u8]>> = units.iter().map(|unit| unit.as_deref()).collect();
        let mut rebuilt: Vec<(usize, Vec<u8>)> =
            targets.iter().map(|(index, _)| (*index, vec![0; length_of(*index)])).collect();
        let mut wanted: Vec<(usize, &mut [u8])> =
            rebuilt.iter_mut().map(|(index, unit)| (*index, unit.as_mut_slice())).collect();
        codec.reconstruct(&lengths, &present, &mut wanted)?;
        for (lane, (_, unit)) in rebuilt.into_iter().enumerate() {
            lanes.send(lane, Bytes::from(unit)).await;
        }
    }
    Ok(Ok(lanes.finish().await))
}

/// A part is where it should be only after its node has read it back and it is what the manifest says.
async fn check(
    store: &Store,
    part: base::PartId,
    target: &Peer,
    receipt: proto::Receipt,
    length: u64,
    checksum: u64,
) -> Result<(), proto::Error> {
    let expected = proto::Receipt { length, checksum };
    if receipt != expected {
        return Err(proto::Error::Damaged(part, "other bytes arrived than the manifest says".into()));
    }
    let read_back = target.parts.verify(part).await.inspect_err(|error| {
        store.inner.nodes.note_failure(target, error);
    })?;
    if read_back != expected {
        return Err(proto::Error::Damaged(part, "the node reads back other bytes than it took".into()));
    }
    Ok(())
}

/// Whether the error says that the part is bad, not that it cannot be reached.
pub(crate) fn is_bad(error: &proto::Error) -> bool {
    matches!(error, proto::Error::NotFound(_) | proto::Error::Damaged(..) | proto::Error::Range(_))
}

/// How the manifest calls what the error says of a part.
pub(crate) fn state_of(error: &proto::Error) -> PartState {
    if matches!(error, proto::Error::NotFound(_)) { PartState::Missing } else { PartState::Damaged }
}

/// Notes bad parts in the manifest and, where there is parity, queues the repair: the more is lost the sooner.
pub(crate) async fn mark(store: &Store, row: &ExtentRow, found: &[(usize, PartState)]) -> Result<(), Error> {
    let seen = Manifest::decode(&row.manifest)?;
    let mut row = row.clone();
    for _ in 0..MARK_TRIES {
        let mut manifest = Manifest::decode(&row.manifest)?;
        // What was moved meanwhile is not what was found.
        let found: Vec<_> = (found.iter().copied())
            .filter(|(index, _)| manifest.parts()[*index].node == seen.parts()[*index].node)
            .collect();
        if found.is_empty() {
            return Ok(());
        }
        for (index, state) in &found {
            manifest.parts_mut()[*index].state = *state;
        }
        if mark_once(store, &row, &manifest, &found).await? {
            return Ok(());
        }
        // Somebody else found other damage, or healed some: what we found is still to be noted.
        let Some(fresh) = db::content::extent(&store.inner.db, row.id).await? else { return Ok(()) };
        row = fresh;
    }
    tracing::warn!(extent = %row.id, "damage could not be noted, since the manifest kept changing; it will be found again");
    Ok(())
}

/// How often damage is noted anew when somebody else changed the manifest.
const MARK_TRIES: u32 = 5;

async fn mark_once(
    store: &Store,
    row: &ExtentRow,
    manifest: &Manifest,
    found: &[(usize, PartState)],
) -> Result<bool, Error> {
    let lost = manifest.parts().iter().filter(|part| part.state != PartState::Ok).count();
    let repairable = manifest.layout().parity() > 0;
    let (row, new) = (row.clone(), manifest.encode());
    let repair = store.repair_job(row.id, lost as u32);
    let (ids, now) = (store.inner.ids.clone(), store.inner.clock.now());
    let extent = row.id;
    let swapped = store
        .inner
        .db
        .write(Lane::Free, async move |tx| {
            let swapped = row.manifest == new || db::content::swap_manifest(&tx, &row, &row.manifest, &new).await?;
            if repairable && swapped {
                bus::enqueue(&tx, &ids, now, repair).await?;
            }
            Ok::<_, Error>(swapped)
        })
        .await?;
    if swapped && !repairable {
        metrics::counter!("holdfast_parts_damaged_beyond_repair_total").increment(found.len() as u64);
        tracing::error!(%extent, parts = ?found, "parts are damaged and there is no parity to repair them");
    }
    Ok(swapped)
}
