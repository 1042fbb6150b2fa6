//! Processes that are killed without warning, again and again, under load. What was acknowledged must be there and
//! right; nothing half may be seen; after the clean-up no part may be left over.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::Value;
use tokio::task::JoinSet;

use crate::harness::{Answer, Shape, User, World, bytes, eventually};

/// Everything short, so that what takes minutes in production takes seconds here.
const SETTINGS: &str = "[files]\nintent_lease_seconds = 2\ngarbage_grace_seconds = 1\norphan_seconds = 1\n";

/// A file that the server said it has.
struct Acknowledged {
    id: String,
    seed: u64,
    length: usize,
}

/// Uploads without end, whatever happens; notes what was acknowledged.
struct Load {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<Mutex<Vec<Acknowledged>>>,
    tasks: JoinSet<()>,
}

impl Load {
    fn start(users: Vec<User>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let acknowledged = Arc::new(Mutex::new(Vec::new()));
        let seeds = Arc::new(AtomicU64::new(1));
        let mut tasks = JoinSet::new();
        for user in users {
            let (stop, acknowledged, seeds) = (stop.clone(), acknowledged.clone(), seeds.clone());
            tasks.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let seed = seeds.fetch_add(1, Ordering::Relaxed);
                    // Inline, small parts in segments, several stripes in files of their own.
                    let length = match seed % 8 {
                        0 => 9_000_000 + seed as usize,
                        1..=3 => 300 + seed as usize,
                        _ => 20_000 + 13 * seed as usize,
                    };
                    let request = user
                        .request("POST", "/files")
                        .query(&[("name", format!("{seed}.bin"))])
                        .body(bytes(seed, length));
                    match Answer::try_of(request).await {
                        Ok(answer) if answer.status == 201 => {
                            let id = answer.json()["id"].as_str().expect("an id").to_owned();
                            acknowledged.lock().expect("no panic holds it").push(Acknowledged { id, seed, length });
                        }
                        // Killed in the middle, or not up again yet: not acknowledged, so nothing is promised.
                        Ok(answer) => assert!(matches!(answer.status, 409 | 500..=599), "{answer:?}"),
                        Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                    }
                }
            });
        }
        Self { stop, acknowledged, tasks }
    }

    fn count(&self) -> usize {
        self.acknowledged.lock().expect("no panic holds it").len()
    }

    async fn stop(mut self) -> Vec<Acknowledged> {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended.expect("the load does not panic");
        }
        std::mem::take(&mut self.acknowledged.lock().expect("no panic holds it"))
    }
}

/// Every acknowledged file reads back, every visible file is whole, no part is left over.
async fn check(user: &User, acknowledged: &[Acknowledged]) {
    for file in acknowledged {
        let read = user.download(&file.id).await;
        assert!(read == bytes(file.seed, file.length), "file {} of {} bytes differs", file.seed, file.length);
    }
    let mut visible = 0;
    let mut expected_parts = 0;
    for entry in children(user, user.root()).await {
        let id = entry["id"].as_str().expect("an id");
        let read = user.download(id).await;
        assert_eq!(read.len() as u64, entry["size"].as_u64().expect("a size"));
        assert_eq!(blake3::hash(&read).to_hex().as_str(), entry["blake3"].as_str().expect("a hash"));
        visible += 1;
        let parts = user.get(&format!("/files/{id}/parts")).await.expect(200);
        for extent in parts["extents"].as_array().into_iter().flatten() {
            expected_parts += extent["parts"].as_array().map_or(0, Vec::len) as u64;
        }
    }
    assert!(visible >= acknowledged.len());
    // A repair that a killed worker had begun waits for the end of its lease, and retries wait longer and longer.
    eventually("no part is left over", Duration::from_secs(150), async || {
        let overview = user.get("/admin/cluster").await.expect(200);
        let nodes = user.get("/admin/nodes").await.expect(200);
        let held: u64 = nodes["items"].as_array()?.iter().filter_map(|node| node["part_count"].as_u64()).sum();
        let clean = overview["intents"]["open"] == 0 && overview["garbage"]["extents"] == 0;
        (clean && held == expected_parts).then_some(())
    })
    .await;
}

async fn children(user: &User, folder: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let mut path = format!("/folders/{folder}/children?limit=1000");
        if !cursor.is_empty() {
            path = format!("{path}&cursor={cursor}");
        }
        let page = user.get(&path).await.expect(200);
        all.extend(page["items"].as_array().expect("items").iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return all,
        }
    }
}

/// A pause that differs from round to round, so that kills hit every phase of an upload.
async fn pause(round: u64) {
    let spread = round.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56;
    tokio::time::sleep(Duration::from_millis(20 + spread)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_killed_a_hundred_times_loses_nothing() {
    let mut world = World::start(Shape::Single, SETTINGS).await;
    let user = world.admin().await;
    let load = Load::start(vec![user.clone(); 8]);
    for round in 0..100 {
        pause(round).await;
        world.gateways[0].kill();
        world.gateways[0].restart().await;
    }
    assert!(load.count() > 0, "nothing was acknowledged in a hundred rounds");
    let acknowledged = load.stop().await;
    let user = world.admin().await;
    check(&user, &acknowledged).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_of_a_cluster_killed_at_random_lose_nothing() {
    let mut world = World::start(Shape::Cluster, &format!("{SETTINGS}parity = 2\n")).await;
    let admin = world.admin().await;
    let users = vec![admin.clone(), admin.at(&world.gateways[1]), admin.clone(), admin.at(&world.gateways[1])];
    let load = Load::start(users);
    for round in 0..60 {
        pause(round).await;
        let victim = match round % 4 {
            0 => &mut world.gateways[(round / 4 % 2) as usize],
            1 => &mut world.workers[0],
            _ => &mut world.nodes[(round % 6) as usize],
        };
        victim.kill();
        victim.restart().await;
    }
    let acknowledged = load.stop().await;
    assert!(!acknowledged.is_empty(), "nothing was acknowledged");
    world.all_ready().await;
    let user = world.admin().await;
    check(&user, &acknowledged).await;
}
