//! Copies: a new entry with the same contents. No byte is copied.

use accounts::Action;
use base::{EntryId, Name, SpaceId, limits};
use db::{
    Tx, totals,
    tree::{self, EntryRow, VersionRow},
};
use journal::Kind as Changed;

use crate::{
    Actor, Drive, Entry, Error, Extras, OnConflict,
    crossing::Carrier,
    drive::Reach,
    entry::NameOf,
    inverse::Inverse,
    place::{Bytes, Slot, Spot},
    repeat::{COPIES, Repeat},
    work::{Work, signed},
};

/// Entries that one copy takes along at most: it is one unit of work, and others of the space wait for it.
pub(crate) const COPY_ENTRIES_MAX: usize = 20_000;

/// Where a copy goes.
#[derive(Debug, Clone, Default)]
pub struct Copy {
    /// The folder, in this space or in another one; the one that the source is in if absent.
    pub parent: Option<EntryId>,
    /// The name; that of the source if absent.
    pub name: Option<Name>,
    /// What to do if the name is taken. Only a file is ever replaced, and only by a file.
    pub on_conflict: OnConflict,
    /// The id of the copy, if the client made one: a UUIDv7 that no entry has.
    pub id: Option<EntryId>,
}

impl Drive {
    /// Copies a file (its current version), or a folder with its tree in one step.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::RootEntry`], [`Error::OtherSpace`], [`Error::NotAFolder`], [`Error::NameTaken`],
    /// [`Error::IntoItself`], [`Error::TooDeep`], [`Error::TooManyEntries`], [`Error::Quota`].
    pub async fn copy(&self, actor: &Actor, id: EntryId, copy: Copy) -> Result<Entry, Error> {
        let found = match self.find(actor, Action::Read, id, "entry").await {
            Ok((_, Reach::Trash { .. })) => Err(Error::InTrash("entry")),
            found => found,
        };
        let (located, _) = match found {
            Ok(found) => found,
            Err(refused) => return Ok(self.done_unless(actor, Repeat::said(&copy), refused).await?.entry),
        };
        let space = located.space.id;
        let Some(from) = located.entry.parent else { return Err(Error::RootEntry) };
        let name = match copy.name.clone() {
            Some(name) => name,
            None => Name::new(&located.entry.name)?,
        };
        let to = copy.parent.unwrap_or(from);
        let repeat = Repeat::child(to, &name, copy.on_conflict, copy.id, COPIES);
        let run = async {
            let repeat = repeat.clone();
            if let Some(parent) = copy.parent {
                let target = self.folder(actor, Action::Change, Some(parent)).await?;
                if target.space.id != space {
                    return self.copy_over(actor, id, (space, target.space.id), copy, repeat).await;
                }
            }
            let (drive, actor) = (self.clone(), actor.clone());
            let unit = async move |tx: Tx| {
                let work = Work::change(&drive, &tx, space, &actor, 0).await?;
                work.refuse_repeat(&repeat).await?;
                let source = work.entry_for(Action::Read, id, "entry").await?;
                let Some(from) = source.parent else { return Err(Error::RootEntry) };
                let to = copy.parent.unwrap_or(from);
                let name = match copy.name {
                    Some(name) => name,
                    None => Name::new(&source.name)?,
                };
                if source.kind == tree::FILE {
                    work.copy_file(
                        &source,
                        Spot::Child { parent: to, name, on_conflict: copy.on_conflict, id: copy.id },
                    )
                    .await
                } else {
                    work.copy_tree(source, to, name, copy.on_conflict, copy.id, None).await
                }
            };
            self.write(space, unit).await
        };
        self.once(actor, &repeat, run, |done| done.entry).await
    }
}

impl Work<'_> {
    pub(crate) async fn copy_file(&self, source: &EntryRow, spot: Spot) -> Result<Entry, Error> {
        let bytes = shared(source)?;
        self.count(signed(bytes.size)?, 0).await?;
        self.drive.inner.store.add_reference(self.tx, bytes.content).await?;
        let placed = self.place(spot, bytes, Changed::Copied).await?;
        self.hash_if_unknown(&placed.row).await?;
        Ok(placed.entry)
    }

    pub(crate) async fn copy_tree(
        &self,
        source: EntryRow,
        to: EntryId,
        name: Name,
        on_conflict: OnConflict,
        id: Option<EntryId>,
        over: Option<&Carrier<'_>>,
    ) -> Result<Entry, Error> {
        let Slot::Free(name) = self.slot(to, name, on_conflict, NameOf::Folder).await? else {
            return Err(Error::NameTaken);
        };
        let above = tree::ancestors(self.tx, self.space.id, to).await?;
        if above.contains(&source.id) {
            return Err(Error::IntoItself);
        }
        let mut below = self.collect(source.space, source.id, above.len()).await?;
        if let Some(carrier) = over {
            for (row, _) in &mut below {
                row.extras = carrier.extras(row.extras.take()).await?;
            }
        }
        self.fits(below.iter().map(|(row, _)| row.size).max().unwrap_or(0))?;
        self.count(signed(below.iter().map(|(row, _)| row.size).sum())?, 0).await?;
        let new = self.new_folder(to, name.into_string());
        let top = EntryRow { id: self.new_id(id).await?, extras: source.extras.clone(), ..new };
        self.insert_folder_like(&source, &top).await?;
        // Parents come before their children, so a new parent's id is known when it is needed.
        let mut copies: Vec<EntryId> = Vec::with_capacity(below.len());
        for (row, parent) in &below {
            let parent = parent.map_or(top.id, |at| copies[at]);
            copies.push(self.copy_row(row, parent).await?);
        }
        self.count_below(to, self.weight(&source).await?).await?;
        let entry = Entry::try_from(&top)?;
        self.record(Changed::Copied, &entry, Some(Inverse::Trash)).await?;
        Ok(entry)
    }

    /// The entries below a folder, parents first; with each, where its parent stands in the list, none for the folder
    /// itself. `depth` is that of the folder's copy.
    async fn collect(
        &self,
        space: SpaceId,
        top: EntryId,
        depth: usize,
    ) -> Result<Vec<(EntryRow, Option<usize>)>, Error> {
        let mut found: Vec<(EntryRow, Option<usize>)> = Vec::new();
        let mut folders = vec![(top, None, depth)];
        let mut next = 0;
        while let Some(&(folder, at, depth)) = folders.get(next) {
            next += 1;
            // The top of the tree counts too.
            let left = COPY_ENTRIES_MAX - 1 - found.len();
            let rows = tree::children_within(self.tx, space, folder, left as u32 + 1).await?;
            if rows.len() > left {
                return Err(Error::TooManyEntries(COPY_ENTRIES_MAX));
            }
            for row in rows {
                if row.kind == tree::FOLDER {
                    if depth + 1 > limits::DEPTH_MAX {
                        return Err(Error::TooDeep);
                    }
                    folders.push((row.id, Some(found.len()), depth + 1));
                }
                found.push((row, at));
            }
        }
        if depth > limits::DEPTH_MAX { Err(Error::TooDeep) } else { Ok(found) }
    }

    /// Inserts the copy of one entry of a tree, and returns its id.
    async fn copy_row(&self, source: &EntryRow, parent: EntryId) -> Result<EntryId, Error> {
        if source.kind == tree::FOLDER {
            let row = EntryRow { extras: source.extras.clone(), ..self.new_folder(parent, source.name.clone()) };
            self.insert_folder_like(source, &row).await?;
            return Ok(row.id);
        }
        let bytes = shared(source)?;
        let version = self.drive.inner.ids.version();
        let row = EntryRow {
            id: self.drive.inner.ids.entry(),
            space: self.space.id,
            parent: Some(parent),
            revision: 1,
            version: Some(version),
            created: self.now,
            modified: self.now,
            ..source.clone()
        };
        let version = VersionRow {
            id: version,
            entry: row.id,
            space: row.space,
            content: bytes.content,
            size: bytes.size,
            content_type: bytes.content_type,
            blake3: bytes.blake3,
            created: self.now,
            created_by: self.actor,
        };
        let (shared, inserted, versioned) = futures::join!(
            self.drive.inner.store.add_reference(self.tx, bytes.content),
            tree::insert_entry(self.tx, &row),
            tree::insert_version(self.tx, &version)
        );
        shared?;
        inserted?;
        versioned?;
        self.note_tags(row.id, &Extras::read(row.extras.as_deref())?.tags).await?;
        self.hash_if_unknown(&row).await?;
        Ok(row.id)
    }

    /// Inserts a folder that will have the same in it as another one.
    async fn insert_folder_like(&self, source: &EntryRow, row: &EntryRow) -> Result<(), Error> {
        let (inserted, counted) = futures::join!(tree::insert_entry(self.tx, row), totals::copy(self.tx, source, row));
        inserted?;
        counted?;
        self.note_tags(row.id, &Extras::read(row.extras.as_deref())?.tags).await
    }

    /// Asks for the hash of a file's bytes, if it is not known yet.
    pub(crate) async fn hash_if_unknown(&self, row: &EntryRow) -> Result<(), Error> {
        match (row.blake3, row.content) {
            (None, Some(content)) => self.ask_for_hash(row, content).await,
            _ => Ok(()),
        }
    }
}

/// The bytes of a file, to be shared by a copy.
fn shared(source: &EntryRow) -> Result<Bytes, Error> {
    Ok(Bytes {
        content: source.content.ok_or(Error::Shape("a file without a content"))?,
        size: source.size,
        content_type: source.content_type.clone().ok_or(Error::Shape("a file without a media type"))?,
        blake3: source.blake3,
        extras: source.extras.clone(),
    })
}
