//! Making accounts, seeing them, and changing passwords.

use std::{net::IpAddr, time::Duration};

use base::{AccountId, EntryId, Secret, SpaceId, Time};
use db::{
    Lane, Tx,
    accounts::{AccountRow, NewAccount},
    spaces::NewSpace,
};
use serde_json::json;

use crate::{
    Accounts, Error, Permission, Permissions, Principal, Registrations,
    audit::{Deed, Line},
    mail::LANGUAGES,
    name::{AccountName, EmailAddress, display_name, words},
    password::{GROUPS, make_up},
    ticket::{Kind, language},
};

/// The setting that tells that the first administrator was made, with its id.
const FIRST_ADMIN: &str = "first-admin";

/// The account name of the first administrator.
const ADMIN: &str = "admin";

/// How long a session is new: long enough to sign in and find what one wanted to do.
const NEW: Duration = Duration::from_secs(10 * 60);

/// What people call a personal space until they rename it.
const SPACE_NAME: &str = "My files";

/// An account to make.
#[derive(Debug, Clone)]
pub struct Registration {
    /// What its owner will sign in with: 2 to 64 letters, digits, `.`, `_`, `-`, `@`.
    pub name: String,
    /// Its password: 8 to 256 characters.
    pub password: Secret,
    /// What others will see; the name, if it is absent.
    pub display_name: Option<String>,
    /// `en` or `ru`; English, or that of the invitation, if it is absent.
    pub language: Option<String>,
    /// The token of an invitation, with which one may register even where others may not.
    pub invitation: Option<Secret>,
    /// Where the request came from.
    pub address: IpAddr,
}

/// An account as somebody sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserView {
    /// Which one.
    pub id: AccountId,
    /// What its owner signs in with.
    pub name: String,
    /// What others see.
    pub display_name: String,
    /// The version of its picture, if it has one.
    pub picture: Option<String>,
    /// What only its owner and administrators see.
    pub private: Option<Private>,
}

/// What only its owner and administrators see of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Private {
    /// What it may do.
    pub permissions: Permissions,
    /// Its personal space.
    pub space: SpaceId,
    /// That space's root folder.
    pub root: EntryId,
    /// When it was made.
    pub created: Time,
    /// Its e-mail address, once it was verified.
    pub email: Option<String>,
    /// Which language its owner reads: `en`, `ru`.
    pub language: String,
    /// Whether it has a password: one of an identity provider may have none.
    pub has_password: bool,
}

impl UserView {
    /// The account with everything, for its owner and administrators.
    pub(crate) fn full(row: AccountRow) -> Self {
        let private = Private {
            has_password: !row.password_hash.is_empty(),
            permissions: Permissions::parse(&row.permissions),
            space: row.space,
            root: row.root,
            created: row.created,
            email: row.email,
            language: row.language,
        };
        Self {
            id: row.id,
            name: row.name,
            display_name: row.display_name,
            picture: row.picture,
            private: Some(private),
        }
    }
}

impl Accounts {
    /// Makes an account with the permissions to use files and to make links, or those of the invitation, its personal space
    /// and that space's root folder. An invitation that was mailed proves its address.
    ///
    /// # Errors
    /// [`Error::RegistrationClosed`], [`Error::TicketInvalid`] for the invitation, [`Error::LanguageInvalid`], [`Error::NameInvalid`], [`Error::NameTaken`], [`Error::DisplayNameInvalid`],
    /// [`Error::PasswordInvalid`], [`Error::Busy`], [`Error::Database`].
    pub async fn register(&self, registration: Registration) -> Result<UserView, Error> {
        let invitation = match (&registration.invitation, self.settings().fresh().await.registration) {
            (_, Registrations::Closed) | (None, Registrations::Invited) => return Err(Error::RegistrationClosed),
            (Some(token), _) => Some(self.ticket(Kind::Invite, token).await?),
            (None, Registrations::Open) => None,
        };
        let chosen = registration.language.as_deref().map(language).transpose()?;
        let name = AccountName::new(&registration.name)?;
        let shown = display_name(registration.display_name.as_deref().unwrap_or(&name.shown))?;
        // A look first, since hashing costs so much more; the insertion decides.
        if db::accounts::account_by_name(&self.0.db, &name.key).await?.is_some() {
            return Err(Error::NameTaken);
        }
        let password_hash = self.0.passwords.hash(&registration.password).await?;
        let invited = invitation.as_ref().and_then(|ticket| ticket.permissions.as_deref()).map(Permissions::parse);
        let mut new = self.draft(name, shown, password_hash, invited.unwrap_or_else(Permissions::usual));
        if let Some(ticket) = &invitation {
            new.email = ticket.email.as_deref().map(EmailAddress::new).transpose()?;
            new.row.language.clone_from(&ticket.language);
        }
        if let Some(chosen) = chosen {
            chosen.clone_into(&mut new.row.language);
        }
        let ticket = invitation.map(|ticket| ticket.id);
        let line = Line::own(Deed::Registered, new.row.id, registration.address);
        let line = line.with(json!({ "name": new.row.name, "invitation": ticket }));
        let (now, accounts) = (self.0.clock.now(), self.clone());
        self.0
            .db
            .write(Lane::Free, async move |tx| {
                if let Some(ticket) = ticket
                    && !db::tickets::take(&tx, ticket, now).await?
                {
                    return Err(Error::TicketInvalid);
                }
                insert(&tx, &new).await?;
                accounts.log(&tx, &line).await?;
                let mut row = new.row;
                row.email = new.email.map(|email| email.shown);
                Ok(UserView::full(row))
            })
            .await
    }

    /// Makes the account `admin`, with all permissions, if this database never had one; to be called at each start.
    ///
    /// The account gets the given password, or one that is made up and returned: it is nowhere else. Of several processes
    /// that start at once one makes the account. An administrator who is removed later does not come back.
    ///
    /// # Errors
    /// [`Error::PasswordInvalid`], [`Error::NameTaken`] if somebody registered as `admin` before the first start,
    /// [`Error::Database`].
    pub async fn ensure_admin(&self, password: Option<Secret>) -> Result<Option<Secret>, Error> {
        if db::nodes::setting(&self.0.db, FIRST_ADMIN).await?.is_some() {
            return Ok(None);
        }
        let made_up = if password.is_none() { Some(make_up(GROUPS)) } else { None };
        let Some(chosen) = password.as_ref().or(made_up.as_ref()) else { return Ok(None) };
        let password_hash = self.0.passwords.hash(chosen).await?;
        let name = AccountName::new(ADMIN)?;
        let shown = "Administrator".to_owned();
        let new = self.draft(name, shown, password_hash, Permissions::of(Permission::ALL));
        let made = self
            .0
            .db
            .write(Lane::Free, async move |tx| {
                let mark = new.row.id.to_string();
                if !db::nodes::swap_setting(&tx, FIRST_ADMIN, None, &mark).await? {
                    return Ok::<_, Error>(false);
                }
                insert(&tx, &new).await?;
                Ok(true)
            })
            .await?;
        Ok(made_up.filter(|_| made))
    }

    /// An account: all of it for its owner and for those who may administer users, its names and picture for everybody else.
    ///
    /// # Errors
    /// [`Error::UserUnknown`], [`Error::Database`].
    pub async fn user(&self, principal: &Principal, id: AccountId) -> Result<UserView, Error> {
        let row = db::accounts::account(&self.0.db, id).await?.ok_or(Error::UserUnknown)?;
        let mut view = UserView::full(row);
        if principal.account != id && !principal.permissions.has(Permission::AdminUsers) {
            view.private = None;
        }
        Ok(view)
    }

    /// Changes the caller's password and ends all their other sessions. An account without one gets its first.
    ///
    /// # Errors
    /// [`Error::WrongPassword`] if the old one is not the account's; [`Error::SignInAgain`] if it has none, and the session is
    /// not new; [`Error::PasswordInvalid`],
    /// [`Error::PermissionMissing`] without a session, [`Error::TooManyAttempts`], [`Error::Busy`],
    /// [`Error::UserUnknown`], [`Error::Database`].
    pub async fn change_password(
        &self,
        principal: &Principal,
        old: Secret,
        new: Secret,
        from: IpAddr,
    ) -> Result<(), Error> {
        let inner = &*self.0;
        let row = self.prove(principal, &old).await?;
        let password_hash = inner.passwords.hash(&new).await?;
        let (account, keep, now) = (principal.account, principal.session, inner.clock.now());
        let line = Line::own(Deed::PasswordChanged, account, from);
        let accounts = self.clone();
        let ended = inner
            .db
            .write(Lane::Free, async move |tx| {
                // Of two changes at once the second finds another password than the one that was checked.
                if !db::accounts::replace_password(&tx, account, &row.password_hash, &password_hash).await? {
                    return Err(Error::WrongPassword);
                }
                db::tickets::void(&tx, account, Kind::Reset.as_str(), now).await?;
                accounts.log(&tx, &line).await?;
                Ok(db::accounts::end_other_sessions(&tx, account, keep, now).await?)
            })
            .await?;
        self.forget(ended);
        Ok(())
    }

    /// The caller's account, if this is its password; for what a stolen access token must not be enough for. Where the account
    /// has no password, the session must be new: whoever stole a token could not begin one.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`] without a session, [`Error::WrongPassword`], [`Error::SignInAgain`],
    /// [`Error::TooManyAttempts`], [`Error::Busy`], [`Error::UserUnknown`], [`Error::Database`].
    pub(crate) async fn prove(&self, principal: &Principal, password: &Secret) -> Result<AccountRow, Error> {
        principal.needs(Permission::Account)?;
        let inner = &*self.0;
        let row = db::accounts::account(&inner.db, principal.account).await?.ok_or(Error::UserUnknown)?;
        if row.password_hash.is_empty() {
            let now = inner.clock.now();
            let began = db::accounts::session_began(&inner.db, principal.session).await?;
            // One from the future began before a clock was set back.
            return match began.is_some_and(|began| began > now.minus(NEW) && began <= now.plus(NEW)) {
                true => Ok(row),
                false => Err(Error::SignInAgain),
            };
        }
        // A stolen access token must not become a way to guess the password. The counter is one of its own, by a text that
        // is no account name: strangers who try to sign in as this account do not keep its owner from changing it.
        let counter = format!("/{}", principal.account);
        let attempt = inner
            .throttle
            .admit(Some(&counter), None, inner.clock.elapsed())
            .await
            .map_err(|retry_after| Error::TooManyAttempts { retry_after })?;
        match inner.passwords.verify(password, Some(&row.password_hash)).await {
            Ok(true) => inner.throttle.succeeded(&attempt).await,
            Ok(false) => return Err(Error::WrongPassword),
            Err(error) => {
                inner.throttle.take_back(&attempt).await;
                return Err(error);
            }
        }
        Ok(row)
    }

    pub(crate) fn draft(
        &self,
        name: AccountName,
        shown: String,
        password_hash: String,
        permissions: Permissions,
    ) -> Draft {
        let row = AccountRow {
            id: self.0.ids.account(),
            name: name.shown,
            display_name: shown,
            password_hash,
            permissions: permissions.to_string(),
            created: self.0.clock.now(),
            disabled: None,
            space: self.0.ids.space(),
            root: self.0.ids.entry(),
            language: LANGUAGES[0].to_owned(),
            email: None,
            picture: None,
        };
        Draft { row, name_key: name.key, quota_bytes: self.0.options.quota_bytes, quota_own: false, email: None }
    }
}

/// An account about to be inserted.
pub(crate) struct Draft {
    pub(crate) row: AccountRow,
    name_key: String,
    pub(crate) quota_bytes: Option<u64>,
    /// Whether that is its own, and no default.
    pub(crate) quota_own: bool,
    /// Its address, if that is proven.
    pub(crate) email: Option<EmailAddress>,
}

/// Inserts an account with its space and root.
///
/// # Errors
/// [`Error::NameTaken`], [`Error::EmailTaken`], [`Error::Database`].
pub(crate) async fn insert(tx: &Tx, draft: &Draft) -> Result<(), Error> {
    let Draft { row, name_key, quota_bytes, quota_own, email } = draft;
    let account = NewAccount {
        id: row.id,
        name: &row.name,
        name_key,
        display_name: &row.display_name,
        password_hash: &row.password_hash,
        permissions: &row.permissions,
        created: row.created,
        language: &row.language,
    };
    if !db::accounts::insert_account(tx, &account).await? {
        return Err(Error::NameTaken);
    }
    if let Some(email) = email
        && !db::persons::set_email(tx, row.id, Some((&email.shown, &email.key))).await?
    {
        return Err(Error::EmailTaken);
    }
    db::people::set_words(tx, db::people::ACCOUNT, row.id.0, &words(&[&row.name, &row.display_name])).await?;
    let space = NewSpace {
        id: row.space,
        kind: db::spaces::PERSONAL,
        owner: row.id,
        name: SPACE_NAME,
        root: row.root,
        quota_bytes: *quota_bytes,
        quota_own: *quota_own,
        created: row.created,
    };
    Ok(db::spaces::insert_space(tx, &space).await?)
}
