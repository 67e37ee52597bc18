//! The evidence of docs/reliability.md: a file for each row of its table.
//! Each test is short in `make test`, and as long as the table says in `make soak`.

mod access;
mod against_a_model;
mod agreement;
mod clock_jumps;
mod dump_tables;
mod dumps;
mod eviction;
mod hostile;
mod model;
mod own_commands;
mod short_reads;
mod upgrade;
mod aof_cuts;
mod book;
mod cluster_load;
mod cluster_nodes;
mod failovers;
mod kill;
mod load;
mod races;
mod sentinel;
mod sentinels;
mod stopped_primary;

/// Whether the long forms are asked for.
pub(crate) fn full() -> bool {
    std::env::var_os("QUOTELOCK_FULL").is_some()
}

/// One line of figures, which `make soak` shows.
pub(crate) fn report(what: &str, figures: &str) {
    println!("reliability: {what}: {figures}");
}
