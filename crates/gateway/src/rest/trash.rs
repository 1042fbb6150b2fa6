//! The trash of a space: what is in it, the way back, and its end.

use std::sync::Arc;

use axum::extract::State;
use base::{AccountId, EntryId, JobId, SpaceId, Time};
use drive::{Actor, Emptying, OnConflict, Trashed};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    conditions::if_match,
    error::Problem,
    extract::{Id, Json, NoQuery, Query, page_limit, parse_id, parse_name},
    rest::{
        page::{self, Page},
        views::{EntryView, WithTag},
    },
    state::App,
};

/// How something is deleted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeleteQuery {
    permanent: Option<bool>,
}

/// Which trash, and how much of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrashQuery {
    space: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Which space.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpaceQuery {
    space: Option<String>,
}

/// How something comes back from the trash; what is absent is as it was.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RestoreBody {
    /// Another folder to put it into, in the same space.
    #[schema(example = "ent_0197f3c6b1d07c3a9d2e5f60718293a4")]
    parent_id: Option<String>,
    /// Another name.
    #[schema(example = "report.pdf")]
    name: Option<String>,
    /// What to do if the name is taken: `rename` (the default: `x (2).txt`) or `fail`.
    #[schema(example = "rename")]
    on_conflict: Option<String>,
}

/// Something in the trash.
#[derive(Serialize, ToSchema)]
#[schema(as = Trashed)]
pub(crate) struct TrashedView {
    #[serde(flatten)]
    entry: EntryView,
    /// The folder it was in.
    #[schema(value_type = String, example = "ent_0197f3c6b1d07c3a9d2e5f60718293a4")]
    original_parent_id: EntryId,
    /// Where it was when it was deleted.
    #[schema(example = "/Reports/2026/report.pdf")]
    original_path: String,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    trashed_at: Time,
    /// Who deleted it.
    #[schema(value_type = Option<String>, example = "usr_0197f3c6b1d07c3a9d2e5f60718293a4")]
    trashed_by: Option<AccountId>,
    /// When it will be gone for good; `null` where the trash keeps things until it is emptied.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-12-21T01:26:55.000000Z")]
    purged_at: Option<Time>,
}

/// How far the emptying of a trash is.
#[derive(Serialize, ToSchema)]
#[schema(as = Emptying)]
pub(crate) struct EmptyingView {
    #[schema(value_type = String, example = "spc_0197f3c6b1d07c3a9d2e5f60718293a4")]
    space_id: SpaceId,
    /// `idle` when nobody asked for it since it was done last, `running`, or `failed` when it was given up; then an
    /// administrator sees why.
    #[schema(example = "running")]
    state: &'static str,
    /// The job that does it.
    #[schema(value_type = Option<String>, example = "job_0197f3c6b1d07c3a9d2e5f60718293a4")]
    job_id: Option<JobId>,
    /// Deleted files and folders that were in the trash when it was asked for.
    entries_total: u64,
    /// Those of them that are still there.
    entries_left: u64,
    /// Large folders that are gone already, while what was in them is still being taken apart.
    trees_left: u64,
}

/// Deletes an entry, of any kind.
pub(crate) async fn delete(
    app: &App,
    actor: &Actor,
    id: EntryId,
    query: DeleteQuery,
    headers: &HeaderMap,
) -> Result<StatusCode, Problem> {
    let condition = if_match(headers);
    match query.permanent {
        Some(true) => app.state.drive.remove(actor, id, condition).await?,
        Some(false) | None => app.state.drive.trash(actor, id, condition).await?,
    }
    Ok(StatusCode::NO_CONTENT)
}

/// List the trash
///
/// What was deleted last comes first. What lies in a deleted folder is not listed by itself: it is in
/// `GET /api/v1/folders/{id}/children`, and comes back with its folder. Bytes in the trash count in the space.
#[utoipa::path(get, path = "/api/v1/trash", tag = "Trash", security(("token" = [])),
    params(
        ("space" = Option<String>, Query, description = "A space's id, `spc_…`; one's own space where it is absent."),
        ("limit" = Option<u32>, Query, description = "Items on the page: 1 to 1000, 100 if absent."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of what was deleted.", body = Page<TrashedView>)))]
pub(crate) async fn list_trash(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<TrashQuery>,
) -> Result<Json<Page<TrashedView>>, Problem> {
    let limit = page_limit(query.limit)?;
    let actor = caller.actor();
    let space = space(&actor, query.space.as_deref())?;
    let before = query.cursor.as_deref().map(number).transpose()?;
    let trashed = app.state.drive.trashed(&actor, space, before, limit).await?;
    let next_cursor =
        trashed.items.last().filter(|_| trashed.more).map(|last| page::cursor(&last.sequence.to_string()));
    Ok(Json(Page { items: trashed.items.into_iter().map(TrashedView::from).collect(), next_cursor }))
}

/// Empty the trash
///
/// All that is in it now is removed for good, in the background; `GET /api/v1/trash/emptying` says how far that is. What
/// is deleted from now on stays in the trash.
#[utoipa::path(delete, path = "/api/v1/trash", tag = "Trash", security(("token" = [])),
    params(("space" = Option<String>, Query, description = "A space's id, `spc_…`; one's own space where it is absent.")),
    responses((status = 202, description = "It has been asked for.", body = EmptyingView)))]
pub(crate) async fn empty_trash(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<SpaceQuery>,
) -> Result<(StatusCode, Json<EmptyingView>), Problem> {
    let actor = caller.actor();
    let space = space(&actor, query.space.as_deref())?;
    let emptying = app.state.drive.empty_trash(&actor, space).await?;
    Ok((StatusCode::ACCEPTED, Json(EmptyingView::of(space, emptying))))
}

/// Show how far the emptying is
#[utoipa::path(get, path = "/api/v1/trash/emptying", tag = "Trash", security(("token" = [])),
    params(("space" = Option<String>, Query, description = "A space's id, `spc_…`; one's own space where it is absent.")),
    responses((status = 200, description = "Its state now.", body = EmptyingView)))]
pub(crate) async fn get_emptying(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<SpaceQuery>,
) -> Result<Json<EmptyingView>, Problem> {
    let actor = caller.actor();
    let space = space(&actor, query.space.as_deref())?;
    Ok(Json(EmptyingView::of(space, app.state.drive.emptying(&actor, space).await?)))
}

/// Restore an entry from the trash
///
/// With all that is in it, to the folder it was in. Where that is gone or in the trash itself, another one has to be named.
#[utoipa::path(post, path = "/api/v1/entries/{id}/restore", tag = "Trash", security(("token" = [])),
    request_body = RestoreBody,
    params(("id" = String, Path, description = "An entry's id, `ent_…`.")),
    responses((status = 200, description = "The entry, which is back.", body = EntryView)))]
pub(crate) async fn restore_entry(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<EntryId>,
    _: NoQuery,
    Json(body): Json<RestoreBody>,
) -> Result<WithTag, Problem> {
    restore(&app, &caller.actor(), id, body).await
}

/// Restore a file from the trash
///
/// The same as `POST /api/v1/entries/{id}/restore`; folders come back this way too.
#[utoipa::path(post, path = "/api/v1/files/{id}/restore", tag = "Trash", security(("token" = [])),
    request_body = RestoreBody,
    params(("id" = String, Path, description = "An entry's id, `ent_…`.")),
    responses((status = 200, description = "The entry, which is back.", body = EntryView)))]
pub(crate) async fn restore_file(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<EntryId>,
    _: NoQuery,
    Json(body): Json<RestoreBody>,
) -> Result<WithTag, Problem> {
    restore(&app, &caller.actor(), id, body).await
}

async fn restore(app: &App, actor: &Actor, id: EntryId, body: RestoreBody) -> Result<WithTag, Problem> {
    let on_conflict = match body.on_conflict.as_deref() {
        None | Some("rename") => OnConflict::Rename,
        Some("fail") => OnConflict::Fail,
        Some(_) => return Err(Problem::invalid("`on_conflict` must be `rename` or `fail`.")),
    };
    let restore = drive::Restore {
        parent: body.parent_id.as_deref().map(parse_id).transpose()?,
        name: body.name.as_deref().map(parse_name).transpose()?,
        on_conflict,
    };
    Ok(WithTag(app.state.drive.restore(actor, id, restore).await?))
}

/// The space that was named, or the caller's own.
pub(crate) fn space(actor: &Actor, named: Option<&str>) -> Result<SpaceId, Problem> {
    Ok(named.map(parse_id).transpose()?.unwrap_or(actor.principal.space))
}

/// A number in a cursor.
pub(crate) fn number(cursor: &str) -> Result<u64, Problem> {
    let number: Option<u64> = page::position(cursor)?.parse().ok();
    let number = number.filter(|number| i64::try_from(*number).is_ok());
    number.ok_or_else(|| Problem::invalid("`cursor` is not one of ours."))
}

impl From<Trashed> for TrashedView {
    fn from(trashed: Trashed) -> Self {
        Self {
            entry: trashed.entry.into(),
            original_parent_id: trashed.from,
            original_path: trashed.path,
            trashed_at: trashed.at,
            trashed_by: trashed.by,
            purged_at: trashed.until,
        }
    }
}

impl EmptyingView {
    fn of(space_id: SpaceId, emptying: Emptying) -> Self {
        let state = match emptying {
            Emptying { failed: true, .. } => "failed",
            Emptying { job: None, .. } => "idle",
            _ => "running",
        };
        Self {
            space_id,
            state,
            job_id: emptying.job,
            entries_total: emptying.total,
            entries_left: emptying.left,
            trees_left: emptying.trees,
        }
    }
}
