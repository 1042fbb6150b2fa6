//! The documents and examples that users start from are true.

use std::{path::Path, process::Command, time::Duration};

use serde_json::{Value, json};

use crate::harness::{Answer, PASSWORD, Shape, User, World, bytes, eventually};

/// The workspace. Cargo runs tests in the folder of their package.
fn root() -> &'static Path {
    Path::new("../..")
}

/// What the binary prints for these arguments.
fn printed(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_holdfast")).args(arguments).output().expect("the binary runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// `docs/generated/cli.md` is what `--help` says. Where it differs it is written anew, and CI refuses the difference.
#[test]
fn the_command_line_is_documented() {
    let mut page = String::from("# The command line\n\nWritten by a test from the program's own help.\n");
    for command in [
        "",
        "serve",
        "check",
        "migrate",
        "seed-demo",
        "config",
        "bench",
        "login",
        "logout",
        "whoami",
        "token",
        "token create",
        "token ls",
        "token rm",
        "ls",
        "cp",
        "mkdir",
        "mv",
        "rm",
        "stat",
        "plan",
        "plan create",
        "plan set",
        "plan give",
        "node",
        "node remove",
        "cluster",
        "cluster status",
    ] {
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let help = printed(&arguments);
        let title = if command.is_empty() { "holdfast".to_owned() } else { format!("holdfast {command}") };
        page.push_str(&format!("\n## {title}\n\n```\n{}\n```\n", help.trim_end()));
    }
    write_if_changed("cli.md", &page);
}

/// Writes a generated file where it differs.
fn write_if_changed(name: &str, text: &str) {
    let path = root().join("docs/generated").join(name);
    if std::fs::read_to_string(&path).ok().as_deref() != Some(text) {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder can be made");
        std::fs::write(&path, text).expect("the file can be written");
    }
}

/// `docs/generated/openapi.json` is what a server describes itself with.
#[tokio::test(flavor = "multi_thread")]
async fn the_api_is_described() {
    let world = World::start(Shape::Single, "").await;
    let url = format!("{}/api/v1/openapi.json", world.gateways[0].url);
    let description: Value = reqwest::get(url).await.expect("an answer").json().await.expect("JSON");
    assert!(description["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
    let text = serde_json::to_string_pretty(&description).expect("JSON");
    write_if_changed("openapi.json", &format!("{text}\n"));
}

#[test]
fn wrong_usage_and_wrong_configuration_say_what_is_wrong() {
    let fails = |arguments: &[&str], code: i32, reason: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_holdfast")).args(arguments).output().expect("the binary runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
        assert!(text.contains(reason), "{arguments:?}: {text}");
    };
    fails(&["serve", "--role", "gatway"], 2, "gatway");
    fails(&["frobnicate"], 2, "frobnicate");
    fails(&["check", "--config", "/nonexistent.toml"], 1, "cannot be read");
    fails(&["serve", "--role", "gateway", "--listen", "127.0.0.1:0"], 1, "cluster_secret");
}

/// Logs are read by programs: one that is no terminal gets no colours, and JSON is one object a line.
#[tokio::test(flavor = "multi_thread")]
async fn logs_are_plain_where_nobody_looks() {
    for (settings, reads) in [("", false), ("log.format = \"json\"\n", true)] {
        let mut world = World::start(Shape::Single, settings).await;
        world.gateways[0].terminate();
        // Its last line may still be on its way to us.
        let log = eventually("it says that it stopped", Duration::from_secs(10), async || {
            Some(world.gateways[0].log()).filter(|log| log.contains("stopped"))
        })
        .await;
        assert!(!log.contains('\u{1b}'), "{log}");
        let lines = log.lines().filter(|line| line.contains("the node is open"));
        for line in lines {
            assert_eq!(serde_json::from_str::<Value>(line).is_ok(), reads, "{line}");
        }
    }
}

/// What `docs/logging.md` promises: at any level of our own code, no secret and no name of a file.
#[tokio::test(flavor = "multi_thread")]
async fn logs_keep_secrets_and_names_to_themselves() {
    let mut world = World::start(Shape::Single, "log.level = \"debug\"\nlog.format = \"json\"\n").await;
    let url = world.gateways[0].url.clone();
    let user = User::register(&url, "ada").await;
    let (password, name) = ("a wrong password of somebody", "very-private-name.txt");
    let wrong = json!({ "name": "ada", "password": password });
    Answer::of(user.http.post(format!("{url}/api/v1/login")).json(&wrong)).await.refused(401, "wrong-credentials");
    let entry = user.upload(name, bytes(1, 100_000)).await;
    let taken = user.request("POST", "/files").query(&[("name", name)]).body("x");
    Answer::of(taken).await.refused(409, "name-taken");
    let path = user.request("GET", &format!("/spaces/{}/entry", user.user["space_id"].as_str().expect("a space")));
    Answer::of(path.query(&[("path", format!("/no/{name}"))])).await.refused(404, "not-found");
    user.download(entry["id"].as_str().expect("an id")).await;
    let refresh = json!({ "refresh_token": user.refresh_token });
    Answer::of(user.http.post(format!("{url}/api/v1/refresh")).json(&refresh)).await.expect(200);
    world.gateways[0].terminate();
    let log = eventually("it says that it stopped", Duration::from_secs(10), async || {
        Some(world.gateways[0].log()).filter(|log| log.contains("\"stopped\""))
    })
    .await;
    assert!(log.contains("\"answered\"") && log.contains("\"name-taken\""), "{log}");
    for secret in [PASSWORD, password, name, &user.token, &user.refresh_token] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}
