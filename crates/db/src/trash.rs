//! The trash: which entries were taken out of their folders, from where, when and by whom.
//!
//! A row is the top of what was removed. Its entry has no parent while it is here; what is below it hangs from it as
//! before.

use base::{AccountId, EntryId, SpaceId, Time};

use crate::{
    Db, Error, Row, RowReader, Tx, params,
    tree::{ENTRY_COLUMNS, EntryRow},
};

/// An entry's place in the trash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrashRow {
    /// The space.
    pub space: SpaceId,
    /// Number of the change that put it there, which is the order of the trash.
    pub sequence: u64,
    /// The entry.
    pub entry: EntryId,
    /// The folder it was in.
    pub parent: EntryId,
    /// Where it was then, for people.
    pub path: String,
    /// When it was put there.
    pub at: Time,
    /// By whom.
    pub by: Option<AccountId>,
}

impl TrashRow {
    fn read_at(row: &RowReader<'_>, at: usize) -> Result<Self, Error> {
        Ok(Self {
            space: row.get(at)?,
            sequence: row.get(at + 1)?,
            entry: row.get(at + 2)?,
            parent: row.get(at + 3)?,
            path: row.get(at + 4)?,
            at: row.get(at + 5)?,
            by: row.get(at + 6)?,
        })
    }
}

impl Row for TrashRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Self::read_at(row, 0)
    }
}

/// What is in the trash, with the entry itself.
#[derive(Debug, Clone)]
pub struct TrashedRow {
    /// The entry.
    pub entry: EntryRow,
    /// Its place in the trash.
    pub trash: TrashRow,
}

impl Row for TrashedRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self { entry: EntryRow::read_at(row, 0)?, trash: TrashRow::read_at(row, ENTRY_COLUMNS)? })
    }
}

/// The place of an entry in the trash, if it is there.
pub async fn place(tx: &Tx, entry: EntryId) -> Result<Option<TrashRow>, Error> {
    tx.query_opt(
        "SELECT space_id, sequence, entry_id, parent_id, path, trashed_us, trashed_by FROM trash WHERE entry_id = $1",
        &params![entry],
    )
    .await
}

/// Puts an entry into the trash of its space; the caller takes it out of its folder, and counts it.
pub async fn insert(tx: &Tx, row: &TrashRow) -> Result<(), Error> {
    tx.exec(
        "INSERT INTO trash (space_id, sequence, entry_id, parent_id, path, trashed_us, trashed_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &params![row.space, row.sequence, row.entry, row.parent, &row.path, row.at, row.by],
    )
    .await?;
    Ok(())
}

/// Removes an entry's place in the trash.
pub async fn delete(tx: &Tx, entry: EntryId) -> Result<(), Error> {
    tx.exec("DELETE FROM trash WHERE entry_id = $1", &params![entry]).await?;
    Ok(())
}

/// Counts entries of the trash in the space's row.
pub async fn count(tx: &Tx, space: SpaceId, change: i64) -> Result<(), Error> {
    tx.exec("UPDATE space SET trashed = trashed + $1 WHERE id = $2", &params![change, space]).await?;
    Ok(())
}

/// Up to `limit` entries of a space's trash with a number below `before`, newest first.
pub async fn newest(db: &Db, space: SpaceId, before: u64, limit: u32) -> Result<Vec<TrashedRow>, Error> {
    db.query(
        concat!(
            "SELECT ",
            entry_columns!(),
            ", t.space_id, t.sequence, t.entry_id, t.parent_id, t.path, t.trashed_us, t.trashed_by
             FROM trash t JOIN entry e ON e.space_id = t.space_id AND e.id = t.entry_id
             WHERE t.space_id = $1 AND t.sequence < $2 ORDER BY t.sequence DESC LIMIT $3"
        ),
        &params![space, before, limit],
    )
    .await
}

/// Up to `limit` places in a space's trash that were taken up to the change `upto`, oldest first.
pub async fn oldest(tx: &Tx, space: SpaceId, upto: u64, limit: u32) -> Result<Vec<TrashRow>, Error> {
    tx.query(
        "SELECT space_id, sequence, entry_id, parent_id, path, trashed_us, trashed_by
         FROM trash WHERE space_id = $1 AND sequence <= $2 ORDER BY sequence LIMIT $3",
        &params![space, upto, limit],
    )
    .await
}

/// How many entries of a space's trash came there up to the change `upto`.
pub async fn left(db: &Db, space: SpaceId, upto: u64) -> Result<u64, Error> {
    let row: Option<(u64,)> = db
        .query_opt("SELECT COUNT(*) FROM trash WHERE space_id = $1 AND sequence <= $2", &params![space, upto])
        .await?;
    Ok(row.map_or(0, |(count,)| count))
}
