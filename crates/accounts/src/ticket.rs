//! Links that may be used once: to confirm an address, to choose a new password, to make an account by invitation.

use std::{net::IpAddr, time::Duration};

use base::{AccountId, Secret, TicketId, Time, limits};
use db::{Lane, tickets::TicketRow};
use serde_json::json;

use crate::{
    Accounts, Error, Page, Permission, Permissions, Principal,
    audit::{Deed, Line},
    mail::LANGUAGES,
    name::EmailAddress,
};

/// How long the confirmation of an address may take.
const VERIFY: Duration = Duration::from_secs(24 * 3600);

/// How long the link for a new password is good.
const RESET: Duration = Duration::from_secs(3600);

/// How long an invitation is good where nothing else is said, and at most.
const INVITE: Duration = Duration::from_secs(7 * 24 * 3600);
const INVITE_MAX: Duration = Duration::from_secs(365 * 24 * 3600);

/// Letters of a kind that an account is sent in an hour, at most: nobody's inbox is filled by others.
const LETTERS_PER_HOUR: u64 = 3;

const HOUR: Duration = Duration::from_secs(3600);

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Verify,
    Reset,
    Invite,
}

impl Kind {
    /// As the database has it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Reset => "reset",
            Self::Invite => "invite",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Verify, Self::Reset, Self::Invite].into_iter().find(|kind| kind.as_str() == word)
    }

    /// The page of the web client that a link opens.
    fn page(self) -> &'static str {
        match self {
            Self::Verify => "verify-email",
            Self::Reset => "reset-password",
            Self::Invite => "invitation",
        }
    }
}

/// Somebody to invite.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    /// Where the invitation is mailed; without one the link is for the inviter to hand on.
    pub email: Option<String>,
    /// What the account may do; what a new account usually may, where absent.
    pub permissions: Option<Vec<String>>,
    /// `en` or `ru`; the inviter's, where absent.
    pub language: Option<String>,
    /// When it ends; in a week, where absent.
    pub expires: Option<Time>,
}

/// An invitation as administrators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationView {
    /// Which one.
    pub id: TicketId,
    /// Where it was mailed.
    pub email: Option<String>,
    /// What the account may do.
    pub permissions: Permissions,
    /// Of the account.
    pub language: String,
    /// Who invites.
    pub made_by: Option<AccountId>,
    /// When it was made.
    pub created: Time,
    /// When it ends.
    pub expires: Time,
    /// Goes with the registration.
    pub token: Secret,
    /// The link, if the server knows by which address people reach it.
    pub url: Option<Secret>,
}

impl Accounts {
    /// The token of a ticket: like that of a link, it is stored nowhere.
    fn ticket_token(&self, id: TicketId) -> Secret {
        self.0.keys.ticket_token(id)
    }

    /// The link of a ticket. The token stands behind `#`, which browsers send to no server and no log.
    pub(crate) fn ticket_url(&self, kind: Kind, id: TicketId) -> Option<String> {
        let base = self.0.options.public_url.as_deref()?.trim_end_matches('/');
        Some(format!("{base}/{}#token={}", kind.page(), self.ticket_token(id).expose()))
    }

    /// The ticket of a token, if it is of this kind and still good.
    ///
    /// # Errors
    /// [`Error::TicketInvalid`], [`Error::Database`].
    pub(crate) async fn ticket(&self, kind: Kind, token: &Secret) -> Result<TicketRow, Error> {
        let ticket = db::tickets::by_token(&self.0.db, &hash(token)).await?;
        let now = self.0.clock.now();
        let good = |row: &TicketRow| row.kind == kind.as_str() && row.used.is_none() && row.expires > now;
        ticket.filter(good).ok_or(Error::TicketInvalid)
    }

    fn new_ticket(&self, kind: Kind, language: &str, lifetime: Duration) -> TicketRow {
        let now = self.0.clock.now();
        TicketRow {
            id: self.0.ids.ticket(),
            kind: kind.as_str().to_owned(),
            account: None,
            email: None,
            permissions: None,
            language: language.to_owned(),
            made_by: None,
            created: now,
            expires: now.plus(lifetime),
            used: None,
        }
    }

    /// Begins to change the caller's e-mail address: it counts once the link that is mailed there was opened. Without one,
    /// the address is removed at once.
    ///
    /// Whether another account has the address is not said before that: only its owner may know.
    ///
    /// # Errors
    /// [`Error::EmailInvalid`], [`Error::MailOff`], [`Error::TooManyAttempts`] after a few in an hour; those of a wrong
    /// password as [`Accounts::change_password`] has them.
    pub async fn change_email(
        &self,
        principal: &Principal,
        email: Option<&str>,
        password: &Secret,
        from: IpAddr,
    ) -> Result<(), Error> {
        let email = email.map(EmailAddress::new).transpose()?;
        if email.is_some() && !self.0.options.mail {
            return Err(Error::MailOff);
        }
        let row = self.prove(principal, password).await?;
        let (account, now, accounts) = (row.id, self.0.clock.now(), self.clone());
        let Some(email) = email else {
            let line = Line::own(Deed::EmailChanged, account, from).with(json!({ "email": null }));
            return self
                .0
                .db
                .write(Lane::Free, async move |tx| {
                    db::tickets::void(&tx, account, Kind::Verify.as_str(), now).await?;
                    db::persons::set_email(&tx, account, None).await?;
                    Ok(accounts.log(&tx, &line).await?)
                })
                .await;
        };
        let mut ticket = self.new_ticket(Kind::Verify, &row.language, VERIFY);
        ticket.account = Some(account);
        ticket.email = Some(email.shown);
        let token_hash = hash(&self.ticket_token(ticket.id));
        self.0
            .db
            .write(Lane::Free, async move |tx| {
                let kind = Kind::Verify.as_str();
                if db::tickets::count_since(&tx, account, kind, now.minus(HOUR)).await? >= LETTERS_PER_HOUR {
                    return Err(Error::TooManyAttempts { retry_after: HOUR });
                }
                // Only the newest address can be confirmed.
                db::tickets::void(&tx, account, kind, now).await?;
                db::tickets::insert(&tx, &ticket, &token_hash).await?;
                accounts.send_ticket(&tx, ticket.id).await
            })
            .await
    }

    /// Confirms an address by the token that was mailed there.
    ///
    /// # Errors
    /// [`Error::TicketInvalid`], [`Error::EmailTaken`] if another account has confirmed it meanwhile, [`Error::Database`].
    pub async fn verify_email(&self, token: &Secret, from: IpAddr) -> Result<(), Error> {
        let ticket = self.ticket(Kind::Verify, token).await?;
        let (Some(account), Some(email)) = (ticket.account, ticket.email.as_deref()) else {
            return Err(Error::Damaged("a ticket"));
        };
        let email = EmailAddress::new(email)?;
        let line = Line::own(Deed::EmailChanged, account, from).with(json!({ "email": email.shown }));
        let (now, accounts) = (self.0.clock.now(), self.clone());
        self.0
            .db
            .write(Lane::Free, async move |tx| {
                if !db::tickets::take(&tx, ticket.id, now).await? {
                    return Err(Error::TicketInvalid);
                }
                if !db::persons::set_email(&tx, account, Some((&email.shown, &email.key))).await? {
                    return Err(Error::EmailTaken);
                }
                Ok(accounts.log(&tx, &line).await?)
            })
            .await
    }

    /// Has a link for a new password mailed to the account with this address, if there is one.
    ///
    /// The answer, and the time that it takes, is the same whether there is or not: only a job is queued here, and the worker
    /// looks.
    ///
    /// # Errors
    /// [`Error::EmailInvalid`], [`Error::MailOff`], [`Error::TooManyAttempts`] for the client's address,
    /// [`Error::Database`].
    pub async fn ask_reset(&self, email: &str, from: IpAddr) -> Result<(), Error> {
        let email = EmailAddress::new(email)?;
        if !self.0.options.mail {
            return Err(Error::MailOff);
        }
        // Counted as a failed sign-in is, and never taken back.
        let admitted = self.0.throttle.admit(None, Some(from), self.0.clock.elapsed()).await;
        admitted.map_err(|retry_after| Error::TooManyAttempts { retry_after })?;
        self.send_reset(email.key).await
    }

    /// The part of [`Accounts::ask_reset`] that the worker does.
    pub(crate) async fn begin_reset(&self, email_key: &str) -> Result<(), Error> {
        let row = db::persons::by_email(&self.0.db, email_key).await?.filter(|row| row.disabled.is_none());
        let Some(row) = row else { return Ok(()) };
        self.mail_reset(row).await
    }

    /// Mails an account a link for a new password, unless it was sent some lately.
    pub(crate) async fn mail_reset(&self, row: db::accounts::AccountRow) -> Result<(), Error> {
        let mut ticket = self.new_ticket(Kind::Reset, &row.language, RESET);
        ticket.account = Some(row.id);
        ticket.email = row.email;
        let token_hash = hash(&self.ticket_token(ticket.id));
        let (account, now, accounts) = (row.id, self.0.clock.now(), self.clone());
        let line =
            Line { deed: Deed::ResetAsked, actor: None, account: Some(account), address: None, detail: json!({}) };
        self.0
            .db
            .write(Lane::Free, async move |tx| {
                let since = now.minus(HOUR);
                if db::tickets::count_since(&tx, account, Kind::Reset.as_str(), since).await? >= LETTERS_PER_HOUR {
                    return Ok(());
                }
                db::tickets::insert(&tx, &ticket, &token_hash).await?;
                accounts.log(&tx, &line).await?;
                accounts.send_ticket(&tx, ticket.id).await
            })
            .await
    }

    /// Chooses a new password by the token that was mailed, and ends all sessions of the account. A second factor stays.
    ///
    /// # Errors
    /// [`Error::TicketInvalid`], [`Error::PasswordInvalid`], [`Error::Busy`], [`Error::Database`].
    pub async fn reset_password(&self, token: &Secret, new: &Secret, from: IpAddr) -> Result<(), Error> {
        let ticket = self.ticket(Kind::Reset, token).await?;
        let account = ticket.account.ok_or(Error::Damaged("a ticket"))?;
        let password_hash = self.0.passwords.hash(new).await?;
        let line = Line::own(Deed::PasswordReset, account, from).with(json!({ "by": "mail" }));
        let (now, accounts) = (self.0.clock.now(), self.clone());
        let ended = self
            .0
            .db
            .write(Lane::Free, async move |tx| {
                if !db::tickets::take(&tx, ticket.id, now).await? {
                    return Err(Error::TicketInvalid);
                }
                db::tickets::void(&tx, account, Kind::Reset.as_str(), now).await?;
                db::persons::set_password(&tx, account, &password_hash).await?;
                accounts.log(&tx, &line).await?;
                Ok(db::persons::end_sessions(&tx, account, now).await?)
            })
            .await?;
        self.forget(ended);
        Ok(())
    }

    /// Invites somebody, by mail or with a link to hand on. Registration by it works where it is closed for others.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`] without `admin.users`, or for a permission that the inviter lacks;
    /// [`Error::EmailInvalid`], [`Error::ScopesInvalid`], [`Error::LanguageInvalid`], [`Error::ExpiryInvalid`],
    /// [`Error::MailOff`], [`Error::Database`].
    pub async fn invite(
        &self,
        principal: &Principal,
        new: NewInvitation,
        from: IpAddr,
    ) -> Result<InvitationView, Error> {
        principal.needs(Permission::AdminUsers)?;
        let email = new.email.as_deref().map(EmailAddress::new).transpose()?;
        if email.is_some() && !self.0.options.mail {
            return Err(Error::MailOff);
        }
        let permissions = match &new.permissions {
            Some(words) => Permissions::from_words(words.iter().map(String::as_str)).ok_or(Error::ScopesInvalid)?,
            None => Permissions::usual(),
        };
        principal.may_give(permissions)?;
        let language = match new.language {
            Some(language) => self::language(&language)?.to_owned(),
            None => {
                let row = db::accounts::account(&self.0.db, principal.account).await?;
                row.ok_or(Error::UserUnknown)?.language
            }
        };
        let mut ticket = self.new_ticket(Kind::Invite, &language, INVITE);
        if let Some(expires) = new.expires {
            if expires <= ticket.created || expires > ticket.created.plus(INVITE_MAX) {
                return Err(Error::ExpiryInvalid);
            }
            ticket.expires = expires;
        }
        ticket.email = email.map(|email| email.shown);
        ticket.permissions = Some(permissions.to_string());
        ticket.made_by = Some(principal.account);
        let token_hash = hash(&self.ticket_token(ticket.id));
        let detail = json!({ "invitation": ticket.id, "email": ticket.email, "permissions": ticket.permissions });
        let line = Line { account: None, ..Line::own(Deed::Invited, principal.account, from) }.with(detail);
        let (accounts, kept) = (self.clone(), ticket.clone());
        self.0
            .db
            .write(Lane::Free, async move |tx| {
                db::tickets::insert(&tx, &kept, &token_hash).await?;
                accounts.log(&tx, &line).await?;
                match kept.email {
                    Some(_) => accounts.send_ticket(&tx, kept.id).await,
                    None => Ok(()),
                }
            })
            .await?;
        Ok(self.invitation_view(ticket))
    }

    /// Up to `limit` invitations that are still good, oldest first, beginning after `after`.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`] without `admin.users`, [`Error::Database`].
    pub async fn invitations(
        &self,
        principal: &Principal,
        after: Option<TicketId>,
        limit: u32,
    ) -> Result<Page<InvitationView>, Error> {
        principal.needs(Permission::AdminUsers)?;
        let limit = limit.clamp(1, limits::PAGE_ENTRIES_MAX);
        let rows = db::tickets::invitations(&self.0.db, self.0.clock.now(), after, limit + 1).await?;
        Ok(Page::of(rows.into_iter().map(|row| self.invitation_view(row)).collect(), limit))
    }

    /// Takes an invitation back.
    ///
    /// # Errors
    /// [`Error::InvitationUnknown`] if there is none, or it was used; [`Error::PermissionMissing`], [`Error::Database`].
    pub async fn remove_invitation(&self, principal: &Principal, id: TicketId) -> Result<(), Error> {
        principal.needs(Permission::AdminUsers)?;
        let now = self.0.clock.now();
        let removed =
            self.0.db.write(Lane::Free, async move |tx| db::tickets::remove_invitation(&tx, id, now).await).await?;
        if removed { Ok(()) } else { Err(Error::InvitationUnknown) }
    }

    fn invitation_view(&self, row: TicketRow) -> InvitationView {
        InvitationView {
            token: self.ticket_token(row.id),
            url: self.ticket_url(Kind::Invite, row.id).map(Secret::new),
            id: row.id,
            email: row.email,
            permissions: Permissions::parse(row.permissions.as_deref().unwrap_or_default()),
            language: row.language,
            made_by: row.made_by,
            created: row.created,
            expires: row.expires,
        }
    }
}

/// What is stored of a ticket's token. A plain hash is enough for what nobody can guess.
fn hash(token: &Secret) -> [u8; 32] {
    *blake3::hash(token.expose().as_bytes()).as_bytes()
}

/// A language that letters are written in.
///
/// # Errors
/// [`Error::LanguageInvalid`].
pub(crate) fn language(text: &str) -> Result<&'static str, Error> {
    LANGUAGES.into_iter().find(|&language| language == text).ok_or(Error::LanguageInvalid)
}
