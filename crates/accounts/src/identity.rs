//! Signing in by an account at an identity provider, linking such accounts, and signing out there.
//!
//! A sign-in at a provider begins and ends in the same browser: all that it must be known again by (state, nonce, the secret
//! of PKCE) is sealed and goes to the browser as a cookie, so that no row is written for strangers. The state is used up when
//! a sign-in succeeds.

mod person;

use std::{net::IpAddr, time::Duration};

use base::{AccountId, IdentityId, Secret, Time};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use db::{Lane, identities::IdentityRow};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    Accounts, Error, Permission, Principal, Registrations, Tokens,
    audit::{Deed, Line},
    name::client,
    provider::{Beginning, Remote},
};

/// How long somebody may take at the provider.
const FLOW: Duration = Duration::from_secs(10 * 60);

/// What the seal of a sign-in under way is for.
const PLACE: &[u8] = b"a sign-in at a provider";

/// Bytes of what comes back from a provider, at most.
const RETURNED_BYTES_MAX: usize = 4096;

/// By which ways one can sign in here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaysIn {
    /// Anybody may make an account.
    pub registration: bool,
    /// Letters are sent: a forgotten password can be replaced.
    pub mail: bool,
    /// Passkeys work here.
    pub passkeys: bool,
    /// Identity providers, in the order in which they are shown.
    pub providers: Vec<ProviderView>,
}

/// An identity provider as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderView {
    /// What it is called in addresses.
    pub id: String,
    /// What is read on its button.
    pub name: String,
}

/// A sign-in at a provider that begins.
#[derive(Debug, Clone)]
pub struct Begun {
    /// Where to go.
    pub url: String,
    /// What the browser must bring back, in a cookie that scripts do not see.
    pub flow: Secret,
    /// How long that is good.
    pub expires_in: Duration,
}

/// What comes back from a provider.
#[derive(Debug, Clone)]
pub struct Returned {
    /// What the browser brought, if it did.
    pub flow: Option<String>,
    /// The parameter `code` of the address to which the provider sent the browser.
    pub code: Secret,
    /// The parameter `state`.
    pub state: String,
    /// The parameter `iss`, if there was one.
    pub issuer: Option<String>,
    /// Where the request came from.
    pub address: IpAddr,
}

/// An account at a provider that is linked, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityView {
    /// Which one.
    pub id: IdentityId,
    /// Where.
    pub provider: String,
    /// What people call that provider; its id, if it is not configured any more.
    pub provider_name: String,
    /// What somebody is called there.
    pub shown: String,
    /// When it was linked.
    pub created: Time,
    /// When it was signed in by last.
    pub used: Option<Time>,
}

/// By what a session began, if that is somewhere else.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Origin {
    pub(crate) identity: IdentityId,
    /// What the provider calls its own session.
    pub(crate) session: Option<String>,
}

/// A sign-in under way, as it lies sealed in the browser.
#[derive(Serialize, Deserialize)]
struct Flow {
    provider: String,
    state: String,
    nonce: String,
    verifier: String,
    client: String,
    /// The account that is to be linked; nobody, where somebody signs in.
    link: Option<AccountId>,
    /// Seconds since 1970.
    expires: i64,
}

impl Accounts {
    /// By which ways one can sign in here.
    pub async fn ways_in(&self) -> WaysIn {
        let options = &self.0.options;
        let view = |remote: &Remote| ProviderView { id: remote.rules.id.clone(), name: remote.rules.name.clone() };
        WaysIn {
            registration: self.settings().fresh().await.registration == Registrations::Open,
            mail: options.mail,
            passkeys: self.0.passkeys.is_some(),
            providers: self.0.remotes.iter().map(view).collect(),
        }
    }

    pub(crate) fn remote(&self, provider: &str) -> Result<&Remote, Error> {
        self.0.remotes.iter().find(|remote| remote.rules.id == provider).ok_or(Error::ProviderUnknown)
    }

    /// Begins to sign in at a provider.
    ///
    /// # Errors
    /// [`Error::ProviderUnknown`], [`Error::ProviderDown`].
    pub async fn begin_provider(&self, provider: &str, client_name: Option<&str>) -> Result<Begun, Error> {
        self.begin_flow(self.remote(provider)?, client(client_name.unwrap_or_default()), None).await
    }

    /// Begins to link an account at a provider to the caller's.
    ///
    /// # Errors
    /// As [`Accounts::begin_provider`]; those of a wrong password as [`Accounts::change_password`] has them.
    pub async fn begin_link(&self, principal: &Principal, provider: &str, password: &Secret) -> Result<Begun, Error> {
        let remote = self.remote(provider)?;
        let row = self.prove(principal, password).await?;
        self.begin_flow(remote, String::new(), Some(row.id)).await
    }

    async fn begin_flow(&self, remote: &Remote, client: String, link: Option<AccountId>) -> Result<Begun, Error> {
        let Beginning { url, state, nonce, verifier } = remote.begin().await?;
        let (provider, expires) = (remote.rules.id.clone(), self.0.clock.now().plus(FLOW).as_secs());
        let flow = Flow { provider, state, nonce, verifier, client, link, expires };
        let text = serde_json::to_vec(&flow).map_err(|_| Error::Damaged("a sign-in under way"))?;
        let flow = Secret::new(URL_SAFE_NO_PAD.encode(self.0.seal.close(PLACE, &text)?));
        Ok(Begun { url, flow, expires_in: FLOW })
    }

    /// What the browser brought, if it is ours, of this provider, not too old, and what the provider's answer is to.
    fn open_flow(&self, provider: &str, returned: &Returned) -> Result<Flow, Error> {
        let brought = returned.flow.as_deref().filter(|text| text.len() <= RETURNED_BYTES_MAX);
        let sealed = brought.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).ok_or(Error::FlowExpired)?;
        let opened = self.0.seal.open(PLACE, &sealed).map_err(|_| Error::FlowExpired)?;
        let flow: Flow = serde_json::from_slice(&opened).map_err(|_| Error::FlowExpired)?;
        let now = self.0.clock.now();
        // One from the future is from before a clock was set back, and would be good for too long.
        let is_current = flow.expires > now.as_secs() && flow.expires <= now.plus(FLOW).as_secs();
        let is_answer = flow.provider == provider && flow.state == returned.state;
        let is_short = returned.code.expose().len() <= RETURNED_BYTES_MAX;
        if is_current && is_answer && is_short { Ok(flow) } else { Err(Error::FlowExpired) }
    }

    /// Uses a state up. A code is good once at its provider, and its state is good once here.
    async fn spend_flow(&self, flow: &Flow) -> Result<(), Error> {
        let hash = *blake3::hash(flow.state.as_bytes()).as_bytes();
        self.spend(hash, self.0.clock.now().plus(FLOW)).await
    }

    /// Remembers until a time that something was used that is good once.
    ///
    /// # Errors
    /// [`Error::FlowExpired`] if it was used before, [`Error::Database`].
    pub(crate) async fn spend(&self, hash: [u8; 32], until: Time) -> Result<(), Error> {
        let spend = async move |tx| db::identities::spend(&tx, &hash, until).await;
        match self.0.db.write(Lane::Free, spend).await? {
            true => Ok(()),
            false => Err(Error::FlowExpired),
        }
    }

    /// Ends a sign-in at a provider: somebody unknown gets an account, if that is configured; groups and permissions become
    /// what the provider says; and a session begins.
    ///
    /// # Errors
    /// [`Error::FlowExpired`] if this browser did not begin it; [`Error::ProviderRefused`] if the code is not good or the
    /// tokens are not; [`Error::IdentityUnknown`], [`Error::IdentityForbidden`], [`Error::EmailTaken`] if somebody else has
    /// the address; [`Error::AccountDisabled`], [`Error::SecondFactorRequired`], [`Error::TooManyAttempts`],
    /// [`Error::ProviderUnknown`], [`Error::ProviderDown`], [`Error::Database`].
    pub async fn finish_provider(&self, provider: &str, returned: Returned) -> Result<Tokens, Error> {
        let remote = self.remote(provider)?;
        let flow = self.open_flow(provider, &returned)?;
        if flow.link.is_some() {
            return Err(Error::FlowExpired);
        }
        let claims = self.ask(remote, &flow, &returned).await?;
        let (row, identity) = self.person_of(remote, &claims, returned.address).await?;
        let origin = Origin { identity, session: claims.session };
        if !remote.rules.second_factor {
            self.challenge(&row, &flow.client, Some(&origin)).await?;
        }
        self.begin(row, flow.client, returned.address, json!({ "provider": provider }), Some(origin)).await
    }

    /// Links an account at a provider to the caller's.
    ///
    /// # Errors
    /// [`Error::IdentityTaken`] if it is another one's; else as [`Accounts::finish_provider`].
    pub async fn finish_link(
        &self,
        principal: &Principal,
        provider: &str,
        returned: Returned,
    ) -> Result<IdentityView, Error> {
        principal.needs(Permission::Account)?;
        let remote = self.remote(provider)?;
        let flow = self.open_flow(provider, &returned)?;
        if flow.link != Some(principal.account) {
            return Err(Error::FlowExpired);
        }
        let claims = self.ask(remote, &flow, &returned).await?;
        let known = db::identities::by_subject(&self.0.db, provider, &claims.subject).await?;
        let row = match known {
            Some(known) if known.account == principal.account => known,
            Some(_) => return Err(Error::IdentityTaken),
            None => {
                let row = self.new_identity(remote, principal.account, &claims);
                let (kept, accounts) = (row.clone(), self.clone());
                let line = Line::own(Deed::IdentityLinked, row.account, returned.address);
                let line = line.with(json!({ "provider": row.provider, "identity": row.id }));
                self.0
                    .db
                    .write(Lane::Free, async move |tx| {
                        if !db::identities::insert(&tx, &kept).await? {
                            return Err(Error::IdentityTaken);
                        }
                        Ok(accounts.log(&tx, &line).await?)
                    })
                    .await?;
                row
            }
        };
        Ok(self.identity_view(row))
    }

    /// What the provider says of whoever comes back. Attempts are counted for the address: each makes us ask the provider.
    async fn ask(&self, remote: &Remote, flow: &Flow, returned: &Returned) -> Result<crate::provider::Claims, Error> {
        let inner = &*self.0;
        let admitted = inner.throttle.admit(None, Some(returned.address), inner.clock.elapsed()).await;
        let attempt = admitted.map_err(|retry_after| Error::TooManyAttempts { retry_after })?;
        let asked =
            remote.finish(returned.code.expose(), returned.issuer.as_deref(), &flow.nonce, &flow.verifier).await;
        if !matches!(asked, Err(Error::ProviderRefused(_))) {
            inner.throttle.take_back(&attempt).await;
        }
        let claims = asked?;
        self.spend_flow(flow).await?;
        Ok(claims)
    }

    /// The caller's accounts at providers, oldest first.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`] without a session, [`Error::Database`].
    pub async fn identities(&self, principal: &Principal) -> Result<Vec<IdentityView>, Error> {
        principal.needs(Permission::Account)?;
        let rows = db::identities::of_account(&self.0.db, principal.account).await?;
        Ok(rows.into_iter().map(|row| self.identity_view(row)).collect())
    }

    /// Unlinks one of them. Sessions that began by it go on.
    ///
    /// # Errors
    /// [`Error::IdentityMissing`], [`Error::LastWayIn`] if nothing would be left to sign in with; those of a wrong password
    /// as [`Accounts::change_password`] has them.
    pub async fn unlink(
        &self,
        principal: &Principal,
        id: IdentityId,
        password: &Secret,
        from: IpAddr,
    ) -> Result<(), Error> {
        let account = self.prove(principal, password).await?.id;
        let (line, accounts) = (Line::own(Deed::IdentityUnlinked, account, from), self.clone());
        self.0
            .db
            .write(Lane::Free, async move |tx| {
                let provider = accounts.drop_identity(&tx, account, id).await?;
                let line = line.with(json!({ "provider": provider, "identity": id }));
                Ok(accounts.log(&tx, &line).await?)
            })
            .await
    }

    /// Ends the caller's session, and says where they sign out at the provider by which it began, if there is such a place.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`] without a session, [`Error::Database`].
    pub async fn logout_of_provider(&self, principal: &Principal) -> Result<Option<String>, Error> {
        principal.needs(Permission::Account)?;
        let provider = db::identities::provider_of_session(&self.0.db, principal.session).await?;
        self.logout(principal).await?;
        match provider.and_then(|provider| self.remote(&provider).ok()) {
            // Whoever signs out has signed out here, whatever the provider does.
            Some(remote) => Ok(remote.sign_out_url().await.unwrap_or_default()),
            None => Ok(None),
        }
    }

    /// Ends the sessions of somebody who signed out at a provider, as the provider's own message says.
    ///
    /// # Errors
    /// [`Error::ProviderUnknown`], [`Error::ProviderRefused`] if the message is not its, [`Error::FlowExpired`] if it came
    /// before, [`Error::ProviderDown`], [`Error::Database`].
    pub async fn provider_logout(&self, provider: &str, token: &str, from: IpAddr) -> Result<(), Error> {
        let remote = self.remote(provider)?;
        let (told, until) = remote.signed_out(token).await?;
        let named = format!("signed out\n{provider}\n{}", told.id);
        self.spend(*blake3::hash(named.as_bytes()).as_bytes(), until).await?;
        let (provider, now, accounts) = (provider.to_owned(), self.0.clock.now(), self.clone());
        let detail = json!({ "provider": provider });
        let line = Line { deed: Deed::SessionsEnded, actor: None, account: None, address: Some(from), detail };
        let ended = self
            .0
            .db
            .write(Lane::Free, async move |tx| {
                let (subject, session) = (told.subject.as_deref(), told.session.as_deref());
                let ended = db::identities::end_sessions(&tx, &provider, subject, session, now).await?;
                if !ended.is_empty() {
                    accounts.log(&tx, &line).await?;
                }
                Ok::<_, Error>(ended)
            })
            .await?;
        self.forget(ended);
        Ok(())
    }

    pub(crate) fn identity_view(&self, row: IdentityRow) -> IdentityView {
        let provider_name =
            self.remote(&row.provider).map_or_else(|_| row.provider.clone(), |it| it.rules.name.clone());
        IdentityView {
            id: row.id,
            provider: row.provider,
            provider_name,
            shown: row.shown,
            created: row.created,
            used: row.used,
        }
    }
}
