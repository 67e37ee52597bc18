//! A way to read or write many vehicles, and what it takes.

use std::collections::BTreeMap;
use std::time::Duration;

use redis::Value;
use serde_json::value::RawValue;

use super::bench::Bench;
use super::server::{Outcome, Server};
use super::sheet::{Sheet, Wants};
use super::spread::Spread;
use super::wire::Wire;

/// How often a case is run in a round; the round's figures are the medians.
const RUNS: usize = 5;

/// What must be answered.
pub(crate) enum Expected {
    Exactly(Vec<Value>),
    /// One reply that holds each id and its JSON, in any order.
    ById(BTreeMap<String, String>),
    Error,
}

pub(crate) struct Exchange {
    request: Vec<u8>,
    expected: Expected,
    /// The length of the reply, once it was looked at.
    length: usize,
}

pub(crate) struct Case {
    pub(crate) name: String,
    /// A command that is run before, outside the time.
    before: Option<Vec<u8>>,
    /// Taken in turn.
    exchanges: Vec<Exchange>,
    /// One for each round.
    pub(crate) samples: Vec<Sample>,
}

/// In milliseconds.
pub(crate) struct Sample {
    pub(crate) wall: f64,
    pub(crate) cpu: f64,
}

impl Expected {
    fn replies(&self) -> usize {
        if let Self::Exactly(values) = self { values.len() } else { 1 }
    }

    fn is_met(&self, replies: &[Value]) -> Outcome<bool> {
        Ok(match (self, replies) {
            (Self::Exactly(values), replies) => values == replies,
            (Self::ById(rows), [reply]) => *rows == by_id(reply)?,
            (Self::Error, replies) => matches!(replies, [Value::ServerError(_)]),
            _ => false,
        })
    }
}

fn by_id(reply: &Value) -> Outcome<BTreeMap<String, String>> {
    Ok(match reply {
        Value::BulkString(json) => {
            let rows: BTreeMap<String, &RawValue> = serde_json::from_slice(json)?;
            rows.into_iter().map(|(id, row)| (id, row.get().to_owned())).collect()
        }
        pairs => redis::from_redis_value_ref(pairs)?,
    })
}

impl Exchange {
    pub(crate) fn new(request: Vec<u8>, expected: Expected) -> Self {
        Self { request, expected, length: 0 }
    }

    /// Looks at the reply, and learns its length.
    pub(crate) fn look(&mut self, wire: &mut Wire) -> Outcome<()> {
        let (replies, length) = wire.ask(&self.request, self.expected.replies())?;
        if !self.expected.is_met(&replies)? {
            return Err("it is not answered as it should be".into());
        }
        self.length = length;
        Ok(())
    }

    /// The time it takes, once the reply was looked at.
    pub(crate) fn time(&self, wire: &mut Wire) -> Outcome<Duration> {
        wire.exchange(&self.request, self.length)
    }
}

impl Case {
    pub(crate) fn new(name: impl Into<String>, request: Vec<u8>, expected: Expected) -> Self {
        Self::in_turn(name, vec![Exchange::new(request, expected)])
    }

    pub(crate) fn in_turn(name: impl Into<String>, exchanges: Vec<Exchange>) -> Self {
        Self { name: name.into(), before: None, exchanges, samples: Vec::new() }
    }

    pub(crate) fn after(mut self, command: Vec<u8>) -> Self {
        self.before = Some(command);
        self
    }

    pub(crate) fn length(&self) -> usize {
        self.exchanges.first().map_or(0, |exchange| exchange.length)
    }

    /// Looks at each reply once: after that only its bytes are counted.
    fn check(&mut self, wire: &mut Wire) -> Outcome<()> {
        for exchange in &mut self.exchanges {
            self.before.iter().try_for_each(|command| wire.run(command).map(drop))?;
            exchange.look(wire).map_err(|error| format!("{}: {error}", self.name))?;
        }
        Ok(())
    }

    fn sample(&mut self, server: &Server, wire: &mut Wire) -> Outcome<()> {
        let mut runs = Vec::new();
        for _ in 0..RUNS {
            self.exchanges.rotate_left(1);
            self.before.iter().try_for_each(|command| wire.run(command).map(drop))?;
            let Some(exchange) = self.exchanges.first() else { continue };
            runs.push(Sample::take(server, wire, &exchange.request, exchange.length)?);
        }
        let median = |figure: fn(&Sample) -> f64| Spread::of(runs.iter().map(figure)).median;
        self.samples.push(Sample { wall: median(|run| run.wall), cpu: median(|run| run.cpu) });
        Ok(())
    }

    pub(crate) fn spread(&self, figure: fn(&Sample) -> f64) -> Spread {
        Spread::of(self.samples.iter().map(figure))
    }
}

impl Sample {
    /// One exchange of known length.
    pub(crate) fn take(server: &Server, wire: &mut Wire, request: &[u8], length: usize) -> Outcome<Self> {
        let before = server.cpu_time()?;
        let wall = wire.exchange(request, length)?.as_secs_f64() * 1e3;
        Ok(Self { wall, cpu: (server.cpu_time()? - before) * 1e3 })
    }
}

/// The time of the first case over the time of the second.
pub(crate) struct Goal(pub(crate) &'static str, pub(crate) &'static str, pub(crate) Wants);

pub(crate) fn find<'cases>(cases: &'cases [Case], name: &str) -> Option<&'cases Case> {
    cases.iter().find(|case| case.name == name)
}

pub(crate) fn measure(
    bench: &Bench,
    server: &Server,
    wire: &mut Wire,
    cases: &mut [Case],
    rounds: u32,
) -> Outcome<()> {
    cases.iter_mut().try_for_each(|case| case.check(wire))?;
    bench.rounds(rounds, cases, |case| case.sample(server, wire))
}

pub(crate) fn times(title: impl Into<String>, cases: &[Case]) -> Sheet {
    let columns = [("ms at the client", 3), ("the server's CPU ms", 3), ("reply, bytes", 0)];
    let mut sheet = Sheet::new(title, "way", &columns);
    for case in cases {
        let length = Spread::once(f64::from(u32::try_from(case.length()).unwrap_or(u32::MAX)));
        sheet.row(&case.name, [case.spread(|sample| sample.wall), case.spread(|sample| sample.cpu), length]);
    }
    sheet
}

/// Each ratio is of two samples of one round: machines drift between rounds. One of which this server lacks a case is left out.
pub(crate) fn ratios(title: impl Into<String>, cases: &[Case], goals: &[Goal]) -> Sheet {
    let columns = [("by the time at the client", 2), ("by the server's CPU", 2)];
    let mut sheet = Sheet::new(title, "time of one / of the other", &columns);
    for Goal(over, under, wants) in goals {
        let (Some(one), Some(other)) = (find(cases, over), find(cases, under)) else { continue };
        let pairs = || one.samples.iter().zip(&other.samples);
        let wall = Spread::of(pairs().map(|(one, other)| one.wall / other.wall));
        let cpu = Spread::of(pairs().map(|(one, other)| one.cpu / other.cpu));
        sheet.judged(format!("{over} / {under}"), *wants, [wall, cpu]);
    }
    sheet
}
