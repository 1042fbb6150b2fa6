//! The bytes of a file or an archive as an answer: conditions, ranges, and bodies that are whole or visibly broken, never quietly short.

use std::{
    io,
    ops::Range,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{body::Body, response::Response};
use base::{ErrorKind, Time};
use bytes::Bytes;
use drive::{Archive, File, Format};
use futures::{Stream, StreamExt, TryStreamExt, future, stream, stream::BoxStream};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body::{Frame, SizeHint};
use uuid::Uuid;

use crate::{
    conditions::{self, Verdict},
    disposition::{Disposition, content_disposition, is_active},
    error::{Chain, Problem},
    ranges::{self, Selection},
};

type Pieces = BoxStream<'static, Result<Bytes, drive::Error>>;

/// What is answered with.
struct Offer {
    name: String,
    content_type: String,
    size: u64,
    /// With its quotes.
    etag: String,
    modified: Time,
    source: Source,
}

/// Where the bytes come from.
enum Source {
    File(Box<File>),
    Archive(Archive),
    #[cfg(test)]
    None,
}

impl Source {
    async fn read(&self, range: Range<u64>) -> Result<Pieces, drive::Error> {
        match self {
            Self::File(file) => file.read(range).await,
            Self::Archive(archive) => archive.read(range).await,
            #[cfg(test)]
            Self::None => Ok(stream::empty().boxed()),
        }
    }
}

/// Answers a `GET` or `HEAD` of a file. `wanted` is how the client asked to have it treated.
///
/// # Errors
/// `precondition-failed`, `range-not-satisfiable`, and what reading the first bytes says.
pub(crate) async fn answer(
    method: &Method,
    headers: &HeaderMap,
    file: File,
    wanted: Disposition,
) -> Result<Response, Problem> {
    let entry = &file.entry;
    let info = entry.file().ok_or(drive::Error::NotAFile)?;
    let offer = Offer {
        name: entry.name.clone(),
        content_type: info.content_type.clone(),
        size: info.size,
        etag: entry.etag(),
        modified: entry.modified,
        source: Source::File(Box::new(file)),
    };
    send(method, headers, offer, wanted).await
}

/// Answers a `GET` or `HEAD` of an archive.
///
/// # Errors
/// As [`answer`].
pub(crate) async fn archive(method: &Method, headers: &HeaderMap, archive: Archive) -> Result<Response, Problem> {
    let content_type = match archive.format() {
        Format::Zip => "application/zip",
        Format::Tar => "application/x-tar",
    };
    let offer = Offer {
        name: archive.name.clone(),
        content_type: content_type.to_owned(),
        size: archive.size,
        etag: archive.etag.clone(),
        // It is never older than it is planned: only its tag tells whether it is the same.
        modified: archive.made,
        source: Source::Archive(archive),
    };
    send(method, headers, offer, Disposition::Attachment).await
}

async fn send(method: &Method, headers: &HeaderMap, offer: Offer, wanted: Disposition) -> Result<Response, Problem> {
    match conditions::evaluate(method, headers, &offer.etag, offer.modified) {
        Verdict::Proceed => {}
        Verdict::NotModified => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            validators(response.headers_mut(), &offer.etag, offer.modified);
            return Ok(response);
        }
        Verdict::Failed => return Err(drive::Error::Precondition.into()),
    }
    let mut response = Response::new(Body::empty());
    describe(response.headers_mut(), &offer, wanted);
    validators(response.headers_mut(), &offer.etag, offer.modified);
    if method == Method::HEAD {
        // Ranges are defined for GET alone (RFC 9110, 14.2).
        response.headers_mut().insert(header::CONTENT_LENGTH, offer.size.into());
        return Ok(response);
    }
    let selection = match headers.get(header::RANGE).and_then(|value| value.to_str().ok()) {
        Some(range) if conditions::range_applies(headers, &offer.etag) => ranges::select(range, offer.size),
        _ => Selection::Whole,
    };
    let (length, body) = match selection {
        Selection::Whole => (offer.size, one_run(&offer.source, 0..offer.size).await?),
        Selection::One(run) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            response.headers_mut().insert(header::CONTENT_RANGE, ascii(content_range(&run, offer.size)));
            (run.end - run.start, one_run(&offer.source, run).await?)
        }
        Selection::Many(runs) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let parts = Parts::new(&offer, runs);
            response.headers_mut().insert(header::CONTENT_TYPE, ascii(parts.content_type()));
            let length = parts.length();
            (length, parts.body(Arc::new(offer.source)).await?)
        }
        Selection::Unsatisfiable => {
            let detail = format!("There are {} bytes, and none of them is in the range.", offer.size);
            return Err(Problem::new(ErrorKind::Range, "range-not-satisfiable", detail)
                .with(header::CONTENT_RANGE, ascii(format!("bytes */{}", offer.size))));
        }
    };
    response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    *response.body_mut() = body;
    Ok(response)
}

/// The policy of what somebody sent and browsers may open: it loads nothing, runs nothing, and is of no origin.
pub(crate) const SANDBOX: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox; frame-ancestors 'none'");

/// What a client needs to ask again, and may keep.
pub(crate) fn validators(headers: &mut HeaderMap, etag: &str, modified: Time) {
    headers.insert(header::ETAG, ascii(etag));
    if let Ok(seconds) = u64::try_from(modified.as_secs())
        // The calendar of HTTP dates ends with the year 9999.
        && seconds < 253_402_300_800
    {
        let date = httpdate::fmt_http_date(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds));
        headers.insert(header::LAST_MODIFIED, ascii(date));
    }
    // One person's file, and access to it may end: caches of one's own keep it, but ask each time.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("Authorization"));
}

fn describe(headers: &mut HeaderMap, offer: &Offer, wanted: Disposition) {
    let content_type = HeaderValue::try_from(offer.content_type.as_str());
    headers.insert(header::CONTENT_TYPE, content_type.unwrap_or(HeaderValue::from_static("application/octet-stream")));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let mut disposition = wanted;
    if is_active(&offer.content_type) {
        disposition = Disposition::Attachment;
        headers.insert(header::CONTENT_SECURITY_POLICY, SANDBOX);
    }
    headers.insert(header::CONTENT_DISPOSITION, content_disposition(disposition, &offer.name));
}

/// A header of text that the gateway itself made.
fn ascii(text: impl AsRef<str>) -> HeaderValue {
    HeaderValue::from_str(text.as_ref()).expect("the gateway's own text is visible ASCII")
}

fn content_range(run: &Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", run.start, run.end - 1)
}

/// The body for one run. Bytes that come in one piece become a body in memory, which leaves with the head in one write.
async fn one_run(source: &Source, run: Range<u64>) -> Result<Body, Problem> {
    let length = run.end - run.start;
    if length == 0 {
        return Ok(Body::empty());
    }
    let mut pieces = source.read(run).await?;
    let first = pieces.try_next().await?;
    match first {
        Some(first) if first.len() as u64 == length => Ok(Body::from(first)),
        first => Ok(Body::new(Exactly { first, pieces, left: length })),
    }
}

/// A body of a known length. When its source ends early, fails, or has too much, the body ends with an error; the
/// connection is then cut, and the client knows that it does not have the file.
struct Exactly {
    first: Option<Bytes>,
    pieces: Pieces,
    left: u64,
}

impl http_body::Body for Exactly {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let polled = match self.first.take() {
            Some(first) => Some(Ok(first)),
            None => match Pin::new(&mut self.pieces).poll_next(context) {
                Poll::Ready(polled) => polled,
                Poll::Pending => return Poll::Pending,
            },
        };
        let piece = match polled {
            Some(Ok(piece)) if piece.len() as u64 <= self.left => piece,
            Some(Ok(_)) => return Poll::Ready(Some(Err(self.broken("the store had more bytes than the file")))),
            Some(Err(error)) => {
                tracing::error!(code = error.code(), left = self.left, cause = %Chain(&error), "a download broke off");
                self.left = 0;
                return Poll::Ready(Some(Err(io::Error::other(error))));
            }
            None => return Poll::Ready(Some(Err(self.broken("the store had fewer bytes than the file")))),
        };
        self.left -= piece.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

impl Exactly {
    fn broken(&mut self, cause: &'static str) -> io::Error {
        tracing::error!(left = self.left, cause, "a download broke off");
        self.left = 0;
        io::Error::other(cause)
    }
}

/// The answer to several ranges: `multipart/byteranges` (RFC 9110, 14.6).
struct Parts {
    boundary: String,
    parts: Vec<(Bytes, Range<u64>)>,
    end: Bytes,
}

impl Parts {
    fn new(offer: &Offer, runs: Vec<Range<u64>>) -> Self {
        // 122 random bits: no file can be made to contain the boundary on purpose, and by chance none does.
        let boundary = Uuid::new_v4().as_simple().to_string();
        // A type that is no header value on its own is none within the body either.
        let content_type = HeaderValue::try_from(offer.content_type.as_str()).ok();
        let content_type =
            content_type.as_ref().and_then(|value| value.to_str().ok()).unwrap_or("application/octet-stream");
        let head = |run: &Range<u64>| {
            let range = content_range(run, offer.size);
            Bytes::from(format!("\r\n--{boundary}\r\nContent-Type: {content_type}\r\nContent-Range: {range}\r\n\r\n"))
        };
        let parts = runs.into_iter().map(|run| (head(&run), run)).collect();
        let end = Bytes::from(format!("\r\n--{boundary}--\r\n"));
        Self { boundary, parts, end }
    }

    fn content_type(&self) -> String {
        format!("multipart/byteranges; boundary={}", self.boundary)
    }

    fn length(&self) -> u64 {
        let parts = self.parts.iter().map(|(head, run)| head.len() as u64 + run.end - run.start);
        parts.sum::<u64>() + self.end.len() as u64
    }

    /// The first run is opened now, so that a file that cannot be read is still refused with a status; the others when
    /// their turn comes.
    async fn body(self, source: Arc<Source>) -> Result<Body, Problem> {
        let left = self.length();
        let mut opened = match self.parts.first() {
            Some((_, run)) => Some(source.read(run.clone()).await?),
            None => None,
        };
        let parts = self.parts.into_iter().map(move |(head, run)| {
            let (source, opened) = (source.clone(), opened.take());
            let bytes = async move {
                match opened {
                    Some(opened) => Ok(opened),
                    None => source.read(run).await,
                }
            };
            stream::once(future::ready(Ok(head))).chain(stream::once(bytes).try_flatten())
        });
        let pieces = stream::iter(parts).flatten().chain(stream::once(future::ready(Ok(self.end)))).boxed();
        Ok(Body::new(Exactly { first: None, pieces, left }))
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    fn exactly(left: u64, pieces: Vec<Result<Bytes, drive::Error>>) -> Body {
        Body::new(Exactly { first: None, pieces: stream::iter(pieces).boxed(), left })
    }

    #[tokio::test]
    async fn bodies_are_whole_or_broken() {
        let piece = |text: &'static str| Ok(Bytes::from_static(text.as_bytes()));
        let whole = exactly(6, vec![piece("abc"), piece("def")]).collect().await.expect("whole");
        assert_eq!(whole.to_bytes(), "abcdef");
        assert!(exactly(6, vec![piece("abc")]).collect().await.is_err());
        assert!(exactly(6, vec![piece("abc"), piece("defg")]).collect().await.is_err());
        assert!(exactly(6, vec![piece("abc"), Err(drive::Error::NotAFile)]).collect().await.is_err());
    }

    #[test]
    fn lengths_of_several_ranges_count_everything() {
        let offer = Offer {
            name: "a".into(),
            content_type: "text/plain\r\nX-Evil: 1".into(),
            size: 100,
            etag: "\"x\"".into(),
            modified: Time::default(),
            source: Source::None,
        };
        let parts = Parts::new(&offer, vec![0..10, 50..60]);
        let heads: Vec<_> = parts.parts.iter().map(|(head, _)| String::from_utf8_lossy(head).into_owned()).collect();
        assert!(heads[1].ends_with("Content-Type: application/octet-stream\r\nContent-Range: bytes 50-59/100\r\n\r\n"));
        assert_eq!(parts.length(), (heads[0].len() + heads[1].len() + parts.end.len()) as u64 + 20);
    }
}
