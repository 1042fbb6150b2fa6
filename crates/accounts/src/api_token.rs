//! The texts of API tokens and S3 keys.

use base::Secret;

use crate::password::random;

/// What an API token begins with, so that people and scanners of leaked secrets know what it is.
const PREFIX: &str = "hf_";

/// Random characters of a token: 190 bits.
const RANDOM: usize = 32;

/// Characters of its checksum: a CRC-32 in base 62. It lets a scanner tell a token from something that looks like one
/// without asking us, and lets us refuse nonsense without asking the database.
const CHECKSUM: usize = 6;

/// Characters of a token that are shown in lists: 24 of its 190 random bits.
const SHOWN: usize = PREFIX.len() + 4;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// An API token: `hf_`, 32 random letters and digits, and their checksum; 41 characters.
pub(crate) struct ApiToken(Secret);

impl ApiToken {
    pub(crate) fn make() -> Self {
        let body = format!("{PREFIX}{}", random_text(BASE62, RANDOM));
        let checksum = checksum(&body);
        Self(Secret::new(body + &checksum))
    }

    /// What a client sent; `None` if it is not whole.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() != PREFIX.len() + RANDOM + CHECKSUM || !text.starts_with(PREFIX) || !text.is_ascii() {
            return None;
        }
        let (body, sum) = text.split_at(PREFIX.len() + RANDOM);
        (checksum(body) == sum).then(|| Self(Secret::new(text)))
    }

    /// What is stored of it. A plain hash is enough for something that has 190 bits nobody can guess.
    pub(crate) fn hash(&self) -> [u8; 32] {
        *blake3::hash(self.0.expose().as_bytes()).as_bytes()
    }

    /// The part by which its owner knows it again.
    pub(crate) fn shown(&self) -> String {
        self.0.expose()[..SHOWN].to_owned()
    }

    /// The token itself, for its owner, once.
    pub(crate) fn into_secret(self) -> Secret {
        self.0
    }
}

/// The public part of an S3 key: 20 capitals and digits, as long as those that clients are used to.
pub(crate) fn access_key_id() -> String {
    format!("HF{}", random_text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 18))
}

/// The secret part of an S3 key: 40 letters and digits.
pub(crate) fn secret_access_key() -> Secret {
    Secret::new(random_text(BASE62, 40))
}

/// By what an S3 key is found.
pub(crate) fn access_key_hash(id: &str) -> [u8; 32] {
    *blake3::hash(id.as_bytes()).as_bytes()
}

/// Equally likely characters of an alphabet of at most 64.
fn random_text(alphabet: &[u8], length: usize) -> String {
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let bytes = random::<64>();
        let characters = bytes.iter().filter_map(|byte| alphabet.get(usize::from(byte & 63)));
        text.extend(characters.take(length - text.len()).map(|&character| char::from(character)));
    }
    text
}

fn checksum(body: &str) -> String {
    let mut rest = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, body.as_bytes());
    let mut digits = [b'0'; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    digits.map(char::from).iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_short_and_checked() {
        let token = ApiToken::make();
        let text = token.0.expose().to_owned();
        assert!(text.len() <= 64 && text.starts_with("hf_"), "{text}");
        assert_eq!(ApiToken::parse(&text).expect("whole").hash(), token.hash());
        assert_ne!(ApiToken::make().hash(), token.hash());
        assert!(text.starts_with(&token.shown()) && token.shown().len() == 7);
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'x' { b'y' } else { b'x' };
            assert!(ApiToken::parse(&String::from_utf8(changed).expect("ASCII")).is_none(), "{at}");
            assert!(ApiToken::parse(&text[..at]).is_none(), "{at}");
        }
        assert!(ApiToken::parse(&format!("{text}0")).is_none());
        assert!(ApiToken::parse(&format!("hf_{}", "é".repeat(19))).is_none());
    }

    /// What scanners of leaked secrets compute: a contract.
    #[test]
    fn the_checksum_is_a_crc_32_in_base_62() {
        // The check value of the CRC catalogue.
        let mut number = 0xcbf4_3926_u64;
        let mut digits = Vec::new();
        for _ in 0..6 {
            digits.push(char::from(BASE62[(number % 62) as usize]));
            number /= 62;
        }
        assert_eq!(checksum("123456789"), digits.iter().rev().collect::<String>());
    }

    #[test]
    fn s3_keys_look_as_clients_expect() {
        let id = access_key_id();
        assert!(id.len() == 20 && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()), "{id}");
        assert_eq!(secret_access_key().expose().len(), 40);
        assert_ne!(secret_access_key(), secret_access_key());
    }
}
