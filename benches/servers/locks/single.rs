//! One client that gets one lock at a time, and waits for each reply: the number of round trips counts.

use quotelock_testkit::{RawConnection, Result, Server, packed};
use redis::Value;
use serde_json::Value as Json;

use super::scripts::Scripts;
use super::{READ, ROLES, WRITTEN, lock, now, renew};
use crate::common::bench::Bench;
use crate::common::sheet::Sheet;
use crate::common::spread::Spread;

/// How a client gets a lock.
struct Case {
    name: &'static str,
    /// Whether the lock exists; else it is deleted before each run, outside the measured time.
    held: bool,
    /// Commands in sequence, each with the length of its reply once verified.
    steps: Vec<(Vec<u8>, usize)>,
    /// In microseconds, one for each round.
    times: Vec<f64>,
}

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let rounds = bench.pick(15, 7, 3);
    let runs = bench.pick(1000, 500, 200);
    let server = bench.start()?;
    let mut connection = RawConnection::connect(server.port())?;
    let mut cases = cases(&server)?;
    renew(&server)?;
    for case in &mut cases {
        case.verify(&mut connection)?;
    }
    bench.rounds(rounds, &mut cases, |case| {
        renew(&server)?;
        case.sample(&mut connection, runs)
    })?;
    let columns = [("µs", 1), ("times the time of QUOTELOCK.ACQUIRE", 2), ("round trips", 0)];
    let mut sheet = Sheet::new("One lock, one client that waits for each answer", "way", &columns);
    for case in &cases {
        let ours = cases.iter().find(|other| other.held == case.held && other.name.starts_with("QUOTELOCK"));
        let ours = ours.ok_or("there is no case of ours")?;
        let times = |case: &Case| case.times.clone().into_iter().map(|time| [time]);
        let ([time], [ratio]) =
            (Spread::of_columns(times(case)), Spread::of_ratios(times(case), times(ours)));
        let trips = Spread::once(f64::from(u32::try_from(case.steps.len())?));
        let name = format!("{}: {}", if case.held { "held" } else { "none there" }, case.name);
        sheet.row(name, [time, ratio, trips]);
    }
    bench.add(sheet);
    Ok(())
}

/// The client's own work between two steps is not measured.
fn cases(server: &Server) -> Result<Vec<Case>> {
    let scripts = Scripts::load(server)?;
    let now = now()?;
    let mut cases = Vec::new();
    for (held, key) in [(true, READ), (false, WRITTEN)] {
        let lock = lock(&now);
        let mut case = |name, steps: &[&[&str]]| {
            let steps = steps.iter().map(|command| (packed(command), 0)).collect();
            cases.push(Case { name, held, steps, times: Vec::new() });
        };
        let (get, set): (&[_], &[_]) = (&["GET", key], &["SET", key, &lock, "EX", "360"]);
        let nx: &[_] = &["SET", key, &lock, "NX", "PX", "360000"];
        if held {
            case("GET", &[get]);
            case("SET NX PX, then GET", &[nx, get]);
        } else {
            case("GET, then SET EX (races)", &[get, set]);
            case("SET NX PX", &[nx]);
        }
        case("SET NX GET PX", &[&["SET", key, &lock, "NX", "GET", "PX", "360000"]]);
        case("Lua", &[&scripts.acquire(key, ROLES, &now)]);
        case("Function", &[&["FCALL", "acquire", "1", key, ROLES, &now]]);
        case("QUOTELOCK.ACQUIRE JSON", &[&["QUOTELOCK.ACQUIRE", key, ROLES, &now, "JSON"]]);
    }
    Ok(cases)
}

impl Case {
    /// Verifies the replies once; later only their length is checked.
    fn verify(&mut self, connection: &mut RawConnection) -> Result<()> {
        self.set_up(connection)?;
        for (request, length) in &mut self.steps {
            let (replies, bytes) = connection.pipeline(request, 1)?;
            *length = bytes;
            if let [Value::BulkString(reply)] = replies.as_slice() {
                let reply: Json = serde_json::from_slice(reply)?;
                if reply.get("queryTime").is_none() {
                    return Err(format!("{} replies {reply}", self.name).into());
                }
            } else if !matches!(replies.as_slice(), [Value::Nil | Value::Okay]) {
                return Err(format!("{} replies {replies:?}", self.name).into());
            }
        }
        Ok(())
    }

    fn set_up(&self, connection: &mut RawConnection) -> Result<()> {
        if self.held { Ok(()) } else { connection.request(&packed(&["DEL", WRITTEN])).map(drop) }
    }

    fn sample(&mut self, connection: &mut RawConnection, runs: u32) -> Result<()> {
        let mut times = Vec::new();
        for _ in 0..runs {
            self.set_up(connection)?;
            let mut time = 0.0;
            for (request, length) in &self.steps {
                time += connection.time(request, *length)?.as_secs_f64() * 1e6;
            }
            times.push(time);
        }
        self.times.push(Spread::of(times.into_iter()).median);
        Ok(())
    }
}
