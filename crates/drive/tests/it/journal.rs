//! Beginning to follow a space: its tree as a snapshot, and a journal that does not go back for ever.

use std::{collections::BTreeMap, time::Duration};

use drive::{Update, jobs::Retention};
use testkit::database::TestDb;

use crate::world::{World, bytes, code, name, space_of};

testkit::both! { a_snapshot_and_what_came_after_are_the_tree, history_ends_at_its_beginning }

const DAY: Duration = Duration::from_secs(86_400);

async fn a_snapshot_and_what_came_after_are_the_tree(test: TestDb) {
    let world = World::new(test).await;
    let (drive, alice, space) = (&world.drive, &world.alice, space_of(&world.alice));
    let mut folder = None;
    let mut folders = Vec::new();
    for depth in 0..4 {
        folder = Some(world.folder(folder, &format!("d{depth}")).await);
        folders.extend(folder);
        for n in 0..5 {
            world.put(folder, &format!("f{n}"), &bytes(n)).await.expect("a file");
        }
    }
    // What is in the trash is no part of it, nor what was in a folder that is.
    let trashed = world.folder(Some(folders[0]), "trashed").await;
    world.put(Some(trashed), "inside", b"x").await.expect("a file");
    drive.trash(alice, trashed, None).await.expect("trashed");
    let (mut seen, mut from, mut since) = (BTreeMap::new(), None, None);
    let mut pages = 0;
    loop {
        let page = drive.snapshot(alice, space, from, 4).await.expect("a page");
        pages += 1;
        assert!(since.is_none_or(|since| since == page.since), "every page says the same");
        since = Some(page.since);
        seen.extend(page.items.into_iter().map(|entry| (entry.id, entry)));
        // Others go on: things appear, move, change and go between the pages.
        match pages {
            1 => drop(world.put(Some(folders[1]), "new", b"x").await.expect("a file")),
            2 => {
                let update = Update { parent: Some(folders[0]), name: Some(name("moved")), ..Update::default() };
                drive.update(alice, folders[3], update).await.expect("moved");
            }
            3 => drive.trash(alice, folders[1], None).await.expect("trashed"),
            _ => {}
        }
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    assert!(pages > 5);
    let since = since.expect("a cursor").to_string();
    let after = drive.changes(alice, space, Some(&since), 100).await.expect("changes");
    let mut gone = Vec::new();
    for item in after.items {
        match item.entry_after().cloned() {
            Some(entry) => {
                let entry: drive::Entry = serde_json::from_value(entry).expect("an entry");
                if seen.get(&item.entry).is_none_or(|known| known.revision < entry.revision) {
                    seen.insert(item.entry, entry);
                }
            }
            None => gone.push(item.entry),
        }
    }
    let (mut expected, mut listed) = (Vec::new(), Vec::new());
    let mut left = vec![alice.principal.root];
    while let Some(folder) = left.pop() {
        for entry in drive.children(alice, folder, None, 1000).await.expect("a listing").items {
            if entry.file().is_none() {
                left.push(entry.id);
            }
            expected.push((entry.id, entry.parent, entry.name.clone()));
            listed.push(entry);
        }
    }
    let root = alice.principal.root;
    let hangs = |id: &base::EntryId| {
        let mut at = *id;
        while at != root {
            if gone.contains(&at) {
                return false;
            }
            let Some(parent) = seen.get(&at).and_then(|entry| entry.parent) else { return false };
            at = parent;
        }
        true
    };
    let mut known: Vec<_> =
        seen.values().filter(|it| hangs(&it.id)).map(|it| (it.id, it.parent, it.name.clone())).collect();
    expected.sort();
    known.sort();
    assert_eq!(known, expected);
    // While nothing happens it is just what listings say, folder totals among it.
    let mut still = drive.snapshot(alice, space, None, 1000).await.expect("a page").items;
    still.sort_by_key(|entry| entry.id);
    listed.sort_by_key(|entry| entry.id);
    assert_eq!(still, listed);
    assert_eq!(code(drive.snapshot(&world.bob, space, None, 10).await), "not-found");
    // Who was given a part gets that, in small pages as well; nothing of it twice, though roles overlap; nothing of the trash.
    let role = |subject| drive::NewGrant { subject, role: accounts::Role::Viewer, expires: None };
    let bob = drive::Subject::Account(world.bob.principal.account);
    for (id, subject) in [(folders[3], bob), (folders[0], drive::Subject::Everyone), (folders[2], bob)] {
        // The second one is in the trash, as what was below it then.
        let _ = drive.give(alice, id, role(subject)).await;
    }
    let (mut part, mut from) = (Vec::new(), None);
    loop {
        let page = drive.snapshot(&world.bob, space, from, 3).await.expect("a page");
        part.extend(page.items.into_iter().map(|entry| entry.id));
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    let mut visible: Vec<_> = listed.iter().map(|entry| entry.id).collect();
    visible.sort();
    assert_eq!(part, visible, "everything hangs from the first folder");
    let mut other = drive.snapshot(alice, space, None, 1).await.expect("a page").next.expect("more");
    other.since.epoch += 1;
    assert_eq!(code(drive.snapshot(alice, space, Some(other), 10).await), "cursor-gone");
}

async fn history_ends_at_its_beginning(test: TestDb) {
    let world = World::with(test, |options| options.history_lifetime = Some(DAY * 100)).await;
    let (drive, alice, space) = (&world.drive, &world.alice, space_of(&world.alice));
    let retention = Retention::new(world.drive.clone());
    let hours = async |count: u32| {
        for _ in 0..count {
            world.clock.advance(Duration::from_secs(3601));
            while retention.round().await.expect("a round") {}
        }
    };
    for n in 0..30 {
        world.put(None, &format!("f{n}"), b"x").await.expect("a file");
        world.clock.advance(DAY * 5);
    }
    let rows = async || world.number("SELECT COUNT(*) FROM journal").await;
    assert_eq!(rows().await, 30);
    hours(3).await;
    // The first ten are from more than a hundred days ago. Times at a boundary belong to a look that comes.
    let left = rows().await;
    assert!((19..=20).contains(&left), "{left}");
    assert_eq!(code(drive.changes(alice, space, None, 100).await), "cursor-gone");
    assert_eq!(code(drive.changes(alice, space, Some("1.3"), 100).await), "cursor-gone");
    let gone = 30 - left;
    let page = drive.changes(alice, space, Some(&format!("1.{gone}")), 100).await.expect("what is left");
    assert_eq!((page.items.len() as i64, page.items[0].sequence as i64), (left, gone + 1));
    // Who begins does so with a snapshot, and goes on from there.
    let snapshot = drive.snapshot(alice, space, None, 100).await.expect("a snapshot");
    assert_eq!(snapshot.items.len(), 30);
    world.put(None, "last", b"x").await.expect("a file");
    let page = drive.changes(alice, space, Some(&snapshot.since.to_string()), 100).await.expect("changes");
    assert_eq!(page.items.len(), 1);
    // However long nothing happens: the newest change stays, and with it where everybody is.
    world.clock.advance(DAY * 200);
    hours(3).await;
    assert_eq!(rows().await, 1);
    let page = drive.changes(alice, space, Some("1.31"), 100).await.expect("nothing new");
    assert!(page.items.is_empty());
    assert_eq!(code(drive.undo(alice, space, drive::Which::Newest).await), "ok");
}
