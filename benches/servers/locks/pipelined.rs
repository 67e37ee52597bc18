//! One command, pipelined as fast as the server takes it.

use quotelock_testkit::{Result, Server};

use super::scripts::Scripts;
use super::{READ, ROLES, WRITTEN, lock, now, renew};
use crate::common::bench::Bench;
use crate::common::redis_benchmark::{COLUMNS, SPEED_COLUMNS, Sample, figures, speeds};
use crate::common::sheet::{Goal, Sheet};
use crate::common::spread::Spread;

/// A case, the one it is compared with, and its share of that one's speed.
const GOALS: [(&str, &str, Goal); 11] = [
    ("QUOTELOCK.GET JSON", "GET", Goal::AtLeast(0.75)),
    ("QUOTELOCK.GET map", "GET", Goal::AtLeast(0.5)),
    ("QUOTELOCK.GET JSON", "get in Lua", Goal::AtLeast(6.0)),
    ("QUOTELOCK.GET JSON", "get in a Function", Goal::None),
    ("QUOTELOCK.SET time", "SET EX", Goal::AtLeast(0.6)),
    ("QUOTELOCK.SET *", "SET EX", Goal::AtLeast(0.6)),
    ("QUOTELOCK.ACQUIRE held JSON", "GET", Goal::AtLeast(0.4)),
    ("QUOTELOCK.ACQUIRE held map", "GET", Goal::AtLeast(0.4)),
    ("QUOTELOCK.ACQUIRE held JSON", "SET NX GET PX, held", Goal::None),
    ("QUOTELOCK.ACQUIRE held JSON", "acquire in Lua, held", Goal::None),
    ("QUOTELOCK.ACQUIRE held JSON", "acquire in a Function, held", Goal::None),
];

/// Counters of `INFO` that stay 0 while each reply is right, and the lock that is read is Effective and held.
const ZERO_COUNTERS: [(&str, &str); 6] = [
    ("stats", "total_error_replies"),
    ("quotelock", "quotelock_locks_close_to_expired"),
    ("quotelock", "quotelock_locks_missing"),
    ("quotelock", "quotelock_locks_invalid"),
    ("quotelock", "quotelock_locks_created"),
    ("quotelock", "quotelock_locks_refreshed"),
];

struct Case {
    name: &'static str,
    command: Vec<String>,
    /// One for each round.
    samples: Vec<Sample>,
}

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let rounds = bench.pick(9, 5, 2);
    let requests = bench.pick(300_000, 100_000, 30_000);
    let server = bench.start()?;
    let mut cases = cases(&server)?;
    check(&server, &cases)?;
    bench.rounds(rounds, &mut cases, |case| {
        renew(&server)?;
        case.samples.push(Sample::take(&server, &case.command, requests)?);
        Ok(())
    })?;
    bench.add(rates(&cases));
    bench.add(ratios(&cases)?);
    check_counters(&server)
}

fn cases(server: &Server) -> Result<Vec<Case>> {
    let scripts = Scripts::load(server)?;
    let now = now()?;
    let case = |name, command: &[&str]| Case {
        name,
        command: command.iter().map(|&word| word.to_owned()).collect(),
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

/// The scripts must reply as the module does.
fn check(server: &Server, cases: &[Case]) -> Result<()> {
    renew(server)?;
    let reply = |name| -> Result<serde_json::Value> {
        let text: String = server.run(&find(cases, name)?.command)?;
        Ok(serde_json::from_str(&text)?)
    };
    for (native, rivals) in [
        ("QUOTELOCK.GET JSON", ["get in Lua", "get in a Function"]),
        ("QUOTELOCK.ACQUIRE held JSON", ["acquire in Lua, held", "acquire in a Function, held"]),
    ] {
        for rival in rivals {
            let (ours, theirs) = (reply(native)?, reply(rival)?);
            if ours != theirs {
                return Err(format!("{native} replies {ours}, {rival} replies {theirs}").into());
            }
        }
    }
    Ok(())
}

fn find<'cases>(cases: &'cases [Case], name: &str) -> Result<&'cases Case> {
    cases.iter().find(|case| case.name == name).ok_or_else(|| format!("there is no case {name}").into())
}

/// Well below 100 % of a core the server waited for the machine or for requests: then only its CPU time
/// counts.
fn rates(cases: &[Case]) -> Sheet {
    let [rate, cpu] = COLUMNS;
    let columns = [rate, cpu, ("its share of a core, %", 0)];
    let mut sheet = Sheet::new("One lock, pipelined", "command", &columns);
    for case in cases {
        let [rate, cpu] = figures(&case.samples);
        let busy =
            case.samples.iter().map(|sample| sample.requests_per_second * sample.cpu_per_request / 1e7);
        sheet.row(case.name, [rate, cpu, Spread::once(Spread::of(busy).median)]);
    }
    sheet
}

fn ratios(cases: &[Case]) -> Result<Sheet> {
    let title = "One lock, pipelined: speed against another";
    let mut sheet = Sheet::new(title, "speed of one / of the other", &SPEED_COLUMNS);
    for (name, rival, goal) in GOALS {
        let speeds = speeds(&find(cases, name)?.samples, &find(cases, rival)?.samples);
        sheet.row_with_goal(format!("{name} / {rival}"), goal, speeds);
    }
    Ok(sheet)
}

/// `redis-benchmark` does not look at replies: a counter above 0 means that it measured something else.
fn check_counters(server: &Server) -> Result<()> {
    for (section, counter) in ZERO_COUNTERS {
        let count: u64 = server.info(section, counter)?;
        if count > 0 {
            return Err(format!("the figures are wrong: {counter} is {count}, not 0").into());
        }
    }
    Ok(())
}
