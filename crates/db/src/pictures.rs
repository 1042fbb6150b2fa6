//! Pictures of people.

use base::{AccountId, Time};

use crate::{Db, Error, Row, RowReader, Sql, Tx, params};

/// The version of the picture of the account whose id is the given expression, or null, as a column; for `concat!`.
macro_rules! picture_of {
    ($id:literal) => {
        concat!("(SELECT version FROM picture WHERE picture.account_id = ", $id, ")")
    };
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureRow {
    /// What differs where the bytes differ.
    pub version: String,
    /// What the bytes are, for example `image/png`.
    pub media_type: String,
    /// Since when it is the account's.
    pub changed: Time,
    /// The picture as it was sent.
    pub bytes: Vec<u8>,
}

impl Row for PictureRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self { version: row.get(0)?, media_type: row.get(1)?, changed: row.get(2)?, bytes: row.get(3)? })
    }
}

/// The picture of an account.
pub async fn of_account(db: &Db, account: AccountId) -> Result<Option<PictureRow>, Error> {
    db.query_opt("SELECT version, media_type, changed_us, bytes FROM picture WHERE account_id = $1", &params![account])
        .await
}

/// Gives an account a picture in the place of what it has; `false` if there is no such account, or it is disabled.
pub async fn put(tx: &Tx, account: AccountId, picture: &PictureRow) -> Result<bool, Error> {
    // On PostgreSQL the lock keeps an account that is being ended from getting one afterwards.
    let sql = Sql {
        lite: "INSERT INTO picture (account_id, version, media_type, changed_us, bytes)
               SELECT id, $2, $3, $4, $5 FROM account WHERE id = $1 AND disabled_us IS NULL
               ON CONFLICT (account_id) DO UPDATE SET version = excluded.version, media_type = excluded.media_type,
                   changed_us = excluded.changed_us, bytes = excluded.bytes",
        pg: "INSERT INTO picture (account_id, version, media_type, changed_us, bytes)
             SELECT id, $2::text, $3::text, $4::bigint, $5::bytea FROM account
             WHERE id = $1 AND disabled_us IS NULL FOR SHARE
             ON CONFLICT (account_id) DO UPDATE SET version = excluded.version, media_type = excluded.media_type,
                 changed_us = excluded.changed_us, bytes = excluded.bytes",
    };
    let (version, media_type) = (picture.version.as_str(), picture.media_type.as_str());
    let rows = tx.exec(sql, &params![account, version, media_type, picture.changed, &picture.bytes]).await?;
    Ok(rows == 1)
}

/// Takes an account's picture away; `false` if it has none.
pub async fn remove(tx: &Tx, account: AccountId) -> Result<bool, Error> {
    Ok(tx.exec("DELETE FROM picture WHERE account_id = $1", &params![account]).await? == 1)
}
