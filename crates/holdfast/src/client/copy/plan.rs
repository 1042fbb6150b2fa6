//! What the command line of a copy means: as `cp` reads it.

use std::{
    collections::HashSet,
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use base::{EntryId, Name};
use serde::{Deserialize, Serialize};

use super::{Context, Work, clone, pull, push};
use crate::client::{
    api::{Child, Entry},
    backoff::Patience,
    failure::Failure,
    path::{Place, RemotePath},
    report::Way,
    resume::{Kind, Record, key},
};

/// A copy as it was typed.
pub(super) struct Order {
    pub(super) sources: Vec<Place>,
    pub(super) destination: Place,
    pub(super) recursive: bool,
}

/// What to begin with.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) work: Vec<Work>,
    /// Held while the copy runs; finished when it is whole.
    pub(super) unfinished: Vec<Record>,
}

/// The destination of a copy on the server.
enum Remote {
    /// A folder that is there.
    Into(EntryId, RemotePath),
    /// A name in a folder that is there, and the file that has it.
    As(Child, RemotePath, Option<Box<Entry>>),
}

/// The destination of a copy on this machine.
enum Local {
    /// A folder that is there.
    Into(PathBuf),
    /// A path in a folder that is there; a file may be there.
    As(PathBuf),
}

/// The folder that a recursive copy made as its destination.
///
/// `cp -r a b` makes `b` the first time, and goes to `b/a` when `b` is there. A copy that was broken off must go on in
/// `b` when it is typed again, so the command remembers the very folder that it made until the copy is whole.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Made {
    Remote(EntryId),
    Local { device: u64, inode: u64 },
}

/// Finds out what there is to do.
///
/// # Errors
/// If nothing of it can be done. Of several sources, those that cannot be copied are reported.
pub(super) async fn plan(context: &Context, order: Order) -> Result<Plan, Failure> {
    let several = order.sources.len() > 1;
    let mut planner = Planner { context, recursive: order.recursive, names: HashSet::new(), plan: Plan::default() };
    match order.destination {
        Place::Remote(path) => {
            let target = remote_target(context, &path, several).await?;
            for source in order.sources {
                let way = way(&source, &path);
                let planned = match &source {
                    Place::Local(local) => planner.push(local, &target).await,
                    Place::Remote(remote) => planner.clone_entry(remote, &target).await,
                };
                planner.settle(planned, &way, several)?;
            }
        }
        Place::Local(path) => {
            let target = local_target(&path, several)?;
            for source in order.sources {
                let way = way(&source, path.display());
                let planned = match &source {
                    Place::Local(_) => {
                        return Err(Failure::Usage(
                            "one side of a copy is remote: begin its path with a colon, as in :/docs".into(),
                        ));
                    }
                    Place::Remote(remote) => planner.pull(remote, &target).await,
                };
                planner.settle(planned, &way, several)?;
            }
        }
    }
    Ok(planner.plan)
}

fn way(source: &Place, destination: impl ToString) -> Way {
    let source = match source {
        Place::Local(path) => path.to_string_lossy().into_owned(),
        Place::Remote(path) => path.to_string(),
    };
    Way { source, destination: destination.to_string() }
}

async fn remote_target(context: &Context, path: &RemotePath, several: bool) -> Result<Remote, Failure> {
    match context.api.resolve(path).await {
        Ok(entry) if entry.is_folder() => Ok(Remote::Into(entry.id, path.clone())),
        Ok(_) if several || path.means_folder() => Err(not_a_folder().about(path)),
        Ok(entry) => match (path.name(), entry.parent_id) {
            (Some(name), Some(parent)) => {
                Ok(Remote::As(Child { parent, name: name.clone() }, path.clone(), Some(Box::new(entry))))
            }
            _ => Err(not_a_folder().about(path)),
        },
        Err(failure) if failure.is_missing() && !several && !path.means_contents() => {
            match (path.name(), path.parent()) {
                // A slash at the end is no reason to refuse: what comes there is a folder, or is refused by `push`.
                (Some(name), Some(parent)) => {
                    let parent = context.api.resolve(&parent).await?;
                    Ok(Remote::As(Child { parent: parent.id, name: name.clone() }, path.clone(), None))
                }
                _ => Err(failure),
            }
        }
        Err(failure) => Err(failure),
    }
}

fn local_target(path: &Path, several: bool) -> Result<Local, Failure> {
    let means_folder = path.as_os_str().as_encoded_bytes().ends_with(b"/");
    match fs::metadata(path) {
        Ok(meta) if meta.is_dir() => Ok(Local::Into(path.to_owned())),
        Ok(_) if several || means_folder => Err(not_a_folder().about(path.display())),
        Ok(_) => Ok(Local::As(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !several => {
            let parent = match path.parent() {
                Some(parent) if parent != Path::new("") => parent,
                _ => Path::new("."),
            };
            match fs::metadata(parent) {
                Ok(meta) if meta.is_dir() => Ok(Local::As(path.to_owned())),
                Ok(_) => Err(not_a_folder().about(parent.display())),
                Err(error) => Err(Failure::local(parent, error)),
            }
        }
        Err(error) => Err(Failure::local(path, error)),
    }
}

fn not_a_folder() -> Failure {
    Failure::Failed("this is not a folder".into())
}

/// Whether a local path ends in a dot, so that what is in the folder is meant and not the folder.
fn means_contents(path: &Path) -> bool {
    let text = path.as_os_str().as_encoded_bytes();
    text == b"." || text.ends_with(b"/.") || path.file_name().is_none()
}

/// The name that a local file or folder gets on the server.
pub(super) fn name_of(path: &Path) -> Result<Name, Failure> {
    let name = path.file_name().unwrap_or_default();
    let text = name.to_str().ok_or_else(|| Failure::Failed("its name is not UTF-8".into()))?;
    Name::new(text).map_err(|why| Failure::Failed(format!("it cannot have this name on a server: {why}")))
}

struct Planner<'a> {
    context: &'a Context,
    recursive: bool,
    /// Names in the destination folder that sources of this command have: a second one would replace the first.
    names: HashSet<Name>,
    plan: Plan,
}

impl Planner<'_> {
    /// Takes up what a source gave.
    fn settle(&mut self, planned: Result<(), Failure>, way: &Way, several: bool) -> Result<(), Failure> {
        match planned {
            Err(failure) if several && !failure.is_fatal() => {
                self.context.report.failed(way, &failure);
                Ok(())
            }
            Err(failure) => Err(failure.about(&way.source)),
            Ok(()) => Ok(()),
        }
    }

    async fn push(&mut self, local: &Path, target: &Remote) -> Result<(), Failure> {
        // A link that is named on the command line is followed, as cp does.
        let meta = fs::metadata(local).map_err(|error| Failure::local(local, error))?;
        if meta.is_dir() {
            self.wants_recursive()?;
            let (at, remote) = self.push_folder_to(local, target).await?;
            self.plan.work.push(Work::PushFolder(push::Folder { local: local.into(), remote: Arc::new(remote), at }));
            return Ok(());
        }
        if !meta.is_file() {
            return Err(Failure::Failed("this is neither a file nor a folder".into()));
        }
        let (place, folder, existing) = match target {
            Remote::Into(folder, path) => {
                let name = self.unique(name_of(local)?)?;
                let existing = self.context.api.find(&path.join(&name)).await?;
                (Child { parent: *folder, name }, path.clone(), existing.map(Box::new))
            }
            Remote::As(_, path, _) if path.means_folder() => return Err(no_such_folder(path)),
            Remote::As(place, path, existing) => {
                (place.clone(), path.parent().unwrap_or_else(RemotePath::root), existing.clone())
            }
        };
        let file = push::File { local: local.into(), bytes: meta.len(), place, folder: Arc::new(folder), existing };
        self.plan.work.push(Work::PushFile(file));
        Ok(())
    }

    /// Which folder of the server a folder of this machine becomes.
    async fn push_folder_to(&mut self, local: &Path, target: &Remote) -> Result<(push::At, RemotePath), Failure> {
        let contents = means_contents(local);
        match target {
            Remote::Into(folder, path) if contents => Ok((push::At::There(*folder), path.clone())),
            Remote::Into(folder, path) => {
                if self.is_unfinished(&absolute(local)?, path.to_string(), &Made::Remote(*folder))? {
                    return Ok((push::At::There(*folder), path.clone()));
                }
                let name = self.unique(name_of(local)?)?;
                let path = path.join(&name);
                let at = match self.context.api.find(&path).await? {
                    Some(entry) if entry.is_folder() => push::At::There(entry.id),
                    Some(_) => return Err(not_a_folder().about(path)),
                    None => push::At::Missing(Child { parent: *folder, name }),
                };
                Ok((at, path))
            }
            Remote::As(_, path, Some(_)) => Err(not_a_folder().about(path)),
            Remote::As(place, path, None) => {
                let made = self.context.api.create_folder(Patience::Brief, place).await.map_err(|f| f.about(path))?;
                if !contents {
                    self.remember(&absolute(local)?, path.to_string(), &Made::Remote(made.id))?;
                }
                Ok((push::At::New(made.id), path.clone()))
            }
        }
    }

    async fn pull(&mut self, remote: &RemotePath, target: &Local) -> Result<(), Failure> {
        let entry = self.context.api.resolve(remote).await?;
        if !entry.is_folder() {
            let local = match target {
                Local::Into(dir) => dir.join(self.unique(name_in(remote)?)?.as_str()),
                Local::As(path) if path.as_os_str().as_encoded_bytes().ends_with(b"/") => {
                    return Err(Failure::local(path, io::ErrorKind::NotFound.into()));
                }
                Local::As(path) => path.clone(),
            };
            let folder = Arc::new(remote.parent().unwrap_or_else(RemotePath::root));
            self.plan.work.push(Work::PullFile(pull::File { entry: Box::new(entry), folder, local }));
            return Ok(());
        }
        self.wants_recursive()?;
        let contents = remote.means_contents();
        let local = match target {
            Local::Into(dir) if contents => dir.clone(),
            Local::Into(dir) => {
                let there = absolute(dir)?.to_string_lossy().into_owned();
                if self.is_unfinished(Path::new(&remote.to_string()), there, &made_local(dir)?)? {
                    dir.clone()
                } else {
                    dir.join(self.unique(name_in(remote)?)?.as_str())
                }
            }
            Local::As(path) => {
                fs::create_dir(path).map_err(|error| Failure::local(path, error))?;
                if !contents {
                    let there = absolute(path)?.to_string_lossy().into_owned();
                    self.remember(Path::new(&remote.to_string()), there, &made_local(path)?)?;
                }
                path.clone()
            }
        };
        let folder = pull::Folder { id: entry.id, remote: Arc::new(remote.clone()), local: local.into(), cursor: None };
        self.plan.work.push(Work::PullFolder(folder));
        Ok(())
    }

    async fn clone_entry(&mut self, remote: &RemotePath, target: &Remote) -> Result<(), Failure> {
        let entry = self.context.api.resolve(remote).await?;
        if entry.is_folder() {
            self.wants_recursive()?;
        }
        let contents = entry.is_folder() && remote.means_contents();
        let (to, path) = match target {
            Remote::Into(folder, path) if contents => (clone::To::Folder(*folder), path.clone()),
            Remote::Into(folder, path) => {
                let name = self.unique(name_in(remote)?)?;
                let path = path.join(&name);
                let existing = self.context.api.find(&path).await?.map(Box::new);
                (clone::To::Place(Child { parent: *folder, name }, existing), path)
            }
            Remote::As(_, path, _) if path.means_folder() && !entry.is_folder() => return Err(no_such_folder(path)),
            Remote::As(place, path, existing) => (clone::To::Place(place.clone(), existing.clone()), path.clone()),
        };
        let copy = clone::Copy { entry: Box::new(entry), remote: Arc::new(remote.clone()), to, path: Arc::new(path) };
        self.plan.work.push(Work::Clone(copy));
        Ok(())
    }

    fn wants_recursive(&self) -> Result<(), Failure> {
        match self.recursive {
            true => Ok(()),
            false => Err(Failure::Failed("this is a folder; say -r to copy it with all that is in it".into())),
        }
    }

    fn unique(&mut self, name: Name) -> Result<Name, Failure> {
        match self.names.insert(name.clone()) {
            true => Ok(name),
            false => Err(Failure::Failed("another source of this command has the same name".into())),
        }
    }

    fn record(&self, source: &Path, destination: &str) -> Result<Record, Failure> {
        let (server, account) = (self.context.api.server().as_str(), self.context.api.account()?);
        let source = source.as_os_str().as_encoded_bytes();
        let key = key(&[server.as_bytes(), account.as_bytes(), source, destination.trim_end_matches('/').as_bytes()]);
        self.context.shelf.take(Kind::Copy, &key)
    }

    /// Whether this folder was made by the same command, which was broken off.
    fn is_unfinished(&mut self, source: &Path, destination: String, folder: &Made) -> Result<bool, Failure> {
        let mut record = self.record(source, &destination)?;
        let is_unfinished = record.read::<Made>().as_ref() == Some(folder);
        if is_unfinished {
            self.plan.unfinished.push(record);
        } else {
            record.finish();
        }
        Ok(is_unfinished)
    }

    fn remember(&mut self, source: &Path, destination: String, folder: &Made) -> Result<(), Failure> {
        let mut record = self.record(source, &destination)?;
        record.write(folder)?;
        self.plan.unfinished.push(record);
        Ok(())
    }
}

/// The last name of a remote source.
fn name_in(remote: &RemotePath) -> Result<Name, Failure> {
    remote.name().cloned().ok_or_else(|| Failure::Failed("the root folder has no name".into()))
}

fn no_such_folder(path: &RemotePath) -> Failure {
    Failure::Missing("there is no such folder; make it with `holdfast mkdir`".into()).about(path)
}

/// The path from the root, the same however many slashes and dots it was typed with. Links are not looked at.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    let path = std::path::absolute(path).map_err(|error| Failure::local(path, error))?;
    Ok(path.components().collect())
}

fn made_local(dir: &Path) -> Result<Made, Failure> {
    let meta = fs::metadata(dir).map_err(|error| Failure::local(dir, error))?;
    Ok(Made::Local { device: meta.dev(), inode: meta.ino() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_mean_what_is_inside() {
        for path in [".", "..", "/", "a/.", "a/..", "/a/."] {
            assert!(means_contents(Path::new(path)), "{path}");
        }
        for path in ["a", "a/", "/a/b", "a.", "a/.b"] {
            assert!(!means_contents(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn local_destinations() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("file"), "x").unwrap();
        assert!(matches!(local_target(dir.path(), true), Ok(Local::Into(_))));
        assert!(matches!(local_target(&at("file"), false), Ok(Local::As(_))));
        assert!(matches!(local_target(&at("new"), false), Ok(Local::As(_))));
        assert!(local_target(&at("file"), true).is_err());
        assert_eq!(local_target(&at("new"), true).err().unwrap().status(), 3);
        assert_eq!(local_target(&at("no/new"), false).err().unwrap().status(), 3);
    }

    #[test]
    fn names_that_a_server_refuses_are_refused_here() {
        assert_eq!(name_of(Path::new("/a/b.txt")).unwrap().as_str(), "b.txt");
        assert!(name_of(Path::new("a/b\nc")).is_err());
        assert!(name_of(Path::new(&std::ffi::OsString::from("\u{7f}"))).is_err());
    }
}
