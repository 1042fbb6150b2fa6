//! An append: takes the lease, keeps what comes in extents, and makes the file with the last byte.

use std::time::Duration;

use base::{UploadId, limits};
use bytes::Bytes;
use db::{
    Lane,
    uploads::{self, UploadRow},
};
use files::{ContentHash, Extent, NewExtent, Writer, Writers};
use futures::StreamExt;
use tracing::Instrument;

use super::{
    FINISHED, Finish, KIND_FINAL, KIND_PARTIAL, OPEN, Upload,
    checksum::{Checking, Checksum},
    restore,
    running::Seat,
    view,
};
use crate::{Actor, BodyError, Drive, Error, guard::expiry, hashing::Hashing, put::Body, work::Work};

/// A client that is silent for this long may be gone without a word, so what it sent is kept: whoever resumes then finds
/// every byte that arrived.
const SILENCE: Duration = Duration::from_secs(2);

/// How often one append keeps bytes for silence. A client that sends a byte now and then must not make an extent of each.
const SILENCES_KEPT: u32 = 8;

/// Bytes that follow those an upload has.
#[derive(Debug, Clone)]
pub struct Append {
    /// Where the client believes the upload's bytes end.
    pub offset: u64,
    /// How many bytes the client says will come.
    pub length: Option<u64>,
    /// Their checksum. With one, nothing is kept unless all of them came and match it.
    pub checksum: Option<Checksum>,
}

/// What the lease found.
enum Lease {
    /// More bytes are wanted.
    Open(Box<UploadRow>),
    /// All bytes are there, and the file could not be made so far.
    Complete,
    /// This was done before.
    Done,
}

impl Drive {
    /// Appends a body to an upload. Whoever was appending before is cut.
    ///
    /// If the body is cut off, what came is kept, also when the caller drops this future: the work goes on until the
    /// body has ended. The append that brings the last byte makes the file; if that fails because of its name or place,
    /// the bytes are kept nevertheless, and [`Drive::finish_upload`] or an empty append at the end tries again. Repeating
    /// the append that finished an upload gives the same answer without reading the body.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::OffsetMismatch`], [`Error::UploadIsFinal`], [`Error::UploadTakenOver`],
    /// [`Error::BodyTooLong`], [`Error::BodyTooShort`], [`Error::Body`], [`Error::Checksum`],
    /// [`Error::TooManyExtents`], [`Error::Quota`], [`Error::Files`], and those of making the file.
    pub async fn append(&self, actor: &Actor, id: UploadId, append: Append, body: Body) -> Result<Upload, Error> {
        let (drive, actor) = (self.clone(), actor.clone());
        let work = async move { drive.append_owned(&actor, id, append, body).await };
        match self.inner.tasks.spawn(work.in_current_span()).await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Only the end of the runtime cancels the task, and nobody waits beyond that.
                Err(_) => futures::future::pending().await,
            },
        }
    }

    async fn append_owned(&self, actor: &Actor, id: UploadId, append: Append, body: Body) -> Result<Upload, Error> {
        let row = match self.lease(actor, id, &append).await? {
            Lease::Open(row) => *row,
            Lease::Complete => return self.finish_upload(actor, id, Finish::default()).await,
            Lease::Done => return self.upload(actor, id).await,
        };
        let seat = self.inner.running.enter(id, row.generation)?;
        let hashing = match row.kind.as_str() {
            KIND_PARTIAL => None,
            _ => Some(Hashing::resume(restore(&row)?)),
        };
        let appending = Appending {
            drive: self,
            actor,
            row,
            hashing,
            checking: append.checksum.map(Checking::new),
            announced: append.length,
            arrived: 0,
            writer: None,
        };
        appending.run(body, &seat).await
    }

    /// Checks that the append fits, and only then takes the lease: a client that is wrong about the offset must not cut
    /// the one that is right.
    async fn lease(&self, actor: &Actor, id: UploadId, append: &Append) -> Result<Lease, Error> {
        let space = self.own_upload(actor, id).await?.space;
        let (offset, length) = (append.offset, append.length);
        let drive = self.clone();
        self.write(space, async move |tx| {
            let work = Work::hold(&drive, &tx, space, None).await?;
            let mut row = work.upload(id).await?;
            if row.kind == KIND_FINAL {
                return Err(Error::UploadIsFinal);
            }
            let end = length.map(|length| offset.saturating_add(length));
            if row.state == FINISHED && (offset == row.received || end == Some(row.received)) {
                return Ok(Lease::Done);
            }
            if offset != row.received {
                return Err(Error::OffsetMismatch { received: row.received, offset });
            }
            if let (Some(end), Some(announced)) = (end, row.length)
                && end > announced
            {
                return Err(Error::BodyTooLong { announced });
            }
            if row.length == Some(row.received) {
                return Ok(Lease::Complete);
            }
            row.generation += 1;
            row.expires = expiry(&drive, work.now);
            uploads::update_upload(&tx, &row).await?;
            // What the stale stream has not kept by now is lost to it: its intents go, and their places are free.
            let store = &drive.inner.store;
            store.discard_unsealed(&tx, row.content, row.extents, work.now, Writers::MayGoOn).await?;
            Ok(Lease::Open(Box::new(row)))
        })
        .await
    }
}

/// An append that holds the lease.
struct Appending<'a> {
    drive: &'a Drive,
    actor: &'a Actor,
    /// The upload as this append last left it.
    row: UploadRow,
    /// The hash of the whole file; none for a part of one.
    hashing: Option<Hashing>,
    checking: Option<Checking>,
    announced: Option<u64>,
    /// Bytes that came in this append.
    arrived: u64,
    /// The extent that is being written: there is never more than one that is not kept yet.
    writer: Option<Writer>,
}

impl Appending<'_> {
    async fn run(mut self, mut body: Body, seat: &Seat) -> Result<Upload, Error> {
        let mut silences = 0;
        let ended = loop {
            let next = tokio::select! {
                biased;
                () = seat.cut.cancelled() => {
                    self.abandon().await;
                    return Err(Error::UploadTakenOver);
                }
                next = tokio::time::timeout(SILENCE, body.next()) => next,
            };
            match next {
                Ok(Some(Ok(bytes))) => {
                    if let Err(error) = self.take(bytes).await {
                        self.abandon().await;
                        return Err(error);
                    }
                }
                Ok(Some(Err(error))) => break Some(error),
                Ok(None) => break None,
                Err(_) if self.checking.is_none() && self.writer.is_some() && silences < SILENCES_KEPT => {
                    silences += 1;
                    self.checkpoint().await?;
                }
                Err(_) => {}
            }
        };
        self.end(ended).await
    }

    /// Bytes that were taken in and are not durable yet.
    fn pending(&self) -> u64 {
        self.writer.as_ref().map_or(0, Writer::written)
    }

    async fn take(&mut self, mut bytes: Bytes) -> Result<(), Error> {
        let end = self.row.received + self.pending() + bytes.len() as u64;
        match self.row.length {
            Some(announced) if end > announced => return Err(Error::BodyTooLong { announced }),
            None if end > limits::FILE_BYTES_MAX => return Err(Error::FileTooLarge),
            _ => {}
        }
        if let Some(announced) = self.announced
            && self.arrived + bytes.len() as u64 > announced
        {
            return Err(Error::BodyTooLong { announced });
        }
        // A client that is slower than a checkpoint in that time still moves the expiry, which is the sign of life that
        // keeps a worker from taking the upload, even one whose clock is far ahead.
        let lifetime = self.drive.inner.options.upload_lifetime;
        let renew = lifetime.saturating_sub(crate::expire::second_look(lifetime) / 2);
        if self.writer.is_some() && self.checking.is_none() && self.row.expires.since(self.drive.now()) < renew {
            self.checkpoint().await?;
        }
        while !bytes.is_empty() {
            let piece = bytes.split_to(bytes.len().min(self.extent_room()));
            self.push(piece).await?;
            // The extent with the last byte is kept together with the making of the file, when the body has ended.
            if self.extent_room() == 0 && self.row.length != Some(self.row.received + self.pending()) {
                self.checkpoint().await?;
            }
        }
        Ok(())
    }

    /// Bytes that the current extent still takes. With a checksum nothing can be kept before the end, so one extent takes
    /// everything.
    fn extent_room(&self) -> usize {
        match self.checking {
            Some(_) => usize::MAX,
            None => {
                let room = self.drive.inner.store.checkpoint_bytes().max(1).saturating_sub(self.pending());
                usize::try_from(room).unwrap_or(usize::MAX)
            }
        }
    }

    async fn push(&mut self, bytes: Bytes) -> Result<(), Error> {
        if self.writer.is_none() {
            self.writer = Some(self.open().await?);
        }
        let Some(writer) = &mut self.writer else { return Ok(()) };
        self.arrived += bytes.len() as u64;
        if let Some(checking) = &mut self.checking {
            checking.push(&bytes);
        }
        if let Some(hashing) = &mut self.hashing {
            hashing.push(bytes.clone()).await;
        }
        Ok(writer.push(bytes).await?)
    }

    async fn open(&self) -> Result<Writer, Error> {
        if self.row.extents >= limits::EXTENTS_MAX {
            return Err(Error::TooManyExtents);
        }
        let of_body = self.announced.map(|announced| announced - self.arrived);
        let of_upload = self.row.length.map(|length| length - self.row.received);
        let expected = match (of_body, of_upload) {
            (Some(body), Some(upload)) => Some(body.min(upload)),
            (some, none) => some.or(none),
        };
        let new = NewExtent {
            content: self.row.content,
            position: self.row.extents,
            start: self.row.received,
            expected,
            lane: Lane::Space(self.row.space),
        };
        Ok(self.drive.inner.store.begin(new).await?)
    }

    /// Makes what is pending durable, together with the offset.
    async fn checkpoint(&mut self) -> Result<(), Error> {
        match self.finish_extent().await? {
            Some(extent) => self.keep(&extent).await,
            None => Ok(()),
        }
    }

    async fn finish_extent(&mut self) -> Result<Option<Extent>, Error> {
        let Some(writer) = self.writer.take() else { return Ok(None) };
        match writer.finish().await {
            Ok(extent) => Ok(Some(extent)),
            Err(error) => {
                self.discard().await;
                Err(error.into())
            }
        }
    }

    async fn keep(&mut self, extent: &Extent) -> Result<(), Error> {
        let hash = self.hash().await;
        let (drive, actor, extent) = (self.drive.clone(), self.actor.clone(), extent.clone());
        let (id, space, generation) = (self.row.id, self.row.space, self.row.generation);
        let kept = self
            .drive
            .write(space, async move |tx| {
                let work = Work::hold(&drive, &tx, space, Some(&actor)).await?;
                let mut row = fenced(work.upload(id).await?, generation)?;
                work.keep(&mut row, &extent, hash.as_ref()).await?;
                uploads::update_upload(&tx, &row).await?;
                Ok(row)
            })
            .await;
        match kept {
            Ok(row) => {
                self.row = row;
                Ok(())
            }
            Err(error) => {
                self.discard().await;
                Err(error)
            }
        }
    }

    /// The hash of everything up to the last byte that was pushed.
    async fn hash(&mut self) -> Option<ContentHash> {
        match &mut self.hashing {
            Some(hashing) => Some(hashing.settled().await.clone()),
            None => None,
        }
    }

    /// The body is over, one way or the other.
    async fn end(mut self, cut: Option<BodyError>) -> Result<Upload, Error> {
        let short = self.announced.filter(|announced| self.arrived < *announced);
        let short = short.map(|announced| Error::BodyTooShort { announced, received: self.arrived });
        let failure = cut.map(Error::Body).or(short);
        if let Some(checking) = self.checking.take()
            && let Err(error) = failure.as_ref().map_or_else(|| checking.finish(), |_| Err(Error::Checksum))
        {
            self.abandon().await;
            return Err(failure.unwrap_or(error));
        }
        let extent = self.finish_extent().await?;
        let end = self.row.received + extent.as_ref().map_or(0, Extent::length);
        if self.row.length == Some(end) {
            return self.complete(extent).await;
        }
        if let Some(extent) = extent {
            self.keep(&extent).await?;
        }
        // The length may have been given while the body came in.
        if self.row.length == Some(self.row.received) {
            return self.complete(None).await;
        }
        match failure {
            Some(error) => Err(error),
            None => view(self.row, None),
        }
    }

    /// Makes the file. If that fails, the last bytes are kept, and the upload stays complete but open.
    async fn complete(mut self, extent: Option<Extent>) -> Result<Upload, Error> {
        let hash = self.hash().await.unwrap_or_default();
        let (drive, actor, last) = (self.drive.clone(), self.actor.clone(), extent.clone());
        let (id, space, generation) = (self.row.id, self.row.space, self.row.generation);
        let made = self
            .drive
            .write(space, async move |tx| {
                let work = Work::hold(&drive, &tx, space, Some(&actor)).await?;
                let row = fenced(work.upload(id).await?, generation)?;
                work.complete(row, last.as_ref(), &hash).await
            })
            .await;
        match (made, extent) {
            (Ok(upload), _) => Ok(upload),
            (Err(Error::NotFound(_)), None) => self.drive.finish_upload(self.actor, id, Finish::default()).await,
            (Err(error), None) => Err(error),
            (Err(error), Some(extent)) => match self.keep(&extent).await {
                // The folder may be in another space by now.
                Ok(()) if matches!(error, Error::NotFound(_)) => {
                    self.drive.finish_upload(self.actor, id, Finish::default()).await
                }
                Ok(()) => Err(error),
                Err(lost) => {
                    tracing::debug!(upload = %id, error = %lost, "the last bytes of an upload could not be kept");
                    Err(error)
                }
            },
        }
    }

    /// Gives up what is not kept.
    async fn abandon(&mut self) {
        if let Some(writer) = self.writer.take() {
            writer.abort().await;
        }
    }

    /// Removes an extent that was written and not kept, unless somebody else has the lease: then they did.
    async fn discard(&self) {
        let drive = self.drive.clone();
        let (id, space, generation) = (self.row.id, self.row.space, self.row.generation);
        let discarded = self
            .drive
            .write(space, async move |tx| {
                let work = Work::hold(&drive, &tx, space, None).await?;
                let row = fenced(work.upload(id).await?, generation)?;
                let store = &drive.inner.store;
                Ok(store.discard_unsealed(&tx, row.content, row.extents, work.now, Writers::Ended).await?)
            })
            .await;
        if let Err(error) = discarded {
            tracing::debug!(upload = %id, %error, "what an append did not keep is left to the clean-up");
        }
    }
}

/// The upload, if the lease of this generation still holds.
///
/// # Errors
/// [`Error::UploadTakenOver`].
fn fenced(row: UploadRow, generation: u64) -> Result<UploadRow, Error> {
    if row.generation == generation && row.state == OPEN { Ok(row) } else { Err(Error::UploadTakenOver) }
}
