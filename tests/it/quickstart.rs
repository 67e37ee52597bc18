//! `examples/quickstart` shows one price on each screen, and shows it again when it is run again, as another pod would.
//! Its `prices.ts` is the README's program.

use std::fs;
use std::process::Command;
use std::thread;

use crate::harness::*;

/// Runs a program, which `make test` has built, and returns what it printed.
#[track_caller]
fn run(name: &str, server: &Server) -> String {
    let program = workspace().join(format!("examples/quickstart/dist/{name}.js"));
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
    let first = run("quickstart", &server);
    let price = first.split(' ').nth(3).unwrap().trim_end_matches(',');
    let expected = shown().replace("1.37", price);
    assert_eq!(first, expected);
    assert_eq!(run("quickstart", &server), expected.replace("3 prices", "0 prices"));
}

/// The pricing service answers other prices at each call, so pods that agree were answered by one call.
#[apply(oldest_and_newest)]
fn pods_that_start_at_once_show_one_price(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let shown: Vec<_> = thread::scope(|scope| {
        let pods: Vec<_> = (0..4).map(|_| scope.spawn(|| run("pod", server))).collect();
        pods.into_iter().map(|pod| pod.join().unwrap()).collect()
    });
    assert!(shown[0].starts_with(r#"[{"price":"0."#), "{}", shown[0]);
    assert!(shown.iter().all(|prices| *prices == shown[0]), "{shown:#?}");
}
