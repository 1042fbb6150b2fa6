//! The packages of the identity provider that tests sign in at.

use std::{fs, path::PathBuf, process::Command, time::Duration};

use anyhow::{Context as _, Result};

use crate::{place::Place, process, web};

/// How long fetching the packages may take.
const INSTALL_LIMIT: Duration = Duration::from_secs(10 * 60);

/// The folder with the provider's packages: outside the clone, so that a fresh one finds them. They are fetched unless those
/// of this lock file are there.
pub(crate) fn packages(place: &Place) -> Result<PathBuf> {
    let (source, folder) = (place.root.join("crates/holdfast/tests/oidc"), place.target.join("oidc-provider"));
    let lock = fs::read(source.join("package-lock.json")).context("the lock file of the identity provider")?;
    // Written last.
    let mark = folder.join("fetched");
    if fs::read(&mark).is_ok_and(|fetched| fetched == lock) {
        return Ok(folder);
    }
    eprintln!("xtask: fetching the identity provider for tests …");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    for name in ["package.json", "package-lock.json"] {
        fs::copy(source.join(name), folder.join(name)).with_context(|| name.to_owned())?;
    }
    web::npm_is_there()?;
    let mut install = Command::new("npm");
    install.args(["install", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(&folder);
    process::run(&mut install, INSTALL_LIMIT).context("cannot fetch the identity provider for tests")?;
    fs::write(&mark, lock).with_context(|| mark.display().to_string())?;
    Ok(folder)
}
