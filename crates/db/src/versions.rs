//! The versions of a file that are kept: listing them, what people say of them, and their end by age.

use base::{EntryId, SpaceId, Time, VersionId};

use crate::{
    Db, Error, Row, RowReader, Tx, params,
    tree::{Removed, VersionRow},
};

/// A version, and what people said of it.
#[derive(Debug, Clone)]
pub struct KeptRow {
    /// The version.
    pub version: VersionRow,
    /// The name that somebody gave it.
    pub name: Option<String>,
    /// Whether somebody wants it kept.
    pub pinned: bool,
}

impl Row for KeptRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            version: VersionRow {
                id: row.get(0)?,
                entry: row.get(1)?,
                space: row.get(2)?,
                content: row.get(3)?,
                size: row.get(4)?,
                content_type: row.get(5)?,
                blake3: row.get(6)?,
                created: row.get(7)?,
                created_by: row.get(8)?,
            },
            name: row.get(9)?,
            pinned: row.get::<u32>(10)? == 1,
        })
    }
}

const ONE: &str =
    "SELECT id, entry_id, space_id, content_id, size, content_type, blake3, created_us, created_by, name, pinned
     FROM version WHERE space_id = $1 AND entry_id = $2 AND id = $3";

/// A version of a file.
pub async fn version(tx: &Tx, space: SpaceId, entry: EntryId, id: VersionId) -> Result<Option<KeptRow>, Error> {
    tx.query_opt(ONE, &params![space, entry, id]).await
}

/// The same as [`version`], outside a unit of work.
pub async fn find(db: &Db, space: SpaceId, entry: EntryId, id: VersionId) -> Result<Option<KeptRow>, Error> {
    db.query_opt(ONE, &params![space, entry, id]).await
}

/// Up to `limit` versions of a file with ids below `before`, newest first.
pub async fn list(
    db: &Db,
    space: SpaceId,
    entry: EntryId,
    before: Option<VersionId>,
    limit: u32,
) -> Result<Vec<KeptRow>, Error> {
    let before = before.unwrap_or(VersionId::from_bytes([0xff; 16]));
    db.query(
        "SELECT id, entry_id, space_id, content_id, size, content_type, blake3, created_us, created_by, name, pinned
         FROM version WHERE space_id = $1 AND entry_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4",
        &params![space, entry, before, limit],
    )
    .await
}

/// Writes what people say of a version.
pub async fn label(
    tx: &Tx,
    space: SpaceId,
    entry: EntryId,
    id: VersionId,
    name: Option<&str>,
    pinned: bool,
) -> Result<(), Error> {
    tx.exec(
        "UPDATE version SET name = $1, pinned = $2 WHERE space_id = $3 AND entry_id = $4 AND id = $5",
        &params![name, u32::from(pinned), space, entry, id],
    )
    .await?;
    Ok(())
}

/// Notes when a version stopped being the current one; `None` for one that is it again.
pub async fn set_replaced(
    tx: &Tx,
    space: SpaceId,
    entry: EntryId,
    id: VersionId,
    at: Option<Time>,
) -> Result<(), Error> {
    tx.exec(
        "UPDATE version SET replaced_us = $1 WHERE space_id = $2 AND entry_id = $3 AND id = $4",
        &params![at, space, entry, id],
    )
    .await?;
    Ok(())
}

/// Removes one version.
pub async fn delete(tx: &Tx, space: SpaceId, entry: EntryId, id: VersionId) -> Result<Option<Removed>, Error> {
    tx.query_opt(
        "DELETE FROM version WHERE space_id = $1 AND entry_id = $2 AND id = $3 RETURNING content_id, size",
        &params![space, entry, id],
    )
    .await
}
