//! Folders by their names, made where they are missing.

use accounts::Action;
use base::{EntryId, Name};
use db::tree;

use crate::{Actor, Drive, Error, NewFolder, drive::is_folder};

/// How often a folder that is neither there nor can be made is looked for again: somebody else may be making and removing it.
const TRIES: usize = 3;

impl Drive {
    /// The folder of this name in `parent`, which is made if there is none.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the parent, [`Error::NotAFolder`] if a file has the name, [`Error::TooDeep`].
    pub async fn folder_named(&self, actor: &Actor, parent: EntryId, name: &Name) -> Result<EntryId, Error> {
        let mut tries = 1;
        loop {
            let space = self.folder(actor, Action::Change, Some(parent)).await?.space.id;
            if let Some(row) = tree::find_child(&self.inner.db, space, parent, name.as_str()).await? {
                is_folder(&row)?;
                return Ok(row.id);
            }
            match self.create_folder(actor, NewFolder::named(parent, name.clone())).await {
                Ok(entry) => return Ok(entry.id),
                Err(Error::NameTaken) if tries < TRIES => tries += 1,
                Err(error) => return Err(error),
            }
        }
    }
}
