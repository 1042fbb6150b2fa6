//! The real binary from outside: every test starts processes on loopback, in folders of their own.

mod api;
mod chaos;
mod cluster;
mod config;
mod harness;
