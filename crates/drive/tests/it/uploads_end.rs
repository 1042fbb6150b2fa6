//! How uploads end: as files, as parts of files, in conflict with a name, or for want of anybody who cares.

use std::time::Duration;

use drive::{Finish, NewUpload, OnConflict, UploadKind, UploadState, jobs::Expirer};
use futures::SinkExt;
use testkit::database::TestDb;

use crate::{
    uploads::{at, new},
    world::{World, body, bytes, code, name, space_of},
};

testkit::both! {
    a_name_taken_meanwhile_keeps_the_bytes, a_folder_gone_meanwhile_keeps_the_bytes,
    a_folder_in_the_trash_keeps_the_bytes, a_hash_is_filled_in_within_the_trash, replace_and_rename_at_the_end,
    parts_become_one_file, parts_are_refused, expired_uploads_go_and_live_ones_stay, terminate_cuts, a_copy_before_the_hash,
}

fn partial(length: Option<u64>) -> NewUpload {
    NewUpload { kind: UploadKind::Partial, ..new("part", length) }
}

async fn a_name_taken_meanwhile_keeps_the_bytes(test: TestDb) {
    let world = World::new(test).await;
    let sent = bytes(25_000);
    world.put(None, "taken", b"x").await.expect("a file");
    assert_eq!(code(world.drive.create_upload(&world.alice, new("taken", Some(5))).await), "name-taken");
    let id = world.begin(new("f", Some(sent.len() as u64))).await;
    let early = world.drive.finish_upload(&world.alice, id, Finish::default()).await;
    assert_eq!(code(early), "upload-not-complete");
    world.put(None, "f", b"faster").await.expect("a file");
    assert_eq!(code(world.append(id, at(0), body(&sent)).await), "name-taken");
    let upload = world.drive.upload(&world.alice, id).await.expect("the upload is there");
    assert_eq!((upload.offset, upload.state, upload.entry_id), (25_000, UploadState::Open, None));
    world.check().await;
    // Again at the same name is no better; under another one it works, and then it is done.
    assert_eq!(code(world.append(id, at(25_000), body(b"")).await), "name-taken");
    let finish = Finish { name: Some(name("g")), ..Finish::default() };
    let upload = world.drive.finish_upload(&world.alice, id, finish.clone()).await.expect("a file");
    let entry = upload.entry.expect("a file");
    assert_eq!(entry.name, "g");
    assert_eq!(entry.file().expect("a file").blake3, Some(*blake3::hash(&sent).as_bytes()));
    assert_eq!(world.read(entry.id).await.expect("the bytes"), sent);
    let again = world.drive.finish_upload(&world.alice, id, finish).await.expect("the same answer");
    assert_eq!(again.entry_id, Some(entry.id));
    world.check().await;
}

async fn a_folder_gone_meanwhile_keeps_the_bytes(test: TestDb) {
    let world = World::new(test).await;
    let folder = world.folder(None, "d").await;
    let id = world.begin(NewUpload { parent: Some(folder), ..new("f", Some(3)) }).await;
    world.drive.remove(&world.alice, folder, None).await.expect("removed");
    assert_eq!(code(world.append(id, at(0), body(b"abc")).await), "not-found");
    assert_eq!(world.offset(id).await, 3);
    let finish = Finish { parent: Some(world.alice.principal.root), ..Finish::default() };
    let upload = world.drive.finish_upload(&world.alice, id, finish).await.expect("a file");
    assert_eq!(world.read(upload.entry_id.expect("a file")).await.expect("the bytes"), b"abc");
    world.check().await;
}

async fn a_folder_in_the_trash_keeps_the_bytes(test: TestDb) {
    let world = World::new(test).await;
    let folder = world.folder(None, "d").await;
    let id = world.begin(NewUpload { parent: Some(folder), ..new("f", Some(3)) }).await;
    world.drive.trash(&world.alice, folder, None).await.expect("trashed");
    assert_eq!(code(world.append(id, at(0), body(b"abc")).await), "in-trash");
    assert_eq!(world.offset(id).await, 3);
    assert_eq!(code(world.drive.finish_upload(&world.alice, id, Finish::default()).await), "in-trash");
    let begun = NewUpload { parent: Some(folder), ..new("g", Some(3)) };
    assert_eq!(code(world.drive.create_upload(&world.alice, begun).await), "in-trash");
    // Once the folder is back, no byte is sent again.
    let back = drive::Restore { parent: None, name: None, on_conflict: OnConflict::Fail };
    world.drive.restore(&world.alice, folder, back).await.expect("back");
    let upload = world.drive.finish_upload(&world.alice, id, Finish::default()).await.expect("a file");
    assert_eq!(world.read(upload.entry_id.expect("a file")).await.expect("the bytes"), b"abc");
    world.check().await;
}

async fn a_hash_is_filled_in_within_the_trash(test: TestDb) {
    let world = World::new(test).await;
    let folder = world.folder(None, "d").await;
    let part = world.begin(partial(Some(9_000))).await;
    world.append(part, at(0), body(&bytes(9_000))).await.expect("bytes are taken");
    let new = NewUpload { parent: Some(folder), kind: UploadKind::Final(vec![part]), ..new("f", None) };
    let file = world.drive.create_upload(&world.alice, new).await.expect("a file").entry.expect("a file");
    world.drive.trash(&world.alice, folder, None).await.expect("trashed");
    let rows = world.number("SELECT COUNT(*) FROM journal").await;
    assert_eq!(world.work_off().await, 1);
    // It is known, and whoever keeps in step with the tree does not hear of what is no part of it.
    assert!(world.entry(file.id).await.file().is_some_and(|info| info.blake3.is_some()));
    assert_eq!(world.number("SELECT COUNT(*) FROM journal").await, rows);
    world.check().await;
}

async fn replace_and_rename_at_the_end(test: TestDb) {
    let world = World::new(test).await;
    let file = world.put(None, "f", b"old").await.expect("a file").entry;
    let replace = world.begin(NewUpload { on_conflict: OnConflict::Replace, ..new("f", Some(3)) }).await;
    let rename = world.begin(NewUpload { on_conflict: OnConflict::Rename, ..new("f", Some(3)) }).await;
    let upload = world.append(replace, at(0), body(b"new")).await.expect("a version");
    assert_eq!(upload.entry_id, Some(file.id));
    let upload = world.append(rename, at(0), body(b"two")).await.expect("a file");
    assert_eq!(upload.entry.expect("a file").name, "f (2)");
    assert_eq!(world.read(file.id).await.expect("the bytes"), b"new");
    world.check().await;
}

async fn parts_become_one_file(test: TestDb) {
    let world = World::new(test).await;
    let sent = bytes(61_000);
    let mut parts = Vec::new();
    for (from, to) in [(0, 25_000), (25_000, 25_000), (25_000, 26_000), (26_000, 61_000)] {
        let id = world.begin(partial(Some((to - from) as u64))).await;
        if from < to {
            let middle = from + (to - from) / 3;
            world.append(id, at(0), body(&sent[from..middle])).await.expect("bytes are taken");
            let done = world.append(id, at((middle - from) as u64), body(&sent[middle..to])).await.expect("taken");
            assert_eq!((done.state, done.entry_id), (UploadState::Finished, None));
        }
        parts.push(id);
    }
    world.check().await;
    let upload = world
        .drive
        .create_upload(&world.alice, NewUpload { kind: UploadKind::Final(parts.clone()), ..new("f", None) })
        .await
        .expect("a file");
    let entry = upload.entry.expect("a file");
    assert_eq!((upload.state, upload.length, upload.offset), (UploadState::Finished, Some(61_000), 61_000));
    assert_eq!(entry.file().expect("a file").blake3, None, "nobody has read it in order so far");
    assert_eq!(world.read(entry.id).await.expect("the bytes"), sent);
    world.check().await;
    for part in parts {
        assert_eq!(code(world.drive.upload(&world.alice, part).await), "not-found");
    }
    assert_eq!(code(world.append(upload.id, at(61_000), body(b"x")).await), "upload-is-final");
    // The hash comes later, once, and those who keep in step hear of it.
    assert_eq!(world.work_off().await, 1);
    let hashed = world.entry(entry.id).await;
    assert_eq!(hashed.file().expect("a file").blake3, Some(*blake3::hash(&sent).as_bytes()));
    assert_eq!((hashed.revision, hashed.etag()), (entry.revision + 1, entry.etag()));
    world.check().await;
    // The file outlives its upload.
    world.clean_up().await;
    assert_eq!(world.read(entry.id).await.expect("the bytes"), sent);
    world.drive.remove(&world.alice, entry.id, None).await.expect("removed");
    world.assert_empty().await;
}

async fn parts_are_refused(test: TestDb) {
    let world = World::new(test).await;
    let done = world.begin(partial(Some(3))).await;
    world.append(done, at(0), body(b"abc")).await.expect("bytes are taken");
    let open = world.begin(partial(Some(3))).await;
    let whole = world.begin(new("whole", Some(3))).await;
    let theirs = world.drive.create_upload(&world.bob, partial(Some(0))).await.expect("a part").id;
    let make = async |name, parts| {
        let new = NewUpload { kind: UploadKind::Final(parts), ..new(name, None) };
        code(world.drive.create_upload(&world.alice, new).await)
    };
    assert_eq!(make("f", vec![]).await, "bad-parts");
    assert_eq!(make("f", vec![done, done]).await, "bad-parts");
    assert_eq!(make("f", vec![done, open]).await, "bad-parts");
    assert_eq!(make("f", vec![done, whole]).await, "bad-parts");
    assert_eq!(make("f", vec![done, theirs]).await, "not-found");
    world.put(None, "taken", b"x").await.expect("a file");
    assert_eq!(make("taken", vec![done]).await, "name-taken");
    world.check().await;
    assert_eq!(make("f", vec![done]).await, "ok", "no refusal took the part");
    world.check().await;
}

async fn expired_uploads_go_and_live_ones_stay(test: TestDb) {
    let world = World::new(test).await;
    let expirer = Expirer::new(world.drive.clone());
    let old = world.begin(new("old", Some(30_000))).await;
    assert_eq!(code(world.append(old, at(0), crate::world::cut(&bytes(20_000))).await), "body-cut");
    let part = world.begin(partial(Some(3))).await;
    world.append(part, at(0), body(b"abc")).await.expect("bytes are taken");
    let made = world.begin(new("made", Some(15_000))).await;
    let made = world.append(made, at(0), body(&bytes(15_000))).await.expect("a file");
    world.clock.advance(Duration::from_secs(23 * 3600));
    let young = world.begin(new("young", Some(3))).await;
    assert_eq!(expirer.round().await.expect("a round"), 0);
    world.clock.advance(Duration::from_secs(2 * 3600));
    // Expired is gone, also before the worker comes by.
    assert_eq!(code(world.drive.upload(&world.alice, old).await), "not-found");
    assert_eq!(code(world.append(old, at(20_000), body(b"x")).await), "not-found");
    // At the second look, since a clock that jumped must not cost a living upload.
    assert_eq!(expirer.round().await.expect("a round"), 0);
    world.clock.advance(Duration::from_secs(3600));
    assert_eq!(expirer.round().await.expect("a round"), 3);
    assert_eq!(expirer.round().await.expect("a round"), 0);
    assert_eq!(world.reserved().await, 3);
    world.check().await;
    let upload = world.append(young, at(0), body(b"abc")).await.expect("a live one goes on");
    for entry in [made.entry_id, upload.entry_id] {
        let entry = entry.expect("a file");
        world.read(entry).await.expect("the bytes");
        world.drive.remove(&world.alice, entry, None).await.expect("removed");
    }
    world.assert_empty().await;
}

async fn terminate_cuts(test: TestDb) {
    let world = World::new(test).await;
    let id = world.begin(new("f", Some(30_000))).await;
    let (mut sender, running) = crate::world::channel();
    let end = async {
        for piece in bytes(12_000).chunks(1000) {
            sender.send(Ok(piece.to_vec().into())).await.expect("the drive takes bytes");
        }
        world.drive.terminate(&world.alice, id).await.expect("ended");
        while sender.send(Ok(vec![0; 1000].into())).await.is_ok() {}
    };
    let (result, ()) = futures::join!(world.append(id, at(0), running), end);
    assert!(["upload-taken-over", "not-found", "write-expired"].contains(&code(result)));
    world.assert_empty().await;
}

async fn a_copy_before_the_hash(test: TestDb) {
    let world = World::new(test).await;
    let part = world.begin(partial(Some(9_000))).await;
    world.append(part, at(0), body(&bytes(9_000))).await.expect("bytes are taken");
    let new = NewUpload { kind: UploadKind::Final(vec![part]), ..new("f", None) };
    let first = world.drive.create_upload(&world.alice, new).await.expect("a file").entry.expect("a file");
    let copy = drive::Copy { name: Some(name("g")), ..drive::Copy::default() };
    let second = world.drive.copy(&world.alice, first.id, copy).await.expect("a copy");
    // One of the two is gone before its job comes.
    world.drive.remove(&world.alice, first.id, None).await.expect("removed");
    assert_eq!(world.work_off().await, 2);
    let hashed = world.entry(second.id).await;
    assert_eq!(hashed.file().expect("a file").blake3, Some(*blake3::hash(&bytes(9_000)).as_bytes()));
    let again = drive::Copy { name: Some(name("h")), ..drive::Copy::default() };
    world.drive.copy(&world.alice, second.id, again).await.expect("a copy");
    assert_eq!(world.work_off().await, 0, "the hash is known now");
    let found = world.drive.resolve(&world.alice, space_of(&world.alice), "/h").await.expect("a path");
    assert_eq!(found.file().expect("a file").blake3, hashed.file().expect("a file").blake3);
    world.check().await;
}
