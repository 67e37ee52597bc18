//! What a command pays for the rows that have expired.

use std::thread::sleep;
use std::time::{Duration, UNIX_EPOCH};

use redis::cmd;

use crate::common::bench::Bench;
use crate::common::case::Sample;
use crate::common::server::Outcome;
use crate::common::sheet::Sheet;
use crate::common::sheet::Wants::{AtMost, Nothing};
use crate::common::spread::Spread;
use crate::common::vehicles::{fill, vehicles};
use crate::common::wire::Wire;

const TABLE: &str = "table";
/// The one row that does not expire, so that the table stays.
const KEPT: &str = "kept";

pub(crate) fn run(bench: &mut Bench) -> Outcome<()> {
    let rows: u32 = bench.pick(1_000_000, 300_000, 100_000);
    bench.say("sweeping");
    let server = bench.start()?;
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
    let columns = [("ms at the client", 3), ("the server's CPU ms", 3)];
    let mut sheet =
        Sheet::new("Sweeping rows that have expired, by VEHPRICE.GET of another", "command", &columns);
    sheet.row(format!("VEHPRICE.GET, {} calls", steps.len()), [wall, cpu]);
    sheet.judged("the longest of them", AtMost(1.0), [wall, cpu].map(|spread| Spread::once(spread.most)));
    for (name, sample) in [("VEHPRICE.LEN, nothing swept yet", unswept), ("VEHPRICE.LEN, all swept", swept)] {
        sheet.judged(name, Nothing, [sample.wall, sample.cpu].map(Spread::once));
    }
    bench.add(sheet);
    Ok(())
}
