//! The router's state: handles to what does the work, and the options of the edge.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use accounts::Accounts;
use axum::{Router, extract::ConnectInfo, extract::FromRequestParts};
use base::{Clock, ErrorKind, limits};
use bus::Jobs;
use drive::{Admin, Drive, Links};
use files::Cluster;
use futures::future::BoxFuture;
use http::request::Parts;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    cors::Origins,
    docs,
    edge::Edge,
    error::Problem,
    health,
    limits::{Gate, Network, client_address},
    listings::{Listings, SharedListings},
    live,
    meter::Meters,
    openapi, rest,
    trace::OnSpan,
    tus, web,
};

/// Handles to the parts of the system that requests are passed on to.
pub struct State {
    /// People and their sessions.
    pub accounts: Accounts,
    /// Folders, files and uploads.
    pub drive: Drive,
    /// Storage servers, for administrators.
    pub cluster: Cluster,
    /// Background work, for administrators.
    pub jobs: Jobs,
    /// For durations and for what is shown.
    pub clock: Arc<dyn Clock>,
    /// What `/readyz` and `/metrics` ask.
    pub watch: Watch,
}

/// What the process says of itself.
pub struct Watch {
    /// Why the process cannot serve now, one sentence each; nothing if it can.
    pub ready: Arc<dyn Fn() -> BoxFuture<'static, Vec<String>> + Send + Sync>,
    /// All metrics in the text form of Prometheus.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// Cancelled when the process begins to stop: what never ends by itself, ends then.
    pub stopping: CancellationToken,
}

/// What may be set at the edge.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bytes of one file.
    pub file_bytes_max: u64,
    /// Time for which a client may send nothing in the middle of a body.
    pub body_idle: Duration,
    /// Requests being answered at once; one more is refused with `overloaded`.
    pub requests_max: usize,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Whether people reach the server by TLS, so that cookies need not go another way.
    pub has_tls: bool,
    /// Other web origins that may use the API from a browser.
    pub origins: Origins,
    /// What pages of listings are shared through with other gateways.
    pub shared_listings: Option<Arc<dyn SharedListings>>,
    /// Called with each new request span, so that the binary can tie it to the client's trace.
    pub on_span: Option<OnSpan>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            file_bytes_max: limits::FILE_BYTES_MAX,
            body_idle: Duration::from_secs(60),
            requests_max: 4096,
            trusted_proxies: Vec::new(),
            has_tls: false,
            origins: Origins::Own,
            shared_listings: None,
            on_span: None,
        }
    }
}

/// State and options together, as handlers see them.
pub(crate) struct App {
    pub(crate) state: State,
    pub(crate) options: Options,
    pub(crate) links: Links,
    pub(crate) admin: Admin,
    pub(crate) feeds: live::Feeds,
    pub(crate) listings: Listings,
}

/// Everything that is served, ready to be given to [`crate::serve()`].
pub fn router(state: State, options: Options) -> Router {
    let edge = Edge::new(
        Meters::new(state.clock.clone()),
        Gate::new(options.requests_max),
        options.origins.clone(),
        options.on_span,
    );
    let links = Links::new(state.drive.clone(), state.accounts.clone());
    let listings = Listings::new(options.shared_listings.clone());
    let admin = Admin::new(state.drive.clone(), state.accounts.clone());
    let app = Arc::new(App { state, options, links, admin, feeds: live::Feeds::default(), listings });
    let (routes, description) = api().split_for_parts();
    routes
        .merge(openapi::route(&description))
        .merge(docs::routes())
        .merge(health::routes())
        .merge(live::routes())
        .fallback(web::answer)
        .method_not_allowed_fallback(async || {
            Problem::new(
                ErrorKind::Invalid,
                "method-not-allowed",
                "This address does not know the method; `Allow` lists what it knows.",
            )
        })
        .layer(edge)
        .with_state(app)
}

/// The calls of the API with their description.
pub(crate) fn api() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(openapi::frame()).merge(rest::routes()).merge(tus::routes())
}

/// The address of the client, as the trusted proxies report it.
pub(crate) struct ClientAddress(pub(crate) std::net::IpAddr);

impl FromRequestParts<Arc<App>> for ClientAddress {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        // Only a caller that skips the accept loop has no peer; such callers share one address.
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map_or(([0, 0, 0, 0], 0).into(), |info| info.0);
        Ok(Self(client_address(peer, &parts.headers, &app.options.trusted_proxies)))
    }
}
