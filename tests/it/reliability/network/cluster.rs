//! What a Cluster loses with a primary that is cut off, stands still, or is killed while its replica stands
//! still: `cluster-node-timeout` says how soon a node knows.

use std::time::{Duration, Instant};

use super::super::cluster_nodes::{Nodes, PRIMARIES};
use super::super::sentinels::signal;
use super::super::{full, report};
use super::machines::Network;
use super::writers::{Tally, write_during};
use crate::harness::*;

const NODES: usize = 2 * PRIMARIES;
/// The one that clients write to, and its replica.
const PRIMARY: usize = 0;
const REPLICA: usize = PRIMARIES;

const CALL_TIMEOUT: Duration = Duration::from_secs(10);
const BEFORE_MS: u64 = 300;
/// How long the replica stands still before its primary is killed: as one that gets no processor.
const STILL_MS: u64 = 1500;

#[derive(Clone, Copy)]
enum Disaster {
    /// The primary is cut off from all nodes, but not from clients.
    CutOff,
    /// The primary stands still until it is replaced.
    Stopped,
    /// The replica stands still, then the primary is killed, then the replica goes on.
    ReplicaStopped,
}
use Disaster::*;

const TIMEOUT_2: &[&str] = &["cluster-node-timeout 2000"];
const TIMEOUT_5: &[&str] = &["cluster-node-timeout 5000"];
const TIMEOUT_2_GUARDED: &[&str] =
    &["cluster-node-timeout 2000", "min-replicas-to-write 1", "min-replicas-max-lag 2"];
const TIMEOUT_5_GUARDED: &[&str] =
    &["cluster-node-timeout 5000", "min-replicas-to-write 1", "min-replicas-max-lag 2"];

/// What happens, with which lines in redis.conf, and whether acknowledged writes are lost for certain. `make test`
/// runs the first.
const CASES: [(&str, Disaster, &[&str], bool); 8] = [
    ("cut off", CutOff, TIMEOUT_2, true),
    ("cut off", CutOff, TIMEOUT_2_GUARDED, true),
    ("cut off", CutOff, TIMEOUT_5, true),
    ("cut off", CutOff, TIMEOUT_5_GUARDED, true),
    ("stopped", Stopped, TIMEOUT_2, false),
    ("stopped", Stopped, TIMEOUT_5, false),
    ("killed while its replica stands still", ReplicaStopped, TIMEOUT_2, true),
    ("killed while its replica stands still", ReplicaStopped, TIMEOUT_2_GUARDED, true),
];

/// Strikes; what is under way ends once the replica is the primary.
fn strike(disaster: Disaster, nodes: &Nodes, network: &Network, tally: &mut Tally) -> Instant {
    let [primary, replica] = [PRIMARY, REPLICA].map(|node| process(&nodes.servers[node]));
    let others: Vec<usize> = (0..NODES).filter(|node| *node != PRIMARY).collect();
    rest(BEFORE_MS);
    let mut struck = Instant::now();
    match disaster {
        CutOff => network.switch.part(&[PRIMARY], &others),
        Stopped => signal(&primary, "-STOP"),
        ReplicaStopped => {
            signal(&replica, "-STOP");
            rest(STILL_MS);
            struck = Instant::now();
            signal(&primary, "-KILL");
            // Until the others know.
            let other = &mut nodes.con(1);
            eventually(TIMEOUT, || text(other, "CLUSTER NODES").contains("master,fail ").then_some(()));
            signal(&replica, "-CONT");
        }
    }
    let role = || nodes.servers[REPLICA].info::<String>("replication", "role").unwrap();
    eventually(TIMEOUT, || (role() == "master").then_some(()));
    tally.is_replaced(struck.elapsed());
    if matches!(disaster, Stopped) {
        signal(&primary, "-CONT");
    }
    rest(BEFORE_MS);
    struck
}

fn process(server: &Server) -> String {
    server.info("server", "process_id").unwrap()
}

#[apply(one_server)]
fn cluster_loses_what_was_not_waited_for(#[case] kind: Kind) {
    for (how, disaster, conf, loses) in &CASES[..if full() { CASES.len() } else { 1 }] {
        let what = &format!("network, cluster, a primary {how}, {}", conf.join(", "));
        Network::test(NODES + 1, what, |network| {
            let mut nodes = Nodes::placed(kind, conf, |builder, node| network.place(builder, node));
            let is_of_primary = |writer: &u64| nodes.slot(&writer.to_string()) < Nodes::FIRST_OF_SECOND;
            let writers: Vec<u64> = (0..).filter(is_of_primary).take(4).collect();
            // The replica is online before it is sent anything, and on a busy machine long before.
            let con = &mut nodes.con(PRIMARY);
            cmd(con, &format!("SET begun:{{{}}} 1", writers[0]));
            in_step(con, 1);
            let (mut tally, mut struck) = (Tally::default(), Instant::now());
            let books = write_during(&nodes.servers[PRIMARY], &writers, CALL_TIMEOUT, || {
                struck = strike(*disaster, &nodes, network, &mut tally);
            });
            nodes.servers[PRIMARY].kill();
            let next = &mut nodes.con(REPLICA);
            eventually(TIMEOUT, || text(next, "CLUSTER INFO").contains("cluster_state:ok").then_some(()));
            tally.compare(books, &nodes.servers[REPLICA], struck, what);
            report(kind, what, &tally.figures());
            assert!(!loses || tally.lost > 0, "{what}: {tally:?}");
        });
    }
}
