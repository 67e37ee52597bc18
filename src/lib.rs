//! quotelock: a Redis module that holds each user's price lock, tables of vehicle prices, and the switch
//! between old and new pricing.
//!
//! Here are the commands, one folder per family and one file per command: each parses its arguments, acts,
//! and replies. What they decide is in `quotelock-core`, which knows no server; `quotelock-server` is the
//! door to the server, and has all unsafe code. `ARCHITECTURE.md` is the map.

pub mod args;
mod counters;
mod data_type;
pub mod error;
#[cfg(test)]
mod pages;
mod priceplan;
mod quotelock;
mod reply;
mod settings;
mod vehprice;

use quotelock_server::{Arg, CommandEntry, Module, TypeEntry};

quotelock_server::export_module!(&MODULE);

/// What the server is told of the module.
static MODULE: Module = Module {
    name: env!("CARGO_PKG_NAME"),
    version: env!("CARGO_PKG_VERSION"),
    category: "quotelock",
    commands: COMMANDS,
    data_types: &[TypeEntry::of::<data_type::PriceTable>()],
    // Locks are replicated as the first two, and so is the end of a table; the AOF has the third; MGETHASH
    // calls the fourth.
    needed_commands: &[c"SET", c"DEL", c"PERSIST", c"HGETALL"],
    settings: settings::ALL,
    figures: counters::ALL,
    on_database_change: vehprice::on_database_change,
    on_slots_change: vehprice::on_slots_change,
    on_timer: vehprice::on_timer,
};

const COMMANDS: &[CommandEntry] = &[
    CommandEntry::of::<quotelock::Set>(),
    CommandEntry::of::<quotelock::Get>(),
    CommandEntry::of::<quotelock::Acquire>(),
    CommandEntry::of::<quotelock::Del>(),
    CommandEntry::of::<vehprice::Set>(),
    CommandEntry::of::<vehprice::MSet>(),
    CommandEntry::of::<vehprice::Get>(),
    CommandEntry::of::<vehprice::MGet>(),
    CommandEntry::of::<vehprice::GetAll>(),
    CommandEntry::of::<vehprice::Changes>(),
    CommandEntry::of::<vehprice::Scan>(),
    CommandEntry::of::<vehprice::Clear>(),
    CommandEntry::of::<vehprice::Del>(),
    CommandEntry::of::<vehprice::Len>(),
    CommandEntry::of::<vehprice::Pttl>(),
    CommandEntry::of::<vehprice::Verify>(),
    CommandEntry::of::<vehprice::Info>(),
    CommandEntry::of::<vehprice::MGetHash>(),
    CommandEntry::of::<vehprice::Claim>(),
    CommandEntry::of::<vehprice::Release>(),
    CommandEntry::of::<priceplan::Tag>(),
    CommandEntry::of::<priceplan::Route>(),
];

const JSON_ARG: Arg = Arg::pure_token("JSON", "json", "reply with one bulk string of JSON").optional();
