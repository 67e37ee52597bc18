//! quotelock: a Redis module that holds each user's price lock atomically.

pub mod moment;
pub mod quotelock;
