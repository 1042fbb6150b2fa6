//! What processes keep for each other for some minutes: bytes under names, any of which may be forgotten.

use std::{fmt, time::Duration};

use bytes::Bytes;
use parking_lot::Mutex;

use crate::{Commons, health::Side};

/// How long one waits for something that could be made anew in about the same time.
const PATIENCE: Duration = Duration::from_millis(20);

/// How long after an answer that did not come nobody asks again.
const REST: Duration = Duration::from_secs(1);

/// How long something is kept.
const KEPT: Duration = Duration::from_secs(600);

/// What is kept on one Redis.
pub struct Pages {
    commons: Commons,
    /// Nobody asks before, by the process's clock.
    rest_until: Mutex<Duration>,
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pages")
    }
}

impl Pages {
    /// Those of this server.
    pub fn new(commons: Commons) -> Self {
        Self { commons, rest_until: Mutex::default() }
    }

    /// What is kept under a name, if Redis has it and says so soon.
    pub async fn get(&self, name: &str) -> Option<Bytes> {
        self.run::<Option<Vec<u8>>>(Side::Commands, redis::cmd("GET").arg(name)).await.flatten().map(Bytes::from)
    }

    /// Keeps something under a name.
    pub async fn put(&self, name: &str, bytes: &Bytes) {
        let mut set = redis::cmd("SET");
        set.arg(name).arg(&bytes[..]).arg("EX").arg(KEPT.as_secs());
        self.run::<()>(Side::Orders, &set).await;
    }

    async fn run<T: redis::FromRedisValue>(&self, refused: Side, command: &redis::Cmd) -> Option<T> {
        let clock = &self.commons.0.clock;
        if clock.elapsed() < *self.rest_until.lock() {
            return None;
        }
        let mut manager = self.commons.0.manager.clone();
        match self.commons.ask(PATIENCE, refused, command.query_async(&mut manager)).await {
            Ok(answer) => Some(answer),
            Err(error) => {
                tracing::debug!(%error, "nothing is shared for a moment");
                *self.rest_until.lock() = clock.elapsed() + REST;
                None
            }
        }
    }
}
