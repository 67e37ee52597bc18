//! No call costs out of proportion to its size: for each command and option the worst call that was thought
//! of, beside the plainest of its kind. The cost is the processor time of the server's main thread, and
//! counts for each byte that is sent and answered; so what machines and other tests do falls out of the
//! ratio. `docs/reliability.md` has the factors. A new word needs a case in which it makes work.

mod batches;
mod calls;
mod claims;
mod locks;
mod measure;
mod plans;
mod reads;
mod tables;
mod writes;

use std::collections::BTreeSet;
use std::fs;

use quotelock_testkit::{RawConnection, packed};
use redis::Value;

use crate::harness::*;
use crate::introspection::{member, members, names_of};
use calls::*;
use measure::Servers;

/// How many rows tables have, of many fields or of few; and how many ids are asked for.
const ROWS: usize = 1_000;
const NARROW_ROWS: usize = 10_000;

/// Worst calls, and how many times as much as the plain ones they may cost.
struct Case {
    /// The worst calls as the page names them.
    name: &'static str,
    worst: Calls,
    /// The plain ones.
    beside: &'static str,
    plain: Calls,
    factor: f64,
    /// Whether they are sent to a server with an AOF.
    is_kept: bool,
}

/// Worst calls under the name they have on the page; [`Case::beside`] must follow.
fn case(name: &'static str, worst: Calls) -> Case {
    Case { name, worst, beside: "", plain: Calls::default(), factor: 0.0, is_kept: false }
}

impl Case {
    /// The plain calls, and how many times as much the worst may cost.
    fn beside(self, beside: &'static str, plain: Calls, factor: f64) -> Self {
        Self { beside, plain, factor, ..self }
    }

    /// On a server with an AOF.
    fn kept(self) -> Self {
        Self { is_kept: true, ..self }
    }
}

/// All cases, in the order of the page.
fn cases() -> Vec<Case> {
    let families = [
        locks::cases(),
        reads::cases(),
        tables::cases(),
        writes::cases(),
        batches::cases(),
        claims::cases(),
        plans::cases(),
    ];
    families.into_iter().flatten().collect()
}

#[apply(oldest_and_newest)]
fn the_worst_call_costs_little_more_than_the_plainest_of_its_size(#[case] kind: Kind) {
    let servers = Servers::start(kind);
    let mut dear = Vec::new();
    for case in cases() {
        let Case { name, beside, factor, .. } = case;
        let (times, figures) = servers.compare(&case);
        println!("{times:6.1} of {factor:4}: {name}, beside {beside} ({figures})");
        if times > factor {
            dear.push(format!("{name}, beside {beside}: {times:.1} times as much, not {factor}"));
        }
    }
    assert!(dear.is_empty(), "{}", dear.join("\n"));
}

/// The words of a command's arguments, as the server tells them.
fn words_of(arguments: &Value) -> BTreeSet<String> {
    let Value::Array(arguments) = arguments else { panic!("no arguments: {}", show(arguments)) };
    let words = |argument: &Value| {
        let members = members(argument);
        let inner = members.get("arguments").map(words_of).unwrap_or_default();
        inner.into_iter().chain(member(&members, "token")).collect::<Vec<_>>()
    };
    arguments.iter().flat_map(words).collect()
}

#[apply(oldest_and_newest)]
fn each_command_and_each_of_its_words_is_in_a_worst_call(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let calls: Vec<_> = cases().into_iter().flat_map(|case| case.worst.measured).collect();
    let mut left_out = Vec::new();
    for command in names_of(&cmd(con, "COMMAND LIST FILTERBY MODULE quotelock")) {
        let docs = members(&members(&cmd(con, &["COMMAND", "DOCS", &command]))[&command]);
        let name = command.to_uppercase();
        let own = calls.iter().filter(|words| words[0] == name.as_bytes());
        let used: BTreeSet<_> = own.flatten().map(Vec::as_slice).collect();
        let words = words_of(&docs["arguments"]).into_iter().filter(|word| !used.contains(word.as_bytes()));
        left_out.extend(words.map(|word| format!("{name} {word}")));
        left_out.extend(used.is_empty().then_some(name));
    }
    assert!(left_out.is_empty(), "in no worst call: {left_out:?}");
}

#[test]
fn the_factors_are_those_of_the_page() {
    let page = fs::read_to_string(workspace().join("docs/reliability.md")).unwrap();
    let section = page.split("\n## ").find(|section| section.starts_with("What a call costs\n")).unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| ")).skip(1);
    let written: Vec<_> = rows.map(|row| row.split(" | ").take(3).collect::<Vec<_>>().join(" | ")).collect();
    let row = |case: Case| format!("| {} | {} | {}", case.name, case.beside, case.factor);
    let held: Vec<_> = cases().into_iter().map(row).collect();
    let only_in = |rows: &[String], others: &[String]| {
        rows.iter().filter(|row| !others.contains(row)).cloned().collect::<Vec<_>>()
    };
    let (lacking, left) = (only_in(&held, &written), only_in(&written, &held));
    assert!(lacking.is_empty() && left.is_empty(), "the page lacks {lacking:#?} and still has {left:#?}");
    assert_eq!(written, held, "the page has another order");
}
