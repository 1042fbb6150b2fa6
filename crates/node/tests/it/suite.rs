//! The conformance suite of `Parts`, on nodes of several shapes.

use std::sync::Arc;

use node::Options;

use crate::{open_with, options};

async fn run(shape: impl Fn(Options) -> Options) {
    for (name, case) in testkit::parts_suite::cases() {
        let dir = tempfile::tempdir().expect("dir");
        let node = open_with(shape(options(dir.path())));
        case(Arc::new(node.clone())).await;
        node.close().await;
        let left = crate::files(&dir.path().join("tmp"));
        assert!(left.is_empty(), "{name} left {left:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_does_what_parts_promise() {
    run(|options| options).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_tiny_segments_and_one_job_at_a_time() {
    run(|options| Options { segment_bytes: 64 << 10, allocate_bytes: 4096, io_jobs_max: 1, ..options }).await;
}

#[tokio::test]
async fn with_almost_everything_in_files() {
    run(|options| Options { small_part_bytes_max: 100, allocate_bytes: 0, ..options }).await;
}
