//! Plain uploads: raw bodies, forms, checksums, and what is refused.

use axum::body::Body;
use bytes::Bytes;
use futures::{StreamExt, stream};
use serde_json::Value;

use crate::world::{FILE_BYTES_MAX, World, bytes};

#[tokio::test]
async fn names_that_are_taken() {
    let world = World::new().await;
    let alice = &world.alice;
    let post = async |query: &str, headers: &[(&str, &str)]| {
        alice.raw("POST", &format!("/api/v1/files?{query}"), headers, "new").await
    };
    let first = post("name=a.txt", &[]).await;
    assert_eq!((first.status.as_u16(), &first.json()["size"]), (201, &Value::from(3)));
    post("name=a.txt", &[]).await.refused(409, "name-taken");
    post("name=a.txt", &[("if-none-match", "*")]).await.refused(409, "name-taken");
    let replaced = post("name=a.txt&on_conflict=replace", &[]).await;
    assert_eq!((replaced.status.as_u16(), &replaced.json()["id"]), (200, &first.json()["id"]));
    assert_ne!(replaced.header("etag"), first.header("etag"));
    let renamed = post("name=a.txt&on_conflict=rename", &[]).await;
    assert_eq!((renamed.status.as_u16(), &renamed.json()["name"]), (201, &Value::from("a (2).txt")));
    post("name=a.txt&on_conflict=replace", &[("if-none-match", "*")]).await.refused(400, "invalid-request");
    post("name=b&on_conflict=merge", &[]).await.refused(400, "invalid-request");
    post("name=b&onconflict=rename", &[]).await.refused(400, "invalid-request");
    post("name=b&parent=x", &[]).await.refused(400, "invalid-id");
    post("name=a%2Fb", &[]).await.refused(400, "invalid-name");
    post("", &[]).await.refused(400, "invalid-request");
    post("name=b", &[("content-encoding", "gzip")]).await.refused(415, "unsupported-media-type");
}

#[tokio::test]
async fn checksums_are_compared() {
    let world = World::new().await;
    let alice = &world.alice;
    let right = blake3::hash(b"text").to_hex();
    let wrong = blake3::hash(b"other").to_hex();
    let post = async |query: &str, headers: &[(&str, &str)]| {
        alice.raw("POST", &format!("/api/v1/files?name=a{query}"), headers, "text").await
    };
    post(&format!("&blake3={wrong}"), &[]).await.refused(422, "checksum-mismatch");
    post("&blake3=abc", &[]).await.refused(400, "invalid-request");
    post("", &[("content-digest", "blake3=:AAAA:")]).await.refused(400, "invalid-request");
    // Nothing of what was refused is there.
    assert_eq!(post(&format!("&blake3={right}"), &[("repr-digest", "sha-256=:AAAA:")]).await.status, 201);
}

#[tokio::test]
async fn lengths_that_are_too_large() {
    let world = World::new().await;
    let alice = &world.alice;
    let never =
        stream::poll_fn(|_| -> std::task::Poll<Option<Result<Bytes, std::io::Error>>> { panic!("the body was read") });
    let declared = (FILE_BYTES_MAX + 1).to_string();
    let answer =
        alice.raw("POST", "/api/v1/files?name=a", &[("content-length", &declared)], Body::from_stream(never)).await;
    answer.refused(413, "file-too-large");
    // A length that lies, both ways.
    let body = || Body::from_stream(stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"12345"))]));
    alice.raw("POST", "/api/v1/files?name=a", &[("content-length", "6")], body()).await.refused(400, "body-too-short");
    alice.raw("POST", "/api/v1/files?name=a", &[("content-length", "4")], body()).await.refused(413, "body-too-long");
    // A body that breaks off.
    let broken = stream::iter([Ok(Bytes::from_static(b"12345")), Err(std::io::Error::other("gone"))]);
    alice.raw("POST", "/api/v1/files?name=a", &[], Body::from_stream(broken)).await.refused(400, "body-cut");
    assert_eq!(alice.raw("POST", "/api/v1/files?name=a", &[], body()).await.status, 201);
}

#[tokio::test]
async fn forms_stream_their_first_file() {
    let world = World::new().await;
    let alice = &world.alice;
    let form = [("content-type", "multipart/form-data; boundary=XX")];
    let file = |disposition: &str, content: &[u8]| {
        let mut body =
            format!("--XX\r\nContent-Disposition: form-data; {disposition}\r\nContent-Type: text/csv\r\n\r\n")
                .into_bytes();
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n--XX--\r\n");
        body
    };
    let content = bytes(300_000);
    // In small pieces, so that the boundary is cut in every way.
    let whole = file("name=\"file\"; filename=\"t.csv\"", &content);
    let pieces: Vec<_> =
        whole.chunks(1013).map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece))).collect();
    let answer = alice.raw("POST", "/api/v1/files", &form, Body::from_stream(stream::iter(pieces))).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let entry = answer.json();
    assert_eq!((&entry["name"], &entry["content_type"]), (&Value::from("t.csv"), &Value::from("text/csv")));
    let id = entry["id"].as_str().expect("an id");
    assert_eq!(alice.get(&format!("/api/v1/files/{id}")).await.body, content);

    let named =
        alice.raw("POST", "/api/v1/files?name=other.csv", &form, file("name=\"f\"; filename=\"t.csv\"", b"1")).await;
    assert_eq!(named.json()["name"], "other.csv");
    let refused = async |body: Vec<u8>, code| alice.raw("POST", "/api/v1/files", &form, body).await.refused(400, code);
    refused(file("name=\"name\"", b"x.csv"), "invalid-request").await;
    refused(file("name=\"f\"; filename=\"\"", b"x"), "invalid-request").await;
    refused(file("name=\"f\"; filename=\"../x\"", b"x"), "invalid-name").await;
    refused(b"--XX--\r\n".to_vec(), "invalid-request").await;
    refused(Vec::new(), "invalid-request").await;
    refused(file("name=\"f\"; filename=\"cut\"", b"x")[..90].to_vec(), "body-malformed").await;
    alice
        .raw("POST", "/api/v1/files", &[("content-type", "multipart/form-data")], "x")
        .await
        .refused(400, "invalid-request");
}

#[tokio::test]
async fn parts_are_shown() {
    let world = World::new().await;
    let alice = &world.alice;
    let small = alice.upload("name=small", "x").await;
    let parts = alice.get(&format!("/api/v1/files/{small}/parts")).await.json();
    assert_eq!((&parts["inline"], &parts["size"]), (&Value::from(true), &Value::from(1)));
    let large = alice.upload("name=large", bytes(100_000)).await;
    let parts = alice.get(&format!("/api/v1/files/{large}/parts")).await.json();
    assert_eq!(parts["inline"], false);
    let pieces = parts["extents"][0]["parts"].as_array().expect("parts");
    assert_eq!(pieces.len(), 6);
    let sum: u64 = pieces.iter().map(|part| part["length"].as_u64().expect("a length")).sum();
    assert!(sum >= 100_000, "{parts}");
    assert!(
        pieces
            .iter()
            .all(|part| part["state"] == "ok" && part["checksum"].as_str().is_some_and(|text| text.len() == 16))
    );
}

#[tokio::test]
async fn two_uploads_to_one_name() {
    let world = World::new().await;
    let alice = &world.alice;
    let upload = || alice.raw("POST", "/api/v1/files?name=same", &[], bytes(5000));
    let answers = stream::iter(0..8).map(|_| upload()).buffer_unordered(8).collect::<Vec<_>>().await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.refused(409, "name-taken");
    }
}
