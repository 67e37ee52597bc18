//! Keeping a copy of a table up to date, beside reading one string.

use quotelock_testkit::{RawConnection, Result, packed};
use redis::Value;

use crate::common::bench::Bench;
use crate::common::redis_benchmark::{COLUMNS, SPEED_COLUMNS, Sample, figures, speeds};
use crate::common::sheet::Goal::{AtLeast, AtMost, Near};
use crate::common::sheet::Sheet;
use crate::common::vehicles::{TTL, Vehicle, fill_table, vehicles};

const GET: &str = "GET of one row's JSON";

/// What `VEHPRICE.CHANGES` is asked of.
struct Case {
    name: String,
    command: Vec<String>,
    samples: Vec<Sample>,
}

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let rounds = bench.pick(9, 5, 2);
    let requests = bench.pick(300_000, 100_000, 30_000);
    let most = bench.pick(1_000_000, 300_000, 100_000);
    let server = bench.start()?;
    let mut connection = RawConnection::connect(server.port())?;
    let rows = vehicles(most);
    let first = rows.first().ok_or("no vehicles")?;
    connection.request(&packed(&["SET", "string", &first.json()]))?;
    let mut cases = vec![Case::new(GET, ["GET", "string"].map(str::to_owned).to_vec())];
    for count in [1000, 8000, most] {
        let key = format!("table:{count}");
        fill_table(&mut connection, &key, TTL, rows.get(..count).ok_or("too few vehicles")?)?;
        let revision = revision(&mut connection, &key)?;
        cases.push(Case::new(unchanged(count), changes(&key, &revision)));
    }
    let revision = revision(&mut connection, "table:8000")?;
    write_one(&mut connection, first)?;
    // The table of 8,000 has changed: what it is asked of is another revision now.
    let now = self::revision(&mut connection, "table:8000")?;
    if let Some(case) = cases.iter_mut().find(|case| case.name == unchanged(8000)) {
        case.command = changes("table:8000", &now);
    }
    cases.push(Case::new(ONE_CHANGED, changes("table:8000", &revision)));
    bench.rounds(rounds, &mut cases, |case| {
        case.samples.push(Sample::take(&server, &case.command, requests)?);
        Ok(())
    })?;
    let mut sheet = Sheet::new("Changes of a table, pipelined", "command", &COLUMNS);
    cases.iter().for_each(|case| sheet.row(&case.name, figures(&case.samples)));
    bench.add(sheet);
    bench.add(ratios(&cases, most)?);
    Ok(())
}

const ONE_CHANGED: &str = "CHANGES JSON, 1 of 8000 rows changed";

fn unchanged(rows: usize) -> String {
    format!("CHANGES JSON, nothing changed, {rows} rows")
}

impl Case {
    fn new(name: impl Into<String>, command: Vec<String>) -> Self {
        Self { name: name.into(), command, samples: Vec::new() }
    }
}

fn changes(key: &str, revision: &str) -> Vec<String> {
    ["VEHPRICE.CHANGES", key, revision, "JSON"].map(str::to_owned).to_vec()
}

/// The revision of a table, the last member of what `VEHPRICE.INFO` answers.
fn revision(connection: &mut RawConnection, key: &str) -> Result<String> {
    match connection.request(&packed(&["VEHPRICE.INFO", key]))? {
        Value::Array(members) => match members.last() {
            Some(Value::BulkString(revision)) => Ok(String::from_utf8(revision.clone())?),
            _ => Err("INFO tells no revision".into()),
        },
        other => Err(format!("INFO answers {other:?}").into()),
    }
}

fn write_one(connection: &mut RawConnection, vehicle: &Vehicle) -> Result<()> {
    let changed = packed(&["VEHPRICE.SET", "table:8000", &vehicle.id, "FIELDS", "1", "styleId", "61"]);
    match connection.request(&changed)? {
        Value::Int(1) => Ok(()),
        other => Err(format!("SET answers {other:?}").into()),
    }
}

fn ratios(cases: &[Case], most: usize) -> Result<Sheet> {
    let samples = |name: &str| {
        let found = cases.iter().find(|case| case.name == name);
        found.map(|case| &case.samples).ok_or_else(|| format!("there is no {name}"))
    };
    let title = "Changes of a table, pipelined: speed against another";
    let mut sheet = Sheet::new(title, "speed of one / of the other", &SPEED_COLUMNS);
    let mut add = |one: &str, other: &str, goal| -> Result<()> {
        sheet.row_with_goal(format!("{one} / {other}"), goal, speeds(samples(one)?, samples(other)?));
        Ok(())
    };
    add(&unchanged(8000), GET, AtLeast(0.6))?;
    add(&unchanged(most), &unchanged(1000), Near(0.1))?;
    add(&unchanged(8000), ONE_CHANGED, AtMost(3.0))?;
    Ok(sheet)
}
