//! What a command pays for the rows that have expired.

use std::thread::sleep;
use std::time::{Duration, UNIX_EPOCH};

use redis::cmd;

use super::case::Sample;
use super::common::report::Spread;
use super::common::server::{Outcome, Server};
use super::report::Wants::AtMost;
use super::report::{print_goal, print_goal_heads};
use super::vehicles::{fill, vehicles};
use super::wire::Wire;

const TABLE: &str = "table";
/// The one row that does not expire, so that the table stays.
const KEPT: &str = "kept";

pub(crate) fn run(rows: u32) -> Outcome<()> {
    println!("\n== Sweeping {rows} rows that have expired, by VEHPRICE.GET of another\n");
    let server = Server::start(&super::module())?;
    let mut wire = Wire::connect(&server)?;
    let vehicles = vehicles(rows);
    let set = ["VEHPRICE.SET", TABLE, KEPT, "PX", "3600000", "FIELDS", "1", "a", "b"];
    server.run::<()>(&set)?;
    // Long enough to store them all.
    let expiry = UNIX_EPOCH
        .elapsed()?
        .saturating_add(Duration::from_millis(u64::from(rows / 100).saturating_add(1000)));
    fill(&mut wire, TABLE, ("PXAT", expiry.as_millis()), &vehicles)?;
    sleep(expiry.saturating_sub(UNIX_EPOCH.elapsed()?).saturating_add(Duration::from_millis(10)));

    let len = cmd("VEHPRICE.LEN").arg(TABLE).get_packed_command();
    let get = cmd("VEHPRICE.GET").arg(TABLE).arg(KEPT).arg("JSON").get_packed_command();
    let unswept = Sample::take(&server, &mut wire, &len, ":1\r\n".len())?;
    let mut steps = Vec::new();
    // Each step sweeps 16 pages of up to 64 rows; most pages are fuller than a quarter.
    while server.info::<u32>("quotelock", "quotelock_rows_expired")? < rows {
        if steps.len() > usize::try_from(rows / 50)? {
            return Err("rows stay unswept".into());
        }
        for _ in 0..100 {
            steps.push(Sample::take(&server, &mut wire, &get, "$9\r\n{\"a\":\"b\"}\r\n".len())?);
        }
    }
    let swept = Sample::take(&server, &mut wire, &len, ":1\r\n".len())?;

    let spread = |figure: fn(&Sample) -> f64| Spread::of(steps.iter().map(figure));
    let (wall, cpu) = (spread(|step| step.wall), spread(|step| step.cpu));
    println!("{:<40} {:<25} server CPU ms", "median (least - most)", "wall ms at the client");
    println!("{:<40} {:<25} {}", format!("VEHPRICE.GET, {} calls", steps.len()), wall.show(3), cpu.show(3));
    for (name, sample) in [("VEHPRICE.LEN, nothing swept yet", unswept), ("VEHPRICE.LEN, all swept", swept)] {
        println!("{name:<40} {:<25.3} {:.3}", sample.wall, sample.cpu);
    }
    print_goal_heads("by wall time", "by server CPU");
    let longest = |spread: &Spread| Spread::of(std::iter::once(spread.most));
    print_goal("longest VEHPRICE.GET, ms", AtMost(1.0), &longest(&wall), Some(&longest(&cpu)), 3);
    Ok(())
}
