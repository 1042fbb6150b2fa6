//! What the bytes of a space are made of, counted from the rows themselves.
//!
//! Each statement walks the space's tree and trash down and looks at every version once: its cost is that of all entries,
//! versions and extents of the space, some seconds for each million. Nothing is locked.

use base::SpaceId;

use crate::{Db, Error, Row, RowReader, Tx, params};

/// Begins a statement with `kept`: each version of a space, with its place (0 the current one of a file in the tree, 1 an
/// older one, 2 of something in the trash). `$1` is the space.
macro_rules! with_kept {
    ($statement:literal) => {
        concat!(
            "WITH RECURSIVE live (id, version_id) AS (
                 SELECT e.id, e.version_id FROM space s JOIN entry e ON e.space_id = s.id AND e.id = s.root_id
                 WHERE s.id = $1
                 UNION ALL
                 SELECT e.id, e.version_id FROM live JOIN entry e ON e.space_id = $1 AND e.parent_id = live.id
             ), trashed (id) AS (
                 SELECT entry_id FROM trash WHERE space_id = $1
                 UNION ALL
                 SELECT e.id FROM trashed JOIN entry e ON e.space_id = $1 AND e.parent_id = trashed.id
             ), kept (content_id, size, place) AS (
                 SELECT v.content_id, v.size, CASE WHEN v.id = live.version_id THEN 0 ELSE 1 END
                 FROM live JOIN version v ON v.space_id = $1 AND v.entry_id = live.id
                 UNION ALL
                 SELECT v.content_id, v.size, 2
                 FROM trashed JOIN version v ON v.space_id = $1 AND v.entry_id = trashed.id
             ) ",
            $statement
        )
    };
}

/// What the bytes of a space are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRow {
    /// Bytes of all versions, as the space's row says.
    pub used: u64,
    /// Bytes that uploads in progress may still bring.
    pub reserved: u64,
    /// How many bytes it may hold, if that is limited.
    pub quota: Option<u64>,
    /// Current versions of what is in the tree.
    pub files: u64,
    /// Older versions of it.
    pub versions: u64,
    /// All versions of what is in the trash.
    pub trash: u64,
    /// The bytes of these, those that several versions share counted once.
    pub stored: u64,
}

impl Row for UsageRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            used: row.get(0)?,
            reserved: row.get(1)?,
            quota: row.get(2)?,
            files: row.get(3)?,
            versions: row.get(4)?,
            trash: row.get(5)?,
            stored: row.get(6)?,
        })
    }
}

/// What the bytes of a space are, all of it as of one moment.
pub async fn usage(db: &Db, space: SpaceId) -> Result<Option<UsageRow>, Error> {
    db.query_opt(
        with_kept!(
            "SELECT s.used_bytes, s.reserved_bytes, s.quota_bytes, t.files, t.versions, t.trash, u.stored
             FROM space s,
               (SELECT CAST(COALESCE(SUM(CASE WHEN place = 0 THEN size END), 0) AS BIGINT) AS files,
                       CAST(COALESCE(SUM(CASE WHEN place = 1 THEN size END), 0) AS BIGINT) AS versions,
                       CAST(COALESCE(SUM(CASE WHEN place = 2 THEN size END), 0) AS BIGINT) AS trash
                FROM kept) t,
               (SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) AS stored
                FROM (SELECT DISTINCT content_id, size FROM kept) once) u
             WHERE s.id = $1"
        ),
        &params![space],
    )
    .await
}

/// The heads of the manifests of a space's extents, each that there is once: its first eight bytes, which
/// say how it was cut (`stripe::Manifest::HEAD_BYTES`).
pub async fn manifest_heads(db: &Db, space: SpaceId) -> Result<Vec<Vec<u8>>, Error> {
    let rows: Vec<(Vec<u8>,)> = db
        .query(
            with_kept!(
                "SELECT DISTINCT substr(x.manifest, 1, 8) FROM (SELECT DISTINCT content_id FROM kept) k
                 JOIN extent x ON x.content_id = k.content_id AND x.state = 1"
            ),
            &params![space],
        )
        .await?;
    Ok(rows.into_iter().map(|(head,)| head).collect())
}

/// Bytes of one parity part of each of a space's extents that have this manifest head, all together. `unit` are the bytes
/// of a unit and `stripe` those of a full stripe's data; a parity unit is as long as the longest of its stripe.
pub async fn parity_part_bytes(db: &Db, space: SpaceId, head: &[u8], unit: u64, stripe: u64) -> Result<u64, Error> {
    let row: Option<(u64,)> = db
        .query_opt(
            with_kept!(
                "SELECT CAST(COALESCE(SUM((x.length / $3) * $4 + (x.length % $3 + $3 / $4 - 1) / ($3 / $4)), 0) AS BIGINT)
                 FROM (SELECT DISTINCT content_id FROM kept) k
                 JOIN extent x ON x.content_id = k.content_id AND x.state = 1 AND substr(x.manifest, 1, 8) = $2"
            ),
            &params![space, head, stripe, unit],
        )
        .await?;
    Ok(row.map_or(0, |(bytes,)| bytes))
}

/// How full a space is, from the counters alone: a few rows, and one for each entry of its trash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeterRow {
    /// Bytes of all versions.
    pub used: u64,
    /// Bytes that uploads in progress may still bring.
    pub reserved: u64,
    /// What both may come to, if that is limited.
    pub quota: Option<u64>,
    /// Current versions of what is in the tree.
    pub files: u64,
    /// Current versions of what is in the trash.
    pub trash: u64,
}

impl Row for MeterRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            used: row.get(0)?,
            reserved: row.get(1)?,
            quota: row.get(2)?,
            files: row.get(3)?,
            trash: row.get(4)?,
        })
    }
}

/// How full a space is.
pub async fn meter(tx: &Tx, space: SpaceId) -> Result<Option<MeterRow>, Error> {
    tx.query_opt(
        "SELECT s.used_bytes, s.reserved_bytes, s.quota_bytes, COALESCE(t.bytes, 0),
           (SELECT CAST(COALESCE(SUM(CASE WHEN e.kind = 1 THEN e.size ELSE COALESCE(b.bytes, 0) END), 0) AS BIGINT)
            FROM trash r JOIN entry e ON e.space_id = r.space_id AND e.id = r.entry_id
            LEFT JOIN folder_total b ON b.space_id = r.space_id AND b.folder_id = r.entry_id
            WHERE r.space_id = s.id)
         FROM space s LEFT JOIN folder_total t ON t.space_id = s.id AND t.folder_id = s.root_id WHERE s.id = $1",
        &params![space],
    )
    .await
}
