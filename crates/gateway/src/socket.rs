//! A client's socket: cut when it stalls, and given back when the connection is over.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::oneshot,
    time::{Sleep, sleep, timeout},
};

/// Bytes after which a connection has shown which protocol it speaks: the length of the HTTP/2 preface. Until then the
/// protocol detection reads, and it knows no time-out of its own.
const OPENING_BYTES: usize = 24;

/// What is read and thrown away after the last answer at most: clients that send everything before they look at the
/// answer must get through what their sockets and a slow proxy in between hold, and small files as a whole.
const LINGER_BYTES: usize = 256 << 20;

/// How long a client may keep on sending after the last answer.
const LINGER_TIME: Duration = Duration::from_secs(10);

/// How long it may be silent in that time.
const LINGER_SILENCE: Duration = Duration::from_secs(2);

/// The socket as hyper uses it.
pub(crate) struct Socket {
    stream: Option<TcpStream>,
    back: Option<oneshot::Sender<TcpStream>>,
    opening: Option<(Pin<Box<Sleep>>, usize)>,
    stall: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Socket {
    /// `opening` bounds the time to the first bytes, `stall` the time for which the client may refuse to take bytes.
    /// The receiver gets the socket back when the connection drops it.
    pub(crate) fn new(stream: TcpStream, opening: Duration, stall: Duration) -> (Self, oneshot::Receiver<TcpStream>) {
        let (back, returned) = oneshot::channel();
        let opening = Some((Box::pin(sleep(opening)), 0));
        (Self { stream: Some(stream), back: Some(back), opening, stall, stalled: None }, returned)
    }

    fn stream(&mut self) -> Pin<&mut TcpStream> {
        Pin::new(self.stream.as_mut().expect("the stream leaves only with the drop"))
    }

    /// Passes a write's result on, and counts for how long there was none.
    fn watch<T>(&mut self, context: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.stalled = None;
            return polled;
        }
        let stall = self.stall;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(stall)));
        stalled.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = self.stream().poll_read(context, buffer);
        if let Some((deadline, seen)) = &mut self.opening {
            *seen += buffer.filled().len() - before;
            if *seen >= OPENING_BYTES {
                self.opening = None;
            } else if polled.is_pending() {
                return deadline.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()));
            }
        }
        polled
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = self.stream().poll_write(context, bytes);
        self.watch(context, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = self.stream().poll_write_vectored(context, slices);
        self.watch(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(context)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let (Some(stream), Some(back)) = (self.stream.take(), self.back.take()) {
            // Nobody may be waiting for it any more; then it is closed here.
            let _ = back.send(stream);
        }
    }
}

/// Lets the client read an answer that was sent before its body had been read.
///
/// A socket that is closed with unread bytes resets the connection, and the client loses the refusal in it. So the
/// rest is read and thrown away until the client closes, for a bounded time and number of bytes.
pub(crate) async fn linger(mut stream: TcpStream) {
    let drained = async {
        let mut waste = vec![0; 64 << 10];
        let mut left = LINGER_BYTES;
        while left > 0 {
            match timeout(LINGER_SILENCE, stream.read(&mut waste)).await {
                Ok(Ok(read)) if read > 0 => left = left.saturating_sub(read),
                _ => break,
            }
        }
    };
    // Whether the client was quick enough makes no difference: the socket is closed next.
    let _ = timeout(LINGER_TIME, drained).await;
}
