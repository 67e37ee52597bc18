//! The README's figures of speed and memory are those of the benchmarks' page.

use std::fs;

use crate::harness::workspace;

const LOCKS: &str = "One lock, pipelined: speed against another";
const READS: &str = "8,000 vehicles read in one call: how many times as fast";
const WRITES: &str = "8,000 vehicles written in one call: how many times as fast";
const MEMORY: &str = "Memory: bytes a vehicle, by used_memory";
const REFILL: &str = "10 pods find 8,000 rows missing … each pod asks / claims";
const ONE_ROW: &str = "One row, pipelined: speed against another";
const CHANGES: &str = "Changes of a table, pipelined: speed against another";
const NODE: &str = "8,000 vehicles read in Node … how many times as fast VehPrice.mget, two fields is";
const NODE_WRITES: &str = "8,000 vehicles written in Node … how many times as fast VehPrice.mset is";
const COPIES: &str = "8,000 vehicles out of a copy in Node … how many times as fast PriceTableCopy, rows is";

/// A row of the README's tables, and what its figures are on the page: the table, the row, the column.
type Figures = (&'static str, &'static [(&'static str, &'static str, usize)]);

const SPEED: &[Figures] = &[
    ("`QUOTELOCK.GET … JSON` | `GET` of the same key", &[(LOCKS, "QUOTELOCK.GET JSON / GET", 2)]),
    ("`QUOTELOCK.GET … JSON` | the same logic in Lua", &[(LOCKS, "QUOTELOCK.GET JSON / get in Lua", 2)]),
    ("`QUOTELOCK.GET`, as a map | `GET`", &[(LOCKS, "QUOTELOCK.GET map / GET", 2)]),
    (
        "`QUOTELOCK.SET` with a moment, with `*` | `SET … EX`",
        &[(LOCKS, "QUOTELOCK.SET time / SET EX", 2), (LOCKS, "QUOTELOCK.SET * / SET EX", 2)],
    ),
    (
        "`QUOTELOCK.ACQUIRE` that is held, `JSON`, as a map | `GET`",
        &[(LOCKS, "QUOTELOCK.ACQUIRE held JSON / GET", 2), (LOCKS, "QUOTELOCK.ACQUIRE held map / GET", 2)],
    ),
    (
        "`VEHPRICE.MGET … JSON LIST` | a pipeline of `HGETALL`, a key a vehicle",
        &[(READS, "HGETALL, pipeline / VEHPRICE.MGET LIST JSON", 2)],
    ),
    (" | `HMGET` on one hash of JSON values", &[(READS, "HMGET of one hash / VEHPRICE.MGET LIST JSON", 2)]),
    (" | `MGET` of strings of JSON", &[(READS, "MGET of JSON / VEHPRICE.MGET LIST JSON", 2)]),
    (
        "`VEHPRICE.MGET … COLUMNS LIST` | `HMGET` on one hash of JSON values",
        &[(READS, "HMGET of one hash / VEHPRICE.MGET LIST COLUMNS", 2)],
    ),
    (
        "`VEHPRICE.MGET … JSON IDS` | a pipeline of `HGETALL`, a key a vehicle",
        &[(READS, "HGETALL, pipeline / VEHPRICE.MGET JSON", 2)],
    ),
    (" | `HMGET` on one hash of JSON values", &[(READS, "HMGET of one hash / VEHPRICE.MGET JSON", 2)]),
    (" | `MGET` of strings of JSON", &[(READS, "MGET of JSON / VEHPRICE.MGET JSON", 2)]),
    (" | Lua", &[(READS, "HMGET in Lua / VEHPRICE.MGET JSON", 2)]),
    (" | `JSON.MGET` of RedisJSON", &[(READS, "JSON.MGET / VEHPRICE.MGET JSON", 2)]),
    (
        "`VEHPRICE.MGET`, as maps | a pipeline of `HGETALL`",
        &[(READS, "HGETALL, pipeline / VEHPRICE.MGET", 2)],
    ),
    (" | `HMGET` on one hash of JSON values, not parsed", &[(READS, "HMGET of one hash / VEHPRICE.MGET", 2)]),
    (
        "`VEHPRICE.MGET FIELDS 2` | a pipeline of `HMGET`",
        &[(READS, "HMGET, pipeline / VEHPRICE.MGET FIELDS 2", 2)],
    ),
    (
        "`VEHPRICE.GETALL … JSON` | `HGETALL` of that one hash",
        &[(READS, "HGETALL of one hash / VEHPRICE.GETALL JSON", 2)],
    ),
    (
        "`VEHPRICE.MSET … PX … COLUMNS`, over rows that are there, of new rows | a pipeline of `HSET` and `EXPIRE`",
        &[
            (WRITES, "HSET + EXPIRE over rows / VEHPRICE.MSET COLUMNS PX over rows", 2),
            (WRITES, "HSET + EXPIRE of new rows / VEHPRICE.MSET COLUMNS PX of new rows", 2),
        ],
    ),
    (
        " | `HSET` into one hash, whose rows then have no expiry",
        &[
            (WRITES, "HSET of one hash, no expiry, over rows / VEHPRICE.MSET COLUMNS PX over rows", 2),
            (WRITES, "HSET of one hash, no expiry, of new rows / VEHPRICE.MSET COLUMNS PX of new rows", 2),
        ],
    ),
    (
        "`VEHPRICE.MSET … PX … ROWS`, the same | a pipeline of `HSET` and `EXPIRE`",
        &[
            (WRITES, "HSET + EXPIRE over rows / VEHPRICE.MSET PX over rows", 2),
            (WRITES, "HSET + EXPIRE of new rows / VEHPRICE.MSET PX of new rows", 2),
        ],
    ),
    (
        " | `HSET` into one hash, whose rows then have no expiry",
        &[
            (WRITES, "HSET of one hash, no expiry, over rows / VEHPRICE.MSET PX over rows", 2),
            (WRITES, "HSET of one hash, no expiry, of new rows / VEHPRICE.MSET PX of new rows", 2),
        ],
    ),
    (
        "`VEHPRICE.GET … JSON`, one row, pipelined | `GET` of the same JSON",
        &[(ONE_ROW, "VEHPRICE.GET JSON / GET of JSON", 2)],
    ),
    (
        "`VEHPRICE.CHANGES … JSON`, nothing changed, pipelined | `GET` of one row's JSON",
        &[(CHANGES, "CHANGES JSON, nothing changed, 8000 rows / GET of one row's JSON", 2)],
    ),
    (
        "`VehPrice.mget` of the TypeScript client, to JavaScript objects | a pipeline of `HGETALL`",
        &[(NODE, "pipeline of HGETALL", 2)],
    ),
    (" | `HMGET` on one hash, `JSON.parse` of each", &[(NODE, "HMGET of one hash, JSON.parse of each", 2)]),
    (
        "`VehPrice.mset` of the TypeScript client | a pipeline of `HSET` and `EXPIRE`",
        &[(NODE_WRITES, "pipeline of HSET + EXPIRE", 2)],
    ),
    (
        " | `HSET` into one hash, `JSON.stringify` of each",
        &[(NODE_WRITES, "HSET of one hash, JSON.stringify of each", 2)],
    ),
    (
        "`PriceTableCopy.rows` of the TypeScript client, one small round trip included | a pipeline of `HGETALL`",
        &[(COPIES, "pipeline of HGETALL", 2)],
    ),
    (" | `HMGET` on one hash, `JSON.parse` of each", &[(COPIES, "HMGET of one hash, JSON.parse of each", 2)]),
];

#[test]
fn the_figures_of_speed_are_those_of_the_benchmarks() {
    let (readme, page) = (read("README.md"), read("docs/benchmarks.md"));
    let section = readme.split("\n## ").find(|section| section.starts_with("Speed\n")).unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let shown: Vec<_> = rows.filter(|row| row.ends_with(|last: char| last.is_ascii_digit())).collect();
    assert_eq!(shown.len(), SPEED.len(), "{shown:#?}");
    for (row, (says, figures)) in shown.into_iter().zip(SPEED) {
        let (text, numbers) = row.rsplit_once(" | ").unwrap();
        assert_eq!(text, says.trim_start());
        let numbers: Vec<_> = numbers.split(", ").collect();
        assert_eq!(numbers.len(), figures.len(), "{row}");
        for (number, (table, measured, column)) in numbers.into_iter().zip(*figures) {
            let median = median(&page, table, measured, *column);
            assert_eq!(number, short(median), "{row}: {median} is measured");
        }
    }
}

#[test]
fn the_figures_of_other_servers_are_those_of_the_benchmarks() {
    let (readme, page) = (unwrapped("README.md"), read("docs/benchmarks.md"));
    let each_server = |title| format!("{title}: by the time at the client, each server");
    // The row's name, the goal, the server of all other figures.
    let others: Vec<_> = heads(&page, &each_server(READS)).into_iter().enumerate().skip(3).collect();
    let range = |title, row| {
        let others = others.iter().map(|(column, _)| median(&page, &each_server(title), row, *column));
        let (least, most) = others.fold((f64::MAX, 0_f64), |(a, b), at| (a.min(at), b.max(at)));
        format!("{} to {}", short(least), short(most))
    };
    let redis: Vec<_> = others.iter().filter_map(|(_, name)| name.strip_prefix("Redis ")).collect();
    assert_eq!(others.len(), redis.len() + 2, "{others:?}");
    let says = format!(
        "On Redis {} and the two Valkeys the first three of these are {}, {}, and {}, and new rows by `COLUMNS` against `HSET` into one hash {}.",
        redis.join(", "),
        range(READS, "HGETALL, pipeline / VEHPRICE.MGET LIST JSON"),
        range(READS, "HMGET of one hash / VEHPRICE.MGET LIST JSON"),
        range(READS, "MGET of JSON / VEHPRICE.MGET LIST JSON"),
        range(WRITES, "HSET of one hash, no expiry, of new rows / VEHPRICE.MSET COLUMNS PX of new rows"),
    );
    assert!(readme.contains(&says), "the README does not say: {says}");
}

#[test]
fn the_figures_of_refill_are_those_of_the_benchmarks() {
    let (readme, page) = (unwrapped("README.md"), read("docs/benchmarks.md"));
    let [all, some] = ["CLAIM", "CLAIM LIMIT"]
        .map(|claim| short(median(&page, REFILL, &format!("{claim}, MSET TOKEN, MGET BLOCK"), 1)));
    let says = format!("as soon as without claims ({all}), and {some} times as soon with `LIMIT 2000`");
    assert!(readme.contains(&says), "the README does not say: {says}");
}

#[test]
fn the_figures_of_memory_are_those_of_the_benchmarks() {
    let (readme, page) = (read("README.md"), read("docs/benchmarks.md"));
    let [table, hash] = [4, 1].map(|column| median(&page, MEMORY, "1,000,000", column));
    let says = format!("takes {table:.0} bytes in a table of a million, a hash key with a ttl {hash:.0}.");
    assert!(readme.contains(&says), "the README does not say: {says}");
}

fn read(path: &str) -> String {
    fs::read_to_string(workspace().join(path)).unwrap()
}

/// A text in one line.
fn unwrapped(path: &str) -> String {
    read(path).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A ratio with two digits, the zero before the point not counted.
fn short(ratio: f64) -> String {
    match ratio {
        ..0.995 => format!("{ratio:.2}"),
        ..9.95 => format!("{ratio:.1}"),
        _ => format!("{ratio:.0}"),
    }
}

/// What stands in a column of the page's first table whose title has these parts.
fn median(page: &str, title: &str, row: &str, column: usize) -> f64 {
    let start = format!("| {row} |");
    let mut lines = table(page, title).lines();
    let line = lines.find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("{title}: {row}"));
    line.split(" | ").nth(column).unwrap().split(' ').next().unwrap().parse().unwrap()
}

/// The heads of the same table's columns.
fn heads<'page>(page: &'page str, title: &str) -> Vec<&'page str> {
    let line = table(page, title).lines().find_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    line.unwrap().split(" | ").collect()
}

/// The page's first table whose title has these parts.
fn table<'page>(page: &'page str, title: &str) -> &'page str {
    let is_titled = |table: &&str| {
        table.lines().next().is_some_and(|line| title.split(" … ").all(|part| line.contains(part)))
    };
    page.split("\n**").find(is_titled).unwrap_or_else(|| panic!("no table {title}"))
}
