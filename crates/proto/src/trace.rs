//! How a trace crosses the wire: as W3C `traceparent`, which this crate carries and does not interpret.

use std::sync::Arc;

use base::PartId;
use tonic::{Extensions, Request, metadata::MetadataMap};
use tracing::{Span, info_span};

/// Gives the `traceparent` of what the caller is doing now, if that is traced.
pub type TraceParent = Arc<dyn Fn() -> Option<String> + Send + Sync>;

/// Makes a span of the server a child of the `traceparent` that came with the call.
pub type TraceLink = Arc<dyn Fn(&Span, &str) + Send + Sync>;

/// <https://www.w3.org/TR/trace-context/#traceparent-header>
const KEY: &str = "traceparent";

pub(crate) fn request<T>(message: T, parent: Option<&TraceParent>) -> Request<T> {
    Request::from_parts(metadata(parent), Extensions::default(), message)
}

pub(crate) fn metadata(parent: Option<&TraceParent>) -> MetadataMap {
    let mut metadata = MetadataMap::new();
    if let Some(parent) = parent.and_then(|parent| parent())
        && let Ok(value) = parent.parse()
    {
        metadata.insert(KEY, value);
    }
    metadata
}

/// The span of a call that came with this metadata. `otel.name` is the name under which exporters show it.
pub(crate) fn span(name: &'static str, part: Option<PartId>, metadata: &MetadataMap, link: Option<&TraceLink>) -> Span {
    let parent = metadata.get(KEY).and_then(|value| value.to_str().ok());
    let part = part.map(tracing::field::display);
    let span = info_span!("parts", otel.name = name, part, traceparent = parent);
    if let (Some(link), Some(parent)) = (link, parent) {
        link(&span, parent);
    }
    span
}

/// The span of a batch of small calls, of which one is traced.
pub(crate) fn batch_span(calls: usize, parent: &str, link: Option<&TraceLink>) -> Span {
    let span = info_span!("parts", otel.name = "parts.small", calls, traceparent = parent);
    if let Some(link) = link {
        link(&span, parent);
    }
    span
}
