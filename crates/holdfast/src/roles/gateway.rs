//! The role that speaks HTTP, and the small HTTP of workers.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use axum::{Json, Router, http::StatusCode, response::IntoResponse, routing::get};
use futures::FutureExt;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    cli::Role,
    roles::{System, shared},
    telemetry,
};

/// How long a readiness probe waits for the database.
const PROBE: Duration = Duration::from_secs(3);

/// Everything that the process serves over HTTP.
pub(crate) fn router(
    system: &System,
    metrics: PrometheusHandle,
    stopping: CancellationToken,
) -> anyhow::Result<Router> {
    let ready = readiness(system);
    let router = if system.config.has(Role::Gateway) {
        let state = gateway::State {
            accounts: system.accounts.clone(),
            drive: system.drive.clone(),
            cluster: system.cluster.clone(),
            jobs: system.jobs.clone(),
            clock: system.clock.clone(),
            watch: gateway::Watch {
                ready: Arc::new(move || ready().boxed()),
                metrics: Arc::new(move || metrics.render()),
                stopping,
            },
        };
        let options = gateway::Options {
            file_bytes_max: system.config.gateway.max_file.0,
            trusted_proxies: (system.config.gateway.trusted_proxies.iter())
                .map(|network| network.parse())
                .collect::<Result<_, _>>()
                .context("the key gateway.trusted_proxies")?,
            shared_listings: system.commons.clone().map(shared::listings),
            has_tls: system.config.gateway.public_url.as_ref().is_some_and(|url| url.starts_with("https:")),
            on_span: Some(adopt),
            ..gateway::Options::default()
        };
        gateway::router(state, options)
    } else {
        let ready = Arc::new(ready);
        Router::new()
            .route("/healthz", get(async || "ok\n"))
            .route(
                "/readyz",
                get(move || async move {
                    let reasons = ready().await;
                    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
                    (status, Json(serde_json::json!({ "ready": reasons.is_empty(), "reasons": reasons })))
                        .into_response()
                }),
            )
            .route("/metrics", get(move || async move { metrics.render() }))
    };
    Ok(match &system.door {
        Some(door) => door.mount(router),
        None => router,
    })
}

/// Serves until told to stop, then lets open requests finish.
pub(crate) async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    gateway::serve(listener, router, gateway::ServeOptions::default(), stop).await;
}

/// Why the process could not serve now.
fn readiness(
    system: &System,
) -> impl Fn() -> futures::future::BoxFuture<'static, Vec<String>> + Send + Sync + Clone + 'static {
    let (db, store) = (system.db.clone(), system.store.clone());
    move || {
        let (db, store) = (db.clone(), store.clone());
        async move {
            let mut reasons = Vec::new();
            match tokio::time::timeout(PROBE, db.check()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => reasons.push(format!("the database: {error}")),
                Err(_) => reasons.push("the database does not answer".into()),
            }
            if let Err(error) = store.can_write() {
                reasons.push(error.to_string());
            }
            reasons
        }
        .boxed()
    }
}

/// Ties a request's span to the trace of the client, and says which trace it is in now.
fn adopt(span: &tracing::Span, trace: &gateway::Trace) -> Option<u128> {
    if let Some(parent) = trace.parent {
        telemetry::adopt(span, trace.id, parent.span, parent.flags & 1 == 1);
    }
    telemetry::trace_of(span)
}
