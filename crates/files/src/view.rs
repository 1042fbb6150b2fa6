//! What people see of the cluster and of a file's parts.

use base::{ContentId, NodeId, Time};
use db::content as rows;
use serde::Serialize;
use stripe::{Manifest, PartState};

use crate::{Cluster, Error, Store, rebalance, scrub};

/// A storage server.
#[derive(Debug, Clone, Serialize)]
pub struct NodeView {
    /// Which one.
    pub id: NodeId,
    /// Where it answers; empty inside the gateway's process.
    pub address: String,
    /// `active`, `draining`, `removed`.
    pub state: String,
    /// Gives signs of life, as this process sees it.
    pub live: bool,
    /// Its last heartbeat.
    pub last_seen_at: Time,
    /// The program's version.
    pub version: String,
    /// Bytes of its file system.
    pub total_bytes: u64,
    /// Bytes that it can take.
    pub free_bytes: u64,
    /// Bytes of its parts.
    pub part_bytes: u64,
    /// Number of its parts.
    pub part_count: u64,
    /// Takes parts.
    pub writable: bool,
    /// Why not.
    pub trouble: Option<String>,
}

/// How extents of one layout are cut, for sums over many of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Bytes of a unit.
    pub unit: u64,
    /// Bytes of the data of a full stripe.
    pub stripe: u64,
    /// Parity parts.
    pub parity: u64,
}

impl Shape {
    /// The shape that the first bytes of a manifest say.
    ///
    /// # Errors
    /// [`Error::Manifest`].
    pub fn of_head(head: &[u8]) -> Result<Self, Error> {
        let layout = Manifest::layout_of_head(head)?;
        let (unit, stripe) = (layout.unit() as u64, layout.stripe_bytes() as u64);
        Ok(Self { unit, stripe, parity: layout.parity() as u64 })
    }
}

/// The cluster at a glance.
#[derive(Debug, Clone, Serialize)]
pub struct Overview {
    /// Raised by each change of the placement.
    pub epoch: u64,
    /// Parity parts that a new file gets now.
    pub parity: usize,
    /// Choice of placement groups.
    pub strategy: &'static str,
    /// Parts on their way to where they belong.
    pub moves: MoveView,
    /// Parts that are to be rebuilt.
    pub repairs: RepairView,
    /// The pass that reads everything back.
    pub scrub: ScrubView,
    /// Parts that are to be removed.
    pub garbage: GarbageView,
    /// Writes under way.
    pub intents: IntentView,
}

/// Moves after a change of the placement.
#[derive(Debug, Clone, Serialize)]
pub struct MoveView {
    /// Everything is where it belongs.
    pub settled: bool,
    /// Bytes that were to be moved when the epoch began.
    pub bytes_planned: u64,
    /// Bytes moved or rebuilt since.
    pub bytes_moved: u64,
    /// Bytes still to be moved, about.
    pub bytes_left: u64,
    /// The average since the epoch began.
    pub bytes_per_second: u64,
    /// When it will be done at that rate; `null` when nothing moves.
    pub eta_seconds: Option<u64>,
}

/// Repairs and moves that wait.
#[derive(Debug, Clone, Serialize)]
pub struct RepairView {
    /// Extents whose job waits or runs.
    pub waiting: u64,
    /// Extents that were given up.
    pub failed: u64,
}

/// The scrub.
#[derive(Debug, Clone, Serialize)]
pub struct ScrubView {
    /// When the pass began.
    pub pass_started_at: Option<Time>,
    /// From 0 to 1.
    pub progress: f64,
    /// Parts read back in this pass.
    pub parts_checked: u64,
    /// Parts found bad in this pass.
    pub damaged: u64,
}

/// Parts that nothing refers to.
#[derive(Debug, Clone, Serialize)]
pub struct GarbageView {
    /// Extents with parts to remove.
    pub extents: u64,
    /// Their bytes, about.
    pub bytes: u64,
    /// When the oldest is or was due.
    pub oldest_at: Option<Time>,
}

/// Writes under way.
#[derive(Debug, Clone, Serialize)]
pub struct IntentView {
    /// How many.
    pub open: u64,
    /// The nearest deadline.
    pub oldest_at: Option<Time>,
}

/// An extent of a file.
#[derive(Debug, Clone, Serialize)]
pub struct ExtentView {
    /// Where it begins in the file.
    pub offset: u64,
    /// Its bytes.
    pub length: u64,
    /// Data parts.
    pub data_parts: usize,
    /// Parity parts.
    pub parity_parts: usize,
    /// Bytes of a part in a full stripe.
    pub unit: usize,
    /// Placement group.
    pub group: u16,
    /// The parts.
    pub parts: Vec<PartView>,
}

/// A part of an extent.
#[derive(Debug, Clone, Serialize)]
pub struct PartView {
    /// Data parts first.
    pub index: usize,
    /// `data` or `parity`.
    pub role: &'static str,
    /// The node that has it.
    pub node_id: NodeId,
    /// Its bytes.
    pub length: u64,
    /// CRC-64/NVME, 16 hexadecimal digits.
    pub checksum: String,
    /// `ok`, `missing`, `damaged`.
    pub state: &'static str,
    /// When all parts of the extent were last read back and found right.
    pub verified_at: Option<Time>,
}

impl Store {
    /// Where the bytes of a content are, extent by extent. Empty for contents that the database keeps.
    ///
    /// # Errors
    /// [`Error::Db`], [`Error::Manifest`].
    pub async fn layout(&self, content: ContentId) -> Result<Vec<ExtentView>, Error> {
        let rows = rows::extents(&self.inner.db, content).await?;
        rows.into_iter()
            .map(|row| {
                let manifest = Manifest::decode(&row.manifest)?;
                let layout = manifest.layout();
                let parts = manifest
                    .parts()
                    .iter()
                    .enumerate()
                    .map(|(index, part)| PartView {
                        index,
                        role: if index < layout.data() { "data" } else { "parity" },
                        node_id: part.node,
                        length: layout.part_length(manifest.length(), index),
                        checksum: format!("{:016x}", part.checksum),
                        state: match part.state {
                            PartState::Ok => "ok",
                            PartState::Missing => "missing",
                            PartState::Damaged => "damaged",
                        },
                        verified_at: row.verified,
                    })
                    .collect();
                Ok(ExtentView {
                    offset: row.start,
                    length: row.length,
                    data_parts: layout.data(),
                    parity_parts: layout.parity(),
                    unit: layout.unit(),
                    group: row.group,
                    parts,
                })
            })
            .collect()
    }
}

impl Cluster {
    /// All nodes that are or were in the cluster.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn nodes(&self) -> Result<Vec<NodeView>, Error> {
        let inner = &self.store.inner;
        let rows = db::nodes::nodes(&inner.db).await?;
        inner.nodes.update(&rows);
        Ok(rows
            .into_iter()
            .map(|row| NodeView {
                live: inner.nodes.peer(row.id).is_some_and(|peer| inner.nodes.is_live(&peer)),
                id: row.id,
                address: row.address,
                state: row.state,
                last_seen_at: row.seen,
                version: row.version,
                total_bytes: row.total_bytes,
                free_bytes: row.free_bytes,
                part_bytes: row.part_bytes,
                part_count: row.part_count,
                writable: row.writable,
                trouble: row.trouble,
            })
            .collect())
    }

    /// The cluster at a glance.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn overview(&self) -> Result<Overview, Error> {
        let store = &self.store;
        let inner = &store.inner;
        let walk = rebalance::load(store).await?;
        let bytes_moved = rebalance::moved(store).await?.saturating_sub(walk.moved_before);
        let settled = walk.settled && walk.epoch == inner.nodes.epoch();
        let bytes_left = if settled { 0 } else { walk.planned_bytes.saturating_sub(bytes_moved) };
        let seconds = self.now().since(Time::from_micros(walk.began_us)).as_secs_f64().max(1.0);
        let rate = bytes_moved as f64 / seconds;
        let pass = scrub::load(store).await?;
        let (extents, _) = rows::extent_totals(&inner.db).await?;
        let (garbage, garbage_bytes, garbage_oldest) = rows::garbage_totals(&inner.db).await?;
        let (open, oldest) = rows::intent_totals(&inner.db).await?;
        let (waiting, failed) = rebalance::queue(store).await?;
        Ok(Overview {
            epoch: inner.nodes.epoch(),
            parity: store.parity(),
            strategy: match inner.options.strategy {
                crate::Strategy::Rendezvous => "rendezvous",
                crate::Strategy::RoundRobin => "round-robin",
                crate::Strategy::LeastLoaded => "least-loaded",
            },
            moves: MoveView {
                settled,
                bytes_planned: walk.planned_bytes,
                bytes_moved,
                bytes_left,
                bytes_per_second: if settled { 0 } else { rate as u64 },
                eta_seconds: (!settled && rate >= 1.0).then(|| (bytes_left as f64 / rate) as u64),
            },
            repairs: RepairView { waiting, failed },
            scrub: ScrubView {
                pass_started_at: (pass.began_us > 0).then(|| Time::from_micros(pass.began_us)),
                progress: (pass.extents as f64 / extents.max(1) as f64).min(1.0),
                parts_checked: pass.parts,
                damaged: pass.damaged,
            },
            garbage: GarbageView { extents: garbage, bytes: garbage_bytes, oldest_at: garbage_oldest },
            intents: IntentView { open, oldest_at: oldest },
        })
    }
}
