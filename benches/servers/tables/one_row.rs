//! One row beside one string.

use quotelock_testkit::{RawConnection, Result};

use super::VEHICLES;
use crate::common::bench::Bench;
use crate::common::layout::Layout;
use crate::common::redis_benchmark::{COLUMNS, SPEED_COLUMNS, Sample, figures, speeds};
use crate::common::sheet::{Goal, Sheet};
use crate::common::vehicles::vehicles;

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let rounds = bench.pick(9, 5, 2);
    let requests = bench.pick(300_000, 100_000, 30_000);
    let server = bench.start()?;
    let mut connection = RawConnection::connect(server.port())?;
    let rows = vehicles(VEHICLES);
    let row = rows.first().ok_or("no vehicles")?;
    let mut measured = Vec::new();
    for layout in Layout::supported(&mut connection)? {
        layout.fill(&mut connection, &rows)?;
        layout.read_one(row).verify(&mut connection)?;
        measured.push((layout, Vec::new()));
    }
    bench.rounds(rounds, &mut measured, |(layout, samples)| {
        samples.push(Sample::take(&server, &layout.read_one_command(row), requests)?);
        Ok(())
    })?;
    bench.add(rates(&measured));
    bench.add(ratios(&measured)?);
    Ok(())
}

fn rates(measured: &[(Layout, Vec<Sample>)]) -> Sheet {
    let mut sheet = Sheet::new("One row, pipelined", "command", &COLUMNS);
    for (layout, samples) in measured {
        sheet.row(layout.read_one_name(), figures(samples));
    }
    sheet
}

fn ratios(measured: &[(Layout, Vec<Sample>)]) -> Result<Sheet> {
    let is_ours = |layout: Layout| layout == Layout::Table;
    let (_, ours) = measured.iter().find(|(layout, _)| is_ours(*layout)).ok_or("there is no table")?;
    let title = "One row, pipelined: speed against another";
    let mut sheet = Sheet::new(title, "speed of one / of the other", &SPEED_COLUMNS);
    for (layout, theirs) in measured.iter().filter(|(layout, _)| !is_ours(*layout)) {
        let name = format!("{} / {}", Layout::Table.read_one_name(), layout.read_one_name());
        let goal = if *layout == Layout::Strings { Goal::AtLeast(0.7) } else { Goal::None };
        sheet.row_with_goal(name, goal, speeds(ours, theirs));
    }
    Ok(sheet)
}
