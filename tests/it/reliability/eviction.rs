//! At the end of memory, under each policy: what is there is whole, what went is gone on replicas too, and
//! memory returns.

use std::collections::{BTreeMap, BTreeSet};

use redis::{Connection, Value};

use super::{full, report};
use crate::harness::*;

const POLICIES: [&str; 8] = [
    "noeviction",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
];

/// Room for some of what is written.
const ROOM: i64 = 1_200_000;

/// What single allocations and buffers may take beyond the limit, and the servers' own bookkeeping.
const SLACK: i64 = 700_000;

/// Keys written: every fourth a lock, every eighth a table without an expiry.
fn keys() -> u64 {
    if full() { 10_000 } else { 600 }
}

const ROWS: u64 = 20;

fn used(con: &mut Connection) -> i64 {
    info(con, "memory")["used_memory"].parse().unwrap()
}

/// The command that writes a key, and what the key then reads as.
fn write(number: u64) -> (Vec<String>, String) {
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    if number.is_multiple_of(4) {
        let role = format!("{number}{}", "r".repeat(200));
        let lock = format!("{{\"roleIds\":[\"{role}\"],\"queryTime\":\"2024-09-12T02:50:53.000Z\"}}");
        return (
            words(&format!("QUOTELOCK.SET {number} {role} 2024-09-12T02:50:53.000Z EX 1000000")),
            lock[..lock.len() - 1].to_owned() + ",\"ttlMs\":1000000000}",
        );
    }
    let value = format!("{number}{}", "v".repeat(200));
    let expiry = if stays(number) { "" } else { "PXAT 4000000000000 " };
    let rows: String = (0..ROWS).map(|id| format!(" {id} {value}")).collect();
    (words(&format!("VEHPRICE.MSET {number} {expiry}FIELDS 1 a ROWS{rows}")), value)
}

/// Whether a key has no expiry, so that no `volatile-` policy may take it.
fn stays(number: u64) -> bool {
    number % 8 == 1
}

/// Whether the key is there; what is there is whole.
#[track_caller]
fn is_whole(con: &mut Connection, number: u64, expected: &str) -> bool {
    if number.is_multiple_of(4) {
        let lock = text(con, &format!("GET {number}"));
        assert!(lock == "nil" || lock == expected, "{lock}");
        return lock != "nil";
    }
    let rows = live_rows(con, &number.to_string());
    let whole = rows.len() as u64 == ROWS
        && rows.values().all(|(fields, _)| *fields == [("a".to_owned(), expected.to_owned())]);
    assert!(rows.is_empty() || whole, "{number}: {rows:?}");
    !rows.is_empty()
}

#[apply(each_server)]
fn under_each_policy(#[case] kind: Kind) {
    let (mut evicted, mut refused) = (0, 0);
    let primary = Server::builder(kind)
        .module_args("price-ttl-ms 0")
        .conf("repl-diskless-sync-delay 0")
        // It counts, and is 10 MB on Valkey.
        .conf("repl-backlog-size 500kb")
        .start();
    let con = &mut primary.connection();
    let replica = replica_of(&primary, Server::builder(kind));
    let there = &mut replica.connection();
    // What the first round leaves behind, as buffers that grow, is not counted.
    let mut empty = None;
    for policy in ["allkeys-lru"].into_iter().chain(POLICIES) {
        let before = used(con);
        cmd(con, &format!("CONFIG SET maxmemory {} maxmemory-policy {policy}", before + ROOM));
        cmd(con, "CONFIG RESETSTAT");
        let (mut book, mut oom) = (BTreeMap::new(), BTreeSet::new());
        for number in 0..keys() {
            let (command, expected) = write(number);
            match try_cmd(con, &command) {
                Ok(_) => drop(book.insert(number, expected)),
                Err(error) => {
                    assert!(error.starts_with("OOM command not allowed"), "{policy}: {error}");
                    oom.insert(number);
                }
            }
        }
        // What the replica has still to be sent does not count, and memory may come back in the background.
        in_step(con, 1);
        eventually(TIMEOUT, || (used(con) < before + ROOM + SLACK).then_some(()));
        // Looking takes memory too, and is to evict no more.
        cmd(con, "CONFIG SET maxmemory 0");
        let gone: Vec<_> =
            book.iter().filter(|(number, expected)| !is_whole(con, **number, expected)).collect();
        let counted = info(con, "stats")["evicted_keys"].parse::<usize>().unwrap();
        assert_eq!(gone.len(), counted, "{policy}");
        match policy {
            "noeviction" => assert!(gone.is_empty() && !oom.is_empty(), "{policy}"),
            _ if policy.starts_with("volatile") => {
                assert!(gone.iter().all(|(number, _)| !stays(**number)) && !gone.is_empty(), "{policy}");
            }
            _ => assert!(
                oom.is_empty() && !gone.is_empty(),
                "{policy}: {} gone, {} refused",
                gone.len(),
                oom.len()
            ),
        }
        for number in &oom {
            assert_eq!(int(con, &format!("EXISTS {number}")), 0, "{policy}: {number} was refused");
        }
        evicted += gone.len();
        refused += oom.len();
        in_step(con, 1);
        assert_eq!(text(there, "DEBUG DIGEST"), text(con, "DEBUG DIGEST"), "{policy}");

        cmd(con, "FLUSHALL SYNC");
        in_step(con, 1);
        let left = used(con);
        let first = *empty.get_or_insert(left);
        assert!(left - first < SLACK / 2, "{policy}: {} bytes did not return", left - first);
    }
    assert_eq!(cmd(con, "DBSIZE"), Value::Int(0));
    let figures = format!("8 policies, {} keys each: {evicted} evicted, {refused} refused", keys());
    report(kind, "eviction", &figures);
}
