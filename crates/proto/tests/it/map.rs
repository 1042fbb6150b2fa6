//! A storage server in memory whose every step a test can watch, hold and break; and one served for a test.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use base::{NodeId, PartId, Secret};
use bytes::Bytes;
use futures::{StreamExt, stream};
use parking_lot::Mutex;
use proto::{
    Body, ClusterSecret, Error, Health, PartInfo, Parts, Receipt, RemoteOptions, RemoteParts, ServeOptions, checksum,
    serve,
};
use tokio::{
    net::TcpListener,
    sync::{Notify, mpsc, oneshot},
    task::JoinSet,
};

pub(crate) const NODE: NodeId = NodeId(uuid::Uuid::from_u128(7));
const PIECE_BYTES: usize = 64 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    PutBegan,
    PutDropped,
    GetDropped,
}

pub(crate) struct Map {
    pub(crate) parts: Mutex<BTreeMap<PartId, Bytes>>,
    /// Puts fail at once.
    pub(crate) is_full: AtomicBool,
    /// Puts, gets and verifies wait for a permit of `go`.
    pub(crate) is_held: AtomicBool,
    pub(crate) go: Notify,
    /// Gets end with `Damaged` at this byte.
    pub(crate) damaged_at: Mutex<Option<usize>>,
    pub(crate) running: AtomicUsize,
    events: mpsc::Sender<Event>,
}

struct OnDrop(mpsc::Sender<Event>, Event);

impl Drop for OnDrop {
    fn drop(&mut self) {
        let _ = self.0.try_send(self.1);
    }
}

impl Map {
    pub(crate) fn new() -> (Arc<Self>, mpsc::Receiver<Event>) {
        let (events, receiver) = mpsc::channel(10_000);
        let map = Self {
            parts: Mutex::default(),
            is_full: AtomicBool::new(false),
            is_held: AtomicBool::new(false),
            go: Notify::new(),
            damaged_at: Mutex::new(None),
            running: AtomicUsize::new(0),
            events,
        };
        (Arc::new(map), receiver)
    }

    async fn hold(&self) {
        if self.is_held.load(Ordering::SeqCst) {
            self.running.fetch_add(1, Ordering::SeqCst);
            self.go.notified().await;
        }
    }

    fn find(&self, part: PartId) -> Result<Bytes, Error> {
        self.parts.lock().get(&part).cloned().ok_or(Error::NotFound(part))
    }
}

fn receipt(bytes: &[u8]) -> Receipt {
    Receipt { length: bytes.len() as u64, checksum: checksum(bytes) }
}

#[async_trait]
impl Parts for Map {
    async fn put(&self, part: PartId, body: Body) -> Result<Receipt, Error> {
        if self.is_full.load(Ordering::SeqCst) {
            return Err(Error::Full);
        }
        let _ = self.events.try_send(Event::PutBegan);
        let dropped = OnDrop(self.events.clone(), Event::PutDropped);
        self.hold().await;
        let bytes = body.collect(1 << 30).await.map_err(|error| match error {
            Error::Body(why) => Error::Body(why),
            other => Error::Body(other.to_string()),
        })?;
        std::mem::forget(dropped);
        let receipt = receipt(&bytes);
        self.parts.lock().insert(part, bytes);
        Ok(receipt)
    }

    async fn get(&self, part: PartId, range: Range<u64>) -> Result<Body, Error> {
        self.hold().await;
        let bytes = self.find(part)?;
        if range.start > range.end || range.end > bytes.len() as u64 {
            return Err(Error::Range(part));
        }
        let damaged_at = *self.damaged_at.lock();
        let dropped = OnDrop(self.events.clone(), Event::GetDropped);
        let pieces = stream::unfold((range.start as usize, Some(dropped)), move |(at, mut dropped)| {
            let bytes = bytes.slice(at..(at + PIECE_BYTES).min(range.end as usize));
            async move {
                dropped.as_ref()?;
                if bytes.is_empty() {
                    std::mem::forget(dropped);
                    return None;
                }
                if damaged_at.is_some_and(|bad| bad < at + bytes.len()) {
                    std::mem::forget(dropped.take());
                    return Some((Err(Error::Damaged(part, "as the test wants it".into())), (at, None)));
                }
                Some((Ok(bytes.clone()), (at + bytes.len(), dropped)))
            }
        });
        Ok(Body::Stream(pieces.boxed()))
    }

    async fn delete(&self, parts: &[PartId]) -> Result<(), Error> {
        let mut map = self.parts.lock();
        for part in parts {
            map.remove(part);
        }
        Ok(())
    }

    async fn list(&self, after: Option<PartId>, limit: u32) -> Result<Vec<PartInfo>, Error> {
        let map = self.parts.lock();
        let all = map.iter().filter(|(part, _)| after.is_none_or(|after| **part > after));
        Ok(all.take(limit as usize).map(|(part, bytes)| PartInfo { part: *part, receipt: receipt(bytes) }).collect())
    }

    async fn verify(&self, part: PartId) -> Result<Receipt, Error> {
        self.hold().await;
        Ok(receipt(&self.find(part)?))
    }

    async fn health(&self) -> Result<Health, Error> {
        let map = self.parts.lock();
        Ok(Health {
            node: NODE,
            free_bytes: 1 << 40,
            total_bytes: 2 << 40,
            part_bytes: map.values().map(|bytes| bytes.len() as u64).sum(),
            part_count: map.len() as u64,
            disk: "memory".into(),
            writable: !self.is_full.load(Ordering::SeqCst),
            trouble: self.is_full.load(Ordering::SeqCst).then(|| "full".into()),
        })
    }
}

pub(crate) fn secret(text: &str) -> ClusterSecret {
    ClusterSecret::new(&Secret::new(format!("a secret for tests: {text}"))).unwrap()
}

/// Deadlines that tests can wait for.
pub(crate) fn quick() -> RemoteOptions {
    RemoteOptions {
        connect: Duration::from_secs(1),
        progress: Duration::from_secs(1),
        keep_alive: Duration::from_millis(500),
        trace: None,
    }
}

/// A node behind a port of its own. Dropping it cuts all connections.
pub(crate) struct Served {
    pub(crate) map: Arc<Map>,
    pub(crate) events: mpsc::Receiver<Event>,
    pub(crate) address: SocketAddr,
    pub(crate) stop: Option<oneshot::Sender<()>>,
    pub(crate) server: JoinSet<Result<(), Error>>,
}

impl Served {
    pub(crate) async fn start() -> Self {
        Self::start_with(ServeOptions::default()).await
    }

    pub(crate) async fn start_with(options: ServeOptions) -> Self {
        let (map, events) = Map::new();
        Self::start_at("127.0.0.1:0".parse().unwrap(), map, events, options).await
    }

    pub(crate) async fn start_at(
        address: SocketAddr,
        map: Arc<Map>,
        events: mpsc::Receiver<Event>,
        options: ServeOptions,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            // A dropped sender is no wish to stop.
            if stopped.await.is_err() {
                std::future::pending().await
            }
        };
        let mut server = JoinSet::new();
        server.spawn(serve(listener, map.clone(), secret("one"), options, shutdown));
        Self { map, events, address, stop: Some(stop), server }
    }

    /// Waits for the server to end by itself.
    pub(crate) async fn ended(&mut self) -> Result<(), Error> {
        let ended = tokio::time::timeout(Duration::from_secs(5), self.server.join_next()).await;
        ended.expect("nothing is left to wait for").expect("it runs").unwrap()
    }

    pub(crate) fn client(&self) -> RemoteParts {
        self.client_with(RemoteOptions::default())
    }

    pub(crate) fn client_with(&self, options: RemoteOptions) -> RemoteParts {
        RemoteParts::connect_lazy(&self.address.to_string(), Some(NODE), &secret("one"), options)
    }

    pub(crate) async fn event(&mut self) -> Event {
        tokio::time::timeout(Duration::from_secs(10), self.events.recv()).await.expect("an event").unwrap()
    }
}

pub(crate) fn part(number: u128) -> PartId {
    PartId(uuid::Uuid::from_u128(number))
}

/// Bytes that differ by seed and place, so that a mixed-up answer shows.
pub(crate) fn bytes(length: usize, seed: u64) -> Bytes {
    let mut state = seed;
    let mut all = Vec::with_capacity(length + 8);
    while all.len() < length {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        all.extend_from_slice(&(state ^ (state >> 33)).to_le_bytes());
    }
    all.truncate(length);
    all.into()
}

/// A body in pieces of this length.
pub(crate) fn pieces(bytes: Bytes, length: usize) -> Body {
    let count = bytes.len().div_ceil(length);
    let pieces = (0..count).map(move |i| Ok(bytes.slice(i * length..((i + 1) * length).min(bytes.len()))));
    Body::Stream(stream::iter(pieces).boxed())
}
