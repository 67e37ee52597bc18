//! The evidence of docs/reliability.md: a file for each row of its table.
//! Each test is short in `make test`, and as long as the table says in `make soak`.

mod access;
mod against_a_model;
mod agreement;
mod aof_cuts;
mod book;
mod clock_jumps;
mod cluster_load;
pub(crate) mod cluster_nodes;
mod copied;
mod copies;
mod dump_tables;
mod dumps;
mod eviction;
mod failovers;
mod filling;
mod hostile;
mod hour;
mod interleavings;
mod kill;
mod linear;
mod linear_board;
mod linear_calls;
mod linear_disasters;
mod load;
mod model;
mod network;
mod own_commands;
mod races;
mod roles;
mod sentinel;
pub(crate) mod sentinels;
mod short_reads;
mod stopped_primary;
mod upgrade;

use crate::harness::Kind;

/// Whether the long forms are asked for.
pub(crate) fn full() -> bool {
    std::env::var_os("QUOTELOCK_FULL").is_some()
}

/// One line of figures, which `make soak` shows.
pub(crate) fn report(kind: Kind, what: &str, figures: &str) {
    println!("reliability: {kind}: {what}: {figures}");
}

/// A seed of its own for each server.
pub(crate) fn seed_of(kind: Kind) -> u64 {
    let (major, minor) = kind.version();
    u64::from(100 * major + minor)
}
