//! Spaces: the trees that people own, with their counters.

use base::{AccountId, EntryId, SpaceId, Time};

use crate::{Db, Error, Row, RowReader, Tx, params};

/// A space and its counters.
#[derive(Debug, Clone)]
pub struct SpaceRow {
    /// Which one.
    pub id: SpaceId,
    /// `personal`; later kinds will be others.
    pub kind: String,
    /// Whose it is.
    pub owner: AccountId,
    /// What people call it.
    pub name: String,
    /// The folder that everything in it hangs from.
    pub root: EntryId,
    /// Of its newest journal row; 0 before the first change.
    pub sequence: u64,
    /// Changes when its journal cannot be continued.
    pub epoch: u64,
    /// Bytes of all versions in it.
    pub used_bytes: u64,
    /// Bytes that running uploads may still add.
    pub reserved_bytes: u64,
    /// What used and reserved bytes may come to; without it there is no bound.
    pub quota_bytes: Option<u64>,
    /// Removed folders whose trees are still being taken apart.
    pub purging: u64,
}

impl Row for SpaceRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: row.get(0)?,
            kind: row.get(1)?,
            owner: row.get(2)?,
            name: row.get(3)?,
            root: row.get(4)?,
            sequence: row.get(5)?,
            epoch: row.get(6)?,
            used_bytes: row.get(7)?,
            reserved_bytes: row.get(8)?,
            quota_bytes: row.get(9)?,
            purging: row.get(10)?,
        })
    }
}

/// A personal space to make.
#[derive(Debug, Clone)]
pub struct NewSpace<'a> {
    /// Its id.
    pub id: SpaceId,
    /// Whose it will be.
    pub owner: AccountId,
    /// What people will call it.
    pub name: &'a str,
    /// The id of its root folder.
    pub root: EntryId,
    /// Its bound, if it has one.
    pub quota_bytes: Option<u64>,
    /// Now.
    pub created: Time,
}

/// Inserts a personal space together with its root folder, so neither is ever seen without the other.
///
/// The root has no name and no journal row: sequence 0 of a space is the space with an empty root.
pub async fn insert_personal_space(tx: &Tx, new: &NewSpace<'_>) -> Result<(), Error> {
    tx.exec(
        "INSERT INTO space (id, kind, owner_id, name, root_id, sequence, epoch, used_bytes, reserved_bytes,
                            quota_bytes, purging)
         VALUES ($1, 'personal', $2, $3, $4, 0, 1, 0, 0, $5, 0)",
        &params![new.id, new.owner, new.name, new.root, new.quota_bytes],
    )
    .await?;
    tx.exec(
        "INSERT INTO entry (id, space_id, name, kind, revision, size, created_us, modified_us)
         VALUES ($1, $2, '', 0, 1, 0, $3, $3)",
        &params![new.root, new.id, new.created],
    )
    .await?;
    Ok(())
}

/// The space, if there is one of this id.
pub async fn space(db: &Db, id: SpaceId) -> Result<Option<SpaceRow>, Error> {
    db.query_opt(
        "SELECT id, kind, owner_id, name, root_id, sequence, epoch, used_bytes, reserved_bytes, quota_bytes, purging
         FROM space WHERE id = $1",
        &params![id],
    )
    .await
}

/// Up to `limit` spaces that an account owns, in order of their ids, beginning after `after`.
pub async fn spaces_of(db: &Db, owner: AccountId, after: Option<SpaceId>, limit: u32) -> Result<Vec<SpaceRow>, Error> {
    let after = after.unwrap_or(SpaceId::from_bytes([0; 16]));
    db.query(
        "SELECT id, kind, owner_id, name, root_id, sequence, epoch, used_bytes, reserved_bytes, quota_bytes, purging
         FROM space WHERE owner_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        &params![owner, after, limit],
    )
    .await
}
