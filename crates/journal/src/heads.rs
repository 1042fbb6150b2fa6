//! Knowing at once when a space has changed.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};

use base::SpaceId;
use db::Db;
use parking_lot::Mutex;
use tokio::sync::{broadcast::error::RecvError, watch};
use tokio_util::sync::CancellationToken;

use crate::{Cursor, Error};

/// How often the spaces that somebody watches are looked at without having been told of a change: a hint can be lost.
const LOOK: Duration = Duration::from_secs(5);

/// The newest change of each space that somebody in this process watches. Cheap to clone.
///
/// There is no queue for anybody: a watcher that is slow finds the newest number when it looks, and pulls what it missed.
#[derive(Clone)]
pub struct Heads {
    db: Db,
    watched: Arc<Mutex<HashMap<SpaceId, Weak<watch::Sender<Cursor>>>>>,
}

/// Somebody who watches a space, for as long as this lives.
pub struct Watch {
    head: watch::Receiver<Cursor>,
    _kept: Arc<watch::Sender<Cursor>>,
}

impl Watch {
    /// After the newest change that is known of.
    pub fn head(&self) -> Cursor {
        *self.head.borrow()
    }

    /// Waits until the space has changes after `since`, or another epoch.
    pub async fn passed(&mut self, since: Cursor) -> Cursor {
        let passed = |head: &Cursor| head.epoch != since.epoch || head.sequence > since.sequence;
        match self.head.wait_for(passed).await {
            Ok(head) => *head,
            // The sender is kept beside the receiver.
            Err(_) => since,
        }
    }
}

impl Heads {
    /// Nothing is watched yet.
    pub fn new(db: Db) -> Self {
        Self { db, watched: Arc::default() }
    }

    /// Watches a space.
    ///
    /// # Errors
    /// [`Error::SpaceUnknown`], [`Error::Database`].
    pub async fn watch(&self, space: SpaceId) -> Result<Watch, Error> {
        // First a place to hear at, then the look: a change between the two is heard.
        let kept = {
            let mut watched = self.watched.lock();
            let known = watched.get(&space).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let sender = Arc::new(watch::Sender::new(Cursor { epoch: 0, sequence: 0 }));
                watched.insert(space, Arc::downgrade(&sender));
                sender
            })
        };
        let (epoch, sequence) = db::journal::find_head(&self.db, space).await?.ok_or(Error::SpaceUnknown)?;
        raise(&kept, Cursor { epoch, sequence });
        Ok(Watch { head: kept.subscribe(), _kept: kept })
    }

    /// Keeps the numbers up to date until `stop`. To be run once.
    pub async fn run(self, stop: CancellationToken) {
        let mut changes = self.db.changes();
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                changed = changes.recv() => match changed {
                    Ok((space, sequence)) => {
                        let kept = self.watched.lock().get(&space).and_then(Weak::upgrade);
                        if let Some(kept) = kept {
                            let epoch = kept.borrow().epoch;
                            raise(&kept, Cursor { epoch, sequence });
                        }
                    }
                    Err(RecvError::Lagged(_)) => self.look().await,
                    Err(RecvError::Closed) => return,
                },
                _ = look.tick() => self.look().await,
            }
        }
    }

    /// Looks at every space that is watched.
    async fn look(&self) {
        let watched: Vec<_> = {
            let mut watched = self.watched.lock();
            watched.retain(|_, kept| kept.strong_count() > 0);
            watched.iter().filter_map(|(space, kept)| Some((*space, kept.upgrade()?))).collect()
        };
        for (space, kept) in watched {
            match db::journal::find_head(&self.db, space).await {
                Ok(Some((epoch, sequence))) => raise(&kept, Cursor { epoch, sequence }),
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!(%error, "the spaces that are watched could not be looked at");
                    return;
                }
            }
        }
    }
}

/// Hints come late and twice: a number only rises, unless the epoch is another.
fn raise(kept: &watch::Sender<Cursor>, seen: Cursor) {
    kept.send_if_modified(|head| {
        let news = seen.epoch != head.epoch || seen.sequence > head.sequence;
        if news {
            *head = seen;
        }
        news
    });
}
