//! Links, for those who make them.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use base::{EntryId, LinkEventId, LinkId, Secret, Time, UploadId};
use drive::{Actor, Event, Link, LinkUpdate, Mode, NewLink};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    error::Problem,
    extract::{Id, Json, NoQuery, PageQuery, Query, given, page_limit, parse_id, parse_time},
    rest::{
        page::{self, Page},
        views::EntryKind,
    },
    state::App,
};

/// A link.
#[derive(Serialize, ToSchema)]
#[schema(as = Link)]
pub(crate) struct LinkView {
    #[schema(value_type = String, example = "lnk_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: LinkId,
    /// What visitors need, for `/api/v1/public/links/{token}`. `null` only after the server's key was replaced.
    #[schema(example = "q1Zr0o4kWk2f6v8sYt3nLQ")]
    token: Option<String>,
    #[schema(value_type = String, example = "ent_0197f3c6b1d07c3a9d2e5f60718293a4")]
    entry_id: EntryId,
    /// Of the entry, which may be in the trash; `null` once that is gone for good.
    entry_name: Option<String>,
    entry_kind: Option<EntryKind>,
    /// `view`, `download`, `upload`.
    #[schema(example = "download")]
    mode: &'static str,
    /// What its owner calls it.
    #[schema(example = "for the printer")]
    name: Option<String>,
    /// What its visitors read.
    note: Option<String>,
    has_password: bool,
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-12-21T01:26:55.000000Z")]
    expires_at: Option<Time>,
    download_limit: Option<u64>,
    downloads: u64,
    opens: u64,
    uploads: u64,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    created_at: Time,
    /// When somebody last opened it, downloaded or uploaded.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    last_used_at: Option<Time>,
}

/// A link to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkBody {
    /// `view`: look at what browsers can show. `download`: take files and archives. `upload`: put files into the folder, and
    /// see nothing.
    #[schema(example = "download")]
    mode: String,
    /// What its owner calls it; visitors do not see it.
    #[schema(example = "for the printer")]
    name: Option<String>,
    /// What visitors read.
    note: Option<String>,
    /// What visitors must know: 8 to 256 characters.
    #[schema(value_type = Option<String>)]
    password: Option<Secret>,
    /// When it ends, as RFC 3339 says.
    #[schema(example = "2026-12-21T00:00:00Z")]
    expires_at: Option<String>,
    /// Downloads that it allows.
    #[schema(example = 10)]
    download_limit: Option<u64>,
}

/// What is to change about a link; what is absent stays, `null` takes it away.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkUpdateBody {
    #[schema(example = "view")]
    mode: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    name: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    note: Option<Option<String>>,
    /// Whoever gave the old one has to give the new one.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    password: Option<Option<Secret>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    expires_at: Option<Option<String>>,
    /// Those that were made count.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u64>)]
    download_limit: Option<Option<u64>>,
}

/// Something that happened through a link.
#[derive(Serialize, ToSchema)]
#[schema(as = LinkEvent)]
pub(crate) struct EventView {
    #[schema(value_type = String, example = "lev_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: LinkEventId,
    /// `opened`, `downloaded`, `uploaded`.
    #[schema(example = "downloaded")]
    kind: &'static str,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    at: Time,
    #[schema(value_type = Option<String>, example = "ent_0197f3c6b1d07c3a9d2e5f60718293a4")]
    entry_id: Option<EntryId>,
    /// What the entry was called then.
    entry_name: Option<String>,
    /// How many bytes it had; `null` for a folder that was opened.
    bytes: Option<u64>,
    /// What the visitor said to be called.
    visitor: Option<String>,
    /// Program and system.
    #[schema(example = "Firefox on Linux")]
    client: String,
    /// Not the address: the first 24 bits of an IPv4 address, the first 48 of an IPv6 one.
    #[schema(example = "203.0.113.0/24")]
    network: String,
}

/// How much of what happened, and in which form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventsQuery {
    limit: Option<u32>,
    cursor: Option<String>,
    format: Option<String>,
}

/// Make a link
///
/// An entry may have several. Visitors reach the entry and what is below it, and nothing else.
#[utoipa::path(post, path = "/api/v1/entries/{id}/links", tag = "Links", security(("token" = [])), request_body = LinkBody,
    params(("id" = String, Path, description = "An entry's id, `ent_…`.")),
    responses((status = 201, description = "The link.", body = LinkView)))]
pub(crate) async fn create_link(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<EntryId>,
    _: NoQuery,
    Json(body): Json<LinkBody>,
) -> Result<(StatusCode, Json<LinkView>), Problem> {
    let link = app.links.create(&caller.actor(), id, body.try_into()?).await?;
    Ok((StatusCode::CREATED, Json(link.into())))
}

/// Make a link to a file that is still being uploaded
///
/// It works at once: visitors get the bytes that are there, and their downloads wait for those that come. When the upload is done
/// it is a link to the file; if it ends otherwise, the link is gone. The upload must say how long it will be.
#[utoipa::path(post, path = "/api/v1/uploads/{id}/links", tag = "Links", security(("token" = [])), request_body = LinkBody,
    params(("id" = String, Path, description = "An upload's id, `upl_…`.")),
    responses((status = 201, description = "The link.", body = LinkView)))]
pub(crate) async fn create_early_link(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<UploadId>,
    _: NoQuery,
    Json(body): Json<LinkBody>,
) -> Result<(StatusCode, Json<LinkView>), Problem> {
    let link = app.links.create_early(&caller.actor(), id, body.try_into()?).await?;
    Ok((StatusCode::CREATED, Json(link.into())))
}

impl TryFrom<LinkBody> for NewLink {
    type Error = Problem;

    fn try_from(body: LinkBody) -> Result<Self, Problem> {
        Ok(Self {
            mode: parse_mode(&body.mode)?,
            name: body.name,
            note: body.note,
            password: body.password,
            expires: body.expires_at.as_deref().map(parse_time).transpose()?,
            download_limit: body.download_limit,
        })
    }
}

/// List an entry's links
#[utoipa::path(get, path = "/api/v1/entries/{id}/links", tag = "Links", security(("token" = [])),
    params(
        ("id" = String, Path, description = "An entry's id, `ent_…`."),
        ("limit" = Option<u32>, Query, description = "Items on the page: 1 to 1000, 100 if absent."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of links, oldest first.", body = Page<LinkView>)))]
pub(crate) async fn list_entry_links(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<EntryId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<LinkView>>, Problem> {
    let (limit, after) = (page_limit(query.limit)?, after(query.cursor.as_deref())?);
    Ok(Json(page(app.links.of_entry(&caller.actor(), id, after, limit).await?)))
}

/// List one's links
///
/// All that one has made, of whatever entry.
#[utoipa::path(get, path = "/api/v1/links", tag = "Links", security(("token" = [])),
    params(
        ("limit" = Option<u32>, Query, description = "Items on the page: 1 to 1000, 100 if absent."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of links, oldest first.", body = Page<LinkView>)))]
pub(crate) async fn list_links(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<LinkView>>, Problem> {
    let (limit, after) = (page_limit(query.limit)?, after(query.cursor.as_deref())?);
    Ok(Json(page(app.links.mine(&caller.actor(), after, limit).await?)))
}

/// Show a link
#[utoipa::path(get, path = "/api/v1/links/{id}", tag = "Links", security(("token" = [])),
    params(("id" = String, Path, description = "A link's id, `lnk_…`.")),
    responses((status = 200, description = "The link.", body = LinkView)))]
pub(crate) async fn get_link(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<LinkId>,
    _: NoQuery,
) -> Result<Json<LinkView>, Problem> {
    Ok(Json(app.links.get(&caller.actor(), id).await?.into()))
}

/// Change a link
#[utoipa::path(patch, path = "/api/v1/links/{id}", tag = "Links", security(("token" = [])), request_body = LinkUpdateBody,
    params(("id" = String, Path, description = "A link's id, `lnk_…`.")),
    responses((status = 200, description = "The link.", body = LinkView)))]
pub(crate) async fn update_link(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<LinkId>,
    _: NoQuery,
    Json(body): Json<LinkUpdateBody>,
) -> Result<Json<LinkView>, Problem> {
    let update = LinkUpdate {
        mode: body.mode.as_deref().map(parse_mode).transpose()?,
        name: body.name,
        note: body.note,
        password: body.password,
        expires: body.expires_at.map(|time| time.as_deref().map(parse_time).transpose()).transpose()?,
        download_limit: body.download_limit,
    };
    Ok(Json(app.links.update(&caller.actor(), id, update).await?.into()))
}

/// Revoke a link
///
/// Nobody gets in by it any more, and what is known of its use is forgotten.
#[utoipa::path(delete, path = "/api/v1/links/{id}", tag = "Links", security(("token" = [])),
    params(("id" = String, Path, description = "A link's id, `lnk_…`.")),
    responses((status = 204, description = "The link is gone.")))]
pub(crate) async fn delete_link(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<LinkId>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    app.links.delete(&caller.actor(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Show what happened through a link
///
/// Newest first, for 90 days and up to about 10,000. A visitor who looks again within ten minutes is not told of again.
#[utoipa::path(get, path = "/api/v1/links/{id}/events", tag = "Links", security(("token" = [])),
    params(
        ("id" = String, Path, description = "A link's id, `lnk_…`."),
        ("limit" = Option<u32>, Query, description = "Items on the page: 1 to 1000, 100 if absent."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
        ("format" = Option<String>, Query, description = "`csv`: everything, as a table. `json` is the default."),
    ),
    responses(
        (status = 200, description = "A page of events, or all of them as a table.",
            content((Page<EventView> = "application/json"), (String = "text/csv"))),
    ))]
pub(crate) async fn list_link_events(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<LinkId>,
    Query(query): Query<EventsQuery>,
) -> Result<Response, Problem> {
    let actor = caller.actor();
    match query.format.as_deref() {
        None | Some("json") => {
            let before = query.cursor.map(|cursor| parse_id(&page::position(&cursor)?)).transpose()?;
            let events = app.links.events(&actor, id, before, page_limit(query.limit)?).await?;
            let last = events.items.last().filter(|_| events.more);
            let next_cursor = last.map(|last| page::cursor(&last.id.to_string()));
            let items = events.items.into_iter().map(EventView::from).collect();
            Ok(Json(Page { items, next_cursor }).into_response())
        }
        Some("csv") if query.cursor.is_none() && query.limit.is_none() => table(&app, &actor, id).await,
        Some("csv") => Err(Problem::invalid("The table has no pages: leave `limit` and `cursor` out.")),
        Some(_) => Err(Problem::invalid("`format` must be `json` or `csv`.")),
    }
}

/// All events as comma-separated values (RFC 4180). There are few enough of them to be gathered.
async fn table(app: &App, actor: &Actor, link: LinkId) -> Result<Response, Problem> {
    let mut text = String::from("at,kind,entry_id,entry_name,bytes,visitor,client,network\r\n");
    let mut before = None;
    loop {
        let events = app.links.events(actor, link, before, base::limits::PAGE_ENTRIES_MAX).await?;
        for event in &events.items {
            let fields = [
                event.at.to_string(),
                event.kind.as_str().to_owned(),
                event.entry.map(|id| id.to_string()).unwrap_or_default(),
                event.entry_name.clone().unwrap_or_default(),
                event.bytes.map(|bytes| bytes.to_string()).unwrap_or_default(),
                event.visitor.clone().unwrap_or_default(),
                event.client.clone(),
                event.network.clone(),
            ];
            text.push_str(&fields.map(|field| csv_field(&field)).join(","));
            text.push_str("\r\n");
        }
        before = events.items.last().map(|event| event.id);
        if !events.more {
            break;
        }
    }
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"link-events.csv\"")),
    ];
    Ok((headers, text).into_response())
}

/// A field between quotes. What a spreadsheet would take for a formula gets an apostrophe before it: names come from
/// anybody.
fn csv_field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    format!("\"{}{}\"", if formula { "'" } else { "" }, text.replace('"', "\"\""))
}

fn parse_mode(text: &str) -> Result<Mode, Problem> {
    Mode::parse(text).ok_or_else(|| Problem::invalid("`mode` must be `view`, `download` or `upload`."))
}

fn after(cursor: Option<&str>) -> Result<Option<LinkId>, Problem> {
    cursor.map(|cursor| parse_id(&page::position(cursor)?)).transpose()
}

fn page(links: drive::Page<Link>) -> Page<LinkView> {
    let next_cursor = links.items.last().filter(|_| links.more).map(|last| page::cursor(&last.id.to_string()));
    Page { items: links.items.into_iter().map(LinkView::from).collect(), next_cursor }
}

impl From<Link> for LinkView {
    fn from(link: Link) -> Self {
        let kind = |folder| if folder { EntryKind::Folder } else { EntryKind::File };
        Self {
            id: link.id,
            token: link.token.map(|token| token.expose().to_owned()),
            entry_id: link.entry,
            entry_kind: link.target.as_ref().map(|target| kind(target.folder)),
            entry_name: link.target.map(|target| target.name),
            mode: link.mode.as_str(),
            name: link.name,
            note: link.note,
            has_password: link.has_password,
            expires_at: link.expires,
            download_limit: link.download_limit,
            downloads: link.downloads,
            opens: link.opens,
            uploads: link.uploads,
            created_at: link.created,
            last_used_at: link.used,
        }
    }
}

impl From<Event> for EventView {
    fn from(event: Event) -> Self {
        Self {
            id: event.id,
            kind: event.kind.as_str(),
            at: event.at,
            entry_id: event.entry,
            entry_name: event.entry_name,
            bytes: event.bytes,
            visitor: event.visitor,
            client: event.client,
            network: event.network,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_tables() {
        let check = |text: &str, expected: &str| assert_eq!(csv_field(text), expected);
        check("a, b", "\"a, b\"");
        check("say \"x\"", "\"say \"\"x\"\"\"");
        check("=1+1", "\"'=1+1\"");
        check("", "\"\"");
    }
}
