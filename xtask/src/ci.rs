//! The steps of CI, and the tests with the real services that they need.

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use crate::{journeys, oidc, place::Place, postgres::Throwaway, process, redis, setup, tidy, web};

/// The variable in which tests find their PostgreSQL server. A test that needs it fails where it is not set.
const POSTGRES_URL: &str = "HOLDFAST_TEST_POSTGRES";

/// The same for Redis.
const REDIS_URL: &str = "HOLDFAST_TEST_REDIS";

/// The folder of the identity provider that tests sign in at.
const OIDC_FOLDER: &str = "HOLDFAST_TEST_OIDC";

/// How long one step that compiles may take, cold, on two slow cores.
const COMPILE_LIMIT: Duration = Duration::from_secs(30 * 60);

/// How long all tests together may run. Whatever runs longer hangs.
const TEST_LIMIT: Duration = Duration::from_secs(25 * 60);

/// Everything that has to hold before a change lands, the cheapest first. The first failure ends it.
pub(crate) fn everything(place: &Place) -> Result<()> {
    let mut steps = Steps::default();
    let all = all_steps(place, &mut steps);
    steps.summary();
    all
}

fn all_steps(place: &Place, steps: &mut Steps) -> Result<()> {
    let generated = Generated::read(&place.root)?;
    steps.run("fmt", || process::run(place.cargo("fmt").args(["--all", "--check"]), COMPILE_LIMIT))?;
    steps.run("tidy", || tidy::check(place))?;
    // Before everything that compiles: the server embeds it.
    steps.run("web client", || web::build(place))?;
    steps.run("web checks", || web::check(place))?;
    steps.run("clippy", || {
        let product = ["--workspace", "--locked", "--quiet", "--", "-D", "warnings"];
        process::run(place.cargo("clippy").args(product), COMPILE_LIMIT)
    })?;
    steps.run("clippy of tests", || {
        // What `clippy.toml` disallows is the product's discipline. A test may read the clock and start a thread.
        let tests = ["--workspace", "--locked", "--quiet", "--all-targets", "--", "-D", "warnings"];
        let relaxed = ["-A", "clippy::disallowed_methods"];
        process::run(place.cargo("clippy").args(tests).args(relaxed), COMPILE_LIMIT)
    })?;
    steps.run("doc", || {
        let mut doc = place.cargo("doc");
        doc.args(["--workspace", "--locked", "--quiet", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
        process::run(&mut doc, COMPILE_LIMIT)
    })?;
    steps.run("test", || test(place, &[]))?;
    steps.run("journeys", || journeys::of_ci(place))?;
    steps.run("generated files", || generated.unchanged(&place.root))
}

/// Runs `cargo test` with the services it needs.
///
/// `args` are cargo's own; without a package among them the whole workspace is tested. A server named in the
/// environment is used as it is; otherwise one is started, and ended afterwards whatever happens.
pub(crate) fn test(place: &Place, args: &[String]) -> Result<()> {
    let (cargo_args, test_args) = split(args);
    web::build(place)?;
    let started = Instant::now();
    let mut build = place.cargo("test");
    build.args(&cargo_args).arg("--no-run");
    process::run(&mut build, COMPILE_LIMIT).context("the tests do not build")?;
    eprintln!("xtask: built the tests in {}", seconds(started.elapsed()));

    setup::fault_tools()?;
    let provider = match env::var_os(OIDC_FOLDER) {
        Some(folder) => PathBuf::from(folder),
        None => oidc::packages(place)?,
    };
    let own = if env::var_os(POSTGRES_URL).is_none() { Some(Throwaway::start(&setup::postgres()?)?) } else { None };
    let redis = match env::var_os(REDIS_URL) {
        Some(_) => None,
        None => setup::redis()?.then(redis::Throwaway::start).transpose()?,
    };
    let mut tests = place.cargo("test");
    tests.args(&cargo_args).args(test_args).env("RUST_BACKTRACE", "1").env(OIDC_FOLDER, provider);
    if let Some(server) = &own {
        tests.env(POSTGRES_URL, server.url());
    }
    if let Some(server) = &redis {
        tests.env(REDIS_URL, server.url());
    }
    process::run(&mut tests, TEST_LIMIT).context("tests failed")
}

/// Cargo's arguments, with the workspace added where no package is named, and those for the test programs.
fn split(args: &[String]) -> (Vec<&str>, Vec<&str>) {
    let end = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
    let mut cargo: Vec<&str> = args[..end].iter().map(String::as_str).collect();
    if !cargo.iter().any(|arg| arg.starts_with("-p") || arg.starts_with("--package") || *arg == "--workspace") {
        cargo.insert(0, "--workspace");
    }
    cargo.insert(0, "--locked");
    (cargo, args[end..].iter().map(String::as_str).collect())
}

/// Names and times of the steps so far.
#[derive(Default)]
struct Steps(Vec<(&'static str, Duration)>);

impl Steps {
    fn run(&mut self, name: &'static str, step: impl FnOnce() -> Result<()>) -> Result<()> {
        process::check_stopped()?;
        eprintln!("\n── {name}");
        let started = Instant::now();
        let result = step();
        let took = started.elapsed();
        self.0.push((name, took));
        match result {
            Ok(()) => {
                eprintln!("── {name}: passed in {}", seconds(took));
                Ok(())
            }
            Err(error) => Err(error).with_context(|| format!("step `{name}` failed after {}", seconds(took))),
        }
    }

    fn summary(&self) {
        let total: Duration = self.0.iter().map(|(_, took)| *took).sum();
        eprintln!();
        for (name, took) in self.0.iter().chain([&("total", total)]) {
            eprintln!("{name:<18}{:>10}", seconds(*took));
        }
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

/// The files that tests write, as they were before the tests ran.
struct Generated(BTreeMap<PathBuf, Vec<u8>>);

impl Generated {
    fn read(root: &Path) -> Result<Self> {
        let folder = root.join("docs/generated");
        let mut files = BTreeMap::new();
        match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            entries => {
                for entry in entries.context("docs/generated")? {
                    let path = entry?.path();
                    let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
                    files.insert(path, bytes);
                }
            }
        }
        Ok(Self(files))
    }

    /// Fails naming the files that the tests have rewritten, added or taken away.
    fn unchanged(&self, root: &Path) -> Result<()> {
        let now = Self::read(root)?;
        let changed: Vec<String> = (self.0.keys())
            .chain(now.0.keys().filter(|path| !self.0.contains_key(*path)))
            .filter(|path| self.0.get(*path) != now.0.get(*path))
            .map(|path| path.strip_prefix(root).unwrap_or(path).display().to_string())
            .collect();
        if !changed.is_empty() {
            bail!("the tests have written these anew; look at them and commit them: {}", changed.join(", "));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_go_to_cargo_or_to_the_tests() {
        let check = |args: &[&str], cargo: &[&str], tests: &[&str]| {
            let args: Vec<String> = args.iter().map(ToString::to_string).collect();
            assert_eq!(split(&args), (cargo.to_vec(), tests.to_vec()), "{args:?}");
        };
        check(&[], &["--locked", "--workspace"], &[]);
        check(&["ranges"], &["--locked", "--workspace", "ranges"], &[]);
        check(&["-p", "db"], &["--locked", "-p", "db"], &[]);
        check(&["--package=db", "--", "--nocapture"], &["--locked", "--package=db"], &["--", "--nocapture"]);
        check(&["--", "-p"], &["--locked", "--workspace"], &["--", "-p"]);
    }

    #[test]
    fn a_rewritten_added_or_missing_generated_file_is_named() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join("docs/generated");
        let none = Generated::read(root.path()).expect("no folder is no file");
        fs::create_dir_all(&folder).expect("a writable folder");
        fs::write(folder.join("a.md"), "one").expect("a writable folder");
        let before = Generated::read(root.path()).expect("readable");
        before.unchanged(root.path()).expect("nothing has changed");
        assert!(none.unchanged(root.path()).expect_err("a.md is new").to_string().contains("docs/generated/a.md"));

        fs::write(folder.join("a.md"), "two").expect("a writable folder");
        assert!(before.unchanged(root.path()).expect_err("a.md differs").to_string().ends_with("docs/generated/a.md"));
        fs::remove_file(folder.join("a.md")).expect("is there");
        assert!(before.unchanged(root.path()).is_err());
    }

    #[test]
    fn the_failing_step_is_named_and_ends_the_run() {
        let mut steps = Steps::default();
        steps.run("first", || Ok(())).expect("passes");
        let error = steps.run("second", || bail!("broken")).expect_err("fails");
        assert!(format!("{error:#}").starts_with("step `second` failed after "), "{error:#}");
        assert!(format!("{error:#}").ends_with(": broken"), "{error:#}");
        assert_eq!(steps.0.len(), 2);
    }
}
