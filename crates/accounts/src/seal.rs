//! Secrets that the server must know again: encrypted, so that whoever reads only their table has nothing.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};

use crate::Error;

/// Bytes of the nonce, which stands before what is encrypted.
const NONCE: usize = 12;

/// Encrypts and decrypts with a key that all gateways share (AES-256 in Galois/Counter Mode, random nonces).
pub(crate) struct Seal(RandomizedNonceKey);

impl Seal {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(RandomizedNonceKey::new(&AES_256_GCM, key).expect("the key has the length that AES-256 wants"))
    }

    /// Encrypts a secret for one place, which must be named again to open it: a row that is copied over another one is
    /// noticed.
    ///
    /// # Errors
    /// [`Error::Damaged`] if the system gives no random bytes.
    pub(crate) fn close(&self, place: &[u8], secret: &[u8]) -> Result<Vec<u8>, Error> {
        let mut body = secret.to_vec();
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(place), &mut body)
            .map_err(|_| Error::Damaged("a secret could not be encrypted"))?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// # Errors
    /// [`Error::Damaged`] if it was not sealed for this place, or with another key.
    pub(crate) fn open(&self, place: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let damaged = |_| Error::Damaged("a sealed secret");
        let (nonce, body) = sealed.split_at_checked(NONCE).ok_or(Error::Damaged("a sealed secret"))?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(damaged)?;
        let mut body = body.to_vec();
        let length = self.0.open_in_place(nonce, Aad::from(place), &mut body).map_err(damaged)?.len();
        body.truncate(length);
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_what_was_sealed_for_the_place() {
        let seal = Seal::new(&[7; 32]);
        let sealed = seal.close(b"here", b"secret").expect("sealed");
        assert_eq!(seal.open(b"here", &sealed).expect("opened"), b"secret");
        assert_ne!(sealed, seal.close(b"here", b"secret").expect("another nonce"));
        assert!(!sealed.windows(6).any(|bytes| bytes == b"secret"));
        assert!(seal.open(b"there", &sealed).is_err());
        assert!(Seal::new(&[8; 32]).open(b"here", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(seal.open(b"here", &changed).is_err(), "{at}");
            assert!(seal.open(b"here", &sealed[..at]).is_err(), "{at}");
        }
    }
}
