//! The real binary from outside: every test starts processes on loopback, in folders of their own.

mod api;
mod batch;
mod chaos;
mod client;
mod clocks;
mod cluster;
mod config;
mod converge;
mod demo;
mod deploy;
mod disk;
mod harness;
mod intruders;
mod links;
mod live;
mod load;
mod mail;
mod postgres;
mod power;
mod redis;
mod repeats;
mod sharing;
mod sign_in;
mod traces;
mod vanish;
mod web;
