//! What is known of sessions and tokens for the next second, so that a request need not ask the database.

use std::{collections::HashMap, hash::Hash, time::Duration};

use base::{AccountId, SessionId, Time};
use parking_lot::Mutex;

use crate::Permissions;

/// How long what went on is taken to go on. This is how late another process may notice that it was ended.
const TRUST: Duration = Duration::from_secs(1);

/// How long an end is remembered against answers of the database that are older than the end but arrive later. Far longer
/// than any statement may take.
const REMEMBER: Duration = Duration::from_secs(60);

/// Locks, each over its share of the keys.
const SHARDS: usize = 16;

/// Keys per shard at most: all shards take about 5 MiB. At the bound what is no longer needed goes, then what only
/// saves a look, and at last everything.
const KEYS_MAX: usize = 4096;

/// What a request needs to know of a session that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Live {
    /// Whose it is.
    pub(crate) account: AccountId,
    /// What the account may do now.
    pub(crate) permissions: Permissions,
    /// When it ends by itself.
    pub(crate) expires: Time,
}

/// What is known of a session or token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known<V> {
    /// It goes on.
    Live(V),
    /// It has ended.
    Ended,
}

/// By what sessions and tokens are known.
pub(crate) trait Key: Copy + Eq + Hash {
    /// A byte that is random among the keys.
    fn spread(&self) -> u8;
}

impl Key for SessionId {
    fn spread(&self) -> u8 {
        // The last byte of a UUIDv7 is random.
        self.to_bytes()[15]
    }
}

impl Key for [u8; 32] {
    fn spread(&self) -> u8 {
        // Any byte of a hash is.
        self[31]
    }
}

/// Sessions or tokens that were looked at or ended lately.
pub(crate) struct Lately<K, V> {
    shards: [Mutex<Shard<K, V>>; SHARDS],
}

type Shard<K, V> = HashMap<K, (Known<V>, Duration)>;

impl<K: Key, V: Clone> Lately<K, V> {
    pub(crate) fn new() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()) }
    }

    /// What is known at this moment, if anything.
    pub(crate) fn get(&self, key: K, now: Duration) -> Option<Known<V>> {
        self.shard(key).lock().get(&key).filter(|(_, until)| *until > now).map(|(known, _)| known.clone())
    }

    /// Notes that the database said that it goes on; returns what holds, which is its end if this process has ended it
    /// while the database answered.
    pub(crate) fn saw_live(&self, key: K, live: V, now: Duration) -> Known<V> {
        let mut shard = self.shard(key).lock();
        if let Some((Known::Ended, until)) = shard.get(&key)
            && *until > now
        {
            return Known::Ended;
        }
        make_room(&mut shard, now);
        shard.insert(key, (Known::Live(live.clone()), now + TRUST));
        Known::Live(live)
    }

    /// Notes that it has ended; to be called once that is committed.
    pub(crate) fn ended(&self, key: K, now: Duration) {
        let mut shard = self.shard(key).lock();
        make_room(&mut shard, now);
        shard.insert(key, (Known::Ended, now + REMEMBER));
    }

    fn shard(&self, key: K) -> &Mutex<Shard<K, V>> {
        &self.shards[usize::from(key.spread()) % SHARDS]
    }
}

fn make_room<K: Key, V>(shard: &mut Shard<K, V>, now: Duration) {
    if shard.len() < KEYS_MAX {
        return;
    }
    shard.retain(|_, (_, until)| *until > now);
    if shard.len() >= KEYS_MAX {
        shard.retain(|_, (known, _)| matches!(known, Known::Ended));
    }
    if shard.len() >= KEYS_MAX {
        shard.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live() -> Live {
        Live {
            account: AccountId::from_bytes([1; 16]),
            permissions: Permissions::default(),
            expires: Time::from_micros(i64::MAX),
        }
    }

    #[test]
    fn an_end_outlasts_a_late_answer() {
        let sessions = Lately::new();
        let id = SessionId::from_bytes([7; 16]);
        let at = Duration::from_millis;
        assert_eq!(sessions.get(id, at(0)), None);
        assert_eq!(sessions.saw_live(id, live(), at(0)), Known::Live(live()));
        assert_eq!(sessions.get(id, at(999)), Some(Known::Live(live())));
        assert_eq!(sessions.get(id, at(1000)), None);
        sessions.ended(id, at(1000));
        // The answer of a look that began before the end.
        assert_eq!(sessions.saw_live(id, live(), at(1001)), Known::Ended);
        assert_eq!(sessions.get(id, at(1002)), Some(Known::Ended));
        assert_eq!(sessions.get(id, at(62_000)), None);
    }

    #[test]
    fn memory_is_bounded() {
        let sessions = Lately::new();
        for number in 0..(KEYS_MAX as u128 + 100) {
            let id = SessionId::from_bytes((number << 8).to_be_bytes());
            sessions.saw_live(id, live(), Duration::ZERO);
            sessions.ended(id, Duration::ZERO);
        }
        assert!(sessions.shards.iter().all(|shard| shard.lock().len() <= KEYS_MAX));
    }
}
