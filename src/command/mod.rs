//! The commands: parse, act, reply. A file a command, a folder a family.

mod counters;
pub mod error;
pub mod grammar;
#[cfg(test)]
mod pages;
mod priceplan;
mod quotelock;
mod settings;
mod vehprice;

use crate::server::{Arg, Counter, Entry, Setting};

pub use vehprice::{on_alarm, on_event};

/// The table of commands.
pub const TABLE: &[Entry] = &[
    Entry::of::<quotelock::Set>(),
    Entry::of::<quotelock::Get>(),
    Entry::of::<quotelock::Acquire>(),
    Entry::of::<quotelock::Del>(),
    Entry::of::<vehprice::Set>(),
    Entry::of::<vehprice::MSet>(),
    Entry::of::<vehprice::Get>(),
    Entry::of::<vehprice::MGet>(),
    Entry::of::<vehprice::GetAll>(),
    Entry::of::<vehprice::Scan>(),
    Entry::of::<vehprice::Clear>(),
    Entry::of::<vehprice::Del>(),
    Entry::of::<vehprice::Len>(),
    Entry::of::<vehprice::Pttl>(),
    Entry::of::<vehprice::Verify>(),
    Entry::of::<vehprice::Info>(),
    Entry::of::<vehprice::MGetHash>(),
    Entry::of::<vehprice::Claim>(),
    Entry::of::<vehprice::Release>(),
    Entry::of::<priceplan::Tag>(),
    Entry::of::<priceplan::Route>(),
];

/// The settings, as `CONFIG GET quotelock.*` shows them.
pub const SETTINGS: &[&Setting] = settings::ALL;

/// The counters, as `INFO quotelock` shows them.
pub const COUNTERS: &[&Counter] = counters::ALL;

/// The word that asks for JSON.
const JSON_ARG: Arg = Arg::word("JSON", "json", "answer one bulk string of JSON").optional();
