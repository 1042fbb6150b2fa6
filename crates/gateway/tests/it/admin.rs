//! Administration.

use std::time::Duration;

use bus::{Tally, Unit};
use serde_json::{Value, json};

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

#[tokio::test]
async fn running_jobs_say_since_when_by_whom_and_how_far() {
    let world = World::new().await;
    let (alice, admin) = (&world.alice, &world.admin);
    let space = alice.space();
    let made = alice.folder("kept").await;
    assert_eq!(alice.call("DELETE", &format!("/api/v1/entries/{made}"), &Value::Null).await.status, 204);
    assert_eq!(alice.call("DELETE", &format!("/api/v1/trash?space={space}"), &Value::Null).await.status, 202);
    let waiting = admin.get("/api/v1/admin/jobs?state=waiting").await.json()["items"][0].clone();
    for (field, expected) in
        [("state", json!("waiting")), ("started_at", Value::Null), ("worker", Value::Null), ("progress", Value::Null)]
    {
        assert_eq!(waiting[field], expected, "{waiting}");
    }
    let lease = Duration::from_secs(60);
    let job = world.jobs.lease(&["drive.empty"], lease).await.expect("a look").expect("the job");
    job.tell(Tally { done: 1, total: Some(3), unit: Unit::Entries });
    world.jobs.renew(&job, lease).await.expect("renewed");
    assert_eq!(admin.get("/api/v1/admin/jobs?state=waiting").await.json()["items"], json!([]));
    let running = admin.get("/api/v1/admin/jobs?state=running").await.json()["items"][0].clone();
    assert_eq!((&running["id"], &running["state"]), (&waiting["id"], &json!("running")));
    assert_eq!(running["progress"], json!({ "done": 1, "total": 3, "unit": "entries" }));
    assert!(running["started_at"].is_string(), "{running}");
}

#[tokio::test]
async fn jobs_that_may_be_left_undone_are_cancelled() {
    let world = World::new().await;
    let (alice, admin) = (&world.alice, &world.admin);
    let space = alice.tokens["user"]["space_id"].as_str().expect("an id").to_owned();
    let folder = async |name: &str| {
        let made = alice.call("POST", "/api/v1/folders", &json!({ "name": name })).await.json();
        format!("/api/v1/entries/{}", made["id"].as_str().expect("an id"))
    };
    let kept = folder("kept").await;
    assert_eq!(alice.call("DELETE", &kept, &Value::Null).await.status, 204);
    assert_eq!(alice.call("DELETE", &format!("/api/v1/trash?space={space}"), &Value::Null).await.status, 202);
    let team = alice.call("POST", "/api/v1/spaces", &json!({ "name": "team" })).await.json();
    let team = format!("/api/v1/spaces/{}", team["id"].as_str().expect("an id"));
    assert_eq!(alice.call("DELETE", &team, &Value::Null).await.status, 204);
    let queues = admin.get("/api/v1/admin/queues").await.json();
    let seen: Vec<_> =
        queues["items"].as_array().expect("items").iter().map(|one| (&one["kind"], &one["cancellable"])).collect();
    assert_eq!(seen, [(&json!("drive.dissolve"), &json!(false)), (&json!("drive.empty"), &json!(true))], "{queues}");
    let jobs = admin.get("/api/v1/admin/jobs?state=waiting").await.json();
    for job in jobs["items"].as_array().expect("items") {
        let path = format!("/api/v1/admin/jobs/{}", job["id"].as_str().expect("an id"));
        let answer = admin.call("DELETE", &path, &Value::Null).await;
        if job["kind"] == "drive.dissolve" {
            answer.refused(409, "job-not-cancellable");
        } else {
            assert_eq!(answer.status, 204, "{answer:?}");
            admin.call("DELETE", &path, &Value::Null).await.refused(404, "job-not-found");
        }
    }
    let trash = alice.get(&format!("/api/v1/trash?space={space}")).await.json();
    assert_eq!(trash["items"].as_array().map(Vec::len), Some(1), "what was not emptied yet stays");
    let log = admin.get("/api/v1/admin/audit?action=job-cancelled").await.json();
    assert_eq!(log["items"][0]["detail"]["kind"], "drive.empty");
}
