//! Tokens and S3 keys of accounts: what they sign requests with in the place of a session.

use base::{AccountId, EntryId, KeyId, SessionId, SpaceId, Time};

use crate::{Db, Error, Row, RowReader, Tx, notice::Notice, params};

/// A token or S3 key to keep.
#[derive(Debug, Clone)]
pub struct NewCredential {
    /// Its id.
    pub id: KeyId,
    /// Whose it is.
    pub account: AccountId,
    /// `token` or `s3`.
    pub kind: &'static str,
    /// By which it is found.
    pub hash: [u8; 32],
    /// What of it may be shown again.
    pub shown: String,
    /// The encrypted secret, where it must be known again.
    pub sealed: Option<Vec<u8>>,
    /// What its owner calls it.
    pub name: String,
    /// Space-separated words.
    pub scopes: String,
    /// Now.
    pub created: Time,
    /// When it ends by itself.
    pub expires: Option<Time>,
}

/// A token or S3 key as its owner sees it.
#[derive(Debug, Clone)]
pub struct CredentialRow {
    /// Which one.
    pub id: KeyId,
    /// What of it may be shown again.
    pub shown: String,
    /// What its owner calls it.
    pub name: String,
    /// Space-separated words.
    pub scopes: String,
    /// When it was made.
    pub created: Time,
    /// When it ends by itself.
    pub expires: Option<Time>,
    /// When it was used last, to the hour.
    pub used: Option<Time>,
}

impl Row for CredentialRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: row.get(0)?,
            shown: row.get(1)?,
            name: row.get(2)?,
            scopes: row.get(3)?,
            created: row.get(4)?,
            expires: row.get(5)?,
            used: row.get(6)?,
        })
    }
}

/// What decides what a request with a token or S3 key may do.
#[derive(Debug, Clone)]
pub struct CredentialState {
    /// Which one.
    pub id: KeyId,
    /// `token` or `s3`.
    pub kind: String,
    /// The encrypted secret, where there is one.
    pub sealed: Option<Vec<u8>>,
    /// Space-separated words.
    pub scopes: String,
    /// When it ends by itself.
    pub expires: Option<Time>,
    /// When it was used last, to the hour.
    pub used: Option<Time>,
    /// Whose it is.
    pub account: AccountId,
    /// The unique form of the account's name.
    pub name_key: String,
    /// The account's permissions as they are now.
    pub permissions: String,
    /// Since when the account may not be used.
    pub disabled: Option<Time>,
    /// The account's personal space.
    pub space: SpaceId,
    /// That space's root folder.
    pub root: EntryId,
}

impl Row for CredentialState {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: row.get(0)?,
            kind: row.get(1)?,
            sealed: row.get(2)?,
            scopes: row.get(3)?,
            expires: row.get(4)?,
            used: row.get(5)?,
            account: row.get(6)?,
            name_key: row.get(7)?,
            permissions: row.get(8)?,
            disabled: row.get(9)?,
            space: row.get(10)?,
            root: row.get(11)?,
        })
    }
}

/// Keeps a token or S3 key.
pub async fn insert(tx: &Tx, new: &NewCredential) -> Result<(), Error> {
    tx.exec(
        "INSERT INTO credential (id, account_id, kind, hash, shown, sealed, name, scopes, created_us, expires_us)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &params![
            new.id,
            new.account,
            new.kind,
            &new.hash,
            &new.shown,
            new.sealed.as_deref(),
            &new.name,
            &new.scopes,
            new.created,
            new.expires
        ],
    )
    .await?;
    Ok(())
}

/// How many of a kind an account has.
pub async fn count(tx: &Tx, account: AccountId, kind: &str) -> Result<u64, Error> {
    let (count,) = tx
        .query_one("SELECT count(*) FROM credential WHERE account_id = $1 AND kind = $2", &params![account, kind])
        .await?;
    Ok(count)
}

/// What decides what a request with a token or S3 key may do, in one statement.
pub async fn state(db: &Db, hash: &[u8; 32]) -> Result<Option<CredentialState>, Error> {
    db.query_opt(
        "SELECT credential.id, credential.kind, sealed, scopes, expires_us, used_us, account.id, name_key, permissions,
                disabled_us, space.id, root_id
         FROM credential JOIN account ON account.id = account_id
              JOIN space ON owner_id = account.id AND space.kind = 'personal'
         WHERE hash = $1",
        &params![hash],
    )
    .await
}

/// Notes that one was used, unless that was noted after `before`.
pub async fn touch(tx: &Tx, id: KeyId, now: Time, before: Time) -> Result<(), Error> {
    tx.exec(
        "UPDATE credential SET used_us = $1 WHERE id = $2 AND (used_us IS NULL OR used_us < $3)",
        &params![now, id, before],
    )
    .await?;
    Ok(())
}

/// Up to `limit` of an account's tokens or S3 keys in order of their ids, beginning after `after`.
pub async fn of_account(
    db: &Db,
    account: AccountId,
    kind: &str,
    after: Option<KeyId>,
    limit: u32,
) -> Result<Vec<CredentialRow>, Error> {
    db.query(
        "SELECT id, shown, name, scopes, created_us, expires_us, used_us FROM credential
         WHERE account_id = $1 AND kind = $2 AND id > $3 ORDER BY id LIMIT $4",
        &params![account, kind, after.unwrap_or(KeyId::from_bytes([0; 16])), limit],
    )
    .await
}

/// Removes one of an account; gives its hash and name, or `None` if the account has no such one.
///
/// Sockets that were opened with a token hear of it as they hear of a session's end, under the token's own id.
pub async fn remove(tx: &Tx, account: AccountId, kind: &str, id: KeyId) -> Result<Option<([u8; 32], String)>, Error> {
    let removed: Option<([u8; 32], String)> = tx
        .query_opt(
            "DELETE FROM credential WHERE id = $1 AND account_id = $2 AND kind = $3 RETURNING hash, name",
            &params![id, account, kind],
        )
        .await?;
    if removed.is_some() {
        tx.announce(Notice::SessionEnded(SessionId(id.0)));
    }
    Ok(removed)
}

/// Removes up to `limit` that expired before `before`; returns how many.
pub async fn remove_expired(tx: &Tx, before: Time, limit: u32) -> Result<u64, Error> {
    tx.exec(
        "DELETE FROM credential WHERE id IN
             (SELECT id FROM credential WHERE expires_us < $1 ORDER BY expires_us LIMIT $2)",
        &params![before, limit],
    )
    .await
}
