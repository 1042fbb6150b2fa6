//! Benchmarks: the server in release measures itself, with its data on the disk of the build folder unless asked
//! otherwise.

use std::{os::unix::process::CommandExt as _, process::Command};

use anyhow::{Context as _, Result};

use crate::place::Place;

/// Builds the server in release and becomes `holdfast bench`, so that signals and the exit code are its own.
pub(crate) fn run(place: &Place, args: &[String]) -> Result<()> {
    let binary = place.build_holdfast()?;
    let error = Command::new(&binary).args(arguments(&place.target.display().to_string(), args)).exec();
    Err(error).with_context(|| format!("cannot start {}", binary.display()))
}

/// The command line of the benchmark. Inside the clone the servers' data would be looked at by editors and backups.
fn arguments(target: &str, args: &[String]) -> Vec<String> {
    let mut all = vec!["bench".to_owned()];
    all.extend_from_slice(args);
    let measures = args.first().is_some_and(|what| what == "storage" || what == "drive");
    if measures && !args.iter().any(|arg| arg == "--dir" || arg.starts_with("--dir=")) {
        all.extend(["--dir".to_owned(), target.to_owned()]);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_goes_to_the_build_folder_unless_asked_for() {
        let check = |args: &[&str], expected: &[&str]| {
            let args: Vec<_> = args.iter().map(|arg| (*arg).to_owned()).collect();
            assert_eq!(arguments("/t", &args), expected);
        };
        check(&["storage"], &["bench", "storage", "--dir", "/t"]);
        check(&["drive"], &["bench", "drive", "--dir", "/t"]);
        check(&["storage", "--quick"], &["bench", "storage", "--quick", "--dir", "/t"]);
        check(&["storage", "--dir", "/d"], &["bench", "storage", "--dir", "/d"]);
        check(&["storage", "--dir=/d"], &["bench", "storage", "--dir=/d"]);
        check(&["--help"], &["bench", "--help"]);
    }
}
