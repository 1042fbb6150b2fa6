//! The tree: entries, their versions, and what a change does to the row of its space.

use base::{AccountId, ContentId, EntryId, SpaceId, Time, VersionId, limits};

use crate::{Db, Error, Row, RowReader, Tx, params, totals::Total};

/// `entry.kind` of a folder.
pub const FOLDER: u32 = 0;

/// `entry.kind` of a file.
pub const FILE: u32 = 1;

/// How many columns [`EntryRow`] takes, in the order of `entry_columns!`.
pub(crate) const ENTRY_COLUMNS: usize = 14;

/// How many columns [`SpaceState`] takes.
const SPACE_COLUMNS: usize = 11;

/// The columns of an [`EntryRow`], for `concat!`.
macro_rules! entry_columns {
    () => {
        "e.id, e.space_id, e.parent_id, e.name, e.kind, e.revision, e.version_id, e.content_id, e.size, \
         e.content_type, e.blake3, e.created_us, e.modified_us, e.extras"
    };
}

/// The columns of a [`SpaceState`], for `concat!`, with what stands before each. A team's space has somebody who made it, and no owner.
macro_rules! space_columns {
    ($of:literal) => {
        concat!(
            $of,
            "id, CASE WHEN ",
            $of,
            "kind = 'personal' THEN ",
            $of,
            "owner_id END, ",
            $of,
            "root_id, ",
            $of,
            "sequence, ",
            $of,
            "used_bytes, ",
            $of,
            "reserved_bytes, ",
            $of,
            "quota_bytes, ",
            $of,
            "purging, ",
            $of,
            "trashed, ",
            $of,
            "rights, ",
            $of,
            "file_bytes_max"
        )
    };
}

/// A folder or file of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRow {
    /// Which one.
    pub id: EntryId,
    /// The space it is in.
    pub space: SpaceId,
    /// The folder it is in; none for a root, for what is in the trash, and for a removed tree that is being taken apart.
    pub parent: Option<EntryId>,
    /// Its name, in NFC.
    pub name: String,
    /// [`FOLDER`] or [`FILE`].
    pub kind: u32,
    /// Raised by each change.
    pub revision: u64,
    /// A file's current version.
    pub version: Option<VersionId>,
    /// The bytes of that version.
    pub content: Option<ContentId>,
    /// How many they are; 0 for a folder.
    pub size: u64,
    /// Their media type.
    pub content_type: Option<String>,
    /// Their BLAKE3, where known.
    pub blake3: Option<[u8; 32]>,
    /// When it was made.
    pub created: Time,
    /// When its bytes changed last; for a folder, when it was made.
    pub modified: Time,
    /// JSON: its description, tags and properties; none where nothing was said of it.
    pub extras: Option<String>,
}

impl EntryRow {
    pub(crate) fn read_at(row: &RowReader<'_>, at: usize) -> Result<Self, Error> {
        Ok(Self {
            id: row.get(at)?,
            space: row.get(at + 1)?,
            parent: row.get(at + 2)?,
            name: row.get(at + 3)?,
            kind: row.get(at + 4)?,
            revision: row.get(at + 5)?,
            version: row.get(at + 6)?,
            content: row.get(at + 7)?,
            size: row.get(at + 8)?,
            content_type: row.get(at + 9)?,
            blake3: row.get(at + 10)?,
            created: row.get(at + 11)?,
            modified: row.get(at + 12)?,
            extras: row.get(at + 13)?,
        })
    }
}

impl Row for EntryRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Self::read_at(row, 0)
    }
}

/// What the row of an entry's space says, as far as the tree needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceState {
    /// Which space.
    pub id: SpaceId,
    /// Whose own it is; nobody's, if it is a team's.
    pub owner: Option<AccountId>,
    /// Its root folder.
    pub root: EntryId,
    /// Number of its newest journal row.
    pub sequence: u64,
    /// Bytes of all versions in it.
    pub used: u64,
    /// Bytes that uploads in progress may still bring.
    pub reserved: u64,
    /// How many bytes it may hold, if that is limited.
    pub quota: Option<u64>,
    /// Removed trees that are still being taken apart: while there are any, an entry may be unreachable.
    pub purging: u64,
    /// Entries in its trash: while there are any, an entry may be in it or below one that is.
    pub trashed: u64,
    /// Raised whenever somebody's role on something in it may have become another; 0 while nobody was ever given one.
    pub rights: u64,
    /// Bytes of one file, if its plan limits that.
    pub file_bytes_max: Option<u64>,
}

impl SpaceState {
    fn read_at(row: &RowReader<'_>, at: usize) -> Result<Self, Error> {
        Ok(Self {
            id: row.get(at)?,
            owner: row.get(at + 1)?,
            root: row.get(at + 2)?,
            sequence: row.get(at + 3)?,
            used: row.get(at + 4)?,
            reserved: row.get(at + 5)?,
            quota: row.get(at + 6)?,
            purging: row.get(at + 7)?,
            trashed: row.get(at + 8)?,
            rights: row.get(at + 9)?,
            file_bytes_max: row.get(at + 10)?,
        })
    }
}

impl Row for SpaceState {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Self::read_at(row, 0)
    }
}

/// An entry together with its space.
#[derive(Debug, Clone)]
pub struct Located {
    /// The entry.
    pub entry: EntryRow,
    /// Its space.
    pub space: SpaceState,
}

impl Row for Located {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self { entry: EntryRow::read_at(row, 0)?, space: SpaceState::read_at(row, ENTRY_COLUMNS)? })
    }
}

/// The entry and its space, by the entry's id alone.
pub async fn locate(db: &Db, id: EntryId) -> Result<Option<Located>, Error> {
    db.query_opt(
        concat!(
            "SELECT ",
            entry_columns!(),
            ", ",
            space_columns!("s."),
            " FROM entry e JOIN space s ON s.id = e.space_id WHERE e.id = $1"
        ),
        &params![id],
    )
    .await
}

/// A folder together with its space, and the kind of the entry that has a name in it.
#[derive(Debug, Clone)]
pub struct Place {
    /// The folder.
    pub folder: Located,
    /// [`FOLDER`] or [`FILE`] if the name is taken.
    pub taken: Option<u32>,
}

impl Row for Place {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self { folder: Located::read(row)?, taken: row.get(ENTRY_COLUMNS + SPACE_COLUMNS)? })
    }
}

/// As [`locate`], and in the same statement a look at a name in the folder.
pub async fn locate_place(db: &Db, folder: EntryId, name: &str) -> Result<Option<Place>, Error> {
    db.query_opt(
        concat!(
            "SELECT ",
            entry_columns!(),
            ", ",
            space_columns!("s."),
            ", (SELECT c.kind FROM entry c WHERE c.space_id = e.space_id AND c.parent_id = e.id AND c.name = $2)
             FROM entry e JOIN space s ON s.id = e.space_id WHERE e.id = $1"
        ),
        &params![folder, name],
    )
    .await
}

/// The space's row.
pub async fn space(db: &Db, id: SpaceId) -> Result<Option<SpaceState>, Error> {
    db.query_opt(concat!("SELECT ", space_columns!("s."), " FROM space s WHERE s.id = $1"), &params![id]).await
}

/// The space's row, inside a unit of work and without taking it.
pub async fn space_within(tx: &Tx, id: SpaceId) -> Result<Option<SpaceState>, Error> {
    tx.query_opt(concat!("SELECT ", space_columns!("s."), " FROM space s WHERE s.id = $1"), &params![id]).await
}

/// What a change does to the row of its space.
#[derive(Debug, Clone, Copy, Default)]
pub struct Claim {
    /// Journal rows that the caller is going to write: 0 or 1.
    pub sequence: u32,
    /// Added to the bytes in use.
    pub used: i64,
    /// Added to the bytes reserved.
    pub reserved: i64,
}

/// Locks the space's row for the rest of the unit of work, which must do so before anything else, and applies `claim`
/// to it in the same statement.
///
/// Gives the row as it is afterwards; `None` if there is no such space, or if the claim takes more bytes than the quota
/// leaves. A claim that takes none is never refused.
pub async fn claim(tx: &Tx, space: SpaceId, claim: Claim) -> Result<Option<SpaceState>, Error> {
    tx.query_opt(
        concat!(
            "UPDATE space SET sequence = sequence + $1, used_bytes = used_bytes + $2,
                              reserved_bytes = reserved_bytes + $3
             WHERE id = $4
               AND (quota_bytes IS NULL OR used_bytes + reserved_bytes + $2 + $3 <= quota_bytes
                    OR used_bytes + $2 + $3 <= used_bytes)
             RETURNING ",
            space_columns!("")
        ),
        &params![claim.sequence, claim.used, claim.reserved, space],
    )
    .await
}

/// Counts a removed tree as being taken apart (1), or as gone (-1).
pub async fn count_purging(tx: &Tx, space: SpaceId, change: i64) -> Result<(), Error> {
    tx.exec("UPDATE space SET purging = purging + $1 WHERE id = $2", &params![change, space]).await?;
    Ok(())
}

/// An entry of a space that the caller knows.
pub async fn entry(tx: &Tx, space: SpaceId, id: EntryId) -> Result<Option<EntryRow>, Error> {
    tx.query_opt(
        concat!("SELECT ", entry_columns!(), " FROM entry e WHERE e.space_id = $1 AND e.id = $2"),
        &params![space, id],
    )
    .await
}

/// Whether any space has an entry of this id.
pub async fn exists(tx: &Tx, id: EntryId) -> Result<bool, Error> {
    let row: Option<(i64,)> = tx.query_opt("SELECT 1 FROM entry WHERE id = $1 LIMIT 1", &params![id]).await?;
    Ok(row.is_some())
}

/// The entry of that name in a folder.
pub async fn child(tx: &Tx, space: SpaceId, parent: EntryId, name: &str) -> Result<Option<EntryRow>, Error> {
    tx.query_opt(
        concat!(
            "SELECT ",
            entry_columns!(),
            " FROM entry e WHERE e.space_id = $1 AND e.parent_id = $2 AND e.name = $3"
        ),
        &params![space, parent, name],
    )
    .await
}

/// The entry of that name in a folder, outside a unit of work.
pub async fn find_child(db: &Db, space: SpaceId, parent: EntryId, name: &str) -> Result<Option<EntryRow>, Error> {
    db.query_opt(
        concat!(
            "SELECT ",
            entry_columns!(),
            " FROM entry e WHERE e.space_id = $1 AND e.parent_id = $2 AND e.name = $3"
        ),
        &params![space, parent, name],
    )
    .await
}

/// Up to `limit` entries of a folder with names above `after`, in code-point order of their names.
pub async fn children(
    db: &Db,
    space: SpaceId,
    parent: EntryId,
    after: &str,
    limit: u32,
) -> Result<Vec<EntryRow>, Error> {
    db.query(
        concat!(
            "SELECT ",
            entry_columns!(),
            " FROM entry e WHERE e.space_id = $1 AND e.parent_id = $2 AND e.name > $3 ORDER BY e.name LIMIT $4"
        ),
        &params![space, parent, after, limit],
    )
    .await
}

/// An entry of a listing.
#[derive(Debug, Clone)]
pub struct ListedRow {
    /// It.
    pub entry: EntryRow,
    /// What is below it, if it is a folder; none where nothing is.
    pub below: Option<Total>,
}

impl Row for ListedRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        let counted = row.get::<Option<i64>>(ENTRY_COLUMNS)?.is_some();
        let below = counted.then(|| Total::read_at(row, ENTRY_COLUMNS)).transpose()?;
        Ok(Self { entry: EntryRow::read_at(row, 0)?, below })
    }
}

/// As [`children`], with what is below the folders among them.
pub async fn listing(
    db: &Db,
    space: SpaceId,
    parent: EntryId,
    after: &str,
    limit: u32,
) -> Result<Vec<ListedRow>, Error> {
    db.query(
        concat!(
            "SELECT ",
            entry_columns!(),
            ", t.bytes, t.files, t.folders
             FROM entry e LEFT JOIN folder_total t ON e.kind = 0 AND t.space_id = e.space_id AND t.folder_id = e.id
             WHERE e.space_id = $1 AND e.parent_id = $2 AND e.name > $3 ORDER BY e.name LIMIT $4"
        ),
        &params![space, parent, after, limit],
    )
    .await
}

/// Up to `limit` entries of a folder, inside a unit of work.
pub async fn children_within(tx: &Tx, space: SpaceId, parent: EntryId, limit: u32) -> Result<Vec<EntryRow>, Error> {
    tx.query(
        concat!(
            "SELECT ",
            entry_columns!(),
            " FROM entry e WHERE e.space_id = $1 AND e.parent_id = $2 ORDER BY e.name LIMIT $3"
        ),
        &params![space, parent, limit],
    )
    .await
}

/// Walks up from an entry; one step more than the deepest tree has, so that a walk always ends.
pub(crate) const ANCESTORS: &str = "WITH RECURSIVE up (id, parent_id, level) AS (
         SELECT id, parent_id, CAST(0 AS BIGINT) FROM entry WHERE space_id = $1 AND id = $2
         UNION ALL
         SELECT e.id, e.parent_id, up.level + 1 FROM up JOIN entry e ON e.space_id = $1 AND e.id = up.parent_id
         WHERE up.level <= $3
     )
     SELECT id FROM up ORDER BY level";

/// The entry itself and the folders above it, nearest first. It is part of the tree if the last one is the root.
pub async fn ancestors(tx: &Tx, space: SpaceId, id: EntryId) -> Result<Vec<EntryId>, Error> {
    let rows: Vec<(EntryId,)> = tx.query(ANCESTORS, &params![space, id, limits::DEPTH_MAX as u64]).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Walks up from an entry as far as it goes, and looks there into the trash: one statement, so that an entry which moves
/// between tree and trash meanwhile is seen in one of them.
const TOP: &str = "WITH RECURSIVE up (id, parent_id, level) AS (
         SELECT id, parent_id, CAST(0 AS BIGINT) FROM entry WHERE space_id = $1 AND id = $2
         UNION ALL
         SELECT e.id, e.parent_id, up.level + 1 FROM up JOIN entry e ON e.space_id = $1 AND e.id = up.parent_id
         WHERE up.level <= $3
     )
     SELECT up.id, (SELECT t.sequence FROM trash t WHERE t.entry_id = up.id) FROM up ORDER BY level DESC LIMIT 1";

/// The uppermost of the folders above an entry, itself if there is none, and whether that is in the trash.
pub async fn top(tx: &Tx, space: SpaceId, id: EntryId) -> Result<Option<(EntryId, bool)>, Error> {
    let row: Option<(EntryId, Option<u64>)> = tx.query_opt(TOP, &params![space, id, limits::DEPTH_MAX as u64]).await?;
    Ok(row.map(|(top, trash)| (top, trash.is_some())))
}

/// The same as [`top`], outside a unit of work.
pub async fn find_top(db: &Db, space: SpaceId, id: EntryId) -> Result<Option<(EntryId, bool)>, Error> {
    let row: Option<(EntryId, Option<u64>)> = db.query_opt(TOP, &params![space, id, limits::DEPTH_MAX as u64]).await?;
    Ok(row.map(|(top, trash)| (top, trash.is_some())))
}

/// The names from the space's root down to an entry, that of the root (which is empty) left out: its path.
pub async fn path_names(tx: &Tx, space: SpaceId, id: EntryId) -> Result<Vec<String>, Error> {
    let rows: Vec<(String,)> = tx
        .query(
            "WITH RECURSIVE up (id, parent_id, name, level) AS (
                 SELECT id, parent_id, name, CAST(0 AS BIGINT) FROM entry WHERE space_id = $1 AND id = $2
                 UNION ALL
                 SELECT e.id, e.parent_id, e.name, up.level + 1
                 FROM up JOIN entry e ON e.space_id = $1 AND e.id = up.parent_id
                 WHERE up.level <= $3
             )
             SELECT name FROM up WHERE parent_id IS NOT NULL ORDER BY level DESC",
            &params![space, id, limits::DEPTH_MAX as u64],
        )
        .await?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

/// How many levels of folders there are below a folder.
pub async fn folder_height(tx: &Tx, space: SpaceId, id: EntryId) -> Result<u64, Error> {
    let height: Option<(u64,)> = tx
        .query_opt(
            "WITH RECURSIVE down (id, level) AS (
                 SELECT id, CAST(0 AS BIGINT) FROM entry WHERE space_id = $1 AND id = $2
                 UNION ALL
                 SELECT e.id, down.level + 1 FROM down
                 JOIN entry e ON e.space_id = $1 AND e.parent_id = down.id AND e.kind = 0
             )
             SELECT COALESCE(MAX(level), 0) FROM down",
            &params![space, id],
        )
        .await?;
    Ok(height.map_or(0, |(height,)| height))
}

/// Inserts an entry.
pub async fn insert_entry(tx: &Tx, row: &EntryRow) -> Result<(), Error> {
    tx.exec(
        "INSERT INTO entry (id, space_id, parent_id, name, kind, revision, version_id, content_id, size, content_type,
                            blake3, created_us, modified_us, extras)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        &params![
            row.id,
            row.space,
            row.parent,
            &row.name,
            row.kind,
            row.revision,
            row.version,
            row.content,
            row.size,
            row.content_type.as_deref(),
            row.blake3.as_ref(),
            row.created,
            row.modified,
            row.extras.as_deref()
        ],
    )
    .await?;
    Ok(())
}

/// Writes what can change about an entry: place, name, revision, current version, what is said of it.
pub async fn update_entry(tx: &Tx, row: &EntryRow) -> Result<(), Error> {
    tx.exec(
        "UPDATE entry SET parent_id = $1, name = $2, revision = $3, version_id = $4, content_id = $5, size = $6,
                          content_type = $7, blake3 = $8, modified_us = $9, extras = $10
         WHERE space_id = $11 AND id = $12",
        &params![
            row.parent,
            &row.name,
            row.revision,
            row.version,
            row.content,
            row.size,
            row.content_type.as_deref(),
            row.blake3.as_ref(),
            row.modified,
            row.extras.as_deref(),
            row.space,
            row.id
        ],
    )
    .await?;
    Ok(())
}

/// Removes an entry's own row, and those that say which tags it has and whose favourite it is.
pub async fn delete_entry(tx: &Tx, space: SpaceId, id: EntryId) -> Result<(), Error> {
    let (by_space, by_entry) = (params![space, id], params![id]);
    let (entry, tags, favourites) = futures::join!(
        tx.exec("DELETE FROM entry WHERE space_id = $1 AND id = $2", &by_space),
        tx.exec("DELETE FROM entry_tag WHERE entry_id = $1", &by_entry),
        tx.exec("DELETE FROM favourite WHERE entry_id = $1", &by_entry)
    );
    entry?;
    tags?;
    favourites?;
    Ok(())
}

/// The bytes an entry had at a time. What else a row says of a version is in [`crate::versions`].
#[derive(Debug, Clone)]
pub struct VersionRow {
    /// Which one.
    pub id: VersionId,
    /// The file.
    pub entry: EntryId,
    /// The space it counts in.
    pub space: SpaceId,
    /// Its bytes.
    pub content: ContentId,
    /// How many they are.
    pub size: u64,
    /// Their media type.
    pub content_type: String,
    /// Their BLAKE3, where known.
    pub blake3: Option<[u8; 32]>,
    /// When it was made.
    pub created: Time,
    /// Who made it.
    pub created_by: Option<AccountId>,
}

/// Inserts a version.
pub async fn insert_version(tx: &Tx, row: &VersionRow) -> Result<(), Error> {
    tx.exec(
        "INSERT INTO version (id, entry_id, space_id, content_id, size, content_type, blake3, created_us, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &params![
            row.id,
            row.entry,
            row.space,
            row.content,
            row.size,
            &row.content_type,
            row.blake3.as_ref(),
            row.created,
            row.created_by
        ],
    )
    .await?;
    Ok(())
}

/// A version that was removed: the content that lost a reference, and the bytes that come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removed {
    /// The content.
    pub content: ContentId,
    /// Its bytes.
    pub size: u64,
}

impl Row for Removed {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self { content: row.get(0)?, size: row.get(1)? })
    }
}

/// Removes a file's versions but for `current`, the newest `others` beside it, and those that are pinned or have a name. A
/// space that says itself how many versions it keeps is asked first.
///
/// Newest is the order of version ids, which is that of their making unless the clock went back; `current` is named so
/// that such a clock never costs the bytes that people see.
pub async fn trim_versions(
    tx: &Tx,
    space: SpaceId,
    entry: EntryId,
    current: VersionId,
    others: u32,
) -> Result<Vec<Removed>, Error> {
    tx.query(
        "DELETE FROM version WHERE space_id = $1 AND entry_id = $2 AND id IN (
             SELECT id FROM version WHERE space_id = $1 AND entry_id = $2 AND id <> $3 AND pinned = 0 AND name IS NULL
             ORDER BY id DESC LIMIT 1000000
             OFFSET COALESCE((SELECT CASE WHEN s.versions_max IS NULL THEN s.versions_kept - 1
                                          WHEN s.versions_kept IS NULL OR s.versions_kept > s.versions_max
                                          THEN s.versions_max - 1
                                          ELSE s.versions_kept - 1 END
                              FROM space s WHERE s.id = $1), $4)
         ) RETURNING content_id, size",
        &params![space, entry, current, others],
    )
    .await
}

/// Removes all versions of a file.
pub async fn delete_versions(tx: &Tx, space: SpaceId, entry: EntryId) -> Result<Vec<Removed>, Error> {
    tx.query(
        "DELETE FROM version WHERE space_id = $1 AND entry_id = $2 RETURNING content_id, size",
        &params![space, entry],
    )
    .await
}

/// Removes up to `limit` files of a folder with all their versions; how many files, and what was removed.
pub async fn delete_files_of(
    tx: &Tx,
    space: SpaceId,
    folder: EntryId,
    limit: u32,
) -> Result<(u64, Vec<Removed>), Error> {
    let removed = tx
        .query(
            "DELETE FROM version WHERE space_id = $1 AND entry_id IN (
                 SELECT id FROM entry WHERE space_id = $1 AND parent_id = $2 AND kind = 1 ORDER BY name LIMIT $3
             ) RETURNING content_id, size",
            &params![space, folder, limit],
        )
        .await?;
    for marks in [
        "DELETE FROM entry_tag WHERE entry_id IN (
             SELECT id FROM entry WHERE space_id = $1 AND parent_id = $2 AND kind = 1 ORDER BY name LIMIT $3
         )",
        "DELETE FROM favourite WHERE entry_id IN (
             SELECT id FROM entry WHERE space_id = $1 AND parent_id = $2 AND kind = 1 ORDER BY name LIMIT $3
         )",
    ] {
        tx.exec(marks, &params![space, folder, limit]).await?;
    }
    let files = tx
        .exec(
            "DELETE FROM entry WHERE space_id = $1 AND id IN (
                 SELECT id FROM entry WHERE space_id = $1 AND parent_id = $2 AND kind = 1 ORDER BY name LIMIT $3
             )",
            &params![space, folder, limit],
        )
        .await?;
    Ok((files, removed))
}

/// Any folder directly inside a folder.
pub async fn some_subfolder(tx: &Tx, space: SpaceId, folder: EntryId) -> Result<Option<EntryId>, Error> {
    let row: Option<(EntryId,)> = tx
        .query_opt(
            "SELECT id FROM entry WHERE space_id = $1 AND parent_id = $2 AND kind = 0 LIMIT 1",
            &params![space, folder],
        )
        .await?;
    Ok(row.map(|(id,)| id))
}

/// Whether a file still has a version.
pub async fn has_version(db: &Db, space: SpaceId, entry: EntryId, version: VersionId) -> Result<bool, Error> {
    let row: Option<(i64,)> = db
        .query_opt(
            "SELECT CAST(1 AS BIGINT) FROM version WHERE space_id = $1 AND entry_id = $2 AND id = $3",
            &params![space, entry, version],
        )
        .await?;
    Ok(row.is_some())
}

/// Fills in the hash of a file's version; `false` if the version is gone.
pub async fn set_version_hash(
    tx: &Tx,
    space: SpaceId,
    entry: EntryId,
    version: VersionId,
    blake3: &[u8; 32],
) -> Result<bool, Error> {
    let rows = tx
        .exec(
            "UPDATE version SET blake3 = $1 WHERE space_id = $2 AND entry_id = $3 AND id = $4",
            &params![blake3, space, entry, version],
        )
        .await?;
    Ok(rows == 1)
}
