//! Counters of attempts in Redis: a key for each bucket, which is gone when the bucket is empty; two scripts, each one step.

use std::{fmt, sync::LazyLock, time::Duration};

use accounts::counts::{Bucket, Key, SharedCounts, Verdict, When};
use async_trait::async_trait;
use parking_lot::Mutex;
use redis::{RedisError, Script, ScriptInvocation};

use crate::Commons;

/// How long somebody who signs in waits for the verdict. An answer takes under a millisecond nearby, and some from another
/// town; what is slower is as good as away.
const VERDICT: Duration = Duration::from_millis(60);

/// The same for what is settled afterwards, twice at most: 100 ms in all. The server does it also if nobody waits any more.
const SETTLED: Duration = Duration::from_millis(20);

/// How long after a verdict that did not come nobody asks again, so that who signs in while Redis is away does not wait for
/// it each time.
const REST: Duration = Duration::from_secs(1);

/// How long it is kept that somebody signed in from an address, as long as an unused session is by default.
const MARK: Duration = Duration::from_secs(30 * 24 * 3600);

/// In the place of a mark where there is none.
const NO_MARK: &str = "holdfast:throttle:mark:none";

static ADMIT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("admit.lua")));
static SETTLE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("settle.lua")));

/// The counters of all processes on one Redis.
pub struct Counts {
    commons: Commons,
    /// Nobody asks before, by the process's clock.
    rest_until: Mutex<Duration>,
}

impl Counts {
    /// Those of this server.
    pub fn new(commons: Commons) -> Self {
        metrics::describe_counter!(
            "holdfast_redis_missed_counts_total",
            "attempts to sign in that were counted by this process alone, because Redis did not answer in time"
        );
        Self { commons, rest_until: Mutex::default() }
    }
}

impl fmt::Debug for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counts")
    }
}

#[async_trait]
impl SharedCounts for Counts {
    async fn admit(&self, mark: Option<Key>, buckets: &[Bucket]) -> Option<Verdict> {
        let mut call = ADMIT.key(mark_key(mark));
        for bucket in buckets {
            let (rate, when) = (bucket.count.rate(), word(bucket.when));
            call.key(bucket_key(bucket)).arg(when).arg(rate.burst).arg(millis(rate.interval));
        }
        let verdict = match self.rests() {
            true => None,
            false => Some(self.commons.order(VERDICT, self.run::<(u64, bool)>(&call)).await),
        };
        match verdict {
            Some(Ok((0, known))) => return Some(Verdict::Counted { known }),
            Some(Ok((wait, _))) => return Some(Verdict::Full { wait: Duration::from_millis(wait) }),
            Some(Err(error)) => {
                tracing::debug!(%error, "an attempt is counted by this process alone");
                *self.rest_until.lock() = self.commons.0.clock.elapsed() + REST;
            }
            None => {}
        }
        metrics::counter!("holdfast_redis_missed_counts_total").increment(1);
        None
    }

    async fn settle(&self, taken_back: &[Bucket], mark: Option<Key>) {
        let mut call = SETTLE.key(mark_key(mark));
        call.arg(mark.map_or(0, |_| millis(MARK)));
        for bucket in taken_back {
            call.key(bucket_key(bucket)).arg(millis(bucket.count.rate().interval));
        }
        if self.rests() {
            return;
        }
        if let Err(error) = self.commons.order(SETTLED, self.run::<()>(&call)).await {
            tracing::debug!(%error, "a counted attempt may not have been taken back");
        }
    }
}

impl Counts {
    async fn run<T: redis::FromRedisValue>(&self, call: &ScriptInvocation<'_>) -> Result<T, RedisError> {
        call.invoke_async(&mut self.commons.0.manager.clone()).await
    }

    fn rests(&self) -> bool {
        self.commons.0.clock.elapsed() < *self.rest_until.lock()
    }
}

fn mark_key(mark: Option<Key>) -> String {
    mark.map_or_else(|| NO_MARK.to_owned(), |mark| format!("holdfast:throttle:mark:{mark}"))
}

fn bucket_key(bucket: &Bucket) -> String {
    format!("holdfast:throttle:{}:{}", bucket.count.name(), bucket.key)
}

fn word(when: When) -> &'static str {
    match when {
        When::Always => "always",
        When::Known => "known",
        When::Unknown => "unknown",
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).expect("spans of the rules are days at most")
}
