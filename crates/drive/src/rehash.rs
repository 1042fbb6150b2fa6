//! Fills in the hash of a file that was made of partial uploads, by reading it back.

use async_trait::async_trait;
use base::{ContentId, EntryId, SpaceId, VersionId};
use bus::{Handler, HandlerError, Leased, Tally, Unit};
use db::tree::{self, EntryRow};
use futures::StreamExt;
use journal::Kind as Changed;
use serde::{Deserialize, Serialize};

use crate::{Drive, Entry, Error, drive::Reach, hashing::Hashing, work::Work};

/// Kind of the jobs.
pub(crate) const KIND: &str = "drive.hash";

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Payload {
    pub(crate) space: SpaceId,
    pub(crate) entry: EntryId,
    pub(crate) version: VersionId,
    pub(crate) content: ContentId,
    pub(crate) size: u64,
}

/// Computes hashes that were not known when their files were made.
pub struct HashHandler {
    drive: Drive,
}

impl HashHandler {
    /// A handler for the files of this drive.
    pub fn new(drive: Drive) -> Self {
        Self { drive }
    }

    async fn hash(&self, payload: Payload, job: &Leased) -> Result<(), Error> {
        // A version that was removed meanwhile has no bytes to read, and needs no hash.
        if !tree::has_version(&self.drive.inner.db, payload.space, payload.entry, payload.version).await? {
            return Ok(());
        }
        let mut hashing = Hashing::default();
        let mut bytes = self.drive.inner.store.read(payload.content, payload.size, 0..payload.size).await?;
        let mut done = 0;
        while let Some(piece) = bytes.next().await {
            let piece = piece?;
            done += piece.len() as u64;
            hashing.push(piece).await;
            job.tell(Tally { done, total: Some(payload.size), unit: Unit::Bytes });
        }
        let blake3 = hashing.settled().await.finalize();
        let drive = self.drive.clone();
        self.drive
            .write(payload.space, async move |tx| {
                let work = Work::hold(&drive, &tx, payload.space, None).await?;
                work.set_hash(payload, blake3).await
            })
            .await
    }
}

impl Work<'_> {
    async fn set_hash(&self, payload: Payload, blake3: [u8; 32]) -> Result<(), Error> {
        let Payload { space, entry, version, content, .. } = payload;
        if !tree::set_version_hash(self.tx, space, entry, version, &blake3).await? {
            return Ok(());
        }
        self.drive.inner.store.set_hash(self.tx, content, &blake3).await?;
        let Some(row) = tree::entry(self.tx, space, entry).await? else { return Ok(()) };
        if row.version != Some(version) || row.blake3.is_some() {
            return Ok(());
        }
        let row = EntryRow { blake3: Some(blake3), revision: row.revision + 1, ..row };
        tree::update_entry(self.tx, &row).await?;
        // Nobody keeps in step with what is in the trash; what comes back from it is read anew.
        if self.reach(entry).await? == Some(Reach::Tree) {
            self.record(Changed::Content, &Entry::try_from(&row)?, None).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Handler for HashHandler {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn handle(&self, job: &Leased) -> Result<(), HandlerError> {
        self.hash(job.payload()?, job).await?;
        Ok(())
    }
}
