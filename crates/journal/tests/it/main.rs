//! The journal on both databases: gapless whatever happens, and never half a page.

use std::collections::HashMap;

use base::{AccountId, EntryId, Ids, SpaceId};
use db::{Lane, accounts::NewAccount, params, spaces::NewSpace};
use journal::{Change, Cursor, Error, Item, Journal, Kind};
use serde_json::{Value, json};
use testkit::{clock::TestClock, database::TestDb};
use tokio::task::JoinSet;

testkit::both! {
    a_change_reads_as_it_was_written,
    pages_follow_each_other,
    cursors_that_cannot_be_continued_are_refused,
    no_hole_under_200_appends_at_once,
    spaces_number_on_their_own,
    failing_units_leave_no_hole,
    kinds_of_a_newer_version_do_not_stop_paging,
    a_hole_is_never_served,
}

struct Fixture {
    test: TestDb,
    ids: Ids,
    owner: AccountId,
}

impl Fixture {
    async fn new(test: TestDb) -> Self {
        let ids = Ids::new(TestClock::new().handle(), 1);
        let owner = ids.account();
        test.db
            .write(Lane::Free, async move |tx| {
                let account = NewAccount {
                    id: owner,
                    name: "ada",
                    name_key: "ada",
                    display_name: "Ada",
                    password_hash: "",
                    permissions: "files",
                    created: base::Time::default(),
                    language: "en",
                };
                db::accounts::insert_account(&tx, &account).await
            })
            .await
            .expect("an account");
        Self { test, ids, owner }
    }

    async fn space(&self) -> SpaceId {
        let (id, owner, root) = (self.ids.space(), self.owner, self.ids.entry());
        self.test
            .db
            .write(Lane::Free, async move |tx| {
                let space = NewSpace {
                    id,
                    kind: "personal",
                    owner,
                    name: "s",
                    root,
                    quota_bytes: None,
                    quota_own: false,
                    created: base::Time::default(),
                };
                db::spaces::insert_space(&tx, &space).await
            })
            .await
            .expect("a space");
        id
    }

    fn change(&self, space: SpaceId) -> Change<Value> {
        Change {
            space,
            kind: Kind::Created,
            entry: self.ids.entry(),
            revision: 1,
            actor: Some(self.owner),
            operation: None,
            at: base::Time::from_micros(7),
            state: Some(json!({"name": "a"})),
            inverse: None,
            takes_back: None,
        }
    }

    async fn append(&self, change: Change<Value>) -> Result<u64, Error> {
        append(&self.test.db, change).await
    }

    async fn read(&self, space: SpaceId, since: Option<Cursor>, limit: u32) -> Result<journal::Page, Error> {
        Journal::changes(&self.test.db, space, since, limit).await
    }

    /// Everything in the space, in pages of seven.
    async fn all(&self, space: SpaceId) -> Vec<Item> {
        let (mut items, mut since) = (Vec::new(), None);
        loop {
            let page = self.read(space, since, 7).await.expect("a page");
            items.extend(page.items);
            since = Some(page.next);
            if !page.more {
                return items;
            }
        }
    }
}

async fn append(db: &db::Db, change: Change<Value>) -> Result<u64, Error> {
    db.write(Lane::Space(change.space), async move |tx| journal::append(&tx, change).await).await
}

fn numbers(items: &[Item]) -> Vec<u64> {
    items.iter().map(|item| item.sequence).collect()
}

async fn a_change_reads_as_it_was_written(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let space = fixture.space().await;
    let full = Change {
        kind: Kind::Moved,
        operation: Some(fixture.ids.job().0),
        inverse: Some(json!({"parent": null})),
        ..fixture.change(space)
    };
    let bare = Change { kind: Kind::Deleted, actor: None, state: None, ..fixture.change(space) };
    assert_eq!(fixture.append(full.clone()).await.expect("appended"), 1);
    assert_eq!(fixture.append(bare.clone()).await.expect("appended"), 2);
    let page = fixture.read(space, None, 100).await.expect("a page");
    assert_eq!((page.next, page.more), (Cursor { epoch: 1, sequence: 2 }, false));
    for (item, change) in page.items.iter().zip([full, bare]) {
        assert_eq!(item.known_kind(), Some(change.kind));
        assert_eq!(
            (item.entry, item.revision, item.actor, item.operation, item.at, &item.state, &item.inverse),
            (change.entry, change.revision, change.actor, change.operation, change.at, &change.state, &change.inverse)
        );
    }
}

async fn pages_follow_each_other(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let space = fixture.space().await;
    let empty = fixture.read(space, None, 3).await.expect("an empty page");
    assert_eq!((empty.items.len(), empty.more, empty.next.to_string().as_str()), (0, false, "1.0"));
    for _ in 0..8 {
        fixture.append(fixture.change(space)).await.expect("appended");
    }
    let first = fixture.read(space, Some(empty.next), 3).await.expect("a page");
    assert_eq!((numbers(&first.items), first.more), (vec![1, 2, 3], true));
    let second = fixture.read(space, Some(first.next), 5).await.expect("a page");
    assert_eq!((numbers(&second.items), second.more), (vec![4, 5, 6, 7, 8], false));
    // At the end a cursor stays where it is, and nothing else happens.
    let third = fixture.read(space, Some(second.next), 5).await.expect("a page");
    assert_eq!((third.items.len(), third.more, third.next), (0, false, second.next));
    assert_eq!(fixture.read(space, None, 0).await.expect("a page").items.len(), 1);
}

async fn cursors_that_cannot_be_continued_are_refused(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let space = fixture.space().await;
    for _ in 0..3 {
        fixture.append(fixture.change(space)).await.expect("appended");
    }
    let gone = async |epoch, sequence| {
        let result = fixture.read(space, Some(Cursor { epoch, sequence }), 10).await;
        matches!(result, Err(Error::CursorGone))
    };
    assert!(gone(2, 1).await && gone(0, 1).await, "another epoch");
    assert!(gone(1, 4).await && gone(1, i64::MAX as u64).await, "ahead of the journal");
    assert!(!gone(1, 3).await && !gone(1, 0).await);
    let nowhere = fixture.read(fixture.ids.space(), None, 10).await;
    assert!(matches!(nowhere, Err(Error::SpaceUnknown)));
    let nowhere = fixture.append(fixture.change(fixture.ids.space())).await;
    assert!(matches!(nowhere, Err(Error::SpaceUnknown)));
}

async fn no_hole_under_200_appends_at_once(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let space = fixture.space().await;
    let mut tasks = JoinSet::new();
    let mut entries = HashMap::new();
    for number in 0..200u64 {
        let change = Change { revision: number, ..fixture.change(space) };
        entries.insert(change.entry, number);
        let db = fixture.test.db.clone();
        tasks.spawn(async move { (change.entry, append(&db, change).await.expect("appended")) });
    }
    let given: HashMap<EntryId, u64> = tasks.join_all().await.into_iter().collect();
    let items = fixture.all(space).await;
    assert_eq!(numbers(&items), (1..=200).collect::<Vec<_>>());
    for item in items {
        assert_eq!((given[&item.entry], entries[&item.entry]), (item.sequence, item.revision));
    }
}

async fn spaces_number_on_their_own(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let mut spaces = Vec::new();
    for _ in 0..5 {
        spaces.push(fixture.space().await);
    }
    let mut tasks = JoinSet::new();
    for _ in 0..40 {
        for &space in &spaces {
            let (db, change) = (fixture.test.db.clone(), fixture.change(space));
            tasks.spawn(async move { append(&db, change).await.expect("appended") });
        }
    }
    tasks.join_all().await;
    for space in spaces {
        assert_eq!(numbers(&fixture.all(space).await), (1..=40).collect::<Vec<_>>());
    }
}

async fn failing_units_leave_no_hole(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let space = fixture.space().await;
    let mut tasks = JoinSet::new();
    for number in 0..120u64 {
        let (db, change) = (fixture.test.db.clone(), fixture.change(space));
        tasks.spawn(async move {
            db.write(Lane::Space(space), async move |tx| {
                let sequence = journal::append(&tx, change).await?;
                match number % 3 {
                    // The caller changes its mind.
                    0 => Err(Error::CursorGone),
                    // A statement fails: the number has its row already.
                    1 => {
                        tx.exec(
                            "INSERT INTO journal (space_id, sequence, kind, entry_id, revision, at_us)
                             VALUES ($1, $2, 'x', $1, 1, 1)",
                            &params![space, sequence],
                        )
                        .await?;
                        Ok(sequence)
                    }
                    _ => Ok(sequence),
                }
            })
            .await
            .is_ok()
        });
    }
    let kept = tasks.join_all().await.into_iter().filter(|kept| *kept).count();
    assert_eq!(kept, 40);
    assert_eq!(numbers(&fixture.all(space).await), (1..=40).collect::<Vec<_>>());
}

async fn kinds_of_a_newer_version_do_not_stop_paging(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let space = fixture.space().await;
    for _ in 0..3 {
        fixture.append(fixture.change(space)).await.expect("appended");
    }
    fixture
        .test
        .db
        .write(Lane::Space(space), async move |tx| {
            tx.exec("UPDATE journal SET kind = 'foretold' WHERE space_id = $1 AND sequence = 2", &params![space]).await
        })
        .await
        .expect("a newer version was here");
    let items = fixture.all(space).await;
    let kinds: Vec<_> = items.iter().map(|item| (item.kind.as_str(), item.known_kind())).collect();
    let known = ("created", Some(Kind::Created));
    assert_eq!(kinds, [known, ("foretold", None), known]);
}

async fn a_hole_is_never_served(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let space = fixture.space().await;
    for _ in 0..9 {
        fixture.append(fixture.change(space)).await.expect("appended");
    }
    let delete = async |sequence: u64| {
        let delete = async move |tx: db::Tx| {
            tx.exec("DELETE FROM journal WHERE space_id = $1 AND sequence = $2", &params![space, sequence]).await
        };
        fixture.test.db.write(Lane::Space(space), delete).await.expect("deleted");
    };
    let since = |sequence| Some(Cursor { epoch: 1, sequence });
    // The beginning was removed as too old: who is behind begins anew, who is beyond goes on.
    delete(1).await;
    assert!(matches!(fixture.read(space, None, 5).await, Err(Error::CursorGone)));
    assert_eq!(numbers(&fixture.read(space, since(1), 3).await.expect("a page").items), [2, 3, 4]);
    // A hole in the middle must not exist: it is told, not skipped.
    delete(6).await;
    assert!(matches!(fixture.read(space, since(1), 8).await, Err(Error::Damaged { at: 6 })));
    delete(9).await;
    assert!(matches!(fixture.read(space, since(6), 8).await, Err(Error::Damaged { at: 9 })));
}
