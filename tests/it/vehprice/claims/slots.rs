//! Clients that wait for rows of a slot that moves to another node.

use super::*;
use crate::vehprice::slots::pair;

/// Clients that wait: for a row of a table that is there, and of one that is not.
fn waiting(server: &Server, con: &mut Connection) -> (Asked, Asked) {
    cmd(con, "VEHPRICE.SET {a}:there 1 FIELDS 1 a x");
    claim(con, "{a}:there", "IDS 2");
    claim(con, "{a}:absent", "IDS 2");
    let there = Asked::waiting(server, con, "VEHPRICE.MGET {a}:there BLOCK 0 JSON IDS 1 2");
    let absent = Asked::waiting(server, con, r#"VEHPRICE.MGET {a}:absent BLOCK 0 JSON LIST [1,"\u0032"]"#);
    (there, absent)
}

/// No one is left behind, the client is as before, and the rows can be claimed where they are now.
#[track_caller]
fn moved(nodes: &[Server; 2], mut client: Asked, key: &str, moved: &str) {
    let (from, to) = (&mut nodes[0].connection(), &mut nodes[1].connection());
    client.send("PING");
    assert_eq!(client.answer(), "PONG");
    client.send(&format!("VEHPRICE.MGET {key} BLOCK 0 JSON IDS 2"));
    assert_eq!(client.answer(), moved);
    assert_eq!(count(from, "claims_waiting"), 0);
    assert_eq!(claim(to, key, "IDS 2").claimed, "2");
}

/// Key by key: who waits for a table that goes asks again, and is sent on; who waits at a key without one is
/// sent on.
#[apply(each_server)]
fn waiters_of_a_slot_that_moves_key_by_key_are_sent_on(#[case] kind: Kind) {
    let nodes = &pair(kind);
    let (con, there) = (&mut nodes[0].connection(), &mut nodes[1].connection());
    let (mut of_table, mut of_none) = waiting(&nodes[0], con);
    let slot = int(con, "CLUSTER KEYSLOT a");
    let [from, to] = [text(con, "CLUSTER MYID"), text(there, "CLUSTER MYID")];
    cmd(there, &format!("CLUSTER SETSLOT {slot} IMPORTING {from}"));
    cmd(con, &format!("CLUSTER SETSLOT {slot} MIGRATING {to}"));
    rest(50);
    assert!(!of_table.is_answered() && !of_none.is_answered());
    let port = nodes[1].port();
    assert_eq!(text(con, &format!("MIGRATE 127.0.0.1 {port} {{a}}:there 0 60000")), "OK");
    assert_eq!(of_table.answer(), "[null,null]");
    assert!(!of_none.is_answered());
    for con in [there, con] {
        cmd(con, &format!("CLUSTER SETSLOT {slot} NODE {to}"));
    }
    let sent_on = format!("-MOVED {slot} 127.0.0.1:{port}");
    assert_eq!(of_none.answer(), sent_on);
    moved(nodes, of_table, "{a}:there", &sent_on);
    moved(nodes, of_none, "{a}:absent", &sent_on);
}

/// Valkey 9 moves whole slots at once.
#[test]
fn waiters_of_a_slot_that_moves_at_once_are_sent_on() {
    let nodes = &pair(Kind::VALKEY_9_1);
    let (con, there) = (&mut nodes[0].connection(), &mut nodes[1].connection());
    let (mut of_table, mut of_none) = waiting(&nodes[0], con);
    let slot = int(con, "CLUSTER KEYSLOT a");
    let to = text(there, "CLUSTER MYID");
    cmd(con, &format!("CLUSTER MIGRATESLOTS SLOTSRANGE {slot} {slot} NODE {to}"));
    let sent_on = format!("-MOVED {slot} 127.0.0.1:{}", nodes[1].port());
    let answer = of_table.answer();
    assert!(answer == "[null,null]" || answer == sent_on, "{answer}");
    assert_eq!(of_none.answer(), sent_on);
    moved(nodes, of_table, "{a}:there", &sent_on);
    moved(nodes, of_none, "{a}:absent", &sent_on);
}
