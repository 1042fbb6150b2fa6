//! Folders and places: what is refused, and what a change leaves behind.

use base::limits;
use drive::{Copy, IfMatch, Kind, NewFolder, OnConflict, Update};
use testkit::database::TestDb;

use crate::world::{World, body, child, code, name, space_of};

testkit::both! {
    creates_lists_and_resolves, refuses_and_leaves_nothing, moves_and_renames, never_into_itself, depth_is_bounded,
    copies_share_bytes, copies_are_bounded_and_refused, other_people_see_nothing, changes_tell_the_story,
    pages_follow_each_other,
}

async fn creates_lists_and_resolves(test: TestDb) {
    let world = World::new(test).await;
    let root = world.alice.principal.root;
    let docs = world.folder(None, "docs").await;
    let file = world.put(Some(docs), "a.txt", b"hello").await.expect("a file").entry;
    assert_eq!(file.file().expect("a file").content_type, "text/plain");
    assert_eq!(file.file().expect("a file").blake3, Some(*blake3::hash(b"hello").as_bytes()));
    // NFC and NFD are one name, and a name differs by case.
    world.put(Some(docs), "\u{e9}", b"1").await.expect("a file");
    assert_eq!(code(world.put(Some(docs), "e\u{301}", b"2").await), "name-taken");
    world.put(Some(docs), "A.txt", b"3").await.expect("names differ by case");
    assert_eq!(world.names(docs).await, ["A.txt", "a.txt", "\u{e9}"]);
    assert_eq!(world.names(root).await, ["docs"]);
    let resolve = async |path: &str| world.drive.resolve(&world.alice, space_of(&world.alice), path).await;
    assert_eq!(resolve("/docs/a.txt").await.expect("a path").id, file.id);
    assert_eq!(resolve("/").await.expect("the root").id, root);
    assert_eq!(resolve("").await.expect("the root").id, root);
    assert_eq!(code(resolve("/docs/b.txt").await), "not-found");
    assert_eq!(code(resolve("/docs/a.txt/b").await), "not-found");
    assert_eq!(code(resolve("/docs/../docs").await), "invalid-name");
    assert_eq!(world.read(file.id).await.expect("the bytes"), b"hello");
    world.check().await;
}

async fn refuses_and_leaves_nothing(test: TestDb) {
    let world = World::new(test).await;
    let (drive, alice) = (&world.drive, &world.alice);
    let file = world.put(None, "f", b"x").await.expect("a file").entry.id;
    let sequence = world.number("SELECT CAST(SUM(sequence) AS BIGINT) FROM space").await;
    let rename = |to: &str| Update { name: Some(name(to)), ..Update::default() };
    for (result, wanted) in [
        (code(drive.create_folder(alice, NewFolder { id: None, parent: None, name: name("f") }).await), "name-taken"),
        (
            code(drive.create_folder(alice, NewFolder { id: None, parent: Some(file), name: name("g") }).await),
            "not-a-folder",
        ),
        (
            code(
                drive.create_folder(alice, NewFolder { id: None, parent: Some(world.nobody()), name: name("g") }).await,
            ),
            "not-found",
        ),
        (code(drive.update(alice, alice.principal.root, rename("r")).await), "root-entry"),
        (code(drive.remove(alice, alice.principal.root, None).await), "root-entry"),
        (code(drive.copy(alice, alice.principal.root, Copy::default()).await), "root-entry"),
        (code(drive.update(alice, world.nobody(), rename("r")).await), "not-found"),
        (code(drive.update(alice, file, Update { parent: Some(file), ..Update::default() }).await), "not-a-folder"),
        (code(drive.remove(alice, world.nobody(), None).await), "not-found"),
        (code(drive.remove(alice, file, Some(IfMatch::OneOf(vec!["\"7\"".into()]))).await), "precondition-failed"),
        (code(drive.children(alice, file, None, 10).await), "not-a-folder"),
        (code(drive.open(alice, alice.principal.root).await.map(|_| ())), "not-a-file"),
        // Nothing changes, so nothing is written down.
        (code(drive.update(alice, file, rename("f")).await), "ok"),
    ] {
        assert_eq!(result, wanted);
    }
    assert_eq!(world.number("SELECT CAST(SUM(sequence) AS BIGINT) FROM space").await, sequence);
    drive.remove(alice, file, Some(IfMatch::Any)).await.expect("it exists");
    world.assert_empty().await;
}

async fn moves_and_renames(test: TestDb) {
    let world = World::new(test).await;
    let (a, b) = (world.folder(None, "a").await, world.folder(None, "b").await);
    let file = world.put(Some(a), "f", b"x").await.expect("a file").entry;
    world.put(Some(b), "f", b"y").await.expect("a file");
    let to_b = || Update { parent: Some(b), ..Update::default() };
    assert_eq!(code(world.drive.update(&world.alice, file.id, to_b()).await), "name-taken");
    let stale = Update { name: Some(name("h")), if_match: Some(IfMatch::OneOf(vec!["9".into()])), ..to_b() };
    assert_eq!(code(world.drive.update(&world.alice, file.id, stale).await), "precondition-failed");
    let both = Update { name: Some(name("g")), if_match: Some(IfMatch::OneOf(vec![file.etag()])), ..to_b() };
    let moved = world.drive.update(&world.alice, file.id, both).await.expect("moved and renamed");
    assert_eq!((moved.parent, moved.name.as_str(), moved.revision), (Some(b), "g", file.revision + 1));
    assert_eq!((moved.modified, moved.etag()), (file.modified, file.etag()), "its bytes are the same");
    // A folder takes its tree along.
    world.drive.update(&world.alice, b, Update { parent: Some(a), ..Update::default() }).await.expect("moved");
    let found = world.drive.resolve(&world.alice, space_of(&world.alice), "a/b/g").await.expect("a path");
    assert_eq!(found.id, file.id);
    world.check().await;
}

async fn never_into_itself(test: TestDb) {
    let world = World::new(test).await;
    let a = world.folder(None, "a").await;
    let b = world.folder(Some(a), "b").await;
    let c = world.folder(Some(b), "c").await;
    for target in [a, b, c] {
        let update = Update { parent: Some(target), name: Some(name("x")), if_match: None };
        assert_eq!(code(world.drive.update(&world.alice, a, update).await), "into-itself");
        let copy = Copy { parent: Some(target), name: Some(name("y")), ..Copy::default() };
        assert_eq!(code(world.drive.copy(&world.alice, a, copy).await), "into-itself");
    }
    world.check().await;
}

async fn depth_is_bounded(test: TestDb) {
    let world = World::new(test).await;
    let mut folder = world.alice.principal.root;
    let mut path = vec![folder];
    for _ in 0..limits::DEPTH_MAX {
        folder = world.folder(Some(folder), "d").await;
        path.push(folder);
    }
    assert_eq!(
        code(
            world
                .drive
                .create_folder(&world.alice, NewFolder { id: None, parent: Some(folder), name: name("d") })
                .await
        ),
        "too-deep"
    );
    world.put(Some(folder), "f", b"x").await.expect("a file fits into the deepest folder");
    // Two levels of folders fit into the last but two, not into the last but one.
    let two = world.folder(None, "two").await;
    world.folder(Some(two), "inner").await;
    let below = |at: usize| Update { parent: Some(path[at]), ..Update::default() };
    let copy = |at: usize| Copy { parent: Some(path[at]), ..Copy::default() };
    let last = limits::DEPTH_MAX;
    for at in [last, last - 1] {
        assert_eq!(code(world.drive.update(&world.alice, two, below(at)).await), "too-deep", "{at}");
        assert_eq!(code(world.drive.copy(&world.alice, two, copy(at)).await), "too-deep", "{at}");
    }
    world.drive.copy(&world.alice, two, copy(last - 2)).await.expect("a copy fits");
    world.drive.remove(&world.alice, path[1], None).await.expect("removed");
    world.drive.remove(&world.alice, two, None).await.expect("removed");
    world.assert_empty().await;
}

async fn copies_share_bytes(test: TestDb) {
    let world = World::new(test).await;
    let docs = world.folder(None, "docs").await;
    let inner = world.folder(Some(docs), "inner").await;
    let long = crate::world::bytes(5000);
    let file = world.put(Some(inner), "f.bin", &long).await.expect("a file").entry.id;
    world.put(Some(docs), "g", b"small").await.expect("a file");
    let contents = world.number("SELECT COUNT(*) FROM content").await;
    let again = Copy { on_conflict: OnConflict::Rename, ..Copy::default() };
    let copy = world.drive.copy(&world.alice, docs, again.clone()).await.expect("a copy");
    assert_eq!(copy.name, "docs (2)");
    let file_copy = world.drive.copy(&world.alice, file, again).await.expect("a copy");
    assert_eq!((file_copy.name.as_str(), file_copy.revision), ("f (2).bin", 1));
    assert_eq!(world.number("SELECT COUNT(*) FROM content").await, contents, "no byte is copied");
    assert_eq!(world.used().await, 3 * 5000 + 2 * 5);
    world.check().await;
    // The copy lives on without its source, and replaces a file as a version of it.
    world.drive.remove(&world.alice, docs, None).await.expect("removed");
    let path = "/docs (2)/inner/f.bin";
    let survivor = world.drive.resolve(&world.alice, space_of(&world.alice), path).await.expect("a path");
    let target = world.put(None, "t", b"old").await.expect("a file").entry;
    let over = Copy {
        parent: Some(world.alice.principal.root),
        name: Some(name("t")),
        on_conflict: OnConflict::Replace,
        id: None,
    };
    let replaced = world.drive.copy(&world.alice, survivor.id, over).await.expect("a copy");
    assert_eq!((replaced.id, replaced.revision), (target.id, 2));
    world.drive.remove(&world.alice, copy.id, None).await.expect("removed");
    assert_eq!(world.read(target.id).await.expect("the bytes"), long);
    world.drive.remove(&world.alice, target.id, None).await.expect("removed");
    world.assert_empty().await;
}

async fn copies_are_bounded_and_refused(test: TestDb) {
    let world = World::new(test).await;
    let put = child(None, "f", OnConflict::Fail);
    let file = world.drive.put(&world.bob, put, body(&[7; 40_000])).await.expect("a file").entry;
    let folder = world
        .drive
        .create_folder(&world.bob, NewFolder { id: None, parent: None, name: name("d") })
        .await
        .expect("a folder")
        .id;
    let copy = |on_conflict| Copy { on_conflict, ..Copy::default() };
    assert_eq!(code(world.drive.copy(&world.bob, file.id, copy(OnConflict::Fail)).await), "name-taken");
    assert_eq!(code(world.drive.copy(&world.bob, folder, copy(OnConflict::Replace)).await), "name-taken");
    world.drive.copy(&world.bob, file.id, copy(OnConflict::Rename)).await.expect("80,000 of 100,000 bytes");
    assert_eq!(code(world.drive.copy(&world.bob, file.id, copy(OnConflict::Rename)).await), "quota-exceeded");
    let page = world.drive.children(&world.bob, world.bob.principal.root, None, 100).await.expect("a listing");
    assert_eq!(page.items.len(), 3);
    world.check().await;
}

async fn other_people_see_nothing(test: TestDb) {
    let world = World::new(test).await;
    let (drive, bob) = (&world.drive, &world.bob);
    let folder = world.folder(None, "d").await;
    let file = world.put(Some(folder), "f", b"x").await.expect("a file").entry.id;
    for result in [
        code(drive.stat(bob, file).await),
        code(drive.open(bob, file).await.map(|_| ())),
        code(drive.children(bob, folder, None, 10).await),
        code(drive.create_folder(bob, NewFolder { id: None, parent: Some(folder), name: name("g") }).await),
        code(drive.put(bob, child(Some(folder), "g", OnConflict::Fail), body(b"x")).await),
        code(drive.remove(bob, file, None).await),
        code(drive.update(bob, file, Update { name: Some(name("g")), ..Update::default() }).await),
        code(drive.copy(bob, file, Copy { parent: Some(bob.principal.root), ..Copy::default() }).await),
        code(drive.resolve(bob, space_of(&world.alice), "/d").await),
        code(drive.space(bob, space_of(&world.alice)).await),
        code(drive.changes(bob, space_of(&world.alice), None, 10).await),
        code(drive.parts(bob, file).await),
    ] {
        assert_eq!(result, "not-found");
    }
    let theirs = drive
        .create_folder(bob, NewFolder { id: None, parent: None, name: name("theirs") })
        .await
        .expect("a folder")
        .id;
    let across = Update { parent: Some(theirs), ..Update::default() };
    assert_eq!(code(drive.update(&world.alice, file, across).await), "not-found");
    let spaces = drive.spaces(bob, None, 10).await.expect("a page");
    assert_eq!(spaces.items.iter().map(|space| space.id).collect::<Vec<_>>(), [space_of(bob)]);
    world.check().await;
}

async fn changes_tell_the_story(test: TestDb) {
    let world = World::new(test).await;
    let operation = Some(uuid::Uuid::from_u128(7));
    let alice = drive::Actor { operation, ..world.alice.clone() };
    let folder = world
        .drive
        .create_folder(&alice, NewFolder { id: None, parent: None, name: name("d") })
        .await
        .expect("a folder");
    let file = world.put(Some(folder.id), "f", b"1").await.expect("a file").entry;
    world.put_with(Some(folder.id), "f", OnConflict::Replace, b"22").await.expect("a version");
    let rename = Update { name: Some(name("g")), ..Update::default() };
    world.drive.update(&alice, file.id, rename).await.expect("renamed");
    let away = Update { parent: Some(alice.principal.root), ..Update::default() };
    let moved = world.drive.update(&alice, file.id, away).await.expect("moved");
    let copy = Copy { on_conflict: OnConflict::Rename, ..Copy::default() };
    world.drive.copy(&alice, file.id, copy).await.expect("a copy");
    world.drive.remove(&alice, folder.id, None).await.expect("removed");
    let page = world.drive.changes(&alice, space_of(&alice), None, 4).await.expect("a page");
    assert!(page.more);
    let next = page.next.to_string();
    let rest = world.drive.changes(&alice, space_of(&alice), Some(&next), 100).await.expect("a page");
    assert!(!rest.more);
    let items: Vec<_> = page.items.into_iter().chain(rest.items).collect();
    let kinds: Vec<_> = items.iter().map(|item| item.kind.as_str()).collect();
    assert_eq!(kinds, ["created", "created", "content", "renamed", "moved", "copied", "deleted"]);
    assert_eq!((items[0].operation, items[0].actor), (operation, Some(alice.principal.account)));
    assert_eq!(items[4].state, Some(serde_json::to_value(&moved).expect("JSON")));
    assert_eq!((items[6].entry_after(), items[6].entry, items[6].revision), (None, folder.id, 2));
    assert_eq!(items[6].state.as_ref().map(|gone| &gone["name"]), Some(&"d".into()), "what it was is known");
    let Kind::File(info) = moved.kind else { panic!("a file") };
    let state = items[4].state.as_ref().expect("a state");
    assert_eq!(state["version_id"], info.version.to_string());
    assert_eq!(state["blake3"], blake3::hash(b"22").to_hex().to_string());
    let bad = world.drive.changes(&alice, space_of(&alice), Some("nonsense"), 10).await;
    assert_eq!(code(bad), "invalid-cursor");
    let gone = world.drive.changes(&alice, space_of(&alice), Some("9.1"), 10).await;
    assert_eq!(code(gone), "cursor-gone");
}

async fn pages_follow_each_other(test: TestDb) {
    let world = World::new(test).await;
    let mut names: Vec<String> =
        (0..25).map(|n| format!("{n}")).chain(["Ω".into(), "a b".into(), "Z".into()]).collect();
    for entry in &names {
        world.folder(None, entry).await;
    }
    names.sort();
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let root = world.alice.principal.root;
        let page = world.drive.children(&world.alice, root, after.as_ref(), 7).await.expect("a page");
        found.extend(page.items.iter().map(|entry| entry.name.clone()));
        if !page.more {
            break;
        }
        assert_eq!(page.items.len(), 7);
        after = page.items.last().map(|entry| name(&entry.name));
    }
    assert_eq!(found, names);
}
