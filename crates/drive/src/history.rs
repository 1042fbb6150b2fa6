//! History: what people did in a space, newest first, with the names that things had then.

use accounts::Action;
use base::{AccountId, EntryId, SpaceId, Time, limits};
use db::{
    journal::{self as rows, Filter, PastRow},
    tree,
};
use serde::Deserialize;
use uuid::Uuid;

use crate::{Access, Actor, Drive, Error, Page, inverse::Inverse};

/// Which changes are wanted: those that fit all that is said.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// By this account.
    pub actor: Option<AccountId>,
    /// To this entry.
    pub entry: Option<EntryId>,
    /// Of this kind, by its word.
    pub kind: Option<String>,
    /// Not before.
    pub from: Option<Time>,
    /// Before.
    pub to: Option<Time>,
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Its number in the space.
    pub sequence: u64,
    /// When.
    pub at: Time,
    /// The word for what was done.
    pub kind: String,
    /// By whom; nobody, where the program itself did it.
    pub actor: Option<AccountId>,
    /// To which entry.
    pub entry: EntryId,
    /// What that is, `folder` or `file`.
    pub entry_kind: Option<String>,
    /// What it was called after it, or before it was removed.
    pub name: Option<String>,
    /// The folder that it was in then.
    pub parent: Option<EntryId>,
    /// What it was called before, if it was renamed or moved.
    pub name_before: Option<String>,
    /// The folder that it was in before, if it was renamed or moved.
    pub parent_before: Option<EntryId>,
    /// The client's id of the operation.
    pub operation: Option<Uuid>,
    /// The change that it took back, if it was an undo or a redo.
    pub undoes: Option<u64>,
    /// The change that took it back, if one did.
    pub undone_by: Option<u64>,
    /// Whether it can still be taken back, as far as can be told from itself and from whether its entry is still there.
    pub undoable: bool,
}

/// What a change's row says of its entry.
#[derive(Deserialize)]
struct Then {
    parent_id: Option<EntryId>,
    name: String,
    kind: String,
}

impl From<PastRow> for Activity {
    fn from(PastRow { change: row, there }: PastRow) -> Self {
        let then: Option<Then> = row.state.as_deref().and_then(|state| serde_json::from_str(state).ok());
        let inverse = row.inverse.as_deref().and_then(Inverse::from_json);
        let undoable = there && inverse.is_some() && row.undone_by.is_none();
        let (parent_before, name_before) = match inverse {
            Some(Inverse::Move { parent_id, name }) => (Some(parent_id), Some(name)),
            _ => (None, None),
        };
        let (parent, name, entry_kind) = match then {
            Some(then) => (then.parent_id, Some(then.name), Some(then.kind)),
            None => (None, None, None),
        };
        Self {
            sequence: row.sequence,
            at: row.at,
            kind: row.kind,
            actor: row.actor,
            entry: row.entry,
            entry_kind,
            name,
            parent,
            name_before,
            parent_before,
            operation: row.operation,
            undoes: row.undoes,
            undone_by: row.undone_by,
            undoable,
        }
    }
}

impl Drive {
    /// Up to `limit` changes of a space with numbers below `before`, newest first.
    ///
    /// A change of what is in a folder is none of the folder: a moved or removed tree is one.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn activity(
        &self,
        actor: &Actor,
        space: SpaceId,
        wanted: &Wanted,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Page<Activity>, Error> {
        let state = tree::space(&self.inner.db, space).await?.ok_or(Error::NotFound("space"))?;
        if self.access(actor, &state).await? == Access::Part {
            // Of a part of a space there is the history of single entries.
            self.permit(actor, Action::Read, &state, wanted.entry.unwrap_or(state.root), "space").await?;
        }
        let limit = limit.clamp(1, limits::PAGE_ENTRIES_MAX);
        let filter = Filter {
            actor: wanted.actor,
            entry: wanted.entry,
            kind: wanted.kind.as_deref(),
            from: wanted.from,
            to: wanted.to,
            before,
        };
        let mut rows = rows::newest(&self.inner.db, space, &filter, limit + 1).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        Ok(Page { items: rows.into_iter().map(Activity::from).collect(), more })
    }
}
