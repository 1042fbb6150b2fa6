//! Identity providers (OpenID Connect): what is configured of each, and the conversation with it.
//!
//! Only the code flow is spoken, with PKCE, and only what a relying party needs: discovery, the authorisation address, the
//! exchange of a code, the ID token, and the two ways of signing out. Tokens are checked with the library that signs our own,
//! so that one library has the say over keys. How bytes reach a provider is [`Wire`], which the binary has.

pub(crate) mod id_token;
mod metadata;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use aws_lc_rs::digest;
use base::{Clock, Secret, Time};
use jsonwebtoken::jwk::JwkSet;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use url::Url;

use self::{
    id_token::{Expected, Flaw},
    metadata::Metadata,
};
use crate::{Error, Permissions, password::random, token::base64url};

/// How long what a provider says of itself is taken for true.
const KNOWN_FOR: Duration = Duration::from_secs(3600);

/// How long after that it still serves, while the provider cannot be asked.
const KNOWN_AT_MOST: Duration = Duration::from_secs(24 * 3600);

/// How long a provider is left alone after it did not answer. Everybody who waited behind the one that asked is told at
/// once.
const ALONE_FOR: Duration = Duration::from_secs(3);

/// How often keys are fetched anew for a token with an unknown one, at most: anybody can make such a token.
const KEYS_EVERY: Duration = Duration::from_secs(30);

/// Bytes of who somebody is at a provider, and of what it calls a session (OpenID Connect Core 1.0, section 2: 255).
const NAME_BYTES_MAX: usize = 255;

/// Keys of a provider that are looked at.
const KEYS_MAX: usize = 100;

/// Groups of a person that are looked at.
const GROUPS_MAX: usize = 1000;

/// What is configured of a provider.
#[derive(Debug, Clone)]
pub struct Provider {
    /// What it is called in addresses and in the database: letters, digits, `-`. Never another one's.
    pub id: String,
    /// What people read on the button.
    pub name: String,
    /// Its issuer identifier: where its description is found.
    pub issuer: String,
    /// What it calls us.
    pub client_id: String,
    /// What we prove it with; a public client has none.
    pub client_secret: Option<Secret>,
    /// What is asked for, besides `openid`.
    pub scopes: Vec<String>,
    /// Where a person's groups are found in the claims: a name, or names with dots between for what lies within.
    pub group_claim: String,
    /// Groups there, and the groups here that they stand for. The provider alone decides who is in these.
    pub groups: BTreeMap<String, String>,
    /// Groups there, and the permissions that they stand for. The provider alone decides who has these.
    pub permissions: BTreeMap<String, Permissions>,
    /// Whether somebody unknown gets an account.
    pub create_accounts: bool,
    /// The domains of which somebody must have a confirmed address; anybody may come where it is empty.
    pub mail_domains: Vec<String>,
    /// Whether somebody with the confirmed address of an account is taken for its owner.
    pub link_by_mail: bool,
    /// Whether signing in there counts as two factors, so that no code is asked for here.
    pub second_factor: bool,
}

/// The providers, and how they are reached.
#[derive(Debug, Clone)]
pub struct Providers {
    /// In the order in which they are shown.
    pub list: Vec<Provider>,
    /// How they are reached.
    pub wire: Arc<dyn Wire>,
}

/// That a provider was not reached, or did not behave.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WireError(pub String);

/// What a provider answered.
#[derive(Debug, Clone)]
pub struct WireAnswer {
    /// Whether it did what was asked.
    pub accepted: bool,
    /// What it said.
    pub body: Vec<u8>,
}

/// How bytes reach providers. An implementation bounds time and size, and follows no redirection.
#[async_trait]
pub trait Wire: fmt::Debug + Send + Sync + 'static {
    /// Reads an address.
    ///
    /// # Errors
    /// [`WireError`] if there is no answer, or one that says that the server itself is at fault.
    async fn get(&self, address: &str, bearer: Option<&Secret>) -> Result<WireAnswer, WireError>;

    /// Sends a form, with name and password of HTTP Basic authentication if they are given.
    ///
    /// # Errors
    /// As [`Wire::get`].
    async fn post(
        &self,
        address: &str,
        form: &[(&str, &str)],
        basic: Option<(&str, &Secret)>,
    ) -> Result<WireAnswer, WireError>;
}

/// Whether an address may be trusted with secrets: TLS, or this machine.
#[must_use]
pub fn is_safe_address(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    url.scheme() == "https" || (url.scheme() == "http" && local)
}

/// What a person's sign-in at a provider begins with, and what it ends with must fit to.
#[derive(Debug, Clone)]
pub(crate) struct Beginning {
    pub(crate) url: String,
    pub(crate) state: String,
    pub(crate) nonce: String,
    pub(crate) verifier: String,
}

/// What a provider says of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claims {
    pub(crate) subject: String,
    /// What it calls the session there.
    pub(crate) session: Option<String>,
    /// What they sign in with there.
    pub(crate) user_name: Option<String>,
    /// What they are called.
    pub(crate) display_name: Option<String>,
    /// Their address, if the provider has confirmed it.
    pub(crate) email: Option<String>,
    pub(crate) groups: BTreeSet<String>,
    /// A language tag.
    pub(crate) locale: Option<String>,
}

/// Whose sessions a provider wants ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignedOut {
    pub(crate) subject: Option<String>,
    pub(crate) session: Option<String>,
    /// What names this message.
    pub(crate) id: String,
}

/// Its keys as they come.
#[derive(Deserialize)]
struct Keys {
    keys: Vec<Value>,
}

/// What is known of a provider by now.
#[derive(Clone)]
struct Known {
    metadata: Arc<Metadata>,
    keys: Arc<JwkSet>,
    /// Both by the monotonic clock.
    at: Duration,
    keys_at: Duration,
}

#[derive(Default)]
struct Memory {
    known: Option<Known>,
    failed: Option<Duration>,
}

/// A provider, and what is remembered of it.
pub(crate) struct Remote {
    pub(crate) rules: Provider,
    wire: Arc<dyn Wire>,
    clock: Arc<dyn Clock>,
    /// Where it sends people back to.
    redirect: String,
    /// Where it sends them who have signed out.
    home: String,
    /// Held while the provider is asked, so that of many who need it one asks.
    memory: Mutex<Memory>,
}

impl Remote {
    pub(crate) fn new(rules: Provider, wire: Arc<dyn Wire>, clock: Arc<dyn Clock>, public_url: &str) -> Self {
        let base = public_url.trim_end_matches('/');
        let redirect = format!("{base}/sign-in/{}", rules.id);
        let home = format!("{base}/");
        Self { rules, wire, clock, redirect, home, memory: Mutex::default() }
    }

    /// A sign-in to begin.
    ///
    /// # Errors
    /// [`Error::ProviderDown`].
    pub(crate) async fn begin(&self) -> Result<Beginning, Error> {
        let known = self.known().await?;
        let [state, nonce, verifier] = [random::<32>(), random(), random()].map(|bytes| base64url(&bytes));
        let challenge = base64url(digest::digest(&digest::SHA256, verifier.as_bytes()).as_ref());
        let mut scopes = vec!["openid"];
        scopes.extend(self.rules.scopes.iter().map(String::as_str).filter(|scope| *scope != "openid"));
        let mut url = self.address(&known.metadata.authorization_endpoint)?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.rules.client_id)
            .append_pair("redirect_uri", &self.redirect)
            .append_pair("scope", &scopes.join(" "))
            .append_pair("state", &state)
            .append_pair("nonce", &nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(Beginning { url: url.into(), state, nonce, verifier })
    }

    /// Whom a code is of. `issuer` is what came back beside it (RFC 9207), if anything did.
    ///
    /// # Errors
    /// [`Error::ProviderRefused`] if the code or what it gave is not good, [`Error::ProviderDown`].
    pub(crate) async fn finish(
        &self,
        code: &str,
        issuer: Option<&str>,
        nonce: &str,
        verifier: &str,
    ) -> Result<Claims, Error> {
        let known = self.known().await?;
        let is_ours = issuer.map_or(!known.metadata.says_issuer, |issuer| issuer == self.rules.issuer);
        if !is_ours {
            return Err(Error::ProviderRefused("the answer is of another provider"));
        }
        let (id_token, access_token) = self.exchange(&known.metadata, code, verifier).await?;
        let mut claims = self.checked(known.clone(), &id_token).await?;
        id_token::check_sign_in(&claims, &id_token, nonce, access_token.as_ref()).map_err(Error::ProviderRefused)?;
        if let (Some(address), Some(access_token)) = (&known.metadata.userinfo_endpoint, &access_token)
            && self.lacks(&claims)
        {
            let more = self.user_info(address, access_token).await?;
            // It is not signed, and could be somebody else's (OpenID Connect Core 1.0, section 5.3.2).
            if more.get("sub") != claims.get("sub") {
                return Err(Error::ProviderRefused("it says two different things of who this is"));
            }
            for (name, value) in more {
                claims.entry(name).or_insert(value);
            }
        }
        self.read(&claims).ok_or(Error::ProviderRefused("it does not say who this is"))
    }

    /// Whose sessions a logout token wants ended (OpenID Connect Back-Channel Logout 1.0).
    ///
    /// # Errors
    /// [`Error::ProviderRefused`], [`Error::ProviderDown`].
    pub(crate) async fn signed_out(&self, token: &str) -> Result<(SignedOut, Time), Error> {
        let known = self.known().await?;
        let claims = self.checked(known, token).await?;
        let until = id_token::check_sign_out(&claims, self.clock.now()).map_err(Error::ProviderRefused)?;
        let [subject, session, id] =
            ["sub", "sid", "jti"].map(|name| text(&claims, name).filter(|text| text.len() <= NAME_BYTES_MAX));
        let id = id.ok_or(Error::ProviderRefused("the message has no name"))?;
        if subject.is_none() && session.is_none() {
            return Err(Error::ProviderRefused("the message is about nobody"));
        }
        Ok((SignedOut { subject, session, id }, until))
    }

    /// Where somebody signs out at the provider, if it has such a place.
    ///
    /// # Errors
    /// [`Error::ProviderDown`].
    pub(crate) async fn sign_out_url(&self) -> Result<Option<String>, Error> {
        let known = self.known().await?;
        let Some(address) = &known.metadata.end_session_endpoint else { return Ok(None) };
        let mut url = self.address(address)?;
        url.query_pairs_mut()
            .append_pair("client_id", &self.rules.client_id)
            .append_pair("post_logout_redirect_uri", &self.home);
        Ok(Some(url.into()))
    }

    /// The claims of a token that is signed by the provider, for us, and of about now. Keys are fetched once more for a key
    /// that is not known: providers change them.
    async fn checked(&self, known: Known, token: &str) -> Result<Map<String, Value>, Error> {
        let now = self.clock.now();
        let expected = Expected { issuer: &self.rules.issuer, client_id: &self.rules.client_id, now };
        match id_token::verify(token, &known.keys, &expected) {
            Err(Flaw::UnknownKey) => {
                let keys = self.newer_keys(known.keys_at).await?;
                id_token::verify(token, &keys, &expected).map_err(|flaw| Error::ProviderRefused(flaw.reason()))
            }
            other => other.map_err(|flaw| Error::ProviderRefused(flaw.reason())),
        }
    }

    /// Exchanges a code for an ID token and an access token.
    async fn exchange(
        &self,
        metadata: &Metadata,
        code: &str,
        verifier: &str,
    ) -> Result<(String, Option<Secret>), Error> {
        let Provider { client_id, client_secret, .. } = &self.rules;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect),
            ("code_verifier", verifier),
        ];
        // Both are encoded as in a form before they become a name and a password (RFC 6749, 2.3.1).
        let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let name = encoded(client_id);
        let mut basic = None;
        match client_secret {
            Some(secret) if metadata.takes_basic => basic = Some(Secret::new(encoded(secret.expose()))),
            Some(secret) => form.extend([("client_id", client_id.as_str()), ("client_secret", secret.expose())]),
            None => form.push(("client_id", client_id)),
        }
        let basic = basic.as_ref().map(|secret| (name.as_str(), secret));
        let answer = self.wire.post(&metadata.token_endpoint, &form, basic).await.map_err(|error| self.down(&error))?;
        let body: Map<String, Value> = serde_json::from_slice(&answer.body).unwrap_or_default();
        if !answer.accepted {
            tracing::warn!(provider = %self.rules.id, error = ?text(&body, "error"), "a provider did not take a code");
            return Err(Error::ProviderRefused("it did not take the code"));
        }
        let id_token = text(&body, "id_token").ok_or(Error::ProviderRefused("it gave no ID token"))?;
        Ok((id_token, text(&body, "access_token").map(Secret::new)))
    }

    /// What the provider says beside the ID token.
    async fn user_info(&self, address: &str, access_token: &Secret) -> Result<Map<String, Value>, Error> {
        let answer = self.wire.get(address, Some(access_token)).await.map_err(|error| self.down(&error))?;
        match serde_json::from_slice(&answer.body) {
            Ok(claims) if answer.accepted => Ok(claims),
            _ => Err(Error::ProviderRefused("it does not say who this is")),
        }
    }

    /// Whether there is more to know than an ID token says.
    fn lacks(&self, claims: &Map<String, Value>) -> bool {
        let rules = &self.rules;
        let groups = !(rules.groups.is_empty() && rules.permissions.is_empty());
        (groups && within(claims, &rules.group_claim).is_none())
            || ["email", "preferred_username"].into_iter().any(|name| !claims.contains_key(name))
    }

    fn read(&self, claims: &Map<String, Value>) -> Option<Claims> {
        let subject = text(claims, "sub").filter(|sub| !sub.is_empty() && sub.len() <= NAME_BYTES_MAX)?;
        let confirmed = match claims.get("email_verified") {
            Some(Value::Bool(confirmed)) => *confirmed,
            // Some providers write it so.
            Some(Value::String(confirmed)) => confirmed == "true",
            _ => false,
        };
        let groups = match within(claims, &self.rules.group_claim) {
            Some(Value::Array(groups)) => {
                groups.iter().filter_map(Value::as_str).take(GROUPS_MAX).map(str::to_owned).collect()
            }
            Some(Value::String(group)) => BTreeSet::from([group.clone()]),
            _ => BTreeSet::new(),
        };
        Some(Claims {
            subject,
            session: text(claims, "sid").filter(|sid| sid.len() <= NAME_BYTES_MAX),
            user_name: text(claims, "preferred_username"),
            display_name: text(claims, "name"),
            email: text(claims, "email").filter(|_| confirmed),
            groups,
            locale: text(claims, "locale"),
        })
    }

    /// What is known of the provider; it is asked where that is too old.
    async fn known(&self) -> Result<Known, Error> {
        let mut memory = self.memory.lock().await;
        let now = self.clock.elapsed();
        if let Some(known) = &memory.known
            && now.saturating_sub(known.at) < KNOWN_FOR
        {
            return Ok(known.clone());
        }
        let tried = memory.failed.is_some_and(|failed| now.saturating_sub(failed) < ALONE_FOR);
        let fetched = match tried {
            true => Err(Error::ProviderDown),
            false => self.fetch(now).await,
        };
        match (fetched, &memory.known) {
            (Ok(known), _) => {
                *memory = Memory { known: Some(known.clone()), failed: None };
                Ok(known)
            }
            (Err(error), old) => {
                let old = old.as_ref().filter(|old| now.saturating_sub(old.at) < KNOWN_AT_MOST).cloned();
                if !tried {
                    memory.failed = Some(self.clock.elapsed());
                }
                old.ok_or(error)
            }
        }
    }

    async fn fetch(&self, at: Duration) -> Result<Known, Error> {
        let body = self.document(&metadata::address(&self.rules.issuer)).await?;
        let metadata = Metadata::read(&body, &self.rules.issuer).map_err(|error| self.down(&WireError(error)))?;
        let keys = self.keys(&metadata.jwks_uri).await?;
        Ok(Known { metadata: Arc::new(metadata), keys, at, keys_at: at })
    }

    /// Keys that are newer than those of `than`, if it is time to fetch some.
    async fn newer_keys(&self, than: Duration) -> Result<Arc<JwkSet>, Error> {
        let mut memory = self.memory.lock().await;
        let now = self.clock.elapsed();
        let known = memory.known.as_mut().ok_or(Error::ProviderDown)?;
        // Somebody else may have fetched them while this one waited.
        if known.keys_at <= than && now.saturating_sub(known.keys_at) >= KEYS_EVERY {
            known.keys = self.keys(&known.metadata.jwks_uri).await?;
            known.keys_at = now;
        }
        Ok(known.keys.clone())
    }

    async fn keys(&self, address: &str) -> Result<Arc<JwkSet>, Error> {
        let body = self.document(address).await?;
        let set: Keys = serde_json::from_slice(&body).map_err(|error| self.down(&WireError(error.to_string())))?;
        // Keys for other uses may be of kinds that the library does not know.
        let keys = set.keys.into_iter().take(KEYS_MAX).filter_map(|key| serde_json::from_value(key).ok()).collect();
        Ok(Arc::new(JwkSet { keys }))
    }

    async fn document(&self, address: &str) -> Result<Vec<u8>, Error> {
        let answer = self.wire.get(address, None).await.map_err(|error| self.down(&error))?;
        match answer.accepted {
            true => Ok(answer.body),
            false => Err(self.down(&WireError(format!("there is nothing at {address}")))),
        }
    }

    fn address(&self, address: &str) -> Result<Url, Error> {
        Url::parse(address).map_err(|error| self.down(&WireError(error.to_string())))
    }

    /// The refusal for people; what happened is for those who run the server.
    fn down(&self, error: &WireError) -> Error {
        tracing::warn!(provider = %self.rules.id, %error, "an identity provider cannot be used now");
        Error::ProviderDown
    }
}

/// A claim that is text.
fn text(claims: &Map<String, Value>, name: &str) -> Option<String> {
    claims.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// A claim by its name, or what lies within claims by their names with dots between.
fn within<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(path) {
        return Some(value);
    }
    let mut names = path.split('.');
    let first = claims.get(names.next()?)?;
    names.try_fold(first, |value, name| value.get(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_go_over_tls_or_stay_on_this_machine() {
        let check = |address: &str, expected: bool| assert_eq!(is_safe_address(address), expected, "{address}");
        check("https://id.example.org/realms/a", true);
        check("http://localhost:8080", true);
        check("http://127.0.0.1:3999/x", true);
        check("http://[::1]:80", true);
        check("http://id.example.org", false);
        check("http://localhost.example.org", false);
        check("http://localhost@example.org", false);
        check("ftp://localhost", false);
        check("id.example.org", false);
    }

    #[test]
    fn claims_are_found_by_name_and_by_path() {
        let claims = json!({ "groups": ["a"], "https://x.org/groups": ["b"], "realm_access": { "roles": ["c"] } });
        let Value::Object(claims) = claims else { panic!("an object") };
        let check =
            |path: &str, expected: Option<Value>| assert_eq!(within(&claims, path).cloned(), expected, "{path}");
        check("groups", Some(json!(["a"])));
        check("https://x.org/groups", Some(json!(["b"])));
        check("realm_access.roles", Some(json!(["c"])));
        check("realm_access.roles.x", None);
        check("nothing", None);
        check("", None);
    }
}
