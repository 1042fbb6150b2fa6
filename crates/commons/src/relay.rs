//! Words from each process to all, over one channel.

use std::{convert::Infallible, sync::Arc, time::Duration};

use redis::{AsyncConnectionConfig, Client, ProtocolVersion, PushInfo, PushKind, Value};
use tokio::sync::Notify;

use crate::{CONNECT, Commons, Error, PATIENCE, health::Side};

const CHANNEL: &str = "holdfast:words";

/// How often a listener looks whether its server is still there.
const LOOK: Duration = Duration::from_secs(3);

/// Between two tries to listen; each further one in vain waits twice as long, up to the longest.
const RETRY: Duration = Duration::from_millis(250);
const RETRY_MAX: Duration = Duration::from_secs(5);

impl Commons {
    /// Tells all processes that listen, also this one. What cannot be told now is told never.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn publish(&self, words: &str) -> Result<(), Error> {
        let mut manager = self.0.manager.clone();
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(CHANNEL).arg(words);
        self.order(PATIENCE, publish.query_async::<()>(&mut manager)).await
    }

    /// Gives what is told to `heard`, from now until it is dropped; while the connection is away and being made again,
    /// nothing is heard. `heard` is called where bytes are read, and must not block.
    pub async fn listen(&self, heard: impl Fn(&str) + Send + Sync + 'static) {
        let (heard, health) = (Arc::new(heard), &self.0.health);
        let mut retry = RETRY;
        loop {
            let began = self.0.clock.elapsed();
            let error = self.hear(heard.clone()).await;
            health.fails(Side::Listening, &error);
            // A connection that held for a while is no reason to wait for long.
            retry = if self.0.clock.elapsed() - began > RETRY_MAX { RETRY } else { (retry * 2).min(RETRY_MAX) };
            tokio::time::sleep(retry).await;
        }
    }

    /// Listens over one connection, until that ends.
    async fn hear(&self, heard: Arc<impl Fn(&str) + Send + Sync + 'static>) -> Error {
        match self.try_hear(heard).await {
            Ok(never) => match never {},
            Err(error) => error,
        }
    }

    async fn try_hear(&self, heard: Arc<impl Fn(&str) + Send + Sync + 'static>) -> Result<Infallible, Error> {
        let gone = Arc::new(Notify::new());
        let pushed = {
            let gone = gone.clone();
            move |push: PushInfo| {
                match (push.kind, push.data.as_slice()) {
                    (PushKind::Message, [_, Value::BulkString(words)]) => {
                        if let Ok(words) = str::from_utf8(words) {
                            heard(words);
                        }
                    }
                    (PushKind::Disconnection, _) => gone.notify_one(),
                    _ => {}
                }
                Ok::<(), Infallible>(())
            }
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(PATIENCE))
            .set_push_sender(pushed);
        let away = |error| Error::away(&error);
        let connecting = self.speaking_resp3()?;
        let mut connection = connecting.get_multiplexed_async_connection_with_config(&config).await.map_err(away)?;
        connection.subscribe(CHANNEL).await.map_err(away)?;
        self.0.health.works(Side::Listening);
        loop {
            // The other connection is made again now, and not while somebody who signs in waits for it.
            let commands = self.0.health.is_good(Side::Commands) || self.reach().await.is_ok();
            tokio::select! {
                () = gone.notified() => return Err(Error::Away("the connection was closed".to_owned())),
                () = tokio::time::sleep(if commands { LOOK } else { RETRY }) => {}
            }
            redis::cmd("PING").query_async::<()>(&mut connection).await.map_err(away)?;
        }
    }

    /// The client for a connection over which pushes come between answers (Redis 6, 2020).
    fn speaking_resp3(&self) -> Result<Client, Error> {
        let info = self.0.client.get_connection_info().clone();
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        Client::open(info.set_redis_settings(settings)).map_err(|error| Error::away(&error))
    }
}
