//! The programs of `examples/clients`: a lock and its prices through each client library, alone, in a Cluster and with
//! Sentinel. `docs/clients.md` is written from the same list.

mod access;
mod alone;
mod cluster;
mod page;
mod place;
mod programs;
mod replicas;
mod run;
mod stories;

use programs::{OTHERS, SCRIPTS};

/// Those in JavaScript and Python; the others, which take compilers and interpreters of their own, by `make test ALL=1`.
#[rstest_reuse::template]
#[rstest::rstest]
#[case::scripts(SCRIPTS)]
#[ignore = "for make test ALL=1"]
#[case::all_others(OTHERS)]
fn programs_by_set_up(#[case] programs: &'static [programs::Program]) {}
