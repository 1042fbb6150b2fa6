//! testkit
pub mod database;
