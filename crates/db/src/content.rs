//! Contents and their extents: the manifests that say where bytes are, the intents of writes, and the garbage.

use base::{ContentId, ExtentId, NodeId, PartId, Time};

use crate::{Db, Error, Row, RowReader, Tx, params};

/// A content as the store keeps it.
#[derive(Debug, Clone)]
pub struct ContentRow {
    /// Its bytes in all.
    pub size: u64,
    /// Versions that have these bytes.
    pub refs: i64,
    /// How many extents it is cut into; none for an inline or empty content.
    pub extents: u32,
    /// The bytes themselves, where there is no extent.
    pub inline: Option<Vec<u8>>,
}

impl Row for ContentRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self { size: row.get(0)?, refs: row.get(1)?, extents: row.get(2)?, inline: row.get(3)? })
    }
}

/// A run of a content's bytes and the manifest of its parts.
#[derive(Debug, Clone)]
pub struct ExtentRow {
    /// The extent.
    pub id: ExtentId,
    /// The content it is a piece of.
    pub content: ContentId,
    /// Its place among the content's extents, from 0.
    pub position: u32,
    /// Where its first byte stands in the content.
    pub start: u64,
    /// Its bytes.
    pub length: u64,
    /// Its placement group.
    pub group: u16,
    /// `stripe::Manifest` in its binary form.
    pub manifest: Vec<u8>,
    /// When all its parts were last read back and found right.
    pub verified: Option<Time>,
}

impl Row for ExtentRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: row.get(0)?,
            content: row.get(1)?,
            position: row.get(2)?,
            start: row.get(3)?,
            length: row.get(4)?,
            group: row.get::<u32>(5)? as u16,
            manifest: row.get(6)?,
            verified: row.get(7)?,
        })
    }
}

/// A new intent: the row that is committed before the first byte goes to a node.
#[derive(Debug, Clone)]
pub struct NewIntent {
    /// The extent that will be written.
    pub id: ExtentId,
    /// The content it will be a piece of.
    pub content: ContentId,
    /// Its place among the content's extents.
    pub position: u32,
    /// Where its first byte stands in the content.
    pub start: u64,
    /// Its placement group.
    pub group: u16,
    /// The manifest with the nodes that may come to hold parts.
    pub manifest: Vec<u8>,
    /// When the clean-up may take the write for dead.
    pub deadline: Time,
}

/// States the intent to write an extent.
pub async fn insert_intent(tx: &Tx, new: &NewIntent) -> Result<(), Error> {
    tx.exec(
        "INSERT INTO extent (id, content_id, position, start, length, group_no, state, manifest, deadline_us)
         VALUES ($1, $2, $3, $4, 0, $5, 0, $6, $7)",
        &params![
            new.id,
            new.content,
            new.position,
            new.start,
            u32::from(new.group),
            new.manifest.as_slice(),
            new.deadline
        ],
    )
    .await?;
    Ok(())
}

/// Moves an intent's deadline, or names other nodes; `false` if the clean-up was faster.
pub async fn renew_intent(
    tx: &Tx,
    content: ContentId,
    extent: ExtentId,
    manifest: &[u8],
    deadline: Time,
) -> Result<bool, Error> {
    let rows = tx
        .exec(
            "UPDATE extent SET manifest = $1, deadline_us = $2 WHERE content_id = $3 AND id = $4 AND state = 0",
            &params![manifest, deadline, content, extent],
        )
        .await?;
    Ok(rows == 1)
}

/// Turns an intent into a ready extent; `false` if the clean-up was faster.
pub async fn seal_extent(
    tx: &Tx,
    content: ContentId,
    extent: ExtentId,
    length: u64,
    manifest: &[u8],
) -> Result<bool, Error> {
    let rows = tx
        .exec(
            "UPDATE extent SET state = 1, length = $1, manifest = $2, deadline_us = NULL
             WHERE content_id = $3 AND id = $4 AND state = 0",
            &params![length, manifest, content, extent],
        )
        .await?;
    Ok(rows == 1)
}

/// A content to insert, with one reference.
#[derive(Debug, Clone)]
pub struct NewContent {
    /// Its id; its extents already name it.
    pub id: ContentId,
    /// Its bytes in all.
    pub size: u64,
    /// Their BLAKE3, where known.
    pub blake3: Option<[u8; 32]>,
    /// How many extents it is cut into.
    pub extents: u32,
    /// The bytes themselves, where there is no extent.
    pub inline: Option<Vec<u8>>,
    /// Now.
    pub created: Time,
}

/// Inserts a content that one version refers to.
pub async fn insert_content(tx: &Tx, new: &NewContent) -> Result<(), Error> {
    tx.exec(
        "INSERT INTO content (id, size, refs, blake3, extents, inline, created_us) VALUES ($1, $2, 1, $3, $4, $5, $6)",
        &params![
            new.id,
            new.size,
            new.blake3.as_ref().map(<[u8; 32]>::as_slice),
            new.extents,
            new.inline.as_deref(),
            new.created
        ],
    )
    .await?;
    Ok(())
}

/// One more version refers to the content; `false` if there is no such content.
pub async fn add_reference(tx: &Tx, content: ContentId) -> Result<bool, Error> {
    Ok(tx.exec("UPDATE content SET refs = refs + 1 WHERE id = $1", &params![content]).await? == 1)
}

/// One version less refers to the content; returns how many are left, `None` if there is no such content.
pub async fn drop_reference(tx: &Tx, content: ContentId) -> Result<Option<i64>, Error> {
    let left: Option<(i64,)> =
        tx.query_opt("UPDATE content SET refs = refs - 1 WHERE id = $1 RETURNING refs", &params![content]).await?;
    Ok(left.map(|(refs,)| refs))
}

/// Removes a content's own row.
pub async fn delete_content(tx: &Tx, content: ContentId) -> Result<(), Error> {
    tx.exec("DELETE FROM content WHERE id = $1", &params![content]).await?;
    Ok(())
}

/// Fills in a hash that was not known when the content was committed.
pub async fn set_content_hash(tx: &Tx, content: ContentId, blake3: &[u8; 32]) -> Result<(), Error> {
    tx.exec("UPDATE content SET blake3 = $1 WHERE id = $2", &params![blake3.as_slice(), content]).await?;
    Ok(())
}

/// The content's row.
pub async fn content(db: &Db, id: ContentId) -> Result<Option<ContentRow>, Error> {
    db.query_opt("SELECT size, refs, extents, inline FROM content WHERE id = $1", &params![id]).await
}

/// The content's ready extents in order.
pub async fn extents(db: &Db, content: ContentId) -> Result<Vec<ExtentRow>, Error> {
    db.query(
        "SELECT id, content_id, position, start, length, group_no, manifest, verified_us FROM extent
         WHERE content_id = $1 AND state = 1 ORDER BY position",
        &params![content],
    )
    .await
}

/// All extents of a content, also unfinished ones, inside a unit of work.
pub async fn extents_of(tx: &Tx, content: ContentId) -> Result<Vec<ExtentRow>, Error> {
    tx.query(
        "SELECT id, content_id, position, start, length, group_no, manifest, verified_us FROM extent
         WHERE content_id = $1 ORDER BY position",
        &params![content],
    )
    .await
}

/// The unfinished extents of a content from a position on, inside a unit of work.
pub async fn intents_from(tx: &Tx, content: ContentId, position: u32) -> Result<Vec<ExtentRow>, Error> {
    tx.query(
        "SELECT id, content_id, position, start, length, group_no, manifest, verified_us FROM extent
         WHERE content_id = $1 AND position >= $2 AND state = 0 ORDER BY position",
        &params![content, position],
    )
    .await
}

/// A ready extent by its id, as the database has it now.
pub async fn extent(db: &Db, id: ExtentId) -> Result<Option<ExtentRow>, Error> {
    db.query_opt(
        "SELECT id, content_id, position, start, length, group_no, manifest, verified_us FROM extent
         WHERE id = $1 AND state = 1",
        &params![id],
    )
    .await
}

/// Up to `limit` ready extents with ids above `after`, in order of their ids.
pub async fn extents_after(db: &Db, after: Option<ExtentId>, limit: u32) -> Result<Vec<ExtentRow>, Error> {
    let after = after.unwrap_or(ExtentId::from_bytes([0; 16]));
    db.query(
        "SELECT id, content_id, position, start, length, group_no, manifest, verified_us FROM extent
         WHERE id > $1 AND state = 1 ORDER BY id LIMIT $2",
        &params![after, limit],
    )
    .await
}

/// An extent as the orphan audit sees it: any state, only what it needs.
#[derive(Debug, Clone)]
pub struct AuditRow {
    /// The extent.
    pub id: ExtentId,
    /// Whether it is ready; an intent may or may not have parts.
    pub ready: bool,
    /// Its manifest.
    pub manifest: Vec<u8>,
}

impl Row for AuditRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self { id: row.get(0)?, ready: row.get::<u32>(1)? == 1, manifest: row.get(2)? })
    }
}

/// Extents of any state with ids from `low` to `high`, both included, in order.
pub async fn extents_between(db: &Db, low: ExtentId, high: ExtentId) -> Result<Vec<AuditRow>, Error> {
    db.query("SELECT id, state, manifest FROM extent WHERE id >= $1 AND id <= $2 ORDER BY id", &params![low, high])
        .await
}

/// How many ready extents there are, and their bytes.
pub async fn extent_totals(db: &Db) -> Result<(u64, u64), Error> {
    let row: Option<(u64, u64)> = db
        .query_opt("SELECT COUNT(*), CAST(COALESCE(SUM(length), 0) AS BIGINT) FROM extent WHERE state = 1", &params![])
        .await?;
    Ok(row.unwrap_or_default())
}

/// Replaces a manifest if it is still `old`; `false` if the extent changed or went away meanwhile.
pub async fn swap_manifest(tx: &Tx, extent: &ExtentRow, old: &[u8], new: &[u8]) -> Result<bool, Error> {
    let rows = tx
        .exec(
            "UPDATE extent SET manifest = $1 WHERE content_id = $2 AND id = $3 AND state = 1 AND manifest = $4",
            &params![new, extent.content, extent.id, old],
        )
        .await?;
    Ok(rows == 1)
}

/// Notes that all parts of an extent were read back and found right.
pub async fn set_verified(tx: &Tx, extent: &ExtentRow, at: Time) -> Result<(), Error> {
    tx.exec(
        "UPDATE extent SET verified_us = $1 WHERE content_id = $2 AND id = $3",
        &params![at, extent.content, extent.id],
    )
    .await?;
    Ok(())
}

/// Gives a partial upload's extents to the content of the final one, `position` and `start` moved up.
pub async fn adopt_extents(tx: &Tx, from: ContentId, to: ContentId, position: u32, start: u64) -> Result<u64, Error> {
    tx.exec(
        "UPDATE extent SET content_id = $1, position = position + $2, start = start + $3
         WHERE content_id = $4 AND state = 1",
        &params![to, position, start, from],
    )
    .await
}

/// Removes an extent's row, whatever its state; the caller has put its parts on the garbage.
pub async fn delete_extent(tx: &Tx, content: ContentId, extent: ExtentId) -> Result<bool, Error> {
    let rows = tx.exec("DELETE FROM extent WHERE content_id = $1 AND id = $2", &params![content, extent]).await?;
    Ok(rows == 1)
}

/// An intent whose deadline has passed.
#[derive(Debug, Clone)]
pub struct IntentRow {
    /// The extent that was to be written.
    pub id: ExtentId,
    /// Its content.
    pub content: ContentId,
    /// The nodes that may hold parts.
    pub manifest: Vec<u8>,
    /// The deadline as it stands.
    pub deadline: Time,
}

impl Row for IntentRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self { id: row.get(0)?, content: row.get(1)?, manifest: row.get(2)?, deadline: row.get(3)? })
    }
}

/// Up to `limit` intents with a deadline before `now`, oldest first.
///
/// Deadlines beyond `far` are taken for over too: no writer sets such ones unless its clock is wrong.
pub async fn expired_intents(db: &Db, now: Time, far: Time, limit: u32) -> Result<Vec<IntentRow>, Error> {
    db.query(
        "SELECT id, content_id, manifest, deadline_us FROM extent
         WHERE state = 0 AND (deadline_us < $1 OR deadline_us > $2) ORDER BY deadline_us LIMIT $3",
        &params![now, far, limit],
    )
    .await
}

/// Removes an intent if its deadline is still the one that was seen; `false` if its writer renewed or sealed it.
pub async fn take_intent(tx: &Tx, intent: &IntentRow) -> Result<bool, Error> {
    let rows = tx
        .exec(
            "DELETE FROM extent WHERE content_id = $1 AND id = $2 AND state = 0 AND deadline_us = $3",
            &params![intent.content, intent.id, intent.deadline],
        )
        .await?;
    Ok(rows == 1)
}

/// How many intents are open, and the oldest deadline.
pub async fn intent_totals(db: &Db) -> Result<(u64, Option<Time>), Error> {
    let row: Option<(u64, Option<Time>)> =
        db.query_opt("SELECT COUNT(*), MIN(deadline_us) FROM extent WHERE state = 0", &params![]).await?;
    Ok(row.unwrap_or_default())
}

/// Parts that nothing refers to any more and that are to be removed from their nodes.
#[derive(Debug, Clone)]
pub struct GarbageRow {
    /// The row; its order is that of its making.
    pub id: ExtentId,
    /// The extent whose parts they are.
    pub extent: ExtentId,
    /// Index and node of each.
    pub parts: Vec<(u8, NodeId)>,
    /// Their bytes together, about.
    pub bytes: u64,
    /// Not before this.
    pub due: Time,
    /// How often it was tried.
    pub attempts: u32,
}

impl Row for GarbageRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        let packed: Vec<u8> = row.get(2)?;
        if !packed.len().is_multiple_of(17) {
            return Err(Error::Shape("a garbage row's parts are not 17 bytes each".into()));
        }
        let parts = packed
            .chunks_exact(17)
            .map(|part| {
                let mut node = [0; 16];
                node.copy_from_slice(&part[1..]);
                (part[0], NodeId::from_bytes(node))
            })
            .collect();
        Ok(Self {
            id: row.get(0)?,
            extent: row.get(1)?,
            parts,
            bytes: row.get(3)?,
            due: row.get(4)?,
            attempts: row.get(5)?,
        })
    }
}

fn pack(parts: &[(u8, NodeId)]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(parts.len() * 17);
    for (index, node) in parts {
        packed.push(*index);
        packed.extend_from_slice(&node.to_bytes());
    }
    packed
}

/// Puts parts on the garbage.
pub async fn insert_garbage(tx: &Tx, row: &GarbageRow) -> Result<(), Error> {
    tx.exec(
        "INSERT INTO garbage (id, extent_id, parts, bytes, due_us, attempts) VALUES ($1, $2, $3, $4, $5, $6)",
        &params![row.id, row.extent, pack(&row.parts).as_slice(), row.bytes, row.due, row.attempts],
    )
    .await?;
    Ok(())
}

/// Up to `limit` garbage rows that are due, the longest due first.
///
/// Rows that are due beyond `far` come too: nobody writes such ones unless their clock is wrong.
pub async fn due_garbage(db: &Db, now: Time, far: Time, limit: u32) -> Result<Vec<GarbageRow>, Error> {
    db.query(
        "SELECT id, extent_id, parts, bytes, due_us, attempts FROM garbage WHERE due_us <= $1 OR due_us > $2
         ORDER BY due_us LIMIT $3",
        &params![now, far, limit],
    )
    .await
}

/// Removes a garbage row whose parts are gone.
pub async fn delete_garbage(tx: &Tx, id: ExtentId) -> Result<(), Error> {
    tx.exec("DELETE FROM garbage WHERE id = $1", &params![id]).await?;
    Ok(())
}

/// Takes a garbage row that nobody worked on yet; `false` if it is gone or was taken. What is taken may be removed from
/// nodes; a heal whose own row was taken is over (see [`end_garbage`]).
pub async fn claim_garbage(tx: &Tx, id: ExtentId) -> Result<bool, Error> {
    Ok(tx.exec("UPDATE garbage SET attempts = 1 WHERE id = $1 AND attempts = 0", &params![id]).await? == 1)
}

/// Takes a garbage row back that nobody worked on yet; `false` if somebody did.
pub async fn end_garbage(tx: &Tx, id: ExtentId) -> Result<bool, Error> {
    Ok(tx.exec("DELETE FROM garbage WHERE id = $1 AND attempts = 0", &params![id]).await? == 1)
}

/// Makes a garbage row due now.
pub async fn hasten_garbage(tx: &Tx, id: ExtentId, now: Time) -> Result<(), Error> {
    tx.exec("UPDATE garbage SET due_us = $1 WHERE id = $2 AND attempts = 0", &params![now, id]).await?;
    Ok(())
}

/// Keeps what is left of a garbage row for a later try.
pub async fn postpone_garbage(tx: &Tx, row: &GarbageRow) -> Result<(), Error> {
    tx.exec(
        "UPDATE garbage SET parts = $1, due_us = $2, attempts = $3 WHERE id = $4",
        &params![pack(&row.parts).as_slice(), row.due, row.attempts, row.id],
    )
    .await?;
    Ok(())
}

/// How many garbage rows there are, their bytes, and when the oldest was due.
pub async fn garbage_totals(db: &Db) -> Result<(u64, u64, Option<Time>), Error> {
    let row: Option<(u64, u64, Option<Time>)> = db
        .query_opt("SELECT COUNT(*), CAST(COALESCE(SUM(bytes), 0) AS BIGINT), MIN(due_us) FROM garbage", &params![])
        .await?;
    Ok(row.unwrap_or_default())
}

const GARBAGE_OF: &str = "SELECT id, extent_id, parts, bytes, due_us, attempts FROM garbage WHERE extent_id = $1";

/// The parts of an extent that wait for their removal: index and node of each.
pub async fn garbage_of(db: &Db, extent: ExtentId) -> Result<Vec<(u8, NodeId)>, Error> {
    let rows: Vec<GarbageRow> = db.query(GARBAGE_OF, &params![extent]).await?;
    Ok(rows.into_iter().flat_map(|row| row.parts).collect())
}

/// The same within a unit of work.
pub async fn garbage_of_in(tx: &Tx, extent: ExtentId) -> Result<Vec<(u8, NodeId)>, Error> {
    let rows: Vec<GarbageRow> = tx.query(GARBAGE_OF, &params![extent]).await?;
    Ok(rows.into_iter().flat_map(|row| row.parts).collect())
}

/// Notes a part that no extent explains, or returns when it was first noted.
pub async fn note_orphan(tx: &Tx, part: PartId, node: NodeId, now: Time) -> Result<Time, Error> {
    let seen: Option<(Time,)> = tx
        .query_opt(
            "INSERT INTO orphan (part_id, node_id, seen_us) VALUES ($1, $2, $3)
             ON CONFLICT (part_id, node_id) DO UPDATE SET seen_us = orphan.seen_us RETURNING seen_us",
            &params![part, node, now],
        )
        .await?;
    Ok(seen.map_or(now, |(seen,)| seen))
}

/// Forgets a part that was noted as an orphan.
pub async fn forget_orphan(tx: &Tx, part: PartId, node: NodeId) -> Result<(), Error> {
    tx.exec("DELETE FROM orphan WHERE part_id = $1 AND node_id = $2", &params![part, node]).await?;
    Ok(())
}

/// A persisted place in a pass over everything.
pub async fn position(db: &Db, name: &str) -> Result<Option<(String, Time)>, Error> {
    db.query_opt("SELECT value, updated_us FROM position WHERE name = $1", &params![name]).await
}

/// Moves a persisted place.
pub async fn set_position(tx: &Tx, name: &str, value: &str, now: Time) -> Result<(), Error> {
    tx.exec(
        "INSERT INTO position (name, value, updated_us) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_us = excluded.updated_us",
        &params![name, value, now],
    )
    .await?;
    Ok(())
}

/// Adds to a persisted count.
pub async fn add_count(tx: &Tx, name: &str, more: u64, now: Time) -> Result<(), Error> {
    tx.exec(
        "INSERT INTO position (name, value, updated_us) VALUES ($1, CAST($2 AS TEXT), $3)
         ON CONFLICT (name) DO UPDATE SET
            value = CAST(CAST(position.value AS BIGINT) + CAST(excluded.value AS BIGINT) AS TEXT),
            updated_us = excluded.updated_us",
        &params![name, more.to_string().as_str(), now],
    )
    .await?;
    Ok(())
}
