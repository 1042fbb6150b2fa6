//! Random operations: whatever people do, the counters are the sums of what is there, and a model agrees on the bytes.

use std::collections::BTreeMap;

use base::EntryId;
use drive::{Copy, NewFolder, OnConflict, Restore, Update};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use testkit::database::TestDb;

use crate::{
    undo::{newest, redo, seen, undo},
    world::{World, bytes, code, name},
};

testkit::both! { counters_are_sums, undoing_walks_back_through_anything }

/// What somebody does. Numbers choose among the entries that there are.
#[derive(Debug, Clone)]
enum Step {
    Folder { parent: usize, name: u8 },
    Put { parent: usize, name: u8, length: usize, on_conflict: u8 },
    Move { entry: usize, parent: usize, name: u8 },
    Copy { entry: usize, parent: usize, name: u8, on_conflict: u8 },
    Remove { entry: usize },
    Trash { entry: usize },
    Restore { at: usize, parent: Option<usize> },
    Restored { entry: usize, at: usize },
    Purge { at: usize },
    Empty,
    Undo,
    Redo,
}

impl Step {
    /// Whether it can be taken back.
    fn is_undoable(&self) -> bool {
        !matches!(self, Self::Remove { .. } | Self::Purge { .. } | Self::Empty | Self::Undo | Self::Redo)
    }

    /// Whether it gives a file other bytes.
    fn writes(&self) -> bool {
        matches!(self, Self::Put { .. } | Self::Copy { .. } | Self::Restored { .. } | Self::Undo | Self::Redo)
    }
}

fn step() -> impl Strategy<Value = Step> {
    let (at, word, rule) = (0..1000usize, 0..6u8, 0..3u8);
    prop_oneof![
        2 => (at.clone(), word.clone()).prop_map(|(parent, name)| Step::Folder { parent, name }),
        6 => (at.clone(), word.clone(), prop_oneof![0..200usize, 0..3000usize], rule.clone()).prop_map(
            |(parent, name, length, on_conflict)| Step::Put { parent, name, length, on_conflict }
        ),
        3 => (at.clone(), at.clone(), word.clone())
            .prop_map(|(entry, parent, name)| Step::Move { entry, parent, name }),
        2 => (at.clone(), at.clone(), word, rule).prop_map(
            |(entry, parent, name, on_conflict)| Step::Copy { entry, parent, name, on_conflict }
        ),
        1 => at.clone().prop_map(|entry| Step::Remove { entry }),
        3 => at.clone().prop_map(|entry| Step::Trash { entry }),
        3 => (at.clone(), prop::option::of(at.clone())).prop_map(|(at, parent)| Step::Restore { at, parent }),
        2 => (at.clone(), 0..3usize).prop_map(|(entry, at)| Step::Restored { entry, at }),
        1 => at.prop_map(|at| Step::Purge { at }),
        1 => Just(Step::Empty),
        2 => Just(Step::Undo),
        1 => Just(Step::Redo),
    ]
}

/// What may come of a step.
const OUTCOMES: [&str; 7] =
    ["ok", "name-taken", "into-itself", "root-entry", "original-folder-gone", "undo-conflict", "nothing-to-undo"];

fn rule(number: u8) -> OnConflict {
    [OnConflict::Fail, OnConflict::Replace, OnConflict::Rename][usize::from(number)]
}

async fn counters_are_sums(test: TestDb) {
    // PostgreSQL takes a round trip for each statement of the checks; most cases run beside it.
    let cases = match test.db.dialect() {
        db::Dialect::Sqlite => 12,
        db::Dialect::Postgres => 2,
    };
    let world = World::new(test).await;
    // The cases come from a fixed seed, so a failure repeats.
    let mut runner = TestRunner::deterministic();
    for _ in 0..cases {
        let steps =
            prop::collection::vec(step(), 25..50).new_tree(&mut runner).expect("a strategy without filters").current();
        run(&world, &steps).await;
    }
    world.assert_empty().await;
}

/// Does a step among the entries of `tree`; the code of what came of it.
async fn take(world: &World, tree: &BTreeMap<EntryId, Option<[u8; 32]>>, step: &Step) -> &'static str {
    let entries: Vec<EntryId> = tree.keys().copied().collect();
    let folders: Vec<EntryId> = tree.iter().filter(|(_, bytes)| bytes.is_none()).map(|(id, _)| *id).collect();
    let entry = |at: usize| entries[at % entries.len()];
    let folder = |at: usize| Some(folders[at % folders.len()]);
    let word = |word: u8| name(&format!("n{word}"));
    let (drive, alice) = (&world.drive, &world.alice);
    match step.clone() {
        Step::Folder { parent, name } => {
            code(drive.create_folder(alice, NewFolder { id: None, parent: folder(parent), name: word(name) }).await)
        }
        Step::Put { parent, name, length, on_conflict } => {
            let name = word(name);
            code(world.put_with(folder(parent), name.as_str(), rule(on_conflict), &bytes(length)).await)
        }
        Step::Move { entry: id, parent, name } => {
            let update = Update { name: Some(word(name)), parent: folder(parent), if_match: None };
            code(drive.update(alice, entry(id), update).await)
        }
        Step::Copy { entry: id, parent, name, on_conflict } => {
            let copy =
                Copy { parent: folder(parent), name: Some(word(name)), on_conflict: rule(on_conflict), id: None };
            code(drive.copy(alice, entry(id), copy).await)
        }
        Step::Remove { entry: id } => code(drive.remove(alice, entry(id), None).await),
        Step::Trash { entry: id } => code(drive.trash(alice, entry(id), None).await),
        Step::Restore { at, parent } => match trashed(world, at).await {
            Some(id) => {
                let parent = parent.and_then(folder);
                let restore = Restore { parent, name: None, on_conflict: OnConflict::Rename };
                code(drive.restore(alice, id, restore).await)
            }
            None => "ok",
        },
        Step::Purge { at } => match trashed(world, at).await {
            Some(id) => code(drive.remove(alice, id, None).await),
            None => "ok",
        },
        Step::Restored { entry: id, at } => {
            let id = entry(id);
            match drive.versions(alice, id, None, 10).await {
                Ok(page) => {
                    let version = page.items[at % page.items.len()].id;
                    code(drive.restore_version(alice, id, version, None).await)
                }
                Err(_) => "ok",
            }
        }
        Step::Undo => undo(world).await,
        Step::Redo => redo(world).await,
        Step::Empty => {
            drive.empty_trash(alice, alice.principal.space).await.expect("asked for");
            world.work_off().await;
            assert_eq!(trashed(world, 0).await, None);
            "ok"
        }
    }
}

async fn run(world: &World, steps: &[Step]) {
    let mut tree = walk(world).await;
    for (at, step) in steps.iter().enumerate() {
        let outcome = take(world, &tree, step).await;
        assert!(OUTCOMES.contains(&outcome), "step {at} {step:?} gave {outcome}");
        world.check().await;
        if at % 8 == 0 {
            world.check_usage().await;
        }
        // What one step did to other entries than its own is nothing: their bytes are what they were.
        let after = walk(world).await;
        let changed = tree
            .iter()
            .filter(|(id, _)| !step.writes() && after.contains_key(id))
            .filter(|(id, bytes)| after.get(id) != Some(bytes))
            .count();
        assert_eq!(changed, 0, "step {at} {step:?}");
        tree = after;
    }
    let root = world.alice.principal.root;
    let all = world.drive.children(&world.alice, root, None, 1000).await.expect("a listing");
    for entry in all.items {
        if let Some(info) = entry.file() {
            let read = world.read(entry.id).await.expect("the bytes");
            assert_eq!(Some(*blake3::hash(&read).as_bytes()), info.blake3);
        }
        world.drive.remove(&world.alice, entry.id, None).await.expect("removed");
    }
    // What the trash holds counts until it is empty.
    world.drive.empty_trash(&world.alice, world.alice.principal.space).await.expect("asked for");
    world.work_off().await;
    assert_eq!(world.used().await, 0);
}

/// What one person did, and nobody else, goes back to the beginning step by step, and forth again, through any state.
async fn undoing_walks_back_through_anything(test: TestDb) {
    let cases = match test.db.dialect() {
        db::Dialect::Sqlite => 6,
        db::Dialect::Postgres => 2,
    };
    // Bytes that are no longer kept are the one thing that would stand in the way.
    let world = World::with(test, |options| options.versions_kept = 1000).await;
    let mut runner = TestRunner::deterministic();
    for _ in 0..cases {
        let steps =
            prop::collection::vec(step(), 15..30).new_tree(&mut runner).expect("a strategy without filters").current();
        let mut states = vec![seen(&world).await];
        for (at, step) in steps.iter().filter(|step| step.is_undoable()).enumerate() {
            let (tree, before) = (walk(&world).await, newest(&world).await);
            let outcome = take(&world, &tree, step).await;
            assert!(OUTCOMES.contains(&outcome), "step {at} {step:?} gave {outcome}");
            if newest(&world).await > before {
                states.push(seen(&world).await);
            }
        }
        for state in states.iter().rev().skip(1) {
            assert_eq!(undo(&world).await, "ok", "{steps:?}");
            assert_eq!(&seen(&world).await, state, "{steps:?}");
        }
        world.check().await;
        for state in &states[1..] {
            assert_eq!((redo(&world).await, &seen(&world).await), ("ok", state), "{steps:?}");
        }
        world.check().await;
        let root = world.alice.principal.root;
        for entry in world.drive.children(&world.alice, root, None, 1000).await.expect("a listing").items {
            world.drive.remove(&world.alice, entry.id, None).await.expect("removed");
        }
        world.drive.empty_trash(&world.alice, world.alice.principal.space).await.expect("asked for");
        world.work_off().await;
    }
    world.assert_empty().await;
}

/// One of the entries in the trash, if there are any.
async fn trashed(world: &World, at: usize) -> Option<EntryId> {
    let page = world.drive.trashed(&world.alice, world.alice.principal.space, None, 1000).await.expect("a listing");
    (!page.items.is_empty()).then(|| page.items[at % page.items.len()].entry.id)
}

/// Every entry that can be reached from the root, with the hash of its bytes if it is a file.
async fn walk(world: &World) -> BTreeMap<EntryId, Option<[u8; 32]>> {
    let root = world.alice.principal.root;
    let mut found = BTreeMap::from([(root, None)]);
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        let page = world.drive.children(&world.alice, folder, None, 1000).await.expect("a listing");
        for entry in page.items {
            if entry.file().is_none() {
                folders.push(entry.id);
            }
            let hash = entry.file().map(|info| info.blake3.expect("known for what was put"));
            assert!(found.insert(entry.id, hash).is_none(), "an entry is in one place");
        }
    }
    found
}
