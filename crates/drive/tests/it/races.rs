//! Two at once: one order or the other, never a mixture.

use drive::{NewFolder, OnConflict, Update};
use futures::{SinkExt, future::join_all};
use testkit::database::TestDb;

use crate::world::{World, bytes, child, code, name, space_of};

testkit::both! {
    one_name_has_one_winner, replaces_are_all_versions, renames_find_different_names, moves_never_make_a_cycle,
    a_folder_removed_under_an_upload, a_name_taken_while_bytes_flow, folders_have_one_winner,
}

async fn one_name_has_one_winner(test: TestDb) {
    let world = World::new(test).await;
    for length in [10, 5000] {
        let name = format!("f{length}");
        let sent = bytes(length);
        let results = join_all((0..8).map(|_| world.put(None, &name, &sent))).await;
        let codes: Vec<_> = results.into_iter().map(code).collect();
        assert_eq!(codes.iter().filter(|code| **code == "ok").count(), 1, "{codes:?}");
        assert!(codes.iter().all(|code| ["ok", "name-taken"].contains(code)), "{codes:?}");
    }
    assert_eq!(world.number("SELECT COUNT(*) FROM extent").await, 1, "the losers' parts are given up");
    world.check().await;
    for entry in ["f10", "f5000"] {
        let entry = world.drive.resolve(&world.alice, space_of(&world.alice), entry).await.expect("a file");
        world.drive.remove(&world.alice, entry.id, None).await.expect("removed");
    }
    world.assert_empty().await;
}

async fn replaces_are_all_versions(test: TestDb) {
    let world = World::new(test).await;
    let sent = [bytes(4000), bytes(5000)];
    let results = join_all(sent.iter().map(|sent| world.put_with(None, "f", OnConflict::Replace, sent))).await;
    let stored: Vec<_> = results.into_iter().map(|result| result.expect("both are kept")).collect();
    assert_eq!(stored.iter().filter(|stored| stored.created).count(), 1);
    assert_eq!(stored[0].entry.id, stored[1].entry.id);
    assert_eq!((world.number("SELECT COUNT(*) FROM version").await, world.used().await), (2, 9000));
    world.check().await;
}

async fn renames_find_different_names(test: TestDb) {
    let world = World::new(test).await;
    let results = join_all((0..12).map(|_| world.put_with(None, "f.txt", OnConflict::Rename, b"x"))).await;
    assert!(results.iter().all(Result::is_ok));
    let mut wanted: Vec<_> = (2..13).map(|n| format!("f ({n}).txt")).chain(["f.txt".to_owned()]).collect();
    let mut names = world.names(world.alice.principal.root).await;
    wanted.sort();
    names.sort();
    assert_eq!(names, wanted);
    world.check().await;
}

async fn moves_never_make_a_cycle(test: TestDb) {
    let world = World::new(test).await;
    for round in 0..10 {
        let top = world.folder(None, &format!("top{round}")).await;
        let (a, b) = (world.folder(Some(top), "a").await, world.folder(Some(top), "b").await);
        let under = |parent| Update { parent: Some(parent), ..Update::default() };
        let (first, second) = futures::join!(
            world.drive.update(&world.alice, a, under(b)),
            world.drive.update(&world.alice, b, under(a)),
        );
        let mut codes = [code(first), code(second)];
        codes.sort_unstable();
        assert_eq!(codes, ["into-itself", "ok"]);
        assert_eq!(world.names(top).await.len(), 1);
    }
    world.check().await;
}

async fn a_folder_removed_under_an_upload(test: TestDb) {
    let world = World::new(test).await;
    let folder = world.folder(None, "d").await;
    let (mut sender, body) = crate::world::channel();
    let put = world.drive.put(&world.alice, child(Some(folder), "f", OnConflict::Fail), body);
    let remove = async {
        sender.send(Ok(bytes(5000).into())).await.expect("the drive takes bytes");
        world.drive.remove(&world.alice, folder, None).await.expect("removed");
        drop(sender);
    };
    let (result, ()) = futures::join!(put, remove);
    assert_eq!(code(result), "not-found");
    world.assert_empty().await;
}

async fn a_name_taken_while_bytes_flow(test: TestDb) {
    let world = World::new(test).await;
    let (mut sender, body) = crate::world::channel();
    let put = world.drive.put(&world.alice, child(None, "f", OnConflict::Fail), body);
    let other = async {
        sender.send(Ok(bytes(5000).into())).await.expect("the drive takes bytes");
        sender.send(Ok(bytes(5000).into())).await.expect("the drive takes bytes");
        let winner = world.put(None, "f", b"faster").await.expect("a file");
        drop(sender);
        winner.entry.id
    };
    let (result, winner) = futures::join!(put, other);
    assert_eq!(code(result), "name-taken");
    assert_eq!(world.read(winner).await.expect("the bytes"), b"faster");
    world.drive.remove(&world.alice, winner, None).await.expect("removed");
    world.assert_empty().await;
}

async fn folders_have_one_winner(test: TestDb) {
    let world = World::new(test).await;
    let results = join_all(
        (0..8).map(|_| world.drive.create_folder(&world.alice, NewFolder { id: None, parent: None, name: name("d") })),
    )
    .await;
    let winners = results.into_iter().map(code).filter(|code| *code == "ok").count();
    assert_eq!(winners, 1);
    world.check().await;
}
