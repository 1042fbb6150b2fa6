//! Traces as a collector sees them: one upload is one tree of spans, from the gateway to the nodes.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
    routing::post,
};
use hyper::body::Frame;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::harness::{Answer, Shape, World, bytes};

/// A span as it was exported.
#[derive(Debug, Clone, Default)]
struct Span {
    service: String,
    trace: String,
    id: String,
    parent: String,
    name: String,
}

type Seen = Arc<Mutex<Vec<Span>>>;

/// Receives OTLP over gRPC, on one address, for one service.
struct Collector {
    address: String,
    seen: Seen,
    _server: AbortOnDropHandle<()>,
}

impl Collector {
    async fn start() -> Self {
        let seen = Seen::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let router = Router::new()
            .route("/opentelemetry.proto.collector.trace.v1.TraceService/Export", post(export))
            .with_state(seen.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { address, seen, _server: AbortOnDropHandle::new(server) }
    }

    fn trace(&self, id: &str) -> Vec<Span> {
        self.seen.lock().expect("no panic holds it").iter().filter(|span| span.trace == id).cloned().collect()
    }
}

async fn export(State(seen): State<Seen>, request: Bytes) -> Response {
    // A gRPC message: a flag, four bytes of length, and the message.
    seen.lock().expect("no panic holds it").extend(spans(&request[5..]));
    let mut response = Response::new(Body::new(EmptyReply { step: 0 }));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

/// An empty message and the trailer that says that all is well.
struct EmptyReply {
    step: u8,
}

impl hyper::body::Body for EmptyReply {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.step += 1;
        Poll::Ready(match self.step {
            1 => Some(Ok(Frame::data(Bytes::from_static(&[0; 5])))),
            2 => {
                let well = (header::HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"));
                Some(Ok(Frame::trailers(HeaderMap::from_iter([well]))))
            }
            _ => None,
        })
    }
}

/// The fields of a protobuf message that have a length; numbers are passed over.
fn fields(mut message: &[u8]) -> Vec<(u64, &[u8])> {
    fn number(message: &mut &[u8]) -> u64 {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = message[0];
            *message = &message[1..];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        value
    }
    let mut found = Vec::new();
    while !message.is_empty() {
        let key = number(&mut message);
        match key & 7 {
            0 => drop(number(&mut message)),
            1 => message = &message[8..],
            5 => message = &message[4..],
            2 => {
                let length = number(&mut message) as usize;
                found.push((key >> 3, &message[..length]));
                message = &message[length..];
            }
            other => panic!("no protobuf: wire type {other}"),
        }
    }
    found
}

/// The spans of an `ExportTraceServiceRequest`, by the field numbers of opentelemetry/proto/trace/v1/trace.proto.
fn spans(request: &[u8]) -> Vec<Span> {
    let of = |message, wanted| fields(message).into_iter().filter(move |(field, _)| *field == wanted).map(|(_, it)| it);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut found = Vec::new();
    for resource_spans in of(request, 1) {
        let attributes = of(resource_spans, 1).flat_map(|resource| of(resource, 1).collect::<Vec<_>>());
        let service = attributes
            .filter(|pair| of(pair, 1).any(|key| key == b"service.name"))
            .find_map(|pair| of(pair, 2).flat_map(|value| of(value, 1).collect::<Vec<_>>()).next().map(text))
            .unwrap_or_default();
        for span in of(resource_spans, 2).flat_map(|scope_spans| of(scope_spans, 2).collect::<Vec<_>>()) {
            let mut read = Span { service: service.clone(), ..Span::default() };
            for (field, bytes) in fields(span) {
                match field {
                    1 => read.trace = hex(bytes),
                    2 => read.id = hex(bytes),
                    4 => read.parent = hex(bytes),
                    5 => read.name = text(bytes),
                    _ => {}
                }
            }
            found.push(read);
        }
    }
    found
}

/// Checks that all spans hang on one, and gives it.
#[track_caller]
fn root<'a>(trace: &'a [Span], above: &str) -> &'a Span {
    let by_id: HashMap<&str, &Span> = trace.iter().map(|span| (span.id.as_str(), span)).collect();
    let roots: Vec<_> = trace.iter().filter(|span| span.parent == above).collect();
    assert_eq!(roots.len(), 1, "{trace:#?}");
    for span in trace {
        let mut at = span;
        for _ in 0..trace.len() {
            match by_id.get(at.parent.as_str()) {
                Some(parent) => at = parent,
                None => break,
            }
        }
        assert_eq!(at.id, roots[0].id, "{span:?} hangs on nothing that was seen: {trace:#?}");
    }
    roots[0]
}

#[tokio::test(flavor = "multi_thread")]
async fn one_upload_is_one_trace_over_gateway_and_nodes() {
    let collector = Collector::start().await;
    let settings = format!(
        "[files]\nparity = 2\ninline_max = 0\n[log]\nformat = \"json\"\nlevel = \"info,gateway=debug\"\n[trace]\notlp = {:?}\n",
        collector.address
    );
    let mut world = World::start(Shape::Cluster, &settings).await;
    let admin = world.admin().await;
    let put = async |name: &str, length: usize, traceparent: Option<&str>| {
        let mut request = admin.request("POST", "/files").query(&[("name", name)]).body(bytes(1, length));
        if let Some(traceparent) = traceparent {
            request = request.header("traceparent", traceparent);
        }
        let answer = Answer::of(request).await;
        let trace = answer.header("request-id").to_owned();
        (answer.expect(201), trace)
    };
    let (entry, large) = put("large", 9 << 20, None).await;
    let (_, small) = put("small", 50_000, None).await;
    let (client, above) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let (_, joined) = put("joined", 9 << 20, Some(&format!("00-{client}-{above}-01"))).await;
    assert_eq!(joined, client, "the trace of the client is taken up");
    let answer = admin.get(&format!("/files/{}", entry["id"].as_str().expect("an id"))).await;
    let read = answer.header("request-id").to_owned();
    assert_eq!(answer.body.len(), 9 << 20);

    // Spans are sent in batches; the last ones when a process ends.
    for process in world.gateways.iter_mut().chain(&mut world.nodes) {
        process.terminate();
    }
    for (trace, above, name, call, least) in [
        (&large, "", "POST /api/v1/files", "parts.put", 8),
        (&small, "", "POST /api/v1/files", "parts.small", 6),
        (&joined, above, "POST /api/v1/files", "parts.put", 8),
        (&read, "", "GET /api/v1/files/{id}", "parts.get", 6),
    ] {
        let spans = collector.trace(trace);
        let root = root(&spans, above);
        assert_eq!((root.service.as_str(), root.name.as_str()), ("holdfast-gateway", name));
        let calls = spans.iter().filter(|span| span.service == "holdfast-node" && span.name == call).count();
        assert!(calls >= least, "{call}: {calls}: {spans:#?}");
    }
    // The same id is in the logs.
    let log = world.gateways[0].log();
    for trace in [&large, &small, &joined, &read] {
        assert!(log.lines().any(|line| line.contains(&format!("\"trace_id\":\"{trace}\""))), "{trace}");
    }
}
