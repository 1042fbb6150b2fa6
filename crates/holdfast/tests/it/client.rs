//! The command line against a real server, as people and scripts use it.

mod share;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command},
};

use crate::harness::{PASSWORD, Shape, User, World, bytes, eventually};

/// A command that takes longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody's machine: its own folders, in which the client keeps sessions and what is unfinished.
struct Machine {
    dir: TempDir,
}

/// What a command said.
#[derive(Debug)]
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Machine {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a temporary folder") }
    }

    /// One that is signed in as the administrator.
    async fn signed_in(world: &World) -> Self {
        let machine = Self::new();
        machine.login(&world.gateways[0].url, "admin").await;
        machine
    }

    async fn login(&self, url: &str, name: &str) {
        let said = self.typed(&["login", url, "--name", name, "--password-stdin"], PASSWORD).await;
        assert_eq!(said.code, 0, "{said:?}");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, content: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("the folder can be made");
        fs::write(path, content).expect("the file can be written");
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
        command
            .args(arguments)
            .current_dir(self.dir.path())
            .env("XDG_CONFIG_HOME", self.path(".config"))
            .env("XDG_STATE_HOME", self.path(".state"))
            .env_remove("HOLDFAST_SERVER")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().expect("the binary runs")
    }

    async fn run(&self, arguments: &[&str]) -> Said {
        Said::of(self.start(arguments)).await
    }

    /// Runs a command that must do what it is told.
    async fn ok(&self, arguments: &[&str]) -> Said {
        let said = self.run(arguments).await;
        assert_eq!(said.code, 0, "{arguments:?}: {said:?}");
        said
    }

    /// Runs a command that must fail with this code and say this.
    async fn fails(&self, arguments: &[&str], code: i32, reason: &str) {
        let said = self.run(arguments).await;
        assert_eq!(said.code, code, "{arguments:?}: {said:?}");
        assert!(said.err.contains(reason), "{arguments:?}: {said:?}");
        assert!(said.out.is_empty(), "a failure is no data: {arguments:?}: {said:?}");
    }

    /// Runs a command with something on its standard input.
    async fn typed(&self, arguments: &[&str], input: &str) -> Said {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().expect("the binary runs");
        let mut stdin = child.stdin.take().expect("it is piped");
        stdin.write_all(input.as_bytes()).await.expect("the command reads");
        drop(stdin);
        Said::of(child).await
    }

    /// The only unfinished upload of this machine, once there is one.
    async fn begun_upload(&self) -> String {
        let dir = self.path(".state/holdfast/uploads");
        eventually("an upload has begun", PATIENCE, async || {
            let record = fs::read_dir(&dir).ok()?.flatten().next()?;
            let record: Value = serde_json::from_slice(&fs::read(record.path()).ok()?).ok()?;
            Some(record["upload"].as_str()?.to_owned())
        })
        .await
    }

    fn unfinished(&self, kind: &str) -> usize {
        fs::read_dir(self.path(".state/holdfast").join(kind)).map_or(0, |dir| dir.flatten().count())
    }
}

impl Said {
    async fn of(child: Child) -> Self {
        let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.expect("the command ends");
        let Output { status, stdout, stderr } = ended.expect("the command can be waited for");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Self { code: status.code().unwrap_or(-1), out: text(stdout), err: text(stderr) }
    }

    /// Its lines of JSON.
    fn lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }

    /// The last line of a copy with `--json`.
    fn summary(&self) -> Value {
        let last = self.lines().pop().expect("a last line");
        assert_eq!(last["event"], "summary", "{self:?}");
        last
    }
}

/// The files below a folder with their bytes, by their paths.
fn files_below(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if entry.file_type().expect("a type").is_dir() {
                open.push(path);
            } else {
                let bytes = fs::read(&path).expect("a file");
                found.push((path.strip_prefix(dir).expect("it is below").to_owned(), bytes));
            }
        }
    }
    found.sort();
    found
}

async fn offset_of(user: &User, upload: &str) -> Option<u64> {
    let answer = user.get(&format!("/uploads/{upload}")).await;
    if answer.status == 200 { answer.json()["offset"].as_u64() } else { None }
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_and_out() {
    let world = World::start(Shape::Single, "").await;
    let url = &world.gateways[0].url;
    let machine = Machine::new();
    machine.fails(&["ls"], 4, "holdfast login").await;
    let said = machine.typed(&["login", url, "--name", "admin", "--password-stdin"], "wrong password").await;
    assert_eq!(said.code, 4, "{said:?}");
    assert!(said.err.contains("name or the password is wrong"), "{said:?}");
    // A refused sign-in leaves no session behind.
    machine.fails(&["whoami"], 4, "holdfast login").await;
    machine.fails(&["login", url, "--name", "admin"], 2, "--password-stdin").await;

    let said = machine.typed(&["login", url, "--name", "admin", "--password-stdin", "--json"], PASSWORD).await;
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(said.lines()[0]["user"]["name"], "admin");
    assert!(machine.ok(&["whoami"]).await.out.starts_with("admin at "));
    // The password is kept nowhere, and what is kept is for its owner only.
    let kept = machine.path(".config/holdfast/credentials.json");
    assert!(!fs::read_to_string(&kept).expect("the session").contains(PASSWORD));
    machine.ok(&["logout"]).await;
    machine.fails(&["ls"], 4, "holdfast login").await;
    machine
        .fails(&["login", "http://127.0.0.1:1", "--name", "admin", "--password-stdin"], 5, "cannot be reached")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_made_listed_and_removed() {
    let world = World::start(Shape::Single, "").await;
    let machine = Machine::signed_in(&world).await;
    let made = machine.ok(&["token", "create", "backup", "--scopes", "files.read,share", "--days", "30"]).await;
    let token = made.out.trim();
    assert!(token.starts_with("hf_") && made.err.contains("not shown again"), "{made:?}");
    let url = format!("{}/api/v1/spaces", world.gateways[0].url);
    let status = async || reqwest::Client::new().get(&url).bearer_auth(token).send().await.expect("an answer").status();
    assert_eq!(status().await, 200);
    let listed = machine.ok(&["token", "ls", "--json"]).await.lines();
    assert_eq!(
        (&listed[0]["name"], &listed[0]["scopes"]),
        (&"backup".into(), &serde_json::json!(["files.read", "share"]))
    );
    assert!(listed[0]["expires_at"].is_string() && !machine.ok(&["token", "ls"]).await.out.contains(token));
    let id = listed[0]["id"].as_str().expect("an id");
    machine.ok(&["token", "rm", id]).await;
    assert_eq!(status().await, 401);
    machine.fails(&["token", "rm", id], 3, "no such token").await;
    machine.fails(&["token", "create", "x", "--scopes", "root"], 1, "scopes").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_takes_a_code_where_there_is_a_second_factor() {
    let world = World::start(Shape::Single, "").await;
    let url = &world.gateways[0].url;
    let ada = User::register(url, "ada").await;
    let setup = ada.post("/me/second-factor", &serde_json::json!({ "password": PASSWORD })).await.expect(200);
    let secret = totp_rs::Secret::try_from_base32(setup["secret"].as_str().expect("a secret")).expect("base 32");
    let app = totp_rs::Builder::new().with_secret(secret).with_account_name("ada").with_issuer(Some("Holdfast"));
    let code = app.build().expect("an app").generate_current().to_string();
    let confirm = serde_json::json!({ "code": code });
    let codes = ada.post("/me/second-factor/confirm", &confirm).await.expect(200)["recovery_codes"].clone();
    let machine = Machine::new();
    let login = ["login", url, "--name", "ada", "--password-stdin"];
    let said = machine.typed(&login, PASSWORD).await;
    assert!(said.code == 2 && said.err.contains("--code"), "{said:?}");
    let said = machine.typed(&[&login[..], &["--code", "000000x"]].concat(), PASSWORD).await;
    assert!(said.code == 4 && said.err.contains("code is wrong"), "{said:?}");
    let recovery = codes[0].as_str().expect("a code").to_owned();
    let said = machine.typed(&[&login[..], &["--code", &recovery]].concat(), PASSWORD).await;
    assert_eq!(said.code, 0, "{said:?}");
    assert!(machine.ok(&["whoami"]).await.out.contains("ada"));
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_and_names() {
    let world = World::start(Shape::Single, "").await;
    let machine = Machine::signed_in(&world).await;
    machine.write("note.txt", b"remember");
    machine.ok(&["mkdir", "-p", ":/work/2026/november"]).await;
    machine.ok(&["mkdir", "-p", ":/work/2026/november"]).await;
    machine.fails(&["mkdir", ":/work"], 1, "name-taken").await;
    machine.fails(&["mkdir", ":/no/such"], 3, "not-found").await;
    machine.ok(&["cp", "note.txt", ":/work/"]).await;

    assert_eq!(machine.ok(&["ls", ":/work"]).await.out, "2026/\nnote.txt\n");
    let long = machine.ok(&["ls", "-l", ":/work"]).await.out;
    assert!(long.lines().nth(1).is_some_and(|line| line.contains("8 B") && line.ends_with("note.txt")), "{long}");
    let below = machine.ok(&["ls", "-R", "--json", ":/"]).await.lines();
    let paths: Vec<_> = below.iter().filter_map(|entry| entry["path"].as_str()).collect();
    assert_eq!(paths, [":/work", ":/work/2026", ":/work/2026/november", ":/work/note.txt"]);
    machine.fails(&["ls", ":/work/none"], 3, "not-found").await;

    let stat = machine.ok(&["stat", "--json", "--parts", ":/work/note.txt"]).await.lines().remove(0);
    assert_eq!((&stat["size"], &stat["layout"]["inline"]), (&Value::from(8), &Value::from(true)), "{stat}");
    assert_eq!(stat["blake3"].as_str(), Some(blake3::hash(b"remember").to_hex().as_str()));

    machine.ok(&["mv", ":/work/note.txt", ":/work/2026"]).await;
    machine.ok(&["mv", ":/work/2026/note.txt", ":/work/2026/kept.txt"]).await;
    machine.ok(&["cp", ":/work/2026/kept.txt", ":/work/copy.txt"]).await;
    machine.fails(&["mv", ":/work/copy.txt", ":/work/2026/kept.txt"], 1, "name-taken").await;
    machine.fails(&["mv", ":/work", ":/work/2026"], 1, "into-itself").await;
    machine.fails(&["mv", ":/none", ":/work"], 3, "not-found").await;

    machine.fails(&["rm", ":/work"], 1, "-r").await;
    let part = machine.run(&["rm", ":/work/copy.txt", ":/work/none"]).await;
    assert_eq!(part.code, 6, "one of two is done in part: {part:?}");
    machine.ok(&["rm", "-r", ":/work"]).await;
    assert_eq!(machine.ok(&["ls"]).await.out, "");

    // Back by undo, by path, by id; and gone for good.
    machine.ok(&["undo"]).await;
    assert_eq!(machine.ok(&["ls"]).await.out, "work/\n");
    machine.ok(&["redo"]).await;
    let listed = machine.ok(&["trash", "ls"]).await.out;
    assert!(listed.lines().nth(1).is_some_and(|line| line.ends_with(":/work/")), "{listed}");
    machine.fails(&["trash", "restore", ":/none"], 3, "trash ls").await;
    machine.ok(&["trash", "restore", ":/work"]).await;
    machine.ok(&["cp", ":/work/2026/kept.txt", ":/kept.txt"]).await;
    machine.write("other.txt", b"other");
    machine.ok(&["cp", "other.txt", ":/kept.txt"]).await;
    let versions = machine.ok(&["versions", "--json", ":/kept.txt"]).await.lines();
    assert_eq!((versions.len(), &versions[0]["current"], &versions[1]["size"]), (2, &true.into(), &8.into()));
    let old = versions[1]["id"].as_str().expect("an id");
    machine.ok(&["versions", "--restore", old, ":/kept.txt"]).await;
    machine.ok(&["cp", ":/kept.txt", "kept.txt"]).await;
    assert_eq!(fs::read(machine.path("kept.txt")).expect("a file"), b"remember");
    machine.ok(&["rm", "-r", ":/work", ":/kept.txt"]).await;
    let trashed = machine.ok(&["trash", "ls", "--json"]).await.lines();
    let id = trashed[0]["id"].as_str().expect("an id");
    machine.ok(&["mkdir", ":/elsewhere"]).await;
    machine.ok(&["trash", "restore", id, "--to", ":/elsewhere"]).await;
    assert_eq!(machine.ok(&["ls", ":/elsewhere"]).await.out, "kept.txt\n");
    machine.ok(&["trash", "empty"]).await;
    assert_eq!(machine.ok(&["trash", "ls", "--json"]).await.out, "");
    machine.ok(&["rm", "-r", "--permanent", ":/elsewhere"]).await;
    assert_eq!(machine.ok(&["trash", "ls", "--json"]).await.out, "");
    machine.fails(&["undo", "--sequence", "999999"], 3, "not-found").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trees_go_up_and_come_down_the_same() {
    let world = World::start(Shape::Single, "").await;
    let machine = Machine::signed_in(&world).await;
    for (number, length) in [0, 1, 5, 4096, 4097, 100_000, 1 << 20, (6 << 20) + 1, 9_000_000].into_iter().enumerate() {
        machine.write(&format!("tree/{}/file-{number}", number % 3), &bytes(number as u64, length));
    }
    machine.write("tree/Отчёт за год.txt", b"text");
    fs::create_dir(machine.path("tree/empty")).expect("a folder");
    std::os::unix::fs::symlink("/etc/passwd", machine.path("tree/link")).expect("a link");

    machine.fails(&["cp", "tree", ":/"], 1, "-r").await;
    let up = machine.ok(&["cp", "-r", "--json", "tree", ":/"]).await.summary();
    assert_eq!((&up["copied"], &up["skipped"], &up["failed"]), (&10.into(), &1.into(), &0.into()), "{up}");
    machine.ok(&["cp", "-r", "-q", ":/tree", "back"]).await;
    fs::remove_file(machine.path("tree/link")).expect("the link");
    assert!(files_below(&machine.path("tree")) == files_below(&machine.path("back")), "what came back differs");
    assert!(machine.path("back/empty").is_dir());
    assert_eq!((machine.unfinished("uploads"), machine.unfinished("downloads")), (0, 0));

    // Once more: nothing is sent, in either direction.
    let again = machine.ok(&["cp", "-r", "--json", "tree", ":/"]).await.summary();
    assert_eq!((&again["copied"], &again["same"], &again["bytes"]), (&0.into(), &10.into(), &0.into()), "{again}");
    let again = machine.ok(&["cp", "-r", "--json", ":/tree/.", "back"]).await.summary();
    assert_eq!((&again["copied"], &again["same"]), (&0.into(), &10.into()), "{again}");
    machine.ok(&["cp", "-r", ":/tree", ":/twin"]).await;
    assert_eq!(machine.ok(&["ls", "-R", ":/twin"]).await.out, machine.ok(&["ls", "-R", ":/tree"]).await.out);

    machine.fails(&["cp", "nowhere", ":/"], 3, "nowhere").await;
    machine.fails(&["cp", ":/nowhere", "."], 3, "not-found").await;
    machine.fails(&["cp", "tree/0/file-0", "here"], 2, "colon").await;
    machine.fails(&["cp", "-r", "tree", ":/no/such/place"], 3, "not-found").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_name_is_treated_as_asked() {
    let world = World::start(Shape::Single, "").await;
    let machine = Machine::signed_in(&world).await;
    machine.write("a.txt", b"first");
    machine.ok(&["cp", "a.txt", ":/"]).await;
    machine.write("a.txt", b"second");
    let read = async || {
        machine.ok(&["cp", "-q", ":/a.txt", "read.txt"]).await;
        fs::read(machine.path("read.txt")).expect("the copy")
    };
    machine.fails(&["cp", "--on-conflict", "fail", "a.txt", ":/"], 1, "another file has the name").await;
    let skipped = machine.ok(&["cp", "--on-conflict", "skip", "--json", "a.txt", ":/"]).await.summary();
    assert_eq!(skipped["skipped"], 1);
    assert_eq!(read().await, b"first");
    let renamed = machine.ok(&["cp", "--on-conflict", "rename", "--json", "a.txt", ":/"]).await.lines();
    assert_eq!(renamed[0]["destination"], ":/a (2).txt", "{renamed:?}");
    machine.ok(&["cp", "a.txt", ":/"]).await;
    assert_eq!(read().await, b"second");
    let stat = machine.ok(&["stat", "--json", ":/a.txt"]).await.lines().remove(0);
    assert_eq!(stat["revision"], 2, "replacing makes a new version of the same file: {stat}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_upload_goes_on_where_it_was() {
    let world = World::start(Shape::Single, "files.checkpoint = \"6 MiB\"\n").await;
    let machine = Machine::signed_in(&world).await;
    let admin = world.admin().await;
    let content = bytes(1, 150 << 20);
    machine.write("large", &content);
    let mut child = machine.start(&["cp", "large", ":/"]);
    let upload = machine.begun_upload().await;
    eventually("some of it is durable", PATIENCE, async || offset_of(&admin, &upload).await.filter(|bytes| *bytes > 0))
        .await;
    child.kill().await.expect("it can be killed");
    machine.fails(&["stat", ":/large"], 3, "not-found").await;

    let said = machine.ok(&["cp", "--json", "large", ":/"]).await;
    let sent = said.summary()["bytes"].as_u64().expect("bytes");
    assert!(sent > 0 && sent < content.len() as u64, "the second command sent what was missing and no more: {said:?}");
    let stat = machine.ok(&["stat", "--json", ":/large"]).await.lines().remove(0);
    assert_eq!(stat["blake3"].as_str(), Some(blake3::hash(&content).to_hex().as_str()));
    let finished = admin.get(&format!("/uploads/{upload}")).await.expect(200);
    assert_eq!(finished["entry_id"], stat["id"], "it is the same upload that went on");
    assert_eq!(machine.unfinished("uploads"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_outlive_a_server_that_is_killed() {
    let mut world = World::start(Shape::Single, "files.checkpoint = \"6 MiB\"\n").await;
    let machine = Machine::signed_in(&world).await;
    let admin = world.admin().await;
    let content = bytes(2, 150 << 20);
    machine.write("large", &content);
    let child = machine.start(&["cp", "--json", "large", ":/"]);
    let upload = machine.begun_upload().await;
    eventually("some of it is durable", PATIENCE, async || offset_of(&admin, &upload).await.filter(|bytes| *bytes > 0))
        .await;
    world.gateways[0].kill();
    world.gateways[0].restart().await;
    let said = Said::of(child).await;
    assert_eq!(said.code, 0, "the command waited and went on: {said:?}");
    let finished = admin.get(&format!("/uploads/{upload}")).await.expect(200);
    assert_eq!(finished["state"], "finished", "{finished}");

    // The way back, with the server killed as soon as bytes have come.
    let child = machine.start(&["cp", "--json", ":/large", "back"]);
    let part = machine.path("back.holdfast-part");
    eventually("bytes have come", PATIENCE, async || fs::metadata(&part).ok().filter(|meta| meta.len() > 0)).await;
    world.gateways[0].kill();
    world.gateways[0].restart().await;
    let said = Said::of(child).await;
    assert_eq!(said.code, 0, "the command waited and went on: {said:?}");
    assert!(fs::read(machine.path("back")).expect("the file") == content);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_download_goes_on_where_it_was() {
    let world = World::start(Shape::Single, "").await;
    let machine = Machine::signed_in(&world).await;
    let content = bytes(3, 150 << 20);
    machine.write("large", &content);
    machine.ok(&["cp", "large", ":/"]).await;
    let mut child = machine.start(&["cp", ":/large", "back"]);
    let part = machine.path("back.holdfast-part");
    eventually("bytes have come", PATIENCE, async || fs::metadata(&part).ok().filter(|meta| meta.len() > 0)).await;
    child.kill().await.expect("it can be killed");
    assert!(!machine.path("back").exists(), "a file has its name only when it is whole");

    let said = machine.ok(&["cp", "--json", ":/large", "back"]).await;
    let came = said.summary()["bytes"].as_u64().expect("bytes");
    assert!(came > 0 && came < content.len() as u64, "{said:?}");
    assert!(fs::read(machine.path("back")).expect("the file") == content);
    assert!(!part.exists());
    assert_eq!(machine.unfinished("downloads"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once() {
    let world = World::start(Shape::Single, "").await;
    let machine = Machine::signed_in(&world).await;
    for number in 0..200 {
        machine.write(&format!("tree/{}/{number}", number % 7), &bytes(number, 10_000 + number as usize));
    }
    // Two commands that share a session, each with many files on their way.
    let (one, two) = tokio::join!(
        machine.ok(&["cp", "-r", "-j", "32", "tree", ":/one"]),
        machine.ok(&["cp", "-r", "tree", ":/two"])
    );
    assert!(one.err.contains("200 files") && two.err.contains("200 files"), "{one:?} {two:?}");
    machine.ok(&["cp", "-r", "-j", "32", ":/one", "one"]).await;
    machine.ok(&["cp", "-r", "-j", "1", ":/two", "two"]).await;
    let expected = files_below(&machine.path("tree"));
    assert!(files_below(&machine.path("one")) == expected && files_below(&machine.path("two")) == expected);
}

/// Takes more than ten seconds: a server counts as dead after ten of silence.
#[tokio::test(flavor = "multi_thread")]
async fn storage_servers_are_listed_drained_and_removed() {
    let settings = "[files]\ninline_max = 0\ngarbage_grace_seconds = 1\nparity = 2\nbackground_rest = 0\n";
    let mut world = World::start(Shape::Cluster, settings).await;
    world.add_node().await;
    let machine = Machine::signed_in(&world).await;
    let listed = async || machine.ok(&["node", "ls", "--json"]).await.lines();
    let nodes =
        eventually("seven are known", PATIENCE, async || Some(listed().await).filter(|all| all.len() == 7)).await;
    for number in 0..20 {
        machine.write(&format!("tree/{number}"), &bytes(number, 300_000));
    }
    machine.ok(&["cp", "-r", "tree", ":/"]).await;
    let id = |node: &Value| node["id"].as_str().expect("an id").to_owned();
    let (drained, dead) = (id(&nodes[0]), id(&nodes[1]));
    let table = machine.ok(&["node", "ls"]).await.out;
    assert!(table.starts_with("NODE") && table.contains(&drained) && table.lines().count() == 8, "{table}");

    machine.fails(&["node", "remove", &drained], 1, "node-not-empty").await;
    machine.fails(&["node", "remove", "--force", &dead], 1, "node-live").await;
    machine.fails(&["node", "drain", "nod_00000000000000000000000000000000"], 3, "holdfast node ls").await;
    machine.fails(&["node", "drain", "seven"], 2, "nod_").await;
    machine.ok(&["node", "drain", &drained]).await;
    eventually("it is empty", PATIENCE, async || {
        let status = machine.ok(&["cluster", "status", "--json"]).await.lines().remove(0);
        (status["moves"]["settled"] == true && status["repairs"]["waiting"] == 0).then_some(())
    })
    .await;
    machine.ok(&["node", "activate", &drained]).await;
    machine.ok(&["node", "drain", &drained]).await;
    eventually("it can be removed", PATIENCE, async || {
        (machine.run(&["node", "remove", &drained]).await.code == 0).then_some(())
    })
    .await;
    assert_eq!(
        listed().await.iter().find(|node| id(node) == drained).map(|node| node["state"].clone()),
        Some("removed".into())
    );
    assert!(machine.ok(&["cluster", "status"]).await.out.starts_with("Cluster   epoch "));

    // One that dies for good, and cannot be drained.
    let process = world.nodes.iter_mut().find(|node| node.log().contains(&dead)).expect("its process");
    process.kill();
    eventually("it counts as dead", PATIENCE, async || {
        listed().await.iter().any(|node| id(node) == dead && node["live"] == false).then_some(())
    })
    .await;
    machine.fails(&["node", "remove", &dead], 1, "node-not-empty").await;
    let removal = machine.ok(&["node", "remove", "--force", "--json", &dead]).await.lines().remove(0);
    assert!(removal["parts"].as_u64() > Some(0), "{removal}");
    assert_eq!((&removal["parts_to_rebuild"], &removal["lost_extents"]), (&removal["parts"], &0.into()), "{removal}");
    machine.ok(&["cp", "-r", ":/tree", "back"]).await;
    assert!(files_below(&machine.path("tree")) == files_below(&machine.path("back")));

    // Somebody who is no administrator.
    User::register(&world.gateways[0].url, "ada").await;
    let ada = Machine::new();
    ada.login(&world.gateways[1].url, "ada").await;
    ada.fails(&["node", "ls"], 4, "permission-missing").await;
    ada.fails(&["cluster", "status"], 4, "permission-missing").await;
    ada.fails(&["ls", ":/tree"], 3, "not-found").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_are_made_given_and_changed() {
    let world = World::start(Shape::Single, "").await;
    let machine = Machine::signed_in(&world).await;
    let ada = User::register(&world.gateways[0].url, "ada").await;
    let ada = ada.user["id"].as_str().expect("an id").to_owned();
    machine.fails(&["plan", "create", "Small", "--storage", "much"], 2, "`none` for no limit").await;
    let limits = ["plan", "create", "Small", "--storage", "1 MiB", "--versions", "3", "--default-for", "personal"];
    let id = machine.ok(&limits).await.out.trim().to_owned();
    let listed = machine.ok(&["plan", "ls"]).await.out;
    assert!(listed.contains(&id) && listed.contains("1.0 MiB") && listed.contains("personal"), "{listed}");
    let said = machine.ok(&["plan", "give", &id, &ada, "--preview"]).await;
    assert!(said.out.starts_with(&ada) && said.err.contains("Nothing was changed"), "{said:?}");
    let said = machine.run(&["plan", "give", &id, &ada, "spc_0197f3c6b1d07c3a9d2e5f60718293a4"]).await;
    assert!(said.code == 6 && said.out.contains("There is no such space"), "{said:?}");
    let said = machine.ok(&["plan", "set", &id, "--storage", "none", "--trash-days", "7"]).await;
    assert!(said.out.contains("it is for: 1"), "{said:?}");
    let listed = machine.ok(&["plan", "ls", "--json"]).await;
    let limits = &listed.lines()[0]["limits"];
    assert!(limits["storage_bytes"].is_null() && limits["trash_days"] == 7 && limits["versions_kept"] == 3, "{limits}");
    machine.fails(&["plan", "rm", &id], 1, "Spaces that have this plan: 1").await;
    machine.ok(&["plan", "give", "none", &ada]).await;
    machine.ok(&["plan", "rm", &id]).await;
}
