//! Within the server: entries are copied by it, and no byte is moved.

use std::{collections::HashMap, sync::Arc};

use base::{EntryId, Name};

use super::{Conflict, Context, Work};
use crate::client::{
    api::{Child, Entry},
    backoff::Patience,
    failure::Failure,
    path::RemotePath,
    report::{Outcome, Way},
};

/// An entry and where its copy comes.
pub(super) struct Copy {
    pub(super) entry: Box<Entry>,
    /// The path of the entry.
    pub(super) remote: Arc<RemotePath>,
    pub(super) to: To,
    /// The path of the copy.
    pub(super) path: Arc<RemotePath>,
}

/// Where a copy comes.
pub(super) enum To {
    /// What is in the entry comes into this folder.
    Folder(EntryId),
    /// The entry becomes this, where this may be there already.
    Place(Child, Option<Box<Entry>>),
}

impl Copy {
    pub(super) async fn run(self, context: &Context) -> Result<Vec<Work>, Failure> {
        let way = Way { source: self.remote.to_string(), destination: self.path.to_string() };
        match self.copy(context, &way).await {
            Ok(work) => Ok(work),
            Err(failure) if failure.is_fatal() => Err(failure.about(&way.source)),
            Err(failure) => {
                context.report.failed(&way, &failure);
                Ok(Vec::new())
            }
        }
    }

    /// Whether this only looks into a folder, and copies nothing by itself.
    pub(super) fn is_merge(&self) -> bool {
        match &self.to {
            To::Folder(_) => true,
            To::Place(_, existing) => {
                self.entry.is_folder() && existing.as_ref().is_some_and(|entry| entry.is_folder())
            }
        }
    }

    async fn copy(&self, context: &Context, way: &Way) -> Result<Vec<Work>, Failure> {
        let (place, existing) = match &self.to {
            To::Folder(folder) => return self.merge(context, *folder).await,
            To::Place(place, existing) => (place, existing),
        };
        if let Some(existing) = existing {
            if existing.id == self.entry.id {
                return Err(Failure::Failed("source and destination are the same".into()));
            }
            match (self.entry.is_folder(), existing.is_folder()) {
                (true, true) => return self.merge(context, existing.id).await,
                (true, false) => return Err(Failure::Failed("there is a file of this name".into())),
                (false, true) => return Err(Failure::Failed("there is a folder of this name".into())),
                (false, false) => {}
            }
            if let Some(outcome) = left_out(&self.entry, existing, context.conflict)? {
                context.report.done(way, &outcome);
                return Ok(Vec::new());
            }
        }
        let made = context.api.copy(self.entry.id, place, context.conflict.for_server()).await?;
        let renamed = (made.name != place.name.as_str()).then(|| made.name.clone());
        context.report.done(way, &Outcome::Copied { bytes: 0, renamed });
        Ok(Vec::new())
    }

    /// Copies what is in a folder into another, where some of it may be already.
    async fn merge(&self, context: &Context, into: EntryId) -> Result<Vec<Work>, Failure> {
        let there = all(context, into).await?;
        let mut there: HashMap<_, _> = there.into_iter().map(|entry| (entry.name.clone(), entry)).collect();
        let mut work = Vec::new();
        for entry in all(context, self.entry.id).await? {
            let name = Name::new(&entry.name).map_err(|why| Failure::Failed(why.to_string()).about(&entry.name))?;
            let existing = there.remove(name.as_str()).map(Box::new);
            let (remote, path) = (Arc::new(self.remote.join(&name)), Arc::new(self.path.join(&name)));
            let to = To::Place(Child { parent: into, name }, existing);
            work.push(Work::Clone(Self { entry: Box::new(entry), remote, to, path }));
        }
        Ok(work)
    }
}

/// What becomes of a file whose name another file has, if it is not to be copied.
fn left_out(entry: &Entry, existing: &Entry, conflict: Conflict) -> Result<Option<Outcome>, Failure> {
    if entry.hash().is_some() && (entry.bytes(), entry.hash()) == (existing.bytes(), existing.hash()) {
        return Ok(Some(Outcome::Same));
    }
    match conflict {
        Conflict::Skip => Ok(Some(Outcome::Skipped("another file has the name"))),
        Conflict::Fail => Err(Failure::Failed("another file has the name".into())),
        Conflict::Replace | Conflict::Rename => Ok(None),
    }
}

async fn all(context: &Context, folder: EntryId) -> Result<Vec<Entry>, Failure> {
    let (mut entries, mut cursor) = (Vec::new(), None);
    loop {
        let page = context.api.children(Patience::Long, folder, cursor.as_deref()).await?;
        entries.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(entries);
        }
    }
}
