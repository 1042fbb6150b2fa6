//! Disks that fail or fill up, and commits that many share.

use std::{
    io,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
};

use node::{Faults, Node, Options, Step};
use proto::{Body, Error, Parts};
use testkit::parts_suite::{data, part, pieces};
use tokio::task::JoinSet;

use crate::{get, has_sample, open, open_with, options, put_sample};

/// Holds back syncs of the segment, and counts them.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    is_shut: bool,
    waiting: u32,
    syncs: u32,
}

impl Gate {
    pub(crate) fn faults(&self) -> Faults {
        let gate = self.clone();
        Faults::new(move |step| {
            if step == Step::SegmentSync {
                let (state, changed) = &*gate.0;
                let mut state = state.lock().expect("state");
                state.syncs += 1;
                state.waiting += 1;
                changed.notify_all();
                let mut state = changed.wait_while(state, |state| state.is_shut).expect("state");
                state.waiting -= 1;
            }
            Ok(())
        })
    }

    fn set(&self, is_shut: bool) {
        self.0.0.lock().expect("state").is_shut = is_shut;
        self.0.1.notify_all();
    }

    fn wait_for_a_sync(&self) {
        let state = self.0.0.lock().expect("state");
        drop(self.0.1.wait_while(state, |state| state.waiting == 0).expect("state"));
    }

    fn syncs(&self) -> u32 {
        self.0.0.lock().expect("state").syncs
    }

    /// Holds the sync of one put, has `start` begin tasks whose requests wait in the queue meanwhile, and lets go.
    /// Needs a runtime of one thread: the tasks run, up to where they wait, each time this one yields.
    pub(crate) async fn hold_a_sync_while(&self, node: &Node, start: impl FnOnce(&mut JoinSet<()>)) {
        self.set(true);
        let (first, mut tasks) = (node.clone(), JoinSet::new());
        tasks.spawn(async move { put_sample(&first, 9999, 10).await });
        tokio::task::yield_now().await;
        self.wait_for_a_sync();
        start(&mut tasks);
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        self.set(false);
        tasks.join_all().await;
    }
}

#[tokio::test]
async fn requests_that_wait_share_a_sync() {
    let dir = tempfile::tempdir().expect("dir");
    let gate = Gate::default();
    let node = open_with(Options { faults: gate.faults(), ..options(dir.path()) });
    gate.hold_a_sync_while(&node, |tasks| {
        for number in 0..100 {
            let node = node.clone();
            tasks.spawn(async move { put_sample(&node, number, 500).await });
        }
    })
    .await;
    assert_eq!(gate.syncs(), 2, "one for the first put, one for the hundred that waited");
    assert_eq!((node.stats().commits, node.stats().commit_requests), (2, 101));
    for number in 0..100 {
        has_sample(&node, number, 500).await;
    }
}

#[tokio::test]
async fn changes_of_one_part_keep_their_order() {
    let dir = tempfile::tempdir().expect("dir");
    let gate = Gate::default();
    let node = open_with(Options { faults: gate.faults(), ..options(dir.path()) });
    gate.hold_a_sync_while(&node, |tasks| {
        // The runtime has one thread and the queue is first in, first out: this order is the order of the requests.
        for step in 0..10 {
            let node = node.clone();
            tasks.spawn(async move {
                if step % 3 == 2 {
                    node.delete(&[part(1)]).await.expect("delete");
                } else {
                    node.put(part(1), Body::Whole(data(step as u64, 100 + step))).await.expect("put");
                }
            });
        }
    })
    .await;
    assert_eq!(get(&node, part(1), 109).await.expect("the last put"), data(9, 109));
    node.close().await;
    drop(node);
    assert_eq!(get(&open(dir.path()), part(1), 109).await.expect("the last put"), data(9, 109));
}

/// Faults that fail every step of this kind while `on` is not 0, with this error.
fn failing(step: Step, errno: i32) -> (Arc<AtomicU32>, Faults) {
    let on = Arc::new(AtomicU32::new(0));
    let switch = Arc::clone(&on);
    let faults = Faults::new(move |at| {
        if at == step && switch.load(SeqCst) != 0 { Err(io::Error::from_raw_os_error(errno)) } else { Ok(()) }
    });
    (on, faults)
}

/// Input/output error.
const EIO: i32 = 5;
/// No space left on device.
const ENOSPC: i32 = 28;

#[tokio::test]
async fn a_failed_write_or_sync_makes_the_disk_suspect() {
    for (step, size) in [
        (Step::SegmentWrite, 100),
        (Step::SegmentSync, 100),
        (Step::PartWrite, 1 << 20),
        (Step::PartSync, 1 << 20),
        (Step::FolderSync, 1 << 20),
    ] {
        let dir = tempfile::tempdir().expect("dir");
        let (on, faults) = failing(step, EIO);
        let node = open_with(Options { faults, ..options(dir.path()) });
        put_sample(&node, 1, 100).await;
        put_sample(&node, 2, 1 << 20).await;
        on.store(1, SeqCst);
        let refused = node.put(part(3), Body::Whole(data(3, size))).await;
        assert!(matches!(refused, Err(Error::Suspect(_))), "{step:?}: {refused:?}");
        on.store(0, SeqCst);

        // It stays suspect, though the disk would work again: a sync that failed once proves nothing later.
        let refused = node.put(part(4), Body::Whole(data(4, 10))).await;
        assert!(matches!(refused, Err(Error::Suspect(_))), "{step:?}");
        assert!(matches!(node.delete(&[part(1)]).await, Err(Error::Suspect(_))), "{step:?}");
        let health = node.health().await.expect("health");
        assert!(!health.writable && health.trouble.is_some_and(|why| why.contains("suspect")));
        has_sample(&node, 1, 100).await;
        has_sample(&node, 2, 1 << 20).await;
        assert!(matches!(get(&node, part(3), 1).await, Err(Error::NotFound(_))));
        node.close().await;

        // What was refused does not come to life at the next start; only a file whose folder could not be synced may.
        let node = open(dir.path());
        has_sample(&node, 1, 100).await;
        has_sample(&node, 2, 1 << 20).await;
        if step != Step::FolderSync {
            assert_eq!(node.stats().parts, 2, "{step:?}");
        }
        assert_eq!((node.stats().torn_bytes, node.stats().damaged_bytes), (0, 0), "{step:?}");
        assert!(node.health().await.expect("health").writable);
    }
}

#[tokio::test]
async fn a_full_disk_refuses_and_recovers() {
    for (step, size) in
        [(Step::SegmentWrite, 100), (Step::SegmentSync, 100), (Step::PartWrite, 1 << 20), (Step::PartSync, 1 << 20)]
    {
        let dir = tempfile::tempdir().expect("dir");
        let (on, faults) = failing(step, ENOSPC);
        let node = open_with(Options { faults, ..options(dir.path()) });
        put_sample(&node, 1, 100).await;
        on.store(1, SeqCst);
        for body in [Body::Whole(data(3, size)), pieces(&data(3, size), 1000)] {
            assert!(matches!(node.put(part(3), body).await, Err(Error::Full)), "{step:?}");
        }
        assert!(matches!(get(&node, part(3), 1).await, Err(Error::NotFound(_))));
        on.store(0, SeqCst);
        put_sample(&node, 3, size).await;
        has_sample(&node, 3, size).await;
        has_sample(&node, 1, 100).await;
        node.close().await;
        let node = open(dir.path());
        has_sample(&node, 3, size).await;
        assert_eq!(node.stats().torn_bytes, 0);
    }
}

#[tokio::test]
async fn a_put_that_fails_leaves_the_old_part() {
    // Small to large: the file has its name already when the tombstone of the record cannot be written.
    let dir = tempfile::tempdir().expect("dir");
    let (on, faults) = failing(Step::SegmentWrite, ENOSPC);
    let node = open_with(Options { faults, ..options(dir.path()) });
    put_sample(&node, 1, 100).await;
    on.store(1, SeqCst);
    assert!(matches!(node.put(part(1), Body::Whole(data(9, 1 << 20))).await, Err(Error::Full)));
    has_sample(&node, 1, 100).await;
    node.close().await;
    assert!(crate::files(&dir.path().join("parts")).is_empty());
    drop(node);
    has_sample(&open(dir.path()), 1, 100).await;
}

#[tokio::test]
async fn capacity_reserve_and_number_of_parts_are_bounds() {
    let dir = tempfile::tempdir().expect("dir");
    let node = open_with(Options { capacity: Some(3 << 20), ..options(dir.path()) });
    assert_eq!(node.health().await.expect("health").total_bytes, 3 << 20);
    put_sample(&node, 1, 2 << 20).await;
    let free = node.health().await.expect("health").free_bytes;
    assert!(free < 1 << 20, "{free}");
    assert!(matches!(node.put(part(2), Body::Whole(data(2, 2 << 20))).await, Err(Error::Full)));
    assert!(matches!(node.put(part(2), pieces(&data(2, 2 << 20), 100_000)).await, Err(Error::Full)));
    put_sample(&node, 3, 100).await;
    node.delete(&[part(1)]).await.expect("deletes work on a full node");
    put_sample(&node, 2, 2 << 20).await;
    node.close().await;

    let node = open_with(Options { reserve_bytes: u64::MAX, ..options(dir.path()) });
    assert!(matches!(node.put(part(4), Body::Whole(data(4, 10))).await, Err(Error::Full)));
    let health = node.health().await.expect("health");
    assert!(!health.writable && health.free_bytes == 0);
    node.delete(&[part(3)]).await.expect("a tombstone may use the reserve");
    node.close().await;

    let node = open_with(Options { parts_max: 2, ..options(dir.path()) });
    put_sample(&node, 5, 10).await;
    assert!(matches!(node.put(part(6), Body::Whole(data(6, 10))).await, Err(Error::Full)));
    assert!(matches!(node.put(part(6), Body::Whole(data(6, 1 << 20))).await, Err(Error::Full)));
    put_sample(&node, 5, 1 << 20).await;
    assert!(!node.health().await.expect("health").writable);
}

#[tokio::test]
async fn a_disk_that_cannot_be_read_is_damage() {
    let dir = tempfile::tempdir().expect("dir");
    let (on, faults) = failing(Step::Read, EIO);
    let node = open_with(Options { faults, ..options(dir.path()) });
    put_sample(&node, 1, 1 << 20).await;
    put_sample(&node, 2, 100).await;
    on.store(1, SeqCst);
    assert!(matches!(get(&node, part(1), 1 << 20).await, Err(Error::Damaged(..))));
    assert!(matches!(node.verify(part(1)).await, Err(Error::Damaged(..))));
    assert!(matches!(node.verify(part(2)).await, Err(Error::Damaged(..))));
    on.store(0, SeqCst);
    has_sample(&node, 1, 1 << 20).await;
    assert_eq!(node.stats().damaged_reads, 3);
}
