//! Accounts in the hands of administrators.

use std::time::Duration;

use accounts::{AuditFilter, NewPerson, Permission, Permissions, PersonUpdate, Principal, Reset};
use base::Secret;
use testkit::database::TestDb;

use super::{Fixture, HERE, PASSWORD, code, login};

testkit::both! {
    accounts_are_listed_searched_and_paged,
    accounts_are_made_with_what_was_asked_for,
    changes_count_at_once_and_are_logged,
    a_disabled_account_is_out_and_its_sessions_do_not_come_back,
    the_last_administrator_stays,
    of_two_administrators_who_dismiss_each_other_one_stays,
    power_over_others_is_only_changed_by_those_who_have_it,
    a_temporary_password_ends_all_sessions,
    a_lost_second_factor_is_taken_away,
    sessions_of_others_are_seen_and_ended,
    the_log_is_filtered_and_paged,
}

async fn admin(fixture: &Fixture) -> Principal {
    fixture.accounts.ensure_admin(Some(Secret::new(PASSWORD))).await.expect("made");
    fixture.sign_in("admin").await.1
}

fn words(words: &[&str]) -> Option<Vec<String>> {
    Some(words.iter().map(|&word| word.to_owned()).collect())
}

fn new(name: &str) -> NewPerson {
    NewPerson {
        name: name.to_owned(),
        password: Some(Secret::new(PASSWORD)),
        display_name: None,
        email: None,
        permissions: None,
        quota_bytes: None,
        language: None,
    }
}

async fn accounts_are_listed_searched_and_paged(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let admin = admin(&fixture).await;
    for name in ["Carol", "ada", "bob", "b_b"] {
        fixture.register(name).await;
    }
    let email = Some("Bob@Example.org".to_owned());
    let bob = NewPerson { email, display_name: Some("Robert Ёлкин".to_owned()), ..new("rob") };
    fixture.accounts.make_person(&admin, bob, HERE).await.expect("made");
    let find = async |search: &str| {
        let page = fixture.accounts.people(&admin, search, "", 100).await.expect("a page");
        page.items.into_iter().map(|person| person.user.name).collect::<Vec<_>>()
    };
    assert_eq!(find("").await, ["ada", "admin", "b_b", "bob", "Carol", "rob"]);
    assert_eq!(find(" AD ").await, ["ada", "admin"]);
    assert_eq!(find("bob@example").await, ["rob"]);
    for search in ["robert", "ёлкин", "ЁЛ"] {
        assert_eq!(find(search).await, ["rob"], "{search}");
    }
    // What means something in a pattern is a letter like any other.
    assert_eq!(find("b_b").await, ["b_b"]);
    assert_eq!(find("%").await, [""; 0]);
    assert_eq!(find("\\").await, [""; 0]);
    let first = fixture.accounts.people(&admin, "", "", 4).await.expect("a page");
    let after = first.items.last().expect("four").position.clone();
    let second = fixture.accounts.people(&admin, "", &after, 4).await.expect("a page");
    assert_eq!((first.items.len(), first.more, second.items.len(), second.more), (4, true, 2, false));
    let (_, ada) = fixture.sign_in("ada").await;
    assert_eq!(code(fixture.accounts.people(&ada, "", "", 10).await), "permission-missing");
    assert_eq!(code(fixture.accounts.person(&ada, ada.account).await), "permission-missing");
}

async fn accounts_are_made_with_what_was_asked_for(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let admin = admin(&fixture).await;
    let asked = NewPerson {
        password: None,
        email: Some("ada@example.org".to_owned()),
        permissions: words(&["files.read", "admin.nodes"]),
        quota_bytes: Some(1 << 30),
        language: Some("ru".to_owned()),
        ..new("ada")
    };
    let (person, password) = fixture.accounts.make_person(&admin, asked.clone(), HERE).await.expect("made");
    let password = password.expect("made up");
    let private = person.user.private.clone().expect("all of it");
    assert_eq!((person.quota_bytes, person.used_bytes, person.second_factor), (Some(1 << 30), 0, false));
    assert_eq!((private.email.as_deref(), private.language.as_str()), (Some("ada@example.org"), "ru"));
    assert_eq!(private.permissions, Permissions::of([Permission::FilesRead, Permission::AdminNodes]));
    fixture.accounts.login(login("ada", password.expose())).await.expect("signed in");
    assert_eq!(code(fixture.accounts.make_person(&admin, asked.clone(), HERE).await), "name-taken");
    let same = NewPerson { name: "eve".to_owned(), ..asked };
    assert_eq!(code(fixture.accounts.make_person(&admin, same, HERE).await), "email-taken");
    let gone = fixture.accounts.people(&admin, "eve", "", 10).await.expect("a page").items;
    assert!(gone.is_empty(), "nothing is left of it");
}

async fn changes_count_at_once_and_are_logged(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let admin = admin(&fixture).await;
    let ada = fixture.register("ada").await;
    let (tokens, _) = fixture.sign_in("ada").await;
    let update = PersonUpdate {
        display_name: Some("Ada L.".to_owned()),
        permissions: words(&["files.read"]),
        email: Some(Some("ada@example.org".to_owned())),
        quota_bytes: Some(Some(5)),
        language: Some("ru".to_owned()),
        disabled: None,
    };
    let person = fixture.accounts.update_person(&admin, ada.id, update, HERE).await.expect("changed");
    let private = person.user.private.clone().expect("all of it");
    assert_eq!((person.user.display_name.as_str(), person.quota_bytes), ("Ada L.", Some(5)));
    assert_eq!((private.email.as_deref(), private.language.as_str()), (Some("ada@example.org"), "ru"));
    fixture.clock.advance(Duration::from_secs(1));
    let principal = fixture.accounts.authenticate(tokens.access.expose()).await.expect("a good token");
    assert!(principal.permissions.has(Permission::FilesRead) && !principal.permissions.has(Permission::Files));
    let nothing = PersonUpdate { email: Some(None), quota_bytes: Some(None), ..PersonUpdate::default() };
    let person = fixture.accounts.update_person(&admin, ada.id, nothing, HERE).await.expect("changed");
    assert_eq!((person.quota_bytes, person.user.private.expect("all").email), (None, None));
    let filter = AuditFilter { account: Some(ada.id), action: Some("account-changed"), ..AuditFilter::default() };
    let lines = fixture.accounts.audit(&admin, &filter, None, 10).await.expect("lines").items;
    assert_eq!(lines.len(), 2);
    let line = lines.iter().find(|line| line.detail["display_name"] == "Ada L.").expect("the first change");
    assert_eq!((line.actor, line.address.as_deref()), (Some(admin.account), Some("192.0.2.7")));
    assert_eq!(line.detail["permissions_before"], serde_json::json!(["files", "share"]));
    assert_eq!(line.detail["permissions"], serde_json::json!(["files.read"]));
}

async fn a_disabled_account_is_out_and_its_sessions_do_not_come_back(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let admin = admin(&fixture).await;
    let ada = fixture.register("ada").await;
    let (tokens, _) = fixture.sign_in("ada").await;
    let other = fixture.other().await;
    other.authenticate(tokens.access.expose()).await.expect("a good token");
    let set = async |disabled: bool| {
        let update = PersonUpdate { disabled: Some(disabled), ..PersonUpdate::default() };
        fixture.accounts.update_person(&admin, ada.id, update, HERE).await.expect("changed").disabled.is_some()
    };
    assert!(set(true).await);
    assert_eq!(code(fixture.accounts.authenticate(tokens.access.expose()).await), "session-ended");
    fixture.clock.advance(Duration::from_secs(1));
    assert_eq!(code(other.authenticate(tokens.access.expose()).await), "session-ended");
    assert_eq!(code(fixture.accounts.login(login("ada", PASSWORD)).await), "account-disabled");
    assert!(!set(false).await);
    assert_eq!(code(fixture.accounts.refresh(tokens.refresh.expose()).await), "session-ended");
    fixture.sign_in("ada").await;
}

async fn the_last_administrator_stays(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let admin = admin(&fixture).await;
    let me = admin.account;
    let less = || PersonUpdate { permissions: words(&["files", "admin.nodes"]), ..PersonUpdate::default() };
    let off = || PersonUpdate { disabled: Some(true), ..PersonUpdate::default() };
    assert_eq!(code(fixture.accounts.update_person(&admin, me, less(), HERE).await), "last-administrator");
    assert_eq!(code(fixture.accounts.update_person(&admin, me, off(), HERE).await), "last-administrator");
    fixture.accounts.people(&admin, "", "", 10).await.expect("nothing has changed");
    // With another one, who is not disabled, it works.
    let second = NewPerson { permissions: words(&["admin.users", "admin.nodes"]), ..new("second") };
    let second = fixture.accounts.make_person(&admin, second, HERE).await.expect("made").0.user.id;
    fixture.accounts.update_person(&admin, second, off(), HERE).await.expect("disabled");
    assert_eq!(code(fixture.accounts.update_person(&admin, me, less(), HERE).await), "last-administrator");
    let on = PersonUpdate { disabled: Some(false), ..PersonUpdate::default() };
    fixture.accounts.update_person(&admin, second, on, HERE).await.expect("enabled");
    fixture.accounts.update_person(&admin, me, less(), HERE).await.expect("changed");
}

async fn of_two_administrators_who_dismiss_each_other_one_stays(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let first = admin(&fixture).await;
    let second = NewPerson { permissions: words(&["admin.users", "admin.nodes"]), ..new("second") };
    fixture.accounts.make_person(&first, second, HERE).await.expect("made");
    let (_, second) = fixture.sign_in("second").await;
    let less = || PersonUpdate { permissions: words(&["files"]), ..PersonUpdate::default() };
    let other = fixture.other().await;
    let (one, two) = tokio::join!(
        fixture.accounts.update_person(&first, second.account, less(), HERE),
        other.update_person(&second, first.account, less(), HERE),
    );
    let mut codes = [code(one), code(two)];
    codes.sort_unstable();
    assert_eq!(codes, ["good", "last-administrator"]);
}

async fn power_over_others_is_only_changed_by_those_who_have_it(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let admin = admin(&fixture).await;
    fixture.register("ada").await;
    let helper = NewPerson { permissions: words(&["admin.users"]), ..new("helper") };
    let helper_id = fixture.accounts.make_person(&admin, helper, HERE).await.expect("made").0.user.id;
    let (_, helper) = fixture.sign_in("helper").await;
    let (_, ada) = fixture.sign_in("ada").await;
    let me = admin.account;
    let all = || PersonUpdate { permissions: words(&["admin.users", "admin.nodes"]), ..PersonUpdate::default() };
    let accounts = &fixture.accounts;
    assert_eq!(code(accounts.update_person(&helper, helper_id, all(), HERE).await), "permission-missing");
    assert_eq!(code(accounts.update_person(&helper, ada.account, all(), HERE).await), "permission-missing");
    let name = PersonUpdate { display_name: Some("x".to_owned()), ..PersonUpdate::default() };
    assert_eq!(code(accounts.update_person(&helper, me, name.clone(), HERE).await), "permission-missing");
    assert_eq!(code(accounts.reset_person(&helper, me, Reset::Temporary, HERE).await), "permission-missing");
    assert_eq!(code(accounts.remove_factor_of(&helper, me, HERE).await), "permission-missing");
    assert_eq!(code(accounts.end_sessions_of(&helper, me, None, HERE).await), "permission-missing");
    let strong = NewPerson { permissions: words(&["admin.nodes"]), ..new("strong") };
    assert_eq!(code(accounts.make_person(&helper, strong, HERE).await), "permission-missing");
    // People without power are theirs to help, whatever they may do with files.
    accounts.update_person(&helper, ada.account, name.clone(), HERE).await.expect("changed");
    assert_eq!(code(accounts.update_person(&ada, me, name, HERE).await), "permission-missing");
}

async fn a_temporary_password_ends_all_sessions(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let admin = admin(&fixture).await;
    let ada = fixture.register("ada").await;
    let (tokens, _) = fixture.sign_in("ada").await;
    let reset = fixture.accounts.reset_person(&admin, ada.id, Reset::Temporary, HERE).await.expect("reset");
    let password = reset.expect("a password");
    assert_eq!(code(fixture.accounts.authenticate(tokens.access.expose()).await), "session-ended");
    assert_eq!(code(fixture.accounts.login(login("ada", PASSWORD)).await), "wrong-credentials");
    fixture.accounts.login(login("ada", password.expose())).await.expect("signed in");
    assert_eq!(code(fixture.accounts.reset_person(&admin, ada.id, Reset::Mail, HERE).await), "mail-off");
    let nobody = base::AccountId::from_bytes([9; 16]);
    assert_eq!(code(fixture.accounts.reset_person(&admin, nobody, Reset::Mail, HERE).await), "user-not-found");
}

async fn a_lost_second_factor_is_taken_away(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let admin = admin(&fixture).await;
    let ada = fixture.register("ada").await;
    let (_, principal) = fixture.sign_in("ada").await;
    assert_eq!(code(fixture.accounts.remove_factor_of(&admin, ada.id, HERE).await), "second-factor-off");
    let setup = fixture.accounts.begin_second_factor(&principal, &Secret::new(PASSWORD)).await.expect("begun");
    let secret = totp_rs::Secret::try_from_base32(setup.secret.expose()).expect("base 32");
    let app = totp_rs::Builder::new().with_secret(secret).with_account_name("ada").with_issuer(Some("x"));
    let now = base::Clock::now(&fixture.clock).as_secs().unsigned_abs();
    let first = Secret::new(app.build().expect("an app").generate(now).to_string());
    fixture.accounts.confirm_second_factor(&principal, &first, HERE).await.expect("confirmed");
    assert!(fixture.accounts.person(&admin, ada.id).await.expect("a person").second_factor);
    assert_eq!(code(fixture.accounts.login(login("ada", PASSWORD)).await), "second-factor-required");
    fixture.accounts.remove_factor_of(&admin, ada.id, HERE).await.expect("taken away");
    fixture.sign_in("ada").await;
}

async fn sessions_of_others_are_seen_and_ended(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let admin = admin(&fixture).await;
    let ada = fixture.register("ada").await;
    let (one, first) = fixture.sign_in("ada").await;
    let (two, _) = fixture.sign_in("ada").await;
    let list = async || fixture.accounts.sessions_of(&admin, ada.id, None, 10).await.expect("a page").items;
    assert_eq!(list().await.len(), 2);
    let end = async |session| fixture.accounts.end_sessions_of(&admin, ada.id, session, HERE).await;
    end(Some(first.session)).await.expect("ended");
    assert_eq!(code(end(Some(first.session)).await), "session-not-found");
    assert_eq!(code(end(Some(admin.session)).await), "session-not-found", "not this account's");
    assert_eq!(code(fixture.accounts.authenticate(one.access.expose()).await), "session-ended");
    fixture.accounts.authenticate(two.access.expose()).await.expect("a good token");
    end(None).await.expect("ended");
    assert_eq!(code(fixture.accounts.authenticate(two.access.expose()).await), "session-ended");
    assert!(list().await.is_empty());
}

async fn the_log_is_filtered_and_paged(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let admin = admin(&fixture).await;
    let ada = fixture.register("ada").await;
    let began = base::Clock::now(&fixture.clock);
    for _ in 0..4 {
        fixture.clock.advance(Duration::from_secs(60));
        assert_eq!(code(fixture.accounts.login(login("ada", "a wrong guess")).await), "wrong-credentials");
    }
    fixture.clock.advance(Duration::from_secs(60));
    assert_eq!(
        code(fixture.accounts.login(login("my-secret-password", "typed in the wrong field")).await),
        "wrong-credentials"
    );
    fixture.clock.advance(Duration::from_secs(60));
    let (_, _) = fixture.sign_in("ada").await;
    let read =
        async |filter: AuditFilter<'_>| fixture.accounts.audit(&admin, &filter, None, 100).await.expect("lines").items;
    let failed = AuditFilter { action: Some("sign-in-failed"), ..AuditFilter::default() };
    assert_eq!(read(failed).await.len(), 5);
    assert!(!format!("{:?}", read(failed).await).contains("secret"), "a name that nobody has is not kept");
    assert_eq!(read(AuditFilter { account: Some(ada.id), ..failed }).await.len(), 4);
    assert_eq!(read(AuditFilter { actor: Some(ada.id), ..failed }).await.len(), 0, "nobody knows who it was");
    let own = AuditFilter { actor: Some(ada.id), account: Some(ada.id), ..AuditFilter::default() };
    assert_eq!(read(own).await.len(), 2, "registered, signed in");
    assert_eq!(read(AuditFilter { action: Some("sign-in"), ..own }).await.len(), 1);
    let minute = |count: u64| Some(began.plus(Duration::from_secs(60 * count)));
    assert_eq!(read(AuditFilter { since: minute(2), until: minute(4), ..failed }).await.len(), 2);
    let first = fixture.accounts.audit(&admin, &failed, None, 3).await.expect("a page");
    let before = first.items.last().map(|line| line.id);
    let second = fixture.accounts.audit(&admin, &failed, before, 3).await.expect("a page");
    assert_eq!((first.items.len(), first.more, second.items.len(), second.more), (3, true, 2, false));
    assert!(first.items.iter().all(|line| second.items.iter().all(|other| other.at < line.at)));
    // Old lines go.
    fixture.clock.advance(Duration::from_secs(366 * 24 * 3600));
    fixture.accounts.prune(1000).await.expect("pruned");
    assert!(read(AuditFilter::default()).await.is_empty());
}
