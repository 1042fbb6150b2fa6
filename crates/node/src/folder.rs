//! The node's folder: its marker, its lock, where its files are.
//!
//! ```text
//! holdfast-node.json         who the folder belongs to
//! holdfast-node.lock         locked while a node has the folder open
//! segments/00000001.seg      records of small parts
//! segments/00000001.idx      hint: what a sealed segment holds
//! parts/5f/60/<id>.part      large parts, by the last random bytes of the id
//! tmp/                       parts on their way in or out; emptied at start
//! ```

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use base::{Clock, NodeId, PartId};
use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Error;

const MARKER: &str = "holdfast-node.json";
const MARKER_TMP: &str = "holdfast-node.json.tmp";
const LOCK: &str = "holdfast-node.lock";
const FORMAT: u32 = 1;

/// What the marker file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marker {
    /// Version of the folder's form.
    format: u32,
    pub(crate) node: NodeId,
    /// Drawn when the folder was made; the records in its segments are bound to it.
    pub(crate) disk: Uuid,
    /// When the folder was made, for people.
    created: String,
}

/// An open, locked folder.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) dir: PathBuf,
    pub(crate) marker: Marker,
    /// Two hexadecimal numbers, or more, that name the file system.
    pub(crate) file_system: String,
    lock: parking_lot::Mutex<Option<File>>,
}

impl Folder {
    /// Opens and locks the folder; makes it a node's if it is fresh and `node` is given.
    pub(crate) fn open(dir: &Path, node: Option<NodeId>, clock: &dyn Clock) -> Result<Self, Error> {
        match fs::create_dir(dir) {
            Ok(()) => {
                if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                    sync_dir(parent).map_err(Error::io("syncing", parent))?;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::io("making", dir)(error)),
        }
        let path = dir.join(MARKER);
        // Looked at before the lock is taken, so that a folder which is somebody else's is left without a new file.
        if !path.try_exists().map_err(Error::io("looking for", &path))? {
            refuse_occupied(dir)?;
            if node.is_none() {
                return Err(Error::Missing { dir: dir.to_owned() });
            }
        }
        let lock = lock(dir)?;
        let marker = match fs::read(&path) {
            Ok(bytes) => read_marker(&path, &bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let node = node.ok_or_else(|| Error::Missing { dir: dir.to_owned() })?;
                let created = clock.now().to_string();
                let marker = Marker { format: FORMAT, node, disk: Uuid::new_v4(), created };
                write_marker(dir, &marker)?;
                marker
            }
            Err(error) => return Err(Error::io("reading", path)(error)),
        };
        if let Some(expected) = node.filter(|&node| node != marker.node) {
            return Err(Error::OtherNode { dir: dir.to_owned(), expected, found: marker.node });
        }
        let file_system = file_system(dir).map_err(Error::io("looking at", dir))?;
        let folder = Self { dir: dir.to_owned(), marker, file_system, lock: parking_lot::Mutex::new(Some(lock)) };
        for sub in [folder.segments(), folder.parts(), folder.tmp()] {
            fs::create_dir_all(&sub).map_err(Error::io("making", sub))?;
        }
        sync_dir(dir).map_err(Error::io("syncing", dir))?;
        Ok(folder)
    }

    pub(crate) fn segments(&self) -> PathBuf {
        self.dir.join("segments")
    }

    pub(crate) fn parts(&self) -> PathBuf {
        self.dir.join("parts")
    }

    pub(crate) fn tmp(&self) -> PathBuf {
        self.dir.join("tmp")
    }

    pub(crate) fn segment(&self, number: u32) -> PathBuf {
        self.segments().join(format!("{number:08}.seg"))
    }

    pub(crate) fn hint(&self, number: u32) -> PathBuf {
        self.segments().join(format!("{number:08}.idx"))
    }

    /// The folder that a large part's file stands in. Bytes 13 and 14 of a part's id are random, while the first ones
    /// tell its time, and the last one is its index in the extent.
    pub(crate) fn part_dir(&self, part: PartId) -> PathBuf {
        let bytes = part.to_bytes();
        self.parts().join(format!("{:02x}", bytes[13])).join(format!("{:02x}", bytes[14]))
    }

    pub(crate) fn part(&self, part: PartId) -> PathBuf {
        self.part_dir(part).join(format!("{}.part", part.0.as_simple()))
    }

    /// The folder of a large part, made so that it survives power loss, and open to be synced.
    pub(crate) fn make_part_dir(&self, part: PartId) -> io::Result<File> {
        let dir = self.part_dir(part);
        match File::open(&dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => return other,
        }
        let above = self.parts().join(format!("{:02x}", part.to_bytes()[13]));
        for (dir, parent) in [(&above, self.parts()), (&dir, above.clone())] {
            match fs::create_dir(dir) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
            // Synced also when it was there: whoever made it a moment ago may not have synced it yet.
            sync_dir(&parent)?;
        }
        File::open(dir)
    }

    /// Lets another process have the folder.
    pub(crate) fn unlock(&self) {
        self.lock.lock().take();
    }
}

fn refuse_occupied(dir: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(dir).map_err(Error::io("reading", dir))? {
        let name = entry.map_err(Error::io("reading", dir))?.file_name();
        // What a start leaves that broke off, and what a new file system of its own begins with.
        if ![LOCK, MARKER_TMP, "lost+found"].iter().any(|known| name == *known) {
            return Err(Error::Occupied { dir: dir.to_owned(), found: name.to_string_lossy().into_owned() });
        }
    }
    Ok(())
}

fn lock(dir: &Path) -> Result<File, Error> {
    let path = dir.join(LOCK);
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(Error::io("opening", &path))?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::Locked { dir: dir.to_owned() }),
        Err(error) => Err(Error::io("locking", path)(error.into())),
    }
}

fn read_marker(path: &Path, bytes: &[u8]) -> Result<Marker, Error> {
    #[derive(Deserialize)]
    struct Version {
        format: u32,
    }
    let refuse = |why: String| Error::Format { path: path.to_owned(), why };
    let version: Version =
        serde_json::from_slice(bytes).map_err(|error| refuse(format!("it is not a node's marker ({error})")))?;
    if version.format != FORMAT {
        return Err(refuse(format!("it is of format {}, and this version reads format {FORMAT}", version.format)));
    }
    serde_json::from_slice(bytes).map_err(|error| refuse(format!("it is not a node's marker ({error})")))
}

fn write_marker(dir: &Path, marker: &Marker) -> Result<(), Error> {
    let (path, tmp) = (dir.join(MARKER), dir.join(MARKER_TMP));
    let mut text = serde_json::to_vec_pretty(marker).expect("a marker is plain strings and numbers");
    text.push(b'\n');
    let write = || {
        let mut file = File::create(&tmp)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&tmp, &path)?;
        sync_dir(dir)
    };
    write().map_err(Error::io("writing", &path))
}

/// Makes the entries of a folder survive power loss.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// A name of the file system that `dir` is on, equal for all nodes on it and different for any two file systems.
///
/// ext4, Btrfs and ZFS give an id of their own (`f_fsid`, statfs(2)). Where a file system gives its device number
/// instead, that number says little beyond this machine: the kernel's boot id (random(4)), which containers share with
/// their host, is added.
fn file_system(dir: &Path) -> io::Result<String> {
    let id = rustix::fs::statvfs(dir)?.f_fsid;
    let device = rustix::fs::stat(dir)?.st_dev;
    if id != 0 && id != device {
        return Ok(format!("{id:016x}"));
    }
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    Ok(format!("{device:x}-{}", boot.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marker_is_a_contract() {
        let text = br#"{"format":1,"node":"nod_0197f3c6b1d07c3a9d2e5f6071829300","disk":"01020304-0506-0708-090a-0b0c0d0e0f10","created":"2026-11-21T01:26:55.000000Z"}"#;
        let marker = read_marker(Path::new("m"), text).expect("a marker of format 1");
        assert_eq!(marker.node.to_string(), "nod_0197f3c6b1d07c3a9d2e5f6071829300");
        assert_eq!(serde_json::to_vec(&marker).expect("json"), text);
        let newer = br#"{"format":2,"anything":"else"}"#;
        assert!(read_marker(Path::new("m"), newer).expect_err("newer").to_string().contains("format 2"));
        assert!(read_marker(Path::new("m"), b"{}").is_err());
    }

    #[test]
    fn every_node_of_a_file_system_names_it_alike() {
        let (a, b) = (tempfile::tempdir().expect("dir"), tempfile::tempdir().expect("dir"));
        let name = file_system(a.path()).expect("name");
        assert_eq!(name, file_system(b.path()).expect("name"));
        assert!(!name.is_empty());
    }
}
