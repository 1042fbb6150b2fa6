//! The real binary from outside: every test starts processes on loopback, in folders of their own.

mod api;
mod chaos;
mod clocks;
mod cluster;
mod config;
mod disk;
mod harness;
mod intruders;
mod load;
mod postgres;
mod power;
mod vanish;
