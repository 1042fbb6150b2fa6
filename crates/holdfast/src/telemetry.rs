//! Logs, traces and metrics of the process.

use std::{collections::HashMap, io::IsTerminal, time::Duration};

use anyhow::Context;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use opentelemetry::{
    Context as TraceContext,
    propagation::TextMapPropagator,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, TracerProvider},
};
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tokio_util::sync::CancellationToken;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{Config, LogFormat};

/// What has to be kept while the process lives.
pub(crate) struct Telemetry {
    pub(crate) metrics: PrometheusHandle,
    traces: Option<SdkTracerProvider>,
}

/// How often [`upkeep`] is done.
const UPKEEP: Duration = Duration::from_secs(5);

/// Bounds of latency histograms, seconds: from a cached read to a patient client.
const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

impl Telemetry {
    /// Sets logs, traces and metrics up. To be called once.
    ///
    /// # Errors
    /// A log filter or an OTLP address that cannot be read.
    pub(crate) fn start(config: &Config, service: &str) -> anyhow::Result<Self> {
        let filter = EnvFilter::try_new(&config.log.level).context("the key log.level")?;
        let logs = match config.log.format {
            // Colours are for terminals; in a file they are noise.
            LogFormat::Text => tracing_subscriber::fmt::layer()
                .with_writer(std::io::stderr)
                .with_ansi(std::io::stderr().is_terminal())
                .with_target(false)
                .boxed(),
            LogFormat::Json => {
                tracing_subscriber::fmt::layer().with_writer(std::io::stderr).json().flatten_event(true).boxed()
            }
        };
        let traces = config.trace.otlp.as_deref().map(|address| exporter(address, service)).transpose()?;
        let spans = traces.as_ref().map(|provider| {
            tracing_opentelemetry::layer()
                .with_tracer(provider.tracer("holdfast"))
                .with_filter(tracing_subscriber::filter::LevelFilter::INFO)
        });
        tracing_subscriber::registry().with(logs.with_filter(filter)).with(spans).init();
        let metrics = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)?
            .install_recorder()
            .context("the metrics recorder")?;
        metrics::gauge!("holdfast_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        Ok(Self { metrics, traces })
    }

    /// Sends what spans are left.
    pub(crate) fn stop(&self) {
        if let Some(traces) = &self.traces
            && let Err(error) = traces.shutdown()
        {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}

/// Folds what histograms have gathered into their buckets. The exporter keeps every single observation in memory until
/// somebody asks for the metrics, which may be never.
pub(crate) async fn upkeep(metrics: PrometheusHandle, stop: CancellationToken) {
    while tokio::time::timeout(UPKEEP, stop.cancelled()).await.is_err() {
        metrics.run_upkeep();
    }
}

fn exporter(address: &str, service: &str) -> anyhow::Result<SdkTracerProvider> {
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_tonic()
        .with_endpoint(address)
        .build()
        .context("the key trace.otlp")?;
    let resource = Resource::builder().with_service_name(format!("holdfast-{service}")).build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

/// Ties a span to the trace that a `traceparent` names, so that the spans of all processes are one tree.
pub(crate) fn adopt(span: &tracing::Span, trace_id: u128, parent: u64, sampled: bool) {
    let flags = if sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
    let remote = SpanContext::new(
        TraceId::from_bytes(trace_id.to_be_bytes()),
        SpanId::from_bytes(parent.to_be_bytes()),
        flags,
        true,
        TraceState::default(),
    );
    // Without an OTLP layer there is nothing to tie to.
    let _ = span.set_parent(TraceContext::new().with_remote_span_context(remote));
}

/// Ties a span to the trace that another process of ours named in its call.
pub(crate) fn link(span: &tracing::Span, traceparent: &str) {
    let carrier = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    // Text that is no `traceparent` gives a context without a span, and the span begins a trace of its own.
    let _ = span.set_parent(TraceContextPropagator::new().extract_with_context(&TraceContext::new(), &carrier));
}

/// The trace that a span is in, where spans are exported.
pub(crate) fn trace_of(span: &tracing::Span) -> Option<u128> {
    let context = span.context();
    let span = context.span();
    let it = span.span_context();
    it.is_valid().then(|| u128::from_be_bytes(it.trace_id().to_bytes()))
}

/// The `traceparent` of the current span, for calls to other processes.
pub(crate) fn current() -> Option<String> {
    let context = tracing::Span::current().context();
    let span = context.span();
    let it = span.span_context();
    it.is_valid().then(|| format!("00-{}-{}-{:02x}", it.trace_id(), it.span_id(), it.trace_flags().to_u8()))
}
