//! A primary that stands still while another takes its place, and then goes on: how long it hands out locks
//! of its own.

use std::time::{Duration, Instant};

use super::report;
use super::sentinels::{SERVERS, primary_and_replicas, signal, three_watching};
use crate::harness::*;

/// Locks that the old primary handed out beside the new one, and for how long.
fn second_moments(kind: Kind, conf: &[&str]) -> (u64, Duration) {
    let servers = primary_and_replicas(kind, conf);
    let _sentinels = three_watching(&servers[0]);
    let mut pod = servers[0].connection();
    // What is written now is written only if a replica has said that it is there.
    eventually(TIMEOUT, || try_cmd(&mut pod, "QUOTELOCK.ACQUIRE user:0 3,7 *").ok());
    let process = info(&mut pod, "server")["process_id"].clone();
    signal(&process, "-STOP");
    let is_primary = |index: &usize| {
        let client = redis::Client::open(servers[*index].url()).unwrap();
        let role = client
            .get_connection()
            .and_then(|mut con| redis::cmd("INFO").arg("replication").query::<String>(&mut con));
        role.is_ok_and(|role| role.contains("role:master"))
    };
    let next = eventually(3 * TIMEOUT, || (1..SERVERS).find(is_primary));
    let mut there = eventually(TIMEOUT, || {
        let mut con = redis::Client::open(servers[next].url()).unwrap().get_connection().ok()?;
        // The other replica has to follow before there can be a write.
        let lock = redis::cmd("QUOTELOCK.ACQUIRE").arg(&["user:1", "3,7", "*"]).exec(&mut con);
        lock.is_ok().then_some(con)
    });
    signal(&process, "-CONT");
    let (begun, mut handed_out, mut last) = (Instant::now(), 0, Duration::ZERO);
    // Until it finds that it has no replicas, or Sentinel makes it one, which closes its connections.
    while begun.elapsed() < TIMEOUT {
        let user = format!("user:split:{handed_out}");
        let acquire = |con: &mut redis::Connection| {
            redis::cmd("QUOTELOCK.ACQUIRE").arg(&[&user, "3,7", "*", "JSON"]).query::<String>(con)
        };
        match acquire(&mut pod) {
            Ok(here) => {
                let elsewhere = acquire(&mut there).unwrap();
                assert!([here, elsewhere].iter().all(|lock| lock.contains("Created")));
                handed_out += 1;
                last = begun.elapsed();
            }
            Err(_) => break,
        }
        rest(1);
    }
    (handed_out, last)
}

#[apply(one_server)]
fn a_stopped_primary_hands_out_locks_until_it_knows(#[case] kind: Kind) {
    let plain = second_moments(kind, &[]);
    let guarded = second_moments(kind, &["min-replicas-to-write 1", "min-replicas-max-lag 10"]);
    assert!(plain.0 > guarded.0, "{plain:?}, guarded {guarded:?}");
    let figures = format!(
        "a resumed primary handed out {} locks that had another moment elsewhere, for {} ms; with min-replicas-to-write 1 {}, \
         for {} ms",
        plain.0,
        plain.1.as_millis(),
        guarded.0,
        guarded.1.as_millis()
    );
    report(kind, "stopped_primary", &figures);
}
