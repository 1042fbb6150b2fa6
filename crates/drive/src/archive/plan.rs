//! Which entries an archive has, under which paths.

use std::collections::HashSet;

use base::{ContentId, EntryId, Name, SpaceId, Time, VersionId};
use db::{
    Tx,
    archive::{self, SummedRow},
    tree,
};

use super::{ENTRIES_MAX, Format};
use crate::{
    Error,
    entry::{NameOf, numbered},
};

/// Raised when equal plans begin to give other bytes.
const LAYOUT: u8 = 1;

/// What an archive of several entries is called.
const SEVERAL: &str = "files";

/// A folder or file of an archive.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// Names with `/` between them, and one at the end of a folder's. No name is `..`, empty, or has a separator in it.
    pub(super) path: String,
    /// Whether it is a folder.
    pub(super) folder: bool,
    /// Bytes of a file; 0 of a folder.
    pub(super) size: u64,
    /// The bytes of a file.
    pub(super) content: Option<ContentId>,
    /// Which version they are.
    pub(super) version: Option<VersionId>,
    /// When they changed last.
    pub(super) modified: Time,
    /// Their CRC-32, if an archive has computed it before.
    pub(super) crc32: Option<u32>,
}

/// What an archive is made of.
pub(crate) struct Plan {
    /// What it is to be called, without an ending.
    pub(super) name: String,
    pub(super) items: Vec<Item>,
}

impl Plan {
    /// Walks down from these entries, in one snapshot: folders before what is in them, by name.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::ArchiveTooLarge`].
    pub(super) async fn make(tx: &Tx, tops: &[(SpaceId, EntryId)]) -> Result<Self, Error> {
        let mut items = Vec::new();
        let mut taken = HashSet::new();
        let mut name = SEVERAL.to_owned();
        for (space, id) in tops {
            let row = archive::entry(tx, *space, *id).await?.ok_or(Error::NotFound("entry"))?;
            // The root of a space has no name: what is in it stands at the top.
            let root = row.entry.name.is_empty();
            let shown = if root { String::new() } else { free(&row, &mut taken)? };
            if tops.len() == 1 && !root {
                name.clone_from(&shown);
            }
            let mut waiting = vec![(row, shown, !root)];
            // The last one put there is the next: all of a folder comes before its neighbour.
            while let Some((row, path, listed)) = waiting.pop() {
                if row.entry.kind == tree::FILE {
                    push(&mut items, &row, path)?;
                    continue;
                }
                let (space, id) = (row.entry.space, row.entry.id);
                let prefix = if listed { format!("{path}/") } else { path };
                if listed {
                    push(&mut items, &row, prefix.clone())?;
                }
                let left = ENTRIES_MAX.saturating_sub(items.len() + waiting.len());
                let children = archive::children(tx, space, id, left as u32 + 1).await?;
                if children.len() > left {
                    return Err(Error::ArchiveTooLarge(ENTRIES_MAX));
                }
                let below = children.into_iter().rev().map(|child| {
                    let path = format!("{prefix}{}", child.entry.name);
                    (child, path, true)
                });
                waiting.extend(below);
            }
        }
        Ok(Self { name, items })
    }

    /// The entity tag of the archive in a form, with its quotes.
    pub(super) fn etag(&self, format: Format) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&[LAYOUT, format as u8]);
        for item in &self.items {
            hasher.update(&(item.path.len() as u64).to_le_bytes());
            hasher.update(item.path.as_bytes());
            hasher.update(&item.size.to_le_bytes());
            hasher.update(&item.modified.as_micros().to_le_bytes());
            hasher.update(&item.version.map(VersionId::to_bytes).unwrap_or_default());
        }
        format!("\"{}\"", &hasher.finalize().to_hex()[..32])
    }
}

/// A name at the top of the archive: entries of several folders may be called the same.
fn free(row: &SummedRow, taken: &mut HashSet<String>) -> Result<String, Error> {
    let kind = if row.entry.kind == tree::FILE { NameOf::File } else { NameOf::Folder };
    let mut shown = row.entry.name.clone();
    let mut number = 2;
    while !taken.insert(shown.clone()) {
        shown = numbered(&Name::new(&row.entry.name)?, number, kind)?.into_string();
        number += 1;
    }
    Ok(shown)
}

fn push(items: &mut Vec<Item>, row: &SummedRow, path: String) -> Result<(), Error> {
    if items.len() >= ENTRIES_MAX {
        return Err(Error::ArchiveTooLarge(ENTRIES_MAX));
    }
    let entry = &row.entry;
    items.push(Item {
        path,
        folder: entry.kind != tree::FILE,
        size: entry.size,
        content: entry.content,
        version: entry.version,
        modified: entry.modified,
        crc32: row.crc32,
    });
    Ok(())
}
