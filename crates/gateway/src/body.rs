//! Bodies of files on their way in: streamed, never collected, and cut when the client stalls.

use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, BodyDataStream},
    extract::{FromRequest, Multipart, Request, multipart::Field},
};
use base::ErrorKind;
use bytes::Bytes;
use drive::BodyError;
use futures::{Stream, StreamExt, stream::BoxStream};
use http::{HeaderMap, header};
use tokio::{
    sync::mpsc,
    time::{Sleep, sleep},
};

use crate::{
    error::{Chain, Problem},
    extract::content_length,
};

/// A file's bytes on their way in.
pub(crate) type FileBody = BoxStream<'static, Result<Bytes, BodyError>>;

/// Pieces between the reader of a form and the writer of the file: enough that neither waits for the other's wake-up.
const FORM_PIECES: usize = 4;

/// Refuses a body that cannot become a file, before a byte of it is read. A client that waits for `100 Continue` then
/// never sends it.
///
/// # Errors
/// `file-too-large` for a declared length beyond `max`, `unsupported-media-type` for an encoding, which would otherwise
/// be stored as if it were the content.
pub(crate) fn admit(headers: &HeaderMap, max: u64) -> Result<Option<u64>, Problem> {
    if let Some(encoding) = headers.get(header::CONTENT_ENCODING)
        && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
    {
        return Err(Problem::new(
            ErrorKind::Invalid,
            "unsupported-media-type",
            "The body must not have a `Content-Encoding`.",
        ));
    }
    let length = content_length(headers);
    if length.is_some_and(|length| length > max) {
        return Err(too_large(max));
    }
    Ok(length)
}

/// The refusal of a file beyond `max` bytes.
pub(crate) fn too_large(max: u64) -> Problem {
    Problem::new(ErrorKind::TooLarge, "file-too-large", format!("A file has at most {max} bytes here."))
}

/// The body as a file's bytes. It ends with an error if the client goes away, or sends nothing for `idle`.
pub(crate) fn incoming(body: Body, idle: Duration) -> FileBody {
    Incoming { body: body.into_data_stream(), idle, pause: None }.boxed()
}

struct Incoming {
    body: BodyDataStream,
    idle: Duration,
    /// Armed while nothing comes. Most small bodies are there at once and never need it.
    pause: Option<Pin<Box<Sleep>>>,
}

impl Stream for Incoming {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match self.body.poll_next_unpin(context) {
                Poll::Ready(Some(Ok(piece))) if piece.is_empty() => {}
                Poll::Ready(Some(Ok(piece))) => {
                    self.pause = None;
                    return Poll::Ready(Some(Ok(piece)));
                }
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Some(Err(BodyError::Cut(Chain(&error).to_string()))));
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => break,
            }
        }
        let idle = self.idle;
        let pause = self.pause.get_or_insert_with(|| Box::pin(sleep(idle)));
        pause.as_mut().poll(context).map(|()| Some(Err(BodyError::Cut("the client sent nothing for too long".into()))))
    }
}

/// The file of a form (`multipart/form-data`), before its bytes are read.
pub(crate) struct Form(Multipart);

/// What a form says of its file.
pub(crate) struct FormFile {
    pub(crate) name: Option<String>,
    pub(crate) content_type: Option<String>,
}

impl Form {
    /// Whether a request carries a form.
    pub(crate) fn is_one(headers: &HeaderMap) -> bool {
        let value = headers.get(header::CONTENT_TYPE).map(|value| value.as_bytes()).unwrap_or_default();
        let essence = value.split(|byte| *byte == b';').next().unwrap_or_default();
        essence.trim_ascii().eq_ignore_ascii_case(b"multipart/form-data")
    }

    /// # Errors
    /// `invalid-request` without a boundary.
    pub(crate) async fn open(request: Request, idle: Duration) -> Result<Self, Problem> {
        // The reader of forms gets the body through the same guard as every other.
        let (parts, body) = request.into_parts();
        let guarded = Body::from_stream(incoming(body, idle));
        let form = Multipart::from_request(Request::from_parts(parts, guarded), &()).await;
        form.map(Self)
            .map_err(|rejection| Problem::invalid(format!("The form cannot be read: {}.", rejection.body_text())))
    }

    /// Finds the file, which must be the first field, and hands its bytes to `store` while they arrive.
    ///
    /// # Errors
    /// `invalid-request` for a form without a file, or with another field before it: such a field would be ignored
    /// without a word. Whatever `store` says.
    pub(crate) async fn store<T, F>(mut self, store: impl FnOnce(FormFile, FileBody) -> F) -> Result<T, Problem>
    where
        F: Future<Output = Result<T, Problem>>,
    {
        let unreadable = |error: axum::extract::multipart::MultipartError| {
            Problem::invalid(format!("The form cannot be read: {}.", error.body_text()))
        };
        let field = self.0.next_field().await.map_err(unreadable)?;
        let field = field.ok_or_else(|| Problem::invalid("The form has no file."))?;
        let Some(name) = field.file_name() else {
            return Err(Problem::invalid(
                "The first field of the form must be the file. Other options go into the query, such as `?name=`.",
            ));
        };
        let file = FormFile {
            // Some browsers send an empty name for a form whose file was not chosen.
            name: Some(name.to_owned()).filter(|name| !name.is_empty()),
            content_type: field.content_type().map(str::to_owned),
        };
        let (sender, mut receiver) = mpsc::channel(FORM_PIECES);
        let body = futures::stream::poll_fn(move |context| receiver.poll_recv(context)).boxed();
        let mut stored = pin!(store(file, body));
        let mut fed = pin!(feed(field, sender));
        let mut done = false;
        loop {
            tokio::select! {
                stored = &mut stored => return stored,
                () = &mut fed, if !done => done = true,
            }
        }
    }
}

/// Passes a field's bytes on until it ends or nobody wants them.
async fn feed(mut field: Field<'_>, sender: mpsc::Sender<Result<Bytes, BodyError>>) {
    while let Some(piece) = field.chunk().await.transpose() {
        let piece = piece.map_err(|error| BodyError::Malformed(error.body_text()));
        let failed = piece.is_err();
        if sender.send(piece).await.is_err() || failed {
            return;
        }
    }
}

/// The type of a file as the client means it: `None` for what clients send when they do not know.
///
/// # Errors
/// `invalid-request` for text that is no media type; it would come back as a header one day.
pub(crate) fn declared_type(value: Option<&str>) -> Result<Option<String>, Problem> {
    let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let essence = value.split(';').next().unwrap_or_default().trim();
    // The last one is what curl says of any `--data`.
    if ["application/octet-stream", "application/x-www-form-urlencoded"]
        .iter()
        .any(|one| one.eq_ignore_ascii_case(essence))
    {
        return Ok(None);
    }
    let token = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
    };
    let shaped = essence.split_once('/').is_some_and(|(kind, sub)| token(kind) && token(sub));
    let visible = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if shaped && visible && value.len() <= CONTENT_TYPE_BYTES_MAX {
        Ok(Some(value.to_owned()))
    } else {
        Err(Problem::invalid("The content type is not one: write it as `text/plain`, in at most 255 characters."))
    }
}

/// Bytes of a content type, the longest that RFC 6838 allows for the two names and a little for parameters.
const CONTENT_TYPE_BYTES_MAX: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_files() {
        let kept = |value| declared_type(Some(value)).expect("a type");
        assert_eq!(kept("text/plain; charset=utf-8").as_deref(), Some("text/plain; charset=utf-8"));
        assert_eq!(kept("application/octet-stream"), None);
        assert_eq!(kept("Application/X-WWW-Form-Urlencoded; charset=utf-8"), None);
        assert_eq!(kept(""), None);
        assert_eq!(declared_type(None).expect("none"), None);
        for bad in [
            "text",
            "text/",
            "/plain",
            "te xt/plain",
            "text/plain\r\nx: y",
            "text/plaïn",
            &format!("a/{}", "b".repeat(300)),
        ] {
            assert!(declared_type(Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn bodies_are_refused_unread() {
        let headers = |name: http::HeaderName, value: &str| {
            HeaderMap::from_iter([(name, value.parse().expect("a header value"))])
        };
        assert_eq!(admit(&headers(header::CONTENT_LENGTH, "10"), 10).expect("just fits"), Some(10));
        assert_eq!(admit(&headers(header::CONTENT_LENGTH, "11"), 10).expect_err("one too many").status(), 413);
        assert_eq!(admit(&headers(header::CONTENT_ENCODING, "gzip"), 10).expect_err("encoded").status(), 415);
        assert_eq!(admit(&headers(header::CONTENT_ENCODING, "Identity"), 10).expect("plain"), None);
    }

    #[test]
    fn forms_are_known_by_their_type() {
        let headers =
            |value: &str| HeaderMap::from_iter([(header::CONTENT_TYPE, value.parse().expect("a header value"))]);
        assert!(Form::is_one(&headers("Multipart/Form-Data; boundary=x")));
        assert!(!Form::is_one(&headers("multipart/form-dataset")));
        assert!(!Form::is_one(&HeaderMap::new()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_stalls_is_cut() {
        let pieces = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"abc"))]);
        let body = Body::from_stream(pieces.chain(futures::stream::pending()));
        let mut stream = incoming(body, Duration::from_secs(60));
        assert_eq!(stream.next().await.expect("a piece").expect("good"), "abc");
        assert!(stream.next().await.expect("an end").is_err());
    }
}
