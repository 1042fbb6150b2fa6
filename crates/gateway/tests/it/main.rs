//! The gateway over a real drive, real accounts, a real database and six real nodes.

mod accounts;
mod admin;
mod archives;
mod downloads;
mod extras;
mod links;
mod pages;
mod tree;
mod tus;
mod uploads;
mod wire;
mod world;
