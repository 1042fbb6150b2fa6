//! What each person keeps at hand: favourites, and what they worked with lately.

use std::sync::Arc;

use axum::extract::State;
use base::{EntryId, Time};
use drive::{Did, RECENT_MAX, Recent};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    error::Problem,
    extract::{Id, Json, NoQuery, PageQuery, Query, page_limit, parse_id, parse_time},
    rest::{
        page::{self, Page},
        views::EntryView,
    },
    state::App,
};

/// How much is wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecentQuery {
    limit: Option<u32>,
}

/// What one worked with lately.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecentList {
    /// The newest first.
    items: Vec<RecentView>,
}

/// An entry that one worked with.
#[derive(Serialize, ToSchema)]
#[schema(as = Recent)]
struct RecentView {
    /// As it is now.
    entry: EntryView,
    /// What one did with it last: `changed` or `opened`.
    #[schema(example = "opened")]
    did: &'static str,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    at: Time,
}

impl From<Recent> for RecentView {
    fn from(recent: Recent) -> Self {
        let did = match recent.did {
            Did::Changed => "changed",
            Did::Opened => "opened",
        };
        Self { entry: recent.entry.into(), did, at: recent.at }
    }
}

/// Make an entry a favourite
///
/// One's own, that nobody else sees. Up to 1000.
#[utoipa::path(put, path = "/api/v1/entries/{id}/favourite", tag = "Entries", security(("token" = [])),
    params(("id" = String, Path, description = "An entry's id, `ent_…`.")),
    responses((status = 204, description = "It is one.")))]
pub(crate) async fn add_favourite(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<EntryId>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    app.state.drive.add_favourite(&caller.actor(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make an entry no favourite
#[utoipa::path(delete, path = "/api/v1/entries/{id}/favourite", tag = "Entries", security(("token" = [])),
    params(("id" = String, Path, description = "An entry's id, `ent_…`.")),
    responses((status = 204, description = "It is none.")))]
pub(crate) async fn remove_favourite(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<EntryId>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    app.state.drive.remove_favourite(&caller.actor(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List one's favourites
///
/// Those that were made last come first, of all spaces. What is in the trash is left out until it comes back.
#[utoipa::path(get, path = "/api/v1/favourites", tag = "Entries", security(("token" = [])),
    params(
        ("limit" = Option<u32>, Query, description = "Items on the page: 1 to 1000, 100 if absent."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of entries.", body = Page<EntryView>)))]
pub(crate) async fn list_favourites(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<EntryView>>, Problem> {
    let limit = page_limit(query.limit)?;
    let before = query.cursor.as_deref().map(place).transpose()?;
    let (entries, next) = app.state.drive.favourites(&caller.actor(), before, limit).await?;
    let next_cursor = next.map(|(at, id)| page::cursor(&format!("{at} {id}")));
    Ok(Json(Page { items: entries.into_iter().map(EntryView::from).collect(), next_cursor }))
}

/// A time and an entry in a cursor.
fn place(cursor: &str) -> Result<(Time, EntryId), Problem> {
    let position = page::position(cursor)?;
    let (at, id) = position.split_once(' ').ok_or_else(|| Problem::invalid("`cursor` is not one of ours."))?;
    Ok((parse_time(at)?, parse_id(id)?))
}

/// List what one worked with lately
///
/// What one changed oneself, or read the bytes of, in whatever space, newest first and each entry once.
#[utoipa::path(get, path = "/api/v1/recent", tag = "Entries", security(("token" = [])),
    params(("limit" = Option<u32>, Query, description = "Items at most: 1 to 100, 100 if absent.")),
    responses((status = 200, description = "Up to that many entries.", body = RecentList)))]
pub(crate) async fn list_recent(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<RecentQuery>,
) -> Result<Json<RecentList>, Problem> {
    let limit = page_limit(query.limit)?.min(RECENT_MAX);
    let recent = app.state.drive.recent(&caller.actor(), limit).await?;
    Ok(Json(RecentList { items: recent.into_iter().map(RecentView::from).collect() }))
}
