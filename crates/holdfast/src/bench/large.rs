//! What a server needs of memory: with a file larger than it, and with nothing to do.

use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::{
    task::JoinSet,
    time::{Instant, interval, sleep},
};

use super::{
    Scale,
    figures::{Detail, Goal, Row, Series, Unit},
    limits,
    server::{Deployment, Folder, Nodes, explain},
    stream::{Look, download, gigabytes, millis, upload},
};

/// When an idle server is looked at.
const IDLE: Duration = Duration::from_secs(10);

/// How often memory is read where the kernel does not keep its peak.
const SAMPLE: Duration = Duration::from_millis(10);

/// The bytes of the large file.
const SEED: u64 = 3;

/// Resident memory of a fresh server with all roles, ten seconds after it became ready.
pub(super) async fn idle(folder: &Folder, scale: Scale) -> anyhow::Result<Vec<Row>> {
    let mut resident = Vec::new();
    for _ in 0..scale.runs {
        let began = Instant::now();
        let system = Deployment::start(folder, "idle", Nodes::Inside, 0).await?;
        sleep(IDLE.saturating_sub(began.elapsed())).await;
        resident.push(mebibytes(status(system.id()?, "VmRSS")?));
        system.stop().await?;
    }
    Ok(vec![Row {
        name: "idle".into(),
        title: "resident memory, idle, all roles, 10 s after the start".into(),
        unit: Unit::Mebibytes,
        measured: Series::new(resident)?,
        limit: None,
        goal: Goal::AtMost(100.0),
        details: Vec::new(),
    }])
}

/// A file that is generated on the fly goes up and comes down.
pub(super) async fn rows(folder: &Folder, scale: Scale) -> anyhow::Result<Vec<Row>> {
    let system = Deployment::start(folder, "large", Nodes::Inside, 0).await?;
    match rows_on(&system, scale).await {
        Ok(rows) => {
            system.stop().await?;
            Ok(rows)
        }
        Err(error) => Err(explain(error, std::slice::from_ref(&system))),
    }
}

async fn rows_on(system: &Deployment, scale: Scale) -> anyhow::Result<Vec<Row>> {
    let length = scale.large_bytes;
    let size = length >> 30;
    let id = system.id()?;
    let session = system.login().await?;
    limits::settle().await?;
    let before = status(id, "VmRSS")?;

    let peak = Peak::watch(id)?;
    let uploaded = upload(&session, "large", SEED, length).await?;
    let up = peak.bytes().await?;
    // The same session: another sign-in would hash a password, whose memory is none of this file's.
    let peak = Peak::watch(id)?;
    let took = download(&session, &uploaded.id, SEED, length, Look::Whole).await?;
    let down = peak.bytes().await?;

    let grown = |peak: u64| mebibytes(peak.saturating_sub(before));
    let memory = Row {
        name: "large-memory".into(),
        title: format!("growth of resident memory, {size} GiB up and down"),
        unit: Unit::Mebibytes,
        measured: Series::new(vec![grown(up.max(down))])?,
        limit: None,
        goal: Goal::AtMost(64.0),
        details: vec![
            Detail::new("before", Unit::Mebibytes, mebibytes(before)),
            Detail::new("growth in the upload", Unit::Mebibytes, grown(up)),
            Detail::new("growth in the download", Unit::Mebibytes, grown(down)),
        ],
    };
    let tail = Row {
        name: "large-tail".into(),
        title: format!("last byte sent to 201, {size} GiB"),
        unit: Unit::Milliseconds,
        measured: Series::new(vec![millis(uploaded.tail)])?,
        limit: None,
        goal: Goal::AtMost(200.0),
        details: vec![
            Detail::new("upload", Unit::GigabytesPerSecond, gigabytes(length, uploaded.took)),
            Detail::new("download, every byte compared", Unit::GigabytesPerSecond, gigabytes(length, took)),
        ],
    };
    Ok(vec![memory, tail])
}

/// The most memory that a process has had since this was made.
struct Peak {
    process: u32,
    /// Where the kernel does not let its own count start anew.
    sampled: Option<JoinSet<()>>,
    most: std::sync::Arc<std::sync::atomic::AtomicU64>,
}

impl Peak {
    fn watch(process: u32) -> anyhow::Result<Self> {
        let most = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(status(process, "VmRSS")?));
        // proc_pid_clear_refs(5): "5" sets the peak to what is resident now.
        if std::fs::write(format!("/proc/{process}/clear_refs"), "5").is_ok() {
            return Ok(Self { process, sampled: None, most });
        }
        let mut sampler = JoinSet::new();
        let seen = most.clone();
        sampler.spawn(async move {
            let mut ticks = interval(SAMPLE);
            while let Ok(bytes) = status(process, "VmRSS") {
                seen.fetch_max(bytes, std::sync::atomic::Ordering::Relaxed);
                ticks.tick().await;
            }
        });
        Ok(Self { process, sampled: Some(sampler), most })
    }

    async fn bytes(self) -> anyhow::Result<u64> {
        match self.sampled {
            None => status(self.process, "VmHWM"),
            Some(mut sampler) => {
                sampler.shutdown().await;
                Ok(self.most.load(std::sync::atomic::Ordering::Relaxed))
            }
        }
    }
}

/// A size of `/proc/PID/status`, in bytes.
/// Bytes of a process that are in memory now.
pub(super) fn resident(process: u32) -> anyhow::Result<u64> {
    status(process, "VmRSS")
}

fn status(process: u32, key: &str) -> anyhow::Result<u64> {
    let path = format!("/proc/{process}/status");
    let text = std::fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))?;
    parse_status(&text, key).with_context(|| format!("{path} has no {key}"))
}

fn parse_status(text: &str, key: &str) -> anyhow::Result<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':')).context("no such line")?;
    let mut words = line.split_whitespace();
    let count: u64 = words.next().context("no number")?.parse()?;
    ensure!(words.next() == Some("kB"), "another unit than kB");
    Ok(count << 10)
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        let text = "Name:\tholdfast\nVmHWM:\t   20480 kB\nVmRSS:\t    1024 kB\nThreads:\t9\n";
        assert_eq!(parse_status(text, "VmRSS").unwrap(), 1 << 20);
        assert_eq!(parse_status(text, "VmHWM").unwrap(), 20 << 20);
        assert!(parse_status(text, "Threads").is_err());
        assert!(parse_status(text, "VmSwap").is_err());
    }

    #[tokio::test]
    async fn a_peak_that_is_gone_is_remembered() {
        let peak = Peak::watch(std::process::id()).unwrap();
        let before = status(std::process::id(), "VmRSS").unwrap();
        let many = vec![1_u8; 64 << 20];
        assert!(many.iter().all(|byte| *byte == 1));
        tokio::time::sleep(SAMPLE * 3).await;
        drop(many);
        assert!(peak.bytes().await.unwrap() >= before + (32 << 20));
    }
}
