//! Plans: named limits that spaces are given.
//!
//! The limits in force stand in the row of each space, not only in that of its plan: whoever takes a space's row has them with
//! it, and no statement has to look further. A change of a plan, or of who has it, changes those rows in the same unit of work.
//! Whoever gives a space a plan holds the plan's row until the commit ([`find_shared`], [`default_for`]), and whoever changes a
//! plan takes it alone, so that no space keeps limits which the plan has no longer.

use base::{PlanId, SpaceId, Time};

use crate::{Db, Error, Row, RowReader, Sql, Tx, params, spaces};

/// People who have a role on all of a space `s` at a time, alone or by a group, each once.
macro_rules! members {
    ($now:literal) => {
        concat!(
            "(SELECT COUNT(*) FROM account a WHERE a.id IN (
             SELECT g.subject_id FROM entry_grant g
             WHERE g.entry_id = s.root_id AND g.subject_kind = 0 AND (g.expires_us IS NULL OR g.expires_us > ",
            $now,
            ")
             UNION
             SELECT m.account_id FROM entry_grant g JOIN account_group_member m ON m.group_id = g.subject_id
             WHERE g.entry_id = s.root_id AND g.subject_kind = 1 AND (g.expires_us IS NULL OR g.expires_us > ",
            $now,
            ")))"
        )
    };
}

/// What a plan allows; where something is absent, it sets no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Bytes of all versions and reservations together.
    pub storage_bytes: Option<u64>,
    /// Bytes of one file.
    pub file_bytes: Option<u64>,
    /// Versions of a file that are kept at most, the current one among them.
    pub versions_kept: Option<u32>,
    /// Days that the trash keeps something at most.
    pub trash_days: Option<u32>,
    /// Links of the space.
    pub links: Option<u64>,
    /// People who have a role on all of a team's space.
    pub members: Option<u64>,
}

impl Limits {
    fn read_at(row: &RowReader<'_>, at: usize) -> Result<Self, Error> {
        Ok(Self {
            storage_bytes: row.get(at)?,
            file_bytes: row.get(at + 1)?,
            versions_kept: row.get(at + 2)?,
            trash_days: row.get(at + 3)?,
            links: row.get(at + 4)?,
            members: row.get(at + 5)?,
        })
    }
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanRow {
    /// Which one.
    pub id: PlanId,
    /// What people call it.
    pub name: String,
    /// By which it is unique and in order.
    pub key: String,
    /// What it allows.
    pub limits: Limits,
    /// Whether new personal spaces get it.
    pub for_personal: bool,
    /// Whether new team spaces get it.
    pub for_team: bool,
    /// When it was made.
    pub created: Time,
}

impl Row for PlanRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            key: row.get(2)?,
            limits: Limits::read_at(row, 3)?,
            for_personal: row.get::<u32>(9)? == 1,
            for_team: row.get::<u32>(10)? == 1,
            created: row.get(11)?,
        })
    }
}

/// The columns of a [`PlanRow`], for `concat!`.
macro_rules! plan_columns {
    () => {
        "id, name, name_key, storage_bytes, file_bytes, versions_kept, trash_days, links, members, for_personal, for_team, \
         created_us"
    };
}

/// What holds for a space, as its row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// Its plan, if it has one.
    pub plan: Option<PlanId>,
    /// Whether its storage was set for it alone, whatever the plan says.
    pub quota_own: bool,
    /// What holds: its storage, and the limits of its plan.
    pub limits: Limits,
}

impl Row for InForce {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self { plan: row.get(0)?, quota_own: row.get::<u32>(1)? == 1, limits: Limits::read_at(row, 2)? })
    }
}

const IN_FORCE: &str =
    "SELECT plan_id, quota_own, quota_bytes, file_bytes_max, versions_max, trash_days_max, links_max, members_max
                        FROM space WHERE id = $1";

/// What holds for a space, inside a unit of work.
pub async fn in_force(tx: &Tx, space: SpaceId) -> Result<Option<InForce>, Error> {
    tx.query_opt(IN_FORCE, &params![space]).await
}

/// What holds for a space.
pub async fn find_in_force(db: &Db, space: SpaceId) -> Result<Option<InForce>, Error> {
    db.query_opt(IN_FORCE, &params![space]).await
}

/// Inserts a plan; `false` if the name is taken.
pub async fn insert(tx: &Tx, row: &PlanRow) -> Result<bool, Error> {
    let limits = &row.limits;
    let rows = tx
        .exec(
            concat!(
                "INSERT INTO plan (",
                plan_columns!(),
                ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (name_key) DO NOTHING"
            ),
            &params![
                row.id,
                &row.name,
                &row.key,
                limits.storage_bytes,
                limits.file_bytes,
                limits.versions_kept,
                limits.trash_days,
                limits.links,
                limits.members,
                u32::from(row.for_personal),
                u32::from(row.for_team),
                row.created
            ],
        )
        .await?;
    Ok(rows == 1)
}

/// Writes what can change about a plan, which the caller has alone.
pub async fn update(tx: &Tx, row: &PlanRow) -> Result<(), Error> {
    let limits = &row.limits;
    tx.exec(
        "UPDATE plan SET name = $1, name_key = $2, storage_bytes = $3, file_bytes = $4, versions_kept = $5, trash_days = $6,
                         links = $7, members = $8, for_personal = $9, for_team = $10
         WHERE id = $11",
        &params![
            &row.name,
            &row.key,
            limits.storage_bytes,
            limits.file_bytes,
            limits.versions_kept,
            limits.trash_days,
            limits.links,
            limits.members,
            u32::from(row.for_personal),
            u32::from(row.for_team),
            row.id
        ],
    )
    .await?;
    Ok(())
}

/// Takes what makes a plan that of new spaces from all others.
pub async fn clear_defaults(tx: &Tx, but: PlanId, personal: bool, team: bool) -> Result<(), Error> {
    if personal {
        tx.exec("UPDATE plan SET for_personal = 0 WHERE for_personal = 1 AND id <> $1", &params![but]).await?;
    }
    if team {
        tx.exec("UPDATE plan SET for_team = 0 WHERE for_team = 1 AND id <> $1", &params![but]).await?;
    }
    Ok(())
}

/// Removes a plan that no space has.
pub async fn delete(tx: &Tx, id: PlanId) -> Result<(), Error> {
    tx.exec("DELETE FROM plan WHERE id = $1", &params![id]).await?;
    Ok(())
}

/// A plan.
pub async fn find(db: &Db, id: PlanId) -> Result<Option<PlanRow>, Error> {
    db.query_opt(concat!("SELECT ", plan_columns!(), " FROM plan WHERE id = $1"), &params![id]).await
}

/// What a plan is called.
pub async fn name_of(tx: &Tx, id: PlanId) -> Result<Option<String>, Error> {
    let found: Option<(String,)> = tx.query_opt("SELECT name FROM plan WHERE id = $1", &params![id]).await?;
    Ok(found.map(|(name,)| name))
}

/// Whether a plan other than this one has the name.
pub async fn is_named(tx: &Tx, key: &str, but: PlanId) -> Result<bool, Error> {
    let found: Option<(PlanId,)> =
        tx.query_opt("SELECT id FROM plan WHERE name_key = $1 AND id <> $2", &params![key, but]).await?;
    Ok(found.is_some())
}

/// A plan that is to be changed: nobody else reads it for a space until the commit, and those who did are done.
pub async fn find_alone(tx: &Tx, id: PlanId) -> Result<Option<PlanRow>, Error> {
    let sql = Sql {
        lite: concat!("SELECT ", plan_columns!(), " FROM plan WHERE id = $1"),
        pg: concat!("SELECT ", plan_columns!(), " FROM plan WHERE id = $1 FOR UPDATE"),
    };
    tx.query_opt(sql, &params![id]).await
}

/// A plan that a space is to be given: it stays as it is until the commit.
pub async fn find_shared(tx: &Tx, id: PlanId) -> Result<Option<PlanRow>, Error> {
    let sql = Sql {
        lite: concat!("SELECT ", plan_columns!(), " FROM plan WHERE id = $1"),
        pg: concat!("SELECT ", plan_columns!(), " FROM plan WHERE id = $1 FOR SHARE"),
    };
    tx.query_opt(sql, &params![id]).await
}

/// The plan that a new space of this kind gets, if there is one. It stays as it is until the commit.
pub async fn default_for(tx: &Tx, kind: &str) -> Result<Option<PlanRow>, Error> {
    let sql = if kind == spaces::TEAM {
        Sql {
            lite: concat!("SELECT ", plan_columns!(), " FROM plan WHERE for_team = 1"),
            pg: concat!("SELECT ", plan_columns!(), " FROM plan WHERE for_team = 1 FOR SHARE"),
        }
    } else {
        Sql {
            lite: concat!("SELECT ", plan_columns!(), " FROM plan WHERE for_personal = 1"),
            pg: concat!("SELECT ", plan_columns!(), " FROM plan WHERE for_personal = 1 FOR SHARE"),
        }
    };
    tx.query_opt(sql, &params![]).await
}

/// Up to `limit` plans in order of their keys, beginning after `after`; with each, how many spaces have it.
pub async fn list(db: &Db, after: &str, limit: u32) -> Result<Vec<(PlanRow, u64)>, Error> {
    let rows: Vec<Counted> = db
        .query(
            concat!(
                "SELECT ",
                plan_columns!(),
                ", (SELECT COUNT(*) FROM space s WHERE s.plan_id = plan.id) FROM plan WHERE name_key > $1
                 ORDER BY name_key LIMIT $2"
            ),
            &params![after, limit],
        )
        .await?;
    Ok(rows.into_iter().map(|Counted(row, count)| (row, count)).collect())
}

struct Counted(PlanRow, u64);

impl Row for Counted {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self(PlanRow::read(row)?, row.get(12)?))
    }
}

/// How many spaces have a plan.
pub async fn count_spaces(db: &Db, id: PlanId) -> Result<u64, Error> {
    let (count,) = db.query_one("SELECT COUNT(*) FROM space WHERE plan_id = $1", &params![id]).await?;
    Ok(count)
}

/// The same, inside a unit of work.
pub async fn count_spaces_within(tx: &Tx, id: PlanId) -> Result<u64, Error> {
    let (count,) = tx.query_one("SELECT COUNT(*) FROM space WHERE plan_id = $1", &params![id]).await?;
    Ok(count)
}

/// Writes the limits of a plan, which the caller has alone, into the rows of all spaces that have it; how many. Those rows are
/// taken in the order in which everybody takes several.
pub async fn apply(tx: &Tx, plan: &PlanRow) -> Result<u64, Error> {
    let order = Sql {
        lite: "SELECT id FROM space WHERE plan_id = $1 LIMIT 0",
        pg: "SELECT id FROM space WHERE plan_id = $1 ORDER BY id FOR UPDATE",
    };
    let _: Vec<(SpaceId,)> = tx.query(order, &params![plan.id]).await?;
    let limits = &plan.limits;
    tx.exec(
        "UPDATE space SET quota_bytes = CASE WHEN quota_own = 1 THEN quota_bytes ELSE CAST($2 AS BIGINT) END,
                          file_bytes_max = $3, versions_max = $4, trash_days_max = $5, links_max = $6, members_max = $7
         WHERE plan_id = $1",
        &params![
            plan.id,
            limits.storage_bytes,
            limits.file_bytes,
            limits.versions_kept,
            limits.trash_days,
            limits.links,
            limits.members
        ],
    )
    .await
}

/// Writes what holds for a space, whose row the caller has taken.
pub async fn set_in_force(tx: &Tx, space: SpaceId, new: &InForce) -> Result<(), Error> {
    let limits = &new.limits;
    tx.exec(
        "UPDATE space SET plan_id = $2, quota_own = $3, quota_bytes = $4, file_bytes_max = $5, versions_max = $6,
                          trash_days_max = $7, links_max = $8, members_max = $9
         WHERE id = $1",
        &params![
            space,
            new.plan,
            u32::from(new.quota_own),
            limits.storage_bytes,
            limits.file_bytes,
            limits.versions_kept,
            limits.trash_days,
            limits.links,
            limits.members
        ],
    )
    .await?;
    Ok(())
}

/// How many versions of a file a space keeps. The first argument is the limit of a plan, the second what holds where the space
/// says nothing.
macro_rules! kept {
    ($limit:literal, $default:literal) => {
        concat!(
            "CASE WHEN ",
            $limit,
            " IS NULL THEN COALESCE(s.versions_kept, ",
            $default,
            ")
                  WHEN s.versions_kept IS NULL OR s.versions_kept > ",
            $limit,
            " THEN ",
            $limit,
            "
                  ELSE s.versions_kept END"
        )
    };
}

/// How many days the trash of a space keeps something, 0 for ever; arguments as of `kept!`.
macro_rules! trash_days {
    ($limit:literal, $default:literal) => {
        concat!(
            "CASE WHEN ",
            $limit,
            " IS NULL THEN COALESCE(s.trash_days, ",
            $default,
            ")
                  WHEN s.trash_days IS NULL OR s.trash_days = 0 OR s.trash_days > ",
            $limit,
            " THEN ",
            $limit,
            "
                  ELSE s.trash_days END"
        )
    };
}

/// How many people have a role on all of a space, alone or by a group, each counted once; everyone who is signed in is not
/// counted among them.
pub async fn members(tx: &Tx, space: SpaceId, now: Time) -> Result<u64, Error> {
    let row: Option<(u64,)> =
        tx.query_opt(concat!("SELECT ", members!("$2"), " FROM space s WHERE s.id = $1"), &params![space, now]).await?;
    Ok(row.map_or(0, |(count,)| count))
}

/// Which spaces are looked at for what other limits would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// All that have a plan.
    Plan(PlanId),
    /// One.
    Space(SpaceId),
}

/// What holds where neither a space nor its plan says anything, and when.
#[derive(Debug, Clone, Copy)]
pub struct Defaults {
    /// Versions of a file.
    pub versions_kept: u32,
    /// Days of the trash; 0 for ever.
    pub trash_days: u32,
    /// Now.
    pub now: Time,
}

/// What other limits would do, not at once but in the course of things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effect {
    /// Spaces that they are for.
    pub spaces: u64,
    /// Of these, spaces that hold more than they may then: they take no more bytes, and keep what they have.
    pub over_storage: u64,
    /// Spaces that have more links than they may then; those stay.
    pub over_links: u64,
    /// Spaces that have more members; those stay.
    pub over_members: u64,
    /// Older versions that go when their files get new ones.
    pub versions: u64,
    /// Their bytes.
    pub versions_bytes: u64,
    /// Entries of the trash, each with all below it, that go with the next look at what is too old.
    pub trashed: u64,
}

/// What the limits `new` would do to the spaces that have others now. It looks at all links, members, older versions and trash
/// of those spaces.
pub async fn effect(db: &Db, of: Of, new: &Limits, quota_own_holds: bool, defaults: Defaults) -> Result<Effect, Error> {
    macro_rules! both {
        ($before:expr, $after:expr) => {
            match of {
                Of::Plan(_) => concat!($before, "s.plan_id = $1", $after),
                Of::Space(_) => concat!($before, "s.id = $1", $after),
            }
        };
    }
    let which = match of {
        Of::Plan(id) => id.0,
        Of::Space(id) => id.0,
    };
    let (spaces, over_storage, over_links, over_members): (u64, u64, u64, u64) = db
        .query_one(
            both!(
                concat!(
                    "SELECT COUNT(*),
                        COUNT(CASE WHEN (s.quota_own = 0 OR CAST($6 AS BIGINT) = 0) AND s.used_bytes + s.reserved_bytes > CAST($3 AS BIGINT)
                              THEN 1 END),
                        COUNT(CASE WHEN (SELECT COUNT(*) FROM link l WHERE l.space_id = s.id) > CAST($4 AS BIGINT)
                              THEN 1 END),
                        COUNT(CASE WHEN ",
                    members!("$2"),
                    " > CAST($5 AS BIGINT) THEN 1 END)
                     FROM space s WHERE "
                ),
                ""
            ),
            &params![
                which,
                defaults.now,
                new.storage_bytes,
                new.links,
                new.members,
                u32::from(quota_own_holds)
            ],
        )
        .await?;
    // `n` counts the older versions of a file from 1, the current one being none of them.
    let (versions, versions_bytes): (u64, u64) = db
        .query_one(
            both!(
                concat!(
                    "SELECT COUNT(*), CAST(COALESCE(SUM(o.size), 0) AS BIGINT) FROM (
                         SELECT v.size, ",
                    kept!("CAST($2 AS BIGINT)", "CAST($3 AS BIGINT)"),
                    " AS then_kept, ",
                    kept!("s.versions_max", "CAST($3 AS BIGINT)"),
                    " AS now_kept, ROW_NUMBER() OVER (PARTITION BY v.entry_id ORDER BY v.id DESC) AS n
                         FROM space s JOIN version v ON v.space_id = s.id AND v.replaced_us IS NOT NULL AND v.pinned = 0
                          AND v.name IS NULL
                         WHERE "
                ),
                ") o WHERE o.n > o.then_kept - 1 AND o.n <= o.now_kept - 1"
            ),
            &params![which, new.versions_kept, defaults.versions_kept],
        )
        .await?;
    let (trashed,): (u64,) = db
        .query_one(
            both!(
                concat!(
                    "SELECT COUNT(*) FROM (SELECT t.trashed_us, ",
                    trash_days!("CAST($2 AS BIGINT)", "CAST($3 AS BIGINT)"),
                    " AS then_days, ",
                    trash_days!("s.trash_days_max", "CAST($3 AS BIGINT)"),
                    " AS now_days FROM space s JOIN trash t ON t.space_id = s.id WHERE "
                ),
                ") o WHERE o.then_days > 0 AND o.trashed_us < $4 - o.then_days * 86400000000
                       AND (o.now_days = 0 OR o.trashed_us >= $4 - o.now_days * 86400000000)"
            ),
            &params![which, new.trash_days, defaults.trash_days, defaults.now],
        )
        .await?;
    Ok(Effect { spaces, over_storage, over_links, over_members, versions, versions_bytes, trashed })
}
