//! The commands: parse, act, reply. A file a command, a folder a family.

mod counters;
mod error;
mod grammar;
#[cfg(test)]
mod pages;
mod quotelock;
mod settings;

use crate::server::{Counter, Entry, Setting};

/// The table of commands.
pub const TABLE: &[Entry] = &[
    Entry::of::<quotelock::Set>(),
    Entry::of::<quotelock::Get>(),
    Entry::of::<quotelock::Acquire>(),
    Entry::of::<quotelock::Del>(),
];

/// The settings, as `CONFIG GET quotelock.*` shows them.
pub const SETTINGS: &[&Setting] = settings::ALL;

/// The counters, as `INFO quotelock` shows them.
pub const COUNTERS: &[&Counter] = counters::ALL;
