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
    AccountClosed,
    AccountEnded,
    SessionsEnded,
    IdentityLinked,
    IdentityUnlinked,
    PasskeyAdded,
    PasskeyRemoved,
    PictureRemoved,
    TokenMade,
    TokenRemoved,
    S3KeyMade,
    S3KeyRemoved,
    Admin(AdminDeed),
}

/// What administrators do that is not about an account alone. The words are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdminDeed {
    /// A plan was made.
    PlanMade,
    /// A plan was changed, and with it the limits of all spaces that have it.
    PlanChanged,
    /// A plan was removed.
    PlanRemoved,
    /// A space was given a plan, or has none any more.
    PlanGiven,
    /// The room of a space was set for it alone.
    QuotaSet,
    /// Somebody was made the manager of a team's space that had none.
    ManagerGiven,
    /// A team's space was ended by somebody who does not manage it.
    SpaceEnded,
    /// An upload of somebody was cancelled.
    UploadCancelled,
    /// A job that was given up was begun anew.
    JobRetried,
    /// A job was cancelled.
    JobCancelled,
    /// Settings of the server were changed.
    SettingsChanged,
}

impl AdminDeed {
    fn as_str(self) -> &'static str {
        match self {
            Self::PlanMade => "plan-made",
            Self::PlanChanged => "plan-changed",
            Self::PlanRemoved => "plan-removed",
            Self::PlanGiven => "plan-given",
            Self::QuotaSet => "quota-set",
            Self::ManagerGiven => "manager-given",
            Self::SpaceEnded => "space-ended",
            Self::UploadCancelled => "upload-cancelled",
            Self::JobRetried => "job-retried",
            Self::JobCancelled => "job-cancelled",
            Self::SettingsChanged => "settings-changed",
        }
    }
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
            Self::AccountClosed => "account-closed",
            Self::AccountEnded => "account-ended",
            Self::SessionsEnded => "sessions-ended",
            Self::IdentityLinked => "identity-linked",
            Self::IdentityUnlinked => "identity-unlinked",
            Self::PasskeyAdded => "passkey-added",
            Self::PasskeyRemoved => "passkey-removed",
            Self::PictureRemoved => "picture-removed",
            Self::TokenMade => "token-made",
            Self::TokenRemoved => "token-removed",
            Self::S3KeyMade => "s3-key-made",
            Self::S3KeyRemoved => "s3-key-removed",
            Self::Admin(deed) => deed.as_str(),
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

    /// Writes down what an administrator did, in the unit of work that does it. `account` is whom it is about, if that is
    /// somebody; `detail` says the rest, and never a name of a file.
    ///
    /// # Errors
    /// [`db::Error`].
    pub async fn log_admin(
        &self,
        tx: &Tx,
        deed: AdminDeed,
        (principal, address): (&Principal, IpAddr),
        account: Option<AccountId>,
        detail: Value,
    ) -> Result<(), db::Error> {
        let actor = Some(principal.account);
        self.log(tx, &Line { deed: Deed::Admin(deed), actor, account, address: Some(address), detail }).await
    }

    /// The same by itself, for what was done elsewhere: that it cannot be written is no reason to answer otherwise.
    pub async fn log_admin_alone(
        &self,
        deed: AdminDeed,
        (principal, address): (&Principal, IpAddr),
        account: Option<AccountId>,
        detail: Value,
    ) {
        let actor = Some(principal.account);
        self.log_alone(Line { deed: Deed::Admin(deed), actor, account, address: Some(address), detail }).await;
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
