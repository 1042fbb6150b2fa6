//! API tokens and S3 keys: what they may do, for how long, and that the end of one counts everywhere.

use std::time::Duration;

use accounts::{Action, MadeToken, NewKey, Permission, Permissions, Principal, Role, may};
use db::{Lane, params};
use testkit::database::TestDb;

use super::{Fixture, HERE, code};

testkit::both! {
    a_token_stands_in_for_its_account,
    a_token_has_at_most_what_its_account_has,
    a_removed_token_is_refused_everywhere_within_a_second,
    a_token_ends_with_its_time_and_its_account,
    using_a_token_is_noted_to_the_hour,
    there_are_only_so_many,
    an_s3_key_gives_its_secret_back_and_nobody_finds_it_in_the_table,
    expired_tokens_are_pruned,
    what_is_done_with_tokens_is_logged,
}

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

fn key(scopes: &[&str]) -> NewKey {
    NewKey { name: "a script".to_owned(), scopes: scopes.iter().map(|&word| word.to_owned()).collect(), expires: None }
}

async fn make(fixture: &Fixture, principal: &Principal, new: NewKey) -> MadeToken {
    fixture.accounts.make_token(principal, new, HERE).await.expect("a token")
}

async fn a_token_stands_in_for_its_account(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.register("ada").await;
    let (_, ada) = fixture.sign_in("ada").await;
    let made = make(&fixture, &ada, key(&["files.read"])).await;
    assert!(made.token.expose().len() <= 64);
    let other = fixture.other().await;
    for accounts in [&fixture.accounts, &other] {
        let principal = accounts.authenticate(made.token.expose()).await.expect("a good token");
        assert_eq!((principal.account, principal.space, principal.root), (ada.account, ada.space, ada.root));
        assert_eq!(principal.permissions, Permissions::of([Permission::FilesRead]));
        assert!(may(&principal, Action::Read, Some(Role::Manager)).is_ok());
        assert_eq!(code(may(&principal, Action::Change, Some(Role::Manager))), "permission-missing");
        let basic = accounts.authenticate_basic("ADA", made.token.expose()).await.expect("the owner's name");
        assert_eq!(basic, principal);
        assert_eq!(code(accounts.authenticate_basic("eve", made.token.expose()).await), "wrong-credentials");
        assert_eq!(code(accounts.authenticate_basic("ada", super::PASSWORD).await), "wrong-credentials");
        // It has no say over the account.
        assert_eq!(code(accounts.make_token(&principal, key(&["files.read"]), HERE).await), "permission-missing");
        assert_eq!(code(accounts.remove_token(&principal, made.view.id, HERE).await), "permission-missing");
        assert_eq!(code(accounts.sessions(&principal, None, 10).await), "permission-missing");
        assert_eq!(code(accounts.end_session(&principal, ada.session).await), "permission-missing");
        let (old, new) = (super::PASSWORD, "another horse");
        let change = accounts.change_password(&principal, base::Secret::new(old), base::Secret::new(new), HERE);
        assert_eq!(code(change.await), "permission-missing");
    }
    let mut wrong = made.token.expose().to_owned();
    wrong.replace_range(10..11, if wrong.as_bytes()[10] == b'x' { "y" } else { "x" });
    assert_eq!(code(fixture.accounts.authenticate(&wrong).await), "invalid-token");
}

async fn a_token_has_at_most_what_its_account_has(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.accounts.ensure_admin(Some(base::Secret::new(super::PASSWORD))).await.expect("made");
    let (_, admin) = fixture.sign_in("admin").await;
    fixture.register("ada").await;
    let (_, ada) = fixture.sign_in("ada").await;
    for scopes in [&["admin.users"][..], &["files", "admin.nodes"]] {
        assert_eq!(code(fixture.accounts.make_token(&ada, key(scopes), HERE).await), "permission-missing");
    }
    for scopes in [&[][..], &["account"], &["files", "everything"], &["FILES"]] {
        assert_eq!(code(fixture.accounts.make_token(&admin, key(scopes), HERE).await), "invalid-scopes");
    }
    // What is taken from the account is taken from its tokens.
    let made = make(&fixture, &admin, key(&["files", "admin.users"])).await;
    let before = fixture.accounts.authenticate(made.token.expose()).await.expect("a good token");
    assert_eq!(before.permissions, Permissions::of([Permission::Files, Permission::AdminUsers]));
    let account = admin.account;
    let taken = async move |tx: db::Tx| {
        tx.exec("UPDATE account SET permissions = 'files.read' WHERE id = $1", &params![account]).await
    };
    fixture.test.db.write(Lane::Free, taken).await.expect("taken");
    fixture.clock.advance(SECOND);
    let after = fixture.accounts.authenticate(made.token.expose()).await.expect("a good token");
    assert_eq!(after.permissions, Permissions::of([Permission::FilesRead]));
}

async fn a_removed_token_is_refused_everywhere_within_a_second(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.register("ada").await;
    fixture.register("eve").await;
    let other = fixture.other().await;
    let (_, ada) = fixture.sign_in("ada").await;
    let (_, eve) = fixture.sign_in("eve").await;
    let made = make(&fixture, &ada, key(&["files"])).await;
    let kept = make(&fixture, &ada, key(&["files"])).await;
    let token = made.token.expose();
    let socket = other.authenticate(token).await.expect("a good token").session;
    let mut ends = fixture.accounts.session_ends();
    fixture.accounts.authenticate(token).await.expect("a good token");
    assert_eq!(code(fixture.accounts.remove_token(&eve, made.view.id, HERE).await), "key-not-found");
    assert_eq!(code(fixture.accounts.remove_s3_key(&ada, made.view.id, HERE).await), "key-not-found");
    fixture.accounts.remove_token(&ada, made.view.id, HERE).await.expect("removed");
    assert_eq!(code(fixture.accounts.authenticate(token).await), "invalid-token", "here at once");
    assert_eq!(code(fixture.accounts.authenticate_basic("ada", token).await), "wrong-credentials");
    fixture.clock.advance(SECOND);
    assert_eq!(code(other.authenticate(token).await), "invalid-token", "elsewhere within a second");
    assert_eq!(ends.recv().await, Ok(socket), "sockets that it opened hear of it");
    assert_eq!(code(fixture.accounts.remove_token(&ada, made.view.id, HERE).await), "key-not-found");
    let left = fixture.accounts.tokens_of(&ada, None, 10).await.expect("a page");
    assert_eq!(left.items.iter().map(|view| view.id).collect::<Vec<_>>(), [kept.view.id]);
    other.authenticate(kept.token.expose()).await.expect("the other one goes on");
}

async fn a_token_ends_with_its_time_and_its_account(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.register("ada").await;
    let (_, ada) = fixture.sign_in("ada").await;
    let now = base::Clock::now(&fixture.clock);
    let past = NewKey { expires: Some(now), ..key(&["files"]) };
    assert_eq!(code(fixture.accounts.make_token(&ada, past, HERE).await), "invalid-expiry");
    let short = NewKey { expires: Some(now.plus(HOUR)), ..key(&["files"]) };
    let (short, endless) = (make(&fixture, &ada, short).await, make(&fixture, &ada, key(&["files"])).await);
    fixture.clock.advance(HOUR - SECOND);
    fixture.accounts.authenticate(short.token.expose()).await.expect("a good token");
    fixture.clock.advance(SECOND);
    assert_eq!(code(fixture.accounts.authenticate(short.token.expose()).await), "token-expired");
    fixture.clock.advance(HOUR * 24 * 1000);
    fixture.accounts.authenticate(endless.token.expose()).await.expect("a good token");
    let account = ada.account;
    let disable =
        async move |tx: db::Tx| tx.exec("UPDATE account SET disabled_us = 1 WHERE id = $1", &params![account]).await;
    fixture.test.db.write(Lane::Free, disable).await.expect("disabled");
    fixture.clock.advance(SECOND);
    assert_eq!(code(fixture.accounts.authenticate(endless.token.expose()).await), "invalid-token");
}

async fn using_a_token_is_noted_to_the_hour(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.register("ada").await;
    let (_, ada) = fixture.sign_in("ada").await;
    let made = make(&fixture, &ada, key(&["files"])).await;
    let used = async || fixture.accounts.tokens_of(&ada, None, 10).await.expect("a page").items[0].used;
    assert_eq!(used().await, None);
    let first = base::Clock::now(&fixture.clock);
    fixture.accounts.authenticate(made.token.expose()).await.expect("a good token");
    assert_eq!(used().await, Some(first));
    fixture.clock.advance(HOUR);
    fixture.accounts.authenticate(made.token.expose()).await.expect("a good token");
    assert_eq!(used().await, Some(first), "not yet");
    fixture.clock.advance(2 * SECOND);
    fixture.accounts.authenticate(made.token.expose()).await.expect("a good token");
    assert_eq!(used().await, Some(base::Clock::now(&fixture.clock)));
}

async fn there_are_only_so_many(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.register("ada").await;
    let (_, ada) = fixture.sign_in("ada").await;
    for _ in 0..100 {
        make(&fixture, &ada, key(&["files"])).await;
    }
    assert_eq!(code(fixture.accounts.make_token(&ada, key(&["files"]), HERE).await), "too-many-keys");
    fixture.accounts.make_s3_key(&ada, key(&["files"]), HERE).await.expect("these are counted by themselves");
    let first = fixture.accounts.tokens_of(&ada, None, 60).await.expect("a page");
    let second = fixture.accounts.tokens_of(&ada, first.items.last().map(|view| view.id), 60).await.expect("a page");
    assert_eq!((first.items.len(), first.more, second.items.len(), second.more), (60, true, 40, false));
    fixture.accounts.remove_token(&ada, first.items[0].id, HERE).await.expect("removed");
    make(&fixture, &ada, key(&["files"])).await;
}

async fn an_s3_key_gives_its_secret_back_and_nobody_finds_it_in_the_table(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.register("ada").await;
    let (_, ada) = fixture.sign_in("ada").await;
    let made = fixture.accounts.make_s3_key(&ada, key(&["files.read"]), HERE).await.expect("a key");
    let id = made.view.shown.clone();
    let other = fixture.other().await;
    let (principal, secret) = other.s3_key(&id).await.expect("the key");
    assert_eq!(secret, made.secret);
    assert_eq!((principal.account, principal.permissions), (ada.account, Permissions::of([Permission::FilesRead])));
    let sql = "SELECT sealed FROM credential";
    let (sealed,): (Vec<u8>,) = fixture.test.db.query_one(sql, &params![]).await.expect("a row");
    assert!(!sealed.windows(8).any(|bytes| secret.expose().as_bytes().starts_with(bytes)));
    // The public part opens no other door, and a token is no S3 key.
    assert_eq!(code(other.authenticate(&id).await), "invalid-token");
    assert_eq!(code(other.authenticate_basic("ada", secret.expose()).await), "wrong-credentials");
    let token = make(&fixture, &ada, key(&["files"])).await;
    assert_eq!(code(other.s3_key(token.token.expose()).await), "invalid-token");
    assert_eq!(code(other.s3_key("HFAAAAAAAAAAAAAAAAAA").await), "invalid-token");
    fixture.accounts.remove_s3_key(&ada, made.view.id, HERE).await.expect("removed");
    assert_eq!(code(fixture.accounts.s3_key(&id).await), "invalid-token");
    fixture.clock.advance(SECOND);
    assert_eq!(code(other.s3_key(&id).await), "invalid-token");
}

async fn expired_tokens_are_pruned(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.register("ada").await;
    let (_, ada) = fixture.sign_in("ada").await;
    let expires = Some(base::Clock::now(&fixture.clock).plus(HOUR));
    make(&fixture, &ada, NewKey { expires, ..key(&["files"]) }).await;
    let endless = make(&fixture, &ada, key(&["files"])).await;
    let count = async || {
        let (count,): (u64,) =
            fixture.test.db.query_one("SELECT count(*) FROM credential", &params![]).await.expect("a count");
        count
    };
    fixture.accounts.prune(10).await.expect("pruned");
    assert_eq!(count().await, 2);
    fixture.clock.advance(HOUR * 24 * 31);
    fixture.accounts.prune(10).await.expect("pruned");
    assert_eq!(count().await, 1);
    fixture.accounts.authenticate(endless.token.expose()).await.expect("a good token");
}

async fn what_is_done_with_tokens_is_logged(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.accounts.ensure_admin(Some(base::Secret::new(super::PASSWORD))).await.expect("made");
    let (_, admin) = fixture.sign_in("admin").await;
    // Lines of one millisecond are in no order.
    fixture.register("ada").await;
    fixture.clock.advance(SECOND);
    let (_, ada) = fixture.sign_in("ada").await;
    fixture.clock.advance(SECOND);
    let made = make(&fixture, &ada, key(&["files"])).await;
    fixture.clock.advance(SECOND);
    fixture.accounts.remove_token(&ada, made.view.id, HERE).await.expect("removed");
    let filter = accounts::AuditFilter { account: Some(ada.account), ..Default::default() };
    let lines = fixture.accounts.audit(&admin, &filter, None, 10).await.expect("a page").items;
    let words: Vec<_> = lines.iter().map(|line| line.action.as_str()).collect();
    assert_eq!(words, ["token-removed", "token-made", "sign-in", "registered"]);
    assert!(lines.iter().all(|line| line.actor == Some(ada.account) && line.address.as_deref() == Some("192.0.2.7")));
    assert!(!format!("{lines:?}").contains(made.token.expose()));
    assert_eq!(code(fixture.accounts.audit(&ada, &filter, None, 10).await), "permission-missing");
}
