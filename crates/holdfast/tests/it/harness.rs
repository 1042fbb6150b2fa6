//! Processes of the binary under test, alone or as a cluster, and a client that speaks to them as a user would.

use std::{
    io::{BufRead, BufReader, Write as _},
    net::TcpListener,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::postgres::Postgres;

/// The administrator's password in every test.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// The cluster secret in every test.
pub(crate) const SECRET: &str = "a cluster secret for tests only";

/// How long a process may take to become ready, or to end.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What a process is put in: programs that stand before it on the command line and become it, and variables.
#[derive(Clone, Default)]
pub(crate) struct Wrap {
    pub(crate) before: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
}

/// Says that a test did not run for want of `what`. Root can have everything (`cargo xtask test` installs it), so to
/// root this is a failure and never a way past the test.
pub(crate) fn not_run(what: &str) {
    assert!(!rustix::process::geteuid().is_root(), "this test cannot run: {what}");
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    // Not `eprintln!`, which the test runner swallows where the test passes.
    let _ = writeln!(std::io::stderr(), "NOT RUN: {name}: {what}");
}

/// A running process of the binary.
pub(crate) struct Process {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    arguments: Vec<String>,
    /// What it is put in when it starts the next time.
    pub(crate) wrap: Wrap,
    /// The address of its HTTP, if it has one.
    pub(crate) url: String,
}

impl Process {
    /// Starts the binary and waits until it is ready. `http` is the address that it serves HTTP on, if any.
    pub(crate) async fn start(wrap: &Wrap, arguments: &[String], http: Option<&str>) -> Self {
        let (child, log) = spawn(wrap, arguments);
        let url = http.map(|address| format!("http://{address}")).unwrap_or_default();
        let mut process = Self { child, log, arguments: arguments.to_vec(), wrap: wrap.clone(), url };
        process.ready().await;
        process
    }

    /// Kills it without warning, as a power cut or the kernel would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("a child can be killed");
        let status = self.child.wait().expect("a child can be waited for");
        assert!(status.signal() == Some(9) || status.code().is_some(), "{status}");
    }

    /// Starts it again with the same arguments.
    pub(crate) async fn restart(&mut self) {
        let (child, log) = spawn(&self.wrap, &self.arguments);
        self.child = child;
        self.log = log;
        self.ready().await;
    }

    /// Stops it as an operator would and returns how long that took.
    pub(crate) fn terminate(&mut self) -> Duration {
        let began = Instant::now();
        self.signal("TERM");
        let deadline = began + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                assert!(status.success(), "{status}\n{}", self.log());
                return began.elapsed();
            }
            assert!(Instant::now() < deadline, "it does not end\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(status.expect("kill can be run").success());
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it printed.
    pub(crate) fn log(&self) -> String {
        self.log.lock().expect("no panic holds it").join("\n")
    }

    async fn ready(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        let client = reqwest::Client::builder().timeout(Duration::from_secs(2)).build().expect("a client");
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                panic!("the process ended: {status}\n{}", self.log());
            }
            let ready = match self.url.as_str() {
                "" => self.log().contains("the storage server is ready"),
                url => client.get(format!("{url}/healthz")).send().await.is_ok_and(|answer| answer.status() == 200),
            };
            if ready {
                return;
            }
            assert!(Instant::now() < deadline, "it does not become ready\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Process {
    #[expect(clippy::print_stderr, reason = "the log of a process explains why its test failed")]
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log.lock().map(|lines| lines.iter().rev().take(40).rev().cloned().collect::<Vec<_>>());
            eprintln!("--- {:?}\n{}", self.arguments, log.unwrap_or_default().join("\n"));
        }
    }
}

fn spawn(wrap: &Wrap, arguments: &[String]) -> (Child, Arc<Mutex<Vec<String>>>) {
    let mut line = wrap.before.iter().map(String::as_str).chain([env!("CARGO_BIN_EXE_holdfast")]);
    let mut child = Command::new(line.next().expect("the binary is always there"))
        .args(line)
        .args(arguments)
        .env("HOLDFAST_ADMIN_PASSWORD", PASSWORD)
        .envs(wrap.env.iter().map(|(key, value)| (key, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary under test can be started");
    let log = Arc::new(Mutex::new(Vec::new()));
    let pipes: [Box<dyn std::io::Read + Send>; 2] =
        [Box::new(child.stdout.take().expect("it is piped")), Box::new(child.stderr.take().expect("it is piped"))];
    for pipe in pipes {
        let log = log.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                log.lock().expect("no panic holds it").push(line);
            }
        });
    }
    (child, log)
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a free port").port()
}

/// The shapes that the same tests run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One process with SQLite and six nodes inside.
    Single,
    /// PostgreSQL, two gateways, a worker, six nodes.
    Cluster,
}

/// A running system.
pub(crate) struct World {
    pub(crate) gateways: Vec<Process>,
    pub(crate) workers: Vec<Process>,
    pub(crate) nodes: Vec<Process>,
    pub(crate) dir: TempDir,
    pub(crate) settings: String,
    shape: Shape,
    /// Dropped last: the database goes when nobody uses it any more.
    database: Database,
}

/// Where a system keeps its metadata.
pub(crate) enum Database {
    /// SQLite in the data folder.
    Inside,
    /// A database of its own on the server that all tests share.
    Shared(testkit::database::TestDb),
    /// A server of its own, which the test may kill.
    Own(Postgres),
}

impl Database {
    /// The key of the configuration that names it.
    fn line(&self) -> String {
        match self {
            Self::Inside => String::new(),
            Self::Own(server) => format!("database = {:?}\n", server.url()),
            Self::Shared(database) => match database.backend() {
                db::Backend::Postgres { url } => format!("database = {:?}\n", url.expose()),
                db::Backend::Sqlite { path } => format!("database = \"sqlite:{}\"\n", path.display()),
            },
        }
    }
}

impl World {
    /// Starts a system. `settings` are lines of TOML that every process gets.
    pub(crate) async fn start(shape: Shape, settings: &str) -> Self {
        let database = match shape {
            Shape::Single => Database::Inside,
            Shape::Cluster => Database::Shared(testkit::database::postgres().await),
        };
        Self::start_in(shape, settings, database, |_, _| Wrap::default()).await
    }

    /// The same with a database of the caller's, and each process in what `wrap` says, which is told the folder of the
    /// test and the name of the process: `single`, `gateway-1`, `worker-1`, `node-1` and so on.
    pub(crate) async fn start_in(
        shape: Shape,
        settings: &str,
        database: Database,
        wrap: impl Fn(&Path, &str) -> Wrap,
    ) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let mut world = Self {
            gateways: Vec::new(),
            workers: Vec::new(),
            nodes: Vec::new(),
            dir,
            settings: settings.to_owned(),
            shape,
            database,
        };
        match shape {
            Shape::Single => {
                let wrap = wrap(world.dir.path(), "single");
                let single = world.add_gateway("gateway,node,worker", &wrap).await;
                world.gateways.push(single);
            }
            Shape::Cluster => {
                let named = |world: &Self, name: &str| wrap(world.dir.path(), name);
                let worker = world.add_gateway("worker", &named(&world, "worker-1")).await;
                world.workers.push(worker);
                for number in 1..=2 {
                    let wrap = named(&world, &format!("gateway-{number}"));
                    let gateway = world.add_gateway("gateway", &wrap).await;
                    world.gateways.push(gateway);
                }
                for number in 1..=6 {
                    let wrap = named(&world, &format!("node-{number}"));
                    world.add_node_in(&wrap, "").await;
                }
            }
        }
        world.all_ready().await;
        world
    }

    /// Waits until every gateway says that it can serve.
    pub(crate) async fn all_ready(&self) {
        for gateway in &self.gateways {
            let client = reqwest::Client::new();
            eventually("the gateway is ready", PATIENCE, async || {
                let answer = client.get(format!("{}/readyz", gateway.url)).send().await.ok()?;
                (answer.status() == 200).then_some(())
            })
            .await;
        }
    }

    /// The server of its own.
    pub(crate) fn postgres(&mut self) -> &mut Postgres {
        match &mut self.database {
            Database::Own(server) => server,
            _ => panic!("the database is not the test's own server"),
        }
    }

    async fn add_gateway(&self, roles: &str, wrap: &Wrap) -> Process {
        let port = free_port();
        let listen = format!("127.0.0.1:{port}");
        let name = format!("{}-{port}", roles.replace(',', "-"));
        let data = self.dir.path().join(if self.shape == Shape::Single { "data" } else { &name });
        let database = self.database.line();
        let config = format!("{database}cluster_secret = {SECRET:?}\n{}", self.settings);
        let arguments = self.arguments(&name, &config, &data, roles, Some(&listen));
        Process::start(wrap, &arguments, Some(&listen)).await
    }

    /// Starts one more storage server.
    pub(crate) async fn add_node(&mut self) -> usize {
        self.add_node_in(&Wrap::default(), "").await
    }

    /// The same, put in something and with more lines for its section of the configuration.
    pub(crate) async fn add_node_in(&mut self, wrap: &Wrap, lines: &str) -> usize {
        let arguments = self.node_arguments(&format!("node-{}", self.nodes.len() + 1), SECRET, lines);
        self.nodes.push(Process::start(wrap, &arguments, None).await);
        self.nodes.len() - 1
    }

    /// The arguments of a storage server whose data lies in the folder `name`.
    pub(crate) fn node_arguments(&self, name: &str, secret: &str, lines: &str) -> Vec<String> {
        let port = free_port();
        let join: Vec<_> = self.workers.iter().chain(&self.gateways).map(|it| it.url.clone()).collect();
        let (top, sections) = split(&self.settings);
        let node = format!("[node]\nlisten = \"127.0.0.1:{port}\"\njoin = {join:?}\n{lines}");
        let sections = match sections.split_once("[node]\n") {
            Some((before, after)) => format!("{before}{node}{after}"),
            None => format!("{sections}\n{node}"),
        };
        let config = format!("{top}cluster_secret = {secret:?}\n{sections}");
        self.arguments(name, &config, &self.dir.path().join(name), "node", None)
    }

    /// The folder of a storage server's data.
    pub(crate) fn node_dir(&self, index: usize) -> PathBuf {
        match self.shape {
            Shape::Single => self.dir.path().join("data").join("nodes").join((index + 1).to_string()),
            Shape::Cluster => self.dir.path().join(format!("node-{}", index + 1)),
        }
    }

    fn arguments(&self, name: &str, config: &str, data: &Path, roles: &str, listen: Option<&str>) -> Vec<String> {
        let file = self.dir.path().join(format!("{name}.toml"));
        std::fs::write(&file, config).expect("the configuration can be written");
        let mut arguments: Vec<String> = ["serve", "--role", roles, "--config"].map(String::from).to_vec();
        arguments.push(file.display().to_string());
        arguments.extend(["--data-dir".into(), data.display().to_string()]);
        if let Some(listen) = listen {
            arguments.extend(["--listen".into(), listen.into()]);
        }
        arguments
    }

    /// A signed-in administrator at the first gateway.
    pub(crate) async fn admin(&self) -> User {
        User::login(&self.gateways[0].url, "admin", PASSWORD).await
    }
}

/// Top-level keys and sections of a piece of TOML, since keys after a section would belong to it.
fn split(settings: &str) -> (&str, &str) {
    settings.find('[').map_or((settings, ""), |at| settings.split_at(at))
}

/// Asks until there is an answer. The time bounds a hang; it is not what is tested.
pub(crate) async fn eventually<T>(
    what: impl std::fmt::Display,
    limit: Duration,
    ask: impl AsyncFn() -> Option<T>,
) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "still not: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Somebody who is signed in.
#[derive(Clone)]
pub(crate) struct User {
    pub(crate) http: reqwest::Client,
    pub(crate) url: String,
    pub(crate) token: String,
    pub(crate) refresh_token: String,
    pub(crate) user: Value,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Self {
        Self::try_of(request).await.expect("an answer")
    }

    pub(crate) async fn try_of(request: reqwest::RequestBuilder) -> reqwest::Result<Self> {
        let answer = request.send().await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Ok(Self { status, headers, body: answer.bytes().await?.to_vec() })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().expect("text")).unwrap_or_default()
    }

    /// The answer's JSON, if its status is the expected one.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// Checks that it is a problem document of this status and code.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) {
        let text = String::from_utf8_lossy(&self.body).into_owned();
        assert_eq!(self.status, status, "{text}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{text}");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{text}");
        assert_eq!(problem["status"], status, "{text}");
        assert_eq!(problem["request_id"].as_str().map(str::len), Some(32), "{text}");
    }
}

impl User {
    /// Signs in.
    pub(crate) async fn login(url: &str, name: &str, password: &str) -> Self {
        let http = reqwest::Client::new();
        let answer =
            Answer::of(http.post(format!("{url}/api/v1/login")).json(&json!({"name": name, "password": password})))
                .await
                .expect(200);
        let text = |key: &str| answer[key].as_str().expect(key).to_owned();
        Self {
            http,
            url: url.to_owned(),
            token: text("access_token"),
            refresh_token: text("refresh_token"),
            user: answer["user"].clone(),
        }
    }

    /// The same person with new tokens, if the gateway can give any now.
    pub(crate) async fn renewed(&self) -> Option<Self> {
        let login = json!({"name": "admin", "password": PASSWORD});
        let request = self.http.post(format!("{}/api/v1/login", self.url)).json(&login);
        let answer = Answer::try_of(request).await.ok().filter(|answer| answer.status == 200)?.json();
        let text = |key: &str| answer[key].as_str().expect(key).to_owned();
        Some(Self { token: text("access_token"), refresh_token: text("refresh_token"), ..self.clone() })
    }

    /// Registers and signs in.
    pub(crate) async fn register(url: &str, name: &str) -> Self {
        let http = reqwest::Client::new();
        Answer::of(http.post(format!("{url}/api/v1/register")).json(&json!({"name": name, "password": PASSWORD})))
            .await
            .expect(201);
        Self::login(url, name, PASSWORD).await
    }

    /// The same person at another gateway.
    pub(crate) fn at(&self, gateway: &Process) -> Self {
        Self { url: gateway.url.clone(), ..self.clone() }
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().expect("a method");
        self.http.request(method, format!("{}/api/v1{path}", self.url)).bearer_auth(&self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request("GET", path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request("POST", path).json(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.request("DELETE", path)).await
    }

    /// Uploads a file to the root and returns its entry.
    pub(crate) async fn upload(&self, name: &str, bytes: Vec<u8>) -> Value {
        Answer::of(self.request("POST", "/files").query(&[("name", name)]).body(bytes)).await.expect(201)
    }

    /// Downloads a file.
    pub(crate) async fn download(&self, id: &str) -> Vec<u8> {
        let answer = self.get(&format!("/files/{id}")).await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        answer.body
    }

    pub(crate) fn root(&self) -> &str {
        self.user["root_id"].as_str().expect("root_id")
    }
}

/// Bytes that do not repeat and are the same for the same seed.
pub(crate) fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}
