//! The side of the drive that administrators see: plans, all spaces, all uploads under way.
//!
//! Administrators run the place and do not look into it: they see sizes, counts, names of spaces and of people, and never a
//! name, a path or a byte of what somebody keeps. What they do is written into the audit log in the unit of work that does it.

mod oversight;
mod plans;

use std::net::IpAddr;

use accounts::{Accounts, Permission};
use base::SpaceId;
use db::spaces;

use crate::{Actor, Drive, Error};

pub use db::{
    overseen::Order as SpacesOrder,
    plans::{Effect, Limits},
};
pub use oversight::{InFlight, Overseen, SpacesWanted};
pub use plans::{Assigned, Assignment, Holder, NewPlan, Plan, PlanChange, PlanUpdate, PlanUse};

/// The drive in the hands of administrators. Cheap to clone.
#[derive(Clone)]
pub struct Admin {
    drive: Drive,
    accounts: Accounts,
}

impl Admin {
    /// The administration of this drive, whose audit log these accounts keep.
    pub fn new(drive: Drive, accounts: Accounts) -> Self {
        Self { drive, accounts }
    }

    /// What a space of this kind may hold where neither a plan nor an administrator says so.
    fn usual_quota(&self, kind: &str) -> Option<u64> {
        if kind == spaces::TEAM { self.drive.inner.options.team_quota_bytes } else { self.accounts.usual_quota_bytes() }
    }

    /// A space that is not ending.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn live_space(&self, id: SpaceId) -> Result<spaces::SpaceRow, Error> {
        let row = spaces::space(&self.drive.inner.db, id).await?;
        row.filter(|row| row.kind != db::dissolve::ENDING).ok_or(Error::NotFound("space"))
    }
}

/// Who administers, and from where.
#[derive(Debug, Clone)]
pub struct By<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// From where.
    pub address: IpAddr,
}

impl By<'_> {
    /// # Errors
    /// [`Error::Accounts`] without `admin.users`.
    fn may(&self) -> Result<(), Error> {
        may(self.actor)
    }
}

/// # Errors
/// [`Error::Accounts`] without `admin.users`.
fn may(actor: &Actor) -> Result<(), Error> {
    Ok(actor.principal.needs(Permission::AdminUsers)?)
}
