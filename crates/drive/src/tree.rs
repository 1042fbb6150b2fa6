//! Folders and places: look up, list, create, rename and move.

use accounts::{Action, Role};
use base::{EntryId, Name, SpaceId, limits};
use db::{
    Tx,
    totals::{self, Total},
    tree::{self, EntryRow, ListedRow},
};
use journal::{Cursor, Kind as Changed};

use crate::{
    Actor, Drive, Entry, Error, IfMatch, OnConflict, Page,
    drive::{Reach, is_folder},
    entry::NameOf,
    inverse::Inverse,
    repeat::Repeat,
    work::Work,
};

/// A folder to make.
#[derive(Debug, Clone)]
pub struct NewFolder {
    /// Its id, if the client made one: a UUIDv7 that no entry has.
    pub id: Option<EntryId>,
    /// The folder it goes into; the caller's own root if absent.
    pub parent: Option<EntryId>,
    /// Its name.
    pub name: Name,
}

impl NewFolder {
    /// A folder with an id of ours.
    pub fn named(parent: EntryId, name: Name) -> Self {
        Self { id: None, parent: Some(parent), name }
    }
}

/// What is to change about an entry. What is absent stays.
#[derive(Debug, Clone, Default)]
pub struct Update {
    /// Its new name.
    pub name: Option<Name>,
    /// The folder it moves to, in this space or in another one.
    pub parent: Option<EntryId>,
    /// The state it must be in.
    pub if_match: Option<IfMatch>,
}

/// A folder that somebody may list.
#[derive(Clone)]
pub struct Listing {
    drive: Drive,
    space: SpaceId,
    folder: EntryId,
    /// It is in the trash, or in something that is.
    trashed: bool,
    /// Where the journal was before anything of it was read.
    pub moment: Cursor,
}

impl Listing {
    /// Up to `limit` entries with names above `after`, in code-point order of their names.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn page(&self, after: Option<&Name>, limit: u32) -> Result<Page<Entry>, Error> {
        let limit = limit.clamp(1, limits::PAGE_ENTRIES_MAX);
        let (after, db) = (after.map_or("", Name::as_str), &self.drive.inner.db);
        let mut rows = tree::listing(db, self.space, self.folder, after, limit + 1).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let seen = |ListedRow { entry, below }: &ListedRow| {
            let total = (entry.kind == tree::FOLDER).then(|| below.unwrap_or_default().into());
            Ok(Entry { trashed: self.trashed, total, ..Entry::try_from(entry)? })
        };
        Ok(Page { items: rows.iter().map(seen).collect::<Result<_, Error>>()?, more })
    }
}

impl Drive {
    /// The entry of this id, in the tree or in the trash.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn stat(&self, actor: &Actor, id: EntryId) -> Result<Entry, Error> {
        Ok(self.look(actor, id).await?.0)
    }

    /// The same, with the caller's role on it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn look(&self, actor: &Actor, id: EntryId) -> Result<(Entry, Role), Error> {
        let (located, reach) = self.find(actor, Action::Read, id, "entry").await?;
        let role = self.permit(actor, Action::Read, &located.space, id, "entry").await?;
        let entry = self.with_total(Entry::try_from(&located.entry)?).await?;
        Ok((Entry { trashed: reach != Reach::Tree, ..entry }, role))
    }

    /// The entry at a path of names from the space's root: `/a/b.txt`. Empty names between slashes are skipped.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Name`] if a name on the path cannot be one, [`Error::TooDeep`].
    pub async fn resolve(&self, actor: &Actor, space: SpaceId, path: &str) -> Result<Entry, Error> {
        let state = tree::space(&self.inner.db, space).await?.ok_or(Error::NotFound("space"))?;
        let mut row = self.locate(actor, Action::Read, state.root, "space").await?.entry;
        for (depth, name) in path.split('/').filter(|name| !name.is_empty()).enumerate() {
            if depth > limits::DEPTH_MAX {
                return Err(Error::TooDeep);
            }
            let name = Name::new(name)?;
            row = tree::find_child(&self.inner.db, space, row.id, name.as_str())
                .await?
                .ok_or(Error::NotFound("entry"))?;
        }
        self.with_total(Entry::try_from(&row)?).await
    }

    /// A folder with what is below it.
    pub(crate) async fn with_total(&self, entry: Entry) -> Result<Entry, Error> {
        if entry.file().is_some() {
            return Ok(entry);
        }
        let below = totals::find_below(&self.inner.db, entry.space, entry.id).await?;
        Ok(Entry { total: Some(below.into()), ..entry })
    }

    /// Up to `limit` entries of a folder with names above `after`, in code-point order of their names.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotAFolder`].
    pub async fn children(
        &self,
        actor: &Actor,
        folder: EntryId,
        after: Option<&Name>,
        limit: u32,
    ) -> Result<Page<Entry>, Error> {
        self.listing(actor, folder).await?.page(after, limit).await
    }

    /// A folder to be listed, and where the journal of its space is: while that is there, every listing of the folder is the same.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotAFolder`].
    pub async fn listing(&self, actor: &Actor, folder: EntryId) -> Result<Listing, Error> {
        let (located, reach) = self.find(actor, Action::Read, folder, "folder").await?;
        is_folder(&located.entry)?;
        let head = db::journal::find_head(&self.inner.db, located.space.id).await?;
        let (epoch, sequence) = head.ok_or(Error::NotFound("folder"))?;
        let (space, moment) = (located.space.id, Cursor { epoch, sequence });
        Ok(Listing { drive: self.clone(), space, folder, trashed: reach != Reach::Tree, moment })
    }

    /// Makes a folder in `parent`, or in the caller's own root.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotAFolder`], [`Error::NameTaken`], [`Error::TooDeep`].
    pub async fn create_folder(&self, actor: &Actor, folder: NewFolder) -> Result<Entry, Error> {
        let NewFolder { id, parent, name } = folder;
        let parent = parent.unwrap_or(actor.principal.root);
        let repeat = Repeat::child(parent, &name, OnConflict::Fail, id, &[Changed::Created]);
        let run = async {
            let repeat = repeat.clone();
            let space = self.folder(actor, Action::Change, Some(parent)).await?.space.id;
            let (drive, actor) = (self.clone(), actor.clone());
            let unit = async move |tx: Tx| {
                let work = Work::change(&drive, &tx, space, &actor, 0).await?;
                work.refuse_repeat(&repeat).await?;
                work.slot(parent, name.clone(), OnConflict::Fail, NameOf::Folder).await?;
                if work.depth(parent).await? >= limits::DEPTH_MAX {
                    return Err(Error::TooDeep);
                }
                let id = work.new_id(id).await?;
                let row = EntryRow { id, ..work.new_folder(parent, name.into_string()) };
                let entry = Entry::try_from(&row)?;
                tree::insert_entry(&tx, &row).await?;
                work.count_below(parent, Total::FOLDER).await?;
                work.record(Changed::Created, &entry, Some(Inverse::Trash)).await?;
                Ok(entry)
            };
            self.write(space, unit).await
        };
        self.once(actor, &repeat, run, |done| done.entry).await
    }

    /// Renames and moves an entry in one step. A folder takes its tree along, whatever its size: that is one row.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::RootEntry`], [`Error::Precondition`], [`Error::NameTaken`], [`Error::OtherSpace`],
    /// [`Error::IntoItself`], [`Error::NotAFolder`], [`Error::TooDeep`].
    pub async fn update(&self, actor: &Actor, id: EntryId, update: Update) -> Result<Entry, Error> {
        let repeat = Repeat::place(id, update.parent, update.name.clone());
        let run = async {
            let repeat = repeat.clone();
            let located = self.locate(actor, Action::Change, id, "entry").await?;
            if let Some(parent) = update.parent {
                let target = self.folder(actor, Action::Change, Some(parent)).await?;
                if target.space.id != located.space.id {
                    let spaces = (located.space.id, target.space.id);
                    return self.cross_over(actor, id, spaces, update, OnConflict::Fail, repeat).await;
                }
            }
            let space = located.space.id;
            let (drive, actor) = (self.clone(), actor.clone());
            let unit = async move |tx: Tx| {
                let work = Work::hold(&drive, &tx, space, Some(&actor)).await?;
                work.refuse_repeat(&repeat).await?;
                work.relocate(id, update).await
            };
            self.write(space, unit).await
        };
        self.once(actor, &repeat, run, |done| done.entry).await
    }
}

impl Work<'_> {
    /// The id of a new entry: the client's own, or one of ours.
    ///
    /// # Errors
    /// [`Error::IdTaken`], [`Error::IdForm`].
    pub(crate) async fn new_id(&self, wanted: Option<EntryId>) -> Result<EntryId, Error> {
        let Some(id) = wanted else { return Ok(self.drive.inner.ids.entry()) };
        // Ids are in the order of time: the indexes grow at their ends.
        if id.0.get_version() != Some(uuid::Version::SortRand) {
            return Err(Error::IdForm);
        }
        if tree::exists(self.tx, id).await? { Err(Error::IdTaken) } else { Ok(id) }
    }

    /// The row of a new folder.
    pub(crate) fn new_folder(&self, parent: EntryId, name: String) -> EntryRow {
        EntryRow {
            id: self.drive.inner.ids.entry(),
            space: self.space.id,
            parent: Some(parent),
            name,
            kind: tree::FOLDER,
            revision: 1,
            version: None,
            content: None,
            size: 0,
            content_type: None,
            blake3: None,
            created: self.now,
            modified: self.now,
            extras: None,
        }
    }

    /// How many folders there are between the root and a folder, itself included: 0 for the root.
    ///
    /// A folder's own depth is at most [`limits::DEPTH_MAX`], so files need no look at it.
    pub(crate) async fn depth(&self, folder: EntryId) -> Result<usize, Error> {
        if folder == self.space.root {
            return Ok(0);
        }
        Ok(tree::ancestors(self.tx, self.space.id, folder).await?.len() - 1)
    }

    /// Renames and moves an entry, and writes that down.
    ///
    /// # Errors
    /// Those of [`Drive::update`].
    pub(crate) async fn relocate(&self, id: EntryId, update: Update) -> Result<Entry, Error> {
        let old = self.entry(id, "entry").await?;
        IfMatch::check(update.if_match.as_ref(), &Entry::try_from(&old)?)?;
        let Some(from) = old.parent else { return Err(Error::RootEntry) };
        // A name is the folder's as well: whoever was given a role on this alone has no say in it.
        self.permit(Action::Change, from, "entry").await?;
        let to = update.parent.unwrap_or(from);
        let name = update.name.map_or_else(|| old.name.clone(), Name::into_string);
        if to == from && name == old.name {
            return Entry::try_from(&old);
        }
        if to != from {
            is_folder(&self.entry(to, "folder").await?)?;
            if old.kind == tree::FOLDER {
                self.may_hold(to, &old).await?;
            }
        }
        if tree::child(self.tx, self.space.id, to, &name).await?.is_some() {
            return Err(Error::NameTaken);
        }
        if to != from {
            let weight = self.weight(&old).await?;
            self.count_below(from, -weight).await?;
            self.count_below(to, weight).await?;
        }
        let undo = Inverse::Move { parent_id: from, name: old.name.clone() };
        let row = EntryRow { parent: Some(to), name, revision: old.revision + 1, ..old };
        tree::update_entry(self.tx, &row).await?;
        if to != from {
            self.roles_moved().await?;
        }
        let entry = Entry::try_from(&row)?;
        let kind = if to == from { Changed::Renamed } else { Changed::Moved };
        self.record(kind, &entry, Some(undo)).await?;
        Ok(entry)
    }

    /// Whether a folder can come to lie in another one.
    ///
    /// # Errors
    /// [`Error::IntoItself`], [`Error::TooDeep`].
    async fn may_hold(&self, target: EntryId, folder: &EntryRow) -> Result<(), Error> {
        let above = tree::ancestors(self.tx, self.space.id, target).await?;
        if above.contains(&folder.id) {
            return Err(Error::IntoItself);
        }
        // Only a folder that moves down can break the limit, and only then are the folders below it looked at.
        let (new, old) = (above.len(), self.depth(folder.id).await?);
        if new > old {
            let height = tree::folder_height(self.tx, self.space.id, folder.id).await?;
            if new as u64 + height > limits::DEPTH_MAX as u64 {
                return Err(Error::TooDeep);
            }
        }
        Ok(())
    }
}
