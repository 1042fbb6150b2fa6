//! The drive over real databases and six real nodes.

mod archives;
mod bulk;
mod crossing;
mod early;
mod extras;
mod grants;
mod journal;
mod links;
mod personal;
mod plans;
mod properties;
mod put;
mod races;
mod remove;
mod reservations;
mod sharing;
mod totals;
mod trash;
mod tree;
mod undo;
mod uploads;
mod uploads_end;
mod versions;
mod world;
