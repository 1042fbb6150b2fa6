//! All spaces and all uploads under way, for administrators: sizes and names of spaces and people, never those of files.

use std::sync::Arc;

use axum::extract::State;
use base::{AccountId, PlanId, SpaceId, Time, UploadId};
use drive::{By, InFlight, Overseen, SpacesOrder, SpacesWanted};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    error::Problem,
    extract::{Id, Json, NoQuery, Query, given, page_limit, parse_id},
    rest::{
        page::{self, Page},
        plans::PlanUseView,
    },
    state::{App, ClientAddress},
};

/// A space as administrators see it.
#[derive(Serialize, ToSchema)]
#[schema(as = OverseenSpace)]
pub(crate) struct OverseenView {
    #[schema(value_type = String, example = "spc_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: SpaceId,
    /// `personal` or `team`.
    #[schema(example = "team")]
    kind: String,
    #[schema(example = "Research")]
    name: String,
    /// Whose it is; of a team's space, who made it.
    #[schema(value_type = String, example = "usr_0197f3c6b1d07c3a9d2e5f60718293a4")]
    owner_id: AccountId,
    #[schema(example = "ada")]
    owner_name: String,
    #[schema(example = "Ada Lovelace")]
    owner_display_name: String,
    /// Bytes of all versions.
    used_bytes: u64,
    /// Bytes that uploads under way will need.
    reserved_bytes: u64,
    /// The most that used and reserved bytes may come to; `null` for no limit.
    quota_bytes: Option<u64>,
    /// Whether that was set for this space alone, whatever its plan says.
    quota_own: bool,
    #[schema(value_type = Option<String>, example = "pln_0197f3c6b1d07c3a9d2e5f60718293a4")]
    plan_id: Option<PlanId>,
    #[schema(example = "Staff")]
    plan_name: Option<String>,
    /// People who have a role on all of it, alone or by a group.
    members: u64,
    /// Accounts that manage a team's space for ever and are not disabled.
    managers: u64,
}

/// A space as administrators see it, with its plan and what fills it.
#[derive(Serialize, ToSchema)]
#[schema(as = OverseenSpaceDetail)]
pub(crate) struct DetailView {
    #[serde(flatten)]
    space: OverseenView,
    plan: PlanUseView,
}

/// What to change of a space; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OverseenBody {
    /// The room for this space alone; `null` for no bound.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u64>, example = 107_374_182_400_u64)]
    quota_bytes: Option<Option<u64>>,
    /// `false`: the room is what its plan says again, or what the server is configured to give.
    #[schema(example = false)]
    quota_own: Option<bool>,
}

/// Who is to manage a space.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ManagerBody {
    #[schema(example = "usr_0197f3c6b1d07c3a9d2e5f60718293a4")]
    user_id: String,
}

/// An upload under way, as administrators see it.
#[derive(Serialize, ToSchema)]
#[schema(as = UploadInFlight)]
pub(crate) struct InFlightView {
    #[schema(value_type = String, example = "upl_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: UploadId,
    /// Whose it is.
    #[schema(value_type = String, example = "usr_0197f3c6b1d07c3a9d2e5f60718293a4")]
    user_id: AccountId,
    #[schema(example = "ada")]
    user_name: String,
    /// Into which space it goes.
    #[schema(value_type = String, example = "spc_0197f3c6b1d07c3a9d2e5f60718293a4")]
    space_id: SpaceId,
    #[schema(example = "Research")]
    space_name: String,
    /// Whether it can be resumed. Of the body of one request it is not known how much came.
    resumable: bool,
    /// Bytes that it will have; `null` while that is not known.
    length: Option<u64>,
    /// Bytes that are durable.
    received: u64,
    /// Bytes of the room of the space that are kept for it.
    reserved_bytes: u64,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    created_at: Time,
    /// When it is removed if nothing comes.
    #[schema(value_type = String, format = DateTime, example = "2026-11-22T01:26:55.000000Z")]
    expires_at: Time,
}

/// Which spaces are wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpacesQuery {
    kind: Option<String>,
    owner: Option<String>,
    plan: Option<String>,
    search: Option<String>,
    #[serde(default)]
    unmanaged: bool,
    sort: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Which uploads are wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UploadsQuery {
    user: Option<String>,
    space: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

impl From<Overseen> for OverseenView {
    fn from(space: Overseen) -> Self {
        let (plan_id, plan_name) = space.plan.unzip();
        Self {
            id: space.id,
            kind: space.kind,
            name: space.name,
            owner_id: space.owner,
            owner_name: space.owner_name,
            owner_display_name: space.owner_display_name,
            used_bytes: space.used,
            reserved_bytes: space.reserved,
            quota_bytes: space.quota,
            quota_own: space.quota_own,
            plan_id,
            plan_name,
            members: space.members,
            managers: space.managers,
        }
    }
}

impl From<InFlight> for InFlightView {
    fn from(upload: InFlight) -> Self {
        Self {
            id: upload.id,
            user_id: upload.account,
            user_name: upload.account_name,
            space_id: upload.space,
            space_name: upload.space_name,
            resumable: upload.resumable,
            length: upload.length,
            received: upload.received,
            reserved_bytes: upload.reserved,
            created_at: upload.created,
            expires_at: upload.expires,
        }
    }
}

/// The order that is asked for, and where the page begins: `BYTES ID` for the fullest first, `ID` for the oldest first.
fn order(sort: Option<&str>, cursor: Option<&str>) -> Result<SpacesOrder, Problem> {
    let position = cursor.map(page::position).transpose()?;
    let strange = || Problem::invalid("`cursor` is not one of ours.");
    match sort {
        None | Some("used") => {
            let after = position.map(|text| {
                let (bytes, id) = text.split_once(' ').ok_or_else(strange)?;
                // No space has more than a counter of the database holds.
                let bytes: i64 = bytes.parse().map_err(|_| strange())?;
                Ok::<_, Problem>((u64::try_from(bytes).map_err(|_| strange())?, parse_id(id)?))
            });
            Ok(SpacesOrder::Used(after.transpose()?))
        }
        Some("made") => Ok(SpacesOrder::Made(position.map(|text| parse_id(&text)).transpose()?)),
        Some(_) => Err(Problem::invalid("`sort` must be `used` or `made`.")),
    }
}

/// List all spaces
///
/// Personal ones and those of teams, without a look at what is in them.
#[utoipa::path(get, path = "/api/v1/admin/spaces", tag = "Administration", security(("token" = [])),
    params(
        ("kind" = Option<String>, Query, description = "`personal` or `team`."),
        ("owner" = Option<String>, Query, description = "Whose they are, or who made them: an account's id."),
        ("plan" = Option<String>, Query, description = "Which plan they have: its id."),
        ("search" = Option<String>, Query, description = "Part of the name of the space or of its owner."),
        ("unmanaged" = Option<bool>, Query, description = "`true` for teams' spaces that nobody manages any more."),
        ("sort" = Option<String>, Query, description = "`used`, the fullest first, or `made`, the oldest first; `used` if absent."),
        ("limit" = Option<u32>, Query, description = "Items on the page: 1 to 1000, 100 if absent."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before, in the same order."),
    ),
    responses((status = 200, description = "A page of spaces.", body = Page<OverseenView>)))]
pub(crate) async fn list_all_spaces(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<SpacesQuery>,
) -> Result<Json<Page<OverseenView>>, Problem> {
    if query.kind.as_deref().is_some_and(|kind| !matches!(kind, "personal" | "team")) {
        return Err(Problem::invalid("`kind` must be `personal` or `team`."));
    }
    let wanted = SpacesWanted {
        kind: query.kind,
        owner: query.owner.as_deref().map(parse_id).transpose()?,
        plan: query.plan.as_deref().map(parse_id).transpose()?,
        search: query.search.unwrap_or_default(),
        unmanaged: query.unmanaged,
    };
    let order = order(query.sort.as_deref(), query.cursor.as_deref())?;
    let spaces = app.admin.spaces(&caller.actor(), &wanted, order, page_limit(query.limit)?).await?;
    let next_cursor = spaces.items.last().filter(|_| spaces.more).map(|last| match order {
        SpacesOrder::Used(_) => page::cursor(&format!("{} {}", last.used, last.id)),
        SpacesOrder::Made(_) => page::cursor(&last.id.to_string()),
    });
    Ok(Json(Page { items: spaces.items.into_iter().map(OverseenView::from).collect(), next_cursor }))
}

/// Show any space
#[utoipa::path(get, path = "/api/v1/admin/spaces/{id}", tag = "Administration", security(("token" = [])),
    params(("id" = String, Path, description = "A space's id, `spc_…`.")),
    responses((status = 200, description = "The space, its plan and what fills it.", body = DetailView)))]
pub(crate) async fn get_any_space(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<SpaceId>,
    _: NoQuery,
) -> Result<Json<DetailView>, Problem> {
    let (space, plan) = app.admin.space(&caller.actor(), id).await?;
    Ok(Json(DetailView { space: space.into(), plan: PlanUseView::of(id, plan) }))
}

/// Change the room of any space
///
/// For this space alone, until it is given a plan anew.
#[utoipa::path(patch, path = "/api/v1/admin/spaces/{id}", tag = "Administration", security(("token" = [])),
    request_body = OverseenBody, params(("id" = String, Path, description = "A space's id, `spc_…`.")),
    responses((status = 200, description = "The space as it is now.", body = DetailView)))]
pub(crate) async fn update_any_space(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(address): ClientAddress,
    Id(id): Id<SpaceId>,
    _: NoQuery,
    Json(body): Json<OverseenBody>,
) -> Result<Json<DetailView>, Problem> {
    let actor = caller.actor();
    let by = By { actor: &actor, address };
    match (body.quota_bytes, body.quota_own) {
        (Some(bytes), None | Some(true)) => app.admin.set_quota(by, id, Some(bytes)).await?,
        (None, Some(false)) => app.admin.set_quota(by, id, None).await?,
        _ => return Err(Problem::invalid("Give `quota_bytes`, or `quota_own` as `false`.")),
    }
    let (space, plan) = app.admin.space(&actor, id).await?;
    Ok(Json(DetailView { space: space.into(), plan: PlanUseView::of(id, plan) }))
}

/// Give a team's space a manager
///
/// Only when it has none: the last one is gone, or disabled. It stands in the audit log.
#[utoipa::path(post, path = "/api/v1/admin/spaces/{id}/manager", tag = "Administration", security(("token" = [])),
    request_body = ManagerBody, params(("id" = String, Path, description = "A space's id, `spc_…`.")),
    responses((status = 200, description = "The space, which has a manager now.", body = OverseenView)))]
pub(crate) async fn give_manager(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(address): ClientAddress,
    Id(id): Id<SpaceId>,
    _: NoQuery,
    Json(body): Json<ManagerBody>,
) -> Result<Json<OverseenView>, Problem> {
    let to: AccountId = parse_id(&body.user_id)?;
    let actor = caller.actor();
    Ok(Json(app.admin.give_manager(By { actor: &actor, address }, id, to).await?.into()))
}

/// Delete any team's space
///
/// With all that is in it, its trash and its history, for good. A personal space ends with its account.
#[utoipa::path(delete, path = "/api/v1/admin/spaces/{id}", tag = "Administration", security(("token" = [])),
    params(("id" = String, Path, description = "A space's id, `spc_…`.")),
    responses((status = 204, description = "It is gone.")))]
pub(crate) async fn delete_any_space(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(address): ClientAddress,
    Id(id): Id<SpaceId>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    let actor = caller.actor();
    app.admin.end_space(By { actor: &actor, address }, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List uploads under way
///
/// Those that can be resumed, and bodies of one request from 64 MiB on. What they will be called is not told.
#[utoipa::path(get, path = "/api/v1/admin/uploads", tag = "Administration", security(("token" = [])),
    params(
        ("user" = Option<String>, Query, description = "Of one account: its id."),
        ("space" = Option<String>, Query, description = "Into one space: its id."),
        ("limit" = Option<u32>, Query, description = "Items on the page: 1 to 1000, 100 if absent."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of uploads, oldest first.", body = Page<InFlightView>)))]
pub(crate) async fn list_all_uploads(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<UploadsQuery>,
) -> Result<Json<Page<InFlightView>>, Problem> {
    let limit = page_limit(query.limit)?;
    let user = query.user.as_deref().map(parse_id).transpose()?;
    let space = query.space.as_deref().map(parse_id).transpose()?;
    let after = query.cursor.map(|cursor| parse_id(&page::position(&cursor)?)).transpose()?;
    let uploads = app.admin.uploads(&caller.actor(), user, space, after, limit).await?;
    let next_cursor = uploads.items.last().filter(|_| uploads.more).map(|last| page::cursor(&last.id.to_string()));
    Ok(Json(Page { items: uploads.items.into_iter().map(InFlightView::from).collect(), next_cursor }))
}

/// Cancel an upload
///
/// Its room is free at once, and nothing of it becomes a file.
#[utoipa::path(delete, path = "/api/v1/admin/uploads/{id}", tag = "Administration", security(("token" = [])),
    params(("id" = String, Path, description = "An upload's id, `upl_…`.")),
    responses((status = 204, description = "It is cancelled.")))]
pub(crate) async fn cancel_any_upload(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(address): ClientAddress,
    Id(id): Id<UploadId>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    let actor = caller.actor();
    app.admin.cancel_upload(By { actor: &actor, address }, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
