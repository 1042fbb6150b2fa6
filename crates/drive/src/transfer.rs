//! Moves and copies to where a name may be taken, under a rule for that; and the merge of folders.
//!
//! A merge goes down both folders together. What only one of them has is moved or copied as it is, folders that both have
//! are merged, and files that both have go by a rule of their own. All of it is one unit of work and one operation.

use accounts::Action;
use base::{EntryId, Name, SpaceId};
use db::{
    Tx,
    tree::{self, EntryRow},
};
use journal::Kind as Changed;
use serde::Serialize;

use crate::{
    Actor, Drive, Entry, Error, IfMatch, OnConflict, Update,
    entry::NameOf,
    place::Spot,
    repeat::{Done, Repeat},
    work::Work,
};

/// Changes that one merge makes at most: it is one unit of work, and is taken back as one.
const CHANGES_MAX: usize = 1000;

/// Whether an entry goes away from where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It does.
    Move,
    /// It stays, and shares its bytes.
    Copy,
}

impl How {
    /// What one must be allowed to do with the entry.
    fn needs(self) -> Action {
        match self {
            Self::Move => Action::Change,
            Self::Copy => Action::Read,
        }
    }
}

/// Where an entry goes.
#[derive(Debug, Clone)]
pub struct Transfer {
    /// Whether it stays.
    pub how: How,
    /// The folder; the one that it is in if absent. In another space names that are taken are refused or numbered.
    pub parent: Option<EntryId>,
    /// The name; its own if absent.
    pub name: Option<Name>,
    /// What to do if the name is taken.
    pub rule: Rule,
    /// The id of a copy, if the client made one: a UUIDv7 that no entry has.
    pub id: Option<EntryId>,
    /// The state it must be in.
    pub if_match: Option<IfMatch>,
}

/// What to do where a name is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// As for files, whatever has the name. A folder is never replaced.
    Plain(OnFile),
    /// Two folders become one; two files go by the rule for files, and so does a file that meets a folder.
    Merge(OnFile),
}

/// What to do where a file has the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFile {
    /// Refuse with [`Error::NameTaken`], all of it.
    Fail,
    /// Leave both where they are.
    Skip,
    /// Make the bytes a new version of the file that has the name. One that was to move goes to the trash.
    Replace,
    /// Keep both, under a free name like it.
    Rename,
}

impl OnFile {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Fail, Self::Skip, Self::Replace, Self::Rename];

    /// As it stands in requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Skip => "skip",
            Self::Replace => "replace",
            Self::Rename => "rename",
        }
    }

    /// Reads the form of [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.as_str() == text)
    }
}

impl Rule {
    fn on_file(self) -> OnFile {
        match self {
            Self::Plain(rule) | Self::Merge(rule) => rule,
        }
    }
}

/// What came of a transfer.
#[derive(Debug, Clone)]
pub struct Transferred {
    /// The entry where it was to go: itself, its copy, or what had the name. None in an answer that is given again for what
    /// was merged or replaced.
    pub entry: Option<Entry>,
    /// What happened.
    pub outcome: Outcome,
    /// What a merge did. None in an answer that is given again.
    pub merged: Option<Merged>,
}

/// What happened to what was to move or to be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is there under its name.
    Placed,
    /// It is there under another name, since its own was taken.
    Renamed,
    /// Its bytes are a new version of what had the name.
    Replaced,
    /// It is where it was, since its name was taken.
    Skipped,
    /// It became a part of the folder that had the name.
    Merged,
}

impl Outcome {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Placed => "done",
            Self::Renamed => "renamed",
            Self::Replaced => "replaced",
            Self::Skipped => "skipped",
            Self::Merged => "merged",
        }
    }
}

/// What a merge did to what was in the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Merged {
    /// Files, and folders with all that is in them, that went over under their names.
    pub placed: u64,
    /// Those that went over under other names.
    pub renamed: u64,
    /// Files whose bytes are a new version of another one.
    pub replaced: u64,
    /// Those that stayed.
    pub skipped: u64,
    /// Folders that were merged into others.
    pub merged: u64,
}

impl Merged {
    fn count(&mut self, outcome: Outcome) {
        *match outcome {
            Outcome::Placed => &mut self.placed,
            Outcome::Renamed => &mut self.renamed,
            Outcome::Replaced => &mut self.replaced,
            Outcome::Skipped => &mut self.skipped,
            Outcome::Merged => &mut self.merged,
        } += 1;
    }
}

impl From<Done> for Transferred {
    fn from(done: Done) -> Self {
        let outcome = match done.kind {
            Changed::Merged => Outcome::Merged,
            Changed::Trashed | Changed::Content => Outcome::Replaced,
            _ => Outcome::Placed,
        };
        // The entry of a merge or of a replaced file is the one that went away.
        let entry = (outcome == Outcome::Placed || done.kind == Changed::Content).then_some(done.entry);
        Self { entry, outcome, merged: None }
    }
}

impl Drive {
    /// Moves or copies an entry under a rule for a name that is taken.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::InTrash`], [`Error::RootEntry`], [`Error::OtherSpace`], [`Error::NotAFolder`],
    /// [`Error::Precondition`], [`Error::NameTaken`], [`Error::IntoItself`], [`Error::TooDeep`], [`Error::TooManyEntries`], [`Error::Quota`].
    pub async fn transfer(&self, actor: &Actor, id: EntryId, transfer: Transfer) -> Result<Transferred, Error> {
        // What a repeated request moved may be in the trash by now, so where it is counts only in the unit of work.
        let (located, _) = match self.find(actor, transfer.how.needs(), id, "entry").await {
            Ok(found) => found,
            Err(refused) => {
                let said = match transfer.how {
                    How::Move => Some(Repeat::of(id, MOVES)),
                    How::Copy => transfer.id.map(|id| Repeat::of(id, &[Changed::Copied])),
                };
                return Ok(self.done_unless(actor, said, refused).await?.into());
            }
        };
        let repeat = repeat(&located.entry, &transfer);
        let run = async {
            let repeat = repeat.clone();
            let space = located.space.id;
            if let Some(parent) = transfer.parent {
                let target = self.folder(actor, Action::Change, Some(parent)).await?;
                if target.space.id != space {
                    let on_conflict = match transfer.rule {
                        Rule::Plain(OnFile::Fail) => OnConflict::Fail,
                        Rule::Plain(OnFile::Rename) => OnConflict::Rename,
                        _ => return Err(Error::OtherSpace),
                    };
                    return self.over(actor, id, (space, target.space.id), transfer, on_conflict, repeat).await;
                }
            }
            let (drive, actor) = (self.clone(), actor.clone());
            let unit = async move |tx: Tx| {
                let mut work = Work::hold(&drive, &tx, space, Some(&actor)).await?.of_several();
                work.refuse_repeat(&repeat).await?;
                if work.operation.is_none() {
                    work.operation = Some(drive.inner.ids.job().0);
                }
                let done = work.transfer(id, transfer).await?;
                work.settle_totals().await?;
                Ok(done)
            };
            self.write(space, unit).await
        };
        self.once(actor, &repeat, run, Transferred::from).await
    }
}

impl Drive {
    /// A transfer to another space.
    async fn over(
        &self,
        actor: &Actor,
        id: EntryId,
        spaces: (SpaceId, SpaceId),
        transfer: Transfer,
        on_conflict: OnConflict,
        repeat: Repeat,
    ) -> Result<Transferred, Error> {
        let Transfer { how, parent, name, id: copy, if_match, .. } = transfer;
        let wanted = name.clone();
        let entry = match how {
            How::Move => {
                let update = Update { name, parent, if_match };
                self.cross_over(actor, id, spaces, update, on_conflict, repeat).await?
            }
            How::Copy => {
                let copy = crate::Copy { parent, name, on_conflict, id: copy };
                self.copy_over(actor, id, spaces, copy, repeat).await?
            }
        };
        let renamed = wanted.is_some_and(|wanted| wanted.as_str() != entry.name);
        let outcome = if renamed { Outcome::Renamed } else { Outcome::Placed };
        Ok(Transferred { entry: Some(entry), outcome, merged: None })
    }
}

/// What a move is in the journal: of the entry itself, of what a merge left of it, or of what gave its bytes to another file.
const MOVES: &[Changed] = &[Changed::Moved, Changed::Renamed, Changed::Merged, Changed::Trashed];

/// Which changes the same request could have made before.
fn repeat(source: &EntryRow, transfer: &Transfer) -> Repeat {
    let to = transfer.parent.or(source.parent).unwrap_or(source.id);
    match transfer.how {
        How::Move => Repeat::of(source.id, MOVES),
        How::Copy => {
            let name = transfer.name.as_ref().map_or(source.name.as_str(), Name::as_str);
            let like = transfer.rule.on_file() == OnFile::Rename;
            Repeat::copy(source, to, name, like, transfer.id)
        }
    }
}

impl Work<'_> {
    async fn transfer(&self, id: EntryId, transfer: Transfer) -> Result<Transferred, Error> {
        let source = self.entry_for(transfer.how.needs(), id, "entry").await?;
        IfMatch::check(transfer.if_match.as_ref(), &Entry::try_from(&source)?)?;
        let Some(from) = source.parent else { return Err(Error::RootEntry) };
        let to = transfer.parent.unwrap_or(from);
        let name = transfer.name.clone().map_or_else(|| Name::new(&source.name), Ok)?;
        self.folder(to).await?;
        let taken = tree::child(self.tx, self.space.id, to, name.as_str()).await?;
        let taken = taken.filter(|taken| transfer.how == How::Copy || taken.id != id);
        let target = match (taken, transfer.rule) {
            (Some(target), Rule::Merge(on_file)) if target.kind == tree::FOLDER && source.kind == tree::FOLDER => {
                let merged = self.merge(&source, &target, transfer.how, on_file).await?;
                let entry = Some(Entry::try_from(&target)?);
                return Ok(Transferred { entry, outcome: Outcome::Merged, merged: Some(merged) });
            }
            (taken, rule) => (taken, rule.on_file()),
        };
        let (entry, outcome) = self.carry(source, to, name, target, transfer.how, transfer.id).await?;
        Ok(Transferred { entry: Some(entry), outcome, merged: None })
    }

    /// Moves or copies an entry to a name, which may be taken by another entry.
    async fn carry(
        &self,
        source: EntryRow,
        to: EntryId,
        name: Name,
        (taken, rule): (Option<EntryRow>, OnFile),
        how: How,
        id: Option<EntryId>,
    ) -> Result<(Entry, Outcome), Error> {
        let kind = if source.kind == tree::FILE { NameOf::File } else { NameOf::Folder };
        let (name, outcome) = match (taken, rule) {
            (None, _) => (name, Outcome::Placed),
            (Some(_), OnFile::Rename) => (self.free_name(to, &name, kind).await?, Outcome::Renamed),
            (Some(taken), OnFile::Skip) => {
                let left = if how == How::Move { source } else { taken };
                return Ok((Entry::try_from(&left)?, Outcome::Skipped));
            }
            (Some(taken), OnFile::Replace)
                if taken.kind == tree::FILE && source.kind == tree::FILE && taken.id != source.id =>
            {
                let entry = self.copy_file(&source, Spot::File { id: taken.id, if_match: None }).await?;
                if how == How::Move {
                    self.discard(source).await?;
                }
                return Ok((entry, Outcome::Replaced));
            }
            (Some(_), OnFile::Fail | OnFile::Replace) => return Err(Error::NameTaken),
        };
        let entry = match how {
            How::Move => {
                self.relocate(source.id, Update { name: Some(name), parent: Some(to), if_match: None }).await?
            }
            How::Copy if source.kind == tree::FILE => {
                let on_conflict = OnConflict::Fail;
                self.copy_file(&source, Spot::Child { parent: to, name, on_conflict, id }).await?
            }
            How::Copy => self.copy_tree(source, to, name, OnConflict::Fail, id, None).await?,
        };
        Ok((entry, outcome))
    }

    /// Makes what is in a folder a part of another one, and writes that down. A folder that has nothing left in it after its
    /// content moved goes to the trash.
    async fn merge(&self, source: &EntryRow, target: &EntryRow, how: How, on_file: OnFile) -> Result<Merged, Error> {
        let space = self.space.id;
        if tree::ancestors(self.tx, space, target.id).await?.contains(&source.id) {
            return Err(Error::IntoItself);
        }
        let mut counts = Merged::default();
        // Parents before children: a folder, the one that it becomes a part of, and where its own parent is in the list.
        let mut pairs = vec![(source.clone(), target.id, None::<usize>)];
        let mut left = vec![false];
        let (mut next, mut changes) = (0, 0);
        while next < pairs.len() {
            let (folder, into) = (pairs[next].0.id, pairs[next].1);
            let rows = tree::children_within(self.tx, space, folder, (CHANGES_MAX - changes) as u32 + 1).await?;
            for row in rows {
                changes += 1;
                if changes > CHANGES_MAX {
                    return Err(Error::TooManyEntries(CHANGES_MAX));
                }
                let name = Name::new(&row.name)?;
                let taken = tree::child(self.tx, space, into, name.as_str()).await?;
                if let Some(taken) = &taken
                    && taken.kind == tree::FOLDER
                    && row.kind == tree::FOLDER
                    && taken.id != row.id
                {
                    counts.count(Outcome::Merged);
                    pairs.push((row, taken.id, Some(next)));
                    left.push(false);
                    continue;
                }
                let (_, outcome) = self.carry(row, into, name, (taken, on_file), how, None).await?;
                counts.count(outcome);
                left[next] |= outcome == Outcome::Skipped;
            }
            next += 1;
        }
        self.record(Changed::Merged, &Entry::try_from(source)?, None).await?;
        if how == How::Move {
            for at in (0..pairs.len()).rev() {
                if let (true, Some(parent)) = (left[at], pairs[at].2) {
                    left[parent] = true;
                }
            }
            for (at, (folder, _, parent)) in pairs.into_iter().enumerate() {
                // With a folder goes what is left of the folders in it.
                if !left[at] && parent.is_none_or(|parent| left[parent]) {
                    self.discard(folder).await?;
                }
            }
        }
        Ok(counts)
    }
}
