//! Nodes that die, hang or answer over a bad wire: an error in stated time, never wrong bytes and never a wait for good.

use std::{sync::atomic::Ordering, time::Duration};

use base::ErrorKind;
use futures::{StreamExt, stream};
use proto::{Body, Error, Parts, RemoteOptions, RemoteParts, ServeOptions};
use tokio::{
    net::TcpListener,
    time::{Instant, timeout},
};

use crate::{
    map::{Event, Served, bytes, part, pieces, quick, secret},
    proxy::{Direction, MARK, spoil},
};

const MIB: usize = 1 << 20;

fn is_unavailable<T: std::fmt::Debug>(result: Result<T, Error>) {
    match result {
        Err(Error::Unavailable(_)) => {}
        other => panic!("{other:?}"),
    }
}

/// All kinds of calls, none of which the node answers.
async fn nothing_works(node: &RemoteParts) {
    is_unavailable(node.put(part(1), Body::Whole(bytes(100, 1))).await);
    is_unavailable(node.put(part(1), pieces(bytes(2 * MIB, 1), MIB)).await);
    is_unavailable(node.get(part(1), 0..10).await);
    is_unavailable(node.get(part(1), 0..MIB as u64).await);
    is_unavailable(node.verify(part(1)).await);
}

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let node = RemoteParts::connect_lazy(&address, None, &secret("one"), RemoteOptions::default());
    timeout(Duration::from_secs(5), nothing_works(&node)).await.unwrap();
    let node = RemoteParts::connect_lazy("no such address", None, &secret("one"), RemoteOptions::default());
    timeout(Duration::from_secs(5), nothing_works(&node)).await.unwrap();
}

#[tokio::test]
async fn a_server_that_accepts_and_never_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let node = RemoteParts::connect_lazy(&address, None, &secret("one"), quick());
    let began = Instant::now();
    let calls = (0..100).map(|number| node.get(part(number), 0..10));
    for result in futures::future::join_all(calls).await {
        is_unavailable(result);
    }
    nothing_works(&node).await;
    // A hundred callers do not wait for a hundred time-outs.
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_node_that_hangs_within_a_call() {
    let served = Served::start().await;
    served.map.is_held.store(true, Ordering::SeqCst);
    let node = served.client_with(quick());
    is_unavailable(node.put(part(1), Body::Whole(bytes(100, 1))).await);
    is_unavailable(node.put(part(1), pieces(bytes(20 * MIB, 1), MIB)).await);
    is_unavailable(node.get(part(1), 0..10).await);
    is_unavailable(node.get(part(1), 0..MIB as u64).await);
    node.health().await.unwrap();
}

#[tokio::test]
async fn a_caller_that_is_slow_is_not_a_node_that_hangs() {
    let served = Served::start().await;
    let node = served.client_with(RemoteOptions { progress: Duration::from_secs(2), ..quick() });
    let (first, last) = (bytes(MIB, 1), bytes(MIB, 2));
    let whole = [first.clone(), last.clone()].concat();
    // Longer than the progress deadline.
    let pause = stream::once(async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        Ok(last)
    });
    node.put(part(1), Body::Stream(stream::iter([Ok(first)]).chain(pause).boxed())).await.unwrap();
    assert_eq!(served.map.parts.lock()[&part(1)], whole);
}

#[tokio::test]
async fn a_verify_may_take_longer_than_the_progress_deadline() {
    let served = Served::start().await;
    let all = bytes(100, 1);
    served.map.parts.lock().insert(part(1), all);
    served.map.is_held.store(true, Ordering::SeqCst);
    let node = served.client_with(RemoteOptions { progress: Duration::from_secs(4), ..quick() });
    let later = async {
        tokio::time::sleep(Duration::from_secs(6)).await;
        served.map.go.notify_waiters();
    };
    let (receipt, ()) = tokio::join!(node.verify(part(1)), later);
    assert_eq!(receipt.unwrap().length, 100);
}

#[tokio::test]
async fn a_node_killed_in_the_middle_and_back_again() {
    let mut served = Served::start().await;
    let node = served.client_with(quick());
    let length = 64 * MIB;
    served.map.parts.lock().insert(part(1), vec![1; length].into());
    let mut got = node.get(part(1), 0..length as u64).await.unwrap().into_stream();
    got.next().await.unwrap().unwrap();
    let endless = stream::iter([Ok(bytes(2 * MIB, 2))]).chain(stream::pending());
    let mut put = node.put(part(2), Body::Stream(endless.boxed()));
    tokio::select! {
        _ = &mut put => panic!("the body has no end"),
        event = served.event() => assert_eq!(event, Event::PutBegan),
    }
    served.map.is_held.store(true, Ordering::SeqCst);
    let mut small = node.get(part(1), 0..10);
    tokio::select! {
        _ = &mut small => panic!("the node holds it"),
        () = async { while served.map.running.load(Ordering::SeqCst) == 0 { tokio::task::yield_now().await } } => {}
    }

    served.server.abort_all();
    let deadline = Duration::from_secs(5);
    is_unavailable(timeout(deadline, put).await.unwrap());
    is_unavailable(timeout(deadline, small).await.unwrap());
    let broken = async {
        loop {
            match got.next().await {
                Some(Ok(_)) => {}
                end => break end,
            }
        }
    };
    is_unavailable(timeout(deadline, broken).await.unwrap().expect("an error, not an early end"));
    nothing_works(&node).await;

    served.map.is_held.store(false, Ordering::SeqCst);
    let (_, events) = tokio::sync::mpsc::channel(1);
    let _again = Served::start_at(served.address, served.map.clone(), events, ServeOptions::default()).await;
    let back = async {
        while node.get(part(1), 0..10).await.is_err() || node.put(part(3), pieces(bytes(MIB, 1), MIB)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(10), back).await.expect("the client finds the node again");
}

#[tokio::test]
async fn a_wire_that_changes_bytes() {
    let served = Served::start().await;
    let (small, large) = (vec![MARK; 1000], vec![MARK; 3 * MIB]);

    let (address, _wires) = spoil(served.address, Direction::ToNode).await;
    let node = RemoteParts::connect_lazy(&address.to_string(), None, &secret("one"), quick());
    is_unavailable(node.put(part(1), Body::Whole(small.clone().into())).await);
    is_unavailable(node.put(part(1), Body::Whole(large.clone().into())).await);
    assert!(served.map.parts.lock().is_empty());

    served.client().put(part(1), Body::Whole(large.into())).await.unwrap();
    let (address, _wires) = spoil(served.address, Direction::ToClient).await;
    let node = RemoteParts::connect_lazy(&address.to_string(), None, &secret("one"), quick());
    is_unavailable(node.get(part(1), 0..1000).await);
    is_unavailable(node.get(part(1), 0..3 * MIB as u64).await.unwrap().collect(3 * MIB).await);
}

#[tokio::test]
async fn shutdown_finishes_what_is_under_way_and_no_more() {
    let mut served = Served::start().await;
    let node = served.client();
    served.map.is_held.store(true, Ordering::SeqCst);
    let body = || Body::Whole(bytes(100, 1));
    let (small, large) = (node.put(part(1), body()), node.put(part(2), pieces(bytes(MIB, 1), MIB)));
    let stop = async {
        assert_eq!(served.event().await, Event::PutBegan);
        assert_eq!(served.event().await, Event::PutBegan);
        served.stop.take().unwrap().send(()).unwrap();
        // The port is closed as soon as the shutdown has begun.
        while tokio::net::TcpStream::connect(served.address).await.is_ok() {}
        served.map.go.notify_waiters();
    };
    let (small, large, ()) = tokio::join!(small, large, stop);
    small.unwrap();
    large.unwrap();
    served.ended().await.unwrap();
    assert_eq!(node.put(part(3), body()).await.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn shutdown_does_not_wait_longer_than_its_grace() {
    let options = ServeOptions { grace: Duration::from_millis(200), ..ServeOptions::default() };
    let mut served = Served::start_with(options).await;
    let node = served.client();
    served.map.is_held.store(true, Ordering::SeqCst);
    let stop = async {
        assert_eq!(served.event().await, Event::PutBegan);
        served.stop.take().unwrap().send(()).unwrap();
        served.ended().await.unwrap();
    };
    let (put, ()) = tokio::join!(node.put(part(1), pieces(bytes(MIB, 1), MIB)), stop);
    is_unavailable(put);
    assert_eq!(served.event().await, Event::PutDropped);
}
