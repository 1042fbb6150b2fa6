//! A unit of work on its way to an engine: closure, outcome and the waiter, behind one type.

use base::SpaceId;
use futures::future::BoxFuture;
use tokio::sync::oneshot;

use crate::{
    Error, Tx,
    notice::{Notice, Notices},
};

/// Which units of work share a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// The unit works on this space. Units of one space that wait in this process are carried in one transaction, in
    /// their order, each under its own savepoint: they would only wait for each other's row locks otherwise.
    Space(SpaceId),
    /// The unit belongs to no space. On PostgreSQL it has a transaction of its own, on SQLite it joins any.
    Free,
}

/// A unit of work as an engine sees it.
pub(crate) trait Unit: Send {
    /// Nobody waits for the answer any more; a unit that has not begun need not begin.
    fn is_abandoned(&self) -> bool;

    /// Runs the closure; true if what it did is to be kept. To be called once.
    fn start(&mut self, tx: Tx) -> BoxFuture<'_, bool>;

    /// Answers the waiter: with the closure's own result, or with `fate` if that is an error.
    fn settle(self: Box<Self>, fate: Result<(), Error>);
}

/// Wraps a closure; the receiver gets its result once the engine has settled it, and nothing if the engine is gone.
pub(crate) fn unit<T, E, F, Fut>(run: F, notices: Notices) -> (Box<dyn Unit>, oneshot::Receiver<Result<T, E>>)
where
    F: FnOnce(Tx) -> Fut + Send + 'static,
    Fut: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    (Box::new(Task { run: Some(run), outcome: None, told: Vec::new(), notices, reply }), answer)
}

struct Task<T, E, F> {
    run: Option<F>,
    outcome: Option<Result<T, E>>,
    /// What others are told if the unit is committed.
    told: Vec<Notice>,
    notices: Notices,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F, Fut> Unit for Task<T, E, F>
where
    F: FnOnce(Tx) -> Fut + Send + 'static,
    Fut: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn start(&mut self, tx: Tx) -> BoxFuture<'_, bool> {
        Box::pin(async move {
            let run = self.run.take().expect("an engine starts a unit once");
            let outcome = run(tx.clone()).await;
            self.told = tx.announced();
            let keep = outcome.is_ok();
            self.outcome = Some(outcome);
            keep
        })
    }

    fn settle(self: Box<Self>, fate: Result<(), Error>) {
        let Self { outcome, reply, told, notices, .. } = *self;
        if fate.is_ok() && matches!(outcome, Some(Ok(_))) {
            told.into_iter().for_each(|notice| notices.committed(notice));
        }
        let result = match (fate, outcome) {
            (Err(error), _) => Err(E::from(error)),
            (Ok(()), Some(outcome)) => outcome,
            (Ok(()), None) => Err(E::from(Error::Internal("a unit of work was settled before it had run".to_owned()))),
        };
        // A waiter that went away in the meantime is no fault: its unit is done either way.
        let _ = reply.send(result);
    }
}
