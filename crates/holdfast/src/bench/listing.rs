//! Pages of a folder with very many entries.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::time::Instant;

use super::{
    Scale,
    apart::apart,
    figures::{Detail, Goal, Limit, Row, Series, Unit, percentile},
    http::{Connection, Session, excerpt},
    load::{self, AT_ONCE, Span},
    peer::Peer,
    server::{Deployment, Folder, Nodes, explain},
    small::{Numbers, Plain, Post},
    stream::millis,
};

/// Entries of a page.
const PAGE: u64 = 1_000;

/// Entries made with one access token, which lives 15 minutes.
const BATCH: u64 = 100_000;

/// How long a batch may take.
const BATCH_TIME: Duration = Duration::from_secs(800);

/// How long one run of pages may take.
const PAGES_TIME: Duration = Duration::from_secs(600);

/// The entries of the goal.
const ENTRIES: u64 = 100_000;

/// Fills a folder, measures its pages, and fills it further if more entries are asked for.
pub(super) async fn rows(folder: &Folder, scale: Scale, entries: u64) -> anyhow::Result<Vec<Row>> {
    let system = Deployment::start(folder, "listing", Nodes::Inside, 0).await?;
    match rows_on(&system, scale, entries).await {
        Ok(rows) => {
            system.stop().await?;
            Ok(rows)
        }
        Err(error) => Err(explain(error, std::slice::from_ref(&system))),
    }
}

async fn rows_on(system: &Deployment, scale: Scale, entries: u64) -> anyhow::Result<Vec<Row>> {
    let peer = Peer::start().await?;
    let parent = system.login().await?.folder("listing").await?;
    let mut rows = Vec::new();
    let mut filled = 0;
    for count in [ENTRIES.min(entries), entries] {
        if count == filled {
            continue;
        }
        let made_per_second = fill(system, &parent, filled, count).await?;
        filled = count;
        let mut row = measure(system, &peer, &parent, scale, count).await?;
        row.details.push(Detail::new("entries made, 64 at once", Unit::PerSecond, made_per_second));
        rows.push(row);
    }
    Ok(rows)
}

/// Makes empty files until there are so many, through the API like anybody else. Gives how many per second.
async fn fill(system: &Deployment, parent: &str, from: u64, to: u64) -> anyhow::Result<f64> {
    let began = Instant::now();
    let mut start = from;
    while start < to {
        let end = to.min(start + BATCH);
        let session = system.login().await?;
        let numbers = Numbers::new(start..end);
        let scripts = (0..AT_ONCE).map(|_| Post::new(&session, parent, 0, numbers.clone()));
        let scripts = scripts.collect::<anyhow::Result<Vec<_>>>()?;
        load::run(session.port, Span { warm_up: Duration::ZERO, period: BATCH_TIME }, scripts).await?;
        start = end;
    }
    Ok((to - from) as f64 / began.elapsed().as_secs_f64())
}

async fn measure(system: &Deployment, peer: &Peer, parent: &str, scale: Scale, entries: u64) -> anyhow::Result<Row> {
    let (mut p50, mut p99, mut page_bytes, mut plain) = (Vec::new(), Vec::new(), 0, Vec::new());
    // The first run warms up, and sees that every entry is there.
    for run in 0..=scale.runs {
        let session = system.login().await?;
        let least = if run == 0 { entries.div_ceil(PAGE) as usize } else { scale.pages };
        let (port, parent) = (session.port, parent.to_owned());
        let pages = apart(PAGES_TIME, async move { pages(port, &session, &parent, entries, least).await }).await?;
        page_bytes = pages.bytes;
        if run == 0 {
            continue;
        }
        p50.push(millis(percentile(&pages.took, 0.5)));
        p99.push(millis(percentile(&pages.took, 0.99)));
        let span = Span { warm_up: Duration::ZERO, period: Duration::from_secs(1) };
        let outcome = load::run(peer.http_port, span, vec![Plain::new(page_bytes)]).await?;
        plain.push(millis(outcome.p99));
    }
    Ok(Row {
        name: format!("listing-{entries}"),
        title: format!("a page of 1,000 of {entries} entries, p99"),
        unit: Unit::Milliseconds,
        measured: Series::new(p99)?,
        limit: Some(Limit {
            what: format!("p99 of as many bytes ({page_bytes}) from a handler's memory"),
            series: Series::new(plain)?,
        }),
        goal: Goal::AtMost(20.0),
        details: vec![Detail::new("p50", Unit::Milliseconds, Series::new(p50)?.median())],
    })
}

/// What reading pages gave.
struct Pages {
    /// Shortest first.
    took: Vec<Duration>,
    /// Bytes of a full page.
    bytes: u64,
}

/// Reads page after page, from the beginning again after the last, until there are enough; the folder is always read
/// to its end at least once, and what it holds is counted.
async fn pages(port: u16, session: &Session, parent: &str, entries: u64, least: usize) -> anyhow::Result<Pages> {
    let mut connection = Connection::open(port).await?;
    let (mut took, mut bytes) = (Vec::new(), 0);
    while took.len() < least {
        let (mut cursor, mut seen, mut before) = (None, 0, String::new());
        loop {
            let after = cursor.as_deref().map(|cursor| format!("&cursor={}", encode(cursor))).unwrap_or_default();
            let path = format!("/api/v1/folders/{parent}/children?limit={PAGE}{after}");
            let request = session.request("GET", &path, None);
            let sent = Instant::now();
            connection.send(&request).await?;
            let (status, body) = connection.answer().await?;
            took.push(sent.elapsed());
            ensure!(status == 200, "the listing answers {status}: {}", excerpt(&body));
            bytes = bytes.max(body.len() as u64);
            let page: Value = serde_json::from_slice(&body)?;
            for item in page["items"].as_array().context("a page without items")? {
                let name = item["name"].as_str().context("an entry without a name")?;
                ensure!(*name > *before, "{name} comes after {before}");
                name.clone_into(&mut before);
                seen += 1;
            }
            cursor = page["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
            ensure!(seen <= entries, "the listing does not end");
        }
        ensure!(seen == entries, "{seen} entries of {entries} are listed");
    }
    took.sort_unstable();
    Ok(Pages { took, bytes })
}

/// Percent-encoding for a query: a cursor may be any text.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_encoded() {
        assert_eq!(encode("aZ09-._~"), "aZ09-._~");
        assert_eq!(encode("a+b/c=ä"), "a%2Bb%2Fc%3D%C3%A4");
    }
}
