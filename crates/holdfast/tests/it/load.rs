//! Uploads without end while something goes wrong, and the check of what must hold afterwards.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::Value;
use tokio::task::JoinSet;

use crate::harness::{Answer, User, bytes, eventually};

/// Everything short, so that what takes minutes in production takes seconds here.
pub(crate) const SETTINGS: &str =
    "[files]\nintent_lease_seconds = 2\ngarbage_grace_seconds = 1\norphan_seconds = 1\nbackground_rest = 0\n";

/// The next file's number: no two loads of a test run make the same name.
static SEEDS: AtomicU64 = AtomicU64::new(1);

/// A file that the server said it has.
pub(crate) struct Acknowledged {
    pub(crate) id: String,
    pub(crate) seed: u64,
    pub(crate) length: usize,
}

/// Uploads without end, whatever happens; notes what was acknowledged.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<Mutex<Vec<Acknowledged>>>,
    tasks: JoinSet<()>,
}

impl Load {
    /// One task for each of `users`.
    pub(crate) fn start(users: Vec<User>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let acknowledged = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        for mut user in users {
            let (stop, acknowledged) = (stop.clone(), acknowledged.clone());
            tasks.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let seed = SEEDS.fetch_add(1, Ordering::Relaxed);
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
                        // The token is over, or the gateway's clock is not the one that it was made by.
                        Ok(answer) if answer.status == 401 => match user.renewed().await {
                            Some(renewed) => user = renewed,
                            None => tokio::time::sleep(Duration::from_millis(20)).await,
                        },
                        // Killed in the middle, or not up again yet: not acknowledged, so nothing is promised.
                        Ok(answer) => assert!(matches!(answer.status, 409 | 500..=599), "{answer:?}"),
                        Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                    }
                }
            });
        }
        Self { stop, acknowledged, tasks }
    }

    /// Files acknowledged so far.
    pub(crate) fn count(&self) -> usize {
        self.acknowledged.lock().expect("no panic holds it").len()
    }

    /// Ends the load and returns what was acknowledged.
    pub(crate) async fn stop(mut self) -> Vec<Acknowledged> {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended.expect("the load does not panic");
        }
        std::mem::take(&mut self.acknowledged.lock().expect("no panic holds it"))
    }
}

/// Every acknowledged file reads back, every visible file is whole, no part is left over.
pub(crate) async fn check(user: &User, acknowledged: &[Acknowledged]) {
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
    let last = Mutex::new(String::new());
    let what = Seen { what: "no part is left over", last: &last };
    // Repairs of a killed worker wait for the end of their lease, and tries that failed wait longer each time.
    eventually(what, Duration::from_secs(180), async || {
        let overview = user.get("/admin/cluster").await.expect(200);
        let nodes = user.get("/admin/nodes").await.expect(200);
        let held: u64 = nodes["items"]
            .as_array()?
            .iter()
            .filter(|node| node["state"] != "removed")
            .filter_map(|node| node["part_count"].as_u64())
            .sum();
        let clean = overview["intents"]["open"] == 0 && overview["garbage"]["extents"] == 0;
        *last.lock().expect("no panic holds it") =
            format!("{held} parts are held and {expected_parts} expected; {overview}; {nodes}");
        (clean && held == expected_parts).then_some(())
    })
    .await;
}

/// What is waited for, and what was seen last, for the message.
struct Seen<'a> {
    what: &'a str,
    last: &'a Mutex<String>,
}

impl std::fmt::Display for Seen<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.what, self.last.lock().expect("no panic holds it"))
    }
}

/// All entries of a folder.
pub(crate) async fn children(user: &User, folder: &str) -> Vec<Value> {
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
pub(crate) async fn pause(round: u64) {
    let spread = round.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56;
    tokio::time::sleep(Duration::from_millis(20 + spread)).await;
}
