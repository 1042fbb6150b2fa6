//! A cluster to test on: simulated nodes, a real database, and processes that can be killed.

use std::{
    collections::BTreeMap,
    ops::{Deref, Range},
    sync::Arc,
    time::Duration,
};

use base::{ContentId, Ids, NodeId};
use bus::{Handler, JobWorker, Jobs, Progress, Worker};
use bytes::Bytes;
use db::{Db, Lane, content::NewContent};
use files::{
    ByteStream, Cluster, Error, Extent, Membership, NewExtent, NodeState, Nodes, Options, Parity, Store,
    workers::{Auditor, Cleaner, Rebalancer, RepairHandler, Scrubber},
};
use futures::StreamExt;
use parking_lot::Mutex;
use testkit::{
    database::{TestDb, sqlite_in_memory},
    parts_suite,
    sim::{Rng, node::SimNode, time::SimTime},
};
use tokio::{task::JoinSet, time::sleep};

/// The process that administers and hears heartbeats. It is never killed and never cut off.
pub(crate) const ADMIN: usize = 0;
/// The process that clients talk to.
pub(crate) const GATEWAY: usize = 1;
/// The process that cleans, repairs and moves.
pub(crate) const WORKER: usize = 2;

const HEARTBEAT: Duration = Duration::from_secs(2);

/// Times short enough that all of them happen while a simulation runs.
pub(crate) fn quick(parity: usize) -> Options {
    Options {
        parity: Parity::Fixed(parity),
        inline_max: 0,
        intent_lease: Duration::from_secs(12),
        garbage_grace: Duration::from_secs(20),
        node_lost_after: Duration::from_secs(20),
        hedge_after: Duration::from_millis(200),
        scrub_period: Duration::from_secs(60),
        orphan_age: Duration::from_secs(30),
        ..Options::default()
    }
}

/// Runs a test on a runtime of its own with virtual time.
pub(crate) fn run_virtual<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(test)
}

/// Bytes to write: a window of one long random run, so that making them costs nothing.
pub(crate) fn sample(seed: u64, length: usize) -> Bytes {
    static RUN: std::sync::LazyLock<Bytes> = std::sync::LazyLock::new(|| parts_suite::data(7, 48 << 20));
    let room = RUN.len() - length;
    let at = Rng::new(&[seed]).below(room as u64 + 1) as usize;
    RUN.slice(at..at + length)
}

pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) time: SimTime,
    pub(crate) options: Options,
    fleet: Arc<Mutex<Vec<SimNode>>>,
    test: TestDb,
    beats: Mutex<JoinSet<()>>,
}

impl World {
    /// A cluster of so many nodes, with its placement decided.
    pub(crate) async fn new(seed: u64, nodes: u8, options: Options) -> Arc<Self> {
        let test = sqlite_in_memory().await;
        let world = Arc::new(Self {
            seed,
            time: SimTime::new(test.db.clone()),
            options,
            fleet: Arc::default(),
            test,
            beats: Mutex::default(),
        });
        for _ in 0..nodes {
            world.add_node();
        }
        let admin = world.process(ADMIN, 0);
        world.beat(&admin.cluster).await;
        admin.cluster.refresh().await.unwrap();
        admin.cluster.settle().await.unwrap();
        let cluster = admin.cluster.clone();
        let heart = Arc::downgrade(&world);
        world.beats.lock().spawn(async move {
            while let Some(world) = heart.upgrade() {
                world.beat(&cluster).await;
                drop(world);
                sleep(HEARTBEAT).await;
            }
        });
        world
    }

    pub(crate) fn db(&self) -> &Db {
        &self.test.db
    }

    /// One more node, empty.
    pub(crate) fn add_node(&self) -> SimNode {
        let mut fleet = self.fleet.lock();
        let node = SimNode::new(self.seed, fleet.len() as u8 + 1);
        fleet.push(node.clone());
        node
    }

    pub(crate) fn nodes(&self) -> Vec<SimNode> {
        self.fleet.lock().clone()
    }

    pub(crate) fn node(&self, id: NodeId) -> SimNode {
        self.nodes().into_iter().find(|node| node.id() == id).expect("a node of the fleet")
    }

    /// Every node that is up says so.
    async fn beat(&self, cluster: &Cluster) {
        for node in self.nodes().into_iter().filter(SimNode::is_up) {
            let address = format!("sim:{}", node.id());
            let membership = Membership { address, version: "1".into(), health: node.health(), number: None };
            cluster.report(membership).await.unwrap();
        }
    }

    /// A process as it starts: it knows nothing but the database. `life` tells its lives apart.
    pub(crate) fn process(&self, number: usize, life: u64) -> Process {
        let fleet = self.fleet.clone();
        let connect = move |id: NodeId, _: &str| {
            let node = fleet.lock().iter().find(|node| node.id() == id).cloned();
            node.expect("only nodes of the fleet report").client(number)
        };
        let clock = self.time.clock();
        let nodes = Nodes::new(clock.clone(), BTreeMap::new(), Box::new(connect));
        let mut rng = Rng::new(&[self.seed, number as u64, life]);
        let ids = Ids::new(clock.clone(), u128::from(rng.next()) << 64 | u128::from(rng.next()));
        let store = Store::new(self.db().clone(), nodes, clock, ids.clone(), self.options.clone()).unwrap();
        let door = Door { cluster: Cluster::new(store.clone()), store, ids, db: self.db().clone() };
        Process { door, tasks: JoinSet::new() }
    }

    /// A process that knows the cluster and goes on hearing of it.
    pub(crate) async fn gateway(&self, life: u64) -> Process {
        let mut process = self.process(GATEWAY, life);
        process.cluster.refresh().await.unwrap();
        process.refresh_forever(false);
        process
    }

    /// A process with all recurring work.
    pub(crate) async fn worker(&self, life: u64) -> Process {
        let mut process = self.process(WORKER, life);
        process.cluster.refresh().await.unwrap();
        process.refresh_forever(true);
        let (store, clock) = (process.store.clone(), self.time.clock());
        process.go_on(Cleaner::new(store.clone()));
        process.go_on(Rebalancer::new(store.clone()));
        process.go_on(Scrubber::new(store.clone()));
        process.go_on(Auditor::new(store.clone()));
        let jobs = bus::Options {
            lease: Duration::from_secs(10),
            retry_first: Duration::from_millis(500),
            retry_max: Duration::from_secs(5),
            attempts_max: 1000,
            ..bus::Options::default()
        };
        let jobs = Jobs::new(self.db().clone(), clock.clone(), jobs);
        for _ in 0..2 {
            let repair: Arc<dyn Handler> = Arc::new(RepairHandler::new(store.clone()));
            process.go_on(JobWorker::new(jobs.clone(), clock.clone(), vec![repair]));
        }
        process
    }

    /// Waits until no work is left: no intent, garbage, repair or move.
    pub(crate) async fn converged(&self, cluster: &Cluster) {
        let mut overview = cluster.overview().await.unwrap();
        for _ in 0..600 {
            sleep(Duration::from_secs(1)).await;
            cluster.refresh().await.unwrap();
            overview = cluster.overview().await.unwrap();
            let left = overview.intents.open + overview.garbage.extents + overview.repairs.waiting;
            if left == 0 && overview.moves.settled {
                return;
            }
        }
        panic!("the cluster does not come to rest: {overview:?}");
    }

    /// Reads every part back and compares every node with the manifests, twice, until nothing is left to do.
    pub(crate) async fn clean_sweep(&self, worker: &Process) {
        self.converged(&worker.cluster).await;
        let (scrubber, auditor) = (Scrubber::new(worker.store.clone()), Auditor::new(worker.store.clone()));
        for _ in 0..2 {
            // The pass that is under way, and a whole one after it.
            for _ in 0..2 {
                while scrubber.bite().await.unwrap() > 0 {}
            }
            auditor.pass().await.unwrap();
            self.converged(&worker.cluster).await;
            sleep(self.options.orphan_age + Duration::from_secs(1)).await;
            auditor.pass().await.unwrap();
            self.converged(&worker.cluster).await;
        }
    }
}

/// A gateway or worker. Dropping it kills it: whatever it was doing ends at the await where it stands.
pub(crate) struct Process {
    pub(crate) door: Door,
    pub(crate) tasks: JoinSet<()>,
}

impl Deref for Process {
    type Target = Door;

    fn deref(&self) -> &Door {
        &self.door
    }
}

/// What a process can be asked for.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) store: Store,
    pub(crate) cluster: Cluster,
    pub(crate) ids: Ids,
    pub(crate) db: Db,
}

impl Process {
    fn refresh_forever(&mut self, settles: bool) {
        let cluster = self.cluster.clone();
        self.tasks.spawn(async move {
            loop {
                cluster.refresh().await.unwrap();
                if settles {
                    cluster.settle().await.unwrap();
                }
                sleep(Duration::from_secs(1)).await;
            }
        });
    }

    /// Runs recurring work as `bus::Runner` does, without its pauses.
    fn go_on(&mut self, worker: impl Worker) {
        self.tasks.spawn(async move {
            loop {
                match worker.work().await {
                    Ok(Progress::Busy) => tokio::task::yield_now().await,
                    Ok(Progress::Idle) => worker.idle().await,
                    Err(_) => sleep(Duration::from_millis(500)).await,
                }
            }
        });
    }

    /// Kills the process. A task that had panicked before fails the test.
    pub(crate) async fn kill(mut self) {
        self.tasks.abort_all();
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended
                && error.is_panic()
            {
                std::panic::resume_unwind(error.into_panic());
            }
        }
    }
}

impl Door {
    /// Writes bytes as one extent, which nobody sees yet.
    pub(crate) async fn extent(&self, content: ContentId, bytes: &Bytes) -> Result<Extent, Error> {
        let new = NewExtent { content, position: 0, start: 0, expected: Some(bytes.len() as u64), lane: Lane::Free };
        let mut writer = self.store.begin(new).await?;
        for at in (0..bytes.len()).step_by(1 << 20) {
            writer.push(bytes.slice(at..bytes.len().min(at + (1 << 20)))).await?;
        }
        writer.finish().await
    }

    /// Writes bytes as a content.
    pub(crate) async fn write(&self, bytes: &Bytes) -> Result<ContentId, Error> {
        let content = self.ids.content();
        let extent = self.extent(content, bytes).await?;
        self.seal(content, vec![extent]).await?;
        Ok(content)
    }

    /// Makes extents a content.
    pub(crate) async fn seal(&self, content: ContentId, extents: Vec<Extent>) -> Result<(), Error> {
        let store = self.store.clone();
        self.db
            .write(Lane::Free, async move |tx| {
                for extent in &extents {
                    store.seal(&tx, extent).await?;
                }
                let new = NewContent {
                    id: content,
                    size: extents.iter().map(Extent::length).sum(),
                    blake3: None,
                    extents: extents.len() as u32,
                    inline: None,
                    created: base::Time::from_micros(0),
                };
                store.insert_content(&tx, &new).await
            })
            .await
    }

    /// Gives a content's only reference up.
    pub(crate) async fn release(&self, content: ContentId, now: base::Time) -> Result<(), Error> {
        let store = self.store.clone();
        self.db.write(Lane::Free, async move |tx| store.release(&tx, content, now).await).await
    }

    /// Reads a range; what came before an error is checked all the same.
    pub(crate) async fn read(&self, content: ContentId, whole: &Bytes, range: Range<usize>) -> Result<(), Error> {
        let size = whole.len() as u64;
        let stream = self.store.read(content, size, range.start as u64..range.end as u64).await?;
        compare(stream, &whole.slice(range)).await
    }
}

/// Compares a stream piece by piece with what it should be.
///
/// # Panics
/// If it yields another byte, or ends early without an error.
pub(crate) async fn compare(mut stream: ByteStream, expected: &Bytes) -> Result<(), Error> {
    let mut at = 0;
    while let Some(piece) = stream.next().await {
        let piece = piece?;
        assert!(piece.len() <= expected.len() - at, "more bytes than were asked for");
        assert!(piece == expected.slice(at..at + piece.len()), "wrong bytes between {at} and {}", at + piece.len());
        at += piece.len();
    }
    assert_eq!(at, expected.len(), "fewer bytes than were asked for, and no error");
    Ok(())
}

/// The state of a node as its row says.
pub(crate) async fn state(world: &World, node: NodeId) -> NodeState {
    let rows = db::nodes::nodes(world.db()).await.unwrap();
    let row = rows.into_iter().find(|row| row.id == node).expect("a node that has reported");
    [NodeState::Active, NodeState::Draining, NodeState::Removed]
        .into_iter()
        .find(|state| state.as_str() == row.state)
        .expect("a known state")
}
