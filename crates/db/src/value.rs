//! Parameters of statements.

use base::{
    AccountId, AuditId, ContentId, EntryId, ExtentId, GrantId, GroupId, IdentityId, JobId, KeyId, LinkEventId, LinkId,
    Name, NodeId, PartId, PasskeyId, PlanId, SessionId, SpaceId, TagId, TicketId, Time, UploadId, VersionId,
};
use uuid::Uuid;

use crate::Error;

/// A parameter of a statement: borrowed from the caller, so that binding copies nothing but what the driver copies.
///
/// Nearly everything turns into one with `From`; see [`params!`](crate::params).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// No value.
    Null,
    /// Truth: `INTEGER` 0 or 1 on SQLite, `boolean` on PostgreSQL.
    Bool(bool),
    /// A number, or a [`Time`] in microseconds.
    I64(i64),
    /// A number of bytes or things. Neither engine has unsigned numbers: above `i64::MAX` the statement is refused with
    /// [`Error::Shape`].
    U64(u64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
    /// An id: 16 bytes on SQLite, `uuid` on PostgreSQL.
    Uuid(Uuid),
}

impl Value<'_> {
    /// Refuses what neither engine can hold.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self {
            Self::U64(number) if i64::try_from(*number).is_err() => {
                Err(Error::Shape(format!("{number} does not fit a column")))
            }
            _ => Ok(()),
        }
    }
}

/// The parameters of a statement as an array of [`Value`]: `&params![space, parent, name.as_str(), None::<i64>]`.
#[macro_export]
macro_rules! params {
    () => { [$crate::Value::Null; 0] };
    ($($value:expr),+ $(,)?) => { [$($crate::Value::from($value)),+] };
}

macro_rules! from {
    ($($type:ty, $value:ident => $made:expr;)*) => {$(
        impl<'a> From<$type> for Value<'a> {
            fn from($value: $type) -> Self {
                $made
            }
        }
    )*};
}

from! {
    bool, value => Self::Bool(value);
    i64, value => Self::I64(value);
    i32, value => Self::I64(value.into());
    u8, value => Self::I64(value.into());
    u16, value => Self::I64(value.into());
    u32, value => Self::I64(value.into());
    u64, value => Self::U64(value);
    Time, value => Self::I64(value.as_micros());
    &'a str, value => Self::Text(value);
    &'a String, value => Self::Text(value);
    &'a Name, value => Self::Text(value.as_str());
    &'a [u8], value => Self::Blob(value);
    &'a Vec<u8>, value => Self::Blob(value);
    &'a bytes::Bytes, value => Self::Blob(value);
    Uuid, value => Self::Uuid(value);
}

impl<'a, const N: usize> From<&'a [u8; N]> for Value<'a> {
    fn from(value: &'a [u8; N]) -> Self {
        Self::Blob(value)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

macro_rules! from_ids {
    ($($id:ident)*) => {$(
        impl From<$id> for Value<'_> {
            fn from(id: $id) -> Self {
                Self::Uuid(id.0)
            }
        }

        impl From<&$id> for Value<'_> {
            fn from(id: &$id) -> Self {
                Self::Uuid(id.0)
            }
        }
    )*};
}

from_ids! { AccountId SessionId SpaceId EntryId VersionId ContentId ExtentId PartId NodeId UploadId JobId LinkId LinkEventId GrantId GroupId TagId KeyId
AuditId TicketId PlanId IdentityId PasskeyId }
