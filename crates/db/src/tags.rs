//! Tags of a space, and which entries have them.

use base::{EntryId, SpaceId, TagId, Time};

use crate::{Db, Error, Row, RowReader, Tx, params};

/// A tag. Its row stays when it is deleted or merged into another one, and so do those that say which entries have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagRow {
    /// Which one.
    pub id: TagId,
    /// Where it can be used.
    pub space: SpaceId,
    /// What people call it.
    pub name: String,
    /// The name in lower case: no two tags that are there have the same.
    pub key: String,
    /// A word.
    pub colour: String,
    /// The tag that it became a part of.
    pub merged: Option<TagId>,
    /// Whether it is gone.
    pub deleted: bool,
    /// When it was made.
    pub created: Time,
}

impl Row for TagRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: row.get(0)?,
            space: row.get(1)?,
            name: row.get(2)?,
            key: row.get(3)?,
            colour: row.get(4)?,
            merged: row.get(5)?,
            deleted: row.get::<u32>(6)? != 0,
            created: row.get(7)?,
        })
    }
}

/// The tag of this id, whatever became of it.
pub async fn find(db: &Db, id: TagId) -> Result<Option<TagRow>, Error> {
    db.query_opt(
        "SELECT id, space_id, name, name_key, colour, merged_id, deleted, created_us FROM tag WHERE id = $1",
        &params![id],
    )
    .await
}

/// The same inside a unit of work.
pub async fn tag(tx: &Tx, space: SpaceId, id: TagId) -> Result<Option<TagRow>, Error> {
    tx.query_opt(
        "SELECT id, space_id, name, name_key, colour, merged_id, deleted, created_us FROM tag
         WHERE space_id = $1 AND id = $2",
        &params![space, id],
    )
    .await
}

/// The tag that has a name now.
pub async fn named(tx: &Tx, space: SpaceId, key: &str) -> Result<Option<TagRow>, Error> {
    tx.query_opt(
        "SELECT id, space_id, name, name_key, colour, merged_id, deleted, created_us FROM tag
         WHERE space_id = $1 AND name_key = $2 AND merged_id IS NULL AND deleted = 0",
        &params![space, key],
    )
    .await
}

/// All tags of a space but those that are gone, also the merged ones.
pub async fn of_space(db: &Db, space: SpaceId) -> Result<Vec<TagRow>, Error> {
    db.query(
        "SELECT id, space_id, name, name_key, colour, merged_id, deleted, created_us FROM tag
         WHERE space_id = $1 AND deleted = 0 ORDER BY id",
        &params![space],
    )
    .await
}

/// How many tags a space has, and how many rows of tags.
pub async fn count(tx: &Tx, space: SpaceId) -> Result<(u64, u64), Error> {
    tx.query_one(
        "SELECT CAST(COALESCE(SUM(CASE WHEN merged_id IS NULL AND deleted = 0 THEN 1 ELSE 0 END), 0) AS BIGINT), COUNT(*)
         FROM tag WHERE space_id = $1",
        &params![space],
    )
    .await
}

/// Inserts a tag.
pub async fn insert(tx: &Tx, row: &TagRow) -> Result<(), Error> {
    tx.exec(
        "INSERT INTO tag (id, space_id, name, name_key, colour, merged_id, deleted, created_us)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &params![row.id, row.space, &row.name, &row.key, &row.colour, row.merged, u32::from(row.deleted), row.created],
    )
    .await?;
    Ok(())
}

/// Writes what can change about a tag.
pub async fn update(tx: &Tx, row: &TagRow) -> Result<(), Error> {
    tx.exec(
        "UPDATE tag SET name = $1, name_key = $2, colour = $3, merged_id = $4, deleted = $5
         WHERE space_id = $6 AND id = $7",
        &params![&row.name, &row.key, &row.colour, row.merged, u32::from(row.deleted), row.space, row.id],
    )
    .await?;
    Ok(())
}

/// Notes that an entry has a tag.
pub async fn put_on(tx: &Tx, space: SpaceId, tag: TagId, entry: EntryId) -> Result<(), Error> {
    tx.exec(
        "INSERT INTO entry_tag (tag_id, entry_id, space_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        &params![tag, entry, space],
    )
    .await?;
    Ok(())
}

/// Notes that an entry does not have a tag any more.
pub async fn take_off(tx: &Tx, tag: TagId, entry: EntryId) -> Result<(), Error> {
    tx.exec("DELETE FROM entry_tag WHERE tag_id = $1 AND entry_id = $2", &params![tag, entry]).await?;
    Ok(())
}

/// A tag with all those that were merged into it, and into those.
pub async fn parts(tx: &Tx, space: SpaceId, tag: TagId) -> Result<Vec<TagId>, Error> {
    let rows: Vec<(TagId,)> = tx
        .query(
            "WITH RECURSIVE part (id) AS (
                 SELECT id FROM tag WHERE space_id = $1 AND id = $2
                 UNION ALL
                 SELECT t.id FROM part JOIN tag t ON t.space_id = $1 AND t.merged_id = part.id
             )
             SELECT id FROM part",
            &params![space, tag],
        )
        .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Up to `limit` entries with ids above `after` that have a tag or one that was merged into it, in the order of their ids.
/// Some of them may be in the trash.
pub async fn entries(db: &Db, space: SpaceId, tag: TagId, after: EntryId, limit: u32) -> Result<Vec<EntryId>, Error> {
    let rows: Vec<(EntryId,)> = db
        .query(
            "WITH RECURSIVE part (id) AS (
                 SELECT id FROM tag WHERE space_id = $1 AND id = $2
                 UNION ALL
                 SELECT t.id FROM part JOIN tag t ON t.space_id = $1 AND t.merged_id = part.id
             )
             SELECT DISTINCT et.entry_id FROM part JOIN entry_tag et ON et.tag_id = part.id
             WHERE et.entry_id > $3 ORDER BY et.entry_id LIMIT $4",
            &params![space, tag, after, limit],
        )
        .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// How many entries of the tree have each tag of a space, or one that was merged into it; a tag that none has is left out.
///
/// Each entry that has one is followed up to the root: the cost is that of all tagged entries.
pub async fn counts(db: &Db, space: SpaceId) -> Result<Vec<(TagId, u64)>, Error> {
    db.query(
        "WITH RECURSIVE part (top, id) AS (
             SELECT id, id FROM tag WHERE space_id = $1 AND merged_id IS NULL AND deleted = 0
             UNION ALL
             SELECT part.top, t.id FROM part JOIN tag t ON t.space_id = $1 AND t.merged_id = part.id
         ), tagged (top, entry_id) AS (
             SELECT DISTINCT part.top, et.entry_id FROM part JOIN entry_tag et ON et.tag_id = part.id
         ), up (entry_id, parent_id, at) AS (
             SELECT e.id, e.parent_id, e.id FROM (SELECT DISTINCT entry_id FROM tagged) d
             JOIN entry e ON e.space_id = $1 AND e.id = d.entry_id
             UNION ALL
             SELECT up.entry_id, e.parent_id, e.id FROM up JOIN entry e ON e.space_id = $1 AND e.id = up.parent_id
         )
         SELECT tagged.top, COUNT(*) FROM tagged JOIN up ON up.entry_id = tagged.entry_id
         JOIN space s ON s.id = $1 AND up.at = s.root_id GROUP BY tagged.top",
        &params![space],
    )
    .await
}
