//! The edge: HTTP in front of accounts and drive.
//!
//! This crate exists to contain the HTTP stack (reason b), and is the only place that knows web protocols. It promises:
//!
//! - **Nothing is collected that could be large.** Files stream both ways with back pressure; everything else has a bound.
//! - **No answer is quietly short.** What fails before the first byte becomes a problem document with a stable code; what
//!   fails after it cuts the connection.
//! - **Nothing of a client's gets into a header or a log unescaped**: no names of files, no tokens.
//!
//! It refuses to know SQL and business rules. The protocol modules `rest` and `tus` never import each other; what both
//! need is in the modules beside them.
//!
//! - [`router()`] builds everything that is served from [`State`] and [`Options`]
//! - [`serve()`] is the accept loop for it
//! - [`CODES`]: the codes of refusals that are the gateway's own; `docs/errors.md` explains all codes

mod auth;
mod body;
mod conditions;
mod cors;
mod digest;
mod disposition;
mod docs;
mod download;
mod edge;
mod error;
mod extract;
mod frames;
mod health;
mod limits;
mod listings;
mod live;
mod meter;
mod openapi;
mod ranges;
mod rest;
mod serve;
mod socket;
mod state;
mod trace;
mod tus;
mod unread;
mod visitor;
mod web;

pub use cors::Origins;
pub use error::CODES;
pub use limits::{Network, ParseNetworkError};
pub use listings::SharedListings;
pub use serve::{ServeOptions, serve};
pub use state::{Options, State, Watch, router};
pub use trace::{OnSpan, Parent, Trace};
