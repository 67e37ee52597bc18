//! What the benchmarks share.

pub(crate) mod benchmark;
pub(crate) mod report;
pub(crate) mod server;

use std::env::var;

use server::Outcome;

/// A number above 0 that the environment may give.
pub(crate) fn number(variable: &str, default: u32) -> Outcome<u32> {
    let given = var(variable).map_or(Ok(default), |text| text.parse());
    given.ok().filter(|&number| number > 0).ok_or_else(|| format!("{variable} wants a number above 0").into())
}
