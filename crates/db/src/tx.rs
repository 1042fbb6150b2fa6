//! Statements and the handle that runs them inside a unit of work.

use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use crate::{Error, Row, Value, lite, notice::Notice, pg};

/// Which dialect a database speaks, for the rare place where a whole use case differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// The text of a statement in both dialects. Parameters are `$1`, `$2`, … on both.
///
/// Where one text serves both, a `&'static str` is enough. Where they differ, both stand next to each other:
///
/// ```
/// # use db::Sql;
/// const NOW: Sql = Sql {
///     lite: "SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
///     pg: "SELECT CAST(extract(epoch FROM now()) * 1000000 AS bigint)",
/// };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sql {
    /// The text for SQLite.
    pub lite: &'static str,
    /// The text for PostgreSQL.
    pub pg: &'static str,
}

impl From<&'static str> for Sql {
    fn from(portable: &'static str) -> Self {
        Self { lite: portable, pg: portable }
    }
}

/// A unit of work under way: what [`Db::read`](crate::Db::read) and [`Db::write`](crate::Db::write) hand to their
/// closures.
///
/// A clone is the same unit. Statements that several clones run at the same time (`futures::join!`) travel to
/// PostgreSQL together, which saves round trips; SQLite runs them one after another. Once the closure's future has
/// returned, the handle refuses everything: it must not be moved into another task.
///
/// **A failed statement ends the unit.** PostgreSQL takes no more statements in such a transaction, so neither engine
/// does here: what follows is refused, and an `Ok` of the closure becomes the statement's error. A conflict that is
/// expected belongs in the statement (`ON CONFLICT DO NOTHING`).
#[derive(Clone)]
pub struct Tx(Arc<Unit>);

struct Unit {
    failure: OnceLock<Error>,
    announced: Mutex<Vec<Notice>>,
    engine: Engine,
}

enum Engine {
    Lite(lite::Session),
    Pg(pg::Session),
}

impl Tx {
    pub(crate) fn lite(session: lite::Session) -> Self {
        Self::new(Engine::Lite(session))
    }

    pub(crate) fn pg(session: pg::Session) -> Self {
        Self::new(Engine::Pg(session))
    }

    fn new(engine: Engine) -> Self {
        Self(Arc::new(Unit { failure: OnceLock::new(), announced: Mutex::default(), engine }))
    }

    /// What others are told once the unit is committed; if it is not, nobody hears of it.
    pub(crate) fn announce(&self, notice: Notice) {
        self.0.announced.lock().push(notice);
    }

    pub(crate) fn announced(&self) -> Vec<Notice> {
        std::mem::take(&mut *self.0.announced.lock())
    }

    /// The dialect of the database that this is a unit of.
    pub fn dialect(&self) -> Dialect {
        match &self.0.engine {
            Engine::Lite(_) => Dialect::Sqlite,
            Engine::Pg(_) => Dialect::Postgres,
        }
    }

    /// All rows of a statement.
    ///
    /// # Errors
    /// Those of the statement, [`Error::Shape`] from reading its rows.
    pub async fn query<R: Row>(&self, sql: impl Into<Sql>, params: &[Value<'_>]) -> Result<Vec<R>, Error> {
        self.rows(sql.into(), params, usize::MAX).await
    }

    /// The row of a statement that gives one or none.
    ///
    /// # Errors
    /// As [`Tx::query`], and [`Error::Shape`] if there are several rows.
    pub async fn query_opt<R: Row>(&self, sql: impl Into<Sql>, params: &[Value<'_>]) -> Result<Option<R>, Error> {
        at_most_one(self.rows(sql.into(), params, 1).await?)
    }

    /// The row of a statement that always gives exactly one.
    ///
    /// # Errors
    /// As [`Tx::query`], and [`Error::Shape`] if there are none or several.
    pub async fn query_one<R: Row>(&self, sql: impl Into<Sql>, params: &[Value<'_>]) -> Result<R, Error> {
        exactly_one(self.rows(sql.into(), params, 1).await?)
    }

    /// Runs a statement that gives no rows; returns how many rows it inserted, changed or removed.
    ///
    /// # Errors
    /// Those of the statement.
    pub async fn exec(&self, sql: impl Into<Sql>, params: &[Value<'_>]) -> Result<u64, Error> {
        let sql = sql.into();
        self.usable(params)?;
        let result = match &self.0.engine {
            Engine::Lite(session) => session.exec(sql.lite, params),
            Engine::Pg(session) => session.exec(sql.pg, params).await,
        };
        self.note(result)
    }

    /// Runs the statements of a migration.
    pub(crate) async fn batch(&self, text: &str) -> Result<(), Error> {
        self.usable(&[])?;
        let result = match &self.0.engine {
            Engine::Lite(session) => session.batch(text),
            Engine::Pg(session) => session.batch(text).await,
        };
        self.note(result)
    }

    /// The error that ended the unit early, if one did.
    pub(crate) fn failure(&self) -> Option<Error> {
        self.0.failure.get().cloned()
    }

    /// Takes the connection back from every clone of this handle.
    pub(crate) fn end(&self) -> Option<lite::Conn> {
        match &self.0.engine {
            Engine::Lite(session) => session.end(),
            Engine::Pg(session) => {
                session.end();
                None
            }
        }
    }

    async fn rows<R: Row>(&self, sql: Sql, params: &[Value<'_>], most: usize) -> Result<Vec<R>, Error> {
        self.usable(params)?;
        let result = match &self.0.engine {
            Engine::Lite(session) => session.query(sql.lite, params, most),
            Engine::Pg(session) => session.query(sql.pg, params, most).await,
        };
        self.note(result)
    }

    fn usable(&self, params: &[Value<'_>]) -> Result<(), Error> {
        match self.0.failure.get() {
            None => params.iter().try_for_each(Value::check),
            Some(_) => {
                Err(Error::Internal("a statement after one that had failed in the same unit of work".to_owned()))
            }
        }
    }

    /// Remembers a failure of the engine. What is wrong with a row's shape is found after the statement succeeded, and
    /// does not end the unit.
    fn note<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = &result
            && !matches!(error, Error::Shape(_))
        {
            // Statements that ran together may fail together; the first failure is the one to tell.
            let _ = self.0.failure.set(error.clone());
        }
        result
    }
}

pub(crate) fn at_most_one<R>(mut rows: Vec<R>) -> Result<Option<R>, Error> {
    let row = rows.pop();
    if rows.is_empty() { Ok(row) } else { Err(Error::Shape("several rows where one was expected".to_owned())) }
}

pub(crate) fn exactly_one<R>(rows: Vec<R>) -> Result<R, Error> {
    at_most_one(rows)?.ok_or_else(|| Error::Shape("no row where one was expected".to_owned()))
}
