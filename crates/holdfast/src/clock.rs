//! The real clock and the seed of ids: the only place that asks the system for them.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use base::{Clock, Ids, Time};

/// The system's clocks.
pub(crate) struct SystemClock {
    started: Instant,
}

impl SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that all others are handed")]
    pub(crate) fn start() -> Arc<dyn Clock> {
        Arc::new(Self { started: Instant::now() })
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that all others are handed")]
    fn now(&self) -> Time {
        let micros = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_micros()).unwrap_or(i64::MAX),
        };
        Time::from_micros(micros)
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// Ids seeded by the operating system.
pub(crate) fn ids(clock: &Arc<dyn Clock>) -> Ids {
    Ids::new(clock.clone(), rand::random())
}
