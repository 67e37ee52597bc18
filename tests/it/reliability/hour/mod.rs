//! An hour of mixed load on several servers at once, each with a replica: memory, descriptors, threads and clients
//! are what they were, and a client waits no longer.
#![expect(clippy::cast_precision_loss, reason = "bytes and counts, far below what a float keeps")]

mod chart;
mod clients;
mod data;
mod plan;
mod samples;
mod steps;
mod verdict;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use redis::{Connection, Value};

use self::clients::Shop;
use self::plan::Plan;
use self::samples::{Node, Probe, Sample};
use self::verdict::Course;
use super::{report, seed_of};
use crate::harness::*;

const SERVERS: [Kind; 4] = [Kind::REDIS_7_0, Kind::REDIS_8_2, Kind::VALKEY_8_1, Kind::VALKEY_9_1];
const OTHERS: [Kind; 6] =
    [Kind::REDIS_7_2, Kind::REDIS_7_4, Kind::REDIS_8_0, Kind::REDIS_8_6, Kind::REDIS_8_10, Kind::VALKEY_8_0];
const SERVICES: u64 = 3;
/// How many calls a server must get, or they show little.
const ENOUGH: u64 = 2000;

/// What became of a server and its replica.
struct Run {
    kind: Kind,
    courses: [Course; 2],
    /// Calls by family of commands.
    calls: BTreeMap<String, u64>,
}

#[test]
fn nothing_grows() {
    let plan = Plan::of_this_run();
    check(&SERVERS, plan, if plan.is_the_hour() { "docs/charts" } else { "target/hour" });
}

#[test]
#[ignore = "for make test ALL=1"]
fn nothing_grows_on_all_others() {
    check(&OTHERS, Plan::of_this_run(), "target/hour-others");
}

fn check(kinds: &[Kind], plan: Plan, place: &str) {
    let runs: Vec<Run> = thread::scope(|scope| {
        let started: Vec<_> = kinds.iter().map(|kind| scope.spawn(move || run(*kind, plan))).collect();
        started.into_iter().map(|run| run.join().expect("a server's run failed")).collect()
    });
    data::write(&workspace().join(place), &runs, &plan);
    let mut grown = Vec::new();
    for Run { kind, courses, calls } in &runs {
        let all = total(calls);
        let by_family: Vec<String> =
            calls.iter().map(|(family, calls)| format!("{family} {calls}")).collect();
        report(*kind, "hour", &format!("{} s, {all} calls ({})", plan.load.as_secs(), by_family.join(", ")));
        for course in courses {
            report(*kind, "hour", &course.figures(all, &plan));
            grown
                .extend(course.complaints(&plan).into_iter().map(|complaint| format!("{kind}, {complaint}")));
        }
        assert!(all >= ENOUGH, "{kind}: only {all} calls");
    }
    assert!(grown.is_empty(), "{}", grown.join("\n"));
}

fn run(kind: Kind, plan: Plan) -> Run {
    let settings = |builder: Builder| {
        builder
            .module_args(&format!("price-ttl-ms {}", plan.life_ms))
            // What is kept for later looks takes memory that comes and goes by chance.
            .conf("slowlog-log-slower-than -1")
            .conf("repl-diskless-sync-delay 0")
            .conf("repl-backlog-size 256kb")
            .conf("client-output-buffer-limit replica 0 0 0")
            .conf("appendonly yes")
    };
    let primary = &settings(Server::builder(kind)).start();
    let replica = &replica_of(primary, settings(Server::builder(kind)));
    let nodes = &mut [Node::of(primary), Node::of(replica)];

    load(nodes, &plan, plan.warm_up, 0);
    let before = empty(nodes, &plan);
    let calls_before = calls(&mut nodes[0].con);
    let [of_primary, of_replica] = load(nodes, &plan, plan.load, ENOUGH);
    let after = empty(nodes, &plan);
    let mut calls = calls(&mut nodes[0].con);
    for (family, before) in calls_before {
        *calls.get_mut(&family).unwrap() -= before;
    }
    let ([one, other], [one_after, other_after]) = (before, after);
    let courses = [
        Course { node: "primary", before: one, after: one_after, samples: of_primary },
        Course { node: "replica", before: other, after: other_after, samples: of_replica },
    ];
    for server in [primary, replica] {
        assert!(!server.log().contains("panic"), "{}", server.log_tail());
    }
    Run { kind, courses, calls }
}

/// Mixed load for this time, or until there were `at_least` calls if that takes longer; what was seen of either server meanwhile.
fn load(nodes: &mut [Node<'_>; 2], plan: &Plan, time: Duration, at_least: u64) -> [Vec<Sample>; 2] {
    let (stop, probe) = (&AtomicBool::new(false), &Probe::default());
    let server = nodes[0].server;
    let shop = &Shop { server, plan: *plan, stop };
    let rng = |client: u64| Rng::seeded(1000 * seed_of(server.kind()) + client);
    let mut samples = [Vec::new(), Vec::new()];
    thread::scope(|scope| {
        for service in 0..SERVICES {
            scope.spawn(move || shop.serve(rng(service)));
        }
        scope.spawn(move || shop.visit(rng(10)));
        scope.spawn(move || shop.wait(rng(11)));
        scope.spawn(move || shop.copy());
        scope.spawn(move || shop.keep());
        scope.spawn(move || probe.ask(shop, rng(12)));
        let _over = Over(stop);
        let begun = Instant::now();
        let before = total(&calls(&mut nodes[0].con));
        let mut done = 0;
        while !stop.load(Relaxed) && begun.elapsed() < if done < at_least { time + TIMEOUT } else { time } {
            shop.pause(plan.interval);
            for (node, samples) in nodes.iter_mut().zip(&mut samples) {
                samples.push(node.sample());
            }
            samples[0].last_mut().unwrap().extend(probe.take());
            done = total(&calls(&mut nodes[0].con)) - before;
        }
    });
    samples
}

/// Deletes every other key, waits until the others have expired and clients and claims have gone, and looks at
/// what is still taken.
fn empty(nodes: &mut [Node<'_>; 2], plan: &Plan) -> [Sample; 2] {
    let con = &mut nodes[0].con;
    let Value::Array(keys) = cmd(con, "KEYS *") else { panic!("KEYS gave no array") };
    for key in keys.into_iter().step_by(2) {
        let Value::BulkString(key) = key else { panic!("{}", show(&key)) };
        cmd(con, &[b"UNLINK".to_vec(), key]);
    }
    in_step(con, 1);
    nodes.each_mut().map(|node| node.at_rest(Duration::from_millis(plan.life_ms)))
}

fn total(calls: &BTreeMap<String, u64>) -> u64 {
    calls.values().sum()
}

/// How often commands were called, by family.
fn calls(con: &mut Connection) -> BTreeMap<String, u64> {
    let mut calls = BTreeMap::new();
    for (name, figures) in info(con, "commandstats") {
        let name = name.trim_start_matches("cmdstat_");
        // Those of the samples.
        if name.starts_with("memory") {
            continue;
        }
        let family = match name.split_once('.') {
            Some((family @ ("quotelock" | "vehprice" | "priceplan"), _)) => family,
            _ => "others",
        };
        let count: u64 = figures.split(['=', ',']).nth(1).unwrap().parse().unwrap();
        *calls.entry(family.to_owned()).or_default() += count;
    }
    calls
}
