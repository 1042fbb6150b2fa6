//! Passkeys (WebAuthn): adding them, signing in with them alone, giving them up.
//!
//! A passkey is a key on somebody's device that the device uses only after it has verified its user, by a finger, a face or
//! a PIN; it stands for name, password and second factor at once. What a ceremony must be known again by is sealed and goes
//! to the client, so that no row is written for strangers; its challenge is used up when it succeeds.

use std::net::IpAddr;
use std::time::Duration;

use base::{AccountId, PasskeyId, Secret, Time};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use db::{Lane, passkeys::PasskeyRow};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use webauthn_rs::{
    Webauthn, WebauthnBuilder,
    prelude::{
        DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential, Url,
    },
};

use crate::{
    Accounts, Error, Permission, Principal, Tokens,
    audit::{Deed, Line},
    name::{client, display_name},
};

/// How long somebody may take with the authenticator. What browsers are told is the library's, five minutes.
const CEREMONY: Duration = Duration::from_secs(5 * 60);

/// What the seals of ceremonies are for.
const ADDING: &[u8] = b"a passkey to add";
const SIGNING_IN: &[u8] = b"a sign-in with a passkey";

/// Bytes of a ceremony, as it comes back.
const CEREMONY_BYTES_MAX: usize = 16 * 1024;

/// Passkeys that an account has at most.
const PASSKEYS_MAX: u64 = 50;

/// A ceremony that begins.
#[derive(Debug, Clone)]
pub struct Ceremony {
    /// What the client brings back beside the authenticator's answer.
    pub ceremony: Secret,
    /// What `navigator.credentials.create` or `.get` is called with: `{"publicKey": …}`, with bytes in base64url.
    pub options: Value,
    /// How long it is good.
    pub expires_in: Duration,
}

/// A passkey as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyView {
    /// Which one.
    pub id: PasskeyId,
    /// What its owner calls it.
    pub name: String,
    /// When it was added.
    pub created: Time,
    /// When it was signed in with last.
    pub used: Option<Time>,
}

impl From<PasskeyRow> for PasskeyView {
    fn from(row: PasskeyRow) -> Self {
        Self { id: row.id, name: row.name, created: row.created, used: row.used }
    }
}

/// A ceremony under way, as it lies sealed with the client.
#[derive(Serialize, Deserialize)]
struct Sealed<S> {
    state: S,
    /// Whose passkey is added.
    account: Option<AccountId>,
    /// Seconds since 1970.
    expires: i64,
}

/// Checks passkeys for the public address.
pub(crate) struct Passkeys(Webauthn);

impl Passkeys {
    /// For an address; nothing where browsers would make no passkeys: without TLS, or by a bare IP address.
    pub(crate) fn at(public_url: &str) -> Option<Self> {
        let url = Url::parse(public_url).ok()?;
        let host = url.domain()?.to_owned();
        if url.scheme() != "https" && host != "localhost" {
            return None;
        }
        let builder = WebauthnBuilder::new(&host, &url).ok()?;
        Some(Self(builder.rp_name("Holdfast").timeout(CEREMONY).build().ok()?))
    }
}

impl Accounts {
    fn passkeys(&self) -> Result<&Webauthn, Error> {
        self.0.passkeys.as_ref().map(|passkeys| &passkeys.0).ok_or(Error::PasskeysOff)
    }

    /// Begins to add a passkey to the caller's account.
    ///
    /// # Errors
    /// [`Error::PasskeysOff`], [`Error::TooManyKeys`]; those of a wrong password as [`Accounts::change_password`] has them.
    pub async fn begin_passkey(&self, principal: &Principal, password: &Secret) -> Result<Ceremony, Error> {
        let webauthn = self.passkeys()?;
        let row = self.prove(principal, password).await?;
        let known = db::passkeys::of_account(&self.0.db, row.id).await?;
        if known.len() as u64 >= PASSKEYS_MAX {
            return Err(Error::TooManyKeys(PASSKEYS_MAX));
        }
        let known = known.into_iter().map(|row| row.credential).collect();
        let begun = webauthn.start_passkey_registration(row.id.0, &row.name, &row.display_name, Some(known));
        let (options, state) = begun.map_err(|_| Error::Damaged("the name of an account"))?;
        let mut options = serde_json::to_value(options).map_err(|_| Error::Damaged("a ceremony"))?;
        // The authenticator must keep whose it is, so that nobody has to type a name.
        if let Some(selection) = options.pointer_mut("/publicKey/authenticatorSelection") {
            selection["residentKey"] = json!("required");
            selection["requireResidentKey"] = json!(true);
        }
        self.ceremony(ADDING, state, Some(row.id), options)
    }

    /// Adds the passkey.
    ///
    /// # Errors
    /// [`Error::FlowExpired`] if the ceremony is not the caller's, too old, or used; [`Error::PasskeyRefused`],
    /// [`Error::DisplayNameInvalid`], [`Error::TooManyKeys`], [`Error::PasskeysOff`], [`Error::PermissionMissing`] without a
    /// session, [`Error::Database`].
    pub async fn finish_passkey(
        &self,
        principal: &Principal,
        ceremony: &Secret,
        credential: Value,
        name: &str,
        from: IpAddr,
    ) -> Result<PasskeyView, Error> {
        principal.needs(Permission::Account)?;
        let webauthn = self.passkeys()?;
        let name = display_name(name)?;
        let (sealed, hash): (Sealed<PasskeyRegistration>, _) = self.open_ceremony(ADDING, ceremony)?;
        if sealed.account != Some(principal.account) {
            return Err(Error::FlowExpired);
        }
        let credential: RegisterPublicKeyCredential =
            serde_json::from_value(credential).map_err(|_| Error::PasskeyRefused)?;
        let passkey = webauthn.finish_passkey_registration(&credential, &sealed.state).map_err(refused)?;
        let row = PasskeyRow {
            id: self.0.ids.passkey(),
            account: principal.account,
            credential: passkey.cred_id().to_vec(),
            data: written(&passkey)?,
            name,
            created: self.0.clock.now(),
            used: None,
        };
        let line = Line::own(Deed::PasskeyAdded, row.account, from);
        let line = line.with(json!({ "passkey": row.id, "name": row.name }));
        let (accounts, until) = (self.clone(), self.0.clock.now().plus(CEREMONY));
        self.0
            .db
            .write(Lane::Free, async move |tx| {
                if !db::identities::spend(&tx, &hash, until).await? {
                    return Err(Error::FlowExpired);
                }
                if db::passkeys::count(&tx, row.account).await? >= PASSKEYS_MAX {
                    return Err(Error::TooManyKeys(PASSKEYS_MAX));
                }
                if !db::passkeys::insert(&tx, &row).await? {
                    return Err(Error::PasskeyRefused);
                }
                accounts.log(&tx, &line).await?;
                Ok(row.into())
            })
            .await
    }

    /// Begins to sign in with a passkey, whosever it is.
    ///
    /// # Errors
    /// [`Error::PasskeysOff`].
    pub fn begin_passkey_login(&self) -> Result<Ceremony, Error> {
        let begun = self.passkeys()?.start_discoverable_authentication();
        let (options, state) = begun.map_err(|_| Error::Damaged("a ceremony"))?;
        let options = json!({ "publicKey": options.public_key });
        self.ceremony(SIGNING_IN, state, None, options)
    }

    /// Begins a session of whom the passkey is. No second factor is asked for: the device has verified its user.
    ///
    /// # Errors
    /// [`Error::FlowExpired`] if the ceremony is not ours, too old, or used; [`Error::PasskeyRefused`], also for one whose
    /// counter went back, which means that there is a copy of it; [`Error::AccountDisabled`], [`Error::TooManyAttempts`],
    /// [`Error::PasskeysOff`], [`Error::Database`].
    pub async fn finish_passkey_login(
        &self,
        ceremony: &Secret,
        credential: Value,
        client_name: Option<&str>,
        from: IpAddr,
    ) -> Result<Tokens, Error> {
        let inner = &*self.0;
        let (sealed, hash): (Sealed<DiscoverableAuthentication>, _) = self.open_ceremony(SIGNING_IN, ceremony)?;
        let attempt = inner
            .throttle
            .admit(None, Some(from), inner.clock.elapsed())
            .await
            .map_err(|retry_after| Error::TooManyAttempts { retry_after })?;
        let used = self.use_passkey(sealed.state, hash, credential, from).await;
        if !matches!(used, Err(Error::PasskeyRefused)) {
            inner.throttle.take_back(&attempt).await;
        }
        let (account, passkey) = used?;
        let row = db::accounts::account(&inner.db, account).await?.ok_or(Error::PasskeyRefused)?;
        if row.disabled.is_some() {
            return Err(Error::AccountDisabled);
        }
        let client = client(client_name.unwrap_or_default());
        self.begin(row, client, from, json!({ "passkey": passkey }), None).await
    }

    /// Whose passkey has answered, if its answer is good. It is thereby used.
    async fn use_passkey(
        &self,
        state: DiscoverableAuthentication,
        hash: [u8; 32],
        credential: Value,
        from: IpAddr,
    ) -> Result<(AccountId, PasskeyId), Error> {
        let webauthn = self.passkeys()?;
        let credential: PublicKeyCredential = serde_json::from_value(credential).map_err(|_| Error::PasskeyRefused)?;
        let (owner, id) = webauthn.identify_discoverable_authentication(&credential).map_err(refused)?;
        let row = db::passkeys::by_credential(&self.0.db, id).await?;
        let row = row.filter(|row| row.account.0 == owner).ok_or(Error::PasskeyRefused)?;
        let mut passkey: Passkey = serde_json::from_str(&row.data).map_err(|_| Error::Damaged("a passkey"))?;
        let result = match webauthn.finish_discoverable_authentication_v2(&credential, state, &passkey) {
            Ok(result) if result.user_verified() => result,
            other => {
                let (deed, account, address) = (Deed::SignInFailed, Some(row.account), Some(from));
                let detail = json!({ "step": "passkey", "passkey": row.id });
                self.log_alone(Line { deed, actor: None, account, address, detail }).await;
                return Err(other.err().map_or(Error::PasskeyRefused, refused));
            }
        };
        passkey.update_credential(&result);
        let (was, is) = (row.data, written(&passkey)?);
        let (id, now, until) = (row.id, self.0.clock.now(), self.0.clock.now().plus(CEREMONY));
        self.0
            .db
            .write(Lane::Free, async move |tx| {
                if !db::identities::spend(&tx, &hash, until).await? {
                    return Err(Error::FlowExpired);
                }
                // Of two answers with one counter the second finds another state.
                match db::passkeys::touch(&tx, id, &was, &is, now).await? {
                    true => Ok(()),
                    false => Err(Error::PasskeyRefused),
                }
            })
            .await?;
        Ok((row.account, id))
    }

    /// The caller's passkeys, oldest first.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`] without a session, [`Error::Database`].
    pub async fn passkeys_of(&self, principal: &Principal) -> Result<Vec<PasskeyView>, Error> {
        principal.needs(Permission::Account)?;
        let rows = db::passkeys::of_account(&self.0.db, principal.account).await?;
        Ok(rows.into_iter().map(PasskeyView::from).collect())
    }

    /// Gives one of them another name.
    ///
    /// # Errors
    /// [`Error::PasskeyUnknown`], [`Error::DisplayNameInvalid`], [`Error::PermissionMissing`] without a session,
    /// [`Error::Database`].
    pub async fn rename_passkey(&self, principal: &Principal, id: PasskeyId, name: &str) -> Result<PasskeyView, Error> {
        principal.needs(Permission::Account)?;
        let (account, name) = (principal.account, display_name(name)?);
        let rename = async move |tx| db::passkeys::rename(&tx, account, id, &name).await;
        let renamed = self.0.db.write(Lane::Free, rename).await?;
        Ok(renamed.ok_or(Error::PasskeyUnknown)?.into())
    }

    /// Removes one of them. Sessions that began with it go on.
    ///
    /// # Errors
    /// [`Error::PasskeyUnknown`], [`Error::LastWayIn`] if nothing would be left to sign in with; those of a wrong password as
    /// [`Accounts::change_password`] has them.
    pub async fn remove_passkey(
        &self,
        principal: &Principal,
        id: PasskeyId,
        password: &Secret,
        from: IpAddr,
    ) -> Result<(), Error> {
        let account = self.prove(principal, password).await?.id;
        let (line, accounts) = (Line::own(Deed::PasskeyRemoved, account, from), self.clone());
        self.0
            .db
            .write(Lane::Free, async move |tx| {
                let name = accounts.drop_passkey(&tx, account, id).await?;
                Ok(accounts.log(&tx, &line.with(json!({ "passkey": id, "name": name }))).await?)
            })
            .await
    }

    fn ceremony<S: Serialize>(
        &self,
        place: &[u8],
        state: S,
        account: Option<AccountId>,
        options: Value,
    ) -> Result<Ceremony, Error> {
        let sealed = Sealed { state, account, expires: self.0.clock.now().plus(CEREMONY).as_secs() };
        let text = serde_json::to_vec(&sealed).map_err(|_| Error::Damaged("a ceremony"))?;
        let ceremony = Secret::new(URL_SAFE_NO_PAD.encode(self.0.seal.close(place, &text)?));
        Ok(Ceremony { ceremony, options, expires_in: CEREMONY })
    }

    /// A ceremony that is ours and not too old, and what it is used up by.
    fn open_ceremony<S: DeserializeOwned>(
        &self,
        place: &[u8],
        ceremony: &Secret,
    ) -> Result<(Sealed<S>, [u8; 32]), Error> {
        let text = Some(ceremony.expose()).filter(|text| text.len() <= CEREMONY_BYTES_MAX);
        let bytes = text.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).ok_or(Error::FlowExpired)?;
        let opened = self.0.seal.open(place, &bytes).map_err(|_| Error::FlowExpired)?;
        let sealed: Sealed<S> = serde_json::from_slice(&opened).map_err(|_| Error::FlowExpired)?;
        let now = self.0.clock.now();
        if sealed.expires <= now.as_secs() || sealed.expires > now.plus(CEREMONY).as_secs() {
            return Err(Error::FlowExpired);
        }
        Ok((sealed, *blake3::hash(&opened).as_bytes()))
    }
}

fn written(passkey: &Passkey) -> Result<String, Error> {
    serde_json::to_string(passkey).map_err(|_| Error::Damaged("a passkey"))
}

/// The refusal for people; what was wrong is for those who look for it.
#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` calls")]
fn refused(error: webauthn_rs::prelude::WebauthnError) -> Error {
    tracing::debug!(%error, "a passkey was refused");
    Error::PasskeyRefused
}
