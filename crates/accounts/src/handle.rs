//! The handle, its options, and what every request needs: whom a token speaks for.

use std::{sync::Arc, time::Duration};

use base::{Clock, Ids, SessionId};
use db::{Db, Lane};

use crate::{
    Error, Permission, Permissions, Principal,
    api_token::ApiToken,
    key::LiveKey,
    live::{Known, Lately, Live},
    passkey::Passkeys,
    password::Passwords,
    provider::{Provider, Providers, Remote},
    seal::Seal,
    settings::{Settings, Values},
    throttle::{Throttle, counts::SharedCounts},
    token::{Keys, StoredKey},
};

/// The setting that holds the key of access tokens.
const TOKEN_KEY: &str = "token-key";

/// Who may make an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registrations {
    /// Anybody.
    Open,
    /// Whoever was invited.
    Invited,
    /// Nobody; accounts are made by administrators.
    Closed,
}

impl Registrations {
    /// As it stands in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Invited => "invitation",
            Self::Closed => "closed",
        }
    }

    /// Reads the form of [`Self::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Open, Self::Invited, Self::Closed].into_iter().find(|one| one.as_str() == word)
    }
}

/// How accounts are run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Who may make an account where administrators do not say it.
    pub registrations: Registrations,
    /// What else holds where administrators do not say it; its `registration` does not count.
    pub defaults: Values,
    /// How long an access token is good.
    pub access_lifetime: Duration,
    /// How long a session goes on without being refreshed.
    pub refresh_lifetime: Duration,
    /// The bound of a new personal space; without it there is none.
    pub quota_bytes: Option<u64>,
    /// The address by which people reach the server, for links in letters.
    pub public_url: Option<String>,
    /// Whether letters can be sent: a worker has a [`MailHandler`](crate::MailHandler).
    pub mail: bool,
    /// How long lines of the audit log are kept.
    pub audit_lifetime: Duration,
    /// Passwords that are hashed at a time; each takes a core for about 20 ms, and 19 MiB.
    pub password_workers: usize,
    /// Identity providers that people may sign in at; they need the public address.
    pub providers: Option<Providers>,
    /// Counters of attempts that this process shares with others.
    pub shared_counts: Option<Arc<dyn SharedCounts>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            registrations: Registrations::Open,
            defaults: Values::default(),
            access_lifetime: Duration::from_secs(15 * 60),
            refresh_lifetime: Duration::from_secs(30 * 24 * 3600),
            quota_bytes: None,
            public_url: None,
            mail: false,
            audit_lifetime: Duration::from_secs(365 * 24 * 3600),
            password_workers: 2,
            providers: None,
            shared_counts: None,
        }
    }
}

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// Its items, in order.
    pub items: Vec<T>,
    /// Whether there are more after them.
    pub more: bool,
}

impl<T> Page<T> {
    /// The page that `limit + 1` rows were read for.
    pub(crate) fn of(mut items: Vec<T>, limit: u32) -> Self {
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        Self { items, more }
    }
}

/// People and what is theirs. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Accounts(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Ids,
    pub(crate) options: Options,
    pub(crate) keys: Keys,
    pub(crate) passwords: Passwords,
    pub(crate) throttle: Throttle,
    pub(crate) live: Lately<SessionId, Live>,
    /// By the hashes of what they are known by.
    pub(crate) live_keys: Lately<[u8; 32], LiveKey>,
    pub(crate) seal: Seal,
    pub(crate) settings: Settings,
    pub(crate) remotes: Vec<Remote>,
    /// Where the public address is one that passkeys can be made for.
    pub(crate) passkeys: Option<Passkeys>,
}

impl Accounts {
    /// Accounts in a database, with the key for access tokens that all processes on it share.
    ///
    /// The first process makes the key; of several that start at once, one does and the others read what it made.
    ///
    /// # Errors
    /// [`Error::Database`]; [`Error::Damaged`] if the stored key is none.
    pub async fn open(db: Db, clock: Arc<dyn Clock>, ids: Ids, options: Options) -> Result<Self, Error> {
        let keys = Keys::new(&shared_key(&db).await?)?;
        let seal = keys.seal();
        let passwords = Passwords::new(options.password_workers);
        let throttle = Throttle::new(keys.counting(), options.shared_counts.clone());
        let (live, live_keys) = (Lately::new(), Lately::new());
        let defaults = Values { registration: options.registrations, ..options.defaults.clone() };
        let settings = Settings::new(db.clone(), clock.clone(), defaults);
        settings.fresh().await;
        let address = options.public_url.as_deref();
        let passkeys = address.and_then(Passkeys::at);
        let remotes = match (&options.providers, address) {
            (Some(Providers { list, wire }), Some(address)) => {
                let remote = |rules: &Provider| Remote::new(rules.clone(), wire.clone(), clock.clone(), address);
                list.iter().map(remote).collect()
            }
            _ => Vec::new(),
        };
        let inner = Inner {
            db,
            clock,
            ids,
            options,
            keys,
            passwords,
            throttle,
            live,
            live_keys,
            seal,
            settings,
            remotes,
            passkeys,
        };
        Ok(Self(Arc::new(inner)))
    }

    /// The bound of a new personal space that no plan gives one.
    pub fn usual_quota_bytes(&self) -> Option<u64> {
        self.0.options.quota_bytes
    }

    /// Whom an access token or API token speaks for.
    ///
    /// This costs a few microseconds and no look at the database, unless the session was not looked at within the last
    /// second. A session that this process has ended is refused from the moment on at which that call returned.
    ///
    /// # Errors
    /// [`Error::TokenInvalid`], [`Error::TokenExpired`], [`Error::SessionEnded`], [`Error::Database`].
    pub async fn authenticate(&self, token: &str) -> Result<Principal, Error> {
        if let Some(token) = ApiToken::parse(token) {
            return self.token_principal(&token).await;
        }
        let inner = &*self.0;
        let principal = inner.keys.check(token, inner.clock.now())?;
        let live = self.live_permissions(&principal).await?;
        // The person is there, and not only a program that was let in.
        let permissions = principal.permissions.and(live).with(Permission::Account);
        Ok(Principal { permissions, ..principal })
    }

    /// What the account of a principal's session may do, as it was at most a second ago.
    ///
    /// # Errors
    /// [`Error::SessionEnded`], [`Error::Database`].
    pub(crate) async fn live_permissions(&self, principal: &Principal) -> Result<Permissions, Error> {
        let inner = &*self.0;
        let known = match inner.live.get(principal.session, inner.clock.elapsed()) {
            Some(known) => known,
            None => self.look(principal).await?,
        };
        match known {
            Known::Live(live) if live.account == principal.account && live.expires > inner.clock.now() => {
                Ok(live.permissions)
            }
            Known::Live(_) | Known::Ended => Err(Error::SessionEnded),
        }
    }

    /// What the database says of a principal's session.
    async fn look(&self, principal: &Principal) -> Result<Known<Live>, Error> {
        let inner = &*self.0;
        let state = db::accounts::session_state(&inner.db, principal.session).await?;
        let Some(state) = state.filter(|state| state.ended.is_none() && state.disabled.is_none()) else {
            inner.live.ended(principal.session, inner.clock.elapsed());
            return Ok(Known::Ended);
        };
        let live = Live {
            account: state.account,
            permissions: Permissions::parse(&state.permissions),
            expires: state.expires,
        };
        Ok(inner.live.saw_live(principal.session, live, inner.clock.elapsed()))
    }

    /// Removes up to `limit` sessions that expired a refresh token's lifetime ago, with all their tokens, and returns how
    /// many there were; besides up to as many API tokens and mailed links that expired as long ago, and lines of the audit log that are too
    /// old. To be called now and then by a worker: they are good for nothing any more.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn prune(&self, limit: u32) -> Result<u64, Error> {
        let before = self.0.clock.now().minus(self.0.options.refresh_lifetime);
        let now = self.0.clock.now();
        let unheard = self.0.clock.now().minus(self.0.options.audit_lifetime);
        let pruned = self
            .0
            .db
            .write(Lane::Free, async move |tx| {
                db::credentials::remove_expired(&tx, before, limit).await?;
                db::tickets::remove_expired(&tx, before, limit).await?;
                db::identities::forget_spent(&tx, now, limit).await?;
                db::audit::remove_before(&tx, unheard, limit).await?;
                db::accounts::delete_expired_sessions(&tx, before, limit).await
            })
            .await?;
        Ok(pruned)
    }
}

async fn shared_key(db: &Db) -> Result<StoredKey, Error> {
    let damaged = |_| Error::Damaged("the token key");
    if db::nodes::setting(db, TOKEN_KEY).await?.is_none() {
        let made = serde_json::to_string(&StoredKey::make()).map_err(damaged)?;
        // Whoever comes second inserts nothing.
        db.write(Lane::Free, async move |tx| db::nodes::swap_setting(&tx, TOKEN_KEY, None, &made).await).await?;
    }
    let stored = db::nodes::setting(db, TOKEN_KEY).await?.ok_or(Error::Damaged("the token key"))?;
    serde_json::from_str(&stored).map_err(damaged)
}
