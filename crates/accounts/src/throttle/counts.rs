//! The rules by which attempts are counted, and the contract of counters that several processes share.

use std::{fmt, time::Duration};

use async_trait::async_trait;

/// A leaky bucket, as the generic cell rate algorithm has it (ITU-T I.371): all its state is the moment at which it will
/// be empty again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Attempts that are let through at once. At least one.
    pub burst: u32,
    /// After those, one is let through each interval.
    pub interval: Duration,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Attempts for a name, or for the password of a link from one address.
    Name,
    /// Attempts from an address.
    Address,
    /// Attempts at a link by all its visitors together.
    Link,
    /// Codes of an account's second factor.
    Code,
}

impl Count {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::Name, Self::Address, Self::Link, Self::Code];

    /// How many there may be.
    pub fn rate(self) -> Rate {
        let (burst, seconds) = match self {
            // Five attempts, then one each half minute. That is at most 2,900 guesses a day.
            Self::Name => (5, 30),
            // There may be a whole office behind it: thirty failures, then one each three seconds.
            Self::Address => (30, 3),
            // A hundred failures, then one each two seconds, 43,000 a day.
            Self::Link => (100, 2),
            // Five codes, then one each five minutes. Of a million codes three are good at a time, so that somebody who has
            // the password would guess for years.
            Self::Code => (5, 5 * 60),
        };
        Rate { burst, interval: Duration::from_secs(seconds) }
    }

    /// Its name among the keys of shared counters.
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Address => "address",
            Self::Link => "link",
            Self::Code => "code",
        }
    }
}

/// Whose attempts: a hash with a key that only this system has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key([u8; 16]);

impl Key {
    /// The key of these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// Whether a bucket counts an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// In any case.
    Always,
    /// If the attempt's mark is kept: its address is one of the owner's.
    Known,
    /// If it is not.
    Unknown,
}

impl When {
    /// Whether it does, given that the mark is kept or not.
    pub fn holds(self, known: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Known => known,
            Self::Unknown => !known,
        }
    }
}

/// One of the counters that an attempt fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// What it counts.
    pub count: Count,
    /// Of whom.
    pub key: Key,
    /// Whether it counts this attempt.
    pub when: When,
}

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is let through, and counted in all buckets that hold.
    Counted {
        /// Whether its mark is kept.
        known: bool,
    },
    /// It is counted nowhere: one of the buckets is full.
    Full {
        /// Until there is room in all of them.
        wait: Duration,
    },
}

/// Counters that several processes share. Whoever keeps them bounds how long a caller waits: somebody who signs in waits for
/// three calls at most, and for all of them together no more than 100 ms.
#[async_trait]
pub trait SharedCounts: fmt::Debug + Send + Sync {
    /// Counts an attempt in all of its buckets that hold, or in none if one of these is full, in one step. Nothing is
    /// answered if the counters cannot be reached.
    async fn admit(&self, mark: Option<Key>, buckets: &[Bucket]) -> Option<Verdict>;

    /// Takes one attempt out of each of these buckets, and keeps a mark. Where the counters cannot be reached, nothing is
    /// done.
    async fn settle(&self, taken_back: &[Bucket], mark: Option<Key>);
}
