//! Counts the instructions of the plain-Rust core by callgrind; the counts don't depend on the machine's load.
//!
//! It fails if a count exceeds that in `instructions.txt` by more than 5 %.
//! `UPDATE_INSTRUCTIONS=1` rewrites the file.
#![expect(clippy::arithmetic_side_effects, reason = "a benchmark may fail")]

#[path = "core/mod.rs"]
mod cases;

use std::collections::BTreeMap;
use std::env::{args, current_exe, var_os};
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use cases::{CASES, Case};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// How much larger a count may be.
const TOLERANCE: f64 = 1.05;

fn main() -> ExitCode {
    let arguments: Vec<String> = args().collect();
    let outcome = match arguments.iter().position(|argument| argument == "--run") {
        Some(at) => run(arguments.get(at + 1), arguments.get(at + 2)),
        None => check(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a case under callgrind.
fn run(name: Option<&String>, times: Option<&String>) -> Outcome<()> {
    let case = CASES.iter().find(|case| Some(case.name) == name.map(String::as_str)).ok_or("no such case")?;
    let times: u32 = times.ok_or("no number of times")?.parse()?;
    let mut run = (case.prepare)();
    (0..times).for_each(|_| run());
    Ok(())
}

fn check() -> Outcome<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/instructions.txt");
    let baseline = read(&fs::read_to_string(&path).unwrap_or_default())?;
    println!("{:>8} {:>8}  instructions a …", "now", "before");
    let (mut text, mut grown) = (String::new(), Vec::new());
    for case in CASES {
        let count = instructions(case)?;
        let before = baseline.get(case.name).copied();
        let shown = before.map_or("-".to_owned(), |before| format!("{before:.1}"));
        println!("{count:8.1} {shown:>8}  {} ({})", case.unit, case.name);
        writeln!(text, "{} {count:.1}", case.name)?;
        if before.is_none_or(|before| count > before * TOLERANCE) {
            grown.push(case.name);
        }
    }
    if var_os("UPDATE_INSTRUCTIONS").is_some_and(|value| value != "0") {
        fs::write(&path, text)?;
        println!("{} is updated", path.display());
    } else if !grown.is_empty() {
        return Err(format!(
            "more than 5 % larger, or new: {}. UPDATE_INSTRUCTIONS=1 accepts the new counts",
            grown.join(", ")
        )
        .into());
    }
    Ok(())
}

fn read(text: &str) -> Outcome<BTreeMap<String, f64>> {
    let count = |line: &str| -> Outcome<(String, f64)> {
        let (name, count) = line.split_once(' ').ok_or_else(|| format!("no count: {line}"))?;
        Ok((name.to_owned(), count.parse()?))
    };
    text.lines().map(count).collect()
}

/// The instructions of one unit, without the preparation: the difference of three runs and one.
fn instructions(case: &Case) -> Outcome<f64> {
    let (one, three) = (collected(case, 1)?, collected(case, 3)?);
    let two = three.checked_sub(one).ok_or("three runs take fewer than one")?;
    #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "far below 2^52")]
    Ok(two as f64 / 2.0 / case.units as f64)
}

fn collected(case: &Case, times: u32) -> Outcome<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(current_exe()?)
        .args(["--run", case.name, &times.to_string()])
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    let count = log.lines().find_map(|line| line.split_once("Collected : ")).map(|(_, count)| count.trim());
    match count {
        Some(count) if output.status.success() => Ok(count.parse()?),
        _ => Err(format!("{}: callgrind counted nothing:\n{log}", case.name).into()),
    }
}
