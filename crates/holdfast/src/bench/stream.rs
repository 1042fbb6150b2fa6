//! One file of 1 GiB, one stream: up, down, and down with a node gone.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::time::Instant;

use super::{
    Scale,
    apart::apart,
    figures::{Detail, Goal, Limit, Row, Series, Unit},
    http::{Connection, Session, excerpt, text},
    limits,
    pattern::{BLOCK_BYTES, Pattern},
    peer::Peer,
    server::{Deployment, Folder, Nodes, explain},
};

/// How long one file may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// The bytes of the file, in every run.
const SEED: u64 = 1;

/// An upload that was acknowledged.
pub(super) struct Uploaded {
    pub(super) id: String,
    /// From the first byte of the request to the last of the answer.
    pub(super) took: Duration,
    /// From when the kernel had taken the last byte.
    pub(super) tail: Duration,
    pub(super) blake3: Option<String>,
}

/// How closely what arrives is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Every byte.
    Whole,
    /// A page of every mebibyte.
    Sampled,
}

/// Uploads the first bytes of a pattern.
pub(super) async fn upload(session: &Session, name: &str, seed: u64, length: u64) -> anyhow::Result<Uploaded> {
    let request = session.request("POST", &format!("/api/v1/files?name={name}"), Some(length));
    let port = session.port;
    let work = async move {
        let mut pattern = Pattern::new(seed);
        let mut connection = Connection::open(port).await?;
        let began = Instant::now();
        connection.send(&request).await?;
        for index in 0..length.div_ceil(BLOCK_BYTES as u64) {
            let left = length - index * BLOCK_BYTES as u64;
            connection.send(&pattern.block(index)[..left.min(BLOCK_BYTES as u64) as usize]).await?;
        }
        let sent = Instant::now();
        let (status, body) = connection.answer().await?;
        let (took, tail) = (began.elapsed(), sent.elapsed());
        ensure!(status == 201, "the server answers {status}: {}", excerpt(&body));
        let entry: Value = serde_json::from_slice(&body)?;
        ensure!(entry["size"] == length, "{} bytes arrived of {length}", entry["size"]);
        Ok(Uploaded { id: text(&entry, "id")?, took, tail, blake3: entry["blake3"].as_str().map(str::to_owned) })
    };
    apart(PATIENCE, work).await.context("the upload")
}

/// Downloads a file and compares it with the pattern.
pub(super) async fn download(
    session: &Session,
    id: &str,
    seed: u64,
    length: u64,
    look: Look,
) -> anyhow::Result<Duration> {
    let request = session.request("GET", &format!("/api/v1/files/{id}"), None);
    let port = session.port;
    let work = async move {
        let mut pattern = Pattern::new(seed);
        let mut connection = Connection::open(port).await?;
        let began = Instant::now();
        connection.send(&request).await?;
        let head = connection.head().await?;
        if head.status != 200 {
            let body = connection.collect(head).await?;
            anyhow::bail!("the server answers {}: {}", head.status, excerpt(&body));
        }
        ensure!(head.length == length, "{} bytes in place of {length}", head.length);
        let check = |offset: u64, piece: &[u8]| {
            let same = match look {
                Look::Whole => pattern.is_at(offset, piece),
                Look::Sampled => pattern.is_at_sampled(offset, piece),
            };
            ensure!(same, "other bytes than were uploaded, near byte {offset}");
            Ok(())
        };
        connection.body(length, check).await?;
        Ok(began.elapsed())
    };
    apart(PATIENCE, work).await.context("the download")
}

/// Uploads to each system, alternating with `dd` of the same bytes on the same disk.
pub(super) async fn upload_rows(folder: &Folder, scale: Scale, systems: &[Deployment]) -> anyhow::Result<Vec<Row>> {
    let length = scale.file_bytes;
    let (source, target) = (folder.path().join("source"), folder.path().join("target"));
    limits::source(source.clone(), SEED, length).await?;
    let hash = tokio::task::spawn_blocking(move || Pattern::new(SEED).blake3(length)).await?;
    let mut dd = Vec::new();
    let mut took: Vec<Vec<f64>> = vec![Vec::new(); systems.len()];
    let mut tails: Vec<Vec<f64>> = vec![Vec::new(); systems.len()];
    // The first round warms up.
    for run in 0..=scale.stream_runs {
        let seconds = limits::dd(&source, &target).await?.as_secs_f64();
        if run > 0 {
            dd.push(seconds);
        }
        for (index, system) in systems.iter().enumerate() {
            let session = system.login().await?;
            limits::settle().await?;
            let uploaded = upload(&session, &format!("upload-{run}"), SEED, length).await?;
            ensure!(uploaded.blake3.as_deref() == Some(&hash), "the server has another hash than the bytes");
            if run > 0 {
                took[index].push(uploaded.took.as_secs_f64());
                tails[index].push(millis(uploaded.tail));
            }
        }
    }
    std::fs::remove_file(source)?;
    let dd = Limit { what: "dd conv=fsync of the same bytes".into(), series: Series::new(dd)? };
    let details = tails
        .into_iter()
        .map(|tails| Ok(vec![Detail::new("last byte to 201", Unit::Milliseconds, Series::new(tails)?.median())]))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let sides = Sides { name: "upload", what: "upload 1 GiB, durable", unit: Unit::Seconds };
    sides.rows(systems, took, details, Some(dd), Goal::TimesLimit(1.6))
}

/// Downloads from each system, alternating with bare sockets.
pub(super) async fn download_rows(scale: Scale, systems: &[Deployment], peer: &Peer) -> anyhow::Result<Vec<Row>> {
    let length = scale.file_bytes;
    let mut files = Vec::new();
    for system in systems {
        let session = system.login().await?;
        let uploaded = upload(&session, "download", SEED, length).await?;
        download(&session, &uploaded.id, SEED, length, Look::Whole).await?;
        files.push((session, uploaded.id));
    }
    limits::loopback(peer.stream_port, length).await?;
    limits::settle().await?;
    let mut bare = Vec::new();
    let mut speeds: Vec<Vec<f64>> = vec![Vec::new(); systems.len()];
    for _ in 0..scale.stream_runs {
        bare.push(gigabytes(length, limits::loopback(peer.stream_port, length).await?));
        for ((session, id), speeds) in files.iter().zip(&mut speeds) {
            speeds.push(gigabytes(length, download(session, id, SEED, length, Look::Sampled).await?));
        }
    }
    let bare = Limit { what: "bare loopback socket between two processes".into(), series: Series::new(bare)? };
    let sides = Sides { name: "download", what: "download 1 GiB, cached", unit: Unit::GigabytesPerSecond };
    sides.rows(systems, speeds, vec![Vec::new(); systems.len()], Some(bare), Goal::AtLeast(1.7))
}

/// Downloads from six node processes with two parity parts, before and after one of them is killed.
pub(super) async fn degraded(folder: &Folder, scale: Scale) -> anyhow::Result<Vec<Row>> {
    let mut system = Deployment::start(folder, "degraded", Nodes::Processes, 2).await?;
    match degraded_on(&mut system, scale).await {
        Ok(row) => {
            system.stop().await?;
            Ok(vec![row])
        }
        Err(error) => Err(explain(error, std::slice::from_ref(&system))),
    }
}

async fn degraded_on(system: &mut Deployment, scale: Scale) -> anyhow::Result<Row> {
    let length = scale.file_bytes;
    let session = system.login().await?;
    let file = upload(&session, "degraded", SEED, length).await?.id;
    download(&session, &file, SEED, length, Look::Whole).await?;
    limits::settle().await?;
    let mut healthy = Vec::new();
    for _ in 0..scale.stream_runs {
        healthy.push(gigabytes(length, download(&session, &file, SEED, length, Look::Sampled).await?));
    }
    system.kill_node_of(&session, &file).await?;
    // The first read finds out that the node is gone, and every byte of it is compared.
    let first = gigabytes(length, download(&session, &file, SEED, length, Look::Whole).await?);
    let mut without = Vec::new();
    for _ in 0..scale.stream_runs {
        without.push(gigabytes(length, download(&session, &file, SEED, length, Look::Sampled).await?));
    }
    Ok(Row {
        name: "degraded".into(),
        title: "download 1 GiB, parity 2, one of six node processes killed".into(),
        unit: Unit::GigabytesPerSecond,
        measured: Series::new(without)?,
        limit: Some(Limit { what: "the same before it was killed".into(), series: Series::new(healthy)? }),
        goal: Goal::ShareOfLimit(0.7),
        details: vec![Detail::new("first read after the kill", Unit::GigabytesPerSecond, first)],
    })
}

/// What is measured in one process and through six.
pub(super) struct Sides {
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    pub(super) unit: Unit,
}

impl Sides {
    /// The rows of all systems: the one in a process beside the machine's limit, the one of six beside the one.
    pub(super) fn rows(
        &self,
        systems: &[Deployment],
        samples: Vec<Vec<f64>>,
        details: Vec<Vec<Detail>>,
        limit: Option<Limit>,
        goal: Goal,
    ) -> anyhow::Result<Vec<Row>> {
        let mut rows: Vec<Row> = Vec::new();
        for ((system, samples), details) in systems.iter().zip(samples).zip(details) {
            let measured = Series::new(samples)?;
            let row = Row {
                name: self.name.into(),
                title: format!("{}, nodes in the process", self.what),
                unit: self.unit,
                measured,
                limit: limit.clone(),
                goal,
                details,
            };
            rows.push(match rows.first() {
                Some(alone) if system.is_cluster() => Row {
                    name: format!("cluster-{}", self.name),
                    title: format!("{}, six node processes", self.what),
                    limit: Some(Limit {
                        what: "the same with nodes in the process".into(),
                        series: alone.measured.clone(),
                    }),
                    goal: Goal::ShareOfLimit(0.6),
                    ..row
                },
                _ => row,
            });
        }
        Ok(rows)
    }
}

/// Speed in 10⁹ bytes per second.
pub(super) fn gigabytes(bytes: u64, took: Duration) -> f64 {
    bytes as f64 / 1e9 / took.as_secs_f64()
}

pub(super) fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}
