//! Compaction: space comes back, parts stay, readers do not notice.

use std::{fs, sync::Arc, sync::atomic::AtomicBool, sync::atomic::Ordering::SeqCst};

use base::PartId;
use node::{Compacted, Error, Node, Options};
use proto::Parts;
use testkit::parts_suite::part;

use crate::{get, has_sample, open_with, options, put_sample};

fn small_segments(dir: &std::path::Path) -> Node {
    open_with(Options { segment_bytes: 64 << 10, allocate_bytes: 8192, ..options(dir) })
}

/// Compacts until there is nothing to do.
async fn compact_all(node: &Node) -> Vec<Compacted> {
    let mut done = Vec::new();
    while let Some(compacted) = node.compact_once().await.expect("compaction") {
        done.push(compacted);
    }
    done
}

/// 200 parts in several segments, of which three of four are deleted; all but the last segment settled.
async fn mostly_deleted(dir: &std::path::Path) -> Node {
    let node = small_segments(dir);
    for number in 0..200 {
        put_sample(&node, number, 2000).await;
    }
    let gone: Vec<PartId> = (0..200).filter(|number| number % 4 != 0).map(part).collect();
    node.delete(&gone).await.expect("delete");
    // Hints are written beside; a start waits for them.
    node.close().await;
    drop(node);
    small_segments(dir)
}

async fn check(node: &Node) {
    for number in 0..200 {
        if number % 4 == 0 {
            has_sample(node, number, 2000).await;
        } else {
            assert!(matches!(get(node, part(number), 1).await, Err(proto::Error::NotFound(_))), "{number} came back");
        }
    }
}

#[tokio::test]
async fn space_comes_back_and_parts_stay() {
    let dir = tempfile::tempdir().expect("dir");
    let node = mostly_deleted(dir.path()).await;
    let before = node.stats();
    assert!(before.dead_bytes > before.segment_bytes / 2);
    let done = compact_all(&node).await;
    assert!(done.len() >= 4, "{done:?}");
    let after = node.stats();
    assert!(after.segment_bytes < before.segment_bytes / 2, "{before:?} {after:?}");
    assert_eq!((after.parts, after.part_bytes), (before.parts, before.part_bytes));
    check(&node).await;
    node.close().await;
    drop(node);

    let node = small_segments(dir.path());
    check(&node).await;
    assert_eq!((node.stats().parts, node.stats().damaged_bytes), (before.parts, 0));
    let left = crate::files(&dir.path().join("segments"));
    let segments = left.iter().filter(|path| path.extension().is_some_and(|extension| extension == "seg"));
    assert_eq!(segments.count() as u64, node.stats().segments, "{left:?}");
}

#[tokio::test]
async fn tombstones_live_as_long_as_what_they_hide() {
    let dir = tempfile::tempdir().expect("dir");
    let node = small_segments(dir.path());
    // Segment 1: a put that will be deleted, among parts that stay, so that the segment is never compacted.
    put_sample(&node, 0, 1000).await;
    for number in 1..40 {
        put_sample(&node, number, 1700).await;
    }
    // Later segments: its tombstone, among parts that are deleted too.
    node.delete(&[part(0)]).await.expect("delete");
    for number in 100..300 {
        put_sample(&node, number, 2000).await;
    }
    let gone: Vec<PartId> = (100..300).map(part).collect();
    node.delete(&gone).await.expect("delete");
    node.close().await;
    drop(node);
    for round in 0..3 {
        let node = small_segments(dir.path());
        let done = compact_all(&node).await;
        assert!(done.iter().all(|compacted| compacted.segment != 1), "{done:?}");
        assert!(round > 0 || done.len() >= 5, "{done:?}");
        assert!(matches!(get(&node, part(0), 1).await, Err(proto::Error::NotFound(_))));
        put_sample(&node, 500, 100).await;
        node.close().await;
    }
    let node = small_segments(dir.path());
    assert!(matches!(get(&node, part(0), 1).await, Err(proto::Error::NotFound(_))), "the deleted part came back");
    assert_eq!(node.stats().parts, 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_and_writers_do_not_notice() {
    let dir = tempfile::tempdir().expect("dir");
    let node = mostly_deleted(dir.path()).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..3u32 {
        let (node, is_over) = (node.clone(), Arc::clone(&is_over));
        tasks.spawn(async move {
            let mut number = 1000 * (task + 1);
            while !is_over.load(SeqCst) {
                for kept in (0..200).step_by(4) {
                    has_sample(&node, kept, 2000).await;
                }
                put_sample(&node, number, 3000).await;
                // Replaces a part that compaction may be copying, and deletes another.
                put_sample(&node, 4 * (number % 50), 2000).await;
                node.delete(&[part(number)]).await.expect("delete");
                number += 1;
            }
        });
    }
    let mut compacted = 0;
    for _ in 0..200 {
        compacted += u32::from(node.compact_once().await.expect("compaction").is_some());
    }
    is_over.store(true, SeqCst);
    tasks.join_all().await;
    assert!(compacted >= 4, "{compacted}");
    check(&node).await;
    assert_eq!(node.stats().damaged_reads, 0);
    node.close().await;
    drop(node);
    let node = small_segments(dir.path());
    check(&node).await;
    assert_eq!(node.stats().parts, 50);
}

#[tokio::test]
async fn a_segment_that_cannot_be_copied_whole_stays() {
    let dir = tempfile::tempdir().expect("dir");
    let node = mostly_deleted(dir.path()).await;
    let path = dir.path().join("segments/00000001.seg");
    let mut bytes = fs::read(&path).expect("read");
    let at = bytes.windows(16).position(|id| id == part(4).to_bytes()).expect("part 4");
    bytes[at + 500] ^= 1;
    fs::write(&path, bytes).expect("write");

    let mut kept = 0;
    for _ in 0..20 {
        match node.compact_once().await {
            Ok(None) => break,
            Ok(Some(compacted)) => assert_ne!(compacted.segment, 1),
            Err(Error::Kept { segment: 1, part: bad, .. }) => {
                assert_eq!(bad, Some(part(4)));
                kept += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(kept, 1, "it is not tried again and again");
    assert!(path.exists());
    assert!(matches!(get(&node, part(4), 2000).await, Err(proto::Error::Damaged(..))));
    has_sample(&node, 8, 2000).await;

    // Repaired, that is put again, it hinders no more.
    put_sample(&node, 4, 2000).await;
    assert!(compact_all(&node).await.iter().any(|compacted| compacted.segment == 1));
    assert!(!path.exists());
    check(&node).await;
}

#[tokio::test]
async fn a_damaged_header_of_a_live_record_keeps_its_segment() {
    let dir = tempfile::tempdir().expect("dir");
    let node = mostly_deleted(dir.path()).await;
    let path = dir.path().join("segments/00000001.seg");
    let mut bytes = fs::read(&path).expect("read");
    let at = bytes.windows(16).position(|id| id == part(4).to_bytes()).expect("part 4");
    bytes[at] ^= 1;
    fs::write(&path, bytes).expect("write");
    let mut results = Vec::new();
    for _ in 0..20 {
        results.push(node.compact_once().await);
    }
    let kept = results.iter().filter(|result| matches!(result, Err(Error::Kept { segment: 1, .. })));
    assert_eq!(kept.count(), 1, "{results:?}");
    // The record's header is not needed to read it.
    has_sample(&node, 4, 2000).await;
    assert!(matches!(node.verify(part(4)).await, Err(proto::Error::Damaged(..))));
    check(&node).await;
}
