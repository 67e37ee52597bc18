//! Tests of the module inside real servers: one file a concern, all on the one harness.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]

mod harness;

mod access;
mod client_programs;
mod clients;
mod cluster;
mod commands;
mod cost;
mod deny;
mod errors;
mod guide;
mod hermes;
mod hints;
mod introspection;
mod kubernetes;
mod load;
mod loadmodule;
mod meddling;
mod memory;
mod monitoring;
mod pages;
mod panics;
mod parts;
mod persistence;
mod piped;
mod priceplan;
mod quickstart;
mod races;
mod reliability;
mod replication;
mod reply_limit;
mod scripting;
mod settings;
mod tutorial;
mod vehprice;
mod version;
