//! The second factor: setting it up, both steps of a sign-in, and all the ways in which a code is not good.

use std::time::Duration;

use accounts::{Error, Principal, SecondStep, Tokens};
use base::{Clock, ErrorKind, Secret};
use db::{Lane, params};
use testkit::database::TestDb;
use totp_rs::{Builder, Totp};

use super::{Fixture, HERE, PASSWORD, code, login, login_from};

testkit::both! {
    it_is_asked_for_once_it_is_confirmed,
    a_code_is_good_once,
    a_recovery_code_is_good_once,
    a_challenge_is_void_in_the_end_and_after_a_change,
    disabled_accounts_stay_out,
    guessing_codes_is_slowed_down_and_locks_nobody_out,
    a_clock_that_was_ahead_locks_nobody_out,
    only_the_password_removes_it,
    setting_up_again_before_confirming_gives_another_secret,
}

const STEP: Duration = Duration::from_secs(30);

fn secret(text: &str) -> Secret {
    Secret::new(text)
}

/// An authenticator app that knows a secret.
struct App(Totp);

impl App {
    fn new(base32: &Secret) -> Self {
        let secret = totp_rs::Secret::try_from_base32(base32.expose()).expect("base 32");
        let builder = Builder::new().with_secret(secret).with_account_name("ada").with_issuer(Some("Holdfast"));
        Self(builder.build().expect("an app"))
    }

    fn code(&self, fixture: &Fixture) -> Secret {
        self.at(fixture, 0)
    }

    /// The code of so many steps from now.
    fn at(&self, fixture: &Fixture, steps: i64) -> Secret {
        let now = fixture.clock.now().as_secs() + 30 * steps;
        Secret::new(self.0.generate(now.unsigned_abs()).to_string())
    }

    /// One that is none of about now.
    fn wrong(&self, fixture: &Fixture) -> Secret {
        let near: Vec<_> = (-1..=1).map(|steps| self.at(fixture, steps)).collect();
        let mut codes = (0..4).map(|number| Secret::new(format!("{number:06}")));
        codes.find(|code| !near.contains(code)).expect("one of four")
    }
}

/// An account with a second factor: its app, its recovery codes, and a session from before.
async fn guarded(fixture: &Fixture) -> (App, Vec<Secret>, Principal) {
    fixture.register("ada").await;
    let (_, ada) = fixture.sign_in("ada").await;
    let setup = fixture.accounts.begin_second_factor(&ada, &secret(PASSWORD)).await.expect("begun");
    assert!(setup.uri.expose().starts_with("otpauth://totp/") && setup.uri.expose().contains(setup.secret.expose()));
    let app = App::new(&setup.secret);
    let codes = fixture.accounts.confirm_second_factor(&ada, &app.code(fixture), HERE).await.expect("confirmed");
    fixture.clock.advance(STEP);
    (app, codes, ada)
}

/// The challenge that the first step gives.
async fn challenge(fixture: &Fixture) -> Secret {
    match fixture.accounts.login(login("ada", PASSWORD)).await {
        Err(Error::SecondFactorRequired { challenge, .. }) => challenge,
        other => panic!("{other:?}"),
    }
}

async fn second_from(fixture: &Fixture, challenge: &Secret, code: &Secret, from: &str) -> Result<Tokens, Error> {
    let address = from.parse().expect("an address");
    fixture.accounts.second_step(SecondStep { challenge: challenge.clone(), code: code.clone(), address }).await
}

async fn second(fixture: &Fixture, challenge: &Secret, code: &Secret) -> Result<Tokens, Error> {
    second_from(fixture, challenge, code, "192.0.2.7").await
}

async fn it_is_asked_for_once_it_is_confirmed(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.register("ada").await;
    let (_, ada) = fixture.sign_in("ada").await;
    let wrong = fixture.accounts.begin_second_factor(&ada, &secret("wrong horse")).await;
    assert_eq!(code(wrong), "wrong-password");
    assert_eq!(code(fixture.accounts.confirm_second_factor(&ada, &secret("000000"), HERE).await), "second-factor-off");
    let setup = fixture.accounts.begin_second_factor(&ada, &secret(PASSWORD)).await.expect("begun");
    fixture.sign_in("ada").await;
    let app = App::new(&setup.secret);
    assert_eq!(code(fixture.accounts.confirm_second_factor(&ada, &app.wrong(&fixture), HERE).await), "wrong-code");
    assert_eq!(fixture.accounts.second_factor(&ada).await.expect("a state").since, None);
    fixture.sign_in("ada").await;
    let codes = fixture.accounts.confirm_second_factor(&ada, &app.code(&fixture), HERE).await.expect("confirmed");
    assert_eq!(codes.len(), 10);
    let state = fixture.accounts.second_factor(&ada).await.expect("a state");
    assert_eq!((state.since, state.recovery_codes), (Some(fixture.clock.now()), 10));
    // From now on the password alone opens nothing.
    let refused = fixture.accounts.login(login("ada", PASSWORD)).await.expect_err("a second step");
    assert_eq!((refused.code(), refused.kind()), ("second-factor-required", ErrorKind::Unauthenticated));
    assert_eq!(code(fixture.accounts.login(login("ada", "wrong horse")).await), "wrong-credentials");
    fixture.clock.advance(STEP);
    let other = fixture.other().await;
    let step = SecondStep { challenge: challenge(&fixture).await, code: app.code(&fixture), address: HERE };
    let tokens = other.second_step(step).await.expect("any process takes the second step");
    let principal = fixture.accounts.authenticate(tokens.access.expose()).await.expect("a good token");
    assert_eq!(principal.account, ada.account);
    assert_eq!(code(fixture.accounts.begin_second_factor(&ada, &secret(PASSWORD)).await), "second-factor-on");
    // What is stored is not the secret.
    let (sealed,): (Vec<u8>,) =
        fixture.test.db.query_one("SELECT sealed FROM second_factor", &params![]).await.expect("a row");
    assert!(!sealed.windows(20).any(|bytes| bytes == app.0.secret().as_ref()));
}

async fn a_code_is_good_once(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let (app, _, _) = guarded(&fixture).await;
    let (one, two) = (challenge(&fixture).await, challenge(&fixture).await);
    let now = app.code(&fixture);
    second(&fixture, &one, &now).await.expect("signed in");
    assert_eq!(code(second(&fixture, &one, &now).await), "wrong-code", "the same again");
    assert_eq!(code(second(&fixture, &two, &now).await), "wrong-code", "for another sign-in");
    assert_eq!(code(second(&fixture, &two, &app.at(&fixture, -1)).await), "wrong-code", "an older one");
    // A telephone that is half a minute ahead.
    second(&fixture, &two, &app.at(&fixture, 1)).await.expect("signed in");
    fixture.clock.advance(STEP * 4);
    let three = challenge(&fixture).await;
    assert_eq!(code(second(&fixture, &three, &app.at(&fixture, -2)).await), "wrong-code", "too old");
    assert_eq!(code(second(&fixture, &three, &app.at(&fixture, 2)).await), "wrong-code", "too new");
    // Of two at once with one code, one gets in.
    fixture.clock.advance(Duration::from_secs(1800));
    let now = app.code(&fixture);
    let (four, five) = (challenge(&fixture).await, challenge(&fixture).await);
    let both = tokio::join!(second(&fixture, &four, &now), second(&fixture, &five, &now));
    assert_eq!([both.0.is_ok(), both.1.is_ok()].iter().filter(|&&good| good).count(), 1);
}

async fn a_recovery_code_is_good_once(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let (_, codes, ada) = guarded(&fixture).await;
    let one = challenge(&fixture).await;
    let typed = secret(&format!(" {} ", codes[3].expose().to_uppercase().replace('-', " ")));
    second(&fixture, &one, &typed).await.expect("signed in");
    assert_eq!(code(second(&fixture, &one, &codes[3]).await), "wrong-code");
    assert_eq!(fixture.accounts.second_factor(&ada).await.expect("a state").recovery_codes, 9);
    let new = fixture.accounts.renew_recovery_codes(&ada, &secret(PASSWORD), HERE).await.expect("new codes");
    assert_eq!(code(second(&fixture, &one, &codes[4]).await), "wrong-code", "old ones are void");
    second(&fixture, &one, &new[0]).await.expect("signed in");
    // Another account's code is none.
    fixture.register("eve").await;
    let (_, eve) = fixture.sign_in("eve").await;
    let setup = fixture.accounts.begin_second_factor(&eve, &secret(PASSWORD)).await.expect("begun");
    let app = App::new(&setup.secret);
    let theirs = fixture.accounts.confirm_second_factor(&eve, &app.code(&fixture), HERE).await.expect("confirmed");
    assert_eq!(code(second(&fixture, &one, &theirs[0]).await), "wrong-code");
}

async fn a_challenge_is_void_in_the_end_and_after_a_change(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let (app, codes, ada) = guarded(&fixture).await;
    let old = challenge(&fixture).await;
    fixture.clock.advance(Duration::from_secs(5 * 60));
    assert_eq!(code(second(&fixture, &old, &app.code(&fixture)).await), "challenge-expired");
    for bad in ["", "x", "a.b.c", old.expose().trim_end_matches(|c: char| c != '.')] {
        assert_eq!(code(second(&fixture, &secret(bad), &app.code(&fixture)).await), "challenge-expired", "{bad}");
    }
    // A challenge is no access token, and the other way round.
    assert_eq!(code(fixture.accounts.authenticate(challenge(&fixture).await.expose()).await), "invalid-token");
    let fresh = challenge(&fixture).await;
    let tokens = second(&fixture, &fresh, &app.code(&fixture)).await.expect("the code was not used up");
    assert_eq!(code(second(&fixture, &tokens.access, &codes[0]).await), "challenge-expired");
    // Whoever changes the password shuts out those who are half way in.
    let new = secret("another horse");
    fixture.accounts.change_password(&ada, secret(PASSWORD), new, HERE).await.expect("changed");
    assert_eq!(code(second(&fixture, &fresh, &codes[0]).await), "challenge-expired");
}

async fn disabled_accounts_stay_out(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let (app, _, ada) = guarded(&fixture).await;
    let begun = challenge(&fixture).await;
    let account = ada.account;
    let disable =
        async move |tx: db::Tx| tx.exec("UPDATE account SET disabled_us = 1 WHERE id = $1", &params![account]).await;
    fixture.test.db.write(Lane::Free, disable).await.expect("disabled");
    assert_eq!(code(second(&fixture, &begun, &app.code(&fixture)).await), "account-disabled");
    assert_eq!(code(fixture.accounts.login(login("ada", PASSWORD)).await), "account-disabled");
}

async fn guessing_codes_is_slowed_down_and_locks_nobody_out(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let (app, _, _) = guarded(&fixture).await;
    // The owner has signed in from home before.
    let mine = challenge(&fixture).await;
    second_from(&fixture, &mine, &app.code(&fixture), "203.0.113.1").await.expect("signed in");
    fixture.clock.advance(STEP);
    // Somebody who has the password guesses from everywhere.
    let stolen = challenge(&fixture).await;
    for guess in 0..5 {
        let from = format!("198.51.100.{guess}");
        assert_eq!(code(second_from(&fixture, &stolen, &app.wrong(&fixture), &from).await), "wrong-code");
    }
    for _ in 0..20 {
        let refused = second_from(&fixture, &stolen, &app.code(&fixture), "198.51.100.9").await.expect_err("too many");
        assert_eq!((refused.code(), refused.kind()), ("too-many-attempts", ErrorKind::Throttled));
        assert!(refused.retry_after().is_some_and(|wait| wait <= Duration::from_secs(300)), "{refused:?}");
    }
    // At home the owner gets in meanwhile, and with the password alone the counter is not reached.
    let mine = challenge(&fixture).await;
    second_from(&fixture, &mine, &app.code(&fixture), "203.0.113.1").await.expect("signed in");
    let outsider = login_from("ada", "a wrong guess", "198.51.100.1");
    assert_eq!(code(fixture.accounts.login(outsider).await), "wrong-credentials");
    // After the wait one more guess is let through, and then none.
    fixture.clock.advance(Duration::from_secs(300));
    let stolen = challenge(&fixture).await;
    let from = "198.51.100.9";
    assert_eq!(code(second_from(&fixture, &stolen, &app.wrong(&fixture), from).await), "wrong-code");
    assert_eq!(code(second_from(&fixture, &stolen, &app.wrong(&fixture), from).await), "too-many-attempts");
}

async fn a_clock_that_was_ahead_locks_nobody_out(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let (app, _, _) = guarded(&fixture).await;
    fixture.clock.set_forward(Duration::from_secs(3600));
    second(&fixture, &challenge(&fixture).await, &app.code(&fixture)).await.expect("signed in");
    fixture.clock.set_back(Duration::from_secs(3600));
    let begun = challenge(&fixture).await;
    let now = app.code(&fixture);
    second(&fixture, &begun, &now).await.expect("signed in");
    assert_eq!(code(second(&fixture, &begun, &now).await), "wrong-code", "and still each code once");
}

async fn only_the_password_removes_it(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let (_, codes, ada) = guarded(&fixture).await;
    let wrong = fixture.accounts.remove_second_factor(&ada, &secret("wrong horse"), HERE).await;
    assert_eq!(code(wrong), "wrong-password");
    let begun = challenge(&fixture).await;
    fixture.accounts.remove_second_factor(&ada, &secret(PASSWORD), HERE).await.expect("removed");
    assert_eq!(code(second(&fixture, &begun, &codes[0]).await), "challenge-expired");
    fixture.sign_in("ada").await;
    let state = fixture.accounts.second_factor(&ada).await.expect("a state");
    assert_eq!((state.since, state.recovery_codes), (None, 0));
    let again = fixture.accounts.remove_second_factor(&ada, &secret(PASSWORD), HERE).await;
    assert_eq!(code(again), "second-factor-off");
    let codes = fixture.accounts.renew_recovery_codes(&ada, &secret(PASSWORD), HERE).await;
    assert_eq!(code(codes), "second-factor-off");
}

async fn setting_up_again_before_confirming_gives_another_secret(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.register("ada").await;
    fixture.clock.advance(Duration::from_secs(1));
    let (_, ada) = fixture.sign_in("ada").await;
    let first = fixture.accounts.begin_second_factor(&ada, &secret(PASSWORD)).await.expect("begun");
    let second = fixture.accounts.begin_second_factor(&ada, &secret(PASSWORD)).await.expect("begun anew");
    assert_ne!(first.secret, second.secret);
    let old = App::new(&first.secret).code(&fixture);
    assert_eq!(code(fixture.accounts.confirm_second_factor(&ada, &old, HERE).await), "wrong-code");
    fixture.clock.advance(Duration::from_secs(1));
    let new = App::new(&second.secret).code(&fixture);
    fixture.accounts.confirm_second_factor(&ada, &new, HERE).await.expect("confirmed");
    let lines = fixture.test.db.query("SELECT action FROM audit ORDER BY id", &params![]).await.expect("lines");
    let words: Vec<String> = lines.into_iter().map(|(word,): (String,)| word).collect();
    assert_eq!(words, ["registered", "sign-in", "second-factor-on"]);
}
