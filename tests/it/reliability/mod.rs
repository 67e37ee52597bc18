//! The evidence of docs/reliability.md: a file for each row of its table.
//! Each test is short in `make test`, and as long as the table says in `make soak`.

mod access;
mod against_a_model;
mod agreement;
mod aof_cuts;
mod book;
mod clock_jumps;
mod cluster_load;
mod cluster_nodes;
mod dump_tables;
mod dumps;
mod eviction;
mod failovers;
mod hostile;
mod kill;
mod load;
mod model;
mod own_commands;
mod races;
mod sentinel;
mod sentinels;
mod short_reads;
mod stopped_primary;
mod upgrade;

/// Whether the long forms are asked for.
pub(crate) fn full() -> bool {
    std::env::var_os("QUOTELOCK_FULL").is_some()
}

/// One line of figures, which `make soak` shows.
pub(crate) fn report(what: &str, figures: &str) {
    println!("reliability: {what}: {figures}");
}
