//! quotelock: a Redis module that holds each user's price lock, tables of vehicle prices, and the switch between old and new
//! pricing.
//!
//! The domain ([`quotelock`], [`vehprice`], [`priceplan`], [`moment`]) is plain Rust that knows no server and no clock. [`command`]
//! parses, acts and replies. [`server`] is the only door to the server, and holds the only unsafe code. `ARCHITECTURE.md` is the
//! map.

pub mod command;
pub mod moment;
pub mod priceplan;
pub mod quotelock;
#[allow(unsafe_code, reason = "the door to the server")]
pub mod server;
pub mod vehprice;

/// What the module is.
pub static MODULE: server::Module = server::Module {
    name: env!("CARGO_PKG_NAME"),
    version: env!("CARGO_PKG_VERSION"),
    category: "quotelock",
    commands: command::TABLE,
    settings: command::SETTINGS,
    counters: command::COUNTERS,
    on_event: command::on_event,
    on_alarm: command::on_alarm,
};
