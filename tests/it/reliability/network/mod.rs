//! What comes between machines: cuts, half-open connections, delay and loss, and the death of a whole machine.
//!
//! Each machine is a network namespace, so these take root.

mod cluster;
mod half_open;
mod machines;
mod partitions;
mod switch;
mod watched;
mod weather;
mod writers;
