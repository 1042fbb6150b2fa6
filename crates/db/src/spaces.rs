//! Spaces: the trees that people own alone or in teams, with their counters.

use base::{AccountId, EntryId, SpaceId, Time};
use uuid::Uuid;

use crate::{Db, Error, Row, RowReader, Tx, params, plans};

/// Kind of a space that is one account's own.
pub const PERSONAL: &str = "personal";

/// Kind of a space whose people are those who have a role on its root.
pub const TEAM: &str = "team";

/// The columns of a [`SpaceRow`], for `concat!`.
macro_rules! space_columns {
    () => {
        "s.id, s.kind, s.owner_id, s.name, s.root_id, s.sequence, s.epoch, s.used_bytes, s.reserved_bytes, \
         s.quota_bytes, s.purging"
    };
}

/// A space and its counters.
#[derive(Debug, Clone)]
pub struct SpaceRow {
    /// Which one.
    pub id: SpaceId,
    /// [`PERSONAL`] or [`TEAM`].
    pub kind: String,
    /// Whose it is; of a team's space, who made it.
    pub owner: AccountId,
    /// What people call it.
    pub name: String,
    /// The folder that everything in it hangs from.
    pub root: EntryId,
    /// Of its newest journal row; 0 before the first change.
    pub sequence: u64,
    /// Changes when its journal cannot be continued.
    pub epoch: u64,
    /// Bytes of all versions in it.
    pub used_bytes: u64,
    /// Bytes that running uploads may still add.
    pub reserved_bytes: u64,
    /// What used and reserved bytes may come to; without it there is no bound.
    pub quota_bytes: Option<u64>,
    /// Removed folders whose trees are still being taken apart.
    pub purging: u64,
}

impl Row for SpaceRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: row.get(0)?,
            kind: row.get(1)?,
            owner: row.get(2)?,
            name: row.get(3)?,
            root: row.get(4)?,
            sequence: row.get(5)?,
            epoch: row.get(6)?,
            used_bytes: row.get(7)?,
            reserved_bytes: row.get(8)?,
            quota_bytes: row.get(9)?,
            purging: row.get(10)?,
        })
    }
}

/// A space to make.
#[derive(Debug, Clone)]
pub struct NewSpace<'a> {
    /// Its id.
    pub id: SpaceId,
    /// [`PERSONAL`] or [`TEAM`].
    pub kind: &'a str,
    /// Whose it will be, or who makes it.
    pub owner: AccountId,
    /// What people will call it.
    pub name: &'a str,
    /// The id of its root folder.
    pub root: EntryId,
    /// Its bound where no plan gives it one.
    pub quota_bytes: Option<u64>,
    /// Whether that bound was set for it alone, whatever a plan says.
    pub quota_own: bool,
    /// Now.
    pub created: Time,
}

/// Inserts a space together with its root folder, so neither is ever seen without the other.
///
/// It is given the plan of new spaces of its kind, if there is one. The root has no name and no journal row: sequence 0 of a space is the space with an empty root.
pub async fn insert_space(tx: &Tx, new: &NewSpace<'_>) -> Result<(), Error> {
    let plan = plans::default_for(tx, new.kind).await?;
    let quota = match &plan {
        Some(plan) if !new.quota_own => plan.limits.storage_bytes,
        _ => new.quota_bytes,
    };
    tx.exec(
        "INSERT INTO space (id, kind, owner_id, name, root_id, sequence, epoch, used_bytes, reserved_bytes,
                            quota_bytes, purging)
         VALUES ($1, $2, $3, $4, $5, 0, 1, 0, 0, $6, 0)",
        &params![new.id, new.kind, new.owner, new.name, new.root, quota],
    )
    .await?;
    if plan.is_some() || new.quota_own {
        let limits =
            plans::Limits { storage_bytes: quota, ..plan.as_ref().map_or_else(Default::default, |it| it.limits) };
        let in_force = plans::InForce { plan: plan.map(|plan| plan.id), quota_own: new.quota_own, limits };
        plans::set_in_force(tx, new.id, &in_force).await?;
    }
    tx.exec(
        "INSERT INTO entry (id, space_id, name, kind, revision, size, created_us, modified_us)
         VALUES ($1, $2, '', 0, 1, 0, $3, $3)",
        &params![new.root, new.id, new.created],
    )
    .await?;
    Ok(())
}

/// The space, if there is one of this id.
pub async fn space(db: &Db, id: SpaceId) -> Result<Option<SpaceRow>, Error> {
    db.query_opt(concat!("SELECT ", space_columns!(), " FROM space s WHERE s.id = $1"), &params![id]).await
}

/// Up to `limit` spaces that are an account's own or on whose root it was given a role, in order of their ids, beginning
/// after `after`.
pub async fn spaces_of(
    db: &Db,
    account: AccountId,
    after: Option<SpaceId>,
    now: Time,
    limit: u32,
) -> Result<Vec<SpaceRow>, Error> {
    let after = after.unwrap_or(SpaceId::from_bytes([0; 16]));
    db.query(
        concat!(
            "SELECT ",
            space_columns!(),
            " FROM space s WHERE s.id > $2 AND s.id IN (
                 SELECT o.id FROM space o WHERE o.owner_id = $1 AND o.kind = 'personal'
                 UNION ALL
                 SELECT g.space_id
                 FROM (SELECT a.id FROM account a WHERE a.id = $1 UNION ALL
                       SELECT m.group_id FROM account_group_member m WHERE m.account_id = $1 UNION ALL SELECT $3) w
                 JOIN entry_grant g ON g.subject_id = w.id JOIN space r ON r.id = g.space_id AND r.root_id = g.entry_id
                 WHERE g.expires_us IS NULL OR g.expires_us > $4)
             ORDER BY s.id LIMIT $5"
        ),
        &params![account, after, Uuid::nil(), now, limit],
    )
    .await
}

/// How many team spaces an account made.
pub async fn count_made(tx: &Tx, account: AccountId) -> Result<u64, Error> {
    let row: Option<(u64,)> =
        tx.query_opt("SELECT COUNT(*) FROM space WHERE owner_id = $1 AND kind = 'team'", &params![account]).await?;
    Ok(row.map_or(0, |(count,)| count))
}

/// Gives a space another name.
pub async fn rename(tx: &Tx, id: SpaceId, name: &str) -> Result<(), Error> {
    tx.exec("UPDATE space SET name = $1 WHERE id = $2", &params![name, id]).await?;
    Ok(())
}
