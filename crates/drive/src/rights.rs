//! Who has which role where: the one place that knows, for every protocol. [`accounts::may`] decides what a role is for.
//!
//! A personal space is its owner's. Everybody else has what they, a group of theirs or everyone was given on an entry or on a
//! folder above it, the greatest of it. What is in the trash belongs where it was: what was given on the folder above holds,
//! what was given on the thing itself or inside it does not.
//!
//! A role that was looked up holds as long as the space's row says that none became another, and no longer than a second: a
//! check then costs a look into a map. Whoever has none is looked up each time.

use std::{collections::HashMap, time::Duration};

use accounts::{Action, Permission, Role};
use base::{AccountId, EntryId, SpaceId, Time};
use db::{
    grants::{self, Step},
    tree::{self, SpaceState},
};
use parking_lot::Mutex;

use crate::{Actor, Drive, Error, work::Work};

/// How long a role is remembered: groups and accounts are no part of a space, and what becomes of them need not raise its
/// number.
const TRUST: Duration = Duration::from_secs(1);

/// Locks, each over its share of the roles.
const SHARDS: usize = 16;

/// Roles per shard at most: all shards take about 8 MiB.
const ROLES_MAX: usize = 8192;

/// How much of a space somebody sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// All of it.
    Whole(Role),
    /// Only what they were given a role on, and what is below.
    Part,
}

/// Roles that were looked up lately.
#[derive(Default)]
pub(crate) struct Roles {
    shards: [Mutex<HashMap<(AccountId, EntryId), Remembered>>; SHARDS],
}

#[derive(Clone, Copy)]
struct Remembered {
    role: Role,
    /// What the space's row said.
    rights: u64,
    /// By the monotonic clock.
    until: Duration,
    /// When the first of what it comes from ends, by the wall clock.
    expires: Option<Time>,
}

impl Roles {
    fn get(&self, who: (AccountId, EntryId), rights: u64, now: Time, elapsed: Duration) -> Option<Role> {
        let known = *self.shard(who.0).lock().get(&who)?;
        let holds = known.rights == rights && known.until > elapsed && known.expires.is_none_or(|end| end > now);
        holds.then_some(known.role)
    }

    fn put(&self, who: (AccountId, EntryId), known: Remembered, elapsed: Duration) {
        let mut shard = self.shard(who.0).lock();
        if shard.len() >= ROLES_MAX {
            shard.retain(|_, known| known.until > elapsed);
        }
        if shard.len() >= ROLES_MAX {
            shard.clear();
        }
        shard.insert(who, known);
    }

    fn shard(&self, account: AccountId) -> &Mutex<HashMap<(AccountId, EntryId), Remembered>> {
        // The last byte of a UUIDv7 is random.
        &self.shards[usize::from(account.to_bytes()[15]) % SHARDS]
    }
}

/// The role that a walk up from an entry gives now, and when the first of what it comes from ends.
fn role_of(steps: &[Step], now: Time) -> (Option<Role>, Option<Time>) {
    let end = steps.last().map_or(0, |step| step.level);
    let (mut role, mut expires) = (None, None);
    for step in steps {
        if step.top && step.level < end {
            // The top of what is in the trash: nothing counts but what was given above the place where it was.
            (role, expires) = (None, None);
            continue;
        }
        let Some((number, until)) = step.role.filter(|(_, until)| until.is_none_or(|until| until > now)) else {
            continue;
        };
        role = role.max(Role::from_number(number));
        expires = [expires, until].into_iter().flatten().min();
    }
    (role, expires)
}

impl Drive {
    /// The role that an account has on an entry of a space, if it has one.
    pub(crate) async fn role(
        &self,
        account: AccountId,
        space: &SpaceState,
        entry: EntryId,
    ) -> Result<Option<Role>, Error> {
        if let Some(known) = self.known_role(account, space, entry) {
            return Ok(known);
        }
        let steps = grants::find_roles(&self.inner.db, space.id, entry, account).await?;
        Ok(self.learn(account, space, entry, &steps))
    }

    /// The role as far as it can be told without the database.
    fn known_role(&self, account: AccountId, space: &SpaceState, entry: EntryId) -> Option<Option<Role>> {
        if space.owner == Some(account) {
            return Some(Some(Role::Manager));
        }
        if space.rights == 0 {
            return Some(None);
        }
        let elapsed = self.inner.clock.elapsed();
        self.inner.roles.get((account, entry), space.rights, self.now(), elapsed).map(Some)
    }

    fn learn(&self, account: AccountId, space: &SpaceState, entry: EntryId, steps: &[Step]) -> Option<Role> {
        let (role, expires) = role_of(steps, self.now());
        if let Some(role) = role {
            let elapsed = self.inner.clock.elapsed();
            let known = Remembered { role, rights: space.rights, until: elapsed + TRUST, expires };
            self.inner.roles.put((account, entry), known, elapsed);
        }
        role
    }

    /// Whether the actor may do `action` to an entry of this space; the role that allows it. If the entry is hidden from them,
    /// it might as well not exist.
    ///
    /// # Errors
    /// [`Error::NotFound`] for `what`, [`Error::Accounts`].
    pub(crate) async fn permit(
        &self,
        actor: &Actor,
        action: Action,
        space: &SpaceState,
        entry: EntryId,
        what: &'static str,
    ) -> Result<Role, Error> {
        let role = self.role(actor.principal.account, space, entry).await?;
        allow(actor, action, role, what)
    }

    /// The row of a space in all of which the caller may do `action`, and their role there.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Accounts`].
    pub(crate) async fn own_space(
        &self,
        actor: &Actor,
        action: Action,
        space: SpaceId,
    ) -> Result<(SpaceState, Role), Error> {
        let state = tree::space(&self.inner.db, space).await?.ok_or(Error::NotFound("space"))?;
        let role = self.permit(actor, action, &state, state.root, "space").await?;
        Ok((state, role))
    }

    /// How much of a space the caller sees, if anything.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Accounts`].
    pub(crate) async fn access(&self, actor: &Actor, space: &SpaceState) -> Result<Access, Error> {
        let account = actor.principal.account;
        if let Some(role) = self.role(account, space, space.root).await? {
            allow(actor, Action::Read, Some(role), "space")?;
            return Ok(Access::Whole(role));
        }
        if space.rights == 0 || !grants::any_in(&self.inner.db, space.id, account, self.now()).await? {
            return Err(Error::NotFound("space"));
        }
        actor.principal.needs(Permission::FilesRead)?;
        Ok(Access::Part)
    }
}

impl Work<'_> {
    /// As [`Drive::permit`], in the unit of work: it decides, since the space's row is held. What the program does by itself it
    /// may.
    ///
    /// # Errors
    /// [`Error::NotFound`] for `what`, [`Error::Accounts`].
    pub(crate) async fn permit(&self, action: Action, entry: EntryId, what: &'static str) -> Result<(), Error> {
        let Some(actor) = &self.asked_by else { return Ok(()) };
        let account = actor.principal.account;
        // What an earlier change of this unit gave or took is not in the space's row as it was read.
        let known = if self.several && self.space.owner != Some(account) {
            None
        } else {
            self.drive.known_role(account, &self.space, entry)
        };
        let role = match known {
            Some(role) => role,
            None => {
                let steps = grants::roles(self.tx, self.space.id, entry, account).await?;
                if self.several {
                    role_of(&steps, self.now).0
                } else {
                    self.drive.learn(account, &self.space, entry, &steps)
                }
            }
        };
        allow(actor, action, role, what).map(drop)
    }

    /// Until when whose request this is manages an entry: none for ever.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub(crate) async fn manages_until(&self, entry: EntryId) -> Result<Option<Time>, Error> {
        let Some(actor) = &self.asked_by else { return Ok(None) };
        let account = actor.principal.account;
        if self.space.owner == Some(account) {
            return Ok(None);
        }
        let steps = grants::roles(self.tx, self.space.id, entry, account).await?;
        let manager = |step: &Step| step.role.filter(|(role, _)| *role == Role::Manager.number()).map(|(_, end)| end);
        let ends: Vec<Option<Time>> = steps.iter().filter_map(manager).collect();
        Ok(if ends.contains(&None) { None } else { ends.into_iter().flatten().max() })
    }

    /// Says that an entry came to lie elsewhere: what was given on the folders above it is other now.
    pub(crate) async fn roles_moved(&self) -> Result<(), Error> {
        if self.space.rights > 0 || self.several {
            grants::raise_rights(self.tx, self.space.id).await?;
        }
        Ok(())
    }
}

/// Asks [`accounts::may`], in the words of the drive.
fn allow(actor: &Actor, action: Action, role: Option<Role>, what: &'static str) -> Result<Role, Error> {
    match (accounts::may(&actor.principal, action, role), role) {
        (Ok(()), Some(role)) => Ok(role),
        (Err(error), _) if error.kind() != base::ErrorKind::NotFound => Err(error.into()),
        _ => Err(Error::NotFound(what)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(level: u64, top: bool, role: Option<(Role, Option<i64>)>) -> Step {
        Step { level, top, role: role.map(|(role, end)| (role.number(), end.map(Time::from_micros))) }
    }

    #[test]
    fn the_greatest_role_that_has_not_ended() {
        let now = Time::from_micros(100);
        let (viewer, editor, manager) = (Role::Viewer, Role::Editor, Role::Manager);
        assert_eq!(role_of(&[step(3, true, None)], now), (None, None));
        let steps = [
            step(0, false, Some((viewer, Some(500)))),
            step(1, false, Some((manager, Some(100)))),
            step(2, true, Some((editor, None))),
        ];
        assert_eq!(role_of(&steps, now), (Some(editor), Some(Time::from_micros(500))));
        // In the trash only what holds above the place where it was.
        let steps = [
            step(0, false, Some((manager, None))),
            step(1, true, Some((manager, None))),
            step(2, false, Some((viewer, None))),
            step(4, true, None),
        ];
        assert_eq!(role_of(&steps, now), (Some(viewer), None));
        let steps = [step(0, true, Some((editor, None))), step(3, true, None)];
        assert_eq!(role_of(&steps, now), (None, None));
    }

    #[test]
    fn what_is_remembered_ends() {
        let roles = Roles::default();
        let who = (AccountId::from_bytes([1; 16]), EntryId::from_bytes([2; 16]));
        let at = Duration::from_millis;
        let known = Remembered { role: Role::Editor, rights: 3, until: at(1000), expires: Some(Time::from_micros(50)) };
        roles.put(who, known, at(0));
        let get = |rights, now, elapsed| roles.get(who, rights, Time::from_micros(now), at(elapsed));
        assert_eq!(get(3, 49, 999), Some(Role::Editor));
        assert_eq!(get(4, 49, 999), None);
        assert_eq!(get(3, 50, 999), None);
        assert_eq!(get(3, 49, 1000), None);
        for number in 0..(ROLES_MAX as u128 * SHARDS as u128 / 8) {
            roles.put((AccountId::from_bytes([1; 16]), EntryId::from_bytes(number.to_be_bytes())), known, at(0));
        }
        assert!(roles.shards.iter().all(|shard| shard.lock().len() <= ROLES_MAX));
    }
}
