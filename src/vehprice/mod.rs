//! The price table: vehicle id to row, each row a few fields with its own expiry.
//!
//! Plain Rust: it knows no server and no clock; the time is an argument, in milliseconds since 1970.

pub mod bounds;
pub mod codec;
mod group;
mod json;
mod memory;
mod page;
pub mod refill;
mod row;
mod shape;
mod table;
mod write;

pub use group::{Group, groups};
pub use json::{Json, TooLong};
pub use memory::Mover;
pub use refill::TableKey;
pub use row::{Expiry, Row, Values};
pub use shape::Shape;
pub use table::{IdHash, Seed, Spot, Table};
pub use write::{Condition, NewExpiry, Rules, Writer, Written};

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "a test may fail")]
mod tests;
