//! What becomes of a request's body that its handler did not read.
//!
//! HTTP/1.1 cannot go on with the next request before the body of the last one is over. Where a refusal comes before the
//! body, a short rest is read and thrown away; with a longer one the connection ends after the answer, and the answer says
//! so: a client that keeps its connections would otherwise send its next request into one that is closing.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Version, header};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::{sync::oneshot, time::timeout};

/// The longest body that is read for nothing: a form's or a JSON document's.
const WASTE_BYTES: u64 = 64 << 10;

/// How long its client may take to send it.
const WASTE_TIME: Duration = Duration::from_secs(1);

/// Where the body of a request comes back to if its handler drops it before its end.
pub(crate) struct Unread {
    returned: oneshot::Receiver<Incoming>,
    /// Whether the client waits to be asked for the body. It may then leave it out, and nothing can be told about its end.
    waits: bool,
}

impl Unread {
    /// Gives the request to a handler, and remembers its body if the connection depends on it.
    pub(crate) fn watch(request: Request<Incoming>) -> (Request<Body>, Option<Self>) {
        if request.version() > Version::HTTP_11 || hyper::body::Body::is_end_stream(request.body()) {
            return (request.map(Body::new), None);
        }
        let waits = request.headers().contains_key(header::EXPECT);
        let (back, returned) = oneshot::channel();
        let request = request.map(|body| Body::new(Watched { body: Some(body), back: Some(back) }));
        (request, Some(Self { returned, waits }))
    }

    /// Settles the rest of the body, and says in the head of the answer if the connection ends with it.
    pub(crate) async fn settle(mut self, answer: &mut HeaderMap) {
        // A body that was read to its end, or failed, does not come back; nor does one that is still being read.
        let Ok(body) = self.returned.try_recv() else { return };
        if self.waits || !is_soon_over(body).await {
            answer.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

/// Reads a short body to its end; `false` if it is long, does not say how long it is, or does not come.
async fn is_soon_over(mut body: Incoming) -> bool {
    if hyper::body::Body::size_hint(&body).upper().is_none_or(|upper| upper > WASTE_BYTES) {
        return false;
    }
    let read = async {
        while let Some(frame) = body.frame().await {
            frame?;
        }
        Ok::<(), hyper::Error>(())
    };
    matches!(timeout(WASTE_TIME, read).await, Ok(Ok(())))
}

/// The body as its handler sees it.
struct Watched {
    body: Option<Incoming>,
    back: Option<oneshot::Sender<Incoming>>,
}

impl hyper::body::Body for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        if let Poll::Ready(None | Some(Err(_))) = polled {
            self.body = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(hyper::body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), hyper::body::Body::size_hint)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if !hyper::body::Body::is_end_stream(self)
            && let (Some(body), Some(back)) = (self.body.take(), self.back.take())
        {
            // Whoever gave the answer may have gone with its connection.
            let _ = back.send(body);
        }
    }
}
