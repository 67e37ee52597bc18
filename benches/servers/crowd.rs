//! Many clients at once, who read one row, read many, and ask for locks: what a large read does to the others.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Barrier;
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use crate::common::bench::Bench;
use crate::common::case::{Exchange, Expected};
use crate::common::server::{Outcome, Server};
use crate::common::sheet::Sheet;
use crate::common::spread::{Spread, with_commas};
use crate::common::vehicles::{shuffled, vehicles};
use crate::common::ways::{Way, text};
use crate::common::wire::{Wire, packed};
use crate::locks;

const CLIENTS: u32 = 50;
const VEHICLES: u32 = 8000;
const LOCK: &str = "lock";
/// Of each hundred requests; the others are of one row.
const LOCKS: u64 = 30;
const MANY: u64 = 1;
/// Requests a second of all clients where they are paced: all ways can bear it.
const PACE: u32 = 5000;

/// What a client asks.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Row,
    Lock,
    Many,
}

impl Kind {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Row, "one row"), (Self::Lock, "a lock"), (Self::Many, "8,000 vehicles")];
}

/// How the clients ask.
#[derive(Clone, Copy)]
enum View {
    /// Each as soon as it has its answer.
    Rushed,
    /// Each at its times.
    Paced,
}

/// What all clients of a way ask.
struct Mix {
    rows: Vec<Exchange>,
    lock: Exchange,
    many: Exchange,
}

/// A way, and what it came to in each round.
struct Played {
    way: Way,
    mix: Mix,
    rounds: Vec<Round>,
}

/// One round.
struct Round {
    seconds: f64,
    /// In ms, sorted, for each kind.
    latencies: [Vec<f64>; 3],
}

pub(crate) fn run(bench: &mut Bench) -> Outcome<()> {
    let rounds = bench.pick(5, 3, 1);
    let time = Duration::from_millis(bench.pick(3000, 1000, 1000));
    let server = bench.start()?;
    let mut wire = Wire::connect(&server)?;
    let stored = vehicles(VEHICLES);
    let asked = shuffled(&stored, 1);
    let moment = locks::now()?;
    let mut ways = Vec::new();
    for way in Way::at_hand(&mut wire)? {
        way.fill(&mut wire, &stored)?;
        let mut rows: Vec<_> = asked.iter().take(64).map(|vehicle| way.read_one(vehicle)).collect();
        let (mut lock, mut many) = (lock(&mut wire, way, &moment)?, way.read(&asked));
        rows.iter_mut().chain([&mut lock, &mut many]).try_for_each(|exchange| exchange.look(&mut wire))?;
        ways.push(Played { way, mix: Mix { rows, lock, many }, rounds: Vec::new() });
    }
    let mix = format!(
        "of a hundred requests {LOCKS} for a lock, {MANY} for 8,000 vehicles, the others for one row"
    );
    let rushed = format!("{CLIENTS} clients, each asks as soon as it has its answer; {mix}");
    let paced =
        format!("{CLIENTS} clients, {} requests a second in all; {mix}", with_commas(&PACE.to_string()));
    for (view, title) in [(View::Rushed, rushed), (View::Paced, paced)] {
        bench.rounds(rounds, &mut ways, |way| {
            way.rounds.push(play(&server, &way.mix, view, time)?);
            Ok(())
        })?;
        bench.add(sheet(title, &ways));
        ways.iter_mut().for_each(|way| way.rounds.clear());
    }
    Ok(())
}

/// A lock that is held: the pods of today only read it.
fn lock(wire: &mut Wire, way: Way, moment: &str) -> Outcome<Exchange> {
    let mut lock = locks::lock(moment);
    wire.run(&packed(&["SET", LOCK, &lock, "EX", "360"]))?;
    let asked = if way == Way::Table {
        lock.pop();
        lock.push_str(r#","state":"Effective","outcome":"Held"}"#);
        packed(&["QUOTELOCK.ACQUIRE", LOCK, locks::ROLES, "*", "JSON"])
    } else {
        packed(&["GET", LOCK])
    };
    Ok(Exchange::new(asked, Expected::Exactly(vec![text(lock)])))
}

fn play(server: &Server, mix: &Mix, view: View, time: Duration) -> Outcome<Round> {
    let wires: Vec<Wire> = (0..CLIENTS).map(|_| Wire::connect(server)).collect::<Outcome<_>>()?;
    let barrier = Barrier::new(wires.len());
    let start = Instant::now();
    let played: Vec<Result<Vec<(Kind, f64)>, String>> = scope(|scope| {
        let clients: Vec<_> = (0..)
            .zip(wires)
            .map(|(number, wire)| {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    let client = Client { number, wire, mix, view };
                    client.play(time).map_err(|error| error.to_string())
                })
            })
            .collect();
        let ended = clients.into_iter().map(|client| client.join());
        ended.map(|client| client.unwrap_or_else(|_| Err("a client panicked".to_owned()))).collect()
    });
    let seconds = start.elapsed().as_secs_f64();
    let mut latencies = [const { Vec::new() }; 3];
    for client in played {
        let client = client?;
        for ((kind, _), latencies) in Kind::ALL.iter().zip(&mut latencies) {
            latencies.extend(client.iter().filter(|(of, _)| of == kind).map(|(_, time)| time));
        }
    }
    latencies.iter_mut().for_each(|latencies| latencies.sort_by(f64::total_cmp));
    Ok(Round { seconds, latencies })
}

struct Client<'mix> {
    number: u32,
    wire: Wire,
    mix: &'mix Mix,
    view: View,
}

impl<'mix> Client<'mix> {
    fn play(mut self, time: Duration) -> Outcome<Vec<(Kind, f64)>> {
        // In seconds. Not all at the same moment.
        let interval = f64::from(CLIENTS) / f64::from(PACE);
        let mut due = interval * f64::from(self.number) / f64::from(CLIENTS);
        let start = Instant::now();
        let mut times = Vec::new();
        for turn in 0.. {
            let asked = match self.view {
                View::Rushed => Instant::now(),
                View::Paced => {
                    let moment = start.checked_add(Duration::from_secs_f64(due)).ok_or("the clock ends")?;
                    due += interval;
                    let late = sleep_until(moment);
                    // One that could not ask in time has waited since then.
                    if late { moment } else { Instant::now() }
                }
            };
            if asked.duration_since(start) >= time {
                break;
            }
            let (kind, exchange) = self.pick(turn);
            exchange.time(&mut self.wire)?;
            times.push((kind, asked.elapsed().as_secs_f64() * 1e3));
        }
        Ok(times)
    }

    /// The same in each run, and in another order for each client.
    fn pick(&self, turn: u64) -> (Kind, &'mix Exchange) {
        let mut hasher = DefaultHasher::new();
        (self.number, turn).hash(&mut hasher);
        let random = hasher.finish();
        match random.checked_rem(100).unwrap_or_default() {
            share if share < MANY => (Kind::Many, &self.mix.many),
            share if share < MANY.saturating_add(LOCKS) => (Kind::Lock, &self.mix.lock),
            _ => {
                let rows = u64::try_from(self.mix.rows.len()).unwrap_or(1);
                let row = (random / 100).checked_rem(rows).and_then(|row| usize::try_from(row).ok());
                (Kind::Row, row.and_then(|row| self.mix.rows.get(row)).unwrap_or(&self.mix.lock))
            }
        }
    }
}

/// Whether the moment had passed.
fn sleep_until(moment: Instant) -> bool {
    let left = moment.saturating_duration_since(Instant::now());
    sleep(left);
    left.is_zero()
}

fn sheet(title: String, ways: &[Played]) -> Sheet {
    let columns = [("requests/s", 0), ("p50 ms", 3), ("p99 ms", 3), ("p99.9 ms", 3)];
    let mut sheet = Sheet::new(title, "way: what is asked", &columns);
    for ((_, kind), place) in Kind::ALL.into_iter().zip(0..) {
        for Played { way, rounds, .. } in ways {
            let spread = |figure: &dyn Fn(&[f64], &Round) -> f64| {
                let latencies = |round: &Round| round.latencies.get(place).cloned().unwrap_or_default();
                Spread::of(rounds.iter().map(|round| figure(&latencies(round), round)))
            };
            let percentile = |share| spread(&|latencies, _| percentile(latencies, share));
            let rate = spread(&|latencies, round| {
                f64::from(u32::try_from(latencies.len()).unwrap_or(u32::MAX)) / round.seconds
            });
            let cells = [rate, percentile(500), percentile(990), percentile(999)];
            sheet.row(format!("{kind}: {}", way.name()), cells);
        }
    }
    sheet
}

/// Of sorted figures, the one that so many of a thousand are at most.
fn percentile(sorted: &[f64], of_1000: usize) -> f64 {
    let place = sorted.len().saturating_mul(of_1000) / 1000;
    sorted.get(place.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}
