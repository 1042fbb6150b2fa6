//! Disks that are full: one node's, and the database's. Uploads go around or are refused in plain words, reads go on,
//! and room that comes back is used without a restart.
//!
//! The small disk is a tmpfs in a mount namespace of the process that gets it, which needs no root where the system
//! lets users have namespaces, and is gone with the process.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use serde_json::Value;

use crate::{
    harness::{Answer, Database, Shape, User, World, Wrap, bytes, eventually, not_run},
    load::{SETTINGS, check},
};

/// Puts a process in a mount namespace with a small file system at `place`.
fn small_disk(place: &Path, mebibytes: u32) -> Wrap {
    let script = format!("mount -t tmpfs -o size={mebibytes}m tmpfs \"$0\" && exec \"$@\"");
    let mut before = vec!["unshare".to_owned(), "--mount".to_owned()];
    if !rustix::process::geteuid().is_root() {
        before.extend(["--user".to_owned(), "--map-root-user".to_owned()]);
    }
    before.extend(["sh".to_owned(), "-c".to_owned(), script, place.display().to_string()]);
    Wrap { before, env: Vec::new() }
}

/// Whether this machine lets us have small disks; says so if not.
fn has_small_disks() -> bool {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let wrap = small_disk(dir.path(), 1);
    let tried = Command::new(&wrap.before[0]).args(&wrap.before[1..]).arg("true").output();
    let works = tried.as_ref().is_ok_and(|tried| tried.status.success());
    if !works {
        not_run(&format!("no file system can be mounted in a namespace: {tried:?}"));
    }
    works
}

/// A place as the process sees it, from outside its mount namespace.
fn inside(process: u32, place: &Path) -> PathBuf {
    let mut path = PathBuf::from(format!("/proc/{process}/root"));
    path.extend(place.components().skip(1));
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_node_is_written_around_and_comes_back_when_there_is_room() {
    if !has_small_disks() {
        return;
    }
    // The same capacity for all, so that the node with the small disk gets as much as the others.
    let settings = format!("{SETTINGS}parity = 2\ninline_max = 0\n[node]\ncapacity = \"1 GiB\"\nreserve = \"1 MiB\"\n");
    let database = Database::Shared(testkit::database::postgres().await);
    let small = |dir: &Path, name: &str| {
        let place = dir.join(name);
        if name != "node-3" {
            return Wrap::default();
        }
        fs::create_dir_all(&place).expect("a new folder");
        small_disk(&place, 56)
    };
    let world = World::start_in(Shape::Cluster, &settings, database, small).await;
    let admin = world.admin().await;
    let mut files = Vec::new();
    let mut full = None;
    for seed in 0..80_u64 {
        let length = if seed % 4 == 0 { 40_000 } else { 6 << 20 };
        // `upload` wants 201: no upload may fail for the sake of one full disk.
        let entry = admin.upload(&format!("{seed}"), bytes(seed, length)).await;
        files.push((entry["id"].as_str().expect("an id").to_owned(), seed, length));
        full = full.or(full_node(&admin).await);
        if full.is_some() && seed > 60 {
            break;
        }
    }
    let full = full.expect("the node says that it is full");
    assert_eq!(full["writable"], false, "{full}");
    assert!(full["trouble"].as_str().is_some_and(|why| why.contains("full")), "{full}");
    for (id, seed, length) in &files {
        assert!(admin.download(id).await == bytes(*seed, *length), "{seed}");
    }

    let (gone, kept): (Vec<_>, Vec<_>) = files.into_iter().partition(|(_, seed, _)| seed % 3 != 0);
    for (id, ..) in gone {
        assert_eq!(admin.delete(&format!("/files/{id}?permanent=true")).await.status, 204);
    }
    eventually("the node has room again", Duration::from_secs(60), async || {
        full_node(&admin).await.is_none().then_some(())
    })
    .await;
    admin.upload("afterwards", bytes(1000, 6 << 20)).await;
    eventually("every part is where it should be", Duration::from_secs(60), async || {
        for (id, ..) in &kept {
            let parts = admin.get(&format!("/files/{id}/parts")).await.expect(200);
            let ok = parts["extents"][0]["parts"].as_array()?.iter().all(|part| part["state"] == "ok");
            if !ok {
                return None;
            }
        }
        Some(())
    })
    .await;
    for (id, seed, length) in &kept {
        assert!(admin.download(id).await == bytes(*seed, *length), "{seed}");
    }
    check(&admin, &[]).await;
}

/// The node that says that it takes nothing more, if one does.
async fn full_node(user: &User) -> Option<Value> {
    let nodes = user.get("/admin/nodes").await.expect(200);
    nodes["items"].as_array()?.iter().find(|node| node["writable"] == false).cloned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_under_the_database_refuses_writes_and_nothing_else() {
    if !has_small_disks() {
        return;
    }
    let small = |dir: &Path, _: &str| {
        let place = dir.join("db");
        fs::create_dir(&place).expect("a new folder");
        let database = format!("sqlite:{}", place.join("holdfast.db").display());
        Wrap { env: vec![("HOLDFAST_DATABASE".into(), database)], ..small_disk(&place, 16) }
    };
    let world = World::start_in(Shape::Single, SETTINGS, Database::Inside, small).await;
    let admin = world.admin().await;
    let place = inside(world.gateways[0].id(), &world.dir.path().join("db"));
    assert!(place.join("holdfast.db").exists());
    let mut kept = Vec::new();
    let upload = async |seed: u64| {
        // One in the database, one on the nodes.
        let length = if seed.is_multiple_of(2) { 4000 } else { 9000 };
        let request = admin.request("POST", "/files").query(&[("name", format!("{seed}"))]);
        (Answer::of(request.body(bytes(seed, length))).await, length)
    };
    for round in 0..3_u64 {
        for seed in round * 10_000..round * 10_000 + 30 {
            let (answer, length) = upload(seed).await;
            kept.push((answer.expect(201)["id"].as_str().expect("an id").to_owned(), seed, length));
        }
        // Something else takes what is left.
        let ballast = place.join("ballast");
        let filled = fs::write(&ballast, vec![1; 20 << 20]);
        assert!(filled.is_err(), "the disk was to be full");
        let mut refused = None;
        for seed in round * 10_000 + 100..round * 10_000 + 4000 {
            let (answer, length) = upload(seed).await;
            if answer.status == 201 {
                // What was allocated before is used up first.
                kept.push((answer.expect(201)["id"].as_str().expect("an id").to_owned(), seed, length));
                continue;
            }
            refused = Some(answer);
            break;
        }
        refused.expect("a full disk is noticed").refused(507, "database-full");
        for (id, seed, length) in kept.iter().rev().take(50) {
            assert!(admin.download(id).await == bytes(*seed, *length), "{seed}");
        }
        assert_eq!(admin.get(&format!("/folders/{}/children", admin.root())).await.status, 200);
        fs::remove_file(&ballast).expect("the ballast is ours");
        let (answer, length) = upload(round * 10_000 + 5000).await;
        kept.push((answer.expect(201)["id"].as_str().expect("an id").to_owned(), round * 10_000 + 5000, length));
    }
    for (id, seed, length) in &kept {
        assert!(admin.download(id).await == bytes(*seed, *length), "{seed}");
    }
    check(&admin, &[]).await;
}
