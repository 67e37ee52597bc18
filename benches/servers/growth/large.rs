//! The same read out of a small and a large table, and a larger read.

use crate::common::bench::Bench;
use crate::common::case::{Case, Exchange, Expected, Goal, find, measure, ratios, times};
use crate::common::server::Outcome;
use crate::common::sheet::Sheet;
use crate::common::sheet::Wants::AtMost;
use crate::common::vehicles::{LIFE, Vehicle, fill, shuffled, vehicles};
use crate::common::ways::read_rows;
use crate::common::wire::{Wire, packed};

const READ: usize = 8000;
/// As many reads, each of other ids: what one has brought into the processor's caches is no help to the next.
const READS: usize = 16;

const SMALL: &str = "8,000 ids of 8,000 rows";
const LARGE: &str = "8,000 ids of the large table";
const MANY: &str = "20,000 ids of 20,000 rows";
const ALL: &str = "GETALL JSON of 20,000 rows";

pub(crate) fn run(bench: &mut Bench) -> Outcome<()> {
    let rounds = bench.pick(15, 7, 3);
    let rows = bench.pick(1_000_000, 1_000_000, 100_000);
    let server = bench.start()?;
    let mut wire = Wire::connect(&server)?;
    let large = vehicles(rows);
    let small = large.get(..READ).ok_or("the large table is too small")?;
    let many = large.get(..20_000).ok_or("the large table is too small")?;
    fill(&mut wire, "large", LIFE, &large)?;
    fill(&mut wire, "small", LIFE, small)?;
    fill(&mut wire, "many", LIFE, many)?;

    let reads = |key: &str, of: &mut dyn Iterator<Item = Vec<Vehicle>>| -> Vec<Exchange> {
        of.take(READS).map(|ids| read_rows(key, &ids)).collect()
    };
    let orders = |of: &[Vehicle]| (1..).map(|seed| shuffled(of, seed)).take(READS).collect::<Vec<_>>();
    let asked_of_large = shuffled(&large, 1);
    let all = Expected::ById(many.iter().map(|vehicle| (vehicle.id.clone(), vehicle.json())).collect());
    let mut cases = vec![
        Case::in_turn(SMALL, reads("small", &mut orders(small).into_iter())),
        Case::in_turn(LARGE, reads("large", &mut asked_of_large.chunks_exact(READ).map(<[_]>::to_vec))),
        Case::in_turn(MANY, reads("many", &mut orders(many).into_iter())),
        Case::new(ALL, packed(&["VEHPRICE.GETALL", "many", "JSON"]), all),
    ];
    measure(bench, &server, &mut wire, &mut cases, rounds)?;
    let title = format!("Other ids at each read; the large table has {rows} rows");
    bench.add(times(&title, &cases));
    bench.add(ratios(format!("{title}: share"), &cases, &[Goal(LARGE, SMALL, AtMost(2.0))]));
    let columns = [("ms at the client", 3), ("the server's CPU ms", 3)];
    let mut limits = Sheet::new("Large reads: the limits", "read", &columns);
    for case in [MANY, ALL].iter().filter_map(|name| find(&cases, name)) {
        let cells = [case.spread(|sample| sample.wall), case.spread(|sample| sample.cpu)];
        limits.judged(&case.name, AtMost(3.0), cells);
    }
    bench.add(limits);
    Ok(())
}
