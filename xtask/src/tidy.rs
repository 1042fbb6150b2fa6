//! Habits that no compiler checks, checked in well under a second.
//!
//! - [`imports`]: who may import whom, and which crate holds which heavy library
//! - [`sources`]: heads, lengths and words of the files in the repository
//! - [`licences`]: what `deny.toml` allows and bans, against what is really built

mod imports;
mod licences;
mod sources;

use std::{fs, time::Instant};

use anyhow::{Context as _, Result, bail};

use crate::{place::Place, process};

/// The platforms that are built for; what other platforms would pull in is no concern of ours.
const TARGETS: [&str; 2] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];

/// Runs every check, prints what is wrong, and fails if anything is.
pub(crate) fn check(place: &Place) -> Result<()> {
    let started = Instant::now();
    let mut problems = imports::check(&imports::Member::read_all(place)?);
    problems.extend(licences::check_workspace(place)?);
    let mut notes = Vec::new();
    let mut files = 0;
    for path in tracked_files(place)? {
        // A file that is deleted but not yet committed so, or that is not text, has nothing to check.
        let Ok(text) = fs::read_to_string(place.root.join(&path)) else { continue };
        files += 1;
        problems.extend(sources::problems(&path, &text));
        notes.extend(sources::note(&path, &text));
    }
    for note in &notes {
        println!("note: {note}");
    }
    for problem in &problems {
        println!("{problem}");
    }
    if !problems.is_empty() {
        bail!("tidy found {} problems", problems.len());
    }
    println!("tidy: {files} files, nothing to complain about, {} ms", started.elapsed().as_millis());
    Ok(())
}

/// What is in the repository, or would be after `git add --all`.
fn tracked_files(place: &Place) -> Result<Vec<String>> {
    let mut git = std::process::Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(&place.root);
    let listed = process::output(&mut git).context("cannot list the files of the repository")?;
    Ok(listed.split_terminator('\0').map(str::to_owned).collect())
}
