//! Undo and redo.

use std::sync::Arc;

use axum::extract::State;
use base::{EntryId, SpaceId};
use drive::{Actor, Undone, Which};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    auth::Caller,
    error::Problem,
    extract::{Json, NoQuery},
    rest::{trash, views::EntryView},
    state::App,
};

/// Which change is to be taken back: the newest of one's own in the space, if nothing is said.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UndoBody {
    /// The space; one's own if absent.
    #[schema(example = "spc_0197f3c6b1d07c3a9d2e5f60718293a4")]
    space_id: Option<String>,
    /// The number of the change.
    #[schema(example = 42)]
    sequence: Option<u64>,
    /// The client's id of the operation: all its changes.
    #[schema(value_type = Option<String>)]
    operation_id: Option<Uuid>,
}

/// What was taken back.
#[derive(Serialize, ToSchema)]
pub(crate) struct UndoneList {
    /// The newest first.
    items: Vec<UndoneView>,
}

/// A change that was taken back.
#[derive(Serialize, ToSchema)]
#[schema(as = Undone)]
struct UndoneView {
    /// The number of the change that was taken back.
    #[schema(example = 42)]
    undoes: u64,
    /// The number of the change that this was.
    #[schema(example = 43)]
    sequence: u64,
    /// What it did, as in the list of changes.
    #[schema(example = "restored")]
    kind: &'static str,
    #[schema(value_type = String, example = "ent_0197f3c6b1d07c3a9d2e5f60718293a4")]
    entry_id: EntryId,
    /// The entry after it; `null` if it is in the trash now, and in an answer that is given again.
    entry: Option<EntryView>,
}

/// Undo
///
/// Takes back a change that one made oneself, in whatever session: what was made goes to the trash, what was deleted comes
/// back, what was moved or renamed goes back, overwritten bytes are current again. Doing it again walks further back; changes
/// of one `Operation-Id` go together, all or none. What happened since is never overwritten: `undo-conflict` says what stands
/// in the way. A call that is repeated with its own `Operation-Id` is done once.
#[utoipa::path(post, path = "/api/v1/undo", tag = "History", security(("token" = [])), request_body = UndoBody,
    responses((status = 200, description = "What was taken back.", body = UndoneList)))]
pub(crate) async fn undo(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NoQuery,
    Json(body): Json<UndoBody>,
) -> Result<Json<UndoneList>, Problem> {
    let actor = caller.actor();
    let (space, which) = chosen(&actor, &body)?;
    Ok(Json(app.state.drive.undo(&actor, space, which).await?.into()))
}

/// Redo
///
/// Takes back an undo; `sequence` and `operation_id` are those of the change that was undone. Without them the newest undo is
/// meant, as long as nothing else was changed since.
#[utoipa::path(post, path = "/api/v1/redo", tag = "History", security(("token" = [])), request_body = UndoBody,
    responses((status = 200, description = "What was done again.", body = UndoneList)))]
pub(crate) async fn redo(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NoQuery,
    Json(body): Json<UndoBody>,
) -> Result<Json<UndoneList>, Problem> {
    let actor = caller.actor();
    let (space, which) = chosen(&actor, &body)?;
    Ok(Json(app.state.drive.redo(&actor, space, which).await?.into()))
}

fn chosen(actor: &Actor, body: &UndoBody) -> Result<(SpaceId, Which), Problem> {
    let which = match (body.sequence, body.operation_id) {
        (None, None) => Which::Newest,
        (Some(sequence), None) if i64::try_from(sequence).is_ok() => Which::Sequence(sequence),
        (Some(_), None) => return Err(Problem::invalid("`sequence` is not the number of a change.")),
        (None, Some(operation)) => Which::Operation(operation),
        (Some(_), Some(_)) => return Err(Problem::invalid("Give `sequence` or `operation_id`, not both.")),
    };
    Ok((trash::space(actor, body.space_id.as_deref())?, which))
}

impl From<Vec<Undone>> for UndoneList {
    fn from(undone: Vec<Undone>) -> Self {
        let view = |undone: Undone| UndoneView {
            undoes: undone.undoes,
            sequence: undone.sequence,
            kind: undone.kind.as_str(),
            entry_id: undone.entry_id,
            entry: undone.entry.map(EntryView::from),
        };
        Self { items: undone.into_iter().map(view).collect() }
    }
}
