//! What claims spare upstream: pods that find one table cold, each asking for all that is missing, against single flight.
//!
//! All ways are taken in turn, round after round. `ROUNDS` and `ROWS` change how long it takes, `BENCH_SERVER` which server
//! is measured.

#[allow(dead_code, reason = "the other benchmarks use the rest")]
mod common;
#[path = "refill/ways.rs"]
mod ways;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Barrier, Mutex};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use common::number;
use common::report::{Spread, load, print_setting};
use common::server::{self, Outcome, Server};
use redis::{Client, Connection, cmd};
use ways::{Pod, Way};

const PODS: usize = 10;

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

/// A benchmark is no test: it ends well whatever it finds.
fn main() {
    if let Err(error) = run() {
        eprintln!("The benchmark did not end: {error}");
    }
}

fn run() -> Outcome<()> {
    let (rounds, rows) = (number("ROUNDS", 10)?, number("ROWS", 8000)?);
    let server = Server::start(&module())?;
    print_setting(&server, &module())?;
    let ids: Vec<String> = (0..rows).map(|id| id.to_string()).collect();
    server.run::<()>(&["VEHPRICE.SET", OTHER, "1", "PX", "3600000", "FIELDS", "1", "price", "x"])?;
    let mut taken = Way::ALL.map(|_| Vec::new());
    for _ in 0..rounds {
        for (way, taken) in Way::ALL.into_iter().zip(&mut taken) {
            taken.push(cold_start(&server, way, &ids)?);
        }
    }
    println!(
        "\n== {PODS} pods find {rows} rows missing, {rounds} times; a call upstream takes {CALL:?}, for {ROWS_A_CALL} rows at most\n"
    );
    print(&taken);
    println!("\nload average at the end: {}", load());
    Ok(())
}

fn module() -> PathBuf {
    server::path("QUOTELOCK_MODULE", "target/release/libquotelock.so")
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
    let (barrier, left) = (Barrier::new(PODS + 1), AtomicUsize::new(PODS));
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

fn print(taken: &[Vec<Round>; 3]) {
    let spread = |rounds: &[Round], figure: fn(&Round) -> f64| Spread::of(rounds.iter().map(figure));
    println!(
        "{:<44} {:<8} {:<10} {:<28} {:<24} others: p50 ms        p99 ms",
        "median (least - most)", "calls", "rows", "ms until the last pod has all", "server CPU ms"
    );
    for (way, rounds) in Way::ALL.into_iter().zip(taken) {
        println!(
            "{:<44} {:<8} {:<10} {:<28} {:<24} {:<22} {}",
            way.name(),
            spread(rounds, |round| round.calls).show(0),
            spread(rounds, |round| round.asked).show(0),
            spread(rounds, |round| round.took).show(0),
            spread(rounds, |round| round.cpu).show(1),
            spread(rounds, |round| round.others[0]).show(3),
            spread(rounds, |round| round.others[1]).show(2),
        );
    }
    // Each ratio is of two cold starts of one round: machines drift between rounds.
    let [first, rest @ ..] = taken;
    println!(
        "\n{:<44} {:<8} {:<10} {:<28} {:<24} {:<22} p99",
        "each pod asks /", "calls", "rows", "time", "CPU", "others: p50"
    );
    for (way, rounds) in Way::ALL.into_iter().skip(1).zip(rest) {
        let ratio = |figure: fn(&Round) -> f64| {
            Spread::of(first.iter().zip(rounds).map(|(over, under)| figure(over) / figure(under))).show(2)
        };
        println!(
            "{:<44} {:<8} {:<10} {:<28} {:<24} {:<22} {}",
            way.name(),
            ratio(|round| round.calls),
            ratio(|round| round.asked),
            ratio(|round| round.took),
            ratio(|round| round.cpu),
            ratio(|round| round.others[0]),
            ratio(|round| round.others[1]),
        );
    }
}
