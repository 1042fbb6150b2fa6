//! Administration.

use serde_json::Value;

use crate::world::World;

#[tokio::test]
async fn only_for_administrators() {
    let world = World::new().await;
    for path in ["/api/v1/admin/nodes", "/api/v1/admin/cluster", "/api/v1/admin/jobs"] {
        world.alice.get(path).await.refused(403, "permission-missing");
        assert_eq!(world.admin.get(path).await.status, 200);
    }
    let drain = format!("/api/v1/admin/nodes/{}/drain", world.node);
    world.alice.call("POST", &drain, &Value::Null).await.refused(403, "permission-missing");
}

#[tokio::test]
async fn nodes_are_shown_drained_and_kept() {
    let world = World::new().await;
    world.alice.upload("name=a", crate::world::bytes(100_000)).await;
    let nodes = world.admin.get("/api/v1/admin/nodes").await.json();
    let nodes = nodes["items"].as_array().expect("nodes");
    assert_eq!(nodes.len(), 6);
    assert!(nodes.iter().all(|node| node["state"] == "active" && node["live"] == true));
    let at = |what: &str| format!("/api/v1/admin/nodes/{}{what}", world.node);
    // Six are needed, and there are six.
    world.admin.call("POST", &at("/drain"), &Value::Null).await.refused(503, "too-few-nodes");
    world.admin.call("DELETE", &at(""), &Value::Null).await.refused(409, "node-not-empty");
    // By force only what is dead.
    world.admin.call("DELETE", &at("?force=true"), &Value::Null).await.refused(409, "node-live");
    world.admin.call("DELETE", &at("?force=yes"), &Value::Null).await.refused(400, "invalid-request");
    assert_eq!(world.admin.call("POST", &at("/activate"), &Value::Null).await.status, 200);
    let unknown = "/api/v1/admin/nodes/nod_00000000000000000000000000000000/activate";
    world.admin.call("POST", unknown, &Value::Null).await.refused(404, "not-found");
    let cluster = world.admin.get("/api/v1/admin/cluster").await.json();
    assert!(cluster["epoch"].as_u64().is_some_and(|epoch| epoch > 0), "{cluster}");
}

#[tokio::test]
async fn jobs_are_listed() {
    let world = World::new().await;
    let jobs = world.admin.get("/api/v1/admin/jobs?state=waiting&limit=5").await.json();
    assert!(jobs["items"].is_array() && jobs["next_cursor"].is_null(), "{jobs}");
    world.admin.get("/api/v1/admin/jobs?state=lost").await.refused(400, "invalid-request");
    let retry = "/api/v1/admin/jobs/job_00000000000000000000000000000000/retry";
    world.admin.call("POST", retry, &Value::Null).await.refused(404, "job-not-found");
}
