//! The audit log: who did what to whom, when, and from where.

use base::{AccountId, AuditId, Time};

use crate::{Db, Error, Row, RowReader, Tx, params};

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Which one; newer ones have higher ids.
    pub id: AuditId,
    /// When.
    pub at: Time,
    /// What, as a stable word.
    pub action: String,
    /// Who; nobody known, or the server itself, where it is absent.
    pub actor: Option<AccountId>,
    /// To whose account.
    pub account: Option<AccountId>,
    /// From where.
    pub address: Option<String>,
    /// JSON: what else is worth knowing.
    pub detail: String,
}

impl Row for AuditRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: row.get(0)?,
            at: row.get(1)?,
            action: row.get(2)?,
            actor: row.get(3)?,
            account: row.get(4)?,
            address: row.get(5)?,
            detail: row.get(6)?,
        })
    }
}

/// Which lines are wanted; what is absent does not matter.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter<'a> {
    /// Who did it.
    pub actor: Option<AccountId>,
    /// To whose account.
    pub account: Option<AccountId>,
    /// What.
    pub action: Option<&'a str>,
    /// Not before.
    pub since: Option<Time>,
    /// Before.
    pub until: Option<Time>,
}

/// Writes a line.
pub async fn insert(tx: &Tx, row: &AuditRow) -> Result<(), Error> {
    tx.exec(
        "INSERT INTO audit (id, at_us, action, actor_id, account_id, address, detail)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &params![row.id, row.at, &row.action, row.actor, row.account, row.address.as_deref(), &row.detail],
    )
    .await?;
    Ok(())
}

/// Up to `limit` lines with ids below `before`, newest first.
pub async fn lines(db: &Db, filter: &Filter<'_>, before: Option<AuditId>, limit: u32) -> Result<Vec<AuditRow>, Error> {
    // Each condition stands with the number of its parameter; what is not asked for is not in the text, so that the
    // index of what is asked for serves.
    let (actor, account) = (filter.actor, filter.account);
    let action = filter.action.unwrap_or_default();
    let since = filter.since.map_or(i64::MIN, Time::as_micros);
    let until = filter.until.map_or(i64::MAX, Time::as_micros);
    let before = before.unwrap_or(AuditId::from_bytes([0xff; 16]));
    macro_rules! select {
        ($condition:literal) => {
            concat!(
                "SELECT id, at_us, action, actor_id, account_id, address, detail FROM audit
                 WHERE id < $1 AND at_us >= $2 AND at_us < $3 AND ",
                $condition,
                " ORDER BY id DESC LIMIT $4"
            )
        };
    }
    match (actor, account, filter.action) {
        (None, None, None) => db.query(select!("true"), &params![before, since, until, limit]).await,
        (Some(actor), None, None) => {
            db.query(select!("actor_id = $5"), &params![before, since, until, limit, actor]).await
        }
        (None, Some(account), None) => {
            db.query(select!("account_id = $5"), &params![before, since, until, limit, account]).await
        }
        (None, None, Some(_)) => db.query(select!("action = $5"), &params![before, since, until, limit, action]).await,
        (Some(actor), Some(account), None) => {
            let sql = select!("actor_id = $5 AND account_id = $6");
            db.query(sql, &params![before, since, until, limit, actor, account]).await
        }
        (Some(actor), None, Some(_)) => {
            let sql = select!("actor_id = $5 AND action = $6");
            db.query(sql, &params![before, since, until, limit, actor, action]).await
        }
        (None, Some(account), Some(_)) => {
            let sql = select!("account_id = $5 AND action = $6");
            db.query(sql, &params![before, since, until, limit, account, action]).await
        }
        (Some(actor), Some(account), Some(_)) => {
            let sql = select!("actor_id = $5 AND account_id = $6 AND action = $7");
            db.query(sql, &params![before, since, until, limit, actor, account, action]).await
        }
    }
}

/// Removes up to `limit` lines that are older than a time; returns how many.
pub async fn remove_before(tx: &Tx, time: Time, limit: u32) -> Result<u64, Error> {
    tx.exec(
        "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at_us < $1 ORDER BY id LIMIT $2)",
        &params![time, limit],
    )
    .await
}
