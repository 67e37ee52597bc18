//! All of it at work: `scripts/monitoring`, as `make monitoring` runs it.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::dashboard;
use crate::harness::*;

/// How long until everything was scraped often enough, on a busy machine.
const SCRAPED: Duration = Duration::from_secs(180);

/// The script and what it has started.
struct Monitoring {
    script: Child,
    /// What it prints, until its end.
    printed: BufReader<ChildStdout>,
    /// What the script leaves behind when it is killed.
    _dir: TempDir,
    /// The primary's port, the replica's, and that of Prometheus.
    ports: [u16; 3],
}

impl Monitoring {
    #[track_caller]
    fn start(kind: Kind, first_port: u32) -> Self {
        let mut command = Command::new("env");
        // Who started the tests may ignore Ctrl-C.
        command.args(["--default-signal=INT", "scripts/monitoring"]).current_dir(workspace());
        command.env("REDIS_SERVER", kind.program().unwrap()).env("QUOTELOCK_MODULE", module());
        command.env("SCRAPE", "1s").env("PORT", first_port.to_string());
        let dir = TempDir::new().unwrap();
        command.env("TMPDIR", dir.path());
        let mut script = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut printed = BufReader::new(script.stdout.take().unwrap());
        let mut lines = printed.by_ref().lines().map(Result::unwrap);
        let mut port_after = |start: &str, before: &str| {
            let line = lines.by_ref().find(|line| line.starts_with(start));
            let line = line.unwrap_or_else(|| panic!("no line begins with {start}"));
            let digits = line.split(before).nth(1).unwrap().chars().take_while(char::is_ascii_digit);
            digits.collect::<String>().parse().unwrap()
        };
        let ports = [
            port_after("primary", "redis-cli -p "),
            port_after("replica", "redis-cli -p "),
            port_after("prometheus", "127.0.0.1:"),
        ];
        lines.find(|line| line.starts_with("Press Ctrl-C")).unwrap();
        Self { script, printed, _dir: dir, ports }
    }

    /// What Prometheus answers.
    fn get(&self, path: &str) -> serde_json::Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.ports[2])).unwrap();
        write!(stream, "GET /api/v1/{path} HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 "), "{path}: {answer}");
        serde_json::from_str::<serde_json::Value>(body).unwrap()["data"].take()
    }

    /// How many series a query has now.
    fn series(&self, query: &str) -> usize {
        let encoded: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
        self.get(&format!("query?query={encoded}"))["result"].as_array().unwrap().len()
    }

    /// Waits until each of these queries has a series.
    #[track_caller]
    fn all_there(&self, mut queries: BTreeSet<String>) {
        assert!(!queries.is_empty());
        let began = Instant::now();
        while began.elapsed() < SCRAPED {
            queries.retain(|query| self.series(query) == 0);
            if queries.is_empty() {
                return;
            }
            rest(500);
        }
        panic!("nothing is there for {queries:#?}");
    }
}

/// Where the script looks for ports: below those that the system gives to clients. Each test has a place.
fn first_port(place: u32) -> u32 {
    20_000 + std::process::id() % 400 * 30 + place * 10
}

impl Drop for Monitoring {
    fn drop(&mut self) {
        if let Ok(None) = self.script.try_wait() {
            let _ended = Command::new("kill").arg(self.script.id().to_string()).status();
            let _waited = self.script.wait();
        }
    }
}

/// The names of series in a query.
fn names(query: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut rest = query;
    while let Some(first) = rest.chars().next() {
        let is_part = |byte: char| byte.is_ascii_alphanumeric() || "_:".contains(byte);
        let length = rest.find(|byte| !is_part(byte)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(length);
        let skip_to = |from: &str, end: char| from.find(end).map_or(from.len(), |at| at + 1);
        let is_aggregator = ["by ", "without "].iter().any(|word| after.trim_start().starts_with(word));
        match (first, after.trim_start().chars().next()) {
            ('{', _) => rest = &rest[skip_to(rest, '}')..],
            ('[', _) => rest = &rest[skip_to(rest, ']')..],
            _ if word.is_empty() => rest = &rest[first.len_utf8()..],
            // The labels that follow are no series.
            _ if ["on", "by", "ignoring", "without", "group_left", "group_right"].contains(&word) => {
                rest = &after[skip_to(after, ')')..];
            }
            (_, Some('(')) => rest = after,
            _ if is_aggregator => rest = after,
            _ => {
                let is_word = ["and", "or", "unless", "offset"].contains(&word);
                if !is_word && !first.is_ascii_digit() {
                    names.insert(word.to_owned());
                }
                rest = after;
            }
        }
    }
    names
}

#[test]
fn names_of_series_are_found() {
    let query = r#"(sum by (job, of) (rate(a:b_c{le="x"}[5m] offset 1d)) > 1e6 or d) and on (job) group_right () max_d > 0.5 unless e"#;
    assert_eq!(names(query).into_iter().collect::<Vec<_>>(), ["a:b_c", "d", "e", "max_d"]);
}

#[apply(oldest_and_newest)]
fn all_that_is_asked_for_is_there(#[case] kind: Kind) {
    let mut monitoring = Monitoring::start(kind, first_port(kind.is_valkey().into()));
    let [primary, replica, prometheus] = monitoring.ports;

    // Each line of INFO quotelock, of both servers.
    let client = redis::Client::open(format!("redis://127.0.0.1:{primary}/")).unwrap();
    let con = &mut client.get_connection().unwrap();
    let told = info(con, "quotelock");
    assert!(told.len() > 40);
    let scraped = told.keys().map(|name| match name.strip_prefix("quotelock_sizes_") {
        Some(of) => format!("count(quotelock_sizes_bucket{{of=\"{of}\",le=\"+Inf\"}}) == 2"),
        None => format!("count({name}) == 2"),
    });
    monitoring.all_there(scraped.collect());
    monitoring.all_there(BTreeSet::from(["count(quotelock_sizes_sum) == 12".to_owned()]));
    assert_eq!(monitoring.series("{__name__=~\"quotelock.*\",key!=\"\"}"), 0);
    assert_eq!(monitoring.series("redis_script_values"), 0);
    // The load makes something of everything, and what is scraped is what is told.
    let moving = [
        "locks_held",
        "locks_effective",
        "rows_hit",
        "claims_granted",
        "verdicts_match",
        "changes_asked",
        "routes_core",
    ];
    monitoring.all_there(moving.map(|name| format!("increase(quotelock_{name}[1m]) > 0")).into());

    // What panels draw, and what rules make and alerts look at.
    let panels = dashboard::panels();
    assert!(panels.len() > 20);
    let drawn = panels.iter().flat_map(|(_, queries)| queries);
    monitoring.all_there(
        drawn.map(|query| query.replace("$instance", ".*").replace("$__rate_interval", "1m")).collect(),
    );
    let rules = monitoring.get("rules");
    let groups = rules["groups"].as_array().unwrap().iter();
    let rules: Vec<_> = groups.flat_map(|group| group["rules"].as_array().unwrap()).collect();
    assert!(rules.len() > 20);
    for rule in &rules {
        assert_eq!(rule["health"], "ok", "{rule}");
    }
    let query_of = |rule: &&serde_json::Value| names(rule["query"].as_str().unwrap());
    monitoring.all_there(rules.iter().flat_map(query_of).collect());
    let recorded = rules.iter().filter(|rule| rule["type"] == "recording");
    monitoring.all_there(recorded.map(|rule| rule["name"].as_str().unwrap().to_owned()).collect());

    // The exporters come as the user of docs/reference/access.md, and are refused nothing.
    monitoring.all_there(BTreeSet::from(["count(redis_exporter_last_scrape_error == 0) == 2".to_owned()]));
    assert_eq!(show(&cmd(con, "ACL LOG")), "[]");
    assert_eq!(monitoring.series("redis_up == 0"), 0);
    cmd(con, "ACL SETUSER monitoring off");
    monitoring.all_there(BTreeSet::from(["count(redis_up == 0) == 1".to_owned()]));

    // Ctrl-C ends all of it.
    let script = monitoring.script.id().to_string();
    assert!(Command::new("kill").args(["-INT", &script]).status().unwrap().success());
    let mut printed = String::new();
    monitoring.printed.read_to_string(&mut printed).unwrap();
    assert_eq!(printed, "\nStopping\n");
    assert!(monitoring.script.wait().unwrap().success());
    for port in [primary, replica, prometheus] {
        assert!(!listens(port), "something listens at {port} still");
    }
}

/// The kernel sees to it, as the script can't.
#[test]
fn a_script_that_is_killed_leaves_nothing_running() {
    let mut monitoring = Monitoring::start(Kind::DEFAULT, first_port(2));
    assert!(monitoring.ports.iter().all(|&port| listens(port)));
    monitoring.script.kill().unwrap();
    monitoring.script.wait().unwrap();
    eventually(TIMEOUT, || monitoring.ports.iter().all(|&port| !listens(port)).then_some(()));
}

fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}
