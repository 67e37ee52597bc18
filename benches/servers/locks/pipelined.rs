//! One command in a pipeline, as fast as the server takes it.

use super::scripts::Scripts;
use super::{READ, ROLES, WRITTEN, lock, now, renew};
use crate::common::bench::Bench;
use crate::common::redis_benchmark::Sample;
use crate::common::server::{Outcome, Server};
use crate::common::sheet::{Sheet, Wants};
use crate::common::spread::Spread;

/// A case, the one it is held against, and the least share of that one's speed.
const GOALS: [(&str, &str, Wants); 11] = [
    ("QUOTELOCK.GET JSON", "GET", Wants::AtLeast(0.75)),
    ("QUOTELOCK.GET map", "GET", Wants::AtLeast(0.5)),
    ("QUOTELOCK.GET JSON", "get in Lua", Wants::AtLeast(6.0)),
    ("QUOTELOCK.GET JSON", "get in a Function", Wants::Nothing),
    ("QUOTELOCK.SET time", "SET EX", Wants::AtLeast(0.6)),
    ("QUOTELOCK.SET *", "SET EX", Wants::AtLeast(0.6)),
    ("QUOTELOCK.ACQUIRE held JSON", "GET", Wants::AtLeast(0.4)),
    ("QUOTELOCK.ACQUIRE held map", "GET", Wants::AtLeast(0.4)),
    ("QUOTELOCK.ACQUIRE held JSON", "SET NX GET PX, held", Wants::Nothing),
    ("QUOTELOCK.ACQUIRE held JSON", "acquire in Lua, held", Wants::Nothing),
    ("QUOTELOCK.ACQUIRE held JSON", "acquire in a Function, held", Wants::Nothing),
];

/// Counters of INFO that stay 0 while every reply is right and the lock that is read is Effective and held.
const DOUBTS: [(&str, &str); 6] = [
    ("stats", "total_error_replies"),
    ("quotelock", "quotelock_locks_close_to_expired"),
    ("quotelock", "quotelock_locks_missing"),
    ("quotelock", "quotelock_locks_invalid"),
    ("quotelock", "quotelock_locks_created"),
    ("quotelock", "quotelock_locks_refreshed"),
];

struct Case {
    name: &'static str,
    words: Vec<String>,
    /// One for each round.
    samples: Vec<Sample>,
}

pub(crate) fn run(bench: &mut Bench) -> Outcome<()> {
    let rounds = bench.pick(9, 5, 2);
    let requests = bench.pick(300_000, 100_000, 30_000);
    let server = bench.start()?;
    let mut cases = cases(&server)?;
    check(&server, &cases)?;
    bench.rounds(rounds, &mut cases, |case| {
        renew(&server)?;
        case.samples.push(Sample::take(&server, &case.words, requests)?);
        Ok(())
    })?;
    bench.add(rates(&cases));
    bench.add(ratios(&cases)?);
    look_for_doubts(&server)
}

fn cases(server: &Server) -> Outcome<Vec<Case>> {
    let scripts = Scripts::load(server)?;
    let now = now()?;
    let case = |name, words: &[&str]| Case {
        name,
        words: words.iter().map(|&word| word.to_owned()).collect(),
        samples: Vec::new(),
    };
    Ok(vec![
        case("GET", &["GET", READ]),
        case("QUOTELOCK.GET JSON", &["QUOTELOCK.GET", READ, "JSON"]),
        case("QUOTELOCK.GET map", &["QUOTELOCK.GET", READ]),
        case("get in Lua", &scripts.get(READ)),
        case("get in a Function", &["FCALL_RO", "get", "1", READ]),
        case("SET EX", &["SET", WRITTEN, &lock(&now), "EX", "360"]),
        case("QUOTELOCK.SET time", &["QUOTELOCK.SET", WRITTEN, ROLES, &now]),
        case("QUOTELOCK.SET *", &["QUOTELOCK.SET", WRITTEN, ROLES, "*"]),
        case("SET NX PX, held", &["SET", READ, &lock(&now), "NX", "PX", "360000"]),
        case("SET NX GET PX, held", &["SET", READ, &lock(&now), "NX", "GET", "PX", "360000"]),
        case("QUOTELOCK.ACQUIRE held JSON", &["QUOTELOCK.ACQUIRE", READ, ROLES, &now, "JSON"]),
        case("QUOTELOCK.ACQUIRE held map", &["QUOTELOCK.ACQUIRE", READ, ROLES, &now]),
        case("acquire in Lua, held", &scripts.acquire(READ, ROLES, &now)),
        case("acquire in a Function, held", &["FCALL", "acquire", "1", READ, ROLES, &now]),
    ])
}

/// A script is a fair rival only while it answers the same.
fn check(server: &Server, cases: &[Case]) -> Outcome<()> {
    renew(server)?;
    let answer = |name| -> Outcome<serde_json::Value> {
        let text: String = server.run(&find(cases, name)?.words)?;
        Ok(serde_json::from_str(&text)?)
    };
    for (native, rivals) in [
        ("QUOTELOCK.GET JSON", ["get in Lua", "get in a Function"]),
        ("QUOTELOCK.ACQUIRE held JSON", ["acquire in Lua, held", "acquire in a Function, held"]),
    ] {
        for rival in rivals {
            let (ours, theirs) = (answer(native)?, answer(rival)?);
            if ours != theirs {
                return Err(format!("{native} answers {ours}, {rival} answers {theirs}").into());
            }
        }
    }
    Ok(())
}

fn find<'cases>(cases: &'cases [Case], name: &str) -> Outcome<&'cases Case> {
    cases.iter().find(|case| case.name == name).ok_or_else(|| format!("there is no case {name}").into())
}

/// Where the server's share of a core is well below 100 %, it waited for its turn or for requests: then trust its CPU time.
fn rates(cases: &[Case]) -> Sheet {
    let columns = [("requests/s", 0), ("the server's CPU ns a request", 0), ("its share of a core, %", 0)];
    let mut sheet = Sheet::new("One lock, pipelined", "command", &columns);
    for case in cases {
        let spread = |figure: fn(&Sample) -> f64| Spread::of(case.samples.iter().map(figure));
        let busy = spread(|sample| sample.requests_per_second * sample.cpu_per_request / 1e7).median;
        let rate = spread(|sample| sample.requests_per_second);
        sheet.row(case.name, [rate, spread(|sample| sample.cpu_per_request), Spread::once(busy)]);
    }
    sheet
}

/// Each ratio is of two samples of one round: machines drift between rounds.
fn ratios(cases: &[Case]) -> Outcome<Sheet> {
    let columns = [("by requests/s", 2), ("by the server's CPU", 2)];
    let mut sheet =
        Sheet::new("One lock, pipelined: speed against another", "speed of one / of the other", &columns);
    for (name, rival, wants) in GOALS {
        let (case, base) = (find(cases, name)?, find(cases, rival)?);
        let ratios = |ratio: fn(&Sample, &Sample) -> f64| {
            Spread::of(case.samples.iter().zip(&base.samples).map(|(case, base)| ratio(case, base)))
        };
        let rate = ratios(|case, base| case.requests_per_second / base.requests_per_second);
        let cpu = ratios(|case, base| base.cpu_per_request / case.cpu_per_request);
        sheet.judged(format!("{name} / {rival}"), wants, [rate, cpu]);
    }
    Ok(sheet)
}

/// Says so if the figures are those of something else: redis-benchmark does not look at what it is answered.
fn look_for_doubts(server: &Server) -> Outcome<()> {
    for (section, counter) in DOUBTS {
        let count: u64 = server.info(section, counter)?;
        if count > 0 {
            return Err(format!("the figures are in doubt: {counter} is {count}, not 0").into());
        }
    }
    Ok(())
}
