//! Word of what was committed, for those who would otherwise have to ask again and again.
//!
//! A notice is a hint and no more: one can be lost with a connection, and one can come twice. Who acts on it reads what is
//! there, and looks now and then without having been told.

use std::{fmt, str::FromStr};

use base::{SessionId, SpaceId};
use tokio::sync::broadcast;

/// Notices that a slow listener may be behind by; beyond that it is told that it missed some.
const BEHIND_MAX: usize = 4096;

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
}

/// As it travels between processes: a word for each notice.
impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { space, sequence } => write!(f, "{space}:{sequence}"),
            Self::SessionEnded(session) => write!(f, "{session}"),
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
            None => word.parse().map(Self::SessionEnded).map_err(|_| Unknown),
        }
    }
}

/// Where notices come in and go out.
#[derive(Clone)]
pub(crate) struct Notices {
    changes: broadcast::Sender<(SpaceId, u64)>,
    session_ends: broadcast::Sender<SessionId>,
    /// What this process committed, for those who tell other processes.
    own: broadcast::Sender<Notice>,
}

impl Notices {
    pub(crate) fn new() -> Self {
        Self {
            changes: broadcast::Sender::new(BEHIND_MAX),
            session_ends: broadcast::Sender::new(BEHIND_MAX),
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
        }
    }

    pub(crate) fn changes(&self) -> broadcast::Receiver<(SpaceId, u64)> {
        self.changes.subscribe()
    }

    pub(crate) fn session_ends(&self) -> broadcast::Receiver<SessionId> {
        self.session_ends.subscribe()
    }

    pub(crate) fn own(&self) -> broadcast::Receiver<Notice> {
        self.own.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        let space = SpaceId::from_bytes([7; 16]);
        for notice in [Notice::Changed { space, sequence: 42 }, Notice::SessionEnded(SessionId::from_bytes([1; 16]))] {
            assert_eq!(notice.to_string().parse(), Ok(notice));
        }
        for other in ["", ":", "x", &format!("{space}"), &format!("{space}:"), &format!("{space}:-1"), "usr_1:2"] {
            assert_eq!(other.parse::<Notice>(), Err(Unknown), "{other}");
        }
    }
}
