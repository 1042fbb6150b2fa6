//! Tags: words with a colour, for the entries of a space.

use std::sync::Arc;

use axum::extract::State;
use base::{EntryId, SpaceId, TagId};
use drive::{Colour, Count, Tag, TagUpdate};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    error::Problem,
    extract::{Id, Json, NoQuery, PageQuery, Query, page_limit, parse_id},
    rest::{
        page::{self, Page},
        views::EntryView,
    },
    state::App,
};

/// A tag of a space.
#[derive(Serialize, ToSchema)]
#[schema(as = Tag)]
pub(crate) struct TagView {
    #[schema(value_type = String, example = "tag_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: TagId,
    #[schema(value_type = String, example = "spc_0197f3c6b1d07c3a9d2e5f60718293a4")]
    space_id: SpaceId,
    #[schema(example = "Invoices")]
    name: String,
    /// `red`, `orange`, `yellow`, `green`, `teal`, `blue`, `purple`, `grey`.
    #[schema(example = "green")]
    colour: &'static str,
    /// Tags that were merged into this one: an entry that has one of these ids has this tag.
    #[schema(value_type = Vec<String>)]
    merged_ids: Vec<TagId>,
    /// How many entries have it, if that was asked for; without those in the trash.
    entries: Option<u64>,
}

/// The tags of a space.
#[derive(Serialize, ToSchema)]
pub(crate) struct TagList {
    /// By name.
    items: Vec<TagView>,
}

/// A new tag.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTagBody {
    #[schema(example = "Invoices")]
    name: String,
    /// `red`, `orange`, `yellow`, `green`, `teal`, `blue`, `purple`, `grey`.
    #[schema(example = "green")]
    colour: String,
}

/// What is to change about a tag; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TagBody {
    #[schema(example = "Invoices")]
    name: Option<String>,
    #[schema(example = "green")]
    colour: Option<String>,
}

/// What a tag becomes a part of.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MergeTagBody {
    /// Another tag of the same space.
    #[schema(example = "tag_0197f3c6b1d07c3a9d2e5f60718293a4")]
    into: String,
}

/// Which entries get a tag, and which lose it; up to 1000 together.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TagEntriesBody {
    #[serde(default)]
    #[schema(example = json!(["ent_0197f3c6b1d07c3a9d2e5f60718293a4"]))]
    put_on: Vec<String>,
    #[serde(default)]
    #[schema(example = json!([]))]
    take_off: Vec<String>,
}

/// Entries after a change.
#[derive(Serialize, ToSchema)]
pub(crate) struct EntryList {
    /// In the order in which they were named.
    items: Vec<EntryView>,
}

/// Whether entries are counted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TagsQuery {
    counts: Option<bool>,
}

impl From<Tag> for TagView {
    fn from(tag: Tag) -> Self {
        Self {
            id: tag.id,
            space_id: tag.space,
            name: tag.name,
            colour: tag.colour.as_str(),
            merged_ids: tag.merged,
            entries: tag.entries,
        }
    }
}

fn colour(word: &str) -> Result<Colour, Problem> {
    Colour::parse(word).ok_or_else(|| {
        let words = Colour::ALL.map(|colour| format!("`{}`", colour.as_str())).join(", ");
        Problem::invalid(format!("`colour` must be one of {words}."))
    })
}

/// List the tags of a space
#[utoipa::path(get, path = "/api/v1/spaces/{id}/tags", tag = "Tags", security(("token" = [])),
    params(
        ("id" = String, Path, description = "A space's id, `spc_…`."),
        ("counts" = Option<bool>, Query, description = "`true`: with the number of entries of each, which takes as long as there are such entries."),
    ),
    responses((status = 200, description = "All of them.", body = TagList)))]
pub(crate) async fn list_tags(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<SpaceId>,
    Query(query): Query<TagsQuery>,
) -> Result<Json<TagList>, Problem> {
    let count = if query.counts == Some(true) { Count::Entries } else { Count::No };
    let tags = app.state.drive.tags(&caller.actor(), id, count).await?;
    Ok(Json(TagList { items: tags.into_iter().map(TagView::from).collect() }))
}

/// Create a tag
///
/// A space has up to 500, and no two of one name.
#[utoipa::path(post, path = "/api/v1/spaces/{id}/tags", tag = "Tags", security(("token" = [])), request_body = NewTagBody,
    params(("id" = String, Path, description = "A space's id, `spc_…`.")),
    responses((status = 201, description = "The tag.", body = TagView)))]
pub(crate) async fn create_tag(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<SpaceId>,
    _: NoQuery,
    Json(body): Json<NewTagBody>,
) -> Result<(StatusCode, Json<TagView>), Problem> {
    let tag = app.state.drive.create_tag(&caller.actor(), id, &body.name, colour(&body.colour)?).await?;
    Ok((StatusCode::CREATED, Json(tag.into())))
}

/// Rename or recolour a tag
#[utoipa::path(patch, path = "/api/v1/tags/{id}", tag = "Tags", security(("token" = [])), request_body = TagBody,
    params(("id" = String, Path, description = "A tag's id, `tag_…`.")),
    responses((status = 200, description = "The tag after the change.", body = TagView)))]
pub(crate) async fn update_tag(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<TagId>,
    _: NoQuery,
    Json(body): Json<TagBody>,
) -> Result<Json<TagView>, Problem> {
    let update = TagUpdate { name: body.name, colour: body.colour.as_deref().map(colour).transpose()? };
    Ok(Json(app.state.drive.update_tag(&caller.actor(), id, update).await?.into()))
}

/// Delete a tag
///
/// No entry has it from now on. Undo brings it back, on all entries that had it.
#[utoipa::path(delete, path = "/api/v1/tags/{id}", tag = "Tags", security(("token" = [])),
    params(("id" = String, Path, description = "A tag's id, `tag_…`.")),
    responses((status = 204, description = "It is gone.")))]
pub(crate) async fn delete_tag(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<TagId>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    app.state.drive.delete_tag(&caller.actor(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Merge a tag into another one
///
/// Entries keep the id that they have; `merged_ids` of the other tag says what it stands for.
#[utoipa::path(post, path = "/api/v1/tags/{id}/merge", tag = "Tags", security(("token" = [])), request_body = MergeTagBody,
    params(("id" = String, Path, description = "A tag's id, `tag_…`.")),
    responses((status = 200, description = "The other tag.", body = TagView)))]
pub(crate) async fn merge_tag(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<TagId>,
    _: NoQuery,
    Json(body): Json<MergeTagBody>,
) -> Result<Json<TagView>, Problem> {
    let into = parse_id(&body.into)?;
    Ok(Json(app.state.drive.merge_tag(&caller.actor(), id, into).await?.into()))
}

/// Put a tag on entries and take it off others
///
/// All of them or none, as one change to undo.
#[utoipa::path(post, path = "/api/v1/tags/{id}/entries", tag = "Tags", security(("token" = [])), request_body = TagEntriesBody,
    params(("id" = String, Path, description = "A tag's id, `tag_…`.")),
    responses((status = 200, description = "The entries after the change.", body = EntryList)))]
pub(crate) async fn tag_entries(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<TagId>,
    _: NoQuery,
    Json(body): Json<TagEntriesBody>,
) -> Result<Json<EntryList>, Problem> {
    let ids = |list: Vec<String>| list.iter().map(|text| parse_id(text)).collect::<Result<Vec<EntryId>, _>>();
    let entries = app.state.drive.tag_entries(&caller.actor(), id, ids(body.put_on)?, ids(body.take_off)?).await?;
    Ok(Json(EntryList { items: entries.into_iter().map(EntryView::from).collect() }))
}

/// Find entries by a tag
///
/// In the order of their ids. What is in the trash is left out.
#[utoipa::path(get, path = "/api/v1/tags/{id}/entries", tag = "Tags", security(("token" = [])),
    params(
        ("id" = String, Path, description = "A tag's id, `tag_…`."),
        ("limit" = Option<u32>, Query, description = "Items on the page: 1 to 1000, 100 if absent."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of entries.", body = Page<EntryView>)))]
pub(crate) async fn list_tagged(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<TagId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<EntryView>>, Problem> {
    let limit = page_limit(query.limit)?;
    let after = query.cursor.map(|cursor| parse_id(&page::position(&cursor)?)).transpose()?;
    let (entries, next) = app.state.drive.tagged(&caller.actor(), id, after, limit).await?;
    let next_cursor = next.map(|next| page::cursor(&next.to_string()));
    Ok(Json(Page { items: entries.into_iter().map(EntryView::from).collect(), next_cursor }))
}
