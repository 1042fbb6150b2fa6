//! Reading: a file that was opened stays the version it was.

use std::ops::Range;

use accounts::Action;
use base::{ContentId, EntryId};
use bytes::Bytes;
use files::ExtentView;
use futures::{StreamExt, stream::BoxStream};

use crate::{Actor, Drive, Entry, Error, drive::is_file, growing::Growing};

/// A file that was opened for reading.
#[derive(Clone)]
pub struct File {
    /// The file as it was when it was opened.
    pub entry: Entry,
    store: files::Store,
    content: ContentId,
    size: u64,
    /// The upload that brings it, if that goes on.
    growing: Option<Growing>,
}

/// Where the bytes of a file are.
#[derive(Debug, Clone)]
pub struct PartsView {
    /// The file.
    pub entry: Entry,
    /// Whether the bytes stand in the database: then there are no extents.
    pub inline: bool,
    /// The extents in order.
    pub extents: Vec<ExtentView>,
}

impl Drive {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotAFile`].
    pub async fn open(&self, actor: &Actor, id: EntryId) -> Result<File, Error> {
        let row = self.locate(actor, Action::Read, id, "file").await?.entry;
        is_file(&row)?;
        let content = row.content.ok_or(Error::Shape("a file without a content"))?;
        Ok(File::new(Entry::try_from(&row)?, &self.inner.store, content, row.size))
    }

    /// Where a file's bytes are, part for part.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotAFile`].
    pub async fn parts(&self, actor: &Actor, id: EntryId) -> Result<PartsView, Error> {
        let File { entry, store, content, .. } = self.open(actor, id).await?;
        let extents = store.layout(content).await?;
        Ok(PartsView { entry, inline: extents.is_empty(), extents })
    }
}

impl File {
    /// A file of which the bytes are known.
    pub(crate) fn new(entry: Entry, store: &files::Store, content: ContentId, size: u64) -> Self {
        Self { entry, store: store.clone(), content, size, growing: None }
    }

    /// The same while an upload brings it.
    pub(crate) fn brought_by(self, growing: Option<Growing>) -> Self {
        Self { growing, ..self }
    }

    /// Its bytes in `range`. The first of them were fetched when this returns, so what cannot be read is known before an
    /// answer begins; unless they are still being uploaded, since then they come when they come.
    ///
    /// # Errors
    /// [`Error::Files`].
    pub async fn read(&self, range: Range<u64>) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
        if let Some(growing) = &self.growing {
            return Ok(growing.clone().read(range));
        }
        let bytes = self.store.read(self.content, self.size, range).await?;
        Ok(bytes.map(|piece| piece.map_err(Error::from)).boxed())
    }
}
