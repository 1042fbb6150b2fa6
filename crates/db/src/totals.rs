//! What is below each folder: bytes, files and folders, kept with every change.
//!
//! A folder has a row once something was in it. Whoever changes the tree holds the space's row and adds to the chain of
//! folders above the change, in one statement. The uppermost folder of such a chain is the root, or what lies in the trash:
//! the trash keeps totals of its own, and the tree does not count them.

use std::ops::{Add, Neg, Sub};

use base::{EntryId, SpaceId, limits};

use crate::{
    Db, Error, Row, RowReader, Tx, params,
    tree::{self, EntryRow},
};

/// What is below a folder, or what a change adds to that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Total {
    /// Bytes of current versions.
    pub bytes: i64,
    /// Files.
    pub files: i64,
    /// Folders.
    pub folders: i64,
}

impl Total {
    /// One folder with nothing in it.
    pub const FOLDER: Self = Self { bytes: 0, files: 0, folders: 1 };

    /// What an entry adds to the folder it is in, itself and all that is `below` it.
    pub fn of(row: &EntryRow, below: Self) -> Self {
        if row.kind == tree::FOLDER { below + Self::FOLDER } else { Self::file(row.size) }
    }

    /// One file of so many bytes.
    pub fn file(bytes: u64) -> Self {
        Self { bytes: difference(bytes, 0), files: 1, folders: 0 }
    }

    /// A file that had `old` bytes and has `new` ones.
    pub fn resized(old: u64, new: u64) -> Self {
        Self { bytes: difference(new, old), files: 0, folders: 0 }
    }
}

/// No file is so long that this would be another number.
fn difference(new: u64, old: u64) -> i64 {
    new.wrapping_sub(old).cast_signed()
}

impl Add for Total {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { bytes: self.bytes + other.bytes, files: self.files + other.files, folders: self.folders + other.folders }
    }
}

impl Neg for Total {
    type Output = Self;

    fn neg(self) -> Self {
        Self { bytes: -self.bytes, files: -self.files, folders: -self.folders }
    }
}

impl Sub for Total {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

/// Columns of a [`Total`].
pub(crate) const TOTAL_COLUMNS: usize = 3;

impl Total {
    pub(crate) fn read_at(row: &RowReader<'_>, at: usize) -> Result<Self, Error> {
        Ok(Self { bytes: row.get(at)?, files: row.get(at + 1)?, folders: row.get(at + 2)? })
    }
}

impl Row for Total {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Self::read_at(row, 0)
    }
}

/// Adds to a folder and to all folders above it.
pub async fn add(tx: &Tx, space: SpaceId, folder: EntryId, change: Total) -> Result<(), Error> {
    if change == Total::default() {
        return Ok(());
    }
    // A walk up goes one step further than the deepest tree has, so that it always ends.
    tx.exec(
        "WITH RECURSIVE up (id, parent_id, level) AS (
             SELECT id, parent_id, CAST(0 AS BIGINT) FROM entry WHERE space_id = $1 AND id = $2
             UNION ALL
             SELECT e.id, e.parent_id, up.level + 1 FROM up JOIN entry e ON e.space_id = $1 AND e.id = up.parent_id
             WHERE up.level <= $3
         )
         INSERT INTO folder_total (space_id, folder_id, bytes, files, folders)
         SELECT $1, id, $4, $5, $6 FROM up WHERE true
         ON CONFLICT (space_id, folder_id) DO UPDATE
         SET bytes = folder_total.bytes + excluded.bytes, files = folder_total.files + excluded.files,
             folders = folder_total.folders + excluded.folders",
        &params![space, folder, limits::DEPTH_MAX as u64, change.bytes, change.files, change.folders],
    )
    .await?;
    Ok(())
}

/// Gives a new folder, which is a copy of another one with all that is in it, the same total.
pub async fn copy(tx: &Tx, from: &EntryRow, to: &EntryRow) -> Result<(), Error> {
    tx.exec(
        "INSERT INTO folder_total (space_id, folder_id, bytes, files, folders)
         SELECT $4, $3, bytes, files, folders FROM folder_total WHERE space_id = $1 AND folder_id = $2",
        &params![from.space, from.id, to.id, to.space],
    )
    .await?;
    Ok(())
}

/// Forgets a folder that is gone.
pub async fn delete(tx: &Tx, space: SpaceId, folder: EntryId) -> Result<(), Error> {
    tx.exec("DELETE FROM folder_total WHERE space_id = $1 AND folder_id = $2", &params![space, folder]).await?;
    Ok(())
}

const BELOW: &str = "SELECT bytes, files, folders FROM folder_total WHERE space_id = $1 AND folder_id = $2";

/// What is below a folder, inside a unit of work.
pub async fn below(tx: &Tx, space: SpaceId, folder: EntryId) -> Result<Total, Error> {
    Ok(tx.query_opt(BELOW, &params![space, folder]).await?.unwrap_or_default())
}

/// What is below a folder.
pub async fn find_below(db: &Db, space: SpaceId, folder: EntryId) -> Result<Total, Error> {
    Ok(db.query_opt(BELOW, &params![space, folder]).await?.unwrap_or_default())
}
