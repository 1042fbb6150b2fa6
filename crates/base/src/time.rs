//! Time as a value, and the handle that components read it from.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Serialize, Serializer};

/// A moment: microseconds since 1970-01-01 00:00 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(i64);

impl Time {
    /// The moment this many microseconds after 1970 (before, if negative).
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The moment `span` later; saturates at the end of time.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }

    /// The moment `span` earlier; saturates at the beginning of time.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// RFC 3339 in UTC with microseconds: `2026-11-21T01:26:55.000000Z`.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.as_secs();
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil(days);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:06}Z",
            second / 3600,
            second / 60 % 60,
            second % 60,
            self.0.rem_euclid(1_000_000)
        )
    }
}

/// The text is not a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time is a date, or a date and a time of day in UTC: 2026-11-21T01:26:55Z")]
pub struct ParseTimeError;

/// RFC 3339 in UTC with up to microseconds, or a date alone, which is its midnight.
impl FromStr for Time {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        let (date, clock) = match text.split_once(['T', 't']) {
            None => (text, None),
            Some((date, clock)) => (date, Some(clock.strip_suffix(['Z', 'z']).ok_or(ParseTimeError)?)),
        };
        let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
        let days = days(year, month, day);
        if civil(days) != (year, month, day) {
            return Err(ParseTimeError);
        }
        let (clock, fraction) = clock.map_or(("00:00:00", "0"), |it| it.split_once('.').unwrap_or((it, "0")));
        let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
        if hour > 23 || minute > 59 || second > 59 {
            return Err(ParseTimeError);
        }
        if !(1..=6).contains(&fraction.len()) || !fraction.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ParseTimeError);
        }
        let micros: i64 = format!("{fraction:0<6}").parse().map_err(|_| ParseTimeError)?;
        Ok(Self((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000 + micros))
    }
}

/// Three numbers of so many digits.
fn numbers(text: &str, between: char, digits: [usize; 3]) -> Result<[i64; 3], ParseTimeError> {
    let mut found = [0; 3];
    let mut words = text.split(between);
    for (number, digits) in found.iter_mut().zip(digits) {
        let word = words.next().filter(|word| word.len() == digits && word.bytes().all(|b| b.is_ascii_digit()));
        *number = word.and_then(|word| word.parse().ok()).ok_or(ParseTimeError)?;
    }
    if words.next().is_some() { Err(ParseTimeError) } else { Ok(found) }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Year, month and day of a count of days since 1970, in the proleptic Gregorian calendar.
///
/// The algorithm is `civil_from_days` of Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013).
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The count of days since 1970 of a date: the inverse of [`civil`], `days_from_civil` of the same source.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Where a component reads time from; the real one is in the binary, the one of tests in `testkit`.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock. It may jump, also backwards: use it for what people read and for deadlines that are hours away.
    fn now(&self) -> Time;

    /// Time since some fixed point in this process. It never goes back: use it for time-outs and rates.
    fn elapsed(&self) -> Duration;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_rfc_3339() {
        let check = |micros, text: &str| assert_eq!(Time::from_micros(micros).to_string(), text);
        check(0, "1970-01-01T00:00:00.000000Z");
        check(-1, "1969-12-31T23:59:59.999999Z");
        check(951_782_400_000_000, "2000-02-29T00:00:00.000000Z");
        check(1_795_224_415_123_456, "2026-11-21T01:26:55.123456Z");
        check(4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z");
    }

    #[test]
    fn reads_rfc_3339() {
        let check = |text: &str, micros| assert_eq!(text.parse(), Ok(Time::from_micros(micros)), "{text}");
        check("1970-01-01", 0);
        check("1969-12-31T23:59:59.999999Z", -1);
        check("2000-02-29T00:00:00Z", 951_782_400_000_000);
        check("2026-11-21t01:26:55.123z", 1_795_224_415_123_000);
        for day in 0..200_000 {
            let time = Time::from_micros(day * 86_400_000_000 + 5);
            assert_eq!(time.to_string().parse(), Ok(time));
        }
        for bad in [
            "",
            "x",
            "2026",
            "2026-11",
            "2026-13-01",
            "2026-02-30",
            "2026-11-21T",
            "2026-11-21T01:26:55",
            "2026-11-21T24:00:00Z",
            "2026-11-21T01:26:55+01:00",
            "2026-11-21T01:26:55.Z",
            "2026-11-21T01:26:55.1234567Z",
            "26-11-21",
            "2026-11-21 01:26:55Z",
            "2026-11-21Z",
            "+026-11-21",
            "2026-11-21T01:26:5.5Z",
        ] {
            assert_eq!(bad.parse::<Time>(), Err(ParseTimeError), "{bad}");
        }
    }

    #[test]
    fn spans_saturate() {
        assert_eq!(Time::from_micros(5).since(Time::from_micros(9)), Duration::ZERO);
        assert_eq!(Time::from_micros(i64::MAX).plus(Duration::MAX).as_micros(), i64::MAX);
        assert_eq!(Time::from_micros(0).minus(Duration::from_secs(1)).as_micros(), -1_000_000);
    }
}
