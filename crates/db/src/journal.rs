//! The journal's rows: one for each committed change of a space, gaplessly numbered.

use base::{AccountId, EntryId, SpaceId, Time};
use uuid::Uuid;

use crate::{Db, Error, Row, RowReader, Tx, notice::Notice, params};

/// One change, as it is stored.
#[derive(Debug, Clone)]
pub struct ChangeRow {
    /// Its number in the space, from 1.
    pub sequence: u64,
    /// What happened. A newer version of the program may have written a word that this one does not know.
    pub kind: String,
    /// What it happened to.
    pub entry: EntryId,
    /// The entry's revision after it.
    pub revision: u64,
    /// Who did it; nobody, where the program itself did.
    pub actor: Option<AccountId>,
    /// The client's id of the operation, if it gave one.
    pub operation: Option<Uuid>,
    /// When.
    pub at: Time,
    /// JSON: the entry after the change.
    pub state: Option<String>,
    /// JSON: what takes the change back.
    pub inverse: Option<String>,
}

impl Row for ChangeRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            sequence: row.get(0)?,
            kind: row.get(1)?,
            entry: row.get(2)?,
            revision: row.get(3)?,
            actor: row.get(4)?,
            operation: row.get(5)?,
            at: row.get(6)?,
            state: row.get(7)?,
            inverse: row.get(8)?,
        })
    }
}

/// Raises the space's sequence by one and returns it; `None` if there is no such space.
///
/// The row lock that this takes until the commit is what makes the numbers gapless: whoever comes second waits, and
/// takes the same number if the first rolls back.
pub async fn raise_sequence(tx: &Tx, space: SpaceId) -> Result<Option<u64>, Error> {
    let row: Option<(u64,)> = tx
        .query_opt("UPDATE space SET sequence = sequence + 1 WHERE id = $1 RETURNING sequence", &params![space])
        .await?;
    Ok(row.map(|(sequence,)| sequence))
}

/// Inserts the row of a change whose number was just raised, and lets those know who wait for it.
pub async fn insert_change(tx: &Tx, space: SpaceId, row: &ChangeRow) -> Result<(), Error> {
    tx.exec(
        "INSERT INTO journal (space_id, sequence, kind, entry_id, revision, actor, operation_id, at_us, state, inverse)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &params![
            space,
            row.sequence,
            row.kind.as_str(),
            row.entry,
            row.revision,
            row.actor,
            row.operation,
            row.at,
            row.state.as_deref(),
            row.inverse.as_deref()
        ],
    )
    .await?;
    tx.announce(Notice::Changed { space, sequence: row.sequence });
    Ok(())
}

/// The space's epoch and newest sequence; `None` if there is no such space.
pub async fn head(tx: &Tx, space: SpaceId) -> Result<Option<(u64, u64)>, Error> {
    tx.query_opt("SELECT epoch, sequence FROM space WHERE id = $1", &params![space]).await
}

/// Up to `limit` changes with a number above `after` and not above `newest`, in order.
pub async fn changes(tx: &Tx, space: SpaceId, after: u64, newest: u64, limit: u32) -> Result<Vec<ChangeRow>, Error> {
    tx.query(
        "SELECT sequence, kind, entry_id, revision, actor, operation_id, at_us, state, inverse
         FROM journal WHERE space_id = $1 AND sequence > $2 AND sequence <= $3 ORDER BY sequence LIMIT $4",
        &params![space, after, newest, limit],
    )
    .await
}

/// The same outside a unit of work.
pub async fn find_head(db: &Db, space: SpaceId) -> Result<Option<(u64, u64)>, Error> {
    db.query_opt("SELECT epoch, sequence FROM space WHERE id = $1", &params![space]).await
}
