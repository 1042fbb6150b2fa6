//! What each person keeps at hand, across spaces: favourites, and what they worked with lately. Nobody else sees it.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use accounts::{Action, Permission};
use base::{AccountId, EntryId, Time, limits};
use db::{Lane, personal as rows};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::{Actor, Drive, Entry, Error};

/// Favourites that a person can have.
const FAVOURITES_MAX: u64 = 1000;

/// Openings that are kept of each person.
const OPENINGS_MAX: u32 = 200;

/// Own changes of each space that are looked through for what is recent.
const CHANGES_LOOKED_AT: u32 = 300;

/// Entries that are looked up for one list of what is recent, where many of them are gone.
const LOOKED_AT_MAX: usize = 1000;

/// What is recent has at most so many entries.
pub const RECENT_MAX: u32 = 100;

/// Spaces that are looked through for what is recent.
const SPACES_MAX: u32 = 100;

/// How long opening something again writes nothing.
const OPENED_ANEW: Duration = Duration::from_secs(300);

/// Openings that this process remembers, so as not to write them again; beyond that it begins anew.
const REMEMBERED_MAX: usize = 10_000;

/// Openings that are being written at once; those that come while all of these are on their way are not written.
const WRITTEN_AT_ONCE: usize = 8;

/// Something that a person worked with lately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recent {
    /// It, as it is now.
    pub entry: Entry,
    /// When that was.
    pub at: Time,
    /// What they did last.
    pub did: Did,
}

/// What somebody did with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Did {
    /// They changed it.
    Changed,
    /// They read its bytes.
    Opened,
}

/// What was opened a short while ago.
pub(crate) struct Openings {
    seen: Mutex<HashMap<(AccountId, EntryId), Duration>>,
    room: std::sync::Arc<Semaphore>,
}

impl Default for Openings {
    fn default() -> Self {
        Self { seen: Mutex::default(), room: std::sync::Arc::new(Semaphore::new(WRITTEN_AT_ONCE)) }
    }
}

impl Openings {
    /// Whether this is to be written, and not only the next page of the same book.
    fn is_news(&self, account: AccountId, entry: EntryId, now: Duration) -> bool {
        let mut seen = self.seen.lock();
        if seen.get(&(account, entry)).is_some_and(|then| now.saturating_sub(*then) < OPENED_ANEW) {
            return false;
        }
        if seen.len() >= REMEMBERED_MAX {
            seen.retain(|_, then| now.saturating_sub(*then) < OPENED_ANEW);
            if seen.len() >= REMEMBERED_MAX {
                seen.clear();
            }
        }
        seen.insert((account, entry), now);
        true
    }
}

impl Drive {
    /// Makes an entry one of the actor's favourites.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::TooManyFavourites`].
    pub async fn add_favourite(&self, actor: &Actor, id: EntryId) -> Result<(), Error> {
        self.locate(actor, Action::Read, id, "entry").await?;
        let (account, now) = (actor.principal.account, self.now());
        self.inner
            .db
            .write(Lane::Free, async move |tx| {
                // Two at once may end one above the bound, which is no harm.
                if rows::count_favourites(&tx, account, id).await? >= FAVOURITES_MAX {
                    return Err(Error::TooManyFavourites(FAVOURITES_MAX));
                }
                Ok(rows::add_favourite(&tx, account, id, now).await?)
            })
            .await
    }

    /// Makes an entry none of the actor's favourites, whatever has become of it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for what was none and may not be seen, [`Error::Accounts`].
    pub async fn remove_favourite(&self, actor: &Actor, id: EntryId) -> Result<(), Error> {
        actor.principal.needs(Permission::Files)?;
        let account = actor.principal.account;
        let write = self.inner.db.write(Lane::Free, async move |tx| rows::remove_favourite(&tx, account, id).await);
        if !write.await? {
            self.locate(actor, Action::Read, id, "entry").await?;
        }
        Ok(())
    }

    /// Up to `limit` favourites of the actor, those that were made last first; and where to go on. What is in a trash, or
    /// may not be seen any more, is left out and comes back by itself.
    ///
    /// # Errors
    /// [`Error::Accounts`], [`Error::Db`].
    pub async fn favourites(
        &self,
        actor: &Actor,
        before: Option<(Time, EntryId)>,
        limit: u32,
    ) -> Result<(Vec<Entry>, Option<(Time, EntryId)>), Error> {
        actor.principal.needs(Permission::Files)?;
        let limit = limit.clamp(1, limits::PAGE_ENTRIES_MAX);
        let mut before = before.unwrap_or((Time::from_micros(i64::MAX), EntryId::from_bytes([0xff; 16])));
        let mut found = Vec::new();
        // A person has few enough of them for this to end soon.
        loop {
            let wanted = limit - found.len() as u32;
            let some = rows::favourites(&self.inner.db, actor.principal.account, before, wanted).await?;
            let Some(&(last, at)) = some.last() else { return Ok((found, None)) };
            let ids: Vec<EntryId> = some.iter().map(|(id, _)| *id).collect();
            found.extend(self.visible(actor, &ids).await?);
            if ids.len() < wanted as usize {
                return Ok((found, None));
            }
            before = (at, last);
            if found.len() == limit as usize {
                return Ok((found, Some(before)));
            }
        }
    }

    /// Notes that the actor opened a file, for what is recent. To be called once its bytes begin to flow; what is opened
    /// again within some minutes is noted once, and nobody waits for that.
    pub fn opened(&self, actor: &Actor, id: EntryId) {
        let account = actor.principal.account;
        let openings = &self.inner.openings;
        if !openings.is_news(account, id, self.inner.clock.elapsed()) {
            return;
        }
        let Ok(room) = openings.room.clone().try_acquire_owned() else { return };
        let (drive, now) = (self.clone(), self.now());
        self.inner.tasks.spawn(async move {
            let write = drive
                .inner
                .db
                .write(Lane::Free, async move |tx| rows::note_opening(&tx, account, id, now, OPENINGS_MAX).await);
            if let Err(error) = write.await {
                tracing::debug!(%error, "a file was opened, and that could not be noted");
            }
            drop(room);
        });
    }

    /// Up to `limit` entries that the actor changed or opened lately, in whatever of their spaces, newest first.
    ///
    /// # Errors
    /// [`Error::Accounts`], [`Error::Db`].
    pub async fn recent(&self, actor: &Actor, limit: u32) -> Result<Vec<Recent>, Error> {
        let spaces = self.spaces(actor, None, SPACES_MAX).await?.items;
        let account = actor.principal.account;
        let mut last: HashMap<EntryId, (Time, Did)> = HashMap::new();
        let mut note = |(id, at): (EntryId, Time), did: Did| {
            let known = last.entry(id).or_insert((at, did));
            if at > known.0 {
                *known = (at, did);
            }
        };
        for space in &spaces {
            let changes = rows::changed(&self.inner.db, space.id, account, CHANGES_LOOKED_AT).await?;
            changes.into_iter().for_each(|change| note(change, Did::Changed));
        }
        let openings = rows::openings(&self.inner.db, account, OPENINGS_MAX).await?;
        openings.into_iter().for_each(|opening| note(opening, Did::Opened));
        let roots: BTreeSet<EntryId> = spaces.iter().map(|space| space.root).collect();
        let mut ids: Vec<EntryId> = last.keys().copied().filter(|id| !roots.contains(id)).collect();
        ids.sort_by_key(|id| std::cmp::Reverse((last[id].0, *id)));
        ids.truncate(LOOKED_AT_MAX);
        let limit = limit.clamp(1, RECENT_MAX) as usize;
        let mut found = Vec::new();
        for some in ids.chunks(limit) {
            for entry in self.visible(actor, some).await? {
                let (at, did) = last[&entry.id];
                found.push(Recent { entry, at, did });
            }
            if found.len() >= limit {
                break;
            }
        }
        found.truncate(limit);
        Ok(found)
    }
}
