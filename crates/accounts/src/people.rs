//! Accounts in the hands of administrators, and what people change of their own.

use std::net::IpAddr;

use base::{AccountId, Secret, SessionId, Time, limits};
use db::{Lane, Tx, accounts::AccountRow, persons::PersonRow};
use serde_json::{Map, Value, json};

use crate::{
    Accounts, Error, Page, Permission, Permissions, Principal, SessionView, UserView,
    account::insert,
    audit::{Deed, Line},
    name::{AccountName, EmailAddress, display_name, words},
    password::{GROUPS, make_up},
    session::session_view,
    ticket::language,
};

/// Characters of a search that are looked at.
const SEARCH_CHARS: usize = 100;

/// A change of what people see of an account; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct ProfileUpdate {
    /// What others see.
    pub display_name: Option<String>,
    /// `en` or `ru`.
    pub language: Option<String>,
}

/// An account as administrators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonView {
    /// The account.
    pub user: UserView,
    /// Since when it may not be used.
    pub disabled: Option<Time>,
    /// The bound of its personal space.
    pub quota_bytes: Option<u64>,
    /// What is in its personal space.
    pub used_bytes: u64,
    /// Whether it has a second factor.
    pub second_factor: bool,
    /// In whose order accounts are listed: where a page goes on.
    pub position: String,
}

/// An account that an administrator makes.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// What its owner will sign in with.
    pub name: String,
    /// Its password; one is made up where it is absent.
    pub password: Option<Secret>,
    /// What others will see; the name, if it is absent.
    pub display_name: Option<String>,
    /// Its address, which the administrator answers for.
    pub email: Option<String>,
    /// What it may do; what a new account usually may, where absent.
    pub permissions: Option<Vec<String>>,
    /// The bound of its personal space; the usual one, where absent.
    pub quota_bytes: Option<u64>,
    /// `en` or `ru`.
    pub language: Option<String>,
}

/// A change of an account by an administrator; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct PersonUpdate {
    /// What others see.
    pub display_name: Option<String>,
    /// `en` or `ru`.
    pub language: Option<String>,
    /// All that it may do from now on.
    pub permissions: Option<Vec<String>>,
    /// Whether it may be used. Disabling ends its sessions.
    pub disabled: Option<bool>,
    /// Its address, which the administrator answers for, or none.
    pub email: Option<Option<String>>,
    /// The bound of its personal space, or none.
    pub quota_bytes: Option<Option<u64>>,
}

/// How an administrator gives somebody a new password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    /// One is made up and told to the administrator. All sessions end.
    Temporary,
    /// The owner is mailed a link.
    Mail,
}

impl Permissions {
    /// What a new account may do.
    pub(crate) fn usual() -> Self {
        Self::of([Permission::Files, Permission::Share])
    }

    /// The part of it that is power over others.
    fn administrative(self) -> Self {
        self.and(Self::of([Permission::AdminUsers, Permission::AdminNodes]))
    }
}

impl Principal {
    /// Whether the principal may give others these permissions: power over others only if they have it themselves.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`].
    pub(crate) fn may_give(&self, permissions: Permissions) -> Result<(), Error> {
        match permissions.administrative().beyond(self.permissions) {
            Some(permission) => Err(Error::PermissionMissing(permission)),
            None => Ok(()),
        }
    }
}

impl Accounts {
    /// Changes what others see of the caller, and the caller's language.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`] without a session, [`Error::DisplayNameInvalid`], [`Error::LanguageInvalid`],
    /// [`Error::UserUnknown`], [`Error::Database`].
    pub async fn update_profile(&self, principal: &Principal, update: ProfileUpdate) -> Result<UserView, Error> {
        principal.needs(Permission::Account)?;
        let shown = update.display_name.as_deref().map(display_name).transpose()?;
        let language = update.language.as_deref().map(language).transpose()?;
        let account = principal.account;
        let row = db::accounts::account(&self.0.db, account).await?.ok_or(Error::UserUnknown)?;
        self.0.db.write(Lane::Free, async move |tx| set_profile(&tx, &row, shown.as_deref(), language).await).await?;
        self.user(principal, account).await
    }

    /// Up to `limit` accounts in order of their names, beginning after the position `after`, that have `search` somewhere in
    /// their name, shown name or address; all, for an empty one.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`] without `admin.users`, [`Error::Database`].
    pub async fn people(
        &self,
        principal: &Principal,
        search: &str,
        after: &str,
        limit: u32,
    ) -> Result<Page<PersonView>, Error> {
        principal.needs(Permission::AdminUsers)?;
        let limit = limit.clamp(1, limits::PAGE_ENTRIES_MAX);
        let search: String = search.trim().chars().take(SEARCH_CHARS).flat_map(char::to_lowercase).collect();
        let rows = db::persons::people(&self.0.db, &search, after, limit + 1).await?;
        Ok(Page::of(rows.into_iter().map(person_view).collect(), limit))
    }

    /// One account.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`] without `admin.users`, [`Error::UserUnknown`], [`Error::Database`].
    pub async fn person(&self, principal: &Principal, id: AccountId) -> Result<PersonView, Error> {
        principal.needs(Permission::AdminUsers)?;
        db::persons::person(&self.0.db, id).await?.map(person_view).ok_or(Error::UserUnknown)
    }

    /// The account, if the principal may change it: whoever has power over others is only changed by those who have it too,
    /// else the power to change accounts would be that to become any of them.
    pub(crate) async fn subject(&self, principal: &Principal, id: AccountId) -> Result<AccountRow, Error> {
        principal.needs(Permission::AdminUsers)?;
        let row = db::accounts::account(&self.0.db, id).await?.ok_or(Error::UserUnknown)?;
        principal.may_give(Permissions::parse(&row.permissions))?;
        Ok(row)
    }

    /// Makes an account; gives the password too, if it was made up here.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`] without `admin.users`, or for a permission that the administrator lacks; those of
    /// [`Accounts::register`]; [`Error::ScopesInvalid`], [`Error::EmailInvalid`], [`Error::EmailTaken`],
    /// [`Error::LanguageInvalid`].
    pub async fn make_person(
        &self,
        principal: &Principal,
        new: NewPerson,
        from: IpAddr,
    ) -> Result<(PersonView, Option<Secret>), Error> {
        principal.needs(Permission::AdminUsers)?;
        let permissions = match &new.permissions {
            Some(words) => Permissions::from_words(words.iter().map(String::as_str)).ok_or(Error::ScopesInvalid)?,
            None => Permissions::usual(),
        };
        principal.may_give(permissions)?;
        let name = AccountName::new(&new.name)?;
        let shown = display_name(new.display_name.as_deref().unwrap_or(&name.shown))?;
        let email = new.email.as_deref().map(EmailAddress::new).transpose()?;
        let language = new.language.as_deref().map(language).transpose()?;
        let made_up = if new.password.is_none() { Some(make_up(GROUPS)) } else { None };
        let Some(password) = new.password.as_ref().or(made_up.as_ref()) else { return Err(Error::PasswordInvalid) };
        let password_hash = self.0.passwords.hash(password).await?;
        let mut draft = self.draft(name, shown, password_hash, permissions);
        draft.quota_own = new.quota_bytes.is_some();
        draft.quota_bytes = new.quota_bytes.or(draft.quota_bytes);
        draft.email = email;
        if let Some(language) = language {
            language.clone_into(&mut draft.row.language);
        }
        let id = draft.row.id;
        let detail = json!({ "name": draft.row.name, "permissions": draft.row.permissions });
        let line = Line::of(Deed::AccountMade, principal, id, from).with(detail);
        let accounts = self.clone();
        self.0
            .db
            .write(Lane::Free, async move |tx| {
                insert(&tx, &draft).await?;
                Ok::<_, Error>(accounts.log(&tx, &line).await?)
            })
            .await?;
        Ok((self.person(principal, id).await?, made_up))
    }

    /// Changes an account.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`] without `admin.users`, for a permission that the administrator lacks, or for an account
    /// that has one; [`Error::LastAdministrator`] if nobody would be left who may change accounts; [`Error::UserUnknown`],
    /// [`Error::DisplayNameInvalid`], [`Error::LanguageInvalid`], [`Error::ScopesInvalid`], [`Error::EmailInvalid`],
    /// [`Error::EmailTaken`], [`Error::Database`].
    pub async fn update_person(
        &self,
        principal: &Principal,
        id: AccountId,
        update: PersonUpdate,
        from: IpAddr,
    ) -> Result<PersonView, Error> {
        let row = self.subject(principal, id).await?;
        let shown = update.display_name.as_deref().map(display_name).transpose()?;
        let language = update.language.as_deref().map(language).transpose()?;
        let permissions = match &update.permissions {
            Some(words) => {
                let given = Permissions::from_words(words.iter().map(String::as_str)).ok_or(Error::ScopesInvalid)?;
                principal.may_give(given)?;
                Some(given)
            }
            None => None,
        };
        let email = match &update.email {
            Some(Some(text)) => Some(Some(EmailAddress::new(text)?)),
            Some(None) => Some(None),
            None => None,
        };
        let now = self.0.clock.now();
        let detail = changes(&row, &update, permissions, email.as_ref());
        let line = Line::of(Deed::AccountChanged, principal, id, from).with(detail);
        let accounts = self.clone();
        let ended = self
            .0
            .db
            .write(Lane::Free, async move |tx| {
                db::persons::lock_administrators(&tx).await?;
                set_profile(&tx, &row, shown.as_deref(), language).await?;
                if let Some(permissions) = permissions {
                    db::persons::set_permissions(&tx, id, &permissions.to_string()).await?;
                }
                if let Some(email) = &email {
                    let email = email.as_ref().map(|email| (email.shown.as_str(), email.key.as_str()));
                    if !db::persons::set_email(&tx, id, email).await? {
                        return Err(Error::EmailTaken);
                    }
                }
                if let Some(quota_bytes) = update.quota_bytes {
                    db::persons::set_quota(&tx, id, quota_bytes).await?;
                }
                let mut ended = Vec::new();
                if let Some(disabled) = update.disabled {
                    db::persons::set_disabled(&tx, id, disabled.then_some(row.disabled.unwrap_or(now))).await?;
                    if disabled {
                        ended = db::persons::end_sessions(&tx, id, now).await?;
                    }
                }
                if db::persons::administrators(&tx).await? == 0 {
                    return Err(Error::LastAdministrator);
                }
                accounts.log(&tx, &line).await?;
                Ok(ended)
            })
            .await?;
        self.forget(ended);
        self.person(principal, id).await
    }

    /// The first half of ending an account: it cannot be used from now on. Doing it again changes nothing but the log, where
    /// `files` says what is to become of what the account has.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`] as for [`Accounts::update_person`], [`Error::OwnAccount`], [`Error::LastAdministrator`],
    /// [`Error::UserUnknown`], [`Error::Database`].
    pub async fn close_person(
        &self,
        principal: &Principal,
        id: AccountId,
        files: Value,
        from: IpAddr,
    ) -> Result<(), Error> {
        principal.needs(Permission::AdminUsers)?;
        if id == principal.account {
            return Err(Error::OwnAccount);
        }
        let words = db::persons::permissions(&self.0.db, id).await?.ok_or(Error::UserUnknown)?;
        principal.may_give(Permissions::parse(&words))?;
        let (now, accounts) = (self.0.clock.now(), self.clone());
        let line = Line::of(Deed::AccountClosed, principal, id, from).with(json!({ "files": files }));
        let ended = self
            .0
            .db
            .write(Lane::Free, async move |tx| {
                db::persons::lock_administrators(&tx).await?;
                accounts.log(&tx, &line).await?;
                db::persons::set_disabled(&tx, id, Some(now)).await?;
                if db::persons::administrators(&tx).await? == 0 {
                    return Err(Error::LastAdministrator);
                }
                Ok(db::persons::end_sessions(&tx, id, now).await?)
            })
            .await?;
        self.forget(ended);
        Ok(())
    }

    /// The second half, when nothing is the account's own any more: what made it somebody is gone. What it did stays in the
    /// history, by its id.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`], [`Error::OwnAccount`], [`Error::Database`].
    pub async fn erase_person(&self, principal: &Principal, id: AccountId, from: IpAddr) -> Result<(), Error> {
        principal.needs(Permission::AdminUsers)?;
        if id == principal.account {
            return Err(Error::OwnAccount);
        }
        let (now, accounts) = (self.0.clock.now(), self.clone());
        let line = Line::of(Deed::AccountEnded, principal, id, from);
        self.0
            .db
            .write(Lane::Free, async move |tx| {
                db::persons::erase(&tx, id, now).await?;
                Ok(accounts.log(&tx, &line).await?)
            })
            .await
    }

    /// Gives somebody a new password: tells one that was made up, or nothing where the owner is mailed a link.
    ///
    /// # Errors
    /// As [`Accounts::update_person`]; [`Error::MailOff`], [`Error::EmailUnknown`] if the account has no address.
    pub async fn reset_person(
        &self,
        principal: &Principal,
        id: AccountId,
        reset: Reset,
        from: IpAddr,
    ) -> Result<Option<Secret>, Error> {
        let row = self.subject(principal, id).await?;
        if reset == Reset::Mail {
            if !self.0.options.mail {
                return Err(Error::MailOff);
            }
            if row.email.is_none() {
                return Err(Error::EmailUnknown);
            }
            self.mail_reset(row).await?;
            return Ok(None);
        }
        let password = make_up(GROUPS);
        let password_hash = self.0.passwords.hash(&password).await?;
        let (now, accounts) = (self.0.clock.now(), self.clone());
        let line = Line::of(Deed::PasswordReset, principal, id, from).with(json!({ "by": "administrator" }));
        let ended = self
            .0
            .db
            .write(Lane::Free, async move |tx| {
                db::persons::set_password(&tx, id, &password_hash).await?;
                accounts.log(&tx, &line).await?;
                Ok::<_, Error>(db::persons::end_sessions(&tx, id, now).await?)
            })
            .await?;
        self.forget(ended);
        Ok(Some(password))
    }

    /// Takes the second factor from somebody who has lost it.
    ///
    /// # Errors
    /// As [`Accounts::update_person`]; [`Error::SecondFactorOff`] if there is none.
    pub async fn remove_factor_of(&self, principal: &Principal, id: AccountId, from: IpAddr) -> Result<(), Error> {
        self.subject(principal, id).await?;
        let (line, accounts) = (Line::of(Deed::SecondFactorOff, principal, id, from), self.clone());
        self.0
            .db
            .write(Lane::Free, async move |tx| {
                if !db::second_factor::remove(&tx, id).await? {
                    return Err(Error::SecondFactorOff);
                }
                Ok(accounts.log(&tx, &line).await?)
            })
            .await
    }

    /// Up to `limit` of somebody's sessions that go on, oldest first, beginning after `after`.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`] without `admin.users`, [`Error::UserUnknown`], [`Error::Database`].
    pub async fn sessions_of(
        &self,
        principal: &Principal,
        id: AccountId,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Page<SessionView>, Error> {
        principal.needs(Permission::AdminUsers)?;
        db::accounts::account(&self.0.db, id).await?.ok_or(Error::UserUnknown)?;
        let limit = limit.clamp(1, limits::PAGE_ENTRIES_MAX);
        let rows = db::accounts::live_sessions(&self.0.db, id, self.0.clock.now(), after, limit + 1).await?;
        let views = rows.into_iter().map(|row| session_view(row, principal.session)).collect();
        Ok(Page::of(views, limit))
    }

    /// Ends one of somebody's sessions, or all of them.
    ///
    /// # Errors
    /// As [`Accounts::update_person`]; [`Error::SessionUnknown`] if there is no such one.
    pub async fn end_sessions_of(
        &self,
        principal: &Principal,
        id: AccountId,
        session: Option<SessionId>,
        from: IpAddr,
    ) -> Result<(), Error> {
        self.subject(principal, id).await?;
        let (now, accounts) = (self.0.clock.now(), self.clone());
        let line = Line::of(Deed::SessionsEnded, principal, id, from).with(json!({ "session": session }));
        let ended = self
            .0
            .db
            .write(Lane::Free, async move |tx| {
                let ended = match session {
                    None => db::persons::end_sessions(&tx, id, now).await?,
                    Some(session) => match db::accounts::end_session(&tx, id, session, now).await? {
                        true => vec![session],
                        false => return Err(Error::SessionUnknown),
                    },
                };
                accounts.log(&tx, &line).await?;
                Ok(ended)
            })
            .await?;
        self.forget(ended);
        Ok(())
    }

    /// Has this process refuse sessions that were ended, at once.
    pub(crate) fn forget(&self, ended: Vec<SessionId>) {
        for session in ended {
            self.0.live.ended(session, self.0.clock.elapsed());
        }
    }
}

/// Changes what is shown of an account, the words by which it is found, and its language, as far as they are given.
async fn set_profile(tx: &Tx, row: &AccountRow, shown: Option<&str>, language: Option<&str>) -> Result<(), db::Error> {
    db::persons::update_profile(tx, row.id, shown, language).await?;
    match shown {
        Some(shown) => {
            let words = words(&[&row.name, shown]);
            db::people::set_words(tx, db::people::ACCOUNT, row.id.0, &words).await
        }
        None => Ok(()),
    }
}

fn person_view(row: PersonRow) -> PersonView {
    PersonView {
        disabled: row.account.disabled,
        user: UserView::full(row.account),
        quota_bytes: row.quota_bytes,
        used_bytes: row.used_bytes,
        second_factor: row.second_factor,
        position: row.name_key,
    }
}

/// What an administrator changed, for the audit log: what it is from now on, and the permissions that it was.
fn changes(
    row: &AccountRow,
    update: &PersonUpdate,
    permissions: Option<Permissions>,
    email: Option<&Option<EmailAddress>>,
) -> Value {
    let mut changes = Map::new();
    if let Some(permissions) = permissions {
        changes.insert("permissions_before".to_owned(), Permissions::parse(&row.permissions).words().into());
        changes.insert("permissions".to_owned(), permissions.words().into());
    }
    if let Some(disabled) = update.disabled {
        changes.insert("disabled".to_owned(), disabled.into());
    }
    if let Some(email) = email {
        changes.insert("email".to_owned(), email.as_ref().map(|email| email.shown.clone()).into());
    }
    if let Some(quota) = update.quota_bytes {
        changes.insert("quota_bytes".to_owned(), quota.into());
    }
    if let Some(name) = &update.display_name {
        changes.insert("display_name".to_owned(), name.trim().into());
    }
    if let Some(language) = &update.language {
        changes.insert("language".to_owned(), language.as_str().into());
    }
    Value::Object(changes)
}
