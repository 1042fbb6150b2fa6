//! Gateways that share Redis: each hears at once of what the other changes, both count wrong passwords together, and nothing
//! depends on it being there.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use testkit::redis::Server;

use crate::{
    harness::{Answer, PASSWORD, PATIENCE, Process, Shape, User, World, eventually},
    live::Live,
};

/// Changes that are made one after the other, each when the one before was heard.
const CHANGES: usize = 5;

/// Without a word from other processes each of them would take up to five seconds, and all together twenty at least.
const AT_ONCE: Duration = Duration::from_secs(10);

/// Two gateways, a worker and six nodes with a Redis of their own.
async fn world() -> Option<(World, Server)> {
    let redis = Server::start()?;
    let world = World::start(Shape::Cluster, &format!("redis = {:?}\n", redis.url().expose())).await;
    for gateway in &world.gateways {
        until_up(gateway, true).await;
    }
    Some((world, redis))
}

/// Waits until the metrics of a gateway say that Redis is there, or away.
async fn until_up(gateway: &Process, up: bool) {
    let line = format!("\nholdfast_redis_up {}\n", i32::from(up));
    eventually(&line, PATIENCE, async || {
        let metrics = reqwest::get(format!("{}/metrics", gateway.url)).await.ok()?.text().await.ok()?;
        metrics.contains(&line).then_some(())
    })
    .await;
}

/// Makes changes at one gateway and hears each at the other; says how long that took.
async fn told(writer: &User, live: &mut Live, about: &str, changes: usize) -> Duration {
    let began = Instant::now();
    for number in 0..changes {
        let name = format!("{about} {number}");
        writer.upload(&name, vec![1; 10]).await;
        while !live.push().await["items"].as_array().expect("items").iter().any(|it| it["entry"]["name"] == name) {}
    }
    began.elapsed()
}

async fn login(gateway: &Process, name: &str, password: &str) -> Answer {
    let request = reqwest::Client::new().post(format!("{}/api/v1/login", gateway.url));
    Answer::of(request.json(&json!({ "name": name, "password": password }))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn gateways_tell_each_other_through_redis() {
    let Some((world, mut redis)) = world().await else { return };
    let writer = world.admin().await;
    let reader = writer.at(&world.gateways[1]);
    let space = writer.user["space_id"].as_str().expect("space_id");
    let mut live = Live::follow(&reader, space, None).await;
    let took = told(&writer, &mut live, "with Redis", CHANGES).await;
    assert!(took < AT_ONCE, "it took {took:?}");
    session_ends(&world).await;
    pages_are_shared(&world, &writer, &reader).await;

    redis.kill();
    // Nothing fails: changes, sign-in, sessions that end, readiness; and what others change still shows, only later.
    told(&writer, &mut live, "without Redis", 1).await;
    for gateway in &world.gateways {
        let began = Instant::now();
        login(gateway, "admin", PASSWORD).await.expect(200);
        assert!(began.elapsed() < Duration::from_secs(5), "a sign-in took {:?}", began.elapsed());
        let ready = reqwest::get(format!("{}/readyz", gateway.url)).await.expect("an answer");
        assert_eq!(ready.status(), 200);
        until_up(gateway, false).await;
    }
    refused_within_a_second(&world).await;

    redis.restart();
    for gateway in &world.gateways {
        until_up(gateway, true).await;
    }
    let took = told(&writer, &mut live, "with Redis again", CHANGES).await;
    assert!(took < AT_ONCE, "it took {took:?}");
    session_ends(&world).await;
}

/// A session that is ended at one gateway takes its sockets at the other along at once.
async fn session_ends(world: &World) {
    let gone = world.admin().await;
    let mut live = Live::of(&gone.at(&world.gateways[1])).await;
    let began = Instant::now();
    assert_eq!(gone.post("/logout", &json!({})).await.status, 204);
    assert_eq!(live.hear().await, Err(Some(4401)));
    assert!(began.elapsed() < Duration::from_secs(1), "it took {:?}", began.elapsed());
    refused_within_a_second(world).await;
}

/// A session that is ended at one gateway is refused at the other soon, whether that was told or not.
async fn refused_within_a_second(world: &World) {
    let gone = world.admin().await;
    let elsewhere = gone.at(&world.gateways[1]);
    elsewhere.get("/me").await.expect(200);
    assert_eq!(gone.post("/logout", &json!({})).await.status, 204);
    let ended = Instant::now();
    while elsewhere.get("/me").await.status != 401 {
        assert!(ended.elapsed() < Duration::from_millis(1500), "it is still let in");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gateways_count_wrong_passwords_together() {
    let Some((world, mut redis)) = world().await else { return };
    let [one, two] = [&world.gateways[0], &world.gateways[1]];
    User::register(&one.url, "ada").await;
    User::register(&one.url, "grace").await;
    let mut wrong = 0;
    let refused: Value = loop {
        let answer = login(one, "ada", "wrong password").await;
        if answer.status == 429 {
            break answer.json();
        }
        answer.refused(401, "wrong-credentials");
        wrong += 1;
        assert!(wrong < 12, "nobody is slowed down");
    };
    // More are let through as time goes by, and one for each answer of Redis that was too slow.
    assert!(wrong >= 5, "{wrong}");
    assert_eq!(refused["code"], "too-many-attempts");
    // The other gateway has not seen any of them.
    login(two, "ada", PASSWORD).await.refused(429, "too-many-attempts");
    login(two, "grace", PASSWORD).await.expect(200);

    // Without Redis each counts for itself, and the right password is let in.
    redis.kill();
    login(two, "ada", PASSWORD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_reaches_redis() {
    let Some(mut redis) = Server::start() else { return };
    let dir = tempfile::tempdir().expect("a temporary folder");
    let file = dir.path().join("holdfast.toml");
    let text = format!("data_dir = {:?}\nredis = {:?}\n", dir.path().join("data"), redis.url().expose());
    std::fs::write(&file, text).expect("the configuration can be written");
    let check = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
        command.args(["check", "--config"]).arg(&file).output().expect("the binary runs")
    };
    let good = check();
    assert!(good.status.success() && String::from_utf8_lossy(&good.stdout).contains("redis: reached, "), "{good:?}");
    redis.kill();
    let bad = check();
    assert!(!bad.status.success() && String::from_utf8_lossy(&bad.stderr).contains("Redis cannot be used"), "{bad:?}");
}

/// A long page that one gateway made is not made again by the other.
async fn pages_are_shared(world: &World, writer: &User, reader: &User) {
    let folder = writer.post("/folders", &json!({ "name": "long" })).await.expect(201);
    let folder = folder["id"].as_str().expect("an id").to_owned();
    for number in 0..60 {
        let body = json!({ "name": format!("{number:02}"), "parent_id": folder });
        writer.post("/folders", &body).await.expect(201);
    }
    let path = format!("/folders/{folder}/children?limit=1000");
    // One of them may find Redis busy for a moment; then each change makes a new page.
    eventually("a page is shared", PATIENCE, async || {
        writer.upload(&uuid::Uuid::now_v7().to_string(), vec![1]).await;
        let (made, taken) = (writer.get(&path).await.body, reader.get(&path).await.body);
        assert_eq!(made, taken);
        let metrics = reqwest::get(format!("{}/metrics", world.gateways[1].url)).await.ok()?.text().await.ok()?;
        metrics.contains("holdfast_listings_total{from=\"shared\"}").then_some(())
    })
    .await;
}
