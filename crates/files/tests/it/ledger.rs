//! What clients were told: which contents must be there, which must not, and which may.

use std::{collections::BTreeMap, sync::Arc};

use base::ContentId;
use bytes::Bytes;
use parking_lot::Mutex;
use testkit::sim::Rng;

/// What a client knows of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is being written: nobody was told anything.
    Open,
    /// Its last commit was asked for, and the answer did not come.
    Unknown,
    /// The commit was acknowledged.
    Kept,
    /// It was refused, given up, or released.
    Gone,
}

/// The ledger. Clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct Ledger(Arc<Mutex<BTreeMap<ContentId, (Fate, Bytes)>>>);

impl Ledger {
    pub(crate) fn open(&self, content: ContentId, bytes: Bytes) {
        self.0.lock().insert(content, (Fate::Open, bytes));
    }

    pub(crate) fn set(&self, content: ContentId, fate: Fate) {
        self.0.lock().get_mut(&content).expect("opened before").0 = fate;
    }

    pub(crate) fn fate(&self, content: ContentId) -> Fate {
        self.0.lock()[&content].0
    }

    pub(crate) fn all(&self) -> Vec<(ContentId, Fate, Bytes)> {
        self.0.lock().iter().map(|(content, (fate, bytes))| (*content, *fate, bytes.clone())).collect()
    }

    /// One of those that must be there.
    pub(crate) fn any_kept(&self, rng: &mut Rng) -> Option<(ContentId, Bytes)> {
        let kept: Vec<_> = self.all().into_iter().filter(|(_, fate, _)| *fate == Fate::Kept).collect();
        rng.pick(&kept).map(|(content, _, bytes)| (*content, bytes.clone()))
    }
}
