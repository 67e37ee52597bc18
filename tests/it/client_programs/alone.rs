//! On one server.

use super::place::Place;
use super::programs::Program;
use super::stories::{OURS, is_refused, while_each_waits};
use super::*;
use crate::harness::*;

/// Longer than programs give any call but the one that waits.
const LONG_MS: u64 = 2500;

#[apply(programs_by_set_up)]
fn each_fails_where_the_server_refuses(#[case] programs: &[Program]) {
    let server = Server::start(Kind::DEFAULT);
    for program in programs {
        is_refused(&Place::alone(&server), program);
    }
}

#[apply(programs_by_set_up)]
fn each_waits_for_what_another_pod_fetches(#[case] programs: &[Program]) {
    let server = Server::start(Kind::DEFAULT);
    let place = Place::alone(&server);
    while_each_waits(&place, programs, |waiting| {
        rest(LONG_MS);
        waiting.iter().for_each(|program| program.store(&place));
        waiting.into_iter().for_each(|program| program.ends(OURS, false));
    });
}

#[apply(programs_by_set_up)]
fn a_call_whose_connection_is_lost_is_sent_again_or_fails(#[case] programs: &[Program]) {
    let server = Server::start(Kind::DEFAULT);
    let place = Place::alone(&server);
    while_each_waits(&place, programs, |waiting| {
        place.hang_up_on_waiters();
        waiting.iter().for_each(|program| program.store(&place));
        for program in waiting {
            let fails = !program.program.resends.alone;
            program.ends(OURS, fails);
        }
    });
}
