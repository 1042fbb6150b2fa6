//! The rules of the scripts are those of a process's own counters. The server's clock is the real one: the waits that are
//! looked at are long beside the time that a test takes.

use std::time::Duration;

use accounts::counts::{Bucket, Count, Key, SharedCounts, Verdict, When};
use commons::Counts;

use crate::commons;

/// How much of a wait may have passed while the test was about it.
const SLACK: Duration = Duration::from_secs(20);

/// A key that no other test has.
fn key() -> Key {
    let mut bytes = [0; 16];
    let (id, moment) = (std::process::id(), std::time::SystemTime::now());
    let nanos = moment.duration_since(std::time::UNIX_EPOCH).expect("it is past 1970").as_nanos();
    bytes[..12].copy_from_slice(&nanos.to_le_bytes()[..12]);
    bytes[12..].copy_from_slice(&id.to_le_bytes());
    Key::from_bytes(bytes)
}

fn bucket(count: Count, when: When) -> Bucket {
    Bucket { count, key: key(), when }
}

/// The verdict, asked for again where the machine was too busy for an answer in time.
async fn verdict(counts: &Counts, mark: Option<Key>, buckets: &[Bucket]) -> Verdict {
    for _ in 0..20 {
        if let Some(verdict) = counts.admit(mark, buckets).await {
            return verdict;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!("Redis does not answer in time");
}

#[track_caller]
fn assert_full(verdict: Verdict, longest: Duration) {
    let Verdict::Full { wait } = verdict else { panic!("{verdict:?}") };
    assert!(wait <= longest && wait + SLACK >= longest, "{wait:?} in place of {longest:?}");
}

const COUNTED: Verdict = Verdict::Counted { known: false };

#[tokio::test]
async fn a_burst_then_a_wait_that_refusals_do_not_lengthen() {
    let Some(url) = testkit::redis::shared() else { return };
    let [one, two] = [(); 2].map(|()| Counts::new(commons(&url)));
    // Codes: five, then one each five minutes. Two processes have one counter.
    let code = [bucket(Count::Code, When::Always)];
    for (attempt, counts) in [&one, &two, &one, &two, &one].into_iter().enumerate() {
        assert_eq!(verdict(counts, None, &code).await, COUNTED, "{attempt}");
    }
    for _ in 0..50 {
        assert_full(verdict(&two, None, &code).await, Duration::from_secs(300));
    }
    assert_eq!(verdict(&two, None, &[bucket(Count::Code, When::Always)]).await, COUNTED, "somebody else");
}

#[tokio::test]
async fn all_buckets_count_or_none() {
    let Some(url) = testkit::redis::shared() else { return };
    let counts = Counts::new(commons(&url));
    let (full, other) = (bucket(Count::Code, When::Always), bucket(Count::Code, When::Always));
    for _ in 0..5 {
        assert_eq!(verdict(&counts, None, &[full]).await, COUNTED);
    }
    for _ in 0..10 {
        assert_full(verdict(&counts, None, &[other, full]).await, Duration::from_secs(300));
    }
    for _ in 0..5 {
        assert_eq!(verdict(&counts, None, &[other]).await, COUNTED, "refused attempts were counted nowhere");
    }
}

#[tokio::test]
async fn an_attempt_is_taken_back_by_its_own_share() {
    let Some(url) = testkit::redis::shared() else { return };
    let counts = Counts::new(commons(&url));
    let code = [bucket(Count::Code, When::Always)];
    for _ in 0..5 {
        assert_eq!(verdict(&counts, None, &code).await, COUNTED);
    }
    counts.settle(&code, None).await;
    assert_eq!(verdict(&counts, None, &code).await, COUNTED);
    assert_full(verdict(&counts, None, &code).await, Duration::from_secs(300));
    // What was never counted is not taken back.
    let fresh = [bucket(Count::Code, When::Always)];
    for _ in 0..10 {
        counts.settle(&fresh, None).await;
    }
    for _ in 0..5 {
        assert_eq!(verdict(&counts, None, &fresh).await, COUNTED);
    }
    assert_full(verdict(&counts, None, &fresh).await, Duration::from_secs(300));
}

#[tokio::test]
async fn those_who_are_known_have_a_counter_of_their_own() {
    let Some(url) = testkit::redis::shared() else { return };
    let [one, two] = [(); 2].map(|()| Counts::new(commons(&url)));
    let mark = key();
    let strangers = bucket(Count::Code, When::Unknown);
    let own = Bucket { count: Count::Code, key: mark, when: When::Known };
    let stranger = Some(key());
    for _ in 0..5 {
        assert_eq!(verdict(&one, stranger, &[strangers, own]).await, COUNTED);
    }
    assert_full(verdict(&one, Some(mark), &[strangers, own]).await, Duration::from_secs(300));
    one.settle(&[], Some(mark)).await;
    for _ in 0..5 {
        assert_eq!(verdict(&two, Some(mark), &[strangers, own]).await, Verdict::Counted { known: true });
    }
    assert_full(verdict(&two, Some(mark), &[strangers, own]).await, Duration::from_secs(300));
    assert_full(verdict(&two, stranger, &[strangers, own]).await, Duration::from_secs(300));
}

#[tokio::test]
async fn many_at_once_are_no_way_around() {
    let Some(url) = testkit::redis::shared() else { return };
    let counts = std::sync::Arc::new(Counts::new(commons(&url)));
    let code = [bucket(Count::Code, When::Always)];
    let mut attempts = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let counts = counts.clone();
        attempts.spawn(async move { verdict(&counts, None, &code).await });
    }
    let verdicts = attempts.join_all().await;
    let through = verdicts.iter().filter(|verdict| **verdict == COUNTED).count();
    // One whose answer was late was counted, and is not let through here.
    assert!((1..=5).contains(&through), "{through}");
    assert_full(verdict(&counts, None, &code).await, Duration::from_secs(300));
}

#[tokio::test]
async fn counters_are_gone_when_they_are_empty() {
    let Some(mut server) = testkit::redis::Server::start() else { return };
    let counts = Counts::new(commons(&server.url()));
    // Links: a hundred, one each two seconds.
    let link = [bucket(Count::Link, When::Always)];
    assert_eq!(verdict(&counts, None, &link).await, COUNTED);
    let size = async || -> u64 {
        let client = redis::Client::open(server.url().expose()).expect("an address");
        let mut connection = client.get_multiplexed_async_connection().await.expect("a connection");
        redis::cmd("DBSIZE").query_async(&mut connection).await.expect("a number")
    };
    assert_eq!(size().await, 1);
    let mut looks = 0;
    while size().await > 0 {
        looks += 1;
        assert!(looks < 200, "the counter stays");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(looks > 10, "it was gone too soon");
    server.kill();
}
