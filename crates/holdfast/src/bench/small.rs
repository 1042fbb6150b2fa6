//! Files of 16 KiB, 64 at once: written durably, and read.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, ensure};

use super::{
    Scale,
    figures::{Detail, Goal, Limit, Row, Series, Unit},
    http::{Connection, Session},
    limits,
    load::{self, AT_ONCE, Outcome, Script, Span},
    pattern::{Pattern, mix, stamp},
    peer::Peer,
    server::{Deployment, Folder},
    stream::{Sides, millis},
};

/// Bytes of a small file.
const FILE_BYTES: usize = 16 << 10;

/// The bytes of small files; each has stamps of its own.
const SEED: u64 = 2;

/// Files that are read back after a run of writes.
const READ_BACK: usize = 64;

/// Digits of the number in a name.
const DIGITS: usize = 10;

/// How long the synced appends of a limit go on.
const APPENDS: Duration = Duration::from_secs(2);

/// A file that was acknowledged.
pub(super) struct Kept {
    number: u64,
    id: String,
}

/// Numbers for names, shared by all connections of a load.
#[derive(Clone)]
pub(super) struct Numbers {
    next: Arc<AtomicU64>,
    end: u64,
}

impl Numbers {
    pub(super) fn new(range: std::ops::Range<u64>) -> Self {
        Self { next: Arc::new(AtomicU64::new(range.start)), end: range.end }
    }

    fn take(&self) -> Option<u64> {
        Some(self.next.fetch_add(1, Ordering::Relaxed)).filter(|number| *number < self.end)
    }
}

/// Writes files of one size under numbered names.
pub(super) struct Post {
    numbers: Numbers,
    number: u64,
    /// Head and body; number and stamps are written into it before each request.
    request: Vec<u8>,
    name_at: usize,
    body_at: usize,
    answer: Vec<u8>,
    kept: Vec<Kept>,
}

impl Post {
    pub(super) fn new(session: &Session, folder: &str, bytes: usize, numbers: Numbers) -> anyhow::Result<Self> {
        let name = "#".repeat(DIGITS);
        let path = format!("/api/v1/files?parent={folder}&name={name}");
        let mut request = session.request("POST", &path, Some(bytes as u64));
        let name_at = request.windows(DIGITS).position(|it| it == name.as_bytes()).context("the name's place")?;
        let body_at = request.len();
        request.extend(&Pattern::new(SEED).block(0)[..bytes]);
        Ok(Self { numbers, number: 0, request, name_at, body_at, answer: Vec::new(), kept: Vec::new() })
    }
}

impl Script for Post {
    const STATUS: u16 = 201;

    fn request(&mut self) -> Option<&[u8]> {
        self.number = self.numbers.take()?;
        let name = format!("{:0DIGITS$}", self.number);
        self.request[self.name_at..self.name_at + DIGITS].copy_from_slice(name.as_bytes());
        stamp(SEED, self.number, &mut self.request[self.body_at..]);
        self.answer.clear();
        Some(&self.request)
    }

    fn take(&mut self, _: u64, piece: &[u8]) -> anyhow::Result<()> {
        ensure!(self.answer.len() + piece.len() <= 16 << 10, "a long answer to a small upload");
        self.answer.extend(piece);
        Ok(())
    }

    fn finish(&mut self, _: u64) -> anyhow::Result<()> {
        let id = field(&self.answer, "id").context("an answer without id")?;
        self.kept.push(Kept { number: self.number, id: id.to_owned() });
        Ok(())
    }
}

/// A text field of a flat JSON object, found without parsing the rest.
fn field<'a>(json: &'a [u8], name: &str) -> Option<&'a str> {
    let text = std::str::from_utf8(json).ok()?;
    text.split_once(&format!("\"{name}\":\""))?.1.split_once('"').map(|(value, _)| value)
}

/// Reads small files in an order without pattern and compares every byte.
struct Get {
    files: Arc<[Kept]>,
    state: u64,
    current: usize,
    request: Vec<u8>,
    id_at: usize,
    expected: Vec<u8>,
}

impl Get {
    fn new(session: &Session, files: Arc<[Kept]>, state: u64) -> anyhow::Result<Self> {
        let id = &files.first().context("nothing to read")?.id;
        let same = files.iter().all(|file| file.id.len() == id.len());
        ensure!(same, "ids of different lengths");
        let request = session.request("GET", &format!("/api/v1/files/{id}"), None);
        let id_at = request.windows(id.len()).position(|it| it == id.as_bytes()).context("the id's place")?;
        let expected = Pattern::new(SEED).block(0)[..FILE_BYTES].to_vec();
        Ok(Self { files, state, current: 0, request, id_at, expected })
    }
}

impl Script for Get {
    const STATUS: u16 = 200;

    fn request(&mut self) -> Option<&[u8]> {
        self.state = mix(self.state);
        self.current = (self.state % self.files.len() as u64) as usize;
        let file = &self.files[self.current];
        self.request[self.id_at..self.id_at + file.id.len()].copy_from_slice(file.id.as_bytes());
        stamp(SEED, file.number, &mut self.expected);
        Some(&self.request)
    }

    fn take(&mut self, offset: u64, piece: &[u8]) -> anyhow::Result<()> {
        let same = self.expected.get(offset as usize..offset as usize + piece.len()) == Some(piece);
        ensure!(same, "file {} has other bytes than were uploaded", self.files[self.current].id);
        Ok(())
    }

    fn finish(&mut self, length: u64) -> anyhow::Result<()> {
        ensure!(length == FILE_BYTES as u64, "{length} bytes in place of {FILE_BYTES}");
        Ok(())
    }
}

/// Reads the same bytes from a peer that has them in memory.
pub(super) struct Plain {
    request: Vec<u8>,
    bytes: u64,
}

impl Plain {
    pub(super) fn new(bytes: u64) -> Self {
        Self { request: format!("GET /{bytes} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").into_bytes(), bytes }
    }
}

impl Script for Plain {
    const STATUS: u16 = 200;

    fn request(&mut self) -> Option<&[u8]> {
        Some(&self.request)
    }

    fn take(&mut self, _: u64, _: &[u8]) -> anyhow::Result<()> {
        Ok(())
    }

    fn finish(&mut self, length: u64) -> anyhow::Result<()> {
        ensure!(length == self.bytes, "{length} bytes in place of {}", self.bytes);
        Ok(())
    }
}

/// What the loads of one system gave.
#[derive(Default, Clone)]
struct Samples {
    rates: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
}

impl Samples {
    fn add<S>(&mut self, outcome: &Outcome<S>) {
        self.rates.push(outcome.per_second);
        self.p50.push(millis(outcome.p50));
        self.p99.push(millis(outcome.p99));
    }

    fn latencies(&self) -> anyhow::Result<Vec<Detail>> {
        let detail =
            |what, samples: &[f64]| Ok(Detail::new(what, Unit::Milliseconds, Series::new(samples.to_vec())?.median()));
        let details: anyhow::Result<Vec<_>> =
            [detail("p50", &self.p50), detail("p99", &self.p99)].into_iter().collect();
        details
    }
}

/// Writes small files to each system, alternating with bare synced appends.
pub(super) async fn post_rows(folder: &Folder, scale: Scale, systems: &[Deployment]) -> anyhow::Result<Vec<Row>> {
    let appends = folder.path().join("appends");
    let span = Span { warm_up: scale.warm_up, period: scale.period };
    let (mut grouped, mut single) = (Vec::new(), Vec::new());
    let mut samples = vec![Samples::default(); systems.len()];
    for run in 0..scale.runs {
        grouped.push(limits::synced_appends(appends.clone(), FILE_BYTES, AT_ONCE, APPENDS).await?);
        single.push(limits::synced_appends(appends.clone(), FILE_BYTES, 1, APPENDS).await?);
        for (system, samples) in systems.iter().zip(&mut samples) {
            let session = system.login().await?;
            let parent = session.folder(&format!("post-{run}")).await?;
            let numbers = Numbers::new(0..u64::MAX);
            let scripts = (0..AT_ONCE).map(|_| Post::new(&session, &parent, FILE_BYTES, numbers.clone()));
            let scripts = scripts.collect::<anyhow::Result<Vec<_>>>()?;
            limits::settle().await?;
            let outcome = load::run(session.port, span, scripts).await?;
            samples.add(&outcome);
            read_back(&session, outcome.scripts).await?;
        }
    }
    let limit = Limit {
        what: format!("one thread appending, one fdatasync per {AT_ONCE} files"),
        series: Series::new(grouped)?,
    };
    let mut details = samples.iter().map(Samples::latencies).collect::<anyhow::Result<Vec<_>>>()?;
    let lone = Detail::new("one thread, one fdatasync per file", Unit::PerSecond, Series::new(single)?.median());
    details[0].push(lone);
    let rates = samples.into_iter().map(|it| it.rates).collect();
    let sides = Sides { name: "post", what: "POST 16 KiB files, 64 at once, durable", unit: Unit::PerSecond };
    sides.rows(systems, rates, details, Some(limit), Goal::AtLeast(3_000.0))
}

/// Reads some of the acknowledged files and compares every byte.
async fn read_back(session: &Session, scripts: Vec<Post>) -> anyhow::Result<()> {
    let kept: Arc<[Kept]> = scripts.into_iter().flat_map(|script| script.kept).collect();
    let step = (kept.len() / READ_BACK).max(1);
    let mut get = Get::new(session, kept.clone(), 0)?;
    let mut connection = Connection::open(session.port).await?;
    for current in (0..kept.len()).step_by(step) {
        let request = session.request("GET", &format!("/api/v1/files/{}", kept[current].id), None);
        get.current = current;
        stamp(SEED, kept[current].number, &mut get.expected);
        connection.send(&request).await?;
        let (status, body) = connection.answer().await?;
        ensure!(status == Get::STATUS, "an acknowledged file answers {status}");
        get.take(0, &body)?;
        get.finish(body.len() as u64)?;
    }
    Ok(())
}

/// Reads small files from each system, alternating with a peer that does nothing but answer.
pub(super) async fn get_rows(scale: Scale, systems: &[Deployment], peer: &Peer) -> anyhow::Result<Vec<Row>> {
    let span = Span { warm_up: scale.warm_up, period: scale.period };
    let mut files = Vec::new();
    for system in systems {
        let session = system.login().await?;
        let parent = session.folder("get").await?;
        let numbers = Numbers::new(0..scale.small_files);
        let scripts = (0..AT_ONCE).map(|_| Post::new(&session, &parent, FILE_BYTES, numbers.clone()));
        let scripts = scripts.collect::<anyhow::Result<Vec<_>>>()?;
        let fill = Span { warm_up: Duration::ZERO, period: Duration::from_secs(600) };
        let outcome = load::run(session.port, fill, scripts).await?;
        files.push(outcome.scripts.into_iter().flat_map(|script| script.kept).collect::<Arc<[Kept]>>());
    }
    limits::settle().await?;
    let mut plain = Samples::default();
    let mut samples = vec![Samples::default(); systems.len()];
    for run in 0..scale.runs {
        let scripts = (0..AT_ONCE).map(|_| Plain::new(FILE_BYTES as u64)).collect();
        plain.add(&load::run(peer.http_port, span, scripts).await?);
        for ((system, files), samples) in systems.iter().zip(&files).zip(&mut samples) {
            let session = system.login().await?;
            let scripts = (0..AT_ONCE).map(|index| Get::new(&session, files.clone(), (run * AT_ONCE + index) as u64));
            let scripts = scripts.collect::<anyhow::Result<Vec<_>>>()?;
            samples.add(&load::run(session.port, span, scripts).await?);
        }
    }
    let limit =
        Limit { what: "a handler that answers from memory, the same load".into(), series: Series::new(plain.rates)? };
    let details = samples.iter().map(Samples::latencies).collect::<anyhow::Result<Vec<_>>>()?;
    let rates = samples.into_iter().map(|it| it.rates).collect();
    let sides = Sides { name: "get", what: "GET 16 KiB files, 64 at once", unit: Unit::PerSecond };
    sides.rows(systems, rates, details, Some(limit), Goal::AtLeast(15_000.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let json = br#"{"space_id":"spc_1","id":"ent_2","name":"x"}"#;
        assert_eq!(field(json, "id"), Some("ent_2"));
        assert_eq!(field(json, "space_id"), Some("spc_1"));
        assert_eq!(field(json, "size"), None);
    }

    #[test]
    fn numbers_are_given_once_and_end() {
        let numbers = Numbers::new(5..7);
        let other = numbers.clone();
        assert_eq!([numbers.take(), other.take(), numbers.take(), other.take()], [Some(5), Some(6), None, None]);
    }
}
