//! What this process has in common with others through Redis: word of what is committed, counters of attempts, and pages of
//! listings.

use std::sync::Arc;

use async_trait::async_trait;
use base::Clock;
use bytes::Bytes;
use commons::{Commons, Counts, Pages};
use tokio::task::JoinSet;

use crate::config::Config;

/// Redis as the configuration has it, not reached yet; nothing if it is not used.
///
/// # Errors
/// If its address is none.
pub(crate) fn open(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Option<Commons>> {
    let address = config.commons()?;
    Ok(address.map(|address| Commons::open(&address, clock.clone())).transpose()?)
}

/// The counters of attempts to sign in.
pub(crate) fn counts(commons: Commons) -> Arc<dyn accounts::counts::SharedCounts> {
    Arc::new(Counts::new(commons))
}

/// Pages of listings.
#[derive(Debug)]
struct SharedPages(Pages);

#[async_trait]
impl gateway::SharedListings for SharedPages {
    async fn get(&self, key: &str) -> Option<Bytes> {
        self.0.get(key).await
    }

    async fn put(&self, key: &str, page: Bytes) {
        self.0.put(key, &page).await;
    }
}

/// What gateways share pages of listings through.
pub(crate) fn listings(commons: Commons) -> Arc<dyn gateway::SharedListings> {
    Arc::new(SharedPages(Pages::new(commons)))
}

/// Tells other processes what this one commits, and takes in what they say, until the tasks are stopped.
pub(crate) fn relay(commons: &Commons, db: &db::Db, tasks: &mut JoinSet<()>) {
    let (mut own, mouth) = (db.own_notices(), commons.clone());
    tasks.spawn(async move {
        while let Some(words) = own.next().await {
            if let Err(error) = mouth.publish(&words).await {
                tracing::debug!(%error, "other processes could not be told of changes");
            }
        }
    });
    let (ears, db) = (commons.clone(), db.clone());
    tasks.spawn(async move { ears.listen(move |words| db.hear(words)).await });
}
