//! Redis as it is: the rules of the shared counters, words between processes, and what happens when it is away.

mod away;
mod counts;
mod pages;
mod words;

use std::{sync::Arc, time::Duration};

use base::{Clock, Secret, Time};
use commons::{Address, Commons};

/// The real clock, as time-outs need it.
struct Real(std::time::Instant);

impl Clock for Real {
    fn now(&self) -> Time {
        Time::from_micros(0)
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Redis as one process sees it.
fn commons(url: &Secret) -> Commons {
    let address = Address::new(url, None).expect("an address");
    Commons::open(&address, Arc::new(Real(std::time::Instant::now()))).expect("an address that can be used")
}

#[test]
fn addresses() {
    let read =
        |text: &str, password: Option<&str>| Address::new(&Secret::new(text), password.map(Secret::new).as_ref());
    for good in ["redis://h", "redis://h:7000/3", "rediss://u:geheim@h", "redis://:geheim@127.0.0.1"] {
        let address = read(good, None).expect(good);
        assert_eq!(address.has_password(), good.contains("geheim"), "{good}");
        assert!(!format!("{address:?}").contains("geheim"));
    }
    assert!(read("redis://h", Some("geheim")).expect("good").has_password());
    for bad in
        ["", "h:6379", "http://h", "redis://", "redis://h:port", "redis:///var/run/redis.sock", "rediss://h#insecure"]
    {
        let error = read(bad, None).expect_err(bad);
        assert_eq!(error.kind(), base::ErrorKind::Invalid, "{bad}");
    }
}

#[tokio::test]
async fn the_server_says_what_it_is() {
    let Some(url) = testkit::redis::shared() else { return };
    let version = commons(&url).version().await.expect("an answer");
    assert!(version.starts_with("Redis ") || version.starts_with("Valkey "), "{version}");
}
