//! API tokens and S3 keys: what programs sign their requests with in the place of a person's session.

use std::{net::IpAddr, sync::Arc, time::Duration};

use base::{AccountId, EntryId, KeyId, Secret, SessionId, SpaceId, Time, limits};
use db::{
    Lane,
    credentials::{CredentialRow, NewCredential},
};
use serde_json::json;

use crate::{
    Accounts, Error, Page, Permission, Permissions, Principal,
    api_token::{ApiToken, access_key_hash, access_key_id, secret_access_key},
    audit::{Deed, Line},
    live::Known,
    name::{AccountName, display_name},
};

/// Tokens that an account has at most, and S3 keys as many.
const KEYS_MAX: u64 = 100;

/// How exactly it is known when one was used: finer would be a write for each request.
const USED_WITHIN: Duration = Duration::from_secs(3600);

/// A token or S3 key to make. It can do what its scopes say, and of that only what its account may still do.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// What its owner calls it: 1 to 100 characters.
    pub name: String,
    /// What it is for, in words of [`Permission`]; at least one, and at most what the account may.
    pub scopes: Vec<String>,
    /// When it ends by itself; never, where absent.
    pub expires: Option<Time>,
}

/// A token or S3 key as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyView {
    /// Which one.
    pub id: KeyId,
    /// What its owner calls it.
    pub name: String,
    /// The beginning of the token; the access key id of an S3 key.
    pub shown: String,
    /// What it may do, as far as its account may.
    pub scopes: Permissions,
    /// When it was made.
    pub created: Time,
    /// When it ends by itself.
    pub expires: Option<Time>,
    /// When it was used last, to the hour.
    pub used: Option<Time>,
}

/// A new API token.
#[derive(Debug, Clone)]
pub struct MadeToken {
    /// The token, which nobody can show again.
    pub token: Secret,
    /// What is known of it from now on.
    pub view: KeyView,
}

/// A new S3 key.
#[derive(Debug, Clone)]
pub struct MadeS3Key {
    /// Its secret part, which its owner is not shown again. The public part is the view's [`shown`](KeyView::shown).
    pub secret: Secret,
    /// What is known of it from now on.
    pub view: KeyView,
}

/// The two kinds of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Token,
    S3,
}

impl Kind {
    /// As the database has it.
    fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::S3 => "s3",
        }
    }

    fn made(self) -> Deed {
        match self {
            Self::Token => Deed::TokenMade,
            Self::S3 => Deed::S3KeyMade,
        }
    }

    fn removed(self) -> Deed {
        match self {
            Self::Token => Deed::TokenRemoved,
            Self::S3 => Deed::S3KeyRemoved,
        }
    }
}

/// What a request needs to know of a key that is good.
#[derive(Debug, Clone)]
pub(crate) struct LiveKey {
    id: KeyId,
    is_s3: bool,
    account: AccountId,
    name_key: Arc<str>,
    permissions: Permissions,
    expires: Option<Time>,
    space: SpaceId,
    root: EntryId,
    sealed: Option<Arc<[u8]>>,
}

impl LiveKey {
    fn principal(&self) -> Principal {
        Principal {
            account: self.account,
            session: SessionId(self.id.0),
            permissions: self.permissions,
            space: self.space,
            root: self.root,
        }
    }
}

impl Accounts {
    /// Makes an API token.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`] if the caller has no session of their own, or lacks a permission that the token is to
    /// have; [`Error::DisplayNameInvalid`], [`Error::ScopesInvalid`], [`Error::ExpiryInvalid`], [`Error::TooManyKeys`],
    /// [`Error::Database`].
    pub async fn make_token(&self, principal: &Principal, new: NewKey, from: IpAddr) -> Result<MadeToken, Error> {
        let token = ApiToken::make();
        let draft = self.draft_key(principal, new, Kind::Token, token.hash(), token.shown(), None)?;
        let view = self.keep_key(principal, draft, Kind::Token, from).await?;
        Ok(MadeToken { token: token.into_secret(), view })
    }

    /// Makes an S3 key.
    ///
    /// # Errors
    /// As [`Accounts::make_token`].
    pub async fn make_s3_key(&self, principal: &Principal, new: NewKey, from: IpAddr) -> Result<MadeS3Key, Error> {
        let (id, secret) = (access_key_id(), secret_access_key());
        let sealed = self.0.seal.close(id.as_bytes(), secret.expose().as_bytes())?;
        let draft = self.draft_key(principal, new, Kind::S3, access_key_hash(&id), id, Some(sealed))?;
        let view = self.keep_key(principal, draft, Kind::S3, from).await?;
        Ok(MadeS3Key { secret, view })
    }

    fn draft_key(
        &self,
        principal: &Principal,
        new: NewKey,
        kind: Kind,
        hash: [u8; 32],
        shown: String,
        sealed: Option<Vec<u8>>,
    ) -> Result<NewCredential, Error> {
        principal.needs(Permission::Account)?;
        let now = self.0.clock.now();
        let scopes = Permissions::from_words(new.scopes.iter().map(String::as_str)).ok_or(Error::ScopesInvalid)?;
        if scopes.is_empty() {
            return Err(Error::ScopesInvalid);
        }
        if let Some(permission) = scopes.beyond(principal.permissions) {
            return Err(Error::PermissionMissing(permission));
        }
        if new.expires.is_some_and(|expires| expires <= now) {
            return Err(Error::ExpiryInvalid);
        }
        Ok(NewCredential {
            id: self.0.ids.key(),
            account: principal.account,
            kind: kind.as_str(),
            hash,
            shown,
            sealed,
            name: display_name(&new.name)?,
            scopes: scopes.to_string(),
            created: now,
            expires: new.expires,
        })
    }

    async fn keep_key(
        &self,
        principal: &Principal,
        draft: NewCredential,
        kind: Kind,
        from: IpAddr,
    ) -> Result<KeyView, Error> {
        let detail = json!({ "key": draft.id, "name": draft.name, "scopes": draft.scopes });
        let line = Line::own(kind.made(), principal.account, from).with(detail);
        let accounts = self.clone();
        self.0
            .db
            .write(Lane::Free, async move |tx| {
                if db::credentials::count(&tx, draft.account, draft.kind).await? >= KEYS_MAX {
                    return Err(Error::TooManyKeys(KEYS_MAX));
                }
                db::credentials::insert(&tx, &draft).await?;
                accounts.log(&tx, &line).await?;
                Ok(KeyView {
                    id: draft.id,
                    name: draft.name.clone(),
                    shown: draft.shown.clone(),
                    scopes: Permissions::parse(&draft.scopes),
                    created: draft.created,
                    expires: draft.expires,
                    used: None,
                })
            })
            .await
    }

    /// Up to `limit` of the caller's API tokens, oldest first, beginning after `after`.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`] without a session, [`Error::Database`].
    pub async fn tokens_of(
        &self,
        principal: &Principal,
        after: Option<KeyId>,
        limit: u32,
    ) -> Result<Page<KeyView>, Error> {
        self.keys_of(principal, Kind::Token, after, limit).await
    }

    /// Up to `limit` of the caller's S3 keys, oldest first, beginning after `after`.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`] without a session, [`Error::Database`].
    pub async fn s3_keys_of(
        &self,
        principal: &Principal,
        after: Option<KeyId>,
        limit: u32,
    ) -> Result<Page<KeyView>, Error> {
        self.keys_of(principal, Kind::S3, after, limit).await
    }

    async fn keys_of(
        &self,
        principal: &Principal,
        kind: Kind,
        after: Option<KeyId>,
        limit: u32,
    ) -> Result<Page<KeyView>, Error> {
        principal.needs(Permission::Account)?;
        let limit = limit.clamp(1, limits::PAGE_ENTRIES_MAX);
        let rows = db::credentials::of_account(&self.0.db, principal.account, kind.as_str(), after, limit + 1).await?;
        let view = |row: CredentialRow| KeyView {
            id: row.id,
            name: row.name,
            shown: row.shown,
            scopes: Permissions::parse(&row.scopes),
            created: row.created,
            expires: row.expires,
            used: row.used,
        };
        Ok(Page::of(rows.into_iter().map(view).collect(), limit))
    }

    /// Removes one of the caller's API tokens. When this returns, this process refuses it; others do within a second.
    ///
    /// # Errors
    /// [`Error::KeyUnknown`] if the caller has no such token, [`Error::PermissionMissing`] without a session,
    /// [`Error::Database`].
    pub async fn remove_token(&self, principal: &Principal, id: KeyId, from: IpAddr) -> Result<(), Error> {
        self.remove_key(principal, Kind::Token, id, from).await
    }

    /// Removes one of the caller's S3 keys. When this returns, this process refuses it; others do within a second.
    ///
    /// # Errors
    /// As [`Accounts::remove_token`].
    pub async fn remove_s3_key(&self, principal: &Principal, id: KeyId, from: IpAddr) -> Result<(), Error> {
        self.remove_key(principal, Kind::S3, id, from).await
    }

    async fn remove_key(&self, principal: &Principal, kind: Kind, id: KeyId, from: IpAddr) -> Result<(), Error> {
        principal.needs(Permission::Account)?;
        let account = principal.account;
        let accounts = self.clone();
        let removed = self
            .0
            .db
            .write(Lane::Free, async move |tx| {
                let removed = db::credentials::remove(&tx, account, kind.as_str(), id).await?;
                if let Some((_, name)) = &removed {
                    let line = Line::own(kind.removed(), account, from).with(json!({ "key": id, "name": name }));
                    accounts.log(&tx, &line).await?;
                }
                Ok::<_, Error>(removed)
            })
            .await?;
        let (hash, _) = removed.ok_or(Error::KeyUnknown)?;
        self.0.live_keys.ended(hash, self.0.clock.elapsed());
        Ok(())
    }

    /// Whom a name and password of HTTP Basic authentication speak for.
    ///
    /// The password is an API token, never the account's own: that one would go over the wire with each request, cost a
    /// slow hash each time, and make a second factor worthless. The name must be the account's, in any case.
    ///
    /// # Errors
    /// [`Error::WrongCredentials`], [`Error::TokenExpired`], [`Error::Database`].
    pub async fn authenticate_basic(&self, name: &str, password: &str) -> Result<Principal, Error> {
        let token = ApiToken::parse(password).ok_or(Error::WrongCredentials)?;
        let name = AccountName::new(name).map_err(|_| Error::WrongCredentials)?;
        let live = match self.key(token.hash(), Kind::Token).await {
            Err(Error::TokenInvalid) => return Err(Error::WrongCredentials),
            result => result?,
        };
        if *live.name_key != *name.key {
            return Err(Error::WrongCredentials);
        }
        Ok(live.principal())
    }

    /// Whom an API token speaks for.
    pub(crate) async fn token_principal(&self, token: &ApiToken) -> Result<Principal, Error> {
        Ok(self.key(token.hash(), Kind::Token).await?.principal())
    }

    /// Whom an S3 key speaks for, by its public part, and the secret that requests must be signed with.
    ///
    /// # Errors
    /// [`Error::TokenInvalid`] if there is none, [`Error::TokenExpired`], [`Error::Damaged`], [`Error::Database`].
    pub async fn s3_key(&self, access_key_id: &str) -> Result<(Principal, Secret), Error> {
        let live = self.key(access_key_hash(access_key_id), Kind::S3).await?;
        let sealed = live.sealed.as_deref().ok_or(Error::Damaged("an S3 key"))?;
        let secret = self.0.seal.open(access_key_id.as_bytes(), sealed)?;
        let secret = String::from_utf8(secret).map_err(|_| Error::Damaged("an S3 key"))?;
        Ok((live.principal(), Secret::new(secret)))
    }

    /// The key of a hash, looked at in the database at most once a second.
    async fn key(&self, hash: [u8; 32], kind: Kind) -> Result<LiveKey, Error> {
        let inner = &*self.0;
        let known = match inner.live_keys.get(hash, inner.clock.elapsed()) {
            Some(known) => known,
            None => self.look_at_key(hash).await?,
        };
        match known {
            Known::Live(live) if live.is_s3 != (kind == Kind::S3) => Err(Error::TokenInvalid),
            Known::Live(live) if live.expires.is_some_and(|expires| expires <= inner.clock.now()) => {
                Err(Error::TokenExpired)
            }
            Known::Live(live) => Ok(live),
            Known::Ended => Err(Error::TokenInvalid),
        }
    }

    async fn look_at_key(&self, hash: [u8; 32]) -> Result<Known<LiveKey>, Error> {
        let inner = &*self.0;
        let state = db::credentials::state(&inner.db, &hash).await?.filter(|state| state.disabled.is_none());
        let Some(state) = state else { return Ok(Known::Ended) };
        let now = inner.clock.now();
        let stale = now.minus(USED_WITHIN);
        if state.expires.is_none_or(|expires| expires > now) && state.used.is_none_or(|used| used < stale) {
            let id = state.id;
            let noted =
                inner.db.write(Lane::Free, async move |tx| db::credentials::touch(&tx, id, now, stale).await).await;
            if let Err(error) = noted {
                tracing::warn!(key = %id, %error, "that a token was used could not be noted");
            }
        }
        let live = LiveKey {
            id: state.id,
            is_s3: state.kind == Kind::S3.as_str(),
            account: state.account,
            name_key: state.name_key.into(),
            permissions: Permissions::parse(&state.scopes).and(Permissions::parse(&state.permissions)),
            expires: state.expires,
            space: state.space,
            root: state.root,
            sealed: state.sealed.map(Into::into),
        };
        Ok(inner.live_keys.saw_live(hash, live, inner.clock.elapsed()))
    }
}
