//! BLAKE3 of a stream that may be interrupted: its state can be saved and taken up again, by another process too.
//!
//! BLAKE3 hashes chunks of 1024 bytes and joins them in a binary tree whose left subtrees are always full, so what has
//! to be remembered of any number of whole chunks is one chaining value per set bit of their number (section 5.1.2 of
//! the BLAKE3 paper, <https://github.com/BLAKE3-team/BLAKE3-specs/blob/master/blake3.pdf>). The crate `blake3` does not
//! let its own state be saved, but gives access to subtrees; this keeps the tree above them itself.

use blake3::{
    CHUNK_LEN, Hasher,
    hazmat::{ChainingValue, HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root},
};

use crate::{
    Error,
    seal::{seal, unseal},
};

/// First byte of a saved state.
const VERSION: u8 = 1;

/// Bytes of a saved state before its chaining values: version and length.
const HEADER_BYTES: usize = 9;

/// Small pushes are gathered up to a boundary of so many bytes: BLAKE3 reaches its full speed from 16 chunks on, and a
/// network delivers any number of bytes.
const BLOCK_BYTES: usize = 64 * CHUNK_LEN;

/// A BLAKE3 hash that can be saved half-way.
///
/// ```
/// use stripe::ResumableHash;
///
/// let mut hash = ResumableHash::new();
/// hash.push(&[1; 5000]);
/// let state = hash.state();
/// let mut hash = ResumableHash::restore(&state)?;
/// hash.push(&[1; 5000]);
/// assert_eq!(hash.finalize(), *blake3::hash(&[1; 10_000]).as_bytes());
/// # Ok::<(), stripe::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct ResumableHash {
    /// Whole chunks that are hashed into `stack`.
    chunks: u64,
    /// Chaining values of full subtrees, largest first: one per set bit of `chunks`.
    stack: Vec<ChainingValue>,
    /// What follows them, not hashed yet, up to the next boundary of a block. The last byte so far is always here: the
    /// last node of the whole tree, the root, is computed differently, and any node may turn out to be it until another
    /// byte follows.
    tail: Vec<u8>,
}

impl ResumableHash {
    /// The hash of nothing so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes that were pushed.
    pub fn length(&self) -> u64 {
        self.chunks * CHUNK_LEN as u64 + self.tail.len() as u64
    }

    /// Adds bytes.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let offset = self.chunks * CHUNK_LEN as u64;
            let room = BLOCK_BYTES - (offset % BLOCK_BYTES as u64) as usize;
            if self.tail.len() == room {
                let tail = std::mem::take(&mut self.tail);
                self.absorb(&tail);
                // The memory serves for the next block.
                self.tail = tail;
                self.tail.clear();
            } else if self.tail.is_empty() && bytes.len() > room {
                // Straight from the caller's memory, whole blocks but for the last byte.
                let blocks = (bytes.len() - 1 - room) / BLOCK_BYTES * BLOCK_BYTES;
                let (absorbed, rest) = bytes.split_at(room + blocks);
                self.absorb(absorbed);
                bytes = rest;
            } else {
                let (fill, rest) = bytes.split_at(bytes.len().min(room - self.tail.len()));
                self.tail.extend_from_slice(fill);
                bytes = rest;
            }
        }
    }

    /// The BLAKE3 hash of everything that was pushed. More may be pushed afterwards.
    pub fn finalize(&self) -> [u8; 32] {
        if self.stack.is_empty() {
            return *blake3::hash(&self.tail).as_bytes();
        }
        let last = self.settled();
        let mut right = chaining_value(last.chunks, &last.tail);
        // From right to left; the join with the first subtree is the root.
        for left in last.stack[1..].iter().rev() {
            right = merge_subtrees_non_root(left, &right, Mode::Hash);
        }
        *merge_subtrees_root(&last.stack[0], &right, Mode::Hash).as_bytes()
    }

    /// The state, to be saved: at most 2.7 KiB. Equal bytes pushed give equal states, however they were pushed.
    ///
    /// The form is a contract: version (1), length (8, little-endian), one chaining value of 32 bytes for each set bit
    /// of the number of whole chunks before the last one, largest subtree first, and the bytes of the last chunk, which
    /// has 1 to 1024 of them (none if there are no bytes at all), and a check of 4 bytes.
    pub fn state(&self) -> Vec<u8> {
        let last = self.settled();
        let mut state = vec![VERSION];
        state.extend_from_slice(&last.length().to_le_bytes());
        state.extend_from_slice(last.stack.as_flattened());
        state.extend_from_slice(&last.tail);
        seal(state)
    }

    /// Takes up a saved state.
    ///
    /// # Errors
    /// [`Error::HashState`] if the bytes are not one.
    pub fn restore(state: &[u8]) -> Result<Self, Error> {
        // The version first: another version may keep its check elsewhere.
        if *state.first().ok_or(Error::HashState("no bytes"))? != VERSION {
            return Err(Error::HashState("unknown version"));
        }
        let state = unseal(state).ok_or(Error::HashState("its check does not match"))?;
        let (header, rest) = state.split_first_chunk::<HEADER_BYTES>().ok_or(Error::HashState("too short"))?;
        let [_, length @ ..] = *header;
        let length = u64::from_le_bytes(length);
        // No stream is that long, and to what is below bytes can be added without overflow.
        if length > 1 << 62 {
            return Err(Error::HashState("impossible length"));
        }
        let chunks = length.saturating_sub(1) / CHUNK_LEN as u64;
        let (stack, tail) = rest
            .split_at_checked(chunks.count_ones() as usize * blake3::OUT_LEN)
            .ok_or(Error::HashState("too few chaining values"))?;
        if tail.len() as u64 != length - chunks * CHUNK_LEN as u64 {
            return Err(Error::HashState("wrong number of bytes"));
        }
        Ok(Self { chunks, stack: stack.as_chunks().0.to_vec(), tail: tail.to_vec() })
    }

    /// The same hash with nothing but the last chunk in its tail.
    fn settled(&self) -> Self {
        let whole = self.tail.len().saturating_sub(1) / CHUNK_LEN * CHUNK_LEN;
        let mut settled = Self { chunks: self.chunks, stack: self.stack.clone(), tail: self.tail[whole..].to_vec() };
        settled.absorb(&self.tail[..whole]);
        settled
    }

    /// Hashes whole chunks after which more bytes are known to follow.
    fn absorb(&mut self, mut bytes: &[u8]) {
        while let Some(power) = (bytes.len() / CHUNK_LEN).checked_ilog2() {
            // A subtree that begins at chunk n has at most as many chunks as the largest power of two that divides n.
            let power = if self.chunks == 0 { power } else { power.min(self.chunks.trailing_zeros()) };
            let (subtree, rest) = bytes.split_at(CHUNK_LEN << power);
            self.stack.push(chaining_value(self.chunks, subtree));
            self.chunks += 1 << power;
            bytes = rest;
            // Subtrees of equal size join, as the bits of a counter carry.
            while self.stack.len() > self.chunks.count_ones() as usize {
                let right = self.stack.pop().expect("more subtrees than set bits: two at least");
                let left = self.stack.pop().expect("more subtrees than set bits: two at least");
                self.stack.push(merge_subtrees_non_root(&left, &right, Mode::Hash));
            }
        }
    }
}

/// The chaining value of a chunk, or of a full subtree, that begins at chunk `first`.
fn chaining_value(first: u64, bytes: &[u8]) -> ChainingValue {
    Hasher::new().set_input_offset(first * CHUNK_LEN as u64).update(bytes).finalize_non_root()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes(length: usize) -> Vec<u8> {
        (0..length as u32).map(|i| (i ^ (i >> 7)).wrapping_mul(0x9e37_79b9).to_be_bytes()[0]).collect()
    }

    #[test]
    fn any_split_in_two_gives_the_hash() {
        for total in (0..=20)
            .chain([63, 64, 65, 128])
            .flat_map(|k| [k * CHUNK_LEN, k * CHUNK_LEN + 1, (k * CHUNK_LEN).saturating_sub(1)])
        {
            let bytes = bytes(total);
            let expected = *blake3::hash(&bytes).as_bytes();
            for split in (0..=total).step_by((total / 64).max(256)).chain([1, total.saturating_sub(1), total]) {
                let (left, right) = bytes.split_at(split.min(total));
                let mut hash = ResumableHash::new();
                hash.push(left);
                assert_eq!(hash.finalize(), *blake3::hash(left).as_bytes(), "{split}");
                hash.push(right);
                assert_eq!(hash.finalize(), expected, "{split} of {total}");
                assert_eq!(hash.length(), total as u64);
            }
        }
    }

    proptest! {
        #[test]
        fn any_splits_and_restarts_give_the_hash(
            pieces in proptest::collection::vec(
                (prop_oneof![0usize..3000, (0usize..8).prop_map(|k| k << 10), 0usize..70_000], any::<bool>()),
                0..12,
            ),
        ) {
            let bytes = bytes(pieces.iter().map(|(length, _)| length).sum());
            let (mut hash, mut at) = (ResumableHash::new(), 0);
            for (length, restart) in pieces {
                hash.push(&bytes[at..at + length]);
                at += length;
                if restart {
                    let state = hash.state();
                    prop_assert!(state.len() <= 4096);
                    hash = ResumableHash::restore(&state).unwrap();
                    prop_assert_eq!(hash.state(), state);
                }
                prop_assert_eq!(hash.finalize(), *blake3::hash(&bytes[..at]).as_bytes());
            }
        }

        #[test]
        fn no_bytes_make_restore_or_what_follows_panic(
            mut state in proptest::collection::vec(any::<u8>(), 0..1200),
            valid in 0usize..9000,
            cut in 0usize..9000,
        ) {
            if let Some(version) = state.first_mut() {
                *version = VERSION;
            }
            let mut hash = ResumableHash::new();
            hash.push(&bytes(valid));
            let mut cut_short = unseal(&hash.state()).unwrap().to_vec();
            cut_short.truncate(cut);
            for state in [seal(state), seal(cut_short)] {
                if let Ok(mut hash) = ResumableHash::restore(&state) {
                    prop_assert_eq!(hash.state(), state);
                    hash.push(&[0; 5000]);
                    hash.finalize();
                }
            }
        }
    }

    #[test]
    fn the_state_is_a_contract() {
        let mut hash = ResumableHash::new();
        hash.push(b"Holdfast");
        assert_eq!(hash.state(), seal(b"\x01\x08\0\0\0\0\0\0\0Holdfast".to_vec()));
        assert_eq!(ResumableHash::new().state(), [1, 0, 0, 0, 0, 0, 0, 0, 0, 128, 110, 153, 236]);
        // Three chunks and a bit: one subtree of two, one of one.
        let bytes = bytes(3 * CHUNK_LEN + 2);
        hash = ResumableHash::new();
        hash.push(&bytes);
        let state = unseal(&hash.state()).unwrap().to_vec();
        assert_eq!(state[..9], [1, 2, 12, 0, 0, 0, 0, 0, 0]);
        assert_eq!(state[9..41], chaining_value(0, &bytes[..2048]));
        assert_eq!(state[41..73], chaining_value(2, &bytes[2048..3072]));
        assert_eq!(state[73..], bytes[3072..]);
    }

    #[test]
    fn refuses_what_is_not_a_state() {
        let mut hash = ResumableHash::new();
        hash.push(&bytes(2048));
        let state = hash.state();
        let refused = |state: &[u8]| matches!(ResumableHash::restore(state), Err(Error::HashState(_)));
        assert!(ResumableHash::restore(&state).is_ok());
        for cut in 0..state.len() {
            assert!(refused(&state[..cut]), "{cut}");
        }
        assert!(refused(&[&state[..], &[0]].concat()));
        for index in 0..state.len() {
            let mut wrong = state.clone();
            wrong[index] ^= 0x10;
            assert!(refused(&wrong), "byte {index}");
        }
        // The same with a check that matches: version, lengths that do not fit what follows.
        let body = unseal(&state).unwrap();
        for (index, value) in [(0, 2), (1, 1), (2, 4), (2, 16), (8, 0x80)] {
            let mut wrong = body.to_vec();
            wrong[index] = value;
            assert!(refused(&seal(wrong)), "byte {index}");
        }
        assert!(refused(&seal([body, &[0]].concat())));
        assert!(refused(&seal(body[..body.len() - 1].to_vec())));
    }

    #[test]
    fn the_longest_streams_have_small_states() {
        // 2^62 bytes less one: the most set bits, and a long tail.
        let length = (1u64 << 62) - 1;
        let chunks = (1u64 << 52) - 1;
        let hash = ResumableHash { chunks, stack: vec![[7; 32]; 52], tail: vec![1; 1023] };
        assert_eq!(hash.length(), length);
        let state = hash.state();
        assert!(state.len() <= 2700, "{}", state.len());
        assert_eq!(ResumableHash::restore(&state).unwrap().finalize(), hash.finalize());
    }
}
