//! Counts the instructions of what the core does most, by callgrind. The figures don't depend on what else
//! the machine does. `instructions.txt` keeps them, and a figure that has grown by more than 5 % fails the
//! run. `UPDATE_INSTRUCTIONS=1` writes the file again.

#[path = "cases/mod.rs"]
mod cases;

use std::collections::BTreeMap;
use std::env::{args, current_exe, var_os};
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use cases::{CASES, Case};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A figure that is more than this many times its kept one has grown.
const MAX_GROWTH: f64 = 1.05;

fn main() -> ExitCode {
    let arguments: Vec<String> = args().collect();
    let result = match arguments.iter().position(|argument| argument == "--run") {
        Some(index) => run(arguments.get(index + 1), arguments.get(index + 2)),
        None => check(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a case a number of times, for callgrind to count.
fn run(name: Option<&String>, times: Option<&String>) -> Result<()> {
    let case = CASES.iter().find(|case| Some(case.name) == name.map(String::as_str)).ok_or("no such case")?;
    let times: u32 = times.ok_or("how many times?")?.parse()?;
    let mut run = (case.prepare)();
    (0..times).for_each(|_| run());
    Ok(())
}

fn check() -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/instructions.txt");
    let kept = parse(&fs::read_to_string(&path)?)?;
    println!("{:>8} {:>8}  instructions a …", "now", "kept");
    let (mut text, mut grown) = (String::new(), Vec::new());
    for case in CASES {
        let count = instructions(case)?;
        let before = kept.get(case.name).copied();
        let shown = before.map_or("-".to_owned(), |before| format!("{before:.1}"));
        println!("{count:8.1} {shown:>8}  {} ({})", case.unit, case.name);
        writeln!(text, "{} {count:.1}", case.name)?;
        if before.is_none_or(|before| count > before * MAX_GROWTH) {
            grown.push(case.name);
        }
    }
    if var_os("UPDATE_INSTRUCTIONS").is_some_and(|value| value != "0") {
        fs::write(&path, text)?;
        println!("wrote {}", path.display());
    } else if !grown.is_empty() {
        return Err(format!(
            "grown by more than 5 %, or new: {}. UPDATE_INSTRUCTIONS=1 keeps the new figures",
            grown.join(", ")
        )
        .into());
    }
    Ok(())
}

fn parse(text: &str) -> Result<BTreeMap<String, f64>> {
    let figure = |line: &str| -> Result<(String, f64)> {
        let (name, count) = line.split_once(' ').ok_or_else(|| format!("no figure: {line}"))?;
        Ok((name.to_owned(), count.parse()?))
    };
    text.lines().map(figure).collect()
}

/// The instructions of one unit. Start and set-up cancel out between one run and three.
fn instructions(case: &Case) -> Result<f64> {
    let (one, three) = (collected(case, 1)?, collected(case, 3)?);
    let two = three.checked_sub(one).ok_or("three runs took fewer instructions than one")?;
    Ok(f64::from(u32::try_from(two)?) / 2.0 / f64::from(case.units))
}

fn collected(case: &Case, times: u32) -> Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(current_exe()?)
        .args(["--run", case.name, &times.to_string()])
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let log = String::from_utf8_lossy(&output.stderr);
    let figure =
        log.lines().find_map(|line| line.split_once("Collected : ")).map(|(_, figure)| figure.trim());
    match figure {
        Some(figure) if output.status.success() => Ok(figure.parse()?),
        _ => Err(format!("{}: callgrind counted nothing:\n{log}", case.name).into()),
    }
}
