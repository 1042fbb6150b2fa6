//! Links, and what happened through them.

use base::{AccountId, EntryId, LinkEventId, LinkId, SpaceId, Time, limits};
use uuid::Uuid;

use crate::{Db, Error, Row, RowReader, Tx, params};

/// How many columns [`LinkRow`] takes.
const LINK_COLUMNS: usize = 17;

macro_rules! link_columns {
    () => {
        "l.id, l.token_hash, l.space_id, l.entry_id, l.account_id, l.name, l.note, l.mode, l.password_hash, \
         l.generation, l.expires_us, l.download_limit, l.downloads, l.opens, l.uploads, l.created_us, l.used_us"
    };
}

/// A link.
#[derive(Debug, Clone)]
pub struct LinkRow {
    /// Which one.
    pub id: LinkId,
    /// BLAKE3 of its token.
    pub token_hash: [u8; 32],
    /// The space of its entry.
    pub space: SpaceId,
    /// What it leads to.
    pub entry: EntryId,
    /// Who made it, and with whose rights it works.
    pub account: AccountId,
    /// What its owner calls it.
    pub name: Option<String>,
    /// What its visitors read.
    pub note: Option<String>,
    /// `view`, `download`, `upload`.
    pub mode: String,
    /// PHC string of its password, if it has one.
    pub password_hash: Option<String>,
    /// Raised whenever the password changes.
    pub generation: u64,
    /// When it ends.
    pub expires: Option<Time>,
    /// How many downloads it allows.
    pub download_limit: Option<u64>,
    /// How many there were.
    pub downloads: u64,
    /// How often it was opened.
    pub opens: u64,
    /// How many files came in through it.
    pub uploads: u64,
    /// When it was made.
    pub created: Time,
    /// When somebody last did something with it.
    pub used: Option<Time>,
}

impl Row for LinkRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: row.get(0)?,
            token_hash: row.get(1)?,
            space: row.get(2)?,
            entry: row.get(3)?,
            account: row.get(4)?,
            name: row.get(5)?,
            note: row.get(6)?,
            mode: row.get(7)?,
            password_hash: row.get(8)?,
            generation: row.get(9)?,
            expires: row.get(10)?,
            download_limit: row.get(11)?,
            downloads: row.get(12)?,
            opens: row.get(13)?,
            uploads: row.get(14)?,
            created: row.get(15)?,
            used: row.get(16)?,
        })
    }
}

/// A link with what it leads to, as far as that is still there.
#[derive(Debug, Clone)]
pub struct ListedRow {
    /// The link.
    pub link: LinkRow,
    /// Name and kind of the entry, if there still is one; it may be in the trash, or still be uploaded.
    pub entry: Option<(String, u32)>,
}

impl Row for ListedRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        let name: Option<String> = row.get(LINK_COLUMNS)?;
        let kind: Option<u32> = row.get(LINK_COLUMNS + 1)?;
        Ok(Self { link: LinkRow::read(row)?, entry: name.zip(kind) })
    }
}

/// The link with this hash of its token.
pub async fn by_token(db: &Db, hash: &[u8; 32]) -> Result<Option<LinkRow>, Error> {
    db.query_opt(concat!("SELECT ", link_columns!(), " FROM link l WHERE l.token_hash = $1"), &params![hash]).await
}

/// A link with what it leads to.
pub async fn find(db: &Db, id: LinkId) -> Result<Option<ListedRow>, Error> {
    db.query_opt(
        concat!(
            "SELECT ",
            link_columns!(),
            ", COALESCE(e.name, u.name), CASE WHEN u.id IS NULL THEN e.kind ELSE 1 END FROM link l
             LEFT JOIN entry e ON e.space_id = l.space_id AND e.id = l.entry_id
             LEFT JOIN upload u ON u.promised_id = l.entry_id AND u.entry_id IS NULL WHERE l.id = $1"
        ),
        &params![id],
    )
    .await
}

/// A link, inside a unit of work.
pub async fn link(tx: &Tx, id: LinkId) -> Result<Option<LinkRow>, Error> {
    tx.query_opt(concat!("SELECT ", link_columns!(), " FROM link l WHERE l.id = $1"), &params![id]).await
}

/// Up to `limit` links of an entry with ids above `after`, oldest first.
pub async fn of_entry(
    db: &Db,
    space: SpaceId,
    entry: EntryId,
    after: Option<LinkId>,
    limit: u32,
) -> Result<Vec<ListedRow>, Error> {
    db.query(
        concat!(
            "SELECT ",
            link_columns!(),
            ", COALESCE(e.name, u.name), CASE WHEN u.id IS NULL THEN e.kind ELSE 1 END FROM link l
             LEFT JOIN entry e ON e.space_id = l.space_id AND e.id = l.entry_id
             LEFT JOIN upload u ON u.promised_id = l.entry_id AND u.entry_id IS NULL
             WHERE l.entry_id = $1 AND l.space_id = $2 AND l.id > $3 ORDER BY l.id LIMIT $4"
        ),
        &params![entry, space, after.unwrap_or(LinkId::from_bytes([0; 16])), limit],
    )
    .await
}

/// Up to `limit` links that an account made, with ids above `after`, oldest first.
pub async fn of_account(
    db: &Db,
    account: AccountId,
    after: Option<LinkId>,
    limit: u32,
) -> Result<Vec<ListedRow>, Error> {
    db.query(
        concat!(
            "SELECT ",
            link_columns!(),
            ", COALESCE(e.name, u.name), CASE WHEN u.id IS NULL THEN e.kind ELSE 1 END FROM link l
             LEFT JOIN entry e ON e.space_id = l.space_id AND e.id = l.entry_id
             LEFT JOIN upload u ON u.promised_id = l.entry_id AND u.entry_id IS NULL
             WHERE l.account_id = $1 AND l.id > $2 ORDER BY l.id LIMIT $3"
        ),
        &params![account, after.unwrap_or(LinkId::from_bytes([0; 16])), limit],
    )
    .await
}

/// How many links an entry of a space has.
pub async fn count_of_entry(tx: &Tx, space: SpaceId, entry: EntryId) -> Result<u64, Error> {
    let (count,): (u64,) =
        tx.query_one("SELECT COUNT(*) FROM link WHERE entry_id = $1 AND space_id = $2", &params![entry, space]).await?;
    Ok(count)
}

/// How many links there are to entries of a space.
pub async fn count_of_space(tx: &Tx, space: SpaceId) -> Result<u64, Error> {
    let (count,): (u64,) = tx.query_one("SELECT COUNT(*) FROM link WHERE space_id = $1", &params![space]).await?;
    Ok(count)
}

/// The link that a request made to an entry when it was sent before.
pub async fn of_operation(
    db: &Db,
    account: AccountId,
    operation: Uuid,
    entry: EntryId,
) -> Result<Option<ListedRow>, Error> {
    db.query_opt(
        concat!(
            "SELECT ",
            link_columns!(),
            ", COALESCE(e.name, u.name), CASE WHEN u.id IS NULL THEN e.kind ELSE 1 END FROM link l
             LEFT JOIN entry e ON e.space_id = l.space_id AND e.id = l.entry_id
             LEFT JOIN upload u ON u.promised_id = l.entry_id AND u.entry_id IS NULL
             WHERE l.account_id = $1 AND l.operation_id = $2 AND l.entry_id = $3"
        ),
        &params![account, operation, entry],
    )
    .await
}

/// Makes the links of a space that lead to one entry lead to another one.
pub async fn lead_to(tx: &Tx, space: SpaceId, entry: EntryId, to: EntryId) -> Result<(), Error> {
    tx.exec("UPDATE link SET entry_id = $1 WHERE entry_id = $2 AND space_id = $3", &params![to, entry, space]).await?;
    Ok(())
}

/// Makes the links of a space that lead to an entry links of another space.
pub async fn take_along(tx: &Tx, entry: EntryId, from: SpaceId, to: SpaceId) -> Result<(), Error> {
    tx.exec("UPDATE link SET space_id = $1 WHERE entry_id = $2 AND space_id = $3", &params![to, entry, from]).await?;
    Ok(())
}

/// Removes the links to an entry of a space, and what is known of their use.
pub async fn delete_of_entry(tx: &Tx, space: SpaceId, entry: EntryId) -> Result<(), Error> {
    let params = params![entry, space];
    tx.exec(
        "DELETE FROM link_event WHERE link_id IN (SELECT id FROM link WHERE entry_id = $1 AND space_id = $2)",
        &params,
    )
    .await?;
    tx.exec("DELETE FROM link WHERE entry_id = $1 AND space_id = $2", &params).await?;
    Ok(())
}

/// Inserts a link. Two of one operation to one entry are refused by the database.
pub async fn insert(tx: &Tx, row: &LinkRow, operation: Option<Uuid>) -> Result<(), Error> {
    tx.exec(
        "INSERT INTO link (id, token_hash, space_id, entry_id, account_id, name, note, mode, password_hash, generation,
                           expires_us, download_limit, downloads, opens, uploads, created_us, used_us, operation_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        &params![
            row.id,
            &row.token_hash,
            row.space,
            row.entry,
            row.account,
            row.name.as_deref(),
            row.note.as_deref(),
            &row.mode,
            row.password_hash.as_deref(),
            row.generation,
            row.expires,
            row.download_limit,
            row.downloads,
            row.opens,
            row.uploads,
            row.created,
            row.used,
            operation
        ],
    )
    .await?;
    Ok(())
}

/// Writes what its owner may change about a link; the counters stay.
pub async fn update(tx: &Tx, row: &LinkRow) -> Result<bool, Error> {
    let rows = tx
        .exec(
            "UPDATE link SET name = $1, note = $2, mode = $3, password_hash = $4, generation = $5, expires_us = $6,
                             download_limit = $7 WHERE id = $8",
            &params![
                row.name.as_deref(),
                row.note.as_deref(),
                &row.mode,
                row.password_hash.as_deref(),
                row.generation,
                row.expires,
                row.download_limit,
                row.id
            ],
        )
        .await?;
    Ok(rows == 1)
}

/// Removes a link and what is known of its use; `false` if there is none.
pub async fn delete(tx: &Tx, id: LinkId) -> Result<bool, Error> {
    tx.exec("DELETE FROM link_event WHERE link_id = $1", &params![id]).await?;
    Ok(tx.exec("DELETE FROM link WHERE id = $1", &params![id]).await? == 1)
}

/// What is counted of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// Somebody opened it.
    Opened,
    /// Somebody downloads through it: only while its limit and its end allow for one more, which this statement decides.
    Downloaded,
    /// A file came in.
    Uploaded,
}

/// Counts one more; gives how much was counted of the link altogether, `None` if it is gone or allows no more.
pub async fn count(tx: &Tx, id: LinkId, counter: Counter, now: Time) -> Result<Option<u64>, Error> {
    let sql = match counter {
        Counter::Opened => {
            "UPDATE link SET opens = opens + 1, used_us = $2 WHERE id = $1 RETURNING opens + downloads + uploads"
        }
        Counter::Downloaded => {
            "UPDATE link SET downloads = downloads + 1, used_us = $2
             WHERE id = $1 AND (download_limit IS NULL OR downloads < download_limit)
               AND (expires_us IS NULL OR expires_us > $2)
             RETURNING opens + downloads + uploads"
        }
        Counter::Uploaded => {
            "UPDATE link SET uploads = uploads + 1, used_us = $2 WHERE id = $1 RETURNING opens + downloads + uploads"
        }
    };
    let row: Option<(u64,)> = tx.query_opt(sql, &params![id, now]).await?;
    Ok(row.map(|(total,)| total))
}

/// Something that happened through a link.
#[derive(Debug, Clone)]
pub struct EventRow {
    /// Which one; ids rise with time.
    pub id: LinkEventId,
    /// `opened`, `downloaded`, `uploaded`.
    pub kind: String,
    /// When.
    pub at: Time,
    /// Of what.
    pub entry: Option<EntryId>,
    /// What that was called then.
    pub entry_name: Option<String>,
    /// How many bytes it had.
    pub bytes: Option<u64>,
    /// What the visitor calls himself or herself.
    pub visitor: Option<String>,
    /// Program and system, coarsely.
    pub client: String,
    /// The network they came from.
    pub address: String,
}

impl Row for EventRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: row.get(0)?,
            kind: row.get(1)?,
            at: row.get(2)?,
            entry: row.get(3)?,
            entry_name: row.get(4)?,
            bytes: row.get(5)?,
            visitor: row.get(6)?,
            client: row.get(7)?,
            address: row.get(8)?,
        })
    }
}

/// Inserts an event of a link.
pub async fn insert_event(tx: &Tx, link: LinkId, row: &EventRow) -> Result<(), Error> {
    tx.exec(
        "INSERT INTO link_event (link_id, id, kind, at_us, entry_id, entry_name, bytes, visitor, client, address)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &params![
            link,
            row.id,
            &row.kind,
            row.at,
            row.entry,
            row.entry_name.as_deref(),
            row.bytes,
            row.visitor.as_deref(),
            &row.client,
            &row.address
        ],
    )
    .await?;
    Ok(())
}

/// Removes the oldest events of a link beyond the newest `kept`.
pub async fn trim_events(tx: &Tx, link: LinkId, kept: u32) -> Result<u64, Error> {
    tx.exec(
        "DELETE FROM link_event WHERE link_id = $1 AND id <=
             (SELECT id FROM link_event WHERE link_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)",
        &params![link, kept],
    )
    .await
}

/// Up to `limit` events of a link with ids below `before`, newest first.
pub async fn events(db: &Db, link: LinkId, before: Option<LinkEventId>, limit: u32) -> Result<Vec<EventRow>, Error> {
    db.query(
        "SELECT id, kind, at_us, entry_id, entry_name, bytes, visitor, client, address FROM link_event
         WHERE link_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
        &params![link, before.unwrap_or(LinkEventId::from_bytes([0xff; 16])), limit],
    )
    .await
}

/// Removes up to `limit` events that are older than a time; how many.
pub async fn delete_events_before(tx: &Tx, time: Time, limit: u32) -> Result<u64, Error> {
    tx.exec(
        "DELETE FROM link_event WHERE (link_id, id) IN
             (SELECT link_id, id FROM link_event WHERE at_us < $1 ORDER BY at_us LIMIT $2)",
        &params![time, limit],
    )
    .await
}

/// Up to `limit` links whose entry is gone for good, and is not still to come.
pub async fn without_entry(db: &Db, limit: u32) -> Result<Vec<LinkId>, Error> {
    let rows: Vec<(LinkId,)> = db
        .query(
            "SELECT l.id FROM link l
             WHERE NOT EXISTS (SELECT 1 FROM entry e WHERE e.space_id = l.space_id AND e.id = l.entry_id)
               AND NOT EXISTS (SELECT 1 FROM upload u WHERE u.promised_id = l.entry_id AND u.entry_id IS NULL)
             ORDER BY l.id LIMIT $1",
            &params![limit],
        )
        .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// An entry and the folders above it, nearest first, in one statement: it is in the tree if the last one is the root.
pub async fn walk_up(db: &Db, space: SpaceId, entry: EntryId) -> Result<Vec<EntryId>, Error> {
    let rows: Vec<(EntryId,)> =
        db.query(crate::tree::ANCESTORS, &params![space, entry, limits::DEPTH_MAX as u64]).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
