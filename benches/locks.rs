//! What the QUOTELOCK commands cost beside plain GET, SET and the same logic in Lua.
//!
//! `redis-benchmark` sends each case in turn, round after round, so that a slow spell of the machine meets all alike.
//! `ROUNDS` and `REQUESTS` (of each case in a round) change how long it takes, `BENCH_SERVER` which server is measured.

mod common;
#[path = "locks/report.rs"]
mod report;

use std::time::UNIX_EPOCH;

use chrono::{DateTime, SecondsFormat};
use common::benchmark::Sample;
use common::number;
use common::report::{load, print_setting};
use common::server::{self, Outcome, Server};

/// The lock that is read and the one that is written.
const READ: &str = "hermes:price-lock:42";
const WRITTEN: &str = "hermes:price-lock:43";
const ROLES: &str = r#"["3","7"]"#;
const LUA: &str = include_str!("locks/get.lua");

/// A case, the one it is held against, and the least share of that one's speed.
const GOALS: [(&str, &str, f64); 7] = [
    ("QUOTELOCK.GET JSON", "GET", 0.75),
    ("QUOTELOCK.GET JSON", "GET in Lua", 6.0),
    ("QUOTELOCK.GET map", "GET", 0.5),
    ("QUOTELOCK.SET time", "SET EX", 0.6),
    ("QUOTELOCK.SET *", "SET EX", 0.6),
    ("QUOTELOCK.ACQUIRE held JSON", "GET", 0.4),
    ("QUOTELOCK.ACQUIRE held map", "GET", 0.4),
];

/// Counters of INFO that stay 0 while every reply is right and the lock that is read is Effective and held.
const DOUBTS: [(&str, &str); 6] = [
    ("stats", "total_error_replies"),
    ("quotelock", "quotelock_locks_close_to_expired"),
    ("quotelock", "quotelock_locks_missing"),
    ("quotelock", "quotelock_locks_invalid"),
    ("quotelock", "quotelock_locks_created"),
    ("quotelock", "quotelock_locks_refreshed"),
];

struct Case {
    name: &'static str,
    words: Vec<String>,
    /// One for each round.
    samples: Vec<Sample>,
}

/// A benchmark is no test: it ends well whatever it finds.
fn main() {
    if let Err(error) = run() {
        eprintln!("The benchmark did not end: {error}");
    }
}

fn run() -> Outcome<()> {
    let rounds = number("ROUNDS", 9)?;
    let requests = number("REQUESTS", 300_000)?;
    let module = server::path("QUOTELOCK_MODULE", "target/release/libquotelock.so");
    let server = Server::start(&module)?;
    print_setting(&server, &module)?;
    println!("measured: {rounds} rounds of {requests} requests a case, redis-benchmark -P 32 -c 20");

    let mut cases = cases(&server)?;
    check_lua(&server, &cases)?;
    measure(&server, &mut cases, rounds, requests)?;
    report::print_samples(&cases);
    report::print_goals(&cases)?;
    println!("\nload average at the end: {}", load());
    print_doubts(&server)
}

fn cases(server: &Server) -> Outcome<Vec<Case>> {
    let script: String = server.run(&["SCRIPT", "LOAD", LUA])?;
    let now = now()?;
    let case = |name, words: &[&str]| Case {
        name,
        words: words.iter().map(|&word| word.to_owned()).collect(),
        samples: Vec::new(),
    };
    Ok(vec![
        case("GET", &["GET", READ]),
        case("QUOTELOCK.GET JSON", &["QUOTELOCK.GET", READ, "JSON"]),
        case("QUOTELOCK.GET map", &["QUOTELOCK.GET", READ]),
        case("QUOTELOCK.ACQUIRE held JSON", &["QUOTELOCK.ACQUIRE", READ, ROLES, &now, "JSON"]),
        case("QUOTELOCK.ACQUIRE held map", &["QUOTELOCK.ACQUIRE", READ, ROLES, &now]),
        case("GET in Lua", &["EVALSHA", &script, "1", READ]),
        case("SET EX", &["SET", WRITTEN, &lock(&now), "EX", "360"]),
        case("QUOTELOCK.SET time", &["QUOTELOCK.SET", WRITTEN, ROLES, &now]),
        case("QUOTELOCK.SET *", &["QUOTELOCK.SET", WRITTEN, ROLES, "*"]),
    ])
}

fn now() -> Outcome<String> {
    let millis = i64::try_from(UNIX_EPOCH.elapsed()?.as_millis())?;
    let now = DateTime::from_timestamp_millis(millis).ok_or("the clock is beyond the calendar")?;
    Ok(now.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// As the services write it.
fn lock(moment: &str) -> String {
    format!(r#"{{"roleIds":{ROLES},"queryTime":"{moment}"}}"#)
}

/// A lock of this moment, so that it is held and Effective while a case runs.
fn renew(server: &Server) -> Outcome<()> {
    server.run(&["SET", READ, &lock(&now()?), "EX", "360"])
}

/// The script is a fair rival only while it answers the same.
fn check_lua(server: &Server, cases: &[Case]) -> Outcome<()> {
    renew(server)?;
    let answer = |name| -> Outcome<serde_json::Value> {
        let text: String = server.run(&find(cases, name)?.words)?;
        Ok(serde_json::from_str(&text)?)
    };
    let (native, script) = (answer("QUOTELOCK.GET JSON")?, answer("GET in Lua")?);
    if native == script { Ok(()) } else { Err(format!("{native} natively is {script} in Lua").into()) }
}

fn find<'cases>(cases: &'cases [Case], name: &str) -> Outcome<&'cases Case> {
    cases.iter().find(|case| case.name == name).ok_or_else(|| format!("there is no case {name}").into())
}

fn measure(server: &Server, cases: &mut [Case], rounds: u32, requests: u32) -> Outcome<()> {
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}");
        for case in cases.iter_mut() {
            renew(server)?;
            case.samples.push(Sample::take(server, &case.words, requests)?);
        }
        // Forth and back, so that none is always the first.
        cases.reverse();
    }
    if rounds % 2 == 1 {
        cases.reverse();
    }
    Ok(())
}

/// Says so if the figures are those of something else: redis-benchmark does not look at what it is answered.
fn print_doubts(server: &Server) -> Outcome<()> {
    for (section, counter) in DOUBTS {
        let count: u64 = server.info(section, counter)?;
        if count > 0 {
            println!("IN DOUBT: {counter} is {count}, not 0");
        }
    }
    Ok(())
}
