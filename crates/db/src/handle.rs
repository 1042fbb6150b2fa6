//! The handle [`Db`].

use std::sync::Arc;

use base::{AccountId, SessionId, SpaceId};
use tokio::sync::broadcast;

use crate::{
    Backend, Dialect, Error, Lane, Migrated, Migration, Options, Row, Sql, Tx, Value,
    lite::Lite,
    migrate,
    notice::{Notices, OwnNotices},
    pg::Pg,
    tx::{at_most_one, exactly_one},
    unit::unit,
};

/// An open database. Cheap to clone; clones share connections and queues.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    engine: Engine,
    notices: Notices,
    migrations: &'static [Migration],
}

enum Engine {
    Lite(Lite),
    Pg(Pg),
}

impl Db {
    /// Connects, checks the engine's version, and starts what commits. Does not migrate. To be called in a Tokio runtime.
    ///
    /// # Errors
    /// [`Error::Unavailable`] with what to do about it: no server, no permission, a file that another process has, an
    /// engine that is too old.
    pub async fn open(options: Options) -> Result<Self, Error> {
        let migrations = options.migrations;
        let notices = Notices::new();
        let engine = match options.backend.clone() {
            Backend::Postgres { url } => Engine::Pg(Pg::open(url.expose(), &options, &notices).await?),
            Backend::Sqlite { path } => {
                let opened = tokio::task::spawn_blocking(move || Lite::open(&path, &options)).await;
                Engine::Lite(opened.map_err(|why| Error::Internal(why.to_string()))??)
            }
        };
        Ok(Self(Arc::new(Inner { engine, notices, migrations })))
    }

    /// Brings the schema to the version of this program. Safe to call from several processes at once.
    ///
    /// # Errors
    /// [`Error::Schema`] if the database is newer than this program, or was made by another one.
    pub async fn migrate(&self) -> Result<Migrated, Error> {
        migrate::migrate(self, self.0.migrations).await
    }

    /// Reaches the database and looks whether its schema is the one of this program.
    ///
    /// # Errors
    /// [`Error::Schema`] if it is not.
    pub async fn check(&self) -> Result<(), Error> {
        migrate::check(self, self.0.migrations).await
    }

    /// Reads in one snapshot. On SQLite the statements run on the calling thread. The snapshot costs two round trips on
    /// PostgreSQL; for a single statement use [`Db::query`].
    ///
    /// The closure must not read or write through the handle: it would wait for a connection while it holds one.
    ///
    /// # Errors
    /// The closure's own, and those of the database.
    pub async fn read<T, E, F, Fut>(&self, run: F) -> Result<T, E>
    where
        F: FnOnce(Tx) -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
        E: From<Error>,
    {
        match &self.0.engine {
            Engine::Lite(lite) => lite.read(run).await,
            Engine::Pg(pg) => pg.read(run).await,
        }
    }

    /// Runs a unit of work and commits it, together with others that wait (see [`Lane`]).
    ///
    /// `Ok` means durable. `Err` means that nothing of it is there, but for [`Error::CommitUnknown`]. If the caller goes
    /// away, a unit that has begun is finished and one that has not is dropped. A panic of the closure is an error of
    /// this unit alone.
    ///
    /// The closure may await nothing but its [`Tx`]: on SQLite anything else is an error, on PostgreSQL it holds up the
    /// lane. It runs at most once. On PostgreSQL it sees what others commit meanwhile (read committed), so a unit
    /// begins with the statement that locks its row, for a space the `UPDATE` that takes a journal number.
    ///
    /// # Errors
    /// The closure's own, and those of the database.
    pub async fn write<T, E, F, Fut>(&self, lane: Lane, run: F) -> Result<T, E>
    where
        F: FnOnce(Tx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (unit, answer) = unit(run, self.0.notices.clone());
        match &self.0.engine {
            Engine::Lite(lite) => lite.submit(unit).await?,
            Engine::Pg(pg) => pg.submit(lane, unit).await?,
        }
        answer.await.unwrap_or_else(|_| Err(E::from(Error::CommitUnknown("the engine was stopped".to_owned()))))
    }

    /// All rows of one statement that reads, in a snapshot of its own. The fastest way to read.
    ///
    /// # Errors
    /// Those of the statement, [`Error::Shape`] from reading its rows.
    pub async fn query<R: Row>(&self, sql: impl Into<Sql>, params: &[Value<'_>]) -> Result<Vec<R>, Error> {
        self.rows(sql.into(), params, usize::MAX).await
    }

    /// The row of one statement that reads and gives one row or none.
    ///
    /// # Errors
    /// As [`Db::query`], and [`Error::Shape`] if there are several rows.
    pub async fn query_opt<R: Row>(&self, sql: impl Into<Sql>, params: &[Value<'_>]) -> Result<Option<R>, Error> {
        at_most_one(self.rows(sql.into(), params, 1).await?)
    }

    /// The row of one statement that reads and always gives exactly one.
    ///
    /// # Errors
    /// As [`Db::query`], and [`Error::Shape`] if there are none or several.
    pub async fn query_one<R: Row>(&self, sql: impl Into<Sql>, params: &[Value<'_>]) -> Result<R, Error> {
        exactly_one(self.rows(sql.into(), params, 1).await?)
    }

    /// Spaces with the numbers of their changes, as they are committed from now on: by this process, and on PostgreSQL by
    /// others on the same database. A hint: some may be missing and some may come twice.
    pub fn changes(&self) -> broadcast::Receiver<(SpaceId, u64)> {
        self.0.notices.changes()
    }

    /// Sessions that are ended from now on, with the same reservation.
    pub fn session_ends(&self) -> broadcast::Receiver<SessionId> {
        self.0.notices.session_ends()
    }

    /// Accounts that are given something, or from which something is taken, from now on, with the same reservation. Who is in a
    /// large group, or is given what everyone is given, is not named.
    pub fn given(&self) -> broadcast::Receiver<AccountId> {
        self.0.notices.given()
    }

    /// What this process commits from now on, as words for the [`Db::hear`] of other processes.
    pub fn own_notices(&self) -> OwnNotices {
        self.0.notices.own()
    }

    /// Takes in what another process said that it committed. Words that mean nothing here are passed over.
    pub fn hear(&self, words: &str) {
        self.0.notices.heard_words(words);
    }

    /// Finishes the units of work that wait, refuses new ones, and lets the connections go.
    pub async fn close(&self) {
        match &self.0.engine {
            Engine::Lite(lite) => lite.close().await,
            Engine::Pg(pg) => pg.close().await,
        }
    }

    /// The dialect of the engine.
    pub fn dialect(&self) -> Dialect {
        match &self.0.engine {
            Engine::Lite(_) => Dialect::Sqlite,
            Engine::Pg(_) => Dialect::Postgres,
        }
    }

    /// Transactions that this handle and its clones have committed. Divided by the units of work it tells how many a
    /// commit carries.
    pub fn commits(&self) -> u64 {
        match &self.0.engine {
            Engine::Lite(lite) => lite.commits(),
            Engine::Pg(pg) => pg.commits(),
        }
    }

    async fn rows<R: Row>(&self, sql: Sql, params: &[Value<'_>], most: usize) -> Result<Vec<R>, Error> {
        params.iter().try_for_each(Value::check)?;
        match &self.0.engine {
            Engine::Lite(lite) => lite.query(sql.lite, params, most).await,
            Engine::Pg(pg) => pg.query(sql.pg, params, most).await,
        }
    }
}
