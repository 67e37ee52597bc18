//! A primary whose clock is ahead of its replica's, or behind it.
//!
//! No server's clock is moved: a feigned primary sends what one with another clock would send.

use crate::harness::*;

/// How far the clocks are apart.
const APART: i64 = 600_000;

fn row(x: &str, expiry: i64) -> (Vec<(String, String)>, i64) {
    (vec![("x".to_owned(), x.to_owned())], expiry)
}

/// To the primary its rows have expired; the replica would have shown them for ten more minutes.
#[apply(each_server)]
fn the_primary_is_ahead(#[case] kind: Kind) {
    let replica = &Server::start(kind);
    let con = &mut replica.connection();
    let mut primary = FakePrimary::of(replica);
    let over = now() + APART - 1;
    let fresh = over + 120_000;
    primary.send(&format!("VEHPRICE.MSET t PXAT {over} FIELDS 1 x ROWS a 1 b 1 c 1"));
    assert_eq!(int(con, "VEHPRICE.LEN t"), 3);
    // An NX that found nothing live, and a MERGE that found nothing to keep, come as rows like any other.
    primary.send(&format!("VEHPRICE.MSET t PXAT {fresh} FIELDS 1 x ROWS a 2"));
    let held = Rows::from([
        ("a".to_owned(), row("2", fresh)),
        ("b".to_owned(), row("1", over)),
        ("c".to_owned(), row("1", over)),
    ]);
    assert_eq!(live_rows(con, "t"), held);
    assert_eq!(int(con, "PEXPIRETIME t"), fresh);
    // The last row that is live there goes, and with it those that are live here.
    primary.send("DEL t");
    assert_eq!(int(con, "EXISTS t"), 0);
    assert_eq!(int(con, "DBSIZE"), 0);
}

/// To the replica the rows have expired when they come. It keeps them, shows none, and changes nothing by its
/// clock.
#[apply(each_server)]
fn the_primary_is_behind(#[case] kind: Kind) {
    let replica = &Server::start(kind);
    let con = &mut replica.connection();
    let mut primary = FakePrimary::of(replica);
    let over = now() - APART + 120_000;
    let live = now() + 500_000;
    primary.send(&format!("VEHPRICE.MSET t PXAT {over} FIELDS 2 x y ROWS a 1 2 b 3 4"));
    assert_eq!(int(con, "DBSIZE"), 1, "a table of expired rows is there");
    assert_eq!(reply(con, "VEHPRICE.GETALL t"), "[]");
    assert_eq!(reply(con, "VEHPRICE.GET t a"), "nil");
    assert_eq!(int(con, "VEHPRICE.LEN t"), 0);
    primary.send(&format!("VEHPRICE.MSET t PXAT {live} FIELDS 1 x ROWS c 1"));
    assert_eq!(live_rows(con, "t"), Rows::from([("c".to_owned(), row("1", live))]));
    assert_eq!(int(con, "PEXPIRETIME t"), live);
    // There the other two are live still, so their table stays; here it stays too, though it shows none.
    primary.send("VEHPRICE.DEL t c");
    assert_eq!(int(con, "VEHPRICE.LEN t"), 0);
    assert_eq!(int(con, "DBSIZE"), 1, "the primary has not deleted the table");
    // What is in there is replaced, not added to.
    primary.send(&format!("VEHPRICE.MSET t PXAT {live} FIELDS 1 x ROWS a 7"));
    assert_eq!(live_rows(con, "t"), Rows::from([("a".to_owned(), row("7", live))]));
    primary.send("DEL t");
    assert_eq!(int(con, "DBSIZE"), 0);
}

/// A replica that is made the primary uses its own clock from then on.
#[apply(each_server)]
fn the_replica_takes_over(#[case] kind: Kind) {
    let replica = &Server::start(kind);
    let con = &mut replica.connection();
    let mut primary = FakePrimary::of(replica);
    let live = now() + 500_000;
    primary.send(&format!("VEHPRICE.MSET t PXAT {} FIELDS 2 x y ROWS a 1 2 b 3 4", now() - APART));
    primary.send(&format!("VEHPRICE.MSET t PXAT {live} FIELDS 1 x ROWS c 1"));
    cmd(con, "REPLICAOF NO ONE");
    assert_eq!(int(con, "VEHPRICE.DEL t a"), 0);
    assert_eq!(int(con, &format!("VEHPRICE.SET t b XX PXAT {live} FIELDS 1 x 1")), 0);
    assert_eq!(int(con, &format!("VEHPRICE.SET t b MERGE PXAT {live} FIELDS 1 x 5")), 1);
    let held = Rows::from([("b".to_owned(), row("5", live)), ("c".to_owned(), row("1", live))]);
    assert_eq!(live_rows(con, "t"), held);
}

/// The AOF says what was stored; how long ago that was changes nothing of it.
#[apply(each_server)]
fn the_aof_is_loaded_late(#[case] kind: Kind) {
    let mut server = Server::builder(kind).conf("appendonly yes").conf("aof-use-rdb-preamble no").start();
    let con = &mut server.connection();
    cmd(con, "DEBUG SET-ACTIVE-EXPIRE 0");
    // In a transaction, in which the clock stands still: both rows are live until its end.
    let transaction = pipelined(
        con,
        &[
            "MULTI",
            "VEHPRICE.MSET t PX 20 FIELDS 2 x y ROWS a 1 2 b 3 4",
            "VEHPRICE.SET t a NX PXAT 4000000000000 FIELDS 1 x 9",
            "VEHPRICE.SET t b MERGE PXAT 4000000000000 FIELDS 1 x 9",
            "EXEC",
        ]
        .map(str::to_owned),
    );
    assert_eq!(show(transaction.last().unwrap()), "[2, 0, 1]");
    rest(30);
    server.kill();
    server.restart();
    let fields = [("x", "9"), ("y", "4")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let held = Rows::from([("b".to_owned(), (fields.to_vec(), 4_000_000_000_000))]);
    assert_eq!(live_rows(&mut server.connection(), "t"), held);
}

/// The primary has deleted a live row, and so put the key's expiry back to its longest-lived row, whatever a
/// hand had set. Where that row was swept meanwhile the key's expiry is put back too.
#[apply(each_server)]
fn a_deletion_of_what_was_swept_is_a_write_on_a_replica(#[case] kind: Kind) {
    let replica = &Server::start(kind);
    let con = &mut replica.connection();
    let mut primary = FakePrimary::of(replica);
    primary.send(&format!("VEHPRICE.MSET t PXAT {} FIELDS 1 x ROWS a 1", now() - APART));
    primary.send("VEHPRICE.MSET t PXAT 4000000000000 FIELDS 1 x ROWS b 1");
    primary.send("PEXPIREAT t 3900000000000");
    assert_eq!(int(con, "VEHPRICE.LEN t"), 1);
    primary.send("VEHPRICE.DEL t a");
    assert_eq!(int(con, "PEXPIRETIME t"), 4_000_000_000_000);
}

#[apply(each_server)]
fn a_deletion_of_what_was_swept_is_a_write_in_the_aof(#[case] kind: Kind) {
    let mut server = Server::builder(kind).conf("appendonly yes").conf("aof-use-rdb-preamble no").start();
    let con = &mut server.connection();
    let transaction = [
        "MULTI",
        "VEHPRICE.MSET t PX 20 FIELDS 1 x ROWS a 1",
        "VEHPRICE.MSET t PXAT 4000000000000 FIELDS 1 x ROWS b 1",
        "PEXPIREAT t 3900000000000",
        "VEHPRICE.DEL t a",
        "EXEC",
    ];
    let replies = pipelined(con, &transaction.map(str::to_owned));
    assert_eq!(show(replies.last().unwrap()), "[1, 1, 1, 1]");
    assert_eq!(int(con, "PEXPIRETIME t"), 4_000_000_000_000);
    rest(30);
    server.kill();
    server.restart();
    let con = &mut server.connection();
    assert_eq!(int(con, "PEXPIRETIME t"), 4_000_000_000_000, "restarted");
}
