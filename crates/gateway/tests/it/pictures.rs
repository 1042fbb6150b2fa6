//! Pictures of people over HTTP: what may be sent, how they are handed out, who may remove them.

use serde_json::{Value, json};

use crate::world::{World, raw};

/// The head of a PNG of this size.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend([width.to_be_bytes(), height.to_be_bytes()].concat());
    bytes
}

const PNG: [(&str, &str); 1] = [("content-type", "image/png")];

#[tokio::test]
async fn a_picture_is_sent_seen_and_kept_by_browsers() {
    let world = World::new().await;
    let (alice, bob) = (&world.alice, &world.bob);
    let id = alice.tokens["user"]["id"].as_str().expect("an id");
    let path = format!("/api/v1/users/{id}/picture");
    assert_eq!(alice.tokens["user"]["picture"], Value::Null);
    bob.get(&path).await.refused(404, "picture-not-found");

    let answer = alice.raw("PUT", "/api/v1/me/picture", &PNG, png(128, 128)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let version = answer.json()["picture"].as_str().expect("a version").to_owned();
    assert!(version.len() <= 16 && version.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{version}");
    assert_eq!(alice.get("/api/v1/me").await.json()["picture"], version.as_str());
    assert_eq!(bob.get(&format!("/api/v1/users/{id}")).await.json()["picture"], version.as_str());

    let seen = bob.get(&format!("{path}?v={version}")).await;
    let etag = format!("\"{version}\"");
    assert_eq!((seen.status.as_u16(), &seen.body[..]), (200, &png(128, 128)[..]));
    assert_eq!((seen.header("content-type"), seen.header("etag")), (Some("image/png"), Some(etag.as_str())));
    assert_eq!(seen.header("x-content-type-options"), Some("nosniff"));
    assert!(seen.header("content-security-policy").is_some_and(|policy| policy.contains("sandbox")));
    assert!(seen.header("cache-control").is_some_and(|it| it.starts_with("private, max-age=")), "{seen:?}");
    // By no version, or one that was, it may be another one soon.
    for query in ["", "?v=0000000000000000"] {
        let seen = bob.get(&format!("{path}{query}")).await;
        assert_eq!((seen.status.as_u16(), seen.header("cache-control")), (200, Some("private, no-cache")));
    }
    let known = bob.raw("GET", &path, &[("if-none-match", &etag)], "").await;
    assert_eq!((known.status.as_u16(), known.body.len(), known.header("etag")), (304, 0, Some(etag.as_str())));
    let head = bob.raw("HEAD", &path, &[], "").await;
    assert_eq!((head.status.as_u16(), head.body.len(), head.header("content-type")), (200, 0, Some("image/png")));
    raw(&world.router, "GET", &path, &[], axum::body::Body::empty()).await.refused(401, "unauthenticated");
    bob.get("/api/v1/users/usr_00000000000000000000000000000000/picture").await.refused(404, "user-not-found");

    assert_eq!(alice.call("DELETE", "/api/v1/me/picture", &Value::Null).await.status, 204);
    bob.get(&format!("{path}?v={version}")).await.refused(404, "picture-not-found");
}

#[tokio::test]
async fn other_bodies_are_refused() {
    let world = World::new().await;
    let put = async |kind: &str, bytes: Vec<u8>| {
        world.alice.raw("PUT", "/api/v1/me/picture", &[("content-type", kind)], bytes).await
    };
    put("image/svg+xml", b"<svg/>".to_vec()).await.refused(415, "unsupported-media-type");
    put("image/jpeg", png(128, 128)).await.refused(400, "invalid-picture");
    put("image/png", b"<script>".to_vec()).await.refused(400, "invalid-picture");
    put("image/png", Vec::new()).await.refused(400, "invalid-picture");
    put("image/png", png(128, 129)).await.refused(400, "invalid-picture");
    put("image/png", png(2000, 2000)).await.refused(400, "invalid-picture");
    let most = [png(128, 128), vec![0; (256 << 10) - 24]].concat();
    assert_eq!(most.len(), 256 << 10);
    assert_eq!(put("image/png", most.clone()).await.status, 200);
    put("image/png", [most, vec![0]].concat()).await.refused(413, "body-too-large");
    world.alice.raw("PUT", "/api/v1/me/picture", &[], png(128, 128)).await.refused(415, "unsupported-media-type");

    // A program with a token is not the person.
    let new = json!({ "name": "program", "scopes": ["files"] });
    let token = world.alice.call("POST", "/api/v1/me/tokens", &new).await.json();
    let bearer = format!("Bearer {}", token["token"].as_str().expect("a token"));
    let headers = [("content-type", "image/png"), ("authorization", bearer.as_str())];
    let answer = raw(&world.router, "PUT", "/api/v1/me/picture", &headers, png(64, 64).into()).await;
    answer.refused(403, "permission-missing");
}

#[tokio::test]
async fn pictures_stand_beside_names_and_administrators_remove_them() {
    let world = World::new().await;
    let (alice, bob, admin) = (&world.alice, &world.bob, &world.admin);
    let version = bob.raw("PUT", "/api/v1/me/picture", &PNG, png(64, 64)).await.json()["picture"].clone();
    assert!(version.is_string());
    let id = bob.tokens["user"]["id"].as_str().expect("an id");
    let entry = alice.folder("shared").await;
    let grant = json!({ "subject": { "kind": "user", "id": id }, "role": "viewer" });
    let grants = format!("/api/v1/entries/{entry}/grants");
    assert_eq!(alice.call("PUT", &grants, &grant).await.json()["subject"]["picture"], version);
    let everyone = json!({ "subject": { "kind": "everyone" }, "role": "viewer" });
    assert_eq!(alice.call("PUT", &grants, &everyone).await.json()["subject"]["picture"], Value::Null);
    let found = alice.get("/api/v1/people?query=bob").await.json();
    assert_eq!((&found["items"][0]["id"], &found["items"][0]["picture"]), (&json!(id), &version));
    assert_eq!(admin.get("/api/v1/admin/users?search=bob").await.json()["items"][0]["picture"], version);

    let path = format!("/api/v1/admin/users/{id}/picture");
    alice.call("DELETE", &path, &Value::Null).await.refused(403, "permission-missing");
    assert_eq!(admin.call("DELETE", &path, &Value::Null).await.status, 204);
    assert_eq!(bob.get("/api/v1/me").await.json()["picture"], Value::Null);
    let log = admin.get("/api/v1/admin/audit?action=picture-removed").await.json();
    assert_eq!(log["items"][0]["account_id"], id);
    admin
        .call("DELETE", "/api/v1/admin/users/usr_00000000000000000000000000000000/picture", &Value::Null)
        .await
        .refused(404, "user-not-found");
}
