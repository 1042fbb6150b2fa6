//! What is said of an entry: its description and its properties.

use std::collections::BTreeMap;

use accounts::Action;
use base::EntryId;
use db::{
    Tx,
    tree::{self, EntryRow},
};
use journal::Kind as Changed;

use crate::{
    Actor, Details, Drive, Entry, Error, Extras, IfMatch, Property, inverse::Inverse, repeat::Repeat, work::Work,
};

impl Drive {
    /// Changes what is said of an entry. What says nothing new changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::InTrash`], [`Error::Precondition`], [`Error::Details`].
    pub async fn describe(
        &self,
        actor: &Actor,
        id: EntryId,
        details: Details,
        if_match: Option<IfMatch>,
    ) -> Result<Entry, Error> {
        let repeat = Repeat::of(id, &[Changed::Details]);
        let run = async {
            let repeat = repeat.clone();
            let space = self.locate(actor, Action::Change, id, "entry").await?.space.id;
            let (drive, actor) = (self.clone(), actor.clone());
            let unit = async move |tx: Tx| {
                let work = Work::hold(&drive, &tx, space, Some(&actor)).await?;
                work.refuse_repeat(&repeat).await?;
                let row = work.entry(id, "entry").await?;
                IfMatch::check(if_match.as_ref(), &Entry::try_from(&row)?)?;
                let old = Extras::read(row.extras.as_deref())?;
                let new = old.with(details)?;
                if new == old { Entry::try_from(&row) } else { work.say(row, new.description, new.properties).await }
            };
            self.write(space, unit).await
        };
        self.once(actor, &repeat, run, |done| done.entry).await
    }
}

impl Work<'_> {
    /// Writes what is said of an entry from now on, and writes that down.
    pub(crate) async fn say(
        &self,
        row: EntryRow,
        description: Option<String>,
        properties: BTreeMap<String, Property>,
    ) -> Result<Entry, Error> {
        let old = Extras::read(row.extras.as_deref())?;
        let inverse = Inverse::Details { description: old.description, properties: old.properties };
        let extras = Extras { description, properties, tags: old.tags };
        let row = EntryRow { extras: extras.stored()?, revision: row.revision + 1, ..row };
        tree::update_entry(self.tx, &row).await?;
        let entry = Entry::try_from(&row)?;
        self.record(Changed::Details, &entry, Some(inverse)).await?;
        Ok(entry)
    }
}
