//! The storage promise, on storage servers and machines that fail.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod chaos;
mod check;
mod ledger;
mod nemesis;
mod ranges;
mod refusals;
mod scenarios;
mod sim;
mod world;
