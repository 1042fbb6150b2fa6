//! Durable jobs and the workers that do them.
//!
//! This crate exists to contain a heavy dependency (reason b): the broker clients that will come to it. What it has today
//! needs only the database.
//!
//! **Jobs** are rows, inserted by [`enqueue`] in the same transaction as the change that asks for them, so a change and
//! its consequences are committed together or not at all. [`Jobs`] leases them. What holds for a job:
//!
//! - It is done *at least* once. A worker that dies loses its lease when the time is up, and another one begins again;
//!   handlers are therefore idempotent.
//! - A lease has a generation. A worker that was thought dead and comes back cannot finish, renew or give back what is
//!   somebody else's by now ([`Error::LeaseLost`]).
//! - Of two requests with one deduplication key one job remains, and no request is lost: one that comes while the job is
//!   being worked on makes it run once more.
//! - A failed attempt is repeated with exponential back-off and jitter; after [`Options::attempts_max`] the job is dead:
//!   it stays visible, and an administrator can bring it back.
//!
//! Leases are timed with the wall clock of whoever asks. A clock that is ahead, or jumps, makes a job run twice at once
//! or later than it should; it never loses one.
//!
//! **Workers** are recurring tasks: [`Worker`] says how to do one unit and how to wait for the next, [`Runner`] brings
//! back-off, rest, panics, metrics and shutdown. [`JobWorker`] is the worker that leases jobs and gives them to a
//! [`Handler`].

mod error;
mod handler;
mod jobs;
mod runner;

pub use error::Error;
pub use handler::{Handler, HandlerError, JobWorker};
pub use jobs::{JobState, JobView, Jobs, Leased, NewJob, Options, Queue, Running, Tally, Unit, enqueue, find};
pub use runner::{Pace, Progress, QueueGauges, Runner, WorkError, Worker};
