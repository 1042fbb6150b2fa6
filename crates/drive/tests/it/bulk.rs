//! Moves and copies under rules for taken names, merges of folders, and many things in one call.

use base::EntryId;
use drive::{Actor, Colour, Do, Entry, How, Item, Merged, OnConflict, OnFile, Outcome, Restore, Rule, Transfer, Which};
use testkit::database::TestDb;
use uuid::Uuid;

use crate::{
    undo::{newest, redo, seen, undo},
    world::{World, bytes, code, name, space_of},
};

testkit::both! {
    a_taken_name_goes_by_the_rule, folders_are_merged_and_taken_apart_again, merged_copies_leave_all_where_it_was,
    a_merge_is_all_or_nothing, many_things_have_a_result_each, a_call_that_is_repeated_is_done_once,
}

fn to(how: How, parent: EntryId, rule: Rule) -> Transfer {
    Transfer { how, parent: Some(parent), name: None, rule, id: None, if_match: None }
}

/// Paths of all that can be seen, with the lengths of files.
async fn paths(world: &World) -> Vec<String> {
    let list = seen(world).await.into_iter();
    list.map(|(path, bytes)| bytes.map_or(format!("{path}/"), |bytes| format!("{path} {}", bytes.len()))).collect()
}

async fn a_taken_name_goes_by_the_rule(test: TestDb) {
    let world = World::new(test).await;
    let (drive, alice) = (&world.drive, &world.alice);
    let a = world.folder(None, "a").await;
    let b = world.folder(None, "b").await;
    let here = world.put(Some(a), "f", &bytes(100)).await.expect("a file").entry.id;
    let there = world.put(Some(b), "f", &bytes(200)).await.expect("a file").entry.id;
    let start = paths(&world).await;
    let go = async |how, rule| drive.transfer(alice, here, to(how, b, Rule::Plain(rule))).await;
    for how in [How::Move, How::Copy] {
        assert_eq!(code(go(how, OnFile::Fail).await), "name-taken");
        let before = newest(&world).await;
        let skipped = go(how, OnFile::Skip).await.expect("skipped");
        let shown = if how == How::Move { here } else { there };
        assert_eq!((skipped.outcome, skipped.entry.map(|entry| entry.id)), (Outcome::Skipped, Some(shown)));
        assert_eq!(newest(&world).await, before);
        let renamed = go(how, OnFile::Rename).await.expect("renamed");
        assert_eq!(
            (renamed.outcome, renamed.entry.map(|entry| entry.name)),
            (Outcome::Renamed, Some("f (2)".to_owned()))
        );
        world.check().await;
        assert_eq!((undo(&world).await, paths(&world).await), ("ok", start.clone()));
        // The file that has the name keeps its id, and has the bytes.
        let replaced = go(how, OnFile::Replace).await.expect("replaced");
        assert_eq!((replaced.outcome, replaced.entry.map(|entry| entry.id)), (Outcome::Replaced, Some(there)));
        assert_eq!(world.read(there).await.expect("bytes"), bytes(100));
        assert_eq!(world.entry(here).await.trashed, how == How::Move);
        world.check().await;
        assert_eq!((undo(&world).await, paths(&world).await), ("ok", start.clone()));
        world.check().await;
    }
    // A file never takes the place of a folder, nor a folder that of anything.
    let folder = world.folder(Some(a), "x").await;
    world.put(Some(b), "x", &bytes(1)).await.expect("a file");
    for rule in [Rule::Plain(OnFile::Replace), Rule::Merge(OnFile::Replace)] {
        assert_eq!(code(drive.transfer(alice, folder, to(How::Move, b, rule)).await), "name-taken");
    }
    // To where it is under its own name is nowhere; a copy beside itself has another name.
    let stays = drive.transfer(alice, here, to(How::Move, a, Rule::Plain(OnFile::Rename))).await.expect("where it is");
    assert_eq!((stays.outcome, stays.entry.expect("itself").name.as_str()), (Outcome::Placed, "f"));
    let beside = drive.transfer(alice, here, to(How::Copy, a, Rule::Plain(OnFile::Rename))).await.expect("a copy");
    assert_eq!(beside.entry.expect("the copy").name, "f (2)");
    assert_eq!(code(drive.transfer(alice, a, to(How::Move, folder, Rule::Merge(OnFile::Rename))).await), "into-itself");
    assert_eq!(code(drive.transfer(&world.bob, here, to(How::Move, b, Rule::Plain(OnFile::Skip))).await), "not-found");
    let root = alice.principal.root;
    assert_eq!(code(drive.transfer(alice, root, to(How::Copy, b, Rule::Merge(OnFile::Skip))).await), "root-entry");
    world.check().await;
}

/// `one` and `two`, each with a folder `same`, and some of each other's names in them.
async fn two_trees(world: &World) -> (EntryId, EntryId) {
    let from = world.folder(None, "from").await;
    let one = world.folder(Some(from), "tree").await;
    let into = world.folder(None, "into").await;
    let two = world.folder(Some(into), "tree").await;
    for (top, length) in [(one, 10), (two, 20)] {
        let same = world.folder(Some(top), "same").await;
        world.put(Some(same), "both", &bytes(length)).await.expect("a file");
        world.put(Some(same), &format!("only {length}"), &bytes(length)).await.expect("a file");
        world.put(Some(top), "both", &bytes(length + 1)).await.expect("a file");
    }
    let own = world.folder(Some(one), "own").await;
    world.put(Some(own), "deep", &bytes(5)).await.expect("a file");
    (one, into)
}

async fn folders_are_merged_and_taken_apart_again(test: TestDb) {
    let world = World::new(test).await;
    let (drive, alice) = (&world.drive, &world.alice);
    let (one, into) = two_trees(&world).await;
    let start = paths(&world).await;
    let go = async |rule| {
        let merged = drive.transfer(alice, one, to(How::Move, into, Rule::Merge(rule))).await.expect("merged");
        assert_eq!(merged.outcome, Outcome::Merged);
        world.check().await;
        let after = paths(&world).await;
        let trash = drive.trashed(alice, space_of(alice), None, 100).await.expect("the trash").items.len();
        (merged.merged.expect("counts"), after, trash)
    };
    let counts = |placed, renamed, replaced, skipped| Merged { placed, renamed, replaced, skipped, merged: 1 };
    let (counted, after, trash) = go(OnFile::Rename).await;
    assert_eq!((counted, trash), (counts(2, 2, 0, 0), 1));
    assert_eq!(
        after,
        [
            "/from/",
            "/into/",
            "/into/tree/",
            "/into/tree/both 21",
            "/into/tree/both (2) 11",
            "/into/tree/own/",
            "/into/tree/own/deep 5",
            "/into/tree/same/",
            "/into/tree/same/both 20",
            "/into/tree/same/both (2) 10",
            "/into/tree/same/only 10 10",
            "/into/tree/same/only 20 20",
        ]
    );
    assert_eq!((undo(&world).await, paths(&world).await), ("ok", start.clone()));
    assert_eq!((redo(&world).await, paths(&world).await), ("ok", after));
    world.check().await;
    assert_eq!((undo(&world).await, paths(&world).await), ("ok", start.clone()));
    // What is skipped stays, with the folders that it is in.
    let (counted, after, trash) = go(OnFile::Skip).await;
    assert_eq!((counted, trash), (counts(2, 0, 0, 2), 0));
    let left: Vec<_> = after.iter().filter(|path| path.starts_with("/from/")).map(String::as_str).collect();
    assert_eq!(left, ["/from/", "/from/tree/", "/from/tree/both 11", "/from/tree/same/", "/from/tree/same/both 10"]);
    assert_eq!((undo(&world).await, paths(&world).await), ("ok", start.clone()));
    let (counted, after, trash) = go(OnFile::Replace).await;
    assert_eq!((counted, trash), (counts(2, 0, 2, 0), 3));
    assert!(after.contains(&"/into/tree/same/both 10".to_owned()) && after.contains(&"/into/tree/both 11".to_owned()));
    assert_eq!((undo(&world).await, paths(&world).await), ("ok", start));
    world.check().await;
}

async fn merged_copies_leave_all_where_it_was(test: TestDb) {
    let world = World::new(test).await;
    let (drive, alice) = (&world.drive, &world.alice);
    let (one, into) = two_trees(&world).await;
    let start = paths(&world).await;
    let merged = drive.transfer(alice, one, to(How::Copy, into, Rule::Merge(OnFile::Rename))).await.expect("merged");
    let expected = Merged { placed: 2, renamed: 2, replaced: 0, skipped: 0, merged: 1 };
    assert_eq!(merged.merged, Some(expected));
    let after = paths(&world).await;
    assert!(start.iter().all(|path| after.contains(path)), "{after:?}");
    // The folder `own` and what is in it, and three files.
    assert_eq!(after.len(), start.len() + 5);
    world.check().await;
    assert_eq!((undo(&world).await, paths(&world).await), ("ok", start));
    world.check().await;
}

async fn a_merge_is_all_or_nothing(test: TestDb) {
    let world = World::new(test).await;
    let (drive, alice) = (&world.drive, &world.alice);
    let (one, into) = two_trees(&world).await;
    let (start, before) = (paths(&world).await, newest(&world).await);
    let refused = drive.transfer(alice, one, to(How::Move, into, Rule::Merge(OnFile::Fail))).await;
    assert_eq!((code(refused), paths(&world).await, newest(&world).await), ("name-taken", start, before));
    world.check().await;
}

fn item(entry: EntryId, what: Do) -> Item {
    Item { entry, what }
}

async fn many_things_have_a_result_each(test: TestDb) {
    let world = World::new(test).await;
    let (drive, alice) = (&world.drive, &world.alice);
    let tag = drive.create_tag(alice, space_of(alice), "tag", Colour::Red).await.expect("a tag").id;
    let folder = world.folder(None, "folder").await;
    let mut files = Vec::new();
    for n in 0..8 {
        files.push(world.put(None, &format!("f{n}"), &bytes(n + 1)).await.expect("a file").entry.id);
    }
    world.put(Some(folder), "f1", &bytes(50)).await.expect("a file");
    drive.trash(alice, files[7], None).await.expect("in the trash");
    let start = paths(&world).await;
    let plain = |how, rule| Do::Transfer(to(how, folder, Rule::Plain(rule)));
    let back = Restore { parent: None, name: None, on_conflict: OnConflict::Rename };
    let items = vec![
        item(files[0], Do::Trash),
        item(files[1], plain(How::Move, OnFile::Fail)),
        item(files[2], plain(How::Move, OnFile::Fail)),
        item(files[3], plain(How::Copy, OnFile::Fail)),
        item(files[4], Do::PutOn(tag)),
        item(files[5], Do::Favourite),
        item(files[6], Do::Remove),
        item(files[7], Do::Restore(back)),
        item(world.nobody(), Do::Trash),
    ];
    let (operation, results) = drive.bulk(alice, items).await.expect("results");
    let outcomes: Vec<_> =
        results.iter().map(|result| result.as_ref().map_or_else(|error| error.code(), |done| done.outcome)).collect();
    assert_eq!(outcomes, ["done", "name-taken", "done", "done", "done", "done", "done", "done", "not-found"]);
    let tagged: &Entry = results[4].as_ref().expect("done").entry.as_ref().expect("the entry");
    assert_eq!(tagged.extras.tags, [tag]);
    world.check().await;
    let after = paths(&world).await;
    // All that can be taken back is, in one step: not what is gone for good, and no favourite.
    let undone = drive.undo(alice, space_of(alice), Which::Operation(operation)).await.expect("taken back");
    assert_eq!(undone.len(), 5);
    let left: Vec<_> = start.iter().filter(|path| *path != "/f6 7").cloned().collect();
    assert_eq!(paths(&world).await, left);
    assert_eq!(drive.favourites(alice, None, 10).await.expect("one").0.len(), 1);
    drive.redo(alice, space_of(alice), Which::Operation(operation)).await.expect("done again");
    assert_eq!(paths(&world).await, after);
    let many = (0..=drive::BULK_MAX).map(|_| item(folder, Do::Trash)).collect();
    assert_eq!(code(drive.bulk(alice, many).await), "too-many-entries");
    world.check().await;
}

async fn a_call_that_is_repeated_is_done_once(test: TestDb) {
    let world = World::new(test).await;
    let drive = &world.drive;
    let as_ = |number: u128| Actor { operation: Some(Uuid::from_u128(number)), ..world.alice.clone() };
    let (one, into) = two_trees(&world).await;
    // Files of one name from several folders, to one folder: each is another thing.
    let target = world.folder(None, "target").await;
    let mut sources = Vec::new();
    for n in 0..4 {
        let folder = world.folder(None, &format!("s{n}")).await;
        sources.push(world.put(Some(folder), "x.txt", &bytes(n + 30)).await.expect("a file").entry.id);
    }
    let items = || {
        let rule = Rule::Plain(OnFile::Rename);
        let copies = sources.iter().map(|id| item(*id, Do::Transfer(to(How::Copy, target, rule))));
        copies.chain([item(one, Do::Transfer(to(How::Copy, into, Rule::Merge(OnFile::Rename))))]).collect::<Vec<_>>()
    };
    let (_, first) = drive.bulk(&as_(1), items()).await.expect("results");
    let (before, tree) = (newest(&world).await, paths(&world).await);
    let copies = ["x (2).txt", "x (3).txt", "x (4).txt", "x.txt"].map(str::to_owned);
    assert_eq!(world.names(target).await, copies);
    let (_, again) = drive.bulk(&as_(1), items()).await.expect("results");
    assert_eq!((newest(&world).await, paths(&world).await), (before, tree));
    for (one, other) in first.iter().zip(&again).take(4) {
        let id = |result: &Result<drive::ItemDone, drive::Error>| {
            result.as_ref().expect("done").entry.as_ref().expect("a copy").id
        };
        assert_eq!(id(one), id(other));
    }
    assert_eq!(again[4].as_ref().expect("done").outcome, "merged");
    // Each of two files that replace one is done, one after the other, and none of them again.
    let replace = || Transfer { name: Some(name("r")), ..to(How::Copy, target, Rule::Plain(OnFile::Replace)) };
    for id in &sources[..2] {
        drive.transfer(&as_(2), *id, replace()).await.expect("placed");
    }
    let before = newest(&world).await;
    for id in &sources[..2] {
        drive.transfer(&as_(2), *id, replace()).await.expect("as the first time");
    }
    assert_eq!(newest(&world).await, before);
    // A merge whose source is in the trash since is answered as well.
    let merge = || to(How::Move, into, Rule::Merge(OnFile::Replace));
    drive.transfer(&as_(3), one, merge()).await.expect("merged");
    let before = newest(&world).await;
    let again = drive.transfer(&as_(3), one, merge()).await.expect("as the first time");
    assert_eq!((again.outcome, again.merged, newest(&world).await), (Outcome::Merged, None, before));
    assert_eq!(code(drive.transfer(&world.alice, one, merge()).await), "in-trash");
    world.check().await;
}
