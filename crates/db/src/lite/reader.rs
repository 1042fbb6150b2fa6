//! Connections to SQLite that only read, used on the caller's own thread: a point read takes about five microseconds,
//! and handing it to another thread and back would cost ten times as much.

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::session::{self, Conn, Session, control};
use crate::{Error, Row, Tx, Value};

pub(super) struct Readers {
    /// One permit for each connection in `idle`.
    permits: Semaphore,
    idle: Mutex<Vec<Conn>>,
}

impl Readers {
    pub(super) fn new(idle: Vec<Conn>) -> Self {
        Self { permits: Semaphore::new(idle.len()), idle: Mutex::new(idle) }
    }

    /// One statement, without a transaction around it: it sees one snapshot anyway.
    pub(super) async fn query<R: Row>(
        &self,
        sql: &'static str,
        params: &[Value<'_>],
        most: usize,
    ) -> Result<Vec<R>, Error> {
        let mut lent = self.borrow().await?;
        session::query(lent.conn(), sql, params, most)
    }

    /// A connection with a transaction open. The snapshot is the one at its first statement.
    pub(super) async fn snapshot(&self) -> Result<Snapshot<'_>, Error> {
        let mut lent = self.borrow().await?;
        control(lent.conn(), "BEGIN")?;
        let conn = lent.conn.take().expect("a connection that was just lent");
        Ok(Snapshot { tx: Tx::lite(Session::new(conn)), lent })
    }

    /// Lets the idle connections go, and those in use when they come back.
    pub(super) fn close(&self) {
        self.permits.close();
        self.idle.lock().clear();
    }

    async fn borrow(&self) -> Result<Lent<'_>, Error> {
        let permit = self.permits.acquire().await.map_err(|_| Error::closed())?;
        let conn = self.idle.lock().pop().ok_or_else(Error::closed)?;
        Ok(Lent { readers: self, conn: Some(conn), _permit: permit })
    }
}

struct Lent<'a> {
    readers: &'a Readers,
    conn: Option<Conn>,
    _permit: SemaphorePermit<'a>,
}

impl Lent<'_> {
    fn conn(&mut self) -> &Conn {
        self.conn.as_ref().expect("only a snapshot takes the connection out, and it owns this")
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut idle = self.readers.idle.lock();
        if let Some(conn) = self.conn.take()
            && !self.readers.permits.is_closed()
        {
            idle.push(conn);
        }
    }
}

/// A transaction that reads. Dropping it, which also happens when the caller goes away, ends the transaction and gives
/// the connection back.
pub(super) struct Snapshot<'a> {
    tx: Tx,
    lent: Lent<'a>,
}

impl Snapshot<'_> {
    pub(super) fn tx(&self) -> Tx {
        self.tx.clone()
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        let Some(conn) = self.tx.end() else { return };
        if let Err(failure) = control(&conn, "COMMIT") {
            tracing::warn!(%failure, "a snapshot of the database could not be ended");
        }
        self.lent.conn = Some(conn);
    }
}
