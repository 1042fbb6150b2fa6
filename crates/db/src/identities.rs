//! Accounts at identity providers that are linked to accounts here, the sessions that began by them, and what is good once.

use base::{AccountId, IdentityId, SessionId, Time};

use crate::{Db, Error, Row, RowReader, Sql, Tx, notice::Notice, params};

/// Somebody's account at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityRow {
    /// Which one.
    pub id: IdentityId,
    /// Whose it is.
    pub account: AccountId,
    /// The provider's id in the configuration.
    pub provider: String,
    /// Who somebody is there.
    pub subject: String,
    /// What the provider called them last.
    pub shown: String,
    /// When it was linked.
    pub created: Time,
    /// When it was signed in by last.
    pub used: Option<Time>,
}

impl Row for IdentityRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: row.get(0)?,
            account: row.get(1)?,
            provider: row.get(2)?,
            subject: row.get(3)?,
            shown: row.get(4)?,
            created: row.get(5)?,
            used: row.get(6)?,
        })
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT id, account_id, provider, subject, shown, created_us, used_us FROM identity ", $rest)
    };
}

/// The identity of somebody at a provider, if it is linked.
pub async fn by_subject(db: &Db, provider: &str, subject: &str) -> Result<Option<IdentityRow>, Error> {
    db.query_opt(select!("WHERE provider = $1 AND subject = $2"), &params![provider, subject]).await
}

/// All identities of an account, oldest first.
pub async fn of_account(db: &Db, account: AccountId) -> Result<Vec<IdentityRow>, Error> {
    db.query(select!("WHERE account_id = $1 ORDER BY id"), &params![account]).await
}

/// Links an identity; `false` if somebody has it.
pub async fn insert(tx: &Tx, row: &IdentityRow) -> Result<bool, Error> {
    let rows = tx
        .exec(
            "INSERT INTO identity (id, account_id, provider, subject, shown, created_us, used_us)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (provider, subject) DO NOTHING",
            &params![
                row.id,
                row.account,
                row.provider.as_str(),
                row.subject.as_str(),
                row.shown.as_str(),
                row.created,
                row.used
            ],
        )
        .await?;
    Ok(rows == 1)
}

/// Notes that an identity was signed in by, and what the provider calls it now; `false` if it is not linked any more.
pub async fn touch(tx: &Tx, id: IdentityId, shown: &str, now: Time) -> Result<bool, Error> {
    let rows = tx.exec("UPDATE identity SET shown = $1, used_us = $2 WHERE id = $3", &params![shown, now, id]).await?;
    Ok(rows == 1)
}

/// Unlinks an identity of an account; gives its provider, if it was linked.
pub async fn remove(tx: &Tx, account: AccountId, id: IdentityId) -> Result<Option<String>, Error> {
    let row: Option<(String,)> = tx
        .query_opt("DELETE FROM identity WHERE id = $1 AND account_id = $2 RETURNING provider", &params![id, account])
        .await?;
    Ok(row.map(|(provider,)| provider))
}

/// What an account can sign in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaysIn {
    /// Whether it has a password.
    pub password: bool,
    /// The providers of its identities, each once for each identity.
    pub providers: Vec<String>,
    /// How many passkeys it has.
    pub passkeys: u64,
}

/// What an account can sign in with. Other units of work that ask the same of this account wait until this one is over.
pub async fn ways_in(tx: &Tx, account: AccountId) -> Result<WaysIn, Error> {
    let lock = Sql {
        lite: "SELECT password_hash <> '' FROM account WHERE id = $1",
        pg: "SELECT password_hash <> '' FROM account WHERE id = $1 FOR UPDATE",
    };
    let row: Option<(bool,)> = tx.query_opt(lock, &params![account]).await?;
    let providers: Vec<(String,)> =
        tx.query("SELECT provider FROM identity WHERE account_id = $1", &params![account]).await?;
    let (passkeys,) = tx.query_one("SELECT count(*) FROM passkey WHERE account_id = $1", &params![account]).await?;
    Ok(WaysIn {
        password: row.is_some_and(|(has,)| has),
        providers: providers.into_iter().map(|(provider,)| provider).collect(),
        passkeys,
    })
}

/// Says by which identity a session began, and what its provider calls the session.
pub async fn mark_session(
    tx: &Tx,
    session: SessionId,
    identity: IdentityId,
    provider_session: Option<&str>,
) -> Result<(), Error> {
    tx.exec(
        "UPDATE session SET identity_id = $1, provider_session = $2 WHERE id = $3",
        &params![identity, provider_session, session],
    )
    .await?;
    Ok(())
}

/// The provider by whose identity a session began, if it is still linked.
pub async fn provider_of_session(db: &Db, session: SessionId) -> Result<Option<String>, Error> {
    let row: Option<(String,)> = db
        .query_opt(
            "SELECT provider FROM session JOIN identity ON identity.id = identity_id WHERE session.id = $1",
            &params![session],
        )
        .await?;
    Ok(row.map(|(provider,)| provider))
}

/// Ends the sessions that began by a provider's identity: of one session there, of one person there, or of what both say.
/// Gives which.
pub async fn end_sessions(
    tx: &Tx,
    provider: &str,
    subject: Option<&str>,
    provider_session: Option<&str>,
    now: Time,
) -> Result<Vec<SessionId>, Error> {
    let sql = Sql {
        lite: "UPDATE session SET ended_us = $1
               WHERE ended_us IS NULL AND ($3 IS NULL OR provider_session = $3)
                 AND identity_id IN (SELECT id FROM identity WHERE provider = $2 AND ($4 IS NULL OR subject = $4))
               RETURNING id",
        pg: "UPDATE session SET ended_us = $1
             WHERE ended_us IS NULL AND ($3::text IS NULL OR provider_session = $3::text)
               AND identity_id IN (SELECT id FROM identity WHERE provider = $2
                                                             AND ($4::text IS NULL OR subject = $4::text))
             RETURNING id",
    };
    let rows: Vec<(SessionId,)> = tx.query(sql, &params![now, provider, provider_session, subject]).await?;
    let ended: Vec<_> = rows.into_iter().map(|(id,)| id).collect();
    ended.iter().for_each(|id| tx.announce(Notice::SessionEnded(*id)));
    Ok(ended)
}

/// Uses up what is good once, by its hash; `false` if it was used before. It is remembered until `expires`, after which it
/// must be refused for its age.
pub async fn spend(tx: &Tx, hash: &[u8; 32], expires: Time) -> Result<bool, Error> {
    let rows = tx
        .exec(
            "INSERT INTO spent (hash, expires_us) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING",
            &params![hash, expires],
        )
        .await?;
    Ok(rows == 1)
}

/// Forgets up to `limit` of what was used up and is too old by now.
pub async fn forget_spent(tx: &Tx, before: Time, limit: u32) -> Result<(), Error> {
    tx.exec(
        "DELETE FROM spent WHERE hash IN (SELECT hash FROM spent WHERE expires_us < $1 LIMIT $2)",
        &params![before, limit],
    )
    .await?;
    Ok(())
}
