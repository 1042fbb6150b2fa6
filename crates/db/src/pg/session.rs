//! Statements on one PostgreSQL connection.

use std::{
    error::Error as _,
    io,
    ops::Deref,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use deadpool_postgres::{ClientWrapper, Object};
use futures::TryStreamExt;
use tokio_postgres::{
    error::{DbError, SqlState},
    types::{FromSql, IsNull, ToSql, Type, private::BytesMut},
};
use uuid::Uuid;

use crate::{Cell, Error, Row, RowReader, Value, row::Source};

/// A connection on which a transaction may be open. Unless it is known that there is none, dropping this closes the
/// connection instead of giving it back, and the server rolls back.
pub(super) struct Conn {
    client: Option<Object>,
    clean: AtomicBool,
}

impl Conn {
    pub(super) fn new(client: Object) -> Self {
        Self { client: Some(client), clean: AtomicBool::new(false) }
    }

    /// The transaction was ended, or there is none.
    pub(super) fn set_clean(&self) {
        self.clean.store(true, Ordering::Relaxed);
    }

    /// The connection must not be used again.
    pub(super) fn set_broken(&self) {
        self.clean.store(false, Ordering::Relaxed);
    }
}

impl Deref for Conn {
    type Target = ClientWrapper;

    fn deref(&self) -> &ClientWrapper {
        self.client.as_ref().expect("the client is taken out only when this is dropped")
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        if !*self.clean.get_mut()
            && let Some(client) = self.client.take()
        {
            drop(Object::take(client));
        }
    }
}

/// A connection while a unit of work has it.
pub(crate) struct Session {
    conn: Arc<Conn>,
    ended: AtomicBool,
}

impl Session {
    pub(super) fn new(conn: Arc<Conn>) -> Self {
        Self { conn, ended: AtomicBool::new(false) }
    }

    /// From now on every statement is refused.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    pub(crate) async fn query<R: Row>(
        &self,
        sql: &'static str,
        params: &[Value<'_>],
        most: usize,
    ) -> Result<Vec<R>, Error> {
        query(self.conn()?, sql, params, most).await
    }

    pub(crate) async fn exec(&self, sql: &'static str, params: &[Value<'_>]) -> Result<u64, Error> {
        let conn = self.conn()?;
        let run = async {
            let statement = conn.prepare_cached(sql).await?;
            conn.execute_raw(&statement, params.iter()).await
        };
        run.await.map_err(|failure| failed(conn, &failure))
    }

    pub(crate) async fn batch(&self, text: &str) -> Result<(), Error> {
        let conn = self.conn()?;
        conn.batch_execute(text).await.map_err(|failure| failed(conn, &failure))
    }

    fn conn(&self) -> Result<&ClientWrapper, Error> {
        if self.ended.load(Ordering::Relaxed) {
            return Err(Error::Internal("a statement after the end of its unit of work".to_owned()));
        }
        Ok(&self.conn)
    }
}

/// Up to `most` rows; more are an error.
pub(super) async fn query<R: Row>(
    client: &ClientWrapper,
    sql: &'static str,
    params: &[Value<'_>],
    most: usize,
) -> Result<Vec<R>, Error> {
    let failed = |failure| failed(client, &failure);
    let statement = client.prepare_cached(sql).await.map_err(failed)?;
    let mut rows = pin!(client.query_raw(&statement, params.iter()).await.map_err(failed)?);
    let mut read = Vec::new();
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        if read.len() == most {
            return Err(Error::Shape(format!("more than {most} rows")));
        }
        read.push(R::read(&RowReader(Source::Pg(&row)))?);
    }
    Ok(read)
}

/// Maps a failure, and forgets prepared statements that a change of the schema or of the server made useless.
fn failed(client: &ClientWrapper, failure: &tokio_postgres::Error) -> Error {
    if let Some(&SqlState::FEATURE_NOT_SUPPORTED | &SqlState::INVALID_SQL_STATEMENT_NAME) = failure.code() {
        client.statement_cache.clear();
    }
    error(failure)
}

/// What PostgreSQL's failure means to a caller.
pub(super) fn error(failure: &tokio_postgres::Error) -> Error {
    let Some(told) = failure.as_db_error() else {
        let why = failure.source().map_or_else(|| failure.to_string(), |cause| format!("{failure}: {cause}"));
        let broken = failure.is_closed() || failure.source().is_some_and(|cause| cause.is::<io::Error>());
        return if broken { Error::Unavailable(why) } else { Error::Internal(why) };
    };
    let code = told.code();
    // The message, never the detail: that quotes values.
    let why = || format!("{} ({})", told.message(), code.code());
    match *code {
        SqlState::UNIQUE_VIOLATION => unique(told),
        SqlState::FOREIGN_KEY_VIOLATION => Error::ForeignKey,
        SqlState::DISK_FULL => Error::Full,
        SqlState::T_R_SERIALIZATION_FAILURE
        | SqlState::T_R_DEADLOCK_DETECTED
        | SqlState::LOCK_NOT_AVAILABLE
        | SqlState::QUERY_CANCELED => Error::Conflict(why()),
        // Classes of appendix A: 08 connections, 53 resources, 57 an operator's act, 58 the system around the server.
        _ if ["08", "53", "57", "58"].contains(&code.code().get(..2).unwrap_or_default()) => Error::Unavailable(why()),
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => Error::Unavailable(why()),
        _ => Error::Internal(why()),
    }
}

fn unique(told: &DbError) -> Error {
    let table = told.table().unwrap_or_default();
    // A partition is named after its table, with `_` and a number.
    let constraint = match table.rsplit_once('_') {
        Some((parent, number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => parent,
        _ => table,
    };
    // `Key (space_id, name)=(…) already exists.` in whatever language: the columns are in the first parentheses.
    let columns = told.detail().and_then(|detail| {
        let (columns, _) = detail.split_once(")=(")?;
        columns.split_once('(').map(|(_, columns)| columns)
    });
    let detail = columns.filter(|columns| !columns.contains('(')).or(told.constraint()).unwrap_or_default();
    Error::Unique { constraint: constraint.to_owned(), detail: detail.to_owned() }
}

pub(crate) fn cell(row: &tokio_postgres::Row, index: usize) -> Result<Cell<'_>, Error> {
    row.try_get(index).map_err(|failure| {
        let why = failure.source().map_or_else(|| failure.to_string(), ToString::to_string);
        Error::Shape(format!("column {index}: {why}"))
    })
}

impl<'a> FromSql<'a> for Cell<'a> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(match *ty {
            Type::BOOL => Self::Bool(bool::from_sql(ty, raw)?),
            Type::INT8 => Self::I64(i64::from_sql(ty, raw)?),
            Type::INT4 => Self::I64(i32::from_sql(ty, raw)?.into()),
            Type::INT2 => Self::I64(i16::from_sql(ty, raw)?.into()),
            Type::UUID => Self::Uuid(Uuid::from_sql(ty, raw)?),
            Type::BYTEA => Self::Blob(raw),
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME => Self::Text(std::str::from_utf8(raw)?),
            _ => return Err(format!("`{ty}` is not a type that this crate reads").into()),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (self, ty) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Bool(value), &Type::BOOL) => value.to_sql(ty, out),
            (Self::I64(value), _) => number(*value, ty, out),
            (Self::U64(value), _) => number(i64::try_from(*value)?, ty, out),
            (Self::Text(text), &(Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME)) => text.to_sql(ty, out),
            (Self::Blob(bytes), &Type::BYTEA) => bytes.to_sql(ty, out),
            (Self::Uuid(id), &Type::UUID) => id.to_sql(ty, out),
            _ => Err(format!("a parameter of type `{ty}` was given a value of another").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        self.to_sql(ty, out)
    }
}

fn number(value: i64, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
    match *ty {
        Type::INT8 => value.to_sql(ty, out),
        Type::INT4 => i32::try_from(value)?.to_sql(ty, out),
        Type::INT2 => i16::try_from(value)?.to_sql(ty, out),
        _ => Err(format!("a parameter of type `{ty}` was given a number").into()),
    }
}
