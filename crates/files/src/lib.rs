//! The distributed file: bytes in, six parts out, and back again whatever happens to nodes.
//!
//! This crate exists to enforce a rule (reason a): it is the storage promise. What it promises: an extent whose
//! [`Store::seal`] was committed reads back bit for bit as long as at most `parity` of its parts are lost; an extent
//! that was not sealed is invisible and is cleaned away; wrong bytes are never served. What it refuses to know: names,
//! users, trees, HTTP.
//!
//! - [`Store`]: the handle; [`Store::begin`] and [`Writer`] write, [`Store::read`] reads
//! - `commit`: what a unit of work does to contents (seal, insert, share, release)
//! - [`Nodes`]: the storage servers as this process sees them; [`Cluster`]: membership, placement, what people see
//! - [`workers`]: clean-up, repair, rebalance, scrub, audit
//!
//! A *content* is bytes as the store keeps them, shared by the versions that have them. It is a list of *extents*, runs
//! of bytes that were cut in one go: one for a plain upload, more for a resumed one. Each extent has a manifest that
//! names layout, length, and the node and checksum of each part.

pub mod workers;

mod audit;
mod budget;
mod clean;
mod cluster;
mod commit;
mod error;
mod feed;
mod heal;
mod lanes;
mod nodes;
mod read;
mod rebalance;
mod removal;
mod scrub;
mod view;
mod write;

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use base::{Clock, ExtentId, Ids, NodeId, Time, limits};
use db::{Db, content::GarbageRow};
use stripe::{Codec, Layout};
use tokio::sync::Notify;

pub use cluster::{Cluster, Membership};
pub use commit::{NewContent, Writers};
pub use error::Error;
pub use nodes::{Connect, NodeState, Nodes};
pub use read::ByteStream;
pub use removal::{Loss, Removal};
pub use stripe::ResumableHash as ContentHash;
pub use view::{
    ExtentView, GarbageView, IntentView, MoveView, NodeView, Overview, PartView, RepairView, ScrubView, Shape,
};
pub use write::{Extent, NewExtent, Writer};

/// How many parity parts new extents get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parity {
    /// None on one file system, two as soon as the nodes are on several, three from nine nodes on.
    Auto,
    /// This many.
    Fixed(usize),
}

/// How new extents choose among placement groups (requirement C6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// By the extent's id: consistent hashing.
    Rendezvous,
    /// One group after another.
    RoundRobin,
    /// The better of two by bytes in flight and free bytes.
    LeastLoaded,
}

/// What may be set.
#[derive(Debug, Clone)]
pub struct Options {
    /// Parity of new extents.
    pub parity: Parity,
    /// Choice of placement groups.
    pub strategy: Strategy,
    /// Files up to this many bytes stay in the database; zero switches that off.
    pub inline_max: usize,
    /// Bytes of one extent of a resumable upload.
    pub checkpoint_bytes: u64,
    /// How long a write may go without a sign of life before the clean-up takes it for dead.
    pub intent_lease: Duration,
    /// How long parts that nobody refers to stay, for readers that began before.
    pub garbage_grace: Duration,
    /// How long a node may be silent before its parts are rebuilt elsewhere.
    pub node_lost_after: Duration,
    /// How long a read waits for a node before it turns to parity.
    pub hedge_after: Duration,
    /// Payload bytes in flight in this process.
    pub in_flight_bytes: usize,
    /// How long one pass of the scrub over everything may take.
    pub scrub_period: Duration,
    /// How long an unexplained part must stay unexplained before it is removed.
    pub orphan_age: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            parity: Parity::Auto,
            strategy: Strategy::Rendezvous,
            inline_max: 4096,
            checkpoint_bytes: limits::CHECKPOINT_BYTES,
            intent_lease: Duration::from_secs(10 * 60),
            garbage_grace: Duration::from_secs(10 * 60),
            node_lost_after: Duration::from_secs(30 * 60),
            hedge_after: Duration::from_millis(500),
            in_flight_bytes: limits::IN_FLIGHT_BYTES,
            scrub_period: Duration::from_secs(30 * 24 * 3600),
            orphan_age: Duration::from_secs(48 * 3600),
        }
    }
}

/// The store of contents. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) nodes: Nodes,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Ids,
    pub(crate) options: Options,
    pub(crate) budget: budget::Budget,
    /// The next group of the round-robin strategy.
    pub(crate) turn: AtomicU64,
    /// Says that there is something to clean up.
    pub(crate) wake: Notify,
    codecs: [Codec; limits::PARITY_PARTS_MAX + 1],
}

/// The kind of repair jobs.
pub(crate) const REPAIR: &str = "files.repair";

impl Store {
    /// A store over these nodes and this database.
    ///
    /// # Errors
    /// [`Error::Manifest`] never with parity within [`limits::PARITY_PARTS_MAX`].
    pub fn new(db: Db, nodes: Nodes, clock: Arc<dyn Clock>, ids: Ids, options: Options) -> Result<Self, Error> {
        let data = limits::DATA_PARTS;
        let codecs = [Codec::new(data, 0)?, Codec::new(data, 1)?, Codec::new(data, 2)?, Codec::new(data, 3)?];
        let budget = budget::Budget::new(options.in_flight_bytes, limits::BUDGET_WAIT);
        let inner =
            Inner { db, nodes, clock, ids, options, budget, turn: AtomicU64::new(0), wake: Notify::new(), codecs };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The storage servers as this process sees them.
    pub fn nodes(&self) -> &Nodes {
        &self.inner.nodes
    }

    /// Files up to this many bytes are kept in the database.
    pub fn inline_max(&self) -> usize {
        self.inner.options.inline_max
    }

    /// Bytes of one extent of a resumable upload.
    pub fn checkpoint_bytes(&self) -> u64 {
        self.inner.options.checkpoint_bytes
    }

    /// Parity parts that a new extent gets now.
    pub fn parity(&self) -> usize {
        match self.inner.options.parity {
            Parity::Fixed(parity) => parity,
            Parity::Auto => self.inner.nodes.auto_parity(),
        }
    }

    /// Whether a new file's parts could be placed now.
    ///
    /// # Errors
    /// [`Error::TooFewNodes`].
    pub fn can_write(&self) -> Result<(), Error> {
        let parity = self.parity();
        self.inner.nodes.placement(parity)?;
        let (live, wanted) = (self.inner.nodes.writable(), nodes::stripe_nodes_min(parity));
        if live < wanted { Err(Error::TooFewNodes { live, wanted }) } else { Ok(()) }
    }

    pub(crate) fn codec(&self, layout: Layout) -> Result<&Codec, Error> {
        self.inner.codecs.get(layout.parity()).ok_or(Error::Manifest(stripe::Error::Layout("too many parity parts")))
    }

    pub(crate) fn garbage(&self, extent: ExtentId, parts: Vec<(u8, NodeId)>, bytes: u64, due: Time) -> GarbageRow {
        GarbageRow { id: self.inner.ids.extent(), extent, parts, bytes, due, attempts: 0 }
    }

    /// The job that heals an extent; the more parts are lost the sooner.
    pub(crate) fn repair_job(&self, extent: ExtentId, lost: u32) -> bus::NewJob<serde_json::Value> {
        bus::NewJob {
            kind: REPAIR,
            version: 1,
            dedup: Some(format!("{REPAIR} {extent}")),
            payload: serde_json::json!({ "extent": extent }),
            priority: i64::from(lost),
            due: self.inner.clock.now(),
        }
    }
}
