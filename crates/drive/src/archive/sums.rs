//! The CRC-32 of the files of an archive: what is known of them, and what is kept for the next one.

use base::ContentId;
use db::{Lane, archive};
use parking_lot::Mutex;

use super::plan::Item;
use crate::{Drive, Error};

/// New checksums are kept in bites of so many.
const BITE: usize = 256;

/// Files below this are read again rather than written about.
const KEPT_FROM: u64 = 16 << 10;

/// A checksum in the making: CRC-32 as zip, gzip and PNG have it.
pub(super) fn digest() -> crc_fast::Digest {
    crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32IsoHdlc)
}

/// What it came to.
pub(super) fn finish(digest: &crc_fast::Digest) -> u32 {
    // The upper half of a 32-bit checksum is zero.
    digest.finalize() as u32
}

/// The checksums of an archive's items.
pub(super) struct Sums {
    drive: Drive,
    contents: Vec<(Option<ContentId>, u64)>,
    state: Mutex<State>,
}

struct State {
    known: Vec<Option<u32>>,
    fresh: Vec<(ContentId, u32)>,
}

impl Sums {
    pub(super) fn new(drive: Drive, items: &[Item]) -> Self {
        let contents = items.iter().map(|item| (item.content, item.size)).collect();
        let known = items.iter().map(|item| item.crc32).collect();
        Self { drive, contents, state: Mutex::new(State { known, fresh: Vec::new() }) }
    }

    /// The checksum of an item, if it is known by now.
    pub(super) fn known(&self, at: usize) -> Option<u32> {
        self.state.lock().known[at]
    }

    /// Takes in a checksum that was computed, and gives it back.
    pub(super) fn learn(&self, at: usize, sum: u32) -> u32 {
        let mut state = self.state.lock();
        state.known[at] = Some(sum);
        if let (Some(content), size) = self.contents[at]
            && size >= KEPT_FROM
        {
            state.fresh.push((content, sum));
        }
        if state.fresh.len() >= BITE {
            self.keep(std::mem::take(&mut state.fresh));
        }
        sum
    }

    /// Writes checksums down beside the transfer, which does not wait. It is only time that is lost with them.
    fn keep(&self, fresh: Vec<(ContentId, u32)>) {
        // Without a runtime the process is ending.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let drive = self.drive.clone();
        let task = async move {
            let kept = drive.inner.db.write(Lane::Free, async move |tx| {
                for (content, sum) in fresh {
                    archive::set_crc32(&tx, content, sum).await?;
                }
                Ok::<_, Error>(())
            });
            if let Err(error) = kept.await {
                tracing::warn!(%error, "checksums of an archive were not kept");
            }
        };
        self.drive.inner.tasks.spawn_on(task, &runtime);
    }
}

impl Drop for Sums {
    fn drop(&mut self) {
        let fresh = std::mem::take(&mut self.state.get_mut().fresh);
        if !fresh.is_empty() {
            self.keep(fresh);
        }
    }
}
