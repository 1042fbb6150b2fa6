//! Interrupted uploads: the machine below tus, and below whatever else sends a file in several requests.
//!
//! An upload is a row and a content in the making. Bytes come in appends, which follow each other: each takes the *lease*
//! by raising the row's generation, and an append whose generation is not the newest any more can neither keep bytes nor
//! finish ([`Error::UploadTakenOver`]). What an append brings is kept in extents of bounded length, each committed together
//! with the new offset and the state of the hash; so after a crash the offset is known to the byte, and at most one
//! extent is lost.
//!
//! The unit of work that keeps the last byte also makes the file. If it cannot, because the name was taken meanwhile or the
//! folder is gone, the bytes are kept all the same: the upload then is complete but open, and [`Drive::finish_upload`]
//! tries again, with another name if one is given.
//!
//! All units of work on an upload hold the row of its space, so what they read in it is true until they commit.

mod append;
mod checksum;
mod concat;
mod follow;
mod running;

use base::{ContentId, EntryId, Name, Time, UploadId, limits};
use db::{
    links, tree,
    uploads::{self, UploadRow},
};
use files::{ContentHash, Extent, NewContent};
use journal::Kind as Changed;

use crate::{
    Actor, Drive, Entry, Error, OnConflict,
    guard::expiry,
    place::{self, Placed, Spot},
    put::media_type,
    work::{Work, fits, signed},
};

pub use append::Append;
pub use checksum::{Algorithm, Checksum};
pub(crate) use running::{Running, Seat};

/// `upload.kind` of a reservation by [`Drive::put`], which no caller ever sees.
pub(crate) const KIND_PUT: &str = "put";

pub(crate) const KIND_WHOLE: &str = "whole";
const KIND_PARTIAL: &str = "partial";
const KIND_FINAL: &str = "final";
pub(crate) const OPEN: &str = "open";
pub(crate) const FINISHED: &str = "finished";

/// `upload.state` of a plain upload that an administrator ended, and whose bytes may still flow.
pub(crate) const CANCELLED: &str = "cancelled";

/// Bytes of the metadata that are kept with an upload.
const METADATA_BYTES_MAX: usize = 8 << 10;

/// What an upload is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UploadKind {
    /// It becomes a file.
    Whole,
    /// It becomes a part of a final one.
    Partial,
    /// It is made of these partial ones, in this order. The list stands in requests only: what was made is a file.
    Final(Vec<UploadId>),
}

/// How far an upload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadState {
    /// Bytes are missing, or the file could not be made yet.
    Open,
    /// It became a file; a partial one has all its bytes and waits for its final one.
    Finished,
}

/// An upload to begin.
#[derive(Debug, Clone)]
pub struct NewUpload {
    /// The folder that the file will be in; the caller's own root if absent.
    pub parent: Option<EntryId>,
    /// What it will be called. A partial upload's name means nothing.
    pub name: Name,
    /// Its media type; guessed from the name if absent.
    pub content_type: Option<String>,
    /// What to do if the name is taken at the end.
    pub on_conflict: OnConflict,
    /// How long it will be; absent if the client says so later.
    pub length: Option<u64>,
    /// What it is for.
    pub kind: UploadKind,
    /// What the client said about it, to be given back as it is.
    pub metadata: String,
}

/// An upload as its owner sees it.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Which one.
    pub id: UploadId,
    /// What it is for.
    pub kind: UploadKind,
    /// How far it is.
    pub state: UploadState,
    /// Bytes that are durable, which is where the next one belongs.
    pub offset: u64,
    /// How many there will be, if that is known.
    pub length: Option<u64>,
    /// When it will be removed if nothing happens.
    pub expires: Time,
    /// When it was begun.
    pub created: Time,
    /// The file it became.
    pub entry_id: Option<EntryId>,
    /// That file as it is now; none if it was removed since.
    pub entry: Option<Entry>,
    /// What the client said about it.
    pub metadata: String,
}

/// How to finish an upload that is complete but could not become a file. What is absent stays as it was.
#[derive(Debug, Clone, Default)]
pub struct Finish {
    /// Another folder.
    pub parent: Option<EntryId>,
    /// Another name.
    pub name: Option<Name>,
    /// Another rule for a name that is taken.
    pub on_conflict: Option<OnConflict>,
}

impl Drive {
    /// Begins an upload and reserves its room. One without bytes is a file at once.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotAFolder`], [`Error::NameTaken`] if that is certain already,
    /// [`Error::FileTooLarge`], [`Error::Quota`]; for a final one also [`Error::BadParts`], [`Error::TooManyExtents`].
    pub async fn create_upload(&self, actor: &Actor, new: NewUpload) -> Result<Upload, Error> {
        // The name of a part means nothing.
        let rule = if new.kind == UploadKind::Partial { OnConflict::Rename } else { new.on_conflict };
        let folder = self.place(actor, new.parent, &new.name, rule).await?;
        if let Some(length) = new.length {
            if length > limits::FILE_BYTES_MAX {
                return Err(Error::FileTooLarge);
            }
            fits(&folder.space, length)?;
        }
        let space = folder.space.id;
        let now = self.now();
        let (kind, parts) = match new.kind {
            UploadKind::Whole => (KIND_WHOLE, None),
            UploadKind::Partial => (KIND_PARTIAL, None),
            UploadKind::Final(parts) => (KIND_FINAL, Some(parts)),
        };
        let mut row = UploadRow {
            id: self.inner.ids.upload(),
            account: actor.principal.account,
            space,
            parent: folder.entry.id,
            content_type: media_type(new.content_type.as_deref(), new.name.as_str()),
            name: new.name.into_string(),
            on_conflict: new.on_conflict.as_str().to_owned(),
            kind: kind.to_owned(),
            state: OPEN.to_owned(),
            length: new.length,
            received: 0,
            extents: 0,
            hash_state: None,
            generation: 0,
            content: self.inner.ids.content(),
            reserved: 0,
            entry: None,
            metadata: bounded(new.metadata),
            created: now,
            expires: expiry(self, now),
        };
        let (drive, actor) = (self.clone(), actor.clone());
        self.write(space, async move |tx| {
            let work = Work::hold(&drive, &tx, space, Some(&actor)).await?;
            if let Some(parts) = parts {
                return work.concatenate(row, &parts).await;
            }
            row.reserved = row.length.unwrap_or(0);
            work.fits(row.reserved)?;
            work.count(0, signed(row.reserved)?).await?;
            uploads::insert_upload(&tx, &row).await?;
            if row.length == Some(0) {
                work.complete(row, None, &ContentHash::default()).await
            } else {
                view(row, None)
            }
        })
        .await
    }

    /// The upload as it is now.
    ///
    /// # Errors
    /// [`Error::NotFound`], also if it has expired.
    pub async fn upload(&self, actor: &Actor, id: UploadId) -> Result<Upload, Error> {
        let row = self.own_upload(actor, id).await?;
        let entry = match row.entry {
            Some(entry) => self.stat(actor, entry).await.ok(),
            None => None,
        };
        view(row, entry)
    }

    /// Says how long an upload will be, once. If all its bytes are there already, it is finished.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::LengthGiven`], [`Error::BodyTooLong`] if there are more bytes already,
    /// [`Error::FileTooLarge`], [`Error::Quota`], and those of finishing.
    pub async fn declare_length(&self, actor: &Actor, id: UploadId, length: u64) -> Result<Upload, Error> {
        if length > limits::FILE_BYTES_MAX {
            return Err(Error::FileTooLarge);
        }
        let space = self.own_upload(actor, id).await?.space;
        let (drive, theirs) = (self.clone(), actor.clone());
        let row = self
            .write(space, async move |tx| {
                let work = Work::hold(&drive, &tx, space, Some(&theirs)).await?;
                let mut row = work.upload(id).await?;
                match row.length {
                    Some(given) if given == length => return Ok(row),
                    Some(_) => return Err(Error::LengthGiven),
                    None if length < row.received => return Err(Error::BodyTooLong { announced: length }),
                    None => {}
                }
                work.fits(length)?;
                work.count(0, signed(length)? - signed(row.reserved)?).await?;
                row.length = Some(length);
                row.reserved = length;
                uploads::update_upload(&tx, &row).await?;
                Ok(row)
            })
            .await?;
        if row.state == OPEN && row.received == length {
            return self.finish_upload(actor, id, Finish::default()).await;
        }
        view(row, None)
    }

    /// Makes the file of an upload that has all its bytes, if there is none yet. Doing it again gives the same answer.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::UploadNotComplete`], [`Error::NameTaken`], [`Error::NotAFolder`], [`Error::Quota`],
    /// [`Error::PlanFileSize`], [`Error::UploadTakenOver`] if another request took it to another space meanwhile.
    pub async fn finish_upload(&self, actor: &Actor, id: UploadId, finish: Finish) -> Result<Upload, Error> {
        let row = self.own_upload(actor, id).await?;
        if row.state == FINISHED {
            return self.upload(actor, id).await;
        }
        if row.length != Some(row.received) {
            return Err(Error::UploadNotComplete);
        }
        let space = self.follow(actor, row, finish.parent).await?.space;
        let (drive, theirs) = (self.clone(), actor.clone());
        let made = self
            .write(space, async move |tx| {
                let work = Work::hold(&drive, &tx, space, Some(&theirs)).await?;
                let mut row = work.upload(id).await?;
                if row.state == FINISHED {
                    return Ok(None);
                }
                if row.length != Some(row.received) {
                    return Err(Error::UploadNotComplete);
                }
                if let Some(parent) = finish.parent {
                    row.parent = parent;
                }
                if let Some(name) = finish.name {
                    row.name = name.into_string();
                }
                if let Some(on_conflict) = finish.on_conflict {
                    row.on_conflict = on_conflict.as_str().to_owned();
                }
                let hash = restore(&row)?;
                Ok(Some(work.complete(row, None, &hash).await?))
            })
            .await?;
        match made {
            Some(upload) => Ok(upload),
            None => self.upload(actor, id).await,
        }
    }

    /// Ends an upload: what it holds is given back, and whoever is appending is cut. The file that a finished one became
    /// stays.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn terminate(&self, actor: &Actor, id: UploadId) -> Result<(), Error> {
        let space = self.own_upload(actor, id).await?.space;
        let drive = self.clone();
        self.write(space, async move |tx| {
            let work = Work::hold(&drive, &tx, space, None).await?;
            let row = work.upload(id).await?;
            work.drop_upload(row).await
        })
        .await?;
        self.inner.running.cut(id);
        Ok(())
    }

    /// The upload, if it is the caller's own and has not expired.
    pub(crate) async fn own_upload(&self, actor: &Actor, id: UploadId) -> Result<UploadRow, Error> {
        actor.principal.needs(accounts::Permission::Files)?;
        uploads::find_upload(&self.inner.db, id)
            .await?
            .filter(|row| row.account == actor.principal.account && row.kind != KIND_PUT && row.expires > self.now())
            .ok_or(Error::NotFound("upload"))
    }
}

impl Work<'_> {
    /// The upload as it is, until the commit.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is gone or has expired; [`Error::UploadTakenOver`] if it went to another space.
    pub(crate) async fn upload(&self, id: UploadId) -> Result<UploadRow, Error> {
        let row = self.upload_anywhere(id).await?;
        if row.space == self.space.id { Ok(row) } else { Err(Error::UploadTakenOver) }
    }

    /// An upload as it stands, whoever's it is and wherever it goes.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is gone or has expired.
    async fn upload_anywhere(&self, id: UploadId) -> Result<UploadRow, Error> {
        let row = uploads::upload(self.tx, id).await?.filter(|row| row.expires > self.now);
        row.ok_or(Error::NotFound("upload"))
    }

    /// Removes an upload's row with all it holds, but not the file it became.
    pub(crate) async fn drop_upload(&self, row: UploadRow) -> Result<(), Error> {
        if row.entry.is_none()
            && let Some(promised) = uploads::promised(self.tx, row.id).await?
        {
            links::delete_of_entry(self.tx, row.space, promised).await?;
        }
        uploads::delete_upload(self.tx, row.id).await?;
        self.count(0, -signed(row.reserved)?).await?;
        // The extents of a plain upload are its own business: it may be alive and well.
        if row.entry.is_none() && row.kind != KIND_PUT {
            self.drive.inner.store.discard_unfinished(self.tx, row.content, self.now).await?;
        }
        Ok(())
    }

    /// Keeps an extent that an append brought: it is sealed, and `row` says what is durable now.
    ///
    /// # Errors
    /// [`Error::Quota`] where the length is not known and the room is gone, [`Error::Files`].
    pub(crate) async fn keep(
        &self,
        row: &mut UploadRow,
        extent: &Extent,
        hash: Option<&ContentHash>,
    ) -> Result<(), Error> {
        self.drive.inner.store.seal(self.tx, extent).await?;
        row.received += extent.length();
        row.extents += 1;
        row.hash_state = hash.map(ContentHash::state);
        row.expires = expiry(self.drive, self.now);
        if row.length.is_none() {
            self.fits(row.received)?;
        }
        if row.received > row.reserved {
            self.count(0, signed(row.received - row.reserved)?).await?;
            row.reserved = row.received;
        }
        Ok(())
    }

    /// Takes in the last extent, if there is one more, and makes the upload what it is to become. `hash` is that of all
    /// its bytes.
    ///
    /// # Errors
    /// Those of [`Self::keep`], and of placing a file.
    pub(crate) async fn complete(
        &self,
        mut row: UploadRow,
        last: Option<&Extent>,
        hash: &ContentHash,
    ) -> Result<Upload, Error> {
        if let Some(extent) = last {
            self.keep(&mut row, extent, Some(hash)).await?;
        }
        row.state = FINISHED.to_owned();
        row.expires = expiry(self.drive, self.now);
        let mut entry = None;
        if row.kind == KIND_PARTIAL {
            row.hash_state = None;
        } else {
            entry = Some(self.make_file(&mut row, Some(hash.finalize())).await?.entry);
        }
        uploads::update_upload(self.tx, &row).await?;
        view(row, entry)
    }

    /// Makes the file that an upload becomes: its reserved room turns into used room, its extents into a content.
    async fn make_file(&self, row: &mut UploadRow, blake3: Option<[u8; 32]>) -> Result<Placed, Error> {
        self.count(signed(row.received)?, -signed(row.reserved)?).await?;
        row.reserved = 0;
        row.hash_state = None;
        let content: ContentId = row.content;
        let new = NewContent {
            id: content,
            size: row.received,
            blake3,
            extents: row.extents,
            inline: (row.extents == 0).then(Vec::new),
            created: self.now,
        };
        self.drive.inner.store.insert_content(self.tx, &new).await?;
        let promised = uploads::promised(self.tx, row.id).await?;
        // Visitors of a link see the id that was promised. Whoever took it for an entry of their own must not hold up this one.
        let id = match promised {
            Some(id) if !tree::exists(self.tx, id).await? => Some(id),
            _ => None,
        };
        let spot = Spot::Child {
            parent: row.parent,
            name: Name::new(&row.name)?,
            on_conflict: OnConflict::parse(&row.on_conflict).ok_or(Error::Shape("a rule for names"))?,
            id,
        };
        let bytes =
            place::Bytes { content, size: row.received, content_type: row.content_type.clone(), blake3, extras: None };
        let placed = self.place(spot, bytes, Changed::Created).await?;
        row.entry = Some(placed.entry.id);
        // It is a new version of a file that was there already, or the id was not free.
        if let Some(promised) = promised.filter(|promised| *promised != placed.entry.id) {
            links::lead_to(self.tx, row.space, promised, placed.entry.id).await?;
        }
        Ok(placed)
    }
}

/// The hash over an upload's durable bytes.
fn restore(row: &UploadRow) -> Result<ContentHash, Error> {
    match &row.hash_state {
        None => Ok(ContentHash::default()),
        Some(state) => ContentHash::restore(state).map_err(|_| Error::Shape("the state of a hash")),
    }
}

/// The row as its owner sees it.
fn view(row: UploadRow, entry: Option<Entry>) -> Result<Upload, Error> {
    let kind = match row.kind.as_str() {
        KIND_WHOLE => UploadKind::Whole,
        KIND_PARTIAL => UploadKind::Partial,
        KIND_FINAL => UploadKind::Final(Vec::new()),
        _ => return Err(Error::Shape("a kind of upload")),
    };
    Ok(Upload {
        id: row.id,
        kind,
        state: if row.state == OPEN { UploadState::Open } else { UploadState::Finished },
        offset: row.received,
        length: row.length,
        expires: row.expires,
        created: row.created,
        entry_id: row.entry,
        entry,
        metadata: row.metadata,
    })
}

/// Metadata cut to what is kept. A protocol bounds its headers far below that.
fn bounded(mut metadata: String) -> String {
    metadata.truncate(metadata.floor_char_boundary(METADATA_BYTES_MAX));
    metadata
}
