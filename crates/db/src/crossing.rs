//! A tree that goes over to another space.

use base::{EntryId, SpaceId, TagId};

use crate::{Error, Row, RowReader, Tx, params, tree::EntryRow};

/// Begins a statement with `down`: an entry and all below it. `$1` is the space, `$2` the entry.
macro_rules! with_down {
    ($statement:literal) => {
        concat!(
            "WITH RECURSIVE down (id) AS (
                 SELECT id FROM entry WHERE space_id = $1 AND id = $2
                 UNION ALL
                 SELECT e.id FROM down JOIN entry e ON e.space_id = $1 AND e.parent_id = down.id
             ) ",
            $statement
        )
    };
}

/// What goes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Entries, the uppermost among them.
    pub entries: u64,
    /// Bytes of all their versions.
    pub bytes: u64,
    /// Bytes of the largest version among them.
    pub largest: u64,
    /// Links to them.
    pub links: u64,
}

impl Row for Load {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self { entries: row.get(0)?, bytes: row.get(1)?, largest: row.get(2)?, links: row.get(3)? })
    }
}

/// How much an entry with all below it is.
pub async fn load(tx: &Tx, space: SpaceId, top: EntryId) -> Result<Load, Error> {
    tx.query_one(
        with_down!(
            "SELECT (SELECT COUNT(*) FROM down),
                    (SELECT CAST(COALESCE(SUM(v.size), 0) AS BIGINT)
                     FROM down JOIN version v ON v.space_id = $1 AND v.entry_id = down.id),
                    (SELECT CAST(COALESCE(MAX(v.size), 0) AS BIGINT)
                     FROM down JOIN version v ON v.space_id = $1 AND v.entry_id = down.id),
                    (SELECT COUNT(*) FROM down JOIN link l ON l.entry_id = down.id AND l.space_id = $1)"
        ),
        &params![space, top],
    )
    .await
}

/// Those of them of which something is said, or whose bytes have no hash yet.
pub async fn to_look_at(tx: &Tx, space: SpaceId, top: EntryId) -> Result<Vec<EntryRow>, Error> {
    tx.query(
        concat!(
            with_down!("SELECT "),
            entry_columns!(),
            " FROM down JOIN entry e ON e.space_id = $1 AND e.id = down.id
              WHERE e.extras IS NOT NULL OR (e.kind = 1 AND e.blake3 IS NULL)"
        ),
        &params![space, top],
    )
    .await
}

/// Says of one of them what is said there.
pub async fn set_extras(tx: &Tx, space: SpaceId, id: EntryId, extras: Option<&str>) -> Result<(), Error> {
    tx.exec("UPDATE entry SET extras = $1 WHERE space_id = $2 AND id = $3", &params![extras, space, id]).await?;
    Ok(())
}

/// Takes all tags off an entry, where entries are looked for by them.
pub async fn forget_tags(tx: &Tx, id: EntryId) -> Result<(), Error> {
    tx.exec("DELETE FROM entry_tag WHERE entry_id = $1", &params![id]).await?;
    Ok(())
}

/// Takes back all roles that were given on an entry and below it.
pub async fn forget_grants(tx: &Tx, space: SpaceId, top: EntryId) -> Result<(), Error> {
    tx.exec(
        with_down!("DELETE FROM entry_grant WHERE space_id = $1 AND entry_id IN (SELECT id FROM down)"),
        &params![space, top],
    )
    .await?;
    Ok(())
}

/// The tag that a tag became by being merged, itself if it was not.
pub async fn merged_into(tx: &Tx, space: SpaceId, tag: TagId) -> Result<Option<TagId>, Error> {
    let row: Option<(TagId,)> = tx
        .query_opt(
            "WITH RECURSIVE up (id, merged_id, level) AS (
                 SELECT id, merged_id, 0 FROM tag WHERE space_id = $1 AND id = $2
                 UNION ALL
                 SELECT t.id, t.merged_id, up.level + 1 FROM up JOIN tag t ON t.space_id = $1 AND t.id = up.merged_id
                 WHERE up.level < 1000
             )
             SELECT id FROM up WHERE merged_id IS NULL",
            &params![space, tag],
        )
        .await?;
    Ok(row.map(|(id,)| id))
}

/// Makes an entry and all below it, with versions, totals, links and roles, those of another space. The entry itself is still in
/// its folder after it: that is the caller's to change.
pub async fn turn_over(tx: &Tx, space: SpaceId, top: EntryId, to: SpaceId) -> Result<(), Error> {
    let params = params![space, top, to];
    for statement in [
        with_down!("UPDATE version SET space_id = $3 WHERE space_id = $1 AND entry_id IN (SELECT id FROM down)"),
        with_down!("UPDATE folder_total SET space_id = $3 WHERE space_id = $1 AND folder_id IN (SELECT id FROM down)"),
        with_down!("UPDATE link SET space_id = $3 WHERE space_id = $1 AND entry_id IN (SELECT id FROM down)"),
        with_down!("UPDATE entry_grant SET space_id = $3 WHERE entry_id IN (SELECT id FROM down)"),
        // The last one, since all others walk down these rows.
        with_down!("UPDATE entry SET space_id = $3 WHERE space_id = $1 AND id IN (SELECT id FROM down)"),
    ] {
        tx.exec(statement, &params).await?;
    }
    Ok(())
}
