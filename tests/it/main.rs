//! Tests of the module inside real servers: one file a concern, all on the one harness.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "a test that panics has failed, which is what it is for"
)]

mod harness;

mod access;
mod clients;
mod cluster;
mod commands;
mod errors;
mod figures;
mod hermes;
mod hints;
mod introspection;
mod load;
mod memory;
mod pages;
mod persistence;
mod priceplan;
mod races;
mod reliability;
mod replication;
mod scripting;
mod settings;
mod vehprice;
