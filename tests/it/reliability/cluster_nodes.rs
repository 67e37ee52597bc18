//! A Cluster of three primaries and three replicas, whose slots can be moved and whose primaries can be
//! killed.

use redis::Connection;

use super::book::SETTINGS;
use crate::harness::*;

pub(super) const PRIMARIES: usize = 3;
const SLOTS: usize = 16384;

pub(crate) struct Nodes {
    pub(crate) servers: Vec<Server>,
    ids: Vec<String>,
}

impl Nodes {
    #[track_caller]
    pub(crate) fn start(kind: Kind) -> Self {
        // On a busy machine a node may be silent for seconds, and is not to be taken for dead.
        Self::placed(kind, &["cluster-node-timeout 5000"], |builder, _| builder)
    }

    /// All have these lines in their redis.conf; `place` says where each one is.
    #[track_caller]
    pub(super) fn placed(kind: Kind, conf: &[&str], place: impl Fn(Builder, usize) -> Builder) -> Self {
        let builder = Server::builder(kind)
            .conf("cluster-enabled yes")
            .conf("repl-diskless-sync-delay 0")
            .module_args(SETTINGS);
        let builder = conf.iter().fold(builder, |builder, line| builder.conf(*line));
        let servers: Vec<Server> =
            (0..2 * PRIMARIES).map(|index| place(builder.clone(), index).start()).collect();
        let ids = servers.iter().map(|server| text(&mut server.connection(), "CLUSTER MYID")).collect();
        let nodes = Self { servers, ids };
        for index in 0..2 * PRIMARIES {
            let con = &mut nodes.con(index);
            cmd(con, &format!("CLUSTER SET-CONFIG-EPOCH {}", index + 1));
            if index < PRIMARIES {
                let (first, last) = (index * SLOTS / PRIMARIES, (index + 1) * SLOTS / PRIMARIES - 1);
                cmd(con, &format!("CLUSTER ADDSLOTSRANGE {first} {last}"));
            }
            if index > 0 {
                let first = &nodes.servers[0];
                cmd(con, &format!("CLUSTER MEET {} {}", first.host(), first.port()));
            }
        }
        nodes.all_say("cluster_known_nodes:6");
        for index in PRIMARIES..2 * PRIMARIES {
            cmd(&mut nodes.con(index), &format!("CLUSTER REPLICATE {}", nodes.ids[index - PRIMARIES]));
        }
        nodes.is_whole();
        nodes
    }

    pub(crate) fn con(&self, index: usize) -> Connection {
        self.servers[index].connection()
    }

    pub(crate) fn addresses(&self) -> String {
        let all = self.servers.iter().map(|server| format!("127.0.0.1:{}", server.port()));
        all.collect::<Vec<_>>().join(",")
    }

    #[track_caller]
    fn all_say(&self, line: &str) {
        for server in &self.servers {
            let con = &mut server.connection();
            eventually(TIMEOUT, || text(con, "CLUSTER INFO").contains(line).then_some(()));
        }
    }

    /// Until every slot is served, and every replica has what its primary has.
    #[track_caller]
    pub(crate) fn is_whole(&self) {
        self.all_say("cluster_state:ok");
        eventually(TIMEOUT, || {
            let states: Vec<_> =
                self.servers.iter().map(|server| info(&mut server.connection(), "replication")).collect();
            let primaries: Vec<_> = states.iter().filter(|state| state["role"] == "master").collect();
            let in_step = primaries.iter().all(|state| {
                let (offset, replica) = (&state["master_repl_offset"], state.get("slave0"));
                replica.is_some_and(|replica| replica.contains(&format!("state=online,offset={offset},")))
            });
            (primaries.len() == PRIMARIES && in_step).then_some(())
        });
    }

    /// The first primary has the slots below this one.
    pub(super) const FIRST_OF_SECOND: usize = SLOTS / PRIMARIES;

    pub(crate) fn slot(&self, tag: &str) -> usize {
        int(&mut self.con(0), &["CLUSTER", "KEYSLOT", tag]) as usize
    }

    /// Hash tags of different slots, this many of each primary.
    pub(crate) fn tags(&self, counts: [usize; PRIMARIES]) -> [Vec<String>; PRIMARIES] {
        let mut tags = [const { Vec::new() }; PRIMARIES];
        let mut slots = std::collections::BTreeSet::new();
        for number in 0.. {
            let tag = format!("t{number}");
            let slot = self.slot(&tag);
            let of = (0..PRIMARIES).find(|index| slot < (index + 1) * SLOTS / PRIMARIES).unwrap();
            if tags[of].len() < counts[of] && slots.insert(slot) {
                tags[of].push(tag);
            }
            if tags.iter().zip(counts).all(|(tags, count)| tags.len() == count) {
                break;
            }
        }
        tags
    }

    /// How often the nodes have answered with this error.
    pub(crate) fn errors(&self, error: &str) -> u64 {
        let count = |server: &Server| {
            let told = info(&mut server.connection(), "errorstats");
            told.get(&format!("errorstat_{error}"))
                .map_or(0, |count| count["count=".len()..].parse().unwrap())
        };
        self.servers.iter().map(count).sum()
    }

    /// The first keys that a node has in a slot.
    pub(crate) fn keys(&self, index: usize, slot: usize) -> Vec<Vec<u8>> {
        let keys = cmd(&mut self.con(index), &format!("CLUSTER GETKEYSINSLOT {slot} 10"));
        redis::from_redis_value(keys).unwrap()
    }

    /// Moves a slot key by key, as `redis-cli --cluster reshard` does. After the first one it waits until a
    /// client has been sent after it.
    #[track_caller]
    pub(crate) fn move_slot(&self, slot: usize, from: usize, to: usize) {
        let (source, target) = (&mut self.con(from), &mut self.con(to));
        let asked = self.errors("ASK");
        // Valkey has its replica acknowledge what is set, and gives a busy one two seconds.
        eventually(TIMEOUT, || {
            try_cmd(target, &format!("CLUSTER SETSLOT {slot} IMPORTING {}", self.ids[from])).ok()
        });
        eventually(TIMEOUT, || {
            try_cmd(source, &format!("CLUSTER SETSLOT {slot} MIGRATING {}", self.ids[to])).ok()
        });
        loop {
            let keys = self.keys(from, slot);
            let Some(key) = keys.first() else { break };
            let port = self.servers[to].port().to_string();
            cmd(source, &[b"MIGRATE", &b"127.0.0.1"[..], port.as_bytes(), key, b"0", b"60000"]);
            eventually(TIMEOUT, || (self.errors("ASK") > asked).then_some(()));
        }
        for index in [to, from, (0..PRIMARIES).find(|index| ![from, to].contains(index)).unwrap()] {
            let con = &mut self.con(index);
            eventually(TIMEOUT, || {
                try_cmd(con, &format!("CLUSTER SETSLOT {slot} NODE {}", self.ids[to])).ok()
            });
        }
    }

    /// The node that serves a slot.
    pub(crate) fn owner(&self, key: &str) -> usize {
        let serves = |index: &usize| !reply(&mut self.con(*index), &["EXISTS", key]).starts_with('-');
        eventually(TIMEOUT, || (0..self.servers.len()).find(serves))
    }

    /// Kills a primary, and waits until its replica has taken over. It comes back as the replica of that one.
    #[track_caller]
    pub(crate) fn fail_over(&mut self, primary: usize, meanwhile: impl FnOnce()) {
        self.servers[primary].kill();
        let others: Vec<usize> = (0..self.servers.len()).filter(|index| *index != primary).collect();
        eventually(TIMEOUT, || {
            let primaries =
                others.iter().filter(|index| info(&mut self.con(**index), "replication")["role"] == "master");
            (primaries.count() == PRIMARIES).then_some(())
        });
        meanwhile();
        self.servers[primary].restart();
    }
}
