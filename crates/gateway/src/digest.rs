//! Checksums that a client sends along with a body, and the Base64 that they are written in.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::HeaderMap;

use crate::error::Problem;

/// Bytes of a BLAKE3 hash.
pub(crate) const BLAKE3_BYTES: usize = 32;

/// The BLAKE3 hash that the body should have, from `?blake3=` (hexadecimal), `Content-Digest` or `Repr-Digest`
/// (RFC 9530, `blake3=:…:`). Other algorithms in the headers are passed over, as the RFC wants.
///
/// # Errors
/// A hash that is not one, and two that differ.
pub(crate) fn expected(query: Option<&str>, headers: &HeaderMap) -> Result<Option<[u8; BLAKE3_BYTES]>, Problem> {
    let mut expected = query.map(from_hex).transpose()?;
    for name in ["content-digest", "repr-digest"] {
        for line in headers.get_all(name) {
            let line = line.to_str().map_err(|_| Problem::invalid(format!("`{name}` is not plain text.")))?;
            let Some(hash) = from_dictionary(line)? else {
                continue;
            };
            if expected.is_some_and(|earlier| earlier != hash) {
                return Err(Problem::invalid("The request names two different BLAKE3 hashes for one body."));
            }
            expected = Some(hash);
        }
    }
    Ok(expected)
}

fn from_hex(text: &str) -> Result<[u8; BLAKE3_BYTES], Problem> {
    let refuse = || Problem::invalid("`blake3` must be 64 hexadecimal digits.");
    if text.len() != BLAKE3_BYTES * 2 || !text.is_ascii() {
        return Err(refuse());
    }
    let mut hash = [0; BLAKE3_BYTES];
    for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        let (high, low) = (digit(digits[0]).ok_or_else(refuse)?, digit(digits[1]).ok_or_else(refuse)?);
        *byte = (high << 4 | low) as u8;
    }
    Ok(hash)
}

/// The member `blake3` of a structured dictionary (RFC 9651) of byte sequences.
fn from_dictionary(line: &str) -> Result<Option<[u8; BLAKE3_BYTES]>, Problem> {
    for member in line.split(',') {
        let Some(value) = member.trim().strip_prefix("blake3=") else {
            continue;
        };
        let bytes =
            value.strip_prefix(':').and_then(|rest| rest.strip_suffix(':')).and_then(|text| STANDARD.decode(text).ok());
        let hash = bytes.and_then(|bytes| bytes.try_into().ok());
        return hash
            .map(Some)
            .ok_or_else(|| Problem::invalid("The digest `blake3` must be 32 bytes in Base64 between colons."));
    }
    Ok(None)
}

/// The hexadecimal digits of a hash.
pub(crate) fn to_hex(hash: &[u8]) -> String {
    hash.iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from_digit(u32::from(digit), 16).expect("four bits are a digit"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form() {
        let hash = [7_u8; BLAKE3_BYTES];
        let base64 = STANDARD.encode(hash);
        let headers = |name: &'static str, value: &str| {
            HeaderMap::from_iter([(http::HeaderName::from_static(name), value.parse().expect("a header value"))])
        };
        let none = HeaderMap::new();
        assert_eq!(expected(None, &none).expect("nothing is fine"), None);
        assert_eq!(expected(Some(&to_hex(&hash)), &none).expect("good"), Some(hash));
        assert_eq!(expected(Some(&to_hex(&hash).to_uppercase()), &none).expect("good"), Some(hash));
        for name in ["content-digest", "repr-digest"] {
            let line = format!("sha-256=:AAAA:, blake3=:{base64}:");
            assert_eq!(expected(Some(&to_hex(&hash)), &headers(name, &line)).expect("good"), Some(hash));
        }
        assert_eq!(expected(None, &headers("repr-digest", "sha-256=:AAAA:")).expect("passed over"), None);
        assert!(expected(Some(&"07".repeat(33)), &none).is_err());
        assert!(expected(Some(&"é".repeat(32)), &none).is_err());
        assert!(expected(Some(&"0g".repeat(32)), &none).is_err());
        assert!(expected(None, &headers("repr-digest", "blake3=:AAAA:")).is_err());
        assert!(expected(None, &headers("repr-digest", "blake3=x")).is_err());
        assert!(expected(Some(&"08".repeat(32)), &headers("repr-digest", &format!("blake3=:{base64}:"))).is_err());
    }
}
