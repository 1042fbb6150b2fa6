//! Groups of accounts.

use base::{AccountId, GroupId, SpaceId, Time};

use crate::{Db, Error, Row, RowReader, Sql, Tx, notice::Notice, params};

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRow {
    /// Which one.
    pub id: GroupId,
    /// What it is called.
    pub name: String,
    /// When it was made.
    pub created: Time,
    /// How many accounts are in it.
    pub members: u64,
}

impl Row for GroupRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self { id: row.get(0)?, name: row.get(1)?, created: row.get(2)?, members: row.get(3)? })
    }
}

/// An account in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    /// Which account.
    pub account: AccountId,
    /// What its owner signs in with.
    pub name: String,
    /// What others see.
    pub display_name: String,
    /// When it came into the group.
    pub added: Time,
    /// The version of its picture, if it has one.
    pub picture: Option<String>,
}

impl Row for MemberRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            account: row.get(0)?,
            name: row.get(1)?,
            display_name: row.get(2)?,
            added: row.get(3)?,
            picture: row.get(4)?,
        })
    }
}

/// The columns of a [`GroupRow`], for `concat!`.
macro_rules! group_columns {
    () => {
        "g.id, g.name, g.created_us, (SELECT COUNT(*) FROM account_group_member m WHERE m.group_id = g.id)"
    };
}

/// A group.
pub async fn find(db: &Db, id: GroupId) -> Result<Option<GroupRow>, Error> {
    db.query_opt(concat!("SELECT ", group_columns!(), " FROM account_group g WHERE g.id = $1"), &params![id]).await
}

/// The group of a name, by the name's unique form.
pub async fn by_name(db: &Db, key: &str) -> Result<Option<GroupRow>, Error> {
    db.query_opt(concat!("SELECT ", group_columns!(), " FROM account_group g WHERE g.name_key = $1"), &params![key])
        .await
}

/// Up to `limit` groups after `after`, oldest first.
pub async fn list(db: &Db, after: Option<GroupId>, limit: u32) -> Result<Vec<GroupRow>, Error> {
    db.query(
        concat!("SELECT ", group_columns!(), " FROM account_group g WHERE g.id > $1 ORDER BY g.id LIMIT $2"),
        &params![after.unwrap_or(GroupId::from_bytes([0; 16])), limit],
    )
    .await
}

/// The groups that an account is in.
pub async fn of_account(db: &Db, account: AccountId) -> Result<Vec<GroupRow>, Error> {
    db.query(
        concat!(
            "SELECT ",
            group_columns!(),
            " FROM account_group g JOIN account_group_member a ON a.group_id = g.id WHERE a.account_id = $1 ORDER BY g.id"
        ),
        &params![account],
    )
    .await
}

/// Up to `limit` accounts of a group with ids above `after`.
pub async fn members(db: &Db, group: GroupId, after: Option<AccountId>, limit: u32) -> Result<Vec<MemberRow>, Error> {
    db.query(
        concat!(
            "SELECT a.id, a.name, a.display_name, m.added_us, ",
            picture_of!("a.id"),
            " FROM account_group_member m JOIN account a ON a.id = m.account_id
             WHERE m.group_id = $1 AND m.account_id > $2 ORDER BY m.account_id LIMIT $3"
        ),
        &params![group, after.unwrap_or(AccountId::from_bytes([0; 16])), limit],
    )
    .await
}

/// Inserts a group; false if its name is taken.
pub async fn insert(tx: &Tx, id: GroupId, name: &str, key: &str, now: Time) -> Result<bool, Error> {
    let done = tx
        .exec(
            "INSERT INTO account_group (id, name, name_key, created_us) VALUES ($1, $2, $3, $4)
             ON CONFLICT (name_key) DO NOTHING",
            &params![id, name, key, now],
        )
        .await?;
    Ok(done == 1)
}

/// Renames a group; false if there is none of this id, or another one has the name.
pub async fn rename(tx: &Tx, id: GroupId, name: &str, key: &str) -> Result<bool, Error> {
    let done = tx
        .exec(
            "UPDATE account_group SET name = $1, name_key = $2
             WHERE id = $3 AND NOT EXISTS (SELECT 1 FROM account_group o WHERE o.name_key = $2 AND o.id <> $3)",
            &params![name, key, id],
        )
        .await?;
    Ok(done == 1)
}

/// Removes a group with all that it was given; false if there is none.
pub async fn delete(tx: &Tx, id: GroupId) -> Result<bool, Error> {
    tx.exec("DELETE FROM account_group_member WHERE group_id = $1", &params![id]).await?;
    tx.exec("DELETE FROM entry_grant WHERE subject_id = $1", &params![id]).await?;
    Ok(tx.exec("DELETE FROM account_group WHERE id = $1", &params![id]).await? == 1)
}

/// Puts an account into a group; false if it was there.
pub async fn add(tx: &Tx, group: GroupId, account: AccountId, now: Time) -> Result<bool, Error> {
    let done = tx
        .exec(
            "INSERT INTO account_group_member (group_id, account_id, added_us) VALUES ($1, $2, $3)
             ON CONFLICT (group_id, account_id) DO NOTHING",
            &params![group, account, now],
        )
        .await?;
    tx.announce(Notice::Given(account));
    Ok(done == 1)
}

/// Takes an account out of a group; false if it was not there.
pub async fn remove(tx: &Tx, group: GroupId, account: AccountId) -> Result<bool, Error> {
    let done = tx
        .exec("DELETE FROM account_group_member WHERE group_id = $1 AND account_id = $2", &params![group, account])
        .await?;
    tx.announce(Notice::Given(account));
    Ok(done == 1)
}

/// Locks the spaces in which a group was given something, always in the same order, so that two who do it never wait for
/// each other.
const LOCK: Sql = Sql {
    lite: "SELECT s.id FROM space s WHERE s.id IN (SELECT space_id FROM entry_grant WHERE subject_id = $1)",
    pg: "SELECT s.id FROM space s WHERE s.id IN (SELECT space_id FROM entry_grant WHERE subject_id = $1)
         ORDER BY s.id FOR UPDATE",
};

/// Says that roles may have become others in all spaces in which a group was given something. To be called before anything
/// else of the unit of work: it takes the rows of those spaces.
pub async fn raise_rights(tx: &Tx, group: GroupId) -> Result<(), Error> {
    let spaces: Vec<(SpaceId,)> = tx.query(LOCK, &params![group]).await?;
    for (space,) in spaces {
        crate::grants::raise_rights(tx, space).await?;
    }
    Ok(())
}
