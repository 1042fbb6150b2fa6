//! Markers, locks, options: what a node refuses at its start.

use std::{fs, sync::Arc};

use base::ErrorKind;
use node::{Error, Node, Options};
use proto::Parts;
use testkit::parts_suite::part;

use crate::{Still, has_sample, node_id, open, options, put_sample};

fn refused(options: Options) -> Error {
    match Node::open(options, Arc::new(Still)) {
        Ok(_) => panic!("the node opened"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_closed_node_opens_again_with_all_its_parts() {
    let dir = tempfile::tempdir().expect("dir");
    let sizes = [0, 1, 70_000, 300_000, 3 << 20];
    for _ in 0..3 {
        let node = open(dir.path());
        for (number, size) in (0..).zip(sizes) {
            put_sample(&node, number, size).await;
            has_sample(&node, number, size).await;
        }
        node.delete(&[part(99)]).await.expect("delete");
        node.close().await;
        node.close().await;
        assert!(matches!(node.list(None, 1).await, Err(proto::Error::Unavailable(_))));
        assert!(matches!(node.delete(&[part(1)]).await, Err(proto::Error::Unavailable(_))));
    }
    let node = open(dir.path());
    assert_eq!(node.stats().parts, sizes.len() as u64);
    assert_eq!((node.stats().torn_bytes, node.stats().damaged_bytes), (0, 0));
    for (number, size) in (0..).zip(sizes) {
        has_sample(&node, number, size).await;
    }
}

#[tokio::test]
async fn a_folder_is_opened_once() {
    let dir = tempfile::tempdir().expect("dir");
    let node = open(dir.path());
    let error = refused(options(dir.path()));
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    assert_eq!((error.kind(), error.code()), (ErrorKind::Unavailable, "node-folder-locked"));
    let clone = node.clone();
    drop(node);
    assert!(matches!(refused(options(dir.path())), Error::Locked { .. }), "a clone has it open still");
    drop(clone);
    open(dir.path()).close().await;
    open(dir.path()).close().await;
}

#[tokio::test]
async fn the_folder_of_another_node_is_refused() {
    let dir = tempfile::tempdir().expect("dir");
    open(dir.path()).close().await;
    let error = refused(Options { node: Some(node_id(2)), ..options(dir.path()) });
    assert!(matches!(error, Error::OtherNode { expected, found, .. } if (expected, found) == (node_id(2), node_id(1))));
    assert!(error.to_string().contains("swapped"), "{error}");
    let anyone = Node::open(Options { node: None, ..options(dir.path()) }, Arc::new(Still)).expect("any node will do");
    assert_eq!(anyone.id(), node_id(1));
}

#[tokio::test]
async fn a_folder_without_marker_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().expect("dir");
    fs::write(dir.path().join("holiday.jpg"), "x").expect("write");
    let error = refused(options(dir.path()));
    assert!(matches!(&error, Error::Occupied { found, .. } if found == "holiday.jpg"), "{error}");
    assert_eq!(crate::files(dir.path()).len(), 1);

    let dir = tempfile::tempdir().expect("dir");
    let error = refused(Options { node: None, ..options(dir.path()) });
    assert!(matches!(error, Error::Missing { .. }), "{error}");
    assert_eq!(crate::files(dir.path()).len(), 0);

    // A disk that is not mounted: parts, but no marker.
    let dir = tempfile::tempdir().expect("dir");
    open(dir.path()).close().await;
    fs::remove_file(dir.path().join("holdfast-node.json")).expect("remove");
    assert!(matches!(refused(options(dir.path())), Error::Occupied { .. }));
}

#[tokio::test]
async fn forms_of_later_versions_are_refused() {
    let dir = tempfile::tempdir().expect("dir");
    let node = open(dir.path());
    put_sample(&node, 1, 100).await;
    node.close().await;
    let marker = dir.path().join("holdfast-node.json");
    let text = fs::read_to_string(&marker).expect("read");
    for other in [text.replace("\"format\": 1", "\"format\": 2"), "{".to_owned(), String::new()] {
        assert_ne!(other, text);
        fs::write(&marker, other).expect("write");
        assert!(matches!(refused(options(dir.path())), Error::Format { .. }));
    }
    fs::write(&marker, text).expect("write");
    open(dir.path()).close().await;
}

#[tokio::test]
async fn a_segment_of_another_node_is_refused() {
    let (one, two) = (tempfile::tempdir().expect("dir"), tempfile::tempdir().expect("dir"));
    for dir in [&one, &two] {
        let node = open(dir.path());
        put_sample(&node, 1, 100).await;
        node.close().await;
    }
    let name = "segments/00000001.seg";
    fs::copy(one.path().join(name), two.path().join(name)).expect("copy");
    let error = refused(options(two.path()));
    assert!(matches!(error, Error::Format { .. }), "{error}");
    fs::copy(one.path().join(name), one.path().join("segments/00000002.seg")).expect("copy");
    assert!(matches!(refused(options(one.path())), Error::Format { .. }), "renamed");
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let dir = tempfile::tempdir().expect("dir");
    let usual = || options(dir.path());
    for bad in [
        Options { segment_bytes: 0, ..usual() },
        Options { segment_bytes: 2 << 30, ..usual() },
        Options { small_part_bytes_max: 2 << 20, ..usual() },
        Options { io_jobs_max: 0, ..usual() },
    ] {
        assert!(matches!(refused(bad), Error::Options(_)));
    }
}

#[tokio::test]
async fn nodes_on_one_disk_say_so() {
    let (one, two) = (tempfile::tempdir().expect("dir"), tempfile::tempdir().expect("dir"));
    let (one, two) = (open(one.path()), open(two.path()));
    let (one, two) = (one.health().await.expect("health"), two.health().await.expect("health"));
    assert_eq!(one.disk, two.disk);
}
