//! Values there and back, and what is refused.

use base::{ContentId, ErrorKind, Time};
use db::{Error, Lane, Row, RowReader, params};
use proptest::{
    prelude::{Strategy, any},
    strategy::ValueTree,
    test_runner::TestRunner,
};
use testkit::database::TestDb;
use uuid::Uuid;

use crate::{insert, names, space, write_thing};

testkit::both! { crate::STEPS =>
    values_round_trip, any_value_round_trips, numbers_of_rows_are_checked, wrong_statements_are_refused,
    broken_rules_have_names,
}

#[derive(Debug, PartialEq)]
struct Thing {
    id: ContentId,
    name: String,
    size: Option<u64>,
    flag: Option<bool>,
    bytes: Option<Vec<u8>>,
}

impl Row for Thing {
    fn read(row: &RowReader<'_>) -> Result<Self, Error> {
        Ok(Self { id: row.get(0)?, name: row.get(1)?, size: row.get(2)?, flag: row.get(3)?, bytes: row.get(4)? })
    }
}

const SELECT: &str = "SELECT id, name, size, flag, bytes FROM thing WHERE id = $1";

async fn keep(test: &TestDb, thing: &Thing) -> Option<Thing> {
    let Thing { id, name, size, flag, bytes } = thing;
    let (id, name, size, flag, bytes) = (*id, name.clone(), *size, *flag, bytes.clone());
    let written: Result<u64, Error> = test
        .db
        .write(Lane::Free, async move |tx| {
            tx.exec("DELETE FROM thing", &params![]).await?;
            // The numbers stand out of order: they are numbers, not places.
            tx.exec(
                "INSERT INTO thing (name, id, size, flag, bytes, space_id) VALUES ($2, $1, $4, $3, $5, $1)",
                &params![id, &name, flag, size, bytes.as_ref()],
            )
            .await
        })
        .await;
    assert_eq!(written, Ok(1));
    let direct: Option<Thing> = test.db.query_opt(SELECT, &params![id]).await.expect("a row");
    let inside: Option<Thing> =
        test.db.read(async move |tx| tx.query_opt(SELECT, &params![id]).await).await.expect("a row");
    assert_eq!(direct, inside);
    direct
}

async fn values_round_trip(test: TestDb) {
    let id = ContentId(Uuid::from_u128(u128::MAX - 5));
    for thing in [
        Thing { id, name: String::new(), size: None, flag: None, bytes: None },
        Thing { id, name: "Ё\u{10ffff}'\"$1".to_owned(), size: Some(0), flag: Some(true), bytes: Some(Vec::new()) },
        Thing { id, name: "x".repeat(100_000), size: Some(1 << 62), flag: Some(false), bytes: Some(vec![0; 300_000]) },
    ] {
        assert_eq!(keep(&test, &thing).await.as_ref(), Some(&thing));
    }
    let found: (i64, Time, Option<[u8; 2]>, bool) = test
        .db
        .query_one(
            "SELECT CAST($1 AS bigint), CAST($2 AS bigint), $3, EXISTS (SELECT 1 FROM thing WHERE id = $4)",
            &params![i64::MIN, Time::from_micros(-7), None::<&[u8]>, id],
        )
        .await
        .expect("a row");
    assert_eq!(found, (i64::MIN, Time::from_micros(-7), None, true));
}

async fn any_value_round_trips(test: TestDb) {
    let things = (
        any::<[u8; 16]>(),
        // PostgreSQL has no NUL in text; names never have one either.
        "[^\0]{0,40}",
        proptest::option::of(0..i64::MAX as u64),
        any::<Option<bool>>(),
        any::<Option<Vec<u8>>>(),
    );
    let mut runner = TestRunner::deterministic();
    for _ in 0..40 {
        let (id, name, size, flag, bytes) = things.new_tree(&mut runner).expect("a value").current();
        let thing = Thing { id: ContentId::from_bytes(id), name, size, flag, bytes };
        assert_eq!(keep(&test, &thing).await.as_ref(), Some(&thing));
    }
}

async fn numbers_of_rows_are_checked(test: TestDb) {
    for name in ["a", "b", "c"] {
        write_thing(&test.db, name).await.expect("a new thing");
    }
    let all = "SELECT name FROM thing ORDER BY name";
    let none = "SELECT name FROM thing WHERE name = 'z'";
    let rows: Vec<(String,)> = test.db.query(all, &params![]).await.expect("rows");
    assert_eq!(rows.len(), 3);
    assert_eq!(test.db.query_opt::<(String,)>(none, &params![]).await, Ok(None));
    let many = test.db.query_opt::<(String,)>(all, &params![]).await.expect_err("three rows");
    assert!(matches!(many, Error::Shape(_)), "{many}");
    for statement in [all, none] {
        let wrong = test.db.query_one::<(String,)>(statement, &params![]).await.expect_err("not one row");
        assert!(matches!(wrong, Error::Shape(_)), "{wrong}");
    }
    let (changed, names) = test
        .db
        .write(Lane::Free, async |tx| {
            let changed = tx.exec("UPDATE thing SET size = NULL WHERE name >= 'b'", &params![]).await?;
            let names: Vec<(String,)> =
                tx.query("DELETE FROM thing WHERE name <= 'b' RETURNING name", &params![]).await?;
            Ok::<_, Error>((changed, names.len()))
        })
        .await
        .expect("a unit");
    assert_eq!((changed, names), (2, 2));
}

async fn wrong_statements_are_refused(test: TestDb) {
    let big = test.db.query::<(i64,)>("SELECT n FROM counter WHERE n = $1", &params![u64::MAX]).await;
    assert!(matches!(big, Err(Error::Shape(_))), "{big:?}");
    let few = test.db.query::<(i64,)>("SELECT n FROM counter WHERE n = $1", &params![]).await;
    assert!(matches!(few, Err(Error::Internal(_))), "{few:?}");
    let many = test.db.query::<(i64,)>("SELECT n FROM counter WHERE n = $1", &params![1_i64, 2_i64]).await;
    assert!(matches!(many, Err(Error::Internal(_))), "{many:?}");
    let syntax = test.db.query::<(i64,)>("SELEKT 1", &params![]).await;
    assert!(matches!(syntax, Err(Error::Internal(_))), "{syntax:?}");
    write_thing(&test.db, "a").await.expect("a new thing");
    let kind = test.db.query::<(i64,)>("SELECT name FROM thing", &params![]).await;
    assert!(matches!(kind, Err(Error::Shape(_))), "{kind:?}");
    let null = test.db.query::<(i64,)>("SELECT size FROM thing", &params![]).await;
    assert!(matches!(null, Err(Error::Shape(_))), "{null:?}");
    let beyond = test.db.query::<(String, i64)>("SELECT name FROM thing", &params![]).await;
    assert!(matches!(beyond, Err(Error::Shape(_))), "{beyond:?}");
}

async fn broken_rules_have_names(test: TestDb) {
    let db = &test.db;
    write_thing(db, "a").await.expect("a new thing");
    let twice = write_thing(db, "a").await.expect_err("the name is taken");
    assert_eq!(twice, Error::Unique { constraint: "thing".to_owned(), detail: "space_id, name".to_owned() });
    assert_eq!((twice.is_unique("thing"), twice.is_unique("child"), twice.kind()), (true, false, ErrorKind::Exists));
    assert!(!twice.to_string().contains('\''), "no values in {twice}");

    let size: Result<(), Error> = db
        .write(Lane::Free, async |tx| {
            tx.exec("UPDATE thing SET size = 5", &params![]).await?;
            insert(&tx, "b").await?;
            tx.exec("UPDATE thing SET size = 5", &params![]).await?;
            Ok(())
        })
        .await;
    assert_eq!(size, Err(Error::Unique { constraint: "thing".to_owned(), detail: "thing_size".to_owned() }));

    // In a partition, too, it is the table that the caller knows.
    let event: Result<(), Error> = db
        .write(Lane::Free, async |tx| {
            tx.exec("INSERT INTO event (space_id, n) VALUES ($1, 7)", &params![space(3)]).await?;
            tx.exec("INSERT INTO event (space_id, n) VALUES ($1, 7)", &params![space(3)]).await?;
            Ok(())
        })
        .await;
    assert_eq!(event, Err(Error::Unique { constraint: "event".to_owned(), detail: "space_id, n".to_owned() }));

    let orphan: Result<u64, Error> = db
        .write(Lane::Free, async |tx| {
            tx.exec("INSERT INTO child (id, thing_id) VALUES (1, $1)", &params![Uuid::from_u128(9)]).await
        })
        .await;
    assert_eq!(orphan, Err(Error::ForeignKey));
    let empty: Result<u64, Error> =
        db.write(Lane::Free, async |tx| tx.exec("UPDATE thing SET name = NULL", &params![]).await).await;
    assert!(matches!(empty, Err(Error::Internal(_))), "{empty:?}");
    assert_eq!(names(db).await, ["a"]);
}
