//! The storage servers as this process sees them: who is there, who answers, how to reach them.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use base::{Clock, NodeId, Time, limits};
use db::nodes::NodeRow;
use parking_lot::RwLock;
use proto::Parts;
use stripe::{Candidate, GROUPS, Placement};

use crate::Error;

/// How long a node that just failed a call is passed over where there is a choice.
const PENALTY: Duration = Duration::from_secs(2);

/// How long a node that had no room for a part gets no further ones. Its own report says that it is full only when hardly
/// anything is left, while a large part fails before.
const FULL_REST: Duration = Duration::from_secs(30);

/// Makes the client of a node from its address. The binary gives it, since it knows secrets and connection options.
pub type Connect = dyn Fn(NodeId, &str) -> Arc<dyn Parts> + Send + Sync;

/// What the cluster wants of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeState {
    /// Takes its share of parts.
    Active,
    /// Keeps serving what it has while its parts move away.
    Draining,
    /// Is no longer part of the cluster.
    Removed,
}

impl NodeState {
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "draining" => Self::Draining,
            "removed" => Self::Removed,
            _ => Self::Active,
        }
    }

    /// As it stands in the database and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Draining => "draining",
            Self::Removed => "removed",
        }
    }
}

/// One storage server.
pub(crate) struct Peer {
    pub(crate) id: NodeId,
    address: String,
    pub(crate) parts: Arc<dyn Parts>,
    /// Payload bytes on their way to it, for the choice by load.
    in_flight: AtomicI64,
    /// When it last failed a call, as milliseconds of [`Clock::elapsed`] plus one; zero for never.
    failed_ms: AtomicU64,
    /// When it last had no room for a part, in the same way.
    full_ms: AtomicU64,
    seen: RwLock<Seen>,
}

#[derive(Clone)]
struct Seen {
    state: NodeState,
    beat: u64,
    /// When this process saw the beat change. Wall clocks jump; this one does not.
    changed: Duration,
    /// The beat changed since this process began. Until then it takes the database's word for the node, which may have
    /// been dead for days.
    heard: bool,
    free_bytes: u64,
    writable: bool,
    total_bytes: u64,
    disk: String,
    started: Time,
}

/// The registry. Cheap to clone.
#[derive(Clone)]
pub struct Nodes(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    connect: Box<Connect>,
    /// Nodes inside this process; they need no heartbeat to be known as live.
    local: BTreeMap<NodeId, Arc<dyn Parts>>,
    peers: RwLock<HashMap<NodeId, Arc<Peer>>>,
    silence: Duration,
    map: RwLock<Map>,
}

/// The placement decided for an epoch.
#[derive(Clone, Default)]
struct Map {
    epoch: u64,
    candidates: Arc<Vec<Candidate>>,
    by_parity: HashMap<usize, Arc<GroupMap>>,
}

/// The nodes of each placement group, worked out when first asked for.
pub(crate) struct GroupMap {
    placement: Placement,
    groups: Vec<OnceLock<Vec<NodeId>>>,
}

impl GroupMap {
    /// The nodes of a group's parts, data parts first.
    pub(crate) fn nodes(&self, group: u16) -> &[NodeId] {
        self.groups[usize::from(group % GROUPS)].get_or_init(|| self.placement.place(group % GROUPS))
    }
}

impl Nodes {
    /// An empty registry. `local` are the nodes of this process, `connect` reaches the others.
    pub fn new(clock: Arc<dyn Clock>, local: BTreeMap<NodeId, Arc<dyn Parts>>, connect: Box<Connect>) -> Self {
        Self(Arc::new(Inner {
            clock,
            connect,
            local,
            peers: RwLock::default(),
            silence: limits::NODE_SILENCE,
            map: RwLock::default(),
        }))
    }

    /// Takes in what the database says about nodes.
    pub fn update(&self, rows: &[NodeRow]) {
        let now = self.0.clock.elapsed();
        let mut peers = self.0.peers.write();
        // A row that was not there a moment ago is a node that has just reported.
        let heard = !peers.is_empty();
        for row in rows {
            let fresh = Seen {
                heard,
                state: NodeState::parse(&row.state),
                beat: row.beat,
                changed: now,
                free_bytes: row.free_bytes,
                writable: row.writable,
                total_bytes: row.total_bytes,
                disk: row.disk.clone(),
                started: row.started,
            };
            match peers.get(&row.id) {
                Some(peer) if peer.address == row.address => {
                    let mut seen = peer.seen.write();
                    let still = seen.beat == row.beat;
                    let changed = if still { seen.changed } else { now };
                    let heard = seen.heard || !still;
                    *seen = Seen { changed, heard, ..fresh };
                }
                _ => {
                    let parts = match self.0.local.get(&row.id) {
                        Some(parts) => parts.clone(),
                        // A row without an address is a node of some other process: not ours to reach.
                        None if row.address.is_empty() => continue,
                        None => (self.0.connect)(row.id, &row.address),
                    };
                    peers.insert(
                        row.id,
                        Arc::new(Peer {
                            id: row.id,
                            address: row.address.clone(),
                            parts,
                            in_flight: AtomicI64::new(0),
                            failed_ms: AtomicU64::new(0),
                            full_ms: AtomicU64::new(0),
                            seen: RwLock::new(fresh),
                        }),
                    );
                }
            }
        }
        let up = peers.values().filter(|peer| self.is_live(peer)).count();
        metrics::gauge!("holdfast_nodes_live").set(up as f64);
        metrics::gauge!("holdfast_nodes_known").set(peers.len() as f64);
    }

    /// Takes in the placement of an epoch.
    pub(crate) fn set_placement(&self, epoch: u64, candidates: Vec<Candidate>) {
        let mut map = self.0.map.write();
        if map.epoch != epoch {
            *map = Map { epoch, candidates: Arc::new(candidates), by_parity: HashMap::new() };
        }
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.0.map.read().epoch
    }

    /// The mapping of placement groups to nodes for extents with `parity` parity parts.
    ///
    /// # Errors
    /// [`Error::TooFewNodes`].
    pub(crate) fn placement(&self, parity: usize) -> Result<Arc<GroupMap>, Error> {
        let (epoch, candidates) = {
            let map = self.0.map.read();
            if let Some(groups) = map.by_parity.get(&parity) {
                return Ok(groups.clone());
            }
            (map.epoch, map.candidates.clone())
        };
        let placement = Placement::new(&candidates, parity)
            .map_err(|_| Error::TooFewNodes { live: candidates.len(), wanted: stripe_nodes_min(parity) })?;
        let groups = Arc::new(GroupMap { placement, groups: (0..GROUPS).map(|_| OnceLock::new()).collect() });
        let mut map = self.0.map.write();
        if map.epoch == epoch {
            map.by_parity.insert(parity, groups.clone());
        }
        Ok(groups)
    }

    /// Parity that suits the nodes of the placement: none on one file system, two on several, three from nine nodes on.
    pub(crate) fn auto_parity(&self) -> usize {
        let candidates = self.0.map.read().candidates.clone();
        let disks: HashSet<_> = candidates.iter().map(|candidate| candidate.domain).collect();
        match (disks.len(), candidates.len()) {
            (0 | 1, _) => 0,
            (_, 9..) => 3,
            _ => 2,
        }
    }

    pub(crate) fn candidates(&self) -> Arc<Vec<Candidate>> {
        self.0.map.read().candidates.clone()
    }

    pub(crate) fn peer(&self, node: NodeId) -> Option<Arc<Peer>> {
        self.0.peers.read().get(&node).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Peer>> {
        let mut peers: Vec<_> = self.0.peers.read().values().cloned().collect();
        peers.sort_by_key(|peer| peer.id);
        peers
    }

    /// Whether the node gives signs of life.
    pub(crate) fn is_live(&self, peer: &Peer) -> bool {
        self.0.local.contains_key(&peer.id)
            || self.0.clock.elapsed().saturating_sub(peer.seen.read().changed) < self.0.silence
    }

    /// Whether this process itself saw a sign of life of the node.
    pub(crate) fn has_heard_of(&self, peer: &Peer) -> bool {
        self.0.local.contains_key(&peer.id) || peer.seen.read().heard
    }

    /// How long ago the node last gave a sign of life.
    pub(crate) fn silent_for(&self, peer: &Peer) -> Duration {
        if self.is_live(peer) {
            return Duration::ZERO;
        }
        self.0.clock.elapsed().saturating_sub(peer.seen.read().changed)
    }

    /// Live, and did not fail a moment ago: worth asking first.
    pub(crate) fn is_answering(&self, peer: &Peer) -> bool {
        self.is_live(peer) && !self.was_within(&peer.failed_ms, PENALTY)
    }

    /// Whether something happened less than `span` ago.
    fn was_within(&self, happened_ms: &AtomicU64, span: Duration) -> bool {
        let ms = happened_ms.load(Ordering::Relaxed);
        ms != 0 && self.0.clock.elapsed().saturating_sub(Duration::from_millis(ms - 1)) < span
    }

    /// May a new part go there?
    pub(crate) fn takes_parts(&self, peer: &Peer) -> bool {
        let seen = peer.seen.read();
        let fits = seen.state == NodeState::Active && seen.writable;
        drop(seen);
        fits && self.is_answering(peer) && !self.was_within(&peer.full_ms, FULL_REST)
    }

    /// Notes that a call failed for want of an answer or of room, so that others are asked first for a while.
    pub(crate) fn note_failure(&self, peer: &Peer, error: &proto::Error) {
        let which = match error {
            proto::Error::Unavailable(_) | proto::Error::Suspect(_) => &peer.failed_ms,
            proto::Error::Full => &peer.full_ms,
            _ => return,
        };
        which.store(self.0.clock.elapsed().as_millis() as u64 + 1, Ordering::Relaxed);
        metrics::counter!("holdfast_node_failures_total").increment(1);
    }

    /// Nodes that could take parts right now.
    pub fn writable(&self) -> usize {
        self.0.peers.read().values().filter(|peer| self.takes_parts(peer)).count()
    }
}

/// Bytes that are counted as on their way to a node for as long as this lives.
pub(crate) struct InFlight {
    peer: Arc<Peer>,
    bytes: i64,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.peer.in_flight.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Peer {
    /// Counts bytes as on their way to it.
    pub(crate) fn send(self: &Arc<Self>, bytes: usize) -> InFlight {
        let bytes = bytes as i64;
        self.in_flight.fetch_add(bytes, Ordering::Relaxed);
        InFlight { peer: self.clone(), bytes }
    }

    /// Bytes on their way to it.
    pub(crate) fn in_flight(&self) -> i64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(crate) fn state(&self) -> NodeState {
        self.seen.read().state
    }

    pub(crate) fn free_bytes(&self) -> u64 {
        self.seen.read().free_bytes
    }

    pub(crate) fn disk(&self) -> String {
        self.seen.read().disk.clone()
    }

    /// When its process began, by its own clock: another value is another process, perhaps with another state of the data.
    pub(crate) fn started(&self) -> Time {
        self.seen.read().started
    }

    pub(crate) fn total_bytes(&self) -> u64 {
        self.seen.read().total_bytes
    }
}

/// The fewest nodes that extents with this many parity parts can be placed on: at most `parity` parts share a node,
/// so that losing one node never loses more parts than there is parity; without parity every part has its own
/// (requirement C3).
pub(crate) fn stripe_nodes_min(parity: usize) -> usize {
    match parity {
        0 => limits::DATA_PARTS,
        parity => (limits::DATA_PARTS + parity).div_ceil(parity),
    }
}
