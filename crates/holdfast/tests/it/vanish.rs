//! Clients that go away in the middle, or hardly move: nothing of them may stay, and nobody else may suffer.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    harness::{Answer, Shape, User, World, bytes, eventually},
    load::{SETTINGS, check},
};

/// A request by hand, of which the head was sent.
async fn begin(user: &User, method: &str, path: &str, headers: &str) -> TcpStream {
    let host = user.url.strip_prefix("http://").expect("plain HTTP");
    let mut stream = TcpStream::connect(host).await.expect("the server accepts");
    let head = format!(
        "{method} /api/v1{path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\n{headers}\r\n",
        user.token
    );
    stream.write_all(head.as_bytes()).await.expect("the head is taken");
    stream
}

/// Sends what the server takes within a moment; it need not take all.
async fn send(stream: &mut TcpStream, bytes: &[u8]) {
    let _ = tokio::time::timeout(Duration::from_millis(500), stream.write_all(bytes)).await;
}

/// Goes away: with a reset, as a machine that crashed and came back, or with an ordinary end.
fn leave(stream: TcpStream, reset: bool) {
    if reset {
        stream.set_zero_linger().expect("a socket");
    }
    drop(stream);
}

/// A figure of `/metrics`.
async fn figure(user: &User, name: &str) -> Option<f64> {
    let text = user.http.get(format!("{}/metrics", user.url)).send().await.ok()?.text().await.ok()?;
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

const IN_FLIGHT: &str = "holdfast_transfer_bytes_in_flight ";

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_vanish_leave_nothing() {
    let settings = format!("{SETTINGS}parity = 2\nin_flight = \"96 MiB\"\n");
    let world = World::start(Shape::Single, &settings).await;
    let user = world.admin().await;
    let large = bytes(1, 30 << 20);
    let entry = user.upload("large", large.clone()).await;
    let id = entry["id"].as_str().expect("an id").to_owned();
    let piece = bytes(2, 3 << 20);
    let mut uploads = Vec::new();
    for round in 0..8 {
        let reset = round % 2 == 0;
        // Known length, more than a stripe and less.
        for length in [20 << 20, 4 << 20] {
            let headers = format!("content-length: {length}\r\n");
            let mut stream = begin(&user, "POST", &format!("/files?name=known-{round}-{length}"), &headers).await;
            send(&mut stream, &piece).await;
            leave(stream, reset);
        }
        // Unknown length, cut within a chunk and between two.
        let mut stream =
            begin(&user, "POST", &format!("/files?name=chunked-{round}"), "transfer-encoding: chunked\r\n").await;
        send(&mut stream, format!("{:x}\r\n", piece.len()).as_bytes()).await;
        send(&mut stream, &piece[..if reset { 1_000_000 } else { piece.len() }]).await;
        if !reset {
            send(&mut stream, b"\r\n").await;
        }
        leave(stream, reset);
        // A resumable one.
        let created = Answer::of(
            user.request("POST", "/uploads")
                .header("tus-resumable", "1.0.0")
                .header("upload-length", 10 << 20)
                .header("upload-metadata", "filename eA=="),
        )
        .await;
        let location = created.header("location").rsplit_once("/uploads/").expect("a location").1.to_owned();
        let headers = format!(
            "tus-resumable: 1.0.0\r\nupload-offset: 0\r\ncontent-type: application/offset+octet-stream\r\n\
             content-length: {}\r\n",
            10 << 20
        );
        let mut stream = begin(&user, "PATCH", &format!("/uploads/{location}"), &headers).await;
        send(&mut stream, &piece).await;
        leave(stream, reset);
        uploads.push(location);
        // Downloads: cut after a bit, and before the first byte.
        for read in [200_000, 0] {
            let mut stream = begin(&user, "GET", &format!("/files/{id}"), "").await;
            let mut some = vec![0; read];
            stream.read_exact(&mut some).await.expect("the beginning comes");
            leave(stream, reset);
        }
    }

    // Others that stay and hardly move. Meanwhile there is room for somebody who does.
    let mut stuck = Vec::new();
    for number in 0..12 {
        let path = format!("/files?name=stuck-{number}");
        let mut stream = begin(&user, "POST", &path, &format!("content-length: {}\r\n", 20 << 20)).await;
        send(&mut stream, &piece[..100_000]).await;
        stuck.push(stream);
        stuck.push(begin(&user, "GET", &format!("/files/{id}"), "").await);
    }
    let began = std::time::Instant::now();
    user.upload("meanwhile", bytes(3, 50_000)).await;
    assert!(user.get(&format!("/files/{id}/meta")).await.status == 200);
    let ranged = Answer::of(user.request("GET", &format!("/files/{id}")).header("range", "bytes=100-50099")).await;
    assert!(ranged.status == 206 && ranged.body == large[100..50_100]);
    assert!(began.elapsed() < Duration::from_secs(9), "others were shut out for {:?}", began.elapsed());
    for (number, stream) in stuck.into_iter().enumerate() {
        leave(stream, number % 3 == 0);
    }

    eventually("no byte is held for those who went", Duration::from_secs(30), async || {
        (figure(&user, IN_FLIGHT).await? == 0.0).then_some(())
    })
    .await;
    for location in uploads {
        let head = Answer::of(user.request("HEAD", &format!("/uploads/{location}")).header("tus-resumable", "1.0.0"));
        let offset: usize = head.await.header("upload-offset").parse().expect("an offset");
        assert!(offset <= piece.len());
        let ended =
            Answer::of(user.request("DELETE", &format!("/uploads/{location}")).header("tus-resumable", "1.0.0"));
        assert_eq!(ended.await.status, 204);
    }
    assert!(user.download(&id).await == large);
    check(&user, &[]).await;
    assert_eq!(crate::load::children(&user, user.root()).await.len(), 2, "half an upload became a file");
    assert_eq!(figure(&user, IN_FLIGHT).await, Some(0.0));
}
