//! The same read from a small and a large table, and a larger read.

use quotelock_testkit::{RawConnection, Result, packed};

use crate::common::bench::Bench;
use crate::common::case::{
    Case, Exchange, Expected, Ratio, Sample, TIME_COLUMNS, find, measure, ratios, times,
};
use crate::common::layout::read_rows;
use crate::common::sheet::{Goal, Sheet};
use crate::common::vehicles::{TTL, Vehicle, fill_table, shuffled, vehicles};

const READ: usize = 8000;
/// How many reads take turns, each of other ids, so that none finds its rows in the processor's caches.
const READS: usize = 16;

const SMALL: &str = "8,000 ids of 8,000 rows";
const LARGE: &str = "8,000 ids of the large table";
const MANY: &str = "20,000 ids of 20,000 rows";
const ALL: &str = "GETALL JSON of 20,000 rows";

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let rounds = bench.pick(15, 7, 3);
    let rows = bench.pick(1_000_000, 1_000_000, 100_000);
    let server = bench.start()?;
    let mut connection = RawConnection::connect(server.port())?;
    let large = vehicles(rows);
    let small = large.get(..READ).ok_or("the large table is too small")?;
    let many = large.get(..20_000).ok_or("the large table is too small")?;
    fill_table(&mut connection, "large", TTL, &large)?;
    fill_table(&mut connection, "small", TTL, small)?;
    fill_table(&mut connection, "many", TTL, many)?;

    let reads = |key: &str, of: &mut dyn Iterator<Item = Vec<Vehicle>>| -> Vec<Exchange> {
        of.take(READS).map(|ids| read_rows(key, &ids)).collect()
    };
    let orders = |of: &[Vehicle]| (1..).map(|seed| shuffled(of, seed)).take(READS).collect::<Vec<_>>();
    let wanted_of_large = shuffled(&large, 1);
    let all = Expected::ById(many.iter().map(|vehicle| (vehicle.id.clone(), vehicle.json())).collect());
    let mut cases = vec![
        Case::rotating(SMALL, reads("small", &mut orders(small).into_iter())),
        Case::rotating(LARGE, reads("large", &mut wanted_of_large.chunks_exact(READ).map(<[_]>::to_vec))),
        Case::rotating(MANY, reads("many", &mut orders(many).into_iter())),
        Case::new(ALL, packed(&["VEHPRICE.GETALL", "many", "JSON"]), all),
    ];
    measure(bench, &server, &mut connection, &mut cases, rounds)?;
    let title = format!("Other ids at each read; the large table has {rows} rows");
    bench.add(times(&title, &cases));
    bench.add(ratios(format!("{title}: share"), &cases, &[Ratio(LARGE, SMALL, Goal::AtMost(2.0))]));
    let mut limits = Sheet::new("Large reads: the limits", "read", &TIME_COLUMNS);
    for case in [MANY, ALL].iter().filter_map(|name| find(&cases, name)) {
        limits.row_with_goal(&case.name, Goal::AtMost(3.0), Sample::spreads(&case.samples));
    }
    bench.add(limits);
    Ok(())
}
