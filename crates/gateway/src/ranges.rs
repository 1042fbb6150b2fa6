//! The `Range` header (RFC 9110, section 14): which bytes of a file a request wants.

use std::ops::Range;

/// Ranges in one request at most. A header with more is ignored, which the RFC allows and a plain `200` answers.
pub(crate) const RANGES_MAX: usize = 32;

/// What a `Range` header asks of a file of a certain size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selection {
    /// Everything: the header is malformed, of another unit, asks too much, or the file is empty.
    Whole,
    /// One run of bytes, not empty and within the file.
    One(Range<u64>),
    /// Several runs, in the order of the request; none empty, none touching another.
    Many(Vec<Range<u64>>),
    /// Well formed, and no byte of it exists.
    Unsatisfiable,
}

/// Reads the value of a `Range` header for a file of `size` bytes.
///
/// Runs that overlap or touch are joined, so an answer never has more bytes than the file. An empty file is answered
/// whole whatever the range: clients that put a range on every request would fail on it otherwise.
pub(crate) fn select(header: &str, size: u64) -> Selection {
    let Some(specs) = parse(header) else {
        return Selection::Whole;
    };
    if size == 0 {
        return Selection::Whole;
    }
    let runs = join(specs.into_iter().filter_map(|spec| spec.within(size)).collect());
    match <[Range<u64>; 1]>::try_from(runs) {
        Ok([run]) => Selection::One(run),
        Err(runs) if runs.is_empty() => Selection::Unsatisfiable,
        Err(runs) => Selection::Many(runs),
    }
}

#[derive(Debug, Clone, Copy)]
enum Spec {
    From(u64),
    FromTo(u64, u64),
    Last(u64),
}

impl Spec {
    fn within(self, size: u64) -> Option<Range<u64>> {
        let run = match self {
            Self::From(first) => first..size,
            Self::FromTo(first, last) => first..last.saturating_add(1).min(size),
            Self::Last(count) => size.saturating_sub(count)..size,
        };
        (run.start < run.end).then_some(run)
    }
}

/// `None` for anything that the grammar does not allow, and for more than [`RANGES_MAX`] ranges.
fn parse(header: &str) -> Option<Vec<Spec>> {
    let (unit, set) = header.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let mut specs = Vec::new();
    // Empty elements are part of the list rule (RFC 9110, 5.6.1): `bytes=,0-1,,` has one range.
    for item in set.split(',').map(|item| item.trim_matches([' ', '\t'])).filter(|item| !item.is_empty()) {
        if specs.len() == RANGES_MAX {
            return None;
        }
        let (first, last) = item.split_once('-')?;
        specs.push(match (first, last) {
            ("", count) => Spec::Last(number(count)?),
            (first, "") => Spec::From(number(first)?),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then_some(Spec::FromTo(first, last))?
            }
        });
    }
    (!specs.is_empty()).then_some(specs)
}

/// Digits only; a number beyond 64 bits is beyond every file, so it saturates.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// Joins runs that overlap or touch. A joined run stands where the first of its pieces stood in the request.
fn join(runs: Vec<Range<u64>>) -> Vec<Range<u64>> {
    let mut ordered: Vec<(usize, Range<u64>)> = runs.into_iter().enumerate().collect();
    ordered.sort_unstable_by_key(|(place, run)| (run.start, *place));
    let mut joined: Vec<(usize, Range<u64>)> = Vec::with_capacity(ordered.len());
    for (place, run) in ordered {
        match joined.last_mut() {
            Some((first, last)) if run.start <= last.end => {
                last.end = last.end.max(run.end);
                *first = (*first).min(place);
            }
            _ => joined.push((place, run)),
        }
    }
    joined.sort_unstable_by_key(|(place, _)| *place);
    joined.into_iter().map(|(_, run)| run).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_headers() {
        let check = |header: &str, size, expected| assert_eq!(select(header, size), expected, "{header} of {size}");
        check("bytes=0-0", 10, Selection::One(0..1));
        check("bytes=0-", 10, Selection::One(0..10));
        check("Bytes=2-4", 10, Selection::One(2..5));
        check("bytes=2-99", 10, Selection::One(2..10));
        check("bytes=-3", 10, Selection::One(7..10));
        check("bytes=-99", 10, Selection::One(0..10));
        check("bytes=99999999999999999999999-", 10, Selection::Unsatisfiable);
        check("bytes=0-99999999999999999999999", 10, Selection::One(0..10));
        check("bytes=18446744073709551615-18446744073709551615", u64::MAX, Selection::Unsatisfiable);
        check("bytes=10-", 10, Selection::Unsatisfiable);
        check("bytes=-0", 10, Selection::Unsatisfiable);
        check("bytes=0-", 0, Selection::Whole);
        check("bytes=-1", 0, Selection::Whole);
        for ignored in [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "bytes=a-b",
            "bytes=5-4",
            "bytes=-",
            "bytes=1",
            "bytes=+1-2",
            "bytes=1 -2",
            "items=0-1",
        ] {
            check(ignored, 10, Selection::Whole);
        }
    }

    #[test]
    fn several_ranges_keep_their_order_and_are_joined() {
        let check = |header: &str, expected| assert_eq!(select(header, 100), expected, "{header}");
        check("bytes=50-59, 0-9", Selection::Many(vec![50..60, 0..10]));
        check("bytes=0-9,10-19", Selection::One(0..20));
        check("bytes=90-, 0-4, 3-7", Selection::Many(vec![90..100, 0..8]));
        check("bytes=0-0,200-300", Selection::One(0..1));
        check("bytes=0-,0-,0-", Selection::One(0..100));
        check("bytes=200-,300-", Selection::Unsatisfiable);
        let many = |count| format!("bytes={}", vec!["0-0"; count].join(","));
        check(&many(RANGES_MAX), Selection::One(0..1));
        check(&many(RANGES_MAX + 1), Selection::Whole);
    }

    proptest! {
        #[test]
        fn no_text_panics(header in ".{0,80}", size: u64) {
            select(&header, size);
        }

        #[test]
        fn no_number_panics(header in "bytes=([0-9]{0,22}-[0-9]{0,22},? ?){0,40}", size: u64) {
            select(&header, size);
        }

        /// The bytes selected are exactly the bytes that any of the ranges names, each once.
        #[test]
        fn selects_the_union(
            size in 1_u64..200,
            specs in prop::collection::vec((0_u64..250, prop::option::of(0_u64..250)), 1..20),
        ) {
            let specs: Vec<_> = specs.into_iter().map(|(first, length)| (first, length.map(|length| first + length))).collect();
            let header = specs.iter().map(|(first, last)| match last {
                Some(last) => format!("{first}-{last}"),
                None => format!("{first}-"),
            }).collect::<Vec<_>>().join(", ");
            let wanted = |byte: u64| specs.iter().any(|(first, last)| byte >= *first && last.is_none_or(|last| byte <= last));
            let runs = match select(&format!("bytes={header}"), size) {
                Selection::One(run) => vec![run],
                Selection::Many(runs) => runs,
                Selection::Unsatisfiable => vec![],
                Selection::Whole => panic!("a good header was ignored"),
            };
            for byte in 0..size {
                let times = runs.iter().filter(|run| run.contains(&byte)).count();
                prop_assert_eq!(times, usize::from(wanted(byte)));
            }
        }
    }
}
