//! The versions of a file: look at them, read them, make one current again, keep or remove them.

use accounts::Action;
use base::{AccountId, EntryId, Time, VersionId, limits};
use db::{
    Tx,
    versions::{self, KeptRow},
};
use journal::Kind as Changed;

use crate::{
    Actor, Drive, Entry, Error, File, FileInfo, IfMatch, Kind, Page,
    drive::is_file,
    inverse::Inverse,
    place::Bytes,
    repeat::Repeat,
    work::{Work, signed},
};

/// The bytes that a file had at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Which one.
    pub id: VersionId,
    /// Its bytes.
    pub size: u64,
    /// Their media type.
    pub content_type: String,
    /// Their BLAKE3, where it is known.
    pub blake3: Option<[u8; 32]>,
    /// When it was made.
    pub created: Time,
    /// Who made it.
    pub created_by: Option<AccountId>,
    /// The name that somebody gave it.
    pub name: Option<String>,
    /// Whether somebody wants it kept.
    pub pinned: bool,
    /// Whether it is the one that the file shows.
    pub current: bool,
}

/// What is to be said of a version. What is absent stays.
#[derive(Debug, Clone, Default)]
pub struct Label {
    /// Its name, or that it has none.
    pub name: Option<Option<String>>,
    /// Whether it is to be kept.
    pub pinned: Option<bool>,
}

impl Version {
    fn of(row: KeptRow, current: Option<VersionId>) -> Self {
        let KeptRow { version, name, pinned } = row;
        Self {
            current: current == Some(version.id),
            id: version.id,
            size: version.size,
            content_type: version.content_type,
            blake3: version.blake3,
            created: version.created,
            created_by: version.created_by,
            name,
            pinned,
        }
    }
}

impl Drive {
    /// Up to `limit` versions of a file that are older than `before`, newest first.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotAFile`].
    pub async fn versions(
        &self,
        actor: &Actor,
        id: EntryId,
        before: Option<VersionId>,
        limit: u32,
    ) -> Result<Page<Version>, Error> {
        let located = self.locate(actor, Action::Read, id, "file").await?;
        is_file(&located.entry)?;
        let limit = limit.clamp(1, limits::PAGE_ENTRIES_MAX);
        let mut rows = versions::list(&self.inner.db, located.space.id, id, before, limit + 1).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let current = located.entry.version;
        Ok(Page { items: rows.into_iter().map(|row| Version::of(row, current)).collect(), more })
    }

    /// Opens a version of a file for reading.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotAFile`].
    pub async fn open_version(&self, actor: &Actor, id: EntryId, version: VersionId) -> Result<File, Error> {
        let located = self.locate(actor, Action::Read, id, "file").await?;
        is_file(&located.entry)?;
        let kept = versions::find(&self.inner.db, located.space.id, id, version).await?;
        let row = kept.ok_or(Error::NotFound("version"))?.version;
        let info = FileInfo { size: row.size, content_type: row.content_type, blake3: row.blake3, version: row.id };
        let entry = Entry { kind: Kind::File(info), modified: row.created, ..Entry::try_from(&located.entry)? };
        Ok(File::new(entry, &self.inner.store, row.content, row.size))
    }

    /// Makes the bytes of an older version the current ones, as a new version that shares them: no byte is copied. To
    /// restore the current one changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::InTrash`], [`Error::NotAFile`], [`Error::Precondition`], [`Error::Quota`].
    pub async fn restore_version(
        &self,
        actor: &Actor,
        id: EntryId,
        version: VersionId,
        if_match: Option<IfMatch>,
    ) -> Result<Entry, Error> {
        let repeat = Repeat::of(id, &[Changed::Content]);
        let run = async {
            let repeat = repeat.clone();
            let space = self.locate(actor, Action::Change, id, "file").await?.space.id;
            let (drive, actor) = (self.clone(), actor.clone());
            let unit = async move |tx: Tx| {
                let work = Work::hold(&drive, &tx, space, Some(&actor)).await?;
                work.refuse_repeat(&repeat).await?;
                let row = work.entry(id, "file").await?;
                is_file(&row)?;
                IfMatch::check(if_match.as_ref(), &Entry::try_from(&row)?)?;
                let old = work.kept_version(id, version).await?.version;
                if row.version == Some(version) {
                    return Entry::try_from(&row);
                }
                work.count(signed(old.size)?, 0).await?;
                drive.inner.store.add_reference(&tx, old.content).await?;
                let bytes = Bytes {
                    content: old.content,
                    size: old.size,
                    content_type: old.content_type,
                    blake3: old.blake3,
                    extras: None,
                };
                let placed = work.replace(row, bytes).await?;
                work.hash_if_unknown(&placed.row).await?;
                Ok(placed.entry)
            };
            self.write(space, unit).await
        };
        self.once(actor, &repeat, run, |done| done.entry).await
    }

    /// Names a version or pins it, which keeps it whatever the rules for old versions are.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::InTrash`], [`Error::NotAFile`], [`Error::VersionName`].
    pub async fn label_version(
        &self,
        actor: &Actor,
        id: EntryId,
        version: VersionId,
        label: Label,
    ) -> Result<Version, Error> {
        if let Some(Some(name)) = &label.name {
            let fits = !name.trim().is_empty() && name.len() <= limits::NAME_BYTES_MAX;
            if !fits || name.chars().any(char::is_control) {
                return Err(Error::VersionName);
            }
        }
        let space = self.locate(actor, Action::Change, id, "file").await?.space.id;
        let (drive, actor) = (self.clone(), actor.clone());
        self.write(space, async move |tx| {
            let work = Work::hold(&drive, &tx, space, Some(&actor)).await?;
            let row = work.entry(id, "file").await?;
            is_file(&row)?;
            let old = work.kept_version(id, version).await?;
            let name = label.name.unwrap_or_else(|| old.name.clone());
            let pinned = label.pinned.unwrap_or(old.pinned);
            let new = KeptRow { name, pinned, ..old.clone() };
            if (&new.name, new.pinned) != (&old.name, old.pinned) {
                work.label(&Entry::try_from(&row)?, &old, new.name.as_deref(), pinned).await?;
            }
            Ok(Version::of(new, row.version))
        })
        .await
    }

    /// Removes an older version for good; its bytes come back to the quota.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::InTrash`], [`Error::NotAFile`], [`Error::CurrentVersion`].
    pub async fn delete_version(&self, actor: &Actor, id: EntryId, version: VersionId) -> Result<(), Error> {
        let space = self.locate(actor, Action::Manage, id, "file").await?.space.id;
        let (drive, actor) = (self.clone(), actor.clone());
        self.write(space, async move |tx| {
            let work = Work::hold(&drive, &tx, space, Some(&actor)).await?;
            let row = work.entry_for(Action::Manage, id, "file").await?;
            is_file(&row)?;
            if row.version == Some(version) {
                return Err(Error::CurrentVersion);
            }
            let removed = versions::delete(&tx, space, id, version).await?.ok_or(Error::NotFound("version"))?;
            work.give_back(&[removed]).await?;
            work.record(Changed::Versions, &Entry::try_from(&row)?, None).await?;
            Ok(())
        })
        .await
    }
}

impl Work<'_> {
    /// A version of a file of this space.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub(crate) async fn kept_version(&self, entry: EntryId, id: VersionId) -> Result<KeptRow, Error> {
        versions::version(self.tx, self.space.id, entry, id).await?.ok_or(Error::NotFound("version"))
    }

    /// Writes what is said of a version, and writes that down.
    pub(crate) async fn label(
        &self,
        entry: &Entry,
        old: &KeptRow,
        name: Option<&str>,
        pinned: bool,
    ) -> Result<(), Error> {
        let id = old.version.id;
        versions::label(self.tx, self.space.id, entry.id, id, name, pinned).await?;
        let inverse = Inverse::Label {
            version_id: id,
            name: old.name.clone(),
            pinned: old.pinned,
            made_name: name.map(str::to_owned),
            made_pinned: pinned,
        };
        self.record(Changed::Versions, entry, Some(inverse)).await?;
        Ok(())
    }
}
