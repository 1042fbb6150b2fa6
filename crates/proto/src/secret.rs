//! The cluster secret, and the proofs that someone knows it.

use std::fmt;

use base::Secret;

use crate::Error;

/// What every process of a cluster knows and nobody else does. `Debug` hides it.
///
/// It is kept as a key derived from the text, so that the text itself is not in memory for longer than needed.
#[derive(Clone)]
pub struct ClusterSecret {
    key: [u8; 32],
}

impl ClusterSecret {
    /// Bytes of text below which a secret is refused. Whoever can reach a node learns one proof per try and could search
    /// for a short secret offline.
    pub const TEXT_BYTES_MIN: usize = 16;

    /// Takes the secret as the configuration has it.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is shorter than [`Self::TEXT_BYTES_MIN`].
    pub fn new(secret: &Secret) -> Result<Self, Error> {
        let text = secret.expose().as_bytes();
        if text.len() < Self::TEXT_BYTES_MIN {
            return Err(Error::Invalid(format!("a cluster secret has {} bytes or more", Self::TEXT_BYTES_MIN)));
        }
        Ok(Self { key: blake3::derive_key("holdfast 2026-11-21 cluster secret v1", text) })
    }

    /// Keyed BLAKE3 over a purpose and some pieces. Lengths go in too, so that no two lists of pieces collide; comparing
    /// two of these hashes takes constant time.
    pub(crate) fn proof(&self, purpose: &str, pieces: &[&[u8]]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        for piece in std::iter::once(&purpose.as_bytes()).chain(pieces) {
            hasher.update(&(piece.len() as u64).to_le_bytes());
            hasher.update(piece);
        }
        hasher.finalize()
    }
}

impl fmt::Debug for ClusterSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[cluster secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_not_short_and_does_not_print_itself() {
        assert!(ClusterSecret::new(&Secret::new("fifteen letters")).is_err());
        let secret = ClusterSecret::new(&Secret::new("sixteen letters!")).unwrap();
        assert_eq!(format!("{secret:?}"), "[cluster secret]");
    }

    #[test]
    fn proofs_differ_by_purpose_pieces_and_their_borders() {
        let secret = ClusterSecret::new(&Secret::new("sixteen letters!")).unwrap();
        let proof = secret.proof("a", &[b"bc", b"d"]);
        assert_eq!(proof, secret.proof("a", &[b"bc", b"d"]));
        assert_ne!(proof, secret.proof("a", &[b"b", b"cd"]));
        assert_ne!(proof, secret.proof("ab", &[b"c", b"d"]));
        assert_ne!(proof, ClusterSecret::new(&Secret::new("sixteen letters?")).unwrap().proof("a", &[b"bc", b"d"]));
    }
}
