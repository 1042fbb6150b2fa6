//! How long a space keeps what it need not.

use std::sync::Arc;

use axum::extract::State;
use base::SpaceId;
use drive::{Keep, Keeping};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    error::Problem,
    extract::{Id, Json, NoQuery, given},
    state::App,
};

/// What a space keeps, and what it says of that itself.
#[derive(Serialize, ToSchema)]
#[schema(as = Retention)]
pub(crate) struct RetentionView {
    /// Days that the trash keeps something; 0 for as long as nobody empties it.
    #[schema(example = 30)]
    trash_days: u32,
    /// Versions of a file that are kept, the current one among them.
    #[schema(example = 10)]
    versions_kept: u32,
    /// Days that a version is kept after another one took its place; 0 for no bound by age.
    #[schema(example = 0)]
    version_days: u32,
    /// What the space says of its own; `null` is as the server has it.
    own: OwnView,
    /// The most that its plan allows; `null` is no limit.
    plan: PlanRetention,
}

/// The most that the plan of a space allows it to keep.
#[derive(Serialize, ToSchema)]
struct PlanRetention {
    trash_days: Option<u32>,
    versions_kept: Option<u32>,
}

/// What a space says of its own.
#[derive(Serialize, ToSchema)]
#[schema(as = OwnRetention)]
struct OwnView {
    trash_days: Option<u32>,
    versions_kept: Option<u32>,
    version_days: Option<u32>,
}

/// What the space is to say; what is absent stays, `null` is as the server has it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetentionBody {
    /// 0 to 36500.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>, example = 90)]
    trash_days: Option<Option<u32>>,
    /// 1 to 10000.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>, example = 50)]
    versions_kept: Option<Option<u32>>,
    /// 0 to 36500.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>, example = 0)]
    version_days: Option<Option<u32>>,
}

impl From<Keeping> for RetentionView {
    fn from(keeping: Keeping) -> Self {
        let Keeping { own, now, plan } = keeping;
        Self {
            trash_days: now.trash_days.unwrap_or(0),
            versions_kept: now.versions_kept.unwrap_or(1),
            version_days: now.version_days.unwrap_or(0),
            own: OwnView {
                trash_days: own.trash_days,
                versions_kept: own.versions_kept,
                version_days: own.version_days,
            },
            plan: PlanRetention { trash_days: plan.trash_days, versions_kept: plan.versions_kept },
        }
    }
}

/// Show how long a space keeps its trash and old versions
#[utoipa::path(get, path = "/api/v1/spaces/{id}/retention", tag = "Spaces", security(("token" = [])),
    params(("id" = String, Path, description = "A space's id, `spc_…`.")),
    responses((status = 200, description = "What holds, and what the space says.", body = RetentionView)))]
pub(crate) async fn get_retention(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<SpaceId>,
    _: NoQuery,
) -> Result<Json<RetentionView>, Problem> {
    Ok(Json(app.state.drive.keeping(&caller.actor(), id).await?.into()))
}

/// Change how long a space keeps its trash and old versions
///
/// Otherwise than the server does. What is too old under a new rule goes in the background within the hour; versions beyond
/// a lower number go when their file gets a new one. A space may keep less than its plan allows, and not more.
#[utoipa::path(patch, path = "/api/v1/spaces/{id}/retention", tag = "Spaces", security(("token" = [])),
    request_body = RetentionBody,
    params(("id" = String, Path, description = "A space's id, `spc_…`.")),
    responses((status = 200, description = "What holds from now on.", body = RetentionView)))]
pub(crate) async fn update_retention(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<SpaceId>,
    _: NoQuery,
    Json(body): Json<RetentionBody>,
) -> Result<Json<RetentionView>, Problem> {
    let keep = Keep { trash_days: body.trash_days, versions_kept: body.versions_kept, version_days: body.version_days };
    Ok(Json(app.state.drive.keep(&caller.actor(), id, keep).await?.into()))
}
