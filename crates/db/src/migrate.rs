//! The schema's history: steps that only go forward, each in a transaction, each applied once.

use crate::{Db, Dialect, Error, Lane, Sql, Tx, params};

/// One step of the schema. A released one never changes; what has to change is a new step.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// What it is called, also in the database.
    pub name: &'static str,
    /// Its statements for SQLite.
    pub lite: &'static str,
    /// Its statements for PostgreSQL.
    pub pg: &'static str,
}

/// The steps of the product.
pub const PRODUCT: &[Migration] = &[
    Migration {
        name: "0001_start",
        lite: include_str!("../migrations/sqlite/0001_start.sql"),
        pg: include_str!("../migrations/postgres/0001_start.sql"),
    },
    Migration {
        name: "0002_node_reports",
        lite: include_str!("../migrations/sqlite/0002_node_reports.sql"),
        pg: include_str!("../migrations/postgres/0002_node_reports.sql"),
    },
    Migration {
        name: "0003_trash_versions_undo",
        lite: include_str!("../migrations/sqlite/0003_trash_versions_undo.sql"),
        pg: include_str!("../migrations/postgres/0003_trash_versions_undo.sql"),
    },
    Migration {
        name: "0004_links",
        lite: include_str!("../migrations/sqlite/0004_links.sql"),
        pg: include_str!("../migrations/postgres/0004_links.sql"),
    },
    Migration {
        name: "0005_sharing",
        lite: include_str!("../migrations/sqlite/0005_sharing.sql"),
        pg: include_str!("../migrations/postgres/0005_sharing.sql"),
    },
    Migration {
        name: "0006_sign_in",
        lite: include_str!("../migrations/sqlite/0006_sign_in.sql"),
        pg: include_str!("../migrations/postgres/0006_sign_in.sql"),
    },
    Migration {
        name: "0020_tree_extras",
        lite: include_str!("../migrations/sqlite/0020_tree_extras.sql"),
        pg: include_str!("../migrations/postgres/0020_tree_extras.sql"),
    },
    Migration {
        name: "0021_ages",
        lite: include_str!("../migrations/sqlite/0021_ages.sql"),
        pg: include_str!("../migrations/postgres/0021_ages.sql"),
    },
    Migration {
        name: "0022_identities",
        lite: include_str!("../migrations/sqlite/0022_identities.sql"),
        pg: include_str!("../migrations/postgres/0022_identities.sql"),
    },
    Migration {
        name: "0023_plans",
        lite: include_str!("../migrations/sqlite/0023_plans.sql"),
        pg: include_str!("../migrations/postgres/0023_plans.sql"),
    },
    Migration {
        name: "0024_early_links",
        lite: include_str!("../migrations/sqlite/0024_early_links.sql"),
        pg: include_str!("../migrations/postgres/0024_early_links.sql"),
    },
    Migration {
        name: "0025_pictures",
        lite: include_str!("../migrations/sqlite/0025_pictures.sql"),
        pg: include_str!("../migrations/postgres/0025_pictures.sql"),
    },
    Migration {
        name: "0026_running_jobs",
        lite: include_str!("../migrations/sqlite/0026_running_jobs.sql"),
        pg: include_str!("../migrations/postgres/0026_running_jobs.sql"),
    },
];

/// What [`Db::migrate`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The steps that this call applied, in their order; empty if there was nothing to do.
    pub applied: Vec<&'static str>,
}

/// Serialises the migrations of several processes on PostgreSQL. The number is "holdfast" in ASCII.
const LOCK: &str = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;
    SELECT pg_advisory_xact_lock(7525352680829580148)";

const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migration (
    position bigint PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_us bigint NOT NULL)";

/// The database's own clock: the row is for people, nothing decides by it.
const RECORD: Sql = Sql {
    lite: "INSERT INTO schema_migration (position, name, checksum, applied_us)
           VALUES ($1, $2, $3, CAST(unixepoch('subsec') * 1000000 AS INTEGER))",
    pg: "INSERT INTO schema_migration (position, name, checksum, applied_us)
         VALUES ($1, $2, $3, CAST(extract(epoch FROM now()) * 1000000 AS bigint))",
};

const TABLE_EXISTS: Sql = Sql {
    lite: "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_migration'",
    pg: "SELECT count(*) FROM pg_class WHERE oid = to_regclass('schema_migration')",
};

const APPLIED: &str = "SELECT name, checksum FROM schema_migration ORDER BY position";

pub(crate) async fn migrate(db: &Db, steps: &'static [Migration]) -> Result<Migrated, Error> {
    let mut applied = Vec::new();
    // One step in a transaction: a step that fails leaves those before it, and the next start goes on from there.
    while let Some(name) = db.write(Lane::Free, move |tx| next(tx, steps)).await? {
        applied.push(name);
    }
    Ok(Migrated { applied })
}

/// Applies the first step that is not yet applied; `None` if there is none.
async fn next(tx: Tx, steps: &'static [Migration]) -> Result<Option<&'static str>, Error> {
    // On SQLite the writer's lock on the file and its one thread are lock enough.
    if tx.dialect() == Dialect::Postgres {
        tx.batch(LOCK).await?;
    }
    tx.batch(TABLE).await?;
    let applied = tx.query(APPLIED, &params![]).await?;
    verify(&applied, steps, tx.dialect())?;
    let Some(step) = steps.get(applied.len()) else { return Ok(None) };
    let text = step.text(tx.dialect());
    tx.batch(text).await?;
    tx.exec(RECORD, &params![applied.len() as u64, step.name, &checksum(text)]).await?;
    Ok(Some(step.name))
}

pub(crate) async fn check(db: &Db, steps: &'static [Migration]) -> Result<(), Error> {
    let dialect = db.dialect();
    db.read(async move |tx| {
        let (tables,): (i64,) = tx.query_one(TABLE_EXISTS, &params![]).await?;
        let applied = if tables == 0 { Vec::new() } else { tx.query(APPLIED, &params![]).await? };
        verify(&applied, steps, dialect)?;
        match steps.get(applied.len()) {
            None => Ok(()),
            Some(missing) => Err(Error::Schema(format!(
                "the database lacks the migration `{}`: run `holdfast migrate`",
                missing.name
            ))),
        }
    })
    .await
}

/// Refuses a database whose history is not a beginning of ours.
fn verify(applied: &[(String, String)], steps: &[Migration], dialect: Dialect) -> Result<(), Error> {
    for (position, (name, sum)) in applied.iter().enumerate() {
        match steps.get(position) {
            Some(step) if step.name == name && checksum(step.text(dialect)) == *sum => {}
            Some(step) if step.name == name => {
                return Err(Error::Schema(format!(
                    "the database was given another migration `{name}` than the one of this program"
                )));
            }
            _ => {
                return Err(Error::Schema(format!(
                    "the database has the migration `{name}`, which this program does not know: \
                     it belongs to a newer version; use that one"
                )));
            }
        }
    }
    Ok(())
}

impl Migration {
    fn text(&self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Sqlite => self.lite,
            Dialect::Postgres => self.pg,
        }
    }
}

fn checksum(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}
