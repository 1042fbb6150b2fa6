//! Who may import whom: the layers of the workspace as data, compared with what cargo says.

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::{place::Place, process};

/// A crate, the crates of ours that it may import, and why no others.
struct Layer {
    name: &'static str,
    may_import: &'static [&'static str],
    because: &'static str,
}

/// A crate that is not in this table does not pass: a new one needs a decision record, and a row here.
///
/// From the bottom to the top, the crates for development first. What a crate may import lies below it; its tests may
/// name everything below it, since they set the real thing up (a store on real nodes under a drive).
const LAYERS: &[Layer] = &[
    Layer {
        name: "testkit",
        may_import: &["base", "proto", "db"],
        because: "testkit serves the tests of every domain and therefore knows none",
    },
    Layer { name: "xtask", may_import: &[], because: "xtask must build in seconds and work when the product does not" },
    Layer { name: "base", may_import: &[], because: "base holds value types that know nothing of ours" },
    Layer { name: "stripe", may_import: &["base"], because: "stripe is pure mathematics of redundancy" },
    Layer { name: "proto", may_import: &["base"], because: "proto is the contract with storage servers and no more" },
    Layer { name: "db", may_import: &["base"], because: "db knows rows, not what they mean to a domain" },
    Layer {
        name: "journal",
        may_import: &["base", "db"],
        because: "the journal stands under every domain and knows none of them",
    },
    Layer {
        name: "bus",
        may_import: &["base", "db", "journal"],
        because: "the bus carries jobs and topics for domains that it does not know",
    },
    Layer {
        name: "node",
        may_import: &["base", "proto"],
        because: "a storage node runs alone: it knows parts, never files or users, and starts when the database is down",
    },
    Layer {
        name: "files",
        may_import: &["base", "stripe", "proto", "db", "bus"],
        because: "files keeps the storage promise and knows neither users nor trees",
    },
    Layer {
        name: "accounts",
        may_import: &["base", "db", "journal", "bus"],
        because: "accounts is shared by the domains above it",
    },
    Layer {
        name: "commons",
        may_import: &["base", "accounts"],
        because: "commons speaks to Redis for contracts that others set, and knows neither rows nor requests",
    },
    Layer {
        name: "drive",
        may_import: &["base", "db", "journal", "bus", "files", "accounts"],
        because: "drive is isolated from its sibling domains, from HTTP and from storage servers",
    },
    Layer { name: "scenery", may_import: &[], because: "scenery makes bytes out of numbers and knows nothing of ours" },
    Layer {
        name: "gateway",
        may_import: &["base", "files", "accounts", "drive", "journal", "bus"],
        because: "the gateway speaks web protocols to domain handles; it holds no SQL, no parts and no business rule",
    },
    Layer {
        name: "holdfast",
        may_import: &[
            "base", "stripe", "proto", "db", "journal", "bus", "node", "files", "accounts", "commons", "drive",
            "scenery", "gateway",
        ],
        because: "what ships does not contain development tools",
    },
];

/// Libraries with one home each, so that a change of library stays inside one crate.
struct Heavy {
    libraries: &'static [&'static str],
    homes: &'static [&'static str],
    because: &'static str,
}

const HEAVY: &[Heavy] = &[
    Heavy { libraries: &["rusqlite", "deadpool-postgres"], homes: &["db"], because: "all SQL is in db" },
    Heavy { libraries: &["tokio-postgres"], homes: &["db", "testkit"], because: "all SQL is in db" },
    Heavy {
        libraries: &["tonic", "tonic-prost", "prost"],
        homes: &["proto", "node"],
        because: "the gRPC stack is contained in proto",
    },
    Heavy {
        libraries: &["tonic-prost-build", "protox"],
        homes: &["proto"],
        because: "the gRPC stack is contained in proto",
    },
    Heavy { libraries: &["redis"], homes: &["commons"], because: "the client of Redis is contained in commons" },
    Heavy {
        libraries: &["image"],
        // The program names it in a test, to look at what was made.
        homes: &["scenery", "holdfast"],
        because: "encoders of pictures are contained in scenery",
    },
    Heavy {
        libraries: &["axum"],
        // proto mounts its service in a router only in a test.
        homes: &["gateway", "holdfast", "proto"],
        because: "the HTTP stack is contained in the gateway",
    },
    Heavy {
        libraries: &["hyper", "hyper-util", "http-body", "http-body-util"],
        homes: &["gateway", "proto", "holdfast"],
        because: "HTTP is contained in the gateway, and what gRPC needs of it in proto",
    },
    Heavy {
        libraries: &["httpdate", "tower-http", "utoipa", "utoipa-axum", "governor"],
        homes: &["gateway"],
        because: "only the gateway speaks web protocols",
    },
    Heavy {
        libraries: &["http", "tower"],
        homes: &["gateway", "proto", "holdfast"],
        because: "no domain crate speaks of HTTP",
    },
    Heavy {
        libraries: &["argon2", "jsonwebtoken", "webauthn-rs"],
        homes: &["accounts"],
        because: "passwords, tokens and passkeys are checked in accounts",
    },
    Heavy {
        libraries: &["totp-rs"],
        // The edge and the binary play the authenticator app in tests only.
        homes: &["accounts", "gateway", "holdfast"],
        because: "second factors are made in accounts",
    },
    Heavy { libraries: &["lettre"], homes: &["holdfast"], because: "how mail leaves is decided by the binary" },
    Heavy {
        libraries: &["reqwest", "indicatif", "rpassword"],
        homes: &["holdfast"],
        because: "only the command line needs it",
    },
    Heavy {
        libraries: &["clap", "anyhow", "toml"],
        homes: &["holdfast", "xtask"],
        because: "a library has no command line, no configuration file and errors of its own",
    },
    Heavy {
        libraries: &[
            "metrics-exporter-prometheus",
            "opentelemetry",
            "opentelemetry-otlp",
            "opentelemetry_sdk",
            "tracing-opentelemetry",
            "tracing-subscriber",
        ],
        homes: &["holdfast"],
        because: "where telemetry goes is decided by the binary",
    },
];

/// A crate whose every library is listed, because its being pure is the reason for its existence.
struct Pure {
    name: &'static str,
    libraries: &'static [&'static str],
}

const PURE: &[Pure] = &[
    Pure { name: "base", libraries: &["serde", "thiserror", "unicode-normalization", "uuid"] },
    Pure { name: "stripe", libraries: &["blake3", "thiserror", "twox-hash"] },
];

/// Why a pure crate may not have just any library.
const PURE_BECAUSE: &str = "it does no I/O, is not asynchronous, reads no clock and draws no random number";

/// A crate of the workspace with what it names in its manifest.
#[derive(Debug, Deserialize)]
pub(super) struct Member {
    name: String,
    dependencies: Vec<Dependency>,
}

/// One line of a manifest's dependencies.
#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    kind: Option<Kind>,
    /// Set where the dependency is a folder of the workspace.
    path: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Dev,
    Build,
}

impl Member {
    /// All crates of the workspace, as cargo reads their manifests.
    pub(super) fn read_all(place: &Place) -> Result<Vec<Self>> {
        #[derive(Deserialize)]
        struct Metadata {
            packages: Vec<Member>,
        }
        let json = process::output(place.cargo("metadata").args(["--format-version", "1", "--no-deps"]))?;
        let metadata: Metadata =
            serde_json::from_str(&json).context("cargo metadata has another form than expected")?;
        Ok(metadata.packages)
    }
}

/// One sentence for each import that the tables forbid.
pub(super) fn check(members: &[Member]) -> Vec<String> {
    let mut problems = Vec::new();
    for member in members {
        let Some(layer) = LAYERS.iter().find(|layer| layer.name == member.name) else {
            problems.push(format!(
                "{} is in no layer: a new crate needs a decision record and a row in xtask/src/tidy/imports.rs",
                member.name
            ));
            continue;
        };
        for dependency in &member.dependencies {
            let because = if dependency.path.is_some() {
                refuse_ours(layer, dependency)
            } else {
                refuse_library(layer, dependency)
            };
            if let Some(because) = because {
                problems.push(format!("{} must not import {} because {because}", member.name, dependency.name));
            }
        }
    }
    for layer in LAYERS.iter().filter(|layer| !members.iter().any(|member| member.name == layer.name)) {
        problems.push(format!("{} has a row in xtask/src/tidy/imports.rs, but there is no such crate", layer.name));
    }
    problems
}

fn refuse_ours(layer: &Layer, dependency: &Dependency) -> Option<&'static str> {
    if dependency.name == "testkit" {
        return (dependency.kind != Some(Kind::Dev)).then_some("testkit is for tests: name it under dev-dependencies");
    }
    if dependency.kind == Some(Kind::Dev) && is_below(&dependency.name, layer) {
        return None;
    }
    (!layer.may_import.contains(&dependency.name.as_str())).then_some(layer.because)
}

fn is_below(name: &str, layer: &Layer) -> bool {
    LAYERS.iter().take_while(|other| other.name != layer.name).any(|other| other.name == name)
}

fn refuse_library(layer: &Layer, dependency: &Dependency) -> Option<&'static str> {
    let name = dependency.name.as_str();
    let pure = PURE.iter().find(|pure| pure.name == layer.name);
    if dependency.kind != Some(Kind::Dev) && pure.is_some_and(|pure| !pure.libraries.contains(&name)) {
        return Some(PURE_BECAUSE);
    }
    let heavy = HEAVY.iter().find(|heavy| heavy.libraries.contains(&name))?;
    (!heavy.homes.contains(&layer.name)).then_some(heavy.because)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `check` says of one crate with one dependency.
    fn verdict(name: &str, dependency: &str, kind: Option<Kind>) -> Option<String> {
        let ours = LAYERS.iter().any(|layer| layer.name == dependency);
        let dependency = Dependency { name: dependency.into(), kind, path: ours.then(String::new) };
        let member = Member { name: name.into(), dependencies: vec![dependency] };
        check(&[member]).into_iter().find(|problem| !problem.contains("there is no such crate"))
    }

    #[test]
    fn layers_import_downwards_only() {
        for (name, dependency) in [("drive", "files"), ("files", "stripe"), ("gateway", "bus"), ("holdfast", "node")] {
            assert_eq!(verdict(name, dependency, None), None);
        }
        for (name, dependency) in [
            ("base", "stripe"),
            ("node", "db"),
            ("node", "files"),
            ("files", "accounts"),
            ("accounts", "drive"),
            ("drive", "proto"),
            ("gateway", "proto"),
            ("gateway", "db"),
            ("testkit", "files"),
            ("xtask", "base"),
        ] {
            assert!(verdict(name, dependency, None).is_some(), "{name} → {dependency}");
        }
    }

    #[test]
    fn a_refusal_is_a_sentence_with_its_reason() {
        assert_eq!(
            verdict("node", "db", None).as_deref(),
            Some(
                "node must not import db because a storage node runs alone: it knows parts, never files or users, \
                 and starts when the database is down"
            )
        );
    }

    #[test]
    fn tests_reach_down_and_never_up() {
        for (name, dependency) in [("drive", "node"), ("gateway", "node"), ("files", "node")] {
            assert_eq!(verdict(name, dependency, Some(Kind::Dev)), None, "{name} → {dependency}");
        }
        for (name, dependency) in [("drive", "gateway"), ("node", "files"), ("db", "journal"), ("xtask", "base")] {
            assert!(verdict(name, dependency, Some(Kind::Dev)).is_some(), "{name} → {dependency}");
        }
        assert!(verdict("gateway", "node", Some(Kind::Build)).is_some());
    }

    #[test]
    fn the_rows_stand_in_their_order() {
        for layer in LAYERS.iter().filter(|layer| layer.name != "testkit") {
            assert!(layer.may_import.iter().all(|name| is_below(name, layer)), "{} imports upwards", layer.name);
        }
    }

    #[test]
    fn testkit_is_for_tests() {
        assert_eq!(verdict("drive", "testkit", Some(Kind::Dev)), None);
        assert!(verdict("drive", "testkit", None).is_some());
        assert!(verdict("holdfast", "testkit", None).is_some());
        assert!(verdict("proto", "testkit", Some(Kind::Build)).is_some());
    }

    #[test]
    fn a_heavy_library_stays_in_its_home() {
        for (name, library) in [("db", "rusqlite"), ("proto", "tonic"), ("gateway", "axum"), ("holdfast", "reqwest")] {
            assert_eq!(verdict(name, library, None), None);
        }
        for (name, library) in [
            ("drive", "rusqlite"),
            ("files", "tokio-postgres"),
            ("files", "tonic"),
            ("drive", "http"),
            ("accounts", "axum"),
            ("gateway", "clap"),
            ("drive", "anyhow"),
            ("gateway", "reqwest"),
        ] {
            assert!(verdict(name, library, None).is_some(), "{name} → {library}");
            assert!(verdict(name, library, Some(Kind::Dev)).is_some(), "{name} → {library} in tests");
        }
    }

    #[test]
    fn a_pure_crate_lists_its_libraries() {
        assert_eq!(verdict("base", "serde", None), None);
        assert_eq!(verdict("stripe", "blake3", None), None);
        assert_eq!(verdict("stripe", "reed-solomon-erasure", Some(Kind::Dev)), None);
        for (name, library) in [("base", "tokio"), ("base", "rand"), ("stripe", "tokio"), ("stripe", "bytes")] {
            assert!(verdict(name, library, None).is_some(), "{name} → {library}");
        }
    }

    #[test]
    fn crates_and_rows_correspond() {
        let problems = check(&[Member { name: "utils".into(), dependencies: vec![] }]);
        assert!(problems[0].starts_with("utils is in no layer"), "{problems:?}");
        assert_eq!(problems.len(), 1 + LAYERS.len());
    }

    #[test]
    fn every_home_and_every_import_is_a_crate() {
        let homes = HEAVY.iter().flat_map(|heavy| heavy.homes);
        let imports = LAYERS.iter().flat_map(|layer| layer.may_import);
        for name in homes.chain(imports) {
            assert!(LAYERS.iter().any(|layer| layer.name == *name), "{name}");
        }
    }

    #[test]
    fn reads_what_cargo_writes() {
        let json = r#"{"name":"drive","version":"0.0.0","dependencies":[
            {"name":"tokio","source":"registry","req":"^1","kind":null,"optional":false},
            {"name":"testkit","source":null,"kind":"dev","path":"crates/testkit"},
            {"name":"protox","kind":"build"}]}"#;
        let member: Member = serde_json::from_str(json).expect("the form of cargo metadata");
        let kinds: Vec<_> = member.dependencies.iter().map(|d| (d.kind, d.path.is_some())).collect();
        assert_eq!(kinds, [(None, false), (Some(Kind::Dev), true), (Some(Kind::Build), false)]);
    }
}
