//! Giving roles: never more than one has, and once, however often one asks.

use std::time::Duration;

use accounts::Role;
use drive::{Actor, NewFolder, NewGrant, OnConflict, Subject, Update, Which};
use testkit::database::TestDb;
use uuid::Uuid;

use crate::{
    sharing::{give, given, to},
    world::{World, body, child, code, name, space_of},
};

testkit::both! {
    moving_is_no_way_to_share, nobody_gives_what_they_have_not, roles_are_given_once,
}

async fn moving_is_no_way_to_share(test: TestDb) {
    let world = World::new(test).await;
    let carol = world.person("carol").await;
    let team = world.drive.create_space(&world.alice, "Team").await.expect("a team's space");
    let part = world.folder(Some(team.root), "part").await;
    give(&world, part, to(&world.bob), Role::Editor).await;
    // Bob may change a part of the team's space, and share nothing of it. His own he shares as he likes.
    let own = world.drive.create_folder(&world.bob, NewFolder::named(world.bob.principal.root, name("mine"))).await;
    let own = own.expect("a folder").id;
    let file = world.drive.put(&world.bob, child(Some(own), "f", OnConflict::Fail), body(b"x")).await.expect("a file");
    world.drive.give(&world.bob, own, given(to(&carol), Role::Manager)).await.expect("given");
    let tag = world.drive.create_tag(&world.bob, space_of(&world.bob), "his", drive::Colour::Red).await.expect("a tag");
    world.drive.tag_entries(&world.bob, tag.id, vec![own], vec![]).await.expect("tagged");
    assert_eq!(code(world.drive.stat(&carol, file.entry.id).await), "ok");
    let away = |parent| Update { parent: Some(parent), ..Update::default() };
    let moved = world.drive.update(&world.bob, own, away(part)).await.expect("moved");
    assert_eq!(moved.space, team.id);
    // What he gave counts for nothing there, and the team has no tag of his.
    assert_eq!(code(world.drive.stat(&carol, own).await), "not-found");
    assert_eq!(code(world.drive.stat(&carol, file.entry.id).await), "not-found");
    assert!(moved.extras.tags.is_empty());
    let tags = world.drive.tags(&world.alice, team.id, drive::Count::No).await.expect("tags");
    assert!(tags.is_empty());
    assert_eq!(world.read(file.entry.id).await.expect("bytes"), b"x");
    world.check().await;
}

async fn nobody_gives_what_they_have_not(test: TestDb) {
    let world = World::new(test).await;
    let carol = world.person("carol").await;
    let folder = world.folder(None, "d").await;
    let now = world.clock.handle().now();
    let (soon, later) = (Some(now.plus(Duration::from_secs(60))), Some(now.plus(Duration::from_secs(61))));
    let manager = |subject, expires| NewGrant { subject, role: Role::Manager, expires };
    let (own, _) = world.drive.give(&world.alice, folder, manager(to(&world.bob), soon)).await.expect("given");
    // Somebody who manages for a minute cannot make it longer, neither for others nor for themselves.
    for (subject, expires) in
        [(to(&carol), None), (to(&carol), later), (to(&world.bob), None), (Subject::Everyone, later)]
    {
        assert_eq!(code(world.drive.give(&world.bob, folder, manager(subject, expires)).await), "invalid-grant");
    }
    assert_eq!(code(world.drive.change_grant(&world.bob, own.id, None, Some(None)).await), "invalid-grant");
    assert_eq!(code(world.drive.give(&world.bob, folder, manager(to(&carol), soon)).await), "ok");
    world.clock.advance(Duration::from_secs(60));
    for actor in [&world.bob, &carol] {
        assert_eq!(code(world.drive.stat(actor, folder).await), "not-found");
    }
    // Without the permission to share, as an API token may be, nobody is given anything: not by an undo either.
    let (grant, _) = world.drive.give(&world.alice, folder, given(to(&world.bob), Role::Viewer)).await.expect("given");
    world.drive.take(&world.alice, grant.id).await.expect("taken");
    let mut token = world.alice.clone();
    token.principal.permissions = accounts::Permissions::of([accounts::Permission::Files]);
    let space = space_of(&world.alice);
    assert_eq!(code(world.drive.undo(&token, space, Which::Newest).await), "permission-missing");
    let viewer = given(to(&carol), Role::Viewer);
    assert_eq!(code(world.drive.give(&token, folder, viewer).await), "permission-missing");
    assert_eq!(code(world.drive.stat(&world.bob, folder).await), "not-found");
    world.check().await;
}

async fn roles_are_given_once(test: TestDb) {
    let world = World::new(test).await;
    let folder = world.folder(None, "d").await;
    let drive = &world.drive;
    let once = || Actor { operation: Some(Uuid::now_v7()), ..world.alice.clone() };
    let (first, second, third) = (once(), once(), once());
    let give = async |actor: &Actor, role| drive.give(actor, folder, given(to(&world.bob), role)).await.expect("given");
    let made = give(&first, Role::Viewer).await;
    assert!(made.1);
    assert_eq!(give(&first, Role::Viewer).await, made, "the first answer again");
    let numbers = async || drive.space(&world.alice, space_of(&world.alice)).await.expect("a space").sequence;
    let changed = drive.change_grant(&second, made.0.id, Some(Role::Editor), None).await.expect("changed");
    let after = numbers().await;
    // Neither request undoes what came after it by being sent once more.
    assert_eq!(give(&first, Role::Viewer).await, made);
    drive.change_grant(&once(), made.0.id, Some(Role::Manager), None).await.expect("changed");
    assert_eq!(drive.change_grant(&second, made.0.id, Some(Role::Editor), None).await.expect("changed"), changed);
    assert_eq!(numbers().await, after + 1);
    assert_eq!(drive.grants(&world.alice, folder).await.expect("grants")[0].role, Role::Manager);
    drive.take(&third, made.0.id).await.expect("taken");
    drive.take(&third, made.0.id).await.expect("taken before");
    assert_eq!(code(drive.take(&once(), made.0.id).await), "not-found");
    // It is answered as before, and nothing is given again.
    assert_eq!(give(&first, Role::Viewer).await, made);
    assert_eq!(numbers().await, after + 2);
    assert_eq!(code(drive.stat(&world.bob, folder).await), "not-found");
    // Who gives up what they have is answered the same, though they cannot see it any more.
    let (own, _) = drive.give(&world.alice, folder, given(to(&world.bob), Role::Viewer)).await.expect("given");
    let leave = Actor { operation: Some(Uuid::now_v7()), ..world.bob.clone() };
    drive.take(&leave, own.id).await.expect("given up");
    drive.take(&leave, own.id).await.expect("given up before");
    // Of the same request on two ways at once one does it.
    let (call, start) = (once(), numbers().await);
    let both = futures::join!(give(&call, Role::Editor), give(&call, Role::Editor));
    assert_eq!(both.0, both.1);
    assert_eq!(numbers().await, start + 1);
    world.check().await;
}
