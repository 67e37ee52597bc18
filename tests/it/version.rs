//! The version stands in `Cargo.toml`; whatever else names it follows.

use std::fs;

use serde_json::Value;

use crate::harness::*;

const VERSION: &str = env!("CARGO_PKG_VERSION");

#[track_caller]
fn file(name: &str) -> String {
    fs::read_to_string(workspace().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[track_caller]
fn json(name: &str, pointer: &str) -> String {
    let read: Value = serde_json::from_str(&file(name)).unwrap();
    read.pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("{name} lacks {pointer}"))
        .to_owned()
}

/// What stands between `before` and the next quote, space or line's end, wherever the file has it.
#[track_caller]
fn after(name: &str, before: &str) -> Vec<String> {
    let text = file(name);
    let found: Vec<_> = text.split(before).skip(1).map(until_the_end).collect();
    assert!(!found.is_empty(), "{name} lacks {before:?}");
    found
}

fn until_the_end(rest: &str) -> String {
    rest.split(['"', ' ', '\n']).next().unwrap_or_default().to_owned()
}

#[test]
fn all_that_is_released_has_one_version() {
    let client = "/packages/..~1..~1clients~1typescript/version";
    assert_eq!(json("clients/typescript/package.json", "/version"), VERSION);
    assert_eq!(json("clients/typescript/package-lock.json", "/version"), VERSION);
    assert_eq!(json("clients/typescript/package-lock.json", "/packages//version"), VERSION);
    for example in ["hermes", "quickstart"] {
        assert_eq!(json(&format!("examples/{example}/package-lock.json"), client), VERSION, "{example}");
    }
    assert_eq!(after("clients/python/pyproject.toml", "\nversion = \""), [VERSION]);
    assert_eq!(
        after("clients/typescript/README.md", "/quotelock-"),
        [format!("{VERSION}.tgz")],
        "clients/typescript/README.md"
    );
}

/// `Cargo.lock` is held to it by `--locked`; the fuzzers have a lock file of their own.
#[test]
fn the_fuzzers_lock_file_has_it_too() {
    for package in ["quotelock", "quotelock-core", "quotelock-server"] {
        let entry = format!("name = \"{package}\"\nversion = \"");
        assert_eq!(after("fuzz/Cargo.lock", &entry), [VERSION], "{package}");
    }
}
