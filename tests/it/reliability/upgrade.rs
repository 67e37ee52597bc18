//! Files that version 0.1.0 left behind, as a whole server's: this version starts on them. They are never
//! made anew.

use std::fs;
use std::path::PathBuf;

use redis::Connection;

use super::report;
use crate::harness::*;

fn fixture(name: &str) -> PathBuf {
    workspace().join("tests/fixtures").join(name)
}

const RDB: &str = "v0.1.0.rdb";
const AOF: &str = "v0.1.0.aof";

/// What was sent.
const STORY: [&str; 9] = [
    r#"QUOTELOCK.SET user:1 ["3","7"] 2024-09-12T02:50:53.000Z"#,
    r#"QUOTELOCK.SET user:2 ["é"] 2024-09-12T10:50:53+08:00 EX 1000 BUFFER 5"#,
    "PERSIST user:1",
    "PEXPIREAT user:2 253402300799998",
    "VEHPRICE.MSET t PXAT 253402300799999 FIELDS 2 styleId pricingId ROWS 71 7 571 72 8 572 73 9 573",
    r#"VEHPRICE.MSET t MERGE FIELDS 1 plan:571 ROWS 72 {"price":"1.50"}"#,
    "VEHPRICE.DEL t 73",
    "VEHPRICE.SET never é FIELDS 1 a x",
    "SET hermes:pricingReleaseToggle 3",
];

/// What a server holds then, written out: it must not follow from what the module does today.
#[track_caller]
fn is_all_there(con: &mut Connection, what: &str) {
    let answers = [
        ("GET user:1", r#""{"roleIds":["3","7"],"queryTime":"2024-09-12T02:50:53.000Z"}""#),
        ("PEXPIRETIME user:1", "-1"),
        (
            "GET user:2",
            r#""{"roleIds":["é"],"queryTime":"2024-09-12T10:50:53+08:00","ttlMs":1000000,"bufferMs":5000}""#,
        ),
        ("PEXPIRETIME user:2", "253402300799998"),
        (
            "QUOTELOCK.GET user:2 AT 2024-09-12T02:50:53Z JSON",
            r#""{"roleIds":["é"],"queryTime":"2024-09-12T10:50:53+08:00","state":"Effective"}""#,
        ),
        (
            "VEHPRICE.MGET t JSON IDS 71 72 73",
            r#""[{"styleId":"7","pricingId":"571"},{"styleId":"8","pricingId":"572","plan:571":"{\"price\":\"1.50\"}"},null]""#,
        ),
        ("PEXPIRETIME t", "253402300799999"),
        ("VEHPRICE.LEN t", "2"),
        ("VEHPRICE.GETALL never JSON", r#""{"é":{"a":"x"}}""#),
        ("PEXPIRETIME never", "-1"),
        ("PRICEPLAN.TAG hermes:pricingReleaseToggle 571", r#"["571"]"#),
        ("DBSIZE", "5"),
    ];
    for (command, expected) in answers {
        assert_eq!(reply(con, command), expected, "{what}: {command}");
    }
}

#[apply(each_server)]
fn files_of_0_1_0_are_read(#[case] kind: Kind) {
    let mut server = Server::start(kind);
    server.kill();
    fs::copy(fixture(RDB), server.dir().join("dump.rdb")).unwrap();
    server.restart();
    is_all_there(&mut server.connection(), "from the RDB");

    let mut server = Server::builder(kind).conf("appendonly yes").start();
    server.kill();
    // As one file, which the server takes up when it finds no others.
    fs::remove_dir_all(server.dir().join("appendonlydir")).unwrap();
    fs::copy(fixture(AOF), server.dir().join("appendonly.aof")).unwrap();
    server.restart();
    is_all_there(&mut server.connection(), "from the AOF");
    report(kind, "upgrade", "an RDB and an AOF of 0.1.0 read");
}

/// Only for the first time: `cargo test -- --ignored` where there are no such files.
#[test]
#[ignore = "the fixtures stay as they are"]
fn make_the_fixtures() {
    assert!(!fixture(RDB).exists() && !fixture(AOF).exists());
    let server = Server::builder(Kind::DEFAULT).module_args("price-ttl-ms 0").conf("appendonly yes").start();
    let con = &mut server.connection();
    for command in STORY {
        cmd(con, command);
    }
    is_all_there(con, "as it was written");
    cmd(con, "SAVE");
    fs::copy(server.dir().join("dump.rdb"), fixture(RDB)).unwrap();
    let written = fs::read(server.dir().join("appendonlydir/appendonly.aof.1.incr.aof")).unwrap();
    fs::write(fixture(AOF), written).unwrap();
}
