//! One client that asks for one lock at a time, and waits for the answer: round trips count here.

use redis::Value;
use serde_json::Value as Json;

use super::scripts::Scripts;
use super::{READ, ROLES, WRITTEN, lock, now, renew};
use crate::common::bench::Bench;
use crate::common::server::{Outcome, Server};
use crate::common::sheet::{Sheet, Wants};
use crate::common::spread::Spread;
use crate::common::wire::{Wire, packed};

/// A way to come by a lock.
struct Way {
    name: &'static str,
    /// Whether the lock is there; else it is deleted before, outside the time.
    held: bool,
    /// One after the other, each with the length of its reply once that was looked at.
    steps: Vec<(Vec<u8>, usize)>,
    /// In microseconds, one for each round.
    times: Vec<f64>,
}

pub(crate) fn run(bench: &mut Bench) -> Outcome<()> {
    let rounds = bench.pick(15, 7, 3);
    let runs = bench.pick(1000, 500, 200);
    let server = bench.start()?;
    let mut wire = Wire::connect(&server)?;
    let delete = packed(&["DEL", WRITTEN]);
    let mut ways = ways(&server)?;
    renew(&server)?;
    for way in &mut ways {
        way.look(&mut wire, &delete)?;
    }
    bench.rounds(rounds, &mut ways, |way| {
        renew(&server)?;
        way.sample(&mut wire, &delete, runs)
    })?;
    let columns = [("µs", 1), ("times the time of QUOTELOCK.ACQUIRE", 2), ("round trips", 0)];
    let mut sheet = Sheet::new("One lock, one client that waits for each answer", "way", &columns);
    for way in &ways {
        let ours = ways.iter().find(|other| other.held == way.held && other.name.starts_with("QUOTELOCK"));
        let ours = ours.ok_or("there is no way of ours")?;
        let ratio = Spread::of(way.times.iter().zip(&ours.times).map(|(way, ours)| way / ours));
        let trips = Spread::once(f64::from(u32::try_from(way.steps.len())?));
        let name = format!("{}: {}", if way.held { "held" } else { "none there" }, way.name);
        sheet.judged(name, Wants::Nothing, [Spread::of(way.times.iter().copied()), ratio, trips]);
    }
    bench.add(sheet);
    Ok(())
}

/// What a client computes between two steps is not counted.
fn ways(server: &Server) -> Outcome<Vec<Way>> {
    let scripts = Scripts::load(server)?;
    let now = now()?;
    let mut ways = Vec::new();
    for (held, key) in [(true, READ), (false, WRITTEN)] {
        let lock = lock(&now);
        let mut way = |name, steps: &[&[&str]]| {
            let steps = steps.iter().map(|words| (packed(words), 0)).collect();
            ways.push(Way { name, held, steps, times: Vec::new() });
        };
        let (get, set): (&[_], &[_]) = (&["GET", key], &["SET", key, &lock, "EX", "360"]);
        let nx: &[_] = &["SET", key, &lock, "NX", "PX", "360000"];
        if held {
            way("GET, as today", &[get]);
            way("SET NX PX, then GET", &[nx, get]);
        } else {
            way("GET, then SET EX, as today (races)", &[get, set]);
            way("SET NX PX", &[nx]);
        }
        way("SET NX GET PX", &[&["SET", key, &lock, "NX", "GET", "PX", "360000"]]);
        way("Lua", &[&scripts.acquire(key, ROLES, &now)]);
        way("Function", &[&["FCALL", "acquire", "1", key, ROLES, &now]]);
        way("QUOTELOCK.ACQUIRE JSON", &[&["QUOTELOCK.ACQUIRE", key, ROLES, &now, "JSON"]]);
    }
    Ok(ways)
}

impl Way {
    /// Looks at the replies once: after that only their bytes are counted.
    fn look(&mut self, wire: &mut Wire, delete: &[u8]) -> Outcome<()> {
        self.make_ready(wire, delete)?;
        for (request, length) in &mut self.steps {
            let (replies, bytes) = wire.ask(request, 1)?;
            *length = bytes;
            if let [Value::BulkString(reply)] = replies.as_slice() {
                let reply: Json = serde_json::from_slice(reply)?;
                if reply.get("queryTime").is_none() {
                    return Err(format!("{} answers {reply}", self.name).into());
                }
            } else if !matches!(replies.as_slice(), [Value::Nil | Value::Okay]) {
                return Err(format!("{} answers {replies:?}", self.name).into());
            }
        }
        Ok(())
    }

    fn make_ready(&self, wire: &mut Wire, delete: &[u8]) -> Outcome<()> {
        if self.held { Ok(()) } else { wire.run(delete).map(drop) }
    }

    fn sample(&mut self, wire: &mut Wire, delete: &[u8], runs: u32) -> Outcome<()> {
        let mut times = Vec::new();
        for _ in 0..runs {
            self.make_ready(wire, delete)?;
            let mut time = 0.0;
            for (request, length) in &self.steps {
                time += wire.exchange(request, *length)?.as_secs_f64() * 1e6;
            }
            times.push(time);
        }
        self.times.push(Spread::of(times.into_iter()).median);
        Ok(())
    }
}
