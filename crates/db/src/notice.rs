//! Word of what was committed, for those who would otherwise have to ask again and again.
//!
//! A notice is a hint and no more: one can be lost with a connection, and one can come twice. Who acts on it reads what is
//! there, and looks now and then without having been told.

use std::{
    fmt::{self, Write as _},
    str::FromStr,
    time::Duration,
};

use base::{AccountId, SessionId, SpaceId};
use tokio::sync::broadcast::{
    self,
    error::{RecvError, TryRecvError},
};

/// Notices that a slow listener may be behind by; beyond that it is told that it missed some.
const BEHIND_MAX: usize = 4096;

/// How long notices gather at most before they are told to other processes.
const GATHER: Duration = Duration::from_millis(5);

/// Bytes of one message to other processes; `NOTIFY` takes less than 8,000.
const MESSAGE_MAX: usize = 7_900;

/// A word has fewer bytes.
const WORD_MAX: usize = 100;

/// Something that was committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notice {
    /// The journal of a space has a change of this number.
    Changed {
        /// Which space.
        space: SpaceId,
        /// The number.
        sequence: u64,
    },
    /// A session was ended.
    SessionEnded(SessionId),
    /// What an account was given became another: more, less, or with another role.
    Given(AccountId),
}

/// As it travels between processes: a word for each notice.
impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { space, sequence } => write!(f, "{space}:{sequence}"),
            Self::SessionEnded(session) => write!(f, "{session}"),
            Self::Given(account) => write!(f, "{account}"),
        }
    }
}

/// The word is of a newer version, or of somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unknown;

impl FromStr for Notice {
    type Err = Unknown;

    fn from_str(word: &str) -> Result<Self, Unknown> {
        match word.split_once(':') {
            Some((space, sequence)) => Ok(Self::Changed {
                space: space.parse().map_err(|_| Unknown)?,
                sequence: sequence.parse().map_err(|_| Unknown)?,
            }),
            // What an id is of, it says itself.
            None => {
                (word.parse().map(Self::SessionEnded)).or_else(|_| word.parse().map(Self::Given)).map_err(|_| Unknown)
            }
        }
    }
}

/// Where notices come in and go out.
#[derive(Clone)]
pub(crate) struct Notices {
    changes: broadcast::Sender<(SpaceId, u64)>,
    session_ends: broadcast::Sender<SessionId>,
    given: broadcast::Sender<AccountId>,
    /// What this process committed, for those who tell other processes.
    own: broadcast::Sender<Notice>,
}

impl Notices {
    pub(crate) fn new() -> Self {
        Self {
            changes: broadcast::Sender::new(BEHIND_MAX),
            session_ends: broadcast::Sender::new(BEHIND_MAX),
            given: broadcast::Sender::new(BEHIND_MAX),
            own: broadcast::Sender::new(BEHIND_MAX),
        }
    }

    /// This process committed it.
    pub(crate) fn committed(&self, notice: Notice) {
        self.heard(notice);
        // Nobody may listen, which is no error.
        let _ = self.own.send(notice);
    }

    /// Another process says that it committed it.
    pub(crate) fn heard(&self, notice: Notice) {
        match notice {
            Notice::Changed { space, sequence } => drop(self.changes.send((space, sequence))),
            Notice::SessionEnded(session) => drop(self.session_ends.send(session)),
            Notice::Given(account) => drop(self.given.send(account)),
        }
    }

    pub(crate) fn changes(&self) -> broadcast::Receiver<(SpaceId, u64)> {
        self.changes.subscribe()
    }

    pub(crate) fn session_ends(&self) -> broadcast::Receiver<SessionId> {
        self.session_ends.subscribe()
    }

    pub(crate) fn given(&self) -> broadcast::Receiver<AccountId> {
        self.given.subscribe()
    }

    pub(crate) fn own(&self) -> OwnNotices {
        OwnNotices(self.own.subscribe())
    }

    /// Another process says this.
    pub(crate) fn heard_words(&self, words: &str) {
        words.split(' ').filter_map(|word| word.parse().ok()).for_each(|notice| self.heard(notice));
    }
}

/// What this process commits, as words for other processes.
pub struct OwnNotices(broadcast::Receiver<Notice>);

impl OwnNotices {
    /// Waits for something to be committed and gives it with what else is within a few milliseconds: words with a space
    /// between them, fewer than 8,000 bytes. `None` once the database handle is gone. To whom this is too slow misses
    /// the oldest.
    pub async fn next(&mut self) -> Option<String> {
        let mut words = loop {
            match self.0.recv().await {
                Ok(notice) => break notice.to_string(),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        };
        tokio::time::sleep(GATHER).await;
        while words.len() < MESSAGE_MAX - WORD_MAX {
            match self.0.try_recv() {
                Ok(notice) => {
                    let _ = write!(words, " {notice}");
                }
                // The ones that were lost are older than those that come.
                Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        Some(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        let space = SpaceId::from_bytes([7; 16]);
        for notice in [
            Notice::Changed { space, sequence: 42 },
            Notice::SessionEnded(SessionId::from_bytes([1; 16])),
            Notice::Given(AccountId::from_bytes([1; 16])),
        ] {
            assert_eq!(notice.to_string().parse(), Ok(notice));
        }
        for other in ["", ":", "x", &format!("{space}"), &format!("{space}:"), &format!("{space}:-1"), "usr_1:2"] {
            assert_eq!(other.parse::<Notice>(), Err(Unknown), "{other}");
        }
    }

    #[tokio::test]
    async fn what_one_process_commits_another_hears() {
        let (one, two) = (Notices::new(), Notices::new());
        let (mut own, mut changes, mut ends) = (one.own(), two.changes(), two.session_ends());
        let mut back = two.own();
        let (space, session) = (SpaceId::from_bytes([7; 16]), SessionId::from_bytes([1; 16]));
        one.committed(Notice::Changed { space, sequence: 1 });
        one.committed(Notice::SessionEnded(session));
        let words = own.next().await.expect("words");
        two.heard_words(&format!("from-the-future {words}  "));
        assert_eq!((changes.try_recv(), ends.try_recv()), (Ok((space, 1)), Ok(session)));
        // What was heard is not told again.
        assert!(back.0.try_recv().is_err());
        // More than a message holds comes in several, none too long.
        for sequence in 0..1000 {
            one.committed(Notice::Changed { space, sequence: u64::MAX - sequence });
        }
        let mut all = 0;
        while all < 1000 {
            let words = own.next().await.expect("words");
            assert!(words.len() < MESSAGE_MAX, "{}", words.len());
            all += words.split(' ').count();
        }
        drop(one);
        assert_eq!(own.next().await, None);
    }
}
