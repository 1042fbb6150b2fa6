//! The clean-up: intents that nobody renews, and parts that nobody refers to.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use base::{ExtentId, NodeId, Time};
use db::{
    Lane,
    content::{self as rows, GarbageRow},
};
use futures::future::join_all;
use parking_lot::Mutex;
use stripe::Manifest;

use crate::{Error, NodeState, Store, Writers};

/// Rows of one round.
const BATCH: u32 = 200;

/// The longest wait between two tries to remove a part from a node that does not answer.
const RETRY_MAX: Duration = Duration::from_secs(3600);

/// Removes what failed and deleted writes left behind. Any number may run; they do not disturb each other.
pub struct Cleaner {
    store: Store,
    /// Expired intents that were seen, with their deadline and when that was by this process's own clock. An intent is
    /// taken only at a second look half a lease later: a wall clock that jumped ahead makes every deadline look past,
    /// but a live writer renews within a third of its lease.
    suspects: Mutex<HashMap<ExtentId, (Time, Duration)>>,
    /// Garbage whose time is further away than anybody may set it, with when it was first seen by this process's own
    /// clock: whoever set it had a wrong clock, or ours is. It gets its grace by that clock.
    misdated: Mutex<HashMap<ExtentId, Duration>>,
}

impl Cleaner {
    /// A cleaner of this store.
    pub fn new(store: Store) -> Self {
        Self { store, suspects: Mutex::default(), misdated: Mutex::default() }
    }

    /// Does one batch of each kind; says whether there was anything to do.
    ///
    /// # Errors
    /// [`Error::Db`], [`Error::Manifest`]. Nodes that fail are tried again later.
    pub async fn round(&self) -> Result<bool, Error> {
        let intents = self.take_expired_intents().await?;
        let garbage = self.remove_garbage().await?;
        Ok(intents || garbage)
    }

    /// Waits until something was given up in this process; other processes' garbage is found by looking again.
    pub async fn wait(&self) {
        self.store.inner.wake.notified().await;
    }

    async fn take_expired_intents(&self) -> Result<bool, Error> {
        let inner = &self.store.inner;
        let now = inner.clock.now();
        // A deadline that no right clock could have set is over as well; the second look spares those that live.
        let far = now.plus(inner.options.intent_lease * 2);
        let expired = rows::expired_intents(&inner.db, now, far, BATCH).await?;
        let elapsed = inner.clock.elapsed();
        let wait = inner.options.intent_lease / 2;
        let ripe: Vec<_> = {
            let mut suspects = self.suspects.lock();
            let known: HashMap<_, _> = expired
                .iter()
                .map(|intent| {
                    let first = suspects.get(&intent.id).filter(|(deadline, _)| *deadline == intent.deadline);
                    (intent.id, first.copied().unwrap_or((intent.deadline, elapsed)))
                })
                .collect();
            *suspects = known;
            let ripe =
                |id: &ExtentId| suspects.get(id).is_some_and(|(_, first)| elapsed.saturating_sub(*first) >= wait);
            expired.into_iter().filter(|intent| ripe(&intent.id)).collect()
        };
        let found = !ripe.is_empty();
        for intent in ripe {
            let manifest = Manifest::decode(&intent.manifest)?;
            let parts = manifest.parts().iter().enumerate().map(|(index, part)| (index as u8, part.node)).collect();
            // Its writer may live: one that hung cuts its puts when it learns of this.
            let due = self.store.removable(now, Writers::MayGoOn);
            let garbage = self.store.garbage(intent.id, parts, 0, due);
            let taken = inner
                .db
                .write(Lane::Free, async move |tx| {
                    let taken = rows::take_intent(&tx, &intent).await?;
                    if taken {
                        rows::insert_garbage(&tx, &garbage).await?;
                    }
                    Ok::<_, db::Error>(taken)
                })
                .await?;
            if taken {
                metrics::counter!("holdfast_intents_expired_total").increment(1);
            }
        }
        Ok(found)
    }

    /// Takes rows that nobody worked on yet, and forgets those that somebody else took or took back. Only after this
    /// commit may anything be removed: a heal whose row was taken does not swap its manifest any more.
    async fn claim(&self, due: &mut Vec<GarbageRow>) -> Result<(), Error> {
        let fresh: Vec<_> = due.iter().filter(|row| row.attempts == 0).map(|row| row.id).collect();
        if fresh.is_empty() {
            return Ok(());
        }
        let claimed = self
            .store
            .inner
            .db
            .write(Lane::Free, async move |tx| {
                let mut claimed = HashSet::new();
                for id in fresh {
                    if rows::claim_garbage(&tx, id).await? {
                        claimed.insert(id);
                    }
                }
                Ok::<_, db::Error>(claimed)
            })
            .await?;
        due.retain_mut(|row| {
            let ours = row.attempts > 0 || claimed.contains(&row.id);
            row.attempts = row.attempts.max(1);
            ours
        });
        Ok(())
    }

    async fn remove_garbage(&self) -> Result<bool, Error> {
        let inner = &self.store.inner;
        let now = inner.clock.now();
        let far = now.plus((inner.options.garbage_grace + inner.options.intent_lease + RETRY_MAX) * 2);
        let mut due = rows::due_garbage(&inner.db, now, far, BATCH).await?;
        {
            let (elapsed, grace) = (inner.clock.elapsed(), inner.options.garbage_grace);
            let mut misdated = self.misdated.lock();
            let mut seen = HashMap::new();
            due.retain(|row| {
                if row.due <= now {
                    return true;
                }
                let first = misdated.get(&row.id).copied().unwrap_or(elapsed);
                seen.insert(row.id, first);
                elapsed.saturating_sub(first) >= grace
            });
            *misdated = seen;
        }
        if due.is_empty() {
            return Ok(false);
        }
        self.claim(&mut due).await?;
        // What the manifest refers to stays, whatever the garbage says (see `heal`).
        for row in &mut due {
            if let Some(extent) = rows::extent(&inner.db, row.extent).await? {
                let manifest = Manifest::decode(&extent.manifest)?;
                row.parts.retain(|(index, node)| {
                    manifest.parts().get(usize::from(*index)).is_none_or(|part| part.node != *node)
                });
            }
        }
        let mut by_node: BTreeMap<NodeId, Vec<(usize, u8)>> = BTreeMap::new();
        for (row, garbage) in due.iter().enumerate() {
            for (index, node) in &garbage.parts {
                by_node.entry(*node).or_default().push((row, *index));
            }
        }
        // Nodes that this process has not heard of, or cannot reach, are somebody else's to clean unless they are gone.
        let unknown = by_node.keys().any(|node| inner.nodes.peer(*node).is_none());
        let listed = if unknown { db::nodes::nodes(&inner.db).await? } else { Vec::new() };
        let is_gone = |node: NodeId| {
            listed
                .iter()
                .find(|row| row.id == node)
                .is_none_or(|row| NodeState::parse(&row.state) == NodeState::Removed)
        };
        let is_gone = &is_gone;
        let removals = join_all(by_node.into_iter().map(|(node, parts)| {
            let ids: Vec<_> = parts.iter().map(|(row, index)| due[*row].extent.part(*index)).collect();
            async move {
                let done = match inner.nodes.peer(node) {
                    // A node that left the cluster took its parts along.
                    None => is_gone(node),
                    Some(peer) if !inner.nodes.is_live(&peer) => peer.state() == NodeState::Removed,
                    Some(peer) => match peer.parts.delete(&ids).await {
                        Ok(()) => true,
                        Err(error) => {
                            inner.nodes.note_failure(&peer, &error);
                            tracing::warn!(%node, %error, "parts could not be removed; they are tried again");
                            false
                        }
                    },
                };
                (node, parts, done)
            }
        }))
        .await;
        let mut left: Vec<Vec<(u8, NodeId)>> = vec![Vec::new(); due.len()];
        let mut removed = 0;
        for (node, parts, done) in removals {
            if done {
                removed += parts.len();
                continue;
            }
            for (row, index) in parts {
                left[row].push((index, node));
            }
        }
        metrics::counter!("holdfast_parts_removed_total").increment(removed as u64);
        let progress = removed > 0 || left.iter().any(Vec::is_empty);
        inner
            .db
            .write(Lane::Free, async move |tx| {
                for (mut row, left) in due.into_iter().zip(left) {
                    if left.is_empty() {
                        rows::delete_garbage(&tx, row.id).await?;
                        continue;
                    }
                    row.attempts = row.attempts.saturating_add(1);
                    row.parts = left;
                    row.due = now.plus(RETRY_MAX.min(Duration::from_secs(1 << row.attempts.min(12))));
                    rows::postpone_garbage(&tx, &row).await?;
                }
                Ok::<_, db::Error>(())
            })
            .await?;
        Ok(progress)
    }
}
