//! Requests that are sent again because their answers were lost.

use futures::future::join_all;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, Shape, User, World};

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_repeated_are_done_once_by_one_process() {
    repeats(World::start(Shape::Single, "").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_repeated_are_done_once_by_a_cluster() {
    repeats(World::start(Shape::Cluster, "").await).await;
}

struct Client {
    first: User,
    second: User,
}

impl Client {
    /// The same request as this client's operation: eight times at once over both gateways, and once more later.
    async fn repeat(&self, status: u16, request: impl Fn(&User) -> RequestBuilder) -> Value {
        let operation = Uuid::now_v7().to_string();
        let before = self.sequence().await;
        let users = [&self.first, &self.second];
        let sends = (0..8).map(|number| Answer::of(request(users[number % 2]).header("operation-id", &operation)));
        let mut bodies: Vec<Value> = Vec::new();
        for answer in join_all(sends).await {
            assert_eq!(answer.status, status, "{:?}", String::from_utf8_lossy(&answer.body));
            bodies.push(if answer.body.is_empty() { Value::Null } else { answer.json() });
        }
        let later = Answer::of(request(&self.second).header("operation-id", &operation)).await;
        assert_eq!(later.status, status, "{:?}", String::from_utf8_lossy(&later.body));
        assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
        assert_eq!(self.sequence().await, before + 1, "it was done more than once, or not at all");
        bodies.remove(0)
    }

    async fn sequence(&self) -> u64 {
        let space = self.first.user["space_id"].as_str().expect("an id");
        let space = self.first.get(&format!("/spaces/{space}")).await.expect(200);
        space["sequence"].as_u64().expect("a number")
    }
}

fn id(entry: &Value) -> &str {
    entry["id"].as_str().expect("an id")
}

fn own_id() -> String {
    format!("ent_{}", Uuid::now_v7().as_simple())
}

async fn repeats(world: World) {
    let first = world.admin().await;
    let second = first.at(world.gateways.last().expect("a gateway"));
    let client = Client { first, second };
    let patch = |user: &User, id: &str, body: &Value| user.request("PATCH", &format!("/entries/{id}")).json(body);

    let folder = client.repeat(201, |user| user.request("POST", "/folders").json(&json!({ "name": "folder" }))).await;
    let upload = |user: &User, query: &[(&str, &str)]| user.request("POST", "/files").query(query).body("bytes");
    let file = client.repeat(201, |user| upload(user, &[("name", "file")])).await;
    let renamed = client.repeat(201, |user| upload(user, &[("name", "file"), ("on_conflict", "rename")])).await;
    assert_eq!(renamed["name"], "file (2)");
    let replaced = client.repeat(200, |user| upload(user, &[("name", "file"), ("on_conflict", "replace")])).await;
    assert_eq!(id(&replaced), id(&file));
    let put = |user: &User| user.request("PUT", &format!("/files/{}", id(&file))).body("other bytes");
    assert_eq!(client.repeat(200, put).await["size"], 11);
    let moved = json!({ "name": "moved", "parent_id": id(&folder) });
    client.repeat(200, |user| patch(user, id(&file), &moved)).await;
    let copy = json!({ "name": "copy" });
    let copied = |user: &User| user.request("POST", &format!("/entries/{}/copy", id(&folder))).json(&copy);
    client.repeat(201, copied).await;
    let trash = |user: &User| user.request("DELETE", &format!("/entries/{}", id(&folder)));
    client.repeat(204, trash).await;
    let restore = |user: &User| user.request("POST", &format!("/entries/{}/restore", id(&folder))).json(&json!({}));
    client.repeat(200, restore).await;
    let remove = |user: &User| user.request("DELETE", &format!("/entries/{}?permanent=true", id(&renamed)));
    client.repeat(204, remove).await;

    // With ids of its own a client does all of this without having asked once.
    let (outer, inner) = (own_id(), own_id());
    let body = json!({ "name": "offline", "id": outer });
    assert_eq!(id(&client.repeat(201, |user| user.request("POST", "/folders").json(&body)).await), outer);
    let made = |user: &User| upload(user, &[("name", "inner"), ("parent", &outer), ("id", &inner)]);
    assert_eq!(id(&client.repeat(201, made).await), inner);
    client.repeat(200, |user| patch(user, &inner, &json!({ "name": "renamed" }))).await;

    // An answer stays what it was, whatever happens since.
    let operation = Uuid::now_v7().to_string();
    let make = || client.first.request("POST", "/folders").json(&json!({ "name": "gone" }));
    let made = Answer::of(make().header("operation-id", &operation)).await.expect(201);
    client.first.delete(&format!("/entries/{}?permanent=true", id(&made))).await;
    assert_eq!(Answer::of(make().header("operation-id", &operation)).await.expect(201), made);
    assert_eq!(client.first.get(&format!("/entries/{}", id(&made))).await.status, 404);
    // Also if what was copied is in the trash by then, or gone.
    let source = client.first.post("/folders", &json!({ "name": "source" })).await.expect(201);
    let copies = [
        ("/copy", json!({ "parent_id": id(&folder), "id": own_id() })),
        ("/copy", json!({ "parent_id": id(&folder), "name": "by its name" })),
        ("/copy", json!({ "parent_id": id(&folder), "name": "a rule", "id": own_id(), "on_conflict": "skip" })),
        ("", json!({ "parent_id": id(&folder), "on_conflict": "rename" })),
    ];
    let ask = |(path, body): &(&str, Value), operation: &str| {
        let (method, path) =
            (if path.is_empty() { "PATCH" } else { "POST" }, format!("/entries/{}{path}", id(&source)));
        Answer::of(client.second.request(method, &path).json(body).header("operation-id", operation))
    };
    let mut answers = Vec::new();
    for request in &copies {
        let operation = Uuid::now_v7().to_string();
        let answer = ask(request, &operation).await;
        assert!([200, 201].contains(&answer.status), "{answer:?}");
        answers.push((request, operation, answer));
    }
    for how in ["", "?permanent=true"] {
        client.first.delete(&format!("/entries/{}{how}", id(&source))).await;
        for (request, operation, answer) in &answers {
            let again = ask(request, operation).await;
            assert_eq!((again.status, again.json()), (answer.status, answer.json()), "{request:?} after {how:?}");
        }
        // Who never asked before is told that it is not there.
        assert!([404, 409].contains(&ask(&copies[0], &Uuid::now_v7().to_string()).await.status));
    }
    // One operation may be about several things.
    for name in ["one", "two"] {
        let body = json!({ "name": name });
        let made = client.first.request("POST", "/folders").json(&body).header("operation-id", &operation);
        assert_eq!(Answer::of(made).await.expect(201)["name"], name);
    }

    refusals(&world, &client, &outer).await;
}

async fn refusals(world: &World, client: &Client, taken: &str) {
    let other = User::register(&world.gateways[0].url, "other").await;
    let folder = |user: &User, name: &str, id: &str| {
        Answer::of(user.request("POST", "/folders").json(&json!({ "name": name, "id": id })))
    };
    // Also by somebody who cannot see what has the id.
    folder(&client.first, "a", taken).await.refused(409, "id-taken");
    folder(&other, "a", taken).await.refused(409, "id-taken");
    folder(&other, "a", "ent_00000000000040008000000000000000").await.refused(400, "invalid-id");
    folder(&other, "a", "nonsense").await.refused(400, "invalid-id");
    // Somebody else's operation of the same id is another one.
    let operation = Uuid::now_v7().to_string();
    for user in [&client.first, &other] {
        let made = user.request("POST", "/folders").json(&json!({ "name": "same id" }));
        let made = Answer::of(made.header("operation-id", &operation)).await.expect(201);
        assert_eq!(made["parent_id"], user.root());
    }
    // Without an id a request that is sent again is another request.
    let again = client.first.post("/folders", &json!({ "name": "same id" })).await;
    again.refused(409, "name-taken");
}
