//! Versions: listed, read, restored without a copy, kept by name or pin, and gone by number or age.

use std::time::Duration;

use base::{EntryId, VersionId};
use bytes::Bytes;
use drive::{Label, OnConflict, Version, jobs::Retention};
use futures::TryStreamExt;
use testkit::database::TestDb;

use crate::world::{World, bytes, code, space_of};

testkit::both! {
    old_versions_are_listed_and_read, a_version_is_restored_without_a_copy, kept_versions_stay, versions_are_removed,
    versions_age, versions_of_others_and_of_the_trash, usage_says_what_bytes_are_for,
}

async fn list(world: &World, file: EntryId) -> Vec<Version> {
    world.drive.versions(&world.alice, file, None, 1000).await.expect("a listing").items
}

/// Writes a file of that many versions; their lengths count up from 1000.
async fn written(world: &World, count: usize) -> (EntryId, Vec<VersionId>) {
    let mut ids = Vec::new();
    let mut file = None;
    for n in 0..count {
        // Ids of one millisecond have no order.
        world.clock.advance(Duration::from_millis(1));
        let stored = world.put_with(None, "f", OnConflict::Replace, &bytes(1000 + n)).await.expect("a version");
        ids.push(stored.entry.file().expect("a file").version);
        file = Some(stored.entry.id);
    }
    (file.expect("at least one"), ids)
}

async fn read(world: &World, file: EntryId, version: VersionId) -> Vec<u8> {
    let file = world.drive.open_version(&world.alice, file, version).await.expect("a version");
    let info = file.entry.file().expect("a file").clone();
    assert_eq!(info.version, version);
    let pieces: Vec<Bytes> = file.read(0..info.size).await.expect("bytes").try_collect().await.expect("bytes");
    pieces.concat()
}

async fn old_versions_are_listed_and_read(test: TestDb) {
    let world = World::new(test).await;
    let (file, ids) = written(&world, 3).await;
    let listed = list(&world, file).await;
    let seen: Vec<_> = listed.iter().map(|version| (version.id, version.size, version.current)).collect();
    assert_eq!(seen, [(ids[2], 1002, true), (ids[1], 1001, false), (ids[0], 1000, false)]);
    assert!(listed.iter().all(|version| version.created_by == Some(world.alice.principal.account)));
    let first = world.drive.versions(&world.alice, file, None, 2).await.expect("a page");
    assert!(first.more && first.items.len() == 2);
    let rest = world.drive.versions(&world.alice, file, Some(first.items[1].id), 2).await.expect("a page");
    assert_eq!((rest.more, rest.items[0].id), (false, ids[0]));
    for (n, id) in ids.iter().enumerate() {
        assert_eq!(read(&world, file, *id).await, bytes(1000 + n));
    }
    let folder = world.folder(None, "d").await;
    assert_eq!(code(world.drive.versions(&world.alice, folder, None, 1).await.map(|_| ())), "not-a-file");
    assert_eq!(code(world.drive.open_version(&world.alice, folder, ids[0]).await.map(|_| ())), "not-a-file");
    let other = world.put(None, "other", b"x").await.expect("a file").entry.id;
    assert_eq!(code(world.drive.open_version(&world.alice, other, ids[0]).await.map(|_| ())), "not-found");
    world.check().await;
}

async fn a_version_is_restored_without_a_copy(test: TestDb) {
    let world = World::new(test).await;
    let (file, ids) = written(&world, 2).await;
    let contents = world.number("SELECT COUNT(*) FROM content").await;
    let back = world.drive.restore_version(&world.alice, file, ids[0], None).await.expect("restored");
    let info = back.file().expect("a file");
    assert!(info.size == 1000 && !ids.contains(&info.version), "a new version with the old bytes");
    assert_eq!(world.number("SELECT COUNT(*) FROM content").await, contents);
    assert_eq!((world.read(file).await.expect("bytes"), world.used().await), (bytes(1000), 3001));
    world.check().await;
    // The one that shares them goes, and they stay.
    world.drive.delete_version(&world.alice, file, ids[0]).await.expect("removed");
    assert_eq!((world.read(file).await.expect("bytes"), world.used().await), (bytes(1000), 2001));
    // To restore the current one is nothing.
    let again = world.drive.restore_version(&world.alice, file, info.version, None).await.expect("nothing to do");
    assert_eq!((again.revision, list(&world, file).await.len()), (back.revision, 2));
    let stale = Some(drive::IfMatch::OneOf(vec!["0".into()]));
    let refused = world.drive.restore_version(&world.alice, file, ids[1], stale).await;
    assert_eq!(code(refused), "precondition-failed");
    world.check().await;
    world.drive.remove(&world.alice, file, None).await.expect("removed");
    world.assert_empty().await;
}

async fn kept_versions_stay(test: TestDb) {
    let world = World::new(test).await;
    let (file, ids) = written(&world, 2).await;
    let label = |name: Option<Option<&str>>, pinned| Label { name: name.map(|name| name.map(str::to_owned)), pinned };
    let set = async |id, label| world.drive.label_version(&world.alice, file, id, label).await;
    let named = set(ids[0], label(Some(Some("as sent")), None)).await.expect("named");
    assert_eq!((named.name.as_deref(), named.pinned), (Some("as sent"), false));
    set(ids[1], label(None, Some(true))).await.expect("pinned");
    for bad in ["", "  ", "a\nb", &"x".repeat(256)] {
        assert_eq!(code(set(ids[0], label(Some(Some(bad)), None)).await), "invalid-version-name", "{bad:?}");
    }
    // World::VERSIONS others come, and these two do not count among them.
    written(&world, 5).await;
    let kept: Vec<_> = list(&world, file).await.iter().map(|version| version.id).collect();
    assert_eq!((kept.len(), &kept[3..]), (5, &[ids[1], ids[0]][..]));
    set(ids[0], label(Some(None), None)).await.expect("without a name");
    written(&world, 1).await;
    let kept: Vec<_> = list(&world, file).await.iter().map(|version| version.id).collect();
    assert_eq!((kept.len(), kept[3]), (4, ids[1]));
    world.check().await;
    let page = world.drive.changes(&world.alice, space_of(&world.alice), None, 100).await.expect("changes");
    assert_eq!(page.items.iter().filter(|item| item.kind == "versions").count(), 3);
}

async fn versions_are_removed(test: TestDb) {
    let world = World::new(test).await;
    let (file, ids) = written(&world, 3).await;
    let remove = async |id| code(world.drive.delete_version(&world.alice, file, id).await);
    assert_eq!(remove(ids[2]).await, "current-version");
    assert_eq!((remove(ids[0]).await, remove(ids[0]).await), ("ok", "not-found"));
    assert_eq!(world.used().await, 1001 + 1002);
    world.check().await;
}

async fn versions_age(test: TestDb) {
    const DAY: Duration = Duration::from_secs(86_400);
    let world = World::with(test, |options| options.version_lifetime = Some(DAY * 10)).await;
    let retention = Retention::new(world.drive.clone());
    let (file, ids) = written(&world, 1).await;
    // However old a version is: its time begins when another one takes its place.
    world.clock.advance(DAY * 100);
    let (_, more) = written(&world, 2).await;
    let pinned = Label { pinned: Some(true), name: None };
    world.drive.label_version(&world.alice, file, ids[0], pinned).await.expect("pinned");
    let hours = async |count: u32| {
        for _ in 0..count {
            world.clock.advance(Duration::from_secs(3601));
            while retention.round().await.expect("a round") {}
        }
    };
    hours(24).await;
    assert_eq!(list(&world, file).await.len(), 3);
    world.clock.advance(DAY * 10);
    hours(4).await;
    let kept: Vec<_> = list(&world, file).await.iter().map(|version| version.id).collect();
    assert_eq!(kept, [more[1], ids[0]], "the current one and the pinned one");
    world.check().await;
}

async fn usage_says_what_bytes_are_for(test: TestDb) {
    let world = World::new(test).await;
    let (file, ids) = written(&world, 3).await;
    world.drive.restore_version(&world.alice, file, ids[0], None).await.expect("restored");
    let folder = world.folder(None, "d").await;
    let copy = drive::Copy { parent: Some(folder), ..drive::Copy::default() };
    world.drive.copy(&world.alice, file, copy).await.expect("copied");
    let other = world.put(Some(folder), "other", &bytes(40)).await.expect("a file").entry.id;
    world.drive.trash(&world.alice, folder, None).await.expect("trashed");
    let usage = world.drive.usage(&world.alice, space_of(&world.alice)).await.expect("the usage");
    // Three versions of the four are kept: 1001, 1002, and 1000 again, which the copy in the trash shares.
    assert_eq!((usage.files, usage.versions, usage.trash, usage.removing), (1000, 1001 + 1002, 1000 + 40, 0));
    assert_eq!((usage.stored, usage.shared(), usage.parity), (1000 + 1001 + 1002 + 40, 1000, 0));
    world.check_usage().await;
    assert_eq!(code(world.drive.usage(&world.bob, space_of(&world.alice)).await), "not-found");
    world.drive.remove(&world.alice, folder, None).await.expect("removed");
    assert_eq!(code(world.drive.stat(&world.alice, other).await), "not-found");
    world.check_usage().await;
}

async fn versions_of_others_and_of_the_trash(test: TestDb) {
    let world = World::new(test).await;
    let (file, ids) = written(&world, 2).await;
    let (drive, alice, bob) = (&world.drive, &world.alice, &world.bob);
    let pin = || Label { pinned: Some(true), name: None };
    assert_eq!(code(drive.versions(bob, file, None, 1).await.map(|_| ())), "not-found");
    assert_eq!(code(drive.open_version(bob, file, ids[0]).await.map(|_| ())), "not-found");
    assert_eq!(code(drive.restore_version(bob, file, ids[0], None).await), "not-found");
    assert_eq!(code(drive.label_version(bob, file, ids[0], pin()).await), "not-found");
    assert_eq!(code(drive.delete_version(bob, file, ids[0]).await), "not-found");
    drive.trash(alice, file, None).await.expect("trashed");
    assert_eq!((list(&world, file).await.len(), read(&world, file, ids[0]).await), (2, bytes(1000)));
    assert_eq!(code(drive.restore_version(alice, file, ids[0], None).await), "in-trash");
    assert_eq!(code(drive.label_version(alice, file, ids[0], pin()).await), "in-trash");
    assert_eq!(code(drive.delete_version(alice, file, ids[0]).await), "in-trash");
    drive.remove(alice, file, None).await.expect("removed");
    world.assert_empty().await;
}
