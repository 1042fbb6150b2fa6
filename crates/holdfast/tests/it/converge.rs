//! Clients that follow the journal and change the tree at the same time end with the same tree as the server.
//!
//! Each client knows only what the journal told it, chooses what to do from that, and now and then loses an answer and asks
//! again. `HOLDFAST_CONVERGE_STEPS` makes it longer, `HOLDFAST_CONVERGE_SEED` another one.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    harness::{Answer, Shape, User, World},
    load::children,
};

const CLIENTS: u64 = 4;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_converge_on_one_process() {
    converge(World::start(Shape::Single, "").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_converge_on_a_cluster() {
    converge(World::start(Shape::Cluster, "").await).await;
}

async fn converge(world: World) {
    let admin = world.admin().await;
    let (seed, steps) = (setting("HOLDFAST_CONVERGE_SEED", 1), setting("HOLDFAST_CONVERGE_STEPS", 120));
    let clients = (0..CLIENTS).map(|number| {
        let gateway = &world.gateways[number as usize % world.gateways.len()];
        let client = Client::new(admin.at(gateway), testkit::sim::Rng::new(&[seed, number]));
        tokio::spawn(client.live(steps))
    });
    let mut clients = try_join_all(clients).await.expect("no client panics");
    let truth = walk(&admin).await;
    assert!(truth.len() > 20, "there is hardly anything to compare: {} entries", truth.len());
    let changes: u64 = clients.iter().map(|client| client.done).sum();
    assert!(changes > CLIENTS * steps / 3, "hardly anything was done: {changes} changes");
    for client in &mut clients {
        client.pull().await;
        let seen = client.tree();
        for (id, entry) in &truth {
            assert_eq!(seen.get(id), Some(entry), "seed {seed}: a client has another state of {id}");
        }
        assert_eq!(seen.len(), truth.len(), "seed {seed}: a client has entries that are not there");
    }
}

/// Everything below the root, as it is listed.
async fn walk(user: &User) -> BTreeMap<String, Value> {
    let mut tree = BTreeMap::new();
    let mut folders = vec![user.root().to_owned()];
    while let Some(folder) = folders.pop() {
        for mut entry in children(user, &folder).await {
            let id = text(&entry, "id");
            if entry["kind"] == "folder" {
                folders.push(id.clone());
                entry.as_object_mut().expect("an entry").remove("total");
            }
            tree.insert(id, entry);
        }
    }
    tree
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

struct Client {
    user: User,
    rng: testkit::sim::Rng,
    space: String,
    cursor: String,
    /// What is known, also below folders that are in the trash.
    known: BTreeMap<String, Value>,
    /// What was put in the trash, with what hangs from it.
    trashed: BTreeMap<String, Value>,
    done: u64,
}

impl Client {
    fn new(user: User, rng: testkit::sim::Rng) -> Self {
        let space = text(&user.user, "space_id");
        let (known, trashed) = (BTreeMap::new(), BTreeMap::new());
        Self { user, rng, space, cursor: "1.0".into(), known, trashed, done: 0 }
    }

    async fn live(mut self, steps: u64) -> Self {
        for _ in 0..steps {
            if self.rng.chance(400) {
                self.pull().await;
            }
            self.act().await;
        }
        self
    }

    /// Takes in what happened, as the documents say that a client should.
    async fn pull(&mut self) {
        loop {
            let path = format!("/spaces/{}/changes?since={}&limit=50", self.space, self.cursor);
            let page = self.user.get(&path).await.expect(200);
            for change in page["items"].as_array().expect("items") {
                self.apply(change).await;
            }
            self.cursor = text(&page, "next");
            if page["more"] == false {
                return;
            }
        }
    }

    async fn apply(&mut self, change: &Value) {
        let (id, kind) = (text(change, "entry_id"), change["kind"].as_str().expect("a kind"));
        match kind {
            "trashed" => {
                if let Some(entry) = self.known.remove(&id) {
                    self.trashed.insert(id, entry);
                }
            }
            "deleted" => {
                self.known.remove(&id);
                self.trashed.remove(&id);
            }
            _ => {
                let came_back = self.trashed.remove(&id);
                let known = came_back.is_some() || self.known.contains_key(&id);
                self.take(change["entry"].clone());
                if !known && kind != "created" && change["entry"]["kind"] == "folder" {
                    self.fetch(id).await;
                }
            }
        }
    }

    /// An entry's state, unless a newer one is known.
    fn take(&mut self, mut entry: Value) {
        // Where an entry is now, not what it is: what it hangs from may come out of the trash without a word about it.
        entry.as_object_mut().expect("an entry").remove("trashed");
        // What is below a folder is none of the folder, and no change of it.
        entry.as_object_mut().expect("an entry").remove("total");
        let id = text(&entry, "id");
        let newer = |known: &Value| known["revision"].as_u64() < entry["revision"].as_u64();
        if self.known.get(&id).is_none_or(newer) {
            self.known.insert(id, entry);
        }
    }

    /// What is in a folder that was not known before, because it was copied, or was in one that was, is not in the journal.
    async fn fetch(&mut self, folder: String) {
        let mut folders = vec![folder];
        while let Some(folder) = folders.pop() {
            let page = self.user.get(&format!("/folders/{folder}/children?limit=1000")).await;
            // It may be gone again; then the journal goes on to say so.
            if page.status != 200 {
                continue;
            }
            for entry in page.json()["items"].as_array().expect("items") {
                if entry["kind"] == "folder" {
                    folders.push(text(entry, "id"));
                }
                self.take(entry.clone());
            }
        }
    }

    /// What hangs from the root.
    fn tree(&self) -> BTreeMap<String, Value> {
        let hangs = |entry: &Value| {
            let mut parent = text(entry, "parent_id");
            for _ in 0..1000 {
                if parent == self.user.root() {
                    return true;
                }
                match self.known.get(&parent) {
                    Some(above) => parent = text(above, "parent_id"),
                    None => return false,
                }
            }
            panic!("a cycle above {entry}");
        };
        self.known.iter().filter(|(_, entry)| hangs(entry)).map(|(id, entry)| (id.clone(), entry.clone())).collect()
    }

    fn pick(&mut self, wanted: impl Fn(&Value) -> bool) -> Option<String> {
        let all: Vec<_> = self.tree().into_iter().filter(|(_, entry)| wanted(entry)).map(|(id, _)| id).collect();
        (!all.is_empty()).then(|| all[self.rng.below(all.len() as u64) as usize].clone())
    }

    fn folder(&mut self) -> String {
        let root = self.user.root().to_owned();
        match self.rng.chance(300) {
            true => root,
            false => self.pick(|entry| entry["kind"] == "folder").unwrap_or(root),
        }
    }

    /// Few names, so that clients meet.
    fn name(&mut self) -> String {
        format!("n{}", self.rng.below(12))
    }

    async fn act(&mut self) {
        let (folder, name) = (self.folder(), self.name());
        let any = self.pick(|_| true);
        let own = format!("ent_{}", Uuid::now_v7().as_simple());
        match (self.rng.below(12), any) {
            (0 | 1, _) => self.send("POST", "/folders", json!({ "name": name, "parent_id": folder, "id": own })).await,
            (2, _) => self.send("POST", "/folders", json!({ "name": name, "parent_id": folder })).await,
            (3 | 4, _) => {
                let rule = ["fail", "replace", "rename"][self.rng.below(3) as usize];
                let path = format!("/files?name={name}&parent={folder}&on_conflict={rule}");
                self.send("POST", &path, Value::Null).await;
            }
            (5 | 6, Some(id)) => self.send("PATCH", &format!("/entries/{id}"), json!({ "name": name })).await,
            (7 | 8, Some(id)) => {
                let body = json!({ "name": name, "parent_id": folder });
                self.send("PATCH", &format!("/entries/{id}"), body).await;
            }
            (9, Some(id)) => {
                let body = json!({ "parent_id": folder, "on_conflict": "rename", "id": own });
                self.send("POST", &format!("/entries/{id}/copy"), body).await;
            }
            (10, Some(id)) => {
                let path = if self.rng.chance(300) { "?permanent=true" } else { "" };
                self.send("DELETE", &format!("/entries/{id}{path}"), Value::Null).await;
            }
            _ => {
                let all: Vec<_> = self.trashed.keys().cloned().collect();
                let body = json!({ "space_id": self.space });
                match (self.rng.below(3), all.is_empty()) {
                    (0, _) => self.send("POST", "/undo", body).await,
                    (1, _) => self.send("POST", "/redo", body).await,
                    (_, true) => {}
                    (_, false) => {
                        let id = &all[self.rng.below(all.len() as u64) as usize];
                        self.send("POST", &format!("/entries/{id}/restore"), json!({ "parent_id": folder })).await;
                    }
                }
            }
        }
    }

    /// Sends a request; one in five loses its answer and is sent again, at once beside itself or later.
    async fn send(&mut self, method: &str, path: &str, body: Value) {
        let operation = Uuid::now_v7().to_string();
        let request = || {
            let request = self.user.request(method, path).header("operation-id", &operation);
            Answer::of(if body.is_null() { request.body("bytes") } else { request.json(&body) })
        };
        let first = match self.rng.chance(100) {
            true => {
                let (first, second) = futures::join!(request(), request());
                if first.status < 300 && second.status < 300 {
                    let bodies = [&first, &second].map(|answer| String::from_utf8_lossy(&answer.body).into_owned());
                    assert_eq!(bodies[0], bodies[1], "{method} {path} {body}");
                }
                if first.status < 300 { first } else { second }
            }
            false => request().await,
        };
        let status = StatusCode::from_u16(first.status).expect("a status");
        let problem = String::from_utf8_lossy(&first.body).into_owned();
        assert!(!status.is_server_error(), "{method} {path} {body}: {problem}");
        if status.is_client_error() {
            // Others were faster, or it makes no sense; it must say which.
            let known = [400, 404, 409, 412, 413].contains(&first.status);
            assert!(known, "{method} {path} {body}: {problem}");
            return;
        }
        self.done += 1;
        if self.rng.chance(100) {
            let again = request().await;
            let (first, again) = ((first.status, problem), (again.status, String::from_utf8_lossy(&again.body)));
            assert_eq!((again.0, again.1.into_owned()), first, "{method} {path} {body} again");
        }
    }
}
