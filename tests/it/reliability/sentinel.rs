//! Sentinel makes a replica the primary: ioredis goes on, and a lock has a second moment only where it was on
//! no replica yet.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use serde::Deserialize;

use super::sentinels::{DOWN_AFTER_MS, SERVERS, Sentinel, primary_and_replicas, signal, three_watching};
use super::{full, report};
use crate::clients::program;
use crate::harness::*;

/// What the client says of a failover.
#[derive(Deserialize)]
struct Told {
    /// Locks made since it was last asked, and answers in all.
    made: u64,
    asked: u64,
    /// The longest time in milliseconds without an answer.
    gap: u64,
    /// Locks that have another moment now.
    second: Vec<Lock>,
}

#[derive(Debug, Deserialize)]
struct Lock {
    /// When it was handed out.
    at: i64,
    waited: bool,
}

#[derive(Default)]
struct Tally {
    failovers: u64,
    made: u64,
    asked: u64,
    longest_gap: u64,
    second: u64,
    earliest: i64,
}

/// Whether the server is a primary that the client makes locks on. Sentinel closes the connections of a
/// server whose role it changes.
fn makes_locks(server: &Server) -> bool {
    let told = redis::Client::open(server.url()).unwrap().get_connection().and_then(|mut con| {
        let role: String = redis::cmd("INFO").arg("replication").query(&mut con)?;
        let counters: String = redis::cmd("INFO").arg("quotelock").query(&mut con)?;
        Ok((role, counters))
    });
    told.is_ok_and(|(role, counters)| {
        let made = counters.lines().find_map(|line| line.strip_prefix("quotelock_locks_created:"));
        role.contains("role:master") && made.unwrap().parse::<u64>().unwrap() > 100
    })
}

/// Until both replicas have all but what is on its way.
fn followed_by_both(primary: &Server) {
    let con = &mut primary.connection();
    eventually(TIMEOUT, || {
        let state = info(con, "replication");
        let online =
            |replica| state.get(replica).is_some_and(|replica: &String| replica.contains("state=online"));
        (online("slave0") && online("slave1")).then_some(())
    });
}

fn fail_over_and_over(kind: Kind, failovers: u64) -> Tally {
    let mut tally = Tally::default();
    let mut servers = primary_and_replicas(kind, &[]);
    let mut primary = 0;
    let sentinels = three_watching(&servers[0]);
    let ports = sentinels.each_ref().map(|sentinel| sentinel.port.to_string());
    let mut client = program("sentinel_load.mjs");
    let mut client =
        client.arg(ports.join(",")).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut ask, mut said) = (client.stdin.take().unwrap(), BufReader::new(client.stdout.take().unwrap()));

    for failover in 0..failovers {
        let what = format!("failover {failover}");
        eventually(TIMEOUT, || makes_locks(&servers[primary]).then_some(()));
        sleep(Duration::from_millis(100));
        let process = info(&mut servers[primary].connection(), "server")["process_id"].clone();
        let failed = now();
        if failover % 2 == 0 {
            servers[primary].kill();
        } else {
            // It hangs, and closes no connection.
            signal(&process, "-STOP");
        }
        let others: Vec<usize> = (0..SERVERS).filter(|index| *index != primary).collect();
        let next =
            eventually(3 * TIMEOUT, || others.iter().copied().find(|index| makes_locks(&servers[*index])));
        writeln!(ask, "?").unwrap();
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let told: Told =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{what}: {error}: {line}"));
        for lock in &told.second {
            // The next primary is made no sooner than that.
            assert!(lock.at < failed + DOWN_AFTER_MS && !lock.waited, "{what}, failed at {failed}: {lock:?}");
            tally.earliest = tally.earliest.max(failed - lock.at);
        }
        tally.failovers += 1;
        tally.made += told.made;
        tally.asked += told.asked;
        tally.longest_gap = tally.longest_gap.max(told.gap);
        tally.second += told.second.len() as u64;

        // It comes back as Sentinel would have it.
        servers[primary].kill_and_restart();
        follow(&servers[primary], &servers[next]);
        followed_by_both(&servers[next]);
        sentinels.iter().for_each(Sentinel::is_ready);
        primary = next;
    }
    drop(ask);
    assert!(client.wait().unwrap().success());
    tally
}

#[apply(one_server)]
fn ioredis_goes_on_and_locks_that_were_waited_for_keep_their_moment(#[case] kind: Kind) {
    let tally = fail_over_and_over(kind, if full() { 6 } else { 2 });
    let figures = format!(
        "{} failovers, each other one of a primary that hangs, {} locks made, {} answers, the longest time without one {} ms; \
         {} locks have a second moment, handed out at most {} ms before the failure; none that WAIT 2 was answered for",
        tally.failovers, tally.made, tally.asked, tally.longest_gap, tally.second, tally.earliest
    );
    report(kind, "sentinel", &figures);
}
