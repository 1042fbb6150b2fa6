//! Bytes to send and to recognise: the same for the same seed, different from page to page, and almost free to make.

use stripe::ResumableHash;

/// Bytes that are made at once.
pub(super) const BLOCK_BYTES: usize = 1 << 20;

/// Each page of this size begins with a stamp of its own, so no two pages of a file are equal and a page in the wrong
/// place is noticed.
const PAGE_BYTES: usize = 4096;

/// The endless file of a seed.
pub(super) struct Pattern {
    seed: u64,
    block: Vec<u8>,
    /// The block that the stamps are of.
    index: Option<u64>,
}

impl Pattern {
    pub(super) fn new(seed: u64) -> Self {
        let mut block = vec![0; BLOCK_BYTES];
        for (word, bytes) in block.chunks_exact_mut(8).enumerate() {
            bytes.copy_from_slice(&mix(mix(seed) ^ word as u64).to_le_bytes());
        }
        Self { seed, block, index: None }
    }

    /// The block of this index.
    pub(super) fn block(&mut self, index: u64) -> &[u8] {
        if self.index != Some(index) {
            stamp(self.seed, index, &mut self.block);
            self.index = Some(index);
        }
        &self.block
    }

    /// Whether the piece is what the file has at this offset.
    pub(super) fn is_at(&mut self, offset: u64, piece: &[u8]) -> bool {
        self.matches(offset, piece, |_| 0..BLOCK_BYTES)
    }

    /// The same for one page of each block only: in a measured run comparing every byte would cost the machine as much
    /// as sending it.
    pub(super) fn is_at_sampled(&mut self, offset: u64, piece: &[u8]) -> bool {
        self.matches(offset, piece, |index| {
            let page = (mix(index) as usize % (BLOCK_BYTES / PAGE_BYTES)) * PAGE_BYTES;
            page..page + PAGE_BYTES
        })
    }

    fn matches(&mut self, mut offset: u64, mut piece: &[u8], part: impl Fn(u64) -> std::ops::Range<usize>) -> bool {
        while !piece.is_empty() {
            let (index, from) = (offset / BLOCK_BYTES as u64, (offset % BLOCK_BYTES as u64) as usize);
            let (here, rest) = piece.split_at(piece.len().min(BLOCK_BYTES - from));
            let part = part(index);
            let (start, end) = (part.start.max(from), part.end.min(from + here.len()));
            if start < end && self.block(index)[start..end] != here[start - from..end - from] {
                return false;
            }
            offset += here.len() as u64;
            piece = rest;
        }
        true
    }

    /// BLAKE3 of the file's first bytes, in hexadecimal digits.
    pub(super) fn blake3(&mut self, length: u64) -> String {
        let mut hash = ResumableHash::new();
        for index in 0..length.div_ceil(BLOCK_BYTES as u64) {
            let left = length - index * BLOCK_BYTES as u64;
            hash.push(&self.block(index)[..left.min(BLOCK_BYTES as u64) as usize]);
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Marks the pages of a block as those of this index.
pub(super) fn stamp(seed: u64, index: u64, block: &mut [u8]) {
    for (page, bytes) in block.chunks_mut(PAGE_BYTES).enumerate() {
        let mark = mix(seed ^ mix(index.wrapping_mul(1 << 20).wrapping_add(page as u64))).to_le_bytes();
        let length = mark.len().min(bytes.len());
        bytes[..length].copy_from_slice(&mark[..length]);
    }
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014): every bit
/// of the answer depends on every bit of the question.
pub(super) fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_recognised_in_any_pieces() {
        let mut pattern = Pattern::new(7);
        let file = [pattern.block(0).to_vec(), pattern.block(1).to_vec(), pattern.block(2).to_vec()].concat();
        for length in [1, 5000, BLOCK_BYTES - 1, BLOCK_BYTES + 1, file.len()] {
            for (number, piece) in file.chunks(length).enumerate().take(50) {
                assert!(pattern.is_at((number * length) as u64, piece));
                assert!(pattern.is_at_sampled((number * length) as u64, piece));
            }
        }
        assert!(Pattern::new(7).is_at(0, &file), "the same for the same seed");
        assert!(!Pattern::new(8).is_at(0, &file));
    }

    #[test]
    fn a_wrong_byte_and_a_wrong_place_are_noticed() {
        let mut pattern = Pattern::new(1);
        let mut block = pattern.block(3).to_vec();
        assert!(!pattern.is_at(0, &block));
        assert!(!pattern.is_at(3 * BLOCK_BYTES as u64 + 1, &block[..BLOCK_BYTES - 1]));
        assert!(!pattern.is_at_sampled(0, &block), "each block has stamps of its own");
        *block.last_mut().unwrap() ^= 1;
        assert!(!pattern.is_at(3 * BLOCK_BYTES as u64, &block));
    }

    #[test]
    fn the_hash_is_that_of_the_bytes() {
        let mut pattern = Pattern::new(2);
        let bytes = [pattern.block(0), &[]].concat();
        let mut hash = ResumableHash::new();
        hash.push(&bytes);
        hash.push(&pattern.block(1)[..10]);
        let expected: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(pattern.blake3(BLOCK_BYTES as u64 + 10), expected);
    }
}
