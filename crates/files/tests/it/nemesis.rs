//! Whoever breaks things: nodes, networks, disks and processes, never more than the promise allows for.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use base::{ExtentId, NodeId, PartId};
use stripe::PartState;
use testkit::sim::{
    Rng,
    node::{Disk, Faults, SimNode},
};
use tokio::time::sleep;

use crate::{
    chaos,
    check::manifests,
    ledger::Ledger,
    world::{ADMIN, GATEWAY, Process, WORKER, World},
};

/// Nodes that a cluster grows to.
const NODES_MAX: usize = 12;

/// A simulation under way.
pub(crate) struct Nemesis {
    world: Arc<World>,
    parity: usize,
    rng: Rng,
    ledger: Ledger,
    pub(crate) admin: Process,
    pub(crate) gateway: Process,
    pub(crate) worker: Process,
    lives: u64,
    /// What ends by itself, and when.
    undo: Vec<(Duration, Undo)>,
    /// Unfinished extents that lost a part already.
    wounded: BTreeSet<ExtentId>,
    dead: BTreeSet<NodeId>,
    draining: BTreeSet<NodeId>,
    old_disks: Vec<(NodeId, Disk)>,
    /// What was done, for whoever looks into a failure.
    pub(crate) deeds: Vec<String>,
}

enum Undo {
    Restart(SimNode),
    Connect(SimNode, usize),
    Calm(SimNode),
    MakeRoom(SimNode),
}

impl Nemesis {
    /// Everything runs, with clients at the gateway.
    pub(crate) async fn begin(world: Arc<World>, parity: usize, ledger: Ledger) -> Self {
        let admin = world.process(ADMIN, 1);
        admin.cluster.refresh().await.unwrap();
        let mut gateway = world.gateway(1).await;
        chaos::let_loose(&world, &mut gateway, &ledger, 1);
        let worker = world.worker(1).await;
        let rng = Rng::new(&[world.seed, 1]);
        Self {
            world,
            parity,
            rng,
            ledger,
            admin,
            gateway,
            worker,
            lives: 1,
            undo: Vec::new(),
            wounded: BTreeSet::new(),
            dead: BTreeSet::new(),
            draining: BTreeSet::new(),
            old_disks: Vec::new(),
            deeds: Vec::new(),
        }
    }

    /// Breaks things for so long.
    pub(crate) async fn rage(&mut self, span: Duration) {
        let end = self.world.time.elapsed() + span;
        while self.world.time.elapsed() < end {
            sleep(Duration::from_millis(self.rng.between(200, 2500))).await;
            let now = self.world.time.elapsed();
            let (due, later) = std::mem::take(&mut self.undo).into_iter().partition(|(at, _)| *at <= now);
            self.undo = later;
            self.mend(due);
            self.break_something().await;
        }
    }

    /// Mends everything that can be, and lets the clients go. What is dead leaves the cluster.
    pub(crate) async fn relent(&mut self) {
        let all = std::mem::take(&mut self.undo);
        self.mend(all);
        for node in self.world.nodes() {
            if !self.dead.contains(&node.id()) {
                node.restart();
            }
        }
        for node in std::mem::take(&mut self.dead) {
            remove_dead(&self.admin.cluster, node).await;
        }
        self.lives += 1;
        let gateway = self.world.gateway(self.lives).await;
        std::mem::replace(&mut self.gateway, gateway).kill().await;
    }

    fn mend(&mut self, due: Vec<(Duration, Undo)>) {
        for (_, undo) in due {
            match undo {
                Undo::Restart(node) if self.dead.contains(&node.id()) => {}
                Undo::Restart(node) => node.restart(),
                Undo::Connect(node, process) => node.set_cut(process, false),
                Undo::Calm(node) => node.set_faults(Faults::default()),
                Undo::MakeRoom(node) => node.set_capacity(u64::MAX),
            }
        }
    }

    fn later(&mut self, longest_ms: u64, undo: Undo) {
        let at = self.world.time.elapsed() + Duration::from_millis(self.rng.between(50, longest_ms));
        self.undo.push((at, undo));
    }

    /// Nodes that are members, whether or not they run.
    fn members(&self) -> Vec<SimNode> {
        let gone = |node: &SimNode| self.dead.contains(&node.id()) || self.draining.contains(&node.id());
        self.world.nodes().into_iter().filter(|node| !gone(node)).collect()
    }

    fn deed(&mut self, what: String) {
        let at = self.world.time.elapsed().as_secs_f64();
        self.deeds.push(format!("{at:.2} s: {what}"));
    }

    async fn break_something(&mut self) {
        let alive: Vec<_> = self.world.nodes().into_iter().filter(|node| !self.dead.contains(&node.id())).collect();
        let node = self.rng.pick(&alive).expect("there are nodes").clone();
        let id = node.id();
        match self.rng.below(22) {
            0..=2 => {
                self.deed(format!("{id} crashes"));
                node.crash();
                self.later(15_000, Undo::Restart(node));
            }
            3 => {
                self.deed(format!("{id} is down for long"));
                node.crash();
                self.later(60_000, Undo::Restart(node));
            }
            4..=6 => {
                let process = if self.rng.chance(500) { GATEWAY } else { WORKER };
                self.deed(format!("{id} is cut off from process {process}"));
                node.set_cut(process, true);
                self.later(12_000, Undo::Connect(node, process));
            }
            7..=10 => {
                let mut rate = |most| self.rng.below(most);
                let faults = Faults {
                    lost: rate(150),
                    unanswered: rate(250),
                    late: rate(200),
                    broken: rate(250),
                    slow: rate(500),
                };
                self.deed(format!("{id} has {faults:?}"));
                node.set_faults(faults);
                self.later(10_000, Undo::Calm(node));
            }
            11 => {
                self.deed(format!("{id} is full"));
                node.set_capacity(node.health().part_bytes);
                self.later(10_000, Undo::MakeRoom(node));
            }
            12 | 13 => self.rot(&node).await,
            14 => self.change_disk(&node).await,
            15 => self.end_for_good(&node).await,
            16 => {
                self.deed("a disk is copied".into());
                self.old_disks.push((id, node.disk()));
            }
            17 if self.world.nodes().len() < NODES_MAX => {
                let new = self.world.add_node();
                self.deed(format!("{} joins", new.id()));
            }
            18 => self.drain(id).await,
            19 => {
                if let Some(back) = self.draining.pop_first() {
                    self.deed(format!("{back} no longer drains"));
                    self.admin.cluster.activate(back).await.unwrap();
                }
            }
            20 => {
                self.deed("the gateway is killed".into());
                self.lives += 1;
                let mut gateway = self.world.gateway(self.lives).await;
                chaos::let_loose(&self.world, &mut gateway, &self.ledger, self.lives);
                std::mem::replace(&mut self.gateway, gateway).kill().await;
            }
            _ => {
                self.deed("the worker is killed".into());
                self.lives += 1;
                let worker = self.world.worker(self.lives).await;
                std::mem::replace(&mut self.worker, worker).kill().await;
            }
        }
    }

    async fn drain(&mut self, node: NodeId) {
        if self.members().len() <= 7 || self.draining.len() >= 2 || self.draining.contains(&node) {
            return;
        }
        self.admin.cluster.refresh().await.unwrap();
        match self.admin.cluster.drain(node).await {
            Ok(()) => {
                self.deed(format!("{node} drains"));
                self.draining.insert(node);
            }
            // One that has not reported yet, or too few others do.
            Err(files::Error::NoNode | files::Error::TooFewNodes { .. }) => {}
            Err(error) => panic!("a drain was refused with {error:?}"),
        }
    }

    async fn rot(&mut self, node: &SimNode) {
        let parts = node.parts();
        let Some((part, _)) = self.rng.pick(&parts).copied() else { return };
        if self.may_lose(node, |lost| lost == part).await {
            let length = node.intact(part).map_or(0, |receipt| receipt.length);
            let at = if length == 0 { 0 } else { self.rng.below(length) as usize };
            if self.rng.chance(600) {
                self.deed(format!("{part} rots on {}", node.id()));
                node.rot(part, at);
            } else {
                self.deed(format!("{part} vanishes from {}", node.id()));
                node.lose(part);
            }
        }
    }

    /// Another disk: an older copy of this one, or an empty one.
    async fn change_disk(&mut self, node: &SimNode) {
        let old: Vec<_> =
            self.old_disks.iter().filter(|(id, _)| *id == node.id()).map(|(_, disk)| disk.clone()).collect();
        let disk = self.rng.pick(&old).cloned().unwrap_or_default();
        // What the old copy has of today's parts is kept; to count it as lost as well is on the safe side.
        if self.may_lose(node, |_| true).await {
            self.deed(format!("{} gets another disk, {} of {} old", node.id(), old.len(), self.old_disks.len()));
            node.replace_disk(disk);
        }
    }

    async fn end_for_good(&mut self, node: &SimNode) {
        if self.members().len() > 7 && self.may_lose(node, |_| true).await {
            self.deed(format!("{} is gone for good", node.id()));
            self.dead.insert(node.id());
            self.draining.remove(&node.id());
            node.replace_disk(Disk::default());
            node.crash();
        }
    }

    /// Whether every extent would keep enough parts if the node lost these copies. Nothing awaits between this and the
    /// deed, so nothing can change in between.
    async fn may_lose(&mut self, node: &SimNode, is_lost: impl Fn(PartId) -> bool) -> bool {
        let gone: BTreeSet<PartId> =
            node.parts().into_iter().map(|(part, _)| part).filter(|part| is_lost(*part)).collect();
        let mut wounds = Vec::new();
        for (extent, ready, manifest) in manifests(&self.world).await {
            let mut lost: BTreeSet<u8> =
                gone.iter().filter(|part| part.extent() == extent).map(|part| part.index()).collect();
            if lost.is_empty() {
                continue;
            }
            if !ready {
                // It may be acknowledged with one part more than its data, so it has one to lose.
                if self.parity < 2 || lost.len() > 1 || self.wounded.contains(&extent) {
                    return false;
                }
                wounds.push(extent);
                continue;
            }
            for (index, place) in manifest.parts().iter().enumerate() {
                let there = self.world.node(place.node).intact(extent.part(index as u8)).is_some();
                if place.state != PartState::Ok || !there {
                    lost.insert(index as u8);
                }
            }
            if lost.len() > manifest.layout().parity() {
                return false;
            }
        }
        self.wounded.extend(wounds);
        true
    }
}

/// Takes a dead node out of the cluster, once it counts as dead.
async fn remove_dead(cluster: &files::Cluster, node: base::NodeId) {
    for _ in 0..600 {
        match cluster.remove(node, files::Loss::Accepted).await {
            // It may have died before it had reported once.
            Ok(_) | Err(files::Error::NoNode) => return,
            Err(files::Error::NodeLive) => tokio::time::sleep(Duration::from_secs(1)).await,
            Err(error) => panic!("a removal was refused with {error:?}"),
        }
    }
    panic!("a node that is dead counts as live after ten minutes");
}
