//! Commands that read or write many vehicles, and how long they take.

use std::collections::BTreeMap;
use std::time::Duration;

use quotelock_testkit::{RawConnection, Result, Server};
use redis::Value;
use serde_json::value::RawValue;

use super::bench::Bench;
use super::sheet::{Goal, Sheet};
use super::spread::Spread;

/// How often a case runs in a round; their medians are the round's sample.
const RUNS: usize = 5;

/// The replies that an exchange must get.
pub(crate) enum Expected {
    Exactly(Vec<Value>),
    /// One reply with the JSON of each id, in any order; of columns too.
    ById(BTreeMap<String, String>),
    Error,
}

pub(crate) struct Exchange {
    request: Vec<u8>,
    expected: Expected,
    /// The length of the replies, once verified.
    length: usize,
}

pub(crate) struct Case {
    pub(crate) name: String,
    /// A command that runs before each exchange, and is not timed.
    setup: Option<Vec<u8>>,
    /// A run takes the next one.
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

    fn is_met(&self, replies: &[Value]) -> Result<bool> {
        Ok(match (self, replies) {
            (Self::Exactly(values), replies) => values == replies,
            (Self::ById(rows), [reply]) => *rows == by_id(reply)?,
            (Self::Error, replies) => matches!(replies, [Value::ServerError(_)]),
            _ => false,
        })
    }
}

fn by_id(reply: &Value) -> Result<BTreeMap<String, String>> {
    Ok(match reply {
        Value::BulkString(json) if json.starts_with(b"{\"ids\":") => by_id_of_columns(json)?,
        Value::BulkString(json) => {
            let rows: BTreeMap<String, &RawValue> = serde_json::from_slice(json)?;
            rows.into_iter().map(|(id, row)| (id, row.get().to_owned())).collect()
        }
        pairs => redis::from_redis_value_ref(pairs)?,
    })
}

/// The rows of columns, which all have all fields.
fn by_id_of_columns(json: &[u8]) -> Result<BTreeMap<String, String>> {
    #[derive(serde::Deserialize)]
    struct Columns {
        ids: Vec<String>,
        fields: Vec<String>,
        columns: Vec<Vec<String>>,
    }

    let Columns { ids, fields, columns } = serde_json::from_slice(json)?;
    let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
    Ok(ids
        .into_iter()
        .map(|id| {
            let pairs = fields
                .iter()
                .zip(&mut columns)
                .map(|(name, column)| format!(r#""{name}":"{}""#, column.next().unwrap_or_default()));
            (id, format!("{{{}}}", pairs.collect::<Vec<_>>().join(",")))
        })
        .collect())
}

impl Exchange {
    pub(crate) fn new(request: Vec<u8>, expected: Expected) -> Self {
        Self { request, expected, length: 0 }
    }

    /// Checks the replies, and notes their length.
    pub(crate) fn verify(&mut self, connection: &mut RawConnection) -> Result<()> {
        let (replies, length) = connection.pipeline(&self.request, self.expected.replies())?;
        if !self.expected.is_met(&replies)? {
            return Err("the reply is wrong".into());
        }
        self.length = length;
        Ok(())
    }

    /// How long it takes, once verified.
    pub(crate) fn time(&self, connection: &mut RawConnection) -> Result<Duration> {
        connection.time(&self.request, self.length)
    }
}

impl Case {
    pub(crate) fn new(name: impl Into<String>, request: Vec<u8>, expected: Expected) -> Self {
        Self::rotating(name, vec![Exchange::new(request, expected)])
    }

    pub(crate) fn rotating(name: impl Into<String>, exchanges: Vec<Exchange>) -> Self {
        Self { name: name.into(), setup: None, exchanges, samples: Vec::new() }
    }

    pub(crate) fn with_setup(mut self, command: Vec<u8>) -> Self {
        self.setup = Some(command);
        self
    }

    pub(crate) fn length(&self) -> usize {
        self.exchanges.first().map_or(0, |exchange| exchange.length)
    }

    /// Verifies each exchange once; later only the length of its replies is checked.
    fn verify(&mut self, connection: &mut RawConnection) -> Result<()> {
        for exchange in &mut self.exchanges {
            self.setup.iter().try_for_each(|command| connection.request(command).map(drop))?;
            exchange.verify(connection).map_err(|error| format!("{}: {error}", self.name))?;
        }
        Ok(())
    }

    fn sample(&mut self, server: &Server, connection: &mut RawConnection) -> Result<()> {
        let mut runs = Vec::new();
        for _ in 0..RUNS {
            self.exchanges.rotate_left(1);
            self.setup.iter().try_for_each(|command| connection.request(command).map(drop))?;
            let Some(exchange) = self.exchanges.first() else { continue };
            runs.push(Sample::take(server, connection, &exchange.request, exchange.length)?);
        }
        let [wall, cpu] = Sample::spreads(&runs).map(|spread| spread.median);
        self.samples.push(Sample { wall, cpu });
        Ok(())
    }
}

impl Sample {
    /// Of one exchange whose replies have this length.
    pub(crate) fn take(
        server: &Server,
        connection: &mut RawConnection,
        request: &[u8],
        length: usize,
    ) -> Result<Self> {
        let before = server.cpu_time()?;
        let wall = connection.time(request, length)?.as_secs_f64() * 1e3;
        Ok(Self { wall, cpu: (server.cpu_time()? - before) * 1e3 })
    }

    pub(crate) fn figures(&self) -> [f64; 2] {
        [self.wall, self.cpu]
    }

    /// Under `TIME_COLUMNS`.
    pub(crate) fn spreads(samples: &[Self]) -> [Spread; 2] {
        Spread::of_columns(samples.iter().map(Self::figures))
    }
}

pub(crate) const TIME_COLUMNS: [(&str, usize); 2] = [("ms at the client", 3), ("the server's CPU ms", 3)];

/// The time of the first case divided by that of the second.
pub(crate) struct Ratio(pub(crate) &'static str, pub(crate) &'static str, pub(crate) Goal);

pub(crate) fn find<'cases>(cases: &'cases [Case], name: &str) -> Option<&'cases Case> {
    cases.iter().find(|case| case.name == name)
}

pub(crate) fn measure(
    bench: &Bench,
    server: &Server,
    connection: &mut RawConnection,
    cases: &mut [Case],
    rounds: u32,
) -> Result<()> {
    cases.iter_mut().try_for_each(|case| case.verify(connection))?;
    bench.rounds(rounds, cases, |case| case.sample(server, connection))
}

pub(crate) fn times(title: impl Into<String>, cases: &[Case]) -> Sheet {
    let [wall, cpu] = TIME_COLUMNS;
    let mut sheet = Sheet::new(title, "way", &[wall, cpu, ("reply, bytes", 0)]);
    for case in cases {
        let length = Spread::once(f64::from(u32::try_from(case.length()).unwrap_or(u32::MAX)));
        let [wall, cpu] = Sample::spreads(&case.samples);
        sheet.row(&case.name, [wall, cpu, length]);
    }
    sheet
}

/// Leaves out a ratio if this server lacks one of its cases.
pub(crate) fn ratios(title: impl Into<String>, cases: &[Case], ratios: &[Ratio]) -> Sheet {
    let columns = [("by the time at the client", 2), ("by the server's CPU", 2)];
    let mut sheet = Sheet::new(title, "time of one / of the other", &columns);
    for Ratio(over, under, goal) in ratios {
        let (Some(one), Some(other)) = (find(cases, over), find(cases, under)) else { continue };
        let cells = Spread::of_ratios(
            one.samples.iter().map(Sample::figures),
            other.samples.iter().map(Sample::figures),
        );
        sheet.row_with_goal(format!("{over} / {under}"), *goal, cells);
    }
    sheet
}
