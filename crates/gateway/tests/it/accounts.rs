//! People: registration, sign-in, sessions, and what is refused.

use axum::body::Body;
use serde_json::{Value, json};

use crate::world::{PASSWORD, World, raw};

#[tokio::test]
async fn somebody_registers_and_signs_in() {
    let world = World::new().await;
    let register = json!({ "name": "carol", "password": PASSWORD, "display_name": "Carol" });
    let answer = world.anonymous("POST", "/api/v1/register", &register).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let user = answer.json();
    assert_eq!((user["name"].as_str(), user["display_name"].as_str()), (Some("carol"), Some("Carol")));
    world.anonymous("POST", "/api/v1/register", &register).await.refused(409, "name-taken");

    let login = json!({ "name": "CAROL", "password": PASSWORD, "client": "test" });
    let answer = world.anonymous("POST", "/api/v1/login", &login).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let tokens = answer.json();
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(900)));
    assert_eq!(tokens["user"]["id"], user["id"]);
    assert!(tokens["user"]["permissions"].is_array() && tokens["user"]["root_id"].is_string());

    let wrong = json!({ "name": "carol", "password": "not this one" });
    let answer = world.anonymous("POST", "/api/v1/login", &wrong).await;
    answer.refused(401, "wrong-credentials");
    assert!(answer.header("www-authenticate").is_some());
}

#[tokio::test]
async fn tokens_are_refreshed_once() {
    let world = World::new().await;
    let spent = json!({ "refresh_token": world.alice.tokens["refresh_token"] });
    let answer = world.anonymous("POST", "/api/v1/refresh", &spent).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    world
        .anonymous("POST", "/api/v1/refresh", &json!({ "refresh_token": "nonsense" }))
        .await
        .refused(401, "invalid-token");
}

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let world = World::new().await;
    let alice = &world.alice;
    let page = alice.get("/api/v1/sessions").await.json();
    let session = &page["items"][0];
    assert_eq!(session["current"], true);
    assert_eq!(page["next_cursor"], Value::Null);
    let path = format!("/api/v1/sessions/{}", session["id"].as_str().expect("an id"));
    world.bob.call("DELETE", &path, &Value::Null).await.refused(404, "session-not-found");
    assert_eq!(alice.call("DELETE", &path, &Value::Null).await.status, 204);
    alice.get("/api/v1/me").await.refused(401, "session-ended");
    assert_eq!(world.bob.call("POST", "/api/v1/logout", &Value::Null).await.status, 204);
    world.bob.get("/api/v1/me").await.refused(401, "session-ended");
}

#[tokio::test]
async fn others_show_little() {
    let world = World::new().await;
    let me = world.alice.get("/api/v1/me").await.json();
    let path = format!("/api/v1/users/{}", me["id"].as_str().expect("an id"));
    let seen = world.bob.get(&path).await.json();
    assert_eq!(seen.as_object().expect("an object").len(), 4, "{seen}");
    assert_eq!(world.admin.get(&path).await.json(), me);
    world.bob.get("/api/v1/users/usr_00000000000000000000000000000000").await.refused(404, "user-not-found");
    world.bob.get("/api/v1/users/ent_00000000000000000000000000000000").await.refused(400, "invalid-id");
}

#[tokio::test]
async fn passwords_change() {
    let world = World::new().await;
    let change = |old: &str| json!({ "old_password": old, "new_password": "another good one" });
    world.alice.call("POST", "/api/v1/me/password", &change("wrong")).await.refused(403, "wrong-password");
    assert_eq!(world.alice.call("POST", "/api/v1/me/password", &change(PASSWORD)).await.status, 204);
    let login = json!({ "name": "alice", "password": PASSWORD });
    world.anonymous("POST", "/api/v1/login", &login).await.refused(401, "wrong-credentials");
}

#[tokio::test]
async fn attempts_are_slowed_down() {
    let world = World::new().await;
    let wrong = json!({ "name": "alice", "password": "wrong wrong" });
    let mut last = None;
    for _ in 0..50 {
        let answer = world.anonymous("POST", "/api/v1/login", &wrong).await;
        if answer.status == 429 {
            last = Some(answer);
            break;
        }
    }
    let answer = last.expect("not for ever");
    answer.refused(429, "too-many-attempts");
    assert!(
        answer.header("retry-after").is_some_and(|seconds| seconds.parse::<u64>().is_ok_and(|seconds| seconds > 0))
    );
}

#[tokio::test]
async fn tokens_are_needed_and_must_be_good() {
    let world = World::new().await;
    for (value, code) in [
        (None, "unauthenticated"),
        (Some("Basic YTpi"), "wrong-credentials"),
        (Some("Basic YQ=="), "unauthenticated"),
        (Some("Bearer"), "unauthenticated"),
        (Some("Bearer nonsense"), "invalid-token"),
        (Some("Bearer a.b.c"), "invalid-token"),
    ] {
        for path in [
            "/api/v1/me",
            "/api/v1/spaces",
            "/api/v1/files/ent_00000000000000000000000000000000",
            "/api/v1/admin/nodes",
        ] {
            let headers: Vec<_> = value.iter().map(|value| ("authorization", *value)).collect();
            let answer = raw(&world.router, "GET", path, &headers, Body::empty()).await;
            answer.refused(401, code);
        }
    }
}

#[tokio::test]
async fn bodies_are_read_strictly() {
    let world = World::new().await;
    let register = "/api/v1/register";
    let check = async |content_type: Option<&str>, body: String, status, code| {
        let headers: Vec<_> = content_type.iter().map(|value| ("content-type", *value)).collect();
        raw(&world.router, "POST", register, &headers, Body::from(body)).await.refused(status, code);
    };
    let good = json!({ "name": "dora", "password": PASSWORD });
    let json_type = Some("application/json");
    check(None, good.to_string(), 415, "unsupported-media-type").await;
    check(Some("text/plain"), good.to_string(), 415, "unsupported-media-type").await;
    check(json_type, "{".into(), 400, "invalid-request").await;
    check(json_type, String::new(), 400, "invalid-request").await;
    check(json_type, format!("{good} x"), 400, "invalid-request").await;
    check(
        json_type,
        json!({ "name": "dora", "password": PASSWORD, "displayname": "x" }).to_string(),
        400,
        "invalid-request",
    )
    .await;
    check(json_type, json!({ "name": "dora" }).to_string(), 400, "invalid-request").await;
    check(json_type, json!({ "name": "dora", "password": 5 }).to_string(), 400, "invalid-request").await;
    check(json_type, json!({ "name": "d", "password": PASSWORD }).to_string(), 400, "invalid-account-name").await;
    check(json_type, json!({ "name": "dora", "password": "short" }).to_string(), 400, "invalid-password").await;
    check(json_type, format!("{{\"name\":\"{}\"}}", "x".repeat(70_000)), 413, "body-too-large").await;
    let answer = raw(
        &world.router,
        "POST",
        "/api/v1/register?x=1",
        &[("content-type", "application/json")],
        good.to_string().into(),
    )
    .await;
    answer.refused(400, "invalid-request");
}
