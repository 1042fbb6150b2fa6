//! The contract over the wire, and what happens when the wire or the other side fails.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod cluster;
mod faults;
mod map;
mod proxy;
mod secrets;
mod small;
mod suite;
mod trace;
