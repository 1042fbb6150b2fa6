//! testkit
pub mod clock;
pub mod database;
pub mod parts_suite;
