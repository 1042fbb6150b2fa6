//! The database through its handle: one suite on both engines, and what only one of them has.

mod migrations;
mod postgres;
mod rows;
mod sqlite;
mod units;

use std::{pin::Pin, sync::mpsc, time::Duration};

use base::SpaceId;
use db::{Db, Error, Lane, Migration, Tx, params};
use futures::{FutureExt, poll};
use uuid::Uuid;

/// A small schema with one of everything. The statements of the tests are written for it.
pub(crate) const STEPS: &[Migration] = &[Migration {
    name: "0001_test",
    lite: "
        CREATE TABLE thing (
            id BLOB PRIMARY KEY, space_id BLOB NOT NULL, name TEXT NOT NULL, size INTEGER, flag INTEGER, bytes BLOB,
            UNIQUE (space_id, name)
        ) WITHOUT ROWID;
        CREATE UNIQUE INDEX thing_size ON thing (size + 1);
        CREATE TABLE child (id INTEGER PRIMARY KEY, thing_id BLOB NOT NULL REFERENCES thing (id));
        CREATE TABLE counter (space_id BLOB PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE event (space_id BLOB, n INTEGER, PRIMARY KEY (space_id, n)) WITHOUT ROWID;",
    pg: "
        CREATE TABLE thing (
            id uuid PRIMARY KEY, space_id uuid NOT NULL, name text COLLATE \"C\" NOT NULL, size bigint, flag boolean,
            bytes bytea, UNIQUE (space_id, name)
        );
        CREATE UNIQUE INDEX thing_size ON thing ((size + 1));
        CREATE TABLE child (id bigint PRIMARY KEY, thing_id uuid NOT NULL REFERENCES thing (id));
        CREATE TABLE counter (space_id uuid PRIMARY KEY, n bigint NOT NULL);
        CREATE TABLE event (space_id uuid, n bigint, PRIMARY KEY (space_id, n)) PARTITION BY HASH (space_id);
        CREATE TABLE event_0 PARTITION OF event FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE event_1 PARTITION OF event FOR VALUES WITH (MODULUS 2, REMAINDER 1);",
}];

pub(crate) fn space(number: u128) -> SpaceId {
    SpaceId(Uuid::from_u128(number))
}

/// Inserts a thing of that name into space 1.
pub(crate) async fn insert(tx: &Tx, name: &str) -> Result<(), Error> {
    let id = Uuid::new_v4();
    tx.exec("INSERT INTO thing (id, space_id, name) VALUES ($1, $2, $3)", &params![id, space(1), name]).await?;
    Ok(())
}

/// Writes a thing in the lane of space 1.
pub(crate) async fn write_thing(db: &Db, name: &str) -> Result<(), Error> {
    let name = name.to_owned();
    db.write(Lane::Space(space(1)), async move |tx| insert(&tx, &name).await).await
}

/// The names of all things, in order.
pub(crate) async fn names(db: &Db) -> Vec<String> {
    let rows: Vec<(String,)> = db.query("SELECT name FROM thing ORDER BY name", &params![]).await.expect("a list");
    rows.into_iter().map(|(name,)| name).collect()
}

/// A call that waits for its answer.
pub(crate) type Call<T = ()> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// Sends a call on its way: when this returns, its unit is in the queue.
pub(crate) async fn queue<T>(call: impl Future<Output = Result<T, Error>> + Send + 'static) -> Call<T> {
    let mut call = call.boxed();
    assert!(poll!(&mut call).is_pending(), "the lane is held, so no answer can be there yet");
    call
}

/// Holds the lane of space 1 by a unit that waits, so that what comes behind it gathers.
pub(crate) struct Held {
    release: mpsc::SyncSender<()>,
    unit: Call,
}

impl Held {
    pub(crate) async fn new(db: &Db) -> Self {
        let (began, begun) = tokio::sync::oneshot::channel();
        let (release, released) = mpsc::sync_channel(1);
        let writer = db.clone();
        let mut unit = async move {
            writer
                .write(Lane::Space(space(1)), async move |_| {
                    began.send(()).expect("the test waits for this");
                    // Blocks: on SQLite a unit has its thread for itself, and must not await.
                    tokio::task::block_in_place(|| released.recv_timeout(Duration::from_secs(20)))
                        .map_err(|_| Error::Internal("the test never let go".to_owned()))
                })
                .await
        }
        .boxed();
        assert!(poll!(&mut unit).is_pending());
        begun.await.expect("the unit begins");
        Self { release, unit }
    }

    pub(crate) async fn release(self) {
        self.release.send(()).expect("the unit waits for this");
        self.unit.await.expect("the unit that held the lane");
    }
}
