//! One row beside one string.

use super::VEHICLES;
use crate::common::bench::Bench;
use crate::common::redis_benchmark::Sample;
use crate::common::server::Outcome;
use crate::common::sheet::Sheet;
use crate::common::sheet::Wants::{AtLeast, Nothing};
use crate::common::spread::Spread;
use crate::common::vehicles::vehicles;
use crate::common::ways::Way;
use crate::common::wire::Wire;

pub(crate) fn run(bench: &mut Bench) -> Outcome<()> {
    let rounds = bench.pick(9, 5, 2);
    let requests = bench.pick(300_000, 100_000, 30_000);
    let server = bench.start()?;
    let mut wire = Wire::connect(&server)?;
    let rows = vehicles(VEHICLES);
    let row = rows.first().ok_or("there is no vehicle")?;
    let mut samples = Vec::new();
    for way in Way::at_hand(&mut wire)? {
        way.fill(&mut wire, &rows)?;
        way.read_one(row).look(&mut wire)?;
        samples.push((way, Vec::new()));
    }
    bench.rounds(rounds, &mut samples, |(way, samples)| {
        samples.push(Sample::take(&server, &way.one(row), requests)?);
        Ok(())
    })?;
    bench.add(figures(&samples));
    bench.add(ratios(&samples)?);
    Ok(())
}

fn figures(samples: &[(Way, Vec<Sample>)]) -> Sheet {
    let columns = [("requests/s", 0), ("the server's CPU ns a request", 0)];
    let mut sheet = Sheet::new("One row, pipelined", "command", &columns);
    for (way, samples) in samples {
        let spread = |figure: fn(&Sample) -> f64| Spread::of(samples.iter().map(figure));
        let rate = spread(|sample| sample.requests_per_second);
        let cpu = spread(|sample| sample.cpu_per_request);
        sheet.row(way.one_reader(), [rate, cpu]);
    }
    sheet
}

/// Each ratio is of two samples of one round.
fn ratios(samples: &[(Way, Vec<Sample>)]) -> Outcome<Sheet> {
    let (_, ours) = samples.iter().find(|(way, _)| *way == Way::Table).ok_or("there is no table")?;
    let columns = [("by requests/s", 2), ("by the server's CPU", 2)];
    let mut sheet =
        Sheet::new("One row, pipelined: speed against another", "speed of one / of the other", &columns);
    for (way, theirs) in samples.iter().filter(|(way, _)| *way != Way::Table) {
        let ratios = |ratio: fn(&Sample, &Sample) -> f64| {
            Spread::of(ours.iter().zip(theirs).map(|(ours, theirs)| ratio(ours, theirs)))
        };
        let rate = ratios(|ours, theirs| ours.requests_per_second / theirs.requests_per_second);
        let cpu = ratios(|ours, theirs| theirs.cpu_per_request / ours.cpu_per_request);
        let wants = if *way == Way::Strings { AtLeast(0.7) } else { Nothing };
        sheet.judged(format!("{} / {}", Way::Table.one_reader(), way.one_reader()), wants, [rate, cpu]);
    }
    Ok(sheet)
}
