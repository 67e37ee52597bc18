//! Saving, loading, rewriting the append-only file, and a replica's full sync: time and size.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::common::bench::Bench;
use crate::common::server::{Outcome, Server};
use crate::common::sheet::Sheet;
use crate::common::spread::{Spread, with_commas};
use crate::common::vehicles::{Vehicle, vehicles};
use crate::common::ways::Way;
use crate::common::wire::Wire;

/// As often as something that goes on is looked at.
const STEP: Duration = Duration::from_millis(2);
const PATIENCE: Duration = Duration::from_secs(120);

const COLUMNS: [(&str, usize); 6] = [
    ("SAVE, s", 2),
    ("RDB, MB", 1),
    ("load, s", 2),
    ("AOF rewrite, s", 2),
    ("AOF, MB", 1),
    ("full sync, s", 2),
];

pub(crate) fn run(bench: &mut Bench) -> Outcome<()> {
    let rounds = bench.pick(3, 1, 1);
    let count = bench.pick(1_000_000, 100_000, 100_000);
    let vehicles = vehicles(count);
    let ways = Way::at_hand(&mut Wire::connect(&bench.start()?)?)?;
    let mut all: Vec<(Way, Vec<[f64; 6]>)> = ways.into_iter().map(|way| (way, Vec::new())).collect();
    bench.rounds(rounds, &mut all, |(way, figures)| {
        figures.push(measure(bench, *way, &vehicles)?);
        Ok(())
    })?;
    let mut sheet = Sheet::new(
        format!("{} vehicles saved, loaded, rewritten and synced", with_commas(&count.to_string())),
        "kept as",
        &COLUMNS,
    );
    for (way, figures) in all {
        let column =
            |column: usize| Spread::of(figures.iter().filter_map(|figures| figures.get(column).copied()));
        sheet.row(way.name(), (0..COLUMNS.len()).map(column));
    }
    bench.add(sheet);
    Ok(())
}

fn measure(bench: &Bench, way: Way, vehicles: &[Vehicle]) -> Outcome<[f64; 6]> {
    let mut server = bench.start()?;
    way.fill(&mut Wire::connect(&server)?, vehicles)?;

    let start = Instant::now();
    server.run::<()>(&["SAVE"])?;
    let save = start.elapsed().as_secs_f64();
    let rdb = megabytes(&server.directory().join("dump.rdb"))?;

    server.restart(&bench.server)?;
    let log = server.log();
    let load = log.lines().find_map(|line| line.split_once("DB loaded from disk: ")?.1.split(' ').next());
    let load: f64 = load.ok_or("the log does not say how long loading took")?.parse()?;

    let sync = sync(bench, &server)?;

    // As commands, not as a dump in front of them.
    server.run::<()>(&["CONFIG", "SET", "aof-use-rdb-preamble", "no"])?;
    let start = Instant::now();
    server.run::<()>(&["CONFIG", "SET", "appendonly", "yes"])?;
    wait(&server, "persistence", "aof_rewrite_scheduled", "0")?;
    wait(&server, "persistence", "aof_rewrite_in_progress", "0")?;
    let rewrite = start.elapsed().as_secs_f64();
    if server.info::<String>("persistence", "aof_last_bgrewrite_status")? != "ok" {
        return Err(format!("the rewrite failed: {}", server.log()).into());
    }
    let aof = megabytes(&server.directory().join("appendonlydir"))?;
    Ok([save, rdb, load, rewrite, aof, sync])
}

/// From the start of a replica's connection to its being up to date.
fn sync(bench: &Bench, primary: &Server) -> Outcome<f64> {
    let replica = bench.start()?;
    let start = Instant::now();
    replica.run::<()>(&["REPLICAOF", "127.0.0.1", &primary.port.to_string()])?;
    wait(&replica, "replication", "master_link_status", "up")?;
    Ok(start.elapsed().as_secs_f64())
}

fn wait(server: &Server, section: &str, field: &str, wanted: &str) -> Outcome<()> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        // A server that loads answers with an error.
        if server.info::<String>(section, field).is_ok_and(|value| value == wanted) {
            return Ok(());
        }
        sleep(STEP);
    }
    Err(format!("{field} does not become {wanted}").into())
}

/// Of a file, or of all in a directory.
fn megabytes(path: &Path) -> Outcome<f64> {
    let files: Vec<OsString> = if path.is_dir() {
        fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path().into())).collect::<Result<_, _>>()?
    } else {
        vec![path.into()]
    };
    let mut bytes = 0_u64;
    for file in files {
        bytes = bytes.saturating_add(fs::metadata(file)?.len());
    }
    Ok(f64::from(u32::try_from(bytes / 1024)?) / 1024.0)
}
