//! Totals, descriptions, tags, favourites, what is recent, retention, and many things in one call.

use serde_json::{Value, json};

use crate::world::{Person, World};

fn id(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_owned()
}

async fn entry(person: &Person, id: &str) -> Value {
    person.get(&format!("/api/v1/entries/{id}")).await.json()
}

#[tokio::test]
async fn folders_say_what_is_below_them() {
    let world = World::new().await;
    let alice = &world.alice;
    let folder = alice.folder("Photos").await;
    let file = alice.upload(&format!("parent={folder}&name=a.txt"), "hello").await;
    assert_eq!(entry(alice, &folder).await["total"], json!({ "bytes": 5, "files": 1, "folders": 0 }));
    assert_eq!(entry(alice, alice.root()).await["total"], json!({ "bytes": 5, "files": 1, "folders": 1 }));
    assert!(entry(alice, &file).await.get("total").is_none());
    let page = alice.get(&format!("/api/v1/folders/{}/children", alice.root())).await.json();
    assert_eq!(page["items"][0]["total"]["files"], 1);
    let changes = alice.get(&format!("/api/v1/spaces/{}/changes", alice.space())).await.json();
    assert!(changes["items"].as_array().expect("items").iter().all(|item| item["entry"].get("total").is_none()));
}

#[tokio::test]
async fn entries_are_described() {
    let world = World::new().await;
    let alice = &world.alice;
    let file = alice.upload("name=a.txt", "hello").await;
    let path = format!("/api/v1/entries/{file}");
    let body = json!({ "description": "signed", "properties": {
        "amount": { "type": "number", "value": 12.5 }, "due": { "type": "date", "value": "2026-11-21" },
        "paid": { "type": "boolean", "value": true }, "by": { "type": "text", "value": "Ada" },
    } });
    let described = alice.call("PATCH", &path, &body).await.json();
    assert_eq!((&described["description"], &described["properties"]), (&body["description"], &body["properties"]));
    let mut seen = entry(alice, &file).await;
    assert_eq!(seen.as_object_mut().and_then(|seen| seen.remove("role")), Some(json!("manager")));
    assert_eq!(seen, described);
    let changed = json!({ "description": null, "properties": { "by": null, "due": null, "paid": null } });
    let changed = alice.call("PATCH", &path, &changed).await.json();
    assert!(changed.get("description").is_none());
    assert_eq!(changed["properties"], json!({ "amount": { "type": "number", "value": 12.5 } }));
    for bad in [
        json!({ "properties": { "a": { "type": "date", "value": "today" } } }),
        json!({ "description": "x".repeat(4097) }),
    ] {
        alice.call("PATCH", &path, &bad).await.refused(400, "invalid-details");
    }
    for bad in [
        json!({}),
        json!({ "name": "b", "description": "c" }),
        json!({ "properties": { "a": { "type": "number", "value": "1" } } }),
        json!({ "properties": { "a": { "type": "money", "value": 1 } } }),
        json!({ "properties": { "a": 1 } }),
    ] {
        alice.call("PATCH", &path, &bad).await.refused(400, "invalid-request");
    }
}

#[tokio::test]
async fn tags_have_a_life() {
    let world = World::new().await;
    let alice = &world.alice;
    let tags = format!("/api/v1/spaces/{}/tags", alice.space());
    let made = alice.call("POST", &tags, &json!({ "name": "Invoices", "colour": "green" })).await;
    assert_eq!(made.status, 201);
    let (made, other) =
        (made.json(), alice.call("POST", &tags, &json!({ "name": "Paid", "colour": "grey" })).await.json());
    alice.call("POST", &tags, &json!({ "name": "x", "colour": "mauve" })).await.refused(400, "invalid-request");
    alice.call("POST", &tags, &json!({ "name": "paid", "colour": "red" })).await.refused(409, "name-taken");
    let (file, folder) = (alice.upload("name=a.txt", "x").await, alice.folder("f").await);
    let on = format!("/api/v1/tags/{}/entries", id(&made));
    let tagged = alice.call("POST", &on, &json!({ "put_on": [file, folder] })).await.json();
    assert_eq!(tagged["items"][0]["tags"], json!([id(&made)]));
    let page = alice.get(&format!("{on}?limit=1")).await.json();
    let next = page["next_cursor"].as_str().expect("there is more");
    let rest = alice.get(&format!("{on}?limit=5&cursor={next}")).await.json();
    assert_eq!((page["items"].as_array().map(Vec::len), rest["items"].as_array().map(Vec::len)), (Some(1), Some(1)));
    let path = format!("/api/v1/tags/{}", id(&made));
    let renamed = alice.call("PATCH", &path, &json!({ "name": "Bills", "colour": "teal" })).await.json();
    assert_eq!((&renamed["name"], &renamed["colour"]), (&json!("Bills"), &json!("teal")));
    let merged = alice.call("POST", &format!("{path}/merge"), &json!({ "into": id(&other) })).await.json();
    assert_eq!(merged["id"], other["id"]);
    let list = alice.get(&format!("{tags}?counts=true")).await.json();
    assert_eq!((&list["items"][0]["merged_ids"], &list["items"][0]["entries"]), (&json!([id(&made)]), &json!(2)));
    world.bob.get(&tags).await.refused(404, "not-found");
    assert_eq!(alice.call("DELETE", &format!("/api/v1/tags/{}", id(&other)), &Value::Null).await.status, 204);
    assert_eq!(alice.get(&tags).await.json()["items"], json!([]));
    alice.call("POST", "/api/v1/undo", &json!({})).await.json();
    assert_eq!(alice.get(&tags).await.json()["items"][0]["entries"], Value::Null);
}

#[tokio::test]
async fn favourites_recent_and_retention() {
    let world = World::new().await;
    let alice = &world.alice;
    let file = alice.upload("name=a.txt", "x").await;
    let path = format!("/api/v1/entries/{file}/favourite");
    assert_eq!(alice.call("PUT", &path, &Value::Null).await.status, 204);
    world.bob.call("PUT", &path, &Value::Null).await.refused(404, "not-found");
    let page = alice.get("/api/v1/favourites?limit=1").await.json();
    assert_eq!((&page["items"][0]["id"], page["next_cursor"].is_string()), (&json!(file), true));
    let next = page["next_cursor"].as_str().expect("a cursor");
    let rest = alice.get(&format!("/api/v1/favourites?cursor={next}")).await.json();
    assert_eq!(rest, json!({ "items": [], "next_cursor": null }));
    assert_eq!(alice.call("DELETE", &path, &Value::Null).await.status, 204);
    assert_eq!(alice.get("/api/v1/favourites").await.json()["items"], json!([]));
    let recent = alice.get("/api/v1/recent?limit=3").await.json();
    assert_eq!((&recent["items"][0]["entry"]["id"], &recent["items"][0]["did"]), (&json!(file), &json!("changed")));

    let keep = format!("/api/v1/spaces/{}/retention", alice.space());
    let first = alice.get(&keep).await.json();
    assert_eq!(first["own"], json!({ "trash_days": null, "versions_kept": null, "version_days": null }));
    let changed = alice.call("PATCH", &keep, &json!({ "trash_days": 0, "versions_kept": 3 })).await.json();
    assert_eq!((&changed["trash_days"], &changed["own"]["versions_kept"]), (&json!(0), &json!(3)));
    let back = alice.call("PATCH", &keep, &json!({ "trash_days": null, "versions_kept": null })).await.json();
    assert_eq!(back, first);
    alice.call("PATCH", &keep, &json!({ "versions_kept": 0 })).await.refused(400, "invalid-retention");
}

#[tokio::test]
async fn many_things_in_one_call() {
    let world = World::new().await;
    let alice = &world.alice;
    let (a, b) = (alice.folder("a").await, alice.folder("b").await);
    let file = alice.upload(&format!("parent={a}&name=x"), "one").await;
    let other = alice.upload(&format!("parent={b}&name=x"), "two").await;
    let body = json!({ "items": [
        { "do": "copy", "id": file, "parent_id": b, "on_conflict": "replace" },
        { "do": "move", "id": file, "parent_id": b },
        { "do": "trash", "id": other },
        { "do": "favourite", "id": a },
    ] });
    // Each item stands for itself, so those that touch one file go in calls of their own here.
    let one = |at: usize| json!({ "items": [body["items"][at]] });
    let replaced = alice.call("POST", "/api/v1/bulk", &one(0)).await.json();
    assert_eq!(
        (&replaced["items"][0]["outcome"], &replaced["items"][0]["entry"]["id"]),
        (&json!("replaced"), &json!(other))
    );
    let refused = alice.call("POST", "/api/v1/bulk", &one(1)).await.json();
    assert_eq!((&refused["refused"], &refused["items"][0]["error"]["code"]), (&json!(1), &json!("name-taken")));
    alice.call("POST", "/api/v1/bulk", &one(3)).await.json();
    let undo = json!({ "operation_id": replaced["operation_id"] });
    alice.call("POST", "/api/v1/undo", &undo).await.json();
    assert_eq!(alice.get(&format!("/api/v1/files/{other}")).await.body, "two");
    for bad in [
        json!({ "items": [{ "do": "paint", "id": a }] }),
        json!({ "items": [{ "do": "trash", "id": a, "name": "x" }] }),
        json!({ "items": [{ "do": "tag", "id": a }] }),
        json!({ "items": [{ "do": "move", "id": a, "on_conflict_files": "skip" }] }),
    ] {
        alice.call("POST", "/api/v1/bulk", &bad).await.refused(400, "invalid-request");
    }

    // The single calls take the same rules, and say what came of them.
    let path = format!("/api/v1/entries/{file}");
    let skipped = alice.call("PATCH", &path, &json!({ "parent_id": b, "on_conflict": "skip" })).await;
    assert_eq!(
        (skipped.header("conflict-outcome"), skipped.json()["parent_id"].as_str()),
        (Some("skipped"), Some(&*a))
    );
    let skipped = alice.call("POST", &format!("{path}/copy"), &json!({ "parent_id": b, "on_conflict": "skip" })).await;
    assert_eq!((skipped.status.as_u16(), skipped.json()["id"].as_str()), (200, Some(&*other)));
    let merge = json!({ "name": "b", "on_conflict": "merge", "on_conflict_files": "rename" });
    let merged = alice.call("PATCH", &format!("/api/v1/entries/{a}"), &merge).await;
    assert_eq!((merged.header("conflict-outcome"), merged.json()["id"].as_str()), (Some("merged"), Some(&*b)));
    assert_eq!(entry(alice, &b).await["total"], json!({ "bytes": 6, "files": 2, "folders": 0 }));
}
