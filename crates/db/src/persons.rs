//! Changes of accounts, and the list of them that administrators see.

use base::{AccountId, SessionId, Time};

use crate::{Db, Error, Row, RowReader, Tx, accounts::AccountRow, params};

/// An account as administrators see it.
#[derive(Debug, Clone)]
pub struct PersonRow {
    /// The account with its personal space.
    pub account: AccountRow,
    /// The bound of the personal space.
    pub quota_bytes: Option<u64>,
    /// What is in it.
    pub used_bytes: u64,
    /// Whether a second factor is asked for.
    pub second_factor: bool,
    /// The unique form of the name, in whose order accounts are listed.
    pub name_key: String,
}

impl Row for PersonRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        let account = AccountRow::read(row)?;
        Ok(Self {
            account,
            quota_bytes: row.get(12)?,
            used_bytes: row.get(13)?,
            second_factor: row.get(14)?,
            name_key: row.get(15)?,
        })
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT account.id, account.name, display_name, password_hash, permissions, account.created_us, disabled_us,
                    space.id, root_id, language, email, ",
            picture_of!("account.id"),
            ", quota_bytes, used_bytes,
                    EXISTS (SELECT 1 FROM second_factor f WHERE f.account_id = account.id AND confirmed_us IS NOT NULL),
                    name_key
             FROM account JOIN space ON owner_id = account.id AND kind = 'personal' ",
            $rest
        )
    };
}

/// One account as administrators see it.
pub async fn person(db: &Db, id: AccountId) -> Result<Option<PersonRow>, Error> {
    db.query_opt(select!("WHERE account.id = $1"), &params![id]).await
}

/// Up to `limit` accounts in order of their names, beginning after the name `after`, that have `search` (in lower case) in
/// their name, shown name or address; all, for an empty one.
pub async fn people(db: &Db, search: &str, after: &str, limit: u32) -> Result<Vec<PersonRow>, Error> {
    let escaped = search.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    let pattern = format!("%{escaped}%");
    db.query(
        select!(
            "WHERE name_key > $1
               AND (name_key LIKE $2 ESCAPE '\\' OR email_key LIKE $2 ESCAPE '\\'
                    OR lower(display_name) LIKE $2 ESCAPE '\\')
             ORDER BY name_key LIMIT $3"
        ),
        &params![after, &pattern, limit],
    )
    .await
}

/// The account of an address, by its unique form.
pub async fn by_email(db: &Db, email_key: &str) -> Result<Option<AccountRow>, Error> {
    let found: Option<PersonRow> = db.query_opt(select!("WHERE email_key = $1"), &params![email_key]).await?;
    Ok(found.map(|person| person.account))
}

/// Changes what is shown of an account, and its language, as far as they are given.
pub async fn update_profile(
    tx: &Tx,
    id: AccountId,
    display_name: Option<&str>,
    language: Option<&str>,
) -> Result<(), Error> {
    tx.exec(
        "UPDATE account SET display_name = coalesce($1, display_name), language = coalesce($2, language) WHERE id = $3",
        &params![display_name, language, id],
    )
    .await?;
    Ok(())
}

/// Sets an account's address (as written, and the form that is unique), or removes it; `false` if another account has it.
pub async fn set_email(tx: &Tx, id: AccountId, email: Option<(&str, &str)>) -> Result<bool, Error> {
    let (shown, key) = email.unzip();
    if let Some(key) = key {
        let (others,): (u64,) =
            tx.query_one("SELECT count(*) FROM account WHERE email_key = $1 AND id <> $2", &params![key, id]).await?;
        if others > 0 {
            return Ok(false);
        }
    }
    tx.exec("UPDATE account SET email = $1, email_key = $2 WHERE id = $3", &params![shown, key, id]).await?;
    // What was mailed to the old address opens nothing any more.
    tx.exec("DELETE FROM ticket WHERE account_id = $1 AND kind = 'reset' AND used_us IS NULL", &params![id]).await?;
    Ok(true)
}

/// Sets a password's hash, whatever it was.
pub async fn set_password(tx: &Tx, id: AccountId, hash: &str) -> Result<(), Error> {
    tx.exec("UPDATE account SET password_hash = $1 WHERE id = $2", &params![hash, id]).await?;
    Ok(())
}

/// Sets an account's permissions.
pub async fn set_permissions(tx: &Tx, id: AccountId, words: &str) -> Result<(), Error> {
    tx.exec("UPDATE account SET permissions = $1 WHERE id = $2", &params![words, id]).await?;
    Ok(())
}

/// Disables an account since a time, or enables it.
pub async fn set_disabled(tx: &Tx, id: AccountId, since: Option<Time>) -> Result<(), Error> {
    tx.exec("UPDATE account SET disabled_us = $1 WHERE id = $2", &params![since, id]).await?;
    Ok(())
}

/// Sets the bound of an account's personal space for it alone, whatever its plan says, or removes it.
pub async fn set_quota(tx: &Tx, id: AccountId, quota_bytes: Option<u64>) -> Result<(), Error> {
    tx.exec(
        "UPDATE space SET quota_bytes = $1, quota_own = 1 WHERE owner_id = $2 AND kind = 'personal'",
        &params![quota_bytes, id],
    )
    .await?;
    Ok(())
}

/// Ends all sessions of an account, and returns which.
pub async fn end_sessions(tx: &Tx, id: AccountId, now: Time) -> Result<Vec<SessionId>, Error> {
    crate::accounts::end_other_sessions(tx, id, SessionId::from_bytes([0; 16]), now).await
}

/// Has other changes of administrators wait until this unit of work is over: without this, of two who take each other's
/// permission at once each would see the other still have it.
pub async fn lock_administrators(tx: &Tx) -> Result<(), Error> {
    tx.exec(
        "INSERT INTO setting (key, value) VALUES ('administrators', '') ON CONFLICT (key) DO UPDATE SET value = ''",
        &params![],
    )
    .await?;
    Ok(())
}

/// How many accounts that are not disabled may administer accounts.
pub async fn administrators(tx: &Tx) -> Result<u64, Error> {
    let (count,) = tx
        .query_one(
            "SELECT count(*) FROM account
             WHERE disabled_us IS NULL AND ' ' || permissions || ' ' LIKE '% admin.users %'",
            &params![],
        )
        .await?;
    Ok(count)
}

/// What an account is called that has ended. No account name has a space, so nobody signs in or registers as this.
const ENDED: &str = "ended account";

/// Takes all from an account that makes it somebody: names, address, picture, password, permissions, keys, second factor, what it was
/// given, and by what it is found. The row stays, since the history names it.
pub async fn erase(tx: &Tx, id: AccountId, now: Time) -> Result<(), Error> {
    let of_account = params![id];
    for statement in [
        "DELETE FROM credential WHERE account_id = $1",
        "DELETE FROM second_factor WHERE account_id = $1",
        "DELETE FROM recovery_code WHERE account_id = $1",
        "DELETE FROM identity WHERE account_id = $1",
        "DELETE FROM passkey WHERE account_id = $1",
        "DELETE FROM picture WHERE account_id = $1",
        "DELETE FROM ticket WHERE account_id = $1",
        "DELETE FROM account_group_member WHERE account_id = $1",
        "DELETE FROM entry_grant WHERE subject_id = $1",
        "DELETE FROM people_word WHERE subject_id = $1",
        "DELETE FROM favourite WHERE account_id = $1",
        "DELETE FROM opening WHERE account_id = $1",
    ] {
        tx.exec(statement, &of_account).await?;
    }
    let key = format!("{ENDED} {id}");
    tx.exec(
        "UPDATE account SET name = $1, name_key = $2, display_name = '', email = NULL, email_key = NULL,
                            password_hash = '', permissions = '', disabled_us = COALESCE(disabled_us, $3)
         WHERE id = $4",
        &params![ENDED, key.as_str(), now, id],
    )
    .await?;
    Ok(())
}

/// The permissions of an account, whether or not it still has a space of its own.
pub async fn permissions(db: &Db, id: AccountId) -> Result<Option<String>, Error> {
    let row: Option<(String,)> = db.query_opt("SELECT permissions FROM account WHERE id = $1", &params![id]).await?;
    Ok(row.map(|(words,)| words))
}
