//! A slot that moves to another node, tables and all, by the server's own means.

use redis::{Connection, Value};

use super::claims::count;
use super::totals::agree;
use crate::harness::*;

/// Sent before a slot moves or a role changes: nothing special, or a pause of those who write or of all clients.
pub(crate) const PAUSES: [&str; 3] = ["PING", "CLIENT PAUSE 200 WRITE", "CLIENT PAUSE 200 ALL"];

/// Two nodes: the first has all slots.
pub(crate) fn pair(kind: Kind) -> [Server; 2] {
    let nodes = [0, 1].map(|_| {
        let node = Server::builder(kind).conf("cluster-enabled yes").conf("repl-diskless-sync-delay 0");
        // Otherwise a node that gives its last slot away turns replica.
        node.conf("cluster-allow-replica-migration no").start()
    });
    let [mut first, mut second] = [&nodes[0], &nodes[1]].map(Server::connection);
    cmd(&mut first, "CLUSTER ADDSLOTSRANGE 0 16383");
    cmd(&mut first, "CLUSTER SET-CONFIG-EPOCH 1");
    cmd(&mut second, "CLUSTER SET-CONFIG-EPOCH 2");
    cmd(&mut first, &format!("CLUSTER MEET 127.0.0.1 {}", nodes[1].port()));
    for con in [&mut first, &mut second] {
        eventually(TIMEOUT, || {
            let state = text(con, "CLUSTER INFO");
            let all = ["cluster_state:ok", "cluster_known_nodes:2"];
            all.iter().all(|line| state.contains(line)).then_some(())
        });
    }
    nodes
}

fn fill(con: &mut Connection) {
    cmd(con, "CONFIG SET quotelock.price-ttl-ms 0");
    cmd(con, "VEHPRICE.MSET {a}:mixed PXAT 4000000000000 FIELDS 2 x y ROWS 1 2 3 4 5 6");
    cmd(con, "VEHPRICE.SET {a}:mixed never FIELDS 1 z 1");
    cmd(con, "VEHPRICE.MSET {a}:mixed PX 20 FIELDS 1 z ROWS over 1 over2 2");
    cmd(con, "VEHPRICE.SET {a}:never a FIELDS 1 x 1");
    let mut many = "VEHPRICE.MSET {a}:many PXAT 4000000000001 FIELDS 1 x ROWS".to_owned();
    (0..3000).for_each(|id| many.push_str(&format!(" {id} {id}")));
    cmd(con, &many);
    rest(25);
}

const KEYS: [&str; 3] = ["{a}:mixed", "{a}:never", "{a}:many"];

/// Moves a slot and its keys as a whole, by the server's own command, and waits until both nodes have noticed.
pub(crate) fn move_at_once(from: &Server, to: &Server, slot: i64) {
    let [con, there] = &mut [from.connection(), to.connection()];
    let (told, status) = if from.kind().is_valkey() {
        let id = text(there, "CLUSTER MYID");
        cmd(con, &format!("CLUSTER MIGRATESLOTS SLOTSRANGE {slot} {slot} NODE {id}"));
        ("success", "CLUSTER GETSLOTMIGRATIONS".to_owned())
    } else {
        let task = text(there, &format!("CLUSTER MIGRATION IMPORT {slot} {slot}"));
        ("completed", format!("CLUSTER MIGRATION STATUS ID {task}"))
    };
    for con in [con, there] {
        eventually(TIMEOUT, || {
            // Of Valkey's list the first is the last one that began.
            let Value::Array(found) = cmd(con, &status) else { panic!("{status}") };
            let state = found.first().map(show).unwrap_or_default();
            assert!(!state.contains("failed"), "{state}\n{}\n{}", from.log_tail(), to.log_tail());
            state.contains(told).then_some(())
        });
    }
}

/// Moves a slot and its keys one by one, as redis-cli does it. Returns how many there were.
pub(crate) fn move_key_by_key(from: &Server, to: &Server, slot: i64) -> usize {
    let moved = move_keys(from, to, slot);
    let id = text(&mut to.connection(), "CLUSTER MYID");
    for node in [to, from] {
        cmd(&mut node.connection(), &format!("CLUSTER SETSLOT {slot} NODE {id}"));
    }
    moved
}

/// The first part of it: the keys have moved, the slot is still of the node they come from.
pub(crate) fn move_keys(from: &Server, to: &Server, slot: i64) -> usize {
    let [con, there] = &mut [from.connection(), to.connection()];
    let [from_id, to_id] = [text(con, "CLUSTER MYID"), text(there, "CLUSTER MYID")];
    cmd(there, &format!("CLUSTER SETSLOT {slot} IMPORTING {from_id}"));
    cmd(con, &format!("CLUSTER SETSLOT {slot} MIGRATING {to_id}"));
    let found = cmd(con, &format!("CLUSTER GETKEYSINSLOT {slot} 10"));
    let keys: Vec<String> = redis::from_redis_value(found).unwrap();
    if !keys.is_empty() {
        // The empty word stands for the key where there are several.
        let migrate = format!("MIGRATE 127.0.0.1 {}  0 60000 KEYS {}", to.port(), keys.join(" "));
        assert_eq!(text(con, &migrate), "OK");
    }
    keys.len()
}

/// Whole, by the commands of a rewritten AOF.
#[apply(whole_slots)]
fn a_slot_moves_at_once(#[case] kind: Kind) {
    let nodes = pair(kind);
    let (con, there) = (&mut nodes[0].connection(), &mut nodes[1].connection());
    fill(con);
    let held = KEYS.map(|key| table(con, key));
    let slot = int(con, "CLUSTER KEYSLOT a");
    move_at_once(&nodes[0], &nodes[1], slot);
    assert_eq!(KEYS.map(|key| table(there, key)), held);
    // What is left at the source is freed in the background.
    eventually(TIMEOUT, || (count(con, "tables") == 0).then_some(()));
    agree(con, 0, "at the source");
    agree(there, 3, "at the destination");
}

#[apply(each_server)]
fn a_slot_moves_key_by_key(#[case] kind: Kind) {
    let nodes = pair(kind);
    let (con, there) = (&mut nodes[0].connection(), &mut nodes[1].connection());
    fill(con);
    let held = KEYS.map(|key| table(con, key).rows);
    let slot = int(con, "CLUSTER KEYSLOT a");
    assert_eq!(move_key_by_key(&nodes[0], &nodes[1], slot), 3);
    assert_eq!(KEYS.map(|key| table(there, key).rows), held);
}
