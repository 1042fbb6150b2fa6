//! Units of work: group commit, isolation from each other, what readers see.

use db::{Error, Lane, params};
use futures::{FutureExt, future::join_all, poll};
use testkit::database::TestDb;
use tokio::task::JoinSet;

use crate::{Held, insert, names, queue, space, write_thing};

testkit::both! { crate::STEPS =>
    waiting_units_share_a_commit, a_failing_unit_leaves_the_others, a_lone_unit_fails_whole, an_abandoned_unit_never_begins,
    a_snapshot_does_not_move, a_read_cannot_write, a_dropped_read_gives_its_connection_back,
    a_handle_ends_with_its_unit, thousands_of_units_are_all_there, closing_finishes_what_waits,
    statements_side_by_side,
}

async fn waiting_units_share_a_commit(test: TestDb) {
    let held = Held::new(&test.db).await;
    let before = test.db.commits();
    let mut calls = Vec::new();
    for number in 0..100_i64 {
        let db = test.db.clone();
        calls.push(
            queue(async move {
                db.write(Lane::Space(space(1)), async move |tx| {
                    let (n,): (i64,) = tx
                        .query_one(
                            "INSERT INTO counter (space_id, n) VALUES ($1, 1)
                             ON CONFLICT (space_id) DO UPDATE SET n = counter.n + 1 RETURNING n",
                            &params![space(1)],
                        )
                        .await?;
                    tx.exec("INSERT INTO event (space_id, n) VALUES ($1, $2)", &params![space(1), n]).await?;
                    Ok::<_, Error>((number, n))
                })
                .await
            })
            .await,
        );
    }
    held.release().await;
    for result in join_all(calls).await {
        let (number, n) = result.expect("a unit");
        assert_eq!(n, number + 1, "units of a space run in their order");
    }
    assert_eq!(test.db.commits() - before, 2, "the unit that held the lane, and one commit for the hundred");
}

async fn a_failing_unit_leaves_the_others(test: TestDb) {
    write_thing(&test.db, "taken").await.expect("a new thing");
    let held = Held::new(&test.db).await;
    let before = test.db.commits();
    let mut calls = Vec::new();
    for number in 0..12 {
        let db = test.db.clone();
        calls.push(
            queue(async move {
                db.write(Lane::Space(space(1)), async move |tx| {
                    insert(&tx, &format!("unit {number:02}")).await?;
                    match number {
                        2 => insert(&tx, "taken").await?,
                        5 => return Err(Error::Shape("changed its mind".to_owned())),
                        7 => panic!("this panic belongs to the test"),
                        // Goes on after a failure; what it says in the end does not count.
                        9 => drop(insert(&tx, "taken").await),
                        // Sees what earlier ones of its batch did, and nothing of those that failed.
                        11 => {
                            let (count,): (i64,) = tx.query_one("SELECT count(*) FROM thing", &params![]).await?;
                            assert_eq!(count, 9);
                        }
                        _ => {}
                    }
                    Ok(number)
                })
                .await
            })
            .await,
        );
    }
    held.release().await;
    for (number, result) in join_all(calls).await.into_iter().enumerate() {
        match number {
            2 | 9 => assert!(result.as_ref().is_err_and(|error| error.is_unique("thing")), "{number}: {result:?}"),
            5 => assert_eq!(result, Err(Error::Shape("changed its mind".to_owned()))),
            7 => assert!(matches!(result, Err(Error::Internal(_))), "{result:?}"),
            _ => assert_eq!(result, Ok(number)),
        }
    }
    assert_eq!(test.db.commits() - before, 2);
    let kept = [0, 1, 3, 4, 6, 8, 10, 11].map(|number| format!("unit {number:02}"));
    assert_eq!(names(&test.db).await[1..], kept);
}

async fn a_lone_unit_fails_whole(test: TestDb) {
    let before = test.db.commits();
    for kind in 0..3 {
        let result: Result<(), Error> = test
            .db
            .write(Lane::Free, async move |tx| {
                insert(&tx, "half").await?;
                match kind {
                    0 => Err(Error::Full),
                    1 => panic!("this panic belongs to the test"),
                    _ => {
                        let _ = insert(&tx, "half").await;
                        let after = insert(&tx, "other").await;
                        assert!(matches!(after, Err(Error::Internal(_))), "{after:?}");
                        Ok(())
                    }
                }
            })
            .await;
        assert!(result.is_err(), "{kind}");
    }
    assert_eq!((names(&test.db).await, test.db.commits() - before), (Vec::new(), 0));
    write_thing(&test.db, "whole").await.expect("the engine goes on");
}

async fn an_abandoned_unit_never_begins(test: TestDb) {
    let held = Held::new(&test.db).await;
    let db = test.db.clone();
    let abandoned = queue(async move { write_thing(&db, "abandoned").await }).await;
    let db = test.db.clone();
    let kept = queue(async move { write_thing(&db, "kept").await }).await;
    drop(abandoned);
    held.release().await;
    kept.await.expect("a unit");
    assert_eq!(names(&test.db).await, ["kept"]);
}

async fn a_snapshot_does_not_move(test: TestDb) {
    write_thing(&test.db, "a").await.expect("a new thing");
    let db = &test.db;
    let counts: (i64, i64) = db
        .read(async move |tx| {
            let (first,): (i64,) = tx.query_one("SELECT count(*) FROM thing", &params![]).await?;
            write_thing(db, "b").await?;
            let (second,): (i64,) = tx.query_one("SELECT count(*) FROM thing", &params![]).await?;
            Ok::<_, Error>((first, second))
        })
        .await
        .expect("a read");
    assert_eq!(counts, (1, 1));
    assert_eq!(names(db).await, ["a", "b"]);
}

async fn a_read_cannot_write(test: TestDb) {
    let refused = test.db.read(async |tx| insert(&tx, "a").await).await;
    assert!(matches!(refused, Err(Error::Internal(_))), "{refused:?}");
    let swallowed = test
        .db
        .read(async |tx| {
            let _ = insert(&tx, "a").await;
            Ok::<_, Error>(())
        })
        .await;
    assert!(matches!(swallowed, Err(Error::Internal(_))), "{swallowed:?}");
    assert_eq!(names(&test.db).await, [""; 0]);
}

async fn a_dropped_read_gives_its_connection_back(test: TestDb) {
    // More often than there are connections of either engine.
    for _ in 0..20 {
        let db = test.db.clone();
        let mut read = async move {
            db.read(async move |tx| {
                let _: (i64,) = tx.query_one("SELECT count(*) FROM thing", &params![]).await?;
                futures::future::pending::<Result<(), Error>>().await
            })
            .await
        }
        .boxed();
        // Far enough that the statement is on its way.
        let _ = poll!(&mut read);
        tokio::task::yield_now().await;
        let _ = poll!(&mut read);
    }
    write_thing(&test.db, "a").await.expect("a new thing");
    assert_eq!(names(&test.db).await, ["a"]);
}

async fn a_handle_ends_with_its_unit(test: TestDb) {
    let (send, receive) = tokio::sync::oneshot::channel();
    test.db
        .write(Lane::Free, async move |tx| {
            send.send(tx).ok().expect("the test waits for it");
            Ok::<_, Error>(())
        })
        .await
        .expect("a unit");
    let escaped = receive.await.expect("the handle");
    let late = insert(&escaped, "late").await;
    assert!(matches!(late, Err(Error::Internal(_))), "{late:?}");
    assert_eq!(names(&test.db).await, [""; 0]);
}

async fn thousands_of_units_are_all_there(test: TestDb) {
    const TASKS: u128 = 48;
    const UNITS: u128 = 50;
    const SPACES: u128 = 5;
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let db = test.db.clone();
        tasks.spawn(async move {
            for _ in 0..UNITS {
                let lane = if task % 7 == 0 { Lane::Free } else { Lane::Space(space(task % SPACES)) };
                db.write(lane, async move |tx| {
                    let (n,): (i64,) = tx
                        .query_one(
                            "INSERT INTO counter (space_id, n) VALUES ($1, 1)
                             ON CONFLICT (space_id) DO UPDATE SET n = counter.n + 1 RETURNING n",
                            &params![space(task % SPACES)],
                        )
                        .await?;
                    tx.exec("INSERT INTO event (space_id, n) VALUES ($1, $2)", &params![space(task % SPACES), n])
                        .await?;
                    Ok::<_, Error>(())
                })
                .await
                .expect("a unit");
            }
        });
    }
    tasks.join_all().await;
    let counters: Vec<(i64, i64, i64)> = test
        .db
        .query(
            "SELECT n, (SELECT count(*) FROM event WHERE event.space_id = counter.space_id),
                    (SELECT max(event.n) FROM event WHERE event.space_id = counter.space_id) FROM counter",
            &params![],
        )
        .await
        .expect("rows");
    assert!(counters.iter().all(|&(n, rows, last)| n == rows && n == last), "gapless: {counters:?}");
    assert_eq!(counters.iter().map(|&(n, ..)| n).sum::<i64>(), (TASKS * UNITS) as i64);
}

async fn closing_finishes_what_waits(test: TestDb) {
    let held = Held::new(&test.db).await;
    let mut calls = Vec::new();
    for number in 0..20 {
        let db = test.db.clone();
        calls.push(queue(async move { write_thing(&db, &number.to_string()).await }).await);
    }
    let db = test.db.clone();
    let mut close = async move { db.close().await }.boxed();
    assert!(poll!(&mut close).is_pending());
    held.release().await;
    close.await;
    for result in join_all(calls).await {
        result.expect("it was in the queue before the end");
    }
    let late = write_thing(&test.db, "late").await;
    assert!(matches!(late, Err(Error::Unavailable(_))), "{late:?}");
    let late = test.db.query::<(i64,)>("SELECT 1", &params![]).await;
    assert!(matches!(late, Err(Error::Unavailable(_))), "{late:?}");
    test.db.close().await;
    let again = test.reopen().await;
    assert_eq!(names(&again).await.len(), 20);
    again.close().await;
}

async fn statements_side_by_side(test: TestDb) {
    test.db
        .write(Lane::Free, async |tx| {
            let (a, b, c) = futures::join!(insert(&tx, "a"), insert(&tx, "b"), insert(&tx, "c"));
            a.and(b).and(c)
        })
        .await
        .expect("a unit");
    assert_eq!(names(&test.db).await, ["a", "b", "c"]);
}
