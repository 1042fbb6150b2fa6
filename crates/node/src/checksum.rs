//! The checksums on a node's disk: CRC32C per block, salted with what the block is, and CRC-64/NVME of the whole part.

use base::{PartId, limits::CHECKSUM_BLOCK_BYTES};
use crc_fast::{CrcAlgorithm::Crc32Iscsi, CrcAlgorithm::Crc64Nvme, Digest};
use proto::Receipt;

/// Bytes of one checksum in a table.
pub(crate) const ENTRY: usize = 4;

/// CRC32C (Castagnoli, RFC 3720) of the pieces one after another.
pub(crate) fn crc32c(pieces: &[&[u8]]) -> u32 {
    let mut digest = Digest::new(Crc32Iscsi);
    for piece in pieces {
        digest.update(piece);
    }
    digest.finalize() as u32
}

/// Blocks that cover `length` bytes.
pub(crate) fn blocks(length: u64) -> u64 {
    length.div_ceil(CHECKSUM_BLOCK_BYTES as u64)
}

/// The checksum of a block begins with the part's id and the block's index, so that a block which the disk wrote to,
/// or read from, the wrong place does not pass for the right one.
fn begin_block(part: PartId, index: u64) -> Digest {
    let mut salt = [0; 24];
    salt[..16].copy_from_slice(&part.to_bytes());
    salt[16..].copy_from_slice(&index.to_le_bytes());
    let mut digest = Digest::new(Crc32Iscsi);
    digest.update(&salt);
    digest
}

/// Checks `data`, whole blocks of `part` from block `first` on (the part's last block may be short), against their
/// entries of the table.
///
/// # Errors
/// The index of the first block that does not match.
pub(crate) fn check(part: PartId, first: u64, data: &[u8], table: &[u8]) -> Result<(), u64> {
    let mut entries = table.chunks_exact(ENTRY);
    for (index, block) in (first..).zip(data.chunks(CHECKSUM_BLOCK_BYTES)) {
        let mut digest = begin_block(part, index);
        digest.update(block);
        let sum = (digest.finalize() as u32).to_le_bytes();
        if entries.next().is_none_or(|entry| entry != sum) {
            return Err(index);
        }
    }
    Ok(())
}

/// Both checksums of a part whose bytes come by in pieces.
pub(crate) struct Running {
    part: PartId,
    table: Vec<u8>,
    block: Digest,
    filled: usize,
    whole: Digest,
    length: u64,
}

impl Running {
    pub(crate) fn new(part: PartId) -> Self {
        let block = begin_block(part, 0);
        Self { part, table: Vec::new(), block, filled: 0, whole: Digest::new(Crc64Nvme), length: 0 }
    }

    pub(crate) fn update(&mut self, mut piece: &[u8]) {
        self.length += piece.len() as u64;
        self.whole.update(piece);
        while !piece.is_empty() {
            let (now, later) = piece.split_at(piece.len().min(CHECKSUM_BLOCK_BYTES - self.filled));
            self.block.update(now);
            self.filled += now.len();
            if self.filled == CHECKSUM_BLOCK_BYTES {
                self.end_block();
            }
            piece = later;
        }
    }

    fn end_block(&mut self) {
        self.table.extend_from_slice(&(self.block.finalize() as u32).to_le_bytes());
        self.block = begin_block(self.part, (self.table.len() / ENTRY) as u64);
        self.filled = 0;
    }

    /// What was seen, and the table of its blocks' checksums.
    pub(crate) fn finish(mut self) -> (Receipt, Vec<u8>) {
        if self.filled > 0 {
            self.end_block();
        }
        (Receipt { length: self.length, checksum: self.whole.finalize() }, self.table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_do_not_matter() {
        let part = PartId::from_bytes([7; 16]);
        let data: Vec<u8> = (0..200_000u32).map(|i| (i * 7 + i / 251) as u8).collect();
        for length in [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000] {
            let data = &data[..length];
            let mut whole = Running::new(part);
            whole.update(data);
            let (receipt, table) = whole.finish();
            assert_eq!(receipt, Receipt { length: length as u64, checksum: proto::checksum(data) });
            assert_eq!(table.len() as u64, blocks(length as u64) * ENTRY as u64);
            for size in [1000, 65_536, 70_001] {
                let mut pieces = Running::new(part);
                data.chunks(size).for_each(|piece| pieces.update(piece));
                assert_eq!(pieces.finish(), (receipt, table.clone()), "{length} in pieces of {size}");
            }
            assert_eq!(check(part, 0, data, &table), Ok(()));
        }
    }

    #[test]
    fn a_block_in_the_wrong_place_is_found() {
        let part = PartId::from_bytes([7; 16]);
        let data = vec![0; 3 * CHECKSUM_BLOCK_BYTES];
        let mut running = Running::new(part);
        running.update(&data);
        let (_, table) = running.finish();
        let block = &data[..CHECKSUM_BLOCK_BYTES];
        assert_eq!(check(part, 1, block, &table[4..]), Ok(()));
        assert_eq!(check(part, 2, block, &table[4..]), Err(2), "another block's bytes");
        assert_eq!(check(PartId::from_bytes([8; 16]), 1, block, &table[4..]), Err(1), "another part's bytes");
        assert_eq!(check(part, 1, block, &[]), Err(1), "a table that is too short");
    }
}
