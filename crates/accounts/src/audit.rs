//! The audit log: who did what to whom, when, and from where. Every line is written in the unit of work that it tells of.

use std::net::IpAddr;

use base::{AccountId, AuditId, Time, limits};
use db::{Lane, Tx, audit::AuditRow};
use serde_json::{Value, json};

use crate::{Accounts, Error, Page, Permission, Principal};

/// What is logged. The words are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    SignIn,
    SignInFailed,
    PasswordChanged,
    SecondFactorOn,
    SecondFactorOff,
    RecoveryCodesMade,
    Registered,
    Invited,
    EmailChanged,
    ResetAsked,
    PasswordReset,
    AccountMade,
    AccountChanged,
    AccountEnded,
    SessionsEnded,
    IdentityLinked,
    IdentityUnlinked,
    PasskeyAdded,
    PasskeyRemoved,
    TokenMade,
    TokenRemoved,
    S3KeyMade,
    S3KeyRemoved,
}

impl Deed {
    fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::SignInFailed => "sign-in-failed",
            Self::PasswordChanged => "password-changed",
            Self::SecondFactorOn => "second-factor-on",
            Self::SecondFactorOff => "second-factor-off",
            Self::RecoveryCodesMade => "recovery-codes-made",
            Self::Registered => "registered",
            Self::Invited => "invited",
            Self::EmailChanged => "email-changed",
            Self::ResetAsked => "password-reset-asked",
            Self::PasswordReset => "password-reset",
            Self::AccountMade => "account-made",
            Self::AccountChanged => "account-changed",
            Self::AccountEnded => "account-ended",
            Self::SessionsEnded => "sessions-ended",
            Self::IdentityLinked => "identity-linked",
            Self::IdentityUnlinked => "identity-unlinked",
            Self::PasskeyAdded => "passkey-added",
            Self::PasskeyRemoved => "passkey-removed",
            Self::TokenMade => "token-made",
            Self::TokenRemoved => "token-removed",
            Self::S3KeyMade => "s3-key-made",
            Self::S3KeyRemoved => "s3-key-removed",
        }
    }
}

/// Something to log.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) deed: Deed,
    /// Who did it, where that is known.
    pub(crate) actor: Option<AccountId>,
    /// To whose account.
    pub(crate) account: Option<AccountId>,
    /// From where.
    pub(crate) address: Option<IpAddr>,
    /// What else is worth knowing, never a secret.
    pub(crate) detail: Value,
}

impl Line {
    /// Something that somebody did to their own account.
    pub(crate) fn own(deed: Deed, account: AccountId, address: IpAddr) -> Self {
        Self { deed, actor: Some(account), account: Some(account), address: Some(address), detail: json!({}) }
    }

    /// Something that an administrator did to somebody's account.
    pub(crate) fn of(deed: Deed, principal: &Principal, account: AccountId, address: IpAddr) -> Self {
        Self { account: Some(account), ..Self::own(deed, principal.account, address) }
    }

    pub(crate) fn with(self, detail: Value) -> Self {
        Self { detail, ..self }
    }
}

/// A line of the audit log as administrators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditView {
    /// Which one; newer ones have higher ids.
    pub id: AuditId,
    /// When.
    pub at: Time,
    /// What, as a stable word.
    pub action: String,
    /// Who; nobody known, or the server itself, where it is absent.
    pub actor: Option<AccountId>,
    /// To whose account.
    pub account: Option<AccountId>,
    /// From where.
    pub address: Option<String>,
    /// What else is worth knowing.
    pub detail: Value,
}

impl Accounts {
    /// Writes a line of the audit log in the caller's unit of work.
    pub(crate) async fn log(&self, tx: &Tx, line: &Line) -> Result<(), db::Error> {
        let row = AuditRow {
            id: self.0.ids.audit(),
            at: self.0.clock.now(),
            action: line.deed.as_str().to_owned(),
            actor: line.actor,
            account: line.account,
            address: line.address.map(|address| address.to_canonical().to_string()),
            detail: line.detail.to_string(),
        };
        db::audit::insert(tx, &row).await
    }

    /// Writes a line of the audit log by itself. That it cannot be written is no reason to answer otherwise.
    pub(crate) async fn log_alone(&self, line: Line) {
        let accounts = self.clone();
        let written = self.0.db.write(Lane::Free, async move |tx| accounts.log(&tx, &line).await).await;
        if let Err(error) = written {
            tracing::warn!(%error, "a line of the audit log could not be written");
        }
    }

    /// Up to `limit` lines of the audit log, newest first, older than `before`.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`] without `admin.users`; [`Error::Database`].
    pub async fn audit(
        &self,
        principal: &Principal,
        filter: &db::audit::Filter<'_>,
        before: Option<AuditId>,
        limit: u32,
    ) -> Result<Page<AuditView>, Error> {
        principal.needs(Permission::AdminUsers)?;
        let limit = limit.clamp(1, limits::PAGE_ENTRIES_MAX);
        let rows = db::audit::lines(&self.0.db, filter, before, limit + 1).await?;
        let view = |row: AuditRow| AuditView {
            id: row.id,
            at: row.at,
            action: row.action,
            actor: row.actor,
            account: row.account,
            address: row.address,
            detail: serde_json::from_str(&row.detail).unwrap_or(Value::Null),
        };
        Ok(Page::of(rows.into_iter().map(view).collect(), limit))
    }
}
