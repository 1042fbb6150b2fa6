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

    /// Year, month and day in UTC.
    pub fn date(self) -> (i64, i64, i64) {
        civil(self.as_secs().div_euclid(86_400))
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
        let second = seconds.rem_euclid(86_400);
        let (year, month, day) = self.date();
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

/// The text is no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time is written as RFC 3339 says: 2026-11-21T01:26:55Z, perhaps with a fraction or an offset")]
pub struct ParseTimeError;

/// RFC 3339 with any offset, or a date alone, which is its midnight in UTC. What a fraction says beyond microseconds is cut off.
/// A leap second is the second after it.
impl FromStr for Time {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        let bytes = text.as_bytes();
        let number = |from: usize, to: usize| {
            let digits = text.get(from..to).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
            digits.and_then(|digits| digits.parse::<i64>().ok()).ok_or(ParseTimeError)
        };
        if bytes.len() == 10 {
            return format!("{text}T00:00:00Z").parse();
        }
        let marks = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
        let split = bytes.get(10).is_some_and(|b| b.eq_ignore_ascii_case(&b't') || *b == b' ');
        if !split || marks.iter().any(|(at, mark)| bytes.get(*at) != Some(mark)) {
            return Err(ParseTimeError);
        }
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        let days = days(year, month, day);
        if civil(days) != (year, month, day) || hour > 23 || minute > 59 || second > 60 {
            return Err(ParseTimeError);
        }
        let mut at = 19;
        let mut micros = 0;
        if bytes.get(at) == Some(&b'.') {
            let digits = bytes[at + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
            if digits == 0 {
                return Err(ParseTimeError);
            }
            let kept = digits.min(6);
            micros = number(at + 1, at + 1 + kept)? * 10_i64.pow(6 - kept as u32);
            at += 1 + digits;
        }
        let offset = match (bytes.get(at), bytes.len() - at) {
            (Some(b'Z' | b'z'), 1) => 0,
            (Some(sign @ (b'+' | b'-')), 6) if bytes[at + 3] == b':' => {
                let (hours, minutes) = (number(at + 1, at + 3)?, number(at + 4, at + 6)?);
                if hours > 23 || minutes > 59 {
                    return Err(ParseTimeError);
                }
                (hours * 60 + minutes) * if *sign == b'+' { 60 } else { -60 }
            }
            _ => return Err(ParseTimeError),
        };
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset;
        Ok(Self(seconds * 1_000_000 + micros))
    }
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

/// The opposite of [`civil`], the algorithm `days_from_civil` of the same work; months and days out of range count on.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
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
        let check = |text: &str, expected: Option<i64>| {
            assert_eq!(text.parse::<Time>().ok().map(Time::as_micros), expected, "{text}");
        };
        for micros in [0, -1, 951_782_400_000_000, 1_795_224_415_123_456, 4_107_542_400_000_000] {
            check(&Time::from_micros(micros).to_string(), Some(micros));
        }
        check("2026-11-21T03:26:55.1234567+02:00", Some(1_795_224_415_123_456));
        check("2026-11-20t20:56:55.123456-04:30", Some(1_795_224_415_123_456));
        check("1970-01-01 00:00:01z", Some(1_000_000));
        check("2026-11-21", Some(1_795_219_200_000_000));
        for day in 0..200_000 {
            let micros = day * 86_400_000_000 + 5;
            check(&Time::from_micros(micros).to_string(), Some(micros));
        }
        check("1990-12-31T23:59:60Z", Some(662_688_000_000_000));
        for bad in [
            "",
            "2026-11",
            "2026-02-30",
            "26-11-21",
            "2026-11-2é",
            "+026-11-21",
            "2026-11-21T01:26:55",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-11-21T24:00:00Z",
            "2026-11-21T00:60:00Z",
            "2026-11-21T00:00:00.Z",
            "2026-11-21T00:00:00+0200",
            "2026-11-21T00:00:00ZZ",
            "+026-11-21T00:00:00Z",
            "2026-11-21T00:00:00é",
            "1795224415",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn spans_saturate() {
        assert_eq!(Time::from_micros(5).since(Time::from_micros(9)), Duration::ZERO);
        assert_eq!(Time::from_micros(i64::MAX).plus(Duration::MAX).as_micros(), i64::MAX);
        assert_eq!(Time::from_micros(0).minus(Duration::from_secs(1)).as_micros(), -1_000_000);
    }
}
