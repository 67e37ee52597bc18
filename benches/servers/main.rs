//! quotelock beside what a user would use instead, on each installed server.
//!
//! Arguments name the parts to run; without any, all run. `QUICK=1` makes them smaller, `BENCH_SERVER` names
//! the only server. The results are kept in `target/bench`; after all parts, or as the part `page`, they
//! become a page with charts.

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
use quotelock_testkit::{Kind, Result, workspace};

struct Part {
    name: &'static str,
    run: fn(&mut Bench) -> Result<()>,
    others: Others,
}

/// Whether a part also runs on the servers other than `MAIN`.
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

/// The server that is measured first, and in full.
const MAIN: Kind = Kind::REDIS_7_0;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The benchmark: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let start = Instant::now();
    let quick = var_os("QUICK").is_some_and(|value| value != "0");
    // cargo passes options of its own.
    let names: Vec<String> = args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if let Some(unknown) =
        names.iter().find(|name| *name != "page" && PARTS.iter().all(|part| part.name != **name))
    {
        return Err(format!("there is no part {unknown}").into());
    }
    let results = workspace().join("target/bench").join(if quick { "quick" } else { "full" });
    let plan = plan(quick, &names)?;
    let parts = plan.len();
    let mut failed = 0;
    for (number, (bench, part)) in (1..).zip(plan) {
        eprintln!("\n[{number} of {parts}, {} s so far]", start.elapsed().as_secs());
        if let Err(error) = bench.run(part.run, &results) {
            eprintln!("{} failed: {error}", part.name);
            failed += 1;
        }
    }
    // Single parts or a single server change the published page only if it is asked for.
    if quick || names.iter().any(|name| name == "page") || names.is_empty() && var("BENCH_SERVER").is_err() {
        page::write(&results, MAIN, &PARTS.each_ref().map(|part| part.name), !quick)?;
    }
    eprintln!("The benchmark took {} s", start.elapsed().as_secs());
    if failed > 0 { Err(format!("{failed} of {parts} parts failed").into()) } else { Ok(()) }
}

/// Each part on each server, unless some parts are named.
fn plan(quick: bool, names: &[String]) -> Result<Vec<(Bench, &'static Part)>> {
    let mut plan = Vec::new();
    for (place, server) in servers()?.into_iter().enumerate() {
        for part in &PARTS {
            let planned =
                place == 0 || part.others == Others::Always || part.others == Others::InFull && !quick;
            let size = if quick {
                Size::Quick
            } else if place == 0 {
                Size::Full
            } else {
                Size::Short
            };
            if names.iter().any(|name| name == part.name) || names.is_empty() && planned {
                plan.push((Bench::new(server, part.name, size), part));
            }
        }
    }
    Ok(plan)
}

fn servers() -> Result<Vec<Kind>> {
    if let Ok(name) = var("BENCH_SERVER") {
        return Ok(vec![Kind::named(&name)]);
    }
    let mut servers = Kind::measured()?;
    servers.sort_by_key(|server| *server != MAIN);
    Ok(servers)
}
