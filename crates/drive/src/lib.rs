//! The drive: folders, files, versions and uploads of the spaces that people own.
//!
//! This crate exists to enforce a rule (reason a): it knows neither conversations nor any web protocol. What it promises:
//!
//! - **One unit of work per change.** It locks the space's row first, so changes of one space happen one after another:
//!   two moves never make a cycle, two creates never share a name, and the bytes in use are exact at every commit. What
//!   a change does, its journal row and the jobs that follow from it are committed together or not at all.
//! - **Nothing half.** Bytes that were not committed are invisible and are cleaned away: at once where this process
//!   lives to do it, else by the intent rows of the store and the expiry of uploads.
//! - **A removed tree is gone at once**, through every id, however large it is: the rest is taken apart by a job, and
//!   until that is done an id counts only if its folders lead up to the root.
//! - **The trash is a place.** What is in it has left its folder, can be read and cannot be changed, and counts in the
//!   space until it is removed for good.
//! - `used_bytes` of a space is the sum of the sizes of all its versions, always.
//!
//! Lock order in every unit of work: a plan's row where one is given or changed, the rows of spaces in the order of their ids,
//! then everything else.
//!
//! - [`Drive`]: the handle; look-ups and changes of the tree, [`Drive::put`], [`Drive::open`]
//! - [`Upload`]: interrupted uploads ([`Drive::create_upload`], [`Drive::append`], …), the machine below tus and others
//! - [`Links`]: ways for people without an account to reach an entry, and nothing beside it
//! - [`Admin`]: plans, and spaces and uploads in the hands of administrators, who see sizes and no names of files
//! - [`Archive`]: a selection as one stream of known length
//! - [`jobs`]: the background work that this crate owns
//! - [`Entry`], [`Space`]: what callers see

mod admin;
mod archive;
mod bulk;
mod changes;
mod copy;
mod crossing;
mod describe;
mod dissolve;
mod drive;
mod entry;
mod error;
mod expire;
mod extras;
mod given;
mod growing;
mod guard;
mod hashing;
mod history;
mod inverse;
mod links;
mod path;
mod personal;
mod place;
mod purge;
mod put;
mod read;
mod rehash;
mod repeat;
mod retention;
mod rights;
mod seen;
mod sharing;
mod snapshot;
mod space;
mod tags;
mod transfer;
mod trash;
mod tree;
mod undo;
mod upload;
mod usage;
mod versions;
mod work;

pub use admin::{
    Admin, Assigned, Assignment, By, Effect, Holder, InFlight, Limits, NewPlan, Overseen, Plan, PlanChange, PlanUpdate,
    PlanUse, SpacesOrder, SpacesWanted,
};
pub use archive::{Archive, Format};
pub use bulk::{BULK_MAX, Do, Item, ItemDone};
pub use changes::{HIDDEN, arrived};
pub use copy::Copy;
pub use dissolve::Files;
pub use drive::{Actor, Drive, Options, Page};
pub use entry::{Entry, FileInfo, IfMatch, Kind, OnConflict, Total};
pub use error::{BodyError, Error};
pub use extras::{Details, Extras, Property};
pub use history::{Activity, Wanted};
pub use links::{
    Counted, Event, EventKind, Link, LinkUpdate, Links, Mode, NewLink, Opened, Presented, Target as LinkTarget,
    Unlocked, Visit,
};
pub use personal::{Did, RECENT_MAX, Recent};
pub use put::{Body, Put, Stored, Target};
pub use read::{File, PartsView};
pub use repeat::Done;
pub use retention::{Keep, Keeping};
pub use rights::Access;
pub use sharing::{Grant, NewGrant, Shared, SharedPage, Shown, Subject};
pub use snapshot::{Reading, SnapshotPage};
pub use space::Space;
pub use tags::{Colour, Count, TAGGED_TOGETHER_MAX, Tag, TagUpdate};
pub use transfer::{How, Merged, OnFile, Outcome, Rule, Transfer, Transferred};
pub use trash::{Emptying, Restore, Trashed};
pub use tree::{Listing, NewFolder, Update};
pub use undo::{Undone, Which};
pub use upload::{Algorithm, Append, Checksum, Finish, NewUpload, Upload, UploadKind, UploadState};
pub use usage::{Meter, Shortage, Usage};
pub use versions::{Label, Version};

/// The queued and recurring work of this crate, for the worker role to run.
pub mod jobs {
    /// Kinds of jobs that may be left undone: to empty a trash, and to hash a file that came in parts. What takes removed things
    /// apart is not among them: it would never be done.
    pub const CANCELLABLE: [&str; 2] = [crate::trash::KIND, crate::rehash::KIND];

    pub use crate::{
        dissolve::DissolveHandler, expire::Expirer, purge::PurgeHandler, rehash::HashHandler, retention::Retention,
        trash::EmptyHandler,
    };
}
