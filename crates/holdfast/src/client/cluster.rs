//! `node …` and `cluster status`: storage servers as an administrator sees them.

use std::{io, io::IsTerminal, time::Duration};

use base::{ByteSize, NodeId};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Common,
    api::{Activity, Api},
    backoff::Patience,
    failure::Failure,
    output::{Output, moment, note, shown, span, table},
};

/// `holdfast node …`.
#[derive(Debug, Subcommand)]
pub(crate) enum Node {
    /// Lists storage servers: whether they live, how full they are
    Ls(Common),
    /// Moves all data away from a server, in the background; `holdfast cluster status --watch` shows how far it is
    Drain(One),
    /// Takes a drain back: the server gets data again
    Activate(One),
    /// Forgets a server that holds nothing any more; with --force, one that is dead and will not come back
    Remove(Remove),
}

/// A storage server.
#[derive(Debug, Args)]
pub(crate) struct One {
    /// Its id, as `holdfast node ls` shows it
    #[arg(value_name = "NODE")]
    id: NodeId,
    #[command(flatten)]
    common: Common,
}

/// `holdfast node remove`.
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Gives up what a dead server holds: what parity can stand in for is rebuilt on the others, the rest is lost
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    one: One,
}

/// `holdfast cluster …`.
#[derive(Debug, Subcommand)]
pub(crate) enum Cluster {
    /// Shows moves, repairs and clean-up, with their progress
    Status(Status),
}

/// `holdfast cluster status`.
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Shows it again every two seconds, until Ctrl-C
    #[arg(long, short)]
    watch: bool,
    #[command(flatten)]
    common: Common,
}

/// How often `--watch` looks.
const EVERY: Duration = Duration::from_secs(2);

pub(super) async fn node(node: Node) -> Result<(), Failure> {
    match node {
        Node::Ls(common) => list(&common).await,
        Node::Drain(one) => {
            order(&one, Method::POST, "/drain", "is being drained; `holdfast cluster status --watch` shows how far")
                .await
        }
        Node::Activate(one) => order(&one, Method::POST, "/activate", "is active").await,
        Node::Remove(Remove { force: false, one }) => order(&one, Method::DELETE, "", "is removed").await,
        Node::Remove(Remove { force: true, one }) => remove_by_force(&one).await,
    }
}

async fn order(one: &One, method: Method, action: &str, done: &str) -> Result<(), Failure> {
    let api = Api::connect(&one.common)?;
    let path = format!("/admin/nodes/{}{action}", one.id);
    api.order(method, &path).await.map_err(|failure| one.refused(failure))?;
    if !one.common.quiet {
        note(&format!("{} {done}.", one.id));
    }
    Ok(())
}

impl One {
    /// A refusal, saying what it is about and where one would look.
    fn refused(&self, failure: Failure) -> Failure {
        if failure.is_missing() {
            return Failure::Missing("there is no such storage server; `holdfast node ls` shows them".into())
                .about(self.id);
        }
        failure.about(self.id)
    }
}

/// The answer to a removal by force.
#[derive(Debug, Deserialize, Serialize)]
struct Removal {
    parts: u64,
    parts_to_rebuild: u64,
    lost_extents: u64,
    lost_bytes: u64,
}

async fn remove_by_force(one: &One) -> Result<(), Failure> {
    let api = Api::connect(&one.common)?;
    let path = format!("/admin/nodes/{}", one.id);
    let make = || api.request(Method::DELETE, &path).query(&[("force", true)]);
    let response = api.call(Patience::Brief, &Activity::default(), make).await;
    let removal: Removal = api.read(response.map_err(|failure| one.refused(failure))?).await?;
    let mut output = Output::new();
    if one.common.json {
        output.json(&removal)?;
    } else if !one.common.quiet {
        note(&format!("{} is removed. {}", one.id, consequence(&removal)));
    }
    output.flush()
}

/// What a removal by force means, in words.
fn consequence(removal: &Removal) -> String {
    let Removal { parts, parts_to_rebuild, lost_extents, lost_bytes } = removal;
    let rebuilt = match (parts, parts_to_rebuild) {
        (0, _) => return "It held nothing.".into(),
        (_, 0) => String::new(),
        (_, rebuilt) => format!("Of its {}, {rebuilt} will be rebuilt on other servers. ", counted(*parts, "part")),
    };
    let lost = match lost_extents {
        0 => "Nothing is lost.".to_owned(),
        lost => {
            format!("Lost: {} of files with {} that cannot be rebuilt.", counted(*lost, "piece"), ByteSize(*lost_bytes))
        }
    };
    rebuilt + &lost
}

fn counted(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// The items of `GET /admin/nodes`, as far as they are shown.
#[derive(Debug, Deserialize)]
struct Server {
    id: String,
    #[serde(default)]
    address: Option<String>,
    state: String,
    live: bool,
    #[serde(default)]
    last_seen_at: Option<String>,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    total_bytes: u64,
    #[serde(default)]
    free_bytes: u64,
    #[serde(default)]
    part_bytes: u64,
    #[serde(default)]
    part_count: u64,
    #[serde(default)]
    writable: bool,
    #[serde(default)]
    trouble: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Servers {
    items: Vec<Value>,
}

async fn list(common: &Common) -> Result<(), Failure> {
    let api = Api::connect(common)?;
    let servers: Servers = api.get(Patience::Brief, "/admin/nodes", &[(); 0]).await?;
    let mut output = Output::new();
    if common.json {
        for server in &servers.items {
            output.json(server)?;
        }
        return output.flush();
    }
    let mut rows = Vec::new();
    for server in servers.items {
        let server: Server = serde_json::from_value(server)
            .map_err(|error| Failure::Failed(format!("the list of nodes cannot be read: {error}")))?;
        rows.push(row(&server));
    }
    let header = ["NODE", "STATE", "HEALTH", "DATA", "PARTS", "FREE", "DISK", "VERSION", "ADDRESS"];
    for line in table(&header, &[3, 4, 5, 6], &rows) {
        output.line(&line)?;
    }
    output.flush()
}

fn row(server: &Server) -> Vec<String> {
    let text = |text: &str| shown(text).into_owned();
    let health = match (server.live, &server.trouble) {
        (false, _) => match &server.last_seen_at {
            Some(at) => format!("down since {}", moment(at)),
            None => "never seen".into(),
        },
        (true, Some(trouble)) => text(trouble),
        (true, None) if server.writable => "ok".into(),
        (true, None) => "read-only".into(),
    };
    vec![
        text(&server.id),
        text(&server.state),
        health,
        ByteSize(server.part_bytes).to_string(),
        server.part_count.to_string(),
        ByteSize(server.free_bytes).to_string(),
        ByteSize(server.total_bytes).to_string(),
        text(server.version.as_deref().unwrap_or("-")),
        text(server.address.as_deref().filter(|address| !address.is_empty()).unwrap_or("in process")),
    ]
}

pub(super) async fn cluster(cluster: Cluster) -> Result<(), Failure> {
    let Cluster::Status(status) = cluster;
    let api = Api::connect(&status.common)?;
    let mut output = Output::new();
    let mut drawn = 0;
    loop {
        let now: Value = api.get(Patience::Long, "/admin/cluster", &[(); 0]).await?;
        if status.common.json {
            output.json(&now)?;
        } else {
            let lines = lines(&now);
            // On a terminal the picture is drawn over; elsewhere the pictures follow each other.
            if drawn > 0 && io::stdout().is_terminal() {
                output.line(&format!("\u{1b}[{}A\u{1b}[J{}", drawn + 1, lines.join("\n")))?;
            } else {
                output.line(&lines.join("\n"))?;
            }
            if status.watch {
                output.line("")?;
            }
            drawn = lines.len();
        }
        output.flush()?;
        if !status.watch {
            return Ok(());
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// `GET /admin/cluster` as people read it. What a server does not tell is left out.
fn lines(now: &Value) -> Vec<String> {
    let number = |path: &str| now.pointer(path).and_then(Value::as_u64).unwrap_or(0);
    let text = |path: &str| now.pointer(path).and_then(Value::as_str).map(|text| shown(text).into_owned());
    let size = |path: &str| ByteSize(number(path));
    let from = |path: &str, what: &str| text(path).map_or_else(String::new, |at| format!(", {what} {}", moment(&at)));

    let (moved, left) = (number("/moves/bytes_moved"), number("/moves/bytes_left"));
    let settled = now.pointer("/moves/settled").and_then(Value::as_bool).unwrap_or(left == 0);
    let moves = if settled {
        "none: everything lies where it should".to_owned()
    } else {
        let eta = now.pointer("/moves/eta_seconds").and_then(Value::as_u64);
        let eta = eta.map_or_else(
            || "time not known yet".into(),
            |eta| format!("about {} left", span(Duration::from_secs(eta))),
        );
        let (done, rate) = (bar(moved, moved.saturating_add(left)), size("/moves/bytes_per_second"));
        format!("{done} {} moved, {} left, {rate}/s, {eta}", ByteSize(moved), ByteSize(left))
    };
    let repairs = match (number("/repairs/waiting"), number("/repairs/failed")) {
        (0, 0) => "none".to_owned(),
        (waiting, 0) => format!("{waiting} waiting or running"),
        (waiting, failed) => format!("{waiting} waiting or running, {failed} given up"),
    };
    let scrub = match text("/scrub/pass_started_at") {
        Some(at) => {
            let progress = now.pointer("/scrub/progress").and_then(Value::as_f64).unwrap_or(0.0).clamp(0.0, 1.0);
            let (checked, damaged) = (number("/scrub/parts_checked"), number("/scrub/damaged"));
            let done = bar((progress * 1000.0) as u64, 1000);
            format!(
                "{done} {:.1} % since {}; {checked} parts checked, {damaged} damaged",
                progress * 100.0,
                moment(&at)
            )
        }
        None => "has not begun".into(),
    };
    let (extents, garbage, open) = (number("/garbage/extents"), size("/garbage/bytes"), number("/intents/open"));
    vec![
        format!(
            "Cluster   epoch {}, {} parity parts, {}",
            number("/epoch"),
            number("/parity"),
            text("/strategy").unwrap_or_default()
        ),
        format!("Moves     {moves}"),
        format!("Repairs   {repairs}"),
        format!("Scrub     {scrub}"),
        format!("Garbage   {extents} extents, {garbage}{}", from("/garbage/oldest_at", "removed from")),
        format!("Writing   {open} unfinished{}", from("/intents/oldest_at", "given up after")),
    ]
}

/// A bar of twenty places.
fn bar(done: u64, total: u64) -> String {
    let filled = if total == 0 { 20 } else { (u128::from(done.min(total)) * 20 / u128::from(total)) as usize };
    format!("[{}{}]", "#".repeat(filled), ".".repeat(20 - filled))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sample() -> Value {
        json!({
            "epoch": 7, "parity": 2, "strategy": "rendezvous",
            "moves": { "settled": false, "bytes_planned": 4 << 20, "bytes_moved": 3 << 20, "bytes_left": 1 << 20,
                "bytes_per_second": 1 << 20, "eta_seconds": 61 },
            "repairs": { "waiting": 2, "failed": 1 },
            "scrub": { "pass_started_at": "2026-11-21T01:26:55.000000Z", "progress": 0.25, "parts_checked": 9, "damaged": 0 },
            "garbage": { "extents": 0, "bytes": 0, "oldest_at": null }, "intents": { "open": 0, "oldest_at": null },
        })
    }

    #[test]
    fn status_is_readable() {
        let lines = lines(&sample());
        assert_eq!(lines[0], "Cluster   epoch 7, 2 parity parts, rendezvous");
        assert_eq!(
            lines[1],
            "Moves     [###############.....] 3.0 MiB moved, 1.0 MiB left, 1.0 MiB/s, about 1 min 01 s left"
        );
        assert!(lines[2].contains("2 waiting or running, 1 given up"), "{lines:?}");
        assert!(lines[3].contains("25.0 % since 2026-11-21 01:26:55"), "{lines:?}");
    }

    #[test]
    fn a_removal_says_what_it_costs() {
        let check = |parts, parts_to_rebuild, lost_extents, lost_bytes, expected: &str| {
            assert_eq!(consequence(&Removal { parts, parts_to_rebuild, lost_extents, lost_bytes }), expected);
        };
        check(0, 0, 0, 0, "It held nothing.");
        check(1, 1, 0, 0, "Of its 1 part, 1 will be rebuilt on other servers. Nothing is lost.");
        check(
            9,
            8,
            1,
            1 << 20,
            "Of its 9 parts, 8 will be rebuilt on other servers. Lost: 1 piece of files with 1.0 MiB that cannot be rebuilt.",
        );
        check(2, 0, 2, 2048, "Lost: 2 pieces of files with 2.0 KiB that cannot be rebuilt.");
    }

    #[test]
    fn servers_that_say_little_do_not_break_it() {
        assert_eq!(lines(&json!({})).len(), 6);
        assert!(lines(&json!({ "moves": { "bytes_left": 1, "eta_seconds": -5 } }))[1].contains("not known"));
        let server: Server =
            serde_json::from_value(json!({ "id": "nod_\u{1b}", "state": "active", "live": true })).unwrap();
        let row = row(&server);
        assert_eq!((row[0].as_str(), row[2].as_str()), ("nod_\\u{1b}", "read-only"));
    }

    #[test]
    fn bars_stay_in_their_frame() {
        for (done, total) in [(0, 0), (0, 5), (5, 5), (9, 5), (u64::MAX, u64::MAX)] {
            assert_eq!(bar(done, total).len(), 22);
        }
    }
}
