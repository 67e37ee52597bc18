//! The speed of the VEHPRICE commands beside that of a server's own commands.

mod copies;
mod one_row;
mod reads;
mod sweep;
mod writes;

use quotelock_testkit::Result;

use crate::common::bench::Bench;

/// In one call.
const VEHICLES: usize = 8000;

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let rounds = bench.pick(21, 9, 3);
    reads::run(bench, rounds)?;
    writes::run(bench, rounds)?;
    one_row::run(bench)?;
    copies::run(bench)?;
    sweep::run(bench)
}
