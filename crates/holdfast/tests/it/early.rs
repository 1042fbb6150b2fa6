//! Links to files that are still being uploaded: readers wait at the edge of what is there.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use futures::StreamExt;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, PATIENCE, Process, Shape, User, World, bytes};

#[tokio::test(flavor = "multi_thread")]
async fn early_links_on_one_process() {
    early_links(World::start(Shape::Single, "").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn early_links_across_gateways() {
    early_links(World::start(Shape::Cluster, "").await).await;
}

/// Begins an upload; its id.
async fn begin(user: &User, length: Option<usize>, name: &str, on_conflict: &str) -> String {
    let metadata = format!("filename {},on_conflict {}", STANDARD.encode(name), STANDARD.encode(on_conflict));
    let request = user.request("POST", "/uploads").header("tus-resumable", "1.0.0");
    let request = match length {
        Some(length) => request.header("upload-length", length),
        None => request.header("upload-defer-length", 1),
    };
    let created = Answer::of(request.header("upload-metadata", metadata)).await;
    assert_eq!(created.status, 201, "{:?}", String::from_utf8_lossy(&created.body));
    created.header("location").rsplit('/').next().expect("an id").to_owned()
}

async fn append(user: &User, upload: &str, offset: usize, content: &[u8]) {
    let request = user.request("PATCH", &format!("/uploads/{upload}")).header("tus-resumable", "1.0.0");
    let request = request.header("upload-offset", offset).header("content-type", "application/offset+octet-stream");
    assert_eq!(Answer::of(request.body(content.to_vec())).await.status, 204);
}

async fn make(user: &User, upload: &str) -> Value {
    user.post(&format!("/uploads/{upload}/links"), &json!({ "mode": "download" })).await.expect(201)
}

/// As somebody without an account sees it.
async fn visit(gateway: &Process, path: &str) -> Answer {
    Answer::of(reqwest::Client::new().get(format!("{}/api/v1/public/links/{path}", gateway.url))).await
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().expect("text").to_owned()
}

async fn early_links(world: World) {
    let (near, far) = (&world.gateways[0], world.gateways.last().expect("a gateway"));
    let (owner, other) = (User::register(&near.url, "owner").await, User::register(&near.url, "other").await);
    let content = bytes(7, 6_000_000);
    let edge = 2_000_000;
    let upload = begin(&owner, Some(content.len()), "film.mp4", "fail").await;
    append(&owner, &upload, 0, &content[..edge]).await;

    // A link before there is a file; the same request once more makes no second one.
    other.post(&format!("/uploads/{upload}/links"), &json!({ "mode": "download" })).await.refused(404, "not-found");
    owner.post(&format!("/uploads/{upload}/links"), &json!({ "mode": "upload" })).await.refused(400, "not-a-folder");
    let operation = Uuid::now_v7().to_string();
    let once = async || {
        let request = owner.request("POST", &format!("/uploads/{upload}/links")).header("operation-id", &operation);
        Answer::of(request.json(&json!({ "mode": "download" }))).await.expect(201)
    };
    let link = once().await;
    assert_eq!(once().await, link);
    assert_eq!((&link["entry_name"], &link["entry_kind"]), (&json!("film.mp4"), &json!("file")));
    let (token, entry) = (text(&link, "token"), text(&link, "entry_id"));
    let opened = visit(far, &token).await.expect(200);
    assert_eq!((&opened["entry"]["name"], &opened["entry"]["size"]), (&json!("film.mp4"), &json!(content.len())));
    assert_eq!(opened["received_bytes"], edge);
    owner.get(&format!("/files/{entry}")).await.refused(404, "not-found");
    visit(far, &format!("{token}/archive")).await.refused(409, "upload-not-complete");
    let listed = owner.get("/links").await.expect(200)["items"].clone();
    assert_eq!((listed[0]["entry_name"].clone(), listed.as_array().expect("items").len()), (json!("film.mp4"), 1));

    // What is there comes at once, what is not when it is; a range that begins beyond the edge waits as well.
    let path = format!("{}/api/v1/public/links/{token}/files/{entry}", far.url);
    let answer = reqwest::Client::new().get(&path).send().await.expect("an answer");
    assert_eq!((answer.status().as_u16(), answer.content_length()), (200, Some(content.len() as u64)));
    let mut body = answer.bytes_stream();
    let mut got = Vec::new();
    while got.len() < edge {
        let piece = tokio::time::timeout(PATIENCE, body.next()).await.expect("bytes that are there come at once");
        got.extend_from_slice(&piece.expect("more").expect("bytes"));
    }
    assert_eq!(got.len(), edge, "nothing beyond what is durable");
    let tail = tokio::spawn(Answer::of(reqwest::Client::new().get(&path).header("range", "bytes=5000000-")));
    assert!(tokio::time::timeout(Duration::from_millis(700), body.next()).await.is_err(), "the reader waits");
    append(&owner, &upload, edge, &content[edge..4_000_000]).await;
    while got.len() < 4_000_000 {
        let piece = tokio::time::timeout(PATIENCE, body.next()).await.expect("the reader is woken");
        got.extend_from_slice(&piece.expect("more").expect("bytes"));
    }
    append(&owner, &upload, 4_000_000, &content[4_000_000..]).await;
    while let Some(piece) = tokio::time::timeout(PATIENCE, body.next()).await.expect("the end comes") {
        got.extend_from_slice(&piece.expect("bytes"));
    }
    assert!(got == content);
    let tail = tail.await.expect("an answer");
    assert_eq!((tail.status, tail.body == content[5_000_000..]), (206, true));

    // Now it is a link to the file, which has the id that the link had all the time.
    assert_eq!(owner.get(&format!("/entries/{entry}")).await.expect(200)["name"], "film.mp4");
    let opened = visit(far, &token).await.expect(200);
    assert_eq!((&opened["entry"]["id"], &opened["received_bytes"]), (&json!(entry), &Value::Null));
    assert!(visit(far, &format!("{token}/files/{entry}")).await.body == content);
    assert_eq!(owner.get(&format!("/links/{}", text(&link, "id"))).await.expect(200)["downloads"], 3);
    assert_eq!(text(&make(&owner, &upload).await, "entry_id"), entry, "a finished upload's link is its file's");

    // What becomes a new version of a file that is there is a link to that file.
    let second = begin(&owner, Some(10), "film.mp4", "replace").await;
    let early = make(&owner, &second).await;
    append(&owner, &second, 0, b"0123456789").await;
    let opened = visit(far, &text(&early, "token")).await.expect(200);
    assert_eq!((&opened["entry"]["id"], &opened["entry"]["size"]), (&json!(entry), &json!(10)));

    // An upload that ends otherwise takes its links along, and whoever reads is told by a body that is visibly cut.
    let third = begin(&owner, Some(content.len()), "gone.bin", "fail").await;
    append(&owner, &third, 0, &content[..edge]).await;
    let early = make(&owner, &third).await;
    let path = format!("{}/api/v1/public/links/{}/files/{}", far.url, text(&early, "token"), text(&early, "entry_id"));
    let answer = reqwest::Client::new().get(&path).send().await.expect("an answer");
    let reader = tokio::spawn(answer.bytes());
    Answer::of(owner.request("DELETE", &format!("/uploads/{third}")).header("tus-resumable", "1.0.0")).await;
    let cut = tokio::time::timeout(PATIENCE, reader).await.expect("the reader ends").expect("no panic");
    assert!(cut.is_err(), "a body that lacks bytes does not end well");
    visit(far, &text(&early, "token")).await.refused(404, "not-found");
    owner.get(&format!("/links/{}", text(&early, "id"))).await.refused(404, "not-found");

    // How long it will be must be known.
    let unknown = begin(&owner, None, "unknown.bin", "fail").await;
    owner.post(&format!("/uploads/{unknown}/links"), &json!({ "mode": "view" })).await.refused(400, "invalid-link");
    // And a folder that goes takes the links with it, as links of what is in it.
    let folder = owner.post("/folders", &json!({ "name": "d" })).await.expect(201);
    let metadata = format!("filename {},parent {}", STANDARD.encode("x"), STANDARD.encode(text(&folder, "id")));
    let request = owner.request("POST", "/uploads").header("tus-resumable", "1.0.0").header("upload-length", 100);
    let created = Answer::of(request.header("upload-metadata", metadata)).await;
    let inside = created.header("location").rsplit('/').next().expect("an id").to_owned();
    let early = make(&owner, &inside).await;
    visit(far, &text(&early, "token")).await.expect(200);
    owner.delete(&format!("/entries/{}", text(&folder, "id"))).await;
    visit(far, &text(&early, "token")).await.refused(404, "not-found");
}
