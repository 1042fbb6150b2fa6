//! Counters of calls, one set per method and side, looked up once instead of at each call.

use metrics::{Counter, Histogram, counter, histogram};
use tokio::time::Instant;

use crate::Error;

/// Which side of the wire counts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Side {
    Client,
    Server,
}

impl Side {
    fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

/// The figures of one method.
#[derive(Clone)]
pub(crate) struct Meter {
    side: &'static str,
    method: &'static str,
    calls: Counter,
    seconds: Histogram,
    bytes: Counter,
}

impl Meter {
    fn new(side: Side, method: &'static str) -> Self {
        let side = side.as_str();
        Self {
            side,
            method,
            calls: counter!("holdfast_parts_calls_total", "side" => side, "method" => method),
            seconds: histogram!("holdfast_parts_seconds", "side" => side, "method" => method),
            bytes: counter!("holdfast_parts_bytes_total", "side" => side, "method" => method),
        }
    }

    /// Runs a call, counts it, its time until the result is known, and its error.
    pub(crate) async fn observe<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let began = Instant::now();
        let result = call.await;
        self.calls.increment(1);
        self.seconds.record(began.elapsed());
        if let Err(error) = &result {
            self.failed(error);
        }
        result
    }

    /// Counts an error that comes after the call's result, within a stream.
    pub(crate) fn failed(&self, error: &Error) {
        let kind = error.kind().as_str();
        counter!("holdfast_parts_errors_total", "side" => self.side, "method" => self.method, "kind" => kind)
            .increment(1);
    }

    /// Counts payload bytes.
    pub(crate) fn moved(&self, bytes: usize) {
        self.bytes.increment(bytes as u64);
    }
}

/// The figures of one side.
#[derive(Clone)]
pub(crate) struct Meters {
    pub(crate) put: Meter,
    pub(crate) get: Meter,
    pub(crate) small_put: Meter,
    pub(crate) small_get: Meter,
    pub(crate) delete: Meter,
    pub(crate) list: Meter,
    pub(crate) verify: Meter,
    pub(crate) health: Meter,
}

impl Meters {
    pub(crate) fn new(side: Side) -> Self {
        Self {
            put: Meter::new(side, "put"),
            get: Meter::new(side, "get"),
            small_put: Meter::new(side, "small-put"),
            small_get: Meter::new(side, "small-get"),
            delete: Meter::new(side, "delete"),
            list: Meter::new(side, "list"),
            verify: Meter::new(side, "verify"),
            health: Meter::new(side, "health"),
        }
    }
}
