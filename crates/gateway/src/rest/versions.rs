//! The versions of a file.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use base::{AccountId, EntryId, Time, VersionId};
use drive::{Label, Version};
use http::{HeaderMap, Method, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    conditions::if_match,
    digest::to_hex,
    download,
    error::Problem,
    extract::{Id, Ids, Json, NoQuery, PageQuery, Query, given, page_limit, parse_id},
    rest::{
        files::{DownloadQuery, disposition},
        page::{self, Page},
        views::{EntryView, WithTag},
    },
    state::App,
};

/// The bytes that a file had at a time.
#[derive(Serialize, ToSchema)]
#[schema(as = Version)]
pub(crate) struct VersionView {
    #[schema(value_type = String, example = "ver_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: VersionId,
    /// Bytes.
    #[schema(example = 1_048_576)]
    size: u64,
    #[schema(example = "application/pdf")]
    content_type: String,
    /// 64 hexadecimal digits; `null` until it is known, after a concatenated upload.
    blake3: Option<String>,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    created_at: Time,
    /// Who made it.
    #[schema(value_type = Option<String>, example = "usr_0197f3c6b1d07c3a9d2e5f60718293a4")]
    created_by: Option<AccountId>,
    /// What somebody called it; a version with a name is kept.
    #[schema(example = "as sent to the printer")]
    name: Option<String>,
    /// Somebody wants it kept.
    pinned: bool,
    /// It is what the file shows.
    current: bool,
}

/// What is to be said of a version; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LabelBody {
    /// Its name; `null` takes the name away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "as sent to the printer")]
    name: Option<Option<String>>,
    pinned: Option<bool>,
}

/// List a file's versions
///
/// Newest first; the current one is among them. Older ones go when there are more than `gateway.versions_kept`, or after
/// `drive.versions_days`, unless they are pinned or have a name.
#[utoipa::path(get, path = "/api/v1/files/{id}/versions", tag = "Versions", security(("token" = [])),
    params(
        ("id" = String, Path, description = "A file's id, `ent_…`."),
        ("limit" = Option<u32>, Query, description = "Items on the page: 1 to 1000, 100 if absent."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of versions.", body = Page<VersionView>)))]
pub(crate) async fn list_versions(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<EntryId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<VersionView>>, Problem> {
    let limit = page_limit(query.limit)?;
    let before = query.cursor.map(|cursor| parse_id(&page::position(&cursor)?)).transpose()?;
    let versions = app.state.drive.versions(&caller.actor(), id, before, limit).await?;
    let next_cursor = versions.items.last().filter(|_| versions.more).map(|last| page::cursor(&last.id.to_string()));
    Ok(Json(Page { items: versions.items.into_iter().map(VersionView::from).collect(), next_cursor }))
}

/// Download a version of a file
///
/// With ranges and conditions, as the file itself.
#[utoipa::path(get, path = "/api/v1/files/{id}/versions/{version}", tag = "Versions", security(("token" = [])),
    params(
        ("id" = String, Path, description = "A file's id, `ent_…`."),
        ("version" = String, Path, description = "A version's id, `ver_…`."),
        ("download" = Option<String>, Query, description = "`1`: browsers save the file instead of showing it."),
        ("Range" = Option<String>, Header, description = "One range or up to 32: `bytes=0-99, -100`."),
        ("If-Range" = Option<String>, Header, description = "An entity tag: the range counts only for this version."),
        ("If-None-Match" = Option<String>, Header, description = "Only if it is not this version."),
    ),
    responses(
        (status = 200, description = "All bytes of the version.", body = String, content_type = "*/*"),
        (status = 206, description = "The bytes of the ranges; several as `multipart/byteranges`.", body = String, content_type = "*/*"),
        (status = 304, description = "The client has this version already."),
    ))]
pub(crate) async fn download_version(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ids(id, version): Ids<EntryId, VersionId>,
    Query(query): Query<DownloadQuery>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let wanted = disposition(&query)?;
    let file = app.state.drive.open_version(&caller.actor(), id, version).await?;
    download::answer(&method, &headers, file, wanted).await
}

/// Make a version current again
///
/// As a new version that shares the bytes: none is copied, and the one that was current stays as an older one.
#[utoipa::path(post, path = "/api/v1/files/{id}/versions/{version}/restore", tag = "Versions", security(("token" = [])),
    params(
        ("id" = String, Path, description = "A file's id, `ent_…`."),
        ("version" = String, Path, description = "A version's id, `ver_…`."),
        ("If-Match" = Option<String>, Header, description = "Only if the file has this entity tag."),
    ),
    responses((status = 200, description = "The file with these bytes.", body = EntryView)))]
pub(crate) async fn restore_version(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ids(id, version): Ids<EntryId, VersionId>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<WithTag, Problem> {
    Ok(WithTag(app.state.drive.restore_version(&caller.actor(), id, version, if_match(&headers)).await?))
}

/// Name or pin a version
///
/// A version that is pinned or has a name is kept whatever the rules for older ones are.
#[utoipa::path(patch, path = "/api/v1/files/{id}/versions/{version}", tag = "Versions", security(("token" = [])),
    request_body = LabelBody,
    params(
        ("id" = String, Path, description = "A file's id, `ent_…`."),
        ("version" = String, Path, description = "A version's id, `ver_…`."),
    ),
    responses((status = 200, description = "The version.", body = VersionView)))]
pub(crate) async fn update_version(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ids(id, version): Ids<EntryId, VersionId>,
    _: NoQuery,
    Json(body): Json<LabelBody>,
) -> Result<Json<VersionView>, Problem> {
    if body.name.is_none() && body.pinned.is_none() {
        return Err(Problem::invalid("Give `name`, `pinned` or both."));
    }
    let label = Label { name: body.name, pinned: body.pinned };
    Ok(Json(app.state.drive.label_version(&caller.actor(), id, version, label).await?.into()))
}

/// Delete a version
///
/// For good, and its bytes no longer count. The current one stays: delete the file, or restore another version first.
#[utoipa::path(delete, path = "/api/v1/files/{id}/versions/{version}", tag = "Versions", security(("token" = [])),
    params(
        ("id" = String, Path, description = "A file's id, `ent_…`."),
        ("version" = String, Path, description = "A version's id, `ver_…`."),
    ),
    responses((status = 204, description = "The version is gone.")))]
pub(crate) async fn delete_version(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ids(id, version): Ids<EntryId, VersionId>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    app.state.drive.delete_version(&caller.actor(), id, version).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<Version> for VersionView {
    fn from(version: Version) -> Self {
        Self {
            id: version.id,
            size: version.size,
            content_type: version.content_type,
            blake3: version.blake3.map(|hash| to_hex(&hash)),
            created_at: version.created,
            created_by: version.created_by,
            name: version.name,
            pinned: version.pinned,
            current: version.current,
        }
    }
}
