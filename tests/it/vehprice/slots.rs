//! A slot that moves to another node, tables and all, by the server's own means.

use redis::{Connection, Value};

use crate::harness::*;

/// Two nodes: the first has all slots.
pub(crate) fn pair(kind: Kind) -> [Server; 2] {
    let nodes = [0, 1].map(|_| {
        Server::builder(kind).conf("cluster-enabled yes").conf("repl-diskless-sync-delay 0").start()
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

/// Valkey 9 moves whole slots at once, by the commands of a rewritten AOF.
#[test]
fn a_slot_moves_at_once() {
    let nodes = pair(Kind::VALKEY_9_1);
    let (con, there) = (&mut nodes[0].connection(), &mut nodes[1].connection());
    fill(con);
    let held = KEYS.map(|key| table(con, key));
    let slot = int(con, "CLUSTER KEYSLOT a");
    let id = text(there, "CLUSTER MYID");
    cmd(con, &format!("CLUSTER MIGRATESLOTS SLOTSRANGE {slot} {slot} NODE {id}"));
    eventually(TIMEOUT, || {
        let state = show(&cmd(con, "CLUSTER GETSLOTMIGRATIONS"));
        assert!(!state.contains("failed"), "{state}\n{}", nodes[1].log_tail());
        state.contains("success").then_some(())
    });
    eventually(TIMEOUT, || (reply(there, "VEHPRICE.LEN {a}:never") == "1").then_some(()));
    assert_eq!(KEYS.map(|key| table(there, key)), held);
}

/// Key by key, as redis-cli does it.
#[apply(each_server)]
fn a_slot_moves_key_by_key(#[case] kind: Kind) {
    let nodes = pair(kind);
    let (con, there) = (&mut nodes[0].connection(), &mut nodes[1].connection());
    fill(con);
    let held = KEYS.map(|key| table(con, key).rows);
    let slot = int(con, "CLUSTER KEYSLOT a");
    let [from, to] = [text(con, "CLUSTER MYID"), text(there, "CLUSTER MYID")];
    cmd(there, &format!("CLUSTER SETSLOT {slot} IMPORTING {from}"));
    cmd(con, &format!("CLUSTER SETSLOT {slot} MIGRATING {to}"));
    let Value::Array(keys) = cmd(con, &format!("CLUSTER GETKEYSINSLOT {slot} 10")) else { panic!() };
    assert_eq!(keys.len(), 3);
    // The empty word stands for the key where there are several.
    let migrate = format!("MIGRATE 127.0.0.1 {}  0 60000 KEYS {}", nodes[1].port(), KEYS.join(" "));
    assert_eq!(text(con, &migrate), "OK");
    for con in [there, con] {
        cmd(con, &format!("CLUSTER SETSLOT {slot} NODE {to}"));
    }
    let there = &mut nodes[1].connection();
    assert_eq!(KEYS.map(|key| table(there, key).rows), held);
}
