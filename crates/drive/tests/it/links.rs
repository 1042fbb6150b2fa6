//! Links: what ends them beside their owner, and what is forgotten with time.

use std::time::Duration;

use accounts::Accounts;
use base::{EntryId, Ids, Secret};
use db::{Lane, params};
use drive::{Link, LinkUpdate, Links, Mode, NewLink, Presented, jobs::Retention};
use testkit::database::TestDb;

use crate::world::{World, body, code, name};

testkit::both! { links_end_with_the_rights_of_their_maker, what_is_old_is_forgotten, drop_boxes_have_a_bound }

pub(crate) async fn links(world: &World) -> Links {
    let (clock, ids) = (world.clock.handle(), Ids::new(world.clock.handle(), 7));
    let accounts = Accounts::open(world.test.db.clone(), clock, ids, accounts::Options::default()).await;
    Links::new(world.drive.clone(), accounts.expect("accounts open"))
}

async fn make(world: &World, links: &Links, entry: EntryId) -> (Link, Secret) {
    let new =
        NewLink { mode: Mode::Download, name: None, note: None, password: None, expires: None, download_limit: None };
    let link = links.create(&world.alice, entry, new).await.expect("a link");
    let token = link.token.clone().expect("a token");
    (link, token)
}

pub(crate) fn nobody() -> Presented {
    Presented { pass: None, address: [203, 0, 113, 7].into(), client: "curl".to_owned() }
}

async fn links_end_with_the_rights_of_their_maker(test: TestDb) {
    let world = World::new(test).await;
    let links = links(&world).await;
    let folder = world.folder(None, "shared").await;
    let (_, token) = make(&world, &links, folder).await;
    let enters = async || links.enter(token.expose(), nobody()).await;
    let alice = world.alice.principal.account;
    assert!(enters().await.is_ok());
    for (sql, works) in [
        ("UPDATE account SET disabled_us = 1 WHERE id = $1", false),
        ("UPDATE account SET disabled_us = NULL WHERE id = $1", true),
        ("UPDATE account SET permissions = 'admin.nodes' WHERE id = $1", false),
        ("UPDATE account SET permissions = 'files' WHERE id = $1", true),
    ] {
        let changed = world.test.db.write(Lane::Free, async move |tx| tx.exec(sql, &params![alice]).await);
        assert_eq!(changed.await.expect("a change"), 1);
        let entered = enters().await;
        assert_eq!(entered.is_ok(), works, "{sql}");
        if !works {
            assert_eq!(code(entered.map(|_| ())), "not-found");
        }
    }
    let other = links.enter("AAAAAAAAAAAAAAAAAAAAAA", nobody()).await;
    assert_eq!(code(other.map(|_| ())), "not-found");
}

async fn what_is_old_is_forgotten(test: TestDb) {
    let world = World::new(test).await;
    let links = links(&world).await;
    let retention = Retention::new(world.drive.clone());
    let (kept, gone) = (world.folder(None, "kept").await, world.folder(None, "gone").await);
    let (link, token) = make(&world, &links, kept).await;
    make(&world, &links, gone).await;
    let look = async || {
        let visit = links.enter(token.expose(), nobody()).await.expect("it works");
        links.look(&visit).await.expect("a look");
    };
    let pass = async |span: Duration| {
        world.clock.advance(span);
        while retention.round().await.expect("a round") {}
    };
    let events = async || links.events(&world.alice, link.id, None, 100).await.expect("events").items.len();
    let day = Duration::from_secs(24 * 3600);
    pass(Duration::ZERO).await;
    look().await;
    pass(60 * day).await;
    look().await;
    pass(29 * day).await;
    pass(day / 12).await;
    assert_eq!(events().await, 2);
    pass(2 * day).await;
    pass(day / 12).await;
    assert_eq!(events().await, 1);
    assert_eq!(links.get(&world.alice, link.id).await.expect("the link").opens, 2);

    // A link goes when its entry is gone for good, and not while that is in the trash.
    assert_eq!(world.number("SELECT COUNT(*) FROM link").await, 2);
    world.drive.remove(&world.alice, gone, None).await.expect("it is gone");
    world.work_off().await;
    pass(day / 12).await;
    pass(day / 12).await;
    assert_eq!(world.number("SELECT COUNT(*) FROM link").await, 1);
}

async fn drop_boxes_have_a_bound(test: TestDb) {
    let world = World::new(test).await;
    let links = links(&world).await;
    let folder = world.folder(None, "box").await;
    let (link, token) = make(&world, &links, folder).await;
    let update = LinkUpdate { mode: Some(Mode::Upload), ..LinkUpdate::default() };
    links.update(&world.alice, link.id, update).await.expect("another mode");
    let put = async || {
        let visit = links.enter(token.expose(), nobody()).await.expect("it works");
        links.upload(&visit, name("same"), None, None, body(b"")).await
    };
    Box::pin(put()).await.expect("a file");
    let used = "UPDATE link SET uploads = 10000";
    let changed = world.test.db.write(Lane::Free, async move |tx| tx.exec(used, &[]).await);
    assert_eq!(changed.await.expect("a change"), 1);
    assert_eq!(code(put().await), "link-used-up");
    assert_eq!(world.names(folder).await, ["same"]);
}
