//! Passkeys: adding one, signing in with it alone, and every way in which one is refused.

use std::time::Duration;

use accounts::{Options, PasskeyView, Principal, Reset, Tokens};
use base::{AccountId, Clock, ErrorKind, Secret};
use serde_json::{Value, json};
use testkit::{authenticator::Authenticator, database::TestDb};

use super::{Fixture, HERE, PASSWORD, code};

testkit::both! {
    a_passkey_alone_signs_in,
    what_is_not_good_is_refused,
    a_ceremony_is_good_once_and_for_its_owner,
    a_copy_is_noticed,
    the_last_way_in_stays,
    administrators_see_and_remove_passkeys,
    they_need_an_address_that_browsers_trust,
}

const ORIGIN: &str = "https://files.example.org";

async fn with_address(test: TestDb, address: &str) -> Fixture {
    Fixture::with(test, Options { public_url: Some(address.to_owned()), ..Options::default() }).await
}

async fn add(fixture: &Fixture, who: &Principal, device: &mut Authenticator, proof: &str) -> PasskeyView {
    let ceremony = fixture.accounts.begin_passkey(who, &Secret::new(proof)).await.expect("begun");
    let credential = device.create(&ceremony.options);
    fixture.accounts.finish_passkey(who, &ceremony.ceremony, credential, "Laptop", HERE).await.expect("added")
}

async fn sign_in(fixture: &Fixture, device: &mut Authenticator) -> Result<Tokens, accounts::Error> {
    let ceremony = fixture.accounts.begin_passkey_login().expect("begun");
    let credential = device.get(&ceremony.options);
    fixture.accounts.finish_passkey_login(&ceremony.ceremony, credential, Some("phone"), HERE).await
}

async fn a_passkey_alone_signs_in(test: TestDb) {
    let fixture = with_address(test, "https://files.example.org/").await;
    assert!(fixture.accounts.ways_in().await.passkeys);
    fixture.register("ada").await;
    let (_, ada) = fixture.sign_in("ada").await;
    assert_eq!(code(fixture.accounts.begin_passkey(&ada, &Secret::new("wrong horse")).await), "wrong-password");
    let ceremony = fixture.accounts.begin_passkey(&ada, &Secret::new(PASSWORD)).await.expect("begun");
    let options = &ceremony.options["publicKey"];
    assert_eq!((&options["rp"]["id"], &options["attestation"]), (&json!("files.example.org"), &json!("none")));
    assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
    assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
    let mut device = Authenticator::new(ORIGIN);
    let view = add(&fixture, &ada, &mut device, PASSWORD).await;
    assert_eq!((view.name.as_str(), view.used), ("Laptop", None));
    // The browser is told of those that there are, so that none is made twice.
    let again = fixture.accounts.begin_passkey(&ada, &Secret::new(PASSWORD)).await.expect("begun");
    assert_eq!(again.options["publicKey"]["excludeCredentials"].as_array().map(Vec::len), Some(1));

    let ceremony = fixture.accounts.begin_passkey_login().expect("begun");
    assert_eq!(ceremony.options["publicKey"]["userVerification"], "required");
    assert_eq!(ceremony.options["publicKey"]["allowCredentials"], json!([]));
    assert!(ceremony.options.get("mediation").is_none(), "a button, not a list under a field");
    let tokens = sign_in(&fixture, &mut device).await.expect("signed in");
    let me = fixture.accounts.authenticate(tokens.access.expose()).await.expect("a session");
    assert_eq!(me.account, ada.account);
    sign_in(&fixture, &mut device).await.expect("and again");
    let list = fixture.accounts.passkeys_of(&ada).await.expect("a list");
    assert_eq!((list.len(), list[0].used), (1, Some(fixture.clock.now())));
    let renamed = fixture.accounts.rename_passkey(&ada, view.id, " Phone ").await.expect("renamed");
    assert_eq!(renamed.name, "Phone");
    assert_eq!(code(fixture.accounts.rename_passkey(&ada, view.id, " ").await), "invalid-display-name");

    fixture.register("other").await;
    let (_, other) = fixture.sign_in("other").await;
    assert_eq!(code(fixture.accounts.rename_passkey(&other, view.id, "Mine").await), "passkey-not-found");
    let password = Secret::new(PASSWORD);
    assert_eq!(code(fixture.accounts.remove_passkey(&other, view.id, &password, HERE).await), "passkey-not-found");
    fixture.accounts.remove_passkey(&ada, view.id, &password, HERE).await.expect("removed");
    assert_eq!(code(sign_in(&fixture, &mut device).await), "passkey-refused");
    let (lines,): (u64,) = fixture
        .test
        .db
        .query_one("SELECT count(*) FROM audit WHERE action IN ('passkey-added', 'passkey-removed')", &db::params![])
        .await
        .expect("a count");
    assert_eq!(lines, 2);
}

async fn what_is_not_good_is_refused(test: TestDb) {
    let fixture = with_address(test, ORIGIN).await;
    fixture.register("ada").await;
    let (_, ada) = fixture.sign_in("ada").await;
    let refused = async |change: &dyn Fn(&mut Authenticator), spoil: &dyn Fn(&mut Value)| {
        let mut device = Authenticator::new(ORIGIN);
        let good = device.clone();
        change(&mut device);
        let ceremony = fixture.accounts.begin_passkey(&ada, &Secret::new(PASSWORD)).await.expect("begun");
        let mut credential = device.create(&ceremony.options);
        spoil(&mut credential);
        let added = fixture.accounts.finish_passkey(&ada, &ceremony.ceremony, credential, "x", HERE).await;
        let added = code(added);
        // The same fault when signing in with a key that was added without it.
        let mut device = good;
        add(&fixture, &ada, &mut device, PASSWORD).await;
        change(&mut device);
        let ceremony = fixture.accounts.begin_passkey_login().expect("begun");
        let mut credential = device.get(&ceremony.options);
        spoil(&mut credential);
        let entered = fixture.accounts.finish_passkey_login(&ceremony.ceremony, credential, None, HERE).await;
        fixture.clock.advance(Duration::from_secs(31));
        (added, code(entered))
    };
    let nothing = |_: &mut Value| {};
    let both = ("passkey-refused", "passkey-refused");
    assert_eq!(refused(&|it| it.verifies = false, &nothing).await, both, "nobody verified");
    assert_eq!(refused(&|it| it.origin = "https://files.example.org.evil.net".to_owned(), &nothing).await, both);
    assert_eq!(refused(&|it| it.origin = "http://files.example.org".to_owned(), &nothing).await, both);
    assert_eq!(refused(&|it| it.origin = "https://sub.files.example.org".to_owned(), &nothing).await, both);
    let spoiled = |name: &'static str| {
        move |it: &mut Value| {
            if let Some(text) = it["response"][name].as_str() {
                let last = if text.ends_with('A') { "B" } else { "A" };
                it["response"][name] = json!(format!("{}{last}", &text[..text.len() - 1]));
            }
        }
    };
    assert_eq!(refused(&|_| {}, &spoiled("clientDataJSON")).await, both);
    assert_eq!(refused(&|_| {}, &spoiled("authenticatorData")).await.1, "passkey-refused");
    assert_eq!(refused(&|_| {}, &|it| *it = json!({ "id": 1 })).await, both);
    assert_eq!(refused(&|_| {}, &|it| it["response"]["userHandle"] = Value::Null).await.1, "passkey-refused");
    // Somebody else's name on a key of one's own.
    let other = fixture.register("other").await.id;
    let handle = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, other.to_bytes());
    assert_eq!(refused(&|_| {}, &|it| it["response"]["userHandle"] = json!(handle)).await.1, "passkey-refused");
    let error = fixture.accounts.finish_passkey_login(&Secret::new("x"), json!({}), None, HERE).await;
    let error = error.expect_err("no ceremony");
    assert_eq!((error.code(), error.kind()), ("sign-in-expired", ErrorKind::Unauthenticated));
}

async fn a_ceremony_is_good_once_and_for_its_owner(test: TestDb) {
    let fixture = with_address(test, ORIGIN).await;
    fixture.register("ada").await;
    fixture.register("other").await;
    let (_, ada) = fixture.sign_in("ada").await;
    let (_, other) = fixture.sign_in("other").await;
    let mut device = Authenticator::new(ORIGIN);
    let accounts = &fixture.accounts;
    let adding = accounts.begin_passkey(&ada, &Secret::new(PASSWORD)).await.expect("begun");
    let credential = device.create(&adding.options);
    let finish = async |who: &Principal, it: &Value| {
        code(accounts.finish_passkey(who, &adding.ceremony, it.clone(), "x", HERE).await)
    };
    assert_eq!(finish(&other, &credential).await, "sign-in-expired", "another's");
    assert_eq!(finish(&ada, &credential).await, "good");
    assert_eq!(finish(&ada, &credential).await, "sign-in-expired", "the same again");

    let entering = accounts.begin_passkey_login().expect("begun");
    let answer = device.get(&entering.options);
    let enter =
        async |it: &Value| code(accounts.finish_passkey_login(&entering.ceremony, it.clone(), None, HERE).await);
    assert_eq!(enter(&answer).await, "good");
    assert_ne!(enter(&answer).await, "good", "replayed");
    assert_eq!(enter(&device.get(&entering.options)).await, "sign-in-expired", "the challenge is used up");
    // An answer to one challenge is none to another.
    let (one, two) = (accounts.begin_passkey_login().expect("begun"), accounts.begin_passkey_login().expect("begun"));
    let answer = device.get(&one.options);
    let swapped = accounts.finish_passkey_login(&two.ceremony, answer.clone(), None, HERE).await;
    assert_eq!(code(swapped), "passkey-refused");
    let kind = accounts.finish_passkey_login(&adding.ceremony, answer.clone(), None, HERE).await;
    assert_eq!(code(kind), "sign-in-expired", "one for adding");
    fixture.clock.advance(Duration::from_secs(301));
    assert_eq!(code(accounts.finish_passkey_login(&one.ceremony, answer, None, HERE).await), "sign-in-expired");

    let id = ada.account;
    let since = Some(fixture.clock.now());
    let disable = async move |tx| db::persons::set_disabled(&tx, id, since).await;
    fixture.test.db.write(db::Lane::Free, disable).await.expect("disabled");
    assert_eq!(code(sign_in(&fixture, &mut device).await), "account-disabled");
}

async fn a_copy_is_noticed(test: TestDb) {
    let fixture = with_address(test, ORIGIN).await;
    fixture.register("ada").await;
    let (_, ada) = fixture.sign_in("ada").await;
    let mut device = Authenticator::new(ORIGIN);
    add(&fixture, &ada, &mut device, PASSWORD).await;
    let mut copy = device.clone();
    sign_in(&fixture, &mut device).await.expect("the device");
    sign_in(&fixture, &mut device).await.expect("the device");
    assert_eq!(code(sign_in(&fixture, &mut copy).await), "passkey-refused", "its counter stands behind");
    // Two answers with one counter at once: one of them counts.
    let mut copy = device.clone();
    let (one, two) = tokio::join!(sign_in(&fixture, &mut device), sign_in(&fixture, &mut copy));
    let mut both = [code(one), code(two)];
    both.sort_unstable();
    assert_eq!(both, ["good", "passkey-refused"]);
}

async fn the_last_way_in_stays(test: TestDb) {
    let fixture = with_address(test, ORIGIN).await;
    fixture.register("ada").await;
    let (_, ada) = fixture.sign_in("ada").await;
    let mut device = Authenticator::new(ORIGIN);
    let first = add(&fixture, &ada, &mut device, PASSWORD).await;
    // As an identity provider makes accounts: without a password.
    let id = ada.account;
    let clear = async move |tx| db::persons::set_password(&tx, id, "").await;
    fixture.test.db.write(db::Lane::Free, clear).await.expect("no password");
    let none = Secret::new("");
    assert_eq!(code(fixture.accounts.remove_passkey(&ada, first.id, &none, HERE).await), "last-way-in");
    sign_in(&fixture, &mut device).await.expect("it is still there");
    let mut second = Authenticator::new(ORIGIN);
    add(&fixture, &ada, &mut second, "").await;
    fixture.accounts.remove_passkey(&ada, first.id, &none, HERE).await.expect("one is left");
    fixture.clock.advance(Duration::from_secs(601));
    let left = fixture.accounts.passkeys_of(&ada).await.expect("a list")[0].id;
    assert_eq!(code(fixture.accounts.remove_passkey(&ada, left, &none, HERE).await), "sign-in-again");
}

async fn administrators_see_and_remove_passkeys(test: TestDb) {
    let fixture = with_address(test, ORIGIN).await;
    let accounts = &fixture.accounts;
    accounts.ensure_admin(Some(Secret::new(PASSWORD))).await.expect("made");
    let (_, admin) = fixture.sign_in("admin").await;
    fixture.register("ada").await;
    let (tokens, ada) = fixture.sign_in("ada").await;
    let mut device = Authenticator::new(ORIGIN);
    let lost = add(&fixture, &ada, &mut device, PASSWORD).await;
    assert_eq!(accounts.passkeys_of_person(&admin, ada.account).await.expect("a list"), std::slice::from_ref(&lost));
    assert_eq!(code(accounts.passkeys_of_person(&ada, ada.account).await), "permission-missing");
    assert_eq!(code(accounts.remove_passkey_of(&ada, ada.account, lost.id, HERE).await), "permission-missing");
    // A key is removed where it is, and nowhere else.
    assert_eq!(code(accounts.remove_passkey_of(&admin, admin.account, lost.id, HERE).await), "passkey-not-found");
    accounts.remove_passkey_of(&admin, ada.account, lost.id, HERE).await.expect("removed");
    assert_eq!(code(accounts.remove_passkey_of(&admin, ada.account, lost.id, HERE).await), "passkey-not-found");
    assert_eq!(code(sign_in(&fixture, &mut device).await), "passkey-refused");
    assert!(accounts.authenticate(tokens.access.expose()).await.is_ok(), "sessions go on");
    let line: Vec<(AccountId, AccountId)> = fixture
        .test
        .db
        .query("SELECT actor_id, account_id FROM audit WHERE action = 'passkey-removed'", &db::params![])
        .await
        .expect("the log");
    assert_eq!(line, [(admin.account, ada.account)]);

    // Without a password the last one stays, until they are given one.
    let only = add(&fixture, &ada, &mut Authenticator::new(ORIGIN), PASSWORD).await;
    let id = ada.account;
    let clear = async move |tx| db::persons::set_password(&tx, id, "").await;
    fixture.test.db.write(db::Lane::Free, clear).await.expect("no password");
    assert_eq!(code(accounts.remove_passkey_of(&admin, id, only.id, HERE).await), "last-way-in");
    accounts.reset_person(&admin, id, Reset::Temporary, HERE).await.expect("a password");
    accounts.remove_passkey_of(&admin, id, only.id, HERE).await.expect("removed");
}

async fn they_need_an_address_that_browsers_trust(test: TestDb) {
    let mut fixture = Fixture::new(test).await;
    let mut check = async |address: Option<&str>, expected: bool| {
        let public_url = address.map(str::to_owned);
        fixture.accounts =
            super::open(&fixture.test, &fixture.clock, Options { public_url, ..Options::default() }).await;
        assert_eq!(fixture.accounts.ways_in().await.passkeys, expected, "{address:?}");
        let begun = fixture.accounts.begin_passkey_login();
        assert_eq!(code(begun), if expected { "good" } else { "passkeys-off" }, "{address:?}");
    };
    check(None, false).await;
    check(Some("https://files.example.org:8443/"), true).await;
    check(Some("http://localhost:8080"), true).await;
    check(Some("http://files.example.org"), false).await;
    check(Some("https://192.0.2.1"), false).await;
    check(Some("nonsense"), false).await;
}
