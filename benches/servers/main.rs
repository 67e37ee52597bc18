//! quotelock beside what a user would pick instead, on each server at hand.
//!
//! The parts named as arguments, or all. `QUICK=1` makes all smaller, `BENCH_SERVER` says which server alone is measured.
//! What was measured is kept in `target/bench`; the page with its charts is written from that, after all parts or as the part `page`.

mod common;
mod crowd;
mod growth;
mod locks;
mod memory;
mod node;
mod page;
mod persistence;
mod refill;
mod tables;

use std::env::{args, var, var_os};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use common::bench::{Bench, Size};
use common::server::{self, Outcome};

struct Part {
    name: &'static str,
    run: fn(&mut Bench) -> Outcome<()>,
    others: Others,
}

/// Whether a part is measured on the servers that are not the first, too.
#[derive(PartialEq)]
enum Others {
    Always,
    /// Not with `QUICK=1`.
    InFull,
    Never,
}

const PARTS: [Part; 8] = [
    Part { name: "locks", run: locks::run, others: Others::Always },
    Part { name: "tables", run: tables::run, others: Others::Always },
    Part { name: "node", run: node::run, others: Others::InFull },
    Part { name: "crowd", run: crowd::run, others: Others::InFull },
    Part { name: "refill", run: refill::run, others: Others::InFull },
    Part { name: "memory", run: memory::run, others: Others::InFull },
    Part { name: "growth", run: growth::run, others: Others::Never },
    Part { name: "persistence", run: persistence::run, others: Others::Never },
];

/// The server that goes first, if it is there: it is measured most closely.
const FIRST: &str = "redis-7.0.15";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The benchmark: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<()> {
    let start = Instant::now();
    let quick = var_os("QUICK").is_some_and(|value| value != "0");
    // cargo passes options of its own.
    let asked: Vec<String> = args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if let Some(unknown) =
        asked.iter().find(|name| *name != "page" && PARTS.iter().all(|part| part.name != **name))
    {
        return Err(format!("there is no part {unknown}").into());
    }
    let kept =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench").join(if quick { "quick" } else { "full" });
    let plan = plan(quick, &asked)?;
    let parts = plan.len();
    let mut failed = 0_u32;
    for (number, (bench, part)) in (1..).zip(plan) {
        eprintln!("\n[{number} of {parts}, {} s so far]", start.elapsed().as_secs());
        if let Err(error) = bench.run(part.run, &kept) {
            eprintln!("{} did not end: {error}", part.name);
            failed = failed.saturating_add(1);
        }
    }
    // A part or a server alone is for who works on it: the page is of all, unless it is asked for.
    if quick || asked.iter().any(|name| name == "page") || asked.is_empty() && var("BENCH_SERVER").is_err() {
        page::write(&kept, FIRST, &PARTS.each_ref().map(|part| part.name), !quick)?;
    }
    eprintln!("The benchmark took {} s", start.elapsed().as_secs());
    if failed > 0 { Err(format!("{failed} of {parts} parts failed").into()) } else { Ok(()) }
}

/// Each part on each server, unless some are asked for.
fn plan(quick: bool, asked: &[String]) -> Outcome<Vec<(Bench, &'static Part)>> {
    let mut plan = Vec::new();
    for (place, server) in servers()?.iter().enumerate() {
        for part in &PARTS {
            let meant =
                place == 0 || part.others == Others::Always || part.others == Others::InFull && !quick;
            let size = if quick {
                Size::Quick
            } else if place == 0 {
                Size::Full
            } else {
                Size::Short
            };
            if asked.iter().any(|name| name == part.name) || asked.is_empty() && meant {
                plan.push((Bench::new(server, part.name, size), part));
            }
        }
    }
    Ok(plan)
}

fn servers() -> Outcome<Vec<String>> {
    if let Ok(name) = var("BENCH_SERVER") {
        return Ok(vec![name]);
    }
    let mut names = server::at_hand()?;
    names.sort_by_key(|name| name != FIRST);
    Ok(names)
}
