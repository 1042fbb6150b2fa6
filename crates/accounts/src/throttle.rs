//! Slowing down those who guess passwords, without letting them lock anybody out.
//!
//! Attempts are counted per account name and per client address (an IPv6 client is its /64). Each count is a leaky bucket:
//! a burst is free, then one attempt is let through per interval. An attempt is counted before its password is looked at,
//! so that many at once are no way around, and taken back if it succeeds.
//!
//! What an attacker can do to the owner of a name is bounded: refused attempts are not counted, so a flood makes no wait
//! longer than one interval; and an address from which the owner has signed in lately has its own counter for the name,
//! which strangers cannot fill. There is no state in which the right password is refused for good.
//!
//! Visitors who try the password of a link are counted the same way, with the link and the address in the place of the
//! name: nobody who guesses from one address makes others wait. So that many addresses together cannot guess without end,
//! there is a third count of the link alone, which only an attacker with a dozen networks keeps full, and which does not
//! stop those who have opened the link from their address before.
//!
//! Codes of a second factor are counted for the account in the same manner, more slowly: a code has but six digits. Only those
//! who know the password are counted there.
//!
//! The counters are this process's own: with n gateways a guesser has up to n times the attempts.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, RandomState},
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use base::{AccountId, LinkId};
use parking_lot::Mutex;

/// A leaky bucket, as the generic cell rate algorithm has it (ITU-T I.371): all its state is one moment.
#[derive(Clone, Copy)]
struct Rate {
    burst: u32,
    interval: Duration,
}

/// For a name: five attempts, then one each half minute. That is at most 2,900 guesses a day.
const PER_NAME: Rate = Rate { burst: 5, interval: Duration::from_secs(30) };

/// For an address, behind which there may be a whole office: thirty failures, then one each three seconds.
const PER_ADDRESS: Rate = Rate { burst: 30, interval: Duration::from_secs(3) };

/// For a link, by all its visitors together: a hundred failures, then one each two seconds, 43,000 a day.
const PER_LINK: Rate = Rate { burst: 100, interval: Duration::from_secs(2) };

/// For an account's second factor: five codes, then one each five minutes. Of a million codes three are good at a time, so
/// that somebody who has the password would guess for years.
const PER_CODE: Rate = Rate { burst: 5, interval: Duration::from_secs(5 * 60) };

/// Counters of one kind at most. Each live one stands for an Argon2 hash within the last few minutes, so a server of a
/// few cores never gets here; if one does, all are forgotten, which gives everybody a new burst.
const COUNTERS_MAX: usize = 1 << 16;

/// Pairs of name and address that are remembered as the owner's; at the bound all are forgotten.
const FAMILIAR_MAX: usize = 1 << 14;

/// Counts attempts to sign in.
pub(crate) struct Throttle {
    /// Names and addresses are kept as hashes with a key of this process: nobody can choose two that collide.
    hasher: RandomState,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    names: HashMap<u64, Duration>,
    addresses: HashMap<u64, Duration>,
    links: HashMap<u64, Duration>,
    codes: HashMap<u64, Duration>,
    /// Where each name was signed in from.
    familiar: HashSet<u64>,
}

/// An attempt that was let through and counted. Dropping it leaves it counted, as a failure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt {
    name: Option<u64>,
    address: Option<u64>,
    link: Option<u64>,
    code: Option<u64>,
    pair: Option<u64>,
}

impl Throttle {
    pub(crate) fn new() -> Self {
        Self { hasher: RandomState::new(), state: Mutex::new(State::default()) }
    }

    /// Counts an attempt for a name (by its unique form; none if it is no name at all) from an address.
    ///
    /// # Errors
    /// How long to wait before the next attempt is let through.
    pub(crate) fn admit(
        &self,
        name: Option<&str>,
        address: Option<IpAddr>,
        now: Duration,
    ) -> Result<Attempt, Duration> {
        let address = address.map(network);
        let mut state = self.state.lock();
        let pair = name.zip(address).map(|pair| self.hasher.hash_one(pair));
        let familiar = pair.filter(|pair| state.familiar.contains(pair));
        let attempt = Attempt {
            name: familiar.or_else(|| name.map(|name| self.hasher.hash_one(name))),
            address: address.map(|address| self.hasher.hash_one(address)),
            link: None,
            code: None,
            pair,
        };
        state.admit(attempt, now)
    }

    /// Counts an attempt at the password of a link from an address.
    ///
    /// # Errors
    /// How long to wait before the next attempt is let through.
    pub(crate) fn admit_visitor(&self, link: LinkId, address: IpAddr, now: Duration) -> Result<Attempt, Duration> {
        let address = network(address);
        let mut state = self.state.lock();
        // A text before the id, which no pair of name and address has: an account cannot be called like a link.
        let pair = self.hasher.hash_one(("link", link, address));
        let familiar = state.familiar.contains(&pair);
        let attempt = Attempt {
            name: Some(pair),
            address: Some(self.hasher.hash_one(address)),
            link: (!familiar).then(|| self.hasher.hash_one(link)),
            code: None,
            pair: Some(pair),
        };
        state.admit(attempt, now)
    }

    /// Counts a code of an account's second factor from an address.
    ///
    /// # Errors
    /// How long to wait before the next attempt is let through.
    pub(crate) fn admit_code(&self, account: AccountId, address: IpAddr, now: Duration) -> Result<Attempt, Duration> {
        let address = network(address);
        let mut state = self.state.lock();
        let pair = self.hasher.hash_one(("code", account, address));
        let familiar = state.familiar.contains(&pair);
        let attempt = Attempt {
            name: None,
            address: Some(self.hasher.hash_one(address)),
            link: None,
            code: Some(if familiar { pair } else { self.hasher.hash_one(("code", account)) }),
            pair: Some(pair),
        };
        state.admit(attempt, now)
    }

    /// The password was right: the attempt does not count, and the address is one of the owner's.
    pub(crate) fn succeeded(&self, attempt: Attempt) {
        self.take_back(attempt);
        self.remember(attempt);
    }

    /// The address is one of the owner's.
    pub(crate) fn remember(&self, attempt: Attempt) {
        if let Some(pair) = attempt.pair {
            self.state.lock().remember(pair);
        }
    }

    /// The address is one of those of a name's owner, as was found out in another way.
    pub(crate) fn familiar(&self, name: &str, address: IpAddr) {
        let pair = self.hasher.hash_one((name, network(address)));
        self.state.lock().remember(pair);
    }

    /// The password was not looked at: the attempt does not count.
    pub(crate) fn take_back(&self, attempt: Attempt) {
        let mut state = self.state.lock();
        // Only its own share is taken back: who signs in to an account of their own between two guesses gains nothing.
        if let Some(full_at) = attempt.name.and_then(|key| state.names.get_mut(&key)) {
            *full_at = full_at.saturating_sub(PER_NAME.interval);
        }
        if let Some(full_at) = attempt.address.and_then(|key| state.addresses.get_mut(&key)) {
            *full_at = full_at.saturating_sub(PER_ADDRESS.interval);
        }
        if let Some(full_at) = attempt.link.and_then(|key| state.links.get_mut(&key)) {
            *full_at = full_at.saturating_sub(PER_LINK.interval);
        }
        if let Some(full_at) = attempt.code.and_then(|key| state.codes.get_mut(&key)) {
            *full_at = full_at.saturating_sub(PER_CODE.interval);
        }
    }
}

impl State {
    fn remember(&mut self, pair: u64) {
        if self.familiar.len() >= FAMILIAR_MAX {
            self.familiar.clear();
        }
        self.familiar.insert(pair);
    }

    /// Counts an attempt, if none of its counters is full.
    fn admit(&mut self, attempt: Attempt, now: Duration) -> Result<Attempt, Duration> {
        let waits = [
            attempt.name.and_then(|key| PER_NAME.wait(self.names.get(&key), now)),
            attempt.address.and_then(|key| PER_ADDRESS.wait(self.addresses.get(&key), now)),
            attempt.link.and_then(|key| PER_LINK.wait(self.links.get(&key), now)),
            attempt.code.and_then(|key| PER_CODE.wait(self.codes.get(&key), now)),
        ];
        if let Some(wait) = waits.into_iter().flatten().max() {
            return Err(wait);
        }
        if let Some(key) = attempt.name {
            PER_NAME.count(&mut self.names, key, now);
        }
        if let Some(key) = attempt.address {
            PER_ADDRESS.count(&mut self.addresses, key, now);
        }
        if let Some(key) = attempt.link {
            PER_LINK.count(&mut self.links, key, now);
        }
        if let Some(key) = attempt.code {
            PER_CODE.count(&mut self.codes, key, now);
        }
        Ok(attempt)
    }
}

impl Rate {
    /// How long until an attempt is let through; `None` if it is now. The moment kept is the one at which the bucket will
    /// be empty again.
    fn wait(self, empty_at: Option<&Duration>, now: Duration) -> Option<Duration> {
        let room_at = empty_at?.saturating_sub(self.interval * (self.burst - 1));
        room_at.checked_sub(now).filter(|wait| !wait.is_zero())
    }

    fn count(self, counters: &mut HashMap<u64, Duration>, key: u64, now: Duration) {
        if counters.len() >= COUNTERS_MAX && !counters.contains_key(&key) {
            // An empty bucket is the same as none.
            counters.retain(|_, empty_at| *empty_at > now);
            if counters.len() >= COUNTERS_MAX {
                counters.clear();
            }
        }
        let empty_at = counters.entry(key).or_insert(now);
        *empty_at = (*empty_at).max(now) + self.interval;
    }
}

/// The part of an address that a client cannot choose for itself: the /64 of IPv6, all of IPv4.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().expect("an address"))
    }

    #[test]
    fn a_burst_then_one_per_interval() {
        let throttle = Throttle::new();
        for _ in 0..5 {
            throttle.admit(Some("ada"), None, seconds(100)).expect("the burst");
        }
        assert_eq!(throttle.admit(Some("ada"), None, seconds(100)).expect_err("full"), seconds(30));
        // Being refused makes it no longer.
        for _ in 0..1000 {
            assert_eq!(throttle.admit(Some("ada"), None, seconds(110)).expect_err("full"), seconds(20));
        }
        throttle.admit(Some("ada"), None, seconds(130)).expect("one more");
        assert_eq!(throttle.admit(Some("ada"), None, seconds(130)).expect_err("full"), seconds(30));
        throttle.admit(Some("eve"), None, seconds(130)).expect("another name");
        for _ in 0..5 {
            throttle.admit(Some("ada"), None, seconds(1000)).expect("a new burst after a rest");
        }
    }

    #[test]
    fn addresses_are_counted_over_all_names() {
        let throttle = Throttle::new();
        for guess in 0..30 {
            let name = guess.to_string();
            throttle.admit(Some(&name), address("2001:db8::1"), seconds(0)).expect("the burst");
        }
        // Another address of the same /64 is the same client; the next /64 is not.
        assert!(throttle.admit(Some("x"), address("2001:db8::ffff:1"), seconds(0)).is_err());
        assert!(throttle.admit(None, address("2001:db8::2"), seconds(0)).is_err());
        assert!(throttle.admit(Some("x"), address("2001:db8:0:1::1"), seconds(0)).is_ok());
        assert!(throttle.admit(Some("x"), address("192.0.2.1"), seconds(0)).is_ok());
    }

    #[test]
    fn strangers_do_not_fill_the_owners_counter() {
        let throttle = Throttle::new();
        let home = address("192.0.2.1");
        let attempt = throttle.admit(Some("ada"), home, seconds(0)).expect("the owner");
        throttle.succeeded(attempt);
        for guess in 0..100 {
            let _ = throttle.admit(Some("ada"), address(&format!("198.51.100.{guess}")), seconds(1));
        }
        assert!(throttle.admit(Some("ada"), address("203.0.113.1"), seconds(1)).is_err());
        let attempt = throttle.admit(Some("ada"), home, seconds(1)).expect("the owner at home");
        throttle.succeeded(attempt);
        // Whoever sits at the owner's address still cannot guess without end.
        let wrong = (0..20).filter(|_| throttle.admit(Some("ada"), home, seconds(2)).is_ok()).count();
        assert_eq!(wrong, 5);
    }

    #[test]
    fn guessers_of_a_link_stop_only_themselves() {
        let throttle = Throttle::new();
        let link = LinkId::from_bytes([7; 16]);
        let at = |text: &str| address(text).expect("an address");
        let guesses =
            |from: &str, now| (0..100).filter(|_| throttle.admit_visitor(link, at(from), seconds(now)).is_ok()).count();
        assert_eq!(guesses("192.0.2.1", 0), 5);
        // Others, and the same one at another link, are let through.
        let visitor = throttle.admit_visitor(link, at("198.51.100.1"), seconds(0)).expect("another visitor");
        throttle.succeeded(visitor);
        throttle.admit_visitor(LinkId::from_bytes([8; 16]), at("192.0.2.1"), seconds(0)).expect("another link");
        // A hundred guesses from twenty networks, and then even new networks wait, but not who was there before.
        let all: usize = (2..60).map(|host| guesses(&format!("192.0.{host}.1"), 0)).sum();
        assert_eq!(all, 100 - 5);
        assert_eq!(throttle.admit_visitor(link, at("203.0.113.1"), seconds(0)).expect_err("full"), seconds(2));
        throttle.admit_visitor(link, at("198.51.100.1"), seconds(0)).expect("who has opened it");
        throttle.admit_visitor(link, at("203.0.113.1"), seconds(2)).expect("soon");
    }

    #[test]
    fn success_gives_back_only_its_own_share() {
        let throttle = Throttle::new();
        let here = address("192.0.2.1");
        let mut guesses = 0;
        for round in 0..100 {
            guesses += usize::from(throttle.admit(Some(&format!("victim{round}")), here, seconds(0)).is_ok());
            if let Ok(own) = throttle.admit(Some("own"), here, seconds(0)) {
                throttle.succeeded(own);
            }
        }
        assert_eq!(guesses, 30);
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = Throttle::new();
        for name in 0..COUNTERS_MAX + 10 {
            let _ = throttle.admit(Some(&name.to_string()), None, seconds(0));
        }
        assert!(throttle.state.lock().names.len() <= COUNTERS_MAX);
    }
}
