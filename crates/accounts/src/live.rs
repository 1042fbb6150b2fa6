//! What is known of sessions for the next second, so that a request need not ask the database.

use std::{collections::HashMap, time::Duration};

use base::{AccountId, SessionId, Time};
use parking_lot::Mutex;

use crate::Permissions;

/// How long a session that went on is taken to go on. This is how late another process may notice that it was ended.
const TRUST: Duration = Duration::from_secs(1);

/// How long the end of a session is remembered against answers of the database that are older than the end but arrive
/// later. Far longer than any statement may take.
const REMEMBER: Duration = Duration::from_secs(60);

/// Locks, each over its share of the sessions.
const SHARDS: usize = 16;

/// Sessions per shard at most: all shards take about 5 MiB. At the bound what is no longer needed goes, then what only
/// saves a look, and at last everything.
const SESSIONS_MAX: usize = 4096;

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

/// What is known of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// It goes on.
    Live(Live),
    /// It has ended.
    Ended,
}

/// The sessions that were looked at or ended lately.
pub(crate) struct LiveSessions {
    shards: [Mutex<HashMap<SessionId, (Known, Duration)>>; SHARDS],
}

impl LiveSessions {
    pub(crate) fn new() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()) }
    }

    /// What is known of a session at this moment, if anything.
    pub(crate) fn get(&self, id: SessionId, now: Duration) -> Option<Known> {
        self.shard(id).lock().get(&id).filter(|(_, until)| *until > now).map(|(known, _)| *known)
    }

    /// Notes that the database said that a session goes on; returns what holds, which is its end if this process has
    /// ended it while the database answered.
    pub(crate) fn saw_live(&self, id: SessionId, live: Live, now: Duration) -> Known {
        let mut shard = self.shard(id).lock();
        if let Some((Known::Ended, until)) = shard.get(&id)
            && *until > now
        {
            return Known::Ended;
        }
        make_room(&mut shard, now);
        shard.insert(id, (Known::Live(live), now + TRUST));
        Known::Live(live)
    }

    /// Notes that a session has ended; to be called once that is committed.
    pub(crate) fn ended(&self, id: SessionId, now: Duration) {
        let mut shard = self.shard(id).lock();
        make_room(&mut shard, now);
        shard.insert(id, (Known::Ended, now + REMEMBER));
    }

    fn shard(&self, id: SessionId) -> &Mutex<HashMap<SessionId, (Known, Duration)>> {
        // The last byte of a UUIDv7 is random.
        &self.shards[usize::from(id.to_bytes()[15]) % SHARDS]
    }
}

fn make_room(shard: &mut HashMap<SessionId, (Known, Duration)>, now: Duration) {
    if shard.len() < SESSIONS_MAX {
        return;
    }
    shard.retain(|_, (_, until)| *until > now);
    if shard.len() >= SESSIONS_MAX {
        shard.retain(|_, (known, _)| *known == Known::Ended);
    }
    if shard.len() >= SESSIONS_MAX {
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
        let sessions = LiveSessions::new();
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
        let sessions = LiveSessions::new();
        for number in 0..(SESSIONS_MAX as u128 + 100) {
            let id = SessionId::from_bytes((number << 8).to_be_bytes());
            sessions.saw_live(id, live(), Duration::ZERO);
            sessions.ended(id, Duration::ZERO);
        }
        assert!(sessions.shards.iter().all(|shard| shard.lock().len() <= SESSIONS_MAX));
    }
}
