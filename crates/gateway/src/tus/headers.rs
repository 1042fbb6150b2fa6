//! The headers of tus, read strictly.

use std::time::{Duration, UNIX_EPOCH};

use base::{Time, UploadId};
use base64::{Engine, engine::general_purpose::STANDARD};
use drive::{Algorithm, Checksum};
use http::{HeaderMap, HeaderValue};

use crate::{error::Problem, extract::parse_id};

/// Bytes of metadata and list of parts that are kept with an upload.
const KEPT_BYTES_MAX: usize = 8 << 10;

/// What a client says of the length of the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    /// `Upload-Length`
    Bytes(u64),
    /// `Upload-Defer-Length: 1`
    Deferred,
}

/// `Upload-Concat`
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Concat {
    /// It will be a part of another.
    Partial,
    /// It is made of these.
    Final {
        /// The uploads, in order.
        parts: Vec<UploadId>,
        /// Their addresses as the client wrote them.
        text: String,
    },
}

/// A header with a whole number.
fn number(headers: &HeaderMap, name: &str) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let digits = value.to_str().ok().filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
    let number = digits.and_then(|digits| digits.parse().ok());
    number.map(Some).ok_or_else(|| Problem::invalid(format!("`{name}` must be a number of bytes.")))
}

/// `Upload-Offset`, which must be there.
pub(super) fn offset(headers: &HeaderMap) -> Result<u64, Problem> {
    number(headers, "upload-offset")?.ok_or_else(|| Problem::invalid("The request needs the header `Upload-Offset`."))
}

/// `Upload-Length` or `Upload-Defer-Length`; not both.
pub(super) fn length(headers: &HeaderMap) -> Result<Option<Length>, Problem> {
    match (number(headers, "upload-length")?, headers.get("upload-defer-length")) {
        (None, None) => Ok(None),
        (Some(length), None) => Ok(Some(Length::Bytes(length))),
        (None, Some(defer)) if defer == "1" => Ok(Some(Length::Deferred)),
        (None, Some(_)) => Err(Problem::invalid("`Upload-Defer-Length` must be `1`.")),
        (Some(_), Some(_)) => Err(Problem::invalid("`Upload-Length` and `Upload-Defer-Length` exclude each other.")),
    }
}

/// `Upload-Checksum`: the name of an algorithm and the checksum in Base64.
pub(super) fn checksum(headers: &HeaderMap) -> Result<Option<Checksum>, Problem> {
    let Some(value) = headers.get("upload-checksum") else {
        return Ok(None);
    };
    let (name, value) = value.to_str().ok().and_then(|text| text.trim().split_once(' ')).ok_or_else(|| {
        Problem::invalid("`Upload-Checksum` must be the name of an algorithm, a space, and the checksum in Base64.")
    })?;
    let algorithm = Algorithm::parse(name).ok_or_else(|| {
        Problem::invalid("`Upload-Checksum` names an algorithm that `Tus-Checksum-Algorithm` does not list.")
    })?;
    let value = STANDARD.decode(value.trim()).map_err(|_| Problem::invalid("The checksum is not Base64."))?;
    Ok(Some(Checksum { algorithm, value }))
}

/// `Upload-Concat`. The addresses of the parts may be whole ones or begin with a slash; only their ids count.
pub(super) fn concat(headers: &HeaderMap) -> Result<Option<Concat>, Problem> {
    let refuse =
        || Problem::invalid("`Upload-Concat` must be `partial`, or `final;` and the addresses of partial uploads.");
    let Some(value) = headers.get("upload-concat") else {
        return Ok(None);
    };
    let text = value.to_str().map_err(|_| refuse())?.trim();
    if text == "partial" {
        return Ok(Some(Concat::Partial));
    }
    let text = text.strip_prefix("final;").ok_or_else(refuse)?.trim();
    let ids = text.split_ascii_whitespace().map(|address| parse_id(address.rsplit('/').next().unwrap_or(address)));
    let parts = ids.collect::<Result<Vec<_>, _>>()?;
    if parts.is_empty() { Err(refuse()) } else { Ok(Some(Concat::Final { parts, text: text.to_owned() })) }
}

/// Metadata and list of parts as one text, to be kept with a final upload: `HEAD` gives both back. A list that is too long
/// to keep is left out.
pub(super) fn keep(metadata: &str, parts: &str) -> String {
    if metadata.len() + 1 + parts.len() > KEPT_BYTES_MAX { metadata.to_owned() } else { format!("{metadata}\n{parts}") }
}

/// The two texts that [`keep`] put together. Neither has a line break of its own, since both were headers.
pub(super) fn kept(text: &str) -> (&str, Option<&str>) {
    match text.split_once('\n') {
        Some((metadata, parts)) => (metadata, Some(parts)),
        None => (text, None),
    }
}

/// A time as an HTTP date (RFC 9110, 5.6.7), rounded down to the second.
pub(super) fn http_date(time: Time) -> HeaderValue {
    // The calendar of HTTP dates has the years 1970 to 9999.
    let seconds = time.as_secs().clamp(0, 253_402_300_799) as u64;
    let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
    HeaderValue::try_from(date).expect("an HTTP date is plain ASCII")
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn with(lines: &[(&'static str, &str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().expect("a header value")))
            .collect()
    }

    #[test]
    fn numbers() {
        let read = |value: &str| number(&with(&[("upload-offset", value)]), "upload-offset");
        assert_eq!(read("0").expect("good"), Some(0));
        assert_eq!(read("18446744073709551615").expect("good"), Some(u64::MAX));
        for bad in ["", "-1", "+1", "1.0", "1e3", "0x10", "18446744073709551616", "1 2"] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert!(offset(&HeaderMap::new()).is_err());
    }

    #[test]
    fn lengths() {
        assert_eq!(length(&HeaderMap::new()).expect("none"), None);
        assert_eq!(length(&with(&[("upload-length", "5")])).expect("good"), Some(Length::Bytes(5)));
        assert_eq!(length(&with(&[("upload-defer-length", "1")])).expect("good"), Some(Length::Deferred));
        assert!(length(&with(&[("upload-defer-length", "2")])).is_err());
        assert!(length(&with(&[("upload-defer-length", "1"), ("upload-length", "5")])).is_err());
    }

    #[test]
    fn checksums() {
        let read = |value: &str| checksum(&with(&[("upload-checksum", value)]));
        let good = read("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=").expect("the specification's example").expect("one");
        assert_eq!((good.algorithm, good.value.len()), (Algorithm::Sha1, 20));
        for bad in ["sha1", "md5 AAAA", "sha1 ?", ""] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn concatenations() {
        let read = |value: &str| concat(&with(&[("upload-concat", value)]));
        let (one, two) = ("upl_00000000000070008000000000000001", "upl_00000000000070008000000000000002");
        assert_eq!(read("partial").expect("good"), Some(Concat::Partial));
        let text = format!("/api/v1/uploads/{one} https://example.org/api/v1/uploads/{two}");
        let parts = vec![one.parse().expect("an id"), two.parse().expect("an id")];
        assert_eq!(read(&format!("final;{text}")).expect("good"), Some(Concat::Final { parts, text }));
        for bad in ["final", "final;", "final;/api/v1/uploads/x", "Partial", ""] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_kept_comes_back() {
        assert_eq!(kept(&keep("a b", "/x /y")), ("a b", Some("/x /y")));
        assert_eq!(kept(&keep("a b", &"x".repeat(9000))), ("a b", None));
        assert_eq!(kept(""), ("", None));
    }

    #[test]
    fn dates() {
        assert_eq!(http_date(Time::from_micros(1_767_225_600_500_000)), "Thu, 01 Jan 2026 00:00:00 GMT");
        assert_eq!(http_date(Time::from_micros(i64::MAX)), "Fri, 31 Dec 9999 23:59:59 GMT");
    }
}
