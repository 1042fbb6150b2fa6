//! How long each space keeps what it need not: what it says itself, what its plan allows, and what that makes too old.

use base::{EntryId, SpaceId, Time, VersionId};

use crate::{Db, Error, Row, RowReader, Tx, params, trash::TrashRow, tree::Removed};

/// What a space says of its own otherwise than the server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RetentionRow {
    /// Days that its trash keeps something; 0 for as long as nobody empties it.
    pub trash_days: Option<u32>,
    /// Versions of a file that are kept, the current one among them.
    pub versions_kept: Option<u32>,
    /// Days that a version is kept after another one took its place; 0 for no bound by age.
    pub version_days: Option<u32>,
}

impl Row for RetentionRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self { trash_days: row.get(0)?, versions_kept: row.get(1)?, version_days: row.get(2)? })
    }
}

/// When things became too old: `default` where a space says nothing of it, and else its own days before `now`.
#[derive(Debug, Clone, Copy)]
pub struct Age {
    /// The server's own bound; none if age is no reason.
    pub default: Option<Time>,
    /// Now.
    pub now: Time,
}

impl Age {
    fn default_us(self) -> i64 {
        self.default.map_or(i64::MIN, Time::as_micros)
    }
}

/// What a space says; `None` if there is no such space.
pub async fn of_space(db: &Db, space: SpaceId) -> Result<Option<RetentionRow>, Error> {
    db.query_opt("SELECT trash_days, versions_kept, version_days FROM space WHERE id = $1", &params![space]).await
}

/// The same inside a unit of work.
pub async fn within(tx: &Tx, space: SpaceId) -> Result<Option<RetentionRow>, Error> {
    tx.query_opt("SELECT trash_days, versions_kept, version_days FROM space WHERE id = $1", &params![space]).await
}

/// Writes what a space says.
pub async fn set(tx: &Tx, space: SpaceId, row: &RetentionRow) -> Result<(), Error> {
    tx.exec(
        "UPDATE space SET trash_days = $1, versions_kept = $2, version_days = $3 WHERE id = $4",
        &params![row.trash_days, row.versions_kept, row.version_days, space],
    )
    .await?;
    Ok(())
}

/// Up to `limit` places in any trash that were taken too long ago, those of one space together.
pub async fn old_trash(db: &Db, age: Age, limit: u32) -> Result<Vec<TrashRow>, Error> {
    db.query(
        "SELECT t.space_id, t.sequence, t.entry_id, t.parent_id, t.path, t.trashed_us, t.trashed_by
         FROM space s JOIN trash t ON t.space_id = s.id
          AND t.trashed_us < CASE WHEN s.trash_days_max IS NOT NULL
                                    AND (s.trash_days IS NULL OR s.trash_days = 0 OR s.trash_days > s.trash_days_max)
                                  THEN $3 - s.trash_days_max * 86400000000
                                  WHEN s.trash_days IS NULL THEN $1 WHEN s.trash_days = 0 THEN $2
                                  ELSE $3 - s.trash_days * 86400000000 END
         LIMIT $4",
        &params![age.default_us(), i64::MIN, age.now, limit],
    )
    .await
}

/// Up to `limit` versions that were replaced too long ago and that nobody wants kept: space, file, version.
pub async fn old_versions(db: &Db, age: Age, limit: u32) -> Result<Vec<(SpaceId, EntryId, VersionId)>, Error> {
    db.query(
        "SELECT v.space_id, v.entry_id, v.id
         FROM space s JOIN version v ON v.space_id = s.id AND v.replaced_us IS NOT NULL AND v.pinned = 0 AND v.name IS NULL
          AND v.replaced_us < CASE WHEN s.version_days IS NULL THEN $1 WHEN s.version_days = 0 THEN $2
                                   ELSE $3 - s.version_days * 86400000000 END
         LIMIT $4",
        &params![age.default_us(), i64::MIN, age.now, limit],
    )
    .await
}

/// Removes a version, if it is still one of those that [`old_versions`] gives.
pub async fn delete_version(
    tx: &Tx,
    space: SpaceId,
    entry: EntryId,
    id: VersionId,
    age: Age,
) -> Result<Option<Removed>, Error> {
    tx.query_opt(
        "DELETE FROM version WHERE space_id = $1 AND entry_id = $2 AND id = $3
            AND replaced_us IS NOT NULL AND pinned = 0 AND name IS NULL
            AND replaced_us < (SELECT CASE WHEN s.version_days IS NULL THEN $4 WHEN s.version_days = 0 THEN $5
                                           ELSE $6 - s.version_days * 86400000000 END
                               FROM space s WHERE s.id = $1)
         RETURNING content_id, size",
        &params![space, entry, id, age.default_us(), i64::MIN, age.now],
    )
    .await
}
