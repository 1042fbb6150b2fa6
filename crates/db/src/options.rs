//! Which database, and how much of it.

use std::{fmt, path::PathBuf, str::FromStr, sync::Arc, time::Duration};

use base::{Clock, Secret};

use crate::migrate::{self, Migration};

/// Where the database is.
#[derive(Debug, Clone)]
pub enum Backend {
    /// A file of this process.
    Sqlite {
        /// The file. Its folder is created.
        path: PathBuf,
    },
    /// A server.
    Postgres {
        /// `postgres://user:password@host:port/database`, as tokio-postgres reads it. TLS is not spoken.
        url: Secret,
    },
}

/// The text names no database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a database is `sqlite:` and a path, or `postgres://` and the rest of a URL")]
pub struct ParseBackendError;

impl FromStr for Backend {
    type Err = ParseBackendError;

    fn from_str(text: &str) -> Result<Self, ParseBackendError> {
        match text.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite { path: path.into() }),
            Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => {
                Ok(Self::Postgres { url: Secret::new(text) })
            }
            _ => Err(ParseBackendError),
        }
    }
}

/// What the caller means to do with the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read and write. On SQLite only one process at a time has this, and holds a lock for as long.
    Full,
    /// Only read, also beside a process that writes; writes are refused. For tools.
    ReadOnly,
}

/// How to open a database.
#[derive(Clone)]
pub struct Options {
    /// Where it is.
    pub backend: Backend,
    /// What the caller means to do.
    pub access: Access,
    /// Connections to SQLite that only read. Each keeps up to 2 MiB of pages.
    pub readers: usize,
    /// Connections to PostgreSQL at most; half of them may be committing at a time.
    pub pool_size: usize,
    /// How long a call waits: for a connection or a server that is away, and for a lock that another holds.
    pub patience: Duration,
    /// Whether PostgreSQL carries the word of what is committed from process to process (`NOTIFY`). Without it, something
    /// else takes [`Db::own_notices`](crate::Db::own_notices) to [`Db::hear`](crate::Db::hear) of the others.
    pub notify: bool,
    /// The steps that make up the schema, oldest first.
    pub migrations: &'static [Migration],
    /// Times the commits, for the metrics.
    pub clock: Arc<dyn Clock>,
}

impl Options {
    /// The defaults, with the product's own schema.
    pub fn new(backend: Backend, clock: Arc<dyn Clock>) -> Self {
        Self {
            backend,
            access: Access::Full,
            readers: 4,
            pool_size: 16,
            patience: Duration::from_secs(5),
            notify: true,
            migrations: migrate::PRODUCT,
            clock,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("backend", &self.backend)
            .field("access", &self.access)
            .field("readers", &self.readers)
            .field("pool_size", &self.pool_size)
            .field("patience", &self.patience)
            .field("notify", &self.notify)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_backends() {
        let path = |text: &str| match text.parse() {
            Ok(Backend::Sqlite { path }) => path,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(path("sqlite:data/meta.db"), PathBuf::from("data/meta.db"));
        assert_eq!(path("sqlite:/var/x:y.db"), PathBuf::from("/var/x:y.db"));
        for url in ["postgres://a:b@c/d", "postgresql://localhost"] {
            let backend: Backend = url.parse().expect(url);
            assert!(matches!(&backend, Backend::Postgres { url: kept } if kept.expose() == url));
            assert!(!format!("{backend:?}").contains("localhost"));
        }
        for bad in ["", "sqlite", "sqlite:", "postgres:", "postgres:x", "mysql://x", "/var/x.db"] {
            assert!(bad.parse::<Backend>().is_err(), "{bad}");
        }
    }
}
