//! Claims on rows of a slot that moves to another node end, and clients that wait for them are sent on as the server
//! sends on who waits by its own commands.

use super::*;
use crate::vehprice::slots::{PAUSES, move_at_once, move_key_by_key, move_keys, pair};

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

/// Starts to move the slot key by key, and moves the keys that are there. Returns the slot, and the node's id to which
/// it moves.
fn start_to_move(nodes: &[Server; 2]) -> (i64, String) {
    let [con, there] = &mut [nodes[0].connection(), nodes[1].connection()];
    let slot = int(con, "CLUSTER KEYSLOT a");
    assert_eq!(move_keys(&nodes[0], &nodes[1], slot), 2);
    (slot, text(there, "CLUSTER MYID"))
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
    for pause in PAUSES {
        let nodes = &pair(kind);
        let [con, there] = &mut [nodes[0].connection(), nodes[1].connection()];
        let mut clients = waiting(&nodes[0], con);
        cmd(con, pause);
        let (slot, to) = start_to_move(nodes);
        assert_told_nothing(&mut clients, &format!("half-way, {pause}"));
        for con in [there, con] {
            cmd(con, &format!("CLUSTER SETSLOT {slot} NODE {to}"));
        }
        assert_sent_on(nodes, clients);
    }
}

/// A slot stays after all, its keys gone: whoever waits for rows of a table that is gone waits for nothing.
#[apply(each_server)]
fn of_a_slot_that_stays_after_all(#[case] kind: Kind) {
    let nodes = &pair(kind);
    let con = &mut nodes[0].connection();
    let mut clients = waiting(&nodes[0], con);
    let (slot, _) = start_to_move(nodes);
    assert_told_nothing(&mut clients, "half-way");
    cmd(con, &format!("CLUSTER SETSLOT {slot} STABLE"));
    assert_eq!(clients[0].1.answer(), "[null,null]");
    assert_told_nothing(&mut clients[1..], "stable");
    assert_eq!(count(con, "claims_waiting"), 1);
}

#[apply(whole_slots)]
fn of_a_slot_that_moves_at_once(#[case] kind: Kind) {
    for pause in PAUSES {
        let nodes = &pair(kind);
        let con = &mut nodes[0].connection();
        let clients = waiting(&nodes[0], con);
        let slot = int(con, "CLUSTER KEYSLOT a");
        cmd(con, pause);
        move_at_once(&nodes[0], &nodes[1], slot);
        assert_sent_on(nodes, clients);
    }
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

/// A table that is there and one that is not.
const TABLES: [&str; 2] = ["{a}:there", "{a}:absent"];

/// Claims a row of each, and one of another slot.
fn claims(con: &mut Connection) -> [String; 3] {
    cmd(con, "VEHPRICE.SET {a}:there 1 FIELDS 1 a x");
    ["{a}:there", "{a}:absent", "{b}:stays"].map(|key| claim(con, key, "IDS 2").token)
}

/// The rows change at the node that has the slot meanwhile, and nobody notices it here.
fn change(con: &mut Connection) {
    for key in TABLES {
        cmd(con, &["VEHPRICE.SET", key, "2", "FIELDS", "1", "a", "new"]);
        cmd(con, &["VEHPRICE.CLEAR", key]);
    }
}

/// How many rows are stored under these tokens.
fn stored(con: &mut Connection, tokens: &[String]) -> Vec<i64> {
    let keys = TABLES.into_iter().chain(["{b}:stays"]);
    let store = |(key, token): (&str, &String)| {
        int(con, &["VEHPRICE.MSET", key, "TOKEN", token, "JSON", r#"{"2":{"a":"stale"}}"#])
    };
    keys.zip(tokens).map(store).collect()
}

#[apply(whole_slots)]
fn end_when_it_moves_at_once(#[case] kind: Kind) {
    let nodes = &pair(kind);
    let [con, there] = &mut [nodes[0].connection(), nodes[1].connection()];
    let tokens = claims(con);
    let slot = int(con, "CLUSTER KEYSLOT a");
    move_at_once(&nodes[0], &nodes[1], slot);
    eventually(TIMEOUT, || (count(con, "tables") == 0).then_some(()));
    assert_eq!([count(con, "claims_pending"), count(con, "claims_ended")], [1, 2]);
    change(there);
    move_at_once(&nodes[1], &nodes[0], slot);
    assert_eq!(stored(con, &tokens), [0, 0, 1]);
    assert_eq!(TABLES.map(|key| int(con, &["EXISTS", key])), [0, 0]);
}

/// Even if it had left otherwise.
#[apply(whole_slots)]
fn end_when_it_comes_back_at_once(#[case] kind: Kind) {
    let nodes = &pair(kind);
    let [con, there] = &mut [nodes[0].connection(), nodes[1].connection()];
    let tokens = claims(con);
    let slot = int(con, "CLUSTER KEYSLOT a");
    move_key_by_key(&nodes[0], &nodes[1], slot);
    change(there);
    move_at_once(&nodes[1], &nodes[0], slot);
    assert_eq!(stored(con, &tokens), [0, 0, 1]);
}

/// No server tells which slot moves so, and there is no key. A table that comes there with the slot ends them.
#[apply(each_server)]
fn outlive_a_move_key_by_key_without_a_table(#[case] kind: Kind) {
    let nodes = &pair(kind);
    let [con, there] = &mut [nodes[0].connection(), nodes[1].connection()];
    let tokens = claims(con);
    let token = claim(con, "{a}:comes", "IDS 2").token;
    let slot = int(con, "CLUSTER KEYSLOT a");
    move_key_by_key(&nodes[0], &nodes[1], slot);
    change(there);
    for key in ["{a}:there", "{a}:comes"] {
        cmd(there, &["VEHPRICE.SET", key, "1", "FIELDS", "1", "a", "new"]);
    }
    move_key_by_key(&nodes[1], &nodes[0], slot);
    assert_eq!(stored(con, &tokens), [0, 1, 1]);
    assert_eq!(
        int(con, &["VEHPRICE.SET", "{a}:comes", "2", "TOKEN", &token, "FIELDS", "1", "a", "stale"]),
        0
    );
}

/// A node takes a slot over and leaves its keys where they are: the node that had it deletes them.
#[apply(each_server)]
fn end_when_its_keys_are_deleted(#[case] kind: Kind) {
    let nodes = &pair(kind);
    let [con, there] = &mut [nodes[0].connection(), nodes[1].connection()];
    claims(con);
    let slot = int(con, "CLUSTER KEYSLOT a");
    let [from, to] = [text(con, "CLUSTER MYID"), text(there, "CLUSTER MYID")];
    cmd(there, &format!("CLUSTER SETSLOT {slot} IMPORTING {from}"));
    cmd(there, &format!("CLUSTER SETSLOT {slot} NODE {to}"));
    eventually(TIMEOUT, || (count(con, "tables") == 0).then_some(()));
    assert!(count(con, "claims_ended") >= 1);
}

/// Redis 8.4 and newer remove keys of a slot that isn't theirs in the background, and tell no data type of each.
#[rstest]
#[case::redis_8_10(Kind::REDIS_8_10)]
#[ignore = "for make test ALL=1"]
#[case::all_redis_8_6(Kind::REDIS_8_6)]
fn end_when_its_keys_are_trimmed(#[case] kind: Kind) {
    let nodes = &pair(kind);
    let con = &mut nodes[0].connection();
    let tokens = claims(con);
    let slot = int(con, "CLUSTER KEYSLOT a");
    cmd(con, &format!("CLUSTER DELSLOTS {slot}"));
    assert_eq!(count(con, "claims_pending"), 3);
    cmd(con, &format!("TRIMSLOTS RANGES 1 {slot} {slot}"));
    eventually(TIMEOUT, || (count(con, "tables") == 0).then_some(()));
    assert_eq!([count(con, "claims_pending"), count(con, "claims_ended")], [1, 2]);
    cmd(con, &format!("CLUSTER ADDSLOTS {slot}"));
    eventually(TIMEOUT, || text(con, "CLUSTER INFO").contains("cluster_state:ok").then_some(()));
    assert_eq!(stored(con, &tokens), [0, 0, 1]);
}
