//! The second factor of accounts: the sealed secret, the newest code that was taken, and recovery codes.

use base::{AccountId, Time};

use crate::{Db, Error, Row, RowReader, Tx, params};

/// The second factor of an account.
#[derive(Debug, Clone)]
pub struct SecondFactorRow {
    /// The secret, encrypted.
    pub sealed: Vec<u8>,
    /// Since when it is asked for; nothing while it is being set up.
    pub confirmed: Option<Time>,
}

impl Row for SecondFactorRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self { sealed: row.get(0)?, confirmed: row.get(1)? })
    }
}

/// The second factor of an account, if there is one.
pub async fn get(db: &Db, account: AccountId) -> Result<Option<SecondFactorRow>, Error> {
    db.query_opt("SELECT sealed, confirmed_us FROM second_factor WHERE account_id = $1", &params![account]).await
}

/// Begins to set one up, in the place of one that was begun before; `false` if the account has one already.
pub async fn begin(tx: &Tx, account: AccountId, sealed: &[u8], now: Time) -> Result<bool, Error> {
    let rows = tx
        .exec(
            "INSERT INTO second_factor (account_id, sealed, created_us, last_step) VALUES ($1, $2, $3, 0)
             ON CONFLICT (account_id) DO UPDATE SET sealed = excluded.sealed, created_us = excluded.created_us
             WHERE second_factor.confirmed_us IS NULL",
            &params![account, sealed, now],
        )
        .await?;
    Ok(rows == 1)
}

/// Has it asked for from now on; `false` if it is not the one that is being set up.
pub async fn confirm(tx: &Tx, account: AccountId, sealed: &[u8], step: u64, now: Time) -> Result<bool, Error> {
    let rows = tx
        .exec(
            "UPDATE second_factor SET confirmed_us = $1, last_step = $2
             WHERE account_id = $3 AND sealed = $4 AND confirmed_us IS NULL",
            &params![now, step, account, sealed],
        )
        .await?;
    Ok(rows == 1)
}

/// Takes the code of a step, if no code of it or of a later one was taken; `false` if one was.
///
/// A step beyond `newest` was taken while the clock was ahead, and does not count: else nobody could sign in until that
/// time comes again.
pub async fn take_step(tx: &Tx, account: AccountId, sealed: &[u8], step: u64, newest: u64) -> Result<bool, Error> {
    let rows = tx
        .exec(
            "UPDATE second_factor SET last_step = $1
             WHERE account_id = $2 AND sealed = $3 AND confirmed_us IS NOT NULL AND (last_step < $1 OR last_step > $4)",
            &params![step, account, sealed, newest],
        )
        .await?;
    Ok(rows == 1)
}

/// Removes it with its recovery codes; `false` if there was none that is asked for.
pub async fn remove(tx: &Tx, account: AccountId) -> Result<bool, Error> {
    tx.exec("DELETE FROM recovery_code WHERE account_id = $1", &params![account]).await?;
    let removed: Option<(Option<Time>,)> = tx
        .query_opt("DELETE FROM second_factor WHERE account_id = $1 RETURNING confirmed_us", &params![account])
        .await?;
    Ok(removed.is_some_and(|(confirmed,)| confirmed.is_some()))
}

/// Puts these recovery codes, by their hashes, in the place of all that the account has.
pub async fn replace_recovery_codes(tx: &Tx, account: AccountId, hashes: &[[u8; 32]]) -> Result<(), Error> {
    tx.exec("DELETE FROM recovery_code WHERE account_id = $1", &params![account]).await?;
    for hash in hashes {
        tx.exec("INSERT INTO recovery_code (account_id, hash) VALUES ($1, $2)", &params![account, hash]).await?;
    }
    Ok(())
}

/// Uses a recovery code up; `false` if there is none of this hash.
pub async fn take_recovery_code(tx: &Tx, account: AccountId, hash: &[u8; 32]) -> Result<bool, Error> {
    let rows =
        tx.exec("DELETE FROM recovery_code WHERE account_id = $1 AND hash = $2", &params![account, hash]).await?;
    Ok(rows == 1)
}

/// How many recovery codes an account has left.
pub async fn recovery_codes(db: &Db, account: AccountId) -> Result<u32, Error> {
    let (count,) = db.query_one("SELECT count(*) FROM recovery_code WHERE account_id = $1", &params![account]).await?;
    Ok(count)
}
