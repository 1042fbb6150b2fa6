//! One process of the cluster: its files, its address, and whether it runs.

use std::{
    fs::{self, OpenOptions},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};

use crate::http;

/// What a process is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Database,
    Gateway,
    Worker,
    Node,
}

/// A process with its place in the cluster's folder: `NAME.toml`, `NAME.log`, `NAME.pid` and the folder `NAME`.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) address: SocketAddr,
    dir: PathBuf,
}

impl Member {
    pub(super) fn new(dir: &Path, name: String, role: Role, port: u16) -> Self {
        Self { name, role, address: (Ipv4Addr::LOCALHOST, port).into(), dir: dir.to_owned() }
    }

    /// One of its files.
    pub(super) fn file(&self, extension: &str) -> PathBuf {
        self.dir.join(format!("{}.{extension}", self.name))
    }

    /// Its data folder.
    pub(super) fn data(&self) -> PathBuf {
        self.dir.join(&self.name)
    }

    /// Starts it so that it goes on when xtask ends, with its output in the log.
    pub(super) fn start(&self, command: &mut Command) -> Result<Child> {
        let log = OpenOptions::new().create(true).append(true).open(self.file("log"));
        let log = log.with_context(|| format!("cannot write the log of {}", self.name))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", self.name))?;
        fs::write(self.file("pid"), child.id().to_string())?;
        Ok(child)
    }

    /// The process id of its last start.
    pub(super) fn pid(&self) -> Option<i32> {
        fs::read_to_string(self.file("pid")).ok()?.trim().parse().ok()
    }

    /// Whether the process of its last start still runs. After a restart of the machine the id may be somebody else's;
    /// the command line tells, for it names a file of this cluster. (That of an ended process is empty; for an instant,
    /// so is that of one that was started just now.)
    pub(super) fn is_running(&self) -> bool {
        let Some(pid) = self.pid() else { return false };
        let marker = match self.role {
            Role::Database => self.data(),
            _ => self.file("toml"),
        };
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|argument| argument == marker.as_os_str().as_encoded_bytes())
    }

    /// Whether it answers: gateways and workers say so themselves, the others accept connections.
    pub(super) fn is_ready(&self) -> bool {
        match self.role {
            Role::Gateway | Role::Worker => matches!(http::status_of(self.address, "/readyz"), Ok(200)),
            Role::Database | Role::Node => TcpStream::connect_timeout(&self.address, Duration::from_secs(1)).is_ok(),
        }
    }

    /// Sends a signal to the process, if it runs.
    pub(super) fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid().filter(|_| self.is_running()).and_then(Pid::from_raw) {
            // A failure means that it has just ended.
            let _ = kill_process(pid, signal);
        }
    }

    /// Removes the note of its process id.
    pub(super) fn forget(&self) {
        let _ = fs::remove_file(self.file("pid"));
    }

    /// Its address as one types it.
    pub(super) fn shown_address(&self) -> String {
        match self.role {
            Role::Gateway | Role::Worker => format!("http://{}", self.address),
            Role::Database | Role::Node => self.address.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_process_of_this_cluster_counts_as_running() {
        let dir = tempfile::tempdir().expect("a folder");
        let member = Member::new(dir.path(), "node-1".into(), Role::Node, 1);
        assert!(!member.is_running(), "never started");

        // Something else has got the process id.
        fs::write(member.file("pid"), std::process::id().to_string()).expect("a writable folder");
        assert!(!member.is_running());
        member.signal(Signal::KILL);

        fs::write(member.file("toml"), "").expect("a writable folder");
        let mut command = Command::new("tail");
        command.arg("-f").arg(member.file("toml"));
        let mut child = member.start(&mut command).expect("tail starts");
        let started = std::time::Instant::now();
        while !member.is_running() {
            assert!(started.elapsed() < Duration::from_secs(60), "tail runs, but is not seen");
            std::thread::sleep(crate::process::POLL);
        }
        member.signal(Signal::KILL);
        child.wait().expect("is a child");
        assert!(!member.is_running());
        member.forget();
        assert_eq!(member.pid(), None);
    }
}
