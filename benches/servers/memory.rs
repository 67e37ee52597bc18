//! Bytes a row, by the server's own count.

use std::thread::sleep;
use std::time::Duration;

use crate::common::bench::Bench;
use crate::common::server::{Outcome, Server};
use crate::common::sheet::Sheet;
use crate::common::sheet::Wants::{self, AtMost, Near, Nothing};
use crate::common::spread::Spread;
use crate::common::vehicles::{Vehicle, vehicles};
use crate::common::ways::Way;
use crate::common::wire::Wire;

pub(crate) fn run(bench: &mut Bench) -> Outcome<()> {
    let counts: &[usize] =
        bench.pick(&[1000, 8000, 100_000, 1_000_000], &[8000, 1_000_000], &[8000, 100_000]);
    let most = counts.last().copied().unwrap_or_default();
    let server = bench.start()?;
    let vehicles = vehicles(u32::try_from(most)?);
    let ways = warm_up(&server, vehicles.get(..1).unwrap_or_default())?;

    let heads: Vec<String> = ways.iter().map(|way| way.name().to_owned()).collect();
    let columns: Vec<(&str, usize)> = heads.iter().map(|head| (head.as_str(), 1)).collect();
    let mut sheet = Sheet::new("Memory: bytes a vehicle, by used_memory", "vehicles", &columns);
    let mut told =
        Sheet::new("Memory: what MEMORY USAGE tells / what used_memory grows by", "rows", &[("share", 3)]);
    let mut last = Vec::new();
    for &count in counts {
        let vehicles = vehicles.get(..count).ok_or("there are too few vehicles")?;
        let rows = f64::from(u32::try_from(count)?);
        last.clear();
        for &way in &ways {
            bench.say(&format!("{count} vehicles, {}", way.name()));
            let bytes = grown(&server, way, vehicles)?;
            last.push(bytes / rows);
            if way == Way::Table {
                told.judged(count.to_string(), Near(0.05), [Spread::once(usage(&server)? / bytes)]);
            }
        }
        sheet.row(count.to_string(), last.iter().copied().map(Spread::once));
    }
    bench.add(sheet);
    bench.add(shares(&ways, &last, most));
    bench.add(told);
    Ok(())
}

fn shares(ways: &[Way], bytes: &[f64], vehicles: usize) -> Sheet {
    let title = format!("Memory: a row of a table beside the others, {vehicles} vehicles");
    let mut sheet = Sheet::new(title, "against", &[("share", 3)]);
    let ours = bytes.last().copied().unwrap_or(f64::NAN);
    for (way, theirs) in ways.iter().zip(bytes) {
        let wants: Wants = match way {
            Way::Hashes => AtMost(0.333),
            Way::ExpiringHash => AtMost(1.0),
            _ => Nothing,
        };
        if *way != Way::Table {
            sheet.judged(way.name(), wants, [Spread::once(ours / theirs)]);
        }
    }
    sheet
}

/// A server keeps a histogram of each command's times, from its first call on: that is not the rows' memory.
fn warm_up(server: &Server, first: &[Vehicle]) -> Outcome<Vec<Way>> {
    let mut wire = Wire::connect(server)?;
    let ways = Way::at_hand(&mut wire)?;
    ways.iter().try_for_each(|way| way.fill(&mut wire, first))?;
    usage(server)?;
    Ok(ways)
}

/// What the server's memory grows by, from empty.
fn grown(server: &Server, way: Way, vehicles: &[Vehicle]) -> Outcome<f64> {
    server.run::<()>(&["FLUSHALL", "SYNC"])?;
    let empty = settled(server)?;
    // The connection's buffers go with it.
    way.fill(&mut Wire::connect(server)?, vehicles)?;
    Ok(settled(server)? - empty)
}

/// `used_memory`, once it stands still.
fn settled(server: &Server) -> Outcome<f64> {
    let mut last = f64::NAN;
    for _ in 0..100 {
        sleep(Duration::from_millis(300));
        let used: f64 = server.info("memory", "used_memory")?;
        if (used - last).abs() < 1024.0 {
            return Ok(used);
        }
        last = used;
    }
    Err("the server's memory does not stand still".into())
}

fn usage(server: &Server) -> Outcome<f64> {
    server.run(&["MEMORY", "USAGE", "table", "SAMPLES", "0"])
}
