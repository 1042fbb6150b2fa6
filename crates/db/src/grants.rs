//! Roles that people were given on entries of spaces that are not their own.

use base::{AccountId, EntryId, GrantId, GroupId, SpaceId, Time, limits};
use uuid::Uuid;

use crate::{Db, Error, Row, RowReader, Tx, notice::Notice, params, tree::EntryRow};

/// How many columns [`GrantRow`] takes.
const GRANT_COLUMNS: usize = 9;

/// The columns of a [`GrantRow`], for `concat!`.
macro_rules! grant_columns {
    () => {
        "g.id, g.space_id, g.entry_id, g.subject_kind, g.subject_id, g.role, g.expires_us, g.created_us, g.created_by"
    };
}

/// Who is meant: `$n` is the account. The zeros are everyone's.
macro_rules! meant {
    ($account:literal) => {
        concat!(
            "(g.subject_id = ",
            $account,
            " OR (g.subject_kind = 2) OR g.subject_id IN
               (SELECT m.group_id FROM account_group_member m WHERE m.account_id = ",
            $account,
            "))"
        )
    };
}

/// Whom a role was given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// An account.
    Account(AccountId),
    /// Whoever is in a group.
    Group(GroupId),
    /// Everyone who is signed in.
    Everyone,
}

impl Subject {
    fn columns(self) -> (u32, Uuid) {
        match self {
            Self::Account(id) => (0, id.0),
            Self::Group(id) => (1, id.0),
            Self::Everyone => (2, Uuid::nil()),
        }
    }

    fn read(kind: u32, id: Uuid) -> Result<Self, Error> {
        match kind {
            0 => Ok(Self::Account(AccountId(id))),
            1 => Ok(Self::Group(GroupId(id))),
            2 => Ok(Self::Everyone),
            other => Err(Error::Shape(format!("{other} is no kind of a subject"))),
        }
    }
}

/// A role on an entry and on all below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantRow {
    /// Which one.
    pub id: GrantId,
    /// The space of the entry.
    pub space: SpaceId,
    /// The entry.
    pub entry: EntryId,
    /// Whom it was given to.
    pub subject: Subject,
    /// 1 viewer, 2 commenter, 3 editor, 4 manager.
    pub role: u32,
    /// When it ends.
    pub expires: Option<Time>,
    /// When it was given.
    pub created: Time,
    /// By whom.
    pub created_by: AccountId,
}

impl Row for GrantRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: row.get(0)?,
            space: row.get(1)?,
            entry: row.get(2)?,
            subject: Subject::read(row.get(3)?, row.get(4)?)?,
            role: row.get(5)?,
            expires: row.get(6)?,
            created: row.get(7)?,
            created_by: row.get(8)?,
        })
    }
}

/// A grant with its entry.
#[derive(Debug, Clone)]
pub struct SharedRow {
    /// The grant.
    pub grant: GrantRow,
    /// The entry.
    pub entry: EntryRow,
}

impl Row for SharedRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self { grant: GrantRow::read(row)?, entry: EntryRow::read_at(row, GRANT_COLUMNS)? })
    }
}

/// A step of the walk up from an entry, as far as it tells something of an account's role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// How far up.
    pub level: u64,
    /// Whether the entry has no folder: the root, or the top of what is in the trash.
    pub top: bool,
    /// A role that holds here, and when it ends.
    pub role: Option<(u32, Option<Time>)>,
}

impl Row for Step {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        let role: Option<u32> = row.get(2)?;
        let expires: Option<Time> = row.get(3)?;
        let top: u32 = row.get(1)?;
        Ok(Self { level: row.get(0)?, top: top != 0, role: role.map(|role| (role, expires)) })
    }
}

/// Walks up from an entry, through the trash to the folder that the trashed entry was in, and looks for what the account was
/// given on the way. Twice the greatest depth, since what is in the trash may lie deep in what was deep.
const ROLES: &str = concat!(
    "WITH RECURSIVE up (id, parent_id, level) AS (
         SELECT id, parent_id, CAST(0 AS BIGINT) FROM entry WHERE space_id = $1 AND id = $2
         UNION ALL
         SELECT e.id, e.parent_id, up.level + 1 FROM up JOIN entry e ON e.space_id = $1
            AND e.id = COALESCE(up.parent_id, (SELECT t.parent_id FROM trash t WHERE t.entry_id = up.id))
         WHERE up.level <= $4
     )
     SELECT up.level, CASE WHEN up.parent_id IS NULL THEN 1 ELSE 0 END, g.role, g.expires_us
     FROM up LEFT JOIN entry_grant g ON g.entry_id = up.id AND ",
    meant!("$3"),
    " WHERE g.role IS NOT NULL OR up.parent_id IS NULL ORDER BY up.level"
);

/// What an account was given on an entry and the folders above it, nearest first, with the tops that the walk passes.
pub async fn roles(tx: &Tx, space: SpaceId, entry: EntryId, account: AccountId) -> Result<Vec<Step>, Error> {
    tx.query(ROLES, &params![space, entry, account, 2 * limits::DEPTH_MAX as u64]).await
}

/// The same outside a unit of work.
pub async fn find_roles(db: &Db, space: SpaceId, entry: EntryId, account: AccountId) -> Result<Vec<Step>, Error> {
    db.query(ROLES, &params![space, entry, account, 2 * limits::DEPTH_MAX as u64]).await
}

/// Whether an account was given a role on anything in a space.
pub async fn any_in(db: &Db, space: SpaceId, account: AccountId, now: Time) -> Result<bool, Error> {
    let row: Option<(i64,)> = db
        .query_opt(
            concat!(
                "SELECT 1 FROM entry_grant g WHERE g.space_id = $1 AND (g.expires_us IS NULL OR g.expires_us > $3) AND ",
                meant!("$2"),
                " LIMIT 1"
            ),
            &params![space, account, now],
        )
        .await?;
    Ok(row.is_some())
}

/// Which of the entries that changes of a space are about, with numbers above `after` and not above `upto`, are in its tree
/// and at or below something that the account was given a role on.
pub async fn seen_changes(
    db: &Db,
    (space, root): (SpaceId, EntryId),
    account: AccountId,
    (after, upto): (u64, u64),
    now: Time,
) -> Result<Vec<EntryId>, Error> {
    let rows: Vec<(EntryId,)> = db
        .query(
            concat!(
                "WITH RECURSIVE seed (id) AS (
                     SELECT DISTINCT j.entry_id FROM journal j
                     WHERE j.space_id = $1 AND j.sequence > $4 AND j.sequence <= $5
                 ), up (seed, id, parent_id, level) AS (
                     SELECT e.id, e.id, e.parent_id, CAST(0 AS BIGINT)
                     FROM seed JOIN entry e ON e.space_id = $1 AND e.id = seed.id
                     UNION ALL
                     SELECT up.seed, e.id, e.parent_id, up.level + 1
                     FROM up JOIN entry e ON e.space_id = $1 AND e.id = up.parent_id
                     WHERE up.level <= $7
                 )
                 SELECT up.seed FROM up LEFT JOIN entry_grant g ON g.entry_id = up.id
                    AND (g.expires_us IS NULL OR g.expires_us > $6) AND ",
                meant!("$3"),
                " GROUP BY up.seed
                  HAVING COUNT(g.id) > 0 AND SUM(CASE WHEN up.id = $2 THEN 1 ELSE 0 END) > 0"
            ),
            &params![space, root, account, after, upto, now, limits::DEPTH_MAX as u64],
        )
        .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// A grant.
pub async fn find(db: &Db, id: GrantId) -> Result<Option<GrantRow>, Error> {
    db.query_opt(concat!("SELECT ", grant_columns!(), " FROM entry_grant g WHERE g.id = $1"), &params![id]).await
}

/// A grant, inside a unit of work that holds its space's row.
pub async fn grant(tx: &Tx, id: GrantId) -> Result<Option<GrantRow>, Error> {
    tx.query_opt(concat!("SELECT ", grant_columns!(), " FROM entry_grant g WHERE g.id = $1"), &params![id]).await
}

/// What a subject was given on an entry itself.
pub async fn of_subject(tx: &Tx, entry: EntryId, subject: Subject) -> Result<Option<GrantRow>, Error> {
    tx.query_opt(
        concat!("SELECT ", grant_columns!(), " FROM entry_grant g WHERE g.entry_id = $1 AND g.subject_id = $2"),
        &params![entry, subject.columns().1],
    )
    .await
}

/// All that was given on an entry, oldest first.
pub async fn of_entry(db: &Db, entry: EntryId) -> Result<Vec<GrantRow>, Error> {
    db.query(
        concat!("SELECT ", grant_columns!(), " FROM entry_grant g WHERE g.entry_id = $1 ORDER BY g.id"),
        &params![entry],
    )
    .await
}

/// How many grants an entry has.
pub async fn count_of_entry(tx: &Tx, entry: EntryId) -> Result<u64, Error> {
    let row: Option<(u64,)> =
        tx.query_opt("SELECT COUNT(*) FROM entry_grant WHERE entry_id = $1", &params![entry]).await?;
    Ok(row.map_or(0, |(count,)| count))
}

/// Accounts and groups that manage an entry for ever, other than by the grant `but`.
pub async fn managers_but(tx: &Tx, entry: EntryId, but: GrantId) -> Result<u64, Error> {
    let row: Option<(u64,)> = tx
        .query_opt(
            "SELECT COUNT(*) FROM entry_grant
             WHERE entry_id = $1 AND id <> $2 AND role = 4 AND subject_kind = 0 AND expires_us IS NULL",
            &params![entry, but],
        )
        .await?;
    Ok(row.map_or(0, |(count,)| count))
}

/// A team's space with its root and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamRow {
    /// The space.
    pub space: SpaceId,
    /// Its root.
    pub root: EntryId,
    /// What people call it.
    pub name: String,
}

impl Row for TeamRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self { space: row.get(0)?, root: row.get(1)?, name: row.get(2)? })
    }
}

/// The teams' spaces that nobody but this account manages for ever.
pub async fn managed_alone(db: &Db, account: AccountId) -> Result<Vec<TeamRow>, Error> {
    db.query(
        "SELECT s.id, s.root_id, s.name FROM entry_grant g JOIN space s ON s.id = g.space_id AND s.root_id = g.entry_id
         WHERE g.subject_id = $1 AND g.role = 4 AND g.expires_us IS NULL AND s.kind = 'team'
           AND NOT EXISTS (SELECT 1 FROM entry_grant o
                           WHERE o.entry_id = g.entry_id AND o.id <> g.id AND o.role = 4 AND o.subject_kind = 0
                             AND o.expires_us IS NULL)
         ORDER BY s.id",
        &params![account],
    )
    .await
}

/// Groups with more members are not told one by one what they were given.
const TOLD_MAX: u32 = 200;

/// Lets those who are meant know that what they were given became another, once that is committed.
async fn tell(tx: &Tx, subject: Subject) -> Result<(), Error> {
    match subject {
        Subject::Account(account) => tx.announce(Notice::Given(account)),
        Subject::Group(group) => {
            let members: Vec<(AccountId,)> = tx
                .query(
                    "SELECT account_id FROM account_group_member WHERE group_id = $1 LIMIT $2",
                    &params![group, TOLD_MAX + 1],
                )
                .await?;
            if members.len() <= TOLD_MAX as usize {
                members.into_iter().for_each(|(account,)| tx.announce(Notice::Given(account)));
            }
        }
        Subject::Everyone => {}
    }
    Ok(())
}

/// The same for whoever was given something on this entry, when what is said of it becomes another thing.
pub async fn tell_all(tx: &Tx, entry: EntryId) -> Result<(), Error> {
    let given: Vec<GrantRow> = tx
        .query(concat!("SELECT ", grant_columns!(), " FROM entry_grant g WHERE g.entry_id = $1"), &params![entry])
        .await?;
    for row in given {
        tell(tx, row.subject).await?;
    }
    Ok(())
}

/// Inserts a grant.
pub async fn insert(tx: &Tx, row: &GrantRow) -> Result<(), Error> {
    let (kind, subject) = row.subject.columns();
    tx.exec(
        "INSERT INTO entry_grant (id, space_id, entry_id, subject_kind, subject_id, role, expires_us, created_us,
                                  created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &params![row.id, row.space, row.entry, kind, subject, row.role, row.expires, row.created, row.created_by],
    )
    .await?;
    tell(tx, row.subject).await
}

/// Writes role and end of a grant.
pub async fn update(tx: &Tx, row: &GrantRow, role: u32, expires: Option<Time>) -> Result<(), Error> {
    tx.exec("UPDATE entry_grant SET role = $1, expires_us = $2 WHERE id = $3", &params![role, expires, row.id]).await?;
    tell(tx, row.subject).await
}

/// Removes a grant.
pub async fn delete(tx: &Tx, row: &GrantRow) -> Result<(), Error> {
    tx.exec("DELETE FROM entry_grant WHERE id = $1", &params![row.id]).await?;
    tell(tx, row.subject).await
}

/// Says that roles in a space may have become others: whoever remembers one asks again.
pub async fn raise_rights(tx: &Tx, space: SpaceId) -> Result<(), Error> {
    tx.exec("UPDATE space SET rights = rights + 1 WHERE id = $1", &params![space]).await?;
    Ok(())
}

/// Up to `limit` grants by which an account sees an entry that is no root and not in the trash itself, after `after`.
pub async fn shared_with(
    db: &Db,
    account: AccountId,
    after: Option<GrantId>,
    now: Time,
    limit: u32,
) -> Result<Vec<SharedRow>, Error> {
    db.query(
        concat!(
            "SELECT ",
            grant_columns!(),
            ", ",
            entry_columns!(),
            " FROM (SELECT a.id FROM account a WHERE a.id = $1 UNION ALL
                    SELECT m.group_id FROM account_group_member m WHERE m.account_id = $1 UNION ALL SELECT $5) w
             JOIN entry_grant g ON g.subject_id = w.id JOIN entry e ON e.space_id = g.space_id AND e.id = g.entry_id
             WHERE g.id > $2 AND (g.expires_us IS NULL OR g.expires_us > $3) AND e.parent_id IS NOT NULL
               AND g.created_by <> $1
             ORDER BY g.id LIMIT $4"
        ),
        &params![account, after.unwrap_or(GrantId::from_bytes([0; 16])), now, limit, Uuid::nil()],
    )
    .await
}

/// Up to `limit` grants that an account gave on entries that are no roots, after `after`.
pub async fn shared_by(
    db: &Db,
    account: AccountId,
    after: Option<GrantId>,
    limit: u32,
) -> Result<Vec<SharedRow>, Error> {
    db.query(
        concat!(
            "SELECT ",
            grant_columns!(),
            ", ",
            entry_columns!(),
            " FROM entry_grant g JOIN entry e ON e.space_id = g.space_id AND e.id = g.entry_id
             WHERE g.created_by = $1 AND g.id > $2 AND e.parent_id IS NOT NULL ORDER BY g.id LIMIT $3"
        ),
        &params![account, after.unwrap_or(GrantId::from_bytes([0; 16])), limit],
    )
    .await
}

/// Removes up to `limit` grants whose entry is gone for good, or that ended before `before`; how many there were.
pub async fn sweep(tx: &Tx, before: Time, limit: u32) -> Result<u64, Error> {
    tx.exec(
        "DELETE FROM entry_grant WHERE id IN (
             SELECT g.id FROM entry_grant g
             WHERE g.expires_us < $1
                OR NOT EXISTS (SELECT 1 FROM entry e WHERE e.space_id = g.space_id AND e.id = g.entry_id)
             LIMIT $2)",
        &params![before, limit],
    )
    .await
}
