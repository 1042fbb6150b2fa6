//! What this process has in common with others through Redis: word of what is committed, and counters of attempts.

use std::sync::Arc;

use base::Clock;
use commons::{Commons, Counts};
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
