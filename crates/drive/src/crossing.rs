//! Moving and copying to another space. What moves keeps its ids: entry, versions, links, roles and what is said of it go along.

use std::collections::HashMap;

use accounts::Action;
use base::{EntryId, Name, SpaceId, TagId, limits};
use db::{
    Tx, crossing as rows, tags,
    tree::{self, EntryRow},
};
use journal::Kind as Changed;
use parking_lot::Mutex;

use crate::{
    Actor, Copy, Drive, Entry, Error, Extras, IfMatch, OnConflict, Update,
    entry::NameOf,
    inverse::Inverse,
    place::{Slot, Spot},
    repeat::Repeat,
    work::{Work, signed},
};

/// Entries that go over at most: it is one unit of work, and others of both spaces wait for it.
const ENTRIES_MAX: usize = 20_000;

impl Drive {
    /// Moves an entry to a folder of another space, as [`Drive::update`] found that it should. In the space that it leaves it is
    /// gone, which takes the same role there as removing it for good.
    pub(crate) async fn cross_over(
        &self,
        actor: &Actor,
        id: EntryId,
        (from, to): (SpaceId, SpaceId),
        update: Update,
        on_conflict: OnConflict,
        repeat: Repeat,
    ) -> Result<Entry, Error> {
        let (drive, actor) = (self.clone(), actor.clone());
        self.write_both(async move |tx: Tx| {
            let (source, target) = Work::hold_two(&drive, &tx, from, to, &actor).await?;
            target.refuse_repeat(&repeat).await?;
            let old = source.entry_for(Action::Manage, id, "entry").await?;
            IfMatch::check(update.if_match.as_ref(), &Entry::try_from(&old)?)?;
            let Some(folder) = update.parent else { return Err(Error::Shape("a move to nowhere")) };
            let name = update.name.map_or_else(|| Name::new(&old.name), Ok)?;
            go_over(&source, &target, old, folder, name, on_conflict).await
        })
        .await
    }

    /// Copies an entry to a folder of another space, as [`Drive::copy`] found that it should. No byte is copied.
    pub(crate) async fn copy_over(
        &self,
        actor: &Actor,
        id: EntryId,
        (from, to): (SpaceId, SpaceId),
        copy: Copy,
        repeat: Repeat,
    ) -> Result<Entry, Error> {
        let (drive, actor) = (self.clone(), actor.clone());
        self.write_both(async move |tx: Tx| {
            let (source, target) = Work::hold_two(&drive, &tx, from, to, &actor).await?;
            target.refuse_repeat(&repeat).await?;
            let mut row = source.entry_for(Action::Read, id, "entry").await?;
            let Some(folder) = copy.parent else { return Err(Error::Shape("a copy to nowhere")) };
            let name = copy.name.map_or_else(|| Name::new(&row.name), Ok)?;
            let carrier = Carrier::new(&source, &target);
            row.extras = carrier.extras(row.extras.take()).await?;
            if row.kind == tree::FILE {
                let on_conflict = copy.on_conflict;
                target.copy_file(&row, Spot::Child { parent: folder, name, on_conflict, id: copy.id }).await
            } else {
                target.copy_tree(row, folder, name, copy.on_conflict, copy.id, Some(&carrier)).await
            }
        })
        .await
    }
}

/// Moves an entry from one space to a folder of another one, and writes that down in both.
///
/// # Errors
/// As for [`Drive::update`].
pub(crate) async fn go_over(
    source: &Work<'_>,
    target: &Work<'_>,
    old: EntryRow,
    folder: EntryId,
    name: Name,
    on_conflict: OnConflict,
) -> Result<Entry, Error> {
    let (tx, id, from, to) = (source.tx, old.id, source.space.id, target.space.id);
    let Some(left) = old.parent else { return Err(Error::RootEntry) };
    source.permit(Action::Manage, left, "entry").await?;
    let kind = if old.kind == tree::FILE { NameOf::File } else { NameOf::Folder };
    let Slot::Free(name) = target.slot(folder, name, on_conflict, kind).await? else {
        return Err(Error::NameTaken);
    };
    if old.kind == tree::FOLDER {
        let height = tree::folder_height(tx, from, id).await?;
        if target.depth(folder).await? as u64 + 1 + height > limits::DEPTH_MAX as u64 {
            return Err(Error::TooDeep);
        }
    }
    let load = rows::load(tx, from, id).await?;
    if load.entries > ENTRIES_MAX as u64 {
        return Err(Error::TooManyEntries(ENTRIES_MAX));
    }
    target.fits(load.largest)?;
    target.room_for_links(load.links).await?;
    let weight = source.weight(&old).await?;
    source.count_below(left, -weight).await?;
    source.count(-signed(load.bytes)?, 0).await?;
    target.count(signed(load.bytes)?, 0).await?;
    source.record_removal(Changed::Left, &old, None).await?;
    let said = rows::to_look_at(tx, from, id).await?;
    // Roles come along with somebody who may give them there, else a move would be a way to share in other people's spaces.
    match target.permit(Action::Manage, folder, "folder").await {
        Ok(()) => {}
        Err(Error::Accounts(error)) if error.kind() == base::ErrorKind::Denied => {
            rows::forget_grants(tx, from, id).await?;
        }
        Err(error) => return Err(error),
    }
    rows::turn_over(tx, from, id, to).await?;
    let extras = target.settle_in(&Carrier::new(source, target), said, id).await?;
    let back = Inverse::Back { space_id: from, parent_id: left, name: old.name.clone() };
    let row = EntryRow {
        space: to,
        parent: Some(folder),
        name: name.into_string(),
        revision: old.revision + 1,
        extras: extras.unwrap_or_else(|| old.extras.clone()),
        ..old
    };
    tree::update_entry(tx, &row).await?;
    target.count_below(folder, weight).await?;
    // Roles on what came along hold here, and count for nothing any more there.
    source.roles_moved().await?;
    db::grants::raise_rights(tx, to).await?;
    let entry = Entry::try_from(&row)?;
    target.record(Changed::Moved, &entry, Some(back)).await?;
    Ok(entry)
}

/// Finds tags of one space for those of another one: they belong to their space, and are the same if they are called the same.
pub(crate) struct Carrier<'w> {
    source: &'w Work<'w>,
    target: &'w Work<'w>,
    known: Mutex<HashMap<TagId, Option<TagId>>>,
}

impl<'w> Carrier<'w> {
    fn new(source: &'w Work<'w>, target: &'w Work<'w>) -> Self {
        Self { source, target, known: Mutex::default() }
    }

    /// What is said of an entry, in the form in which it is stored, with the tags of the other space.
    pub(crate) async fn extras(&self, stored: Option<String>) -> Result<Option<String>, Error> {
        let mut extras = Extras::read(stored.as_deref())?;
        if extras.tags.is_empty() {
            return Ok(stored);
        }
        extras.tags = self.tags(&extras.tags).await?;
        extras.stored()
    }

    async fn tags(&self, tags: &[TagId]) -> Result<Vec<TagId>, Error> {
        let mut carried = Vec::with_capacity(tags.len());
        for tag in tags {
            let known = self.known.lock().get(tag).copied();
            let here = match known {
                Some(here) => here,
                None => {
                    let here = self.called_as(*tag).await?;
                    self.known.lock().insert(*tag, here);
                    here
                }
            };
            carried.extend(here.filter(|here| !carried.contains(here)));
        }
        Ok(carried)
    }

    /// The tag that is called as this one, made if there is none; none for a tag that is deleted, and where there is no room for
    /// more tags.
    async fn called_as(&self, tag: TagId) -> Result<Option<TagId>, Error> {
        let (source, target) = (self.source, self.target);
        // Tags are the whole space's: who may only change a part of it neither sees nor makes any.
        if target.permit(Action::Change, target.space.root, "space").await.is_err() {
            return Ok(None);
        }
        let Some(top) = rows::merged_into(source.tx, source.space.id, tag).await? else { return Ok(None) };
        let Some(old) = tags::tag(source.tx, source.space.id, top).await?.filter(|row| !row.deleted) else {
            return Ok(None);
        };
        if let Some(here) = tags::named(target.tx, target.space.id, &old.key).await? {
            return Ok(Some(here.id));
        }
        match target.new_tag(old.name, old.colour).await {
            Ok(made) => Ok(Some(made.id)),
            Err(Error::TooManyTags(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl<'a> Work<'a> {
    /// Takes the rows of two spaces, always in the same order, so that two who want the same never wait for each other.
    pub(crate) async fn hold_two(
        drive: &'a Drive,
        tx: &'a Tx,
        first: SpaceId,
        second: SpaceId,
        actor: &Actor,
    ) -> Result<(Self, Self), Error> {
        if first < second {
            let first = Self::hold(drive, tx, first, Some(actor)).await?;
            Ok((first, Self::hold(drive, tx, second, Some(actor)).await?))
        } else {
            let second = Self::hold(drive, tx, second, Some(actor)).await?;
            Ok((Self::hold(drive, tx, first, Some(actor)).await?, second))
        }
    }

    /// Gives entries that came over the tags of this space, and asks for hashes that are not known. What the uppermost one has
    /// then is the caller's to write, if it is other than before.
    async fn settle_in(
        &self,
        carrier: &Carrier<'_>,
        rows: Vec<EntryRow>,
        top: EntryId,
    ) -> Result<Option<Option<String>>, Error> {
        let mut of_top = None;
        for row in rows {
            let row = EntryRow { space: self.space.id, ..row };
            if row.kind == tree::FILE {
                self.hash_if_unknown(&row).await?;
            }
            let stored = carrier.extras(row.extras.clone()).await?;
            if stored == row.extras {
                continue;
            }
            rows::forget_tags(self.tx, row.id).await?;
            self.note_tags(row.id, &Extras::read(stored.as_deref())?.tags).await?;
            if row.id == top {
                of_top = Some(stored);
            } else {
                rows::set_extras(self.tx, self.space.id, row.id, stored.as_deref()).await?;
            }
        }
        Ok(of_top)
    }
}
