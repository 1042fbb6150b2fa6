//! History over HTTP: pages, filters, and what is saved of it.

use serde_json::{Value, json};

use crate::harness::{Answer, User};

pub(super) async fn suite(user: &User, reader: &User, other: &User) {
    let space = user.user["space_id"].as_str().expect("a space");
    let folder = user.post("/folders", &json!({ "name": "=history" })).await.expect(201);
    let id = folder["id"].as_str().expect("an id");
    let begin = folder["created_at"].as_str().expect("a time").to_owned();
    let rename = |name: &'static str| {
        Answer::of(user.request("PATCH", &format!("/entries/{id}")).json(&json!({ "name": name })))
    };
    rename("two, \"quoted\"").await.expect(200);
    rename("three").await.expect(200);
    assert_eq!(user.delete(&format!("/entries/{id}")).await.status, 204);

    let items = |page: Value| page["items"].as_array().expect("items").clone();
    let found = items(reader.get(&format!("/activity?actor=me&entry={id}")).await.expect(200));
    let told: Vec<_> = found
        .iter()
        .map(|it| (it["kind"].as_str().unwrap_or_default(), it["name"].as_str().unwrap_or_default()))
        .collect();
    // Newest first, with the names that it had then.
    let expected =
        [("trashed", "three"), ("renamed", "three"), ("renamed", "two, \"quoted\""), ("created", "=history")];
    assert_eq!(told, expected);
    assert_eq!((&found[1]["previous_name"], &found[3]["previous_name"]), (&json!("two, \"quoted\""), &Value::Null));
    assert!(found.iter().all(|it| it["undoable"] == true && it["actor"] == user.user["id"]));

    // Pages, and what is filtered.
    let first = reader.get(&format!("/activity?space={space}&entry={id}&limit=3")).await.expect(200);
    let cursor = first["next_cursor"].as_str().expect("more");
    let rest = reader.get(&format!("/activity?space={space}&entry={id}&limit=3&cursor={cursor}")).await.expect(200);
    assert_eq!((items(first).len(), items(rest.clone()).len(), &rest["next_cursor"]), (3, 1, &Value::Null));
    let renames = items(reader.get(&format!("/activity?kind=renamed&entry={id}")).await.expect(200));
    assert_eq!(renames.len(), 2);
    let since = items(reader.get(&format!("/activity?from={begin}&limit=1000")).await.expect(200));
    assert_eq!(since.len(), 4, "{since:?}");
    assert!(items(reader.get(&format!("/activity?to=2001-01-01&entry={id}")).await.expect(200)).is_empty());
    let whole = items(reader.get("/activity?limit=1000").await.expect(200));
    assert!(whole.len() > 20 && whole.iter().any(|it| it["undoes"].is_u64()));
    let nobody = other.user["id"].as_str().expect("an id");
    assert!(items(reader.get(&format!("/activity?actor={nobody}")).await.expect(200)).is_empty());
    for bad in ["kind=eaten", "from=yesterday", "format=xml", "actor=x", "entry=x", "cursor=x", "limit=0", "colour=red"]
    {
        assert_eq!(reader.get(&format!("/activity?{bad}")).await.status, 400, "{bad}");
    }
    other.get(&format!("/activity?space={space}")).await.refused(404, "not-found");
    other.get(&format!("/activity?space={space}&format=csv")).await.refused(404, "not-found");

    // What is gone for good is remembered, and nothing of it can be taken back any more.
    let lost = user.post("/folders", &json!({ "name": "lost" })).await.expect(201)["id"].clone();
    let lost = lost.as_str().expect("an id");
    let of_lost = async || items(reader.get(&format!("/activity?entry={lost}")).await.expect(200));
    assert_eq!(user.delete(&format!("/entries/{lost}")).await.status, 204);
    assert!(of_lost().await.iter().all(|it| it["undoable"] == true), "it lies in the trash");
    assert_eq!(user.delete(&format!("/entries/{lost}?permanent=true")).await.status, 204);
    let undoable: Vec<_> = of_lost().await.iter().map(|it| it["undoable"].clone()).collect();
    assert_eq!(undoable, [false, false, false]);

    // Saved: all of it, and no cell is a formula.
    let csv = Answer::of(reader.request("GET", &format!("/activity?entry={id}")).header("accept", "text/csv")).await;
    assert!(csv.header("content-type").starts_with("text/csv"), "{csv:?}");
    assert!(csv.header("content-disposition").contains("activity.csv"));
    let text = String::from_utf8(csv.body).expect("text");
    let lines: Vec<_> = text.split_terminator("\r\n").collect();
    assert!(lines.len() == 5 && lines[0].starts_with("sequence,at,kind,"), "{text}");
    assert!(lines[4].contains(",\"'=history\",") && lines[3].contains(",\"two, \"\"quoted\"\"\","), "{text}");
    let saved = reader.get("/activity?format=json").await.expect(200);
    let saved = saved.as_array().expect("a list");
    assert_eq!(saved.len(), saved[0]["sequence"].as_u64().expect("a number") as usize, "all changes of the space");
}
