//! A primary is cut off from its replicas and the Sentinels, or its machine dies.

use std::time::{Duration, Instant};

use super::super::sentinels::{SERVERS, signal};
use super::super::{full, report};
use super::machines::Network;
use super::watched::{CLIENT, REPLICAS, Watched};
use super::writers::{Tally, write_during};
use crate::harness::*;

const WRITERS: [u64; 4] = [0, 1, 2, 3];
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// How long clients write before the network is cut.
const BEFORE_MS: u64 = 300;

/// Does this on a network with a machine for clients.
fn again_and_again(kind: Kind, what: &str, round: impl Fn(&Network, &mut Tally) + Sync) -> Option<Tally> {
    Network::test(SERVERS + 1, what, |network| {
        let mut tally = Tally::default();
        for _ in 0..if full() { 5 } else { 1 } {
            round(network, &mut tally);
            network.switch.heal();
        }
        report(kind, what, &tally.figures());
        tally
    })
}

/// The primary is cut off from all but its clients, which go on writing to it until another one is made.
fn cut_off(kind: Kind, network: &Network, conf: &[&str], tally: &mut Tally) {
    let watched = Watched::start(kind, network, conf);
    let (mut cut, mut next) = (Instant::now(), 0);
    let books = write_during(&watched.servers[0], &WRITERS, CALL_TIMEOUT, || {
        rest(BEFORE_MS);
        cut = Instant::now();
        network.switch.part(&[0], &REPLICAS);
        next = watched.next();
        tally.is_replaced(cut.elapsed());
        rest(BEFORE_MS);
    });
    let what = format!("cut off, {conf:?}");
    let books = tally.compare(books, &watched.servers[next], cut, &what);
    network.switch.heal();
    watched.all_follow(next, &books, &what);
}

#[apply(one_server)]
fn cut_off_a_primary_acknowledges_until_the_cut_ends(#[case] kind: Kind) {
    let what = "network, a primary cut off";
    let tally = again_and_again(kind, what, |network, tally| cut_off(kind, network, &[], tally));
    if let Some(tally) = tally {
        assert!(tally.lost > 0 && !tally.ended_before_it_was_replaced(), "{tally:?}");
    }
}

#[apply(one_server)]
fn cut_off_a_primary_that_needs_a_replica_stops_before_another_is_made(#[case] kind: Kind) {
    let what = "network, a primary cut off, min-replicas-to-write 1, min-replicas-max-lag 2";
    let conf = ["min-replicas-to-write 1", "min-replicas-max-lag 2"];
    let tally = again_and_again(kind, what, |network, tally| cut_off(kind, network, &conf, tally));
    if let Some(tally) = tally {
        assert!(tally.acknowledged > 0 && tally.ended_before_it_was_replaced(), "{tally:?}");
    }
}

/// The machine of the primary and a Sentinel is cut off from all others, clients too, and then its processes are
/// killed: no connection is closed. It comes back empty.
fn die(kind: Kind, network: &Network, tally: &mut Tally) {
    let mut watched = Watched::start(kind, network, &[]);
    let primary = info(&mut watched.servers[0].connection(), "server")["process_id"].clone();
    let mut died = Instant::now();
    let books = write_during(&watched.servers[0], &WRITERS, CALL_TIMEOUT, || {
        rest(BEFORE_MS);
        died = Instant::now();
        network.switch.part(&[0], &[REPLICAS[0], REPLICAS[1], CLIENT]);
        signal(&primary, "-KILL");
    });
    watched.servers[0].kill();
    watched.sentinels[0] = None;
    let next = watched.next();
    tally.is_replaced(died.elapsed());
    let what = "a machine dies";
    let books = tally.compare(books, &watched.servers[next], died, what);
    network.switch.heal();
    watched.servers[0].restart();
    watched.all_follow(next, &books, what);
}

#[apply(one_server)]
fn a_machine_dies_with_its_primary(#[case] kind: Kind) {
    let what = "network, a machine dies";
    let tally = again_and_again(kind, what, |network, tally| die(kind, network, tally));
    if let Some(tally) = tally {
        assert!(tally.waited > 0 && tally.ended_before_it_was_replaced(), "{tally:?}");
    }
}
