//! What mailed links and invitations stand for: something that whoever has the link may do once, for a time.

use base::{AccountId, TicketId, Time};

use crate::{Db, Error, Row, RowReader, Tx, params};

/// What a link stands for.
#[derive(Debug, Clone)]
pub struct TicketRow {
    /// Which one.
    pub id: TicketId,
    /// `verify`, `reset` or `invite`.
    pub kind: String,
    /// Whose address or password it is about; an invitation is about nobody's yet.
    pub account: Option<AccountId>,
    /// Where it was sent.
    pub email: Option<String>,
    /// Space-separated words: of the account that an invitation makes.
    pub permissions: Option<String>,
    /// Of the letter, and of the account that an invitation makes.
    pub language: String,
    /// Who invites.
    pub made_by: Option<AccountId>,
    /// When it was made.
    pub created: Time,
    /// When it ends.
    pub expires: Time,
    /// When it was used.
    pub used: Option<Time>,
}

impl Row for TicketRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: row.get(0)?,
            kind: row.get(1)?,
            account: row.get(2)?,
            email: row.get(3)?,
            permissions: row.get(4)?,
            language: row.get(5)?,
            made_by: row.get(6)?,
            created: row.get(7)?,
            expires: row.get(8)?,
            used: row.get(9)?,
        })
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, kind, account_id, email, permissions, language, made_by, created_us, expires_us, used_us
             FROM ticket ",
            $rest
        )
    };
}

/// Keeps a ticket under the hash of its token.
pub async fn insert(tx: &Tx, row: &TicketRow, token_hash: &[u8; 32]) -> Result<(), Error> {
    tx.exec(
        "INSERT INTO ticket (id, kind, token_hash, account_id, email, permissions, language, made_by, created_us,
                             expires_us)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &params![
            row.id,
            &row.kind,
            token_hash,
            row.account,
            row.email.as_deref(),
            row.permissions.as_deref(),
            &row.language,
            row.made_by,
            row.created,
            row.expires
        ],
    )
    .await?;
    Ok(())
}

/// The ticket of a token's hash.
pub async fn by_token(db: &Db, token_hash: &[u8; 32]) -> Result<Option<TicketRow>, Error> {
    db.query_opt(select!("WHERE token_hash = $1"), &params![token_hash]).await
}

/// The ticket of an id.
pub async fn get(db: &Db, id: TicketId) -> Result<Option<TicketRow>, Error> {
    db.query_opt(select!("WHERE id = $1"), &params![id]).await
}

/// Uses a ticket; `false` if it was used, has expired or is not there.
pub async fn take(tx: &Tx, id: TicketId, now: Time) -> Result<bool, Error> {
    let rows = tx
        .exec("UPDATE ticket SET used_us = $1 WHERE id = $2 AND used_us IS NULL AND expires_us > $1", &params![now, id])
        .await?;
    Ok(rows == 1)
}

/// How many of a kind were made for an account since a time.
pub async fn count_since(tx: &Tx, account: AccountId, kind: &str, since: Time) -> Result<u64, Error> {
    let (count,) = tx
        .query_one(
            "SELECT count(*) FROM ticket WHERE account_id = $1 AND kind = $2 AND created_us > $3",
            &params![account, kind, since],
        )
        .await?;
    Ok(count)
}

/// Makes all that were not used of a kind and an account good for nothing.
pub async fn void(tx: &Tx, account: AccountId, kind: &str, now: Time) -> Result<(), Error> {
    tx.exec(
        "UPDATE ticket SET used_us = $1 WHERE account_id = $2 AND kind = $3 AND used_us IS NULL",
        &params![now, account, kind],
    )
    .await?;
    Ok(())
}

/// Up to `limit` invitations that are still good, in order of their ids, beginning after `after`.
pub async fn invitations(db: &Db, now: Time, after: Option<TicketId>, limit: u32) -> Result<Vec<TicketRow>, Error> {
    db.query(
        select!("WHERE kind = 'invite' AND used_us IS NULL AND expires_us > $1 AND id > $2 ORDER BY id LIMIT $3"),
        &params![now, after.unwrap_or(TicketId::from_bytes([0; 16])), limit],
    )
    .await
}

/// Takes an invitation back; `false` if there is none that is still good.
pub async fn remove_invitation(tx: &Tx, id: TicketId, now: Time) -> Result<bool, Error> {
    let rows = tx
        .exec(
            "DELETE FROM ticket WHERE id = $1 AND kind = 'invite' AND used_us IS NULL AND expires_us > $2",
            &params![id, now],
        )
        .await?;
    Ok(rows == 1)
}

/// Removes up to `limit` that expired before `before`; returns how many.
pub async fn remove_expired(tx: &Tx, before: Time, limit: u32) -> Result<u64, Error> {
    tx.exec(
        "DELETE FROM ticket WHERE id IN (SELECT id FROM ticket WHERE expires_us < $1 ORDER BY expires_us LIMIT $2)",
        &params![before, limit],
    )
    .await
}
