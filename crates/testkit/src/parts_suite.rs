//! What every implementation of [`Parts`] has to do. Each test of [`cases`] gets an empty server of its own.
//!
//! ```ignore
//! for (name, case) in testkit::parts_suite::cases() {
//!     case(Arc::new(open_an_empty_one().await)).await;
//! }
//! ```

use std::{collections::BTreeSet, ops::Range, pin::Pin, sync::Arc};

use base::{
    PartId,
    limits::{CHECKSUM_BLOCK_BYTES, SMALL_PART_BYTES_MAX},
};
use bytes::Bytes;
use futures::{FutureExt, StreamExt, future, stream};
use proto::{Body, Error, PartInfo, Parts, Receipt, checksum};

/// A test: panics if the server does not do what it should.
pub type Case = fn(Arc<dyn Parts>) -> Pin<Box<dyn Future<Output = ()> + Send>>;

macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        /// All tests with their names.
        pub fn cases() -> Vec<(&'static str, Case)> {
            vec![$((stringify!($name), |parts| Box::pin($name(parts)))),*]
        }
    };
}

cases! {
    round_trip_of_every_size,
    ranges,
    ranges_beyond_the_end_are_refused,
    streams_in_pieces_of_any_size,
    a_put_replaces_in_one_step,
    deletes_are_idempotent,
    listing_goes_in_pages,
    verify_reads_back,
    what_is_not_there_is_not_found,
    a_body_that_breaks_off_leaves_nothing,
    a_put_that_is_dropped_leaves_nothing,
    a_part_is_invisible_until_its_put_is_done,
    readers_of_a_replaced_part_see_whole_bytes,
    many_puts_at_once,
    health_counts_parts,
}

/// Sizes around every limit: blocks, small parts, pieces of a stream.
pub const SIZES: [usize; 14] = [
    0,
    1,
    7,
    4096,
    CHECKSUM_BLOCK_BYTES - 1,
    CHECKSUM_BLOCK_BYTES,
    CHECKSUM_BLOCK_BYTES + 1,
    SMALL_PART_BYTES_MAX - 1,
    SMALL_PART_BYTES_MAX,
    SMALL_PART_BYTES_MAX + 1,
    1 << 20,
    (1 << 20) + 1,
    3 << 20,
    (3 << 20) + 12_345,
];

/// A part id that tells its number, in the order of the numbers, with bytes that differ as random ones do.
pub fn part(number: u32) -> PartId {
    let mut bytes = [0x77; 16];
    bytes[0..4].copy_from_slice(&number.to_be_bytes());
    let mixed = number.wrapping_mul(0x9e37_79b9).to_le_bytes();
    bytes[11..15].copy_from_slice(&mixed);
    bytes[15] = (number % 6) as u8;
    PartId::from_bytes(bytes)
}

/// Bytes that look random and depend on the seed.
pub fn data(seed: u64, length: usize) -> Bytes {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        // xorshift64 (Marsaglia 2003).
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes.into()
}

/// A body that comes in pieces of this many bytes.
pub fn pieces(data: &Bytes, size: usize) -> Body {
    let data = data.clone();
    let starts = (0..data.len()).step_by(size);
    let pieces: Vec<_> = starts.map(|at| Ok(data.slice(at..data.len().min(at + size)))).collect();
    Body::Stream(stream::iter(pieces).boxed())
}

/// What a server should say of these bytes.
pub fn receipt(data: &[u8]) -> Receipt {
    Receipt { length: data.len() as u64, checksum: checksum(data) }
}

async fn put(parts: &Arc<dyn Parts>, part: PartId, data: &Bytes) {
    let said = parts.put(part, Body::Whole(data.clone())).await.expect("put");
    assert_eq!(said, receipt(data), "the receipt of {} bytes", data.len());
}

async fn get(parts: &Arc<dyn Parts>, part: PartId, range: Range<u64>) -> Result<Bytes, Error> {
    parts.get(part, range).await?.collect(64 << 20).await
}

async fn expect(parts: &Arc<dyn Parts>, part: PartId, data: &Bytes) {
    let got = get(parts, part, 0..data.len() as u64).await.expect("get");
    assert!(got == data, "{} bytes came back as {} bytes, or others", data.len(), got.len());
}

async fn expect_not_found(parts: &Arc<dyn Parts>, part: PartId) {
    assert!(matches!(get(parts, part, 0..0).await, Err(Error::NotFound(found)) if found == part), "get");
    assert!(matches!(parts.verify(part).await, Err(Error::NotFound(found)) if found == part), "verify");
    let listed = parts.list(None, 1_000_000).await.expect("list");
    assert!(listed.iter().all(|info| info.part != part), "list");
}

async fn round_trip_of_every_size(parts: Arc<dyn Parts>) {
    for (number, size) in (0..).zip(SIZES) {
        put(&parts, part(number), &data(number.into(), size)).await;
    }
    for (number, size) in (0..).zip(SIZES) {
        expect(&parts, part(number), &data(number.into(), size)).await;
    }
}

async fn ranges(parts: Arc<dyn Parts>) {
    for (number, size) in (0..).zip(SIZES) {
        let (part, data) = (part(number), data(number.into(), size));
        put(&parts, part, &data).await;
        let block = CHECKSUM_BLOCK_BYTES;
        let edges = [0, 1, block - 1, block, block + 1, 2 * block, size / 2, 1 << 20, size.saturating_sub(1), size];
        let edges: BTreeSet<usize> = edges.into_iter().filter(|&edge| edge <= size).collect();
        for &start in &edges {
            for &end in edges.range(start..) {
                let got = get(&parts, part, start as u64..end as u64).await.expect("a range within the part");
                assert!(got == data.slice(start..end), "{start}..{end} of {size}");
            }
        }
    }
}

async fn ranges_beyond_the_end_are_refused(parts: Arc<dyn Parts>) {
    for (number, size) in [(1, 0), (2, 1000), (3, 1 << 20)] {
        let part = part(number);
        put(&parts, part, &data(1, size)).await;
        let size = size as u64;
        #[expect(clippy::reversed_empty_ranges, reason = "what a confused caller may send")]
        for range in [0..size + 1, size..size + 1, size + 1..size + 1, 2..1, 0..u64::MAX, u64::MAX..u64::MAX] {
            let got = get(&parts, part, range.clone()).await;
            assert!(matches!(got, Err(Error::Range(found)) if found == part), "{range:?} of {size}: {got:?}");
        }
    }
}

async fn streams_in_pieces_of_any_size(parts: Arc<dyn Parts>) {
    let sizes = [0, 1, SMALL_PART_BYTES_MAX, SMALL_PART_BYTES_MAX + 1, (2 << 20) + 77];
    for (number, size) in (0..).zip(sizes) {
        let data = data(9, size);
        for piece in [1000, CHECKSUM_BLOCK_BYTES, 100_001, 1 << 20, 8 << 20] {
            let said = parts.put(part(number), pieces(&data, piece)).await.expect("put");
            assert_eq!(said, receipt(&data), "{size} in pieces of {piece}");
            expect(&parts, part(number), &data).await;
        }
    }
}

async fn a_put_replaces_in_one_step(parts: Arc<dyn Parts>) {
    // Every change of form: small and large, to small and large.
    let sizes = [100, 200, 1 << 20, 2 << 20, 50, 3 << 20, 0, 1 << 20];
    for (seed, size) in (0..).zip(sizes) {
        let data = data(seed, size);
        put(&parts, part(1), &data).await;
        expect(&parts, part(1), &data).await;
        assert_eq!(parts.verify(part(1)).await.expect("verify"), receipt(&data));
        let listed = parts.list(None, 10).await.expect("list");
        assert_eq!(listed, [PartInfo { part: part(1), receipt: receipt(&data) }]);
    }
}

async fn deletes_are_idempotent(parts: Arc<dyn Parts>) {
    let (small, large, other) = (part(1), part(2), part(3));
    put(&parts, small, &data(1, 500)).await;
    put(&parts, large, &data(2, 1 << 20)).await;
    put(&parts, other, &data(3, 500)).await;
    parts.delete(&[]).await.expect("nothing");
    for _ in 0..2 {
        parts.delete(&[small, large, small, part(4)]).await.expect("delete");
        expect_not_found(&parts, small).await;
        expect_not_found(&parts, large).await;
    }
    expect(&parts, other, &data(3, 500)).await;
    put(&parts, small, &data(4, 1 << 20)).await;
    expect(&parts, small, &data(4, 1 << 20)).await;
    parts.delete(&[small]).await.expect("delete");
    expect_not_found(&parts, small).await;
}

async fn listing_goes_in_pages(parts: Arc<dyn Parts>) {
    assert_eq!(parts.list(None, 10).await.expect("list"), []);
    let mut all = Vec::new();
    for number in [5, 3, 9, 1, 7, 8, 2] {
        let data = data(number.into(), number as usize * 50_000);
        put(&parts, part(number), &data).await;
        all.push(PartInfo { part: part(number), receipt: receipt(&data) });
    }
    all.sort_by_key(|info| info.part);
    for limit in [1, 2, 3, 7, 100] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = parts.list(after, limit).await.expect("list");
            assert!(page.len() <= limit as usize);
            let Some(last) = page.last() else { break };
            after = Some(last.part);
            seen.extend(page);
        }
        assert_eq!(seen, all, "in pages of {limit}");
    }
    assert_eq!(parts.list(None, 0).await.expect("list"), []);
    let between = parts.list(Some(part(4)), 1).await.expect("list");
    assert_eq!(between[0].part, part(5), "`after` need not be a part");
}

async fn verify_reads_back(parts: Arc<dyn Parts>) {
    for (number, size) in (0..).zip(SIZES) {
        let data = data(number.into(), size);
        put(&parts, part(number), &data).await;
        assert_eq!(parts.verify(part(number)).await.expect("verify"), receipt(&data), "{size}");
    }
}

async fn what_is_not_there_is_not_found(parts: Arc<dyn Parts>) {
    expect_not_found(&parts, part(1)).await;
    assert!(matches!(get(&parts, part(1), 0..10).await, Err(Error::NotFound(_))));
    parts.delete(&[part(1)]).await.expect("a part that is not there counts as removed");
}

async fn a_body_that_breaks_off_leaves_nothing(parts: Arc<dyn Parts>) {
    for (number, size) in [(1, 0), (2, 100), (3, SMALL_PART_BYTES_MAX + 1), (4, 12 << 20)] {
        let data = data(1, size);
        for keeps_old in [false, true] {
            let old = self::data(2, 1000);
            if keeps_old {
                put(&parts, part(number), &old).await;
            }
            let broken = stream::once(future::ready(Err(Error::Body("the client went away".into()))));
            let body = pieces(&data, 1 << 20).into_stream().chain(broken).boxed();
            let said = parts.put(part(number), Body::Stream(body)).await;
            assert!(matches!(said, Err(Error::Body(_))), "after {size} bytes: {said:?}");
            if keeps_old {
                expect(&parts, part(number), &old).await;
            } else {
                expect_not_found(&parts, part(number)).await;
            }
        }
    }
}

async fn a_put_that_is_dropped_leaves_nothing(parts: Arc<dyn Parts>) {
    for (number, size) in [(1, 100), (2, 3 << 20)] {
        let (more, seen) = tokio::sync::oneshot::channel();
        let start = pieces(&data(1, size), 1 << 20).into_stream();
        // The server asks for more once it has taken all there is; then it waits for ever.
        let hang = stream::once(async move {
            let _ = more.send(());
            future::pending::<Result<Bytes, Error>>().await
        });
        let put = parts.put(part(number), Body::Stream(start.chain(hang).boxed()));
        tokio::select! {
            _ = put => panic!("a put ended before its body did"),
            seen = seen => seen.expect("the body was asked for more"),
        }
        expect_not_found(&parts, part(number)).await;
        put_again(&parts, part(number)).await;
    }
}

async fn put_again(parts: &Arc<dyn Parts>, part: PartId) {
    let data = data(5, 2000);
    put(parts, part, &data).await;
    expect(parts, part, &data).await;
}

async fn a_part_is_invisible_until_its_put_is_done(parts: Arc<dyn Parts>) {
    for (number, size) in [(1, 1000), (2, 2 << 20)] {
        let data = data(number.into(), size);
        let (send, receive) = tokio::sync::mpsc::channel::<Result<Bytes, Error>>(1);
        let body = stream::unfold(receive, |mut receive| async { receive.recv().await.map(|piece| (piece, receive)) });
        let putting = parts.put(part(number), Body::Stream(body.boxed()));
        let feeding = async {
            send.send(Ok(data.slice(..size / 2))).await.expect("taken");
            expect_not_found(&parts, part(number)).await;
            send.send(Ok(data.slice(size / 2..))).await.expect("taken");
            expect_not_found(&parts, part(number)).await;
            drop(send);
        };
        let (said, ()) = future::join(putting, feeding).await;
        assert_eq!(said.expect("put"), receipt(&data));
        expect(&parts, part(number), &data).await;
    }
}

async fn readers_of_a_replaced_part_see_whole_bytes(parts: Arc<dyn Parts>) {
    // One id always means the same bytes; what changes is only the form that the server happens to keep them in.
    let data = data(1, SMALL_PART_BYTES_MAX + 1);
    put(&parts, part(1), &data).await;
    let writing = async {
        for _ in 0..20 {
            put(&parts, part(1), &data).await;
        }
    };
    let reading = async {
        for _ in 0..40 {
            expect(&parts, part(1), &data).await;
            tokio::task::yield_now().await;
        }
    };
    future::join(writing, reading).await;
}

async fn many_puts_at_once(parts: Arc<dyn Parts>) {
    let size = |number: u32| if number.is_multiple_of(10) { 300_000 } else { number as usize * 37 % 5000 };
    let tasks = (0..200u32).map(|number| {
        let parts = Arc::clone(&parts);
        async move {
            let data = data(number.into(), size(number));
            put(&parts, part(number), &data).await;
            if number % 3 == 0 {
                parts.delete(&[part(number)]).await.expect("delete");
            } else {
                expect(&parts, part(number), &data).await;
            }
        }
        .boxed()
    });
    let mut running = tokio::task::JoinSet::new();
    tasks.for_each(|task| drop(running.spawn(task)));
    running.join_all().await;
    let listed = parts.list(None, 1000).await.expect("list");
    let left: Vec<_> = (0..200).filter(|number| number % 3 != 0).map(part).collect();
    assert_eq!(listed.iter().map(|info| info.part).collect::<Vec<_>>(), left);
}

async fn health_counts_parts(parts: Arc<dyn Parts>) {
    put(&parts, part(1), &data(1, 1000)).await;
    put(&parts, part(2), &data(2, 1 << 20)).await;
    put(&parts, part(2), &data(2, 1 << 20)).await;
    put(&parts, part(3), &data(3, 10)).await;
    parts.delete(&[part(3)]).await.expect("delete");
    let health = parts.health().await.expect("health");
    assert_eq!((health.part_count, health.part_bytes), (2, 1000 + (1 << 20)));
    assert!(health.writable, "{:?}", health.trouble);
    assert!(health.free_bytes > 0 && health.free_bytes <= health.total_bytes);
    assert!(!health.disk.is_empty());
}
