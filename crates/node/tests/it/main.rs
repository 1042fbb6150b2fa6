//! Tests of the node through its handle, on real folders.

mod compaction;
mod crash;
mod damage;
mod faults;
mod folder;
mod remote;
mod suite;

use std::{fs, io, path::Path, sync::Arc, time::Duration};

use base::{Clock, NodeId, PartId, Time};
use bytes::Bytes;
use node::{Node, Options};
use proto::{Body, Error, Parts, Receipt};
use testkit::parts_suite::data;

/// A clock that stands still: nothing that is tested here depends on time.
struct Still;

impl Clock for Still {
    fn now(&self) -> Time {
        Time::from_micros(1_795_224_415_000_000)
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

fn node_id(number: u8) -> NodeId {
    NodeId::from_bytes([number; 16])
}

/// Options for a node in `dir` that leave a small disk alone.
fn options(dir: &Path) -> Options {
    Options { reserve_bytes: 0, allocate_bytes: 1 << 20, ..Options::new(dir, Some(node_id(1))) }
}

fn open(dir: &Path) -> Node {
    open_with(options(dir))
}

fn open_with(options: Options) -> Node {
    Node::open(options, Arc::new(Still)).expect("the node opens")
}

async fn put(node: &Node, part: PartId, data: &Bytes) -> Receipt {
    node.put(part, Body::Whole(data.clone())).await.expect("put")
}

async fn get(node: &Node, part: PartId, length: usize) -> Result<Bytes, Error> {
    node.get(part, 0..length as u64).await?.collect(64 << 20).await
}

/// Puts a part whose bytes follow from its number.
async fn put_sample(node: &Node, number: u32, length: usize) {
    put(node, testkit::parts_suite::part(number), &data(number.into(), length)).await;
}

async fn has_sample(node: &Node, number: u32, length: usize) {
    let got = get(node, testkit::parts_suite::part(number), length).await.expect("get");
    assert!(got == data(number.into(), length), "part {number}");
}

/// Copies a folder as it is, as a crash would leave it: without the writer's knowledge.
fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("make");
    for entry in fs::read_dir(from).expect("read") {
        let path = entry.expect("entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            match fs::copy(&path, &target) {
                // A file in `tmp/` may go while it is copied.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                copied => drop(copied.expect("copy")),
            }
        }
    }
}

/// All files below a folder, in order.
fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).expect("read") {
        let path = entry.expect("entry").path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all.sort();
    all
}
