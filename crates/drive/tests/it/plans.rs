//! Plans: every door obeys them, nothing goes at once when one is lowered, and no space keeps limits that its plan has no longer.

use std::time::Duration;

use accounts::{Accounts, Permission, Permissions, Principal, Role};
use base::{Ids, PlanId, SpaceId};
use drive::{
    Actor, Admin, Append, Assignment, By, Copy, Error, Grant, Holder, IfMatch, Keep, Limits, Links, Mode, NewGrant,
    NewLink, NewPlan, NewUpload, OnConflict, PlanUpdate, Put, Subject, Target, Update, UploadKind, Which,
    jobs::Retention,
};
use futures::future::join_all;
use testkit::database::TestDb;

use crate::world::{World, body, bytes, child, code, name, space_of};

testkit::both! {
    every_door_knows_the_largest_file, a_lowered_plan_removes_nothing_at_once, links_have_a_limit, members_have_a_limit,
    a_space_keeps_no_more_than_its_plan, plans_are_made_given_and_removed, limits_and_plans_never_part,
    only_who_may_see_a_space_is_told_what_fills_it, quotas_of_one_space,
}

pub(crate) struct Office {
    pub(crate) admin: Admin,
    pub(crate) boss: Actor,
    pub(crate) accounts: Accounts,
}

impl Office {
    pub(crate) async fn of(world: &World) -> Self {
        let ids = Ids::new(world.clock.handle(), 7);
        let accounts = Accounts::open(world.test.db.clone(), world.clock.handle(), ids, accounts::Options::default());
        let accounts = accounts.await.expect("accounts open");
        let person = world.person("boss").await;
        let permissions = Permissions::of([Permission::Files, Permission::AdminUsers]);
        let boss = Actor { principal: Principal { permissions, ..person.principal }, operation: None };
        Self { admin: Admin::new(world.drive.clone(), accounts.clone()), boss, accounts }
    }

    pub(crate) fn by(&self) -> By<'_> {
        By { actor: &self.boss, address: [192, 0, 2, 1].into() }
    }

    pub(crate) async fn plan(&self, name: &str, limits: Limits) -> PlanId {
        let new = NewPlan { name: name.to_owned(), limits, ..NewPlan::default() };
        self.admin.make_plan(self.by(), new).await.expect("a plan").id
    }

    pub(crate) async fn give(&self, plan: Option<PlanId>, space: SpaceId) {
        let wanted = Assignment { plan, to: vec![Holder::Space(space)], preview: false };
        let done = self.admin.assign_plan(self.by(), wanted).await.expect("an answer");
        assert!(done.iter().all(Result::is_ok), "{done:?}");
    }
}

fn new_upload(name_: &str, length: Option<u64>) -> NewUpload {
    NewUpload {
        parent: None,
        name: name(name_),
        content_type: None,
        on_conflict: OnConflict::Fail,
        length,
        kind: UploadKind::Whole,
        metadata: String::new(),
    }
}

async fn every_door_knows_the_largest_file(test: TestDb) {
    const MOST: usize = 5000;
    let world = World::new(test).await;
    let office = Office::of(&world).await;
    // What came before the plan stays, and makes nothing new of itself.
    let large = world.put(None, "large", &bytes(MOST + 1)).await.expect("no limit yet").entry;
    let old = large.file().expect("a file").version;
    let over = Put {
        target: Target::File { id: large.id, if_match: None::<IfMatch> },
        content_type: None,
        length: None,
        blake3: None,
    };
    world.drive.put(&world.alice, over.clone(), body(b"small")).await.expect("a new version");
    let folder = world.folder(None, "folder").await;
    world.put(Some(folder), "inside", &bytes(MOST + 1)).await.expect("no limit yet");
    let limits = Limits { file_bytes: Some(MOST as u64), ..Limits::default() };
    let plan = office.plan("small files", limits).await;
    office.give(Some(plan), space_of(&world.alice)).await;

    let put = async |name: &str, length: usize, announced: bool| {
        let announced = announced.then_some(length as u64);
        let put = Put { length: announced, ..child(None, name, OnConflict::Fail) };
        code(world.drive.put(&world.alice, put, body(&bytes(length))).await)
    };
    assert_eq!((put("a", MOST + 1, true).await, put("a", MOST + 1, false).await), ("plan-file-size", "plan-file-size"));
    assert_eq!((put("a", MOST, true).await, put("b", MOST, false).await), ("ok", "ok"));
    let result = world.drive.put(&world.alice, over, body(&bytes(MOST + 1))).await;
    assert_eq!(code(result), "plan-file-size");

    let begin = async |length| world.drive.create_upload(&world.alice, new_upload("c", length)).await;
    assert_eq!(code(begin(Some(MOST as u64 + 1)).await), "plan-file-size");
    let id = begin(None).await.expect("an upload").id;
    assert_eq!(code(world.drive.declare_length(&world.alice, id, MOST as u64 + 1).await), "plan-file-size");
    let append = Append { offset: 0, length: None, checksum: None };
    let result = world.drive.append(&world.alice, id, append, body(&bytes(MOST + 1))).await;
    assert_eq!(code(result), "plan-file-size");
    world.drive.terminate(&world.alice, id).await.expect("ended");

    let restored = world.drive.restore_version(&world.alice, large.id, old, None).await;
    assert_eq!(code(restored), "plan-file-size");
    let undone = world.drive.undo(&world.alice, space_of(&world.alice), Which::Sequence(2)).await;
    assert_eq!(code(undone), "plan-file-size");
    let copy = Copy { name: Some(name("copy")), ..Copy::default() };
    assert_eq!(code(world.drive.copy(&world.alice, folder, copy).await), "plan-file-size");

    // From a space with room for it into this one: copied or moved.
    let team = world.drive.create_space(&world.alice, "team").await.expect("a space");
    let there = world.put(Some(team.root), "there", &bytes(MOST + 1)).await.expect("no limit there").entry;
    let home = Some(world.alice.principal.root);
    let copy = Copy { parent: home, ..Copy::default() };
    assert_eq!(code(world.drive.copy(&world.alice, there.id, copy).await), "plan-file-size");
    let update = Update { parent: home, ..Update::default() };
    assert_eq!(code(world.drive.update(&world.alice, there.id, update).await), "plan-file-size");

    // Everything can still be read, moved within the space, put into the trash and taken out of it.
    let inside = world.drive.resolve(&world.alice, space_of(&world.alice), "folder/inside").await.expect("it is there");
    assert_eq!(world.read(inside.id).await.expect("its bytes").len(), MOST + 1);
    let update = Update { parent: home, ..Update::default() };
    world.drive.update(&world.alice, inside.id, update).await.expect("moved");
    world.drive.trash(&world.alice, inside.id, None).await.expect("in the trash");
    let back = drive::Restore { parent: None, name: None, on_conflict: OnConflict::Fail };
    world.drive.restore(&world.alice, inside.id, back).await.expect("out of it");
    world.check().await;
}

async fn a_lowered_plan_removes_nothing_at_once(test: TestDb) {
    let world = World::with(test, |options| options.versions_kept = 10).await;
    let office = Office::of(&world).await;
    let generous = Limits { storage_bytes: Some(1 << 20), ..Limits::default() };
    let plan = office.plan("generous", generous).await;
    let space = space_of(&world.alice);
    office.give(Some(plan), space).await;
    for size in 1..=6 {
        // Versions are in the order of their ids, which is that of their milliseconds.
        world.clock.advance(Duration::from_secs(1));
        world.put_with(None, "f", OnConflict::Replace, &bytes(1000 * size)).await.expect("a version");
    }
    let file = world.drive.resolve(&world.alice, space, "f").await.expect("it is there");
    for name in ["old", "older"] {
        let entry = world.put(None, name, b"trash").await.expect("a file").entry;
        world.drive.trash(&world.alice, entry.id, None).await.expect("in the trash");
    }
    world.clock.advance(Duration::from_secs(10 * 86_400));
    let fresh = world.put(None, "fresh", b"trash").await.expect("a file").entry;
    world.drive.trash(&world.alice, fresh.id, None).await.expect("in the trash");
    let used = world.used().await;

    let update = PlanUpdate {
        storage_bytes: Some(Some(5000)),
        versions_kept: Some(Some(3)),
        trash_days: Some(Some(7)),
        ..PlanUpdate::default()
    };
    for preview in [true, false] {
        let change = office.admin.change_plan(office.by(), plan, update.clone(), preview).await.expect("told");
        let effect = change.effect;
        assert_eq!((effect.spaces, effect.over_storage, change.plan.spaces), (1, 1, 1), "{effect:?}");
        // Of five older versions two stay; of the trash what is younger than a week.
        assert_eq!((effect.versions, effect.versions_bytes, effect.trashed), (3, 1000 + 2000 + 3000, 2), "{effect:?}");
        assert_eq!(world.used().await, used);
        let limits = office.admin.plan(&office.boss, plan).await.expect("a plan").limits;
        assert_eq!(limits.storage_bytes, Some(if preview { 1 << 20 } else { 5000 }));
    }
    // Nothing new comes in, everything can be read, and what is there already can be moved and removed.
    assert_eq!(code(world.put(None, "new", b"x").await), "quota-exceeded");
    assert_eq!(world.read(file.id).await.expect("its bytes").len(), 6000);
    assert_eq!(world.drive.versions(&world.alice, file.id, None, 100).await.expect("versions").items.len(), 6);
    let keeping = world.drive.keeping(&world.alice, space).await.expect("what holds").now;
    assert_eq!((keeping.versions_kept, keeping.trash_days), (Some(3), Some(7)));

    let shown = world.drive.trashed(&world.alice, space, None, 10).await.expect("the trash").items;
    assert!(shown.iter().all(|one| one.until == Some(one.at.plus(Duration::from_secs(7 * 86_400)))));
    let retention = Retention::new(world.drive.clone());
    retention.round().await.expect("the first look only looks");
    world.clock.advance(Duration::from_secs(3600));
    while retention.round().await.expect("a round") {}
    assert_eq!(world.number("SELECT COUNT(*) FROM trash").await, 1, "what is younger than a week stays");
    world.work_off().await;
    // Room again, for less than was there: then the next version ends those that are too many.
    office.admin.set_quota(office.by(), space, Some(Some(1 << 20))).await.expect("more room");
    world.put_with(None, "f", OnConflict::Replace, b"seventh").await.expect("a version");
    assert_eq!(world.drive.versions(&world.alice, file.id, None, 100).await.expect("versions").items.len(), 3);
    world.check().await;
}

fn link() -> NewLink {
    NewLink { mode: Mode::Download, name: None, note: None, password: None, expires: None, download_limit: None }
}

async fn links_have_a_limit(test: TestDb) {
    let world = World::new(test).await;
    let office = Office::of(&world).await;
    let links = Links::new(world.drive.clone(), office.accounts.clone());
    let plan = office.plan("links", Limits { links: Some(3), ..Limits::default() }).await;
    office.give(Some(plan), space_of(&world.alice)).await;
    let folder = world.folder(None, "folder").await;
    let made = join_all((0..10).map(|_| links.create(&world.alice, folder, link()))).await;
    let codes: Vec<_> = made.into_iter().map(code).collect();
    assert_eq!(codes.iter().filter(|code| **code == "ok").count(), 3, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| **code == "plan-links").count(), 7, "{codes:?}");
    // Links that come along with what is moved here count too.
    let team = world.drive.create_space(&world.alice, "team").await.expect("a space");
    let there = world.put(Some(team.root), "there", b"x").await.expect("a file").entry;
    let moving = links.create(&world.alice, there.id, link()).await.expect("no limit there");
    let home = Update { parent: Some(world.alice.principal.root), ..Update::default() };
    assert_eq!(code(world.drive.update(&world.alice, there.id, home.clone()).await), "plan-links");
    links.delete(&world.alice, moving.id).await.expect("it is gone");
    world.drive.update(&world.alice, there.id, home).await.expect("moved without it");
    let uses = world.drive.plan_use(&world.alice, space_of(&world.alice)).await.expect("its plan");
    assert_eq!((uses.links, uses.plan.map(|(_, name)| name)), (3, Some("links".to_owned())));
    world.check().await;
}

async fn members_have_a_limit(test: TestDb) {
    let world = World::new(test).await;
    let office = Office::of(&world).await;
    let plan = office.plan("five", Limits { members: Some(5), ..Limits::default() }).await;
    let team = world.drive.create_space(&world.alice, "team").await.expect("a space");
    office.give(Some(plan), team.id).await;
    let mut people = Vec::new();
    for name in ["p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8"] {
        people.push(world.person(name).await);
    }
    let give = async |subject, role| -> Result<Grant, Error> {
        let new = NewGrant { subject, role, expires: None };
        world.drive.give(&world.alice, team.root, new).await.map(|(grant, _)| grant)
    };
    let account = |actor: &Actor| Subject::Account(actor.principal.account);
    let given = join_all(people[..6].iter().map(|person| give(account(person), Role::Viewer))).await;
    let grants: Vec<Grant> = given.iter().filter_map(|one| one.as_ref().ok().cloned()).collect();
    let codes: Vec<_> = given.into_iter().map(code).collect();
    assert_eq!(grants.len(), 4, "four beside who made it: {codes:?}");
    assert_eq!(codes.iter().filter(|code| **code == "plan-members").count(), 2, "{codes:?}");
    // Who is in can be given more; everyone is too many; a group counts with its people, each of them once.
    assert_eq!(code(give(grants[0].subject, Role::Editor).await), "ok");
    assert_eq!(code(give(Subject::Everyone, Role::Viewer).await), "plan-members");
    let both = world.group("both", &[&people[6], &people[7]]).await;
    world.drive.take(&world.alice, grants[0].id).await.expect("taken back");
    assert_eq!(code(give(Subject::Group(both), Role::Viewer).await), "plan-members");
    world.drive.take(&world.alice, grants[1].id).await.expect("taken back");
    assert_eq!(code(give(Subject::Group(both), Role::Viewer).await), "ok");
    let known = world.group("known", &[&people[6], &world.alice]).await;
    assert_eq!(code(give(Subject::Group(known), Role::Viewer).await), "ok");
    // What was taken does not come back by undo either.
    let newest = world.drive.undo(&world.alice, team.id, Which::Sequence(grants_taken(&world, team.id).await)).await;
    assert_eq!(code(newest), "plan-members");
    // A folder of it may be shared with more.
    let folder = world.folder(Some(team.root), "folder").await;
    let new = NewGrant { subject: Subject::Everyone, role: Role::Viewer, expires: None };
    world.drive.give(&world.alice, folder, new).await.expect("shared");
    let uses = world.drive.plan_use(&world.alice, team.id).await.expect("its plan");
    assert_eq!((uses.members, uses.limits.members), (5, Some(5)));
}

/// The change of a team's space that took the first grant back: the maker's grant is no change, so four gifts and a change of
/// one come before.
async fn grants_taken(world: &World, space: SpaceId) -> u64 {
    let changes = world.drive.changes(&world.alice, space, None, 100).await.expect("changes");
    changes.items[5].sequence
}

async fn a_space_keeps_no_more_than_its_plan(test: TestDb) {
    let world = World::new(test).await;
    let office = Office::of(&world).await;
    let (alice, space) = (&world.alice, space_of(&world.alice));
    let keep = async |trash_days, versions_kept| {
        let keep = Keep { trash_days, versions_kept, version_days: None };
        let kept = world.drive.keep(alice, space, keep).await;
        kept.map(|it| (it.now.trash_days.expect("days"), it.now.versions_kept.expect("versions")))
    };
    assert_eq!(keep(Some(Some(0)), Some(Some(50))).await.expect("no plan, no limit"), (0, 50));
    let limits = Limits { trash_days: Some(14), versions_kept: Some(20), ..Limits::default() };
    office.give(Some(office.plan("strict", limits).await), space).await;
    // What it said before is no more than the plan allows, without anybody saying so anew.
    assert_eq!(world.drive.keeping(alice, space).await.expect("what holds").now.trash_days, Some(14));
    for (trash_days, versions_kept) in [(Some(Some(0)), None), (Some(Some(15)), None), (None, Some(Some(21)))] {
        assert_eq!(code(keep(trash_days, versions_kept).await), "beyond-plan");
    }
    assert_eq!(keep(Some(Some(14)), Some(Some(5))).await.expect("no more than the plan"), (14, 5));
    assert_eq!(keep(Some(Some(3)), Some(None)).await.expect("what the plan says"), (3, 20));
    office.give(None, space).await;
    assert_eq!(keep(Some(None), None).await.expect("as the server says"), (30, crate::world::VERSIONS));
}

async fn plans_are_made_given_and_removed(test: TestDb) {
    let world = World::new(test).await;
    let office = Office::of(&world).await;
    let admin = &office.admin;
    assert_eq!(code(admin.plans(&world.alice, "", 10).await), "permission-missing");
    for (name, limits) in [
        (" ", Limits::default()),
        ("x", Limits { versions_kept: Some(0), ..Limits::default() }),
        ("x", Limits { trash_days: Some(0), ..Limits::default() }),
        ("x", Limits { storage_bytes: Some(u64::MAX), ..Limits::default() }),
        ("x", Limits { members: Some(0), ..Limits::default() }),
    ] {
        let new = NewPlan { name: name.to_owned(), limits, ..NewPlan::default() };
        assert_eq!(code(admin.make_plan(office.by(), new).await), "invalid-plan", "{limits:?}");
    }
    let everything = Limits {
        storage_bytes: Some(1000),
        file_bytes: Some(500),
        versions_kept: Some(2),
        trash_days: Some(3),
        links: Some(4),
        members: Some(5),
    };
    let new = NewPlan { name: " Team ".to_owned(), limits: everything, for_personal: false, for_team: true };
    let team = admin.make_plan(office.by(), new.clone()).await.expect("a plan");
    assert_eq!((team.name.as_str(), team.limits, team.for_team), ("Team", everything, true));
    assert_eq!(code(admin.make_plan(office.by(), NewPlan { name: "TEAM".to_owned(), ..new }).await), "plan-name-taken");
    let other = office.plan("other", Limits::default()).await;
    let rename = PlanUpdate { name: Some("teaM".to_owned()), ..PlanUpdate::default() };
    assert_eq!(code(admin.change_plan(office.by(), other, rename, false).await), "plan-name-taken");

    // New spaces of the kind get it, others do not, and there is one plan for each kind at most.
    let space = world.drive.create_space(&world.alice, "team").await.expect("a space");
    assert_eq!(space.quota_bytes, Some(1000));
    let uses = world.drive.plan_use(&world.alice, space.id).await.expect("its plan");
    assert_eq!((uses.plan, uses.limits), (Some((team.id, "Team".to_owned())), everything));
    let turn = PlanUpdate { for_team: Some(true), ..PlanUpdate::default() };
    admin.change_plan(office.by(), other, turn, false).await.expect("changed");
    let plans = admin.plans(&office.boss, "", 10).await.expect("plans").items;
    let seen: Vec<_> = plans.iter().map(|plan| (plan.name.as_str(), plan.for_team, plan.spaces)).collect();
    assert_eq!(seen, [("other", true, 0), ("Team", false, 1)]);

    // One that cannot be given it does not stop the others.
    let nobody = SpaceId::from_bytes([9; 16]);
    let to = vec![Holder::Person(world.bob.principal.account), Holder::Space(nobody), Holder::Space(space.id)];
    for preview in [true, false] {
        let wanted = Assignment { plan: Some(team.id), to: to.clone(), preview };
        let done: Vec<_> = admin.assign_plan(office.by(), wanted).await.expect("an answer");
        let codes: Vec<_> = done.into_iter().map(code).collect();
        assert_eq!(codes, ["ok", "not-found", "ok"]);
        let has = world.drive.plan_use(&world.bob, space_of(&world.bob)).await.expect("a plan");
        assert_eq!((has.plan.is_none(), has.limits.storage_bytes == Some(100_000)), (preview, preview));
    }
    assert_eq!(code(admin.remove_plan(office.by(), team.id).await), "plan-in-use");
    for space in [space.id, space_of(&world.bob)] {
        office.give(None, space).await;
    }
    admin.remove_plan(office.by(), team.id).await.expect("it is gone");
    assert_eq!(code(admin.plan(&office.boss, team.id).await), "not-found");
    let log = office.accounts.audit(&office.boss.principal, &Default::default(), None, 100).await.expect("the log");
    let count = |action| log.items.iter().filter(|line| line.action == action).count();
    assert_eq!(["plan-made", "plan-changed", "plan-given", "plan-removed"].map(count), [2, 1, 4, 1], "{:?}", log.items);
    let given = log.items.iter().filter(|line| line.account == Some(world.bob.principal.account));
    assert!(given.clone().count() == 2 && given.into_iter().all(|line| line.action == "plan-given"));
}

async fn limits_and_plans_never_part(test: TestDb) {
    let world = World::new(test).await;
    let office = Office::of(&world).await;
    let new = NewPlan { name: "team".to_owned(), for_team: true, ..NewPlan::default() };
    let plan = office.admin.make_plan(office.by(), new).await.expect("a plan").id;
    let other = office.plan("other", Limits::default()).await;
    for round in 0..5 {
        let lower = async |bytes: u64| {
            let update = PlanUpdate { storage_bytes: Some(Some(bytes)), ..PlanUpdate::default() };
            office.admin.change_plan(office.by(), plan, update, false).await.map(drop)
        };
        let make = async |n: u64| world.drive.create_space(&world.alice, &format!("{round} {n}")).await.map(drop);
        let swap = async |to| {
            office.give(Some(to), space_of(&world.bob)).await;
            Ok(())
        };
        let (made, lowered, swapped) = futures::join!(
            join_all((0..6).map(make)),
            join_all((0..4).map(|n| lower(1000 + round * 10 + n))),
            join_all([plan, other, plan].map(swap))
        );
        for result in made.into_iter().chain(lowered).chain(swapped) {
            result.expect("it is done");
        }
        assert_eq!(
            world
                .number(
                    "SELECT COUNT(*) FROM space s JOIN plan p ON p.id = s.plan_id
                     WHERE s.quota_own = 0 AND COALESCE(s.quota_bytes, -1) <> COALESCE(p.storage_bytes, -1)"
                )
                .await,
            0,
            "round {round}"
        );
    }
}

async fn only_who_may_see_a_space_is_told_what_fills_it(test: TestDb) {
    let world = World::new(test).await;
    let office = Office::of(&world).await;
    let links = Links::new(world.drive.clone(), office.accounts.clone());
    let limits = Limits { storage_bytes: Some(10_000), ..Limits::default() };
    office.give(Some(office.plan("small", limits).await), space_of(&world.alice)).await;
    let folder = world.folder(None, "folder").await;
    world.put_with(None, "f", OnConflict::Replace, &bytes(1000)).await.expect("a version");
    world.put_with(None, "f", OnConflict::Replace, &bytes(2000)).await.expect("a version");
    let trashed = world.put(Some(folder), "trashed", &bytes(3000)).await.expect("a file").entry;
    world.drive.trash(&world.alice, trashed.id, None).await.expect("in the trash");
    world.drive.create_upload(&world.alice, new_upload("u", Some(3500))).await.expect("an upload");
    for (announced, length) in [(true, 501), (false, 501)] {
        let put = child(Some(folder), "g", OnConflict::Fail);
        let put = Put { length: announced.then_some(length as u64), ..put };
        let refused = world.drive.put(&world.alice, put, body(&bytes(length))).await.expect_err("no room");
        let Error::Quota(Some(told)) = refused else { panic!("{refused}") };
        let meter = told.meter;
        assert_eq!(told.needed, if announced { 501 } else { 0 });
        assert_eq!((meter.files, meter.versions, meter.trash, meter.reserved), (2000, 1000, 3000, 3500));
        assert_eq!((meter.used, meter.quota), (6000, Some(10_000)));
    }
    // In a unit of work it is the same.
    let copy = Copy { name: Some(name("copy")), ..Copy::default() };
    let file = world.drive.resolve(&world.alice, space_of(&world.alice), "f").await.expect("it is there");
    let refused = world.drive.copy(&world.alice, file.id, copy).await.expect_err("no room");
    assert!(matches!(&refused, Error::Quota(Some(told)) if told.needed == 2000), "{refused}");
    assert!(refused.to_string().contains("empty the trash"), "{refused}");
    // Who sees one folder, and who comes by a link, learns that there is no room, and no more.
    let new = NewGrant { subject: Subject::Account(world.bob.principal.account), role: Role::Editor, expires: None };
    world.drive.give(&world.alice, folder, new).await.expect("shared");
    let put = Put { length: Some(501), ..child(Some(folder), "h", OnConflict::Fail) };
    let refused = world.drive.put(&world.bob, put, body(&bytes(501))).await.expect_err("no room");
    assert!(matches!(refused, Error::Quota(None)), "{refused}");
    let boxed = links.create(&world.alice, folder, NewLink { mode: Mode::Upload, ..link() }).await.expect("a link");
    let token = boxed.token.expect("a token");
    let presented = drive::Presented { pass: None, address: [203, 0, 113, 7].into(), client: "curl".to_owned() };
    let visit = links.enter(token.expose(), presented).await.expect("a visit");
    let sent = bytes(501);
    let refused = links.upload(&visit, name("i"), None, None, body(&sent)).await.expect_err("no room");
    assert!(matches!(refused, Error::Quota(None)), "{refused}");
    world.check().await;
}

async fn quotas_of_one_space(test: TestDb) {
    let world = World::new(test).await;
    let office = Office::of(&world).await;
    let plan = office.plan("plan", Limits { storage_bytes: Some(1000), ..Limits::default() }).await;
    let space = space_of(&world.bob);
    office.give(Some(plan), space).await;
    let quota = async || {
        let uses = world.drive.plan_use(&world.bob, space).await.expect("its plan");
        (uses.limits.storage_bytes, uses.quota_own)
    };
    let raise = async |bytes| {
        let update = PlanUpdate { storage_bytes: Some(bytes), ..PlanUpdate::default() };
        office.admin.change_plan(office.by(), plan, update, false).await.expect("changed");
    };
    assert_eq!(quota().await, (Some(1000), false));
    office.admin.set_quota(office.by(), space, Some(Some(5000))).await.expect("set");
    raise(Some(2000)).await;
    assert_eq!(quota().await, (Some(5000), true), "what was set for one space stays when the plan changes");
    office.admin.set_quota(office.by(), space, Some(None)).await.expect("set");
    assert_eq!(quota().await, (None, true));
    office.admin.set_quota(office.by(), space, None).await.expect("set");
    assert_eq!(quota().await, (Some(2000), false));
    raise(None).await;
    assert_eq!(quota().await, (None, false));
}
