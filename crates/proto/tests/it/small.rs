//! Many small calls in one stream.

use std::{sync::atomic::Ordering, time::Duration};

use base::limits::SMALL_PART_BYTES_MAX;
use futures::{StreamExt, stream};
use proto::{Body, Error, Parts};

use crate::map::{Event, Served, bytes, part};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_find_their_callers() {
    let served = Served::start().await;
    let node = served.client();
    let length = |number: u64| (number * 977 % 20_000) as usize;
    let round = |number: u64| {
        let node = &node;
        async move {
            let all = bytes(length(number), number);
            node.put(part(number.into()), Body::Whole(all.clone())).await.unwrap();
            let got = node.get(part(number.into()), 0..all.len() as u64).await.unwrap().collect(1 << 20).await.unwrap();
            assert_eq!(got, all, "{number}");
            let absent = part(u128::from(number) + 1_000_000);
            assert!(matches!(node.get(absent, 0..1).await, Err(Error::NotFound(p)) if p == absent));
        }
    };
    stream::iter(0..5000).for_each_concurrent(256, round).await;
}

#[tokio::test]
async fn the_largest_small_parts_fit() {
    let served = Served::start().await;
    let node = served.client();
    let round = |number: u64| {
        let node = &node;
        async move {
            let all = bytes(SMALL_PART_BYTES_MAX, number);
            node.put(part(number.into()), Body::Whole(all.clone())).await.unwrap();
            let got = node.get(part(number.into()), 0..all.len() as u64).await.unwrap();
            assert_eq!(got.collect(1 << 20).await.unwrap(), all);
        }
    };
    stream::iter(0..100).for_each_concurrent(None, round).await;
}

#[tokio::test]
async fn callers_that_go_do_not_disturb_the_others() {
    let mut served = Served::start().await;
    let node = served.client();
    served.map.is_held.store(true, Ordering::SeqCst);
    let mut gone: Vec<_> =
        (0..50).map(|number| node.put(part(number), Body::Whole(bytes(10, number as u64)))).collect();
    let polled = async {
        loop {
            for put in &mut gone {
                assert!(futures::poll!(put.as_mut()).is_pending());
            }
            tokio::task::yield_now().await;
        }
    };
    let all_began = async {
        for _ in 0..50 {
            assert_eq!(served.event().await, Event::PutBegan);
        }
    };
    tokio::select! {
        () = polled => unreachable!(),
        () = all_began => {}
    }
    gone.truncate(25);
    served.map.is_held.store(false, Ordering::SeqCst);
    served.map.go.notify_waiters();
    for (number, put) in gone.into_iter().enumerate() {
        assert_eq!(put.await.unwrap().checksum, proto::checksum(&bytes(10, number as u64)));
    }
    let late = node.put(part(99), Body::Whole(bytes(10, 99))).await.unwrap();
    assert_eq!(late.checksum, proto::checksum(&bytes(10, 99)));
}

#[tokio::test]
async fn large_bodies_do_not_hold_up_small_calls() {
    let served = Served::start().await;
    let node = served.client();
    let length = 64 << 20;
    served.map.parts.lock().insert(part(1), vec![1; length].into());
    // Two readers that do not read: both bulk connections are full to their windows.
    let mut readers = Vec::new();
    for _ in 0..8 {
        let mut reader = node.get(part(1), 0..length as u64).await.unwrap().into_stream();
        reader.next().await.unwrap().unwrap();
        readers.push(reader);
    }
    let calls = async {
        for number in 0..100 {
            node.put(part(100 + number), Body::Whole(bytes(1000, 1))).await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(5), calls).await.unwrap();
}
