//! Up: folders and files of this machine to the server.

use std::{
    collections::{HashMap, HashSet},
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use base::{EntryId, Name};

use super::{Conflict, Context, Work, plan, upload};
use crate::client::{
    api::{Api, Child, Entry},
    backoff::Patience,
    credentials::blocking,
    failure::Failure,
    path::RemotePath,
    report::{Outcome, Way},
};

/// A folder of this machine and what it becomes.
pub(super) struct Folder {
    pub(super) local: PathBuf,
    pub(super) remote: Arc<RemotePath>,
    pub(super) at: At,
}

/// The folder on the server.
pub(super) enum At {
    /// It is there, perhaps with something in it.
    There(EntryId),
    /// This command just made it, so nothing is in it.
    New(EntryId),
    /// It is to be made.
    Missing(Child),
}

/// A file of this machine and what it becomes.
pub(super) struct File {
    pub(super) local: PathBuf,
    pub(super) bytes: u64,
    pub(super) place: Child,
    /// The folder of `place`.
    pub(super) folder: Arc<RemotePath>,
    /// What has the name on the server.
    pub(super) existing: Option<Box<Entry>>,
}

/// What a local folder holds.
struct Found {
    path: PathBuf,
    what: What,
}

enum What {
    Folder,
    File(u64),
    Other(&'static str),
}

impl Folder {
    pub(super) async fn run(self, context: &Context) -> Result<Vec<Work>, Failure> {
        let way = Way { source: self.local.to_string_lossy().into_owned(), destination: self.remote.to_string() };
        match self.open(context).await {
            Ok(work) => Ok(work),
            Err(failure) if failure.is_fatal() => Err(failure),
            Err(failure) => {
                context.report.failed(&way, &failure);
                Ok(Vec::new())
            }
        }
    }

    /// Makes the folder, if it is not there, and looks what is to be copied into it.
    async fn open(self, context: &Context) -> Result<Vec<Work>, Failure> {
        let local = self.local.clone();
        let (found, unreadable) = blocking(move || list(&local)).await?;
        let (folder, mut there) = ensure(&context.api, &self.remote, self.at).await?;
        for failure in unreadable {
            let way = Way { source: self.local.to_string_lossy().into_owned(), destination: self.remote.to_string() };
            context.report.failed(&way, &failure);
        }
        let mut work = Vec::with_capacity(found.len());
        let mut names = HashSet::new();
        for Found { path, what } in found {
            if let What::Other(why) = what {
                context.report.left_out(&path.to_string_lossy(), why);
                continue;
            }
            let name = match plan::name_of(&path).and_then(|name| unused(&mut names, name)) {
                Ok(name) => name,
                Err(failure) => {
                    let source = path.to_string_lossy().into_owned();
                    context.report.failed(&Way { source, destination: self.remote.to_string() }, &failure);
                    continue;
                }
            };
            let existing = there.remove(name.as_str());
            let place = Child { parent: folder, name };
            work.push(match what {
                What::File(bytes) => {
                    let existing = existing.map(Box::new);
                    Work::PushFile(File { local: path, bytes, place, folder: self.remote.clone(), existing })
                }
                _ => {
                    let remote = Arc::new(self.remote.join(&place.name));
                    // A file in its place is found out when the folder is made.
                    let at = match existing {
                        Some(entry) if entry.is_folder() => At::There(entry.id),
                        _ => At::Missing(place),
                    };
                    Work::PushFolder(Self { local: path, remote, at })
                }
            });
        }
        Ok(work)
    }
}

/// Two local names may be one on the server, which knows one normal form: the second must not replace the first.
fn unused(names: &mut HashSet<Name>, name: Name) -> Result<Name, Failure> {
    match names.insert(name.clone()) {
        true => Ok(name),
        false => Err(Failure::Failed("another file here has the same name in another normal form of Unicode".into())),
    }
}

/// What a folder of this machine holds, by name, and what of it could not be looked at.
fn list(dir: &Path) -> Result<(Vec<Found>, Vec<Failure>), Failure> {
    let (mut found, mut unreadable) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(dir).map_err(|error| Failure::local(dir, error))? {
        let entry = entry.map_err(|error| Failure::local(dir, error))?;
        let path = entry.path();
        let what = match entry.metadata() {
            Ok(meta) if meta.is_dir() => What::Folder,
            Ok(meta) if meta.is_file() => What::File(meta.len()),
            Ok(meta) if meta.is_symlink() => What::Other("a symbolic link"),
            Ok(_) => What::Other("neither a file nor a folder"),
            // Removed between the two looks: then it is not there to be copied.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                unreadable.push(Failure::local(path, error));
                continue;
            }
        };
        found.push(Found { path, what });
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok((found, unreadable))
}

/// The folder on the server, and what is in it.
async fn ensure(api: &Api, remote: &RemotePath, at: At) -> Result<(EntryId, HashMap<String, Entry>), Failure> {
    let id = match at {
        At::There(id) => id,
        At::New(id) => return Ok((id, HashMap::new())),
        At::Missing(place) => match api.create_folder(Patience::Long, &place).await {
            Ok(entry) => return Ok((entry.id, HashMap::new())),
            // A file, or a folder that a lost answer of ours or somebody else made.
            Err(failure) if failure.has_code("name-taken") => match api.resolve(remote).await? {
                entry if entry.is_folder() => entry.id,
                _ => return Err(Failure::Failed("there is a file of this name".into()).about(remote)),
            },
            Err(failure) => return Err(failure.about(remote)),
        },
    };
    let mut there = HashMap::new();
    let mut cursor = None;
    loop {
        let page = api.children(Patience::Long, id, cursor.as_deref()).await?;
        there.extend(page.items.into_iter().map(|entry| (entry.name.clone(), entry)));
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok((id, there));
        }
    }
}

impl File {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let remote = self.folder.join(&self.place.name);
        let way = Way { source: self.local.to_string_lossy().into_owned(), destination: remote.to_string() };
        match self.copy(context, &remote, &way).await {
            Ok(outcome) => context.report.done(&way, &outcome),
            Err(failure) if failure.is_fatal() => return Err(failure.about(&way.source)),
            Err(failure) => context.report.failed(&way, &failure),
        }
        Ok(())
    }

    async fn copy(&self, context: &Context, remote: &RemotePath, way: &Way) -> Result<Outcome, Failure> {
        let meter = context.report.begin(&way.source, self.bytes);
        let (local, whole_max) = (self.local.clone(), context.sizes.whole_max);
        let source = blocking(move || upload::Source::open(&local, whole_max)).await?;
        if let Some(existing) = &self.existing {
            if existing.is_folder() {
                return Err(Failure::Failed("there is a folder of this name".into()));
            }
            if source.is_same(existing).await? {
                return Ok(Outcome::Same);
            }
            match context.conflict {
                Conflict::Skip => return Ok(Outcome::Skipped("another file has the name")),
                Conflict::Fail => return Err(Failure::Failed("another file has the name".into())),
                Conflict::Replace | Conflict::Rename => {}
            }
        }
        let stored = match upload::upload(context, &source, &self.place, remote, &meter).await {
            Err(failure) if failure.has_code("name-taken") => {
                // Somebody was faster; or it was this command, and the answer got lost.
                let entry = context.api.resolve(remote).await?;
                return match context.conflict {
                    _ if !entry.is_folder() && source.is_same(&entry).await? => Ok(Outcome::Same),
                    Conflict::Skip => Ok(Outcome::Skipped("another file has the name")),
                    _ => Err(failure),
                };
            }
            stored => stored?,
        };
        meter.finish();
        let renamed = (stored.name != self.place.name.as_str()).then(|| match Name::new(&stored.name) {
            Ok(name) => self.folder.join(&name).to_string(),
            Err(_) => stored.name.clone(),
        });
        Ok(Outcome::Copied { bytes: meter.counted(), renamed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_listed_by_name_without_following_links() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("b"), "12").unwrap();
        fs::create_dir(dir.path().join("a")).unwrap();
        std::os::unix::fs::symlink("/", dir.path().join("c")).unwrap();
        let (found, unreadable) = list(dir.path()).unwrap();
        assert!(unreadable.is_empty());
        assert!(matches!(
            found.iter().map(|found| &found.what).collect::<Vec<_>>()[..],
            [What::Folder, What::File(2), What::Other("a symbolic link")]
        ));
        assert_eq!(list(&dir.path().join("no")).err().unwrap().status(), 3);
    }

    #[test]
    fn normal_forms_do_not_replace_each_other() {
        let mut names = HashSet::new();
        let name = |text| Name::new(text).unwrap();
        assert!(unused(&mut names, name("e\u{301}")).is_ok());
        assert!(unused(&mut names, name("\u{e9}")).is_err());
    }
}
