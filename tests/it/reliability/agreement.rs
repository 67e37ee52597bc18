//! The same tables wherever the same commands led: on replicas, after restarts, in copies.

use std::collections::BTreeMap;
use std::time::Instant;

use redis::{Connection, Value};

use super::{full, report};
use crate::harness::*;

/// Few enough that their replies fit into the sockets' buffers.
const AT_ONCE: usize = 250;

/// Commands of a seed.
fn commands() -> usize {
    if full() { 10_000 } else { 5000 }
}

/// The seeds on a server.
fn seeds(kind: Kind) -> u64 {
    match (full(), kind) {
        (true, _) => 200,
        (false, Kind::DEFAULT) => 50,
        (false, _) => 6,
    }
}

/// What a server holds that is to be the same elsewhere: tables as they read, and what is at the keys of
/// locks.
#[derive(PartialEq)]
struct Held {
    tables: Tables,
    locks: Keyspace,
}

type Tables = BTreeMap<String, Table>;

#[track_caller]
fn held(con: &mut Connection) -> Held {
    let mut locks = keyspace(con);
    locks.retain(|key, _| key.starts_with(b"user:"));
    Held { tables: all_tables(con), locks }
}

fn builder(kind: Kind) -> Builder {
    Server::builder(kind)
        .module_args(LASTING)
        .conf("repl-diskless-sync-delay 0")
        .conf("client-output-buffer-limit replica 0 0 0")
        .conf("auto-aof-rewrite-percentage 0")
}

/// Runs the seeds, each on tables of its own; one replica is read from all the while, the others are not.
fn play(kind: Kind, con: &mut Connection, read: &mut Connection) {
    let mut refused = 0;
    let mut asked = 0;
    for seed in 0..seeds(kind) {
        let rng = &mut Rng::seeded(seed);
        let family = format!("seed{seed}");
        for _ in 0..commands() / AT_ONCE {
            let command = |_| if rng.below(4) == 0 { lock_command(rng) } else { table_command(rng, &family) };
            let commands: Vec<_> = (0..AT_ONCE).map(command).collect();
            let replies = pipelined(con, &commands);
            asked += replies.len();
            refused += replies.iter().filter(|reply| matches!(reply, Value::ServerError(_))).count();
            let reads: Vec<_> =
                (0..3).map(|table| format!("VEHPRICE.GETALL {family}:{table} JSON")).collect();
            pipelined(read, &reads);
        }
    }
    assert!((asked / 20..asked / 2).contains(&refused), "{refused} of {asked} commands were refused");
}

#[track_caller]
fn agrees(con: &mut Connection, expected: &Held, what: &str) {
    let found = held(con);
    tables_agree(&found.tables, &expected.tables, what);
    for (key, found) in &found.locks {
        assert_eq!(Some(found), expected.locks.get(key), "{} {what}", key.escape_ascii());
    }
    assert_eq!(found.locks.len(), expected.locks.len(), "the locks {what}");
}

#[track_caller]
fn tables_agree(found: &Tables, expected: &Tables, what: &str) {
    let names = |tables: &Tables| tables.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(expected), "the tables {what}");
    for (key, table) in found {
        assert_eq!(table, &expected[key], "{key} {what}");
    }
}

#[apply(each_server)]
fn all_agree(#[case] kind: Kind) {
    let begun = Instant::now();
    let mut primary = builder(kind).conf("appendonly yes").conf("aof-use-rdb-preamble no").start();
    let con = &mut primary.connection();
    let (read, mut unread) = (builder(kind).start(), builder(kind).start());
    follow(&read, &primary);
    follow(&unread, &primary);
    play(kind, con, &mut read.connection());

    // What expires soon does so now; from here on all stays as it is.
    rest(2 * SHORT_MS as u64);
    in_step(con, 2);
    let expected = held(con);
    let rows: usize = expected.tables.values().map(|table| table.rows.len()).sum();
    assert!(rows > 10 * seeds(kind) as usize, "{} tables, {rows} rows", expected.tables.len());
    assert!(expected.locks.len() > 10, "{} locks", expected.locks.len());

    agrees(&mut read.connection(), &expected, "on a replica");
    agrees(&mut unread.connection(), &expected, "on a replica that was not read from");
    let late = builder(kind).start();
    follow(&late, &primary);
    agrees(&mut late.connection(), &expected, "on a replica that came late");
    copies_agree(con, &expected.tables);
    dumps_agree(con, &expected.tables, kind);
    migrated_agree(con, &expected.tables, kind);

    cmd(con, "DEBUG RELOAD");
    agrees(con, &expected, "after DEBUG RELOAD");
    cmd(&mut unread.connection(), "REPLICAOF NO ONE");
    cmd(&mut unread.connection(), "SAVE");
    unread.kill_and_restart();
    agrees(&mut unread.connection(), &expected, "from the RDB");

    primary.kill_and_restart();
    agrees(&mut primary.connection(), &expected, "from the AOF as it was written");
    for preamble in ["no", "yes"] {
        let con = &mut primary.connection();
        cmd(con, &["CONFIG", "SET", "aof-use-rdb-preamble", preamble]);
        rewrite(con);
        primary.kill_and_restart();
        let what = format!("from the AOF rewritten with preamble {preamble}");
        agrees(&mut primary.connection(), &expected, &what);
    }
    let figures = format!("{} seeds of {} commands, in {:.0?}", seeds(kind), commands(), begun.elapsed());
    report(kind, "random commands on every copy", &figures);
}

fn copies_agree(con: &mut Connection, expected: &Tables) {
    for (key, expected) in expected {
        assert_eq!(int(con, &["COPY", key, "copy"]), 1);
        assert_eq!(&table(con, "copy"), expected, "a copy of {key}");
        cmd(con, "DEL copy");
    }
}

fn dumps_agree(con: &mut Connection, expected: &Tables, kind: Kind) {
    let there = builder(kind).start();
    let there = &mut there.connection();
    for (key, table) in expected {
        let Value::BulkString(dump) = cmd(con, &["DUMP", key]) else { panic!("{key}: no dump") };
        let expiry = table.expiry.max(0).to_string();
        cmd(there, &[b"RESTORE", key.as_bytes(), expiry.as_bytes(), &dump, b"ABSTTL"]);
    }
    tables_agree(&all_tables(there), expected, "restored from a dump");
}

fn migrated_agree(con: &mut Connection, expected: &Tables, kind: Kind) {
    let server = builder(kind).start();
    let port = server.port().to_string();
    let mut migrate = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "60000", "COPY", "KEYS"];
    migrate.extend(expected.keys().map(String::as_str));
    assert_eq!(text(con, &migrate), "OK");
    let there = &mut server.connection();
    let mut found = all_tables(there);
    for (key, table) in &mut found {
        // MIGRATE hands on how long a key has left, and the journey takes a while.
        let expected = expected[key].expiry;
        assert!((expected..=expected + 5000).contains(&table.expiry), "{key}: {}", table.expiry);
        table.expiry = expected;
    }
    assert_eq!(&found, expected, "migrated");
}
