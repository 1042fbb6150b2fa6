//! Giving and taking roles once more: answered with what the same request did the first time, as [`crate::repeat`] does it for
//! changes of the tree.

use base::{AccountId, EntryId, GrantId, SpaceId, Time};
use db::{
    grants::{GrantRow, Subject},
    journal::{self as rows, ChangeRow},
};
use journal::Kind as Changed;

use crate::{
    Actor, Drive, Entry, Error, Grant,
    inverse::{Inverse, Standing},
    repeat::LOOKED_AT,
    work::Work,
};

/// What a request did to what a subject was given, as it stands in the journal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given {
    pub(crate) entry: EntryId,
    pub(crate) subject: Subject,
    /// The grant that was made, changed or removed.
    pub(crate) grant: GrantId,
    /// What the subject has after it.
    pub(crate) made: Option<Standing>,
    was: Option<Standing>,
    space: SpaceId,
    by: AccountId,
    at: Time,
}

impl Given {
    /// The first of an operation's changes that the same request made.
    fn find(changes: Vec<ChangeRow>, same: impl Fn(&Self) -> bool) -> Result<Option<Self>, Error> {
        for row in changes {
            let Some(by) = row.actor.filter(|_| row.kind == Changed::Shared.as_str()) else { continue };
            let inverse = row.inverse.as_deref().and_then(Inverse::from_json);
            let Some(Inverse::Grant { subject, was, made, grant_id: Some(grant) }) = inverse else { continue };
            let state = row.state.as_deref().and_then(|state| serde_json::from_str::<Entry>(state).ok());
            let entry = state.ok_or(Error::Shape("no entry in the journal"))?;
            let (subject, at) = (subject.into(), row.at);
            let done = Self { entry: entry.id, subject, grant, made, was, space: entry.space, by, at };
            if same(&done) {
                return Ok(Some(done));
            }
        }
        Ok(None)
    }

    /// What a request that gave something was answered: the grant, and whether it was new. `row` is the grant as it is now: who
    /// made it, and when, stands nowhere else if that was somebody else.
    pub(crate) fn answer(self, row: Option<GrantRow>) -> Result<(Grant, bool), Error> {
        let Self { entry, subject, grant, made, was, space, by, at } = self;
        let Standing { role, expires } = made.ok_or(Error::Shape("a grant that was taken"))?;
        let (created, created_by) = row.map_or((at, by), |row| (row.created, row.created_by));
        let grant = Grant { id: grant, entry, space, subject, role, expires, created, created_by, inherited: false };
        Ok((grant, was.is_none()))
    }
}

impl Drive {
    /// What the same request did when it was sent before as a part of the same operation.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub(crate) async fn given_before(
        &self,
        actor: &Actor,
        same: impl Fn(&Given) -> bool,
    ) -> Result<Option<Given>, Error> {
        let Some(operation) = actor.operation else { return Ok(None) };
        let (db, account) = (&self.inner.db, actor.principal.account);
        Given::find(rows::find_operation(db, account, operation, LOOKED_AT).await?, same)
    }
}

impl Work<'_> {
    /// The same inside the unit of work: of two at once one does it.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub(crate) async fn given_before(&self, same: impl Fn(&Given) -> bool) -> Result<Option<Given>, Error> {
        let (Some(operation), Some(account)) = (self.operation, self.actor) else { return Ok(None) };
        Given::find(rows::of_operation(self.tx, account, operation, LOOKED_AT).await?, same)
    }
}
