//! How times grow: with the rows there are, the ids of a call, the fields of a row, and the clients.

mod large;

use crate::common::bench::Bench;
use crate::common::case::{Case, measure};
use crate::common::redis_benchmark::Sample;
use crate::common::server::{Outcome, Server};
use crate::common::sheet::Sheet;
use crate::common::spread::Spread;
use crate::common::vehicles::{Vehicle, shuffled, vehicles, vehicles_of};
use crate::common::ways::Way;
use crate::common::wire::Wire;

/// Reads, each of other ids, so that none finds all it wants in the processor's caches.
const READS: usize = 8;

pub(crate) fn run(bench: &mut Bench) -> Outcome<()> {
    large::run(bench)?;
    rows(bench)?;
    ids(bench)?;
    fields(bench)?;
    clients(bench)
}

fn rows(bench: &mut Bench) -> Outcome<()> {
    let counts: &[usize] =
        bench.pick(&[1000, 10_000, 100_000, 1_000_000], &[1000, 10_000, 100_000], &[1000, 100_000]);
    let all = vehicles(u32::try_from(counts.last().copied().unwrap_or_default())?);
    let mut growth = Growth::new("1,000 ids of a growing number of rows: ms at the client", "rows", bench)?;
    for &count in counts {
        let stored = all.get(..count).ok_or("there are too few vehicles")?;
        let asked = shuffled(stored, 1);
        let reads: Vec<&[Vehicle]> = asked.chunks_exact(1000).take(READS).collect();
        growth.step(bench, count, stored, &reads)?;
    }
    bench.add(growth.sheet);
    Ok(())
}

fn ids(bench: &mut Bench) -> Outcome<()> {
    let stored = vehicles(20_000);
    let asked = shuffled(&stored, 1);
    let mut growth = Growth::new("A growing number of ids, of 20,000 rows: ms at the client", "ids", bench)?;
    for count in bench.pick(&[1, 10, 100, 1000, 8000, 20_000][..], &[1, 100, 20_000], &[1, 100, 20_000]) {
        let reads: Vec<&[Vehicle]> = asked.chunks_exact(*count).take(READS).collect();
        growth.step(bench, *count, &stored, &reads)?;
    }
    bench.add(growth.sheet);
    Ok(())
}

fn fields(bench: &mut Bench) -> Outcome<()> {
    let mut growth = Growth::new(
        "1,000 ids of 8,000 rows of a growing number of fields: ms at the client",
        "fields",
        bench,
    )?;
    for count in bench.pick(&[1, 2, 4, 8, 16, 32, 64][..], &[1, 8, 64], &[1, 64]) {
        let stored = vehicles_of(8000, *count);
        let asked = shuffled(&stored, 1);
        let reads: Vec<&[Vehicle]> = asked.chunks_exact(1000).take(READS).collect();
        growth.step(bench, *count, &stored, &reads)?;
    }
    bench.add(growth.sheet);
    Ok(())
}

/// One thing that grows: a row a size, a column a way.
struct Growth {
    server: Server,
    ways: Vec<Way>,
    sheet: Sheet,
}

impl Growth {
    fn new(title: &str, of: &str, bench: &Bench) -> Outcome<Self> {
        let server = bench.start()?;
        let ways = Way::at_hand(&mut Wire::connect(&server)?)?;
        let columns: Vec<(&str, usize)> = ways.iter().map(|way| (way.reader(), 3)).collect();
        Ok(Self { sheet: Sheet::new(title, of, &columns), server, ways })
    }

    fn step(&mut self, bench: &Bench, size: usize, stored: &[Vehicle], reads: &[&[Vehicle]]) -> Outcome<()> {
        self.server.run::<()>(&["FLUSHALL", "SYNC"])?;
        let mut wire = Wire::connect(&self.server)?;
        let mut cases = Vec::new();
        for way in &self.ways {
            way.fill(&mut wire, stored)?;
            cases.push(Case::in_turn(way.reader(), reads.iter().map(|ids| way.read(ids)).collect()));
        }
        measure(bench, &self.server, &mut wire, &mut cases, bench.pick(9, 5, 3))?;
        self.sheet.row(size.to_string(), cases.iter().map(|case| case.spread(|sample| sample.wall)));
        Ok(())
    }
}

fn clients(bench: &mut Bench) -> Outcome<()> {
    let rounds = bench.pick(5, 3, 2);
    let requests = bench.pick(50_000, 30_000, 20_000);
    let server = bench.start()?;
    let mut wire = Wire::connect(&server)?;
    let rows = vehicles(8000);
    let row = rows.first().ok_or("there is no vehicle")?;
    let ways = Way::at_hand(&mut wire)?;
    ways.iter().try_for_each(|way| way.fill(&mut wire, &rows))?;
    let columns: Vec<(&str, usize)> = ways.iter().map(|way| (way.one_reader(), 0)).collect();
    let mut sheet = Sheet::new(
        "One row, a growing number of clients that wait for each answer: requests/s",
        "clients",
        &columns,
    );
    for clients in bench.pick(&[1, 10, 50, 100, 200][..], &[1, 50, 200], &[1, 200]) {
        // One client alone waits for each answer, and takes longer for as many.
        let requests = if *clients == 1 { requests / 5 } else { requests };
        let mut all: Vec<(Way, Vec<f64>)> = ways.iter().map(|&way| (way, Vec::new())).collect();
        bench.rounds(rounds, &mut all, |(way, rates)| {
            let sample = Sample::take_with(&server, &way.one(row), requests, *clients, 1)?;
            rates.push(sample.requests_per_second);
            Ok(())
        })?;
        sheet.row(clients.to_string(), all.into_iter().map(|(_, rates)| Spread::of(rates.into_iter())));
    }
    bench.add(sheet);
    Ok(())
}
