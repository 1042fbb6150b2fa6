//! The two kinds of tokens: signed access tokens, and refresh tokens that only their holder knows.

use std::time::Duration;

use base::{AccountId, EntryId, LinkId, Secret, SessionId, SpaceId, TicketId, Time};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Error, Permissions, Principal, password::random, seal::Seal};

/// How far the clocks of two gateways may be apart, and how far one may be set back unnoticed.
const LEEWAY: Duration = Duration::from_secs(60);

/// Bytes of an access token at most; ours have about 500.
const TOKEN_BYTES_MAX: usize = 2048;

/// Bytes of a pass: one may name a hundred entries.
const PASS_BYTES_MAX: usize = 12 << 10;

/// Bytes of the token of a link.
const LINK_TOKEN_BYTES: usize = 16;

/// Bytes of the token of a mailed link.
const TICKET_TOKEN_BYTES: usize = 24;

/// What a refresh token begins with, so that people and scanners of leaked secrets know what it is.
const REFRESH_PREFIX: &str = "hfr_";

/// The key that all gateways share, as it stands in the database.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredKey {
    /// Names the key in the head of a token. A second key will be told from the first by it.
    kid: String,
    /// 32 bytes in hexadecimal.
    secret: String,
}

impl StoredKey {
    /// A new key.
    pub(crate) fn make() -> Self {
        let [kid, secret] = [random::<32>(), random::<32>()].map(|bytes| blake3::Hash::from_bytes(bytes).to_hex());
        Self { kid: kid[..8].to_owned(), secret: secret.to_string() }
    }
}

/// What an access token says.
#[derive(Serialize, Deserialize)]
struct Claims {
    sub: AccountId,
    sid: SessionId,
    perms: Permissions,
    spc: SpaceId,
    root: EntryId,
    /// Seconds since 1970.
    iat: i64,
    exp: i64,
}

/// What a visitor is handed, with its times.
#[derive(Serialize, Deserialize)]
struct Passed<P> {
    /// What it is for: a pass of one kind is none of another.
    aim: String,
    pass: P,
    /// Seconds since 1970.
    iat: i64,
    exp: i64,
}

/// Makes and checks tokens.
pub(crate) struct Keys {
    header: Header,
    signing: EncodingKey,
    checking: DecodingKey,
    validation: Validation,
    successors: [u8; 32],
    links: [u8; 32],
    tickets: [u8; 32],
    signing_passes: EncodingKey,
    checking_passes: DecodingKey,
    sealing: [u8; 32],
    counting: [u8; 32],
}

impl Keys {
    /// # Errors
    /// [`Error::Damaged`] if the stored key is none.
    pub(crate) fn new(stored: &StoredKey) -> Result<Self, Error> {
        let damaged = |_| Error::Damaged("the token key");
        let secret = *blake3::Hash::from_hex(&stored.secret).map_err(damaged)?.as_bytes();
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(stored.kid.clone());
        // One algorithm is allowed, whatever a token's head says. Times are checked here with our own clock.
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        let passes = blake3::derive_key("holdfast 2026-11-21 passes of visitors", &secret);
        Ok(Self {
            header,
            signing: EncodingKey::from_secret(&secret),
            checking: DecodingKey::from_secret(&secret),
            validation,
            successors: blake3::derive_key("holdfast 2026-11-21 successors of refresh tokens", &secret),
            links: blake3::derive_key("holdfast 2026-11-21 tokens of links", &secret),
            tickets: blake3::derive_key("holdfast 2026-11-21 tokens of mailed links", &secret),
            signing_passes: EncodingKey::from_secret(&passes),
            checking_passes: DecodingKey::from_secret(&passes),
            sealing: blake3::derive_key("holdfast 2026-11-21 sealed secrets", &secret),
            counting: blake3::derive_key("holdfast 2026-11-21 counters of attempts", &secret),
        })
    }

    /// What encrypts secrets that must be known again.
    pub(crate) fn seal(&self) -> Seal {
        Seal::new(&self.sealing)
    }

    /// What hides whose attempts are counted.
    pub(crate) fn counting(&self) -> [u8; 32] {
        self.counting
    }

    /// An access token for a principal.
    pub(crate) fn access(&self, principal: &Principal, now: Time, lifetime: Duration) -> Result<Secret, Error> {
        let claims = Claims {
            sub: principal.account,
            sid: principal.session,
            perms: principal.permissions,
            spc: principal.space,
            root: principal.root,
            iat: now.as_secs(),
            exp: now.plus(lifetime).as_secs(),
        };
        let token = jsonwebtoken::encode(&self.header, &claims, &self.signing);
        token.map(Secret::new).map_err(|_| Error::Damaged("the token key"))
    }

    /// Whom an access token speaks for, if it is ours and `now` is between its times.
    ///
    /// A token from more than a minute in the future was made before the clock was set back. It counts as expired: it
    /// would be good for longer than it was meant to, and its client can get a new one.
    ///
    /// # Errors
    /// [`Error::TokenInvalid`], [`Error::TokenExpired`].
    pub(crate) fn check(&self, token: &str, now: Time) -> Result<Principal, Error> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Error::TokenInvalid);
        }
        let data =
            jsonwebtoken::decode::<Claims>(token, &self.checking, &self.validation).map_err(|_| Error::TokenInvalid)?;
        // An extension that a token marks as critical must be understood (RFC 7515, 4.1.11), and we understand none.
        if data.header.kid != self.header.kid || data.header.crit.is_some() {
            return Err(Error::TokenInvalid);
        }
        let claims = data.claims;
        if claims.exp <= now.minus(LEEWAY).as_secs() || claims.iat > now.plus(LEEWAY).as_secs() {
            return Err(Error::TokenExpired);
        }
        Ok(Principal {
            account: claims.sub,
            session: claims.sid,
            permissions: claims.perms,
            space: claims.spc,
            root: claims.root,
        })
    }

    /// The token of a link.
    pub(crate) fn link_token(&self, link: LinkId) -> Secret {
        let hash = blake3::keyed_hash(&self.links, &link.to_bytes());
        Secret::new(base64url(&hash.as_bytes()[..LINK_TOKEN_BYTES]))
    }

    /// The token of a mailed link or an invitation: 192 bits.
    pub(crate) fn ticket_token(&self, ticket: TicketId) -> Secret {
        let hash = blake3::keyed_hash(&self.tickets, &ticket.to_bytes());
        Secret::new(base64url(&hash.as_bytes()[..TICKET_TOKEN_BYTES]))
    }

    /// A visitor's pass.
    pub(crate) fn sign_pass<P: Serialize>(
        &self,
        aim: &str,
        pass: &P,
        now: Time,
        lifetime: Duration,
    ) -> Result<Secret, Error> {
        let passed = Passed { aim: aim.to_owned(), pass, iat: now.as_secs(), exp: now.plus(lifetime).as_secs() };
        let token = jsonwebtoken::encode(&self.header, &passed, &self.signing_passes);
        token.map(Secret::new).map_err(|_| Error::Damaged("the token key"))
    }

    /// What a pass says, if it is ours, for this aim, and `now` is between its times.
    pub(crate) fn read_pass<P: DeserializeOwned>(&self, aim: &str, token: &str, now: Time) -> Option<P> {
        if token.len() > PASS_BYTES_MAX {
            return None;
        }
        let data = jsonwebtoken::decode::<Passed<P>>(token, &self.checking_passes, &self.validation).ok()?;
        let ours = data.header.kid == self.header.kid && data.header.crit.is_none();
        let passed = data.claims;
        let current = passed.exp > now.as_secs() && passed.iat <= now.plus(LEEWAY).as_secs();
        (ours && current && passed.aim == aim).then_some(passed.pass)
    }

    /// The one token that follows a refresh token.
    ///
    /// It is a keyed hash of the one before, not a new random number, so a client that lost an answer can be given the same
    /// answer again although only hashes are stored. Without the key nobody can compute it, and without the token the key
    /// is of no use; the first token of a session is random.
    pub(crate) fn successor(&self, token: &RefreshToken) -> RefreshToken {
        RefreshToken::of(blake3::keyed_hash(&self.successors, token.0.expose().as_bytes()).as_bytes())
    }
}

/// A refresh token: `hfr_` and 32 bytes in base64url.
pub(crate) struct RefreshToken(Secret);

impl RefreshToken {
    /// The first one of a session.
    pub(crate) fn make() -> Self {
        Self::of(&random())
    }

    fn of(bytes: &[u8; 32]) -> Self {
        Self(Secret::new(format!("{REFRESH_PREFIX}{}", base64url(bytes))))
    }

    /// What a client sent; `None` if it has not the form of one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(REFRESH_PREFIX)?;
        let base64url = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        (digits.len() == 43 && digits.bytes().all(base64url)).then(|| Self(Secret::new(text)))
    }

    /// What is stored of it. A plain hash is enough for something that has 256 bits nobody can guess.
    pub(crate) fn hash(&self) -> [u8; 32] {
        *blake3::hash(self.0.expose().as_bytes()).as_bytes()
    }

    /// The token itself, for its client.
    pub(crate) fn into_secret(self) -> Secret {
        self.0
    }
}

/// Whether a text has the form of a link's token.
pub(crate) fn link_token_form(text: &str) -> bool {
    let base64url = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    text.len() == (LINK_TOKEN_BYTES * 8).div_ceil(6) && text.bytes().all(base64url)
}

/// Base64 with the alphabet for URLs and without padding (RFC 4648, section 5).
pub(crate) fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut group = [0; 4];
        group[1..=chunk.len()].copy_from_slice(chunk);
        let group = u32::from_be_bytes(group);
        for digit in 0..=chunk.len() {
            text.push(char::from(ALPHABET[(group >> (18 - 6 * digit)) as usize & 63]));
        }
    }
    text
}

#[cfg(test)]
mod tests;
