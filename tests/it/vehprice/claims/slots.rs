//! Clients that wait for rows of a slot that moves to another node: they are sent on as the server sends on who waits
//! by its own commands.

use super::*;
use crate::vehprice::slots::pair;

/// Clients that wait, with a name for each: for rows of a table that is there and of one that is not, and by the
/// server's own commands.
fn waiting(server: &Server, con: &mut Connection) -> [(&'static str, Asked); 4] {
    const OWN: [&str; 2] = ["XREAD BLOCK 0 STREAMS {a}:stream $", "BLPOP {a}:list 0"];
    cmd(con, "XADD {a}:stream * f v");
    cmd(con, "VEHPRICE.SET {a}:there 1 FIELDS 1 a x");
    claim(con, "{a}:there", "IDS 2");
    claim(con, "{a}:absent", "IDS 2");
    let there = Asked::waiting(server, con, "VEHPRICE.MGET {a}:there BLOCK 0 JSON IDS 1 2");
    let absent = Asked::waiting(server, con, r#"VEHPRICE.MGET {a}:absent BLOCK 0 JSON LIST [1,"\u0032"]"#);
    let [stream, list] = OWN.map(|command| Asked::of(server, command));
    eventually(TIMEOUT, || (info(con, "clients")["blocked_clients"] == "4").then_some(()));
    [("there", there), ("absent", absent), ("stream", stream), ("list", list)]
}

/// Starts to move the slot key by key, as redis-cli does it, and moves the keys that are there. Returns the slot, and
/// the node's id to which it moves.
fn move_keys(nodes: &[Server; 2]) -> (i64, String) {
    let [con, there] = &mut [nodes[0].connection(), nodes[1].connection()];
    let slot = int(con, "CLUSTER KEYSLOT a");
    let [from, to] = [text(con, "CLUSTER MYID"), text(there, "CLUSTER MYID")];
    cmd(there, &format!("CLUSTER SETSLOT {slot} IMPORTING {from}"));
    cmd(con, &format!("CLUSTER SETSLOT {slot} MIGRATING {to}"));
    let migrate = format!("MIGRATE 127.0.0.1 {}  0 60000 KEYS {{a}}:there {{a}}:stream", nodes[1].port());
    assert_eq!(text(con, &migrate), "OK");
    (slot, to)
}

/// Longer than the module looks for what is to be told.
fn assert_told_nothing(clients: &mut [(&str, Asked)], when: &str) {
    rest(300);
    for (name, client) in clients {
        assert!(!client.is_answered(), "{name}, {when}");
    }
}

/// All are sent on and are the clients they were, nobody is left behind, and the rows can be claimed where they are now.
#[track_caller]
fn assert_sent_on(nodes: &[Server; 2], clients: [(&str, Asked); 4]) {
    let [con, there] = &mut [nodes[0].connection(), nodes[1].connection()];
    let sent_on = format!("-MOVED {} 127.0.0.1:{}", int(con, "CLUSTER KEYSLOT a"), nodes[1].port());
    for (name, mut client) in clients {
        assert_eq!(client.answer(), sent_on, "{name}");
        client.send("PING");
        assert_eq!(client.answer(), "PONG", "{name}");
        client.send("VEHPRICE.MGET {a}:there BLOCK 0 JSON IDS 2");
        assert_eq!(client.answer(), sent_on, "{name}");
    }
    assert_eq!(count(con, "claims_waiting"), 0);
    assert_eq!(claim(there, "{a}:there", "IDS 1 2").claimed, "2");
    assert_eq!(claim(there, "{a}:absent", "IDS 2").claimed, "2");
}

#[apply(each_server)]
fn of_a_slot_that_moves_key_by_key(#[case] kind: Kind) {
    let nodes = &pair(kind);
    let [con, there] = &mut [nodes[0].connection(), nodes[1].connection()];
    let mut clients = waiting(&nodes[0], con);
    let (slot, to) = move_keys(nodes);
    assert_told_nothing(&mut clients, "half-way");
    for con in [there, con] {
        cmd(con, &format!("CLUSTER SETSLOT {slot} NODE {to}"));
    }
    assert_sent_on(nodes, clients);
}

/// A slot stays after all, its keys gone: whoever waits for rows of a table that is gone waits for nothing.
#[apply(each_server)]
fn of_a_slot_that_stays_after_all(#[case] kind: Kind) {
    let nodes = &pair(kind);
    let con = &mut nodes[0].connection();
    let mut clients = waiting(&nodes[0], con);
    let (slot, _) = move_keys(nodes);
    assert_told_nothing(&mut clients, "half-way");
    cmd(con, &format!("CLUSTER SETSLOT {slot} STABLE"));
    assert_eq!(clients[0].1.answer(), "[null,null]");
    assert_told_nothing(&mut clients[1..], "stable");
    assert_eq!(count(con, "claims_waiting"), 1);
}

/// Valkey 9 moves whole slots at once.
#[test]
fn of_a_slot_that_moves_at_once() {
    let nodes = &pair(Kind::VALKEY_9_1);
    let [con, there] = &mut [nodes[0].connection(), nodes[1].connection()];
    let clients = waiting(&nodes[0], con);
    let (slot, to) = (int(con, "CLUSTER KEYSLOT a"), text(there, "CLUSTER MYID"));
    cmd(con, &format!("CLUSTER MIGRATESLOTS SLOTSRANGE {slot} {slot} NODE {to}"));
    assert_sent_on(nodes, clients);
}

/// A slot that is nobody's any more.
#[apply(each_server)]
fn of_a_slot_that_is_given_up(#[case] kind: Kind) {
    let nodes = &pair(kind);
    let con = &mut nodes[0].connection();
    let clients = waiting(&nodes[0], con);
    let slot = int(con, "CLUSTER KEYSLOT a");
    cmd(con, &format!("CLUSTER DELSLOTS {slot}"));
    cmd(con, "FLUSHALL");
    for (name, mut client) in clients {
        let answer = client.answer();
        assert!(answer.starts_with("-CLUSTERDOWN "), "{name}: {answer}");
    }
    assert_eq!(count(con, "claims_waiting"), 0);
}

/// A node that has renamed what the module asks by, and so can't be asked, answers as one outside a cluster.
#[apply(each_server)]
fn of_a_node_that_does_not_tell(#[case] kind: Kind) {
    let node = &Server::builder(kind).conf("cluster-enabled yes").conf("rename-command EXISTS \"\"").start();
    let con = &mut node.connection();
    cmd(con, "CLUSTER ADDSLOTSRANGE 0 16383");
    eventually(TIMEOUT, || text(con, "CLUSTER INFO").contains("cluster_state:ok").then_some(()));
    claim(con, "t", "IDS 1");
    let mut client = Asked::waiting(node, con, "VEHPRICE.MGET t BLOCK 0 JSON IDS 1");
    cmd(con, "VEHPRICE.CLEAR t");
    assert_eq!(client.answer(), "[null]");
}
