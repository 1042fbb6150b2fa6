//! The mathematics of redundancy: cutting a run of bytes into six parts, guarding them with parity, placing them on
//! nodes.
//!
//! This crate exists to enforce a rule (reason a): it is pure. No I/O, no async, no clock, no randomness; equal
//! arguments give equal answers on every machine, because what it computes (part lengths, parity bytes, manifests, the
//! nodes of a placement group) are contracts with data that is already on disks. Golden vectors in the tests hold them.
//!
//! - [`Layout`] and [`Plan`]: where each byte of an *extent* (a run of bytes that is cut in one go) lives
//! - [`Codec`]: Reed-Solomon parity, and the units that were lost
//! - [`Manifest`]: an extent's layout, length and parts, as a database row keeps them
//! - [`Placement`]: which nodes hold the parts of a placement group
//! - [`ResumableHash`]: BLAKE3 that survives a restart
//!
//! What it refuses to know: what a node is beyond its id, how bytes travel, what a file is.
//!
//! ```
//! use stripe::{Codec, Layout};
//!
//! let layout = Layout::new(2)?;
//! let bytes = vec![7; 1000];
//! let units = layout.cut(&bytes);
//! let lengths = layout.unit_lengths(bytes.len());
//!
//! let codec = Codec::new(6, 2)?;
//! let (mut p, mut q) = (vec![0; lengths[0]], vec![0; lengths[0]]);
//! codec.encode(&units, &mut [&mut p, &mut q])?;
//!
//! // The nodes of units 0 and 4 are gone.
//! let mut present: [Option<&[u8]>; 8] = [None; 8];
//! for kept in [1, 2, 3, 5] {
//!     present[kept] = Some(units[kept]);
//! }
//! (present[6], present[7]) = (Some(p.as_slice()), Some(q.as_slice()));
//! let mut lost = vec![0; lengths[4]];
//! codec.reconstruct(&lengths, &present, &mut [(4, &mut lost)])?;
//! assert_eq!(lost, units[4]);
//! # Ok::<(), stripe::Error>(())
//! ```

mod codec;
mod error;
mod field;
mod hash;
mod kernel;
mod layout;
mod manifest;
mod placement;
mod seal;

pub use codec::{Codec, kernel_name};
pub use error::Error;
pub use hash::ResumableHash;
pub use layout::{Code, Layout, Piece, Plan, UNIT_BYTES_MAX};
pub use manifest::{Manifest, PartPlace, PartState};
pub use placement::{Candidate, GROUPS, Placement, group, reassign};
