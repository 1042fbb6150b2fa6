//! What happened in a space, for those that keep in step with it.

use std::collections::HashSet;

use accounts::Role;
use base::{EntryId, SpaceId};
use db::{
    grants, groups,
    tree::{self, SpaceState},
};
use journal::{Cursor, Item, Journal, Page, Watch};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{Access, Actor, Drive, Error};

/// The word that a reader is told who cannot see an entry any more, whatever happened to it.
pub const HIDDEN: &str = "hidden";

/// Whether a change brought its entry here out of another space, with all that is in it.
pub fn arrived(change: &Item) -> bool {
    change.inverse.as_ref().and_then(|inverse| inverse.get("do")).is_some_and(|what| what == "back")
}

impl Drive {
    /// The changes of a space after the cursor `since`, or from the beginning.
    ///
    /// A removed, moved or copied folder is one change: what is in it went along. Who sees only a part of the space is told of
    /// that part: an entry that left it is [`HIDDEN`], and what never was in it is left out, so their numbers have holes.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Cursor`], [`Error::Journal`] with `cursor-gone` if the reader must begin anew.
    pub async fn changes(&self, actor: &Actor, space: SpaceId, since: Option<&str>, limit: u32) -> Result<Page, Error> {
        let state = tree::space(&self.inner.db, space).await?.ok_or(Error::NotFound("space"))?;
        let access = self.access(actor, &state).await?;
        let since: Option<Cursor> = since.map(str::parse).transpose()?;
        let page = Journal::changes(&self.inner.db, space, since, limit).await?;
        match access {
            Access::Whole(_) => Ok(page),
            Access::Part => self.part(actor, &state, since.map_or(0, |since| since.sequence), page).await,
        }
    }

    /// Watches a space for changes. Who may read it now may watch it; whether that is still so must be asked again before
    /// changes are handed out.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Journal`].
    pub async fn watch(&self, actor: &Actor, space: SpaceId) -> Result<Watch, Error> {
        self.access_to(actor, space).await?;
        Ok(self.inner.heads.watch(space).await?)
    }

    /// Hears of changes, for those who watch, until `stop`. To be run once in a process that has watchers.
    pub async fn hear(self, stop: CancellationToken) {
        self.inner.heads.clone().run(stop).await;
    }

    /// The part of a page that is about what the actor sees now or saw before.
    async fn part(&self, actor: &Actor, space: &SpaceState, after: u64, page: Page) -> Result<Page, Error> {
        let account = actor.principal.account;
        let range = (after, page.next.sequence);
        let seen = grants::seen_changes(&self.inner.db, (space.id, space.root), account, range, self.now()).await?;
        let seen: HashSet<EntryId> = seen.into_iter().collect();
        let mut items = Vec::with_capacity(page.items.len());
        for item in page.items {
            if seen.contains(&item.entry) {
                items.push(item);
            } else if self.was_seen(actor, space, &item).await? {
                items.push(Item { kind: HIDDEN.to_owned(), state: None, inverse: None, ..item });
            }
        }
        Ok(Page { items, ..page })
    }

    /// Whether the actor may know an entry that they do not see now: it was in a folder that they see, or something was given to
    /// or taken from them on it.
    async fn was_seen(&self, actor: &Actor, space: &SpaceState, item: &Item) -> Result<bool, Error> {
        let parent =
            |value: &Option<Value>| -> Option<EntryId> { value.as_ref()?.get("parent_id")?.as_str()?.parse().ok() };
        let account = actor.principal.account;
        for folder in [parent(&item.inverse), parent(&item.state)].into_iter().flatten() {
            let role: Option<Role> = self.role(account, space, folder).await?;
            if role.is_some() {
                return Ok(true);
            }
        }
        let given = item.inverse.as_ref().and_then(|inverse| inverse.get("subject"));
        if let Some(given) = given {
            let id = given.get("id").and_then(Value::as_str);
            let groups = groups::of_account(&self.inner.db, account).await?;
            if id.is_none_or(|id| id == account.to_string() || groups.iter().any(|group| id == group.id.to_string())) {
                return Ok(true);
            }
        }
        // What was given on the entry itself counts for nothing while it is in the trash, but is still there.
        let own = grants::find_roles(&self.inner.db, space.id, item.entry, account).await?;
        Ok(own.iter().any(|step| step.level == 0 && step.role.is_some()))
    }
}
