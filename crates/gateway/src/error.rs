//! Refusals on the wire: the one table from error kinds to statuses, and the problem document of RFC 9457.

use std::{borrow::Cow, error::Error as StdError, fmt, sync::Arc, time::Duration};

use axum::response::{IntoResponse, Response};
use base::{ErrorKind, Secret, SpaceId};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

/// The codes that the gateway itself gives; the domains have their own.
pub const CODES: &[&str] = &[
    "body-too-large",
    "conflict",
    "database-full",
    "database-unavailable",
    "file-too-large",
    "internal",
    "invalid-id",
    "invalid-request",
    "method-not-allowed",
    "no-such-route",
    "overloaded",
    "range-not-satisfiable",
    "unauthenticated",
    "unsupported-media-type",
    "unsupported-tus-version",
    "upgrade-required",
];

/// Who is being answered: the protocols differ in a few statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Rest,
    Tus,
}

/// The status of a refusal. Total: a new kind does not compile until it is decided what clients see.
pub(crate) fn status(protocol: Protocol, kind: ErrorKind, code: &str) -> StatusCode {
    match (protocol, code) {
        (Protocol::Rest, "checksum-mismatch") => return StatusCode::UNPROCESSABLE_ENTITY,
        // 460 is the tus protocol's own (checksum extension).
        (Protocol::Tus, "checksum-mismatch") => return StatusCode::from_u16(460).expect("460 is within 100 to 999"),
        (Protocol::Tus, "upload-is-final") => return StatusCode::FORBIDDEN,
        (_, "cursor-gone" | "link-expired" | "link-used-up") => return StatusCode::GONE,
        (_, "unsupported-media-type") => return StatusCode::UNSUPPORTED_MEDIA_TYPE,
        (_, "upgrade-required") => return StatusCode::UPGRADE_REQUIRED,
        (_, "method-not-allowed") => return StatusCode::METHOD_NOT_ALLOWED,
        _ => {}
    }
    match kind {
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Exists | ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::Invalid => StatusCode::BAD_REQUEST,
        ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorKind::Denied => StatusCode::FORBIDDEN,
        ErrorKind::Precondition => StatusCode::PRECONDITION_FAILED,
        ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::Range => StatusCode::RANGE_NOT_SATISFIABLE,
        ErrorKind::Quota => StatusCode::INSUFFICIENT_STORAGE,
        ErrorKind::Throttled => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A refusal on its way to the client. The edge writes its body, since only the edge knows the request's id.
#[derive(Clone)]
pub(crate) struct Problem(Arc<Inner>);

struct Inner {
    kind: ErrorKind,
    code: &'static str,
    protocol: Protocol,
    detail: Cow<'static, str>,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// What the second step of a sign-in needs, and for how many seconds it is good.
    challenge: Option<(Secret, u64)>,
    /// What is in the way of something that there is no room for.
    shortage: Option<drive::Shortage>,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

impl Problem {
    /// A refusal that the gateway itself decided on; `detail` goes to the client.
    pub(crate) fn new(kind: ErrorKind, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Arc::new(Inner {
            kind,
            code,
            protocol: Protocol::Rest,
            detail: detail.into(),
            headers: Vec::new(),
            challenge: None,
            shortage: None,
            cause: None,
        }))
    }

    /// The request can never succeed as it is.
    pub(crate) fn invalid(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Invalid, "invalid-request", detail)
    }

    /// A domain's refusal. The client reads the error's own text; where the fault is ours, only its code.
    pub(crate) fn domain(kind: ErrorKind, code: &'static str, error: impl StdError + Send + Sync + 'static) -> Self {
        // Domains pass the database's errors on with a word that says where they come from. Their texts are for logs.
        // A not-found is never theirs: a domain says what it did not find.
        let of_database = code == "database-unavailable" || (code == kind.as_str() && kind != ErrorKind::NotFound);
        let (code, detail): (_, Cow<'static, str>) = match kind {
            ErrorKind::Internal if of_database => ("internal", INTERNAL.into()),
            ErrorKind::Internal => (code, INTERNAL.into()),
            ErrorKind::Unavailable if of_database => {
                ("database-unavailable", "The database cannot be reached now.".into())
            }
            ErrorKind::Quota if of_database => ("database-full", "The disk under the database is full.".into()),
            _ if of_database => ("conflict", "Somebody else changed the same thing at the same moment.".into()),
            _ => (code, sentence(&error.to_string()).into()),
        };
        let problem = Self::new(kind, code, detail).caused_by(error);
        // A client that is told to come back is told when.
        if kind == ErrorKind::Unavailable { problem.retry_after(Duration::from_secs(1)) } else { problem }
    }

    /// Says when to come back: whole seconds, rounded up.
    fn retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.with(header::RETRY_AFTER, seconds.into())
    }

    /// A defect: the client reads nothing of it, the log everything.
    pub(crate) fn internal(error: impl StdError + Send + Sync + 'static) -> Self {
        Self::domain(ErrorKind::Internal, "internal", error)
    }

    /// Puts a header on the answer.
    pub(crate) fn with(self, name: HeaderName, value: HeaderValue) -> Self {
        self.change(|inner| inner.headers.push((name, value)))
    }

    /// The same refusal in the words of another protocol.
    pub(crate) fn through(self, protocol: Protocol) -> Self {
        self.change(|inner| inner.protocol = protocol)
    }

    fn caused_by(self, error: impl StdError + Send + Sync + 'static) -> Self {
        self.change(|inner| inner.cause = Some(Box::new(error)))
    }

    fn change(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            change(inner);
        }
        self
    }

    pub(crate) fn code(&self) -> &'static str {
        self.0.code
    }

    pub(crate) fn status(&self) -> StatusCode {
        status(self.0.protocol, self.0.kind, self.0.code)
    }

    /// What the log should say of the cause, outermost first; `None` where the answer itself says everything.
    pub(crate) fn chain(&self) -> Option<Chain<'_>> {
        self.0.cause.as_deref().map(|cause| Chain(cause))
    }

    /// The problem document.
    pub(crate) fn body(&self, request_id: &str) -> Bytes {
        let document = ProblemDocument {
            kind: format!("/api/v1/docs/errors#{}", self.0.code),
            title: title(self.0.code),
            status: self.status().as_u16(),
            code: self.0.code.to_owned(),
            detail: self.0.detail.clone().into_owned(),
            request_id: request_id.to_owned(),
            challenge: self.0.challenge.as_ref().map(|(challenge, _)| challenge.expose().to_owned()),
            expires_in: self.0.challenge.as_ref().map(|(_, seconds)| *seconds),
            shortage: self.0.shortage.map(ShortageView::from),
        };
        serde_json::to_vec(&document).expect("a struct of text and numbers is JSON").into()
    }
}

const INTERNAL: &str = "Something went wrong on our side. The request id names the trace in our logs.";

/// The code as a sentence's beginning: `name-taken` is "Name taken".
pub(crate) fn title(code: &str) -> String {
    let mut title = code.replace('-', " ");
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    title
}

/// An error's text as a sentence for people: a capital at its beginning and a full stop at its end.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let mut sentence: String = chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect();
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

/// Why a request was refused (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemDocument {
    /// Where the code is explained.
    #[serde(rename = "type")]
    #[schema(example = "/api/v1/docs/errors#name-taken")]
    kind: String,
    /// The code in words.
    #[schema(example = "Name taken")]
    title: String,
    /// The HTTP status.
    #[schema(example = 409)]
    status: u16,
    /// Stable, for programs.
    #[schema(example = "name-taken")]
    code: String,
    /// What happened, for people.
    detail: String,
    /// The trace id; also in the header `Request-Id`.
    #[schema(example = "4bf92f3577b34da6a3ce929d0e0e4736")]
    request_id: String,
    /// Only of `second-factor-required`: goes with the code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    challenge: Option<String>,
    /// Only of `second-factor-required`: for how many seconds the challenge is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 300)]
    expires_in: Option<u64>,
    /// Only of `quota-exceeded`, and only for those who may see how full the space is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    shortage: Option<ShortageView>,
}

/// What is in the way of something that there is no room for.
#[derive(Serialize, ToSchema)]
#[schema(as = Shortage)]
struct ShortageView {
    #[schema(value_type = String, example = "spc_0197f3c6b1d07c3a9d2e5f60718293a4")]
    space_id: SpaceId,
    /// Bytes that were wanted in addition; 0 where that is not known.
    needed_bytes: u64,
    /// The most that used and reserved bytes may come to.
    quota_bytes: Option<u64>,
    /// Bytes of all versions: the sum of the next three.
    used_bytes: u64,
    /// Current versions of the files.
    files_bytes: u64,
    /// Older versions, and what was removed for good and is still being taken apart.
    versions_bytes: u64,
    /// Current versions of what is in the trash.
    trash_bytes: u64,
    /// Bytes that uploads under way will need.
    reserved_bytes: u64,
}

impl From<drive::Shortage> for ShortageView {
    fn from(shortage: drive::Shortage) -> Self {
        let drive::Shortage { space, needed, meter } = shortage;
        Self {
            space_id: space,
            needed_bytes: needed,
            quota_bytes: meter.quota,
            used_bytes: meter.used,
            files_bytes: meter.files,
            versions_bytes: meter.versions,
            trash_bytes: meter.trash,
            reserved_bytes: meter.reserved,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(axum::body::Body::empty());
        *response.status_mut() = self.status();
        for (name, value) in &self.0.headers {
            response.headers_mut().insert(name, value.clone());
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"holdfast\""));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status().as_u16(), self.0.code, self.0.detail)
    }
}

/// An error and its sources, in one line.
pub(crate) struct Chain<'a>(pub(crate) &'a (dyn StdError + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

impl From<accounts::Error> for Problem {
    fn from(error: accounts::Error) -> Self {
        let wait = error.retry_after();
        let challenge = match &error {
            accounts::Error::SecondFactorRequired { challenge, expires_in } => {
                Some((challenge.clone(), expires_in.as_secs()))
            }
            _ => None,
        };
        let problem = Self::domain(error.kind(), error.code(), error).change(|inner| inner.challenge = challenge);
        match wait {
            Some(wait) => problem.retry_after(wait),
            None => problem,
        }
    }
}

impl From<drive::Error> for Problem {
    fn from(error: drive::Error) -> Self {
        match error {
            // It may say when to come back.
            drive::Error::Accounts(error) => error.into(),
            error => {
                let shortage = match &error {
                    drive::Error::Quota(told) => told.as_deref().copied(),
                    _ => None,
                };
                Self::domain(error.kind(), error.code(), error).change(|inner| inner.shortage = shortage)
            }
        }
    }
}

impl From<bus::Error> for Problem {
    fn from(error: bus::Error) -> Self {
        Self::domain(error.kind(), error.code(), error)
    }
}

impl From<files::Error> for Problem {
    fn from(error: files::Error) -> Self {
        Self::domain(error.kind(), error.code(), error)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn documents_tell_the_client_and_hide_our_faults() {
        let read = |problem: &Problem| -> serde_json::Value {
            serde_json::from_slice(&problem.body("0af7651916cd43dd8448eb211c80319c")).expect("JSON")
        };
        let taken = Problem::new(ErrorKind::Exists, "name-taken", "There is a `\"<b>` already.");
        assert_eq!(
            read(&taken),
            serde_json::json!({
                "type": "/api/v1/docs/errors#name-taken", "title": "Name taken", "status": 409, "code": "name-taken",
                "detail": "There is a `\"<b>` already.", "request_id": "0af7651916cd43dd8448eb211c80319c",
            })
        );
        let ours = Problem::domain(ErrorKind::Internal, "content-damaged", io::Error::other("secret path /x"));
        assert_eq!(read(&ours)["code"], "content-damaged");
        assert_eq!(read(&ours)["detail"], INTERNAL);
        assert_eq!(ours.chain().expect("a cause").to_string(), "secret path /x");
        let database = Problem::domain(ErrorKind::Unavailable, "unavailable", io::Error::other("secret host"));
        assert_eq!(read(&database)["code"], "database-unavailable");
        assert_eq!(read(&database)["detail"], "The database cannot be reached now.");
        assert_eq!(database.into_response().headers()[header::RETRY_AFTER], "1");
        let absent = Problem::domain(ErrorKind::NotFound, "not-found", io::Error::other("there is no such entry"));
        assert_eq!(
            (&read(&absent)["code"], &read(&absent)["detail"]),
            (&"not-found".into(), &"There is no such entry.".into())
        );
    }

    #[test]
    fn details_are_sentences() {
        assert_eq!(sentence("the name is taken"), "The name is taken.");
        assert_eq!(sentence("über alles!"), "Über alles!");
        assert_eq!(sentence(""), ".");
    }

    #[test]
    fn protocols_differ_in_a_few_statuses() {
        let mismatch = Problem::new(ErrorKind::Invalid, "checksum-mismatch", "");
        assert_eq!(mismatch.status(), 422);
        assert_eq!(mismatch.through(Protocol::Tus).status(), 460);
        assert_eq!(status(Protocol::Rest, ErrorKind::NotFound, "cursor-gone"), 410);
        assert_eq!(status(Protocol::Tus, ErrorKind::Conflict, "offset-mismatch"), 409);
    }

    #[test]
    fn unauthenticated_answers_say_how_to_authenticate() {
        let response = Problem::new(ErrorKind::Unauthenticated, "unauthenticated", "").into_response();
        assert_eq!(response.status(), 401);
        assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer realm=\"holdfast\"");
    }

    #[test]
    fn codes_are_sorted_and_titled() {
        assert!(CODES.is_sorted());
        assert_eq!(title("no-such-route"), "No such route");
        assert_eq!(title(""), "");
    }
}
