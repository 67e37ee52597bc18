//! Pods that refill one cold table: each row is fetched from upstream once.
//!
//! `QUOTELOCK_FULL=1` runs it in full, 1,000 rounds of 8,000 rows, and prints what it took.

use std::collections::HashMap;
use std::sync::{Barrier, Mutex};
use std::thread;

use super::*;

const PODS: usize = 10;

/// Rounds, rows a round, and the most rows a pod fetches from upstream at a time.
fn size() -> (usize, usize, usize) {
    if std::env::var_os("QUOTELOCK_FULL").is_some() { (1000, 8000, 2000) } else { (20, 400, 100) }
}

/// Where prices come from: slow, and it counts who asks for what.
#[derive(Default)]
struct Upstream {
    asked: Mutex<HashMap<String, usize>>,
    calls: Mutex<usize>,
}

impl Upstream {
    fn ask(&self, ids: &[String]) -> Vec<String> {
        *self.calls.lock().unwrap() += 1;
        thread::sleep(Duration::from_millis(2));
        let mut asked = self.asked.lock().unwrap();
        ids.iter().for_each(|id| *asked.entry(id.clone()).or_default() += 1);
        ids.iter().map(|id| format!("price-of-{id}")).collect()
    }

    /// How often each row was asked for, at most; and that each was.
    #[track_caller]
    fn take(&self, rows: usize) -> usize {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        assert_eq!(asked.len(), rows);
        asked.values().copied().max().unwrap()
    }
}

fn strings(value: &Value) -> Vec<String> {
    redis::from_redis_value(value.clone()).unwrap()
}

/// The rows of a table, refilled by single flight: what the README shows. `dies` says whether the pod dies
/// with its claims.
fn refill(
    con: &mut Connection,
    table: &str,
    ids: &[String],
    limit: usize,
    claimed_ms: u64,
    upstream: &Upstream,
    mut dies: impl FnMut() -> bool,
) -> Vec<String> {
    let (limit, claimed_ms) = (limit.to_string(), claimed_ms.to_string());
    loop {
        let claim =
            ["VEHPRICE.CLAIM", table, "PX", &claimed_ms, "LIMIT", &limit, "FIELDS", "1", "price", "IDS"];
        let Value::Array(answer) = cmd(con, &with(&claim, ids)) else { panic!("no array") };
        let (claimed, pending) = (strings(&answer[5]), strings(&answer[7]));
        if !claimed.is_empty() {
            let prices = upstream.ask(&claimed);
            if dies() {
                continue;
            }
            let token = text_value(&answer[1]);
            let mset = ["VEHPRICE.MSET", table, "TOKEN", &token, "FIELDS", "1", "price", "ROWS"];
            let rows: Vec<String> =
                claimed.into_iter().zip(prices).flat_map(|(id, price)| [id, price]).collect();
            cmd(con, &with(&mset, &rows));
        } else if pending.is_empty() {
            let Value::Array(rows) = &answer[3] else { panic!("no rows") };
            return rows.iter().map(|row| strings(row).remove(0)).collect();
        } else {
            cmd(con, &with(&["VEHPRICE.MGET", table, "FIELDS", "1", "price", "BLOCK", "0", "IDS"], &pending));
        }
    }
}

/// The same without claims: who finds rows missing asks for them.
fn ask_all(con: &mut Connection, table: &str, ids: &[String], limit: usize, upstream: &Upstream) {
    let read = with(&["VEHPRICE.MGET", table, "FIELDS", "1", "price", "IDS"], ids);
    let Value::Array(rows) = cmd(con, &read) else { panic!("no array") };
    let missing: Vec<String> =
        ids.iter().zip(&rows).filter(|(_, row)| **row == Value::Nil).map(|(id, _)| id.clone()).collect();
    for ids in missing.chunks(limit) {
        let prices = upstream.ask(ids);
        let rows: Vec<String> = ids.iter().cloned().zip(prices).flat_map(|(id, price)| [id, price]).collect();
        cmd(con, &with(&["VEHPRICE.MSET", table, "NX", "FIELDS", "1", "price", "ROWS"], &rows));
    }
    cmd(con, &read);
}

fn with(words: &[&str], rest: &[String]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).chain(rest.iter().cloned()).collect()
}

fn text_value(value: &Value) -> String {
    redis::from_redis_value(value.clone()).unwrap()
}

/// Runs rounds in which all pods set out at once; returns how long a round took on average, until the last
/// pod had its rows.
fn rounds(server: &Server, rounds: usize, pod: impl Fn(&mut Connection, usize, usize) + Sync) -> Duration {
    let (barrier, took) = (Barrier::new(PODS), Mutex::new(Duration::ZERO));
    thread::scope(|scope| {
        for number in 0..PODS {
            let (pod, barrier, took) = (&pod, &barrier, &took);
            scope.spawn(move || {
                let con = &mut server.connection();
                for round in 0..rounds {
                    barrier.wait();
                    let began = Instant::now();
                    pod(con, round, number);
                    barrier.wait();
                    if number == 0 {
                        *took.lock().unwrap() += began.elapsed();
                        cmd(con, "FLUSHALL");
                    }
                }
            });
        }
    });
    let took = *took.lock().unwrap();
    took / u32::try_from(rounds).unwrap()
}

#[test]
fn each_row_is_asked_for_once() {
    let (times, rows, limit) = size();
    let server = Server::start(Kind::DEFAULT);
    let ids: Vec<String> = (0..rows).map(|id| id.to_string()).collect();
    let upstream = Upstream::default();
    let took = rounds(&server, times, |con, round, pod| {
        let found = refill(con, &format!("t{round}"), &ids, limit, 60_000, &upstream, || false);
        let right = found.iter().zip(&ids).all(|(price, id)| *price == format!("price-of-{id}"));
        assert!(right && found.len() == ids.len(), "round {round}, pod {pod}");
    });
    let asked = std::mem::take(&mut *upstream.asked.lock().unwrap());
    // The same ids in every round.
    assert!(asked.len() == rows && asked.values().all(|asked| *asked == times), "{:?}", asked.values().max());
    let calls = std::mem::take(&mut *upstream.calls.lock().unwrap());
    println!(
        "with claims: {} upstream calls a round, {took:?} until the last pod has its rows",
        calls / times
    );
    let con = &mut server.connection();
    assert_eq!((count(con, "claims_pending"), count(con, "claims_waiting")), (0, 0));
    assert_eq!(count(con, "claims_granted"), i64::try_from(rows * times).unwrap());

    let without = times.min(100);
    let took =
        rounds(&server, without, |con, round, _| ask_all(con, &format!("t{round}"), &ids, limit, &upstream));
    let calls = std::mem::take(&mut *upstream.calls.lock().unwrap());
    println!("without: {} upstream calls a round, {took:?} until the last pod has its rows", calls / without);
}

/// Pods that die with their claims: no row is asked for more often than once more for each death.
#[apply(oldest_and_newest)]
fn a_death_costs_one_more_call(#[case] kind: Kind) {
    let (times, rows, limit) = size();
    // Long enough that no pod but a dead one loses its claims, however slow the machine.
    let claimed_ms = if rows > 1000 { 15_000 } else { 2000 };
    let server = Server::start(kind);
    let ids: Vec<String> = (0..rows).map(|id| id.to_string()).collect();
    for round in 0..times.min(40) / 10 {
        let upstream = Upstream::default();
        let deaths = Mutex::new(0_usize);
        let began = Instant::now();
        rounds(&server, 1, |con, _, pod| {
            let mut dies = pod < 2;
            refill(con, "t", &ids, limit, claimed_ms, &upstream, || {
                *deaths.lock().unwrap() += usize::from(dies);
                std::mem::take(&mut dies)
            });
        });
        let (most, deaths) = (upstream.take(rows), *deaths.lock().unwrap());
        assert!(most <= 1 + deaths, "round {round}: asked {most} times, {deaths} deaths");
        // A death delays by the claim's end.
        let patience = Duration::from_millis(claimed_ms * (1 + deaths as u64)) + Duration::from_secs(20);
        assert!(began.elapsed() < patience, "{:?}", began.elapsed());
    }
}
