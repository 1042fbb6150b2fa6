//! Counts of requests, by route template.

use std::{collections::HashMap, sync::Arc, time::Duration};

use base::Clock;
use http::{Method, StatusCode};
use metrics::{Counter, Gauge, Histogram};
use parking_lot::RwLock;

/// Hands out the metrics of a route; each is registered once and found again by a map look-up.
#[derive(Clone)]
pub(crate) struct Meters(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    routes: RwLock<HashMap<(&'static str, Arc<str>), Arc<Route>>>,
    panics: Counter,
}

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
        metrics::describe_counter!("http_requests_total", "requests answered, by route template, method and class of status");
        metrics::describe_histogram!("http_request_seconds", metrics::Unit::Seconds, "from a request's head to the last byte of its answer");
        metrics::describe_gauge!("http_requests_in_flight", "requests being answered");
        metrics::describe_counter!("http_bytes_in_total", metrics::Unit::Bytes, "bytes of request bodies");
        metrics::describe_counter!("http_bytes_out_total", metrics::Unit::Bytes, "bytes of answer bodies");
        metrics::describe_counter!("panics_total", "handlers that panicked; each is a defect");
        let panics = metrics::counter!("panics_total");
        Self(Arc::new(Inner { clock, routes: RwLock::default(), panics }))
    }

    /// Begins to count a request. `template` is the route as it was registered, never the path that was asked for.
    pub(crate) fn begin(&self, method: &Method, template: &Arc<str>) -> Meter {
        let route = self.route(method_label(method), template);
        route.in_flight.increment(1);
        Meter { clock: self.0.clock.clone(), began: self.0.clock.elapsed(), route, status: StatusCode::OK }
    }

    pub(crate) fn panicked(&self) {
        self.0.panics.increment(1);
    }

    fn route(&self, method: &'static str, template: &Arc<str>) -> Arc<Route> {
        let key = (method, template.clone());
        if let Some(route) = self.0.routes.read().get(&key) {
            return route.clone();
        }
        self.0.routes.write().entry(key).or_insert_with(|| Arc::new(Route::new(method, template))).clone()
    }
}

impl Route {
    fn new(method: &'static str, template: &Arc<str>) -> Self {
        let labels = [("method", method.to_owned()), ("route", template.to_string())];
        let count = |class: &'static str| {
            metrics::counter!("http_requests_total", "method" => method, "route" => template.to_string(), "status" => class)
        };
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

/// Methods are the client's to invent, labels are not.
pub(crate) fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}
