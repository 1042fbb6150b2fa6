//! API tokens and S3 keys over HTTP: what they open, and what stays shut.

use axum::body::Body;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::world::{Answer, PASSWORD, World, raw};

/// A new token of Alice's: its text and its id.
async fn token(world: &World, scopes: &[&str]) -> (String, String) {
    let body = json!({ "name": "a script", "scopes": scopes });
    let answer = world.alice.call("POST", "/api/v1/me/tokens", &body).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (201, Some("no-store")), "{answer:?}");
    let made = answer.json();
    let text = |field: &str| made[field].as_str().expect("text").to_owned();
    assert!(text("token").starts_with(&text("prefix")));
    (text("token"), text("id"))
}

async fn with(world: &World, authorization: &str, method: &str, path: &str, body: &Value) -> Answer {
    let headers = [("authorization", authorization), ("content-type", "application/json")];
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    raw(&world.router, method, path, &headers, body).await
}

#[tokio::test]
async fn tokens_open_what_their_scopes_say() {
    let world = World::new().await;
    let (reader, _) = token(&world, &["files.read"]).await;
    let (writer, _) = token(&world, &["files"]).await;
    let (reader, writer) = (format!("Bearer {reader}"), format!("Bearer {writer}"));
    let folder = json!({ "name": "made by a script" });
    assert_eq!(with(&world, &reader, "GET", "/api/v1/spaces", &Value::Null).await.status, 200);
    with(&world, &reader, "POST", "/api/v1/folders", &folder).await.refused(403, "permission-missing");
    let made = with(&world, &writer, "POST", "/api/v1/folders", &folder).await;
    assert_eq!(made.status, 201, "{made:?}");
    let entry = made.json()["id"].as_str().expect("an id").to_owned();
    assert_eq!(with(&world, &reader, "GET", &format!("/api/v1/entries/{entry}"), &Value::Null).await.status, 200);
    // Resumable uploads have the same door.
    let upload = [("tus-resumable", "1.0.0"), ("upload-length", "3"), ("upload-metadata", "filename YQ==")];
    for (authorization, status) in [(&reader, 403), (&writer, 201)] {
        let headers: Vec<_> = upload.into_iter().chain([("authorization", authorization.as_str())]).collect();
        let answer = raw(&world.router, "POST", "/api/v1/uploads", &headers, Body::empty()).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
    // Links are a permission of their own.
    let link = json!({ "mode": "view" });
    let path = format!("/api/v1/entries/{entry}/links");
    with(&world, &writer, "POST", &path, &link).await.refused(403, "permission-missing");
    let (sharer, _) = token(&world, &["files", "share"]).await;
    let made = with(&world, &format!("Bearer {sharer}"), "POST", &path, &link).await;
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    let update = json!({ "name": "x" });
    with(&world, &writer, "PATCH", &format!("/api/v1/links/{id}"), &update).await.refused(403, "permission-missing");
    // And nobody administers with them.
    with(&world, &format!("Bearer {sharer}"), "GET", "/api/v1/admin/nodes", &Value::Null)
        .await
        .refused(403, "permission-missing");
}

#[tokio::test]
async fn tokens_have_no_say_over_the_account() {
    let world = World::new().await;
    let (text, id) = token(&world, &["files", "share"]).await;
    let bearer = format!("Bearer {text}");
    let more = json!({ "name": "more", "scopes": ["files"] });
    let password = json!({ "old_password": PASSWORD, "new_password": "another good one" });
    let session = format!("/api/v1/sessions/{}", id.replace("key_", "ses_"));
    for (method, path, body) in [
        ("POST", "/api/v1/me/tokens", &more),
        ("GET", "/api/v1/me/tokens", &Value::Null),
        ("DELETE", &format!("/api/v1/me/tokens/{id}"), &Value::Null),
        ("POST", "/api/v1/me/s3-keys", &more),
        ("GET", "/api/v1/me/s3-keys", &Value::Null),
        ("DELETE", &format!("/api/v1/me/s3-keys/{id}"), &Value::Null),
        ("POST", "/api/v1/me/password", &password),
        ("GET", "/api/v1/sessions", &Value::Null),
        ("DELETE", &session, &Value::Null),
        ("POST", "/api/v1/logout", &Value::Null),
    ] {
        with(&world, &bearer, method, path, body).await.refused(403, "permission-missing");
    }
    assert_eq!(with(&world, &bearer, "GET", "/api/v1/me", &Value::Null).await.status, 200, "and it still is good");
}

#[tokio::test]
async fn basic_takes_tokens_and_not_the_password() {
    let world = World::new().await;
    let (text, id) = token(&world, &["files.read"]).await;
    let basic = |name: &str, password: &str| format!("Basic {}", STANDARD.encode(format!("{name}:{password}")));
    let get = async |authorization: &str| with(&world, authorization, "GET", "/api/v1/spaces", &Value::Null).await;
    assert_eq!(get(&basic("Alice", &text)).await.status, 200);
    for (name, password) in [("bob", text.as_str()), ("alice", PASSWORD), ("a b", &text), ("", &text)] {
        get(&basic(name, password)).await.refused(401, "wrong-credentials");
    }
    let gone = world.alice.call("DELETE", &format!("/api/v1/me/tokens/{id}"), &Value::Null).await;
    assert_eq!(gone.status, 204, "{gone:?}");
    get(&basic("alice", &text)).await.refused(401, "wrong-credentials");
    get(&format!("Bearer {text}")).await.refused(401, "invalid-token");
}

#[tokio::test]
async fn tokens_and_keys_are_listed_without_their_secrets() {
    let world = World::new().await;
    let (text, id) = token(&world, &["files"]).await;
    let body = json!({ "name": "buckets", "scopes": ["files"], "expires_at": "2027-01-01T00:00:00Z" });
    let answer = world.alice.call("POST", "/api/v1/me/s3-keys", &body).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (201, Some("no-store")), "{answer:?}");
    let made = answer.json();
    let secret = made["secret_access_key"].as_str().expect("a secret");
    let tokens = world.alice.get("/api/v1/me/tokens").await.json();
    assert_eq!((&tokens["items"][0]["id"], tokens["items"].as_array().map(Vec::len)), (&json!(id), Some(1)));
    assert!(!tokens.to_string().contains(&text));
    let keys = world.alice.get("/api/v1/me/s3-keys").await.json();
    assert_eq!(keys["items"][0]["access_key_id"], made["access_key_id"]);
    assert_eq!(keys["items"][0]["expires_at"], "2027-01-01T00:00:00.000000Z");
    assert!(!keys.to_string().contains(secret));
    assert_eq!(world.bob.get("/api/v1/me/tokens").await.json()["items"], json!([]));
    for (body, code) in [
        (json!({ "name": "x", "scopes": [] }), "invalid-scopes"),
        (json!({ "name": "x", "scopes": ["account"] }), "invalid-scopes"),
        (json!({ "name": "", "scopes": ["files"] }), "invalid-display-name"),
        (json!({ "name": "x", "scopes": ["files"], "expires_at": "2020-01-01T00:00:00Z" }), "invalid-expiry"),
        (json!({ "name": "x", "scopes": ["files"], "expires_at": "soon" }), "invalid-request"),
    ] {
        world.alice.call("POST", "/api/v1/me/tokens", &body).await.refused(400, code);
    }
    let admin = json!({ "name": "x", "scopes": ["admin.users"] });
    world.alice.call("POST", "/api/v1/me/tokens", &admin).await.refused(403, "permission-missing");
    let path = format!("/api/v1/me/tokens/{id}");
    world.bob.call("DELETE", &path, &Value::Null).await.refused(404, "key-not-found");
}
