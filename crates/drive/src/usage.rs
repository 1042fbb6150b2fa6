//! What the bytes of a space are made of.

use accounts::Action;
use base::SpaceId;
use db::usage as rows;

use crate::{Actor, Drive, Error};

/// The bytes of a space, by what they are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of all versions: what counts against the quota, and the sum of the next four.
    pub used: u64,
    /// Current versions of the files in the tree.
    pub files: u64,
    /// Their older versions.
    pub versions: u64,
    /// All versions of what is in the trash.
    pub trash: u64,
    /// What was removed for good and is still being taken apart.
    pub removing: u64,
    /// Bytes that uploads in progress may still bring.
    pub reserved: u64,
    /// What used and reserved bytes may come to, if that is limited.
    pub quota: Option<u64>,
    /// The bytes that are really kept for files, versions and trash: those that copies share are kept once.
    pub stored: u64,
    /// Parity that is kept for them in addition, which counts against nobody.
    pub parity: u64,
}

impl Usage {
    /// Bytes that count and are not kept again, since something else in the space has the same.
    pub fn shared(&self) -> u64 {
        (self.files + self.versions + self.trash).saturating_sub(self.stored)
    }
}

impl Drive {
    /// What the bytes of a space are made of, counted from what is there. That takes as long as there are entries,
    /// versions and extents in the space: it is for a page that somebody looks at, not for each request.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn usage(&self, actor: &Actor, space: SpaceId) -> Result<Usage, Error> {
        self.own_space(actor, Action::Read, space).await?;
        let db = &self.inner.db;
        let row = rows::usage(db, space).await?.ok_or(Error::NotFound("space"))?;
        let mut parity = 0;
        for head in rows::manifest_heads(db, space).await? {
            let shape = files::Shape::of_head(&head)?;
            let part = rows::parity_part_bytes(db, space, &head, shape.unit, shape.stripe).await?;
            parity += part * shape.parity;
        }
        Ok(Usage {
            used: row.used,
            files: row.files,
            versions: row.versions,
            trash: row.trash,
            removing: row.used.saturating_sub(row.files + row.versions + row.trash),
            reserved: row.reserved,
            quota: row.quota,
            stored: row.stored,
            parity,
        })
    }
}
