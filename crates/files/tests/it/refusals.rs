//! What the store refuses, and what a caller who misuses it gets.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use base::Time;
use db::{Lane, content as rows};
use files::{Error, NewExtent, Options};
use tokio::{task::JoinSet, time::sleep};

use crate::{
    check::cluster_is_right,
    world::{World, quick, run_virtual, sample},
};

const LIMIT: Duration = Duration::from_secs(3600);
const MIB: usize = 1 << 20;

fn test<Fut: Future<Output = ()>>(options: Options, run: impl FnOnce(Arc<World>) -> Fut) {
    run_virtual(async {
        let world = World::new(3, 9, options).await;
        world.time.run(LIMIT, run(world.clone())).await;
    });
}

fn new(content: base::ContentId, expected: Option<u64>) -> NewExtent {
    NewExtent { content, position: 0, start: 0, expected, lane: Lane::Free }
}

#[test]
fn an_expected_length_is_only_a_hint() {
    test(quick(2), |world| async move {
        let gateway = world.gateway(1).await;
        for (said, length) in [(0, 100), (10, 7 * MIB), (1 << 40, 5), (6 << 20, 6 * MIB + 1), (100, 0)] {
            let (content, bytes) = (gateway.ids.content(), sample(said, length));
            let mut writer = gateway.store.begin(new(content, Some(said))).await.unwrap();
            writer.push(bytes.clone()).await.unwrap();
            let extent = writer.finish().await.unwrap();
            assert_eq!(extent.length(), length as u64);
            gateway.seal(content, vec![extent]).await.unwrap();
            gateway.read(content, &bytes, 0..length).await.unwrap();
        }
    });
}

#[test]
fn a_writer_that_is_dropped_is_cleaned_away_and_one_that_is_alive_is_not() {
    test(quick(2), |world| async move {
        let (gateway, worker) = (world.gateway(1).await, world.worker(1).await);
        let content = gateway.ids.content();
        let mut writer = gateway.store.begin(new(content, None)).await.unwrap();
        writer.push(sample(1, 13 * MIB)).await.unwrap();
        drop(writer);
        let alive = gateway.ids.content();
        let bytes = sample(2, 20 * MIB);
        let mut writer = gateway.store.begin(new(alive, None)).await.unwrap();
        for at in (0..bytes.len()).step_by(MIB) {
            writer.push(bytes.slice(at..at + MIB)).await.unwrap();
            sleep(world.options.intent_lease / 2).await;
        }
        let extent = writer.finish().await.unwrap();
        gateway.seal(alive, vec![extent]).await.unwrap();
        world.clean_sweep(&worker).await;
        cluster_is_right(&world).await;
        assert!(rows::content(world.db(), content).await.unwrap().is_none());
        gateway.read(alive, &bytes, 0..bytes.len()).await.unwrap();
    });
}

#[test]
fn an_aborted_write_is_gone_before_its_lease_is() {
    test(Options { intent_lease: LIMIT, ..quick(2) }, |world| async move {
        let (gateway, worker) = (world.gateway(1).await, world.worker(1).await);
        let mut writer = gateway.store.begin(new(gateway.ids.content(), None)).await.unwrap();
        writer.push(sample(1, 13 * MIB)).await.unwrap();
        writer.abort().await;
        world.converged(&worker.cluster).await;
        cluster_is_right(&world).await;
    });
}

#[test]
fn an_extent_is_sealed_once() {
    test(quick(2), |world| async move {
        let gateway = world.gateway(1).await;
        let (content, bytes) = (gateway.ids.content(), sample(1, 1000));
        let extent = gateway.extent(content, &bytes).await.unwrap();
        gateway.seal(content, vec![extent.clone()]).await.unwrap();
        let again = gateway.seal(gateway.ids.content(), vec![extent]).await;
        assert!(matches!(again, Err(Error::IntentGone)), "{again:?}");
        gateway.read(content, &bytes, 0..1000).await.unwrap();
    });
}

#[test]
fn a_write_that_was_taken_for_dead_cannot_be_sealed() {
    test(quick(2), |world| async move {
        let (gateway, worker) = (world.gateway(1).await, world.worker(1).await);
        let content = gateway.ids.content();
        let extent = gateway.extent(content, &sample(1, 1000)).await.unwrap();
        sleep(3 * world.options.intent_lease).await;
        let sealed = gateway.seal(content, vec![extent]).await;
        assert!(matches!(sealed, Err(Error::IntentGone)), "{sealed:?}");
        assert!(rows::content(world.db(), content).await.unwrap().is_none(), "half of the unit of work was kept");
        world.converged(&worker.cluster).await;
        cluster_is_right(&world).await;
    });
}

#[test]
fn a_second_release_changes_nothing() {
    test(quick(2), |world| async move {
        let (gateway, worker) = (world.gateway(1).await, world.worker(1).await);
        let bytes = sample(1, 1000);
        let kept = gateway.write(&bytes).await.unwrap();
        let content = gateway.write(&bytes).await.unwrap();
        for _ in 0..2 {
            gateway.release(content, world.time.clock().now()).await.unwrap();
        }
        let read = gateway.read(content, &bytes, 0..10).await;
        assert!(matches!(read, Err(Error::NoContent)), "{read:?}");
        world.converged(&worker.cluster).await;
        cluster_is_right(&world).await;
        gateway.read(kept, &bytes, 0..1000).await.unwrap();
    });
}

#[test]
fn a_copy_outlives_the_original() {
    test(quick(2), |world| async move {
        let (gateway, worker) = (world.gateway(1).await, world.worker(1).await);
        let bytes = sample(1, 1000);
        let content = gateway.write(&bytes).await.unwrap();
        let store = gateway.store.clone();
        world.db().write(Lane::Free, async move |tx| store.add_reference(&tx, content).await).await.unwrap();
        gateway.release(content, world.time.clock().now()).await.unwrap();
        world.converged(&worker.cluster).await;
        gateway.read(content, &bytes, 0..1000).await.unwrap();
        gateway.release(content, world.time.clock().now()).await.unwrap();
        world.converged(&worker.cluster).await;
        assert!(world.nodes().iter().all(|node| node.parts().is_empty()));
        let store = gateway.store.clone();
        let copied = world.db().write(Lane::Free, async move |tx| store.add_reference(&tx, content).await).await;
        assert!(matches!(copied, Err(Error::NoContent)), "{copied:?}");
    });
}

#[test]
#[expect(clippy::reversed_empty_ranges, reason = "what a confused caller may ask for")]
fn ranges_beyond_the_content_are_refused() {
    test(quick(2), |world| async move {
        let gateway = world.gateway(1).await;
        let content = gateway.write(&sample(1, 1000)).await.unwrap();
        for range in [0..1001, 1001..1001, 5..4] {
            let read = gateway.store.read(content, 1000, range.clone()).await.map(drop);
            assert!(matches!(read, Err(Error::Range)), "{range:?}: {read:?}");
        }
        // A caller that believes in more bytes than there are must not get them as if they were all.
        let read = gateway.store.read(content, 2000, 0..2000).await.map(drop);
        assert!(matches!(read, Err(Error::NoContent)), "{read:?}");
    });
}

#[test]
fn too_few_nodes_refuse_a_write_and_leave_nothing() {
    test(quick(2), |world| async move {
        let gateway = world.gateway(1).await;
        world.nodes().iter().take(7).for_each(|node| node.crash());
        sleep(Duration::from_secs(15)).await;
        assert!(matches!(gateway.store.can_write(), Err(Error::TooFewNodes { live: 2, wanted: 4 })));
        let begun = gateway.store.begin(new(gateway.ids.content(), None)).await.map(drop);
        assert!(matches!(begun, Err(Error::TooFewNodes { .. })), "{begun:?}");
        assert_eq!(gateway.cluster.overview().await.unwrap().intents.open, 0);
    });
}

/// Nodes take nothing, so what a writer has taken is in memory: it must be within the budget.
#[test]
fn writers_hold_no_more_than_the_budget() {
    const BUDGET: usize = 96 << 20;
    test(Options { in_flight_bytes: BUDGET, ..quick(2) }, |world| async move {
        let gateway = world.gateway(1).await;
        world.nodes().iter().for_each(|node| node.hold(testkit::sim::node::Op::Put));
        let taken = Arc::new(AtomicUsize::new(0));
        let refused = Arc::new(AtomicUsize::new(0));
        let mut writers = JoinSet::new();
        for number in 0..16 {
            let (door, taken, refused) = (gateway.door.clone(), taken.clone(), refused.clone());
            writers.spawn(async move {
                // Some say that little will come.
                let expected = (number % 2 == 1).then_some(1000);
                let content = door.ids.content();
                let mut writer = match door.store.begin(new(content, expected)).await {
                    Ok(writer) => writer,
                    Err(error) => {
                        assert!(matches!(error, Error::Busy), "{error:?}");
                        refused.fetch_add(1, Ordering::SeqCst);
                        return;
                    }
                };
                for piece in 0..40 {
                    if let Err(error) = writer.push(sample(piece, MIB)).await {
                        assert!(matches!(error, Error::Busy), "{error:?}");
                        refused.fetch_add(1, Ordering::SeqCst);
                        return;
                    }
                    // With its share of parity.
                    taken.fetch_add(MIB / 6 * 8, Ordering::SeqCst);
                }
            });
        }
        sleep(Duration::from_secs(20)).await;
        let taken = taken.load(Ordering::SeqCst);
        assert!(taken > BUDGET / 2, "only {taken} bytes were taken, so nothing was tested");
        assert!(taken <= BUDGET, "{taken} bytes in memory, and the budget is {BUDGET}");
        assert!(refused.load(Ordering::SeqCst) > 0, "nobody was refused");
        drop(writers);
        world.nodes().iter().for_each(testkit::sim::node::SimNode::let_go);
        // What was held is given back.
        sleep(Duration::from_secs(5)).await;
        gateway.write(&sample(1, 13 * MIB)).await.unwrap();
    });
}

#[test]
fn a_content_with_an_inline_body_needs_no_node() {
    test(quick(2), |world| async move {
        let gateway = world.gateway(1).await;
        world.nodes().iter().for_each(|node| node.crash());
        let (content, bytes) = (gateway.ids.content(), sample(1, 100));
        let (store, inline) = (gateway.store.clone(), bytes.to_vec());
        let created = Time::from_micros(0);
        let new = files::NewContent { id: content, size: 100, blake3: None, extents: 0, inline: Some(inline), created };
        world.db().write(Lane::Free, async move |tx| store.insert_content(&tx, &new).await).await.unwrap();
        gateway.read(content, &bytes, 10..90).await.unwrap();
        let read = gateway.store.read(content, 200, 0..200).await.map(drop);
        assert!(matches!(read, Err(Error::NoContent)), "{read:?}");
    });
}
