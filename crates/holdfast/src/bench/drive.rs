//! What people wait for in a drive: many small files at once, the change in the other window, catching up, long folders.

use std::{collections::HashMap, time::Duration};

use anyhow::{Context, bail, ensure};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::Instant};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest},
};

use super::{
    apart::apart,
    figures::{Detail, Goal, Row, Series, Unit, percentile},
    http::{Connection, Session, excerpt, text},
    large::resident,
    pattern::mix,
    server::{Deployment, Folder, Nodes, explain},
    stream::millis,
};

/// Files of a batch, and their bytes.
const BATCH_FILES: u64 = 10_000;
const FILE_BYTES: u64 = 4 << 10;

/// Entries of a page, and changes of one.
const PAGE: u64 = 1_000;

/// Changes per second while a second session listens.
const CHANGES_PER_SECOND: u32 = 200;

/// Requests that a role is asked for in, by turns of two people.
const CHECKS: u64 = 4_000;

/// Sessions that are live and idle.
const SOCKETS: u64 = 1_000;

/// How long one measurement may take.
const TIME: Duration = Duration::from_secs(900);

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    /// Batches, and renames.
    pub(super) runs: u64,
    /// How long changes come.
    pub(super) listen: Duration,
    /// Entries that the tree grows to; it is measured at 10,000, 100,000 and 1,000,000 on the way.
    pub(super) entries: u64,
}

/// All rows.
pub(super) async fn rows(folder: &Folder, scale: Scale) -> anyhow::Result<Vec<Row>> {
    let system = Deployment::start(folder, "drive", Nodes::Inside, 0).await?;
    let measured = async {
        let session = system.login().await?;
        let pid = system.id()?;
        let measured = apart(TIME, async move { rows_on(&session, pid, scale).await });
        measured.await
    };
    match measured.await {
        Ok(rows) => {
            system.stop().await?;
            Ok(rows)
        }
        Err(error) => Err(explain(error, std::slice::from_ref(&system))),
    }
}

async fn rows_on(session: &Session, pid: u32, scale: Scale) -> anyhow::Result<Vec<Row>> {
    let space = text(&session.call("GET", "/api/v1/me", None).await?, "space_id")?;
    let top = session.folder("drive").await?;
    // The first one warms up.
    let mut filled = Filled { session, space: &space, top: &top, batches: 0 };
    filled.trio().await?;
    // Before the tree grows: what the server gives back after that would hide what sockets take.
    let mut rows = vec![
        live(session, &space, scale).await?,
        permission(session, scale).await?,
        sockets(session, &space, pid).await?,
    ];
    let sizes = [BATCH_FILES, 10 * BATCH_FILES, 100 * BATCH_FILES];
    for size in sizes.into_iter().filter(|size| *size <= scale.entries.max(BATCH_FILES)) {
        // The last of the batches that lead there are measured.
        filled.fill(size.saturating_sub(scale.runs * BATCH_FILES)).await?;
        rows.extend(filled.rows(size, scale.runs).await?);
        let entries = filled.batches * BATCH_FILES;
        rows.push(rename(session, &top, entries, scale).await?);
    }
    Ok(rows)
}

/// The folder that batches go to.
struct Filled<'a> {
    session: &'a Session,
    space: &'a str,
    top: &'a str,
    batches: u64,
}

impl Filled<'_> {
    /// Sends batches until there are so many entries.
    async fn fill(&mut self, entries: u64) -> anyhow::Result<()> {
        while self.batches * BATCH_FILES < entries {
            batch(self.session, self.top, self.batches).await?;
            self.batches += 1;
        }
        Ok(())
    }

    /// A batch, catching up with it, and listing it.
    async fn trio(&mut self) -> anyhow::Result<(Duration, Duration, Duration)> {
        let before = cursor(self.session, self.space).await?;
        let (folder, took) = batch(self.session, self.top, self.batches).await?;
        self.batches += 1;
        let caught = catch_up(self.session, self.space, &before).await?;
        Ok((took, caught, list(self.session, &folder).await?))
    }

    async fn rows(&mut self, size: u64, runs: u64) -> anyhow::Result<[Row; 3]> {
        let (mut batches, mut catching, mut listing) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..runs {
            let (took, caught, listed) = self.trio().await?;
            batches.push(BATCH_FILES as f64 / took.as_secs_f64());
            catching.push(caught.as_secs_f64());
            listing.push(millis(listed));
        }
        let at = format!("with {} entries", self.batches * BATCH_FILES);
        let title = format!("batch of 10,000 × 4 KiB, durable, {at}");
        let caught = format!("catching up 10,000 changes, {at}");
        let listed = format!("listing 10,000 entries as JSON, ten pages, {at}");
        Ok([
            row(&format!("batch-{size}"), &title, Unit::PerSecond, batches, Goal::AtLeast(2_000.0))?,
            row(&format!("catch-up-{size}"), &caught, Unit::Seconds, catching, Goal::AtMost(1.0))?,
            row(&format!("listing-{size}"), &listed, Unit::Milliseconds, listing, Goal::AtMost(100.0))?,
        ])
    }
}

/// What it costs that a role has to be known: the same small question, by the owner of what it is about and by somebody who was
/// given a role ten folders above it. One after the other, by turns; the difference of the medians.
async fn permission(session: &Session, scale: Scale) -> anyhow::Result<Row> {
    let name = "bench-member";
    let password = "a password of a benchmark";
    let body = json!({ "name": name, "password": password });
    let member = session.call("POST", "/api/v1/register", Some(&body)).await?;
    let member = (text(&member, "id")?, Session::login(session.port, name, password).await?);
    let shared = session.folder("shared").await?;
    let grant = json!({ "subject": { "kind": "user", "id": member.0 }, "role": "viewer" });
    session.call("PUT", &format!("/api/v1/entries/{shared}/grants"), Some(&grant)).await?;
    let mut inner = shared;
    for level in 0..10 {
        let body = json!({ "name": format!("{level}"), "parent_id": inner });
        inner = text(&session.call("POST", "/api/v1/folders", Some(&body)).await?, "id")?;
    }
    let path = format!("/api/v1/entries/{inner}");
    let mut connection = Connection::open(session.port).await?;
    let mut differences = Vec::new();
    let mut medians = [Vec::new(), Vec::new()];
    for run in 0..=scale.runs {
        let mut took = [Vec::new(), Vec::new()];
        for turn in 0..CHECKS {
            let who = (turn % 2) as usize;
            let request = [session, &member.1][who].request("GET", &path, None);
            let began = Instant::now();
            connection.send(&request).await?;
            let (status, body) = connection.answer().await?;
            took[who].push(began.elapsed());
            ensure!(status == 200, "{status}: {}", excerpt(&body));
        }
        took.iter_mut().for_each(|took| took.sort_unstable());
        let [owner, other] = [0, 1].map(|who| millis(percentile(&took[who], 0.5)));
        // The first run warms up.
        if run > 0 {
            differences.push((other - owner).max(0.0));
            medians[0].push(owner);
            medians[1].push(other);
        }
    }
    let title = "permission check, remembered: a member's request less its owner's, p50";
    let mut row = row("permission", title, Unit::Milliseconds, differences, Goal::AtMost(0.02))?;
    let [owner, other] = medians.map(Series::new);
    row.details.push(Detail::new("request of the owner, p50", Unit::Milliseconds, owner?.median()));
    row.details.push(Detail::new("request of the member, p50", Unit::Milliseconds, other?.median()));
    Ok(row)
}

fn row(name: &str, title: &str, unit: Unit, samples: Vec<f64>, goal: Goal) -> anyhow::Result<Row> {
    let measured = Series::new(samples)?;
    Ok(Row { name: name.into(), title: title.into(), unit, measured, limit: None, goal, details: Vec::new() })
}

async fn cursor(session: &Session, space: &str) -> anyhow::Result<String> {
    let space = session.call("GET", &format!("/api/v1/spaces/{space}"), None).await?;
    Ok(format!("{}.{}", space["epoch"], space["sequence"]))
}

/// Sends a batch into a folder of its own; gives the folder and how long it took from the first byte to the answer.
async fn batch(session: &Session, top: &str, number: u64) -> anyhow::Result<(String, Duration)> {
    let mut body = Vec::with_capacity((BATCH_FILES * (FILE_BYTES + 64)) as usize);
    for file in 0..BATCH_FILES {
        let header = json!({ "path": format!("{number}/{file:05}.bin"), "size": FILE_BYTES }).to_string();
        body.extend((header.len() as u32).to_be_bytes());
        body.extend(header.bytes());
        (0..FILE_BYTES / 8).for_each(|word| body.extend(mix(number << 40 | file << 16 | word).to_le_bytes()));
    }
    let path = format!("/api/v1/batch?parent={top}");
    let mut request = session.request("POST", &path, None);
    request.truncate(request.len() - 2);
    let head = format!("Content-Type: application/vnd.holdfast.batch\r\nContent-Length: {}\r\n\r\n", body.len());
    request.extend(head.bytes());
    let mut connection = Connection::open(session.port).await?;
    let began = Instant::now();
    connection.send(&request).await?;
    connection.send(&body).await?;
    let (status, answer) = connection.answer().await?;
    let took = began.elapsed();
    ensure!(status == 200, "the batch answers {status}: {}", excerpt(&answer));
    let answer: Value = serde_json::from_slice(&answer)?;
    let items = answer["items"].as_array().context("a batch without results")?;
    let created = items.iter().filter(|item| item["status"] == "created").count() as u64;
    ensure!(created == BATCH_FILES && answer["error"].is_null(), "{created} files of a batch were created");
    Ok((text(&items[0]["entry"], "parent_id")?, took))
}

/// Reads all changes since a cursor, as a client does that was away.
async fn catch_up(session: &Session, space: &str, since: &str) -> anyhow::Result<Duration> {
    let mut connection = Connection::open(session.port).await?;
    let (mut since, mut seen) = (since.to_owned(), 0);
    let began = Instant::now();
    loop {
        let path = format!("/api/v1/spaces/{space}/changes?limit={PAGE}&since={since}");
        connection.send(&session.request("GET", &path, None)).await?;
        let (status, body) = connection.answer().await?;
        ensure!(status == 200, "the changes answer {status}: {}", excerpt(&body));
        let page: Value = serde_json::from_slice(&body)?;
        seen += page["items"].as_array().context("a page without changes")?.len() as u64;
        since = text(&page, "next")?;
        if page["more"] == false {
            break;
        }
    }
    // The folder is a change too.
    ensure!(seen == BATCH_FILES + 1, "{seen} changes");
    Ok(began.elapsed())
}

/// Reads a folder to its end.
async fn list(session: &Session, folder: &str) -> anyhow::Result<Duration> {
    let mut connection = Connection::open(session.port).await?;
    let (mut after, mut seen) = (String::new(), 0);
    let began = Instant::now();
    loop {
        let path = format!("/api/v1/folders/{folder}/children?limit={PAGE}{after}");
        connection.send(&session.request("GET", &path, None)).await?;
        let (status, body) = connection.answer().await?;
        ensure!(status == 200, "the listing answers {status}: {}", excerpt(&body));
        let page: Value = serde_json::from_slice(&body)?;
        seen += page["items"].as_array().context("a page without entries")?.len() as u64;
        match page["next_cursor"].as_str() {
            Some(next) => after = format!("&cursor={next}"),
            None => break,
        }
    }
    ensure!(seen == BATCH_FILES, "{seen} entries");
    Ok(began.elapsed())
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A socket that follows a space.
async fn follow(session: &Session, space: &str) -> anyhow::Result<Socket> {
    let mut request = format!("ws://127.0.0.1:{}/api/v1/live", session.port).into_client_request()?;
    request.headers_mut().insert("sec-websocket-protocol", "holdfast.v1".parse()?);
    request.headers_mut().insert("authorization", session.authorization().parse()?);
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await?;
    socket.send(Message::text(json!({ "id": 1, "do": "follow", "space": space }).to_string())).await?;
    let reply = hear(&mut socket).await?;
    ensure!(reply["ok"]["space"] == space, "{reply}");
    Ok(socket)
}

async fn hear(socket: &mut Socket) -> anyhow::Result<Value> {
    while let Some(message) = socket.next().await {
        if let Message::Text(text) = message? {
            return Ok(serde_json::from_str(&text)?);
        }
    }
    bail!("the socket was closed")
}

/// How long after one session asks for a change another one has it.
async fn live(session: &Session, space: &str, scale: Scale) -> anyhow::Result<Row> {
    let mut socket = follow(session, space).await?;
    let parent = session.folder("live").await?;
    // The folder itself is the first push.
    hear(&mut socket).await?;
    let count = scale.listen.as_secs() as u32 * CHANGES_PER_SECOND;
    let (asked, mut heard) = tokio::sync::mpsc::channel(count as usize);
    let write = async {
        let mut connection = Connection::open(session.port).await?;
        let mut pace = tokio::time::interval(Duration::from_secs(1) / CHANGES_PER_SECOND);
        for number in 0..count {
            pace.tick().await;
            let name = format!("{number}");
            let path = format!("/api/v1/files?parent={parent}&name={name}");
            let request = session.request("POST", &path, Some(0));
            asked.send((name, Instant::now())).await?;
            connection.send(&request).await?;
            let (status, body) = connection.answer().await?;
            ensure!(status == 201, "{status}: {}", excerpt(&body));
        }
        anyhow::Ok(())
    };
    let listen = async {
        let (mut seen, mut began, mut took) = (HashMap::new(), HashMap::new(), Vec::new());
        while took.len() < count as usize {
            let push = hear(&mut socket).await?;
            let now = Instant::now();
            ensure!(push["push"] == "changes", "{push}");
            for item in push["items"].as_array().context("a push without changes")? {
                seen.insert(text(&item["entry"], "name")?, now);
            }
            while let Ok((name, at)) = heard.try_recv() {
                began.insert(name, at);
            }
            for (name, at) in seen.drain() {
                let asked = began.remove(&name).context("a change that nobody asked for")?;
                took.push(at.duration_since(asked));
            }
        }
        Ok(took)
    };
    let ((), mut took) = futures::try_join!(write, listen)?;
    took.sort_unstable();
    let p95 = vec![millis(percentile(&took, 0.95))];
    let title = format!("change seen in a second session at {CHANGES_PER_SECOND}/s, p95");
    let mut row = row("live", &title, Unit::Milliseconds, p95, Goal::AtMost(100.0))?;
    for (what, share) in [("p50", 0.5), ("p99", 0.99)] {
        row.details.push(Detail::new(what, Unit::Milliseconds, millis(percentile(&took, share))));
    }
    Ok(row)
}

/// Renames the folder that everything is in.
async fn rename(session: &Session, top: &str, entries: u64, scale: Scale) -> anyhow::Result<Row> {
    let mut took = Vec::new();
    for run in 0..=scale.runs * 10 {
        let began = Instant::now();
        let name = json!({ "name": format!("renamed {run}") });
        session.call("PATCH", &format!("/api/v1/entries/{top}"), Some(&name)).await?;
        took.push(millis(began.elapsed()));
    }
    let title = format!("rename of a folder with {entries} descendants");
    row(&format!("rename-{entries}"), &title, Unit::Milliseconds, took.split_off(1), Goal::AtMost(20.0))
}

/// What a live session costs that does nothing.
async fn sockets(session: &Session, space: &str, pid: u32) -> anyhow::Result<Row> {
    // What the server allocates once is not the sockets' fault.
    let warm = follow(session, space).await?;
    let before = resident(pid)?;
    let mut sockets = Vec::new();
    for _ in 0..SOCKETS {
        sockets.push(follow(session, space).await?);
    }
    let kibibytes = (resident(pid)?.saturating_sub(before)) as f64 / 1024.0 / SOCKETS as f64;
    // All of them hear of a change.
    session.folder("heard by all").await?;
    for socket in sockets.iter_mut().chain([&mut { warm }]) {
        let push = hear(socket).await?;
        ensure!(push["items"][0]["entry"]["name"] == "heard by all", "{push}");
    }
    let title = format!("memory of a live session, {SOCKETS} idle");
    row("live-memory", &title, Unit::Kibibytes, vec![kibibytes], Goal::AtMost(20.0))
}
