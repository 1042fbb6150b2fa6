//! `trash ls`, `trash restore`, `trash empty`, `undo`, `redo`, `versions`: what was, and the ways back to it.

use std::{fmt, time::Duration};

use base::{ByteSize, EntryId, VersionId};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Common,
    api::{Activity, Api, Entry, Page},
    backoff::Patience,
    failure::Failure,
    output::{Output, moment, note, shown, table},
    path::RemotePath,
};

/// `holdfast trash …`.
#[derive(Debug, Subcommand)]
pub(crate) enum Trash {
    /// Lists what was removed, the latest first
    Ls(Common),
    /// Takes something out of the trash, to where it was
    Restore(Restore),
    /// Removes for good what is in the trash now, and waits until that is done
    Empty(Empty),
}

/// `holdfast trash restore`.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The path that it had, or its id, as `holdfast trash ls` shows them; of several with one path the latest
    #[arg(value_name = ":/PATH|ID")]
    what: Removed,
    /// Another folder to put it into
    #[arg(long, value_name = ":/FOLDER")]
    to: Option<RemotePath>,
    #[command(flatten)]
    common: Common,
}

/// `holdfast trash empty`.
#[derive(Debug, Args)]
pub(crate) struct Empty {
    /// Does not wait for the end
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    common: Common,
}

/// `holdfast undo`, `holdfast redo`.
#[derive(Debug, Args)]
pub(crate) struct Undo {
    /// The number of the change, instead of the newest one
    #[arg(long, value_name = "NUMBER")]
    sequence: Option<u64>,
    #[command(flatten)]
    common: Common,
}

/// `holdfast versions`.
#[derive(Debug, Args)]
pub(crate) struct Versions {
    /// Makes this version the current one; the others stay
    #[arg(long, value_name = "VERSION")]
    restore: Option<VersionId>,
    /// The file
    #[arg(value_name = ":/PATH")]
    path: RemotePath,
    #[command(flatten)]
    common: Common,
}

/// Something that was removed, as people name it.
#[derive(Debug, Clone)]
enum Removed {
    Id(EntryId),
    Path(RemotePath),
}

impl std::str::FromStr for Removed {
    type Err = <RemotePath as std::str::FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) => text.parse().map(Self::Path),
        }
    }
}

impl fmt::Display for Removed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Path(path) => path.fmt(f),
        }
    }
}

/// Something in the trash.
#[derive(Debug, Deserialize, Serialize)]
struct Trashed {
    #[serde(flatten)]
    entry: Entry,
    original_path: String,
    trashed_at: String,
    purged_at: Option<String>,
}

/// How far the emptying is.
#[derive(Debug, Deserialize, Serialize)]
struct Emptying {
    state: String,
    entries_total: u64,
    entries_left: u64,
    trees_left: u64,
}

/// A version of a file.
#[derive(Debug, Deserialize, Serialize)]
struct Version {
    id: String,
    size: u64,
    created_at: String,
    name: Option<String>,
    pinned: bool,
    current: bool,
}

/// What an undo took back.
#[derive(Debug, Deserialize, Serialize)]
struct Undone {
    undoes: u64,
    sequence: u64,
    kind: String,
    entry: Option<Entry>,
}

#[derive(Debug, Deserialize)]
struct UndoneList {
    items: Vec<Undone>,
}

/// How often it is asked how far the emptying is.
const EVERY: Duration = Duration::from_millis(500);

pub(super) async fn trash(trash: Trash) -> Result<(), Failure> {
    match trash {
        Trash::Ls(common) => list(&common).await,
        Trash::Restore(restore) => bring_back(&restore).await,
        Trash::Empty(empty) => clear(&empty).await,
    }
}

/// A page of the trash of one's own space.
async fn page(api: &Api, cursor: Option<&str>) -> Result<Page<Trashed>, Failure> {
    let space = api.space()?.to_string();
    let mut query = vec![("space", space.as_str()), ("limit", "1000")];
    query.extend(cursor.map(|cursor| ("cursor", cursor)));
    api.get(Patience::Brief, "/trash", &query).await
}

async fn list(common: &Common) -> Result<(), Failure> {
    let api = Api::connect(common)?;
    let mut output = Output::new();
    let mut cursor = None;
    loop {
        let found = page(&api, cursor.as_deref()).await?;
        if common.json {
            found.items.iter().try_for_each(|trashed| output.json(trashed))?;
        } else {
            let rows = found.items.iter().map(|trashed| {
                let slash = if trashed.entry.is_folder() { "/" } else { "" };
                let size = trashed.entry.size.map_or_else(|| "-".to_owned(), |size| ByteSize(size).to_string());
                let path = format!(":{}{slash}", shown(&trashed.original_path));
                vec![trashed.entry.id.to_string(), size, moment(&trashed.trashed_at), path]
            });
            for line in table(&["ID", "SIZE", "REMOVED", "PATH"], &[1], &rows.collect::<Vec<_>>()) {
                output.line(&line)?;
            }
        }
        cursor = found.next_cursor;
        if cursor.is_none() {
            return output.flush();
        }
    }
}

/// The id of something in the trash.
async fn find(api: &Api, what: &Removed) -> Result<EntryId, Failure> {
    let path = match what {
        Removed::Id(id) => return Ok(*id),
        Removed::Path(path) => path.query(),
    };
    let wanted = path.trim_end_matches('/');
    let mut cursor = None;
    loop {
        let found = page(api, cursor.as_deref()).await?;
        if let Some(trashed) = found.items.iter().find(|trashed| trashed.original_path == wanted) {
            return Ok(trashed.entry.id);
        }
        cursor = found.next_cursor;
        if cursor.is_none() {
            let missing = "nothing in the trash had this path; `holdfast trash ls` shows what is there";
            return Err(Failure::Missing(missing.into()).about(what));
        }
    }
}

async fn bring_back(restore: &Restore) -> Result<(), Failure> {
    let api = Api::connect(&restore.common)?;
    let parent = match &restore.to {
        Some(path) => Some(api.resolve(path).await?.id),
        None => None,
    };
    let id = find(&api, &restore.what).await?;
    let at = format!("/entries/{id}/restore");
    let response = api.send(Patience::Brief, Method::POST, &at, &json!({ "parent_id": parent })).await;
    let entry: Entry = api.read(response.map_err(|failure| failure.about(&restore.what))?).await?;
    let mut output = Output::new();
    if restore.common.json {
        output.json(&entry)?;
    } else if !restore.common.quiet {
        note(&format!("{} is back.", shown(&entry.name)));
    }
    output.flush()
}

async fn clear(empty: &Empty) -> Result<(), Failure> {
    let api = Api::connect(&empty.common)?;
    let space = api.space()?.to_string();
    let query = [("space", space.as_str())];
    let make = || api.request(Method::DELETE, "/trash").query(&query);
    let mut state: Emptying = api.read(api.call(Patience::Brief, &Activity::default(), make).await?).await?;
    let total = state.entries_total;
    while !empty.no_wait && (state.state == "running" || state.trees_left > 0) {
        tokio::time::sleep(EVERY).await;
        state = api.get(Patience::Long, "/trash/emptying", &query).await?;
        if state.state == "failed" {
            return Err(Failure::Failed("the trash could not be emptied; an administrator can see why".into()));
        }
    }
    let mut output = Output::new();
    if empty.common.json {
        output.json(&json!({ "entries": total, "state": state.state }))?;
    } else if !empty.common.quiet {
        let (be, done) = if empty.no_wait { ("are", "being removed") } else { ("are", "gone for good") };
        note(&format!("{total} removed files and folders {be} {done}."));
    }
    output.flush()
}

pub(super) async fn undo(undo: Undo) -> Result<(), Failure> {
    turn(undo, "/undo", "taken back").await
}

pub(super) async fn redo(redo: Undo) -> Result<(), Failure> {
    turn(redo, "/redo", "done again").await
}

async fn turn(undo: Undo, path: &str, done: &str) -> Result<(), Failure> {
    let api = Api::connect(&undo.common)?;
    let body = json!({ "space_id": api.space()?, "sequence": undo.sequence });
    // A request that is sent again because its answer was lost must not take back one change more.
    let operation = uuid::Uuid::new_v4().to_string();
    let make = || api.request(Method::POST, path).header("operation-id", &operation).json(&body);
    let undone: UndoneList = api.read(api.call(Patience::Brief, &Activity::default(), make).await?).await?;
    let mut output = Output::new();
    for change in &undone.items {
        if undo.common.json {
            output.json(change)?;
        } else if !undo.common.quiet {
            let name = change.entry.as_ref().map_or_else(String::new, |entry| format!(" {}", shown(&entry.name)));
            note(&format!("Change {} is {done}: {}{name}.", change.undoes, change.kind));
        }
    }
    output.flush()
}

pub(super) async fn versions(versions: Versions) -> Result<(), Failure> {
    let api = Api::connect(&versions.common)?;
    let entry = api.resolve(&versions.path).await?;
    if entry.is_folder() {
        return Err(Failure::Failed("a folder has no versions".into()).about(&versions.path));
    }
    let at = format!("/files/{}/versions", entry.id);
    let mut output = Output::new();
    if let Some(version) = versions.restore {
        let back = format!("{at}/{version}/restore");
        let make = || api.request(Method::POST, &back);
        let response = api.call(Patience::Brief, &Activity::default(), make).await;
        let entry: Entry = api.read(response.map_err(|failure| failure.about(version))?).await?;
        if versions.common.json {
            output.json(&entry)?;
        } else if !versions.common.quiet {
            note(&format!("{} has the bytes of {version} again.", shown(&entry.name)));
        }
        return output.flush();
    }
    let mut cursor: Option<String> = None;
    loop {
        let mut query = vec![("limit", "1000")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let found: Page<Version> = api.get(Patience::Brief, &at, &query).await?;
        if versions.common.json {
            found.items.iter().try_for_each(|version| output.json(version))?;
        } else {
            let rows = found.items.iter().map(|version| {
                let marks = [("current", version.current), ("pinned", version.pinned)];
                let marks: Vec<_> = marks.iter().filter(|(_, is)| *is).map(|(mark, _)| *mark).collect();
                let name = version.name.as_deref().map_or_else(String::new, |name| shown(name).into_owned());
                let size = ByteSize(version.size).to_string();
                vec![shown(&version.id).into_owned(), size, moment(&version.created_at), marks.join(", "), name]
            });
            for line in table(&["VERSION", "SIZE", "MADE", "STATE", "NAME"], &[1], &rows.collect::<Vec<_>>()) {
                output.line(&line)?;
            }
        }
        cursor = found.next_cursor;
        if cursor.is_none() {
            return output.flush();
        }
    }
}
