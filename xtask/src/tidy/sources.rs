//! Heads, lengths and words of single files.

/// A Rust file of more lines than this is mentioned; it should have a reason.
const LONG_LINES: usize = 600;

/// A Rust file of more lines than this does not pass.
const MAX_LINES: usize = 1_000;

/// Words that mark unfinished work. (Put together here, so that this file passes its own check.)
const MARKS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX")];

/// Where single developers' machines keep things.
const MACHINE_PATHS: [&str; 3] = [concat!("/", "root/"), concat!("/", "home/"), concat!("/", "work/")];

/// Hosts that serve packages. Which one a machine uses is its own affair.
const REGISTRY_HOSTS: [&str; 9] = [
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("registry.", "npmjs.org"),
    concat!("py", "pi.org"),
    concat!("files.", "pythonhosted.org"),
    concat!("proxy.", "golang.org"),
    concat!("repo1.", "maven.org"),
    concat!("deb.", "debian.org"),
    concat!("snapshot.", "debian.org"),
];

/// The one source of crates that the lock file may name. Cargo writes it whichever mirror a machine uses.
const CRATES: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";

/// The gateway's protocol modules.
const PROTOCOLS: [&str; 5] = ["rest", "s3", "webdav", "tus", "live"];

/// What crates without I/O must not name.
const IO: [&str; 8] =
    ["std::fs", "std::net", "std::env", "std::process", "std::thread", "SystemTime::now", "Instant::now", "tokio::"];

/// What is wrong with a file, each with its place. `path` is relative to the root, with slashes.
pub(super) fn problems(path: &str, text: &str) -> Vec<String> {
    let mut found = Found { path, problems: Vec::new() };
    if path.ends_with(".rs") {
        check_rust(&mut found, text);
    }
    for (number, line) in lines(text) {
        if is_code(path) {
            check_marks(&mut found, number, line);
        }
        for machine in MACHINE_PATHS.into_iter().filter(|machine| names_path(line, machine)) {
            found.at(number, format!("{machine} is a path of one machine"));
        }
        for host in REGISTRY_HOSTS.into_iter().filter(|host| line.contains(host)) {
            found.at(number, format!("{host} is a registry: say the package, not where it comes from"));
        }
        if path == "Cargo.lock" && line.starts_with("source = ") && line != CRATES {
            found.at(number, "a crate comes from somewhere else than the crates registry".into());
        }
    }
    found.problems
}

/// A remark on a file that passes.
pub(super) fn note(path: &str, text: &str) -> Option<String> {
    let count = text.lines().count();
    let long = path.ends_with(".rs") && (LONG_LINES + 1..=MAX_LINES).contains(&count);
    long.then(|| format!("{path} has {count} lines; over {LONG_LINES} needs a reason"))
}

struct Found<'a> {
    path: &'a str,
    problems: Vec<String>,
}

impl Found<'_> {
    fn at(&mut self, line: usize, what: String) {
        self.problems.push(format!("{}:{line}: {what}", self.path));
    }
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

fn check_rust(found: &mut Found<'_>, text: &str) {
    let path = found.path;
    if !text.starts_with("//! ") {
        found.at(1, "a file begins with a `//!` line that says what it is for".into());
    }
    if path.rsplit('/').next() == Some("mod.rs") {
        found.at(1, "name the file after the module, beside the folder".into());
    }
    let count = text.lines().count();
    if count > MAX_LINES {
        found.at(count, format!("{count} lines: split the file by use case ({MAX_LINES} is the most)"));
    }
    if is_front_page(path) && !states_reason(text) {
        found.at(1, "the front page of a crate says why it is one: `Reason to exist (a|b|c): …`".into());
    }
    let pure = path.starts_with("crates/base/src/") || path.starts_with("crates/stripe/src/");
    let protocol = PROTOCOLS.into_iter().find(|protocol| {
        let rest = path.strip_prefix("crates/gateway/src/").and_then(|rest| rest.strip_prefix(protocol));
        rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
    });
    for (number, line) in lines(text) {
        let comment = line.trim_start().starts_with("//");
        for io in IO.into_iter().filter(|io| pure && !comment && line.contains(io)) {
            found.at(number, format!("{io} does not belong in a crate without I/O, threads and clock"));
        }
        if path.starts_with("crates/") && path.contains("/src/") && !comment && line.contains("testkit::") {
            found.at(number, "testkit is used in tests/it only: here it meets a second copy of the crate".into());
        }
        let other = PROTOCOLS.into_iter().find(|other| names_path(line, &format!("crate::{other}::")));
        if let (Some(this), Some(other)) = (protocol, other.filter(|other| Some(*other) != protocol)) {
            found.at(number, format!("the protocol modules {this} and {other} do not know each other"));
        }
    }
}

/// Whether this is the `lib.rs` or `main.rs` of a crate.
fn is_front_page(path: &str) -> bool {
    let mut pieces = path.rsplit('/');
    let front = matches!(pieces.next(), Some("lib.rs" | "main.rs")) && pieces.next() == Some("src");
    front && (path.starts_with("crates/") || path.starts_with("xtask/"))
}

/// Whether the head of the file names one of the three reasons for a crate.
fn states_reason(text: &str) -> bool {
    let head: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
    let head = head.to_lowercase();
    ["reason a", "reason b", "reason c"].iter().any(|reason| head.contains(reason))
        || (head.contains("reason to exist") && ["(a", "(b", "(c"].iter().any(|reason| head.contains(reason)))
}

/// Whether the file is code or configuration rather than prose.
fn is_code(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let code = ["rs", "proto", "sql", "toml", "yaml", "yml", "sh", "ts", "vue", "css", "js"];
    code.contains(&extension) || name == "Containerfile" || path == ".ci/run"
}

/// A mark of unfinished work is fine where it names the issue that finishes it: `MARK(#12)`.
fn check_marks(found: &mut Found<'_>, number: usize, line: &str) {
    for mark in MARKS {
        for (index, _) in line.match_indices(mark) {
            let before = line[..index].chars().next_back();
            let after = &line[index + mark.len()..];
            let part_of_word = before.is_some_and(is_word) || after.starts_with(is_word);
            let issue = after.strip_prefix("(#").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
            if !part_of_word && !issue {
                found.at(number, format!("{mark} without the number of an issue: {mark}(#12)"));
            }
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether `line` has `prefix` where a path begins, not in the middle of one.
fn names_path(line: &str, prefix: &str) -> bool {
    line.match_indices(prefix).any(|(index, _)| {
        let before = line[..index].chars().next_back();
        !before.is_some_and(|c| is_word(c) || ['.', '-', '~', '}', ')', ':'].contains(&c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asserts that each text is refused with these words, or passes where there are none.
    fn check(path: &str, text: &str, expected: &[&str]) {
        let found = problems(path, text);
        assert_eq!(found.len(), expected.len(), "{path}: {found:?}");
        for (problem, words) in found.iter().zip(expected) {
            assert!(problem.starts_with(path) && problem.contains(words), "{problem:?} lacks {words:?}");
        }
    }

    #[test]
    fn a_rust_file_has_a_head() {
        check("crates/db/src/pool.rs", "//! Pools.\n", &[]);
        check("crates/db/src/pool.rs", "use std::fmt;\n", &[":1: a file begins with"]);
        check("crates/db/src/pool.rs", "", &["a file begins with"]);
        check("crates/db/README.md", "# Prose\n", &[]);
    }

    #[test]
    fn a_module_is_a_named_file() {
        check("crates/db/src/pool/mod.rs", "//! Pools.\n", &["name the file"]);
        check("crates/db/src/pool/amod.rs", "//! Pools.\n", &[]);
    }

    #[test]
    fn a_long_file_is_noted_and_a_very_long_one_refused() {
        let of = |count: usize| "//! Long.\n".repeat(count);
        assert_eq!(note("a.rs", &of(600)), None);
        assert!(note("a.rs", &of(601)).is_some_and(|note| note.contains("601")));
        assert!(note("a.md", &of(601)).is_none());
        check("a.rs", &of(1_000), &[]);
        check("a.rs", &of(1_001), &["1001 lines"]);
        assert_eq!(note("a.rs", &of(1_001)), None);
    }

    #[test]
    fn a_crate_says_why_it_is_one() {
        check("crates/db/src/lib.rs", "//! SQL.\n//!\n//! Reason to exist (b): drivers.\n", &[]);
        check("crates/node/src/lib.rs", "//! Parts.\n//!\n//! Reason to exist (a, c): runs alone.\n", &[]);
        check("crates/db/src/lib.rs", "//! It exists to enforce a rule (reason a).\n", &[]);
        check("crates/db/src/lib.rs", "//! SQL.\n", &["says why it is one"]);
        check("crates/db/src/lib.rs", "//! SQL.\n\n// Reason to exist (b)\n", &["says why it is one"]);
        check("crates/db/src/sub/lib.rs", "//! A module.\n", &[]);
    }

    #[test]
    fn unfinished_work_names_its_issue() {
        for mark in MARKS {
            check("a.sql", &format!("-- {mark}: later"), &["without the number of an issue"]);
            check("a.sql", &format!("-- {mark}(me)"), &["without the number of an issue"]);
            check("a.sql", &format!("-- {mark}(#12): later"), &[]);
            check("a.sql", &format!("-- A{mark} {mark}S"), &[]);
            check("a.md", &format!("{mark} in prose"), &[]);
        }
        check("deploy/Containerfile", &format!("# {}", MARKS[0]), &["without the number"]);
    }

    #[test]
    fn a_machine_path_is_refused_where_it_begins() {
        for machine in MACHINE_PATHS {
            check("a.md", &format!("see {machine}me/notes"), &["path of one machine"]);
            check("a.toml", &format!("dir = \"{machine}me\""), &["path of one machine"]);
            check("a.md", &format!("a{machine}x and ~{machine}x and $HOME{machine}x"), &[]);
        }
    }

    #[test]
    fn a_registry_is_not_named() {
        for host in REGISTRY_HOSTS {
            check("a.toml", &format!("index = \"https://{host}/x\""), &["is a registry"]);
        }
        check("Cargo.lock", &format!("name = \"x\"\n{CRATES}\n"), &[]);
        check("Cargo.lock", "source = \"git+https://example.org/x\"", &[":1: a crate comes from somewhere else"]);
    }

    #[test]
    fn a_crate_without_io_names_none() {
        check("crates/base/src/time.rs", "//! Time.\nuse std::fs;\n", &[":2: std::fs does not belong"]);
        check("crates/stripe/src/a.rs", "//! A.\nlet t = Instant::now();\n", &["Instant::now does not belong"]);
        check("crates/stripe/benches/a.rs", "//! A.\nlet t = Instant::now();\n", &[]);
        check("crates/node/src/a.rs", "//! A.\nuse std::fs;\n", &[]);
    }

    #[test]
    fn protocol_modules_do_not_know_each_other() {
        let text = "//! A.\nuse crate::tus::Offset;\nuse crate::error::Problem;\n";
        check("crates/gateway/src/rest/files.rs", text, &[":2: the protocol modules rest and tus"]);
        check("crates/gateway/src/tus.rs", text, &[]);
        check("crates/gateway/src/router.rs", text, &[]);
    }

    #[test]
    fn testkit_stays_in_tests_it() {
        let text = "//! A.\nuse testkit::Db;\n";
        check("crates/db/src/pool.rs", text, &["testkit is used in tests/it only"]);
        check("crates/db/src/pool.rs", "//! The suite is `testkit::suite`.\n", &[]);
        check("crates/db/tests/it/main.rs", text, &[]);
    }
}
