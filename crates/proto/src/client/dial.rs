//! Makes the connections of one node's client: resolve, connect, introduce, and leave a dead node alone for a while.

use std::{sync::Arc, time::Duration};

use base::NodeId;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout},
};
use tonic::transport::{Channel, Endpoint, Uri};
use tower::service_fn;

use crate::{
    ClusterSecret, Error, RemoteOptions,
    handshake::greet,
    wire::{CONNECTION_WINDOW_BYTES, FRAME_BYTES, STREAM_WINDOW_BYTES},
};

/// How long a node that could not be reached is not tried again: at first, and at most after doubling.
const REST_MIN: Duration = Duration::from_millis(50);
const REST_MAX: Duration = Duration::from_secs(2);

/// Where a node is and how to get there. Clones share what was learnt about it.
#[derive(Clone)]
pub(super) struct Dial {
    shared: Arc<Shared>,
}

struct Shared {
    address: String,
    expected: Option<NodeId>,
    secret: ClusterSecret,
    connect: Duration,
    keep_alive: Duration,
    rest: Mutex<Option<Rest>>,
}

/// Why a node rests, and until when.
struct Rest {
    error: Error,
    until: Instant,
    length: Duration,
}

impl Dial {
    pub(super) fn new(
        address: &str,
        expected: Option<NodeId>,
        secret: &ClusterSecret,
        options: &RemoteOptions,
    ) -> Self {
        let shared = Shared {
            address: address.to_owned(),
            expected,
            secret: secret.clone(),
            connect: options.connect,
            keep_alive: options.keep_alive,
            rest: Mutex::new(None),
        };
        Self { shared: Arc::new(shared) }
    }

    /// A channel over one connection that is made when it is first needed, and again after it broke.
    pub(super) fn channel(&self) -> Channel {
        let dial = self.clone();
        // The connector ignores this address; it is what the `:authority` of every call says.
        Endpoint::from_static("http://node.holdfast")
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_frame_size(FRAME_BYTES)
            .http2_keep_alive_interval(self.shared.keep_alive)
            .keep_alive_timeout(self.shared.keep_alive)
            .keep_alive_while_idle(true)
            .connect_with_connector_lazy(service_fn(move |_: Uri| {
                let dial = dial.clone();
                async move { dial.connect().await.map(TokioIo::new) }
            }))
    }

    /// Callers of a channel wait for its connection one after another. Without the rest each of them would wait for a
    /// time-out of its own.
    async fn connect(&self) -> Result<TcpStream, Error> {
        let shared = &*self.shared;
        if let Some(rest) = &*shared.rest.lock()
            && Instant::now() < rest.until
        {
            return Err(rest.error.clone());
        }
        let connected = match timeout(shared.connect, self.introduce()).await {
            Ok(result) => result,
            Err(_) => Err(Error::Unavailable(format!(
                "{} did not answer within {} ms",
                shared.address,
                shared.connect.as_millis()
            ))),
        };
        let mut rest = shared.rest.lock();
        match &connected {
            Ok(_) => *rest = None,
            Err(error) => {
                let length = rest.as_ref().map_or(REST_MIN, |rest| (rest.length * 2).min(REST_MAX));
                *rest = Some(Rest { error: error.clone(), until: Instant::now() + length, length });
            }
        }
        connected
    }

    async fn introduce(&self) -> Result<TcpStream, Error> {
        let shared = &*self.shared;
        let unreachable =
            |error: std::io::Error| Error::Unavailable(format!("{} cannot be reached: {error}", shared.address));
        let mut stream = TcpStream::connect(&shared.address).await.map_err(unreachable)?;
        stream.set_nodelay(true).map_err(unreachable)?;
        greet(&mut stream, &shared.secret, shared.expected).await?;
        Ok(stream)
    }
}
