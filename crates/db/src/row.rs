//! Rows of results: how one reader serves both engines.

use base::{
    AccountId, AuditId, ContentId, EntryId, ExtentId, GrantId, GroupId, IdentityId, JobId, KeyId, LinkEventId, LinkId,
    NodeId, PartId, PasskeyId, PlanId, SessionId, SpaceId, TagId, TicketId, Time, UploadId, VersionId,
};
use uuid::Uuid;

use crate::{Error, lite, pg};

/// Something that a row of a result turns into. Tuples of up to twelve values are rows; records read their columns by
/// position:
///
/// ```
/// # use db::{Error, Row, RowReader};
/// struct Folder { id: base::EntryId, name: String, removed: Option<base::Time> }
///
/// impl Row for Folder {
///     fn read(row: &RowReader<'_>) -> Result<Self, Error> {
///         Ok(Self { id: row.get(0)?, name: row.get(1)?, removed: row.get(2)? })
///     }
/// }
/// ```
pub trait Row: Sized {
    /// Reads the columns.
    ///
    /// # Errors
    /// [`Error::Shape`] if a column is not there or holds something else.
    fn read(row: &RowReader<'_>) -> Result<Self, Error>;
}

/// One row while it is read.
pub struct RowReader<'a>(pub(crate) Source<'a>);

pub(crate) enum Source<'a> {
    Lite(&'a rusqlite::Row<'a>),
    Pg(&'a tokio_postgres::Row),
}

impl RowReader<'_> {
    /// The value of column `index`, from 0.
    ///
    /// # Errors
    /// [`Error::Shape`] if there is no such column, or its value is not a `T`.
    pub fn get<T: FromValue>(&self, index: usize) -> Result<T, Error> {
        let cell = match &self.0 {
            Source::Lite(row) => lite::cell(row, index)?,
            Source::Pg(row) => pg::cell(row, index)?,
        };
        let found = cell.kind();
        T::from_cell(cell)
            .ok_or_else(|| Error::Shape(format!("column {index} holds {found}, not {}", std::any::type_name::<T>())))
    }
}

/// A value of a row as the engine holds it.
#[derive(Debug, Clone, Copy)]
pub enum Cell<'a> {
    /// No value.
    Null,
    /// Truth; only PostgreSQL tells it from a number.
    Bool(bool),
    /// A whole number.
    I64(i64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
    /// An id; SQLite holds it as a blob of 16 bytes.
    Uuid(Uuid),
}

impl Cell<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a truth value",
            Self::I64(_) => "a number",
            Self::Text(_) => "text",
            Self::Blob(_) => "bytes",
            Self::Uuid(_) => "an id",
        }
    }
}

/// A type that a column's value turns into.
pub trait FromValue: Sized {
    /// The value, or `None` if the cell holds something else.
    fn from_cell(cell: Cell<'_>) -> Option<Self>;
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Null => Some(None),
            cell => T::from_cell(cell).map(Some),
        }
    }
}

impl FromValue for bool {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Bool(value) => Some(value),
            Cell::I64(0) => Some(false),
            Cell::I64(1) => Some(true),
            _ => None,
        }
    }
}

impl FromValue for i64 {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::I64(value) => Some(value),
            _ => None,
        }
    }
}

macro_rules! narrower {
    ($($type:ty)*) => {$(
        impl FromValue for $type {
            fn from_cell(cell: Cell<'_>) -> Option<Self> {
                i64::from_cell(cell)?.try_into().ok()
            }
        }
    )*};
}

narrower! { i32 u8 u16 u32 u64 }

impl FromValue for Time {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        i64::from_cell(cell).map(Self::from_micros)
    }
}

impl FromValue for String {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Text(value) => Some(value.to_owned()),
            _ => None,
        }
    }
}

impl FromValue for Vec<u8> {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Blob(value) => Some(value.to_owned()),
            _ => None,
        }
    }
}

impl<const N: usize> FromValue for [u8; N] {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Blob(value) => value.try_into().ok(),
            _ => None,
        }
    }
}

impl FromValue for Uuid {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Uuid(value) => Some(value),
            Cell::Blob(value) => Self::from_slice(value).ok(),
            _ => None,
        }
    }
}

macro_rules! ids {
    ($($id:ident)*) => {$(
        impl FromValue for $id {
            fn from_cell(cell: Cell<'_>) -> Option<Self> {
                Uuid::from_cell(cell).map(Self)
            }
        }
    )*};
}

ids! { AccountId SessionId SpaceId EntryId VersionId ContentId ExtentId PartId NodeId UploadId JobId LinkId LinkEventId GrantId GroupId TagId KeyId
AuditId TicketId PlanId IdentityId PasskeyId }

macro_rules! tuples {
    ($($($name:ident $index:tt)+;)*) => {$(
        impl<$($name: FromValue),+> Row for ($($name,)+) {
            fn read(row: &RowReader<'_>) -> Result<Self, Error> {
                Ok(($(row.get::<$name>($index)?,)+))
            }
        }
    )*};
}

tuples! {
    A 0;
    A 0 B 1;
    A 0 B 1 C 2;
    A 0 B 1 C 2 D 3;
    A 0 B 1 C 2 D 3 E 4;
    A 0 B 1 C 2 D 3 E 4 F 5;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11;
}
