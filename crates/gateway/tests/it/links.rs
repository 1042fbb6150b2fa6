//! Links: their owners' side, and what visitors reach by them.

use std::time::Duration;

use axum::body::Body;
use futures::future::join_all;
use gateway::Options;
use serde_json::{Value, json};

use crate::world::{Answer, FILE_BYTES_MAX, PASSWORD, Person, World, bytes, raw};

const SECRET: &str = "open sesame";

/// A link, as its owner got it.
struct Made {
    id: String,
    path: String,
}

async fn make(person: &Person, entry: &str, body: &Value) -> Made {
    let answer = person.call("POST", &format!("/api/v1/entries/{entry}/links"), body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let link = answer.json();
    let token = link["token"].as_str().expect("a token");
    assert!(token.len() <= 24 && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)), "{token}");
    Made { id: link["id"].as_str().expect("an id").to_owned(), path: format!("/api/v1/public/links/{token}") }
}

/// Asks as a visitor does.
async fn visit(world: &World, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    raw(&world.router, method, path, headers, Body::empty()).await
}

async fn get(world: &World, path: &str) -> Answer {
    visit(world, "GET", path, &[]).await
}

async fn unlock(world: &World, made: &Made, body: &Value) -> Answer {
    world.anonymous("POST", &format!("{}/unlock", made.path), body).await
}

/// Uploads into a folder.
async fn put(person: &Person, parent: &str, name: &str, content: &[u8]) -> String {
    person.upload(&format!("name={name}&parent={parent}"), content.to_vec()).await
}

async fn folder_in(person: &Person, parent: &str, name: &str) -> String {
    let answer = person.call("POST", "/api/v1/folders", &json!({ "name": name, "parent_id": parent })).await;
    answer.json()["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn owners_make_change_and_revoke_links() {
    let world = World::new().await;
    let alice = &world.alice;
    let file = alice.upload("name=a.txt", "hello").await;
    let links = format!("/api/v1/entries/{file}/links");
    let one = make(alice, &file, &json!({ "mode": "download", "name": " first ", "note": "Hello\nyou" })).await;
    // Ids of one millisecond are in no order.
    world.clock.advance(Duration::from_millis(1));
    let two = make(alice, &file, &json!({ "mode": "view", "password": SECRET, "download_limit": 3 })).await;
    let first = alice.get(&format!("{links}?limit=1")).await.json();
    assert_eq!((&first["items"][0]["id"], &first["items"][0]["name"]), (&json!(one.id), &json!("first")));
    let cursor = first["next_cursor"].as_str().expect("a second page");
    let second = alice.get(&format!("{links}?limit=1&cursor={cursor}")).await.json();
    assert_eq!((&second["items"][0]["id"], &second["next_cursor"]), (&json!(two.id), &Value::Null));
    let mine = alice.get("/api/v1/links").await.json();
    assert_eq!(mine["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(mine["items"][1]["entry_name"], "a.txt");
    assert_eq!(mine["items"][1]["has_password"], true);
    // The token is shown again, and is what the link was made with.
    let shown = alice.get(&format!("/api/v1/links/{}", one.id)).await.json();
    assert!(one.path.ends_with(shown["token"].as_str().expect("a token")));

    let path = format!("/api/v1/links/{}", one.id);
    let changed =
        alice.call("PATCH", &path, &json!({ "name": null, "download_limit": 5, "mode": "view" })).await.json();
    assert_eq!(
        (&changed["name"], &changed["note"], &changed["download_limit"], &changed["mode"]),
        (&Value::Null, &json!("Hello\nyou"), &json!(5), &json!("view"))
    );
    for (body, code) in [
        (json!({ "mode": "steal" }), "invalid-request"),
        (json!({ "mode": "upload" }), "not-a-folder"),
        (json!({ "mode": "view", "name": "x".repeat(101) }), "invalid-link"),
        (json!({ "mode": "view", "name": "a\u{7}" }), "invalid-link"),
        (json!({ "mode": "view", "note": "x".repeat(2001) }), "invalid-link"),
        (json!({ "mode": "view", "password": "short" }), "invalid-password"),
        (json!({ "mode": "view", "expires_at": "soon" }), "invalid-request"),
        (json!({ "mode": "view", "expires_at": "1999-01-01T00:00:00Z" }), "invalid-link"),
        (json!({ "mode": "view", "download_limit": 0 }), "invalid-link"),
        (json!({ "mode": "view", "pasword": SECRET }), "invalid-request"),
        (json!({}), "invalid-request"),
    ] {
        alice.call("POST", &links, &body).await.refused(400, code);
        if body["mode"] != "steal" && !body["mode"].is_null() {
            alice.call("PATCH", &path, &body).await.refused(400, code);
        }
    }
    alice
        .call("POST", &format!("/api/v1/entries/{}/links", alice.root()), &json!({ "mode": "view" }))
        .await
        .refused(400, "root-entry");

    // Nobody else has them, also no administrator.
    for other in [&world.bob, &world.admin] {
        other.call("POST", &links, &json!({ "mode": "view" })).await.refused(404, "not-found");
        other.get(&links).await.refused(404, "not-found");
        for (method, body) in [("GET", Value::Null), ("DELETE", Value::Null), ("PATCH", json!({ "note": "x" }))] {
            other.call(method, &path, &body).await.refused(404, "not-found");
        }
        other.get(&format!("{path}/events")).await.refused(404, "not-found");
        assert_eq!(other.get("/api/v1/links").await.json()["items"], json!([]));
    }
    assert_eq!(get(&world, &one.path).await.json()["entry"]["name"], "a.txt");
    assert_eq!(alice.call("DELETE", &path, &Value::Null).await.status, 204);
    alice.call("DELETE", &path, &Value::Null).await.refused(404, "not-found");
    get(&world, &one.path).await.refused(404, "not-found");
    for token in ["", "x", "AAAAAAAAAAAAAAAAAAAAAA", &"A".repeat(5000), "..", "%00", "a/b"] {
        let answer = get(&world, &format!("/api/v1/public/links/{token}")).await;
        assert_eq!(answer.status, 404, "{token}");
    }
    // A hundred and no more.
    for _ in 0..99 {
        make(alice, &file, &json!({ "mode": "view" })).await;
    }
    alice.call("POST", &links, &json!({ "mode": "view" })).await.refused(409, "too-many-links");
}

#[tokio::test]
async fn visitors_reach_nothing_beside_the_link() {
    let world = World::new().await;
    let alice = &world.alice;
    let above = alice.folder("above").await;
    let top = folder_in(alice, &above, "top").await;
    let sub = folder_in(alice, &top, "sub").await;
    let inside = [put(alice, &top, "1.txt", b"one").await, put(alice, &sub, "2.txt", b"two").await];
    let sibling = folder_in(alice, &above, "sibling").await;
    let outside = [
        above.clone(),
        alice.root().to_owned(),
        sibling.clone(),
        put(alice, &sibling, "3.txt", b"three").await,
        put(alice, &above, "4.txt", b"four").await,
        world.bob.root().to_owned(),
        world.bob.upload("name=5.txt", "five").await,
        "ent_00000000000000000000000000000000".to_owned(),
    ];
    let trashed = put(alice, &top, "6.txt", b"six").await;
    let trashed_tree = folder_in(alice, &top, "gone").await;
    let below_trashed = put(alice, &trashed_tree, "7.txt", b"seven").await;
    let moved = put(alice, &sub, "8.txt", b"eight").await;
    let removed = put(alice, &sub, "9.txt", b"nine").await;
    let link = make(alice, &top, &json!({ "mode": "download" })).await;
    let unseen = async |what: &str, ids: &[&String]| {
        for id in ids {
            for path in [format!("entries/{id}"), format!("entries/{id}/children"), format!("files/{id}")] {
                let answer = get(&world, &format!("{}/{path}", link.path)).await;
                answer.refused(404, "not-found");
                assert!(!String::from_utf8_lossy(&answer.body).contains("trash"), "{what} {path}");
            }
            visit(&world, "HEAD", &format!("{}/files/{id}", link.path), &[]).await.refused(404, "not-found");
        }
    };
    let seen = async |ids: &[&String]| {
        for id in ids {
            let answer = get(&world, &format!("{}/entries/{id}", link.path)).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            assert!(answer.json().get("space_id").is_none());
        }
    };
    seen(&[&top, &sub, &inside[0], &inside[1], &trashed, &trashed_tree, &below_trashed, &moved, &removed]).await;
    unseen("outside", &outside.each_ref()).await;
    // Nothing is above the top.
    let entry = get(&world, &link.path).await.json()["entry"].clone();
    assert_eq!((&entry["id"], &entry["parent_id"]), (&json!(top), &Value::Null));
    let children = get(&world, &format!("{}/entries/{top}/children?limit=2", link.path)).await.json();
    assert_eq!(children["items"].as_array().map(Vec::len), Some(2));
    assert!(children["next_cursor"].is_string());

    for id in [&trashed, &trashed_tree] {
        assert_eq!(alice.call("DELETE", &format!("/api/v1/entries/{id}"), &Value::Null).await.status, 204);
    }
    alice.call("PATCH", &format!("/api/v1/entries/{moved}"), &json!({ "parent_id": sibling })).await;
    alice.call("DELETE", &format!("/api/v1/entries/{removed}?permanent=true"), &Value::Null).await;
    unseen("moved and trashed", &[&trashed, &trashed_tree, &below_trashed, &moved, &removed]).await;
    seen(&[&top, &sub, &inside[0]]).await;
    // What is moved below it is seen, wherever it came from.
    alice.call("PATCH", &format!("/api/v1/entries/{sibling}"), &json!({ "parent_id": sub })).await;
    seen(&[&sibling, &outside[3], &moved]).await;

    // The way of the top itself: moved, trashed with its parent, restored, removed.
    alice.call("PATCH", &format!("/api/v1/entries/{top}"), &json!({ "parent_id": alice.root(), "name": "new" })).await;
    assert_eq!(get(&world, &link.path).await.json()["entry"]["name"], "new");
    alice.call("PATCH", &format!("/api/v1/entries/{top}"), &json!({ "parent_id": above })).await;
    for (id, again) in [(&top, true), (&above, true), (&top, false)] {
        let permanent = if again { "" } else { "?permanent=true" };
        alice.call("DELETE", &format!("/api/v1/entries/{id}{permanent}"), &Value::Null).await;
        get(&world, &link.path).await.refused(404, "not-found");
        unseen("the top is gone", &[&top, &sub, &inside[0], &inside[1]]).await;
        if again {
            alice.call("POST", &format!("/api/v1/entries/{id}/restore"), &json!({})).await;
            seen(&[&top, &sub, &inside[1]]).await;
        }
    }
    // An id of a wrong kind is no id here either.
    let other = make(alice, &above, &json!({ "mode": "download" })).await;
    get(&world, &format!("{}/entries/{}", other.path, alice.space())).await.refused(400, "invalid-id");
}

#[tokio::test]
async fn modes_are_kept() {
    let world = World::with(Options { file_bytes_max: FILE_BYTES_MAX, ..Options::default() }).await;
    let alice = &world.alice;
    let folder = alice.folder("box").await;
    let picture = put(alice, &folder, "a.png", b"picture").await;
    let page = put(alice, &folder, "a.html", b"<script>").await;
    let view = make(alice, &folder, &json!({ "mode": "view" })).await;
    let answer = get(&world, &format!("{}/files/{picture}", view.path)).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("content-disposition")),
        (200, Some("inline; filename=\"a.png\""))
    );
    get(&world, &format!("{}/files/{picture}?download=1", view.path)).await.refused(403, "link-forbids");
    get(&world, &format!("{}/files/{page}", view.path)).await.refused(403, "link-forbids");
    let download = make(alice, &folder, &json!({ "mode": "download" })).await;
    let answer = get(&world, &format!("{}/files/{page}", download.path)).await;
    assert_eq!(answer.header("content-disposition"), Some("attachment; filename=\"a.html\""));
    assert!(answer.header("content-security-policy").is_some_and(|policy| policy.contains("sandbox")));

    let drop = make(alice, &folder, &json!({ "mode": "upload" })).await;
    let files = format!("{}/files", drop.path);
    for path in [
        format!("entries/{folder}"),
        format!("entries/{folder}/children"),
        format!("files/{picture}"),
        format!("entries/{picture}"),
    ] {
        get(&world, &format!("{}/{path}", drop.path)).await.refused(403, "link-forbids");
    }
    for name in ["a.png", "a.png", "new.txt"] {
        let answer = raw(&world.router, "POST", &format!("{files}?name={name}"), &[], "dropped".into()).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (201, json!({ "name": name, "size": 7 })));
    }
    let listed = alice.get(&format!("/api/v1/folders/{folder}/children")).await.json();
    let names: Vec<_> = listed["items"].as_array().expect("items").iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, ["a (2).png", "a (3).png", "a.html", "a.png", "new.txt"]);
    raw(&world.router, "POST", &files, &[], "x".into()).await.refused(400, "invalid-request");
    raw(&world.router, "POST", &format!("{files}?name=..%2Fx"), &[], "x".into()).await.refused(400, "invalid-name");
    raw(&world.router, "POST", &format!("{files}?name=x&parent={folder}"), &[], "x".into())
        .await
        .refused(400, "invalid-request");
    let large = bytes(FILE_BYTES_MAX as usize + 1);
    raw(&world.router, "POST", &format!("{files}?name=x"), &[], large.into()).await.refused(413, "file-too-large");
    for link in [&view, &download] {
        raw(&world.router, "POST", &format!("{}/files?name=x", link.path), &[], "x".into())
            .await
            .refused(403, "link-forbids");
    }
    let stats = alice.get(&format!("/api/v1/links/{}", drop.id)).await.json();
    assert_eq!((&stats["uploads"], &stats["downloads"]), (&json!(3), &json!(0)));
    // Where its folder is in the trash, nothing comes in.
    alice.call("DELETE", &format!("/api/v1/entries/{folder}"), &Value::Null).await;
    raw(&world.router, "POST", &format!("{files}?name=late"), &[], "x".into()).await.refused(404, "not-found");
}

#[tokio::test]
async fn passwords_are_asked_for_and_not_guessed() {
    let proxy = "0.0.0.0".parse().expect("a network");
    let options = Options { trusted_proxies: vec![proxy], file_bytes_max: FILE_BYTES_MAX, ..Options::default() };
    let world = World::with(options).await;
    let alice = &world.alice;
    let file = alice.upload("name=a.txt", "hello").await;
    let link = make(alice, &file, &json!({ "mode": "download", "password": SECRET, "note": "psst" })).await;
    let other = make(alice, &file, &json!({ "mode": "download", "password": SECRET })).await;
    let path = format!("{}/files/{file}", link.path);
    let closed = get(&world, &link.path).await.json();
    assert_eq!(
        (&closed["needs_password"], &closed["entry"], &closed["note"], &closed["owner_name"]),
        (&json!(true), &Value::Null, &Value::Null, &json!("alice"))
    );
    get(&world, &path).await.refused(403, "link-locked");
    get(&world, &format!("{}/entries/{file}", link.path)).await.refused(403, "link-locked");
    unlock(&world, &link, &json!({})).await.refused(403, "link-locked");
    unlock(&world, &link, &json!({ "password": PASSWORD })).await.refused(403, "link-wrong-password");

    let opened = unlock(&world, &link, &json!({ "password": SECRET, "visitor_name": " Grace " })).await;
    assert_eq!(opened.status, 200);
    let session = opened.json()["session_token"].as_str().expect("a token").to_owned();
    let cookie = opened.header("set-cookie").expect("a cookie").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    assert!(cookie.contains(&format!("Path={};", link.path)), "{cookie}");
    let cookie = cookie.split(';').next().expect("a pair").to_owned();
    for (name, value) in [("link-session", session.as_str()), ("cookie", cookie.as_str())] {
        let answer = visit(&world, "GET", &path, &[(name, value)]).await;
        assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, &b"hello"[..]), "{name}");
        let shown = visit(&world, "GET", &link.path, &[(name, value)]).await.json();
        assert_eq!((&shown["needs_password"], &shown["note"]), (&json!(false), &json!("psst")));
    }
    // Of another link, changed, of an account, or of a download: none of them opens this one.
    let begun = visit(&world, "GET", &path, &[("link-session", &session)]).await;
    let download = begun.header("download-id").expect("it was counted").to_owned();
    visit(&world, "GET", &format!("{}/files/{file}", other.path), &[("link-session", &session)])
        .await
        .refused(403, "link-locked");
    for wrong in [format!("{session}x"), alice.token().to_owned(), download, String::new()] {
        visit(&world, "GET", &path, &[("link-session", &wrong)]).await.refused(403, "link-locked");
    }
    let bearer = format!("Bearer {session}");
    raw(&world.router, "GET", "/api/v1/me", &[("authorization", &bearer)], Body::empty())
        .await
        .refused(401, "invalid-token");

    // Another password ends what was opened with the old one; none opens it for all; time ends it too.
    let owner = format!("/api/v1/links/{}", link.id);
    alice.call("PATCH", &owner, &json!({ "password": "another secret" })).await;
    visit(&world, "GET", &path, &[("link-session", &session)]).await.refused(403, "link-locked");
    let opened = unlock(&world, &link, &json!({ "password": "another secret" })).await.json();
    let session = opened["session_token"].as_str().expect("a token").to_owned();
    alice.call("PATCH", &owner, &json!({ "note": "kept open" })).await;
    assert_eq!(visit(&world, "GET", &path, &[("link-session", &session)]).await.status, 200);
    world.clock.advance(Duration::from_secs(2 * 3600 + 1));
    visit(&world, "GET", &path, &[("link-session", &session)]).await.refused(403, "link-locked");

    // Guessing from one address ends soon, and nobody else is kept out by it.
    let from = async |address: &str, password: &str| {
        let headers = [("x-forwarded-for", address), ("content-type", "application/json")];
        let body = json!({ "password": password }).to_string();
        raw(&world.router, "POST", &format!("{}/unlock", link.path), &headers, body.into()).await
    };
    for guess in 0..5 {
        from("198.51.100.7", &format!("guess {guess}")).await.refused(403, "link-wrong-password");
    }
    let refused = from("198.51.100.7", "another secret").await;
    refused.refused(429, "too-many-attempts");
    assert_eq!(refused.header("retry-after"), Some("30"));
    assert_eq!(from("203.0.113.9", "another secret").await.status, 200);
}

#[tokio::test]
async fn one_download_counts_once() {
    let world = World::new().await;
    let alice = &world.alice;
    let content = bytes(200_000);
    let file = alice.upload("name=a.bin", content.clone()).await;
    let link = make(alice, &file, &json!({ "mode": "download", "download_limit": 2 })).await;
    let path = format!("{}/files/{file}", link.path);
    let left = async || get(&world, &link.path).await.json()["downloads_left"].clone();

    // What gives no bytes is no download.
    let head = visit(&world, "HEAD", &path, &[]).await;
    let etag = head.header("etag").expect("an entity tag").to_owned();
    assert_eq!(visit(&world, "GET", &path, &[("if-none-match", &etag)]).await.status, 304);
    visit(&world, "GET", &path, &[("range", "bytes=200000-")]).await.refused(416, "range-not-satisfiable");
    visit(&world, "GET", &path, &[("if-match", "\"x\"")]).await.refused(412, "precondition-failed");
    assert_eq!(left().await, 2);

    let first = visit(&world, "GET", &path, &[("range", "bytes=0-9")]).await;
    assert_eq!((first.status.as_u16(), &first.body[..]), (206, &content[..10]));
    let id = first.header("download-id").expect("an id").to_owned();
    let cookie = first.header("set-cookie").expect("a cookie").to_owned();
    assert!(cookie.contains(&format!("Path={path};")), "{cookie}");
    let cookie = cookie.split(';').next().expect("a pair").to_owned();
    for (name, value) in [("download-id", &id), ("cookie", &cookie)] {
        let next = visit(&world, "GET", &path, &[("range", "bytes=10-199999"), (name, value)]).await;
        assert_eq!((next.status.as_u16(), &next.body[..]), (206, &content[10..]));
        assert_eq!(next.header("download-id"), None);
    }
    assert_eq!(left().await, 1);
    // A range that brings nothing is a download of its own.
    assert_eq!(visit(&world, "GET", &path, &[("range", "bytes=5-9")]).await.status, 206);
    assert_eq!(left().await, 0);
    get(&world, &path).await.refused(410, "link-used-up");
    visit(&world, "HEAD", &path, &[]).await.refused(410, "link-used-up");
    // What was begun can be ended, but not for another version.
    assert_eq!(visit(&world, "GET", &path, &[("download-id", &id)]).await.status, 200);
    let replaced = alice.raw("PUT", &format!("/api/v1/files/{file}"), &[], "other").await;
    assert_eq!(replaced.status, 200);
    visit(&world, "GET", &path, &[("download-id", &id)]).await.refused(410, "link-used-up");
    // The owner can allow more.
    alice.call("PATCH", &format!("/api/v1/links/{}", link.id), &json!({ "download_limit": 3 })).await;
    assert_eq!(get(&world, &path).await.body, "other");

    // Of a hundred at once as many get through as it allows.
    for limit in [1, 7] {
        let link = make(alice, &file, &json!({ "mode": "download", "download_limit": limit })).await;
        let path = format!("{}/files/{file}", link.path);
        let answers = join_all((0..100).map(|_| get(&world, &path))).await;
        let through = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(through, limit);
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            answer.refused(410, "link-used-up");
        }
        let stats = alice.get(&format!("/api/v1/links/{}", link.id)).await.json();
        assert_eq!(stats["downloads"], limit);
    }
}

#[tokio::test]
async fn links_end_and_tell_what_happened() {
    let world = World::new().await;
    let alice = &world.alice;
    let folder = alice.folder("shared").await;
    let file = put(alice, &folder, "a.txt", b"hello").await;
    let ends = json!({ "mode": "download", "expires_at": later(&world, 300) });
    let link = make(alice, &folder, &ends).await;
    assert_eq!(get(&world, &link.path).await.status, 200);
    world.clock.advance(Duration::from_secs(301));
    for path in [link.path.clone(), format!("{}/files/{file}", link.path)] {
        get(&world, &path).await.refused(410, "link-expired");
    }
    alice.call("PATCH", &format!("/api/v1/links/{}", link.id), &json!({ "expires_at": null })).await;

    let agent = ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0");
    let headers = [agent, ("content-type", "application/json")];
    let body = json!({ "visitor_name": "=Eve,\"x\"" }).to_string();
    let opened = raw(&world.router, "POST", &format!("{}/unlock", link.path), &headers, body.into()).await.json();
    let session = opened["session_token"].as_str().expect("a token");
    for _ in 0..3 {
        visit(&world, "GET", &link.path, &[agent, ("link-session", session)]).await;
    }
    // Events of one moment have no order.
    world.clock.advance(Duration::from_secs(1));
    let answer =
        visit(&world, "GET", &format!("{}/files/{file}", link.path), &[agent, ("link-session", session)]).await;
    assert_eq!(answer.status, 200);

    let path = format!("/api/v1/links/{}/events", link.id);
    let events = alice.get(&path).await.json();
    let items = events["items"].as_array().expect("items");
    let kinds: Vec<_> = items.iter().map(|event| event["kind"].as_str().unwrap_or_default()).collect();
    assert_eq!(kinds, ["downloaded", "opened", "opened"]);
    let newest = &items[0];
    assert_eq!(
        (&newest["entry_id"], &newest["entry_name"], &newest["bytes"], &newest["visitor"], &newest["client"]),
        (&json!(file), &json!("a.txt"), &json!(5), &json!("=Eve,\"x\""), &json!("Firefox on Linux"))
    );
    assert_eq!((&newest["network"], &items[2]["visitor"]), (&json!("0.0.0.0/24"), &Value::Null));
    let page = alice.get(&format!("{path}?limit=2")).await.json();
    let cursor = page["next_cursor"].as_str().expect("more");
    let rest = alice.get(&format!("{path}?cursor={cursor}")).await.json();
    assert_eq!(rest["items"], json!([items[2]]));
    let table = alice.get(&format!("{path}?format=csv")).await;
    assert_eq!(table.header("content-type"), Some("text/csv; charset=utf-8"));
    let text = String::from_utf8(table.body.to_vec()).expect("text");
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(text.contains("\"'=Eve,\"\"x\"\"\""), "{text}");
    alice.get(&format!("{path}?format=xml")).await.refused(400, "invalid-request");
    alice.get(&format!("{path}?format=csv&limit=2")).await.refused(400, "invalid-request");
}

/// A moment so many seconds from now, as people write it.
fn later(world: &World, seconds: u64) -> String {
    world.clock.handle().now().plus(Duration::from_secs(seconds)).to_string()
}
