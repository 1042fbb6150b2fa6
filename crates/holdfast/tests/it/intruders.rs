//! What stands before the doors between processes: the wrong secret, the right secret with somebody else's name, old
//! reports, and folders with old data.

use std::{fs, path::Path, process::Command, time::Duration};

use base::{Secret, Time};
use proto::{Cluster as _, ClusterClient, ClusterSecret, Health, NodeReport, RemoteOptions};
use serde_json::Value;

use crate::{
    harness::{Process, SECRET, Shape, User, World, Wrap, bytes, eventually},
    load::{SETTINGS, check},
};

fn settings() -> String {
    format!("{SETTINGS}parity = 2\ninline_max = 0\n")
}

async fn nodes(user: &User) -> Vec<Value> {
    user.get("/admin/nodes").await.expect(200)["items"].as_array().expect("items").clone()
}

/// The id that a node's folder belongs to, as its log tells it.
fn id_of(process: &Process) -> String {
    let log = process.log();
    let ready = log.lines().find(|line| line.contains("the storage server is ready")).expect("it is ready");
    let clean: String = ready.split('\u{1b}').map(|it| it.split_once('m').map_or(it, |(_, rest)| rest)).collect();
    clean.split("node=").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("its id").to_owned()
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(done.is_ok_and(|status| status.success()), "the folder can be copied");
}

fn report(node: &str, address: &str, started_at: i64, sequence: u64) -> NodeReport {
    let health = Health {
        node: node.parse().expect("an id"),
        free_bytes: 1 << 40,
        total_bytes: 1 << 40,
        part_bytes: 0,
        part_count: 0,
        disk: "forged".into(),
        writable: true,
        trouble: None,
    };
    NodeReport {
        address: address.into(),
        version: "forged".into(),
        health,
        started_at: Time::from_micros(started_at),
        sequence,
    }
}

fn door(url: &str, secret: &str) -> ClusterClient {
    let secret = ClusterSecret::new(&Secret::new(secret)).expect("long enough");
    ClusterClient::connect_lazy(&[url.to_owned()], &secret, &RemoteOptions::default()).expect("an address")
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_and_old_reports_change_nothing() {
    let world = World::start(Shape::Cluster, &settings()).await;
    let admin = world.admin().await;
    let content = bytes(1, 3 << 20);
    let entry = admin.upload("before", content.clone()).await;
    let victim = id_of(&world.nodes[2]);
    let address =
        |nodes: &[Value]| nodes.iter().find(|node| node["id"] == victim.as_str()).expect("the node")["address"].clone();
    let before = address(&nodes(&admin).await);
    let elsewhere = "127.0.0.1:9";
    let ahead = 4_000_000_000_000_000;
    for gateway in world.gateways.iter().chain(&world.workers) {
        let outsider = door(&gateway.url, "a secret of some other cluster");
        assert!(outsider.report(report(&victim, elsewhere, ahead, 1)).await.is_err(), "a wrong secret");
        let insider = door(&gateway.url, SECRET);
        // An old report of the node itself, and another server that says it is the node.
        for forged in [
            report(&victim, before.as_str().expect("text"), 1, 1),
            report(&victim, elsewhere, 1, 1),
            report(&victim, elsewhere, ahead, 1),
        ] {
            let answer = insider.report(forged.clone()).await;
            assert!(answer.is_err(), "{forged:?}: {answer:?}");
        }
    }
    // The node's own next reports are taken as before.
    let seen = |nodes: &[Value]| {
        nodes.iter().find(|node| node["id"] == victim.as_str()).expect("the node")["last_seen_at"].clone()
    };
    let now = seen(&nodes(&admin).await);
    eventually("the node reports again", Duration::from_secs(10), async || {
        (seen(&nodes(&admin).await) != now).then_some(())
    })
    .await;
    let after = nodes(&admin).await;
    assert_eq!(address(&after), before);
    assert!(after.iter().all(|node| node["version"] != "forged" && node["live"] == true), "{after:?}");
    assert!(admin.download(entry["id"].as_str().expect("an id")).await == content);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_folder_does_not_take_a_living_nodes_place() {
    let mut world = World::start(Shape::Cluster, &settings()).await;
    let admin = world.admin().await;
    let mut files = Vec::new();
    for seed in 0..20_u64 {
        let entry = admin.upload(&format!("{seed}"), bytes(seed, 60_000)).await;
        files.push((entry["id"].as_str().expect("an id").to_owned(), seed));
    }
    // A copy from before the next files.
    world.nodes[1].kill();
    copy(&world.node_dir(1), &world.dir.path().join("twin"));
    world.nodes[1].restart().await;
    eventually("the node is taken back", Duration::from_secs(30), async || {
        world.nodes[1].log().contains("the cluster knows this storage server").then_some(())
    })
    .await;
    for seed in 20..40_u64 {
        let entry = admin.upload(&format!("{seed}"), bytes(seed, 60_000)).await;
        files.push((entry["id"].as_str().expect("an id").to_owned(), seed));
    }
    let twin = world.node_arguments("twin", SECRET, "");
    let twin = Process::start(&Wrap::default(), &twin, None).await;
    assert_eq!(id_of(&twin), id_of(&world.nodes[1]));
    eventually("the twin was turned away", Duration::from_secs(20), async || {
        twin.log().contains("no gateway or worker takes this storage server's report").then_some(())
    })
    .await;
    assert!(!twin.log().contains("the cluster knows this storage server"), "{}", twin.log());
    for (id, seed) in &files {
        assert!(admin.download(id).await == bytes(*seed, 60_000), "{seed}");
    }
    // When the first is gone for good the copy may have its name: it is an old copy then, and what it lacks is rebuilt.
    world.nodes[1].kill();
    eventually("the twin takes the place", Duration::from_secs(40), async || {
        twin.log().contains("the cluster knows this storage server").then_some(())
    })
    .await;
    whole(&admin, &files).await;
    check(&admin, &[]).await;
}

/// Every file reads right at once, and after a while has all its parts.
async fn whole(user: &User, files: &[(String, u64)]) {
    for (id, seed) in files {
        assert!(user.download(id).await == bytes(*seed, 60_000), "{seed}");
    }
    eventually("what was missing is rebuilt", Duration::from_secs(60), async || {
        for (id, seed) in files {
            assert!(user.download(id).await == bytes(*seed, 60_000), "{seed}");
            let parts = user.get(&format!("/files/{id}/parts")).await.expect(200);
            if !parts["extents"][0]["parts"].as_array()?.iter().all(|part| part["state"] == "ok") {
                return None;
            }
        }
        Some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_data_folder_that_comes_back_serves_nothing_stale() {
    let mut world = World::start(Shape::Cluster, &settings()).await;
    let admin = world.admin().await;
    let mut files = Vec::new();
    for seed in 0..30_u64 {
        let entry = admin.upload(&format!("{seed}"), bytes(seed, 60_000)).await;
        files.push((entry["id"].as_str().expect("an id").to_owned(), seed));
    }
    world.nodes[4].kill();
    let old = world.dir.path().join("old");
    copy(&world.node_dir(4), &old);
    world.nodes[4].restart().await;
    world.all_ready().await;
    // A third is deleted, a third gets other bytes, and some are new.
    for (index, (id, seed)) in files.iter_mut().enumerate() {
        match index % 3 {
            0 => assert_eq!(admin.delete(&format!("/files/{id}?permanent=true")).await.status, 204),
            1 => {
                *seed += 1000;
                let put = admin.request("PUT", &format!("/files/{id}")).body(bytes(*seed, 60_000)).send().await;
                assert!(put.is_ok_and(|answer| answer.status().is_success()));
            }
            _ => {}
        }
    }
    let (deleted, mut kept): (Vec<_>, Vec<_>) = files.into_iter().enumerate().partition(|(index, _)| index % 3 == 0);
    for seed in 2000..2010_u64 {
        let entry = admin.upload(&format!("{seed}"), bytes(seed, 60_000)).await;
        kept.push((0, (entry["id"].as_str().expect("an id").to_owned(), seed)));
    }
    let kept: Vec<_> = kept.into_iter().map(|(_, file)| file).collect();
    world.nodes[4].kill();
    fs::remove_dir_all(world.node_dir(4)).and_then(|()| fs::rename(&old, world.node_dir(4))).expect("folders of ours");
    world.nodes[4].restart().await;
    whole(&admin, &kept).await;
    for (_, (id, _)) in deleted {
        assert_eq!(admin.get(&format!("/files/{id}")).await.status, 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_another_cluster_stays_outside() {
    let world = World::start(Shape::Cluster, &settings()).await;
    let admin = world.admin().await;
    let stranger = world.node_arguments("stranger", "a secret of some other cluster", "");
    let stranger = Process::start(&Wrap::default(), &stranger, None).await;
    eventually("the stranger was turned away", Duration::from_secs(20), async || {
        stranger.log().contains("no gateway or worker takes this storage server's report").then_some(())
    })
    .await;
    assert_eq!(nodes(&admin).await.len(), 6);
    let own = Process::start(&Wrap::default(), &world.node_arguments("own", SECRET, ""), None).await;
    eventually("one with the secret is let in", Duration::from_secs(20), async || {
        (nodes(&admin).await.len() == 7).then_some(())
    })
    .await;
    // A second server on the folder of one that runs.
    let second = Command::new(env!("CARGO_BIN_EXE_holdfast"))
        .args(world.node_arguments("own", SECRET, ""))
        .output()
        .expect("the binary can be started");
    assert!(!second.status.success(), "{second:?}");
    assert!(String::from_utf8_lossy(&second.stderr).contains("in use by another node"), "{second:?}");
    drop(own);
}
