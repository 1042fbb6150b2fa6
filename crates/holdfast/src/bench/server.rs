//! The servers that are measured: child processes of this program, in a folder that goes with them.

use std::{
    fs::File,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, anyhow, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

use super::http::{Connection, Session, text};

/// How long servers may take to become ready.
const START: Duration = Duration::from_secs(60);

/// How long a server may take to end after it was asked to.
const STOP: Duration = Duration::from_secs(20);

/// How often a waiting loop looks again.
const POLL: Duration = Duration::from_millis(20);

/// Storage servers of a deployment.
const NODES: usize = 6;

/// How often a folder is tried to be removed.
const REMOVALS: usize = 10;

/// Lines of a log that are shown with an error.
const LOG_LINES: usize = 12;

/// Variables that would change what is measured.
const VARIABLES: [&str; 5] =
    ["HOLDFAST_CONFIG", "HOLDFAST_DATA_DIR", "HOLDFAST_LISTEN", "HOLDFAST_DATABASE", "HOLDFAST_CLUSTER_SECRET"];

/// The folder of one benchmark; dropping it removes everything.
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes the folder in this one.
    pub(super) fn make(dir: &Path) -> anyhow::Result<Self> {
        let path = dir.join(format!("holdfast-bench-{}", std::process::id()));
        std::fs::create_dir(&path).with_context(|| format!("the folder {} cannot be made", path.display()))?;
        // Servers get paths that hold wherever they are.
        Ok(Self(path.canonicalize()?))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Bytes that the disk has left for whoever runs this.
    pub(super) fn free_bytes(&self) -> anyhow::Result<u64> {
        let stat = rustix::fs::statvfs(&self.0)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// Removes it, and says if that fails.
    pub(super) fn remove(self) -> anyhow::Result<()> {
        std::fs::remove_dir_all(&self.0).with_context(|| format!("{} cannot be removed", self.0.display()))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Gone already after `remove`. After an error the servers were killed a moment ago, and one may still make the
        // file that it was about to make; and there is nobody left to tell.
        for _ in 0..REMOVALS {
            if std::fs::remove_dir_all(&self.0).is_ok() || !self.0.exists() {
                return;
            }
        }
    }
}

/// Where the six nodes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nodes {
    /// In the one process.
    Inside,
    /// Each in a process of its own, behind gRPC; gateway and worker are one process beside them.
    Processes,
}

/// A running system.
pub(super) struct Deployment {
    /// Gateway first, then nodes.
    processes: Vec<Process>,
    nodes: Nodes,
    port: u16,
    password: String,
    dir: PathBuf,
}

struct Process {
    child: Child,
    name: String,
    log: PathBuf,
    /// What it listens on.
    port: u16,
}

impl Deployment {
    /// Starts a system with the default settings but for the number of parity parts, and waits until it can serve.
    pub(super) async fn start(folder: &Folder, name: &str, nodes: Nodes, parity: usize) -> anyhow::Result<Self> {
        let dir = folder.path().join(name);
        std::fs::create_dir(&dir)?;
        let (port, password) = (free_port()?, random_text());
        let mut deployment = Self { processes: Vec::new(), nodes, port, password, dir };
        match deployment.start_all(parity).await {
            Ok(()) => Ok(deployment),
            Err(error) => Err(explain(error, std::slice::from_ref(&deployment))),
        }
    }

    async fn start_all(&mut self, parity: usize) -> anyhow::Result<()> {
        let deadline = Instant::now() + START;
        let secret = random_text();
        let (roles, top) = match self.nodes {
            Nodes::Inside => ("gateway,node,worker", String::new()),
            Nodes::Processes => ("gateway,worker", format!("cluster_secret = \"{secret}\"\n")),
        };
        self.spawn("gateway", self.port, roles, &format!("{top}[files]\nparity = {parity}\n"))?;
        self.wait_for("/healthz", deadline).await?;
        if self.nodes == Nodes::Processes {
            for number in 1..=NODES {
                let port = free_port()?;
                let config = format!(
                    "{top}[node]\nlisten = \"127.0.0.1:{port}\"\njoin = [\"http://127.0.0.1:{}\"]\n",
                    self.port
                );
                self.spawn(&format!("node-{number}"), port, "node", &config)?;
            }
        }
        self.wait_for("/readyz", deadline).await?;
        // With fewer than all nodes a server is ready too, but it is not what is to be measured.
        let session = self.login().await?;
        loop {
            let answer = session.call("GET", "/api/v1/admin/nodes", None).await?;
            let live = answer["items"].as_array().into_iter().flatten().filter(|node| node["live"] == true).count();
            if live == NODES {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "{live} of {NODES} nodes have joined");
            sleep(POLL).await;
        }
    }

    fn spawn(&mut self, name: &str, port: u16, roles: &str, config: &str) -> anyhow::Result<()> {
        let file = self.dir.join(format!("{name}.toml"));
        std::fs::write(&file, config)?;
        let path = self.dir.join(format!("{name}.log"));
        let log = File::create(&path)?;
        let mut command = Command::new(std::env::current_exe().context("this program's own file")?);
        command.args(["serve", "--role", roles, "--config"]).arg(&file);
        command.arg("--data-dir").arg(self.dir.join(name));
        if name == "gateway" {
            command.args(["--listen", &format!("127.0.0.1:{port}")]);
        }
        for variable in VARIABLES {
            command.env_remove(variable);
        }
        let child = command
            .env("HOLDFAST_ADMIN_PASSWORD", &self.password)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .context("a server cannot be started")?;
        self.processes.push(Process { child, name: name.to_owned(), log: path, port });
        Ok(())
    }

    /// Waits until the gateway answers well at this path.
    async fn wait_for(&mut self, path: &str, deadline: Instant) -> anyhow::Result<()> {
        let nobody = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", self.port);
        loop {
            for process in &mut self.processes {
                if let Some(status) = process.child.try_wait()? {
                    bail!("{} ended: {status}", process.name);
                }
            }
            let ask = async {
                let mut connection = Connection::open(self.port).await?;
                connection.send(nobody.as_bytes()).await?;
                connection.head().await
            };
            if let Ok(Ok(head)) = timeout(Duration::from_secs(2), ask).await
                && head.status == 200
            {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "the server does not become ready at {path}");
            sleep(POLL).await;
        }
    }

    /// Signs in as the administrator.
    pub(super) async fn login(&self) -> anyhow::Result<Session> {
        Session::login(self.port, "admin", &self.password).await
    }

    /// Where the nodes are, for the title of a row.
    pub(super) fn is_cluster(&self) -> bool {
        self.nodes == Nodes::Processes
    }

    /// The process id of the gateway, which is everything where the nodes are inside.
    pub(super) fn id(&self) -> anyhow::Result<u32> {
        self.processes.first().and_then(|process| process.child.id()).context("the server has ended")
    }

    /// Kills the process of the node that holds the file's first data part, as a power cut would.
    pub(super) async fn kill_node_of(&mut self, session: &Session, file: &str) -> anyhow::Result<()> {
        let parts = session.call("GET", &format!("/api/v1/files/{file}/parts"), None).await?;
        let part = parts["extents"][0]["parts"]
            .as_array()
            .and_then(|parts| parts.iter().find(|part| part["role"] == "data" && part["index"] == 0));
        let holder = text(part.context("a file without a first part")?, "node_id")?;
        let nodes = session.call("GET", "/api/v1/admin/nodes", None).await?;
        let node = nodes["items"].as_array().and_then(|nodes| nodes.iter().find(|node| node["id"] == *holder));
        let address = text(node.with_context(|| format!("{holder} is not in the list of nodes"))?, "address")?;
        let process = self
            .processes
            .iter_mut()
            .skip(1)
            .find(|process| address.ends_with(&format!(":{}", process.port)))
            .with_context(|| format!("no process listens on {address}"))?;
        process.child.kill().await.with_context(|| format!("{} cannot be killed", process.name))
    }

    /// Asks every process to end and waits for it.
    ///
    /// # Errors
    /// If one had to be killed.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        let mut hung = Vec::new();
        for process in &mut self.processes {
            let pid = process.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
            if let Some(pid) = pid {
                // A failure means that it has just ended; waiting tells.
                let _ = kill_process(pid, Signal::TERM);
            }
            if timeout(STOP, process.child.wait()).await.is_err() {
                process.child.kill().await?;
                hung.push(process.name.clone());
            }
        }
        // What it wrote is not needed any more, and the next one wants the room.
        std::fs::remove_dir_all(&self.dir).with_context(|| format!("{} cannot be removed", self.dir.display()))?;
        ensure!(hung.is_empty(), "did not end when asked to and had to be killed: {}", hung.join(", "));
        Ok(())
    }
}

/// The error together with the last that the servers said.
pub(super) fn explain(error: anyhow::Error, systems: &[Deployment]) -> anyhow::Error {
    let mut said = String::new();
    for process in systems.iter().flat_map(|system| &system.processes) {
        let log = std::fs::read_to_string(&process.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().rev().take(LOG_LINES).collect();
        for line in lines.into_iter().rev() {
            said.push_str(&format!("\n  {}: {line}", process.name));
        }
    }
    anyhow!("{error:#}{said}")
}

/// A port that was free a moment ago.
fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).context("a free port")?;
    Ok(listener.local_addr()?.port())
}

/// A password or secret for as long as the benchmark runs.
fn random_text() -> String {
    format!("{:032x}", rand::random::<u128>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_everything_in_it() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::make(parent.path()).unwrap();
        assert!(Folder::make(parent.path()).is_err(), "somebody else's folder is not taken over");
        std::fs::write(folder.path().join("file"), "bytes").unwrap();
        assert!(folder.free_bytes().unwrap() > 0);
        drop(folder);
        assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 0);
    }
}
