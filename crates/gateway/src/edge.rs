//! The one layer around every route: trace id, span, metrics, panics, problem documents, security headers.
//!
//! One layer instead of a stack of small ones, since each layer of a router costs every request a boxed future.

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    extract::{MatchedPath, Request},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use http::{HeaderName, HeaderValue, header};
use http_body::{Body as _, Frame, SizeHint};
use metrics::Counter;
use tower::{Layer, Service};
use tracing::{Instrument, Span, field};

use base::ErrorKind;

use crate::{
    cors::Origins,
    error::Problem,
    limits::{Gate, Place},
    meter::{Meter, Meters, method_label},
    trace::{OnSpan, Trace},
};

/// Answers at most this long that are already whole in memory are counted at once instead of through a wrapper.
const SMALL_ANSWER_BYTES: u64 = 64 << 10;

/// The template of requests that no route knows.
const UNMATCHED: &str = "unmatched";

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// Wraps each route in [`Guarded`].
#[derive(Clone)]
pub(crate) struct Edge(Arc<Inner>);

struct Inner {
    meters: Meters,
    gate: Gate,
    origins: Origins,
    on_span: Option<OnSpan>,
}

impl Edge {
    pub(crate) fn new(meters: Meters, gate: Gate, origins: Origins, on_span: Option<OnSpan>) -> Self {
        Self(Arc::new(Inner { meters, gate, origins, on_span }))
    }
}

impl<S> Layer<S> for Edge {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { edge: self.clone(), inner }
    }
}

/// A route with the edge around it.
#[derive(Clone)]
pub(crate) struct Guarded<S> {
    edge: Edge,
    inner: S,
}

impl<S> Service<Request> for Guarded<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let edge = self.edge.0.clone();
        let trace = Trace::of(request.headers());
        // The route as it was registered, never the path that was asked for: that has ids, and anything at all.
        let template = request.extensions().get::<MatchedPath>().map_or(UNMATCHED, MatchedPath::as_str);
        let mut meter = edge.meters.begin(request.method(), template);
        let span = tracing::info_span!(
            "request",
            otel.kind = "server",
            otel.name = %format_args!("{} {template}", method_label(request.method())),
            method = method_label(request.method()),
            route = template,
            trace_id = field::Empty,
            status = field::Empty,
            seconds = field::Empty,
        );
        let trace = match edge.on_span.and_then(|on_span| on_span(&span, &trace)) {
            Some(id) => Trace { id, ..trace },
            None => trace,
        };
        let id = trace.text();
        span.record("trace_id", id.as_str());
        let cross_origin = edge.origins.admit(request.method(), request.headers());
        let place = edge.gate.enter();
        // A panic while the handler's future is made is caught below as well as one while it runs.
        let handled = place.is_some().then(|| {
            let request = count_in(request, &meter);
            std::panic::catch_unwind(AssertUnwindSafe(|| self.inner.call(request)))
        });
        let answered = async move {
            let mut response = match handled {
                None => overloaded().into_response(),
                Some(Err(panic)) => panicked(&edge.meters, panic.as_ref()).into_response(),
                Some(Ok(handling)) => match AssertUnwindSafe(handling).catch_unwind().await {
                    Ok(Ok(response)) => response,
                    Ok(Err(never)) => match never {},
                    Err(panic) => panicked(&edge.meters, panic.as_ref()).into_response(),
                },
            };
            if let Some(problem) = response.extensions_mut().remove::<Problem>() {
                log(&problem);
                write_problem(&mut response, &problem, id.as_str());
            }
            if let Some(cross_origin) = cross_origin {
                cross_origin.finish(&mut response);
            }
            harden(&mut response);
            let request_id = HeaderValue::from_str(id.as_str()).expect("hexadecimal digits make a header");
            response.headers_mut().insert(REQUEST_ID, request_id);
            meter.answered(response.status());
            let span = Span::current();
            span.record("status", response.status().as_u16());
            span.record("seconds", meter.elapsed().as_secs_f64());
            tracing::debug!("answered");
            Ok(count_out(response, meter, place, span))
        };
        answered.instrument(span).boxed()
    }
}

fn overloaded() -> Problem {
    Problem::new(ErrorKind::Unavailable, "overloaded", "Too many requests are being answered now.")
        .with(header::RETRY_AFTER, HeaderValue::from_static("1"))
}

fn panicked(meters: &Meters, panic: &(dyn std::any::Any + Send)) -> Problem {
    meters.panicked();
    let message = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Problem::internal(std::io::Error::other(format!("a handler panicked: {}", message.unwrap_or("no message"))))
}

/// The one place where a refusal is logged: ours as errors with their causes, the clients' for whoever looks closely.
fn log(problem: &Problem) {
    let code = problem.code();
    match problem.chain() {
        Some(chain) if problem.status().is_server_error() => tracing::error!(code, cause = %chain, "request failed"),
        _ if problem.status().is_server_error() => tracing::warn!(code, "request refused"),
        _ => tracing::debug!(code, "request refused"),
    }
}

fn write_problem(response: &mut Response, problem: &Problem, id: &str) {
    let body = problem.body(id);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CONTENT_LENGTH, body.len().into());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    *response.body_mut() = body.into();
}

/// What every answer says to browsers, unless its handler said something of its own.
fn harden(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-store"));
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
}

fn count_in(request: Request, meter: &Meter) -> Request {
    if request.body().is_end_stream() {
        return request;
    }
    request.map(|body| Body::new(CountedIn { body, bytes: meter.bytes_in() }))
}

fn count_out(response: Response, meter: Meter, place: Option<Place>, span: Span) -> Response {
    match response.body().size_hint().exact() {
        Some(bytes) if bytes <= SMALL_ANSWER_BYTES => {
            meter.sent(bytes);
            response
        }
        _ => response.map(|body| Body::new(CountedOut { body, meter, span, _place: place })),
    }
}

/// A request's body that counts what comes in.
struct CountedIn {
    body: Body,
    bytes: Counter,
}

impl http_body::Body for CountedIn {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            self.bytes.increment(data.len() as u64);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer's body that counts what goes out, and keeps the request open until the last byte has gone.
struct CountedOut {
    body: Body,
    meter: Meter,
    span: Span,
    _place: Option<Place>,
}

impl http_body::Body for CountedOut {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let _entered = this.span.enter();
        let polled = Pin::new(&mut this.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            this.meter.sent(data.len() as u64);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, routing::get};
    use base::{Clock, Time};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    struct Still;

    impl Clock for Still {
        fn now(&self) -> Time {
            Time::from_micros(0)
        }

        fn elapsed(&self) -> std::time::Duration {
            std::time::Duration::ZERO
        }
    }

    fn routed(router: Router) -> Router {
        router.layer(Edge::new(Meters::new(Arc::new(Still)), Gate::new(1), Origins::Own, None))
    }

    async fn ask(router: Router, path: &str) -> (http::response::Parts, Bytes) {
        let request = Request::builder().uri(path).body(Body::empty()).expect("a request");
        let Ok(response) = router.oneshot(request).await;
        let (parts, body) = response.into_parts();
        (parts, body.collect().await.expect("a body").to_bytes())
    }

    async fn panics() -> &'static str {
        panic!("a secret of ours")
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_and_says_nothing() {
        let router = routed(Router::new().route("/panic", get(panics)).route("/fine", get(async || "fine")));
        let (parts, body) = ask(router.clone(), "/panic").await;
        assert_eq!(parts.status, 500);
        let problem: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(problem["code"], "internal");
        assert_eq!(problem["request_id"].as_str(), parts.headers["request-id"].to_str().ok());
        assert!(!String::from_utf8_lossy(&body).contains("secret"));
        // The place of the request that panicked is free again.
        assert_eq!(ask(router, "/fine").await.0.status, 200);
    }

    #[tokio::test]
    async fn answers_are_hardened_unless_they_say_otherwise() {
        let own = async || ([(header::CACHE_CONTROL, "no-cache")], "x");
        let router = routed(Router::new().route("/plain", get(async || "x")).route("/own", get(own)));
        let (plain, _) = ask(router.clone(), "/plain").await;
        assert_eq!(plain.headers["x-content-type-options"], "nosniff");
        assert_eq!(plain.headers["cache-control"], "private, no-store");
        assert_eq!(ask(router, "/own").await.0.headers["cache-control"], "no-cache");
    }

    #[tokio::test]
    async fn a_long_answer_keeps_its_place() {
        let long = async || Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
        let router = routed(Router::new().route("/long", get(long)).route("/fine", get(async || "fine")));
        let request = Request::builder().uri("/long").body(Body::empty()).expect("a request");
        let Ok(open) = router.clone().oneshot(request).await;
        assert_eq!(ask(router.clone(), "/fine").await.0.status, 503);
        drop(open);
        assert_eq!(ask(router, "/fine").await.0.status, 200);
    }
}
