//! The SQLite engine: one thread that writes, and a few connections that read on the caller's own thread.

mod reader;
mod session;
mod writer;

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags, config::DbConfig, functions::FunctionFlags};

pub(crate) use session::{Conn, Session, cell};

use crate::{Access, Error, Options, Row, Tx, Value, unit::Unit};
use reader::Readers;
use session::error;
use writer::Writer;

/// The WAL-reset defect, present from 3.7.0 on, was mended in 3.51.3 (<https://sqlite.org/wal.html#walresetbug>); it
/// damages files exactly where several connections write and checkpoint.
const VERSION_MIN: i32 = 3_051_003;

/// Pages of the connection that writes, in KiB. It holds the upper levels of every tree that a busy server changes.
const WRITER_CACHE_KIB: i64 = 16 << 10;

/// Pages of a connection that reads, in KiB. Every commit empties it (a WAL reader that finds a new commit forgets its
/// pages), so that a larger one would mostly be memory.
const READER_CACHE_KIB: i64 = 2 << 10;

/// Statements that a connection keeps prepared: more than the product has.
const STATEMENTS: usize = 512;

/// The WAL file is cut to this many bytes when it starts again from its beginning.
const WAL_BYTES_KEPT: i64 = 64 << 20;

pub(crate) struct Lite {
    readers: Readers,
    writer: Option<Writer>,
}

impl Lite {
    /// Opens the file; blocks.
    pub(crate) fn open(path: &Path, options: &Options) -> Result<Self, Error> {
        if rusqlite::version_number() < VERSION_MIN {
            return Err(Error::Unavailable(format!("SQLite {} is older than 3.51.3", rusqlite::version())));
        }
        let writer = match options.access {
            Access::Full => {
                make_folder(path)?;
                let lock = lock(path)?;
                let conn = connect(path, Role::Writer, options)?;
                Some(Writer::start(conn, lock, options.clock.clone())?)
            }
            Access::ReadOnly => None,
        };
        let role = if writer.is_some() { Role::Reader } else { Role::Guest };
        let readers = (0..options.readers.max(1)).map(|_| connect(path, role, options)).collect::<Result<_, _>>()?;
        Ok(Self { readers: Readers::new(readers), writer })
    }

    pub(crate) async fn read<T, E, F, Fut>(&self, run: F) -> Result<T, E>
    where
        F: FnOnce(Tx) -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
        E: From<Error>,
    {
        let snapshot = self.readers.snapshot().await?;
        let result = run(snapshot.tx()).await;
        match snapshot.tx().failure() {
            Some(failure) if result.is_ok() => Err(E::from(failure)),
            _ => result,
        }
    }

    pub(crate) async fn query<R: Row>(
        &self,
        sql: &'static str,
        params: &[Value<'_>],
        most: usize,
    ) -> Result<Vec<R>, Error> {
        self.readers.query(sql, params, most).await
    }

    pub(crate) async fn submit(&self, unit: Box<dyn Unit>) -> Result<(), Error> {
        match &self.writer {
            Some(writer) => writer.submit(unit).await,
            None => Err(Error::Internal("a write to a database that was opened for reading".to_owned())),
        }
    }

    pub(crate) fn commits(&self) -> u64 {
        self.writer.as_ref().map_or(0, Writer::commits)
    }

    pub(crate) async fn close(&self) {
        // Readers first: the last connection to leave moves the WAL into the file, and that should be the writer.
        self.readers.close();
        if let Some(writer) = &self.writer {
            writer.close().await;
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Role {
    /// The one that writes.
    Writer,
    /// One beside it that reads.
    Reader,
    /// One in a process that must not write at all.
    Guest,
}

/// Makes `lower` what it is on PostgreSQL: SQLite's own knows the letters A to Z alone.
fn small_letters(conn: &Connection) -> Result<(), rusqlite::Error> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    conn.create_scalar_function("lower", 1, flags, |call| {
        Ok(call.get::<Option<String>>(0)?.map(|text| text.to_lowercase()))
    })
}

fn connect(path: &Path, role: Role, options: &Options) -> Result<Conn, Error> {
    // Without SQLite's own mutex: a connection is always behind one of ours, or with one thread.
    let mut flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags |= match role {
        Role::Writer => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        Role::Reader => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Role::Guest => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let open = || {
        let conn = Connection::open_with_flags(path, flags)?;
        conn.busy_timeout(options.patience)?;
        conn.set_prepared_statement_cache_capacity(STATEMENTS);
        // Without this SQLite looks at the values bound to a statement and compiles it again when they change, which
        // for a point read costs several times the read itself.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        // Memory for what a savepoint may have to restore, instead of a file once it passes 64 KiB.
        conn.pragma_update(None, "temp_store", "MEMORY")?;
        conn.pragma_update(None, "trusted_schema", false)?;
        small_letters(&conn)?;
        if role == Role::Writer {
            conn.pragma_update(None, "journal_mode", "WAL")?;
            conn.pragma_update(None, "synchronous", "FULL")?;
            conn.pragma_update(None, "foreign_keys", true)?;
            conn.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
            conn.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT)?;
            let mode: String = conn.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
            if mode != "wal" {
                return Ok(Err(Error::Unavailable(format!("{} cannot have a WAL, only `{mode}`", path.display()))));
            }
        } else {
            conn.pragma_update(None, "query_only", true)?;
            conn.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
            // Reads the file's header, so that a file of another kind is told at the start.
            let _: i64 = conn.pragma_query_value(None, "schema_version", |row| row.get(0))?;
        }
        Ok(Ok(Box::new(conn)))
    };
    open().unwrap_or_else(|failure| Err(error(None, &failure))).map_err(|failure| match failure {
        Error::Unavailable(why) => Error::Unavailable(format!("{}: {why}", path.display())),
        Error::Internal(why) => Error::Internal(format!("{}: {why}", path.display())),
        other => other,
    })
}

/// Creates the folder of the file, durably: a database whose folder a power loss takes away was never there.
fn make_folder(path: &Path) -> Result<(), Error> {
    let make = |folder: &Path| {
        if folder.as_os_str().is_empty() || folder.is_dir() {
            return Ok(());
        }
        fs::create_dir_all(folder)?;
        match folder.parent().filter(|above| !above.as_os_str().is_empty()) {
            Some(above) => File::open(above)?.sync_all(),
            None => File::open(".")?.sync_all(),
        }
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    make(folder).map_err(|why| Error::Unavailable(format!("{} cannot be created: {why}", folder.display())))
}

/// The lock of the one process that writes: a file beside the database, so that SQLite's own locks stay its own.
fn lock(path: &Path) -> Result<File, Error> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&name)
        .map_err(|why| Error::Unavailable(format!("{} cannot be opened: {why}", name.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Unavailable(format!(
            "{} is open for writing in another process, which holds {}",
            path.display(),
            name.display()
        ))),
        Err(TryLockError::Error(why)) => Err(Error::Unavailable(format!("{} cannot be locked: {why}", name.display()))),
    }
}
