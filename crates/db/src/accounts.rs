//! Accounts, their sessions, and the hashes of refresh tokens.

use base::{AccountId, EntryId, SessionId, SpaceId, Time};

use crate::{Db, Error, Row, RowReader, Sql, Tx, notice::Notice, params};

/// An account with its personal space.
#[derive(Debug, Clone)]
pub struct AccountRow {
    /// Which one.
    pub id: AccountId,
    /// What its owner signs in with.
    pub name: String,
    /// What others see.
    pub display_name: String,
    /// PHC string of the password.
    pub password_hash: String,
    /// Space-separated words.
    pub permissions: String,
    /// When it was made.
    pub created: Time,
    /// Since when it may not sign in.
    pub disabled: Option<Time>,
    /// Its personal space.
    pub space: SpaceId,
    /// That space's root folder.
    pub root: EntryId,
    /// Which language its owner reads: `en`, `ru`.
    pub language: String,
    /// Its e-mail address, once it was verified.
    pub email: Option<String>,
    /// The version of its picture, if it has one.
    pub picture: Option<String>,
}

impl Row for AccountRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            display_name: row.get(2)?,
            password_hash: row.get(3)?,
            permissions: row.get(4)?,
            created: row.get(5)?,
            disabled: row.get(6)?,
            space: row.get(7)?,
            root: row.get(8)?,
            language: row.get(9)?,
            email: row.get(10)?,
            picture: row.get(11)?,
        })
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT account.id, account.name, display_name, password_hash, permissions, created_us, disabled_us, space.id,
                    root_id, language, email, ",
            picture_of!("account.id"),
            " FROM account JOIN space ON owner_id = account.id AND kind = 'personal' ",
            $rest
        )
    };
}

/// An account to make.
#[derive(Debug, Clone)]
pub struct NewAccount<'a> {
    /// Its id.
    pub id: AccountId,
    /// What its owner signs in with.
    pub name: &'a str,
    /// The form of the name that is unique.
    pub name_key: &'a str,
    /// What others see.
    pub display_name: &'a str,
    /// PHC string of the password.
    pub password_hash: &'a str,
    /// Space-separated words.
    pub permissions: &'a str,
    /// Now.
    pub created: Time,
    /// Which language its owner reads.
    pub language: &'a str,
}

/// A session as its owner sees it.
#[derive(Debug, Clone)]
pub struct SessionRow {
    /// Which one.
    pub id: SessionId,
    /// What the client calls itself.
    pub client: String,
    /// When it began.
    pub created: Time,
    /// When it last got new tokens.
    pub used: Time,
    /// When it ends by itself.
    pub expires: Time,
}

impl Row for SessionRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self { id: row.get(0)?, client: row.get(1)?, created: row.get(2)?, used: row.get(3)?, expires: row.get(4)? })
    }
}

/// What decides whether a session's tokens are still good.
#[derive(Debug, Clone)]
pub struct SessionState {
    /// Whose session it is.
    pub account: AccountId,
    /// When it ends by itself.
    pub expires: Time,
    /// When it was ended.
    pub ended: Option<Time>,
    /// Since when its account may not sign in.
    pub disabled: Option<Time>,
    /// The account's permissions as they are now.
    pub permissions: String,
}

impl Row for SessionState {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            account: row.get(0)?,
            expires: row.get(1)?,
            ended: row.get(2)?,
            disabled: row.get(3)?,
            permissions: row.get(4)?,
        })
    }
}

/// A refresh token's row.
#[derive(Debug, Clone)]
pub struct RefreshRow {
    /// The session that it continues.
    pub session: SessionId,
    /// When it was exchanged for its successor.
    pub spent: Option<Time>,
}

impl Row for RefreshRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self { session: row.get(0)?, spent: row.get(1)? })
    }
}

/// Inserts an account; `false` if its name is taken.
pub async fn insert_account(tx: &Tx, new: &NewAccount<'_>) -> Result<bool, Error> {
    let rows = tx
        .exec(
            "INSERT INTO account (id, name, name_key, display_name, password_hash, permissions, created_us, language)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (name_key) DO NOTHING",
            &params![
                new.id,
                new.name,
                new.name_key,
                new.display_name,
                new.password_hash,
                new.permissions,
                new.created,
                new.language
            ],
        )
        .await?;
    Ok(rows == 1)
}

/// The account that signs in with a name, by the name's unique form.
pub async fn account_by_name(db: &Db, name_key: &str) -> Result<Option<AccountRow>, Error> {
    db.query_opt(select!("WHERE name_key = $1"), &params![name_key]).await
}

/// The account of an id.
pub async fn account(db: &Db, id: AccountId) -> Result<Option<AccountRow>, Error> {
    db.query_opt(select!("WHERE account.id = $1"), &params![id]).await
}

/// Puts a new password hash in the place of an old one; `false` if the old one is no longer there.
pub async fn replace_password(tx: &Tx, id: AccountId, old: &str, new: &str) -> Result<bool, Error> {
    let rows = tx
        .exec("UPDATE account SET password_hash = $1 WHERE id = $2 AND password_hash = $3", &params![new, id, old])
        .await?;
    Ok(rows == 1)
}

/// Begins a session, unless its account was disabled or got another password in the meantime; `false` if so.
///
/// The look at the hash is what keeps a sign-in with the old password from slipping past a change of password that
/// ended all sessions.
pub async fn insert_session(
    tx: &Tx,
    account: AccountId,
    password_hash: &str,
    session: &SessionRow,
) -> Result<bool, Error> {
    // On PostgreSQL the lock waits for a change of password that is not yet committed, and then sees its hash.
    let sql = Sql {
        lite: "INSERT INTO session (id, account_id, client, created_us, used_us, expires_us)
               SELECT $1, id, $2, $3, $4, $5 FROM account
               WHERE id = $6 AND password_hash = $7 AND disabled_us IS NULL",
        pg: "INSERT INTO session (id, account_id, client, created_us, used_us, expires_us)
             SELECT $1::uuid, id, $2::text, $3::bigint, $4::bigint, $5::bigint FROM account
             WHERE id = $6 AND password_hash = $7 AND disabled_us IS NULL FOR SHARE",
    };
    let rows = tx
        .exec(
            sql,
            &params![
                session.id,
                session.client.as_str(),
                session.created,
                session.used,
                session.expires,
                account,
                password_hash
            ],
        )
        .await?;
    Ok(rows == 1)
}

/// What decides whether a session's tokens are still good.
///
/// Every request that is not answered by a cache asks this, so it is one statement on the caller's own thread.
pub async fn session_state(db: &Db, id: SessionId) -> Result<Option<SessionState>, Error> {
    db.query_opt(
        "SELECT account_id, expires_us, ended_us, disabled_us, permissions
         FROM session JOIN account ON account.id = account_id WHERE session.id = $1",
        &params![id],
    )
    .await
}

/// When a session began.
pub async fn session_began(db: &Db, id: SessionId) -> Result<Option<Time>, Error> {
    let row: Option<(Time,)> = db.query_opt("SELECT created_us FROM session WHERE id = $1", &params![id]).await?;
    Ok(row.map(|(began,)| began))
}

/// Up to `limit` sessions of an account that go on at `now`, in order of their ids, beginning after `after`.
pub async fn live_sessions(
    db: &Db,
    account: AccountId,
    now: Time,
    after: Option<SessionId>,
    limit: u32,
) -> Result<Vec<SessionRow>, Error> {
    let after = after.unwrap_or(SessionId::from_bytes([0; 16]));
    db.query(
        "SELECT id, client, created_us, used_us, expires_us FROM session
         WHERE account_id = $1 AND ended_us IS NULL AND expires_us > $2 AND id > $3 ORDER BY id LIMIT $4",
        &params![account, now, after, limit],
    )
    .await
}

/// Ends one session of an account; `false` if it has no such session that goes on.
pub async fn end_session(tx: &Tx, account: AccountId, id: SessionId, now: Time) -> Result<bool, Error> {
    let rows = tx
        .exec(
            "UPDATE session SET ended_us = $1
             WHERE id = $2 AND account_id = $3 AND ended_us IS NULL AND expires_us > $1",
            &params![now, id, account],
        )
        .await?;
    if rows == 1 {
        tx.announce(Notice::SessionEnded(id));
    }
    Ok(rows == 1)
}

/// Ends every session of an account but one, and returns which.
pub async fn end_other_sessions(
    tx: &Tx,
    account: AccountId,
    keep: SessionId,
    now: Time,
) -> Result<Vec<SessionId>, Error> {
    let rows: Vec<(SessionId,)> = tx
        .query(
            "UPDATE session SET ended_us = $1 WHERE account_id = $2 AND id <> $3 AND ended_us IS NULL RETURNING id",
            &params![now, account, keep],
        )
        .await?;
    let ended: Vec<_> = rows.into_iter().map(|(id,)| id).collect();
    ended.iter().for_each(|id| tx.announce(Notice::SessionEnded(*id)));
    Ok(ended)
}

/// Marks a session as used and moves its end, if it goes on; `None` if it does not.
///
/// Besides, this is the lock under which a session's refresh tokens change, taken before them in every unit of work.
pub async fn touch_session(tx: &Tx, id: SessionId, now: Time, expires: Time) -> Result<Option<AccountId>, Error> {
    let row: Option<(AccountId,)> = tx
        .query_opt(
            "UPDATE session SET used_us = $1, expires_us = $2
             WHERE id = $3 AND ended_us IS NULL AND expires_us > $1
               AND NOT EXISTS (SELECT 1 FROM account WHERE account.id = account_id AND disabled_us IS NOT NULL)
             RETURNING account_id",
            &params![now, expires, id],
        )
        .await?;
    Ok(row.map(|(account,)| account))
}

/// Inserts a refresh token by its hash.
pub async fn insert_refresh(tx: &Tx, hash: &[u8; 32], session: SessionId, issued: Time) -> Result<(), Error> {
    tx.exec(
        "INSERT INTO refresh_token (hash, session_id, issued_us) VALUES ($1, $2, $3)",
        &params![hash.as_slice(), session, issued],
    )
    .await?;
    Ok(())
}

/// The refresh token of a hash.
pub async fn refresh(tx: &Tx, hash: &[u8; 32]) -> Result<Option<RefreshRow>, Error> {
    tx.query_opt("SELECT session_id, spent_us FROM refresh_token WHERE hash = $1", &params![hash.as_slice()]).await
}

/// Spends a refresh token.
pub async fn spend_refresh(tx: &Tx, hash: &[u8; 32], now: Time) -> Result<(), Error> {
    tx.exec("UPDATE refresh_token SET spent_us = $1 WHERE hash = $2", &params![now, hash.as_slice()]).await?;
    Ok(())
}

/// Removes a session's tokens that were spent before `before`.
pub async fn delete_spent_refresh(tx: &Tx, session: SessionId, before: Time) -> Result<(), Error> {
    tx.exec("DELETE FROM refresh_token WHERE session_id = $1 AND spent_us < $2", &params![session, before]).await?;
    Ok(())
}

/// Removes up to `limit` sessions that expired before `before`, with their tokens; returns how many.
pub async fn delete_expired_sessions(tx: &Tx, before: Time, limit: u32) -> Result<u64, Error> {
    let gone: Vec<(SessionId,)> = tx
        .query("SELECT id FROM session WHERE expires_us < $1 ORDER BY expires_us LIMIT $2", &params![before, limit])
        .await?;
    for (id,) in &gone {
        tx.exec("DELETE FROM refresh_token WHERE session_id = $1", &params![*id]).await?;
        tx.exec("DELETE FROM session WHERE id = $1 AND expires_us < $2", &params![*id, before]).await?;
    }
    Ok(gone.len() as u64)
}
