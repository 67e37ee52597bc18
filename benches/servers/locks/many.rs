//! Many locks at once, pipelined: what it costs the server to decide, and to write.

use quotelock_testkit::{RawConnection, Result, Server, pack, packed};
use redis::Value;
use serde_json::Value as Json;

use super::conditions::Conditions;
use super::scripts::Scripts;
use super::{ROLES, closing, lock, now};
use crate::common::bench::Bench;
use crate::common::case::{Case, Expected, Ratio, measure, ratios, times};
use crate::common::layout::text;
use crate::common::sheet::Goal;

const LOCKS: usize = 1000;

/// Stands for the key of each lock.
const KEY: &str = "<key>";

const RENEWALS: [Ratio; 4] = [
    Ratio("GET, SET EX (races)", "QUOTELOCK.ACQUIRE JSON", Goal::None),
    Ratio("GET, SET IFEQ GET PX", "QUOTELOCK.ACQUIRE JSON", Goal::None),
    Ratio("GET, SET IFDEQ GET PX", "QUOTELOCK.ACQUIRE JSON", Goal::None),
    Ratio("Lua", "QUOTELOCK.ACQUIRE JSON", Goal::None),
];

const DELETIONS: [Ratio; 5] = [
    Ratio("GET, DEL (races)", "QUOTELOCK.DEL IFEQ", Goal::None),
    Ratio("DELEX IFEQ", "QUOTELOCK.DEL IFEQ", Goal::None),
    Ratio("DELEX IFDEQ", "QUOTELOCK.DEL IFEQ", Goal::None),
    Ratio("DELIFEQ", "QUOTELOCK.DEL IFEQ", Goal::None),
    Ratio("Lua", "QUOTELOCK.DEL IFEQ", Goal::None),
];

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    let rounds = bench.pick(21, 9, 3);
    let server = bench.start()?;
    let mut connection = RawConnection::connect(server.port())?;
    let scripts = Scripts::load(&server)?;
    let renewals =
        ("1,000 closing locks renewed, pipelined", renewals(&server, &scripts)?, RENEWALS.as_slice());
    let deletions = (
        "1,000 locks that were read deleted, pipelined",
        deletions(&server, &scripts)?,
        DELETIONS.as_slice(),
    );
    for (title, mut cases, against) in [renewals, deletions] {
        measure(bench, &server, &mut connection, &mut cases, rounds)?;
        bench.add(times(title, &cases));
        bench.add(ratios(format!("{title}: how many times as fast"), &cases, against));
    }
    Ok(())
}

/// The client has read that each lock is closing.
fn renewals(server: &Server, scripts: &Scripts) -> Result<Vec<Case>> {
    let (now, old) = (now()?, lock(&closing()?));
    let new = lock(&now);
    let get = || words(&["GET", KEY]);
    let read = || text(&old);
    let case = |name: &str, commands, replies| case(name, &old, commands, replies);

    let set = words(&["SET", KEY, &new, "EX", "360"]);
    let mut cases = vec![case("GET, SET EX (races)", vec![get(), set], vec![read(), Value::Okay])];
    for (name, set) in Conditions::of(server, &old)?.renewals(KEY, &new, &old) {
        cases.push(case(&format!("GET, {name}"), vec![get(), set], vec![read(), read()]));
    }
    let ours =
        format!(r#"{{"roleIds":{ROLES},"queryTime":"{now}","state":"Effective","outcome":"Refreshed"}}"#);
    server.run::<()>(&["SET", "scripted", &old])?;
    let theirs: String = server.run(&scripts.acquire("scripted", ROLES, &now))?;
    // The members of the script's reply have an order of their own.
    if serde_json::from_str::<Json>(&theirs)? != serde_json::from_str::<Json>(&ours)? {
        return Err(format!("the script replies {theirs}, not {ours}").into());
    }
    cases.push(case("Lua", vec![words(&scripts.acquire(KEY, ROLES, &now))], vec![text(theirs)]));
    let acquire = words(&["QUOTELOCK.ACQUIRE", KEY, ROLES, &now, "JSON"]);
    cases.push(case("QUOTELOCK.ACQUIRE JSON", vec![acquire], vec![text(ours)]));
    Ok(cases)
}

fn deletions(server: &Server, scripts: &Scripts) -> Result<Vec<Case>> {
    let now = now()?;
    let lock = lock(&now);
    let case = |name: &str, commands: Vec<_>| {
        let mut replies = vec![Value::Int(1)];
        if commands.len() == 2 {
            replies.insert(0, text(&lock));
        }
        case(name, &lock, commands, replies)
    };

    let mut cases = vec![case("GET, DEL (races)", vec![words(&["GET", KEY]), words(&["DEL", KEY])])];
    for (name, delete) in Conditions::of(server, &lock)?.deletions(KEY, &lock) {
        cases.push(case(name, vec![delete]));
    }
    cases.push(case("Lua", vec![words(&scripts.delete(KEY, &now))]));
    cases.push(case("QUOTELOCK.DEL IFEQ", vec![words(&["QUOTELOCK.DEL", KEY, "IFEQ", &now])]));
    Ok(cases)
}

/// Each command for each lock, and its reply; all locks are `lock` before.
fn case(name: &str, lock: &str, commands: Vec<Vec<String>>, replies: Vec<Value>) -> Case {
    let keys = || (0..LOCKS).map(|number| format!("hermes:price-lock:{number}"));
    let mut request = Vec::new();
    for words in &commands {
        for key in keys() {
            let words: Vec<_> = words.iter().map(|word| if word == KEY { &key } else { word }).collect();
            pack(&mut request, &words);
        }
    }
    let replies = replies.into_iter().flat_map(|reply| vec![reply; LOCKS]).collect();
    let stored: Vec<_> = keys().flat_map(|key| [key, lock.to_owned()]).collect();
    let setup = packed(&[words(&["MSET"]), stored].concat());
    Case::new(name, request, Expected::Exactly(replies)).with_setup(setup)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}
