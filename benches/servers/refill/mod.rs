//! What claims save upstream: pods that miss the same rows each fetch them all, or claim them.

mod strategy;

use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use quotelock_testkit::{Result, Server};
use redis::{Connection, cmd};
use strategy::{Pod, Strategy};

use crate::common::bench::Bench;
use crate::common::latencies::Latencies;
use crate::common::sheet::Sheet;
use crate::common::spread::Spread;

const PODS: usize = 10;
const ROWS: usize = 8000;

/// How long an upstream call takes whatever its load, and how many rows it takes.
const CALL: Duration = Duration::from_millis(50);
const ROWS_A_CALL: usize = 2000;

/// A table that another client reads meanwhile.
const OTHER: &str = "other";

/// Where prices come from; it counts its calls and their rows.
#[derive(Default)]
struct Upstream {
    calls: AtomicU32,
    rows: AtomicUsize,
}

impl Upstream {
    /// The price of each of these ids.
    fn fetch(&self, ids: &[String]) -> Vec<String> {
        self.calls.fetch_add(1, Relaxed);
        self.rows.fetch_add(ids.len(), Relaxed);
        sleep(CALL);
        ids.iter().map(|id| format!("price-of-{id}")).collect()
    }
}

/// The columns of a cold start, and how many digits their figures have after the point.
const COLUMNS: [(&str, usize); 6] = [
    ("ms until the last pod has all", 0),
    ("calls upstream", 0),
    ("rows asked of it", 0),
    ("the server's CPU ms", 1),
    ("a read of another, p50 ms", 3),
    ("p99 ms", 2),
];

type Round = [f64; COLUMNS.len()];

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let rounds = bench.pick(10, 5, 2);
    let server = bench.start()?;
    let ids: Vec<String> = (0..ROWS).map(|id| id.to_string()).collect();
    server.run::<()>(&["VEHPRICE.SET", OTHER, "1", "PX", "3600000", "FIELDS", "1", "price", "x"])?;
    let mut measured = Strategy::ALL.map(|strategy| (strategy, Vec::new()));
    bench.rounds(rounds, &mut measured, |(strategy, rounds)| {
        rounds.push(cold_start(&server, *strategy, &ids)?);
        Ok(())
    })?;
    let title = format!(
        "{PODS} pods find 8,000 rows missing; a call upstream takes {CALL:?}, for 2,000 rows at most, however many are under way"
    );
    bench.add(figures(&title, &measured));
    bench.add(ratios(&format!("{title}: each pod asks / claims"), &measured));
    Ok(())
}

/// All pods need the rows of one missing table at the same moment.
fn cold_start(server: &Server, strategy: Strategy, ids: &[String]) -> Result<Round> {
    const TABLE: &str = "hermes:prices";
    server.run::<()>(&["VEHPRICE.CLEAR", TABLE])?;
    let upstream = Upstream::default();
    let mut pods = Vec::new();
    for _ in 0..PODS {
        let connection = server.try_connection()?;
        pods.push(Pod { connection, table: TABLE, upstream: &upstream, rows_a_call: ROWS_A_CALL });
    }
    let mut other = server.try_connection()?;
    let barrier = Barrier::new(PODS + 1);
    let cpu = server.cpu_time()?;
    let (took, latencies) = thread::scope(|scope| -> Result<_> {
        let get_rows = |mut pod: Pod| {
            barrier.wait();
            pod.rows_of(strategy, ids).map_err(|error| error.to_string())
        };
        let pods: Vec<_> = pods.into_iter().map(|pod| scope.spawn(move || get_rows(pod))).collect();
        barrier.wait();
        let (start, mut latencies) = (Instant::now(), Vec::new());
        while pods.iter().any(|pod| !pod.is_finished()) {
            latencies.push(read_other(&mut other)?);
            // Reads without a pause would slow the pods down.
            sleep(Duration::from_micros(200));
        }
        let took = start.elapsed();
        for pod in pods {
            let rows = pod.join().map_err(|_| "a pod panicked")??;
            if rows.matches("price-of-").count() != ids.len() {
                return Err("a pod lacks rows".into());
            }
        }
        Ok((took, Latencies::of(latencies)?))
    })?;
    let cpu = server.cpu_time()? - cpu;
    Ok([
        took.as_secs_f64() * 1e3,
        f64::from(upstream.calls.into_inner()),
        f64::from(u32::try_from(upstream.rows.into_inner())?),
        cpu * 1e3,
        latencies.percentile_ms(50.0),
        latencies.percentile_ms(99.0),
    ])
}

/// How long a read of another client takes.
fn read_other(connection: &mut Connection) -> Result<Duration> {
    let start = Instant::now();
    cmd("VEHPRICE.GET").arg(OTHER).arg("1").arg("JSON").query::<String>(connection)?;
    Ok(start.elapsed())
}

fn figures(title: &str, measured: &[(Strategy, Vec<Round>); 3]) -> Sheet {
    let mut sheet = Sheet::new(title, "way", &COLUMNS);
    for (strategy, rounds) in measured {
        sheet.row(strategy.name(), Spread::of_columns(rounds.iter().copied()));
    }
    sheet
}

fn ratios(title: &str, measured: &[(Strategy, Vec<Round>); 3]) -> Sheet {
    let mut sheet = Sheet::new(title, "each pod asks /", &COLUMNS.map(|(head, _)| (head, 2)));
    let [(_, each_fetches), claims @ ..] = measured;
    for (strategy, rounds) in claims {
        let ratios = Spread::of_ratios(each_fetches.iter().copied(), rounds.iter().copied());
        sheet.row(strategy.name(), ratios);
    }
    sheet
}
