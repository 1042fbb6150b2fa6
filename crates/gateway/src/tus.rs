//! The tus protocol, version 1.0.0: uploads that survive a broken connection.
//!
//! Extensions: creation, creation-with-upload, creation-defer-length, checksum, expiration, termination, concatenation.
//! Handlers here translate headers and nothing else; the machine is in the drive.

mod headers;
mod metadata;

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::{MethodFilter, MethodRouter, on},
};
use base::{ErrorKind, Name, UploadId};
use drive::{Algorithm, Append, NewUpload, Upload, UploadKind, UploadState};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    auth::{Caller, authenticate},
    body::{admit, incoming, too_large},
    error::{Problem, Protocol},
    extract::parse_id,
    state::App,
};
use headers::{Concat, Length};

const COLLECTION: &str = "/api/v1/uploads";

const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");
const EXTENSIONS: HeaderValue = HeaderValue::from_static(
    "creation,creation-with-upload,creation-defer-length,checksum,expiration,termination,concatenation",
);
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const OFFSET_TYPE: &str = "application/offset+octet-stream";

const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");
const TUS_EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
const TUS_MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
const TUS_CHECKSUM_ALGORITHM: HeaderName = HeaderName::from_static("tus-checksum-algorithm");
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_DEFER_LENGTH: HeaderName = HeaderName::from_static("upload-defer-length");
const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const UPLOAD_CONCAT: HeaderName = HeaderName::from_static("upload-concat");
const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const HOLDFAST_ENTRY: HeaderName = HeaderName::from_static("holdfast-entry");

#[derive(OpenApi)]
#[openapi(paths(tus_options, create_upload, head_upload, append_upload, terminate_upload))]
struct Description;

/// The routes, with their description. One handler serves each address, since `X-HTTP-Method-Override` may name another
/// method than the request line.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    let collection: MethodRouter<Arc<App>> = on(MethodFilter::OPTIONS.or(MethodFilter::POST), uploads);
    let methods = MethodFilter::OPTIONS
        .or(MethodFilter::HEAD)
        .or(MethodFilter::POST)
        .or(MethodFilter::PATCH)
        .or(MethodFilter::DELETE);
    OpenApiRouter::with_openapi(Description::openapi())
        .route(COLLECTION, collection)
        .route("/api/v1/uploads/{id}", on(methods, upload))
}

async fn uploads(State(app): State<Arc<App>>, request: Request) -> Response {
    let answered = match effective_method(&request) {
        Method::OPTIONS => Ok(tus_options(&app)),
        Method::POST => match resumable(request.headers()) {
            Ok(()) => create_upload(&app, request).await,
            Err(problem) => Err(problem),
        },
        _ => Err(method_not_allowed("OPTIONS, POST")),
    };
    finish(answered)
}

async fn upload(State(app): State<Arc<App>>, request: Request) -> Response {
    let method = effective_method(&request);
    if method == Method::OPTIONS {
        return finish(Ok(tus_options(&app)));
    }
    let answered = async {
        resumable(request.headers())?;
        if request.uri().query().is_some_and(|query| !query.is_empty()) {
            return Err(Problem::invalid("This call takes no query parameters."));
        }
        let caller = authenticate(&app, request.headers()).await?;
        let id = request.uri().path().rsplit('/').next().unwrap_or_default();
        let id: UploadId = parse_id(id)?;
        match method {
            Method::HEAD => head_upload(&app, caller, id).await,
            Method::PATCH => append_upload(&app, caller, id, request).await,
            Method::DELETE => terminate_upload(&app, caller, id).await,
            _ => Err(method_not_allowed("OPTIONS, GET, HEAD, PATCH, DELETE")),
        }
    };
    finish(answered.await)
}

/// The method that counts: the header's, for clients whose environment knows no `PATCH` or `DELETE`.
fn effective_method(request: &Request) -> Method {
    let named =
        request.headers().get("x-http-method-override").and_then(|value| Method::from_bytes(value.as_bytes()).ok());
    named.unwrap_or_else(|| request.method().clone())
}

fn method_not_allowed(allowed: &'static str) -> Problem {
    Problem::new(
        ErrorKind::Invalid,
        "method-not-allowed",
        "This address does not know the method; `Allow` lists what it knows.",
    )
    .with(header::ALLOW, HeaderValue::from_static(allowed))
}

/// # Errors
/// `unsupported-tus-version` for a request of another version, or of no tus client at all.
fn resumable(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.get(TUS_RESUMABLE).is_some_and(|version| version == VERSION) {
        return Ok(());
    }
    let detail = "The request needs the header `Tus-Resumable: 1.0.0`; no other version is known here.";
    Err(Problem::new(ErrorKind::Precondition, "unsupported-tus-version", detail).with(TUS_VERSION, VERSION))
}

/// Every answer says which version it is of.
fn finish(answered: Result<Response, Problem>) -> Response {
    let mut response = answered.unwrap_or_else(|problem| problem.through(Protocol::Tus).into_response());
    response.headers_mut().insert(TUS_RESUMABLE, VERSION);
    response
}

/// Show the tus extensions
#[utoipa::path(options, path = "/api/v1/uploads", tag = "Resumable uploads",
    responses((status = 204, description = "Version, extensions, largest file and checksum algorithms.",
        headers(
            ("Tus-Version" = String, description = "`1.0.0`"),
            ("Tus-Extension" = String, description = "Names with commas between them."),
            ("Tus-Max-Size" = u64, description = "Bytes of one file."),
            ("Tus-Checksum-Algorithm" = String, description = "For `Upload-Checksum`."),
        ))))]
fn tus_options(app: &App) -> Response {
    let algorithms = Algorithm::ALL.map(Algorithm::as_str).join(",");
    let mut response = empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(TUS_VERSION, VERSION);
    headers.insert(TUS_EXTENSION, EXTENSIONS);
    headers.insert(TUS_MAX_SIZE, app.options.file_bytes_max.into());
    headers.insert(TUS_CHECKSUM_ALGORITHM, HeaderValue::try_from(algorithms).expect("names of algorithms are ASCII"));
    response
}

/// Begin an upload
///
/// With a body of type `application/offset+octet-stream` it is begun and continued in one request. With
/// `Upload-Concat: final;…` it is made of finished partial uploads, and no byte is copied.
#[utoipa::path(post, path = "/api/v1/uploads", tag = "Resumable uploads", security(("token" = [])),
    params(
        ("Tus-Resumable" = String, Header, description = "`1.0.0`"),
        ("Upload-Length" = Option<u64>, Header, description = "Bytes of the file."),
        ("Upload-Defer-Length" = Option<u32>, Header, description = "`1`: the length will be given later."),
        ("Upload-Metadata" = Option<String>, Header,
            description = "Keys with values in Base64: `filename` (required), `filetype`, `parent` (a folder's id), `on_conflict`."),
        ("Upload-Concat" = Option<String>, Header, description = "`partial`, or `final;` and the addresses of partial uploads."),
        ("Upload-Checksum" = Option<String>, Header, description = "An algorithm and the body's checksum in Base64."),
    ),
    request_body(content = String, content_type = "application/octet-stream", description = "The first bytes, or nothing."),
    responses((status = 201, description = "The upload.", headers(
        ("Location" = String, description = "Where it continues."),
        ("Upload-Offset" = u64, description = "Bytes taken from the body, if there was one."),
        ("Upload-Expires" = String, description = "When it is removed, unless it goes on before."),
        ("Holdfast-Entry" = String, description = "The file, if it is whole already."),
    ))))]
async fn create_upload(app: &App, request: Request) -> Result<Response, Problem> {
    let caller = authenticate(app, request.headers()).await?;
    let headers = request.headers();
    if request.uri().query().is_some_and(|query| !query.is_empty()) {
        return Err(Problem::invalid("This call takes no query parameters."));
    }
    let metadata = metadata::read(headers)?;
    let concat = headers::concat(headers)?;
    let length = match (&concat, headers::length(headers)?) {
        (Some(Concat::Final { .. }), None) => None,
        (Some(Concat::Final { .. }), Some(_)) => {
            return Err(Problem::invalid("A final upload has the length of its parts: give no `Upload-Length`."));
        }
        (_, Some(Length::Bytes(length))) if length > app.options.file_bytes_max => {
            return Err(too_large(app.options.file_bytes_max));
        }
        (_, Some(Length::Bytes(length))) => Some(length),
        (_, Some(Length::Deferred)) => None,
        (_, None) => return Err(Problem::invalid("Give `Upload-Length` or `Upload-Defer-Length: 1`.")),
    };
    let with_bytes = carries_bytes(headers)?;
    let body_length = admit(headers, app.options.file_bytes_max)?;
    let checksum = headers::checksum(headers)?;
    let partial = matches!(concat, Some(Concat::Partial));
    let name = match metadata.name.as_deref() {
        Some(name) => crate::extract::parse_name(name)?,
        None if partial => Name::new("part").expect("a plain word is a name"),
        None => return Err(Problem::invalid("`Upload-Metadata` needs a `filename`.")),
    };
    let (kind, kept) = match concat {
        None => (UploadKind::Whole, metadata.text),
        Some(Concat::Partial) => (UploadKind::Partial, metadata.text),
        Some(Concat::Final { parts, text }) => {
            if with_bytes {
                return Err(drive::Error::UploadIsFinal.into());
            }
            (UploadKind::Final(parts), headers::keep(&metadata.text, &text))
        }
    };
    let new = NewUpload {
        parent: metadata.parent,
        name,
        content_type: metadata.content_type,
        on_conflict: metadata.on_conflict,
        length,
        kind,
        metadata: kept,
    };
    let actor = caller.actor();
    let mut upload = app.state.drive.create_upload(&actor, new).await?;
    let location = HeaderValue::try_from(format!("{COLLECTION}/{}", upload.id)).expect("an id is plain ASCII");
    if with_bytes && upload.state == UploadState::Open {
        let append = Append { offset: 0, length: body_length, checksum };
        let body = incoming(request.into_body(), app.options.body_idle);
        let appended = app.state.drive.append(&actor, upload.id, append, body).await;
        // The upload exists even if its first bytes were refused: the client is told where it may go on.
        upload = appended.map_err(|error| Problem::from(error).with(header::LOCATION, location.clone()))?;
    }
    let mut response = empty(StatusCode::CREATED);
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, location);
    if with_bytes {
        headers.insert(UPLOAD_OFFSET, upload.offset.into());
    }
    outcome(headers, &upload);
    Ok(response)
}

/// Ask how far an upload is
#[utoipa::path(head, path = "/api/v1/uploads/{id}", tag = "Resumable uploads", security(("token" = [])),
    params(
        ("id" = String, Path, description = "An upload's id, `upl_…`."),
        ("Tus-Resumable" = String, Header, description = "`1.0.0`"),
    ),
    responses((status = 200, description = "Where the next byte belongs.", headers(
        ("Upload-Offset" = u64, description = "Bytes that are durable."),
        ("Upload-Length" = u64, description = "Bytes of the file, if that is known; `Upload-Defer-Length: 1` if not."),
        ("Upload-Metadata" = String, description = "As it was given."),
        ("Upload-Concat" = String, description = "As it was given."),
        ("Upload-Expires" = String, description = "When it is removed, unless it goes on before."),
        ("Holdfast-Entry" = String, description = "The file, once it is whole."),
    ))))]
async fn head_upload(app: &App, caller: Caller, id: UploadId) -> Result<Response, Problem> {
    let upload = app.state.drive.upload(&caller.actor(), id).await?;
    let mut response = empty(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, NO_STORE);
    headers.insert(UPLOAD_OFFSET, upload.offset.into());
    match upload.length {
        Some(length) => headers.insert(UPLOAD_LENGTH, length.into()),
        None => headers.insert(UPLOAD_DEFER_LENGTH, HeaderValue::from_static("1")),
    };
    let (metadata, parts) = headers::kept(&upload.metadata);
    let concat = match upload.kind {
        UploadKind::Whole => None,
        UploadKind::Partial => Some("partial".to_owned()),
        UploadKind::Final(_) => Some(parts.map_or_else(|| "final".to_owned(), |parts| format!("final;{parts}"))),
    };
    // Both came in as header values; what a database gave back otherwise is left out rather than trusted.
    for (name, value) in [(UPLOAD_METADATA, Some(metadata.to_owned())), (UPLOAD_CONCAT, concat)] {
        if let Some(value) = value.filter(|value| !value.is_empty())
            && let Ok(value) = HeaderValue::try_from(value)
        {
            headers.insert(name, value);
        }
    }
    outcome(headers, &upload);
    Ok(response)
}

/// Continue an upload
///
/// With the last byte the file exists, and the answer names it. Bytes that arrived before a connection broke are kept.
#[utoipa::path(patch, path = "/api/v1/uploads/{id}", tag = "Resumable uploads", security(("token" = [])),
    params(
        ("id" = String, Path, description = "An upload's id, `upl_…`."),
        ("Tus-Resumable" = String, Header, description = "`1.0.0`"),
        ("Upload-Offset" = u64, Header, description = "Where the body's first byte belongs: what `HEAD` said."),
        ("Upload-Length" = Option<u64>, Header, description = "Bytes of the file, if they were not given before."),
        ("Upload-Checksum" = Option<String>, Header, description = "An algorithm and the body's checksum in Base64; `460` if it does not match."),
    ),
    request_body(content = String, content_type = "application/offset+octet-stream", description = "The next bytes."),
    responses((status = 204, description = "The bytes are durable.", headers(
        ("Upload-Offset" = u64, description = "Where the next byte belongs."),
        ("Upload-Expires" = String, description = "When the upload is removed, unless it goes on before."),
        ("Holdfast-Entry" = String, description = "The file, once it is whole."),
    ))))]
async fn append_upload(app: &App, caller: Caller, id: UploadId, request: Request) -> Result<Response, Problem> {
    let headers = request.headers();
    if !carries_bytes(headers)? {
        return Err(wrong_type());
    }
    let offset = headers::offset(headers)?;
    let length = admit(headers, app.options.file_bytes_max)?;
    let checksum = headers::checksum(headers)?;
    let declared = headers::length(headers)?;
    let actor = caller.actor();
    let drive = &app.state.drive;
    let mut finished = None;
    match declared {
        None => {}
        Some(Length::Deferred) => return Err(Problem::invalid("`Upload-Defer-Length` belongs to the creation.")),
        Some(Length::Bytes(total)) if total > app.options.file_bytes_max => {
            return Err(too_large(app.options.file_bytes_max));
        }
        Some(Length::Bytes(total)) => {
            let upload = drive.declare_length(&actor, id, total).await?;
            // A client that learns only at the end how long the file is sends the length without any bytes.
            let nothing_comes = length == Some(0);
            finished = Some(upload)
                .filter(|upload| nothing_comes && upload.state == UploadState::Finished && upload.offset == offset);
        }
    }
    let upload = match finished {
        Some(upload) => upload,
        None => {
            let body = incoming(request.into_body(), app.options.body_idle);
            drive.append(&actor, id, Append { offset, length, checksum }, body).await?
        }
    };
    let mut response = empty(StatusCode::NO_CONTENT);
    response.headers_mut().insert(UPLOAD_OFFSET, upload.offset.into());
    outcome(response.headers_mut(), &upload);
    Ok(response)
}

/// End an upload
///
/// What it holds is removed. A file that it has become stays.
#[utoipa::path(delete, path = "/api/v1/uploads/{id}", tag = "Resumable uploads", security(("token" = [])),
    params(
        ("id" = String, Path, description = "An upload's id, `upl_…`."),
        ("Tus-Resumable" = String, Header, description = "`1.0.0`"),
    ),
    responses((status = 204, description = "The upload is gone.")))]
async fn terminate_upload(app: &App, caller: Caller, id: UploadId) -> Result<Response, Problem> {
    app.state.drive.terminate(&caller.actor(), id).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// Whether the body is bytes of the file. A creation may have none; any other type is refused.
fn carries_bytes(headers: &HeaderMap) -> Result<bool, Problem> {
    match headers.get(header::CONTENT_TYPE) {
        Some(value) if value.as_bytes().eq_ignore_ascii_case(OFFSET_TYPE.as_bytes()) => Ok(true),
        None => Ok(false),
        // Browsers and curl name a type for a body without bytes, too.
        Some(_) if crate::extract::content_length(headers) == Some(0) => Ok(false),
        Some(_) => Err(wrong_type()),
    }
}

fn wrong_type() -> Problem {
    let detail = "Bytes of an upload need the header `Content-Type: application/offset+octet-stream`.";
    Problem::new(ErrorKind::Invalid, "unsupported-media-type", detail)
}

/// What every answer about an upload says: how long it lives, and what became of it.
fn outcome(headers: &mut HeaderMap, upload: &Upload) {
    if upload.state == UploadState::Open || upload.kind == UploadKind::Partial {
        headers.insert(UPLOAD_EXPIRES, headers::http_date(upload.expires));
    }
    if let Some(entry) = upload.entry_id {
        headers.insert(HOLDFAST_ENTRY, HeaderValue::try_from(entry.to_string()).expect("an id is plain ASCII"));
    }
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
