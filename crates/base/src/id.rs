//! Ids: one newtype per kind of thing, each a UUIDv7 with one text form.
//!
//! The text form is a short prefix, an underscore and 32 hexadecimal digits: `ent_0197f3c6b1d07c3a9d2e5f60718293a4`.
//! The prefix makes an id of the wrong kind an error at the door instead of a puzzling "not found" later.

use std::{
    fmt,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use crate::Clock;

/// The text is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id of the form {prefix}_ followed by 32 hexadecimal digits")]
pub struct ParseIdError {
    text: String,
    prefix: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl $name {
            /// What the text form begins with, before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// The id that these 16 bytes name.
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The id's 16 bytes, as they stand in databases, files and messages.
            pub fn to_bytes(self) -> [u8; 16] {
                *self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.as_simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                parse($prefix, text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// A person's account.
    AccountId = "usr";
    /// A signed-in session of an account.
    SessionId = "ses";
    /// A tree with its members, quota, trash and journal.
    SpaceId = "spc";
    /// A folder or file in the tree.
    EntryId = "ent";
    /// The bytes an entry had at a time.
    VersionId = "ver";
    /// Bytes as the store keeps them; several versions may share one content.
    ContentId = "cnt";
    /// A run of a content's bytes that was cut into parts in one go.
    ExtentId = "ext";
    /// One piece of an extent on a storage server.
    PartId = "prt";
    /// A storage server.
    NodeId = "nod";
    /// A resumable upload.
    UploadId = "upl";
    /// A unit of background work.
    JobId = "job";
    /// A link by which people without an account reach an entry.
    LinkId = "lnk";
    /// Something that happened through a link.
    LinkEventId = "lev";
    /// A role that somebody was given on an entry.
    GrantId = "grt";
    /// A group of accounts.
    GroupId = "grp";
    /// A tag of a space, which entries can have.
    TagId = "tag";
    /// A token or an S3 key of an account.
    KeyId = "key";
    /// A line of the audit log.
    AuditId = "aud";
    /// What a mailed link or an invitation stands for.
    TicketId = "tkt";
    /// A plan: limits that spaces are given.
    PlanId = "pln";
    /// Somebody's account at an identity provider, as it is linked to one here.
    IdentityId = "idn";
    /// A passkey of an account.
    PasskeyId = "psk";
}

fn parse(prefix: &'static str, text: &str) -> Result<Uuid, ParseIdError> {
    let digits = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_'));
    digits
        .filter(|digits| digits.len() == 32)
        .filter(|digits| digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
        .and_then(|digits| Uuid::try_parse(digits).ok())
        .ok_or_else(|| ParseIdError { text: text.chars().take(64).collect(), prefix })
}

impl ExtentId {
    /// The id of the extent's part `index`: the extent's id with its last byte replaced.
    ///
    /// An extent's own last byte is zero by construction ([`Ids::extent`]), so part ids of two extents never meet and
    /// a part names its extent without a look-up.
    pub fn part(self, index: u8) -> PartId {
        let mut bytes = self.to_bytes();
        bytes[15] = index;
        PartId::from_bytes(bytes)
    }
}

impl PartId {
    /// The extent that this part is a piece of.
    pub fn extent(self) -> ExtentId {
        let mut bytes = self.to_bytes();
        bytes[15] = 0;
        ExtentId::from_bytes(bytes)
    }

    /// The part's index in its extent: data parts first, then parity.
    pub fn index(self) -> u8 {
        self.to_bytes()[15]
    }
}

/// Makes new ids: UUIDv7 (RFC 9562) from a clock and a seeded generator.
///
/// Cheap to clone; clones draw from one sequence. Ids are unique, not secret: tokens come from the operating system's
/// generator instead.
#[derive(Clone)]
pub struct Ids {
    clock: Arc<dyn Clock>,
    state: Arc<AtomicU64>,
    salt: u64,
}

impl Ids {
    /// `seed` is 16 random bytes, drawn once per process; equal seeds and clocks give equal ids, as simulations want.
    pub fn new(clock: Arc<dyn Clock>, seed: u128) -> Self {
        Self { clock, state: Arc::new(AtomicU64::new(seed as u64)), salt: (seed >> 64) as u64 }
    }

    fn uuid(&self) -> Uuid {
        // The increment and the finaliser are those of splitmix64 (Steele, Lea, Flood 2014): every state is visited
        // once, so one process never draws the same 64 bits twice.
        let state = self.state.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let low = mix(state);
        let high = mix(low ^ self.salt);
        let mut random = [0; 10];
        random[..8].copy_from_slice(&low.to_le_bytes());
        random[8..].copy_from_slice(&high.to_le_bytes()[..2]);
        let millis = self.clock.now().as_micros().max(0) as u64 / 1000;
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }

    /// A new extent id; its last byte is zero, which leaves room for the index of its parts.
    pub fn extent(&self) -> ExtentId {
        let mut bytes = *self.uuid().as_bytes();
        bytes[15] = 0;
        ExtentId::from_bytes(bytes)
    }
}

macro_rules! makers {
    ($($method:ident -> $name:ident;)*) => {
        impl Ids {$(
            /// A new id of this kind.
            pub fn $method(&self) -> $name {
                $name(self.uuid())
            }
        )*}
    };
}

makers! {
    account -> AccountId;
    session -> SessionId;
    space -> SpaceId;
    entry -> EntryId;
    version -> VersionId;
    content -> ContentId;
    node -> NodeId;
    upload -> UploadId;
    job -> JobId;
    link -> LinkId;
    link_event -> LinkEventId;
    grant -> GrantId;
    group -> GroupId;
    tag -> TagId;
    key -> KeyId;
    audit -> AuditId;
    ticket -> TicketId;
    plan -> PlanId;
    identity -> IdentityId;
    passkey -> PasskeyId;
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, time::Duration};

    use super::*;
    use crate::Time;

    struct Fixed;

    impl Clock for Fixed {
        fn now(&self) -> Time {
            Time::from_micros(1_700_000_000_000_000)
        }

        fn elapsed(&self) -> Duration {
            Duration::ZERO
        }
    }

    #[test]
    fn text_form_round_trips_and_other_kinds_are_refused() {
        let ids = Ids::new(Arc::new(Fixed), 7);
        let entry = ids.entry();
        assert_eq!(entry.to_string().parse(), Ok(entry));
        assert!(entry.to_string().parse::<SpaceId>().is_err());
        for bad in
            ["", "ent", "ent_", "ent_0", "ENT_00000000000000000000000000000000", "ent_g0000000000000000000000000000000"]
        {
            assert!(bad.parse::<EntryId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn ids_do_not_repeat() {
        let ids = Ids::new(Arc::new(Fixed), 42);
        let drawn: HashSet<_> = (0..100_000).map(|_| ids.entry()).collect();
        assert_eq!(drawn.len(), 100_000);
    }

    #[test]
    fn parts_name_their_extent() {
        let extent = Ids::new(Arc::new(Fixed), 1).extent();
        for index in [0, 1, 5, 8, 255] {
            let part = extent.part(index);
            assert_eq!((part.extent(), part.index()), (extent, index));
        }
    }
}
