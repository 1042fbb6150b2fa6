//! History: what was done in a space, as pages or as one document to keep.

use std::{convert::Infallible, io, sync::Arc};

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use base::{AccountId, EntryId, SpaceId, Time};
use bytes::Bytes;
use drive::{Activity, Actor, Drive, Wanted};
use futures::{StreamExt, TryStreamExt, stream};
use http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    auth::Caller,
    error::{Chain, Problem},
    extract::{Json, Query, page_limit, parse_id},
    rest::{
        page::{self, Page},
        trash,
    },
    state::App,
};

/// Changes that an export reads at once.
const EXPORT_PAGE: u32 = 1000;

/// Which changes, and in which form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActivityQuery {
    space: Option<String>,
    actor: Option<String>,
    entry: Option<String>,
    kind: Option<String>,
    from: Option<String>,
    to: Option<String>,
    format: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Something that was done.
#[derive(Serialize, ToSchema)]
#[schema(as = Activity)]
pub(crate) struct ActivityView {
    #[schema(value_type = String, example = "spc_0197f3c6b1d07c3a9d2e5f60718293a4")]
    space_id: SpaceId,
    /// The number of the change in the space.
    #[schema(example = 42)]
    sequence: u64,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    at: Time,
    /// As in the list of changes.
    #[schema(example = "renamed")]
    kind: String,
    /// Who did it; `null` where the program itself did.
    #[schema(value_type = Option<String>, example = "usr_0197f3c6b1d07c3a9d2e5f60718293a4")]
    actor: Option<AccountId>,
    #[schema(value_type = String, example = "ent_0197f3c6b1d07c3a9d2e5f60718293a4")]
    entry_id: EntryId,
    /// `folder` or `file`.
    #[schema(example = "file")]
    entry_kind: Option<String>,
    /// What it was called after the change; what is removed, before.
    #[schema(example = "final report.pdf")]
    name: Option<String>,
    /// The folder that it was in then.
    #[schema(value_type = Option<String>)]
    parent_id: Option<EntryId>,
    /// What it was called before it was renamed or moved.
    #[schema(example = "report.pdf")]
    previous_name: Option<String>,
    /// The folder that it was in before it was renamed or moved.
    #[schema(value_type = Option<String>)]
    previous_parent_id: Option<EntryId>,
    #[schema(value_type = Option<String>)]
    operation_id: Option<Uuid>,
    /// The change that this one took back.
    undoes: Option<u64>,
    /// The change that took this one back.
    undone_by: Option<u64>,
    /// Whether `POST /api/v1/undo` may take it back, if nothing stands in the way.
    undoable: bool,
}

/// The form of an answer.
enum Form {
    Page,
    Json,
    Csv,
}

/// List what was done
///
/// Newest first, with the names that things had then. A moved, copied or deleted folder is one item: what is in it went
/// along. As `text/csv`, or with `format=csv` or `format=json`, the answer is one document of all that fits. In CSV a cell that a
/// spreadsheet would take for a formula begins with an apostrophe.
#[utoipa::path(get, path = "/api/v1/activity", tag = "History", security(("token" = [])),
    params(
        ("space" = Option<String>, Query, description = "A space's id, `spc_…`; one's own space where it is absent."),
        ("actor" = Option<String>, Query, description = "Only what this account did: `me`, or an id, `usr_…`."),
        ("entry" = Option<String>, Query, description = "Only what was done to this entry, `ent_…`."),
        ("kind" = Option<String>, Query, description = "Only changes of this kind."),
        ("from" = Option<String>, Query, description = "Not before this time: `2026-11-21`, or with a time in UTC as in the answers."),
        ("to" = Option<String>, Query, description = "Before this time."),
        ("format" = Option<String>, Query, description = "`csv` or `json`: everything, to be saved."),
        ("limit" = Option<u32>, Query, description = "Items on the page: 1 to 1000, 100 if absent."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of what was done; or all of it.",
        content((Page<ActivityView> = "application/json"), (String = "text/csv")))))]
pub(crate) async fn list_activity(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<ActivityQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let actor = caller.actor();
    let space = trash::space(&actor, query.space.as_deref())?;
    let wanted = Wanted {
        actor: match query.actor.as_deref() {
            Some("me") => Some(actor.principal.account),
            named => named.map(parse_id).transpose()?,
        },
        entry: query.entry.as_deref().map(parse_id).transpose()?,
        kind: query.kind.as_deref().map(kind).transpose()?,
        from: query.from.as_deref().map(time).transpose()?,
        to: query.to.as_deref().map(time).transpose()?,
    };
    let before = query.cursor.as_deref().map(trash::number).transpose()?;
    let limit = page_limit(query.limit)?;
    match form(query.format.as_deref(), &headers)? {
        Form::Page => {
            let found = app.state.drive.activity(&actor, space, &wanted, before, limit).await?;
            let next_cursor =
                found.items.last().filter(|_| found.more).map(|it| page::cursor(&it.sequence.to_string()));
            let items = found.items.into_iter().map(|it| ActivityView::of(space, it)).collect();
            Ok(Json(Page { items, next_cursor }).into_response())
        }
        Form::Csv => {
            let export = Export { drive: app.state.drive.clone(), actor, space, wanted };
            Ok(export.document("text/csv; charset=utf-8", "activity.csv", HEAD, csv_line, "").await?)
        }
        Form::Json => {
            let export = Export { drive: app.state.drive.clone(), actor, space, wanted };
            Ok(export.document("application/json", "activity.json", "[\n", json_line, "\n]\n").await?)
        }
    }
}

/// The form that was asked for, by name or by what the client accepts.
fn form(named: Option<&str>, headers: &HeaderMap) -> Result<Form, Problem> {
    match named {
        Some("csv") => Ok(Form::Csv),
        Some("json") => Ok(Form::Json),
        Some(_) => Err(Problem::invalid("`format` must be `csv` or `json`.")),
        None => {
            let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
            let csv = accepted.split(',').any(|one| one.split(';').next().is_some_and(|it| it.trim() == "text/csv"));
            Ok(if csv { Form::Csv } else { Form::Page })
        }
    }
}

fn kind(word: &str) -> Result<String, Problem> {
    let known = journal::Kind::parse(word).is_some();
    if known { Ok(word.to_owned()) } else { Err(Problem::invalid("`kind` is no kind of change.")) }
}

fn time(text: &str) -> Result<Time, Problem> {
    text.parse().map_err(|_| Problem::invalid("A time is `2026-11-21` or `2026-11-21T01:26:55Z`, in UTC."))
}

/// Writes an item of an export; also told whether it is the first one.
type Line = fn(&ActivityView, bool) -> String;

/// All that fits, as one document. It is read page by page while it is sent.
struct Export {
    drive: Drive,
    actor: Actor,
    space: SpaceId,
    wanted: Wanted,
}

impl Export {
    async fn document(
        self,
        content_type: &'static str,
        name: &'static str,
        head: &'static str,
        line: Line,
        end: &'static str,
    ) -> Result<Response, Problem> {
        // The first page is read before the answer begins: what is refused is refused with a status.
        let first = self.drive.activity(&self.actor, self.space, &self.wanted, None, EXPORT_PAGE).await?;
        let before = first.items.last().filter(|_| first.more).map(|last| last.sequence);
        let begin = [Ok(Bytes::from_static(head.as_bytes())), Ok(lines(self.space, first.items, line, true))];
        let rest = stream::try_unfold((self, before), move |(export, before)| async move {
            let Some(before) = before else { return Ok(None) };
            let found = export
                .drive
                .activity(&export.actor, export.space, &export.wanted, Some(before), EXPORT_PAGE)
                .await
                .inspect_err(|error| tracing::error!(cause = %Chain(error), "an export broke off"))?;
            let next = found.items.last().filter(|_| found.more).map(|last| last.sequence);
            Ok(Some((lines(export.space, found.items, line, false), (export, next))))
        });
        let rest = rest.map_err(|error: drive::Error| io::Error::other(error));
        let end =
            stream::iter([Ok::<_, Infallible>(Bytes::from_static(end.as_bytes()))]).map_err(|never| match never {});
        let mut response = Response::new(Body::from_stream(stream::iter(begin).chain(rest).chain(end)));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        let disposition = format!("attachment; filename=\"{name}\"");
        headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_str(&disposition).expect("plain text"));
        Ok(response)
    }
}

/// Items as text; `line` learns whether its item is the first of all.
fn lines(space: SpaceId, items: Vec<Activity>, line: Line, is_first: bool) -> Bytes {
    let mut text = String::new();
    for (at, item) in items.into_iter().enumerate() {
        text.push_str(&line(&ActivityView::of(space, item), is_first && at == 0));
    }
    text.into()
}

/// The first line of a CSV export.
const HEAD: &str = "sequence,at,kind,actor,entry_id,entry_kind,name,parent_id,previous_name,previous_parent_id,\
                    operation_id,undoes,undone_by\r\n";

fn csv_line(item: &ActivityView, _: bool) -> String {
    let text = |it: &Option<String>| it.clone().unwrap_or_default();
    let id = |it: &Option<EntryId>| it.map(|id| id.to_string()).unwrap_or_default();
    let number = |it: Option<u64>| it.map(|number| number.to_string()).unwrap_or_default();
    let cells = [
        item.sequence.to_string(),
        item.at.to_string(),
        item.kind.clone(),
        item.actor.map(|id| id.to_string()).unwrap_or_default(),
        item.entry_id.to_string(),
        text(&item.entry_kind),
        text(&item.name),
        id(&item.parent_id),
        text(&item.previous_name),
        id(&item.previous_parent_id),
        item.operation_id.map(|id| id.to_string()).unwrap_or_default(),
        number(item.undoes),
        number(item.undone_by),
    ];
    let mut line = cells.map(|cell| csv_cell(&cell)).join(",");
    line.push_str("\r\n");
    line
}

/// A cell as RFC 4180 has it. What spreadsheets would run as a formula gets an apostrophe in front (OWASP, "CSV
/// Injection"): names are anybody's text.
fn csv_cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let apostrophe = if formula { "'" } else { "" };
    if formula || text.contains(['"', ',', '\r', '\n', ';', '\t']) {
        format!("\"{apostrophe}{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

fn json_line(item: &ActivityView, is_first: bool) -> String {
    let json = serde_json::to_string(item).expect("text, numbers and ids are JSON");
    if is_first { json } else { format!(",\n{json}") }
}

impl ActivityView {
    fn of(space_id: SpaceId, it: Activity) -> Self {
        Self {
            space_id,
            sequence: it.sequence,
            at: it.at,
            kind: it.kind,
            actor: it.actor,
            entry_id: it.entry,
            entry_kind: it.entry_kind,
            name: it.name,
            parent_id: it.parent,
            previous_name: it.name_before,
            previous_parent_id: it.parent_before,
            operation_id: it.operation,
            undoes: it.undoes,
            undone_by: it.undone_by,
            undoable: it.undoable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_text_to_a_spreadsheet() {
        for (text, cell) in [
            ("report.pdf", "report.pdf"),
            ("a, b", "\"a, b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=1+1", "\"'=1+1\""),
            ("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\""),
            ("+7", "\"'+7\""),
            ("-2", "\"'-2\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\t=1", "\"'\t=1\""),
            ("＝1", "\"'＝1\""),
            ("a;=1", "\"a;=1\""),
            ("", ""),
        ] {
            assert_eq!(csv_cell(text), cell, "{text:?}");
        }
    }

    #[test]
    fn the_form_is_named_or_accepted() {
        let headers = |accept: &'static str| HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
        assert!(matches!(form(None, &headers("application/json")), Ok(Form::Page)));
        assert!(matches!(form(None, &headers("text/html, text/csv;q=0.9")), Ok(Form::Csv)));
        assert!(matches!(form(Some("json"), &headers("text/csv")), Ok(Form::Json)));
        assert!(form(Some("xml"), &HeaderMap::new()).is_err());
    }
}
