//! A table as a key: any bytes, in its database, of a type of its own, and what Redis's own commands make of
//! it.

use super::*;

#[apply(each_server)]
fn any_bytes_are_a_key(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for key in &odd_keys() {
        let mut call = |name: &str, rest: &str| {
            let name = format!("VEHPRICE.{name}");
            reply(con, &words(&[name.as_bytes(), key], rest))
        };
        assert_eq!(call("SET", "1 FIELDS 1 a x"), "1");
        assert_eq!(call("MSET", "FIELDS 1 a ROWS 2 y"), "1");
        assert_eq!(call("GET", "1"), r#"["a", "x"]"#);
        assert_eq!(call("MGET", "1 2 3"), r#"[["a", "x"], ["a", "y"], nil]"#);
        assert_eq!(call("LEN", ""), "2");
        assert_eq!(call("VERIFY", "2 a y JSON"), r#""{"verdict":"Match","row":{"a":"y"}}""#);
        assert_eq!(call("DEL", "1"), "1");
        assert_eq!(call("GETALL", "JSON"), r#""{"2":{"a":"y"}}""#);
        assert_eq!(call("SCAN", "0 JSON"), r#""{"cursor":"0","rows":{"2":{"a":"y"}}}""#);
        assert!(call("PTTL", "2").starts_with("[1"));
        assert!(call("INFO", "").starts_with(r#"["rows", 1, "#));
        assert_eq!(call("CLEAR", ""), "1");
    }
    assert_eq!(int(con, "DBSIZE"), 0);
}

/// Every command with a table as its key.
const CALLS: [&str; 13] = [
    "VEHPRICE.SET {K} 1 FIELDS 1 a x",
    "VEHPRICE.MSET {K} FIELDS 1 a ROWS 1 x",
    "VEHPRICE.GET {K} 1",
    "VEHPRICE.MGET {K} 1",
    "VEHPRICE.GETALL {K}",
    "VEHPRICE.CHANGES {K} 0",
    "VEHPRICE.SCAN {K} 0",
    "VEHPRICE.CLEAR {K}",
    "VEHPRICE.DEL {K} 1",
    "VEHPRICE.LEN {K}",
    "VEHPRICE.PTTL {K} 1",
    "VEHPRICE.VERIFY {K} 1 a x",
    "VEHPRICE.INFO {K}",
];

#[apply(each_server)]
fn types_do_not_mix(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for other in [
        "SET other x",
        "RPUSH other x",
        "HSET other a x",
        "SADD other x",
        "ZADD other 1 x",
        "XADD other 1-1 a x",
    ] {
        cmd(con, "DEL other");
        cmd(con, other);
        let before = keyspace(con);
        for words in CALLS {
            assert_eq!(error(con, &words.replace("{K}", "other")), WRONGTYPE, "{words} after {other}");
        }
        if !other.starts_with("HSET") {
            assert_eq!(error(con, "VEHPRICE.MGETHASH other"), WRONGTYPE, "{other}");
            assert_eq!(error(con, "VEHPRICE.MGETHASH none other"), WRONGTYPE, "{other}");
        }
        assert_eq!(keyspace(con), before);
    }
    cmd(con, "DEL other");
    cmd(con, "VEHPRICE.SET t 1 FIELDS 1 a x");
    let before = keyspace(con);
    for words in [
        "GET t",
        "STRLEN t",
        "APPEND t x",
        "INCR t",
        "LPUSH t x",
        "LLEN t",
        "HGET t 1",
        "HSET t 1 x",
        "HGETALL t",
        "HDEL t 1",
        "SADD t x",
        "ZADD t 1 x",
        "XADD t * a x",
        "GETDEL t",
        "QUOTELOCK.SET t 3 *",
        "QUOTELOCK.GET t",
        "QUOTELOCK.ACQUIRE t 3 *",
        "QUOTELOCK.DEL t",
        "VEHPRICE.MGETHASH t",
    ] {
        assert_eq!(error(con, words), WRONGTYPE, "{words}");
    }
    assert_eq!(keyspace(con), before);
    // A plain SET overwrites anything.
    assert_eq!(reply(con, "SET t x"), "OK");
    assert_eq!(error(con, "VEHPRICE.GET t 1"), WRONGTYPE);
}

/// Redis 8.6 and 8.10 without jemalloc, as they are here, crash on `MEMORY USAGE` of a key that expires, be it a stream of
/// their own.
pub(super) const NO_EXPIRY: &str = "price-ttl-ms 0";

#[apply(each_server)]
fn is_of_a_type_of_its_own(#[case] kind: Kind) {
    let server = &Server::builder(kind).module_args(NO_EXPIRY).start();
    let con = &mut server.connection();
    cmd(con, "VEHPRICE.SET t 1 FIELDS 1 a x");
    cmd(con, "SET text x");
    cmd(con, "HSET hash a x");
    assert_eq!(reply(con, "TYPE t"), "vehprice1");
    assert_eq!(reply(con, "OBJECT ENCODING t"), r#""raw""#);
    assert_eq!(int(con, "OBJECT REFCOUNT t"), 1);
    assert!((0..60).contains(&int(con, "OBJECT IDLETIME t")));
    assert_eq!(reply(con, "SCAN 0 TYPE vehprice1"), r#"["0", ["t"]]"#);
    assert_eq!(reply(con, "SCAN 0 TYPE hash"), r#"["0", ["hash"]]"#);
    assert!(int(con, "MEMORY USAGE t") > 0);
    assert!(reply(con, "DEBUG OBJECT t").contains("encoding:raw"));
    for usage in ["MEMORY USAGE t", "MEMORY USAGE t SAMPLES 0"] {
        let small = int(con, usage);
        let given: Vec<String> = (0..1000).map(|id| format!("{id} {}", "v".repeat(200))).collect();
        cmd(con, &format!("VEHPRICE.MSET t FIELDS 1 a ROWS {}", given.join(" ")));
        let large = int(con, usage);
        assert!((200_000..600_000).contains(&(large - small)), "{usage}: {small}, {large}");
        cmd(con, "VEHPRICE.CLEAR t");
        cmd(con, "VEHPRICE.SET t 1 FIELDS 1 a x");
    }
}

#[apply(each_server)]
fn is_copied_renamed_moved_and_restored_whole(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let given: Vec<String> = (0..1000).map(|id| format!("{id} é\"{id}")).collect();
    cmd(con, &format!("VEHPRICE.MSET t PXAT {FAR} FIELDS 1 a ROWS {}", given.join(" ")));
    cmd(con, "VEHPRICE.SET t 7 MERGE PXAT 9999999999990 FIELDS 1 b x");
    let held = rows(con, "t");
    let same = |con: &mut Connection, key: &str, words: &str| {
        assert_eq!(rows(con, key), held, "{words}");
        assert_eq!(int(con, &["PEXPIRETIME", key]), FAR, "{words}");
        assert_eq!(int(con, &["VEHPRICE.LEN", key]), 1000, "{words}");
        let left = int_list(con, &["VEHPRICE.PTTL", key, "7", "8"]);
        assert_eq!(left[1] - left[0], 9, "{words}");
    };
    assert_eq!(int(con, "COPY t copy"), 1);
    same(con, "copy", "COPY");
    // The one is not the other.
    cmd(con, "VEHPRICE.DEL copy 8");
    cmd(con, "VEHPRICE.SET copy 9 FIELDS 1 other x");
    same(con, "t", "a write to the copy");
    assert_eq!(int(con, "COPY t copy"), 0);
    assert_eq!(int(con, "COPY t copy REPLACE"), 1);
    same(con, "copy", "COPY REPLACE");
    cmd(con, "VEHPRICE.CLEAR t");
    same(con, "copy", "CLEAR of the other");

    assert_eq!(reply(con, "RENAME copy t"), "OK");
    same(con, "t", "RENAME");
    assert_eq!(int(con, "MOVE t 3"), 1);
    assert_eq!(text(con, "VEHPRICE.GETALL t JSON"), "{}");
    cmd(con, "SELECT 3");
    same(con, "t", "MOVE");
    assert_eq!(int(con, "COPY t t DB 0"), 1);
    cmd(con, "SELECT 0");
    same(con, "t", "COPY DB");

    let Value::BulkString(dump) = cmd(con, "DUMP t") else { panic!("no dump") };
    cmd(con, "SET other x");
    let restore = [b"RESTORE".as_slice(), b"other", b"9999999999999", &dump, b"REPLACE", b"ABSTTL"];
    assert_eq!(reply(con, &restore), "OK");
    same(con, "other", "RESTORE");
    // Without an expiry it has none until the next write, its rows have theirs.
    cmd(con, "DEL other");
    assert_eq!(reply(con, &[b"RESTORE".as_slice(), b"other", b"0", &dump]), "OK");
    assert_eq!(int(con, "PEXPIRETIME other"), -1);
    assert_eq!(rows(con, "other"), held);
    cmd(con, "VEHPRICE.SET other 8 XX KEEPTTL MERGE FIELDS 1 b x");
    assert_eq!(int(con, "PEXPIRETIME other"), FAR);

    assert_eq!(int(con, "DEL t"), 1);
    assert_eq!(int(con, "UNLINK other"), 1);
    assert_eq!(int(con, "DBSIZE"), 0);
    cmd(con, "VEHPRICE.SET t 1 FIELDS 1 a x");
    cmd(con, "FLUSHALL ASYNC");
    assert_eq!(text(con, "VEHPRICE.GETALL t JSON"), "{}");
}

#[apply(each_server)]
fn in_a_cluster_is_where_its_slot_is(#[case] kind: Kind) {
    let server = Server::builder(kind).conf("cluster-enabled yes").start();
    let con = &mut server.connection();
    for words in CALLS {
        assert_eq!(error(con, &words.replace("{K}", "t")), "CLUSTERDOWN Hash slot not served", "{words}");
    }
    cmd(con, "CLUSTER ADDSLOTSRANGE 0 16383");
    eventually(TIMEOUT, || text(con, "CLUSTER INFO").contains("cluster_state:ok").then_some(()));
    for words in CALLS {
        cmd(con, &words.replace("{K}", "hermes:tags:{2024-09-12T02:50:00.000Z}:3"));
    }
    assert_eq!(reply(con, "VEHPRICE.MGETHASH {1}:a {1}:b"), "[nil, nil]");
    let apart = "CROSSSLOT Keys in request don't hash to the same slot";
    assert_eq!(error(con, "VEHPRICE.MGETHASH {1}:a {2}:b"), apart);
}

#[apply(each_server)]
fn is_in_the_database_that_is_selected(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    cmd(con, "SELECT 3");
    assert_eq!(int(con, "VEHPRICE.SET t 1 FIELDS 1 a three"), 1);
    cmd(con, "SELECT 0");
    assert_eq!(reply(con, "VEHPRICE.GET t 1"), "nil");
    assert_eq!(int(con, "VEHPRICE.SET t 1 NX FIELDS 1 a zero"), 1);
    cmd(con, "SWAPDB 0 3");
    assert_eq!(text(con, "VEHPRICE.GET t 1 JSON"), r#"{"a":"three"}"#);
    assert_eq!(int(con, "VEHPRICE.CLEAR t"), 1);
    cmd(con, "SELECT 3");
    assert_eq!(text(con, "VEHPRICE.GET t 1 JSON"), r#"{"a":"zero"}"#);
}
