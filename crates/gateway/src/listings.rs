//! Long listings that were made lately, as they went out: in this process, and in what all gateways share where there is that.
//!
//! A page is kept under the folder and the number of the newest change in its space, which each request asks the database for
//! after it was found to be allowed. A change has another number, so what is found was never made wrong by one; nobody has to
//! be told of anything, and what is not asked for any more is dropped in its time.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use base::EntryId;
use bytes::Bytes;
use quick_cache::{Weighter, sync::Cache};

/// Bytes of pages in the memory of a gateway.
const OWN_BYTES: u64 = 32 << 20;

/// Items from which on a page is kept: a shorter one is made as fast as it is fetched.
const ITEMS_MIN: usize = 50;

/// Bytes of a page beyond which it is not shared.
const SHARED_BYTES_MAX: usize = 1 << 20;

/// What gateways share pages through. It may forget any of them, and be away.
#[async_trait]
pub trait SharedListings: Send + Sync + fmt::Debug {
    /// The page that somebody kept under this key.
    async fn get(&self, key: &str) -> Option<Bytes>;

    /// Keeps a page under this key for some minutes.
    async fn put(&self, key: &str, page: Bytes);
}

/// The pages that are kept.
pub(crate) struct Listings {
    own: Cache<Key, Bytes, Length>,
    shared: Option<Arc<dyn SharedListings>>,
}

/// Which page: a hash of all that it depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key([u8; 32]);

#[derive(Clone)]
struct Length;

impl Weighter<Key, Bytes> for Length {
    fn weight(&self, _: &Key, page: &Bytes) -> u64 {
        page.len() as u64 + 100
    }
}

impl Key {
    /// Of up to `limit` entries of a folder with names above `after`, as they were at `moment` of the journal.
    pub(crate) fn new(folder: EntryId, moment: journal::Cursor, after: &str, limit: u32) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("holdfast pages of listings, form 1");
        hasher.update(folder.0.as_bytes());
        hasher.update(&moment.epoch.to_le_bytes());
        hasher.update(&moment.sequence.to_le_bytes());
        hasher.update(&limit.to_le_bytes());
        hasher.update(after.as_bytes());
        Self(*hasher.finalize().as_bytes())
    }

    fn name(self) -> String {
        format!("holdfast:listing:{}", blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl Listings {
    pub(crate) fn new(shared: Option<Arc<dyn SharedListings>>) -> Self {
        metrics::describe_counter!("holdfast_listings_total", "pages of folders, by where they came from");
        // About ten kilobytes a page.
        let own = Cache::with_weighter(OWN_BYTES as usize / 10_240, OWN_BYTES, Length);
        Self { own, shared }
    }

    /// The page of this key, if it is kept anywhere.
    pub(crate) async fn get(&self, key: Key) -> Option<Bytes> {
        if let Some(page) = self.own.get(&key) {
            metrics::counter!("holdfast_listings_total", "from" => "process").increment(1);
            return Some(page);
        }
        let page = match &self.shared {
            Some(shared) => shared.get(&key.name()).await,
            None => None,
        };
        let from = if page.is_some() { "shared" } else { "database" };
        metrics::counter!("holdfast_listings_total", "from" => from).increment(1);
        if let Some(page) = &page {
            self.own.insert(key, page.clone());
        }
        page
    }

    /// Keeps a page of so many items.
    pub(crate) async fn put(&self, key: Key, items: usize, page: &Bytes) {
        if items < ITEMS_MIN {
            return;
        }
        self.own.insert(key, page.clone());
        if let Some(shared) = self.shared.as_ref().filter(|_| page.len() <= SHARED_BYTES_MAX) {
            shared.put(&key.name(), page.clone()).await;
        }
    }
}
