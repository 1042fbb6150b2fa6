//! Counters of this process.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use parking_lot::Mutex;

use super::counts::{Bucket, Count, Key, Rate, Verdict};

/// Counters of one kind at most. Each live one stands for an Argon2 hash within the last few minutes, so a server of a
/// few cores never gets here; if one does, all are forgotten, which gives everybody a new burst.
const COUNTERS_MAX: usize = 1 << 16;

/// Marks at most; at the bound all are forgotten.
const MARKS_MAX: usize = 1 << 14;

/// See [`SharedCounts`](super::SharedCounts), which has the same rules.
#[derive(Default)]
pub(super) struct Local(Mutex<State>);

#[derive(Default)]
struct State {
    /// For each [`Count`] the moments at which buckets will be empty again.
    counters: [HashMap<Key, Duration>; Count::ALL.len()],
    marks: HashSet<Key>,
}

impl Local {
    pub(super) fn admit(&self, mark: Option<Key>, buckets: &[Bucket], now: Duration) -> Verdict {
        let mut state = self.0.lock();
        let known = mark.is_some_and(|mark| state.marks.contains(&mark));
        let counted = || buckets.iter().filter(|bucket| bucket.when.holds(known));
        let waits = counted().filter_map(|bucket| {
            wait(bucket.count.rate(), state.counters[bucket.count as usize].get(&bucket.key), now)
        });
        if let Some(wait) = waits.max() {
            return Verdict::Full { wait };
        }
        for bucket in counted() {
            count(bucket.count.rate(), &mut state.counters[bucket.count as usize], bucket.key, now);
        }
        Verdict::Counted { known }
    }

    pub(super) fn settle(&self, taken_back: &[Bucket], mark: Option<Key>) {
        let mut state = self.0.lock();
        for bucket in taken_back {
            // Only its own share is taken back: who signs in to an account of their own between two guesses gains nothing.
            if let Some(empty_at) = state.counters[bucket.count as usize].get_mut(&bucket.key) {
                *empty_at = empty_at.saturating_sub(bucket.count.rate().interval);
            }
        }
        if let Some(mark) = mark {
            if state.marks.len() >= MARKS_MAX {
                state.marks.clear();
            }
            state.marks.insert(mark);
        }
    }
}

/// How long until an attempt is let through; `None` if it is now.
fn wait(rate: Rate, empty_at: Option<&Duration>, now: Duration) -> Option<Duration> {
    let room_at = empty_at?.saturating_sub(rate.interval * (rate.burst - 1));
    room_at.checked_sub(now).filter(|wait| !wait.is_zero())
}

fn count(rate: Rate, counters: &mut HashMap<Key, Duration>, key: Key, now: Duration) {
    if counters.len() >= COUNTERS_MAX && !counters.contains_key(&key) {
        // An empty bucket is the same as none.
        counters.retain(|_, empty_at| *empty_at > now);
        if counters.len() >= COUNTERS_MAX {
            counters.clear();
        }
    }
    let empty_at = counters.entry(key).or_insert(now);
    *empty_at = (*empty_at).max(now) + rate.interval;
}

#[cfg(test)]
mod tests {
    use super::{super::counts::When, *};

    #[test]
    fn memory_is_bounded() {
        let local = Local::default();
        for number in 0..COUNTERS_MAX as u128 + 10 {
            let key = Key::from_bytes(number.to_be_bytes());
            let bucket = Bucket { count: Count::Name, key, when: When::Always };
            assert_eq!(local.admit(None, &[bucket], Duration::ZERO), Verdict::Counted { known: false });
            local.settle(&[], Some(key));
        }
        let state = local.0.lock();
        assert!(state.counters[Count::Name as usize].len() <= COUNTERS_MAX && state.marks.len() <= MARKS_MAX);
    }
}
