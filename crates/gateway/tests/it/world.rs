//! Everything below the gateway, three people, and a way to ask.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Router, body::Body};
use base::{Ids, NodeId, Secret};
use bytes::Bytes;
use files::{Cluster, Membership, Nodes, Store};
use futures::FutureExt;
use gateway::{Options, State, Watch};
use http::{HeaderMap, Request, StatusCode};
use http_body::Body as _;
use http_body_util::BodyExt;
use proto::Parts;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{
    clock::TestClock,
    database::{TestDb, sqlite},
};
use tower::ServiceExt;

/// Bodies up to this long stay in the database.
pub(crate) const INLINE: usize = 64;

/// Bytes of a file in these tests.
pub(crate) const FILE_BYTES_MAX: u64 = 1 << 20;

pub(crate) const PASSWORD: &str = "correct horse battery staple";

pub(crate) struct World {
    pub(crate) router: Router,
    state: Box<dyn Fn() -> State + Send + Sync>,
    pub(crate) alice: Person,
    pub(crate) bob: Person,
    pub(crate) admin: Person,
    pub(crate) node: NodeId,
    pub(crate) clock: TestClock,
    pub(crate) jobs: bus::Jobs,
    _test: TestDb,
    _folder: TempDir,
}

/// Somebody who is signed in.
pub(crate) struct Person {
    router: Router,
    token: String,
    pub(crate) tokens: Value,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Options { file_bytes_max: FILE_BYTES_MAX, ..Options::default() }).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let test = sqlite().await;
        let clock = TestClock::new();
        let ids = Ids::new(clock.handle(), 42);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (store, node) = store(&test, &clock, &ids, &folder).await;
        let cluster = Cluster::new(store.clone());
        let drive = drive::Drive::new(test.db.clone(), store, clock.handle(), ids.clone(), drive::Options::default());
        let accounts = accounts::Accounts::open(test.db.clone(), clock.handle(), ids, accounts::Options::default());
        let accounts = accounts.await.expect("accounts open in a new database");
        accounts.ensure_admin(Some(Secret::new(PASSWORD))).await.expect("an administrator");
        let jobs = bus::Jobs::new(test.db.clone(), clock.handle(), bus::Options::default());
        let (now, queue) = (clock.handle(), jobs.clone());
        let state = move || {
            let watch = Watch {
                ready: Arc::new(|| async { Vec::new() }.boxed()),
                metrics: Arc::new(|| "metric 1\n".to_owned()),
                stopping: tokio_util::sync::CancellationToken::new(),
            };
            let (accounts, drive, cluster) = (accounts.clone(), drive.clone(), cluster.clone());
            State { accounts, drive, cluster, jobs: queue.clone(), clock: now.clone(), watch }
        };
        let router = gateway::router(state(), options);
        for name in ["alice", "bob"] {
            let body = json!({ "name": name, "password": PASSWORD });
            let answer = send(&router, "POST", "/api/v1/register", &[], &body).await;
            assert_eq!(answer.status, 201, "{answer:?}");
        }
        let (alice, bob, admin) =
            (sign_in(&router, "alice").await, sign_in(&router, "bob").await, sign_in(&router, "admin").await);
        Self { router, state: Box::new(state), alice, bob, admin, node, clock, jobs, _test: test, _folder: folder }
    }

    /// Another gateway of the same system.
    pub(crate) fn another(&self, options: Options) -> Router {
        gateway::router((self.state)(), options)
    }

    /// Asks without a token.
    pub(crate) async fn anonymous(&self, method: &str, path: &str, body: &Value) -> Answer {
        send(&self.router, method, path, &[], body).await
    }
}

async fn store(test: &TestDb, clock: &TestClock, ids: &Ids, folder: &TempDir) -> (Store, NodeId) {
    let mut local: BTreeMap<NodeId, Arc<dyn Parts>> = BTreeMap::new();
    for index in 0..6 {
        let id = ids.node();
        let options = node::Options {
            reserve_bytes: 0,
            segment_bytes: 4 << 20,
            allocate_bytes: 64 << 10,
            ..node::Options::new(folder.path().join(index.to_string()), Some(id))
        };
        let node = node::Node::open(options, clock.handle()).expect("a node opens in a new folder");
        local.insert(id, Arc::new(node));
    }
    let nodes: Vec<_> = local.values().cloned().collect();
    let first = *local.keys().next().expect("six nodes");
    let none = Box::new(|id: NodeId, _: &str| -> Arc<dyn Parts> { panic!("{id} is not of this process") });
    let registry = Nodes::new(clock.handle(), local, none);
    let options = files::Options {
        parity: files::Parity::Fixed(0),
        inline_max: INLINE,
        checkpoint_bytes: 10_000,
        ..files::Options::default()
    };
    let store = Store::new(test.db.clone(), registry, clock.handle(), ids.clone(), options).expect("a store");
    let cluster = Cluster::new(store.clone());
    for node in &nodes {
        let health = node.health().await.expect("a node that was just opened");
        let membership = Membership { address: String::new(), version: "test".to_owned(), health, number: None };
        cluster.report(membership).await.expect("a heartbeat");
    }
    cluster.refresh().await.expect("the nodes are known");
    cluster.settle().await.expect("a placement");
    (store, first)
}

async fn sign_in(router: &Router, name: &str) -> Person {
    let answer = send(router, "POST", "/api/v1/login", &[], &json!({ "name": name, "password": PASSWORD })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let tokens = answer.json();
    let token = tokens["access_token"].as_str().expect("a token").to_owned();
    Person { router: router.clone(), token, tokens }
}

impl Person {
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Asks with JSON, or without a body where it is null.
    pub(crate) async fn call(&self, method: &str, path: &str, body: &Value) -> Answer {
        send(&self.router, method, path, &[("authorization", &format!("Bearer {}", self.token))], body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, &Value::Null).await
    }

    /// Asks with these headers and this body.
    pub(crate) async fn raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let token = format!("Bearer {}", self.token);
        let headers: Vec<_> = headers.iter().copied().chain([("authorization", token.as_str())]).collect();
        raw(&self.router, method, path, &headers, body.into()).await
    }

    /// Uploads a file and gives its id.
    pub(crate) async fn upload(&self, query: &str, body: impl Into<Bytes>) -> String {
        let answer = self.raw("POST", &format!("/api/v1/files?{query}"), &[], body.into()).await;
        assert!(answer.status.is_success(), "{answer:?}");
        answer.json()["id"].as_str().expect("an id").to_owned()
    }

    pub(crate) async fn folder(&self, name: &str) -> String {
        let answer = self.call("POST", "/api/v1/folders", &json!({ "name": name })).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["id"].as_str().expect("an id").to_owned()
    }

    pub(crate) fn root(&self) -> &str {
        self.tokens["user"]["root_id"].as_str().expect("a root")
    }

    pub(crate) fn space(&self) -> &str {
        self.tokens["user"]["space_id"].as_str().expect("a space")
    }
}

async fn send(router: &Router, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    if body.is_null() {
        return raw(router, method, path, headers, Body::empty()).await;
    }
    let headers: Vec<_> = headers.iter().copied().chain([("content-type", "application/json")]).collect();
    raw(router, method, path, &headers, body.to_string().into()).await
}

pub(crate) async fn raw(router: &Router, method: &str, path: &str, headers: &[(&str, &str)], body: Body) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    // As clients do that know how long their body is.
    if let Some(length) = body.size_hint().exact().filter(|length| *length > 0)
        && !headers.iter().any(|(name, _)| *name == "content-length")
    {
        request = request.header("content-length", length);
    }
    let request = request.body(body).expect("a request");
    let Ok(response) = router.clone().oneshot(request).await;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.expect("a whole body").to_bytes();
    Answer { status: parts.status, headers: parts.headers, body }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("ASCII"))
    }

    /// Makes sure that it is a problem document with this status and code.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) {
        let whole = format!("{self:?}");
        assert_eq!(self.status, status, "{whole}");
        if self.body.is_empty() {
            // The answer to a HEAD.
            return;
        }
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{whole}");
        assert_eq!(self.header("cache-control"), Some("no-store"), "{whole}");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{whole}");
        assert_eq!(problem["status"], status, "{whole}");
        assert_eq!(problem["type"], format!("/api/v1/docs/errors#{code}"), "{whole}");
        assert_eq!(problem["request_id"].as_str(), self.header("request-id"), "{whole}");
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{whole}");
    }
}

/// Bytes that differ from each other and from their neighbours.
pub(crate) fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[0]).collect()
}
