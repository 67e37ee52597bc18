//! From call to JavaScript objects, in Node with ioredis.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::iter::repeat_n;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::de::DeserializeOwned;

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

/// The ways, as the program knows them.
const WAYS: [&str; 6] = [
    "pipeline of HGETALL",
    "MGET of JSON, JSON.parse of each",
    "HMGET of one hash, JSON.parse of each",
    "VEHPRICE.MGET as maps",
    "VEHPRICE.MGET JSON, JSON.parse",
    OURS,
];

/// Rounds that only warm the compiler up.
const WARM_UP: usize = 2;

/// What was measured of a way.
struct Told {
    name: &'static str,
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

/// Each way in a process of its own, in turn, round after round.
fn measure(port: u16, rounds: usize) -> Outcome<Vec<Told>> {
    let (mut programs, mut digests) = (Vec::new(), HashSet::<String>::new());
    for name in WAYS {
        let mut program = Program::start(port, name)?;
        digests.insert(program.hear()?);
        programs.push((program, Told { name, wall: Vec::new(), cpu: Vec::new() }));
    }
    if digests.len() > 1 {
        return Err("the ways in Node do not get the same".into());
    }
    for counts in repeat_n(false, WARM_UP).chain(repeat_n(true, rounds)) {
        for (program, told) in &mut programs {
            let [wall, cpu] = program.round()?;
            if counts {
                told.wall.push(wall);
                told.cpu.push(cpu);
            }
        }
        programs.reverse(); // forth and back, so that none is always the first
    }
    // As they were first.
    let mut told: Vec<_> = programs.into_iter().map(|(_, told)| told).collect();
    told.sort_by_key(|told| WAYS.iter().position(|name| *name == told.name));
    Ok(told)
}

/// The program in Node, with one of the ways. It goes with this.
struct Program {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Program {
    fn start(port: u16, way: &str) -> Outcome<Self> {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/node/vehicles.mjs");
        let mut child = Command::new("node")
            .arg(program)
            .args([&port.to_string(), way])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("node: {error}"))?;
        let (stdin, stdout) = child.stdin.take().zip(child.stdout.take()).ok_or("node has no pipes")?;
        Ok(Self { child, stdin, stdout: BufReader::new(stdout) })
    }

    /// Does a round: what it took in ms, and in ms of its CPU.
    fn round(&mut self) -> Outcome<[f64; 2]> {
        self.stdin.write_all(b"\n")?;
        self.hear()
    }

    /// The next line it says.
    fn hear<T: DeserializeOwned>(&mut self) -> Outcome<T> {
        let mut line = String::new();
        if self.stdout.read_line(&mut line)? == 0 {
            return Err("the program in Node failed; `make clients` builds what it uses".into());
        }
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn times(title: String, told: &[Told]) -> Sheet {
    let mut sheet = Sheet::new(title, "way", &[("ms", 1), ("Node's CPU ms", 1)]);
    for way in told {
        sheet.row(way.name, [&way.wall, &way.cpu].map(|times| Spread::of(times.iter().copied())));
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
        sheet.judged(way.name, wants, [ratio(&way.wall, &ours.wall), ratio(&way.cpu, &ours.cpu)]);
    }
    Ok(sheet)
}
