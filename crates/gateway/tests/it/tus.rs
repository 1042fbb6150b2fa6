//! The tus protocol as its specification says it, and the edges that clients run into.

use axum::body::Body;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::stream;
use serde_json::{Value, json};

use crate::world::{Answer, FILE_BYTES_MAX, Person, World, bytes, raw};

const UPLOADS: &str = "/api/v1/uploads";
const TUS: (&str, &str) = ("tus-resumable", "1.0.0");
const BYTES: (&str, &str) = ("content-type", "application/offset+octet-stream");

fn metadata(name: &str) -> String {
    format!("filename {}", STANDARD.encode(name))
}

async fn create(person: &Person, name: &str, headers: &[(&str, &str)]) -> Answer {
    let metadata = metadata(name);
    let headers: Vec<_> = headers.iter().copied().chain([TUS, ("upload-metadata", metadata.as_str())]).collect();
    person.raw("POST", UPLOADS, &headers, "").await
}

/// Begins an upload of a known length and gives its address.
async fn begin(person: &Person, name: &str, length: usize) -> String {
    let answer = create(person, name, &[("upload-length", &length.to_string())]).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.header("location").expect("a location").to_owned()
}

async fn patch(person: &Person, at: &str, offset: usize, body: impl Into<Body>) -> Answer {
    person.raw("PATCH", at, &[TUS, BYTES, ("upload-offset", &offset.to_string())], body).await
}

async fn head(person: &Person, at: &str) -> Answer {
    person.raw("HEAD", at, &[TUS], "").await
}

#[tokio::test]
async fn the_server_says_what_it_knows() {
    let world = World::new().await;
    let answer = raw(&world.router, "OPTIONS", UPLOADS, &[], Body::empty()).await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("tus-version"), Some("1.0.0"));
    assert_eq!(answer.header("tus-max-size"), Some(FILE_BYTES_MAX.to_string().as_str()));
    let extensions: Vec<_> = answer.header("tus-extension").expect("extensions").split(',').collect();
    for extension in [
        "creation",
        "creation-with-upload",
        "creation-defer-length",
        "checksum",
        "expiration",
        "termination",
        "concatenation",
    ] {
        assert!(extensions.contains(&extension), "{extension}");
    }
    assert!(answer.header("tus-checksum-algorithm").is_some_and(|list| list.split(',').any(|one| one == "sha1")));
}

#[tokio::test]
async fn other_versions_are_refused() {
    let world = World::new().await;
    let at = begin(&world.alice, "a", 10).await;
    for (method, path) in [("POST", UPLOADS), ("HEAD", at.as_str()), ("PATCH", &at), ("DELETE", &at)] {
        for headers in [&[][..], &[("tus-resumable", "0.2.2")]] {
            let answer = world.alice.raw(method, path, headers, "").await;
            answer.refused(412, "unsupported-tus-version");
            assert_eq!((answer.header("tus-version"), answer.header("tus-resumable")), (Some("1.0.0"), Some("1.0.0")));
        }
    }
}

#[tokio::test]
async fn an_upload_in_pieces() {
    let world = World::new().await;
    let alice = &world.alice;
    let content = bytes(50_000);
    let answer = create(alice, "täst.bin", &[("upload-length", "50000")]).await;
    assert_eq!(answer.header("tus-resumable"), Some("1.0.0"));
    let expires = answer.header("upload-expires").expect("an end").to_owned();
    assert!(expires.ends_with(" GMT"), "{expires}");
    let at = answer.header("location").expect("a location").to_owned();

    let state = head(alice, &at).await;
    assert_eq!(state.status, 200);
    assert_eq!((state.header("upload-offset"), state.header("upload-length")), (Some("0"), Some("50000")));
    assert_eq!(state.header("cache-control"), Some("no-store"));
    assert_eq!(state.header("upload-metadata"), Some(metadata("täst.bin").as_str()));
    assert_eq!(state.header("upload-concat"), None);

    let answer = patch(alice, &at, 0, content[..20_000].to_vec()).await;
    assert_eq!((answer.status.as_u16(), answer.header("upload-offset")), (204, Some("20000")), "{answer:?}");
    assert_eq!(answer.header("holdfast-entry"), None);
    patch(alice, &at, 0, "x").await.refused(409, "offset-mismatch");
    patch(alice, &at, 20_001, "x").await.refused(409, "offset-mismatch");
    let json = alice.get(&at).await.json();
    assert_eq!(
        (&json["state"], &json["offset"], &json["length"]),
        (&Value::from("open"), &Value::from(20_000), &Value::from(50_000))
    );

    let answer = patch(alice, &at, 20_000, content[20_000..].to_vec()).await;
    assert_eq!((answer.status.as_u16(), answer.header("upload-offset")), (204, Some("50000")), "{answer:?}");
    let entry = answer.header("holdfast-entry").expect("the file").to_owned();
    assert_eq!(alice.get(&format!("/api/v1/files/{entry}")).await.body, content);
    assert_eq!(alice.get(&format!("/api/v1/entries/{entry}")).await.json()["name"], "täst.bin");
    // The answer was lost and the client asks again.
    assert_eq!(head(alice, &at).await.header("upload-offset"), Some("50000"));
    assert_eq!(alice.get(&at).await.json()["entry_id"], entry);
    assert_eq!(
        patch(alice, &at, 20_000, content[20_000..].to_vec()).await.header("holdfast-entry"),
        Some(entry.as_str())
    );
}

#[tokio::test]
async fn creation_is_strict() {
    let world = World::new().await;
    let alice = &world.alice;
    create(alice, "a", &[]).await.refused(400, "invalid-request");
    create(alice, "a", &[("upload-length", "-1")]).await.refused(400, "invalid-request");
    create(alice, "a", &[("upload-length", "1"), ("upload-defer-length", "1")]).await.refused(400, "invalid-request");
    create(alice, "a", &[("upload-defer-length", "0")]).await.refused(400, "invalid-request");
    create(alice, "a", &[("upload-length", &(FILE_BYTES_MAX + 1).to_string())]).await.refused(413, "file-too-large");
    create(alice, "a/b", &[("upload-length", "1")]).await.refused(400, "invalid-name");
    let no_name = alice.raw("POST", UPLOADS, &[TUS, ("upload-length", "1")], "").await;
    no_name.refused(400, "invalid-request");
    let bad = alice.raw("POST", UPLOADS, &[TUS, ("upload-length", "1"), ("upload-metadata", "filename ?")], "").await;
    bad.refused(400, "invalid-request");
    create(alice, "a", &[("upload-length", "1"), ("content-type", "text/plain"), ("content-length", "1")])
        .await
        .refused(415, "unsupported-media-type");
    raw(&world.router, "POST", UPLOADS, &[TUS, ("upload-length", "1")], Body::empty())
        .await
        .refused(401, "unauthenticated");
    alice.upload("name=taken", "x").await;
    create(alice, "taken", &[("upload-length", "1")]).await.refused(409, "name-taken");
}

#[tokio::test]
async fn patches_are_strict() {
    let world = World::new().await;
    let alice = &world.alice;
    let at = begin(alice, "a", 10).await;
    alice.raw("PATCH", &at, &[TUS, ("upload-offset", "0")], "x").await.refused(415, "unsupported-media-type");
    alice
        .raw("PATCH", &at, &[TUS, ("upload-offset", "0"), ("content-type", "text/plain")], "x")
        .await
        .refused(415, "unsupported-media-type");
    alice.raw("PATCH", &at, &[TUS, BYTES], "x").await.refused(400, "invalid-request");
    alice.raw("PATCH", &at, &[TUS, BYTES, ("upload-offset", "x")], "x").await.refused(400, "invalid-request");
    patch(alice, &at, 0, "12345678901").await.refused(413, "body-too-long");
    patch(alice, &format!("{UPLOADS}/upl_00000000000000000000000000000000"), 0, "x").await.refused(404, "not-found");
    patch(alice, &format!("{UPLOADS}/nonsense"), 0, "x").await.refused(400, "invalid-id");
    patch(&world.bob, &at, 0, "x").await.refused(404, "not-found");
    assert_eq!(head(&world.bob, &at).await.header("upload-offset"), None);
    raw(&world.router, "PUT", &at, &[TUS], Body::empty()).await.refused(405, "method-not-allowed");
}

#[tokio::test]
async fn bytes_with_the_creation() {
    let world = World::new().await;
    let alice = &world.alice;
    let name = metadata("whole");
    let whole = [TUS, BYTES, ("upload-length", "5"), ("upload-metadata", name.as_str())];
    let answer = alice.raw("POST", UPLOADS, &whole, "12345").await;
    assert_eq!((answer.status.as_u16(), answer.header("upload-offset")), (201, Some("5")), "{answer:?}");
    let entry = answer.header("holdfast-entry").expect("the file").to_owned();
    assert_eq!(alice.get(&format!("/api/v1/files/{entry}")).await.body, "12345");

    let name = metadata("half");
    let half = [TUS, BYTES, ("upload-length", "5"), ("upload-metadata", name.as_str())];
    let answer = alice.raw("POST", UPLOADS, &half, "123").await;
    assert_eq!((answer.status.as_u16(), answer.header("upload-offset")), (201, Some("3")), "{answer:?}");
    let at = answer.header("location").expect("a location").to_owned();
    assert!(patch(alice, &at, 3, "45").await.header("holdfast-entry").is_some());

    let empty = create(alice, "empty", &[("upload-length", "0")]).await;
    let entry = empty.header("holdfast-entry").expect("a file at once").to_owned();
    assert_eq!(alice.get(&format!("/api/v1/files/{entry}")).await.body, "");
}

#[tokio::test]
async fn lengths_that_come_later() {
    let world = World::new().await;
    let alice = &world.alice;
    let answer = create(alice, "a", &[("upload-defer-length", "1")]).await;
    let at = answer.header("location").expect("a location").to_owned();
    let state = head(alice, &at).await;
    assert_eq!((state.header("upload-defer-length"), state.header("upload-length")), (Some("1"), None));
    assert_eq!(patch(alice, &at, 0, "123").await.status, 204);
    let with_length =
        |length: &'static str| [TUS, BYTES, ("upload-offset", "3"), ("upload-length", length), ("content-length", "0")];
    alice.raw("PATCH", &at, &with_length("2"), "").await.refused(413, "body-too-long");
    let answer = alice.raw("PATCH", &at, &with_length("3"), "").await;
    assert_eq!((answer.status.as_u16(), answer.header("upload-offset")), (204, Some("3")), "{answer:?}");
    let entry = answer.header("holdfast-entry").expect("the file").to_owned();
    assert_eq!(alice.get(&format!("/api/v1/files/{entry}")).await.body, "123");
    alice.raw("PATCH", &at, &with_length("4"), "").await.refused(409, "length-given");
}

#[tokio::test]
async fn checksums() {
    let world = World::new().await;
    let alice = &world.alice;
    let at = begin(alice, "a", 5).await;
    let send = async |checksum: &str| {
        alice.raw("PATCH", &at, &[TUS, BYTES, ("upload-offset", "0"), ("upload-checksum", checksum)], "12345").await
    };
    let answer = send("sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=").await;
    answer.refused(460, "checksum-mismatch");
    assert_eq!(answer.header("tus-resumable"), Some("1.0.0"));
    assert_eq!(head(alice, &at).await.header("upload-offset"), Some("0"));
    send("md5 AAAA").await.refused(400, "invalid-request");
    send("sha1").await.refused(400, "invalid-request");
    let right = format!("blake3 {}", STANDARD.encode(blake3::hash(b"12345").as_bytes()));
    assert_eq!(send(&right).await.status, 204);
}

#[tokio::test]
async fn broken_connections_keep_what_came() {
    let world = World::new().await;
    let alice = &world.alice;
    let content = bytes(30_000);
    let at = begin(alice, "a", content.len()).await;
    let pieces = [Ok(Bytes::copy_from_slice(&content[..17_000])), Err(std::io::Error::other("gone"))];
    patch(alice, &at, 0, Body::from_stream(stream::iter(pieces))).await.refused(400, "body-cut");
    let offset: usize = head(alice, &at).await.header("upload-offset").expect("an offset").parse().expect("a number");
    assert_eq!(offset, 17_000);
    let answer = patch(alice, &at, offset, content[offset..].to_vec()).await;
    let entry = answer.header("holdfast-entry").expect("the file").to_owned();
    assert_eq!(alice.get(&format!("/api/v1/files/{entry}")).await.body, content);
}

#[tokio::test]
async fn termination_and_other_methods() {
    let world = World::new().await;
    let alice = &world.alice;
    let at = begin(alice, "a", 10).await;
    // Clients behind old proxies say the method in a header.
    let answer =
        alice.raw("POST", &at, &[TUS, BYTES, ("upload-offset", "0"), ("x-http-method-override", "PATCH")], "123").await;
    assert_eq!((answer.status.as_u16(), answer.header("upload-offset")), (204, Some("3")), "{answer:?}");
    let answer = alice.raw("POST", &at, &[TUS], "").await;
    answer.refused(405, "method-not-allowed");
    assert!(answer.header("allow").is_some_and(|allow| allow.contains("PATCH")));
    assert_eq!(alice.raw("POST", &at, &[TUS, ("x-http-method-override", "DELETE")], "").await.status, 204);
    assert_eq!(head(alice, &at).await.status, 404);
    alice.raw("DELETE", &at, &[TUS], "").await.refused(404, "not-found");
}

#[tokio::test]
async fn concatenation() {
    let world = World::new().await;
    let alice = &world.alice;
    let mut parts = Vec::new();
    for content in ["first ", "second"] {
        let partial = [TUS, ("upload-length", "6"), ("upload-concat", "partial")];
        let answer = alice.raw("POST", UPLOADS, &partial, "").await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let at = answer.header("location").expect("a location").to_owned();
        assert_eq!(head(alice, &at).await.header("upload-concat"), Some("partial"));
        assert_eq!(patch(alice, &at, 0, content).await.status, 204);
        assert_eq!(alice.get(&at).await.json()["state"], "partial");
        parts.push(at);
    }
    let concat = format!("final;{}", parts.join(" "));
    create(alice, "joined", &[("upload-concat", &concat), ("upload-length", "12")])
        .await
        .refused(400, "invalid-request");
    create(alice, "joined", &[("upload-concat", "final;")]).await.refused(400, "invalid-request");
    let answer = create(alice, "joined", &[("upload-concat", &concat)]).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let entry = answer.header("holdfast-entry").expect("the file").to_owned();
    assert_eq!(alice.get(&format!("/api/v1/files/{entry}")).await.body, "first second");
    let at = answer.header("location").expect("a location").to_owned();
    let state = head(alice, &at).await;
    assert_eq!((state.header("upload-concat"), state.header("upload-length")), (Some(concat.as_str()), Some("12")));
    assert_eq!(state.header("upload-metadata"), Some(metadata("joined").as_str()));
    patch(alice, &at, 12, "more").await.refused(403, "upload-is-final");
    // The parts are used up.
    create(alice, "again", &[("upload-concat", &concat)]).await.refused(404, "not-found");
}

#[tokio::test]
async fn an_upload_whose_name_was_taken_is_finished_under_another() {
    let world = World::new().await;
    let alice = &world.alice;
    let content = bytes(20_000);
    let at = begin(alice, "report.txt", content.len()).await;
    let finish = async |body: Value| alice.call("POST", &format!("{at}/finish"), &body).await;
    finish(json!({})).await.refused(409, "upload-not-complete");
    alice.upload("name=report.txt", "somebody was faster").await;
    patch(alice, &at, 0, content.clone()).await.refused(409, "name-taken");
    let state = alice.get(&at).await.json();
    assert_eq!(
        (&state["state"], &state["offset"], &state["entry_id"]),
        (&"complete".into(), &20_000.into(), &Value::Null)
    );

    finish(json!({})).await.refused(409, "name-taken");
    finish(json!({ "name": "a/b" })).await.refused(400, "invalid-name");
    finish(json!({ "nmae": "x" })).await.refused(400, "invalid-request");
    finish(json!({ "on_conflict": "merge" })).await.refused(400, "invalid-request");
    finish(json!({ "parent_id": world.bob.root() })).await.refused(404, "not-found");
    world.bob.call("POST", &format!("{at}/finish"), &json!({})).await.refused(404, "not-found");
    let finished = finish(json!({ "on_conflict": "rename" })).await;
    assert_eq!(finished.status, 200, "{finished:?}");
    let entry = finished.json()["entry_id"].as_str().expect("the file").to_owned();
    assert_eq!(finished.json()["state"], "finished");
    assert_eq!(alice.get(&format!("/api/v1/entries/{entry}")).await.json()["name"], "report (2).txt");
    assert_eq!(alice.get(&format!("/api/v1/files/{entry}")).await.body, content);
    // The answer was lost, and the client asks again.
    assert_eq!(finish(json!({ "name": "third.txt" })).await.json()["entry_id"], entry);

    let at = begin(alice, "next.txt", 5).await;
    let first = alice.upload("name=next.txt", "old").await;
    patch(alice, &at, 0, "12345").await.refused(409, "name-taken");
    let finished = alice.call("POST", &format!("{at}/finish"), &json!({ "on_conflict": "replace" })).await.json();
    assert_eq!(finished["entry_id"], first);
    assert_eq!(alice.get(&format!("/api/v1/files/{first}")).await.body, "12345");
}
