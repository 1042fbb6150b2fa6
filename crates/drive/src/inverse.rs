//! What takes a change back, as it stands in the journal.

use base::{EntryId, VersionId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Error;

/// The form that this version of the program writes.
const FORM: u32 = 1;

/// What to do with the entry of a change to take the change back. The entry itself stands in the journal's row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
pub(crate) enum Inverse {
    /// Put it into the trash.
    Trash,
    /// Take it out of the trash, to where it was.
    Restore {
        /// The folder.
        parent_id: EntryId,
        /// Its name there.
        name: String,
    },
    /// Move it to where it was.
    Move {
        /// The folder.
        parent_id: EntryId,
        /// Its name there.
        name: String,
    },
    /// Make an older version of it the current one again.
    Content {
        /// Which one.
        version_id: VersionId,
    },
    /// Give one of its versions back what was said of it.
    Label {
        /// Which one.
        version_id: VersionId,
        /// Its name.
        name: Option<String>,
        /// Whether it was pinned.
        pinned: bool,
    },
}

#[derive(Serialize, Deserialize)]
struct Stored {
    v: u32,
    #[serde(flatten)]
    what: Inverse,
}

impl Inverse {
    /// As the journal keeps it.
    ///
    /// # Errors
    /// [`Error::Shape`], which cannot happen: ids and text are JSON.
    pub(crate) fn to_json(self) -> Result<Value, Error> {
        serde_json::to_value(Stored { v: FORM, what: self }).map_err(|_| Error::Shape("an inverse that is no JSON"))
    }
}
