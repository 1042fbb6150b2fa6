//! The folders of this machine that the client keeps things in, and files that only their owner reads.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::failure::Failure;
use crate::config::variable;

/// `$XDG_CONFIG_HOME/holdfast`, or `~/.config/holdfast`.
pub(super) fn config() -> Result<PathBuf, Failure> {
    below("XDG_CONFIG_HOME", ".config")
}

/// `$XDG_STATE_HOME/holdfast`, or `~/.local/state/holdfast`.
pub(super) fn state() -> Result<PathBuf, Failure> {
    below("XDG_STATE_HOME", ".local/state")
}

/// The XDG base directory specification: a relative path in the variable counts as none.
fn below(name: &str, default: &str) -> Result<PathBuf, Failure> {
    let named = variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || variable("HOME").map(|home| Path::new(&home).join(default));
    match named.or_else(home) {
        Some(base) => Ok(base.join("holdfast")),
        None => {
            Err(Failure::Failed(format!("neither {name} nor HOME is set: there is no place for the client's files")))
        }
    }
}

/// Makes a folder that only its owner enters, with those above it.
pub(super) fn make_private(dir: &Path) -> Result<(), Failure> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| Failure::local(dir, error))
}

/// Opens a file for reading and writing, making it readable by its owner only if it is new.
pub(super) fn open_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Puts `bytes` in place of the file at `path`, for its owner only: after a crash there is the old file or the new one,
/// whole. Only one at a time may do this to one path; the caller holds a lock.
pub(super) fn replace_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("new");
    // One that was left by a crash may have any mode or be a link: it goes.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    io::Write::write_all(&mut file, bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    match path.parent() {
        Some(dir) => File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn replaced_files_are_private_and_whole() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("a/b");
        make_private(&inner).unwrap();
        assert_eq!(fs::metadata(&inner).unwrap().permissions().mode() & 0o777, 0o700);
        let path = inner.join("secret.json");
        // A file that the world reads, and the remains of a crash, are there already.
        fs::write(&path, "old").unwrap();
        fs::write(inner.join("secret.new"), "half").unwrap();
        replace_private(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&inner).unwrap().count(), 1);
    }

    #[test]
    fn a_link_in_the_way_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (victim, path) = (dir.path().join("victim"), dir.path().join("secret.json"));
        fs::write(&victim, "mine").unwrap();
        std::os::unix::fs::symlink(&victim, dir.path().join("secret.new")).unwrap();
        replace_private(&path, b"new").unwrap();
        assert_eq!(fs::read(&victim).unwrap(), b"mine");
    }
}
