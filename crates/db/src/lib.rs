//! The database: SQLite or PostgreSQL behind one handle, with all the SQL of Holdfast.
//!
//! This crate exists to contain the SQL drivers (reason b). It promises that a unit of work which returned `Ok` is
//! durable, and that one which returned `Err` left nothing behind; only [`Error::CommitUnknown`] says neither. It knows
//! no rule of the product: who may do what is decided above.
//!
//! - [`Db`]: opens, migrates, reads ([`Db::read`]: a snapshot; [`Db::query`]: one statement) and writes ([`Db::write`])
//! - [`Tx`], [`Sql`], [`params!`], [`Value`], [`Row`]: statements, their parameters and their rows
//! - [`Lane`]: which units of work share a commit
//! - [`Db::changes`], [`Db::session_ends`], [`Db::given`]: word of what was committed, also by other processes;
//!   [`Db::own_notices`], [`Db::hear`]: where something else than the database carries it
//! - [`migrate`]: the schema's history
//! - one module per domain with its statements: functions over [`Tx`] where they write or must see one snapshot, over
//!   [`Db`] where they read with a single statement
//!
//! Rules for statements, which the engines do not check: a domain's text is portable where it can be (SQLite and
//! PostgreSQL agree on upserts, `RETURNING`, row values and CTEs), parameters are `$1 …` on both, sums are cast
//! (`CAST(sum(x) AS bigint)`), no constraint is `DEFERRABLE` (it would fail at the commit that others share), and a
//! partition is named after its table with `_` and a number.
//!
//! ```no_run
//! # async fn example(db: db::Db, space: base::SpaceId) -> Result<(), db::Error> {
//! use db::{Lane, params};
//!
//! let sequence = db
//!     .write(Lane::Space(space), async move |tx| {
//!         let (sequence,): (i64,) = tx
//!             .query_one("UPDATE space SET sequence = sequence + 1 WHERE id = $1 RETURNING sequence", &params![space])
//!             .await?;
//!         Ok::<_, db::Error>(sequence)
//!     })
//!     .await?;
//! # let _ = sequence; Ok(()) }
//! ```

#[macro_use]
pub mod pictures;
pub mod accounts;
pub mod audit;
pub mod content;
pub mod credentials;
pub mod groups;
pub mod identities;
pub mod jobs;
pub mod journal;
pub mod links;
pub mod migrate;
pub mod nodes;
pub mod passkeys;
pub mod people;
pub mod persons;
pub mod second_factor;
pub mod seed;
pub mod spaces;
pub mod tickets;
#[macro_use]
pub mod tree;
pub mod archive;
pub mod crossing;
pub mod dissolve;
#[macro_use]
pub mod grants;
pub mod personal;
#[macro_use]
pub mod plans;
pub mod overseen;
pub mod retention;
pub mod snapshot;
pub mod tags;
pub mod totals;
pub mod trash;
pub mod uploads;
pub mod usage;
pub mod versions;

mod error;
mod handle;
mod lite;
mod notice;
mod options;
mod pg;
mod row;
mod tx;
mod unit;
mod value;

pub use error::Error;
pub use handle::Db;
pub use migrate::{Migrated, Migration};
pub use notice::OwnNotices;
pub use options::{Access, Backend, Options, ParseBackendError};
pub use row::{Cell, FromValue, Row, RowReader};
pub use tx::{Dialect, Sql, Tx};
pub use unit::Lane;
pub use value::Value;
