//! Traces cross the wire when the caller has one.

use std::sync::Arc;

use parking_lot::Mutex;
use proto::{Body, Parts, RemoteOptions, ServeOptions};

use crate::map::{Served, bytes, part, pieces};

#[tokio::test]
async fn the_callers_traceparent_reaches_the_nodes_hook() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let hook = seen.clone();
    let link = Arc::new(move |_: &tracing::Span, parent: &str| hook.lock().push(parent.to_owned()));
    let served = Served::start_with(ServeOptions { trace: Some(link), ..ServeOptions::default() }).await;

    let parent = Arc::new(Mutex::new(None));
    let current = parent.clone();
    let trace = Some(Arc::new(move || current.lock().clone()) as proto::TraceParent);
    let node = served.client_with(RemoteOptions { trace, ..RemoteOptions::default() });

    node.health().await.unwrap();
    node.put(part(1), Body::Whole(bytes(10, 1))).await.unwrap();
    assert!(seen.lock().is_empty());
    for (number, call) in ["small", "put", "get", "bad value\n"].into_iter().enumerate() {
        let traceparent =
            format!("00-{number:032x}-0000000000000001-01{}", if call.ends_with('\n') { "\n" } else { "" });
        *parent.lock() = Some(traceparent.clone());
        match call {
            "small" => drop(node.put(part(1), Body::Whole(bytes(10, 1))).await.unwrap()),
            "put" => drop(node.put(part(2), pieces(bytes(1 << 20, 1), 1 << 20)).await.unwrap()),
            "get" => drop(node.get(part(2), 0..1 << 20).await.unwrap().collect(1 << 20).await.unwrap()),
            _ => node.delete(&[part(2)]).await.unwrap(),
        }
        let expected = if call.ends_with('\n') { None } else { Some(traceparent) };
        assert_eq!(seen.lock().pop(), expected, "{call}");
    }
}
