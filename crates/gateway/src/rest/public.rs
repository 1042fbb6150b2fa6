//! What visitors of a link call. Nobody is signed in here: the token in the path and a visitor's pass are all there is.

use std::sync::Arc;

use axum::{
    extract::{DefaultBodyLimit, Request, State},
    response::{IntoResponse, Response},
};
use base::{EntryId, Name, Secret, Time};
use drive::{Counted, Entry, Kind, Mode, Opened};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt},
    routes,
};

use crate::{
    body::{admit, incoming},
    disposition::{Disposition, is_active},
    download,
    error::Problem,
    extract::{Json, NoQuery, PageQuery, Query, SecondId, page_limit, parse_name},
    rest::{
        archive::ArchiveQuery,
        files::{DownloadQuery, disposition, header_type},
        page::{self, Page},
        views::EntryKind,
    },
    state::App,
    visitor::{DOWNLOAD, Visitor},
};

/// The calls of this module.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::default()
        .routes(routes!(open_link))
        .routes(routes!(unlock_link))
        .routes(routes!(get_linked_entry))
        .routes(routes!(list_linked_children))
        .routes(routes!(download_linked_file, head_linked_file))
        .routes(routes!(download_linked_archive))
        .routes(routes!(upload_by_link).layer(DefaultBodyLimit::disable()))
}

/// A link as its visitors see it.
#[derive(Serialize, ToSchema)]
#[schema(as = PublicLink)]
pub(crate) struct PublicLinkView {
    /// What it leads to; `null` while the password is needed.
    entry: Option<LinkedEntryView>,
    /// `view`, `download`, `upload`.
    #[schema(example = "download")]
    mode: &'static str,
    /// There is a password, and this visitor has not given it (see `unlock`).
    needs_password: bool,
    /// What its owner tells visitors; `null` while the password is needed.
    note: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-12-21T01:26:55.000000Z")]
    expires_at: Option<Time>,
    /// `null` without a limit.
    downloads_left: Option<u64>,
    /// Who made it.
    #[schema(example = "Ada")]
    owner_name: String,
    /// Of a file that is still being uploaded, how many of its bytes are there; a download gets those and waits for the others.
    /// `null` for everything else.
    received_bytes: Option<u64>,
}

/// A folder or file, as far as visitors of a link see it.
#[derive(Serialize, ToSchema)]
#[schema(as = LinkedEntry)]
pub(crate) struct LinkedEntryView {
    #[schema(value_type = String, example = "ent_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: EntryId,
    /// `null` for what the link leads to: nothing is above it.
    #[schema(value_type = Option<String>, example = "ent_0197f3c6b1d07c3a9d2e5f6071829300")]
    parent_id: Option<EntryId>,
    #[schema(example = "report.pdf")]
    name: String,
    kind: EntryKind,
    /// Bytes of a file.
    size: Option<u64>,
    /// Of a file.
    #[schema(example = "application/pdf")]
    content_type: Option<String>,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    modified_at: Time,
    /// Of a file, with its quotes.
    etag: Option<String>,
}

/// What a visitor gives.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnlockBody {
    #[schema(value_type = Option<String>)]
    password: Option<Secret>,
    /// What the visitor wants to be called, for the owner of the link.
    #[schema(example = "Grace")]
    visitor_name: Option<String>,
}

/// What a visitor goes on with.
#[derive(Serialize, ToSchema)]
#[schema(as = LinkSession)]
pub(crate) struct LinkSessionView {
    /// Goes into the header `Link-Session`; browsers have it as a cookie already.
    session_token: String,
    /// Seconds until the password has to be given again.
    #[schema(example = 7200)]
    expires_in: u64,
}

/// What the file is to be called.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DropQuery {
    name: Option<String>,
}

/// What came in.
#[derive(Serialize, ToSchema)]
#[schema(as = Received)]
pub(crate) struct ReceivedView {
    /// As the visitor called it; where the name was taken the file got another one, of which visitors are not told.
    #[schema(example = "report.pdf")]
    name: String,
    /// Bytes.
    size: u64,
}

/// Look at a link
#[utoipa::path(get, path = "/api/v1/public/links/{token}", tag = "Public links",
    params(
        ("token" = String, Path, description = "The token of the link."),
        ("Link-Session" = Option<String>, Header, description = "Of `unlock`, if there is a password."),
    ),
    responses((status = 200, description = "What it leads to.", body = PublicLinkView)))]
pub(crate) async fn open_link(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    _: NoQuery,
) -> Result<Json<PublicLinkView>, Problem> {
    let opened = app.links.look(&visitor.visit).await?;
    Ok(Json(opened.into()))
}

/// Give a link's password, or one's name
///
/// The answer also sets a cookie for this link, so that browsers may embed and save what it leads to. It ends when the
/// owner changes the password.
#[utoipa::path(post, path = "/api/v1/public/links/{token}/unlock", tag = "Public links", request_body = UnlockBody,
    params(("token" = String, Path, description = "The token of the link.")),
    responses((status = 200, description = "What to go on with.", body = LinkSessionView)))]
pub(crate) async fn unlock_link(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    _: NoQuery,
    Json(body): Json<UnlockBody>,
) -> Result<Response, Problem> {
    let unlocked = app.links.unlock(&visitor.visit, body.password, body.visitor_name.as_deref()).await?;
    let cookie = visitor.session_cookie(&unlocked.pass, unlocked.lifetime);
    let view =
        LinkSessionView { session_token: unlocked.pass.expose().to_owned(), expires_in: unlocked.lifetime.as_secs() };
    let headers = [(header::SET_COOKIE, cookie), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((headers, Json(view)).into_response())
}

/// Show an entry of a link
///
/// The one that the link leads to, or one below it; everything else does not exist here.
#[utoipa::path(get, path = "/api/v1/public/links/{token}/entries/{entry}", tag = "Public links",
    params(
        ("token" = String, Path, description = "The token of the link."),
        ("entry" = String, Path, description = "An entry's id, `ent_…`."),
        ("Link-Session" = Option<String>, Header, description = "Of `unlock`, if there is a password."),
    ),
    responses((status = 200, description = "The folder or file.", body = LinkedEntryView)))]
pub(crate) async fn get_linked_entry(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    SecondId(id): SecondId<EntryId>,
    _: NoQuery,
) -> Result<Json<LinkedEntryView>, Problem> {
    Ok(Json(app.links.stat(&visitor.visit, id).await?.into()))
}

/// List a folder of a link
#[utoipa::path(get, path = "/api/v1/public/links/{token}/entries/{entry}/children", tag = "Public links",
    params(
        ("token" = String, Path, description = "The token of the link."),
        ("entry" = String, Path, description = "A folder's id, `ent_…`."),
        ("limit" = Option<u32>, Query, description = "Items on the page: 1 to 1000, 100 if absent."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
        ("Link-Session" = Option<String>, Header, description = "Of `unlock`, if there is a password."),
    ),
    responses((status = 200, description = "A page of entries, by name.", body = Page<LinkedEntryView>)))]
pub(crate) async fn list_linked_children(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    SecondId(id): SecondId<EntryId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<LinkedEntryView>>, Problem> {
    let limit = page_limit(query.limit)?;
    let position = query.cursor.as_deref().map(page::position).transpose()?;
    let after = position
        .map(|name| Name::new(&name).map_err(|_| Problem::invalid("`cursor` is not one of ours.")))
        .transpose()?;
    let children = app.links.children(&visitor.visit, id, after.as_ref(), limit).await?;
    let next_cursor = children.items.last().filter(|_| children.more).map(|last| page::cursor(&last.name));
    Ok(Json(Page { items: children.items.into_iter().map(LinkedEntryView::from).collect(), next_cursor }))
}

/// Download a file of a link
///
/// A download counts once, however many ranges it comes in: the first answer has a `Download-Id` (for browsers also as a
/// cookie), and requests that bring it within 24 hours, for the same version, are not counted again. Without it each
/// request is a download. A link for looking only gives files that a browser shows, and none to be saved.
#[utoipa::path(get, path = "/api/v1/public/links/{token}/files/{entry}", tag = "Public links",
    params(
        ("token" = String, Path, description = "The token of the link."),
        ("entry" = String, Path, description = "A file's id, `ent_…`."),
        ("download" = Option<String>, Query, description = "`1`: browsers save the file instead of showing it."),
        ("Link-Session" = Option<String>, Header, description = "Of `unlock`, if there is a password."),
        ("Download-Id" = Option<String>, Header, description = "Of the first answer of this download."),
        ("Range" = Option<String>, Header, description = "One range or up to 32: `bytes=0-99, -100`."),
        ("If-Range" = Option<String>, Header, description = "An entity tag: the range counts only for this version."),
        ("If-Match" = Option<String>, Header, description = "Only this version."),
        ("If-None-Match" = Option<String>, Header, description = "Only if it is not this version."),
    ),
    responses(
        (status = 200, description = "All bytes of the file.", body = String, content_type = "*/*"),
        (status = 206, description = "The bytes of the ranges; several as `multipart/byteranges`.", body = String, content_type = "*/*"),
        (status = 304, description = "The client has this version already."),
    ))]
pub(crate) async fn download_linked_file(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    SecondId(id): SecondId<EntryId>,
    Query(query): Query<DownloadQuery>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    answer(&app, visitor, id, query, &method, &headers).await
}

/// Show the headers of a file of a link
///
/// Those of the download, without the bytes; not counted.
#[utoipa::path(head, path = "/api/v1/public/links/{token}/files/{entry}", tag = "Public links",
    params(
        ("token" = String, Path, description = "The token of the link."),
        ("entry" = String, Path, description = "A file's id, `ent_…`."),
        ("download" = Option<String>, Query, description = "As for the download."),
        ("Link-Session" = Option<String>, Header, description = "Of `unlock`, if there is a password."),
    ),
    responses(
        (status = 200, description = "The headers; `Content-Length` is the file's size."),
        (status = 304, description = "The client has this version already."),
    ))]
pub(crate) async fn head_linked_file(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    SecondId(id): SecondId<EntryId>,
    Query(query): Query<DownloadQuery>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    answer(&app, visitor, id, query, &method, &headers).await
}

async fn answer(
    app: &App,
    visitor: Visitor,
    id: EntryId,
    query: DownloadQuery,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let wanted = disposition(&query)?;
    let file = app.links.open(&visitor.visit, id, visitor.download.as_deref()).await?;
    let entry = file.entry.clone();
    let info = entry.file().ok_or(drive::Error::NotAFile)?;
    if visitor.visit.mode() == Mode::View && (wanted == Disposition::Attachment || is_active(&info.content_type)) {
        return Err(drive::Error::LinkForbids("this link is for looking only, at what a browser can show").into());
    }
    let response = download::answer(method, headers, file, wanted).await?;
    let (etag, below) = (entry.etag(), format!("files/{id}"));
    counted(app, &visitor, &entry, &etag, info.size, &below, response).await
}

/// Counts an answer that has bytes, before they leave, and gives it what the next ranges show that by.
async fn counted(
    app: &App,
    visitor: &Visitor,
    entry: &Entry,
    etag: &str,
    bytes: u64,
    below: &str,
    mut response: Response,
) -> Result<Response, Problem> {
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Cookie, Link-Session"));
    // The answer to a HEAD has a length and no bytes, that to a failed condition has neither.
    let has_bytes = http_body::Body::size_hint(response.body()).exact() != Some(0);
    if !has_bytes {
        return Ok(response);
    }
    let download = visitor.download.as_deref();
    if let Counted::Now(pass, lifetime) = app.links.count(&visitor.visit, entry, etag, bytes, download).await? {
        let headers = response.headers_mut();
        headers.insert(header::SET_COOKIE, visitor.download_cookie(&pass, below, lifetime));
        let id = HeaderValue::try_from(pass.expose()).expect("a pass is visible ASCII");
        headers.insert(DOWNLOAD, id);
    }
    Ok(response)
}

/// Download what a link leads to as one archive
///
/// All of it, or the entries that are named. Counts as one download, like a file: ranges of it bring the `Download-Id` of
/// the first answer. Not for links that are for looking only.
#[utoipa::path(get, path = "/api/v1/public/links/{token}/archive", tag = "Public links",
    params(
        ("token" = String, Path, description = "The token of the link."),
        ("entries" = Option<String>, Query, description = "Ids of folders and files, `ent_…`, with commas between them; up to 500."),
        ("format" = Option<String>, Query, description = "`zip` (the default) or `tar`."),
        ("Link-Session" = Option<String>, Header, description = "Of `unlock`, if there is a password."),
        ("Download-Id" = Option<String>, Header, description = "Of the first answer of this download."),
        ("Range" = Option<String>, Header, description = "One range or up to 32: `bytes=0-99, -100`."),
        ("If-Range" = Option<String>, Header, description = "An entity tag: the range counts only for the same archive."),
    ),
    responses(
        (status = 200, description = "The archive.", body = String, content_type = "*/*"),
        (status = 206, description = "The bytes of the ranges; several as `multipart/byteranges`.", body = String, content_type = "*/*"),
        (status = 304, description = "The client has this archive already."),
    ))]
pub(crate) async fn download_linked_archive(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Query(query): Query<ArchiveQuery>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (entries, format) = (query.entries()?, query.format()?);
    let download = visitor.download.as_deref();
    let (top, archive) = app.links.archive(&visitor.visit, &entries, format, download).await?;
    let (etag, size) = (archive.etag.clone(), archive.size);
    let response = download::archive(&method, &headers, archive).await?;
    counted(&app, &visitor, &top, &etag, size, "archive", response).await
}

/// Put a file in by a link
///
/// For links that take files. The body is the file, of known or unknown length. It counts in the space of the link's owner.
#[utoipa::path(post, path = "/api/v1/public/links/{token}/files", tag = "Public links",
    params(
        ("token" = String, Path, description = "The token of the link."),
        ("name" = String, Query, description = "The file's name."),
        ("Link-Session" = Option<String>, Header, description = "Of `unlock`, if there is a password."),
    ),
    request_body(content = String, content_type = "application/octet-stream", description = "The bytes of the file."),
    responses((status = 201, description = "It is there.", body = ReceivedView)))]
pub(crate) async fn upload_by_link(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Query(query): Query<DropQuery>,
    request: Request,
) -> Result<(StatusCode, Json<ReceivedView>), Problem> {
    let headers = request.headers();
    let length = admit(headers, app.options.file_bytes_max)?;
    let name = query.name.as_deref().ok_or_else(|| Problem::invalid("The file needs a name: `?name=`."))?;
    let name = parse_name(name)?;
    let content_type = header_type(headers)?;
    let body = incoming(request.into_body(), app.options.body_idle);
    let size = app.links.upload(&visitor.visit, name.clone(), content_type, length, body).await?;
    Ok((StatusCode::CREATED, Json(ReceivedView { name: name.into_string(), size })))
}

impl From<Opened> for PublicLinkView {
    fn from(opened: Opened) -> Self {
        Self {
            needs_password: opened.has_password && opened.entry.is_none(),
            entry: opened.entry.map(LinkedEntryView::from),
            mode: opened.mode.as_str(),
            note: opened.note,
            expires_at: opened.expires,
            downloads_left: opened.downloads_left,
            owner_name: opened.owner_name,
            received_bytes: opened.received,
        }
    }
}

impl From<Entry> for LinkedEntryView {
    fn from(entry: Entry) -> Self {
        let etag = entry.file().map(|_| entry.etag());
        let (kind, size, content_type) = match entry.kind {
            Kind::Folder => (EntryKind::Folder, None, None),
            Kind::File(info) => (EntryKind::File, Some(info.size), Some(info.content_type)),
        };
        Self {
            id: entry.id,
            parent_id: entry.parent,
            name: entry.name,
            kind,
            size,
            content_type,
            modified_at: entry.modified,
            etag,
        }
    }
}
