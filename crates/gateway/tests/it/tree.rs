//! Spaces, folders and entries.

use serde_json::{Value, json};

use crate::world::World;

#[tokio::test]
async fn folders_and_their_pages() {
    let world = World::new().await;
    let alice = &world.alice;
    let folder = alice.folder("Photos").await;
    for name in ["b.txt", "a.txt", "é.txt"] {
        alice.upload(&format!("parent={folder}&name={}", name.replace('é', "%C3%A9")), "x").await;
    }
    let names = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().expect("items");
        items.iter().map(|item| item["name"].as_str().expect("a name").to_owned()).collect()
    };
    let path = format!("/api/v1/folders/{folder}/children");
    let page = alice.get(&format!("{path}?limit=2&sort=name")).await.json();
    assert_eq!(names(&page), ["a.txt", "b.txt"]);
    let cursor = page["next_cursor"].as_str().expect("there is more");
    let page = alice.get(&format!("{path}?limit=2&cursor={cursor}")).await.json();
    assert_eq!(names(&page), ["é.txt"]);
    assert_eq!(page["next_cursor"], Value::Null);
    for bad in ["limit=0", "limit=x", "cursor=%3F", "sort=size", "offset=1", "limit=1&limit=2"] {
        alice.get(&format!("{path}?{bad}")).await.refused(400, "invalid-request");
    }

    let seen = alice.get(&format!("/api/v1/folders/{folder}")).await;
    assert_eq!(seen.header("etag").map(str::to_owned), Some(format!("\"{}\"", seen.json()["revision"])));
    assert_eq!(seen.json()["parent_id"], alice.root());
    let by_path = alice.get(&format!("/api/v1/spaces/{}/entry?path=/Photos/a.txt", alice.space())).await.json();
    alice
        .get(&format!("/api/v1/folders/{}", by_path["id"].as_str().expect("an id")))
        .await
        .refused(400, "not-a-folder");
    alice.get(&format!("/api/v1/files/{folder}/meta")).await.refused(400, "not-a-file");
}

#[tokio::test]
async fn names_are_checked() {
    let world = World::new().await;
    let alice = &world.alice;
    alice.folder("a").await;
    let create = async |name: &str| alice.call("POST", "/api/v1/folders", &json!({ "name": name })).await;
    create("a").await.refused(409, "name-taken");
    for bad in ["", "..", "a/b", "a\u{0}b", " a", &"x".repeat(256)] {
        create(bad).await.refused(400, "invalid-name");
    }
    create("e\u{301}").await;
    create("\u{e9}").await.refused(409, "name-taken");
    let body = json!({ "name": "b", "parent_id": "ent_00000000000000000000000000000000" });
    alice.call("POST", "/api/v1/folders", &body).await.refused(404, "not-found");
    let body = json!({ "name": "b", "parent_id": alice.space() });
    alice.call("POST", "/api/v1/folders", &body).await.refused(400, "invalid-id");
}

#[tokio::test]
async fn entries_move_copy_and_end() {
    let world = World::new().await;
    let alice = &world.alice;
    let folder = alice.folder("a").await;
    let file = alice.upload("name=x.txt", "text").await;
    let path = format!("/api/v1/entries/{file}");

    let moved = alice.call("PATCH", &path, &json!({ "name": "y.txt", "parent_id": folder })).await;
    assert_eq!(
        (moved.status.as_u16(), &moved.json()["name"], &moved.json()["parent_id"]),
        (200, &json!("y.txt"), &json!(folder))
    );
    alice.call("PATCH", &path, &json!({})).await.refused(400, "invalid-request");
    alice
        .call("PATCH", &format!("/api/v1/entries/{folder}"), &json!({ "parent_id": folder }))
        .await
        .refused(409, "into-itself");
    alice
        .call("PATCH", &format!("/api/v1/entries/{}", alice.root()), &json!({ "name": "r" }))
        .await
        .refused(400, "root-entry");

    let stale = [("if-match", "\"0\""), ("content-type", "application/json")];
    alice.raw("PATCH", &path, &stale, r#"{"name":"z.txt"}"#).await.refused(412, "precondition-failed");
    let etag = moved.header("etag").expect("an entity tag").to_owned();
    let fresh = [("if-match", etag.as_str()), ("content-type", "application/json")];
    assert_eq!(alice.raw("PATCH", &path, &fresh, r#"{"name":"z.txt"}"#).await.status, 200);

    let copy =
        alice.call("POST", &format!("{path}/copy"), &json!({ "parent_id": alice.root(), "name": "c.txt" })).await;
    assert_eq!(copy.status, 201, "{copy:?}");
    let copied = copy.json()["id"].as_str().expect("an id").to_owned();
    assert_eq!(alice.get(&format!("/api/v1/files/{copied}")).await.body, "text");
    let rename = json!({ "parent_id": alice.root(), "name": "c.txt", "on_conflict": "rename" });
    let again = alice.call("POST", &format!("{path}/copy"), &rename).await;
    assert_eq!(again.json()["name"], "c (2).txt");
    alice
        .call("POST", &format!("{path}/copy"), &json!({ "on_conflict": "blend" }))
        .await
        .refused(400, "invalid-request");

    alice.raw("DELETE", &path, &[("if-match", "\"0\"")], "").await.refused(412, "precondition-failed");
    alice.call("DELETE", &format!("/api/v1/folders/{file}"), &Value::Null).await.refused(400, "not-a-folder");
    alice.call("DELETE", &format!("/api/v1/files/{folder}"), &Value::Null).await.refused(400, "not-a-file");
    assert_eq!(alice.call("DELETE", &format!("/api/v1/folders/{folder}"), &Value::Null).await.status, 204);
    // It can be seen in the trash, and is no longer there for any change.
    assert_eq!(alice.get(&path).await.json()["trashed"], true);
    alice.call("DELETE", &path, &Value::Null).await.refused(404, "not-found");
    alice.call("PATCH", &path, &json!({ "name": "w" })).await.refused(409, "in-trash");
    let permanent = format!("/api/v1/files/{copied}?permanent=true");
    assert_eq!(alice.call("DELETE", &permanent, &Value::Null).await.status, 204);
    alice.get(&format!("/api/v1/files/{copied}")).await.refused(404, "not-found");
    alice.call("DELETE", &format!("{path}?permanent=1"), &Value::Null).await.refused(400, "invalid-request");
}

#[tokio::test]
async fn other_peoples_things_do_not_exist() {
    let world = World::new().await;
    let folder = world.alice.folder("a").await;
    let file = world.alice.upload("name=x.txt", "text").await;
    let bob = &world.bob;
    for path in [
        format!("/api/v1/folders/{folder}"),
        format!("/api/v1/folders/{folder}/children"),
        format!("/api/v1/entries/{file}"),
        format!("/api/v1/files/{file}"),
        format!("/api/v1/files/{file}/meta"),
        format!("/api/v1/files/{file}/parts"),
        format!("/api/v1/spaces/{}", world.alice.space()),
        format!("/api/v1/spaces/{}/changes", world.alice.space()),
        format!("/api/v1/spaces/{}/entry?path=/x.txt", world.alice.space()),
    ] {
        bob.get(&path).await.refused(404, "not-found");
    }
    bob.call("DELETE", &format!("/api/v1/entries/{file}"), &Value::Null).await.refused(404, "not-found");
    bob.call("PATCH", &format!("/api/v1/entries/{file}"), &json!({ "name": "y" })).await.refused(404, "not-found");
    bob.raw("PUT", &format!("/api/v1/files/{file}"), &[], "mine").await.refused(404, "not-found");
    bob.raw("POST", &format!("/api/v1/files?name=x&parent={folder}"), &[], "mine").await.refused(404, "not-found");
    assert_eq!(world.alice.get(&format!("/api/v1/files/{file}")).await.body, "text");
}

#[tokio::test]
async fn changes_follow_each_other() {
    let world = World::new().await;
    let alice = &world.alice;
    let file = alice.upload("name=x.txt", "text").await;
    alice.call("DELETE", &format!("/api/v1/entries/{file}"), &Value::Null).await;
    let path = format!("/api/v1/spaces/{}/changes", alice.space());
    let mut kinds = Vec::new();
    let mut since = String::new();
    loop {
        let page = alice.get(&format!("{path}?limit=1{since}")).await.json();
        for item in page["items"].as_array().expect("items") {
            assert_eq!(item["entry"].is_null(), item["kind"] == "trashed");
            kinds.push(item["kind"].as_str().expect("a kind").to_owned());
        }
        since = format!("&since={}", page["next"].as_str().expect("a cursor"));
        if page["more"] == false {
            break;
        }
    }
    assert!(kinds.ends_with(&["created".into(), "trashed".into()]), "{kinds:?}");
    alice.get(&format!("{path}?since=99.1")).await.refused(410, "cursor-gone");
    alice.get(&format!("{path}?since=x")).await.refused(400, "invalid-cursor");

    let spaces = alice.get("/api/v1/spaces").await.json();
    assert_eq!(spaces["items"][0]["id"], alice.space());
    assert_eq!(alice.get(&format!("/api/v1/spaces/{}", alice.space())).await.json(), spaces["items"][0]);
}

#[tokio::test]
async fn the_journal_keeps_the_clients_own_id_of_a_change() {
    let world = World::new().await;
    let alice = &world.alice;
    let id = "0197f3c6-b1d0-7c3a-9d2e-5f60718293a4";
    alice.raw("POST", "/api/v1/files?name=a", &[("operation-id", "7")], "x").await.refused(400, "invalid-request");
    assert_eq!(alice.raw("POST", "/api/v1/files?name=a", &[("operation-id", id)], "x").await.status, 201);
    alice.folder("without").await;
    let changes = alice.get(&format!("/api/v1/spaces/{}/changes", alice.space())).await.json();
    let ids: Vec<_> = changes["items"].as_array().expect("changes").iter().map(|one| &one["operation_id"]).collect();
    assert_eq!(ids, [&Value::from(id), &Value::Null], "{changes}");
}
