//! The journal of a space: the one way in which a change becomes known.
//!
//! This crate exists to enforce a rule (reason a): every committed change of a space is a row here, written in the same
//! transaction as the change itself, and everything that follows from changes reads these rows with a cursor of its own.
//!
//! - **Gapless.** The numbers of a space are 1, 2, 3, … without a hole and in the order of the commits. [`append`] raises
//!   the number in the space's row, whose lock it keeps until the commit; a unit of work that fails gives its number back.
//! - **Never half.** A [`Cursor`] names an epoch and a number. A reader whose cursor cannot be continued is told so
//!   ([`Error::CursorGone`]) and begins anew; it is never given a page with something missing.
//! - **Forward compatible.** A row may be of a kind that a newer version wrote: [`Item::kind`] is then text that
//!   [`Kind::parse`] does not know, and paging goes on.

mod cursor;
mod error;
mod read;
mod write;

pub use cursor::{Cursor, ParseCursorError};
pub use error::Error;
pub use read::{Item, Journal, Page};
pub use write::{Change, Kind, Turn, append, record};
