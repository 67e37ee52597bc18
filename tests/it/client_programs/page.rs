//! The tables of `docs/clients.md`, from what the tests expect. `UPDATE_PAGES=1` has the test write them, which fails
//! where they differ without it.

use std::fmt::Write as _;
use std::{env, fs};

use super::programs::{OTHERS, Program, Routing, SCRIPTS};
use crate::harness::workspace;

const BEGIN: &str = "<!-- From the tests' list of clients: `make docs` writes this part. -->";
const END: &str = "<!-- End of that part. -->";

#[test]
fn the_page_says_what_the_tests_expect() {
    let path = workspace().join("docs/clients.md");
    let found = fs::read_to_string(&path).unwrap();
    let page = with_parts(&found, &[needs(), does(), rights()]);
    if env::var_os("UPDATE_PAGES").is_some() {
        fs::write(&path, page).unwrap();
    } else {
        assert!(found == page, "docs/clients.md differs from the tests' list of clients: run `make docs`");
    }
}

/// The page with its parts written anew. What stands around them is by hand.
fn with_parts(page: &str, parts: &[String]) -> String {
    let mut pieces = page.split(BEGIN);
    let mut written = pieces.next().unwrap_or_default().to_owned();
    let pieces: Vec<_> = pieces.collect();
    assert_eq!(pieces.len(), parts.len(), "parts of docs/clients.md");
    for (piece, part) in pieces.iter().zip(parts) {
        let (_, after) = piece.split_once(END).unwrap();
        let _ = write!(written, "{BEGIN}\n\n{part}\n{END}{after}");
    }
    written
}

fn table<const N: usize>(head: [&str; N], row: impl Fn(&Program) -> [String; N]) -> String {
    let line = |cells: [&str; N]| format!("| {} |\n", cells.join(" | "));
    let mut table = line(head) + &line(["---"; N]).replace(' ', "");
    for program in SCRIPTS.iter().chain(OTHERS) {
        let cells = row(program);
        table += &line(cells.each_ref().map(String::as_str));
    }
    table
}

fn needs() -> String {
    table(["client", "program", "time-out (default)", "set-up and quirks"], |program| {
        let (option, default) = program.time_out;
        let (registry, package) = (program.package.registry(), program.package.name());
        [
            format!("{}, {registry}'s {}", program.client, code(package)),
            format!("[{0}](../examples/clients/{0})", program.file) + &as_written_for(program),
            format!("{option} ({default})"),
            program.told.to_owned(),
        ]
    })
}

fn as_written_for(program: &Program) -> String {
    let instead = |other| format!(", with `{}` for `{other}`", program.package.name());
    program.written_for.map(instead).unwrap_or_default()
}

fn does() -> String {
    let head = [
        "client",
        "RESP",
        "how a call finds its node in a Cluster",
        "while slots move",
        "after a lost connection: one server, Cluster",
        "reads from replicas",
        "a lock without `JSON`",
    ];
    table(head, |program| {
        let in_words = |resends| if resends { "repeats the call" } else { "fails" };
        let shapes = program.protocols.iter().map(|protocol| program.shape(*protocol));
        [
            program.client.to_owned(),
            listed(program.protocols)
                + &if program.cluster_protocols == program.protocols {
                    String::new()
                } else {
                    format!("; in a Cluster {}", listed(program.cluster_protocols))
                },
            match program.routing {
                Routing::Itself => "finds the key itself",
                Routing::Told => "the program passes the key",
                Routing::ToldAndSentOn => "the program passes the key, used once redirected",
                Routing::Program => "the program follows redirects",
            }
            .to_owned(),
            if program.follows_ask {
                "works"
            } else {
                "fails for keys already moved, until the whole slot has moved"
            }
            .to_owned(),
            format!("{}, {}", in_words(program.resends.alone), in_words(program.resends.cluster)),
            program.replicas.as_ref().map_or_else(
                || "not tried".to_owned(),
                |replicas| {
                    let asked = if replicas.are_asked { "yes" } else { "no, asks primaries" };
                    format!("{asked} (`{}`)", replicas.option)
                },
            ),
            shapes.collect::<Vec<_>>().join(", "),
        ]
    })
}

fn rights() -> String {
    table(["client", "one server", "Cluster", "Sentinel"], |program| {
        let granted = |rights: &[&str]| {
            let rights: Vec<_> =
                rights.iter().map(|right| format!("`+{}`", right.replace('|', "\\|"))).collect();
            if rights.is_empty() { "none".to_owned() } else { rights.join(" ") }
        };
        let by_sentinel = program.rights.sentinel.map_or_else(|| "not supported".to_owned(), granted);
        [
            program.client.to_owned(),
            granted(program.rights.alone),
            granted(program.rights.cluster),
            by_sentinel,
        ]
    })
}

fn listed(protocols: &[u8]) -> String {
    protocols.iter().map(u8::to_string).collect::<Vec<_>>().join(", ")
}

fn code(packages: &str) -> String {
    packages.split(' ').map(|package| format!("`{package}`")).collect::<Vec<_>>().join(" ")
}
