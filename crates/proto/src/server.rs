//! Any [`Parts`] behind gRPC: accepts connections, lets those in that know the secret, and ends in good order.

use std::{convert::Infallible, sync::Arc, time::Duration};

use base::{NodeId, limits::MESSAGE_BYTES_MAX};
use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::body::Body;
use tower::Service;

use self::service::PartsService;
use crate::{
    ClusterSecret, Error, Parts, TraceLink, bulk,
    handshake::welcome,
    pb::node::parts_server::PartsServer,
    wire::{CONNECTION_WINDOW_BYTES, FRAME_BYTES, STREAM_WINDOW_BYTES},
};

mod service;
mod small;

/// Connections at most; further ones wait in the system's queue. A gateway has three.
const CONNECTIONS_MAX: usize = 1024;

/// Calls at once on one connection at most; the client's HTTP/2 holds back further ones.
const CALLS_MAX: u32 = 1024;

/// How long a connection may take to introduce itself.
const WELCOME: Duration = Duration::from_secs(5);

/// How long accepting rests after it failed, as it does when file descriptors run out.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// How a node is served.
#[derive(Clone)]
pub struct ServeOptions {
    /// How often a connection is probed, and how long the answer may take; a connection that fails this is closed, and
    /// what it was putting is dropped.
    pub keep_alive: Duration,
    /// How long calls may go on after the shutdown began.
    pub grace: Duration,
    /// Connects spans to the traces of the callers.
    pub trace: Option<TraceLink>,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self { keep_alive: Duration::from_secs(5), grace: Duration::from_secs(10), trace: None }
    }
}

/// Serves `parts` to all who know the secret, until `shutdown` ends. Then it takes no more calls, and returns when those
/// under way have ended or [`ServeOptions::grace`] has passed.
///
/// Dropping the future cuts all connections at once.
///
/// # Errors
/// That of [`Parts::health`] at the start, which says which node this is.
pub async fn serve(
    listener: TcpListener,
    parts: Arc<dyn Parts>,
    secret: ClusterSecret,
    options: ServeOptions,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    let node = parts.health().await?.node;
    let tasks = Tasks { tracker: TaskTracker::new(), cut: CancellationToken::new() };
    let _cut = tasks.cut.clone().drop_guard();
    let closing = CancellationToken::new();
    let service = PartsService::new(parts, options.trace.clone(), closing.clone());
    let others = PartsServer::new(service.clone())
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let calls = Calls { service, others };
    let door = Door { node, secret, keep_alive: options.keep_alive, calls, tasks: tasks.clone(), closing };

    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < CONNECTIONS_MAX => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(door.clone().serve(stream));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(ACCEPT_REST).await;
                }
            },
        }
    }

    drop(listener);
    door.closing.cancel();
    tasks.tracker.close();
    let calm = async {
        while connections.join_next().await.is_some() {}
        tasks.tracker.wait().await;
    };
    if timeout(options.grace, calm).await.is_err() {
        tracing::warn!("calls that had not ended in time were cut off at shutdown");
        tasks.cut.cancel();
        connections.shutdown().await;
        tasks.tracker.wait().await;
    }
    Ok(())
}

/// What a new connection meets.
#[derive(Clone)]
struct Door {
    node: NodeId,
    secret: ClusterSecret,
    keep_alive: Duration,
    calls: Calls,
    tasks: Tasks,
    closing: CancellationToken,
}

impl Door {
    async fn serve(self, mut stream: TcpStream) {
        let welcomed = tokio::select! {
            welcomed = timeout(WELCOME, welcome(&mut stream, &self.secret, self.node)) => welcomed,
            () = self.closing.cancelled() => return,
        };
        let peer = stream.peer_addr().map_or_else(|_| "?".into(), |peer| peer.to_string());
        match welcomed {
            Ok(Ok(())) => {}
            Ok(Err(Error::Unauthenticated)) => {
                tracing::warn!(peer, "refused a connection that does not know the cluster secret");
                return;
            }
            // Port checks of load balancers and the like.
            Ok(Err(error)) => return tracing::debug!(peer, %error, "a connection did not introduce itself"),
            Err(_) => return tracing::debug!(peer, "a connection said nothing"),
        }
        if let Err(error) = stream.set_nodelay(true) {
            return tracing::debug!(peer, %error, "a connection was gone before its first call");
        }
        let connection = http2::Builder::new(self.tasks)
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_frame_size(FRAME_BYTES)
            .max_concurrent_streams(CALLS_MAX)
            .keep_alive_interval(self.keep_alive)
            .keep_alive_timeout(self.keep_alive)
            .serve_connection(TokioIo::new(stream), service_fn(move |request| self.calls.clone().answer(request)));
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.closing.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(peer, %error, "a connection broke");
        }
    }
}

/// Where a call goes.
#[derive(Clone)]
struct Calls {
    service: PartsService,
    /// All but those of [`bulk`].
    others: PartsServer<PartsService>,
}

impl Calls {
    async fn answer(mut self, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        match request.uri().path() {
            bulk::PUT => Ok(self.service.put(request).await),
            bulk::GET => Ok(self.service.get(request).await),
            _ => self.others.call(request).await,
        }
    }
}

/// Runs what hyper wants to run beside a connection (one task a call), so that nothing outlives the server.
#[derive(Clone)]
struct Tasks {
    tracker: TaskTracker,
    cut: CancellationToken,
}

impl<F> hyper::rt::Executor<F> for Tasks
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, task: F) {
        let cut = self.cut.clone();
        self.tracker.spawn(async move {
            cut.run_until_cancelled_owned(task).await;
        });
    }
}
