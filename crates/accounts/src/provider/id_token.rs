//! Checks of ID tokens and logout tokens (OpenID Connect Core 1.0, section 3.1.3.7; Back-Channel Logout 1.0, section 2.6).

use std::time::Duration;

use aws_lc_rs::digest;
use base::{Secret, Time};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    jwk::{Jwk, JwkSet, PublicKeyUse},
};
use serde_json::{Map, Value};

use crate::token::base64url;

/// How far the provider's clock may be from ours.
const LEEWAY: Duration = Duration::from_secs(60);

/// How old a logout token may be. What is older is refused, so that what was used need not be remembered for longer.
const SIGN_OUT: Duration = Duration::from_secs(5 * 60);

/// Bytes of a token at most: some providers list hundreds of groups.
const BYTES_MAX: usize = 64 * 1024;

/// Keys that are tried for a token that does not say which one signed it.
const KEYS_MAX: usize = 20;

/// What signs with a private key. A secret that both sides have (`HS256`) is never taken, and neither is `none`.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// What the claim `events` of a logout token has in it.
const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// What a token must say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) now: Time,
}

/// Why a token is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It is signed with a key that is not known: there may be new ones.
    UnknownKey,
    /// Another reason.
    Bad(&'static str),
}

impl Flaw {
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::UnknownKey => "its token is signed with a key that it does not have",
            Self::Bad(reason) => reason,
        }
    }
}

/// The claims of a token that the issuer signed for us and that is good now.
///
/// # Errors
/// [`Flaw`].
pub(super) fn verify(token: &str, keys: &JwkSet, expected: &Expected<'_>) -> Result<Map<String, Value>, Flaw> {
    let claims = signed(token, keys)?;
    let is = |name: &str, value: &str| claims.get(name).and_then(Value::as_str) == Some(value);
    if !is("iss", expected.issuer) {
        return Err(Flaw::Bad("its token is of another issuer"));
    }
    let (is_for_us, is_for_others) = match claims.get("aud") {
        Some(Value::String(one)) => (one == expected.client_id, false),
        Some(Value::Array(all)) => {
            (all.iter().any(|one| one == expected.client_id), all.iter().any(|one| one != expected.client_id))
        }
        _ => (false, false),
    };
    if !is_for_us {
        return Err(Flaw::Bad("its token is for another client"));
    }
    if (is_for_others || claims.contains_key("azp")) && !is("azp", expected.client_id) {
        return Err(Flaw::Bad("its token was given to another client"));
    }
    let seconds = |name: &str| claims.get(name).map(|value| value.as_f64().map(|value| value as i64));
    let latest = expected.now.plus(LEEWAY).as_secs();
    match seconds("exp") {
        Some(Some(end)) if end > expected.now.minus(LEEWAY).as_secs() => {}
        Some(Some(_)) => return Err(Flaw::Bad("its token has expired")),
        // Only old logout tokens have none; those are bounded by when they were made.
        None if claims.contains_key("events") => {}
        _ => return Err(Flaw::Bad("its token never ends")),
    }
    if seconds("iat").flatten().is_none_or(|made| made > latest) {
        return Err(Flaw::Bad("its token is from the future"));
    }
    if seconds("nbf").is_some_and(|begin| begin.is_none_or(|begin| begin > latest)) {
        return Err(Flaw::Bad("its token is not good yet"));
    }
    Ok(claims)
}

/// Checks what only an ID token has: that it is the answer to our question, and belongs to the access token beside it.
///
/// # Errors
/// Why not.
pub(super) fn check_sign_in(
    claims: &Map<String, Value>,
    token: &str,
    nonce: &str,
    access_token: Option<&Secret>,
) -> Result<(), &'static str> {
    if claims.get("nonce").and_then(Value::as_str) != Some(nonce) {
        return Err("its token is the answer to another sign-in");
    }
    let Some(hash) = claims.get("at_hash") else { return Ok(()) };
    let access_token = access_token.ok_or("its tokens do not belong together")?;
    let algorithm = jsonwebtoken::decode_header(token).map_err(|_| "its token cannot be read")?.alg;
    let digest = digest::digest(hash_of(algorithm), access_token.expose().as_bytes());
    let half = &digest.as_ref()[..digest.as_ref().len() / 2];
    match hash.as_str() == Some(base64url(half).as_str()) {
        true => Ok(()),
        false => Err("its tokens do not belong together"),
    }
}

/// Checks what only a logout token has; gives until when it must not be taken again.
///
/// # Errors
/// Why not.
pub(super) fn check_sign_out(claims: &Map<String, Value>, now: Time) -> Result<Time, &'static str> {
    let is_event =
        claims.get("events").and_then(Value::as_object).is_some_and(|events| events.contains_key(LOGOUT_EVENT));
    // An ID token has a nonce, so that none is taken for this.
    if !is_event || claims.contains_key("nonce") {
        return Err("its token is none for signing out");
    }
    let made = claims.get("iat").and_then(Value::as_i64).unwrap_or_default();
    if made < now.minus(SIGN_OUT).minus(LEEWAY).as_secs() {
        return Err("its token has expired");
    }
    Ok(now.plus(SIGN_OUT).plus(LEEWAY).plus(LEEWAY))
}

/// The claims of a token whose signature is right.
fn signed(token: &str, keys: &JwkSet) -> Result<Map<String, Value>, Flaw> {
    if token.len() > BYTES_MAX {
        return Err(Flaw::Bad("its token is too long"));
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| Flaw::Bad("its token cannot be read"))?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(Flaw::Bad("its token is signed in a way that is not taken"));
    }
    // An extension that a token marks as critical must be understood (RFC 7515, 4.1.11), and we understand none.
    if header.crit.is_some() {
        return Err(Flaw::Bad("its token has an extension that is not known"));
    }
    // Times are checked with our own clock, and all else where it is needed.
    let mut validation = Validation::new(header.alg);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let fits = |key: &&Jwk| {
        let named = header.kid.is_none() || key.common.key_id == header.kid;
        named && key.common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature)
    };
    let mut found = false;
    for key in keys.keys.iter().filter(fits).take(KEYS_MAX) {
        let Ok(key) = DecodingKey::from_jwk(key) else { continue };
        if key.family() != header.alg.family() {
            continue;
        }
        found = true;
        if let Ok(data) = jsonwebtoken::decode(token, &key, &validation) {
            return Ok(data.claims);
        }
    }
    // Without a name in its head it may be a new key that is missing as well.
    Err(if found && header.kid.is_some() { Flaw::Bad("its token has a wrong signature") } else { Flaw::UnknownKey })
}

/// The hash that goes with an algorithm, for `at_hash`.
fn hash_of(algorithm: Algorithm) -> &'static digest::Algorithm {
    match algorithm {
        Algorithm::RS384 | Algorithm::PS384 | Algorithm::ES384 => &digest::SHA384,
        // Ed25519 has SHA-512 within.
        Algorithm::RS512 | Algorithm::PS512 | Algorithm::EdDSA => &digest::SHA512,
        _ => &digest::SHA256,
    }
}
