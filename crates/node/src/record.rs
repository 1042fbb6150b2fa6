//! The form of a segment file: a header, then records. Version 1; the bytes are a contract, pinned by the tests below.
//!
//! All numbers are little-endian. A segment begins with 40 bytes:
//!
//! | bytes | what |
//! | --- | --- |
//! | 0..8 | `HfSegmnt` |
//! | 8..12 | version, 1 |
//! | 12..16 | number of the segment |
//! | 16..32 | disk id of the node's folder |
//! | 32..36 | CRC32C of bytes 0..32 |
//! | 36..40 | zero |
//!
//! Records follow, each at a multiple of 8:
//!
//! | bytes | what |
//! | --- | --- |
//! | 0..4 | `HfRc` |
//! | 4 | version, 1 |
//! | 5 | kind: 1 put, 2 tombstone |
//! | 6..8 | zero |
//! | 8..24 | part id |
//! | 24..32 | batch: rises with every commit, so records of one commit share it |
//! | 32..40 | CRC-64/NVME of the part |
//! | 40..44 | length of the part; 0 in a tombstone |
//! | 44..48 | CRC32C of disk id, segment number (4 bytes), offset of the record (8 bytes), bytes 0..44 |
//! | then | the part's bytes |
//! | then | the CRC32C of each 64 KiB block of them, salted with part id and block index |
//! | then | `HfEn`, and zeros up to a multiple of 8 |
//!
//! The header's checksum covers where the record stands and a disk id that no client knows: when a scan looks for the
//! next good record behind damage, bytes that somebody stored inside a part cannot pass for one.

use base::PartId;
use uuid::Uuid;

use crate::checksum::{self, crc32c};

/// Bytes before the first record of a segment.
pub(crate) const SEGMENT_HEADER: usize = 40;
/// Bytes of a record before the part's.
pub(crate) const HEADER: usize = 48;
/// What a record begins with.
pub(crate) const MAGIC: &[u8; 4] = b"HfRc";
/// Records begin at multiples of this.
pub(crate) const ALIGN: u64 = 8;

const SEGMENT_MAGIC: &[u8; 8] = b"HfSegmnt";
const END: &[u8; 4] = b"HfEn";
const VERSION: u8 = 1;

/// What a record says about its part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Here are its bytes.
    Put,
    /// It was deleted: earlier records of it do not count.
    Tombstone,
}

/// The header of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) part: PartId,
    pub(crate) batch: u64,
    pub(crate) checksum: u64,
    pub(crate) length: u32,
}

/// Where a record stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) disk: Uuid,
    pub(crate) segment: u32,
    pub(crate) offset: u64,
}

/// Why bytes are not a record or segment header that this version reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// They are something else, or damaged.
    Damaged,
    /// They are intact, and of this version, which is not known here.
    Version(u32),
}

impl Place {
    fn sum(&self, head: &[u8]) -> u32 {
        crc32c(&[self.disk.as_bytes(), &self.segment.to_le_bytes(), &self.offset.to_le_bytes(), head])
    }
}

impl Header {
    pub(crate) fn encode(&self, place: &Place) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[0..4].copy_from_slice(MAGIC);
        bytes[4] = VERSION;
        bytes[5] = match self.kind {
            Kind::Put => 1,
            Kind::Tombstone => 2,
        };
        bytes[8..24].copy_from_slice(&self.part.to_bytes());
        bytes[24..32].copy_from_slice(&self.batch.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.checksum.to_le_bytes());
        bytes[40..44].copy_from_slice(&self.length.to_le_bytes());
        let sum = place.sum(&bytes[..44]);
        bytes[44..48].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8; HEADER], place: &Place) -> Result<Self, Refused> {
        if &bytes[0..4] != MAGIC || u32_at(bytes, 44) != place.sum(&bytes[..44]) {
            return Err(Refused::Damaged);
        }
        let kind = match (bytes[4], bytes[5]) {
            (VERSION, 1) => Kind::Put,
            (VERSION, 2) => Kind::Tombstone,
            (VERSION, _) => return Err(Refused::Damaged),
            (other, _) => return Err(Refused::Version(other.into())),
        };
        let mut part = [0; 16];
        part.copy_from_slice(&bytes[8..24]);
        Ok(Self {
            kind,
            part: PartId::from_bytes(part),
            batch: u64_at(bytes, 24),
            checksum: u64_at(bytes, 32),
            length: u32_at(bytes, 40),
        })
    }

    /// Bytes of the whole record.
    pub(crate) fn record_bytes(&self) -> u64 {
        record_bytes(self.length)
    }
}

/// Bytes of the record of a part of this length.
pub(crate) fn record_bytes(length: u32) -> u64 {
    let table = checksum::blocks(length.into()) * checksum::ENTRY as u64;
    (HEADER as u64 + u64::from(length) + table + END.len() as u64).next_multiple_of(ALIGN)
}

/// What follows the part's bytes in its record: its table of checksums made complete with end mark and padding.
pub(crate) fn tail(length: u32, mut table: Vec<u8>) -> Vec<u8> {
    table.extend_from_slice(END);
    table.resize((record_bytes(length) - HEADER as u64 - u64::from(length)) as usize, 0);
    table
}

/// The table of checksums in a record's tail, if the end mark stands where it has to.
pub(crate) fn table(length: u32, tail: &[u8]) -> Option<&[u8]> {
    let (table, rest) = tail.split_at_checked(checksum::blocks(length.into()) as usize * checksum::ENTRY)?;
    rest.starts_with(END).then_some(table)
}

/// The first bytes of a segment.
pub(crate) fn encode_segment(disk: Uuid, number: u32) -> [u8; SEGMENT_HEADER] {
    let mut bytes = [0; SEGMENT_HEADER];
    bytes[0..8].copy_from_slice(SEGMENT_MAGIC);
    bytes[8..12].copy_from_slice(&u32::from(VERSION).to_le_bytes());
    bytes[12..16].copy_from_slice(&number.to_le_bytes());
    bytes[16..32].copy_from_slice(disk.as_bytes());
    let sum = crc32c(&[&bytes[..32]]);
    bytes[32..36].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// The disk id and number that a segment says it has.
pub(crate) fn decode_segment(bytes: &[u8; SEGMENT_HEADER]) -> Result<(Uuid, u32), Refused> {
    if &bytes[0..8] != SEGMENT_MAGIC || u32_at(bytes, 32) != crc32c(&[&bytes[..32]]) {
        return Err(Refused::Damaged);
    }
    match u32_at(bytes, 8) {
        version if version == u32::from(VERSION) => {
            let mut disk = [0; 16];
            disk.copy_from_slice(&bytes[16..32]);
            Ok((Uuid::from_bytes(disk), u32_at(bytes, 12)))
        }
        other => Err(Refused::Version(other)),
    }
}

/// The number at `at`, which the caller knows to be within `bytes`.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(number)
}

/// The number at `at`, which the caller knows to be within `bytes`.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{hex, sample_part};

    const PLACE: Place =
        Place { disk: Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10), segment: 3, offset: 40 };

    fn record(data: &[u8]) -> Vec<u8> {
        let part = sample_part(1);
        let mut running = checksum::Running::new(part);
        running.update(data);
        let (receipt, table) = running.finish();
        let length = data.len() as u32;
        let header = Header { kind: Kind::Put, part, batch: 9, checksum: receipt.checksum, length };
        let mut bytes = header.encode(&PLACE).to_vec();
        bytes.extend_from_slice(data);
        bytes.extend_from_slice(&tail(length, table));
        assert_eq!(bytes.len() as u64, record_bytes(length));
        bytes
    }

    #[test]
    fn the_bytes_are_a_contract() {
        assert_eq!(
            hex(&encode_segment(PLACE.disk, 3)),
            "48665365676d6e7401000000030000000102030405060708090a0b0c0d0e0f10aab3240300000000"
        );
        assert_eq!(
            hex(&record(b"holdfast")),
            "48665263010100000197f3c6b1d07c3a9d2e5f60718293010900000000000000bce8f12fdeef86110800000008e809fd\
             686f6c6466617374c301eb544866456e"
        );
        let tombstone = Header { kind: Kind::Tombstone, part: sample_part(1), batch: 10, checksum: 0, length: 0 };
        let mut bytes = tombstone.encode(&PLACE).to_vec();
        bytes.extend_from_slice(&tail(0, Vec::new()));
        assert_eq!(
            hex(&bytes),
            "48665263010200000197f3c6b1d07c3a9d2e5f60718293010a000000000000000000000000000000000000004c56a7eb\
             4866456e00000000"
        );
    }

    #[test]
    fn sizes_are_aligned_and_tables_are_found() {
        for length in [0, 1, 3, 4, 5, 65_535, 65_536, 65_537, 262_144] {
            let bytes = record_bytes(length);
            assert_eq!(bytes % ALIGN, 0);
            let blocks = u64::from(length).div_ceil(65_536);
            assert!((0..8).contains(&(bytes - 48 - u64::from(length) - 4 * blocks - 4)), "{length}");
            let tail = tail(length, vec![1; 4 * blocks as usize]);
            assert_eq!(table(length, &tail).map(<[u8]>::len), Some(4 * blocks as usize));
            assert_eq!(table(length, &tail[..4 * blocks as usize + 3]), None);
        }
    }

    #[test]
    fn any_flipped_bit_and_any_other_place_is_refused() {
        let bytes = record(b"x");
        let mut header = [0; HEADER];
        header.copy_from_slice(&bytes[..HEADER]);
        assert!(Header::decode(&header, &PLACE).is_ok());
        for bit in 0..HEADER * 8 {
            let mut flipped = header;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::decode(&flipped, &PLACE), Err(Refused::Damaged), "bit {bit}");
        }
        for place in
            [Place { offset: 48, ..PLACE }, Place { segment: 4, ..PLACE }, Place { disk: Uuid::from_u128(1), ..PLACE }]
        {
            assert_eq!(Header::decode(&header, &place), Err(Refused::Damaged));
        }
    }

    #[test]
    fn a_later_version_is_told_apart_from_damage() {
        let mut segment = encode_segment(PLACE.disk, 3);
        assert_eq!(decode_segment(&segment), Ok((PLACE.disk, 3)));
        segment[8] = 2;
        assert_eq!(decode_segment(&segment), Err(Refused::Damaged));
        let sum = crc32c(&[&segment[..32]]);
        segment[32..36].copy_from_slice(&sum.to_le_bytes());
        assert_eq!(decode_segment(&segment), Err(Refused::Version(2)));

        let mut header = [0; HEADER];
        header.copy_from_slice(&record(b"x")[..HEADER]);
        header[4] = 2;
        let sum = PLACE.sum(&header[..44]);
        header[44..48].copy_from_slice(&sum.to_le_bytes());
        assert_eq!(Header::decode(&header, &PLACE), Err(Refused::Version(2)));
    }
}
