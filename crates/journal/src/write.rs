//! Appending a change.

use base::{AccountId, EntryId, SpaceId, Time};
use db::{Tx, journal::ChangeRow};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::Error;

/// What happened to an entry. The words stand in the database and in the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// It is new.
    Created,
    /// It has another name in the same folder.
    Renamed,
    /// It is in another folder, perhaps also under another name.
    Moved,
    /// It has other bytes.
    Content,
    /// It is new, and a copy of something.
    Copied,
    /// It is out of its folder and in the trash, with all that is in it.
    Trashed,
    /// It came back from the trash, with all that is in it.
    Restored,
    /// An older version of it was named, pinned or removed.
    Versions,
    /// Somebody was given a role on it, or lost one.
    Shared,
    /// Its description or its properties are others.
    Details,
    /// It has other tags.
    Tagged,
    /// What is in it became a part of another folder: each of that is a change of its own.
    Merged,
    /// It is the root of a space, whose tags are others.
    Tags,
    /// It is in another space now, with all that is in it.
    Left,
    /// It is gone, with all that was in it.
    Deleted,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Created,
        Self::Renamed,
        Self::Moved,
        Self::Content,
        Self::Copied,
        Self::Trashed,
        Self::Restored,
        Self::Versions,
        Self::Shared,
        Self::Details,
        Self::Tagged,
        Self::Merged,
        Self::Tags,
        Self::Left,
        Self::Deleted,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Renamed => "renamed",
            Self::Moved => "moved",
            Self::Content => "content",
            Self::Copied => "copied",
            Self::Trashed => "trashed",
            Self::Restored => "restored",
            Self::Versions => "versions",
            Self::Shared => "shared",
            Self::Details => "details",
            Self::Tagged => "tagged",
            Self::Merged => "merged",
            Self::Tags => "tags",
            Self::Left => "left",
            Self::Deleted => "deleted",
        }
    }

    /// Whether the entry is no part of the tree after it.
    pub fn is_removal(self) -> bool {
        matches!(self, Self::Trashed | Self::Left | Self::Deleted)
    }

    /// The kind of a word; `None` for words of a newer version.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A change to append; `S` is whatever an entry looks like.
#[derive(Debug, Clone)]
pub struct Change<S> {
    /// The space that changed.
    pub space: SpaceId,
    /// What happened.
    pub kind: Kind,
    /// To which entry.
    pub entry: EntryId,
    /// The entry's revision after it.
    pub revision: u64,
    /// Who did it; nobody, where the program itself did.
    pub actor: Option<AccountId>,
    /// The client's id of the operation, if it gave one.
    pub operation: Option<Uuid>,
    /// When.
    pub at: Time,
    /// The entry after the change; one that is no part of the tree any more, as it was before it.
    pub state: Option<S>,
    /// What takes the change back.
    pub inverse: Option<Value>,
    /// The change that this one takes back, if it is an undo or a redo; without a number where that stands in the journal of
    /// another space.
    pub takes_back: Option<(Turn, Option<u64>)>,
}

/// Which way a change goes that takes another one back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Turn {
    /// It takes back a change, or a redo.
    Undo,
    /// It takes back an undo.
    Redo,
}

impl Turn {
    /// As it stands in the database, where 0 is neither.
    pub fn number(self) -> u32 {
        match self {
            Self::Undo => 1,
            Self::Redo => 2,
        }
    }
}

/// Appends a change in the caller's unit of work and returns its number.
///
/// This takes the lock of the space's row, if the unit does not have it yet: to be called before rows of the space are
/// locked, or after [`db::tree::claim`].
///
/// # Errors
/// [`Error::SpaceUnknown`], [`Error::State`], [`Error::Database`].
pub async fn append<S: Serialize>(tx: &Tx, change: Change<S>) -> Result<u64, Error> {
    let sequence = db::journal::raise_sequence(tx, change.space).await?.ok_or(Error::SpaceUnknown)?;
    record(tx, sequence, change).await?;
    Ok(sequence)
}

/// Writes the row of a change whose number the caller raised itself in the same unit of work, together with other columns
/// of the space's row.
///
/// # Errors
/// [`Error::State`], [`Error::Database`]; a number that has a row already is one of those.
pub async fn record<S: Serialize>(tx: &Tx, sequence: u64, change: Change<S>) -> Result<(), Error> {
    let row = ChangeRow {
        sequence,
        kind: change.kind.as_str().to_owned(),
        entry: change.entry,
        revision: change.revision,
        actor: change.actor,
        operation: change.operation,
        at: change.at,
        state: change.state.as_ref().map(serde_json::to_string).transpose()?,
        inverse: change.inverse.map(|inverse| inverse.to_string()),
        turn: change.takes_back.map_or(0, |(turn, _)| turn.number()),
        undoes: change.takes_back.and_then(|(_, sequence)| sequence),
        undone_by: None,
    };
    db::journal::insert_change(tx, change.space, &row).await?;
    if let Some((_, Some(other))) = change.takes_back {
        db::journal::set_undone(tx, change.space, other, sequence).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_a_contract() {
        let words: Vec<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(
            words,
            [
                "created", "renamed", "moved", "content", "copied", "trashed", "restored", "versions", "shared",
                "details", "tagged", "merged", "tags", "left", "deleted"
            ]
        );
        assert!(Kind::ALL.into_iter().all(|kind| Kind::parse(kind.as_str()) == Some(kind)));
        assert_eq!(Kind::parse("painted"), None);
    }
}
