//! A clock that moves only when a test says so.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use base::{Clock, Time};

/// A clock in the hands of a test. Clones are the same clock.
#[derive(Clone)]
pub struct TestClock(Arc<State>);

struct State {
    wall: AtomicI64,
    elapsed: AtomicI64,
}

impl TestClock {
    /// A clock that stands at 2026-11-21, 00:53:35 UTC.
    #[expect(clippy::new_without_default, reason = "there is no default moment, only an agreed one")]
    pub fn new() -> Self {
        Self(Arc::new(State { wall: AtomicI64::new(1_795_222_415_000_000), elapsed: AtomicI64::new(0) }))
    }

    /// The clock as components take it.
    pub fn handle(&self) -> Arc<dyn Clock> {
        Arc::new(self.clone())
    }

    /// Lets time pass.
    pub fn advance(&self, span: Duration) {
        self.0.elapsed.fetch_add(micros(span), Ordering::SeqCst);
        self.0.wall.fetch_add(micros(span), Ordering::SeqCst);
    }

    /// Somebody sets the wall clock forward; no time passes.
    pub fn set_forward(&self, span: Duration) {
        self.0.wall.fetch_add(micros(span), Ordering::SeqCst);
    }

    /// Somebody sets the wall clock back; no time passes.
    pub fn set_back(&self, span: Duration) {
        self.0.wall.fetch_sub(micros(span), Ordering::SeqCst);
    }
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).expect("a test's spans are short")
}

impl Clock for TestClock {
    fn now(&self) -> Time {
        Time::from_micros(self.0.wall.load(Ordering::SeqCst))
    }

    fn elapsed(&self) -> Duration {
        Duration::from_micros(self.0.elapsed.load(Ordering::SeqCst).unsigned_abs())
    }
}
