//! Undo and redo over HTTP.

use serde_json::{Value, json};

use crate::harness::{Answer, User};

pub(super) async fn suite(user: &User, reader: &User, other: &User) {
    let space = user.user["space_id"].as_str().expect("a space");
    let undo = |user: &User, body: Value| Answer::of(user.request("POST", "/undo").json(&body));
    let redo = |user: &User, body: Value| Answer::of(user.request("POST", "/redo").json(&body));
    let file = user.upload("undone", b"one".to_vec()).await;
    let id = file["id"].as_str().expect("an id");
    Answer::of(user.request("PUT", &format!("/files/{id}")).body("two")).await.expect(200);
    let renamed = Answer::of(user.request("PATCH", &format!("/entries/{id}")).json(&json!({ "name": "renamed" })));
    renamed.await.expect(200);
    let sequence = user.get(&format!("/spaces/{space}")).await.expect(200)["sequence"].as_u64().expect("a number");
    assert_eq!(user.delete(&format!("/files/{id}")).await.status, 204);

    // From another session, at another gateway.
    let back = undo(reader, json!({})).await.expect(200);
    assert_eq!((&back["items"][0]["kind"], &back["items"][0]["entry"]["id"]), (&json!("restored"), &file["id"]));
    let back = undo(user, json!({ "space_id": space, "sequence": sequence })).await.expect(200);
    assert_eq!(back["items"][0]["entry"]["name"], "undone");
    undo(reader, json!({})).await.expect(200);
    assert_eq!(reader.download(id).await, b"one");
    undo(user, json!({})).await.expect(200);
    assert_eq!(reader.get(&format!("/entries/{id}")).await.expect(200)["trashed"], true);
    for _ in 0..3 {
        redo(reader, json!({})).await.expect(200);
    }
    assert_eq!(
        (reader.download(id).await, reader.get(&format!("/entries/{id}")).await.expect(200)["name"].clone()),
        (b"two".to_vec(), json!("renamed"))
    );

    // The journal says what took back what.
    let changes = reader.get(&format!("/spaces/{space}/changes?since=1.{}", sequence + 1)).await.expect(200);
    assert_eq!(changes["items"][0]["undoes"], json!(sequence + 1));

    // A change that was undone and redone is undone by its own number still, once.
    let back = undo(user, json!({ "sequence": sequence })).await.expect(200);
    assert_eq!((&back["items"][0]["entry"]["name"], back["items"][0]["undoes"] == sequence), (&json!("undone"), false));
    undo(user, json!({ "sequence": sequence })).await.refused(409, "undo-conflict");
    Answer::of(user.request("PATCH", &format!("/entries/{id}")).json(&json!({ "name": "again" }))).await.expect(200);
    redo(user, json!({})).await.refused(409, "nothing-to-undo");
    assert_eq!(user.delete(&format!("/files/{id}?permanent=true")).await.status, 204);
    let gone = user.get(&format!("/spaces/{space}")).await.expect(200)["sequence"].as_u64().expect("a number");
    undo(user, json!({ "sequence": gone })).await.refused(409, "not-undoable");
    let conflict = undo(user, json!({ "sequence": gone - 1 })).await;
    assert!(conflict.json()["detail"].as_str().is_some_and(|detail| detail.contains("gone")), "{conflict:?}");
    conflict.refused(409, "undo-conflict");
    undo(other, json!({ "space_id": space })).await.refused(404, "not-found");
    undo(user, json!({ "sequence": 1, "operation_id": "00000000-0000-0000-0000-000000000001" }))
        .await
        .refused(400, "invalid-request");
}
