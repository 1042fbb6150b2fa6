//! Reading changes from a cursor on.

use base::{AccountId, EntryId, SpaceId, Time, limits};
use db::{Db, journal::ChangeRow};
use serde_json::Value;
use uuid::Uuid;

use crate::{Cursor, Error, Kind};

/// A change as a reader gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its number in the space.
    pub sequence: u64,
    /// The word for what happened; see [`Item::known_kind`].
    pub kind: String,
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
    pub state: Option<Value>,
    /// What takes the change back.
    pub inverse: Option<Value>,
    /// The number of the change that this one takes back, if it is an undo or a redo.
    pub undoes: Option<u64>,
    /// The number of the change that took this one back, if one has.
    pub undone_by: Option<u64>,
}

impl Item {
    /// What happened, unless a newer version of the program wrote a word that this one does not know.
    pub fn known_kind(&self) -> Option<Kind> {
        Kind::parse(&self.kind)
    }

    /// The entry after the change; nothing for one that is no part of the tree any more.
    pub fn entry_after(&self) -> Option<&Value> {
        let removal = self.known_kind().is_some_and(Kind::is_removal);
        self.state.as_ref().filter(|_| !removal)
    }

    fn from_row(row: ChangeRow) -> Result<Self, Error> {
        let at = row.sequence;
        let json = |text: Option<String>| -> Result<Option<Value>, Error> {
            text.map(|text| serde_json::from_str(&text)).transpose().map_err(|_| Error::Damaged { at })
        };
        Ok(Self {
            sequence: row.sequence,
            kind: row.kind,
            entry: row.entry,
            revision: row.revision,
            actor: row.actor,
            operation: row.operation,
            at: row.at,
            state: json(row.state)?,
            inverse: json(row.inverse)?,
            undoes: row.undoes,
            undone_by: row.undone_by,
        })
    }
}

/// Changes that follow each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The changes, in the order of their numbers and without a hole.
    pub items: Vec<Item>,
    /// Where to go on: after the last of `items`, or where the reader was.
    pub next: Cursor,
    /// Whether there were more when the page was read.
    pub more: bool,
}

/// The reading side of the journal.
#[derive(Debug, Clone, Copy)]
pub struct Journal;

impl Journal {
    /// The changes of a space after `since`, or from its beginning; at most `limit` of them, and at most
    /// [`limits::CHANGES_MAX`].
    ///
    /// # Errors
    /// [`Error::SpaceUnknown`]; [`Error::CursorGone`] if the cursor is of another epoch, ahead of the journal, or of a part
    /// that was removed; [`Error::Damaged`]; [`Error::Database`].
    pub async fn changes(db: &Db, space: SpaceId, since: Option<Cursor>, limit: u32) -> Result<Page, Error> {
        let limit = limit.clamp(1, limits::CHANGES_MAX);
        // The head is read first: on PostgreSQL each statement sees its own moment, and rows above the head that commit
        // between the two belong to the next page.
        let (epoch, newest, after, rows) = db
            .read(async move |tx| {
                let (epoch, newest) = db::journal::head(&tx, space).await?.ok_or(Error::SpaceUnknown)?;
                let after = match since {
                    None => 0,
                    Some(cursor) if cursor.epoch == epoch && cursor.sequence <= newest => cursor.sequence,
                    Some(_) => return Err(Error::CursorGone),
                };
                let rows = db::journal::changes(&tx, space, after, newest, limit).await?;
                Ok((epoch, newest, after, rows))
            })
            .await?;
        check_gapless(&rows, after, newest, limit)?;
        let sequence = rows.last().map_or(after, |row| row.sequence);
        let items = rows.into_iter().map(Item::from_row).collect::<Result<_, _>>()?;
        Ok(Page { items, next: Cursor { epoch, sequence }, more: sequence < newest })
    }
}

/// Makes sure that a page begins right after `after` and has no hole up to its end.
///
/// Rows that are missing at its beginning were removed as too old; any other hole must not exist.
fn check_gapless(rows: &[ChangeRow], after: u64, newest: u64, limit: u32) -> Result<(), Error> {
    let wanted = (newest - after).min(u64::from(limit));
    match rows.first() {
        None if wanted > 0 => return Err(Error::CursorGone),
        Some(first) if first.sequence != after + 1 => return Err(Error::CursorGone),
        _ => {}
    }
    for (expected, row) in (after + 1..).zip(rows) {
        if row.sequence != expected {
            return Err(Error::Damaged { at: expected });
        }
    }
    if rows.len() as u64 == wanted { Ok(()) } else { Err(Error::Damaged { at: after + rows.len() as u64 + 1 }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_found() {
        let row = |sequence| ChangeRow {
            sequence,
            kind: String::new(),
            entry: EntryId::from_bytes([0; 16]),
            revision: 1,
            actor: None,
            operation: None,
            at: Time::default(),
            state: None,
            inverse: None,
            turn: 0,
            undoes: None,
            undone_by: None,
        };
        let check = |numbers: &[u64], after, newest| {
            let rows: Vec<_> = numbers.iter().copied().map(row).collect();
            check_gapless(&rows, after, newest, 3).map_err(|error| error.to_string())
        };
        assert_eq!(check(&[], 0, 0), Ok(()));
        assert_eq!(check(&[1, 2], 0, 2), Ok(()));
        assert_eq!(check(&[3, 4, 5], 2, 9), Ok(()));
        let gone = Err(Error::CursorGone.to_string());
        assert_eq!(check(&[], 2, 9), gone);
        assert_eq!(check(&[5, 6, 7], 2, 9), gone);
        let damaged = |at| Err(Error::Damaged { at }.to_string());
        assert_eq!(check(&[3, 5, 6], 2, 9), damaged(4));
        assert_eq!(check(&[3, 4], 2, 9), damaged(5));
    }
}
