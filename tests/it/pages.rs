//! The examples on the commands' pages are what redis-cli prints.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::harness::*;

/// Each page on a fresh server, its blocks in order: `> COMMAND …`, quoted for redis-cli, then the
/// reply.
#[test]
fn the_examples_of_the_pages_answer_as_printed() {
    let pages = workspace().join("docs/commands");
    let mut pages: Vec<_> = fs::read_dir(pages).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.retain(|page| !page.ends_with("README.md"));
    pages.sort();
    assert!(!pages.is_empty(), "docs/commands has no pages");
    for page in pages {
        let shown = blocks(&fs::read_to_string(&page).unwrap(), "redis-cli").concat();
        assert!(!shown.is_empty(), "{} has no example", page.display());
        let printed = joined(shown.lines().filter(|line| !line.starts_with("> ")));
        let server = Server::start(Kind::DEFAULT);
        let answered = redis_cli(&server, &[], &shown);
        assert!(answered == printed, "{} says\n{printed}\nthe server\n{answered}", page.display());
    }
}

/// The blocks of a language, in order.
pub(crate) fn blocks(markdown: &str, language: &str) -> Vec<String> {
    let begin = format!("```{language}");
    let mut lines = markdown.lines();
    let mut blocks = Vec::new();
    while lines.by_ref().any(|line| line == begin) {
        blocks.push(joined(lines.by_ref().take_while(|line| *line != "```")));
    }
    blocks
}

/// What redis-cli prints for the commands after each `> `, all in one session.
pub(crate) fn redis_cli(server: &Server, options: &[&str], shown: &str) -> String {
    let commands = joined(shown.lines().filter_map(|line| line.strip_prefix("> ")));
    let mut redis_cli = Command::new("redis-cli")
        .args(["-p", &server.port().to_string(), "--no-raw"])
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    redis_cli.stdin.take().unwrap().write_all(commands.as_bytes()).unwrap();
    let out = redis_cli.wait_with_output().unwrap();
    joined(String::from_utf8(out.stdout).unwrap().lines().filter(|line| !is_time_taken(line)))
}

fn joined<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines.map(|line| format!("{line}\n")).collect()
}

/// `(0.52s)`, which redis-cli adds when the machine was busy.
fn is_time_taken(line: &str) -> bool {
    let number = line.strip_prefix('(').and_then(|line| line.strip_suffix("s)"));
    number.is_some_and(|number| number.parse::<f64>().is_ok())
}
