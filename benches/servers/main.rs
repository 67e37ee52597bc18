//! quotelock beside what a user would pick instead, on each server at hand.
//!
//! The parts named as arguments, or all. `QUICK=1` makes all smaller, `BENCH_SERVER` says which server alone is measured.
//! What was measured is kept in `target/bench`, and the page with its charts is written from that.

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
use std::process::ExitCode;
use std::time::Instant;

use common::bench::{Bench, Size};
use common::server::{self, Outcome};

struct Part {
    name: &'static str,
    run: fn(&mut Bench) -> Outcome<()>,
    /// Whether it is measured on the servers that are not the main one, too.
    on_all: bool,
    /// Whether it is in `QUICK=1` on those.
    quick_on_all: bool,
}

const PARTS: [Part; 8] = [
    Part { name: "locks", run: locks::run, on_all: true, quick_on_all: true },
    Part { name: "tables", run: tables::run, on_all: true, quick_on_all: true },
    Part { name: "node", run: node::run, on_all: true, quick_on_all: false },
    Part { name: "crowd", run: crowd::run, on_all: true, quick_on_all: false },
    Part { name: "refill", run: refill::run, on_all: true, quick_on_all: false },
    Part { name: "memory", run: memory::run, on_all: true, quick_on_all: false },
    Part { name: "growth", run: growth::run, on_all: false, quick_on_all: false },
    Part { name: "persistence", run: persistence::run, on_all: false, quick_on_all: false },
];

/// The one that is measured most closely.
const MAIN_SERVER: &str = "redis-7.0.15";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The benchmark did not end: {error}");
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
    let kept = server::path("BENCH_KEPT", if quick { "target/bench/quick" } else { "target/bench/full" });
    let mut plan = Vec::new();
    for name in servers()? {
        let main = name == MAIN_SERVER || var("BENCH_SERVER").is_ok();
        for part in &PARTS {
            let named = asked.iter().any(|asked| asked == part.name);
            let meant = main || if quick { part.quick_on_all } else { part.on_all };
            if named || asked.is_empty() && meant {
                let size = if quick {
                    Size::Quick
                } else if main {
                    Size::Full
                } else {
                    Size::Short
                };
                plan.push((Bench::new(&name, part.name, size), part.run));
            }
        }
    }
    let parts = plan.len();
    for (number, (bench, part)) in (1..).zip(plan) {
        eprintln!("\n[{number} of {parts}, {} s so far]", start.elapsed().as_secs());
        bench.run(part, &kept)?;
    }
    page::write(&kept, MAIN_SERVER, &PARTS.each_ref().map(|part| part.name), !quick)?;
    eprintln!("The benchmark took {} s", start.elapsed().as_secs());
    Ok(())
}

/// The main one first.
fn servers() -> Outcome<Vec<String>> {
    if let Ok(name) = var("BENCH_SERVER") {
        return Ok(vec![name]);
    }
    let mut names = server::at_hand()?;
    names.sort_by_key(|name| name != MAIN_SERVER);
    Ok(names)
}
