//! An authenticator for passkeys in memory: what a browser and a device do together, as the WebAuthn standard has it.
//!
//! It keeps P-256 keys, says who verified themselves, and counts. Tests change what it does to play a broken or copied one.

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// Bits of what an authenticator says of its user and of what follows.
const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const HAS_KEY: u8 = 0x40;

/// A key that the authenticator keeps.
#[derive(Clone)]
struct Key {
    pkcs8: Vec<u8>,
    id: Vec<u8>,
    host: String,
    user: String,
    counter: u32,
}

/// A device with passkeys. A clone is a copy of the device, with its counters as they are.
#[derive(Clone)]
pub struct Authenticator {
    keys: Vec<Key>,
    /// What the browser says of where it is: scheme, host and port.
    pub origin: String,
    /// Whether the device verifies its user by a finger or a PIN.
    pub verifies: bool,
}

impl Authenticator {
    /// A new device in a browser that is at an origin.
    pub fn new(origin: &str) -> Self {
        Self { keys: Vec::new(), origin: origin.to_owned(), verifies: true }
    }

    /// What `navigator.credentials.create` gives for these options, as JSON.
    ///
    /// # Panics
    /// If the options lack what the standard wants of them.
    pub fn create(&mut self, options: &Value) -> Value {
        let wanted = &options["publicKey"];
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).expect("a key");
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref()).expect("a key that was made");
        let mut id = vec![0; 32];
        aws_lc_rs::rand::fill(&mut id).expect("random bytes");
        let key = Key {
            pkcs8: pkcs8.as_ref().to_vec(),
            id: id.clone(),
            host: text(&wanted["rp"]["id"]),
            user: text(&wanted["user"]["id"]),
            counter: 1,
        };
        // 0x04, then x and y.
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        // COSE, RFC 9053: {1: 2, 3: -7, -1: 1, -2: x, -3: y}
        let cose = [&[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32], x, &[0x22, 0x58, 32], y].concat();
        let length = u16::try_from(id.len()).expect("a short id").to_be_bytes();
        let said = [self.said(&key, HAS_KEY), vec![0; 16], length.to_vec(), id.clone(), cose].concat();
        let size = u16::try_from(said.len()).expect("a short text").to_be_bytes();
        // CBOR: {"fmt": "none", "attStmt": {}, "authData": said}
        let attestation =
            [b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59".as_slice(), &size, said.as_slice()].concat();
        let client = self.client("webauthn.create", wanted);
        self.keys.push(key);
        json!({
            "id": encode(&id), "rawId": encode(&id), "type": "public-key", "clientExtensionResults": {},
            "response": { "attestationObject": encode(&attestation), "clientDataJSON": encode(client.as_bytes()) },
        })
    }

    /// What `navigator.credentials.get` gives for these options, as JSON: the newest key for the host.
    ///
    /// # Panics
    /// If there is none, or the options lack what the standard wants of them.
    pub fn get(&mut self, options: &Value) -> Value {
        let wanted = &options["publicKey"];
        let host = text(&wanted["rpId"]);
        let at = self.keys.iter().rposition(|key| key.host == host).expect("a key for the host");
        self.keys[at].counter += 1;
        let key = &self.keys[at];
        let (said, client) = (self.said(key, 0), self.client("webauthn.get", wanted));
        let signed = [said.as_slice(), digest(&SHA256, client.as_bytes()).as_ref()].concat();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &key.pkcs8).expect("a key that was made");
        let signature = pair.sign(&SystemRandom::new(), &signed).expect("a signature");
        json!({
            "id": encode(&key.id), "rawId": encode(&key.id), "type": "public-key", "clientExtensionResults": {},
            "response": {
                "authenticatorData": encode(&said), "clientDataJSON": encode(client.as_bytes()),
                "signature": encode(signature.as_ref()), "userHandle": key.user,
            },
        })
    }

    /// What the device says: for which host, what of its user, and how often the key was used.
    fn said(&self, key: &Key, more: u8) -> Vec<u8> {
        let flags = PRESENT | more | if self.verifies { VERIFIED } else { 0 };
        [digest(&SHA256, key.host.as_bytes()).as_ref(), &[flags], &key.counter.to_be_bytes()].concat()
    }

    /// What the browser says: what it was asked, and where it is.
    fn client(&self, kind: &str, wanted: &Value) -> String {
        json!({ "type": kind, "challenge": wanted["challenge"], "origin": self.origin, "crossOrigin": false })
            .to_string()
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}
