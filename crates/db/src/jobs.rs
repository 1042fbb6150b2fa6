//! Jobs: work that must survive a restart, leased by one worker at a time.

use base::{JobId, Time};

use crate::{Db, Error, Row, RowReader, Sql, Tx, params};

/// A job to insert.
#[derive(Debug, Clone)]
pub struct NewJob<'a> {
    /// Its id.
    pub id: JobId,
    /// Which handler it is for.
    pub kind: &'a str,
    /// Of the payload's form.
    pub version: u32,
    /// At most one job has it.
    pub dedup: Option<&'a str>,
    /// JSON.
    pub payload: &'a str,
    /// Higher ones first.
    pub priority: i64,
    /// Not before.
    pub due: Time,
    /// Now.
    pub created: Time,
}

/// A job that was just leased.
#[derive(Debug, Clone)]
pub struct LeasedRow {
    /// Which one.
    pub id: JobId,
    /// Which handler it is for.
    pub kind: String,
    /// Of the payload's form.
    pub version: u32,
    /// JSON.
    pub payload: String,
    /// How often it was leased, this time included.
    pub attempts: u32,
    /// Generation of the lease.
    pub lease: u64,
    /// What the last attempt failed with.
    pub error: Option<String>,
    /// When it was first asked for.
    pub created: Time,
}

impl Row for LeasedRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: row.get(0)?,
            kind: row.get(1)?,
            version: row.get(2)?,
            payload: row.get(3)?,
            attempts: row.get(4)?,
            lease: row.get(5)?,
            error: row.get(6)?,
            created: row.get(7)?,
        })
    }
}

/// A job as administrators see it.
#[derive(Debug, Clone)]
pub struct JobRow {
    /// Which one.
    pub id: JobId,
    /// Which handler it is for.
    pub kind: String,
    /// The key that keeps it from being asked for twice.
    pub dedup: Option<String>,
    /// JSON.
    pub payload: String,
    /// Higher ones first.
    pub priority: i64,
    /// 0 waiting or leased, 1 dead.
    pub state: u32,
    /// How often it was leased.
    pub attempts: u32,
    /// Not before; while leased, when the lease ends.
    pub due: Time,
    /// What the last attempt failed with.
    pub error: Option<String>,
    /// When it was first asked for.
    pub created: Time,
    /// When it was leased last, if it has not been given back since.
    pub began: Option<Time>,
    /// By whom, if they have a name.
    pub worker: Option<String>,
    /// How much of it they have done, if they told.
    pub done: Option<u64>,
    /// Of how much, if they know.
    pub total: Option<u64>,
    /// Of what.
    pub unit: Option<String>,
}

impl Row for JobRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: row.get(0)?,
            kind: row.get(1)?,
            dedup: row.get(2)?,
            payload: row.get(3)?,
            priority: row.get(4)?,
            state: row.get(5)?,
            attempts: row.get(6)?,
            due: row.get(7)?,
            error: row.get(8)?,
            created: row.get(9)?,
            began: row.get(10)?,
            worker: row.get(11)?,
            done: row.get(12)?,
            total: row.get(13)?,
            unit: row.get(14)?,
        })
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, kind, dedup_key, payload, priority, state, attempts, due_us, error, created_us, began_us, worker,
                    done, total, unit
             FROM job ",
            $rest
        )
    };
}

/// How many jobs of a kind there are, for gauges.
#[derive(Debug, Clone)]
pub struct QueueRow {
    /// The kind.
    pub kind: String,
    /// Jobs that wait or are leased.
    pub waiting: u64,
    /// Jobs that were given up.
    pub dead: u64,
    /// When the longest due of those that wait became due; leased ones are due when their lease ends.
    pub oldest_due: Option<Time>,
}

impl Row for QueueRow {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self { kind: row.get(0)?, waiting: row.get(1)?, dead: row.get(2)?, oldest_due: row.get(3)? })
    }
}

/// Inserts a job, or changes the one that has its key.
///
/// A job of that key which waits takes the newer payload and the higher priority, and the earlier time unless it is
/// in back-off. One that is being worked on is marked, and waits again when its worker has finished it. A dead one comes
/// back to life. So a request is never lost, and two jobs of one key never run side by side.
///
/// Gives the id of the job that there is now.
pub async fn enqueue(tx: &Tx, new: &NewJob<'_>) -> Result<JobId, Error> {
    // `attempts` is raised by leasing: 0 means that `due_us` is still the time that was asked for, and neither the end
    // of a lease nor a back-off.
    let (id,): (JobId,) = tx
        .query_one(
            "INSERT INTO job (id, kind, version, dedup_key, payload, priority, state, attempts, due_us, lease, again,
                          created_us)
         VALUES ($1, $2, $3, $4, $5, $6, 0, 0, $7, 0, 0, $8)
         ON CONFLICT (dedup_key) DO UPDATE SET
            version = excluded.version,
            payload = excluded.payload,
            priority = CASE WHEN excluded.priority > job.priority THEN excluded.priority ELSE job.priority END,
            due_us = CASE
                WHEN job.state = 1 THEN excluded.due_us
                WHEN job.attempts = 0 AND excluded.due_us < job.due_us THEN excluded.due_us
                ELSE job.due_us END,
            again = CASE WHEN job.state = 0 AND job.attempts > 0 THEN 1 ELSE 0 END,
            attempts = CASE WHEN job.state = 1 THEN 0 ELSE job.attempts END,
            state = 0
         RETURNING id",
            &params![new.id, new.kind, new.version, new.dedup, new.payload, new.priority, new.due, new.created],
        )
        .await?;
    Ok(id)
}

/// Whether a job of one of the kinds is due: a look that costs no commit. Times beyond `far` count as over.
pub async fn is_due(db: &Db, kinds: &str, now: Time, far: Time) -> Result<bool, Error> {
    let sql = Sql {
        lite: "SELECT 1 FROM job
               WHERE state = 0 AND (due_us <= $1 OR due_us > $3) AND kind IN (SELECT value FROM json_each($2)) LIMIT 1",
        pg: "SELECT 1::bigint FROM job
             WHERE state = 0 AND (due_us <= $1 OR due_us > $3)
               AND kind IN (SELECT json_array_elements_text($2::text::json)) LIMIT 1",
    };
    let found: Option<(u32,)> = db.query_opt(sql, &params![now, kinds, far]).await?;
    Ok(found.is_some())
}

/// Leases the most urgent due job of the kinds (a JSON list of words) until `until`; `None` if none is due.
///
/// A job whose time is beyond `far` is due as well: nobody sets such a time unless the clock is wrong, and the job would
/// wait until that time really comes.
///
/// On PostgreSQL workers pass over rows that another one is just taking, so they do not queue up behind each other; on
/// SQLite the single writer keeps them apart.
pub async fn lease(
    tx: &Tx,
    kinds: &str,
    now: Time,
    far: Time,
    until: Time,
    worker: Option<&str>,
) -> Result<Option<LeasedRow>, Error> {
    let sql = Sql {
        lite: "UPDATE job SET lease = lease + 1, attempts = attempts + 1, again = 0, due_us = $1,
                   began_us = $2, worker = $5, done = NULL, total = NULL, unit = NULL
               WHERE id = (SELECT id FROM job
                           WHERE state = 0 AND (due_us <= $2 OR due_us > $4)
                             AND kind IN (SELECT value FROM json_each($3))
                           ORDER BY priority DESC, due_us LIMIT 1)
               RETURNING id, kind, version, payload, attempts, lease, error, created_us",
        pg: "UPDATE job SET lease = lease + 1, attempts = attempts + 1, again = 0, due_us = $1,
                 began_us = $2, worker = $5, done = NULL, total = NULL, unit = NULL
             WHERE id = (SELECT id FROM job
                         WHERE state = 0 AND (due_us <= $2 OR due_us > $4)
                           AND kind IN (SELECT json_array_elements_text($3::text::json))
                         ORDER BY priority DESC, due_us LIMIT 1 FOR UPDATE SKIP LOCKED)
             RETURNING id, kind, version, payload, attempts, lease, error, created_us",
    };
    tx.query_opt(sql, &params![until, now, kinds, far, worker]).await
}

/// How far somebody is with a job: how much is done, of how much if that is known, and of what.
pub type Told<'a> = (u64, Option<u64>, &'a str);

/// Moves the end of a lease, and notes how far its worker is; `false` if the lease was lost.
pub async fn renew(tx: &Tx, id: JobId, lease: u64, until: Time, told: Option<Told<'_>>) -> Result<bool, Error> {
    let (done, total, unit) = (told.map(|told| told.0), told.and_then(|told| told.1), told.map(|told| told.2));
    let rows = tx
        .exec(
            "UPDATE job SET due_us = $1, done = $4, total = $5, unit = $6 WHERE id = $2 AND lease = $3 AND state = 0",
            &params![until, id, lease, done, total, unit],
        )
        .await?;
    Ok(rows == 1)
}

/// Ends a job that is done: it is gone, or waits again if it was asked for meanwhile; `false` if the lease was lost.
pub async fn complete(tx: &Tx, id: JobId, lease: u64, now: Time) -> Result<bool, Error> {
    let gone = tx
        .exec("DELETE FROM job WHERE id = $1 AND lease = $2 AND state = 0 AND again = 0", &params![id, lease])
        .await?;
    if gone == 1 {
        return Ok(true);
    }
    // The lease is raised as well: whoever had it has given it back.
    let rows = tx
        .exec(
            "UPDATE job SET again = 0, attempts = 0, error = NULL, due_us = $1, lease = lease + 1,
                began_us = NULL, worker = NULL, done = NULL, total = NULL, unit = NULL
             WHERE id = $2 AND lease = $3 AND state = 0",
            &params![now, id, lease],
        )
        .await?;
    Ok(rows == 1)
}

/// What becomes of a job whose attempt did not finish it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It waits until then.
    Later(Time),
    /// It waits until then, and the attempt does not count.
    LaterUncounted(Time),
    /// It is given up.
    Dead,
}

/// Gives a job back without having done it; `false` if the lease was lost.
pub async fn give_back(
    tx: &Tx,
    id: JobId,
    lease: u64,
    verdict: Verdict,
    error: Option<&str>,
    now: Time,
) -> Result<bool, Error> {
    let (dead, due, uncounted) = match verdict {
        Verdict::Later(due) => (0, due, 0),
        Verdict::LaterUncounted(due) => (0, due, 1),
        Verdict::Dead => (1, now, 0),
    };
    // A job that was asked for again while it failed for good lives on: the newer request has not had its attempt yet.
    let rows = tx
        .exec(
            "UPDATE job SET
                state = CASE WHEN $1 = 1 AND again = 0 THEN 1 ELSE 0 END,
                attempts = CASE WHEN $1 = 1 AND again = 1 THEN 0 ELSE attempts - $2 END,
                again = 0, due_us = $3, error = $4, lease = lease + 1,
                began_us = NULL, worker = NULL, done = NULL, total = NULL, unit = NULL
             WHERE id = $5 AND lease = $6 AND state = 0",
            &params![dead, uncounted, due, error, id, lease],
        )
        .await?;
    Ok(rows == 1)
}

/// Brings a dead job back to life; `false` if there is no such dead job.
pub async fn revive(tx: &Tx, id: JobId, now: Time) -> Result<bool, Error> {
    let rows = tx
        .exec(
            "UPDATE job SET state = 0, attempts = 0, again = 0, due_us = $1 WHERE id = $2 AND state = 1",
            &params![now, id],
        )
        .await?;
    Ok(rows == 1)
}

/// Removes a job, whatever its state; `false` if it was gone.
pub async fn delete(tx: &Tx, id: JobId) -> Result<bool, Error> {
    Ok(tx.exec("DELETE FROM job WHERE id = $1", &params![id]).await? == 1)
}

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nobody works on it, and it was not given up.
    Waiting,
    /// Somebody has leased it, and the lease is not over.
    Running,
    /// It was given up.
    Dead,
}

impl JobRow {
    /// How it stands at `now`. A lease that ends beyond `far` is over, as for [`lease`].
    pub fn standing(&self, now: Time, far: Time) -> Standing {
        match self.began {
            _ if self.state != 0 => Standing::Dead,
            Some(_) if self.due > now && self.due <= far => Standing::Running,
            _ => Standing::Waiting,
        }
    }
}

/// Up to `limit` jobs that stand so at `now` in order of their ids, beginning after `after`.
pub async fn list(
    db: &Db,
    standing: Standing,
    (now, far): (Time, Time),
    after: Option<JobId>,
    limit: u32,
) -> Result<Vec<JobRow>, Error> {
    let after = after.unwrap_or(JobId::from_bytes([0; 16]));
    let of_these = params![after, limit, now, far];
    match standing {
        Standing::Dead => {
            db.query(select!("WHERE state = 1 AND id > $1 ORDER BY id LIMIT $2"), &params![after, limit]).await
        }
        Standing::Running => {
            let sql = select!(
                "WHERE state = 0 AND began_us IS NOT NULL AND due_us > $3 AND due_us <= $4 AND id > $1
                 ORDER BY id LIMIT $2"
            );
            db.query(sql, &of_these).await
        }
        Standing::Waiting => {
            let sql = select!(
                "WHERE state = 0 AND (began_us IS NULL OR due_us <= $3 OR due_us > $4) AND id > $1 ORDER BY id LIMIT $2"
            );
            db.query(sql, &of_these).await
        }
    }
}

/// The job of an id.
pub async fn job(db: &Db, id: JobId) -> Result<Option<JobRow>, Error> {
    db.query_opt(select!("WHERE id = $1"), &params![id]).await
}

/// The job that has a key.
pub async fn keyed(db: &Db, key: &str) -> Result<Option<JobRow>, Error> {
    db.query_opt(select!("WHERE dedup_key = $1"), &params![key]).await
}

/// How many jobs of each kind there are.
pub async fn queues(db: &Db) -> Result<Vec<QueueRow>, Error> {
    db.query(
        "SELECT kind, CAST(COUNT(*) - SUM(state) AS bigint), CAST(SUM(state) AS bigint),
                MIN(CASE WHEN state = 0 THEN due_us END)
         FROM job GROUP BY kind ORDER BY kind",
        &params![],
    )
    .await
}
