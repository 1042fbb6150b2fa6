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
    /// Entries below the folder that is renamed.
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
    let (mut rows, mut filled) = (Vec::new(), 0);
    let (mut batches, mut catching, mut listing) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..=scale.runs {
        let before = cursor(session, &space).await?;
        let (folder, took) = batch(session, &top, run).await?;
        filled += BATCH_FILES;
        let caught = catch_up(session, &space, &before).await?;
        let listed = list(session, &folder).await?;
        // The first run warms up.
        if run > 0 {
            batches.push(BATCH_FILES as f64 / took.as_secs_f64());
            catching.push(caught.as_secs_f64());
            listing.push(millis(listed));
        }
    }
    rows.push(row("batch", "batch of 10,000 × 4 KiB, durable", Unit::PerSecond, batches, Goal::AtLeast(2_000.0))?);
    rows.push(row("catch-up", "catching up 10,000 changes", Unit::Seconds, catching, Goal::AtMost(1.0))?);
    let title = "listing 10,000 entries as JSON, ten pages";
    rows.push(row("listing-10000", title, Unit::Milliseconds, listing, Goal::AtMost(100.0))?);
    rows.push(live(session, &space, scale).await?);
    while filled < scale.entries {
        batch(session, &top, 1_000 + filled).await?;
        filled += BATCH_FILES;
    }
    rows.push(rename(session, &top, filled, scale).await?);
    rows.push(sockets(session, &space, pid).await?);
    Ok(rows)
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
    row("rename", &title, Unit::Milliseconds, took.split_off(1), Goal::AtMost(20.0))
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
