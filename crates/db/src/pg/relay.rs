//! Notices between the processes of one PostgreSQL: `NOTIFY` outside the units of work, `LISTEN` on a connection of its own.
//!
//! `NOTIFY` inside a transaction makes commits wait for each other; here one statement tells of everything that was
//! committed since the last one. Behind a pooler that gives each transaction another server connection (PgBouncer's
//! transaction mode) nothing is heard, and listeners fall back to looking now and then.

use std::{future::poll_fn, time::Duration};

use tokio_postgres::{AsyncMessage, Config, NoTls};

use super::Connections;
use crate::{Error, Value, notice::Notices};

const CHANNEL: &str = "holdfast";

/// Between two tries to listen.
const RETRY: Duration = Duration::from_secs(2);

/// Tells other processes what this one commits, until its task is stopped.
pub(super) async fn tell(pool: Connections, notices: Notices) {
    let mut own = notices.own();
    while let Some(words) = own.next().await {
        let text = Value::from(words.as_str());
        let told: Result<Vec<(i64,)>, Error> = pool.query("SELECT count(pg_notify('holdfast', $1))", &[text], 1).await;
        if let Err(error) = told {
            tracing::debug!(%error, "other processes could not be told of changes");
        }
    }
}

/// Hears what other processes commit, until its task is stopped.
pub(super) async fn listen(config: Config, notices: Notices) {
    let mut told = false;
    loop {
        if let Err(error) = hear(&config, &notices).await
            && !std::mem::replace(&mut told, true)
        {
            tracing::warn!(%error, "changes of other processes are not heard at once");
        }
        tokio::time::sleep(RETRY).await;
    }
}

async fn hear(config: &Config, notices: &Notices) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = config.connect(NoTls).await?;
    let mut messages = std::pin::pin!(async move {
        while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(told) = message?
                && told.channel() == CHANNEL
            {
                notices.heard_words(told.payload());
            }
        }
        Ok(())
    });
    let listen = client.batch_execute("LISTEN holdfast");
    tokio::select! {
        ended = &mut messages => return ended,
        listening = listen => listening?,
    }
    messages.await
}
