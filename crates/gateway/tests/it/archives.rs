//! Archives over HTTP: headers, ranges, and how links count them.

use axum::body::Body;
use serde_json::{Value, json};

use crate::world::{World, bytes, raw};

#[tokio::test]
async fn archives_are_sent_like_files() {
    let world = World::new().await;
    let alice = &world.alice;
    let folder = alice.folder("Фото \"1\"").await;
    alice.upload(&format!("name=a.bin&parent={folder}"), bytes(100_000)).await;
    let path = format!("/api/v1/archive?entries={folder}");
    let whole = alice.get(&path).await;
    assert_eq!((whole.status.as_u16(), whole.header("content-type")), (200, Some("application/zip")));
    assert_eq!(whole.header("content-length"), Some(whole.body.len().to_string().as_str()));
    let disposition = whole.header("content-disposition").expect("a name");
    assert!(disposition.starts_with("attachment; ") && disposition.contains(".zip"), "{disposition}");
    let etag = whole.header("etag").expect("a tag").to_owned();
    let rest = alice.raw("GET", &path, &[("range", "bytes=50000-"), ("if-range", &etag)], "").await;
    assert_eq!((rest.status.as_u16(), rest.body == whole.body[50_000..]), (206, true));
    assert_eq!(alice.raw("GET", &path, &[("if-none-match", &etag)], "").await.status, 304);
    let head = alice.raw("HEAD", &path, &[], "").await;
    assert_eq!((head.header("content-length"), head.body.len()), (whole.header("content-length"), 0));
    // Once something has changed, a range would be of something else.
    alice.upload(&format!("name=b.bin&parent={folder}"), bytes(10)).await;
    let other = alice.raw("GET", &path, &[("range", "bytes=50000-"), ("if-range", &etag)], "").await;
    assert_eq!(other.status, 200);
    assert_eq!(alice.get(&format!("{path}&format=tar")).await.header("content-type"), Some("application/x-tar"));
    for (query, code) in [
        ("", "invalid-request"),
        ("?entries=", "invalid-request"),
        ("?entries=x", "invalid-id"),
        (&format!("?entries={folder}&format=rar"), "invalid-request"),
    ] {
        alice.get(&format!("/api/v1/archive{query}")).await.refused(400, code);
    }
    world.bob.get(&path).await.refused(404, "not-found");
}

#[tokio::test]
async fn links_count_an_archive_once() {
    let world = World::new().await;
    let alice = &world.alice;
    let folder = alice.folder("shared").await;
    let beside = alice.upload("name=beside", "x").await;
    let inside = alice.upload(&format!("name=a.bin&parent={folder}"), bytes(100_000)).await;
    let body = json!({ "mode": "download", "download_limit": 1 });
    let link = alice.call("POST", &format!("/api/v1/entries/{folder}/links"), &body).await.json();
    let place = format!("/api/v1/public/links/{}", link["token"].as_str().expect("a token"));
    let path = format!("{place}/archive");
    let get =
        async |path: &str, headers: &[(&str, &str)]| raw(&world.router, "GET", path, headers, Body::empty()).await;
    get(&format!("{path}?entries={inside},{beside}"), &[]).await.refused(404, "not-found");
    assert_eq!(raw(&world.router, "HEAD", &path, &[], Body::empty()).await.status, 200);
    let first = get(&path, &[("range", "bytes=0-999")]).await;
    assert_eq!(first.status, 206);
    let id = first.header("download-id").expect("it was counted").to_owned();
    let rest = get(&path, &[("range", "bytes=1000-"), ("download-id", &id)]).await;
    assert_eq!(rest.status, 206);
    get(&path, &[]).await.refused(410, "link-used-up");
    get(&format!("{place}/files/{inside}"), &[("download-id", &id)]).await.refused(410, "link-used-up");
    for mode in ["view", "upload"] {
        let owner = format!("/api/v1/links/{}", link["id"].as_str().expect("an id"));
        let patched = alice.call("PATCH", &owner, &json!({ "mode": mode, "download_limit": Value::Null })).await;
        assert_eq!(patched.status, 200);
        get(&path, &[]).await.refused(403, "link-forbids");
    }
}
