//! What only PostgreSQL has: connections that break, and commits side by side.

use std::sync::Arc;

use base::Secret;
use db::{Access, Backend, Db, Error, Lane, Options, params};
use futures::future::join_all;
use testkit::database::{TestDb, postgres_with};
use tokio::sync::{Barrier, oneshot};

use crate::{Held, STEPS, insert, names, queue, space, write_thing};

async fn test_db() -> TestDb {
    postgres_with(STEPS).await
}

const KILL: &str = "SELECT pg_terminate_backend($1)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_breaks_takes_its_whole_batch() {
    let test = test_db().await;
    let client = test.client().await;
    let held = Held::new(&test.db).await;
    let (tell, told) = oneshot::channel();
    let (go, gone) = oneshot::channel::<()>();
    let mut calls = Vec::new();
    for name in ["before", "too"] {
        let db = test.db.clone();
        calls.push(queue(async move { write_thing(&db, name).await }).await);
    }
    let db = test.db.clone();
    calls.push(
        queue(async move {
            db.write(Lane::Space(space(1)), async move |tx| {
                let (process,): (i32,) = tx.query_one("SELECT pg_backend_pid()", &params![]).await?;
                tell.send(process).expect("the test waits for it");
                gone.await.expect("the test says when");
                insert(&tx, "within").await
            })
            .await
        })
        .await,
    );
    let db = test.db.clone();
    calls.push(queue(async move { write_thing(&db, "behind").await }).await);
    held.release().await;
    // The test's own calls must be polled for their answers only: the batch runs in the committer's task.
    let process = told.await.expect("the unit tells");
    client.query(KILL, &[&process]).await.expect("a superuser may");
    go.send(()).expect("the unit waits for it");
    for result in join_all(calls).await {
        assert!(matches!(result, Err(Error::Unavailable(_))), "{result:?}");
    }
    assert_eq!(names(&test.db).await, [""; 0]);
    write_thing(&test.db, "later").await.expect("the next connection works");
    assert_eq!(names(&test.db).await, ["later"]);
}

#[tokio::test]
async fn a_connection_that_breaks_inside_the_commit_leaves_it_open() {
    let test = test_db().await;
    let client = test.client().await;
    // A deferred trigger runs inside COMMIT; this one ends its own server process there.
    client
        .batch_execute(
            "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
                 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(10); RETURN NULL; END';
             CREATE CONSTRAINT TRIGGER die AFTER INSERT ON counter DEFERRABLE INITIALLY DEFERRED
                 FOR EACH ROW EXECUTE FUNCTION die();",
        )
        .await
        .expect("a trigger");
    let unknown: Result<u64, Error> = test
        .db
        .write(Lane::Free, async |tx| {
            tx.exec("INSERT INTO counter (space_id, n) VALUES ($1, 1)", &params![space(1)]).await
        })
        .await;
    assert!(matches!(unknown, Err(Error::CommitUnknown(_))), "{unknown:?}");
    write_thing(&test.db, "later").await.expect("the next connection works");
}

#[tokio::test]
async fn a_commit_that_the_server_refuses_is_an_ordinary_error() {
    let test = test_db().await;
    let client = test.client().await;
    client
        .batch_execute("ALTER TABLE child ALTER CONSTRAINT child_thing_id_fkey DEFERRABLE INITIALLY DEFERRED")
        .await
        .expect("a constraint");
    let refused: Result<u64, Error> = test
        .db
        .write(Lane::Free, async |tx| {
            tx.exec("INSERT INTO child (id, thing_id) VALUES (1, $1)", &params![uuid::Uuid::from_u128(9)]).await
        })
        .await;
    assert_eq!(refused, Err(Error::ForeignKey));
}

#[tokio::test]
async fn idle_connections_that_broke_are_replaced() {
    let test = test_db().await;
    let client = test.client().await;
    for round in 0..3 {
        // Several connections, so that the pool has some to lose.
        let reads = (0..6).map(|_| test.db.query::<(i64,)>("SELECT count(*) FROM thing", &params![]));
        for result in join_all(reads).await {
            result.expect("a read");
        }
        let kill_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                        WHERE datname = current_database() AND pid <> pg_backend_pid()";
        client.query(kill_all, &[]).await.expect("a superuser may");
        match round {
            0 => write_thing(&test.db, "after").await.expect("a write"),
            1 => assert_eq!(names(&test.db).await, ["after"]),
            _ => {
                let read =
                    test.db.read(async |tx| tx.query_one::<(i64,)>("SELECT count(*) FROM thing", &params![]).await);
                assert_eq!(read.await, Ok((1,)));
            }
        }
    }
}

#[tokio::test]
async fn lanes_do_not_wait_for_each_other() {
    let test = test_db().await;
    for lanes in [[Lane::Space(space(1)), Lane::Space(space(2))], [Lane::Free, Lane::Free]] {
        // Each unit waits for the other one: behind each other they would never end.
        let both = Arc::new(Barrier::new(2));
        let calls = lanes.map(|lane| {
            let (db, both) = (test.db.clone(), Arc::clone(&both));
            async move {
                db.write(lane, async move |_| {
                    both.wait().await;
                    Ok::<_, Error>(())
                })
                .await
            }
        });
        for result in join_all(calls).await {
            result.expect("a unit");
        }
    }
}

#[tokio::test]
async fn a_changed_schema_does_not_spoil_connections() {
    let test = test_db().await;
    let client = test.client().await;
    write_thing(&test.db, "a").await.expect("a new thing");
    let all = "SELECT * FROM counter";
    for _ in 0..8 {
        let rows: Vec<(base::SpaceId, i64)> = test.db.query(all, &params![]).await.expect("rows");
        assert!(rows.is_empty());
    }
    client.batch_execute("ALTER TABLE counter ADD COLUMN colour text").await.expect("a column");
    // The prepared statement may fail once on each connection that knew the old table, and not for ever.
    let mut failed = 0;
    while test.db.query::<(base::SpaceId, i64)>(all, &params![]).await.is_err() {
        failed += 1;
        assert!(failed <= 8);
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_without_secrets() {
    let test = test_db().await;
    let open = async |url: &str| {
        let backend = Backend::Postgres { url: Secret::new(url) };
        Db::open(Options { backend, ..test.options() }).await.err().expect("nothing is there")
    };
    for url in [
        "postgres://someone:hush@127.0.0.1:1/nothing",
        "postgres://someone:hush@127.0.0.1:port/nothing",
        "postgres://someone:hush@127.0.0.1:1/nothing?sslmode=require",
    ] {
        let error = open(url).await;
        assert!(matches!(error, Error::Unavailable(_)), "{url}: {error:?}");
        assert!(!error.to_string().contains("hush"), "{error}");
    }
}

#[tokio::test]
async fn a_reader_writes_nothing() {
    let test = test_db().await;
    write_thing(&test.db, "a").await.expect("a new thing");
    let reader = Db::open(Options { access: Access::ReadOnly, ..test.options() }).await.expect("it opens");
    assert_eq!(reader.check().await, Ok(()));
    assert_eq!(names(&reader).await, ["a"]);
    assert!(matches!(write_thing(&reader, "b").await, Err(Error::Internal(_))));
    let direct = reader.query::<(String,)>("DELETE FROM thing RETURNING name", &params![]).await;
    assert!(matches!(direct, Err(Error::Internal(_))), "{direct:?}");
    reader.close().await;
    assert_eq!(names(&test.db).await, ["a"]);
}
