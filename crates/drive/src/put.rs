//! Plain uploads: one body, one extent, one commit.

use accounts::Action;
use base::{ContentId, EntryId, Name, SpaceId, UploadId, limits};
use bytes::Bytes;
use db::{Lane, tree::SpaceState, usage};
use files::{Extent, NewContent, NewExtent, Writer};
use futures::{StreamExt, stream::BoxStream};
use journal::Kind as Changed;

use crate::{
    Actor, BodyError, Drive, Entry, Error, IfMatch, OnConflict, Shortage,
    drive::is_file,
    guard::{Guard, settle_reservation},
    hashing::Hashing,
    place::{self, Spot},
    repeat::{Done, Repeat},
    work::{Work, fits},
};

/// The bytes of a request on their way in. An error ends them; so does dropping the sender.
pub type Body = BoxStream<'static, Result<Bytes, BodyError>>;

/// Bodies from this length on reserve their room before they flow. Below it the check at the commit is enough: what a
/// race for the last room wastes is small.
const RESERVED_FROM: u64 = 64 << 20;

/// Bytes of a media type; a longer one is taken for none.
const CONTENT_TYPE_BYTES_MAX: usize = 255;

/// A file to write.
#[derive(Debug, Clone)]
pub struct Put {
    /// Where it goes.
    pub target: Target,
    /// Its media type; guessed from the name if absent.
    pub content_type: Option<String>,
    /// How many bytes the client says will come.
    pub length: Option<u64>,
    /// What the client says their BLAKE3 is.
    pub blake3: Option<[u8; 32]>,
}

/// Where a file goes.
#[derive(Debug, Clone)]
pub enum Target {
    /// To a name in a folder.
    Child {
        /// The folder; the caller's own root if absent.
        parent: Option<EntryId>,
        /// The name.
        name: Name,
        /// What to do if it is taken.
        on_conflict: OnConflict,
        /// The id of a new file, if the client made one: a UUIDv7 that no entry has.
        id: Option<EntryId>,
    },
    /// To a file that exists, as a new version.
    File {
        /// Which one.
        id: EntryId,
        /// The state it must be in.
        if_match: Option<IfMatch>,
    },
}

impl Target {
    fn repeat(&self, actor: &Actor) -> Repeat {
        match self {
            Self::Child { parent, name, on_conflict, id } => {
                let parent = parent.unwrap_or(actor.principal.root);
                Repeat::child(parent, name, *on_conflict, *id, &[Changed::Created, Changed::Content])
            }
            Self::File { id, .. } => Repeat::of(*id, &[Changed::Content]),
        }
    }
}

impl From<Done> for Stored {
    fn from(done: Done) -> Self {
        Self { entry: done.entry, created: done.kind == Changed::Created }
    }
}

/// What became of a body.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The file.
    pub entry: Entry,
    /// Whether it is a new file, not a new version of one.
    pub created: bool,
}

/// A target that was looked at before bytes flow.
struct Prepared {
    space: SpaceState,
    spot: Spot,
    content_type: String,
}

/// Bytes that were taken in and are durable, or small enough to stand in the database.
struct Received {
    content: ContentId,
    length: u64,
    blake3: [u8; 32],
    extent: Option<Extent>,
    inline: Option<Vec<u8>>,
}

impl Drive {
    /// Writes a file. When this returns, its bytes and its name survive a loss of power; if it fails or is dropped,
    /// nothing of it is visible, and what it left on nodes is removed.
    ///
    /// What can be refused is refused before the first byte is read, and looked at again in the commit, which decides:
    /// of two writers of one name one gets [`Error::NameTaken`], unless it asked for something else.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotAFolder`], [`Error::NotAFile`], [`Error::NameTaken`], [`Error::Precondition`],
    /// [`Error::Quota`], [`Error::FileTooLarge`], [`Error::PlanFileSize`], [`Error::BodyTooShort`], [`Error::BodyTooLong`], [`Error::Body`],
    /// [`Error::Checksum`], [`Error::Files`].
    pub async fn put(&self, actor: &Actor, put: Put, body: Body) -> Result<Stored, Error> {
        let repeat = put.target.repeat(actor);
        // A body's way in is a large future; those of all callers would be.
        let run = Box::pin(self.store_file(actor, put, body, &repeat));
        self.once(actor, &repeat, run, Stored::from).await
    }

    async fn store_file(&self, actor: &Actor, put: Put, mut body: Body, repeat: &Repeat) -> Result<Stored, Error> {
        let prepared = self.prepare(actor, &put).await?;
        let (content, space) = (self.inner.ids.content(), prepared.space.clone());
        let mut guard = Guard::new(self, space.id, content);
        if let Some(length) = put.length
            && length >= RESERVED_FROM
        {
            guard.reserve(actor, length).await?;
        }
        let result = async {
            let received = self.receive(&prepared.space, &put, content, &mut guard, &mut body).await?;
            self.commit(actor, prepared, received, guard.reservation(), repeat.clone()).await
        }
        .await;
        match result {
            Ok(stored) => {
                guard.disarm();
                Ok(stored)
            }
            Err(error) => {
                guard.give_up().await;
                match error {
                    Error::Quota(None) => Err(self.no_room(actor, &space, put.length.unwrap_or(0)).await?),
                    error => Err(error),
                }
            }
        }
    }

    /// The refusal of so many bytes for want of room, before there is a unit of work; with what fills the space if the caller
    /// may see that.
    async fn no_room(&self, actor: &Actor, space: &SpaceState, needed: u64) -> Result<Error, Error> {
        metrics::counter!("holdfast_plan_refusals_total", "limit" => "storage").increment(1);
        if self.permit(actor, Action::Read, space, space.root, "space").await.is_err() {
            return Ok(Error::Quota(None));
        }
        let id = space.id;
        let meter = self.inner.db.read(async move |tx| usage::meter(&tx, id).await).await?;
        let meter = meter.ok_or(Error::NotFound("space"))?;
        Ok(Error::Quota(Some(Box::new(Shortage::new(id, needed, &meter)))))
    }

    /// Refuses what is already certain to fail.
    async fn prepare(&self, actor: &Actor, put: &Put) -> Result<Prepared, Error> {
        let (located, spot, name) = match &put.target {
            Target::Child { parent, name, on_conflict, id } => {
                let located = self.place(actor, *parent, name, *on_conflict).await?;
                let (parent, name, on_conflict) = (located.entry.id, name.clone(), *on_conflict);
                let text = name.as_str().to_owned();
                (located, Spot::Child { parent, name, on_conflict, id: *id }, text)
            }
            Target::File { id, if_match } => {
                let located = self.locate(actor, Action::Change, *id, "file").await?;
                is_file(&located.entry)?;
                IfMatch::check(if_match.as_ref(), &Entry::try_from(&located.entry)?)?;
                let text = located.entry.name.clone();
                (located, Spot::File { id: *id, if_match: if_match.clone() }, text)
            }
        };
        if let Some(length) = put.length {
            if length > limits::FILE_BYTES_MAX {
                return Err(Error::FileTooLarge);
            }
            fits(&located.space, length)?;
            if length > room(&located.space) {
                return Err(self.no_room(actor, &located.space, length).await?);
            }
        }
        Ok(Prepared { space: located.space, spot, content_type: media_type(put.content_type.as_deref(), &name) })
    }

    /// Takes the body in: into memory while it is small, beyond that to the nodes.
    async fn receive(
        &self,
        space: &SpaceState,
        put: &Put,
        content: ContentId,
        guard: &mut Guard,
        body: &mut Body,
    ) -> Result<Received, Error> {
        let mut intake = Intake {
            announced: put.length,
            // Room that is reserved is not counted a second time.
            room: if guard.reservation().is_some() { u64::MAX } else { room(space) },
            largest: space.file_bytes_max.unwrap_or(u64::MAX),
            received: 0,
        };
        let inline_max = self.inner.store.inline_max();
        let mut hashing = Hashing::default();
        let mut small: Vec<Bytes> = Vec::new();
        let mut writer: Option<Writer> = None;
        let taken = async {
            while let Some(bytes) = body.next().await {
                let bytes = bytes?;
                intake.take(bytes.len())?;
                guard.keep_alive().await?;
                hashing.push(bytes.clone()).await;
                if let Some(writer) = &mut writer {
                    writer.push(bytes).await?;
                    continue;
                }
                small.push(bytes);
                if intake.received > inline_max as u64 {
                    guard.writing = true;
                    let open = self.open_writer(space.id, content, put.length).await?;
                    let writer = writer.insert(open);
                    for bytes in small.drain(..) {
                        writer.push(bytes).await?;
                    }
                }
            }
            intake.end()?;
            let blake3 = hashing.settled().await.finalize();
            if put.blake3.is_some_and(|expected| expected != blake3) {
                return Err(Error::Checksum);
            }
            Ok(blake3)
        }
        .await;
        match (taken, writer) {
            (Ok(blake3), None) => {
                let inline = Some(small.concat());
                Ok(Received { content, length: intake.received, blake3, extent: None, inline })
            }
            (Ok(blake3), Some(writer)) => {
                let extent = Some(writer.finish().await?);
                Ok(Received { content, length: intake.received, blake3, extent, inline: None })
            }
            (Err(error), None) => Err(error),
            (Err(error), Some(writer)) => {
                writer.abort().await;
                guard.writing = false;
                Err(error)
            }
        }
    }

    async fn open_writer(&self, space: SpaceId, content: ContentId, expected: Option<u64>) -> Result<Writer, Error> {
        let new = NewExtent { content, position: 0, start: 0, expected, lane: Lane::Space(space) };
        Ok(self.inner.store.begin(new).await?)
    }

    /// The unit of work in which the bytes become a file.
    async fn commit(
        &self,
        actor: &Actor,
        prepared: Prepared,
        received: Received,
        reservation: Option<UploadId>,
        repeat: Repeat,
    ) -> Result<Stored, Error> {
        let Prepared { space, spot, content_type } = prepared;
        let space = space.id;
        let (drive, actor) = (self.clone(), actor.clone());
        self.write(space, async move |tx| {
            let Received { content, length, blake3, extent, inline } = received;
            let work = match reservation {
                None => Work::change(&drive, &tx, space, &actor, length).await?,
                Some(id) => {
                    let work = Work::change(&drive, &tx, space, &actor, 0).await?;
                    settle_reservation(&work, id, length).await?;
                    work
                }
            };
            work.refuse_repeat(&repeat).await?;
            let store = &drive.inner.store;
            let new = NewContent {
                id: content,
                size: length,
                blake3: Some(blake3),
                extents: u32::from(extent.is_some()),
                inline,
                created: work.now,
            };
            let (sealed, inserted) = futures::join!(
                async {
                    match &extent {
                        Some(extent) => store.seal(&tx, extent).await,
                        None => Ok(()),
                    }
                },
                store.insert_content(&tx, &new)
            );
            sealed?;
            inserted?;
            let bytes = place::Bytes { content, size: length, content_type, blake3: Some(blake3), extras: None };
            let placed = work.place(spot, bytes, Changed::Created).await?;
            Ok(Stored { entry: placed.entry, created: placed.created })
        })
        .await
    }
}

/// Keeps a body to what was announced and to what there is room for.
struct Intake {
    announced: Option<u64>,
    room: u64,
    /// Bytes of the largest file that the plan of the space allows.
    largest: u64,
    received: u64,
}

impl Intake {
    fn take(&mut self, bytes: usize) -> Result<(), Error> {
        self.received += bytes as u64;
        match self.announced {
            Some(announced) if self.received > announced => Err(Error::BodyTooLong { announced }),
            _ if self.received > limits::FILE_BYTES_MAX => Err(Error::FileTooLarge),
            _ if self.received > self.largest => Err(Error::PlanFileSize(self.largest)),
            _ if self.received > self.room => Err(Error::Quota(None)),
            _ => Ok(()),
        }
    }

    fn end(&self) -> Result<(), Error> {
        match self.announced {
            Some(announced) if self.received < announced => {
                Err(Error::BodyTooShort { announced, received: self.received })
            }
            _ => Ok(()),
        }
    }
}

/// Bytes that a space can still take, as far as is known now.
pub(crate) fn room(space: &SpaceState) -> u64 {
    space.quota.map_or(u64::MAX, |quota| quota.saturating_sub(space.used).saturating_sub(space.reserved))
}

/// The media type to keep: the one that was given, or one that goes with the name.
pub(crate) fn media_type(given: Option<&str>, name: &str) -> String {
    let usable = |text: &&str| {
        !text.is_empty() && text.len() <= CONTENT_TYPE_BYTES_MAX && text.bytes().all(|b| matches!(b, b' '..=b'~'))
    };
    given
        .map(str::trim)
        .filter(usable)
        .map_or_else(|| mime_guess::from_path(name).first_or_octet_stream().essence_str().to_owned(), str::to_owned)
}
