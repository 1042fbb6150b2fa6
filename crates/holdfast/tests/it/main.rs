//! The real binary from outside: every test starts processes on loopback, in folders of their own.

mod api;
mod chaos;
mod client;
mod cluster;
mod config;
mod deploy;
mod harness;
mod traces;
