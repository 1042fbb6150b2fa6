//! Tokens, refreshing and ending sessions.

use std::time::Duration;

use accounts::{Options, Permission, Permissions, Tokens};
use base::ErrorKind;
use db::{Lane, params};
use testkit::database::TestDb;
use tokio::task::JoinSet;

use super::{Fixture, code, open};

testkit::both! {
    a_refresh_token_is_exchanged_once,
    a_lost_answer_is_given_again,
    a_used_successor_ends_the_grace,
    two_refreshes_at_once_are_one_exchange,
    an_old_token_is_still_known_for_what_it_is,
    an_ended_session_is_over_at_once,
    ending_is_seen_by_other_processes_within_a_second,
    sessions_are_listed_and_ended_by_their_owner_only,
    sessions_expire_unless_they_are_used,
    all_processes_share_one_key,
    permissions_that_were_taken_are_gone_within_a_second,
    a_jumping_clock_locks_nobody_out,
    what_expired_is_pruned,
}

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 3600);

async fn rows(test: &TestDb) -> u64 {
    let sql = "SELECT count(*) FROM refresh_token";
    let (rows,): (u64,) = test.db.query_one(sql, &params![]).await.expect("a count");
    rows
}

async fn refresh(fixture: &Fixture, tokens: &Tokens) -> Result<Tokens, accounts::Error> {
    fixture.accounts.refresh(tokens.refresh.expose()).await
}

async fn good(fixture: &Fixture, tokens: &Tokens) -> bool {
    fixture.accounts.authenticate(tokens.access.expose()).await.is_ok()
}

async fn a_refresh_token_is_exchanged_once(test: TestDb) {
    let fixture = Fixture::new(test).await;
    let ada = fixture.register("ada").await;
    let (first, principal) = fixture.sign_in("ada").await;
    fixture.clock.advance(14 * 60 * SECOND);
    let second = refresh(&fixture, &first).await.expect("new tokens");
    assert_eq!(second.user, ada);
    assert_ne!(second.refresh, first.refresh);
    let again = fixture.accounts.authenticate(second.access.expose()).await.expect("a good token");
    assert_eq!(again, principal, "the same session");
    fixture.clock.advance(11 * SECOND);
    // After the grace there is no excuse: both the thief and the victim are out.
    let reused = refresh(&fixture, &first).await.expect_err("reused");
    assert_eq!((reused.code(), reused.kind()), ("token-reused", ErrorKind::Unauthenticated));
    assert!(!good(&fixture, &second).await);
    assert_eq!(code(refresh(&fixture, &second).await), "session-ended");
    assert_eq!(code(refresh(&fixture, &first).await), "session-ended");
    for bad in ["", "hfr_", "x", first.access.expose(), &format!("hfr_{}", "A".repeat(43)), &"x".repeat(100_000)] {
        assert_eq!(code(fixture.accounts.refresh(bad).await), "invalid-token", "{bad}");
    }
}

async fn a_lost_answer_is_given_again(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.register("ada").await;
    let (first, _) = fixture.sign_in("ada").await;
    let lost = refresh(&fixture, &first).await.expect("new tokens");
    fixture.clock.advance(10 * SECOND);
    // Any process can say it again.
    let other = fixture.other().await;
    let again = other.refresh(first.refresh.expose()).await.expect("the same answer");
    assert_eq!(again.refresh, lost.refresh);
    assert_eq!(rows(&fixture.test).await, 2, "nothing new was made");
    assert!(good(&fixture, &lost).await && good(&fixture, &again).await);
    refresh(&fixture, &again).await.expect("the chain goes on");
}

async fn a_used_successor_ends_the_grace(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.register("ada").await;
    let (first, _) = fixture.sign_in("ada").await;
    let second = refresh(&fixture, &first).await.expect("new tokens");
    let third = refresh(&fixture, &second).await.expect("new tokens");
    // The answer arrived, so this is no retry.
    assert_eq!(code(refresh(&fixture, &first).await), "token-reused");
    assert!(!good(&fixture, &third).await);
    assert_eq!(code(refresh(&fixture, &third).await), "session-ended");
}

async fn two_refreshes_at_once_are_one_exchange(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.register("ada").await;
    let (mut tokens, _) = fixture.sign_in("ada").await;
    let other = fixture.other().await;
    for round in 1..=10 {
        let mut tasks = JoinSet::new();
        for task in 0..8 {
            let accounts = if task % 2 == 0 { fixture.accounts.clone() } else { other.clone() };
            let token = tokens.refresh.clone();
            tasks.spawn(async move { accounts.refresh(token.expose()).await.expect("the answer of one exchange") });
        }
        let answers = tasks.join_all().await;
        assert!(answers.iter().all(|answer| answer.refresh == answers[0].refresh), "round {round}");
        assert_eq!(rows(&fixture.test).await, 1 + round, "exactly one exchange in round {round}");
        tokens = answers.into_iter().next_back().expect("an answer");
    }
}

async fn an_old_token_is_still_known_for_what_it_is(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.register("ada").await;
    let (stolen, _) = fixture.sign_in("ada").await;
    // The thief goes on for weeks before the victim's laptop wakes up.
    let mut thief = refresh(&fixture, &stolen).await.expect("new tokens");
    for _ in 0..20 {
        fixture.clock.advance(DAY);
        thief = refresh(&fixture, &thief).await.expect("new tokens");
    }
    assert_eq!(code(refresh(&fixture, &stolen).await), "token-reused");
    assert_eq!(code(refresh(&fixture, &thief).await), "session-ended");
}

async fn an_ended_session_is_over_at_once(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.register("ada").await;
    let (tokens, principal) = fixture.sign_in("ada").await;
    let (others, _) = fixture.sign_in("ada").await;
    assert!(good(&fixture, &tokens).await);
    fixture.accounts.logout(&principal).await.expect("signed out");
    let ended = fixture.accounts.authenticate(tokens.access.expose()).await.expect_err("ended");
    assert_eq!((ended.code(), ended.kind()), ("session-ended", ErrorKind::Unauthenticated));
    assert_eq!(code(refresh(&fixture, &tokens).await), "session-ended");
    fixture.accounts.logout(&principal).await.expect("signing out twice is no error");
    assert!(good(&fixture, &others).await, "other sessions go on");
}

async fn ending_is_seen_by_other_processes_within_a_second(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.register("ada").await;
    let other = fixture.other().await;
    let (tokens, principal) = fixture.sign_in("ada").await;
    other.authenticate(tokens.access.expose()).await.expect("a good token");
    fixture.accounts.logout(&principal).await.expect("signed out");
    fixture.clock.advance(SECOND);
    assert_eq!(code(other.authenticate(tokens.access.expose()).await), "session-ended");
}

async fn sessions_are_listed_and_ended_by_their_owner_only(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.register("ada").await;
    fixture.register("eve").await;
    let (tokens, ada) = fixture.sign_in("ada").await;
    fixture.clock.advance(SECOND);
    let (_, second) = fixture.sign_in("ada").await;
    let (_, eve) = fixture.sign_in("eve").await;
    let list = async |principal, after, limit| {
        let page = fixture.accounts.sessions(principal, after, limit).await.expect("a page");
        let seen: Vec<_> = page.items.iter().map(|session| (session.id, session.current)).collect();
        assert!(page.items.iter().all(|session| session.client == "test"));
        (seen, page.more)
    };
    assert_eq!(list(&ada, None, 10).await, (vec![(ada.session, true), (second.session, false)], false));
    assert_eq!(list(&ada, None, 1).await, (vec![(ada.session, true)], true));
    assert_eq!(list(&ada, Some(ada.session), 1).await, (vec![(second.session, false)], false));
    // Refreshing is use.
    fixture.clock.advance(60 * SECOND);
    refresh(&fixture, &tokens).await.expect("new tokens");
    let page = fixture.accounts.sessions(&ada, None, 1).await.expect("a page");
    assert_eq!(page.items[0].used.since(page.items[0].created), 61 * SECOND);
    assert_eq!(page.items[0].expires.since(page.items[0].used), 30 * DAY);
    // Somebody else's session does not exist, and goes on.
    assert_eq!(code(fixture.accounts.end_session(&eve, ada.session).await), "session-not-found");
    assert_eq!(list(&ada, None, 10).await.0.len(), 2);
    fixture.accounts.end_session(&ada, second.session).await.expect("ended");
    assert_eq!(code(fixture.accounts.end_session(&ada, second.session).await), "session-not-found");
    assert_eq!(list(&ada, None, 10).await, (vec![(ada.session, true)], false));
}

async fn sessions_expire_unless_they_are_used(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.register("ada").await;
    let (mut used, principal) = fixture.sign_in("ada").await;
    let (unused, _) = fixture.sign_in("ada").await;
    for _ in 0..4 {
        fixture.clock.advance(10 * DAY);
        used = refresh(&fixture, &used).await.expect("new tokens");
    }
    assert_eq!(code(refresh(&fixture, &unused).await), "session-ended");
    assert_eq!(fixture.accounts.sessions(&principal, None, 10).await.expect("a page").items.len(), 1);
    fixture.clock.advance(15 * 60 * SECOND);
    assert!(good(&fixture, &used).await, "within the leeway");
    fixture.clock.advance(60 * SECOND);
    assert_eq!(code(fixture.accounts.authenticate(used.access.expose()).await), "token-expired");
}

async fn all_processes_share_one_key(test: TestDb) {
    // Several start at once on a new database.
    let clock = testkit::clock::TestClock::new();
    let start = || open(&test, &clock, Options::default());
    let (one, two, three) = tokio::join!(start(), start(), start());
    one.register(super::registration("ada")).await.expect("registered");
    let tokens = two.login(super::login("ada", super::PASSWORD)).await.expect("signed in");
    for process in [one, two, three] {
        process.authenticate(tokens.access.expose()).await.expect("a good token everywhere");
    }
}

async fn permissions_that_were_taken_are_gone_within_a_second(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.accounts.ensure_admin(Some(base::Secret::new(super::PASSWORD))).await.expect("made");
    let (tokens, before) = fixture.sign_in("admin").await;
    assert!(before.permissions.has(Permission::AdminNodes));
    let account = before.account;
    fixture
        .test
        .db
        .write(Lane::Free, async move |tx| {
            tx.exec("UPDATE account SET permissions = 'files unheard.of' WHERE id = $1", &params![account]).await
        })
        .await
        .expect("taken");
    fixture.clock.advance(SECOND);
    let after = fixture.accounts.authenticate(tokens.access.expose()).await.expect("a good token");
    assert_eq!(after.permissions, Permissions::of([Permission::Files, Permission::Account]));
}

async fn a_jumping_clock_locks_nobody_out(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.register("ada").await;
    let (tokens, _) = fixture.sign_in("ada").await;
    // An hour back: the old token would be good for too long; the refresh token gives one of the new time.
    fixture.clock.set_back(3600 * SECOND);
    assert_eq!(code(fixture.accounts.authenticate(tokens.access.expose()).await), "token-expired");
    let tokens = refresh(&fixture, &tokens).await.expect("new tokens");
    assert!(good(&fixture, &tokens).await);
    // And forward again.
    fixture.clock.set_forward(3600 * SECOND);
    assert_eq!(code(fixture.accounts.authenticate(tokens.access.expose()).await), "token-expired");
    let next = refresh(&fixture, &tokens).await.expect("new tokens");
    assert!(good(&fixture, &next).await);
    // Setting the clock back does not stretch the grace of a spent token.
    fixture.clock.set_back(60 * SECOND);
    assert_eq!(code(refresh(&fixture, &tokens).await), "token-reused");
    // A year ahead and back costs a session nothing, as long as nobody uses it meanwhile.
    let (tokens, _) = fixture.sign_in("ada").await;
    fixture.clock.set_forward(365 * DAY);
    assert_eq!(code(refresh(&fixture, &tokens).await), "session-ended");
    fixture.clock.set_back(365 * DAY);
    refresh(&fixture, &tokens).await.expect("new tokens");
}

async fn what_expired_is_pruned(test: TestDb) {
    let fixture = Fixture::new(test).await;
    fixture.register("ada").await;
    for _ in 0..3 {
        let (tokens, _) = fixture.sign_in("ada").await;
        refresh(&fixture, &tokens).await.expect("new tokens");
    }
    fixture.clock.advance(59 * DAY);
    let (kept, _) = fixture.sign_in("ada").await;
    assert_eq!(fixture.accounts.prune(10).await.expect("pruned"), 0);
    fixture.clock.advance(2 * DAY);
    assert_eq!(fixture.accounts.prune(2).await.expect("pruned"), 2);
    assert_eq!(fixture.accounts.prune(2).await.expect("pruned"), 1);
    assert_eq!(rows(&fixture.test).await, 1);
    refresh(&fixture, &kept).await.expect("new tokens");
}
