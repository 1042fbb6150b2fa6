//! Counts of requests, by route template.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
    time::Duration,
};

use base::Clock;
use http::{Method, StatusCode};
use metrics::{Counter, Gauge, Histogram};
use parking_lot::RwLock;

/// Hands out the metrics of a route; each is registered once and found again by a map look-up.
#[derive(Clone)]
pub(crate) struct Meters(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    /// By template, so that the look-up of every request needs no text of its own; then by method.
    routes: RwLock<HashMap<Box<str>, Arc<ByMethod>>>,
    panics: Counter,
}

/// Methods are the client's to invent, labels are not: what is not known counts as the last of these.
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "OTHER"];

/// The metrics of one route, in the order of [`METHODS`].
type ByMethod = [OnceLock<Arc<Route>>; METHODS.len()];

/// The metrics of one method on one route.
struct Route {
    /// One for each class of status, 1xx to 5xx.
    counts: [Counter; 5],
    seconds: Histogram,
    in_flight: Gauge,
    bytes_in: Counter,
    bytes_out: Counter,
}

impl Meters {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        metrics::describe_counter!(
            "http_requests_total",
            "requests answered, by route template, method and class of status"
        );
        metrics::describe_histogram!(
            "http_request_seconds",
            metrics::Unit::Seconds,
            "from a request's head to the last byte of its answer"
        );
        metrics::describe_gauge!("http_requests_in_flight", "requests being answered");
        metrics::describe_counter!("http_bytes_in_total", metrics::Unit::Bytes, "bytes of request bodies");
        metrics::describe_counter!("http_bytes_out_total", metrics::Unit::Bytes, "bytes of answer bodies");
        metrics::describe_counter!("panics_total", "handlers that panicked; each is a defect");
        let panics = metrics::counter!("panics_total");
        Self(Arc::new(Inner { clock, routes: RwLock::default(), panics }))
    }

    /// Begins to count a request. `template` is the route as it was registered, never the path that was asked for.
    pub(crate) fn begin(&self, method: &Method, template: &str) -> Meter {
        let route = self.route(method_label(method), template);
        route.in_flight.increment(1);
        Meter { clock: self.0.clock.clone(), began: self.0.clock.elapsed(), route, status: StatusCode::OK }
    }

    pub(crate) fn panicked(&self) {
        self.0.panics.increment(1);
    }

    fn route(&self, method: &'static str, template: &str) -> Arc<Route> {
        let place = METHODS.iter().position(|known| *known == method).unwrap_or(METHODS.len() - 1);
        let known = self.0.routes.read().get(template).cloned();
        let methods = known.unwrap_or_else(|| self.0.routes.write().entry(template.into()).or_default().clone());
        methods[place].get_or_init(|| Arc::new(Route::new(method, template))).clone()
    }
}

impl Route {
    fn new(method: &'static str, template: &str) -> Self {
        let labels = [("method", method.to_owned()), ("route", template.to_owned())];
        let count = |class: &'static str| metrics::counter!("http_requests_total", "method" => method, "route" => template.to_owned(), "status" => class);
        Self {
            counts: ["1xx", "2xx", "3xx", "4xx", "5xx"].map(count),
            seconds: metrics::histogram!("http_request_seconds", &labels),
            in_flight: metrics::gauge!("http_requests_in_flight", &labels),
            bytes_in: metrics::counter!("http_bytes_in_total", &labels),
            bytes_out: metrics::counter!("http_bytes_out_total", &labels),
        }
    }
}

/// A request being counted. Dropping it ends the count: with the answer's last byte, or when the client goes away.
pub(crate) struct Meter {
    clock: Arc<dyn Clock>,
    began: Duration,
    route: Arc<Route>,
    status: StatusCode,
}

impl Meter {
    pub(crate) fn answered(&mut self, status: StatusCode) {
        self.status = status;
    }

    /// A handle that counts bytes of the request's body, wherever that ends up.
    pub(crate) fn bytes_in(&self) -> Counter {
        self.route.bytes_in.clone()
    }

    pub(crate) fn sent(&self, bytes: u64) {
        self.route.bytes_out.increment(bytes);
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.clock.elapsed().saturating_sub(self.began)
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        let class = usize::from(self.status.as_u16() / 100).clamp(1, 5) - 1;
        self.route.counts[class].increment(1);
        self.route.seconds.record(self.elapsed());
        self.route.in_flight.decrement(1);
    }
}

/// The method as metrics and logs show it.
pub(crate) fn method_label(method: &Method) -> &'static str {
    METHODS.into_iter().find(|known| *known == method.as_str()).unwrap_or("OTHER")
}
