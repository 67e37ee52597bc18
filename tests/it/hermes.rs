//! `examples/hermes`: its own tests, and its journeys in their short form.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::harness::*;

fn built() -> PathBuf {
    workspace().join("examples/hermes/dist")
}

/// Runs a program of the example, which `make test` has built, and gives what it printed.
#[track_caller]
fn node(kind: Kind, words: &[&str]) -> String {
    assert!(built().exists(), "there is no {}: run make test", built().display());
    let mut command = Command::new("node");
    command.args(words).current_dir(built());
    command.env("REDIS_SERVER", kind.program().unwrap()).env("QUOTELOCK_MODULE", module());
    let out = output(&command);
    let (said, complained) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{command:?}: {}\n{said}{complained}", out.status);
    said.into_owned()
}

#[apply(oldest_and_newest)]
fn the_example_passes_its_tests(#[case] kind: Kind) {
    let entries = fs::read_dir(built().join("test")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let tests: Vec<_> =
        names.filter(|name| name.ends_with(".test.js")).map(|name| format!("test/{name}")).collect();
    let words: Vec<_> = ["--test"].into_iter().chain(tests.iter().map(String::as_str)).collect();
    node(kind, &words);
}

/// Pods are killed, upstream fails, the primary is lost: no step shows another price than the one before
/// without saying so, whether pods keep copies of tables or not. The same journeys without quotelock do, or the
/// test would find nothing. Before them maps are measured at the turn of moments.
#[test]
fn prices_hold_through_journeys() {
    let said = node(Kind::DEFAULT, &["journeys/main.js", "short"]);
    let summary = |name: &str| -> Vec<Value> {
        serde_json::from_str(said.lines().find_map(|line| line.strip_prefix(name)).unwrap()).unwrap()
    };
    let turns = summary("turns: ");
    assert_eq!(turns.len(), 2, "{said}");
    for measured in turns.iter().flat_map(|turn| [&turn["turn"], &turn["within"]]) {
        assert!(measured["answers"].as_u64().unwrap() > 0, "{said}");
    }
    let outcomes = summary("journeys: ");
    assert_eq!(outcomes.len(), 3, "{said}");
    for outcome in &outcomes {
        let count = |name: &str| outcome[name].as_u64().unwrap();
        assert!(count("journeys") > 0 && count("killedPods") > 0, "{said}");
        if outcome["mode"] == "today" {
            assert!(count("mismatches") > 0, "{said}");
        } else {
            assert_eq!(count("mismatches") + count("pricesNotInBook"), 0, "{said}");
        }
    }
}
