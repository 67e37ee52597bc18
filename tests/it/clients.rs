//! The client programs of the guide, the TypeScript and the Python client, and the services' way of keeping locks beside
//! the module's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use chrono::DateTime;
use serde_json::Value;

use crate::cluster::cluster;
use crate::harness::*;

/// Fill a table and read it. Each stands in the guide as it is.
const TABLE_SNIPPETS: [&str; 2] = ["ioredis_table.mjs", "redis_py_table.py"];

/// Each stands in the guide as it is.
const SNIPPETS: [&str; 5] = ["ioredis.mjs", "node_redis.mjs", "redis_py.py", "redis_rs.rs", "redis_cli.sh"];

/// Stands in the guide as it is: a program of the TypeScript client.
const REFILL: &str = "refill";

fn clients() -> PathBuf {
    workspace().join("tests/clients")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What runs a program of `tests/clients/`: `make test` has put its packages in their places.
pub(crate) fn program(file: &str) -> Command {
    let path = clients().join(file);
    let (interpreter, packages) = match path.extension().and_then(|ending| ending.to_str()) {
        Some("mjs") => ("node", Some(clients().join("node_modules"))),
        Some("py") => ("python3", Some(workspace().join("target/python"))),
        Some("sh") => ("sh", None),
        Some("rs") => return example(file.trim_end_matches(".rs")),
        _ => panic!("no way to run {file}"),
    };
    if let Some(packages) = &packages {
        assert!(packages.exists(), "there is no {}: run make test", packages.display());
    }
    let mut command = Command::new(interpreter);
    command.arg(path).env("PYTHONPATH", packages.unwrap_or_default()).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// A compiled program of the TypeScript client's tests.
pub(crate) fn typescript_program(name: &str) -> Command {
    let compiled = workspace().join(format!("clients/typescript/dist/test/{name}.js"));
    assert!(compiled.exists(), "there is no {}: run make test", compiled.display());
    let mut command = Command::new("node");
    command.arg(compiled);
    command
}

fn example(name: &str) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(["run", "--quiet", "--example", name]).current_dir(workspace());
    command
}

/// What it prints; a failure fails the test.
#[track_caller]
pub(crate) fn run(command: &mut Command, server: &Server) -> String {
    let out = output(command.env("REDIS_URL", server.url()));
    let (said, complained) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{command:?}: {}\n{said}{complained}", out.status);
    said.into_owned()
}

/// A lock as a snippet printed it: the screen's line of words, or the JSON of redis-cli.
fn printed(line: &str) -> [String; 4] {
    if let Ok(lock) = serde_json::from_str::<Value>(line) {
        let text = |name: &str| lock[name].as_str().unwrap_or("-").to_owned();
        let roles: Vec<_> =
            lock["roleIds"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
        return [roles.join(","), text("queryTime"), text("state"), text("outcome")];
    }
    let words: Vec<_> = line.split(' ').skip(1).map(str::to_owned).collect();
    words.try_into().unwrap_or_else(|_| panic!("not a lock: {line}"))
}

/// The map creates the lock, a vehicle's page is held to it, reserving reads it.
#[apply(oldest_and_newest)]
fn every_snippet_prints_one_lock_three_times(#[case] kind: Kind) {
    for file in SNIPPETS {
        let server = Server::start(kind);
        let said = run(&mut program(file), &server);
        let locks: Vec<_> = said.lines().map(printed).collect();
        let moment = locks.first().map_or("", |lock| lock[1].as_str());
        assert!(DateTime::parse_from_rfc3339(moment).is_ok(), "{file}: {said}");
        let expected = ["Created", "Held", "-"].map(|outcome| ["3,7", moment, "Effective", outcome]);
        assert_eq!(locks, expected, "{file}: {said}");

        let stored = text(&mut server.connection(), "GET hermes:LockedQuoteInfo:42");
        assert_eq!(stored, format!(r#"{{"roleIds":["3","7"],"queryTime":"{moment}"}}"#), "{file}");
    }
}

#[apply(each_server)]
fn ten_pods_ask_upstream_once(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let said = run(&mut typescript_program(REFILL), server);
    assert_eq!(said.trim_end(), "10 pods read 1000 rows each; 1000 rows were fetched from upstream");
}

/// What is missing is fetched from upstream, once, and what another pod has filled stands.
#[apply(oldest_and_newest)]
fn the_snippets_of_tables_fill_what_is_missing(#[case] kind: Kind) {
    const ROW: &str = r#"{"styleId":"12","pricingId":"571"}"#;
    const OTHER: &str = r#"{"styleId":"9","pricingId":"580"}"#;
    for file in TABLE_SNIPPETS {
        let server = Server::start(kind);
        let con = &mut server.connection();
        let lock = text(con, r#"QUOTELOCK.ACQUIRE hermes:LockedQuoteInfo:42 ["3","7"] * ALIGN 60 JSON"#);
        let lock: Value = serde_json::from_str(&lock).unwrap();
        let moment = lock["queryTime"].as_str().unwrap();
        let table = format!("hermes:prices:{{{moment}}}:3,7");
        let said =
            |asked: &str, second: &str| format!("asked {asked}\nmap [{ROW},{second},null]\npage [{ROW}]\n");
        assert_eq!(run(&mut program(file), &server), said("4711,4712,4799", ROW), "{file}");
        cmd(con, &["VEHPRICE.CLEAR", &table]);
        cmd(con, &format!("VEHPRICE.MSET {table} FIELDS 2 styleId pricingId ROWS 4712 9 580"));
        assert_eq!(run(&mut program(file), &server), said("4711,4799", OTHER), "{file}");
        // They live as long as any lock on their moment.
        let ends = DateTime::parse_from_rfc3339(moment).unwrap().timestamp_millis() + 60_000 + 360_000;
        assert_eq!(int(con, &["PEXPIRETIME", &table]), ends, "{file}");
    }
}

/// Thousands of random locks, each side reading what the other wrote, and the list of known differences.
#[apply(each_server)]
fn the_services_and_the_module_read_each_others_locks_alike(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let said = run(&mut program("legacy.mjs"), server);
    let summary = said.lines().last().unwrap_or_default();
    println!("{summary}");
    let counts = summary.strip_prefix("legacy parity: ").unwrap_or_else(|| panic!("no summary: {said}"));
    let compared: u64 = counts.split(' ').next().unwrap().parse().unwrap();
    assert!(compared > 10_000 && counts.contains(" compared, 0 different; "), "{said}");
}

/// The client's own tests in `clients/typescript`, which `make test` has built.
fn typescript(is_wanted: impl Fn(&str) -> bool) -> Command {
    let folder = workspace().join("clients/typescript/dist/test");
    let files = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}: run make test", folder.display()))
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        files.filter(|file| is_wanted(file.file_name().unwrap().to_str().unwrap())).collect();
    files.sort();
    assert!(!files.is_empty(), "{} has no tests", folder.display());
    let mut command = Command::new("node");
    command.arg("--test").args(files);
    command
}

#[apply(each_server)]
fn the_typescript_client_passes_its_tests(#[case] kind: Kind) {
    let server = &Server::start(kind);
    run(&mut typescript(|file| file.ends_with(".test.js")), server);
}

#[apply(oldest_and_newest)]
fn the_typescript_client_finds_its_node(#[case] kind: Kind) {
    let [node, ..] = &cluster(kind);
    let mut tests = typescript(|file| file == "cluster.js");
    run(tests.env("REDIS_CLUSTER_URL", node.server.url()), &node.server);
}

/// The client's own tests in `clients/python`, on this machine's Python.
fn python(tests: &str) -> Command {
    let packages = workspace().join("target/python");
    assert!(packages.exists(), "there is no {}: run make test", packages.display());
    let mut command = Command::new("python3");
    command.args(["-m", "unittest", tests]).current_dir(workspace().join("clients/python"));
    command.env("PYTHONPATH", format!("src:{}", packages.display())).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

#[apply(each_server)]
fn the_python_client_passes_its_tests(#[case] kind: Kind) {
    let server = &Server::start(kind);
    run(python("discover").args(["-t", ".", "-s", "tests"]), server);
}

#[apply(oldest_and_newest)]
fn the_python_client_finds_its_node(#[case] kind: Kind) {
    let [node, ..] = &cluster(kind);
    run(python("tests.cluster").env("REDIS_CLUSTER_URL", node.server.url()), &node.server);
}

/// The guide shows each program as it was run above: its path in a comment, then the block.
#[test]
fn the_guide_shows_the_snippets_as_they_are() {
    let in_clients = |files: &[&str]| files.iter().map(|file| format!("tests/clients/{file}")).collect();
    let refill = vec![format!("clients/typescript/test/{REFILL}.ts")];
    shows("docs/how-to/refill.md", &[in_clients(&TABLE_SNIPPETS), refill].concat());
    shows("docs/how-to/call.md", &in_clients(&SNIPPETS));
}

#[track_caller]
fn shows(page: &str, programs: &[String]) {
    let text = read(&workspace().join(page));
    let blocks = marked_blocks(&text);
    let shown: Vec<_> = blocks.iter().map(|(file, _)| (*file).to_owned()).collect();
    assert_eq!(shown, programs, "the marked blocks of {page}");
    for (file, block) in blocks {
        assert_eq!(block, read(&workspace().join(file)), "{file} in {page}");
    }
}

/// Each file named by a comment, and the fenced block right after it.
fn marked_blocks(markdown: &str) -> Vec<(&str, String)> {
    let mut lines = markdown.lines();
    let mut blocks = Vec::new();
    while let Some(line) = lines.next() {
        let marked = line.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
        let Some(file) = marked.filter(|file| file.contains("clients/")) else {
            continue;
        };
        assert!(lines.next().is_some_and(|line| line.starts_with("```")), "no block right after {line}");
        let block =
            lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
        blocks.push((file, block));
    }
    blocks
}
