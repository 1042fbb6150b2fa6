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
//! - [`Throttle`] says what an attempt is counted as
//! - `counts` has the rules, and the contract of counters that processes share
//! - `local` has the counters of this process: the only ones where none are shared, and what counts while those that are
//!   cannot be reached. With n gateways a guesser then has up to n times the attempts.

pub mod counts;
mod local;

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

use base::{AccountId, LinkId};

use self::{
    counts::{Bucket, Count, Key, SharedCounts, Verdict, When},
    local::Local,
};

/// Counts attempts to sign in.
pub(crate) struct Throttle {
    /// What names and addresses are hashed with. All processes of a system have the same.
    key: [u8; 32],
    local: Local,
    shared: Option<Arc<dyn SharedCounts>>,
}

/// An attempt that was let through and counted. Dropping it leaves it counted, as a failure.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// Where it was counted.
    buckets: Vec<Bucket>,
    /// Whether that was in the counters that processes share.
    shared: bool,
    /// What says that the address is one of the owner's.
    mark: Option<Key>,
}

impl Throttle {
    /// Counters of this process, behind those that processes share.
    pub(crate) fn new(key: [u8; 32], shared: Option<Arc<dyn SharedCounts>>) -> Self {
        Self { key, local: Local::default(), shared }
    }

    /// Counts an attempt for a name (by its unique form; none if it is no name at all) from an address.
    ///
    /// # Errors
    /// How long to wait before the next attempt is let through.
    pub(crate) async fn admit(
        &self,
        name: Option<&str>,
        address: Option<IpAddr>,
        now: Duration,
    ) -> Result<Attempt, Duration> {
        let mark = name.zip(address).map(|(name, address)| self.pair(name, address));
        let mut buckets = Vec::with_capacity(3);
        if let Some(name) = name {
            buckets.push(Bucket {
                count: Count::Name,
                key: self.hash(&[b"name", name.as_bytes()]),
                when: When::Unknown,
            });
        }
        buckets.extend(mark.map(|key| Bucket { count: Count::Name, key, when: When::Known }));
        buckets.extend(address.map(|address| self.address(address)));
        self.count(mark, buckets, now).await
    }

    /// Counts an attempt at the password of a link from an address.
    ///
    /// # Errors
    /// How long to wait before the next attempt is let through.
    pub(crate) async fn admit_visitor(
        &self,
        link: LinkId,
        address: IpAddr,
        now: Duration,
    ) -> Result<Attempt, Duration> {
        let link = link.to_bytes();
        let mark = self.hash(&[b"visitor", &link, &network(address)]);
        let buckets = vec![
            Bucket { count: Count::Name, key: mark, when: When::Always },
            Bucket { count: Count::Link, key: self.hash(&[b"link", &link]), when: When::Unknown },
            self.address(address),
        ];
        self.count(Some(mark), buckets, now).await
    }

    /// Counts a code of an account's second factor from an address.
    ///
    /// # Errors
    /// How long to wait before the next attempt is let through.
    pub(crate) async fn admit_code(
        &self,
        account: AccountId,
        address: IpAddr,
        now: Duration,
    ) -> Result<Attempt, Duration> {
        let account = account.to_bytes();
        let mark = self.hash(&[b"code and address", &account, &network(address)]);
        let buckets = vec![
            Bucket { count: Count::Code, key: self.hash(&[b"code", &account]), when: When::Unknown },
            Bucket { count: Count::Code, key: mark, when: When::Known },
            self.address(address),
        ];
        self.count(Some(mark), buckets, now).await
    }

    /// The password was right: the attempt does not count, and the address is one of the owner's.
    pub(crate) async fn succeeded(&self, attempt: &Attempt) {
        self.settle(attempt, attempt.mark).await;
    }

    /// The address is one of the owner's.
    pub(crate) async fn remember(&self, attempt: &Attempt) {
        if let Some(mark) = attempt.mark {
            self.know(mark).await;
        }
    }

    /// The address is one of those of a name's owner, as was found out in another way.
    pub(crate) async fn familiar(&self, name: &str, address: IpAddr) {
        self.know(self.pair(name, address)).await;
    }

    /// The password was not looked at: the attempt does not count.
    pub(crate) async fn take_back(&self, attempt: &Attempt) {
        self.settle(attempt, None).await;
    }

    async fn count(&self, mark: Option<Key>, buckets: Vec<Bucket>, now: Duration) -> Result<Attempt, Duration> {
        let told = match &self.shared {
            Some(shared) => shared.admit(mark, &buckets).await,
            None => None,
        };
        let shared = told.is_some();
        match told.unwrap_or_else(|| self.local.admit(mark, &buckets, now)) {
            Verdict::Full { wait } => Err(wait),
            Verdict::Counted { known } => {
                let buckets = buckets.into_iter().filter(|bucket| bucket.when.holds(known)).collect();
                Ok(Attempt { buckets, shared, mark })
            }
        }
    }

    /// Takes an attempt back where it was counted, and keeps the mark.
    async fn settle(&self, attempt: &Attempt, mark: Option<Key>) {
        match &self.shared {
            Some(shared) if attempt.shared => {
                shared.settle(&attempt.buckets, mark).await;
                self.local.settle(&[], mark);
            }
            _ => self.local.settle(&attempt.buckets, mark),
        }
    }

    async fn know(&self, mark: Key) {
        if let Some(shared) = &self.shared {
            shared.settle(&[], Some(mark)).await;
        }
        self.local.settle(&[], Some(mark));
    }

    fn address(&self, address: IpAddr) -> Bucket {
        Bucket { count: Count::Address, key: self.hash(&[b"address", &network(address)]), when: When::Always }
    }

    fn pair(&self, name: &str, address: IpAddr) -> Key {
        self.hash(&[b"name and address", name.as_bytes(), &network(address)])
    }

    /// Names and addresses are kept as hashes with a key: nobody can choose two that collide, and who reads the counters
    /// learns neither.
    fn hash(&self, parts: &[&[u8]]) -> Key {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        for part in parts {
            // With its length in front, no two lists of parts are one text.
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        let mut key = [0; 16];
        hasher.finalize_xof().fill(&mut key);
        Key::from_bytes(key)
    }
}

/// The part of an address that a client cannot choose for itself: the /64 of IPv6, all of IPv4.
fn network(address: IpAddr) -> [u8; 16] {
    let address = match address.to_canonical() {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)),
    };
    address.octets()
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

    #[tokio::test]
    async fn a_burst_then_one_per_interval() {
        let throttle = Throttle::new([7; 32], None);
        for _ in 0..5 {
            throttle.admit(Some("ada"), None, seconds(100)).await.expect("the burst");
        }
        assert_eq!(throttle.admit(Some("ada"), None, seconds(100)).await.expect_err("full"), seconds(30));
        // Being refused makes it no longer.
        for _ in 0..1000 {
            assert_eq!(throttle.admit(Some("ada"), None, seconds(110)).await.expect_err("full"), seconds(20));
        }
        throttle.admit(Some("ada"), None, seconds(130)).await.expect("one more");
        assert_eq!(throttle.admit(Some("ada"), None, seconds(130)).await.expect_err("full"), seconds(30));
        throttle.admit(Some("eve"), None, seconds(130)).await.expect("another name");
        for _ in 0..5 {
            throttle.admit(Some("ada"), None, seconds(1000)).await.expect("a new burst after a rest");
        }
    }

    #[tokio::test]
    async fn addresses_are_counted_over_all_names() {
        let throttle = Throttle::new([7; 32], None);
        for guess in 0..30 {
            let name = guess.to_string();
            throttle.admit(Some(&name), address("2001:db8::1"), seconds(0)).await.expect("the burst");
        }
        // Another address of the same /64 is the same client; the next /64 is not.
        assert!(throttle.admit(Some("x"), address("2001:db8::ffff:1"), seconds(0)).await.is_err());
        assert!(throttle.admit(None, address("2001:db8::2"), seconds(0)).await.is_err());
        assert!(throttle.admit(Some("x"), address("2001:db8:0:1::1"), seconds(0)).await.is_ok());
        assert!(throttle.admit(Some("x"), address("192.0.2.1"), seconds(0)).await.is_ok());
    }

    #[tokio::test]
    async fn strangers_do_not_fill_the_owners_counter() {
        let throttle = Throttle::new([7; 32], None);
        let home = address("192.0.2.1");
        let attempt = throttle.admit(Some("ada"), home, seconds(0)).await.expect("the owner");
        throttle.succeeded(&attempt).await;
        for guess in 0..100 {
            let _ = throttle.admit(Some("ada"), address(&format!("198.51.100.{guess}")), seconds(1)).await;
        }
        assert!(throttle.admit(Some("ada"), address("203.0.113.1"), seconds(1)).await.is_err());
        let attempt = throttle.admit(Some("ada"), home, seconds(1)).await.expect("the owner at home");
        throttle.succeeded(&attempt).await;
        // Whoever sits at the owner's address still cannot guess without end.
        let mut wrong = 0;
        for _ in 0..20 {
            wrong += usize::from(throttle.admit(Some("ada"), home, seconds(2)).await.is_ok());
        }
        assert_eq!(wrong, 5);
    }

    #[tokio::test]
    async fn guessers_of_a_link_stop_only_themselves() {
        let throttle = Throttle::new([7; 32], None);
        let link = LinkId::from_bytes([7; 16]);
        let at = |text: &str| address(text).expect("an address");
        let guesses = async |from: &str| {
            let mut through = 0;
            for _ in 0..100 {
                through += usize::from(throttle.admit_visitor(link, at(from), seconds(0)).await.is_ok());
            }
            through
        };
        assert_eq!(guesses("192.0.2.1").await, 5);
        // Others, and the same one at another link, are let through.
        let visitor = throttle.admit_visitor(link, at("198.51.100.1"), seconds(0)).await.expect("another visitor");
        throttle.succeeded(&visitor).await;
        throttle.admit_visitor(LinkId::from_bytes([8; 16]), at("192.0.2.1"), seconds(0)).await.expect("another link");
        // A hundred guesses from twenty networks, and then even new networks wait, but not who was there before.
        let mut all = 0;
        for host in 2..60 {
            all += guesses(&format!("192.0.{host}.1")).await;
        }
        assert_eq!(all, 100 - 5);
        assert_eq!(throttle.admit_visitor(link, at("203.0.113.1"), seconds(0)).await.expect_err("full"), seconds(2));
        throttle.admit_visitor(link, at("198.51.100.1"), seconds(0)).await.expect("who has opened it");
        throttle.admit_visitor(link, at("203.0.113.1"), seconds(2)).await.expect("soon");
    }

    #[tokio::test]
    async fn success_gives_back_only_its_own_share() {
        let throttle = Throttle::new([7; 32], None);
        let here = address("192.0.2.1");
        let mut guesses = 0;
        for round in 0..100 {
            guesses += usize::from(throttle.admit(Some(&format!("victim{round}")), here, seconds(0)).await.is_ok());
            if let Ok(own) = throttle.admit(Some("own"), here, seconds(0)).await {
                throttle.succeeded(&own).await;
            }
        }
        assert_eq!(guesses, 30);
    }

    /// Shared counters that are away when `away` says so, and else those of another process.
    #[derive(Default)]
    struct Shared {
        counts: Local,
        away: std::sync::atomic::AtomicBool,
    }

    impl std::fmt::Debug for Shared {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Shared")
        }
    }

    #[async_trait::async_trait]
    impl SharedCounts for Shared {
        async fn admit(&self, mark: Option<Key>, buckets: &[Bucket]) -> Option<Verdict> {
            let away = self.away.load(std::sync::atomic::Ordering::Relaxed);
            (!away).then(|| self.counts.admit(mark, buckets, seconds(0)))
        }

        async fn settle(&self, taken_back: &[Bucket], mark: Option<Key>) {
            if !self.away.load(std::sync::atomic::Ordering::Relaxed) {
                self.counts.settle(taken_back, mark);
            }
        }
    }

    #[tokio::test]
    async fn processes_share_counters_and_marks_and_do_without() {
        let shared = Arc::new(Shared::default());
        let away = |is: bool| shared.away.store(is, std::sync::atomic::Ordering::Relaxed);
        let [one, two] = [(); 2].map(|()| Throttle::new([7; 32], Some(shared.clone())));
        let home = address("192.0.2.1");
        let owner = one.admit(Some("ada"), home, seconds(0)).await.expect("the owner");
        one.succeeded(&owner).await;
        for _ in 0..5 {
            one.admit(Some("ada"), None, seconds(0)).await.expect("the burst");
        }
        assert_eq!(two.admit(Some("ada"), None, seconds(0)).await.expect_err("full there too"), seconds(30));
        let owner = two.admit(Some("ada"), home, seconds(0)).await.expect("the owner is known there too");
        // Alone again, each has counters of its own; what was counted elsewhere is not taken back here.
        away(true);
        two.take_back(&owner).await;
        for throttle in [&one, &two] {
            for _ in 0..5 {
                throttle.admit(Some("ada"), None, seconds(0)).await.expect("a burst of its own");
            }
            throttle.admit(Some("ada"), None, seconds(0)).await.expect_err("full");
        }
        one.admit(Some("ada"), home, seconds(0)).await.expect("the owner was seen here");
        away(false);
        two.admit(Some("ada"), None, seconds(0)).await.expect_err("as it was");
    }
}
