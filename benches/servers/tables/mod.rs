//! What the VEHPRICE commands cost beside the ways a server has of its own to keep many vehicles' prices.

mod one_row;
mod reads;
mod sweep;
mod writes;

use crate::common::bench::Bench;
use crate::common::server::Outcome;

/// In one call.
const VEHICLES: u32 = 8000;

pub(crate) fn run(bench: &mut Bench) -> Outcome<()> {
    let rounds = bench.pick(21, 9, 3);
    reads::run(bench, rounds)?;
    writes::run(bench, rounds)?;
    one_row::run(bench)?;
    sweep::run(bench)
}
