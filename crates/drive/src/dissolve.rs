//! Spaces that end: nobody sees one from the moment on at which that was asked for, and a job takes it apart.
//!
//! When an account ends, its personal space ends too, or becomes a team's whose manager is whoever takes it over. That is one
//! row, whatever is in it: names, versions, trash and history stay as they are.

use std::net::IpAddr;

use accounts::{Accounts, Action, Permission, Role};
use async_trait::async_trait;
use base::{AccountId, SpaceId};
use bus::{Handler, HandlerError, Leased, NewJob, Tally, Unit};
use db::{
    dissolve as rows,
    grants::{self, GrantRow, Subject},
    tree, uploads,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Actor, Drive, Error, purge::BITE, work::Work};

/// Kind of the jobs that take a space apart.
const KIND: &str = "drive.dissolve";

/// Uploads that one unit of work gives up.
const UPLOADS: u32 = 100;

/// Rows of the journal that one unit of work removes.
const ROWS: u32 = 5000;

/// What becomes of the files of an account that ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// They are removed for good.
    Remove,
    /// They become a team's space, whose manager is this account.
    HandOver {
        /// Who takes them over.
        to: AccountId,
    },
}

impl Files {
    /// For the log: a step that is cut off leaves a line that says how to go on.
    fn to_json(self) -> Value {
        match self {
            Self::Remove => json!("remove"),
            Self::HandOver { to } => json!({ "hand-over": to }),
        }
    }
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Payload {
    space: SpaceId,
}

impl Drive {
    /// Ends a team's space with all that is in it, for good. It is gone for everybody when this returns.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Accounts`], [`Error::PersonalSpace`].
    pub async fn delete_space(&self, actor: &Actor, id: SpaceId) -> Result<(), Error> {
        let (state, _) = self.own_space(actor, Action::Manage, id).await?;
        if state.owner.is_some() {
            return Err(Error::PersonalSpace);
        }
        let (drive, theirs) = (self.clone(), actor.clone());
        self.write(id, async move |tx| {
            let work = Work::hold(&drive, &tx, id, Some(&theirs)).await?;
            work.permit(Action::Manage, work.space.root, "space").await?;
            work.end().await
        })
        .await
    }

    /// Ends an account: nobody signs in as it, it has nothing, and nobody finds it. What it did stays in the history. Its files
    /// are removed, or become a team's space whose manager is who takes them over, and so do the teams' spaces that it alone
    /// managed; the space that its own became.
    ///
    /// Each step can be done again, and one that was cut off is done to its end by asking again.
    ///
    /// # Errors
    /// [`Error::Accounts`] with what accounts say; [`Error::SubjectUnknown`] for who takes over; [`Error::SoleManager`] if files
    /// are to be removed and nobody else manages a team's space.
    pub async fn end_account(
        &self,
        accounts: &Accounts,
        actor: &Actor,
        id: AccountId,
        files: Files,
        from: IpAddr,
    ) -> Result<Option<SpaceId>, Error> {
        actor.principal.needs(Permission::AdminUsers)?;
        let managed = grants::managed_alone(&self.inner.db, id).await?;
        if let Files::HandOver { to } = files {
            let taker = db::accounts::account(&self.inner.db, to).await?;
            taker.filter(|row| row.disabled.is_none() && row.id != id).ok_or(Error::SubjectUnknown("user"))?;
        } else if let Some(team) = managed.first() {
            return Err(Error::SoleManager(team.name.clone()));
        }
        let (name, display_name) = accounts.names(id).await?;
        accounts.close_person(&actor.principal, id, files.to_json(), from).await?;
        let space = match files {
            Files::Remove => {
                self.end_personal_space(actor, id).await?;
                None
            }
            Files::HandOver { to } => {
                for team in managed {
                    self.make_manager(actor, team.space, to).await?;
                }
                let title: String = format!("{display_name} ({name})").chars().take(100).collect();
                self.hand_over_space(actor, id, to, &title).await?
            }
        };
        accounts.erase_person(&actor.principal, id, from).await?;
        Ok(space)
    }

    /// Makes an account a manager of a team's space.
    async fn make_manager(&self, actor: &Actor, space: SpaceId, to: AccountId) -> Result<(), Error> {
        let (drive, by) = (self.clone(), actor.principal.account);
        self.write(space, async move |tx| {
            let work = Work::hold(&drive, &tx, space, None).await?;
            work.put_manager(to, by).await
        })
        .await
    }

    /// Ends the personal space of an account, as part of ending that; whether it had one. To be called when it cannot sign in
    /// any more.
    ///
    /// # Errors
    /// [`Error::Accounts`] if the caller may not administer users.
    pub async fn end_personal_space(&self, actor: &Actor, owner: AccountId) -> Result<bool, Error> {
        actor.principal.needs(Permission::AdminUsers)?;
        let Some(space) = self.inner.db.read(async |tx| rows::personal(&tx, owner).await).await? else {
            return Ok(false);
        };
        let drive = self.clone();
        self.write(space, async move |tx| {
            let work = Work::hold(&drive, &tx, space, None).await?;
            work.end().await
        })
        .await?;
        Ok(true)
    }

    /// Makes the personal space of an account a team's of this name, whose manager is `to`; which space that is, if the account
    /// had one.
    ///
    /// # Errors
    /// [`Error::Accounts`] if the caller may not administer users, [`Error::SubjectUnknown`], [`Error::SpaceName`].
    pub async fn hand_over_space(
        &self,
        actor: &Actor,
        owner: AccountId,
        to: AccountId,
        name: &str,
    ) -> Result<Option<SpaceId>, Error> {
        actor.principal.needs(Permission::AdminUsers)?;
        let name = crate::space::space_name(name)?;
        let taker = db::accounts::account(&self.inner.db, to).await?;
        taker.filter(|row| row.disabled.is_none() && row.id != owner).ok_or(Error::SubjectUnknown("user"))?;
        let Some(space) = self.inner.db.read(async |tx| rows::personal(&tx, owner).await).await? else {
            return Ok(None);
        };
        let (drive, by) = (self.clone(), actor.principal.account);
        self.write(space, async move |tx| {
            let work = Work::hold(&drive, &tx, space, None).await?;
            rows::make_team(&tx, space, &name).await?;
            work.put_manager(to, by).await
        })
        .await?;
        Ok(Some(space))
    }

    /// Takes a bite of a space that ends; how many entries, and whether nothing is left of it.
    async fn dissolve_bite(&self, space: SpaceId) -> Result<(u32, bool), Error> {
        let drive = self.clone();
        self.write(space, async move |tx| {
            match rows::kind(&tx, space).await?.as_deref() {
                // An attempt that was cut off after its last commit finds nothing, and is done.
                None => return Ok((0, true)),
                Some(rows::ENDING) => {}
                Some(_) => return Err(Error::Shape("a space that is to be taken apart did not end")),
            }
            let work = Work::hold(&drive, &tx, space, None).await?;
            let open = rows::uploads(&tx, space, UPLOADS).await?;
            if !open.is_empty() {
                for id in open {
                    if let Some(row) = uploads::upload(&tx, id).await? {
                        work.drop_upload(row).await?;
                    }
                }
                return Ok((0, false));
            }
            let root = work.space.root;
            // What was in the trash or on its way out of the world, and then the tree.
            let top = rows::loose(&tx, space, root).await?.unwrap_or(root);
            match tree::entry(&tx, space, top).await? {
                Some(row) if row.kind == tree::FILE => {
                    let removed = tree::delete_versions(&tx, space, top).await?;
                    tree::delete_entry(&tx, space, top).await?;
                    work.give_back(&removed).await?;
                    Ok((1, false))
                }
                Some(_) => {
                    let mut left = BITE;
                    work.take_apart(top, &mut left).await?;
                    Ok((BITE - left, false))
                }
                None => Ok((0, rows::delete(&tx, space, ROWS).await?)),
            }
        })
        .await
    }
}

impl Work<'_> {
    /// Makes an account a manager of the space for ever, whatever it was there.
    pub(crate) async fn put_manager(&self, to: AccountId, by: AccountId) -> Result<(), Error> {
        let root = self.space.root;
        if let Some(old) = grants::of_subject(self.tx, root, Subject::Account(to)).await? {
            grants::delete(self.tx, &old).await?;
        }
        let manager = GrantRow {
            id: self.drive.inner.ids.grant(),
            space: self.space.id,
            entry: root,
            subject: Subject::Account(to),
            role: Role::Manager.number(),
            expires: None,
            created: self.now,
            created_by: by,
        };
        grants::insert(self.tx, &manager).await?;
        Ok(grants::raise_rights(self.tx, self.space.id).await?)
    }

    /// Makes the space one that ends.
    pub(crate) async fn end(&self) -> Result<(), Error> {
        let space = self.space.id;
        rows::hide(self.tx, space).await?;
        let job = NewJob {
            kind: KIND,
            version: 1,
            dedup: Some(format!("{KIND} {space}")),
            payload: Payload { space },
            priority: 0,
            due: self.now,
        };
        bus::enqueue(self.tx, &self.drive.inner.ids, self.now, job).await?;
        Ok(())
    }
}

/// Takes spaces that end apart. It may begin again at any point.
pub struct DissolveHandler {
    drive: Drive,
}

impl DissolveHandler {
    /// A handler for the spaces of this drive.
    pub fn new(drive: Drive) -> Self {
        Self { drive }
    }
}

#[async_trait]
impl Handler for DissolveHandler {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn handle(&self, job: &Leased) -> Result<(), HandlerError> {
        let payload: Payload = job.payload()?;
        let mut done = 0;
        loop {
            let (gone, is_gone) = self.drive.dissolve_bite(payload.space).await?;
            done += u64::from(gone);
            job.tell(Tally { done, total: None, unit: Unit::Entries });
            if is_gone {
                return Ok(());
            }
        }
    }
}
