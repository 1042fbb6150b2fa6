//! What the bytes of a space are made of.

use accounts::Action;
use base::{ByteSize, SpaceId};
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

/// Why there is no room for something: what fills a space, as its counters say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortage {
    /// Which space.
    pub space: SpaceId,
    /// Bytes that were wanted in addition.
    pub needed: u64,
    /// Who has them.
    pub meter: Meter,
}

/// How full a space is, as its counters say: cheap enough for each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meter {
    /// Bytes of all versions: what counts, and the sum of the next three.
    pub used: u64,
    /// Current versions of the files in the tree.
    pub files: u64,
    /// Older versions, of files and of what is in the trash, and what is still being taken apart.
    pub versions: u64,
    /// Current versions of what is in the trash.
    pub trash: u64,
    /// Bytes that uploads in progress may still bring.
    pub reserved: u64,
    /// What used and reserved bytes may come to, if that is limited.
    pub quota: Option<u64>,
}

impl From<&rows::MeterRow> for Meter {
    fn from(row: &rows::MeterRow) -> Self {
        // Several changes of one unit count what is below folders at its end: then the parts may be more than the whole.
        let files = row.files.min(row.used);
        let trash = row.trash.min(row.used - files);
        let versions = row.used - files - trash;
        Self { used: row.used, files, versions, trash, reserved: row.reserved, quota: row.quota }
    }
}

impl Shortage {
    pub(crate) fn new(space: SpaceId, needed: u64, row: &rows::MeterRow) -> Self {
        Self { space, needed, meter: row.into() }
    }

    /// What is said of it, to whoever may know how full the space is, and to others.
    pub(crate) fn words(told: Option<&Self>) -> String {
        let Some(Self { needed, meter, .. }) = told else {
            return "the space has not enough room left".to_owned();
        };
        let Meter { used, files, versions, trash, reserved, quota } = *meter;
        let quota = quota.unwrap_or(u64::MAX);
        let mut parts = vec![format!("files {}", ByteSize(files))];
        for (bytes, what) in [(versions, "older versions"), (trash, "the trash"), (reserved, "uploads under way")] {
            if bytes > 0 {
                parts.push(format!("{what} {}", ByteSize(bytes)));
            }
        }
        let mut ways = Vec::new();
        if trash > 0 {
            ways.push("empty the trash");
        }
        if versions > 0 {
            ways.push("remove older versions");
        }
        if reserved > 0 {
            ways.push("end uploads that nobody goes on with");
        }
        if files > 0 {
            ways.push("remove files for good");
        }
        ways.push("ask an administrator for more room");
        format!(
            "there is no room for {} more: {} of {} are taken ({}); {}",
            ByteSize(*needed),
            ByteSize(used.saturating_add(reserved)),
            ByteSize(quota),
            parts.join(", "),
            listed(&ways)
        )
    }
}

/// `a, b or c`.
fn listed(ways: &[&str]) -> String {
    match ways {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_is_in_the_way_and_what_helps() {
        assert_eq!(Shortage::words(None), "the space has not enough room left");
        let row =
            rows::MeterRow { used: 9 << 30, reserved: 1 << 30, quota: Some(10 << 30), files: 6 << 30, trash: 1 << 30 };
        let space = SpaceId::from_bytes([1; 16]);
        let said = Shortage::words(Some(&Shortage::new(space, 2 << 30, &row)));
        assert_eq!(
            said,
            "there is no room for 2.0 GiB more: 10.0 GiB of 10.0 GiB are taken (files 6.0 GiB, older versions 2.0 GiB, the trash \
             1.0 GiB, uploads under way 1.0 GiB); empty the trash, remove older versions, end uploads that nobody goes on with, \
             remove files for good or ask an administrator for more room"
        );
        let row = rows::MeterRow { used: 0, reserved: 0, quota: Some(5), files: 0, trash: 0 };
        let said = Shortage::words(Some(&Shortage::new(space, 6, &row)));
        assert_eq!(
            said,
            "there is no room for 6 B more: 0 B of 5 B are taken (files 0 B); ask an administrator for more room"
        );
    }
}
