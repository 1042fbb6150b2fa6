//! Redis goes, hangs, and comes back.

use std::time::{Duration, Instant};

use accounts::counts::{Bucket, Count, Key, SharedCounts, When};
use commons::Counts;
use tokio::task::JoinSet;

use crate::{
    commons,
    words::{listener, until_heard},
};

/// What somebody who signs in may wait for Redis in all.
const SIGN_IN: Duration = Duration::from_millis(100);

/// What a busy machine may add before the timer is noticed.
const BUSY: Duration = Duration::from_millis(150);

const BUCKET: Bucket = Bucket { count: Count::Name, key: Key::from_bytes([1; 16]), when: When::Always };

/// The calls of one sign-in, and how long they took.
async fn sign_in(counts: &Counts) -> (bool, Duration) {
    let began = Instant::now();
    let answered = counts.admit(None, &[BUCKET]).await.is_some();
    counts.settle(&[BUCKET], None).await;
    counts.settle(&[], Some(Key::from_bytes([2; 16]))).await;
    (answered, began.elapsed())
}

/// Signs in until Redis counts it.
async fn until_counted(counts: &Counts) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !sign_in(counts).await.0 {
        assert!(Instant::now() < deadline, "Redis does not count again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_a_server_that_hangs() {
    let Some(server) = testkit::redis::Server::start() else { return };
    let counts = Counts::new(commons(&server.url()));
    until_counted(&counts).await;
    server.hold(true);
    for _ in 0..3 {
        let (answered, took) = sign_in(&counts).await;
        assert!(!answered && took < SIGN_IN + BUSY, "{took:?}");
        // For a while nobody even asks.
        let (answered, took) = sign_in(&counts).await;
        assert!(!answered && took < Duration::from_millis(20) + BUSY, "{took:?}");
    }
    server.hold(false);
    until_counted(&counts).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_that_comes_back_is_used_again() {
    let Some(mut server) = testkit::redis::Server::start() else { return };
    let mut tasks = JoinSet::new();
    let (one, _) = listener(&server.url(), &mut tasks);
    let (_two, mut at_two) = listener(&server.url(), &mut tasks);
    let counts = Counts::new(one.clone());
    until_heard(&one, &mut at_two, "before").await;
    until_counted(&counts).await;
    for round in 0..3 {
        server.kill();
        assert!(one.publish("lost").await.is_err() || one.publish("lost").await.is_err());
        let (answered, took) = sign_in(&counts).await;
        assert!(!answered && took < SIGN_IN + BUSY, "{took:?}");
        server.restart();
        until_heard(&one, &mut at_two, &format!("after {round}")).await;
        until_counted(&counts).await;
    }
}

/// A server that answers and refuses, as one does that became a replica, is none to count on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_refused_counts_alone() {
    let Some(server) = testkit::redis::Server::start() else { return };
    let counts = Counts::new(commons(&server.url()));
    until_counted(&counts).await;
    let client = redis::Client::open(server.url().expose()).expect("an address");
    let mut connection = client.get_multiplexed_async_connection().await.expect("a connection");
    // Nobody is there to be a replica of, which makes no difference to those who write.
    let mut follow = async |host: &str, port: &str| {
        redis::cmd("REPLICAOF").arg(host).arg(port).query_async::<()>(&mut connection).await.expect("obeyed");
    };
    follow("127.0.0.1", "1").await;
    assert!(!sign_in(&counts).await.0);
    follow("NO", "ONE").await;
    until_counted(&counts).await;
}

#[tokio::test]
async fn a_server_that_was_never_there_is_said_to_be_away() {
    let Some(mut server) = testkit::redis::Server::start() else { return };
    server.kill();
    let commons = commons(&server.url());
    let error = commons.version().await.expect_err("nobody is there");
    assert_eq!(error.kind(), base::ErrorKind::Unavailable);
}
