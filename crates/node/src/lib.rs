//! A storage server's disk: keeps parts, checks them, gives them back.
//!
//! Reason to exist (a, c): it runs alone. It knows parts, never files, users or a database, and speaks no protocol;
//! `proto` puts it behind gRPC, or a gateway calls it in its own process. [`Node`] is the handle and implements
//! [`proto::Parts`].
//!
//! What it promises:
//!
//! - **Acknowledged is durable.** A put or delete that returned `Ok` survives `kill -9` and power loss, bytes and name.
//!   Small parts share syncs (group commit); nothing ever waits for a commit to fill.
//! - **Never wrong bytes.** Every byte was checked against a checksum that is bound to its part and place before it is
//!   given out. Damage is an error, is counted, and is never silently skipped.
//! - **Everything can be rebuilt.** The index in memory, and the hint files that make a start quick, are caches of what
//!   the segments and part files say about themselves.
//! - **Bounds.** Memory is about 64 bytes a part ([`Options::parts_max`]) and a few MiB for every transfer; a disk that
//!   is full, or failed a write, refuses puts and goes on serving reads.
//!
//! The forms on disk are described where they are read and written: layout and marker in `folder.rs`,
//! segments in `record.rs`, part files in `trailer.rs`, hints in `hint.rs`. All carry a version. Decision record:
//! `docs/adr/2026-11-21-node-index.md`.

mod active;
mod checksum;
mod compact;
mod disk;
mod error;
mod folder;
mod hint;
mod index;
mod large;
mod load;
mod node;
mod options;
mod pool;
mod record;
mod scan;
mod shared;
mod small;
mod stats;
#[cfg(test)]
mod testing;
mod trailer;
mod writer;

pub use compact::Compacted;
pub use error::Error;
pub use node::Node;
pub use options::{Faults, Options, Step};
pub use stats::Stats;
