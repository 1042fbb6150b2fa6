//! Files: their bytes both ways, and where the bytes are kept.

use std::sync::Arc;

use axum::{
    extract::{DefaultBodyLimit, Request, State},
    response::Response,
};
use base::{EntryId, NodeId, Time};
use drive::{Actor, Entry, OnConflict, Put, Target};
use http::{HeaderMap, Method, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt},
    routes,
};

use crate::{
    auth::Caller,
    body::{FileBody, Form, FormFile, admit, declared_type, incoming},
    conditions::{if_match, only_if_absent},
    digest,
    disposition::Disposition,
    download,
    error::Problem,
    extract::{Id, Json, NoQuery, Query, parse_conflict, parse_id, parse_name},
    rest::{
        trash::{DeleteQuery, delete},
        views::{EntryView, WithTag},
    },
    state::App,
};

/// The calls of this module.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::default()
        // Bodies of files have their own bound; the router's default one is meant for bodies that are collected.
        .routes(routes!(create_file).layer(DefaultBodyLimit::disable()))
        .routes(routes!(download_file, head_file, replace_file, delete_file))
        .routes(routes!(get_file_meta))
        .routes(routes!(list_parts))
}

/// What the new file is called and what happens if there is one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateQuery {
    name: Option<String>,
    parent: Option<String>,
    on_conflict: Option<String>,
    blake3: Option<String>,
    id: Option<String>,
}

/// What the bytes must be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplaceQuery {
    blake3: Option<String>,
}

/// How the browser should treat the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DownloadQuery {
    download: Option<String>,
}

/// Upload a file
///
/// The body is the file, of known or unknown length; or a form (`multipart/form-data`) whose first field is the file. The
/// `Content-Type` is kept, or guessed from the name where it is absent or says nothing.
///
/// A hash that the client gives, as `?blake3=` or as `Content-Digest: blake3=:…:`, is compared before the file exists.
#[utoipa::path(post, path = "/api/v1/files", tag = "Files", security(("token" = [])),
    params(
        ("name" = Option<String>, Query, description = "The file's name. A form's own file name is used where it is absent."),
        ("parent" = Option<String>, Query, description = "The folder to put it into; the root of one's own space where it is absent."),
        ("on_conflict" = Option<String>, Query,
            description = "What to do if the name is taken: `fail` (the default), `replace` (a new version of that file), `rename` (`x (2).txt`)."),
        ("blake3" = Option<String>, Query, description = "The BLAKE3 hash of the bytes, 64 hexadecimal digits."),
        ("id" = Option<String>, Query, description = "The id that a new file is to have: a UUIDv7 of the client's own making, that no entry has."),
        ("Content-Digest" = Option<String>, Header, description = "RFC 9530; `blake3=:…:` is compared, others are passed over. `Repr-Digest` likewise."),
        ("If-None-Match" = Option<String>, Header, description = "`*` is the same as `on_conflict=fail`."),
    ),
    request_body(content((String = "application/octet-stream"), (String = "multipart/form-data")),
        description = "The bytes of the file."),
    responses(
        (status = 200, description = "A new version of the file that had the name.", body = EntryView),
        (status = 201, description = "The new file.", body = EntryView),
    ))]
pub(crate) async fn create_file(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<CreateQuery>,
    request: Request,
) -> Result<(StatusCode, WithTag), Problem> {
    let headers = request.headers();
    // Everything that can be refused is refused before the body is touched: a client that waits for `100 Continue`
    // then never sends it.
    let length = admit(headers, app.options.file_bytes_max)?;
    let mut on_conflict = parse_conflict(query.on_conflict.as_deref())?;
    if only_if_absent(headers) {
        if query.on_conflict.is_some() && on_conflict != OnConflict::Fail {
            return Err(Problem::invalid("`If-None-Match: *` and `on_conflict` contradict each other."));
        }
        on_conflict = OnConflict::Fail;
    }
    let blake3 = digest::expected(query.blake3.as_deref(), headers)?;
    let parent: Option<EntryId> = query.parent.as_deref().map(parse_id).transpose()?;
    let name = query.name.as_deref().map(parse_name).transpose()?;
    let actor = caller.actor();
    let idle = app.options.body_idle;
    let id = query.id.as_deref().map(parse_id).transpose()?;
    let target = |name| Target::Child { parent, name, on_conflict, id };

    if Form::is_one(headers) {
        let drive = &app.state.drive;
        let store = async |file: FormFile, body: FileBody| {
            let name = match (name, file.name) {
                (Some(name), _) => name,
                (None, Some(given)) => parse_name(&given)?,
                (None, None) => return Err(missing_name()),
            };
            // The length of a form says nothing of the length of its file.
            let content_type = declared_type(file.content_type.as_deref())?;
            let put = Put { target: target(name), content_type, length: None, blake3 };
            Ok(drive.put(&actor, put, body).await?)
        };
        let stored = Form::open(request, idle).await?.store(store).await?;
        return Ok((created(stored.created), WithTag(stored.entry)));
    }
    let name = name.ok_or_else(missing_name)?;
    let put = Put { target: target(name), content_type: header_type(headers)?, length, blake3 };
    let stored = app.state.drive.put(&actor, put, incoming(request.into_body(), idle)).await?;
    Ok((created(stored.created), WithTag(stored.entry)))
}

fn missing_name() -> Problem {
    Problem::invalid("The file needs a name: `?name=`.")
}

fn created(created: bool) -> StatusCode {
    if created { StatusCode::CREATED } else { StatusCode::OK }
}

pub(crate) fn header_type(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Ok(None);
    };
    declared_type(Some(value.to_str().map_err(|_| Problem::invalid("The content type is not plain text."))?))
}

/// Replace a file's bytes
///
/// The old ones stay as an earlier version. The name stays as it is.
#[utoipa::path(put, path = "/api/v1/files/{id}", tag = "Files", security(("token" = [])),
    params(
        ("id" = String, Path, description = "A file's id, `ent_…`."),
        ("blake3" = Option<String>, Query, description = "The BLAKE3 hash of the bytes, 64 hexadecimal digits."),
        ("If-Match" = Option<String>, Header, description = "Only if the file has this entity tag."),
        ("Content-Digest" = Option<String>, Header, description = "RFC 9530; `blake3=:…:` is compared, others are passed over. `Repr-Digest` likewise."),
    ),
    request_body(content = String, content_type = "application/octet-stream", description = "The bytes of the file."),
    responses((status = 200, description = "The file with its new version.", body = EntryView)))]
pub(crate) async fn replace_file(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<EntryId>,
    Query(query): Query<ReplaceQuery>,
    request: Request,
) -> Result<WithTag, Problem> {
    let headers = request.headers();
    let put = Put {
        length: admit(headers, app.options.file_bytes_max)?,
        target: Target::File { id, if_match: if_match(headers) },
        content_type: header_type(headers)?,
        blake3: digest::expected(query.blake3.as_deref(), headers)?,
    };
    let body = incoming(request.into_body(), app.options.body_idle);
    let stored = app.state.drive.put(&caller.actor(), put, body).await?;
    Ok(WithTag(stored.entry))
}

/// Download a file
///
/// Types that a browser would run (`text/html`, `image/svg+xml`, …) are always offered for saving.
#[utoipa::path(get, path = "/api/v1/files/{id}", tag = "Files", security(("token" = [])),
    params(
        ("id" = String, Path, description = "A file's id, `ent_…`."),
        ("download" = Option<String>, Query, description = "`1`: browsers save the file instead of showing it."),
        ("Range" = Option<String>, Header, description = "One range or up to 32: `bytes=0-99, -100`."),
        ("If-Range" = Option<String>, Header, description = "An entity tag: the range counts only for this version."),
        ("If-Match" = Option<String>, Header, description = "Only this version."),
        ("If-None-Match" = Option<String>, Header, description = "Only if it is not this version."),
        ("If-Modified-Since" = Option<String>, Header, description = "Only if its bytes changed after this date."),
    ),
    responses(
        (status = 200, description = "All bytes of the file.", body = String, content_type = "*/*"),
        (status = 206, description = "The bytes of the ranges; several as `multipart/byteranges`.", body = String, content_type = "*/*"),
        (status = 304, description = "The client has this version already."),
    ))]
pub(crate) async fn download_file(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<EntryId>,
    Query(query): Query<DownloadQuery>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    answer(&app, caller, id, query, &method, &headers).await
}

/// Show a file's headers
///
/// Those of the download, without the bytes.
#[utoipa::path(head, path = "/api/v1/files/{id}", tag = "Files", security(("token" = [])),
    params(
        ("id" = String, Path, description = "A file's id, `ent_…`."),
        ("download" = Option<String>, Query, description = "As for the download."),
    ),
    responses(
        (status = 200, description = "The headers; `Content-Length` is the file's size."),
        (status = 304, description = "The client has this version already."),
    ))]
pub(crate) async fn head_file(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<EntryId>,
    Query(query): Query<DownloadQuery>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    answer(&app, caller, id, query, &method, &headers).await
}

async fn answer(
    app: &App,
    caller: Caller,
    id: EntryId,
    query: DownloadQuery,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let wanted = disposition(&query)?;
    let actor = caller.actor();
    let file = app.state.drive.open(&actor, id).await?;
    let answer = download::answer(method, headers, file, wanted).await?;
    if *method == Method::GET && answer.status().is_success() {
        app.state.drive.opened(&actor, id);
    }
    Ok(answer)
}

/// What a client asked a browser to do with the bytes.
pub(crate) fn disposition(query: &DownloadQuery) -> Result<Disposition, Problem> {
    match query.download.as_deref() {
        None | Some("0") => Ok(Disposition::Inline),
        Some("1") => Ok(Disposition::Attachment),
        Some(_) => Err(Problem::invalid("`download` must be `1` or `0`.")),
    }
}

/// Delete a file
///
/// It goes to the trash of its space, unless it is to be gone for good or is in the trash already.
#[utoipa::path(delete, path = "/api/v1/files/{id}", tag = "Files", security(("token" = [])),
    params(
        ("id" = String, Path, description = "A file's id, `ent_…`."),
        ("permanent" = Option<bool>, Query, description = "`true`: for good, past the trash."),
        ("If-Match" = Option<String>, Header, description = "Only if the file has this entity tag."),
    ),
    responses((status = 204, description = "The file is in the trash, or gone.")))]
pub(crate) async fn delete_file(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<EntryId>,
    Query(query): Query<DeleteQuery>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let actor = caller.actor();
    file(&app, &actor, id).await?;
    delete(&app, &actor, id, query, &headers).await
}

/// Show a file
#[utoipa::path(get, path = "/api/v1/files/{id}/meta", tag = "Files", security(("token" = [])),
    params(("id" = String, Path, description = "A file's id, `ent_…`.")),
    responses((status = 200, description = "The file.", body = EntryView)))]
pub(crate) async fn get_file_meta(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<EntryId>,
    _: NoQuery,
) -> Result<WithTag, Problem> {
    file(&app, &caller.actor(), id).await.map(WithTag)
}

async fn file(app: &App, actor: &Actor, id: EntryId) -> Result<Entry, Problem> {
    let entry = app.state.drive.stat(actor, id).await?;
    if entry.file().is_some() { Ok(entry) } else { Err(drive::Error::NotAFile.into()) }
}

/// Where the bytes of a file are.
#[derive(Serialize, ToSchema)]
pub(crate) struct Parts {
    /// Bytes of the file.
    size: u64,
    /// Whether the bytes stand in the database: then there are no extents.
    inline: bool,
    /// In the order of the file.
    extents: Vec<Extent>,
}

/// A run of bytes that was cut in one go.
#[derive(Serialize, ToSchema)]
struct Extent {
    /// Of its first byte in the file.
    offset: u64,
    length: u64,
    /// Parts that the bytes themselves went to.
    #[schema(example = 6)]
    data_parts: usize,
    /// Parts that can stand in for lost ones.
    #[schema(example = 2)]
    parity_parts: usize,
    /// Bytes of one part in a full stripe.
    #[schema(example = 1_048_576)]
    unit: usize,
    /// The placement group, which names the servers.
    group: u16,
    parts: Vec<Part>,
}

/// A piece of an extent on a storage server.
#[derive(Serialize, ToSchema)]
struct Part {
    /// Data parts first, then parity.
    index: usize,
    /// `data` or `parity`.
    #[schema(example = "data")]
    role: &'static str,
    #[schema(value_type = String, example = "nod_0197f3c6b1d07c3a9d2e5f60718293a4")]
    node_id: NodeId,
    length: u64,
    /// CRC-64/NVME, 16 hexadecimal digits.
    #[schema(example = "ae8b14860a799888")]
    checksum: String,
    /// `ok`, `missing`, `damaged`.
    #[schema(example = "ok")]
    state: &'static str,
    /// When it was last read back and found right.
    #[schema(value_type = Option<String>, format = DateTime)]
    verified_at: Option<Time>,
}

/// Show where a file's bytes are
#[utoipa::path(get, path = "/api/v1/files/{id}/parts", tag = "Files", security(("token" = [])),
    params(("id" = String, Path, description = "A file's id, `ent_…`.")),
    responses((status = 200, description = "Each part: its server, length, checksum and state.", body = Parts)))]
pub(crate) async fn list_parts(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<EntryId>,
    _: NoQuery,
) -> Result<Json<Parts>, Problem> {
    let view = app.state.drive.parts(&caller.actor(), id).await?;
    let size = view.entry.file().map_or(0, |info| info.size);
    let extents = view.extents.into_iter().map(|extent| Extent {
        offset: extent.offset,
        length: extent.length,
        data_parts: extent.data_parts,
        parity_parts: extent.parity_parts,
        unit: extent.unit,
        group: extent.group,
        parts: extent
            .parts
            .into_iter()
            .map(|part| Part {
                index: part.index,
                role: part.role,
                node_id: part.node_id,
                length: part.length,
                checksum: part.checksum,
                state: part.state,
                verified_at: part.verified_at,
            })
            .collect(),
    });
    Ok(Json(Parts { size, inline: view.inline, extents: extents.collect() }))
}
