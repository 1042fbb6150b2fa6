//! Addresses for downloads that need no header.

use std::sync::Arc;

use accounts::Presigned;
use axum::{extract::State, response::Response};
use base::Time;
use drive::{Actor, Format};
use http::{HeaderMap, Method, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    disposition::Disposition,
    download,
    error::Problem,
    extract::{Json, NoQuery, Word, parse_id},
    state::App,
};

/// Entries of one address: it has to fit where addresses go.
const ENTRIES_MAX: usize = 100;

/// What is to be fetched.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PresignBody {
    /// Ids of files and folders, `ent_…`; up to 100.
    entries: Vec<String>,
    /// Of the archive that several entries, or a folder, come as: `zip` (the default) or `tar`. A file alone comes as it is.
    format: Option<String>,
}

/// An address for a download.
#[derive(Serialize, ToSchema)]
#[schema(as = PresignedDownload)]
pub(crate) struct PresignedView {
    /// The path, below the server's own address.
    #[schema(example = "/api/v1/downloads/eyJ0…")]
    url: String,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    expires_at: Time,
}

/// Make an address for a download
///
/// Whoever has it may download these entries for ten minutes without signing in, as long as this session lives: for programs
/// that take an address and no header. Only for sessions.
#[utoipa::path(post, path = "/api/v1/downloads", tag = "Files", security(("token" = [])),
    request_body = PresignBody,
    responses((status = 201, description = "The address.", body = PresignedView)))]
pub(crate) async fn presign_download(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NoQuery,
    Json(body): Json<PresignBody>,
) -> Result<(StatusCode, Json<PresignedView>), Problem> {
    let entries = body.entries.iter().map(|id| parse_id(id)).collect::<Result<Vec<_>, _>>()?;
    if entries.is_empty() || entries.len() > ENTRIES_MAX {
        return Err(Problem::invalid("`entries` must name one entry to a hundred."));
    }
    parse_format(body.format.as_deref())?;
    let target = Presigned { entries, format: body.format };
    let (token, lifetime) = app.state.accounts.presign(&caller.principal, target)?;
    let url = format!("/api/v1/downloads/{}", token.expose());
    Ok((StatusCode::CREATED, Json(PresignedView { url, expires_at: app.state.clock.now().plus(lifetime) })))
}

/// Download by an address
///
/// A file, or the archive of all that was named; what is there now, with ranges.
#[utoipa::path(get, path = "/api/v1/downloads/{token}", tag = "Files",
    params(
        ("token" = String, Path, description = "Of the address that was made."),
        ("Range" = Option<String>, Header, description = "One range or up to 32: `bytes=0-99, -100`."),
        ("If-Range" = Option<String>, Header, description = "An entity tag: the range counts only for the same bytes."),
        ("If-None-Match" = Option<String>, Header, description = "Only if it is not this."),
    ),
    responses(
        (status = 200, description = "All bytes.", body = String, content_type = "*/*"),
        (status = 206, description = "The bytes of the ranges; several as `multipart/byteranges`.", body = String, content_type = "*/*"),
        (status = 304, description = "The client has this already."),
    ))]
pub(crate) async fn download_presigned(
    State(app): State<Arc<App>>,
    Word(token): Word,
    _: NoQuery,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (principal, target) = app.state.accounts.presigned(&token).await?;
    let (actor, drive) = (Actor { principal, operation: None }, &app.state.drive);
    if let [only] = target.entries[..] {
        match drive.open(&actor, only).await {
            Ok(file) => return download::answer(&method, &headers, file, Disposition::Attachment).await,
            Err(drive::Error::NotAFile) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let archive = drive.archive(&actor, &target.entries, parse_format(target.format.as_deref())?).await?;
    download::archive(&method, &headers, archive).await
}

fn parse_format(text: Option<&str>) -> Result<Format, Problem> {
    let format = text.map_or(Some(Format::Zip), Format::parse);
    format.ok_or_else(|| Problem::invalid("`format` must be `zip` or `tar`."))
}
