//! From call to JavaScript objects, in Node with ioredis.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::iter::repeat_n;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use quotelock_testkit::{RawConnection, Result, workspace};
use serde::de::DeserializeOwned;

use crate::common::bench::Bench;
use crate::common::layout::Layout;
use crate::common::sheet::Goal::{self, AtLeast};
use crate::common::sheet::Sheet;
use crate::common::spread::{Spread, with_commas};
use crate::common::vehicles::vehicles;

/// Ways to do the same, as vehicles.mjs names them.
struct Comparison {
    verb: &'static str,
    what: &'static str,
    ours: &'static str,
    goals: [(&'static str, Goal); 2],
    ways: &'static [&'static str],
}

const READS: Comparison = Comparison {
    verb: "read",
    what: "from call to JavaScript objects",
    ours: "VehPrice.mget, two fields",
    goals: [("pipeline of HGETALL", AtLeast(25.0)), ("HMGET of one hash, JSON.parse of each", AtLeast(5.0))],
    ways: &[
        "pipeline of HGETALL",
        "MGET of JSON, JSON.parse of each",
        "HMGET of one hash, JSON.parse of each",
        "VEHPRICE.MGET as maps",
        "VEHPRICE.MGET JSON IDS, JSON.parse",
        "VehPrice.mget, all fields",
        "VehPrice.mget, two fields",
    ],
};

/// What is read out of a copy in the process, one small round trip included.
const COPIES: [Comparison; 3] = [
    Comparison {
        verb: "read",
        what: "out of a copy: rows",
        ours: "PriceTableCopy, rows",
        goals: [
            ("pipeline of HGETALL", AtLeast(70.0)),
            ("HMGET of one hash, JSON.parse of each", AtLeast(15.0)),
        ],
        ways: COPY_WAYS,
    },
    Comparison {
        verb: "read",
        what: "out of a copy: all",
        ours: "PriceTableCopy, all",
        goals: [
            ("pipeline of HGETALL", Goal::None),
            ("HMGET of one hash, JSON.parse of each", AtLeast(50.0)),
        ],
        ways: COPY_WAYS,
    },
    Comparison {
        verb: "read",
        what: "out of a copy: rows, final",
        ours: "PriceTableCopy, rows, final",
        goals: [
            ("pipeline of HGETALL", Goal::None),
            ("HMGET of one hash, JSON.parse of each", AtLeast(20.0)),
        ],
        ways: COPY_WAYS,
    },
];

const COPY_WAYS: &[&str] = &[
    "pipeline of HGETALL",
    "HMGET of one hash, JSON.parse of each",
    "VehPrice.mget, two fields",
    "PriceTableCopy, rows",
    "PriceTableCopy, rows, final",
    "PriceTableCopy, all",
];

const WRITES: Comparison = Comparison {
    verb: "written",
    what: "from JavaScript objects to stored",
    ours: "VehPrice.mset",
    goals: [
        ("pipeline of HSET + EXPIRE", AtLeast(15.0)),
        ("HSET of one hash, JSON.stringify of each", AtLeast(2.0)),
    ],
    ways: &[
        "pipeline of HSET + EXPIRE",
        "HSET of one hash, JSON.stringify of each",
        "VEHPRICE.MSET ROWS",
        "VehPrice.mset",
    ],
};

/// Rounds that only warm up the compiler.
const WARM_UP: usize = 2;

struct Measured {
    name: &'static str,
    /// The time and Node's CPU time of each, in ms.
    rounds: Vec<[f64; 2]>,
}

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    for count in [8000, 20_000] {
        bench.show_progress(&format!("{count} vehicles"));
        let server = bench.start()?;
        let mut connection = RawConnection::connect(server.port())?;
        let stored = vehicles(count);
        for layout in [Layout::Hashes, Layout::Strings, Layout::OneHash, Layout::Table] {
            layout.fill(&mut connection, &stored)?;
        }
        let vehicles = with_commas(&count.to_string());
        let node = version()?;
        for comparison in [READS, WRITES] {
            let measured = measure(server.port(), &comparison, bench.pick(21, 9, 2))?;
            let Comparison { verb, what, ours, .. } = comparison;
            bench.add(times(format!("{vehicles} vehicles {verb} in Node {node}, {what}"), &measured));
            let title =
                format!("{vehicles} vehicles {verb} in Node {node}: how many times as fast {ours} is");
            bench.add(ratios(title, &comparison, &measured)?);
        }
        let [first, ..] = &COPIES;
        let measured = measure(server.port(), first, bench.pick(21, 9, 2))?;
        bench.add(times(
            format!("{vehicles} vehicles out of a copy in Node {node}, its round trip included"),
            &measured,
        ));
        for comparison in COPIES {
            let Comparison { ours, .. } = comparison;
            let title =
                format!("{vehicles} vehicles out of a copy in Node {node}: how many times as fast {ours} is");
            bench.add(ratios(title, &comparison, &measured)?);
        }
    }
    Ok(())
}

fn version() -> Result<String> {
    let output = Command::new("node").arg("--version").output().map_err(|error| format!("node: {error}"))?;
    Ok(String::from_utf8(output.stdout)?.trim().trim_start_matches('v').to_owned())
}

/// Each case in its own process, in turn, round after round.
fn measure(port: u16, comparison: &Comparison, rounds: usize) -> Result<Vec<Measured>> {
    let (mut programs, mut digests) = (Vec::new(), HashSet::<String>::new());
    for &name in comparison.ways {
        let mut program = Program::start(port, name)?;
        digests.insert(program.read_line()?);
        programs.push((program, Measured { name, rounds: Vec::new() }));
    }
    if digests.len() > 1 {
        return Err("the cases in Node do not get the same vehicles".into());
    }
    for counts in repeat_n(false, WARM_UP).chain(repeat_n(true, rounds)) {
        for (program, measured) in &mut programs {
            let round = program.round()?;
            if counts {
                measured.rounds.push(round);
            }
        }
        // Alternating, so that none is always the first.
        programs.reverse();
    }
    let mut measured: Vec<_> = programs.into_iter().map(|(_, measured)| measured).collect();
    measured.sort_by_key(|case| comparison.ways.iter().position(|name| *name == case.name));
    Ok(measured)
}

/// vehicles.mjs with one of the cases; it is killed when this is dropped.
struct Program {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Program {
    fn start(port: u16, case: &str) -> Result<Self> {
        let program = workspace().join("benches/node/vehicles.mjs");
        let mut child = Command::new("node")
            .arg(program)
            .args([&port.to_string(), case])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("node: {error}"))?;
        let (stdin, stdout) = child.stdin.take().zip(child.stdout.take()).ok_or("node has no pipes")?;
        Ok(Self { child, stdin, stdout: BufReader::new(stdout) })
    }

    /// The time of a round and its CPU time, in ms.
    fn round(&mut self) -> Result<[f64; 2]> {
        self.stdin.write_all(b"\n")?;
        self.read_line()
    }

    fn read_line<T: DeserializeOwned>(&mut self) -> Result<T> {
        let mut line = String::new();
        if self.stdout.read_line(&mut line)? == 0 {
            return Err("the program in Node failed; `make clients` builds what it uses".into());
        }
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn times(title: String, measured: &[Measured]) -> Sheet {
    let mut sheet = Sheet::new(title, "way", &[("ms", 1), ("Node's CPU ms", 1)]);
    for case in measured {
        sheet.row(case.name, Spread::of_columns(case.rounds.iter().copied()));
    }
    sheet
}

fn ratios(title: String, comparison: &Comparison, measured: &[Measured]) -> Result<Sheet> {
    let Comparison { ours: name, goals, .. } = comparison;
    let ours = measured.iter().find(|case| case.name == *name).ok_or("there is no case of ours")?;
    let mut sheet = Sheet::new(title, "against", &[("by the time", 2), ("by Node's CPU", 2)]);
    for theirs in measured.iter().filter(|case| case.name != *name) {
        let goal = goals.iter().find(|(name, _)| *name == theirs.name).map_or(Goal::None, |&(_, goal)| goal);
        let ratios = Spread::of_ratios(theirs.rounds.iter().copied(), ours.rounds.iter().copied());
        sheet.row_with_goal(theirs.name, goal, ratios);
    }
    Ok(sheet)
}
