//! Life of a cluster: nodes that come, go, die and lie.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::Value;
use tokio::task::JoinSet;

use crate::harness::{Answer, Process, Shape, User, World, bytes, eventually};

const SETTINGS: &str = "[files]\ninline_max = 0\nintent_lease_seconds = 5\ngarbage_grace_seconds = 1\nparity = 2\n\
                        background_rest = 0\n";

async fn nodes(user: &User) -> Vec<Value> {
    user.get("/admin/nodes").await.expect(200)["items"].as_array().expect("items").clone()
}

async fn settled(user: &User) {
    eventually("all parts are where they belong", Duration::from_secs(120), async || {
        let overview = user.get("/admin/cluster").await.expect(200);
        let clean = overview["garbage"]["extents"] == 0 && overview["repairs"]["waiting"] == 0;
        (overview["moves"]["settled"] == true && clean).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seventh_node_joins_and_the_first_is_drained_under_load() {
    let mut world = World::start(Shape::Cluster, SETTINGS).await;
    let admin = world.admin().await;
    let mut files = Vec::new();
    // Enough for the law of large numbers: with n extents of one size, a node's share of the parts varies by
    // 0.31 / √n of the mean (one part for each extent, a second one for every seventh), and the groups add their own 1 %.
    let mut uploads = JoinSet::new();
    for lane in 0..12_u64 {
        let user = admin.at(&world.gateways[(lane % 2) as usize]);
        uploads.spawn(async move {
            let mut files = Vec::new();
            for seed in (lane..700).step_by(12) {
                let length = 60_000 + seed as usize;
                let entry = user.upload(&format!("before-{seed}"), bytes(seed, length)).await;
                files.push((entry["id"].as_str().expect("an id").to_owned(), seed, length));
            }
            files
        });
    }
    while let Some(some) = uploads.join_next().await {
        files.extend(some.expect("no upload fails"));
    }
    let stop = Arc::new(AtomicBool::new(false));
    let done = Arc::new(AtomicU64::new(0));
    let mut load = JoinSet::new();
    for worker in 0..3_u64 {
        let (stop, done, files) = (stop.clone(), done.clone(), files.clone());
        let user = admin.at(&world.gateways[(worker % 2) as usize]);
        load.spawn(async move {
            let mut round = worker;
            while !stop.load(Ordering::Relaxed) {
                let (id, seed, length) = &files[round as usize * 7 % files.len()];
                assert!(user.download(id).await == bytes(*seed, *length), "a download differs while parts move");
                user.upload(&format!("during-{round}"), bytes(round, 30_000)).await;
                round += 3;
                done.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let newcomer = world.add_node().await;
    eventually("the new node is known", Duration::from_secs(20), async || {
        (nodes(&admin).await.len() == 7).then_some(())
    })
    .await;
    eventually("parts move to it", Duration::from_secs(60), async || {
        nodes(&admin).await.iter().all(|node| node["part_count"].as_u64() > Some(0)).then_some(())
    })
    .await;
    settled(&admin).await;
    assert!(!fs::read_dir(world.node_dir(newcomer)).expect("its folder").count().eq(&0));
    // Nodes tell their bytes every other second.
    eventually("bytes spread within 5 %", Duration::from_secs(20), async || {
        let held: Vec<f64> = nodes(&admin).await.iter().filter_map(|node| node["part_bytes"].as_f64()).collect();
        let mean = held.iter().sum::<f64>() / held.len() as f64;
        let worst = held.iter().map(|bytes| (bytes / mean - 1.0).abs()).fold(0.0, f64::max);
        println!("the node farthest from the mean is off by {:.1} %", worst * 100.0);
        (worst < 0.05).then_some(())
    })
    .await;

    let first = nodes(&admin).await[0]["id"].as_str().expect("an id").to_owned();
    let drained = Answer::of(admin.request("POST", &format!("/admin/nodes/{first}/drain"))).await;
    assert_eq!(drained.status, 202, "{drained:?}");
    admin.delete(&format!("/admin/nodes/{first}")).await.refused(409, "node-not-empty");
    settled(&admin).await;
    stop.store(true, Ordering::Relaxed);
    while let Some(ended) = load.join_next().await {
        ended.expect("no upload and no download fails");
    }
    assert!(done.load(Ordering::Relaxed) > 5);
    settled(&admin).await;
    assert_eq!(admin.delete(&format!("/admin/nodes/{first}")).await.status, 204);
    for (id, seed, length) in &files {
        assert!(admin.download(id).await == bytes(*seed, *length), "{seed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_node_is_read_around_and_written_around() {
    let mut world = World::start(Shape::Cluster, SETTINGS).await;
    let admin = world.admin().await;
    let content = bytes(1, 40 << 20);
    let entry = admin.upload("before", content.clone()).await;
    let id = entry["id"].as_str().expect("an id");
    world.nodes[2].kill();
    assert!(admin.download(id).await == content);
    let written = admin.upload("without it", content.clone()).await;
    assert!(admin.download(written["id"].as_str().expect("an id")).await == content);

    // One that hangs is worse than one that is gone: connections stay and nothing comes.
    world.nodes[2].restart().await;
    world.nodes[4].signal("STOP");
    assert!(admin.download(id).await == content);
    world.nodes[4].signal("CONT");
    world.all_ready().await;
    assert!(admin.download(id).await == content);
}

#[tokio::test(flavor = "multi_thread")]
async fn flipped_bytes_are_served_around_and_repaired() {
    let mut world = World::start(Shape::Cluster, SETTINGS).await;
    let admin = world.admin().await;
    let large = bytes(2, 9 << 20);
    let small = bytes(3, 100_000);
    let ids = [admin.upload("large", large.clone()).await, admin.upload("small", small.clone()).await];
    world.nodes[1].kill();
    for file in data_files(&world.node_dir(1)) {
        flip(&file);
    }
    world.nodes[1].restart().await;
    for (entry, content) in ids.iter().zip([&large, &small]) {
        let id = entry["id"].as_str().expect("an id");
        assert!(admin.download(id).await == *content, "wrong bytes were served");
        eventually("the part is repaired", Duration::from_secs(60), async || {
            let parts = admin.get(&format!("/files/{id}/parts")).await.expect(200);
            let all = parts["extents"][0]["parts"].as_array()?.iter().all(|part| part["state"] == "ok");
            (all && admin.download(id).await == *content).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn flipped_bytes_without_parity_are_reported_and_never_served() {
    let mut world = World::start(Shape::Single, "[files]\ninline_max = 0\nparity = 0\n").await;
    let admin = world.admin().await;
    let content = bytes(4, 9 << 20);
    let entry = admin.upload("only copy", content.clone()).await;
    let id = entry["id"].as_str().expect("an id");
    world.gateways[0].terminate();
    for file in data_files(&world.node_dir(0)) {
        flip(&file);
    }
    world.gateways[0].restart().await;
    let admin = world.admin().await;
    match Answer::try_of(admin.request("GET", &format!("/files/{id}"))).await {
        Ok(answer) => assert!(answer.status >= 500, "{} bytes with status {}", answer.body.len(), answer.status),
        // Some stripes left before the damage was met; then the connection was cut.
        Err(error) => assert!(error.is_body() || error.is_decode() || error.is_request(), "{error:?}"),
    }
    let parts = admin.get(&format!("/files/{id}/parts")).await.expect(200);
    let states: Vec<_> =
        parts["extents"][0]["parts"].as_array().expect("parts").iter().map(|it| &it["state"]).collect();
    assert!(states.iter().any(|state| **state != "ok"), "{states:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swapped_folder_is_an_error_at_start() {
    let mut world = World::start(Shape::Single, "").await;
    world.gateways[0].terminate();
    let (one, two) = (world.node_dir(0), world.node_dir(1));
    let aside = world.dir.path().join("aside");
    fs::rename(&one, &aside).and_then(|()| fs::create_dir(&one)).expect("the folder can be replaced");
    fs::write(one.join("something"), "else").expect("a file");
    let log = std::process::Command::new(env!("CARGO_BIN_EXE_holdfast"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(world.dir.path().join("data"))
        .output()
        .expect("the binary can be started");
    assert!(!log.status.success());
    assert!(String::from_utf8_lossy(&log.stderr).contains("node"), "{log:?}");
    assert!(two.exists());
}

/// Segments and part files of a node.
fn data_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![dir.join("segments"), dir.join("parts")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "seg" || it == "part") {
                files.push(path);
            }
        }
    }
    files
}

/// Changes bytes in the middle of what is written of a file.
fn flip(path: &Path) {
    let mut content = fs::read(path).expect("a readable file");
    let written = content.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    for at in (written / 2..written).step_by(4096).take(3) {
        content[at] ^= 0x55;
    }
    fs::write(path, content).expect("a writable file");
}

/// Two processes never share a database file or a node's folder.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_on_the_same_folder_is_refused() {
    let world = World::start(Shape::Single, "").await;
    let first: &Process = &world.gateways[0];
    let second = std::process::Command::new(env!("CARGO_BIN_EXE_holdfast"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(world.dir.path().join("data"))
        .output()
        .expect("the binary can be started");
    assert!(!second.status.success(), "{second:?}");
    assert!(first.id() > 0);
    let admin = world.admin().await;
    admin.upload("still works", b"yes".to_vec()).await;
}
