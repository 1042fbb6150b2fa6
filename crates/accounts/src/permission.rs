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
    /// Having files and seeing them. Whoever has [`Permission::Files`] has it.
    FilesRead,
    /// Having and changing files.
    Files,
    /// Making links for people without an account.
    Share,
    /// Seeing and changing other people's accounts.
    AdminUsers,
    /// Seeing and changing storage servers and jobs.
    AdminNodes,
    /// Having a say over the account itself: its password, sessions, tokens, second factor. It is what a session has
    /// beyond what its account may do, and a token never: nobody can give it to an account or a token.
    Account,
}

impl Permission {
    /// All that an account or a token can have, in the order in which they are shown.
    pub const ALL: [Self; 5] = [Self::FilesRead, Self::Files, Self::Share, Self::AdminUsers, Self::AdminNodes];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FilesRead => "files.read",
            Self::Files => "files",
            Self::Share => "share",
            Self::AdminUsers => "admin.users",
            Self::AdminNodes => "admin.nodes",
            Self::Account => "account",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.as_str() == word)
    }
}

/// A set of permissions. One that has `files` has `files.read`, which is shown only where it stands alone.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Permissions(u8);

impl Permissions {
    /// These.
    pub fn of(permissions: impl IntoIterator<Item = Permission>) -> Self {
        let set = Self(permissions.into_iter().fold(0, |bits, permission| bits | 1 << permission as u8));
        if set.has(Permission::Files) { set.with(Permission::FilesRead) } else { set }
    }

    /// These and one more.
    #[must_use]
    pub fn with(self, permission: Permission) -> Self {
        Self(self.0 | 1 << permission as u8)
    }

    /// Exactly those that the words name; `None` if one is no permission that can be given.
    pub fn from_words<'a>(words: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let permissions: Option<Vec<_>> = words.into_iter().map(Permission::parse).collect();
        Some(Self::of(permissions?))
    }

    /// One that is in this set and not in the other, if there is any.
    pub fn beyond(self, other: Self) -> Option<Permission> {
        self.iter().find(|&permission| !other.has(permission))
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
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

    /// Those that are in one of the sets.
    #[must_use]
    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those that are in this set and not in the other.
    #[must_use]
    pub(crate) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Each one, in the order in which they are shown.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        let implied = move |permission| permission == Permission::FilesRead && self.has(Permission::Files);
        Permission::ALL.into_iter().filter(move |&permission| self.has(permission) && !implied(permission))
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
        write!(f, "[{self}{}]", if self.has(Permission::Account) { " account" } else { "" })
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
    /// The session that the access token belongs to; an API token stands under its own id.
    pub session: SessionId,
    /// What the account may do: what the token says and the database still does. A session has
    /// [`Permission::Account`] besides.
    pub permissions: Permissions,
    /// The account's personal space.
    pub space: SpaceId,
    /// That space's root folder.
    pub root: EntryId,
}

/// What somebody may do with an entry and all below it: each role holds those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// See names, read bytes, follow changes.
    Viewer = 1,
    /// Say something about it as well.
    Commenter = 2,
    /// Change names, places and bytes, move to the trash and back, make links.
    Editor = 3,
    /// Give roles to others, remove for good, and change settings.
    Manager = 4,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Commenter, Self::Editor, Self::Manager];

    /// The word for it, in requests and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Commenter => "commenter",
            Self::Editor => "editor",
            Self::Manager => "manager",
        }
    }

    /// Reads the form of [`Self::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// As it stands in the database.
    pub fn number(self) -> u32 {
        self as u32
    }

    /// Reads the form of [`Self::number`].
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.number() == number)
    }
}

/// What somebody wants to do with an entry or a space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// See names, read bytes, follow changes.
    Read,
    /// Change names, places and bytes, move to the trash and back, make links.
    Change,
    /// Give roles to others, remove for good, change settings.
    Manage,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Read, Self::Change, Self::Manage];

    /// The least role that may do it.
    pub fn needs(self) -> Role {
        match self {
            Self::Read => Role::Viewer,
            Self::Change => Role::Editor,
            Self::Manage => Role::Manager,
        }
    }
}

/// Whether the principal, who has `role` there, may do this. Every protocol asks here.
///
/// # Errors
/// [`Error::SpaceUnknown`] if they have none: whoever may not see a thing must not learn that it exists.
/// [`Error::PermissionMissing`] if they may not use files at all, [`Error::RoleTooLow`] if the role is for less.
pub fn may(principal: &Principal, action: Action, role: Option<Role>) -> Result<(), Error> {
    let role = role.ok_or(Error::SpaceUnknown)?;
    principal.needs(if action == Action::Read { Permission::FilesRead } else { Permission::Files })?;
    if role >= action.needs() { Ok(()) } else { Err(Error::RoleTooLow { has: role, needs: action.needs() }) }
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
    use super::*;

    #[test]
    fn words_are_a_contract_and_unknown_ones_give_nothing() {
        let all = Permissions::of(Permission::ALL);
        assert_eq!(all.to_string(), "files share admin.users admin.nodes");
        assert_eq!(Permissions::parse(&all.to_string()), all);
        assert_eq!(Permissions::parse("admin.nodes root files FILES").words(), ["files", "admin.nodes"]);
        assert_eq!(Permissions::parse("*"), Permissions::default());
        let json = serde_json::to_string(&all).expect("JSON");
        assert_eq!(json, r#"["files","share","admin.users","admin.nodes"]"#);
        let read: Permissions = serde_json::from_str(r#"["admin.users","everything"]"#).expect("a set");
        assert_eq!(read, Permissions::of([Permission::AdminUsers]));
        assert_eq!(all.and(read), read);
        // Nobody can be given a say over the account itself.
        assert_eq!(Permissions::parse("account files.read").words(), ["files.read"]);
        assert!(Permissions::from_words(["account"]).is_none() && Permissions::from_words(["files", "root"]).is_none());
    }

    #[test]
    fn changing_implies_reading() {
        let (files, read) = (Permissions::of([Permission::Files]), Permissions::of([Permission::FilesRead]));
        assert!(files.has(Permission::FilesRead) && !read.has(Permission::Files));
        assert_eq!((files.to_string(), read.to_string()), ("files".into(), "files.read".into()));
        assert_eq!((files.and(read), read.and(files)), (read, read));
        assert_eq!((read.beyond(files), files.beyond(read)), (None, Some(Permission::Files)));
        assert_eq!(Permissions::from_words(["files.read", "files"]), Some(files));
    }

    #[test]
    fn each_role_may_what_it_is_for() {
        let mut principal = Principal {
            account: AccountId::from_bytes([1; 16]),
            session: SessionId::from_bytes([2; 16]),
            permissions: Permissions::of([Permission::Files]),
            space: SpaceId::from_bytes([3; 16]),
            root: EntryId::from_bytes([4; 16]),
        };
        let told = |principal: &Principal, action, role| match may(principal, action, role) {
            Ok(()) => "yes",
            Err(error) => error.code(),
        };
        for (role, read, change, manage) in [
            // Not even administrators look into files.
            (None, "space-not-found", "space-not-found", "space-not-found"),
            (Some(Role::Viewer), "yes", "role-too-low", "role-too-low"),
            (Some(Role::Commenter), "yes", "role-too-low", "role-too-low"),
            (Some(Role::Editor), "yes", "yes", "role-too-low"),
            (Some(Role::Manager), "yes", "yes", "yes"),
        ] {
            assert_eq!(Action::ALL.map(|action| told(&principal, action, role)), [read, change, manage], "{role:?}");
        }
        principal.permissions = Permissions::of([Permission::AdminUsers, Permission::AdminNodes]);
        for action in Action::ALL {
            assert_eq!(told(&principal, action, None), "space-not-found");
            assert_eq!(told(&principal, action, Some(Role::Manager)), "permission-missing");
        }
        principal.permissions = Permissions::of([Permission::FilesRead]);
        let as_manager = Action::ALL.map(|action| told(&principal, action, Some(Role::Manager)));
        assert_eq!(as_manager, ["yes", "permission-missing", "permission-missing"]);
    }

    #[test]
    fn roles_are_a_contract() {
        let words: Vec<_> = Role::ALL.iter().map(|role| (role.as_str(), role.number())).collect();
        assert_eq!(words, [("viewer", 1), ("commenter", 2), ("editor", 3), ("manager", 4)]);
        for role in Role::ALL {
            assert_eq!((Role::parse(role.as_str()), Role::from_number(role.number())), (Some(role), Some(role)));
        }
        assert_eq!((Role::parse("owner"), Role::from_number(0)), (None, None));
    }
}
