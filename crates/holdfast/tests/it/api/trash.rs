//! The trash over HTTP: what is deleted, listed, restored, and gone for good.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Answer, User, bytes, eventually};

fn id(entry: &Value) -> &str {
    entry["id"].as_str().expect("an id")
}

async fn used(user: &User) -> u64 {
    let space = user.user["space_id"].as_str().expect("a space");
    user.get(&format!("/spaces/{space}")).await.expect(200)["used_bytes"].as_u64().expect("a number")
}

async fn trash(user: &User) -> Vec<Value> {
    let page = user.get("/trash?limit=1000").await.expect(200);
    page["items"].as_array().expect("items").clone()
}

pub(super) async fn suite(user: &User, reader: &User, other: &User) {
    let before = used(user).await;
    let kept = trash(user).await.len();
    let folder = user.post("/folders", &json!({ "name": "to-trash" })).await.expect(201);
    let query = [("name", "f.bin"), ("parent", id(&folder))];
    let content = bytes(31, 100_000);
    let file = Answer::of(user.request("POST", "/files").query(&query).body(content.clone())).await.expect(201);
    assert_eq!(user.delete(&format!("/entries/{}", id(&folder))).await.status, 204);

    // Seen at once at the other gateway: gone from its folder, readable in the trash, not to be changed.
    let listed = trash(reader).await;
    assert_eq!(
        (listed.len(), &listed[0]["id"], &listed[0]["original_path"]),
        (kept + 1, &folder["id"], &json!("/to-trash"))
    );
    assert_eq!((&listed[0]["trashed"], &listed[0]["trashed_by"]), (&json!(true), &user.user["id"]));
    assert!(listed[0]["purged_at"].as_str() > listed[0]["trashed_at"].as_str(), "{}", listed[0]);
    assert_eq!(reader.get(&format!("/entries/{}", id(&file))).await.expect(200)["trashed"], true);
    assert!(reader.download(id(&file)).await == content);
    assert_eq!(used(reader).await, before + 100_000, "what is in the trash counts");
    let change = Answer::of(reader.request("PATCH", &format!("/entries/{}", id(&file))).json(&json!({ "name": "g" })));
    change.await.refused(409, "in-trash");
    Answer::of(reader.request("PUT", &format!("/files/{}", id(&file))).body("x")).await.refused(409, "in-trash");
    let into = [("name", "x"), ("parent", id(&folder))];
    Answer::of(reader.request("POST", "/files").query(&into).body("x")).await.refused(409, "in-trash");
    reader.delete(&format!("/entries/{}", id(&folder))).await.refused(404, "not-found");

    // The name is free, so what comes back stands beside its successor.
    let successor = user.post("/folders", &json!({ "name": "to-trash" })).await.expect(201);
    let restore = |user: &User, entry: &Value, body: Value| {
        let request = user.request("POST", &format!("/entries/{}/restore", id(entry))).json(&body);
        Answer::of(request)
    };
    restore(other, &folder, json!({})).await.refused(404, "not-found");
    restore(user, &folder, json!({ "on_conflict": "fail" })).await.refused(409, "name-taken");
    restore(user, &folder, json!({ "on_conflict": "replace" })).await.refused(400, "invalid-request");
    restore(user, &folder, json!({ "parent_id": id(&folder) })).await.refused(409, "in-trash");
    let (one, two) = tokio::join!(restore(user, &folder, json!({})), restore(reader, &folder, json!({})));
    let (back, refused) = if one.status == 200 { (one, two) } else { (two, one) };
    refused.refused(409, "not-in-trash");
    assert_eq!(back.expect(200)["name"], "to-trash (2)");
    assert!(reader.download(id(&file)).await == content);

    // Without its folder a file must be told where to go.
    let at = |entry: &Value| format!("/files/{}", id(entry));
    assert_eq!(user.delete(&at(&file)).await.status, 204);
    assert_eq!(user.delete(&format!("/folders/{}", id(&folder))).await.status, 204);
    let gone = user.post(&format!("{}/restore", at(&file)), &json!({})).await;
    gone.refused(409, "original-folder-gone");
    let elsewhere = json!({ "parent_id": id(&successor), "name": "again.bin" });
    let back = user.post(&format!("{}/restore", at(&file)), &elsewhere).await.expect(200);
    assert_eq!((&back["name"], &back["parent_id"]), (&json!("again.bin"), &successor["id"]));

    // Emptied: a job, whose end can be seen; the bytes are free again.
    assert_eq!(user.delete(&format!("/entries/{}", id(&successor))).await.status, 204);
    let theirs = user.user["space_id"].as_str().expect("a space");
    other.delete(&format!("/trash?space={theirs}")).await.refused(404, "not-found");
    other.get(&format!("/trash?space={theirs}")).await.refused(404, "not-found");
    let asked = user.delete("/trash").await.expect(202);
    assert!(asked["job_id"].as_str().is_some_and(|job| job.starts_with("job_")), "{asked}");
    assert_eq!(asked["entries_total"], kept + 2);
    eventually("the trash is empty", Duration::from_secs(30), async || {
        let state = reader.get("/trash/emptying").await.expect(200);
        (state["state"] == "idle" && state["trees_left"] == 0).then_some(())
    })
    .await;
    assert!(trash(reader).await.is_empty());
    assert!(used(reader).await <= before);
    reader.get(&at(&file)).await.refused(404, "not-found");
}
