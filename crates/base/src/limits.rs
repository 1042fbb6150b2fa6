//! Every bound of the system in one place, with what happens when it is reached.
//!
//! A bound that an operator may want to change is an option of the component that enforces it, with its default here.

use std::time::Duration;

/// Data parts of a file. Requirement C2 fixes it; the manifest still names it, so readers never assume it.
pub const DATA_PARTS: usize = 6;

/// Parity parts at most; more is refused by configuration checks.
pub const PARITY_PARTS_MAX: usize = 3;

/// Bytes of one part in one full stripe.
pub const UNIT_BYTES: usize = 1 << 20;

/// Bytes of UTF-8 in a name, after NFC. Longer is refused with `name-too-long`.
pub const NAME_BYTES_MAX: usize = 255;

/// Folders between a space's root and an entry. A deeper create or move is refused with `too-deep`.
pub const DEPTH_MAX: usize = 128;

/// Entries on one page of a listing; a larger `limit` is lowered to this.
pub const PAGE_ENTRIES_MAX: u32 = 1000;

/// Bytes of one file. Larger is refused with `file-too-large` before or while bytes flow.
pub const FILE_BYTES_MAX: u64 = 1 << 40;

/// Parts at most this long go to segment files on a node; longer ones are a file each.
pub const SMALL_PART_BYTES_MAX: usize = 256 << 10;

/// Bytes that one checksum on a node's disk covers.
pub const CHECKSUM_BLOCK_BYTES: usize = 64 << 10;

/// Requests that one sync of a segment, or one commit of the database, carries at most.
pub const GROUP_COMMIT_MAX: usize = 128;

/// Payload bytes that one sync of a segment carries at most.
pub const GROUP_COMMIT_BYTES_MAX: usize = 4 << 20;

/// Payload bytes in flight in one process (bodies on their way to or from nodes). A transfer waits for its share, and
/// is refused with `busy` after [`BUDGET_WAIT`].
pub const IN_FLIGHT_BYTES: usize = 256 << 20;

/// How long a transfer waits for its share of [`IN_FLIGHT_BYTES`].
pub const BUDGET_WAIT: Duration = Duration::from_secs(10);

/// Bytes of one extent of a resumable upload: what a crash of the gateway can cost at most. A multiple of the stripe.
pub const CHECKPOINT_BYTES: u64 = 42 * (DATA_PARTS * UNIT_BYTES) as u64;

/// Extents of one content. An upload that would need more is refused with `too-many-extents`.
pub const EXTENTS_MAX: u32 = 20_000;

/// Rows of a journal page.
pub const CHANGES_MAX: u32 = 1000;

/// Bytes of a JSON request body.
pub const JSON_BYTES_MAX: usize = 64 << 10;

/// Bytes of one that lists up to a thousand things to do.
pub const LONG_JSON_BYTES_MAX: usize = 1 << 20;

/// Bytes of somebody's picture.
pub const PICTURE_BYTES_MAX: usize = 256 << 10;

/// A node that was not heard of for this long is taken for down.
pub const NODE_SILENCE: Duration = Duration::from_secs(10);

/// Bytes of a message between gateway and node.
pub const MESSAGE_BYTES_MAX: usize = 8 << 20;
