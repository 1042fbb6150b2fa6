//! Down: folders and files of the server to this machine.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use base::{EntryId, Name};

use super::{Conflict, Context, Work, download};
use crate::client::{
    api::Entry,
    backoff::Patience,
    credentials::blocking,
    failure::Failure,
    path::RemotePath,
    report::{Outcome, Way},
};

/// A folder of the server and what it becomes; one page of it at a time.
pub(super) struct Folder {
    pub(super) id: EntryId,
    pub(super) remote: Arc<RemotePath>,
    pub(super) local: Arc<Path>,
    /// Where the page begins; nothing for the first one.
    pub(super) cursor: Option<String>,
}

/// A file of the server and what it becomes.
pub(super) struct File {
    pub(super) entry: Box<Entry>,
    /// The folder that it is in.
    pub(super) folder: Arc<RemotePath>,
    pub(super) local: PathBuf,
}

impl Folder {
    pub(super) async fn run(self, context: &Context) -> Result<Vec<Work>, Failure> {
        let way = Way { source: self.remote.to_string(), destination: self.local.to_string_lossy().into_owned() };
        match self.open(context).await {
            Ok(work) => Ok(work),
            Err(failure) if failure.is_fatal() => Err(failure),
            Err(failure) => {
                context.report.failed(&way, &failure);
                Ok(Vec::new())
            }
        }
    }

    async fn open(self, context: &Context) -> Result<Vec<Work>, Failure> {
        if self.cursor.is_none() {
            let local = self.local.clone();
            blocking(move || make_folder(&local)).await?;
        }
        let page = context.api.children(Patience::Long, self.id, self.cursor.as_deref()).await?;
        let mut work = Vec::with_capacity(page.items.len() + 1);
        for entry in page.items {
            let Some(name) = safe_name(&entry) else {
                let way = Way { source: format!("{}/{}", self.remote, entry.name), destination: String::new() };
                let why = "the server gives it a name that is not safe on this machine";
                context.report.failed(&way, &Failure::Failed(why.into()));
                continue;
            };
            let local = self.local.join(name.as_str());
            work.push(if entry.is_folder() {
                let remote = Arc::new(self.remote.join(&name));
                Work::PullFolder(Self { id: entry.id, remote, local: local.into(), cursor: None })
            } else {
                Work::PullFile(File { entry: Box::new(entry), folder: self.remote.clone(), local })
            });
        }
        if page.next_cursor.is_some() {
            work.push(Work::PullFolder(Self { cursor: page.next_cursor, ..self }));
        }
        Ok(work)
    }
}

/// The name, if it can be one: a server that is broken or hostile must not write outside of the destination.
fn safe_name(entry: &Entry) -> Option<Name> {
    Name::new(&entry.name).ok().filter(|name| name.as_str() == entry.name)
}

fn make_folder(local: &Path) -> Result<(), Failure> {
    match fs::create_dir(local) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && local.is_dir() => Ok(()),
        result => result.map_err(|error| Failure::local(local, error)),
    }
}

impl File {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let source = Name::new(&self.entry.name)
            .map_or_else(|_| self.folder.to_string(), |name| self.folder.join(&name).to_string());
        let way = Way { source, destination: self.local.to_string_lossy().into_owned() };
        match self.copy(context, &way).await {
            Ok(outcome) => context.report.done(&way, &outcome),
            Err(failure) if failure.is_fatal() => return Err(failure.about(&way.source)),
            Err(failure) => context.report.failed(&way, &failure),
        }
        Ok(())
    }

    async fn copy(self, context: &Context, way: &Way) -> Result<Outcome, Failure> {
        let meter = context.report.begin(&way.source, self.entry.bytes());
        let (local, size, hash) = (self.local.clone(), self.entry.bytes(), self.entry.hash());
        match blocking(move || compare(&local, size, hash)).await? {
            There::Nothing => {}
            There::Same => return Ok(Outcome::Same),
            There::Other => match context.conflict {
                Conflict::Skip => return Ok(Outcome::Skipped("another file has the name")),
                Conflict::Fail => {
                    return Err(Failure::Failed("another file has the name".into()).about(&way.destination));
                }
                Conflict::Replace | Conflict::Rename => {}
            },
        }
        let at = download::download(context, *self.entry, &self.local, &meter).await?;
        let Some(at) = at else { return Ok(Outcome::Skipped("another file has the name")) };
        meter.finish();
        let renamed = (at != self.local).then(|| at.to_string_lossy().into_owned());
        Ok(Outcome::Copied { bytes: meter.counted(), renamed })
    }
}

/// What is at a path of this machine.
#[derive(Debug, PartialEq, Eq)]
enum There {
    Nothing,
    /// A file with these bytes.
    Same,
    /// A file with others, or one that cannot be compared.
    Other,
}

fn compare(local: &Path, size: u64, hash: Option<blake3::Hash>) -> Result<There, Failure> {
    let meta = match fs::symlink_metadata(local) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(There::Nothing),
        Err(error) => return Err(Failure::local(local, error)),
    };
    if meta.is_dir() {
        return Err(Failure::Failed("there is a folder of this name".into()).about(local.display()));
    }
    let (true, true, Some(hash)) = (meta.is_file(), meta.len() == size, hash) else { return Ok(There::Other) };
    let file = match fs::File::open(local) {
        Ok(file) => file,
        // It may still be replaced, which takes no reading.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(There::Other),
        Err(error) => return Err(Failure::local(local, error)),
    };
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file).map_err(|error| Failure::local(local, error))?;
    Ok(if hasher.finalize() == hash { There::Same } else { There::Other })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_bytes_are_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let hash = Some(blake3::hash(b"12345"));
        assert_eq!(compare(&path, 5, hash).unwrap(), There::Nothing);
        fs::write(&path, "12345").unwrap();
        assert_eq!(compare(&path, 5, hash).unwrap(), There::Same);
        assert_eq!(compare(&path, 6, hash).unwrap(), There::Other);
        assert_eq!(compare(&path, 5, None).unwrap(), There::Other);
        fs::write(&path, "12346").unwrap();
        assert_eq!(compare(&path, 5, hash).unwrap(), There::Other);
        assert!(compare(dir.path(), 5, hash).is_err());
    }

    #[test]
    fn names_of_a_hostile_server_are_refused() {
        let entry = |name: &str| -> Entry {
            serde_json::from_value(serde_json::json!({
                "id": EntryId::from_bytes([1; 16]), "parent_id": null, "name": name, "kind": "file", "revision": 1,
                "created_at": "", "modified_at": "", "size": 1,
            }))
            .unwrap()
        };
        for bad in ["", ".", "..", "../x", "/etc/passwd", "a\\b", "a\0", "e\u{301}"] {
            assert!(safe_name(&entry(bad)).is_none(), "{bad:?}");
        }
        assert!(safe_name(&entry("x.txt")).is_some());
    }
}
