//! A simulator for the storage promise: storage servers in memory that fail in every way the real ones can, and virtual
//! time over a real database.
//!
//! Only the protocol of storage is simulated ([`proto::Parts`] and what is behind it); what is tested on it is the real
//! code, unchanged. What may go wrong with a call is drawn from the seed, the node, the part and how often that part was
//! asked for ([`node`]), never from the order in which calls happen to arrive: with equal seeds the same calls fail. The
//! one thing that a seed does not decide is how far SQLite's own thread is within a tick of virtual time ([`time`]).

pub mod node;
pub mod time;

use base::PartId;

/// How many more seeds a simulation tries, beside those that are tried always.
const SEEDS: &str = "HOLDFAST_SIM_SEEDS";

/// The one seed that a simulation is to try, to look into a failure.
const SEED: &str = "HOLDFAST_SIM_SEED";

/// Random numbers that follow from a seed: splitmix64 (Steele, Lea, Flood 2014).
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// The numbers of these words.
    pub fn new(words: &[u64]) -> Self {
        let mut rng = Self(0x5851_f42d_4c95_7f2d);
        for word in words {
            rng.0 = rng.next() ^ word.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        rng
    }

    /// 64 random bits.
    #[expect(clippy::should_implement_trait, reason = "an endless source, which no loop should run over")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not zero.
    pub fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    /// A number from `low` up to and including `high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True in so many cases of a thousand.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// One of them; `None` of nothing.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() { None } else { from.get(self.below(from.len() as u64) as usize) }
    }
}

/// A part as words for [`Rng::new`].
fn words(part: PartId) -> [u64; 2] {
    let bits = u128::from_be_bytes(part.to_bytes());
    [(bits >> 64) as u64, bits as u64]
}

/// The seeds that a simulation is to try: `fixed`, and as many more as `HOLDFAST_SIM_SEEDS` says, drawn anew each time.
/// With `HOLDFAST_SIM_SEED` that one alone.
pub fn seeds(fixed: &[u64]) -> Vec<u64> {
    if let Some(seed) = variable(SEED) {
        return vec![seed];
    }
    let (first, _) = uuid::Uuid::new_v4().as_u64_pair();
    let mut rng = Rng::new(&[first]);
    let more = variable(SEEDS).unwrap_or(0);
    // Short ones are easier to copy from a log, and there are enough of them.
    fixed.iter().copied().chain((0..more).map(|_| rng.next() >> 32)).collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests have no configuration; how long they go on is the caller's choice"
)]
fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}

/// Says which seed it was if the test panics while this lives.
pub struct SeedNote<'a> {
    /// What is simulated.
    pub test: &'a str,
    /// The seed.
    pub seed: u64,
}

impl Drop for SeedNote<'_> {
    #[expect(clippy::print_stderr, reason = "it is what whoever reads the test's output looks for")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}: seed {} failed; run it alone with {SEED}={}", self.test, self.seed, self.seed);
        }
    }
}
