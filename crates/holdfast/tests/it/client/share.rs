//! Sharing from the command line: with people, by links, seen and taken back.

use serde_json::{Value, json};

use super::Machine;
use crate::harness::{Answer, PASSWORD, Shape, User, World};

/// What a command wrote as its only line of JSON.
async fn told(machine: &Machine, arguments: &[&str]) -> Value {
    let lines = machine.ok(&[arguments, &["--json"]].concat()).await.lines();
    assert_eq!(lines.len(), 1, "{arguments:?}: {lines:?}");
    lines[0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_shared_with_people() {
    let world = World::start(Shape::Single, "").await;
    let (url, admin) = (&world.gateways[0].url, world.admin().await);
    let (_, bob) = (User::register(url, "ada").await, User::register(url, "bob").await);
    let machine = Machine::new();
    machine.login(url, "ada").await;
    machine.ok(&["mkdir", ":/plans"]).await;
    let shared = async || {
        let page = bob.get("/shared-with-me").await.expect(200);
        let items = page["items"].as_array().expect("items").clone();
        items.iter().map(|one| (one["entry"]["name"].clone(), one["grant"]["role"].clone())).collect::<Vec<_>>()
    };
    let seen = |role: &str| vec![(json!("plans"), json!(role))];

    let grant = told(&machine, &["share", ":/plans", "--with", "bob", "--role", "editor", "--until", "7d"]).await;
    assert_eq!((&grant["role"], &grant["subject"]["name"]), (&json!("editor"), &json!("bob")));
    assert!(grant["expires_at"].is_string(), "{grant}");
    assert_eq!(shared().await, seen("editor"));
    // Again, with other words: it is the same grant, which becomes another.
    let said = machine.ok(&["share", ":/plans", "--with", " BOB "]).await;
    assert!(said.out.is_empty() && said.err.contains("bob is viewer of :/plans."), "{said:?}");
    assert_eq!(shared().await, seen("viewer"));

    // Whom a name means must be clear.
    machine.fails(&["share", ":/plans", "--with", "nobody"], 3, "nobody here").await;
    machine.fails(&["share", ":/plans", "--with", "bo"], 3, "bob is usr_").await;
    admin.post("/groups", &json!({ "name": "Bob" })).await.expect(201);
    machine.fails(&["share", ":/plans", "--with", "bob"], 2, "Bob (a group) is grp_").await;
    let id = bob.user["id"].as_str().expect("an id");
    let grant = told(&machine, &["share", ":/plans", "--with", id, "--role", "manager"]).await;
    assert_eq!(grant["role"], "manager");
    told(&machine, &["share", ":/plans", "--with", "everyone"]).await;
    machine.fails(&["share", ":/plans", "--with", id, "--until", "2001-01-01"], 1, "invalid-grant").await;
    machine.fails(&["share", ":/nothing", "--with", id], 3, ":/nothing").await;
    for wrong in [
        &["share", ":/plans"][..],
        &["share", ":/plans", "--role", "editor"],
        &["share", ":/plans", "--with", "bob", "--role", "owner"],
        &["share", ":/plans", "--with", "bob", "--link"],
        &["share", ":/plans", "--with", "bob", "--limit", "3"],
        &["share", ":/plans", "--list", "--until", "7d"],
        &["share", ":/plans", "--link", "--until", "soon"],
        &["share", ":/plans", "--link", "--limit", "0"],
    ] {
        machine.fails(wrong, 2, "").await;
    }

    let listed = machine.ok(&["share", ":/plans", "--list"]).await;
    assert!(listed.out.contains("everyone signed in") && listed.out.contains("manager"), "{listed:?}");
    machine.ok(&["mkdir", ":/plans/inner"]).await;
    let lines = machine.ok(&["share", ":/plans/inner", "--list", "--json"]).await.lines();
    assert!(lines.iter().all(|line| line["kind"] == "grant" && line["inherited"] == true), "{lines:?}");
    machine.fails(&["share", ":/plans/inner", "--remove", "bob"], 1, "a folder above").await;
    machine.ok(&["share", ":/plans", "--remove", "everyone"]).await;
    let said = machine.ok(&["share", ":/plans", "--remove", "bob"]).await;
    assert!(said.err.contains("bob is no manager of :/plans any more"), "{said:?}");
    assert!(shared().await.is_empty());
    machine.fails(&["share", ":/plans", "--remove", "bob"], 3, "--list").await;
    assert!(machine.ok(&["share", ":/plans", "--list", "--json"]).await.lines().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_made_listed_and_removed() {
    let world = World::start(Shape::Single, "").await;
    let url = &world.gateways[0].url;
    let machine = Machine::signed_in(&world).await;
    machine.write("report.txt", b"all is well");
    machine.ok(&["cp", "report.txt", ":/"]).await;
    let open = async |address: &str| {
        let token = address.strip_prefix(&format!("{url}/s/")).expect("an address of this server");
        Answer::of(reqwest::Client::new().get(format!("{url}/api/v1/public/links/{token}"))).await
    };

    let said = machine.ok(&["share", ":/report.txt", "--link"]).await;
    let address = said.out.trim().to_owned();
    assert!(said.err.contains("is for download and never ends"), "{said:?}");
    assert_eq!(open(&address).await.expect(200)["mode"], "download");
    let locked = ["share", ":/report.txt", "--link", "--mode", "view", "--password-stdin", "--name", "press", "--json"];
    let said =
        machine.typed(&[&locked[..], &["--expires", "2999-12-24", "--limit", "2"]].concat(), "open sesame\n").await;
    assert_eq!(said.code, 0, "{said:?}");
    let link = said.lines().remove(0);
    assert_eq!(
        (&link["has_password"], &link["mode"], &link["download_limit"]),
        (&json!(true), &json!("view"), &json!(2))
    );
    assert_eq!(link["expires_at"], "2999-12-25T00:00:00.000000Z");
    assert!(!said.out.contains("sesame"), "{said:?}");
    let token = link["token"].as_str().expect("a token");
    let unlock = |password: &str| {
        let at = format!("{url}/api/v1/public/links/{token}/unlock");
        Answer::of(reqwest::Client::new().post(at).json(&json!({ "password": password })))
    };
    unlock("open the door").await.refused(403, "link-wrong-password");
    assert_eq!(unlock("open sesame").await.status, 200, "the end of the line is no part of it");
    let short = machine.typed(&locked, "short\n").await;
    assert!(short.code == 1 && short.err.contains("invalid-password"), "{short:?}");
    machine.fails(&["share", ":/report.txt", "--link", "--mode", "upload"], 1, "not-a-folder").await;

    let listed = machine.ok(&["share", ":/report.txt", "--list"]).await;
    assert!(listed.out.contains(&address) && listed.out.contains("link: press"), "{listed:?}");
    assert!(listed.out.contains("view, 0 of 2 downloads made, with a password"), "{listed:?}");
    let lines = machine.ok(&["share", ":/report.txt", "--list", "--json"]).await.lines();
    assert_eq!(lines.iter().map(|line| line["kind"].clone()).collect::<Vec<_>>(), ["link", "link"]);
    let id = lines.iter().find(|line| line["url"] == address.as_str()).expect("the first")["id"].clone();
    let id = id.as_str().expect("an id");
    // What leads elsewhere is not removed from here.
    machine.ok(&["mkdir", ":/other"]).await;
    machine.fails(&["share", ":/other", "--remove", id], 3, "--list").await;
    machine.ok(&["share", ":/report.txt", "--remove", id]).await;
    open(&address).await.refused(404, "not-found");
    machine.fails(&["share", ":/report.txt", "--remove", id], 3, "--list").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn spaces_are_listed_with_role_and_room() {
    let world = World::start(Shape::Single, "").await;
    let url = &world.gateways[0].url;
    let ada = User::register(url, "ada").await;
    let team = ada.post("/spaces", &json!({ "name": "Research" })).await.expect(201);
    let bob = User::register(url, "bob").await;
    let root = team["root_id"].as_str().expect("an id");
    let body = json!({ "subject": { "kind": "user", "id": bob.user["id"] }, "role": "commenter" });
    Answer::of(ada.request("PUT", &format!("/entries/{root}/grants")).json(&body)).await.expect(201);
    let machine = Machine::new();
    let said = machine.typed(&["login", url, "--name", "bob", "--password-stdin"], PASSWORD).await;
    assert_eq!(said.code, 0, "{said:?}");
    machine.write("x", &[7; 2048]);
    machine.ok(&["cp", "x", ":/"]).await;
    let mut lines = machine.ok(&["spaces", "--json"]).await.lines();
    lines.sort_by_key(|line| line["kind"].to_string());
    let seen: Vec<_> = lines.iter().map(|line| (&line["kind"], &line["role"], &line["used_bytes"])).collect();
    let (own, teams) = ((json!("personal"), json!("manager")), (json!("team"), json!("commenter")));
    assert_eq!(seen, [(&own.0, &own.1, &json!(2048)), (&teams.0, &teams.1, &json!(0))]);
    assert_eq!(lines[1]["id"], team["id"]);
    let listed = machine.ok(&["spaces"]).await.out;
    assert!(listed.contains("2.0 KiB") && listed.contains("Research") && listed.contains("commenter"), "{listed}");
}
