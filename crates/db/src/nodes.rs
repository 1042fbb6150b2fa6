//! Storage servers as the cluster knows them, and the placement that was decided.

use base::{NodeId, Time};

use crate::{Db, Error, Row, RowReader, Tx, params};

/// A storage server.
#[derive(Debug, Clone)]
pub struct NodeRow {
    /// Which one; its marker file says the same.
    pub id: NodeId,
    /// Where it answers; empty for a node inside the gateway's own process.
    pub address: String,
    /// `active`, `draining` or `removed`.
    pub state: String,
    /// The version of the program it runs.
    pub version: String,
    /// Raised by every heartbeat.
    pub beat: u64,
    /// The last heartbeat, by the clock of whoever took it.
    pub seen: Time,
    /// When it came to the cluster.
    pub joined: Time,
    /// Bytes of its file system.
    pub total_bytes: u64,
    /// Bytes that it can still take.
    pub free_bytes: u64,
    /// Bytes of its parts.
    pub part_bytes: u64,
    /// Number of its parts.
    pub part_count: u64,
    /// Identifies its file system.
    pub disk: String,
    /// Takes puts.
    pub writable: bool,
    /// Why it does not.
    pub trouble: Option<String>,
    /// When its process began, by its own clock; zero for a node inside the gateway's own process.
    pub started: Time,
}

impl Row for NodeRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: row.get(0)?,
            address: row.get(1)?,
            state: row.get(2)?,
            version: row.get(3)?,
            beat: row.get(4)?,
            seen: row.get(5)?,
            joined: row.get(6)?,
            total_bytes: row.get(7)?,
            free_bytes: row.get(8)?,
            part_bytes: row.get(9)?,
            part_count: row.get(10)?,
            disk: row.get(11)?,
            writable: row.get(12)?,
            trouble: row.get(13)?,
            started: row.get(14)?,
        })
    }
}

/// All nodes, removed ones too, in order of their ids.
pub async fn nodes(db: &Db) -> Result<Vec<NodeRow>, Error> {
    db.query(
        "SELECT id, address, state, version, beat, seen_us, joined_us, total_bytes, free_bytes, part_bytes,
                part_count, disk, writable, trouble, started_us
         FROM node ORDER BY id",
        &params![],
    )
    .await
}

/// Which report of a node a heartbeat is.
#[derive(Debug, Clone, Copy)]
pub struct ReportNumber {
    /// Grows with each report of the process that [`NodeRow::started`] tells.
    pub sequence: u64,
    /// Whether nothing was heard of the node for so long that another process may take its place: one at another
    /// address, or one whose clock says that it began earlier.
    pub silent: bool,
}

/// Takes a heartbeat: inserts a new node as active, updates a known one; returns its state. `None` if the report is an
/// old one, or comes from another address than that of the node that lives. Without a number it is always taken.
pub async fn beat(tx: &Tx, row: &NodeRow, number: Option<ReportNumber>) -> Result<Option<String>, Error> {
    let always = number.is_none();
    let number = number.unwrap_or(ReportNumber { sequence: 0, silent: false });
    let state: Option<(String,)> = tx
        .query_opt(
            "INSERT INTO node (id, address, state, version, beat, seen_us, joined_us, total_bytes, free_bytes,
                               part_bytes, part_count, disk, writable, trouble, started_us, sequence)
             VALUES ($1, $2, 'active', $3, 1, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
             ON CONFLICT (id) DO UPDATE SET
                address = excluded.address, version = excluded.version, beat = node.beat + 1,
                seen_us = excluded.seen_us, total_bytes = excluded.total_bytes, free_bytes = excluded.free_bytes,
                part_bytes = excluded.part_bytes, part_count = excluded.part_count, disk = excluded.disk,
                writable = excluded.writable, trouble = excluded.trouble,
                started_us = excluded.started_us, sequence = excluded.sequence
             WHERE $15 OR CASE
                WHEN excluded.started_us = node.started_us
                THEN excluded.sequence > node.sequence AND ($16 OR excluded.address = node.address)
                ELSE $16 OR (excluded.started_us > node.started_us AND excluded.address = node.address) END
             RETURNING state",
            &params![
                row.id,
                &row.address,
                &row.version,
                row.seen,
                row.joined,
                row.total_bytes,
                row.free_bytes,
                row.part_bytes,
                row.part_count,
                &row.disk,
                row.writable,
                row.trouble.as_deref(),
                row.started,
                number.sequence,
                always,
                number.silent
            ],
        )
        .await?;
    Ok(state.map(|(state,)| state))
}

/// Changes a node's state; `false` if there is no such node.
pub async fn set_state(tx: &Tx, node: NodeId, state: &str) -> Result<bool, Error> {
    Ok(tx.exec("UPDATE node SET state = $1 WHERE id = $2", &params![state, node]).await? == 1)
}

/// The setting `key`.
pub async fn setting(db: &Db, key: &str) -> Result<Option<String>, Error> {
    let row: Option<(String,)> = db.query_opt("SELECT value FROM setting WHERE key = $1", &params![key]).await?;
    Ok(row.map(|(value,)| value))
}

/// Sets `key` if it is still `old` (absent for `None`); `false` if somebody else was faster.
pub async fn swap_setting(tx: &Tx, key: &str, old: Option<&str>, new: &str) -> Result<bool, Error> {
    let rows = match old {
        None => {
            tx.exec("INSERT INTO setting (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING", &params![key, new])
                .await?
        }
        Some(old) => {
            tx.exec("UPDATE setting SET value = $1 WHERE key = $2 AND value = $3", &params![new, key, old]).await?
        }
    };
    Ok(rows == 1)
}
