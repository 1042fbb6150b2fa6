//! Real sockets: what a router alone cannot show.

use std::{net::SocketAddr, time::Duration};

use gateway::ServeOptions;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::world::{FILE_BYTES_MAX, World, bytes};

struct Server {
    world: World,
    address: SocketAddr,
    shutdown: CancellationToken,
    serving: JoinSet<()>,
}

impl Server {
    async fn start(options: ServeOptions) -> Self {
        let world = World::new().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let shutdown = CancellationToken::new();
        let mut serving = JoinSet::new();
        serving.spawn(gateway::serve(listener, world.router.clone(), options, shutdown.clone()));
        Self { world, address, shutdown, serving }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    /// The head of an upload with these further lines.
    fn head(&self, name: &str, lines: &str) -> String {
        let token = self.world.alice.token();
        format!("POST /api/v1/files?name={name} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n{lines}\r\n")
    }
}

/// Reads up to the end of a head.
async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("more of the head"));
    }
    String::from_utf8(head).expect("ASCII")
}

async fn read_all(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.expect("the end");
    String::from_utf8_lossy(&all).into_owned()
}

#[tokio::test]
async fn bodies_are_asked_for_only_when_they_are_wanted() {
    let server = Server::start(ServeOptions::default()).await;
    let mut good = server.connect().await;
    good.write_all(server.head("a", "Content-Length: 5\r\nExpect: 100-continue\r\n").as_bytes()).await.expect("sent");
    assert!(read_head(&mut good).await.starts_with("HTTP/1.1 100 "));
    good.write_all(b"12345").await.expect("sent");
    assert!(read_head(&mut good).await.starts_with("HTTP/1.1 201 "));

    let too_large = format!("Content-Length: {}\r\nExpect: 100-continue\r\n", FILE_BYTES_MAX + 1);
    for (lines, name, status) in [
        (too_large.as_str(), "b", "413"),
        ("Content-Length: 5\r\nExpect: 100-continue\r\n", "a", "409"),
        ("Content-Length: 5\r\nExpect: 100-continue\r\nContent-Digest: blake3=:x:\r\n", "b", "400"),
    ] {
        let mut refused = server.connect().await;
        refused.write_all(server.head(name, lines).as_bytes()).await.expect("sent");
        let answer = read_head(&mut refused).await.to_ascii_lowercase();
        assert!(answer.starts_with(&format!("http/1.1 {status} ")), "{lines}: {answer}");
        // Nobody can tell whether a body follows.
        assert!(answer.contains("connection: close\r\n"), "{lines}: {answer}");
    }
}

#[tokio::test]
async fn refusals_reach_clients_that_go_on_sending() {
    let server = Server::start(ServeOptions::default()).await;
    let mut client = server.connect().await;
    // The client does not wait and has most of the body in flight when it is refused.
    client.write_all(server.head("a%2Fb", "Content-Length: 500000\r\n").as_bytes()).await.expect("sent");
    client.write_all(&bytes(500_000)).await.expect("the server reads on");
    let answer = read_all(&mut client).await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("invalid-name"), "{answer}");
    assert!(answer.to_ascii_lowercase().contains("connection: close\r\n"), "{answer}");
}

#[tokio::test]
async fn connections_outlive_refusals_of_short_bodies() {
    let server = Server::start(ServeOptions::default()).await;
    let mut client = server.connect().await;
    // The bodies come after the refusal was made: the next request must not be taken for one of them.
    for length in [1, 60_000] {
        let head = server.head("a%2Fb", &format!("Content-Length: {length}\r\n"));
        client.write_all(head.as_bytes()).await.expect("sent");
        client.write_all(&bytes(length)).await.expect("sent");
        let head = read_head(&mut client).await.to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 400 ") && !head.contains("connection:"), "{head}");
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
        let mut body = vec![0; length.expect("a length").parse().expect("a number")];
        client.read_exact(&mut body).await.expect("the refusal");
    }
    client.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
    assert!(read_head(&mut client).await.starts_with("HTTP/1.1 200 "));

    // How long a body in chunks will be, nobody knows.
    let mut client = server.connect().await;
    client.write_all(server.head("a%2Fb", "Transfer-Encoding: chunked\r\n").as_bytes()).await.expect("sent");
    let head = read_head(&mut client).await.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 400 ") && head.contains("connection: close\r\n"), "{head}");

    // A short body that never comes holds the refusal up for a second at most, and the client is told that this was all.
    let mut client = server.connect().await;
    client.write_all(server.head("a%2Fb", "Content-Length: 5\r\n").as_bytes()).await.expect("sent");
    let head = read_head(&mut client).await.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 400 ") && head.contains("connection: close\r\n"), "{head}");
}

#[tokio::test]
async fn a_client_that_vanishes_leaves_nothing() {
    let server = Server::start(ServeOptions::default()).await;
    let mut client = server.connect().await;
    client.write_all(server.head("gone", "Content-Length: 100000\r\n").as_bytes()).await.expect("sent");
    client.write_all(&bytes(50_000)).await.expect("sent");
    drop(client);
    server.shutdown.cancel();
    server.serving.join_all().await;
    let page = server.world.alice.get(&format!("/api/v1/folders/{}/children", server.world.alice.root())).await.json();
    assert_eq!(page["items"], serde_json::json!([]));
    assert_eq!(server.world.alice.upload("name=gone", "here").await.len(), 36);
}

#[tokio::test]
async fn open_requests_finish_at_a_shutdown() {
    let server = Server::start(ServeOptions::default()).await;
    let mut client = server.connect().await;
    client
        .write_all(server.head("a", "Content-Length: 10\r\nExpect: 100-continue\r\n").as_bytes())
        .await
        .expect("sent");
    assert!(read_head(&mut client).await.starts_with("HTTP/1.1 100 "));
    let mut idle = server.connect().await;
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
    assert!(read_head(&mut idle).await.starts_with("HTTP/1.1 200 "));
    server.shutdown.cancel();
    // The connection that waits for its next request is closed at once.
    assert_eq!(read_all(&mut idle).await, "ok\n");
    client.write_all(b"1234567890").await.expect("sent");
    assert!(read_all(&mut client).await.starts_with("HTTP/1.1 201 "));
    server.serving.join_all().await;
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn requests_that_do_not_finish_are_cut() {
    let options = ServeOptions { grace: Duration::from_millis(50), ..ServeOptions::default() };
    let server = Server::start(options).await;
    let mut client = server.connect().await;
    client
        .write_all(server.head("a", "Content-Length: 10\r\nExpect: 100-continue\r\n").as_bytes())
        .await
        .expect("sent");
    assert!(read_head(&mut client).await.starts_with("HTTP/1.1 100 "));
    server.shutdown.cancel();
    server.serving.join_all().await;
    assert_eq!(read_all(&mut client).await, "");
}

#[tokio::test]
async fn silent_connections_are_closed() {
    let options = ServeOptions { opening: Duration::from_millis(50), ..ServeOptions::default() };
    let server = Server::start(options).await;
    for said in ["", "P", "PRI * HTTP/2.0\r\n"] {
        let mut client = server.connect().await;
        client.write_all(said.as_bytes()).await.expect("sent");
        assert_eq!(read_all(&mut client).await, "", "{said:?}");
    }
}

#[tokio::test]
async fn both_protocols_share_the_port() {
    let server = Server::start(ServeOptions::default()).await;
    let mut client = server.connect().await;
    // The preface of HTTP/2 and an empty SETTINGS frame; the server's own SETTINGS come first in return.
    client.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.expect("sent");
    let mut frame = [0; 9];
    client.read_exact(&mut frame).await.expect("a frame");
    assert_eq!(frame[3], 4);
    let mut client = server.connect().await;
    let request = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    client.write_all(format!("{request}{request}").as_bytes()).await.expect("sent");
    for _ in 0..2 {
        assert!(read_head(&mut client).await.starts_with("HTTP/1.1 200 "));
        let mut body = [0; 3];
        client.read_exact(&mut body).await.expect("the body");
    }
}

#[tokio::test]
async fn lengths_are_always_said() {
    let server = Server::start(ServeOptions::default()).await;
    let file = server.world.alice.upload("name=a", bytes(200_000)).await;
    let token = server.world.alice.token();
    for (method, length) in [("GET", 200_000), ("HEAD", 0)] {
        let mut client = server.connect().await;
        let request = format!(
            "{method} /api/v1/files/{file} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        );
        client.write_all(request.as_bytes()).await.expect("sent");
        let head = read_head(&mut client).await.to_ascii_lowercase();
        assert!(head.contains("content-length: 200000\r\n") && !head.contains("transfer-encoding"), "{head}");
        let mut body = Vec::new();
        client.read_to_end(&mut body).await.expect("the end");
        assert_eq!(body.len(), length);
    }
}
