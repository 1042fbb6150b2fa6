//! Signing in, staying signed in, and signing out.

use std::{net::IpAddr, time::Duration};

use base::{AccountId, Secret, SessionId, Time, limits};
use db::{
    Lane, Tx,
    accounts::{AccountRow, SessionRow},
};
use serde_json::json;
use tokio::sync::broadcast;

use crate::{
    Accounts, Error, Page, Permission, Permissions, Principal, UserView,
    audit::{Deed, Line},
    identity::Origin,
    name::{AccountName, client},
    token::RefreshToken,
};

/// How long after it was spent a refresh token may be shown again by a client that did not get the answer. Long enough
/// for a connection that broke and one retry, short next to what a thief needs to find and use a token.
const RETRY_GRACE: Duration = Duration::from_secs(10);

/// Somebody who wants to sign in.
#[derive(Debug, Clone)]
pub struct Login {
    /// The account's name, in any case.
    pub name: String,
    /// Its password.
    pub password: Secret,
    /// What the client calls itself, for the list of sessions.
    pub client: Option<String>,
    /// Where the request came from.
    pub address: IpAddr,
}

/// What a client needs to act for somebody.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// Goes with each request.
    pub access: Secret,
    /// How long it is good.
    pub expires_in: Duration,
    /// Buys the next tokens, once.
    pub refresh: Secret,
    /// For whom the client acts.
    pub user: UserView,
}

/// A session as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionView {
    /// Which one.
    pub id: SessionId,
    /// What the client calls itself.
    pub client: String,
    /// When it began.
    pub created: Time,
    /// When it last got new tokens.
    pub used: Time,
    /// When it ends by itself.
    pub expires: Time,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// What became of a refresh token.
enum Refreshed {
    /// This is its session; the token is spent, and its successor stored.
    Next(SessionId),
    /// Nobody knows it.
    Unknown,
    /// Its session does not go on.
    Ended,
    /// It was spent before, so this session was ended.
    Reused(SessionId),
}

impl Accounts {
    /// Begins a session.
    ///
    /// # Errors
    /// [`Error::WrongCredentials`], after the same time whether there is such an account or not;
    /// [`Error::AccountDisabled`] and [`Error::SecondFactorRequired`], only to those who know the password;
    /// [`Error::TooManyAttempts`], [`Error::Busy`], [`Error::Database`].
    pub async fn login(&self, login: Login) -> Result<Tokens, Error> {
        let inner = &*self.0;
        // What is no name is nobody's, and is treated as any other wrong name.
        let key = AccountName::new(&login.name).ok().map(|name| name.key);
        let attempt = inner
            .throttle
            .admit(key.as_deref(), Some(login.address), inner.clock.elapsed())
            .await
            .map_err(|retry_after| Error::TooManyAttempts { retry_after })?;
        let checked = async {
            let row = match key {
                Some(key) => db::accounts::account_by_name(&inner.db, &key).await?,
                None => None,
            };
            // An account of an identity provider may have no password, and then no password is right.
            let phc = row.as_ref().map(|row| row.password_hash.as_str()).filter(|phc| !phc.is_empty());
            let right = inner.passwords.verify(&login.password, phc).await?;
            Ok::<_, Error>((row, right))
        };
        let row = match checked.await {
            Ok((Some(row), true)) => row,
            Ok((row, _)) => {
                // A name that nobody has is not kept: it may be a password in the wrong field.
                let account = row.map(|row| row.id);
                let (deed, address, detail) = (Deed::SignInFailed, Some(login.address), json!({ "step": "password" }));
                self.log_alone(Line { deed, actor: None, account, address, detail }).await;
                return Err(Error::WrongCredentials);
            }
            Err(error) => {
                inner.throttle.take_back(&attempt).await;
                return Err(error);
            }
        };
        // Not a failure in any case. Whether the address is one of the owner's, the second factor tells, if there is one.
        inner.throttle.take_back(&attempt).await;
        if row.disabled.is_some() {
            return Err(Error::AccountDisabled);
        }
        let client = client(login.client.as_deref().unwrap_or_default());
        self.challenge(&row, &client, None).await?;
        inner.throttle.remember(&attempt).await;
        self.begin(row, client, login.address, json!({}), None).await
    }

    /// Begins a session of somebody who has proven who they are; `detail` is how, for the audit log, and `origin` by what,
    /// if that was elsewhere.
    pub(crate) async fn begin(
        &self,
        row: AccountRow,
        client: String,
        from: IpAddr,
        detail: serde_json::Value,
        origin: Option<Origin>,
    ) -> Result<Tokens, Error> {
        let (now, id, refresh) = (self.0.clock.now(), self.0.ids.session(), RefreshToken::make());
        let expires = now.plus(self.0.options.refresh_lifetime);
        let session = SessionRow { id, client, created: now, used: now, expires };
        let (account, password_hash, hash) = (row.id, row.password_hash.clone(), refresh.hash());
        let line = Line::own(Deed::SignIn, account, from).with(detail);
        let accounts = self.clone();
        self.0
            .db
            .write(Lane::Free, async move |tx| {
                if !db::accounts::insert_session(&tx, account, &password_hash, &session).await? {
                    return Err(Error::WrongCredentials);
                }
                if let Some(Origin { identity, session }) = &origin {
                    db::identities::mark_session(&tx, id, *identity, session.as_deref()).await?;
                }
                accounts.log(&tx, &line).await?;
                Ok(db::accounts::insert_refresh(&tx, &hash, id, now).await?)
            })
            .await?;
        self.tokens(row, id, refresh)
    }

    /// Exchanges a refresh token for new tokens of the same session, whose end moves.
    ///
    /// A token is spent by this. If it is shown again, either its holder or somebody who stole it is the second, and
    /// nobody can tell which: the session ends, and both must sign in. One case is told apart, since it is common and
    /// would sign out people on bad networks: the answer was lost, and the client asks again. Within ten seconds, and
    /// only as long as the successor was not used, the *same* successor is given once more. Two requests at once with one
    /// token are the same case: one exchange happens, and both hear of it. A thief gains nothing by it: whoever of the
    /// two uses the successor second ends the session.
    ///
    /// # Errors
    /// [`Error::TokenInvalid`], [`Error::TokenReused`], [`Error::SessionEnded`], [`Error::Database`].
    pub async fn refresh(&self, token: &str) -> Result<Tokens, Error> {
        let inner = &*self.0;
        let token = RefreshToken::parse(token).ok_or(Error::TokenInvalid)?;
        let successor = inner.keys.successor(&token);
        let now = inner.clock.now();
        let lifetime = inner.options.refresh_lifetime;
        let hashes = (token.hash(), successor.hash());
        let outcome = inner.db.write(Lane::Free, async move |tx| exchange(&tx, hashes, now, lifetime).await).await?;
        let session = match outcome {
            Refreshed::Next(session) => session,
            Refreshed::Unknown => return Err(Error::TokenInvalid),
            Refreshed::Ended => return Err(Error::SessionEnded),
            Refreshed::Reused(session) => {
                inner.live.ended(session, inner.clock.elapsed());
                tracing::warn!(%session, "a refresh token was used twice; its session was ended");
                return Err(Error::TokenReused);
            }
        };
        let state = db::accounts::session_state(&inner.db, session).await?.ok_or(Error::SessionEnded)?;
        let row = db::accounts::account(&inner.db, state.account).await?.ok_or(Error::SessionEnded)?;
        self.tokens(row, session, successor)
    }

    fn tokens(&self, row: AccountRow, session: SessionId, refresh: RefreshToken) -> Result<Tokens, Error> {
        let principal = Principal {
            account: row.id,
            session,
            permissions: Permissions::parse(&row.permissions),
            space: row.space,
            root: row.root,
        };
        let expires_in = self.0.options.access_lifetime;
        let access = self.0.keys.access(&principal, self.0.clock.now(), expires_in)?;
        Ok(Tokens { access, expires_in, refresh: refresh.into_secret(), user: UserView::full(row) })
    }

    /// Ends the caller's session. One that has ended already is no error.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn logout(&self, principal: &Principal) -> Result<(), Error> {
        match self.end_session(principal, principal.session).await {
            Ok(()) | Err(Error::SessionUnknown) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Sessions as they end from now on, here or in other processes. A hint: one may be missing, and one may come twice.
    pub fn session_ends(&self) -> broadcast::Receiver<SessionId> {
        self.0.db.session_ends()
    }

    /// Accounts that are given something, or from which something is taken, from now on: a hint, as all of these are.
    pub fn given(&self) -> broadcast::Receiver<AccountId> {
        self.0.db.given()
    }

    /// Up to `limit` of the caller's sessions that go on, oldest first, beginning after `after`.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`] without a session of their own, [`Error::Database`].
    pub async fn sessions(
        &self,
        principal: &Principal,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Page<SessionView>, Error> {
        principal.needs(Permission::Account)?;
        let limit = limit.clamp(1, limits::PAGE_ENTRIES_MAX);
        let now = self.0.clock.now();
        let rows = db::accounts::live_sessions(&self.0.db, principal.account, now, after, limit + 1).await?;
        let views = rows.into_iter().map(|row| session_view(row, principal.session)).collect();
        Ok(Page::of(views, limit))
    }

    /// Ends one of the caller's sessions. When this returns, this process refuses its tokens; others do within a second.
    ///
    /// # Errors
    /// [`Error::SessionUnknown`] if it is not the caller's, or has ended already; [`Error::PermissionMissing`] without a
    /// session of their own; [`Error::Database`].
    pub async fn end_session(&self, principal: &Principal, id: SessionId) -> Result<(), Error> {
        principal.needs(Permission::Account)?;
        let inner = &*self.0;
        let (account, now) = (principal.account, inner.clock.now());
        let ended =
            inner.db.write(Lane::Free, async move |tx| db::accounts::end_session(&tx, account, id, now).await).await?;
        if !ended {
            return Err(Error::SessionUnknown);
        }
        inner.live.ended(id, inner.clock.elapsed());
        Ok(())
    }
}

/// A session as its owner sees it, in the session `current`.
pub(crate) fn session_view(row: SessionRow, current: SessionId) -> SessionView {
    SessionView {
        current: row.id == current,
        id: row.id,
        client: row.client,
        created: row.created,
        used: row.used,
        expires: row.expires,
    }
}

/// Spends the token of the first hash and stores its successor's, the second.
///
/// An outcome that refuses is no error of the unit of work: ending the session must be committed.
async fn exchange(
    tx: &Tx,
    (token, successor): ([u8; 32], [u8; 32]),
    now: Time,
    lifetime: Duration,
) -> Result<Refreshed, Error> {
    let Some(row) = db::accounts::refresh(tx, &token).await? else { return Ok(Refreshed::Unknown) };
    let session = row.session;
    let Some(account) = db::accounts::touch_session(tx, session, now, now.plus(lifetime)).await? else {
        return Ok(Refreshed::Ended);
    };
    // Once more, now that the session's lock is held: another request may have been faster.
    let Some(row) = db::accounts::refresh(tx, &token).await? else { return Ok(Refreshed::Unknown) };
    let Some(spent) = row.spent else {
        db::accounts::spend_refresh(tx, &token, now).await?;
        db::accounts::insert_refresh(tx, &successor, session, now).await?;
        // Older ones would be refused in any case, since the session would have expired with them.
        db::accounts::delete_spent_refresh(tx, session, now.minus(lifetime)).await?;
        return Ok(Refreshed::Next(session));
    };
    // Measured both ways, so that a clock that was set back does not make the grace longer.
    let lately = now.since(spent).max(spent.since(now)) <= RETRY_GRACE;
    if lately && db::accounts::refresh(tx, &successor).await?.is_some_and(|next| next.spent.is_none()) {
        return Ok(Refreshed::Next(session));
    }
    db::accounts::end_session(tx, account, session, now).await?;
    Ok(Refreshed::Reused(session))
}
