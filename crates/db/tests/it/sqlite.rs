//! What only SQLite has: a file, its lock, a disk that fills up.

use std::{fs, path::Path};

use db::{Access, Backend, Db, Error, Lane, Options, params};
use futures::future::join_all;
use testkit::database::{TestDb, sqlite_with};

use crate::{Held, STEPS, insert, names, queue, space, write_thing};

async fn test_db() -> TestDb {
    sqlite_with(STEPS).await
}

fn options_at(test: &TestDb, path: &Path) -> Options {
    Options { backend: Backend::Sqlite { path: path.to_owned() }, ..test.options() }
}

#[tokio::test]
async fn an_acknowledged_unit_is_in_the_files() {
    let test = test_db().await;
    for number in 0..30 {
        write_thing(&test.db, &format!("{number:02}")).await.expect("a new thing");
        if number % 10 != 9 {
            continue;
        }
        // What a crash would leave: the files as they are, without anybody closing them.
        let crashed = tempfile::tempdir().expect("a folder");
        let copy = crashed.path().join("meta.db");
        fs::copy(test.path(), &copy).expect("the file");
        fs::copy(test.path().with_extension("db-wal"), crashed.path().join("meta.db-wal")).expect("the log");
        let db = Db::open(options_at(&test, &copy)).await.expect("it recovers");
        assert_eq!(db.check().await, Ok(()));
        assert_eq!(names(&db).await.len(), number + 1);
        write_thing(&db, "after").await.expect("it goes on");
        db.close().await;
    }
}

#[tokio::test]
async fn a_second_writer_is_refused_and_a_reader_is_not() {
    let test = test_db().await;
    write_thing(&test.db, "a").await.expect("a new thing");
    let second = Db::open(test.options()).await.err().expect("refused");
    assert!(matches!(&second, Error::Unavailable(why) if why.contains("another process")), "{second}");

    let reader = Db::open(Options { access: Access::ReadOnly, ..test.options() }).await.expect("it opens");
    assert_eq!(reader.check().await, Ok(()));
    assert_eq!(names(&reader).await, ["a"]);
    write_thing(&test.db, "b").await.expect("a new thing");
    assert_eq!(names(&reader).await, ["a", "b"]);
    assert!(matches!(write_thing(&reader, "c").await, Err(Error::Internal(_))));
    reader.close().await;

    test.db.close().await;
    let next = test.reopen().await;
    assert_eq!(names(&next).await, ["a", "b"]);
    next.close().await;
}

#[tokio::test]
async fn folders_are_made_and_other_files_are_refused() {
    let test = test_db().await;
    let folder = tempfile::tempdir().expect("a folder");
    let deep = folder.path().join("a/b/meta.db");
    let db = Db::open(options_at(&test, &deep)).await.expect("it opens");
    db.migrate().await.expect("it takes its schema");
    db.close().await;

    let text = folder.path().join("text.db");
    fs::write(&text, "this is not a database, ".repeat(100)).expect("a file");
    let refused = Db::open(options_at(&test, &text)).await.err().expect("refused");
    assert!(refused.to_string().contains("text.db"), "{refused}");
    let below = text.join("meta.db");
    let refused = Db::open(options_at(&test, &below)).await.err().expect("refused");
    assert!(matches!(refused, Error::Unavailable(_)), "{refused}");
    let absent = Options { access: Access::ReadOnly, ..options_at(&test, &folder.path().join("absent.db")) };
    assert!(matches!(Db::open(absent).await.err(), Some(Error::Unavailable(_))));
    assert!(!folder.path().join("absent.db").exists());
}

async fn fill(db: &Db, name: String, bytes: usize) -> Result<(), Error> {
    db.write(Lane::Space(space(1)), async move |tx| {
        insert(&tx, &name).await?;
        tx.exec("UPDATE thing SET bytes = $1 WHERE name = $2", &params![&vec![7; bytes], &name]).await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_costs_only_what_did_not_fit() {
    let test = test_db().await;
    // The limit stands for the disk's end: SQLite takes the same way out of both.
    let limit = async |statement: &'static str| {
        let limited: Result<(i64,), Error> =
            test.db.write(Lane::Free, async move |tx| tx.query_one(statement, &params![]).await).await;
        limited.expect("a limit");
    };
    limit("PRAGMA max_page_count = 60").await;
    let held = Held::new(&test.db).await;
    let mut calls = Vec::new();
    for number in 0..20 {
        let db = test.db.clone();
        let bytes = if number % 4 == 3 { 1 << 20 } else { 10 };
        calls.push(queue(async move { fill(&db, format!("{number:02}"), bytes).await }).await);
    }
    held.release().await;
    let mut kept = Vec::new();
    for (number, result) in join_all(calls).await.into_iter().enumerate() {
        match result {
            Ok(()) => kept.push(format!("{number:02}")),
            Err(error) => assert_eq!(error, Error::Full),
        }
    }
    assert_eq!(names(&test.db).await, kept);
    assert!(!kept.iter().any(|name| name == "03"), "a megabyte does not fit into 60 pages");
    limit("PRAGMA max_page_count = 100000").await;
    fill(&test.db, "after".to_owned(), 1 << 20).await.expect("there is room again");
    assert_eq!(names(&test.db).await.len(), kept.len() + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unit_that_waits_for_something_else_is_refused() {
    let test = test_db().await;
    let held = Held::new(&test.db).await;
    let db = test.db.clone();
    let waits = queue(async move {
        db.write(Lane::Free, async |tx| {
            insert(&tx, "waits").await?;
            tokio::task::yield_now().await;
            Ok(())
        })
        .await
    })
    .await;
    let db = test.db.clone();
    let other = queue(async move { write_thing(&db, "other").await }).await;
    held.release().await;
    assert!(matches!(waits.await, Err(Error::Internal(_))));
    other.await.expect("a unit");
    assert_eq!(names(&test.db).await, ["other"]);
}

#[tokio::test]
async fn the_log_does_not_grow_without_end() {
    let test = test_db().await;
    // Ten times what the log holds before it is copied; rewritten rows, so that the file itself stays small.
    for number in 0..80 {
        fill(&test.db, format!("{number}"), 2 << 20).await.expect("room");
        test.db
            .write(Lane::Free, async |tx| tx.exec("DELETE FROM thing", &params![]).await)
            .await
            .map_err(|error: Error| error)
            .expect("a unit");
    }
    let log = fs::metadata(test.path().with_extension("db-wal")).expect("the log").len();
    assert!(log <= 64 << 20, "{log}");
}
