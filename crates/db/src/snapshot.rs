//! The whole tree of a space, page by page.

use base::{AccountId, EntryId, SpaceId, Time, limits};

use crate::{
    Error, Row, RowReader, Tx, params,
    totals::TOTAL_COLUMNS,
    tree::{ENTRY_COLUMNS, ListedRow},
};

/// An entry of a page, and whether it is a part of the tree.
#[derive(Debug, Clone)]
pub struct SnapshotRow {
    /// The entry, with what is below it if it is a folder.
    pub listed: ListedRow,
    /// Whether its folders lead up to the root.
    pub in_tree: bool,
}

impl Row for SnapshotRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            listed: ListedRow::read(row)?,
            in_tree: row.get::<Option<EntryId>>(ENTRY_COLUMNS + TOTAL_COLUMNS)?.is_some(),
        })
    }
}

/// The rest of a statement that begins with `page`: ids and parents of the entries that are wanted. `$1` is the space, `$2` its root,
/// `$5` the deepest level.
macro_rules! shown {
    () => {
        concat!(
            "up (start, parent_id, level) AS (
                 SELECT id, parent_id, CAST(0 AS BIGINT) FROM page
                 UNION ALL
                 SELECT up.start, e.parent_id, up.level + 1
                 FROM up JOIN entry e ON e.space_id = $1 AND e.id = up.parent_id
                 WHERE up.parent_id <> $2 AND up.level <= $5
             )
             SELECT ",
            entry_columns!(),
            ", t.bytes, t.files, t.folders, below.start
             FROM page JOIN entry e ON e.space_id = $1 AND e.id = page.id
             LEFT JOIN folder_total t ON e.kind = 0 AND t.space_id = e.space_id AND t.folder_id = e.id
             LEFT JOIN up below ON below.start = page.id AND below.parent_id = $2
             ORDER BY e.id"
        )
    };
}

/// Up to `limit` entries of a space in the order of their ids, after `after`; those in the trash are among them.
pub async fn page(
    tx: &Tx,
    (space, root): (SpaceId, EntryId),
    after: EntryId,
    limit: u32,
) -> Result<Vec<SnapshotRow>, Error> {
    tx.query(
        concat!(
            "WITH RECURSIVE page (id, parent_id) AS (
                 SELECT id, parent_id FROM entry WHERE space_id = $1 AND id > $3 ORDER BY id LIMIT $4
             ), ",
            shown!()
        ),
        &params![space, root, after, limit, limits::DEPTH_MAX as u64],
    )
    .await
}

/// As [`page`], of what an account was given a role on, and what is below that. Each page walks down all of it.
pub async fn part(
    tx: &Tx,
    (space, root): (SpaceId, EntryId),
    (account, now): (AccountId, Time),
    after: EntryId,
    limit: u32,
) -> Result<Vec<SnapshotRow>, Error> {
    tx.query(
        concat!(
            "WITH RECURSIVE seen (id, parent_id) AS (
                 SELECT e.id, e.parent_id FROM entry_grant g JOIN entry e ON e.space_id = $1 AND e.id = g.entry_id
                 WHERE g.space_id = $1 AND (g.expires_us IS NULL OR g.expires_us > $7) AND ",
            meant!("$6"),
            "    UNION
                 SELECT e.id, e.parent_id FROM seen JOIN entry e ON e.space_id = $1 AND e.parent_id = seen.id
             ), page (id, parent_id) AS (
                 SELECT id, parent_id FROM seen WHERE id > $3 ORDER BY id LIMIT $4
             ), ",
            shown!()
        ),
        &params![space, root, after, limit, limits::DEPTH_MAX as u64, account, now],
    )
    .await
}
