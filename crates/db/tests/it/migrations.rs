//! The schema's history: forward, once, and never on a database from the future.

use db::{Db, Error, Migration, params};
use futures::future::join_all;
use testkit::database::TestDb;

use crate::{STEPS, names};

const LATER: &[Migration] = &[
    STEPS[0],
    Migration {
        name: "0002_colour",
        lite: "ALTER TABLE thing ADD COLUMN colour TEXT; CREATE INDEX thing_colour ON thing (colour);",
        pg: "ALTER TABLE thing ADD COLUMN colour text; CREATE INDEX thing_colour ON thing (colour);",
    },
    Migration { name: "0003_more", lite: "CREATE TABLE more (n INTEGER)", pg: "CREATE TABLE more (n bigint)" },
];

const BROKEN: &[Migration] = &[
    STEPS[0],
    Migration {
        name: "0002_broken",
        lite: "CREATE TABLE half (n INTEGER); CREATE TABLE thing (n INTEGER);",
        pg: "CREATE TABLE half (n bigint); CREATE TABLE thing (n bigint);",
    },
];

const CHANGED: &[Migration] =
    &[Migration { name: "0001_test", lite: "CREATE TABLE other (n INTEGER)", pg: "CREATE TABLE other (n bigint)" }];

testkit::both! { crate::STEPS =>
    goes_forward_once, is_done_once_by_many_callers, leaves_nothing_of_a_broken_step, refuses_the_future_and_other_histories,
}

/// Closes the test's handle and opens the database with other steps.
async fn open_with(test: &TestDb, steps: &'static [Migration]) -> Db {
    test.db.close().await;
    Db::open(db::Options { migrations: steps, ..test.options() }).await.expect("it opens")
}

async fn goes_forward_once(test: TestDb) {
    assert_eq!(test.db.check().await, Ok(()));
    assert_eq!(test.db.migrate().await.expect("nothing to do").applied, [""; 0]);
    let later = open_with(&test, LATER).await;
    let behind = later.check().await.expect_err("two steps are missing");
    assert!(
        matches!(&behind, Error::Schema(why) if why.contains("0002_colour") && why.contains("migrate")),
        "{behind}"
    );
    assert_eq!(later.migrate().await.expect("it goes forward").applied, ["0002_colour", "0003_more"]);
    assert_eq!(later.check().await, Ok(()));
    assert_eq!(later.query::<(Option<String>,)>("SELECT colour FROM thing", &params![]).await, Ok(Vec::new()));
    later.close().await;
}

async fn is_done_once_by_many_callers(test: TestDb) {
    let db = open_with(&test, LATER).await;
    let mut handles = vec![db.clone(), db.clone(), db.clone()];
    if db.dialect() == db::Dialect::Postgres {
        // As other processes would.
        for _ in 0..3 {
            handles.push(Db::open(db::Options { migrations: LATER, ..test.options() }).await.expect("it opens"));
        }
    }
    let applied: Vec<_> = join_all(handles.iter().map(Db::migrate))
        .await
        .into_iter()
        .flat_map(|result| result.expect("every caller succeeds").applied)
        .collect();
    assert_eq!(applied.len(), 2, "{applied:?}");
    for handle in &handles {
        assert_eq!(handle.check().await, Ok(()));
    }
    for handle in &handles {
        handle.close().await;
    }
}

async fn leaves_nothing_of_a_broken_step(test: TestDb) {
    let db = open_with(&test, BROKEN).await;
    assert!(matches!(db.migrate().await, Err(Error::Internal(_))));
    assert!(db.query::<(i64,)>("SELECT n FROM half", &params![]).await.is_err(), "the table went with its step");
    assert!(db.check().await.is_err());
    assert_eq!(names(&db).await, [""; 0]);
    db.close().await;
}

async fn refuses_the_future_and_other_histories(test: TestDb) {
    let later = open_with(&test, LATER).await;
    later.migrate().await.expect("it goes forward");
    later.close().await;
    let now = open_with(&test, STEPS).await;
    for refused in [now.check().await, now.migrate().await.map(drop)] {
        assert!(
            matches!(&refused, Err(Error::Schema(why)) if why.contains("0002_colour") && why.contains("newer")),
            "{refused:?}"
        );
    }
    now.close().await;
    let other = open_with(&test, CHANGED).await;
    for refused in [other.check().await, other.migrate().await.map(drop)] {
        assert!(matches!(&refused, Err(Error::Schema(why)) if why.contains("another migration")), "{refused:?}");
    }
    other.close().await;
}
