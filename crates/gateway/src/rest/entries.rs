//! What folders and files have in common: names, places, copies, ends.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use base::EntryId;
use drive::{Actor, How, OnFile, Outcome, Rule, Transfer};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    conditions::if_match,
    error::Problem,
    extract::{Id, Json, NoQuery, Query, given, parse_conflict, parse_id, parse_name, parse_rule},
    rest::{
        trash::{DeleteQuery, delete},
        views::{EntryView, PropertyView, WithRole, WithTag},
    },
    state::App,
};

/// What is to change; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateBody {
    #[schema(example = "final report.pdf")]
    name: Option<String>,
    /// The folder to move it to.
    #[schema(example = "ent_0197f3c6b1d07c3a9d2e5f60718293a4")]
    parent_id: Option<String>,
    /// What to do if the name is taken: `fail` (the default), `skip`, `replace`, `rename`, or `merge` for folders.
    #[schema(example = "rename")]
    on_conflict: Option<String>,
    /// For files that both folders of a merge have: `rename` (the default), `skip`, `replace`, `fail`.
    #[schema(example = "rename")]
    on_conflict_files: Option<String>,
    /// A description of at most 4096 bytes; `null` for none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "The version that was signed.")]
    description: Option<Option<String>>,
    /// Properties to set, up to 50 of an entry; `null` removes one. Those that are not named stay.
    #[schema(value_type = Option<BTreeMap<String, PropertyView>>)]
    properties: Option<BTreeMap<String, Option<PropertyView>>>,
}

/// Where the copy goes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CopyBody {
    /// The folder to put it into; the one of the original where it is absent.
    #[schema(example = "ent_0197f3c6b1d07c3a9d2e5f60718293a4")]
    parent_id: Option<String>,
    /// The name of the copy; that of the original where it is absent.
    #[schema(example = "report (copy).pdf")]
    name: Option<String>,
    /// What to do if the name is taken: `fail` (the default), `skip`, `replace`, `rename`, or `merge` for folders.
    #[schema(example = "rename")]
    on_conflict: Option<String>,
    /// For files that both folders of a merge have: `rename` (the default), `skip`, `replace`, `fail`.
    #[schema(example = "rename")]
    on_conflict_files: Option<String>,
    /// The id that the copy is to have: a UUIDv7 of the client's own making, that no entry has.
    #[schema(example = "ent_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: Option<String>,
}

/// Show an entry
#[utoipa::path(get, path = "/api/v1/entries/{id}", tag = "Entries", security(("token" = [])),
    params(("id" = String, Path, description = "An entry's id, `ent_…`.")),
    responses((status = 200, description = "The folder or file.", body = EntryView)))]
pub(crate) async fn get_entry(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<EntryId>,
    _: NoQuery,
) -> Result<WithRole, Problem> {
    let (entry, role) = app.state.drive.look(&caller.actor(), id).await?;
    Ok(WithRole(entry, role))
}

/// Rename, move or describe an entry
///
/// A new name and a new folder are one step, and so are a description and properties; the two pairs go in calls of their own.
/// `If-Match` takes the entity tag, or the revision as one.
///
/// Where `on_conflict` is given, `Conflict-Outcome` says what came of it: `done`, `renamed`, `skipped` (the entry is where it
/// was), `replaced` (the answer is the file that has the bytes now, and the one that was to move is in the trash), or
/// `merged` (the answer is the folder that has it all).
#[utoipa::path(patch, path = "/api/v1/entries/{id}", tag = "Entries", security(("token" = [])), request_body = UpdateBody,
    params(
        ("id" = String, Path, description = "An entry's id, `ent_…`."),
        ("If-Match" = Option<String>, Header, description = "Only if the entry has this entity tag."),
    ),
    responses((status = 200, description = "The entry after the change.", body = EntryView)))]
pub(crate) async fn update_entry(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<EntryId>,
    _: NoQuery,
    headers: HeaderMap,
    Json(body): Json<UpdateBody>,
) -> Result<Response, Problem> {
    let moved = body.name.is_some() || body.parent_id.is_some();
    let described = body.description.is_some() || body.properties.is_some();
    if moved == described {
        return Err(Problem::invalid(
            "Give `name` and `parent_id`, or `description` and `properties`, or one of them.",
        ));
    }
    if described {
        let properties = body.properties.unwrap_or_default().into_iter();
        let details = drive::Details {
            description: body.description,
            properties: properties.map(|(name, value)| (name, value.map(drive::Property::from))).collect(),
        };
        return Ok(
            WithTag(app.state.drive.describe(&caller.actor(), id, details, if_match(&headers)).await?).into_response()
        );
    }
    if body.on_conflict.is_some() || body.on_conflict_files.is_some() {
        let transfer = Transfer {
            how: How::Move,
            parent: body.parent_id.as_deref().map(parse_id).transpose()?,
            name: body.name.as_deref().map(parse_name).transpose()?,
            rule: parse_rule(body.on_conflict.as_deref(), body.on_conflict_files.as_deref())?,
            id: None,
            if_match: if_match(&headers),
        };
        return transferred(&app, &caller.actor(), id, transfer).await.map(|(_, response)| response);
    }
    let update = drive::Update {
        name: body.name.as_deref().map(parse_name).transpose()?,
        parent: body.parent_id.as_deref().map(parse_id).transpose()?,
        if_match: if_match(&headers),
    };
    Ok(WithTag(app.state.drive.update(&caller.actor(), id, update).await?).into_response())
}

/// Copy an entry
///
/// A folder takes its tree along. No byte is copied: both share what is stored. Where the name was taken and `on_conflict` is
/// `skip` or `merge`, the answer is `200` with what has the name, and `Conflict-Outcome` says what came of it.
#[utoipa::path(post, path = "/api/v1/entries/{id}/copy", tag = "Entries", security(("token" = [])), request_body = CopyBody,
    params(("id" = String, Path, description = "An entry's id, `ent_…`.")),
    responses(
        (status = 200, description = "What has the name.", body = EntryView),
        (status = 201, description = "The copy.", body = EntryView),
    ))]
pub(crate) async fn copy_entry(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<EntryId>,
    _: NoQuery,
    Json(body): Json<CopyBody>,
) -> Result<Response, Problem> {
    let rule = parse_rule(body.on_conflict.as_deref(), body.on_conflict_files.as_deref())?;
    if matches!(rule, Rule::Merge(_) | Rule::Plain(OnFile::Skip)) {
        let transfer = Transfer {
            how: How::Copy,
            parent: body.parent_id.as_deref().map(parse_id).transpose()?,
            name: body.name.as_deref().map(parse_name).transpose()?,
            rule,
            id: body.id.as_deref().map(parse_id).transpose()?,
            if_match: None,
        };
        let (outcome, mut response) = transferred(&app, &caller.actor(), id, transfer).await?;
        if matches!(outcome, Outcome::Placed | Outcome::Renamed) {
            *response.status_mut() = StatusCode::CREATED;
        }
        return Ok(response);
    }
    let copy = drive::Copy {
        parent: body.parent_id.as_deref().map(parse_id).transpose()?,
        name: body.name.as_deref().map(parse_name).transpose()?,
        on_conflict: parse_conflict(body.on_conflict.as_deref())?,
        id: body.id.as_deref().map(parse_id).transpose()?,
    };
    let entry = app.state.drive.copy(&caller.actor(), id, copy).await?;
    Ok((StatusCode::CREATED, WithTag(entry)).into_response())
}

/// Moves or copies under a rule for a taken name, and says what came of it.
async fn transferred(
    app: &App,
    actor: &Actor,
    id: EntryId,
    transfer: Transfer,
) -> Result<(Outcome, Response), Problem> {
    let done = app.state.drive.transfer(actor, id, transfer).await?;
    // Asked for again, a merge shows what was merged: where it went may have changed since.
    let entry = match done.entry {
        Some(entry) => entry,
        None => app.state.drive.stat(actor, id).await?,
    };
    let mut response = WithTag(entry).into_response();
    response.headers_mut().insert("conflict-outcome", HeaderValue::from_static(done.outcome.as_str()));
    Ok((done.outcome, response))
}

/// Delete an entry
///
/// It goes to the trash of its space, and a folder takes its tree along. With `permanent=true` it is gone for good; that
/// also removes what is in the trash.
#[utoipa::path(delete, path = "/api/v1/entries/{id}", tag = "Entries", security(("token" = [])),
    params(
        ("id" = String, Path, description = "An entry's id, `ent_…`."),
        ("permanent" = Option<bool>, Query, description = "`true`: for good, past the trash."),
        ("If-Match" = Option<String>, Header, description = "Only if the entry has this entity tag."),
    ),
    responses((status = 204, description = "The entry is in the trash, or gone.")))]
pub(crate) async fn delete_entry(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<EntryId>,
    Query(query): Query<DeleteQuery>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    delete(&app, &caller.actor(), id, query, &headers).await
}
