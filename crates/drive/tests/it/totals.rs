//! What is below folders: right after anything, also where much happens at once.

use base::EntryId;
use db::{Lane, params};
use drive::{Actor, Copy, NewFolder, OnConflict, Restore, Total, Update, Which};
use futures::future::join_all;
use testkit::database::TestDb;
use uuid::Uuid;

use crate::world::{World, bytes, name, space_of};

testkit::both! {
    changes_move_what_is_below, what_happens_at_once_is_counted, an_operation_taken_back_is_counted, the_migration_counts,
}

async fn below(world: &World, folder: EntryId) -> (u64, u64, u64) {
    let Total { bytes, files, folders } = world.entry(folder).await.total.expect("a folder has a total");
    (bytes, files, folders)
}

async fn changes_move_what_is_below(test: TestDb) {
    let world = World::new(test).await;
    let (drive, alice) = (&world.drive, &world.alice);
    let root = alice.principal.root;
    assert_eq!(below(&world, root).await, (0, 0, 0));
    let a = world.folder(None, "a").await;
    let b = world.folder(Some(a), "b").await;
    let c = world.folder(None, "c").await;
    let file = world.put(Some(b), "f", &bytes(1000)).await.expect("a file").entry.id;
    world.put(Some(a), "g", &bytes(10)).await.expect("a file");
    assert_eq!((below(&world, root).await, below(&world, a).await), ((1010, 2, 3), (1010, 2, 1)));
    assert_eq!((below(&world, b).await, below(&world, c).await), ((1000, 1, 0), (0, 0, 0)));
    // Versions are not below a folder, only what files are now.
    world.put_with(Some(b), "f", OnConflict::Replace, &bytes(300)).await.expect("a version");
    assert_eq!((below(&world, root).await, below(&world, b).await), ((310, 2, 3), (300, 1, 0)));
    let copy = Copy { parent: Some(c), ..Copy::default() };
    let copied = drive.copy(alice, a, copy).await.expect("a copy").id;
    assert_eq!((below(&world, copied).await, below(&world, c).await), ((310, 2, 1), (310, 2, 2)));
    drive.update(alice, b, Update { parent: Some(c), ..Update::default() }).await.expect("moved");
    assert_eq!((below(&world, a).await, below(&world, c).await), ((10, 1, 0), (610, 3, 3)));
    // The trash counts for itself.
    drive.trash(alice, c, None).await.expect("in the trash");
    assert_eq!((below(&world, root).await, below(&world, c).await), ((10, 1, 1), (610, 3, 3)));
    drive
        .restore(alice, c, Restore { parent: Some(a), name: None, on_conflict: OnConflict::Fail })
        .await
        .expect("back");
    assert_eq!((below(&world, root).await, below(&world, a).await), ((620, 4, 5), (620, 4, 4)));
    drive.remove(alice, file, None).await.expect("removed");
    assert_eq!((below(&world, b).await, below(&world, root).await), ((0, 0, 0), (320, 3, 5)));
    // Listings say it too, of folders only.
    let page = drive.children(alice, c, None, 10).await.expect("a listing");
    let totals: Vec<_> = page.items.iter().map(|entry| (entry.name.as_str(), entry.total)).collect();
    assert_eq!(totals[0], ("a", Some(Total { bytes: 310, files: 2, folders: 1 })));
    assert_eq!(totals[1], ("b", Some(Total::default())));
    assert_eq!(drive.resolve(alice, space_of(alice), "/a/g").await.expect("a file").total, None);
    world.check().await;
    drive.remove(alice, a, None).await.expect("removed");
    world.assert_empty().await;
    assert_eq!(
        world.number("SELECT COUNT(*) FROM folder_total WHERE bytes <> 0 OR files <> 0 OR folders <> 0").await,
        0
    );
}

/// Moves of folders into each other, uploads, copies and ends, all at once: whoever wins, the sums are those of the rows.
async fn what_happens_at_once_is_counted(test: TestDb) {
    let rounds = if test.db.dialect() == db::Dialect::Sqlite { 6 } else { 3 };
    let world = &World::new(test).await;
    let (drive, alice) = (&world.drive, &world.alice);
    for round in 0..rounds {
        let top = world.folder(None, &format!("top {round}")).await;
        let mut folders = vec![top];
        for n in 0..6usize {
            let parent = folders[n * 7 % folders.len()];
            folders.push(world.folder(Some(parent), &format!("f{n}")).await);
        }
        // The same numbers each time: which of them meet is what differs.
        let work = (0..60usize).map(|n| {
            let at = |k: usize| folders[(n * k + n / 7 + round) % folders.len()];
            let (one, other) = (at(5), at(3));
            async move {
                match n % 6 {
                    0 | 1 => drop(world.put_with(Some(one), &format!("p{n}"), OnConflict::Rename, &bytes(n)).await),
                    2 => drop(drive.update(alice, one, Update { parent: Some(other), ..Update::default() }).await),
                    3 => {
                        let copy = Copy { parent: Some(other), on_conflict: OnConflict::Rename, ..Copy::default() };
                        drop(drive.copy(alice, one, copy).await);
                    }
                    4 => drop(drive.trash(alice, other, None).await),
                    _ => {
                        let folder = NewFolder::named(one, name(&format!("n{n}")));
                        drop(drive.create_folder(alice, folder).await);
                    }
                }
            }
        });
        join_all(work).await;
        world.check().await;
        let space = space_of(alice);
        let undos = (0..10).map(|_| drive.undo(alice, space, Which::Newest));
        join_all(undos).await;
        world.check().await;
        // Whether a folder is there still or not, what it held is gone from the sums.
        drop(drive.remove(alice, top, None).await);
        world.check().await;
    }
    for entry in drive.children(alice, alice.principal.root, None, 1000).await.expect("a listing").items {
        drive.remove(alice, entry.id, None).await.expect("removed");
    }
    drive.empty_trash(alice, space_of(alice)).await.expect("asked for");
    world.work_off().await;
    world.assert_empty().await;
}

/// Changes of one operation are taken back in one unit, which counts at its end: also where it moves what it counts.
async fn an_operation_taken_back_is_counted(test: TestDb) {
    let world = World::new(test).await;
    let (drive, space) = (&world.drive, space_of(&world.alice));
    let together = Actor { operation: Some(Uuid::from_u128(7)), ..world.alice.clone() };
    let a = drive.create_folder(&together, NewFolder { id: None, parent: None, name: name("a") }).await.expect("a").id;
    let b = drive.create_folder(&together, NewFolder::named(a, name("b"))).await.expect("b").id;
    let c = drive.create_folder(&together, NewFolder { id: None, parent: None, name: name("c") }).await.expect("c").id;
    let put = crate::world::child(Some(b), "f", OnConflict::Fail);
    drive.put(&together, put, crate::world::body(&bytes(500))).await.expect("a file");
    drive.update(&together, b, Update { parent: Some(c), ..Update::default() }).await.expect("moved");
    drive.update(&together, c, Update { parent: Some(a), ..Update::default() }).await.expect("moved");
    world.check().await;
    for _ in 0..2 {
        let undone = drive.undo(&world.alice, space, Which::Newest).await.expect("taken back");
        assert_eq!(undone.len(), 6);
        assert_eq!(below(&world, world.alice.principal.root).await, (0, 0, 0));
        world.check().await;
        drive.redo(&world.alice, space, Which::Newest).await.expect("done again");
        assert_eq!(below(&world, world.alice.principal.root).await, (500, 1, 3));
        world.check().await;
    }
}

/// What the migration does to a database that is full already is what would have been counted.
async fn the_migration_counts(test: TestDb) {
    let world = World::new(test).await;
    let (drive, alice) = (&world.drive, &world.alice);
    let a = world.folder(None, "a").await;
    let b = world.folder(Some(a), "b").await;
    world.folder(Some(b), "empty").await;
    for n in 0..5 {
        world.put(Some(if n % 2 == 0 { a } else { b }), &format!("f{n}"), &bytes(n * 100)).await.expect("a file");
    }
    let kept = world.folder(None, "kept").await;
    world.put(Some(kept), "f", &bytes(50)).await.expect("a file");
    drive.trash(alice, kept, None).await.expect("in the trash");
    let step = db::migrate::PRODUCT.iter().find(|step| step.name == "0020_tree_extras").expect("the step");
    let text = if world.test.db.dialect() == db::Dialect::Sqlite { step.lite } else { step.pg };
    let fill = text.split(';').find(|part| part.contains("INSERT INTO folder_total")).expect("it fills the table");
    let fill: &'static str = fill;
    world
        .test
        .db
        .write(Lane::Free, async move |tx| {
            tx.exec("DELETE FROM folder_total", &params![]).await?;
            tx.exec(fill, &params![]).await
        })
        .await
        .expect("filled");
    world.check().await;
    assert_eq!(below(&world, a).await, (1000, 5, 2));
    assert_eq!(below(&world, kept).await, (50, 1, 0));
}
