//! A resumable upload as JSON, for programs that do not speak tus.

use std::sync::Arc;

use axum::extract::State;
use base::{EntryId, Time, UploadId};
use drive::{UploadKind, UploadState};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    error::Problem,
    extract::{Id, Json, NoQuery},
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
    /// `open`; `finished` when it has become a file; `partial` when it waits to be joined with others.
    #[schema(example = "open")]
    state: &'static str,
    /// The file, once it is finished.
    #[schema(value_type = Option<String>)]
    entry_id: Option<EntryId>,
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
    let upload = app.state.drive.upload(&caller.actor(), id).await?;
    let state = match (upload.state, &upload.kind) {
        (UploadState::Open, _) => "open",
        (UploadState::Finished, UploadKind::Partial) => "partial",
        (UploadState::Finished, _) => "finished",
    };
    Ok(Json(UploadView {
        id: upload.id,
        offset: upload.offset,
        length: upload.length,
        expires_at: upload.expires,
        state,
        entry_id: upload.entry_id,
    }))
}
