//! What is known of one extent: how it was cut, how long it is, where its parts are.
//!
//! The binary form is a contract. All integers are little-endian:
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | layout version (1) |
//! | 1 | data parts (6) |
//! | 1 | parity parts (0 to 3) |
//! | 1 | code (1: Reed-Solomon) |
//! | 4 | bytes of a unit |
//! | 8 | bytes of the extent |
//! | 25 for each part | node (16), CRC-64/NVME of the part (8), state (1: 0 ok, 1 missing, 2 damaged) |
//! | 4 | the low half of the XXH3-64 (seed 0) of all bytes before |
//!
//! A part's length is not stored: the layout gives it, and two sources could differ.

use base::{
    NodeId,
    limits::{DATA_PARTS, FILE_BYTES_MAX},
};

use crate::{
    Code, Error, Layout,
    seal::{seal, unseal},
};

/// Where a part is, and how its bytes are recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartPlace {
    /// The node that holds it, or is to hold it.
    pub node: NodeId,
    /// CRC-64/NVME of its bytes.
    pub checksum: u64,
    /// How it was last seen.
    pub state: PartState,
}

/// How a part was last seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartState {
    /// The node acknowledged it, and nothing bad was heard since.
    Ok,
    /// It was never written, or the node no longer has it.
    Missing,
    /// The node has it, but not its bytes.
    Damaged,
}

impl PartState {
    /// The state's name in kebab case, as the API shows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::Damaged => "damaged",
        }
    }
}

/// One extent: layout, length and parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    layout: Layout,
    length: u64,
    parts: Vec<PartPlace>,
}

impl Manifest {
    /// The manifest of an extent of `length` bytes whose parts, data first, are `parts`.
    ///
    /// # Errors
    /// [`Error::Manifest`] if there are not as many parts as the layout has, or the length is beyond
    /// [`FILE_BYTES_MAX`].
    pub fn new(layout: Layout, length: u64, parts: Vec<PartPlace>) -> Result<Self, Error> {
        if parts.len() != layout.parts() {
            return Err(Error::Manifest("not the layout's number of parts"));
        }
        if length > FILE_BYTES_MAX {
            return Err(Error::Manifest("longer than any file"));
        }
        Ok(Self { layout, length, parts })
    }

    /// How the extent was cut.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Bytes of the extent.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The parts, data first.
    pub fn parts(&self) -> &[PartPlace] {
        &self.parts
    }

    /// The parts, to change where and how they are; their number stays.
    pub fn parts_mut(&mut self) -> &mut [PartPlace] {
        &mut self.parts
    }

    /// Bytes of part `part`.
    ///
    /// # Panics
    /// If the layout has no such part.
    pub fn part_length(&self, part: usize) -> u64 {
        self.layout.part_length(self.length, part)
    }

    /// The binary form: 170 bytes for 6 parts, 220 for 8.
    pub fn encode(&self) -> Vec<u8> {
        let code = match self.layout.code() {
            Code::ReedSolomon => 1,
        };
        let mut bytes = vec![self.layout.version(), DATA_PARTS as u8, self.layout.parity() as u8, code];
        bytes.extend_from_slice(&(self.layout.unit() as u32).to_le_bytes());
        bytes.extend_from_slice(&self.length.to_le_bytes());
        for part in &self.parts {
            bytes.extend_from_slice(&part.node.to_bytes());
            bytes.extend_from_slice(&part.checksum.to_le_bytes());
            bytes.push(match part.state {
                PartState::Ok => 0,
                PartState::Missing => 1,
                PartState::Damaged => 2,
            });
        }
        seal(bytes)
    }

    /// Bytes at the beginning of the binary form that say how the extent was cut.
    pub const HEAD_BYTES: usize = 8;

    /// How an extent was cut, from the beginning of the binary form alone, which no check covers.
    ///
    /// # Errors
    /// [`Error::Manifest`].
    pub fn layout_of_head(head: &[u8]) -> Result<Layout, Error> {
        let mut rest = head;
        let [version, data, parity, code] = take(&mut rest)?;
        if version != Layout::VERSION {
            return Err(Error::Manifest("unknown version"));
        }
        if usize::from(data) != DATA_PARTS {
            return Err(Error::Manifest("not six data parts"));
        }
        if code != 1 {
            return Err(Error::Manifest("unknown code"));
        }
        let unit = u32::from_le_bytes(take(&mut rest)?);
        Layout::with_unit(usize::from(parity), unit).map_err(|_| Error::Manifest("parity or unit out of bounds"))
    }

    /// Reads the binary form.
    ///
    /// # Errors
    /// [`Error::Manifest`] for anything that [`Self::encode`] does not write.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        // The version first: another version may keep its check elsewhere.
        if *bytes.first().ok_or(Error::Manifest("no bytes"))? != Layout::VERSION {
            return Err(Error::Manifest("unknown version"));
        }
        let mut rest = unseal(bytes).ok_or(Error::Manifest("its check does not match"))?;
        let head: [u8; Self::HEAD_BYTES] = take(&mut rest)?;
        let layout = Self::layout_of_head(&head)?;
        let length = u64::from_le_bytes(take(&mut rest)?);
        let mut parts = Vec::with_capacity(layout.parts());
        for _ in 0..layout.parts() {
            let node = NodeId::from_bytes(take(&mut rest)?);
            let checksum = u64::from_le_bytes(take(&mut rest)?);
            let state = match take(&mut rest)? {
                [0] => PartState::Ok,
                [1] => PartState::Missing,
                [2] => PartState::Damaged,
                _ => return Err(Error::Manifest("unknown state of a part")),
            };
            parts.push(PartPlace { node, checksum, state });
        }
        if !rest.is_empty() {
            return Err(Error::Manifest("bytes after its end"));
        }
        Self::new(layout, length, parts)
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Error> {
    let (taken, after) = rest.split_first_chunk().ok_or(Error::Manifest("too short"))?;
    *rest = after;
    Ok(*taken)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn manifest(parity: usize, length: u64) -> Manifest {
        let states = [PartState::Ok, PartState::Missing, PartState::Damaged];
        let parts = (0..6 + parity as u8).map(|i| PartPlace {
            node: NodeId::from_bytes([i + 1; 16]),
            checksum: 0x0102_0304_0506_0700 + u64::from(i),
            state: states[usize::from(i) % 3],
        });
        Manifest::new(Layout::new(parity).unwrap(), length, parts.collect()).unwrap()
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_binary_form_is_a_contract() {
        let part = |i: u8| format!("{}{i:02x}07060504030201{:02x}", hex(&[i + 1; 16]), i % 3);
        let check = |parity: usize, header: &str, check: &str| {
            let parts: String = (0..6 + parity as u8).map(part).collect();
            let bytes = manifest(parity, 10_000_000_000).encode();
            assert_eq!(hex(&bytes), format!("{header}{parts}{check}"));
            assert_eq!(Manifest::decode(&bytes), Ok(manifest(parity, 10_000_000_000)));
        };
        check(0, "010600010000100000e40b5402000000", "ec658595");
        check(2, "010602010000100000e40b5402000000", "82d98d1e");
    }

    #[test]
    fn refuses_anything_else() {
        let bytes = manifest(2, 12_345).encode();
        let refused = |bytes: &[u8]| matches!(Manifest::decode(bytes), Err(Error::Manifest(_)));
        for cut in 0..bytes.len() {
            assert!(refused(&bytes[..cut]), "{cut}");
        }
        assert!(refused(&[&bytes[..], &[0]].concat()));
        for bit in 0..8 * bytes.len() {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(refused(&flipped), "{bit}");
        }
        // The same with a check that matches, as a defect of a writer would give it.
        let body = unseal(&bytes).unwrap();
        let sealed = |body: &[u8]| seal(body.to_vec());
        assert!(!refused(&sealed(body)));
        for (index, value) in
            [(0, 0), (0, 2), (1, 5), (1, 7), (2, 1), (2, 3), (2, 4), (3, 0), (3, 2), (7, 2), (15, 1), (40, 3)]
        {
            let mut wrong = body.to_vec();
            wrong[index] = value;
            assert!(refused(&sealed(&wrong)), "byte {index}");
        }
        assert!(refused(&sealed(&body[..body.len() - 25])));
        assert!(refused(&sealed(&[body, &[0]].concat())));
        let mut no_unit = body.to_vec();
        no_unit[4..8].fill(0);
        assert!(refused(&sealed(&no_unit)));
    }

    #[test]
    fn refuses_wrong_numbers_of_parts() {
        let parts = manifest(2, 1).parts().to_vec();
        assert!(Manifest::new(Layout::new(3).unwrap(), 1, parts.clone()).is_err());
        assert!(Manifest::new(Layout::new(2).unwrap(), FILE_BYTES_MAX + 1, parts).is_err());
        assert_eq!(manifest(2, 13).part_length(0), 3);
        assert_eq!(manifest(2, 13).part_length(1), 2);
        assert_eq!(manifest(2, 13).part_length(7), 3);
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_mean_what_they_say(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..300),
            parity in 0u8..5,
        ) {
            for (byte, value) in bytes.iter_mut().zip([1, 6, parity, 1]) {
                *byte = value;
            }
            let bytes = seal(bytes);
            if let Ok(manifest) = Manifest::decode(&bytes) {
                prop_assert_eq!(manifest.encode(), bytes);
            }
        }

        #[test]
        fn any_manifest_reads_back(parity in 0usize..=3, length in 0..=FILE_BYTES_MAX) {
            let manifest = manifest(parity, length);
            prop_assert_eq!(Manifest::decode(&manifest.encode()), Ok(manifest));
        }
    }
}
