//! Spaces and uploads as administrators see them: sizes, counts, names of spaces and people, and no name of a file.

use base::{AccountId, PlanId, SpaceId, Time, UploadId};

use crate::{Db, Error, Row, RowReader, Tx, params};

/// A space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverseenRow {
    /// Which one.
    pub id: SpaceId,
    /// `personal` or `team`.
    pub kind: String,
    /// What people call it.
    pub name: String,
    /// Whose it is; of a team's space, who made it.
    pub owner: AccountId,
    /// That account's name.
    pub owner_name: String,
    /// What others see of it.
    pub owner_display_name: String,
    /// Bytes of all versions in it.
    pub used: u64,
    /// Bytes that uploads in progress may still bring.
    pub reserved: u64,
    /// What both may come to.
    pub quota: Option<u64>,
    /// Whether that was set for it alone.
    pub quota_own: bool,
    /// Its plan.
    pub plan: Option<PlanId>,
    /// What that is called.
    pub plan_name: Option<String>,
    /// People who have a role on all of it.
    pub members: u64,
    /// Accounts that manage it for ever and can be used.
    pub managers: u64,
}

impl Row for OverseenRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: row.get(0)?,
            kind: row.get(1)?,
            name: row.get(2)?,
            owner: row.get(3)?,
            owner_name: row.get(4)?,
            owner_display_name: row.get(5)?,
            used: row.get(6)?,
            reserved: row.get(7)?,
            quota: row.get(8)?,
            quota_own: row.get::<u32>(9)? == 1,
            plan: row.get(10)?,
            plan_name: row.get(11)?,
            members: row.get(12)?,
            managers: row.get(13)?,
        })
    }
}

/// Accounts that manage a space `s` for ever and can be used.
macro_rules! managers {
    () => {
        "(SELECT COUNT(*) FROM entry_grant g JOIN account m ON m.id = g.subject_id
          WHERE g.entry_id = s.root_id AND g.subject_kind = 0 AND g.role = 4 AND g.expires_us IS NULL
            AND m.disabled_us IS NULL)"
    };
}

/// The beginning of a statement that gives [`OverseenRow`]s: `$1` is the time at which roles must hold.
macro_rules! overseen {
    ($rest:expr) => {
        concat!(
            "SELECT s.id, s.kind, s.name, s.owner_id, a.name, a.display_name, s.used_bytes, s.reserved_bytes,
                    s.quota_bytes, s.quota_own, s.plan_id, (SELECT p.name FROM plan p WHERE p.id = s.plan_id), ",
            members!("$1"),
            ", ",
            managers!(),
            " FROM space s JOIN account a ON a.id = s.owner_id WHERE s.kind <> 'ending' AND ",
            $rest
        )
    };
}

/// In which order spaces are listed, and after which one a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Those with the most bytes first; after these bytes and this space.
    Used(Option<(u64, SpaceId)>),
    /// As they were made; after this one.
    Made(Option<SpaceId>),
}

/// Which spaces are wanted; what is absent does not matter.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter<'a> {
    /// `personal` or `team`.
    pub kind: Option<&'a str>,
    /// Whose they are, or who made them.
    pub owner: Option<AccountId>,
    /// Which plan they have.
    pub plan: Option<PlanId>,
    /// In small letters: part of the name of the space or of its owner.
    pub search: &'a str,
    /// Only teams' spaces that nobody manages.
    pub unmanaged: bool,
}

/// Up to `limit` spaces.
pub async fn spaces(
    db: &Db,
    filter: &Filter<'_>,
    order: Order,
    now: Time,
    limit: u32,
) -> Result<Vec<OverseenRow>, Error> {
    let pattern = like(filter.search);
    macro_rules! wanted {
        ($rest:literal) => {
            overseen!(concat!(
                "s.kind = COALESCE($2, s.kind) AND s.owner_id = COALESCE($3, s.owner_id)
                 AND (CAST($4 AS BIGINT) = 0 OR s.plan_id = $5)
                 AND (lower(s.name) LIKE $6 ESCAPE '\\' OR a.name_key LIKE $6 ESCAPE '\\'
                      OR lower(a.display_name) LIKE $6 ESCAPE '\\')
                 AND (CAST($7 AS BIGINT) = 0 OR (s.kind = 'team' AND ",
                managers!(),
                " = 0)) AND ",
                $rest
            ))
        };
    }
    let has_plan = i64::from(filter.plan.is_some());
    let unmanaged = i64::from(filter.unmanaged);
    let plan = filter.plan.unwrap_or(PlanId::from_bytes([0; 16]));
    match order {
        Order::Used(after) => {
            let (used, id) = after.unwrap_or((i64::MAX as u64, SpaceId::from_bytes([0; 16])));
            let sql = wanted!(
                "(s.used_bytes < $8 OR (s.used_bytes = $8 AND s.id > $9)) ORDER BY s.used_bytes DESC, s.id LIMIT $10"
            );
            let params = params![now, filter.kind, filter.owner, has_plan, plan, &pattern, unmanaged, used, id, limit];
            db.query(sql, &params).await
        }
        Order::Made(after) => {
            let id = after.unwrap_or(SpaceId::from_bytes([0; 16]));
            let sql = wanted!("s.id > $8 ORDER BY s.id LIMIT $9");
            let params = params![now, filter.kind, filter.owner, has_plan, plan, &pattern, unmanaged, id, limit];
            db.query(sql, &params).await
        }
    }
}

/// What `LIKE` finds a text anywhere by.
fn like(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// A space that is not ending.
pub async fn space(db: &Db, id: SpaceId, now: Time) -> Result<Option<OverseenRow>, Error> {
    db.query_opt(overseen!("s.id = $2"), &params![now, id]).await
}

/// How many accounts manage a space for ever and can be used.
pub async fn managers(tx: &Tx, id: SpaceId) -> Result<u64, Error> {
    let row: Option<(u64,)> =
        tx.query_opt(concat!("SELECT ", managers!(), " FROM space s WHERE s.id = $1"), &params![id]).await?;
    Ok(row.map_or(0, |(count,)| count))
}

/// An upload under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InFlightRow {
    /// Which one.
    pub id: UploadId,
    /// Whose it is.
    pub account: AccountId,
    /// That account's name.
    pub account_name: String,
    /// Into which space it goes.
    pub space: SpaceId,
    /// What that is called.
    pub space_name: String,
    /// `whole`, `partial`, `final`, `put`.
    pub kind: String,
    /// How long it will be, if that is known.
    pub length: Option<u64>,
    /// Bytes that are durable.
    pub received: u64,
    /// Bytes it holds of the space's reservation.
    pub reserved: u64,
    /// When it was begun.
    pub created: Time,
    /// When it is removed if nothing happens.
    pub expires: Time,
}

impl Row for InFlightRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: row.get(0)?,
            account: row.get(1)?,
            account_name: row.get(2)?,
            space: row.get(3)?,
            space_name: row.get(4)?,
            kind: row.get(5)?,
            length: row.get(6)?,
            received: row.get(7)?,
            reserved: row.get(8)?,
            created: row.get(9)?,
            expires: row.get(10)?,
        })
    }
}

/// Up to `limit` uploads under way after `after`, oldest first, of one account or space if one is given.
pub async fn uploads(
    db: &Db,
    account: Option<AccountId>,
    space: Option<SpaceId>,
    after: Option<UploadId>,
    limit: u32,
) -> Result<Vec<InFlightRow>, Error> {
    db.query(
        "SELECT u.id, u.account_id, a.name, u.space_id, s.name, u.kind, u.length, u.received, u.reserved, u.created_us,
                u.expires_us
         FROM upload u JOIN account a ON a.id = u.account_id JOIN space s ON s.id = u.space_id
         WHERE (u.state = 'open' OR u.reserved > 0) AND u.id > $1 AND u.account_id = COALESCE($2, u.account_id)
           AND u.space_id = COALESCE($3, u.space_id)
         ORDER BY u.id LIMIT $4",
        &params![after.unwrap_or(UploadId::from_bytes([0; 16])), account, space, limit],
    )
    .await
}

/// Bytes that all uploads under way hold of the reservations of their spaces.
pub async fn reserved(db: &Db) -> Result<u64, Error> {
    let (bytes,) = db.query_one("SELECT CAST(COALESCE(SUM(reserved), 0) AS BIGINT) FROM upload", &params![]).await?;
    Ok(bytes)
}
