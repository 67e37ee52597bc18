//! How times grow with the rows of a table, the ids of a call, the fields of a row, and the clients.

mod large;

use quotelock_testkit::{RawConnection, Result, Server};

use crate::common::bench::Bench;
use crate::common::case::{Case, measure};
use crate::common::layout::Layout;
use crate::common::redis_benchmark::Sample;
use crate::common::sheet::Sheet;
use crate::common::spread::Spread;
use crate::common::vehicles::{Vehicle, shuffled, vehicles, vehicles_with_fields};

/// How many reads take turns, each of other ids, so that none finds its rows in the processor's caches.
const READS: usize = 8;

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    large::run(bench)?;
    rows(bench)?;
    ids(bench)?;
    fields(bench)?;
    clients(bench)
}

fn rows(bench: &mut Bench) -> Result<()> {
    let counts: &[usize] =
        bench.pick(&[1000, 10_000, 100_000, 1_000_000], &[1000, 10_000, 100_000], &[1000, 100_000]);
    let all = vehicles(counts.last().copied().unwrap_or_default());
    let mut growth = Growth::new("1,000 ids of a growing number of rows: ms at the client", "rows", bench)?;
    for &count in counts {
        let stored = all.get(..count).ok_or("too few vehicles")?;
        let wanted = shuffled(stored, 1);
        let reads: Vec<&[Vehicle]> = wanted.chunks_exact(1000).take(READS).collect();
        growth.step(bench, count, stored, &reads)?;
    }
    bench.add(growth.sheet);
    Ok(())
}

fn ids(bench: &mut Bench) -> Result<()> {
    let stored = vehicles(20_000);
    let wanted = shuffled(&stored, 1);
    let mut growth = Growth::new("A growing number of ids, of 20,000 rows: ms at the client", "ids", bench)?;
    for count in bench.pick(&[1, 10, 100, 1000, 8000, 20_000][..], &[1, 100, 20_000], &[1, 100, 20_000]) {
        let reads: Vec<&[Vehicle]> = wanted.chunks_exact(*count).take(READS).collect();
        growth.step(bench, *count, &stored, &reads)?;
    }
    bench.add(growth.sheet);
    Ok(())
}

fn fields(bench: &mut Bench) -> Result<()> {
    let mut growth = Growth::new(
        "1,000 ids of 8,000 rows of a growing number of fields: ms at the client",
        "fields",
        bench,
    )?;
    for count in bench.pick(&[1, 2, 4, 8, 16, 32, 64][..], &[1, 8, 64], &[1, 64]) {
        let stored = vehicles_with_fields(8000, *count);
        let wanted = shuffled(&stored, 1);
        let reads: Vec<&[Vehicle]> = wanted.chunks_exact(1000).take(READS).collect();
        growth.step(bench, *count, &stored, &reads)?;
    }
    bench.add(growth.sheet);
    Ok(())
}

/// A table with a row for each size, and a column for each layout.
struct Growth {
    server: Server,
    layouts: Vec<Layout>,
    sheet: Sheet,
}

impl Growth {
    fn new(title: &str, of: &str, bench: &Bench) -> Result<Self> {
        let server = bench.start()?;
        let layouts = Layout::supported(&mut RawConnection::connect(server.port())?)?;
        let columns: Vec<(&str, usize)> = layouts.iter().map(|layout| (layout.read_many_name(), 3)).collect();
        Ok(Self { sheet: Sheet::new(title, of, &columns), server, layouts })
    }

    fn step(&mut self, bench: &Bench, size: usize, stored: &[Vehicle], reads: &[&[Vehicle]]) -> Result<()> {
        self.server.run::<()>(&["FLUSHALL", "SYNC"])?;
        let mut connection = RawConnection::connect(self.server.port())?;
        let mut cases = Vec::new();
        for layout in &self.layouts {
            layout.fill(&mut connection, stored)?;
            cases.push(Case::rotating(
                layout.read_many_name(),
                reads.iter().map(|ids| layout.read_many(ids)).collect(),
            ));
        }
        measure(bench, &self.server, &mut connection, &mut cases, bench.pick(9, 5, 3))?;
        let times = cases.iter().map(|case| Spread::of(case.samples.iter().map(|sample| sample.wall)));
        self.sheet.row(size.to_string(), times);
        Ok(())
    }
}

fn clients(bench: &mut Bench) -> Result<()> {
    let rounds = bench.pick(5, 3, 2);
    let requests = bench.pick(50_000, 30_000, 20_000);
    let server = bench.start()?;
    let mut connection = RawConnection::connect(server.port())?;
    let rows = vehicles(8000);
    let row = rows.first().ok_or("no vehicles")?;
    let layouts = Layout::supported(&mut connection)?;
    layouts.iter().try_for_each(|layout| layout.fill(&mut connection, &rows))?;
    let columns: Vec<(&str, usize)> = layouts.iter().map(|layout| (layout.read_one_name(), 0)).collect();
    let mut sheet = Sheet::new(
        "One row, a growing number of clients that wait for each answer: requests/s",
        "clients",
        &columns,
    );
    for clients in bench.pick(&[1, 10, 50, 100, 200][..], &[1, 50, 200], &[1, 200]) {
        // One client takes longer for as many requests.
        let requests = if *clients == 1 { requests / 5 } else { requests };
        let mut measured: Vec<_> = layouts.iter().map(|&layout| (layout, Vec::new())).collect();
        bench.rounds(rounds, &mut measured, |(layout, rates)| {
            let sample = Sample::take_with(&server, &layout.read_one_command(row), requests, *clients, 1)?;
            rates.push(sample.requests_per_second);
            Ok(())
        })?;
        sheet.row(clients.to_string(), measured.into_iter().map(|(_, rates)| Spread::of(rates.into_iter())));
    }
    bench.add(sheet);
    Ok(())
}
