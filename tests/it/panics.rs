//! A panic while a value is saved: no file without its end takes the place of a good one, and the server goes
//! on.

use std::fs;

use redis::Value;

use crate::harness::*;

const DUMP: &str = "dump.rdb";

#[apply(each_server)]
fn in_the_midst_of_a_save_the_old_file_stays(#[case] kind: Kind) {
    let mut server = Server::start(kind);
    let con = &mut server.connection();
    load_beside(con, "panicking");
    cmd(con, "SET kept 1");
    cmd(con, "SAVE");
    let file = server.dir().join(DUMP);
    let good = fs::read(&file).unwrap();
    cmd(con, "PANICKING.PUT p");

    assert_eq!(error(con, "SAVE"), "ERR");
    assert_eq!(fs::read(&file).unwrap(), good);
    cmd(con, "BGSAVE");
    eventually(TIMEOUT, || (info(con, "persistence")["rdb_bgsave_in_progress"] == "0").then_some(()));
    assert_eq!(info(con, "persistence")["rdb_last_bgsave_status"], "err");
    assert_eq!(fs::read(&file).unwrap(), good);
    assert!(server.log().contains("a callback panicked: in the midst of it"), "{}", server.log());
    assert!(!server.log().contains("REPORT START"), "{}", server.log());

    cmd(con, "PANICKING.CALM");
    cmd(con, "SAVE");
    assert_ne!(fs::read(&file).unwrap(), good);
    server.kill();
}

/// The server can't refuse a `DUMP`, so what it answers is refused where it comes.
#[apply(each_server)]
fn in_the_midst_of_a_dump_nothing_is_restored(#[case] kind: Kind) {
    let server = Server::start(kind);
    let con = &mut server.connection();
    load_beside(con, "panicking");
    cmd(con, "PANICKING.PUT p");
    let Value::BulkString(half) = cmd(con, "DUMP p") else { panic!("DUMP answered no string") };
    let refused = error(con, &[b"RESTORE".as_slice(), b"q", b"0", &half]);
    assert_eq!(refused, "ERR Bad data format");
    cmd(con, "PANICKING.CALM");
    let Value::BulkString(whole) = cmd(con, "DUMP p") else { panic!("DUMP answered no string") };
    assert_eq!(reply(con, &[b"RESTORE".as_slice(), b"q", b"0", &whole]), "OK");
}

#[apply(each_server)]
fn in_the_midst_of_a_rewrite_the_old_aof_stays(#[case] kind: Kind) {
    let mut server = Server::builder(kind).conf("appendonly yes").conf("aof-use-rdb-preamble no").start();
    let con = &mut server.connection();
    eventually(TIMEOUT, || (info(con, "persistence")["aof_rewrite_in_progress"] == "0").then_some(()));
    load_beside(con, "panicking");
    cmd(con, "SET kept 1");
    cmd(con, "PANICKING.PUT p");
    cmd(con, "BGREWRITEAOF");
    eventually(TIMEOUT, || (info(con, "persistence")["aof_rewrite_in_progress"] == "0").then_some(()));
    assert_eq!(info(con, "persistence")["aof_last_bgrewrite_status"], "err");
    server.kill_and_restart();
    assert_eq!(text(&mut server.connection(), "GET kept"), "1");
}
