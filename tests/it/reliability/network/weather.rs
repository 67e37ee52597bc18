//! Packets are late, and some are lost.

use std::time::{Duration, Instant};

use super::super::failovers::all_alike;
use super::super::sentinels::SERVERS;
use super::super::{full, report};
use super::machines::Network;
use super::watched::primary_and_replicas;
use super::writers::{Tally, write_during};
use crate::harness::*;

const WRITERS: u64 = 16;
const DELAY: Duration = Duration::from_millis(100);
/// Of a hundred packets.
const LOSS: u64 = 5;

#[apply(one_server)]
fn late_and_lost_packets_change_no_answer(#[case] kind: Kind) {
    let what = "network, 100 ms late each way, 5 % lost";
    Network::test(SERVERS + 1, what, |network| {
        let servers = primary_and_replicas(kind, network, &[]);
        let (writers, mut tally) = (Vec::from_iter(0..WRITERS), Tally::default());
        let begun = Instant::now();
        let books = write_during(&servers[0], &writers, TIMEOUT, || {
            network.switch.worsen(DELAY, LOSS);
            rest(if full() { 60_000 } else { 4000 });
        });
        assert!(books.iter().all(|(book, _)| book.writes.iter().all(|write| write.acknowledged.is_some())));
        network.switch.worsen(Duration::ZERO, 0);
        let books = tally.compare(books, &servers[0], begun, what);
        assert!(tally.lost == 0 && tally.waited > 0 && network.switch.lost() > 0, "{tally:?}");
        all_alike(&servers.each_ref(), &books, what);
        let figures = format!(
            "{} writes acknowledged, {} waited for; {} packets lost",
            tally.acknowledged,
            tally.waited,
            network.switch.lost()
        );
        report(kind, what, &figures);
    });
}
