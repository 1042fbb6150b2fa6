//! Many connections at once, each with one request after another, and how quickly they are answered.

use std::time::Duration;

use anyhow::{Context, bail};
use tokio::{task::JoinSet, time::Instant};

use super::{
    apart::apart,
    figures::percentile,
    http::{Connection, excerpt},
};

/// Connections at once.
pub(super) const AT_ONCE: usize = 64;

/// How long requests that are open when a load ends may take.
const GRACE: Duration = Duration::from_secs(60);

/// What one connection asks for, and what it makes of the answers.
pub(super) trait Script: Send + 'static {
    /// The status of every answer.
    const STATUS: u16;

    /// The bytes of the next request; nothing when there is no more to ask for.
    fn request(&mut self) -> Option<&[u8]>;

    /// Looks at a piece of the answer's body.
    fn take(&mut self, offset: u64, piece: &[u8]) -> anyhow::Result<()>;

    /// The answer is whole, and its body so long.
    fn finish(&mut self, length: u64) -> anyhow::Result<()>;
}

/// How long to go on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// At first answers do not count.
    pub(super) warm_up: Duration,
    /// Then those count that end in this time.
    pub(super) period: Duration,
}

/// What came of a load.
pub(super) struct Outcome<S> {
    pub(super) per_second: f64,
    pub(super) p50: Duration,
    pub(super) p99: Duration,
    /// As they were when the load ended.
    pub(super) scripts: Vec<S>,
}

/// Runs a load, one connection per script. Every answer that is not as expected ends it with an error: a figure is
/// never one of failures.
pub(super) async fn run<S: Script>(port: u16, span: Span, scripts: Vec<S>) -> anyhow::Result<Outcome<S>> {
    apart(span.warm_up + span.period + GRACE, drive(port, span, scripts)).await
}

async fn drive<S: Script>(port: u16, span: Span, scripts: Vec<S>) -> anyhow::Result<Outcome<S>> {
    let mut connected = Vec::with_capacity(scripts.len());
    for script in scripts {
        connected.push((Connection::open(port).await?, script));
    }
    let opens = Instant::now() + span.warm_up;
    let closes = opens + span.period;
    let mut tasks = JoinSet::new();
    for (connection, script) in connected {
        tasks.spawn(ask(connection, script, opens, closes));
    }
    let (mut latencies, mut scripts, mut last) = (Vec::new(), Vec::new(), opens);
    while let Some(part) = tasks.join_next().await {
        let part = part.context("a connection of the load")??;
        latencies.extend(part.latencies);
        scripts.push(part.script);
        last = last.max(part.last);
    }
    if latencies.is_empty() {
        bail!("no answer within {} s", span.period.as_secs());
    }
    latencies.sort_unstable();
    // Where requests ran out, the time after the last answer was idle.
    let took = last.duration_since(opens).as_secs_f64();
    Ok(Outcome {
        per_second: latencies.len() as f64 / took,
        p50: percentile(&latencies, 0.5),
        p99: percentile(&latencies, 0.99),
        scripts,
    })
}

/// What one connection did.
struct Part<S> {
    script: S,
    latencies: Vec<Duration>,
    /// The end of its last answer that counts.
    last: Instant,
}

async fn ask<S: Script>(
    mut connection: Connection,
    mut script: S,
    opens: Instant,
    closes: Instant,
) -> anyhow::Result<Part<S>> {
    let (mut latencies, mut last) = (Vec::new(), opens);
    loop {
        let sent = Instant::now();
        if sent >= closes {
            break;
        }
        let Some(request) = script.request() else {
            break;
        };
        connection.send(request).await?;
        let head = connection.head().await?;
        if head.status != S::STATUS {
            let body = connection.collect(head).await?;
            bail!("the server answers {} in place of {}: {}", head.status, S::STATUS, excerpt(&body));
        }
        connection.body(head.length, |offset, piece| script.take(offset, piece)).await?;
        script.finish(head.length)?;
        let now = Instant::now();
        if opens <= now && now <= closes {
            latencies.push(now - sent);
            last = now;
        }
    }
    Ok(Part { script, latencies, last })
}

#[cfg(test)]
mod tests {
    use axum::{Router, routing::get};
    use tokio::net::TcpListener;

    use super::*;

    struct Hello {
        left: u32,
        heard: Vec<u8>,
    }

    impl Script for Hello {
        const STATUS: u16 = 200;

        fn request(&mut self) -> Option<&[u8]> {
            self.left = self.left.checked_sub(1)?;
            self.heard.clear();
            Some(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        }

        fn take(&mut self, _: u64, piece: &[u8]) -> anyhow::Result<()> {
            self.heard.extend(piece);
            Ok(())
        }

        fn finish(&mut self, length: u64) -> anyhow::Result<()> {
            anyhow::ensure!(length == 5 && self.heard == b"hello");
            Ok(())
        }
    }

    async fn serve(router: Router) -> (u16, JoinSet<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        (port, tasks)
    }

    fn scripts(count: usize) -> Vec<Hello> {
        (0..count).map(|_| Hello { left: 50, heard: Vec::new() }).collect()
    }

    const SPAN: Span = Span { warm_up: Duration::ZERO, period: Duration::from_secs(30) };

    #[tokio::test]
    async fn every_request_is_asked_and_counted_once() {
        let (port, _server) = serve(Router::new().route("/", get(async || "hello"))).await;
        let outcome = run(port, SPAN, scripts(4)).await.unwrap();
        assert!(outcome.scripts.len() == 4 && outcome.scripts.iter().all(|script| script.left == 0));
        assert!(outcome.per_second > 0.0 && outcome.p50 <= outcome.p99);
    }

    #[tokio::test]
    async fn a_refusal_is_an_error_and_no_figure() {
        let (port, _server) = serve(Router::new()).await;
        let error = run(port, SPAN, scripts(2)).await.err().unwrap();
        assert!(error.to_string().contains("404 in place of 200"), "{error:#}");
        let (port, _server) = serve(Router::new().route("/", get(async || "hullo"))).await;
        assert!(run(port, SPAN, scripts(2)).await.is_err(), "a wrong body counts as a failure");
    }
}
