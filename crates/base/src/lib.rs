//! Value types that every part of Holdfast shares: ids, times, names, sizes, limits, error kinds.
//!
//! This crate exists to enforce a rule (reason a): nothing in it does I/O, is asynchronous, reads a clock or draws a
//! random number. What it needs of the world arrives as an argument.
//!
//! - [`id`]: one newtype per kind of thing, each with one text form
//! - [`Time`] and [`Clock`]: microseconds since 1970 UTC, and the handle that components read time from
//! - [`Ids`]: makes new ids from a clock and a seed
//! - [`Name`]: what an entry of the tree may be called
//! - [`ByteSize`]: a number of bytes as people write it
//! - [`ErrorKind`]: the closed list of what can go wrong, as a caller sees it
//! - [`limits`]: every bound in one place
//! - [`Secret`]: text that does not print itself

pub mod id;
pub mod limits;

mod error;
mod name;
mod secret;
mod size;
mod time;

pub use error::ErrorKind;
pub use id::{
    AccountId, AuditId, ContentId, EntryId, ExtentId, GrantId, GroupId, IdentityId, Ids, JobId, KeyId, LinkEventId,
    LinkId, NodeId, ParseIdError, PartId, PasskeyId, PlanId, SessionId, SpaceId, TagId, TicketId, UploadId, VersionId,
};
pub use name::{Name, NameError};
pub use secret::Secret;
pub use size::{ByteSize, ParseByteSizeError};
pub use time::{Clock, ParseTimeError, Time};
