//! Told to read from the replicas of a Cluster.

use super::place::Place;
use super::programs::Program;
use super::run::Running;
use super::*;
use crate::harness::*;
use crate::reliability::cluster_nodes::Nodes;

#[apply(programs_by_set_up)]
fn each_asks_primaries_or_replicas(#[case] programs: &[Program]) {
    let nodes = Nodes::start(Kind::DEFAULT);
    let place = Place::cluster(nodes.servers.iter());
    let replicas = Place::cluster(nodes.servers.iter().skip(nodes.servers.len() / 2));
    for mut con in place.each() {
        // A replica is told of once it has something.
        let tells_of_all =
            |slots: &str| nodes.servers.iter().all(|server| slots.contains(&server.port().to_string()));
        eventually(TIMEOUT, || tells_of_all(&reply(&mut con, "CLUSTER SLOTS")).then_some(()));
    }
    for program in programs {
        let Some(reading) = &program.replicas else { continue };
        for server in &nodes.servers {
            cmd(&mut server.connection(), "CONFIG RESETSTAT");
        }
        let rename = program.written_for.map(|package| (package, program.package.name()));
        let edits: Vec<_> = rename.into_iter().chain([reading.edit]).collect();
        let [protocol, ..] = program.protocols else { panic!("{} speaks nothing", program.client) };
        // A replica may not have the lock yet: then it fails.
        let said = Running::edited(program, *protocol, &place, "42", &edits).said();
        let asked = replicas.each().any(|mut con| calls(&mut con, "quotelock.get") > 0);
        assert_eq!(asked, reading.are_asked, "{}: {said:?}", program.client);
        let reads = place.each().map(|mut con| calls(&mut con, "quotelock.get")).sum::<u64>();
        assert!(reads > 0, "{}: {said:?}", program.client);
    }
}

/// How often the server has carried the command out.
fn calls(con: &mut redis::Connection, command: &str) -> u64 {
    let stats = info(con, "commandstats");
    let calls = stats.get(&format!("cmdstat_{command}")).and_then(|stats| stats.split(',').next());
    calls.map_or(0, |calls| calls["calls=".len()..].parse().unwrap())
}
