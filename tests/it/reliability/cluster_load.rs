//! Cluster clients of three languages write and read while slots move and primaries die.
//!
//! The clients are programs in tests/clients, `cluster_load.*`. Each has keys of its own, and holds every
//! answer against what it has written. `go` starts it; `pause` has it read all of its keys and say what it
//! found.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{sleep, spawn};
use std::time::Duration;

use serde_json::Value;

use super::cluster_nodes::Nodes;
use super::{full, report};
use crate::clients::program;
use crate::harness::*;

const PROGRAMS: [&str; 3] = ["cluster_load.mjs", "cluster_load.py", "cluster_load.rs"];
/// How many slots move, of the first primary; all of them have locks and tables.
const MOVING: usize = 16;

struct Client {
    name: &'static str,
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
    writes: u64,
}

impl Client {
    fn start(name: &'static str, nodes: &Nodes, tags: &str) -> Self {
        let mut command: Command = program(name);
        if name.ends_with(".rs") {
            command.arg("--");
        }
        command.args([&nodes.addresses(), name, tags]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let (line, lines) = channel();
        spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|said| line.send(said)));
        let client = Self { name, child, stdin, lines, writes: 0 };
        assert_eq!(client.said(), "ready");
        client
    }

    #[track_caller]
    fn said(&self) -> String {
        self.lines.recv_timeout(TIMEOUT).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    fn say(&mut self, line: &str) {
        writeln!(self.stdin, "{line}").unwrap_or_else(|error| panic!("{}: {error}", self.name));
    }

    /// How many writes it made since it was last asked, and how many of them were gone again.
    fn told(&mut self, what: &str) -> (u64, u64) {
        let line = self.said();
        let told: Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("{what}, {}: {line:?}", self.name));
        assert_eq!(told["wrong"], Value::Array(vec![]), "{what}, {}", self.name);
        let writes = told["writes"].as_u64().unwrap();
        let made = writes - std::mem::replace(&mut self.writes, writes);
        assert!(made > 0, "{what}, {}", self.name);
        (made, told["behind"].as_u64().unwrap())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

#[derive(Default)]
struct Tally {
    writes: u64,
    slots: usize,
    kills: usize,
    moved: u64,
    asked: u64,
    lost: u64,
    most_lost: u64,
}

fn soak(kind: Kind, rounds: usize) -> Tally {
    let mut tally = Tally::default();
    let mut nodes = Nodes::start(kind);
    let tags = nodes.tags([MOVING, 4, 4]);
    let slots: Vec<usize> = tags[0].iter().map(|tag| nodes.slot(tag)).collect();
    let mut clients = PROGRAMS.map(|name| Client::start(name, &nodes, &tags.concat().join(",")));

    // Each client alone is sent after the keys that move, there and back.
    let (mut from, mut to) = (0, 1);
    for round in 0..rounds {
        for client in &mut clients {
            let what = format!("resharding {round}");
            let moved = nodes.errors("MOVED");
            client.say("go");
            let asked = nodes.errors("ASK");
            for slot in &slots {
                eventually(TIMEOUT, || (nodes.keys(from, *slot).len() > 1).then_some(()));
                nodes.move_slot(*slot, from, to);
            }
            eventually(TIMEOUT, || (nodes.errors("MOVED") > moved).then_some(()));
            client.say("pause");
            let (writes, behind) = client.told(&what);
            assert_eq!(behind, 0, "{what}, {}", client.name);
            tally.writes += writes;
            tally.slots += slots.len();
            tally.moved += nodes.errors("MOVED") - moved;
            tally.asked += nodes.errors("ASK") - asked;
            (from, to) = (to, from);
        }
    }

    for round in 0..rounds {
        let what = format!("kill {round}");
        nodes.is_whole();
        let owner = nodes.owner(&format!("{{{}}}", tags[round % 3][0]));
        for client in &mut clients {
            client.say("go");
        }
        sleep(Duration::from_millis(300));
        nodes.fail_over(owner, || {
            sleep(Duration::from_millis(300));
            for client in &mut clients {
                client.say("pause");
            }
            let mut lost = 0;
            for client in &mut clients {
                let (writes, behind) = client.told(&what);
                tally.writes += writes;
                lost += behind;
            }
            tally.lost += lost;
            tally.most_lost = tally.most_lost.max(lost);
        });
        tally.kills += 1;
    }
    assert!(nodes.servers.iter().all(|server| !server.log().contains("panic")));
    tally
}

#[apply(two_servers)]
fn cluster_clients_go_on_while_slots_move_and_primaries_die(#[case] kind: Kind) {
    let tally = soak(kind, if full() { 6 } else { 1 });
    let figures = format!(
        "{} writes; {} slots moved, {} MOVED and {} ASK followed; {} primaries killed, {} acknowledged writes lost with them, \
         at most {} with one",
        tally.writes, tally.slots, tally.moved, tally.asked, tally.kills, tally.lost, tally.most_lost
    );
    report(kind, "cluster", &figures);
}
