//! Roles: who may do what where, and that it holds at every moment.

use std::time::Duration;

use accounts::Role;
use base::{EntryId, SpaceId, VersionId};
use drive::{
    Access, Actor, Copy, Error, Format, IfMatch, Label, NewFolder, NewGrant, NewUpload, OnConflict, Restore, Subject,
    Update, UploadKind, Wanted, Which,
};
use futures::{FutureExt, SinkExt, StreamExt, future::BoxFuture};
use testkit::database::TestDb;

use crate::world::{World, body, bytes, channel, child, code, name, space_of};

testkit::both! {
    every_role_may_what_it_is_for, a_role_holds_below_and_nowhere_else, roles_end, teams_have_members,
    what_is_shared_is_listed, a_part_of_a_space_is_followed, sharing_is_undone, refusals_change_nothing,
    a_role_taken_while_bytes_flow, an_end_that_was_cut_off_goes_on, spaces_end, spaces_are_handed_over, accounts_end_while_bytes_flow, trees_go_over_to_other_spaces, transfers_race, removal_needs_a_say_in_the_folder,
}

/// What somebody is given.
pub(crate) fn given(subject: Subject, role: Role) -> NewGrant {
    NewGrant { subject, role, expires: None }
}

pub(crate) fn to(actor: &Actor) -> Subject {
    Subject::Account(actor.principal.account)
}

pub(crate) async fn give(world: &World, id: EntryId, subject: Subject, role: Role) {
    world.drive.give(&world.alice, id, given(subject, role)).await.expect("a role is given");
}

/// A small tree of alice's that somebody does something to: a folder with a file of two versions, a folder, and something in
/// the trash.
struct Tree {
    space: SpaceId,
    folder: EntryId,
    file: EntryId,
    old: VersionId,
    inner: EntryId,
    trashed: EntryId,
}

async fn tree(world: &World, under: EntryId, title: &str) -> Tree {
    let folder = world.folder(Some(under), title).await;
    let file = world.put(Some(folder), "f", b"one").await.expect("a file").entry;
    let old = file.file().expect("a file").version;
    world.put_with(Some(folder), "f", OnConflict::Replace, b"two").await.expect("a version");
    let inner = world.folder(Some(folder), "inner").await;
    let trashed = world.put(Some(folder), "gone", b"x").await.expect("a file").entry.id;
    world.drive.trash(&world.alice, trashed, None).await.expect("trashed");
    Tree { space: file.space, folder, file: file.id, old, inner, trashed }
}

/// An operation that somebody tries on a tree.
type Try = for<'a> fn(&'a World, &'a Actor, &'a Tree) -> BoxFuture<'a, Result<(), Error>>;

/// What a role is told of each operation; nobody has none.
const OPERATIONS: &[(&str, Role, Try)] = &[
    ("stat", Role::Viewer, |w, a, t| async { w.drive.stat(a, t.file).await.map(drop) }.boxed()),
    ("stat in the trash", Role::Viewer, |w, a, t| async { w.drive.stat(a, t.trashed).await.map(drop) }.boxed()),
    ("children", Role::Viewer, |w, a, t| async { w.drive.children(a, t.folder, None, 10).await.map(drop) }.boxed()),
    ("open", Role::Viewer, |w, a, t| async { w.drive.open(a, t.file).await.map(drop) }.boxed()),
    ("parts", Role::Viewer, |w, a, t| async { w.drive.parts(a, t.file).await.map(drop) }.boxed()),
    ("versions", Role::Viewer, |w, a, t| async { w.drive.versions(a, t.file, None, 10).await.map(drop) }.boxed()),
    ("open a version", Role::Viewer, |w, a, t| {
        async { w.drive.open_version(a, t.file, t.old).await.map(drop) }.boxed()
    }),
    ("archive", Role::Viewer, |w, a, t| async { w.drive.archive(a, &[t.folder], Format::Zip).await.map(drop) }.boxed()),
    ("grants", Role::Viewer, |w, a, t| async { w.drive.grants(a, t.folder).await.map(drop) }.boxed()),
    ("history of an entry", Role::Viewer, |w, a, t| {
        let wanted = Wanted { entry: Some(t.file), ..Wanted::default() };
        async move { w.drive.activity(a, t.space, &wanted, None, 10).await.map(drop) }.boxed()
    }),
    ("changes", Role::Viewer, |w, a, t| async { w.drive.changes(a, t.space, None, 10).await.map(drop) }.boxed()),
    ("create a folder", Role::Editor, |w, a, t| {
        async { w.drive.create_folder(a, NewFolder::named(t.folder, name("new"))).await.map(drop) }.boxed()
    }),
    ("find or make a folder", Role::Editor, |w, a, t| {
        async { w.drive.folder_named(a, t.folder, &name("made")).await.map(drop) }.boxed()
    }),
    ("put", Role::Editor, |w, a, t| {
        async { w.drive.put(a, child(Some(t.folder), "put", OnConflict::Fail), body(b"x")).await.map(drop) }.boxed()
    }),
    ("put a long one", Role::Editor, |w, a, t| {
        async { w.drive.put(a, child(Some(t.folder), "long", OnConflict::Fail), body(&bytes(500))).await.map(drop) }
            .boxed()
    }),
    ("replace", Role::Editor, |w, a, t| {
        async { w.drive.put(a, child(Some(t.folder), "f", OnConflict::Replace), body(b"y")).await.map(drop) }.boxed()
    }),
    ("begin an upload", Role::Editor, |w, a, t| {
        async { w.drive.create_upload(a, upload(t.folder)).await.map(drop) }.boxed()
    }),
    ("rename", Role::Editor, |w, a, t| {
        let update = Update { name: Some(name("other")), ..Update::default() };
        async move { w.drive.update(a, t.inner, update).await.map(drop) }.boxed()
    }),
    ("move", Role::Editor, |w, a, t| {
        let update = Update { parent: Some(t.inner), ..Update::default() };
        async move { w.drive.update(a, t.file, update).await.map(drop) }.boxed()
    }),
    ("copy", Role::Editor, |w, a, t| {
        let copy = Copy { name: Some(name("copy")), ..Copy::default() };
        async move { w.drive.copy(a, t.inner, copy).await.map(drop) }.boxed()
    }),
    ("trash", Role::Editor, |w, a, t| async { w.drive.trash(a, t.inner, None).await }.boxed()),
    ("restore", Role::Editor, |w, a, t| {
        let restore = Restore { parent: None, name: None, on_conflict: OnConflict::Fail };
        async move { w.drive.restore(a, t.trashed, restore).await.map(drop) }.boxed()
    }),
    ("restore a version", Role::Editor, |w, a, t| {
        async { w.drive.restore_version(a, t.file, t.old, None).await.map(drop) }.boxed()
    }),
    ("name a version", Role::Editor, |w, a, t| {
        let label = Label { name: Some(Some("v".into())), pinned: None };
        async move { w.drive.label_version(a, t.file, t.old, label).await.map(drop) }.boxed()
    }),
    ("remove a version", Role::Manager, |w, a, t| async { w.drive.delete_version(a, t.file, t.old).await }.boxed()),
    ("remove for good", Role::Manager, |w, a, t| async { w.drive.remove(a, t.inner, None).await }.boxed()),
    ("remove from the trash", Role::Manager, |w, a, t| async { w.drive.remove(a, t.trashed, None).await }.boxed()),
    ("share", Role::Manager, |w, a, t| {
        async { w.drive.give(a, t.file, given(Subject::Everyone, Role::Viewer)).await.map(drop) }.boxed()
    }),
];

fn upload(parent: EntryId) -> NewUpload {
    NewUpload {
        parent: Some(parent),
        name: name("upload"),
        content_type: None,
        on_conflict: OnConflict::Fail,
        length: Some(5),
        kind: UploadKind::Whole,
        metadata: String::new(),
    }
}

async fn every_role_may_what_it_is_for(test: TestDb) {
    let world = World::new(test).await;
    let team = world.drive.create_space(&world.alice, "Team").await.expect("a team's space");
    let carol = world.person("carol").await;
    let group = world.group("readers", &[&world.bob]).await;
    let subjects = [to(&world.bob), Subject::Group(group), Subject::Everyone];
    let roles = [None, Some(Role::Viewer), Some(Role::Commenter), Some(Role::Editor), Some(Role::Manager)];
    let mut number = 0;
    for (what, least, run) in OPERATIONS {
        for (at, role) in roles.into_iter().enumerate() {
            number += 1;
            // By turns in alice's own space and in a team's, and given to bob himself, a group of his, everyone.
            let under = if number % 2 == 0 { world.alice.principal.root } else { team.root };
            let tree = tree(&world, under, &format!("{what} {at}")).await;
            if let Some(role) = role {
                give(&world, tree.folder, subjects[number % 3], role).await;
            }
            let before = world.number("SELECT CAST(SUM(sequence) AS BIGINT) FROM space").await;
            let told = code(run(&world, &world.bob, &tree).await);
            let expected = match role {
                None => "not-found",
                Some(role) if role < *least => "role-too-low",
                Some(_) => "ok",
            };
            assert_eq!(told, expected, "{what} as {role:?}");
            if expected != "ok" {
                let after = world.number("SELECT CAST(SUM(sequence) AS BIGINT) FROM space").await;
                assert_eq!(after, before, "{what} as {role:?} changed something");
            }
            if subjects[number % 3] != Subject::Everyone {
                assert_eq!(code(run(&world, &carol, &tree).await), "not-found", "{what} as a stranger");
            }
            assert_eq!(code(run(&world, &world.alice, &tree).await), code_again(what, expected), "{what} as the owner");
            // What everyone has here must not be what everyone has in the next round.
            for grant in world.drive.grants(&world.alice, tree.folder).await.expect("grants") {
                if grant.entry == tree.folder {
                    world.drive.take(&world.alice, grant.id).await.expect("taken");
                }
            }
        }
    }
    world.check().await;
}

/// What the owner is told who does the same after somebody else did it, or did not.
fn code_again(what: &str, before: &str) -> &'static str {
    match what {
        "create a folder" | "put" | "put a long one" | "copy" if before == "ok" => "name-taken",
        "trash" | "remove for good" | "remove from the trash" | "remove a version" if before == "ok" => "not-found",
        "restore" if before == "ok" => "not-in-trash",
        _ => "ok",
    }
}

async fn a_role_holds_below_and_nowhere_else(test: TestDb) {
    let world = World::new(test).await;
    let (top, other) = (world.folder(None, "top").await, world.folder(None, "other").await);
    let folder = world.folder(Some(top), "shared").await;
    let file = world.put(Some(folder), "f", b"x").await.expect("a file").entry.id;
    give(&world, folder, to(&world.bob), Role::Editor).await;
    let seen = async |id| code(world.drive.stat(&world.bob, id).await);
    for (id, expected) in [
        (folder, "ok"),
        (file, "ok"),
        (top, "not-found"),
        (other, "not-found"),
        (world.alice.principal.root, "not-found"),
    ] {
        assert_eq!(seen(id).await, expected);
    }
    // The folder itself stays where its owner put it, and is called what they call it.
    let rename = Update { name: Some(name("mine")), ..Update::default() };
    assert_eq!(code(world.drive.update(&world.bob, folder, rename).await), "not-found");
    assert_eq!(code(world.drive.trash(&world.bob, folder, None).await), "not-found");
    // Out of what bob sees into what he does not, he cannot move; nor, as an editor, take away into his own space.
    let away = |parent| Update { parent: Some(parent), ..Update::default() };
    let mine = world.bob.principal.root;
    assert_eq!(code(world.drive.update(&world.bob, file, away(mine)).await), "role-too-low");
    assert_eq!(code(world.drive.update(&world.bob, file, away(other)).await), "not-found");
    // A wider role above counts, and a narrower one below does not take away.
    give(&world, file, to(&world.bob), Role::Viewer).await;
    let put = || child(Some(folder), "f", OnConflict::Replace);
    assert_eq!(code(world.drive.put(&world.bob, put(), body(b"y")).await), "ok");
    // What moves away takes what was given on it along, and leaves what was given above.
    world.drive.update(&world.alice, file, away(other)).await.expect("moved");
    assert_eq!(seen(file).await, "ok");
    assert_eq!(code(world.drive.trash(&world.bob, file, None).await), "role-too-low");
    let inner = world.folder(Some(folder), "inner").await;
    assert_eq!(seen(inner).await, "ok");
    world.drive.update(&world.alice, inner, away(other)).await.expect("moved");
    assert_eq!(seen(inner).await, "not-found");
    world.drive.update(&world.alice, inner, away(folder)).await.expect("moved back");
    assert_eq!(seen(inner).await, "ok");
    // In the trash what was given on it counts for nothing; what was given above it does.
    world.drive.trash(&world.alice, file, None).await.expect("trashed");
    assert_eq!(seen(file).await, "not-found");
    world.drive.trash(&world.alice, inner, None).await.expect("trashed");
    assert_eq!(seen(inner).await, "ok");
    world.drive.trash(&world.alice, folder, None).await.expect("trashed");
    assert_eq!((seen(inner).await, seen(folder).await), ("not-found", "not-found"));
    let back = Restore { parent: None, name: None, on_conflict: OnConflict::Fail };
    assert_eq!(code(world.drive.restore(&world.bob, folder, back.clone()).await), "not-found");
    world.drive.restore(&world.alice, folder, back).await.expect("restored");
    assert_eq!((seen(inner).await, seen(folder).await), ("ok", "ok"));
    world.check().await;
}

async fn roles_end(test: TestDb) {
    let world = World::new(test).await;
    let folder = world.folder(None, "d").await;
    let group = world.group("g", &[&world.bob]).await;
    let until = world.clock.handle().now().plus(Duration::from_secs(60));
    let new = NewGrant { subject: to(&world.bob), role: Role::Editor, expires: Some(until) };
    let (grant, is_new) = world.drive.give(&world.alice, folder, new).await.expect("given");
    assert!(is_new);
    let seen = async || code(world.drive.stat(&world.bob, folder).await);
    assert_eq!(seen().await, "ok");
    world.clock.advance(Duration::from_secs(59));
    assert_eq!(seen().await, "ok");
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(seen().await, "not-found");
    world.drive.change_grant(&world.alice, grant.id, None, Some(None)).await.expect("without an end");
    assert_eq!(seen().await, "ok");
    world.drive.take(&world.alice, grant.id).await.expect("taken");
    assert_eq!(seen().await, "not-found");
    // Giving it up oneself, and not what others have.
    let (grant, _) = world.drive.give(&world.alice, folder, given(to(&world.bob), Role::Viewer)).await.expect("given");
    let carol = world.person("carol").await;
    give(&world, folder, to(&carol), Role::Viewer).await;
    assert_eq!(code(world.drive.take(&carol, grant.id).await), "role-too-low");
    world.drive.take(&world.bob, grant.id).await.expect("given up");
    assert_eq!(seen().await, "not-found");
    assert_eq!(code(world.drive.take(&world.bob, grant.id).await), "not-found");
    // A group: who leaves it has nothing by it.
    give(&world, folder, Subject::Group(group), Role::Viewer).await;
    assert_eq!(seen().await, "ok");
    let bob = world.bob.principal.account;
    world
        .test
        .db
        .write(db::Lane::Free, async move |tx| {
            db::groups::raise_rights(&tx, group).await?;
            db::groups::remove(&tx, group, bob).await
        })
        .await
        .expect("out of the group");
    assert_eq!(seen().await, "not-found");
}

async fn teams_have_members(test: TestDb) {
    let world = World::new(test).await;
    let team = world.drive.create_space(&world.alice, "  Team ").await.expect("a team's space");
    assert_eq!((team.kind.as_str(), team.name.as_str(), team.role), ("team", "Team", Role::Manager));
    let listed = async |actor: &Actor| {
        let page = world.drive.spaces(actor, None, 10).await.expect("spaces");
        page.items.into_iter().map(|space| (space.id, space.role)).collect::<Vec<_>>()
    };
    let own = (world.bob.principal.space, Role::Manager);
    assert_eq!(listed(&world.bob).await, [own]);
    assert_eq!(code(world.drive.space(&world.bob, team.id).await), "not-found");
    give(&world, team.root, to(&world.bob), Role::Editor).await;
    let mut expected = [own, (team.id, Role::Editor)];
    expected.sort();
    assert_eq!(listed(&world.bob).await, expected);
    let put = child(Some(team.root), "f", OnConflict::Fail);
    let file = world.drive.put(&world.bob, put, body(b"abc")).await.expect("a file").entry;
    assert_eq!(file.space, team.id);
    assert_eq!(world.drive.space(&world.alice, team.id).await.expect("the space").used_bytes, 3);
    assert_eq!(code(world.drive.rename_space(&world.bob, team.id, "x").await), "role-too-low");
    assert_eq!(code(world.drive.empty_trash(&world.bob, team.id).await), "role-too-low");
    assert_eq!(world.drive.rename_space(&world.alice, team.id, "y").await.expect("renamed").name, "y");
    // There is always somebody who manages it.
    let members = world.drive.grants(&world.bob, team.root).await.expect("members");
    let mine = members.iter().find(|grant| grant.subject == to(&world.alice)).expect("alice");
    assert_eq!(code(world.drive.take(&world.alice, mine.id).await), "last-manager");
    assert_eq!(code(world.drive.change_grant(&world.alice, mine.id, Some(Role::Editor), None).await), "last-manager");
    let soon = world.clock.handle().now().plus(Duration::from_secs(9));
    assert_eq!(code(world.drive.change_grant(&world.alice, mine.id, None, Some(Some(soon))).await), "last-manager");
    give(&world, team.root, to(&world.bob), Role::Manager).await;
    world.drive.take(&world.alice, mine.id).await.expect("alice leaves");
    // She made it, and that gives her nothing.
    assert_eq!(code(world.drive.space(&world.alice, team.id).await), "not-found");
    assert_eq!(code(world.drive.stat(&world.alice, file.id).await), "not-found");
    assert_eq!(listed(&world.alice).await, [(world.alice.principal.space, Role::Manager)]);
    world.check().await;
}

async fn what_is_shared_is_listed(test: TestDb) {
    let world = World::new(test).await;
    let top = world.folder(None, "top").await;
    let folder = world.folder(Some(top), "shared").await;
    let file = world.put(None, "f", b"x").await.expect("a file").entry.id;
    let group = world.group("g", &[&world.bob]).await;
    give(&world, folder, to(&world.bob), Role::Editor).await;
    give(&world, file, Subject::Group(group), Role::Viewer).await;
    let team = world.drive.create_space(&world.alice, "Team").await.expect("a team's space");
    give(&world, team.root, to(&world.bob), Role::Viewer).await;
    let with_bob = async || {
        let page = world.drive.shared_with_me(&world.bob, None, 10).await.expect("a page");
        let mut found: Vec<_> = page.items.into_iter().map(|shared| (shared.entry.id, shared.grant.role)).collect();
        found.sort_by_key(|(_, role)| *role);
        found
    };
    assert_eq!(with_bob().await, [(file, Role::Viewer), (folder, Role::Editor)]);
    let by_alice = world.drive.shared_by_me(&world.alice, None, 10).await.expect("a page");
    let mut by_alice: Vec<_> = by_alice.items.iter().map(|shared| (shared.grant.role, shared.entry.id)).collect();
    by_alice.sort();
    assert_eq!(by_alice, [(Role::Viewer, file), (Role::Editor, folder)]);
    assert!(world.drive.shared_with_me(&world.alice, None, 10).await.expect("a page").items.is_empty());
    // Page by page.
    let first = world.drive.shared_with_me(&world.bob, None, 1).await.expect("a page");
    assert_eq!((first.items.len(), first.next.is_some()), (1, true));
    let second = world.drive.shared_with_me(&world.bob, first.next, 1).await.expect("a page");
    assert_ne!(second.items[0].entry.id, first.items[0].entry.id);
    assert_eq!(second.next, None);
    // What lies in the trash is not there, wherever it was given.
    world.drive.trash(&world.alice, top, None).await.expect("trashed");
    assert_eq!(with_bob().await, [(file, Role::Viewer)]);
    world.drive.trash(&world.alice, file, None).await.expect("trashed");
    assert_eq!(with_bob().await, []);
}

async fn a_part_of_a_space_is_followed(test: TestDb) {
    let world = World::new(test).await;
    let space = space_of(&world.alice);
    let secret = world.folder(None, "secret").await;
    let folder = world.folder(None, "shared").await;
    let file = world.put(Some(folder), "f", b"x").await.expect("a file").entry.id;
    assert_eq!(code(world.drive.changes(&world.bob, space, None, 10).await), "not-found");
    let (grant, _) = world.drive.give(&world.alice, folder, given(to(&world.bob), Role::Editor)).await.expect("given");
    assert_eq!(world.drive.access_to(&world.bob, space).await.expect("a part"), Access::Part);
    assert_eq!(world.drive.access_to(&world.alice, space).await.expect("all of it"), Access::Whole(Role::Manager));
    let mut cursor = None;
    let mut news = async || {
        let page = world.drive.changes(&world.bob, space, cursor.as_deref(), 100).await.expect("a page");
        cursor = Some(page.next.to_string());
        page.items.iter().map(|item| (item.entry, item.kind.clone(), item.state.is_some())).collect::<Vec<_>>()
    };
    let one = |id, kind: &str, state| (id, kind.to_owned(), state);
    assert_eq!(news().await, [one(folder, "created", true), one(file, "created", true), one(folder, "shared", true)]);
    // Nothing is told of what is elsewhere.
    let hidden = world.put(Some(secret), "s", b"x").await.expect("a file").entry.id;
    assert_eq!(news().await, []);
    // What comes in is told, what leaves is told of as gone, without where it went.
    let away = |parent| Update { parent: Some(parent), ..Update::default() };
    world.drive.update(&world.alice, hidden, away(folder)).await.expect("moved in");
    assert_eq!(news().await, [one(hidden, "moved", true)]);
    world.drive.update(&world.alice, file, away(secret)).await.expect("moved out");
    world.put_with(Some(secret), "f", OnConflict::Replace, b"yy").await.expect("other bytes");
    assert_eq!(news().await, [one(file, "hidden", false)]);
    world.drive.trash(&world.alice, hidden, None).await.expect("trashed");
    assert_eq!(news().await, [one(hidden, "hidden", false)]);
    world.drive.remove(&world.alice, hidden, None).await.expect("removed");
    assert_eq!(news().await, [], "it was hidden before");
    let short = world.put(Some(folder), "short", b"x").await.expect("a file").entry.id;
    assert_eq!(news().await, [one(short, "created", true)]);
    world.drive.remove(&world.alice, short, None).await.expect("removed");
    assert_eq!(news().await, [one(short, "hidden", false)]);
    // The folder itself: out of sight in the trash, and back.
    world.drive.trash(&world.alice, folder, None).await.expect("trashed");
    assert_eq!(news().await, [one(folder, "hidden", false)]);
    let back = Restore { parent: None, name: None, on_conflict: OnConflict::Fail };
    world.drive.restore(&world.alice, folder, back).await.expect("restored");
    assert_eq!(news().await, [one(folder, "restored", true)]);
    // Another thing stays given, so the space can still be asked for when the folder is taken back.
    give(&world, secret, to(&world.bob), Role::Viewer).await;
    news().await;
    world.drive.take(&world.alice, grant.id).await.expect("taken");
    assert_eq!(news().await, [one(folder, "hidden", false)]);
    world.check().await;
}

async fn sharing_is_undone(test: TestDb) {
    let world = World::new(test).await;
    let space = space_of(&world.alice);
    let folder = world.folder(None, "d").await;
    let may = async || {
        let made = world.drive.create_folder(&world.bob, NewFolder::named(folder, name("x"))).await;
        if let Ok(made) = &made {
            world.drive.remove(&world.alice, made.id, None).await.expect("removed");
        }
        code(made)
    };
    give(&world, folder, to(&world.bob), Role::Viewer).await;
    give(&world, folder, to(&world.bob), Role::Editor).await;
    assert_eq!(may().await, "ok");
    let undo = async || code(world.drive.undo(&world.alice, space, Which::Newest).await);
    assert_eq!(undo().await, "ok");
    assert_eq!(may().await, "role-too-low");
    assert_eq!(undo().await, "ok");
    assert_eq!(may().await, "not-found");
    assert_eq!(code(world.drive.redo(&world.alice, space, Which::Newest).await), "ok");
    assert_eq!(may().await, "role-too-low");
    // What somebody else changed since is not overwritten.
    give(&world, folder, to(&world.bob), Role::Manager).await;
    let first = world.drive.activity(&world.alice, space, &Wanted::default(), None, 100).await.expect("history");
    let first = first.items.iter().rev().find(|done| done.kind == "shared").expect("the first time");
    let told = world.drive.undo(&world.alice, space, Which::Sequence(first.sequence)).await;
    assert!(["undo-conflict", "not-found", "not-undoable", "nothing-to-undo"].contains(&code(told)));
    assert_eq!(may().await, "ok");
    // Bob undoes his own changes in alice's space, and none of hers.
    let made = world.drive.create_folder(&world.bob, NewFolder::named(folder, name("b"))).await.expect("made");
    assert_eq!(code(world.drive.undo(&world.bob, space, Which::Newest).await), "ok");
    assert!(world.entry(made.id).await.trashed);
    assert_eq!(code(world.drive.undo(&world.bob, space, Which::Sequence(first.sequence)).await), "not-found");
    world.check().await;
}

async fn refusals_change_nothing(test: TestDb) {
    let world = World::new(test).await;
    let folder = world.folder(None, "d").await;
    let nobody =
        NewGrant { subject: Subject::Account(base::AccountId::from_bytes([9; 16])), role: Role::Viewer, expires: None };
    let past = Some(world.clock.handle().now());
    let bob = to(&world.bob);
    let before = world.number("SELECT CAST(SUM(sequence) AS BIGINT) FROM space").await;
    for (what, id, new, expected) in [
        ("nobody", folder, nobody, "subject-unknown"),
        (
            "no group",
            folder,
            given(Subject::Group(base::GroupId::from_bytes([9; 16])), Role::Viewer),
            "subject-unknown",
        ),
        ("the owner", folder, given(to(&world.alice), Role::Viewer), "invalid-grant"),
        ("the past", folder, NewGrant { subject: bob, role: Role::Viewer, expires: past }, "invalid-grant"),
        ("one's whole space", world.alice.principal.root, given(bob, Role::Viewer), "root-entry"),
        ("nothing", world.nobody(), given(bob, Role::Viewer), "not-found"),
        ("somebody else's", world.bob.principal.root, given(bob, Role::Viewer), "not-found"),
    ] {
        assert_eq!(code(world.drive.give(&world.alice, id, new).await), expected, "{what}");
    }
    for bad in ["", " ", "a\nb", &"x".repeat(101)] {
        assert_eq!(code(world.drive.create_space(&world.alice, bad).await), "invalid-space-name");
    }
    let own = space_of(&world.alice);
    assert_eq!(code(world.drive.rename_space(&world.alice, own, "x").await), "personal-space");
    assert_eq!(world.number("SELECT CAST(SUM(sequence) AS BIGINT) FROM space").await, before);
    assert_eq!(world.number("SELECT COUNT(*) FROM entry_grant").await, 0);
    world.check().await;
}

async fn a_role_taken_while_bytes_flow(test: TestDb) {
    let world = World::new(test).await;
    let folder = world.folder(None, "d").await;
    let (grant, _) = world.drive.give(&world.alice, folder, given(to(&world.bob), Role::Editor)).await.expect("given");
    // A plain upload, whose last byte comes after the role is gone.
    let (mut sender, body) = channel();
    let put = world.drive.put(&world.bob, child(Some(folder), "f", OnConflict::Fail), body);
    let take = async {
        sender.send(Ok(bytes(5000).into())).await.expect("the drive takes bytes");
        world.drive.take(&world.alice, grant.id).await.expect("taken");
        sender.send(Ok(bytes(5000).into())).await.expect("the drive takes bytes");
        drop(sender);
    };
    let (put, ()) = futures::join!(put, take);
    assert_eq!(code(put), "not-found");
    assert_eq!(world.names(folder).await, Vec::<String>::new());
    // A resumable one, begun while there was a role.
    let (grant, _) = world.drive.give(&world.alice, folder, given(to(&world.bob), Role::Editor)).await.expect("given");
    let begun = world.drive.create_upload(&world.bob, upload(folder)).await.expect("an upload");
    world.drive.take(&world.alice, grant.id).await.expect("taken");
    let append = drive::Append { offset: 0, length: Some(5), checksum: None };
    let told = world.drive.append(&world.bob, begun.id, append, crate::world::body(b"12345")).await;
    assert_eq!(code(told), "not-found");
    assert_eq!(world.names(folder).await, Vec::<String>::new());
    // A download that was begun goes on; another one is not begun.
    let long = bytes(300_000);
    let file = world.put(Some(folder), "g", &long).await.expect("a file").entry.id;
    let (grant, _) = world.drive.give(&world.alice, folder, given(to(&world.bob), Role::Viewer)).await.expect("given");
    let open = world.drive.open(&world.bob, file).await.expect("opened");
    let mut pieces = open.read(0..long.len() as u64).await.expect("bytes");
    let mut read = pieces.next().await.expect("a piece").expect("bytes").to_vec();
    world.drive.take(&world.alice, grant.id).await.expect("taken");
    assert_eq!(code(world.drive.open(&world.bob, file).await), "not-found");
    while let Some(piece) = pieces.next().await {
        read.extend(piece.expect("bytes"));
    }
    assert_eq!(read, long);
    world.clean_up().await;
    world.check().await;
}

async fn removal_needs_a_say_in_the_folder(test: TestDb) {
    let world = World::new(test).await;
    let folder = world.folder(None, "d").await;
    give(&world, folder, to(&world.bob), Role::Manager).await;
    // A manager of a folder, and not of what it is in: what is inside is his to remove, the folder is not.
    assert_eq!(code(world.drive.remove(&world.bob, folder, None).await), "not-found");
    assert_eq!(code(world.drive.trash(&world.bob, folder, Some(IfMatch::Any)).await), "not-found");
    let inner = world.folder(Some(folder), "inner").await;
    world.drive.remove(&world.bob, inner, None).await.expect("removed");
    assert_eq!(code(world.drive.trashed(&world.bob, space_of(&world.alice), None, 10).await), "not-found");
    world.check().await;
}

async fn spaces_end(test: TestDb) {
    let world = World::new(test).await;
    let team = world.drive.create_space(&world.alice, "Team").await.expect("a team's space");
    give(&world, team.root, to(&world.bob), Role::Editor).await;
    let tree = tree(&world, team.root, "d").await;
    let long = world.put(Some(tree.inner), "long", &bytes(5000)).await.expect("a file").entry;
    world.drive.trash(&world.alice, tree.inner, None).await.expect("trashed");
    let begun = world.drive.create_upload(&world.bob, upload(team.root)).await.expect("an upload");
    let tag = world.drive.create_tag(&world.alice, team.id, "tag", drive::Colour::Red).await.expect("a tag");
    world.drive.tag_entries(&world.alice, tag.id, vec![tree.file], vec![]).await.expect("tagged");
    assert_eq!(code(world.drive.delete_space(&world.bob, team.id).await), "role-too-low");
    assert_eq!(code(world.drive.delete_space(&world.alice, space_of(&world.alice)).await), "personal-space");
    world.drive.delete_space(&world.alice, team.id).await.expect("ended");
    for actor in [&world.alice, &world.bob] {
        assert_eq!(code(world.drive.space(actor, team.id).await), "not-found");
        for id in [team.root, tree.folder, tree.file, tree.trashed, long.id] {
            assert_eq!(code(world.drive.stat(actor, id).await), "not-found");
        }
        assert_eq!(code(world.drive.changes(actor, team.id, None, 10).await), "not-found");
        assert_eq!(world.drive.spaces(actor, None, 10).await.expect("spaces").items.len(), 1);
    }
    let append = drive::Append { offset: 0, length: Some(5), checksum: None };
    assert_eq!(code(world.drive.append(&world.bob, begun.id, append, body(b"12345")).await), "not-found");
    world.clean_up().await;
    for table in ["entry", "journal", "entry_grant", "tag", "entry_tag", "folder_total", "trash", "version", "upload"] {
        let sql: &'static str = match table {
            "entry" => "SELECT COUNT(*) - 2 FROM entry",
            "journal" => "SELECT COUNT(*) FROM journal",
            "entry_grant" => "SELECT COUNT(*) FROM entry_grant",
            "tag" => "SELECT COUNT(*) FROM tag",
            "entry_tag" => "SELECT COUNT(*) FROM entry_tag",
            "folder_total" => "SELECT COUNT(*) FROM folder_total",
            "trash" => "SELECT COUNT(*) FROM trash",
            "version" => "SELECT COUNT(*) FROM version",
            _ => "SELECT COUNT(*) FROM upload",
        };
        assert_eq!(world.number(sql).await, 0, "{table}");
    }
    assert_eq!(world.number("SELECT COUNT(*) FROM space").await, 2);
    world.assert_empty().await;
}

async fn spaces_are_handed_over(test: TestDb) {
    let world = World::new(test).await;
    let tree = tree(&world, world.alice.principal.root, "d").await;
    let root = {
        let mut principal = world.person("root").await.principal;
        principal.permissions = accounts::Permissions::of(accounts::Permission::ALL);
        Actor { principal, operation: None }
    };
    let (alice, bob) = (world.alice.principal.account, world.bob.principal.account);
    let hand = async |by: &Actor, to| code(world.drive.hand_over_space(by, alice, to, "What Alice had").await);
    assert_eq!(hand(&world.bob, bob).await, "permission-missing");
    assert_eq!(hand(&root, alice).await, "subject-unknown");
    assert_eq!(hand(&root, bob).await, "ok");
    let spaces = world.drive.spaces(&world.bob, None, 10).await.expect("spaces").items;
    let taken = spaces.iter().find(|space| space.id == tree.space).expect("what was handed over");
    assert_eq!((taken.kind.as_str(), taken.name.as_str(), taken.role), ("team", "What Alice had", Role::Manager));
    assert_eq!(world.drive.versions(&world.bob, tree.file, None, 10).await.expect("versions").items.len(), 2);
    let back = Restore { parent: None, name: None, on_conflict: OnConflict::Fail };
    world.drive.restore(&world.bob, tree.trashed, back).await.expect("restored");
    assert_eq!(code(world.drive.stat(&world.alice, tree.file).await), "not-found");
    // There is nothing more to hand over, and doing it again changes nothing.
    assert_eq!(world.drive.hand_over_space(&root, alice, bob, "x").await.expect("nothing"), None);
    assert!(!world.drive.end_personal_space(&root, alice).await.expect("nothing"));
    assert!(world.drive.end_personal_space(&root, bob).await.expect("ended"));
    world.clean_up().await;
    world.check().await;
}

async fn trees_go_over_to_other_spaces(test: TestDb) {
    let world = World::new(test).await;
    let team = world.drive.create_space(&world.alice, "Team").await.expect("a team's space");
    let tree = tree(&world, world.alice.principal.root, "d").await;
    let long = world.put(Some(tree.inner), "long", &bytes(5000)).await.expect("a file").entry;
    let own = world.drive.create_tag(&world.alice, tree.space, "Red", drive::Colour::Red).await.expect("a tag");
    let other =
        world.drive.create_tag(&world.alice, tree.space, "only here", drive::Colour::Blue).await.expect("a tag");
    let there = world.drive.create_tag(&world.alice, team.id, "red", drive::Colour::Green).await.expect("a tag");
    for tag in [own.id, other.id] {
        world.drive.tag_entries(&world.alice, tag, vec![tree.folder, tree.file], vec![]).await.expect("tagged");
    }
    let carol = world.person("carol").await;
    give(&world, tree.inner, to(&carol), Role::Viewer).await;
    let before = (world.used().await, world.drive.space(&world.alice, team.id).await.expect("a space").used_bytes);
    let away = |parent, operation| {
        let actor = Actor { operation, ..world.alice.clone() };
        let drive = world.drive.clone();
        async move { drive.update(&actor, tree.folder, Update { parent: Some(parent), ..Update::default() }).await }
    };
    let operation = Some(uuid::Uuid::now_v7());
    let moved = away(team.root, operation).await.expect("moved");
    assert_eq!((moved.id, moved.space, moved.parent), (tree.folder, team.id, Some(team.root)));
    // The same again is the same.
    assert_eq!(away(team.root, operation).await.expect("moved before"), moved);
    // All is there, under the same ids, with its versions, and its bytes count here and not there. What was trashed stays.
    assert_eq!(world.read(long.id).await.expect("bytes"), bytes(5000));
    assert_eq!(world.drive.versions(&world.alice, tree.file, None, 10).await.expect("versions").items.len(), 2);
    let after = (world.used().await, world.drive.space(&world.alice, team.id).await.expect("a space").used_bytes);
    assert_eq!((before.0 - after.0, after.1 - before.1), (5006, 5006));
    let back = Restore { parent: None, name: None, on_conflict: OnConflict::Fail };
    assert_eq!(code(world.drive.restore(&world.alice, tree.trashed, back).await), "original-folder-gone");
    // Tags are those of that space: of the same name, or made.
    let tags = world.drive.tags(&world.alice, team.id, drive::Count::Entries).await.expect("tags");
    let seen: Vec<_> = tags.iter().map(|tag| (tag.name.as_str(), tag.entries)).collect();
    assert_eq!(seen, [("only here", Some(2)), ("red", Some(2))]);
    assert!(world.entry(tree.file).await.extras.tags.contains(&there.id));
    // Roles on what came along hold, and both journals tell.
    assert_eq!(code(world.drive.stat(&carol, long.id).await), "ok");
    let left = world.drive.changes(&world.alice, tree.space, None, 1000).await.expect("changes");
    let last = left.items.last().expect("a change");
    assert_eq!((last.entry, last.kind.as_str(), last.entry_after()), (tree.folder, "left", None));
    let came = world.drive.changes(&world.alice, team.id, None, 1000).await.expect("changes");
    let last = came.items.last().expect("a change");
    assert_eq!((last.entry, last.kind.as_str(), last.entry_after().is_some()), (tree.folder, "moved", true));
    // A copy over there shares the bytes and keeps what is said of it; the original stays.
    let mine = Copy { parent: Some(world.bob.principal.root), ..Copy::default() };
    give(&world, tree.inner, to(&world.bob), Role::Viewer).await;
    let copy = world.drive.copy(&world.bob, tree.inner, mine.clone()).await.expect("copied");
    assert_eq!((copy.space, copy.name.as_str()), (world.bob.principal.space, "inner"));
    let inside = world.drive.children(&world.bob, copy.id, None, 10).await.expect("a listing").items;
    assert_eq!((inside.len(), inside[0].name.as_str()), (1, "long"));
    let under = Copy { parent: Some(world.alice.principal.root), ..Copy::default() };
    let back = world.drive.copy(&world.alice, tree.file, under).await.expect("copied");
    assert_eq!(back.extras.tags.len(), 2);
    assert!(back.extras.tags.contains(&own.id) && back.extras.tags.contains(&other.id));
    let more = Copy { on_conflict: OnConflict::Rename, ..mine };
    assert_eq!(world.drive.copy(&world.bob, tree.inner, more).await.expect("copied").name, "inner (2)");
    world.check().await;
    // Names, depths and room are looked at there.
    let name_taken = world.folder(Some(team.root), "taken").await;
    let taken = Update { parent: Some(team.root), name: Some(name("taken")), ..Update::default() };
    let again = world.folder(None, "x").await;
    assert_eq!(code(world.drive.update(&world.alice, again, taken).await), "name-taken");
    give(&world, name_taken, to(&world.bob), Role::Manager).await;
    let big = world.put(Some(name_taken), "big", &bytes(100_001)).await.expect("a file").entry;
    let mine = Update { parent: Some(world.bob.principal.root), ..Update::default() };
    assert_eq!(code(world.drive.update(&world.bob, big.id, mine).await), "quota-exceeded");
    world.check().await;
    world.drive.remove(&world.alice, tree.folder, None).await.expect("removed");
    world.check().await;
}

async fn transfers_race(test: TestDb) {
    let world = World::new(test).await;
    let one = world.drive.create_space(&world.alice, "One").await.expect("a team's space");
    let two = world.drive.create_space(&world.alice, "Two").await.expect("a team's space");
    for round in 0..8 {
        let a = world.folder(Some(one.root), &format!("a{round}")).await;
        let b = world.folder(Some(two.root), &format!("b{round}")).await;
        let under = |parent| Update { parent: Some(parent), ..Update::default() };
        // Crosswise, and each into the other.
        let (first, second, third) = futures::join!(
            world.drive.update(&world.alice, a, under(b)),
            world.drive.update(&world.alice, b, under(a)),
            world.put(Some(a), "f", b"x"),
        );
        let mut codes = [code(first), code(second)];
        codes.sort_unstable();
        assert!(codes.contains(&"ok"), "{codes:?}");
        assert!(["ok", "not-found"].contains(&code(third)));
    }
    world.check().await;
}

async fn accounts_end_while_bytes_flow(test: TestDb) {
    let world = World::new(test).await;
    let root = {
        let mut principal = world.person("root").await.principal;
        principal.permissions = accounts::Permissions::of(accounts::Permission::ALL);
        Actor { principal, operation: None }
    };
    let begun = world.drive.create_upload(&world.bob, upload(world.bob.principal.root)).await.expect("an upload");
    let (mut sender, body_) = channel();
    let put = world.drive.put(&world.bob, child(None, "f", OnConflict::Fail), body_);
    let end = async {
        sender.send(Ok(bytes(5000).into())).await.expect("the drive takes bytes");
        assert!(world.drive.end_personal_space(&root, world.bob.principal.account).await.expect("ended"));
        sender.send(Ok(bytes(5000).into())).await.expect("the drive takes bytes");
        drop(sender);
    };
    let (put, ()) = futures::join!(put, end);
    assert_eq!(code(put), "not-found");
    let append = drive::Append { offset: 0, length: Some(5), checksum: None };
    assert_eq!(code(world.drive.append(&world.bob, begun.id, append, body(b"12345")).await), "not-found");
    world.clean_up().await;
    assert_eq!(world.number("SELECT COUNT(*) FROM space").await, 2);
    assert_eq!(world.number("SELECT COUNT(*) FROM extent").await, 0);
    assert_eq!(world.number("SELECT COUNT(*) FROM upload").await, 0);
    world.check().await;
}

async fn an_end_that_was_cut_off_goes_on(test: TestDb) {
    let world = World::new(test).await;
    let ids = base::Ids::new(world.clock.handle(), 7);
    let options = accounts::Options::default();
    let accounts = accounts::Accounts::open(world.test.db.clone(), world.clock.handle(), ids, options);
    let accounts = accounts.await.expect("accounts open");
    let root = {
        let mut principal = world.person("root").await.principal;
        principal.permissions = accounts::Permissions::of(accounts::Permission::ALL);
        Actor { principal, operation: None }
    };
    let administrator = async move |tx: db::Tx| {
        tx.exec("UPDATE account SET permissions = 'admin.users' WHERE name = 'root'", &[]).await.map(drop)
    };
    world.test.db.write(db::Lane::Free, administrator).await.expect("an administrator");
    let (file, bob) = (world.put(None, "f", b"x").await.expect("a file").entry.id, world.bob.principal.account);
    let (alice, from) = (world.alice.principal.account, std::net::Ipv4Addr::LOCALHOST.into());
    // The process ended right after the account was closed.
    accounts.close_person(&root.principal, alice, serde_json::json!({ "hand-over": bob }), from).await.expect("closed");
    let files = drive::Files::HandOver { to: bob };
    let space = world.drive.end_account(&accounts, &root, alice, files, from).await.expect("ended");
    assert_eq!(space, Some(space_of(&world.alice)));
    assert_eq!(code(world.drive.stat(&world.bob, file).await), "ok");
    // The log tells of both beginnings, and what was to become of the files.
    let log = accounts.audit(&root.principal, &db::audit::Filter::default(), None, 10).await.expect("the log").items;
    let closed: Vec<_> = log.iter().filter(|line| line.action == "account-closed").collect();
    assert_eq!(closed.len(), 2);
    assert!(closed.iter().all(|line| line.detail["files"]["hand-over"] == bob.to_string()), "{closed:?}");
    assert_eq!(log.iter().filter(|line| line.action == "account-ended").count(), 1);
    world.check().await;
}
