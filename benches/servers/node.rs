//! From call to JavaScript objects, in Node with ioredis.

use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::common::bench::Bench;
use crate::common::server::Outcome;
use crate::common::sheet::Sheet;
use crate::common::sheet::Wants::{self, AtLeast, Nothing};
use crate::common::spread::{Spread, with_commas};
use crate::common::vehicles::vehicles;
use crate::common::ways::Way;
use crate::common::wire::Wire;

const OURS: &str = "VehPrice.mget of clients/typescript";
const GOALS: [(&str, Wants); 2] =
    [("pipeline of HGETALL", AtLeast(8.0)), ("HMGET of one hash, JSON.parse of each", AtLeast(1.5))];

/// What the program says of a way.
#[derive(Deserialize)]
struct Told {
    name: String,
    /// In ms, one a round.
    wall: Vec<f64>,
    /// Of Node's process, in ms.
    cpu: Vec<f64>,
}

pub(crate) fn run(bench: &mut Bench) -> Outcome<()> {
    for count in [8000, 20_000] {
        bench.say(&format!("{count} vehicles"));
        let server = bench.start()?;
        let mut wire = Wire::connect(&server)?;
        let stored = vehicles(count);
        for way in [Way::Hashes, Way::Strings, Way::OneHash, Way::Table] {
            way.fill(&mut wire, &stored)?;
        }
        let told = measure(server.port, bench.pick(21, 9, 2))?;
        let vehicles = with_commas(&count.to_string());
        let node = version()?;
        bench.add(times(
            format!("{vehicles} vehicles in Node {node}, from call to JavaScript objects"),
            &told,
        ));
        bench.add(ratios(
            format!("{vehicles} vehicles in Node {node}: how many times as fast VehPrice.mget is"),
            &told,
        )?);
    }
    Ok(())
}

fn version() -> Outcome<String> {
    let output = Command::new("node").arg("--version").output().map_err(|error| format!("node: {error}"))?;
    Ok(String::from_utf8(output.stdout)?.trim().trim_start_matches('v').to_owned())
}

fn measure(port: u16, rounds: u32) -> Outcome<Vec<Told>> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/node/vehicles.mjs");
    let output = Command::new("node")
        .arg("--expose-gc")
        .arg(program)
        .args([port.to_string(), rounds.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("node: {error}"))?;
    if !output.status.success() {
        return Err("the program in Node failed; `make clients` builds what it uses".into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn times(title: String, told: &[Told]) -> Sheet {
    let mut sheet = Sheet::new(title, "way", &[("ms", 1), ("Node's CPU ms", 1)]);
    for way in told {
        sheet.row(&way.name, [&way.wall, &way.cpu].map(|times| Spread::of(times.iter().copied())));
    }
    sheet
}

/// Each ratio is of two times of one round.
fn ratios(title: String, told: &[Told]) -> Outcome<Sheet> {
    let ours = told.iter().find(|told| told.name == OURS).ok_or("there is no way of ours")?;
    let mut sheet = Sheet::new(title, "against", &[("by the time", 2), ("by Node's CPU", 2)]);
    for way in told.iter().filter(|told| told.name != OURS) {
        let wants = GOALS.iter().find(|(name, _)| *name == way.name).map_or(Nothing, |&(_, wants)| wants);
        let ratio = |theirs: &[f64], ours: &[f64]| {
            Spread::of(theirs.iter().zip(ours).map(|(theirs, ours)| theirs / ours))
        };
        sheet.judged(&way.name, wants, [ratio(&way.wall, &ours.wall), ratio(&way.cpu, &ours.cpu)]);
    }
    Ok(sheet)
}
