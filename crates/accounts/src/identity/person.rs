//! Whose account somebody's account at a provider is, and what the provider decides of it.

use std::{collections::BTreeMap, net::IpAddr};

use base::{AccountId, IdentityId};
use db::{Lane, accounts::AccountRow, identities::IdentityRow};
use serde_json::json;

use crate::{
    Accounts, Error, Permissions,
    account::insert,
    audit::{Deed, Line},
    mail::LANGUAGES,
    name::{AccountName, EmailAddress, client, display_name, fold},
    password::make_up,
    provider::{Claims, Provider, Remote},
};

/// Characters of a name that is made here, so that there is room for what tells it from others.
const NAME_CHARS: usize = 48;

/// Names with a number after them that are tried before one with chance in it is.
const NUMBERED: u32 = 9;

/// How often a person is looked for: each time another request was faster, or a name was taken.
const TRIES: u32 = NUMBERED + 8;

/// What came of a look at somebody who is not known yet.
enum Found {
    Known(AccountRow, IdentityId),
    /// Somebody else was faster, or has the name.
    Again,
}

impl Accounts {
    /// The account of somebody at a provider, with groups and permissions as the provider says.
    ///
    /// # Errors
    /// [`Error::IdentityForbidden`], [`Error::IdentityUnknown`], [`Error::EmailTaken`], [`Error::AccountDisabled`],
    /// [`Error::Database`].
    pub(super) async fn person_of(
        &self,
        remote: &Remote,
        claims: &Claims,
        from: IpAddr,
    ) -> Result<(AccountRow, IdentityId), Error> {
        let rules = &remote.rules;
        let email = claims.email.as_deref().and_then(|email| EmailAddress::new(email).ok());
        if !rules.mail_domains.is_empty() {
            let domain = email.as_ref().and_then(|email| email.key.split_once('@')).map(|(_, domain)| domain);
            if !domain.is_some_and(|domain| rules.mail_domains.iter().any(|one| one.to_lowercase() == domain)) {
                return Err(Error::IdentityForbidden);
            }
        }
        for attempt in 0..TRIES {
            if let Found::Known(row, identity) = self.look_for(remote, claims, email.as_ref(), attempt, from).await? {
                if row.disabled.is_some() {
                    let (deed, address) = (Deed::SignInFailed, Some(from));
                    let detail = json!({ "step": "provider", "provider": rules.id });
                    self.log_alone(Line { deed, actor: None, account: Some(row.id), address, detail }).await;
                    return Err(Error::AccountDisabled);
                }
                let row = self.follow(rules, row, claims).await?;
                self.seen(identity, claims).await?;
                return Ok((row, identity));
            }
        }
        Err(Error::NameTaken)
    }

    /// One look: the account that is linked, or that becomes linked by its address, or a new one.
    async fn look_for(
        &self,
        remote: &Remote,
        claims: &Claims,
        email: Option<&EmailAddress>,
        attempt: u32,
        from: IpAddr,
    ) -> Result<Found, Error> {
        let rules = &remote.rules;
        if let Some(known) = db::identities::by_subject(&self.0.db, &rules.id, &claims.subject).await? {
            let row = db::accounts::account(&self.0.db, known.account).await?.ok_or(Error::IdentityUnknown)?;
            return Ok(Found::Known(row, known.id));
        }
        let owner = match email {
            Some(email) => db::persons::by_email(&self.0.db, &email.key).await?,
            None => None,
        };
        match owner {
            // Only its owner is told that there is such an account: the provider has confirmed whose the address is.
            Some(_) if !rules.link_by_mail => Err(Error::EmailTaken),
            Some(row) if row.disabled.is_some() => Err(Error::AccountDisabled),
            Some(row) => self.link_by_mail(remote, claims, row, from).await,
            None if !rules.create_accounts => Err(Error::IdentityUnknown),
            None => self.make_person_of(remote, claims, email, attempt, from).await,
        }
    }

    async fn link_by_mail(
        &self,
        remote: &Remote,
        claims: &Claims,
        row: AccountRow,
        from: IpAddr,
    ) -> Result<Found, Error> {
        let identity = self.new_identity(remote, row.id, claims);
        let (id, accounts) = (identity.id, self.clone());
        let line = Line::own(Deed::IdentityLinked, row.id, from);
        let line = line.with(json!({ "provider": remote.rules.id, "identity": id, "by": "mail" }));
        let linked = self
            .0
            .db
            .write(Lane::Free, async move |tx| {
                let linked = db::identities::insert(&tx, &identity).await?;
                if linked {
                    accounts.log(&tx, &line).await?;
                }
                Ok::<_, Error>(linked)
            })
            .await?;
        Ok(if linked { Found::Known(row, id) } else { Found::Again })
    }

    async fn make_person_of(
        &self,
        remote: &Remote,
        claims: &Claims,
        email: Option<&EmailAddress>,
        attempt: u32,
        from: IpAddr,
    ) -> Result<Found, Error> {
        let rules = &remote.rules;
        let name = candidate(claims, attempt)?;
        let shown = claims.display_name.as_deref().and_then(|name| display_name(name).ok());
        let permissions = permissions(rules, Permissions::usual(), claims);
        let mut draft = self.draft(name.clone(), shown.unwrap_or(name.shown), String::new(), permissions);
        draft.email = email.cloned();
        if let Some(language) =
            LANGUAGES.into_iter().find(|it| claims.locale.as_deref().is_some_and(|tag| tag.starts_with(it)))
        {
            language.clone_into(&mut draft.row.language);
        }
        let identity = self.new_identity(remote, draft.row.id, claims);
        let (id, accounts) = (identity.id, self.clone());
        let line = Line::own(Deed::Registered, draft.row.id, from);
        let line = line.with(json!({ "name": draft.row.name, "provider": rules.id, "identity": id }));
        let made = self
            .0
            .db
            .write(Lane::Free, async move |tx| {
                insert(&tx, &draft).await?;
                if !db::identities::insert(&tx, &identity).await? {
                    return Err(Error::IdentityTaken);
                }
                accounts.log(&tx, &line).await?;
                let mut row = draft.row;
                row.email = draft.email.map(|email| email.shown);
                Ok(row)
            })
            .await;
        match made {
            Ok(row) => Ok(Found::Known(row, id)),
            Err(Error::NameTaken | Error::IdentityTaken | Error::EmailTaken) => Ok(Found::Again),
            Err(error) => Err(error),
        }
    }

    pub(super) fn new_identity(&self, remote: &Remote, account: AccountId, claims: &Claims) -> IdentityRow {
        IdentityRow {
            id: self.0.ids.identity(),
            account,
            provider: remote.rules.id.clone(),
            subject: claims.subject.clone(),
            shown: shown(claims),
            created: self.0.clock.now(),
            used: None,
        }
    }

    /// Notes that an identity was signed in by.
    async fn seen(&self, identity: IdentityId, claims: &Claims) -> Result<(), Error> {
        let (shown, now) = (shown(claims), self.0.clock.now());
        let touch = async move |tx| db::identities::touch(&tx, identity, &shown, now).await;
        match self.0.db.write(Lane::Free, touch).await? {
            true => Ok(()),
            // Unlinked at this very moment.
            false => Err(Error::IdentityUnknown),
        }
    }

    /// Has an account's permissions and groups be what its provider says, as far as the configuration leaves them to it.
    async fn follow(&self, rules: &Provider, mut row: AccountRow, claims: &Claims) -> Result<AccountRow, Error> {
        let before = Permissions::parse(&row.permissions);
        let after = permissions(rules, before, claims);
        if after != before {
            row.permissions = self.set_permissions(rules, row.id, before, after).await?.to_string();
        }
        // By group here, whose name is unique without regard to case: whether any group there stands for it.
        let mut wanted: BTreeMap<String, (&str, bool)> = BTreeMap::new();
        for (theirs, ours) in &rules.groups {
            wanted.entry(fold(ours)).or_insert((ours, false)).1 |= claims.groups.contains(theirs);
        }
        if wanted.is_empty() {
            return Ok(row);
        }
        let has = db::groups::of_account(&self.0.db, row.id).await?;
        for (name, is_in) in wanted.into_values() {
            let group = self.named_group(name).await?;
            if has.iter().any(|one| one.id == group) != is_in {
                self.put_member(group, row.id, is_in).await?;
            }
        }
        Ok(row)
    }

    /// Sets permissions as a provider says; gives those that count. The last account that may administer others keeps that.
    async fn set_permissions(
        &self,
        rules: &Provider,
        account: AccountId,
        before: Permissions,
        after: Permissions,
    ) -> Result<Permissions, Error> {
        let detail = json!({
            "permissions_before": before.words(), "permissions": after.words(), "provider": rules.id,
        });
        let line = Line { deed: Deed::AccountChanged, actor: None, account: Some(account), address: None, detail };
        let accounts = self.clone();
        let set = self
            .0
            .db
            .write(Lane::Free, async move |tx| {
                db::persons::lock_administrators(&tx).await?;
                db::persons::set_permissions(&tx, account, &after.to_string()).await?;
                if db::persons::administrators(&tx).await? == 0 {
                    return Err(Error::LastAdministrator);
                }
                accounts.log(&tx, &line).await?;
                Ok(after)
            })
            .await;
        match set {
            Err(Error::LastAdministrator) => {
                tracing::warn!(%account, provider = %rules.id, "the last administrator keeps what the provider takes");
                Ok(before)
            }
            set => set,
        }
    }
}

/// An account's permissions when its provider has said which of those it decides about it has.
fn permissions(rules: &Provider, before: Permissions, claims: &Claims) -> Permissions {
    let none = Permissions::default();
    let decided = rules.permissions.values().fold(none, |all, some| all.or(*some));
    let given = rules.permissions.iter().filter(|(group, _)| claims.groups.contains(*group));
    before.without(decided).or(given.fold(none, |all, (_, some)| all.or(*some)))
}

/// What somebody's account at a provider is called in a list.
fn shown(claims: &Claims) -> String {
    let names = [&claims.email, &claims.user_name, &claims.display_name];
    client(names.into_iter().flatten().next().unwrap_or(&claims.subject))
}

/// An account name for somebody: what they are called there, as far as that is a name here, and at later attempts something
/// to tell it from others.
fn candidate(claims: &Claims, attempt: u32) -> Result<AccountName, Error> {
    let local = claims.email.as_deref().and_then(|email| email.split('@').next());
    let names = [claims.user_name.as_deref(), local, claims.display_name.as_deref()];
    let base = names.into_iter().flatten().map(sanitized).find(|name| name.chars().count() >= 2);
    let base = base.unwrap_or_else(|| "user".to_owned());
    let name = match attempt {
        0 => base,
        1..NUMBERED => format!("{base}-{}", attempt + 1),
        _ => format!("{base}-{}", make_up(1).expose()),
    };
    AccountName::new(&name)
}

/// Text with only those characters that a name may have.
fn sanitized(text: &str) -> String {
    let mut name = String::new();
    for c in text.trim().chars().take(4 * NAME_CHARS) {
        match c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@') {
            true => name.push(c),
            false if !name.ends_with('-') => name.push('-'),
            false => {}
        }
    }
    name.trim_matches('-').chars().take(NAME_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Permission;

    fn claims(user_name: &str, email: &str, groups: &[&str]) -> Claims {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Claims {
            subject: "s".to_owned(),
            session: None,
            user_name: given(user_name),
            display_name: None,
            email: given(email),
            groups: groups.iter().map(ToString::to_string).collect(),
            locale: None,
        }
    }

    #[test]
    fn names_are_made_of_what_there_is() {
        let check = |user_name: &str, email: &str, attempt: u32, expected: &str| {
            assert_eq!(candidate(&claims(user_name, email, &[]), attempt).expect("a name").shown, expected);
        };
        check("ada", "x@example.org", 0, "ada");
        check("ada", "", 1, "ada-2");
        check("ada", "", 8, "ada-9");
        check("DOMAIN\\ada lovelace", "", 0, "DOMAIN-ada-lovelace");
        check("<script>", "", 0, "script");
        check("ä", "grace@example.org", 0, "grace");
        check("", "", 0, "user");
        check("a/b\u{202e}", "", 0, "a-b");
        check(&"y".repeat(500), "", 3, &format!("{}-4", "y".repeat(NAME_CHARS)));
        let (one, two) = (candidate(&claims("ada", "", &[]), 10), candidate(&claims("ada", "", &[]), 10));
        assert_ne!(one.expect("a name"), two.expect("a name"));
    }

    #[test]
    fn a_provider_decides_about_what_it_maps_and_nothing_else() {
        let provider = Provider {
            id: "p".to_owned(),
            name: "P".to_owned(),
            issuer: "https://p".to_owned(),
            client_id: "c".to_owned(),
            client_secret: None,
            scopes: Vec::new(),
            group_claim: "groups".to_owned(),
            groups: BTreeMap::new(),
            permissions: BTreeMap::from([
                ("admins".to_owned(), Permissions::of([Permission::AdminUsers, Permission::AdminNodes])),
                ("operators".to_owned(), Permissions::of([Permission::AdminNodes])),
            ]),
            create_accounts: true,
            mail_domains: Vec::new(),
            link_by_mail: false,
            second_factor: false,
        };
        let check = |before: &str, groups: &[&str], expected: &str| {
            let after = permissions(&provider, Permissions::parse(before), &claims("", "", groups));
            assert_eq!(after, Permissions::parse(expected), "{before} {groups:?}");
        };
        check("files share", &[], "files share");
        check("files share", &["admins", "others"], "files share admin.users admin.nodes");
        check("files share admin.users admin.nodes", &["operators"], "files share admin.nodes");
        check("files.read admin.users", &[], "files.read");
    }
}
