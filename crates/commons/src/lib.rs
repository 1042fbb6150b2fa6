//! What the processes of a system have in common beside the database, through Redis or Valkey: word to each other, and
//! counters of attempts.
//!
//! This crate exists to contain the client of Redis (reason b). It promises that nothing depends on Redis being there:
//! whoever speaks is not held up, whoever asks gets no answer within a bounded time, and both go on by themselves when it
//! is back. Nothing is kept there that would be missed after `FLUSHALL`.
//!
//! - [`Address`]: where Redis is, and the password for it
//! - [`Commons::publish`], [`Commons::listen`]: words from each process to all
//! - [`Counts`]: the counters that slow down guessers, for [`accounts`]
//!
//! Keys begin with `holdfast:`, and so does the one channel. Two systems may have one server: what they count has keys that
//! are hashed with a key of theirs, and of each other's words they understand none that concerns them.

mod counts;
mod health;
mod pages;
mod relay;

use std::{fmt, sync::Arc, time::Duration};

use base::{Clock, ErrorKind, Secret};
use redis::{
    Client, ConnectionAddr, ConnectionInfo, FromRedisValue, IntoConnectionInfo, RedisError,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

use self::health::{Health, Side};
pub use self::{counts::Counts, pages::Pages};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(2);

/// How long unanswered bytes may be on their way before the system gives a connection up: without it a server that vanished
/// without a word is taken for a slow one for a quarter of an hour.
const UNANSWERED: Duration = Duration::from_secs(5);

/// How long the answer to a word, or to a look at the server, may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why Redis did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is none.
    #[error("an address of Redis is such as redis://redis.internal:6379/0, or rediss:// with TLS")]
    Address,
    /// It cannot be reached, is too slow, or refuses; with what is known of why.
    #[error("Redis cannot be used: {0}")]
    Away(String),
}

impl Error {
    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Address => ErrorKind::Invalid,
            Self::Away(_) => ErrorKind::Unavailable,
        }
    }

    fn away(error: &RedisError) -> Self {
        Self::Away(error.to_string())
    }
}

/// Where Redis is, with what proves who asks.
#[derive(Clone)]
pub struct Address(ConnectionInfo);

impl Address {
    /// Reads `redis://user:password@host:port/number`, or `rediss://` for TLS with the certificates that the system
    /// trusts. `password` is the one of the address, where that has none.
    ///
    /// # Errors
    /// [`Error::Address`].
    pub fn new(url: &Secret, password: Option<&Secret>) -> Result<Self, Error> {
        let text = url.expose();
        if !text.starts_with("redis://") && !text.starts_with("rediss://") {
            return Err(Error::Address);
        }
        // The library's own message could quote the password.
        let info = text.into_connection_info().map_err(|_| Error::Address)?;
        // `#insecure` asks for certificates not to be looked at.
        if matches!(info.addr(), ConnectionAddr::TcpTls { insecure: true, .. }) {
            return Err(Error::Address);
        }
        let mut settings = info.redis_settings().clone();
        if let Some(password) = password {
            settings = settings.set_password(password.expose());
        }
        let tcp = info.tcp_settings().clone().set_nodelay(true).set_user_timeout(UNANSWERED);
        Ok(Self(info.set_redis_settings(settings).set_tcp_settings(tcp)))
    }

    /// Whether the address itself has a password in it.
    pub fn has_password(&self) -> bool {
        self.0.redis_settings().password().is_some()
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Host and port, without what proves who asks.
        write!(f, "Address({})", self.0.addr())
    }
}

/// Redis, as far as it is there. Cheap to clone; clones share the connection.
#[derive(Clone)]
pub struct Commons(Arc<Inner>);

struct Inner {
    /// For connections of their own.
    client: Client,
    /// For commands: one connection, which is made at the first command and again after it broke.
    manager: ConnectionManager,
    clock: Arc<dyn Clock>,
    health: Health,
}

impl Commons {
    /// Redis at this address, which is not reached yet. To be called in a Tokio runtime.
    ///
    /// # Errors
    /// [`Error::Address`], if the address cannot be used at all.
    pub fn open(address: &Address, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let client = Client::open(address.0.clone()).map_err(|_| Error::Address)?;
        // Who is refused a connection says so at once; the rest between two tries is ours.
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(PATIENCE));
        let manager = ConnectionManager::new_lazy_with_config(client.clone(), config).map_err(|_| Error::Address)?;
        Ok(Self(Arc::new(Inner { client, manager, clock, health: Health::new() })))
    }

    /// Reaches the server.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn reach(&self) -> Result<(), Error> {
        let mut manager = self.0.manager.clone();
        self.ask(PATIENCE, Side::Commands, redis::cmd("PING").query_async::<()>(&mut manager)).await
    }

    /// Reaches the server and asks what it is.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn version(&self) -> Result<String, Error> {
        let mut manager = self.0.manager.clone();
        let mut info = redis::cmd("INFO");
        info.arg("server");
        let answer: String = self.ask(PATIENCE, Side::Commands, info.query_async(&mut manager)).await?;
        // Valkey names both, and calls the version of Redis that it is compatible with `redis_version`.
        let line = |name: &str| answer.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        Ok(match (line("valkey_version:"), line("redis_version:")) {
            (Some(version), _) => format!("Valkey {version}"),
            (None, Some(version)) => format!("Redis {version}"),
            (None, None) => "of unknown version".to_owned(),
        })
    }

    /// The answer to a command within `patience`; which side is bad if it is refused.
    async fn ask<T: FromRedisValue>(
        &self,
        patience: Duration,
        refused: Side,
        question: impl Future<Output = Result<T, RedisError>>,
    ) -> Result<T, Error> {
        let health = &self.0.health;
        let Ok(answer) = tokio::time::timeout(patience, question).await else {
            let error = Error::Away(format!("no answer within {} ms", patience.as_millis()));
            // To those in a hurry it may have been busy for a moment.
            if patience >= PATIENCE {
                health.fails(Side::Commands, &error);
            }
            return Err(error);
        };
        match answer {
            Ok(answer) => {
                health.works(Side::Commands);
                health.works(refused);
                Ok(answer)
            }
            Err(error) => {
                let unreached = error.is_io_error() || error.is_connection_dropped() || error.is_timeout();
                let error = Error::away(&error);
                health.fails(if unreached { Side::Commands } else { refused }, &error);
                Err(error)
            }
        }
    }

    /// The same for a command that only a server which can do its work obeys.
    async fn order<T: FromRedisValue>(
        &self,
        patience: Duration,
        question: impl Future<Output = Result<T, RedisError>>,
    ) -> Result<T, Error> {
        self.ask(patience, Side::Orders, question).await
    }
}
