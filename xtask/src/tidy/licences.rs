//! What may be built in: the licences and bans of `deny.toml`, against what cargo really builds.
//!
//! `cargo deny check` reads the same file and does more (advisories, duplicates), but takes minutes to build and a
//! database that cannot be fetched everywhere. This check needs neither and runs with every change.

use std::{collections::BTreeSet, fs};

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::TARGETS;
use crate::{place::Place, process};

/// The part of `deny.toml` that is checked here.
#[derive(Deserialize)]
struct Policy {
    licenses: Licences,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licences {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
}

/// A crate with its licence expression, as its manifest states it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    licence: String,
}

/// Checks everything that the workspace builds, tests and build scripts included.
pub(super) fn check_workspace(place: &Place) -> Result<Vec<String>> {
    let policy = fs::read_to_string(place.root.join("deny.toml")).context("deny.toml")?;
    let policy: Policy = toml::from_str(&policy).context("deny.toml has another form than expected")?;
    // `cargo metadata` also lists crates that a weak feature only mentions; `cargo tree` knows what is built.
    let mut tree = place.cargo("tree");
    tree.args(["--workspace", "--edges", "normal,build,dev", "--prefix", "none", "--format", "{p}|{l}"]);
    for target in TARGETS {
        tree.args(["--target", target]);
    }
    Ok(check(&policy, &parse(&process::output(&mut tree)?)))
}

/// Reads lines like `serde v1.0.0 (proc-macro)|MIT OR Apache-2.0 (*)`.
fn parse(tree: &str) -> BTreeSet<Package> {
    let lines = tree.lines().filter_map(|line| line.trim_end_matches(" (*)").split_once('|'));
    lines
        .filter_map(|(package, licence)| {
            let name = package.split(' ').next().filter(|name| !name.is_empty())?;
            Some(Package { name: name.to_owned(), licence: licence.trim().to_owned() })
        })
        .collect()
}

fn check(policy: &Policy, packages: &BTreeSet<Package>) -> Vec<String> {
    let mut problems = Vec::new();
    for package in packages {
        if let Some(ban) = policy.bans.deny.iter().find(|ban| ban.name == package.name) {
            problems.push(format!("deny.toml bans {}: {}", package.name, ban.reason));
        }
        if !allows(&package.licence, &policy.licenses.allow) {
            let licence = if package.licence.is_empty() { "none stated" } else { &package.licence };
            problems.push(format!("deny.toml does not allow the licence of {}: {licence}", package.name));
        }
    }
    problems
}

/// Whether a licence expression can be satisfied with allowed licences only. AND binds more tightly than OR, as SPDX
/// has it; a slash is the old way to write OR. What cannot be read is not allowed.
fn allows(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    either(&mut words, allowed) == Some(true) && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn either(words: &mut Words<'_>, allowed: &[String]) -> Option<bool> {
    let mut verdict = both(words, allowed)?;
    while words.next_if_eq(&"OR").is_some() {
        verdict |= both(words, allowed)?;
    }
    Some(verdict)
}

fn both(words: &mut Words<'_>, allowed: &[String]) -> Option<bool> {
    let mut verdict = term(words, allowed)?;
    while words.next_if_eq(&"AND").is_some() {
        verdict &= term(words, allowed)?;
    }
    Some(verdict)
}

fn term(words: &mut Words<'_>, allowed: &[String]) -> Option<bool> {
    match words.next()? {
        "(" => {
            let verdict = either(words, allowed)?;
            (words.next()? == ")").then_some(verdict)
        }
        "AND" | "OR" | "WITH" | ")" => None,
        licence => match words.next_if_eq(&"WITH") {
            // An exception is part of the licence's name: allowed as a whole, or not.
            Some(_) => {
                let whole = format!("{licence} WITH {}", words.next()?);
                Some(allowed.contains(&whole))
            }
            None => Some(allowed.iter().any(|name| name == licence)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        toml::from_str(
            r#"
            [licenses]
            allow = ["MIT", "Apache-2.0", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"]
            [bans]
            deny = [{ crate = "openssl-sys", reason = "rustls is the one TLS stack" }]
            "#,
        )
        .expect("a policy")
    }

    #[test]
    fn an_expression_passes_when_allowed_licences_satisfy_it() {
        let check = |expression: &str, expected: bool| {
            assert_eq!(allows(expression, &policy().licenses.allow), expected, "{expression}");
        };
        check("MIT", true);
        check("MIT/Apache-2.0", true);
        check("Apache-2.0 / GPL-3.0", true);
        check("GPL-3.0 OR MIT", true);
        check("GPL-3.0", false);
        check("MIT AND GPL-3.0", false);
        check("GPL-3.0 AND MIT OR Apache-2.0", true);
        check("GPL-3.0 AND (MIT OR Apache-2.0)", false);
        check("(MIT OR GPL-3.0) AND Unicode-3.0", true);
        check("Apache-2.0 WITH LLVM-exception", true);
        check("MIT WITH LLVM-exception", false);
    }

    #[test]
    fn what_cannot_be_read_is_not_allowed() {
        for expression in ["", "MIT OR", "(MIT", "MIT)", "MIT MIT", "OR MIT", "Apache-2.0 WITH"] {
            assert!(!allows(expression, &policy().licenses.allow), "{expression:?}");
        }
    }

    #[test]
    fn the_tree_is_read_once_per_crate() {
        let tree = "\nserde v1.0.0|MIT OR Apache-2.0\nserde v1.0.0|MIT OR Apache-2.0 (*)\nmine v0.1.0 (folder)|\n";
        let packages: Vec<_> = parse(tree).into_iter().map(|package| (package.name, package.licence)).collect();
        assert_eq!(packages, [("mine".into(), String::new()), ("serde".into(), "MIT OR Apache-2.0".into())]);
    }

    #[test]
    fn a_banned_or_unlicensed_crate_is_named_with_the_reason() {
        let problems = check(&policy(), &parse("openssl-sys v0.9.0|MIT\nmine v0.1.0|\nserde v1.0.0|MIT\n"));
        assert_eq!(
            problems,
            [
                "deny.toml does not allow the licence of mine: none stated",
                "deny.toml bans openssl-sys: rustls is the one TLS stack",
            ]
        );
    }
}
