//! The time in which the story of the demonstration happens: the last two months, in working hours.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use base::{Clock, Time};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Working days that the story lasts: a little under 60 days of the calendar.
pub(super) const WORK_DAYS: usize = 43;

/// When people begin, in seconds after midnight UTC: it is half past seven in Porto and half past eleven in Yerevan.
const MORNING: u64 = 7 * 3600 + 1800;

/// How long they are all at work: until half past three in Porto, half past seven in Yerevan.
const WORK: Duration = Duration::from_secs(8 * 3600);

/// A last day shorter than this is left out.
const WORK_MIN: Duration = Duration::from_secs(90 * 60);

/// How far before the present the story ends.
const GAP: Duration = Duration::from_secs(300);

/// A clock whose wall time is that of the story, and whose monotonic time is the real one.
///
/// Every look at it is a millisecond later than the one before, so ids that are made of it are in the order of their
/// making.
pub(super) struct StoryClock {
    real: Arc<dyn Clock>,
    micros: AtomicI64,
}

impl StoryClock {
    /// One that shows the beginning of the story.
    pub(super) fn new(real: Arc<dyn Clock>, begin: Time) -> Self {
        Self { real, micros: AtomicI64::new(begin.as_micros()) }
    }

    /// Goes forward to a moment; never back.
    pub(super) fn forward(&self, to: Time) {
        self.micros.fetch_max(to.as_micros(), Ordering::Relaxed);
    }
}

impl Clock for StoryClock {
    fn now(&self) -> Time {
        Time::from_micros(self.micros.fetch_add(1000, Ordering::Relaxed))
    }

    fn elapsed(&self) -> Duration {
        self.real.elapsed()
    }
}

/// The working days of the story.
#[derive(Debug, Clone)]
pub(super) struct Calendar {
    mornings: Vec<Time>,
    /// How long the last day lasts.
    last: Duration,
}

impl Calendar {
    /// The days that end with the newest one that fits before `now`.
    pub(super) fn before(now: Time) -> Self {
        let now = now.minus(GAP);
        let mut midnight = Time::from_micros(now.as_secs().div_euclid(86_400) * 86_400_000_000);
        let mut mornings = Vec::with_capacity(WORK_DAYS);
        while mornings.len() < WORK_DAYS {
            let morning = midnight.plus(Duration::from_secs(MORNING));
            if is_work_day(midnight) && now.since(morning) >= WORK_MIN {
                mornings.push(morning);
            }
            midnight = midnight.minus(DAY);
        }
        let last = now.since(mornings[0]).min(WORK);
        mornings.reverse();
        Self { mornings, last }
    }

    /// When the story begins.
    pub(super) fn begin(&self) -> Time {
        self.mornings[0]
    }

    /// The morning of a day; days after the last one are the last one.
    pub(super) fn morning(&self, day: usize) -> Time {
        self.mornings[day.min(self.mornings.len() - 1)]
    }

    /// The moment of the deed at `place` of `count` on a day: they are spread over the hours of work, a few minutes off
    /// by `jitter`.
    pub(super) fn moment(&self, day: usize, place: usize, count: usize, jitter: u64) -> Time {
        let day = day.min(self.mornings.len() - 1);
        let work = if day + 1 == self.mornings.len() { self.last } else { WORK };
        let slot = work / count.max(1) as u32;
        // Up to half of a slot: the order stays what it is.
        self.mornings[day].plus(slot * place as u32 + slot.mul_f64((jitter % 1000) as f64 / 2000.0))
    }
}

/// Monday to Friday.
fn is_work_day(midnight: Time) -> bool {
    // 1970 began on a Thursday.
    !matches!((midnight.as_secs().div_euclid(86_400) + 4).rem_euclid(7), 0 | 6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn days_are_working_days_and_lie_in_the_past() {
        // A Saturday, a Monday before anybody is at work, a Wednesday in the middle of it.
        for now in ["2026-11-21T11:00:00Z", "2026-11-23T07:00:00Z", "2026-11-25T10:00:00Z"] {
            let now: Time = now.parse().expect("a time");
            let calendar = Calendar::before(now);
            assert_eq!(calendar.mornings.len(), WORK_DAYS);
            assert!(calendar.mornings.windows(2).all(|pair| pair[0] < pair[1]));
            assert!(calendar.mornings.iter().all(|morning| is_work_day(*morning)));
            let whole = now.since(calendar.begin());
            assert!(whole > DAY * 56 && whole < DAY * 62, "{whole:?}");
            let end = calendar.moment(WORK_DAYS - 1, 9, 10, 999);
            assert!(end < now && now.since(end) < DAY * 3, "{end}");
        }
    }

    #[test]
    fn moments_of_a_day_are_in_order() {
        let calendar = Calendar::before("2026-11-25T10:00:00Z".parse().expect("a time"));
        for day in [0, 20, WORK_DAYS - 1] {
            let moments: Vec<_> = (0..30).map(|place| calendar.moment(day, place, 30, place as u64 * 7919)).collect();
            assert!(moments.windows(2).all(|pair| pair[0] < pair[1]));
            assert!(moments.iter().all(|moment| moment.date() == calendar.morning(day).date()));
        }
    }

    #[test]
    fn the_clock_goes_forward_only() {
        let begin = Time::from_micros(1_700_000_000_000_000);
        let clock = StoryClock::new(SystemClock::start(), begin);
        let first = clock.now();
        clock.forward(begin.plus(DAY));
        let second = clock.now();
        clock.forward(begin);
        assert!(first < second && second < clock.now());
    }
}
