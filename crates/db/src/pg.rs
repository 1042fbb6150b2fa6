//! The PostgreSQL engine: a pool of connections, and tasks that commit what waits, lane by lane.

mod committer;
mod lanes;
mod relay;
mod session;

use std::{str::FromStr, sync::Arc, time::Duration};

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime};
use parking_lot::Mutex;
use tokio::task::JoinSet;
use tokio_postgres::{
    Config, NoTls,
    config::{SslMode, TargetSessionAttrs},
};

pub(crate) use session::{Session, cell};

use crate::{Access, Error, Lane, Options, Row, Tx, Value, notice::Notices, unit::Unit};
use committer::Committer;
use lanes::Lanes;
use session::{Conn, error};

/// PostgreSQL 14, the oldest that is still maintained.
const VERSION_MIN: i32 = 140_000;

/// A statement that takes longer has lost its caller long ago.
const STATEMENT_MAX: Duration = Duration::from_secs(60);

/// A unit of work that waits this long between two statements hangs; the server then ends it, and its locks with it.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// How often a transaction is begun, or a lone read is tried, before its caller is told that the server is away: a
/// connection of the pool may have broken unnoticed, and another may come back while the first is replaced.
const TRIES: usize = 3;

pub(crate) struct Pg {
    pool: Connections,
    /// None if the database was opened for reading.
    lanes: Option<Arc<Lanes>>,
    committers: Mutex<JoinSet<()>>,
    /// Those who tell and hear other processes, if the database is what carries their words.
    relays: Mutex<JoinSet<()>>,
}

impl Pg {
    pub(crate) async fn open(url: &str, options: &Options, notices: &Notices) -> Result<Self, Error> {
        // The driver's message would quote the URL, and with it the password.
        let mut config =
            Config::from_str(url).map_err(|_| Error::Unavailable("the URL of PostgreSQL cannot be read".to_owned()))?;
        if config.get_ssl_mode() == SslMode::Require {
            return Err(Error::Unavailable("PostgreSQL is to be reached without TLS: leave out `sslmode`".to_owned()));
        }
        config.application_name("holdfast");
        config.connect_timeout(options.patience);
        if options.access == Access::Full {
            // After a failover the old primary may still answer, but takes no writes.
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        let settings = settings(options);
        let pool = Pool::builder(Manager::from_config(
            config.clone(),
            NoTls,
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        ))
        .max_size(options.pool_size.max(1))
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(options.patience))
        .create_timeout(Some(options.patience))
        .recycle_timeout(Some(options.patience))
        .post_create(Hook::async_fn(move |client, _| {
            let settings = settings.clone();
            Box::pin(async move { client.batch_execute(&settings).await.map_err(HookError::Backend) })
        }))
        .build()
        .map_err(|why| Error::Internal(why.to_string()))?;
        let pool = Connections { pool };
        let version: Vec<(i32,)> =
            pool.query("SELECT CAST(current_setting('server_version_num') AS integer)", &[], 1).await?;
        if version.first().is_none_or(|(version,)| *version < VERSION_MIN) {
            return Err(Error::Unavailable("PostgreSQL is older than 14".to_owned()));
        }
        let mut committers = JoinSet::new();
        let mut relays = JoinSet::new();
        let lanes = match options.access {
            Access::ReadOnly => None,
            Access::Full => {
                let lanes = Arc::new(Lanes::new());
                for _ in 0..(options.pool_size / 2).max(1) {
                    let committer = Committer::new(pool.clone(), Arc::clone(&lanes), options.clock.clone());
                    committers.spawn(committer.run());
                }
                if options.notify {
                    relays.spawn(relay::tell(pool.clone(), notices.clone()));
                    relays.spawn(relay::listen(config, notices.clone()));
                }
                Some(lanes)
            }
        };
        Ok(Self { pool, lanes, committers: Mutex::new(committers), relays: Mutex::new(relays) })
    }

    pub(crate) async fn read<T, E, F, Fut>(&self, run: F) -> Result<T, E>
    where
        F: FnOnce(Tx) -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
        E: From<Error>,
    {
        let conn = Arc::new(self.pool.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?);
        let tx = Tx::pg(Session::new(Arc::clone(&conn)));
        let result = run(tx.clone()).await;
        tx.end();
        if conn.batch_execute("COMMIT").await.is_ok() {
            conn.set_clean();
        }
        match tx.failure() {
            Some(failure) if result.is_ok() => Err(E::from(failure)),
            _ => result,
        }
    }

    pub(crate) async fn query<R: Row>(
        &self,
        sql: &'static str,
        params: &[Value<'_>],
        most: usize,
    ) -> Result<Vec<R>, Error> {
        self.pool.query(sql, params, most).await
    }

    pub(crate) async fn submit(&self, lane: Lane, unit: Box<dyn Unit>) -> Result<(), Error> {
        match &self.lanes {
            Some(lanes) => lanes.push(lane, unit).await,
            None => Err(Error::Internal("a write to a database that was opened for reading".to_owned())),
        }
    }

    pub(crate) fn commits(&self) -> u64 {
        self.lanes.as_ref().map_or(0, |lanes| lanes.commits())
    }

    pub(crate) async fn close(&self) {
        if let Some(lanes) = &self.lanes {
            lanes.close().await;
        }
        let mut committers = std::mem::take(&mut *self.committers.lock());
        committers.shutdown().await;
        let mut relays = std::mem::take(&mut *self.relays.lock());
        relays.shutdown().await;
        self.pool.pool.close();
    }
}

/// What each new connection is told.
fn settings(options: &Options) -> String {
    let millis = |span: Duration| span.as_millis();
    let read_only = if options.access == Access::ReadOnly { "on" } else { "off" };
    format!(
        "SET statement_timeout = {}; SET lock_timeout = {}; SET idle_in_transaction_session_timeout = {};
         SET default_transaction_read_only = {read_only}; SET client_min_messages = warning;
         SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
        millis(STATEMENT_MAX),
        millis(options.patience),
        millis(IDLE_MAX),
    )
}

/// The pool, with its failures in our words.
#[derive(Clone)]
struct Connections {
    pool: Pool,
}

impl Connections {
    /// A connection on which `begin` has just been run.
    async fn begin(&self, begin: &'static str) -> Result<Conn, Error> {
        let mut tries = 1;
        loop {
            let conn = Conn::new(self.get().await?);
            match conn.batch_execute(begin).await.map_err(|failure| error(&failure)) {
                Ok(()) => return Ok(conn),
                Err(Error::Unavailable(_)) if tries < TRIES => self.distrust(),
                Err(failure) => return Err(failure),
            }
            tries += 1;
        }
    }

    /// One statement that reads, in a transaction of its own.
    async fn query<R: Row>(&self, sql: &'static str, params: &[Value<'_>], most: usize) -> Result<Vec<R>, Error> {
        let mut tries = 1;
        loop {
            let conn = Conn::new(self.get().await?);
            // There is no transaction that somebody who goes away could leave open.
            conn.set_clean();
            match session::query(&conn, sql, params, most).await {
                Err(Error::Unavailable(_)) if tries < TRIES => {
                    conn.set_broken();
                    self.distrust();
                }
                result => return result,
            }
            tries += 1;
        }
    }

    /// A connection was found broken: most likely the server was restarted, and those that are idle are no better.
    fn distrust(&self) {
        self.pool.retain(|_, _| false);
    }

    async fn get(&self) -> Result<deadpool_postgres::Object, Error> {
        self.pool.get().await.map_err(|failure| match failure {
            PoolError::Backend(failure) | PoolError::PostCreateHook(HookError::Backend(failure)) => {
                match error(&failure) {
                    // A server that refuses us (a wrong password, no such database) is as good as one that is away.
                    Error::Internal(why) => Error::Unavailable(why),
                    other => other,
                }
            }
            PoolError::Closed => Error::closed(),
            PoolError::Timeout(_) => Error::Unavailable("no connection became free in time".to_owned()),
            other => Error::Unavailable(other.to_string()),
        })
    }
}
