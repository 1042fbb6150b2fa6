//! Membership and placement: who is in the cluster, which epoch's mapping counts, and what administrators do to it.

use std::sync::Arc;

use base::{NodeId, Time};
use db::{Lane, nodes::NodeRow};
use serde::{Deserialize, Serialize};
use stripe::Candidate;

use crate::{Error, NodeState, Store, nodes::Peer};

/// Where the placement is kept among the settings.
const PLACEMENT: &str = "placement";

/// A node's capacity counts in these, so that small changes of a disk's size move nothing.
const WEIGHT_UNIT: u64 = 1 << 30;

/// A heartbeat.
#[derive(Debug, Clone)]
pub struct Membership {
    /// Where the node answers; empty for a node of the reporting process itself.
    pub address: String,
    /// The version of the program it runs.
    pub version: String,
    /// How it is.
    pub health: proto::Health,
    /// Which report it is: when the node's process began, by its own clock, and the report's number in that process.
    /// `None` for a node of the reporting process itself.
    pub number: Option<(Time, u64)>,
}

/// The cluster as a whole. Cheap to clone.
#[derive(Clone)]
pub struct Cluster {
    pub(crate) store: Store,
}

/// The decided placement: the mapping itself is a pure function of it (`stripe::Placement`, held by golden vectors).
#[derive(Serialize, Deserialize, PartialEq)]
struct Stored {
    epoch: u64,
    candidates: Vec<StoredCandidate>,
}

#[derive(Serialize, Deserialize, PartialEq, Clone)]
struct StoredCandidate {
    node: NodeId,
    weight: u64,
    domain: Option<u64>,
}

impl Cluster {
    /// The cluster of this store's nodes.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Takes a heartbeat, which is also how a node registers itself. Answers what the cluster wants of the node.
    ///
    /// `None`: the report was not taken, since it is older than one that was, or another server of this id lives at
    /// another address. Once nothing was heard of a node for [`base::limits::NODE_SILENCE`], by this process's own clock,
    /// whoever has its folder may take its place, also with a wall clock that went back.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn report(&self, membership: Membership) -> Result<Option<NodeState>, Error> {
        let inner = &self.store.inner;
        let now = inner.clock.now();
        let health = membership.health;
        let silent = inner.nodes.peer(health.node).is_some_and(|peer| !inner.nodes.is_live(&peer));
        let number = membership.number.map(|(_, sequence)| db::nodes::ReportNumber { sequence, silent });
        let row = NodeRow {
            id: health.node,
            address: membership.address,
            state: NodeState::Active.as_str().into(),
            version: membership.version,
            beat: 1,
            seen: now,
            joined: now,
            total_bytes: health.total_bytes,
            free_bytes: health.free_bytes,
            part_bytes: health.part_bytes,
            part_count: health.part_count,
            disk: health.disk,
            writable: health.writable,
            trouble: health.trouble,
            started: membership.number.map_or(Time::from_micros(0), |(started, _)| started),
        };
        let state = inner.db.write(Lane::Free, async move |tx| db::nodes::beat(&tx, &row, number).await).await?;
        Ok(state.as_deref().map(NodeState::parse))
    }

    /// Takes in what the database says: nodes and placement. Every process does this each second.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn refresh(&self) -> Result<(), Error> {
        let inner = &self.store.inner;
        let rows = db::nodes::nodes(&inner.db).await?;
        inner.nodes.update(&rows);
        if let Some((_, stored)) = self.stored().await? {
            let candidates = stored
                .candidates
                .iter()
                .map(|it| Candidate { node: it.node, weight: it.weight, domain: it.domain })
                .collect();
            inner.nodes.set_placement(stored.epoch, candidates);
        }
        Ok(())
    }

    /// Decides a new epoch if nodes joined, left, drain, or were silent for too long. The worker does this each second;
    /// two workers that decide at once agree by compare-and-swap.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn settle(&self) -> Result<bool, Error> {
        let inner = &self.store.inner;
        let stored = self.stored().await?;
        let old = stored.as_ref().map(|(_, stored)| stored.candidates.as_slice()).unwrap_or_default();
        let candidates: Vec<_> = inner
            .nodes
            .all()
            .iter()
            .filter(|peer| peer.state() == NodeState::Active)
            .filter(|peer| inner.nodes.silent_for(peer) <= inner.options.node_lost_after)
            // A process that has just begun knows silences only from its own beginning on. It must not bring a node back
            // that others know to be lost.
            .filter(|peer| old.is_empty() || old.iter().any(|it| it.node == peer.id) || inner.nodes.has_heard_of(peer))
            .map(|peer| candidate(peer, old))
            .collect();
        if candidates.is_empty() || candidates == old {
            return Ok(false);
        }
        let epoch = stored.as_ref().map_or(0, |(_, stored)| stored.epoch) + 1;
        let new = json(&Stored { epoch, candidates });
        let text = stored.map(|(text, _)| text);
        let swapped = inner
            .db
            .write(Lane::Free, async move |tx| db::nodes::swap_setting(&tx, PLACEMENT, text.as_deref(), &new).await)
            .await?;
        if swapped {
            tracing::info!(epoch, "a new placement was decided");
            self.refresh().await?;
        }
        Ok(swapped)
    }

    async fn stored(&self) -> Result<Option<(String, Stored)>, Error> {
        let Some(text) = db::nodes::setting(&self.store.inner.db, PLACEMENT).await? else { return Ok(None) };
        let stored = serde_json::from_str(&text)
            .map_err(|_| Error::Db(db::Error::Shape("the stored placement is not readable".into())))?;
        Ok(Some((text, stored)))
    }

    /// Lets a node's parts move away. It goes on serving until they have.
    ///
    /// # Errors
    /// [`Error::NoNode`]; [`Error::TooFewNodes`] if the others could not hold the parts.
    pub async fn drain(&self, node: NodeId) -> Result<(), Error> {
        let inner = &self.store.inner;
        let left: Vec<_> = inner.nodes.candidates().iter().filter(|it| it.node != node).cloned().collect();
        let parity = self.store.parity();
        if stripe::Placement::new(&left, parity).is_err() {
            return Err(Error::TooFewNodes { live: left.len(), wanted: crate::nodes::stripe_nodes_min(parity) });
        }
        self.set_state(node, NodeState::Draining).await
    }

    /// Takes a drain or a removal back.
    ///
    /// # Errors
    /// [`Error::NoNode`].
    pub async fn activate(&self, node: NodeId) -> Result<(), Error> {
        self.set_state(node, NodeState::Active).await
    }

    pub(crate) async fn set_state(&self, node: NodeId, state: NodeState) -> Result<(), Error> {
        let found = self
            .store
            .inner
            .db
            .write(Lane::Free, async move |tx| db::nodes::set_state(&tx, node, state.as_str()).await)
            .await?;
        if !found {
            return Err(Error::NoNode);
        }
        self.refresh().await?;
        self.settle().await?;
        Ok(())
    }

    /// The wall clock, for what is shown.
    pub(crate) fn now(&self) -> Time {
        self.store.inner.clock.now()
    }
}

/// A node as a candidate. Its weight stays what it was while its disk changes by less than a tenth.
fn candidate(peer: &Arc<Peer>, old: &[StoredCandidate]) -> StoredCandidate {
    let weight = (peer.total_bytes() / WEIGHT_UNIT).max(1);
    let disk = peer.disk();
    let hash = blake3::hash(disk.as_bytes());
    let mut domain = [0; 8];
    domain.copy_from_slice(&hash.as_bytes()[..8]);
    // Kept below 2^53, so that the stored JSON means the same to every reader.
    let domain = Some(u64::from_le_bytes(domain) >> 11);
    let weight = old
        .iter()
        .find(|it| it.node == peer.id)
        .map(|it| it.weight)
        .filter(|known| known.abs_diff(weight) <= known / 10)
        .unwrap_or(weight);
    StoredCandidate { node: peer.id, weight, domain }
}

fn json(stored: &Stored) -> String {
    serde_json::to_string(stored).expect("ids and numbers always serialise")
}
