//! What filling a new system with something to look at needs of the database.

use crate::{Db, Error, params};

/// Whether there is nothing yet but the first administrator: nobody else, no team, no group, and nothing in the tree.
pub async fn is_new(db: &Db) -> Result<bool, Error> {
    // A second row is enough to know; nothing is counted to its end.
    let (accounts, spaces, entries, groups): (i64, i64, i64, i64) = db
        .query_one(
            "SELECT (SELECT count(*) FROM (SELECT 1 FROM account LIMIT 2) a),
                    (SELECT count(*) FROM (SELECT 1 FROM space LIMIT 2) s),
                    (SELECT count(*) FROM (SELECT 1 FROM entry LIMIT 2) e),
                    (SELECT count(*) FROM (SELECT 1 FROM account_group LIMIT 1) g)",
            &params![],
        )
        .await?;
    Ok(accounts <= 1 && spaces <= 1 && entries <= 1 && groups == 0)
}
