//! The same request once more: answered with what it did the first time.
//!
//! A client whose answer was lost asks again, with the id that it gave to the operation. The journal has that id beside what
//! was done, in the same transaction as the change itself, so there is nothing that could disagree: a change of this
//! operation that is what the request asks for is its answer. One operation may be many requests, as long as they are about
//! different things.

use base::{EntryId, Name};
use db::{
    journal::{self as rows, ChangeRow},
    tree::EntryRow,
};
use journal::Kind as Changed;

use crate::{Actor, Copy, Drive, Entry, Error, OnConflict, entry::numbered_like, work::Work};

/// Changes of one operation that are looked through.
pub(crate) const LOOKED_AT: u32 = 1000;

/// What the copy of an entry is in the journal: a new entry, or new bytes of a file that it replaced.
pub(crate) const COPIES: &[Changed] = &[Changed::Copied, Changed::Content];

/// What a request is about: which changes it could have made.
#[derive(Debug, Clone)]
pub(crate) struct Repeat {
    kinds: &'static [Changed],
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    /// To an entry that is named, or gets an id that the client made.
    Entry(EntryId),
    /// To an entry that gets this name and this folder, where they are given.
    Place { entry: EntryId, parent: Option<EntryId>, name: Option<Name> },
    /// Something in a folder under a name, or under a free one like it. What is new has the client's id, if it made one.
    Child { parent: EntryId, name: Name, like: bool, id: Option<EntryId> },
    /// A copy of `source`, as above; or its bytes in a file of that name; or a folder that it was merged into.
    Copy { source: EntryId, bytes: Option<[u8; 32]>, parent: EntryId, name: String, like: bool, id: Option<EntryId> },
}

/// What a request did the first time.
#[derive(Debug, Clone)]
pub struct Done {
    pub(crate) kind: Changed,
    /// The entry as it was then.
    pub(crate) entry: Entry,
}

impl Repeat {
    /// A change of this entry.
    pub(crate) fn of(entry: EntryId, kinds: &'static [Changed]) -> Self {
        Self { kinds, what: What::Entry(entry) }
    }

    /// An entry renamed or moved, or both.
    pub(crate) fn place(entry: EntryId, parent: Option<EntryId>, name: Option<Name>) -> Self {
        Self { kinds: &[Changed::Renamed, Changed::Moved], what: What::Place { entry, parent, name } }
    }

    /// Something made in a folder, with the client's own id if it gave one.
    pub(crate) fn child(
        parent: EntryId,
        name: &Name,
        on_conflict: OnConflict,
        id: Option<EntryId>,
        kinds: &'static [Changed],
    ) -> Self {
        let like = on_conflict == OnConflict::Rename;
        Self { kinds, what: What::Child { parent, name: name.clone(), like, id } }
    }

    /// A copy under a rule for a name that is taken.
    pub(crate) fn copy(source: &EntryRow, parent: EntryId, name: &str, like: bool, id: Option<EntryId>) -> Self {
        Self {
            kinds: &[Changed::Copied, Changed::Content, Changed::Merged],
            what: What::Copy { source: source.id, bytes: source.blake3, parent, name: name.to_owned(), like, id },
        }
    }

    /// A copy, as far as the request itself says where it goes; none if it says too little to tell it from others of its operation.
    pub(crate) fn said(copy: &Copy) -> Option<Self> {
        let Copy { parent, name, on_conflict, id } = copy;
        match (parent, name, id) {
            (Some(parent), Some(name), _) => Some(Self::child(*parent, name, *on_conflict, *id, COPIES)),
            (_, _, Some(id)) => Some(Self::of(*id, &[Changed::Copied])),
            _ => None,
        }
    }

    /// The entry that the request is about, if it names one.
    fn entry(&self) -> Option<EntryId> {
        match self.what {
            What::Entry(entry) | What::Place { entry, .. } => Some(entry),
            What::Child { .. } | What::Copy { .. } => None,
        }
    }

    /// The change among these that the request asks for.
    fn find(&self, rows: Vec<ChangeRow>) -> Result<Option<Done>, Error> {
        for row in rows {
            let Some(kind) = Changed::parse(&row.kind).filter(|kind| self.kinds.contains(kind)) else { continue };
            let Some(state) = &row.state else { continue };
            let entry: Entry = serde_json::from_str(state).map_err(|_| Error::Shape("no entry in the journal"))?;
            let fits = match &self.what {
                What::Entry(id) => row.entry == *id,
                What::Place { entry: id, parent, name } => {
                    row.entry == *id
                        && parent.is_none_or(|parent| entry.parent == Some(parent))
                        && name.as_ref().is_none_or(|name| entry.name == name.as_str())
                }
                What::Copy { source, .. } if kind == Changed::Merged => row.entry == *source,
                What::Copy { id: Some(id), .. } if kind == Changed::Copied => row.entry == *id,
                What::Copy { bytes, parent, name, like, .. } => {
                    let named = Name::new(name)
                        .is_ok_and(|name| entry.name == name.as_str() || (*like && numbered_like(&name, &entry.name)));
                    // Of two files that replace one, each is done.
                    let same = kind != Changed::Content || entry.file().is_some_and(|info| info.blake3 == *bytes);
                    entry.parent == Some(*parent) && named && same
                }
                What::Child { id: Some(id), .. } if kind != Changed::Content => row.entry == *id,
                What::Child { parent, name, like, .. } => {
                    entry.parent == Some(*parent)
                        && (entry.name == name.as_str() || (*like && numbered_like(name, &entry.name)))
                }
            };
            if fits {
                return Ok(Some(Done { kind, entry }));
            }
        }
        Ok(None)
    }
}

impl Drive {
    /// Does what a request asks for, unless it was done before: then its first answer is the answer.
    ///
    /// The journal is asked first of all, since the world has moved on and what the request needs may not be there any more;
    /// and again if it is refused: perhaps the same request was faster on another way, and made just what it was refused for.
    pub(crate) async fn once<T>(
        &self,
        actor: &Actor,
        repeat: &Repeat,
        run: impl Future<Output = Result<T, Error>>,
        answer: impl Fn(Done) -> T,
    ) -> Result<T, Error> {
        if let Some(done) = self.done_before(actor, repeat).await? {
            return Ok(answer(done));
        }
        match run.await {
            Ok(value) => Ok(value),
            Err(Error::Repeated(done)) => Ok(answer(*done)),
            Err(error) => match self.done_before(actor, repeat).await? {
                Some(done) => Ok(answer(done)),
                None => Err(error),
            },
        }
    }

    /// What a request did the first time; if it did nothing, why it is refused now. For what is refused before it is known all of
    /// what it asks for: what it is about may be in the trash by now, or gone.
    pub(crate) async fn done_unless(
        &self,
        actor: &Actor,
        repeat: Option<Repeat>,
        refused: Error,
    ) -> Result<Done, Error> {
        match repeat {
            Some(repeat) => self.done_before(actor, &repeat).await?.ok_or(refused),
            None => Err(refused),
        }
    }

    async fn done_before(&self, actor: &Actor, repeat: &Repeat) -> Result<Option<Done>, Error> {
        let Some(operation) = actor.operation else { return Ok(None) };
        let (db, account) = (&self.inner.db, actor.principal.account);
        repeat.find(match repeat.entry() {
            Some(entry) => rows::find_operation_on(db, account, operation, entry).await?,
            None => rows::find_operation(db, account, operation, LOOKED_AT).await?,
        })
    }
}

impl Work<'_> {
    /// Ends the unit if the same request was faster on another way: of two at once one does it.
    ///
    /// # Errors
    /// [`Error::Repeated`].
    pub(crate) async fn refuse_repeat(&self, repeat: &Repeat) -> Result<(), Error> {
        let (Some(operation), Some(account)) = (self.operation, self.actor) else { return Ok(()) };
        let found = match repeat.entry() {
            Some(entry) => rows::of_operation_on(self.tx, account, operation, entry).await?,
            None => rows::of_operation(self.tx, account, operation, LOOKED_AT).await?,
        };
        match repeat.find(found)? {
            Some(done) => Err(Error::Repeated(Box::new(done))),
            None => Ok(()),
        }
    }
}
