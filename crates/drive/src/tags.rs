//! Tags: words with a colour that the people of a space put on entries.
//!
//! An entry keeps the ids of its tags and no more. So a tag is renamed, recoloured, merged into another one or deleted in
//! one row, however many entries have it, and comes back in one row with all of them. What a tag is stands in the list of the
//! space's tags: an id that is not there is that of a tag that was deleted.

use std::collections::{BTreeMap, BTreeSet};

use accounts::Action;
use base::{EntryId, SpaceId, TagId, limits};
use db::{
    Tx, journal as rows,
    tags::{self, TagRow},
    tree::{self, EntryRow},
};
use journal::Kind as Changed;
use serde::{Deserialize, Serialize};

use crate::{
    Actor, Drive, Entry, Error, Extras,
    inverse::{Inverse, TagState},
    repeat::Repeat,
    work::Work,
};

/// Tags that a space can have.
const TAGS_MAX: u64 = 500;

/// Rows of tags that a space can have, with those of deleted and merged ones: each can come back.
const ROWS_MAX: u64 = 10_000;

/// Tags that an entry can have.
const TAGS_OF_ENTRY_MAX: usize = 100;

/// Entries that one call tags at most: it is one unit of work.
pub const TAGGED_TOGETHER_MAX: usize = 1000;

/// Entries that one look for those with a tag goes through, where many of them are in the trash.
const LOOKED_AT_MAX: usize = 10_000;

/// The colours that a tag can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "a colour is its name")]
pub enum Colour {
    Red,
    Orange,
    Yellow,
    Green,
    Teal,
    Blue,
    Purple,
    Grey,
}

impl Colour {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Red, Self::Orange, Self::Yellow, Self::Green, Self::Teal, Self::Blue, Self::Purple, Self::Grey];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::Orange => "orange",
            Self::Yellow => "yellow",
            Self::Green => "green",
            Self::Teal => "teal",
            Self::Blue => "blue",
            Self::Purple => "purple",
            Self::Grey => "grey",
        }
    }

    /// The colour of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|colour| colour.as_str() == word)
    }
}

/// A tag of a space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Which one.
    pub id: TagId,
    /// Where it can be used.
    pub space: SpaceId,
    /// What people call it.
    pub name: String,
    /// Its colour.
    pub colour: Colour,
    /// Tags that were merged into it: an entry that has one of these has this one.
    pub merged: Vec<TagId>,
    /// How many entries of the tree have it, if that was asked for.
    pub entries: Option<u64>,
}

/// What is to change about a tag. What is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagUpdate {
    /// Its name.
    pub name: Option<String>,
    /// Its colour.
    pub colour: Option<Colour>,
}

/// Whether entries are to be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Not.
    No,
    /// For each tag, those in the tree.
    Entries,
}

impl Tag {
    fn of(row: TagRow) -> Result<Self, Error> {
        let colour = Colour::parse(&row.colour).ok_or(Error::Shape("a tag of no colour"))?;
        Ok(Self { id: row.id, space: row.space, name: row.name, colour, merged: Vec::new(), entries: None })
    }
}

fn state(row: &TagRow) -> TagState {
    TagState { name: row.name.clone(), colour: row.colour.clone(), merged_id: row.merged, deleted: row.deleted }
}

fn is_there(row: &TagRow) -> bool {
    row.merged.is_none() && !row.deleted
}

/// # Errors
/// [`Error::TagName`].
fn checked(name: &str) -> Result<String, Error> {
    let name = name.trim();
    if name.is_empty() || name.len() > limits::NAME_BYTES_MAX || name.chars().any(char::is_control) {
        return Err(Error::TagName);
    }
    Ok(name.to_owned())
}

impl Drive {
    /// The tags of a space, by name.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn tags(&self, actor: &Actor, space: SpaceId, count: Count) -> Result<Vec<Tag>, Error> {
        self.own_space(actor, Action::Read, space).await?;
        let rows = tags::of_space(&self.inner.db, space).await?;
        let into: BTreeMap<TagId, TagId> = rows.iter().filter_map(|row| Some((row.id, row.merged?))).collect();
        let mut found: BTreeMap<TagId, Tag> = BTreeMap::new();
        for row in rows.into_iter().filter(is_there) {
            found.insert(row.id, Tag::of(row)?);
        }
        for part in into.keys() {
            // Only what is there can be merged into, and what is merged is not there: this ends.
            let mut top = *part;
            while let Some(next) = into.get(&top) {
                top = *next;
            }
            if let Some(tag) = found.get_mut(&top) {
                tag.merged.push(*part);
            }
        }
        if count == Count::Entries {
            found.values_mut().for_each(|tag| tag.entries = Some(0));
            for (id, entries) in tags::counts(&self.inner.db, space).await? {
                if let Some(tag) = found.get_mut(&id) {
                    tag.entries = Some(entries);
                }
            }
        }
        let mut list: Vec<Tag> = found.into_values().collect();
        list.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(list)
    }

    /// Makes a tag.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::TagName`], [`Error::NameTaken`], [`Error::TooManyTags`].
    pub async fn create_tag(&self, actor: &Actor, space: SpaceId, name: &str, colour: Colour) -> Result<Tag, Error> {
        let name = checked(name)?;
        self.own_space(actor, Action::Change, space).await?;
        self.change_tags(actor, space, Turn::Create { name, colour }).await
    }

    /// Renames and recolours a tag.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::TagName`], [`Error::NameTaken`].
    pub async fn update_tag(&self, actor: &Actor, id: TagId, update: TagUpdate) -> Result<Tag, Error> {
        let name = update.name.as_deref().map(checked).transpose()?;
        let space = self.tag_space(actor, Action::Change, id).await?;
        self.change_tags(actor, space, Turn::Update { id, name, colour: update.colour }).await
    }

    /// Makes a tag a part of another one: all entries that have it have that one from now on.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::SameTag`].
    pub async fn merge_tag(&self, actor: &Actor, id: TagId, into: TagId) -> Result<Tag, Error> {
        if id == into {
            return Err(Error::SameTag);
        }
        let space = self.tag_space(actor, Action::Change, id).await?;
        self.change_tags(actor, space, Turn::Merge { id, into }).await
    }

    /// Deletes a tag. Undo brings it back, on all entries that had it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_tag(&self, actor: &Actor, id: TagId) -> Result<(), Error> {
        let space = self.tag_space(actor, Action::Change, id).await?;
        self.change_tags(actor, space, Turn::Delete { id }).await.map(drop)
    }

    /// Puts a tag on entries of its space and takes it off others, all or none; those entries after it, in the order in
    /// which they were named. What has the tag, or does not have it, stays as it is.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::InTrash`], [`Error::TooManyEntries`], [`Error::TooManyTags`].
    pub async fn tag_entries(
        &self,
        actor: &Actor,
        id: TagId,
        put_on: Vec<EntryId>,
        take_off: Vec<EntryId>,
    ) -> Result<Vec<Entry>, Error> {
        if put_on.len() + take_off.len() > TAGGED_TOGETHER_MAX {
            return Err(Error::TooManyEntries(TAGGED_TOGETHER_MAX));
        }
        let space = self.tag_space(actor, Action::Change, id).await?;
        let (drive, actor) = (self.clone(), actor.clone());
        self.write(space, async move |tx: Tx| {
            let mut work = Work::hold(&drive, &tx, space, Some(&actor)).await?;
            // What is done together is taken back together.
            if work.operation.is_none() && put_on.len() + take_off.len() > 1 {
                work.operation = Some(drive.inner.ids.job().0);
            }
            work.tag(id).await?;
            let parts = tags::parts(&tx, space, id).await?;
            let mut after = Vec::with_capacity(put_on.len() + take_off.len());
            for entry in put_on {
                after.push(
                    work.tag_entry(entry, |tags| {
                        if parts.iter().any(|part| tags.contains(part)) {
                            tags.clone()
                        } else {
                            tags.iter().copied().chain([id]).collect()
                        }
                    })
                    .await?,
                );
            }
            for entry in take_off {
                let others = |tags: &BTreeSet<TagId>| tags.iter().copied().filter(|tag| !parts.contains(tag)).collect();
                after.push(work.tag_entry(entry, others).await?);
            }
            Ok(after)
        })
        .await
    }

    /// Up to `limit` entries of the tree that have a tag, with ids above `after`; and where to go on, if there may be more.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn tagged(
        &self,
        actor: &Actor,
        id: TagId,
        after: Option<EntryId>,
        limit: u32,
    ) -> Result<(Vec<Entry>, Option<EntryId>), Error> {
        let space = self.tag_space(actor, Action::Read, id).await?;
        let limit = limit.clamp(1, limits::PAGE_ENTRIES_MAX);
        let mut after = after.unwrap_or(EntryId::from_bytes([0; 16]));
        let (mut found, mut looked) = (Vec::new(), 0);
        loop {
            let wanted = limit - found.len() as u32;
            let ids = tags::entries(&self.inner.db, space, id, after, wanted).await?;
            let Some(last) = ids.last().copied() else { return Ok((found, None)) };
            looked += ids.len();
            found.extend(self.visible(actor, &ids).await?);
            if ids.len() < wanted as usize {
                return Ok((found, None));
            }
            after = last;
            if found.len() == limit as usize || looked >= LOOKED_AT_MAX {
                return Ok((found, Some(after)));
            }
        }
    }

    /// The space of a tag that the actor may use.
    async fn tag_space(&self, actor: &Actor, action: Action, id: TagId) -> Result<SpaceId, Error> {
        let row = tags::find(&self.inner.db, id).await?.ok_or(Error::NotFound("tag"))?;
        match self.own_space(actor, action, row.space).await {
            Err(Error::NotFound(_)) => Err(Error::NotFound("tag")),
            Err(error) => Err(error),
            // A tag that is gone can still be the answer of a request that is repeated.
            Ok(_) if is_there(&row) || action == Action::Change => Ok(row.space),
            Ok(_) => Err(Error::NotFound("tag")),
        }
    }

    /// A unit of work that changes the tags of a space, unless this operation did that before: then its tag is the answer.
    async fn change_tags(&self, actor: &Actor, space: SpaceId, turn: Turn) -> Result<Tag, Error> {
        let (drive, actor) = (self.clone(), actor.clone());
        self.write(space, async move |tx: Tx| {
            let work = Work::hold(&drive, &tx, space, Some(&actor)).await?;
            work.permit(Action::Change, work.space.root, "space").await?;
            if let Some(operation) = actor.operation {
                let root = work.space.root;
                let done = rows::of_operation_on(&tx, actor.principal.account, operation, root).await?;
                for row in done.iter().filter(|row| Changed::parse(&row.kind) == Some(Changed::Tags)) {
                    if let Some(Inverse::Tag { tag_id, made, .. }) = row.inverse.as_deref().and_then(Inverse::from_json)
                    {
                        let answered = made.merged_id.unwrap_or(tag_id);
                        return Tag::of(tags::tag(&tx, space, answered).await?.ok_or(Error::NotFound("tag"))?);
                    }
                }
            }
            work.turn(turn).await
        })
        .await
    }
}

/// A change of a space's tags.
enum Turn {
    Create { name: String, colour: Colour },
    Update { id: TagId, name: Option<String>, colour: Option<Colour> },
    Merge { id: TagId, into: TagId },
    Delete { id: TagId },
}

impl Work<'_> {
    async fn turn(&self, turn: Turn) -> Result<Tag, Error> {
        match turn {
            Turn::Create { name, colour } => self.new_tag(name, colour.as_str().to_owned()).await,
            Turn::Update { id, name, colour } => {
                let old = self.tag(id).await?;
                let name = name.unwrap_or_else(|| old.name.clone());
                let colour = colour.map_or_else(|| old.colour.clone(), |colour| colour.as_str().to_owned());
                let new = TagRow { key: name.to_lowercase(), name, colour, ..old.clone() };
                if new == old {
                    return Tag::of(new);
                }
                self.free(&new).await?;
                self.turn_tag(old, new).await
            }
            Turn::Merge { id, into } => {
                let (old, target) = (self.tag(id).await?, self.tag(into).await?);
                self.turn_tag(old.clone(), TagRow { merged: Some(into), ..old }).await?;
                Tag::of(target)
            }
            Turn::Delete { id } => {
                let old = self.tag(id).await?;
                self.turn_tag(old.clone(), TagRow { deleted: true, ..old }).await
            }
        }
    }

    /// Makes a tag, and writes that down.
    ///
    /// # Errors
    /// [`Error::TooManyTags`], [`Error::NameTaken`].
    pub(crate) async fn new_tag(&self, name: String, colour: String) -> Result<Tag, Error> {
        let (there, rows) = tags::count(self.tx, self.space.id).await?;
        if there >= TAGS_MAX || rows >= ROWS_MAX {
            return Err(Error::TooManyTags(TAGS_MAX));
        }
        let new = TagRow {
            id: self.drive.inner.ids.tag(),
            space: self.space.id,
            key: name.to_lowercase(),
            name,
            colour,
            merged: None,
            deleted: false,
            created: self.now,
        };
        self.free(&new).await?;
        // To take it back is to delete it, so before it was made it was deleted.
        let absent = TagRow { deleted: true, ..new.clone() };
        tags::insert(self.tx, &absent).await?;
        self.turn_tag(absent, new).await
    }

    /// A tag of this space that is there.
    async fn tag(&self, id: TagId) -> Result<TagRow, Error> {
        tags::tag(self.tx, self.space.id, id).await?.filter(is_there).ok_or(Error::NotFound("tag"))
    }

    /// Whether a tag can have its name.
    ///
    /// # Errors
    /// [`Error::NameTaken`].
    async fn free(&self, row: &TagRow) -> Result<(), Error> {
        match tags::named(self.tx, self.space.id, &row.key).await? {
            Some(other) if other.id != row.id && is_there(row) => Err(Error::NameTaken),
            _ => Ok(()),
        }
    }

    /// Writes a tag as it is from now on, and writes that down.
    async fn turn_tag(&self, old: TagRow, new: TagRow) -> Result<Tag, Error> {
        tags::update(self.tx, &new).await?;
        let root = tree::entry(self.tx, self.space.id, self.space.root).await?;
        let root = Entry::try_from(&root.ok_or(Error::Shape("a space without a root"))?)?;
        let inverse = Inverse::Tag { tag_id: new.id, was: state(&old), made: state(&new) };
        self.record(Changed::Tags, &root, Some(inverse)).await?;
        Tag::of(new)
    }

    /// Makes a tag what it was, if it still is what the change made of it.
    ///
    /// # Errors
    /// [`Error::UndoConflict`].
    pub(crate) async fn turn_tag_back(&self, id: TagId, was: TagState, made: &TagState) -> Result<(), Error> {
        let row = tags::tag(self.tx, self.space.id, id).await?.ok_or(Error::Shape("a tag without a row"))?;
        if state(&row) != *made {
            return Err(Error::UndoConflict(format!("the tag “{}” has been changed since", made.name)));
        }
        let TagState { name, colour, merged_id, deleted } = was;
        let new = TagRow { key: name.to_lowercase(), name, colour, merged: merged_id, deleted, ..row.clone() };
        match self.free(&new).await {
            Err(Error::NameTaken) => {
                return Err(Error::UndoConflict(format!("another tag is called “{}” now", new.name)));
            }
            free => free?,
        }
        self.turn_tag(row, new).await.map(drop)
    }

    /// Gives an entry other tags, and writes that down if they are others.
    async fn tag_entry(
        &self,
        id: EntryId,
        change: impl FnOnce(&BTreeSet<TagId>) -> BTreeSet<TagId>,
    ) -> Result<Entry, Error> {
        let repeat = Repeat::of(id, &[Changed::Tagged]);
        match self.refuse_repeat(&repeat).await {
            Err(Error::Repeated(done)) => return Ok(done.entry),
            other => other?,
        }
        let row = self.entry(id, "entry").await?;
        let old: BTreeSet<TagId> = Extras::read(row.extras.as_deref())?.tags.into_iter().collect();
        let new = change(&old);
        if new == old {
            return Entry::try_from(&row);
        }
        if new.len() > TAGS_OF_ENTRY_MAX {
            return Err(Error::TooManyTags(TAGS_OF_ENTRY_MAX as u64));
        }
        let put_on = new.difference(&old).copied().collect();
        let take_off = old.difference(&new).copied().collect();
        self.retag(row, put_on, take_off).await
    }

    /// Puts tags on an entry and takes others off, and writes that down.
    pub(crate) async fn retag(&self, row: EntryRow, put_on: Vec<TagId>, take_off: Vec<TagId>) -> Result<Entry, Error> {
        let mut extras = Extras::read(row.extras.as_deref())?;
        extras.tags.retain(|tag| !take_off.contains(tag));
        extras.tags.extend(&put_on);
        extras.tags.sort_unstable();
        let row = EntryRow { extras: extras.stored()?, revision: row.revision + 1, ..row };
        tree::update_entry(self.tx, &row).await?;
        self.note_tags(row.id, &put_on).await?;
        for tag in &take_off {
            tags::take_off(self.tx, *tag, row.id).await?;
        }
        let entry = Entry::try_from(&row)?;
        let inverse = Inverse::Tagged { put_on: take_off, take_off: put_on };
        self.record(Changed::Tagged, &entry, Some(inverse)).await?;
        Ok(entry)
    }

    /// Notes the tags of an entry where entries are looked for by their tags.
    pub(crate) async fn note_tags(&self, entry: EntryId, tags: &[TagId]) -> Result<(), Error> {
        for tag in tags {
            tags::put_on(self.tx, self.space.id, *tag, entry).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_words() {
        assert!(Colour::ALL.into_iter().all(|colour| Colour::parse(colour.as_str()) == Some(colour)));
        assert_eq!(Colour::parse("Red"), None);
    }
}
