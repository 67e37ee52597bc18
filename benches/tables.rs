//! What the VEHPRICE commands cost beside the ways a server has of its own to keep many vehicles' prices.
//!
//! Cases are taken in turn, round after round, so that a slow spell of the machine meets all alike; the client only reads
//! the bytes of a reply that was looked at before. `ROUNDS` changes how long it takes, `QUICK=1` makes all of it smaller,
//! `BENCH_SERVER` says which server is measured.

mod common;

#[path = "tables/batch.rs"]
mod batch;
#[path = "tables/case.rs"]
mod case;
#[path = "tables/growth.rs"]
mod growth;
#[path = "tables/memory.rs"]
mod memory;
#[path = "tables/one_row.rs"]
mod one_row;
#[path = "tables/report.rs"]
mod report;
#[path = "tables/sweep.rs"]
mod sweep;
#[path = "tables/vehicles.rs"]
mod vehicles;
#[path = "tables/wire.rs"]
mod wire;

use std::env::var_os;
use std::path::PathBuf;

use common::number;
use common::report::{load, print_setting};
use common::server::{self, Outcome, Server};
use redis::{Value, cmd};
use wire::Wire;

/// A benchmark is no test: it ends well whatever it finds.
fn main() {
    if let Err(error) = run() {
        eprintln!("The benchmark did not end: {error}");
    }
}

fn run() -> Outcome<()> {
    let quick = var_os("QUICK").is_some_and(|value| value != "0");
    let rounds = number("ROUNDS", if quick { 3 } else { 15 })?;
    let requests = number("REQUESTS", if quick { 100_000 } else { 300_000 })?;
    let rows = if quick { 100_000 } else { 1_000_000 };
    print_setting(&Server::start(&module())?, &module())?;
    batch::run(rounds)?;
    one_row::run(rounds, requests)?;
    growth::run(rounds, rows)?;
    memory::run(rows)?;
    sweep::run(rows)?;
    println!("\nload average at the end: {}", load());
    Ok(())
}

fn module() -> PathBuf {
    server::path("QUOTELOCK_MODULE", "target/release/libquotelock.so")
}

/// Whether the server has fields with an expiry.
fn has_hsetex(wire: &mut Wire) -> Outcome<bool> {
    let known = wire.run(&cmd("COMMAND").arg("INFO").arg("HSETEX").get_packed_command())?;
    Ok(matches!(known, Value::Array(entries) if matches!(entries.as_slice(), [Value::Array(_)])))
}
