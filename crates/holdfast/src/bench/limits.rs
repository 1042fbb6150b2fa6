//! What the disk and the loopback do at best, measured beside the servers.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, ensure};
use tokio::{
    process::Command,
    task::spawn_blocking,
    time::{Instant, timeout},
};

use super::{
    apart::apart,
    http::Connection,
    pattern::{BLOCK_BYTES, Pattern},
};

/// How long one run may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// Bytes that one run of synced appends writes at most.
const APPEND_BYTES_MAX: u64 = 4 << 30;

/// Writes the first bytes of a pattern to a file, which stays in the page cache.
pub(super) async fn source(path: PathBuf, seed: u64, length: u64) -> anyhow::Result<()> {
    let write = move || {
        let mut pattern = Pattern::new(seed);
        let mut file = File::create(path)?;
        for index in 0..length.div_ceil(BLOCK_BYTES as u64) {
            let left = length - index * BLOCK_BYTES as u64;
            file.write_all(&pattern.block(index)[..left.min(BLOCK_BYTES as u64) as usize])?;
        }
        file.sync_all()
    };
    spawn_blocking(write).await?.context("the source of dd")
}

/// Gives the disk what others have left in its queue, so that nobody pays for somebody else.
pub(super) async fn settle() -> anyhow::Result<()> {
    timeout(PATIENCE, spawn_blocking(rustix::fs::sync)).await.context("sync does not end")??;
    Ok(())
}

/// Time of `dd … bs=1M conv=fsync` into a new file, which is removed afterwards.
pub(super) async fn dd(source: &Path, target: &Path) -> anyhow::Result<Duration> {
    settle().await?;
    let mut command = Command::new("dd");
    command.arg(format!("if={}", source.display())).arg(format!("of={}", target.display()));
    command.args(["bs=1M", "conv=fsync", "status=none"]).stdin(Stdio::null()).kill_on_drop(true);
    let began = Instant::now();
    let status = timeout(PATIENCE, command.status()).await.context("dd does not end")?.context("dd")?;
    let took = began.elapsed();
    ensure!(status.success(), "dd ended with {status}");
    std::fs::remove_file(target)?;
    Ok(took)
}

/// Appends of so many bytes, per second, by one thread that makes every `group` of them durable with one
/// `fdatasync`.
pub(super) async fn synced_appends(path: PathBuf, bytes: usize, group: usize, period: Duration) -> anyhow::Result<f64> {
    settle().await?;
    let work = move || -> std::io::Result<f64> {
        let block = Pattern::new(0).block(0).repeat((bytes * group).div_ceil(BLOCK_BYTES));
        let mut file = File::create(&path)?;
        let (began, mut appends, mut written) = (Instant::now(), 0_u64, 0_u64);
        while began.elapsed() < period && written < APPEND_BYTES_MAX {
            file.write_all(&block[..bytes * group])?;
            file.sync_data()?;
            appends += group as u64;
            written += (bytes * group) as u64;
        }
        let rate = appends as f64 / began.elapsed().as_secs_f64();
        std::fs::remove_file(&path)?;
        Ok(rate)
    };
    timeout(PATIENCE, spawn_blocking(work)).await.context("fdatasync does not end")??.context("synced appends")
}

/// Time in which a peer process sends so many bytes over one loopback connection, read as a download is.
pub(super) async fn loopback(port: u16, length: u64) -> anyhow::Result<Duration> {
    let receive = async move {
        let mut connection = Connection::open(port).await?;
        let began = Instant::now();
        connection.send(&length.to_le_bytes()).await?;
        connection.body(length, |_, _| Ok(())).await?;
        Ok(began.elapsed())
    };
    apart(PATIENCE, receive).await.context("the loopback")
}
