//! How many bytes a vehicle takes, by `INFO memory`.

use std::thread::sleep;
use std::time::Duration;

use quotelock_testkit::{RawConnection, Result, Server};

use crate::common::bench::Bench;
use crate::common::layout::Layout;
use crate::common::sheet::{Goal, Sheet};
use crate::common::spread::Spread;
use crate::common::vehicles::{Vehicle, vehicles};

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let counts: &[usize] =
        bench.pick(&[1000, 8000, 100_000, 1_000_000], &[8000, 1_000_000], &[8000, 100_000]);
    let max = counts.last().copied().unwrap_or_default();
    let server = bench.start()?;
    let vehicles = vehicles(max);
    let layouts = warm_up(&server, vehicles.get(..1).unwrap_or_default())?;

    let columns: Vec<(&str, usize)> = layouts.iter().map(|layout| (layout.name(), 1)).collect();
    let mut sheet = Sheet::new("Memory: bytes a vehicle, by used_memory", "vehicles", &columns);
    let mut shares =
        Sheet::new("Memory: what MEMORY USAGE tells / what used_memory grows by", "rows", &[("share", 3)]);
    let mut last = Vec::new();
    for &count in counts {
        let vehicles = vehicles.get(..count).ok_or("too few vehicles")?;
        let rows = f64::from(u32::try_from(count)?);
        last.clear();
        for &layout in &layouts {
            bench.show_progress(&format!("{count} vehicles, {}", layout.name()));
            let bytes = memory_of(&server, layout, vehicles)?;
            last.push(bytes / rows);
            if layout == Layout::Table {
                let share = Spread::once(memory_usage(&server)? / bytes);
                shares.row_with_goal(count.to_string(), Goal::Near(0.05), [share]);
            }
        }
        sheet.row(count.to_string(), last.iter().copied().map(Spread::once));
    }
    bench.add(sheet);
    bench.add(ratios(&layouts, &last, max));
    bench.add(shares);
    Ok(())
}

fn ratios(layouts: &[Layout], bytes: &[f64], vehicles: usize) -> Sheet {
    let title = format!("Memory: a row of a table beside the others, {vehicles} vehicles");
    let mut sheet = Sheet::new(title, "against", &[("share", 3)]);
    let ours = bytes.last().copied().unwrap_or(f64::NAN);
    for (layout, theirs) in layouts.iter().zip(bytes) {
        let goal = match layout {
            Layout::Hashes => Goal::AtMost(0.333),
            Layout::ExpiringHash => Goal::AtMost(1.0),
            _ => Goal::None,
        };
        if *layout != Layout::Table {
            sheet.row_with_goal(layout.name(), goal, [Spread::once(ours / theirs)]);
        }
    }
    sheet
}

/// Runs each command once: the server then allocates a histogram of its latencies, which must not count.
fn warm_up(server: &Server, first: &[Vehicle]) -> Result<Vec<Layout>> {
    let mut connection = RawConnection::connect(server.port())?;
    let layouts = Layout::supported(&mut connection)?;
    layouts.iter().try_for_each(|layout| layout.fill(&mut connection, first))?;
    memory_usage(server)?;
    Ok(layouts)
}

/// How much memory an empty server takes for the vehicles.
fn memory_of(server: &Server, layout: Layout, vehicles: &[Vehicle]) -> Result<f64> {
    server.run::<()>(&["FLUSHALL", "SYNC"])?;
    let empty = stable_memory(server)?;
    // The connection closes, so that its buffers don't count.
    layout.fill(&mut RawConnection::connect(server.port())?, vehicles)?;
    Ok(stable_memory(server)? - empty)
}

/// `used_memory`, once it is stable.
fn stable_memory(server: &Server) -> Result<f64> {
    let mut last = f64::NAN;
    for _ in 0..100 {
        sleep(Duration::from_millis(300));
        let used: f64 = server.info("memory", "used_memory")?;
        if (used - last).abs() < 1024.0 {
            return Ok(used);
        }
        last = used;
    }
    Err("the server's memory is not stable".into())
}

/// Redis 8.10 without jemalloc, as it is here, crashes on `MEMORY USAGE` of a key that expires; the rows still do.
fn memory_usage(server: &Server) -> Result<f64> {
    server.run::<()>(&["PERSIST", "table"])?;
    server.run(&["MEMORY", "USAGE", "table", "SAMPLES", "0"])
}
