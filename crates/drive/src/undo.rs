//! Undo and redo: the inverse that stands in the journal is applied, as a change of its own.
//!
//! An undo never overwrites what happened since. It first looks whether the entry still is what the change made of it, as far
//! as the change was about it, and refuses with [`Error::UndoConflict`] where it is not. What it does is written down with
//! an inverse too, so it can be redone, and the redo undone again. Undoing twice walks further back.
//!
//! What went over to another space is taken back, and put back again, in the space where it is.

use accounts::{Action, Permission};
use base::{AccountId, EntryId, Name, SpaceId, VersionId};
use db::{
    Tx, grants,
    journal::{self as rows, ChangeRow},
    totals::Total,
    trash,
    tree::{self, EntryRow},
    versions,
};
use journal::{Kind as Changed, Turn};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    Actor, Drive, Entry, Error, Extras, OnConflict, Restore, Update,
    crossing::go_over,
    inverse::{Inverse, Standing},
    work::Work,
};

/// Changes of one operation that are taken back together at most: they are one unit of work.
const TOGETHER_MAX: u32 = 1000;

/// How often one change is followed through undos and redos of it.
const TURNS_MAX: u32 = 1000;

/// Which change is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The actor's newest in the space that can be taken back; with it all those of the same operation.
    Newest,
    /// The one of this number.
    Sequence(u64),
    /// All changes of the client's operation of this id.
    Operation(Uuid),
}

/// A change that was taken back.
#[derive(Debug, Clone)]
pub struct Undone {
    /// Its number.
    pub undoes: u64,
    /// The number of the change that took it back.
    pub sequence: u64,
    /// What that did.
    pub kind: Changed,
    /// To which entry.
    pub entry_id: EntryId,
    /// The entry after it; nothing if it is in the trash or in another space now, or if a tag was changed.
    pub entry: Option<Entry>,
}

/// What a change made of an entry, as far as undo looks at it: the entry's own JSON form.
#[derive(Deserialize)]
struct Made {
    parent_id: Option<EntryId>,
    name: String,
    kind: String,
    version_id: Option<VersionId>,
    #[serde(flatten)]
    extras: Extras,
}

impl Drive {
    /// Takes back changes that the actor made in a space, whatever session made them. All of them, or none.
    ///
    /// A call with the operation id of one that was done gives that one's answer again.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a change that is not the actor's, [`Error::NothingToUndo`], [`Error::NotUndoable`],
    /// [`Error::UndoConflict`] with what stands in the way.
    pub async fn undo(&self, actor: &Actor, space: SpaceId, which: Which) -> Result<Vec<Undone>, Error> {
        self.turn_back(actor, space, which, Turn::Undo).await
    }

    /// Takes back undos in the same way; [`Which`] names the changes that were undone. The newest undo can be redone until the
    /// actor changes something else.
    ///
    /// # Errors
    /// Those of [`Self::undo`].
    pub async fn redo(&self, actor: &Actor, space: SpaceId, which: Which) -> Result<Vec<Undone>, Error> {
        self.turn_back(actor, space, which, Turn::Redo).await
    }

    async fn turn_back(&self, actor: &Actor, space: SpaceId, which: Which, turn: Turn) -> Result<Vec<Undone>, Error> {
        // What the changes are about is looked at one by one.
        let state = tree::space(&self.inner.db, space).await?.ok_or(Error::NotFound("space"))?;
        self.access(actor, &state).await?;
        match self.turn_back_with(actor, space, None, which, turn).await {
            // Only the journal says that another space takes part, and both have to be taken in their order.
            Err(Error::Elsewhere(other)) => {
                let done = self.turn_back_with(actor, space, Some(other), which, turn).await;
                done.map_err(|error| match error {
                    Error::NotFound("space") => Error::UndoConflict("the space that it was in is gone".to_owned()),
                    error => error,
                })
            }
            done => done,
        }
    }

    async fn turn_back_with(
        &self,
        actor: &Actor,
        space: SpaceId,
        other: Option<SpaceId>,
        which: Which,
        turn: Turn,
    ) -> Result<Vec<Undone>, Error> {
        let (drive, actor) = (self.clone(), actor.clone());
        let unit = async move |tx: Tx| {
            let (mut work, mut beside) = match other {
                None => (Work::hold(&drive, &tx, space, Some(&actor)).await?.of_several(), None),
                Some(other) => {
                    let (work, beside) = Work::hold_two(&drive, &tx, space, other, &actor).await?;
                    (work.of_several(), Some(beside.of_several()))
                }
            };
            if let Some(operation) = actor.operation {
                let done = rows::of_turn(&tx, space, actor.principal.account, operation, turn.number()).await?;
                if !done.is_empty() {
                    return done.into_iter().map(again).collect();
                }
            }
            let found = work.choose(actor.principal.account, which, turn).await?;
            // What is taken back together is to be put back together.
            if found.len() > 1 && work.operation.is_none() {
                work.operation = Some(drive.inner.ids.job().0);
            }
            let mut undone = Vec::with_capacity(found.len());
            for row in found {
                work.takes_back = Some((turn, Some(row.sequence)));
                if let Some(beside) = &mut beside {
                    beside.takes_back = Some((turn, None));
                    beside.operation = work.operation;
                }
                let sequence = work.space.sequence + undone.len() as u64 + 1;
                let (kind, entry) = work.take_back(beside.as_ref(), &row).await?;
                undone.push(Undone { undoes: row.sequence, sequence, kind, entry_id: row.entry, entry });
            }
            work.settle_totals().await?;
            if let Some(beside) = beside {
                beside.settle_totals().await?;
            }
            Ok(undone)
        };
        match other {
            None => self.write(space, unit).await,
            Some(_) => self.write_both(unit).await,
        }
    }
}

/// The answer of a change that took another one back, from its row.
fn again(row: ChangeRow) -> Result<Undone, Error> {
    let kind = Changed::parse(&row.kind).ok_or(Error::Shape("a change of an unknown kind"))?;
    let undoes = row.undoes.ok_or(Error::Shape("an undo of nothing"))?;
    // The entry of a change of tags is the root, which stayed as it was.
    let state = row.state.as_deref().filter(|_| !kind.is_removal() && kind != Changed::Tags);
    let entry = state.map(serde_json::from_str).transpose().map_err(|_| Error::Shape("no entry in the journal"))?;
    Ok(Undone { undoes, sequence: row.sequence, kind, entry_id: row.entry, entry })
}

impl Work<'_> {
    /// The rows that are to be taken back, newest first: they can be, and are the account's own.
    async fn choose(&self, account: AccountId, which: Which, turn: Turn) -> Result<Vec<ChangeRow>, Error> {
        let (tx, space) = (self.tx, self.space.id);
        let redo = turn == Turn::Redo;
        let nothing = || Error::NothingToUndo(if redo { "redo" } else { "undo" });
        let operation = match which {
            Which::Sequence(sequence) => {
                return Ok(vec![self.chosen(account, sequence, turn).await?]);
            }
            Which::Operation(operation) => operation,
            Which::Newest => {
                let newest = rows::newest_undoable(tx, space, account, redo).await?.ok_or_else(nothing)?;
                if redo && rows::changed_since(tx, space, account, newest.sequence).await? {
                    return Err(nothing());
                }
                match newest.operation {
                    Some(operation) if redo => {
                        return self.bounded(rows::undos_of(tx, space, account, operation, TOGETHER_MAX + 1).await?);
                    }
                    Some(operation) => operation,
                    None => return Ok(vec![newest]),
                }
            }
        };
        let found = if redo {
            rows::undone_of(tx, space, account, operation, TOGETHER_MAX + 1).await?
        } else {
            rows::undoable_of(tx, space, account, operation, TOGETHER_MAX + 1).await?
        };
        if found.is_empty() { Err(nothing()) } else { self.bounded(found) }
    }

    fn bounded(&self, found: Vec<ChangeRow>) -> Result<Vec<ChangeRow>, Error> {
        if found.len() > TOGETHER_MAX as usize {
            return Err(Error::UndoConflict(format!(
                "the operation made more than {TOGETHER_MAX} changes, which are too many to be taken back together"
            )));
        }
        Ok(found)
    }

    /// The row to take back for a change that was named by its number. Where it was undone and redone before, that is the
    /// last one of the row of undos and redos.
    async fn chosen(&self, account: AccountId, sequence: u64, turn: Turn) -> Result<ChangeRow, Error> {
        let own = async |sequence| {
            let row = rows::change(self.tx, self.space.id, sequence).await?;
            row.filter(|row| row.actor == Some(account)).ok_or(Error::NotFound("change"))
        };
        let mut row = own(sequence).await?;
        let undo = Turn::Undo.number();
        if turn == Turn::Undo && row.turn == undo {
            return Err(Error::NotUndoable("this change is an undo itself: redo takes it back"));
        }
        if turn == Turn::Redo && row.turn != undo && row.undone_by.is_none() {
            return Err(Error::NotUndoable("this change was not undone, so there is nothing to redo"));
        }
        for _ in 0..TURNS_MAX {
            match row.undone_by {
                Some(by) => row = own(by).await?,
                None => break,
            }
        }
        match (row.turn == undo, turn, row.undone_by) {
            (false, Turn::Undo, None) | (true, Turn::Redo, None) => Ok(row),
            (_, Turn::Undo, _) => conflict("this was taken back already".to_owned()),
            (_, Turn::Redo, _) => conflict("this was done again already".to_owned()),
        }
    }

    /// Applies the inverse of a change, if the entry still is what the change made of it. `beside` is another space that was
    /// taken for it.
    ///
    /// # Errors
    /// [`Error::Elsewhere`] if another space has to be.
    async fn take_back(&self, beside: Option<&Work<'_>>, row: &ChangeRow) -> Result<(Changed, Option<Entry>), Error> {
        const NO_WAY: &str = "what was removed for good cannot come back";
        let inverse = row.inverse.as_deref().ok_or(Error::NotUndoable(NO_WAY))?;
        let inverse = Inverse::from_json(inverse).ok_or(Error::NotUndoable(
            "another version of the program made this change, and only that can take it back",
        ))?;
        let made: Made = row
            .state
            .as_deref()
            .and_then(|state| serde_json::from_str(state).ok())
            .ok_or(Error::Shape("a change that does not say what it made"))?;
        match inverse {
            Inverse::Trash => self.untake(row, &made).await.map(|()| (Changed::Trashed, None)),
            Inverse::Restore { parent_id, name } => {
                let place = trash::place(self.tx, row.entry).await?;
                if place.is_none() {
                    return conflict(format!("“{name}” is not in the trash any more"));
                }
                let restore =
                    Restore { parent: Some(parent_id), name: Some(Name::new(&name)?), on_conflict: OnConflict::Fail };
                let entry = self.bring_back(row.entry, restore).await.map_err(|error| in_the_way(error, &name))?;
                Ok((Changed::Restored, Some(entry)))
            }
            Inverse::Move { parent_id, name } => {
                let now = self.standing(row.entry, &made).await?;
                still_there(&now, &made)?;
                let kind = if now.parent == Some(parent_id) { Changed::Renamed } else { Changed::Moved };
                let update = Update { name: Some(Name::new(&name)?), parent: Some(parent_id), if_match: None };
                let entry = self.relocate(row.entry, update).await.map_err(|error| in_the_way(error, &name))?;
                Ok((kind, Some(entry)))
            }
            Inverse::Back { space_id, parent_id, name } => {
                let beside = match beside {
                    None => return Err(Error::Elsewhere(space_id)),
                    Some(beside) if beside.space.id == space_id => beside,
                    Some(_) => {
                        return conflict("these came from several spaces: take them back one by one".to_owned());
                    }
                };
                still_there(&self.standing(row.entry, &made).await?, &made)?;
                let old = self.entry_for(Action::Manage, row.entry, "entry").await?;
                let to = Name::new(&name)?;
                let done = go_over(self, beside, old, parent_id, to, OnConflict::Fail).await;
                done.map_err(|error| in_the_way(error, &name))?;
                Ok((Changed::Left, None))
            }
            Inverse::Content { version_id } => {
                let now = self.standing(row.entry, &made).await?;
                still_these_bytes(&now, &made)?;
                Ok((Changed::Content, Some(self.turn_to(now, version_id).await?)))
            }
            Inverse::Grant { subject, was, made: given, .. } => {
                let now = Entry::try_from(&self.standing(row.entry, &made).await?)?;
                self.permit(Action::Manage, row.entry, "entry").await?;
                if let (Some(actor), Some(_)) = (&self.asked_by, &was) {
                    actor.principal.needs(Permission::Share)?;
                }
                let old = grants::of_subject(self.tx, row.entry, subject.into()).await?;
                if old.as_ref().map(Standing::of).transpose()? != given {
                    return conflict(format!("the sharing of “{}” was changed otherwise since", made.name));
                }
                match self.set_grant(&now, subject.into(), old.as_ref(), was).await {
                    Err(Error::LastManager) => conflict("a team's space needs a manager".to_owned()),
                    done => done.map(|_| (Changed::Shared, Some(now))),
                }
            }
            Inverse::Label { version_id, name, pinned, made_name, made_pinned } => {
                let now = Entry::try_from(&self.standing(row.entry, &made).await?)?;
                let gone = || format!("a version of “{}” is no longer kept", made.name);
                let kept = versions::version(self.tx, self.space.id, row.entry, version_id).await?;
                let Some(kept) = kept else { return conflict(gone()) };
                if (&kept.name, kept.pinned) != (&made_name, made_pinned) {
                    return conflict(format!("a version of “{}” was named or pinned otherwise since", made.name));
                }
                self.label(&now, &kept, name.as_deref(), pinned).await?;
                Ok((Changed::Versions, Some(now)))
            }
            Inverse::Details { description, properties } => {
                let now = self.standing(row.entry, &made).await?;
                let said = Extras::read(now.extras.as_deref())?;
                if (&said.description, &said.properties) != (&made.extras.description, &made.extras.properties) {
                    return conflict(format!("something else is said of “{}” since", made.name));
                }
                Ok((Changed::Details, Some(self.say(now, description, properties).await?)))
            }
            Inverse::Tagged { put_on, take_off } => {
                let now = self.standing(row.entry, &made).await?;
                let tags = Extras::read(now.extras.as_deref())?.tags;
                if put_on.iter().any(|tag| tags.contains(tag)) || take_off.iter().any(|tag| !tags.contains(tag)) {
                    return conflict(format!("“{}” was tagged otherwise since", made.name));
                }
                Ok((Changed::Tagged, Some(self.retag(now, put_on, take_off).await?)))
            }
            Inverse::Tag { tag_id, was, made } => {
                self.turn_tag_back(tag_id, was, &made).await?;
                Ok((Changed::Tags, None))
            }
        }
    }

    /// Takes back that an entry came to be: it goes to the trash.
    async fn untake(&self, row: &ChangeRow, made: &Made) -> Result<(), Error> {
        let now = self.standing(row.entry, made).await?;
        still_there(&now, made)?;
        if Changed::parse(&row.kind) != Some(Changed::Restored) {
            still_these_bytes(&now, made)?;
            // What somebody put into a new folder is not what its maker takes back.
            let empty = Changed::parse(&row.kind) == Some(Changed::Created) && made.kind == "folder";
            if empty && !tree::children_within(self.tx, self.space.id, row.entry, 1).await?.is_empty() {
                return conflict(format!("“{}” is not empty any more", made.name));
            }
        }
        self.discard(now).await
    }

    /// The entry of a change, where it is part of the tree.
    async fn standing(&self, id: EntryId, made: &Made) -> Result<EntryRow, Error> {
        match self.entry(id, "entry").await {
            Err(Error::NotFound(_)) => conflict(format!("“{}” is gone", made.name)),
            Err(Error::InTrash(_)) => conflict(format!("“{}” is in the trash", made.name)),
            found => found,
        }
    }

    /// Makes a version that is kept the current one, itself and not a copy of it.
    async fn turn_to(&self, now: EntryRow, to: VersionId) -> Result<Entry, Error> {
        let from = now.version.ok_or(Error::Shape("a file without a version"))?;
        let Some(kept) = versions::version(self.tx, self.space.id, now.id, to).await? else {
            return conflict(format!("the bytes that “{}” had before are no longer kept", now.name));
        };
        self.fits(kept.version.size)?;
        let before = now.size;
        let row = EntryRow {
            revision: now.revision + 1,
            version: Some(to),
            content: Some(kept.version.content),
            size: kept.version.size,
            content_type: Some(kept.version.content_type),
            blake3: kept.version.blake3,
            modified: self.now,
            ..now
        };
        self.count_resized(&row, Total::resized(before, row.size)).await?;
        versions::set_replaced(self.tx, row.space, row.id, from, Some(self.now)).await?;
        versions::set_replaced(self.tx, row.space, row.id, to, None).await?;
        tree::update_entry(self.tx, &row).await?;
        let entry = Entry::try_from(&row)?;
        self.record(Changed::Content, &entry, Some(Inverse::Content { version_id: from })).await?;
        Ok(entry)
    }
}

fn conflict<T>(why: String) -> Result<T, Error> {
    Err(Error::UndoConflict(why))
}

/// # Errors
/// [`Error::UndoConflict`] if the entry has another name or folder than the change gave it.
fn still_there(now: &EntryRow, made: &Made) -> Result<(), Error> {
    if now.name != made.name {
        return conflict(format!("“{}” has been renamed since, to “{}”", made.name, now.name));
    }
    if now.parent != made.parent_id {
        return conflict(format!("“{}” has been moved since", made.name));
    }
    Ok(())
}

/// # Errors
/// [`Error::UndoConflict`] if a file has other bytes than the change gave it.
fn still_these_bytes(now: &EntryRow, made: &Made) -> Result<(), Error> {
    if now.version == made.version_id {
        return Ok(());
    }
    conflict(format!("“{}” has other bytes since", made.name))
}

/// What a change would be refused with, in words about the undo. Faults stay what they are.
fn in_the_way(error: Error, name: &str) -> Error {
    let why = match error {
        Error::NameTaken => format!("something else is called “{name}” there now"),
        Error::NotFound(_) | Error::NotAFolder => format!("the folder that “{name}” was in is gone"),
        Error::InTrash(_) => format!("the folder that “{name}” was in is in the trash"),
        Error::IntoItself => format!("the folder that “{name}” was in lies in “{name}” now"),
        Error::TooDeep => format!("folders would nest too deep with “{name}” where it was"),
        error => return error,
    };
    Error::UndoConflict(why)
}
