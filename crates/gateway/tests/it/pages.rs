//! What is beside the API: health, metrics, documentation, addresses that are none, other origins.

use axum::body::Body;
use gateway::{Options, Origins};
use serde_json::Value;

use crate::world::{World, raw};

#[tokio::test]
async fn watchers_need_no_token() {
    let world = World::new().await;
    let get = async |path: &str| world.anonymous("GET", path, &Value::Null).await;
    assert_eq!(get("/healthz").await.body, "ok\n");
    assert_eq!(get("/readyz").await.json()["ready"], true);
    assert_eq!(get("/metrics").await.body, "metric 1\n");
}

#[tokio::test]
async fn the_pages_are_closed_to_other_hosts() {
    let world = World::new().await;
    let get = async |path: &str| world.anonymous("GET", path, &Value::Null).await;
    for path in ["/api/v1/docs", "/api/v1/docs/errors"] {
        let page = get(path).await;
        assert_eq!(page.status, 200);
        let policy = page.header("content-security-policy").expect("a policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    }
    assert_eq!(get("/api/v1/docs/style.css").await.header("content-type"), Some("text/css; charset=utf-8"));
    assert_eq!(get("/api/v1/docs/script.js").await.header("content-type"), Some("text/javascript; charset=utf-8"));
    let description = get("/api/v1/openapi.json").await.json();
    assert_eq!(description["paths"]["/api/v1/files/{id}"]["get"]["operationId"], "download_file");
    assert_eq!(description["components"]["securitySchemes"]["token"]["scheme"], "bearer");
}

#[tokio::test]
async fn addresses_and_methods_that_are_none() {
    let world = World::new().await;
    let get = async |path: &str| world.anonymous("GET", path, &Value::Null).await;
    for path in ["/", "/api", "/api/v1/nothing", "/api/v1/files/a/b/c"] {
        get(path).await.refused(404, "no-such-route");
    }
    let answer = world.anonymous("PUT", "/api/v1/login", &Value::Null).await;
    answer.refused(405, "method-not-allowed");
    assert_eq!(answer.header("allow"), Some("POST"));
}

#[tokio::test]
async fn traces_are_taken_up() {
    let world = World::new().await;
    let id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let traceparent = format!("00-{id}-00f067aa0ba902b7-01");
    let answer = raw(&world.router, "GET", "/healthz", &[("traceparent", &traceparent)], Body::empty()).await;
    assert_eq!(answer.header("request-id"), Some(id));
    let answer = raw(&world.router, "GET", "/healthz", &[("traceparent", "nonsense")], Body::empty()).await;
    assert!(answer.header("request-id").is_some_and(|own| own.len() == 32 && own != id));
}

#[tokio::test]
async fn origins_that_are_let_in() {
    let listed = Origins::Listed(vec!["https://files.example".into()]);
    let world = World::with(Options { origins: listed, ..Options::default() }).await;
    let preflight = async |origin: &str, path: &str| {
        let headers = [("origin", origin), ("access-control-request-method", "PATCH")];
        raw(&world.router, "OPTIONS", path, &headers, Body::empty()).await
    };
    for path in ["/api/v1/uploads", "/api/v1/folders"] {
        let answer = preflight("https://files.example", path).await;
        assert_eq!(answer.status, 204, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://files.example"));
        assert!(answer.header("access-control-allow-headers").is_some_and(|list| list.contains("Upload-Offset")));
        assert_eq!(preflight("https://evil.example", path).await.header("access-control-allow-origin"), None);
    }
    let answer = raw(&world.router, "GET", "/api/v1/me", &[("origin", "https://files.example")], Body::empty()).await;
    answer.refused(401, "unauthenticated");
    assert!(answer.header("access-control-expose-headers").is_some_and(|list| list.contains("Upload-Offset")));
}

#[tokio::test]
async fn one_request_too_many() {
    let world = World::with(Options { requests_max: 16, ..Options::default() }).await;
    let mut slow: Vec<_> = (0..16)
        .map(|number| {
            let body = Body::from_stream(futures::stream::pending::<Result<bytes::Bytes, std::io::Error>>());
            Box::pin(async move { (number, body) })
        })
        .collect();
    let alice = &world.alice;
    let mut open = futures::stream::FuturesUnordered::new();
    for begun in slow.drain(..) {
        open.push(async move {
            let (number, body) = begun.await;
            alice.raw("POST", &format!("/api/v1/files?name={number}"), &[], body).await
        });
    }
    // Polled once, each has its place.
    assert!(futures::poll!(futures::StreamExt::next(&mut open)).is_pending());
    let answer = world.alice.get("/api/v1/me").await;
    answer.refused(503, "overloaded");
    assert_eq!(answer.header("retry-after"), Some("1"));
    drop(open);
    assert_eq!(world.alice.get("/api/v1/me").await.status, 200);
}
