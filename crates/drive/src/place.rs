//! Where bytes go in the tree: the one piece of code that makes a file or a new version of one.

use base::{ContentId, EntryId, Name, VersionId};
use db::{
    totals::Total,
    tree::{self, EntryRow, VersionRow},
    versions,
};
use journal::Kind as Changed;

use crate::{
    Entry, Error, IfMatch, OnConflict,
    drive::is_file,
    entry::{NameOf, numbered},
    inverse::Inverse,
    work::Work,
};

/// Where bytes are to go.
#[derive(Debug, Clone)]
pub(crate) enum Spot {
    /// To a name in a folder.
    Child { parent: EntryId, name: Name, on_conflict: OnConflict, id: Option<EntryId> },
    /// To a file that exists.
    File { id: EntryId, if_match: Option<IfMatch> },
}

/// Bytes that have a content, and are to become a version.
#[derive(Debug, Clone)]
pub(crate) struct Bytes {
    pub(crate) content: ContentId,
    pub(crate) size: u64,
    pub(crate) content_type: String,
    pub(crate) blake3: Option<[u8; 32]>,
    /// What is said of a new file. One that exists keeps its own.
    pub(crate) extras: Option<String>,
}

/// What became of a spot.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) entry: Entry,
    pub(crate) row: EntryRow,
    /// Whether there is one entry more than before.
    pub(crate) created: bool,
}

/// What a name in a folder stands for, under the conflict rule of the caller.
pub(crate) enum Slot {
    /// A new entry can have this name.
    Free(Name),
    /// This file gets a new version.
    Taken(Box<EntryRow>),
}

impl Work<'_> {
    /// Makes a file or a new version at the spot and writes it down as `how`. The bytes were counted and the content
    /// has its reference; versions beyond those that are kept are let go of.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotAFolder`], [`Error::NotAFile`], [`Error::NameTaken`], [`Error::Precondition`].
    pub(crate) async fn place(&self, spot: Spot, bytes: Bytes, how: Changed) -> Result<Placed, Error> {
        match spot {
            Spot::File { id, if_match } => {
                let row = self.entry(id, "file").await?;
                is_file(&row)?;
                IfMatch::check(if_match.as_ref(), &Entry::try_from(&row)?)?;
                self.replace(row, bytes).await
            }
            Spot::Child { parent, name, on_conflict, id } => {
                let slot = self.slot(parent, name, on_conflict, NameOf::File).await?;
                match slot {
                    Slot::Free(name) => self.create(parent, name, self.new_id(id).await?, bytes, how).await,
                    Slot::Taken(row) => self.replace(*row, bytes).await,
                }
            }
        }
    }

    /// What the name stands for. The space's row is held, so the answer stays true until the commit.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotAFolder`], [`Error::NameTaken`].
    pub(crate) async fn slot(
        &self,
        parent: EntryId,
        name: Name,
        on_conflict: OnConflict,
        kind: NameOf,
    ) -> Result<Slot, Error> {
        // Both travel together: the folder, and what has the name in it.
        let (folder, taken) =
            futures::join!(self.folder(parent), tree::child(self.tx, self.space.id, parent, name.as_str()));
        folder?;
        match (taken?, on_conflict) {
            (None, _) => Ok(Slot::Free(name)),
            (Some(row), OnConflict::Replace) if row.kind == tree::FILE && kind == NameOf::File => {
                Ok(Slot::Taken(Box::new(row)))
            }
            (Some(_), OnConflict::Rename) => Ok(Slot::Free(self.free_name(parent, &name, kind).await?)),
            (Some(_), OnConflict::Fail | OnConflict::Replace) => Err(Error::NameTaken),
        }
    }

    /// A free name like `name`. Numbers are tried in doubling steps and then halved back, so a folder with a million
    /// copies costs forty looks and not a million.
    pub(crate) async fn free_name(&self, parent: EntryId, name: &Name, kind: NameOf) -> Result<Name, Error> {
        let mut taken = 1;
        let mut free = 2;
        while self.has(parent, &numbered(name, free, kind)?).await? {
            taken = free;
            free = if free < 8 { free + 1 } else { free * 2 };
        }
        while free - taken > 1 {
            let middle = taken + (free - taken) / 2;
            if self.has(parent, &numbered(name, middle, kind)?).await? {
                taken = middle;
            } else {
                free = middle;
            }
        }
        numbered(name, free, kind)
    }

    async fn has(&self, parent: EntryId, name: &Name) -> Result<bool, Error> {
        Ok(tree::child(self.tx, self.space.id, parent, name.as_str()).await?.is_some())
    }

    async fn create(
        &self,
        parent: EntryId,
        name: Name,
        id: EntryId,
        bytes: Bytes,
        how: Changed,
    ) -> Result<Placed, Error> {
        self.fits(bytes.size)?;
        let version = self.drive.inner.ids.version();
        let row = EntryRow {
            id,
            space: self.space.id,
            parent: Some(parent),
            name: name.into_string(),
            kind: tree::FILE,
            revision: 1,
            version: Some(version),
            content: Some(bytes.content),
            size: bytes.size,
            content_type: Some(bytes.content_type.clone()),
            blake3: bytes.blake3,
            created: self.now,
            modified: self.now,
            extras: bytes.extras.clone(),
        };
        let entry = Entry::try_from(&row)?;
        let version = self.version(&row, version, bytes);
        let (inserted, versioned, counted, recorded) = futures::join!(
            tree::insert_entry(self.tx, &row),
            tree::insert_version(self.tx, &version),
            self.count_below(parent, Total::file(row.size)),
            self.record(how, &entry, Some(Inverse::Trash))
        );
        inserted?;
        versioned?;
        counted?;
        recorded?;
        self.note_tags(row.id, &entry.extras.tags).await?;
        Ok(Placed { entry, row, created: true })
    }

    /// Gives a file new bytes, and keeps the old ones as an older version as long as the rules say.
    pub(crate) async fn replace(&self, old: EntryRow, bytes: Bytes) -> Result<Placed, Error> {
        self.fits(bytes.size)?;
        let version = self.drive.inner.ids.version();
        let resized = Total::resized(old.size, bytes.size);
        let row = EntryRow {
            revision: old.revision + 1,
            version: Some(version),
            content: Some(bytes.content),
            size: bytes.size,
            content_type: Some(bytes.content_type.clone()),
            blake3: bytes.blake3,
            modified: self.now,
            ..old
        };
        let entry = Entry::try_from(&row)?;
        let before = old.version.ok_or(Error::Shape("a file without a version"))?;
        let undo = Some(Inverse::Content { version_id: before });
        let new = self.version(&row, version, bytes);
        let others = self.drive.rules().versions_kept - 1;
        let (updated, counted, replaced, versioned, recorded) = futures::join!(
            tree::update_entry(self.tx, &row),
            self.count_resized(&row, resized),
            versions::set_replaced(self.tx, row.space, row.id, before, Some(self.now)),
            tree::insert_version(self.tx, &new),
            self.record(Changed::Content, &entry, undo)
        );
        updated?;
        counted?;
        replaced?;
        versioned?;
        recorded?;
        let removed = tree::trim_versions(self.tx, row.space, row.id, version, others).await?;
        self.give_back(&removed).await?;
        Ok(Placed { entry, row, created: false })
    }

    /// Counts other bytes of a file in the folders above it.
    pub(crate) async fn count_resized(&self, row: &EntryRow, change: Total) -> Result<(), Error> {
        match row.parent {
            Some(parent) => self.count_below(parent, change).await,
            None => Ok(()),
        }
    }

    fn version(&self, row: &EntryRow, id: VersionId, bytes: Bytes) -> VersionRow {
        VersionRow {
            id,
            entry: row.id,
            space: row.space,
            content: bytes.content,
            size: bytes.size,
            content_type: bytes.content_type,
            blake3: bytes.blake3,
            created: self.now,
            created_by: self.actor,
        }
    }
}
