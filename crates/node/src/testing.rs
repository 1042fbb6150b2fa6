//! Small helpers of this crate's own tests.

use std::fmt::Write as _;

use base::PartId;

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes any text");
        text
    })
}

/// A part id that tells its number.
pub(crate) fn sample_part(number: u8) -> PartId {
    PartId::from_bytes([
        0x01, 0x97, 0xf3, 0xc6, 0xb1, 0xd0, 0x7c, 0x3a, 0x9d, 0x2e, 0x5f, 0x60, 0x71, 0x82, 0x93, number,
    ])
}
