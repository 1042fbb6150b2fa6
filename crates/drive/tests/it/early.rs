//! Uploads that have links before they are files, and folders that go to another space while something is uploaded to them.

use std::time::Duration;

use accounts::Role;
use base::{EntryId, SpaceId, UploadId};
use db::{Lane, params};
use drive::{Actor, Finish, Link, Links, Mode, NewFolder, NewLink, NewUpload, OnConflict, Update, jobs::Retention};
use testkit::database::TestDb;

use crate::{
    links::{links, nobody},
    sharing::given,
    uploads::{at, new},
    world::{World, body, bytes, code, name, space_of},
};

testkit::both! {
    an_id_that_somebody_takes_holds_nothing_up, early_links_outlive_the_clean_up, an_upload_goes_where_its_folder_goes,
    an_upload_waits_where_the_other_space_has_no_room, a_finished_upload_goes_to_a_folder_of_another_space,
}

const DOWNLOAD: NewLink =
    NewLink { mode: Mode::Download, name: None, note: None, password: None, expires: None, download_limit: None };

async fn early(world: &World, links: &Links, upload: UploadId) -> Link {
    links.create_early(&world.alice, upload, DOWNLOAD).await.expect("a link to an upload")
}

/// What visitors of the link see: the id, and the bytes if all are there.
async fn seen(links: &Links, link: &Link) -> Result<(EntryId, String), drive::Error> {
    let token = link.token.clone().expect("a token");
    let visit = links.enter(token.expose(), nobody()).await?;
    let entry = links.look(&visit).await?.entry.expect("an entry");
    Ok((entry.id, entry.name))
}

async fn an_id_that_somebody_takes_holds_nothing_up(test: TestDb) {
    let world = World::new(test).await;
    let (drive, links, mallory) = (&world.drive, links(&world).await, world.person("mallory").await);
    let upload = world.begin(new("film", Some(4))).await;
    let link = early(&world, &links, upload).await;
    assert_eq!(seen(&links, &link).await.expect("a visit"), (link.entry, "film".to_owned()));

    // Every visitor sees the id, and somebody with an account makes something with it, and lets alice change that.
    let theirs = NewFolder { id: Some(link.entry), parent: None, name: name("trap") };
    drive.create_folder(&mallory, theirs).await.expect("a folder");
    let alice = given(crate::sharing::to(&world.alice), Role::Editor);
    drive.give(&mallory, link.entry, alice).await.expect("a role");
    assert_eq!(seen(&links, &link).await.expect("a visit").1, "film");
    assert_eq!(drive.stat(&mallory, link.entry).await.expect("an entry").name, "trap");
    let team = drive.create_space(&mallory, "Team").await.expect("a team's space");
    let over = Update { parent: Some(team.root), ..Update::default() };
    drive.update(&mallory, link.entry, over).await.expect("moved");
    assert_eq!(links.get(&world.alice, link.id).await.expect("the link").entry, link.entry);
    assert_eq!(links.create_early(&world.alice, upload, DOWNLOAD).await.expect("another one").entry, link.entry);

    let made = world.append(upload, at(0), body(b"1234")).await.expect("the file").entry_id.expect("a file");
    assert_ne!(made, link.entry);
    assert_eq!(seen(&links, &link).await.expect("a visit"), (made, "film".to_owned()));
    assert_eq!(links.get(&world.alice, link.id).await.expect("the link").entry, made);
    drive.remove(&mallory, link.entry, None).await.expect("removed");
    world.work_off().await;
    assert_eq!(seen(&links, &link).await.expect("a visit").0, made);
    world.check().await;
}

async fn early_links_outlive_the_clean_up(test: TestDb) {
    let world = World::new(test).await;
    let links = links(&world).await;
    let retention = Retention::new(world.drive.clone());
    let upload = world.begin(new("film", Some(4))).await;
    let link = early(&world, &links, upload).await;
    for _ in 0..3 {
        world.clock.advance(Duration::from_secs(3 * 3600));
        while retention.round().await.expect("a round") {}
    }
    assert_eq!(seen(&links, &link).await.expect("a visit").1, "film");
    world.append(upload, at(0), body(b"1234")).await.expect("the file");
    assert_eq!(seen(&links, &link).await.expect("a visit").0, link.entry);
    world.drive.remove(&world.alice, link.entry, None).await.expect("removed");
    world.work_off().await;
    world.clock.advance(Duration::from_secs(3 * 3600));
    while retention.round().await.expect("a round") {}
    assert_eq!(world.number("SELECT COUNT(*) FROM link").await, 0);
}

/// A folder of alice's with an upload that has half its bytes, and a team's space.
async fn half_way(world: &World, length: usize) -> (EntryId, UploadId, drive::Space) {
    let folder = world.folder(None, "d").await;
    let upload = world.begin(NewUpload { parent: Some(folder), ..new("film", Some(length as u64)) }).await;
    world.append(upload, at(0), body(&bytes(length)[..length / 2])).await.expect("half of it");
    let team = world.drive.create_space(&world.alice, "Team").await.expect("a team's space");
    (folder, upload, team)
}

async fn reserved(world: &World, space: SpaceId) -> u64 {
    world.drive.space(&world.alice, space).await.expect("a space").reserved_bytes
}

async fn move_to(world: &World, actor: &Actor, entry: EntryId, parent: EntryId) {
    let over = Update { parent: Some(parent), ..Update::default() };
    world.drive.update(actor, entry, over).await.expect("moved");
}

async fn an_upload_goes_where_its_folder_goes(test: TestDb) {
    let world = World::new(test).await;
    let links = links(&world).await;
    let length = 10_000;
    let (folder, upload, team) = half_way(&world, length).await;
    let link = early(&world, &links, upload).await;
    move_to(&world, &world.alice, folder, team.root).await;
    assert_eq!(reserved(&world, space_of(&world.alice)).await, length as u64);
    assert_eq!(seen(&links, &link).await.expect("a visit").1, "film");

    let rest = bytes(length)[length / 2..].to_vec();
    let done = world.append(upload, at(length as u64 / 2), body(&rest)).await.expect("the file");
    let entry = done.entry.expect("a file");
    assert_eq!((entry.id, entry.space, entry.parent), (link.entry, team.id, Some(folder)));
    assert_eq!(world.read(entry.id).await.expect("bytes"), bytes(length));
    assert_eq!(seen(&links, &link).await.expect("a visit"), (link.entry, "film".to_owned()));
    let in_team = links.of_entry(&world.alice, entry.id, None, 10).await.expect("links").items.len();
    assert_eq!((in_team, reserved(&world, team.id).await, world.reserved().await), (1, 0, 0));
    world.check().await;

    // Where it was begun nothing is left of it, and it is asked for as before.
    assert_eq!(world.drive.upload(&world.alice, upload).await.expect("the upload").entry_id, Some(entry.id));
    world.drive.terminate(&world.alice, upload).await.expect("ended");
    world.check().await;
}

async fn an_upload_waits_where_the_other_space_has_no_room(test: TestDb) {
    let world = World::new(test).await;
    let (folder, upload, team) = half_way(&world, 10_000).await;
    move_to(&world, &world.alice, folder, team.root).await;
    let room = async |bytes: i64| {
        let space = team.id;
        let set = async move |tx: db::Tx| {
            tx.exec("UPDATE space SET quota_bytes = $1 WHERE id = $2", &params![bytes, space]).await
        };
        world.test.db.write(Lane::Free, set).await.expect("another quota");
    };
    room(9999).await;
    let rest = bytes(10_000)[5000..].to_vec();
    assert_eq!(code(world.append(upload, at(5000), body(&rest)).await), "quota-exceeded");
    assert_eq!((world.offset(upload).await, world.reserved().await), (10_000, 10_000), "no byte is lost");
    world.check().await;
    room(10_000).await;
    let made = world.drive.finish_upload(&world.alice, upload, Finish::default()).await.expect("the file");
    assert_eq!(made.entry.expect("a file").space, team.id);
    world.check().await;
}

async fn a_finished_upload_goes_to_a_folder_of_another_space(test: TestDb) {
    let world = World::new(test).await;
    let mallory = world.person("mallory").await;
    let team = world.drive.create_space(&world.alice, "Team").await.expect("a team's space");
    let upload = world.begin(new("film", Some(4))).await;
    world.put(None, "film", b"another").await.expect("a file");
    assert_eq!(code(world.append(upload, at(0), body(b"1234")).await), "name-taken");
    let to = |parent| Finish { parent: Some(parent), on_conflict: Some(OnConflict::Fail), ..Finish::default() };
    let refused = world.drive.finish_upload(&world.alice, upload, to(mallory.principal.root)).await;
    assert_eq!(code(refused), "not-found", "somebody else's folder");
    let made = world.drive.finish_upload(&world.alice, upload, to(team.root)).await.expect("the file");
    let entry = made.entry.expect("a file");
    assert_eq!((entry.space, world.read(entry.id).await.expect("bytes")), (team.id, b"1234".to_vec()));
    world.check().await;
}
