//! Conditional requests (RFC 9110, section 13): entity tags, dates and the order in which they are looked at.

use base::Time;
use drive::IfMatch;
use http::{HeaderMap, HeaderName, Method, header};

/// What the conditions of a request say about answering it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Go on.
    Proceed,
    /// The client has it already: `304`.
    NotModified,
    /// A condition does not hold: `412`.
    Failed,
}

/// Looks at `If-Match`, `If-Unmodified-Since`, `If-None-Match` and `If-Modified-Since` in the order of section 13.2.2.
///
/// `etag` is a strong entity tag with its quotes, `modified` the time that `Last-Modified` shows.
pub(crate) fn evaluate(method: &Method, headers: &HeaderMap, etag: &str, modified: Time) -> Verdict {
    let safe = matches!(*method, Method::GET | Method::HEAD);
    if headers.contains_key(header::IF_MATCH) {
        if !any_tag(headers, header::IF_MATCH, |tag| tag.strong_eq(etag)) {
            return Verdict::Failed;
        }
    } else if let Some(date) = date(headers, &header::IF_UNMODIFIED_SINCE)
        && modified.as_secs() > date
    {
        return Verdict::Failed;
    }
    if headers.contains_key(header::IF_NONE_MATCH) {
        if any_tag(headers, header::IF_NONE_MATCH, |tag| tag.weak_eq(etag)) {
            return if safe { Verdict::NotModified } else { Verdict::Failed };
        }
    } else if safe
        && let Some(date) = date(headers, &header::IF_MODIFIED_SINCE)
        && modified.as_secs() <= date
    {
        return Verdict::NotModified;
    }
    Verdict::Proceed
}

/// Whether a `Range` counts: there is no `If-Range`, or it names exactly this version.
///
/// A date never does. It is only a strong validator where nothing changes twice within a second (8.8.2.2), which
/// nobody promises here; the client gets the whole file instead of a mixture of two versions.
pub(crate) fn range_applies(headers: &HeaderMap, etag: &str) -> bool {
    match headers.get(header::IF_RANGE) {
        None => true,
        Some(value) => value.to_str().is_ok_and(|text| text.trim() == etag),
    }
}

/// The `If-Match` of a request that changes an entry, as the drive takes it. A weak tag never matches (13.1.1).
pub(crate) fn if_match(headers: &HeaderMap) -> Option<IfMatch> {
    if !headers.contains_key(header::IF_MATCH) {
        return None;
    }
    if any_tag(headers, header::IF_MATCH, |tag| tag == Tag::Any) {
        return Some(IfMatch::Any);
    }
    let lines = headers.get_all(header::IF_MATCH).iter().filter_map(|value| value.to_str().ok());
    let strong = lines.flat_map(tags).filter_map(|tag| match tag {
        Tag::Strong(tag) => Some(tag.to_owned()),
        Tag::Any | Tag::Weak(_) => None,
    });
    Some(IfMatch::OneOf(strong.collect()))
}

/// Whether the request says `If-None-Match: *`: only if there is nothing yet.
pub(crate) fn only_if_absent(headers: &HeaderMap) -> bool {
    any_tag(headers, header::IF_NONE_MATCH, |tag| tag == Tag::Any)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag<'a> {
    Any,
    Strong(&'a str),
    Weak(&'a str),
}

impl Tag<'_> {
    fn strong_eq(self, etag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Strong(tag) => tag == etag,
            Self::Weak(_) => false,
        }
    }

    fn weak_eq(self, etag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Strong(tag) | Self::Weak(tag) => tag == etag,
        }
    }
}

fn any_tag(headers: &HeaderMap, name: HeaderName, hit: impl Fn(Tag<'_>) -> bool) -> bool {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).any(|value| tags(value).any(&hit))
}

/// The entity tags of one header line, each with its quotes. Reading stops at the first thing that is none.
fn tags(mut text: &str) -> impl Iterator<Item = Tag<'_>> {
    std::iter::from_fn(move || {
        text = text.trim_start_matches([' ', '\t', ',']);
        if let Some(rest) = text.strip_prefix('*') {
            text = rest;
            return Some(Tag::Any);
        }
        let (weak, quoted) = match text.strip_prefix("W/") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let end = quoted.strip_prefix('"')?.find('"')? + 2;
        let (tag, rest) = quoted.split_at(end);
        text = rest;
        Some(if weak { Tag::Weak(tag) } else { Tag::Strong(tag) })
    })
}

/// Seconds since 1970 of a header with a date; a header that is no date does not count.
fn date(headers: &HeaderMap, name: &HeaderName) -> Option<i64> {
    let date = httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()?;
    i64::try_from(date.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ETAG: &str = "\"abc\"";
    // Thu, 01 Jan 2026 00:00:00 GMT and half a second.
    const MODIFIED: Time = Time::from_micros(1_767_225_600_500_000);

    fn check(method: &Method, lines: &[(&'static str, &str)], expected: Verdict) {
        let headers = lines
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().expect("a header value")))
            .collect();
        assert_eq!(evaluate(method, &headers, ETAG, MODIFIED), expected, "{method} {lines:?}");
    }

    #[test]
    fn tags_of_one_request() {
        let get = Method::GET;
        check(&get, &[], Verdict::Proceed);
        check(&get, &[("if-match", "\"abc\"")], Verdict::Proceed);
        check(&get, &[("if-match", "\"x\", \"abc\"")], Verdict::Proceed);
        check(&get, &[("if-match", "*")], Verdict::Proceed);
        check(&get, &[("if-match", "W/\"abc\"")], Verdict::Failed);
        check(&get, &[("if-match", "\"x\"")], Verdict::Failed);
        check(&get, &[("if-match", "abc")], Verdict::Failed);
        check(&get, &[("if-none-match", "\"abc\"")], Verdict::NotModified);
        check(&get, &[("if-none-match", "W/\"abc\"")], Verdict::NotModified);
        check(&get, &[("if-none-match", "\"a,b\",\"abc\"")], Verdict::NotModified);
        check(&get, &[("if-none-match", "\"abcd\"")], Verdict::Proceed);
        check(&get, &[("if-none-match", "\"unfinished")], Verdict::Proceed);
        check(&Method::PUT, &[("if-none-match", "*")], Verdict::Failed);
    }

    #[test]
    fn dates_and_precedence() {
        let (same, before) = ("Thu, 01 Jan 2026 00:00:00 GMT", "Wed, 31 Dec 2025 23:59:59 GMT");
        let get = Method::GET;
        check(&get, &[("if-modified-since", same)], Verdict::NotModified);
        check(&get, &[("if-modified-since", before)], Verdict::Proceed);
        check(&get, &[("if-modified-since", "yesterday")], Verdict::Proceed);
        check(&Method::PUT, &[("if-modified-since", same)], Verdict::Proceed);
        check(&get, &[("if-unmodified-since", before)], Verdict::Failed);
        check(&get, &[("if-unmodified-since", same)], Verdict::Proceed);
        // The tag decides where both are there.
        check(&get, &[("if-none-match", "\"x\""), ("if-modified-since", same)], Verdict::Proceed);
        check(&get, &[("if-match", "\"abc\""), ("if-unmodified-since", before)], Verdict::Proceed);
        check(&get, &[("if-match", "\"x\""), ("if-none-match", "\"abc\"")], Verdict::Failed);
    }

    #[test]
    fn what_a_change_depends_on() {
        let with = |value: &str| HeaderMap::from_iter([(header::IF_MATCH, value.parse().expect("a header value"))]);
        assert_eq!(if_match(&HeaderMap::new()), None);
        assert_eq!(if_match(&with("*")), Some(IfMatch::Any));
        assert_eq!(
            if_match(&with("\"1\", W/\"2\", \"3\"")),
            Some(IfMatch::OneOf(vec!["\"1\"".into(), "\"3\"".into()]))
        );
        assert_eq!(if_match(&with("nonsense")), Some(IfMatch::OneOf(vec![])));
    }

    #[test]
    fn if_range_wants_the_strong_tag() {
        let with = |value: &str| HeaderMap::from_iter([(header::IF_RANGE, value.parse().expect("a header value"))]);
        assert!(range_applies(&HeaderMap::new(), ETAG));
        assert!(range_applies(&with(ETAG), ETAG));
        assert!(!range_applies(&with("W/\"abc\""), ETAG));
        assert!(!range_applies(&with("\"x\""), ETAG));
        assert!(!range_applies(&with("Thu, 01 Jan 2026 00:00:00 GMT"), ETAG));
    }
}
