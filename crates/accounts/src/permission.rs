//! Permissions, who has them, and the one function that answers who may do what.

use std::{borrow::Cow, fmt};

use base::{AccountId, EntryId, SessionId, SpaceId};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{SeqAccess, Visitor},
};

use crate::Error;

/// One permission. The words stand in the database, in tokens and in the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Having and changing files.
    Files,
    /// Seeing and changing other people's accounts.
    AdminUsers,
    /// Seeing and changing storage servers and jobs.
    AdminNodes,
}

impl Permission {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Files, Self::AdminUsers, Self::AdminNodes];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::AdminUsers => "admin.users",
            Self::AdminNodes => "admin.nodes",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.as_str() == word)
    }
}

/// A set of permissions.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Permissions(u8);

impl Permissions {
    /// These.
    pub fn of(permissions: impl IntoIterator<Item = Permission>) -> Self {
        Self(permissions.into_iter().fold(0, |bits, permission| bits | 1 << permission as u8))
    }

    /// Those that the words of a text name. Words that this version does not know give nothing: a permission that nobody
    /// checks must not look like one that somebody has.
    pub fn parse(words: &str) -> Self {
        Self::of(words.split_ascii_whitespace().filter_map(Permission::parse))
    }

    /// Whether this one is among them.
    pub fn has(self, permission: Permission) -> bool {
        self.0 & 1 << permission as u8 != 0
    }

    /// Those that are in both sets.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Each one, in the order in which they are shown.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.into_iter().filter(move |&permission| self.has(permission))
    }

    /// The words for them.
    pub fn words(self) -> Vec<String> {
        self.iter().map(|permission| permission.as_str().to_owned()).collect()
    }
}

/// The words with spaces between them, as the database keeps them.
impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, permission) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(permission.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{self}]")
    }
}

impl Serialize for Permissions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Permission::as_str))
    }
}

impl<'de> Deserialize<'de> for Permissions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;

        impl<'de> Visitor<'de> for Words {
            type Value = Permissions;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of permissions")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut words: A) -> Result<Permissions, A::Error> {
                let mut known = Vec::with_capacity(Permission::ALL.len());
                while let Some(word) = words.next_element::<Cow<'de, str>>()? {
                    known.extend(Permission::parse(&word));
                }
                Ok(Permissions::of(known))
            }
        }

        deserializer.deserialize_seq(Words)
    }
}

/// Who is asking, as a valid access token tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Principal {
    /// The account.
    pub account: AccountId,
    /// The session that the token belongs to.
    pub session: SessionId,
    /// What the account may do: what the token says and the database still does.
    pub permissions: Permissions,
    /// The account's personal space.
    pub space: SpaceId,
    /// That space's root folder.
    pub root: EntryId,
}

/// What somebody wants to do with a space and what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// See names, read bytes, follow changes.
    Read,
    /// Change names, bytes, anything.
    Change,
}

/// Whether the principal may do this to the space that `owner` owns.
///
/// # Errors
/// [`Error::SpaceUnknown`] if it is somebody else's: whoever may not see a thing must not learn that it exists.
/// [`Error::PermissionMissing`] if it is their own, but they may not use files.
pub fn may(principal: &Principal, action: Action, owner: AccountId) -> Result<(), Error> {
    // Roles on spaces of several people will tell the two actions apart; an owner may do both.
    match action {
        Action::Read | Action::Change if principal.account != owner => Err(Error::SpaceUnknown),
        Action::Read | Action::Change => principal.needs(Permission::Files),
    }
}

impl Principal {
    /// Whether the principal has a permission.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`].
    pub fn needs(&self, permission: Permission) -> Result<(), Error> {
        if self.permissions.has(permission) { Ok(()) } else { Err(Error::PermissionMissing(permission)) }
    }
}

#[cfg(test)]
mod tests {
    use base::ErrorKind;

    use super::*;

    #[test]
    fn words_are_a_contract_and_unknown_ones_give_nothing() {
        let all = Permissions::of(Permission::ALL);
        assert_eq!(all.to_string(), "files admin.users admin.nodes");
        assert_eq!(Permissions::parse(&all.to_string()), all);
        assert_eq!(Permissions::parse("admin.nodes root files FILES").words(), ["files", "admin.nodes"]);
        assert_eq!(Permissions::parse("*"), Permissions::default());
        let json = serde_json::to_string(&all).expect("JSON");
        assert_eq!(json, r#"["files","admin.users","admin.nodes"]"#);
        let read: Permissions = serde_json::from_str(r#"["admin.users","everything"]"#).expect("a set");
        assert_eq!(read, Permissions::of([Permission::AdminUsers]));
        assert_eq!(all.and(read), read);
    }

    #[test]
    fn other_peoples_spaces_do_not_exist() {
        let owner = AccountId::from_bytes([1; 16]);
        let mut principal = Principal {
            account: owner,
            session: SessionId::from_bytes([2; 16]),
            permissions: Permissions::of(Permission::ALL),
            space: SpaceId::from_bytes([3; 16]),
            root: EntryId::from_bytes([4; 16]),
        };
        for action in [Action::Read, Action::Change] {
            assert!(may(&principal, action, owner).is_ok());
            // Not even administrators look into files.
            let refused = may(&principal, action, AccountId::from_bytes([9; 16])).expect_err("somebody else's");
            assert_eq!((refused.kind(), refused.code()), (ErrorKind::NotFound, "space-not-found"));
        }
        principal.permissions = Permissions::of([Permission::AdminUsers]);
        let refused = may(&principal, Action::Read, owner).expect_err("no files");
        assert_eq!(refused.kind(), ErrorKind::Denied);
    }
}
