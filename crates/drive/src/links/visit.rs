//! Links from outside: who comes in by one, and what of the tree they reach.

use std::{net::IpAddr, time::Duration};

use accounts::{Accounts, Action, Download, Permissions, Principal};
use base::{EntryId, Name, Secret, SessionId, Time, limits};
use db::{
    links::{self, LinkRow},
    tree::{self, EntryRow, Located},
};

use crate::{
    Actor, Archive, Body, Entry, Error, Extras, File, Format, Links, Mode, OnConflict, Page, Put,
    drive::{Reach, is_file, is_folder},
    growing::Growing,
    links::events::{About, By, EventKind},
};

/// Files that come in by one link at most: empty ones cost no quota, and anybody may send them.
const UPLOADS_MAX: u64 = 10_000;

/// What somebody who comes by a link brings along.
#[derive(Debug, Clone)]
pub struct Presented {
    /// The pass that [`Links::unlock`] gave.
    pub pass: Option<String>,
    /// Where the request comes from.
    pub address: IpAddr,
    /// Program and system, coarsely, for the link's owner.
    pub client: String,
}

/// A request that came by a link which works now.
#[derive(Clone)]
pub struct Visit {
    link: LinkRow,
    mode: Mode,
    /// Who made the link, with what they may do now.
    owner: Actor,
    owner_name: String,
    top: Located,
    /// The upload that brings the file, if that goes on.
    growing: Option<Growing>,
    pass: Option<accounts::Visit>,
    presented: Presented,
}

/// What a visitor is told of a link.
#[derive(Debug, Clone)]
pub struct Opened {
    /// What it leads to; none while the password was not given.
    pub entry: Option<Entry>,
    /// What visitors may do.
    pub mode: Mode,
    /// What its owner tells them; none while the password was not given.
    pub note: Option<String>,
    /// Whether there is a password.
    pub has_password: bool,
    /// When it ends.
    pub expires: Option<Time>,
    /// How many more downloads it allows; none if that is not limited.
    pub downloads_left: Option<u64>,
    /// What its owner is called.
    pub owner_name: String,
    /// Of a file that is still being uploaded: how many of its bytes are there. Who reads it waits for the others.
    pub received: Option<u64>,
}

/// What a visitor goes on with.
#[derive(Debug, Clone)]
pub struct Unlocked {
    /// To be presented from now on.
    pub pass: Secret,
    /// How long it is good.
    pub lifetime: Duration,
}

/// Whether a download was counted.
#[derive(Debug, Clone)]
pub enum Counted {
    /// It goes on with one that was.
    Before,
    /// Now: this shows for the ranges that follow that it was, for so long.
    Now(Secret, Duration),
}

impl Visit {
    /// What the visitor may do.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    fn is_unlocked(&self) -> bool {
        let current = |pass: &accounts::Visit| pass.generation == self.link.generation;
        self.link.password_hash.is_none() || self.pass.as_ref().is_some_and(current)
    }

    /// # Errors
    /// [`Error::LinkLocked`].
    fn unlocked(&self) -> Result<(), Error> {
        if self.is_unlocked() { Ok(()) } else { Err(Error::LinkLocked) }
    }

    /// That visitors may see what is there.
    ///
    /// # Errors
    /// [`Error::LinkLocked`], [`Error::LinkForbids`].
    fn may_look(&self) -> Result<(), Error> {
        self.unlocked()?;
        match self.mode {
            Mode::View | Mode::Download => Ok(()),
            Mode::Upload => Err(Error::LinkForbids("this link takes files and shows none")),
        }
    }

    /// That visitors may have what is there as archives.
    ///
    /// # Errors
    /// [`Error::LinkLocked`], [`Error::LinkForbids`].
    fn may_pack(&self) -> Result<(), Error> {
        self.may_look()?;
        match self.mode {
            Mode::Download => Ok(()),
            _ => Err(Error::LinkForbids("this link is for looking only")),
        }
    }

    /// A look; the statement that counts decides.
    fn has_left(&self) -> Result<(), Error> {
        if self.left() == Some(0) { Err(Error::LinkUsedUp) } else { Ok(()) }
    }

    fn left(&self) -> Option<u64> {
        self.link.download_limit.map(|limit| limit.saturating_sub(self.link.downloads))
    }

    fn by(&self) -> By<'_> {
        By {
            visitor: self.pass.as_ref().and_then(|pass| pass.name.as_deref()),
            client: &self.presented.client,
            address: self.presented.address,
        }
    }

    /// An entry as visitors see it: nothing is above the one that the link leads to.
    fn seen(&self, row: &EntryRow) -> Result<Entry, Error> {
        // What people of the space say among themselves is not for visitors.
        let mut entry = Entry { extras: Extras::default(), ..Entry::try_from(row)? };
        if entry.id == self.link.entry {
            entry.parent = None;
        }
        Ok(entry)
    }
}

impl Links {
    /// Comes in by a link.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is none, its entry is not in the tree now, or who made it may not change that any more;
    /// [`Error::LinkExpired`], [`Error::LinksOff`].
    pub async fn enter(&self, token: &str, presented: Presented) -> Result<Visit, Error> {
        self.rules().await?;
        let db = &self.drive.inner.db;
        let absent = || Error::NotFound("link");
        let hash = Accounts::link_token_hash(token).ok_or_else(absent)?;
        let link = links::by_token(db, &hash).await?.ok_or_else(absent)?;
        let account = db::accounts::account(db, link.account).await?.filter(|row| row.disabled.is_none());
        let account = account.ok_or_else(absent)?;
        let principal = Principal {
            account: account.id,
            // Nobody is signed in.
            session: SessionId::from_bytes([0; 16]),
            permissions: Permissions::parse(&account.permissions),
            space: account.space,
            root: account.root,
        };
        let owner = Actor { principal, operation: None };
        let (top, growing) = self.lead(&owner, &link).await?.ok_or_else(absent)?;
        if link.expires.is_some_and(|expires| expires <= self.drive.now()) {
            return Err(Error::LinkExpired);
        }
        let mode = Mode::parse(&link.mode).ok_or(Error::Shape("a link of an unknown mode"))?;
        let pass = presented.pass.as_deref().and_then(|pass| self.accounts.read_pass::<accounts::Visit>(pass));
        let pass = pass.filter(|pass| pass.link == link.id);
        Ok(Visit { link, mode, owner, owner_name: account.display_name, top, growing, pass, presented })
    }

    /// What a link leads to, if whose rights it has may change that.
    async fn lead(&self, owner: &Actor, link: &LinkRow) -> Result<Option<(Located, Option<Growing>)>, Error> {
        // An upload may become a file between the two questions, and be asked for once more.
        for _ in 0..2 {
            match self.drive.find(owner, Action::Change, link.entry, "link").await {
                // Somebody may have given an entry of their own the id that an upload was promised.
                Ok((top, _)) if top.space.id != link.space => {}
                Ok((top, Reach::Tree)) => return Ok(Some((top, None))),
                Ok(_) => return Ok(None),
                Err(Error::NotFound(_)) => {}
                Err(Error::Accounts(error)) if error.kind() == base::ErrorKind::Denied => return Ok(None),
                Err(error) => return Err(error),
            }
            if let Some((top, growing)) = self.drive.growing(owner, link.entry).await? {
                return Ok(Some((top, Some(growing))));
            }
        }
        Ok(None)
    }

    /// What a visitor is told of the link. If there is nothing to unlock, this counts as opening it.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn look(&self, visit: &Visit) -> Result<Opened, Error> {
        let unlocked = visit.is_unlocked();
        if visit.link.password_hash.is_none() {
            self.opened(visit, visit.by()).await?;
        }
        Ok(Opened {
            entry: if unlocked { Some(visit.seen(&visit.top.entry)?) } else { None },
            mode: visit.mode,
            note: visit.link.note.clone().filter(|_| unlocked),
            has_password: visit.link.password_hash.is_some(),
            expires: visit.link.expires,
            downloads_left: visit.left(),
            owner_name: visit.owner_name.clone(),
            received: visit.growing.as_ref().filter(|_| unlocked).map(|growing| growing.received),
        })
    }

    /// Gives the password of a link, a name, or both; counts as opening it.
    ///
    /// # Errors
    /// [`Error::LinkPassword`], [`Error::LinkLocked`] if there is a password and none was given, [`Error::Accounts`] for
    /// too many attempts and for a name that is none.
    pub async fn unlock(&self, visit: &Visit, password: Option<Secret>, name: Option<&str>) -> Result<Unlocked, Error> {
        let name = Accounts::visitor_name(name)?;
        match (&visit.link.password_hash, &password) {
            (None, _) => {}
            (Some(_), None) => return Err(Error::LinkLocked),
            (Some(hash), Some(password)) => {
                let (link, address) = (visit.link.id, visit.presented.address);
                if !self.accounts.check_link_password(link, hash, password, address).await? {
                    return Err(Error::LinkPassword);
                }
            }
        }
        let pass = accounts::Visit { link: visit.link.id, generation: visit.link.generation, name };
        let (signed, lifetime) = self.accounts.sign_pass(&pass)?;
        self.opened(visit, By { visitor: pass.name.as_deref(), ..visit.by() }).await?;
        Ok(Unlocked { pass: signed, lifetime })
    }

    async fn opened(&self, visit: &Visit, by: By<'_>) -> Result<(), Error> {
        if self.recent.begins(visit.link.id, &by, self.drive.inner.clock.elapsed()) {
            let top = &visit.top.entry;
            let about = About { entry: top.id, name: top.name.clone(), bytes: None };
            self.happened(visit.link.id, EventKind::Opened, about, &by).await?;
        }
        Ok(())
    }

    /// An entry that the link leads to or that is below it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for everything else, whether it exists or not; [`Error::LinkLocked`], [`Error::LinkForbids`].
    pub async fn stat(&self, visit: &Visit, id: EntryId) -> Result<Entry, Error> {
        visit.may_look()?;
        visit.seen(&self.reach(visit, id, "entry").await?)
    }

    /// Up to `limit` entries of a folder with names above `after`, in code-point order of their names.
    ///
    /// # Errors
    /// As [`Self::stat`], and [`Error::NotAFolder`].
    pub async fn children(
        &self,
        visit: &Visit,
        folder: EntryId,
        after: Option<&Name>,
        limit: u32,
    ) -> Result<Page<Entry>, Error> {
        visit.may_look()?;
        let row = self.reach(visit, folder, "folder").await?;
        is_folder(&row)?;
        let limit = limit.clamp(1, limits::PAGE_ENTRIES_MAX);
        let after = after.map_or("", Name::as_str);
        let mut rows = tree::children(&self.drive.inner.db, row.space, folder, after, limit + 1).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        Ok(Page { items: rows.iter().map(|row| visit.seen(row)).collect::<Result<_, _>>()?, more })
    }

    /// Opens a file. Its bytes are not to leave before [`Self::count`] said so.
    ///
    /// # Errors
    /// As [`Self::stat`], [`Error::NotAFile`], and [`Error::LinkUsedUp`] if `download` is none that was counted.
    pub async fn open(&self, visit: &Visit, id: EntryId, download: Option<&str>) -> Result<File, Error> {
        visit.may_look()?;
        let row = self.reach(visit, id, "file").await?;
        is_file(&row)?;
        let content = row.content.ok_or(Error::Shape("a file without a content"))?;
        let file = File::new(visit.seen(&row)?, &self.drive.inner.store, content, row.size);
        let file = file.brought_by(visit.growing.clone());
        if !self.goes_on(visit, &file.entry.etag(), download) {
            visit.has_left()?;
        }
        Ok(file)
    }

    /// An archive of some of what the link leads to; of all of it if none are named. Its bytes are not to leave before
    /// [`Self::count`] said so.
    ///
    /// # Errors
    /// As [`Self::stat`], [`Error::ArchiveTooLarge`], and [`Error::LinkUsedUp`] as [`Self::open`].
    pub async fn archive(
        &self,
        visit: &Visit,
        entries: &[EntryId],
        format: Format,
        download: Option<&str>,
    ) -> Result<(Entry, Archive), Error> {
        visit.may_pack()?;
        if visit.growing.is_some() {
            return Err(Error::UploadNotComplete);
        }
        let all = [visit.link.entry];
        let named = if entries.is_empty() { &all[..] } else { entries };
        let mut tops = Vec::with_capacity(named.len());
        for id in named {
            let row = self.reach(visit, *id, "entry").await?;
            tops.push((row.space, row.id));
        }
        let archive = self.drive.pack(tops, format).await?;
        if !self.goes_on(visit, &archive.etag, download) {
            visit.has_left()?;
        }
        Ok((visit.seen(&visit.top.entry)?, archive))
    }

    /// Counts a download of these bytes of an entry, unless `download` shows that it goes on with one that was counted.
    /// Of many at once as many get through as the link allows.
    ///
    /// # Errors
    /// [`Error::LinkUsedUp`].
    pub async fn count(
        &self,
        visit: &Visit,
        entry: &Entry,
        etag: &str,
        bytes: u64,
        download: Option<&str>,
    ) -> Result<Counted, Error> {
        if self.goes_on(visit, etag, download) {
            return Ok(Counted::Before);
        }
        let about = About { entry: entry.id, name: entry.name.clone(), bytes: Some(bytes) };
        if !self.happened(visit.link.id, EventKind::Downloaded, about, &visit.by()).await? {
            return Err(Error::LinkUsedUp);
        }
        let begun = Download { link: visit.link.id, etag: etag.to_owned() };
        let (signed, lifetime) = self.accounts.sign_pass(&begun)?;
        Ok(Counted::Now(signed, lifetime))
    }

    fn goes_on(&self, visit: &Visit, etag: &str, download: Option<&str>) -> bool {
        let begun = download.and_then(|download| self.accounts.read_pass::<Download>(download));
        begun.is_some_and(|begun| begun.link == visit.link.id && begun.etag == etag)
    }

    /// Puts a file where the link takes files. A name that is taken gets a number, of which the visitor is not told.
    ///
    /// # Errors
    /// [`Error::LinkLocked`], [`Error::LinkForbids`], [`Error::LinkUsedUp`], and those of [`crate::Drive::put`].
    pub async fn upload(
        &self,
        visit: &Visit,
        name: Name,
        content_type: Option<String>,
        length: Option<u64>,
        body: Body,
    ) -> Result<u64, Error> {
        visit.unlocked()?;
        if visit.mode != Mode::Upload {
            return Err(Error::LinkForbids("this link takes no files"));
        }
        if visit.link.uploads >= UPLOADS_MAX {
            return Err(Error::LinkUsedUp);
        }
        let parent = Some(visit.link.entry);
        let target = crate::put::Target::Child { parent, name, on_conflict: OnConflict::Rename, id: None };
        let put = Put { target, content_type, length, blake3: None };
        let stored = match self.drive.put(&visit.owner, put, body).await {
            // How full the space is, is nothing for visitors.
            Err(Error::Quota(Some(_))) => return Err(Error::Quota(None)),
            stored => stored?,
        };
        let size = stored.entry.file().map_or(0, |info| info.size);
        let about = About { entry: stored.entry.id, name: stored.entry.name, bytes: Some(size) };
        // The file is there, whatever becomes of the note about it.
        if let Err(error) = self.happened(visit.link.id, EventKind::Uploaded, about, &visit.by()).await {
            tracing::warn!(%error, "a file came in by a link, and it could not be written down");
        }
        Ok(size)
    }

    /// The row of an entry that the link leads to.
    ///
    /// The row is read first: whatever moves the entry out of reach after that is seen by the walk up from it, which is one
    /// statement, or comes after this answer.
    ///
    /// # Errors
    /// [`Error::NotFound`] for `what`.
    async fn reach(&self, visit: &Visit, id: EntryId, what: &'static str) -> Result<EntryRow, Error> {
        if visit.growing.is_some() {
            let top = Some(&visit.top.entry).filter(|top| top.id == id);
            return top.cloned().ok_or(Error::NotFound(what));
        }
        let (db, space) = (&self.drive.inner.db, &visit.top.space);
        let located = tree::locate(db, id).await?.filter(|it| it.space.id == space.id).ok_or(Error::NotFound(what))?;
        let above = links::walk_up(db, space.id, id).await?;
        let inside = above.contains(&visit.link.entry) && above.last() == Some(&space.root);
        if inside { Ok(located.entry) } else { Err(Error::NotFound(what)) }
    }
}
