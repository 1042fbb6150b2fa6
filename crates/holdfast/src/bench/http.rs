//! A small HTTP/1.1 client that costs little: requests are bytes that the caller has ready, answers are read only as far
//! as status and length.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Bytes read at once; they fit into the second-level cache of a core.
const BUFFER_BYTES: usize = 256 << 10;

/// Bytes of an answer that is kept whole.
const ANSWER_BYTES_MAX: u64 = 16 << 20;

/// How long a small request may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long to wait for the reason of a server that stopped reading.
const REASON: Duration = Duration::from_secs(1);

/// One kept-alive connection.
pub(super) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

/// What of an answer's head counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) length: u64,
}

impl Connection {
    pub(super) async fn open(port: u16) -> anyhow::Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let stream = TcpStream::connect(address).await.with_context(|| format!("{address} cannot be reached"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; BUFFER_BYTES], start: 0, end: 0 })
    }

    /// Sends bytes. A server that refuses in the middle is heard.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let Err(error) = self.stream.write_all(bytes).await else {
            return Ok(());
        };
        if let Ok(Ok((status, body))) = timeout(REASON, self.answer()).await {
            bail!("the server answers {status} before it has read everything: {}", excerpt(&body));
        }
        Err(error).context("the connection broke while sending")
    }

    /// Reads the head of the next answer; interim answers are passed over.
    pub(super) async fn head(&mut self) -> anyhow::Result<Head> {
        loop {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            let end = loop {
                if let Some(at) = self.buffer[..self.end].windows(4).position(|window| window == b"\r\n\r\n") {
                    break at + 4;
                }
                ensure!(self.end < self.buffer.len(), "the head of an answer does not end");
                self.fill().await?;
            };
            let head = parse_head(&self.buffer[..end])?;
            self.start = end;
            if head.status >= 200 {
                return Ok(head);
            }
        }
    }

    /// Reads so many bytes and shows each piece with its offset.
    pub(super) async fn body(
        &mut self,
        length: u64,
        mut take: impl FnMut(u64, &[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut offset = 0;
        while offset < length {
            if self.start == self.end {
                (self.start, self.end) = (0, 0);
                self.fill().await?;
            }
            let ready = (self.end - self.start) as u64;
            let count = ready.min(length - offset) as usize;
            take(offset, &self.buffer[self.start..self.start + count])?;
            self.start += count;
            offset += count as u64;
        }
        Ok(())
    }

    /// Reads the next answer whole.
    pub(super) async fn answer(&mut self) -> anyhow::Result<(u16, Vec<u8>)> {
        let head = self.head().await?;
        Ok((head.status, self.collect(head).await?))
    }

    /// Reads the body of an answer whole.
    pub(super) async fn collect(&mut self, head: Head) -> anyhow::Result<Vec<u8>> {
        ensure!(head.length <= ANSWER_BYTES_MAX, "an answer of {} bytes", head.length);
        let mut bytes = Vec::with_capacity(head.length as usize);
        self.body(head.length, |_, piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })
        .await?;
        Ok(bytes)
    }

    async fn fill(&mut self) -> anyhow::Result<()> {
        let count = self.stream.read(&mut self.buffer[self.end..]).await.context("the connection broke")?;
        ensure!(count > 0, "the server closed the connection in the middle of an answer");
        self.end += count;
        Ok(())
    }
}

fn parse_head(bytes: &[u8]) -> anyhow::Result<Head> {
    let text = std::str::from_utf8(bytes).context("the head of an answer is no text")?;
    let mut lines = text.split("\r\n");
    let status: u16 = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok())
        .context("an answer that is not HTTP/1.1")?;
    let length = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map(|(_, value)| value.trim().parse())
        .transpose()
        .context("a Content-Length that is no number")?;
    match length {
        Some(length) => Ok(Head { status, length }),
        None if status < 200 || matches!(status, 204 | 304) => Ok(Head { status, length: 0 }),
        None => bail!("an answer of status {status} without Content-Length"),
    }
}

/// What an answer says, for messages.
pub(super) fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().take(300).collect()
}

/// Somebody who is signed in, for at most as long as an access token lives.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) port: u16,
    token: String,
}

impl Session {
    /// Signs in.
    pub(super) async fn login(port: u16, name: &str, password: &str) -> anyhow::Result<Self> {
        let anonymous = Self { port, token: String::new() };
        let body = json!({ "name": name, "password": password });
        let tokens = anonymous.call("POST", "/api/v1/login", Some(&body)).await.context("signing in")?;
        Ok(Self { port, token: text(&tokens, "access_token")? })
    }

    /// The value of the header that says who asks.
    pub(super) fn authorization(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// The head of a request, with the length of its body if it has one.
    pub(super) fn request(&self, method: &str, path: &str, length: Option<u64>) -> Vec<u8> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n", self.port);
        if !self.token.is_empty() {
            head.push_str(&format!("Authorization: Bearer {}\r\n", self.token));
        }
        if let Some(length) = length {
            head.push_str(&format!("Content-Type: application/octet-stream\r\nContent-Length: {length}\r\n"));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    /// One request on a connection of its own, JSON both ways; anything but a success is an error.
    pub(super) async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let mut request = self.request(method, path, None);
        if let Some(body) = body {
            let body = body.to_string();
            request.truncate(request.len() - 2);
            request.extend(format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len()).bytes());
            request.extend(body.bytes());
        }
        let exchange = async {
            let mut connection = Connection::open(self.port).await?;
            connection.send(&request).await?;
            connection.answer().await
        };
        let (status, body) =
            timeout(PATIENCE, exchange).await.with_context(|| format!("{method} {path}: no answer"))??;
        ensure!((200..300).contains(&status), "{method} {path} answers {status}: {}", excerpt(&body));
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).with_context(|| format!("{method} {path} answers something other than JSON"))
    }

    /// Makes a folder in the root and gives its id.
    pub(super) async fn folder(&self, name: &str) -> anyhow::Result<String> {
        text(&self.call("POST", "/api/v1/folders", Some(&json!({ "name": name }))).await?, "id")
    }
}

/// A text of a JSON object.
pub(super) fn text(value: &Value, key: &str) -> anyhow::Result<String> {
    value[key].as_str().map(str::to_owned).with_context(|| format!("an answer without {key}"))
}

#[cfg(test)]
mod tests {
    use tokio::{net::TcpListener, task::JoinSet};

    use super::*;

    #[test]
    fn heads_are_read() {
        let check = |head: &str, expected: Option<(u16, u64)>| {
            let found = parse_head(head.as_bytes()).ok().map(|head| (head.status, head.length));
            assert_eq!(found, expected, "{head}");
        };
        check("HTTP/1.1 201 Created\r\nContent-Length: 17\r\n\r\n", Some((201, 17)));
        check("HTTP/1.1 200 OK\r\ndate: now\r\ncontent-length:0\r\n\r\n", Some((200, 0)));
        check("HTTP/1.1 204 No Content\r\n\r\n", Some((204, 0)));
        check("HTTP/1.1 100 Continue\r\n\r\n", Some((100, 0)));
        check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", None);
        check("HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", None);
        check("SSH-2.0-x\r\n\r\n", None);
    }

    #[tokio::test]
    async fn answers_arrive_whole_however_they_are_cut() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut server = JoinSet::new();
        server.spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let answers = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello\
                HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbroken";
            for piece in answers.as_bytes().chunks(7) {
                stream.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
        });
        let mut connection = Connection::open(port).await.unwrap();
        assert_eq!(connection.answer().await.unwrap(), (200, b"hello".to_vec()));
        assert_eq!(connection.answer().await.unwrap(), (201, Vec::new()));
        let error = connection.answer().await.unwrap_err();
        assert!(error.to_string().contains("in the middle"), "{error:#}");
    }
}
