//! PostgreSQL servers of our own on loopback: one to throw away for tests, one that stays for a cluster.

use std::{
    fs::{self, File},
    io::Write as _,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use rustix::process::Signal;
use tempfile::{NamedTempFile, TempDir};

use crate::process;

/// The superuser of our servers, and the account that Holdfast signs in with.
pub(crate) const ROLE: &str = "holdfast";

/// How long a server may take to accept connections.
const START_LIMIT: Duration = Duration::from_secs(60);

/// How long a fast shutdown may take before the server is killed.
pub(crate) const STOP_GRACE: Duration = Duration::from_secs(20);

/// PostgreSQL's programs, and the user that runs them.
pub(crate) struct Postgres {
    bin: PathBuf,
    user: User,
}

/// Who the server runs as. It refuses to run as root.
#[derive(Clone, Copy)]
enum User {
    Myself,
    /// Debian's account for it.
    Postgres {
        uid: u32,
        gid: u32,
    },
}

/// Whether a server ends with xtask or goes on without it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    WithParent,
    OnItsOwn,
}

impl Postgres {
    /// Looks where Debian puts the newest version, then in the search path.
    pub(crate) fn find() -> Result<Option<Self>> {
        let Some(bin) = find_programs() else { return Ok(None) };
        let user = if rustix::process::geteuid().is_root() {
            let (uid, gid) = account("postgres").context("there is no user `postgres` to run the server as")?;
            User::Postgres { uid, gid }
        } else {
            User::Myself
        };
        Ok(Some(Self { bin, user }))
    }

    /// Makes the data folder of a new server whose superuser is [`ROLE`] with this password.
    pub(crate) fn init(&self, data: &Path, password: &str) -> Result<()> {
        fs::create_dir_all(data).and_then(|()| self.give(data)).context("cannot make PostgreSQL's data folder")?;
        fs::set_permissions(data, fs::Permissions::from_mode(0o700))?;
        let mut secret = NamedTempFile::new().context("cannot write the password for initdb")?;
        writeln!(secret, "{password}")?;
        self.give(secret.path())?;
        let mut initdb = self.command(data, "initdb", Life::OnItsOwn);
        initdb
            .args(["--username", ROLE, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"])
            .arg("--pwfile")
            .arg(secret.path())
            .arg("--pgdata")
            .arg(data);
        process::output(&mut initdb).context("initdb failed")?;
        Ok(())
    }

    /// The command of a server on `127.0.0.1:port`.
    pub(crate) fn server(&self, data: &Path, port: u16, settings: &[&str], life: Life) -> Command {
        let mut command = self.command(data, "postgres", life);
        command.arg("-D").arg(data).args(["-p", &port.to_string()]);
        // No socket file: its default folder belongs to the machine's own server.
        for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories="].iter().chain(settings) {
            command.args(["-c", setting]);
        }
        command
    }

    /// Waits until the server accepts connections; `ended` says whether it has given up instead.
    pub(crate) fn wait_ready(&self, port: u16, log: &Path, mut ended: impl FnMut() -> bool) -> Result<()> {
        let started = Instant::now();
        loop {
            process::check_stopped()?;
            let mut ask = Command::new(self.bin.join("pg_isready"));
            ask.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]).stdin(Stdio::null());
            let gone = ended();
            if !gone && ask.status().context("cannot run pg_isready")?.success() {
                return Ok(());
            }
            if gone || started.elapsed() > START_LIMIT {
                bail!("PostgreSQL does not start; its log says:\n{}", tail(log));
            }
            thread::sleep(process::POLL);
        }
    }

    /// Makes a database, unless there is one of that name.
    pub(crate) fn create_database(&self, port: u16, password: &str, name: &str) -> Result<()> {
        let mut create = Command::new(self.bin.join("createdb"));
        create.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-U", ROLE, name]).env("PGPASSWORD", password);
        match process::output(&mut create) {
            Err(error) if !format!("{error:#}").contains("already exists") => {
                Err(error).with_context(|| format!("cannot make the database {name}"))
            }
            _ => Ok(()),
        }
    }

    /// Gives a file to the user that the server runs as.
    fn give(&self, path: &Path) -> std::io::Result<()> {
        match self.user {
            User::Myself => Ok(()),
            User::Postgres { uid, gid } => chown(path, Some(uid), Some(gid)),
        }
    }

    /// One of PostgreSQL's programs as the right user.
    ///
    /// As root the way to the data folder may be closed to that user (a clone under root's home). The server then keeps
    /// one capability, that of passing through folders; what lies in the data folder is its own anyway.
    fn command(&self, data: &Path, program: &str, life: Life) -> Command {
        let mut command = Command::new("setpriv");
        if life == Life::WithParent {
            // The last resort: Drop does not run when xtask is killed.
            command.args(["--pdeathsig", "INT"]);
        }
        if let User::Postgres { .. } = self.user {
            command.args(Self::BECOME);
            let reaches = Command::new("setpriv").args(Self::BECOME).args(["test", "-x"]).arg(data).status();
            if !reaches.is_ok_and(|status| status.success()) {
                command.args(["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]);
            }
        }
        // The working folder of whoever starts this may be closed to the user too.
        command.arg(self.bin.join(program)).env("LC_ALL", "C.UTF-8").current_dir("/");
        command
    }

    const BECOME: [&str; 5] = ["--reuid", "postgres", "--regid", "postgres", "--init-groups"];
}

/// A server for one test run, gone with its data when dropped.
pub(crate) struct Throwaway {
    server: Child,
    url: String,
    _dir: TempDir,
}

impl Throwaway {
    /// What a server may forget in a crash, a server without a future need not write down.
    const SETTINGS: [&str; 4] = ["fsync=off", "full_page_writes=off", "synchronous_commit=on", "max_connections=300"];

    /// Starts a server on a free port.
    pub(crate) fn start(postgres: &Postgres) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("holdfast-postgres-").tempdir()?;
        // Owned by root, but to be passed through by the server's user. The data in it stays closed.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o711))?;
        let (data, log) = (dir.path().join("data"), dir.path().join("log"));
        let password = crate::place::random_hex(16)?;
        postgres.init(&data, &password)?;
        let port = free_port()?;
        let output = File::create(&log)?;
        let mut command = postgres.server(&data, port, &Self::SETTINGS, Life::WithParent);
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        // Its own process group: Ctrl-C reaches xtask, which ends the tests before their server.
        let server = std::os::unix::process::CommandExt::process_group(&mut command, 0)
            .spawn()
            .context("cannot start PostgreSQL (setpriv, of util-linux, is needed)")?;
        let url = format!("postgres://{ROLE}:{password}@127.0.0.1:{port}/postgres");
        let mut started = Self { server, url, _dir: dir };
        postgres.wait_ready(port, &log, || !matches!(started.server.try_wait(), Ok(None)))?;
        Ok(started)
    }

    /// Where tests find it; the account may make databases.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Throwaway {
    fn drop(&mut self) {
        process::end(&mut self.server, Signal::INT, STOP_GRACE);
    }
}

/// The last lines of a log, for a message.
pub(crate) fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

fn find_programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin"))))
        .filter(|(_, bin)| bin.join("initdb").exists())
        .max();
    let path = std::env::var_os("PATH").unwrap_or_default();
    newest.map(|(_, bin)| bin).or_else(|| std::env::split_paths(&path).find(|bin| bin.join("initdb").exists()))
}

/// The user and group id of an account of this machine.
fn account(name: &str) -> Option<(u32, u32)> {
    let accounts = fs::read_to_string("/etc/passwd").ok()?;
    let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut ids = line.split(':').skip(2);
    Some((ids.next()?.parse().ok()?, ids.next()?.parse().ok()?))
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on loopback")?;
    Ok(listener.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tail_gives_the_last_lines_of_any_log() {
        let dir = tempfile::tempdir().expect("a folder");
        let log = dir.path().join("log");
        assert_eq!(tail(&log), "");
        let lines: Vec<String> = (0..40).map(|n| format!("line {n}")).collect();
        fs::write(&log, lines.join("\n")).expect("a writable folder");
        assert_eq!(tail(&log), lines[25..].join("\n"));
    }

    #[test]
    fn accounts_are_found_by_their_whole_name() {
        assert_eq!(account("root"), Some((0, 0)));
        assert_eq!(account("roo"), None);
    }

    #[test]
    fn a_throwaway_server_starts_answers_and_leaves_nothing() {
        let Some(postgres) = Postgres::find().expect("a way to run it") else {
            panic!("PostgreSQL is not installed; `cargo xtask test` installs it")
        };
        let server = Throwaway::start(&postgres).expect("starts");
        assert!(server.url().starts_with("postgres://holdfast:"));
        let folder = server._dir.path().to_owned();
        let pid = server.server.id();
        drop(server);
        assert!(!folder.exists());
        assert!(!Path::new(&format!("/proc/{pid}")).exists());
    }
}
