//! What quotelock knows of prices: locks, plans, tables of rows and who is fetching which.
//!
//! Plain Rust that knows no server and no clock: the time is an argument, in milliseconds since 1970.
#![forbid(unsafe_code)]

pub mod batch;
pub mod json;
pub mod lock;
pub mod plan;
mod short;
pub mod single_flight;
pub mod table;
pub mod timestamp;

/// Random numbers that no client can know; a hash map with such a seed can't be flooded.
pub type Seed = [u64; 4];
