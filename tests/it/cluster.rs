//! A cluster of three: whose key it is, and locks that move to another node.

use redis::{Connection, Value};

use crate::harness::*;

const NODES: usize = 3;
const SLOTS: usize = 16384;

/// A server and a connection to it.
pub(crate) struct Node {
    pub(crate) server: Server,
    con: Connection,
    pub(crate) id: String,
}

impl Node {
    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.server.port())
    }

    /// A command that a client sends after it was asked to come here.
    fn asking<W: Words + ?Sized>(&mut self, words: &W) -> String {
        cmd(&mut self.con, "ASKING");
        reply(&mut self.con, words)
    }
}

/// Three masters with a third of the slots each.
pub(crate) fn cluster(kind: Kind) -> [Node; NODES] {
    let mut nodes = [0; NODES].map(|_| {
        let server = Server::builder(kind).conf("cluster-enabled yes").start();
        let mut con = server.connection();
        let id = text(&mut con, "CLUSTER MYID");
        Node { server, con, id }
    });
    // A node takes an epoch only while it knows no other node.
    for (index, node) in nodes.iter_mut().enumerate() {
        let (first, last) = (index * SLOTS / NODES, (index + 1) * SLOTS / NODES - 1);
        cmd(&mut node.con, &format!("CLUSTER ADDSLOTSRANGE {first} {last}"));
        cmd(&mut node.con, &format!("CLUSTER SET-CONFIG-EPOCH {}", index + 1));
    }
    for index in 1..NODES {
        let port = nodes[index].server.port();
        cmd(&mut nodes[0].con, &format!("CLUSTER MEET 127.0.0.1 {port}"));
    }
    for node in &mut nodes {
        eventually(TIMEOUT, || {
            let state = text(&mut node.con, "CLUSTER INFO");
            let all = ["cluster_state:ok", "cluster_slots_ok:16384", "cluster_known_nodes:3"];
            all.iter().all(|line| state.contains(line)).then_some(())
        });
    }
    nodes
}

/// The slot by any node's word, and the node that had it from the start.
fn owner(nodes: &mut [Node; NODES], key: &str) -> (usize, usize) {
    let slot = int(&mut nodes[0].con, &["CLUSTER", "KEYSLOT", key]) as usize;
    let owner = (0..NODES).find(|index| slot < (index + 1) * SLOTS / NODES).unwrap();
    (slot, owner)
}

/// Runs a command as cluster clients do: asks a node for its keys and goes to the one that has the slot.
fn routed(nodes: &mut [Node; NODES], command: &str) -> String {
    let Value::Array(keys) = cmd(&mut nodes[0].con, &format!("COMMAND GETKEYS {command}")) else {
        panic!("no keys of {command}")
    };
    let [Value::BulkString(key)] = keys.as_slice() else { panic!("not one key of {command}: {keys:?}") };
    let (_, owner) = owner(nodes, std::str::from_utf8(key).unwrap());
    reply(&mut nodes[owner].con, command)
}

#[apply(each_server)]
fn commands_find_their_node(#[case] kind: Kind) {
    let nodes = &mut cluster(kind);
    let mut used = [0; NODES];
    for user in 0..30 {
        let key = format!("user:{user}");
        let (slot, owner) = owner(nodes, &key);
        used[owner] += 1;
        assert_eq!(routed(nodes, &format!("QUOTELOCK.SET {key} {user} *")), "OK");
        let held = routed(nodes, &format!("QUOTELOCK.ACQUIRE {key} 3 * JSON"));
        assert!(held.contains(&format!(r#"{{"roleIds":["{user}"],"#)), "{held}");
        assert!(held.contains("Held"), "{held}");

        let address = nodes[owner].address();
        for (index, node) in nodes.iter_mut().enumerate() {
            for rest in ["GET key", "SET key 3 *", "ACQUIRE key 3 *", "DEL key IFEQ soon"] {
                let command = format!("QUOTELOCK.{}", rest.replace("key", &key));
                let reply = reply(&mut node.con, &command);
                if index == owner {
                    assert!(!reply.starts_with('-'), "{command}: {reply}");
                } else {
                    assert_eq!(reply, format!("-MOVED {slot} {address}"), "{command}");
                }
            }
        }
        assert_eq!(routed(nodes, &format!("QUOTELOCK.DEL {key}")), "1");
    }
    assert!(used.iter().all(|used| *used > 0), "{used:?}");
}

#[apply(each_server)]
fn hash_tags_keep_keys_together(#[case] kind: Kind) {
    let nodes = &mut cluster(kind);
    let (_, owner) = owner(nodes, "{user:42}");
    let con = &mut nodes[owner].con;
    for command in ["MULTI", "QUOTELOCK.SET {user:42}:a 3 *", "QUOTELOCK.ACQUIRE {user:42}:b 3 *"] {
        cmd(con, command);
    }
    assert!(reply(con, "EXEC").starts_with("[OK, ["));
    let script = "redis.call('QUOTELOCK.DEL', KEYS[1]) return redis.call('QUOTELOCK.DEL', KEYS[2])";
    assert_eq!(int(con, &["EVAL", script, "2", "{user:42}:a", "{user:42}:b"]), 1);
    let apart = error(con, &["EVAL", script, "2", "{user:42}:a", "{user:43}:b"]);
    assert!(apart.starts_with("CROSSSLOT"), "{apart}");
}

#[apply(each_server)]
fn locks_move_with_their_slot(#[case] kind: Kind) {
    let nodes = &mut cluster(kind);
    let (slot, owner) = owner(nodes, "{user:42}");
    let (from, to) = (owner, (owner + 1) % NODES);
    let (old, new) = (nodes[from].address(), nodes[to].address());
    let (from_id, to_id) = (nodes[from].id.clone(), nodes[to].id.clone());
    let (held, missing) = ("{user:42}:held", "{user:42}:missing");
    let set = format!(r#"QUOTELOCK.SET {held} ["é","7"] 2024-09-12T10:50:53+08:00 EX 5000"#);
    cmd(&mut nodes[from].con, &set);
    let (json, expiry) = stored(&mut nodes[from].con, held);

    cmd(&mut nodes[to].con, &format!("CLUSTER SETSLOT {slot} IMPORTING {from_id}"));
    cmd(&mut nodes[from].con, &format!("CLUSTER SETSLOT {slot} MIGRATING {to_id}"));
    for rest in ["GET key", "SET key 3 *", "ACQUIRE key 3 *", "DEL key"] {
        let command = format!("QUOTELOCK.{}", rest.replace("key", missing));
        assert_eq!(reply(&mut nodes[from].con, &command), format!("-ASK {slot} {new}"), "{command}");
        assert_eq!(reply(&mut nodes[to].con, &command), format!("-MOVED {slot} {old}"), "{command}");
    }
    let stays = reply(&mut nodes[from].con, &format!("QUOTELOCK.ACQUIRE {held} 3 * IFMISSING JSON"));
    assert!(stays.contains("Held"), "{stays}");
    let created = nodes[to].asking(&format!("QUOTELOCK.ACQUIRE {missing} 3 * JSON"));
    assert!(created.contains("Created"), "{created}");
    let created = nodes[to].asking(&format!("QUOTELOCK.ACQUIRE {missing} 4 * JSON"));
    assert!(created.contains(r#"{"roleIds":["3"],"#) && created.contains("Held"), "{created}");

    let port = nodes[to].server.port();
    cmd(&mut nodes[from].con, &format!("MIGRATE 127.0.0.1 {port} {held} 0 60000"));
    assert_eq!(reply(&mut nodes[from].con, &format!("QUOTELOCK.GET {held}")), format!("-ASK {slot} {new}"));
    let found = nodes[to].asking(&format!("QUOTELOCK.GET {held}"));
    assert!(
        found.starts_with(r#"["roleIds", ["é", "7"], "queryTime", "2024-09-12T10:50:53+08:00""#),
        "{found}"
    );
    for index in [to, from] {
        cmd(&mut nodes[index].con, &format!("CLUSTER SETSLOT {slot} NODE {to_id}"));
    }
    let moved = stored(&mut nodes[to].con, held);
    assert_eq!(moved.0, json);
    // MIGRATE sends the time that is left, so the way there is added to it.
    assert!((expiry..expiry + 1000).contains(&moved.1), "{expiry} {}", moved.1);
    assert_eq!(reply(&mut nodes[to].con, &format!("QUOTELOCK.DEL {held}")), "1");
    assert_eq!(reply(&mut nodes[from].con, &format!("QUOTELOCK.GET {held}")), format!("-MOVED {slot} {new}"));
}

/// Valkey 9 moves slots as a whole, if every module says that it can.
#[test]
fn locks_move_with_slots_that_move_as_a_whole() {
    let nodes = &mut cluster(Kind::VALKEY_9_1);
    let (slot, from) = owner(nodes, "user:42");
    let to = (from + 1) % NODES;
    let to_id = nodes[to].id.clone();
    cmd(&mut nodes[from].con, "QUOTELOCK.SET user:42 3,7 2024-09-12T10:50:53+08:00 EX 5000");
    let before = stored(&mut nodes[from].con, "user:42");
    cmd(&mut nodes[from].con, &format!("CLUSTER MIGRATESLOTS SLOTSRANGE {slot} {slot} NODE {to_id}"));
    let moved = format!("-MOVED {slot} {}", nodes[to].address());
    eventually(TIMEOUT, || (reply(&mut nodes[from].con, "QUOTELOCK.GET user:42") == moved).then_some(()));
    assert_eq!(stored(&mut nodes[to].con, "user:42"), before);
    assert_eq!(reply(&mut nodes[to].con, "QUOTELOCK.DEL user:42"), "1");
}
