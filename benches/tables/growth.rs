//! The same read out of a small and a large table, and a larger read.

use super::batch::{by_id, json_rows, with_ids};
use super::case::{Case, Exchange, find, measure};
use super::common::server::{Outcome, Server};
use super::report::Wants::AtMost;
use super::report::{Goal, print_cases, print_limit, print_ratios};
use super::vehicles::{Vehicle, fill, shuffled, vehicles};
use super::wire::Wire;

const READ: usize = 8000;
const LIFE: (&str, u128) = ("PX", 3_600_000);
/// As many reads, each of other ids: what one has brought into the processor's caches is no help to the next.
const READS: usize = 16;

const SMALL: &str = "8,000 ids of 8,000 rows";
const LARGE: &str = "8,000 ids of the large table";
const MANY: &str = "20,000 ids of 20,000 rows";
const ALL: &str = "GETALL JSON of 20,000 rows";

pub(crate) fn run(rounds: u32, rows: u32) -> Outcome<()> {
    println!("\n== Growth: VEHPRICE.MGET JSON, the large table has {rows} rows, {rounds} rounds\n");
    let server = Server::start(&super::module())?;
    let mut wire = Wire::connect(&server)?;
    let large = vehicles(rows);
    let small = large.get(..READ).ok_or("the large table is too small")?;
    let many = large.get(..20_000).ok_or("the large table is too small")?;
    fill(&mut wire, "large", LIFE, &large)?;
    fill(&mut wire, "small", LIFE, small)?;
    fill(&mut wire, "many", LIFE, many)?;

    let reads = |key: &str, of: &mut dyn Iterator<Item = Vec<Vehicle>>| {
        let read = |ids: Vec<Vehicle>| {
            Exchange::new(with_ids(&["VEHPRICE.MGET", key, "JSON", "IDS"], &ids), json_rows(&ids))
        };
        of.take(READS).map(read).collect::<Vec<_>>()
    };
    let orders = |of: &[Vehicle]| (1..).map(|seed| shuffled(of, seed)).take(READS).collect::<Vec<_>>();
    let asked_of_large = shuffled(&large, 1);
    let getall = with_ids(&["VEHPRICE.GETALL", "many", "JSON"], &[]);
    let mut cases = vec![
        Case::in_turn(SMALL, reads("small", &mut orders(small).into_iter())),
        Case::in_turn(LARGE, reads("large", &mut asked_of_large.chunks_exact(READ).map(<[_]>::to_vec))),
        Case::in_turn(MANY, reads("many", &mut orders(many).into_iter())),
        Case::new(ALL, getall, by_id(many)),
    ];
    measure(&server, &mut wire, &mut cases, rounds)?;
    print_cases(&cases);
    print_ratios(&cases, &[Goal(LARGE, SMALL, AtMost(2.0))]);
    [MANY, ALL].iter().filter_map(|name| find(&cases, name)).for_each(|case| print_limit(case, 3.0));
    Ok(())
}
