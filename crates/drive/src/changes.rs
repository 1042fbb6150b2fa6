//! What happened in a space, for those that keep in step with it.

use accounts::Action;
use base::SpaceId;
use db::tree;
use journal::{Journal, Page, Watch};
use tokio_util::sync::CancellationToken;

use crate::{Actor, Drive, Error, drive::permit};

impl Drive {
    /// The changes of a space after the cursor `since`, or from the beginning.
    ///
    /// A removed, moved or copied folder is one change: what is in it went along.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Cursor`], [`Error::Journal`] with `cursor-gone` if the reader must begin anew.
    pub async fn changes(&self, actor: &Actor, space: SpaceId, since: Option<&str>, limit: u32) -> Result<Page, Error> {
        let state = tree::space(&self.inner.db, space).await?.ok_or(Error::NotFound("space"))?;
        permit(actor, Action::Read, state.owner, "space")?;
        let since = since.map(str::parse).transpose()?;
        Ok(Journal::changes(&self.inner.db, space, since, limit).await?)
    }

    /// Watches a space for changes. Who may read it now may watch it; whether that is still so must be asked again before
    /// changes are handed out.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Journal`].
    pub async fn watch(&self, actor: &Actor, space: SpaceId) -> Result<Watch, Error> {
        self.space(actor, space).await?;
        Ok(self.inner.heads.watch(space).await?)
    }

    /// Hears of changes, for those who watch, until `stop`. To be run once in a process that has watchers.
    pub async fn hear(self, stop: CancellationToken) {
        self.inner.heads.clone().run(stop).await;
    }
}
