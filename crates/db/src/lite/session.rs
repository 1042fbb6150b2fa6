//! Statements on one SQLite connection.

use parking_lot::Mutex;
use rusqlite::{
    Connection, ErrorCode, Statement, ToSql,
    ffi::{self, SQLITE_CONSTRAINT_FOREIGNKEY, SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE},
    types::{ToSqlOutput, ValueRef},
};

use crate::{Cell, Error, Row, RowReader, Value, row::Source};

/// A connection on its way between its owner and the unit of work that uses it.
pub(crate) type Conn = Box<Connection>;

/// A connection while a unit of work has it. The lock is there for clones of a `Tx`, and nearly never contended.
pub(crate) struct Session(Mutex<Option<Conn>>);

impl Session {
    pub(crate) fn new(conn: Conn) -> Self {
        Self(Mutex::new(Some(conn)))
    }

    /// Takes the connection back; from now on every statement is refused.
    pub(crate) fn end(&self) -> Option<Conn> {
        self.0.lock().take()
    }

    pub(crate) fn query<R: Row>(&self, sql: &'static str, params: &[Value<'_>], most: usize) -> Result<Vec<R>, Error> {
        self.with(|conn| query(conn, sql, params, most))
    }

    pub(crate) fn exec(&self, sql: &'static str, params: &[Value<'_>]) -> Result<u64, Error> {
        self.with(|conn| {
            let mut statement = conn.prepare_cached(sql).map_err(|failure| error(Some(conn), &failure))?;
            bind(&mut statement, params)?;
            let rows = statement.raw_execute().map_err(|failure| error(Some(conn), &failure))?;
            Ok(rows as u64)
        })
    }

    pub(crate) fn batch(&self, text: &str) -> Result<(), Error> {
        self.with(|conn| conn.execute_batch(text).map_err(|failure| error(Some(conn), &failure)))
    }

    fn with<T>(&self, run: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        match self.0.lock().as_deref() {
            Some(conn) => run(conn),
            None => Err(Error::Internal("a statement after the end of its unit of work".to_owned())),
        }
    }
}

/// Up to `most` rows; more are an error.
pub(crate) fn query<R: Row>(
    conn: &Connection,
    sql: &'static str,
    params: &[Value<'_>],
    most: usize,
) -> Result<Vec<R>, Error> {
    let mut statement = conn.prepare_cached(sql).map_err(|failure| error(Some(conn), &failure))?;
    bind(&mut statement, params)?;
    let mut rows = statement.raw_query();
    let mut read = Vec::new();
    while let Some(row) = rows.next().map_err(|failure| error(Some(conn), &failure))? {
        if read.len() == most {
            return Err(Error::Shape(format!("more than {most} rows")));
        }
        read.push(R::read(&RowReader(Source::Lite(row)))?);
    }
    Ok(read)
}

/// Runs one of the fixed statements that frame units of work.
pub(super) fn control(conn: &Connection, sql: &'static str) -> Result<(), Error> {
    let run = || conn.prepare_cached(sql)?.raw_execute();
    run().map(drop).map_err(|failure| error(Some(conn), &failure))
}

pub(crate) fn cell<'a>(row: &'a rusqlite::Row<'_>, index: usize) -> Result<Cell<'a>, Error> {
    match row.get_ref(index) {
        Ok(ValueRef::Null) => Ok(Cell::Null),
        Ok(ValueRef::Integer(value)) => Ok(Cell::I64(value)),
        Ok(ValueRef::Blob(bytes)) => Ok(Cell::Blob(bytes)),
        Ok(ValueRef::Text(bytes)) => std::str::from_utf8(bytes)
            .map(Cell::Text)
            .map_err(|_| Error::Shape(format!("column {index} holds text that is not UTF-8"))),
        Ok(ValueRef::Real(_)) => Err(Error::Shape(format!("column {index} holds a floating-point number"))),
        Err(_) => Err(Error::Shape(format!("there is no column {index}"))),
    }
}

/// Binds `$n` to `params[n - 1]`. To SQLite `$1` is a name like any other, numbered by where it first stands in the
/// text; so each place is asked for its name.
fn bind(statement: &mut Statement<'_>, params: &[Value<'_>]) -> Result<(), Error> {
    let count = statement.parameter_count();
    if count != params.len() {
        return Err(Error::Internal(format!("a statement of {count} parameters was given {}", params.len())));
    }
    for place in 1..=count {
        let number = statement.parameter_name(place).and_then(|name| name.strip_prefix('$')?.parse::<usize>().ok());
        let Some(value) = number.and_then(|number| params.get(number.checked_sub(1)?)) else {
            return Err(Error::Internal(format!("parameter {place} of a statement is not among $1 to ${count}")));
        };
        statement.raw_bind_parameter(place, Bound(value)).map_err(|failure| error(None, &failure))?;
    }
    Ok(())
}

struct Bound<'a>(&'a Value<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Bool(value) => ValueRef::Integer((*value).into()),
            Value::I64(value) => ValueRef::Integer(*value),
            Value::U64(value) => ValueRef::Integer(
                i64::try_from(*value).map_err(|why| rusqlite::Error::ToSqlConversionFailure(why.into()))?,
            ),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
            Value::Uuid(id) => ValueRef::Blob(id.as_bytes()),
        }))
    }
}

/// What SQLite's failure means to a caller. The connection answers which table an index belongs to.
pub(super) fn error(conn: Option<&Connection>, failure: &rusqlite::Error) -> Error {
    let rusqlite::Error::SqliteFailure(code, message) = failure else {
        return match failure {
            rusqlite::Error::SqlInputError { msg, .. } => Error::Internal(format!("a wrong statement: {msg}")),
            other => Error::Internal(other.to_string()),
        };
    };
    let message = message.as_deref().unwrap_or_default();
    match code.code {
        ErrorCode::ConstraintViolation => match code.extended_code {
            SQLITE_CONSTRAINT_UNIQUE | SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
                unique(conn, message)
            }
            SQLITE_CONSTRAINT_FOREIGNKEY => Error::ForeignKey,
            _ => Error::Internal(message.to_owned()),
        },
        ErrorCode::DiskFull => Error::Full,
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::PermissionDenied
        | ErrorCode::OutOfMemory
        | ErrorCode::OperationInterrupted
        | ErrorCode::FileLockingProtocolFailed => Error::Unavailable(format!("{code}: {message}")),
        _ => Error::Internal(format!("{code}: {message}")),
    }
}

/// SQLite says `UNIQUE constraint failed: entry.space_id, entry.name`, or `… failed: index 'entry_place'` where the
/// index has an expression.
fn unique(conn: Option<&Connection>, message: &str) -> Error {
    let what = message.rsplit_once("failed: ").map_or(message, |(_, what)| what);
    if let Some(index) = what.strip_prefix("index '").and_then(|rest| rest.strip_suffix('\'')) {
        let table = conn.and_then(|conn| {
            conn.query_row("SELECT tbl_name FROM sqlite_master WHERE name = ?1", [index], |row| row.get(0)).ok()
        });
        return Error::Unique { constraint: table.unwrap_or_default(), detail: index.to_owned() };
    }
    let columns: Vec<&str> =
        what.split(", ").map(|column| column.split_once('.').map_or(column, |(_, column)| column)).collect();
    let table = what.split_once('.').map_or("", |(table, _)| table);
    Error::Unique { constraint: table.to_owned(), detail: columns.join(", ") }
}
