//! Installs what is missing, where that is possible: as root on a system with apt.
//!
//! Everything else than PostgreSQL, Redis, Chromium and the tools for faults comes through cargo, npm and pip. As an ordinary user nothing is installed;
//! the message then says what to ask the administrator for.

use std::{
    env, fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use crate::{postgres::Postgres, process};

/// How long the package manager may take.
const INSTALL_LIMIT: Duration = Duration::from_secs(10 * 60);

/// PostgreSQL, installed if need be.
pub(crate) fn postgres() -> Result<Postgres> {
    if let Some(found) = Postgres::find()? {
        return Ok(found);
    }
    if !rustix::process::geteuid().is_root() || !Path::new("/usr/bin/apt-get").exists() {
        bail!("PostgreSQL is missing. Install it as root (`apt-get install postgresql`), or run this once as root");
    }
    eprintln!("xtask: installing postgresql …");
    install("postgresql").context("cannot install PostgreSQL")?;
    Postgres::find()?.context("PostgreSQL was installed, but its server program is not where Debian puts it")
}

/// Sees to it that there is a server of Redis. To an ordinary user it may be missing: tests then say that they did not run.
pub(crate) fn redis() -> Result<bool> {
    if !crate::redis::is_installed() && rustix::process::geteuid().is_root() && Path::new("/usr/bin/apt-get").exists() {
        eprintln!("xtask: installing redis-server …");
        install("redis-server").context("cannot install Redis")?;
    }
    Ok(crate::redis::is_installed())
}

/// A program that tests make faults with, by where it lies, and the package that has it.
const FAULT_TOOLS: [(&str, &str); 3] = [("nbdkit", "nbdkit"), ("nbdfuse", "libnbd-bin"), ("faketime", "faketime")];

/// What tests make real faults with: disks that lose their power, clocks that jump. Only root can use all of it; tests of
/// an ordinary user say which of them did not run.
pub(crate) fn fault_tools() -> Result<()> {
    if !rustix::process::geteuid().is_root() || !Path::new("/usr/bin/apt-get").exists() {
        return Ok(());
    }
    for (program, package) in FAULT_TOOLS {
        if !Path::new("/usr/bin").join(program).exists() {
            eprintln!("xtask: installing {package} …");
            install(package).with_context(|| format!("cannot install {package}"))?;
        }
    }
    Ok(())
}

/// Where Chromium is, installed if need be.
pub(crate) fn chromium() -> Result<PathBuf> {
    if let Some(named) = env::var_os("CHROMIUM") {
        return Ok(named.into());
    }
    let path = PathBuf::from("/usr/bin/chromium");
    if path.exists() {
        return Ok(path);
    }
    if !rustix::process::geteuid().is_root() || !Path::new("/usr/bin/apt-get").exists() {
        bail!(
            "Chromium is missing. Name one in CHROMIUM, install it as root (`apt-get install chromium`), or run this once as root"
        );
    }
    eprintln!("xtask: installing chromium …");
    install("chromium").context("cannot install Chromium")?;
    Ok(path)
}

/// Sees to it that Python can make environments of its own.
pub(crate) fn python() -> Result<()> {
    let asked = Command::new("python3").args(["-c", "import ensurepip, venv"]).status();
    if asked.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    if !rustix::process::geteuid().is_root() || !Path::new("/usr/bin/apt-get").exists() {
        bail!(
            "Python with venv is missing. Install it as root (`apt-get install python3-venv`), or run this once as root"
        );
    }
    eprintln!("xtask: installing python3-venv …");
    install("python3-venv").context("cannot install Python")
}

fn install(package: &str) -> Result<()> {
    let _guard = PolicyGuard::put(Path::new("/usr/sbin/policy-rc.d"))?;
    let install =
        || process::run(apt_get().args(["install", "--yes", "--no-install-recommends", package]), INSTALL_LIMIT);
    // The package lists may be absent or old. Fetching them is slow, so it is done only where it is needed.
    install().or_else(|_| {
        process::check_stopped()?;
        process::run(apt_get().arg("update"), INSTALL_LIMIT)?;
        install()
    })
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.arg("--quiet=2").env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// While this exists, packages do not start their services: the server that the tests use is our own, and nobody asked
/// for another. Debian's hook for it is a script that answers 101 ("not allowed").
struct PolicyGuard {
    script: PathBuf,
    saved: PathBuf,
}

impl PolicyGuard {
    const SCRIPT: &str = "#!/bin/sh\n# Put here by Holdfast's `cargo xtask` while it installs a package.\nexit 101\n";

    fn put(script: &Path) -> Result<Self> {
        let guard = Self { script: script.to_owned(), saved: script.with_extension("d.before-holdfast") };
        // After a kill in the middle of an earlier installation the script is ours, and the saved one the machine's.
        let ours = fs::read_to_string(script).is_ok_and(|text| text == Self::SCRIPT);
        if script.exists() && !ours {
            fs::rename(script, &guard.saved).context("cannot set the machine's own policy-rc.d aside")?;
        }
        fs::write(script, Self::SCRIPT)
            .and_then(|()| fs::set_permissions(script, fs::Permissions::from_mode(0o755)))
            .context("cannot keep packages from starting their services")?;
        Ok(guard)
    }
}

impl Drop for PolicyGuard {
    fn drop(&mut self) {
        let restored = match fs::rename(&self.saved, &self.script) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => fs::remove_file(&self.script),
            other => other,
        };
        if let Err(error) = restored {
            eprintln!("xtask: please restore {} by hand: {error}", self.script.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: Option<&str>, saved_before: Option<&str>, after: Option<&str>) {
        let dir = tempfile::tempdir().expect("a folder");
        let script = dir.path().join("policy-rc.d");
        let saved = dir.path().join("policy-rc.d.before-holdfast");
        for (path, text) in [(&script, before), (&saved, saved_before)] {
            if let Some(text) = text {
                fs::write(path, text).expect("a writable folder");
            }
        }
        let guard = PolicyGuard::put(&script).expect("put");
        assert!(fs::read_to_string(&script).expect("the guard's script").ends_with("exit 101\n"));
        assert_eq!(fs::metadata(&script).expect("is there").permissions().mode() & 0o777, 0o755);
        drop(guard);
        assert_eq!(fs::read_to_string(&script).ok().as_deref(), after);
        assert!(!saved.exists());
    }

    #[test]
    fn the_policy_is_afterwards_as_it_was() {
        check(None, None, None);
        check(Some("exit 0"), None, Some("exit 0"));
    }

    #[test]
    fn a_killed_installation_is_made_good_by_the_next() {
        check(Some(PolicyGuard::SCRIPT), None, None);
        check(Some(PolicyGuard::SCRIPT), Some("exit 0"), Some("exit 0"));
    }
}
