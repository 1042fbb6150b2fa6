//! A PostgreSQL server that belongs to one test, which may kill it.

use std::{
    fs::{self, Permissions},
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::harness::{PATIENCE, free_port};

/// The superuser, who signs in from loopback without a password.
const ROLE: &str = "holdfast";

/// A server on loopback with its data in a folder of its own. Syncs are on: it is as an operator would run it.
pub(crate) struct Postgres {
    dir: TempDir,
    bin: PathBuf,
    port: u16,
    disk: Option<Disk>,
    server: Child,
}

/// A small file system, seen by those who enter the mount namespace of a process that does nothing but keep it.
struct Disk {
    keeper: Child,
}

impl Disk {
    /// Needs root.
    fn mount(place: &Path, mebibytes: u32) -> Self {
        let script = format!("mount -t tmpfs -o size={mebibytes}m,mode=700 tmpfs \"$0\" && echo && exec cat");
        let mut keeper = Command::new("unshare")
            .args(["--mount", "sh", "-c", &script])
            .arg(place)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare can be started");
        let mut mounted = [0];
        let told = keeper.stdout.as_mut().expect("it is piped").read_exact(&mut mounted);
        told.expect("a file system can be mounted in a namespace");
        Self { keeper }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

impl Postgres {
    /// Makes a server and waits until it answers.
    pub(crate) async fn start() -> Self {
        Self::start_on(None).await
    }

    /// The same on a disk of so many mebibytes. Needs root.
    pub(crate) async fn start_on_small_disk(mebibytes: u32) -> Self {
        Self::start_on(Some(mebibytes)).await
    }

    async fn start_on(mebibytes: Option<u32>) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        fs::set_permissions(dir.path(), Permissions::from_mode(0o711)).expect("the folder is ours");
        let data = dir.path().join("data");
        fs::create_dir(&data).expect("a new folder");
        fs::set_permissions(&data, Permissions::from_mode(0o700)).expect("the folder is ours");
        let disk = mebibytes.map(|mebibytes| Disk::mount(&data, mebibytes));
        if rustix::process::geteuid().is_root() {
            let given = within(disk.as_ref(), "chown").arg("postgres:postgres").arg(&data).status();
            assert!(given.is_ok_and(|status| status.success()), "PostgreSQL's account is there");
        }
        let bin = programs();
        let init = program(disk.as_ref(), &bin, "initdb")
            .args(["--username", ROLE, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"])
            // The log comes in files of a mebibyte, so that a small disk is full when its data is and not long before.
            .args(["--wal-segsize=1", "--pgdata"])
            .arg(&data)
            .output()
            .expect("initdb can be started (setpriv, of util-linux, is needed)");
        assert!(init.status.success(), "{init:?}");
        let port = free_port();
        let server = serve(disk.as_ref(), &bin, dir.path(), port);
        let mut started = Self { dir, bin, port, disk, server };
        started.ready().await;
        started
    }

    /// Where its database is.
    pub(crate) fn url(&self) -> String {
        format!("postgres://{ROLE}@127.0.0.1:{}/postgres", self.port)
    }

    /// Kills the server and every process of it at one moment.
    pub(crate) fn kill(&mut self) {
        let id = self.server.id();
        // Held first, so that it can start no further process between the look at them and their end.
        signal("STOP", &[id]);
        let mut all = children(id);
        all.push(id);
        signal("KILL", &all);
        self.server.wait().expect("a child can be waited for");
        let deadline = Instant::now() + PATIENCE;
        // Its processes are somebody else's children now. A new server does not start before they are gone.
        while all.iter().any(|id| state(*id).is_some_and(|state| state != 'Z')) {
            assert!(Instant::now() < deadline, "a killed process does not end");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Starts it again on the same data and waits until it has recovered.
    pub(crate) async fn restart(&mut self) {
        self.server = serve(self.disk.as_ref(), &self.bin, self.dir.path(), self.port);
        self.ready().await;
    }

    /// Whether it ended by itself, as it does when it cannot write its log.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.server.try_wait().expect("a child can be waited for").is_some()
    }

    /// A file on its disk, as seen from outside.
    pub(crate) fn on_disk(&self, name: &str) -> PathBuf {
        let data = self.dir.path().join("data");
        match &self.disk {
            None => data.join(name),
            Some(disk) => {
                let mut path = PathBuf::from(format!("/proc/{}/root", disk.keeper.id()));
                path.extend(data.components().skip(1));
                path.join(name)
            }
        }
    }

    async fn ready(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let log = || fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
            let ended = self.server.try_wait().expect("a child can be waited for");
            assert!(ended.is_none() && Instant::now() < deadline, "PostgreSQL does not start: {ended:?}\n{}", log());
            let mut ask = Command::new(self.bin.join("pg_isready"));
            ask.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
            if ask.status().is_ok_and(|status| status.success()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.server.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.kill();
        }
    }
}

fn serve(disk: Option<&Disk>, bin: &Path, dir: &Path, port: u16) -> Child {
    let log = fs::File::options().create(true).append(true).open(dir.join("log")).expect("a log");
    program(disk, bin, "postgres")
        .arg("-D")
        .arg(dir.join("data"))
        .args(["-p", &port.to_string()])
        .args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=200"])
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a second handle"))
        .stderr(log)
        .spawn()
        .expect("PostgreSQL can be started")
}

/// One of PostgreSQL's programs, as its own account where we are root: it refuses root.
fn program(disk: Option<&Disk>, bin: &Path, name: &str) -> Command {
    let mut command = within(disk, "setpriv");
    command.args(["--pdeathsig", "INT"]);
    if rustix::process::geteuid().is_root() {
        command.args(["--reuid", "postgres", "--regid", "postgres", "--init-groups"]);
    }
    command.arg(bin.join(name)).env("LC_ALL", "C.UTF-8").current_dir("/");
    command
}

/// A program that sees the disk.
fn within(disk: Option<&Disk>, program: &str) -> Command {
    let Some(disk) = disk else { return Command::new(program) };
    let mut command = Command::new("nsenter");
    command.arg(format!("--mount=/proc/{}/ns/mnt", disk.keeper.id())).arg(program);
    command
}

/// Where Debian puts the newest version, or the search path.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin"))))
        .filter(|(_, bin)| bin.join("initdb").exists())
        .max();
    let path = std::env::var_os("PATH").unwrap_or_default();
    newest
        .map(|(_, bin)| bin)
        .or_else(|| std::env::split_paths(&path).find(|bin| bin.join("initdb").exists()))
        .expect("PostgreSQL is installed; `cargo xtask test` installs it")
}

fn signal(name: &str, ids: &[u32]) {
    let status = Command::new("kill").arg(format!("-{name}")).args(ids.iter().map(u32::to_string)).output();
    // One of them may have ended by itself meanwhile.
    status.expect("kill can be run");
}

/// The processes whose parent is `id`.
fn children(id: u32) -> Vec<u32> {
    let all = fs::read_dir("/proc").expect("a Linux").flatten();
    let ids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|child| stat(*child).is_some_and(|(_, parent)| parent == id)).collect()
}

/// The state of a process, if there is one of this id.
fn state(id: u32) -> Option<char> {
    stat(id).map(|(state, _)| state)
}

/// State and parent, from behind the name, which may hold anything.
fn stat(id: u32) -> Option<(char, u32)> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let mut fields = text.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}
