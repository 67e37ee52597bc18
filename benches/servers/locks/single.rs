//! One client that gets, renews or ends one lock at a time, and waits for each reply: the number of round trips counts.

use quotelock_testkit::{RawConnection, Result, Server, packed};
use redis::Value;
use serde_json::Value as Json;

use super::conditions::Conditions;
use super::scripts::Scripts;
use super::{READ, ROLES, WRITTEN, closing, lock, now, renew};
use crate::common::bench::Bench;
use crate::common::sheet::Sheet;
use crate::common::spread::Spread;

/// What a client finds, or does.
#[derive(Clone, Copy, PartialEq)]
enum What {
    Held,
    Absent,
    Closing,
    Ended,
}

impl What {
    fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Absent => "none there",
            Self::Closing => "closing",
            Self::Ended => "ended",
        }
    }
}

/// How a client does it.
struct Case {
    what: What,
    name: String,
    /// Runs before each run, outside the measured time.
    setup: Option<Vec<u8>>,
    /// Commands in sequence, each with the length of its reply once verified.
    steps: Vec<(Vec<u8>, usize)>,
    /// The moment of the lock that is there then, if it was not held.
    then: Option<String>,
    /// In microseconds, one for each round.
    times: Vec<f64>,
}

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let rounds = bench.pick(15, 7, 3);
    let runs = bench.pick(500, 300, 200);
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
    let columns = [("µs", 1), ("times the time of quotelock's", 2), ("round trips", 0)];
    let mut sheet = Sheet::new("One lock, one client that waits for each answer", "way", &columns);
    for case in &cases {
        let ours = cases.iter().find(|other| other.what == case.what && other.name.starts_with("QUOTELOCK"));
        let ours = ours.ok_or("there is no case of ours")?;
        let times = |case: &Case| case.times.clone().into_iter().map(|time| [time]);
        let ([time], [ratio]) =
            (Spread::of_columns(times(case)), Spread::of_ratios(times(case), times(ours)));
        let trips = Spread::once(f64::from(u32::try_from(case.steps.len())?));
        sheet.row(case.full_name(), [time, ratio, trips]);
    }
    bench.add(sheet);
    Ok(())
}

/// The client's own work between two steps is not measured.
fn cases(server: &Server) -> Result<Vec<Case>> {
    let scripts = Scripts::load(server)?;
    let (now, old) = (now()?, lock(&closing()?));
    let lock = lock(&now);
    let (renewing, ending) = (Conditions::of(server, &old)?, Conditions::of(server, &lock)?);
    let mut cases = Vec::new();
    let mut case = |what, name: &str, steps: Vec<&[&str]>| {
        let (setup, then): (Option<&[&str]>, _) = match what {
            What::Held => (None, None),
            What::Absent => (Some(&["DEL", WRITTEN]), Some(&now)),
            What::Closing => (Some(&["SET", WRITTEN, &old, "EX", "360"]), Some(&now)),
            What::Ended => (Some(&["SET", WRITTEN, &lock, "EX", "360"]), None),
        };
        cases.push(Case {
            what,
            name: name.to_owned(),
            setup: setup.map(packed),
            steps: steps.into_iter().map(|command| (packed(command), 0)).collect(),
            then: then.cloned(),
            times: Vec::new(),
        });
    };
    for (what, key) in [(What::Held, READ), (What::Absent, WRITTEN), (What::Closing, WRITTEN)] {
        let get: &[_] = &["GET", key];
        let set: &[_] = &["SET", key, &lock, "EX", "360"];
        let nx: &[_] = &["SET", key, &lock, "NX", "PX", "360000"];
        match what {
            What::Held => {
                case(what, "GET", vec![get]);
                case(what, "SET NX PX, then GET", vec![nx, get]);
            }
            What::Absent => {
                case(what, "GET, then SET EX (races)", vec![get, set]);
                case(what, "SET NX PX", vec![nx]);
            }
            _ => case(what, "GET, then SET EX (races)", vec![get, set]),
        }
        if what == What::Closing {
            for (name, renewal) in renewing.renewals(key, &lock, &old) {
                case(what, &format!("GET, then {name}"), vec![get, &strs(&renewal)]);
            }
        } else {
            case(what, "SET NX GET PX", vec![&["SET", key, &lock, "NX", "GET", "PX", "360000"]]);
        }
        case(what, "Lua", vec![&scripts.acquire(key, ROLES, &now)]);
        case(what, "Function", vec![&["FCALL", "acquire", "1", key, ROLES, &now]]);
        case(what, "QUOTELOCK.ACQUIRE JSON", vec![&["QUOTELOCK.ACQUIRE", key, ROLES, &now, "JSON"]]);
    }
    case(What::Ended, "GET, then DEL (races)", vec![&["GET", WRITTEN], &["DEL", WRITTEN]]);
    for (name, deletion) in ending.deletions(WRITTEN, &lock) {
        case(What::Ended, name, vec![&strs(&deletion)]);
    }
    case(What::Ended, "Lua", vec![&scripts.delete(WRITTEN, &now)]);
    case(What::Ended, "QUOTELOCK.DEL IFEQ", vec![&["QUOTELOCK.DEL", WRITTEN, "IFEQ", &now]]);
    Ok(cases)
}

fn strs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

impl Case {
    fn full_name(&self) -> String {
        format!("{}: {}", self.what.name(), self.name)
    }

    /// Verifies the replies once, and what they leave; later only the replies' length is checked.
    fn verify(&mut self, connection: &mut RawConnection) -> Result<()> {
        self.set_up(connection)?;
        for (request, length) in &mut self.steps {
            let (replies, bytes) = connection.pipeline(request, 1)?;
            *length = bytes;
            match replies.as_slice() {
                [Value::BulkString(reply)] if moment_of(reply)?.is_some() => {}
                [Value::Nil | Value::Okay] => {}
                [Value::Int(1)] if self.what == What::Ended => {}
                _ => return Err(format!("{} replies {replies:?}", self.full_name()).into()),
            }
        }
        if self.what == What::Held {
            return Ok(());
        }
        let there = match connection.request(&packed(&["GET", WRITTEN]))? {
            Value::BulkString(lock) => moment_of(&lock)?,
            _ => None,
        };
        if there == self.then {
            Ok(())
        } else {
            Err(format!("{} leaves a lock of {there:?}, not of {:?}", self.full_name(), self.then).into())
        }
    }

    fn set_up(&self, connection: &mut RawConnection) -> Result<()> {
        self.setup.iter().try_for_each(|command| connection.request(command).map(drop))
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

fn moment_of(lock: &[u8]) -> Result<Option<String>> {
    let lock: Json = serde_json::from_slice(lock)?;
    Ok(lock.get("queryTime").and_then(Json::as_str).map(str::to_owned))
}
