//! Does what the story tells: through the same handles as the gateway, as the people of the story.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use accounts::{Accounts, Permission, Permissions, Principal, Registration};
use anyhow::{Context, bail};
use base::{AccountId, EntryId, GroupId, Ids, Name, Secret, SpaceId, Time};
use bytes::Bytes;
use db::Lane;
use drive::{
    Actor, Copy, Drive, Format, Label, Links, Mode, NewFolder, NewGrant, NewLink, OnConflict, Presented, Put, Target,
    Update, Which,
};
use futures::{StreamExt as _, stream};

use super::{
    cast::{self, ADMINISTRATOR, CAST, Person, Place, ROOMS, TEAMS, Team, Whom},
    clock::StoryClock,
    story::{Deed, Link, Step},
};

/// Bodies are handed over in pieces of this size, as a network would.
const PIECE: usize = 1 << 20;

/// A place and what is in it.
#[derive(Clone, Copy)]
struct Space {
    id: SpaceId,
    root: EntryId,
}

/// A link that was made: who comes by it presents these.
struct Door {
    token: Secret,
    password: Option<Secret>,
    mode: Mode,
}

/// What was done, to be told at the end.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    pub(super) files: u64,
    pub(super) folders: u64,
    pub(super) versions: u64,
    pub(super) bytes: u64,
    pub(super) grants: u64,
    pub(super) links: u64,
    pub(super) visits: u64,
    pub(super) changes: u64,
}

/// The system, the people in it, and where they put things.
pub(super) struct Stage {
    db: db::Db,
    accounts: Accounts,
    drive: Drive,
    links: Links,
    ids: Ids,
    clock: Arc<StoryClock>,
    /// The real time when the story is told: ends are counted from it.
    present: Time,
    people: Vec<Principal>,
    teams: Vec<GroupId>,
    spaces: HashMap<Place, Space>,
    /// Folders that were found or made, until something is moved.
    folders: HashMap<(Place, String), EntryId>,
    doors: HashMap<(Place, String), Door>,
    visitors: u8,
    pub(super) tally: Tally,
}

impl Stage {
    /// An empty one.
    pub(super) fn new(
        db: db::Db,
        (accounts, drive): (Accounts, Drive),
        ids: Ids,
        clock: Arc<StoryClock>,
        present: Time,
    ) -> Self {
        let links = Links::new(drive.clone(), accounts.clone());
        Self {
            db,
            accounts,
            drive,
            links,
            ids,
            clock,
            present,
            people: Vec::new(),
            teams: Vec::new(),
            spaces: HashMap::new(),
            folders: HashMap::new(),
            doors: HashMap::new(),
            visitors: 0,
            tally: Tally::default(),
        }
    }

    /// Makes the accounts, the groups and the spaces of teams.
    pub(super) async fn open(&mut self, password: &Secret) -> anyhow::Result<()> {
        for role in &CAST {
            let account = self.enrol(role, password).await.with_context(|| format!("the account {}", role.name))?;
            self.spaces.insert(Place::Home(role.person), Space { id: account.space, root: account.root });
            self.people.push(account);
        }
        let administrator = self.people[ADMINISTRATOR.index()];
        for (_, name, members) in TEAMS {
            let group = self.accounts.create_group(&administrator, name).await?;
            for person in members {
                let account = self.people[person.index()].account;
                self.accounts.set_member(&administrator, group.id, account, true).await?;
            }
            self.teams.push(group.id);
        }
        for room in ROOMS {
            let maker = self.actor(room.maker);
            let space = self.drive.create_space(&maker, room.name).await?;
            self.spaces.insert(room.place, Space { id: space.id, root: space.root });
            for (whom, role) in room.members {
                let new = NewGrant { subject: self.subject(*whom), role: *role, expires: None };
                self.drive.give(&maker, space.root, new).await?;
                self.tally.grants += 1;
            }
        }
        Ok(())
    }

    /// Makes an account. Nobody signs in by this: what is done in the account's name needs no session.
    async fn enrol(&self, role: &cast::Role, password: &Secret) -> anyhow::Result<Principal> {
        let registration = Registration {
            name: role.name.to_owned(),
            password: password.clone(),
            display_name: Some(role.display_name.to_owned()),
            language: Some(role.person.tongue().tag().to_owned()),
            invitation: None,
            address: Ipv4Addr::LOCALHOST.into(),
        };
        let user = self.accounts.register(registration).await?;
        let private = user.private.context("an account without a space")?;
        let mut permissions = private.permissions;
        if role.person == ADMINISTRATOR {
            permissions = Permissions::of(permissions.iter().chain([Permission::AdminUsers]));
            let (id, words) = (user.id, permissions.to_string());
            self.db.write(Lane::Free, async move |tx| db::persons::set_permissions(&tx, id, &words).await).await?;
        }
        Ok(Principal {
            account: user.id,
            session: self.ids.session(),
            permissions,
            space: private.space,
            root: private.root,
        })
    }

    fn actor(&self, person: Person) -> Actor {
        Actor { principal: self.people[person.index()], operation: None }
    }

    fn subject(&self, whom: Whom) -> drive::Subject {
        let account = |person: Person| -> AccountId { self.people[person.index()].account };
        cast::subject(whom, account, |team: Team| self.teams[team as usize])
    }

    /// Does one thing at its moment. `bytes` are those of a file that is written.
    pub(super) async fn perform(&mut self, step: &Step, bytes: Option<Vec<u8>>) -> anyhow::Result<()> {
        self.clock.forward(step.at);
        self.act(step, bytes.unwrap_or_default())
            .await
            .with_context(|| format!("{:?}: {:?} at {:?} in {:?}", step.who, step.deed, step.path, step.place))
    }

    async fn act(&mut self, step: &Step, bytes: Vec<u8>) -> anyhow::Result<()> {
        let actor = self.actor(step.who);
        let space = self.space(step.place)?;
        self.tally.changes += 1;
        if let Deed::Write { .. } = step.deed {
            return self.write(&actor, step.place, &step.path, bytes).await;
        }
        if let Deed::Visit(name) = step.deed {
            return self.visit(step, name).await;
        }
        if let Deed::Undo = step.deed {
            self.drive.undo(&actor, space.id, Which::Newest).await?;
            self.folders.clear();
            return Ok(());
        }
        let entry = self.drive.resolve(&actor, space.id, &step.path).await?;
        match &step.deed {
            Deed::Rename(name) => {
                let update = Update { name: Some(Name::new(name)?), ..Update::default() };
                self.drive.update(&actor, entry.id, update).await?;
            }
            Deed::Move(to) => {
                let parent = Some(self.drive.resolve(&actor, space.id, to).await?.id);
                self.drive.update(&actor, entry.id, Update { parent, ..Update::default() }).await?;
            }
            Deed::Copy(name) => {
                let copy = Copy { name: Some(Name::new(name)?), ..Copy::default() };
                self.drive.copy(&actor, entry.id, copy).await?;
                self.tally.files += 1;
            }
            Deed::Trash => self.drive.trash(&actor, entry.id, None).await?,
            Deed::Label(name) => {
                let newest = self.drive.versions(&actor, entry.id, None, 1).await?;
                let version = newest.items.first().context("a file without a version")?.id;
                let label = Label { name: Some(Some((*name).to_owned())), pinned: Some(true) };
                self.drive.label_version(&actor, entry.id, version, label).await?;
            }
            Deed::Revert => {
                let newest = self.drive.versions(&actor, entry.id, None, 2).await?;
                let version = newest.items.get(1).context("a file with one version")?.id;
                self.drive.restore_version(&actor, entry.id, version, None).await?;
                self.tally.versions += 1;
            }
            Deed::Give(whom, role, days) => {
                let expires = days.map(|days| self.present.plus(Duration::from_secs(days * 86_400)));
                let new = NewGrant { subject: self.subject(*whom), role: *role, expires };
                self.drive.give(&actor, entry.id, new).await?;
                self.tally.grants += 1;
            }
            Deed::Link(link) => self.link(&actor, step, entry.id, link).await?,
            Deed::Write { .. } | Deed::Visit(_) | Deed::Undo => bail!("this needs no entry"),
        }
        if matches!(step.deed, Deed::Rename(_) | Deed::Move(_) | Deed::Trash) {
            self.folders.clear();
        }
        Ok(())
    }

    fn space(&self, place: Place) -> anyhow::Result<Space> {
        self.spaces.get(&place).copied().with_context(|| format!("there is no place {place:?}"))
    }

    /// Writes a file, or another version of it.
    async fn write(&mut self, actor: &Actor, place: Place, path: &str, bytes: Vec<u8>) -> anyhow::Result<()> {
        let (folders, name) = path.rsplit_once('/').context("a path without a folder")?;
        let parent = self.folder(actor, place, folders).await?;
        let length = bytes.len() as u64;
        let target =
            Target::Child { parent: Some(parent), name: Name::new(name)?, on_conflict: OnConflict::Replace, id: None };
        let put = Put { target, content_type: None, length: Some(length), blake3: None };
        let stored = self.drive.put(actor, put, body(bytes)).await?;
        self.tally.files += u64::from(stored.created);
        self.tally.versions += 1;
        self.tally.bytes += length;
        Ok(())
    }

    /// The folder of a path without its last slash; what of it is missing is made.
    async fn folder(&mut self, actor: &Actor, place: Place, path: &str) -> anyhow::Result<EntryId> {
        let space = self.space(place)?;
        let mut folder = space.root;
        let mut so_far = String::new();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            so_far = format!("{so_far}/{name}");
            let key = (place, so_far.clone());
            if let Some(known) = self.folders.get(&key) {
                folder = *known;
                continue;
            }
            folder = match self.drive.resolve(actor, space.id, &so_far).await {
                Ok(entry) => entry.id,
                Err(drive::Error::NotFound(_)) => {
                    self.tally.folders += 1;
                    self.drive.create_folder(actor, NewFolder::named(folder, Name::new(name)?)).await?.id
                }
                Err(error) => return Err(error.into()),
            };
            self.folders.insert(key, folder);
        }
        Ok(folder)
    }

    async fn link(&mut self, actor: &Actor, step: &Step, entry: EntryId, link: &Link) -> anyhow::Result<()> {
        let password = link.password.map(Secret::new);
        let new = NewLink {
            mode: link.mode,
            name: Some(link.name.to_owned()),
            note: link.note.map(str::to_owned),
            password: password.clone(),
            expires: link.hours.map(|hours| self.present.plus(Duration::from_secs(hours * 3600))),
            download_limit: link.downloads,
        };
        let made = self.links.create(actor, entry, new).await?;
        let token = made.token.context("a link without a token")?;
        self.doors.insert((step.place, step.path.clone()), Door { token, password, mode: link.mode });
        self.tally.links += 1;
        Ok(())
    }

    /// Somebody comes by the link to the step's entry and does what it is for.
    async fn visit(&mut self, step: &Step, name: Option<&str>) -> anyhow::Result<()> {
        const CLIENTS: [&str; 4] = ["Firefox, Windows", "Safari, iPhone", "Chrome, Android", "Firefox, Linux"];
        let door = self.doors.get(&(step.place, step.path.clone())).context("there is no link to it")?;
        // Of the addresses that are set apart for tests (RFC 2544), in a network of its own each time.
        let address = IpAddr::V4(Ipv4Addr::new(198, 18, self.visitors, 7));
        let client = CLIENTS[usize::from(self.visitors) % CLIENTS.len()].to_owned();
        self.visitors = self.visitors.wrapping_add(1);
        let mut presented = Presented { pass: None, address, client };
        let token = door.token.expose();
        let mut visit = self.links.enter(token, presented.clone()).await?;
        if name.is_some() || door.password.is_some() {
            let unlocked = self.links.unlock(&visit, door.password.clone(), name).await?;
            presented.pass = Some(unlocked.pass.expose().to_owned());
            visit = self.links.enter(token, presented).await?;
        } else {
            self.links.look(&visit).await?;
        }
        match door.mode {
            Mode::View => {}
            Mode::Download => {
                let (entry, archive) = self.links.archive(&visit, &[], Format::Zip, None).await?;
                self.links.count(&visit, &entry, &archive.etag, archive.size, None).await?;
            }
            Mode::Upload => {
                let picture = scenery::Scene::Town.draw(1200, 850, u64::from(self.visitors)).jpeg(80);
                let (file, length) = (Name::new("двор, 1987.jpg")?, picture.len() as u64);
                self.links.upload(&visit, file, None, Some(length), body(picture)).await?;
                self.tally.files += 1;
            }
        }
        self.tally.visits += 1;
        Ok(())
    }
}

fn body(bytes: Vec<u8>) -> drive::Body {
    let mut bytes = Bytes::from(bytes);
    let pieces = std::iter::from_fn(move || (!bytes.is_empty()).then(|| Ok(bytes.split_to(bytes.len().min(PIECE)))));
    stream::iter(pieces.collect::<Vec<_>>()).boxed()
}
