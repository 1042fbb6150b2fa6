//! What limits are measured against: a process that answers from memory and does nothing else.

use std::{net::Ipv4Addr, process::Stdio, time::Duration};

use anyhow::{Context, ensure};
use axum::{Router, extract::Path, http::StatusCode, response::IntoResponse, routing::get, serve::ListenerExt};
use bytes::Bytes;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    task::{JoinSet, spawn_blocking},
    time::timeout,
};

use super::pattern::{BLOCK_BYTES, Pattern};

/// How long it may take to start.
const START: Duration = Duration::from_secs(20);

/// A running peer; dropping it ends the process.
pub(super) struct Peer {
    _child: Child,
    /// Answers `GET /N` with N bytes, up to [`BLOCK_BYTES`].
    pub(super) http_port: u16,
    /// Reads a number of eight bytes, little-endian, and sends as many bytes.
    pub(super) stream_port: u16,
}

impl Peer {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe().context("this program's own file")?)
            .args(["bench", "peer"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("the peer cannot be started")?;
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().context("it is piped")?);
        timeout(START, output.read_line(&mut line)).await.context("the peer does not start")??;
        let ports: Vec<u16> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        ensure!(ports.len() == 2, "the peer says {line:?} in place of its ports");
        Ok(Self { _child: child, http_port: ports[0], stream_port: ports[1] })
    }
}

/// The hidden command: serves until standard input ends, so that it never outlives who started it.
#[expect(clippy::print_stdout, reason = "this is how the ports are told")]
pub(super) async fn serve() -> anyhow::Result<()> {
    let block = Bytes::copy_from_slice(Pattern::new(0).block(0));
    let http = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let stream = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{} {}", http.local_addr()?.port(), stream.local_addr()?.port());

    let answers = block.clone();
    let answer = async move |Path(length): Path<usize>| {
        if length > answers.len() {
            return StatusCode::NOT_FOUND.into_response();
        }
        answers.slice(..length).into_response()
    };
    let router = Router::new().route("/{length}", get(answer));
    let http = http.tap_io(|stream| {
        // Without it answers would only be slower, which the figures would show.
        let _ = stream.set_nodelay(true);
    });
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let _ = axum::serve(http, router).await;
    });
    tasks.spawn(async move {
        // One at a time is what is measured; who leaves early is not missed.
        while let Ok((stream, _)) = stream.accept().await {
            let _ = send(stream, &block).await;
        }
    });
    spawn_blocking(|| std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink())).await??;
    tasks.shutdown().await;
    Ok(())
}

async fn send(mut stream: TcpStream, block: &[u8]) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut left = stream.read_u64_le().await?;
    while left > 0 {
        let count = left.min(BLOCK_BYTES as u64);
        stream.write_all(&block[..count as usize]).await?;
        left -= count;
    }
    Ok(())
}
