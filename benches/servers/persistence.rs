//! Saving, loading, rewriting the append-only file, and a replica's full sync: time and size.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use quotelock_testkit::{RawConnection, Result, Server, poll};

use crate::common::bench::Bench;
use crate::common::layout::Layout;
use crate::common::sheet::Sheet;
use crate::common::spread::{Spread, with_commas};
use crate::common::vehicles::{Vehicle, vehicles};

const TIMEOUT: Duration = Duration::from_secs(120);

const COLUMNS: [(&str, usize); 6] = [
    ("SAVE, s", 2),
    ("RDB, MB", 1),
    ("load, s", 2),
    ("AOF rewrite, s", 2),
    ("AOF, MB", 1),
    ("full sync, s", 2),
];

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let rounds = bench.pick(3, 1, 1);
    let count = bench.pick(1_000_000, 100_000, 100_000);
    let vehicles = vehicles(count);
    let layouts = Layout::supported(&mut RawConnection::connect(bench.start()?.port())?)?;
    let mut measured: Vec<_> = layouts.into_iter().map(|layout| (layout, Vec::new())).collect();
    bench.rounds(rounds, &mut measured, |(layout, rounds)| {
        rounds.push(measure(bench, *layout, &vehicles)?);
        Ok(())
    })?;
    let mut sheet = Sheet::new(
        format!("{} vehicles saved, loaded, rewritten and synced", with_commas(&count.to_string())),
        "kept as",
        &COLUMNS,
    );
    for (layout, rounds) in measured {
        sheet.row(layout.name(), Spread::of_columns(rounds.into_iter()));
    }
    bench.add(sheet);
    Ok(())
}

fn measure(bench: &Bench, layout: Layout, vehicles: &[Vehicle]) -> Result<[f64; COLUMNS.len()]> {
    let mut server = bench.start()?;
    layout.fill(&mut RawConnection::connect(server.port())?, vehicles)?;

    let start = Instant::now();
    server.run::<()>(&["SAVE"])?;
    let save = start.elapsed().as_secs_f64();
    let rdb = megabytes(&server.dir().join("dump.rdb"))?;

    server.try_kill()?;
    server.try_restart()?;
    let log = server.log();
    let load = log.lines().find_map(|line| line.split_once("DB loaded from disk: ")?.1.split(' ').next());
    let load: f64 = load.ok_or("the log lacks the time of loading")?.parse()?;

    let sync = sync(bench, &server)?;

    // All as commands, without an RDB preamble.
    server.run::<()>(&["CONFIG", "SET", "aof-use-rdb-preamble", "no"])?;
    let start = Instant::now();
    server.run::<()>(&["CONFIG", "SET", "appendonly", "yes"])?;
    wait(&server, "persistence", "aof_rewrite_scheduled", "0")?;
    wait(&server, "persistence", "aof_rewrite_in_progress", "0")?;
    let rewrite = start.elapsed().as_secs_f64();
    if server.info::<String>("persistence", "aof_last_bgrewrite_status")? != "ok" {
        return Err(format!("the rewrite failed: {}", server.log()).into());
    }
    let aof = megabytes(&server.dir().join("appendonlydir"))?;
    Ok([save, rdb, load, rewrite, aof, sync])
}

/// How long a new replica takes to be up to date.
fn sync(bench: &Bench, primary: &Server) -> Result<f64> {
    let replica = bench.start()?;
    let start = Instant::now();
    replica.run::<()>(&["REPLICAOF", "127.0.0.1", &primary.port().to_string()])?;
    wait(&replica, "replication", "master_link_status", "up")?;
    Ok(start.elapsed().as_secs_f64())
}

fn wait(server: &Server, section: &str, field: &str, wanted: &str) -> Result<()> {
    // While a server loads, it replies with an error.
    let value = || server.info::<String>(section, field).ok();
    let reached = poll(TIMEOUT, || value().filter(|value| value == wanted));
    reached.map(drop).ok_or_else(|| format!("{field} does not become {wanted}").into())
}

/// The size of a file, or of all files in a directory.
fn megabytes(path: &Path) -> Result<f64> {
    let files: Vec<OsString> = if path.is_dir() {
        fs::read_dir(path)?
            .map(|entry| entry.map(|entry| entry.path().into()))
            .collect::<std::io::Result<_>>()?
    } else {
        vec![path.into()]
    };
    let mut bytes = 0;
    for file in files {
        bytes += fs::metadata(file)?.len();
    }
    Ok(f64::from(u32::try_from(bytes / 1024)?) / 1024.0)
}
