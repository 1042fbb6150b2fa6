//! Links: ways for people without an account to an entry and what is below it. This module is their owners' side.
//!
//! A link works with the rights of the account that made it, as long as that account may change the entry; who visits it
//! gets a part of those rights, as the link's mode says, and only below the entry. Everything about a link (its end, its
//! limit, its password, whether it was revoked, where the entry is) is looked at anew for each request.

mod events;
mod visit;

use std::{sync::Arc, time::Duration};

use accounts::{Accounts, Action, Permission};
use base::{EntryId, LinkId, Secret, SpaceId, Time, UploadId, limits};
use db::{
    Lane,
    links::{self, LinkRow, ListedRow},
    plans,
    tree::{self, EntryRow},
    uploads,
};
use uuid::Uuid;

use crate::{Actor, Drive, Error, Page, drive::Rules, upload::KIND_WHOLE, work::Work};

pub(crate) use events::forget;
pub use events::{Event, EventKind};
pub use visit::{Counted, Opened, Presented, Unlocked, Visit};

/// Links of one entry at most.
const LINKS_MAX: u64 = 100;

/// Characters of what an owner calls a link.
const NAME_CHARS_MAX: usize = 100;

/// Characters of what visitors read.
const NOTE_CHARS_MAX: usize = 2000;

/// What visitors may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Look at what a browser can show. Whoever sees bytes has them; this only takes the ways to save them out of sight.
    View,
    /// Look, download, and take folders as archives.
    Download,
    /// Put files in, and see nothing.
    Upload,
}

impl Mode {
    /// As it stands in requests and rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Download => "download",
            Self::Upload => "upload",
        }
    }

    /// Reads the form of [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::View, Self::Download, Self::Upload].into_iter().find(|mode| mode.as_str() == text)
    }
}

/// A link to make.
#[derive(Debug, Clone)]
pub struct NewLink {
    /// What visitors may do.
    pub mode: Mode,
    /// What its owner calls it.
    pub name: Option<String>,
    /// What its visitors read.
    pub note: Option<String>,
    /// What they must know.
    pub password: Option<Secret>,
    /// When it ends.
    pub expires: Option<Time>,
    /// How many downloads it allows.
    pub download_limit: Option<u64>,
}

/// What is to change about a link. What is absent stays, and what is there but empty is taken away.
#[derive(Debug, Clone, Default)]
pub struct LinkUpdate {
    /// What visitors may do.
    pub mode: Option<Mode>,
    /// What its owner calls it.
    pub name: Option<Option<String>>,
    /// What its visitors read.
    pub note: Option<Option<String>>,
    /// What they must know; those who knew the old one have to know the new one.
    pub password: Option<Option<Secret>>,
    /// When it ends.
    pub expires: Option<Option<Time>>,
    /// How many downloads it allows, those that were made included.
    pub download_limit: Option<Option<u64>>,
}

/// A link as its owner sees it.
#[derive(Debug, Clone)]
pub struct Link {
    /// Which one.
    pub id: LinkId,
    /// What goes into its address; none if the key that it was made with is gone.
    pub token: Option<Secret>,
    /// What it leads to.
    pub entry: EntryId,
    /// What that is, unless it is gone for good.
    pub target: Option<Target>,
    /// What visitors may do.
    pub mode: Mode,
    /// What its owner calls it.
    pub name: Option<String>,
    /// What its visitors read.
    pub note: Option<String>,
    /// Whether they must know a password.
    pub has_password: bool,
    /// When it ends.
    pub expires: Option<Time>,
    /// How many downloads it allows.
    pub download_limit: Option<u64>,
    /// How many there were.
    pub downloads: u64,
    /// How often it was opened.
    pub opens: u64,
    /// How many files came in through it.
    pub uploads: u64,
    /// When it was made.
    pub created: Time,
    /// When somebody last did something with it.
    pub used: Option<Time>,
}

/// What a link leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// Whether it is a folder.
    pub folder: bool,
}

/// The links of a drive. Cheap to clone.
#[derive(Clone)]
pub struct Links {
    drive: Drive,
    accounts: Accounts,
    recent: Arc<events::Recent>,
}

impl Links {
    /// The links of this drive, whose makers and visitors these accounts know.
    pub fn new(drive: Drive, accounts: Accounts) -> Self {
        Self { drive, accounts, recent: Arc::default() }
    }

    /// Makes a link to an entry.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::InTrash`], [`Error::RootEntry`], [`Error::NotAFolder`] for a place to put files that is
    /// none, [`Error::LinkInvalid`], [`Error::TooManyLinks`], [`Error::PlanLinks`], [`Error::LinksOff`], [`Error::Accounts`] for a password that is none.
    pub async fn create(&self, actor: &Actor, entry: EntryId, new: NewLink) -> Result<Link, Error> {
        let located = self.drive.locate(actor, Action::Change, entry, "entry").await?;
        actor.principal.needs(Permission::Share)?;
        if entry == located.space.root {
            return Err(Error::RootEntry);
        }
        if let Some(made) = self.made_before(actor, entry).await? {
            return Ok(made);
        }
        let EntryRow { kind, name, .. } = located.entry;
        let row = self.row(actor, (located.space.id, entry, kind), new).await?;
        let (inserted, operation, drive) = (row.clone(), actor.operation, self.drive.clone());
        // The space's row keeps others from counting the same links at the same time.
        let made = self
            .drive
            .write(row.space, async move |tx| {
                Work::hold(&drive, &tx, inserted.space, None).await?.add_link(&inserted, operation).await
            })
            .await;
        match made {
            Ok(()) => self.seen(ListedRow { link: row, entry: Some((name, kind)) }),
            Err(error) => self.made_before(actor, entry).await?.ok_or(error),
        }
    }

    /// Makes a link to a file that is still being uploaded. It works at once: who reads the file gets what is there, and waits for
    /// what comes. When the upload is done it is a link to the file; if it ends otherwise, so does the link.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotAFolder`] for [`Mode::Upload`], [`Error::LinkInvalid`], also where the length is not
    /// known yet or the upload makes no file; [`Error::TooManyLinks`], [`Error::Accounts`].
    pub async fn create_early(&self, actor: &Actor, upload: UploadId, new: NewLink) -> Result<Link, Error> {
        let found = self.drive.own_upload(actor, upload).await?;
        actor.principal.needs(Permission::Share)?;
        if let Some(entry) = found.entry {
            return self.create(actor, entry, new).await;
        }
        if found.kind != KIND_WHOLE || found.length.is_none() {
            return Err(Error::LinkInvalid(
                "only an upload that becomes a file, and whose length is known, can have links",
            ));
        }
        let found = self.drive.follow(actor, found, None).await?;
        let space = found.space;
        let promise = self.drive.inner.ids.entry();
        let theirs = actor.clone();
        let drive = self.drive.clone();
        // The space's row is held, so the upload does not become a file meanwhile.
        let promised = self
            .drive
            .write(space, async move |tx| {
                let work = Work::hold(&drive, &tx, space, Some(&theirs)).await?;
                if work.upload(upload).await?.entry.is_some() {
                    return Ok(None);
                }
                if let Some(promised) = uploads::promised(&tx, upload).await? {
                    return Ok(Some(promised));
                }
                uploads::promise(&tx, upload, promise).await?;
                Ok(Some(promise))
            })
            .await?;
        let Some(entry) = promised else {
            let done = self.drive.own_upload(actor, upload).await?;
            let entry = done.entry.ok_or(Error::Shape("a finished upload without a file"))?;
            return self.create(actor, entry, new).await;
        };
        if let Some(made) = self.made_before(actor, entry).await? {
            return Ok(made);
        }
        let row = self.row(actor, (space, entry, tree::FILE), new).await?;
        let (to_insert, operation, drive) = (row.clone(), actor.operation, self.drive.clone());
        let theirs = actor.clone();
        let made = self
            .drive
            .write(space, async move |tx| {
                let work = Work::hold(&drive, &tx, space, Some(&theirs)).await?;
                // It may have become a new version of another file by now.
                let entry = work.upload(upload).await?.entry.unwrap_or(to_insert.entry);
                let row = LinkRow { entry, ..to_insert };
                work.add_link(&row, operation).await?;
                Ok(row)
            })
            .await;
        match made {
            Ok(link) => self.seen(ListedRow { link, entry: Some((found.name, tree::FILE)) }),
            Err(error) => self.made_before(actor, entry).await?.ok_or(error),
        }
    }

    /// The link that the same request made when it was sent before, or on another way that was faster.
    async fn made_before(&self, actor: &Actor, entry: EntryId) -> Result<Option<Link>, Error> {
        let Some(operation) = actor.operation else { return Ok(None) };
        let row = links::of_operation(&self.drive.inner.db, actor.principal.account, operation, entry).await?;
        row.map(|row| self.seen(row)).transpose()
    }

    /// The row of a new link.
    async fn row(
        &self,
        actor: &Actor,
        (space, entry, kind): (SpaceId, EntryId, u32),
        new: NewLink,
    ) -> Result<LinkRow, Error> {
        let now = self.drive.now();
        let rules = self.rules().await?;
        if rules.link_password && new.password.is_none() {
            return Err(Error::LinkInvalid("on this server a link needs a password"));
        }
        let id = self.drive.inner.ids.link();
        let token = self.accounts.link_token(id);
        let token_hash = Accounts::link_token_hash(token.expose()).ok_or(Error::Shape("a token of another form"))?;
        Ok(LinkRow {
            id,
            token_hash,
            space,
            entry,
            account: actor.principal.account,
            name: line(new.name, NAME_CHARS_MAX)?,
            note: text(new.note)?,
            mode: mode(new.mode, kind)?.as_str().to_owned(),
            password_hash: self.hash(new.password).await?,
            generation: 1,
            expires: end(new.expires, now, rules.link_days)?,
            download_limit: limit(new.download_limit)?,
            downloads: 0,
            opens: 0,
            uploads: 0,
            created: now,
            used: None,
        })
    }

    /// Up to `limit` links of an entry after `after`, oldest first.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn of_entry(
        &self,
        actor: &Actor,
        entry: EntryId,
        after: Option<LinkId>,
        limit: u32,
    ) -> Result<Page<Link>, Error> {
        let (located, _) = self.drive.find(actor, Action::Change, entry, "entry").await?;
        let limit = limit.clamp(1, limits::PAGE_ENTRIES_MAX);
        let rows = links::of_entry(&self.drive.inner.db, located.space.id, entry, after, limit + 1).await?;
        self.page(rows, limit)
    }

    /// Up to `limit` of the links that the caller made after `after`, oldest first.
    ///
    /// # Errors
    /// [`Error::Accounts`] if the caller may not use files.
    pub async fn mine(&self, actor: &Actor, after: Option<LinkId>, limit: u32) -> Result<Page<Link>, Error> {
        actor.principal.needs(Permission::FilesRead)?;
        let limit = limit.clamp(1, limits::PAGE_ENTRIES_MAX);
        let rows = links::of_account(&self.drive.inner.db, actor.principal.account, after, limit + 1).await?;
        self.page(rows, limit)
    }

    /// A link.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for one of an entry that the caller may not change.
    pub async fn get(&self, actor: &Actor, id: LinkId) -> Result<Link, Error> {
        let row = self.own(actor, id).await?;
        self.seen(row)
    }

    /// Changes a link.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotAFolder`], [`Error::LinkInvalid`], [`Error::Accounts`] for a password that is none.
    pub async fn update(&self, actor: &Actor, id: LinkId, update: LinkUpdate) -> Result<Link, Error> {
        let ListedRow { link, entry } = self.own(actor, id).await?;
        actor.principal.needs(Permission::Share)?;
        self.drive.refresh_rules().await;
        let now = self.drive.now();
        let rules = self.drive.rules();
        if rules.link_password && matches!(update.password, Some(None)) {
            return Err(Error::LinkInvalid("on this server a link needs a password"));
        }
        let name = update.name.map(|name| line(name, NAME_CHARS_MAX)).transpose()?;
        let note = update.note.map(text).transpose()?;
        let kind = entry.as_ref().map_or(tree::FILE, |(_, kind)| *kind);
        let mode = update.mode.map(|wanted| mode(wanted, kind)).transpose()?;
        let expires = update.expires.map(|expires| end(expires, now, rules.link_days)).transpose()?;
        let download_limit = update.download_limit.map(limit).transpose()?;
        let password = match update.password {
            None => None,
            Some(password) => Some(self.hash(password).await?),
        };
        let id = link.id;
        let row = self
            .write(async move |tx| {
                // As it is now: two who change different things at once both get what they want.
                let old = links::link(&tx, id).await?.ok_or(Error::NotFound("link"))?;
                let generation = old.generation + u64::from(password.is_some());
                let row = LinkRow {
                    name: name.unwrap_or_else(|| old.name.clone()),
                    note: note.unwrap_or_else(|| old.note.clone()),
                    mode: mode.map_or_else(|| old.mode.clone(), |mode| mode.as_str().to_owned()),
                    password_hash: password.unwrap_or_else(|| old.password_hash.clone()),
                    generation,
                    expires: expires.unwrap_or(old.expires),
                    download_limit: download_limit.unwrap_or(old.download_limit),
                    ..old
                };
                links::update(&tx, &row).await?;
                Ok(row)
            })
            .await?;
        self.seen(ListedRow { link: row, entry })
    }

    /// Revokes a link: when this returns, no gateway lets anybody in by it. What is known of its use goes with it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete(&self, actor: &Actor, id: LinkId) -> Result<(), Error> {
        self.own(actor, id).await?;
        let gone = self.write(async move |tx| Ok(links::delete(&tx, id).await?)).await?;
        if gone { Ok(()) } else { Err(Error::NotFound("link")) }
    }

    /// What holds for links now.
    ///
    /// # Errors
    /// [`Error::LinksOff`].
    async fn rules(&self) -> Result<Rules, Error> {
        self.drive.refresh_rules().await;
        let rules = self.drive.rules();
        if rules.links { Ok(rules) } else { Err(Error::LinksOff) }
    }

    /// A link whose entry the caller may change, wherever the entry is.
    async fn own(&self, actor: &Actor, id: LinkId) -> Result<ListedRow, Error> {
        let row = links::find(&self.drive.inner.db, id).await?.ok_or(Error::NotFound("link"))?;
        match self.drive.find(actor, Action::Change, row.link.entry, "link").await {
            // Who made it may put it away when its entry is gone.
            Err(Error::NotFound(_)) if row.link.account == actor.principal.account => Ok(row),
            found => found.map(|_| row),
        }
    }

    async fn hash(&self, password: Option<Secret>) -> Result<Option<String>, Error> {
        match password {
            None => Ok(None),
            Some(password) => Ok(Some(self.accounts.hash_link_password(&password).await?)),
        }
    }

    async fn write<T, F, Fut>(&self, run: F) -> Result<T, Error>
    where
        F: FnOnce(db::Tx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, Error>> + Send + 'static,
        T: Send + 'static,
    {
        // Here no link's row is touched together with a space's.
        self.drive.inner.db.write(Lane::Free, run).await
    }

    fn page(&self, mut rows: Vec<ListedRow>, limit: u32) -> Result<Page<Link>, Error> {
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        Ok(Page { items: rows.into_iter().map(|row| self.seen(row)).collect::<Result<_, _>>()?, more })
    }

    fn seen(&self, row: ListedRow) -> Result<Link, Error> {
        let ListedRow { link, entry } = row;
        let token = self.accounts.link_token(link.id);
        let token = Some(token).filter(|it| Accounts::link_token_hash(it.expose()) == Some(link.token_hash));
        Ok(Link {
            id: link.id,
            token,
            entry: link.entry,
            target: entry.map(|(name, kind)| Target { name, folder: kind == tree::FOLDER }),
            mode: Mode::parse(&link.mode).ok_or(Error::Shape("a link of an unknown mode"))?,
            name: link.name,
            note: link.note,
            has_password: link.password_hash.is_some(),
            expires: link.expires,
            download_limit: link.download_limit,
            downloads: link.downloads,
            opens: link.opens,
            uploads: link.uploads,
            created: link.created,
            used: link.used,
        })
    }
}

impl Work<'_> {
    /// Writes a new link, if its entry has not too many, nor the space.
    ///
    /// # Errors
    /// [`Error::TooManyLinks`], [`Error::PlanLinks`].
    async fn add_link(&self, row: &LinkRow, operation: Option<Uuid>) -> Result<(), Error> {
        self.room_for_links(1).await?;
        if links::count_of_entry(self.tx, row.space, row.entry).await? >= LINKS_MAX {
            return Err(Error::TooManyLinks(LINKS_MAX));
        }
        Ok(links::insert(self.tx, row, operation).await?)
    }

    /// Whether so many links more may come to be in the space.
    ///
    /// # Errors
    /// [`Error::PlanLinks`].
    pub(crate) async fn room_for_links(&self, more: u64) -> Result<(), Error> {
        let limits = plans::in_force(self.tx, self.space.id).await?.ok_or(Error::NotFound("space"))?.limits;
        match limits.links {
            Some(most) if more > 0 && links::count_of_space(self.tx, self.space.id).await? + more > most => {
                metrics::counter!("holdfast_plan_refusals_total", "limit" => "links").increment(1);
                Err(Error::PlanLinks(most))
            }
            _ => Ok(()),
        }
    }
}

/// A line of text, tidied; an empty one is none.
fn line(text: Option<String>, chars: usize) -> Result<Option<String>, Error> {
    let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    match &text {
        Some(text) if text.chars().count() > chars || text.chars().any(char::is_control) => {
            Err(Error::LinkInvalid("the name of a link has at most 100 characters, none of them a control character"))
        }
        _ => Ok(text),
    }
}

/// Text of several lines, tidied; an empty one is none.
fn text(text: Option<String>) -> Result<Option<String>, Error> {
    let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let odd = |c: char| c.is_control() && c != '\n' && c != '\r' && c != '\t';
    match &text {
        Some(text) if text.chars().count() > NOTE_CHARS_MAX || text.chars().any(odd) => Err(Error::LinkInvalid(
            "the note of a link has at most 2000 characters, and no control characters but ends of lines",
        )),
        _ => Ok(text),
    }
}

fn mode(mode: Mode, kind: u32) -> Result<Mode, Error> {
    if mode == Mode::Upload && kind != tree::FOLDER { Err(Error::NotAFolder) } else { Ok(mode) }
}

/// The end of a link, which must be in the future and no more than so many days away; 0 for any number.
fn end(expires: Option<Time>, now: Time, days: u32) -> Result<Option<Time>, Error> {
    if expires.is_some_and(|expires| expires <= now) {
        return Err(Error::LinkInvalid("a link must end in the future"));
    }
    // An hour more, for clients whose clock is a little ahead and that ask for the whole time.
    let last = now.plus(Duration::from_secs(u64::from(days) * 86_400 + 3600));
    if days > 0 && expires.is_none_or(|expires| expires > last) {
        return Err(Error::LinkInvalid("on this server a link must end sooner; the settings say within how many days"));
    }
    Ok(expires)
}

fn limit(limit: Option<u64>) -> Result<Option<u64>, Error> {
    // What a column of the database holds.
    if limit.is_some_and(|limit| limit == 0 || limit > i64::MAX as u64) {
        return Err(Error::LinkInvalid("a link allows at least one download"));
    }
    Ok(limit)
}
