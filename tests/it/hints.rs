//! What redis-cli shows behind a command's name as it is typed, from what the module says of its arguments.

use std::fs;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Instant;

use crate::harness::*;

/// Hints for calls that are typed in part.
const IN_PART: [(&str, &str); 3] = [
    ("VEHPRICE.CHANGES hermes:prices 0 ", "[FIELDS numfields field [field ...]] [JSON]"),
    (
        "VEHPRICE.GETALL hermes:prices ",
        "[FIELDS numfields field [field ...]] [JSON [RAW numfields field [field ...]]|COLUMNS]",
    ),
    (
        "VEHPRICE.CLAIM hermes:prices PX 5000 ",
        "[TOKEN token] [LIMIT count] [REFRESH milliseconds] [FIELDS numfields field [field ...]] \
         [JSON [RAW numfields field [field ...]]|COLUMNS] IDS id [id ...]|LIST ids",
    ),
];

/// Each command as it is typed, and the hint: what its page says comes after the name, spelled as redis-cli does.
fn hints() -> Vec<(String, String)> {
    let pages = fs::read_dir(workspace().join("docs/commands")).unwrap();
    let texts = pages.map(|page| fs::read_to_string(page.unwrap().path()).unwrap());
    let usages = texts.filter_map(|page| Some(page.split_once("\n```\n")?.1.lines().next()?.to_owned()));
    let hints = usages.filter_map(|usage| {
        let (name, arguments) = usage.split_once(' ').filter(|(name, _)| name.contains('.'))?;
        let hint = arguments.replace(" | ", "|").replace('…', "...").replace(['<', '>'], "");
        Some((format!("{name} "), hint))
    });
    hints.collect()
}

/// Reads what comes until `awaited` has come.
#[track_caller]
fn shown(output: &Receiver<Vec<u8>>, awaited: &str) {
    let end = Instant::now() + TIMEOUT;
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains(awaited) {
        let more = output.recv_timeout(end.saturating_duration_since(Instant::now()));
        seen.extend(more.unwrap_or_else(|_| panic!("no {awaited:?} in {}", String::from_utf8_lossy(&seen))));
    }
}

#[apply(each_server)]
fn redis_cli_shows_the_arguments_that_are_still_to_come(#[case] kind: Kind) {
    let server = &Server::start(kind);
    // redis-cli gives hints at a terminal only, as wide as they are long. script(1) feigns one.
    let cli = format!("stty cols 400; exec redis-cli -p {}", server.port());
    let mut terminal = Command::new("script")
        .args(["-q", "-e", "-c", &cli, "/dev/null"])
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut input, mut output) = (terminal.stdin.take().unwrap(), terminal.stdout.take().unwrap());
    let (sender, chunks) = channel();
    let reader = thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(length @ 1..) = output.read(&mut chunk) {
            let _gone = sender.send(chunk[..length].to_vec());
        }
    });
    // What is typed before the prompt is there is lost.
    shown(&chunks, &format!("127.0.0.1:{}> ", server.port()));
    let mut hints = hints();
    assert_eq!(hints.len(), 22, "{hints:?}");
    hints.extend(IN_PART.map(|(typed, hint)| (typed.to_owned(), hint.to_owned())));
    for (typed, hint) in hints {
        input.write_all(typed.as_bytes()).unwrap();
        // In grey, right behind what was typed.
        shown(&chunks, &format!("{typed}\u{1b}[0;90;49m{hint}\u{1b}[0m"));
        // Control-U empties the line.
        input.write_all(b"\x15").unwrap();
    }
    input.write_all(b"quit\r").unwrap();
    assert!(terminal.wait().unwrap().success());
    reader.join().unwrap();
}
