//! A storage server in memory that fails as it is told, or as its seed says.
//!
//! What a real node promises holds here too: what was acknowledged survives a crash, half of a part is never kept, bytes
//! that rotted are answered with `Damaged`. What the network does to calls (lost before or after they took effect, late,
//! silent) and the machine to the node (crash, other disk, full disk) is the simulation's business.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ops::Range,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use base::{NodeId, PartId};
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream};
use parking_lot::Mutex;
use proto::{Body, Error, Health, PartInfo, Parts, Receipt, checksum};
use tokio::{
    sync::{Notify, oneshot},
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{Rng, words};

/// After this long without an answer a caller gives up, as `proto`'s client does after its own deadline.
const DEADLINE: Duration = Duration::from_secs(3);

/// How long a refused connection takes.
const REFUSED: Duration = Duration::from_millis(2);

/// Bytes of a piece that a get yields.
const PIECE: usize = 256 << 10;

/// Bytes of a block with a checksum of its own: how much of a damaged part is not handed out.
const BLOCK: usize = base::limits::CHECKSUM_BLOCK_BYTES;

/// What a call asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Keep a part.
    Put,
    /// Give bytes.
    Get,
    /// Remove parts.
    Delete,
    /// Say what is there.
    List,
    /// Read a part back.
    Verify,
}

/// How often what happens to a call, in cases of a thousand each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// It never arrives, and the caller waits for its deadline.
    pub lost: u64,
    /// It takes effect, and its answer never arrives.
    pub unanswered: u64,
    /// It takes effect when its caller has given up.
    pub late: u64,
    /// The connection breaks: at once, or in the middle of a stream.
    pub broken: u64,
    /// It takes up to a second.
    pub slow: u64,
}

/// The parts on a disk; a copy of it is the disk as it was.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    parts: BTreeMap<PartId, Held>,
}

#[derive(Debug, Clone)]
struct Held {
    bytes: Bytes,
    /// Of the bytes as they were put.
    receipt: Receipt,
    /// Where a byte has changed since.
    rotten: Option<usize>,
}

/// What a node was asked for, for tests that count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What.
    pub op: Op,
    /// Of which part.
    pub part: PartId,
    /// Which bytes, of a get.
    pub range: Range<u64>,
}

/// A storage server. Clones are the same one.
#[derive(Clone)]
pub struct SimNode(Arc<Inner>);

struct Inner {
    id: NodeId,
    seed: u64,
    state: Mutex<State>,
    /// What runs on the server whether or not its caller still waits.
    server: Mutex<JoinSet<()>>,
    held: Notify,
    go: Notify,
}

struct State {
    up: bool,
    /// Raised by each crash; whatever began before is gone.
    life: u64,
    /// What survives a crash.
    disk: Disk,
    /// Bodies under way: what does not.
    arriving: HashMap<u64, BytesMut>,
    next_put: u64,
    faults: Faults,
    capacity: u64,
    /// Processes that do not reach the node.
    cut: HashSet<usize>,
    lies: bool,
    asked: HashMap<(Op, PartId), u64>,
    log: Option<Vec<Asked>>,
    /// Calls of this kind wait until they are let go.
    hold: Option<Op>,
    waiting: usize,
}

/// What will happen to a call.
struct Fate {
    lost: bool,
    unanswered: bool,
    late: bool,
    broken: Option<u64>,
    delay: Duration,
}

impl SimNode {
    /// An empty node of this number, without faults.
    pub fn new(seed: u64, number: u8) -> Self {
        let mut id = [0x40; 16];
        id[0] = number;
        let state = State {
            up: true,
            life: 0,
            disk: Disk::default(),
            arriving: HashMap::new(),
            next_put: 0,
            faults: Faults::default(),
            capacity: u64::MAX,
            cut: HashSet::new(),
            lies: false,
            asked: HashMap::new(),
            log: None,
            hold: None,
            waiting: 0,
        };
        Self(Arc::new(Inner {
            id: NodeId::from_bytes(id),
            seed: seed ^ (u64::from(number) << 56),
            state: Mutex::new(state),
            server: Mutex::default(),
            held: Notify::new(),
            go: Notify::new(),
        }))
    }

    /// Its id.
    pub fn id(&self) -> NodeId {
        self.0.id
    }

    /// The node as a process of this number sees it.
    pub fn client(&self, process: usize) -> Arc<dyn Parts> {
        Arc::new(Client { node: self.clone(), process })
    }

    /// The power fails: bodies under way and calls that run are gone, parts that were acknowledged stay.
    pub fn crash(&self) {
        let mut state = self.0.state.lock();
        state.up = false;
        state.life += 1;
        state.arriving.clear();
        drop(state);
        *self.0.server.lock() = JoinSet::new();
        self.0.go.notify_waiters();
    }

    /// The node is back.
    pub fn restart(&self) {
        self.0.state.lock().up = true;
    }

    /// Whether it runs.
    pub fn is_up(&self) -> bool {
        self.0.state.lock().up
    }

    /// From now on calls fail so often.
    pub fn set_faults(&self, faults: Faults) {
        self.0.state.lock().faults = faults;
    }

    /// A process no longer reaches the node, or does again.
    pub fn set_cut(&self, process: usize, cut: bool) {
        let mut state = self.0.state.lock();
        if cut {
            state.cut.insert(process);
        } else {
            state.cut.remove(&process);
        }
    }

    /// The disk holds so many bytes and no more.
    pub fn set_capacity(&self, bytes: u64) {
        self.0.state.lock().capacity = bytes;
    }

    /// The node hands out other bytes than it was given, with a straight face: what a real one does if its memory fails
    /// behind its checks.
    pub fn set_lies(&self, lies: bool) {
        self.0.state.lock().lies = lies;
    }

    /// A copy of the disk.
    pub fn disk(&self) -> Disk {
        self.0.state.lock().disk.clone()
    }

    /// Another disk, with a crash: an older copy, or an empty one.
    pub fn replace_disk(&self, disk: Disk) {
        self.crash();
        self.0.state.lock().disk = disk;
        self.restart();
    }

    /// Changes a byte of a part on the disk; `false` if there is no such byte.
    pub fn rot(&self, part: PartId, at: usize) -> bool {
        let mut state = self.0.state.lock();
        match state.disk.parts.get_mut(&part) {
            Some(held) if at < held.bytes.len() => {
                held.rotten = Some(at);
                true
            }
            _ => false,
        }
    }

    /// Removes a part behind the node's back; `false` if it was not there.
    pub fn lose(&self, part: PartId) -> bool {
        self.0.state.lock().disk.parts.remove(&part).is_some()
    }

    /// The parts on the disk, and whether their bytes are what they were.
    pub fn parts(&self) -> Vec<(PartId, bool)> {
        self.0.state.lock().disk.parts.iter().map(|(part, held)| (*part, held.rotten.is_none())).collect()
    }

    /// What the disk holds of a part if its bytes are what they were.
    pub fn intact(&self, part: PartId) -> Option<Receipt> {
        let state = self.0.state.lock();
        state.disk.parts.get(&part).filter(|held| held.rotten.is_none()).map(|held| held.receipt)
    }

    /// Begins to note what the node is asked for; returns what was noted so far.
    pub fn note_asked(&self) -> Vec<Asked> {
        self.0.state.lock().log.replace(Vec::new()).unwrap_or_default()
    }

    /// From now on calls of this kind wait before they take effect, until [`SimNode::let_go`].
    pub fn hold(&self, op: Op) {
        self.0.state.lock().hold = Some(op);
    }

    /// Waits until so many calls are held at once.
    pub async fn held(&self, calls: usize) {
        loop {
            let notified = self.0.held.notified();
            if self.0.state.lock().waiting >= calls {
                return;
            }
            notified.await;
        }
    }

    /// Lets the calls that wait go on, and later ones pass.
    pub fn let_go(&self) {
        self.0.state.lock().hold = None;
        self.0.go.notify_waiters();
    }

    async fn pass_hold(&self, op: Op) {
        let waits = {
            let mut state = self.0.state.lock();
            let waits = state.hold == Some(op);
            state.waiting += usize::from(waits);
            waits.then(|| self.0.go.notified())
        };
        if let Some(go) = waits {
            self.0.held.notify_waiters();
            let _count = OnDrop(|| self.0.state.lock().waiting -= 1);
            go.await;
        }
    }

    /// What becomes of a call: from the seed, the part, and how often it was asked for.
    fn fate(&self, op: Op, part: PartId, range: Range<u64>) -> Fate {
        let mut state = self.0.state.lock();
        if let Some(log) = &mut state.log {
            log.push(Asked { op, part, range });
        }
        let times = state.asked.entry((op, part)).or_default();
        *times += 1;
        let [high, low] = words(part);
        let mut rng = Rng::new(&[self.0.seed, op as u64, high, low, *times]);
        let faults = state.faults;
        let slow = rng.chance(faults.slow);
        Fate {
            lost: rng.chance(faults.lost),
            unanswered: rng.chance(faults.unanswered),
            late: rng.chance(faults.late),
            broken: rng.chance(faults.broken).then(|| rng.below(6)),
            delay: Duration::from_micros(if slow { rng.below(1_000_000) } else { rng.between(100, 8_000) }),
        }
    }

    /// The life in which a process reaches the node now.
    fn reach(&self, process: usize) -> Result<u64, Error> {
        let state = self.0.state.lock();
        if !state.up {
            return Err(Error::Unavailable("the node is down".into()));
        }
        if state.cut.contains(&process) {
            return Err(Error::Unavailable("the network is cut".into()));
        }
        Ok(state.life)
    }

    /// Runs something on the server, whether or not its caller waits for it; a crash ends it.
    fn on_server<T: Send + 'static>(
        &self,
        life: u64,
        work: impl Future<Output = T> + Send + 'static,
    ) -> oneshot::Receiver<T> {
        let (answer, receive) = oneshot::channel();
        let mut server = self.0.server.lock();
        while server.try_join_next().is_some() {}
        if self.0.state.lock().life == life {
            server.spawn(async move {
                // A caller that has gone away is what this is for.
                let _ = answer.send(work.await);
            });
        }
        receive
    }

    /// A call from a process to the node and back.
    async fn call<T: Send + 'static>(
        &self,
        process: usize,
        op: Op,
        fate: Fate,
        act: impl FnOnce(&Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let life = match self.reach(process) {
            Ok(life) if fate.broken.is_none() => life,
            Ok(_) => return Err(Error::Unavailable("the connection broke".into())),
            Err(error) => {
                sleep(REFUSED).await;
                return Err(error);
            }
        };
        if fate.lost {
            return silence().await;
        }
        let node = self.clone();
        let delay = if fate.late { DEADLINE + fate.delay } else { fate.delay };
        let answer = self.on_server(life, async move {
            sleep(delay).await;
            node.pass_hold(op).await;
            act(&node)
        });
        match timeout(DEADLINE, answer).await {
            Err(_) => Err(Error::Unavailable("no answer".into())),
            Ok(Err(_)) => Err(Error::Unavailable("the connection broke".into())),
            Ok(Ok(_)) if fate.unanswered || self.reach(process).is_err() => silence().await,
            Ok(Ok(result)) => result,
        }
    }

    fn find(&self, part: PartId) -> Result<Held, Error> {
        self.0.state.lock().disk.parts.get(&part).cloned().ok_or(Error::NotFound(part))
    }

    fn keep(&self, part: PartId, bytes: Bytes) -> Result<Receipt, Error> {
        let mut state = self.0.state.lock();
        let used: u64 = state.disk.parts.values().map(|held| held.bytes.len() as u64).sum();
        if used + bytes.len() as u64 > state.capacity {
            return Err(Error::Full);
        }
        let receipt = Receipt { length: bytes.len() as u64, checksum: checksum(&bytes) };
        state.disk.parts.insert(part, Held { bytes, receipt, rotten: None });
        Ok(receipt)
    }

    /// Takes a body in; what has arrived is gone when the caller goes away or the node crashes before its end.
    async fn arrive(&self, process: usize, body: Body, fate: &Fate) -> Result<Bytes, Error> {
        let life = self.reach(process)?;
        let number = {
            let mut state = self.0.state.lock();
            state.next_put += 1;
            let number = state.next_put;
            state.arriving.insert(number, BytesMut::new());
            number
        };
        let _gone = OnDrop(|| drop(self.0.state.lock().arriving.remove(&number)));
        self.pass_hold(Op::Put).await;
        let mut body = body.into_stream();
        let mut pieces = 0;
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|error| Error::Body(error.to_string()))?;
            if self.reach(process)? != life || fate.broken == Some(pieces) {
                return Err(Error::Unavailable("the connection broke".into()));
            }
            pieces += 1;
            if let Some(arriving) = self.0.state.lock().arriving.get_mut(&number) {
                arriving.extend_from_slice(&piece);
            }
            sleep(fate.delay / 8).await;
        }
        if self.reach(process)? != life {
            return Err(Error::Unavailable("the connection broke".into()));
        }
        let arrived = self.0.state.lock().arriving.remove(&number);
        arrived.map(BytesMut::freeze).ok_or_else(|| Error::Unavailable("the connection broke".into()))
    }
}

/// The caller's deadline passes.
async fn silence<T>() -> Result<T, Error> {
    sleep(DEADLINE).await;
    Err(Error::Unavailable("no answer".into()))
}

struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// A node as one process sees it.
struct Client {
    node: SimNode,
    process: usize,
}

/// What a list and a delete ask for instead of a part.
fn no_part() -> PartId {
    PartId::from_bytes([0; 16])
}

#[async_trait]
impl Parts for Client {
    async fn put(&self, part: PartId, body: Body) -> Result<Receipt, Error> {
        let (node, process) = (&self.node, self.process);
        let mut fate = node.fate(Op::Put, part, 0..0);
        if let Err(error) = node.reach(process) {
            sleep(REFUSED).await;
            return Err(error);
        }
        let bytes = node.arrive(process, body, &fate).await?;
        fate.broken = None;
        node.call(process, Op::Put, fate, move |node| node.keep(part, bytes)).await
    }

    async fn get(&self, part: PartId, range: Range<u64>) -> Result<Body, Error> {
        let (node, process) = (self.node.clone(), self.process);
        let mut fate = node.fate(Op::Get, part, range.clone());
        let broken = fate.broken.take().filter(|_| range.end - range.start.min(range.end) > PIECE as u64);
        let stalls = fate.late && broken.is_some();
        let life = node.reach(process);
        let held = node.call(process, Op::Get, fate, move |node| node.find(part)).await?;
        let life = life?;
        let length = held.bytes.len() as u64;
        if range.start > range.end || range.end > length {
            return Err(Error::Range(part));
        }
        let (start, end) = (range.start as usize, range.end as usize);
        let lies = self.node.0.state.lock().lies;
        // Blocks are checked whole: of the one with the changed byte, and of what comes after it, nothing is handed out.
        let bad = held
            .rotten
            .map(|at| at / BLOCK * BLOCK)
            .filter(|at| *at < end && held.rotten >= Some(start / BLOCK * BLOCK));
        let pieces = (start..end).step_by(PIECE).enumerate().map(move |(number, at)| {
            let piece = held.bytes.slice(at..end.min(at + PIECE));
            (number as u64, at, piece)
        });
        let stream = stream::iter(pieces).then(move |(number, at, piece)| {
            let node = node.clone();
            async move {
                if broken == Some(number) && stalls {
                    return silence().await;
                }
                if !node.reach(process).is_ok_and(|now| now == life) || broken == Some(number) {
                    return Err(Error::Unavailable("the connection broke".into()));
                }
                if bad.is_some_and(|bad| bad < at + piece.len()) {
                    return Err(Error::Damaged(part, "a byte has changed".into()));
                }
                if lies {
                    let mut other = piece.to_vec();
                    let middle = other.len() / 2;
                    other[middle] ^= 0x10;
                    return Ok(other.into());
                }
                Ok(piece)
            }
        });
        // An error ends a body.
        let stream = stream.scan(false, |ended, item| {
            let item = (!*ended).then_some(item);
            *ended |= matches!(item, Some(Err(_)));
            std::future::ready(item)
        });
        Ok(Body::Stream(stream.boxed()))
    }

    async fn delete(&self, parts: &[PartId]) -> Result<(), Error> {
        let parts = parts.to_vec();
        let fate = self.node.fate(Op::Delete, parts.first().copied().unwrap_or_else(no_part), 0..0);
        let act = move |node: &SimNode| {
            let mut state = node.0.state.lock();
            for part in &parts {
                state.disk.parts.remove(part);
            }
            Ok(())
        };
        self.node.call(self.process, Op::Delete, fate, act).await
    }

    async fn list(&self, after: Option<PartId>, limit: u32) -> Result<Vec<PartInfo>, Error> {
        let fate = self.node.fate(Op::List, after.unwrap_or_else(no_part), 0..0);
        let act = move |node: &SimNode| {
            let state = node.0.state.lock();
            let above = state.disk.parts.iter().filter(|(part, _)| after.is_none_or(|after| **part > after));
            let info = |(part, held): (&PartId, &Held)| PartInfo { part: *part, receipt: held.receipt };
            Ok(above.take(limit as usize).map(info).collect())
        };
        self.node.call(self.process, Op::List, fate, act).await
    }

    async fn verify(&self, part: PartId) -> Result<Receipt, Error> {
        let fate = self.node.fate(Op::Verify, part, 0..0);
        let act = move |node: &SimNode| match node.find(part)? {
            held if held.rotten.is_some() => Err(Error::Damaged(part, "a byte has changed".into())),
            held => Ok(held.receipt),
        };
        self.node.call(self.process, Op::Verify, fate, act).await
    }

    async fn health(&self) -> Result<Health, Error> {
        self.node.reach(self.process)?;
        Ok(self.node.health())
    }
}

impl SimNode {
    /// How the node is, as its own heartbeat says.
    pub fn health(&self) -> Health {
        let state = self.0.state.lock();
        let part_bytes: u64 = state.disk.parts.values().map(|held| held.bytes.len() as u64).sum();
        let total_bytes = 1 << 40;
        let free_bytes = state.capacity.min(total_bytes).saturating_sub(part_bytes);
        Health {
            node: self.0.id,
            free_bytes,
            total_bytes,
            part_bytes,
            part_count: state.disk.parts.len() as u64,
            disk: format!("disk of {}", self.0.id),
            writable: free_bytes > 0,
            trouble: None,
        }
    }
}
