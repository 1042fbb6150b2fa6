//! Spaces: how full they are, what changed in them, and entries by their paths.

use std::{sync::Arc, time::Duration};

use axum::extract::State;
use base::{AccountId, EntryId, SpaceId, Time};
use drive::{Reading, Space};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

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

/// How long a call may wait for a change. Proxies give up after a minute.
const WAIT_SECONDS_MAX: u32 = 50;

/// A tree with its quota and its journal.
#[derive(Serialize, ToSchema)]
#[schema(as = Space)]
pub(crate) struct SpaceView {
    #[schema(value_type = String, example = "spc_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: SpaceId,
    /// `personal` or `team`.
    #[schema(example = "personal")]
    kind: String,
    #[schema(example = "ada")]
    name: String,
    /// Whose it is; of a team's space, who made it.
    #[schema(value_type = String, example = "usr_0197f3c6b1d07c3a9d2e5f60718293a4")]
    owner_id: AccountId,
    /// What one may do with all of it: `viewer`, `commenter`, `editor`, `manager`.
    #[schema(example = "manager")]
    role: &'static str,
    /// The root folder.
    #[schema(value_type = String, example = "ent_0197f3c6b1d07c3a9d2e5f60718293a4")]
    root_id: EntryId,
    /// Bytes of all versions.
    used_bytes: u64,
    /// Bytes that uploads under way will need.
    reserved_bytes: u64,
    /// The most that used and reserved bytes may come to; `null` for no limit.
    quota_bytes: Option<u64>,
    /// The number of the newest change.
    sequence: u64,
    /// Changes when the journal cannot be continued.
    epoch: u64,
}

/// The name of a team's space.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpaceBody {
    /// 1 to 100 characters.
    #[schema(example = "Research")]
    name: String,
}

/// What the bytes of a space are made of.
#[derive(Serialize, ToSchema)]
#[schema(as = Usage)]
pub(crate) struct UsageView {
    #[schema(value_type = String, example = "spc_0197f3c6b1d07c3a9d2e5f60718293a4")]
    space_id: SpaceId,
    /// What counts against the quota: the sum of files, versions, trash and removing.
    used_bytes: u64,
    /// Current versions of the files.
    files_bytes: u64,
    /// Their older versions.
    versions_bytes: u64,
    /// What is in the trash, with all versions.
    trash_bytes: u64,
    /// What was removed for good and is still being taken apart.
    removing_bytes: u64,
    /// Bytes that uploads under way will need.
    reserved_bytes: u64,
    /// The most that used and reserved bytes may come to; `null` for no limit.
    quota_bytes: Option<u64>,
    /// What is really kept for files, versions and trash: bytes that copies share are kept once.
    stored_bytes: u64,
    /// What counts and is not kept again, because something else in the space has the same bytes.
    shared_bytes: u64,
    /// Parity on the storage servers in addition; it counts against nobody.
    parity_bytes: u64,
}

/// Changes in the order in which they happened.
#[derive(Serialize, ToSchema)]
pub(crate) struct Changes {
    items: Vec<Change>,
    /// The cursor for the next call, whether or not there is more now.
    #[schema(example = "1.42")]
    next: String,
    /// Whether there was more when the page was read.
    more: bool,
}

/// A part of all entries of a space.
#[derive(Serialize, ToSchema)]
pub(crate) struct Snapshot {
    /// In no order that means anything.
    items: Vec<EntryView>,
    /// The cursor of the journal from which on changes have to be applied once the last page was read. It is the same on every
    /// page.
    #[schema(example = "1.42")]
    since: String,
    /// What to give as `cursor` for the next page; `null` on the last one.
    next_cursor: Option<String>,
}

/// Something that happened to an entry.
#[derive(Serialize, ToSchema)]
pub(crate) struct Change {
    /// Counts up without holes.
    #[schema(example = 42)]
    sequence: u64,
    /// `created`, `renamed`, `moved`, `content`, `copied`, `trashed`, `restored`, `versions`, `shared`, `details`, `tagged`,
    /// `merged` (what was in it is in another folder), `tags` (those of the space, the entry being its root), `left` (to another
    /// space), `deleted`; and `hidden`, for who sees only a part of the space and this entry not any more.
    #[schema(example = "created")]
    kind: String,
    #[schema(value_type = String, example = "ent_0197f3c6b1d07c3a9d2e5f60718293a4")]
    entry_id: EntryId,
    /// The entry's revision after the change.
    revision: u64,
    /// Who did it.
    #[schema(value_type = Option<String>, example = "usr_0197f3c6b1d07c3a9d2e5f60718293a4")]
    actor: Option<AccountId>,
    #[schema(value_type = Option<String>)]
    operation_id: Option<Uuid>,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    at: Time,
    /// The number of the change that this one takes back, if it is an undo or a redo.
    undoes: Option<u64>,
    /// Whether it came out of another space: what is in it came along, with no change of its own. Left out if not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    arrived: bool,
    /// The entry after the change; `null` for `trashed`, `left` and `deleted`, after which it is no part of the tree, and for `hidden`.
    #[schema(value_type = Option<EntryView>)]
    entry: Option<serde_json::Value>,
}

/// Where a reader of changes stands.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangesQuery {
    since: Option<String>,
    limit: Option<u32>,
    wait: Option<u32>,
}

/// Which entry.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PathQuery {
    path: String,
}

/// List one's spaces
///
/// One's own, and those of the teams that one is a member of.
#[utoipa::path(get, path = "/api/v1/spaces", tag = "Spaces", security(("token" = [])),
    params(
        ("limit" = Option<u32>, Query, description = "Items on the page: 1 to 1000, 100 if absent."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of spaces.", body = Page<SpaceView>)))]
pub(crate) async fn list_spaces(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<SpaceView>>, Problem> {
    let limit = page_limit(query.limit)?;
    let after = query.cursor.map(|cursor| parse_id(&page::position(&cursor)?)).transpose()?;
    let spaces = app.state.drive.spaces(&caller.actor(), after, limit).await?;
    let next_cursor = spaces.items.last().filter(|_| spaces.more).map(|last| page::cursor(&last.id.to_string()));
    Ok(Json(Page { items: spaces.items.into_iter().map(SpaceView::from).collect(), next_cursor }))
}

/// Show a space
#[utoipa::path(get, path = "/api/v1/spaces/{id}", tag = "Spaces", security(("token" = [])),
    params(("id" = String, Path, description = "A space's id, `spc_…`.")),
    responses((status = 200, description = "The space.", body = SpaceView)))]
pub(crate) async fn get_space(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<SpaceId>,
    _: NoQuery,
) -> Result<Json<SpaceView>, Problem> {
    let space = app.state.drive.space(&caller.actor(), id).await?;
    Ok(Json(space.into()))
}

/// List all entries of a space
///
/// For clients that begin. Pages may be read while others change the space: when the last page was read, apply the changes after
/// `since`, except those with a lower revision than an entry has already, and list each folder that they moved, restored, copied or
/// shared, even if it is known: it may have come when the pages where its content belongs were read already. A page may hold fewer than `limit`, since what is in the
/// trash is left out. Who sees only a part of the space gets that part.
#[utoipa::path(get, path = "/api/v1/spaces/{id}/entries", tag = "Spaces", security(("token" = [])),
    params(
        ("id" = String, Path, description = "A space's id, `spc_…`."),
        ("limit" = Option<u32>, Query, description = "Items on the page: 1 to 1000, 100 if absent."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of entries.", body = Snapshot)))]
pub(crate) async fn list_entries(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<SpaceId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Snapshot>, Problem> {
    let limit = page_limit(query.limit)?;
    let from = query.cursor.as_deref().map(reading).transpose()?;
    let page = app.state.drive.snapshot(&caller.actor(), id, from, limit).await?;
    let next_cursor = page.next.map(|next| page::cursor(&format!("{} {}", next.since, next.after)));
    let items = page.items.into_iter().map(EntryView::from).collect();
    Ok(Json(Snapshot { items, since: page.since.to_string(), next_cursor }))
}

/// Where the reader of a snapshot is, from a cursor.
fn reading(cursor: &str) -> Result<Reading, Problem> {
    let text = page::position(cursor)?;
    let parts = text.split_once(' ').and_then(|(since, after)| Some((since.parse().ok()?, after.parse().ok()?)));
    let (since, after) = parts.ok_or_else(|| Problem::invalid("`cursor` is not one of ours."))?;
    Ok(Reading { since, after })
}

/// Create a team's space
///
/// Its first manager is who makes it; others become members by roles on its root folder, `PUT /api/v1/entries/{id}/grants`.
#[utoipa::path(post, path = "/api/v1/spaces", tag = "Spaces", security(("token" = [])), request_body = SpaceBody,
    responses((status = 201, description = "The space.", body = SpaceView)))]
pub(crate) async fn create_space(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NoQuery,
    Json(body): Json<SpaceBody>,
) -> Result<(StatusCode, Json<SpaceView>), Problem> {
    let space = app.state.drive.create_space(&caller.actor(), &body.name).await?;
    Ok((StatusCode::CREATED, Json(space.into())))
}

/// Rename a team's space
#[utoipa::path(patch, path = "/api/v1/spaces/{id}", tag = "Spaces", security(("token" = [])), request_body = SpaceBody,
    params(("id" = String, Path, description = "A space's id, `spc_…`.")),
    responses((status = 200, description = "The space.", body = SpaceView)))]
pub(crate) async fn rename_space(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<SpaceId>,
    _: NoQuery,
    Json(body): Json<SpaceBody>,
) -> Result<Json<SpaceView>, Problem> {
    Ok(Json(app.state.drive.rename_space(&caller.actor(), id, &body.name).await?.into()))
}

/// Delete a team's space
///
/// With all that is in it, its trash and its history, for good. Nobody sees it any more when the answer comes.
#[utoipa::path(delete, path = "/api/v1/spaces/{id}", tag = "Spaces", security(("token" = [])),
    params(("id" = String, Path, description = "A space's id, `spc_…`.")),
    responses((status = 204, description = "It is gone.")))]
pub(crate) async fn delete_space(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<SpaceId>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    app.state.drive.delete_space(&caller.actor(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Show what fills a space
///
/// Counted from what is there, which takes as long as there is much of it: some seconds for each million of entries.
#[utoipa::path(get, path = "/api/v1/spaces/{id}/usage", tag = "Spaces", security(("token" = [])),
    params(("id" = String, Path, description = "A space's id, `spc_…`.")),
    responses((status = 200, description = "Its bytes by what they are for.", body = UsageView)))]
pub(crate) async fn get_usage(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<SpaceId>,
    _: NoQuery,
) -> Result<Json<UsageView>, Problem> {
    let usage = app.state.drive.usage(&caller.actor(), id).await?;
    Ok(Json(UsageView {
        space_id: id,
        used_bytes: usage.used,
        files_bytes: usage.files,
        versions_bytes: usage.versions,
        trash_bytes: usage.trash,
        removing_bytes: usage.removing,
        reserved_bytes: usage.reserved,
        quota_bytes: usage.quota,
        stored_bytes: usage.stored,
        shared_bytes: usage.shared(),
        parity_bytes: usage.parity,
    }))
}

/// List what changed in a space
///
/// Without `since` from the beginning. A reader that keeps `next` misses nothing and sees nothing twice; one whose cursor
/// is too old, or of another epoch, is told to begin again. With `wait` the answer comes as soon as there is a change, and
/// after that many seconds without one. Who sees only a part of the space is told of that part. `/api/v1/live` tells of changes of many spaces over one connection.
#[utoipa::path(get, path = "/api/v1/spaces/{id}/changes", tag = "Spaces", security(("token" = [])),
    params(
        ("id" = String, Path, description = "A space's id, `spc_…`."),
        ("since" = Option<String>, Query, description = "`next` of an earlier answer."),
        ("limit" = Option<u32>, Query, description = "Changes at most: 1 to 1000, 100 if absent."),
        ("wait" = Option<u32>, Query, description = "Seconds to wait for a change if there is none: 0 to 50, 0 if absent."),
    ),
    responses((status = 200, description = "The changes after the cursor.", body = Changes)))]
pub(crate) async fn list_changes(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<SpaceId>,
    Query(query): Query<ChangesQuery>,
) -> Result<Json<Changes>, Problem> {
    let limit = page_limit(query.limit)?;
    let wait = query.wait.unwrap_or(0);
    if wait > WAIT_SECONDS_MAX {
        return Err(Problem::invalid(format!("`wait` is at most {WAIT_SECONDS_MAX} seconds.")));
    }
    let (actor, drive) = (caller.actor(), &app.state.drive);
    let mut page = drive.changes(&actor, id, query.since.as_deref(), limit).await?;
    if wait > 0 && page.items.is_empty() {
        let mut watch = drive.watch(&actor, id).await?;
        let changed = tokio::select! {
            _ = watch.passed(page.next) => true,
            () = tokio::time::sleep(Duration::from_secs(wait.into())) => false,
            () = app.state.watch.stopping.cancelled() => false,
        };
        if changed {
            page = drive.changes(&actor, id, query.since.as_deref(), limit).await?;
        }
    }
    let items = page.items.into_iter().map(Change::from).collect();
    Ok(Json(Changes { items, next: page.next.to_string(), more: page.more }))
}

/// Find an entry by its path
#[utoipa::path(get, path = "/api/v1/spaces/{id}/entry", tag = "Spaces", security(("token" = [])),
    params(
        ("id" = String, Path, description = "A space's id, `spc_…`."),
        ("path" = String, Query, description = "Names with `/` between them, from the root: `/a/b.txt`. `/` is the root itself."),
    ),
    responses((status = 200, description = "The entry.", body = EntryView)))]
pub(crate) async fn resolve_path(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<SpaceId>,
    Query(query): Query<PathQuery>,
) -> Result<Json<EntryView>, Problem> {
    let entry = app.state.drive.resolve(&caller.actor(), id, &query.path).await?;
    Ok(Json(entry.into()))
}

impl From<Space> for SpaceView {
    fn from(space: Space) -> Self {
        Self {
            id: space.id,
            kind: space.kind,
            name: space.name,
            owner_id: space.owner,
            role: space.role.as_str(),
            root_id: space.root,
            used_bytes: space.used_bytes,
            reserved_bytes: space.reserved_bytes,
            quota_bytes: space.quota_bytes,
            sequence: space.sequence,
            epoch: space.epoch,
        }
    }
}

impl From<journal::Item> for Change {
    fn from(item: journal::Item) -> Self {
        let (entry, arrived) = (item.entry_after().cloned(), drive::arrived(&item));
        Self {
            sequence: item.sequence,
            kind: item.kind,
            entry_id: item.entry,
            revision: item.revision,
            actor: item.actor,
            operation_id: item.operation,
            at: item.at,
            undoes: item.undoes,
            arrived,
            entry,
        }
    }
}
