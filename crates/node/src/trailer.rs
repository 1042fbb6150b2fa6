//! The form of a part file: the part's bytes, then a trailer. Version 1; the bytes are a contract, pinned by the tests.
//!
//! All numbers are little-endian. The trailer begins where the part ends: first the CRC32C of each 64 KiB block, salted
//! with part id and block index, then 64 bytes:
//!
//! | bytes | what |
//! | --- | --- |
//! | 0..16 | part id |
//! | 16..24 | length of the part |
//! | 24..32 | CRC-64/NVME of the part |
//! | 32..36 | CRC32C of the table of checksums |
//! | 36..40 | bytes that one checksum covers, 65536 |
//! | 40..44 | version, 1 |
//! | 44..52 | zero |
//! | 52..56 | CRC32C of bytes 0..52 |
//! | 56..64 | `HfPartEn` |
//!
//! A range read takes only the entries of the table that it needs, and does not check the table as a whole: an entry
//! that was damaged fails its block, which is what a reader has to know.

use base::{PartId, limits::CHECKSUM_BLOCK_BYTES};
use proto::Receipt;

use crate::{
    checksum::{self, crc32c},
    record::{Refused, u32_at, u64_at},
};

/// Bytes of the fixed end of a part file.
pub(crate) const FOOTER: usize = 64;

const MAGIC: &[u8; 8] = b"HfPartEn";
const VERSION: u32 = 1;

/// The fixed end of a part file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Footer {
    pub(crate) part: PartId,
    pub(crate) receipt: Receipt,
    pub(crate) table_sum: u32,
}

/// The trailer of a part: table and footer.
pub(crate) fn encode(part: PartId, receipt: Receipt, mut table: Vec<u8>) -> Vec<u8> {
    let mut footer = [0; FOOTER];
    footer[0..16].copy_from_slice(&part.to_bytes());
    footer[16..24].copy_from_slice(&receipt.length.to_le_bytes());
    footer[24..32].copy_from_slice(&receipt.checksum.to_le_bytes());
    footer[32..36].copy_from_slice(&crc32c(&[&table]).to_le_bytes());
    footer[36..40].copy_from_slice(&(CHECKSUM_BLOCK_BYTES as u32).to_le_bytes());
    footer[40..44].copy_from_slice(&VERSION.to_le_bytes());
    let sum = crc32c(&[&footer[..52]]);
    footer[52..56].copy_from_slice(&sum.to_le_bytes());
    footer[56..64].copy_from_slice(MAGIC);
    table.extend_from_slice(&footer);
    table
}

impl Footer {
    /// Reads the last 64 bytes of a file of `file_bytes` bytes.
    pub(crate) fn decode(bytes: &[u8; FOOTER], file_bytes: u64) -> Result<Self, Refused> {
        if &bytes[56..64] != MAGIC || u32_at(bytes, 52) != crc32c(&[&bytes[..52]]) {
            return Err(Refused::Damaged);
        }
        if u32_at(bytes, 40) != VERSION {
            return Err(Refused::Version(u32_at(bytes, 40)));
        }
        let mut part = [0; 16];
        part.copy_from_slice(&bytes[0..16]);
        let receipt = Receipt { length: u64_at(bytes, 16), checksum: u64_at(bytes, 24) };
        if u32_at(bytes, 36) as usize != CHECKSUM_BLOCK_BYTES || length_of(file_bytes) != Some(receipt.length) {
            return Err(Refused::Damaged);
        }
        Ok(Self { part: PartId::from_bytes(part), receipt, table_sum: u32_at(bytes, 32) })
    }
}

/// Bytes of the file that keeps a part of this length.
pub(crate) fn file_bytes(length: u64) -> u64 {
    length + checksum::blocks(length) * checksum::ENTRY as u64 + FOOTER as u64
}

/// The length of the part that a file of this many bytes keeps: the inverse of [`file_bytes`], where it has one.
pub(crate) fn length_of(file_bytes_: u64) -> Option<u64> {
    let covered = file_bytes_.checked_sub(FOOTER as u64)?;
    let blocks = covered.div_ceil((CHECKSUM_BLOCK_BYTES + checksum::ENTRY) as u64);
    let length = covered.checked_sub(blocks * checksum::ENTRY as u64)?;
    (file_bytes(length) == file_bytes_).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{hex, sample_part};

    fn sample() -> Vec<u8> {
        let part = sample_part(2);
        let mut running = checksum::Running::new(part);
        running.update(&[5; 65_537]);
        let (receipt, table) = running.finish();
        encode(part, receipt, table)
    }

    #[test]
    fn the_bytes_are_a_contract() {
        assert_eq!(
            hex(&sample()),
            "f10f2311de98062b0197f3c6b1d07c3a9d2e5f60718293020100010000000000e830caa281bd8c528e769c0600000100\
             010000000000000000000000cfafe0e0486650617274456e"
        );
    }

    #[test]
    fn lengths_follow_from_file_sizes() {
        for length in [0, 1, 65_535, 65_536, 65_537, 131_072, 131_073, 1 << 30, (1 << 40) + 17] {
            assert_eq!(length_of(file_bytes(length)), Some(length));
        }
        assert_eq!(length_of(63), None);
        assert_eq!(length_of(64), Some(0));
        assert_eq!(length_of(67), None, "a table entry without its block");
    }

    #[test]
    fn any_flipped_bit_is_refused() {
        let trailer = sample();
        let mut footer = [0; FOOTER];
        footer.copy_from_slice(&trailer[trailer.len() - FOOTER..]);
        let size = file_bytes(65_537);
        let read = Footer::decode(&footer, size).expect("intact");
        assert_eq!((read.part, read.receipt.length), (sample_part(2), 65_537));
        assert_eq!(Footer::decode(&footer, size - 1), Err(Refused::Damaged), "a file that was cut");
        for bit in 0..FOOTER * 8 {
            let mut flipped = footer;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Footer::decode(&flipped, size), Err(Refused::Damaged), "bit {bit}");
        }
    }
}
