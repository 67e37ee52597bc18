//! The price table: vehicle id to row, each row a few fields with its own expiry.
//!
//! Plain Rust: it knows no server and no clock; the time is an argument, in milliseconds since 1970.

mod page;
mod row;
mod shape;
mod table;

pub use row::{Expiry, Row, Values};
pub use shape::Shape;
pub use table::{Seed, Table};

/// JSON text on its way out.
pub type Json = Vec<u8>;

#[cfg(test)]
mod tests;
