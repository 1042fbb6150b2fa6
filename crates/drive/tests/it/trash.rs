//! The trash: out of sight in one step, readable, back in one step, and gone for good in bites.

use std::time::Duration;

use base::EntryId;
use bus::{Tally, Unit, Worker};
use db::{Lane, params};
use drive::{
    Copy, Keep, NewFolder, OnConflict, Restore, Trashed, Update,
    jobs::{EmptyHandler, Retention},
};
use futures::{SinkExt, future::join_all};
use testkit::database::TestDb;

use crate::world::{World, body, bytes, channel, child, code, name, space_of};

testkit::both! {
    a_tree_goes_and_comes_back, what_is_in_the_trash_does_not_change, names_are_free_and_given_anew,
    a_folder_that_is_gone_is_asked_for, one_restore_wins, restore_and_removal_have_one_winner,
    uploads_into_a_trashed_folder_leave_nothing, emptying_takes_what_was_there, emptying_can_begin_again,
    age_empties_it, a_space_has_its_own_age, one_thing_comes_out_of_a_folder_of_the_trash,
}

fn back() -> Restore {
    Restore { parent: None, name: None, on_conflict: OnConflict::Rename }
}

async fn trashed(world: &World) -> Vec<Trashed> {
    world.drive.trashed(&world.alice, space_of(&world.alice), None, 1000).await.expect("a listing").items
}

async fn discard(world: &World, id: EntryId) {
    world.drive.trash(&world.alice, id, None).await.expect("trashed");
}

async fn a_tree_goes_and_comes_back(test: TestDb) {
    let world = World::new(test).await;
    let top = world.folder(None, "top").await;
    let inner = world.folder(Some(top), "inner").await;
    let file = world.put(Some(inner), "f", &bytes(5000)).await.expect("a file").entry.id;
    let rows = world.number("SELECT COUNT(*) FROM entry").await;
    discard(&world, inner).await;
    assert_eq!((world.number("SELECT COUNT(*) FROM entry").await, world.used().await), (rows, 5000));
    assert!(world.names(top).await.is_empty());
    let listed = trashed(&world).await;
    assert_eq!((listed.len(), listed[0].entry.id, listed[0].path.as_str()), (1, inner, "/top/inner"));
    assert_eq!((listed[0].from, listed[0].by), (top, Some(world.alice.principal.account)));
    assert_eq!(listed[0].until, Some(listed[0].at.plus(Duration::from_secs(30 * 86_400))));
    // It can be looked through, and its bytes read.
    assert!(world.entry(file).await.trashed && !world.entry(top).await.trashed);
    assert_eq!((world.names(inner).await, world.read(file).await.expect("bytes")), (vec!["f".to_owned()], bytes(5000)));
    let entry = world.drive.restore(&world.alice, inner, back()).await.expect("back");
    assert_eq!((entry.parent, entry.name.as_str(), entry.trashed), (Some(top), "inner", false));
    assert_eq!(world.read(file).await.expect("bytes"), bytes(5000));
    assert!(!world.entry(file).await.trashed && trashed(&world).await.is_empty());
    let page = world.drive.changes(&world.alice, space_of(&world.alice), None, 100).await.expect("changes");
    let kinds: Vec<_> = page.items.iter().map(|item| (item.kind.as_str(), item.entry_after().is_some())).collect();
    assert_eq!(kinds[3..], [("trashed", false), ("restored", true)]);
    world.check().await;
}

async fn what_is_in_the_trash_does_not_change(test: TestDb) {
    let world = World::new(test).await;
    let top = world.folder(None, "top").await;
    let file = world.put(Some(top), "f", b"x").await.expect("a file").entry.id;
    let other = world.folder(None, "other").await;
    discard(&world, top).await;
    let (drive, alice) = (&world.drive, &world.alice);
    for id in [top, file] {
        let rename = Update { name: Some(name("n")), ..Update::default() };
        assert_eq!(code(drive.update(alice, id, rename).await), "in-trash");
        let out = Update { parent: Some(other), ..Update::default() };
        assert_eq!(code(drive.update(alice, id, out).await), "in-trash");
        assert_eq!(code(drive.copy(alice, id, Copy { parent: Some(other), ..Copy::default() }).await), "in-trash");
        assert_eq!(code(drive.trash(alice, id, None).await), "not-found");
    }
    assert_eq!(
        code(drive.create_folder(alice, NewFolder { id: None, parent: Some(top), name: name("n") }).await),
        "in-trash"
    );
    assert_eq!(code(world.put(Some(top), "n", b"x").await), "in-trash");
    let into = Update { parent: Some(top), ..Update::default() };
    assert_eq!(code(drive.update(alice, other, into).await), "in-trash");
    // What lies in a folder of the trash does not end by itself; what is in the tree is not in the trash.
    assert_eq!(code(drive.remove(alice, file, None).await), "in-trash");
    for id in [other, alice.principal.root] {
        assert_eq!(code(drive.restore(alice, id, back()).await), "not-in-trash");
    }
    assert_eq!(code(drive.restore(alice, world.nobody(), back()).await), "not-found");
    assert_eq!(code(drive.trash(alice, alice.principal.root, None).await), "root-entry");
    // Into itself, or into what is in it.
    let inside = Restore { parent: Some(top), ..back() };
    assert_eq!(code(drive.restore(alice, top, inside).await), "in-trash");
    // Somebody else sees nothing of it.
    let bob = &world.bob;
    assert_eq!(code(drive.restore(bob, top, back()).await), "not-found");
    assert_eq!(code(drive.trash(bob, other, None).await), "not-found");
    assert_eq!(code(drive.trashed(bob, space_of(alice), None, 10).await.map(|_| ())), "not-found");
    assert_eq!(code(drive.empty_trash(bob, space_of(alice)).await), "not-found");
    assert_eq!(code(drive.stat(bob, file).await), "not-found");
    drive.remove(alice, top, None).await.expect("what is in the trash can be removed");
    assert_eq!(code(drive.stat(alice, file).await), "not-found");
    drive.remove(alice, other, None).await.expect("removed");
    world.assert_empty().await;
}

async fn names_are_free_and_given_anew(test: TestDb) {
    let world = World::new(test).await;
    let mut ids = Vec::new();
    for n in 0..3 {
        let id = world.put(None, "f.txt", &bytes(100 + n)).await.expect("the name is free").entry.id;
        discard(&world, id).await;
        ids.push(id);
    }
    let listed: Vec<_> = trashed(&world).await.iter().map(|it| it.entry.id).collect();
    assert_eq!(listed, ids.iter().rev().copied().collect::<Vec<_>>(), "newest first");
    let first = world.drive.trashed(&world.alice, space_of(&world.alice), None, 2).await.expect("a page");
    assert!(first.more && first.items.len() == 2);
    let before = Some(first.items[1].sequence);
    let rest = world.drive.trashed(&world.alice, space_of(&world.alice), before, 2).await.expect("a page");
    assert_eq!((rest.more, rest.items.len(), rest.items[0].entry.id), (false, 1, ids[0]));
    let fail = || Restore { on_conflict: OnConflict::Fail, ..back() };
    world.drive.restore(&world.alice, ids[2], back()).await.expect("back");
    assert_eq!(code(world.drive.restore(&world.alice, ids[1], fail()).await), "name-taken");
    let second = world.drive.restore(&world.alice, ids[1], back()).await.expect("back, beside it");
    assert_eq!(second.name, "f (2).txt");
    let other = world.folder(None, "other").await;
    let third = Restore { parent: Some(other), name: Some(name("g")), ..fail() };
    world.drive.restore(&world.alice, ids[0], third).await.expect("back, elsewhere");
    assert_eq!(world.names(other).await, ["g"]);
    assert_eq!(world.read(ids[0]).await.expect("bytes"), bytes(100));
    world.check().await;
}

async fn a_folder_that_is_gone_is_asked_for(test: TestDb) {
    let world = World::new(test).await;
    let (one, two) = (world.folder(None, "one").await, world.folder(None, "two").await);
    let a = world.put(Some(one), "a", b"a").await.expect("a file").entry.id;
    let b = world.put(Some(two), "b", b"b").await.expect("a file").entry.id;
    for id in [a, b, one] {
        discard(&world, id).await;
    }
    world.drive.remove(&world.alice, two, None).await.expect("removed");
    for id in [a, b] {
        assert_eq!(code(world.drive.restore(&world.alice, id, back()).await), "original-folder-gone");
    }
    let root = Restore { parent: Some(world.alice.principal.root), ..back() };
    world.drive.restore(&world.alice, b, root).await.expect("back");
    // A folder that comes back is there again for what was in it before.
    world.drive.restore(&world.alice, one, back()).await.expect("back");
    world.drive.restore(&world.alice, a, back()).await.expect("back");
    assert_eq!(world.names(one).await, ["a"]);
    world.check().await;
}

async fn one_restore_wins(test: TestDb) {
    let world = World::new(test).await;
    let file = world.put(None, "f", b"x").await.expect("a file").entry.id;
    for _ in 0..5 {
        let results = join_all((0..4).map(|_| world.drive.trash(&world.alice, file, None))).await;
        let mut codes: Vec<_> = results.into_iter().map(code).collect();
        codes.sort_unstable();
        assert_eq!(codes, ["not-found", "not-found", "not-found", "ok"]);
        let results = join_all((0..4).map(|_| world.drive.restore(&world.alice, file, back()))).await;
        let mut codes: Vec<_> = results.into_iter().map(code).collect();
        codes.sort_unstable();
        assert_eq!(codes, ["not-in-trash", "not-in-trash", "not-in-trash", "ok"]);
        world.check().await;
    }
}

async fn restore_and_removal_have_one_winner(test: TestDb) {
    let world = World::new(test).await;
    for round in 0..8 {
        let folder = world.folder(None, &format!("f{round}")).await;
        world.put(Some(folder), "f", &bytes(3000)).await.expect("a file");
        discard(&world, folder).await;
        let emptied = async {
            world.drive.empty_trash(&world.alice, space_of(&world.alice)).await.expect("asked for");
            world.work_off().await;
        };
        let (restored, ()) = futures::join!(world.drive.restore(&world.alice, folder, back()), emptied);
        let there = code(world.drive.stat(&world.alice, folder).await);
        match code(restored) {
            "ok" => assert_eq!((there, world.names(folder).await), ("ok", vec!["f".to_owned()])),
            refused => assert_eq!((refused, there), ("not-found", "not-found")),
        }
        world.check().await;
    }
}

async fn uploads_into_a_trashed_folder_leave_nothing(test: TestDb) {
    let world = World::new(test).await;
    for length in [10, 5000] {
        let folder = world.folder(None, "folder").await;
        let (mut sender, incoming) = channel();
        let writing = world.drive.put(&world.alice, child(Some(folder), "f", OnConflict::Fail), incoming);
        let meanwhile = async {
            sender.send(Ok(bytes(length).into())).await.expect("somebody listens");
            discard(&world, folder).await;
            drop(sender);
        };
        let (written, ()) = futures::join!(writing, meanwhile);
        assert_eq!(code(written), "in-trash");
        world.drive.restore(&world.alice, folder, back()).await.expect("back");
        assert!(world.names(folder).await.is_empty());
        assert_eq!(world.number("SELECT COUNT(*) FROM extent").await, 0);
        world.drive.remove(&world.alice, folder, None).await.expect("removed");
    }
    // A new version of a file that was trashed meanwhile.
    let file = world.put(None, "f", b"one").await.expect("a file").entry.id;
    let put = || drive::Put {
        target: drive::Target::File { id: file, if_match: None },
        ..child(None, "f", OnConflict::Fail)
    };
    discard(&world, file).await;
    assert_eq!(code(world.drive.put(&world.alice, put(), body(b"two")).await), "in-trash");
    world.drive.remove(&world.alice, file, None).await.expect("removed");
    world.assert_empty().await;
}

async fn emptying_takes_what_was_there(test: TestDb) {
    let world = World::new(test).await;
    let space = space_of(&world.alice);
    let large = world.folder(None, "large").await;
    world
        .test
        .db
        .write(Lane::Space(space), async move |tx| {
            for n in 0..1500u32 {
                let id = EntryId::from_bytes(*uuid::Uuid::from_u128(u128::from(n) + 1).as_bytes());
                tx.exec(
                    "INSERT INTO entry (id, space_id, parent_id, name, kind, revision, size, created_us, modified_us)
                     VALUES ($1, $2, $3, $4, 0, 1, 0, 0, 0)",
                    &params![id, space, large, &format!("e{n}")],
                )
                .await?;
            }
            Ok::<_, db::Error>(())
        })
        .await
        .expect("many entries");
    world.recount().await;
    // Before and after the large one, and more than a bite takes.
    for n in 0..120 {
        let id = world.put(None, "f", &bytes(n)).await.expect("a file").entry.id;
        discard(&world, id).await;
        if n == 60 {
            discard(&world, large).await;
        }
    }
    let idle = world.drive.emptying(&world.alice, space).await.expect("a state");
    assert_eq!((idle.job, idle.left), (None, 0));
    let asked = world.drive.empty_trash(&world.alice, space).await.expect("asked for");
    assert_eq!((asked.total, asked.left, asked.failed), (121, 121, false));
    let later = world.put(None, "later", b"x").await.expect("a file").entry.id;
    discard(&world, later).await;
    let running = world.drive.emptying(&world.alice, space).await.expect("a state");
    assert_eq!((running.job, running.total, running.left), (asked.job, 121, 121));
    world.work_off().await;
    let listed: Vec<_> = trashed(&world).await.iter().map(|it| it.entry.id).collect();
    assert_eq!((listed, world.used().await), (vec![later], 1));
    let done = world.drive.emptying(&world.alice, space).await.expect("a state");
    assert_eq!((done.job, done.left, done.trees), (None, 0, 0));
    // Each of them left a word in the journal, by whoever asked.
    let deleted = world.number("SELECT COUNT(*) FROM journal WHERE kind = 'deleted' AND actor IS NOT NULL").await;
    assert_eq!(deleted, 121);
    world.check().await;
    world.drive.remove(&world.alice, later, None).await.expect("removed");
    world.assert_empty().await;
}

async fn emptying_can_begin_again(test: TestDb) {
    let world = World::new(test).await;
    let space = space_of(&world.alice);
    for n in 0..130 {
        let id = world.put(None, "f", &bytes(n)).await.expect("a file").entry.id;
        discard(&world, id).await;
    }
    world.drive.empty_trash(&world.alice, space).await.expect("asked for");
    let job =
        world.jobs.lease(&["drive.empty"], Duration::from_secs(60)).await.expect("a look at the jobs").expect("a job");
    // Asked for once more while it is being done: what came since goes as well, and nothing that comes after.
    let since = world.put(None, "since", b"x").await.expect("a file").entry.id;
    discard(&world, since).await;
    let asked = world.drive.empty_trash(&world.alice, space).await.expect("asked for");
    assert_eq!((asked.job, asked.total), (Some(job.id), 131));
    let after = world.put(None, "after", b"x").await.expect("a file").entry.id;
    discard(&world, after).await;
    // The job is done, and its lease was lost before that was noted: another worker does it again.
    let handler = EmptyHandler::new(world.drive.clone());
    for _ in 0..2 {
        bus::Handler::handle(&handler, &job).await.expect("the job can be done");
        assert_eq!(trashed(&world).await.len(), 2);
        // Of what it was asked for first, also when another worker had done that.
        let all = Tally { done: 130, total: Some(130), unit: Unit::Entries };
        assert_eq!(world.tally(&job).await, Some(all));
        world.check().await;
    }
    world.jobs.complete(&job).await.expect("the lease holds");
    assert_eq!(world.work_off().await, 1);
    let listed: Vec<_> = trashed(&world).await.iter().map(|it| it.entry.id).collect();
    assert_eq!(listed, [after]);
    let deleted = world.number("SELECT COUNT(*) FROM journal WHERE kind = 'deleted'").await;
    assert_eq!(deleted, 131, "each of them once");
    world.drive.remove(&world.alice, after, None).await.expect("removed");
    world.assert_empty().await;
}

async fn a_space_has_its_own_age(test: TestDb) {
    const DAY: Duration = Duration::from_secs(86_400);
    let world = World::new(test).await;
    let (drive, alice, space) = (&world.drive, &world.alice, space_of(&world.alice));
    let keeping = drive.keeping(alice, space).await.expect("what holds");
    assert_eq!((keeping.own.trash_days, keeping.now.trash_days, keeping.now.versions_kept), (None, Some(30), Some(3)));
    for bad in [
        Keep { trash_days: Some(Some(40_000)), ..Keep::default() },
        Keep { versions_kept: Some(Some(0)), ..Keep::default() },
    ] {
        assert_eq!(code(drive.keep(alice, space, bad).await), "invalid-retention");
    }
    assert_eq!(code(drive.keep(&world.bob, space, Keep::default()).await), "not-found");
    let keep = Keep { trash_days: Some(Some(5)), versions_kept: Some(Some(5)), version_days: Some(Some(2)) };
    assert_eq!(drive.keep(alice, space, keep).await.expect("kept").now.trash_days, Some(5));
    // Bob's space is as the server has it.
    let theirs = crate::world::child(None, "theirs", OnConflict::Fail);
    let theirs = drive.put(&world.bob, theirs, body(b"x")).await.expect("a file").entry.id;
    drive.trash(&world.bob, theirs, None).await.expect("in the trash");
    for n in 0..7 {
        world.clock.advance(Duration::from_millis(1));
        world.put_with(None, "f", OnConflict::Replace, &bytes(n)).await.expect("a version");
    }
    let file = drive.resolve(alice, space, "/f").await.expect("a file").id;
    let versions = async || drive.versions(alice, file, None, 100).await.expect("versions").items.len();
    assert_eq!(versions().await, 5);
    let old = world.put(None, "old", b"old").await.expect("a file").entry.id;
    discard(&world, old).await;
    let listed = trashed(&world).await;
    assert_eq!(listed[0].until, Some(listed[0].at.plus(DAY * 5)));
    let retention = Retention::new(world.drive.clone());
    let pass = async |days: u32| {
        world.clock.advance(DAY * days);
        for _ in 0..3 {
            while retention.round().await.expect("a round") {}
            world.clock.advance(Duration::from_secs(3601));
        }
    };
    pass(1).await;
    assert_eq!((versions().await, trashed(&world).await.len()), (5, 1));
    pass(2).await;
    assert_eq!((versions().await, trashed(&world).await.len()), (1, 1));
    pass(3).await;
    assert_eq!((versions().await, trashed(&world).await.len()), (1, 0));
    assert_eq!(world.number("SELECT COUNT(*) FROM trash").await, 1);
    // Kept for ever, longer than the server does.
    drive.keep(alice, space, Keep { trash_days: Some(Some(0)), ..Keep::default() }).await.expect("kept");
    discard(&world, file).await;
    assert_eq!(trashed(&world).await[0].until, None);
    pass(100).await;
    assert_eq!((trashed(&world).await.len(), world.number("SELECT COUNT(*) FROM trash").await), (1, 1));
    // As the server has it, once more.
    let own = drive.keep(alice, space, Keep { trash_days: Some(None), ..Keep::default() }).await.expect("kept").own;
    assert_eq!((own.trash_days, own.versions_kept), (None, Some(5)));
    pass(1).await;
    assert!(trashed(&world).await.is_empty());
    world.check().await;
}

async fn one_thing_comes_out_of_a_folder_of_the_trash(test: TestDb) {
    let world = World::new(test).await;
    let (drive, alice) = (&world.drive, &world.alice);
    let above = world.folder(None, "above").await;
    let top = world.folder(Some(above), "top").await;
    let inner = world.folder(Some(top), "inner").await;
    let file = world.put(Some(inner), "f", &bytes(100)).await.expect("a file").entry.id;
    let other = world.put(Some(inner), "g", &bytes(50)).await.expect("a file").entry.id;
    world.put(Some(above), "f", b"x").await.expect("a file");
    discard(&world, top).await;
    // Beside where the folder was, under a free name.
    let entry = drive.restore(alice, file, back()).await.expect("back");
    assert_eq!((entry.parent, entry.name.as_str()), (Some(above), "f (2)"));
    assert_eq!(
        (world.names(above).await, world.names(inner).await),
        (vec!["f".into(), "f (2)".into()], vec!["g".to_owned()])
    );
    world.check().await;
    // A folder, with what is left in it, to a place that is named.
    let restore = Restore { parent: Some(alice.principal.root), ..back() };
    drive.restore(alice, inner, restore).await.expect("back");
    assert!(!world.entry(other).await.trashed && world.entry(top).await.trashed);
    assert_eq!((trashed(&world).await.len(), world.names(top).await.len()), (1, 0));
    world.check().await;
    // Undo puts it into the trash again, by itself.
    for _ in 0..2 {
        drive.undo(alice, space_of(alice), drive::Which::Newest).await.expect("taken back");
        world.check().await;
    }
    assert_eq!(trashed(&world).await.len(), 3);
    drive.redo(alice, space_of(alice), drive::Which::Newest).await.expect("done again");
    assert_eq!(world.entry(file).await.parent, Some(above));
    // Where the folder was is gone: then a place must be named.
    discard(&world, file).await;
    discard(&world, above).await;
    assert_eq!(code(drive.restore(alice, file, back()).await), "original-folder-gone");
    world.check().await;
}

async fn age_empties_it(test: TestDb) {
    const DAY: Duration = Duration::from_secs(86_400);
    let world = World::new(test).await;
    let retention = Retention::new(world.drive.clone());
    let rounds = async || while retention.round().await.expect("a round") {};
    let old = world.put(None, "old", b"old").await.expect("a file").entry.id;
    discard(&world, old).await;
    rounds().await;
    world.clock.advance(DAY * 20);
    rounds().await;
    let young = world.put(None, "young", b"young").await.expect("a file").entry.id;
    discard(&world, young).await;
    world.clock.advance(DAY * 11);
    // The first look after the time only sees it; so does any look within the hour.
    rounds().await;
    assert_eq!(trashed(&world).await.len(), 2);
    world.clock.advance(Duration::from_secs(3601));
    rounds().await;
    let listed: Vec<_> = trashed(&world).await.iter().map(|it| it.entry.id).collect();
    assert_eq!(listed, [young]);
    assert_eq!(code(world.drive.stat(&world.alice, old).await), "not-found");
    world.check().await;
    assert_eq!(retention.name(), "drive.retention");
}
