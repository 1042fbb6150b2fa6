//! Plans, the hands of administrators, and settings, on one process and across gateways.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Answer, PATIENCE, Shape, User, World, bytes, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn plans_hold_on_one_process() {
    plans(World::start(Shape::Single, "").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_hold_across_gateways() {
    plans(World::start(Shape::Cluster, "").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_obeyed_by_all_gateways() {
    settings(World::start(Shape::Cluster, "[instance]\nname = \"Archive\"\n[drive]\ntrash_days = 20\n").await).await;
}

fn id(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_owned()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

async fn change(user: &User, path: &str, body: &Value) -> Answer {
    Answer::of(user.request("PATCH", path).json(body)).await
}

async fn put(user: &User, name: &str, bytes: Vec<u8>) -> Answer {
    Answer::of(user.request("POST", "/files").query(&[("name", name)]).body(bytes)).await
}

async fn begin(user: &User, name: &str, length: usize) -> Answer {
    let name = crate::sharing::base64(name);
    let request = user
        .request("POST", "/uploads")
        .header("tus-resumable", "1.0.0")
        .header("upload-length", length.to_string())
        .header("upload-metadata", format!("filename {name}"));
    Answer::of(request).await
}

/// A name that nobody but its owner may ever read.
const HIDDEN: &str = "hidden-plans-of-mine.bin";

async fn plans(mut world: World) {
    let near = world.gateways[0].url.clone();
    let admin = world.admin().await;
    let user = User::register(&near, "ada").await;
    let eve = User::register(&near, "eve").await;
    let far = user.at(world.gateways.last().expect("a gateway"));
    let space = text(&user.user["space_id"]).to_owned();

    // Made and given by one gateway, it holds on the other when the answer is there.
    let limits = json!({ "name": "Small", "storage_bytes": 100_000, "file_bytes": 60_000, "links": 1 });
    user.post("/admin/plans", &limits).await.refused(403, "permission-missing");
    let plan = id(&admin.post("/admin/plans", &limits).await.expect(201));
    admin.post("/admin/plans", &json!({ "name": "sMALL" })).await.refused(409, "plan-name-taken");
    admin.post("/admin/plans", &json!({ "name": "x", "trash_days": 0 })).await.refused(400, "invalid-plan");
    put(&user, HIDDEN, bytes(1, 50_000)).await.expect(201);
    let to = json!({ "plan_id": plan, "to": [user.user["id"], "spc_0197f3c6b1d07c3a9d2e5f60718293a4"] });
    let told = admin.post("/admin/plan-assignments?preview=true", &to).await.expect(200);
    assert_eq!((&told["refused"], &told["items"][0]["effect"]["spaces_over_storage"]), (&json!(1), &json!(0)));
    put(&far, "larger", bytes(2, 60_001)).await.expect(201);
    far.delete(&format!("/files/{}?permanent=true", id(&at(&far, &space, "larger").await))).await;
    let told = admin.post("/admin/plan-assignments", &to).await.expect(200);
    assert_eq!((&told["items"][1]["error"]["code"], &told["preview"]), (&json!("not-found"), &json!(false)));

    put(&far, "larger", bytes(2, 60_001)).await.refused(413, "plan-file-size");
    begin(&far, "larger", 60_001).await.refused(413, "plan-file-size");
    let upload = begin(&far, "hidden-plans-too.bin", 40_000).await;
    assert_eq!(upload.status, 201);
    let full = put(&far, "more", bytes(3, 20_000)).await;
    let problem = full.json();
    full.refused(507, "quota-exceeded");
    assert_eq!(
        problem["shortage"],
        json!({
            "space_id": space, "needed_bytes": 20_000, "quota_bytes": 100_000, "used_bytes": 50_000, "files_bytes": 50_000,
            "versions_bytes": 0, "trash_bytes": 0, "reserved_bytes": 40_000,
        })
    );
    assert!(text(&problem["detail"]).contains("uploads under way"), "{problem}");
    let uses = far.get(&format!("/spaces/{space}/plan")).await.expect(200);
    assert_eq!(
        (&uses["plan_name"], &uses["usage"]["reserved_bytes"], &uses["limits"]["links"], &uses["links"]),
        (&json!("Small"), &json!(40_000), &json!(1), &json!(0))
    );
    eve.get(&format!("/spaces/{space}/plan")).await.refused(404, "not-found");

    // A visitor of a drop box learns that there is no room, and nothing of how full it is.
    let folder = id(&user.post("/folders", &json!({ "name": "in" })).await.expect(201));
    let links = format!("/entries/{folder}/links");
    let link = user.post(&links, &json!({ "mode": "upload" })).await.expect(201);
    far.post(&links, &json!({ "mode": "view" })).await.refused(409, "plan-links");
    let path = format!("{near}/api/v1/public/links/{}/files?name=x", text(&link["token"]));
    let refused = Answer::of(reqwest::Client::new().post(&path).body(bytes(4, 20_000))).await;
    assert_eq!((refused.status, refused.json().get("shortage")), (507, None));

    // Administrators see who sends how much, and how full spaces are; and no name of a file.
    let uploads = admin.get("/admin/uploads").await;
    let listed = uploads.json();
    let one = &listed["items"][0];
    assert_eq!(
        (&one["user_name"], &one["length"], &one["reserved_bytes"], &one["resumable"]),
        (&json!("ada"), &json!(40_000), &json!(40_000), &json!(true))
    );
    let spaces = admin.get("/admin/spaces?search=ADA&kind=personal").await;
    let of_ada = spaces.json()["items"][0].clone();
    assert_eq!((&of_ada["plan_name"], &of_ada["used_bytes"]), (&json!("Small"), &json!(50_000)));
    let detail = admin.get(&format!("/admin/spaces/{space}")).await;
    let log = admin.get("/admin/audit").await;
    for answer in [&uploads, &spaces, &detail, &log, &admin.get("/admin/jobs?state=waiting").await] {
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(answer.status == 200 && !body.contains("hidden-plans") && !body.contains("\"in\""), "{body}");
    }
    for path in [format!("/spaces/{space}"), format!("/spaces/{space}/usage"), format!("/folders/{folder}")] {
        admin.get(&path).await.refused(404, "not-found");
    }
    for path in ["/admin/spaces", "/admin/uploads", "/admin/plans", "/admin/settings", "/admin/queues"] {
        user.get(path).await.refused(403, "permission-missing");
    }
    let first = admin.get("/admin/spaces?limit=2").await.json();
    let rest = admin.get(&format!("/admin/spaces?limit=2&cursor={}", text(&first["next_cursor"]))).await.json();
    assert_eq!((&first["items"][0]["id"], rest["items"].as_array().map(Vec::len)), (&json!(space), Some(1)));

    // An upload that is cancelled gives its room back, on whichever gateway it runs.
    Answer::of(admin.request("DELETE", &format!("/admin/uploads/{}", text(&one["id"])))).await;
    let part = far
        .request("PATCH", &format!("/uploads/{}", text(&one["id"])))
        .header("tus-resumable", "1.0.0")
        .header("upload-offset", "0")
        .header("content-type", "application/offset+octet-stream")
        .body("x");
    Answer::of(part).await.refused(404, "not-found");
    put(&far, "more", bytes(3, 50_000)).await.expect(201);

    // A plan that becomes smaller than what is there takes nothing away.
    let path = format!("/admin/plans/{plan}");
    let told = change(&admin, &path, &json!({ "storage_bytes": 1000, "file_bytes": null })).await.expect(200);
    assert_eq!((&told["effect"]["spaces_over_storage"], &told["plan"]["spaces"]), (&json!(1), &json!(1)));
    let entry = at(&far, &space, HIDDEN).await;
    assert!(far.download(text(&entry["id"])).await == bytes(1, 50_000));
    put(&far, "y", b"y".to_vec()).await.refused(507, "quota-exceeded");
    Answer::of(admin.request("DELETE", &path)).await.refused(409, "plan-in-use");
    let own = change(&admin, &format!("/admin/spaces/{space}"), &json!({ "quota_bytes": null })).await.expect(200);
    assert_eq!((&own["quota_own"], &own["plan"]["limits"]["storage_bytes"]), (&json!(true), &Value::Null));
    put(&far, "y", b"y".to_vec()).await.expect(201);

    managers(&admin, &user, &eve).await;
    killed(&mut world, &admin).await;
}

/// The last manager of a team goes, and administrators find and help it.
async fn managers(admin: &User, ada: &User, eve: &User) {
    let team = ada.post("/spaces", &json!({ "name": "Orphans" })).await.expect(201);
    let path = format!("/admin/spaces/{}", id(&team));
    let give = async |whom: &User| admin.post(&format!("{path}/manager"), &json!({ "user_id": whom.user["id"] })).await;
    give(eve).await.refused(409, "has-manager");
    let disabled = change(admin, &format!("/admin/users/{}", id(&ada.user)), &json!({ "disabled": true })).await;
    disabled.expect(200);
    let found = admin.get("/admin/spaces?unmanaged=true").await.expect(200);
    assert_eq!((&found["items"][0]["name"], found["items"].as_array().map(Vec::len)), (&json!("Orphans"), Some(1)));
    give(ada).await.refused(400, "subject-unknown");
    assert_eq!(give(eve).await.expect(200)["managers"], 1);
    assert_eq!(eve.get(&format!("/spaces/{}", id(&team))).await.expect(200)["role"], "manager");
    let log = admin.get("/admin/audit?action=manager-given").await.expect(200);
    assert_eq!(log["items"][0]["account_id"], eve.user["id"]);
    Answer::of(admin.request("DELETE", &path)).await;
    eve.get(&format!("/spaces/{}", id(&team))).await.refused(404, "not-found");
    let own = format!("/admin/spaces/{}", text(&eve.user["space_id"]));
    Answer::of(admin.request("DELETE", &own)).await.refused(400, "personal-space");
}

/// A gateway dies in the middle of a long body: its room is kept for a while, and an administrator gets it back at once.
async fn killed(world: &mut World, admin: &User) {
    const LONG: usize = 80 << 20;
    let bob = User::register(&world.gateways[0].url, "bob").await;
    let space = text(&bob.user["space_id"]).to_owned();
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Vec<u8>, std::io::Error>>(1);
    let body = futures::stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
    let request = bob
        .request("POST", "/files")
        .query(&[("name", "long")])
        .header("content-length", LONG.to_string())
        .body(reqwest::Body::wrap_stream(body));
    let running = tokio::spawn(Answer::try_of(request));
    sender.send(Ok(bytes(1, 1 << 20))).await.expect("the body is read");
    let reserved = async || {
        let answer = admin.get(&format!("/admin/uploads?space={space}")).await;
        (answer.status == 200).then(|| answer.json()["items"].as_array().cloned().unwrap_or_default())
    };
    let found =
        eventually("the room is reserved", PATIENCE, async || reserved().await.filter(|all| all.len() == 1)).await;
    assert_eq!((&found[0]["reserved_bytes"], &found[0]["resumable"]), (&json!(LONG), &json!(false)));
    world.gateways[0].kill();
    drop(sender);
    assert!(running.await.expect("the client runs").is_err(), "the connection is gone");
    world.gateways[0].restart().await;
    world.all_ready().await;
    let found = eventually("the gateway answers", PATIENCE, async || reserved().await).await;
    assert_eq!(found[0]["reserved_bytes"], LONG, "what a killed process held is not lost, and not forgotten");
    Answer::of(admin.request("DELETE", &format!("/admin/uploads/{}", id(&found[0])))).await;
    assert_eq!(reserved().await.expect("an answer").len(), 0);
    let held = bob.get(&format!("/spaces/{space}")).await.expect(200);
    assert_eq!((&held["reserved_bytes"], &held["used_bytes"]), (&json!(0), &json!(0)));
}

async fn at(user: &User, space: &str, path: &str) -> Value {
    user.get(&format!("/spaces/{space}/entry?path={path}")).await.expect(200)
}

async fn settings(world: World) {
    let (near, far) = (&world.gateways[0], world.gateways.last().expect("a gateway"));
    let admin = world.admin().await;
    let ada = User::register(&near.url, "ada").await;
    let anyone = async || {
        let path = format!("{}/api/v1/public/instance", far.url);
        Answer::of(reqwest::Client::new().get(path)).await.expect(200)
    };
    assert_eq!(anyone().await, json!({ "name": "Archive", "welcome": "", "registration": "open" }));
    let set = async |changes: Value| change(&admin, "/admin/settings", &changes).await;
    change(&ada, "/admin/settings", &json!({ "name": "Ada's" })).await.refused(403, "permission-missing");
    for bad in [json!({ "name": "" }), json!({ "colour": "red" }), json!({ "welcome": "x", "links": 1 })] {
        set(bad).await.refused(400, "invalid-setting");
    }
    let changed = set(json!({ "welcome": "Hello", "registration": "invitation", "trash_days": 7, "team_spaces": false,
                              "link_days": 3, "link_password": true }));
    let changed = changed.await.expect(200);
    let one = |key: &str| {
        let items = changed["items"].as_array().expect("items").iter();
        let found = items.filter(|item| item["key"] == key).collect::<Vec<_>>();
        (found[0]["value"].clone(), found[0]["default"].clone(), found[0]["source"].clone())
    };
    assert_eq!(one("trash_days"), (json!(7), json!(20), json!("administrators")));
    assert_eq!(one("name"), (json!("Archive"), json!("Archive"), json!("configuration")));

    // The gateway that did not take the change obeys within seconds.
    let soon = Duration::from_secs(10);
    eventually("the other gateway has it", soon, async || (anyone().await["welcome"] == "Hello").then_some(())).await;
    let at_far = ada.at(far);
    let register = json!({ "name": "eve", "password": "correct horse battery" });
    let path = format!("{}/api/v1/register", far.url);
    let registered = Answer::of(reqwest::Client::new().post(&path).json(&register)).await;
    registered.refused(403, "registration-closed");
    at_far.post("/spaces", &json!({ "name": "mine" })).await.refused(403, "team-spaces-off");
    admin.at(far).post("/spaces", &json!({ "name": "ours" })).await.expect(201);
    let retention = at_far.get(&format!("/spaces/{}/retention", text(&ada.user["space_id"]))).await.expect(200);
    assert_eq!(retention["trash_days"], 7);
    let folder = id(&ada.post("/folders", &json!({ "name": "f" })).await.expect(201));
    let links = format!("/entries/{folder}/links");
    let now = base::Time::from_micros(
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_micros() as i64,
    );
    let in_days = |days: u64| now.plus(Duration::from_secs(days * 86_400)).to_string();
    let password = "open sesame";
    for (body, taken) in [
        (json!({ "mode": "view", "expires_at": in_days(2) }), false),
        (json!({ "mode": "view", "password": password }), false),
        (json!({ "mode": "view", "password": password, "expires_at": in_days(5) }), false),
        (json!({ "mode": "view", "password": password, "expires_at": in_days(2) }), true),
    ] {
        let answer = at_far.post(&links, &body).await;
        if taken {
            answer.expect(201);
        } else {
            answer.refused(400, "invalid-link");
        }
    }
    let link = at_far.get("/links").await.expect(200)["items"][0].clone();
    let enter = async || {
        let path = format!("{}/api/v1/public/links/{}", far.url, text(&link["token"]));
        Answer::of(reqwest::Client::new().get(path)).await.status
    };
    assert_eq!(enter().await, 200);
    set(json!({ "links": false, "registration": null })).await.expect(200);
    eventually("links are off", soon, async || (enter().await == 403).then_some(())).await;
    at_far.post(&links, &json!({ "mode": "view" })).await.refused(403, "links-off");
    assert_eq!(anyone().await["registration"], "open");
    let log = admin.get("/admin/audit?action=settings-changed").await.expect(200);
    assert_eq!(log["items"][0]["detail"]["after"], json!({ "links": false, "registration": null }));
}
