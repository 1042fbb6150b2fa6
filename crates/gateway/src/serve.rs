//! The accept loop: HTTP/1.1 and HTTP/2 on one port, bounded, and shut down without cutting answers short.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::ConnectInfo};
use futures::{FutureExt, future::BoxFuture};
use http::Request;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::{JoinError, JoinSet},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tower::Service as _;

use crate::{
    socket::{Socket, linger},
    unread::Unread,
};

/// Bounds on connections.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Connections at once; more wait in the kernel's queue until one ends.
    pub connections_max: usize,
    /// Time for the first bytes of a connection.
    pub opening: Duration,
    /// Time for the head of a request, and for which an idle connection is kept. Longer than proxies keep theirs
    /// (90 s is common), so that it is the proxy that closes and no request meets a closing connection.
    pub head: Duration,
    /// Time for which a client may refuse to take bytes of an answer.
    pub stall: Duration,
    /// Time that open requests have to finish at a shutdown; what is left then is cut.
    pub grace: Duration,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            connections_max: 10_000,
            opening: Duration::from_secs(30),
            head: Duration::from_secs(100),
            stall: Duration::from_secs(60),
            grace: Duration::from_secs(10),
        }
    }
}

/// Serves the router on the listener until `shutdown`, then lets open requests finish within [`ServeOptions::grace`].
pub async fn serve(listener: TcpListener, router: Router, options: ServeOptions, shutdown: CancellationToken) {
    let http = Arc::new(protocols(&options));
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(options.connections_max));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = accept(&listener, &places) => accepted,
        };
        while let Some(ended) = connections.try_join_next() {
            report(ended);
        }
        let (stream, peer, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_about_one_client(&error) => continue,
            Err(error) => {
                // Out of descriptors, most likely: some must be closed before another accept can succeed.
                tracing::warn!(%error, "cannot accept connections now");
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // Answers are written whole; waiting for more would only delay their tails.
        if stream.set_nodelay(true).is_err() {
            continue;
        }
        let (socket, returned) = Socket::new(stream, options.opening, options.stall);
        let client = Client { router: router.clone(), peer };
        let (http, watcher) = (http.clone(), graceful.watcher());
        connections.spawn(async move {
            let connection = http.serve_connection_with_upgrades(TokioIo::new(socket), client).into_owned();
            if let Err(error) = watcher.watch(connection).await {
                tracing::debug!(%error, "a connection ended early");
            }
            if let Ok(stream) = returned.await {
                linger(stream).await;
            }
            drop(place);
        });
    }
    drop(listener);
    let finished = async {
        graceful.shutdown().await;
        while let Some(ended) = connections.join_next().await {
            report(ended);
        }
    };
    if timeout(options.grace, finished).await.is_err() {
        tracing::warn!(connections = connections.len(), "cut connections whose requests did not finish in time");
        connections.shutdown().await;
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, place))
}

fn protocols(options: &ServeOptions) -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(options.head);
    http.http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(20))
        .max_concurrent_streams(256)
        .max_header_list_size(64 << 10)
        // A megabyte for one stream and four for all keep a fast upload running over a distance of 30 ms.
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .max_send_buf_size(1 << 20);
    http
}

/// Errors of `accept` that concern only the client that was about to connect.
fn is_about_one_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        metrics::counter!("panics_total").increment(1);
        tracing::error!(%error, "a connection panicked");
    }
}

/// The router as one connection sees it: each request knows its peer.
#[derive(Clone)]
struct Client {
    router: Router,
    peer: SocketAddr,
}

impl hyper::service::Service<Request<hyper::body::Incoming>> for Client {
    type Response = axum::response::Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn call(&self, request: Request<hyper::body::Incoming>) -> Self::Future {
        let (mut request, unread) = Unread::watch(request);
        request.extensions_mut().insert(ConnectInfo(self.peer));
        let answer = self.router.clone().call(request);
        async move {
            let mut answer = answer.await?;
            if let Some(unread) = unread {
                unread.settle(answer.headers_mut()).await;
            }
            Ok(answer)
        }
        .boxed()
    }
}
