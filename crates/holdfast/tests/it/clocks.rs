//! Wall clocks that are wrong by days and jump while processes run. Deadlines may be met late or early by that; what was
//! acknowledged stays, uploads that live go on, and nothing waits for days when the clock is right again.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use base64::Engine as _;
use futures::{StreamExt as _, stream};

use crate::{
    harness::{Answer, Database, Shape, User, World, Wrap, bytes, eventually, not_run},
    load::{Load, SETTINGS, check},
};

/// The library that stands between a process and the system's clock; Debian's package is `faketime`.
fn library() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|it| it.path().join("faketime"));
    folders.map(|it| it.join("libfaketimeMT.so.1")).find(|it| it.exists())
}

/// A cluster in which each process has a wall clock of its own.
async fn cluster(settings: &str) -> Option<World> {
    let Some(library) = library() else {
        not_run("the package `faketime` is not installed");
        return None;
    };
    let clocked = |dir: &Path, name: &str| {
        set(dir, name, "+0");
        let file = clock_of(dir, name).display().to_string();
        let variables = [
            ("LD_PRELOAD", library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", file),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            // Monotonic clocks and the times of files do not jump on real machines either.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("NO_FAKE_STAT", "1".to_owned()),
        ];
        Wrap { before: Vec::new(), env: variables.map(|(key, value)| (key.to_owned(), value)).to_vec() }
    };
    let database = Database::Shared(testkit::database::postgres().await);
    Some(World::start_in(Shape::Cluster, settings, database, clocked).await)
}

fn clock_of(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.clock"))
}

/// Sets the clock of a process: `+2d` is two days ahead, `-3h` three hours behind, `+0` right.
fn set(dir: &Path, name: &str, offset: &str) {
    let file = clock_of(dir, name);
    let draft = file.with_extension("draft");
    fs::write(&draft, format!("{offset}\n")).and_then(|()| fs::rename(&draft, &file)).expect("a writable folder");
}

/// Uploads slowly: it takes about twice the lease of its intent.
async fn slow_upload(user: &User, name: &str, content: Vec<u8>) -> Answer {
    let pieces: Vec<_> = content.chunks(content.len().div_ceil(20)).map(<[u8]>::to_vec).collect();
    let body = stream::iter(pieces).then(|piece| async move {
        tokio::time::sleep(Duration::from_millis(200)).await;
        Ok::<_, std::io::Error>(piece)
    });
    let request = user.request("POST", "/files").query(&[("name", name)]);
    Answer::of(request.body(reqwest::Body::wrap_stream(body))).await
}

/// A resumable upload, begun with the first half of its bytes.
struct Half {
    path: String,
    content: Vec<u8>,
    name: String,
}

impl Half {
    async fn begin(user: &User, name: &str) -> Self {
        let content = bytes(name.len() as u64 + 500, 1_000_000);
        let metadata = format!("filename {}", base64::engine::general_purpose::STANDARD.encode(name));
        let created = Answer::of(
            user.request("POST", "/uploads")
                .header("tus-resumable", "1.0.0")
                .header("upload-length", content.len())
                .header("upload-metadata", metadata),
        )
        .await;
        assert_eq!(created.status, 201, "{created:?}");
        let path = created.header("location").rsplit_once("/uploads/").expect("a location").1.to_owned();
        let half = Self { path, content, name: name.to_owned() };
        half.append(user, 0, 500_000).await;
        half
    }

    async fn append(&self, user: &User, from: usize, to: usize) -> Answer {
        let request = user
            .request("PATCH", &format!("/uploads/{}", self.path))
            .header("tus-resumable", "1.0.0")
            .header("upload-offset", from)
            .header("content-type", "application/offset+octet-stream");
        let answer = Answer::of(request.body(self.content[from..to].to_vec())).await;
        assert_eq!(answer.status, 204, "{}: {answer:?}", self.name);
        answer
    }

    /// Sends the rest and reads the file back.
    async fn end(&self, user: &User) {
        let done = self.append(user, 500_000, self.content.len()).await;
        assert!(user.download(done.header("holdfast-entry")).await == self.content, "{}", self.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_whose_clock_jumps_by_days_loses_nothing() {
    let Some(mut world) = cluster(&format!("{SETTINGS}parity = 2\n")).await else { return };
    let dir = world.dir.path().to_owned();
    let right = world.admin().await;
    let load = Load::start(vec![right.clone(), right.at(&world.gateways[1]), right.at(&world.gateways[1])]);
    let mut slow = Vec::new();
    for (round, offset) in ["+2d", "-2d", "+3h", "-30d"].into_iter().enumerate() {
        let half = Half::begin(&right, &format!("half{offset}")).await;
        set(&dir, "gateway-2", offset);
        // A token from before may be over by this clock: who signs in anew goes on.
        let skewed = right.at(&world.gateways[1]).renewed().await.expect("the gateway signs people in");
        let content = bytes(7000 + round as u64, 3_000_000);
        let answer = slow_upload(&skewed, &format!("slow{offset}"), content.clone()).await.expect(201);
        slow.push((answer["id"].as_str().expect("an id").to_owned(), content));
        half.end(&right).await;
        // Dead writes of that clock: their intents have deadlines days away.
        world.gateways[1].kill();
        set(&dir, "gateway-2", "+0");
        world.gateways[1].restart().await;
    }
    let acknowledged = load.stop().await;
    assert!(acknowledged.len() > 10);
    for (id, content) in slow {
        assert!(right.download(&id).await == content);
    }
    check(&right, &acknowledged).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_clock_jumps_by_days_takes_nothing_that_lives_and_forgets_nothing() {
    let settings = format!("{SETTINGS}parity = 2\ninline_max = 0\nnode_lost_seconds = 1\n");
    let Some(mut world) = cluster(&settings).await else { return };
    let dir = world.dir.path().to_owned();
    let admin = world.admin().await;
    let mut files = Vec::new();
    for seed in 0..60_u64 {
        let entry = admin.upload(&format!("{seed}"), bytes(seed, 50_000)).await;
        files.push((entry["id"].as_str().expect("an id").to_owned(), seed));
    }
    for (round, offset) in ["+2d", "-2d"].into_iter().enumerate() {
        let half = Half::begin(&admin, &format!("half{offset}")).await;
        set(&dir, "worker-1", offset);
        // The first look after a start is at everything.
        world.workers[0].kill();
        world.workers[0].restart().await;
        let content = bytes(8000 + round as u64, 3_000_000);
        let answer = slow_upload(&admin, &format!("slow{offset}"), content.clone()).await.expect(201);
        half.end(&admin).await;
        assert!(admin.download(answer["id"].as_str().expect("an id")).await == content);

        // A node goes while the clock is wrong, and the worker dies with jobs in its hands whose leases end days away
        // by every right clock.
        world.nodes[round].kill();
        eventually("the repair has begun", Duration::from_secs(30), async || {
            let overview = admin.get("/admin/cluster").await.expect(200);
            (overview["repairs"]["waiting"] != 0).then_some(())
        })
        .await;
        world.workers[0].kill();
        set(&dir, "worker-1", "+0");
        world.workers[0].restart().await;
        let whole = async || {
            for (id, _) in &files {
                let parts = admin.get(&format!("/files/{id}/parts")).await.expect(200);
                let nodes = admin.get("/admin/nodes").await.expect(200);
                let live = |id: &serde_json::Value| {
                    nodes["items"]
                        .as_array()
                        .is_some_and(|all| all.iter().any(|node| node["id"] == *id && node["live"] == true))
                };
                let parts = parts["extents"][0]["parts"].as_array()?;
                if !parts.iter().all(|part| part["state"] == "ok" && live(&part["node_id"])) {
                    return None;
                }
            }
            Some(())
        };
        eventually("every part is on a node that lives", Duration::from_secs(90), whole).await;
        world.nodes[round].restart().await;
    }
    for (id, seed) in &files {
        assert!(admin.download(id).await == bytes(*seed, 50_000), "{seed}");
    }
    check(&admin, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_starts_with_an_older_clock_is_taken_back() {
    let Some(mut world) = cluster(&format!("{SETTINGS}parity = 2\ninline_max = 0\n")).await else { return };
    let dir = world.dir.path().to_owned();
    let admin = world.admin().await;
    let content = bytes(1, 2_000_000);
    let entry = admin.upload("before", content.clone()).await;
    let id = entry["id"].as_str().expect("an id");
    for offset in ["+2d", "-2d", "+0"] {
        // Jumps while it runs, then a start with that clock.
        set(&dir, "node-1", offset);
        assert!(admin.download(id).await == content);
        world.nodes[0].kill();
        world.nodes[0].restart().await;
        let log_of = &world.nodes[0];
        eventually("the cluster knows the node again", Duration::from_secs(40), async || {
            log_of.log().contains("the cluster knows this storage server").then_some(())
        })
        .await;
        admin.upload(&format!("with{offset}"), content.clone()).await;
        assert!(admin.download(id).await == content);
    }
    let nodes = admin.get("/admin/nodes").await.expect(200);
    assert!(nodes["items"].as_array().expect("items").iter().all(|node| node["live"] == true), "{nodes}");
    check(&admin, &[]).await;
}
