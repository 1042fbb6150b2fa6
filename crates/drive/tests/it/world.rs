//! A drive with everything below it, two people, and what must hold at any moment.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use accounts::{Permission, Permissions, Principal};
use base::{EntryId, GroupId, Ids, Name, NodeId, SpaceId};
use bus::{Handler, JobState, Jobs, Tally};
use bytes::Bytes;
use db::{Lane, params, spaces::NewSpace};
use drive::{
    Actor, Body, BodyError, Drive, Entry, Error, NewFolder, OnConflict, Put, Stored, Target,
    jobs::{DissolveHandler, EmptyHandler, Expirer, HashHandler, PurgeHandler},
};
use files::workers::Cleaner;
use files::{Cluster, Membership, Nodes, Store};
use futures::{StreamExt, TryStreamExt, stream};
use proto::Parts;
use tempfile::TempDir;
use testkit::{clock::TestClock, database::TestDb};

/// Bodies up to this long stay in the database.
pub(crate) const INLINE: usize = 64;

/// Bytes of an extent of an upload.
pub(crate) const CHECKPOINT: u64 = 10_000;

/// Versions of a file that are kept.
pub(crate) const VERSIONS: u32 = 3;

pub(crate) struct World {
    pub(crate) drive: Drive,
    pub(crate) clock: TestClock,
    pub(crate) alice: Actor,
    pub(crate) bob: Actor,
    pub(crate) jobs: Jobs,
    ids: Ids,
    cleaner: Cleaner,
    nodes: Vec<Arc<dyn Parts>>,
    pub(crate) test: TestDb,
    _folder: TempDir,
}

impl World {
    pub(crate) async fn new(test: TestDb) -> Self {
        Self::with(test, |_| ()).await
    }

    /// A drive with other options.
    pub(crate) async fn with(test: TestDb, change: impl FnOnce(&mut drive::Options)) -> Self {
        let clock = TestClock::new();
        let ids = Ids::new(clock.handle(), 42);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut local: BTreeMap<NodeId, Arc<dyn Parts>> = BTreeMap::new();
        for index in 0..6 {
            let id = ids.node();
            let options = node::Options {
                reserve_bytes: 0,
                segment_bytes: 4 << 20,
                allocate_bytes: 64 << 10,
                ..node::Options::new(folder.path().join(index.to_string()), Some(id))
            };
            let node = node::Node::open(options, clock.handle()).expect("a node opens in a new folder");
            local.insert(id, Arc::new(node));
        }
        let nodes: Vec<_> = local.values().cloned().collect();
        let none = Box::new(|id: NodeId, _: &str| -> Arc<dyn Parts> { panic!("{id} is not of this process") });
        let registry = Nodes::new(clock.handle(), local, none);
        let options = files::Options {
            parity: files::Parity::Fixed(0),
            inline_max: INLINE,
            checkpoint_bytes: CHECKPOINT,
            ..files::Options::default()
        };
        let store = Store::new(test.db.clone(), registry, clock.handle(), ids.clone(), options).expect("a store");
        let cluster = Cluster::new(store.clone());
        for node in &nodes {
            let health = node.health().await.expect("a node that was just opened");
            let membership = Membership { address: String::new(), version: "test".to_owned(), health, number: None };
            cluster.report(membership).await.expect("a heartbeat");
        }
        cluster.refresh().await.expect("the nodes are known");
        cluster.settle().await.expect("a placement");
        let mut options = drive::Options { versions_kept: VERSIONS, ..drive::Options::default() };
        change(&mut options);
        let drive = Drive::new(test.db.clone(), store.clone(), clock.handle(), ids.clone(), options);
        let jobs = Jobs::new(test.db.clone(), clock.handle(), bus::Options::default());
        let alice = person(&test, &ids, "alice", None).await;
        let bob = person(&test, &ids, "bob", Some(100_000)).await;
        Self { drive, clock, alice, bob, jobs, ids, cleaner: Cleaner::new(store), nodes, test, _folder: folder }
    }

    /// Puts a file into a folder, the root if there is none.
    pub(crate) async fn put(&self, parent: Option<EntryId>, name_: &str, bytes: &[u8]) -> Result<Stored, Error> {
        self.put_with(parent, name_, OnConflict::Fail, bytes).await
    }

    pub(crate) async fn put_with(
        &self,
        parent: Option<EntryId>,
        name_: &str,
        on_conflict: OnConflict,
        bytes: &[u8],
    ) -> Result<Stored, Error> {
        let put = Put { length: Some(bytes.len() as u64), ..child(parent, name_, on_conflict) };
        self.drive.put(&self.alice, put, body(bytes)).await
    }

    pub(crate) async fn folder(&self, parent: Option<EntryId>, name_: &str) -> EntryId {
        self.drive
            .create_folder(&self.alice, NewFolder { id: None, parent, name: name(name_) })
            .await
            .expect("a new folder")
            .id
    }

    pub(crate) async fn read(&self, id: EntryId) -> Result<Vec<u8>, Error> {
        let file = self.drive.open(&self.alice, id).await?;
        let size = file.entry.file().expect("a file has its information").size;
        let pieces: Vec<Bytes> = file.read(0..size).await?.try_collect().await?;
        Ok(pieces.concat())
    }

    /// Names in a folder.
    pub(crate) async fn names(&self, folder: EntryId) -> Vec<String> {
        let page = self.drive.children(&self.alice, folder, None, 1000).await.expect("a listing");
        page.items.into_iter().map(|entry| entry.name).collect()
    }

    pub(crate) async fn entry(&self, id: EntryId) -> Entry {
        self.drive.stat(&self.alice, id).await.expect("the entry is there")
    }

    /// A number that a statement gives.
    pub(crate) async fn number(&self, sql: &'static str) -> i64 {
        let (number,): (i64,) = self.test.db.query_one(sql, &params![]).await.expect("a number");
        number
    }

    pub(crate) async fn used(&self) -> u64 {
        self.drive.space(&self.alice, self.alice.principal.space).await.expect("a space").used_bytes
    }

    pub(crate) async fn reserved(&self) -> u64 {
        self.drive.space(&self.alice, self.alice.principal.space).await.expect("a space").reserved_bytes
    }

    /// Does all jobs that wait; how many.
    pub(crate) async fn work_off(&self) -> usize {
        let handlers: [Arc<dyn Handler>; 4] = [
            Arc::new(PurgeHandler::new(self.drive.clone())),
            Arc::new(HashHandler::new(self.drive.clone())),
            Arc::new(EmptyHandler::new(self.drive.clone())),
            Arc::new(DissolveHandler::new(self.drive.clone())),
        ];
        let kinds: Vec<&'static str> = handlers.iter().map(|handler| handler.kind()).collect();
        let mut done = 0;
        while let Some(job) = self.jobs.lease(&kinds, Duration::from_secs(60)).await.expect("a look at the jobs") {
            let handler = handlers.iter().find(|handler| handler.kind() == job.kind).expect("a known kind");
            handler.handle(&job).await.expect("the job can be done");
            self.jobs.complete(&job).await.expect("the lease holds");
            done += 1;
        }
        done
    }

    /// How far a job is, as administrators see it while somebody has leased it.
    pub(crate) async fn tally(&self, job: &bus::Leased) -> Option<Tally> {
        self.jobs.renew(job, Duration::from_secs(60)).await.expect("the lease holds");
        let running = self.jobs.list(JobState::Running, None, 10).await.expect("a list");
        running.into_iter().find(|one| one.id == job.id).expect("it runs").running.and_then(|it| it.tally)
    }

    /// Lets everything expire and be cleaned away that can.
    pub(crate) async fn clean_up(&self) {
        self.drive.settle().await;
        self.work_off().await;
        let expirer = Expirer::new(self.drive.clone());
        // Intents are taken at the second look only, garbage when its grace is over.
        for _ in 0..4 {
            self.clock.advance(Duration::from_secs(24 * 3600 + 1));
            while expirer.round().await.expect("a round of expiry") > 0 {}
            while self.cleaner.round().await.expect("a round of cleaning") {}
        }
    }

    /// What must hold at any moment.
    pub(crate) async fn check(&self) {
        let zero = [
            (
                "bytes in use",
                "SELECT COUNT(*) FROM space s WHERE used_bytes <>
                (SELECT COALESCE(SUM(v.size), 0) FROM version v WHERE v.space_id = s.id)",
            ),
            (
                "bytes reserved",
                "SELECT COUNT(*) FROM space s WHERE reserved_bytes <>
                (SELECT COALESCE(SUM(u.reserved), 0) FROM upload u WHERE u.space_id = s.id)",
            ),
            (
                "references",
                "SELECT COUNT(*) FROM content c WHERE refs <>
                (SELECT COUNT(*) FROM version v WHERE v.content_id = c.id)",
            ),
            (
                "contents",
                "SELECT COUNT(*) FROM version v WHERE NOT EXISTS
                (SELECT 1 FROM content c WHERE c.id = v.content_id AND c.size = v.size)",
            ),
            (
                "extents",
                "SELECT COUNT(*) FROM content c WHERE extents <>
                (SELECT COUNT(*) FROM extent e WHERE e.content_id = c.id AND e.state = 1)",
            ),
            (
                "lengths",
                "SELECT COUNT(*) FROM content c WHERE extents > 0 AND size <>
                (SELECT SUM(e.length) FROM extent e WHERE e.content_id = c.id)",
            ),
            (
                "current versions",
                "SELECT COUNT(*) FROM entry e WHERE kind = 1 AND NOT EXISTS
                (SELECT 1 FROM version v WHERE v.entry_id = e.id AND v.id = e.version_id AND v.size = e.size
                 AND v.content_id = e.content_id)",
            ),
            (
                "versions without a file",
                "SELECT COUNT(*) FROM version v WHERE NOT EXISTS
                (SELECT 1 FROM entry e WHERE e.id = v.entry_id)",
            ),
            (
                "entries without a folder",
                "SELECT COUNT(*) FROM entry e WHERE parent_id IS NOT NULL AND NOT EXISTS
                (SELECT 1 FROM entry p WHERE p.id = e.parent_id AND p.kind = 0)",
            ),
            (
                "versions that are current and replaced",
                "SELECT COUNT(*) FROM version v JOIN entry e ON e.id = v.entry_id
                 WHERE (e.version_id = v.id) <> (v.replaced_us IS NULL)",
            ),
            (
                "the count of the trash",
                "SELECT COUNT(*) FROM space s WHERE trashed <> (SELECT COUNT(*) FROM trash t WHERE t.space_id = s.id)",
            ),
            (
                "entries of the trash",
                "SELECT COUNT(*) FROM trash t WHERE NOT EXISTS
                (SELECT 1 FROM entry e WHERE e.id = t.entry_id AND e.space_id = t.space_id AND e.parent_id IS NULL)",
            ),
            (
                "entries that are nowhere",
                "SELECT COUNT(*) FROM space s WHERE purging + trashed + 1 <>
                (SELECT COUNT(*) FROM entry e WHERE e.space_id = s.id AND e.parent_id IS NULL)",
            ),
            (
                "what is below folders",
                "WITH RECURSIVE up (folder, bytes, files, folders) AS (
                     SELECT parent_id, size, kind, 1 - kind FROM entry WHERE parent_id IS NOT NULL
                     UNION ALL
                     SELECT e.parent_id, up.bytes, up.files, up.folders
                     FROM up JOIN entry e ON e.id = up.folder WHERE e.parent_id IS NOT NULL
                 ), counted (folder, bytes, files, folders) AS (
                     SELECT folder, SUM(bytes), SUM(files), SUM(folders) FROM up GROUP BY folder
                 )
                 SELECT COUNT(*) FROM entry e LEFT JOIN folder_total t ON t.folder_id = e.id
                 LEFT JOIN counted c ON c.folder = e.id
                 WHERE e.kind = 0 AND e.space_id IN (SELECT id FROM space WHERE purging = 0)
                   AND (COALESCE(t.bytes, 0) <> COALESCE(c.bytes, 0) OR COALESCE(t.files, 0) <> COALESCE(c.files, 0)
                        OR COALESCE(t.folders, 0) <> COALESCE(c.folders, 0))",
            ),
            (
                "totals of what is gone",
                "SELECT COUNT(*) FROM folder_total t WHERE NOT EXISTS
                (SELECT 1 FROM entry e WHERE e.id = t.folder_id AND e.space_id = t.space_id AND e.kind = 0)",
            ),
            (
                "tags of what is gone",
                "SELECT COUNT(*) FROM entry_tag t WHERE NOT EXISTS
                (SELECT 1 FROM entry e WHERE e.id = t.entry_id AND e.space_id = t.space_id AND e.extras IS NOT NULL)",
            ),
            (
                "journal",
                "SELECT COUNT(*) FROM space s WHERE sequence <>
                (SELECT COUNT(*) FROM journal j WHERE j.space_id = s.id AND j.sequence <= s.sequence)",
            ),
        ];
        for (what, sql) in zero {
            assert_eq!(self.number(sql).await, 0, "{what}");
        }
    }

    /// Counts anew what is below folders, for tests that put rows into the tree by themselves.
    pub(crate) async fn recount(&self) {
        let counted = self.test.db.write(Lane::Free, async move |tx| {
            tx.exec("DELETE FROM folder_total", &params![]).await?;
            tx.exec(
                "INSERT INTO folder_total (space_id, folder_id, bytes, files, folders)
                 WITH RECURSIVE up (space_id, folder_id, bytes, files, folders) AS (
                     SELECT space_id, parent_id, size, kind, 1 - kind FROM entry WHERE parent_id IS NOT NULL
                     UNION ALL
                     SELECT up.space_id, e.parent_id, up.bytes, up.files, up.folders
                     FROM up JOIN entry e ON e.id = up.folder_id WHERE e.parent_id IS NOT NULL
                 )
                 SELECT space_id, folder_id, SUM(bytes), SUM(files), SUM(folders) FROM up GROUP BY space_id, folder_id",
                &params![],
            )
            .await
        });
        counted.await.expect("counted");
    }

    /// What a space's bytes are made of, compared with the rows and with the parts of the files that can be seen.
    pub(crate) async fn check_usage(&self) {
        let usage = self.drive.usage(&self.alice, self.alice.principal.space).await.expect("the usage");
        assert_eq!(usage.used, self.used().await);
        assert_eq!(usage.files + usage.versions + usage.trash + usage.removing, usage.used, "{usage:?}");
        if usage.removing == 0 {
            let stored = self.number("SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM content").await;
            assert_eq!(usage.stored, stored as u64, "{usage:?}");
        }
        let mut files = 0;
        let mut folders = vec![self.alice.principal.root];
        while let Some(folder) = folders.pop() {
            for entry in self.drive.children(&self.alice, folder, None, 1000).await.expect("a listing").items {
                match entry.file() {
                    Some(info) => files += info.size,
                    None => folders.push(entry.id),
                }
            }
        }
        assert_eq!(usage.files, files, "{usage:?}");
    }

    /// Nothing is left of anything but the roots.
    pub(crate) async fn assert_empty(&self) {
        self.clean_up().await;
        self.check().await;
        assert_eq!(self.number("SELECT COUNT(*) FROM entry").await, 2, "only the two roots are left");
        self.assert_no_bytes().await;
    }

    /// No bytes are kept anywhere, and nothing waits to be done.
    pub(crate) async fn assert_no_bytes(&self) {
        for (what, sql) in [
            ("version", "SELECT COUNT(*) FROM version"),
            ("content", "SELECT COUNT(*) FROM content"),
            ("extent", "SELECT COUNT(*) FROM extent"),
            ("garbage", "SELECT COUNT(*) FROM garbage"),
            ("upload", "SELECT COUNT(*) FROM upload"),
            ("job", "SELECT COUNT(*) FROM job"),
            ("trash", "SELECT COUNT(*) FROM trash"),
            ("purging", "SELECT COUNT(*) FROM space WHERE purging <> 0 OR reserved_bytes <> 0 OR used_bytes <> 0"),
        ] {
            assert_eq!(self.number(sql).await, 0, "{what}");
        }
        for node in &self.nodes {
            assert_eq!(node.list(None, 10).await.expect("a list of parts"), [], "parts");
        }
    }

    /// Somebody else.
    pub(crate) async fn person(&self, name: &'static str) -> Actor {
        person(&self.test, &self.ids, name, None).await
    }

    /// A group of these people.
    pub(crate) async fn group(&self, name: &'static str, people: &[&Actor]) -> GroupId {
        let id = self.ids.group();
        let people: Vec<_> = people.iter().map(|actor| actor.principal.account).collect();
        self.test
            .db
            .write(Lane::Free, async move |tx| {
                assert!(db::groups::insert(&tx, id, name, name, Default::default()).await?);
                for account in people {
                    db::groups::add(&tx, id, account, Default::default()).await?;
                }
                Ok::<_, db::Error>(())
            })
            .await
            .expect("a new group");
        id
    }

    /// An id that nothing has.
    pub(crate) fn nobody(&self) -> EntryId {
        self.ids.entry()
    }
}

async fn person(test: &TestDb, ids: &Ids, name: &'static str, quota: Option<u64>) -> Actor {
    let (account, space, root) = (ids.account(), ids.space(), ids.entry());
    test.db
        .write(Lane::Free, async move |tx| {
            tx.exec(
                "INSERT INTO account (id, name, name_key, display_name, password_hash, permissions, created_us)
                 VALUES ($1, $2, $3, $4, '', 'files share', 0)",
                &params![account, name, name, name],
            )
            .await?;
            let new = NewSpace {
                id: space,
                kind: db::spaces::PERSONAL,
                owner: account,
                name,
                root,
                quota_bytes: quota,
                quota_own: false,
                created: Default::default(),
            };
            db::spaces::insert_space(&tx, &new).await
        })
        .await
        .expect("a new account");
    let permissions = Permissions::of([Permission::Files, Permission::Share]);
    let principal = Principal { account, session: ids.session(), permissions, space, root };
    Actor { principal, operation: None }
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).expect("a good name")
}

pub(crate) fn child(parent: Option<EntryId>, name_: &str, on_conflict: OnConflict) -> Put {
    let target = Target::Child { parent, name: name(name_), on_conflict, id: None };
    Put { target, content_type: None, length: None, blake3: None }
}

/// A body in pieces of 1,000 bytes.
pub(crate) fn body(bytes: &[u8]) -> Body {
    let pieces: Vec<_> = bytes.chunks(1000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    stream::iter(pieces).boxed()
}

/// A body whose sender goes away after these bytes.
pub(crate) fn cut(bytes: &[u8]) -> Body {
    body(bytes).chain(stream::once(async { Err(BodyError::Cut("gone".to_owned())) })).boxed()
}

/// A body that the test sends piece by piece.
pub(crate) fn channel() -> (futures::channel::mpsc::Sender<Result<Bytes, BodyError>>, Body) {
    let (sender, receiver) = futures::channel::mpsc::channel(1);
    (sender, receiver.boxed())
}

/// Bytes that differ from place to place.
pub(crate) fn bytes(length: usize) -> Vec<u8> {
    (0..length as u64).map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
}

pub(crate) fn code<T>(result: Result<T, Error>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(error) => error.code(),
    }
}

pub(crate) fn space_of(actor: &Actor) -> SpaceId {
    actor.principal.space
}
