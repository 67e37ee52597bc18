//! What claims spare upstream: pods that find one table cold, each asking for all that is missing, against single flight.

mod ways;

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Barrier, Mutex};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use redis::{Client, Connection, cmd};
use ways::{Pod, Way};

use crate::common::bench::Bench;
use crate::common::server::{Outcome, Server};
use crate::common::sheet::Sheet;
use crate::common::spread::Spread;

const PODS: usize = 10;
const ROWS: usize = 8000;

/// How long an upstream call takes, however many are under way, and for how many rows it is made at most.
const CALL: Duration = Duration::from_millis(50);
const ROWS_A_CALL: usize = 2000;

/// A table that another client reads meanwhile.
const OTHER: &str = "other";

/// Where prices come from. It counts what it is asked.
#[derive(Default)]
struct Upstream {
    calls: AtomicUsize,
    rows: AtomicUsize,
}

impl Upstream {
    /// The price of each of these ids.
    fn ask(&self, ids: &[String]) -> Vec<String> {
        self.calls.fetch_add(1, Relaxed);
        self.rows.fetch_add(ids.len(), Relaxed);
        sleep(CALL);
        ids.iter().map(|id| format!("price-of-{id}")).collect()
    }
}

/// One cold start of all pods.
#[derive(Clone, Copy)]
struct Round {
    calls: f64,
    asked: f64,
    /// Until the last pod had its rows, in milliseconds.
    took: f64,
    /// The server's CPU, in milliseconds.
    cpu: f64,
    /// What reads of another client took meanwhile, in milliseconds.
    others: [f64; 2],
}

/// What is told of a round, each with how many digits it has behind the point.
const COLUMNS: [(&str, usize); 6] = [
    ("ms until the last pod has all", 0),
    ("calls upstream", 0),
    ("rows asked of it", 0),
    ("the server's CPU ms", 1),
    ("a read of another, p50 ms", 3),
    ("p99 ms", 2),
];

pub(crate) fn run(bench: &mut Bench) -> Outcome<()> {
    let rounds = bench.pick(10, 5, 2);
    let server = bench.start()?;
    let ids: Vec<String> = (0..ROWS).map(|id| id.to_string()).collect();
    server.run::<()>(&["VEHPRICE.SET", OTHER, "1", "PX", "3600000", "FIELDS", "1", "price", "x"])?;
    let mut taken = Way::ALL.map(|way| (way, Vec::new()));
    bench.rounds(rounds, &mut taken, |(way, rounds)| {
        rounds.push(cold_start(&server, *way, &ids)?);
        Ok(())
    })?;
    let title = format!(
        "{PODS} pods find 8,000 rows missing; a call upstream takes {CALL:?}, for 2,000 rows at most, however many are under way"
    );
    bench.add(figures(&title, &taken));
    bench.add(ratios(&format!("{title}: each pod asks / claims"), &taken));
    Ok(())
}

fn connect(server: &Server) -> Outcome<Connection> {
    Ok(Client::open(("127.0.0.1", server.port))?.get_connection()?)
}

/// All pods set out at once for the rows of one table, which is not there.
fn cold_start(server: &Server, way: Way, ids: &[String]) -> Outcome<Round> {
    const TABLE: &str = "hermes:prices";
    server.run::<()>(&["VEHPRICE.CLEAR", TABLE])?;
    let upstream = Upstream::default();
    let mut pods = Vec::new();
    for _ in 0..PODS {
        let connection = connect(server)?;
        pods.push(Pod { connection, table: TABLE, upstream: &upstream, rows_a_call: ROWS_A_CALL });
    }
    let other = &mut connect(server)?;
    let failed = Mutex::new(None);
    let (barrier, left) = (Barrier::new(PODS.saturating_add(1)), AtomicUsize::new(PODS));
    let cpu = server.cpu_time()?;
    let mut others = Vec::new();
    let took = thread::scope(|scope| {
        for mut pod in pods {
            let (barrier, left, failed) = (&barrier, &left, &failed);
            scope.spawn(move || {
                barrier.wait();
                let rows = pod.rows_of(way, ids);
                left.fetch_sub(1, Relaxed);
                let wrong = match rows {
                    Ok(rows) if rows.matches("price-of-").count() == ids.len() => return,
                    Ok(_) => "a pod has not all rows".to_owned(),
                    Err(error) => error.to_string(),
                };
                if let Ok(mut failed) = failed.lock() {
                    *failed = Some(wrong);
                }
            });
        }
        barrier.wait();
        let began = Instant::now();
        while left.load(Relaxed) > 0 {
            others.push(read_other(other)?);
            // A client that asks without a pause would be what the others wait for.
            sleep(Duration::from_micros(200));
        }
        Outcome::Ok(began.elapsed())
    })?;
    let cpu = server.cpu_time()? - cpu;
    if let Some(error) = failed.into_inner()? {
        return Err(error.into());
    }
    others.sort_by(f64::total_cmp);
    let at = |share: usize| others.get(others.len().saturating_mul(share) / 100).copied().unwrap_or(f64::NAN);
    Ok(Round {
        calls: count(&upstream.calls)?,
        asked: count(&upstream.rows)?,
        took: took.as_secs_f64() * 1e3,
        cpu: cpu * 1e3,
        others: [at(50), at(99)],
    })
}

fn count(counter: &AtomicUsize) -> Outcome<f64> {
    Ok(f64::from(u32::try_from(counter.load(Relaxed))?))
}

/// How long a read of another client takes, in milliseconds.
fn read_other(other: &mut Connection) -> Outcome<f64> {
    let began = Instant::now();
    cmd("VEHPRICE.GET").arg(OTHER).arg("1").arg("JSON").query::<String>(other)?;
    Ok(began.elapsed().as_secs_f64() * 1e3)
}

fn figures(title: &str, taken: &[(Way, Vec<Round>); 3]) -> Sheet {
    let mut sheet = Sheet::new(title, "way", &COLUMNS);
    for (way, rounds) in taken {
        let column = |column: usize| {
            Spread::of(rounds.iter().filter_map(|round| round.figures().get(column).copied()))
        };
        sheet.row(way.name(), (0..COLUMNS.len()).map(column));
    }
    sheet
}

/// Each ratio is of two cold starts of one round: machines drift between rounds.
fn ratios(title: &str, taken: &[(Way, Vec<Round>); 3]) -> Sheet {
    let mut sheet = Sheet::new(title, "each pod asks /", &COLUMNS.map(|(head, _)| (head, 2)));
    let [(_, first), rest @ ..] = taken;
    for (way, rounds) in rest {
        let column = |column: usize| {
            let of = |round: &Round| round.figures().get(column).copied().unwrap_or(f64::NAN);
            Spread::of(first.iter().zip(rounds).map(|(over, under)| of(over) / of(under)))
        };
        sheet.row(way.name(), (0..COLUMNS.len()).map(column));
    }
    sheet
}

impl Round {
    /// As the columns have them.
    fn figures(&self) -> [f64; 6] {
        let [p50, p99] = self.others;
        [self.took, self.calls, self.asked, self.cpu, p50, p99]
    }
}
