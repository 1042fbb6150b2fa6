//! The project's own commands: run the product, test it, check its habits, start a cluster on this machine.
//!
//! Reason to exist (c): development only. Nothing that ships imports it. Everything that CI does is a command here, so
//! that a person can do it too.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program talks to its terminal")]
#![expect(
    clippy::disallowed_methods,
    reason = "xtask is outside the product: it reads the environment, measures real time and polls processes"
)]

mod bench;
mod ci;
mod cluster;
mod conformance;
#[cfg(test)]
mod deploy_tests;
mod http;
mod journeys;
mod oidc;
mod place;
mod postgres;
mod process;
mod redis;
mod setup;
mod tidy;
mod web;

use std::{
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Command, ExitCode},
};

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

use crate::place::Place;

/// The project's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the server in release and start it with the embedded defaults.
    Run {
        /// Passed on to `holdfast serve`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Build the server in release and measure it: `cargo xtask bench storage`; see docs/benchmarks.md.
    Bench {
        /// Passed on to `holdfast bench`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Start real services on loopback and run the tests against them.
    Test {
        /// Passed on to `cargo test`; without them, the whole workspace is tested.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Everything that CI checks: formatting, tidy, clippy, documentation, tests, generated files.
    Ci,
    /// Ask the real server what its OpenAPI document allows, and more, and look at the answers; needs Python.
    Conformance {
        /// Ask this program, built before, and build nothing.
        #[arg(long, value_name = "PATH")]
        binary: Option<PathBuf>,
        /// Random questions for each call, beside those at the bounds of its parameters.
        #[arg(long, default_value_t = 10)]
        examples: u32,
    },
    /// Drive the web client in Chromium against the real server: all journeys, or those whose names hold a word.
    Journeys {
        /// Serve with this program, built before, and build nothing.
        #[arg(long, value_name = "PATH")]
        binary: Option<PathBuf>,
        /// Words of names.
        words: Vec<String>,
    },
    /// Take a picture of every page of the web client, in both themes and languages and three widths.
    Screenshots {
        /// Serve with this program, built before, and build nothing.
        #[arg(long, value_name = "PATH")]
        binary: Option<PathBuf>,
        /// Which ones: a word of their names, `--only=dark-ru`; all without any.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Check the habits that no compiler checks: who imports whom, licences, file heads and lengths.
    Tidy,
    /// A whole cluster as plain processes on loopback: PostgreSQL, two gateways, one worker, six nodes.
    Cluster {
        #[command(subcommand)]
        action: Option<ClusterAction>,
        /// Where the cluster keeps its data, logs and process ids.
        #[arg(long, default_value = "data-cluster", global = true)]
        dir: PathBuf,
    },
}

#[derive(Subcommand)]
enum ClusterAction {
    /// Start what is not running yet, and wait until it answers (the default).
    Up {
        /// Gateways listen on this port + 1 and + 2, the worker on + 3, PostgreSQL on + 4, nodes from + 11.
        #[arg(long)]
        base_port: Option<u16>,
        /// Start this program, built before, and build nothing.
        #[arg(long, value_name = "PATH")]
        binary: Option<PathBuf>,
    },
    /// Stop every process of the cluster; the data stays.
    Down,
    /// Say which processes run, and where.
    Status,
}

fn main() -> ExitCode {
    match perform(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            process::exit_code(&error)
        }
    }
}

fn perform(task: Task) -> Result<()> {
    let place = Place::find()?;
    match task {
        Task::Run { args } => run(&place, &args),
        Task::Bench { args } => bench::run(&place, &args),
        Task::Test { args } => {
            process::watch_signals()?;
            ci::test(&place, &args)
        }
        Task::Ci => {
            process::watch_signals()?;
            ci::everything(&place)
        }
        Task::Conformance { binary, examples } => {
            process::watch_signals()?;
            conformance::run(&place, absolute(binary)?, examples)
        }
        Task::Journeys { binary, words } => {
            process::watch_signals()?;
            journeys::run(&place, absolute(binary)?, &words)
        }
        Task::Screenshots { binary, args } => {
            process::watch_signals()?;
            journeys::screenshots(&place, absolute(binary)?, &args)
        }
        Task::Tidy => tidy::check(&place),
        Task::Cluster { action, dir } => {
            process::watch_signals()?;
            let dir = std::path::absolute(dir).context("the cluster's folder")?;
            match action.unwrap_or(ClusterAction::Up { base_port: None, binary: None }) {
                ClusterAction::Up { base_port, binary } => {
                    let holdfast = binary.map(std::path::absolute).transpose().context("the program to start")?;
                    cluster::up(&dir, base_port, || holdfast.map_or_else(|| place.build_holdfast(), Ok))
                }
                ClusterAction::Down => cluster::down(&dir),
                ClusterAction::Status => cluster::status(&dir),
            }
        }
    }
}

/// Builds the server and becomes it, so that signals and the exit code are the server's own.
fn run(place: &Place, args: &[String]) -> Result<()> {
    let binary = place.build_holdfast()?;
    let error = Command::new(&binary).arg("serve").args(args).exec();
    Err(error).with_context(|| format!("cannot start {}", binary.display()))
}

/// A program's path that holds in every folder.
fn absolute(program: Option<PathBuf>) -> Result<Option<PathBuf>> {
    program.map(std::path::absolute).transpose().context("the path of the program")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn arguments_are_passed_on_whole() {
        let check = |line: &[&str], expected: &[&str]| {
            let (Task::Run { args } | Task::Bench { args } | Task::Test { args }) =
                Cli::try_parse_from(line).expect("parses").task
            else {
                panic!("another task")
            };
            assert_eq!(args, expected);
        };
        check(&["xtask", "run"], &[]);
        check(&["xtask", "run", "--listen", "127.0.0.1:9"], &["--listen", "127.0.0.1:9"]);
        check(&["xtask", "bench", "storage", "--quick"], &["storage", "--quick"]);
        check(&["xtask", "run", "--", "--help"], &["--help"]);
        check(&["xtask", "test", "-p", "db", "--", "--nocapture"], &["-p", "db", "--", "--nocapture"]);
    }
}
