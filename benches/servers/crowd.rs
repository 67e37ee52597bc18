//! Many clients that read one row, read many, and ask for locks: how a large read delays the others.

use std::sync::Barrier;
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use quotelock_testkit::{RawConnection, Result, Rng, Server, packed};

use crate::common::bench::Bench;
use crate::common::case::{Exchange, Expected};
use crate::common::latencies::Latencies;
use crate::common::layout::{Layout, text};
use crate::common::sheet::Sheet;
use crate::common::spread::{Spread, with_commas};
use crate::common::vehicles::{shuffled, vehicles};
use crate::locks;

const CLIENTS: u32 = 50;
const VEHICLES: usize = 8000;
const LOCK: &str = "lock";
/// Percentages of the requests; all others read one row.
const LOCKS: u64 = 30;
const MANY: u64 = 1;
/// Requests a second of all clients in an open loop: within the capacity of each layout.
const RATE: u32 = 5000;

/// The columns, and how many digits their figures have after the point.
const COLUMNS: [(&str, usize); 4] = [("requests/s", 0), ("p50 ms", 3), ("p99 ms", 3), ("p99.9 ms", 3)];

#[derive(Clone, Copy, PartialEq)]
enum Request {
    Row,
    Lock,
    Many,
}

impl Request {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Row, "one row"), (Self::Lock, "a lock"), (Self::Many, "8,000 vehicles")];
}

#[derive(Clone, Copy)]
enum Load {
    /// A client sends its next request once it has its reply.
    ClosedLoop,
    /// A client sends at fixed times.
    OpenLoop,
}

/// The requests for one layout.
struct Mix {
    rows: Vec<Exchange>,
    lock: Exchange,
    many: Exchange,
}

struct Candidate {
    layout: Layout,
    mix: Mix,
    rounds: Vec<Round>,
}

/// The columns for each request.
type Round = [[f64; COLUMNS.len()]; Request::ALL.len()];

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let rounds = bench.pick(5, 3, 1);
    let time = Duration::from_millis(bench.pick(3000, 1000, 1000));
    let server = bench.start()?;
    let mut connection = RawConnection::connect(server.port())?;
    let stored = vehicles(VEHICLES);
    let wanted = shuffled(&stored, 1);
    let query_time = locks::now()?;
    let mut candidates = Vec::new();
    for layout in Layout::supported(&mut connection)? {
        layout.fill(&mut connection, &stored)?;
        let mut rows: Vec<_> = wanted.iter().take(64).map(|vehicle| layout.read_one(vehicle)).collect();
        let (mut lock, mut many) = (lock(&mut connection, layout, &query_time)?, layout.read_many(&wanted));
        rows.iter_mut()
            .chain([&mut lock, &mut many])
            .try_for_each(|exchange| exchange.verify(&mut connection))?;
        candidates.push(Candidate { layout, mix: Mix { rows, lock, many }, rounds: Vec::new() });
    }
    let mix = format!(
        "of a hundred requests {LOCKS} for a lock, {MANY} for 8,000 vehicles, the others for one row"
    );
    let closed = format!("{CLIENTS} clients, each asks as soon as it has its answer; {mix}");
    let open =
        format!("{CLIENTS} clients, {} requests a second in all; {mix}", with_commas(&RATE.to_string()));
    for (load, title) in [(Load::ClosedLoop, closed), (Load::OpenLoop, open)] {
        bench.rounds(rounds, &mut candidates, |candidate| {
            candidate.rounds.push(play(&server, &candidate.mix, load, time)?);
            Ok(())
        })?;
        bench.add(sheet(title, &candidates));
        candidates.iter_mut().for_each(|candidate| candidate.rounds.clear());
    }
    Ok(())
}

/// A held lock. Without the module's commands, a client reads it with `GET`.
fn lock(connection: &mut RawConnection, layout: Layout, query_time: &str) -> Result<Exchange> {
    let mut lock = locks::lock(query_time);
    connection.request(&packed(&["SET", LOCK, &lock, "EX", "360"]))?;
    let request = if layout == Layout::Table {
        lock.pop();
        lock.push_str(r#","state":"Effective","outcome":"Held"}"#);
        packed(&["QUOTELOCK.ACQUIRE", LOCK, locks::ROLES, "*", "JSON"])
    } else {
        packed(&["GET", LOCK])
    };
    Ok(Exchange::new(request, Expected::Exactly(vec![text(lock)])))
}

fn play(server: &Server, mix: &Mix, load: Load, time: Duration) -> Result<Round> {
    let clients: Vec<_> =
        (0..CLIENTS).map(|number| Client::connect(number, server, mix)).collect::<Result<_>>()?;
    let barrier = Barrier::new(clients.len());
    let play = |client: Client| {
        barrier.wait();
        client.play(load, time).map_err(|error| error.to_string())
    };
    let start = Instant::now();
    let played = scope(|scope| {
        let threads: Vec<_> = clients.into_iter().map(|client| scope.spawn(|| play(client))).collect();
        let mut played = Vec::new();
        for thread in threads {
            played.extend(thread.join().map_err(|_| "a client panicked")??);
        }
        Result::Ok(played)
    })?;
    let seconds = start.elapsed().as_secs_f64();
    let mut round = Round::default();
    for ((request, _), figures) in Request::ALL.into_iter().zip(&mut round) {
        let latencies = played.iter().filter(|(of, _)| *of == request).map(|&(_, latency)| latency);
        let latencies = Latencies::of(latencies)?;
        let [p50, p99, p999] = [50.0, 99.0, 99.9].map(|percentile| latencies.percentile_ms(percentile));
        *figures = [f64::from(u32::try_from(latencies.count())?) / seconds, p50, p99, p999];
    }
    Ok(round)
}

struct Client<'mix> {
    number: u32,
    connection: RawConnection,
    mix: &'mix Mix,
    rows: Vec<&'mix Exchange>,
    rng: Rng,
}

impl<'mix> Client<'mix> {
    fn connect(number: u32, server: &Server, mix: &'mix Mix) -> Result<Self> {
        let connection = RawConnection::connect(server.port())?;
        let rng = Rng::seeded(number.into());
        Ok(Self { number, connection, mix, rows: mix.rows.iter().collect(), rng })
    }

    fn play(mut self, load: Load, time: Duration) -> Result<Vec<(Request, Duration)>> {
        let interval = Duration::from_secs(1) * CLIENTS / RATE;
        let start = Instant::now();
        // The clients' times are spread over one interval.
        let mut due = start + interval * self.number / CLIENTS;
        let mut latencies = Vec::new();
        loop {
            let sent = match load {
                Load::ClosedLoop => Instant::now(),
                Load::OpenLoop => {
                    let scheduled = due;
                    due += interval;
                    // The latency of a request that is late counts from its scheduled time.
                    if sleep_until(scheduled) { Instant::now() } else { scheduled }
                }
            };
            if sent.duration_since(start) >= time {
                break;
            }
            let (request, exchange) = self.choose();
            exchange.time(&mut self.connection)?;
            latencies.push((request, sent.elapsed()));
        }
        Ok(latencies)
    }

    fn choose(&mut self) -> (Request, &'mix Exchange) {
        match self.rng.below(100) {
            share if share < MANY => (Request::Many, &self.mix.many),
            share if share < MANY + LOCKS => (Request::Lock, &self.mix.lock),
            _ => (Request::Row, self.rng.pick(&self.rows)),
        }
    }
}

/// Whether the time was still ahead.
fn sleep_until(time: Instant) -> bool {
    let left = time.saturating_duration_since(Instant::now());
    sleep(left);
    !left.is_zero()
}

fn sheet(title: String, candidates: &[Candidate]) -> Sheet {
    let mut sheet = Sheet::new(title, "way: what is asked", &COLUMNS);
    for (place, (_, request)) in Request::ALL.into_iter().enumerate() {
        for Candidate { layout, rounds, .. } in candidates {
            let cells = Spread::of_columns(rounds.iter().filter_map(|round| round.get(place).copied()));
            sheet.row(format!("{request}: {}", layout.name()), cells);
        }
    }
    sheet
}
