//! What must outlive a killed command so that the same command, typed again, goes on where it was.
//!
//! A *record* is a small JSON file under the state folder, named after what it is for. Whoever uses one holds a lock on
//! it, so two commands never work on the same transfer. It is lost without harm: then the transfer starts over.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Serialize, de::DeserializeOwned};

use super::{failure::Failure, folders};

/// Records that nobody touched for this long go: the server has long forgotten the upload.
const KEPT: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// What a record is for; each kind has a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A tus upload.
    Upload,
    /// A part file.
    Download,
    /// A recursive copy that made its destination folder.
    Copy,
}

impl Kind {
    fn folder(self) -> &'static str {
        match self {
            Self::Upload => "uploads",
            Self::Download => "downloads",
            Self::Copy => "copies",
        }
    }
}

/// The folder of records.
#[derive(Debug, Clone)]
pub(super) struct Shelf {
    dir: PathBuf,
}

/// A record, locked.
#[derive(Debug)]
pub(super) struct Record {
    file: File,
    path: PathBuf,
}

/// Names a record after what makes it one's own. The parts are told apart by their lengths.
pub(super) fn key(parts: &[&[u8]]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

impl Shelf {
    /// That of the user who runs the command.
    pub(super) fn of_user() -> Result<Self, Failure> {
        folders::state().map(Self::in_folder)
    }

    pub(super) fn in_folder(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// Takes a record; a new one is empty.
    ///
    /// # Errors
    /// If another command has it, or the disk fails.
    pub(super) fn take(&self, kind: Kind, key: &str) -> Result<Record, Failure> {
        let dir = self.dir.join(kind.folder());
        folders::make_private(&dir)?;
        prune(&dir);
        let path = dir.join(format!("{key}.json"));
        loop {
            let file = folders::open_private(&path).map_err(|error| Failure::local(&path, error))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(fs::TryLockError::WouldBlock) => {
                    return Err(Failure::Failed("another holdfast command is copying this at the moment".into()));
                }
                Err(fs::TryLockError::Error(error)) => return Err(Failure::local(path, error)),
            }
            // Whoever had it may have removed it between the two lines above; then the lock is on a file without a name.
            if is_at(&file, &path) {
                return Ok(Record { file, path });
            }
        }
    }
}

/// Whether this open file is the one at the path.
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

/// Removes old records that nobody holds. Failing to is no harm.
fn prune(dir: &Path) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let age = entry.metadata().and_then(|meta| meta.modified()).ok().and_then(|time| time.elapsed().ok());
        if age.is_some_and(|age| age > KEPT)
            && let Ok(file) = File::open(entry.path())
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

impl Record {
    /// What was written; nothing if it is new, or was being written when the machine stopped.
    pub(super) fn read<T: DeserializeOwned>(&mut self) -> Option<T> {
        let mut text = Vec::new();
        self.file.rewind().ok()?;
        (&self.file).take(64 << 10).read_to_end(&mut text).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Writes it.
    pub(super) fn write(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_vec(value).expect("structs of text and numbers are JSON");
        let mut write = || -> io::Result<()> {
            self.file.set_len(0)?;
            self.file.rewind()?;
            self.file.write_all(&text)
        };
        write().map_err(|error| Failure::local(&self.path, error))
    }

    /// The transfer is over: there is nothing to remember.
    pub(super) fn finish(self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_outlive_the_command_and_end_with_the_transfer() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::in_folder(dir.path().to_owned());
        let mut record = shelf.take(Kind::Upload, "k").unwrap();
        assert_eq!(record.read::<String>(), None);
        record.write(&"a longer first value").unwrap();
        record.write(&"upl_1").unwrap();
        // A second command keeps off while the first one has it.
        assert!(shelf.take(Kind::Upload, "k").is_err());
        assert!(shelf.take(Kind::Download, "k").is_ok());
        drop(record);
        let mut record = shelf.take(Kind::Upload, "k").unwrap();
        assert_eq!(record.read::<String>().as_deref(), Some("upl_1"));
        record.finish();
        assert_eq!(shelf.take(Kind::Upload, "k").unwrap().read::<String>(), None);
    }

    #[test]
    fn damage_means_starting_over() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::in_folder(dir.path().to_owned());
        shelf.take(Kind::Copy, "k").unwrap().write(&"x").unwrap();
        fs::write(dir.path().join("copies/k.json"), "\"upl").unwrap();
        assert_eq!(shelf.take(Kind::Copy, "k").unwrap().read::<String>(), None);
    }

    #[test]
    fn old_records_go() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::in_folder(dir.path().to_owned());
        shelf.take(Kind::Upload, "old").unwrap().write(&"x").unwrap();
        let held = shelf.take(Kind::Upload, "held").unwrap();
        let long_ago = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1);
        for name in ["old", "held"] {
            File::options()
                .write(true)
                .open(dir.path().join(format!("uploads/{name}.json")))
                .unwrap()
                .set_modified(long_ago)
                .unwrap();
        }
        shelf.take(Kind::Upload, "new").unwrap();
        assert!(!dir.path().join("uploads/old.json").exists());
        assert!(dir.path().join("uploads/held.json").exists());
        drop(held);
    }

    #[test]
    fn keys_tell_their_parts_apart() {
        assert_ne!(key(&[b"ab", b"c"]), key(&[b"a", b"bc"]));
        assert_eq!(key(&[b"a"]).len(), 32);
    }
}
