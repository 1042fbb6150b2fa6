//! Letters and the links in them: addresses, forgotten passwords, invitations.

use std::{sync::Arc, time::Duration};

use accounts::{
    Error, Letter, MailHandler, NewInvitation, Options, Permission, Permissions, Post, PostError, Principal,
    ProfileUpdate, Registration, Registrations,
};
use async_trait::async_trait;
use base::Secret;
use bus::{JobWorker, Jobs, Progress, Worker};
use db::params;
use parking_lot::Mutex;
use testkit::database::TestDb;

use super::{Fixture, HERE, PASSWORD, code, login, registration};

testkit::both! {
    an_address_counts_once_it_is_confirmed,
    an_address_belongs_to_one_account,
    letters_are_few,
    a_forgotten_password_is_replaced_by_a_letter,
    nobody_learns_which_addresses_there_are,
    old_links_open_nothing,
    an_invitation_opens_a_closed_door_once,
    invitations_give_no_more_than_their_maker_has,
    letters_speak_the_language_of_their_readers,
    a_post_that_is_away_loses_nothing,
    without_mail_nothing_is_promised,
}

const HOUR: Duration = Duration::from_secs(3600);

/// A post office that keeps what it is given.
#[derive(Default)]
struct Office {
    letters: Mutex<Vec<Letter>>,
    closed: Mutex<bool>,
}

#[async_trait]
impl Post for Office {
    async fn send(&self, letter: &Letter) -> Result<(), PostError> {
        if *self.closed.lock() {
            return Err(PostError::Later("the office is closed".to_owned()));
        }
        self.letters.lock().push(letter.clone());
        Ok(())
    }
}

/// Accounts with a worker that delivers.
struct Town {
    fixture: Fixture,
    office: Arc<Office>,
    worker: JobWorker,
}

impl Town {
    async fn new(test: TestDb) -> Self {
        Self::with(test, Options::default()).await
    }

    async fn with(test: TestDb, options: Options) -> Self {
        let public_url = Some("https://files.example.org/".to_owned());
        let fixture = Fixture::with(test, Options { mail: true, public_url, ..options }).await;
        let office = Arc::new(Office::default());
        let jobs = Jobs::new(fixture.test.db.clone(), fixture.clock.handle(), bus::Options::default());
        let handler = MailHandler::new(fixture.accounts.clone(), office.clone());
        let worker = JobWorker::new(jobs, fixture.clock.handle(), vec![Arc::new(handler)]);
        Self { fixture, office, worker }
    }

    /// What was delivered since the last call.
    async fn delivered(&self) -> Vec<Letter> {
        for _ in 0..50 {
            if matches!(self.worker.work().await.expect("the queue works"), Progress::Idle) {
                break;
            }
        }
        std::mem::take(&mut *self.office.letters.lock())
    }

    /// The only letter that was delivered since the last call, and the token of its link.
    async fn letter(&self, page: &str) -> (Letter, Secret) {
        let mut letters = self.delivered().await;
        assert_eq!(letters.len(), 1, "{letters:?}");
        let letter = letters.remove(0);
        let start = format!("https://files.example.org/{page}#token=");
        let (_, rest) = letter.text.split_once(&start).unwrap_or_else(|| panic!("{letter:?}"));
        let token = rest.split_whitespace().next().expect("a token").to_owned();
        (letter, Secret::new(token))
    }

    /// An account whose address is confirmed.
    async fn resident(&self, name: &str, email: &str) -> Principal {
        self.fixture.register(name).await;
        let (_, principal) = self.fixture.sign_in(name).await;
        self.change_email(&principal, email).await.expect("begun");
        let (letter, token) = self.letter("verify-email").await;
        assert_eq!(letter.to, email);
        self.fixture.accounts.verify_email(&token, HERE).await.expect("confirmed");
        principal
    }

    async fn change_email(&self, principal: &Principal, email: &str) -> Result<(), Error> {
        self.fixture.accounts.change_email(principal, Some(email), &Secret::new(PASSWORD), HERE).await
    }

    async fn email_of(&self, principal: &Principal) -> Option<String> {
        let user = self.fixture.accounts.user(principal, principal.account).await.expect("a user");
        user.private.expect("one's own account").email
    }

    async fn admin(&self) -> Principal {
        self.fixture.accounts.ensure_admin(Some(Secret::new(PASSWORD))).await.expect("made");
        self.fixture.sign_in("admin").await.1
    }
}

async fn an_address_counts_once_it_is_confirmed(test: TestDb) {
    let town = Town::new(test).await;
    let accounts = &town.fixture.accounts;
    town.fixture.register("ada").await;
    let (_, ada) = town.fixture.sign_in("ada").await;
    for bad in ["ada", "a@b@c", "a@x.org\r\nBcc: b@x.org"] {
        assert_eq!(code(town.change_email(&ada, bad).await), "invalid-email");
    }
    let wrong = accounts.change_email(&ada, Some("ada@example.org"), &Secret::new("wrong horse"), HERE).await;
    assert_eq!(code(wrong), "wrong-password");
    assert_eq!(town.delivered().await, []);
    town.change_email(&ada, "Ada@Example.org").await.expect("begun");
    assert_eq!(town.email_of(&ada).await, None);
    let (letter, token) = town.letter("verify-email").await;
    assert_eq!(letter.to, "Ada@Example.org");
    // What is stored does not open the link.
    let rows: Vec<(Vec<u8>,)> =
        town.fixture.test.db.query("SELECT token_hash FROM ticket", &params![]).await.expect("rows");
    assert!(rows.iter().all(|(hash,)| hash != token.expose().as_bytes()));
    for bad in ["", "x", &token.expose()[1..]] {
        assert_eq!(code(accounts.verify_email(&Secret::new(bad), HERE).await), "link-used");
    }
    assert_eq!(code(accounts.reset_password(&token, &Secret::new("another horse"), HERE).await), "link-used");
    accounts.verify_email(&token, HERE).await.expect("confirmed");
    assert_eq!(town.email_of(&ada).await.as_deref(), Some("Ada@Example.org"));
    assert_eq!(code(accounts.verify_email(&token, HERE).await), "link-used");
    // A link that was not opened in a day is void, as is one that a newer one replaced.
    town.change_email(&ada, "one@example.org").await.expect("begun");
    let (_, one) = town.letter("verify-email").await;
    town.change_email(&ada, "two@example.org").await.expect("begun");
    let (_, two) = town.letter("verify-email").await;
    assert_eq!(code(accounts.verify_email(&one, HERE).await), "link-used");
    town.fixture.clock.advance(HOUR * 24);
    assert_eq!(code(accounts.verify_email(&two, HERE).await), "link-used");
    accounts.change_email(&ada, None, &Secret::new(PASSWORD), HERE).await.expect("removed");
    assert_eq!(town.email_of(&ada).await, None);
}

async fn an_address_belongs_to_one_account(test: TestDb) {
    let town = Town::new(test).await;
    let ada = town.resident("ada", "shared@example.org").await;
    town.fixture.register("eve").await;
    let (_, eve) = town.fixture.sign_in("eve").await;
    // Only whoever reads the letters learns that there is another account.
    town.change_email(&eve, "SHARED@example.org").await.expect("begun");
    let (_, token) = town.letter("verify-email").await;
    assert_eq!(code(town.fixture.accounts.verify_email(&token, HERE).await), "email-taken");
    assert_eq!((town.email_of(&eve).await, town.email_of(&ada).await.is_some()), (None, true));
}

async fn letters_are_few(test: TestDb) {
    let town = Town::new(test).await;
    let ada = town.resident("ada", "ada@example.org").await;
    for _ in 0..2 {
        town.change_email(&ada, "victim@example.org").await.expect("begun");
    }
    let refused = town.change_email(&ada, "victim@example.org").await;
    assert_eq!(code(refused), "too-many-attempts");
    town.delivered().await;
    let mut sent = 0;
    for _ in 0..10 {
        town.fixture.accounts.ask_reset("ada@example.org", HERE).await.expect("asked");
        sent += town.delivered().await.len();
    }
    assert_eq!(sent, 3);
    town.fixture.clock.advance(HOUR);
    town.fixture.accounts.ask_reset("ada@example.org", HERE).await.expect("asked");
    assert_eq!(town.delivered().await.len(), 1);
}

async fn a_forgotten_password_is_replaced_by_a_letter(test: TestDb) {
    let town = Town::new(test).await;
    let accounts = &town.fixture.accounts;
    let ada = town.resident("ada", "ada@example.org").await;
    let (tokens, _) = town.fixture.sign_in("ada").await;
    accounts.ask_reset(" ADA@example.org ", HERE).await.expect("asked");
    let (letter, token) = town.letter("reset-password").await;
    assert_eq!(letter.to, "ada@example.org");
    let new = Secret::new("another horse");
    assert_eq!(code(accounts.reset_password(&token, &Secret::new("short"), HERE).await), "invalid-password");
    town.fixture.sign_in("ada").await;
    let other = town.fixture.other().await;
    other.authenticate(tokens.access.expose()).await.expect("a good token");
    accounts.reset_password(&token, &new, HERE).await.expect("reset");
    assert_eq!(code(accounts.authenticate(tokens.access.expose()).await), "session-ended");
    assert_eq!(code(accounts.refresh(tokens.refresh.expose()).await), "session-ended");
    town.fixture.clock.advance(Duration::from_secs(1));
    assert_eq!(code(other.authenticate(tokens.access.expose()).await), "session-ended");
    assert_eq!(code(accounts.login(login("ada", PASSWORD)).await), "wrong-credentials");
    accounts.login(login("ada", "another horse")).await.expect("signed in");
    assert_eq!(code(accounts.reset_password(&token, &new, HERE).await), "link-used", "once");
    let filter = accounts::AuditFilter { account: Some(ada.account), ..Default::default() };
    let lines = accounts.audit(&town.admin().await, &filter, None, 100).await.expect("lines").items;
    let has = |word: &str| lines.iter().any(|line| line.action == word);
    assert!(has("password-reset-asked") && has("password-reset") && has("email-changed") && has("registered"));
    assert!(!format!("{lines:?}").contains(token.expose()));
}

async fn nobody_learns_which_addresses_there_are(test: TestDb) {
    let town = Town::new(test).await;
    let accounts = &town.fixture.accounts;
    let ada = town.resident("ada", "ada@example.org").await;
    accounts.ask_reset("nobody@example.org", HERE).await.expect("the same answer");
    assert_eq!(town.delivered().await, []);
    // A disabled account gets no letter either.
    let account = ada.account;
    let disable =
        async move |tx: db::Tx| tx.exec("UPDATE account SET disabled_us = 1 WHERE id = $1", &params![account]).await;
    town.fixture.test.db.write(db::Lane::Free, disable).await.expect("disabled");
    accounts.ask_reset("ada@example.org", HERE).await.expect("the same answer");
    assert_eq!(town.delivered().await, []);
    assert_eq!(code(accounts.ask_reset("nobody", HERE).await), "invalid-email");
    // One client does not try thousands.
    let mut refused = 0;
    for number in 0..50 {
        let asked = accounts.ask_reset(&format!("{number}@example.org"), HERE).await;
        refused += usize::from(code(asked) == "too-many-attempts");
    }
    assert!(refused >= 18, "{refused}");
}

async fn old_links_open_nothing(test: TestDb) {
    let town = Town::new(test).await;
    let accounts = &town.fixture.accounts;
    let ada = town.resident("ada", "ada@example.org").await;
    let new = Secret::new("another horse");
    let ask = async || {
        accounts.ask_reset("ada@example.org", HERE).await.expect("asked");
        town.letter("reset-password").await.1
    };
    let late = ask().await;
    town.fixture.clock.advance(HOUR);
    assert_eq!(code(accounts.reset_password(&late, &new, HERE).await), "link-used", "an hour");
    let (one, two) = (ask().await, ask().await);
    accounts.reset_password(&two, &new, HERE).await.expect("reset");
    assert_eq!(code(accounts.reset_password(&one, &new, HERE).await), "link-used", "another one was used");
    town.fixture.clock.advance(HOUR);
    let before = ask().await;
    let (_, principal) = {
        let tokens = accounts.login(login("ada", "another horse")).await.expect("signed in");
        let principal = accounts.authenticate(tokens.access.expose()).await.expect("a good token");
        (tokens, principal)
    };
    accounts.change_password(&principal, new.clone(), Secret::new(PASSWORD), HERE).await.expect("changed");
    assert_eq!(code(accounts.reset_password(&before, &new, HERE).await), "link-used", "the password was changed");
    let before = ask().await;
    town.change_email(&principal, "elsewhere@example.org").await.expect("begun");
    let (_, verify) = town.letter("verify-email").await;
    accounts.verify_email(&verify, HERE).await.expect("confirmed");
    assert_eq!(code(accounts.reset_password(&before, &new, HERE).await), "link-used", "the address was changed");
    assert_eq!(principal.account, ada.account);
}

fn invitation(email: Option<&str>) -> NewInvitation {
    NewInvitation { email: email.map(str::to_owned), permissions: None, language: None, expires: None }
}

fn by(token: &Secret, name: &str) -> Registration {
    Registration { invitation: Some(token.clone()), ..registration(name) }
}

async fn an_invitation_opens_a_closed_door_once(test: TestDb) {
    let town = Town::with(test, Options { registrations: Registrations::Invited, ..Options::default() }).await;
    let accounts = &town.fixture.accounts;
    let admin = town.admin().await;
    let made = accounts.invite(&admin, invitation(Some("ada@example.org")), HERE).await.expect("invited");
    let (letter, token) = town.letter("invitation").await;
    assert_eq!((letter.to.as_str(), &token), ("ada@example.org", &made.token));
    assert_eq!(code(accounts.register(registration("ada")).await), "registration-closed");
    assert_eq!(code(accounts.register(by(&Secret::new("nonsense"), "ada")).await), "link-used");
    assert_eq!(code(accounts.register(by(&token, "a")).await), "invalid-account-name", "which does not use it up");
    let ada = accounts.register(by(&token, "ada")).await.expect("registered");
    let private = ada.private.expect("one's own account");
    assert_eq!(private.email.as_deref(), Some("ada@example.org"), "the letter has proven it");
    assert_eq!(private.permissions, Permissions::of([Permission::Files, Permission::Share]));
    assert_eq!(code(accounts.register(by(&token, "eve")).await), "link-used");
    // A link to hand on; of two at once one gets in.
    let link = accounts.invite(&admin, invitation(None), HERE).await.expect("invited");
    assert_eq!(town.delivered().await, []);
    assert!(link.url.expect("a link").expose().ends_with(link.token.expose()));
    let both = tokio::join!(accounts.register(by(&link.token, "bob")), accounts.register(by(&link.token, "rob")));
    let mut codes = [code(both.0), code(both.1)];
    codes.sort_unstable();
    assert_eq!(codes, ["good", "link-used"]);
    // Taken back, and too late.
    let gone = accounts.invite(&admin, invitation(None), HERE).await.expect("invited");
    let page = accounts.invitations(&admin, None, 10).await.expect("a page");
    assert_eq!(page.items.iter().map(|view| view.id).collect::<Vec<_>>(), [gone.id]);
    accounts.remove_invitation(&admin, gone.id).await.expect("taken back");
    assert_eq!(code(accounts.remove_invitation(&admin, gone.id).await), "invitation-not-found");
    assert_eq!(code(accounts.register(by(&gone.token, "eve")).await), "link-used");
    let late = accounts.invite(&admin, invitation(None), HERE).await.expect("invited");
    town.fixture.clock.advance(HOUR * 24 * 7);
    assert_eq!(code(accounts.register(by(&late.token, "eve")).await), "link-used");
}

async fn invitations_give_no_more_than_their_maker_has(test: TestDb) {
    let town = Town::new(test).await;
    let accounts = &town.fixture.accounts;
    let admin = town.admin().await;
    let ada = town.resident("ada", "ada@example.org").await;
    assert_eq!(code(accounts.invite(&ada, invitation(None), HERE).await), "permission-missing");
    assert_eq!(code(accounts.invitations(&ada, None, 10).await), "permission-missing");
    let some = |words: &[&str]| Some(words.iter().map(|&word| word.to_owned()).collect());
    let all = NewInvitation { permissions: some(&["files", "admin.nodes"]), ..invitation(None) };
    let helper = Principal { permissions: Permissions::of([Permission::AdminUsers]), ..admin };
    assert_eq!(code(accounts.invite(&helper, all.clone(), HERE).await), "permission-missing");
    let made = accounts.invite(&admin, all, HERE).await.expect("invited");
    let bob = accounts.register(by(&made.token, "bob")).await.expect("registered");
    let given = bob.private.expect("one's own account").permissions;
    assert_eq!(given, Permissions::of([Permission::Files, Permission::AdminNodes]));
    let odd = NewInvitation { permissions: some(&["account"]), ..invitation(None) };
    assert_eq!(code(accounts.invite(&admin, odd, HERE).await), "invalid-scopes");
    let past = NewInvitation { expires: Some(base::Time::from_micros(0)), ..invitation(None) };
    assert_eq!(code(accounts.invite(&admin, past, HERE).await), "invalid-expiry");
}

async fn letters_speak_the_language_of_their_readers(test: TestDb) {
    let town = Town::new(test).await;
    let accounts = &town.fixture.accounts;
    let ada = town.resident("ada", "ada@example.org").await;
    let klingon = ProfileUpdate { language: Some("tlh".to_owned()), ..ProfileUpdate::default() };
    assert_eq!(code(accounts.update_profile(&ada, klingon).await), "invalid-language");
    let russian = ProfileUpdate { language: Some("ru".to_owned()), display_name: Some("Ада".to_owned()) };
    let user = accounts.update_profile(&ada, russian).await.expect("changed");
    assert_eq!((user.display_name.as_str(), user.private.expect("own").language.as_str()), ("Ада", "ru"));
    accounts.ask_reset("ada@example.org", HERE).await.expect("asked");
    let (letter, _) = town.letter("reset-password").await;
    assert_eq!(letter.subject, "Новый пароль");
    assert!(letter.text.starts_with("Здравствуйте, Ада!"), "{letter:?}");
    let admin = town.admin().await;
    let new = NewInvitation { language: Some("ru".to_owned()), ..invitation(Some("bob@example.org")) };
    let made = accounts.invite(&admin, new, HERE).await.expect("invited");
    assert_eq!(town.letter("invitation").await.0.subject, "Вас приглашают");
    let bob = accounts.register(by(&made.token, "bob")).await.expect("registered");
    assert_eq!(bob.private.expect("own").language, "ru");
}

async fn a_post_that_is_away_loses_nothing(test: TestDb) {
    let town = Town::new(test).await;
    town.fixture.register("ada").await;
    let (_, ada) = town.fixture.sign_in("ada").await;
    *town.office.closed.lock() = true;
    town.change_email(&ada, "ada@example.org").await.expect("nobody waits for the post");
    assert_eq!(town.delivered().await, []);
    *town.office.closed.lock() = false;
    town.fixture.clock.advance(Duration::from_secs(60));
    let (_, token) = town.letter("verify-email").await;
    town.fixture.accounts.verify_email(&token, HERE).await.expect("confirmed");
}

async fn without_mail_nothing_is_promised(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.register("ada").await;
    let (_, ada) = fixture.sign_in("ada").await;
    let password = Secret::new(PASSWORD);
    assert_eq!(code(fixture.accounts.change_email(&ada, Some("a@x.org"), &password, HERE).await), "mail-off");
    assert_eq!(code(fixture.accounts.ask_reset("a@x.org", HERE).await), "mail-off");
    fixture.accounts.ensure_admin(Some(password)).await.expect("made");
    let (_, admin) = fixture.sign_in("admin").await;
    assert_eq!(code(fixture.accounts.invite(&admin, invitation(Some("a@x.org")), HERE).await), "mail-off");
    let link = fixture.accounts.invite(&admin, invitation(None), HERE).await.expect("a link needs no mail");
    assert_eq!(link.url, None);
    fixture.accounts.register(by(&link.token, "bob")).await.expect("registered");
}
