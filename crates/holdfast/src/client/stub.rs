//! A server for tests: it keeps files in memory, knows as much of the API as the client uses, and fails on demand.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use base::{EntryId, SpaceId, UploadId};
use base64::{Engine, engine::general_purpose::STANDARD};
use futures::StreamExt;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

/// The stub; it ends when this is dropped.
pub(super) struct Stub {
    pub(super) state: Arc<Mutex<Server>>,
    pub(super) address: SocketAddr,
    _serving: JoinSet<()>,
}

/// What it holds, what it does wrong, and what it was asked.
pub(super) struct Server {
    entries: BTreeMap<u8, Node>,
    uploads: BTreeMap<u8, Upload>,
    next: u8,
    pub(super) access: String,
    pub(super) refresh: String,
    pub(super) refreshes: u32,
    /// Answers to the next requests to `/files` and `/uploads` that carry bytes, in place of the right ones.
    pub(super) faults: Vec<Fault>,
    /// Method and path of what was asked, with the range of a download.
    pub(super) log: Vec<String>,
}

/// Something that goes wrong.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fault {
    /// This status at once.
    Status(u16),
    /// An upload's body is kept to here; then this status.
    Keep(usize, u16),
    /// A download breaks off after this many bytes.
    Cut(usize),
    /// The file gets other bytes of the same length before it is read.
    Change,
}

#[derive(Clone)]
struct Node {
    parent: u8,
    name: String,
    bytes: Option<Vec<u8>>,
    version: u32,
}

struct Upload {
    place: (u8, String),
    on_conflict: String,
    length: usize,
    bytes: Vec<u8>,
    entry: Option<u8>,
}

/// The root's number.
const ROOT: u8 = 1;

pub(super) fn space() -> SpaceId {
    SpaceId::from_bytes([7; 16])
}

pub(super) fn entry_id(n: u8) -> EntryId {
    EntryId::from_bytes([n; 16])
}

impl Stub {
    pub(super) async fn start() -> Self {
        let root = Node { parent: 0, name: String::new(), bytes: None, version: 1 };
        let state = Arc::new(Mutex::new(Server {
            entries: BTreeMap::from([(ROOT, root)]),
            uploads: BTreeMap::new(),
            next: ROOT + 1,
            access: "access-1".into(),
            refresh: "refresh-1".into(),
            refreshes: 0,
            faults: Vec::new(),
            log: Vec::new(),
        }));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = axum::Router::new().fallback(handle).with_state(state.clone());
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { state, address, _serving: serving }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests with this beginning so far.
    pub(super) fn asked(&self, what: &str) -> Vec<String> {
        self.state.lock().log.iter().filter(|line| line.starts_with(what)).cloned().collect()
    }

    /// All files, by path.
    pub(super) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.state.lock();
        let files = state.entries.iter().filter_map(|(n, node)| Some((state.path(*n), node.bytes.clone()?)));
        files.collect()
    }

    pub(super) fn put(&self, path: &str, bytes: &[u8]) {
        let mut state = self.state.lock();
        let (folder, name) = path.rsplit_once('/').unwrap();
        let mut parent = ROOT;
        for part in folder.split('/').filter(|part| !part.is_empty()) {
            parent = state.child(parent, part).unwrap_or_else(|| state.add(parent, part, None));
        }
        state.store(parent, name, "replace", bytes.to_vec()).unwrap();
    }
}

impl Server {
    fn path(&self, n: u8) -> String {
        let node = &self.entries[&n];
        if n == ROOT { String::new() } else { format!("{}/{}", self.path(node.parent), node.name) }
    }

    fn child(&self, parent: u8, name: &str) -> Option<u8> {
        self.entries.iter().find(|(_, node)| node.parent == parent && node.name == name).map(|(n, _)| *n)
    }

    fn add(&mut self, parent: u8, name: &str, bytes: Option<Vec<u8>>) -> u8 {
        let n = self.next;
        self.next = n.checked_add(1).expect("a test makes fewer than 250 things");
        self.entries.insert(n, Node { parent, name: name.into(), bytes, version: 1 });
        n
    }

    /// Puts bytes under a name; nothing if the name is taken.
    fn store(&mut self, parent: u8, name: &str, on_conflict: &str, bytes: Vec<u8>) -> Option<u8> {
        match (self.child(parent, name), on_conflict) {
            (None, _) => Some(self.add(parent, name, Some(bytes))),
            (Some(n), "replace") if self.entries[&n].bytes.is_some() => {
                let node = self.entries.get_mut(&n).unwrap();
                node.bytes = Some(bytes);
                node.version += 1;
                Some(n)
            }
            (Some(_), "rename") => Some(self.add(parent, &format!("{name} (2)"), Some(bytes))),
            _ => None,
        }
    }

    fn copy(&mut self, source: u8, parent: u8, name: &str, on_conflict: &str) -> Option<u8> {
        if let Some(bytes) = self.entries[&source].bytes.clone() {
            return self.store(parent, name, on_conflict, bytes);
        }
        if self.child(parent, name).is_some() {
            return None;
        }
        let children: Vec<(u8, Node)> = self.entries.iter().map(|(n, node)| (*n, node.clone())).collect();
        let folder = self.add(parent, name, None);
        for (n, node) in children.iter().filter(|(_, node)| node.parent == source) {
            self.copy(*n, folder, &node.name, on_conflict)?;
        }
        Some(folder)
    }

    fn view(&self, n: u8) -> Value {
        let node = &self.entries[&n];
        let mut view = json!({
            "id": entry_id(n), "parent_id": (n != ROOT).then(|| entry_id(node.parent)), "name": node.name,
            "kind": if node.bytes.is_some() { "file" } else { "folder" }, "revision": node.version,
            "created_at": "2026-11-21T01:26:55.000000Z", "modified_at": "2026-11-21T01:26:55.000000Z",
        });
        if let Some(bytes) = &node.bytes {
            view["size"] = json!(bytes.len());
            view["blake3"] = json!(blake3::hash(bytes).to_hex().as_str());
            view["etag"] = json!(self.etag(n));
        }
        view
    }

    fn etag(&self, n: u8) -> String {
        format!("\"{n}-{}\"", self.entries[&n].version)
    }

    fn fault(&mut self) -> Option<Fault> {
        (!self.faults.is_empty()).then(|| self.faults.remove(0))
    }
}

fn problem(status: u16, code: &str) -> Response {
    let body = json!({ "title": code, "status": status, "code": code, "detail": "as told", "request_id": "r" });
    (StatusCode::from_u16(status).unwrap(), body.to_string()).into_response()
}

fn answer(status: u16, value: &Value) -> Response {
    (StatusCode::from_u16(status).unwrap(), value.to_string()).into_response()
}

/// The number in an id's text.
fn number(text: &str) -> Option<u8> {
    let id: EntryId = text.parse().ok()?;
    id.to_bytes().first().copied()
}

fn header_text(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

async fn handle(State(state): State<Arc<Mutex<Server>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let (method, headers) = (parts.method, parts.headers);
    let path = parts.uri.path().strip_prefix("/api/v1").unwrap_or_default().to_owned();
    let address = reqwest::Url::parse(&format!("http://h{}", parts.uri)).unwrap();
    let query: BTreeMap<String, String> = address.query_pairs().into_owned().collect();
    let range = header_text(&headers, "range");
    state.lock().log.push(format!("{method} {path} {range}").trim_end().to_owned());

    if path == "/refresh" {
        let body: Value = serde_json::from_slice(&all(body, usize::MAX).await).unwrap();
        let mut state = state.lock();
        if body["refresh_token"] != state.refresh.as_str() {
            return problem(401, "token-reused");
        }
        state.refreshes += 1;
        (state.access, state.refresh) =
            (format!("access-r{}", state.refreshes), format!("refresh-r{}", state.refreshes));
        return tokens(&state);
    }
    if path == "/login" {
        let body: Value = serde_json::from_slice(&all(body, usize::MAX).await).unwrap();
        return if body["password"] == "secret" { tokens(&state.lock()) } else { problem(401, "wrong-credentials") };
    }
    if header_text(&headers, "authorization") != format!("Bearer {}", state.lock().access) {
        return problem(401, "unauthenticated");
    }

    let steps: Vec<&str> = path.trim_matches('/').split('/').collect();
    match (&method, &steps[..]) {
        (&Method::GET, ["spaces", _, "entry"]) => {
            let state = state.lock();
            let names = query["path"].split('/').filter(|name| !name.is_empty());
            match names.into_iter().try_fold(ROOT, |parent, name| state.child(parent, name)) {
                Some(n) => answer(200, &state.view(n)),
                None => problem(404, "not-found"),
            }
        }
        (&Method::GET, ["entries", id]) => {
            let state = state.lock();
            match number(id).filter(|n| state.entries.contains_key(n)) {
                Some(n) => answer(200, &state.view(n)),
                None => problem(404, "not-found"),
            }
        }
        (&Method::GET, ["folders", id, "children"]) => {
            let state = state.lock();
            let parent = number(id).unwrap();
            let mut children: Vec<u8> =
                state.entries.keys().copied().filter(|n| state.entries[n].parent == parent).collect();
            children.sort_by_key(|n| state.entries[n].name.clone());
            // Pages of two, so that every test turns them.
            let from: usize = query.get("cursor").map_or(0, |cursor| cursor.parse().unwrap());
            let items: Vec<Value> = children.iter().skip(from).take(2).map(|n| state.view(*n)).collect();
            let next = (children.len() > from + 2).then(|| (from + 2).to_string());
            answer(200, &json!({ "items": items, "next_cursor": next }))
        }
        (&Method::POST, ["folders"]) => {
            let body: Value = serde_json::from_slice(&all(body, usize::MAX).await).unwrap();
            let mut state = state.lock();
            let (parent, name) = (number(body["parent_id"].as_str().unwrap()).unwrap(), body["name"].as_str().unwrap());
            if state.child(parent, name).is_some() {
                return problem(409, "name-taken");
            }
            let n = state.add(parent, name, None);
            answer(201, &state.view(n))
        }
        (&Method::POST, ["files"]) => {
            let fault = state.lock().fault();
            if let Some(Fault::Status(status)) = fault {
                return problem(status, "stub");
            }
            let bytes = all(body, usize::MAX).await;
            let mut state = state.lock();
            if query.get("blake3").is_some_and(|hash| *hash != blake3::hash(&bytes).to_hex().as_str()) {
                return problem(422, "checksum-mismatch");
            }
            match state.store(number(&query["parent"]).unwrap(), &query["name"], &query["on_conflict"], bytes) {
                Some(n) => answer(201, &state.view(n)),
                None => problem(409, "name-taken"),
            }
        }
        (&Method::POST, ["entries", id, "copy"]) => {
            let body: Value = serde_json::from_slice(&all(body, usize::MAX).await).unwrap();
            let mut state = state.lock();
            let source = number(id).unwrap();
            let (parent, name) = (number(body["parent_id"].as_str().unwrap()).unwrap(), body["name"].as_str().unwrap());
            match state.copy(source, parent, name, body["on_conflict"].as_str().unwrap()) {
                Some(n) => answer(201, &state.view(n)),
                None => problem(409, "name-taken"),
            }
        }
        (&Method::GET, ["files", id]) => read_file(&state, number(id).unwrap(), &headers),
        (&Method::POST, ["uploads"]) => {
            let metadata: BTreeMap<String, String> = header_text(&headers, "upload-metadata")
                .split(',')
                .filter_map(|pair| pair.split_once(' '))
                .map(|(key, value)| (key.to_owned(), String::from_utf8(STANDARD.decode(value).unwrap()).unwrap()))
                .collect();
            let mut state = state.lock();
            let n = state.next;
            state.next += 1;
            let upload = Upload {
                place: (number(&metadata["parent"]).unwrap(), metadata["filename"].clone()),
                on_conflict: metadata["on_conflict"].clone(),
                length: header_text(&headers, "upload-length").parse().unwrap(),
                bytes: Vec::new(),
                entry: None,
            };
            state.uploads.insert(n, upload);
            let location = format!("http://behind-a-proxy/api/v1/uploads/{}", UploadId::from_bytes([n; 16]));
            (StatusCode::CREATED, [(header::LOCATION, location)]).into_response()
        }
        (_, ["uploads", id]) => {
            let n = id.parse::<UploadId>().unwrap().to_bytes()[0];
            if !state.lock().uploads.contains_key(&n) {
                return problem(404, "not-found");
            }
            match method {
                Method::GET => {
                    let upload = &state.lock().uploads[&n];
                    let (offset, length, entry) = (upload.bytes.len(), upload.length, upload.entry.map(entry_id));
                    answer(
                        200,
                        &json!({ "id": id, "offset": offset, "length": length, "entry_id": entry, "state": "open" }),
                    )
                }
                Method::DELETE => {
                    state.lock().uploads.remove(&n);
                    StatusCode::NO_CONTENT.into_response()
                }
                _ => append(&state, n, &headers, body).await,
            }
        }
        _ => problem(404, "no-such-route"),
    }
}

fn tokens(state: &Server) -> Response {
    let user = json!({ "id": "usr_1", "name": "ada", "space_id": space(), "root_id": entry_id(ROOT) });
    let (access, refresh) = (&state.access, &state.refresh);
    answer(200, &json!({ "access_token": access, "expires_in": 900, "refresh_token": refresh, "user": user }))
}

async fn append(state: &Mutex<Server>, n: u8, headers: &HeaderMap, body: Body) -> Response {
    let fault = state.lock().fault();
    let (keep, status) = match fault {
        Some(Fault::Status(status)) => {
            all(body, 0).await;
            return problem(status, "stub");
        }
        Some(Fault::Keep(bytes, status)) => (bytes, Some(status)),
        _ => (usize::MAX, None),
    };
    let bytes = all(body, keep).await;
    let mut state = state.lock();
    let upload = state.uploads.get_mut(&n).unwrap();
    if header_text(headers, "upload-offset") != upload.bytes.len().to_string() {
        return problem(409, "offset-mismatch");
    }
    upload.bytes.extend(bytes);
    if let Some(status) = status {
        return problem(status, "stub");
    }
    if upload.bytes.len() < upload.length {
        return StatusCode::NO_CONTENT.into_response();
    }
    let ((parent, name), on_conflict, bytes) = (upload.place.clone(), upload.on_conflict.clone(), upload.bytes.clone());
    match state.store(parent, &name, &on_conflict, bytes) {
        Some(entry) => {
            state.uploads.get_mut(&n).unwrap().entry = Some(entry);
            (StatusCode::NO_CONTENT, [("holdfast-entry", entry_id(entry).to_string())]).into_response()
        }
        None => problem(409, "name-taken"),
    }
}

fn read_file(state: &Mutex<Server>, n: u8, headers: &HeaderMap) -> Response {
    let mut state = state.lock();
    let fault = state.fault();
    if let Some(Fault::Status(status)) = fault {
        return problem(status, "stub");
    }
    if let Some(Fault::Change) = fault {
        let node = state.entries.get_mut(&n).unwrap();
        node.version += 1;
        node.bytes.iter_mut().flatten().for_each(|byte| *byte ^= 1);
    }
    let etag = state.etag(n);
    let bytes = state.entries[&n].bytes.clone().unwrap();
    let range = header_text(headers, "range");
    let from: Option<usize> = range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-')?.parse().ok());
    let from = from.filter(|_| header_text(headers, "if-range") == etag);
    let content = Bytes::from(bytes).slice(from.unwrap_or(0)..);
    let length = content.len();
    let body = match fault {
        Some(Fault::Cut(at)) => {
            let pieces = [Ok(content.slice(..at.min(length))), Err(std::io::Error::other("cut"))];
            // The piece must have left before the connection breaks.
            let pieces = futures::stream::iter(pieces).then(|piece| async {
                tokio::task::yield_now().await;
                piece
            });
            Body::from_stream(pieces)
        }
        _ => Body::from(content),
    };
    let mut response = Response::new(body);
    let mut set = |name: &'static str, value: String| response.headers_mut().insert(name, value.parse().unwrap());
    set("etag", etag);
    set("content-length", length.to_string());
    if let Some(from) = from {
        set("content-range", format!("bytes {from}-{}/{}", from + length - 1, from + length));
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    response
}

/// A body, at most this many bytes of it. The rest is read as well: a connection that is closed before that is reset, and
/// the client may never see the answer.
async fn all(body: Body, max: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut stream = body.into_data_stream();
    while let Some(Ok(piece)) = stream.next().await {
        bytes.extend_from_slice(&piece[..piece.len().min(max - bytes.len())]);
    }
    bytes
}
