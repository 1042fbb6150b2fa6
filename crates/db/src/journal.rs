//! The journal's rows: one for each committed change of a space, gaplessly numbered.

use base::{AccountId, EntryId, SpaceId, Time};
use uuid::Uuid;

use crate::{Db, Error, Row, RowReader, Tx, notice::Notice, params};

/// The columns of a [`ChangeRow`], for `concat!`.
macro_rules! change_columns {
    () => {
        "j.sequence, j.kind, j.entry_id, j.revision, j.actor, j.operation_id, j.at_us, j.state, j.inverse, j.turn, \
         j.undoes, j.undone_by"
    };
}

/// One change, as it is stored.
#[derive(Debug, Clone)]
pub struct ChangeRow {
    /// Its number in the space, from 1.
    pub sequence: u64,
    /// What happened. A newer version of the program may have written a word that this one does not know.
    pub kind: String,
    /// What it happened to.
    pub entry: EntryId,
    /// The entry's revision after it.
    pub revision: u64,
    /// Who did it; nobody, where the program itself did.
    pub actor: Option<AccountId>,
    /// The client's id of the operation, if it gave one.
    pub operation: Option<Uuid>,
    /// When.
    pub at: Time,
    /// JSON: the entry after the change, or as it was before it left the tree.
    pub state: Option<String>,
    /// JSON: what takes the change back.
    pub inverse: Option<String>,
    /// 0 a change of its own, 1 an undo, 2 a redo.
    pub turn: u32,
    /// The number of the change that this one takes back.
    pub undoes: Option<u64>,
    /// The number of the change that took this one back. Nothing else of a row ever changes.
    pub undone_by: Option<u64>,
}

impl Row for ChangeRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            sequence: row.get(0)?,
            kind: row.get(1)?,
            entry: row.get(2)?,
            revision: row.get(3)?,
            actor: row.get(4)?,
            operation: row.get(5)?,
            at: row.get(6)?,
            state: row.get(7)?,
            inverse: row.get(8)?,
            turn: row.get(9)?,
            undoes: row.get(10)?,
            undone_by: row.get(11)?,
        })
    }
}

/// Raises the space's sequence by one and returns it; `None` if there is no such space.
///
/// The row lock that this takes until the commit is what makes the numbers gapless: whoever comes second waits, and
/// takes the same number if the first rolls back.
pub async fn raise_sequence(tx: &Tx, space: SpaceId) -> Result<Option<u64>, Error> {
    let row: Option<(u64,)> = tx
        .query_opt("UPDATE space SET sequence = sequence + 1 WHERE id = $1 RETURNING sequence", &params![space])
        .await?;
    Ok(row.map(|(sequence,)| sequence))
}

/// Inserts the row of a change whose number was just raised, and lets those know who wait for it.
pub async fn insert_change(tx: &Tx, space: SpaceId, row: &ChangeRow) -> Result<(), Error> {
    tx.exec(
        "INSERT INTO journal (space_id, sequence, kind, entry_id, revision, actor, operation_id, at_us, state, inverse,
                              turn, undoes)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        &params![
            space,
            row.sequence,
            row.kind.as_str(),
            row.entry,
            row.revision,
            row.actor,
            row.operation,
            row.at,
            row.state.as_deref(),
            row.inverse.as_deref(),
            row.turn,
            row.undoes
        ],
    )
    .await?;
    tx.announce(Notice::Changed { space, sequence: row.sequence });
    Ok(())
}

/// The space's epoch and newest sequence; `None` if there is no such space.
pub async fn head(tx: &Tx, space: SpaceId) -> Result<Option<(u64, u64)>, Error> {
    tx.query_opt("SELECT epoch, sequence FROM space WHERE id = $1", &params![space]).await
}

/// Up to `limit` changes with a number above `after` and not above `newest`, in order.
pub async fn changes(tx: &Tx, space: SpaceId, after: u64, newest: u64, limit: u32) -> Result<Vec<ChangeRow>, Error> {
    tx.query(
        concat!(
            "SELECT ",
            change_columns!(),
            " FROM journal j WHERE space_id = $1 AND sequence > $2 AND sequence <= $3 ORDER BY sequence LIMIT $4"
        ),
        &params![space, after, newest, limit],
    )
    .await
}

/// The same outside a unit of work.
pub async fn find_head(db: &Db, space: SpaceId) -> Result<Option<(u64, u64)>, Error> {
    db.query_opt("SELECT epoch, sequence FROM space WHERE id = $1", &params![space]).await
}

/// Notes that a change was taken back by the one of number `by`.
pub async fn set_undone(tx: &Tx, space: SpaceId, sequence: u64, by: u64) -> Result<(), Error> {
    tx.exec("UPDATE journal SET undone_by = $1 WHERE space_id = $2 AND sequence = $3", &params![by, space, sequence])
        .await?;
    Ok(())
}

/// The change of a number.
pub async fn change(tx: &Tx, space: SpaceId, sequence: u64) -> Result<Option<ChangeRow>, Error> {
    tx.query_opt(
        concat!("SELECT ", change_columns!(), " FROM journal j WHERE j.space_id = $1 AND j.sequence = $2"),
        &params![space, sequence],
    )
    .await
}

/// An account's newest change in a space that can be taken back and was not; of its undos, if `undos`, else of all others.
///
/// Changes of what was removed for good are passed over one by one, here and in what follows: that is one look into the tree
/// by primary key for each.
pub async fn newest_undoable(
    tx: &Tx,
    space: SpaceId,
    account: AccountId,
    undos: bool,
) -> Result<Option<ChangeRow>, Error> {
    tx.query_opt(
        concat!(
            "SELECT ",
            change_columns!(),
            " FROM journal j
             WHERE j.space_id = $1 AND j.actor = $2 AND j.undone_by IS NULL AND j.inverse IS NOT NULL
               AND EXISTS (SELECT 1 FROM entry e WHERE e.space_id = j.space_id AND e.id = j.entry_id)
               AND (CASE WHEN j.turn = 1 THEN 1 ELSE 0 END) = $3
             ORDER BY j.sequence DESC LIMIT 1"
        ),
        &params![space, account, u32::from(undos)],
    )
    .await
}

/// Whether an account made a change of its own, neither undo nor redo, after the one of a number.
pub async fn changed_since(tx: &Tx, space: SpaceId, account: AccountId, sequence: u64) -> Result<bool, Error> {
    let row: Option<(u64,)> = tx
        .query_opt(
            "SELECT sequence FROM journal WHERE space_id = $1 AND actor = $2 AND sequence > $3 AND turn = 0 LIMIT 1",
            &params![space, account, sequence],
        )
        .await?;
    Ok(row.is_some())
}

/// Up to `limit` changes of an account's operation that can be taken back and were not, newest first; undos are left out.
pub async fn undoable_of(
    tx: &Tx,
    space: SpaceId,
    account: AccountId,
    operation: Uuid,
    limit: u32,
) -> Result<Vec<ChangeRow>, Error> {
    tx.query(
        concat!(
            "SELECT ",
            change_columns!(),
            " FROM journal j
             WHERE j.space_id = $1 AND j.actor = $2 AND j.operation_id = $3 AND j.turn <> 1
               AND j.undone_by IS NULL AND j.inverse IS NOT NULL
               AND EXISTS (SELECT 1 FROM entry e WHERE e.space_id = j.space_id AND e.id = j.entry_id)
             ORDER BY j.sequence DESC LIMIT $4"
        ),
        &params![space, account, operation, limit],
    )
    .await
}

/// Up to `limit` undos of one call that were not taken back, newest first.
pub async fn undos_of(
    tx: &Tx,
    space: SpaceId,
    account: AccountId,
    operation: Uuid,
    limit: u32,
) -> Result<Vec<ChangeRow>, Error> {
    tx.query(
        concat!(
            "SELECT ",
            change_columns!(),
            " FROM journal j
             WHERE j.space_id = $1 AND j.actor = $2 AND j.operation_id = $3 AND j.turn = 1
               AND j.undone_by IS NULL AND j.inverse IS NOT NULL
               AND EXISTS (SELECT 1 FROM entry e WHERE e.space_id = j.space_id AND e.id = j.entry_id)
             ORDER BY j.sequence DESC LIMIT $4"
        ),
        &params![space, account, operation, limit],
    )
    .await
}

/// Up to `limit` undos of the changes of an account's operation that were not taken back, newest first.
pub async fn undone_of(
    tx: &Tx,
    space: SpaceId,
    account: AccountId,
    operation: Uuid,
    limit: u32,
) -> Result<Vec<ChangeRow>, Error> {
    tx.query(
        concat!(
            "SELECT ",
            change_columns!(),
            " FROM journal o JOIN journal j ON j.space_id = o.space_id AND j.sequence = o.undone_by
             WHERE o.space_id = $1 AND o.actor = $2 AND o.operation_id = $3 AND j.turn = 1
               AND j.undone_by IS NULL AND j.inverse IS NOT NULL
               AND EXISTS (SELECT 1 FROM entry e WHERE e.space_id = j.space_id AND e.id = j.entry_id)
             ORDER BY j.sequence DESC LIMIT $4"
        ),
        &params![space, account, operation, limit],
    )
    .await
}

/// Up to `limit` changes that an account's operation made, in their order; undos and redos are left out.
pub async fn of_operation(tx: &Tx, account: AccountId, operation: Uuid, limit: u32) -> Result<Vec<ChangeRow>, Error> {
    tx.query(OF_OPERATION, &params![operation, account, limit]).await
}

/// The same outside a unit of work.
pub async fn find_operation(db: &Db, account: AccountId, operation: Uuid, limit: u32) -> Result<Vec<ChangeRow>, Error> {
    db.query(OF_OPERATION, &params![operation, account, limit]).await
}

/// The changes that an account's operation made to one entry, in their order; undos and redos are left out.
pub async fn of_operation_on(
    tx: &Tx,
    account: AccountId,
    operation: Uuid,
    entry: EntryId,
) -> Result<Vec<ChangeRow>, Error> {
    tx.query(OF_OPERATION_ON, &params![operation, account, entry]).await
}

/// The same outside a unit of work.
pub async fn find_operation_on(
    db: &Db,
    account: AccountId,
    operation: Uuid,
    entry: EntryId,
) -> Result<Vec<ChangeRow>, Error> {
    db.query(OF_OPERATION_ON, &params![operation, account, entry]).await
}

const OF_OPERATION_ON: &str = concat!(
    "SELECT ",
    change_columns!(),
    " FROM journal j WHERE j.operation_id = $1 AND j.actor = $2 AND j.entry_id = $3 AND j.turn = 0 ORDER BY j.sequence"
);

const OF_OPERATION: &str = concat!(
    "SELECT ",
    change_columns!(),
    " FROM journal j WHERE j.operation_id = $1 AND j.actor = $2 AND j.turn = 0 ORDER BY j.at_us, j.sequence LIMIT $3"
);

/// The undos (1) or redos (2) that an account's call of an operation id made, in their order.
pub async fn of_turn(
    tx: &Tx,
    space: SpaceId,
    account: AccountId,
    operation: Uuid,
    turn: u32,
) -> Result<Vec<ChangeRow>, Error> {
    tx.query(
        concat!(
            "SELECT ",
            change_columns!(),
            " FROM journal j
             WHERE j.space_id = $1 AND j.actor = $2 AND j.operation_id = $3 AND j.turn = $4 ORDER BY j.sequence"
        ),
        &params![space, account, operation, turn],
    )
    .await
}

/// Which changes of a space are wanted; what is absent does not matter.
#[derive(Debug, Clone, Default)]
pub struct Filter<'a> {
    /// By this account.
    pub actor: Option<AccountId>,
    /// To this entry.
    pub entry: Option<EntryId>,
    /// Of this kind.
    pub kind: Option<&'a str>,
    /// Not before this time.
    pub from: Option<Time>,
    /// Before this time.
    pub to: Option<Time>,
    /// With numbers below this one.
    pub before: Option<u64>,
}

/// A change as it is remembered.
#[derive(Debug, Clone)]
pub struct PastRow {
    /// The change.
    pub change: ChangeRow,
    /// Whether its entry is still there, be it in the trash. What was removed for good is not, nor what went to another space.
    pub there: bool,
}

impl Row for PastRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self { change: ChangeRow::read(row)?, there: row.get(12)? })
    }
}

/// A statement for [`newest`], whose first condition chooses the index.
macro_rules! newest {
    ($condition:literal) => {
        concat!(
            "SELECT ",
            change_columns!(),
            ", EXISTS (SELECT 1 FROM entry e WHERE e.space_id = j.space_id AND e.id = j.entry_id)
               FROM journal j WHERE j.space_id = $1 AND j.sequence < $2 AND j.at_us >= $3 AND j.at_us < $4
               AND ($5 = '' OR j.kind = $5) ",
            $condition,
            " ORDER BY j.sequence DESC LIMIT $6"
        )
    };
}

/// Up to `limit` changes of a space that fit a filter, newest first.
pub async fn newest(db: &Db, space: SpaceId, filter: &Filter<'_>, limit: u32) -> Result<Vec<PastRow>, Error> {
    let before = filter.before.unwrap_or(i64::MAX as u64);
    let from = filter.from.map_or(i64::MIN, Time::as_micros);
    let to = filter.to.map_or(i64::MAX, Time::as_micros);
    let kind = filter.kind.unwrap_or_default();
    match (filter.actor, filter.entry) {
        (None, None) => db.query(newest!(""), &params![space, before, from, to, kind, limit]).await,
        (Some(actor), None) => {
            let sql = newest!("AND j.actor = $7");
            db.query(sql, &params![space, before, from, to, kind, limit, actor]).await
        }
        (None, Some(entry)) => {
            let sql = newest!("AND j.entry_id = $7");
            db.query(sql, &params![space, before, from, to, kind, limit, entry]).await
        }
        (Some(actor), Some(entry)) => {
            let sql = newest!("AND j.entry_id = $7 AND j.actor = $8");
            db.query(sql, &params![space, before, from, to, kind, limit, entry, actor]).await
        }
    }
}

/// Up to `limit` spaces after `after` whose oldest change is from before `before`, in the order of their ids.
pub async fn spaces_with_old(db: &Db, after: SpaceId, before: Time, limit: u32) -> Result<Vec<SpaceId>, Error> {
    let rows: Vec<(SpaceId,)> = db
        .query(
            "SELECT s.id FROM space s JOIN journal j ON j.space_id = s.id
              AND j.sequence = (SELECT MIN(o.sequence) FROM journal o WHERE o.space_id = s.id)
             WHERE s.id > $1 AND j.at_us < $2 ORDER BY s.id LIMIT $3",
            &params![after, before, limit],
        )
        .await?;
    Ok(rows.into_iter().map(|(space,)| space).collect())
}

/// Removes up to `limit` of the oldest changes of a space, as far as they are from before `before`, and returns how many: what
/// is left has no hole, whatever the clocks said.
pub async fn forget(tx: &Tx, space: SpaceId, before: Time, limit: u32) -> Result<u64, Error> {
    tx.exec(
        "WITH oldest AS (SELECT sequence, at_us FROM journal WHERE space_id = $1 ORDER BY sequence LIMIT $3)
         DELETE FROM journal WHERE space_id = $1 AND sequence IN (
             SELECT sequence FROM oldest WHERE sequence < COALESCE(
                 (SELECT MIN(sequence) FROM oldest WHERE at_us >= $2),
                 (SELECT sequence FROM space WHERE id = $1)))",
        &params![space, before, limit],
    )
    .await
}
