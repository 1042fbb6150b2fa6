//! A whole cluster as plain processes on loopback, of the shape of `deploy/compose.yaml`.
//!
//! Everything lies in one folder: a configuration, a log and a process id per process, and the data. The processes go
//! on when xtask ends; `down` ends those that run, and only those whose command line shows that they are ours.

mod config;
mod member;

use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::Child,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::Signal;

use self::{
    config::Ports,
    member::{Member, Role},
};
use crate::{
    place,
    postgres::{self, Life, Postgres},
    process, setup,
};

/// The ports of a cluster are counted from this one.
const BASE_PORT: u16 = 8080;

/// How long a cluster may take until every process answers.
const READY_LIMIT: Duration = Duration::from_secs(90);

/// How long a process may take to end. A server gives open requests ten seconds.
const STOP_GRACE: Duration = Duration::from_secs(20);

/// The database of the cluster.
const DATABASE: &str = "holdfast";

/// Starts what is not running, and waits until everything answers. `holdfast` gives the server's program.
pub(crate) fn up(dir: &Path, base_port: Option<u16>, holdfast: impl FnOnce() -> Result<PathBuf>) -> Result<()> {
    let programs = setup::postgres()?;
    let holdfast = holdfast()?;
    ensure!(holdfast.is_file(), "there is no program at {}", holdfast.display());
    let state = State::open_or_create(dir, base_port)?;

    let database = state.database();
    if !database.is_running() {
        start_database(&programs, &state, &database)?;
    }
    let members = state.members();
    let mut waiting = Vec::new();
    for member in members {
        if member.is_running() {
            waiting.push((member, None));
            continue;
        }
        member.refuse_taken_port()?;
        write_private(&member.file("toml"), &state.config_of(&member)?)?;
        let mut server = std::process::Command::new(&holdfast);
        server.arg("serve").arg("--config").arg(member.file("toml"));
        if member.role == Role::Gateway {
            // Used by the first start only, which makes the account.
            server.env("HOLDFAST_ADMIN_PASSWORD", state.secret("admin-password")?);
        }
        let child = member.start(&mut server)?;
        waiting.push((member, Some(child)));
    }
    wait_ready(waiting)?;
    print_status(&state);
    println!();
    println!("sign in    admin / {}   (as long as it has not been changed)", state.secret("admin-password")?);
    let folder = state.shown("");
    let option = if folder == "data-cluster" { String::new() } else { format!(" --dir {folder}") };
    println!("kill one   kill -9 $(cat {}); files stay readable and writable", state.shown("node-3.pid"));
    println!("revive it  cargo xtask cluster{option}");
    println!("stop all   cargo xtask cluster{option} down");
    Ok(())
}

/// Ends every process that runs. The data stays.
pub(crate) fn down(dir: &Path) -> Result<()> {
    let state = State::open(dir)?;
    // Servers before what they depend on. All of a kind are asked at once, then awaited.
    let (nodes, others): (Vec<_>, Vec<_>) = state.members().into_iter().partition(|member| member.role == Role::Node);
    for (group, signal) in [(others, Signal::TERM), (nodes, Signal::TERM), (vec![state.database()], Signal::INT)] {
        let running: Vec<_> = group.iter().filter(|member| member.is_running()).collect();
        for member in &running {
            member.signal(signal);
        }
        let asked = Instant::now();
        for member in running {
            while member.is_running() && asked.elapsed() < STOP_GRACE {
                std::thread::sleep(process::POLL);
            }
            if member.is_running() {
                println!("{} did not end within {} s and was killed", member.name, STOP_GRACE.as_secs());
                member.signal(Signal::KILL);
            } else {
                println!("{} has ended", member.name);
            }
            member.forget();
        }
    }
    Ok(())
}

/// Prints which processes run, and where.
pub(crate) fn status(dir: &Path) -> Result<()> {
    print_status(&State::open(dir)?);
    Ok(())
}

fn print_status(state: &State) {
    println!("{:<10} {:>8}  {:<24} state", "process", "pid", "address");
    for member in [state.database()].into_iter().chain(state.members()) {
        let pid = member.pid().filter(|_| member.is_running()).map_or("-".into(), |pid| pid.to_string());
        let state = match (member.is_running(), member.is_ready()) {
            (false, _) => "stopped",
            (true, false) => "not ready",
            (true, true) => "ready",
        };
        println!("{:<10} {pid:>8}  {:<24} {state}", member.name, member.shown_address());
    }
}

fn start_database(programs: &Postgres, state: &State, database: &Member) -> Result<()> {
    let (data, port) = (database.data(), database.address.port());
    let password = state.secret("database-password")?;
    database.refuse_taken_port()?;
    if !data.join("PG_VERSION").exists() {
        programs.init(&data, &password)?;
    }
    let mut child = database.start(&mut programs.server(&data, port, &["max_connections=200"], Life::OnItsOwn))?;
    programs.wait_ready(port, &database.file("log"), || !matches!(child.try_wait(), Ok(None)))?;
    programs.create_database(port, &password, DATABASE)
}

/// Waits until each member answers. One that was started just now comes with its process.
fn wait_ready(mut waiting: Vec<(Member, Option<Child>)>) -> Result<()> {
    let started = Instant::now();
    loop {
        process::check_stopped()?;
        waiting.retain(|(member, _)| !member.is_ready());
        let Some((first, _)) = waiting.first() else { return Ok(()) };
        if started.elapsed() > READY_LIMIT {
            bail!("{} is not ready; its log says:\n{}", first.name, postgres::tail(&first.file("log")));
        }
        for (member, child) in &mut waiting {
            let ended = match child {
                Some(child) => !matches!(child.try_wait(), Ok(None)),
                None => !member.is_running(),
            };
            if ended {
                bail!("{} has ended; its log says:\n{}", member.name, postgres::tail(&member.file("log")));
            }
        }
        std::thread::sleep(process::POLL);
    }
}

/// The folder of a cluster.
struct State {
    dir: PathBuf,
    ports: Ports,
}

impl State {
    /// A cluster that was started before.
    fn open(dir: &Path) -> Result<Self> {
        let base = fs::read_to_string(dir.join("base-port")).with_context(|| {
            format!("there is no cluster in {}; start one with `cargo xtask cluster`", dir.display())
        })?;
        let base = base.trim().parse().context("the file base-port does not hold a port")?;
        Ok(Self { dir: dir.to_owned(), ports: Ports::from_base(base)? })
    }

    /// The folder keeps the ports of its first start: the nodes' addresses are in the database.
    fn open_or_create(dir: &Path, base_port: Option<u16>) -> Result<Self> {
        if dir.join("base-port").exists() {
            let state = Self::open(dir)?;
            if base_port.is_some_and(|port| port != state.ports.base()) {
                bail!("the cluster in {} was made with --base-port {}", dir.display(), state.ports.base());
            }
            return Ok(state);
        }
        let ports = Ports::from_base(base_port.unwrap_or(BASE_PORT))?;
        fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        // Passed through by the user that PostgreSQL runs as; what is secret in it is closed by itself.
        fs::set_permissions(dir, fs::Permissions::from_mode(0o711))?;
        fs::write(dir.join("base-port"), format!("{}\n", ports.base()))?;
        Ok(Self { dir: dir.to_owned(), ports })
    }

    fn database(&self) -> Member {
        Member::new(&self.dir, "postgres".into(), Role::Database, self.ports.database())
    }

    fn members(&self) -> Vec<Member> {
        let member = |name: String, role, port| Member::new(&self.dir, name, role, port);
        let mut members = Vec::new();
        for (index, port) in (1..).zip(self.ports.gateways()) {
            members.push(member(format!("gateway-{index}"), Role::Gateway, port));
        }
        members.push(member("worker".into(), Role::Worker, self.ports.worker()));
        for (index, port) in (1..).zip(self.ports.nodes()) {
            members.push(member(format!("node-{index}"), Role::Node, port));
        }
        members
    }

    fn config_of(&self, member: &Member) -> Result<String> {
        // Written before the processes that read it by its path.
        self.secret("cluster-secret")?;
        let password = self.secret("database-password")?;
        let port = self.ports.database();
        let database = format!("postgres://{}:{password}@127.0.0.1:{port}/{DATABASE}", postgres::ROLE);
        Ok(config::render(member, &self.ports, &database, &self.dir.join("cluster-secret")))
    }

    /// A secret of this cluster, made when it is first asked for. The administrator's may be chosen by the environment.
    fn secret(&self, name: &str) -> Result<String> {
        let path = self.dir.join(name);
        if !path.exists() {
            let chosen = std::env::var("HOLDFAST_ADMIN_PASSWORD")
                .ok()
                .filter(|text| name == "admin-password" && !text.is_empty());
            write_private(&path, &chosen.map_or_else(|| place::random_hex(16), Ok)?)?;
        }
        Ok(fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?.trim().to_owned())
    }

    /// A file of the cluster's folder as one types it; without a name, the folder.
    fn shown(&self, name: &str) -> String {
        let path = if name.is_empty() { self.dir.clone() } else { self.dir.join(name) };
        let here = std::env::current_dir().unwrap_or_default();
        path.strip_prefix(here).unwrap_or(&path).display().to_string()
    }
}

/// Writes a file that only its owner may read.
fn write_private(path: &Path, text: &str) -> Result<()> {
    let mut options = OpenOptions::new();
    options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file: File| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))
}

impl Member {
    /// An error that names the option, where something else listens on the port.
    fn refuse_taken_port(&self) -> Result<()> {
        let port = self.address.port();
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(drop).with_context(|| {
            format!("{} needs port {port}; a new cluster takes other ports with `up --base-port`", self.name)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_keeps_its_ports_and_secrets() {
        let dir = tempfile::tempdir().expect("a folder");
        let dir = dir.path().join("cluster");
        assert!(State::open(&dir).is_err(), "nothing there yet");
        let first = State::open_or_create(&dir, Some(9100)).expect("made");
        let secret = first.secret("cluster-secret").expect("made");
        assert_eq!(secret.len(), 32);
        let mode = fs::metadata(dir.join("cluster-secret")).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        let again = State::open_or_create(&dir, None).expect("opened");
        assert_eq!(again.ports.base(), 9100);
        assert_eq!(again.secret("cluster-secret").expect("kept"), secret);
        assert!(State::open_or_create(&dir, Some(9200)).is_err(), "other ports than its own");
        State::open_or_create(&dir, Some(9100)).expect("its own ports");
    }

    #[test]
    fn it_has_the_shape_of_the_compose_file() {
        let dir = tempfile::tempdir().expect("a folder");
        let state = State::open_or_create(dir.path(), None).expect("made");
        let names: Vec<_> = state.members().into_iter().map(|member| member.name).collect();
        assert_eq!(
            names,
            ["gateway-1", "gateway-2", "worker", "node-1", "node-2", "node-3", "node-4", "node-5", "node-6"]
        );
    }

    #[test]
    fn a_taken_port_is_refused_with_advice() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let member = Member::new(Path::new("/nowhere"), "worker".into(), Role::Worker, port);
        let error = member.refuse_taken_port().expect_err("taken");
        assert!(error.to_string().contains("--base-port"), "{error}");
    }
}
