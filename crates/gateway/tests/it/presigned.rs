//! Addresses for downloads that need no header: what they open, and what ends them.

use std::time::Duration;

use axum::body::Body;
use serde_json::{Value, json};

use crate::world::{Answer, Person, World, bytes, raw};

const DOWNLOADS: &str = "/api/v1/downloads";

async fn presign(person: &Person, entries: &[&str]) -> String {
    let answer = person.call("POST", DOWNLOADS, &json!({ "entries": entries })).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["url"].as_str().expect("an address").to_owned()
}

/// As a program that knows the address and nothing else.
async fn fetch(world: &World, method: &str, url: &str, headers: &[(&str, &str)]) -> Answer {
    raw(&world.router, method, url, headers, Body::empty()).await
}

#[tokio::test]
async fn whoever_has_the_address_gets_what_it_names() {
    let world = World::new().await;
    let alice = &world.alice;
    let folder = alice.folder("Фото").await;
    let film = alice.upload(&format!("name=film.mp4&parent={folder}"), bytes(100_000)).await;
    let url = presign(alice, &[&film]).await;
    let whole = fetch(&world, "GET", &url, &[]).await;
    assert_eq!((whole.status.as_u16(), whole.body == bytes(100_000)), (200, true));
    let disposition = whole.header("content-disposition").expect("a name");
    assert!(disposition.starts_with("attachment; ") && disposition.contains("film.mp4"), "{disposition}");
    let etag = whole.header("etag").expect("a tag").to_owned();
    let rest = fetch(&world, "GET", &url, &[("range", "bytes=99000-"), ("if-range", &etag)]).await;
    assert_eq!((rest.status.as_u16(), rest.body == bytes(100_000)[99_000..]), (206, true));
    let head = fetch(&world, "HEAD", &url, &[]).await;
    assert_eq!((head.header("content-length"), head.body.len()), (Some("100000"), 0));

    // A folder, or several entries, come as an archive: the same as over the other door.
    let beside = alice.upload("name=beside", "x").await;
    for entries in [vec![folder.as_str()], vec![&folder, &beside]] {
        let packed = fetch(&world, "GET", &presign(alice, &entries).await, &[]).await;
        let other = alice.get(&format!("/api/v1/archive?entries={}", entries.join(","))).await;
        assert_eq!((packed.status, &packed.body), (other.status, &other.body));
    }
    let tar = alice.call("POST", DOWNLOADS, &json!({ "entries": [folder], "format": "tar" })).await.json();
    let tar = fetch(&world, "GET", tar["url"].as_str().expect("an address"), &[]).await;
    assert_eq!(tar.header("content-type"), Some("application/x-tar"));

    // What the address names is what is there when it is used.
    alice.call("DELETE", &format!("/api/v1/entries/{film}?permanent=true"), &Value::Null).await;
    fetch(&world, "GET", &url, &[]).await.refused(404, "not-found");
}

#[tokio::test]
async fn an_address_ends_with_its_time_and_its_session() {
    let world = World::new().await;
    let alice = &world.alice;
    let file = alice.upload("name=a", "x").await;
    let url = presign(alice, &[&file]).await;
    world.clock.advance(Duration::from_secs(9 * 60));
    assert_eq!(fetch(&world, "GET", &url, &[]).await.status, 200);
    world.clock.advance(Duration::from_secs(2 * 60));
    fetch(&world, "GET", &url, &[]).await.refused(401, "invalid-token");
    let url = presign(alice, &[&file]).await;
    assert_eq!(alice.call("POST", "/api/v1/logout", &Value::Null).await.status, 204);
    fetch(&world, "GET", &url, &[]).await.refused(401, "session-ended");
}

#[tokio::test]
async fn nobody_gets_more_than_they_have() {
    let world = World::new().await;
    let (alice, bob) = (&world.alice, &world.bob);
    let file = alice.upload("name=a", "x").await;
    // An address says nothing about what is there: that is looked at when it is used.
    fetch(&world, "GET", &presign(bob, &[&file]).await, &[]).await.refused(404, "not-found");
    let url = presign(alice, &[&file]).await;
    let (path, signature) = url.rsplit_once('.').expect("a signature");
    let spoilt: String = signature.chars().rev().collect();
    fetch(&world, "GET", &format!("{path}.{spoilt}"), &[]).await.refused(401, "invalid-token");
    fetch(&world, "GET", &format!("{DOWNLOADS}/{}", alice.token()), &[]).await.refused(401, "invalid-token");
    // It is no token for anything else.
    let token = url.rsplit('/').next().expect("a token");
    let headers = [("authorization", format!("Bearer {token}"))];
    let headers = [(headers[0].0, headers[0].1.as_str())];
    fetch(&world, "GET", &format!("/api/v1/files/{file}"), &headers).await.refused(401, "invalid-token");
    fetch(&world, "GET", &format!("{url}?download=1"), &[]).await.refused(400, "invalid-request");

    // Programs make none.
    let made = alice.call("POST", "/api/v1/me/tokens", &json!({ "name": "x", "scopes": ["files"] })).await.json();
    let bearer = format!("Bearer {}", made["token"].as_str().expect("a token"));
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let body = Body::from(json!({ "entries": [file] }).to_string());
    raw(&world.router, "POST", DOWNLOADS, &headers, body).await.refused(403, "permission-missing");

    let many = vec![file.as_str(); 101];
    for (body, code) in [
        (json!({ "entries": [] }), "invalid-request"),
        (json!({ "entries": many }), "invalid-request"),
        (json!({ "entries": ["x"] }), "invalid-id"),
        (json!({ "entries": [file], "format": "rar" }), "invalid-request"),
        (json!({ "entries": [file], "more": 1 }), "invalid-request"),
    ] {
        alice.call("POST", DOWNLOADS, &body).await.refused(400, code);
    }
    let hundred = presign(alice, &many[..100]).await;
    assert_eq!(fetch(&world, "GET", &hundred, &[]).await.status, 200, "{} bytes", hundred.len());
}
