//! Many things in one call: each by itself, with a result of its own, and all of one operation.

use base::{EntryId, TagId};
use futures::{StreamExt, stream};
use uuid::Uuid;

use crate::{Actor, Drive, Entry, Error, Merged, Restore, Transfer};

/// Things that one call does at most.
pub const BULK_MAX: usize = 1000;

/// Things that are being done at once: they share the commits of their space.
const AT_ONCE: usize = 32;

/// One of many things to do.
#[derive(Debug, Clone)]
pub struct Item {
    /// To which entry.
    pub entry: EntryId,
    /// What.
    pub what: Do,
}

/// What is to be done to an entry.
#[derive(Debug, Clone)]
pub enum Do {
    /// [`Drive::trash`].
    Trash,
    /// [`Drive::remove`].
    Remove,
    /// [`Drive::restore`].
    Restore(Restore),
    /// [`Drive::transfer`].
    Transfer(Transfer),
    /// [`Drive::tag_entries`].
    PutOn(TagId),
    /// [`Drive::tag_entries`].
    TakeOff(TagId),
    /// [`Drive::add_favourite`].
    Favourite,
    /// [`Drive::remove_favourite`].
    NoFavourite,
}

/// What came of one of many things.
#[derive(Debug, Clone)]
pub struct ItemDone {
    /// The word for it: `done`, or one of [`crate::Outcome`].
    pub outcome: &'static str,
    /// The entry after it, where there is one to be shown.
    pub entry: Option<Entry>,
    /// What a merge did.
    pub merged: Option<Merged>,
}

impl Drive {
    /// Does many things, of which none needs another one of them to be done before; the results in their order. One that is
    /// refused does not stop the others.
    ///
    /// They are one operation, whose id is in the answer: the actor's, or a new one. To undo that takes back, in each space,
    /// all of them that can be taken back.
    ///
    /// # Errors
    /// [`Error::TooManyEntries`] for more than [`BULK_MAX`] of them; else each has its own.
    pub async fn bulk(&self, actor: &Actor, items: Vec<Item>) -> Result<(Uuid, Vec<Result<ItemDone, Error>>), Error> {
        if items.len() > BULK_MAX {
            return Err(Error::TooManyEntries(BULK_MAX));
        }
        let operation = actor.operation.unwrap_or_else(|| self.inner.ids.job().0);
        let actor = &Actor { operation: Some(operation), ..actor.clone() };
        let work: Vec<_> =
            items.into_iter().enumerate().map(|(at, item)| self.do_one(actor, operation, at, item)).collect();
        Ok((operation, stream::iter(work).buffered(AT_ONCE).collect().await))
    }

    async fn do_one(&self, actor: &Actor, operation: Uuid, at: usize, item: Item) -> Result<ItemDone, Error> {
        let id = item.entry;
        let done = |entry| ItemDone { outcome: "done", entry, merged: None };
        Ok(match item.what {
            Do::Trash => {
                self.trash(actor, id, None).await?;
                done(None)
            }
            Do::Remove => {
                self.remove(actor, id, None).await?;
                done(None)
            }
            Do::Restore(restore) => done(Some(self.restore(actor, id, restore).await?)),
            Do::Transfer(transfer) => {
                // Two copies of one operation may go to one name: what tells them apart when the call is repeated is that
                // each has an id which follows from the operation and its place in the call.
                let own = transfer.id.unwrap_or_else(|| copy_id(operation, at));
                let transferred = self.transfer(actor, id, Transfer { id: Some(own), ..transfer }).await?;
                ItemDone { outcome: transferred.outcome.as_str(), entry: transferred.entry, merged: transferred.merged }
            }
            Do::PutOn(tag) => done(self.tag_entries(actor, tag, vec![id], Vec::new()).await?.pop()),
            Do::TakeOff(tag) => done(self.tag_entries(actor, tag, Vec::new(), vec![id]).await?.pop()),
            Do::Favourite => {
                self.add_favourite(actor, id).await?;
                done(None)
            }
            Do::NoFavourite => {
                self.remove_favourite(actor, id).await?;
                done(None)
            }
        })
    }
}

/// The id of the copy that the item at this place of an operation makes: a UUIDv7 of the operation's own time, if that is
/// one.
fn copy_id(operation: Uuid, at: usize) -> EntryId {
    let mut hasher = blake3::Hasher::new_derive_key("holdfast copies of a bulk operation");
    hasher.update(operation.as_bytes());
    hasher.update(&(at as u64).to_le_bytes());
    let mut random = [0; 10];
    random.copy_from_slice(&hasher.finalize().as_bytes()[..10]);
    let millis = operation.as_u128() >> 80;
    EntryId(uuid::Builder::from_unix_timestamp_millis(millis as u64, &random).into_uuid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_copies_follow_from_the_operation() {
        let operation = Uuid::from_u128(0x0197_f3c6_b1d0_7c3a_9d2e_5f60_7182_93a4);
        let id = copy_id(operation, 0);
        assert_eq!(id, copy_id(operation, 0));
        assert_eq!(id.0.get_version(), Some(uuid::Version::SortRand));
        assert_eq!(id.0.as_u128() >> 80, operation.as_u128() >> 80);
        assert!(id != copy_id(operation, 1) && id != copy_id(Uuid::from_u128(1), 0));
    }
}
