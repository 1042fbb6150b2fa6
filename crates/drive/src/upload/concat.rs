//! Final uploads: finished partial ones become one file, and no byte is copied.

use std::collections::HashSet;

use base::{UploadId, limits};
use db::uploads::{self, UploadRow};

use super::{FINISHED, KIND_PARTIAL, Upload, view};
use crate::{Error, guard::expiry, work::Work};

impl Work<'_> {
    /// Makes the file of a final upload: the extents of the partial ones become its own, in order, and the partial ones
    /// are gone. The hash of the whole is computed by a job.
    ///
    /// # Errors
    /// [`Error::BadParts`], [`Error::NotFound`], [`Error::TooManyExtents`], [`Error::FileTooLarge`], and those of placing
    /// a file.
    pub(super) async fn concatenate(&self, mut row: UploadRow, parts: &[UploadId]) -> Result<Upload, Error> {
        let distinct: HashSet<_> = parts.iter().collect();
        if parts.is_empty() || distinct.len() != parts.len() || parts.len() > limits::EXTENTS_MAX as usize {
            return Err(Error::BadParts);
        }
        for id in parts {
            // Whose it is comes first: that there is such a part is not for strangers to know.
            let part = self.upload_anywhere(*id).await?;
            if part.account != row.account {
                return Err(Error::NotFound("upload"));
            }
            if part.kind != KIND_PARTIAL || part.state != FINISHED || part.space != row.space {
                return Err(Error::BadParts);
            }
            if part.extents > limits::EXTENTS_MAX - row.extents {
                return Err(Error::TooManyExtents);
            }
            let moved =
                self.drive.inner.store.adopt(self.tx, part.content, row.content, row.extents, row.received).await?;
            if moved != u64::from(part.extents) {
                return Err(Error::Shape("a partial upload without its extents"));
            }
            uploads::delete_upload(self.tx, part.id).await?;
            row.extents += part.extents;
            row.received += part.received;
            row.reserved += part.reserved;
        }
        if row.received > limits::FILE_BYTES_MAX {
            return Err(Error::FileTooLarge);
        }
        row.length = Some(row.received);
        row.state = FINISHED.to_owned();
        row.expires = expiry(self.drive, self.now);
        let known = (row.received == 0).then(|| *blake3::hash(b"").as_bytes());
        let placed = self.make_file(&mut row, known).await?;
        if known.is_none() {
            self.ask_for_hash(&placed.row, row.content).await?;
        }
        uploads::insert_upload(self.tx, &row).await?;
        view(row, Some(placed.entry))
    }
}
