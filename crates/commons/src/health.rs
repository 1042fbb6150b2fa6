//! Whether Redis is there: said once in the log when it goes and once when it is back, and all the time in the metrics.

use parking_lot::Mutex;

use crate::Error;

/// What can be good or bad by itself: a server that has become a replica answers and lets one listen, and counts nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// It answers.
    Commands,
    /// It does what it is told.
    Orders,
    /// Words of others are heard.
    Listening,
}

pub(crate) struct Health(Mutex<State>);

struct State {
    /// By side, whether the last try was good. Orders are obeyed until one is not.
    good: [bool; 3],
    /// Whether the log has been told that it is away.
    told: bool,
}

impl Health {
    pub(crate) fn new() -> Self {
        metrics::describe_gauge!("holdfast_redis_up", "1 while Redis answers and words of other processes are heard");
        metrics::gauge!("holdfast_redis_up").set(0.0);
        Self(Mutex::new(State { good: [false, true, false], told: false }))
    }

    /// Whether the last try was good.
    pub(crate) fn is_good(&self, side: Side) -> bool {
        self.0.lock().good[side as usize]
    }

    pub(crate) fn works(&self, side: Side) {
        let mut state = self.0.lock();
        if !std::mem::replace(&mut state.good[side as usize], true) && state.good == [true; 3] {
            metrics::gauge!("holdfast_redis_up").set(1.0);
            if std::mem::take(&mut state.told) {
                tracing::info!("Redis is back");
            }
        }
    }

    pub(crate) fn fails(&self, side: Side, error: &Error) {
        let mut state = self.0.lock();
        state.good[side as usize] = false;
        metrics::gauge!("holdfast_redis_up").set(0.0);
        if !std::mem::replace(&mut state.told, true) {
            tracing::warn!(%error, "Redis is away: what others change shows after seconds, guesses are counted by process");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_back_when_all_sides_are() {
        let (health, away) = (Health::new(), Error::Away(String::new()));
        health.works(Side::Listening);
        assert!(health.is_good(Side::Listening) && !health.is_good(Side::Commands));
        health.fails(Side::Commands, &away);
        health.fails(Side::Listening, &away);
        assert!(health.0.lock().told && !health.is_good(Side::Listening));
        health.works(Side::Listening);
        assert!(health.0.lock().told, "commands have not been tried again");
        health.works(Side::Commands);
        assert!(!health.0.lock().told);
        // A server that refuses and still answers is not back each time that it answers.
        health.fails(Side::Orders, &away);
        health.works(Side::Commands);
        assert!(health.0.lock().told);
        health.works(Side::Orders);
        assert!(!health.0.lock().told);
    }
}
