//! Moves to another space are taken back and put back.

use accounts::Role;
use drive::{Actor, Update, Which};
use testkit::database::TestDb;
use uuid::Uuid;

use crate::{
    sharing::{give, to},
    undo::{newest, undo},
    world::{World, bytes, code, name, space_of},
};

testkit::both! { a_move_to_another_space_goes_back_and_forth, what_stands_in_the_way_of_going_back, many_go_back_together, moves_both_ways_at_once }

async fn a_move_to_another_space_goes_back_and_forth(test: TestDb) {
    let world = World::new(test).await;
    let (drive, alice, home) = (&world.drive, &world.alice, space_of(&world.alice));
    let team = drive.create_space(alice, "Team").await.expect("a team's space");
    let from = world.folder(None, "from").await;
    let folder = world.folder(Some(from), "d").await;
    let file = world.put(Some(folder), "f", &bytes(5000)).await.expect("a file").entry.id;
    let red = drive.create_tag(alice, home, "red", drive::Colour::Red).await.expect("a tag");
    drive.tag_entries(alice, red.id, vec![file], vec![]).await.expect("tagged");
    let over = Update { parent: Some(team.root), name: Some(name("renamed")), ..Update::default() };
    drive.update(alice, folder, over).await.expect("moved");
    let place = async || {
        let entry = world.entry(folder).await;
        assert_eq!(world.entry(file).await.space, entry.space);
        assert_eq!(world.read(file).await.expect("bytes"), bytes(5000));
        world.check().await;
        (entry.space, entry.parent, entry.name)
    };
    let there = (team.id, Some(team.root), "renamed".to_owned());
    let here = (home, Some(from), "d".to_owned());
    assert_eq!(place().await, there);
    for _ in 0..2 {
        // It is taken back where it is, and a call whose answer was lost does it once.
        let call = Actor { operation: Some(Uuid::now_v7()), ..alice.clone() };
        let undone = drive.undo(&call, team.id, Which::Newest).await.expect("undone");
        assert_eq!((undone.len(), undone[0].kind.as_str(), undone[0].entry.is_some()), (1, "left", false));
        assert_eq!(place().await, here);
        let again = drive.undo(&call, team.id, Which::Newest).await.expect("undone before");
        assert_eq!((again.len(), again[0].sequence), (1, undone[0].sequence));
        assert_eq!(place().await, here);
        assert_eq!(world.entry(file).await.extras.tags, [red.id]);
        drive.redo(alice, home, Which::Newest).await.expect("redone");
        assert_eq!(place().await, there);
        let (left, last) = (newest(&world).await, drive.space(alice, team.id).await.expect("a space").sequence);
        let by_number = async |space, number| code(drive.undo(alice, space, Which::Sequence(number)).await);
        assert_eq!(by_number(home, left).await, "not-undoable", "in the space that it left it cannot be taken back");
        assert_eq!(drive.changes(alice, team.id, None, 1000).await.expect("changes").items.len() as u64, last);
    }
}

async fn what_stands_in_the_way_of_going_back(test: TestDb) {
    let world = World::new(test).await;
    let (drive, alice) = (&world.drive, &world.alice);
    let team = drive.create_space(alice, "Team").await.expect("a team's space");
    let other = drive.create_space(alice, "Other").await.expect("a team's space");
    let to_team = async |id| {
        drive.update(alice, id, Update { parent: Some(team.root), ..Update::default() }).await.expect("moved");
    };
    let refused = async |space| code(drive.undo(alice, space, Which::Newest).await);
    let file = world.put(None, "f", b"x").await.expect("a file").entry.id;
    to_team(file).await;
    let taker = world.put(None, "f", b"other").await.expect("a file").entry.id;
    assert_eq!(refused(team.id).await, "undo-conflict");
    drive.remove(alice, taker, None).await.expect("removed");
    assert_eq!(refused(team.id).await, "ok");
    assert_eq!(world.entry(file).await.space, space_of(alice));
    // The folder, and the whole space, may be gone.
    let folder = world.folder(Some(other.root), "d").await;
    let inside = world.put(Some(folder), "g", b"x").await.expect("a file").entry.id;
    to_team(inside).await;
    drive.trash(alice, folder, None).await.expect("trashed");
    assert_eq!(refused(team.id).await, "undo-conflict");
    drive.delete_space(alice, other.id).await.expect("deleted");
    assert_eq!(refused(team.id).await, "undo-conflict");
    world.clean_up().await;
    assert_eq!(refused(team.id).await, "undo-conflict");
    assert_eq!(world.entry(inside).await.space, team.id);
    // Who lost their say in the space it was in cannot bring it back there.
    give(&world, team.root, to(&world.bob), Role::Manager).await;
    let shared = world.folder(None, "shared").await;
    give(&world, shared, to(&world.bob), Role::Manager).await;
    let theirs = world.put(Some(shared), "h", b"x").await.expect("a file").entry.id;
    drive.update(&world.bob, theirs, Update { parent: Some(team.root), ..Update::default() }).await.expect("moved");
    let grant = drive.grants(alice, shared).await.expect("grants")[0].id;
    drive.take(alice, grant).await.expect("taken");
    assert_eq!(code(drive.undo(&world.bob, team.id, Which::Newest).await), "undo-conflict");
    assert_eq!(world.entry(theirs).await.space, team.id);
    assert_eq!(undo(&world).await, "ok", "that she took the role");
    assert_eq!(code(drive.undo(&world.bob, team.id, Which::Newest).await), "ok");
    world.check().await;
}

async fn many_go_back_together(test: TestDb) {
    let world = World::new(test).await;
    let (drive, alice, home) = (&world.drive, &world.alice, space_of(&world.alice));
    let team = drive.create_space(alice, "Team").await.expect("a team's space");
    let other = drive.create_space(alice, "Other").await.expect("a team's space");
    let call = Actor { operation: Some(Uuid::now_v7()), ..alice.clone() };
    let over = || Update { parent: Some(team.root), ..Update::default() };
    let mut ids = Vec::new();
    for n in 0..3 {
        let id = world.put(None, &format!("f{n}"), &bytes(n * 100)).await.expect("a file").entry.id;
        drive.update(&call, id, over()).await.expect("moved");
        ids.push(id);
    }
    assert_eq!(drive.undo(alice, team.id, Which::Newest).await.expect("undone").len(), 3);
    assert_eq!(world.names(alice.principal.root).await, ["f0", "f1", "f2"]);
    assert_eq!(drive.redo(alice, home, Which::Newest).await.expect("redone").len(), 3);
    assert_eq!(world.names(team.root).await, ["f0", "f1", "f2"]);
    world.check().await;
    // From two spaces they go back one by one.
    let mixed = Actor { operation: Some(Uuid::now_v7()), ..alice.clone() };
    let own = world.put(None, "own", b"x").await.expect("a file").entry.id;
    let theirs = world.put(Some(other.root), "theirs", b"x").await.expect("a file").entry.id;
    for id in [own, theirs] {
        drive.update(&mixed, id, over()).await.expect("moved");
    }
    assert_eq!(code(drive.undo(alice, team.id, Which::Newest).await), "undo-conflict");
    let last = drive.space(alice, team.id).await.expect("a space").sequence;
    for number in [last, last - 1] {
        assert_eq!(code(drive.undo(alice, team.id, Which::Sequence(number)).await), "ok");
    }
    assert_eq!((world.entry(own).await.space, world.entry(theirs).await.space), (home, other.id));
    world.check().await;
}

/// Units of work that take two spaces run beside others of both, and none of them waits for one that waits for it.
async fn moves_both_ways_at_once(test: TestDb) {
    let world = World::new(test).await;
    let (drive, alice) = (&world.drive, &world.alice);
    let (here, there) = (drive.create_space(alice, "Here").await, drive.create_space(alice, "There").await);
    let roots = [here.expect("a team's space").root, there.expect("a team's space").root];
    let mut tasks = Vec::new();
    for number in 0..8_usize {
        let (crossing, staying) = (format!("crosses-{number}"), format!("stays-{number}"));
        let crossing = world.folder(Some(roots[number % 2]), &crossing).await;
        let staying = world.folder(Some(roots[number % 2]), &staying).await;
        for way in 1..=40 {
            let over = Update { parent: Some(roots[(number + way) % 2]), ..Update::default() };
            let called = Update { name: Some(name(&format!("stays-{number}-{way}"))), ..Update::default() };
            tasks.push((way, crossing, over));
            tasks.push((way, staying, called));
        }
    }
    tasks.sort_by_key(|(way, ..)| *way);
    for round in tasks.chunks(16) {
        let round = round.iter().cloned().map(|(_, id, update)| drive.update(alice, id, update));
        for moved in futures::future::join_all(round).await {
            moved.expect("moved or renamed");
        }
    }
    world.check().await;
}
