//! The server's clock set an hour ahead and back again, while locks, rows and claims are there.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use redis::Connection;

use super::{full, report};
use crate::harness::*;
use crate::vehprice::claims::{Asked, count};

const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

const HOUR_S: i64 = 3600;

/// A server whose clock is set by a file.
fn server(kind: Kind) -> Server {
    let preload = format!("LD_PRELOAD={LIBRARY}");
    let words = [
        "env",
        &preload,
        "FAKETIME_TIMESTAMP_FILE={dir}/clock",
        "FAKETIME_NO_CACHE=1",
        "FAKETIME_DONT_FAKE_MONOTONIC=1",
    ];
    Server::builder(kind).conf("appendonly yes").under(&words).start()
}

/// Sets the clock this many seconds ahead of the true time.
#[track_caller]
fn set_clock(server: &Server, con: &mut Connection, ahead_s: i64) {
    fs::write(server.dir().join("next"), format!("{ahead_s:+}")).unwrap();
    fs::rename(server.dir().join("next"), server.dir().join("clock")).unwrap();
    eventually(TIMEOUT, || {
        let (seconds, _): (i64, i64) = redis::from_redis_value(cmd(con, "TIME")).unwrap();
        ((seconds - ahead_s) * 1000 - now()).abs().lt(&60_000).then_some(())
    });
}

fn ids_of(con: &mut Connection, command: &str, list: &str) -> String {
    let answer: serde_json::Value = serde_json::from_str(&text(con, command)).unwrap();
    answer[list].to_string()
}

/// Not on Debian's own server, which does not start with the library: its allocator is one too, and each
/// waits for the other.
#[rstest]
#[case::redis_8_2(Kind::REDIS_8_2)]
#[case::valkey_8_1(Kind::VALKEY_8_1)]
#[case::valkey_9_1(Kind::VALKEY_9_1)]
fn ahead_by_an_hour_and_back(#[case] kind: Kind) {
    if !Path::new(LIBRARY).exists() {
        report(kind, "clock set by an hour", "not run: there is no libfaketime");
        return;
    }
    let rounds = if full() { 50 } else { 1 };
    let mut server = server(kind);
    let con = &mut server.connection();
    for _ in 0..rounds {
        set_clock(&server, con, 0);
        cmd(con, "FLUSHALL");
        cmd(con, &format!("VEHPRICE.SET t short EX {} FIELDS 1 a s", HOUR_S / 2));
        cmd(con, &format!("VEHPRICE.SET t long EX {} FIELDS 1 a l", 3 * HOUR_S));
        cmd(con, &format!("VEHPRICE.SET t never PXAT {LATEST_EXPIRY} FIELDS 1 a n"));
        cmd(con, "QUOTELOCK.SET user:1 3 *");
        cmd(con, &format!("QUOTELOCK.SET user:2 3 * EX {}", 3 * HOUR_S));
        let claim = "VEHPRICE.CLAIM t PX 600000 JSON IDS absent";
        assert_eq!(ids_of(con, claim, "claimed"), r#"["absent"]"#);
        assert_eq!(ids_of(con, claim, "pending"), r#"["absent"]"#);

        set_clock(&server, con, HOUR_S);
        let read = "VEHPRICE.MGET t JSON IDS short long never";
        assert_eq!(text(con, read), r#"[null,{"a":"l"},{"a":"n"}]"#, "an hour ahead");
        assert_eq!(int(con, "VEHPRICE.LEN t"), 2);
        assert_eq!(reply(con, "QUOTELOCK.GET user:1"), "nil");
        assert!(text(con, "QUOTELOCK.GET user:2 JSON").contains("Effective"));
        assert!(text(con, "QUOTELOCK.ACQUIRE user:1 3 * JSON").contains("Created"));
        // The claim has expired, and another's begins.
        assert_eq!(ids_of(con, claim, "claimed"), r#"["absent"]"#, "an hour ahead");
        // Who waits now is told as soon as the row is there: far sooner than the timer goes off that was set before.
        let mut waiting = Asked::of(&server, "VEHPRICE.MGET t JSON BLOCK 0 IDS absent");
        eventually(TIMEOUT, || (count(con, "claims_waiting") == 1).then_some(()));
        let stored = Instant::now();
        cmd(con, &format!("VEHPRICE.SET t absent EX {} FIELDS 1 a x", 3 * HOUR_S));
        assert_eq!(waiting.answer(), r#"[{"a":"x"}]"#);
        let took = stored.elapsed();
        assert!(took < Duration::from_secs(20), "told after {took:?}");
        cmd(con, "VEHPRICE.DEL t absent");
        assert_eq!(ids_of(con, claim, "claimed"), r#"["absent"]"#, "an hour ahead, again");

        set_clock(&server, con, -HOUR_S);
        let rows = text(con, "VEHPRICE.MGET t JSON IDS long never");
        assert_eq!(rows, r#"[{"a":"l"},{"a":"n"}]"#, "an hour behind");
        // A lock on a moment to come is in force, and is held.
        assert!(text(con, "QUOTELOCK.ACQUIRE user:1 7 * JSON").contains("Held"));
        assert!(text(con, "QUOTELOCK.GET user:2 JSON").contains("Effective"));
        // A claim of two hours ahead is not over; what ends claims ends it, and waiting ends by itself.
        assert_eq!(ids_of(con, claim, "pending"), r#"["absent"]"#, "an hour behind");
        assert_eq!(text(con, "VEHPRICE.MGET t JSON BLOCK 50 IDS absent"), "[null]");
        cmd(con, "VEHPRICE.SET t absent EX 10000 FIELDS 1 a x");
        assert_eq!(text(con, "VEHPRICE.MGET t JSON BLOCK 0 IDS absent"), r#"[{"a":"x"}]"#);

        // What was swept an hour ahead is still in the AOF, and not over there; a write makes it one again.
        cmd(con, "VEHPRICE.SET t short EX 10000 FIELDS 1 a s");
        let digest = text(con, "DEBUG DIGEST");
        cmd(con, "DEBUG RELOAD");
        assert_eq!(text(con, "DEBUG DIGEST"), digest, "after DEBUG RELOAD");
        cmd(con, "DEBUG LOADAOF");
        assert_eq!(text(con, "DEBUG DIGEST"), digest, "after DEBUG LOADAOF");
    }
    server.restart();
    assert_eq!(text(&mut server.connection(), "PING"), "PONG");
    report(kind, "clock set by an hour", &format!("{rounds} times ahead and back"));
}
