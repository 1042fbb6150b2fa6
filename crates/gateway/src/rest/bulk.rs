//! Many things to do in one call, with a result for each.

use std::sync::Arc;

use axum::extract::State;
use base::EntryId;
use drive::{Do, Entry, How, Item, ItemDone, OnConflict, Restore, Transfer};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    auth::Caller,
    error::Problem,
    extract::{Json, LongJson, NoQuery, parse_id, parse_name, parse_rule},
    rest::views::EntryView,
    state::App,
};

/// Things to do, none of which needs another one of them to be done before.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BulkBody {
    /// Up to 1000.
    items: Vec<BulkItemBody>,
}

/// One thing to do.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BulkItemBody {
    /// `trash`, `delete` (for good), `restore`, `move`, `copy`, `tag`, `untag`, `favourite`, `unfavourite`.
    #[schema(example = "move")]
    r#do: String,
    /// An entry.
    #[schema(example = "ent_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: String,
    /// For `move`, `copy`, `restore`: the folder to put it into.
    #[schema(example = "ent_0197f3c6b1d07c3a9d2e5f60718293a4")]
    parent_id: Option<String>,
    /// For `move`, `copy`, `restore`: its name there.
    #[schema(example = "report.pdf")]
    name: Option<String>,
    /// For `move`, `copy`: `fail` (the default), `skip`, `replace`, `rename`, `merge`. For `restore`: `rename` (the default),
    /// `fail`.
    #[schema(example = "rename")]
    on_conflict: Option<String>,
    /// For `move`, `copy` with `merge`: for files that both folders have, `rename` (the default), `skip`, `replace`, `fail`.
    #[schema(example = "replace")]
    on_conflict_files: Option<String>,
    /// For `tag`, `untag`: the tag.
    #[schema(example = "tag_0197f3c6b1d07c3a9d2e5f60718293a4")]
    tag_id: Option<String>,
}

/// What came of many things.
#[derive(Serialize, ToSchema)]
#[schema(as = Bulk)]
pub(crate) struct BulkView {
    /// By which all of them are taken back together: the call's own `Operation-Id`, or a new one.
    #[schema(value_type = String)]
    operation_id: Uuid,
    /// One for each, in their order.
    items: Vec<BulkItemView>,
    /// How many were refused.
    refused: usize,
}

/// What came of one thing.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkItem)]
struct BulkItemView {
    /// The entry that was named.
    id: String,
    /// `done`, `renamed`, `replaced`, `skipped`, `merged`, `refused`.
    #[schema(example = "done")]
    outcome: &'static str,
    /// The entry after it, where there is one to be shown: what was moved, the copy, or what has the name.
    #[schema(value_type = Option<EntryView>)]
    entry: Option<Entry>,
    /// What a merge did to what was in the folder.
    #[schema(value_type = Option<MergedView>)]
    merged: Option<drive::Merged>,
    /// Why it was refused.
    #[schema(value_type = Option<crate::error::ProblemDocument>)]
    error: Option<serde_json::Value>,
}

/// What a merge did, in numbers of files and of folders that were taken as they are.
#[derive(ToSchema)]
#[schema(as = Merged)]
#[expect(dead_code, reason = "it describes the drive's own form")]
struct MergedView {
    placed: u64,
    renamed: u64,
    replaced: u64,
    skipped: u64,
    /// Folders that both had.
    merged: u64,
}

/// Do many things
///
/// Each by itself: one that is refused does not stop the others. All are one operation, and `POST /api/v1/undo` with
/// `operation_id` takes them back together, as far as they can be: what was deleted for good, and favourites, cannot.
#[utoipa::path(post, path = "/api/v1/bulk", tag = "Entries", security(("token" = [])), request_body = BulkBody,
    responses((status = 200, description = "What came of each.", body = BulkView)))]
pub(crate) async fn bulk(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NoQuery,
    LongJson(body): LongJson<BulkBody>,
) -> Result<Json<BulkView>, Problem> {
    let ids: Vec<String> = body.items.iter().map(|item| item.id.clone()).collect();
    let items = body.items.into_iter().map(item).collect::<Result<Vec<_>, _>>()?;
    let (operation_id, results) = app.state.drive.bulk(&caller.actor(), items).await?;
    let refused = results.iter().filter(|result| result.is_err()).count();
    let items = ids.into_iter().zip(results).map(|(id, result)| view(id, result)).collect();
    Ok(Json(BulkView { operation_id, items, refused }))
}

fn view(id: String, result: Result<ItemDone, drive::Error>) -> BulkItemView {
    match result {
        Ok(ItemDone { outcome, entry, merged }) => BulkItemView { id, outcome, entry, merged, error: None },
        Err(error) => {
            let document = serde_json::from_slice(&Problem::from(error).body("")).unwrap_or_default();
            BulkItemView { id, outcome: "refused", entry: None, merged: None, error: Some(document) }
        }
    }
}

/// What is asked for; what makes no sense refuses the call.
fn item(body: BulkItemBody) -> Result<Item, Problem> {
    let entry: EntryId = parse_id(&body.id)?;
    let parent = body.parent_id.as_deref().map(parse_id).transpose()?;
    let name = body.name.as_deref().map(parse_name).transpose()?;
    let word = body.r#do.as_str();
    let placed = parent.is_some() || name.is_some() || body.on_conflict.is_some() || body.on_conflict_files.is_some();
    if placed && !matches!(word, "move" | "copy" | "restore") {
        return Err(Problem::invalid(format!("`{word}` takes no place and no rule for names.")));
    }
    let tag = match (&body.tag_id, word) {
        (Some(tag), "tag" | "untag") => Some(parse_id(tag)?),
        (None, "tag" | "untag") => return Err(Problem::invalid(format!("`{word}` needs `tag_id`."))),
        (Some(_), _) => return Err(Problem::invalid(format!("`{word}` takes no `tag_id`."))),
        (None, _) => None,
    };
    let transfer = |how| -> Result<Do, Problem> {
        let rule = parse_rule(body.on_conflict.as_deref(), body.on_conflict_files.as_deref())?;
        let (parent, name) = (parent, name.clone());
        Ok(Do::Transfer(Transfer { how, parent, name, rule, id: None, if_match: None }))
    };
    let what = match (word, tag) {
        ("trash", _) => Do::Trash,
        ("delete", _) => Do::Remove,
        ("restore", _) => {
            let on_conflict = match (body.on_conflict.as_deref(), &body.on_conflict_files) {
                (None | Some("rename"), None) => OnConflict::Rename,
                (Some("fail"), None) => OnConflict::Fail,
                _ => return Err(Problem::invalid("`on_conflict` of `restore` must be `rename` or `fail`.")),
            };
            Do::Restore(Restore { parent, name, on_conflict })
        }
        ("move", _) => transfer(How::Move)?,
        ("copy", _) => transfer(How::Copy)?,
        ("tag", Some(tag)) => Do::PutOn(tag),
        ("untag", Some(tag)) => Do::TakeOff(tag),
        ("favourite", _) => Do::Favourite,
        ("unfavourite", _) => Do::NoFavourite,
        _ => return Err(Problem::invalid(format!("`{word}` is nothing that can be done."))),
    };
    Ok(Item { entry, what })
}
