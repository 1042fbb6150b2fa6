//! The trace of a request (W3C Trace Context): taken up from the client, or begun here.

use http::HeaderMap;
use uuid::Uuid;

/// Ties a request's span to its trace. Whoever exports spans chooses the ids of traces that begin here, and then says which
/// one it is, so that the client is told the same id.
pub type OnSpan = fn(&tracing::Span, &Trace) -> Option<u128>;

/// Which trace a request belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    /// The trace id; answers show it as `Request-Id`.
    pub id: u128,
    /// The client's span, if the client sent a valid `traceparent`.
    pub parent: Option<Parent>,
}

/// The client's side of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    /// The span that sent the request.
    pub span: u64,
    /// The flags of the trace; bit 0 says that the client records it.
    pub flags: u8,
}

impl Trace {
    /// The trace that `traceparent` names, or a new one with a random id where the header is absent or malformed.
    pub fn of(headers: &HeaderMap) -> Self {
        let given = headers.get("traceparent").and_then(|value| parse(value.as_bytes()));
        given.unwrap_or_else(|| Self { id: Uuid::new_v4().as_u128(), parent: None })
    }

    /// The id as 32 hexadecimal digits.
    pub(crate) fn text(&self) -> TraceText {
        let mut digits = [0; 32];
        Uuid::from_u128(self.id).as_simple().encode_lower(&mut digits);
        TraceText(digits)
    }
}

/// The 32 hexadecimal digits of a trace id.
#[derive(Clone, Copy)]
pub(crate) struct TraceText([u8; 32]);

impl TraceText {
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("hexadecimal digits are ASCII")
    }
}

/// `version-id-span-flags`. A later version may have more fields after these four, which this one passes over.
fn parse(text: &[u8]) -> Option<Trace> {
    let fixed = text.get(..55)?;
    let dashes = [2, 35, 52].into_iter().all(|at| fixed[at] == b'-');
    let version = hex(&fixed[..2])?;
    let ends_well = match version {
        0 => text.len() == 55,
        0xff => false,
        _ => text.get(55).is_none_or(|&next| next == b'-'),
    };
    let (id, span, flags) = (hex(&fixed[3..35])?, hex(&fixed[36..52])?, hex(&fixed[53..55])?);
    let valid = dashes && ends_well && id != 0 && span != 0;
    valid.then_some(Trace { id, parent: Some(Parent { span: span as u64, flags: flags as u8 }) })
}

/// Lower-case hexadecimal digits, as the specification wants them; at most 32.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_up_valid_headers_only() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        let good = format!("00-{id}-00f067aa0ba902b7-01");
        let trace = parse(good.as_bytes()).expect("the example of the specification");
        assert_eq!(trace.text().as_str(), id);
        assert_eq!(trace.parent, Some(Parent { span: 0x00f0_67aa_0ba9_02b7, flags: 1 }));
        assert!(parse(format!("01-{id}-00f067aa0ba902b7-01-more").as_bytes()).is_some());
        for bad in [
            String::new(),
            format!("00-{id}-00f067aa0ba902b7"),
            format!("00-{id}-00f067aa0ba902b7-01-more"),
            format!("01-{id}-00f067aa0ba902b7-01more"),
            format!("ff-{id}-00f067aa0ba902b7-01"),
            format!("00-{}-00f067aa0ba902b7-01", id.to_uppercase()),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{id}-{}-01", "0".repeat(16)),
            format!("00_{id}-00f067aa0ba902b7-01"),
        ] {
            assert_eq!(parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn a_new_trace_is_not_the_last_one() {
        let (one, two) = (Trace::of(&HeaderMap::new()), Trace::of(&HeaderMap::new()));
        assert_ne!(one.id, two.id);
        assert_eq!(one.parent, None);
    }
}
