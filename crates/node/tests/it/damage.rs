//! Flipped bytes, lost and stale files: found, or read around, and never given out as a part's bytes.

use std::{collections::BTreeMap, fs, path::Path, sync::OnceLock};

use bytes::Bytes;
use node::{Node, Options};
use proto::{Error, Parts};
use testkit::parts_suite::{data, part};

use crate::{copy_folder, get, open, open_with, options, put_sample};

/// Lengths of the sample parts by number.
fn lengths() -> BTreeMap<u32, usize> {
    let small = (1..=12).map(|number| (number, 100 + 700 * number as usize));
    small.chain([(20, 70_000), (21, 140_000), (30, 270_000), (31, 400_005)]).collect()
}

/// A closed node with these parts in several segments, sealed ones and the last.
async fn sample_folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("dir");
    let node = open_with(Options { segment_bytes: 64 << 10, ..options(dir.path()) });
    for (number, length) in lengths() {
        put_sample(&node, number, length).await;
    }
    put_sample(&node, 40, 100).await;
    node.delete(&[part(40)]).await.expect("delete");
    node.close().await;
    dir
}

/// The bytes of the sample parts, made once.
fn samples() -> &'static BTreeMap<u32, Bytes> {
    static SAMPLES: OnceLock<BTreeMap<u32, Bytes>> = OnceLock::new();
    SAMPLES
        .get_or_init(|| lengths().into_iter().map(|(number, length)| (number, data(number.into(), length))).collect())
}

/// Every part is right, or damaged, or not found. Gives the numbers of those that are not right.
async fn check(node: &Node) -> Vec<u32> {
    let mut bad = Vec::new();
    for (&number, sample) in samples() {
        let verified = node.verify(part(number)).await;
        match get(node, part(number), sample.len()).await {
            Ok(got) => {
                assert!(got == sample, "wrong bytes of part {number}");
                if verified.is_err() {
                    bad.push(number);
                }
            }
            Err(Error::Damaged(..) | Error::NotFound(_) | Error::Range(_)) => {
                assert!(verified.is_err(), "verify found nothing wrong with part {number}");
                bad.push(number);
            }
            Err(other) => panic!("part {number}: {other}"),
        }
    }
    bad
}

fn segments(dir: &Path) -> Vec<std::path::PathBuf> {
    let files = crate::files(&dir.join("segments"));
    files.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "seg")).collect()
}

fn remove_hints(dir: &Path) {
    for path in crate::files(&dir.join("segments")) {
        if path.extension().is_some_and(|extension| extension == "idx") {
            fs::remove_file(path).expect("remove");
        }
    }
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).expect("read");
    bytes[at] ^= 0x40;
    fs::write(path, bytes).expect("write");
}

#[tokio::test]
async fn a_start_without_hints_finds_the_same() {
    let dir = sample_folder().await;
    let node = open(dir.path());
    assert!(check(&node).await.is_empty());
    let stats = node.stats();
    assert!(stats.segments > 3, "{stats:?}");
    node.close().await;
    let hints = crate::files(&dir.path().join("segments")).len() - segments(dir.path()).len();
    assert_eq!(hints as u64, stats.segments - 1, "every sealed segment has one");
    remove_hints(dir.path());
    drop(node);
    let node = open(dir.path());
    assert_eq!(node.stats(), stats);
    assert!(check(&node).await.is_empty());
    node.close().await;
    assert_eq!(crate::files(&dir.path().join("segments")).len() - segments(dir.path()).len(), hints, "made again");
}

#[tokio::test]
async fn a_flipped_byte_anywhere_spoils_one_part_at_most() {
    let dir = sample_folder().await;
    let files = crate::files(&dir.path().join("segments"));
    let parts = crate::files(&dir.path().join("parts"));
    let segments = segments(dir.path());
    let mut round = 0;
    for (path, with_hints) in
        files.iter().chain(&parts).map(|path| (path, true)).chain(segments.iter().map(|path| (path, false)))
    {
        let length = fs::metadata(path).expect("metadata").len() as usize;
        // Every field of heads, of the first record's header, of a hint's first entries, and of the fixed ends.
        let start = [0, 9, 13, 20, 33, 37, 41, 44, 45, 46, 50, 67, 75, 83, 86, 90, 100];
        let end = [1, 5, 9, 13, 17, 22, 26, 30, 38, 45, 60, 66];
        let within = (200..length).step_by(29_989);
        for at in start.into_iter().chain(end.map(|back| length.saturating_sub(back))).chain(within) {
            let copy = tempfile::tempdir().expect("dir");
            copy_folder(dir.path(), copy.path());
            flip(&copy.path().join(path.strip_prefix(dir.path()).expect("within")), at.min(length - 1));
            if !with_hints {
                remove_hints(copy.path());
            }
            let node = open(copy.path());
            let bad = check(&node).await;
            assert!(bad.len() <= 1, "byte {at} of {} spoils {bad:?}", path.display());
            // The tombstone itself is in the last segment.
            let is_tombstone = Some(path) == segments.last();
            let back = get(&node, part(40), 1).await;
            assert!(matches!(back, Err(Error::NotFound(_))) || is_tombstone, "a deleted part came back");
            round += 1;
            if round % 8 == 0 {
                // It goes on, and the next start finds the same.
                put_sample(&node, 50, 100).await;
                node.close().await;
                drop(node);
                assert_eq!(check(&open(copy.path())).await, bad);
            }
        }
    }
}

#[tokio::test]
async fn damage_in_the_middle_is_skipped_and_reported() {
    let dir = sample_folder().await;
    remove_hints(dir.path());
    let first = &segments(dir.path())[0];
    // The header of the second record: what its part was is unknown, but for the bytes that are missing.
    let second =
        fs::read(first).expect("read").windows(16).position(|id| id == part(2).to_bytes()).expect("part 2") - 8;
    flip(first, second + 41);
    for _ in 0..2 {
        let node = open(dir.path());
        assert_eq!(check(&node).await, [2]);
        assert!(matches!(get(&node, part(2), 1).await, Err(Error::NotFound(_))));
        let stats = node.stats();
        assert!((1500..1600).contains(&stats.damaged_bytes), "{stats:?}");
        node.close().await;
    }
}

#[tokio::test]
async fn damage_in_the_last_segment_loses_only_what_is_damaged() {
    let dir = tempfile::tempdir().expect("dir");
    let node = open(dir.path());
    for number in 1..=4 {
        put_sample(&node, number, 1000).await;
    }
    node.close().await;
    drop(node);
    let path = dir.path().join("segments/00000001.seg");
    let second =
        fs::read(&path).expect("read").windows(16).position(|id| id == part(2).to_bytes()).expect("part 2") - 8;
    flip(&path, second + 1);
    for _ in 0..3 {
        let node = open(dir.path());
        assert!(node.stats().damaged_bytes > 1000 && node.stats().torn_bytes == 0, "{:?}", node.stats());
        assert!(matches!(get(&node, part(2), 1000).await, Err(Error::NotFound(_))));
        for number in [1, 3, 4] {
            crate::has_sample(&node, number, 1000).await;
        }
        put_sample(&node, 5, 1000).await;
        node.close().await;
    }
}

#[tokio::test]
async fn records_inside_a_part_do_not_come_to_life() {
    // A part that holds a copy of a segment, as a backup would, whose own header is damaged.
    let dir = tempfile::tempdir().expect("dir");
    let node = open(dir.path());
    put_sample(&node, 1, 100).await;
    node.delete(&[part(1)]).await.expect("delete");
    let inner = fs::read(dir.path().join("segments/00000001.seg")).expect("read");
    let inner = Bytes::from(inner).slice(..node.stats().segment_bytes as usize);
    crate::put(&node, part(2), &inner).await;
    put_sample(&node, 3, 100).await;
    node.close().await;
    drop(node);
    let path = dir.path().join("segments/00000001.seg");
    let header =
        fs::read(&path).expect("read").windows(16).position(|id| id == part(2).to_bytes()).expect("part 2") - 8;
    flip(&path, header);
    let node = open(dir.path());
    assert!(matches!(get(&node, part(1), 100).await, Err(Error::NotFound(_))));
    crate::has_sample(&node, 3, 100).await;
}

#[tokio::test]
async fn a_cut_segment_whose_hint_is_there_forgets_nothing() {
    let dir = sample_folder().await;
    let first = &segments(dir.path())[0];
    fs::OpenOptions::new().write(true).open(first).and_then(|file| file.set_len(1000)).expect("cut");
    let node = open(dir.path());
    let bad = check(&node).await;
    assert!(bad.len() > 3 && bad.contains(&2), "{bad:?}");
    for number in bad {
        assert!(matches!(get(&node, part(number), 1).await, Err(Error::Damaged(..))));
    }
    assert_eq!(node.stats().parts, lengths().len() as u64);
    assert!(node.stats().damaged_bytes > 10_000);
}

#[tokio::test]
async fn a_missing_or_foreign_part_file_is_damage() {
    let dir = sample_folder().await;
    let files = crate::files(&dir.path().join("parts"));
    let find = |number: u32| {
        let name = format!("{}.part", part(number).0.as_simple());
        files.iter().find(|path| path.ends_with(&name)).expect("a file")
    };
    // Another part's file under this part's name.
    fs::copy(find(31), find(30)).expect("copy");
    let node = open(dir.path());
    assert_eq!(check(&node).await, [30]);
    assert_eq!(node.stats().parts, lengths().len() as u64, "it is listed still");
    // A file that goes while the node runs.
    fs::remove_file(find(31)).expect("remove");
    assert!(matches!(get(&node, part(31), 1).await, Err(Error::Damaged(..))));
    assert!(matches!(node.verify(part(31)).await, Err(Error::Damaged(..))));
    // Repair puts it again.
    put_sample(&node, 31, lengths()[&31]).await;
    put_sample(&node, 30, lengths()[&30]).await;
    assert!(check(&node).await.is_empty());
    node.delete(&[part(30), part(31)]).await.expect("delete");
}

#[tokio::test]
async fn a_later_bad_block_ends_the_stream_after_the_good_ones() {
    use futures::StreamExt;
    let dir = tempfile::tempdir().expect("dir");
    let node = open(dir.path());
    put_sample(&node, 1, 4 << 20).await;
    let path = &crate::files(&dir.path().join("parts"))[0];
    flip(path, (2 << 20) + 70_000);
    let body = node.get(part(1), 0..4 << 20).await.expect("the first piece is good");
    let pieces: Vec<_> = body.into_stream().collect().await;
    let good: usize = pieces.iter().flatten().map(Bytes::len).sum();
    assert_eq!((good, pieces.len()), (2 << 20, 3));
    assert!(matches!(&pieces[2], Err(Error::Damaged(_, why)) if why.contains("block 33")), "{:?}", pieces[2]);
    let whole = data(1, 4 << 20);
    for range in [0..2 << 20, (2 << 20)..(2 << 20) + 65_536, 3 << 20..4 << 20] {
        let got =
            node.get(part(1), range.clone()).await.expect("get").collect(4 << 20).await.expect("beside the damage");
        assert_eq!(got, whole.slice(range.start as usize..range.end as usize));
    }
}
