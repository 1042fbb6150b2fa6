//! The one answer to "may this person see these entries": for lists that are not made by walking down the tree.

use accounts::Action;
use base::EntryId;
use futures::future::join_all;

use crate::{Actor, Drive, Entry, Error, drive::Reach};

/// Entries that are looked up at once.
const AT_ONCE: usize = 16;

impl Drive {
    /// Those of these entries that are in a tree and that the actor may see, in the same order. The others might as well
    /// not exist: they are somebody else's, in the trash, or gone.
    ///
    /// Tags, favourites and what is recent know entries by their ids alone. They show what this gives and nothing else.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub(crate) async fn visible(&self, actor: &Actor, ids: &[EntryId]) -> Result<Vec<Entry>, Error> {
        let mut seen = Vec::with_capacity(ids.len());
        for some in ids.chunks(AT_ONCE) {
            for entry in join_all(some.iter().map(|id| self.visible_one(actor, *id))).await {
                seen.extend(entry?);
            }
        }
        Ok(seen)
    }

    async fn visible_one(&self, actor: &Actor, id: EntryId) -> Result<Option<Entry>, Error> {
        match self.find(actor, Action::Read, id, "entry").await {
            Ok((located, Reach::Tree)) => Ok(Some(self.with_total(Entry::try_from(&located.entry)?).await?)),
            Ok((_, Reach::Trash { .. })) | Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
