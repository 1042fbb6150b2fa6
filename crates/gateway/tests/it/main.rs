//! The gateway over a real drive, real accounts, a real database and six real nodes.

mod accounts;
mod admin;
mod archives;
mod downloads;
mod extras;
mod keys;
mod links;
mod listings;
mod pages;
mod people;
mod pictures;
mod presigned;
mod second_factor;
mod tree;
mod tus;
mod uploads;
mod wire;
mod world;
