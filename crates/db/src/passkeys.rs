//! Passkeys of accounts.

use base::{AccountId, PasskeyId, Time};

use crate::{Db, Error, Row, RowReader, Tx, params};

/// A passkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyRow {
    /// Which one.
    pub id: PasskeyId,
    /// Whose it is.
    pub account: AccountId,
    /// What the authenticator calls it.
    pub credential: Vec<u8>,
    /// Public key, counter and flags, as JSON.
    pub data: String,
    /// What its owner calls it.
    pub name: String,
    /// When it was added.
    pub created: Time,
    /// When it was signed in with last.
    pub used: Option<Time>,
}

impl Row for PasskeyRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: row.get(0)?,
            account: row.get(1)?,
            credential: row.get(2)?,
            data: row.get(3)?,
            name: row.get(4)?,
            created: row.get(5)?,
            used: row.get(6)?,
        })
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT id, account_id, credential_id, data, name, created_us, used_us FROM passkey ", $rest)
    };
}

/// The passkey that an authenticator calls so.
pub async fn by_credential(db: &Db, credential: &[u8]) -> Result<Option<PasskeyRow>, Error> {
    db.query_opt(select!("WHERE credential_id = $1"), &params![credential]).await
}

/// All passkeys of an account, oldest first.
pub async fn of_account(db: &Db, account: AccountId) -> Result<Vec<PasskeyRow>, Error> {
    db.query(select!("WHERE account_id = $1 ORDER BY id"), &params![account]).await
}

/// How many passkeys an account has.
pub async fn count(tx: &Tx, account: AccountId) -> Result<u64, Error> {
    let (count,) = tx.query_one("SELECT count(*) FROM passkey WHERE account_id = $1", &params![account]).await?;
    Ok(count)
}

/// Adds a passkey; `false` if somebody has it.
pub async fn insert(tx: &Tx, row: &PasskeyRow) -> Result<bool, Error> {
    let rows = tx
        .exec(
            "INSERT INTO passkey (id, account_id, credential_id, data, name, created_us)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (credential_id) DO NOTHING",
            &params![row.id, row.account, row.credential.as_slice(), row.data.as_str(), row.name.as_str(), row.created],
        )
        .await?;
    Ok(rows == 1)
}

/// Notes that a passkey was signed in with, and what is known of it from now on; `false` if it is not what it was, since it
/// was removed or signed in with at the same moment.
pub async fn touch(tx: &Tx, id: PasskeyId, was: &str, is: &str, now: Time) -> Result<bool, Error> {
    let rows = tx
        .exec("UPDATE passkey SET data = $1, used_us = $2 WHERE id = $3 AND data = $4", &params![is, now, id, was])
        .await?;
    Ok(rows == 1)
}

/// Gives a passkey of an account another name; `None` if it has no such one.
pub async fn rename(tx: &Tx, account: AccountId, id: PasskeyId, name: &str) -> Result<Option<PasskeyRow>, Error> {
    tx.query_opt(
        "UPDATE passkey SET name = $1 WHERE id = $2 AND account_id = $3
         RETURNING id, account_id, credential_id, data, name, created_us, used_us",
        &params![name, id, account],
    )
    .await
}

/// Removes a passkey of an account; gives its name, if there was one.
pub async fn remove(tx: &Tx, account: AccountId, id: PasskeyId) -> Result<Option<String>, Error> {
    let row: Option<(String,)> = tx
        .query_opt("DELETE FROM passkey WHERE id = $1 AND account_id = $2 RETURNING name", &params![id, account])
        .await?;
    Ok(row.map(|(name,)| name))
}
