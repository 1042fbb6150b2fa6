//! What an archive of a tree needs: listings with the checksums of contents.

use base::{ContentId, EntryId, SpaceId};

use crate::{
    Db, Error, Row, RowReader, Tx, params,
    tree::{ENTRY_COLUMNS, EntryRow},
};

/// An entry, and the CRC-32 of its bytes where that is known.
#[derive(Debug, Clone)]
pub struct SummedRow {
    /// The entry.
    pub entry: EntryRow,
    /// Of its current content.
    pub crc32: Option<u32>,
}

impl Row for SummedRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self { entry: EntryRow::read_at(row, 0)?, crc32: row.get(ENTRY_COLUMNS)? })
    }
}

/// Up to `limit` entries of a folder by name, with the checksums of the files among them.
pub async fn children(tx: &Tx, space: SpaceId, parent: EntryId, limit: u32) -> Result<Vec<SummedRow>, Error> {
    tx.query(
        concat!(
            "SELECT ",
            entry_columns!(),
            ", c.crc32 FROM entry e LEFT JOIN content c ON c.id = e.content_id
             WHERE e.space_id = $1 AND e.parent_id = $2 ORDER BY e.name LIMIT $3"
        ),
        &params![space, parent, limit],
    )
    .await
}

/// An entry with the checksum of its bytes.
pub async fn entry(tx: &Tx, space: SpaceId, id: EntryId) -> Result<Option<SummedRow>, Error> {
    tx.query_opt(
        concat!(
            "SELECT ",
            entry_columns!(),
            ", c.crc32 FROM entry e LEFT JOIN content c ON c.id = e.content_id WHERE e.space_id = $1 AND e.id = $2"
        ),
        &params![space, id],
    )
    .await
}

/// The CRC-32 of a content, where it is known.
pub async fn crc32(db: &Db, content: ContentId) -> Result<Option<u32>, Error> {
    let row: Option<(Option<u32>,)> =
        db.query_opt("SELECT crc32 FROM content WHERE id = $1", &params![content]).await?;
    Ok(row.and_then(|(crc32,)| crc32))
}

/// Keeps the CRC-32 of a content.
pub async fn set_crc32(tx: &Tx, content: ContentId, crc32: u32) -> Result<(), Error> {
    tx.exec("UPDATE content SET crc32 = $1 WHERE id = $2", &params![crc32, content]).await?;
    Ok(())
}
