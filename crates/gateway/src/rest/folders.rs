//! Folders and what is in them.

use std::sync::Arc;

use axum::extract::State;
use base::{EntryId, Name};
use drive::NewFolder;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    error::Problem,
    extract::{Id, Json, NoQuery, Query, RawJson, page_limit, parse_id, parse_name},
    listings::Key,
    rest::{
        page::{self, Page},
        trash::{DeleteQuery, delete},
        views::{EntryView, WithTag},
    },
    state::App,
};

/// A new folder.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FolderBody {
    #[schema(example = "Photos")]
    name: String,
    /// The folder to put it into; the root of one's own space where it is absent.
    #[schema(example = "ent_0197f3c6b1d07c3a9d2e5f60718293a4")]
    parent_id: Option<String>,
    /// The id that it is to have: a UUIDv7 of the client's own making, that no entry has. Ours where it is absent.
    #[schema(example = "ent_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: Option<String>,
}

/// How much of a folder, and in which order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChildrenQuery {
    limit: Option<u32>,
    cursor: Option<String>,
    sort: Option<String>,
}

/// Create a folder
#[utoipa::path(post, path = "/api/v1/folders", tag = "Folders", security(("token" = [])), request_body = FolderBody,
    responses((status = 201, description = "The folder.", body = EntryView)))]
pub(crate) async fn create_folder(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NoQuery,
    Json(body): Json<FolderBody>,
) -> Result<(StatusCode, WithTag), Problem> {
    let parent = body.parent_id.as_deref().map(parse_id).transpose()?;
    let id = body.id.as_deref().map(parse_id).transpose()?;
    let folder = NewFolder { id, parent, name: parse_name(&body.name)? };
    let folder = app.state.drive.create_folder(&caller.actor(), folder).await?;
    Ok((StatusCode::CREATED, WithTag(folder)))
}

/// Show a folder
#[utoipa::path(get, path = "/api/v1/folders/{id}", tag = "Folders", security(("token" = [])),
    params(("id" = String, Path, description = "A folder's id, `ent_…`.")),
    responses((status = 200, description = "The folder.", body = EntryView)))]
pub(crate) async fn get_folder(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<EntryId>,
    _: NoQuery,
) -> Result<WithTag, Problem> {
    folder(&app, &caller.actor(), id).await.map(WithTag)
}

/// List a folder
///
/// Folders and files together, by name in the order of their code points.
#[utoipa::path(get, path = "/api/v1/folders/{id}/children", tag = "Folders", security(("token" = [])),
    params(
        ("id" = String, Path, description = "A folder's id, `ent_…`."),
        ("limit" = Option<u32>, Query, description = "Items on the page: 1 to 1000, 100 if absent."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
        ("sort" = Option<String>, Query, description = "The order; `name` is the only one."),
    ),
    responses((status = 200, description = "A page of entries.", body = Page<EntryView>)))]
pub(crate) async fn list_children(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<EntryId>,
    Query(query): Query<ChildrenQuery>,
) -> Result<RawJson, Problem> {
    if query.sort.is_some_and(|sort| sort != "name") {
        return Err(Problem::invalid("`sort` must be `name`."));
    }
    let limit = page_limit(query.limit)?;
    let position = query.cursor.as_deref().map(page::position).transpose()?;
    let after = position
        .map(|name| Name::new(&name).map_err(|_| Problem::invalid("`cursor` is not one of ours.")))
        .transpose()?;
    let (drive, actor) = (&app.state.drive, caller.actor());
    let listing = drive.listing(&actor, id).await?;
    let key = Key::new(id, listing.moment, after.as_ref().map_or("", Name::as_str), limit);
    if let Some(page) = app.listings.get(key).await {
        return Ok(RawJson(page));
    }
    let children = listing.page(after.as_ref(), limit).await?;
    let next_cursor = children.items.last().filter(|_| children.more).map(|last| page::cursor(&last.name));
    let items: Vec<_> = children.items.into_iter().map(EntryView::from).collect();
    let count = items.len();
    let page = RawJson::of(&Page { items, next_cursor })?;
    app.listings.put(key, count, &page.0).await;
    Ok(page)
}

/// Delete a folder
///
/// Its whole tree goes with it: to the trash of its space, unless it is to be gone for good.
#[utoipa::path(delete, path = "/api/v1/folders/{id}", tag = "Folders", security(("token" = [])),
    params(
        ("id" = String, Path, description = "A folder's id, `ent_…`."),
        ("permanent" = Option<bool>, Query, description = "`true`: for good, past the trash."),
        ("If-Match" = Option<String>, Header, description = "Only if the folder has this entity tag."),
    ),
    responses((status = 204, description = "The folder is in the trash, or gone.")))]
pub(crate) async fn delete_folder(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<EntryId>,
    Query(query): Query<DeleteQuery>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let actor = caller.actor();
    folder(&app, &actor, id).await?;
    delete(&app, &actor, id, query, &headers).await
}

async fn folder(app: &App, actor: &drive::Actor, id: EntryId) -> Result<drive::Entry, Problem> {
    let entry = app.state.drive.stat(actor, id).await?;
    if entry.file().is_some() { Err(drive::Error::NotAFolder.into()) } else { Ok(entry) }
}
