//! Undo and redo: every change goes back and forth, and what happened since is never overwritten.

use base::EntryId;
use drive::{Actor, Copy, Label, OnConflict, Restore, Update, Which};
use testkit::database::TestDb;
use uuid::Uuid;

use crate::world::{World, body, bytes, child, code, name, space_of};

testkit::both! {
    every_change_goes_back_and_forth, undoing_walks_back_and_a_new_change_ends_redoing, what_happened_since_stays,
    operations_go_together, what_cannot_be_undone_says_so, undo_races_have_one_winner,
}

pub(crate) async fn undo(world: &World) -> &'static str {
    code(world.drive.undo(&world.alice, space_of(&world.alice), Which::Newest).await)
}

pub(crate) async fn redo(world: &World) -> &'static str {
    code(world.drive.redo(&world.alice, space_of(&world.alice), Which::Newest).await)
}

pub(crate) async fn newest(world: &World) -> u64 {
    world.drive.space(&world.alice, space_of(&world.alice)).await.expect("a space").sequence
}

/// All that can be seen of a tree: paths, with the bytes of files; a folder has none.
pub(crate) async fn seen(world: &World) -> Vec<(String, Option<Vec<u8>>)> {
    let mut found = Vec::new();
    let mut folders = vec![(world.alice.principal.root, String::new())];
    while let Some((folder, path)) = folders.pop() {
        let page = world.drive.children(&world.alice, folder, None, 1000).await.expect("a listing");
        for entry in page.items {
            let path = format!("{path}/{}", entry.name);
            match entry.file() {
                Some(_) => found.push((path, Some(world.read(entry.id).await.expect("bytes")))),
                None => {
                    folders.push((entry.id, path.clone()));
                    found.push((path, None));
                }
            }
        }
    }
    found.sort();
    found
}

async fn every_change_goes_back_and_forth(test: TestDb) {
    let world = World::new(test).await;
    let (drive, alice) = (&world.drive, &world.alice);
    let mut states = vec![seen(&world).await];
    let folder = world.folder(None, "folder").await;
    states.push(seen(&world).await);
    let file = world.put(Some(folder), "file", &bytes(100)).await.expect("a file").entry;
    states.push(seen(&world).await);
    world.put_with(Some(folder), "file", OnConflict::Replace, &bytes(3000)).await.expect("a version");
    states.push(seen(&world).await);
    let rename = Update { name: Some(name("renamed")), ..Update::default() };
    drive.update(alice, file.id, rename).await.expect("renamed");
    states.push(seen(&world).await);
    let copy = Copy { parent: Some(alice.principal.root), name: Some(name("copy")), ..Copy::default() };
    drive.copy(alice, folder, copy).await.expect("copied");
    states.push(seen(&world).await);
    let up = Update { parent: Some(alice.principal.root), name: Some(name("up")), ..Update::default() };
    drive.update(alice, file.id, up).await.expect("moved");
    states.push(seen(&world).await);
    let first = file.file().expect("a file").version;
    drive.restore_version(alice, file.id, first, None).await.expect("restored");
    states.push(seen(&world).await);
    drive.trash(alice, file.id, None).await.expect("trashed");
    states.push(seen(&world).await);
    let back = Restore { parent: Some(folder), name: Some(name("back")), on_conflict: OnConflict::Fail };
    drive.restore(alice, file.id, back).await.expect("back");
    states.push(seen(&world).await);
    drive.label_version(alice, file.id, first, Label { name: None, pinned: Some(true) }).await.expect("pinned");
    // Back to the beginning, forth to the end, and half of it once more.
    assert_eq!(undo(&world).await, "ok");
    let pinned =
        async || drive.versions(alice, file.id, None, 10).await.expect("versions").items.iter().any(|it| it.pinned);
    assert!(!pinned().await);
    for state in states.iter().rev().skip(1) {
        assert_eq!(undo(&world).await, "ok");
        assert_eq!(&seen(&world).await, state);
        world.check().await;
    }
    assert_eq!(undo(&world).await, "nothing-to-undo");
    for state in &states[1..] {
        assert_eq!(redo(&world).await, "ok");
        assert_eq!(&seen(&world).await, state);
        world.check().await;
    }
    assert_eq!(redo(&world).await, "ok");
    assert!(pinned().await);
    assert_eq!(redo(&world).await, "nothing-to-undo");
    assert_eq!(undo(&world).await, "ok");
    for state in states.iter().rev().skip(1).take(5) {
        assert_eq!(undo(&world).await, "ok");
        assert_eq!(&seen(&world).await, state);
    }
    world.check().await;
}

async fn undoing_walks_back_and_a_new_change_ends_redoing(test: TestDb) {
    let world = World::new(test).await;
    world.folder(None, "a").await;
    world.folder(None, "b").await;
    assert_eq!(undo(&world).await, "ok");
    world.folder(None, "c").await;
    // The undo of `b` cannot be redone any more, by no more than asking for it.
    assert_eq!(redo(&world).await, "nothing-to-undo");
    assert_eq!((undo(&world).await, undo(&world).await), ("ok", "ok"));
    assert!(seen(&world).await.is_empty());
    assert_eq!((redo(&world).await, redo(&world).await, redo(&world).await), ("ok", "ok", "nothing-to-undo"));
    assert_eq!(world.names(world.alice.principal.root).await, ["a", "c"]);
    // By its number it can.
    let space = space_of(&world.alice);
    let redone = world.drive.redo(&world.alice, space, Which::Sequence(2)).await.expect("redone");
    assert_eq!((redone.len(), redone[0].undoes, redone[0].kind), (1, 3, journal::Kind::Restored));
    assert_eq!(world.names(world.alice.principal.root).await, ["a", "b", "c"]);
    // An older change alone, and what it says of itself in the journal.
    let undone = world.drive.undo(&world.alice, space, Which::Sequence(1)).await.expect("undone");
    assert_eq!((undone[0].undoes, undone[0].sequence), (7, newest(&world).await), "its redo was taken back");
    assert_eq!(code(world.drive.undo(&world.alice, space, Which::Sequence(1)).await), "undo-conflict");
    assert_eq!(world.names(world.alice.principal.root).await, ["b", "c"]);
    world.check().await;
}

async fn what_happened_since_stays(test: TestDb) {
    let world = World::new(test).await;
    let (drive, alice) = (&world.drive, &world.alice);
    let space = space_of(alice);
    let refused = async |sequence: u64, about: &str| {
        let before = (seen(&world).await, newest(&world).await);
        let error = drive.undo(alice, space, Which::Sequence(sequence)).await.expect_err("the world moved on");
        assert_eq!(error.code(), "undo-conflict", "{error}");
        assert!(error.to_string().contains(about), "{error}");
        assert_eq!((seen(&world).await, newest(&world).await), before, "nothing changed");
    };
    let folder = world.folder(None, "folder").await;
    let made = newest(&world).await;
    let file = world.put(Some(folder), "file", b"one").await.expect("a file").entry.id;
    let uploaded = newest(&world).await;
    refused(made, "not empty").await;
    world.put_with(Some(folder), "file", OnConflict::Replace, b"two").await.expect("a version");
    let overwritten = newest(&world).await;
    refused(uploaded, "other bytes").await;
    world.put_with(Some(folder), "file", OnConflict::Replace, b"three").await.expect("a version");
    refused(overwritten, "other bytes").await;
    let rename = |to: &str| Update { name: Some(name(to)), ..Update::default() };
    drive.update(alice, file, rename("new")).await.expect("renamed");
    let renamed = newest(&world).await;
    // Somebody took the old name.
    let taker = world.put(Some(folder), "file", b"taker").await.expect("a file").entry.id;
    refused(renamed, "something else is called “file”").await;
    drive.trash(alice, taker, None).await.expect("trashed");
    let trashed = newest(&world).await;
    drive.update(alice, file, rename("newer")).await.expect("renamed");
    refused(renamed, "renamed since").await;
    // The folder is in the trash: neither what is in it goes back, nor what was.
    let up = Update { parent: Some(alice.principal.root), ..Update::default() };
    drive.update(alice, file, up).await.expect("moved");
    let moved = newest(&world).await;
    drive.trash(alice, folder, None).await.expect("trashed");
    refused(moved, "in the trash").await;
    refused(trashed, "in the trash").await;
    drive.remove(alice, folder, None).await.expect("removed");
    refused(moved, "is gone").await;
    refused(made, "is gone").await;
    // What was emptied out of the trash is gone for good.
    drive.remove(alice, taker, None).await.expect("removed");
    refused(trashed, "not in the trash").await;
    // What is said of a version.
    let version = world.entry(file).await.file().expect("a file").version;
    let label = |name: &str| Label { name: Some(Some(name.to_owned())), pinned: None };
    drive.label_version(alice, file, version, label("one")).await.expect("named");
    let named = newest(&world).await;
    drive.label_version(alice, file, version, label("two")).await.expect("named");
    refused(named, "named or pinned otherwise").await;
    // Bytes that the rules for old versions have taken.
    for n in 0..4 {
        world.clock.advance(std::time::Duration::from_millis(1));
        world.put_with(None, "newer", OnConflict::Replace, &bytes(n)).await.expect("a version");
    }
    let last = newest(&world).await;
    let versions = drive.versions(alice, file, None, 10).await.expect("versions").items;
    drive.delete_version(alice, file, versions[1].id).await.expect("removed");
    refused(last, "no longer kept").await;
    world.check().await;
}

async fn operations_go_together(test: TestDb) {
    let world = World::new(test).await;
    let (drive, space) = (&world.drive, space_of(&world.alice));
    let operation = Uuid::from_u128(7);
    let together = Actor { operation: Some(operation), ..world.alice.clone() };
    let ids: Vec<EntryId> = futures::future::join_all(
        (0..5)
            .map(async |n: u32| world.put(None, &format!("f{n}"), &bytes(n as usize)).await.expect("a file").entry.id),
    )
    .await;
    let before = seen(&world).await;
    for id in &ids {
        drive.trash(&together, *id, None).await.expect("trashed");
    }
    // One that stands in the way of one is in the way of all.
    let taker = world.put(None, "f3", b"taker").await.expect("a file").entry.id;
    let refused = drive.undo(&world.alice, space, Which::Operation(operation)).await;
    assert_eq!(code(refused), "undo-conflict");
    assert_eq!(world.names(world.alice.principal.root).await, ["f3"]);
    drive.remove(&world.alice, taker, None).await.expect("removed");
    let undone = drive.undo(&world.alice, space, Which::Newest).await.expect("undone");
    assert_eq!(undone.len(), 5);
    assert_eq!(seen(&world).await, before);
    assert_eq!(drive.redo(&world.alice, space, Which::Newest).await.expect("redone").len(), 5);
    assert!(seen(&world).await.is_empty());
    assert_eq!(undo(&world).await, "ok");
    assert_eq!(seen(&world).await, before);
    // A call whose answer was lost is not done a second time.
    let call = Actor { operation: Some(Uuid::from_u128(8)), ..world.alice.clone() };
    let first = drive.undo(&call, space, Which::Newest).await.expect("undone");
    let second = drive.undo(&call, space, Which::Newest).await.expect("the same answer");
    let numbers = |undone: &[drive::Undone]| undone.iter().map(|it| (it.undoes, it.sequence)).collect::<Vec<_>>();
    assert_eq!(numbers(&first), numbers(&second));
    assert_eq!(world.names(world.alice.principal.root).await.len(), 4);
    world.check().await;
}

async fn what_cannot_be_undone_says_so(test: TestDb) {
    let world = World::new(test).await;
    let (drive, alice, bob, space) = (&world.drive, &world.alice, &world.bob, space_of(&world.alice));
    assert_eq!((undo(&world).await, redo(&world).await), ("nothing-to-undo", "nothing-to-undo"));
    let file = world.put(None, "f", b"x").await.expect("a file").entry.id;
    drive.remove(alice, file, None).await.expect("removed");
    let by_number = async |actor, n| code(drive.undo(actor, space, Which::Sequence(n)).await);
    assert_eq!(by_number(alice, 2).await, "not-undoable");
    assert_eq!(by_number(alice, 99).await, "not-found");
    assert_eq!(by_number(bob, 1).await, "not-found");
    assert_eq!(code(drive.undo(bob, space, Which::Newest).await), "not-found");
    assert_eq!(code(drive.redo(alice, space, Which::Sequence(1)).await), "not-undoable");
    world.put(None, "g", b"x").await.expect("a file");
    assert_eq!((by_number(alice, 3).await, by_number(alice, 3).await), ("ok", "undo-conflict"));
    assert_eq!(by_number(alice, 4).await, "not-undoable", "an undo is redone");
    let operation = Which::Operation(Uuid::from_u128(1));
    assert_eq!(code(drive.undo(alice, space, operation).await), "nothing-to-undo");
    // A file of an upload, of whatever protocol, is a change like any other.
    let put = drive.put(alice, child(None, "h", OnConflict::Fail), body(&bytes(5000))).await.expect("a file");
    assert_eq!(undo(&world).await, "ok");
    assert!(world.entry(put.entry.id).await.trashed);
    world.check().await;
}

async fn undo_races_have_one_winner(test: TestDb) {
    let world = World::new(test).await;
    for n in 0..3 {
        world.folder(None, &format!("d{n}")).await;
    }
    let codes = futures::future::join_all((0..5).map(|_| undo(&world))).await;
    assert_eq!(codes.iter().filter(|code| **code == "ok").count(), 3, "{codes:?}");
    assert!(seen(&world).await.is_empty());
    let codes = futures::future::join_all((0..5).map(|_| redo(&world))).await;
    assert_eq!(codes.iter().filter(|code| **code == "ok").count(), 3, "{codes:?}");
    assert_eq!(seen(&world).await.len(), 3);
    world.check().await;
}
