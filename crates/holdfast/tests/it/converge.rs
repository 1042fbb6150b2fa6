//! Clients that follow the journals of two spaces and change their trees at the same time end with the same trees as the server;
//! and so does somebody who sees now this, now that part of one.
//!
//! Each client knows only what the journals told it, chooses what to do from that, now and then loses an answer and asks again,
//! and now and then forgets all and begins anew. `HOLDFAST_CONVERGE_STEPS` makes it longer, `HOLDFAST_CONVERGE_SEED` another one.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

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

#[tokio::test(flavor = "multi_thread")]
async fn clients_converge_on_a_cluster_with_redis() {
    let Some(redis) = testkit::redis::Server::start() else { return };
    converge(World::start(Shape::Cluster, &format!("redis = {:?}\n", redis.url().expose())).await).await;
}

/// A space as clients know it before they begin.
#[derive(Clone)]
struct Space {
    id: String,
    root: String,
    tags: Vec<String>,
}

async fn converge(world: World) {
    let admin = world.admin().await;
    let far = world.gateways.last().expect("a gateway");
    let eve = User::register(&far.url, "eve").await;
    let (seed, steps) = (setting("HOLDFAST_CONVERGE_SEED", 1), setting("HOLDFAST_CONVERGE_STEPS", 120));
    let team = admin.post("/spaces", &json!({ "name": "Team" })).await.expect(201);
    let mut spaces = Vec::new();
    for (id, root) in
        [(text(&admin.user, "space_id"), admin.root().to_owned()), (text(&team, "id"), text(&team, "root_id"))]
    {
        let mut tags = Vec::new();
        for name in ["red", "blue"] {
            let tag =
                admin.post(&format!("/spaces/{id}/tags"), &json!({ "name": name, "colour": name })).await.expect(201);
            tags.push(text(&tag, "id"));
        }
        spaces.push(Space { id, root, tags });
    }
    let reader = text(&eve.user, "id");
    let clients = (0..CLIENTS).map(|number| {
        let gateway = &world.gateways[number as usize % world.gateways.len()];
        let rng = testkit::sim::Rng::new(&[seed, number]);
        tokio::spawn(Client::new(admin.at(gateway), rng, &spaces, &reader).live(steps))
    });
    let done = Arc::new(AtomicBool::new(false));
    // She only looks on, at what is given to her for a while.
    let guest = Client::new(eve.clone(), testkit::sim::Rng::new(&[seed, CLIENTS]), &spaces[..1], &reader);
    let guest = tokio::spawn(guest.look_on(done.clone()));
    let mut clients = try_join_all(clients).await.expect("no client panics");
    done.store(true, Ordering::Relaxed);
    let mut guest = guest.await.expect("the guest does not panic");
    let truth = walk(&admin, spaces.iter().map(|space| space.root.clone()).collect()).await;
    assert!(truth.len() > 20, "there is hardly anything to compare: {} entries", truth.len());
    let changes: u64 = clients.iter().map(|client| client.done).sum();
    assert!(changes > CLIENTS * steps / 3, "hardly anything was done: {changes} changes");
    let roots: BTreeSet<String> = spaces.iter().map(|space| space.root.clone()).collect();
    for client in &mut clients {
        client.pull().await;
        compare(&client.tree(&roots), &truth, &format!("seed {seed}: a client"));
    }
    // What is left to her, and at the end something for sure.
    let shared = async || {
        let items = eve.get("/shared-with-me?limit=1000").await.expect(200)["items"].clone();
        let inside = items.as_array().expect("items").iter().filter(|item| item["space_id"] == spaces[0].id.as_str());
        inside.map(|item| text(&item["entry"], "id")).collect::<BTreeSet<_>>()
    };
    for sure in [false, true] {
        if sure {
            let folder = admin.post("/folders", &json!({ "name": "for sure" })).await.expect(201);
            let path = format!("/entries/{}/grants", text(&folder, "id"));
            let grant = json!({ "subject": { "kind": "user", "id": reader }, "role": "viewer" });
            let given = Answer::of(admin.request("PUT", &path).json(&grant)).await.status;
            assert!([200, 201].contains(&given), "{given}");
        }
        let tops = shared().await;
        guest.pull().await;
        let truth = walk(&eve, tops.iter().cloned().collect()).await;
        compare(&guest.tree(&tops), &truth, &format!("seed {seed}: who sees a part"));
        assert!(!sure || !tops.is_empty());
    }
}

fn compare(seen: &BTreeMap<String, Value>, truth: &BTreeMap<String, Value>, who: &str) {
    for (id, entry) in truth {
        assert_eq!(seen.get(id), Some(entry), "{who} has another state of {id}");
    }
    let more: Vec<_> = seen.iter().filter(|(id, _)| !truth.contains_key(*id)).collect();
    assert!(more.is_empty(), "{who} has entries that are not there: {more:?}");
}

/// Everything below these folders, as it is listed; without themselves, unless one is below another.
async fn walk(user: &User, mut folders: Vec<String>) -> BTreeMap<String, Value> {
    let mut tree = BTreeMap::new();
    while let Some(folder) = folders.pop() {
        let path = format!("/entries/{folder}");
        if user.get(&path).await.expect(200)["kind"] == "file" {
            continue;
        }
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
    spaces: Vec<Space>,
    /// By space; none before it was begun with.
    cursors: BTreeMap<String, String>,
    /// Spaces whose changes were not read to their end since they were begun with.
    beginning: BTreeSet<String>,
    /// Who is given something and loses it again.
    reader: String,
    /// What is known, also below folders that are in the trash.
    known: BTreeMap<String, Value>,
    /// What was put in the trash, with what hangs from it.
    trashed: BTreeMap<String, Value>,
    done: u64,
}

impl Client {
    fn new(user: User, rng: testkit::sim::Rng, spaces: &[Space], reader: &str) -> Self {
        let (known, trashed) = (BTreeMap::new(), BTreeMap::new());
        let (cursors, spaces, reader) = (BTreeMap::new(), spaces.to_vec(), reader.to_owned());
        Self { user, rng, spaces, cursors, beginning: BTreeSet::new(), reader, known, trashed, done: 0 }
    }

    async fn live(mut self, steps: u64) -> Self {
        self.pull().await;
        for _ in 0..steps {
            if self.rng.chance(400) {
                self.pull().await;
            }
            self.act().await;
        }
        self
    }

    async fn look_on(mut self, done: Arc<AtomicBool>) -> Self {
        while !done.load(Ordering::Relaxed) {
            self.pull().await;
            tokio::task::yield_now().await;
        }
        self
    }

    /// Takes in what happened, as the documents say that a client should.
    async fn pull(&mut self) {
        for space in self.spaces.clone() {
            // One in twenty times it lost its storage, and begins anew.
            if self.rng.chance(50) {
                self.forget(&space.id);
            }
            if !self.cursors.contains_key(&space.id) && !self.begin(&space.id).await {
                continue;
            }
            while let Some(since) = self.cursors.get(&space.id).cloned() {
                let page = self.user.get(&format!("/spaces/{}/changes?since={since}&limit=50", space.id)).await;
                if page.status == 404 {
                    self.forget(&space.id);
                    break;
                }
                let page = page.expect(200);
                for change in page["items"].as_array().expect("items") {
                    self.apply(&space.id, change).await;
                }
                self.cursors.insert(space.id.clone(), text(&page, "next"));
                if page["more"] == false {
                    self.beginning.remove(&space.id);
                    break;
                }
            }
        }
    }

    fn forget(&mut self, space: &str) {
        self.cursors.remove(space);
        self.known.retain(|_, entry| entry["space_id"] != space);
        self.trashed.retain(|_, entry| entry["space_id"] != space);
    }

    /// Takes in the tree as it is, while others change it; whether any of it may be seen.
    async fn begin(&mut self, space: &str) -> bool {
        let (mut cursor, mut since) = (String::new(), String::new());
        loop {
            let after = if cursor.is_empty() { String::new() } else { format!("&cursor={cursor}") };
            let page = self.user.get(&format!("/spaces/{space}/entries?limit=7{after}")).await;
            if page.status == 404 {
                self.forget(space);
                return false;
            }
            let page = page.expect(200);
            for entry in page["items"].as_array().expect("items") {
                self.take(entry.clone(), true);
            }
            if since.is_empty() {
                since = text(&page, "since");
            }
            assert_eq!(page["since"], since.as_str());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        self.cursors.insert(space.to_owned(), since);
        self.beginning.insert(space.to_owned());
        true
    }

    async fn apply(&mut self, space: &str, change: &Value) {
        let (id, kind) = (text(change, "entry_id"), change["kind"].as_str().expect("a kind"));
        let here = |entry: &Value| entry["space_id"] == space;
        match kind {
            "trashed" => {
                // It may have come out of the trash, and gone elsewhere, since.
                let newer = |entry: &Value| entry["revision"].as_u64() > change["revision"].as_u64();
                if !self.known.get(&id).is_some_and(newer)
                    && let Some(entry) = self.known.remove(&id)
                {
                    self.trashed.insert(id, entry);
                }
            }
            "deleted" => {
                self.known.remove(&id);
                self.trashed.remove(&id);
            }
            // What happens below it while it is out of sight is told by nobody, so all of it is forgotten.
            "hidden" => {
                self.trashed.remove(&id);
                let below = self.tree(&BTreeSet::from([id.clone()]));
                self.known.retain(|known, _| *known != id && !below.contains_key(known));
            }
            "left" => {
                // The journal of the other space may have told already where it is now, and what is in it there: the rest is no more.
                let below = self.tree(&BTreeSet::from([id.clone()]));
                let gone = |known: &String, entry: &Value| (*known == id || below.contains_key(known)) && here(entry);
                self.known.retain(|known, entry| !gone(known, entry));
                self.trashed.retain(|known, entry| !gone(known, entry));
            }
            _ => {
                self.trashed.remove(&id);
                let known = self.known.get(&id).is_some_and(here);
                self.take(change["entry"].clone(), false);
                let came = kind == "copied" || kind == "restored" || change["arrived"] == true;
                // A folder that came while the snapshot was read may have come after the pages where what is in it belongs.
                let whole = !known || came || self.beginning.contains(space);
                if whole && kind != "created" && change["entry"]["kind"] == "folder" {
                    self.fetch(id).await;
                }
            }
        }
    }

    /// An entry's state, unless a newer one is known. What was `read` now is right where it is as new: what moves to another
    /// space with its folder is no change of its own.
    fn take(&mut self, mut entry: Value, read: bool) {
        // Where an entry is now, not what it is: what it hangs from may come out of the trash without a word about it.
        entry.as_object_mut().expect("an entry").remove("trashed");
        // What is below a folder is none of the folder, and no change of it.
        entry.as_object_mut().expect("an entry").remove("total");
        let id = text(&entry, "id");
        let revision = entry["revision"].as_u64();
        let newer =
            |known: &Value| known["revision"].as_u64() < revision || (read && known["revision"].as_u64() == revision);
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
                self.take(entry.clone(), true);
            }
        }
    }

    /// What hangs from one of these folders.
    fn tree(&self, roots: &BTreeSet<String>) -> BTreeMap<String, Value> {
        let hangs = |entry: &Value| {
            let mut parent = text(entry, "parent_id");
            for _ in 0..1000 {
                if roots.contains(&parent) {
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
        let roots = self.spaces.iter().map(|space| space.root.clone()).collect();
        let all: Vec<_> = self.tree(&roots).into_iter().filter(|(_, entry)| wanted(entry)).map(|(id, _)| id).collect();
        (!all.is_empty()).then(|| all[self.rng.below(all.len() as u64) as usize].clone())
    }

    fn space(&mut self) -> Space {
        self.spaces[self.rng.below(self.spaces.len() as u64) as usize].clone()
    }

    fn folder(&mut self) -> String {
        let root = self.space().root;
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
        match (self.rng.below(16), any) {
            (0 | 1, _) => self.send("POST", "/folders", json!({ "name": name, "parent_id": folder, "id": own })).await,
            (2, _) => self.send("POST", "/folders", json!({ "name": name, "parent_id": folder })).await,
            (3 | 4, _) => {
                let rule = ["fail", "replace", "rename"][self.rng.below(3) as usize];
                let path = format!("/files?name={name}&parent={folder}&on_conflict={rule}");
                self.send("POST", &path, Value::Null).await;
            }
            (5 | 6, Some(id)) => self.send("PATCH", &format!("/entries/{id}"), json!({ "name": name })).await,
            // To any folder of both spaces.
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
            (11, Some(id)) => {
                let space = text(&self.known[&id], "space_id");
                let tags = self.spaces.iter().find(|it| it.id == space).map(|it| it.tags.clone()).unwrap_or_default();
                if tags.is_empty() {
                    return;
                }
                let path = format!("/tags/{}/entries", tags[self.rng.below(tags.len() as u64) as usize]);
                let way = if self.rng.chance(300) { "take_off" } else { "put_on" };
                self.send("POST", &path, json!({ way: [id] })).await;
            }
            (12, Some(id)) => {
                self.send("PATCH", &format!("/entries/{id}"), json!({ "description": format!("of {name}") })).await;
            }
            (13, Some(id)) => {
                let grant = json!({ "subject": { "kind": "user", "id": self.reader }, "role": "viewer" });
                self.send("PUT", &format!("/entries/{id}/grants"), grant).await;
            }
            (14, _) => {
                let given = self.user.get("/shared-by-me?limit=1000").await.expect(200);
                let given: Vec<_> =
                    given["items"].as_array().expect("items").iter().map(|it| text(&it["grant"], "id")).collect();
                if !given.is_empty() {
                    let id = &given[self.rng.below(given.len() as u64) as usize];
                    self.send("DELETE", &format!("/grants/{id}"), Value::Null).await;
                }
            }
            _ => {
                let all: Vec<_> = self.trashed.keys().cloned().collect();
                let body = json!({ "space_id": self.space().id });
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
    ///
    /// What was done is remembered with its answer. What changes nothing is in no journal: it is done anew, and answered with how
    /// things are by then.
    async fn send(&mut self, method: &str, path: &str, body: Value) {
        let operation = Uuid::now_v7().to_string();
        let request = || {
            let request = self.user.request(method, path).header("operation-id", &operation);
            Answer::of(if body.is_null() { request.body("bytes") } else { request.json(&body) })
        };
        let first = match self.rng.chance(100) {
            true => {
                let (first, second) = futures::join!(request(), request());
                if first.status < 300 && second.status < 300 && first.body != second.body {
                    let mut both = [&first, &second].map(Answer::json);
                    both.sort_by_key(|entry| entry["revision"].as_u64());
                    let told = self.told(&operation).await.is_some_and(|revision| both[0]["revision"] == revision);
                    assert!(!told, "{method} {path} {body}: {} is not {}", both[1], both[0]);
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
            // Asked before: what changed nothing at first may change something by now, and be told then.
            let told = self.told(&operation).await.is_some();
            let again = request().await;
            let same = again.status == first.status && again.body == first.body;
            let answered = String::from_utf8_lossy(&again.body);
            assert!(
                same || !told,
                "{method} {path} {body} again: {} {answered} is not {status} {problem}",
                again.status
            );
        }
    }

    /// The revision after an operation's last change, if the journals tell of one since this client pulled.
    async fn told(&self, operation: &str) -> Option<u64> {
        let mut revision = None;
        for space in &self.spaces {
            let mut since = self.cursors.get(&space.id).cloned().unwrap_or_else(|| "1.0".to_owned());
            loop {
                let path = format!("/spaces/{}/changes?since={since}&limit=1000", space.id);
                let page = self.user.get(&path).await.expect(200);
                let of = page["items"].as_array().expect("items").iter().rfind(|it| it["operation_id"] == operation);
                revision = of.and_then(|change| change["revision"].as_u64()).or(revision);
                if page["more"] == false {
                    break;
                }
                since = text(&page, "next");
            }
        }
        revision
    }
}
