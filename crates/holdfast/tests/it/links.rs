//! Links from outside, on one process and across gateways.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{Answer, Process, Shape, User, World, bytes};

/// Asks as somebody does who has only the link.
async fn visit(gateway: &Process, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
    let method = method.parse().expect("a method");
    let mut request = reqwest::Client::new().request(method, format!("{}/api/v1/public/links/{path}", gateway.url));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::of(request.body(body)).await
}

async fn get(gateway: &Process, path: &str) -> Answer {
    visit(gateway, "GET", path, &[], Vec::new()).await
}

async fn unlock(gateway: &Process, token: &str, password: &str) -> Answer {
    let body = json!({ "password": password }).to_string().into_bytes();
    visit(gateway, "POST", &format!("{token}/unlock"), &[("content-type", "application/json")], body).await
}

async fn link(user: &User, entry: &str, body: Value) -> (String, String) {
    let link = user.post(&format!("/entries/{entry}/links"), &body).await.expect(201);
    let text = |key: &str| link[key].as_str().expect("text").to_owned();
    (text("id"), text("token"))
}

async fn put(user: &User, parent: &str, name: &str, content: Vec<u8>) -> String {
    let request = user.request("POST", "/files").query(&[("name", name), ("parent", parent)]).body(content);
    Answer::of(request).await.expect(201)["id"].as_str().expect("an id").to_owned()
}

async fn folder(user: &User, parent: &str, name: &str) -> String {
    let body = json!({ "name": name, "parent_id": parent });
    user.post("/folders", &body).await.expect(201)["id"].as_str().expect("an id").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn links_work_on_one_process() {
    links(World::start(Shape::Single, "[accounts]\nquota = \"24 MiB\"\n").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_work_across_gateways() {
    links(World::start(Shape::Cluster, "[accounts]\nquota = \"24 MiB\"\n").await).await;
}

async fn links(world: World) {
    let (near, far) = (&world.gateways[0], world.gateways.last().expect("a gateway"));
    let owner = User::register(&near.url, "owner").await;
    let top = folder(&owner, owner.root(), "top").await;
    let below = folder(&owner, &top, "below").await;
    let content = bytes(1, 9_000_000);
    let large = put(&owner, &below, "large.bin", content.clone()).await;
    let beside = put(&owner, owner.root(), "beside.bin", bytes(2, 100)).await;

    // Ranges as for those who are signed in, all of one download.
    let (id, token) = link(&owner, &top, json!({ "mode": "download", "download_limit": 1 })).await;
    let path = format!("{token}/files/{large}");
    let first = visit(near, "GET", &path, &[("range", "bytes=0-999999")], Vec::new()).await;
    assert_eq!((first.status, first.body == content[..1_000_000]), (206, true));
    let download = first.header("download-id").to_owned();
    let rest = [("range", "bytes=1000000-"), ("download-id", &*download)];
    let rest = visit(far, "GET", &path, &rest, Vec::new()).await;
    assert_eq!((rest.status, rest.body == content[1_000_000..]), (206, true));
    get(far, &path).await.refused(410, "link-used-up");

    // Below it, and nothing else; and nothing of it while it is in the trash.
    get(far, &format!("{token}/files/{beside}")).await.refused(404, "not-found");
    get(far, &format!("{token}/entries/{}", owner.root())).await.refused(404, "not-found");
    get(far, &format!("{token}/entries/{below}")).await.expect(200);
    owner.delete(&format!("/entries/{top}")).await;
    for path in [token.clone(), format!("{token}/entries/{below}"), path.clone()] {
        get(far, &path).await.refused(404, "not-found");
    }
    owner.post(&format!("/entries/{top}/restore"), &json!({})).await.expect(200);
    get(far, &token).await.expect(200);

    // One of a hundred, wherever they ask.
    let (one, once) = link(&owner, &large, json!({ "mode": "download", "download_limit": 1 })).await;
    let mut tasks = JoinSet::new();
    for number in 0..100 {
        let url = world.gateways[number % world.gateways.len()].url.clone();
        let path = format!("{url}/api/v1/public/links/{once}/files/{large}");
        tasks.spawn(async move { Answer::of(reqwest::Client::new().get(path).header("range", "bytes=0-99")).await });
    }
    let answers = tasks.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 206).count(), 1);
    answers.into_iter().filter(|answer| answer.status != 206).for_each(|answer| answer.refused(410, "link-used-up"));
    let stats = owner.get(&format!("/links/{one}")).await.expect(200);
    assert_eq!((&stats["downloads"], &stats["token"]), (&json!(1), &json!(once)));

    // An archive that one gateway began is ended by another, and is the same; its name leads to nothing beside it.
    let archive = format!("/archive?entries={top}");
    let whole = owner.get(&archive).await;
    assert_eq!((whole.status, whole.header("content-length")), (200, whole.body.len().to_string().as_str()));
    for from in [0, 123, 4_567_890, whole.body.len() - 300] {
        let request = owner.at(far).request("GET", &archive).header("range", format!("bytes={from}-"));
        let rest = Answer::of(request.header("if-range", whole.header("etag"))).await;
        assert_eq!((rest.status, rest.body == whole.body[from..]), (206, true), "{from}");
    }
    let (_, packed) = link(&owner, &below, json!({ "mode": "download" })).await;
    let tar = get(far, &format!("{packed}/archive?format=tar")).await;
    assert_eq!((tar.status, tar.header("content-type")), (200, "application/x-tar"));
    // The header of the folder, that of the file, its bytes.
    assert!(tar.body[1024..].starts_with(&content));
    get(far, &format!("{packed}/archive?entries={beside}")).await.refused(404, "not-found");

    // What one gateway let in, the other knows; a new password ends it everywhere.
    let (locked, secret) = link(&owner, &top, json!({ "mode": "download", "password": "open sesame" })).await;
    get(near, &format!("{secret}/entries/{below}")).await.refused(403, "link-locked");
    unlock(near, &secret, "close sesame").await.refused(403, "link-wrong-password");
    let session = unlock(near, &secret, "open sesame").await.expect(200)["session_token"].clone();
    let session = [("link-session", session.as_str().expect("a token"))];
    let path = format!("{secret}/entries/{below}");
    visit(far, "GET", &path, &session, Vec::new()).await.expect(200);
    let change = json!({ "password": "another secret" });
    Answer::of(owner.request("PATCH", &format!("/links/{locked}")).json(&change)).await.expect(200);
    visit(far, "GET", &path, &session, Vec::new()).await.refused(403, "link-locked");

    // A drop box takes what the owner has room for. Of many at once none is lost and none is over.
    let (_, drop) = link(&owner, &below, json!({ "mode": "upload" })).await;
    let mut tasks = JoinSet::new();
    for number in 0..10 {
        let url = world.gateways[number % world.gateways.len()].url.clone();
        let request = reqwest::Client::new()
            .post(format!("{url}/api/v1/public/links/{drop}/files?name=same.bin"))
            .body(bytes(number as u64, 3 << 20));
        tasks.spawn(async move { Answer::of(request).await });
    }
    let mut taken = 0;
    for answer in tasks.join_all().await {
        match answer.status {
            201 => taken += 1,
            _ => answer.refused(507, "quota-exceeded"),
        }
    }
    let names = owner.get(&format!("/folders/{below}/children")).await.expect(200);
    assert_eq!(names["items"].as_array().map(Vec::len), Some(1 + taken), "{names}");
    assert!((1..=5).contains(&taken), "{taken}");
    get(near, &format!("{drop}/entries/{below}/children")).await.refused(403, "link-forbids");

    // Revoked for one is revoked for all; and all of it can be gone with the entry.
    owner.delete(&format!("/links/{id}")).await;
    get(far, &token).await.refused(404, "not-found");
    let events = owner.get(&format!("/links/{one}/events")).await.expect(200);
    assert_eq!(
        (&events["items"][0]["kind"], &events["items"][0]["network"]),
        (&json!("downloaded"), &json!("127.0.0.0/24"))
    );
    owner.delete(&format!("/entries/{top}?permanent=true")).await;
    get(far, &drop).await.refused(404, "not-found");
}
