//! An identity provider in memory, which signs for real and says what a test wants it to.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use accounts::{Begun, Wire, WireAnswer, WireError};
use async_trait::async_trait;
use aws_lc_rs::{
    digest,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use base::{Clock, Secret};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Map, Value, json};

pub(super) const ISSUER: &str = "https://id.example.org";
pub(super) const CLIENT: &str = "holdfast";
const ACCESS_TOKEN: &str = "of the provider";

/// The hash by which an ID token knows the access token beside it.
pub(super) fn at_hash() -> String {
    URL_SAFE_NO_PAD.encode(&digest::digest(&digest::SHA256, ACCESS_TOKEN.as_bytes()).as_ref()[..16])
}

/// A key with a name.
struct Key {
    name: String,
    pkcs8: Vec<u8>,
    point: Vec<u8>,
}

impl Key {
    fn new(name: &str) -> Self {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new()).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref()).expect("a key");
        let point = pair.public_key().as_ref()[1..].to_vec();
        Self { name: name.to_owned(), pkcs8: pkcs8.as_ref().to_vec(), point }
    }

    fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(self.name.clone());
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_ec_der(&self.pkcs8)).expect("a token")
    }

    fn public(&self) -> Value {
        let [x, y] = [&self.point[..32], &self.point[32..]].map(|half| URL_SAFE_NO_PAD.encode(half));
        json!({ "kty": "EC", "crv": "P-256", "use": "sig", "kid": self.name, "x": x, "y": y })
    }
}

struct State {
    down: bool,
    key: Key,
    /// The nonces of those who come back, by the challenges of PKCE.
    nonces: BTreeMap<String, String>,
    claims: Map<String, Value>,
}

pub(super) struct Idp {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    asked: AtomicUsize,
    asked_of_token: AtomicUsize,
}

impl fmt::Debug for Idp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Idp")
    }
}

impl Idp {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        let (nonces, claims) = (BTreeMap::new(), Map::new());
        let state = Mutex::new(State { down: false, key: Key::new("first"), nonces, claims });
        Arc::new(Self { clock, state, asked: AtomicUsize::new(0), asked_of_token: AtomicUsize::new(0) })
    }

    pub(super) fn down(&self, is: bool) {
        self.state.lock().expect("no panic holds it").down = is;
    }

    pub(super) fn changes_key(&self, name: &str) {
        self.state.lock().expect("no panic holds it").key = Key::new(name);
    }

    /// How often it was asked, and how often for tokens.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    pub(super) fn asked_of_token(&self) -> usize {
        self.asked_of_token.load(Ordering::Relaxed)
    }

    /// What it says of whoever comes back from this sign-in. `null` leaves a claim out; `#` names a fault.
    pub(super) fn says(&self, begun: &Begun, claims: &Value) {
        let url = url::Url::parse(&begun.url).expect("an address");
        let of = |name: &str| url.query_pairs().find(|(key, _)| key == name).expect("a parameter").1.into_owned();
        let mut state = self.state.lock().expect("no panic holds it");
        state.nonces.insert(of("code_challenge"), of("nonce"));
        state.claims = claims.as_object().expect("an object").clone();
    }

    /// A logout token with these claims beside the usual ones.
    pub(super) fn logout_token(&self, claims: &Value) -> String {
        let now = self.clock.now().as_secs();
        let mut all = json!({ "iss": ISSUER, "aud": CLIENT, "iat": now, "exp": now + 120 });
        all.as_object_mut().expect("an object").extend(claims.as_object().expect("an object").clone());
        self.state.lock().expect("no panic holds it").key.sign(&all)
    }

    fn tokens(&self, state: &State, nonce: &str) -> Value {
        let now = self.clock.now().as_secs();
        let mut claims = json!({ "iss": ISSUER, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce });
        let all = claims.as_object_mut().expect("an object");
        all.extend(state.claims.clone());
        all.retain(|name, value| !value.is_null() && name != "#");
        let id_token = match state.claims.get("#").and_then(Value::as_str) {
            None | Some("two people") => state.key.sign(&claims),
            Some("signed by another") => Key { name: state.key.name.clone(), ..Key::new("") }.sign(&claims),
            Some("unknown key") => Key::new("unknown").sign(&claims),
            Some("HS256 with the public key") => {
                let mut header = Header::new(Algorithm::HS256);
                header.kid = Some(state.key.name.clone());
                let key = EncodingKey::from_secret(&state.key.point);
                jsonwebtoken::encode(&header, &claims, &key).expect("a token")
            }
            Some("no signature") => {
                let [head, body] = [json!({ "alg": "none" }), claims].map(|it| URL_SAFE_NO_PAD.encode(it.to_string()));
                format!("{head}.{body}.")
            }
            Some("no ID token") => return json!({ "access_token": ACCESS_TOKEN }),
            Some(other) => panic!("no such fault: {other}"),
        };
        json!({ "access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": id_token })
    }
}

fn answer(body: &Value) -> Result<WireAnswer, WireError> {
    Ok(WireAnswer { accepted: true, body: body.to_string().into_bytes() })
}

#[async_trait]
impl Wire for Idp {
    async fn get(&self, address: &str, bearer: Option<&Secret>) -> Result<WireAnswer, WireError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let state = self.state.lock().expect("no panic holds it");
        if state.down {
            return Err(WireError("down".to_owned()));
        }
        match address.strip_prefix(ISSUER).expect("one of its addresses") {
            "/.well-known/openid-configuration" => answer(&json!({
                "issuer": ISSUER,
                "authorization_endpoint": format!("{ISSUER}/auth"),
                "token_endpoint": format!("{ISSUER}/token"),
                "userinfo_endpoint": format!("{ISSUER}/me"),
                "end_session_endpoint": format!("{ISSUER}/out"),
                "jwks_uri": format!("{ISSUER}/keys"),
            })),
            "/keys" => {
                let strange = json!({ "kty": "new", "kid": "x", "alg": "none of ours", "use": "enc" });
                answer(&json!({ "keys": [strange, state.key.public()] }))
            }
            "/me" => {
                assert_eq!(bearer.map(Secret::expose), Some(ACCESS_TOKEN));
                let is_two = state.claims.get("#").is_some_and(|fault| fault == "two people");
                let who = if is_two { json!("somebody else") } else { state.claims["sub"].clone() };
                answer(&json!({ "sub": who }))
            }
            other => panic!("nobody asks for {other}"),
        }
    }

    async fn post(
        &self,
        address: &str,
        form: &[(&str, &str)],
        basic: Option<(&str, &Secret)>,
    ) -> Result<WireAnswer, WireError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.asked_of_token.fetch_add(1, Ordering::Relaxed);
        let state = self.state.lock().expect("no panic holds it");
        if state.down {
            return Err(WireError("down".to_owned()));
        }
        assert_eq!(address, "https://id.example.org/token");
        // A form's encoding within the password, as RFC 6749 has it.
        assert_eq!(basic.map(|(name, secret)| (name, secret.expose())), Some((CLIENT, "of+the+client")));
        let of = |name: &str| form.iter().find(|(key, _)| *key == name).expect("a field").1;
        assert_eq!(of("redirect_uri"), "https://files.example.org/sign-in/company");
        if of("code") != "good" {
            return Ok(WireAnswer { accepted: false, body: br#"{"error":"invalid_grant"}"#.to_vec() });
        }
        let verifier = digest::digest(&digest::SHA256, of("code_verifier").as_bytes());
        match state.nonces.get(&URL_SAFE_NO_PAD.encode(verifier)) {
            Some(nonce) => answer(&self.tokens(&state, nonce)),
            None => Ok(WireAnswer { accepted: false, body: br#"{"error":"invalid_grant"}"#.to_vec() }),
        }
    }
}
