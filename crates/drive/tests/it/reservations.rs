//! Room is reserved when an upload starts and settled when it ends, however it ends.

use std::time::Duration;

use db::{Lane, params};
use drive::{Append, Limits, NewUpload, OnConflict, Put, UploadKind, jobs::Expirer};
use futures::{SinkExt, future::join_all};
use testkit::database::TestDb;

use crate::{
    plans::Office,
    world::{World, body, bytes, channel, child, code, name, space_of},
};

testkit::both! {
    of_a_hundred_one_gets_the_room, what_a_killed_process_held_comes_back, what_is_promised_is_kept,
    what_is_cancelled_becomes_no_file,
}

const LONG: u64 = 64 << 20;

fn new_upload(name_: &str, length: u64) -> NewUpload {
    NewUpload {
        parent: None,
        name: name(name_),
        content_type: None,
        on_conflict: OnConflict::Rename,
        length: Some(length),
        kind: UploadKind::Whole,
        metadata: String::new(),
    }
}

async fn of_a_hundred_one_gets_the_room(test: TestDb) {
    let world = World::new(test).await;
    // Bob has 100,000 bytes.
    let begun = join_all((0..100).map(|_| world.drive.create_upload(&world.bob, new_upload("f", 60_000)))).await;
    let upload = begun.iter().find_map(|one| one.as_ref().ok().cloned()).expect("one has the room");
    let codes: Vec<_> = begun.into_iter().map(code).collect();
    assert_eq!(codes.iter().filter(|code| **code == "ok").count(), 1, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| **code == "quota-exceeded").count(), 99, "{codes:?}");
    world.check().await;
    // Bodies of one request compete for what is left, and one that names no length too.
    let sent = bytes(40_000);
    let put = async |number: usize| {
        let length = number.is_multiple_of(2).then_some(40_000);
        let put = Put { length, ..child(None, "g", OnConflict::Rename) };
        world.drive.put(&world.bob, put, body(&sent)).await
    };
    let codes: Vec<_> = join_all((0..100).map(put)).await.into_iter().map(code).collect();
    assert_eq!(codes.iter().filter(|code| **code == "ok").count(), 1, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| **code == "quota-exceeded").count(), 99, "{codes:?}");
    world.drive.settle().await;
    world.check().await;
    // What was reserved is there for who reserved it.
    let append = Append { offset: 0, length: None, checksum: None };
    let done = world.drive.append(&world.bob, upload.id, append, body(&bytes(60_000))).await.expect("its room");
    assert!(done.entry.is_some());
    let space = world.drive.space(&world.bob, space_of(&world.bob)).await.expect("a space");
    assert_eq!((space.used_bytes, space.reserved_bytes), (100_000, 0));
    world.check().await;
}

async fn what_a_killed_process_held_comes_back(test: TestDb) {
    let world = World::new(test).await;
    let put = Put { length: Some(LONG), ..child(None, "long", OnConflict::Fail) };
    let expirer = Expirer::new(world.drive.clone());
    let hour = Duration::from_secs(3600);
    let begin = async |put: Put| {
        let (mut sender, long) = channel();
        let mut running = Box::pin(world.drive.put(&world.alice, put, long));
        tokio::select! {
            _ = &mut running => panic!("the body has no end yet"),
            sent = async {
                for _ in 0..3 {
                    sender.send(Ok(bytes(1000).into())).await?;
                }
                Ok::<_, futures::channel::mpsc::SendError>(())
            } => sent.expect("the drive takes bytes"),
        }
        assert_eq!(world.reserved().await, LONG);
        (sender, running)
    };
    // One whose bytes go on keeps its room, as long as that takes.
    let (mut sender, mut running) = begin(put.clone()).await;
    for _ in 0..8 {
        world.clock.advance(hour / 2);
        tokio::select! {
            _ = &mut running => panic!("the body has no end yet"),
            sent = async {
                sender.send(Ok(bytes(1000).into())).await?;
                sender.send(Ok(bytes(1000).into())).await
            } => sent.expect("the drive takes bytes"),
        }
        expirer.round().await.expect("a round");
        assert_eq!(world.reserved().await, LONG);
    }
    drop(running);
    world.drive.settle().await;
    assert_eq!(world.reserved().await, 0);

    // One of a process that was killed says nothing any more: nothing of it runs, not even to give something back.
    let (_sender, running) = begin(put).await;
    std::mem::forget(running);
    expirer.round().await.expect("a round");
    world.clock.advance(hour + Duration::from_secs(1));
    expirer.round().await.expect("a look that only looks");
    assert_eq!(world.reserved().await, LONG, "a clock that is far ahead ends nothing at the first look");
    world.clock.advance(hour);
    expirer.round().await.expect("a round");
    assert_eq!(world.reserved().await, 0);
    world.check().await;

    // An upload that nobody came back for, and one that its owner ended.
    let first = world.drive.create_upload(&world.alice, new_upload("a", 5000)).await.expect("an upload");
    let second = world.drive.create_upload(&world.alice, new_upload("b", 7000)).await.expect("an upload");
    assert_eq!(world.reserved().await, 12_000);
    world.drive.terminate(&world.alice, second.id).await.expect("ended");
    assert_eq!(world.reserved().await, 5000);
    world.clock.advance(24 * hour + Duration::from_secs(1));
    expirer.round().await.expect("a look that only looks");
    world.clock.advance(hour);
    expirer.round().await.expect("a round");
    assert_eq!(world.reserved().await, 0);
    assert_eq!(code(world.drive.upload(&world.alice, first.id).await), "not-found");
    world.check().await;
}

async fn what_is_promised_is_kept(test: TestDb) {
    let world = World::new(test).await;
    let office = Office::of(&world).await;
    let space = space_of(&world.alice);
    let small = office.plan("small", Limits { storage_bytes: Some(1000), ..Limits::default() }).await;
    // An upload that began before the plan was given goes on to its end; nothing more begins.
    let upload = world.drive.create_upload(&world.alice, new_upload("f", 20_000)).await.expect("an upload");
    let (mut sender, long) = channel();
    let put = Put { length: Some(LONG), ..child(None, "long", OnConflict::Fail) };
    let mut running = Box::pin(world.drive.put(&world.alice, put, long));
    tokio::select! {
        _ = &mut running => panic!("the body has no end yet"),
        sent = async {
            sender.send(Ok(bytes(1000).into())).await?;
            sender.send(Ok(bytes(1000).into())).await
        } => sent.expect("the drive takes bytes"),
    }
    office.give(Some(small), space).await;
    assert_eq!(code(world.put(None, "g", b"x").await), "quota-exceeded");
    let append = Append { offset: 0, length: None, checksum: None };
    let done = world.drive.append(&world.alice, upload.id, append, body(&bytes(20_000))).await.expect("its room");
    assert!(done.entry.is_some());
    let rest = vec![7; 1 << 20];
    let feed = async {
        let mut left = LONG as usize - 2000;
        while left > 0 {
            let piece = bytes::Bytes::copy_from_slice(&rest[..left.min(rest.len())]);
            left -= piece.len();
            sender.send(Ok(piece)).await?;
        }
        sender.close_channel();
        Ok::<_, futures::channel::mpsc::SendError>(())
    };
    let (stored, fed) = futures::join!(running, feed);
    fed.expect("the drive takes bytes");
    stored.expect("its room was reserved");
    assert_eq!((world.used().await, world.reserved().await), (LONG + 20_000, 0));
    assert_eq!(code(world.put(None, "h", b"x").await), "quota-exceeded");
    world.check().await;
}

async fn what_is_cancelled_becomes_no_file(test: TestDb) {
    let world = World::new(test).await;
    let office = Office::of(&world).await;
    let (admin, boss) = (&office.admin, &office.boss);
    let resumed = world.drive.create_upload(&world.alice, new_upload("f", 5000)).await.expect("an upload");
    // Uploads are in the order of their ids, which is that of their milliseconds.
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(code(admin.uploads(&world.alice, None, None, None, 10).await), "permission-missing");
    // Cancelled in the process that takes the bytes, and in another one, of which this one sees only the row.
    for here in [true, false] {
        let (mut sender, long) = channel();
        let put = Put { length: Some(LONG), ..child(None, "long", OnConflict::Fail) };
        let mut running = Box::pin(world.drive.put(&world.alice, put, long));
        let more = async |sender: &mut futures::channel::mpsc::Sender<_>, pieces: usize, length: usize| {
            for _ in 0..pieces {
                sender.send(Ok(bytes::Bytes::from(vec![1; length]))).await?;
            }
            Ok::<_, futures::channel::mpsc::SendError>(())
        };
        tokio::select! {
            _ = &mut running => panic!("the body has no end yet"),
            sent = more(&mut sender, 3, 65_536) => sent.expect("the drive takes bytes"),
        }
        let listed = admin.uploads(boss, Some(world.alice.principal.account), None, None, 10).await.expect("a list");
        let seen: Vec<_> = listed.items.iter().map(|one| (one.resumable, one.length, one.reserved)).collect();
        assert_eq!(seen, [(true, Some(5000), 5000), (false, Some(LONG), LONG)]);
        let id = listed.items[1].id;
        if here {
            admin.cancel_upload(office.by(), id).await.expect("cancelled");
        } else {
            let space = space_of(&world.alice);
            let cancelled = world.test.db.write(Lane::Space(space), async move |tx| {
                tx.exec("UPDATE upload SET state = 'cancelled', reserved = 0 WHERE id = $1", &params![id]).await?;
                tx.exec("UPDATE space SET reserved_bytes = 5000 WHERE id = $1", &params![space]).await
            });
            cancelled.await.expect("as another process does");
        }
        assert_eq!(world.reserved().await, 5000);
        assert_eq!(code(admin.cancel_upload(office.by(), id).await), "not-found");
        let feed = async {
            // Here it ends with the next bytes; else with the last.
            let left = (LONG as usize - 3 * 65_536) / 65_536;
            let sent = more(&mut sender, left, 65_536).await;
            sender.close_channel();
            sent
        };
        let (stored, fed) = futures::join!(running, feed);
        assert_eq!(code(stored), "upload-cancelled");
        assert_eq!(fed.is_err(), here, "who is cut is cut at once");
        world.drive.settle().await;
        assert_eq!((world.used().await, world.reserved().await), (0, 5000));
        world.check().await;
    }
    admin.cancel_upload(office.by(), resumed.id).await.expect("cancelled");
    assert_eq!(code(world.drive.upload(&world.alice, resumed.id).await), "not-found");
    assert_eq!(world.reserved().await, 0);
    assert_eq!(world.number("SELECT COUNT(*) FROM upload").await, 0);
    world.check().await;
}
