//! How a browser is told to treat a file: `Content-Disposition`, and which types may be shown at all.

use std::fmt::Write;

use http::HeaderValue;

/// What the browser does with the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disposition {
    /// Shows them if it can.
    Inline,
    /// Offers to save them.
    Attachment,
}

/// The header for a file of this name (RFC 6266; the long form follows RFC 8187).
///
/// Every client can read the plain form, in which characters that are not plain ASCII become `_`; clients that know the
/// long form take the exact name from it. No character of the name can end the value or the header.
pub(crate) fn content_disposition(disposition: Disposition, name: &str) -> HeaderValue {
    let mut text = String::with_capacity(40 + name.len());
    text.push_str(match disposition {
        Disposition::Inline => "inline; filename=\"",
        Disposition::Attachment => "attachment; filename=\"",
    });
    text.extend(name.chars().map(|c| if is_plain(c) { c } else { '_' }));
    text.push('"');
    if !name.chars().all(is_plain) {
        text.push_str("; filename*=UTF-8''");
        for byte in name.bytes() {
            if is_attr_char(byte) {
                text.push(char::from(byte));
            } else {
                // Writing to a String cannot fail.
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    HeaderValue::try_from(text).expect("only visible ASCII was written")
}

/// Means itself between double quotes for every client. `%` does not: some decode it there.
fn is_plain(c: char) -> bool {
    matches!(c, ' '..='~') && !matches!(c, '"' | '\\' | '%')
}

/// `attr-char` of RFC 8187.
fn is_attr_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte)
}

/// Whether a browser that shows this type can be made to run something by its bytes.
///
/// A list of what is known to be harmless, not of what is known to be harmful: new active types keep being invented.
pub(crate) fn is_active(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let (kind, sub) = essence.split_once('/').unwrap_or((essence.as_str(), ""));
    let harmless = match kind {
        "image" => !sub.contains("svg") && !sub.contains("xml"),
        "audio" | "video" | "font" => !sub.contains("xml"),
        "text" => matches!(sub, "plain" | "csv" | "markdown" | "tab-separated-values" | "calendar"),
        "application" => matches!(sub, "pdf" | "json"),
        _ => false,
    };
    !harmless
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_in_headers() {
        let check = |name: &str, expected: &str| {
            assert_eq!(content_disposition(Disposition::Attachment, name), expected, "{name}");
        };
        check("a b.txt", "attachment; filename=\"a b.txt\"");
        check("50%.txt", "attachment; filename=\"50_.txt\"; filename*=UTF-8''50%25.txt");
        check("a\".txt", "attachment; filename=\"a_.txt\"; filename*=UTF-8''a%22.txt");
        check("é.txt", "attachment; filename=\"_.txt\"; filename*=UTF-8''%C3%A9.txt");
        check("€ rates", "attachment; filename=\"_ rates\"; filename*=UTF-8''%E2%82%AC%20rates");
        check(
            "a\r\nSet-Cookie: x",
            "attachment; filename=\"a__Set-Cookie: x\"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20x",
        );
        assert_eq!(content_disposition(Disposition::Inline, "x"), "inline; filename=\"x\"");
    }

    #[test]
    fn what_may_run_is_not_shown() {
        for active in [
            "text/html",
            "TEXT/HTML; charset=utf-8",
            "image/svg+xml",
            "application/xhtml+xml",
            "text/xml",
            "application/javascript",
            "text/javascript",
            "multipart/related",
            "message/rfc822",
            "application/wasm",
            "application/octet-stream",
            "",
            "x",
        ] {
            assert!(is_active(active), "{active}");
        }
        for inert in ["image/png", "video/mp4", "text/plain; charset=utf-8", "application/pdf", "audio/ogg"] {
            assert!(!is_active(inert), "{inert}");
        }
    }

    proptest! {
        #[test]
        fn any_name_makes_one_header(name in "\\PC{0,40}|.{0,40}") {
            let value = content_disposition(Disposition::Inline, &name);
            let text = value.to_str().expect("visible ASCII");
            prop_assert!(text.starts_with("inline; filename=\""));
            prop_assert!(text.matches('"').count() == 2);
        }
    }
}
