//! `ls`, `mkdir`, `mv`, `rm`, `stat`.

use base::ByteSize;
use clap::Args;
use reqwest::Method;
use serde::Serialize;
use serde_json::{Map, json};

use super::{
    Common,
    api::{Api, Child, Entry, Layout},
    backoff::Patience,
    failure::Failure,
    output::{Output, moment, note, shown, table},
    path::RemotePath,
};

/// `holdfast ls`.
#[derive(Debug, Args)]
pub(crate) struct Ls {
    /// Shows size and time of the last change
    #[arg(long, short)]
    long: bool,
    /// Lists all folders below, with paths from where the listing begins
    #[arg(long, short = 'R')]
    recursive: bool,
    /// What to list: folders, or single files
    #[arg(value_name = ":/PATH", default_value = ":/")]
    paths: Vec<RemotePath>,
    #[command(flatten)]
    common: Common,
}

/// An entry, and where it is.
#[derive(Serialize)]
struct Located<'a> {
    path: &'a str,
    #[serde(flatten)]
    entry: &'a Entry,
}

pub(super) async fn ls(ls: Ls) -> Result<(), Failure> {
    let api = Api::connect(&ls.common)?;
    let mut output = Output::new();
    for path in &ls.paths {
        let entry = api.resolve(path).await?;
        if !entry.is_folder() {
            ls.show(&mut output, &path.to_string(), &entry.name, &entry)?;
            continue;
        }
        if ls.paths.len() > 1 && !ls.common.json {
            output.line(&format!("{}:", shown(&path.to_string())))?;
        }
        ls.folder(&api, &mut output, path, &entry).await?;
    }
    output.flush()
}

impl Ls {
    /// Lists a folder, and with -R those in it, each right after the folder that it is in: a stack of open folders
    /// keeps that in memory that grows with the depth and not with the tree.
    async fn folder(&self, api: &Api, output: &mut Output, path: &RemotePath, root: &Entry) -> Result<(), Failure> {
        let base = path.query();
        let base = base.trim_end_matches('/');
        let mut open = vec![Listing::of(root, String::new())];
        while let Some(listing) = open.last_mut() {
            let Some(entry) = listing.next(api).await? else {
                open.pop();
                continue;
            };
            let relative = format!("{}{}", listing.prefix, entry.name);
            self.show(output, &format!(":{base}/{relative}"), &relative, &entry)?;
            if self.recursive && entry.is_folder() {
                open.push(Listing::of(&entry, format!("{relative}/")));
            }
        }
        Ok(())
    }

    fn show(&self, output: &mut Output, path: &str, name: &str, entry: &Entry) -> Result<(), Failure> {
        if self.common.json {
            return output.json(&Located { path, entry });
        }
        let slash = if entry.is_folder() { "/" } else { "" };
        if !self.long {
            return output.line(&format!("{}{slash}", shown(name)));
        }
        let size = if entry.is_folder() { "-".into() } else { ByteSize(entry.bytes()).to_string() };
        output.line(&format!("{size:>10}  {}  {}{slash}", moment(&entry.modified_at), shown(name)))
    }
}

/// A folder while it is being listed.
struct Listing {
    folder: base::EntryId,
    prefix: String,
    page: std::vec::IntoIter<Entry>,
    /// Where the next page begins; nothing after the last one.
    next: Option<Option<String>>,
}

impl Listing {
    fn of(folder: &Entry, prefix: String) -> Self {
        Self { folder: folder.id, prefix, page: Vec::new().into_iter(), next: Some(None) }
    }

    async fn next(&mut self, api: &Api) -> Result<Option<Entry>, Failure> {
        loop {
            if let Some(entry) = self.page.next() {
                return Ok(Some(entry));
            }
            let Some(cursor) = self.next.take() else { return Ok(None) };
            let page = api.children(Patience::Brief, self.folder, cursor.as_deref()).await?;
            self.next = page.next_cursor.map(Some);
            self.page = page.items.into_iter();
        }
    }
}

/// `holdfast mkdir`.
#[derive(Debug, Args)]
pub(crate) struct Mkdir {
    /// Makes the folders above it too, and is content with those that are there
    #[arg(long, short)]
    parents: bool,
    /// The folders to make
    #[arg(value_name = ":/PATH", required = true)]
    paths: Vec<RemotePath>,
    #[command(flatten)]
    common: Common,
}

pub(super) async fn mkdir(mkdir: Mkdir) -> Result<(), Failure> {
    let api = Api::connect(&mkdir.common)?;
    let mut output = Output::new();
    let mut tally = Tally::default();
    for path in &mkdir.paths {
        let made = if mkdir.parents { make_all(&api, path).await } else { make(&api, path).await };
        if let Some(entry) = tally.take(path, made)?
            && mkdir.common.json
        {
            output.json(&Located { path: &path.to_string(), entry: &entry })?;
        }
    }
    output.flush()?;
    tally.result()
}

async fn make(api: &Api, path: &RemotePath) -> Result<Entry, Failure> {
    let (Some(name), Some(parent)) = (path.name(), path.parent()) else {
        return Err(Failure::Failed("the root folder is there already".into()));
    };
    let parent = api.resolve(&parent).await?;
    let place = Child { parent: parent.id, name: name.clone() };
    api.create_folder(Patience::Brief, &place).await.map_err(|failure| failure.about(path))
}

/// Makes a folder and those above it that are missing.
pub(super) async fn make_all(api: &Api, path: &RemotePath) -> Result<Entry, Failure> {
    let mut folder = api.resolve(&RemotePath::root()).await?;
    for step in path.ancestry() {
        let Some(name) = step.name() else { continue };
        let place = Child { parent: folder.id, name: name.clone() };
        folder = match api.find(&step).await? {
            Some(entry) => entry,
            None => match api.create_folder(Patience::Brief, &place).await {
                // Somebody else made it in between.
                Err(failure) if failure.has_code("name-taken") => api.resolve(&step).await?,
                made => made.map_err(|failure| failure.about(&step))?,
            },
        };
        if !folder.is_folder() {
            return Err(Failure::Failed("this is a file".into()).about(step));
        }
    }
    Ok(folder)
}

/// `holdfast mv`.
#[derive(Debug, Args)]
pub(crate) struct Mv {
    /// What to move
    #[arg(value_name = ":/SOURCE")]
    source: RemotePath,
    /// Its new path, or an existing folder to move it into; nothing that is there is overwritten
    #[arg(value_name = ":/DESTINATION")]
    destination: RemotePath,
    #[command(flatten)]
    common: Common,
}

pub(super) async fn mv(mv: Mv) -> Result<(), Failure> {
    let api = Api::connect(&mv.common)?;
    let entry = api.resolve(&mv.source).await?;
    let (Some(name), Some(_)) = (mv.source.name(), entry.parent_id) else {
        return Err(Failure::Failed("the root folder stays where it is".into()));
    };
    let (place, path) = match api.find(&mv.destination).await? {
        // A folder moved onto itself is a rename to the same name, perhaps in other letters; the server decides.
        Some(found) if found.is_folder() && found.id != entry.id => {
            (Child { parent: found.id, name: name.clone() }, mv.destination.join(name))
        }
        None if mv.destination.means_folder() => {
            return Err(
                Failure::Missing("there is no such folder; make it with `holdfast mkdir`".into()).about(mv.destination)
            );
        }
        _ => {
            let (Some(name), Some(parent)) = (mv.destination.name(), mv.destination.parent()) else {
                return Err(Failure::Failed("this is the root folder".into()).about(mv.destination));
            };
            (Child { parent: api.resolve(&parent).await?.id, name: name.clone() }, mv.destination.clone())
        }
    };
    let body = json!({ "name": place.name, "parent_id": place.parent });
    let response = api.send(Patience::Brief, Method::PATCH, &format!("/entries/{}", entry.id), &body).await;
    let moved: Entry = api.read(response.map_err(|failure| failure.about(&path))?).await?;
    if mv.common.json {
        let mut output = Output::new();
        output.json(&Located { path: &path.to_string(), entry: &moved })?;
        output.flush()?;
    }
    Ok(())
}

/// `holdfast rm`.
#[derive(Debug, Args)]
pub(crate) struct Rm {
    /// Removes folders with everything in them
    #[arg(long, short)]
    recursive: bool,
    /// Removes for good, not to the trash
    #[arg(long)]
    permanent: bool,
    /// What to remove
    #[arg(value_name = ":/PATH", required = true)]
    paths: Vec<RemotePath>,
    #[command(flatten)]
    common: Common,
}

pub(super) async fn rm(rm: Rm) -> Result<(), Failure> {
    let api = Api::connect(&rm.common)?;
    let mut output = Output::new();
    let mut tally = Tally::default();
    for path in &rm.paths {
        let removed = remove(&api, path, &rm).await;
        if tally.take(path, removed)?.is_some() && rm.common.json {
            output.json(&json!({ "removed": path.to_string() }))?;
        }
    }
    output.flush()?;
    tally.result()
}

async fn remove(api: &Api, path: &RemotePath, rm: &Rm) -> Result<(), Failure> {
    let entry = api.resolve(path).await?;
    if entry.is_folder() && !rm.recursive {
        return Err(Failure::Failed("this is a folder; say -r to remove it and all that is in it".into()));
    }
    let permanent = if rm.permanent { "?permanent=true" } else { "" };
    match api.order(Method::DELETE, &format!("/entries/{}{permanent}", entry.id)).await {
        // The first attempt did it, and its answer was lost.
        Err(failure) if failure.is_missing() => Ok(()),
        result => result,
    }
}

/// Keeps going over several paths: what fails is said at once, and counted.
#[derive(Debug, Default)]
struct Tally {
    done: u64,
    failed: Vec<Failure>,
}

impl Tally {
    fn take<T>(&mut self, path: &RemotePath, result: Result<T, Failure>) -> Result<Option<T>, Failure> {
        match result {
            Ok(value) => {
                self.done += 1;
                Ok(Some(value))
            }
            Err(failure) if failure.is_fatal() => Err(failure.about(path)),
            Err(failure) => {
                self.failed.push(failure.about(path));
                Ok(None)
            }
        }
    }

    /// One failure and nothing else is that failure; several things of which some failed are done in part.
    fn result(mut self) -> Result<(), Failure> {
        match (self.done, self.failed.len() as u64) {
            (_, 0) => Ok(()),
            (0, 1) => Err(self.failed.swap_remove(0)),
            (done, failed) => {
                for failure in &self.failed {
                    failure.print();
                }
                if done == 0 {
                    Err(Failure::Failed(format!("all {failed} failed")))
                } else {
                    Err(Failure::InPart { failed })
                }
            }
        }
    }
}

/// `holdfast stat`.
#[derive(Debug, Args)]
pub(crate) struct Stat {
    /// Shows on which storage servers the parts of a file lie, and how they are
    #[arg(long)]
    parts: bool,
    /// What to look at
    #[arg(value_name = ":/PATH")]
    path: RemotePath,
    #[command(flatten)]
    common: Common,
}

pub(super) async fn stat(stat: Stat) -> Result<(), Failure> {
    let api = Api::connect(&stat.common)?;
    let entry = api.resolve(&stat.path).await?;
    let layout: Option<Layout> = match stat.parts && !entry.is_folder() {
        true => Some(api.get(Patience::Brief, &format!("/files/{}/parts", entry.id), &[(); 0]).await?),
        false => None,
    };
    let path = stat.path.to_string();
    let mut output = Output::new();
    if stat.common.json {
        let located = serde_json::to_value(Located { path: &path, entry: &entry }).unwrap_or_default();
        let mut object: Map<_, _> = located.as_object().cloned().unwrap_or_default();
        if let Some(layout) = &layout {
            object.insert("layout".into(), json!(layout));
        }
        output.json(&object)?;
        return output.flush();
    }
    let mut line = |label: &str, text: &str| output.line(&format!("{label:<13}{}", shown(text)));
    line("Path", &path)?;
    line("Id", &entry.id.to_string())?;
    line("Kind", if entry.is_folder() { "folder" } else { "file" })?;
    if let Some(size) = entry.size {
        line("Size", &format!("{} ({size} bytes)", ByteSize(size)))?;
        line("Type", entry.content_type.as_deref().unwrap_or("-"))?;
        line("BLAKE3", entry.blake3.as_deref().unwrap_or("not known yet"))?;
        line("Version", entry.version_id.as_deref().unwrap_or("-"))?;
    }
    line("Revision", &entry.revision.to_string())?;
    line("Created", &moment(&entry.created_at))?;
    line("Modified", &moment(&entry.modified_at))?;
    if let Some(layout) = layout {
        show_layout(&mut output, &layout)?;
    } else if stat.parts {
        note("A folder has no parts.");
    }
    output.flush()
}

fn show_layout(output: &mut Output, layout: &Layout) -> Result<(), Failure> {
    if layout.inline {
        return output.line("Parts        none: the file is small and stays with its metadata");
    }
    for extent in &layout.extents {
        output.line("")?;
        let (size, at) = (ByteSize(extent.length), extent.offset);
        let (data, parity) = (extent.data_parts, extent.parity_parts);
        output.line(&format!("{size} from byte {at}, in {data} + {parity} parts"))?;
        let rows = extent.parts.iter().map(|part| {
            let verified = part.verified_at.as_deref().map_or_else(|| "not yet".into(), moment);
            let checksum = part.checksum.as_deref().unwrap_or("-");
            let texts = [part.role.as_str(), part.state.as_str(), part.node_id.as_str(), checksum, &verified];
            let [role, state, node, checksum, verified] = texts.map(|text| shown(text).into_owned());
            vec![part.index.to_string(), role, state, ByteSize(part.length).to_string(), node, checksum, verified]
        });
        let header = ["PART", "ROLE", "STATE", "LENGTH", "NODE", "CHECKSUM", "VERIFIED"];
        for line in table(&header, &[0, 3], &rows.collect::<Vec<_>>()) {
            output.line(&line)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_of_several_is_done_in_part() {
        let path = || ":/x".parse::<RemotePath>().unwrap();
        let run = |results: Vec<Result<(), Failure>>| {
            let mut tally = Tally::default();
            for result in results {
                tally.take(&path(), result)?;
            }
            tally.result()
        };
        let no = || Err(Failure::Failed("no".into()));
        assert!(run(vec![Ok(()), Ok(())]).is_ok());
        assert_eq!(run(vec![no()]).unwrap_err().status(), 1);
        assert_eq!(run(vec![no(), no()]).unwrap_err().status(), 1);
        assert_eq!(run(vec![Ok(()), no()]).unwrap_err().status(), 6);
        let lost = Failure::Unreachable { server: "s".into(), cause: "c".into() };
        assert_eq!(run(vec![Ok(()), Err(lost), Ok(())]).unwrap_err().status(), 5);
    }
}
