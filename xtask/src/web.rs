//! The web client: its packages, its build, its checks.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result, bail};

use crate::{place::Place, process};

/// How long fetching the packages may take.
const INSTALL_LIMIT: Duration = Duration::from_secs(15 * 60);

/// How long a build, or all checks, may take.
const WORK_LIMIT: Duration = Duration::from_secs(10 * 60);

/// What a build is made of, below `web/`.
const SOURCES: [&str; 9] = [
    "src",
    "public",
    "openapi",
    "scripts",
    "index.html",
    "share.html",
    "vite.base.ts",
    "vite.config.ts",
    "vite.share.config.ts",
];

/// Makes `web/dist`, which is embedded in the server, if it is older than what it is made of.
pub(crate) fn build(place: &Place) -> Result<()> {
    let web = place.root.join("web");
    packages(&web)?;
    let built = modified(&web.join("dist/index.html"))?;
    let mut newest = modified(&web.join("package-lock.json"))?;
    for source in SOURCES {
        newest = newest.max(newest_below(&web.join(source))?);
    }
    if built.is_some() && built >= newest {
        return Ok(());
    }
    eprintln!("xtask: building the web client …");
    npm(&web, &["run", "--silent", "build"], WORK_LIMIT).context("the web client does not build")
}

/// Lint, types and unit tests.
pub(crate) fn check(place: &Place) -> Result<()> {
    let web = place.root.join("web");
    packages(&web)?;
    npm(&web, &["run", "--silent", "check"], WORK_LIMIT).context("the web client's checks failed")
}

/// Fetches the packages of the lock file, unless they are there already.
fn packages(web: &Path) -> Result<()> {
    // npm writes this one last.
    let fetched = modified(&web.join("node_modules/.package-lock.json"))?;
    if fetched.is_some() && fetched >= modified(&web.join("package-lock.json"))? {
        return Ok(());
    }
    eprintln!("xtask: fetching the packages of the web client …");
    // Not `npm ci`: it insists on the builds for every other platform, which a lock file from a source without them lacks.
    // `npm install` keeps to the lock file as well, and would change it only if it did not fit `package.json`.
    let lock = web.join("package-lock.json");
    let before = fs::read(&lock).with_context(|| lock.display().to_string())?;
    npm(web, &["install", "--no-audit", "--no-fund"], INSTALL_LIMIT)
        .context("cannot fetch the web client's packages")?;
    if fs::read(&lock)? != before {
        fs::write(&lock, before)?;
        bail!(
            "web/package-lock.json does not fit web/package.json; run `npm install` in web/ and look at what changes"
        );
    }
    Ok(())
}

fn npm(web: &Path, args: &[&str], limit: Duration) -> Result<()> {
    npm_is_there()?;
    process::run(Command::new("npm").args(args).current_dir(web), limit)
}

/// Fails with what to do where there is no npm.
pub(crate) fn npm_is_there() -> Result<()> {
    let found = std::env::var_os("PATH")
        .is_some_and(|paths| std::env::split_paths(&paths).any(|folder| folder.join("npm").exists()));
    if !found {
        bail!("npm is missing: install Node (on Debian, as root: `apt-get install npm`)");
    }
    Ok(())
}

/// When a file was written last; `None` if it is not there.
fn modified(path: &Path) -> Result<Option<SystemTime>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata.modified()?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

/// When the newest file at or below a path was written.
fn newest_below(path: &Path) -> Result<Option<SystemTime>> {
    let mut newest = None;
    let mut waiting: Vec<PathBuf> = vec![path.to_owned()];
    while let Some(path) = waiting.pop() {
        newest = newest.max(modified(&path)?);
        if path.is_dir() {
            for entry in fs::read_dir(&path).with_context(|| path.display().to_string())? {
                waiting.push(entry?.path());
            }
        }
    }
    Ok(newest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_file_below_a_folder_counts() {
        let dir = tempfile::tempdir().expect("a folder");
        let (old, new) = (dir.path().join("a/old"), dir.path().join("a/b/new"));
        fs::create_dir_all(dir.path().join("a/b")).expect("folders");
        for (path, seconds) in [(&old, 1_000), (&new, 4_000_000_000)] {
            fs::write(path, "").expect("a file");
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            fs::File::options().write(true).open(path).and_then(|file| file.set_modified(time)).expect("its time");
        }
        assert_eq!(newest_below(dir.path()).expect("readable"), modified(&new).expect("readable"));
        assert_eq!(newest_below(&dir.path().join("gone")).expect("nothing"), None);
        assert!(modified(&old).expect("readable") < modified(&new).expect("readable"));
    }
}
