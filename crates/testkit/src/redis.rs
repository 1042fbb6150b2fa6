//! Redis for tests: the server that all share, and servers of their own, which they may kill.
//!
//! `HOLDFAST_TEST_REDIS` names the shared one; `cargo xtask test` starts it. A test that finds none says so, and to root,
//! who can have everything installed, that is a failure.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::unix::fs::MetadataExt as _,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use base::Secret;
use tempfile::TempDir;

const VARIABLE: &str = "HOLDFAST_TEST_REDIS";

/// How long a server may take to answer.
const START_LIMIT: Duration = Duration::from_secs(20);

/// The URL of the server that all tests share: keys and words of other tests are in it. None if this is said to be not run.
///
/// # Panics
/// If root has not named any.
#[expect(clippy::disallowed_methods, reason = "tests have no configuration; the server's place is the machine's")]
pub fn shared() -> Option<Secret> {
    let url = std::env::var(VARIABLE).ok().map(Secret::new);
    if url.is_none() {
        not_run(&format!("{VARIABLE} is not set"));
    }
    url
}

/// A server on loopback without a disk, ended with this.
pub struct Server {
    dir: TempDir,
    port: u16,
    process: Child,
}

impl Server {
    /// Starts one. None if this is said to be not run.
    ///
    /// # Panics
    /// If root has none installed, or it does not start.
    pub fn start() -> Option<Self> {
        let installed = Command::new("redis-server").arg("--version").stdout(Stdio::null()).status();
        if !installed.is_ok_and(|status| status.success()) {
            not_run("redis-server is not installed");
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a free port").port();
        let dir = tempfile::tempdir().expect("a temporary folder");
        let process = run(&dir, port);
        let server = Self { dir, port, process };
        server.ready();
        Some(server)
    }

    /// Where it is.
    pub fn url(&self) -> Secret {
        Secret::new(format!("redis://127.0.0.1:{}", self.port))
    }

    /// Kills it without a word. What it held is gone.
    pub fn kill(&mut self) {
        // One that has ended already is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Starts it again, empty.
    pub fn restart(&mut self) {
        self.process = run(&self.dir, self.port);
        self.ready();
    }

    /// It stands still, or goes on: it takes connections and bytes and answers nothing meanwhile.
    pub fn hold(&self, still: bool) {
        let signal = if still { "-STOP" } else { "-CONT" };
        let sent = Command::new("kill").args([signal, &self.process.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "the server can be held");
    }

    #[expect(clippy::disallowed_methods, reason = "a test waits for a process; nothing else runs meanwhile")]
    fn ready(&self) {
        let deadline = Instant::now() + START_LIMIT;
        while !answers(self.port) {
            assert!(Instant::now() < deadline, "Redis does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn run(dir: &TempDir, port: u16) -> Child {
    // The last resort: Drop does not run when the test is killed.
    Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "redis-server", "--bind", "127.0.0.1", "--save", "", "--port", &port.to_string()])
        .arg("--dir")
        .arg(dir.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("Redis can be started (setpriv, of util-linux, is needed)")
}

fn answers(port: u16) -> bool {
    let mut answer = [0; 7];
    let asked = TcpStream::connect(("127.0.0.1", port)).and_then(|mut stream| {
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"PING\r\n")?;
        stream.read_exact(&mut answer)
    });
    asked.is_ok() && &answer == b"+PONG\r\n"
}

/// Says that a test did not run, past the test runner, which swallows what a passing test prints.
fn not_run(what: &str) {
    let root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    assert!(!root, "this test cannot run: {what}; `cargo xtask test` sees to it");
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    let _ = writeln!(std::io::stderr(), "NOT RUN: {name}: {what}");
}
