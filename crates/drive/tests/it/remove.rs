//! Removing trees: gone at once, and then gone altogether.

use base::EntryId;
use bus::{Tally, Unit};
use db::{Lane, params};
use drive::{NewFolder, OnConflict, Update};
use testkit::database::TestDb;

use crate::world::{World, body, bytes, child, code, name};

testkit::both! { a_small_tree_goes_at_once, a_large_tree_is_gone_at_once_and_purged_later, purging_can_begin_again }

async fn a_small_tree_goes_at_once(test: TestDb) {
    let world = World::new(test).await;
    let top = world.folder(None, "top").await;
    let inner = world.folder(Some(top), "inner").await;
    world.folder(Some(inner), "empty").await;
    for n in 0..5 {
        world.put(Some(inner), &format!("{n}"), &bytes(200 * n)).await.expect("a file");
        world.put_with(Some(inner), &format!("{n}"), OnConflict::Replace, &bytes(300)).await.expect("a version");
    }
    world.drive.remove(&world.alice, top, None).await.expect("removed");
    assert_eq!((world.used().await, world.number("SELECT COUNT(*) FROM job").await), (0, 0));
    assert_eq!(code(world.drive.stat(&world.alice, inner).await), "not-found");
    world.assert_empty().await;
}

/// A folder `top/inner` with more empty entries than one bite takes, and a file with bytes at the bottom.
async fn large_tree(world: &World) -> (EntryId, EntryId, EntryId) {
    let top = world.folder(None, "top").await;
    let inner = world.folder(Some(top), "inner").await;
    let file = world.put(Some(inner), "zzz", &bytes(5000)).await.expect("a file").entry.id;
    let space = world.alice.principal.space;
    world
        .test
        .db
        .write(Lane::Space(space), async move |tx| {
            for n in 0..2500u32 {
                let id = EntryId::from_bytes(*uuid::Uuid::from_u128(u128::from(n) + 1).as_bytes());
                // Folders among them, so that a bite ends in the middle of more than one level.
                tx.exec(
                    "INSERT INTO entry (id, space_id, parent_id, name, kind, revision, size, created_us, modified_us)
                     VALUES ($1, $2, $3, $4, 0, 1, 0, 0, 0)",
                    &params![id, space, if n % 2 == 0 { inner } else { top }, &format!("e{n}")],
                )
                .await?;
            }
            Ok::<_, db::Error>(())
        })
        .await
        .expect("many entries");
    world.recount().await;
    (top, inner, file)
}

async fn a_large_tree_is_gone_at_once_and_purged_later(test: TestDb) {
    let world = World::new(test).await;
    let (top, inner, file) = large_tree(&world).await;
    let other = world.folder(None, "other").await;
    let open = world.drive.open(&world.alice, file).await.expect("a file");
    let reading = open.read(0..5000).await.expect("bytes");
    world.drive.remove(&world.alice, top, None).await.expect("removed");
    assert_eq!(world.number("SELECT CAST(SUM(purging) AS BIGINT) FROM space").await, 1);
    let left = world.number("SELECT COUNT(*) FROM entry").await;
    assert!(left > 1000, "the rest waits for the job: {left}");
    // Whatever is left in the table cannot be reached through any id.
    for id in [top, inner] {
        assert_eq!(code(world.drive.stat(&world.alice, id).await), "not-found");
        assert_eq!(code(world.drive.children(&world.alice, id, None, 10).await), "not-found");
        assert_eq!(
            code(
                world
                    .drive
                    .create_folder(&world.alice, NewFolder { id: None, parent: Some(id), name: name("x") })
                    .await
            ),
            "not-found"
        );
        let put = world.drive.put(&world.alice, child(Some(id), "x", OnConflict::Fail), body(b"x")).await;
        assert_eq!(code(put), "not-found");
        assert_eq!(code(world.drive.remove(&world.alice, id, None).await), "not-found");
        let into = Update { parent: Some(id), ..Update::default() };
        assert_eq!(code(world.drive.update(&world.alice, other, into).await), "not-found");
        let out = Update { parent: Some(other), ..Update::default() };
        assert_eq!(code(world.drive.update(&world.alice, id, out).await), "not-found");
    }
    assert_eq!(code(world.drive.open(&world.alice, file).await.map(|_| ())), "not-found");
    // What is in the tree goes on as ever, and the name is free.
    world.folder(Some(other), "inner").await;
    world.folder(None, "top").await;
    assert_eq!(world.names(world.alice.principal.root).await, ["other", "top"]);
    // A reader that began before still gets its bytes.
    let read: Vec<bytes::Bytes> = futures::TryStreamExt::try_collect(reading).await.expect("bytes");
    assert_eq!(read.concat(), bytes(5000));
    assert_eq!(world.work_off().await, 1);
    assert_eq!(world.number("SELECT CAST(SUM(purging) AS BIGINT) FROM space").await, 0);
    assert_eq!(world.number("SELECT COUNT(*) FROM entry").await, 2 + 3, "roots, other, other/inner, top");
    assert_eq!(world.used().await, 0);
    world.clean_up().await;
    world.check().await;
    world.assert_no_bytes().await;
}

async fn purging_can_begin_again(test: TestDb) {
    let world = World::new(test).await;
    let (first, ..) = large_tree(&world).await;
    world.drive.remove(&world.alice, first, None).await.expect("removed");
    // The job is done, and its lease was lost before that was noted: another worker does it again.
    let job = world
        .jobs
        .lease(&["drive.purge"], std::time::Duration::from_secs(60))
        .await
        .expect("a look at the jobs")
        .expect("a job");
    let handler = drive::jobs::PurgeHandler::new(world.drive.clone());
    for attempt in 0..2 {
        bus::Handler::handle(&handler, &job).await.expect("the job can be done");
        assert_eq!(world.number("SELECT CAST(SUM(purging) AS BIGINT) FROM space").await, 0);
        if attempt == 0 {
            // Of 2,503 entries a thousand went at once.
            let all = Tally { done: 1503, total: Some(1503), unit: Unit::Entries };
            assert_eq!(world.tally(&job).await, Some(all));
        }
    }
    world.jobs.complete(&job).await.expect("the lease holds");
    world.assert_empty().await;
}
