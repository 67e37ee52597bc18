//! `examples/quickstart` shows one price on each screen, and shows it again when it is run again, as another pod would.

use std::fs;
use std::process::Command;

use crate::harness::*;

/// Runs the program, which `make test` has built, and gives what it printed.
#[track_caller]
fn run(server: &Server) -> String {
    let program = workspace().join("examples/quickstart/dist/quickstart.js");
    assert!(program.exists(), "there is no {}: run make test", program.display());
    let out = output(Command::new("node").arg(program).env("REDIS_URL", server.url()));
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// What its README says that it prints.
fn shown() -> String {
    let readme = fs::read_to_string(workspace().join("examples/quickstart/README.md")).unwrap();
    let block = readme.split("<!-- printed -->\n```\n").nth(1).unwrap();
    block.split("```").next().unwrap().to_owned()
}

#[apply(oldest_and_newest)]
fn one_price_is_on_each_screen(#[case] kind: Kind) {
    let server = Server::start(kind);
    let first = run(&server);
    let price = first.split(' ').nth(3).unwrap().trim_end_matches(',');
    let expected = shown().replace("1.37", price);
    assert_eq!(first, expected);
    assert_eq!(run(&server), expected.replace("3 prices", "0 prices"));
}
