//! What an account keeps for itself, across spaces: favourites, and what it opened lately.

use base::{AccountId, EntryId, SpaceId, Time};

use crate::{Db, Error, Tx, params};

/// Notes a favourite; one that is noted already keeps its time.
pub async fn add_favourite(tx: &Tx, account: AccountId, entry: EntryId, now: Time) -> Result<(), Error> {
    tx.exec(
        "INSERT INTO favourite (account_id, entry_id, added_us) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        &params![account, entry, now],
    )
    .await?;
    Ok(())
}

/// Forgets a favourite; whether it was one.
pub async fn remove_favourite(tx: &Tx, account: AccountId, entry: EntryId) -> Result<bool, Error> {
    let gone =
        tx.exec("DELETE FROM favourite WHERE account_id = $1 AND entry_id = $2", &params![account, entry]).await?;
    Ok(gone > 0)
}

/// How many favourites an account has besides this entry.
pub async fn count_favourites(tx: &Tx, account: AccountId, entry: EntryId) -> Result<u64, Error> {
    let (count,) = tx
        .query_one("SELECT COUNT(*) FROM favourite WHERE account_id = $1 AND entry_id <> $2", &params![account, entry])
        .await?;
    Ok(count)
}

/// Up to `limit` favourites of an account that were noted before `before`, or then and have a lower id; newest first.
pub async fn favourites(
    db: &Db,
    account: AccountId,
    before: (Time, EntryId),
    limit: u32,
) -> Result<Vec<(EntryId, Time)>, Error> {
    db.query(
        "SELECT entry_id, added_us FROM favourite
         WHERE account_id = $1 AND (added_us < $2 OR (added_us = $2 AND entry_id < $3))
         ORDER BY added_us DESC, entry_id DESC LIMIT $4",
        &params![account, before.0, before.1, limit],
    )
    .await
}

/// Notes that an account opened an entry, and forgets all of its openings but the newest `kept`.
pub async fn note_opening(tx: &Tx, account: AccountId, entry: EntryId, now: Time, kept: u32) -> Result<(), Error> {
    tx.exec(
        "INSERT INTO opening (account_id, entry_id, opened_us) VALUES ($1, $2, $3)
         ON CONFLICT (account_id, entry_id) DO UPDATE SET opened_us = excluded.opened_us",
        &params![account, entry, now],
    )
    .await?;
    tx.exec(
        "DELETE FROM opening WHERE account_id = $1 AND opened_us <
             (SELECT opened_us FROM opening WHERE account_id = $1 ORDER BY opened_us DESC LIMIT 1 OFFSET $2)",
        &params![account, kept.max(1) - 1],
    )
    .await?;
    Ok(())
}

/// Up to `limit` openings of an account, newest first.
pub async fn openings(db: &Db, account: AccountId, limit: u32) -> Result<Vec<(EntryId, Time)>, Error> {
    db.query(
        "SELECT entry_id, opened_us FROM opening WHERE account_id = $1 ORDER BY opened_us DESC LIMIT $2",
        &params![account, limit],
    )
    .await
}

/// What an account's newest `limit` changes in a space were made to, and when; newest first, an entry as often as it was
/// changed.
pub async fn changed(db: &Db, space: SpaceId, account: AccountId, limit: u32) -> Result<Vec<(EntryId, Time)>, Error> {
    db.query(
        "SELECT entry_id, at_us FROM journal WHERE space_id = $1 AND actor = $2 ORDER BY sequence DESC LIMIT $3",
        &params![space, account, limit],
    )
    .await
}
