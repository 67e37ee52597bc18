//! How long a command takes that sweeps expired rows.

use std::thread::sleep;
use std::time::{Duration, UNIX_EPOCH};

use quotelock_testkit::{RawConnection, Result};
use redis::cmd;

use crate::common::bench::Bench;
use crate::common::case::{Sample, TIME_COLUMNS};
use crate::common::sheet::{Goal, Sheet};
use crate::common::spread::Spread;
use crate::common::vehicles::{fill_table, vehicles};

const TABLE: &str = "table";
/// The row that does not expire, so that the table stays.
const KEPT: &str = "kept";

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let rows: usize = bench.pick(1_000_000, 300_000, 100_000);
    bench.show_progress("sweeping");
    let server = bench.start()?;
    let mut connection = RawConnection::connect(server.port())?;
    let vehicles = vehicles(rows);
    let set = ["VEHPRICE.SET", TABLE, KEPT, "PX", "3600000", "FIELDS", "1", "a", "b"];
    server.run::<()>(&set)?;
    // Enough time to store them all.
    let expiry = UNIX_EPOCH.elapsed()? + Duration::from_millis(u64::try_from(rows)? / 100 + 1000);
    fill_table(&mut connection, TABLE, ("PXAT", expiry.as_millis()), &vehicles)?;
    sleep(expiry.saturating_sub(UNIX_EPOCH.elapsed()?) + Duration::from_millis(10));

    let len = cmd("VEHPRICE.LEN").arg(TABLE).get_packed_command();
    let get = cmd("VEHPRICE.GET").arg(TABLE).arg(KEPT).arg("JSON").get_packed_command();
    let unswept = Sample::take(&server, &mut connection, &len, ":1\r\n".len())?;
    let mut steps = Vec::new();
    // Each step sweeps 16 pages of up to 64 rows; most pages are fuller than a quarter.
    while server.info::<usize>("quotelock", "quotelock_rows_expired")? < rows {
        if steps.len() > rows / 50 {
            return Err("rows stay unswept".into());
        }
        for _ in 0..100 {
            steps.push(Sample::take(&server, &mut connection, &get, "$9\r\n{\"a\":\"b\"}\r\n".len())?);
        }
    }
    let swept = Sample::take(&server, &mut connection, &len, ":1\r\n".len())?;

    let title = "Sweeping rows that have expired, by VEHPRICE.GET of another";
    let mut sheet = Sheet::new(title, "command", &TIME_COLUMNS);
    let spreads = Sample::spreads(&steps);
    sheet.row(format!("VEHPRICE.GET, {} calls", steps.len()), spreads);
    let longest = spreads.map(|spread| Spread::once(spread.max));
    sheet.row_with_goal("the longest of them", Goal::AtMost(1.0), longest);
    for (name, sample) in [("VEHPRICE.LEN, nothing swept yet", unswept), ("VEHPRICE.LEN, all swept", swept)] {
        sheet.row(name, sample.figures().map(Spread::once));
    }
    bench.add(sheet);
    Ok(())
}
