//! The documents and examples that users start from are true.

use std::{path::Path, process::Command};

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
        "", "serve", "check", "migrate", "config", "bench", "login", "logout", "whoami", "ls", "cp", "mkdir", "mv",
        "rm", "stat", "node", "cluster",
    ] {
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let help = printed(&arguments);
        let title = if command.is_empty() { "holdfast".to_owned() } else { format!("holdfast {command}") };
        page.push_str(&format!("\n## {title}\n\n```\n{}\n```\n", help.trim_end()));
    }
    let path = root().join("docs/generated/cli.md");
    if std::fs::read_to_string(&path).ok().as_deref() != Some(&page) {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder can be made");
        std::fs::write(&path, page).expect("the page can be written");
    }
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
