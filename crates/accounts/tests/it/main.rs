//! Accounts on both databases.

mod keys;
mod mail;
mod passkeys;
mod people;
mod pictures;
mod providers;
mod registration;
mod second_factor;
mod sessions;
mod sign_in;

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::atomic::{AtomicU64, Ordering},
};

use accounts::{Accounts, Login, Options, Principal, Registration, Tokens, UserView};
use base::{Ids, Secret};
use testkit::{clock::TestClock, database::TestDb};

const PASSWORD: &str = "correct horse";

/// Where the requests of these tests come from.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

/// Accounts in a database of their own, with the clock that they look at.
struct Fixture {
    test: TestDb,
    clock: TestClock,
    accounts: Accounts,
}

impl Fixture {
    async fn new(test: TestDb) -> Self {
        Self::with(test, Options::default()).await
    }

    async fn with(test: TestDb, options: Options) -> Self {
        let clock = TestClock::new();
        let accounts = open(&test, &clock, options).await;
        Self { test, clock, accounts }
    }

    /// Another process on the same database.
    async fn other(&self) -> Accounts {
        open(&self.test, &self.clock, Options::default()).await
    }

    async fn register(&self, name: &str) -> UserView {
        self.accounts.register(registration(name)).await.expect("registered")
    }

    /// A new session of an account, and whom its tokens speak for.
    async fn sign_in(&self, name: &str) -> (Tokens, Principal) {
        let tokens = self.accounts.login(login(name, PASSWORD)).await.expect("signed in");
        let principal = self.accounts.authenticate(tokens.access.expose()).await.expect("a good token");
        (tokens, principal)
    }
}

async fn open(test: &TestDb, clock: &TestClock, options: Options) -> Accounts {
    // A seed of its own, as each process has.
    static PROCESSES: AtomicU64 = AtomicU64::new(1);
    let ids = Ids::new(clock.handle(), u128::from(PROCESSES.fetch_add(1, Ordering::Relaxed)));
    Accounts::open(test.db.clone(), clock.handle(), ids, options).await.expect("accounts")
}

fn registration(name: &str) -> Registration {
    Registration {
        name: name.to_owned(),
        password: Secret::new(PASSWORD),
        display_name: None,
        language: None,
        invitation: None,
        address: HERE,
    }
}

fn login(name: &str, password: &str) -> Login {
    login_from(name, password, "192.0.2.7")
}

fn login_from(name: &str, password: &str, address: &str) -> Login {
    let address: IpAddr = address.parse().expect("an address");
    Login { name: name.to_owned(), password: Secret::new(password), client: Some("test\n".to_owned()), address }
}

/// The code of a refusal.
fn code<T>(result: Result<T, accounts::Error>) -> &'static str {
    result.map_or_else(|error| error.code(), |_| "good")
}
