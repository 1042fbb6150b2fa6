//! The hint file of a sealed segment: what it holds, so that a start need not scan it. Version 1, pinned by the tests.
//!
//! All numbers are little-endian: `HfHint01`, segment number (4 bytes), zero (4), disk id (16), end of the segment (8),
//! bytes of the segment that are damaged (8), number of entries (8); then the entries in the order of the segment, each
//! part id (16), CRC-64 (8), offset (4), length (4), kind (1: put, 2: tombstone), zero (7); then the CRC-64/NVME of all
//! of that. A hint that is missing or damaged is not used; the segment is scanned instead. An intact hint is believed
//! even where its segment was cut: the parts that are gone are then known, and found damaged, rather than forgotten.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use base::PartId;
use crc_fast::{CrcAlgorithm::Crc64Nvme, Digest};
use uuid::Uuid;

use crate::record::{self, Kind, SEGMENT_HEADER, u32_at, u64_at};

const MAGIC: &[u8; 8] = b"HfHint01";
const HEAD: usize = 56;
const ENTRY: usize = 40;
const SUM: usize = 8;

/// What a hint says of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hinted {
    pub(crate) part: PartId,
    pub(crate) checksum: u64,
    pub(crate) offset: u32,
    pub(crate) length: u32,
    pub(crate) kind: Kind,
}

/// A hint: of which segment, and what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) disk: Uuid,
    pub(crate) segment: u32,
    /// Where the segment's last record ends.
    pub(crate) end: u64,
    /// Bytes before it that are no record.
    pub(crate) damaged: u64,
    pub(crate) entries: u64,
}

impl Hinted {
    fn encode(&self) -> [u8; ENTRY] {
        let mut bytes = [0; ENTRY];
        bytes[0..16].copy_from_slice(&self.part.to_bytes());
        bytes[16..24].copy_from_slice(&self.checksum.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.offset.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.length.to_le_bytes());
        bytes[32] = match self.kind {
            Kind::Put => 1,
            Kind::Tombstone => 2,
        };
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let kind = match bytes[32] {
            1 => Kind::Put,
            2 => Kind::Tombstone,
            _ => return None,
        };
        let mut part = [0; 16];
        part.copy_from_slice(&bytes[0..16]);
        let part = PartId::from_bytes(part);
        Some(Self { part, checksum: u64_at(bytes, 16), offset: u32_at(bytes, 24), length: u32_at(bytes, 28), kind })
    }
}

impl Head {
    fn encode(&self) -> [u8; HEAD] {
        let mut bytes = [0; HEAD];
        bytes[0..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&self.segment.to_le_bytes());
        bytes[16..32].copy_from_slice(self.disk.as_bytes());
        bytes[32..40].copy_from_slice(&self.end.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.damaged.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.entries.to_le_bytes());
        bytes
    }
}

/// The bytes of a hint.
pub(crate) fn encode(head: &Head, entries: &[Hinted]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD + entries.len() * ENTRY + SUM);
    bytes.extend_from_slice(&head.encode());
    entries.iter().for_each(|entry| bytes.extend_from_slice(&entry.encode()));
    let sum = proto::checksum(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

/// The hint in `bytes` if it is intact and that of the segment with this disk id and number.
pub(crate) fn decode(bytes: &[u8], disk: Uuid, segment: u32) -> Option<(Head, Vec<Hinted>)> {
    let (body, sum) = bytes.split_at_checked(bytes.len().checked_sub(SUM)?)?;
    let (head, entries) = body.split_at_checked(HEAD)?;
    let mut digest = Digest::new(Crc64Nvme);
    digest.update(body);
    if digest.finalize().to_le_bytes() != sum {
        return None;
    }
    let count = (entries.len() / ENTRY) as u64;
    let said = Head { disk, segment, end: u64_at(head, 32), damaged: u64_at(head, 40), entries: count };
    if said.encode() != head || entries.len() % ENTRY != 0 {
        return None;
    }
    let entries: Option<Vec<_>> = entries.chunks_exact(ENTRY).map(Hinted::decode).collect();
    let fits = |entry: &Hinted| {
        let offset = u64::from(entry.offset);
        offset >= SEGMENT_HEADER as u64 && offset + record::record_bytes(entry.length) <= said.end
    };
    entries.filter(|entries| entries.iter().all(fits)).map(|entries| (said, entries))
}

/// Writes the hint's file in one step. It is not synced: a hint that a power loss damaged is not used.
pub(crate) fn write(path: &Path, head: &Head, entries: &[Hinted]) -> io::Result<()> {
    let tmp = path.with_extension("idx.tmp");
    File::create(&tmp)?.write_all(&encode(head, entries))?;
    fs::rename(&tmp, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{hex, sample_part};

    const DISK: Uuid = Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10);

    fn sample() -> (Head, Vec<Hinted>) {
        let put = Hinted { part: sample_part(1), checksum: 0x1122, offset: 40, length: 8, kind: Kind::Put };
        let tombstone = Hinted { part: sample_part(2), checksum: 0, offset: 112, length: 0, kind: Kind::Tombstone };
        (Head { disk: DISK, segment: 3, end: 168, damaged: 5, entries: 2 }, vec![put, tombstone])
    }

    #[test]
    fn the_bytes_are_a_contract() {
        let (head, entries) = sample();
        assert_eq!(
            hex(&encode(&head, &entries)),
            "486648696e74303103000000000000000102030405060708090a0b0c0d0e0f10a8000000000000000500000000000000\
             02000000000000000197f3c6b1d07c3a9d2e5f6071829301221100000000000028000000080000000100000000000000\
             0197f3c6b1d07c3a9d2e5f607182930200000000000000007000000000000000020000000000000098354447c27cf42c"
        );
    }

    #[test]
    fn reads_back_and_refuses_everything_else() {
        let (head, entries) = sample();
        let bytes = encode(&head, &entries);
        assert_eq!(decode(&bytes, DISK, 3), Some((head, entries.clone())));
        assert_eq!(decode(&bytes, DISK, 4), None, "another segment");
        assert_eq!(decode(&bytes, Uuid::nil(), 3), None, "another disk");
        for cut in 0..bytes.len() {
            assert_eq!(decode(&bytes[..cut], DISK, 3), None, "cut to {cut}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(&flipped, DISK, 3), None, "bit {bit}");
        }
        let beyond = [Hinted { offset: 120, ..entries[0] }];
        assert_eq!(decode(&encode(&Head { entries: 1, ..head }, &beyond), DISK, 3), None, "beyond the end");
    }
}
