//! The handle, and how an id becomes an entry that the caller may see.

use std::{sync::Arc, time::Duration};

use accounts::{Action, Principal, Settings};
use base::{Clock, EntryId, Ids, Name, SpaceId, Time};
use db::{
    Db, Lane, Tx,
    tree::{self, EntryRow, Located, Place},
};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::{Error, OnConflict, personal::Openings, rights::Roles, upload::Running};

/// Who does something.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The signed-in account.
    pub principal: Principal,
    /// The client's own id of the operation, kept in the journal so that the client knows its own changes.
    pub operation: Option<Uuid>,
}

/// What may be set.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many versions of a file are kept, the current one among them; at least 1.
    pub versions_kept: u32,
    /// How long an upload lives after its last byte.
    pub upload_lifetime: Duration,
    /// How long the trash keeps something; none for as long as nobody empties it.
    pub trash_lifetime: Option<Duration>,
    /// How long a version is kept after another one took its place; none for no bound by age.
    pub version_lifetime: Option<Duration>,
    /// How long changes stay in the journal; none for ever. Clients that were away longer begin anew.
    pub history_lifetime: Option<Duration>,
    /// How many bytes a new team's space may hold; none for no bound.
    pub team_quota_bytes: Option<u64>,
    /// What administrators say while the server runs; it goes before the numbers of versions and days here.
    pub settings: Option<Settings>,
}

/// What holds now where neither a space nor a plan says anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Versions of a file that are kept, at least 1.
    pub(crate) versions_kept: u32,
    /// Days that a trash keeps something; 0 for ever.
    pub(crate) trash_days: u32,
    /// Days that a version is kept after another one took its place; 0 for no bound by age.
    pub(crate) version_days: u32,
    /// Whether everybody may make spaces of teams.
    pub(crate) team_spaces: bool,
    /// Whether links work.
    pub(crate) links: bool,
    /// Whether a new link needs a password.
    pub(crate) link_password: bool,
    /// Days that a link lives at most; 0 for no bound.
    pub(crate) link_days: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            versions_kept: 10,
            upload_lifetime: Duration::from_secs(24 * 3600),
            trash_lifetime: Some(Duration::from_secs(30 * 24 * 3600)),
            version_lifetime: None,
            history_lifetime: None,
            team_quota_bytes: None,
            settings: None,
        }
    }
}

/// Where an entry is that is anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Its folders lead to the root.
    Tree,
    /// They lead to something that is in the trash, perhaps to itself.
    Trash {
        /// What is in the trash.
        top: EntryId,
    },
}

impl Reach {
    /// What the end of a walk up means, in a space of this root.
    pub(crate) fn of(top: Option<(EntryId, bool)>, root: EntryId) -> Option<Self> {
        match top? {
            (top, _) if top == root => Some(Self::Tree),
            (top, true) => Some(Self::Trash { top }),
            (_, false) => None,
        }
    }
}

/// A page of a listing.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Whether there are more after them.
    pub more: bool,
}

/// The tree, its files and uploads. Cheap to clone.
#[derive(Clone)]
pub struct Drive {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) store: files::Store,
    pub(crate) heads: journal::Heads,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Ids,
    pub(crate) options: Options,
    /// Appends and clean-ups that go on after their caller went away.
    pub(crate) tasks: TaskTracker,
    pub(crate) running: Running,
    pub(crate) roles: Roles,
    pub(crate) openings: Openings,
}

impl Drive {
    /// A drive over this database and this store.
    pub fn new(db: Db, store: files::Store, clock: Arc<dyn Clock>, ids: Ids, options: Options) -> Self {
        let heads = journal::Heads::new(db.clone());
        let inner = Inner {
            db,
            store,
            heads,
            clock,
            ids,
            options,
            tasks: TaskTracker::new(),
            running: Running::default(),
            roles: Roles::default(),
            openings: Openings::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Waits until the appends and clean-ups whose callers went away have ended. To be called at shutdown, when no
    /// bodies come in any more.
    pub async fn settle(&self) {
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
        self.inner.tasks.reopen();
    }

    pub(crate) fn now(&self) -> Time {
        self.inner.clock.now()
    }

    /// Runs a unit of work in a space.
    pub(crate) async fn write<T, F, Fut>(&self, space: SpaceId, run: F) -> Result<T, Error>
    where
        F: FnOnce(Tx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, Error>> + Send + 'static,
        T: Send + 'static,
    {
        // Before the unit, which works with what is known.
        self.refresh_rules().await;
        self.inner.db.write(Lane::Space(space), run).await
    }

    /// Runs a unit of work that takes the rows of two spaces, in a transaction of its own.
    ///
    /// Beside others of one of the spaces it would find that space's row taken before it came, and then no order in which it
    /// takes both would keep two such units from waiting for each other.
    pub(crate) async fn write_both<T, F, Fut>(&self, run: F) -> Result<T, Error>
    where
        F: FnOnce(Tx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, Error>> + Send + 'static,
        T: Send + 'static,
    {
        self.refresh_rules().await;
        self.inner.db.write(Lane::Free, run).await
    }

    /// Looks up what administrators said, if the last look is too long ago.
    pub(crate) async fn refresh_rules(&self) {
        if let Some(settings) = &self.inner.options.settings {
            settings.fresh().await;
        }
    }

    /// What holds where neither a space nor a plan says anything, as it was at the last look.
    pub(crate) fn rules(&self) -> Rules {
        let options = &self.inner.options;
        match &options.settings {
            Some(settings) => {
                let values = settings.known();
                Rules {
                    versions_kept: values.versions_kept.max(1),
                    trash_days: values.trash_days,
                    version_days: values.version_days,
                    team_spaces: values.team_spaces,
                    links: values.links,
                    link_password: values.link_password,
                    link_days: values.link_days,
                }
            }
            None => Rules {
                versions_kept: options.versions_kept.max(1),
                trash_days: whole_days(options.trash_lifetime),
                version_days: whole_days(options.version_lifetime),
                team_spaces: true,
                links: true,
                link_password: false,
                link_days: 0,
            },
        }
    }

    /// A folder in which a name is wanted, the caller's own root if none is named. Refuses a name that is taken already,
    /// where the rule does not allow for that; the commit decides again.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::InTrash`], [`Error::NotAFolder`], [`Error::NameTaken`].
    pub(crate) async fn place(
        &self,
        actor: &Actor,
        folder: Option<EntryId>,
        name: &Name,
        on_conflict: OnConflict,
    ) -> Result<Located, Error> {
        let folder = folder.unwrap_or(actor.principal.root);
        let Place { folder, taken } =
            tree::locate_place(&self.inner.db, folder, name.as_str()).await?.ok_or(Error::NotFound("folder"))?;
        self.permit(actor, Action::Change, &folder.space, folder.entry.id, "folder").await?;
        match self.reach(&folder).await? {
            Some(Reach::Tree) => {}
            Some(Reach::Trash { .. }) => return Err(Error::InTrash("folder")),
            None => return Err(Error::NotFound("folder")),
        }
        is_folder(&folder.entry)?;
        match (taken, on_conflict) {
            (Some(_), OnConflict::Fail) | (Some(tree::FOLDER), OnConflict::Replace) => Err(Error::NameTaken),
            _ => Ok(folder),
        }
    }

    /// The entry of this id and its space, if the caller may do `action` there. What is in the trash can be read, and not
    /// changed.
    ///
    /// # Errors
    /// [`Error::NotFound`] for `what` if there is none, it is somebody else's, or it was removed; [`Error::InTrash`].
    pub(crate) async fn locate(
        &self,
        actor: &Actor,
        action: Action,
        id: EntryId,
        what: &'static str,
    ) -> Result<Located, Error> {
        let (located, reach) = self.find(actor, action, id, what).await?;
        match reach {
            Reach::Tree => Ok(located),
            Reach::Trash { .. } if action == Action::Read => Ok(located),
            Reach::Trash { .. } => Err(Error::InTrash(what)),
        }
    }

    /// As [`Self::locate`], wherever the entry is; and where that is.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub(crate) async fn find(
        &self,
        actor: &Actor,
        action: Action,
        id: EntryId,
        what: &'static str,
    ) -> Result<(Located, Reach), Error> {
        let located = tree::locate(&self.inner.db, id).await?.ok_or(Error::NotFound(what))?;
        self.permit(actor, action, &located.space, located.entry.id, what).await?;
        let reach = self.reach(&located).await?.ok_or(Error::NotFound(what))?;
        Ok((located, reach))
    }

    /// Where an entry is; `None` for what was removed and is being taken apart. While there is neither trash nor such a
    /// tree, every entry is in the tree; otherwise it is if its folders lead to the root.
    async fn reach(&self, located: &Located) -> Result<Option<Reach>, Error> {
        let Located { entry, space } = located;
        if (space.purging == 0 && space.trashed == 0) || entry.id == space.root {
            return Ok(Some(Reach::Tree));
        }
        Ok(Reach::of(tree::find_top(&self.inner.db, space.id, entry.id).await?, space.root))
    }

    /// A folder, the caller's own root if none is named.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotAFolder`].
    pub(crate) async fn folder(&self, actor: &Actor, action: Action, id: Option<EntryId>) -> Result<Located, Error> {
        let located = self.locate(actor, action, id.unwrap_or(actor.principal.root), "folder").await?;
        is_folder(&located.entry)?;
        Ok(located)
    }
}

/// Whole days of a time; 0 for none.
fn whole_days(lifetime: Option<Duration>) -> u32 {
    lifetime.map_or(0, |lifetime| u32::try_from(lifetime.as_secs().div_ceil(86_400)).unwrap_or(u32::MAX))
}

/// # Errors
/// [`Error::NotAFolder`].
pub(crate) fn is_folder(row: &EntryRow) -> Result<(), Error> {
    if row.kind == tree::FOLDER { Ok(()) } else { Err(Error::NotAFolder) }
}

/// # Errors
/// [`Error::NotAFile`].
pub(crate) fn is_file(row: &EntryRow) -> Result<(), Error> {
    if row.kind == tree::FILE { Ok(()) } else { Err(Error::NotAFile) }
}
