//! Resumable uploads beside tus: their state as JSON, and the way out for one whose file could not be made.

use std::sync::Arc;

use axum::extract::State;
use base::{EntryId, Time, UploadId};
use drive::{Upload, UploadKind, UploadState};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    error::Problem,
    extract::{Id, Json, NoQuery, parse_conflict, parse_id, parse_name},
    state::App,
};

/// How far an upload has come.
#[derive(Serialize, ToSchema)]
#[schema(as = Upload)]
pub(crate) struct UploadView {
    #[schema(value_type = String, example = "upl_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: UploadId,
    /// Bytes that are durable.
    #[schema(example = 1_048_576)]
    offset: u64,
    /// All its bytes; `null` while the client has not said.
    #[schema(example = 10_485_760)]
    length: Option<u64>,
    /// When it is removed, unless it goes on before.
    #[schema(value_type = String, format = DateTime, example = "2026-11-22T01:26:55.000000Z")]
    expires_at: Time,
    /// `open` while bytes are missing; `complete` when all are there and the file could not be made, for example because
    /// its name was taken meanwhile; `finished` when it has become a file; `partial` when it waits to be joined with others.
    #[schema(example = "open")]
    state: &'static str,
    /// The file, once it is finished.
    #[schema(value_type = Option<String>)]
    entry_id: Option<EntryId>,
}

/// How to finish an upload; what is absent stays as it was given when the upload began.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FinishBody {
    /// Another folder to put the file into, in the same space.
    #[schema(example = "ent_0197f3c6b1d07c3a9d2e5f60718293a4")]
    parent_id: Option<String>,
    /// Another name for the file.
    #[schema(example = "report (2).pdf")]
    name: Option<String>,
    /// What to do if the name is taken: `fail`, `replace` (a new version of that file), `rename` (`x (2).txt`).
    #[schema(example = "rename")]
    on_conflict: Option<String>,
}

/// Show an upload
#[utoipa::path(get, path = "/api/v1/uploads/{id}", tag = "Resumable uploads", security(("token" = [])),
    params(("id" = String, Path, description = "An upload's id, `upl_…`.")),
    responses((status = 200, description = "The upload.", body = UploadView)))]
pub(crate) async fn get_upload(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<UploadId>,
    _: NoQuery,
) -> Result<Json<UploadView>, Problem> {
    Ok(Json(app.state.drive.upload(&caller.actor(), id).await?.into()))
}

/// Finish an upload
///
/// For an upload in the state `complete`: all its bytes are there, but the file could not be made, because the name was
/// taken meanwhile or the folder is gone. Under another name, in another folder, or with `on_conflict` it can; no byte is
/// sent again. Doing it twice gives the same answer.
#[utoipa::path(post, path = "/api/v1/uploads/{id}/finish", tag = "Resumable uploads", security(("token" = [])),
    request_body = FinishBody,
    params(("id" = String, Path, description = "An upload's id, `upl_…`.")),
    responses((status = 200, description = "The upload, which is a file now.", body = UploadView)))]
pub(crate) async fn finish_upload(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<UploadId>,
    _: NoQuery,
    Json(body): Json<FinishBody>,
) -> Result<Json<UploadView>, Problem> {
    let finish = drive::Finish {
        parent: body.parent_id.as_deref().map(parse_id).transpose()?,
        name: body.name.as_deref().map(parse_name).transpose()?,
        on_conflict: body.on_conflict.as_deref().map(|rule| parse_conflict(Some(rule))).transpose()?,
    };
    Ok(Json(app.state.drive.finish_upload(&caller.actor(), id, finish).await?.into()))
}

impl From<Upload> for UploadView {
    fn from(upload: Upload) -> Self {
        let state = match (upload.state, &upload.kind) {
            (UploadState::Open, _) if upload.length == Some(upload.offset) => "complete",
            (UploadState::Open, _) => "open",
            (UploadState::Finished, UploadKind::Partial) => "partial",
            (UploadState::Finished, _) => "finished",
        };
        Self {
            id: upload.id,
            offset: upload.offset,
            length: upload.length,
            expires_at: upload.expires,
            state,
            entry_id: upload.entry_id,
        }
    }
}
