//! What a process that ended at any moment leaves behind, and what the next start makes of it.

use std::fs;

use base::PartId;
use node::{Node, Options};
use proto::{Body, Error, Parts};
use testkit::parts_suite::{data, part};

use crate::{copy_folder, get, has_sample, open, open_with, options, put, put_sample};

const SEGMENT: &str = "segments/00000001.seg";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_in_a_copy_taken_at_any_moment() {
    let (dir, copies) = (tempfile::tempdir().expect("dir"), tempfile::tempdir().expect("dir"));
    let node = open_with(Options { segment_bytes: 256 << 10, ..options(dir.path()) });
    let length = |number: u32| if number.is_multiple_of(16) { 300_000 } else { 1000 + number as usize };
    for round in 0..8u32 {
        let mut tasks = tokio::task::JoinSet::new();
        for number in round * 64..(round + 1) * 64 {
            let node = node.clone();
            tasks.spawn(async move { put_sample(&node, number, length(number)).await });
        }
        tasks.join_all().await;
        let gone: Vec<PartId> = (round * 64..round * 64 + 5).map(part).collect();
        node.delete(&gone).await.expect("delete");

        // More is written while the copy is taken.
        let writer = node.clone();
        let mut noise = tokio::task::JoinSet::new();
        noise.spawn(async move {
            for number in 10_000..10_040 {
                put_sample(&writer, number, 2000).await;
            }
        });
        let copy = copies.path().join(round.to_string());
        let (from, to) = (dir.path().to_owned(), copy.clone());
        tokio::task::spawn_blocking(move || copy_folder(&from, &to)).await.expect("copy");
        noise.join_all().await;

        let copy = open(&copy);
        assert_eq!(copy.stats().damaged_bytes, 0);
        for number in 0..(round + 1) * 64 {
            if number % 64 < 5 {
                assert!(matches!(get(&copy, part(number), 1).await, Err(Error::NotFound(_))), "{number} came back");
            } else {
                has_sample(&copy, number, length(number)).await;
            }
        }
    }
}

/// A node with three small parts, of which the last is in the last record; and that record's place.
async fn three_parts() -> (tempfile::TempDir, std::ops::Range<usize>) {
    let dir = tempfile::tempdir().expect("dir");
    let node = open(dir.path());
    put_sample(&node, 1, 100).await;
    put_sample(&node, 2, 70_000).await;
    let start = node.stats().segment_bytes as usize;
    put_sample(&node, 3, 333).await;
    let end = node.stats().segment_bytes as usize;
    node.close().await;
    (dir, start..end)
}

async fn first_two_then_write_on(node: &Node) {
    has_sample(node, 1, 100).await;
    has_sample(node, 2, 70_000).await;
    put_sample(node, 4, 5000).await;
    has_sample(node, 4, 5000).await;
}

#[tokio::test]
async fn a_tail_torn_at_any_byte_is_cut() {
    let (dir, last) = three_parts().await;
    let whole = fs::read(dir.path().join(SEGMENT)).expect("read");
    assert_eq!(whole.len(), last.end);
    for cut in last.clone() {
        for allocated in [0, 4096] {
            let mut torn = whole[..cut].to_vec();
            torn.resize(cut + allocated, 0);
            fs::write(dir.path().join(SEGMENT), &torn).expect("write");
            let node = open(dir.path());
            // Zeros at the end of a record are its padding: nothing is torn then.
            let is_whole = torn.len() >= last.end && torn[..last.end] == whole;
            if is_whole {
                has_sample(&node, 3, 333).await;
            } else {
                assert!(matches!(get(&node, part(3), 333).await, Err(Error::NotFound(_))), "cut at {cut}");
            }
            assert_eq!(node.stats().damaged_bytes, 0, "cut at {cut}");
            first_two_then_write_on(&node).await;
            node.close().await;
            let node = open(dir.path());
            assert_eq!(node.stats().torn_bytes, 0, "the cut is done once");
            first_two_then_write_on(&node).await;
        }
    }
}

#[tokio::test]
async fn a_torn_commit_keeps_what_can_be_read_of_it() {
    // Two records of one commit, the first of which did not reach the disk: the file system wrote them in its order.
    let dir = tempfile::tempdir().expect("dir");
    let gate = crate::faults::Gate::default();
    let node = open_with(Options { faults: gate.faults(), ..options(dir.path()) });
    put_sample(&node, 1, 100).await;
    let start = node.stats().segment_bytes as usize;
    gate.hold_a_sync_while(&node, |tasks| {
        for number in [2, 3, 4] {
            let node = node.clone();
            tasks.spawn(async move { put_sample(&node, number, 1000).await });
        }
    })
    .await;
    node.close().await;
    drop(node);
    let mut bytes = fs::read(dir.path().join(SEGMENT)).expect("read");
    let first = bytes[start..].windows(16).position(|id| id == part(2).to_bytes()).expect("part 2") + start;
    bytes[first + 500..first + 600].fill(0);
    fs::write(dir.path().join(SEGMENT), bytes).expect("write");
    for _ in 0..2 {
        let node = open(dir.path());
        assert!(matches!(get(&node, part(2), 1000).await, Err(Error::NotFound(_))));
        for number in [3, 4] {
            has_sample(&node, number, 1000).await;
        }
        has_sample(&node, 1, 100).await;
        put_sample(&node, 5, 100).await;
        assert_eq!(node.stats().damaged_bytes, 0);
        node.close().await;
    }
}

#[tokio::test]
async fn a_segment_that_was_just_begun_is_taken_up() {
    let (dir, _) = three_parts().await;
    for bytes in [&b""[..], b"HfSeg", &[0; 4096]] {
        let next = dir.path().join("segments/00000002.seg");
        fs::write(&next, bytes).expect("write");
        let node = open(dir.path());
        has_sample(&node, 3, 333).await;
        first_two_then_write_on(&node).await;
        node.close().await;
        let node = open(dir.path());
        first_two_then_write_on(&node).await;
        assert_eq!((node.stats().torn_bytes, node.stats().damaged_bytes), (0, 0));
    }
}

#[tokio::test]
async fn files_that_were_not_finished_are_removed() {
    let (dir, _) = three_parts().await;
    fs::write(dir.path().join("tmp/abc.1"), "half a part").expect("write");
    let node = open(dir.path());
    assert!(crate::files(&dir.path().join("tmp")).is_empty());
    first_two_then_write_on(&node).await;
}

#[tokio::test]
async fn a_part_in_both_forms_becomes_one() {
    // A small part that is being replaced by a large one, at the moment when the file has its name and the record is
    // not hidden yet; made from two nodes with the same marker.
    let (dir, large_dir) = (tempfile::tempdir().expect("dir"), tempfile::tempdir().expect("dir"));
    let node = open(dir.path());
    put_sample(&node, 1, 100).await;
    node.close().await;
    copy_folder(dir.path(), large_dir.path());
    let node = open(large_dir.path());
    put(&node, part(1), &data(7, 1 << 20)).await;
    node.close().await;
    copy_folder(&large_dir.path().join("parts"), &dir.path().join("parts"));

    let node = open(dir.path());
    has_sample(&node, 1, 100).await;
    assert_eq!((node.stats().parts, node.stats().part_files), (1, 0));
    assert!(crate::files(&dir.path().join("parts")).is_empty());
    node.delete(&[part(1)]).await.expect("delete");
    node.close().await;
    let node = open(dir.path());
    assert!(matches!(get(&node, part(1), 1).await, Err(Error::NotFound(_))), "neither form comes back");

    // The finished replacement, both ways, and then gone in the form it has.
    for (size, files) in [(1 << 20, 1), (100, 0), (2 << 20, 1)] {
        put_sample(&node, 1, size).await;
        let copy = tempfile::tempdir().expect("dir");
        copy_folder(dir.path(), copy.path());
        let copy = open(copy.path());
        has_sample(&copy, 1, size).await;
        assert_eq!((copy.stats().parts, copy.stats().part_files), (1, files));
    }
    node.delete(&[part(1)]).await.expect("delete");
    node.close().await;
    assert_eq!(open(dir.path()).stats().parts, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_put_whose_node_is_dropped_meanwhile_does_no_harm() {
    let dir = tempfile::tempdir().expect("dir");
    let node = open(dir.path());
    put_sample(&node, 1, 100).await;
    let writer = node.clone();
    let body = testkit::parts_suite::pieces(&data(2, 20 << 20), 1 << 20);
    let mut task = tokio::task::JoinSet::new();
    task.spawn(async move { writer.put(part(2), body).await });
    tokio::task::yield_now().await;
    task.shutdown().await;
    node.close().await;
    drop(node);
    let node = open(dir.path());
    has_sample(&node, 1, 100).await;
    assert!(matches!(node.put(part(3), Body::Whole(data(3, 10))).await, Ok(receipt) if receipt.length == 10));
}
