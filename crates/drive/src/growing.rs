//! A file that is still being uploaded: readers get what is durable, and wait at its edge for more.

use std::{ops::Range, time::Duration};

use accounts::Action;
use base::{ContentId, EntryId, UploadId, VersionId};
use bytes::Bytes;
use db::{
    content,
    tree::{self, EntryRow, Located},
    uploads::{self, UploadRow},
};
use futures::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};

use crate::{Actor, Drive, Error, upload::OPEN};

/// How long a reader waits for one more byte: an uploader that lost its connection comes back within that, or the reader does.
const PATIENCE: Duration = Duration::from_secs(600);

/// How often it is looked whether there is more: an upload is made durable some megabytes at a time.
const LOOK: Duration = Duration::from_millis(250);

/// An upload, for those who read what it brings.
#[derive(Clone)]
pub(crate) struct Growing {
    drive: Drive,
    upload: UploadId,
    content: ContentId,
    /// How many bytes were durable when it was looked up.
    pub(crate) received: u64,
}

impl Drive {
    /// The file that an upload was promised to become, as it will be; none if there is no such upload of the actor's, or it cannot
    /// become a file where it was to be one.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub(crate) async fn growing(&self, actor: &Actor, promised: EntryId) -> Result<Option<(Located, Growing)>, Error> {
        let row = uploads::find_promised(&self.inner.db, promised).await?;
        let own = |row: &UploadRow| row.account == actor.principal.account && row.expires > self.now();
        let Some(row) = row.filter(|row| row.state == OPEN && own(row)) else { return Ok(None) };
        let Some(size) = row.length else { return Ok(None) };
        let space = match self.folder(actor, Action::Change, Some(row.parent)).await {
            Ok(folder) => folder.space,
            Err(Error::NotFound(_) | Error::InTrash(_) | Error::NotAFolder) => return Ok(None),
            Err(Error::Accounts(error)) if error.kind() == base::ErrorKind::Denied => return Ok(None),
            Err(error) => return Err(error),
        };
        let growing = Growing { drive: self.clone(), upload: row.id, content: row.content, received: row.received };
        let entry = EntryRow {
            space: space.id,
            id: promised,
            parent: Some(row.parent),
            kind: tree::FILE,
            name: row.name,
            revision: 0,
            // Not that of the file to come: it is a version that has an end.
            version: Some(VersionId(row.content.0)),
            content: Some(row.content),
            size,
            content_type: Some(row.content_type),
            blake3: None,
            created: row.created,
            modified: row.created,
            extras: None,
        };
        Ok(Some((Located { entry, space }, growing)))
    }
}

impl Growing {
    /// The bytes in `range`, as they come. It ends with an error if the upload does.
    pub(crate) fn read(self, range: Range<u64>) -> BoxStream<'static, Result<Bytes, Error>> {
        stream::try_unfold((self, range), async |(growing, rest)| {
            if rest.is_empty() {
                return Ok::<_, Error>(None);
            }
            let edge = growing.edge(rest.start).await?;
            let there = rest.start..edge.min(rest.end);
            let next = there.end..rest.end;
            let bytes = growing.drive.inner.store.read(growing.content, edge, there).await?;
            Ok(Some((bytes.map_err(Error::from), (growing, next))))
        })
        .try_flatten()
        .boxed()
    }

    /// How many bytes are durable, as soon as there are more than `from`.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the upload is gone, [`Error::UploadNotComplete`] if nothing came for long.
    async fn edge(&self, from: u64) -> Result<u64, Error> {
        let inner = &self.drive.inner;
        let begun = inner.clock.elapsed();
        loop {
            let received = match uploads::find_upload(&inner.db, self.upload).await? {
                Some(row) => row.received,
                // It may have become a file whose upload is forgotten.
                None => content::content(&inner.db, self.content).await?.ok_or(Error::NotFound("upload"))?.size,
            };
            if received > from {
                return Ok(received);
            }
            if inner.clock.elapsed().saturating_sub(begun) >= PATIENCE {
                return Err(Error::UploadNotComplete);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}
