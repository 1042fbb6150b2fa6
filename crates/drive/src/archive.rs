//! Archives of trees, streamed: nothing is gathered, the length is known before the first byte, and any range can be asked
//! for.
//!
//! An archive is a plan (which entries, which versions of them) and arithmetic: equal plans give equal bytes, and the plan's
//! hash is the entity tag. Nothing is compressed. What is not known beforehand are the CRC-32 that zip wants: they are
//! computed while a file's bytes pass and written after them; a range that lacks the bytes before it takes them from
//! contents that were packed before, or reads the file for it.

mod plan;
mod sums;
mod tar;
mod zip;

use std::{ops::Range, sync::Arc};

use accounts::Action;
use base::{EntryId, Time};
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, TryStreamExt, future, stream, stream::BoxStream};

use crate::{Actor, Drive, Error};

use plan::Item;
pub(crate) use plan::Plan;
use sums::Sums;

/// Entries of one archive at most, folders included: about 15 MB of plan.
pub(crate) const ENTRIES_MAX: usize = 50_000;

/// Small pieces are put together to about so many bytes.
const PIECE_BYTES: usize = 64 << 10;

/// The form of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// What every desktop opens: stored, not compressed, zip64 where sizes need it.
    Zip,
    /// POSIX tar (pax), which needs no checksums of files.
    Tar,
}

impl Format {
    /// As it stands in requests, and as the ending of names.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::Tar => "tar",
        }
    }

    /// Reads the form of [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Zip, Self::Tar].into_iter().find(|format| format.as_str() == text)
    }
}

/// An archive that can be read.
#[derive(Clone)]
pub struct Archive {
    /// What it is to be called.
    pub name: String,
    /// Changes with every byte of it; with its quotes.
    pub etag: String,
    /// Bytes.
    pub size: u64,
    /// When it was planned.
    pub made: Time,
    inner: Arc<Inner>,
}

struct Inner {
    format: Format,
    items: Vec<Item>,
    /// Where the head of each item begins; at the end, where the last one's tail ends.
    starts: Vec<u64>,
    sums: Sums,
    store: files::Store,
}

/// What an archive is made of, in this order: heads, data and tails of all items, then what stands at the end.
#[derive(Debug, Clone, Copy)]
enum Piece {
    Head(usize),
    Data(usize),
    Tail(usize),
    /// The item's line of the directory, of a zip.
    Listed(usize),
    End,
}

impl Drive {
    /// An archive of these entries, each with all that is in it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::ArchiveTooLarge`].
    pub async fn archive(&self, actor: &Actor, entries: &[EntryId], format: Format) -> Result<Archive, Error> {
        let mut tops = Vec::with_capacity(entries.len());
        for entry in entries {
            let located = self.locate(actor, Action::Read, *entry, "entry").await?;
            tops.push((located.entry.space, located.entry.id));
        }
        self.pack(tops, format).await
    }

    /// An archive of entries that the caller may read.
    pub(crate) async fn pack(&self, tops: Vec<(base::SpaceId, EntryId)>, format: Format) -> Result<Archive, Error> {
        let plan = self.inner.db.read(async |tx| Plan::make(&tx, &tops).await).await?;
        Ok(Archive::new(self, plan, format))
    }
}

impl Archive {
    fn new(drive: &Drive, plan: Plan, format: Format) -> Self {
        let mut starts = Vec::with_capacity(plan.items.len() + 1);
        let mut at = 0;
        for item in &plan.items {
            starts.push(at);
            at += match format {
                Format::Zip => zip::head_length(item) + item.size + zip::tail_length(item),
                Format::Tar => tar::head_length(item) + item.size + tar::tail_length(item),
            };
        }
        starts.push(at);
        let etag = plan.etag(format);
        let name = format!("{}.{}", plan.name, format.as_str());
        let sums = Sums::new(drive.clone(), &plan.items);
        let store = drive.inner.store.clone();
        let inner = Inner { format, items: plan.items, starts, sums, store };
        let size = inner.pieces().map(|(_, length)| length).sum();
        Self { name, etag, size, made: drive.now(), inner: Arc::new(inner) }
    }

    /// Its form.
    pub fn format(&self) -> Format {
        self.inner.format
    }

    /// Its bytes in `range`. The first of them were fetched when this returns.
    ///
    /// # Errors
    /// [`Error::Files`].
    pub async fn read(&self, range: Range<u64>) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
        let inner = self.inner.clone();
        let wanted = Inner::within(self.inner.clone(), range);
        let pieces = stream::iter(wanted)
            .then(move |(piece, inside)| Inner::read(inner.clone(), piece, inside))
            .try_flatten()
            .boxed();
        let mut pieces = gathered(pieces);
        let first = pieces.try_next().await?;
        Ok(stream::iter(first.map(Ok)).chain(pieces).boxed())
    }
}

impl Inner {
    /// All pieces with their lengths.
    fn pieces(&self) -> impl Iterator<Item = (Piece, u64)> {
        let listed = if self.format == Format::Zip { self.items.len() } else { 0 };
        let each = |at| [Piece::Head(at), Piece::Data(at), Piece::Tail(at)];
        let pieces = (0..self.items.len()).flat_map(each).chain((0..listed).map(Piece::Listed)).chain([Piece::End]);
        pieces.map(|piece| (piece, self.length(piece)))
    }

    /// The pieces that have bytes of a range, and which of theirs those are.
    fn within(this: Arc<Self>, range: Range<u64>) -> impl Iterator<Item = (Piece, Range<u64>)> {
        // Whole items before the range are passed over at once.
        let first = this.starts.partition_point(|start| *start <= range.start).saturating_sub(1);
        let items = this.items.len();
        let first = first.min(items);
        let listed = if this.format == Format::Zip { items } else { 0 };
        let each = |at| [Piece::Head(at), Piece::Data(at), Piece::Tail(at)];
        let pieces = (first..items).flat_map(each).chain((0..listed).map(Piece::Listed)).chain([Piece::End]);
        let mut at = this.starts[first];
        pieces
            .map(move |piece| {
                let start = at;
                at += this.length(piece);
                (piece, start..at)
            })
            .take_while({
                let end = range.end;
                move |(_, place)| place.start < end
            })
            .filter_map(move |(piece, place)| {
                let (from, to) = (place.start.max(range.start), place.end.min(range.end));
                (from < to).then(|| (piece, from - place.start..to - place.start))
            })
    }

    fn length(&self, piece: Piece) -> u64 {
        match (piece, self.format) {
            (Piece::Data(at), _) => self.items[at].size,
            (Piece::Head(at), Format::Zip) => zip::head_length(&self.items[at]),
            (Piece::Tail(at), Format::Zip) => zip::tail_length(&self.items[at]),
            (Piece::Listed(at), _) => zip::listed_length(&self.items[at], self.starts[at]),
            (Piece::End, Format::Zip) => self.directory().end_length(),
            (Piece::Head(at), Format::Tar) => tar::head_length(&self.items[at]),
            (Piece::Tail(at), Format::Tar) => tar::tail_length(&self.items[at]),
            (Piece::End, Format::Tar) => tar::END_BYTES,
        }
    }

    /// Where the directory of a zip is.
    fn directory(&self) -> zip::Directory {
        let start = self.starts[self.items.len()];
        let lines = self.items.iter().zip(&self.starts).map(|(item, start)| zip::listed_length(item, *start));
        zip::Directory { entries: self.items.len() as u64, start, length: lines.sum() }
    }

    /// Bytes of one piece.
    async fn read(
        this: Arc<Self>,
        piece: Piece,
        inside: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
        let made = match (piece, this.format) {
            (Piece::Data(at), _) => return Self::data(this, at, inside).await,
            (Piece::Head(at), Format::Zip) => zip::head(&this.items[at]),
            (Piece::Tail(at), Format::Zip) => zip::tail(&this.items[at], Self::sum(&this, at).await?),
            (Piece::Listed(at), _) => zip::listed(&this.items[at], this.starts[at], Self::sum(&this, at).await?),
            (Piece::End, Format::Zip) => this.directory().end(),
            (Piece::Head(at), Format::Tar) => tar::head(&this.items[at]),
            (Piece::Tail(at), Format::Tar) => vec![0; tar::tail_length(&this.items[at]) as usize],
            (Piece::End, Format::Tar) => vec![0; tar::END_BYTES as usize],
        };
        let bytes = Bytes::from(made).slice(inside.start as usize..inside.end as usize);
        Ok(stream::iter([Ok(bytes)]).boxed())
    }

    /// Bytes of a file. When all of them pass, so does its checksum.
    async fn data(
        this: Arc<Self>,
        at: usize,
        inside: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
        let item = &this.items[at];
        let content = item.content.ok_or(Error::Shape("a file without a content"))?;
        let whole = inside == (0..item.size);
        let bytes = this.store.read(content, item.size, inside).await?.map_err(Error::from);
        if !whole || this.format == Format::Tar || this.sums.known(at).is_some() {
            return Ok(bytes.boxed());
        }
        let summing = (bytes.boxed(), sums::digest(), this);
        let pass = move |(mut bytes, mut digest, this): (BoxStream<'static, _>, crc_fast::Digest, Arc<Self>)| async move {
            match bytes.next().await {
                Some(Ok(piece)) => {
                    let piece: Bytes = piece;
                    digest.update(&piece);
                    Some((Ok(piece), (bytes, digest, this)))
                }
                Some(Err(error)) => Some((Err(error), (bytes, digest, this))),
                None => {
                    this.sums.learn(at, sums::finish(&digest));
                    None
                }
            }
        };
        Ok(stream::unfold(summing, pass).boxed())
    }

    /// The checksum of an item. If nobody has computed it yet, the file is read for it.
    async fn sum(this: &Arc<Self>, at: usize) -> Result<u32, Error> {
        let item = &this.items[at];
        let Some(content) = item.content.filter(|_| item.size > 0) else { return Ok(0) };
        if let Some(known) = this.sums.known(at) {
            return Ok(known);
        }
        let mut digest = sums::digest();
        let mut bytes = this.store.read(content, item.size, 0..item.size).await?;
        while let Some(piece) = bytes.try_next().await? {
            digest.update(&piece);
        }
        Ok(this.sums.learn(at, sums::finish(&digest)))
    }
}

/// Puts small pieces that are there at once together, so that a thousand tiny files are not ten thousand tiny writes.
fn gathered(pieces: BoxStream<'static, Result<Bytes, Error>>) -> BoxStream<'static, Result<Bytes, Error>> {
    let chunks = pieces.ready_chunks(64).map(|chunk| {
        let mut out = Vec::new();
        let mut small = BytesMut::new();
        for piece in chunk {
            match piece {
                Ok(bytes) if bytes.len() < PIECE_BYTES && small.len() < PIECE_BYTES => small.extend_from_slice(&bytes),
                other => {
                    if !small.is_empty() {
                        out.push(Ok(small.split().freeze()));
                    }
                    out.push(other);
                }
            }
        }
        if !small.is_empty() {
            out.push(Ok(small.freeze()));
        }
        stream::iter(out)
    });
    // What comes after an error has no place any more.
    let mut failed = false;
    let until = move |piece: &Result<Bytes, Error>| {
        let on = !failed;
        failed = piece.is_err();
        future::ready(on)
    };
    chunks.flatten().take_while(until).boxed()
}
