//! What tests share: a clock that is set by hand, an authenticator for passkeys, a database of their own, Redis, suites for every implementation of a contract,
//! and a simulator for the storage promise.
//!
//! Reason to exist (c): development only. It appears under dev-dependencies, and in `tests/it` alone, since unit tests
//! that pull it in would meet a second copy of their own crate's types.

pub mod authenticator;
pub mod clock;
pub mod database;
pub mod parts_suite;
pub mod redis;
pub mod sim;
