//! Archives of what one has.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use base::EntryId;
use drive::Format;
use http::{HeaderMap, Method};
use serde::Deserialize;

use crate::{
    auth::Caller,
    download,
    error::Problem,
    extract::{Query, parse_id},
    state::App,
};

/// Entries that may be named in one request.
const NAMED_MAX: usize = 500;

/// What is to be packed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ArchiveQuery {
    pub(crate) entries: Option<String>,
    pub(crate) format: Option<String>,
}

impl ArchiveQuery {
    /// The entries that are named.
    ///
    /// # Errors
    /// `invalid-id`; `invalid-request` for too many.
    pub(crate) fn entries(&self) -> Result<Vec<EntryId>, Problem> {
        let named = self.entries.as_deref().unwrap_or_default();
        let mut entries = Vec::new();
        for text in named.split(',').filter(|text| !text.is_empty()) {
            let id = parse_id(text)?;
            if !entries.contains(&id) {
                entries.push(id);
            }
            if entries.len() > NAMED_MAX {
                return Err(Problem::invalid("`entries` names too many at once: put them into a folder."));
            }
        }
        Ok(entries)
    }

    /// The form that is wanted; zip if none is named.
    ///
    /// # Errors
    /// `invalid-request`.
    pub(crate) fn format(&self) -> Result<Format, Problem> {
        let format = self.format.as_deref().map_or(Some(Format::Zip), Format::parse);
        format.ok_or_else(|| Problem::invalid("`format` must be `zip` or `tar`."))
    }
}

/// Download entries as one archive
///
/// Folders with all that is in them. The archive is made while it is sent, and not compressed; its length is known, and a
/// transfer that broke off can go on with `Range` and `If-Range`, as long as nothing in it has changed.
#[utoipa::path(get, path = "/api/v1/archive", tag = "Files", security(("token" = [])),
    params(
        ("entries" = String, Query, description = "Ids of folders and files, `ent_…`, with commas between them; up to 500."),
        ("format" = Option<String>, Query, description = "`zip` (the default) or `tar`."),
        ("Range" = Option<String>, Header, description = "One range or up to 32: `bytes=0-99, -100`."),
        ("If-Range" = Option<String>, Header, description = "An entity tag: the range counts only for the same archive."),
        ("If-None-Match" = Option<String>, Header, description = "Only if it is not this archive."),
    ),
    responses(
        (status = 200, description = "The archive.", body = String, content_type = "*/*"),
        (status = 206, description = "The bytes of the ranges; several as `multipart/byteranges`.", body = String, content_type = "*/*"),
        (status = 304, description = "The client has this archive already."),
    ))]
pub(crate) async fn download_archive(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<ArchiveQuery>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (entries, format) = (query.entries()?, query.format()?);
    if entries.is_empty() {
        return Err(Problem::invalid("`entries` must name at least one entry."));
    }
    let archive = app.state.drive.archive(&caller.actor(), &entries, format).await?;
    download::archive(&method, &headers, archive).await
}
