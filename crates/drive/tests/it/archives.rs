//! Archives: what is in them, that their length is what was said, and that every range is a slice.

use std::collections::BTreeMap;

use base::EntryId;
use bytes::Bytes;
use drive::{Archive, Format};
use futures::TryStreamExt;
use testkit::database::TestDb;

use crate::world::{World, bytes, code, name};

testkit::both! {
    archives_hold_the_tree, ranges_are_slices, what_changes_changes_the_tag, archives_are_bounded_by_rights,
    names_at_the_top_differ, archives_have_a_bound,
}

async fn read(archive: &Archive, range: std::ops::Range<u64>) -> Vec<u8> {
    let pieces: Vec<Bytes> = archive.read(range).await.expect("bytes").try_collect().await.expect("bytes");
    pieces.concat()
}

async fn pack(world: &World, entries: &[EntryId], format: Format) -> Archive {
    world.drive.archive(&world.alice, entries, format).await.expect("an archive")
}

/// A tree with everything that is kept in another way, or named in another way.
async fn tree(world: &World) -> (EntryId, BTreeMap<String, Vec<u8>>) {
    let top = world.folder(None, "top").await;
    let below = world.folder(Some(top), "ниже").await;
    world.folder(Some(top), "empty").await;
    let long = "x".repeat(200);
    let mut files = BTreeMap::new();
    for (folder, path, name, length) in [
        (top, "top/", "a.txt", 5),
        (top, "top/", "nothing", 0),
        (below, "top/ниже/", "é.bin", 1000),
        (below, "top/ниже/", long.as_str(), 512),
        (below, "top/ниже/", "large", 300_000),
    ] {
        world.put(Some(folder), name, &bytes(length)).await.expect("a file");
        files.insert(format!("{path}{name}"), bytes(length));
    }
    (top, files)
}

/// The files of a zip by its directory, each checked against its checksum and its own header.
fn unzip(zip: &[u8]) -> (BTreeMap<String, Vec<u8>>, Vec<String>) {
    let u16_at = |at: usize| u16::from_le_bytes(zip[at..at + 2].try_into().expect("two bytes")) as usize;
    let u32_at = |at: usize| u32::from_le_bytes(zip[at..at + 4].try_into().expect("four bytes")) as usize;
    let end = zip.len() - 22;
    assert_eq!(u32_at(end), 0x0605_4b50);
    let (count, length, mut at) = (u16_at(end + 10), u32_at(end + 12), u32_at(end + 16));
    assert_eq!(at + length, end);
    let (mut files, mut folders) = (BTreeMap::new(), Vec::new());
    for _ in 0..count {
        assert_eq!(u32_at(at), 0x0201_4b50);
        let (crc, size, names, extra, start) =
            (u32_at(at + 16), u32_at(at + 24), u16_at(at + 28), u16_at(at + 30), u32_at(at + 42));
        let path = String::from_utf8(zip[at + 46..at + 46 + names].to_vec()).expect("UTF-8");
        assert_eq!(u32_at(start), 0x0403_4b50, "{path}");
        let data = start + 30 + u16_at(start + 26) + u16_at(start + 28);
        let content = zip[data..data + size].to_vec();
        let sum = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, &content) as usize;
        assert_eq!(sum, crc, "{path}");
        if path.ends_with('/') {
            folders.push(path);
        } else {
            assert_eq!((u32_at(data + size), u32_at(data + size + 4)), (0x0807_4b50, crc), "{path}");
            files.insert(path, content);
        }
        at += 46 + names + extra;
    }
    assert_eq!(at, end);
    (files, folders)
}

/// The files of a tar, by its headers and their records.
fn untar(tar: &[u8]) -> BTreeMap<String, Vec<u8>> {
    assert!(tar.len().is_multiple_of(512) && tar[tar.len() - 1024..].iter().all(|byte| *byte == 0));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned();
    let (mut files, mut at, mut long) = (BTreeMap::new(), 0, None);
    while at < tar.len() - 1024 {
        let block = &tar[at..at + 512];
        let sum: usize =
            block.iter().enumerate().map(|(i, b)| if (148..156).contains(&i) { 32 } else { *b as usize }).sum();
        assert_eq!(usize::from_str_radix(&text(&block[148..154]), 8), Ok(sum));
        let size = usize::from_str_radix(&text(&block[124..135]), 8).expect("a size");
        let content = &tar[at + 512..at + 512 + size];
        match block[156] {
            b'x' => {
                let record = text(content);
                long = record.split_once(" path=").map(|(_, path)| path.trim_end().to_owned());
            }
            b'0' => {
                files.insert(long.take().unwrap_or_else(|| text(&block[..100])), content.to_vec());
            }
            b'5' => long = None,
            other => panic!("{other}"),
        }
        at += 512 + size.next_multiple_of(512);
    }
    files
}

async fn archives_hold_the_tree(test: TestDb) {
    let world = World::new(test).await;
    let (top, files) = Box::pin(tree(&world)).await;
    let zip = pack(&world, &[top], Format::Zip).await;
    assert_eq!(zip.name, "top.zip");
    let whole = read(&zip, 0..zip.size).await;
    assert_eq!(whole.len() as u64, zip.size);
    let (found, folders) = unzip(&whole);
    assert!(found == files, "{:?}", found.keys());
    assert_eq!(folders, ["top/", "top/empty/", "top/ниже/"]);
    let tar = pack(&world, &[top], Format::Tar).await;
    let whole = read(&tar, 0..tar.size).await;
    assert_eq!(whole.len() as u64, tar.size);
    assert!(untar(&whole) == files);
    // The root has no name: what is in it stands at the top.
    let all = pack(&world, &[world.alice.principal.root], Format::Zip).await;
    assert!(unzip(&read(&all, 0..all.size).await).0 == files);
    // An empty folder is an archive too, and so is a single file.
    let empty = world.folder(None, "none").await;
    for format in [Format::Zip, Format::Tar] {
        let archive = pack(&world, &[empty], format).await;
        assert_eq!(read(&archive, 0..archive.size).await.len() as u64, archive.size);
    }
}

async fn ranges_are_slices(test: TestDb) {
    let world = World::new(test).await;
    let (top, _) = Box::pin(tree(&world)).await;
    for format in [Format::Zip, Format::Tar] {
        let archive = pack(&world, &[top], format).await;
        // Backwards, so that no range finds a checksum that one before it computed; each from an archive of its own.
        let size = archive.size;
        let mut edges: Vec<u64> = (0..60).map(|step| size - step * step * step % size).collect();
        edges.extend((0..40).map(|step| step * 7919 % size));
        let whole = read(&pack(&world, &[top], format).await, 0..size).await;
        world.drive.settle().await;
        let forget = async || {
            let lane = db::Lane::Free;
            let unknown = world.test.db.write(lane, async |tx| tx.exec("UPDATE content SET crc32 = NULL", &[]).await);
            unknown.await.expect("all are unknown")
        };
        for (at, from) in edges.iter().enumerate() {
            let to = edges[(at * 31 + 7) % edges.len()];
            let range = *from.min(&to)..*from.max(&to);
            if range.is_empty() {
                continue;
            }
            if at % 2 == 0 {
                forget().await;
            }
            let again = pack(&world, &[top], format).await;
            assert_eq!((again.size, &again.etag), (size, &archive.etag));
            let slice = &whole[range.start as usize..range.end as usize];
            assert!(read(&again, range.clone()).await == slice, "{format:?} {range:?}");
            drop(again);
            world.drive.settle().await;
        }
    }
    // What was packed once is known the next time.
    let archive = pack(&world, &[top], Format::Zip).await;
    read(&archive, 0..archive.size).await;
    drop(archive);
    world.drive.settle().await;
    assert_eq!(world.number("SELECT COUNT(*) FROM content WHERE crc32 IS NOT NULL").await, 1);
}

async fn what_changes_changes_the_tag(test: TestDb) {
    let world = World::new(test).await;
    let (top, _) = Box::pin(tree(&world)).await;
    let mut tags = vec![pack(&world, &[top], Format::Zip).await.etag, pack(&world, &[top], Format::Tar).await.etag];
    world.put_with(Some(top), "a.txt", drive::OnConflict::Replace, b"other").await.expect("a version");
    tags.push(pack(&world, &[top], Format::Zip).await.etag);
    world.put(Some(top), "new", b"new").await.expect("a file");
    tags.push(pack(&world, &[top], Format::Zip).await.etag);
    let update = drive::Update { name: Some(name("renamed")), ..drive::Update::default() };
    world.drive.update(&world.alice, top, update).await.expect("a new name");
    tags.push(pack(&world, &[top], Format::Zip).await.etag);
    assert_eq!(pack(&world, &[top], Format::Zip).await.etag, tags[4]);
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 5);
}

async fn archives_are_bounded_by_rights(test: TestDb) {
    let world = World::new(test).await;
    let (top, _) = Box::pin(tree(&world)).await;
    assert_eq!(code(world.drive.archive(&world.bob, &[top], Format::Zip).await), "not-found");
    assert_eq!(code(world.drive.archive(&world.alice, &[top, world.nobody()], Format::Zip).await), "not-found");
}

async fn names_at_the_top_differ(test: TestDb) {
    let world = World::new(test).await;
    let (one, two) = (world.folder(None, "one").await, world.folder(None, "two").await);
    let mut entries = Vec::new();
    for (folder, content) in [(one, "1"), (two, "2")] {
        entries.push(world.put(Some(folder), "same.txt", content.as_bytes()).await.expect("a file").entry.id);
    }
    let archive = pack(&world, &entries, Format::Zip).await;
    assert_eq!(archive.name, "files.zip");
    let (files, _) = unzip(&read(&archive, 0..archive.size).await);
    let expected = [("same (2).txt", "2"), ("same.txt", "1")];
    assert!(
        files
            .iter()
            .map(|(path, content)| (path.as_str(), content.as_slice()))
            .eq(expected.map(|(p, c)| (p, c.as_bytes())))
    );
}

async fn archives_have_a_bound(test: TestDb) {
    const MANY: db::Sql = db::Sql {
        lite: "INSERT INTO entry (id, space_id, parent_id, name, kind, revision, size, created_us, modified_us)
               WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $3)
               SELECT randomblob(16), $1, $2, 'n' || i, 0, 1, 0, 0, 0 FROM n",
        pg: "INSERT INTO entry (id, space_id, parent_id, name, kind, revision, size, created_us, modified_us)
             SELECT gen_random_uuid(), CAST($1 AS uuid), CAST($2 AS uuid), 'n' || i, 0, 1, 0, 0, 0
             FROM generate_series(CAST(1 AS bigint), $3) i",
    };
    let world = World::new(test).await;
    let (space, folder) = (world.alice.principal.space, world.folder(None, "many").await);
    let added =
        world.test.db.write(db::Lane::Free, async move |tx| tx.exec(MANY, &db::params![space, folder, 49_999]).await);
    assert_eq!(added.await.expect("folders"), 49_999);
    let archive = pack(&world, &[folder], Format::Zip).await;
    let end = read(&archive, archive.size - 22..archive.size).await;
    assert_eq!(u16::from_le_bytes([end[10], end[11]]), 50_000);
    world.folder(Some(folder), "one more").await;
    assert_eq!(code(world.drive.archive(&world.alice, &[folder], Format::Zip).await), "archive-too-large");
    // The same if they come from several.
    let other = world.folder(None, "other").await;
    assert_eq!(code(world.drive.archive(&world.alice, &[other, folder], Format::Tar).await), "archive-too-large");
}
