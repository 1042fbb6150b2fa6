//! A Redis server on loopback to throw away, for tests.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::{
    postgres::{free_port, tail},
    process,
};

/// The server's program, looked for in the search path.
const PROGRAM: &str = "redis-server";

/// How long a server may take to answer.
const START_LIMIT: Duration = Duration::from_secs(20);

/// How long it may take to end before it is killed. It has nothing to write.
const STOP_GRACE: Duration = Duration::from_secs(5);

pub(crate) fn is_installed() -> bool {
    let asked = Command::new(PROGRAM).arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

/// A server for one test run, in memory, gone when dropped.
pub(crate) struct Throwaway {
    server: Child,
    url: String,
    _dir: TempDir,
}

impl Throwaway {
    /// Starts a server on a free port.
    pub(crate) fn start() -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("holdfast-redis-").tempdir()?;
        let (port, log) = (free_port()?, dir.path().join("log"));
        let output = File::create(&log)?;
        // The last resort: Drop does not run when xtask is killed.
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "TERM", PROGRAM, "--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""])
            .arg("--dir")
            .arg(dir.path())
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        // Its own process group: Ctrl-C reaches xtask, which ends the tests before their server.
        let server = std::os::unix::process::CommandExt::process_group(&mut command, 0)
            .spawn()
            .context("cannot start Redis (setpriv, of util-linux, is needed)")?;
        let mut started = Self { server, url: format!("redis://127.0.0.1:{port}"), _dir: dir };
        let began = Instant::now();
        while !answers(port) {
            process::check_stopped()?;
            if !matches!(started.server.try_wait(), Ok(None)) || began.elapsed() > START_LIMIT {
                bail!("Redis does not start; its log says:\n{}", tail(&log));
            }
            thread::sleep(process::POLL);
        }
        Ok(started)
    }

    /// Where tests find it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Throwaway {
    fn drop(&mut self) {
        process::end(&mut self.server, Signal::TERM, STOP_GRACE);
    }
}

fn answers(port: u16) -> bool {
    let mut answer = [0; 7];
    let asked = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).and_then(|mut stream| {
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"PING\r\n")?;
        stream.read_exact(&mut answer)
    });
    asked.is_ok() && &answer == b"+PONG\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throwaway_server_answers_and_leaves_nothing() {
        if !is_installed() {
            // An ordinary user may have none; to root, `cargo xtask test` has installed it.
            assert!(!rustix::process::geteuid().is_root(), "redis-server is not installed");
            return;
        }
        let server = Throwaway::start().expect("starts");
        let port = server.url().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        assert!(answers(port));
        let folder = server._dir.path().to_owned();
        drop(server);
        assert!(!answers(port) && !folder.exists());
    }
}
