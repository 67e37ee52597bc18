//! A primary and two replicas, each on a machine with a Sentinel.

use super::super::book::{Book, SETTINGS};
use super::super::failovers::all_alike;
use super::super::sentinels::{SERVERS, Sentinel};
use super::machines::{Network, address};
use crate::harness::*;

/// The machines of the replicas.
pub(super) const REPLICAS: [usize; 2] = [1, 2];
/// The machine of the clients.
pub(super) const CLIENT: usize = SERVERS;

pub(super) struct Watched {
    pub(super) servers: [Server; SERVERS],
    /// None where its machine has died.
    pub(super) sentinels: [Option<Sentinel>; SERVERS],
}

impl Watched {
    /// The first one is the primary. All have these lines in their redis.conf.
    pub(super) fn start(kind: Kind, network: &Network, conf: &[&str]) -> Self {
        let servers = primary_and_replicas(kind, network, conf);
        let sentinels = [0, 1, 2]
            .map(|machine| Sentinel::at(&address(machine).to_string(), &network.under(machine), &servers[0]));
        sentinels.iter().for_each(Sentinel::is_ready);
        Self { servers, sentinels: sentinels.map(Some) }
    }

    /// The replica that Sentinel makes the primary.
    pub(super) fn next(&self) -> usize {
        // Sentinel hangs up on all clients of a server whose role it changes.
        let role = |index: usize| self.servers[index].info::<String>("replication", "role");
        let is_primary = |index: &usize| role(*index).is_ok_and(|role| role == "master");
        eventually(TIMEOUT, || REPLICAS.into_iter().find(is_primary))
    }

    /// All hold the same in the end, the next primary and those that follow it.
    pub(super) fn all_follow(self, next: usize, books: &[Book], what: &str) {
        drop(self.sentinels);
        let others: Vec<&Server> =
            (0..SERVERS).filter(|index| *index != next).map(|index| &self.servers[index]).collect();
        let next = &self.servers[next];
        others.iter().for_each(|other| follow(other, next));
        all_alike(&[&[next], &others[..]].concat(), books, what);
        assert!(self.servers.iter().all(|server| !server.log().contains("panic")), "{what}");
    }
}

/// The first one is the primary.
pub(super) fn primary_and_replicas(kind: Kind, network: &Network, conf: &[&str]) -> [Server; SERVERS] {
    let builder = Server::builder(kind).conf("repl-diskless-sync-delay 0").module_args(SETTINGS);
    let builder = conf.iter().fold(builder, |builder, line| builder.conf(*line));
    let servers = [0, 1, 2].map(|machine| network.place(builder.clone(), machine).start());
    for replica in REPLICAS {
        follow(&servers[replica], &servers[0]);
    }
    servers
}
