//! Who may talk to whom.

use base::NodeId;
use proto::{Body, Error, Parts, RemoteParts};

use crate::map::{NODE, Served, bytes, part, quick, secret};

#[tokio::test]
async fn a_wrong_secret_opens_nothing() {
    let served = Served::start().await;
    let node = RemoteParts::connect_lazy(&served.address.to_string(), Some(NODE), &secret("two"), quick());
    assert!(matches!(node.health().await, Err(Error::Unauthenticated)));
    let put = node.put(part(1), Body::Whole(bytes(100, 1))).await;
    assert!(matches!(put, Err(Error::Unauthenticated)), "{put:?}");
    let put = node.put(part(1), Body::Whole(bytes(1 << 20, 1))).await;
    assert!(matches!(put, Err(Error::Unauthenticated)), "{put:?}");
    let get = node.get(part(1), 0..1 << 20).await;
    assert!(matches!(get, Err(Error::Unauthenticated)), "{get:?}");
    assert!(served.map.parts.lock().is_empty());
    served.client().health().await.unwrap();
}

#[tokio::test]
async fn another_node_at_the_address_gets_nothing() {
    let served = Served::start().await;
    let other = NodeId::from_bytes([9; 16]);
    let node = RemoteParts::connect_lazy(&served.address.to_string(), Some(other), &secret("one"), quick());
    for body in [bytes(100, 1), bytes(1 << 20, 1)] {
        let put = node.put(part(1), Body::Whole(body)).await;
        assert!(matches!(&put, Err(Error::Invalid(why)) if why.contains("another node answers")), "{put:?}");
    }
    assert!(served.map.parts.lock().is_empty());
    let anyone = RemoteParts::connect_lazy(&served.address.to_string(), None, &secret("one"), quick());
    assert_eq!(anyone.health().await.unwrap().node, NODE);
}

#[tokio::test]
async fn plain_grpc_and_http_are_not_answered() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let served = Served::start().await;
    for opening in
        [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"[..], b"GET /metrics HTTP/1.1\r\nhost: node\r\n\r\n"]
    {
        let mut stream = tokio::net::TcpStream::connect(served.address).await.unwrap();
        stream.write_all(opening).await.unwrap();
        let mut answer = Vec::new();
        // Closed, or reset because part of the opening was not read.
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.is_empty());
    }
}
