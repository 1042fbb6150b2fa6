//! Writing an extent: intent first, then bytes to all nodes at once, then durable parts.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use base::{ContentId, ExtentId, NodeId};
use bytes::{Bytes, BytesMut};
use db::{Lane, content::NewIntent};
use futures::future::join_all;
use proto::{Body, Receipt};
use stripe::{Layout, Manifest, PartPlace, PartState};

use crate::{
    Error, Store, Strategy, Writers,
    budget::Window,
    heal,
    lanes::Lanes,
    nodes::{Peer, stripe_nodes_min},
};

/// How long the streams of a write that ended get to end on the nodes before its parts are removed.
pub(crate) const SETTLE: Duration = Duration::from_secs(2);

/// The share of its lease after which a writer renews it, and which a renewal may take: a writer that hears nothing ends
/// after two of them.
const RENEWALS: u32 = 3;

/// What is about to be written.
#[derive(Debug, Clone)]
pub struct NewExtent {
    /// The content that it is a piece of.
    pub content: ContentId,
    /// Its place among the content's extents, from 0.
    pub position: u32,
    /// Where its first byte stands in the content.
    pub start: u64,
    /// How many bytes will come, if known: small ones need no room for a whole stripe.
    pub expected: Option<u64>,
    /// The group of commits that the intent joins.
    pub lane: Lane,
}

/// An extent whose parts are durable. Nobody sees it before [`Store::seal`] was part of a commit.
#[derive(Debug, Clone)]
pub struct Extent {
    pub(crate) id: ExtentId,
    pub(crate) content: ContentId,
    pub(crate) manifest: Vec<u8>,
    pub(crate) missing: u32,
    length: u64,
}

impl Extent {
    /// Its bytes.
    pub fn length(&self) -> u64 {
        self.length
    }
}

/// Takes the bytes of one extent.
///
/// Memory is bounded by three stripes and their parity, by two when the process's budget is short, whatever the length. Dropped before [`Writer::finish`], it leaves
/// an intent that the clean-up removes with whatever parts there are.
pub struct Writer {
    store: Store,
    extent: ExtentId,
    content: ContentId,
    lane: Lane,
    layout: Layout,
    peers: Vec<Arc<Peer>>,
    /// Bytes that are not on their way yet, less than a stripe or just one.
    stripe: BytesMut,
    lanes: Option<Lanes>,
    checksums: Vec<crc_fast::Digest>,
    written: u64,
    renewed: Duration,
    /// The share of the process's budget; `None` only while it is exchanged.
    window: Option<Window>,
    /// As many bytes as the window is for, if it is not for stripes.
    announced: Option<u64>,
}

impl Store {
    /// Chooses nodes for a new extent and commits the intent to write it.
    ///
    /// # Errors
    /// [`Error::TooFewNodes`], [`Error::Busy`], [`Error::Db`].
    pub async fn begin(&self, new: NewExtent) -> Result<Writer, Error> {
        let parity = self.parity();
        let layout = Layout::new(parity)?;
        let small = new.expected.filter(|expected| *expected <= layout.stripe_bytes() as u64);
        let window = match small {
            Some(expected) => {
                let bytes = expected as usize / layout.data() * layout.parts();
                self.inner.budget.take(bytes, bytes).await?
            }
            None => self.take_stripes(layout).await?,
        };
        let extent = self.inner.ids.extent();
        let (group, peers) = self.choose(extent, layout)?;
        let manifest = intent_manifest(layout, &peers);
        let intent = NewIntent {
            id: extent,
            content: new.content,
            position: new.position,
            start: new.start,
            group,
            manifest: manifest.encode(),
            deadline: self.inner.clock.now().plus(self.inner.options.intent_lease),
        };
        self.inner.db.write(new.lane, async move |tx| db::content::insert_intent(&tx, &intent).await).await?;
        let room = new.expected.unwrap_or(u64::MAX).min(layout.stripe_bytes() as u64) as usize;
        Ok(Writer {
            store: self.clone(),
            extent,
            content: new.content,
            lane: new.lane,
            layout,
            stripe: BytesMut::with_capacity(room),
            lanes: None,
            checksums: (0..layout.parts()).map(|_| crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Nvme)).collect(),
            peers,
            written: 0,
            renewed: self.inner.clock.elapsed(),
            window: Some(window),
            announced: small,
        })
    }

    /// Room for a stripe that is being cut and for one (or, better, two) on the way to the nodes, with their parity.
    async fn take_stripes(&self, layout: Layout) -> Result<Window, Error> {
        let full = layout.stripe_bytes() / layout.data() * layout.parts();
        self.inner.budget.take(3 * full, 2 * full).await
    }

    /// Picks a placement group by the configured strategy and its nodes, with live nodes in place of those that
    /// cannot take parts now.
    fn choose(&self, extent: ExtentId, layout: Layout) -> Result<(u16, Vec<Arc<Peer>>), Error> {
        let placement = self.inner.nodes.placement(layout.parity())?;
        let own = stripe::group(extent);
        let group = match self.inner.options.strategy {
            Strategy::Rendezvous => own,
            Strategy::RoundRobin => {
                (self.inner.turn.fetch_add(1, Ordering::Relaxed) % u64::from(stripe::GROUPS)) as u16
            }
            Strategy::LeastLoaded => {
                // Two choices that do not depend on each other: the extent's own group, and another one drawn from
                // its bits (Mitzenmacher, "The power of two choices", 2001).
                let bits = extent.to_bytes();
                let other = u16::from_le_bytes([bits[13], bits[14]]) % stripe::GROUPS;
                if self.load(placement.nodes(other)) < self.load(placement.nodes(own)) { other } else { own }
            }
        };
        let cap = layout.parity().max(1);
        let mut used: HashMap<NodeId, usize> = HashMap::new();
        let mut peers: Vec<Option<Arc<Peer>>> = Vec::with_capacity(layout.parts());
        for node in placement.nodes(group) {
            let peer = self.inner.nodes.peer(*node).filter(|peer| self.inner.nodes.takes_parts(peer));
            if let Some(peer) = &peer {
                *used.entry(peer.id).or_default() += 1;
            }
            peers.push(peer);
        }
        for slot in &mut peers {
            if slot.is_none() {
                let peer = self.substitute(&used, cap).ok_or_else(|| Error::TooFewNodes {
                    live: self.inner.nodes.writable(),
                    wanted: stripe_nodes_min(layout.parity()),
                })?;
                *used.entry(peer.id).or_default() += 1;
                *slot = Some(peer);
            }
        }
        Ok((group, peers.into_iter().flatten().collect()))
    }

    /// A node that can take one more part of an extent whose parts lie as `used` says: the one with the fewest, then
    /// the one with the most room.
    pub(crate) fn substitute(&self, used: &HashMap<NodeId, usize>, cap: usize) -> Option<Arc<Peer>> {
        let count = |peer: &Peer| used.get(&peer.id).copied().unwrap_or(0);
        self.inner
            .nodes
            .all()
            .into_iter()
            .filter(|peer| count(peer) < cap && self.inner.nodes.takes_parts(peer))
            .min_by_key(|peer| (count(peer), u64::MAX - peer.free_bytes()))
    }

    /// Bytes on their way to a group's nodes, and bytes that the fullest of them still has, the less the worse.
    fn load(&self, nodes: &[NodeId]) -> (i64, u64) {
        let peers: Vec<_> = nodes.iter().filter_map(|node| self.inner.nodes.peer(*node)).collect();
        let in_flight: i64 = peers.iter().map(|peer| peer.in_flight()).sum();
        let free = peers.iter().map(|peer| peer.free_bytes()).min().unwrap_or(0);
        (in_flight, u64::MAX - free)
    }
}

/// The manifest of an intent: where parts may come to lie, before anything is known of them.
fn intent_manifest(layout: Layout, peers: &[Arc<Peer>]) -> Manifest {
    let parts = peers.iter().map(|peer| PartPlace { node: peer.id, checksum: 0, state: PartState::Missing }).collect();
    Manifest::new(layout, 0, parts).expect("a part for each of the layout's, on nodes that were chosen for it")
}

impl Writer {
    /// Bytes taken so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Takes the next bytes. Waits while nodes are slower than the sender.
    ///
    /// # Errors
    /// [`Error::WriteFailed`] as soon as too few nodes are left to finish, [`Error::IntentGone`], [`Error::Db`];
    /// [`Error::Busy`] if more bytes come than were expected and there is no room for them.
    pub async fn push(&mut self, mut bytes: Bytes) -> Result<(), Error> {
        self.written += bytes.len() as u64;
        if self.announced.is_some_and(|announced| self.written > announced) {
            // More comes than was said. The small share goes back first: two that wait for each other's would both fail.
            self.announced = None;
            self.window = None;
            self.window = Some(self.store.take_stripes(self.layout).await?);
        }
        while !bytes.is_empty() {
            if self.stripe.len() == self.layout.stripe_bytes() {
                self.send_stripe().await?;
            }
            let room = self.layout.stripe_bytes() - self.stripe.len();
            let taken = bytes.split_to(bytes.len().min(room));
            self.stripe.extend_from_slice(&taken);
        }
        self.renew_if_due().await
    }

    /// Cuts the waiting stripe and hands its units to the lanes.
    async fn send_stripe(&mut self) -> Result<(), Error> {
        let ahead = if self.window.as_ref().is_some_and(Window::is_wide) { 2 } else { 1 };
        let next = BytesMut::with_capacity(self.layout.stripe_bytes());
        let stripe = std::mem::replace(&mut self.stripe, next).freeze();
        let units = self.cut(&stripe)?;
        let mut lanes = self.lanes.take().unwrap_or_else(|| self.open_lanes(ahead));
        let sent = async {
            for (lane, unit) in units.into_iter().enumerate() {
                lanes.send(lane, unit).await;
            }
        };
        self.hold(sent).await?;
        if lanes.running() < self.layout.data() {
            return Err(Error::WriteFailed(first_error(&lanes.finish().await)));
        }
        self.lanes = Some(lanes);
        Ok(())
    }

    fn open_lanes(&self, ahead: usize) -> Lanes {
        let part = |index| self.extent.part(index as u8);
        let targets = self.peers.iter().enumerate().map(|(index, peer)| (part(index), peer.clone())).collect();
        Lanes::open(&self.store.inner.nodes, targets, ahead)
    }

    /// The data and parity units of a stripe, and their checksums taken in.
    fn cut(&mut self, stripe: &Bytes) -> Result<Vec<Bytes>, Error> {
        let lengths = self.layout.unit_lengths(stripe.len());
        let mut units = Vec::with_capacity(self.layout.parts());
        let mut at = 0;
        for length in lengths {
            units.push(stripe.slice(at..at + length));
            at += length;
        }
        if self.layout.parity() > 0 {
            let data: Vec<&[u8]> = units.iter().map(|unit| &unit[..]).collect();
            let mut parity = vec![vec![0; lengths[0]]; self.layout.parity()];
            let mut slices: Vec<&mut [u8]> = parity.iter_mut().map(Vec::as_mut_slice).collect();
            self.store.codec(self.layout)?.encode(&data, &mut slices)?;
            units.extend(parity.into_iter().map(Bytes::from));
        }
        for (digest, unit) in self.checksums.iter_mut().zip(&units) {
            digest.update(unit);
        }
        Ok(units)
    }

    /// Moves the intent's deadline while the write lives.
    async fn renew_if_due(&mut self) -> Result<(), Error> {
        if self.until_renewal().is_zero() { self.state_intent().await } else { Ok(()) }
    }

    fn until_renewal(&self) -> Duration {
        let inner = &self.store.inner;
        let age = inner.clock.elapsed().saturating_sub(self.renewed);
        (inner.options.intent_lease / RENEWALS).saturating_sub(age)
    }

    /// Waits for what makes parts durable, and renews the intent meanwhile. When it is gone the wait ends and the puts are
    /// cut: whoever took it counts on that (see [`Store::discard_unsealed`]), and removes parts only when no put can come
    /// after it.
    async fn hold<T>(&mut self, puts: impl Future<Output = T>) -> Result<T, Error> {
        self.renew_if_due().await?;
        let mut puts = std::pin::pin!(puts);
        loop {
            tokio::select! {
                biased;
                done = &mut puts => return Ok(done),
                () = tokio::time::sleep(self.until_renewal()) => self.state_intent().await?,
            }
        }
    }

    /// Moves the intent's deadline and names the nodes as they are now.
    async fn state_intent(&mut self) -> Result<(), Error> {
        let manifest = intent_manifest(self.layout, &self.peers).encode();
        let (content, extent) = (self.content, self.extent);
        let inner = &self.store.inner;
        let (asked, lease) = (inner.clock.elapsed(), inner.options.intent_lease);
        let deadline = inner.clock.now().plus(lease);
        let renewal = inner.db.write(self.lane, async move |tx| {
            db::content::renew_intent(&tx, content, extent, &manifest, deadline).await
        });
        let in_time = tokio::time::timeout(lease / RENEWALS, renewal).await;
        if !in_time.unwrap_or(Ok(false))? {
            return Err(Error::IntentGone);
        }
        self.renewed = asked;
        Ok(())
    }

    /// Sends what is left and waits until enough parts are durable: all of them, or with parity at least one more
    /// than the data parts while a node is down. What is missing then becomes a repair by [`Store::seal`].
    ///
    /// # Errors
    /// [`Error::WriteFailed`]; the parts that did become durable are left to the clean-up.
    pub async fn finish(mut self) -> Result<Extent, Error> {
        let stripe = std::mem::take(&mut self.stripe).freeze();
        let results = match self.lanes.take() {
            None => self.put_small(stripe).await?,
            Some(mut lanes) => {
                let units = self.cut(&stripe)?;
                let last = async move {
                    for (lane, unit) in units.into_iter().enumerate() {
                        lanes.send(lane, unit).await;
                    }
                    lanes.finish().await
                };
                self.hold(last).await?
            }
        };
        let mut manifest = self.manifest(&results)?;
        let durable = |manifest: &Manifest| manifest.parts().iter().filter(|part| part.state == PartState::Ok).count();
        let wanted = (self.layout.data() + 1).min(self.layout.parts());
        if durable(&manifest) < self.layout.data() {
            return Err(Error::WriteFailed(first_error(&results)));
        }
        if durable(&manifest) < wanted {
            self.rebuild(&mut manifest, wanted).await?;
        }
        let missing = (self.layout.parts() - durable(&manifest)) as u32;
        Ok(Extent {
            id: self.extent,
            content: self.content,
            length: self.written,
            manifest: manifest.encode(),
            missing,
        })
    }

    /// Writes an extent of at most one stripe: every part in one piece. The bytes are still here, so a part that its
    /// node did not take goes to another one at once.
    async fn put_small(&mut self, stripe: Bytes) -> Result<Vec<Result<Receipt, proto::Error>>, Error> {
        let units = self.cut(&stripe)?;
        let puts: Vec<_> = units.iter().enumerate().map(|(index, unit)| self.put_unit(index, unit)).collect();
        let mut results = self.hold(join_all(puts)).await?;
        for index in 0..results.len() {
            if results[index].is_ok() {
                continue;
            }
            let mut used: HashMap<NodeId, usize> = HashMap::new();
            for peer in &self.peers {
                *used.entry(peer.id).or_default() += 1;
            }
            // The node that just failed is passed over: `takes_parts` looks at its last failure.
            if let Some(peer) = self.store.substitute(&used, self.layout.parity().max(1)) {
                self.peers[index] = peer;
                self.state_intent().await?;
                let put = self.put_unit(index, &units[index]);
                results[index] = self.hold(put).await?;
            }
        }
        Ok(results)
    }

    fn put_unit(&self, index: usize, unit: &Bytes) -> impl Future<Output = Result<Receipt, proto::Error>> + use<> {
        let (nodes, peer) = (self.store.inner.nodes.clone(), self.peers[index].clone());
        let (part, unit) = (self.extent.part(index as u8), unit.clone());
        async move {
            let _in_flight = peer.send(unit.len());
            let result = peer.parts.put(part, Body::Whole(unit)).await;
            if let Err(error) = &result {
                nodes.note_failure(&peer, error);
            }
            result
        }
    }

    /// What became of the parts, by what the nodes say they hold and what was sent to them.
    fn manifest(&self, results: &[Result<Receipt, proto::Error>]) -> Result<Manifest, Error> {
        let parts = self
            .peers
            .iter()
            .zip(&self.checksums)
            .zip(results)
            .enumerate()
            .map(|(index, ((peer, digest), result))| {
                let sent =
                    Receipt { length: self.layout.part_length(self.written, index), checksum: digest.finalize() };
                let state = match result {
                    Ok(held) if *held == sent => PartState::Ok,
                    Ok(held) => {
                        tracing::error!(node = %peer.id, ?held, ?sent, "a node holds other bytes than were sent");
                        PartState::Damaged
                    }
                    Err(_) => PartState::Missing,
                };
                PartPlace { node: peer.id, checksum: sent.checksum, state }
            })
            .collect();
        Ok(Manifest::new(self.layout, self.written, parts)?)
    }

    /// Rebuilds missing parts on other nodes from those that are durable, until `wanted` are.
    async fn rebuild(&mut self, manifest: &mut Manifest, wanted: usize) -> Result<(), Error> {
        let is_lost = |index: &usize| manifest.parts()[*index].state != PartState::Ok;
        let mut lost: Vec<usize> = (0..self.layout.parts()).filter(is_lost).collect();
        lost.truncate(wanted - (self.layout.parts() - lost.len()));
        // What stays missing for now counts where it is expected: a repair may well put it there.
        let mut used: HashMap<NodeId, usize> = HashMap::new();
        for (index, part) in manifest.parts().iter().enumerate() {
            if !lost.contains(&index) {
                *used.entry(part.node).or_default() += 1;
            }
        }
        let mut targets = Vec::new();
        for index in lost {
            let peer = self.store.substitute(&used, self.layout.parity()).ok_or_else(|| Error::TooFewNodes {
                live: self.store.inner.nodes.writable(),
                wanted: stripe_nodes_min(self.layout.parity()),
            })?;
            *used.entry(peer.id).or_default() += 1;
            self.peers[index] = peer.clone();
            targets.push((index, peer));
        }
        self.state_intent().await?;
        let (store, extent) = (self.store.clone(), self.extent);
        self.hold(heal::rebuild(&store, extent, manifest, &targets)).await??;
        for (index, peer) in targets {
            manifest.parts_mut()[index].node = peer.id;
            manifest.parts_mut()[index].state = PartState::Ok;
        }
        Ok(())
    }

    /// Gives the write up and removes what there is of it, as far as the nodes answer.
    pub async fn abort(self) {
        let Self { store, extent, content, lanes, peers, lane, .. } = self;
        // Parts that are under way end before the intent does, else they would outlive it.
        drop(lanes);
        let now = store.inner.clock.now();
        let parts: Vec<_> = peers.iter().enumerate().map(|(index, peer)| (index as u8, peer.id)).collect();
        let garbage = store.garbage(extent, parts, 0, store.removable(now, Writers::Ended));
        let given_up = store
            .inner
            .db
            .write(lane, async move |tx| {
                if db::content::delete_extent(&tx, content, extent).await? {
                    db::content::insert_garbage(&tx, &garbage).await?;
                }
                Ok::<_, db::Error>(())
            })
            .await;
        match given_up {
            Ok(()) => store.inner.wake.notify_one(),
            Err(error) => tracing::warn!(%error, "an aborted write is left to the clean-up"),
        }
    }
}

fn first_error(results: &[Result<Receipt, proto::Error>]) -> proto::Error {
    results
        .iter()
        .find_map(|result| result.as_ref().err().cloned())
        .unwrap_or_else(|| proto::Error::Unavailable("a node holds other bytes than were sent".into()))
}
