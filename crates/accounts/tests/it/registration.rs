//! Making accounts and seeing them.

use accounts::{Options, Permission, Permissions, Registration, Registrations};
use base::{ErrorKind, Secret};
use db::params;
use testkit::database::TestDb;
use tokio::task::JoinSet;

use super::{Fixture, PASSWORD, code, login, registration};

testkit::both! {
    an_account_comes_with_space_and_root,
    names_are_one_in_any_clothes,
    refusals_leave_nothing_behind,
    of_two_registrations_of_one_name_one_wins,
    closed_registration_is_closed,
    the_first_administrator_is_made_once,
    the_first_administrator_may_have_a_given_password,
    others_see_names_only,
}

async fn count(test: &TestDb, table: &'static str) -> u64 {
    let sql = match table {
        "account" => "SELECT count(*) FROM account",
        "space" => "SELECT count(*) FROM space",
        _ => "SELECT count(*) FROM entry",
    };
    let (rows,): (u64,) = test.db.query_one(sql, &params![]).await.expect("a count");
    rows
}

async fn an_account_comes_with_space_and_root(test: TestDb) {
    let fixture = Fixture::with(test, Options { quota_bytes: Some(1 << 30), ..Options::default() }).await;
    let user = fixture
        .accounts
        .register(Registration { display_name: Some(" Ada Lovelace ".to_owned()), ..registration("Ada") })
        .await
        .expect("registered");
    assert_eq!((user.name.as_str(), user.display_name.as_str()), ("Ada", "Ada Lovelace"));
    let private = user.private.clone().expect("one's own account");
    assert_eq!(private.permissions, Permissions::of([Permission::Files, Permission::Share]));
    let (tokens, principal) = fixture.sign_in("ada").await;
    assert_eq!(tokens.user, user);
    assert_eq!((principal.account, principal.space, principal.root), (user.id, private.space, private.root));
    let space = db::spaces::space(&fixture.test.db, private.space).await.expect("a look").expect("one's own space");
    assert_eq!((space.kind.as_str(), space.owner, space.root), ("personal", user.id, private.root));
    assert_eq!((space.sequence, space.epoch, space.used_bytes, space.quota_bytes), (0, 1, 0, Some(1 << 30)));
    let root = db::tree::locate(&fixture.test.db, private.root).await.expect("a look").expect("the root");
    assert_eq!((root.entry.kind, root.entry.parent, root.entry.name.as_str()), (db::tree::FOLDER, None, ""));
}

async fn names_are_one_in_any_clothes(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.register("\u{c9}va").await;
    for same in ["\u{c9}va", "\u{e9}va", "e\u{301}va", "E\u{301}VA", "\u{c9}ＶＡ"] {
        assert_eq!(code(fixture.accounts.register(registration(same)).await), "name-taken", "{same}");
        let tokens = fixture.accounts.login(login(same, PASSWORD)).await.expect(same);
        assert_eq!(tokens.user.name, "\u{c9}va");
    }
    fixture.register("eva").await;
    assert_eq!(count(&fixture.test, "account").await, 2);
}

async fn refusals_leave_nothing_behind(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let check = async |registration: Registration, expected: &str| {
        let error = fixture.accounts.register(registration).await.expect_err(expected);
        assert_eq!((error.code(), error.kind()), (expected, ErrorKind::Invalid));
    };
    for name in ["", "a", "a b", "../x", "ada\0", &"x".repeat(65)] {
        check(registration(name), "invalid-account-name").await;
    }
    for password in ["", "1234567", &"x".repeat(257)] {
        let password = Secret::new(password);
        check(Registration { password, ..registration("ada") }, "invalid-password").await;
    }
    for shown in ["", " ", "a\u{202e}b", &"x".repeat(101)] {
        let display_name = Some(shown.to_owned());
        check(Registration { display_name, ..registration("ada") }, "invalid-display-name").await;
    }
    for table in ["account", "space", "entry"] {
        assert_eq!(count(&fixture.test, table).await, 0, "{table}");
    }
}

async fn of_two_registrations_of_one_name_one_wins(test: TestDb) {
    let fixture = Fixture::with(test, Options { password_workers: 4, ..Options::default() }).await;
    let mut tasks = JoinSet::new();
    for name in ["Ada", "ada", "ADA", "aDa"] {
        let accounts = fixture.accounts.clone();
        tasks.spawn(async move { code(accounts.register(registration(name)).await) });
    }
    let mut codes = tasks.join_all().await;
    codes.sort_unstable();
    assert_eq!(codes, ["good", "name-taken", "name-taken", "name-taken"]);
    for table in ["account", "space", "entry"] {
        assert_eq!(count(&fixture.test, table).await, 1, "{table}");
    }
}

async fn closed_registration_is_closed(test: TestDb) {
    let options = Options { registrations: Registrations::Closed, ..Options::default() };
    let fixture = Fixture::with(test, options).await;
    let error = fixture.accounts.register(registration("ada")).await.expect_err("closed");
    assert_eq!((error.code(), error.kind()), ("registration-closed", ErrorKind::Denied));
    // The first administrator needs no registration.
    assert!(fixture.accounts.ensure_admin(None).await.expect("made").is_some());
    assert_eq!(count(&fixture.test, "account").await, 1);
}

async fn the_first_administrator_is_made_once(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let mut tasks = JoinSet::new();
    for _ in 0..4 {
        let accounts = fixture.other().await;
        tasks.spawn(async move { accounts.ensure_admin(None).await.expect("made, by one of them") });
    }
    let passwords: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!(passwords.len(), 1, "one process prints the password");
    assert_eq!(count(&fixture.test, "account").await, 1);
    let tokens = fixture.accounts.login(login("Admin", passwords[0].expose())).await.expect("signed in");
    let private = tokens.user.private.expect("one's own account");
    assert_eq!(private.permissions, Permissions::of(Permission::ALL));
    // Later starts change nothing, whatever password they are given.
    assert!(fixture.accounts.ensure_admin(None).await.expect("nothing to do").is_none());
    assert!(fixture.accounts.ensure_admin(Some(Secret::new("another one"))).await.expect("nothing").is_none());
    assert_eq!(code(fixture.accounts.login(login("admin", "another one")).await), "wrong-credentials");
}

async fn the_first_administrator_may_have_a_given_password(test: TestDb) {
    let fixture = Fixture::new(test).await;
    // A refused password makes no account, and the next start has its chance.
    assert_eq!(code(fixture.accounts.ensure_admin(Some(Secret::new("short"))).await), "invalid-password");
    assert!(fixture.accounts.ensure_admin(Some(Secret::new(PASSWORD))).await.expect("made").is_none());
    fixture.sign_in("admin").await;
}

async fn others_see_names_only(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.accounts.ensure_admin(Some(Secret::new(PASSWORD))).await.expect("made");
    let ada = fixture.register("ada").await;
    fixture.register("eve").await;
    let (_, eve) = fixture.sign_in("eve").await;
    let seen = fixture.accounts.user(&eve, ada.id).await.expect("a user");
    assert_eq!((seen.id, seen.name.as_str(), seen.private), (ada.id, "ada", None));
    let (_, admin) = fixture.sign_in("admin").await;
    assert_eq!(fixture.accounts.user(&admin, ada.id).await.expect("a user"), ada);
    let (_, own) = fixture.sign_in("ada").await;
    assert_eq!(fixture.accounts.user(&own, ada.id).await.expect("a user"), ada);
    let nobody = base::AccountId::from_bytes([9; 16]);
    assert_eq!(code(fixture.accounts.user(&admin, nobody).await), "user-not-found");
}
