//! The toggle is switched under load: every batch is answered by one mode, and by none that was replaced when it was
//! sent.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use redis::Value;

use super::*;

const CLIENTS: usize = 16;
const SWITCHES: usize = 400;
const IDS: usize = 200;
const VALUES: [&str; 4] = ["old", "new", "both", "back"];

/// Batches answered before the test ends, so that it can't end without load.
const LEAST_BATCHES: usize = 1000;

/// Which modes could have given this answer to a batch of `571` and `571_old` in turn; none if two had a part
/// in it.
fn modes_of(answer: &Value, of_mode: impl Fn(&str) -> Vec<Value>) -> Vec<&'static str> {
    VALUES.into_iter().filter(|mode| *answer == Value::Array(of_mode(mode))).collect()
}

fn bulk(text: &str) -> Value {
    Value::BulkString(text.as_bytes().to_vec())
}

fn tags(mode: &str) -> Vec<Value> {
    let (_, tags, _) = MODES.into_iter().find(|(values, ..)| values.contains(&mode)).unwrap();
    tags.map(bulk).into_iter().cycle().take(IDS).collect()
}

fn routes(mode: &str) -> Vec<Value> {
    let (_, _, routes) = MODES.into_iter().find(|(values, ..)| values.contains(&mode)).unwrap();
    routes.map(|route| Value::Array(vec![bulk(route), bulk("571")])).into_iter().cycle().take(IDS).collect()
}

#[apply(each_server)]
fn no_batch_sees_half_of_a_switch(#[case] kind: Kind) {
    let ids = vec!["571 571_old"; IDS / 2].join(" ");
    let (tag, route) = (format!("PRICEPLAN.TAG toggle {ids}"), format!("PRICEPLAN.ROUTE toggle {ids}"));
    let server = &Server::start(kind);
    let (over, batches) = (&AtomicBool::new(false), &AtomicUsize::new(0));
    // Switch n puts VALUES[n % 4]. It is begun before it is sent, and done after it was answered.
    let (begun, done) = (&AtomicUsize::new(0), &AtomicUsize::new(0));
    // Routes tell all four apart.
    let seen = &[const { AtomicBool::new(false) }; VALUES.len()];
    let con = &mut server.connection();
    put(con, VALUES[0]);
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            let mut con = server.connection();
            let (tag, route) = (&tag, &route);
            scope.spawn(move || {
                let _over = Over(over);
                while !over.load(SeqCst) {
                    for (words, modes) in [(tag, tags as fn(&str) -> Vec<Value>), (route, routes)] {
                        let first = done.load(SeqCst);
                        let answer = cmd(&mut con, words);
                        let last = begun.load(SeqCst);
                        let modes = modes_of(&answer, modes);
                        assert!(!modes.is_empty(), "a batch saw two modes");
                        let in_force = |switch: usize| modes.contains(&VALUES[switch % VALUES.len()]);
                        assert!((first..=last).any(in_force), "{modes:?}, but switches {first} to {last}");
                        if let [mode] = modes.as_slice() {
                            seen[VALUES.iter().position(|value| value == mode).unwrap()].store(true, SeqCst);
                        }
                        batches.fetch_add(1, SeqCst);
                    }
                }
            });
        }
        let _over = Over(over);
        for switch in 1.. {
            begun.store(switch, SeqCst);
            put(con, VALUES[switch % VALUES.len()]);
            done.store(switch, SeqCst);
            let enough = switch >= SWITCHES && batches.load(SeqCst) >= LEAST_BATCHES;
            if enough || over.load(SeqCst) {
                break;
            }
        }
    });
    assert!(seen.iter().all(|mode| mode.load(SeqCst)), "not every mode was answered");
}

/// A transaction and a script are answered by one mode too, unless they switch themselves.
#[apply(each_server)]
fn transactions_and_scripts_go_by_what_is_in_force(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for command in [
        "MULTI",
        "PRICEPLAN.TAG toggle 571",
        "SET toggle 3",
        "PRICEPLAN.TAG toggle 571",
        "PRICEPLAN.ROUTE toggle 571 571_old",
        "SET toggle 5",
        "PRICEPLAN.ROUTE toggle 571",
        "SET toggle back",
        "PRICEPLAN.ROUTE toggle 571",
    ] {
        cmd(con, command);
    }
    assert_eq!(
        reply(con, "EXEC"),
        r#"[["571_old"], OK, ["571"], [["Core", "571"], ["Legacy", "571"]], OK, -ERR invalid value '5' in the toggle, expected 1 or old, 2 or new, 3 or both, 4 or back, OK, [["Retired", "571"]]]"#
    );
    for (script, answer) in [
        ("redis.call('PRICEPLAN.TAG', KEYS[1], '571', '572_old')", r#"["571_old", "572_old"]"#),
        ("redis.call('PRICEPLAN.ROUTE', KEYS[1], '571_old')[1][1]", r#""Legacy""#),
        (
            "redis.pcall('PRICEPLAN.TAG', KEYS[1], '_old')['err']",
            &format!("\"{}\"", error(con, "PRICEPLAN.TAG toggle _old")),
        ),
    ] {
        for eval in ["EVAL", "EVAL_RO"] {
            assert_eq!(reply(con, &[eval, &format!("return {script}"), "1", "toggle"]), answer, "{script}");
        }
    }
    let switch = "redis.call('SET', KEYS[1], 'new') return redis.call('PRICEPLAN.TAG', KEYS[1], '571')";
    assert_eq!(reply(con, &["EVAL", switch, "1", "toggle"]), r#"["571"]"#);
    cmd(
        con,
        &[
            "FUNCTION",
            "LOAD",
            "#!lua name=plans\nredis.register_function{function_name='plan', flags={'no-writes'}, \
             callback=function(keys, args) return redis.call('PRICEPLAN.ROUTE', keys[1], args[1]) end}",
        ],
    );
    assert_eq!(reply(con, "FCALL_RO plan 1 toggle 571_old"), r#"[["Retired", "571"]]"#);
}
