//! Descriptions, properties and tags: said, found, taken along, taken back.

use std::collections::BTreeMap;

use base::{EntryId, TagId};
use drive::{Actor, Colour, Copy, Count, Details, Entry, Error, IfMatch, Property, Tag, TagUpdate, Which};
use testkit::database::TestDb;
use uuid::Uuid;

use crate::{
    undo::{newest, redo, undo},
    world::{World, bytes, code, name, space_of},
};

testkit::both! {
    what_is_said_goes_back_and_forth, tags_are_found_counted_and_taken_along, a_tag_changes_in_one_row,
    repeated_requests_are_done_once, other_people_see_nothing,
}

async fn tag(world: &World, name: &str, colour: Colour) -> TagId {
    world.drive.create_tag(&world.alice, space_of(&world.alice), name, colour).await.expect("a new tag").id
}

async fn tags(world: &World) -> Vec<Tag> {
    world.drive.tags(&world.alice, space_of(&world.alice), Count::Entries).await.expect("the tags")
}

async fn found(world: &World, tag: TagId) -> Vec<String> {
    let (mut names, mut after) = (Vec::new(), None);
    loop {
        // Small pages, so that they end in the middle.
        let (entries, next) = world.drive.tagged(&world.alice, tag, after, 2).await.expect("a page");
        names.extend(entries.into_iter().map(|entry| entry.name));
        after = match next {
            Some(next) => Some(next),
            None => break,
        };
    }
    names.sort();
    names
}

async fn put_on(world: &World, tag: TagId, entries: &[EntryId]) -> Vec<Entry> {
    world.drive.tag_entries(&world.alice, tag, entries.to_vec(), Vec::new()).await.expect("tagged")
}

fn said(description: &str, amount: Option<i64>) -> Details {
    let amount = amount.map(|number| Property::Number(number.into()));
    Details {
        description: Some(Some(description.to_owned())),
        properties: BTreeMap::from([("amount".to_owned(), amount)]),
    }
}

async fn what_is_said_goes_back_and_forth(test: TestDb) {
    let world = World::new(test).await;
    let (drive, alice) = (&world.drive, &world.alice);
    let file = world.put(None, "f", &bytes(10)).await.expect("a file").entry;
    let first = drive.describe(alice, file.id, said("one", Some(1)), None).await.expect("said");
    assert_eq!((first.revision, first.extras.description.as_deref()), (2, Some("one")));
    // The journal has it, so whoever keeps in step sees it.
    let page = drive.changes(alice, space_of(alice), None, 10).await.expect("changes");
    let last = page.items.last().expect("a change");
    assert_eq!(last.kind, "details");
    let state = last.entry_after().expect("an entry");
    assert_eq!((&state["description"], &state["properties"]["amount"]["value"]), (&"one".into(), &1.into()));
    // Nothing new is no change.
    drive.describe(alice, file.id, said("one", Some(1)), None).await.expect("as it was");
    assert_eq!(newest(&world).await, page.next.sequence);
    let seen = IfMatch::OneOf(vec![file.revision.to_string()]);
    let stale = drive.describe(alice, file.id, said("two", None), Some(seen)).await;
    assert_eq!(code(stale), "precondition-failed");
    drive.describe(alice, file.id, said("two", None), None).await.expect("said");
    // A rename and a version in between take nothing away.
    let rename = drive::Update { name: Some(name("g")), ..drive::Update::default() };
    drive.update(alice, file.id, rename).await.expect("renamed");
    world.put_with(None, "g", drive::OnConflict::Replace, &bytes(20)).await.expect("a version");
    let says = async || {
        let extras = world.entry(file.id).await.extras;
        (extras.description.unwrap_or_default(), extras.properties.len())
    };
    assert_eq!(says().await, ("two".to_owned(), 0));
    assert_eq!((undo(&world).await, undo(&world).await, undo(&world).await), ("ok", "ok", "ok"));
    assert_eq!(says().await, ("one".to_owned(), 1));
    assert_eq!(undo(&world).await, "ok");
    assert_eq!(world.entry(file.id).await.extras, drive::Extras::default());
    assert_eq!((redo(&world).await, says().await), ("ok", ("one".to_owned(), 1)));
    assert_eq!((redo(&world).await, says().await), ("ok", ("two".to_owned(), 0)));
    // What was said since is not overwritten.
    let described = newest(&world).await;
    drive.describe(alice, file.id, said("three", None), None).await.expect("said");
    let back = drive.undo(alice, space_of(alice), Which::Sequence(described)).await;
    assert_eq!(code(back), "undo-conflict");
    let copy = drive.copy(alice, file.id, Copy { name: Some(name("copy")), ..Copy::default() }).await.expect("a copy");
    assert_eq!(copy.extras.description.as_deref(), Some("three"));
    assert_eq!(world.entry(copy.id).await.extras, copy.extras);
    let long = Details { description: Some(Some("x".repeat(5000))), ..Details::default() };
    assert_eq!(code(drive.describe(alice, file.id, long, None).await), "invalid-details");
    drive.trash(alice, file.id, None).await.expect("in the trash");
    assert_eq!(code(drive.describe(alice, file.id, said("four", None), None).await), "in-trash");
    world.check().await;
}

async fn tags_are_found_counted_and_taken_along(test: TestDb) {
    let world = World::new(test).await;
    let (drive, alice) = (&world.drive, &world.alice);
    let (red, blue) = (tag(&world, "Red", Colour::Red).await, tag(&world, "blue", Colour::Blue).await);
    let folder = world.folder(None, "folder").await;
    let mut files = Vec::new();
    for n in 0..5 {
        files.push(world.put(Some(folder), &format!("f{n}"), &bytes(n)).await.expect("a file").entry.id);
    }
    let before = newest(&world).await;
    let after = put_on(&world, red, &files).await;
    assert!(after.iter().all(|entry| entry.extras.tags == [red]));
    assert_eq!(newest(&world).await, before + 5);
    put_on(&world, red, &files).await;
    assert_eq!(newest(&world).await, before + 5, "what has the tag stays as it is");
    put_on(&world, blue, &[folder, files[0]]).await;
    assert_eq!(found(&world, red).await, ["f0", "f1", "f2", "f3", "f4"]);
    assert_eq!(found(&world, blue).await, ["f0", "folder"]);
    // A copy has the same tags, and so has all that is in it.
    drive.copy(alice, folder, Copy { name: Some(name("copy")), ..Copy::default() }).await.expect("a copy");
    drive.copy(alice, files[0], Copy { name: Some(name("g0")), ..Copy::default() }).await.expect("a copy");
    assert_eq!(found(&world, red).await, ["f0", "f0", "f1", "f1", "f2", "f2", "f3", "f3", "f4", "f4", "g0"]);
    let counted = async || tags(&world).await.into_iter().map(|tag| (tag.name, tag.entries)).collect::<Vec<_>>();
    assert_eq!(counted().await, [("Red".to_owned(), Some(11)), ("blue".to_owned(), Some(5))]);
    // What is in the trash is neither found nor counted, and comes back with its tags.
    drive.trash(alice, folder, None).await.expect("in the trash");
    assert_eq!(found(&world, blue).await, ["copy", "f0"]);
    assert_eq!(counted().await, [("Red".to_owned(), Some(5)), ("blue".to_owned(), Some(2))]);
    let none = drive.tag_entries(alice, red, vec![files[1]], Vec::new()).await;
    assert_eq!(code(none), "in-trash");
    assert_eq!(undo(&world).await, "ok");
    assert_eq!(found(&world, blue).await, ["copy", "f0", "f0", "folder", "g0"]);
    // All or none.
    let some = drive.tag_entries(alice, blue, vec![files[1], world.nobody()], Vec::new()).await;
    assert_eq!(code(some), "not-found");
    assert!(!world.entry(files[1]).await.extras.tags.contains(&blue));
    // Putting on and taking off at once is one thing to undo, though nobody gave it an id.
    let both = drive.tag_entries(alice, blue, vec![files[1]], vec![files[0], folder]).await.expect("tagged");
    assert_eq!(both.len(), 3);
    assert_eq!(found(&world, blue).await, ["copy", "f0", "f1", "g0"]);
    assert_eq!(undo(&world).await, "ok");
    assert_eq!(found(&world, blue).await, ["copy", "f0", "f0", "folder", "g0"]);
    assert_eq!(redo(&world).await, "ok");
    assert_eq!(found(&world, blue).await, ["copy", "f0", "f1", "g0"]);
    world.check().await;
    drive.remove(alice, folder, None).await.expect("removed");
    assert_eq!(found(&world, blue).await, ["copy", "f0"]);
    world.check().await;
}

async fn a_tag_changes_in_one_row(test: TestDb) {
    let world = World::new(test).await;
    let (drive, alice, space) = (&world.drive, &world.alice, space_of(&world.alice));
    let (one, two) = (tag(&world, "one", Colour::Red).await, tag(&world, "two", Colour::Grey).await);
    assert_eq!(code(drive.create_tag(alice, space, " ONE ", Colour::Red).await), "name-taken");
    assert_eq!(code(drive.create_tag(alice, space, "\n", Colour::Red).await), "invalid-tag-name");
    let file = world.put(None, "f", &bytes(10)).await.expect("a file").entry.id;
    let other = world.put(None, "g", &bytes(10)).await.expect("a file").entry.id;
    put_on(&world, one, &[file]).await;
    put_on(&world, two, &[other]).await;
    let update = TagUpdate { name: Some("eins".to_owned()), colour: Some(Colour::Teal) };
    let renamed = drive.update_tag(alice, one, update).await.expect("renamed");
    assert_eq!((renamed.name.as_str(), renamed.colour), ("eins", Colour::Teal));
    let taken = TagUpdate { name: Some("Two".to_owned()), colour: None };
    assert_eq!(code(drive.update_tag(alice, one, taken).await), "name-taken");
    let before = newest(&world).await;
    assert_eq!(drive.merge_tag(alice, one, two).await.expect("merged").id, two);
    assert_eq!(newest(&world).await, before + 1, "one row, however many entries");
    assert_eq!(code(drive.merge_tag(alice, two, two).await), "same-tag");
    assert_eq!(found(&world, two).await, ["f", "g"]);
    let only = tags(&world).await;
    assert_eq!((only.len(), only[0].merged.as_slice(), only[0].entries), (1, &[one][..], Some(2)));
    assert_eq!(code(drive.tagged(alice, one, None, 10).await), "not-found");
    // What has a part of the tag has the tag, and loses it as a whole.
    put_on(&world, two, &[file]).await;
    assert_eq!(world.entry(file).await.extras.tags, [one]);
    drive.tag_entries(alice, two, Vec::new(), vec![file]).await.expect("taken off");
    assert_eq!((world.entry(file).await.extras.tags, found(&world, two).await), (vec![], vec!["g".to_owned()]));
    assert_eq!((undo(&world).await, found(&world, two).await), ("ok", vec!["f".to_owned(), "g".to_owned()]));
    drive.delete_tag(alice, two).await.expect("deleted");
    assert!(tags(&world).await.is_empty());
    // The name is free again; then the old one cannot come back under it.
    let deleted = newest(&world).await;
    let third = tag(&world, "two", Colour::Blue).await;
    assert_eq!(code(drive.undo(alice, space, Which::Sequence(deleted)).await), "undo-conflict");
    assert_eq!(undo(&world).await, "ok");
    assert_eq!(code(drive.delete_tag(alice, third).await), "not-found");
    // Back to the beginning: the deletion, the tagging, the merge, the new name.
    assert_eq!((undo(&world).await, found(&world, two).await), ("ok", vec!["f".to_owned(), "g".to_owned()]));
    assert_eq!((undo(&world).await, found(&world, two).await), ("ok", vec!["g".to_owned()]));
    assert_eq!((undo(&world).await, found(&world, one).await), ("ok", vec!["f".to_owned()]));
    let names = async || tags(&world).await.into_iter().map(|tag| tag.name).collect::<Vec<_>>();
    assert_eq!(
        (names().await, undo(&world).await, names().await),
        (["one", "two"].map(str::to_owned).to_vec(), "ok", ["one", "two"].map(str::to_owned).to_vec())
    );
    world.check().await;
}

async fn repeated_requests_are_done_once(test: TestDb) {
    let world = World::new(test).await;
    let (drive, space) = (&world.drive, space_of(&world.alice));
    let as_ = |number: u128| Actor { operation: Some(Uuid::from_u128(number)), ..world.alice.clone() };
    let tag = drive.create_tag(&as_(1), space, "tag", Colour::Red).await.expect("a tag");
    assert_eq!(drive.create_tag(&as_(1), space, "tag", Colour::Red).await.expect("the same").id, tag.id);
    let file = world.put(None, "f", &bytes(10)).await.expect("a file").entry.id;
    drive.describe(&as_(2), file, said("one", None), None).await.expect("said");
    let tagged = drive.tag_entries(&as_(3), tag.id, vec![file], Vec::new()).await.expect("tagged");
    drive.tag_entries(&world.alice, tag.id, Vec::new(), vec![file]).await.expect("taken off");
    drive.describe(&world.alice, file, said("two", None), None).await.expect("said");
    let before = newest(&world).await;
    let again = drive.describe(&as_(2), file, said("one", None), None).await.expect("as the first time");
    assert_eq!(again.extras.description.as_deref(), Some("one"));
    let again = drive.tag_entries(&as_(3), tag.id, vec![file], Vec::new()).await.expect("as the first time");
    assert_eq!(again, tagged);
    drive.delete_tag(&as_(4), tag.id).await.expect("deleted");
    drive.delete_tag(&as_(4), tag.id).await.expect("as the first time");
    assert_eq!(newest(&world).await, before + 1);
    let now = world.entry(file).await;
    assert_eq!((now.extras.description.as_deref(), now.extras.tags.as_slice()), (Some("two"), &[][..]));
}

async fn other_people_see_nothing(test: TestDb) {
    let world = World::new(test).await;
    let (drive, bob) = (&world.drive, &world.bob);
    let tag = tag(&world, "tag", Colour::Red).await;
    let file = world.put(None, "f", &bytes(10)).await.expect("a file").entry.id;
    put_on(&world, tag, &[file]).await;
    assert_eq!(code(drive.tags(bob, space_of(&world.alice), Count::No).await), "not-found");
    assert_eq!(code(drive.tagged(bob, tag, None, 10).await), "not-found");
    assert_eq!(code(drive.delete_tag(bob, tag).await), "not-found");
    assert_eq!(code(drive.merge_tag(bob, tag, tag).await), "same-tag");
    assert_eq!(code(drive.describe(bob, file, said("x", None), None).await), "not-found");
    // A tag of one space is none of another.
    let own = drive.create_tag(bob, space_of(bob), "tag", Colour::Red).await.expect("a tag").id;
    let theirs: Result<_, Error> = drive.tag_entries(bob, own, vec![file], Vec::new()).await;
    assert_eq!(code(theirs), "not-found");
    assert_eq!(code(drive.merge_tag(bob, own, tag).await), "not-found");
}
