use db::{Error, Lane, Migration, params};
use testkit::database::{sqlite_with, postgres_with, TestDb};
use uuid::Uuid;
use base::SpaceId;
const S: &[Migration] = &[Migration { name: "b", lite: "
CREATE TABLE space (id BLOB PRIMARY KEY, sequence INTEGER, used INTEGER) WITHOUT ROWID;
CREATE TABLE entry (id BLOB PRIMARY KEY, space_id BLOB, parent_id BLOB, name TEXT, size INTEGER, blake3 BLOB) WITHOUT ROWID;
CREATE UNIQUE INDEX entry_place ON entry(space_id, parent_id, name);
CREATE TABLE version (entry_id BLOB, id BLOB, size INTEGER, PRIMARY KEY (entry_id, id)) WITHOUT ROWID;
CREATE TABLE content (id BLOB PRIMARY KEY, size INTEGER, blake3 BLOB) WITHOUT ROWID;
CREATE TABLE extent (content_id BLOB, position INTEGER, manifest BLOB, state INTEGER, PRIMARY KEY (content_id, position)) WITHOUT ROWID;
CREATE TABLE change (space_id BLOB, sequence INTEGER, entry_id BLOB, inverse TEXT, PRIMARY KEY (space_id, sequence)) WITHOUT ROWID;
", pg: "
CREATE TABLE space (id uuid PRIMARY KEY, sequence bigint, used bigint);
CREATE TABLE entry (id uuid PRIMARY KEY, space_id uuid, parent_id uuid, name TEXT, size bigint, blake3 bytea);
CREATE UNIQUE INDEX entry_place ON entry(space_id, parent_id, name);
CREATE TABLE version (entry_id uuid, id uuid, size bigint, PRIMARY KEY (entry_id, id));
CREATE TABLE content (id uuid PRIMARY KEY, size bigint, blake3 bytea);
CREATE TABLE extent (content_id uuid, position bigint, manifest bytea, state bigint, PRIMARY KEY (content_id, position));
CREATE TABLE change (space_id uuid, sequence bigint, entry_id uuid, inverse TEXT, PRIMARY KEY (space_id, sequence));
" }];
async fn run(test: TestDb, waiters: usize, per: usize, what: &str) {
    let sp = SpaceId(Uuid::now_v7());
    test.db.write(Lane::Free, async move |tx| { tx.exec("INSERT INTO space VALUES ($1, 0, 0)", &params![sp]).await }).await.map_err(|e: Error| e).unwrap();
    let c0 = test.db.commits();
    let t = std::time::Instant::now();
    let mut set = tokio::task::JoinSet::new();
    for w in 0..waiters { let db = test.db.clone(); set.spawn(async move { for n in 0..per {
        db.write(Lane::Space(sp), async move |tx| {
            let (e, v, c) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
            let name = format!("file {w} {n}.txt");
            let (seq,): (i64,) = tx.query_one("UPDATE space SET sequence = sequence + 1, used = used + $2 WHERE id = $1 RETURNING sequence", &params![sp, 16384_i64]).await?;
            let there: Option<(Uuid,)> = tx.query_opt("SELECT id FROM entry WHERE space_id = $1 AND parent_id = $1 AND name = $2", &params![sp, &name]).await?;
            assert!(there.is_none());
            tx.exec("INSERT INTO content VALUES ($1, 16384, $2)", &params![c, &[7u8; 32]]).await?;
            tx.exec("INSERT INTO extent VALUES ($1, 0, $2, 1)", &params![c, &[8u8; 300]]).await?;
            tx.exec("INSERT INTO version VALUES ($1, $2, 16384)", &params![e, v]).await?;
            tx.exec("INSERT INTO entry VALUES ($1, $2, $2, $3, 16384, $4)", &params![e, sp, &name, &[7u8; 32]]).await?;
            tx.exec("INSERT INTO change VALUES ($1, $2, $3, $4)", &params![sp, seq, e, "{\"kind\":\"create\",\"inverse\":\"remove\"}"]).await?;
            Ok::<_, Error>(())
        }).await.unwrap();
    }}); }
    set.join_all().await;
    let s = t.elapsed().as_secs_f64(); let n = waiters * per;
    println!("{what} {waiters} waiters: {:.0} units/s, {:.1} units/commit", n as f64 / s, n as f64 / (test.db.commits() - c0) as f64);
    let t = std::time::Instant::now();
    for _ in 0..5000 { let _: (i64, i64) = test.db.query_one("SELECT sequence, used FROM space WHERE id = $1", &params![sp]).await.unwrap(); }
    println!("{what} point read {:.1} us", t.elapsed().as_secs_f64() / 5000. * 1e6);
    let t = std::time::Instant::now();
    for _ in 0..2000 { test.db.read(async move |tx| { let x: (i64, i64) = tx.query_one("SELECT sequence, used FROM space WHERE id = $1", &params![sp]).await?; Ok::<_, Error>(x) }).await.unwrap(); }
    println!("{what} snapshot read {:.1} us", t.elapsed().as_secs_f64() / 2000. * 1e6);
}
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bench() {
    for (w, p) in [(1, 300), (16, 500), (64, 500), (128, 300)] { run(sqlite_with(S).await, w, p, "sqlite").await; }
    for (w, p) in [(1, 200), (64, 100)] { run(postgres_with(S).await, w, p, "pg").await; }
}
