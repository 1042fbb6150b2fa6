//! The contract of `Parts`, through the wire.

use std::sync::atomic::Ordering;

use base::limits::SMALL_PART_BYTES_MAX;
use bytes::Bytes;
use futures::{StreamExt, stream};
use proto::{Body, Error, Parts, Receipt, checksum};

use crate::map::{Event, NODE, Served, bytes, part, pieces};

const MIB: usize = 1 << 20;

#[tokio::test]
async fn what_is_put_is_what_is_got() {
    let served = Served::start().await;
    let node = served.client();
    let small = SMALL_PART_BYTES_MAX;
    for (number, length) in
        [0, 1, 4096, small - 1, small, small + 1, MIB - 1, MIB, MIB + 1, 5 * MIB + 3].into_iter().enumerate()
    {
        let all = bytes(length, length as u64);
        let expected = Receipt { length: length as u64, checksum: checksum(&all) };
        for body in [Body::Whole(all.clone()), pieces(all.clone(), 3 * MIB), pieces(all.clone(), 10_000)] {
            let part = part(number as u128);
            assert_eq!(node.put(part, body).await.unwrap(), expected);
            assert_eq!(served.map.parts.lock()[&part], all);
            let end = length as u64;
            for range in [0..end, 0..0, end..end, end / 3..end / 2, end / 2..end] {
                let got = node.get(part, range.clone()).await.unwrap().collect(length).await.unwrap();
                assert_eq!(got, all.slice(range.start as usize..range.end as usize), "{range:?} of {length}");
            }
            assert!(matches!(node.get(part, 0..end + 1).await, Err(Error::Range(p)) if p == part));
            assert_eq!(node.verify(part).await.unwrap(), expected);
        }
    }
}

#[tokio::test]
#[expect(clippy::reversed_empty_ranges, reason = "the point of the test")]
async fn refusals_arrive_as_they_were_given() {
    let served = Served::start().await;
    let node = served.client();
    let absent = part(1);
    for range in [0..1, 0..MIB as u64] {
        assert!(matches!(node.get(absent, range).await, Err(Error::NotFound(p)) if p == absent));
    }
    assert!(matches!(node.get(absent, 2..1).await, Err(Error::Range(p)) if p == absent));
    assert!(matches!(node.verify(absent).await, Err(Error::NotFound(p)) if p == absent));
    node.delete(&[absent]).await.unwrap();

    served.map.is_full.store(true, Ordering::SeqCst);
    assert!(matches!(node.put(part(2), Body::Whole(bytes(10, 1))).await, Err(Error::Full)));
    // A large body is refused while it is on its way.
    for _ in 0..20 {
        let result = node.put(part(2), pieces(bytes(8 * MIB, 1), MIB)).await;
        assert!(matches!(result, Err(Error::Full)), "{result:?}");
    }
    assert_eq!(node.health().await.unwrap().trouble.as_deref(), Some("full"));
}

#[tokio::test]
async fn damage_ends_a_stream_where_it_is() {
    let served = Served::start().await;
    let node = served.client();
    let all = bytes(4 * MIB, 1);
    node.put(part(1), Body::Whole(all.clone())).await.unwrap();
    *served.map.damaged_at.lock() = Some(3 * MIB);
    let mut stream = node.get(part(1), 0..4 * MIB as u64).await.unwrap().into_stream();
    let mut at = 0;
    let error = loop {
        match stream.next().await.unwrap() {
            Ok(piece) => {
                assert_eq!(piece, all.slice(at..at + piece.len()));
                at += piece.len();
            }
            Err(error) => break error,
        }
    };
    assert_eq!(at, 3 * MIB);
    assert!(matches!(error, Error::Damaged(p, _) if p == part(1)));
    assert!(stream.next().await.is_none());
    let small = node.get(part(1), 3 * MIB as u64..3 * MIB as u64 + 10).await;
    assert!(matches!(small, Err(Error::Damaged(p, _)) if p == part(1)));
}

#[tokio::test]
async fn lists_and_deletes_more_than_a_message_holds() {
    let served = Served::start().await;
    let node = served.client();
    let count: u32 = 40_000;
    {
        let mut map = served.map.parts.lock();
        for number in 0..count {
            map.insert(part(number.into()), Bytes::new());
        }
    }
    let all = node.list(None, u32::MAX).await.unwrap();
    assert_eq!(all.len(), count as usize);
    assert!(all.is_sorted_by(|a, b| a.part < b.part));
    let some = node.list(Some(part(5)), 20_000).await.unwrap();
    assert_eq!((some.len(), some[0].part, some[19_999].part), (20_000, part(6), part(20_005)));
    assert!(node.list(Some(part(5)), 0).await.unwrap().is_empty());
    assert!(node.list(Some(part(u128::from(count))), 10).await.unwrap().is_empty());

    let parts: Vec<_> = all.iter().map(|info| info.part).collect();
    node.delete(&parts[..30_000]).await.unwrap();
    let health = node.health().await.unwrap();
    assert_eq!((health.node, health.part_count), (NODE, 10_000));
}

#[tokio::test]
async fn a_body_that_fails_leaves_nothing() {
    let mut served = Served::start().await;
    let node = served.client();
    let old = bytes(100, 1);
    node.put(part(1), Body::Whole(old.clone())).await.unwrap();
    assert_eq!(served.event().await, Event::PutBegan);
    let body = stream::iter([Ok(bytes(2 * MIB, 2)), Err(Error::Unavailable("the source broke".into()))]);
    let result = node.put(part(1), Body::Stream(body.boxed())).await;
    assert!(matches!(&result, Err(Error::Body(why)) if why.contains("the source broke")), "{result:?}");
    assert_eq!(served.event().await, Event::PutBegan);
    assert_eq!(served.event().await, Event::PutDropped);
    assert_eq!(served.map.parts.lock()[&part(1)], old);
}

#[tokio::test]
async fn a_put_that_is_given_up_leaves_nothing() {
    let mut served = Served::start().await;
    let node = served.client();
    let endless = stream::iter([Ok(bytes(2 * MIB, 2))]).chain(stream::pending());
    let put = node.put(part(1), Body::Stream(endless.boxed()));
    let began = served.event();
    tokio::select! {
        _ = put => panic!("the body has no end"),
        event = began => assert_eq!(event, Event::PutBegan),
    }
    assert_eq!(served.event().await, Event::PutDropped);
    assert!(served.map.parts.lock().is_empty());
}

#[tokio::test]
async fn a_get_that_is_given_up_stops_the_node() {
    let mut served = Served::start().await;
    let node = served.client();
    let length = 64 * MIB;
    served.map.parts.lock().insert(part(1), vec![1; length].into());
    let mut stream = node.get(part(1), 0..length as u64).await.unwrap().into_stream();
    stream.next().await.unwrap().unwrap();
    drop(stream);
    // Had it read to the end, there would be no such event.
    assert_eq!(served.event().await, Event::GetDropped);
    node.health().await.unwrap();
}
