//! The check at the end of what this crate leaves in database rows.
//!
//! Neither SQLite nor PostgreSQL before 18 checks its pages by default. One flipped bit in a manifest's length would be
//! noticed by no part's checksum and serve a file that is cut short with a good answer; one in a hash state would record
//! a wrong hash for right bytes. Four bytes buy an error instead.

use twox_hash::XxHash3_64;

/// Bytes of the check.
const CHECK_BYTES: usize = 4;

/// The bytes, followed by the low half of their XXH3-64 with seed 0, little-endian.
pub(crate) fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    let check = check(&bytes);
    bytes.extend_from_slice(&check);
    bytes
}

/// The bytes before the check; `None` if it does not match.
pub(crate) fn unseal(sealed: &[u8]) -> Option<&[u8]> {
    let (bytes, stored) = sealed.split_last_chunk()?;
    (check(bytes) == *stored).then_some(bytes)
}

fn check(bytes: &[u8]) -> [u8; CHECK_BYTES] {
    (XxHash3_64::oneshot(bytes) as u32).to_le_bytes()
}
