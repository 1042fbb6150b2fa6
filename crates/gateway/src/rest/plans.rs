//! Plans: limits that spaces are given, and how much of its plan a space uses.

use std::sync::Arc;

use axum::extract::State;
use base::{AccountId, PlanId, SpaceId, Time};
use drive::{Assignment, By, Effect, Holder, Limits, NewPlan, Plan, PlanUpdate, PlanUse};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    error::Problem,
    extract::{Id, Json, NoQuery, PageQuery, Query, given, page_limit, parse_id},
    rest::page::{self, Page},
    state::{App, ClientAddress},
};

/// What a plan allows; `null` is no limit.
#[derive(Serialize, ToSchema)]
#[schema(as = PlanLimits)]
pub(crate) struct LimitsView {
    /// Bytes of all versions, and of uploads under way.
    #[schema(example = 107_374_182_400_u64)]
    storage_bytes: Option<u64>,
    /// Bytes of one file.
    file_bytes: Option<u64>,
    /// Versions of a file that are kept at most, the current one among them.
    #[schema(example = 20)]
    versions_kept: Option<u32>,
    /// Days that the trash keeps something at most.
    #[schema(example = 30)]
    trash_days: Option<u32>,
    /// Links to entries of the space.
    #[schema(example = 100)]
    links: Option<u64>,
    /// People who have a role on all of a team's space.
    #[schema(example = 25)]
    members: Option<u64>,
}

/// Named limits that spaces are given.
#[derive(Serialize, ToSchema)]
#[schema(as = Plan)]
pub(crate) struct PlanView {
    #[schema(value_type = String, example = "pln_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: PlanId,
    #[schema(example = "Staff")]
    name: String,
    limits: LimitsView,
    /// Which new spaces get it: `personal`, `team`.
    #[schema(example = json!(["personal"]))]
    default_for: Vec<&'static str>,
    /// How many spaces have it.
    spaces: u64,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    created_at: Time,
}

/// What other limits do to spaces. Nothing of it happens at once.
#[derive(Serialize, ToSchema)]
#[schema(as = PlanEffect)]
pub(crate) struct EffectView {
    /// Spaces that they are for.
    spaces: u64,
    /// Spaces that hold more than they may then: everything in them can be read, and they take no more bytes.
    spaces_over_storage: u64,
    /// Spaces that have more links than they may then; those stay, and no more can be made.
    spaces_over_links: u64,
    /// Spaces that have more members than they may then; those stay, and no more come.
    spaces_over_members: u64,
    /// Older versions that go when their files get new ones.
    versions_to_go: u64,
    /// Their bytes.
    versions_to_go_bytes: u64,
    /// Entries of trashes that go for good within the hour, each with all that is in it.
    trashed_to_go: u64,
}

/// A plan that was changed, or would be.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChangedPlan {
    plan: PlanView,
    effect: EffectView,
    /// Whether it was only asked for, and nothing changed.
    preview: bool,
}

/// A plan to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPlanBody {
    /// 1 to 100 characters, unique without regard to case.
    #[schema(example = "Staff")]
    name: String,
    /// No limit, where absent.
    #[schema(example = 107_374_182_400_u64)]
    storage_bytes: Option<u64>,
    /// At least 1.
    file_bytes: Option<u64>,
    /// 1 to 10000.
    #[schema(example = 20)]
    versions_kept: Option<u32>,
    /// 1 to 36500.
    #[schema(example = 30)]
    trash_days: Option<u32>,
    #[schema(example = 100)]
    links: Option<u64>,
    /// At least 1.
    #[schema(example = 25)]
    members: Option<u64>,
    /// Which new spaces get it: `personal`, `team`, both or none.
    #[serde(default)]
    #[schema(example = json!(["personal"]))]
    default_for: Vec<String>,
}

/// What to change of a plan; what is absent stays, and `null` is no limit.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanBody {
    #[schema(example = "Staff")]
    name: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u64>, example = 107_374_182_400_u64)]
    storage_bytes: Option<Option<u64>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u64>)]
    file_bytes: Option<Option<u64>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>, example = 20)]
    versions_kept: Option<Option<u32>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>, example = 30)]
    trash_days: Option<Option<u32>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u64>, example = 100)]
    links: Option<Option<u64>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u64>, example = 25)]
    members: Option<Option<u64>>,
    /// All kinds of new spaces that get it from now on: `personal`, `team`.
    #[schema(example = json!(["personal"]))]
    default_for: Option<Vec<String>>,
}

/// Who is to have a plan.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssignmentBody {
    /// `null` for none: then the room is what the server is configured to give.
    #[schema(value_type = Option<String>, example = "pln_0197f3c6b1d07c3a9d2e5f60718293a4")]
    plan_id: Option<String>,
    /// Accounts, whose personal spaces get it, and spaces, by their ids: 1 to 1000.
    #[schema(example = json!(["usr_0197f3c6b1d07c3a9d2e5f60718293a4", "spc_0197f3c6b1d07c3a9d2e5f60718293a4"]))]
    to: Vec<String>,
}

/// What came of giving a plan.
#[derive(Serialize, ToSchema)]
pub(crate) struct AssignmentView {
    /// In the order of the request.
    items: Vec<AssignedView>,
    /// How many were refused.
    refused: usize,
    /// Whether it was only asked for, and nothing changed.
    preview: bool,
}

/// A space that was given a plan, or would be.
#[derive(Serialize, ToSchema)]
#[schema(as = AssignedPlan)]
pub(crate) struct AssignedView {
    /// As it was asked for.
    id: String,
    #[schema(value_type = Option<String>, example = "spc_0197f3c6b1d07c3a9d2e5f60718293a4")]
    space_id: Option<SpaceId>,
    /// What holds for it then.
    limits: Option<LimitsView>,
    effect: Option<EffectView>,
    /// Why it was refused.
    #[schema(value_type = Option<Object>)]
    error: Option<serde_json::Value>,
}

/// The plan of a space, and how much of it is used.
#[derive(Serialize, ToSchema)]
#[schema(as = PlanUse)]
pub(crate) struct PlanUseView {
    #[schema(value_type = String, example = "spc_0197f3c6b1d07c3a9d2e5f60718293a4")]
    space_id: SpaceId,
    /// `null` for a space without a plan.
    #[schema(value_type = Option<String>, example = "pln_0197f3c6b1d07c3a9d2e5f60718293a4")]
    plan_id: Option<PlanId>,
    #[schema(example = "Staff")]
    plan_name: Option<String>,
    /// Whether the room was set for this space alone, whatever the plan says.
    quota_own: bool,
    /// What the plan allows; `storage_bytes` is the room that really holds.
    limits: LimitsView,
    usage: MeterView,
    /// Links to entries of the space, those that ended among them.
    links: u64,
    /// People who have a role on all of the space, alone or by a group.
    members: u64,
    /// Versions of a file that are kept, as the server, the plan and the space say.
    #[schema(example = 10)]
    versions_kept: u32,
    /// Days that the trash keeps something; 0 for as long as nobody empties it.
    #[schema(example = 30)]
    trash_days: u32,
}

/// What fills a space, as its counters say.
#[derive(Serialize, ToSchema)]
#[schema(as = Meter)]
pub(crate) struct MeterView {
    /// The sum of the next three.
    used_bytes: u64,
    /// Current versions of the files.
    files_bytes: u64,
    /// Older versions, and what was removed for good and is still being taken apart.
    versions_bytes: u64,
    /// Current versions of what is in the trash.
    trash_bytes: u64,
    /// Bytes that uploads under way will need.
    reserved_bytes: u64,
    /// The most that used and reserved bytes may come to; `null` for no limit.
    quota_bytes: Option<u64>,
}

/// Whether to do it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewQuery {
    #[serde(default)]
    preview: bool,
}

impl From<Limits> for LimitsView {
    fn from(limits: Limits) -> Self {
        let Limits { storage_bytes, file_bytes, versions_kept, trash_days, links, members } = limits;
        Self { storage_bytes, file_bytes, versions_kept, trash_days, links, members }
    }
}

impl From<Plan> for PlanView {
    fn from(plan: Plan) -> Self {
        let kinds = [(plan.for_personal, "personal"), (plan.for_team, "team")];
        Self {
            id: plan.id,
            name: plan.name,
            limits: plan.limits.into(),
            default_for: kinds.into_iter().filter(|(is, _)| *is).map(|(_, kind)| kind).collect(),
            spaces: plan.spaces,
            created_at: plan.created,
        }
    }
}

impl From<Effect> for EffectView {
    fn from(effect: Effect) -> Self {
        Self {
            spaces: effect.spaces,
            spaces_over_storage: effect.over_storage,
            spaces_over_links: effect.over_links,
            spaces_over_members: effect.over_members,
            versions_to_go: effect.versions,
            versions_to_go_bytes: effect.versions_bytes,
            trashed_to_go: effect.trashed,
        }
    }
}

impl From<drive::Meter> for MeterView {
    fn from(meter: drive::Meter) -> Self {
        Self {
            used_bytes: meter.used,
            files_bytes: meter.files,
            versions_bytes: meter.versions,
            trash_bytes: meter.trash,
            reserved_bytes: meter.reserved,
            quota_bytes: meter.quota,
        }
    }
}

impl PlanUseView {
    pub(crate) fn of(space_id: SpaceId, found: PlanUse) -> Self {
        let (plan_id, plan_name) = found.plan.unzip();
        Self {
            space_id,
            plan_id,
            plan_name,
            quota_own: found.quota_own,
            limits: found.limits.into(),
            usage: found.meter.into(),
            links: found.links,
            members: found.members,
            versions_kept: found.versions_kept,
            trash_days: found.trash_days,
        }
    }
}

/// Which new spaces get a plan: personal ones, team ones.
fn default_for(words: &[String]) -> Result<(bool, bool), Problem> {
    if words.iter().any(|word| !matches!(word.as_str(), "personal" | "team")) {
        return Err(Problem::invalid("`default_for` lists `personal` and `team`."));
    }
    let has = |kind| words.iter().any(|word| word == kind);
    Ok((has("personal"), has("team")))
}

/// List plans
#[utoipa::path(get, path = "/api/v1/admin/plans", tag = "Administration", security(("token" = [])),
    params(
        ("limit" = Option<u32>, Query, description = "Items on the page: 1 to 1000, 100 if absent."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of plans, in order of their names.", body = Page<PlanView>)))]
pub(crate) async fn list_plans(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<PlanView>>, Problem> {
    let limit = page_limit(query.limit)?;
    let after = query.cursor.map(|cursor| page::position(&cursor)).transpose()?.unwrap_or_default();
    let plans = app.admin.plans(&caller.actor(), &after, limit).await?;
    let next_cursor = plans.items.last().filter(|_| plans.more).map(|last| page::cursor(&last.position));
    Ok(Json(Page { items: plans.items.into_iter().map(PlanView::from).collect(), next_cursor }))
}

/// Create a plan
#[utoipa::path(post, path = "/api/v1/admin/plans", tag = "Administration", security(("token" = [])),
    request_body = NewPlanBody, responses((status = 201, description = "The plan.", body = PlanView)))]
pub(crate) async fn create_plan(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(address): ClientAddress,
    _: NoQuery,
    Json(body): Json<NewPlanBody>,
) -> Result<(StatusCode, Json<PlanView>), Problem> {
    let (for_personal, for_team) = default_for(&body.default_for)?;
    let NewPlanBody { storage_bytes, file_bytes, versions_kept, trash_days, links, members, .. } = body;
    let limits = Limits { storage_bytes, file_bytes, versions_kept, trash_days, links, members };
    let new = NewPlan { name: body.name, limits, for_personal, for_team };
    let actor = caller.actor();
    let plan = app.admin.make_plan(By { actor: &actor, address }, new).await?;
    Ok((StatusCode::CREATED, Json(plan.into())))
}

/// Show a plan
#[utoipa::path(get, path = "/api/v1/admin/plans/{id}", tag = "Administration", security(("token" = [])),
    params(("id" = String, Path, description = "A plan's id, `pln_…`.")),
    responses((status = 200, description = "The plan.", body = PlanView)))]
pub(crate) async fn get_plan(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<PlanId>,
    _: NoQuery,
) -> Result<Json<PlanView>, Problem> {
    Ok(Json(app.admin.plan(&caller.actor(), id).await?.into()))
}

/// Change a plan
///
/// Its limits hold at once for all spaces that have it, and nothing is removed at that moment: a space that holds more than it
/// may takes no more bytes, versions and trash shrink by the usual rules, links and members stay. `effect` says what that will
/// come to; with `preview=true` nothing is changed.
#[utoipa::path(patch, path = "/api/v1/admin/plans/{id}", tag = "Administration", security(("token" = [])),
    request_body = PlanBody,
    params(
        ("id" = String, Path, description = "A plan's id, `pln_…`."),
        ("preview" = Option<bool>, Query, description = "`true` to be told only what it would do."),
    ),
    responses((status = 200, description = "The plan as it is now, or would be.", body = ChangedPlan)))]
pub(crate) async fn update_plan(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(address): ClientAddress,
    Id(id): Id<PlanId>,
    Query(PreviewQuery { preview }): Query<PreviewQuery>,
    Json(body): Json<PlanBody>,
) -> Result<Json<ChangedPlan>, Problem> {
    let kinds = body.default_for.as_deref().map(default_for).transpose()?;
    let update = PlanUpdate {
        name: body.name,
        storage_bytes: body.storage_bytes,
        file_bytes: body.file_bytes,
        versions_kept: body.versions_kept,
        trash_days: body.trash_days,
        links: body.links,
        members: body.members,
        for_personal: kinds.map(|(personal, _)| personal),
        for_team: kinds.map(|(_, team)| team),
    };
    let actor = caller.actor();
    let change = app.admin.change_plan(By { actor: &actor, address }, id, update, preview).await?;
    Ok(Json(ChangedPlan { plan: change.plan.into(), effect: change.effect.into(), preview }))
}

/// Delete a plan
///
/// One that no space has.
#[utoipa::path(delete, path = "/api/v1/admin/plans/{id}", tag = "Administration", security(("token" = [])),
    params(("id" = String, Path, description = "A plan's id, `pln_…`.")),
    responses((status = 204, description = "It is gone.")))]
pub(crate) async fn delete_plan(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(address): ClientAddress,
    Id(id): Id<PlanId>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    let actor = caller.actor();
    app.admin.remove_plan(By { actor: &actor, address }, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give people and spaces a plan
///
/// Each by itself: one that is refused does not stop the others. All limits of a space are then the plan's, also the room that
/// was set for it alone. As with a change of a plan nothing is removed at once; with `preview=true` nothing is changed.
#[utoipa::path(post, path = "/api/v1/admin/plan-assignments", tag = "Administration", security(("token" = [])),
    request_body = AssignmentBody,
    params(("preview" = Option<bool>, Query, description = "`true` to be told only what it would do.")),
    responses((status = 200, description = "What came of each.", body = AssignmentView)))]
pub(crate) async fn assign_plan(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(address): ClientAddress,
    Query(PreviewQuery { preview }): Query<PreviewQuery>,
    Json(body): Json<AssignmentBody>,
) -> Result<Json<AssignmentView>, Problem> {
    let plan = body.plan_id.as_deref().map(parse_id).transpose()?;
    let to = body.to.iter().map(|text| holder(text)).collect::<Result<Vec<_>, _>>()?;
    let actor = caller.actor();
    let wanted = Assignment { plan, to, preview };
    let done = app.admin.assign_plan(By { actor: &actor, address }, wanted).await?;
    let refused = done.iter().filter(|one| one.is_err()).count();
    let items = body.to.into_iter().zip(done).map(|(id, one)| assigned(id, one)).collect();
    Ok(Json(AssignmentView { items, refused, preview }))
}

/// An account or a space.
fn holder(text: &str) -> Result<Holder, Problem> {
    if text.starts_with("usr_") {
        return Ok(Holder::Person(parse_id::<AccountId>(text)?));
    }
    Ok(Holder::Space(parse_id(text)?))
}

fn assigned(id: String, one: Result<drive::Assigned, drive::Error>) -> AssignedView {
    match one {
        Ok(done) => AssignedView {
            id,
            space_id: Some(done.space),
            limits: Some(done.limits.into()),
            effect: Some(done.effect.into()),
            error: None,
        },
        Err(error) => {
            let document = serde_json::from_slice(&Problem::from(error).body("")).unwrap_or_default();
            AssignedView { id, space_id: None, limits: None, effect: None, error: Some(document) }
        }
    }
}

/// Show the plan of a space and how much of it is used
///
/// From counters, at any size; `GET /api/v1/spaces/{id}/usage` counts anew what is there, and knows what copies share.
#[utoipa::path(get, path = "/api/v1/spaces/{id}/plan", tag = "Spaces", security(("token" = [])),
    params(("id" = String, Path, description = "A space's id, `spc_…`.")),
    responses((status = 200, description = "The plan and its use.", body = PlanUseView)))]
pub(crate) async fn get_plan_use(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<SpaceId>,
    _: NoQuery,
) -> Result<Json<PlanUseView>, Problem> {
    Ok(Json(PlanUseView::of(id, app.state.drive.plan_use(&caller.actor(), id).await?)))
}
