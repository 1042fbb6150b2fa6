//! Processes that are killed without warning, again and again, under load. What was acknowledged must be there and
//! right; nothing half may be seen; after the clean-up no part may be left over.

use std::time::Duration;

use serde_json::Value;

use crate::{
    harness::{Answer, Database, Shape, User, World, Wrap, bytes, eventually},
    load::{Load, SETTINGS, check, pause},
    postgres::Postgres,
};

/// How many rounds a test has: `HOLDFAST_CHAOS_ROUNDS`, for a soak, or a number that CI has the time for.
fn rounds(default: u64) -> u64 {
    std::env::var("HOLDFAST_CHAOS_ROUNDS").map_or(default, |text| text.parse().expect("a number of rounds"))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_killed_again_and_again_loses_nothing() {
    let mut world = World::start(Shape::Single, SETTINGS).await;
    let user = world.admin().await;
    let load = Load::start(vec![user.clone(); 8]);
    for round in 0..rounds(60) {
        pause(round).await;
        world.gateways[0].kill();
        world.gateways[0].restart().await;
    }
    assert!(load.count() > 0, "nothing was acknowledged in all the rounds");
    let acknowledged = load.stop().await;
    let user = world.admin().await;
    check(&user, &acknowledged).await;
}

/// Gateways, nodes, worker and database, one by one and two at once.
#[tokio::test(flavor = "multi_thread")]
async fn processes_and_database_of_a_cluster_killed_at_random_lose_nothing() {
    let settings = format!("{SETTINGS}parity = 2\n");
    let database = Database::Own(Postgres::start().await);
    let mut world = World::start_in(Shape::Cluster, &settings, database, |_, _| Wrap::default()).await;
    let admin = world.admin().await;
    let users = vec![admin.clone(), admin.at(&world.gateways[1]), admin.clone(), admin.at(&world.gateways[1])];
    let load = Load::start(users);
    let mut counts = [0; 4];
    for round in 0..rounds(36) {
        pause(round).await;
        let turn = round / 6;
        let with_database = matches!(round % 6, 3 | 5);
        let (gateway, node) = ((turn % 2) as usize, (round * 5 % 6) as usize);
        let victim = match round % 6 {
            0 => Some((0, &mut world.gateways[gateway])),
            1 | 5 => Some((1, &mut world.workers[0])),
            2 | 4 => Some((2, &mut world.nodes[node])),
            _ => None,
        };
        let mut killed = None;
        if let Some((kind, process)) = victim {
            process.kill();
            counts[kind] += 1;
            killed = Some(kind);
        }
        if with_database {
            counts[3] += 1;
            world.postgres().kill();
            pause(round + 7).await;
            world.postgres().restart().await;
        }
        match killed {
            Some(0) => world.gateways[gateway].restart().await,
            Some(1) => world.workers[0].restart().await,
            Some(_) => world.nodes[node].restart().await,
            None => {}
        }
    }
    let acknowledged = load.stop().await;
    println!("killed [gateways, workers, nodes, databases]: {counts:?}; acknowledged: {}", acknowledged.len());
    assert!(!acknowledged.is_empty(), "nothing was acknowledged");
    world.all_ready().await;
    let user = world.admin().await;
    check(&user, &acknowledged).await;
}

/// A node is gone for good and the worker that rebuilds its parts is killed again and again: between the put of a part
/// and the swap of its manifest, before, and after.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_while_it_repairs_leaves_full_redundancy_and_nothing_else() {
    let settings = format!("{SETTINGS}parity = 2\nnode_lost_seconds = 1\ninline_max = 0\n");
    let mut world = World::start(Shape::Cluster, &settings).await;
    world.add_node().await;
    let admin = world.admin().await;
    eventually("seven nodes take parts", Duration::from_secs(30), async || {
        (live(&admin).await.len() == 7).then_some(())
    })
    .await;
    let mut files = Vec::new();
    for seed in 0..150_u64 {
        let length = if seed % 10 == 0 { 7 << 20 } else { 30_000 + 11 * seed as usize };
        let entry = admin.upload(&format!("{seed}"), bytes(seed, length)).await;
        files.push((entry["id"].as_str().expect("an id").to_owned(), seed, length));
    }
    let before = live(&admin).await;
    let mut dead = Vec::new();
    // The second goes while the first is still a member: what was left behind on that one is in nobody's way.
    for (victim, kills) in [(3, rounds(12)), (5, 3)] {
        world.nodes[victim].kill();
        let gone = eventually("the node is silent", Duration::from_secs(30), async || {
            let now = live(&admin).await;
            before.iter().find(|id| !now.contains(id) && !dead.contains(*id)).cloned()
        })
        .await;
        dead.push(gone);
        for round in 0..kills {
            pause(round).await;
            world.workers[0].kill();
            world.workers[0].restart().await;
        }
        // A killed worker's jobs are free after their lease, 20 s.
        let full = async || full(&admin, &files, &dead).await;
        eventually("every file has all its parts again", Duration::from_secs(120), full).await;
    }
    for dead in &dead {
        let removed = Answer::of(admin.request("DELETE", &format!("/admin/nodes/{dead}"))).await;
        assert_eq!(removed.status, 204, "{removed:?}");
    }
    for (id, seed, length) in &files {
        assert!(admin.download(id).await == bytes(*seed, *length), "{seed}");
    }
    check(&admin, &[]).await;
}

/// Whether all parts of all files are good and on none of the dead nodes.
async fn full(admin: &User, files: &[(String, u64, usize)], dead: &[String]) -> Option<()> {
    for (id, ..) in files {
        let parts = admin.get(&format!("/files/{id}/parts")).await.expect(200);
        for extent in parts["extents"].as_array()? {
            let good =
                |part: &Value| part["state"] == "ok" && !dead.iter().any(|dead| part["node_id"] == dead.as_str());
            if !extent["parts"].as_array()?.iter().all(good) {
                return None;
            }
        }
    }
    Some(())
}

/// The ids of the nodes that live.
async fn live(user: &User) -> Vec<String> {
    let nodes = user.get("/admin/nodes").await.expect(200);
    let live = nodes["items"].as_array().expect("items").iter().filter(|node| node["live"] == Value::Bool(true));
    live.map(|node| node["id"].as_str().expect("an id").to_owned()).collect()
}
