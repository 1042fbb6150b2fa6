//! Passwords: signing in, guessing, and changing them.

use std::time::Duration;

use accounts::Error;
use base::{ErrorKind, Secret};
use db::{Lane, params};
use testkit::database::TestDb;
use tokio::{task::JoinSet, time::Instant};

use super::{Fixture, HERE, PASSWORD, code, login, login_from};

testkit::both! {
    wrong_names_and_passwords_are_told_alike,
    guessing_is_slowed_down,
    many_guesses_at_once_are_no_way_around,
    disabled_accounts_are_out,
    changing_the_password_ends_other_sessions,
    a_stolen_token_does_not_open_the_password,
}

async fn wrong_names_and_passwords_are_told_alike(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.register("ada").await;
    let (tokens, _) = fixture.sign_in("ADA").await;
    assert_eq!(tokens.expires_in, Duration::from_secs(900));
    let timed = async |name: &str, password: &str| {
        let began = Instant::now();
        let error = fixture.accounts.login(login(name, password)).await.expect_err("wrong");
        assert_eq!((error.code(), error.kind()), ("wrong-credentials", ErrorKind::Unauthenticated));
        began.elapsed()
    };
    // No such account, and what can be no account, cost a hash as well: no machine makes one in 3 ms, and none takes as
    // long for a look-up.
    for name in ["ada", "eve", "no name!", &"x".repeat(100_000)] {
        let took = timed(name, "wrong horse").await;
        assert!(took > Duration::from_millis(3), "{took:?}");
    }
    timed("ada", "short").await;
    timed("ada", &"x".repeat(100_000)).await;
    timed("ada", "Correct horse").await;
}

async fn guessing_is_slowed_down(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.register("ada").await;
    // Guesses from everywhere.
    for guess in 0..5 {
        let address = format!("198.51.100.{guess}");
        assert_eq!(
            code(fixture.accounts.login(login_from("ada", "a wrong guess", &address)).await),
            "wrong-credentials"
        );
    }
    let error = fixture.accounts.login(login_from("Ada", PASSWORD, "203.0.113.1")).await.expect_err("too many");
    assert_eq!((error.code(), error.kind()), ("too-many-attempts", ErrorKind::Throttled));
    let wait = error.retry_after().expect("a wait");
    assert!(matches!(error, Error::TooManyAttempts { .. }) && wait <= Duration::from_secs(30), "{wait:?}");
    // However often it was refused, after the wait it is let in: a delay and not a lock.
    for _ in 0..50 {
        assert_eq!(
            code(fixture.accounts.login(login_from("ada", "a guess", "198.51.100.9")).await),
            "too-many-attempts"
        );
    }
    fixture.clock.advance(wait);
    let owner = login_from("ada", PASSWORD, "203.0.113.1");
    fixture.accounts.login(owner.clone()).await.expect("signed in");
    // From where the owner was let in, strangers cannot keep them out any more.
    for guess in 0..50 {
        let _ = fixture.accounts.login(login_from("ada", "a guess", &format!("198.51.100.{guess}"))).await;
    }
    fixture.accounts.login(owner).await.expect("signed in again");
    // A clock that is set back neither frees nor locks: waits are measured in time that passes.
    fixture.clock.set_back(Duration::from_secs(100_000));
    assert_eq!(code(fixture.accounts.login(login_from("ada", "a guess", "198.51.100.9")).await), "too-many-attempts");
}

async fn many_guesses_at_once_are_no_way_around(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.register("ada").await;
    let mut guesses = JoinSet::new();
    for guess in 0..40 {
        let accounts = fixture.accounts.clone();
        let login = login_from("ada", "a wrong guess", &format!("198.51.100.{guess}"));
        guesses.spawn(async move { code(accounts.login(login).await) });
    }
    let codes = guesses.join_all().await;
    assert_eq!(codes.iter().filter(|&&code| code == "wrong-credentials").count(), 5);
    assert_eq!(codes.iter().filter(|&&code| code == "too-many-attempts").count(), 35);
}

async fn disabled_accounts_are_out(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let ada = fixture.register("ada").await;
    let (tokens, _) = fixture.sign_in("ada").await;
    let id = ada.id;
    fixture
        .test
        .db
        .write(Lane::Free, async move |tx| {
            tx.exec("UPDATE account SET disabled_us = 1 WHERE id = $1", &params![id]).await
        })
        .await
        .expect("disabled");
    // Only who knows the password learns why.
    assert_eq!(code(fixture.accounts.login(login("ada", "wrong horse")).await), "wrong-credentials");
    assert_eq!(code(fixture.accounts.login(login("ada", PASSWORD)).await), "account-disabled");
    assert_eq!(code(fixture.accounts.refresh(tokens.refresh.expose()).await), "session-ended");
    fixture.clock.advance(Duration::from_secs(1));
    assert_eq!(code(fixture.accounts.authenticate(tokens.access.expose()).await), "session-ended");
}

async fn changing_the_password_ends_other_sessions(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.register("ada").await;
    let (here, principal) = fixture.sign_in("ada").await;
    let (there, _) = fixture.sign_in("ada").await;
    let new = || Secret::new("another horse");
    let wrong = fixture.accounts.change_password(&principal, Secret::new("wrong horse"), new(), HERE).await;
    assert_eq!(code(wrong), "wrong-password");
    let short = fixture.accounts.change_password(&principal, Secret::new(PASSWORD), Secret::new("short"), HERE).await;
    assert_eq!(code(short), "invalid-password");
    fixture.accounts.authenticate(there.access.expose()).await.expect("nothing has changed");
    fixture.accounts.change_password(&principal, Secret::new(PASSWORD), new(), HERE).await.expect("changed");
    fixture.accounts.authenticate(here.access.expose()).await.expect("this session goes on");
    assert_eq!(code(fixture.accounts.authenticate(there.access.expose()).await), "session-ended");
    assert_eq!(code(fixture.accounts.refresh(there.refresh.expose()).await), "session-ended");
    fixture.accounts.refresh(here.refresh.expose()).await.expect("this session goes on");
    assert_eq!(code(fixture.accounts.login(login("ada", PASSWORD)).await), "wrong-credentials");
    fixture.accounts.login(login("ada", "another horse")).await.expect("signed in");
}

async fn a_stolen_token_does_not_open_the_password(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.register("ada").await;
    let (_, principal) = fixture.sign_in("ada").await;
    for _ in 0..5 {
        let guess =
            fixture.accounts.change_password(&principal, Secret::new("a guess at it"), Secret::new(PASSWORD), HERE);
        assert_eq!(code(guess.await), "wrong-password");
    }
    let guess = fixture.accounts.change_password(&principal, Secret::new(PASSWORD), Secret::new("another horse"), HERE);
    assert_eq!(code(guess.await), "too-many-attempts");
    // The guesses do not keep the owner from signing in.
    fixture.sign_in("ada").await;
}
