//! Finding people and groups by the beginnings of their names' words.

use base::AccountId;
use uuid::Uuid;

use crate::{Db, Error, Row, RowReader, Tx, params};

/// Kind of an account among those that are found.
pub const ACCOUNT: u32 = 0;

/// Kind of a group.
pub const GROUP: u32 = 1;

/// Somebody, or a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRow {
    /// [`ACCOUNT`] or [`GROUP`].
    pub kind: u32,
    /// Which one.
    pub id: Uuid,
    /// The name; of an account, what its owner signs in with.
    pub name: String,
    /// What others see of an account; of a group its name again.
    pub display_name: String,
    /// The version of an account's picture, if it has one.
    pub picture: Option<String>,
}

impl Row for FoundRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            kind: row.get(0)?,
            id: row.get(1)?,
            name: row.get(2)?,
            display_name: row.get(3)?,
            picture: row.get(4)?,
        })
    }
}

/// What is shown of an account in lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamesRow {
    /// What its owner signs in with.
    pub name: String,
    /// What others see.
    pub display_name: String,
    /// The version of its picture, if it has one.
    pub picture: Option<String>,
}

impl Row for NamesRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self { name: row.get(0)?, display_name: row.get(1)?, picture: row.get(2)? })
    }
}

/// The names of an account, if there is one of this id.
pub async fn names(db: &Db, id: AccountId) -> Result<Option<NamesRow>, Error> {
    db.query_opt(
        concat!("SELECT name, display_name, ", picture_of!("account.id"), " FROM account WHERE id = $1"),
        &params![id],
    )
    .await
}

/// Replaces the words by which an account or a group is found.
pub async fn set_words(tx: &Tx, kind: u32, id: Uuid, words: &[String]) -> Result<(), Error> {
    tx.exec("DELETE FROM people_word WHERE subject_id = $1", &params![id]).await?;
    for word in words {
        tx.exec(
            "INSERT INTO people_word (word, kind, subject_id) VALUES ($1, $2, $3)
             ON CONFLICT (word, kind, subject_id) DO NOTHING",
            &params![word, kind, id],
        )
        .await?;
    }
    Ok(())
}

/// Up to `limit` groups and accounts that are not disabled, one of whose words begins with `start`, in the order of those
/// words. `start` is in lower case.
pub async fn find(db: &Db, start: &str, limit: u32) -> Result<Vec<FoundRow>, Error> {
    // The last code point is above all that a word holds.
    let end = format!("{start}\u{10ffff}");
    db.query(
        concat!(
            "SELECT w.kind, w.subject_id, COALESCE(a.name, g.name), COALESCE(a.display_name, g.name), ",
            picture_of!("a.id"),
            " FROM (SELECT kind, subject_id, MIN(word) AS word FROM people_word WHERE word >= $1 AND word < $2
                    GROUP BY kind, subject_id ORDER BY MIN(word) LIMIT $3) w
             LEFT JOIN account a ON w.kind = 0 AND a.id = w.subject_id AND a.disabled_us IS NULL
             LEFT JOIN account_group g ON w.kind = 1 AND g.id = w.subject_id
             WHERE a.id IS NOT NULL OR g.id IS NOT NULL
             ORDER BY w.kind DESC, w.word, w.subject_id"
        ),
        &params![start, end.as_str(), limit],
    )
    .await
}
