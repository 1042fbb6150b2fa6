//! The smallest HTTP client that can ask a server whether it is ready.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context as _, Result};

/// How long connecting, and then each read, may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// The status code that the server at `address` answers to a GET of `path`.
pub(crate) fn status_of(address: SocketAddr, path: &str) -> Result<u16> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    line.split(' ').nth(1).and_then(|code| code.parse().ok()).with_context(|| format!("not an HTTP answer: {line:?}"))
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    /// Serves one connection with a fixed answer.
    fn ask(answer: &'static str) -> Result<u16> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("one client");
            let asked: Vec<String> =
                BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            assert_eq!(asked.first().map(String::as_str), Some("GET /readyz HTTP/1.1"));
            stream.write_all(answer.as_bytes()).expect("the client listens");
        });
        let status = status_of(address, "/readyz");
        server.join().expect("the server saw what it expected");
        status
    }

    #[test]
    fn reads_the_status_line() {
        assert_eq!(ask("HTTP/1.1 200 OK\r\n\r\nready").expect("an answer"), 200);
        assert_eq!(ask("HTTP/1.1 503 Service Unavailable\r\n\r\n").expect("an answer"), 503);
    }

    #[test]
    fn refuses_what_is_not_http() {
        assert!(ask("hello\r\n").is_err());
        assert!(ask("").is_err());
    }
}
