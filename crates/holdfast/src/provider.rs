//! How identity providers are reached: HTTP, with bounds; and the section `oidc` of the configuration.

use std::time::Duration;

use accounts::{Permissions, Provider, Providers, Wire, WireAnswer, WireError};
use anyhow::{Context, bail};
use async_trait::async_trait;
use base::Secret;

use crate::config::{Config, Oidc};

/// How long a provider may take to be reached, and to answer. Somebody waits before a screen meanwhile.
const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(10);

/// Bytes of an answer at most.
const BYTES_MAX: usize = 1 << 20;

/// Characters of a provider's id.
const ID_CHARS: std::ops::RangeInclusive<usize> = 1..=32;

/// Speaks HTTP with providers.
#[derive(Debug)]
struct HttpWire(reqwest::Client);

/// Looks at the sections without reaching a provider.
///
/// # Errors
/// Says which key is wrong and what would be right.
pub(crate) fn check(config: &Config) -> anyhow::Result<()> {
    read(config).map(drop)
}

/// The providers, if there are any.
///
/// # Errors
/// As [`check`], and if the client of HTTP cannot be made.
pub(crate) fn providers(config: &Config) -> anyhow::Result<Option<Providers>> {
    let list = read(config)?;
    if list.is_empty() {
        return Ok(None);
    }
    let client = reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .timeout(ANSWER)
        // An address that is not the one that was checked gets no secret.
        .redirect(reqwest::redirect::Policy::none())
        .user_agent("holdfast")
        .build()
        .context("the client for identity providers")?;
    Ok(Some(Providers { list, wire: std::sync::Arc::new(HttpWire(client)) }))
}

fn read(config: &Config) -> anyhow::Result<Vec<Provider>> {
    if !config.oidc.is_empty() && config.gateway.public_url.is_none() {
        bail!("oidc needs gateway.public_url: providers send people back to it");
    }
    let mut list: Vec<Provider> = Vec::new();
    for oidc in &config.oidc {
        let provider = read_one(oidc).with_context(|| format!("the section [[oidc]] with id {:?}", oidc.id))?;
        if list.iter().any(|other| other.id == provider.id) {
            bail!("two sections [[oidc]] have the id {:?}", oidc.id);
        }
        list.push(provider);
    }
    Ok(list)
}

fn read_one(oidc: &Oidc) -> anyhow::Result<Provider> {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !ID_CHARS.contains(&oidc.id.len()) || !oidc.id.chars().all(is_word) {
        bail!("id is 1 to 32 characters: a to z, digits, `-`");
    }
    if oidc.name.trim().is_empty() {
        bail!("name is missing: what people read on the button");
    }
    if !accounts::is_safe_address(&oidc.issuer) {
        bail!("issuer is an address such as https://id.example.org/realms/company; without TLS only on this machine");
    }
    if oidc.client_id.is_empty() {
        bail!("client_id is missing: what the provider calls this server");
    }
    if oidc.scopes.iter().any(|scope| scope.is_empty() || scope.contains(char::is_whitespace)) {
        bail!("scopes are words without spaces");
    }
    if oidc.groups.values().any(|name| name.trim().is_empty() || name.chars().count() > 100) {
        bail!("groups name groups here, with 1 to 100 characters");
    }
    let mut permissions = std::collections::BTreeMap::new();
    for (group, words) in &oidc.permissions {
        let given = Permissions::from_words(words.iter().map(String::as_str));
        let given = given.with_context(|| format!("permissions of {group:?} has a word that is no permission"))?;
        permissions.insert(group.clone(), given);
    }
    Ok(Provider {
        id: oidc.id.clone(),
        name: oidc.name.clone(),
        issuer: oidc.issuer.clone(),
        client_id: oidc.client_id.clone(),
        client_secret: oidc.client_secret.clone(),
        scopes: oidc.scopes.clone(),
        group_claim: oidc.group_claim.clone(),
        groups: oidc.groups.clone(),
        permissions,
        create_accounts: oidc.create_accounts,
        mail_domains: oidc.mail_domains.clone(),
        link_by_mail: oidc.link_by_mail,
        second_factor: oidc.second_factor,
    })
}

#[async_trait]
impl Wire for HttpWire {
    async fn get(&self, address: &str, bearer: Option<&Secret>) -> Result<WireAnswer, WireError> {
        let mut request = self.0.get(address).header("Accept", "application/json");
        if let Some(token) = bearer {
            request = request.bearer_auth(token.expose());
        }
        ask(request).await
    }

    async fn post(
        &self,
        address: &str,
        form: &[(&str, &str)],
        basic: Option<(&str, &Secret)>,
    ) -> Result<WireAnswer, WireError> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let mut request = self.0.post(address).header("Accept", "application/json");
        if let Some((name, password)) = basic {
            request = request.basic_auth(name, Some(password.expose()));
        }
        ask(request.header("Content-Type", "application/x-www-form-urlencoded").body(body)).await
    }
}

async fn ask(request: reqwest::RequestBuilder) -> Result<WireAnswer, WireError> {
    // The address may have a code in it.
    let failed = |error: reqwest::Error| WireError(format!("{:#}", anyhow::Error::new(error.without_url())));
    let mut answer = request.send().await.map_err(failed)?;
    let status = answer.status();
    if status.is_server_error() || status == reqwest::StatusCode::TOO_MANY_REQUESTS {
        return Err(WireError(format!("it answered {status}")));
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > BYTES_MAX {
            return Err(WireError("its answer is too long".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(WireAnswer { accepted: status.is_success(), body })
}
