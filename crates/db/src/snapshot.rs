//! The whole tree of a space, page by page.

use base::{EntryId, SpaceId, limits};

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
             ), up (start, parent_id, level) AS (
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
        ),
        &params![space, root, after, limit, limits::DEPTH_MAX as u64],
    )
    .await
}
