//! Checksums that a client may give with the bytes of one append.

use sha1::{Digest, Sha1};

use crate::Error;

/// How a checksum is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// BLAKE3, 32 bytes.
    Blake3,
    /// CRC-32C (Castagnoli), 4 bytes, the most significant one first.
    Crc32c,
    /// SHA-1, 20 bytes: the one that every tus server knows. It finds accidents, not attackers.
    Sha1,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Blake3, Self::Crc32c, Self::Sha1];

    /// What it is called in requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blake3 => "blake3",
            Self::Crc32c => "crc32c",
            Self::Sha1 => "sha1",
        }
    }

    /// Reads the form of [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text)
    }
}

/// What a client says the checksum of an append's bytes is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksum {
    /// How it was computed.
    pub algorithm: Algorithm,
    /// Its bytes.
    pub value: Vec<u8>,
}

/// A checksum that is being computed.
pub(super) struct Checking {
    expected: Vec<u8>,
    digest: Running,
}

/// The digests in progress. BLAKE3's state is large, and most appends have no checksum at all.
enum Running {
    Blake3(Box<blake3::Hasher>),
    Crc32c(crc_fast::Digest),
    Sha1(Sha1),
}

impl Checking {
    pub(super) fn new(checksum: Checksum) -> Self {
        let digest = match checksum.algorithm {
            Algorithm::Blake3 => Running::Blake3(Box::default()),
            // CRC-32/ISCSI is the catalogue's name for CRC-32C.
            Algorithm::Crc32c => Running::Crc32c(crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi)),
            Algorithm::Sha1 => Running::Sha1(Sha1::new()),
        };
        Self { expected: checksum.value, digest }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        match &mut self.digest {
            Running::Blake3(digest) => {
                digest.update(bytes);
            }
            Running::Crc32c(digest) => digest.update(bytes),
            Running::Sha1(digest) => digest.update(bytes),
        }
    }

    /// # Errors
    /// [`Error::Checksum`] if the bytes are others than the client meant.
    pub(super) fn finish(self) -> Result<(), Error> {
        let same = match self.digest {
            Running::Blake3(digest) => self.expected == digest.finalize().as_bytes(),
            Running::Crc32c(digest) => self.expected == (digest.finalize() as u32).to_be_bytes(),
            Running::Sha1(digest) => self.expected == digest.finalize()[..],
        };
        if same { Ok(()) } else { Err(Error::Checksum) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        let check = |algorithm, hex: &str| {
            let value: Vec<u8> = (0..hex.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal digits"))
                .collect();
            for (value, good) in [(value.clone(), true), (value[1..].to_vec(), false), (vec![0; value.len()], false)] {
                let mut checking = Checking::new(Checksum { algorithm, value });
                checking.push(b"1234");
                checking.push(b"56789");
                assert_eq!(checking.finish().is_ok(), good, "{algorithm:?}");
            }
        };
        // The check value of CRC-32C is that of RFC 3720 and of the catalogue of CRC algorithms.
        check(Algorithm::Crc32c, "e3069283");
        check(Algorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441");
        check(Algorithm::Blake3, blake3::hash(b"123456789").to_hex().as_str());
    }
}
