//! Addresses that carry their own permission, as S3's presigned ones do: whoever has one may fetch what it names for some
//! minutes, as long as the session lives in which it was made. For programs that take an address and no header, such as a
//! desktop that a file is dragged to.

use std::time::Duration;

use base::{AccountId, EntryId, Secret, SessionId, SpaceId};
use serde::{Deserialize, Serialize};

use crate::{Accounts, Error, Pass, Permission, Permissions, Principal};

/// How long an address is good for: somebody drags a file out, or hands the address to a program, at once.
const LIFETIME: Duration = Duration::from_secs(10 * 60);

/// What an address is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presigned {
    /// The files and folders that may be fetched, and nothing else.
    pub entries: Vec<EntryId>,
    /// In what form, in the words of who fetches.
    pub format: Option<String>,
}

/// The same with whose it is, as it stands in the address.
#[derive(Serialize, Deserialize)]
struct Signed {
    account: AccountId,
    session: SessionId,
    space: SpaceId,
    root: EntryId,
    target: Presigned,
}

impl Pass for Signed {
    const PURPOSE: &'static str = "presigned";
    const LIFETIME: Duration = LIFETIME;
}

impl Accounts {
    /// What an address needs, and how long it is good.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`] for programs: their tokens outlive no session.
    pub fn presign(&self, principal: &Principal, target: Presigned) -> Result<(Secret, Duration), Error> {
        principal.needs(Permission::Account)?;
        principal.needs(Permission::FilesRead)?;
        let Principal { account, session, space, root, .. } = *principal;
        self.sign_pass(&Signed { account, session, space, root, target })
    }

    /// Who fetches by an address, with the permission to read alone, and what.
    ///
    /// # Errors
    /// [`Error::TokenInvalid`] also for what is too old; [`Error::SessionEnded`], [`Error::Database`].
    pub async fn presigned(&self, token: &str) -> Result<(Principal, Presigned), Error> {
        let Signed { account, session, space, root, target } = self.read_pass(token).ok_or(Error::TokenInvalid)?;
        let permissions = Permissions::of([Permission::FilesRead]);
        let principal = Principal { account, session, permissions, space, root };
        let permissions = permissions.and(self.live_permissions(&principal).await?);
        Ok((Principal { permissions, ..principal }, target))
    }
}
