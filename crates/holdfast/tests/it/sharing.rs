//! Sharing from outside: what each role may over each protocol, on one process and across gateways.

use serde_json::{Value, json};

use crate::harness::{Answer, PASSWORD, PATIENCE, Shape, User, World, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn roles_hold_on_one_process() {
    sharing(World::start(Shape::Single, "").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_hold_across_gateways() {
    sharing(World::start(Shape::Cluster, "").await).await;
}

fn id(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_owned()
}

async fn put(user: &User, parent: &str, name: &str) -> String {
    let request = user.request("POST", "/files").query(&[("name", name), ("parent", parent)]).body("bytes");
    id(&Answer::of(request).await.expect(201))
}

async fn folder(user: &User, parent: &str, name: &str) -> String {
    id(&user.post("/folders", &json!({ "name": name, "parent_id": parent })).await.expect(201))
}

async fn give(user: &User, entry: &str, subject: Value, role: &str) -> Answer {
    let body = json!({ "subject": subject, "role": role });
    Answer::of(user.request("PUT", &format!("/entries/{entry}/grants")).json(&body)).await
}

fn person(user: &User) -> Value {
    json!({ "kind": "user", "id": user.user["id"] })
}

async fn sharing(world: World) {
    let (near, far) = (&world.gateways[0], world.gateways.last().expect("a gateway"));
    let admin = world.admin().await;
    let ada = User::register(&near.url, "ada").await;
    let bob = User::register(&near.url, "bob").await;
    let eve = User::register(&near.url, "eve").await;
    let bob_far = bob.at(far);

    // People are found by any word of their names; groups too.
    let group = id(&admin.post("/groups", &json!({ "name": "Bob's readers" })).await.expect(201));
    ada.post("/groups", &json!({ "name": "mine" })).await.refused(403, "permission-missing");
    let found = ada.get("/people?query=BO").await.expect(200);
    let found: Vec<_> = found["items"].as_array().expect("items").iter().map(|one| one["kind"].clone()).collect();
    assert_eq!(found, ["group", "user"]);
    let inside = admin.request("PUT", &format!("/groups/{group}/members/{}", bob.user["id"].as_str().expect("an id")));
    Answer::of(inside).await;

    // A team: nobody's to see before they are given a role, and gone at once when it is taken, on every gateway.
    let team = ada.post("/spaces", &json!({ "name": "Research" })).await.expect(201);
    let (space, root) = (id(&team), team["root_id"].as_str().expect("an id").to_owned());
    let file = put(&ada, &root, "plan.txt").await;
    let secret = put(&ada, ada.root(), "secret.txt").await;
    let content = format!("/files/{file}");
    bob_far.get(&content).await.refused(404, "not-found");
    for (subject, role, expected) in [
        (person(&bob), "viewer", [200, 403, 403]),
        (person(&bob), "editor", [200, 201, 403]),
        (person(&bob), "manager", [200, 201, 201]),
        (json!({ "kind": "group", "id": group }), "viewer", [200, 403, 403]),
        (json!({ "kind": "everyone" }), "editor", [200, 201, 403]),
    ] {
        let grant = id(&give(&ada, &root, subject.clone(), role).await.json());
        let read = bob_far.get(&content).await.status;
        let name = uuid::Uuid::now_v7().to_string();
        let request = bob_far.request("POST", "/files").query(&[("name", &name), ("parent", &root)]).body("x");
        let change = Answer::of(request).await.status;
        let share = give(&bob_far, &file, person(&eve), "viewer").await.status;
        assert_eq!([read, change, if share == 200 { 201 } else { share }], expected, "{subject} as {role}");
        let listed = bob_far.get("/spaces").await.expect(200);
        let seen = listed["items"].as_array().expect("items").iter().find(|one| one["id"] == space.as_str());
        assert_eq!(seen.expect("the team's space")["role"], role);
        let upload = bob_far
            .request("POST", "/uploads")
            .header("tus-resumable", "1.0.0")
            .header("upload-length", "5")
            .header("upload-metadata", format!("filename dXA=,parent {}", base64(&root)));
        assert_eq!(Answer::of(upload).await.status, if role == "viewer" { 403 } else { 201 }, "{role}");
        ada.delete(&format!("/grants/{grant}")).await;
        bob_far.get(&content).await.refused(404, "not-found");
    }

    // Eve was given the file alone by bob, when he managed it: it, and nothing around it.
    assert_eq!(eve.get(&content).await.status, 200);
    eve.get(&format!("/folders/{root}/children")).await.refused(404, "not-found");
    eve.get(&format!("/spaces/{space}")).await.refused(404, "not-found");
    let shared = eve.get("/shared-with-me").await.expect(200);
    assert_eq!(
        (&shared["items"][0]["entry"]["id"], &shared["items"][0]["shared_by"]["name"]),
        (&json!(file), &json!("bob"))
    );
    let part = eve.get(&format!("/spaces/{space}/changes")).await.expect(200);
    let items = part["items"].as_array().expect("items");
    assert!(items.iter().any(|item| item["entry"]["id"] == file.as_str()), "{part}");
    // Of the root, which everyone was given and lost, that it is hidden; of all else nothing.
    assert!(items.iter().all(|item| item["entry_id"] == file.as_str() || item["kind"] == "hidden"), "{part}");
    assert_eq!(eve.get(&format!("/entries/{file}")).await.expect(200)["role"], "viewer");

    give(&ada, &secret, person(&bob), "viewer").await.expect(201);
    strangers(&ada, &eve, &secret).await;
    endings(&admin, &ada, &bob, &world).await;
}

/// Accounts end: what they had goes over to somebody, or goes.
async fn endings(admin: &User, ada: &User, bob: &User, world: &World) {
    let far = world.gateways.last().expect("a gateway");
    let person = |user: &User| user.user["id"].as_str().expect("an id").to_owned();
    let file = put(ada, ada.root(), "hers.txt").await;
    let own = admin.get("/spaces").await.expect(200)["items"].as_array().expect("items").len();
    let end = async |by: &User, whom: &str, rest: &str| {
        Answer::of(by.request("DELETE", &format!("/admin/users/{whom}?files={rest}"))).await
    };
    end(bob, &person(ada), "remove").await.refused(403, "permission-missing");
    end(admin, &person(admin), "remove").await.refused(409, "own-account");
    end(admin, &person(ada), "burn").await.refused(400, "invalid-request");
    // She alone manages the team that was made above.
    end(admin, &person(ada), "remove").await.refused(409, "last-manager");
    end(admin, &person(ada), &format!("hand-over&to={}", person(ada))).await.refused(400, "subject-unknown");
    let gone = end(admin, &person(ada), &format!("hand-over&to={}", person(admin))).await.expect(200);
    let space = gone["space_id"].as_str().expect("a space").to_owned();
    // Every gateway knows it within a second; the one that was asked, at once.
    let elsewhere = ada.at(far);
    eventually("the session ends", PATIENCE, async || (elsewhere.get("/me").await.status == 401).then_some(())).await;
    let listed = admin.get("/spaces").await.expect(200);
    let listed = listed["items"].as_array().expect("items");
    assert_eq!(listed.len(), own + 2, "{listed:?}");
    let taken = listed.iter().find(|one| one["id"] == space.as_str()).expect("what was hers");
    assert_eq!(
        (&taken["kind"], &taken["name"], &taken["role"]),
        (&json!("team"), &json!("ada (ada)"), &json!("manager"))
    );
    assert_eq!(admin.get(&format!("/files/{file}")).await.body, b"bytes");
    let login = json!({ "name": "ada", "password": PASSWORD });
    let login = Answer::of(reqwest::Client::new().post(format!("{}/api/v1/login", far.url)).json(&login)).await;
    login.refused(401, "wrong-credentials");
    // Her name is free again, for somebody who has nothing of hers.
    let other = User::register(&far.url, "ada").await;
    assert_ne!(other.user["id"], ada.user["id"]);
    other.get(&format!("/files/{file}")).await.refused(404, "not-found");
    let theirs = put(&other, other.root(), "t").await;
    assert!(end(admin, &person(&other), "remove").await.expect(200)["space_id"].is_null());
    admin.get(&format!("/files/{theirs}")).await.refused(404, "not-found");
    // Once more is no harm.
    end(admin, &person(&other), "remove").await.expect(200);
}

pub(crate) fn base64(text: &str) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.encode(text)
}

/// Every call that takes an id answers a stranger as if what has the id did not exist.
async fn strangers(ada: &User, eve: &User, file: &str) {
    let folder = folder(ada, ada.root(), "private").await;
    let link = id(&ada.post(&format!("/entries/{file}/links"), &json!({ "mode": "download" })).await.expect(201));
    let grant = ada.get("/shared-by-me").await.expect(200)["items"][0]["grant"]["id"].clone();
    let tags = format!("/spaces/{}/tags", ada.user["space_id"].as_str().expect("an id"));
    let tag = id(&ada.post(&tags, &json!({ "name": "tag", "colour": "red" })).await.expect(201));
    let session = ada.get("/sessions").await.expect(200)["items"][0]["id"].clone();
    let version = ada.get(&format!("/files/{file}/versions")).await.expect(200)["items"][0]["id"].clone();
    let upload = ada
        .request("POST", "/uploads")
        .header("tus-resumable", "1.0.0")
        .header("upload-length", "5")
        .header("upload-metadata", "filename dXA=");
    let upload = Answer::of(upload).await;
    let upload = upload.header("location").rsplit('/').next().expect("an id").to_owned();
    let text = |value: &Value| value.as_str().expect("an id").to_owned();
    // What is hers, and the same of nobody.
    let nothing = |prefix: &str| format!("{prefix}_0197f3c6b1d07c3a9d2e5f60718293a4");
    let (grant, session, version, space) = (text(&grant), text(&session), text(&version), text(&ada.user["space_id"]));
    let theirs = |path: &str, kind: &str| -> Option<(String, String)> {
        let (real, prefix) = match kind {
            _ if path.contains("/folders/") || path.contains("/trash/") => (&folder, "ent"),
            _ if path.contains("/entries/") || path.contains("/files/") => (&file.to_owned(), "ent"),
            _ if path.contains("/tags/") => (&tag, "tag"),
            _ if path.contains("/spaces/") => (&space, "spc"),
            _ if path.contains("/links/") => (&link, "lnk"),
            _ if path.contains("/grants/") => (&grant, "grt"),
            _ if path.contains("/uploads/") => (&upload, "upl"),
            _ if path.contains("/sessions/") => (&session, "ses"),
            _ => return None,
        };
        Some((real.clone(), nothing(prefix)))
    };
    let bodies = |operation: &str| match operation {
        "update_entry" => json!({ "name": "mine" }),
        "put_grant" => json!({ "subject": { "kind": "everyone" }, "role": "viewer" }),
        "update_grant" => json!({ "role": "viewer" }),
        "create_link" => json!({ "mode": "view" }),
        "update_version" => json!({ "name": "mine" }),
        "rename_space" | "update_tag" => json!({ "name": "mine" }),
        "create_tag" => json!({ "name": "mine", "colour": "red" }),
        "merge_tag" => json!({ "into": "tag_0197f3c6b1d07c3a9d2e5f60718293a5" }),
        _ => json!({}),
    };
    let api = eve.get("/openapi.json").await.expect(200);
    let mut tried = 0;
    for (path, item) in api["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods") {
            let Some(name) = operation["operationId"].as_str() else { continue };
            if operation.get("security").is_none() || !path.contains('{') {
                continue;
            }
            let Some((real, missing)) = theirs(path, name) else { continue };
            let ask = async |id: &str| {
                let mut full = path.replacen("{id}", id, 1).replace("{version}", &version);
                full = full.strip_prefix("/api/v1").unwrap_or(&full).to_owned();
                if name == "resolve_path" {
                    full += "?path=/";
                }
                let mut request = eve.request(&method.to_uppercase(), &full).header("tus-resumable", "1.0.0");
                request = match name {
                    "append_upload" => request
                        .header("upload-offset", "0")
                        .header("content-type", "application/offset+octet-stream")
                        .body("12345"),
                    "replace_file" => request.header("content-type", "text/plain").body("mine"),
                    _ if operation.get("requestBody").is_some() => request.json(&bodies(name)),
                    _ => request,
                };
                let answer = Answer::of(request).await;
                let code = if answer.body.is_empty() { Value::Null } else { answer.json()["code"].clone() };
                (answer.status, code)
            };
            let (told, would) = (ask(&real).await, ask(&missing).await);
            assert_eq!(told, would, "{name} tells a stranger that {real} exists");
            assert!([404, 400, 403].contains(&told.0), "{name} lets a stranger at {real}: {told:?}");
            tried += usize::from(told.0 == 404);
        }
    }
    assert!(tried > 35, "only {tried} calls were tried");
    assert_eq!(ada.get(&format!("/files/{file}")).await.body, b"bytes");
}
