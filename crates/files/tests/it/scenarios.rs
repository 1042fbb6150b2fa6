//! Failures at chosen moments, which a random history meets too rarely.

use std::{sync::Arc, time::Duration};

use base::{Clock, NodeId, PartId, Time};
use bus::{JobWorker, Jobs, Worker};
use bytes::Bytes;
use db::{Lane, content as rows};
use files::{
    Error, NewExtent, NodeState, Options, Writers,
    workers::{Auditor, Cleaner, RepairHandler},
};
use futures::{FutureExt, StreamExt, future::select_all};
use proto::Body;
use testkit::sim::node::{Op, SimNode};
use tokio::time::sleep;

use crate::{
    check::{cluster_is_right, manifests},
    world::{ADMIN, Process, WORKER, World, quick, run_virtual, sample, state},
};

const HOUR: Duration = Duration::from_secs(3600);
const MIB: usize = 1 << 20;

/// Runs a test with virtual time in a cluster.
fn test<Fut: Future<Output = ()>>(nodes: u8, options: Options, run: impl FnOnce(Arc<World>) -> Fut) {
    run_virtual(async {
        let world = World::new(7, nodes, options).await;
        world.time.run(4 * HOUR, run(world.clone())).await;
    });
}

/// A node that has a part.
fn holder(world: &World) -> SimNode {
    world.nodes().into_iter().find(|node| !node.parts().is_empty()).expect("something was written")
}

/// Where a part lies by its manifest.
async fn place(world: &World, index: u8) -> (SimNode, PartId) {
    let (extent, _, manifest) = manifests(world).await.remove(0);
    (world.node(manifest.parts()[usize::from(index)].node), extent.part(index))
}

async fn all(gateway: &Process, content: base::ContentId, size: usize) -> Result<Vec<u8>, Error> {
    let mut stream = gateway.store.read(content, size as u64, 0..size as u64).await?;
    let mut all = Vec::new();
    while let Some(piece) = stream.next().await {
        all.extend_from_slice(&piece?);
    }
    Ok(all)
}

#[test]
fn a_drain_ends_although_a_write_was_under_way() {
    let options = Options { intent_lease: HOUR, ..quick(2) };
    test(9, options, |world| async move {
        let (gateway, worker) = (world.gateway(1).await, world.worker(1).await);
        let bytes = sample(1, MIB);
        let content = gateway.ids.content();
        let extent = gateway.extent(content, &bytes).await.unwrap();
        let node = holder(&world).id();
        worker.cluster.drain(node).await.unwrap();
        // The walk that empties the node finds nothing and ends.
        sleep(Duration::from_secs(30)).await;
        assert!(worker.cluster.overview().await.unwrap().moves.settled);
        gateway.seal(content, vec![extent]).await.unwrap();
        world.converged(&worker.cluster).await;
        cluster_is_right(&world).await;
        assert_eq!(state(&world, node).await, NodeState::Draining);
        worker.cluster.remove(node, files::Loss::Refused).await.unwrap();
        gateway.read(content, &bytes, 0..bytes.len()).await.unwrap();
    });
}

#[test]
fn a_drain_ends_although_the_new_home_was_away() {
    test(9, quick(2), |world| async move {
        let (gateway, worker) = (world.gateway(1).await, world.worker(1).await);
        let node = holder_after_writes(&world, &gateway).await;
        // Every other node refuses parts, and goes on refusing after the walk has looked at everything.
        for other in world.nodes() {
            other.set_capacity(other.health().part_bytes);
        }
        sleep(Duration::from_secs(5)).await;
        worker.cluster.drain(node.id()).await.unwrap();
        sleep(Duration::from_secs(30)).await;
        assert!(!worker.cluster.overview().await.unwrap().moves.settled, "it says that all is where it belongs");
        for other in world.nodes() {
            other.set_capacity(u64::MAX);
        }
        world.converged(&worker.cluster).await;
        cluster_is_right(&world).await;
    });
}

async fn holder_after_writes(world: &World, gateway: &Process) -> SimNode {
    for seed in 0..6 {
        gateway.write(&sample(seed, 300_000)).await.unwrap();
    }
    holder(world)
}

#[test]
fn a_worker_that_starts_does_not_bring_a_lost_node_back() {
    test(9, quick(2), |world| async move {
        let (gateway, worker) = (world.gateway(1).await, world.worker(1).await);
        let lost = holder_after_writes(&world, &gateway).await;
        lost.crash();
        sleep(Duration::from_secs(60)).await;
        let epoch = worker.cluster.overview().await.unwrap().epoch;
        assert_eq!(epoch, 2, "the node was lost");
        worker.kill().await;
        let worker = world.worker(2).await;
        sleep(Duration::from_secs(15)).await;
        assert_eq!(worker.cluster.overview().await.unwrap().epoch, epoch, "the placement changed for nothing");
        lost.restart();
        sleep(Duration::from_secs(15)).await;
        assert_eq!(worker.cluster.overview().await.unwrap().epoch, epoch + 1, "the node came back");
        world.clean_sweep(&worker).await;
        cluster_is_right(&world).await;
    });
}

#[test]
fn a_repair_that_is_cut_off_before_its_commit_is_done_again() {
    test(9, quick(2), |world| async move {
        let (gateway, worker) = (world.gateway(1).await, world.worker(1).await);
        let bytes = sample(1, 13 * MIB);
        let content = gateway.write(&bytes).await.unwrap();
        let (node, part) = place(&world, 2).await;
        node.hold(Op::Verify);
        node.lose(part);
        gateway.read(content, &bytes, 0..bytes.len()).await.unwrap();
        // The part is written again, and about to be read back.
        node.held(1).await;
        assert!(node.intact(part).is_some());
        worker.kill().await;
        node.let_go();
        let worker = world.worker(2).await;
        world.converged(&worker.cluster).await;
        cluster_is_right(&world).await;
    });
}

/// A clock that is an hour ahead: leases of others look expired to it.
struct Ahead(Arc<dyn Clock>);

impl Clock for Ahead {
    fn now(&self) -> Time {
        self.0.now().plus(HOUR)
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

#[test]
fn of_two_repairs_at_once_the_slower_one_does_no_harm() {
    // No scrub that happens by shall mend what was harmed.
    let options = Options { scrub_period: 1000 * HOUR, ..quick(2) };
    test(9, options, |world| async move {
        let (gateway, worker) = (world.gateway(1).await, world.worker(1).await);
        let bytes = sample(1, 100_000);
        let content = gateway.write(&bytes).await.unwrap();
        let (node, part) = place(&world, 2).await;
        node.hold(Op::Verify);
        node.lose(part);
        gateway.read(content, &bytes, 0..bytes.len()).await.unwrap();
        node.held(1).await;
        let other = world.process(WORKER, 2);
        other.cluster.refresh().await.unwrap();
        let ahead: Arc<dyn Clock> = Arc::new(Ahead(world.time.clock()));
        let jobs = Jobs::new(world.db().clone(), ahead.clone(), bus::Options::default());
        let second = JobWorker::new(jobs, ahead, vec![Arc::new(RepairHandler::new(other.store.clone()))]);
        let both = async {
            node.held(2).await;
            node.let_go();
        };
        let (worked, ()) = futures::future::join(second.work(), both).await;
        worked.unwrap();
        world.converged(&worker.cluster).await;
        sleep(2 * world.options.garbage_grace).await;
        world.converged(&worker.cluster).await;
        // What a manifest calls good is there.
        cluster_is_right(&world).await;
    });
}

#[test]
fn a_move_that_is_cut_off_and_not_wanted_any_more_leaves_nothing() {
    test(9, quick(2), |world| async move {
        let (gateway, worker) = (world.gateway(1).await, world.worker(1).await);
        let bytes = sample(1, 200_000);
        let content = gateway.write(&bytes).await.unwrap();
        let from = holder(&world);
        let nodes = world.nodes();
        nodes.iter().for_each(|node| node.hold(Op::Verify));
        worker.cluster.drain(from.id()).await.unwrap();
        select_all(nodes.iter().map(|node| node.held(1).boxed())).await;
        worker.kill().await;
        nodes.iter().for_each(SimNode::let_go);
        let admin = world.process(ADMIN, 2);
        admin.cluster.refresh().await.unwrap();
        admin.cluster.activate(from.id()).await.unwrap();
        let worker = world.worker(2).await;
        world.clean_sweep(&worker).await;
        cluster_is_right(&world).await;
        gateway.read(content, &bytes, 0..bytes.len()).await.unwrap();
    });
}

#[test]
fn a_node_that_lies_is_not_believed() {
    test(9, quick(2), |world| async move {
        let gateway = world.gateway(1).await;
        for length in [100_000, 6 * MIB, 14 * MIB] {
            let bytes = sample(length as u64, length);
            let content = gateway.write(&bytes).await.unwrap();
            let row = rows::extents(world.db(), content).await.unwrap().remove(0);
            let manifest = stripe::Manifest::decode(&row.manifest).unwrap();
            let liar = world.node(manifest.parts()[1].node);
            liar.set_lies(true);
            // Parts of several pieces are known to be wrong only at their end: the reader is told so by an error.
            if let Ok(read) = all(&gateway, content, length).await {
                assert!(read == bytes, "wrong bytes of {length} were taken for right");
            }
            // The part is known by now, and read around.
            assert!(all(&gateway, content, length).await.unwrap() == bytes);
            liar.set_lies(false);
        }
    });
}

#[test]
fn without_parity_what_is_lost_is_an_error_and_nothing_else() {
    test(6, quick(0), |world| async move {
        let gateway = world.gateway(1).await;
        let bytes = sample(3, 7 * MIB);
        for rots in [false, true] {
            let content = gateway.write(&bytes).await.unwrap();
            let row = rows::extents(world.db(), content).await.unwrap().remove(0);
            let manifest = stripe::Manifest::decode(&row.manifest).unwrap();
            let node = world.node(manifest.parts()[2].node);
            let part = row.id.part(2);
            if rots {
                assert!(node.rot(part, 1000));
            } else {
                assert!(node.lose(part));
            }
            for _ in 0..2 {
                let read = gateway.read(content, &bytes, 0..bytes.len()).await;
                assert!(matches!(read, Err(Error::Lost(_))), "{read:?}");
                let read = gateway.read(content, &bytes, 2 * MIB..2 * MIB + 10).await;
                assert!(matches!(read, Err(Error::Lost(_))), "{read:?}");
                // What does not need the part is still there.
                gateway.read(content, &bytes, 0..2 * MIB).await.unwrap();
                gateway.read(content, &bytes, 3 * MIB..6 * MIB).await.unwrap();
            }
        }
    });
}

#[test]
fn an_older_disk_is_noticed_when_its_node_returns() {
    // It is the audit that has to notice, not a scrub that happens by.
    let options = Options { scrub_period: 1000 * HOUR, ..quick(2) };
    for cut in [false, true] {
        test(9, options.clone(), |world| async move {
            let (gateway, worker) = (world.gateway(1).await, world.worker(1).await);
            let gone = gateway.write(&sample(1, MIB)).await.unwrap();
            let node = holder(&world);
            let old = node.disk();
            for seed in 2..8 {
                gateway.write(&sample(seed, 400_000)).await.unwrap();
            }
            gateway.release(gone, world.time.clock().now()).await.unwrap();
            world.converged(&worker.cluster).await;
            node.crash();
            sleep(Duration::from_secs(13)).await;
            // What the worker asks first may get no answer.
            node.set_cut(WORKER, cut);
            node.replace_disk(old);
            sleep(Duration::from_secs(6)).await;
            node.set_cut(WORKER, false);
            sleep(Duration::from_secs(40)).await;
            world.converged(&worker.cluster).await;
            for (extent, _, manifest) in manifests(&world).await {
                for (index, place) in manifest.parts().iter().enumerate() {
                    let part = extent.part(index as u8);
                    assert!(world.node(place.node).intact(part).is_some(), "{part} was not missed");
                }
            }
            world.clean_sweep(&worker).await;
            cluster_is_right(&world).await;
        });
    }
}

#[test]
fn garbage_on_a_node_not_heard_of_is_kept_for_who_has() {
    test(6, quick(0), |world| async move {
        let gateway = world.gateway(1).await;
        let content = gateway.write(&sample(1, 1000)).await.unwrap();
        gateway.release(content, world.time.clock().now()).await.unwrap();
        sleep(world.options.garbage_grace).await;
        let blind = world.process(WORKER, 1);
        Cleaner::new(blind.store.clone()).round().await.unwrap();
        assert_eq!(gateway.cluster.overview().await.unwrap().garbage.extents, 1);
        let worker = world.worker(2).await;
        world.converged(&worker.cluster).await;
        cluster_is_right(&world).await;
    });
}

#[test]
fn all_orphans_of_an_extent_go_at_once() {
    test(6, quick(0), |world| async move {
        let worker = world.worker(1).await;
        let extent = worker.ids.extent();
        for (index, node) in world.nodes().iter().enumerate() {
            let body = Body::Whole(Bytes::from_static(b"whose?"));
            node.client(ADMIN).put(extent.part(index as u8), body).await.unwrap();
        }
        let auditor = Auditor::new(worker.store.clone());
        auditor.pass().await.unwrap();
        sleep(world.options.orphan_age / 2).await;
        auditor.pass().await.unwrap();
        world.converged(&worker.cluster).await;
        assert_eq!(parts(&world), 6, "a second look came too soon");
        sleep(world.options.orphan_age).await;
        auditor.pass().await.unwrap();
        world.converged(&worker.cluster).await;
        assert_eq!(parts(&world), 0);
    });
}

fn parts(world: &World) -> usize {
    world.nodes().iter().map(|node| node.parts().len()).sum()
}

#[test]
fn what_was_explained_meanwhile_is_looked_at_anew() {
    test(9, quick(2), |world| async move {
        let (gateway, worker) = (world.gateway(1).await, world.worker(1).await);
        gateway.write(&sample(1, 100_000)).await.unwrap();
        let (node, part) = place(&world, 0).await;
        // Noted long ago, when something else had put it there.
        let (id, long_ago) = (node.id(), Time::from_micros(0));
        note(&world, part, id, long_ago).await;
        let auditor = Auditor::new(worker.store.clone());
        auditor.pass().await.unwrap();
        assert!(rows::orphans_of(world.db(), part.extent()).await.unwrap().is_empty());
    });
}

async fn note(world: &World, part: PartId, node: NodeId, at: Time) {
    let unit = async move |tx| rows::note_orphan(&tx, part, node, at).await;
    world.db().write(db::Lane::Free, unit).await.unwrap();
}

/// Takes the intent of an extent away from whoever writes it, as the next holder of an upload's lease does.
async fn take_over(process: &Process, content: base::ContentId, now: Time) {
    let store = process.store.clone();
    let unit = async move |tx| store.discard_unsealed(&tx, content, 0, now, Writers::MayGoOn).await;
    process.db.write(Lane::Free, unit).await.unwrap();
}

/// A new content of a known length.
fn new_extent(content: base::ContentId, bytes: &Bytes) -> NewExtent {
    NewExtent { content, position: 0, start: 0, expected: Some(bytes.len() as u64), lane: Lane::Free }
}

#[test]
fn parts_that_are_put_after_their_intent_was_taken_are_removed() {
    // No audit comes to help.
    test(9, Options { orphan_age: HOUR, ..quick(2) }, |world| async move {
        let (gateway, worker) = (world.gateway(1).await, world.worker(1).await);
        let (content, bytes) = (gateway.ids.content(), sample(1, MIB));
        let mut writer = gateway.store.begin(new_extent(content, &bytes)).await.unwrap();
        writer.push(bytes).await.unwrap();
        take_over(&worker, content, world.time.clock().now()).await;
        // Time enough to remove everything, and not enough for the writer to look.
        sleep(world.options.intent_lease / 4).await;
        let extent = writer.finish().await.unwrap();
        let sealed = gateway.seal(content, vec![extent]).await;
        assert!(matches!(sealed, Err(Error::IntentGone)), "{sealed:?}");
        assert!(world.nodes().iter().any(|node| !node.parts().is_empty()), "nothing was put, so nothing is shown");
        world.converged(&worker.cluster).await;
        cluster_is_right(&world).await;
    });
}

#[test]
fn puts_that_hang_are_cut_when_their_intent_is_taken() {
    // A part of a stream and one in a single piece.
    for length in [40 * MIB, MIB] {
        test(9, Options { orphan_age: HOUR, ..quick(2) }, move |world| async move {
            let (gateway, worker) = (world.gateway(1).await, world.worker(1).await);
            let (content, bytes) = (gateway.ids.content(), sample(1, length));
            let mut writer = gateway.store.begin(new_extent(content, &bytes)).await.unwrap();
            let stuck = world.node(writer_nodes(&world).await[0]);
            stuck.hold(Op::Put);
            let finish = async {
                for at in (0..length).step_by(MIB) {
                    writer.push(bytes.slice(at..at + MIB)).await?;
                }
                writer.finish().await
            };
            let taken = async {
                stuck.held(1).await;
                take_over(&worker, content, world.time.clock().now()).await;
            };
            let began = tokio::time::Instant::now();
            let (written, ()) = futures::join!(finish, taken);
            // A put in one piece is given up at the caller's own deadline, before the writer looks at its intent.
            match written {
                Ok(extent) => {
                    let sealed = gateway.seal(content, vec![extent]).await;
                    assert!(matches!(sealed, Err(Error::IntentGone)), "{sealed:?}");
                }
                Err(error) => assert!(matches!(error, Error::IntentGone), "{error:?}"),
            }
            assert!(began.elapsed() < world.options.intent_lease, "it went on for {:?}", began.elapsed());
            stuck.let_go();
            world.converged(&worker.cluster).await;
            cluster_is_right(&world).await;
        });
    }
}

/// The nodes that the only intent names.
async fn writer_nodes(world: &World) -> Vec<NodeId> {
    let (_, ready, manifest) = manifests(world).await.remove(0);
    assert!(!ready, "nothing is being written");
    manifest.parts().iter().map(|part| part.node).collect()
}

#[test]
fn a_write_lives_while_its_nodes_are_slow() {
    test(9, quick(2), |world| async move {
        let (gateway, worker) = (world.gateway(1).await, world.worker(1).await);
        let (content, bytes) = (gateway.ids.content(), sample(1, 40 * MIB));
        let mut writer = gateway.store.begin(new_extent(content, &bytes)).await.unwrap();
        let slow = world.node(writer_nodes(&world).await[0]);
        slow.hold(Op::Put);
        let later = async {
            sleep(4 * world.options.intent_lease).await;
            slow.let_go();
        };
        let finish = async {
            for at in (0..bytes.len()).step_by(MIB) {
                writer.push(bytes.slice(at..at + MIB)).await?;
            }
            writer.finish().await
        };
        let (extent, ()) = futures::join!(finish, later);
        gateway.seal(content, vec![extent.unwrap()]).await.unwrap();
        world.converged(&worker.cluster).await;
        cluster_is_right(&world).await;
        gateway.read(content, &bytes, 0..bytes.len()).await.unwrap();
    });
}
