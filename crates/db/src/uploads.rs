//! Uploads in progress: what each has brought so far, and the lease of whoever is bringing more.

use base::{AccountId, ContentId, EntryId, SpaceId, Time, UploadId};

use crate::{Db, Error, Row, RowReader, Tx, params};

/// The columns of an [`UploadRow`], for `concat!`.
macro_rules! upload_columns {
    () => {
        "id, account_id, space_id, parent_id, name, content_type, on_conflict, kind, state, length, received, extents, \
         hash_state, generation, content_id, reserved, entry_id, metadata, created_us, expires_us"
    };
}

/// An upload.
#[derive(Debug, Clone)]
pub struct UploadRow {
    /// Which one.
    pub id: UploadId,
    /// Whose it is.
    pub account: AccountId,
    /// The space whose quota it counts against.
    pub space: SpaceId,
    /// The folder it will be in.
    pub parent: EntryId,
    /// What it will be called; empty for a partial one.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// What happens if the name is taken at the end: `fail`, `replace`, `rename`.
    pub on_conflict: String,
    /// `whole`, `partial`, `final`; `put` is the reservation of a plain upload.
    pub kind: String,
    /// `open`, `finished`.
    pub state: String,
    /// How long it will be; none while the client has not said.
    pub length: Option<u64>,
    /// Bytes that are durable.
    pub received: u64,
    /// Extents that hold them.
    pub extents: u32,
    /// The state of the hash over them; none where no hash is kept, and before the first byte.
    pub hash_state: Option<Vec<u8>>,
    /// Raised by whoever resumes.
    pub generation: u64,
    /// The content they will be.
    pub content: ContentId,
    /// Bytes it holds of the space's reservation.
    pub reserved: u64,
    /// The file it became.
    pub entry: Option<EntryId>,
    /// What the client said about it, as it said it.
    pub metadata: String,
    /// When it was made.
    pub created: Time,
    /// When it may be removed.
    pub expires: Time,
}

impl Row for UploadRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: row.get(0)?,
            account: row.get(1)?,
            space: row.get(2)?,
            parent: row.get(3)?,
            name: row.get(4)?,
            content_type: row.get(5)?,
            on_conflict: row.get(6)?,
            kind: row.get(7)?,
            state: row.get(8)?,
            length: row.get(9)?,
            received: row.get(10)?,
            extents: row.get(11)?,
            hash_state: row.get(12)?,
            generation: row.get(13)?,
            content: row.get(14)?,
            reserved: row.get(15)?,
            entry: row.get(16)?,
            metadata: row.get(17)?,
            created: row.get(18)?,
            expires: row.get(19)?,
        })
    }
}

/// Inserts an upload.
pub async fn insert_upload(tx: &Tx, row: &UploadRow) -> Result<(), Error> {
    tx.exec(
        concat!(
            "INSERT INTO upload (",
            upload_columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)"
        ),
        &params![
            row.id,
            row.account,
            row.space,
            row.parent,
            &row.name,
            &row.content_type,
            &row.on_conflict,
            &row.kind,
            &row.state,
            row.length,
            row.received,
            row.extents,
            row.hash_state.as_deref(),
            row.generation,
            row.content,
            row.reserved,
            row.entry,
            &row.metadata,
            row.created,
            row.expires
        ],
    )
    .await?;
    Ok(())
}

/// The upload as it is now.
pub async fn find_upload(db: &Db, id: UploadId) -> Result<Option<UploadRow>, Error> {
    db.query_opt(concat!("SELECT ", upload_columns!(), " FROM upload WHERE id = $1"), &params![id]).await
}

/// The upload, inside a unit of work that holds its space's row.
pub async fn upload(tx: &Tx, id: UploadId) -> Result<Option<UploadRow>, Error> {
    tx.query_opt(concat!("SELECT ", upload_columns!(), " FROM upload WHERE id = $1"), &params![id]).await
}

/// Writes what can change about an upload. The caller holds the space's row and has read the upload under it.
pub async fn update_upload(tx: &Tx, row: &UploadRow) -> Result<(), Error> {
    tx.exec(
        "UPDATE upload SET parent_id = $1, name = $2, on_conflict = $3, state = $4, length = $5, received = $6,
                           extents = $7, hash_state = $8, generation = $9, reserved = $10, entry_id = $11,
                           expires_us = $12
         WHERE id = $13",
        &params![
            row.parent,
            &row.name,
            &row.on_conflict,
            &row.state,
            row.length,
            row.received,
            row.extents,
            row.hash_state.as_deref(),
            row.generation,
            row.reserved,
            row.entry,
            row.expires,
            row.id
        ],
    )
    .await?;
    Ok(())
}

/// Removes an upload's row; `false` if it was gone.
pub async fn delete_upload(tx: &Tx, id: UploadId) -> Result<bool, Error> {
    Ok(tx.exec("DELETE FROM upload WHERE id = $1", &params![id]).await? == 1)
}

/// Up to `limit` uploads that may be removed at `now`, the longest expired first.
pub async fn expired_uploads(db: &Db, now: Time, limit: u32) -> Result<Vec<UploadRow>, Error> {
    db.query(
        concat!("SELECT ", upload_columns!(), " FROM upload WHERE expires_us <= $1 ORDER BY expires_us LIMIT $2"),
        &params![now, limit],
    )
    .await
}

/// The upload that will become this entry, if one was promised to.
pub async fn find_promised(db: &Db, entry: EntryId) -> Result<Option<UploadRow>, Error> {
    db.query_opt(concat!("SELECT ", upload_columns!(), " FROM upload WHERE promised_id = $1"), &params![entry]).await
}

/// The entry that an upload was promised to become.
pub async fn promised(tx: &Tx, id: UploadId) -> Result<Option<EntryId>, Error> {
    let row: Option<(Option<EntryId>,)> =
        tx.query_opt("SELECT promised_id FROM upload WHERE id = $1", &params![id]).await?;
    Ok(row.and_then(|(entry,)| entry))
}

/// Promises that an upload will become this entry.
pub async fn promise(tx: &Tx, id: UploadId, entry: EntryId) -> Result<(), Error> {
    tx.exec("UPDATE upload SET promised_id = $1 WHERE id = $2", &params![entry, id]).await?;
    Ok(())
}

/// Makes an upload one of another space. The caller holds the rows of both spaces.
pub async fn set_space(tx: &Tx, id: UploadId, space: SpaceId) -> Result<(), Error> {
    tx.exec("UPDATE upload SET space_id = $1 WHERE id = $2", &params![space, id]).await?;
    Ok(())
}

/// Moves the expiry of an upload; `false` if it is gone, or not open any more.
pub async fn renew(tx: &Tx, id: UploadId, expires: Time) -> Result<bool, Error> {
    let rows =
        tx.exec("UPDATE upload SET expires_us = $1 WHERE id = $2 AND state = 'open'", &params![expires, id]).await?;
    Ok(rows == 1)
}
