//! Plain uploads: what is refused leaves nothing behind, and what is kept counts exactly.

use base::limits;
use drive::{IfMatch, OnConflict, Put, Target};
use futures::SinkExt;
use testkit::database::TestDb;

use crate::world::{CHECKPOINT, INLINE, VERSIONS, World, body, bytes, child, code, cut};

testkit::both! {
    keeps_bytes_of_any_length, refused_bodies_leave_nothing, a_dropped_body_leaves_nothing, versions_are_kept_and_let_go,
    conditions_and_conflicts, quota_is_exact, long_bodies_reserve_their_room,
}

async fn keeps_bytes_of_any_length(test: TestDb) {
    let world = World::new(test).await;
    for (length, known) in [0, 1, INLINE, INLINE + 1, 1000, 16 << 10, CHECKPOINT as usize * 3 + 1, 3 << 20]
        .into_iter()
        .flat_map(|length| [(length, true), (length, false)])
    {
        let sent = bytes(length);
        let announced = known.then_some(length as u64);
        let put = Put { length: announced, ..child(None, &format!("{length} {known}"), OnConflict::Fail) };
        let stored = world.drive.put(&world.alice, put, body(&sent)).await.expect("a file");
        assert!(stored.created);
        let info = stored.entry.file().expect("a file").clone();
        assert_eq!((info.size, info.blake3), (length as u64, Some(*blake3::hash(&sent).as_bytes())));
        assert_eq!(world.read(stored.entry.id).await.expect("the bytes"), sent, "{length}");
        let parts = world.drive.parts(&world.alice, stored.entry.id).await.expect("the parts");
        assert_eq!((parts.inline, parts.extents.len()), (length <= INLINE, usize::from(length > INLINE)));
        if length > 100 {
            let file = world.drive.open(&world.alice, stored.entry.id).await.expect("a file");
            let range: Vec<bytes::Bytes> =
                futures::TryStreamExt::try_collect(file.read(50..99).await.expect("a range")).await.expect("bytes");
            assert_eq!(range.concat(), sent[50..99]);
            assert_eq!(code(file.read(5..length as u64 + 1).await.map(|_| ())), "range-not-satisfiable");
        }
    }
    world.check().await;
}

async fn refused_bodies_leave_nothing(test: TestDb) {
    let world = World::new(test).await;
    let long = bytes(30_000);
    let put = |length, blake3| Put { length, blake3, ..child(None, "f", OnConflict::Fail) };
    let hash = *blake3::hash(b"something else").as_bytes();
    for sent in [&long[..], &long[..10]] {
        let length = sent.len() as u64;
        let results = [
            (put(Some(length + 1), None), body(sent), "body-too-short"),
            (put(Some(length - 1), None), body(sent), "body-too-long"),
            (put(None, Some(hash)), body(sent), "checksum-mismatch"),
            (put(Some(length), None), cut(sent), "body-cut"),
            (put(None, None), cut(sent), "body-cut"),
            (put(Some(limits::FILE_BYTES_MAX + 1), None), body(sent), "file-too-large"),
            (child(Some(world.nobody()), "f", OnConflict::Fail), body(sent), "not-found"),
        ];
        for (put, body, wanted) in results {
            assert_eq!(code(world.drive.put(&world.alice, put, body).await), wanted);
            world.check().await;
            assert_eq!(world.number("SELECT COUNT(*) FROM extent").await, 0, "cleaned at once");
        }
    }
    assert_eq!(world.names(world.alice.principal.root).await, [] as [&str; 0]);
    world.assert_empty().await;
}

async fn a_dropped_body_leaves_nothing(test: TestDb) {
    let world = World::new(test).await;
    let (mut sender, body) = crate::world::channel();
    let put = world.drive.put(&world.alice, child(None, "f", OnConflict::Fail), body);
    let mut put = Box::pin(put);
    // The client sends, and its connection breaks: the server drops the request.
    tokio::select! {
        _ = &mut put => panic!("the body has no end yet"),
        () = async {
            for _ in 0..100 {
                sender.send(Ok(bytes(1000).into())).await.expect("the drive takes bytes");
            }
        } => {}
    }
    assert_eq!(world.number("SELECT COUNT(*) FROM extent").await, 1, "the intent");
    drop(put);
    world.drive.settle().await;
    assert_eq!(world.number("SELECT COUNT(*) FROM extent").await, 0, "given up at once");
    world.assert_empty().await;
}

async fn versions_are_kept_and_let_go(test: TestDb) {
    let world = World::new(test).await;
    let mut id = None;
    for round in 1..=u64::from(VERSIONS) + 3 {
        let sent = vec![round as u8; 100 * round as usize];
        world.clock.advance(std::time::Duration::from_secs(1));
        let stored = world.put_with(None, "f", OnConflict::Replace, &sent).await.expect("a version");
        assert_eq!((stored.created, stored.entry.revision), (round == 1, round));
        assert_eq!(*id.get_or_insert(stored.entry.id), stored.entry.id);
        assert_eq!(world.read(stored.entry.id).await.expect("the bytes"), sent);
        let first = (round + 1).saturating_sub(u64::from(VERSIONS)).max(1);
        assert_eq!(world.used().await, (first..=round).map(|round| 100 * round).sum::<u64>());
        world.check().await;
        if round == 4 {
            // The clock goes back, so the next versions look older than those before; the current one stays all the same.
            world.clock.set_back(std::time::Duration::from_secs(3600));
            break;
        }
    }
    for round in 5..8u8 {
        let sent = vec![round; 77];
        let stored = world.put_with(None, "f", OnConflict::Replace, &sent).await.expect("a version");
        assert_eq!(world.read(stored.entry.id).await.expect("the bytes"), sent);
        assert_eq!(world.number("SELECT COUNT(*) FROM version").await, i64::from(VERSIONS));
        world.check().await;
    }
    world.drive.remove(&world.alice, id.expect("a file"), None).await.expect("removed");
    world.assert_empty().await;
}

async fn conditions_and_conflicts(test: TestDb) {
    let world = World::new(test).await;
    let file = world.put(None, "f.txt", b"1").await.expect("a file").entry;
    let folder = world.folder(None, "d").await;
    assert_eq!(code(world.put(None, "f.txt", &bytes(5000)).await), "name-taken");
    assert_eq!(code(world.put_with(None, "d", OnConflict::Replace, b"x").await), "name-taken");
    for wanted in ["f (2).txt", "f (3).txt", "f (4).txt"] {
        let stored = world.put_with(None, "f.txt", OnConflict::Rename, b"x").await.expect("a file");
        assert_eq!((stored.entry.name.as_str(), stored.created), (wanted, true));
    }
    let over = |id, if_match: Option<&str>| Put {
        target: Target::File { id, if_match: if_match.map(|tag| IfMatch::OneOf(vec![tag.to_owned()])) },
        content_type: None,
        length: None,
        blake3: None,
    };
    let put = async |put| world.drive.put(&world.alice, put, body(b"new")).await;
    assert_eq!(code(put(over(folder, None)).await), "not-a-file");
    assert_eq!(code(put(over(world.nobody(), None)).await), "not-found");
    assert_eq!(code(put(over(file.id, Some("\"00\""))).await), "precondition-failed");
    let stored = put(over(file.id, Some(&file.etag()))).await.expect("a version");
    assert!(!stored.created);
    assert_eq!(code(put(over(file.id, Some(&file.etag()))).await), "precondition-failed");
    world.check().await;
}

async fn quota_is_exact(test: TestDb) {
    let world = World::new(test).await;
    let put = async |name: &str, length: usize, announced: bool| {
        let announced = announced.then_some(length as u64);
        let put = Put { length: announced, ..child(None, name, OnConflict::Fail) };
        code(world.drive.put(&world.bob, put, body(&bytes(length))).await)
    };
    assert_eq!(put("a", 100_001, true).await, "quota-exceeded");
    assert_eq!(put("a", 100_001, false).await, "quota-exceeded");
    assert_eq!(put("a", 99_999, false).await, "ok");
    assert_eq!(put("b", 2, true).await, "quota-exceeded");
    assert_eq!(put("b", 2, false).await, "quota-exceeded");
    assert_eq!(put("b", 1, true).await, "ok");
    assert_eq!(put("c", 0, true).await, "ok");
    world.check().await;
    let root = world.drive.children(&world.bob, world.bob.principal.root, None, 10).await.expect("a listing");
    for entry in root.items {
        world.drive.remove(&world.bob, entry.id, None).await.expect("removed");
    }
    world.assert_empty().await;
}

async fn long_bodies_reserve_their_room(test: TestDb) {
    let world = World::new(test).await;
    let length = 64 << 20;
    let (mut sender, long) = crate::world::channel();
    let put = Put { length: Some(length), ..child(None, "long", OnConflict::Fail) };
    let mut running = Box::pin(world.drive.put(&world.alice, put.clone(), long));
    tokio::select! {
        _ = &mut running => panic!("the body has no end yet"),
        result = async {
            sender.send(Ok(bytes(1000).into())).await?;
            // The second one is taken when the first one was, which is after the reservation.
            sender.send(Ok(bytes(1000).into())).await?;
            sender.send(Ok(bytes(1000).into())).await
        } => result.expect("the drive takes bytes"),
    }
    assert_eq!(world.reserved().await, length);
    world.check().await;
    drop(running);
    world.drive.settle().await;
    assert_eq!(world.reserved().await, 0);
    let whole = vec![9; length as usize];
    let stored = world.drive.put(&world.alice, put, body(&whole)).await.expect("a file");
    assert_eq!((world.reserved().await, world.used().await), (0, length));
    world.check().await;
    world.drive.remove(&world.alice, stored.entry.id, None).await.expect("removed");
    world.assert_empty().await;
}
