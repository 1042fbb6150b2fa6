//! Favourites and what is recent: one's own, across spaces, and nothing that one may not see.

use std::time::Duration;

use base::EntryId;
use drive::{Actor, Did};
use testkit::database::TestDb;

use crate::world::{World, bytes, code};

testkit::both! {
    favourites_are_ones_own, what_was_changed_and_opened_is_recent,
}

async fn favourites(world: &World, actor: &Actor) -> Vec<String> {
    let (mut names, mut before) = (Vec::new(), None);
    loop {
        let (entries, next) = world.drive.favourites(actor, before, 2).await.expect("a page");
        names.extend(entries.into_iter().map(|entry| entry.name));
        before = match next {
            Some(next) => Some(next),
            None => return names,
        };
    }
}

async fn favourites_are_ones_own(test: TestDb) {
    let world = World::new(test).await;
    let (drive, alice, bob) = (&world.drive, &world.alice, &world.bob);
    let folder = world.folder(None, "folder").await;
    let mut files = Vec::new();
    for n in 0..5 {
        files.push(world.put(Some(folder), &format!("f{n}"), &bytes(n)).await.expect("a file").entry.id);
    }
    for id in files.iter().chain([&folder, &files[0]]) {
        drive.add_favourite(alice, *id).await.expect("a favourite");
        world.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(favourites(&world, alice).await, ["folder", "f4", "f3", "f2", "f1", "f0"]);
    assert_eq!(code(drive.add_favourite(bob, folder).await), "not-found");
    assert_eq!(code(drive.add_favourite(alice, world.nobody()).await), "not-found");
    assert!(favourites(&world, bob).await.is_empty());
    drive.remove_favourite(alice, files[3]).await.expect("none");
    drive.remove_favourite(alice, files[3]).await.expect("none, once more");
    drive.trash(alice, files[2], None).await.expect("in the trash");
    assert_eq!(favourites(&world, alice).await, ["folder", "f4", "f1", "f0"]);
    drive.undo(alice, alice.principal.space, drive::Which::Newest).await.expect("back");
    assert_eq!(favourites(&world, alice).await, ["folder", "f4", "f2", "f1", "f0"]);
    drive.remove(alice, files[4], None).await.expect("removed");
    assert_eq!(world.number("SELECT COUNT(*) FROM favourite").await, 4);
    drive.remove(alice, folder, None).await.expect("removed");
    assert_eq!(world.number("SELECT COUNT(*) FROM favourite").await, 0);
    world.assert_empty().await;
}

async fn what_was_changed_and_opened_is_recent(test: TestDb) {
    let world = World::new(test).await;
    let (drive, alice) = (&world.drive, &world.alice);
    let mut files: Vec<EntryId> = Vec::new();
    for name in ["a", "b", "c"] {
        files.push(world.put(None, name, &bytes(10)).await.expect("a file").entry.id);
        world.clock.advance(Duration::from_secs(1));
    }
    let recent = async |actor: &Actor, limit: u32| {
        let list = drive.recent(actor, limit).await.expect("a list");
        list.into_iter().map(|recent| (recent.entry.name, recent.did)).collect::<Vec<_>>()
    };
    let changed = |name: &str| (name.to_owned(), Did::Changed);
    let opened = |name: &str| (name.to_owned(), Did::Opened);
    assert_eq!(recent(alice, 10).await, [changed("c"), changed("b"), changed("a")]);
    drive.opened(alice, files[0]);
    drive.settle().await;
    world.clock.advance(Duration::from_secs(1));
    drive.opened(alice, files[1]);
    drive.settle().await;
    assert_eq!(recent(alice, 10).await, [opened("b"), opened("a"), changed("c")]);
    assert_eq!(recent(alice, 2).await, [opened("b"), opened("a")]);
    // Reading on is no news for some minutes, and then it is.
    let at = async || world.number("SELECT MIN(opened_us) FROM opening").await;
    let first = at().await;
    world.clock.advance(Duration::from_secs(200));
    drive.opened(alice, files[0]);
    drive.settle().await;
    assert_eq!(at().await, first);
    world.clock.advance(Duration::from_secs(200));
    drive.opened(alice, files[0]);
    drive.settle().await;
    assert!(at().await > first);
    assert_eq!(recent(alice, 10).await, [opened("a"), opened("b"), changed("c")]);
    // What is in the trash is not recent, nor is what others have, whatever one opened.
    drive.trash(alice, files[0], None).await.expect("in the trash");
    drive.opened(&world.bob, files[1]);
    drive.settle().await;
    assert_eq!(recent(alice, 10).await, [opened("b"), changed("c")]);
    assert!(recent(&world.bob, 10).await.is_empty());
    // Only so many are kept.
    for n in 0..250 {
        let id = world.put(None, &format!("n{n}"), &bytes(1)).await.expect("a file").entry.id;
        world.clock.advance(Duration::from_secs(1));
        drive.opened(alice, id);
        drive.settle().await;
    }
    assert_eq!(world.number("SELECT COUNT(*) FROM opening").await, 201, "200 of one, and one of another");
    assert_eq!(recent(alice, 1).await, [opened("n249")]);
}
