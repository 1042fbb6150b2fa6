//! Where things are on this machine: the workspace, the build folder, cargo; and how the server is built.

use std::{
    env,
    ffi::OsString,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result};

use crate::{process, web};

/// How long a build may take. A cold release build on two slow cores stays well under it.
const BUILD_LIMIT: Duration = Duration::from_secs(40 * 60);

/// The folders that every task needs.
pub(crate) struct Place {
    /// The root of the workspace.
    pub(crate) root: PathBuf,
    /// Where child builds put their output: outside the clone, so that a fresh clone finds the last one's work.
    pub(crate) target: PathBuf,
    cargo: OsString,
}

impl Place {
    /// Reads the environment, once.
    pub(crate) fn find() -> Result<Self> {
        // Cargo says where xtask is now. What was compiled in may be another clone that shares the build folder.
        let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let manifest = Path::new(&manifest);
        let root = manifest.parent().context("xtask lies directly under the workspace root")?.to_owned();
        let target = target_folder(|name| env::var_os(name))
            .context("set HOME, or HOLDFAST_TARGET_DIR to a folder for build output")?;
        Ok(Self { root, target, cargo: env::var_os("CARGO").unwrap_or_else(|| "cargo".into()) })
    }

    /// A cargo command that runs at the workspace root and builds into the shared folder.
    pub(crate) fn cargo(&self, subcommand: &str) -> Command {
        let mut command = Command::new(&self.cargo);
        command.arg(subcommand).current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        command
    }

    /// Builds the web client, and the server around it in release; says where the server's binary is.
    pub(crate) fn build_holdfast(&self) -> Result<PathBuf> {
        web::build(self)?;
        eprintln!("xtask: building holdfast (the first time takes some minutes) …");
        let mut build = self.cargo("build");
        build.args(["--release", "--locked", "--package", "holdfast"]);
        process::run(&mut build, BUILD_LIMIT).context("the server does not build")?;
        Ok(self.target.join("release/holdfast"))
    }
}

/// Secret bytes from the system, in hexadecimal.
pub(crate) fn random_hex(bytes: usize) -> Result<String> {
    let mut buffer = vec![0; bytes];
    File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut buffer)).context("no random bytes")?;
    Ok(buffer.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Where to build: `HOLDFAST_TARGET_DIR`, else `CARGO_TARGET_DIR`, else `holdfast/target` under the user's cache.
fn target_folder(var: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name: &str| var(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("HOLDFAST_TARGET_DIR").or_else(|| set("CARGO_TARGET_DIR")).or_else(|| {
        let cache = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")))?;
        Some(cache.join("holdfast/target"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_build_folder_is_outside_the_clone_unless_asked_for() {
        let check = |vars: &[(&str, &str)], expected: Option<&str>| {
            let var = |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v));
            assert_eq!(target_folder(var), expected.map(PathBuf::from), "{vars:?}");
        };
        check(&[("HOME", "/h")], Some("/h/.cache/holdfast/target"));
        check(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/c")], Some("/c/holdfast/target"));
        check(&[("HOME", "/h"), ("CARGO_TARGET_DIR", "/t")], Some("/t"));
        check(&[("CARGO_TARGET_DIR", "/t"), ("HOLDFAST_TARGET_DIR", "/own")], Some("/own"));
        check(&[("CARGO_TARGET_DIR", ""), ("HOME", "/h")], Some("/h/.cache/holdfast/target"));
        check(&[], None);
    }
}
